//! What stands in a file, for programs. Version and rules as for answers: `kind`, the fields of the object under their
//! names, `remarks`, and what it holds in `inside`.

use kakitome_pki::roots::RootList;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::VERSION;
use crate::safe;
use crate::shown::{self, Object, Remark, Value};
use crate::text::Lang;
use crate::text::remark::sentence;

#[derive(Serialize)]
struct Wire<'a> {
    shown: u32,
    files: Vec<File<'a>>,
    engine: &'static str,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    /// Null where the file is no list of roots in our form.
    list: Option<List<'a>>,
    objects: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct List<'a> {
    name: &'a str,
    date: Option<String>,
    source: &'a str,
    source_sha256: &'a str,
    roots: usize,
    for_email: usize,
}

impl<'a> List<'a> {
    fn of(list: &'a RootList) -> Self {
        let header = list.header();
        Self {
            name: &header.name,
            date: header.date.map(|date| date.to_string()),
            source: &header.source,
            source_sha256: &header.source_sha256,
            roots: list.roots().len(),
            for_email: list.roots_for_email(),
        }
    }
}

struct Shown<'a>(&'a Object);

#[derive(Serialize)]
struct Said<'a> {
    code: &'static str,
    severity: &'static str,
    ja: &'static str,
    en: &'static str,
    detail: &'a str,
}

/// Files with their objects as JSON, indented, with a line end.
pub fn files(files: &[shown::File]) -> String {
    let files = files
        .iter()
        .map(|file| File {
            file: &file.name,
            list: file.list.as_ref().map(List::of),
            objects: file.objects.iter().map(Shown).collect(),
        })
        .collect();
    let wire = Wire { shown: VERSION, files, engine: env!("CARGO_PKG_VERSION") };
    // a structure of strings, numbers and lists always serializes
    let mut out = safe::json(&serde_json::to_string_pretty(&wire).unwrap_or_default());
    out.push('\n');
    out
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Object { kind, title: _, fields, remarks, inside } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", kind.name())?;
        for (field, value) in fields {
            match value {
                Value::Text(text) => map.serialize_entry(field.name(), text)?,
                Value::List(texts) => map.serialize_entry(field.name(), texts)?,
                Value::Number(number) => map.serialize_entry(field.name(), number)?,
                Value::Time(time) => map.serialize_entry(field.name(), &time.to_string())?,
                Value::Flag(flag) => map.serialize_entry(field.name(), flag)?,
                Value::Hash(octets) => map.serialize_entry(field.name(), &kakitome_pki::cert::hex(octets))?,
            }
        }
        map.serialize_entry("remarks", &remarks.iter().map(Said::of).collect::<Vec<_>>())?;
        map.serialize_entry("inside", &inside.iter().map(Shown).collect::<Vec<_>>())?;
        map.end()
    }
}

impl<'a> Said<'a> {
    fn of(remark: &'a Remark) -> Self {
        Self {
            code: remark.code(),
            severity: remark.severity().name(),
            ja: sentence(remark, Lang::Ja),
            en: sentence(remark, Lang::En),
            detail: remark.detail(),
        }
    }
}
