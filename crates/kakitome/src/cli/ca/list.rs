//! `kakitome ca list`: which own CAs there are, and what each does.

use clap::Args;
use kakitome_office::authority::{Anchors, OwnCa};
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::super::{Ended, Everywhere, Failure, output};
use super::missing;

/// List all own CAs, those too that issue no more.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome ca list
  kakitome ca list --json")]
pub(in crate::cli) struct List {
    /// For programs
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = everywhere.store_read_only()?.ok_or_else(|| missing(everywhere))?;
        let all = Anchors::all(&store)?;
        if all.is_empty() {
            return Err(missing(everywhere));
        }
        if self.json {
            let told: Vec<_> = all.iter().map(wire).collect();
            output::print(&format!("{:#}\n", json!({ "version": 1, "authorities": told })))?;
        } else {
            output::print(&all.iter().map(line).collect::<String>())?;
        }
        Ok(Ended::Done)
    }
}

/// What it does now.
fn does(ca: &OwnCa) -> &'static str {
    if ca.revoked.is_some() {
        return "was revoked, and counts no more";
    }
    match (ca.role, ca.is_current, &ca.key) {
        (_, _, None) => "is believed; its key is elsewhere",
        (kakitome_office::authority::Role::Root, ..) => "signs CAs",
        (_, true, _) => "issues",
        (_, false, _) => "issues no more, and answers for what it issued",
    }
}

fn line(ca: &OwnCa) -> String {
    let (certificate, anchor) = (&ca.certificate, if ca.is_anchor { ", an anchor" } else { "" });
    format!(
        "{}  {}\n  {}{anchor}\n  key     {}\n  valid   {} to {}\n",
        ca.id,
        Safe::value(&certificate.subject().to_string()),
        does(ca),
        certificate.key().describe(),
        certificate.not_before(),
        certificate.not_after(),
    )
}

pub(super) fn wire(ca: &OwnCa) -> serde_json::Value {
    let certificate = &ca.certificate;
    json!({
        "id": ca.id, "role": ca.role.name(), "parent": ca.parent, "subject": certificate.subject().to_string(),
        "serial": certificate.serial_hex(), "sha256": certificate.fingerprint_hex(), "key": certificate.key().describe(),
        "from": certificate.not_before().to_string(), "until": certificate.not_after().to_string(),
        "anchor": ca.is_anchor, "current": ca.is_current, "keyIsHere": ca.key.is_some(),
        "revoked": ca.revoked.map(|revoked| revoked.when.to_string()),
        "reason": ca.revoked.and_then(|revoked| revoked.reason).map(kakitome_pki::cert::crl::Reason::name),
    })
}
