//! `kakitome cert order`, `orders` and `receive`: certificates of a CA that has only a portal.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use indicatif::ProgressBar;
use kakitome_office::authority::archive::{self, Entry};
use kakitome_office::authority::{
    Asked, Importer, Issuer, Order, Outcome, Portal, Received, orders, receive, sent, usage_name, withdraw,
};
use kakitome_office::evidence;
use kakitome_office::members::csv;
use kakitome_pki::address::Address;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::crypto::SigningKey;
use kakitome_pki::issue::MailUse;
use kakitome_verdict::safe::Safe;
use serde_json::json;

use super::super::authority::{Kind, Opened};
use super::super::output::{self, Output};
use super::super::{Ended, Everywhere, Failure};
use super::import::{bar, line, wire};
use super::{address, revoke};

/// Keys that are made before they are stored, at once.
const SLICE: usize = 100;

/// Make keys, and requests in files for a CA that has only a portal.
///
/// The keys are sealed into the store and never leave it. FILE is a ZIP archive of requests (.zip), a table of address,
/// purpose and request (.csv), or a directory; each request is named after its address. What waits already is written
/// again and not made twice. What the CA sends back is taken in by `cert receive`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert order --issuer bought --address desk@example.test -o requests.zip
  kakitome cert order --issuer bought --table addresses.csv --key p256 --json -o requests.csv
  kakitome cert order --issuer bought --withdraw desk@example.test")]
pub(in crate::cli) struct OrderVerb {
    /// What the CA is called here: lower-case letters, digits, hyphens
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// For whom (may be given more than once)
    #[arg(long, value_name = "ADDR", value_parser = address)]
    address: Vec<Address>,
    /// A CSV with a header and a column "address"
    #[arg(long, value_name = "CSV")]
    table: Option<PathBuf>,
    /// What for: sign, encrypt, or both
    #[arg(long, value_name = "USE", value_parser = revoke::usage, default_value = "both")]
    purpose: MailUse,
    /// The kind of the keys
    #[arg(long, value_name = "KIND", default_value = "rsa2048")]
    key: Kind,
    /// The organisation to be named in the requests
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// The requests of this address are not wanted any more (may be given more than once)
    #[arg(long, value_name = "ADDR", value_parser = address, conflicts_with_all = ["address", "table"])]
    withdraw: Vec<Address>,
    /// Where the requests go: a .zip, a .csv, or a directory
    #[arg(short, long, value_name = "FILE", required_unless_present = "withdraw")]
    output: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// List the requests that wait for their certificates.
///
/// Why an answer was refused stands behind it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert orders
  kakitome cert orders --issuer bought --all --json")]
pub(in crate::cli) struct OrdersVerb {
    /// Of this CA alone
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// Those too that were answered, refused or withdrawn
    #[arg(long)]
    all: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Take in what a CA sent for the requests that wait.
///
/// Each certificate is matched to a waiting key by the key itself, whatever its file is called, and judged like everybody
/// else's: its path must lead to a public CA or one that was added (`trust add`), it must be for the address and the use that
/// were asked for, and be valid. One that nobody here waits for is refused, and so is all that does not hold; the reason is
/// told, and the request goes on waiting.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert receive answers.zip
  kakitome cert receive --json answers.p7b roots.pem")]
pub(in crate::cli) struct ReceiveVerb {
    /// ZIP archives, PKCS#7, PEM or DER, or CSV tables with certificates in them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl OrderVerb {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let opened = Opened::new(everywhere)?;
        let (store, vault) = (Arc::clone(&opened.store), Arc::clone(&opened.vault));
        let portal = Portal::new(&self.issuer, self.org.as_deref(), store, vault).map_err(Failure::usage)?;
        if !self.withdraw.is_empty() {
            let mut told = Vec::new();
            for address in &self.withdraw {
                let count = withdraw(&opened.store, &address.to_string())?;
                if self.json {
                    told.push(json!({ "address": address.to_string(), "requests": count }));
                } else {
                    output::print(&format!("withdrawn  {address}  {count}\n"))?;
                }
            }
            if self.json {
                output::print(&format!("{:#}\n", json!({ "version": 1, "withdrawn": told })))?;
            }
            return Ok(Ended::Done);
        }
        let output = self.output.as_deref().ok_or_else(|| Failure::usage("give --output"))?;
        let wanted = self.wanted(&opened)?;
        let bar = bar(wanted.len(), everywhere);
        let refused = self.make(&portal, &opened, &wanted, &bar)?;
        bar.finish_and_clear();
        let waiting = orders(&opened.store, Some(&self.issuer), false)?;
        if waiting.is_empty() {
            return Err(Failure::unreadable(format!(
                "{}: nothing waits for it; say --address or --table",
                self.issuer
            )));
        }
        write(output, &waiting)?;
        sent(&opened.store, &waiting, opened.now)?;
        if self.json {
            let one = |(address, why): &(Address, String)| json!({ "address": address.to_string(), "why": why });
            let refused: Vec<_> = refused.iter().map(one).collect();
            let requests: Vec<_> = waiting.iter().map(|order| &order.address).collect();
            let told = json!({ "version": 1, "issuer": self.issuer, "requests": requests, "refused": refused });
            output::print(&format!("{told:#}\n"))?;
        }
        for (address, why) in refused.iter().filter(|_| !self.json) {
            output::print(&format!("refused    {address}  {}\n", Safe::value(why)))?;
        }
        if !everywhere.quiet {
            eprintln!("kakitome: {}: {} requests for {}", output.display(), waiting.len(), self.issuer);
        }
        Ok(if refused.is_empty() { Ended::Done } else { Ended::Unreadable })
    }

    /// Those for whom nothing waits yet.
    fn wanted(&self, opened: &Opened) -> Result<Vec<Address>, Failure> {
        let mut wanted = self.address.clone();
        if let Some(table) = &self.table {
            wanted.extend(addresses(table)?);
        }
        let waiting: BTreeSet<String> = orders(&opened.store, Some(&self.issuer), false)?
            .into_iter()
            .filter(|order| order.usage == self.purpose)
            .map(|order| order.address.to_lowercase())
            .collect();
        wanted.retain(|address| !waiting.contains(&address.to_string().to_lowercase()));
        Ok(wanted)
    }

    fn make(
        &self,
        portal: &Portal,
        opened: &Opened,
        wanted: &[Address],
        bar: &ProgressBar,
    ) -> Result<Vec<(Address, String)>, Failure> {
        let mut refused = Vec::new();
        for slice in wanted.chunks(SLICE) {
            let mut keys = Vec::with_capacity(slice.len());
            for _ in slice {
                keys.push(SigningKey::generate(self.key.made()).map_err(Failure::try_again)?);
                bar.inc(1);
            }
            let asked: Vec<Asked<'_>> = slice
                .iter()
                .zip(&keys)
                .map(|(address, key)| Asked {
                    address,
                    usage: self.purpose,
                    key,
                    from: opened.now,
                    until: opened.now,
                    ordinal: None,
                })
                .collect();
            let outcomes = portal.issue(&asked, &opened.actor, opened.now)?;
            for (address, outcome) in slice.iter().zip(outcomes) {
                if let Outcome::Refused(why) = outcome {
                    refused.push((address.clone(), why.why));
                }
            }
        }
        Ok(refused)
    }
}

/// The column "address" of a table.
fn addresses(table: &Path) -> Result<Vec<Address>, Failure> {
    let wrong = |what: String| Failure::unreadable(format!("{}: {what}", table.display()));
    let text = csv::Text::read(&evidence::read(table)?);
    let mut records = text.records();
    let head = records.next().and_then(Result::ok).ok_or_else(|| wrong("has no header".to_owned()))?;
    let is_address = |field: &String| ["address", "email", "mail"].contains(&field.trim().to_lowercase().as_str());
    let column = head.fields.iter().position(is_address);
    let column = column.ok_or_else(|| wrong("has no column \"address\"".to_owned()))?;
    let mut found = Vec::new();
    for record in records {
        let record = record.map_err(|bad| wrong(format!("line {}: {}", bad.line, bad.why)))?;
        let field = record.fields.get(column).map(|field| field.trim()).unwrap_or_default();
        found.push(Address::parse(field).map_err(|why| wrong(format!("line {}: {field}: {why}", record.line)))?);
    }
    Ok(found)
}

/// The name of a request's file: nothing that a file system or a portal could stumble over.
fn file_name(order: &Order) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "@.-_+".contains(letter) { letter } else { '_' };
    let address: String = order.address.chars().map(plain).collect();
    let address = address.trim_start_matches('.');
    match order.usage {
        MailUse::Both => format!("{address}.csr"),
        usage => format!("{address}.{}.csr", usage_name(usage)),
    }
}

fn write(to: &Path, orders: &[Order]) -> Result<(), Failure> {
    let request = |order: &Order| pem::write("CERTIFICATE REQUEST", &order.request);
    let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    if ending == "zip" || ending == "csv" {
        let octets = if ending == "zip" {
            let entries: Vec<Entry> = orders
                .iter()
                .map(|order| Entry { name: file_name(order), octets: request(order).into_bytes() })
                .collect();
            archive::write(&entries).ok_or_else(|| Failure::usage("too many requests for one archive; write a .csv"))?
        } else {
            let mut text = "address,purpose,request\r\n".to_owned();
            for order in orders {
                let address = order.address.replace('"', "\"\"");
                text.push_str(&format!(
                    "\"{address}\",{},\"{}\"\r\n",
                    usage_name(order.usage),
                    request(order).trim_end()
                ));
            }
            text.into_bytes()
        };
        let mut output = Output::open(Some(to))?;
        output.write_all(&octets)?;
        return output.finish();
    }
    std::fs::create_dir_all(to).map_err(|error| Failure::try_again(format!("{}: {error}", to.display())))?;
    for order in orders {
        let mut output = Output::open(Some(&to.join(file_name(order))))?;
        output.write_all(request(order).as_bytes())?;
        output.finish()?;
    }
    Ok(())
}

impl OrdersVerb {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let found = match everywhere.store_read_only()? {
            Some(store) => orders(&store, self.issuer.as_deref(), self.all)?,
            None => Vec::new(),
        };
        if self.json {
            let one = |order: &Order| {
                json!({
                    "issuer": order.issuer, "address": order.address, "purpose": usage_name(order.usage),
                    "state": order.state.name(), "madeAt": order.made_at.to_string(),
                    "sentAt": order.sent_at.map(|at| at.to_string()), "key": order.key_id, "trouble": order.trouble,
                })
            };
            let told = json!({ "version": 1, "orders": found.iter().map(one).collect::<Vec<_>>() });
            output::print(&format!("{told:#}\n"))?;
            return Ok(Ended::Done);
        }
        for order in &found {
            let since = order.sent_at.unwrap_or(order.made_at);
            let mut text = format!(
                "{:<9}  {}  {}  {}  since {since}\n",
                order.state.name(),
                order.issuer,
                Safe::value(&order.address),
                usage_name(order.usage)
            );
            if !order.trouble.is_empty() {
                text.push_str(&format!("           {}\n", Safe::value(&order.trouble)));
            }
            output::print(&text)?;
        }
        Ok(Ended::Done)
    }
}

impl ReceiveVerb {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let mut certificates: Vec<Certificate> = Vec::new();
        for file in &self.files {
            for certificate in held(file, &evidence::read(file)?, everywhere)? {
                if !certificates.contains(&certificate) {
                    certificates.push(certificate);
                }
            }
        }
        let opened = Opened::new(everywhere)?;
        let believed = opened.believed()?;
        let importer = Importer {
            store: &opened.store,
            vault: &opened.vault,
            believed: &believed,
            domains: &[],
            also_ended: false,
            actor: &opened.actor,
            now: opened.now,
        };
        let received = receive(&importer, &certificates)?;
        if received.is_empty() {
            return Err(Failure::unreadable("there is no member's certificate in it"));
        }
        let refused = received.iter().filter(|one| one.outcome.is_err()).count();
        self.tell(&received)?;
        if !everywhere.quiet {
            eprintln!("kakitome: {} certificates, {refused} of them refused", received.len());
        }
        Ok(if refused == 0 { Ended::Done } else { Ended::Unreadable })
    }

    fn tell(&self, received: &[Received]) -> Result<(), Failure> {
        if self.json {
            let one = |one: &Received| match &one.outcome {
                Ok(imported) => json!({ "serial": one.serial, "about": one.about, "imported": wire(imported) }),
                Err(why) => json!({ "serial": one.serial, "about": one.about, "refused": why.to_string() }),
            };
            let told = json!({ "version": 1, "certificates": received.iter().map(one).collect::<Vec<_>>() });
            return output::print(&format!("{told:#}\n"));
        }
        let mut text = String::new();
        for one in received {
            match &one.outcome {
                Ok(imported) => text.push_str(&line(imported)),
                Err(why) => text.push_str(&format!(
                    "refused   {}  {}: {}\n",
                    Safe::value(&one.about),
                    one.serial,
                    Safe::value(&why.to_string())
                )),
            }
        }
        output::print(&text)
    }
}

/// The certificates of a file, of an archive's files, or of a table's fields.
fn held(file: &Path, octets: &[u8], everywhere: &Everywhere) -> Result<Vec<Certificate>, Failure> {
    let wrong = |what: String| Failure::unreadable(format!("{}: {what}", file.display()));
    let mut found = Vec::new();
    let mut take = |name: &Path, octets: &[u8]| {
        for certificate in evidence::certificates_in(name, octets).unwrap_or_default() {
            match certificate {
                Ok(certificate) => found.push(certificate),
                Err(malformed) if !everywhere.quiet => eprintln!("kakitome: {}: {malformed}", name.display()),
                Err(_) => {}
            }
        }
    };
    if archive::is_archive(octets) {
        for entry in archive::read(octets).map_err(|error| wrong(error.to_string()))? {
            take(&file.join(&entry.name), &entry.octets);
        }
    } else if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        let table = csv::Text::read(octets);
        // A block of PEM in a field goes over many lines; between quotes it stands by itself.
        take(file, table.text.replace('"', "\n").as_bytes());
        // Else the octets in base64, on one line.
        for record in table.records().filter_map(Result::ok) {
            for octets in record.fields.iter().filter_map(|field| STANDARD.decode(field.trim()).ok()) {
                if octets.first() == Some(&0x30) {
                    take(file, &octets);
                }
            }
        }
    } else {
        take(file, octets);
    }
    if found.is_empty() { Err(wrong("there is no certificate in it".to_owned())) } else { Ok(found) }
}
