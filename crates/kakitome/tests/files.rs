//! What people hand over instead of a mail is told alike by the library, the command line and the page, with the way from
//! there to the mail. The rows are those of the corpus whose id begins with K.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod program;

use std::fs;

use instance::{Instance, drop_on_page, settings};
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::corpus::rows;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::reason::Reason;
use program::kakitome;
use serde_json::Value;

#[test]
fn every_kind_is_told_at_every_door() {
    let home = tempfile::tempdir().unwrap();
    let up = Instance::start(home.path(), &settings("", ""));
    let mut told = 0;
    // what is confirmed rests on evidence that a row brings along, and is tried where that can be given
    for row in rows().iter().filter(|row| row.id.starts_with('K') && !row.state.ends_with("_CONFIRMED")) {
        let (id, file) = (row.id, home.path().join("file"));
        fs::write(&file, &row.mail).unwrap();

        let opened = open(&row.mail, &InMemory, &NoKeys).unwrap();
        match &opened.layer {
            Layer::NotAMail(finding) => assert_eq!((row.state, finding.code), ("NOT_A_MAIL", row.code), "{id}"),
            _ => assert_ne!(row.state, "NOT_A_MAIL", "{id}"),
        }

        let command = kakitome(home.path(), "check --json --offline file");
        let (status, page) = drop_on_page(up.page(), "format=json", &row.mail);
        assert_eq!(
            (command.status.code(), status),
            (Some(if row.state == "NOT_A_MAIL" { 60 } else { 20 }), 200),
            "{id}"
        );
        for json in [&command.stdout[..], page.as_bytes()] {
            let answer: Value = serde_json::from_slice(json).unwrap();
            assert_eq!((&answer["state"], &answer["reasons"][0]), (&row.state.into(), &row.code.into()), "{id}");
        }
        if row.state != "NOT_A_MAIL" || row.code == "in.not-mail" {
            continue;
        }
        told += 1;
        for lang in Lang::ALL {
            let says = Reason::from_code(row.code).unwrap().explain(lang);
            let tag = lang.tag();
            let command = kakitome(home.path(), &format!("check --lang {tag} --offline file"));
            let (_, page) = drop_on_page(up.page(), &format!("lang={tag}"), &row.mail);
            for text in [String::from_utf8_lossy(&command.stdout).replace("\n  ", ""), page.replace("&apos;", "'")] {
                for words in [says.title, says.todo] {
                    assert!(text.contains(words), "{id} in {tag}: {words}\n{text}");
                }
            }
            assert!(page.contains(&format!("href=\"/help?lang={tag}#")), "{id}: the page leads to the help");
        }
    }
    assert!(told > 30, "{told} rows are told");
}
