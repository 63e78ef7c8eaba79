//! `/readyz` tells part by part. A case is a row: what is broken, the part that says so, and how it is mended.

use std::fs;
use std::path::Path;

use kakitome_office::store::Store;

use super::instance::{Instance, http, settings};
use super::sink::{Does, Sink};
use super::{reload, until};

struct House {
    up: Instance,
    folder: tempfile::TempDir,
    outbound: Sink,
    inbound: Sink,
}

struct Row {
    part: &'static str,
    breaks: fn(&House),
    mends: fn(&House),
}

const ROWS: [Row; 7] = [
    Row {
        part: "store",
        breaks: |house| rename_table(house, "anchor", "gone"),
        mends: |house| rename_table(house, "gone", "anchor"),
    },
    Row {
        part: "vault",
        breaks: |house| rename(house, "sealing.key", "gone"),
        mends: |house| rename(house, "gone", "sealing.key"),
    },
    Row {
        part: "journal",
        breaks: |house| rename(house, "journal", "gone"),
        mends: |house| rename(house, "gone", "journal"),
    },
    Row {
        part: "spool",
        breaks: |house| rename(house, "spool", "gone"),
        mends: |house| rename(house, "gone", "spool"),
    },
    Row { part: "disk", breaks: |house| with_room(house, 100), mends: |house| with_room(house, 0) },
    Row {
        part: "next hop outbound",
        breaks: |house| house.outbound.now(Does::Refuses),
        mends: |house| house.outbound.now(Does::Takes),
    },
    Row {
        part: "next hop inbound",
        breaks: |house| house.inbound.now(Does::Closes),
        mends: |house| house.inbound.now(Does::Takes),
    },
];

fn rename(house: &House, from: &str, to: &str) {
    fs::rename(house.up.data().join(from), house.up.data().join(to)).unwrap();
}

fn rename_table(house: &House, from: &str, to: &str) {
    let store = Store::open(&house.up.data()).unwrap();
    store.write(|s| s.run(&format!("ALTER TABLE {from} RENAME TO {to}"), &[]).map(drop)).unwrap();
}

fn written(outbound: &Sink, inbound: &Sink, least: u8) -> String {
    settings(
        &format!("next_hop = '{}'\nmin_free_disk = {least}", outbound.address),
        &format!("[inbound]\nnext_hop = '{}'", inbound.address),
    )
}

fn with_room(house: &House, least: u8) {
    let text = written(&house.outbound, &house.inbound, least);
    reload(&house.up, house.folder.path(), &text);
}

fn asked(up: &Instance) -> (u16, String) {
    http(up.page(), "GET /readyz HTTP/1.1", &[])
}

#[test]
fn each_part_that_fails_is_named_and_the_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (outbound, inbound) = (Sink::start(), Sink::start());
    let up = Instance::start(folder.path(), &written(&outbound, &inbound, 0));
    let house = House { up, folder, outbound, inbound };
    let all: Vec<String> = ROWS.iter().map(|row| format!("{}: ok", row.part)).collect();
    let (status, text) = asked(&house.up);
    assert_eq!(
        (status, text.lines().collect::<Vec<_>>()),
        (200, [vec!["ready"], all.iter().map(String::as_str).collect()].concat())
    );
    for Row { part, breaks, mends } in &ROWS {
        breaks(&house);
        let (status, text) = asked(&house.up);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((status, lines.first()), (503, Some(&"not ready")), "{part}: {text}");
        for line in &lines[1..] {
            let is_named = line.starts_with(&format!("{part}: "));
            assert_eq!(line.ends_with(": ok"), !is_named, "{part}: {text}");
        }
        mends(&house);
        until(&format!("{part} is mended"), || asked(&house.up).0 == 200);
    }
    is_private(&house.up);
}

/// Whoever comes through a proxy hears nothing of it, and everybody hears that the process lives.
fn is_private(up: &Instance) {
    assert_eq!(http(up.page(), "GET /readyz HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1", &[]).0, 403);
    assert_eq!(http(up.page(), "GET /healthz HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1", &[]), (200, "ok\n".to_owned()));
}

#[test]
fn the_maildir_is_a_next_hop_too() {
    let folder = tempfile::tempdir().unwrap();
    let up = Instance::start(folder.path(), &settings("", ""));
    assert_eq!(asked(&up).0, 200);
    let moved = |from: &Path, to: &Path| fs::rename(from, to).unwrap();
    let (there, gone) = (up.maildir(), folder.path().join("gone"));
    moved(&there, &gone);
    let (status, text) = asked(&up);
    assert!(status == 503 && text.contains("next hop outbound: the Maildir: "), "{text}");
    moved(&gone, &there);
    assert_eq!(asked(&up).0, 200);
}
