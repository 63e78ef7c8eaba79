//! C05 to C07 and D28: what mailing lists do to signed mail, and what poses as their work.

use kakitome_pki::asn1::oid;

use super::{Row, issued};
use crate::cms::{SignedFactory, SignerFactory};
use crate::mail::{Mail, clear_part, mixed, opaque_part, replaced, text};
use crate::{Holder, Pki, in_days};

const ADDRESS: &str = "taro@corp.example";
const LIST: &str = "<ml.list.example>";
/// The footer of a list.
const FOOTER: &str = "-- \r\nML の案内";

/// Whom nobody writes for.
const KNOWN: &str = "[check]\nprotected = [{ name = \"例示銀行\", senders = [\"bank.example\"] }]\n";
/// Who signs every mail.
const SIGNS: &str = "[check]\nexpected_signers = [\"bank.example\"]\n";

/// The signed part of a mail of this person.
fn signed(by: &Holder) -> Vec<u8> {
    let mail = Mail::of(by);
    clear_part(mail.payload(), &SignedFactory::by(by, mail.payload()).der())
}

fn part(header: &str) -> Vec<u8> {
    format!("{header}\r\n\r\nML\r\n").into_bytes()
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = frames();
    rows.extend(shapes());
    rows.extend(rewritten());
    rows
}

/// A signed mail and a footer.
fn frames() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let listed = Mail::of(bank).field("Subject", "[ml 12] x").after("List-Id", LIST);
    let around = |inner: &[u8], footer: &str| listed.around(&mixed(&[inner, &text(footer)]));
    let framed = |id, mail: Vec<u8>| Row::new(id, mail, "PART_SIGNED", "mime.list-footer");
    let genuine = signed(bank);
    let altered = replaced(&genuine, "お送りします", "お送りました");
    let third = "\r\n--signed\r\nContent-Type: text/plain\r\n\r\nx\r\n--signed--\r\n";
    let unclear = replaced(&genuine, "\r\n--signed--\r\n", third);
    let protected = {
        let mail = Mail::of(bank).field("Subject", "monthly").protected("clear");
        let inner = clear_part(mail.payload(), &SignedFactory::by(bank, mail.payload()).der());
        listed.around(&mixed(&[&inner, &text(FOOTER)]))
    };
    let opaque = opaque_part(&SignedFactory::by(bank, Mail::of(bank).payload()).embedded().der());
    vec![
        framed("C05", around(&genuine, FOOTER)),
        framed("C05o", listed.around(&mixed(&[&opaque, &text(FOOTER)]))),
        framed("C05h", protected).note("hp.clear"),
        framed("C05r", around(&genuine, FOOTER)).lists(Vec::new()).note("rev.unavailable"),
        framed("C05y", {
            let mail = Mail::of(&world.expired).dated(in_days(-20)).after("List-Id", LIST);
            let signer = SignerFactory::new(&world.expired).at(in_days(-20));
            let cms = SignedFactory::new(mail.payload()).signer(&signer).holder(&world.expired).der();
            mail.around(&mixed(&[&clear_part(mail.payload(), &cms), &text(FOOTER)]))
        })
        .note("time.expired-since"),
        framed("C05x", around(&genuine, FOOTER)).settings(SIGNS),
        framed(
            "C07",
            listed
                .clone()
                .field("List-Id", "Bank <info.bank.example>")
                .around(&mixed(&[&genuine, &text("このメールは確認済みです。緊急のお振込をお願いします。")])),
        ),
        // what is inside the frame is asked everything that a mail is asked
        Row::new("C05a", around(&altered, FOOTER), "ALTERED", "cms.digest"),
        Row::new("C05e", around(&signed(eve), FOOTER), "SIGNER_DIFFERS", "bind.none").framed(),
        Row::new("C05u", around(&signed(&world.unknown), FOOTER), "ISSUER_UNKNOWN", "path.unknown").framed(),
        Row::new("C05m", around(&unclear, FOOTER), "AMBIGUOUS", "mime.children"),
    ]
}

/// Almost a frame.
fn shapes() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank).field("Subject", "[ml 12] x");
    let listed = base.clone().after("List-Id", LIST);
    let genuine = signed(bank);
    let footer = text(FOOTER);
    let shape = |id, parts: &[&[u8]]| {
        Row::new(id, listed.around(&mixed(parts)), "NOT_SIGNED", "mime.none")
            .note("mime.errant-sig")
            .note("mime.list-shape")
    };
    let no_list = |id, mail: Mail| {
        Row::new(id, mail.around(&mixed(&[&genuine, &footer])), "NOT_SIGNED", "mime.none").note("mime.errant-sig")
    };
    let alternative = replaced(&mixed(&[&genuine, &footer]), "multipart/mixed", "multipart/alternative");
    vec![
        shape("C06", &[&footer, &genuine]),
        shape("C06t", &[&genuine, &footer, &footer]),
        shape("C06o", &[&genuine]),
        shape("C06h", &[&genuine, &part("Content-Type: text/html")]),
        shape("C06a", &[&genuine, &part("Content-Type: text/plain\r\nContent-Disposition: attachment")]),
        shape("C06n", &[&genuine, &part("Content-Type: text/plain; name=\"order.txt\"")]),
        shape("C06s", &[&genuine, &genuine]),
        Row::new("C06m", listed.around(&alternative), "NOT_SIGNED", "mime.none").note("mime.list-shape"),
        no_list("C06l", base.clone()),
        no_list("C06d", listed.clone().after("List-Id", LIST)),
        no_list("C06e", base.clone().after("List-Id", "ml")),
        Row::new("C06x", listed.around(&mixed(&[&footer, &genuine])), "EXPECTED_SIGNATURE_MISSING", "expect.missing")
            .settings(SIGNS),
    ]
}

/// The list's address in the place of the author's (RFC 9788 protects the author's).
fn rewritten() -> Vec<Row> {
    let taro = issued(Pki::leaf(&[(oid::COMMON_NAME, ADDRESS)], ADDRESS, 1), "taro");
    let bank = &Pki::get().bank;
    let munged = |by: &Holder, from: &str| Mail::of(by).protected("clear").field("From", from);
    let by_list = "\"太郎 via ML\" <ml@list.example>";
    let changed =
        |id, mail: Mail, by: &Holder| Row::new(id, mail.clear_by(by), "HEADERS_CHANGED", "hp.from-munged-list");
    let differs = |id, mail: Mail, by: &Holder| Row::new(id, mail.clear_by(by), "SIGNER_DIFFERS", "hp.from-mismatch");
    vec![
        changed("D28", munged(&taro, by_list).after("List-Id", LIST), &taro),
        changed("D28o", munged(bank, by_list).after("List-Id", LIST), bank),
        changed(
            "D28p",
            munged(&taro, by_list)
                .after("List-Id", "Talk <talk.list.example>")
                .after("List-Post", "<mailto:ml@list.example>"),
            &taro,
        ),
        differs("D28n", munged(&taro, by_list), &taro),
        differs("D28a", munged(&taro, "eve@eve.example").after("List-Id", LIST), &taro),
        differs("D28q", munged(&taro, by_list).after("List-Id", "<talk.list.example>"), &taro),
        differs("D28k", munged(&taro, "info@bank.example").after("List-Id", "<info.bank.example>"), &taro)
            .settings(KNOWN),
    ]
}
