//! `kakitome cert`: certificates, judged or shown; asked for, and put into files with their keys.

mod calendar;
mod export;
mod import;
mod list;
mod order;
mod renew;
mod replace;
mod request;
pub(super) mod revoke;
mod show;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use kakitome_office::evidence;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::Malformed;
use kakitome_pki::cert::Certificate;
use kakitome_pki::path::Purpose;
use kakitome_verdict::certificate::{self, Asked};
use kakitome_verdict::text::certificate as text;
use kakitome_verdict::wire::certificate as wire;

use super::trust::Trust;
use super::{Ended, Everywhere, Failure, output};

/// Standard input may hold this many octets of certificates.
const INPUT_LIMIT: u64 = evidence::FILE_LIMIT;

#[derive(Debug, Subcommand)]
pub(super) enum Cert {
    Check(Check),
    Show(show::Show),
    Request(request::Request),
    Export(export::Export),
    Import(import::Import),
    Revoke(revoke::Revoke),
    Order(order::OrderVerb),
    Orders(order::OrdersVerb),
    Receive(order::ReceiveVerb),
    List(list::List),
    Renew(renew::Renew),
    Replace(replace::Replace),
    Calendar(calendar::Calendar),
}

/// Judge one certificate: its path, its revocation, whose it is.
///
/// Draws the path from the trusted issuer down to the certificate, says how every check ended, and puts the reason that
/// matters first. Exits with 0 only if everything was found good; with 40 if it was revoked or is for another address,
/// with 30 otherwise. The first certificate of the file is judged; others in it may lie on the path.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert check --trust partner-ca.pem partner.pem
  kakitome cert check --trust partner-ca.pem --email billing@partner.example partner.pem
  kakitome cert check --trust partner-ca.pem --policy 2.23.140.1.5.1.3 --explicit-policy partner.pem
  kakitome cert check --json --purpose any --untrusted roots.pem --trust roots.pem partner.pem")]
pub(super) struct Check {
    /// The certificate (PEM, DER or PKCS#7); standard input if it is `-`
    #[arg(value_name = "LEAF")]
    leaf: PathBuf,
    /// Certificates that may lie on the path, from anybody (may be given more than once)
    #[arg(long, value_name = "FILE")]
    untrusted: Vec<PathBuf>,
    #[command(flatten)]
    trust: Trust,
    /// The address that it must be for
    #[arg(long, value_name = "ADDR", value_parser = address)]
    email: Option<Address>,
    /// What it must be good for: signing mail, or anything
    #[arg(long, value_name = "WHAT", default_value = "email")]
    purpose: PurposeName,
    /// Believe SHA-1, DSA and short RSA keys, and name the weakness
    #[arg(long)]
    legacy: bool,
    /// The report for programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PurposeName {
    Email,
    Any,
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|refused| refused.to_string())
}

impl Cert {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Check(check) => check.run(everywhere),
            Self::Show(show) => show.run(everywhere),
            Self::Request(request) => request.run(everywhere),
            Self::Export(export) => export.run(everywhere),
            Self::Import(import) => import.run(everywhere),
            Self::Revoke(revoke) => revoke.run(everywhere),
            Self::Order(order) => order.run(everywhere),
            Self::Orders(orders) => orders.run(everywhere),
            Self::Receive(receive) => receive.run(everywhere),
            Self::List(list) => list.run(everywhere),
            Self::Renew(renew) => renew.run(everywhere),
            Self::Replace(replace) => replace.run(everywhere),
            Self::Calendar(calendar) => calendar.run(everywhere),
        }
    }
}

impl Check {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let (mut evidence, unreadable) = self.trust.readable(everywhere)?;
        for what in unreadable.iter().filter(|_| !everywhere.quiet) {
            eprintln!("kakitome: left out: {what}");
        }
        let unreadable = unreadable.iter().find(|what| what.is_revocation()).map(ToString::to_string);
        let purpose = match self.purpose {
            PurposeName::Email => Purpose::Email,
            PurposeName::Any => Purpose::Any,
        };
        let mut given = certificates(&self.leaf)?.into_iter();
        let leaf = given.next().unwrap_or(Err(Malformed::new("there is none")));
        let beside = |path: &Path, number: usize, malformed: &Malformed| {
            if !everywhere.quiet {
                eprintln!("kakitome: {}: the certificate number {number} is left out: {malformed}", path.display());
            }
        };
        let mut take = |path: &Path, from: usize, found: &mut dyn Iterator<Item = Result<Certificate, Malformed>>| {
            for (number, certificate) in (from..).zip(found) {
                match certificate {
                    Ok(certificate) => evidence.hints.push(certificate),
                    Err(malformed) => beside(path, number, &malformed),
                }
            }
        };
        take(&self.leaf, 2, &mut given);
        for path in &self.untrusted {
            take(path, 1, &mut certificates(path)?.into_iter());
        }
        let outside = self.trust.outside(everywhere)?;
        let report = match &leaf {
            Ok(leaf) => {
                let asked = Asked {
                    leaf,
                    purpose,
                    address: self.email.as_ref(),
                    legacy: self.legacy,
                    unreadable: unreadable.as_deref(),
                };
                evidence::report(&asked, &evidence, outside.as_ref())
            }
            Err(why) => certificate::malformed(&why.to_string(), &evidence, purpose),
        };
        output::print(&if self.json {
            wire::report(&report)
        } else {
            text::report(&report, everywhere.lang(), output::colours())
        })?;
        Ok(Ended::Answer(report.outcome.exit_code()))
    }
}

fn certificates(path: &Path) -> Result<Vec<Result<Certificate, Malformed>>, Failure> {
    Ok(evidence::certificates_in(&named(path), &octets(path)?)?)
}

/// The octets of a file, or of standard input for `-`.
pub(super) fn octets(path: &Path) -> Result<Vec<u8>, Failure> {
    if path != Path::new("-") {
        return Ok(evidence::read(path)?);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(INPUT_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a file is called in messages.
fn named(path: &Path) -> PathBuf {
    if path == Path::new("-") { "standard input".into() } else { path.to_owned() }
}
