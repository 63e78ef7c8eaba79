//! An attached mail has an answer of its own, at any depth, and leaves that of the mail around it alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_office::evidence::attached::ATTACHED_LIMIT;
use kakitome_office::evidence::{Choice, examine, gather};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::corpus::row;
use kakitome_testkit::mail::{self, Mail};
use kakitome_testkit::{NOW, Pki};
use kakitome_verdict::answer::Answer;
use kakitome_verdict::reason::Reason;
use kakitome_verdict::sender::Evidence;
use kakitome_verdict::text::{Lang, terminal};
use kakitome_verdict::wire;

fn answer(mail: &[u8]) -> Answer {
    let world = Pki::get();
    let given = gather(&Choice { at: Some(NOW), ..Choice::default() }, NOW).unwrap();
    let evidence = Evidence { anchors: world.public_anchors(), crls: world.lists(), ..given };
    let keys = row("F02").held();
    examine(&mail.to_vec(), &InMemory, &keys, &evidence, None).unwrap().answer
}

/// The same mail with another boundary, so that it can stand inside one that testkit signs.
fn inner(mail: &[u8]) -> Vec<u8> {
    mail::replaced(&mail::replaced(mail, "\"signed\"", "\"inner\""), "--signed", "--inner")
}

/// A part that is an attached mail.
fn part(mail: &[u8]) -> Vec<u8> {
    [b"Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"a.eml\"\r\n\r\n", mail].concat()
}

/// A mail of somebody, unsigned, with text and these parts; its boundary is in none of them.
fn around(parts: &[Vec<u8>]) -> Vec<u8> {
    let boundary = format!("b{}", parts.iter().map(Vec::len).sum::<usize>());
    let mut body = format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n").into_bytes();
    for part in std::iter::once(&mail::text("See what is attached.\r\n")).chain(parts) {
        body.extend([format!("--{boundary}\r\n").as_bytes(), part, b"\r\n"].concat());
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    Mail::from("info@bank.example").around(&body)
}

/// States, those of what is attached in brackets.
fn states(answer: &Answer) -> String {
    let inner: Vec<String> = answer.attached.iter().map(|one| states(&one.answer)).collect();
    if inner.is_empty() {
        answer.state.name().to_owned()
    } else {
        format!("{}[{}]", answer.state.name(), inner.join(" "))
    }
}

#[test]
fn each_attached_mail_is_judged_by_itself() {
    let world = Pki::get();
    let bank = inner(&Mail::of(&world.bank).clear_by(&world.bank));
    let forged = mail::replaced(&bank, "From: ", "From: eve@eve.example, ");
    let changed = &inner(&row("B10").mail);
    let sealed = &row("F01").mail;
    let outer = Mail::of(&world.eve);
    let signed = |part: Vec<u8>| outer.clone().part(mail::mixed(&[&mail::text("x\r\n"), &part]));
    let base64 =
        [b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n", &mail::base64(&bank)[..]];
    let table: [(&str, Vec<u8>, &str); 10] = [
        ("none", bank.clone(), "ORG_CONFIRMED"),
        ("one", around(&[part(&bank)]), "NOT_SIGNED[ORG_CONFIRMED]"),
        ("in base64", around(&[base64.concat()]), "NOT_SIGNED[ORG_CONFIRMED]"),
        (
            "several",
            around(&[part(changed), part(&forged), part(&bank)]),
            "NOT_SIGNED[ALTERED AMBIGUOUS ORG_CONFIRMED]",
        ),
        ("at depth", around(&[part(&around(&[part(&bank)]))]), "NOT_SIGNED[NOT_SIGNED[ORG_CONFIRMED]]"),
        ("as the whole", Mail::from("eve@eve.example").around(&part(&bank)), "NOT_SIGNED[ORG_CONFIRMED]"),
        ("signed by another", signed(part(&bank)).clear_by(&world.eve), "MAILBOX_CONFIRMED[ORG_CONFIRMED]"),
        ("signed opaque", signed(part(changed)).opaque_by(&world.eve), "MAILBOX_CONFIRMED[ALTERED]"),
        ("sealed with the key here", around(&[part(&row("F02").mail)]), "NOT_SIGNED[ORG_CONFIRMED]"),
        ("no mail", around(&[part(b"\0\x01\x02")]), "NOT_SIGNED[NOT_A_MAIL]"),
    ];
    for (name, mail, expected) in table {
        assert_eq!(states(&answer(&mail)), expected, "{name}");
    }
    assert!(states(&answer(&around(&[part(sealed)]))).starts_with("NOT_SIGNED["));
}

#[test]
fn a_mail_that_wraps_itself_to_protect_its_header_is_not_attached() {
    let wrapped = row("P21");
    assert_eq!(states(&answer(&wrapped.mail)), wrapped.state);
    let forwarded = row("P25");
    assert_eq!(states(&answer(&forwarded.mail)), format!("{}[NOT_SIGNED]", forwarded.state));
}

#[test]
fn the_number_of_answers_is_bounded_at_all_depths_together() {
    let world = Pki::get();
    let bank = part(&Mail::of(&world.bank).clear_by(&world.bank));
    let few = vec![bank.clone(); ATTACHED_LIMIT];
    let whole = answer(&around(&few));
    assert_eq!((whole.attached.len(), whole.reasons.contains(&Reason::LimitParts)), (ATTACHED_LIMIT, false));
    let many = answer(&around(&[few, vec![bank.clone()]].concat()));
    assert_eq!((many.attached.len(), many.reasons.contains(&Reason::LimitParts)), (ATTACHED_LIMIT, true));
    // A chain of mails ends where things nest too deeply, or where the number does.
    let chain = (0..100).fold(bank, |inner, _| part(&around(&[inner])));
    let mut this = answer(&around(&[chain]));
    let mut count = 0;
    while let Some(inner) = this.attached.pop() {
        (this, count) = (inner.answer, count + 1);
    }
    assert!((2..=ATTACHED_LIMIT).contains(&count), "{count}");
    assert!(this.reasons.contains(&Reason::LimitParts), "{:?}", this.reasons);
}

#[test]
fn text_and_wire_show_both_answers_apart() {
    let world = Pki::get();
    let bank = Mail::of(&world.bank).field("Subject", "Monthly\u{202e} report").clear_by(&world.bank);
    let told = answer(&around(&[part(&around(&[part(&bank)]))]));
    let english = terminal::text(&told, Lang::En, terminal::Options::default());
    let japanese = terminal::text(&told, Lang::Ja, terminal::Options::default());
    assert!(english.starts_with("○ Not signed\n"), "{english}");
    assert!(english.contains("\n  |   | The attached mail “"), "{english}");
    assert!(english.contains("\n  |   | ◉ From “"), "{english}");
    assert!(!english.contains('\u{202e}'));
    assert!(japanese.contains("添付されたメール「"), "{japanese}");
    let json = wire::json(&told);
    assert!(json.contains("\"attached\": []") && json.matches("\"verdict\": 1").count() == 3, "{json}");
}
