//! Every state in both languages against `testdata/verdict`; `UPDATE_GOLDEN=1` writes the files anew.

use std::path::Path;

use super::terminal::{self, Options};
use super::*;
use crate::answer::*;
use crate::detail::Detail;
use crate::lookup::{Asked, Cause, End, Lookup};
use crate::passage::{Claim, Demand, Dkim, DomainPolicy, DomainSignature, Passage};
use crate::wire;

/// Compares `text` with a file of `testdata/verdict`.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/verdict").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(expected == text, "{} differs; if that is meant: UPDATE_GOLDEN=1\n{text}", path.display());
}

/// 2026-12-01T00:00:00Z, the clock of the corpus.
const NOW: Time = Time::from_unix(1_796_083_200);

fn answer(state: State, reason: Reason) -> Answer {
    let mut answer = Answer::new(state, reason, NOW);
    answer.who.from_header = Some("例示銀行 <info@bank.example>".into());
    answer.who.from_address = Some("info@bank.example".into());
    answer.time.signed_claimed = Some(NOW.plus(-86_400));
    answer.sealed.answer = Encrypted::No;
    answer
}

/// One line per state: the reason that leads to it, and what the judge then knows.
fn every_state() -> Vec<(&'static str, Answer)> {
    let signed = |state, reason, class, address: &str| {
        let mut answer = answer(state, reason);
        answer.who.class = class;
        answer.who.address = Some(address.into());
        answer.who.asserted_by = Some("Example Mail CA 1".into());
        answer.altered = Altered { answer: Changed::No, covers: vec![Covered::Body, Covered::Attachments] };
        answer
    };
    let named = |state, class, org: Option<&str>, person: Option<&str>, pseudonym| {
        let mut answer = signed(state, Reason::Ok, class, "info@bank.example");
        answer.who.org = org.map(Into::into);
        answer.who.person = person.map(Into::into);
        answer.who.pseudonym = pseudonym;
        answer.altered.covers.extend([Covered::Subject, Covered::From, Covered::To, Covered::Date]);
        answer
    };
    let bank = "info@bank.example";
    let (org, person) = (Some("例示銀行"), Some("例示 太郎"));
    let mut local = signed(State::LocalConfirmed, Reason::PathOwnCa, Class::Local, "staff@example.test");
    local.who.issuer = Some("Kakitome of example.test".into());
    local.whose_choice = Some(Choice::OwnCa);
    local.reasons.push(Reason::RevNoneOffered);
    let mut chosen = local.clone();
    chosen.whose_choice = Some(Choice::ChosenFile);
    let mut unknown = signed(State::IssuerUnknown, Reason::PathSelfSigned, Class::None, bank);
    unknown.who.issuer = Some("例示銀行".into());
    let mut revoked = signed(State::Revoked, Reason::RevBefore, Class::None, bank);
    revoked.revoked_on = Some(NOW.plus(-3600));
    let mut headers = named(State::HeadersChanged, Class::Org, org, None, false);
    headers.reasons = vec![Reason::HpSubject];
    headers.protected_subject = Some("月例報告".into());
    let mut look = signed(State::Lookalike, Reason::LookHomograph, Class::Mailbox, "info@xn--bnk-6cd.example");
    look.who.looks_like = Some(bank.into());
    let mut claims = signed(State::Lookalike, Reason::BindDisplayOrganisation, Class::Mailbox, "eve@eve.example");
    claims.who.from_header = Some("例示銀行 <eve@eve.example>".into());
    let mut altered = answer(State::Altered, Reason::CmsDigest);
    altered.altered.answer = Changed::Yes;
    let mut part = signed(State::PartSigned, Reason::MimeListFooter, Class::Mailbox, "taro@corp.example");
    part.altered.answer = Changed::Part;
    let mut errant = answer(State::NotSigned, Reason::MimeErrantSignature);
    errant.sealed.answer = Encrypted::PasswordFile;
    let mut sealed = answer(State::Sealed, Reason::EncCannotOpen);
    sealed.sealed = Sealed { answer: Encrypted::CannotOpen, alg: Some("aes256-GCM".into()), ..Sealed::default() };
    let mut opened = named(State::PersonInOrgConfirmed, Class::PersonInOrg, org, person, false);
    opened.sealed = Sealed { answer: Encrypted::Yes, gateway: Some("例示株式会社".into()), ..Sealed::default() };
    vec![
        ("organisation", named(State::OrgConfirmed, Class::Org, org, None, false)),
        ("person in organisation", opened),
        ("person", named(State::PersonConfirmed, Class::Person, None, person, false)),
        ("pseudonym", named(State::PersonConfirmed, Class::Person, None, Some("ペンギン"), true)),
        ("mailbox", signed(State::MailboxConfirmed, Reason::Ok, Class::Mailbox, bank)),
        ("own authority", local),
        ("chosen file", chosen),
        ("name only", named(State::NameOnly, Class::None, None, Some("例示市長"), false)),
        ("not signed", answer(State::NotSigned, Reason::MimeNone)),
        ("signed part inside", errant),
        ("signature missing", answer(State::ExpectedSignatureMissing, Reason::ExpectMissing)),
        ("signer differs", signed(State::SignerDiffers, Reason::BindNone, Class::Mailbox, "eve@eve.example")),
        ("altered", altered),
        ("fake", answer(State::FakeSignature, Reason::FakeNotCms)),
        ("revoked", revoked),
        ("issuer unknown", unknown),
        ("not for mail", signed(State::CertNotValidThen, Reason::CertPurpose, Class::None, bank)),
        ("old", signed(State::OldSignature, Reason::TimeExpiredSince, Class::None, bank)),
        ("time odd", signed(State::TimeOdd, Reason::TimeReplay, Class::None, bank)),
        ("weak", signed(State::WeakSignature, Reason::AlgSha1, Class::None, bank)),
        ("list", part),
        ("subject changed", headers),
        ("look-alike", look),
        ("unchecked organisation", claims),
        ("revocation unknown", signed(State::CheckIncomplete, Reason::RevUnavailable, Class::None, bank)),
        ("ambiguous", answer(State::Ambiguous, Reason::CmsTwoContents)),
        ("sealed", sealed),
        ("not a mail", Answer::new(State::NotAMail, Reason::InNotMail, NOW)),
        ("an Outlook file", Answer::new(State::NotAMail, Reason::InMsg, NOW)),
        ("too big", Answer::new(State::TooBig, Reason::LimitSize, NOW)),
    ]
}

/// Everything that the expert part can hold.
fn full() -> Answer {
    let (_, mut answer) = every_state().swap_remove(0);
    answer.reasons.extend([Reason::PathOk, Reason::RevCrlGood, Reason::BindExact, Reason::HpClear]);
    answer.trust_list = "nss-2.86".into();
    answer.whose_choice = Some(Choice::PublicList);
    answer.protected_subject = Some("月例報告".into());
    answer.who.org_id = Some(OrgId { scheme: "NTR".into(), country: "JP".into(), value: "1234567890123".into() });
    let (subject, issuer) = ("CN=例示銀行,O=例示銀行,C=JP", "CN=Example Mail CA 1");
    answer.expert = Expert {
        tree: vec![
            Part { depth: 0, content_type: "multipart/signed".into(), bytes: 0..9000, signed: false, filename: None },
            Part {
                depth: 1,
                content_type: "application/pdf".into(),
                bytes: 400..6000,
                signed: true,
                filename: Some("明細\u{202e}fdp.exe".into()),
            },
        ],
        signature: Some(Signature {
            version: 1,
            digest: "SHA-256".into(),
            algorithm: "RSASSA-PKCS1-v1_5 with SHA-256".into(),
            attributes: vec![("signingTime".into(), NOW.to_string())],
            sha256: "cd".repeat(32),
        }),
        signer: Some(Certificate {
            subject: subject.into(),
            issuer: issuer.into(),
            serial: "0a1b".into(),
            alternative_names: vec!["rfc822Name info@bank.example".into()],
            key_usage: vec!["digitalSignature".into()],
            extended_key_usage: vec!["emailProtection".into()],
            policies: vec!["2.23.140.1.5.2.2".into()],
            key: "RSA 2048".into(),
            not_before: NOW.plus(-8_640_000),
            not_after: NOW.plus(8_640_000),
            sha256: "ab".repeat(32),
        }),
        signers: vec![
            SignedBy {
                subject: Some(subject.into()),
                depth: 0,
                holds: true,
                signed_claimed: Some(NOW),
                findings: vec!["cms.countersig".into()],
            },
            SignedBy {
                subject: None,
                depth: 1,
                holds: false,
                signed_claimed: None,
                findings: vec!["cms.no-signer-certificate".into()],
            },
        ],
        path: vec![
            PathStep { subject: subject.into(), anchor: false, source: "mail".into() },
            PathStep { subject: issuer.into(), anchor: true, source: "nss-2.86".into() },
        ],
        revocation: vec![Revocation {
            subject: subject.into(),
            source: "http://crl.example/1.crl".into(),
            result: Revoked::Good,
            this_update: Some(NOW),
            next_update: Some(NOW.plus(604_800)),
        }],
        lookups: vec![Lookup {
            what: Asked::List,
            about: subject.into(),
            place: "http://crl.example/1.crl".into(),
            end: End::Unavailable(Cause::Timeout),
            detail: "while connecting".into(),
            came: Some(NOW),
            kept: true,
        }],
        passage: Passage {
            signatures: vec![DomainSignature {
                domain: "bank.example".into(),
                selector: "s1".into(),
                outcome: Dkim::Pass,
                is_aligned: true,
                is_partial: false,
                detail: String::new(),
            }],
            policy: Some(DomainPolicy {
                domain: "bank.example".into(),
                owner: "bank.example".into(),
                demand: Demand::Reject,
            }),
            claims: vec![Claim {
                by: "mx.example".into(),
                method: "spf".into(),
                result: "pass".into(),
                about: "smtp.mailfrom=info@bank.example".into(),
            }],
        },
        headers: vec![Header {
            name: "Subject".into(),
            outer: Some("月例報告".into()),
            protected: Some("月例報告".into()),
            state: HeaderState::Signed,
        }],
        checks: Step::ALL.map(|step| Check { step, outcome: CheckOutcome::Ok, detail: Detail::default() }).to_vec(),
        findings: vec![Finding { code: "mime.preamble".into(), detail: "42 bytes".into() }],
    };
    answer
}

#[test]
fn every_state_reads_as_agreed() {
    let answers = every_state();
    for state in State::ALL {
        assert!(answers.iter().any(|(_, answer)| answer.state == state), "no row for {}", state.name());
    }
    for lang in Lang::ALL {
        let mut out = String::new();
        for (name, answer) in &answers {
            let text = terminal::text(answer, lang, Options::default());
            // the isolates as signs that a reviewer can see
            let text = text.replace('\u{2068}', "⟨").replace('\u{2069}', "⟩");
            out.push_str(&format!("== {name}: {}\n{text}\n", answer.state.name()));
        }
        golden(&format!("answers.{}.txt", lang.tag()), &out);
    }
}

#[test]
fn the_expert_part_and_the_wire_form_read_as_agreed() {
    let answer = full();
    for lang in Lang::ALL {
        let text = terminal::text(&answer, lang, Options { color: false, details: true });
        golden(&format!("details.{}.txt", lang.tag()), &text.replace(['\u{2068}', '\u{2069}'], ""));
    }
    golden("wire.json", &wire::json(&answer));
    let read: serde_json::Value = serde_json::from_str(&wire::json(&answer)).unwrap();
    assert_eq!(read["state"], "ORG_CONFIRMED");
    assert_eq!(read["headline"]["ja"], "「\u{2068}例示銀行\u{2069}」からのメールです");
    assert_eq!(read["expert"]["tree"][1]["filename"], "明細\u{202e}fdp.exe");
}

#[test]
fn evidence_says_what_it_proves_and_what_it_does_not() {
    use super::evidence::{Standing, evidence};
    for lang in Lang::ALL {
        let stop = if lang == Lang::Ja { '。' } else { '.' };
        for (name, answer) in every_state().into_iter().chain([("full", full())]) {
            let found = evidence(&answer, lang);
            let unread = matches!(answer.state, State::NotAMail | State::TooBig);
            assert_eq!(found.is_empty(), unread, "{name}");
            for one in &found {
                for sentence in [one.found.as_str(), one.shows, one.shows_not] {
                    assert!(sentence.ends_with(stop), "{name}: {sentence}");
                }
            }
        }
    }
    // How far each piece goes. What one kind says changes no other.
    let standings = |answer: &Answer| -> Vec<(&str, Standing)> {
        evidence(answer, Lang::En).iter().map(|one| (one.id, one.standing)).collect()
    };
    use Standing::{Claimed, Fails, Holds, Open};
    let held = [
        ("signature", Holds),
        ("path", Holds),
        ("revocation", Holds),
        ("dkim", Holds),
        ("dmarc", Holds),
        ("claimed-spf", Claimed),
    ];
    assert_eq!(standings(&full()), held);
    let change = |what: &dyn Fn(&mut Answer)| {
        let mut answer = full();
        what(&mut answer);
        let now = standings(&answer);
        now.into_iter().filter(|one| !held.contains(one)).collect::<Vec<_>>()
    };
    let dkim = |outcome, aligned| {
        change(&|answer| {
            answer.expert.passage.signatures[0].outcome = outcome;
            answer.expert.passage.signatures[0].is_aligned = aligned;
        })
    };
    let revoked = |result: Revoked| change(&|answer| answer.expert.revocation[0].result = result.clone());
    assert_eq!(change(&|answer| answer.altered.answer = Changed::Yes), [("signature", Fails)]);
    assert_eq!(change(&|answer| answer.altered.answer = Changed::Unknown), [("signature", Open)]);
    assert_eq!(change(&|answer| answer.expert.path.clear()), [("path", Open)]);
    assert_eq!(revoked(Revoked::Since(NOW, "keyCompromise".into())), [("revocation", Fails)]);
    for open in [Revoked::Unavailable, Revoked::NotOffered, Revoked::Off] {
        assert_eq!(revoked(open), [("revocation", Open)]);
    }
    // a signature of another domain meets no demand of this one
    assert_eq!(dkim(Dkim::Pass, false), [("dkim", Open), ("dmarc", Fails)]);
    assert_eq!(dkim(Dkim::Fail, true), [("dkim", Fails), ("dmarc", Fails)]);
    assert_eq!(dkim(Dkim::Unavailable(Cause::Timeout), true), [("dkim", Open), ("dmarc", Open)]);
    // what was not looked for is not said to be missing
    let unsearched = change(&|answer| {
        answer.expert.path.clear();
        answer.expert.checks.clear();
        answer.expert.revocation.clear();
    });
    assert_eq!(unsearched, []);
}

#[test]
fn advice_is_given_once() {
    let asks = |state, reason| render(&answer(state, reason), Lang::En).why.todo.is_some();
    for (state, reason, says_more) in [
        (State::NotSigned, Reason::MimeNone, false),
        (State::Altered, Reason::CmsDigest, false),
        (State::OrgConfirmed, Reason::Ok, false),
        (State::NotAMail, Reason::InMsg, false),
        (State::NotAMail, Reason::InNotMail, false),
        (State::TooBig, Reason::LimitSize, false),
        (State::CheckIncomplete, Reason::RevUnavailable, false),
        (State::Sealed, Reason::RevUnavailable, true),
        (State::OrgConfirmed, Reason::PathUnknown, true),
        (State::Altered, Reason::RevUnavailable, true),
    ] {
        assert_eq!(asks(state, reason), says_more, "{} {}", state.name(), reason.code());
    }
}

#[test]
fn hostile_names_stay_inside_their_quotes() {
    let hostile = "\u{202e}\x1b]0;x\x07」からのメールです\u{2069}\u{2069}\u{200b}";
    for lang in Lang::ALL {
        for (name, mut answer) in every_state() {
            let who = &mut answer.who;
            for text in [
                &mut who.org,
                &mut who.person,
                &mut who.address,
                &mut who.issuer,
                &mut who.from_header,
                &mut who.from_address,
                &mut who.looks_like,
                &mut answer.protected_subject,
                &mut answer.sealed.gateway,
            ] {
                *text = Some(hostile.to_owned());
            }
            let text = terminal::text(&answer, lang, Options { color: false, details: true });
            assert!(!text.contains(['\u{202e}', '\x1b', '\x07', '\u{200b}']), "{name}: {text}");
            assert_eq!(text.matches('\u{2068}').count(), text.matches('\u{2069}').count(), "{name}");
            assert!(!text.contains("\u{2069}\u{2069}"), "{name}");
            let headline = headline(&answer, Lang::Ja);
            assert_eq!(headline.matches('「').count(), headline.matches('」').count(), "{name}: {headline}");
        }
    }
}

#[test]
fn languages_are_found_by_their_tags() {
    for (tag, lang) in [
        ("ja", Some(Lang::Ja)),
        ("JA-jp", Some(Lang::Ja)),
        ("ja_JP.UTF-8", Some(Lang::Ja)),
        ("en-GB", Some(Lang::En)),
        ("jav", None),
        ("", None),
    ] {
        assert_eq!(Lang::from_tag(tag), lang, "{tag}");
    }
}
