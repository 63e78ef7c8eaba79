//! What is made to take long: it ends in bounded time, and is refused for that or answered as it should be.
//!
//! The times are for a build without optimisation on a busy machine; each is far above what it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::{oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::path::revocation::{Judged, Mode, Sources, Status, Terms, UnknownCause, judge};
use kakitome_pki::path::{
    Anchor, AnchorSource, PathProblem, PolicyInputs, Purpose, Question, Refusal, ValidPath, find,
};
use kakitome_testkit::hostile::{self, Hostile};
use kakitome_testkit::write;
use kakitome_testkit::{Authority, BANK, CertificateFactory, CrlFactory, NOW, Pki, anchor, in_days, key, rsa_key};

const LIMIT: Duration = Duration::from_secs(20);

/// Does something within [`LIMIT`], and says how long it took.
fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let outcome = act();
    println!("{what}: {:?}", begun.elapsed());
    assert!(begun.elapsed() < LIMIT, "{what} took {:?}", begun.elapsed());
    outcome
}

fn ask(leaf: &Certificate, untrusted: &[Certificate], anchors: &[Anchor]) -> Result<ValidPath, Refusal> {
    find(&Question { leaf, untrusted, anchors, at: NOW, purpose: Purpose::Email, policy: PolicyInputs::NONE })
}

fn leaf() -> CertificateFactory {
    Pki::leaf(BANK, "info@bank.example", 2)
}

#[test]
fn a_mesh_of_authorities() {
    let world = Pki::get();
    let (all, Hostile { leaf, untrusted: mesh }) = hostile::mesh(16);
    let refusal = timed("a mesh without an anchor", || ask(&leaf, &mesh, &world.public_anchors()).unwrap_err());
    assert!(matches!(refusal.problem, PathProblem::Budget | PathProblem::UnknownIssuer), "{refusal:?}");
    // The way out is found, although the mesh could be walked for ever.
    let out = [anchor(&all[7].certificate, AnchorSource::User)];
    assert!(timed("a mesh with an anchor", || ask(&leaf, &mesh, &out)).is_ok());
    // An anchor that forbids what every path brings: each is tried, up to the budget.
    let strict = CertificateFactory::authority("Mesh 7")
        .with(oid::NAME_CONSTRAINTS, true, write::constraints(&[write::mailbox("else.example")], &[]))
        .self_signed("Mesh 7");
    let strict = [anchor(&strict.certificate, AnchorSource::User)];
    let refusal = timed("a mesh in which no path holds", || ask(&leaf, &mesh, &strict).unwrap_err());
    assert!(matches!(refusal.problem, PathProblem::NameConstraint(_)), "{refusal:?}");
}

#[test]
fn policies_that_multiply() {
    let Hostile { leaf, untrusted } = hostile::policies();
    let anchors = Pki::get().public_anchors();
    let refusal = timed("policies that multiply", || ask(&leaf, &untrusted, &anchors).unwrap_err());
    assert_eq!(refusal.problem, PathProblem::Budget);
}

#[test]
fn keys_that_take_long() {
    // Certificates with the issuer's name, each of which could have signed.
    let world = Pki::get();
    let rsa = Authority { certificate: world.se.certificate.clone(), key: rsa_key("nobody") };
    let leaf = leaf().issued_by(&rsa);
    let refusal = |count: usize, octets: usize| {
        let impostor = |n: usize| {
            let mut modulus = vec![0xc5; octets];
            modulus[octets - 1] = u8::try_from(n * 2 + 1).unwrap();
            let bits = der::bit_string(&der::sequence(&[&der::unsigned(&modulus), &der::unsigned(&[1, 0, 1])]));
            let spki = der::sequence(&[&AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION).to_der(), &bits]);
            CertificateFactory::authority("SE").spki(&spki).issued_by(&world.rx)
        };
        let impostors: Vec<Certificate> = (0..count).map(impostor).collect();
        timed("keys that take long", || ask(&leaf, &impostors, &world.public_anchors()).unwrap_err()).problem
    };
    let rows = [
        (99, 256, PathProblem::BadSignature),
        (101, 256, PathProblem::Budget),
        (25, 512, PathProblem::BadSignature),
        (26, 512, PathProblem::Budget),
        (6, 1024, PathProblem::BadSignature),
        (7, 1024, PathProblem::Budget),
    ];
    for (count, octets, problem) in rows {
        assert_eq!(refusal(count, octets), problem, "{count} keys of {octets} octets");
    }
}

#[test]
fn names_that_multiply() {
    let Hostile { leaf, untrusted } = hostile::names();
    let anchors = Pki::get().public_anchors();
    let refusal = timed("names that multiply", || ask(&leaf, &untrusted, &anchors).unwrap_err());
    assert_eq!(refusal.problem, PathProblem::Budget);
}

fn judged(lists: &[Crl], certificates: &[Certificate]) -> Judged {
    let world = Pki::get();
    let path = ask(&world.bank.certificate, &world.bank.chain, &world.public_anchors()).unwrap();
    let lists: Vec<&Crl> = lists.iter().collect();
    let sources = Sources { lists: &lists, certificates, responses: &[] };
    judge(&path, &sources, &Terms { mode: Some(Mode::Require), at: NOW, legacy: false })
}

#[test]
fn a_long_list() {
    let world = Pki::get();
    let mut factory = CrlFactory::default();
    let reason = (oid::REASON_CODE, false, der::element(tag::ENUMERATED, &[&[4]]));
    for number in 0..100_000u32 {
        factory =
            factory.entry(&[&[0x50], number.to_be_bytes().as_slice()].concat(), in_days(-9), Some(reason.clone()));
    }
    let raw = factory.revoking(&world.bank.certificate, in_days(-1), None).der(&world.se);
    println!("{} octets", raw.len());
    let list = timed("reading a list of 100,000", || Crl::parse(&raw).unwrap());
    assert_eq!(list.len(), 100_001);
    let issuer = world.se.certificate.subject();
    timed("100,000 look-ups in it", || {
        for number in 0..100_000u32 {
            assert!(list.entry(&[&[0x50], number.to_be_bytes().as_slice()].concat(), issuer).is_some());
        }
    });
    let lists = [list, CrlFactory::default().signed_by(&world.re)];
    let judged = timed("judging by it", || judged(&lists, &[]));
    assert!(matches!(judged.status, Status::Revoked { .. }));
}

#[test]
fn many_lists_and_many_signers() {
    let world = Pki::get();
    let impostor = Authority { certificate: world.se.certificate.clone(), key: key("impostor") };
    let wrong: Vec<Crl> = (0..2_000)
        .map(|n| CrlFactory::default().dated(in_days(-1).plus(n), Some(in_days(6))).signed_by(&impostor))
        .collect();
    let outcome = timed("2,000 lists of an impostor", || judged(&wrong, &[]));
    let Status::Unknown { cause, .. } = outcome.status else { panic!("{:?}", outcome.status) };
    assert!(matches!(cause, UnknownCause::WrongSigner | UnknownCause::Budget), "{cause:?}");
    // Certificates with the issuer's name, each of which could have signed.
    let signers: Vec<Certificate> = (0..300)
        .map(|n| CertificateFactory::authority("SE").spki(key(&format!("s{n}")).spki()).issued_by(&world.rx))
        .collect();
    let outcome = timed("lists and signers", || judged(&wrong[..50], &signers));
    assert!(outcome.proof.is_none());
}
