//! The document: written from the cells, and compared with them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::peers;
use crate::rows::{ROWS, Work};

/// What a peer does in one row.
pub(crate) struct Cell {
    /// Reads what we make; `None` where we make nothing.
    pub(crate) reads: Option<Result<(), String>>,
    /// Makes what we read.
    pub(crate) makes: Result<(), String>,
}

pub(crate) struct Column {
    pub(crate) version: String,
    /// A cell for each row.
    pub(crate) cells: Vec<Cell>,
}

const HEAD: &str = "\
# Who reads whom

Every algorithm before every peer, in both directions, as `cargo test -p kakitome --test matrix` finds it with the
programs of this distribution. In a cell stands first whether the peer **reads what we make**, then whether it **makes
what we read**: `yes`, or the number of the remark below with which the peer declines. A dash: we do not make it. There is
no cell in which a peer makes something and we do not read it; the test fails then.

Written by `UPDATE_GOLDEN=1 cargo test -p kakitome --test matrix`. Without that, the test fails where a cell comes out
differently, so that a peer that learns something is noticed, too.
";

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interop.md")
}

/// Compares with the document, or writes it where `UPDATE_GOLDEN=1` stands in the environment.
pub(crate) fn compare_or_write(columns: &[(&'static str, Option<Column>)]) {
    let all: Option<Vec<&Column>> = columns.iter().map(|(_, column)| column.as_ref()).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        let all = all.expect("every peer must be installed to write the document");
        fs::write(document(), write(&all)).unwrap();
        return;
    }
    let text = fs::read_to_string(document()).unwrap_or_default();
    let mut wrong = String::new();
    for (number, (name, column)) in columns.iter().enumerate() {
        let Some(column) = column else { continue };
        let known = known(&text, number);
        assert_eq!(known.cells.len(), ROWS.len(), "docs/interop.md is not of these rows; UPDATE_GOLDEN=1 writes it");
        let same_version = known.version == column.version;
        if !same_version {
            let why = format!("it is {}, and docs/interop.md speaks of {}", column.version, known.version);
            eprintln!("{name}: {why}; only what it could must still hold");
        }
        for ((row, cell), (reads, makes)) in ROWS.iter().zip(&column.cells).zip(&known.cells) {
            let pairs = [("reads", reads, cell.reads.as_ref()), ("makes", makes, Some(&cell.makes))];
            for (what, expected, found) in pairs {
                let found = said(found);
                if *expected != found && (same_version || *expected == "yes") {
                    writeln!(wrong, "{name} {what} {}: {found}, expected {expected}", row.label()).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "docs/interop.md says otherwise (UPDATE_GOLDEN=1 writes it anew):\n{wrong}");
    if all.is_none() {
        peers::skip("interop", "a column of docs/interop.md, because its peer is missing");
    }
}

fn said(found: Option<&Result<(), String>>) -> String {
    match found {
        None => "–".to_owned(),
        Some(Ok(())) => "yes".to_owned(),
        Some(Err(why)) => why.replace('|', "/"),
    }
}

fn write(columns: &[&Column]) -> String {
    let mut remarks: Vec<String> = Vec::new();
    let mut out = HEAD.to_owned();
    for (title, work) in [("Signing", Work::Sign), ("Encrypting", Work::Encrypt), ("Compressing", Work::Compress)] {
        write!(out, "\n## {title}\n\n| |").unwrap();
        for column in columns {
            write!(out, " {} |", column.version).unwrap();
        }
        write!(out, "\n|---|{}\n", "---|".repeat(columns.len())).unwrap();
        for (number, row) in ROWS.iter().enumerate().filter(|(_, row)| row.work == work) {
            write!(out, "| {} |", row.label()).unwrap();
            for column in columns {
                let cell = &column.cells[number];
                let mut short = |found: Option<&Result<(), String>>| {
                    let words = said(found);
                    if words == "yes" || words == "–" {
                        return words;
                    }
                    let place = remarks.iter().position(|known| *known == words).unwrap_or_else(|| {
                        remarks.push(words);
                        remarks.len() - 1
                    });
                    format!("[{}]", place + 1)
                };
                let reads = short(cell.reads.as_ref());
                let makes = short(Some(&cell.makes));
                write!(out, " {reads} / {makes} |").unwrap();
            }
            out.push('\n');
        }
    }
    out.push_str("\n## Remarks\n\nWhat the peers say where they decline.\n\n");
    for (number, remark) in remarks.iter().enumerate() {
        writeln!(out, "{}. {}", number + 1, remark.trim()).unwrap();
    }
    out
}

/// A column as the document has it.
struct Known {
    version: String,
    cells: Vec<(String, String)>,
}

fn known(text: &str, column: usize) -> Known {
    let remarks: Vec<&str> = text
        .split("## Remarks")
        .nth(1)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(". ").filter(|(number, _)| number.parse::<usize>().is_ok()))
        .map(|(_, remark)| remark)
        .collect();
    let long = |short: &str| match short.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(number) => remarks[number.parse::<usize>().unwrap() - 1].to_owned(),
        None => short.to_owned(),
    };
    let mut known = Known { version: String::new(), cells: Vec::new() };
    for line in text.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let cell = cells[column + 1];
        if cells[0].is_empty() {
            known.version = cell.to_owned();
        } else {
            let (reads, makes) = cell.split_once(" / ").unwrap();
            known.cells.push((long(reads), long(makes)));
        }
    }
    known
}
