//! `kakitome up` as a new user sees it: started in an empty directory, used by the lines that it prints, stopped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use instance::{Client, Instance, drop_on_page, kakitome, mail, run, settings, stored};

const ALICE: &str = "alice@example.test";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The answer of `kakitome check --json`: the exit code and the wire form.
fn check(folder: &Path, mail: &Path) -> (i32, serde_json::Value) {
    let out = run(folder, &["check", "--json", mail.to_str().unwrap()]);
    (out.status.code().unwrap(), serde_json::from_slice(&out.stdout).unwrap())
}

/// The line that `up` printed for the newcomer which begins with this word, run by a shell in his directory.
fn printed_line(up: &Instance, folder: &Path, word: &str) -> std::process::Output {
    let log = up.log();
    let line = log.lines().map(str::trim).find(|line| line.starts_with(word));
    let line = line.unwrap_or_else(|| panic!("no line {word:?} in\n{log}"));
    let program = Path::new(env!("CARGO_BIN_EXE_kakitome")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path).env("LC_ALL", "C").output().unwrap()
}

#[test]
fn a_newcomer_sees_a_signed_mail() {
    let Some([_, openssl]) = peers::programs("up", ["curl", "openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let up = Instance::start(folder, &settings("", ""));
    assert_eq!(fs::metadata(up.data()).unwrap().permissions().mode() & 0o777, 0o700);

    // the printed line, as it stands
    let curl = printed_line(&up, folder, "printf ");
    assert!(curl.status.success(), "{}", text(&curl.stderr));
    let mails = up.mails("new");
    assert_eq!(mails.len(), 1, "{}", up.log());
    let signed = fs::read(&mails[0]).unwrap();
    assert!(text(&signed).contains("Content-Type: multipart/signed"), "{}", text(&signed));

    // an outside program agrees, given the anchors that are printed
    fs::write(folder.join("anchors.pem"), up.anchors()).unwrap();
    let confirm = |mail: &Path| {
        let verify = ["cms", "-verify", "-CAfile", "anchors.pem", "-in", mail.to_str().unwrap()];
        Command::new(&openssl).args(verify).current_dir(folder).output().unwrap()
    };
    let answer = confirm(&mails[0]);
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    assert!(text(&answer.stdout).contains("\r\nHello.\r\n"), "{}", text(&answer.stdout));

    // so do we: by the printed line, and for programs
    let said = printed_line(&up, folder, concat!(env!("CARGO_BIN_EXE_kakitome"), " check "));
    assert_eq!(said.status.code(), Some(0), "{}{}", text(&said.stdout), text(&said.stderr));
    let (code, answer) = check(folder, &mails[0]);
    assert_eq!((code, answer["state"].as_str()), (0, Some("LOCAL_CONFIRMED")), "{answer}");
    assert_eq!(answer["who"]["address"], ALICE, "{answer}");

    // the page says the same, in both languages
    let (status, json) = drop_on_page(up.page(), "format=json", &signed);
    let on_page: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, on_page["state"].as_str()), (200, Some("LOCAL_CONFIRMED")), "{json}");
    for lang in ["ja", "en"] {
        let (status, html) = drop_on_page(up.page(), &format!("lang={lang}"), &signed);
        assert_eq!(status, 200);
        assert!(html.contains(&format!("<html lang=\"{lang}\">")), "{html}");
        let headline = on_page["headline"][lang].as_str().unwrap();
        assert!(html.contains(headline), "{headline:?} is not in\n{html}");
    }

    // every body byte counts
    let body = text(&signed).find("Hello.\r\n").unwrap();
    let altered = folder.join("altered.eml");
    for place in [body, body + 5] {
        let mut bytes = signed.clone();
        bytes[place] ^= 1;
        fs::write(&altered, &bytes).unwrap();
        let (code, answer) = check(folder, &altered);
        assert_eq!((code, answer["state"].as_str()), (40, Some("ALTERED")), "{answer}");
        assert!(!confirm(&altered).status.success());
        let (_, json) = drop_on_page(up.page(), "format=json", &bytes);
        assert!(json.contains("\"state\": \"ALTERED\""), "{json}");
    }
}

/// One instance is the partner of another, which is not started again meanwhile.
#[test]
fn what_the_operator_chooses_counts_on_the_page_at_once() {
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let partner = Instance::start(theirs.path(), &settings("", ""));
    let (_, signed) = partner.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    fs::write(ours.path().join("partner.pem"), partner.anchors()).unwrap();
    drop(partner);

    let up = Instance::start(ours.path(), &settings("", ""));
    let answer = || -> serde_json::Value {
        let (status, json) = drop_on_page(up.page(), "format=json", &signed);
        assert_eq!(status, 200, "{json}");
        serde_json::from_str(&json).unwrap()
    };
    assert_eq!(answer()["reasons"][0], "path.unknown", "{}", answer());
    let rows: &[(&[&str], &str, &str)] = &[
        (&["trust", "add", "--yes", "partner.pem"], "LOCAL_CONFIRMED", "ok"),
        (
            &["trust", "add", "--yes", "--only", "elsewhere.example", "partner.pem"],
            "ISSUER_UNKNOWN",
            "path.nameconstraint",
        ),
        (&["trust", "add", "--yes", "--only", "example.test", "partner.pem"], "LOCAL_CONFIRMED", "ok"),
    ];
    for (line, state, reason) in rows {
        let out = run(ours.path(), line);
        assert!(out.status.success(), "{line:?}: {}", text(&out.stderr));
        let answer = answer();
        let told = (answer["state"].as_str(), answer["reasons"][0].as_str());
        assert_eq!(told.1, Some(*reason), "{line:?}: {answer}");
        // A limit is told as what is wrong with the certificate.
        assert!(told.0 == Some(state) || *reason != "ok", "{line:?}: {answer}");
    }
    let named = |answer: serde_json::Value| answer["trust_list"].as_str().unwrap().to_owned();
    assert!(named(answer()).ends_with("+2"), "the own CA and the partner's: {}", answer());
}

#[test]
fn what_may_not_be_signed_passes_byte_for_byte() {
    let home = tempfile::tempdir().unwrap();
    let up = Instance::start(home.path(), &settings("", ""));
    let hello = |from: &str| mail(from, "hello", "Hello.\r\n.dot\r\n\tend \r\n").into_bytes();
    let (reply, signed) = up.submit(ALICE, &hello("Alice <alice@example.test>"));
    assert!(text(&signed).contains("multipart/signed"), "{}", up.log_of(&reply));
    assert!(up.log_of(&reply).contains("action=\"signed\""), "{}", up.log_of(&reply));

    // door, envelope sender, mail, the reason in the log
    type Row<'a> = (&'a str, &'a str, &'a str, Vec<u8>, &'a str);
    let rows: Vec<Row<'_>> = vec![
        ("LMTP", "inbound", ALICE, hello(ALICE), "NOT_SIGNED mime.none"),
        ("LMTP", "inbound", "", hello(ALICE), "NOT_SIGNED mime.none"),
        ("SMTP", "outbound", ALICE, hello("alice@elsewhere.example"), "From is not in a member domain"),
        ("LMTP", "outbound", ALICE, hello("alice@sub.example.test"), "From is not in a member domain"),
        ("SMTP", "outbound", ALICE, hello("alice@example.test.evil.example"), "From is not in a member domain"),
        ("SMTP", "outbound", ALICE, hello("\"alice@example.test\" <a@evil.example>"), "From is not in a member domain"),
        ("SMTP", "outbound", ALICE, hello("a@example.test, b@example.test"), "From names more than one mailbox"),
        ("SMTP", "outbound", ALICE, hello("a@example.test\r\nFrom: b@example.test"), "more than one From field"),
        ("SMTP", "outbound", ALICE, hello("undisclosed:;"), "From is not one address"),
        ("SMTP", "outbound", ALICE, b"Subject: no From\r\n\r\nHello.\r\n".to_vec(), "no From"),
        ("SMTP", "outbound", "", hello(ALICE), "null sender"),
        ("SMTP", "outbound", ALICE, signed, "the mail is signed or encrypted already"),
    ];
    for (protocol, direction, sender, mail, reason) in rows {
        let (reply, arrived) = up.hand_in(protocol, direction, sender, &mail);
        // What comes from outside carries our answer in front; nothing else of it is another.
        let (action, arrived) = match direction {
            "inbound" => {
                ("checked", text(&arrived).split_once("not signed.\r\n").map_or("", |(_, mail)| mail).to_owned())
            }
            _ => ("passed", text(&arrived)),
        };
        assert_eq!(arrived, text(&mail), "{reason}");
        let line = up.log_of(&reply);
        assert!(
            line.contains(&format!("action=\"{action}\"")) && line.contains(&format!("reason=\"{reason}\"")),
            "{line}"
        );
    }
}

#[test]
fn the_switch_passes_members_mail_too() {
    let home = tempfile::tempdir().unwrap();
    let up = Instance::start(home.path(), &settings("mode = \"pass\"", ""));
    let sent = mail(ALICE, "hello", "Hello.\r\n");
    let (reply, arrived) = up.submit(ALICE, sent.as_bytes());
    assert_eq!(text(&arrived), sent);
    assert!(up.log_of(&reply).contains("gateway.mode is \\\"pass\\\""), "{}", up.log_of(&reply));
}

#[test]
fn ca_and_certificates_outlive_a_restart() {
    for key in ["rsa-2048", "p-256"] {
        let home = tempfile::tempdir().unwrap();
        let settings = settings("", &format!("[members]\nkey = \"{key}\""));
        let mut seen = Vec::new();
        for _ in 0..2 {
            let mut up = Instance::start(home.path(), &settings);
            let (reply, _) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
            let line = up.log_of(&reply);
            let (_, serial) = line.split_once("certificate ").unwrap_or_else(|| panic!("no certificate in {line}"));
            let serial: String = serial.chars().take_while(char::is_ascii_alphanumeric).collect();
            let name = up.maildir().join("new").join(stored(&reply).unwrap());
            let (code, answer) = check(home.path(), &name);
            assert_eq!((code, answer["state"].as_str()), (0, Some("LOCAL_CONFIRMED")), "{answer}");
            let algorithm = if key == "p-256" { "P-256" } else { "RSA" };
            assert!(answer["expert"].to_string().contains(algorithm), "{answer}");
            seen.push((up.anchors(), serial));
            up.terminate();
            assert_eq!(up.wait().code(), Some(0), "{}", up.log());
        }
        assert!(!seen[0].1.is_empty());
        assert_eq!(seen[0], seen[1], "{key}");
    }
}

#[test]
fn what_stands_in_the_way_of_a_start_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let doors = format!("listeners = [{{ protocol = \"smtp\", address = \"{taken}\", direction = \"outbound\" }}]");
    let page = "[web]\naddress = \"127.0.0.1:0\"\n";
    // the settings, the mode of a data directory that is there before, the exit code, what is said
    let rows = [
        ("[gateway]\nnext_hopp = \"x\"\n".to_owned(), None, 2, vec!["gateway.next_hopp", "unknown key"]),
        ("[nonsense]\na = 1\n".to_owned(), None, 2, vec!["nonsense"]),
        ("[members]\nkey = \"rsa-512\"\n".to_owned(), None, 2, vec!["members.key", "rsa-512", "p-256"]),
        (format!("[gateway]\n{doors}\n{page}"), None, 75, vec!["gateway.listeners", "in use"]),
        (
            settings("", "").replace("address = \"127.0.0.1:0\"\n", &format!("address = \"{taken}\"\n")),
            None,
            75,
            vec!["web.address", "in use"],
        ),
        (settings("", ""), Some(0o755), 75, vec!["kakitome-data", "chmod 700"]),
        (settings("", ""), Some(0o710), 75, vec!["kakitome-data", "chmod 700"]),
    ];
    for (settings, mode, code, said) in rows {
        let home = tempfile::tempdir().unwrap();
        if let Some(mode) = mode {
            let data = home.path().join("kakitome-data");
            fs::create_dir(&data).unwrap();
            fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut up = Instance::spawn(home.path(), &settings);
        let ended = up.wait();
        assert_eq!(ended.code(), Some(code), "{settings}\n{}", up.log());
        for words in said {
            assert!(up.log().contains(words), "{words:?} is not in\n{}", up.log());
        }
    }
}

#[test]
fn one_data_directory_has_one_server() {
    let home = tempfile::tempdir().unwrap();
    let up = Instance::start(home.path(), &settings("", ""));
    let second = kakitome(home.path()).args(["up", "--config", "kakitome.toml"]).output().unwrap();
    assert_eq!(second.status.code(), Some(75), "{}", text(&second.stderr));
    let said = text(&second.stderr);
    assert!(said.contains("kakitome-data") && said.contains("another kakitome is running"), "{said}");
    assert!(said.lines().count() <= 2, "{said}");
    // the first did not suffer
    let (_, arrived) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    assert!(text(&arrived).contains("multipart/signed"));
}

#[test]
fn a_stop_finishes_mail_in_flight_or_leaves_it_to_the_sender() {
    for finishes in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let mut up = Instance::start(home.path(), &settings("", ""));
        let door = up.door("SMTP", "outbound");
        let (mut busy, mut idle) = (Client::connect(door).unwrap(), Client::connect(door).unwrap());
        busy.greet("SMTP").unwrap();
        idle.greet("SMTP").unwrap();
        busy.begin(ALICE).unwrap();
        busy.write(mail(ALICE, "slow", &"Half of it.\r\n".repeat(40_000)).as_bytes()).unwrap();
        up.terminate();
        assert!(idle.reply().unwrap().starts_with("421 "), "the idle are told");
        // the doors close in a task of their own, a moment before or after the idle are told
        let closed = (0..250).any(|_| {
            Client::connect(door).is_err() || {
                thread::sleep(Duration::from_millis(20));
                false
            }
        });
        assert!(closed, "nothing new is taken");
        if finishes {
            thread::sleep(Duration::from_millis(200));
            busy.write(b"The other half.\r\n.\r\n").unwrap();
            let reply = busy.reply().unwrap();
            let name = stored(&reply).unwrap_or_else(|| panic!("{reply}"));
            let arrived = text(&fs::read(up.maildir().join("new").join(name)).unwrap());
            assert!(arrived.contains("multipart/signed") && arrived.contains("The other half."));
        }
        drop(busy);
        assert_eq!(up.wait().code(), Some(0), "{}", up.log());
        assert_eq!(up.mails("new").len(), usize::from(finishes), "{}", up.log());
        assert!(up.mails("tmp").is_empty());
    }
}
