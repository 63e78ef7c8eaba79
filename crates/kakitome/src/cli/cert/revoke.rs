//! `kakitome cert revoke`: a certificate does not count any more, and readers hear of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use kakitome_office::authority::{
    CertificateId, Issuer, OWN, REASONS, Recorded, Revocation, of_address, of_serial, usage_name,
};
use kakitome_office::members::Members;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Reason;
use kakitome_pki::issue::MailUse;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::super::authority::Opened;
use super::super::{Ended, Everywhere, Failure, output};
use super::address;

/// Revoke certificates: by serial number, or all of an address or a member.
///
/// A revoked certificate signs no further mail. Readers hear of it by the OCSP responder at once and by the revocation list,
/// which is signed anew, where `web.public_url` is set. There is no way back. A certificate that was imported must be
/// revoked by the CA that issued it, too. What the key of a revoked certificate decrypts can still be read.
///
/// Reasons: unspecified, keyCompromise (the key may be in other hands), affiliationChanged (the person left),
/// superseded (another took its place), cessationOfOperation, privilegeWithdrawn.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert revoke --address desk@example.test --reason affiliationChanged
  kakitome cert revoke --member desk@example.test --reason keyCompromise --rehearse
  kakitome cert revoke 4f1e2d3c4b5a6978 --reason keyCompromise --since 2026-11-01T00:00:00Z
  kakitome cert revoke --address desk@example.test --reason superseded --rehearse --json")]
pub(in crate::cli) struct Revoke {
    /// Serial numbers in hexadecimal
    #[arg(value_name = "SERIAL", required_unless_present_any = ["address", "member"])]
    serials: Vec<String>,
    /// Every certificate of this address
    #[arg(long, value_name = "ADDR", value_parser = address, conflicts_with = "serials")]
    address: Option<Address>,
    /// Every certificate of this member, of all his addresses: one of them, or his number
    #[arg(long, value_name = "MEMBER", conflicts_with_all = ["serials", "address"])]
    member: Option<String>,
    /// Of an address or a member, those for this use alone: sign, encrypt, or both
    #[arg(long, value_name = "USE", value_parser = usage, conflicts_with = "serials")]
    purpose: Option<MailUse>,
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

pub(super) fn usage(text: &str) -> Result<MailUse, String> {
    kakitome_office::authority::usage_of(text).ok_or_else(|| "sign, encrypt or both".to_owned())
}

fn reason(text: &str) -> Result<Reason, String> {
    reason_among(&REASONS, text)
}

/// One of these reasons, by its name in RFC 5280 §5.3.1.
pub(in crate::cli) fn reason_among(allowed: &[Reason], text: &str) -> Result<Reason, String> {
    let names: Vec<&str> = allowed.iter().map(|reason| reason.name()).collect();
    Reason::from_name(text)
        .filter(|reason| allowed.contains(reason))
        .ok_or_else(|| format!("one of {}", names.join(", ")))
}

impl Revoke {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let opened = Opened::new(everywhere)?;
        let when = self.since.unwrap_or(opened.now);
        if when > opened.now {
            return Err(Failure::usage(format!(
                "--since {when} is yet to come; a certificate is revoked from now on, or from before"
            )));
        }
        let found = self.found(&opened)?;
        let (counts, others): (Vec<Recorded>, Vec<Recorded>) = found.into_iter().partition(|one| self.is_open(one));
        if let Some(early) = counts.iter().find(|one| when < one.not_before) {
            return Err(Failure::usage(format!(
                "--since {when} is before the beginning of {}, which is {}",
                early.id, early.not_before
            )));
        }
        let authority = opened.authority()?;
        if !self.rehearse {
            let ids: BTreeSet<CertificateId> = counts.iter().map(|one| one.id.clone()).collect();
            let ids: Vec<CertificateId> = ids.into_iter().collect();
            let why = Revocation { when, reason: self.reason, actor: &opened.actor };
            authority.revoke(&ids, &why, opened.now)?;
        }
        self.tell(&counts, &others, when, everywhere)?;
        if !everywhere.quiet && counts.iter().any(|one| one.issuer != OWN) {
            eprintln!(
                "kakitome: an imported certificate was marked here; tell the CA that issued it, too: only it can tell the others"
            );
        }
        if !everywhere.quiet && !authority.is_published() && counts.iter().any(|one| one.issuer == OWN) {
            eprintln!(
                "kakitome: web.public_url was never set, so no certificate names a place where readers could hear of this"
            );
        }
        // Whose key is gone is still a member; who left is not.
        let stays = matches!(self.reason, Reason::KeyCompromise | Reason::Superseded) && !self.rehearse;
        let whose = self.member.clone().or_else(|| self.address.as_ref().map(ToString::to_string));
        if let Some(whose) = whose.filter(|_| !everywhere.quiet && stays) {
            let whose = Safe::value(&whose);
            eprintln!("kakitome: new ones come with the next mail, or at once: kakitome member enrol {whose}");
        }
        Ok(Ended::Done)
    }

    /// Is there anything to revoke?
    fn is_open(&self, one: &Recorded) -> bool {
        let grew_worse = one.revoked.is_some_and(|revoked| revoked.reason != Some(Reason::KeyCompromise));
        one.state.counts() || (grew_worse && self.reason == Reason::KeyCompromise)
    }

    fn found(&self, opened: &Opened) -> Result<Vec<Recorded>, Failure> {
        if let Some(address) = &self.address {
            let meant = self.of(opened, address)?;
            if meant.is_empty() {
                return Err(Failure::unreadable(format!("{address}: has no such certificate here")));
            }
            return Ok(meant);
        }
        if let Some(who) = &self.member {
            let member = Members::new(Arc::clone(&opened.store)).find(who)?;
            let mut meant = Vec::new();
            for owned in &member.addresses {
                meant.extend(self.of(opened, &owned.address)?);
            }
            if meant.is_empty() {
                return Err(Failure::unreadable(format!("{member}: has no such certificate here")));
            }
            return Ok(meant);
        }
        let mut found = Vec::new();
        for serial in &self.serials {
            let serial = serial.replace(':', "");
            let meant = of_serial(&opened.store, &serial)?;
            let issuers: BTreeSet<&str> = meant.iter().map(|one| one.id.authority()).collect();
            match issuers.len() {
                0 => return Err(Failure::unreadable(format!("{serial}: no certificate here has this serial number"))),
                1 => found.extend(meant),
                _ => {
                    return Err(Failure::usage(format!(
                        "{serial}: several CAs issued one of this number; say --address"
                    )));
                }
            }
        }
        Ok(found)
    }

    /// What is meant of an address.
    fn of(&self, opened: &Opened, address: &Address) -> Result<Vec<Recorded>, Failure> {
        let all = of_address(&opened.store, address)?.into_iter();
        let revocable = all.filter(|one| one.state.counts() || one.revoked.is_some());
        Ok(revocable.filter(|one| self.purpose.is_none_or(|purpose| purpose == one.usage)).collect())
    }

    fn tell(
        &self,
        counts: &[Recorded],
        others: &[Recorded],
        when: Time,
        everywhere: &Everywhere,
    ) -> Result<(), Failure> {
        if self.json {
            let one = |one: &Recorded| {
                json!({
                    "serial": one.id.serial(), "address": one.address, "purpose": usage_name(one.usage),
                    "issuer": one.issuer, "until": one.not_after.to_string(),
                })
            };
            let all = |list: &[Recorded]| list.iter().map(one).collect::<Vec<_>>();
            let told = json!({
                "version": 1, "rehearsed": self.rehearse, "reason": self.reason.name(), "since": when.to_string(),
                "revoked": all(counts), "unchanged": all(others),
            });
            return output::print(&format!("{told:#}\n"));
        }
        let verb = if self.rehearse { "would be revoked" } else { "revoked" };
        let mut text = String::new();
        for one in counts {
            text.push_str(&format!(
                "{verb}  {}  {}  {}  {}\n",
                one.id,
                one.address,
                usage_name(one.usage),
                self.reason.name()
            ));
        }
        for one in others.iter().filter(|_| !everywhere.quiet) {
            text.push_str(&format!(
                "unchanged  {}  {}  {}  {}\n",
                one.id,
                one.address,
                usage_name(one.usage),
                one.state.name()
            ));
        }
        output::print(&text)
    }
}
