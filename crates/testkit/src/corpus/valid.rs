//! A: what is good, in all its forms. H: what is hardly a mail.

use crate::cms::{Form, SignedFactory, SignerFactory};
use crate::list::CrlFactory;
use crate::mail::{self, Mail, replaced};
use crate::{BANK, CertificateFactory, Holder, Pki, ed25519_key, in_days, ml_dsa_key, rsa_key, write};
use kakitome_pki::algorithm::MlDsa;
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::crypto;
use kakitome_smime::cms::content::{Object, read};
use kakitome_smime::octets::InMemory;

use super::{Row, issued, issued_for};

pub(crate) fn rsa_bank() -> Holder {
    issued_for(Pki::leaf(BANK, "info@bank.example", 2), rsa_key("bank"))
}

pub(crate) fn rows() -> Vec<Row> {
    let world = Pki::get();
    let bank = &world.bank;
    let ok = |id, mail, state| Row::new(id, mail, state, "ok");
    let org = |id, mail| ok(id, mail, "ORG_CONFIRMED");
    let base = Mail::of(bank);
    let clear = base.clear_by(bank);
    let hanako = issued_for(
        Pki::leaf(
            &[(oid::COUNTRY, "JP"), (oid::SURNAME, "見本"), (oid::GIVEN_NAME, "花子"), (oid::COMMON_NAME, "見本 花子")],
            "hanako@mail.example",
            4,
        ),
        ed25519_key("hanako"),
    );
    let pseudonym = issued(
        Pki::leaf(
            &[(oid::COUNTRY, "JP"), (oid::PSEUDONYM, "雪の下"), (oid::COMMON_NAME, "雪の下")],
            "yuki@mail.example",
            4,
        ),
        "yuki",
    );
    let pre = issued(
        CertificateFactory::signer(&[(oid::COMMON_NAME, "Example Bank")], &["info@bank.example"], "pre")
            .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points("http://crl.se.example/se.crl"))
            .valid(in_days(-1204), in_days(-100)),
        "pre",
    );
    let three = issued(
        Pki::leaf(BANK, "info@bank.example", 2).names(&[
            write::mailbox("kouhou@bank.example"),
            write::mailbox("info@bank.example"),
            write::mailbox("saiyo@bank.example"),
        ]),
        "three",
    );
    let eai = issued(
        Pki::leaf(&[(oid::COMMON_NAME, "太郎@例え.example")], "x", 1)
            .names(&[write::mailbox_utf8("太郎@例え.example")]),
        "eai",
    );
    let alabel =
        issued(Pki::leaf(&[(oid::COMMON_NAME, "taro@xn--r8jz45g.example")], "taro@xn--r8jz45g.example", 1), "alabel");
    let lattice = issued_for(Pki::leaf(BANK, "info@bank.example", 2), ml_dsa_key(MlDsa::MlDsa65, "bank"));
    let orphan = Holder { chain: Vec::new(), ..bank.clone() };
    let old_mail = |holder: &Holder| {
        let mail = Mail::of(holder).dated(in_days(-150));
        let signer = SignerFactory::new(holder).at(in_days(-150));
        mail.clear(&SignedFactory::new(mail.payload()).signer(&signer).holder(holder).der())
    };
    // As they were at the delivery, and were kept.
    let then = |issuer| CrlFactory::default().dated(in_days(-150), Some(in_days(-143))).signed_by(issuer);
    let by = |signer: SignerFactory| SignedFactory::new(base.payload()).signer(&signer).holder(bank);
    let rsa = rsa_bank();

    let jis = "Content-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
               \x1b$B$$$D$b\x1b(B\r\n\x1b$B$*@$OC\x1b(B\r\n";
    let jis = base.clone().part(jis);
    let mut rows = vec![
        org("A01", base.clear_by(&rsa)),
        org("A01p", clear.clone()).note("hp.none").note("rev.crl.good").note("bind.from-san.exact"),
        org("A02", base.opaque_by(bank)),
        org("A02r", base.opaque_by(&rsa)),
        ok("A03", Mail::of(&world.taro).clear_by(&world.taro), "PERSON_IN_ORG_CONFIRMED"),
        ok("A04", Mail::of(&hanako).clear_by(&hanako), "PERSON_CONFIRMED"),
        ok("A04o", Mail::of(&hanako).opaque_by(&hanako), "PERSON_CONFIRMED"),
        ok("A05", Mail::of(&pseudonym).clear_by(&pseudonym), "PERSON_CONFIRMED").note("class.pseudonym"),
        ok(
            "A06",
            Mail::from("=?utf-8?B?5L6L56S6IOWkqumDjg==?= <user@mail.example>").clear_by(&world.mbox),
            "MAILBOX_CONFIRMED",
        )
        .note("class.mailbox"),
        ok("A07", old_mail(&pre), "MAILBOX_CONFIRMED")
            .delivered(in_days(-149))
            .lists(vec![then(&world.re), then(&world.se)])
            .note("class.prebr"),
        org("A08", replaced(&clear, "application/pkcs7-signature", "application/x-pkcs7-signature"))
            .note("compat.xtype"),
        org("A08o", replaced(&base.opaque_by(bank), "application/pkcs7-mime", "application/x-pkcs7-mime")),
        org("A09", replaced(&clear, "micalg=sha-256", "micalg=sha1")).note("lint.micalg"),
        org("A09n", replaced(&clear, "\r\n\tmicalg=sha-256;", "")).note("lint.micalg"),
        org("A10", {
            let signer = SignerFactory::new(&rsa).pss();
            base.clear(&SignedFactory::new(base.payload()).signer(&signer).holder(&rsa).der())
        }),
        org("A11", base.clone().protected("clear").clear_by(bank)).note("hp.clear"),
        org("A11o", base.clone().protected("clear").opaque_by(bank)).note("hp.clear"),
        ok("A14", Mail::from("太郎@例え.example").clear_by(&eai), "MAILBOX_CONFIRMED"),
        ok("A15", Mail::from("taro@例え.example").clear_by(&alabel), "MAILBOX_CONFIRMED"),
        org("A16", Mail::from("Info@Bank.Example").clear_by(bank)).note("bind.case"),
        org("A17", Mail::from("info@bank.example").clear_by(&three)),
        org("A18", base.opaque(&by(SignerFactory::new(bank)).embedded().form(Form::Indefinite(17)).der())),
        org("A18p", base.opaque(&by(SignerFactory::new(bank)).embedded().form(Form::Pieces(100)).der())),
        org("A18c", base.clear(&by(SignerFactory::new(bank)).form(Form::Indefinite(17)).der())),
        org("A19", base.clear_by(&orphan)).hint(&world.se.certificate),
        Row::new("A19n", base.clear_by(&orphan), "ISSUER_UNKNOWN", "path.unknown"),
        Row::new("A21", stamped(), "ORG_CONFIRMED", "time.tst"),
        org("A22", Mail::of(&lattice).clear_by(&lattice)),
        org("A23", Mail::from("\"=?utf-8?B?5L6L56S66YqA6KGM?=\" <info@bank.example> (PR)").clear_by(bank)),
        org("A24", jis.clear_by(bank)),
        org("X01", base.clear(&by(SignerFactory::new(bank).by_key_id()).der())),
        org("X02", base.clear(&by(SignerFactory::new(bank).at(None)).der())).note("time.no-signing-time"),
    ];
    rows.extend(robustness());
    rows
}

/// Signed by a certificate that has ended since, with a time-stamp token (RFC 3161, CAdES-T) from before its end.
fn stamped() -> Vec<u8> {
    let holder = &Pki::get().expired;
    let mail = Mail::of(holder).dated(in_days(-20));
    let signer = SignerFactory::new(holder).at(in_days(-20));
    let signature = match read(&SignedFactory::new(mail.payload()).signer(&signer).der(), &InMemory) {
        Ok(Object::Signed(signed)) => signed.signers[0].signature.clone(),
        _ => panic!("no signed-data"),
    };
    let sha256 = der::sequence(&[&der::oid(&oid::SHA256)]);
    let info = der::sequence(&[
        &der::unsigned(&[1]),
        &der::oid(&Pki::policy(9, 9)),
        &der::sequence(&[&sha256, &der::octet_string(&crypto::sha256(&signature))]),
        &der::unsigned(&[1]),
        &in_days(-20).to_der(),
    ]);
    let authority = issued(
        CertificateFactory::new(&[(oid::COMMON_NAME, "TSA")], "TSA").with(
            oid::EXTENDED_KEY_USAGE,
            true,
            write::usages(&[oid::TIME_STAMPING]),
        ),
        "TSA",
    );
    let token = SignedFactory::new(&info).signer(&SignerFactory::new(&authority)).holder(&authority);
    let token = token.content_type(oid::TST_INFO).embedded().der();
    let signer = signer.unsigned(oid::TIME_STAMP_TOKEN, token);
    mail.clear(&SignedFactory::new(mail.payload()).signer(&signer).holder(holder).der())
}

fn robustness() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank);
    let clear = base.clear_by(bank);
    let not = |id, mail: &[u8], code| Row::new(id, mail.to_vec(), "NOT_A_MAIL", code);
    let nested = |count: usize| {
        let mut part = b"Content-Type: text/plain\r\n\r\nx\r\n".to_vec();
        for level in 0..count {
            let head = format!("Content-Type: multipart/mixed; boundary=\"b{level}x\"\r\n\r\n--b{level}x\r\n");
            part = [head.as_bytes(), &part, format!("\r\n--b{level}x--\r\n").as_bytes()].concat();
        }
        base.clone().part(part)
    };
    let many = (0..10_000).fold(base.clone(), |mail, n| mail.after(&format!("X-{n}"), "x"));
    let mbox =
        [b"From x@y Tue Dec  1 00:00:00 2026\r\n", &clear[..], b"\r\nFrom z@y\r\nFrom: z@y\r\n\r\nz\r\n"].concat();
    let cut = clear.windows(4).rposition(|window| window == b"\r\n--").unwrap();
    let half = [&clear[..cut - 401], &clear[cut..]].concat();
    let opaque = base.opaque_by(bank);
    let behind = |id, before: &[u8], note| Row::new(id, [before, &clear].concat(), "ORG_CONFIRMED", "ok").note(note);
    vec![
        not("H01", &[&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..], &[0; 2000]].concat(), "in.msg"),
        Row::new("H02", mbox, "ORG_CONFIRMED", "ok").note("in.mbox"),
        // What programs leave before the first field of a file.
        behind("H13", b"\xef\xbb\xbf", "mime.header-form"),
        behind("H13l", b"\r\n\n", "mime.header-form"),
        behind("H13q", b">From info@bank.example Tue Dec  1 00:00:00 2026\n", "in.mbox"),
        Row::new("H04", nested(500).clear_by(bank), "AMBIGUOUS", "limit.depth"),
        Row::new("H04o", nested(500).opaque_by(bank), "AMBIGUOUS", "mime.inner"),
        Row::new("H04u", nested(500).plain(), "NOT_SIGNED", "mime.none").note("limit.depth"),
        Row::new("H05", many.clear_by(bank), "AMBIGUOUS", "limit.headers"),
        Row::new(
            "H05l",
            base.clone().field("X-Long", vec![b'x'; 1 << 20]).clear_by(bank),
            "AMBIGUOUS",
            "limit.headers",
        ),
        Row::new(
            "H06",
            base.clone().field("Subject", b"\x8c\x8e\x97\xe1\x95\xf1\x8d\x90").clear_by(bank),
            "ORG_CONFIRMED",
            "ok",
        ),
        Row::new(
            "H06f",
            base.clone().field("From", b"\x97\xe1\x8e\xa6 <info@bank.example>").clear_by(bank),
            "ORG_CONFIRMED",
            "ok",
        ),
        Row::new("H06n", base.clone().field("Subject", b"a\0b").clear_by(bank), "ORG_CONFIRMED", "ok"),
        Row::new("H06z", base.clone().field("From", b"info@bank.example\0").clear_by(bank), "AMBIGUOUS", "bind.parse"),
        not("H07", b"", "in.empty"),
        not("H07w", b"  \r\n\r\n", "in.empty"),
        not("H07h", b"<!DOCTYPE html><html><body>From: x</body></html>", "in.html"),
        not("H07t", b"just a few words\r\n", "in.not-mail"),
        Row::new("H08", half, "AMBIGUOUS", "cms.parse"),
        Row::new("H08o", opaque[..opaque.len() - 400].to_vec(), "AMBIGUOUS", "cms.parse"),
        Row::new("H09", clear.clone(), "OLD_SIGNATURE", "time.expired-since").at(in_days(1200)),
        Row::new("H09f", clear, "OLD_SIGNATURE", "time.expired-since").at(in_days(12_000)),
        Row::new("X50", mail::text("x"), "NOT_SIGNED", "mime.none"),
    ]
}
