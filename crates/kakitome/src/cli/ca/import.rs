//! `kakitome ca import`: a CA that exists issues from here.

use std::path::PathBuf;

use clap::Args;
use kakitome_office::authority::{Authority, Brought, Incoming};
use kakitome_office::evidence::{self, Unusable};
use kakitome_pki::crypto::SigningKey;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::super::authority::Opened;
use super::super::password::Password;
use super::super::{Ended, Everywhere, Failure, desk, output};
use super::list::wire;

/// Take in a CA that exists, with its key: it issues from now on.
///
/// It may be a root, or one below your company's root; then give the certificates above it, too (--chain, or in the PKCS#12
/// file): the root among them is what readers trust. The own CA that issued until now goes on answering for what it issued.
/// A running `up` sees the new one within a minute.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome ca import --cert company-ca.pem --key company-ca.key
  kakitome ca import --p12 company-ca.p12 --password-file password.txt --chain roots.pem --json")]
pub(in crate::cli) struct Import {
    /// The CA's certificate (PEM or DER)
    #[arg(long, value_name = "FILE", requires = "key", required_unless_present = "p12")]
    cert: Option<PathBuf>,
    /// Its private key (PKCS#8, PKCS#1 or SEC 1; PEM or DER; PKCS#8 may be under a password)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Certificate and key in one PKCS#12 file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cert", "key"])]
    p12: Option<PathBuf>,
    /// The certificates above it (may be given more than once)
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let brought = self.brought()?;
        let opened = Opened::new(everywhere)?;
        let taken = Authority::bring(&opened.store, &opened.vault, &brought, &opened.actor, opened.now)
            .map_err(Failure::unreadable)?;
        output::print(&if self.json {
            desk::lines(&json!({ "version": 1, "authority": wire(&taken) }))
        } else {
            let name = taken.certificate.subject().to_string();
            format!("{}  {}, until {}\n", taken.id, Safe::value(&name), taken.certificate.not_after())
        })?;
        if !everywhere.quiet && taken.certificate.extensions().crl_points.is_empty() && !taken.is_anchor {
            eprintln!(
                "kakitome: it names no place where its own revocation is told; readers who demand that cannot confirm"
            );
        }
        Ok(Ended::Done)
    }

    fn brought(&self) -> Result<Brought, Failure> {
        let (from, incoming) = match (&self.p12, &self.cert, &self.key) {
            (Some(p12), ..) => {
                let password = self.password.of(p12)?;
                let incoming = Incoming::from_pkcs12(&evidence::read(p12)?, &password);
                (p12, incoming.map_err(|error| Failure::unreadable(format!("{}: {error}", p12.display())))?)
            }
            (None, Some(cert), Some(key)) => {
                let keys = match evidence::opened_keys(key, None) {
                    Err(Unusable::NeedsPassword { .. }) => evidence::opened_keys(key, Some(&self.password.of(key)?)),
                    keys => keys,
                };
                (key, Incoming { keys: keys?, certificates: evidence::certificates(cert)? })
            }
            _ => return Err(Failure::usage("give --cert and --key, or --p12")),
        };
        let Incoming { keys, mut certificates } = incoming;
        let refused = |what: &str| Failure::unreadable(format!("{}: {what}", from.display()));
        for key in &keys {
            let Ok(key) = SigningKey::from_der(key) else { continue };
            let Some(at) = certificates.iter().position(|one| one.spki() == key.spki()) else { continue };
            let certificate = certificates.remove(at);
            for path in &self.chain {
                certificates.extend(evidence::certificates(path)?);
            }
            return Ok(Brought { certificate, chain: certificates, key });
        }
        Err(refused(if keys.is_empty() {
            "holds no private key"
        } else {
            "none of the certificates is for a key in it"
        }))
    }
}
