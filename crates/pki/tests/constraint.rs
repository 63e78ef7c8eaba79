//! Name constraints on the addresses of a leaf, a row for each: rfc822Name (RFC 5280 §4.2.1.10), SmtpUTF8Mailbox under it
//! (RFC 9598 §6), and the old attribute of the subject.

#![allow(clippy::unwrap_used, clippy::panic)]

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::name::Name;
use kakitome_pki::path::{PathProblem, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::{BANK, CertificateFactory, NOW, Pki, write};

/// Limits: `+` permits, `-` excludes. Names: `utf8:` is an SmtpUTF8Mailbox, `subject:` the attribute of the subject, `dns:`
/// a dNSName, all else an rfc822Name.
const ROWS: &[(&str, &str, bool)] = &[
    // a host
    ("+b.example", "a@b.example", true),
    ("+B.EXAMPLE", "a@b.example", true),
    ("+b.example", "a@x.b.example", false),
    ("+b.example", "a@evilb.example", false),
    ("-b.example", "a@b.example", false),
    ("-b.example", "a@B.Example", false),
    ("-b.example", "a@x.b.example", true),
    // what lies below a domain
    ("+.b.example", "a@x.b.example", true),
    ("+.b.example", "a@y.x.b.example", true),
    ("+.b.example", "a@b.example", false),
    ("+.b.example", "a@evilb.example", false),
    ("-.b.example", "a@X.B.EXAMPLE", false),
    ("-.b.example", "a@b.example", true),
    // one mailbox: the local part as it is written, the domain in any case
    ("+a@b.example", "a@B.example", true),
    ("+a@b.example", "A@b.example", false),
    ("+a@b.example", "c@b.example", false),
    ("-a@b.example", "a@b.example", false),
    ("-a@b.example", "c@b.example", true),
    // quotes: the same mailbox in another spelling, and the last @
    ("+a@b.example", "\"a\"@b.example", true),
    ("-a@b.example", "\"a\"@b.example", false),
    ("-a@b.example", "\"\\a\"@b.example", false),
    ("-\"a\"@b.example", "a@b.example", false),
    ("+b.example", "\"x@b.example\"@evil.example", false),
    ("+b.example", "\"x@evil.example\"@b.example", true),
    ("+\"x@y\"@b.example", "\"x@y\"@b.example", true),
    ("+\"x@y\"@b.example", "\"x@z\"@b.example", false),
    // limits of both kinds, and many names
    ("+.example -b.example", "a@b.example", false),
    ("+.example -b.example", "a@c.example", true),
    ("+b.example -a@b.example", "a@b.example", false),
    ("+c.example +b.example", "a@b.example", true),
    ("+b.example", "a@b.example c@b.example", true),
    ("+b.example", "a@b.example a@c.example", false),
    ("+b.example", "dns:c.example", true),
    ("+dns:b.example", "a@c.example", true),
    // names that are no addresses slip past no limit
    ("+b.example", "b.example", false),
    ("-b.example", "a@b.example.", false),
    ("-b.example", "<a@b.example>", false),
    ("-b.example", "a@(x)b.example", false),
    ("-b.example", "a@b.example\0", false),
    ("-b.example", "@x.example:a@b.example", false),
    ("+b.example", "a@evil.example@b.example", false),
    ("+b.example", "a@", false),
    // limits that are none let nobody in, and nobody past
    ("+b.example.", "a@nowhere.example", false),
    ("+@b.example", "a@nowhere.example", false),
    ("+*.b.example", "a@nowhere.example", false),
    ("-@b.example", "a@b.example", false),
    ("-*.example", "a@b.example", false),
    ("-b.example.", "a@b.example", false),
    // SmtpUTF8Mailbox: by its domain, as A-labels
    ("+b.example", "utf8:受@b.example", true),
    ("+b.example", "utf8:受@c.example", false),
    ("-b.example", "utf8:受@b.example", false),
    ("-.example", "utf8:受@b.example", false),
    ("+a@b.example", "utf8:受@b.example", false),
    ("+xn--bcher-kva.example", "utf8:受@xn--bcher-kva.example", true),
    ("-xn--bcher-kva.example", "utf8:受@bücher.example", false),
    ("-xn--bcher-kva.example", "utf8:受@BÜCHER.example", false),
    ("-xn--bcher-kva.example", "utf8:受@bu\u{308}cher.example", false),
    ("-xn--bcher-kva.example", "utf8:受@XN--BCHER-KVA.example", false),
    ("-b.example", "utf8:受@b。example", false),
    ("-b.example", "utf8:受@ｂ.example", false),
    ("-b.example", "utf8:受＠b.example", false),
    ("-b.example", "utf8:a@b.example", false),
    ("+b.example", "a@b.example utf8:受@c.example", false),
    ("+b.example", "utf8:\"受@b.example\"@evil.example", false),
    // the attribute of the subject, beside alternative names too
    ("+b.example", "subject:a@b.example", true),
    ("+b.example", "subject:a@c.example", false),
    ("-b.example", "subject:a@B.EXAMPLE", false),
    ("-b.example", "subject:a@b.example.", false),
    ("+b.example", "a@b.example subject:a@c.example", false),
];

fn general_name(text: &str) -> Vec<u8> {
    match text.split_once(':') {
        Some(("utf8", text)) => write::mailbox_utf8(text),
        Some(("dns", text)) => write::dns(text),
        _ => write::mailbox(text),
    }
}

fn holds(limits: &str, names: &str) -> bool {
    let world = Pki::get();
    let of = |sign: char| limits.split(' ').filter_map(|limit| limit.strip_prefix(sign)).map(general_name).collect();
    let (permitted, excluded): (Vec<_>, Vec<_>) = (of('+'), of('-'));
    let limited: CertificateFactory =
        Pki::sub_authority("Sub").with(oid::NAME_CONSTRAINTS, true, write::constraints(&permitted, &excluded));
    let issuer = limited.authority_by(&world.re, "Sub");
    let (subject, listed): (Vec<&str>, Vec<&str>) = names.split(' ').partition(|name| name.starts_with("subject:"));
    let mut leaf = Pki::leaf(BANK, "info@bank.example", 2).without(oid::SUBJECT_ALT_NAME);
    if !listed.is_empty() {
        leaf = leaf.names(&listed.iter().map(|name| general_name(name)).collect::<Vec<_>>());
    }
    if let [address] = subject.as_slice() {
        let address = address.trim_start_matches("subject:");
        leaf = leaf.subject(&Name::build(&[(oid::COMMON_NAME, "Leaf"), (oid::EMAIL_ADDRESS, address)]));
    }
    let found = find(&Question {
        leaf: &leaf.issued_by(&issuer),
        untrusted: &[issuer.certificate],
        anchors: &world.public_anchors(),
        at: NOW,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    });
    match found {
        Ok(_) => true,
        Err(refusal) if matches!(refusal.problem, PathProblem::NameConstraint(_)) => false,
        Err(refusal) => panic!("{limits}: {names}: {refusal}"),
    }
}

#[test]
fn addresses_stay_within_their_limits() {
    let wrong: Vec<_> = ROWS.iter().filter(|(limits, names, expected)| holds(limits, names) != *expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
