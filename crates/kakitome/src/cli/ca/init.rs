//! `kakitome ca init`: the own CA by one's own wishes.

use clap::Args;
use kakitome_office::authority::{Authority, Founding, ORGANISATION_LIMIT};
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::super::authority::{Kind, Opened};
use super::super::{Ended, Everywhere, Failure, desk, output};
use super::list::wire;

/// Make the own CA, a root and an issuing CA below it, before `up` makes one by itself.
///
/// Both names get eight random digits behind them, so that two CAs of one organisation differ. With --domain the issuing CA
/// may speak for these mail domains alone, and readers hold it to that: a domain that is added later then needs another CA.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome ca init --org \"Example Bank\"
  kakitome ca init --org \"Example Bank\" --key p384 --domain example.com --json")]
pub(in crate::cli) struct Init {
    /// Your organisation, as readers will see it
    #[arg(long, value_name = "NAME")]
    org: String,
    /// What the CA is called; the organisation if it is not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The kind of both keys
    #[arg(long, value_name = "KIND", default_value = "rsa3072")]
    key: Kind,
    /// The issuing CA may speak for this mail domain alone (may be given more than once)
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<String>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Init {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        if self.key == Kind::Rsa2048 {
            return Err(Failure::usage("a CA lives longer than RSA with 2048 bits is meant for; take rsa3072"));
        }
        let opened = Opened::new(everywhere)?;
        let name = self.name.as_ref().unwrap_or(&self.org);
        // " issuing CA " and the digits follow.
        let longest = ORGANISATION_LIMIT.saturating_sub(20);
        if name.chars().count() > longest {
            return Err(Failure::usage(format!("--name is longer than {longest} characters")));
        }
        let founding = Founding {
            organisation: self.org.clone(),
            name: name.clone(),
            key: self.key.made(),
            domains: self.domain.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            base: opened.settings.web.public_url.as_ref().map(|url| url.as_str().to_owned()),
        };
        let (store, vault) = (&opened.store, &opened.vault);
        if !Authority::found(store, vault, &founding, &opened.actor, opened.now, &SystemRandom)? {
            return Err(Failure::unreadable(format!(
                "{}: there is an own CA already, and what it issued must stay good; `kakitome ca list` shows it",
                store.name()
            )));
        }
        let authority = opened.authority()?;
        if self.json {
            let told: Vec<_> = authority.all().iter().map(wire).collect();
            output::print(&desk::lines(&json!({ "version": 1, "authorities": told })))?;
        }
        for ca in authority.all().iter().filter(|_| !self.json) {
            output::print(&format!(
                "{}  {}, until {}\n",
                ca.id,
                Safe::value(&ca.certificate.subject().to_string()),
                ca.certificate.not_after()
            ))?;
        }
        if !everywhere.quiet {
            eprintln!(
                "kakitome: `kakitome ca show --pem` prints what readers must be given; back the data directory up"
            );
        }
        Ok(Ended::Done)
    }
}
