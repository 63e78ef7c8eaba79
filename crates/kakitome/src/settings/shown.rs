//! The settings in words: the template, what is in force, and what the log of what was done keeps of them.

use kakitome_office::audit::Setting;
use toml::Value;

use super::{ROWS, Row, Settings};

impl Settings {
    /// Every setting with its default, each commented out: the text of `config template`.
    pub fn template() -> String {
        let default = Self::default();
        let mut out = String::from(
            "# Kakitome: every setting that needs a restart, with its default.\n\
             # An environment variable stands over this file: KAKITOME_GATEWAY_NEXT_HOP is gateway.next_hop.\n",
        );
        let mut section = "";
        for row in ROWS {
            if row.section != section {
                section = row.section;
                out.push_str(&format!("\n[{section}]\n"));
            }
            for line in row.text.lines().chain([format!("Allowed: {}.", row.allowed).as_str()]) {
                out.push_str(&format!("# {line}\n"));
            }
            let setting = (row.get)(&default)
                .map_or_else(|| format!("{} = {}\n", row.key, row.example), |value| row.line(&value));
            for line in setting.lines() {
                out.push_str(&format!("#{line}\n"));
            }
        }
        out
    }

    /// What is in force, as a settings file: the text of `config show`.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        for row in ROWS {
            if row.section != section {
                section = row.section;
                out.push_str(&format!("{}[{section}]\n", if out.is_empty() { "" } else { "\n" }));
            }
            match (row.get)(self) {
                Some(value) => out.push_str(&row.line(&value)),
                None => out.push_str(&format!("# {} is not set\n", row.key)),
            }
        }
        out
    }

    /// Every setting with its value and its default, for the log of what was done.
    pub fn recorded(&self) -> Vec<Setting> {
        let default = Self::default();
        let text = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
        let one = |row: &Row| Setting {
            name: format!("{}.{}", row.section, row.key),
            value: text((row.get)(self)),
            default: text((row.get)(&default)),
            // A URL of a database may hold its password.
            is_secret: (row.section, row.key) == ("store", "url"),
        };
        ROWS.iter().map(one).collect()
    }
}
