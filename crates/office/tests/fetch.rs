//! The fetcher against a real server on loopback, which serves well and badly. A case is a row: what the certificate
//! names, what is served there, how the judgement ends, and what the server was asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kakitome_office::evidence::fetch::{AGE_LIMIT, Fetcher, Limits, Settings, WAIT_AFTER_FAILURE};
use kakitome_office::evidence::outside::Outside;
use kakitome_office::evidence::{self, Choice};
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::{Crl, Reason as Why};
use kakitome_pki::crypto::SystemRandom;
use kakitome_pki::path::revocation::Mode;
use kakitome_pki::path::{Anchor, AnchorSource, Purpose};
use kakitome_testkit::{
    Asked, CertificateFactory, CrlFactory, NOW, OcspFactory, Pki, Says, Server, Serves, anchor, in_days, write,
};
use kakitome_verdict::certificate::{self, Report};
use kakitome_verdict::sender::Evidence;

/// One mailbox under SE, which names these places.
fn named(points: &[&str], responders: &[&str]) -> Certificate {
    let mut factory = CertificateFactory::signer(&[(oid::COMMON_NAME, "a@b.example")], &["a@b.example"], "a@b.example");
    if !points.is_empty() {
        let points: Vec<Vec<u8>> = points.iter().map(|url| write::point(&[write::uri(url)], &[], &[])).collect();
        factory = factory.with(oid::CRL_DISTRIBUTION_POINTS, false, write::list(&points));
    }
    if !responders.is_empty() {
        factory = factory.with(oid::AUTHORITY_INFO_ACCESS, false, write::access(responders, &[]));
    }
    factory.issued_by(&Pki::get().se)
}

/// Under SE as an anchor: so the leaf alone needs an answer.
fn evidence() -> Evidence {
    let choice = Choice { at: Some(NOW), revocation: Some(Mode::Require), ..Choice::default() };
    let anchors: Vec<Anchor> = vec![anchor(&Pki::get().se.certificate, AnchorSource::User)];
    Evidence { anchors, ..evidence::gather(&choice, NOW).unwrap() }
}

fn settings(allowed: &str) -> Settings {
    Settings {
        allow_private: allowed.split_whitespace().map(|range| range.parse().unwrap()).collect(),
        limits: Limits {
            // On a busy machine everything but the rows that mean it has time.
            answer: Duration::from_secs(60),
            mail: Duration::from_secs(180),
            list: 50_000,
            ..Limits::default()
        },
        ..Settings::default()
    }
}

/// Who does not wait.
fn hurried(allowed: &str) -> Settings {
    let limits = Limits { answer: Duration::from_millis(400), ..settings("").limits };
    Settings { limits, ..settings(allowed) }
}

fn outside(settings: Settings, folder: Option<PathBuf>) -> Outside {
    Outside::new(Fetcher::new(settings, folder, Box::new(SystemRandom)), || NOW)
}

fn report(leaf: &Certificate, outside: &Outside) -> Report {
    report_by(leaf, &evidence(), outside)
}

fn report_by(leaf: &Certificate, evidence: &Evidence, outside: &Outside) -> Report {
    let asked = certificate::Asked { leaf, purpose: Purpose::Email, address: None, legacy: false, unreadable: None };
    evidence::report(&asked, evidence, Some(outside))
}

/// The reason that decided, and how each lookup ended.
fn told(report: &Report) -> (String, String) {
    let ends = report.lookups.iter().map(|lookup| {
        let kept = if lookup.kept { "+kept" } else { "" };
        format!("{}:{}{kept}", lookup.what.name(), lookup.end.cause().map_or(lookup.end.name(), |cause| cause.name()))
    });
    (report.reasons[0].code().to_owned(), ends.collect::<Vec<_>>().join(" "))
}

fn good() -> Vec<u8> {
    CrlFactory::default().der(&Pki::get().se)
}

fn large() -> Vec<u8> {
    let entries = (0u32..4000).fold(CrlFactory::default(), |list, number| {
        list.entry(&[&[1], number.to_be_bytes().as_slice()].concat(), in_days(-3), None)
    });
    entries.der(&Pki::get().se)
}

/// The server of most rows: what is served at a path.
fn serves(path: &str) -> Serves {
    let se = &Pki::get().se;
    match path {
        "/good.crl" | "/next/good.crl" => Serves::Octets(good()),
        "/good.pem" => Serves::Octets(kakitome_pki::cert::pem::write("X509 CRL", &good()).into_bytes()),
        "/stale.crl" => Serves::Octets(CrlFactory::default().dated(in_days(-9), Some(in_days(-2))).der(se)),
        "/forged.crl" => Serves::Octets(CrlFactory::default().der(&Pki::get().se_mv)),
        "/unsigned.crl" => {
            let mut list = good();
            let last = list.len() - 1;
            list[last] ^= 1;
            Serves::Octets(list)
        }
        "/large.crl" => Serves::Octets(large()),
        "/late.crl" => Serves::Late(Duration::from_secs(60), good()),
        "/drip.crl" => Serves::Drop(Duration::from_millis(100), good()),
        "/cut.crl" => Serves::Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n".as_slice(), &good()].concat()),
        "/announces.crl" => Serves::Announces(1 << 40),
        "/endless.crl" => Serves::Endless,
        "/page.crl" => Serves::Octets(b"<!DOCTYPE html><title>Not here</title>".to_vec()),
        "/empty.crl" => Serves::Octets(Vec::new()),
        "/raw.crl" => Serves::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        "/header.crl" => Serves::Raw([b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 100_000], b"\r\n\r\n"].concat()),
        "/error.crl" => Serves::Status(503),
        "/gone.crl" => Serves::Status(410),
        "/to-good.crl" => Serves::Redirect("/next/good.crl".to_owned()),
        "/to-private.crl" => Serves::Redirect("http://10.255.255.1/good.crl".to_owned()),
        "/to-metadata.crl" => Serves::Redirect("http://169.254.169.254/latest/meta-data/".to_owned()),
        "/to-https.crl" => Serves::Redirect("https://127.0.0.1/good.crl".to_owned()),
        "/to-file.crl" => Serves::Redirect("file:///etc/passwd".to_owned()),
        "/loop.crl" => Serves::Redirect("/loop.crl".to_owned()),
        "/nowhere.crl" => Serves::Raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec()),
        _ => Serves::Status(404),
    }
}

#[test]
fn every_place_ends_as_it_should() {
    let server = Server::start(|asked| serves(&asked.path));
    // (where, the reason that decides, how the lookups end, how often the server was asked)
    let rows: &[(&[&str], &str, &str, usize)] = &[
        (&["/good.crl"], "ok", "crl:known", 1),
        (&["/good.pem"], "ok", "crl:known", 1),
        (&["/missing.crl", "/good.crl"], "ok", "crl:absent crl:known", 2),
        (&["/forged.crl", "/good.crl"], "ok", "crl:known crl:known", 2),
        (&["ldap://crl.example/cn=SE", "/good.crl"], "ok", "crl:scheme crl:known", 1),
        (&["/good.crl", "/missing.crl"], "ok", "crl:known", 1),
        (&["/stale.crl"], "rev.stale", "crl:known", 1),
        (&["/forged.crl"], "rev.unavailable", "crl:known", 1),
        (&["/unsigned.crl"], "rev.unavailable", "crl:known", 1),
        (&["/missing.crl"], "rev.unavailable", "crl:absent", 1),
        (&["/gone.crl"], "rev.unavailable", "crl:absent", 1),
        (&["/error.crl"], "rev.unavailable", "crl:status", 1),
        (&["/large.crl"], "rev.unavailable", "crl:size", 1),
        (&["/announces.crl"], "rev.unavailable", "crl:size", 1),
        (&["/endless.crl"], "rev.unavailable", "crl:size", 1),
        (&["/late.crl"], "rev.unavailable", "crl:timeout", 1),
        (&["/drip.crl"], "rev.unavailable", "crl:timeout", 1),
        (&["/cut.crl"], "rev.unavailable", "crl:connection", 1),
        (&["/page.crl"], "rev.unavailable", "crl:content", 1),
        (&["/empty.crl"], "rev.unavailable", "crl:content", 1),
        (&["/raw.crl"], "rev.unavailable", "crl:protocol", 1),
        (&["/header.crl"], "rev.unavailable", "crl:size", 1),
        (&["/to-good.crl"], "ok", "crl:known", 2),
        (&["/to-private.crl"], "rev.ssrf", "crl:address", 1),
        (&["/to-metadata.crl"], "rev.ssrf", "crl:address", 1),
        (&["/to-https.crl"], "rev.ssrf", "crl:redirect", 1),
        (&["/to-file.crl"], "rev.ssrf", "crl:scheme", 1),
        (&["/loop.crl"], "rev.ssrf", "crl:redirect", 4),
        (&["/nowhere.crl"], "rev.unavailable", "crl:protocol", 1),
    ];
    let mut wrong = Vec::new();
    for (paths, reason, ends, count) in rows {
        let before = server.asked().len();
        let urls: Vec<String> = paths
            .iter()
            .map(|path| if path.starts_with('/') { server.url(path) } else { (*path).to_owned() })
            .collect();
        let leaf = named(&urls.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        let waits = if ends.contains("timeout") { hurried("127.0.0.0/8") } else { settings("127.0.0.0/8") };
        let found = told(&report(&leaf, &outside(waits, None)));
        if found != ((*reason).to_owned(), (*ends).to_owned()) {
            wrong.push(format!("{paths:?}: {found:?}, not {reason} {ends}"));
        }
        if server.asked().len() - before != *count {
            wrong.push(format!("{paths:?}: asked {} times, not {count}", server.asked().len() - before));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for asked in server.asked() {
        let header = asked.header.to_ascii_lowercase();
        assert!(header.contains("user-agent: kakitome\r\n"), "{header}");
        assert!(!header.contains("cookie") && !header.contains("accept-encoding"), "{header}");
    }
}

/// What is refused before anything is sent: nothing in these rows is allowed, and the server hears nothing.
#[test]
fn guarded_places_are_not_asked() {
    let server = Server::start(|_| Serves::Octets(good()));
    let port = server.url("").rsplit(':').next().unwrap().to_owned();
    let rows: &[(&str, &str)] = &[
        ("http://127.0.0.1:PORT/a.crl", "address"),
        ("http://localhost:PORT/a.crl", "address"),
        ("http://2130706433:PORT/a.crl", "address"),
        ("http://0x7f.1:PORT/a.crl", "address"),
        ("http://127.1:PORT/a.crl", "address"),
        ("http://0.0.0.0:PORT/a.crl", "address"),
        ("http://[::1]:PORT/a.crl", "address"),
        ("http://[::ffff:127.0.0.1]:PORT/a.crl", "address"),
        ("http://[64:ff9b::7f00:1]/a.crl", "address"),
        ("http://10.0.0.1/a.crl", "address"),
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("http://100.64.0.1/a.crl", "address"),
        ("http://[fd00::1]/a.crl", "address"),
        ("http://[fe80::1]/a.crl", "address"),
        ("http://224.0.0.1/a.crl", "address"),
        ("https://127.0.0.1:PORT/a.crl", "address"),
        ("http://8.8.8.8:22/a.crl", "port"),
        ("http://8.8.8.8:25/a.crl", "port"),
        ("http://user:secret@127.0.0.1:PORT/a.crl", "url"),
        ("http://127.0.0.1:PORT\\@a.example/a.crl", "url"),
        ("file:///etc/passwd", "scheme"),
        ("ldap://127.0.0.1:PORT/cn=SE", "scheme"),
        ("ftp://127.0.0.1/a.crl", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("", "url"),
    ];
    for (url, cause) in rows {
        let leaf = named(&[&url.replace("PORT", &port)], &[]);
        let (reason, ends) = told(&report(&leaf, &outside(settings(""), None)));
        assert_eq!((reason.as_str(), ends.as_str()), ("rev.ssrf", format!("crl:{cause}").as_str()), "{url}");
    }
    assert_eq!(server.lines(), [] as [&str; 0]);
    // the range of another host opens nothing
    let leaf = named(&[&server.url("/a.crl")], &[]);
    assert_eq!(told(&report(&leaf, &outside(settings("127.0.0.2/32 10.0.0.0/8"), None))).1, "crl:address");
    assert_eq!(told(&report(&leaf, &outside(settings("127.0.0.1/32"), None))).1, "crl:known");
    // TLS with a server that has none
    let leaf = named(&[&format!("https://127.0.0.1:{port}/a.crl")], &[]);
    let found = report(&leaf, &outside(settings("127.0.0.1/32"), None));
    assert_eq!(told(&found).1, "crl:tls", "{:?}", found.lookups);
}

/// Nothing of a certificate that leads to no anchor is fetched, and of one that does only what decides.
#[test]
fn only_what_leads_to_an_anchor_is_fetched() {
    let server = Server::start(|_| Serves::Octets(good()));
    let url = server.url("/a.crl");
    let unknown = CertificateFactory::signer(&[(oid::COMMON_NAME, "x")], &["a@b.example"], "x")
        .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points(&url))
        .with(oid::AUTHORITY_INFO_ACCESS, false, write::access(&[&url], &[&url]));
    let outside = outside(settings("127.0.0.0/8"), None);
    for certificate in [unknown.clone().issued_by(&Pki::get().rx), unknown.self_signed("x").certificate] {
        let report = report(&certificate, &outside);
        assert!(report.lookups.is_empty() && server.lines().is_empty(), "{:?}", report.lookups);
    }
    // with revocation switched off, or with an answer at hand
    let leaf = named(&[&url], &[&url]);
    let off = Evidence { revocation: Some(Mode::Off), ..evidence() };
    let given = Evidence { crls: vec![Crl::parse(&good()).unwrap()], ..evidence() };
    for evidence in [off, given] {
        report_by(&leaf, &evidence, &outside);
        assert_eq!(server.lines(), [] as [&str; 0]);
    }
}

static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Time {
    NOW.plus(CLOCK.load(Ordering::SeqCst))
}

/// What came is kept until it ages, in memory and in the folder; a failure is kept too, for longer each time.
#[test]
fn answers_and_failures_are_kept() {
    let up = std::sync::Arc::new(Mutex::new(true));
    let server = Server::start({
        let up = std::sync::Arc::clone(&up);
        move |_| if *up.lock().unwrap() { Serves::Octets(good()) } else { Serves::Status(500) }
    });
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("fetched");
    let leaf = named(&[&server.url("/good.crl")], &[]);
    let open =
        || Outside::new(Fetcher::new(settings("127.0.0.0/8"), Some(folder.clone()), Box::new(SystemRandom)), clock);
    let first = open();
    let step = |outside: &Outside, seconds: i64, reason: &str, ends: &str, asked: usize| {
        CLOCK.fetch_add(seconds, Ordering::SeqCst);
        let found = told(&report(&leaf, outside));
        assert_eq!((found.0.as_str(), found.1.as_str(), server.lines().len()), (reason, ends, asked));
    };
    step(&first, 0, "ok", "crl:known", 1);
    step(&first, 0, "ok", "crl:known+kept", 1);
    // another program on the same data directory
    step(&open(), 0, "ok", "crl:known+kept", 1);
    step(&first, AGE_LIMIT - 1, "ok", "crl:known+kept", 1);
    step(&first, 1, "ok", "crl:known", 2);
    // the server is down: the older list serves until its next update, and the server is left alone for a while
    *up.lock().unwrap() = false;
    step(&first, AGE_LIMIT, "ok", "crl:known+kept", 3);
    step(&open(), 1, "ok", "crl:known+kept", 3);
    step(&first, WAIT_AFTER_FAILURE, "ok", "crl:known+kept", 4);
    step(&first, WAIT_AFTER_FAILURE, "ok", "crl:known+kept", 4);
    step(&first, WAIT_AFTER_FAILURE, "ok", "crl:known+kept", 5);
    // past the next update there is none
    step(&first, 6 * 24 * 60 * 60, "rev.unavailable", "crl:status", 6);
    step(&first, 1, "rev.unavailable", "crl:recent", 6);
    step(&open(), 1, "rev.unavailable", "crl:recent", 6);
    // a kept file that was damaged is as none
    for file in std::fs::read_dir(&folder).unwrap() {
        std::fs::write(file.unwrap().path(), b"kakitome kept 1\nx").unwrap();
    }
    *up.lock().unwrap() = true;
    step(&open(), 1, "ok", "crl:known", 7);
}

/// An OCSP request's nonce, if it has one: behind the name of the extension stand two headers.
fn nonce(asked: &Asked) -> Option<Vec<u8>> {
    let name = kakitome_pki::asn1::write::oid(&oid::OCSP_NONCE);
    let at = asked.body.windows(name.len()).position(|window| window == name)?;
    Some(asked.body[at + name.len() + 4..].to_vec())
}

#[test]
fn responders_are_asked() {
    let server = Server::start(|asked| {
        let pki = Pki::get();
        let about = |says| {
            // whoever asks names the certificate by its serial number; all leaves here differ in that alone
            let leaf = LEAF.lock().unwrap().clone().unwrap();
            OcspFactory::default().about(&leaf, &pki.se.certificate, says)
        };
        let with_nonce = |factory: OcspFactory| match nonce(asked) {
            Some(nonce) => factory.nonce(&nonce),
            None => factory,
        };
        let (first, rest) = asked.path[1..].split_once('/').unwrap_or((&asked.path[1..], ""));
        Serves::Octets(match (first, asked.method.as_str()) {
            ("good", _) => with_nonce(about(Says::Good)).der(&pki.se),
            ("premade", _) => about(Says::Good).der(&pki.se),
            ("replayed", _) => about(Says::Good).nonce(&[7; 32]).der(&pki.se),
            ("revoked", _) => with_nonce(about(Says::Revoked(in_days(-2), Some(Why::KeyCompromise)))).der(&pki.se),
            ("unknown", _) => with_nonce(about(Says::Unknown)).der(&pki.se),
            ("old", _) => with_nonce(OcspFactory::default().dated(in_days(-9), Some(in_days(-2))))
                .about(LEAF.lock().unwrap().as_ref().unwrap(), &pki.se.certificate, Says::Good)
                .der(&pki.se),
            ("forged", _) => with_nonce(about(Says::Good)).der(&pki.se_mv),
            ("other", _) => {
                with_nonce(OcspFactory::default().about(&pki.bank.certificate, &pki.se.certificate, Says::Good))
                    .der(&pki.se)
            }
            ("get", "GET") if !rest.is_empty() => about(Says::Good).der(&pki.se),
            ("get", _) => return Serves::Status(405),
            ("choke", "POST") => vec![0x30, 3, 0x0a, 1, 1],
            ("choke", _) => about(Says::Good).der(&pki.se),
            ("later", _) => vec![0x30, 3, 0x0a, 1, 3],
            ("good.crl", _) => good(),
            ("revoking.crl", _) => {
                let leaf = LEAF.lock().unwrap().clone().unwrap();
                CrlFactory::default().revoking(&leaf, in_days(-2), None).der(&pki.se)
            }
            _ => return Serves::Status(404),
        })
    });
    static LEAF: Mutex<Option<Certificate>> = Mutex::new(None);
    type Paths<'a> = &'a [&'a str];
    let rows: &[(Paths<'_>, Paths<'_>, &str, &str, &str)] = &[
        (&[], &["/good"], "ok", "ocsp:known", "POST"),
        (&[], &["/premade"], "ok", "ocsp:known", "POST"),
        (&[], &["/get"], "ok", "ocsp:known", "POST GET"),
        (&[], &["/choke"], "ok", "ocsp:known", "POST GET"),
        (&[], &["/revoked"], "rev.keycompromise", "ocsp:known", "POST"),
        (&[], &["/unknown"], "rev.unavailable", "ocsp:known", "POST"),
        (&[], &["/old"], "rev.stale", "ocsp:known", "POST"),
        (&[], &["/forged"], "rev.unavailable", "ocsp:known", "POST"),
        (&[], &["/other"], "rev.unavailable", "ocsp:content", "POST GET"),
        (&[], &["/replayed"], "rev.unavailable", "ocsp:nonce", "POST"),
        (&[], &["/later"], "rev.unavailable", "ocsp:content", "POST GET"),
        (&[], &["/missing"], "rev.unavailable", "ocsp:absent", "POST GET"),
        (&[], &["/later", "/good"], "ok", "ocsp:content ocsp:known", "POST GET POST"),
        // a list first, which tells nobody whose mail is read
        (&["/good.crl"], &["/revoked"], "ok", "crl:known", "GET"),
        (&["/missing.crl"], &["/good"], "ok", "crl:absent ocsp:known", "GET POST"),
        (&["/revoking.crl"], &["/good"], "rev.before", "crl:known", "GET"),
    ];
    let mut wrong = Vec::new();
    for (points, responders, reason, ends, methods) in rows {
        let urls = |paths: &[&str]| paths.iter().map(|path| server.url(path)).collect::<Vec<_>>();
        let (points, responders) = (urls(points), urls(responders));
        let refs = |urls: &'_ [String]| urls.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let leaf = named(
            &refs(&points).split_whitespace().collect::<Vec<_>>(),
            &refs(&responders).split_whitespace().collect::<Vec<_>>(),
        );
        *LEAF.lock().unwrap() = Some(leaf.clone());
        let before = server.asked().len();
        let found = told(&report(&leaf, &outside(settings("127.0.0.0/8"), None)));
        let asked: Vec<String> = server.asked()[before..].iter().map(|asked| asked.method.clone()).collect();
        if (found.0.as_str(), found.1.as_str(), asked.join(" ").as_str()) != (*reason, *ends, *methods) {
            wrong.push(format!("{points:?} {responders:?}: {found:?} {asked:?}, not {reason} {ends} {methods}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let posted = server.asked().into_iter().find(|asked| asked.method == "POST").unwrap();
    assert!(
        posted.header.contains("application/ocsp-request") && nonce(&posted).is_some_and(|nonce| nonce.len() == 32)
    );
}

/// A delta list changes what a complete one says; where none comes, the complete one stands.
#[test]
fn delta_lists_are_fetched() {
    let pki = Pki::get();
    let server = Server::start(|asked| {
        let se = &Pki::get().se;
        let leaf = LEAF.lock().unwrap().clone();
        let delta = |factory: CrlFactory| {
            factory
                .dated(in_days(0), Some(in_days(1)))
                .with(oid::DELTA_CRL_INDICATOR, true, write::unsigned(&[7]))
                .with(oid::CRL_NUMBER, false, write::unsigned(&[8]))
                .der(se)
        };
        match (asked.path.as_str(), leaf) {
            ("/base.crl", _) => Serves::Octets(good()),
            ("/named.crl", _) => {
                let url = format!(
                    "http://{}/revoking.crl",
                    asked.header.split("ost: ").nth(1).unwrap().lines().next().unwrap()
                );
                Serves::Octets(CrlFactory::default().with(oid::FRESHEST_CRL, false, write::crl_points(&url)).der(se))
            }
            ("/quiet.crl", _) => Serves::Octets(delta(CrlFactory::default())),
            ("/revoking.crl", Some(leaf)) => {
                Serves::Octets(delta(CrlFactory::default().revoking(&leaf, in_days(-1), None)))
            }
            _ => Serves::Status(404),
        }
    });
    static LEAF: Mutex<Option<Certificate>> = Mutex::new(None);
    for (base, freshest, reason, ends) in [
        ("/base.crl", "/quiet.crl", "ok", "crl:known delta-crl:known"),
        ("/base.crl", "/revoking.crl", "rev.before", "crl:known delta-crl:known"),
        ("/base.crl", "/missing.crl", "ok", "crl:known delta-crl:absent"),
        ("/base.crl", "/base.crl", "ok", "crl:known delta-crl:known"),
        ("/quiet.crl", "/quiet.crl", "rev.unavailable", "crl:content delta-crl:known"),
        ("/named.crl", "", "rev.before", "crl:known delta-crl:known"),
    ] {
        let mut factory = CertificateFactory::signer(&[(oid::COMMON_NAME, "d")], &["d@b.example"], "d@b.example").with(
            oid::CRL_DISTRIBUTION_POINTS,
            false,
            write::crl_points(&server.url(base)),
        );
        if !freshest.is_empty() {
            factory = factory.with(oid::FRESHEST_CRL, false, write::crl_points(&server.url(freshest)));
        }
        let leaf = factory.issued_by(&pki.se);
        *LEAF.lock().unwrap() = Some(leaf.clone());
        let found = told(&report(&leaf, &outside(settings("127.0.0.0/8"), None)));
        assert_eq!((found.0.as_str(), found.1.as_str()), (reason, ends), "{base} {freshest}");
    }
}

/// The issuer of a certificate that leads nowhere comes from hosts alone that the administrator named.
#[test]
fn issuers_are_fetched_from_named_hosts() {
    let pki = Pki::get();
    let server = Server::start(|asked| match asked.path.as_str() {
        "/se.cer" => Serves::Octets(Pki::get().se.certificate.raw().to_vec()),
        "/away.cer" => Serves::Redirect(format!(
            "http://localhost:{}/se.cer",
            asked.header.split("127.0.0.1:").nth(1).unwrap().lines().next().unwrap()
        )),
        _ => Serves::Status(404),
    });
    let anchors = vec![anchor(&pki.re.certificate, AnchorSource::PublicList)];
    let evidence = Evidence { anchors, revocation: Some(Mode::Off), ..evidence() };
    for (hosts, path, reason, ends) in [
        ("", "/se.cer", "path.unknown", ""),
        ("crt.example", "/se.cer", "path.unknown", "issuer:host"),
        ("127.0.0.1", "/se.cer", "ok", "issuer:known"),
        ("127.0.0.1", "/missing.cer", "path.unknown", "issuer:absent"),
        ("127.0.0.1", "/away.cer", "path.unknown", "issuer:host"),
    ] {
        let leaf = CertificateFactory::signer(&[(oid::COMMON_NAME, "i")], &["i@b.example"], "i@b.example")
            .with(oid::AUTHORITY_INFO_ACCESS, false, write::access(&[], &[&server.url(path)]))
            .issued_by(&pki.se);
        let settings =
            Settings { issuer_hosts: hosts.split_whitespace().map(str::to_owned).collect(), ..settings("127.0.0.0/8") };
        let found = told(&report_by(&leaf, &evidence, &outside(settings, None)));
        assert_eq!((found.0.as_str(), found.1.as_str()), (reason, ends), "{hosts:?} {path}");
    }
}

/// Many mails at once ask once, and a mail of many places stops at its limit.
#[test]
fn the_cost_is_bounded() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/good.crl" => Serves::Late(Duration::from_millis(200), good()),
        _ => Serves::Status(404),
    });
    let shared = outside(settings("127.0.0.0/8"), None);
    let leaf_of_all = named(&[&server.url("/good.crl")], &[]);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..6).map(|_| scope.spawn(|| told(&report(&leaf_of_all, &shared)).0)).collect();
        assert!(running.into_iter().all(|one| one.join().unwrap() == "ok"));
    });
    assert_eq!(server.lines().len(), 1);

    let many: Vec<String> = (0..60).map(|number| server.url(&format!("/{number}.crl"))).collect();
    let points: Vec<Vec<u8>> = many
        .chunks(20)
        .map(|urls| write::point(&urls.iter().map(|url| write::uri(url)).collect::<Vec<_>>(), &[], &[]))
        .collect();
    let greedy = CertificateFactory::signer(&[(oid::COMMON_NAME, "g")], &["g@b.example"], "g@b.example")
        .with(oid::CRL_DISTRIBUTION_POINTS, false, write::list(&points))
        .issued_by(&Pki::get().se);
    let limits = Limits { questions: 5, ..Limits::default() };
    let bounded = outside(Settings { limits, ..settings("127.0.0.0/8") }, None);
    let (reason, ends) = told(&report(&greedy, &bounded));
    assert_eq!((reason.as_str(), server.lines().len()), ("rev.unavailable", 6), "{ends}");
    assert!(ends.ends_with("crl:budget"), "{ends}");
}
