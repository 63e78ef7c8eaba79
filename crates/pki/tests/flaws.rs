//! What is wrong with a certificate is named: a certificate without a flaw, and one with a single flaw for each name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::examine::examine;
use kakitome_pki::cert::file::{Kind, kind};
use kakitome_pki::cert::flaw::Flaw;
use kakitome_pki::cert::name::Name;
use kakitome_testkit::{key, rsa_key};

/// A certificate in its parts, each in DER.
struct Parts {
    version: Vec<u8>,
    serial: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    validity: [Vec<u8>; 2],
    subject: Vec<u8>,
    spki: Vec<u8>,
    unique: Vec<u8>,
    extensions: Vec<Vec<u8>>,
    outer_algorithm: Option<Vec<u8>>,
    signature: Vec<u8>,
    more: Vec<u8>,
}

fn integer(octets: &[u8]) -> Vec<u8> {
    der::element(tag::INTEGER, &[octets])
}

fn time(tag: u8, text: &str) -> Vec<u8> {
    der::element(tag, &[text.as_bytes()])
}

fn extension(id: Oid, critical: &[u8], value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(&id), critical, &der::octet_string(value)])
}

fn usage(bits: &[u8]) -> Vec<u8> {
    extension(oid::KEY_USAGE, &der::boolean(true), &der::named_bits(bits))
}

fn names(critical: bool, names: &[&[u8]]) -> Vec<u8> {
    let critical = if critical { der::boolean(true) } else { Vec::new() };
    extension(oid::SUBJECT_ALT_NAME, &critical, &der::sequence(names))
}

fn constraints(fields: &[&[u8]]) -> Vec<u8> {
    extension(oid::BASIC_CONSTRAINTS, &der::boolean(true), &der::sequence(fields))
}

fn spki(algorithm: Oid, parameters: &[u8], bits: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::sequence(&[&der::oid(&algorithm), parameters]), &der::bit_string(bits)])
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    spki(oid::RSA_ENCRYPTION, der::NULL, &der::sequence(&[&der::unsigned(modulus), &der::unsigned(exponent)]))
}

/// The modulus of a real key, so that it has no small factor.
fn modulus() -> Vec<u8> {
    let spki = rsa_key("flaws").spki().to_vec();
    let key = kakitome_pki::cert::extension::key_bits(&spki).unwrap().to_vec();
    let mut numbers = kakitome_pki::asn1::der::Der::only(&key).unwrap().inside();
    numbers.unsigned().unwrap().to_vec()
}

const MAILBOX: &[u8] = b"\x81\x0ba@b.example";

impl Parts {
    fn good() -> Self {
        Self {
            version: der::context(0, &[&integer(&[2])]),
            serial: integer(&[0x41; 16]),
            algorithm: AlgorithmIdentifier::plain(oid::ECDSA_WITH_SHA256).to_der(),
            issuer: Name::build(&[(oid::COMMON_NAME, "Issuer")]).raw().to_vec(),
            validity: [time(tag::UTC_TIME, "260101000000Z"), time(tag::UTC_TIME, "270101000000Z")],
            subject: Name::build(&[(oid::COMMON_NAME, "Subject")]).raw().to_vec(),
            spki: key("flaws").spki().to_vec(),
            unique: Vec::new(),
            extensions: vec![usage(&[0]), names(false, &[MAILBOX])],
            outer_algorithm: None,
            signature: der::bit_string(&[7; 70]),
            more: Vec::new(),
        }
    }

    fn der(&self) -> Vec<u8> {
        let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
        let extensions = der::context(3, &[&der::sequence(&extensions)]);
        let signed = der::sequence(&[
            &self.version,
            &self.serial,
            &self.algorithm,
            &self.issuer,
            &der::sequence(&[&self.validity[0], &self.validity[1]]),
            &self.subject,
            &self.spki,
            &self.unique,
            &extensions,
            &self.more,
        ]);
        der::sequence(&[&signed, self.outer_algorithm.as_ref().unwrap_or(&self.algorithm), &self.signature])
    }
}

fn flaws(raw: &[u8]) -> Vec<Flaw> {
    examine(raw).flaws.into_iter().map(|found| found.flaw).collect()
}

/// A part changed.
fn part(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::good();
    change(&mut parts);
    parts.der()
}

/// The octets changed: the header of the whole is `30 82 xx xx`.
fn octets(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut raw = Parts::good().der();
    assert_eq!(raw[..2], [0x30, 0x82]);
    change(&mut raw);
    raw
}

#[allow(clippy::too_many_lines, reason = "a table, one row for each flaw")]
fn rows() -> Vec<(Flaw, Vec<u8>)> {
    let rsa_bits = der::sequence(&[&der::unsigned(&modulus()), &der::unsigned(&[1, 0, 1])]);
    let two_names = der::element(
        tag::SET,
        &[
            &der::sequence(&[&der::oid(&oid::SURNAME), &der::utf8("b")]),
            &der::sequence(&[&der::oid(&oid::COMMON_NAME), &der::utf8("a")]),
        ],
    );
    vec![
        (Flaw::Cut, octets(|raw| raw.truncate(100))),
        // deep inside parameters that nobody reads
        (Flaw::Cut, part(|parts| parts.spki = spki(oid::SURNAME, b"\xa6\x02\x04\x05", &[0x41; 32]))),
        (Flaw::Trailing, octets(|raw| raw.extend([0, 0]))),
        (
            Flaw::Indefinite,
            octets(|raw| {
                raw.splice(..4, [0x30, 0x80]);
                raw.extend([0, 0]);
            }),
        ),
        (
            Flaw::Length,
            octets(|raw| {
                raw.splice(1..2, [0x83, 0]);
            }),
        ),
        (
            Flaw::Boolean,
            part(|parts| {
                parts.extensions[0] = extension(oid::KEY_USAGE, &[1, 1, 1], &der::named_bits(&[0]));
            }),
        ),
        (Flaw::Integer, part(|parts| parts.serial = integer(&[0, 0x41]))),
        (
            Flaw::DefaultWritten,
            part(|parts| {
                parts.extensions[0] = extension(oid::KEY_USAGE, &der::boolean(false), &der::named_bits(&[0]));
            }),
        ),
        (Flaw::DefaultWritten, part(|parts| parts.extensions.push(constraints(&[&der::boolean(false)])))),
        (Flaw::SetOrder, part(|parts| parts.subject = der::sequence(&[&two_names]))),
        (Flaw::Structure, part(|parts| parts.more = der::NULL.to_vec())),
        (Flaw::Structure, part(|parts| parts.serial = Vec::new())),
        (Flaw::Structure, part(|parts| parts.serial = integer(&[]))),
        (
            Flaw::TooLarge,
            part(|parts| {
                parts.extensions.push(extension("1.2.3".parse().unwrap(), &[], &vec![0; 300_000]));
            }),
        ),
        (Flaw::Version, part(|parts| parts.version = der::context(0, &[&integer(&[2, 0])]))),
        (Flaw::Version, part(|parts| parts.version = der::context(0, &[&integer(&[3])]))),
        (Flaw::Version, part(|parts| parts.version = der::context(0, &[&integer(&[0])]))),
        (Flaw::ExtensionsVersion, part(|parts| parts.version = der::context(0, &[&integer(&[1])]))),
        (Flaw::SerialNegative, part(|parts| parts.serial = integer(&[0x81, 1]))),
        (Flaw::SerialZero, part(|parts| parts.serial = integer(&[0]))),
        (Flaw::SerialLong, part(|parts| parts.serial = integer(&[0x41; 21]))),
        (
            Flaw::AlgorithmsDiffer,
            part(|parts| {
                parts.outer_algorithm = Some(AlgorithmIdentifier::plain(oid::ECDSA_WITH_SHA384).to_der());
            }),
        ),
        (
            Flaw::AlgorithmsDiffer,
            part(|parts| {
                parts.outer_algorithm = Some(AlgorithmIdentifier::with_null(oid::ECDSA_WITH_SHA256).to_der());
            }),
        ),
        (
            Flaw::AlgorithmParameters,
            part(|parts| {
                parts.algorithm = AlgorithmIdentifier::with_null(oid::ECDSA_WITH_SHA256).to_der();
            }),
        ),
        (
            Flaw::AlgorithmParameters,
            part(|parts| {
                parts.algorithm = AlgorithmIdentifier::plain(oid::SHA256_WITH_RSA).to_der();
            }),
        ),
        (Flaw::SignatureBits, part(|parts| parts.signature = der::element(tag::BIT_STRING, &[&[1], &[2; 70]]))),
        (Flaw::Name, part(|parts| parts.subject = der::sequence(&[der::NULL]))),
        (Flaw::Name, part(|parts| parts.subject = der::sequence(&[&der::set_of(Vec::<Vec<u8>>::new())]))),
        (Flaw::IssuerEmpty, part(|parts| parts.issuer = der::sequence(&[]))),
        (Flaw::SubjectEmpty, part(|parts| parts.subject = der::sequence(&[]))),
        (Flaw::Time, part(|parts| parts.validity[0] = time(tag::UTC_TIME, "2601010000Z"))),
        (Flaw::Time, part(|parts| parts.validity[0] = time(tag::UTC_TIME, "260230000000Z"))),
        (Flaw::Time, part(|parts| parts.validity[1] = time(tag::GENERALIZED_TIME, "20270101000000+0900"))),
        (Flaw::TimeForm, part(|parts| parts.validity[1] = time(tag::GENERALIZED_TIME, "20270101000000Z"))),
        (Flaw::ValidityReversed, part(|parts| parts.validity.reverse())),
        // Whoever meant 2060 by it: two digits from 50 on are of the century before (RFC 5280 §4.1.2.5.1).
        (Flaw::ValidityReversed, part(|parts| parts.validity[1] = time(tag::UTC_TIME, "600101000000Z"))),
        (Flaw::UniqueIdentifiers, part(|parts| parts.unique = der::element(tag::context(1), &[&[0, 1]]))),
        (Flaw::ExtensionsEmpty, part(|parts| parts.extensions.clear())),
        (Flaw::ExtensionTwice, part(|parts| parts.extensions.push(usage(&[0])))),
        (Flaw::Extension, part(|parts| parts.extensions[0] = extension(oid::KEY_USAGE, &[], &integer(&[1])))),
        (
            Flaw::Extension,
            part(|parts| parts.extensions.push(extension(oid::NAME_CONSTRAINTS, &[], &der::sequence(&[])))),
        ),
        (
            Flaw::ExtensionUnknown,
            part(|parts| {
                parts.extensions.push(extension("1.2.3".parse().unwrap(), &der::boolean(true), der::NULL));
            }),
        ),
        (Flaw::NamesEmpty, part(|parts| parts.extensions[1] = names(false, &[]))),
        (Flaw::Authority, part(|parts| parts.extensions[0] = usage(&[5]))),
        (Flaw::Authority, part(|parts| parts.extensions.push(constraints(&[&der::boolean(true)])))),
        (Flaw::PathLength, part(|parts| parts.extensions.push(constraints(&[&der::unsigned(&[1])])))),
        (Flaw::Key, part(|parts| parts.spki = spki(oid::RSA_ENCRYPTION, der::NULL, &[1, 2, 3]))),
        (Flaw::Key, part(|parts| parts.spki = spki(oid::EC_PUBLIC_KEY, &[], &[4; 65]))),
        (Flaw::Key, part(|parts| parts.spki = spki(oid::ML_DSA_44, &[], &[4; 65]))),
        (Flaw::KeyHuge, part(|parts| parts.spki = rsa(&[0xff; 8192], &[1, 0, 1]))),
        (
            Flaw::KeyShort,
            part(|parts| {
                let mut short = modulus()[..128].to_vec();
                // The next one without a small factor.
                while (3u64..1000).step_by(2).any(|d| short.iter().fold(0, |r, o| (r * 256 + u64::from(*o)) % d) == 0)
                    || short[127].is_multiple_of(2)
                {
                    short[127] = short[127].wrapping_add(1);
                    if short[127] == 0 {
                        short[126] = short[126].wrapping_add(1);
                    }
                }
                parts.spki = rsa(&short, &[1, 0, 1]);
            }),
        ),
        (
            Flaw::KeyEven,
            part(|parts| {
                let mut even = modulus();
                *even.last_mut().unwrap() &= 0xfe;
                parts.spki = rsa(&even, &[1, 0, 1]);
            }),
        ),
        // All ones: divisible by three.
        (Flaw::KeyFactor, part(|parts| parts.spki = rsa(&[0xff; 256], &[1, 0, 1]))),
        (Flaw::KeyExponent, part(|parts| parts.spki = rsa(&modulus(), &[1]))),
        (Flaw::KeyExponent, part(|parts| parts.spki = rsa(&modulus(), &[1, 0, 0]))),
        (Flaw::KeyExponent, part(|parts| parts.spki = rsa(&modulus(), &[1; 9]))),
        (
            Flaw::KeyCurve,
            part(|parts| parts.spki = spki(oid::EC_PUBLIC_KEY, &der::sequence(&[&integer(&[1])]), &[4; 65])),
        ),
        (Flaw::KeyCurve, part(|parts| parts.spki = spki(oid::EC_PUBLIC_KEY, der::NULL, &[4; 65]))),
        (
            Flaw::KeyImpossible,
            part(|parts| {
                let last = parts.spki.len() - 1;
                parts.spki[last] ^= 1;
            }),
        ),
        (Flaw::KeyImpossible, part(|parts| parts.spki = spki(oid::EC_PUBLIC_KEY, &der::oid(&oid::P256), &[6; 65]))),
        (Flaw::KeyImpossible, part(|parts| parts.spki = spki(oid::ED25519, &[], &[6; 31]))),
        (Flaw::KeyImpossible, part(|parts| parts.spki = spki(oid::ML_KEM_512, &[], &[0xff; 800]))),
        (Flaw::KeyParameters, part(|parts| parts.spki = spki(oid::RSA_ENCRYPTION, &[], &rsa_bits))),
        (Flaw::KeyParameters, part(|parts| parts.spki = spki(oid::ED25519, der::NULL, &[6; 32]))),
        (Flaw::KeyUnknown, part(|parts| parts.spki = spki("1.2.3".parse().unwrap(), &[], &[6; 32]))),
        (
            Flaw::KeyUnknown,
            part(|parts| {
                parts.spki = spki(oid::EC_PUBLIC_KEY, &der::oid(&"1.3.132.0.10".parse().unwrap()), &[4; 65]);
            }),
        ),
    ]
}

#[test]
fn each_flaw_is_named_alone() {
    let good = Parts::good().der();
    assert_eq!(flaws(&good), []);
    assert!(Certificate::parse(&good).is_ok());
    let mut wrong = Vec::new();
    let mut met = BTreeSet::new();
    for (number, (flaw, raw)) in rows().into_iter().enumerate() {
        met.insert(flaw.code());
        let told = flaws(&raw);
        if told != [flaw] {
            wrong.push(format!("row {number}: {flaw:?} is told as {told:?}"));
        }
        let read = Certificate::parse(&raw);
        if read.is_err() != flaw.is_refused() {
            wrong.push(format!("row {number}: {flaw:?} is read as {:?}", read.map_err(|malformed| malformed.what)));
        }
        if flaw != Flaw::Cut && flaw != Flaw::TooLarge {
            let shown = examine(&raw);
            if shown.issuer.is_none() && flaw != Flaw::Structure {
                wrong.push(format!("row {number}: {flaw:?} hides the rest"));
            }
            if kind(&raw) != Some(Kind::Certificate) && flaw != Flaw::Structure {
                wrong.push(format!("row {number}: {flaw:?} is not seen to be a certificate"));
            }
        }
    }
    let missing: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.code()).filter(|code| !met.contains(code)).collect();
    assert!(wrong.is_empty() && missing.is_empty(), "{wrong:#?}, without a row: {missing:?}");
}

#[test]
fn an_empty_subject_may_stand_where_alternative_names_are_critical() {
    assert_eq!(
        flaws(&part(|parts| {
            parts.subject = der::sequence(&[]);
            parts.extensions[1] = names(true, &[MAILBOX]);
        })),
        []
    );
}
