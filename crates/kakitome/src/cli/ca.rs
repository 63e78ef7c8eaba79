//! `kakitome ca`: the own certificate authority.

mod import;
mod init;
mod list;
mod revoke;

use clap::{Args, Subcommand};
use kakitome_office::authority::Anchors;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::{Ended, Everywhere, Failure, desk, output};

#[derive(Debug, Subcommand)]
pub(super) enum Ca {
    Show(Show),
    List(list::List),
    Init(init::Init),
    Import(import::Import),
    Revoke(revoke::Revoke),
}

/// Show the anchors of the own CA.
///
/// Whoever is to trust this instance's signatures needs these certificates.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome ca show
  kakitome ca show --json
  kakitome ca show --pem > our-ca.pem")]
pub(super) struct Show {
    /// The certificates in PEM
    #[arg(long)]
    pem: bool,
    /// For programs
    #[arg(long, conflicts_with = "pem")]
    json: bool,
}

impl Ca {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Show(show) => show.run(everywhere),
            Self::List(list) => list.run(everywhere),
            Self::Init(init) => init.run(everywhere),
            Self::Import(import) => import.run(everywhere),
            Self::Revoke(revoke) => revoke.run(everywhere),
        }
    }
}

/// What a certificate of a CA is.
fn wire(certificate: &Certificate) -> serde_json::Value {
    json!({
        "subject": certificate.subject().to_string(), "serial": certificate.serial_hex(),
        "sha256": certificate.fingerprint_hex(), "key": certificate.key().describe(),
        "from": certificate.not_before().to_string(), "until": certificate.not_after().to_string(),
        "pem": pem::write("CERTIFICATE", certificate.raw()),
    })
}

fn missing(everywhere: &Everywhere) -> Failure {
    Failure::unreadable(format!(
        "{}: there is no own CA yet; `kakitome up` makes one at its first start, `kakitome ca init` by your wishes",
        everywhere.data.display()
    ))
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = everywhere.store_read_only()?.ok_or_else(|| missing(everywhere))?;
        let anchors = Anchors::read(&store)?;
        if anchors.is_empty() {
            return Err(missing(everywhere));
        }
        if self.json {
            let told: Vec<_> = anchors.iter().map(wire).collect();
            output::print(&desk::lines(&json!({ "version": 1, "anchors": told })))?;
            return Ok(Ended::Done);
        }
        for anchor in anchors {
            output::print(&if self.pem {
                pem::write("CERTIFICATE", anchor.raw())
            } else {
                format!(
                    "{}\n  serial  {}\n  key     {}\n  valid   {} to {}\n  SHA-256 {}\n",
                    Safe::value(&anchor.subject().to_string()),
                    anchor.serial_hex(),
                    anchor.key().describe(),
                    anchor.not_before(),
                    anchor.not_after(),
                    anchor.fingerprint_hex()
                )
            })?;
        }
        Ok(Ended::Done)
    }
}
