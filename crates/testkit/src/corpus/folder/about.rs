//! What is said of the corpus in words: the title of each row, and the folder's READMEs in both languages.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::OnceLock;

use super::{Entry, Title};

const README: &str = include_str!("README.md");
const README_JA: &str = include_str!("README.ja.md");
const TITLES: &str = include_str!("titles.txt");

/// The title of the row of this id.
pub(in crate::corpus) fn title(id: &str) -> Title {
    let title = titles().get(id).copied();
    title.unwrap_or_else(|| panic!("row {id} has no title; add one to titles.txt"))
}

fn titles() -> &'static HashMap<&'static str, Title> {
    static READ: OnceLock<HashMap<&'static str, Title>> = OnceLock::new();
    READ.get_or_init(|| {
        let lines = TITLES.lines().filter(|line| !line.starts_with('#'));
        let mut titles = HashMap::new();
        for line in lines {
            let mut words = line.split(" | ");
            let (Some(id), Some(en), Some(ja), None) = (words.next(), words.next(), words.next(), words.next()) else {
                panic!("titles.txt: {line}");
            };
            assert!(titles.insert(id, Title { en, ja }).is_none(), "titles.txt: {id} stands twice");
        }
        titles
    })
}

/// The READMEs: what stands in their files, and behind it a list of the rows for each state.
pub(super) fn readmes(rows: &[Entry]) -> [(&'static str, String); 2] {
    let known: Vec<&str> = rows.iter().map(|row| row.id).collect();
    for id in titles().keys() {
        assert!(known.contains(id), "titles.txt: there is no row {id}");
    }
    let mut states: BTreeMap<(u8, &str), Vec<&Entry>> = BTreeMap::new();
    for row in rows {
        states.entry((row.exit_code, row.state)).or_default().push(row);
    }
    let list = |begin: &str, of: fn(Title) -> &'static str| {
        let mut text = begin.to_owned();
        for ((_, state), rows) in &states {
            write!(text, "\n### {state} ({})\n\n", rows.len()).expect("memory is written");
            for row in rows {
                writeln!(text, "- [{}]({}) {}; `{}`", row.id, row.file, of(row.title), row.code)
                    .expect("memory is written");
            }
        }
        text
    };
    [("README.md", list(README, |title| title.en)), ("README.ja.md", list(README_JA, |title| title.ja))]
}
