//! Answers of ours that differ from what the makers of a file expect, each with its reason.

use serde::Deserialize;

use crate::corpus::matches;

/// Some files of a suite that are answered differently for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// The suite.
    pub(crate) suite: String,
    /// The questions by their names, or patterns with `*`.
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

/// The exceptions of one suite.
pub(crate) struct Pending(Vec<Difference>);

struct Difference {
    /// A question by its name, or a pattern.
    name: String,
    expects: String,
    answers: String,
    is_met: bool,
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
        let mut pending = Vec::new();
        for exception in all().into_iter().filter(|exception| exception.suite == suite) {
            assert!(exception.reason.len() > 20, "{suite}: an exception without a reason: {:?}", exception.files);
            for name in exception.files {
                let (expects, answers) = (exception.expects.clone(), exception.answers.clone());
                pending.push(Difference { name, expects, answers, is_met: false });
            }
        }
        Self(pending)
    }

    /// Compares one answer.
    pub(crate) fn judge(&mut self, name: &str, expects: &str, answers: &str) -> Standing {
        let mut known = self.0.iter_mut().filter(|known| matches(&known.name, name));
        let (first, second) = (known.next(), known.next());
        if second.is_some() {
            return Standing::Wrong(format!("{name}: two exceptions speak of it"));
        }
        let Some(known) = first else {
            return if answers == expects {
                Standing::Expected
            } else {
                Standing::Wrong(format!("{name}: expected «{expects}», answered «{answers}»"))
            };
        };
        known.is_met = true;
        if answers == expects {
            Standing::Wrong(format!("{name}: answered as expected; its exception «{}» can go", known.answers))
        } else if known.expects != expects {
            Standing::Wrong(format!("{name}: the exception says «{}» is expected, not «{expects}»", known.expects))
        } else if known.answers != answers {
            let says = &known.answers;
            Standing::Wrong(format!("{name}: expected «{expects}», the exception says «{says}», answered «{answers}»"))
        } else {
            Standing::Known
        }
    }

    /// The exceptions that nobody asked about.
    pub(crate) fn stale(self) -> Vec<String> {
        let unmet = self.0.into_iter().filter(|known| !known.is_met);
        unmet.map(|known| format!("{}: an exception, but no such question", known.name)).collect()
    }
}

#[test]
fn an_exception_counts_only_for_what_it_says() {
    let listed =
        |name: &str| Difference { name: name.into(), expects: "good".into(), answers: "weak".into(), is_met: false };
    let mut pending = Pending(vec![listed("a*"), listed("b"), listed("ab"), listed("gone")]);
    for (name, expects, answers, standing) in [
        ("c", "good", "good", Some(Standing::Expected)),
        ("c", "good", "weak", None),
        ("a", "good", "weak", Some(Standing::Known)),
        ("aa", "good", "weak", Some(Standing::Known)),
        ("b", "good", "weak", Some(Standing::Known)),
        ("b", "good", "good", None),
        ("b", "good", "bad", None),
        ("b", "bad", "weak", None),
        ("ab", "good", "weak", None),
    ] {
        let judged = pending.judge(name, expects, answers);
        match standing {
            Some(standing) => assert_eq!(judged, standing, "{name} {expects} {answers}"),
            None => assert!(matches!(judged, Standing::Wrong(_)), "{name} {expects} {answers}: {judged:?}"),
        }
    }
    assert_eq!(pending.stale(), ["ab: an exception, but no such question", "gone: an exception, but no such question"]);
}
