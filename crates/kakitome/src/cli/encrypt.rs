//! `kakitome encrypt`: one mail, for the holders of certificates.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use kakitome_office::evidence;
use kakitome_pki::algorithm::{Cipher, Digest, KeyTransport};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::capability::Capabilities;
use kakitome_smime::cms::enveloped::{self, Envelope, Floor, Unsealed};
use kakitome_smime::cms::recipient::{Naming, Recipient};
use kakitome_smime::message::encrypt::Draft;
use kakitome_smime::message::protect::{self, Cover, Policy};
use kakitome_smime::message::sign::Form;
use kakitome_smime::mime::scan::scan;
use kakitome_smime::octets::{Octets, Spools};
use kakitome_verdict::safe::Safe;
use zeroize::Zeroizing;

use super::output::Output;
use super::{Ended, Everywhere, Failure, input, password, sign};

/// Encrypt a mail for the holders of certificates.
///
/// Whoever is named by --to can open the mail, and nobody else: add your own certificate if you want to read it again.
/// All of them can see for whom else it is; a blind copy is encrypted in a mail of its own. The subject goes inside, and
/// "[...]" stands in its place (RFC 9788).
///
/// Encryption alone does not say who wrote the mail: with --cert and --key, or --p12, it is signed first, and the
/// signature goes inside. A mail that is signed already goes in as it is and keeps its whole header outside.
///
/// Every certificate must be valid now, meant for encryption of mail, and strong; one that is not is named, and nothing is
/// written. Whether its issuer can be trusted is yours to know.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome encrypt --to reader.pem -o secret.eml mail.eml
  kakitome encrypt --cert me.pem --key me.key --to reader.pem -o secret.eml mail.eml
  kakitome encrypt --header-policy shy --legacy-display --to reader.pem -o secret.eml mail.eml
  kakitome encrypt --to reader.pem --to team.pem --cipher aes256-gcm mail.eml
  kakitome encrypt --to team.pem --oaep sha256 --key-id -o secret.eml mail.eml
  kakitome encrypt --mail-password-file password.txt -o secret.eml mail.eml")]
pub(super) struct Encrypt {
    /// The mail, as a file in .eml form; standard input if it is not given, or `-`
    #[arg(value_name = "MAIL")]
    mail: Option<PathBuf>,
    /// Certificates of those who shall read it (PEM, many in a file, or DER; may be given more than once)
    #[arg(long, value_name = "CERT", required_unless_present = "mail_password_file")]
    to: Vec<PathBuf>,
    /// A file whose first line is a password: whoever knows it can read the mail, too
    #[arg(long, value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
    /// The cipher; if it is not given, AES-GCM where all certificates say that it can be read, else AES-CBC
    #[arg(long, value_name = "NAME")]
    cipher: Option<CipherName>,
    /// Encrypt the key to RSA keys with OAEP and this hash; PKCS#1 v1.5 if it is not given, which every program reads
    #[arg(long, value_name = "HASH")]
    oaep: Option<HashName>,
    /// Name the readers by key identifier instead of issuer and serial number
    #[arg(long)]
    key_id: bool,
    /// What of the header is hidden: subject, comments and keywords; with `shy` names and time zone, too; or nothing
    #[arg(long, value_name = "POLICY", default_value = "baseline", value_parser = policies())]
    header_policy: Policy,
    /// Repeat the hidden fields in the text, for mail programs that decrypt and know nothing of hidden headers
    #[arg(long)]
    legacy_display: bool,
    /// Write the encrypted mail to this file, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    by: sign::By,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CipherName {
    #[value(name = "aes128-cbc")]
    Aes128Cbc,
    #[value(name = "aes192-cbc")]
    Aes192Cbc,
    #[value(name = "aes256-cbc")]
    Aes256Cbc,
    #[value(name = "aes128-gcm")]
    Aes128Gcm,
    #[value(name = "aes192-gcm")]
    Aes192Gcm,
    #[value(name = "aes256-gcm")]
    Aes256Gcm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HashName {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

fn policies() -> impl clap::builder::TypedValueParser<Value = Policy> {
    PossibleValuesParser::new(Policy::NAMES.map(|(name, _)| name))
        .try_map(|name| Policy::from_name(&name).ok_or("not a policy"))
}

impl Encrypt {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (recipients, capabilities) = self.recipients()?;
        let cipher = self.cipher.map_or_else(|| chosen(&capabilities), CipherName::cipher);
        let spools = input::spools(everywhere, self.output.as_deref())?;
        let mail = input::mail(self.mail.as_deref(), everywhere, &spools)?;
        let mail = if self.legacy_display { self.displayed(mail, &spools)? } else { mail };
        let cover = protect::Cipher { policy: self.header_policy, ..protect::Cipher::default() };
        let mail = if self.by.is_given() {
            let identity = self.by.identity()?;
            // Inside an envelope nobody reads past the signature, and no relay touches it.
            let desk = sign::Desk::new(identity, None, false, Form::Opaque)?;
            let mut signed = spools.spool()?;
            desk.sign_covered(&*mail, Cover::Cipher(cover.clone()), everywhere.quiet, &mut signed)?;
            signed.finish()?
        } else {
            mail
        };
        let draft = Draft::new(&*mail, cover)?
            .map_err(|unsignable| Failure::unreadable(format!("not encrypted: {unsignable}")))?;
        let envelope = Envelope::new(&recipients, cipher, &SystemRandom).map_err(|unsealed| match unsealed {
            Unsealed::Randomness(_) => Failure::try_again(unsealed),
            Unsealed::TooMany | Unsealed::Nobody => Failure::usage(unsealed),
            Unsealed::Recipient(_) | Unsealed::Cipher => Failure::unreadable(unsealed),
        })?;
        let mut output = Output::open(self.output.as_deref())?;
        draft.write(envelope, &mut output)?;
        output.finish()?;
        Ok(Ended::Done)
    }

    /// The mail with its hidden fields in the text, where there are any and a part can take them.
    fn displayed(&self, mail: Box<dyn Octets>, spools: &dyn Spools) -> Result<Box<dyn Octets>, Failure> {
        let structure = scan(&*mail, 0..mail.len())?;
        let mut with = spools.spool()?;
        let is_added = protect::display::add(&*mail, &structure, self.header_policy, &mut with)?;
        Ok(if is_added { with.finish()? } else { mail })
    }

    /// Who shall read it, each certificate once, and what their certificates say that they can read.
    fn recipients(&self) -> Result<(Vec<Recipient>, Vec<Option<Capabilities>>), Failure> {
        let transport = self.oaep.map_or(KeyTransport::Pkcs1, |hash| KeyTransport::oaep(hash.digest()));
        let naming = if self.key_id { Naming::KeyIdentifier } else { Naming::IssuerAndSerial };
        let now = input::now();
        let (mut recipients, mut capabilities, mut known) = (Vec::new(), Vec::new(), std::collections::HashSet::new());
        for file in &self.to {
            for certificate in evidence::certificates(file)? {
                if !known.insert(*certificate.fingerprint()) {
                    continue;
                }
                let recipient = Recipient::certificate(&certificate, transport.clone(), naming, now)
                    .map_err(|why| Failure::unreadable(refusal(file, &certificate, &why)))?;
                recipients.push(recipient);
                let said = certificate.extensions().smime_capabilities.as_deref();
                capabilities.push(said.and_then(|said| Capabilities::parse(said).ok()));
            }
        }
        if let Some(file) = &self.mail_password_file {
            let password = password::first_line(file)?;
            recipients.push(Recipient::password(Zeroizing::new(password.as_bytes().to_vec())));
            capabilities.push(None);
        }
        Ok((recipients, capabilities))
    }
}

fn chosen(capabilities: &[Option<Capabilities>]) -> Cipher {
    let capabilities: Vec<Option<&Capabilities>> = capabilities.iter().map(Option::as_ref).collect();
    enveloped::choose(&capabilities, Floor::default())
}

fn refusal(file: &Path, certificate: &Certificate, why: &dyn std::fmt::Display) -> String {
    let subject = certificate.subject().to_string();
    format!("{}: the certificate of {} is not encrypted to: {why}", file.display(), Safe::value(&subject))
}

impl CipherName {
    fn cipher(self) -> Cipher {
        match self {
            Self::Aes128Cbc => Cipher::Aes128Cbc,
            Self::Aes192Cbc => Cipher::Aes192Cbc,
            Self::Aes256Cbc => Cipher::Aes256Cbc,
            Self::Aes128Gcm => Cipher::Aes128Gcm,
            Self::Aes192Gcm => Cipher::Aes192Gcm,
            Self::Aes256Gcm => Cipher::Aes256Gcm,
        }
    }
}

impl HashName {
    fn digest(self) -> Digest {
        match self {
            Self::Sha1 => Digest::Sha1,
            Self::Sha256 => Digest::Sha256,
            Self::Sha384 => Digest::Sha384,
            Self::Sha512 => Digest::Sha512,
        }
    }
}
