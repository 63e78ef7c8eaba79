//! `kill -9` at any moment loses nothing that was answered with 250, and leaves nothing half-written under `new`.
//!
//! This is about the process. That the bytes are on the disk before 250 (fsync of file and directory) no test without a
//! power cut can show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use instance::{Client, Instance, mail, run, settings, stored};
use kakitome_office::spool::{FileOctets, SpoolDirectory};
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};

const ROUNDS: u64 = 20;
const CLIENTS: u64 = 4;
/// The kill comes after fewer than so many mails of the round were answered ...
const MOST_MAILS: u64 = 16;
/// ... and fewer than so many milliseconds more. (By the clock alone, a busy machine would be killed before any.)
const MOST_MILLISECONDS: u64 = 40;
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

/// xorshift64: the moments are the same in every run.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Sends numbered mails until the connection breaks; says of each that was answered with 250 where it lies.
fn send_until_it_breaks(
    door: SocketAddr,
    round: u64,
    client: u64,
    date: &str,
    taken: &Mutex<BTreeMap<String, String>>,
) {
    let session = || -> io::Result<()> {
        let mut connection = Client::connect(door)?;
        connection.greet("SMTP")?;
        for number in 0.. {
            let name = format!("mail {round}-{client}-{number}");
            // some stay in memory, some go by the spool's file
            let lines = if number % 3 == 0 { 6000 } else { 10 };
            let body =
                format!("{name}\r\n{}the end of {name}\r\n", "a line of the mail, as there are many\r\n".repeat(lines));
            let from = format!("member{client}@example.test");
            let mail = mail_of(&from, &name, &body, date);
            let reply = connection.send(&from, mail.as_bytes())?;
            let file = stored(&reply).unwrap_or_else(|| panic!("answered with {reply}"));
            taken.lock().unwrap().insert(name, file.to_owned());
        }
        Ok(())
    };
    session().unwrap_err();
}

fn mail_of(from: &str, name: &str, body: &str, date: &str) -> String {
    format!("From: {from}\r\nTo: bob@example.net\r\nSubject: {name}\r\nDate: {date}\r\n\r\n{body}")
}

/// Is the mail in this file whole, and signed?
fn is_whole(path: &Path, spools: &SpoolDirectory) -> bool {
    let octets = FileOctets::open(path).unwrap();
    let opened = open(&octets, spools, &NoKeys).unwrap();
    matches!(opened.layer, Layer::Signed(layer) if layer.outcome.verified.is_some())
}

#[test]
fn nothing_that_was_answered_with_250_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings("", "[members]\nkey = \"p-256\"");
    let taken = Mutex::new(BTreeMap::new());
    let date = instance::date();
    let mut moments = Moments(SEED);
    for round in 0..ROUNDS {
        let mut up = Instance::start(home.path(), &settings);
        let door = up.door("SMTP", "outbound");
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (taken, date) = (&taken, &date);
                scope.spawn(move || send_until_it_breaks(door, round, client, date, taken));
            }
            let wanted = taken.lock().unwrap().len() + usize::try_from(moments.below(MOST_MAILS)).unwrap();
            let end = Instant::now() + instance::PATIENCE;
            while taken.lock().unwrap().len() < wanted && Instant::now() < end {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_millis(moments.below(MOST_MILLISECONDS)));
            up.kill();
        });
        assert!(!up.log().contains("panic"), "{}", up.log());
    }

    let up = Instance::start(home.path(), &settings);
    let spools = SpoolDirectory::new(home.path().join("spool")).unwrap();
    let taken = taken.into_inner().unwrap();
    assert!(taken.len() > 100, "only {} mails were taken: the test shows nothing", taken.len());
    for (name, file) in &taken {
        let path = up.maildir().join("new").join(file);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{name} is lost: {error}"));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(&format!("the end of {name}\r\n")), "{name} is not whole: {text}");
    }
    let there = up.mails("new");
    for path in &there {
        assert!(is_whole(path, &spools), "{} is half-written", path.display());
    }
    assert!(there.len() >= taken.len());
    // and the program itself says so of the last one: the CA is still the one that signed it
    let checked = run(home.path(), &["check", there.last().unwrap().to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
    println!("{} mails answered with 250, {} in the Maildir", taken.len(), there.len());
}

#[test]
fn a_first_start_that_is_killed_can_be_repeated() {
    for after in (0..200).step_by(20) {
        let home = tempfile::tempdir().unwrap();
        let settings = settings("", "");
        let mut first = Instance::spawn(home.path(), &settings);
        thread::sleep(Duration::from_millis(after));
        first.kill();
        let up = Instance::start(home.path(), &settings);
        let (_, arrived) = up.submit("a@example.test", mail("a@example.test", "hello", "Hello.\r\n").as_bytes());
        fs::write(home.path().join("mail.eml"), arrived).unwrap();
        let checked = run(home.path(), &["check", "mail.eml"]);
        assert_eq!(
            checked.status.code(),
            Some(0),
            "killed after {after} ms: {}",
            String::from_utf8_lossy(&checked.stdout)
        );
    }
}
