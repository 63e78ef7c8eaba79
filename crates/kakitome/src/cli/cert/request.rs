//! `kakitome cert request`: what a CA asks for, and the key where there is none yet.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use kakitome_office::evidence;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{self, DecryptionKey, Password, PasswordEncryption, ROUNDS, SigningKey, SystemRandom};
use kakitome_pki::issue::RequestDraft;
use zeroize::Zeroizing;

use super::super::authority::Kind;
use super::super::output::Output;
use super::super::password::Password as Asked;
use super::super::{Ended, Everywhere, Failure};
use super::address;

/// Ask a CA for a certificate: a request (PKCS#10), and a new key if you want one.
///
/// The request says which addresses the certificate is for, and is signed by the key, which proves that you hold it. With
/// --new-key the key is made and written to --key first, under a password; a file that is there is never written over.
/// Without it the key in --key is used.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert request --new-key p256 --key new.key --email me@example.test -o me.csr
  kakitome cert request --key me.key --email me@example.test --name Taro --org \"Example Bank\"")]
pub(in crate::cli) struct Request {
    /// The private key; with --new-key, where it is written to
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Make a new key of this kind
    #[arg(long, value_name = "KIND")]
    new_key: Option<Kind>,
    /// An address that the certificate is to be for (may be given more than once)
    #[arg(long, value_name = "ADDR", value_parser = address, required = true)]
    email: Vec<Address>,
    /// Your name, or what else the certificate is to show first; the first address if it is not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Your organisation
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// Your country in two letters
    #[arg(long, value_name = "CC", value_parser = country)]
    country: Option<String>,
    /// Write the new key without a password
    #[arg(long, requires = "new_key")]
    plain_key: bool,
    #[command(flatten)]
    password: Asked,
    /// Where to write the request (PEM); standard output if it is not given
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

fn country(text: &str) -> Result<String, String> {
    let is_code = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_alphabetic());
    if is_code { Ok(text.to_ascii_uppercase()) } else { Err("not two letters such as JP".to_owned()) }
}

impl Request {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let key = match self.new_key {
            Some(kind) => self.make(kind, everywhere)?,
            None => self.read()?,
        };
        let first = self.email.first().map(ToString::to_string).unwrap_or_default();
        let mut subject = Vec::new();
        subject.extend(self.country.as_deref().map(|country| (oid::COUNTRY, country)));
        subject.extend(self.org.as_deref().map(|org| (oid::ORGANIZATION, org)));
        subject.push((oid::COMMON_NAME, self.name.as_deref().unwrap_or(&first)));
        let refused = |error| Failure::unreadable(format!("{}: {error}", self.key.display()));
        let draft = RequestDraft::new(&Name::build(&subject), &self.email, key.spki()).map_err(refused)?;
        let request = draft.sign(&key).map_err(refused)?;
        let mut output = Output::open(self.output.as_deref())?;
        output.write_all(pem::write("CERTIFICATE REQUEST", &request).as_bytes())?;
        output.finish()?;
        Ok(Ended::Done)
    }

    fn read(&self) -> Result<SigningKey, Failure> {
        let keys = match evidence::opened_keys(&self.key, None) {
            Err(evidence::Unusable::NeedsPassword { .. }) => {
                evidence::opened_keys(&self.key, Some(&self.password.of(&self.key)?))
            }
            keys => keys,
        };
        let file = self.key.display();
        let keys = keys?;
        let key = keys.first().ok_or_else(|| Failure::unreadable(format!("{file}: holds no private key")))?;
        SigningKey::from_der(key).map_err(|refused| {
            // One that agrees or encapsulates is told what is wrong with asking by it.
            let spki = DecryptionKey::from_der(key).map(|key| key.spki().to_vec()).unwrap_or_default();
            match RequestDraft::new(&Name::build(&[]), &[], &spki) {
                Err(why @ kakitome_pki::issue::NotIssued::CannotSign(_)) => {
                    Failure::unreadable(format!("{file}: {why}"))
                }
                _ => Failure::unreadable(format!("{file}: {refused}")),
            }
        })
    }

    fn make(&self, kind: Kind, everywhere: &Everywhere) -> Result<SigningKey, Failure> {
        if self.key.exists() {
            let file = self.key.display();
            return Err(Failure::usage(format!("{file}: is there already; a key is never written over")));
        }
        let password = if self.plain_key { None } else { Some(self.password.chosen(&self.key)?) };
        if password.as_ref().is_some_and(|password| password.is_empty()) {
            return Err(Failure::usage("the password is empty; --plain-key writes a key without one"));
        }
        let key = SigningKey::generate(kind.made()).map_err(Failure::try_again)?;
        let pkcs8 = key.to_pkcs8().map_err(Failure::bug)?;
        write_key(&self.key, &pkcs8, password.as_deref().map(String::as_str))?;
        if password.is_none() && !everywhere.quiet {
            eprintln!("kakitome: {}: written without a password; whoever has it has the key", self.key.display());
        }
        Ok(key)
    }
}

fn write_key(path: &Path, pkcs8: &[u8], password: Option<&str>) -> Result<(), Failure> {
    let mut output = Output::open(Some(path))?;
    output.write_all(key_pem(pkcs8, password)?.as_bytes())?;
    output.finish()
}

/// A private key in PEM: PKCS#8, under a password where there is one.
pub(super) fn key_pem(pkcs8: &[u8], password: Option<&str>) -> Result<Zeroizing<String>, Failure> {
    let Some(password) = password else { return Ok(Zeroizing::new(pem::write("PRIVATE KEY", pkcs8))) };
    let encryption = PasswordEncryption::modern(ROUNDS, &SystemRandom).map_err(Failure::try_again)?;
    let sealed = crypto::encrypt_private_key(pkcs8, &encryption, &Password::new(password)).map_err(Failure::bug)?;
    Ok(Zeroizing::new(pem::write("ENCRYPTED PRIVATE KEY", &sealed)))
}
