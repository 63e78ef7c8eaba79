//! Payloads of any words that matter: nothing is called protected that no layer protects, and nothing hidden that
//! was not encrypted.

use kakitome_smime::message::protect::{Around, Cipher, Cover, Policy, Protection, Response, display, read, reply};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::scan::scan;
use kakitome_testkit::Pki;
use proptest::prelude::*;

use crate::{Payload, signed};

const WORDS: [&str; 24] = [
    "\r\n",
    "\n",
    " ",
    "\t",
    ":",
    ";",
    "\"",
    "<",
    ">",
    ",",
    "Content-Type: text/plain; hp=\"cipher\"",
    "Content-Type: text/html; hp=clear; hp-legacy-display=1; charset=utf-8",
    "Content-Type: message/rfc822",
    "Content-Type: multipart/mixed; boundary=a; protected-headers=v1",
    "--a",
    "HP-Outer: Subject: [...]",
    "HP-Outer: ",
    "Subject: x",
    "From: Taro <a@b.example>",
    "To: \"a\r\n b\" <a@b.example>, c@d.example",
    "Date: Tue, 01 Dec 2026 09:00:00 +0900",
    "=?utf-8?B?5pyI?=",
    "\u{65e5}",
    "\0",
];

fn payload() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn a_claim_is_never_taken_for_a_layer(outer in payload(), content in payload(), signed: bool, encrypted: bool) {
        let (outer, content) = (outer.into_bytes(), content.into_bytes());
        let header = scan(&outer, 0..u64::MAX).unwrap().root().header.clone();
        let structure = scan(&content, 0..u64::MAX).unwrap();
        let reading = read(&header, &content, &structure, 0, Around { signed, encrypted }).unwrap();
        if let Some(protected) = reading.protected {
            for field in &protected.fields {
                let (is_signed, is_hidden) = match field.protection {
                    Protection::Unprotected => (false, false),
                    Protection::SignedOnly => (true, false),
                    Protection::EncryptedOnly => (false, true),
                    Protection::SignedAndEncrypted => (true, true),
                };
                prop_assert!((signed || !is_signed) && (encrypted || !is_hidden));
            }
            prop_assert!(encrypted || display::carried(&structure, 0, &protected, encrypted).is_empty());
            prop_assert!(encrypted || Response::new(&protected, &reply).names().next().is_none());
        }
    }

    #[test]
    fn what_is_written_is_read_again(mail in payload(), shy: bool) {
        let policy = if shy { Policy::Shy } else { Policy::Baseline };
        let mail = format!("MIME-Version: 1.0\r\n{mail}").into_bytes();
        let structure = scan(&mail, 0..u64::MAX).unwrap();
        let mut with = Vec::new();
        let with = if display::add(&mail, &structure, policy, &mut with).unwrap() { with } else { mail };
        let cover = Cover::Cipher(Cipher { policy, ..Cipher::default() });
        if Draft::covered(&with, cover.clone()).unwrap().is_ok() {
            let payload = Payload::of(&signed(&with, cover, Form::Opaque, &Pki::get().bank));
            let reading = payload.read(true);
            let protected = reading.protected.unwrap();
            prop_assert!(protected.fields.iter().all(|field| field.agrees()), "{protected:?}");
            prop_assert!(protected.all("Subject").all(|field| field.outer.as_deref() == Some("[...]")));
        }
    }
}
