//! The memory of the program itself: a mail of 100 MB is signed on its way through `up`, checked by `check`, and one of
//! 45 MB is dropped on the page, each by a process that stays small.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use instance::{Client, Instance, drop_on_page, kakitome, peak_kib, settings, stored};

/// The most that a process may ever have held, in KiB.
const PEAK_KIB: u64 = 64 * 1024;
const ALICE: &str = "alice@example.test";

/// A mail with one attachment in base64, of about so many bytes.
fn mail_with_attachment(size: usize) -> Vec<u8> {
    let head = format!(
        "From: {ALICE}\r\nTo: bob@example.net\r\nSubject: large\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=large\r\n\r\n--large\r\n\r\nSee the attachment.\r\n\r\n--large\r\n\
         Content-Type: application/octet-stream; name=data.bin\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=data.bin\r\n\r\n",
        instance::date()
    );
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let mut mail = head.into_bytes();
    while mail.len() < size {
        mail.extend_from_slice(line.as_bytes());
    }
    mail.extend_from_slice(b"\r\n--large--\r\n");
    mail
}

#[test]
fn a_mail_of_100_mb_needs_little_memory() {
    let home = tempfile::tempdir().unwrap();
    let up = Instance::start(home.path(), &settings("", ""));
    let begun = Instant::now();
    let mut client = Client::connect(up.door("SMTP", "outbound")).unwrap();
    client.greet("SMTP").unwrap();
    let mail = mail_with_attachment(100_000_000);
    let reply = client.send(ALICE, &mail).unwrap();
    let signed = up.maildir().join("new").join(stored(&reply).unwrap_or_else(|| panic!("{reply}\n{}", up.log())));
    assert!(up.log_of(&reply).contains("action=\"signed\""), "{}", up.log_of(&reply));
    assert!(fs::metadata(&signed).unwrap().len() > mail.len() as u64);
    let peak = up.peak_kib();
    println!("up: peak {peak} KiB, {:?}", begun.elapsed());
    assert!(peak < PEAK_KIB, "the peak of up was {peak} KiB");

    let begun = Instant::now();
    let mut check = kakitome(home.path())
        .args(["check", "--json", signed.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // the peak only grows, so the last look is the one that counts
    let mut peak = 0;
    let ended = loop {
        peak = peak_kib(check.id()).unwrap_or(peak);
        if let Some(ended) = check.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(2));
    };
    println!("check: peak {peak} KiB, {:?}", begun.elapsed());
    assert_eq!(ended.code(), Some(0));
    assert!((1..PEAK_KIB).contains(&peak), "the peak of check was {peak} KiB");

    let begun = Instant::now();
    let (reply, small) = up.submit(ALICE, &mail_with_attachment(45_000_000));
    assert!(up.log_of(&reply).contains("action=\"signed\""));
    let (status, json) = drop_on_page(up.page(), "format=json", &small);
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, answer["state"].as_str()), (200, Some("LOCAL_CONFIRMED")), "{json}");
    let peak = up.peak_kib();
    println!("up after the page: peak {peak} KiB, {:?}", begun.elapsed());
    assert!(peak < PEAK_KIB, "the peak of up after the page was {peak} KiB");
}
