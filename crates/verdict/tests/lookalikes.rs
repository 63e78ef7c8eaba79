//! How often look-alikes are seen, and how often what is none is taken for one: the figures of docs/lookalikes.md.
//!
//! A false alarm calls an honest sender a deceiver, so the figures are held here: `UPDATE_GOLDEN=1` writes them anew, and
//! whoever does so says why in the commit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kakitome_smime::mime::address::{Mailbox, author_of};
use kakitome_smime::mime::header::unfold;
use kakitome_verdict::answer::Class;
use kakitome_verdict::sender::Expectations;
use kakitome_verdict::sender::expected::ProtectedName;
use kakitome_verdict::sender::lookalike::{Look, Shown, look};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lookalike").join(name)
}

fn rows(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(testdata(name)).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn golden(name: &str, text: &str) {
    let path = testdata(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{} differs; if that is meant: UPDATE_GOLDEN=1\n{text}", path.display());
}

/// The senders of the list as protected names, but for one.
fn protected(senders: &[Vec<String>], without: Option<usize>) -> Expectations {
    let others = senders.iter().enumerate().filter(|(number, _)| Some(*number) != without);
    let protect = |row: &Vec<String>| ProtectedName { name: row[0].clone(), senders: vec![row[1].parse().unwrap()] };
    Expectations { protected: others.map(|(_, row)| protect(row)).collect(), ..Expectations::default() }
}

/// Whom a sender of a confirmed address is told to look like.
fn seen(from: &Mailbox, expectations: &Expectations) -> Option<Look> {
    look(&Shown { from, class: Class::Mailbox, organisation: None }, expectations).into_iter().find(Look::decides)
}

fn mailbox(name: &str, address: &str) -> Mailbox {
    let display_name = Some(name.to_owned()).filter(|name| name != "-");
    Mailbox { display_name, longest_blank: 1, address: address.to_owned() }
}

/// Each sender of the list writes to a reader who protects all others.
#[test]
fn honest_senders_are_seldom_taken_for_others() {
    let senders = rows("senders.tsv");
    let mut out = String::new();
    for (number, row) in senders.iter().enumerate() {
        let from = mailbox(&row[0], &format!("info@{}", row[1]));
        if let Some(look) = seen(&from, &protected(&senders, Some(number))) {
            out.push_str(&format!(
                "{} <info@{}> {} {}\n",
                row[0],
                row[1],
                look.reason.code(),
                look.like.unwrap_or_default()
            ));
        }
    }
    let count = out.lines().count();
    golden("honest.txt", &format!("{count} of {} senders\n{out}", senders.len()));
}

#[test]
fn deceptions_are_seen() {
    let expectations = protected(&rows("senders.tsv"), None);
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut missed = String::new();
    for row in rows("deceptions.tsv") {
        let kind = kinds.entry(row[0].clone()).or_default();
        kind.1 += 1;
        match seen(&mailbox(&row[1], &row[2]), &expectations) {
            Some(_) => kind.0 += 1,
            None => missed.push_str(&format!("missed: {} {} <{}>\n", row[0], row[1], row[2])),
        }
    }
    let kinds: String = kinds.iter().map(|(kind, (seen, all))| format!("{kind} {seen} of {all}\n")).collect();
    golden("deceptions.txt", &format!("{kinds}{missed}"));
}

/// Everybody who is From in the mails of others' test suites, before a reader who protects the whole list.
#[test]
fn the_senders_of_the_corpora_are_not_taken_for_others() {
    let corpora = std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    if !corpora.is_dir() {
        println!("SKIPPED: look-alikes in the corpora: {} is missing", corpora.display());
        return;
    }
    let mut found = BTreeSet::new();
    walk(&corpora, &mut |text| from_fields(text, &mut found));
    tell("corpora.txt", &found);
}

/// Senders of one's own, one mailbox on a line, in the file that `KAKITOME_SENDERS` names: to measure with other mail.
#[test]
fn other_senders_are_counted() {
    let Some(path) = std::env::var_os("KAKITOME_SENDERS") else {
        println!("SKIPPED: look-alikes among senders of one's own: KAKITOME_SENDERS names no file");
        return;
    };
    let text = fs::read(path).unwrap();
    let found =
        text.split(|octet| *octet == b'\n').map(|line| String::from_utf8_lossy(line).trim().to_owned()).collect();
    println!("{}", report(&found));
}

fn tell(name: &str, found: &BTreeSet<String>) {
    golden(name, &report(found));
}

fn report(found: &BTreeSet<String>) -> String {
    let expectations = protected(&rows("senders.tsv"), None);
    let (mut read, mut alarms) = (0, String::new());
    for value in found {
        let Ok(from) = author_of(value.as_bytes()) else { continue };
        read += 1;
        if let Some(look) = seen(&from, &expectations) {
            alarms.push_str(&format!("{value}: {} {}\n", look.reason.code(), look.like.unwrap_or_default()));
        }
    }
    format!("{} alarms at {read} different senders\n{alarms}", alarms.lines().count())
}

fn walk(folder: &Path, each: &mut impl FnMut(&[u8])) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, each);
        } else if let Ok(bytes) = fs::read(&path) {
            each(&bytes);
        }
    }
}

/// Every From at the beginning of a line, folded or not.
fn from_fields(bytes: &[u8], found: &mut BTreeSet<String>) {
    let mut lines = bytes.split_inclusive(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        if !line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"from:")) {
            continue;
        }
        let mut field = line.to_vec();
        while let Some(more) = lines.next_if(|next| matches!(next.first(), Some(b' ' | b'\t'))) {
            field.extend_from_slice(more);
        }
        let value = unfold(field.get(5..).unwrap_or_default());
        found.insert(value.trim().to_owned());
    }
}
