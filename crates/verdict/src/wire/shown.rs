//! What stands in a file, for programs. Version and rules as for answers: `kind`, the fields of the object under their
//! names, `remarks`, and what it holds in `inside`.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::VERSION;
use crate::safe;
use crate::shown::{Object, Remark, Value};
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
    objects: Vec<Shown<'a>>,
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
pub fn files(files: &[(String, Vec<Object>)]) -> String {
    let files =
        files.iter().map(|(name, objects)| File { file: name, objects: objects.iter().map(Shown).collect() }).collect();
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
