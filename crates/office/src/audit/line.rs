//! An entry as one line of JSON, for programs and for reading without the store.

use std::io::{self, BufRead};

use kakitome_pki::asn1::time::Time;
use serde::{Deserialize, Serialize};

use super::chain::{Link, Noted, Record, Walk, Walked};
use super::checkpoint::Checkpoint;

/// The longest line that is read, in octets: what the limits of an entry can grow to when it is escaped.
pub const LINE_LIMIT: u64 = 64 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    number: u64,
    time: &'a str,
    #[serde(borrow)]
    node: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    actor: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    act: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    subject: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    details: std::borrow::Cow<'a, str>,
    previous: &'a str,
    hash: &'a str,
}

/// A line that is no entry.
#[derive(Debug, thiserror::Error)]
pub enum NoLog {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A line is no entry.
    #[error("line {line} is no entry of the log: {why}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// Why not.
        why: String,
    },
}

/// The line of an entry, without an end of line.
pub fn write(record: &Record) -> String {
    let line = Line {
        number: record.number,
        time: &record.at.to_string(),
        node: record.node.as_str().into(),
        actor: record.actor.as_str().into(),
        act: record.act.as_str().into(),
        subject: record.subject.as_str().into(),
        details: record.details.as_str().into(),
        previous: &record.previous.to_string(),
        hash: &record.hash.to_string(),
    };
    // A struct of texts and one number has no value that JSON cannot say.
    serde_json::to_string(&line).unwrap_or_default()
}

/// Reads the line of an entry. Exactly what [`write`] gives is read, so that what people see of a line is what its hash
/// covers.
///
/// # Errors
/// In words: it is no entry.
pub fn read(text: &str) -> Result<Record, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let hash = |text: &str| Link::parse(text).ok_or_else(|| format!("{text:?} is no hash"));
    let record = Record {
        number: line.number,
        at: line.time.parse::<Time>().map_err(|error| error.to_string())?,
        previous: hash(line.previous)?,
        hash: hash(line.hash)?,
        node: line.node.into_owned(),
        actor: line.actor.into_owned(),
        act: line.act.into_owned(),
        subject: line.subject.into_owned(),
        details: line.details.into_owned(),
    };
    if write(&record) == text { Ok(record) } else { Err("it is not written as an export writes it".to_owned()) }
}

/// Walks along an export, which may begin anywhere.
///
/// # Errors
/// The file cannot be read, or is no export.
pub fn walk(file: impl BufRead, noted: Noted) -> Result<Walked, NoLog> {
    let mut walk: Option<Walk> = None;
    let mut lines = Lines { file, number: 0, line: String::new() };
    while let Some(record) = lines.next()? {
        // What begins with the first entry has nothing before it.
        let begin = || if record.number == 1 { Walk::whole(noted.clone()) } else { Walk::part(noted.clone()) };
        walk.get_or_insert_with(begin).step(&record);
    }
    Ok(walk.unwrap_or_else(|| Walk::whole(noted)).end(None))
}

struct Lines<R> {
    file: R,
    number: u64,
    line: String,
}

/// Reads a file of few entries: checkpoints that were noted elsewhere. Each must be one, and its signature must hold.
///
/// # Errors
/// The file cannot be read, or a line is no checkpoint.
pub fn checkpoints(file: impl BufRead) -> Result<Vec<Checkpoint>, NoLog> {
    let mut lines = Lines { file, number: 0, line: String::new() };
    let mut found = Vec::new();
    while let Some(record) = lines.next()? {
        let wrong = |why: &str| NoLog::Line { line: lines.number, why: why.to_owned() };
        if record.computed() != record.hash {
            return Err(wrong("it was changed"));
        }
        match Checkpoint::of(&record) {
            Some(Ok(checkpoint)) => found.push(checkpoint),
            Some(Err(_)) => return Err(wrong("its signature does not hold")),
            None => return Err(wrong("it is no checkpoint")),
        }
    }
    if found.is_empty() {
        return Err(NoLog::Line { line: 1, why: "the file is empty".to_owned() });
    }
    Ok(found)
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Record>, NoLog> {
        self.line.clear();
        self.number = self.number.saturating_add(1);
        let wrong = |line, why: &str| NoLog::Line { line, why: why.to_owned() };
        let mut limited = io::Read::take(&mut self.file, LINE_LIMIT);
        match limited.read_line(&mut self.line) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(wrong(self.number, "it is not UTF-8"));
            }
            Err(error) => return Err(error.into()),
        }
        // A line without an end is half a line: an export that was cut off, or one that is too long.
        let Some(text) = self.line.strip_suffix('\n') else { return Err(wrong(self.number, "it has no end")) };
        read(text).map(Some).map_err(|why| wrong(self.number, &why))
    }
}
