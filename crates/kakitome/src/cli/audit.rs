//! `kakitome audit`: the log of what was done.

mod checkpoint;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kakitome_office::audit::{self, Act, Checkpoint, Filter, Link, Noted, Record, Walked, line};
use kakitome_office::store::Store;
use kakitome_pki::asn1::time::Time;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::Safe;
use serde::Serialize;

use super::output::Output;
use super::{Ended, Everywhere, Failure, output};

/// How the program ends where the log was changed.
const BROKEN: Ended = Ended::Answer(40);
/// The version of what `--json` prints.
const VERSION: u32 = 1;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    Show(Show),
    Verify(Verify),
    Head(Head),
    Checkpoint(checkpoint::Sign),
    Key(checkpoint::Key),
    Export(Export),
    Acts(Acts),
}

/// Which entries are wanted.
#[derive(Debug, Args)]
struct Wanted {
    /// Not before this moment, in RFC 3339, such as 2026-12-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Not after this moment
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
}

/// Show what was done, the oldest first.
///
/// Number, time, machine, who, act, to what, and what else is to be known. Nothing that stands in a mail is recorded.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit show
  kakitome audit show --last 20
  kakitome audit show --act certificate --since 2026-01-01T00:00:00Z
  kakitome audit show --subject taro@example.com --json")]
pub(super) struct Show {
    #[command(flatten)]
    wanted: Wanted,
    /// By whom: gateway, web, jobs, start, or user:NAME
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Which act, such as certificate.issued, or certificate for all about certificates (`audit acts` lists them)
    #[arg(long, value_name = "ACT")]
    act: Option<String>,
    /// To what: an address, a fingerprint, a setting
    #[arg(long, value_name = "WHAT")]
    subject: Option<String>,
    /// Only the newest of them
    #[arg(long, value_name = "N")]
    last: Option<u64>,
    /// For programs: each entry as a line of JSON, as in an export
    #[arg(long)]
    json: bool,
}

/// Look whether anything in the log was changed, taken out, put in or moved.
///
/// That the end was cut off shows only against something that was noted elsewhere, where nobody who can write to the store
/// can write: a checkpoint (`audit checkpoint`) or a head (`audit head`). That all of it was written anew shows against the
/// key that signs the log (`audit key`), too, which has to be noted once. Exit code 0: nothing was changed; 40: something
/// was.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit verify
  kakitome audit verify --checkpoint checkpoint.jsonl
  kakitome audit verify --from-export log.jsonl")]
pub(super) struct Verify {
    /// An export instead of the store, which is not needed then; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from_export: Option<PathBuf>,
    /// The hash of a head that was noted elsewhere, which must be an entry's; may be given more than once
    #[arg(long, value_name = "HASH", value_parser = hash)]
    head: Vec<Link>,
    /// Checkpoints that were noted elsewhere: the log must hold them, and be signed by their key
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The fingerprint of the log's key, noted elsewhere: whatever is signed must be signed by it
    #[arg(long, value_name = "HASH", value_parser = hash)]
    key: Vec<Link>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Print the last entry's number and hash, to be noted elsewhere.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit head
  kakitome audit head --json")]
pub(super) struct Head {
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Write the log, each entry as a line of JSON, to be kept and verified without the store.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit export -o log.jsonl
  kakitome audit export --since 2026-01-01T00:00:00Z -o this-year.jsonl")]
pub(super) struct Export {
    #[command(flatten)]
    wanted: Wanted,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// List what is recorded.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome audit acts")]
pub(super) struct Acts {
    /// For programs
    #[arg(long)]
    json: bool,
}

fn hash(text: &str) -> Result<Link, String> {
    Link::parse(&text.to_ascii_lowercase())
        .ok_or_else(|| "not 64 hexadecimal digits, as `audit head` prints".to_owned())
}

impl Audit {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Show(show) => show.run(everywhere),
            Self::Verify(verify) => verify.run(everywhere),
            Self::Head(head) => head.run(everywhere),
            Self::Checkpoint(sign) => sign.run(everywhere),
            Self::Key(key) => key.run(everywhere),
            Self::Export(export) => export.run(everywhere),
            Self::Acts(acts) => acts.run(),
        }
    }
}

/// The store; `None` where there is none yet, and with it no log.
fn store(everywhere: &Everywhere) -> Result<Option<Store>, Failure> {
    everywhere.store_read_only()
}

fn missing(everywhere: &Everywhere) -> Failure {
    Failure::unreadable(format!(
        "{}: there is no store here yet, and no log; `kakitome up` makes both at its first start",
        everywhere.data.display()
    ))
}

impl Show {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = store(everywhere)?.ok_or_else(|| missing(everywhere))?;
        let filter = Filter {
            since: self.wanted.since,
            until: self.wanted.until,
            actor: self.actor.clone(),
            act: self.act.clone(),
            subject: self.subject.clone(),
            last: self.last,
        };
        let mut out = Output::open(None)?;
        audit::each(&store, &filter, |record| {
            let text = if self.json { line::write(record) } else { told(record) };
            writeln!(out, "{text}").map_err(Failure::from)
        })?;
        out.finish()?;
        Ok(Ended::Done)
    }
}

/// An entry as a line for people.
fn told(record: &Record) -> String {
    let details: serde_json::Value = serde_json::from_str(&record.details).unwrap_or_default();
    let details = details.as_object().into_iter().flatten().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("  {}={}", Safe::value(name), Safe::value(&value))
    });
    format!(
        "{:>8}  {}  {}  {}  {}  {}{}",
        record.number,
        record.at,
        Safe::value(&record.node),
        Safe::value(&record.actor),
        Safe::value(&record.act),
        Safe::value(&record.subject),
        details.collect::<String>()
    )
}

#[derive(Serialize)]
struct SignedUpTo {
    number: u64,
    time: String,
    key: String,
}

#[derive(Serialize)]
struct Verified {
    version: u32,
    whole: bool,
    first: u64,
    last: u64,
    entries: u64,
    hash: String,
    signed: Option<SignedUpTo>,
    keys: Vec<String>,
    broken: Vec<String>,
    more: u64,
}

impl Verify {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let noted = self.noted()?;
        let walked = match &self.from_export {
            Some(path) => from_export(path, noted)?,
            None => audit::verify(&store(everywhere)?.ok_or_else(|| missing(everywhere))?, &noted)?,
        };
        if self.json {
            let verified = Verified {
                version: VERSION,
                whole: walked.is_whole(),
                first: walked.first,
                last: walked.head.number,
                entries: walked.count,
                hash: walked.head.hash.to_string(),
                signed: walked.signed.as_ref().map(|signed| SignedUpTo {
                    number: signed.signed.number,
                    time: signed.at.to_string(),
                    key: signed.key.to_string(),
                }),
                keys: walked.keys.iter().map(ToString::to_string).collect(),
                broken: walked.broken.iter().map(ToString::to_string).collect(),
                more: walked.untold,
            };
            output::print(&format!("{}\n", serde_json::to_string_pretty(&verified).map_err(Failure::bug)?))?;
        } else {
            output::print(&self.said(&walked, everywhere.lang()))?;
        }
        Ok(if walked.is_whole() { Ended::Done } else { BROKEN })
    }

    /// What was noted elsewhere.
    fn noted(&self) -> Result<Noted, Failure> {
        let mut noted = Noted { hashes: self.head.clone(), keys: self.key.clone() };
        for path in &self.checkpoint {
            let checkpoints = line::checkpoints(reader(path)?);
            for Checkpoint { hash, key, .. } in checkpoints.map_err(|error| unreadable(path, &error))? {
                noted.hashes.push(hash);
                noted.keys.push(key);
            }
        }
        Ok(noted)
    }

    fn said(&self, walked: &Walked, lang: Lang) -> String {
        let Walked { first, head, count, broken, untold, signed, keys } = walked;
        let (last, hash) = (head.number, head.hash);
        let mut text = match (lang, broken.is_empty()) {
            (Lang::Ja, true) => {
                format!("✓ 記録 {first}〜{last}（{count} 件）は書き換えられていません。最後のハッシュ：{hash}\n")
            }
            (Lang::En, true) => {
                format!("✓ Nothing was changed in entries {first} to {last} ({count}). The last hash is {hash}\n")
            }
            (Lang::Ja, false) => format!("✗ 記録が書き換えられています（{count} 件を確認）。\n"),
            (Lang::En, false) => format!("✗ The log was changed ({count} entries were looked at).\n"),
        };
        for broken in broken {
            text.push_str(&format!("  {broken}\n"));
        }
        if *untold > 0 {
            text.push_str(&match lang {
                Lang::Ja => format!("  ほかに {untold} 件\n"),
                Lang::En => format!("  and {untold} more\n"),
            });
        }
        text.push_str(&match (signed, lang) {
            (Some(Checkpoint { signed, at, key, .. }), Lang::Ja) => {
                format!("  {at} に記録 {} までが署名されています。鍵：{key}\n", signed.number)
            }
            (Some(Checkpoint { signed, at, key, .. }), Lang::En) => {
                format!("  Entries up to {} were signed at {at}, by the key {key}\n", signed.number)
            }
            (None, Lang::Ja) => "  署名されたチェックポイントはありません。\n".to_owned(),
            (None, Lang::En) => "  There is no signed checkpoint in it.\n".to_owned(),
        });
        if keys.len() > 1 {
            text.push_str(&match lang {
                Lang::Ja => format!("  署名した鍵は {} 個あります。\n", keys.len()),
                Lang::En => format!("  {} keys have signed it.\n", keys.len()),
            });
        }
        if self.from_export.is_some() && *first > 1 {
            text.push_str(lang.pick(
                "  このファイルより前の記録は確かめていません。\n",
                "  What stands before this file was not looked at.\n",
            ));
        }
        if self.head.is_empty() && self.checkpoint.is_empty() {
            text.push_str(lang.pick(
                "  末尾の切り捨ては、別に控えたチェックポイント（--checkpoint）かハッシュ（--head）と比べないと分かりません。\n",
                "  That the end was cut off shows only against a checkpoint (--checkpoint) or a hash (--head) that was noted \
                 elsewhere.\n",
            ));
        }
        if self.key.is_empty() && self.checkpoint.is_empty() {
            text.push_str(lang.pick(
                "  すべてが作り直されたことは、別に控えた鍵（--key）かチェックポイントと比べないと分かりません。\n",
                "  That all of it was written anew shows only against a key (--key) or a checkpoint that was noted elsewhere.\n",
            ));
        }
        text
    }
}

fn from_export(path: &Path, noted: Noted) -> Result<Walked, Failure> {
    line::walk(reader(path)?, noted).map_err(|error| unreadable(path, &error))
}

/// A file; `-` is standard input.
fn reader(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(path).map_err(|error| unreadable(path, &error))?)))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::unreadable(format!("{}: {error}", path.display()))
}

#[derive(Serialize)]
struct Last {
    version: u32,
    number: u64,
    hash: String,
}

impl Head {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let head = audit::head(&store(everywhere)?.ok_or_else(|| missing(everywhere))?)?;
        let (number, hash) = (head.number, head.hash.to_string());
        output::print(&if self.json {
            let last = Last { version: VERSION, number, hash };
            format!("{}\n", serde_json::to_string_pretty(&last).map_err(Failure::bug)?)
        } else {
            format!("{number} {hash}\n")
        })?;
        Ok(Ended::Done)
    }
}

impl Export {
    fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let store = store(everywhere)?.ok_or_else(|| missing(everywhere))?;
        let filter = Filter { since: self.wanted.since, until: self.wanted.until, ..Filter::default() };
        let mut out = Output::open(self.output.as_deref())?;
        // Between the moments asked for, every entry goes out, also one whose clock says otherwise: a chain has no gaps.
        let mut count = 0u64;
        audit::stretch(&store, &filter, |record| {
            count = count.saturating_add(1);
            writeln!(out, "{}", line::write(record)).map_err(Failure::from)
        })?;
        out.finish()?;
        if !everywhere.quiet {
            eprintln!("kakitome: {count} entries were exported; `audit verify --from-export` verifies them");
        }
        Ok(Ended::Done)
    }
}

#[derive(Serialize)]
struct Listed {
    act: &'static str,
    what: &'static str,
}

impl Acts {
    fn run(&self) -> Result<Ended, Failure> {
        let listed = Act::ALL.iter().map(|act| Listed { act: act.name(), what: act.what() });
        output::print(&if self.json {
            let all: Vec<Listed> = listed.collect();
            format!("{}\n", serde_json::to_string_pretty(&all).map_err(Failure::bug)?)
        } else {
            listed.map(|Listed { act, what }| format!("{act:<24}{what}\n")).collect()
        })?;
        Ok(Ended::Done)
    }
}
