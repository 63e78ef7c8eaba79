//! The folder that `cargo xtask corpus` writes: whole, the same in every run, and with every row answered by every door
//! as its manifest says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod doors;
#[path = "../program/mod.rs"]
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use kakitome_pki::cert::hex;
use kakitome_pki::crypto::sha256;
use kakitome_testkit::corpus::{folder, rows};
use serde_json::Value;

/// Where another process is to write the folder.
const TO: &str = "KAKITOME_TEST_CORPUS_TO";

fn write(to: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, octets) in files {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, octets).unwrap();
    }
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Value {
    serde_json::from_slice(&files["manifest.json"]).unwrap()
}

#[test]
fn the_manifest_is_whole() {
    let files = folder();
    let manifest = manifest(&files);
    let entries = manifest["rows"].as_array().unwrap();
    let ids: Vec<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids, rows().iter().map(|row| row.id).collect::<Vec<_>>());
    let mut named: BTreeSet<&str> =
        ["README.md", "README.ja.md", "manifest.json", "pki/public-root-alone.pem"].into_iter().collect();
    for (entry, row) in entries.iter().zip(rows()) {
        let id = row.id;
        let file = entry["file"].as_str().unwrap();
        named.insert(file);
        assert!(files[file] == row.mail, "{id}");
        assert_eq!(entry["sha256"], hex(&sha256(&row.mail)), "{id}");
        assert_eq!((&entry["state"], &entry["code"]), (&row.state.into(), &row.code.into()), "{id}");
        // Either the command line can ask, or it is said why not.
        assert_ne!(entry["arguments"].is_null(), entry["not_by_command"].is_null(), "{id}");
        let needs = &entry["needs"];
        for field in ["public_roots", "trust", "own_ca", "distrusted", "hints", "crls", "ocsp", "settings"] {
            named.extend(needs[field].as_str());
        }
        for reader in needs["readers"].as_array().unwrap() {
            let key = reader["key"].as_str().unwrap();
            assert!(String::from_utf8_lossy(&files[key]).starts_with("This private key is PUBLISHED"), "{id}");
            named.extend([reader["certificate"].as_str().unwrap(), key]);
        }
    }
    // Files without regard to case, for disks that have none; and none that nobody needs.
    let lower: BTreeSet<String> = files.keys().map(|path| path.to_lowercase()).collect();
    assert_eq!(lower.len(), files.len());
    let unnamed: Vec<&String> =
        files.keys().filter(|path| !named.contains(path.as_str()) && !path.ends_with(".log")).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
    let beyond = entries.iter().filter(|entry| entry["arguments"].is_null());
    let beyond: Vec<&str> = beyond.map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(beyond, ["A19", "X31", "X31c", "X77o"]);
}

/// Two processes, since keys and the small world are made once in each; this test is the other one, too.
#[test]
fn two_runs_give_the_same_octets() {
    let files = folder();
    if let Some(to) = std::env::var_os(TO) {
        return write(Path::new(&to), &files);
    }
    let home = tempfile::tempdir().unwrap();
    let other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "two_runs_give_the_same_octets"])
        .env(TO, home.path())
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stdout));
    let manifest = manifest(&files);
    let drawn = manifest["rows"].as_array().unwrap().iter().filter(|row| row["same_in_every_run"] == false);
    let mut differ: BTreeSet<&str> = drawn.map(|row| row["file"].as_str().unwrap()).collect();
    assert!(differ.insert("manifest.json"), "it holds the hashes of the others");
    for (path, octets) in &files {
        let is_same = fs::read(home.path().join(path)).ok().as_ref() == Some(octets);
        assert_eq!(is_same, !differ.contains(path.as_str()), "{path}");
    }
}
