//! The certificates of members, for others: as records of the DNS, and as a mail to a correspondent.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use kakitome_office::audit::{self, Act, Entry};
use kakitome_office::directory::{letter, smimea};
use kakitome_office::enrolment::published::{Published, published};
use kakitome_office::store::Store;
use kakitome_pki::address::Address;
use kakitome_pki::crypto::SystemRandom;
use kakitome_verdict::safe::Safe;
use kakitome_verdict::sender::expected::Party;

use super::{address, party, send};
use crate::cli::output::Output;
use crate::cli::{Ended, Everywhere, Failure, input};

/// Addresses that are read from the store at a time.
const PAGE: u32 = 500;
/// The longest time that a record may be kept, in seconds: a week.
const TTL_LIMIT: i64 = 7 * 24 * 60 * 60;

/// Print the certificates of members as SMIMEA records of the DNS (RFC 8162).
///
/// To be put into the zone, which must be signed with DNSSEC: without that nobody may believe them. The names are made from
/// the addresses by a hash, which hides them from nobody who tries names; a zone that can be listed (NSEC) gives all of them
/// away. Print them anew when certificates were made.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory smimea
  kakitome directory smimea --domain example.test --ttl 600 -o smimea.zone
  kakitome directory smimea --generic")]
pub(in crate::cli) struct Smimea {
    /// Those of this domain alone
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<String>,
    /// Those that sign, too, by which others may check
    #[arg(long)]
    signing: bool,
    /// How long they may be kept, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = clap::value_parser!(u32).range(0..=TTL_LIMIT))]
    ttl: u32,
    /// By type number and octets, for servers that do not know SMIMEA (RFC 3597)
    #[arg(long)]
    generic: bool,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Write a mail that brings a member's certificates to a correspondent (RFC 8551 §3.8).
///
/// For somebody who is to encrypt to a member and has no signed mail of hers, which would bring them, too. It holds the
/// certificate to encrypt to, the one that signs, and those of the CAs above; nobody has to believe it for that. With --send
/// it goes to the next hop, as what leaves the gateway does; without, hand it in like any mail: `| sendmail -t`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory send-certs --from alice@example.test --to bob@partner.example -o certs.eml
  kakitome directory send-certs --from alice@example.test --to bob@partner.example --send")]
pub(in crate::cli) struct SendCerts {
    /// Whose certificates, and who sends them
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    from: Address,
    /// Who gets them
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: Address,
    /// Hand it to the next hop (`gateway.next_hop`; the Maildir where none is set)
    #[arg(long, conflicts_with = "output")]
    send: bool,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn domain(text: &str) -> Result<String, String> {
    match party(text)? {
        Party::Domain(domain) => Ok(domain),
        Party::Address(_) => Err("an address, where a domain should be".to_owned()),
    }
}

fn store(everywhere: &Everywhere) -> Result<Store, Failure> {
    everywhere.store_read_only()?.ok_or_else(|| {
        Failure::unreadable(format!(
            "{}: there is no store here yet, and no member; `kakitome up` makes both",
            everywhere.data.display()
        ))
    })
}

impl Smimea {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = store(everywhere)?;
        let form = if self.generic { smimea::Form::Generic } else { smimea::Form::Named };
        let mut out = Output::open(self.output.as_deref())?;
        let (mut after, mut count, now) = (String::new(), 0usize, input::now());
        loop {
            let page = store.read(|s| published(s, &after, PAGE, now))?;
            for one in &page {
                count = count.saturating_add(self.records(one, form, &mut out)?);
            }
            match page.into_iter().next_back() {
                Some(last) => after = last.address,
                None => break,
            }
        }
        out.finish()?;
        if !everywhere.quiet {
            eprintln!("kakitome: {count} records; they count only in a zone that is signed with DNSSEC");
        }
        Ok(Ended::Done)
    }

    fn records(&self, one: &Published, form: smimea::Form, out: &mut Output) -> Result<usize, Failure> {
        let Ok(address) = Address::parse(&one.address) else { return Ok(0) };
        let is_wanted = self.domain.as_ref().is_none_or(|domain| address.is_in(domain));
        let Some(name) = smimea::name(&address).filter(|_| is_wanted) else { return Ok(0) };
        let mut certificates = smimea::chosen(&one.encrypt);
        if self.signing {
            certificates.extend(smimea::chosen(&one.sign));
            certificates.sort_unstable();
            certificates.dedup();
        }
        for certificate in &certificates {
            write!(out, "{}", smimea::record(&name, self.ttl, certificate, form))?;
        }
        Ok(certificates.len())
    }
}

impl SendCerts {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = store(everywhere)?;
        let Some(mail) = letter::letter(&store, &self.from, &self.to, everywhere.lang(), input::now(), &SystemRandom)?
        else {
            let why = "is no member who has a certificate to encrypt to";
            return Err(Failure::unreadable(format!("{} {why}", self.from)));
        };
        if self.send {
            return self.sent(everywhere, mail);
        }
        let mut out = Output::open(self.output.as_deref())?;
        out.write_all(&mail)?;
        out.finish()?;
        Ok(Ended::Done)
    }
    /// Sends it; the log has it once the next hop took it.
    fn sent(&self, everywhere: &Everywhere, mail: Vec<u8>) -> Result<Ended, Failure> {
        let reply = send::send(everywhere, &self.from, &self.to, mail)?;
        let (actor, from, to) = (input::actor(), self.from.to_string(), self.to.to_string());
        let details = [("to", to.as_str())];
        let entry =
            Entry { actor: &actor, act: Act::CertificatesSent, subject: &from, details: &details, at: input::now() };
        everywhere.store()?.write(|s| audit::record(s, &entry))?;
        if !everywhere.quiet {
            eprintln!("kakitome: sent to {to}: {}", Safe::value(&reply.summary()));
        }
        Ok(Ended::Done)
    }
}
