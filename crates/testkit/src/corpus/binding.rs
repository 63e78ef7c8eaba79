//! D: whose signature it is, and when it was made.

use crate::cms::{SignedFactory, SignerFactory};
use crate::mail::Mail;
use crate::{BANK, CertificateFactory, Holder, NOW, Pki, in_days, key, write};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid};

use super::{Row, issued, under};

/// An address that many programs decode as if it were a name.
const WORD: &str = "=?utf-8?q?info=40bank.example?=@eve.example";
const ADDRESS: &str = "taro@corp.example";

/// A certificate of the old kind: the address stands in the subject alone.
fn old_kind(subject: &[(Oid, &str)]) -> CertificateFactory {
    CertificateFactory::signer(subject, &[], "old kind")
        .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points("http://crl.example/x.crl"))
        .policies(&[Pki::policy(1, 3)])
}

fn signed_at(holder: &Holder, signed: Time, date: Time) -> Vec<u8> {
    let mail = Mail::of(holder).dated(date);
    let signer = SignerFactory::new(holder).at(signed);
    mail.clear(&SignedFactory::new(mail.payload()).signer(&signer).holder(holder).der())
}

pub(crate) fn rows() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let differs = |id, mail, code| Row::new(id, mail, "SIGNER_DIFFERS", code);
    let ambiguous = |id, mail: Mail, code| Row::new(id, mail.clear_by(eve), "AMBIGUOUS", code);
    let mailbox = |id, mail| Row::new(id, mail, "MAILBOX_CONFIRMED", "ok");
    let (of_bank, of_eve) = (Mail::of(bank), Mail::of(eve));

    let quoted = issued(
        Pki::leaf(&[(oid::COUNTRY, "JP")], "x", 1).names(&[write::mailbox("\"info@bank.example\"@eve.example")]),
        "quoted",
    );
    let nul = issued(
        Pki::leaf(&[(oid::COUNTRY, "JP")], "x", 1).names(&[write::mailbox("info@bank.example\0.eve.example")]),
        "nul",
    );
    let in_subject: &[(Oid, &str)] = &[(oid::COMMON_NAME, "Taro"), (oid::EMAIL_ADDRESS, ADDRESS)];
    let nameless: &[(Oid, &str)] = &[(oid::COUNTRY, "JP"), (oid::COMMON_NAME, "例示市長")];
    let old = |subject: &[(Oid, &str)], issuer| under(issuer, old_kind(subject), key("old kind"));
    let long_lived = issued(Pki::leaf(BANK, "info@bank.example", 2).valid(in_days(-800), in_days(20)), "long");
    // A genuine signature of long ago, its Date as it was.
    let replayed = |holder: &Holder| Mail::of(holder).dated(in_days(-700));
    let genuine = {
        let signer = SignerFactory::new(&long_lived).at(in_days(-700));
        SignedFactory::new(Mail::of(&long_lived).payload()).signer(&signer).holder(&long_lived).der()
    };
    let word = issued(Pki::leaf(&[(oid::COUNTRY, "JP")], WORD, 1), "word");
    let ambiguous_by = |id, mail, code| Row::new(id, mail, "AMBIGUOUS", code);
    let hour = 60 * 60;
    let plus = "user+x@mail.example";
    let time = |id, signed, date, code| Row::new(id, signed_at(bank, signed, date), "TIME_ODD", code);
    let timely = |id, signed, date| Row::new(id, signed_at(bank, signed, date), "ORG_CONFIRMED", "ok");

    vec![
        differs("D01", of_bank.clear_by(eve), "bind.none"),
        differs("D01o", of_bank.opaque_by(eve), "bind.none"),
        ambiguous("D05", of_eve.clone().field("From", ""), "bind.no-from"),
        ambiguous("D05a", of_eve.clone().without("From").field("Sender", "eve@eve.example"), "bind.no-from"),
        ambiguous("D06", of_eve.clone().field("From", "Eve").after("Reply-To", "eve@eve.example"), "bind.no-addr"),
        ambiguous("D07", of_eve.clone().before("From", "info@bank.example"), "bind.dup-from"),
        ambiguous("D07r", of_eve.clone().after("From", "info@bank.example"), "bind.dup-from"),
        ambiguous("D08", Mail::from("info@bank.example, eve@eve.example"), "bind.multi-from"),
        differs("D09", of_bank.clone().after("Sender", "eve@eve.example").clear_by(eve), "bind.sender-only"),
        mailbox("D10", {
            let mail = of_eve.clone().before("Return-Path", "<info@bank.example>").after("Sender", "info@bank.example");
            mail.after("Reply-To", "info@bank.example").clear_by(eve)
        }),
        ambiguous("D11", Mail::from("info@bank.example <eve@eve.example>"), "bind.parse"),
        ambiguous("D11g", Mail::from("Bank: eve@eve.example;"), "bind.parse"),
        ambiguous("D11r", Mail::from("<@bank.example:eve@eve.example>"), "bind.parse"),
        differs("D16b", of_bank.clear_by(&quoted), "bind.none"),
        Row::new("D17", of_bank.clear_by(&nul), "AMBIGUOUS", "cert.san-nul"),
        Row::new("D18", Mail::from(ADDRESS).clear_by(&old(in_subject, &world.rp)), "LOCAL_CONFIRMED", "ok")
            .private()
            .note("bind.dn-email"),
        Row::new(
            "D18p",
            Mail::from(ADDRESS).clear_by(&old(in_subject, &world.se)),
            "CERT_NOT_VALID_THEN",
            "bind.dn-email",
        ),
        Row::new("D18d", of_bank.clear_by(&old(in_subject, &world.rp)), "SIGNER_DIFFERS", "bind.none").private(),
        Row::new("D19", Mail::from(ADDRESS).clear_by(&old(nameless, &world.se)), "NAME_ONLY", "bind.noaddress"),
        Row::new("D19l", Mail::from(ADDRESS).clear_by(&old(nameless, &world.rp)), "NAME_ONLY", "bind.noaddress")
            .private(),
        differs("D20", Mail::from(plus).clear_by(&world.mbox), "bind.none"),
        differs(
            "D21",
            of_eve.clone().protected("clear").field("From", "info@bank.example").clear_by(eve),
            "hp.from-mismatch",
        ),
        differs(
            "D22",
            of_bank.clone().protected("clear").field("From", "eve@eve.example").clear_by(eve),
            "hp.from-mismatch",
        ),
        Row::new(
            "D22d",
            {
                of_eve
                    .clone()
                    .before("From", "info@bank.example")
                    .protected("clear")
                    .without("From")
                    .field("From", "eve@eve.example")
                    .clear_by(eve)
            },
            "AMBIGUOUS",
            "bind.dup-from",
        ),
        Row::new(
            "D23",
            {
                let mail = of_bank.clone().field("Subject", "monthly").protected("clear");
                mail.field("Subject", "[ml] change of account").clear_by(bank)
            },
            "HEADERS_CHANGED",
            "hp.subject",
        ),
        Row::new(
            "D23t",
            of_bank.clone().protected("clear").field("To", "eve@eve.example").clear_by(bank),
            "HEADERS_CHANGED",
            "hp.headers",
        ),
        Row::new(
            "D23m",
            of_bank.clone().protected("clear").without("To").clear_by(bank),
            "HEADERS_CHANGED",
            "hp.headers",
        ),
        Row::new(
            "D23r",
            of_bank.clone().protected("clear").after("Reply-To", "eve@eve.example").clear_by(bank),
            "ORG_CONFIRMED",
            "ok",
        )
        .note("hp.added"),
        Row::new(
            "D23s",
            of_bank.clone().protected("clear").after("Subject", "change of account").clear_by(bank),
            "HEADERS_CHANGED",
            "hp.subject",
        ),
        Row::new(
            "D23l",
            of_bank.clone().protected("clear").after("Sender", "ml-bounces@list.example").clear_by(bank),
            "ORG_CONFIRMED",
            "ok",
        ),
        Row::new("D24", of_bank.clone().protected("cipher").clear_by(bank), "ORG_CONFIRMED", "ok")
            .note("hp.cipher-clear"),
        Row::new("D25", signed_at(&long_lived, in_days(-700), NOW), "TIME_ODD", "time.replay"),
        Row::new(
            "D25d",
            [b"Date: ", NOW.to_mail_date().as_bytes(), b"\r\n", &replayed(&long_lived).clear(&genuine)].concat(),
            "TIME_ODD",
            "time.replay",
        ),
        Row::new(
            "D25r",
            [&replayed(&long_lived).after("Date", &NOW.to_mail_date()).clear(&genuine)[..]].concat(),
            "TIME_ODD",
            "time.replay",
        ),
        Row::new("D25u", replayed(&long_lived).field("Date", "heute").clear(&genuine), "TIME_ODD", "time.skew"),
        Row::new("D25n", replayed(&long_lived).without("Date").clear(&genuine), "TIME_ODD", "time.replay"),
        Row::new("D25o", of_bank.clone().without("Date").clear_by(bank), "ORG_CONFIRMED", "ok"),
        ambiguous_by("D11w", Mail::from(WORD).clear_by(&word), "bind.parse"),
        time("D26", in_days(-4), in_days(-1), "time.skew"),
        time("D26a", NOW.plus(-24 * hour - 1), NOW, "time.skew"),
        timely("D26b", NOW.plus(-24 * hour), NOW),
        time("D26c", NOW, NOW.plus(-hour - 1), "time.skew"),
        timely("D26d", NOW, NOW.plus(-hour)),
        time("D27", in_days(2), in_days(2), "time.future"),
    ]
}
