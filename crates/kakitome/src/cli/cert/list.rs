//! `kakitome cert list`: the members' own certificates.

use clap::Args;
use kakitome_office::enrolment::calendar::day;
use kakitome_office::lifecycle::stock::{self, Kept};
use kakitome_pki::address::Address;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use crate::cli::desk;
use crate::cli::office::Office;
use crate::cli::{Ended, Everywhere, Failure, output};

/// List the members' certificates: what each is for, until when, and when it is renewed.
///
/// Without options those that count now, for all members. --due lists what two thirds of its life are over of: `kakitome
/// up` renews that by itself, and `kakitome cert renew` at once.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert list
  kakitome cert list alice@example.test --all
  kakitome cert list --due --json
  kakitome cert list --issuer own")]
pub(in crate::cli) struct List {
    /// Of this address alone
    #[arg(value_name = "ADDR", value_parser = super::address)]
    address: Option<Address>,
    /// Those too that ended, were revoked, or never came to be
    #[arg(long)]
    all: bool,
    /// Those alone that are to be renewed
    #[arg(long)]
    due: bool,
    /// Of this issuer alone: own, import, or the name of another
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let office = Office::look(everywhere)?;
        let now = office.now;
        let mut kept = stock::kept(&office.store, self.address.as_ref())?;
        kept.retain(|one| {
            (self.all || one.counts(now))
                && (!self.due || (one.counts(now) && one.renewal().is_some_and(|renewal| renewal <= now)))
                && self.issuer.as_ref().is_none_or(|issuer| one.issuer == *issuer || one.authority == *issuer)
        });
        if self.json {
            let all: Vec<_> = kept
                .iter()
                .map(|one| {
                    json!({
                        "address": one.address, "use": one.usage, "state": one.state, "issuer": one.issuer,
                        "authority": one.authority, "serial": one.serial, "key": one.key,
                        "from": one.from.to_string(), "until": one.until.to_string(),
                        "renewal": one.renewal().map(|renewal| renewal.to_string()), "counts": one.counts(now),
                        "revoked": one.revoked_at.map(|at| at.to_string()),
                    })
                })
                .collect();
            output::print(&desk::lines(&json!({ "certificates": all })))?;
            return Ok(Ended::Done);
        }
        let mut out = String::new();
        for one @ Kept { address, usage, state, issuer, serial, from, until, .. } in &kept {
            let (address, issuer) = (Safe::value(address).to_string(), Safe::value(issuer).to_string());
            let (from, until) = (day(*from), day(*until));
            let renewed = match (one.revoked_at, one.renewal()) {
                (Some(at), _) => format!("revoked {}", day(at)),
                (None, Some(at)) => format!("renewed {}", day(at)),
                (None, None) => "not renewed".to_owned(),
            };
            out.push_str(&format!(
                "{address:<32}  {usage:<7}  {state:<8}  {issuer:<8}  {from} to {until}, {renewed:<18}  {serial}\n"
            ));
        }
        out.push_str(&format!("{}\n", desk::certificates(kept.len())));
        output::print(&out)?;
        Ok(Ended::Done)
    }
}
