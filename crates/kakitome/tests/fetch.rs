//! `check`, `verify` and `cert check` with a server of revocation lists: what they ask, what they keep, what they say. A
//! case is a row: the mail, the options, the exit code, the reason that decided, how often the server was asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::pem;
use kakitome_testkit::mail::Mail;
use kakitome_testkit::{CertificateFactory, CrlFactory, Holder, NOW, Pki, Server, Serves, in_days, key, write};
use program::command;

/// Somebody under RP, which a user trusts, and a certificate that names this place.
fn somebody(name: &str, url: &str) -> Holder {
    let address = format!("{name}@local.example");
    let certificate = CertificateFactory::signer(&[(oid::COMMON_NAME, &address)], &[&address], "staff")
        .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points(url))
        .issued_by(&Pki::get().rp);
    Holder { certificate, key: key("staff"), chain: Vec::new() }
}

/// The program's answer in the wire form, and its exit code.
fn told(folder: &Path, line: &str, fetch: &[(&str, &str)]) -> (i32, serde_json::Value) {
    let mut command = command(folder, line);
    command.env_remove("KAKITOME_FETCH_ENABLED").envs(fetch.iter().copied());
    let out = command.output().unwrap();
    (out.status.code().unwrap(), serde_json::from_slice(&out.stdout).unwrap_or_default())
}

#[test]
fn revocation_is_fetched_and_kept() {
    let pki = Pki::get();
    // Whatever day it is: made before the moment that is judged, and not due before that moment nor before today.
    let next = program::now().max(NOW).plus(6 * 24 * 60 * 60);
    let list = move || CrlFactory::default().dated(in_days(-1), Some(next));
    let server = Server::start(move |asked| {
        let rp = &Pki::get().rp;
        match asked.path.as_str() {
            "/good.crl" => Serves::Octets(list().der(rp)),
            "/revoked.crl" => {
                let taken_back = somebody("revoked", &format!("http://{}/revoked.crl", host(&asked.header)));
                Serves::Octets(list().revoking(&taken_back.certificate, in_days(-2), None).der(rp))
            }
            _ => Serves::Status(404),
        }
    });
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| fs::write(home.path().join(name), octets).unwrap();
    write("private.pem", pem::write("CERTIFICATE", pki.rp.certificate.raw()).as_bytes());
    write("rp.crl", &list().der(&pki.rp));
    for name in ["good", "revoked", "missing"] {
        let holder = somebody(name, &server.url(&format!("/{name}.crl")));
        write(&format!("{name}.eml"), &Mail::of(&holder).clear_by(&holder));
        write(&format!("{name}.pem"), pem::write("CERTIFICATE", holder.certificate.raw()).as_bytes());
    }
    let allowed: &[(&str, &str)] = &[("KAKITOME_FETCH_ALLOW_PRIVATE", "127.0.0.0/8")];
    let off: &[(&str, &str)] = &[("KAKITOME_FETCH_ENABLED", "false"), ("KAKITOME_FETCH_ALLOW_PRIVATE", "127.0.0.0/8")];
    type Settings<'a> = &'a [(&'a str, &'a str)];
    let rows: &[(&str, Settings<'_>, i32, &str, usize)] = &[
        ("check good.eml", &[], 30, "rev.ssrf", 0),
        ("check --offline good.eml", allowed, 30, "rev.unavailable", 0),
        ("check good.eml", off, 30, "rev.unavailable", 0),
        ("check --revocation off good.eml", allowed, 0, "ok", 0),
        ("check --crl rp.crl good.eml", allowed, 0, "ok", 0),
        ("check good.eml", allowed, 0, "ok", 1),
        ("check revoked.eml", allowed, 40, "rev.before", 1),
        ("check missing.eml", allowed, 30, "rev.unavailable", 1),
        ("cert check good.pem", allowed, 0, "ok", 1),
        ("cert check revoked.pem", allowed, 40, "rev.before", 1),
        ("cert check missing.pem", allowed, 30, "rev.unavailable", 1),
    ];
    for (line, fetch, code, reason, count) in rows {
        let before = server.lines().len();
        let (ended, answer) = told(home.path(), &format!("{line} --json --at {NOW} --trust private.pem"), fetch);
        assert_eq!((ended, answer["reasons"][0].as_str()), (*code, Some(*reason)), "{line} {fetch:?}: {answer:#}");
        assert_eq!(server.lines().len() - before, *count, "{line} {fetch:?}");
    }
    // verify asks the same, and gives out the content
    let verify = format!("verify --at {NOW} --trust private.pem good.eml");
    assert_eq!(told(home.path(), &verify, allowed).0, 0);
    assert_eq!(told(home.path(), &verify, off).0, 30);

    // with a data directory the next check asks nothing, whichever verb it is; without one nothing is left behind
    assert!(!home.path().join("kakitome-data").exists());
    fs::create_dir(home.path().join("kakitome-data")).unwrap();
    let before = server.lines().len();
    for (line, kept) in [("check good.eml", false), ("check good.eml", true), ("cert check good.pem", true)] {
        let (code, answer) = told(home.path(), &format!("{line} --json --at {NOW} --trust private.pem"), allowed);
        let lookups = answer.get("lookups").unwrap_or(&answer["expert"]["lookups"]);
        assert_eq!((code, lookups[0]["end"].as_str()), (0, Some("known")), "{answer:#}");
        assert_eq!((lookups[0]["kept"].as_bool(), server.lines().len() - before), (Some(kept), 1), "{answer:#}");
    }
    // for people: where it was asked, and how that ended; what is kept needs no asking, so without the folder
    fs::remove_dir_all(home.path().join("kakitome-data")).unwrap();
    for (lang, said) in
        [("en", "not fetched: a private or reserved address"), ("ja", "取りに行かない: 内部・予約のアドレス")]
    {
        let out =
            command(home.path(), &format!("check --details --lang {lang} --at {NOW} --trust private.pem good.eml"))
                .env_remove("KAKITOME_FETCH_ENABLED")
                .output()
                .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(text.contains(said) && text.contains(&server.url("/good.crl")), "{text}");
    }
    // a range that is none is told as such
    let wrong = &[("KAKITOME_FETCH_ALLOW_PRIVATE", "10.0.0.1/8")];
    let mut line = command(home.path(), "check good.eml");
    let out = line.env_remove("KAKITOME_FETCH_ENABLED").envs(wrong.iter().copied()).output().unwrap();
    assert!(out.status.code() == Some(2) && String::from_utf8_lossy(&out.stderr).contains("fetch.allow_private"));
}

fn host(header: &str) -> &str {
    let lower = header.find("ost: ").unwrap();
    header[lower + 5..].lines().next().unwrap()
}
