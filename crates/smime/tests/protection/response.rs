//! RFC 9788 §6: an answer hides what is made of hidden fields, whatever the policy of who answers.

use kakitome_smime::message::protect::{Cipher, Cover, Outside, Policy, Protected, Response, reply};
use kakitome_smime::message::sign::Form;
use kakitome_testkit::Pki;

use crate::{Payload, signed};

const MAIL: &str = "From: Taro <info@bank.example>\r\nTo: Jiro <jiro@reader.example>\r\nSubject: the contract\r\n\
    Keywords: secret\r\nDate: Tue, 01 Dec 2026 09:00:00 +0900\r\nMessage-ID: <1@bank.example>\r\n\r\nhello\r\n";

fn received(policy: Policy, encrypted: bool, outer: impl Fn(Vec<u8>) -> Vec<u8>) -> Protected {
    let cover = Cover::Cipher(Cipher { policy, ..Cipher::default() });
    let mail = outer(signed(MAIL.as_bytes(), cover, Form::Opaque, &Pki::get().bank));
    Payload::of(&mail).read(encrypted).protected.unwrap()
}

fn shown(outside: Outside, value: &str) -> String {
    match outside {
        Outside::AsInside => value.to_owned(),
        Outside::Instead(value) => String::from_utf8(value).unwrap(),
        Outside::Removed => "-".to_owned(),
    }
}

#[test]
fn an_answer_hides_what_the_mail_hid() {
    let as_sent = |mail| mail;
    for (what, protected, subject, to, cc) in [
        (
            "baseline",
            received(Policy::Baseline, true, as_sent),
            "Re: [...]",
            "Taro <info@bank.example>",
            "Jiro <jiro@reader.example>",
        ),
        ("shy", received(Policy::Shy, true, as_sent), "Re: [...]", "info@bank.example", "jiro@reader.example"),
        (
            "nothing hidden",
            received(Policy::NoConfidentiality, true, as_sent),
            "Re: the contract",
            "Taro <info@bank.example>",
            "Jiro <jiro@reader.example>",
        ),
        // Not encrypted: nothing was hidden, whatever the payload says.
        (
            "phony",
            received(Policy::Baseline, false, as_sent),
            "Re: the contract",
            "Taro <info@bank.example>",
            "Jiro <jiro@reader.example>",
        ),
        // What stands outside now is not asked: somebody on the way could have put the subject there.
        (
            "changed on the way",
            received(Policy::Baseline, true, |mail| {
                kakitome_testkit::mail::replaced(&mail, "Subject: [...]", "Subject: the contract")
            }),
            "Re: [...]",
            "Taro <info@bank.example>",
            "Jiro <jiro@reader.example>",
        ),
    ] {
        let response = Response::new(&protected, &reply);
        let fields: Vec<_> = protected.fields.iter().map(|field| (field.name.clone(), field.raw.clone())).collect();
        let answer = reply(&fields);
        let cover = Cover::Cipher(Cipher { policy: Policy::NoConfidentiality, response });
        for (name, expected) in [
            ("Subject", subject),
            ("To", to),
            ("Cc", cc),
            ("In-Reply-To", "<1@bank.example>"),
            ("References", "<1@bank.example>"),
        ] {
            let (_, value) = answer.iter().find(|(known, _)| known == name).unwrap();
            assert_eq!(shown(cover.outside(name, value), &String::from_utf8_lossy(value)), expected, "{what}: {name}");
        }
    }
}

#[test]
fn the_own_policy_goes_first_and_other_fields_are_free() {
    let protected = received(Policy::Shy, true, |mail| mail);
    let response = Response::new(&protected, &reply);
    assert!(response.names().any(|name| name == "subject"));
    let cover = Cover::Cipher(Cipher { policy: Policy::Baseline, response: response.clone() });
    assert_eq!(cover.outside("Subject", b" Re: the contract"), Outside::Instead(b"[...]".to_vec()));
    assert_eq!(cover.outside("To", b" Taro\r\n <info@bank.example>"), Outside::Instead(b"info@bank.example".to_vec()));
    assert_eq!(cover.outside("To", b"somebody@else.example"), Outside::AsInside);
    // A forward has a subject of its own, and keeps only what it takes over.
    let forward = |fields: &[(String, Vec<u8>)]| {
        let keywords = fields.iter().filter(|(name, _)| name == "Keywords").cloned();
        keywords.collect::<Vec<_>>()
    };
    let response = Response::new(&protected, &forward);
    assert_eq!(response.outside("keywords", b"secret"), Outside::Removed);
    assert_eq!(response.outside("Subject", b"Re: the contract"), Outside::AsInside);
}

#[test]
fn a_reply_is_made_of_the_protected_fields() {
    let fields = |rows: &[(&str, &str)]| -> Vec<(String, Vec<u8>)> {
        rows.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    };
    let mail = fields(&[
        ("Subject", "RE: x"),
        ("From", "a@x.example"),
        ("Reply-To", "b@x.example"),
        ("To", "c@x.example"),
        ("Cc", "d@x.example"),
        ("Message-ID", "<2@x>"),
        ("References", "<1@x>"),
    ]);
    let expected = fields(&[
        ("Subject", "RE: x"),
        ("To", "b@x.example"),
        ("Cc", "c@x.example, d@x.example"),
        ("In-Reply-To", "<2@x>"),
        ("References", "<1@x> <2@x>"),
    ]);
    assert_eq!(reply(&mail), expected);
    assert_eq!(reply(&[]), Vec::new());
}
