//! Certificate stores of other houses: what they answer, and that silence is not "there is none".

use std::sync::Arc;
use std::time::Duration;

use kakitome_office::directory::{Origin, Service, Source};
use kakitome_office::evidence::fetch::{Fetcher, Limits, Settings};
use kakitome_office::evidence::outside::Outside;
use kakitome_pki::address::Address;
use kakitome_pki::cert::{Certificate, bundle};
use kakitome_pki::crypto::SystemRandom;
use kakitome_testkit::{NOW, Pki, Server, Serves, in_days, key};
use kakitome_verdict::lookup::End;

use crate::{Stage, by_se, reader, told};

const BOB: &str = "bob@partner.example";

fn stage(server: &Server) -> Stage {
    let settings = Settings {
        allow_private: vec!["127.0.0.1/32".parse().unwrap()],
        limits: Limits { answer: Duration::from_secs(2), mail: Duration::from_secs(3), ..Limits::default() },
        ..Settings::default()
    };
    let outside = Outside::new(Fetcher::new(settings, None, Box::new(SystemRandom)), || NOW);
    let mut stage =
        Stage::asking(vec![Service { domain: "partner.example".to_owned(), url: server.url("/search.cgi") }]);
    stage.directory = stage.directory.asking(Arc::new(outside));
    stage
}

fn with_issuer(certificates: &[&Certificate]) -> Vec<u8> {
    let all = certificates.iter().copied().chain([&Pki::get().se.certificate]);
    bundle::write(all.map(Certificate::raw))
}

#[test]
fn what_a_store_answers_is_judged_and_kept() {
    let good = by_se(reader(BOB, 1));
    let multipart = |certificates: &[&Certificate]| {
        let mut body = Vec::new();
        for one in certificates {
            body.extend(b"--b\r\nContent-Type: application/pkix-cert\r\n\r\n");
            body.extend(one.raw());
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        body
    };
    let stranger = reader(BOB, 2).issued_by(&Pki::get().rx);
    let others = by_se(reader("carol@partner.example", 3));
    let ended = by_se(reader(BOB, 4).valid(in_days(-9), in_days(-1)));
    let rows: Vec<(&str, Serves, &str, End)> = vec![
        ("a bundle", Serves::Octets(with_issuer(&[&good])), "+01:public-list", End::Known),
        ("in parts", Serves::Octets(multipart(&[&good, &Pki::get().se.certificate])), "+01:public-list", End::Known),
        ("of an unknown issuer", Serves::Octets(stranger.raw().to_vec()), "", End::Known),
        ("for somebody else", Serves::Octets(with_issuer(&[&others])), "", End::Known),
        ("ended", Serves::Octets(with_issuer(&[&ended])), "", End::Known),
        ("there is none", Serves::Status(404), "", End::Absent),
    ];
    for (title, serves, expected, end) in rows {
        let server = Server::start(move |_| serves.clone());
        let stage = stage(&server);
        let found = stage.directory.recipients(&Address::parse(BOB).unwrap(), NOW).unwrap();
        assert_eq!(told(&found), expected, "{title}");
        assert_eq!(found.lookup.map(|lookup| lookup.end), Some(end), "{title}");
        assert_eq!(found.unavailable, None, "{title}");
        assert_eq!(server.asked()[0].path, "/search.cgi?email=bob@partner.example", "{title}");
        // what was found is asked about no more, and nobody else is
        if !expected.is_empty() {
            assert_eq!(stage.told(BOB, NOW), expected, "{title}");
            assert_eq!(server.asked().len(), 1, "{title}");
            let entry = stage.directory.recipients(&Address::parse(BOB).unwrap(), NOW).unwrap();
            assert_eq!(entry.fit[0].origin, Origin::Correspondent(Source::Http));
        }
        let asked = server.asked().len();
        assert_eq!(stage.told("bob@other.example", NOW), "");
        assert_eq!(server.asked().len(), asked, "{title}");
    }
}

#[test]
fn a_store_that_cannot_be_asked_is_not_one_that_has_none() {
    for (title, serves) in [
        ("an error", Serves::Status(500)),
        ("not HTTP", Serves::Raw(b"hello".to_vec())),
        ("no certificate", Serves::Octets(b"hello".to_vec())),
        ("too long", Serves::Announces(1 << 30)),
        ("endless", Serves::Endless),
        ("to a private place", Serves::Redirect("http://10.0.0.1/".to_owned())),
    ] {
        let server = Server::start(move |_| serves.clone());
        let stage = stage(&server);
        let found = stage.directory.recipients(&Address::parse(BOB).unwrap(), NOW).unwrap();
        assert!(found.fit.is_empty() && found.unavailable.is_some(), "{title}: {found:?}");
        assert!(matches!(found.lookup.unwrap().end, End::Unavailable(_)), "{title}");
        // what is known is used all the same
        stage.import(&[Pki::get().se.certificate.clone(), by_se(reader(BOB, 1))]);
        let found = stage.directory.recipients(&Address::parse(BOB).unwrap(), NOW).unwrap();
        assert_eq!((told(&found), found.unavailable), ("+01:public-list".to_owned(), None), "{title}");
    }
}

#[test]
fn a_store_does_not_move_the_encryption_to_another_key() {
    let ended = by_se(reader(BOB, 1).valid(in_days(-300), in_days(1)));
    let other = reader(BOB, 2).spki(key("another").spki()).issued_by(&Pki::get().rp);
    let server = Server::start(move |_| Serves::Octets(other.raw().to_vec()));
    let stage = stage(&server);
    stage.import(&[Pki::get().se.certificate.clone(), ended]);
    assert_eq!(stage.told(BOB, NOW), "+01:public-list");
    assert_eq!(stage.told(BOB, in_days(2)), "-01:ended -02:pending");
}
