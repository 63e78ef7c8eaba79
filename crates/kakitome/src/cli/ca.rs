//! `kakitome ca`: the own certificate authority.

use clap::{Args, Subcommand};
use kakitome_office::authority::Anchors;
use kakitome_pki::cert::pem;
use kakitome_verdict::safe::Safe;

use super::{Ended, Everywhere, Failure, output};

#[derive(Debug, Subcommand)]
pub(super) enum Ca {
    Show(Show),
}

/// Show the anchors of the own CA.
///
/// Whoever is to trust this instance's signatures needs these certificates.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome ca show
  kakitome ca show --pem > our-ca.pem")]
pub(super) struct Show {
    /// The certificates in PEM
    #[arg(long)]
    pem: bool,
}

impl Ca {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let Self::Show(show) = self;
        let missing = || {
            Failure::unreadable(format!(
                "{}: there is no own CA yet; `kakitome up` makes one at its first start",
                everywhere.data.display()
            ))
        };
        let store = everywhere.store_read_only()?.ok_or_else(missing)?;
        let anchors = Anchors::read(&store)?;
        if anchors.is_empty() {
            return Err(missing());
        }
        for anchor in anchors {
            output::print(&if show.pem {
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
