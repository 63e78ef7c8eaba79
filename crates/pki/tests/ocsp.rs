//! OCSP responses: which count, and what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest};
use kakitome_pki::asn1::{Oid, oid, write as der};
use kakitome_pki::cert::crl::{Crl, Reason};
use kakitome_pki::cert::ocsp::{NonceMatch, OcspResponse};
use kakitome_pki::path::revocation::{Mode, Sources, Status, Terms, UnknownCause, Via, judge};
use kakitome_pki::path::{PolicyInputs, Purpose, Question, find};
use kakitome_testkit::write;
use kakitome_testkit::{Authority, CertificateFactory, CrlFactory, NOW, OcspFactory, Pki, RawRsa, Says, in_days, key};

const UNKNOWN: Oid = Oid::new_unwrap("1.2.3.4.5");

/// The status of the bank's certificate under these responses and lists; RE's list, which speaks for SE, is always there.
fn told(responses: &[OcspResponse], lists: &[Crl]) -> String {
    let world = Pki::get();
    let path = find(&Question {
        leaf: &world.bank.certificate,
        untrusted: &world.bank.chain,
        anchors: &world.public_anchors(),
        at: NOW,
        purpose: Purpose::Email,
        policy: PolicyInputs::NONE,
    })
    .unwrap();
    let re = CrlFactory::default().signed_by(&world.re);
    let lists: Vec<&Crl> = lists.iter().chain([&re]).collect();
    let responses: Vec<&OcspResponse> = responses.iter().collect();
    let sources = Sources { lists: &lists, responses: &responses, certificates: &[] };
    match judge(&path, &sources, &Terms { mode: Some(Mode::Require), at: NOW, legacy: false }).status {
        Status::Good { via: Via::Response, .. } => "good".to_owned(),
        Status::Good { via: Via::List, .. } => "good by a list".to_owned(),
        Status::Revoked { reason, .. } => format!("revoked {}", reason.map_or("-", Reason::name)),
        Status::Unknown { cause: UnknownCause::Unusable(limit), .. } => format!("unusable: {limit}"),
        Status::Unknown { cause, .. } => format!("unknown {cause:?}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn responses_are_judged() {
    let world = Pki::get();
    let (bank, se) = (&world.bank.certificate, &world.se.certificate);
    let new = OcspFactory::default;
    let good = || new().about(bank, se, Says::Good);
    let by_se = |factory: OcspFactory| vec![factory.signed_by(&world.se)];
    let delegate = || {
        CertificateFactory::new(&[(oid::COMMON_NAME, "Responder")], "Responder")
            .with(oid::KEY_USAGE, true, der::named_bits(&[0]))
            .with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::OCSP_SIGNING]))
            .with(oid::OCSP_NO_CHECK, false, der::NULL.to_vec())
    };
    let by = |certificate: CertificateFactory, issuer: &Authority| {
        let responder = certificate.authority_by(issuer, "Responder");
        vec![good().carrying(&responder.certificate).signed_by(&responder)]
    };
    let by_delegate = |certificate: CertificateFactory| by(certificate, &world.se);
    let impostor = Authority { certificate: se.clone(), key: key("impostor") };
    let revoked = |days, reason| by_se(new().about(bank, se, Says::Revoked(in_days(days), reason)));
    let list = |factory: CrlFactory| vec![factory.signed_by(&world.se)];
    let watched = || {
        delegate().without(oid::OCSP_NO_CHECK).with(
            oid::CRL_DISTRIBUTION_POINTS,
            false,
            write::crl_points("http://crl.se.example/se.crl"),
        )
    };
    let responder = watched().issued_by(&world.se);
    let refusal = |status: u8| vec![OcspResponse::parse(&[0x30, 3, 0x0a, 1, status]).unwrap()];

    let rows: Vec<(&str, Vec<OcspResponse>, Vec<Crl>, &str)> = vec![
        ("good", by_se(good()), vec![], "good"),
        ("good, the responder named by key", by_se(good().by_key()), vec![], "good"),
        ("by SHA-256", by_se(new().hashing(Digest::Sha256).about(bank, se, Says::Good)), vec![], "good"),
        ("by SHA-512", by_se(new().hashing(Digest::Sha512).about(bank, se, Says::Good)), vec![], "good"),
        ("nothing", vec![], vec![], "unknown NoAnswer"),
        (
            "about another certificate",
            by_se(new().about(&world.eve.certificate, se, Says::Good)),
            vec![],
            "unknown NoAnswer",
        ),
        (
            "the serial number of another issuer",
            by_se(new().about(bank, &world.re.certificate, Says::Good)),
            vec![],
            "unknown NoAnswer",
        ),
        (
            "the second answer is ours",
            by_se(new().about(&world.eve.certificate, se, Says::Good).about(
                bank,
                se,
                Says::Revoked(in_days(-1), None),
            )),
            vec![],
            "revoked -",
        ),
        ("signed by another key", vec![good().signed_by(&impostor)], vec![], "unknown WrongSigner"),
        ("signed by the CA above", vec![good().signed_by(&world.re)], vec![], "unknown WrongSigner"),
        (
            "stale",
            by_se(new().dated(in_days(-9), Some(NOW.plus(-1))).about(bank, se, Says::Good)),
            vec![],
            "unknown Stale",
        ),
        (
            "due this very second",
            by_se(new().dated(in_days(-9), Some(NOW)).about(bank, se, Says::Good)),
            vec![],
            "good",
        ),
        ("no next update, young", by_se(new().dated(in_days(-9), None).about(bank, se, Says::Good)), vec![], "good"),
        (
            "no next update, old",
            by_se(new().dated(in_days(-11), None).about(bank, se, Says::Good)),
            vec![],
            "unknown Stale",
        ),
        (
            "from the future",
            by_se(new().dated(in_days(1), Some(in_days(2))).about(bank, se, Says::Good)),
            vec![],
            "unknown Early",
        ),
        ("revoked", revoked(-1, None), vec![], "revoked -"),
        ("revoked for a reason", revoked(-1, Some(Reason::Superseded)), vec![], "revoked superseded"),
        ("on hold", revoked(-1, Some(Reason::CertificateHold)), vec![], "revoked certificateHold"),
        (
            "off hold again",
            [
                by_se(new().dated(in_days(-4), Some(in_days(-3))).about(
                    bank,
                    se,
                    Says::Revoked(in_days(-5), Some(Reason::CertificateHold)),
                )),
                by_se(good()),
            ]
            .concat(),
            vec![],
            "good",
        ),
        (
            "on hold since",
            [
                by_se(new().dated(in_days(-4), Some(in_days(3))).about(bank, se, Says::Good)),
                revoked(-1, Some(Reason::CertificateHold)),
            ]
            .concat(),
            vec![],
            "revoked certificateHold",
        ),
        (
            "revoked, and a newer good",
            [
                by_se(new().dated(in_days(-4), Some(in_days(-3))).about(bank, se, Says::Revoked(in_days(-5), None))),
                by_se(good()),
            ]
            .concat(),
            vec![],
            "revoked -",
        ),
        (
            "on hold, and revoked for good",
            [
                by_se(new().dated(in_days(-4), Some(in_days(-3))).about(
                    bank,
                    se,
                    Says::Revoked(in_days(-9), Some(Reason::CertificateHold)),
                )),
                by_se(new().dated(in_days(-3), Some(in_days(-2))).about(
                    bank,
                    se,
                    Says::Revoked(in_days(-5), Some(Reason::Superseded)),
                )),
                by_se(good()),
            ]
            .concat(),
            vec![],
            "revoked superseded",
        ),
        (
            "on hold here, off it on a newer list",
            by_se(new().dated(in_days(-4), Some(in_days(-3))).about(
                bank,
                se,
                Says::Revoked(in_days(-5), Some(Reason::CertificateHold)),
            )),
            list(CrlFactory::default()),
            "good by a list",
        ),
        (
            "off hold here, on it on an older list",
            by_se(good()),
            list(CrlFactory::default().dated(in_days(-4), Some(in_days(3))).revoking(
                bank,
                in_days(-5),
                Some(Reason::CertificateHold),
            )),
            "good",
        ),
        (
            "good here, on hold on a newer list",
            by_se(new().dated(in_days(-4), Some(in_days(3))).about(bank, se, Says::Good)),
            list(CrlFactory::default().revoking(bank, in_days(-1), Some(Reason::CertificateHold))),
            "revoked certificateHold",
        ),
        ("revoked later", revoked(1, Some(Reason::Superseded)), vec![], "good"),
        (
            "revoked later, long ago said",
            by_se(new().dated(in_days(-9), Some(in_days(-8))).about(
                bank,
                se,
                Says::Revoked(in_days(1), Some(Reason::Superseded)),
            )),
            vec![],
            "unknown Stale",
        ),
        ("key compromised later", revoked(1, Some(Reason::KeyCompromise)), vec![], "revoked keyCompromise"),
        (
            "revoked, long ago said",
            by_se(new().dated(in_days(-90), Some(in_days(-80))).about(bank, se, Says::Revoked(in_days(-91), None))),
            vec![],
            "revoked -",
        ),
        ("unknown", by_se(new().about(bank, se, Says::Unknown)), vec![], "unknown NotKnown"),
        ("try later", refusal(3), vec![], "unknown Refused(\"tryLater\")"),
        ("success without an answer", refusal(0), vec![], "unknown Refused(\"nothing\")"),
        ("try later, and a list", refusal(3), list(CrlFactory::default()), "good by a list"),
        (
            "unknown critical in the answer",
            by_se(new().each_with(UNKNOWN, true, der::NULL.to_vec()).about(bank, se, Says::Good)),
            vec![],
            "unusable: it has the critical extension 1.2.3.4.5, which is not understood",
        ),
        (
            "unknown in the answer",
            by_se(new().each_with(UNKNOWN, false, der::NULL.to_vec()).about(bank, se, Says::Good)),
            vec![],
            "good",
        ),
        // who may answer
        ("a delegate", by_delegate(delegate()), vec![], "good"),
        (
            "a delegate without the usage",
            by_delegate(delegate().without(oid::EXTENDED_KEY_USAGE)),
            vec![],
            "unknown WrongSigner",
        ),
        (
            "a delegate for mail",
            by_delegate(delegate().with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::EMAIL_PROTECTION]))),
            vec![],
            "unknown WrongSigner",
        ),
        (
            "any usage is none",
            by_delegate(delegate().with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::ANY_EXTENDED_KEY_USAGE]))),
            vec![],
            "unknown WrongSigner",
        ),
        (
            "a delegate whose key can be broken",
            {
                let short = RawRsa::short();
                let responder = delegate().spki(&short.spki()).issued_by(&world.se);
                let algorithm = AlgorithmIdentifier::with_null(oid::SHA256_WITH_RSA);
                let sign = |signed: &[u8]| short.pkcs1(Digest::Sha256, signed);
                let response = good().carrying(&responder).der_by(&responder, &algorithm, sign);
                vec![OcspResponse::parse(&response).unwrap()]
            },
            vec![],
            "unknown Weak(\"RSA 1024\")",
        ),
        ("a delegate of another CA", by(delegate(), &world.re), vec![], "unknown WrongSigner"),
        (
            "a delegate by himself",
            {
                let own = delegate().issuer_name(se.subject()).self_signed("Responder");
                vec![good().carrying(&own.certificate).signed_by(&own)]
            },
            vec![],
            "unknown WrongSigner",
        ),
        (
            "a delegate that expired",
            by_delegate(delegate().valid(in_days(-9), in_days(-1))),
            vec![],
            "unknown WrongSigner",
        ),
        (
            "a delegate that does not travel",
            {
                let responder = delegate().authority_by(&world.se, "Responder");
                vec![good().signed_by(&responder)]
            },
            vec![],
            "unknown WrongSigner",
        ),
        ("a delegate whose source is silent", by_delegate(watched()), vec![], "unknown SignerUnknown"),
        ("a delegate that names no source", by_delegate(delegate().without(oid::OCSP_NO_CHECK)), vec![], "good"),
        (
            "a delegate that was revoked does not count, the list does",
            by_delegate(watched()),
            list(CrlFactory::default().revoking(&responder, in_days(-1), None)),
            "good by a list",
        ),
        ("a delegate that is good", by_delegate(watched()), list(CrlFactory::default()), "good"),
        // against lists
        (
            "good here, revoked on a list",
            by_se(good()),
            list(CrlFactory::default().revoking(bank, in_days(-1), None)),
            "revoked -",
        ),
        ("revoked here, good on a list", revoked(-1, None), list(CrlFactory::default()), "revoked -"),
        (
            "stale here, good on a list",
            by_se(new().dated(in_days(-9), Some(in_days(-1))).about(bank, se, Says::Good)),
            list(CrlFactory::default()),
            "good by a list",
        ),
    ];
    let wrong: Vec<_> = rows
        .iter()
        .map(|(name, responses, lists, expected)| (name, told(responses, lists), expected))
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_nonce_binds_a_response_to_its_request() {
    let world = Pki::get();
    let of = |factory: OcspFactory| factory.signed_by(&world.se);
    let good = || OcspFactory::default().about(&world.bank.certificate, &world.se.certificate, Says::Good);
    for (response, expected) in [
        (of(good().nonce(b"sixteen octets..")), NonceMatch::Same),
        (of(good().nonce(b"another nonce...")), NonceMatch::Differs),
        (of(good()), NonceMatch::Absent),
    ] {
        assert_eq!(response.basic().unwrap().nonce(b"sixteen octets.."), expected);
    }
}

#[test]
fn responses_are_read_strictly() {
    let world = Pki::get();
    let raw = OcspFactory::default()
        .about(&world.bank.certificate, &world.se.certificate, Says::Revoked(in_days(-1), Some(Reason::Superseded)))
        .nonce(b"nonce")
        .der(&world.se);
    let key = world.se.certificate.key();
    assert!(OcspResponse::parse(&raw).unwrap().basic().unwrap().verify_signature(key).is_ok());
    for at in 0..raw.len() {
        assert!(OcspResponse::parse(&raw[..at]).is_err());
        for bit in 0..8 {
            let mut changed = raw.clone();
            changed[at] ^= 1 << bit;
            let response = OcspResponse::parse(&changed);
            let basic = response.as_ref().ok().and_then(|response| response.basic().ok());
            // the outermost lengths and types are not signed, and cannot be changed without breaking the rest
            assert!(basic.is_none_or(|basic| basic.verify_signature(key).is_err()), "octet {at} bit {bit}");
        }
    }
}
