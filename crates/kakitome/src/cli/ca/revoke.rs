//! `kakitome ca revoke`: an issuing CA does not count any more, nor what it issued.

use clap::Args;
use kakitome_office::authority::{AUTHORITY_REASONS, Anchors, Fallen, NotFallen, Revocation};
use kakitome_office::lifecycle;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Reason;
use serde_json::json;

use super::super::authority::Opened;
use super::super::cert::revoke::reason_among;
use super::super::{Ended, Everywhere, Failure, desk, output};

/// Revoke an issuing CA: when its key may be in other hands, or it is given up.
///
/// It issues no more; if it was the one that issues, the next one is made first, under the same root. Every certificate that
/// it issued counts no more, and is made anew by `kakitome up`, or at once by `kakitome cert replace --issuer NAME`. Readers
/// hear of it by the root's revocation list, where `web.public_url` is set; those of this house at once. A root cannot be
/// revoked: whoever believes it must take it out. There is no way back.
///
/// Reasons: unspecified, cACompromise (the key may be in other hands), affiliationChanged, superseded,
/// cessationOfOperation.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome ca revoke issuing --reason superseded --rehearse
  kakitome ca revoke issuing --reason cACompromise --since 2026-11-01T00:00:00Z --json")]
pub(in crate::cli) struct Revoke {
    /// Which, as `ca list` calls it
    #[arg(value_name = "NAME")]
    name: String,
    /// Why
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Reason,
    /// From when on it does not count, in RFC 3339; now if it is not given
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only say what would be revoked
    #[arg(long)]
    rehearse: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

fn reason(text: &str) -> Result<Reason, String> {
    reason_among(&AUTHORITY_REASONS, text)
}

impl Revoke {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let opened = Opened::new(everywhere)?;
        let when = self.since.unwrap_or(opened.now);
        if when > opened.now {
            return Err(Failure::usage(format!(
                "--since {when} is yet to come; a CA is revoked from now on, or from before"
            )));
        }
        if self.rehearse {
            return self.rehearsed(&opened);
        }
        let authority = opened.authority()?;
        let why = Revocation { when, reason: self.reason, actor: &opened.actor };
        let fallen = lifecycle::take_authority_back(&opened.store, &authority, &self.name, &why, opened.now)?;
        self.tell(&fallen, everywhere)
    }

    fn rehearsed(&self, opened: &Opened) -> Result<Ended, Failure> {
        let all = Anchors::all(&opened.store)?;
        let Some(ca) = all.iter().find(|ca| ca.id == self.name) else {
            return Err(NotFallen::Unknown(self.name.clone()).into());
        };
        if ca.is_anchor || ca.parent.is_none() {
            return Err(NotFallen::Anchor(self.name.clone()).into());
        }
        let count = kakitome_office::authority::issued_by(&opened.store, &ca.id)?;
        output::print(&if self.json {
            desk::lines(&json!({ "version": 1, "rehearsed": true, "ca": ca.id, "certificates": count }))
        } else {
            format!("would be revoked  {}, and {}\n", ca.id, desk::certificates(count))
        })?;
        Ok(Ended::Done)
    }

    fn tell(&self, fallen: &Fallen, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let Fallen { certificates, successor, is_told } = fallen;
        if self.json {
            output::print(&desk::lines(&json!({
                "version": 1, "rehearsed": false, "ca": self.name, "reason": self.reason.name(),
                "certificates": certificates, "successor": successor, "told": is_told,
            })))?;
        } else {
            let next =
                successor.as_ref().map_or_else(|| "nobody issues now".to_owned(), |id| format!("{id} issues now"));
            output::print(&format!("revoked  {}, and {}; {next}\n", self.name, desk::certificates(*certificates)))?;
        }
        if !everywhere.quiet {
            eprintln!(
                "kakitome: what it issued is made anew by `kakitome up`, or at once by `kakitome cert replace --issuer {} \
                 --before DAY`",
                self.name
            );
            if successor.is_none() {
                eprintln!("kakitome: bring a CA first: kakitome ca import");
            }
            if !is_told {
                eprintln!(
                    "kakitome: readers outside do not hear of it from here: the root's key is elsewhere, or web.public_url \
                     was never set"
                );
            }
        }
        Ok(Ended::Done)
    }
}

impl From<NotFallen> for Failure {
    fn from(not_fallen: NotFallen) -> Self {
        match not_fallen {
            NotFallen::Fault(fault) => fault.into(),
            other => Self::unreadable(other),
        }
    }
}
