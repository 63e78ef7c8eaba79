//! Mails encrypted and decrypted again: what is inside is what was written, and the header is what a reader expects.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_pki::algorithm::{Cipher, KeyTransport};
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::enveloped::{Envelope, Opening};
use kakitome_smime::cms::recipient::{HeldKeys, Naming, Recipient};
use kakitome_smime::message::decrypt::{self, Found};
use kakitome_smime::message::encrypt::Draft;
use kakitome_smime::message::payload::Unsignable;
use kakitome_smime::message::protect;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{Form, SignedFactory};
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::mail::{Mail, base64, mixed, opaque_part};
use kakitome_testkit::{NOW, Pki};
use proptest::prelude::*;

fn envelope(cipher: Cipher) -> Envelope {
    let holder = Takes::P256.holder("reader");
    let recipient = Recipient::certificate(&holder.certificate, KeyTransport::Pkcs1, Naming::default(), NOW).unwrap();
    Envelope::new(&[recipient], cipher, &SystemRandom).unwrap()
}

fn encrypted(mail: &[u8], cipher: Cipher) -> Result<String, Unsignable> {
    let mail = mail.to_vec();
    let draft = Draft::new(&mail, protect::Cipher::default()).unwrap()?;
    let mut out = Vec::new();
    draft.write(envelope(cipher), &mut out).unwrap();
    Ok(String::from_utf8(out).unwrap())
}

/// The decrypted mail, or what was found instead.
fn decrypted(mail: &[u8]) -> Result<Vec<u8>, String> {
    let mut keys = HeldKeys::new(&SystemRandom);
    keys.hold(Takes::P256.holder("reader"));
    let mail = mail.to_vec();
    let mut out = Vec::new();
    match decrypt::find(&mail, &InMemory).unwrap() {
        Found::Sealed(sealed) => match sealed.write(&keys, &mut out).unwrap() {
            Opening::Open(_) => Ok(out),
            Opening::NoKey => Err("no key".to_owned()),
            Opening::Refused(finding) | Opening::Failed(finding) => Err(finding.code.to_owned()),
        },
        Found::Other => Err("other".to_owned()),
        Found::Refused(finding) => Err(finding.code.to_owned()),
    }
}

fn header(mail: &str) -> &str {
    mail.split_once("\r\n\r\n").unwrap().0
}

#[test]
fn a_mail_comes_out_as_it_went_in_and_its_subject_is_hidden() {
    let mail = b"Received: by relay\r\nFrom: a@mail.example\r\nTo: b@mail.example\r\nSubject: the bill\r\n\
        Date: Tue, 1 Dec 2026 00:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\nplease pay\r\n";
    for (cipher, kind) in [(Cipher::Aes256Cbc, "enveloped-data"), (Cipher::Aes256Gcm, "authEnveloped-data")] {
        let sealed = encrypted(mail, cipher).unwrap();
        let outer = header(&sealed);
        for line in [
            "Received: by relay\r\nFrom: a@mail.example\r\nTo: b@mail.example\r\nSubject: [...]\r\n",
            &format!("Content-Type: application/pkcs7-mime; smime-type={kind};\r\n\tname=\"smime.p7m\"\r\n"),
            "Content-Transfer-Encoding: base64\r\n",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(outer.contains(line), "{line:?} is not in {outer}");
        }
        assert!(!sealed.contains("bill") && !outer.contains("charset"), "{sealed}");
        assert!(sealed.lines().all(|line| line.len() <= 78));

        let open = String::from_utf8(decrypted(sealed.as_bytes()).unwrap()).unwrap();
        let (inner, body) = open.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "please pay\r\n");
        for (field, count) in [
            ("Received: by relay", 1),
            ("From: a@mail.example", 1),
            ("Subject: the bill", 1),
            ("Subject:", 1),
            ("MIME-Version: 1.0", 1),
            ("Content-Type: text/plain; charset=utf-8", 1),
            ("application/pkcs7-mime", 0),
        ] {
            assert_eq!(inner.matches(field).count(), count, "{field} in {inner}");
        }
    }
}

#[test]
fn what_is_signed_goes_in_as_it_is() {
    let bank = &Pki::get().bank;
    let base = Mail::from("info@bank.example").field("Subject", "Statement");
    // 8-bit text inside a signature may not be touched, and here need not be.
    let eight_bit = base.clone().part("Content-Type: text/plain; charset=utf-8\r\n\r\n残高\r\n");
    for signed in [base.clear_by(bank), base.opaque_by(bank), eight_bit.clear_by(bank)] {
        let sealed = encrypted(&signed, Cipher::Aes128Gcm).unwrap();
        assert!(header(&sealed).contains("Subject: Statement"));
        let open = decrypted(sealed.as_bytes()).unwrap();
        let body = |mail: &[u8]| mail.windows(4).position(|four| four == b"\r\n\r\n").map(|at| mail[at..].to_vec());
        assert_eq!(body(&open), body(&signed));
        let content_type = |mail: &[u8]| {
            let text = String::from_utf8_lossy(mail).into_owned();
            let from = text.find("Content-Type:").unwrap();
            text[from..].split("\r\n").take(2).collect::<String>()
        };
        assert_eq!(content_type(&open), content_type(&signed));
        assert_eq!(encrypted(sealed.as_bytes(), Cipher::Aes128Gcm).err(), Some(Unsignable::AlreadyProtected));
    }
}

#[test]
fn what_is_no_encrypted_mail_says_what_it_is() {
    let sealed = encrypted(b"From: a@mail.example\r\n\r\nhello\r\n", Cipher::Aes256Gcm).unwrap();
    let cut = &sealed[..sealed.len() - 400];
    let twice = sealed.replacen("Content-Type:", "Content-Type: text/plain\r\nContent-Type:", 1);
    let dirty = sealed.replacen("\r\n\r\nMI", "\r\n\r\n(MI", 1);
    let long = format!("{}{sealed}", "X-Line: x\r\n".repeat(6_000));
    let label = sealed.replacen("authEnveloped-data", "signed-data", 1);
    let plain = Mail::from("a@mail.example").plain();
    for (mail, expected) in [
        (plain.as_slice(), "other"),
        (Mail::from("info@bank.example").opaque_by(&Pki::get().bank).as_slice(), "other"),
        (cut.as_bytes(), "cms.parse"),
        (twice.as_bytes(), "mime.dup-header"),
        (long.as_bytes(), "limit.headers"),
        (dirty.as_bytes(), "cms.base64"),
        (label.as_bytes(), ""),
    ] {
        let found = decrypted(mail);
        assert_eq!(found.err().as_deref().unwrap_or_default(), expected);
    }
}

#[test]
fn fields_of_a_content_that_protects_nothing_do_not_win() {
    let inside = |content: &[u8]| {
        let mut sealing = envelope(Cipher::Aes256Cbc).begin(content.len() as u64, Vec::new()).unwrap();
        std::io::Write::write_all(&mut sealing, content).unwrap();
        Mail::from("a@mail.example").field("Subject", "outside").opaque(&sealing.finish().unwrap())
    };
    let header_of = |content: &[u8]| {
        let mail = String::from_utf8(decrypted(&inside(content)).unwrap()).unwrap();
        let (header, body) = mail.split_once("\r\n\r\n").unwrap();
        (header.to_owned(), body.to_owned())
    };
    let (header, body) = header_of(b"Subject: phony\r\nX-Extra: kept\r\nContent-Type: text/html\r\n\r\n<p>\r\n");
    assert!(header.contains("Subject: outside\r\n") && !header.contains("phony"), "{header}");
    assert!(header.contains("X-Extra: kept\r\n") && header.contains("Content-Type: text/html"), "{header}");
    assert_eq!(body, "<p>\r\n");
    let (header, _) = header_of(b"Subject: real\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nx\r\n");
    assert!(header.contains("Subject: real\r\n") && !header.contains("outside"), "{header}");
    // Whoever added himself outside is not answered; where only some fields are protected, nothing says that he did.
    for (claim, comes_through) in [("hp=\"cipher\"", false), ("protected-headers=\"v1\"", true), ("x=y", true)] {
        let (header, _) =
            header_of(format!("Subject: real\r\nContent-Type: text/plain; {claim}\r\n\r\nx\r\n").as_bytes());
        assert_eq!(header.contains("To: "), comes_through, "{header}");
        assert!(header.contains("From: a@mail.example\r\n") && header.contains("Date: "), "{header}");
    }
    // The part that is signed says it, not the multipart around it.
    let part = b"Subject: real\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nx\r\n";
    let signed = String::from_utf8(mixed(&[part, part])).unwrap().replacen("multipart/mixed", "multipart/signed", 1);
    let (header, _) = header_of(signed.as_bytes());
    assert!(header.contains("Subject: real\r\n") && !header.contains("outside"), "{header}");
    // So does what an opaque signature covers, in one piece or in many, and where its object is not read to its end.
    let long = [part.as_slice(), &b"0123456789\r\n".repeat(decrypt::HEAD_LIMIT / 8)].concat();
    for (content, form) in [
        (part.as_slice(), Form::Der),
        (part, Form::Indefinite(10)),
        (part, Form::Pieces(7)),
        (&long, Form::Der),
        (&long, Form::Indefinite(1000)),
    ] {
        let cms = SignedFactory::by(&Pki::get().bank, content).embedded().form(form).der();
        let (header, body) = header_of(&opaque_part(&cms));
        assert!(header.contains("Subject: real\r\n") && !header.contains("outside"), "{form:?}: {header}");
        assert!(header.contains("smime-type=signed-data") && !header.contains("text/plain"), "{form:?}: {header}");
        assert_eq!(body.as_bytes(), base64(&cms), "{form:?}");
    }
    // But nothing that is no signed-data, or ends before its content does.
    let cms = SignedFactory::by(&Pki::get().bank, part).embedded().der();
    for cms in [&cms[..90], &cms[..20], b"", b"\x30\x80\x24\x80", &SignedFactory::by(&Pki::get().bank, part).der()] {
        let (header, _) = header_of(&opaque_part(cms));
        assert!(header.contains("Subject: outside\r\n"), "{header}");
    }
    // No header at all: text that somebody encrypted as it is.
    for text in ["Dear Bob,\r\n\r\nhello\r\n", "\r\nhello\r\n", ""] {
        let (header, body) = header_of(text.as_bytes());
        assert!(header.contains("Subject: outside\r\n"), "{header}");
        assert_eq!(body, text.strip_prefix("\r\n").unwrap_or(text));
    }
}

proptest! {
    /// The length is foretold without reading where that is possible, and is right in every case.
    #[test]
    fn any_lines_are_encrypted_and_decrypted(
        lines in proptest::collection::vec(("[ -~]{0,80}", prop_oneof![Just("\r\n"), Just("\n"), Just("\r")]), 0..30),
        binary in any::<bool>(),
        header in prop_oneof![Just("\r\n"), Just("\n")],
    ) {
        let body: String = lines.iter().map(|(text, ending)| format!("{text}{ending}")).collect();
        let encoding = if binary { format!("Content-Transfer-Encoding: binary{header}") } else { String::new() };
        let mail = format!("From: a@mail.example{header}{encoding}{header}{body}");
        if let Ok(sealed) = encrypted(mail.as_bytes(), Cipher::Aes256Cbc) {
            prop_assert!(decrypted(sealed.as_bytes()).is_ok());
        }
    }
}
