//! D, further: senders who can be taken for others. G10, G11: signatures that should be there.

use kakitome_pki::asn1::oid;

use super::{Row, issued};
use crate::mail::{Mail, replaced, text};
use crate::world::BANK;
use crate::{Holder, Pki, write};

/// Whom the reader knows.
const KNOWN: &str = r#"
[check]
protected = [
    { name = "例示銀行", senders = ["bank.example"] },
    { name = "Example Card", senders = ["mizuho-bank.example", "mizuho.example"] },
]
correspondents = ["taro@corp.example"]
"#;

/// Who signs every mail.
const SIGNS: &str = r#"
[check]
expected_signers = ["bank.example", "info@partner.example"]
"#;

/// The bank's domain with a Cyrillic letter, as A-label and as U-label.
const HOMOGRAPH: [&str; 2] = ["info@xn--bnk-6cd.example", "info@b\u{430}nk.example"];

/// A certificate for an address alone.
fn address_only(address: &str) -> Holder {
    issued(Pki::leaf(&[(oid::COUNTRY, "JP")], address, 1), address)
}

/// A mail of the one to whom the address belongs, confirmed but for what is wrong with it.
fn by_address(id: &'static str, address: &'static str, state: &'static str, code: &'static str) -> Row {
    Row::new(id, Mail::from(address).clear_by(&address_only(address)), state, code)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = names();
    rows.extend(addresses());
    rows.extend(expected());
    rows
}

fn names() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let named = |id, name: &str, code| {
        let from = format!("{name} <eve@eve.example>");
        Row::new(id, Mail::from(&from).clear_by(eve), "LOOKALIKE", code)
    };
    let mailbox = |id, name: &str| {
        let from = format!("{name} <eve@eve.example>");
        Row::new(id, Mail::from(&from).clear_by(eve), "MAILBOX_CONFIRMED", "ok")
    };
    let padded = format!("\"info@bank.example{}.\"", " ".repeat(200));
    let disguised: Vec<_> = BANK
        .iter()
        .map(|(kind, value)| match *kind {
            kind if kind == oid::ORGANIZATION || kind == oid::COMMON_NAME => (kind, "例示\u{200b}銀行"),
            kind => (kind, *value),
        })
        .collect();
    let disguised = issued(Pki::leaf(&disguised, "info@eve2.example", 2), "disguised");
    let unsigned = |id, from: &str| Row::new(id, Mail::from(from).around(&text("x")), "NOT_SIGNED", "mime.none");
    vec![
        named("D02", "\"info@bank.example\"", "bind.display-addr"),
        named("D03", &padded, "bind.display-pad"),
        named("D04", "例示銀行", "bind.display-org").settings(KNOWN),
        named("D04n", "例示銀行", "bind.display-org"),
        Row::new(
            "D04p",
            Mail::from("例示銀行 <info@bank.example>").clear_by(&address_only("info@bank.example")),
            "MAILBOX_CONFIRMED",
            "ok",
        )
        .settings(KNOWN),
        Row::new("D04o", Mail::from("例示銀行 <info@bank.example>").clear_by(bank), "ORG_CONFIRMED", "ok")
            .settings(KNOWN),
        mailbox("D04t", "例示 太郎").settings(KNOWN),
        named("D04d", "\"www.bank.example\"", "bind.display-domain"),
        mailbox("D04m", "\"www.eve.example\""),
        // info@bank.example, in an encoded word
        named("D12", "=?utf-8?B?aW5mb0BiYW5rLmV4YW1wbGU=?=", "bind.display-addr"),
        // The name of an address without one is the comment beside it; the full stop of Japanese is a dot of domains.
        Row::new(
            "D12c",
            Mail::of(eve).field("From", "eve@eve.example (info@bank.example)").clear_by(eve),
            "LOOKALIKE",
            "bind.display-addr",
        ),
        named("D12j", "\"info@bank\u{3002}example\"", "bind.display-addr"),
        // info@bank.example, written from its end and shown from its beginning
        named("D12r", "\"\u{202e}elpmaxe.knab@ofni\u{202c}\"", "bind.display-addr"),
        mailbox("D12b", "[News] Eve"),
        named("D15", "\u{202e}例示銀行\u{202c}", "look.bidi").settings(KNOWN),
        named("D15z", "例\u{200b}示銀行", "look.bidi").settings(KNOWN),
        named("D15f", "Ｅｘａｍｐｌｅ Ｃａｒｄ", "look.bidi").settings(KNOWN),
        named("D15c", "Ex\u{430}mple Card", "look.homograph").settings(KNOWN),
        mailbox("D15n", "\u{202e}eve\u{202c}").note("look.bidi"),
        Row::new("D15o", Mail::of(&disguised).clear_by(&disguised), "LOOKALIKE", "look.bidi").settings(KNOWN),
        unsigned("D02u", "\"info@bank.example\" <eve@eve.example>").note("bind.display-addr"),
        unsigned("D04u", "例示銀行 <eve@eve.example>").settings(KNOWN).note("bind.display-org"),
        unsigned("D13u", HOMOGRAPH[0]).note("look.homograph"),
    ]
}

fn addresses() -> Vec<Row> {
    let quoted = issued(
        Pki::leaf(&[(oid::COUNTRY, "JP")], "x", 1).names(&[write::mailbox("\"info@bank.example\"@eve.example")]),
        "quoted",
    );
    let look = |id, address, code| by_address(id, address, "LOOKALIKE", code);
    let similar = |id, address| look(id, address, "look.similar").settings(KNOWN);
    let mailbox = |id, address| by_address(id, address, "MAILBOX_CONFIRMED", "ok");
    vec![
        look("D13", HOMOGRAPH[0], "look.homograph").settings(KNOWN),
        look("D13n", HOMOGRAPH[0], "look.homograph"),
        similar("D14", "info@rnizuho.example"),
        similar("D14s", "info@mizuho-bank.example.attacker.example"),
        similar("D14w", "info@login-mizuho.example"),
        similar("D14z", "info@mizuh0.test"),
        similar("D14c", "taro@c0rp.example"),
        similar("D14l", "mizuho.example@eve.example"),
        mailbox("D14n", "info@rnizuho.example"),
        mailbox("D14o", "info@mizuho-bank.example.attacker.example"),
        mailbox("D14k", "info@mizuho.example").settings(KNOWN),
        mailbox("D14b", "info@mail.mizuho.example").settings(KNOWN),
        Row::new(
            "D16",
            Mail::from("\"info@bank.example\"@eve.example").clear_by(&quoted),
            "LOOKALIKE",
            "look.quoted-local",
        ),
    ]
}

fn expected() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let unsigned = |id, from: &str, state, code| Row::new(id, Mail::from(from).around(&text("x")), state, code);
    let missing = |id, from: &str| {
        unsigned(id, from, "EXPECTED_SIGNATURE_MISSING", "expect.missing").settings(SIGNS).note("mime.none")
    };
    let not_signed = |id, from: &str| unsigned(id, from, "NOT_SIGNED", "mime.none").settings(SIGNS);
    let altered = replaced(&Mail::of(bank).clear_by(bank), "お送りします", "お送りました");
    vec![
        missing("G10", "info@bank.example"),
        missing("G10c", "Bank <INFO@BANK.Example>"),
        missing("G10a", "info@partner.example"),
        missing("G10m", "eve@eve.example, info@bank.example"),
        missing("G10p", "info@bank.example <eve@eve.example>"),
        not_signed("G10b", "other@partner.example"),
        not_signed("G10s", "info@news.bank.example"),
        not_signed("G10o", "eve@eve.example"),
        unsigned("G10n", "info@bank.example", "NOT_SIGNED", "mime.none"),
        Row::new("G10d", Mail::of(bank).clear_by(bank), "ORG_CONFIRMED", "ok").settings(SIGNS),
        Row::new("G10e", Mail::of(bank).clear_by(eve), "SIGNER_DIFFERS", "bind.none").settings(SIGNS),
        Row::new("G11", altered, "ALTERED", "cms.digest").settings(SIGNS),
    ]
}
