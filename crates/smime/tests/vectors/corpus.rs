//! The folders of the corpora.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kakitome_pki::asn1::tag;
use kakitome_pki::cert::pem;

use crate::archive;

/// One folder of the corpora, or a zip in it: paths are written with `/`.
pub(crate) struct Corpus {
    place: Place,
    /// Every file, but for the note that says where they come from.
    pub(crate) files: Vec<String>,
}

enum Place {
    Folder(PathBuf),
    Archive(BTreeMap<String, Vec<u8>>),
}

impl Corpus {
    /// The folder of this name, or the archive in it, or `None` after a visible skip of `suite`.
    pub(crate) fn find(suite: &str, folder: &str, archive: Option<&str>) -> Option<Self> {
        let corpora = std::env::var_os("KAKITOME_CORPORA")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
        let root = corpora.join(folder);
        let mut files = Vec::new();
        if !list(&root, "", &mut files) {
            say(&format!("SKIPPED: vectors {suite}: no folder {} (set KAKITOME_CORPORA)", root.display()));
            return None;
        }
        let mut corpus = Self { place: Place::Folder(root), files };
        if let Some(archive) = archive {
            // What a Mac adds to its archives is nothing of the makers'.
            let held = archive::zip(&corpus.read(archive)).into_iter().filter(|(name, _)| !is_dust(name)).collect();
            corpus = Self { files: Vec::new(), place: Place::Archive(held) };
            if let Place::Archive(held) = &corpus.place {
                corpus.files.extend(held.keys().cloned());
            }
        }
        corpus.files.retain(|file| file != "NOTE.md");
        corpus.files.sort();
        Some(corpus)
    }

    /// The octets of a file.
    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        match &self.place {
            Place::Folder(root) => {
                let path = root.join(file);
                std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
            }
            Place::Archive(held) => held.get(file).unwrap_or_else(|| panic!("{file} is not in the archive")).clone(),
        }
    }

    /// The blocks of a PEM file whose labels end so, or the whole file where it is none.
    pub(crate) fn der(&self, file: &str, label: &str) -> Vec<Vec<u8>> {
        blocks(&self.read(file), label)
    }

    /// The files that a pattern names, where `*` stands for anything.
    pub(crate) fn matching(&self, pattern: &str) -> Vec<&str> {
        self.files.iter().map(String::as_str).filter(|file| matches(pattern, file)).collect()
    }
}

/// The blocks of PEM whose labels end so, or the octets where they are none.
pub(crate) fn blocks(octets: &[u8], label: &str) -> Vec<Vec<u8>> {
    if octets.first() == Some(&tag::SEQUENCE) || !pem::is_pem(octets) {
        return vec![octets.to_vec()];
    }
    pem::read(octets).iter().filter(|block| block.label.ends_with(label)).map(|block| block.der.to_vec()).collect()
}

/// Octets written in hexadecimal digits.
pub(crate) fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A line that the test harness does not swallow: `./test` collects what was skipped.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn is_dust(name: &str) -> bool {
    name.starts_with("__MACOSX") || name.ends_with(".DS_Store")
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push(name);
        }
    }
    true
}

/// Does the pattern name this, `*` standing for anything?
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, name, fits) in [
        ("a.bin", "a.bin", true),
        ("a.bin", "b.bin", false),
        ("*.bin", "x/a.bin", true),
        ("*.bin", "a.bin.txt", false),
        ("a*b*c", "abbc", true),
        ("a*b*c", "acb", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
    }
}
