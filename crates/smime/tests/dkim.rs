//! DKIM signatures: the message of RFC 8463 appendix A, signed by RSA and by Ed25519, and what may become of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_pki::asn1::time::Time;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::dkim::{self, Problem};
use kakitome_smime::message::open::open;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::dkim::{ED25519, MAIL, RSA};

/// What the two signatures of a mail come to, with these records.
fn judged(mail: &str, ed25519: &str, rsa: &str) -> Vec<Result<(), Problem>> {
    let mail = mail.as_bytes().to_vec();
    let opened = open(&mail, &InMemory, &NoKeys).unwrap();
    let root = opened.structure.root();
    let at: Time = "2026-12-01T00:00:00Z".parse().unwrap();
    let one = |signature: Result<dkim::Signature, Problem>| {
        let signature = signature?;
        let record = match signature.key_name().as_str() {
            "brisbane._domainkey.football.example.com" => ed25519,
            "test._domainkey.football.example.com" => rsa,
            other => panic!("{other}"),
        };
        signature.verify(&mail, root, record.as_bytes(), at).unwrap()
    };
    dkim::signatures(&root.header).into_iter().map(one).collect()
}

#[test]
fn the_message_of_the_standard_and_what_may_become_of_it() {
    let good = [Ok(()), Ok(())];
    let both = |problem| [Err(problem), Err(problem)];
    let changed = |from: &str, to: &str| {
        assert!(MAIL.contains(from), "{from}");
        MAIL.replace(from, to)
    };
    type Outcomes = [Result<(), Problem>; 2];
    let rows: Vec<(&str, String, Outcomes)> = vec![
        ("as it is", MAIL.to_owned(), good),
        ("bare LF", changed("\r\n", "\n"), good),
        ("a blank where none was", changed("hungry", "hun gry"), both(Problem::BodyChanged)),
        ("blanks in a row", changed("game.  Are", "game.\t  Are"), good),
        ("blanks at the end of a line", changed("hungry yet?\r\n", "hungry yet?  \r\n"), good),
        ("empty lines at the end", format!("{MAIL}\r\n\r\n"), good),
        ("no line end at the end", MAIL.trim_end().to_owned(), good),
        ("a line at the end", format!("{MAIL}PS\r\n"), both(Problem::BodyChanged)),
        ("the body", changed("lost", "won"), both(Problem::BodyChanged)),
        ("a signed field", changed("Is dinner ready?", "Is lunch ready?"), both(Problem::HeaderChanged)),
        ("a signed field in other blanks", changed("Subject: Is dinner", "SUBJECT:\tIs   dinner"), good),
        ("a signed field folded", changed("Is dinner ready?", "Is dinner\r\n ready?"), good),
        ("a field more that is not signed", changed("To: Suzie", "Cc: eve@eve.example\r\nTo: Suzie"), good),
        ("a second From", changed("To: Suzie", "From: eve@eve.example\r\nTo: Suzie"), both(Problem::HeaderChanged)),
        ("a second From before", format!("From: eve@eve.example\r\n{MAIL}"), both(Problem::HeaderChanged)),
        (
            "the fields in another order",
            changed(
                "Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
                "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nSubject: Is dinner ready?",
            ),
            good,
        ),
        ("an end that has passed", changed("t=1528637909", "t=1528637909; x=1528637910"), both(Problem::Expired)),
        ("an end that has not", changed("t=1528637909", "t=1528637909; x=99999999999"), both(Problem::HeaderChanged)),
        ("an end that is no number", changed("t=1528637909", "x=soon"), both(Problem::Malformed)),
        ("another version", changed("v=1;", "v=2;"), both(Problem::Unsupported)),
        ("SHA-1", changed("-sha256;", "-sha1;"), both(Problem::Unsupported)),
        ("another form", changed("relaxed/relaxed", "loose"), both(Problem::Unsupported)),
        ("another way to the key", changed("q=dns/txt", "q=http"), both(Problem::Unsupported)),
        ("From not signed", changed("h=from", "h=cc").replace(": from :", ": cc :"), both(Problem::FromNotCovered)),
        ("a tag twice", changed("q=dns/txt;", "q=dns/txt; d=eve.example;"), both(Problem::Malformed)),
        ("somebody else's identity", changed("i=@football", "i=@tennis"), both(Problem::Malformed)),
        ("an identity that only ends alike", changed("i=@football", "i=@evilfootball"), both(Problem::Malformed)),
        ("a domain that is none", changed("d=football", "d=foot ball"), both(Problem::Malformed)),
        ("a length that nobody signed", changed("t=1528637909", "l=1000"), both(Problem::HeaderChanged)),
    ];
    for (name, mail, expected) in rows {
        assert_eq!(judged(&mail, ED25519, RSA), expected, "{name}");
    }
}

#[test]
fn records_and_what_they_allow() {
    let rsa = |record: &str| judged(MAIL, ED25519, record)[1];
    let rows: &[(String, Result<(), Problem>)] = &[
        (RSA.to_owned(), Ok(())),
        (RSA.replace("v=DKIM1; k=rsa; ", ""), Ok(())),
        (RSA.replace("k=rsa;", "k=rsa; h=sha1:sha256; s=email; t=y;"), Ok(())),
        (RSA.replace("k=rsa;", "k=rsa; t=s;"), Ok(())),
        (RSA.replace("k=rsa;", "k=rsa; h=sha1;"), Err(Problem::Key)),
        (RSA.replace("k=rsa;", "k=rsa; s=tlsrpt;"), Err(Problem::Key)),
        (RSA.replace("DKIM1", "DKIM2"), Err(Problem::Key)),
        (ED25519.to_owned(), Err(Problem::Key)),
        ("v=DKIM1; p=".to_owned(), Err(Problem::KeyRevoked)),
        ("v=DKIM1; p=AAAA".to_owned(), Err(Problem::Key)),
        ("v=DKIM1; p=*".to_owned(), Err(Problem::Key)),
        ("v=DKIM1".to_owned(), Err(Problem::Key)),
        ("v=spf1 -all".to_owned(), Err(Problem::Key)),
        (String::new(), Err(Problem::Key)),
        (RSA.replace("5QjvHO9", "5QjvHO8"), Err(Problem::HeaderChanged)),
    ];
    for (record, expected) in rows {
        assert_eq!(rsa(record), *expected, "{record}");
    }
    let other = ED25519.replace("11qYAY", "12qYAY");
    assert_eq!(judged(MAIL, &other, RSA)[0], Err(Problem::HeaderChanged));
}
