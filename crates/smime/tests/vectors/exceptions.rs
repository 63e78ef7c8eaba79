//! Answers of ours that differ from what the makers of a file expect, each with its reason.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Some files of a suite that are answered differently for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// The suite.
    pub(crate) suite: String,
    /// The questions by their names, without patterns.
    pub(crate) files: Vec<String>,
    /// What the makers expect.
    pub(crate) expects: String,
    /// What we answer.
    pub(crate) answers: String,
    /// Why that is right, or what is missing.
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    exception: Vec<Exception>,
}

/// The whole list.
pub(crate) fn all() -> Vec<Exception> {
    let list: List = toml::from_str(include_str!("exceptions.toml")).unwrap_or_else(|error| panic!("{error}"));
    list.exception
}

/// The exceptions of one suite that were not met yet.
pub(crate) struct Pending(BTreeMap<String, Difference>);

struct Difference {
    expects: String,
    answers: String,
}

/// What an answer turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As the makers expect.
    Expected,
    /// Different, and known.
    Known,
    /// Different, and not known; or as expected where the list says otherwise.
    Wrong(String),
}

impl Pending {
    /// Those of `suite`.
    pub(crate) fn of(suite: &str) -> Self {
        let mut pending = BTreeMap::new();
        for exception in all().into_iter().filter(|exception| exception.suite == suite) {
            assert!(exception.reason.len() > 20, "{suite}: an exception without a reason: {:?}", exception.files);
            for file in exception.files {
                let known = Difference { expects: exception.expects.clone(), answers: exception.answers.clone() };
                assert!(pending.insert(file.clone(), known).is_none(), "{suite}: {file} stands twice");
            }
        }
        Self(pending)
    }

    /// Compares one answer.
    pub(crate) fn judge(&mut self, name: &str, expects: &str, answers: &str) -> Standing {
        match self.0.remove(name) {
            None if answers == expects => Standing::Expected,
            None => Standing::Wrong(format!("{name}: expected «{expects}», answered «{answers}»")),
            Some(known) if answers == expects => {
                Standing::Wrong(format!("{name}: answered as expected; its exception «{}» can go", known.answers))
            }
            Some(known) if known.expects != expects => {
                Standing::Wrong(format!("{name}: the exception says «{}» is expected, not «{expects}»", known.expects))
            }
            Some(known) if known.answers != answers => Standing::Wrong(format!(
                "{name}: expected «{expects}», the exception says «{}», answered «{answers}»",
                known.answers
            )),
            Some(_) => Standing::Known,
        }
    }

    /// The exceptions that nobody asked about.
    pub(crate) fn stale(self) -> Vec<String> {
        self.0.into_keys().map(|name| format!("{name}: an exception, but no such question")).collect()
    }
}

#[test]
fn an_exception_counts_only_for_what_it_says() {
    let mut pending = Pending(BTreeMap::new());
    let known = || Difference { expects: "good".into(), answers: "weak".into() };
    assert_eq!(pending.judge("a", "good", "good"), Standing::Expected);
    assert!(matches!(pending.judge("a", "good", "weak"), Standing::Wrong(_)));
    for (expects, answers, standing) in
        [("good", "weak", true), ("good", "good", false), ("good", "bad", false), ("bad", "weak", false)]
    {
        pending.0.insert("a".into(), known());
        assert_eq!(pending.judge("a", expects, answers) == Standing::Known, standing, "{expects} {answers}");
    }
    pending.0.insert("gone".into(), known());
    assert_eq!(pending.stale().len(), 1);
}
