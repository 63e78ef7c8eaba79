//! One vector, and how its fields are read.

use std::path::{Path, PathBuf};

use kakitome_pki::algorithm::Digest;
use serde_json::Value;

/// What a primitive says of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
}

/// A vector inside its group and file.
pub(crate) struct Case<'a> {
    pub(crate) file: &'a str,
    pub(crate) group: &'a Value,
    pub(crate) test: &'a Value,
}

impl<'a> Case<'a> {
    pub(crate) fn name(&self) -> String {
        let comment = self.test["comment"].as_str().unwrap_or_default();
        format!("{} #{} ({comment}; {})", self.file, self.test["tcId"], self.flags().collect::<Vec<_>>().join(", "))
    }

    pub(crate) fn flags(&self) -> impl Iterator<Item = &'a str> {
        self.test["flags"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// A field of the vector as octets.
    pub(crate) fn octets(&self, field: &str) -> Vec<u8> {
        octets(&self.test[field])
    }

    /// A field of the group as octets.
    pub(crate) fn shared(&self, field: &str) -> Vec<u8> {
        octets(&self.group[field])
    }

    /// A number of the group.
    pub(crate) fn number(&self, field: &str) -> usize {
        number(&self.group[field])
    }

    /// The digest that a field of the group names.
    pub(crate) fn digest(&self, field: &str) -> Option<Digest> {
        let name = self.group[field].as_str()?;
        Digest::ALL.into_iter().find(|digest| digest.name() == name)
    }
}

pub(crate) fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("no octets: {value}"));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The files of vectors, the slow ones last, which is where they are taken from.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    files
}

/// Does a name match a pattern with at most one `*`?
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    }
}
