//! Who left takes nothing with him: a link to his files that was not used yet gives nothing, and his keys go to nobody but
//! whoever has to read his old mail, by name in the log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs;
use std::path::Path;

use instance::{Instance, http, kakitome, settings};

const SETTINGS: &str =
    "public_url = \"https://mail.example.test\"\n[members]\ndomains = [\"example.test\"]\nkey = \"p-256\"\n";

/// Runs a line; how it ended, and all that it said.
fn say(folder: &Path, line: &str) -> (Option<i32>, String) {
    let output = kakitome(folder).args(line.split(' ')).args(["--config", "k.toml"]).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    (output.status.code(), said)
}

#[test]
fn a_link_and_the_keys_of_somebody_who_left_are_given_to_nobody() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let text = settings("", SETTINGS);
    fs::write(folder.join("k.toml"), &text).unwrap();
    let up = Instance::start(folder, &text);
    for line in ["member add taro@example.test --enrol", "member add hana@example.test --enrol"] {
        assert_eq!(say(folder, line).0, Some(0), "{line}");
    }
    let offer = |address: &str| {
        let (code, said) = say(folder, &format!("deploy link {address} --for outlook --json"));
        assert_eq!(code, Some(0), "{said}");
        let json = &said[said.find('{').unwrap()..=said.rfind('}').unwrap()];
        let offered: serde_json::Value = serde_json::from_str(json).unwrap();
        let link = offered["link"].as_str().unwrap().strip_prefix("https://mail.example.test").unwrap().to_owned();
        (link, offered["code"].as_str().unwrap().to_owned())
    };
    let (taro, hana) = (offer("taro@example.test"), offer("hana@example.test"));
    let look = |link: &str| http(up.page(), &format!("GET {link} HTTP/1.1"), &[]).0;
    assert_eq!((look(&taro.0), look(&hana.0)), (200, 200));
    assert_eq!(say(folder, "member leave taro@example.test").0, Some(0));
    // His link is one that never was; hers stands.
    assert_eq!((look(&taro.0), look(&hana.0)), (404, 200));
    let form = format!("code={}", taro.1);
    let (code, page) = http(up.page(), &format!("POST {}?lang=en HTTP/1.1", taro.0), &[form.as_bytes()]);
    assert_eq!(code, 404, "{page}");
    let (_, log) = say(folder, "audit show --act pickup.withdrawn");
    assert!(log.contains("taro@example.test") && !log.contains("hana@"), "{log}");
    // Coming back does not bring the link back.
    say(folder, "member rejoin taro@example.test");
    assert_eq!(look(&taro.0), 404);
    say(folder, "member leave taro@example.test");

    let rows = [
        ("deploy files taro@example.test --for outlook -o no", 60, "is no member's any more"),
        ("deploy link taro@example.test --for outlook", 60, "is no member's any more"),
        ("deploy files taro@example.test --for exchange -o ca", 0, "kakitome-ca.sst"),
        ("deploy files taro@example.test --for outlook --also-left --password-to code.txt -o old", 0, "taro-at-"),
    ];
    for (line, expected, says) in rows {
        let (code, said) = say(folder, line);
        assert!(code == Some(expected) && said.contains(says), "{line}: {code:?} {said}");
    }
    assert!(!folder.join("no").exists());
    let (_, log) = say(folder, "audit show --act key.exported");
    assert_eq!(log.lines().count(), 1, "the key that opens, and not the one that signed: {log}");
    assert!(log.contains("taro@example.test") && log.contains("user:"), "{log}");

    // An address that was given up is nobody's, too.
    for line in ["member change hana@example.test --add h@example.test", "member enrol hana@example.test"] {
        assert_eq!(say(folder, line).0, Some(0), "{line}");
    }
    assert_eq!(say(folder, "member change hana@example.test --give-up h@example.test").0, Some(0));
    assert_eq!(say(folder, "deploy files h@example.test --for outlook -o no").0, Some(60));

    // What counts and what is renewed.
    let (_, listed) = say(folder, "cert list --all");
    for (address, usage, expected) in [
        ("taro@example.test", "sign", "revoked 2"),
        ("taro@example.test", "encrypt", "not renewed"),
        ("hana@example.test", "sign", "renewed 2"),
        ("h@example.test", "encrypt", "not renewed"),
    ] {
        let is_it = |line: &&str| line.starts_with(&format!("{address} ")) && line.contains(usage);
        let line = listed.lines().find(is_it).unwrap_or_else(|| panic!("{address} {usage}: {listed}"));
        assert!(line.contains(expected), "{line}");
    }
}
