//! What the way of a mail tells, with names of the DNS as a table: DKIM signatures verified again, the policy of From's
//! domain, and that none of it changes who is confirmed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_office::evidence::dns::{Answer, Dns, Resolvers};
use kakitome_office::evidence::fetch::{self, Fetcher};
use kakitome_office::evidence::outside::Outside;
use kakitome_office::evidence::{Choice, examine, gather};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::dkim::{ED25519, MAIL};
use kakitome_verdict::answer::Answer as Verdict;
use kakitome_verdict::lookup::Cause;

const PLAIN: &str = "Received: from a.example by mx.example; Tue, 1 Dec 2026 00:00:00 +0000\r
Authentication-Results: mx.example; spf=pass smtp.mailfrom=eve@eve.example; dkim=none\r
From: info@bank.example\r
Subject: x\r
\r
x\r
";
const KEY_NAME: &str = "brisbane._domainkey.football.example.com";

/// A name, and its record.
type Name = (&'static str, Result<&'static str, Cause>);

#[derive(Clone, Debug)]
struct Table(Vec<Name>);

impl Dns for Table {
    fn txt(&self, names: &[String]) -> Vec<Answer> {
        let one = |name: &String| match self.0.iter().find(|(known, _)| known == name) {
            Some((_, Ok(record))) => Answer::Known(vec![record.as_bytes().to_vec()]),
            Some((_, Err(cause))) => Answer::Unavailable(*cause),
            None => Answer::Absent,
        };
        names.iter().map(one).collect()
    }
}

/// The message of the standard with its Ed25519 signature alone.
fn signed() -> String {
    let second = MAIL.match_indices("DKIM-Signature").nth(1).unwrap().0;
    let (first, rest) = MAIL.split_at(second);
    format!("{first}{}", &rest[rest.find("From:").unwrap()..])
}

/// Nobody may be asked.
#[derive(Debug)]
struct Silent;

impl Dns for Silent {
    fn txt(&self, names: &[String]) -> Vec<Answer> {
        assert!(names.is_empty(), "asked for {names:?}");
        Vec::new()
    }
}

fn now() -> Time {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

fn answer(mail: &str, dns: impl Dns + 'static) -> Verdict {
    let fetcher = Fetcher::new(fetch::Settings::default(), None, Box::new(SystemRandom));
    let outside = Outside::new(fetcher, now).with_dns(dns);
    let evidence = gather(&Choice { at: Some(now()), ..Choice::default() }, now()).unwrap();
    examine(&mail.as_bytes().to_vec(), &InMemory, &NoKeys, &evidence, Some(&outside)).unwrap().answer
}

/// `dkim` and `dmarc` in a word each, and whether the mail falls short of the policy.
fn told(mail: &str, table: &[Name]) -> String {
    let answer = answer(mail, Table(table.to_vec()));
    assert_eq!(answer.state.name(), "NOT_SIGNED");
    let passage = &answer.expert.passage;
    let mut words: Vec<String> = passage
        .signatures
        .iter()
        .map(|one| format!("{}{}", one.outcome.name(), if one.is_aligned { "" } else { "-other" }))
        .collect();
    words.extend(passage.policy.iter().map(|policy| format!("{} by {}", policy.demand.name(), policy.owner)));
    let short = answer.reasons.iter().any(|reason| reason.code() == "auth.dmarc");
    words.extend(short.then(|| "short".to_owned()));
    words.join(", ")
}

#[test]
fn keys_and_policies_are_looked_up() {
    let key = (KEY_NAME, Ok(ED25519));
    let reject = ("_dmarc.football.example.com", Ok("v=DMARC1; p=reject"));
    let above = ("_dmarc.example.com", Ok("v=DMARC1; p=none; sp=quarantine"));
    let signed = &signed();
    let changed = signed.replace("lost", "won");
    let other = signed.replace("joe@football.example.com>", "joe@bank.example>");
    let rows: &[(&str, &[Name], &str)] = &[
        (signed, &[key, reject], "pass, reject by football.example.com"),
        (signed, &[key, above], "pass, quarantine by example.com"),
        (signed, &[key], "pass, absent by football.example.com"),
        (signed, &[reject], "permerror, reject by football.example.com, short"),
        (signed, &[(KEY_NAME, Err(Cause::Timeout)), reject], "temperror, reject by football.example.com"),
        (signed, &[key, (reject.0, Err(Cause::Name))], "pass, unavailable by football.example.com"),
        (signed, &[(KEY_NAME, Ok("v=DKIM1; p=")), above], "permerror, quarantine by example.com, short"),
        (&changed, &[key, reject], "fail, reject by football.example.com, short"),
        (&changed, &[key], "fail, absent by football.example.com"),
        // G09: another domain's signature holds, and From is the bank's. Here From was changed after it was signed, too.
        (
            &other,
            &[key, ("_dmarc.bank.example", Ok("v=DMARC1; p=reject"))],
            "fail-other, reject by bank.example, short",
        ),
        (PLAIN, &[("_dmarc.bank.example", Ok("v=DMARC1; p=reject"))], "reject by bank.example, short"),
        (PLAIN, &[], "absent by bank.example"),
    ];
    for (mail, table, expected) in rows {
        assert_eq!(told(mail, table), *expected, "{table:?}");
    }
    let claims = answer(PLAIN, Table(Vec::new())).expert.passage.claims;
    let claims: Vec<String> =
        claims.iter().map(|claim| format!("{} {}={}", claim.by, claim.method, claim.result)).collect();
    assert_eq!(claims, ["mx.example spf=pass", "mx.example dkim=none"]);
}

/// A draft, a mail whose From is nobody's, and one that is no mail.
#[test]
fn nobody_is_asked_where_there_is_no_way() {
    for mail in [
        "From: info@bank.example\r\n\r\nx\r\n",
        "Received: x\r\nFrom: info@[192.0.2.1]\r\n\r\nx\r\n",
        "Received: x\r\nFrom: info@localhost\r\n\r\nx\r\n",
        "Received: x\r\nFrom: a@b.example, c@d.example\r\n\r\nx\r\n",
        "Received: x\r\n\r\nx\r\n",
        "DKIM-Signature: v=1; a=rsa-sha1; d=a.example; s=s; h=from; bh=AA==; b=AA==\r\n\r\nx\r\n",
    ] {
        answer(mail, Silent);
    }
}

/// The real resolver, asking a server that answers one name and says nothing to another.
#[test]
fn a_resolver_is_asked_over_the_wire() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut query = [0u8; 1500];
        loop {
            let (length, from) = match socket.recv_from(&mut query) {
                Ok(asked) => asked,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => panic!("{error}"),
            };
            let query = &query[..length];
            let name = String::from_utf8_lossy(query).to_lowercase();
            let question = &query[12..];
            let end = 12 + question.iter().position(|octet| *octet == 0).unwrap() + 5;
            if name.contains("silent") {
                continue;
            }
            let found = name.contains("found");
            let mut reply = query[..2].to_vec();
            reply.extend_from_slice(&[0x81, if found { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
            reply.extend_from_slice(&query[12..end]);
            if found {
                // a pointer to the question, TXT, IN, 60 s, two strings
                reply.extend_from_slice(b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x0b\x06v=DKIM\x031; ");
            }
            socket.send_to(&reply, from).unwrap();
        }
    });
    let asked = ["found.example", "none.example"].map(str::to_owned);
    let answers = Resolvers::at(server).txt(&asked);
    assert_eq!(answers, [Answer::Known(vec![b"v=DKIM1; ".to_vec()]), Answer::Absent]);
    assert!(matches!(&Resolvers::at(server).txt(&["silent.example".to_owned()])[..], [Answer::Unavailable(_)]));
}
