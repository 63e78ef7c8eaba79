//! C: flaws of the MIME structure. F: encryption. G: fakes.

use crate::Pki;
use crate::cms::{SignedFactory, SignerFactory};
use crate::envelope::{EnvelopeFactory, key_transport};
use crate::mail::{Mail, clear_part, mixed, replaced, signature_part, text};
use kakitome_pki::asn1::oid;

use super::Row;

/// A body part under any header.
fn part(header: &str, body: &str) -> Vec<u8> {
    format!("{header}\r\n\r\n{body}\r\n").into_bytes()
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = structure();
    rows.extend(two_readings());
    rows.extend(forwarded());
    rows.extend(fakes());
    rows
}

fn structure() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank);
    let clear = base.clear_by(bank);
    let genuine = clear_part(base.payload(), &SignedFactory::by(bank, base.payload()).der());
    let from_bank = |part: &[u8]| base.around(part);
    let partly = |id, part: &[u8]| Row::new(id, from_bank(part), "NOT_SIGNED", "mime.none").note("mime.errant-sig");
    let altered = |id, from: &str, to: &str| Row::new(id, replaced(&clear, from, to), "ALTERED", "cms.digest");
    let ambiguous = |id, mail: Vec<u8>, code| Row::new(id, mail, "AMBIGUOUS", code);
    let ok = |id, mail: Vec<u8>| Row::new(id, mail, "ORG_CONFIRMED", "ok");
    let quoted = base.clone().part(
        "Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n=E3=81=82\r\nFrom here on \r\n\tit goes\r\n",
    );
    let quoted = quoted.clear_by(bank);
    let prefix = String::from_utf8(base.payload().to_vec()).unwrap().replace("payload", "signed2");
    let lf = |mail: &[u8]| replaced(mail, "\r\n", "\n");
    let lf_payload = lf(base.payload());
    let third = "\r\n--signed\r\nContent-Type: text/plain\r\n\r\nx\r\n--signed--\r\n";
    let html = "<p>振込先が変わりました</p><div style=\"display:none\"><plaintext>";
    let cid = "<p>x</p><iframe src=\"cid:signed@bank.example\">";
    let identified = [b"Content-ID: <signed@bank.example>\r\n", &genuine[..]].concat();
    let named = [b"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n", &genuine[..]].concat();
    vec![
        partly("C01", &mixed(&[&text(&"\r\n".repeat(200)), &genuine])),
        partly("C02", &mixed(&[&part("Content-Type: text/html; charset=utf-8", html), &genuine])),
        partly("C03", &mixed(&[&part("Content-Type: text/html", cid), &identified])),
        Row::new("C04", from_bank(&mixed(&[&text("x"), &named])), "FAKE_SIGNATURE", "fake.wrapped"),
        altered("C08", "お送りします。\r\n", "お送りします。\r\n-- \r\nML の案内\r\n"),
        Row::new(
            "C09",
            {
                let base64 = replaced(&quoted, "quoted-printable", "base64");
                replaced(&base64, "=E3=81=82\r\nFrom here on \r\n\tit goes", "44GCDQpGcm9tIGhlcmUgb24gDQoJaXQgZ29lcw0K")
            },
            "ALTERED",
            "cms.digest",
        ),
        Row::new("C10", replaced(&quoted, "\r\nFrom here", "\r\n>From here"), "ALTERED", "cms.digest"),
        Row::new("C10s", replaced(&quoted, "on \r\n", "on\r\n"), "ALTERED", "cms.digest"),
        Row::new("C10t", replaced(&quoted, "\tit", "        it"), "ALTERED", "cms.digest"),
        ok("C11", replaced(&clear, "boundary=\"signed\"\r\n\r\n", "boundary=\"signed\"\r\n\r\nTop text\r\n"))
            .note("mime.preamble"),
        ok("C11e", [&clear[..], b"Text below\r\n"].concat()).note("mime.preamble"),
        ambiguous("C12", replaced(&clear, "\r\n--signed--\r\n", third), "mime.children"),
        ambiguous("C12o", from_bank(&replaced(&mixed(&[base.payload()]), "multipart/mixed", SIGNED)), "mime.children"),
        ambiguous("C13", replaced(&clear, "application/pkcs7-signature; name", "text/plain; name"), "mime.protocol"),
        ambiguous(
            "C14",
            replaced(&clear, "protocol=\"application/pkcs7", "protocol=\"application/pgp"),
            "mime.protocol",
        ),
        ambiguous("C14n", replaced(&clear, "protocol=\"application/pkcs7-signature\";", ""), "mime.protocol"),
        ambiguous("C15", base.clone().part(prefix).clear_by(bank), "mime.boundary"),
        ambiguous("C16", base.clone().before("Content-Type", "text/plain").clear_by(bank), "mime.dup-header"),
        ambiguous("C16o", base.clone().before("Content-Type", "text/plain").opaque_by(bank), "mime.dup-header"),
        ambiguous(
            "C16b",
            base.clone().part("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n").clear_by(bank),
            "mime.dup-header",
        ),
        ok(
            "C17",
            replaced(
                &clear,
                "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";",
                "content-type :\r\n\t(a; boundary=\"b\") Multipart / SIGNED ;\r\n PROTOCOL = \"application/pkcs7-signature\";",
            ),
        ),
        ok(
            "C20",
            base.clone()
                .part(
                    "Content-Type: multipart/alternative; boundary=\"alt\"\r\n\r\n\
            --alt\r\nContent-Type: text/plain\r\n\r\n100\r\n\
            --alt\r\nContent-Type: text/html\r\n\r\n<p>900</p>\r\n--alt--\r\n",
                )
                .clear_by(bank),
        ),
        ok(
            "C21",
            base.clone().part("Content-Type: text/html\r\n\r\n<img src=\"http://x.example/\">\r\n").clear_by(bank),
        ),
        ok("C23", lf(&clear)),
        ambiguous("C23r", lf(&base.clear(&SignedFactory::by(bank, &lf_payload).der())), "mime.eol"),
        ok(
            "C24",
            base.clone()
                .part(
                    "Content-Type: message/external-body; access-type=URL; URL=\"http://x.example/\"\r\n\r\n\
             Content-Type: text/plain\r\n\r\n",
                )
                .clear_by(bank),
        ),
        ambiguous("X20", replaced(&clear, "\r\n--signed--\r\n", "\r\n"), "mime.unclosed"),
        ambiguous(
            "X21",
            replaced(&clear, "boundary=\"signed\"", "boundary=\"signed\"; boundary=\"other\""),
            "mime.boundary",
        ),
        ambiguous("X22", replaced(&clear, "boundary=\"signed\"", "boundary*=us-ascii''signed"), "mime.boundary"),
        ambiguous(
            "X23",
            replaced(&clear, "Content-Type: multipart/signed", "Garbage\r\nContent-Type: multipart/signed"),
            "mime.header",
        ),
        ambiguous(
            "X24",
            base.clone().part("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n").opaque_by(bank),
            "mime.inner",
        ),
    ]
}

/// Genuine signatures around which another program may see more than this one: a part, a sender, other content.
fn two_readings() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let base = Mail::of(bank);
    let clear = base.clear_by(bank);
    let opaque = base.opaque_by(bank);
    let ambiguous = |id, mail: Vec<u8>, code| Row::new(id, mail, "AMBIGUOUS", code);
    let above = |id, text: &str, code| {
        let begin = "boundary=\"signed\"\r\n\r\n";
        ambiguous(id, replaced(&clear, begin, &format!("{begin}{text}")), code)
    };
    let bounded = |id, parameter: &str, line: &str| {
        let mail = replaced(&clear, "boundary=\"signed\"", &format!("boundary={parameter}"));
        ambiguous(id, replaced(&mail, "--signed", &format!("--{line}")), "mime.content-type")
    };
    let evil = "Content-Type: text/html\r\n\r\n<p>pay to eve</p>\r\n";
    let binary = "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\
                  Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    let cms = SignedFactory::by(bank, base.payload()).embedded().der();
    vec![
        // RFC 5322 §4.5.2 lets white space stand before the colon: no separator of an mbox.
        ambiguous("X60", [b"From : info@bank.example\r\n", &Mail::of(eve).clear_by(eve)[..]].concat(), "bind.dup-from"),
        above("X61", &format!("--signedx\r\n{evil}"), "mime.boundary"),
        above("X61t", &format!("--signed\x0c\r\n{evil}"), "mime.boundary"),
        ambiguous("X61e", [&clear[..], b"--signed\r\n", evil.as_bytes()].concat(), "mime.boundary"),
        bounded("X62", "signed(x)", "signed(x)"),
        bounded("X62q", "\"sig\\ned\"", "signed"),
        bounded("X62f", "\"sig\r\n\tned\"", "sig\tned"),
        bounded("X62n", "\"sig\0ned\"", "sig\0ned"),
        ambiguous("X63", Mail::of(eve).field("Subject", "x\rFrom: info@bank.example").clear_by(eve), "mime.header"),
        above("X63p", "x\r--signed\r\rpay to eve\r\n", "mime.boundary"),
        ambiguous(
            "X63s",
            replaced(&clear, "\r\n--signed--", "\r\n\r--signed\r\rpay to eve\r\n--signed--"),
            "mime.boundary",
        ),
        ambiguous("X64", replaced(&opaque, "\"smime.p7m\"\r\n\r\n", "\"smime.p7m\"\r\n\r\n-_\r\n"), "cms.base64"),
        ambiguous("X64q", base.around(&[binary.as_bytes(), &cms].concat()), "cms.parse"),
        ambiguous(
            "X64s",
            replaced(
                &clear,
                "base64\r\nContent-Disposition: attachment; filename=\"smime.p7s",
                "quoted-printable\r\nContent-Disposition: attachment; filename=\"smime.p7s",
            ),
            "cms.parse",
        ),
    ]
}

const SIGNED: &str = "multipart/signed; protocol=\"application/pkcs7-signature\"";

fn forwarded() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let genuine = Mail::of(bank).clear_by(bank);
    let genuine = replaced(&replaced(&genuine, "\"signed\"", "\"inner\""), "--signed", "--inner");
    let attached = [b"Content-Type: message/rfc822\r\n\r\n", &genuine[..]].concat();
    let around = mixed(&[&text("転送します"), &attached]);
    vec![
        Row::new("C18", Mail::from("info@bank.example").around(&around), "NOT_SIGNED", "mime.none")
            .note("mime.forwarded"),
        Row::new("C18r", Mail::from("info@bank.example").around(&attached), "NOT_SIGNED", "mime.none"),
        Row::new("C19", Mail::of(eve).part(&around).clear_by(eve), "MAILBOX_CONFIRMED", "ok"),
        Row::new("C19b", Mail::of(bank).part(&around).clear_by(eve), "SIGNER_DIFFERS", "bind.none"),
        Row::new(
            "C22",
            Mail::from("info@bank.example").around(&part(
                "Content-Type: text/html; charset=utf-8",
                "<div style=\"color:green\">「例示銀行」からのメールです</div>",
            )),
            "NOT_SIGNED",
            "mime.none",
        ),
    ]
}

fn fakes() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let base = Mail::from("info@bank.example");
    let html = part("Content-Type: text/html; charset=utf-8", "<a href=\"http://x.example/\">ログイン</a>");
    let with = |file: &[u8]| base.around(&mixed(&[&html, &signature_part(file)]));
    let fake = |id, file: &[u8], code| Row::new(id, with(file), "FAKE_SIGNATURE", code);
    // No generator of random octets is needed for what is no CMS object.
    let noise: Vec<u8> = (0..2000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let stolen = SignedFactory::by(bank, base.payload()).der();
    let other = base.clone().part("Content-Type: text/plain\r\n\r\npay to eve\r\n");
    let signer = SignerFactory::new(bank);
    // A document with its own signature, in one file.
    let document = SignedFactory::by(bank, b"%PDF contract").embedded().der();
    let sealed = |kind| EnvelopeFactory::new(kind).recipient(key_transport(&bank.certificate, None, &[1; 256])).der();
    let not_signed = |id, mail: Vec<u8>| Row::new(id, mail, "NOT_SIGNED", "mime.none");
    // Outlook's rich text: the signed mail is inside, in a form of its own (MS-OXTNEF §2.1.3).
    let tnef = |inside: &[u8]| {
        let packed = [&[0x78, 0x9f, 0x3e, 0x22, 1, 0][..], inside].concat();
        let head =
            "Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        [head.as_bytes(), &crate::mail::base64(&packed)].concat()
    };
    vec![
        Row::new("F01", base.opaque(&sealed(oid::ENVELOPED_DATA)), "SEALED", "enc.cannot-open"),
        Row::new("F01a", base.opaque(&sealed(oid::AUTH_ENVELOPED_DATA)), "SEALED", "enc.cannot-open"),
        fake("G01", &noise, "fake.notcms"),
        fake("G02", b"\x89PNG\r\n\x1a\n picture", "fake.notcms"),
        fake("G02z", b"PK\x03\x04 archive", "fake.notcms"),
        fake("G02h", b"<html><body>x</body></html>", "fake.notcms"),
        fake("G02e", b"", "fake.notcms"),
        Row::new("G02m", other.clear(&noise), "FAKE_SIGNATURE", "fake.notcms"),
        fake("G03", &stolen, "fake.othermail"),
        fake("G03s", &SignedFactory::new(b"").holder(bank).der(), "fake.othermail"),
        Row::new("G04", other.clear(&stolen), "ALTERED", "cms.digest"),
        not_signed("F19", base.around(&mixed(&[&text("x"), &tnef(&base.clear_by(bank))]))).note("mime.tnef"),
        not_signed("G05", base.around(&mixed(&[base.payload(), &signature_part(&stolen)]))).note("fake.flattened"),
        not_signed(
            "G05n",
            base.around(&mixed(&[&html, &html, &html, &html, &html, base.payload(), &signature_part(&stolen)])),
        ),
        not_signed(
            "G05d",
            base.around(&mixed(&[&html, &replaced(&signature_part(&document), "smime.p7s", "contract.p7s")])),
        ),
        fake("G05s", &document, "fake.othermail"),
        not_signed(
            "G05q",
            base.around(&mixed(&[&html, &replaced(&signature_part(&stolen), "base64", "quoted-printable")])),
        ),
        not_signed("G06", base.around(&text("✔ このメールは電子署名で保護されています"))),
        not_signed("G07", base.clone().before("Authentication-Results", "gw.example.jp; smime=pass").around(&html)),
        not_signed("G08", base.clone().before("X-Kakitome-Verdict", "ORG_CONFIRMED").around(&html)),
        not_signed("G09", base.clone().before("DKIM-Signature", "v=1; d=eve.example").around(&html)),
        Row::new("X51", base.opaque(&noise), "AMBIGUOUS", "cms.parse"),
        Row::new(
            "X52",
            base.opaque(&SignedFactory::new(base.payload()).signer(&signer).embedded().der()),
            "AMBIGUOUS",
            "cms.no-signer-certificate",
        ),
    ]
}
