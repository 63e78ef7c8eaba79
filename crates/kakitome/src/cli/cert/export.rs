//! `kakitome cert export`: a certificate with its key and its chain in one file, for the program that is to use it.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kakitome_office::evidence::{self, Unusable};
use kakitome_pki::cert::{Certificate, pem, pkcs12};
use kakitome_pki::crypto::{Random, SystemRandom, outline_private_key};
use zeroize::Zeroizing;

use super::super::output::Output;
use super::super::password::{self, Password};
use super::super::{Ended, Everywhere, Failure};
use super::request::key_pem;

/// What a generated password is made of: no two that look alike, and as many as five bits tell apart.
const LETTERS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
/// Letters of a generated password: 125 bits.
const GENERATED: usize = 25;

/// Put a certificate, its key and its chain into one file (PKCS#12, or PEM).
///
/// The form `modern` (AES-256, HMAC-SHA-256, 600,000 rounds) is read by Thunderbird, today's Windows, Java and OpenSSL.
/// iPhones, Macs and old Windows refuse it; `compatible` (3DES, HMAC-SHA-1, 100,000 rounds) is for them. It is only as good
/// as its password: let one be made, and send it another way than the file. `pem` writes certificate, chain and encrypted
/// key one after the other. The certificates may stand in one file; the one that fits the key comes first. From a PKCS#12
/// file a new one is made in another form.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert export --cert me.pem --key me.key -o new.p12
  kakitome cert export --cert me.pem --key me.key --chain roots.pem --name Taro -o new.p12
  kakitome cert export --p12 me.p12 --form compatible --generate-password -o phone.p12
  kakitome cert export --p12 me.p12 --password-file password.txt --form pem -o both.pem")]
pub(in crate::cli) struct Export {
    /// The certificate, others of its chain behind it (PEM or DER)
    #[arg(long, value_name = "FILE", requires = "key", required_unless_present = "p12")]
    cert: Option<PathBuf>,
    /// Its private key (PKCS#8, PKCS#1 or SEC 1; PEM or DER; PKCS#8 may be under a password)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Certificate and key in one PKCS#12 file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cert", "key"])]
    p12: Option<PathBuf>,
    /// More certificates that travel along (may be given more than once)
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// For which programs
    #[arg(long, value_name = "FORM", default_value = "modern")]
    form: Form,
    /// What the certificate is called in lists; its own name if it is not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Stretch the password more often than the form does, up to ten million rounds
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Make the password of the new file: 25 letters and digits, printed once
    #[arg(long, conflicts_with = "password_file")]
    generate_password: bool,
    #[command(flatten)]
    password: Password,
    /// A file whose first line is the password of the key as it is now, where that is another one
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,
    /// Where to write to
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Modern,
    Compatible,
    Pem,
}

/// What is exported.
struct Owned {
    key: Zeroizing<Vec<u8>>,
    certificate: Certificate,
    chain: Vec<Certificate>,
}

impl Export {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        if self.output.is_none() && io::stdout().is_terminal() && self.form != Form::Pem {
            return Err(Failure::usage("a PKCS#12 file is no text for a terminal; use -o FILE"));
        }
        let owned = self.owned()?;
        let target = self.output.clone().unwrap_or_else(|| "standard output".into());
        let password = if self.generate_password { generated()? } else { self.password.chosen(&target)? };
        let file = match self.form {
            Form::Modern => self.packed(&owned, pkcs12::Form::Modern, &password)?,
            Form::Compatible => self.packed(&owned, pkcs12::Form::Compatible, &password)?,
            Form::Pem => in_pem(&owned, &password)?,
        };
        let mut output = Output::open(self.output.as_deref())?;
        output.write_all(&file)?;
        output.finish()?;
        if self.generate_password {
            // The file took standard output, or the password may have it.
            match &self.output {
                Some(_) => println!("{}", password.as_str()),
                None => eprintln!("{}", password.as_str()),
            }
        }
        if !password.is_ascii() && !everywhere.quiet {
            eprintln!("kakitome: the password is not ASCII, which Java and GnuPG take in other ways than others do");
        }
        if self.form == Form::Compatible && !everywhere.quiet {
            eprintln!(
                "kakitome: {}: in the old form, as safe as its password; send that another way than the file",
                target.display()
            );
        }
        Ok(Ended::Done)
    }

    fn packed(&self, owned: &Owned, form: pkcs12::Form, password: &str) -> Result<Vec<u8>, Failure> {
        let own = owned.certificate.subject().short();
        let contents = pkcs12::Contents {
            key: &owned.key,
            certificate: &owned.certificate,
            chain: &owned.chain,
            friendly_name: self.name.as_deref().unwrap_or(&own),
        };
        let file = pkcs12::write(&contents, password, form, self.rounds, &SystemRandom).map_err(Failure::usage)?;
        // Nothing leaves that does not open.
        let opened = pkcs12::open(&file, password).map_err(Failure::bug)?;
        if opened.keys().count() != 1 || opened.certificates().count() != owned.chain.len().saturating_add(1) {
            return Err(Failure::bug("a PKCS#12 file that was written does not hold what it should"));
        }
        Ok(file)
    }

    fn owned(&self) -> Result<Owned, Failure> {
        let (from, keys, mut certificates) = match (&self.p12, &self.cert, &self.key) {
            (Some(p12), ..) => {
                let refused = |error: String| Failure::unreadable(format!("{}: {error}", p12.display()));
                let password = self.key_password(p12)?;
                let opened =
                    pkcs12::open(&evidence::read(p12)?, &password).map_err(|error| refused(error.to_string()))?;
                let certificates = opened.certificates().map(Certificate::parse).collect::<Result<Vec<_>, _>>();
                let certificates = certificates.map_err(|error| refused(error.to_string()))?;
                (p12, opened.keys().cloned().collect(), certificates)
            }
            (None, Some(cert), Some(key)) => {
                let keys = match evidence::opened_keys(key, None) {
                    Err(Unusable::NeedsPassword { .. }) => evidence::opened_keys(key, Some(&self.key_password(key)?)),
                    keys => keys,
                };
                (key, keys?, evidence::certificates(cert)?)
            }
            _ => return Err(Failure::usage("give --cert and --key, or --p12")),
        };
        for path in &self.chain {
            certificates.extend(evidence::certificates(path)?);
        }
        let mut unique: Vec<Certificate> = Vec::new();
        for certificate in certificates {
            if !unique.contains(&certificate) {
                unique.push(certificate);
            }
        }
        for key in keys {
            let Some(spki) = outline_private_key(&key).and_then(|outline| outline.public.ok()) else { continue };
            if let Some(at) = unique.iter().position(|certificate| certificate.spki() == spki) {
                let certificate = unique.remove(at);
                return Ok(Owned { key, certificate, chain: unique });
            }
        }
        Err(Failure::unreadable(format!("{}: none of the certificates is for this key", from.display())))
    }

    fn key_password(&self, file: &Path) -> Result<Zeroizing<String>, Failure> {
        match &self.key_password_file {
            Some(path) => password::first_line(path),
            None => self.password.of(file),
        }
    }
}

fn in_pem(owned: &Owned, password: &str) -> Result<Vec<u8>, Failure> {
    if password.is_empty() {
        return Err(Failure::usage("the password is empty"));
    }
    let pkcs8 = kakitome_pki::crypto::as_pkcs8(&owned.key).map_err(Failure::unreadable)?;
    let certificates = std::iter::once(&owned.certificate).chain(&owned.chain);
    let mut text: String = certificates.map(|one| pem::write("CERTIFICATE", one.raw())).collect();
    text.push_str(&key_pem(&pkcs8, Some(password))?);
    Ok(text.into_bytes())
}

/// Five groups of five letters.
fn generated() -> Result<Zeroizing<String>, Failure> {
    let mut octets = Zeroizing::new([0u8; GENERATED]);
    SystemRandom.fill(octets.as_mut_slice()).map_err(Failure::try_again)?;
    let mut text = Zeroizing::new(String::with_capacity(GENERATED.saturating_add(5)));
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 && at % 5 == 0 {
            text.push('-');
        }
        text.push(LETTERS.get(usize::from(octet & 31)).copied().map_or('2', char::from));
    }
    Ok(text)
}
