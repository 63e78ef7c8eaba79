//! Runs one suite.

use std::collections::BTreeSet;

use crate::answer::{self, Answer};
use crate::corpus::{Corpus, say};
use crate::exceptions::{Pending, Standing};
use crate::table::{Case, Form, Table};

/// Asks every question of a table, and compares.
pub(crate) fn suite(name: &str, text: &str) {
    let table = Table::read(text);
    let Some(corpus) = Corpus::find(name, &table.folder, table.archive.as_deref()) else { return };
    let mut wrong = Vec::new();
    let mut covered = BTreeSet::new();
    for pattern in table.other.iter().flat_map(|other| &other.files) {
        cover(&corpus, pattern, &mut covered, &mut wrong);
    }
    for holder in &table.holder {
        let is_named = table.case.iter().any(|case| case.holders.contains(&holder.name));
        assert!(is_named, "{name}: nobody asks for the keys of {:?}", holder.name);
    }
    let mut pending = Pending::of(name);
    let (mut asked, mut expected, mut known) = (0, 0, 0);
    for case in &table.case {
        let mut files = Vec::new();
        for pattern in &case.files {
            files.extend(cover(&corpus, pattern, &mut covered, &mut wrong));
        }
        for file in files {
            let question = case.note.as_ref().map_or_else(|| file.to_owned(), |note| format!("{file} ({note})"));
            let answer = answer::ask(&corpus, &table, case, file);
            let answers = with_content(&corpus, case, &answer);
            asked += 1;
            match pending.judge(&question, &case.expect, &answers) {
                Standing::Expected => expected += 1,
                Standing::Known => known += 1,
                Standing::Wrong(what) => wrong.push(format!("{what} {:?}", answer.findings)),
            }
        }
    }
    wrong.extend(pending.stale());
    let new = corpus.files.iter().filter(|file| !covered.contains(file.as_str()));
    wrong.extend(new.map(|file| format!("{file}: a file that the table does not know")));
    say(&format!(
        "vectors {name}: {} files, {asked} questions: {expected} as expected, {known} exceptions",
        corpus.files.len()
    ));
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

/// The files of a pattern, which are then known to the table.
fn cover<'a>(
    corpus: &'a Corpus,
    pattern: &str,
    covered: &mut BTreeSet<&'a str>,
    wrong: &mut Vec<String>,
) -> Vec<&'a str> {
    let files = corpus.matching(pattern);
    if files.is_empty() {
        wrong.push(format!("{pattern}: no such file"));
    }
    covered.extend(&files);
    files
}

/// The answer, and what is amiss with the content or the findings where the table asks for some.
fn with_content(corpus: &Corpus, case: &Case, answer: &Answer) -> String {
    let mut said = answer.said.clone();
    let content = answer.content.as_deref();
    // The line ends of a mail are those of whoever carried it.
    let lines = |bytes: &[u8]| {
        if case.form == Form::Mail {
            String::from_utf8_lossy(bytes).replace("\r\n", "\n").into_bytes()
        } else {
            bytes.to_vec()
        }
    };
    let holds = case.holds.as_ref().is_none_or(|file| content.map(lines) == Some(lines(&corpus.read(file))));
    let text = case.text.as_ref().is_none_or(|text| {
        content.is_some_and(|content| content.windows(text.len()).any(|window| window == text.as_bytes()))
    });
    if !holds || !text {
        said.push_str(if content.is_some() { ", other content" } else { ", no content" });
    }
    for code in &case.says {
        if !answer.findings.iter().any(|finding| finding.starts_with(code)) {
            said.push_str(&format!(", without {code}"));
        }
    }
    said
}
