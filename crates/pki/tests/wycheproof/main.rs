//! Project Wycheproof over every primitive that is offered, if the corpora are there: `KAKITOME_CORPORA`, else
//! `shared/corpora` beside the project.
//!
//! [`primitive::TABLE`] says which file tries what. `exceptions.toml` holds what differs, each with its reason: files for
//! primitives that are not offered, answers that differ, and how vectors are decided that Wycheproof leaves open
//! ("acceptable"). A vector that is answered as Wycheproof wants in spite of its exception is a failure, and so is an entry
//! that nothing falls under.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod exceptions;
mod primitive;
mod vector;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use exceptions::Exceptions;
use vector::{Verdict, files};

fn folder() -> PathBuf {
    std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from)
        .join("wycheproof")
}

/// Past the test harness, which swallows what a passing test prints.
fn say(line: &str) {
    let mut error = std::io::stderr().lock();
    writeln!(error, "{line}").unwrap();
}

/// What became of the vectors of some files.
#[derive(Default)]
struct Tally {
    files: usize,
    vectors: usize,
    accepted: usize,
    excepted: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.vectors += other.vectors;
        self.accepted += other.accepted;
        self.excepted += other.excepted;
        self.wrong.extend(other.wrong);
    }
}

fn run(path: &Path, exceptions: &Exceptions) -> Tally {
    let file = path.file_name().unwrap().to_str().unwrap();
    let mut tally = Tally { files: 1, ..Tally::default() };
    let Some(primitive) = primitive::for_file(file) else {
        if !exceptions.is_absent(file) {
            tally.wrong.push(format!("{file}: neither in the table nor named as absent"));
        }
        return tally;
    };
    let parsed: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for group in parsed["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let case = vector::Case { file, group, test };
            let answer = primitive(&case);
            let expected = match exceptions.expected(&case) {
                Ok(expected) => expected,
                Err(uncovered) => {
                    tally.wrong.push(uncovered);
                    continue;
                }
            };
            tally.vectors += 1;
            tally.accepted += usize::from(answer.is_ok());
            tally.excepted += usize::from(expected.excepted);
            let right = match expected.verdict {
                Verdict::Accepted => answer.is_ok(),
                Verdict::Refused => answer.is_err(),
            };
            if !right {
                tally.wrong.push(format!("{}: expected {:?}, answered {answer:?}", case.name(), expected.verdict));
            }
        }
    }
    tally
}

#[test]
fn every_primitive_that_is_offered() {
    let folder = folder();
    if !folder.is_dir() {
        say("SKIPPED: Wycheproof: set KAKITOME_CORPORA to the folder of the corpora");
        return;
    }
    let exceptions = Exceptions::read();
    let waiting = Mutex::new(files(&folder));
    let total = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let Some(path) = waiting.lock().unwrap().pop() else { return };
                    let tally = run(&path, &exceptions);
                    total.lock().unwrap().add(tally);
                }
            });
        }
    });
    let mut total = total.into_inner().unwrap();
    let unused: BTreeSet<String> = exceptions.unused();
    total.wrong.extend(unused.into_iter().map(|entry| format!("exceptions.toml: nothing falls under {entry}")));
    say(&format!(
        "Wycheproof: {} files, {} vectors run, {} accepted, {} by exception",
        total.files, total.vectors, total.accepted, total.excepted
    ));
    let shown: Vec<&String> = total.wrong.iter().take(60).collect();
    assert!(total.wrong.is_empty(), "{} wrong: {shown:#?}", total.wrong.len());
}
