//! `kakitome cert check` and `cert show` as programs call them. A case is a row: what is judged, with which options, the
//! exit code, the reason that decided.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;

use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::crl::Reason;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_testkit::write;
use kakitome_testkit::{CertificateFactory, CrlFactory, NOW, OcspFactory, Pki, Says, in_days, key};
use program::kakitome;

/// Everything that the rows name, as files.
fn prepare(folder: &Path) {
    let pki = Pki::get();
    let write_file = |name: &str, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
    let text = |certificate: &Certificate| pem::write("CERTIFICATE", certificate.raw());
    let certificate = |name: &str, certificate: &Certificate| write_file(name, text(certificate).as_bytes());
    let (bank, se) = (&pki.bank.certificate, &pki.se.certificate);
    certificate("public.pem", &pki.re.certificate);
    certificate("private.pem", &pki.rp.certificate);
    certificate("se.pem", se);
    certificate("bank.pem", bank);
    certificate("local.pem", &pki.local.certificate);
    certificate("expired.pem", &pki.expired.certificate);
    certificate("self.pem", &pki.self_signed.certificate);
    write_file("bank.der", bank.raw());
    write_file("chain.pem", format!("{}{}", text(bank), text(se)).as_bytes());
    let bundle = der::sequence(&[
        &der::unsigned(&[1]),
        &der::element(0x31, &[]),
        &der::sequence(&[&der::oid(&oid::DATA)]),
        &der::context(0, &[bank.raw(), se.raw()]),
        &der::element(0x31, &[]),
    ]);
    write_file("chain.p7b", &der::sequence(&[&der::oid(&oid::SIGNED_DATA), &der::context(0, &[&bundle])]));
    let both = format!("{}{}", text(bank), text(se));
    write_file("mark.pem", format!("\u{feff}{both}").as_bytes());
    write_file("crlf.pem", both.replace('\n', "\r\n").as_bytes());
    write_file("mac.pem", both.replace('\n', "\r").as_bytes());
    write_file("around.pem", format!("subject: the bank\n{}-- \nand its CA:\n{}bye", text(bank), text(se)).as_bytes());
    write_file(
        "one-line.pem",
        text(bank).replace('\n', "").replace("E-----", "E-----\n").replace("-----END", "\n-----END").as_bytes(),
    );
    write_file("trusted.pem", both.replace("CERTIFICATE", "TRUSTED CERTIFICATE").as_bytes());
    write_file("trailing.der", &[bank.raw(), &[0]].concat());
    write_file("trailing.pem", pem::write("CERTIFICATE", &[bank.raw(), &[0]].concat()).as_bytes());
    let mut cut = bank.raw().to_vec();
    cut.truncate(cut.len() - 1);
    write_file("cut.pem", pem::write("CERTIFICATE", &cut).as_bytes());
    write_file("nothing.pem", b"no certificate in here\n");
    let hostile =
        CertificateFactory::signer(&[(oid::COMMON_NAME, "\u{1b}[2J\u{202e}knab")], &["a@b.example"], "hostile");
    certificate("hostile.pem", &hostile.issued_by(&pki.rp));
    let server = CertificateFactory::signer(&[(oid::COMMON_NAME, "server")], &[], "server").with(
        oid::EXTENDED_KEY_USAGE,
        false,
        write::usages(&[oid::SERVER_AUTH]),
    );
    certificate("server.pem", &server.issued_by(&pki.rp));

    let impostor = |n: usize| {
        let key = key(&format!("impostor {n}"));
        text(&CertificateFactory::authority("SE").spki(key.spki()).issued_by(&pki.rx))
    };
    write_file("crowd.pem", (0..101).map(impostor).collect::<String>().as_bytes());

    let list = CrlFactory::default;
    let lists = |se: CrlFactory| -> String {
        let all = [list().signed_by(&pki.re), se.signed_by(&pki.se)];
        all.iter().map(|list| pem::write("X509 CRL", list.raw())).collect()
    };
    write_file("lists.pem", lists(list()).as_bytes());
    write_file("revoked.pem", lists(list().revoking(bank, in_days(-1), Some(Reason::Superseded))).as_bytes());
    write_file("stale.pem", lists(list().dated(in_days(-9), Some(in_days(-2)))).as_bytes());
    let bag = |lists: &[&[u8]]| {
        let empty = der::element(0x31, &[]);
        let data = der::sequence(&[&der::oid(&oid::DATA)]);
        let bundle = der::sequence(&[&der::unsigned(&[1]), &empty, &data, &der::context(1, lists), &empty]);
        der::sequence(&[&der::oid(&oid::SIGNED_DATA), &der::context(0, &[&bundle])])
    };
    let (of_re, of_se) = (list().signed_by(&pki.re), list().signed_by(&pki.se));
    write_file("lists.p7b", &bag(&[of_re.raw(), of_se.raw()]));
    write_file("old-label.pem", lists(list()).replace("X509 CRL", "CRL").as_bytes());
    let answer = OcspFactory::default().about(bank, se, Says::Revoked(in_days(-1), None)).der(&pki.se);
    write_file("mixed.pem", (lists(list()) + &pem::write("OCSP RESPONSE", &answer)).as_bytes());
    write_file("re.crl", list().signed_by(&pki.re).raw());
    write_file("cut.crl", &list().der(&pki.rp)[..100]);
    write_file("good.ocsp", &OcspFactory::default().about(bank, se, Says::Good).der(&pki.se));
    write_file("revoked.ocsp", &OcspFactory::default().about(bank, se, Says::Revoked(in_days(-1), None)).der(&pki.se));
}

#[test]
fn every_row_ends_as_it_says() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let rows: &[(&str, i32, &str)] = &[
        ("bank.pem --untrusted se.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("chain.p7b --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("bank.der --untrusted chain.p7b --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("bank.pem --public-roots public.pem --crl lists.pem", 30, "path.unknown"),
        ("bank.pem", 30, "path.unknown"),
        ("self.pem --public-roots public.pem", 30, "path.selfsigned"),
        ("self.pem --trust self.pem", 0, "ok"),
        ("chain.pem --trust se.pem --revocation off", 0, "ok"),
        ("expired.pem --untrusted se.pem --public-roots public.pem", 30, "time.expired-at-signing"),
        // how a file is written
        ("mark.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("crlf.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("mac.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("around.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("one-line.pem --untrusted mark.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("trusted.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("trailing.der --untrusted se.pem --public-roots public.pem --crl lists.pem", 30, "cert.malformed"),
        ("trailing.pem --untrusted se.pem --public-roots public.pem --crl lists.pem", 30, "cert.malformed"),
        ("bank.pem --trust chain.p7b --revocation off", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.p7b", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl old-label.pem", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl mixed.pem", 40, "rev.before"),
        // revocation
        ("chain.pem --public-roots public.pem", 30, "rev.unavailable"),
        ("chain.pem --public-roots public.pem --revocation off", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl stale.pem", 30, "rev.stale"),
        ("chain.pem --public-roots public.pem --crl revoked.pem", 40, "rev.before"),
        ("chain.pem --public-roots public.pem --crl re.crl --crl good.ocsp", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.pem --ocsp revoked.ocsp", 40, "rev.before"),
        ("local.pem --trust private.pem", 0, "ok"),
        ("local.pem --trust private.pem --revocation require", 30, "rev.unavailable"),
        ("local.pem --trust private.pem --crl cut.crl", 30, "rev.unavailable"),
        // what is made to take long
        ("bank.pem --untrusted crowd.pem --public-roots public.pem", 30, "limit.path"),
        // whose it is, and what for
        ("chain.pem --public-roots public.pem --crl lists.pem --email info@bank.example", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.pem --email INFO@bank.example", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.pem --email eve@eve.example", 40, "bind.none"),
        ("chain.pem --public-roots public.pem --crl revoked.pem --email eve@eve.example", 40, "rev.before"),
        ("server.pem --trust private.pem", 30, "cert.eku"),
        ("server.pem --trust private.pem --purpose any", 0, "ok"),
        ("server.pem --trust private.pem --purpose any --email a@b.example", 30, "bind.noaddress"),
        // policies
        ("chain.pem --public-roots public.pem --crl lists.pem --explicit-policy", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.pem --explicit-policy --policy 2.23.140.1.5.2.3", 0, "ok"),
        ("chain.pem --public-roots public.pem --crl lists.pem --explicit-policy --policy 1.2.3", 30, "path.policy"),
        (
            "chain.pem --public-roots public.pem --crl lists.pem --explicit-policy --inhibit-any-policy",
            30,
            "path.policy",
        ),
        // what cannot be read
        ("cut.pem --public-roots public.pem", 30, "cert.malformed"),
        ("chain.pem --untrusted cut.pem --public-roots public.pem --crl lists.pem", 0, "ok"),
        ("chain.pem --trust cut.pem", 30, "path.unknown"),
    ];
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(arguments, code, reason)| {
            let output = kakitome(home.path(), &format!("cert check --json --at {NOW} {arguments}"));
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let told = (output.status.code(), json["reasons"][0].as_str().unwrap_or("none").to_owned());
            (told != (Some(*code), (*reason).to_owned())).then(|| format!("{arguments}: {told:?}, not {code} {reason}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for arguments in ["nothing.pem --trust private.pem", "missing.pem", "local.pem --trust missing.pem"] {
        assert_eq!(kakitome(home.path(), &format!("cert check {arguments}")).status.code(), Some(60), "{arguments}");
    }
    for arguments in ["local.pem --email nobody", "local.pem --policy x", "local.pem --purpose tls"] {
        assert_eq!(kakitome(home.path(), &format!("cert check {arguments}")).status.code(), Some(2), "{arguments}");
    }
}

#[test]
fn the_report_is_for_people() {
    let home = tempfile::tempdir().unwrap();
    prepare(home.path());
    let told = |arguments: &str| String::from_utf8(kakitome(home.path(), arguments).stdout).unwrap();
    let report = told(&format!("cert check --at {NOW} chain.pem --public-roots public.pem --crl revoked.pem"));
    let order = [
        "✗ The certificate was revoked",
        "was revoked at 2026-11-30T00:00:00Z: superseded",
        "CN=RE · anchor, on the public list",
        "└─ C=JP, O=Example Trust, CN=SE",
        "   └─ C=JP, O=例示銀行",
        "✓ Known issuer",
        "✗ Not revoked",
    ];
    let mut rest = report.as_str();
    for line in order {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("{line:?} is missing, or not in its place: {report}")).1;
    }
    let japanese = told(&format!("cert check --lang ja --at {NOW} bank.pem --public-roots public.pem"));
    assert!(
        japanese.contains("△ 発行元が分かりません") && japanese.contains("信頼する発行元に見つからない"),
        "{japanese}"
    );
    // each detail is in the reader's language
    let details = [
        ("bank.pem --public-roots public.pem", "発行元が分からない", "the issuer is not known"),
        (
            "chain.pem --public-roots public.pem",
            "失効リストが手元にない",
            "no revocation list of the issuer is at hand",
        ),
        ("chain.pem --public-roots public.pem --crl revoked.pem", "に取り消された: superseded", "was revoked at 2026-"),
        ("server.pem --trust private.pem", "証明書がメール用ではない", "the certificate is not for e-mail"),
        ("expired.pem --untrusted se.pem --public-roots public.pem", "に期限が切れた", "expired at"),
        (
            "local.pem --trust private.pem --email eve@eve.example",
            "eve@eve.example のものではない",
            "not for eve@eve.example",
        ),
        ("local.pem --trust private.pem", "求められてもいない", "none was demanded"),
    ];
    for (arguments, ja, en) in details {
        let in_lang = |lang: &str| told(&format!("cert check --lang {lang} --at {NOW} {arguments}"));
        let (japanese, english) = (in_lang("ja"), in_lang("en"));
        assert!(japanese.contains(ja) && !japanese.contains(en), "{arguments}: {japanese}");
        assert!(english.contains(en) && !english.contains(ja), "{arguments}: {english}");
    }
    // nothing out of a certificate reaches the terminal as it is
    for arguments in [
        format!("cert check --at {NOW} hostile.pem --trust private.pem"),
        "cert show hostile.pem".to_owned(),
        "cert show --json hostile.pem".to_owned(),
    ] {
        let report = told(&arguments);
        assert!(report.contains("knab") && !report.contains(['\u{1b}', '\u{202e}']), "{arguments}: {report:?}");
    }
    let shown: serde_json::Value = serde_json::from_str(&told("cert show --json chain.p7b")).unwrap();
    let bundle = &shown["files"][0]["objects"][0];
    assert_eq!(bundle["inside"].as_array().map(Vec::len), Some(2), "{shown}");
    assert_eq!(kakitome(home.path(), "cert show cut.pem").status.code(), Some(60));
}
