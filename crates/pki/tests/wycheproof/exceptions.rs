//! `exceptions.toml`: what is not offered, what is answered otherwise, and how open vectors are decided.

use std::collections::BTreeSet;
use std::sync::Mutex;

use toml::Value;

use super::vector::{Case, Verdict, matches};

/// What a vector should be answered with, and whether that is an exception.
pub(crate) struct Expected {
    pub(crate) verdict: Verdict,
    pub(crate) excepted: bool,
}

pub(crate) struct Exceptions {
    absent: Vec<Entry>,
    differs: Vec<Entry>,
    acceptable: Vec<Entry>,
    used: Mutex<BTreeSet<String>>,
}

/// One table of the file.
struct Entry {
    name: String,
    files: Vec<String>,
    table: toml::Table,
}

impl Entry {
    fn all(parsed: &toml::Table, kind: &str) -> Vec<Self> {
        let tables = parsed.get(kind).and_then(Value::as_array).into_iter().flatten();
        let read = |(number, table): (usize, &Value)| {
            let table = table.as_table().unwrap().clone();
            assert!(table.get("reason").is_some_and(Value::is_str), "{kind} {number} has no reason");
            let files = table["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap().to_owned());
            Self { name: format!("{kind} {}", number + 1), files: files.collect(), table }
        };
        tables.enumerate().map(read).collect()
    }

    fn is_for(&self, file: &str) -> bool {
        self.files.iter().any(|pattern| matches(pattern, file))
    }

    fn strings(&self, key: &str) -> Vec<&str> {
        self.table.get(key).and_then(Value::as_array).into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
    }

    /// Does it select this vector: by number, by flag, by a field of its group, by one of its own, by its length?
    fn selects(&self, case: &Case<'_>) -> bool {
        let mut flags = case.flags();
        let by_flag = self.strings("flags");
        let by_number = self.table.get("tests").and_then(Value::as_array);
        let by_group = self.table.get("group").and_then(Value::as_table).is_none_or(|fields| {
            fields.iter().all(|(field, wanted)| {
                wanted.as_array().unwrap().iter().any(|wanted| match wanted {
                    Value::Integer(number) => case.group[field].as_i64() == Some(*number),
                    other => case.group[field].as_str() == other.as_str(),
                })
            })
        });
        let by_length = self.table.get("octets_outside").and_then(Value::as_array).is_none_or(|bounds| {
            let octets = case.octets("msg").len();
            let bounds: Vec<usize> =
                bounds.iter().map(|bound| bound.as_integer().unwrap().try_into().unwrap()).collect();
            octets < bounds[0] || octets > bounds[1]
        });
        let by_field = self
            .table
            .get("has")
            .and_then(Value::as_str)
            .is_none_or(|field| case.test[field].as_str().is_some_and(|octets| !octets.is_empty()));
        by_length
            && by_field
            && (by_flag.is_empty() || flags.any(|flag| by_flag.contains(&flag)))
            && by_number
                .is_none_or(|numbers| numbers.iter().any(|number| number.as_integer() == case.test["tcId"].as_i64()))
            && by_group
    }
}

impl Exceptions {
    pub(crate) fn read() -> Self {
        let parsed: toml::Table = include_str!("exceptions.toml").parse().unwrap();
        Self {
            absent: Entry::all(&parsed, "absent"),
            differs: Entry::all(&parsed, "exception"),
            acceptable: Entry::all(&parsed, "acceptable"),
            used: Mutex::default(),
        }
    }

    fn touch(&self, entry: &Entry) {
        self.used.lock().unwrap().insert(entry.name.clone());
    }

    /// Is the file's primitive one that is not offered?
    pub(crate) fn is_absent(&self, file: &str) -> bool {
        let entry = self.absent.iter().find(|entry| entry.is_for(file));
        entry.inspect(|entry| self.touch(entry)).is_some()
    }

    /// What a vector should be answered with; an open one that no entry decides is an error.
    pub(crate) fn expected(&self, case: &Case<'_>) -> Result<Expected, String> {
        let verdict = match case.test["result"].as_str().unwrap() {
            "valid" => Verdict::Accepted,
            "invalid" => Verdict::Refused,
            _ => self.decided(case)?,
        };
        // An exception only ever refuses more.
        let differs = self.differs.iter().find(|entry| entry.is_for(case.file) && entry.selects(case));
        match differs {
            Some(entry) if verdict == Verdict::Accepted => {
                self.touch(entry);
                Ok(Expected { verdict: Verdict::Refused, excepted: true })
            }
            _ => Ok(Expected { verdict, excepted: false }),
        }
    }

    fn decided(&self, case: &Case<'_>) -> Result<Verdict, String> {
        for entry in self.acceptable.iter().filter(|entry| entry.is_for(case.file)) {
            let has = |key| entry.strings(key).into_iter().any(|flag| case.flags().any(|other| other == flag));
            let verdict = match (has("refused"), has("accepted")) {
                (true, _) => Verdict::Refused,
                (false, true) => Verdict::Accepted,
                (false, false) => continue,
            };
            self.touch(entry);
            return Ok(verdict);
        }
        Err(format!("{}: left open by Wycheproof, and no entry decides it", case.name()))
    }

    /// Entries under which nothing fell.
    pub(crate) fn unused(&self) -> BTreeSet<String> {
        let used = self.used.lock().unwrap();
        let all = self.absent.iter().chain(&self.differs).chain(&self.acceptable);
        all.map(|entry| entry.name.clone()).filter(|name| !used.contains(name)).collect()
    }
}
