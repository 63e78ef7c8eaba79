//! `kakitome cert import`: a certificate that was bought signs the next mail.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use kakitome_office::authority::{Imported, Importer, Incoming, archive, usage_name};
use kakitome_office::evidence;
use kakitome_office::members::csv;
use kakitome_pki::address::Address;
use kakitome_pki::path::AnchorSource;
use kakitome_verdict::safe::Safe;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::authority::Opened;
use super::super::password::Password;
use super::super::{Ended, Everywhere, Failure, input, output};
use super::address;

/// Names that a PKCS#12 file ends in.
const ENDINGS: [&str; 3] = ["p12", "pfx", "pkcs12"];

/// Take in certificates with their keys (PKCS#12): what was bought signs the next mail.
///
/// The key is sealed into the store; the file is not needed any more. What is checked: the key belongs to the certificate, it
/// is for an address of a member domain, for mail, and has not ended. What a public CA issued is preferred to what was taken
/// in otherwise, and that to the own CA's. The certificates of its issuers are kept and travel with each mail. A directory or
/// a ZIP archive is taken file by file; --table names a CSV of file and password (and address) for each line.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome cert import --password-file password.txt me.p12
  kakitome cert import --password-file password.txt --address me@example.test me.p12
  kakitome cert import --password-file password.txt bought
  kakitome cert import --table bought.csv --json")]
pub(in crate::cli) struct Import {
    /// PKCS#12 files (.p12, .pfx), directories or ZIP archives of them
    #[arg(value_name = "FILE", required_unless_present = "table")]
    files: Vec<PathBuf>,
    /// A CSV with a header: file, password, and address if it is not to be all of the certificate's; files stand beside it
    #[arg(long, value_name = "CSV", conflicts_with = "files")]
    table: Option<PathBuf>,
    /// The address that it is for, where it names several (may be given more than once)
    #[arg(long, value_name = "ADDR", value_parser = address, conflicts_with = "table")]
    address: Vec<Address>,
    /// Take also certificates that have ended: they sign nothing, and their keys open old mail
    #[arg(long)]
    also_ended: bool,
    #[command(flatten)]
    password: Password,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// One file, its password, and whom it is for.
struct Wish {
    file: PathBuf,
    /// Out of an archive.
    octets: Option<Zeroizing<Vec<u8>>>,
    password: Option<Zeroizing<String>>,
    addresses: Vec<Address>,
}

impl Import {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let wishes = self.wishes()?;
        let opened = Opened::new(everywhere)?;
        let believed = opened.believed()?;
        let domains: Vec<String> =
            opened.settings.members.domains.iter().map(|domain| domain.as_str().to_owned()).collect();
        let importer = Importer {
            store: &opened.store,
            vault: &opened.vault,
            believed: &believed,
            domains: &domains,
            also_ended: self.also_ended,
            actor: &opened.actor,
            now: opened.now,
        };
        let bar = bar(wishes.len(), everywhere);
        let mut asked = None;
        let (mut told, mut refused) = (Vec::new(), 0usize);
        for wish in &wishes {
            let ended = self.one(&importer, wish, &mut asked);
            bar.inc(1);
            if let Err(failure) = &ended {
                refused = refused.saturating_add(1);
                if wishes.len() == 1 {
                    bar.finish_and_clear();
                    return Err(Failure::unreadable(failure));
                }
            }
            told.push((wish.file.display().to_string(), ended));
        }
        bar.finish_and_clear();
        self.tell(&told)?;
        if !everywhere.quiet && wishes.len() > 1 {
            eprintln!("kakitome: {} files, {refused} of them refused", wishes.len());
        }
        Ok(if refused == 0 { Ended::Done } else { Ended::Unreadable })
    }

    fn one(
        &self,
        importer: &Importer<'_>,
        wish: &Wish,
        asked: &mut Option<Zeroizing<String>>,
    ) -> Result<Vec<Imported>, String> {
        let named = |what: String| format!("{}: {what}", wish.file.display());
        let octets = match &wish.octets {
            Some(octets) => octets.clone(),
            None => Zeroizing::new(evidence::read(&wish.file).map_err(|error| error.to_string())?),
        };
        // Its own, or one for all.
        let password = match (&wish.password, &asked) {
            (Some(password), _) | (None, Some(password)) => password.clone(),
            (None, None) => {
                let password = self.password.of(&wish.file).map_err(|failure| failure.to_string())?;
                asked.insert(password).clone()
            }
        };
        let incoming = Incoming::from_pkcs12(&octets, &password).map_err(|error| named(error.to_string()))?;
        importer.import(&incoming, &wish.addresses).map_err(|error| named(error.to_string()))
    }

    fn wishes(&self) -> Result<Vec<Wish>, Failure> {
        if let Some(table) = &self.table {
            return from_table(table);
        }
        let mut wishes = Vec::new();
        let mut put = |file: PathBuf, octets: Option<Zeroizing<Vec<u8>>>| {
            wishes.push(Wish { file, octets, password: None, addresses: self.address.clone() });
        };
        for file in &self.files {
            if file.is_dir() {
                input::files(file)?.into_iter().filter(|path| is_pkcs12(path)).for_each(|path| put(path, None));
            } else if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
                let entries = archive::read(&evidence::read(file)?);
                let entries = entries.map_err(|why| Failure::unreadable(format!("{}: {why}", file.display())))?;
                for entry in entries.into_iter().filter(|entry| is_pkcs12(Path::new(&entry.name))) {
                    put(file.join(&entry.name), Some(Zeroizing::new(entry.octets)));
                }
            } else {
                put(file.clone(), None);
            }
        }
        if wishes.is_empty() {
            return Err(Failure::unreadable("there is no PKCS#12 file (.p12, .pfx) in it"));
        }
        Ok(wishes)
    }

    fn tell(&self, told: &[(String, Result<Vec<Imported>, String>)]) -> Result<(), Failure> {
        if self.json {
            let files: Vec<_> = told
                .iter()
                .map(|(file, ended)| match ended {
                    Ok(imported) => json!({ "file": file, "imported": imported.iter().map(wire).collect::<Vec<_>>() }),
                    Err(why) => json!({ "file": file, "refused": why }),
                })
                .collect();
            return output::print(&format!("{:#}\n", json!({ "version": 1, "files": files })));
        }
        let mut text = String::new();
        for (_, ended) in told {
            match ended {
                Ok(imported) => imported.iter().for_each(|one| text.push_str(&line(one))),
                Err(why) => text.push_str(&format!("refused   {}\n", Safe::value(why))),
            }
        }
        output::print(&text)
    }
}

fn is_pkcs12(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

fn addresses(one: &Imported) -> Vec<String> {
    one.addresses.iter().map(ToString::to_string).collect()
}

/// Who believes it.
const fn believed_by(source: AnchorSource) -> &'static str {
    match source {
        AnchorSource::PublicList => "public",
        AnchorSource::User | AnchorSource::Operator => "operator",
        AnchorSource::OwnCa => "own",
    }
}

pub(super) fn wire(one: &Imported) -> serde_json::Value {
    json!({
        "serial": one.id.serial(), "addresses": addresses(one), "purpose": usage_name(one.usage), "issuer": one.issuer,
        "until": one.until.to_string(), "chain": one.chain, "wasHere": one.was_here, "odd": one.odd,
        "believed": one.path.as_ref().ok().map(|source| believed_by(*source)),
        "notBelieved": one.path.as_ref().err().map(ToString::to_string),
    })
}

pub(super) fn line(one: &Imported) -> String {
    let verb = if one.was_here { "was here" } else { "imported" };
    let issuer = Safe::value(&one.issuer);
    let mut text = format!(
        "{verb}  {}  {}  {}  until {}\n          issued by {issuer}; {} of its issuers travel along\n",
        Safe::value(&addresses(one).join(", ")),
        usage_name(one.usage),
        one.id,
        one.until,
        one.chain
    );
    match &one.path {
        Ok(AnchorSource::PublicList) => text.push_str("          a public CA: everybody's mail program believes it\n"),
        Ok(_) => text.push_str("          believed here; others must be given its CA\n"),
        Err(problem) => text.push_str(&format!(
            "          not believed here ({}): is the file without its issuers, or the CA unknown? `kakitome trust add`\n",
            Safe::value(&problem.to_string())
        )),
    }
    for odd in &one.odd {
        text.push_str(&format!("          odd: {odd}\n"));
    }
    text
}

/// The lines of a table. The password of a file may stand there; where it does not, it is the one for all.
fn from_table(table: &Path) -> Result<Vec<Wish>, Failure> {
    let wrong = |what: String| Failure::unreadable(format!("{}: {what}", table.display()));
    let octets = Zeroizing::new(evidence::read(table)?);
    let text = csv::Text::read(&octets);
    let mut records = text.records();
    let head = records.next().and_then(Result::ok).ok_or_else(|| wrong("has no header".to_owned()))?;
    let column = |name: &str| head.fields.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
    let file = column("file").ok_or_else(|| wrong("has no column \"file\"".to_owned()))?;
    let (password, address) = (column("password"), column("address"));
    let beside = table.parent().unwrap_or(Path::new("."));
    let mut wishes = Vec::new();
    for record in records {
        let record = record.map_err(|bad| wrong(format!("line {}: {}", bad.line, bad.why)))?;
        let field = |column: Option<usize>| {
            column.and_then(|column| record.fields.get(column)).filter(|field| !field.trim().is_empty())
        };
        let named = field(Some(file)).ok_or_else(|| wrong(format!("line {}: names no file", record.line)))?;
        let addresses = field(address).map(|text| {
            text.split_whitespace()
                .map(|one| Address::parse(one).map_err(|why| wrong(format!("line {}: {one}: {why}", record.line))))
                .collect::<Result<Vec<_>, _>>()
        });
        wishes.push(Wish {
            file: beside.join(named.trim()),
            octets: None,
            password: field(password).map(|password| Zeroizing::new(password.clone())),
            addresses: addresses.transpose()?.unwrap_or_default(),
        });
    }
    if wishes.is_empty() { Err(wrong("names no file".to_owned())) } else { Ok(wishes) }
}

pub(super) fn bar(count: usize, everywhere: &Everywhere) -> ProgressBar {
    if count < 2 || everywhere.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} done, {eta} left") {
        bar.set_style(style);
    }
    bar
}
