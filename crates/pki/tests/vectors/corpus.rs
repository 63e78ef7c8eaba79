//! The folders of the corpora, and the answers of ours that differ from what their makers expect.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The folder of this name, or `None` after a visible skip: in the folder that `KAKITOME_CORPORA` names, else in
/// `shared/corpora` beside the project.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let corpora = std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    let folder = corpora.join(name);
    if !folder.is_dir() {
        // not eprintln!: the test harness would swallow that of a test that passes
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: paths {name}: no folder {} (set KAKITOME_CORPORA)", folder.display());
        return None;
    }
    Some(folder)
}

/// Some cases of a suite that are answered differently for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    suite: String,
    /// What we answer: the other one is expected.
    answers: Answer,
    cases: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    exception: Vec<Exception>,
}

/// Is the path believed?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Good,
    Refused,
}

/// Compares the answers of a suite with what is expected: each exception must be met, and nothing else differ.
pub(crate) struct Comparison {
    suite: &'static str,
    known: BTreeMap<String, Answer>,
    wrong: Vec<String>,
    count: usize,
}

impl Comparison {
    pub(crate) fn of(suite: &'static str) -> Self {
        let list: List = toml::from_str(include_str!("exceptions.toml")).unwrap_or_else(|error| panic!("{error}"));
        let mut known = BTreeMap::new();
        for exception in list.exception.into_iter().filter(|exception| exception.suite == suite) {
            assert!(exception.reason.len() > 20, "{suite}: an exception without a reason: {:?}", exception.cases);
            for case in exception.cases {
                assert!(known.insert(case.clone(), exception.answers).is_none(), "{suite}: {case} stands twice");
            }
        }
        Self { suite, known, wrong: Vec::new(), count: 0 }
    }

    /// One answer of ours: good, or why not.
    pub(crate) fn case(&mut self, name: &str, expected: Answer, answer: &Result<(), String>) {
        self.count += 1;
        let ours = if answer.is_ok() { Answer::Good } else { Answer::Refused };
        let because = answer.as_ref().err().map(String::as_str).unwrap_or_default();
        match self.known.remove(name) {
            None if ours == expected => {}
            None => self.wrong.push(format!("{name}: expected {expected:?}, answered {ours:?} {because}")),
            Some(_) if ours == expected => self.wrong.push(format!("{name}: as expected; its exception can go")),
            Some(known) if known != ours => self.wrong.push(format!("{name}: the exception says {known:?}")),
            Some(_) => {}
        }
    }

    /// Ends the suite.
    pub(crate) fn finish(mut self) {
        self.wrong.extend(self.known.keys().map(|name| format!("{name}: an exception, but no such case")));
        assert!(self.wrong.is_empty(), "{}, {} cases, wrong:\n{}", self.suite, self.count, self.wrong.join("\n"));
        assert!(self.count > 0, "{}: no case", self.suite);
    }
}
