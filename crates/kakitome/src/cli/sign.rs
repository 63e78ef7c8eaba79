//! `kakitome sign`: one mail, with a certificate and key in files.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kakitome_office::evidence;
use kakitome_pki::address::{Address, Match};
use kakitome_pki::algorithm::Digest;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{SigningKey, SystemRandom};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::address;

use super::output::Output;
use super::{Ended, Everywhere, Failure, input};

/// Sign a mail with a certificate and key in files.
///
/// The certificate file may hold the intermediates too; they travel with the signature, the root does not. The mail's
/// own bytes stay as they are; only its Content-* fields move into the signed part.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome sign --cert me.pem --key me.key -o signed.eml mail.eml
  kakitome sign --cert me.pem --key me.key --opaque mail.eml")]
pub(super) struct Sign {
    /// The mail, as a file in .eml form; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// The signer's certificate, intermediates behind it (PEM or DER)
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The private key (PKCS#8, PKCS#1 or SEC 1; PEM or DER; not encrypted)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Put the mail into the signature (application/pkcs7-mime) instead of beside it
    #[arg(long)]
    opaque: bool,
    /// The digest; the key's own if it is not given
    #[arg(long, value_name = "NAME")]
    digest: Option<DigestName>,
    /// Write the signed mail to this file, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DigestName {
    Sha256,
    Sha384,
    Sha512,
}

impl Sign {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let certificates = evidence::certificates(&self.cert)?;
        let key = self.key()?;
        let signer = certificates.iter().find(|certificate| certificate.spki() == key.spki()).ok_or_else(|| {
            Failure::unreadable(format!(
                "{}: none of its certificates is for the key in {}",
                self.cert.display(),
                self.key.display()
            ))
        })?;
        let chain: Vec<Certificate> = certificates
            .iter()
            .filter(|certificate| *certificate == signer || !certificate.is_self_issued())
            .cloned()
            .collect();

        let spools = input::spools(everywhere, self.output.as_deref())?;
        let mail = input::mail(self.mail.as_deref(), everywhere, &spools)?;
        let draft =
            Draft::new(&*mail)?.map_err(|unsignable| Failure::unreadable(format!("not signed: {unsignable}")))?;
        if !everywhere.quiet {
            self.warn(&draft, signer);
        }
        let digest = self.digest.map(|name| match name {
            DigestName::Sha256 => Digest::Sha256,
            DigestName::Sha384 => Digest::Sha384,
            DigestName::Sha512 => Digest::Sha512,
        });
        let digest = digest.or(key.algorithm().digest()).unwrap_or(Digest::Sha512);
        let algorithm = key.algorithm_with(digest).ok_or_else(|| {
            Failure::usage(format!(
                "--digest: this key ({}) does not sign with {}",
                signer.key().describe(),
                digest.name()
            ))
        })?;
        let time = draft.signing_time(input::now());
        let asked = draft
            .request(signer, algorithm, digest, time)?
            .map_err(|_| Failure::bug("an algorithm that is not written"))?;
        let signature = key.sign(asked.algorithm(), asked.octets()).map_err(Failure::bug)?;
        let form = if self.opaque { Form::Opaque } else { Form::Clear };
        let mut output = Output::open(self.output.as_deref())?;
        asked.write(form, &signature, signer, &chain, &SystemRandom, &mut output)?;
        output.finish()?;
        Ok(Ended::Done)
    }

    fn key(&self) -> Result<SigningKey, Failure> {
        let blocks = evidence::private_keys(&self.key)?;
        let refused = |why: &str| Failure::unreadable(format!("{}: {why}", self.key.display()));
        let block = blocks.first().ok_or_else(|| refused("holds no private key"))?;
        if block.label.contains("ENCRYPTED") {
            return Err(refused("the key is encrypted; this version reads keys in the clear (openssl pkey -in FILE)"));
        }
        SigningKey::from_der(&block.der).map_err(|error| refused(&error.to_string()))
    }

    /// A mail program will call a signature foreign that is not From's: better said now.
    fn warn(&self, draft: &Draft<'_>, signer: &Certificate) {
        let from = address::author(draft.header()).ok().and_then(|from| Address::parse(&from.address).ok());
        let Some(from) = from else {
            eprintln!("kakitome: the mail's From is not one address; readers will not be able to confirm the sender");
            return;
        };
        let fits = |mailbox: &str| Address::parse(mailbox).is_ok_and(|mailbox| mailbox.matches(&from) != Match::No);
        if !signer.extensions().mailboxes().any(fits) {
            eprintln!("kakitome: the certificate is not for {from}; readers will see that somebody else signed");
        }
    }
}
