//! `kakitome sign`: one mail, with a certificate and key in files.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kakitome_office::evidence::Identity;
use kakitome_pki::address::{Address, Match};
use kakitome_pki::algorithm::Digest;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::address;

use zeroize::Zeroizing;

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
  kakitome sign --cert me.pem --key me.key --opaque mail.eml
  kakitome sign --p12 me.p12 --password-file password.txt -o signed.eml mail.eml")]
pub(super) struct Sign {
    /// The mail, as a file in .eml form; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// The signer's certificate, intermediates behind it (PEM or DER)
    #[arg(long, value_name = "FILE", requires = "key", required_unless_present = "p12", conflicts_with = "p12")]
    cert: Option<PathBuf>,
    /// The private key (PKCS#8, PKCS#1 or SEC 1; PEM or DER; not encrypted)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Certificate, intermediates and key in one PKCS#12 file; the password comes from --password-file, the environment
    /// (KAKITOME_P12_PASSWORD), or a question on the terminal
    #[arg(long, value_name = "FILE")]
    p12: Option<PathBuf>,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE", requires = "p12")]
    password_file: Option<PathBuf>,
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
        let Identity { signer, chain, key } = self.identity()?;

        let spools = input::spools(everywhere, self.output.as_deref())?;
        let mail = input::mail(self.mail.as_deref(), everywhere, &spools)?;
        let draft =
            Draft::new(&*mail)?.map_err(|unsignable| Failure::unreadable(format!("not signed: {unsignable}")))?;
        if !everywhere.quiet {
            warn(&draft, &signer);
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
            .request(&signer, algorithm, digest, time)?
            .map_err(|_| Failure::bug("an algorithm that is not written"))?;
        let signature = key.sign(asked.algorithm(), asked.octets()).map_err(Failure::bug)?;
        let form = if self.opaque { Form::Opaque } else { Form::Clear };
        let mut output = Output::open(self.output.as_deref())?;
        asked.write(form, &signature, &signer, &chain, &SystemRandom, &mut output)?;
        output.finish()?;
        Ok(Ended::Done)
    }

    fn identity(&self) -> Result<Identity, Failure> {
        match (&self.cert, &self.key, &self.p12) {
            (Some(cert), Some(key), _) => Ok(Identity::from_files(cert, key)?),
            (_, _, Some(p12)) => Ok(Identity::from_pkcs12(p12, &self.password(p12)?)?),
            _ => Err(Failure::usage("give --cert and --key, or --p12")),
        }
    }

    /// Never an argument: other users see the arguments of a process.
    fn password(&self, p12: &Path) -> Result<Zeroizing<String>, Failure> {
        if let Some(path) = &self.password_file {
            let text = Zeroizing::new(
                std::fs::read_to_string(path)
                    .map_err(|error| Failure::unreadable(format!("{}: {error}", path.display())))?,
            );
            return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
        }
        if let Ok(password) = std::env::var("KAKITOME_P12_PASSWORD") {
            return Ok(Zeroizing::new(password));
        }
        rpassword::prompt_password(format!("Password of {}: ", p12.display())).map(Zeroizing::new).map_err(|_| {
            Failure::usage("the password: no terminal to ask on; use --password-file or KAKITOME_P12_PASSWORD")
        })
    }
}

/// A mail program will call a signature foreign that is not From's: better said now.
fn warn(draft: &Draft<'_>, signer: &Certificate) {
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
