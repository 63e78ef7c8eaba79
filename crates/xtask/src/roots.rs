//! `cargo xtask roots`: the list of publicly trusted e-mail roots that is part of the program, made anew.
//!
//! Its source is the list of Mozilla's NSS, from version 2.86 on: `certdata.txt` with `nssckbi.h` from its source, or
//! `libnssckbi.so`, which is compiled from both and is what distributions pack (a script beside this file reads it). Lists
//! of certificates for TLS will not do: what is for mail, and until when, stands in NSS's own alone.

mod certdata;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto;
use kakitome_pki::roots::{Header, Root, RootList, write};

/// What an error says of the command line.
const USAGE: &str = "cargo xtask roots FILE [NSSCKBI_H] --date YYYY-MM-DD --source TEXT";
/// Where the list stands.
const LIST: &str = "crates/office/data/public-roots.pem";
/// The oldest list of NSS that will do: (major, minor).
const OLDEST: (u32, u32) = (2, 86);
/// Fewer roots for e-mail than this is no list of NSS, but a part of one.
const FEWEST: usize = 50;
/// What stands at the head of the list.
const REMARKS: [&str; 8] = [
    "",
    "This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not",
    "distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.",
    "",
    "The roots of Mozilla's root program as NSS carries them, in a form of our own (crates/pki/src/roots.rs). Made by",
    "`cargo xtask roots`, which docs/trust.md describes; not edited by hand. Roots that are not for e-mail stand here so",
    "that a path to one of them can be refused by that name.",
    "",
];

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    files: Vec<PathBuf>,
    date: Option<Time>,
    source: Option<String>,
}

/// Makes the list anew and says what is different.
pub(crate) fn run(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let asked = Asked::read(words)?;
    let (certdata, version, source_sha256) = asked.certdata(root)?;
    let roots = certdata::roots(&certdata)?;
    let for_email = roots.iter().filter(|root| root.uses.email).count();
    ensure!(for_email >= FEWEST, "only {for_email} roots are for e-mail; a list of NSS has more than {FEWEST}");
    let date = asked.date.context("the date of the list is missing: --date YYYY-MM-DD")?;
    let header = Header {
        name: format!("nss-{version}"),
        date: Some(date),
        source: asked.source.context("where the list is from is not said: --source TEXT")?,
        source_sha256,
    };
    let text = write(&header, &REMARKS, &roots);
    let list = RootList::parse(&text).context("the list that was made cannot be read back")?;
    let path = root.join(LIST);
    let before = fs::read_to_string(&path).unwrap_or_default();
    tell(&RootList::parse(&before).unwrap_or_default(), &list, date);
    fs::write(&path, text).with_context(|| format!("{LIST} cannot be written"))?;
    println!("{LIST}");
    Ok(())
}

impl Asked {
    fn read(words: &[&str]) -> anyhow::Result<Self> {
        let mut asked = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match *word {
                "--date" => asked.date = Some(format!("{}T00:00:00Z", value()?).parse().context("--date")?),
                "--source" => asked.source = Some((*value()?).to_owned()),
                option if option.starts_with("--") => bail!("{option} is not known; {USAGE}"),
                file => asked.files.push(PathBuf::from(file)),
            }
        }
        Ok(asked)
    }

    /// The text of certdata.txt, the version of the list, and the SHA-256 of what was read.
    fn certdata(&self, root: &Path) -> anyhow::Result<(String, String, String)> {
        let [path, header @ ..] = self.files.as_slice() else { bail!("the file is missing; {USAGE}") };
        let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
        let bytes = read(path)?;
        let sha256 = hex(&crypto::sha256(&bytes));
        let text = if bytes.starts_with(b"\x7fELF") { from_library(root, path)? } else { String::from_utf8(bytes)? };
        let header = match header {
            [] => String::new(),
            [header] => String::from_utf8(read(header)?)?,
            _ => bail!("too many files; {USAGE}"),
        };
        let version = certdata::version(&header).or_else(|| certdata::version(&text));
        let version = version.context("the version of the list is not in the files; give nssckbi.h, too")?;
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or_default());
        let numbers = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        ensure!(numbers >= OLDEST, "the list {version} is older than {}.{}; take a newer one", OLDEST.0, OLDEST.1);
        Ok((text, version, sha256))
    }
}

fn from_library(root: &Path, library: &Path) -> anyhow::Result<String> {
    let script = root.join("crates/xtask/src/roots/nssckbi.py");
    let library = fs::canonicalize(library)?;
    let output = Command::new("python3").arg(script).arg(library).output().context("python3 cannot be started")?;
    ensure!(output.status.success(), "nssckbi.py: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What a reviewer of the new list wants to know.
fn tell(before: &RootList, now: &RootList, date: Time) {
    fn by_fingerprint(list: &RootList) -> BTreeMap<[u8; 32], &Root> {
        list.roots().iter().map(|root| (*root.fingerprint(), root)).collect()
    }
    let (old, new) = (by_fingerprint(before), by_fingerprint(now));
    for (fingerprint, root) in &new {
        match old.get(fingerprint) {
            None => println!("new      {} ({})", root.name, uses(root)),
            Some(was) if was != root => println!("changed  {} ({}, was {})", root.name, uses(root), uses(was)),
            Some(_) => {}
        }
        if root.certificate().is_ok_and(|certificate| certificate.not_after() < date) {
            println!("expired  {}", root.name);
        }
    }
    for (_, root) in old.iter().filter(|(fingerprint, _)| !new.contains_key(*fingerprint)) {
        println!("gone     {} ({})", root.name, uses(root));
    }
    let count = |wanted: fn(&Root) -> bool| now.roots().iter().filter(|root| wanted(root)).count();
    println!(
        "{}: {} roots, {} for e-mail, {} for e-mail alone",
        now.header().name,
        now.roots().len(),
        count(|root| root.uses.email),
        count(|root| root.uses.email && !root.uses.tls)
    );
}

fn uses(root: &Root) -> String {
    let mut words = Vec::new();
    words.extend(root.uses.email.then_some("e-mail"));
    words.extend(root.uses.tls.then_some("TLS"));
    let after = root.distrust_after.map(|after| format!(" until {after}")).unwrap_or_default();
    if words.is_empty() { "nothing".to_owned() } else { format!("{}{after}", words.join(" and ")) }
}
