//! Mails of others, odd ones above all: each is read to its end, and the tree of its parts, its subject and its author
//! are what the makers of the collection say. `exceptions.tsv` holds what we read otherwise, each with its reason.
//!
//! The mails stay where they are: in the folder that `KAKITOME_CORPORA` names, else in `shared/corpora` beside the
//! project.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::open;
use kakitome_smime::mime::address::author;
use kakitome_smime::mime::header::ODD;
use kakitome_smime::mime::scan::{Structure, scan};
use kakitome_smime::octets::InMemory;
use serde_json::Value;

/// The files of a folder of the corpora, or nothing after a visible skip.
fn files(folder: &str) -> Vec<PathBuf> {
    let corpora = std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    let mut found = Vec::new();
    let mut open = vec![corpora.join(folder)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: mails: no folder {} (set KAKITOME_CORPORA)", folder.display());
            return Vec::new();
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn tree(structure: &Structure, number: usize) -> String {
    let entity = structure.entity(number).unwrap();
    let parts: Vec<String> = entity.parts.iter().map(|part| tree(structure, *part)).collect();
    match parts.as_slice() {
        [] => entity.content_type.essence(),
        _ => format!("{}({})", entity.content_type.essence(), parts.join(",")),
    }
}

/// The same of the answer that stands beside a mail; what stands inside an attached message is not looked into.
fn expected_tree(parts: &[Value], number: usize, in_digest: bool) -> String {
    let part = &parts[number];
    let fields = part["headers"].as_array().unwrap();
    let content_type =
        fields.iter().find(|field| field["name"] == "content_type").map(|field| &field["value"]["ContentType"]);
    let name = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
    let essence = match content_type.filter(|content_type| content_type["c_subtype"].is_string()) {
        Some(content_type) => format!("{}/{}", name(&content_type["c_type"]), name(&content_type["c_subtype"])),
        None if in_digest => "message/rfc822".to_owned(),
        None => "text/plain".to_owned(),
    };
    let children = part["body"]["Multipart"].as_array().cloned().unwrap_or_default();
    let is_digest = essence == "multipart/digest";
    let inner: Vec<String> = children
        .iter()
        .map(|child| expected_tree(parts, usize::try_from(child.as_u64().unwrap()).unwrap(), is_digest))
        .collect();
    if inner.is_empty() { essence } else { format!("{essence}({})", inner.join(",")) }
}

/// What is compared, by name: ours, and theirs.
fn answers(mail: &[u8], json: &Value) -> Vec<(&'static str, String, String)> {
    let structure = scan(&mail.to_vec(), 0..mail.len() as u64).unwrap();
    let header = &structure.root().header;
    let parts = json["parts"].as_array().unwrap();
    let field = |name: &str| parts[0]["headers"].as_array().unwrap().iter().find(|field| field["name"] == name);
    let mut out = vec![("tree", tree(&structure, 0), expected_tree(parts, 0, false))];
    if let Some(subject) = field("subject").and_then(|field| field["value"]["Text"].as_str()) {
        let one_line = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        out.push(("subject", header.display("Subject").unwrap_or_default(), one_line));
    }
    let list = field("from").and_then(|field| field["value"]["Address"]["List"].as_array());
    if let Some([one]) = list.map(Vec::as_slice) {
        let theirs = one["address"].as_str().unwrap_or_default().to_owned();
        out.push(("author", author(header).map_or_else(|why| format!("{why:?}"), |mailbox| mailbox.address), theirs));
    }
    out
}

fn is_said(mail: &[u8]) -> bool {
    let structure = scan(&mail.to_vec(), 0..u64::MAX).unwrap();
    structure.findings.iter().any(|finding| finding.code != ODD)
}

/// (file, what) to (ours, why).
fn exceptions() -> BTreeMap<(String, String), (String, String)> {
    let lines = include_str!("exceptions.tsv").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [file, what, ours, why] = cells[..] else { panic!("four columns: {line}") };
            ((file.to_owned(), what.to_owned()), (ours.to_owned(), why.to_owned()))
        })
        .collect()
}

#[test]
fn mails_with_an_answer_beside_them_are_read_as_it_says() {
    let mut exceptions = exceptions();
    let mut wrong = Vec::new();
    let all = files("mail-parser/eml");
    let mut asked = 0;
    for path in all.iter().filter(|path| path.extension().is_some_and(|extension| extension == "eml")) {
        let file = format!(
            "{}/{}",
            path.parent().unwrap().file_name().unwrap().display(),
            path.file_stem().unwrap().display()
        );
        let mail = std::fs::read(path).unwrap();
        let json: Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        for (what, ours, theirs) in answers(&mail, &json) {
            asked += 1;
            let excused = exceptions.remove(&(file.clone(), what.to_owned())).map(|(ours, _)| ours);
            let shown = ours.escape_default().to_string();
            // Where two programs read different parts, it must be said.
            if what == "tree" && ours != theirs && file.starts_with("malformed/") && !is_said(&mail) {
                wrong.push(format!("{file}\t{what}\tdiffers without a finding"));
            }
            match excused {
                None if ours == theirs => {}
                Some(expected) if ours != theirs && shown == expected => {}
                _ => wrong.push(format!("{file}\t{what}\t{shown}\t(theirs: {})", theirs.escape_default())),
            }
        }
        // Line ends alone change nothing of it.
        let lf: Vec<u8> = mail.iter().copied().filter(|octet| *octet != b'\r').collect();
        let crlf = lf.split(|octet| *octet == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        let trees = [lf, crlf].map(|mail| tree(&scan(&mail, 0..u64::MAX).unwrap(), 0));
        assert_eq!(trees[0], trees[1], "{file}");
    }
    if all.is_empty() {
        return;
    }
    let _ = writeln!(std::io::stderr(), "mails: {asked} questions");
    wrong.extend(exceptions.keys().map(|(file, what)| format!("{file}\t{what}\tis no exception any more, or gone")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mail_is_opened() {
    for path in files("mail-parser/eml").into_iter().chain(files("mimekit/messages")).chain(files("mimekit/partial")) {
        let mail = std::fs::read(&path).unwrap();
        let opened = open(&mail, &InMemory, &NoKeys).unwrap();
        for entity in &opened.structure.entities {
            assert!(entity.range.end <= mail.len() as u64, "{}", path.display());
            let _ = entity.file_name();
            for field in &entity.header.fields {
                let _ = kakitome_smime::mime::header::decode(entity.header.value(field));
            }
        }
    }
}
