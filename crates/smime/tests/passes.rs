//! How often a mail is read, and how much is copied: costs counted in octets, which no machine and no load can blur.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::write::Signer;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::encoding::Base64Writer;
use kakitome_smime::mime::scan::scan;
use kakitome_smime::octets::{Octets, Spool, Spools};
use kakitome_testkit::{FixedRandom, NOW, Pki};

/// Octets that count how many of them are read.
struct Counted {
    octets: Vec<u8>,
    read: AtomicU64,
}

impl Counted {
    fn new(octets: Vec<u8>) -> Self {
        Self { octets, read: AtomicU64::new(0) }
    }

    /// How often every octet was read, on average, since this was asked last.
    fn passes(&self) -> f64 {
        self.read.swap(0, Ordering::Relaxed) as f64 / self.octets.len() as f64
    }
}

impl Octets for Counted {
    fn len(&self) -> u64 {
        Octets::len(&self.octets)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let count = self.octets.read_at(offset, into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Spools that count what is written to them.
#[derive(Clone, Default)]
struct CountedSpools(Arc<AtomicU64>);

impl Spools for CountedSpools {
    fn spool(&self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(CountedSpool(self.clone(), Vec::new())))
    }
}

struct CountedSpool(CountedSpools, Vec<u8>);

impl Write for CountedSpool {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.0.fetch_add(octets.len() as u64, Ordering::Relaxed);
        self.1.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spool for CountedSpool {
    fn finish(self: Box<Self>) -> io::Result<Box<dyn Octets>> {
        Ok(Box::new(self.1))
    }
}

/// A mail with an attachment of two million octets behind a text.
fn mail(text: &str) -> Counted {
    let head = "From: info@bank.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let label = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let mut attachment = Base64Writer::new(Vec::new());
    let octets: Vec<u8> = (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    attachment.write_all(&octets).unwrap();
    let attachment = attachment.finish().unwrap();
    let parts = format!("--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\n{label}");
    Counted::new([head.as_bytes(), parts.as_bytes(), &attachment, b"\r\n--b--\r\n"].concat())
}

/// Signs, and says how often the mail was read until the signature was asked for, and how often to write it.
fn signed(mail: &Counted, form: Form) -> (Counted, f64, f64) {
    let holder = &Pki::get().bank;
    let algorithm = holder.key.algorithm();
    let chain = [holder.certificate.clone()];
    let signer = Signer::new(&holder.certificate, &chain, algorithm, algorithm.digest().unwrap()).unwrap();
    let draft = Draft::new(mail).unwrap().unwrap();
    let asked = draft.request(&signer, Some(NOW)).unwrap();
    let until_asked = mail.passes();
    let signature = holder.key.sign(algorithm, asked.octets()).unwrap();
    let mut out = Vec::new();
    asked.write(form, &signature, &FixedRandom, &mut out).unwrap();
    (Counted::new(out), until_asked, mail.passes())
}

/// Opens a signed mail, which must be good; says how often it was read, and how much of it was spooled.
fn opened(mail: &Counted) -> (f64, f64) {
    let spools = CountedSpools::default();
    let opened = open(mail, &spools, &NoKeys).unwrap();
    let Layer::Signed(layer) = &opened.layer else { panic!("no signed layer") };
    assert!(layer.outcome.verified.is_some(), "{:?}", layer.outcome.findings);
    (mail.passes(), spools.0.load(Ordering::Relaxed) as f64 / mail.octets.len() as f64)
}

fn about(passes: f64, expected: f64) -> bool {
    (passes - expected).abs() < 0.05
}

#[test]
fn signing_reads_a_mail_once_and_copies_it_once() {
    let safe = mail("hello");
    for form in [Form::Clear, Form::Opaque] {
        let (_, until_asked, to_write) = signed(&safe, form);
        assert!(about(until_asked, 1.0) && about(to_write, 1.0), "{until_asked} {to_write}");
    }
    // What has to be encoded anew is known only when it was read.
    let (_, until_asked, to_write) = signed(&mail("caf\u{e9}"), Form::Clear);
    assert!(about(until_asked, 2.0) && about(to_write, 1.0), "{until_asked} {to_write}");
}

#[test]
fn a_clear_signed_mail_is_read_once() {
    let (mail, ..) = signed(&mail("hello"), Form::Clear);
    let (passes, spooled) = opened(&mail);
    assert!(about(passes, 1.0) && about(spooled, 0.0), "{passes} {spooled}");
    // micalg is a hint: where it is wrong, the part is digested in a pass of its own, and the answer is the same.
    for micalg in ["micalg=md5;", "micalg=sha-512;", "micalg=\"sha-384,sha-512,sha-256\";"] {
        let text = String::from_utf8(mail.octets.clone()).unwrap().replacen("micalg=sha-256;", micalg, 1);
        let (passes, spooled) = opened(&Counted::new(text.into_bytes()));
        assert!(about(passes, 2.0) && about(spooled, 0.0), "{micalg} {passes} {spooled}");
    }
}

/// Its beginning tells what it is, and the signature is read where it stands: not a window of the mail for each.
#[test]
fn of_a_small_mail_no_more_is_read_than_is_asked_for() {
    let head = "From: info@bank.example\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n";
    let plain = Counted::new([head, &"A line of a mail as it is.\r\n".repeat(200)].concat().into_bytes());
    let (mail, ..) = signed(&plain, Form::Clear);
    let (passes, spooled) = opened(&mail);
    let signature = 1.0 - plain.octets.len() as f64 / mail.octets.len() as f64;
    let beginning = (64.0 + 1024.0) / mail.octets.len() as f64;
    assert!(passes < 1.0 + signature + beginning, "{passes} {signature} {beginning}");
    assert!(spooled < signature, "{spooled}");
}

#[test]
fn an_opaque_mail_is_not_copied_to_be_decoded() {
    let (mail, ..) = signed(&mail("hello"), Form::Opaque);
    let (passes, spooled) = opened(&mail);
    // Structure, alphabet, content; and the content alone is spooled, which is three quarters of the mail.
    assert!(passes < 3.1 && spooled < 0.75, "{passes} {spooled}");
    // Base64 with an empty line in it is decoded into a spool.
    let text = String::from_utf8(mail.octets).unwrap();
    let at = text.find("\r\n\r\n").unwrap() + 4 + 78;
    let (_, spooled) = opened(&Counted::new(format!("{}\r\n{}", &text[..at], &text[at..]).into_bytes()));
    assert!(spooled > 1.4, "{spooled}");
}

#[test]
fn reading_is_linear_in_parts_and_in_nesting() {
    for (what, count) in [("parts", 9_000), ("nesting", 60), ("lines that begin like a boundary", 30_000)] {
        let made = |count: usize| {
            let head = |n: usize| format!("Content-Type: multipart/mixed; boundary=\"b{n}e\"\r\n\r\n--b{n}e\r\n");
            let text: String = match what {
                "parts" => head(0) + &"\r\nx\r\n--b0e\r\n".repeat(count) + "\r\n--b0e--\r\n",
                "nesting" => (0..count).map(head).collect(),
                _ => head(0) + "\r\n" + &"--b\r\n".repeat(count),
            };
            Counted::new(text.into_bytes())
        };
        let mail = made(count);
        let structure = scan(&mail, 0..Octets::len(&mail)).unwrap();
        assert!(structure.entities.len() >= 2);
        assert!(about(mail.passes(), 1.0), "{what}");
    }
}
