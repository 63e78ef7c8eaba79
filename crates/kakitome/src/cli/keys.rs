//! What mail is opened with: the options that every verb has that reads encrypted mail.

use std::path::PathBuf;

use clap::Args;
use kakitome_office::evidence::Unusable;
use kakitome_office::holder;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::recipient::HeldKeys;
use zeroize::Zeroizing;

use super::Failure;
use super::password::{self, Password};

/// Options about keys.
#[derive(Debug, Args)]
#[command(next_help_heading = "Keys")]
pub(super) struct Keys {
    /// Certificates and their private keys in one PKCS#12 file (may be given more than once)
    #[arg(long, value_name = "FILE")]
    p12: Vec<PathBuf>,
    /// A certificate (PEM or DER); its private key is in the --key of the same number (may be given more than once)
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Vec<PathBuf>,
    /// A private key (PKCS#8, PKCS#1 or SEC 1; PEM or DER; PKCS#8 may be under a password)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// A file whose first line is a password that the mail itself is encrypted with
    #[arg(long, value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
}

impl Keys {
    /// Reads what the options name.
    pub(super) fn held(&self) -> Result<HeldKeys<'static>, Failure> {
        if self.cert.len() != self.key.len() {
            return Err(Failure::usage(format!(
                "there are {} --cert and {} --key: the first --key belongs to the first --cert, and so on",
                self.cert.len(),
                self.key.len()
            )));
        }
        let mut held = HeldKeys::new(&SystemRandom);
        for file in &self.p12 {
            holder::from_pkcs12(file, &self.password.of(file)?)?.into_iter().for_each(|holder| held.hold(holder));
        }
        for (cert, key) in self.cert.iter().zip(&self.key) {
            let holders = match holder::from_files(cert, key, None) {
                Err(Unusable::NeedsPassword { .. }) => holder::from_files(cert, key, Some(&self.password.of(key)?)),
                holders => holders,
            };
            holders?.into_iter().for_each(|holder| held.hold(holder));
        }
        if let Some(file) = &self.mail_password_file {
            held.hold_password(Zeroizing::new(password::first_line(file)?.as_bytes().to_vec()));
        }
        Ok(held)
    }
}
