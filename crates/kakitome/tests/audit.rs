//! The log of what was done at the command line: signed, noted elsewhere, and verified by somebody without Kakitome.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod peers;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn kakitome(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kakitome"));
    command.current_dir(folder).args(line.split_whitespace()).env_remove("KAKITOME_DATA");
    command.env("KAKITOME_LANG", "en").output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs it, and gives what it printed.
fn done(folder: &Path, line: &str) -> String {
    let output = kakitome(folder, line);
    assert!(output.status.success(), "{line}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_checkpoint_that_was_noted_elsewhere_binds_the_log() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = home.path();
    for (line, code, says) in [("audit checkpoint", 60, "there is no store here yet"), ("audit key", 60, "no store")] {
        let output = kakitome(folder, line);
        assert!(output.status.code() == Some(code) && text(&output).contains(says), "{line}: {}", text(&output));
    }
    done(folder, "member add taro@example.test");
    let output = kakitome(folder, "audit key");
    assert!(output.status.code() == Some(60) && text(&output).contains("never signed"), "{}", text(&output));
    done(folder, "audit checkpoint -o checkpoint.jsonl");
    let key = done(folder, "audit key").trim().to_owned();
    // One that is noted again is the same, as long as nothing was done.
    assert_eq!(done(folder, "audit checkpoint"), fs::read_to_string(folder.join("checkpoint.jsonl")).unwrap());
    done(folder, "member add hana@example.test");
    done(folder, "audit export -o log.jsonl");

    // The log of another house, which its owner would show in place of this one.
    let other = elsewhere.path();
    done(other, "member add jiro@example.test");
    done(other, "audit checkpoint -o checkpoint.jsonl");
    done(other, "audit export -o log.jsonl");
    fs::copy(other.join("checkpoint.jsonl"), folder.join("other.jsonl")).unwrap();
    fs::copy(other.join("log.jsonl"), folder.join("other-log.jsonl")).unwrap();
    fs::write(folder.join("empty.jsonl"), "").unwrap();

    let rows = [
        ("audit verify".to_owned(), 0, "by the key"),
        ("audit verify --checkpoint checkpoint.jsonl".to_owned(), 0, "were signed at"),
        (format!("audit verify --key {key}"), 0, "Nothing was changed"),
        (format!("audit verify --from-export log.jsonl --key {key}"), 0, "Nothing was changed"),
        ("audit verify --from-export log.jsonl --checkpoint checkpoint.jsonl --json".to_owned(), 0, "\"whole\": true"),
        ("audit verify --checkpoint other.jsonl".to_owned(), 40, "none of those that were noted elsewhere"),
        (format!("audit verify --from-export other-log.jsonl --key {key}"), 40, "no checkpoint is by a key"),
        ("audit verify --from-export other-log.jsonl --checkpoint checkpoint.jsonl".to_owned(), 40, "no entry has"),
        ("audit verify --checkpoint log.jsonl".to_owned(), 60, "log.jsonl: line 1 is no entry of the log: it is no ch"),
        ("audit verify --checkpoint empty.jsonl".to_owned(), 60, "the file is empty"),
        ("audit verify --key 12ab".to_owned(), 2, "64 hexadecimal digits"),
    ];
    for (line, code, says) in rows {
        let output = kakitome(folder, &line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", text(&output));
        assert!(text(&output).contains(says), "{line}: {}", text(&output));
    }
}

/// As docs/audit.md tells it.
#[test]
fn openssl_verifies_what_an_export_says() {
    let Some([openssl]) = peers::programs("the checkpoints of the log", ["openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    done(folder, "member add taro@example.test");
    done(folder, "audit checkpoint");
    done(folder, "audit export -o log.jsonl");
    fs::write(folder.join("log-key.pem"), done(folder, "audit key --pem")).unwrap();
    let log = fs::read_to_string(folder.join("log.jsonl")).unwrap();
    let last = log.lines().rfind(|line| line.contains(r#""act":"log.signed""#)).unwrap();
    let last: serde_json::Value = serde_json::from_str(last).unwrap();
    let details: serde_json::Value = serde_json::from_str(last["details"].as_str().unwrap()).unwrap();
    let verify = |number: u64| {
        let (previous, time) = (last["previous"].as_str().unwrap(), last["time"].as_str().unwrap());
        fs::write(folder.join("signed.txt"), format!("kakitome-checkpoint-1\n{number}\n{previous}\n{time}\n")).unwrap();
        fs::write(folder.join("signature.der"), STANDARD.decode(details["signature"].as_str().unwrap()).unwrap())
            .unwrap();
        let line = "dgst -sha256 -verify log-key.pem -signature signature.der signed.txt";
        text(&Command::new(&openssl).args(line.split(' ')).current_dir(folder).output().unwrap())
    };
    let number = last["number"].as_u64().unwrap();
    assert!(verify(number - 1).contains("Verified OK"), "{}", verify(number - 1));
    assert!(verify(number).contains("Verification failure"), "{}", verify(number));
}
