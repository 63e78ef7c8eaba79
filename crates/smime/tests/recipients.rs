//! Recipient infos written by hand: forms that this program reads and does not write, and forms that nobody may write.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_pki::algorithm::{
    Cipher, ContentEncryption, Derivation, Digest, KeyAgreement, KeyWrap, PasswordDerivation, password_wrap_identifier,
};
use kakitome_pki::asn1::{oid, tag, write as der};
use kakitome_pki::crypto::{ContentKey, DecryptionKey, Encryptor, PublicKey, SystemRandom};
use kakitome_smime::cms::content::{Object, read};
use kakitome_smime::cms::enveloped::Opening;
use kakitome_smime::cms::recipient::{HeldKeys, Holder};
use kakitome_smime::octets::{InMemory, read_range};
use kakitome_testkit::envelope::{EnvelopeFactory, Takes};
use zeroize::Zeroizing;

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nThe bill is attached.\r\n";

/// The content under a key that the tests know.
fn content() -> (ContentKey, ContentEncryption, EnvelopeFactory) {
    let key = ContentKey::new(Cipher::Aes128Cbc, &[0x42; 16]).unwrap();
    let encryption = ContentEncryption::new(Cipher::Aes128Cbc, &[7; 16]).unwrap();
    let mut encryptor = Encryptor::new(&encryption, &key, &[]).unwrap();
    let mut encrypted = Vec::new();
    encryptor.update(CONTENT, &mut encrypted);
    encryptor.finish(&mut encrypted).unwrap();
    let factory = EnvelopeFactory::new(oid::ENVELOPED_DATA)
        .version(2)
        .algorithm(encryption.identifier().to_der())
        .content(Some(&encrypted));
    (key, encryption, factory)
}

fn opened(factory: &EnvelopeFactory, keys: &HeldKeys<'_>) -> Result<Vec<u8>, String> {
    let object = factory.der();
    let Object::Enveloped(enveloped) = read(&object, &InMemory).unwrap() else { panic!("nothing encrypted") };
    match enveloped.open(&object, keys, &InMemory).unwrap() {
        Opening::Open(plain) => Ok(read_range(plain.octets(), 0..plain.octets().len(), usize::MAX).unwrap()),
        Opening::NoKey => Err("no key".to_owned()),
        Opening::Refused(finding) | Opening::Failed(finding) => Err(finding.code.to_owned()),
    }
}

fn holding(holders: impl IntoIterator<Item = Holder>) -> HeldKeys<'static> {
    let mut keys = HeldKeys::new(&SystemRandom);
    holders.into_iter().for_each(|holder| keys.hold(holder));
    keys
}

/// A key agreement written by its parts.
struct Agreement {
    originator: Vec<u8>,
    ukm: Option<Vec<u8>>,
    algorithm: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

impl Agreement {
    fn der(&self) -> Vec<u8> {
        let ukm = self.ukm.as_ref().map(|ukm| der::context(1, &[&der::octet_string(ukm)])).unwrap_or_default();
        let keys: Vec<&[u8]> = self.keys.iter().map(Vec::as_slice).collect();
        let originator = der::context(0, &[&self.originator]);
        der::context(1, &[&der::unsigned(&[3]), &originator, &ukm, &self.algorithm, &der::sequence(&keys)])
    }
}

fn issuer_and_serial(holder: &Holder) -> Vec<u8> {
    let serial = der::element(tag::INTEGER, &[holder.certificate.serial()]);
    der::sequence(&[holder.certificate.issuer().raw(), &serial])
}

fn originator_key(parameters: &[u8], point: &[u8]) -> Vec<u8> {
    let algorithm = der::sequence(&[&der::oid(&oid::EC_PUBLIC_KEY), parameters]);
    der::context(1, &[&algorithm, &der::bit_string(point)])
}

fn point(key: &DecryptionKey) -> Vec<u8> {
    let PublicKey::Ec { point, .. } = key.public() else { panic!("no curve") };
    point.clone()
}

/// A good agreement of `sender`'s key with each of the recipients', under these names.
fn agreement(
    sender: &Holder,
    recipients: &[(Vec<u8>, &Holder)],
    derivation: Derivation,
    ukm: Option<&[u8]>,
) -> Agreement {
    let (key, ..) = content();
    let scheme = KeyAgreement::new(derivation, KeyWrap::Aes128);
    let keys = recipients.iter().map(|(name, recipient)| {
        let agreed = sender.key.agree(recipient.key.public(), &scheme, &scheme.wrap_identifier.to_der(), ukm).unwrap();
        der::sequence(&[name, &der::octet_string(&agreed.wrap(&key).unwrap())])
    });
    Agreement {
        originator: originator_key(&[], &point(&sender.key)),
        ukm: ukm.map(<[u8]>::to_vec),
        algorithm: scheme.identifier().unwrap().to_der(),
        keys: keys.collect(),
    }
}

#[test]
fn every_form_of_key_agreement_is_opened() {
    let (sender, reader, other) =
        (Takes::P256.holder("sender"), Takes::P256.holder("reader"), Takes::P256.holder("other"));
    let sha256 = Derivation::X963(Digest::Sha256);
    let by_serial = |holder: &Holder| issuer_and_serial(holder);
    let identifier = reader.certificate.extensions().subject_key_id.clone().unwrap();
    let by_key = der::context(0, &[&der::octet_string(&identifier)]);
    let date = der::element(tag::GENERALIZED_TIME, &[b"20261201000000Z"]);
    let dated = der::context(0, &[&der::octet_string(&identifier), &date]);
    let curve = der::oid(&oid::P256);
    let one = |name: Vec<u8>| agreement(&sender, &[(name, &reader)], sha256, None);
    let with = |originator: Vec<u8>| Agreement { originator, ..one(by_serial(&reader)) };
    let sender_identifier = sender.certificate.extensions().subject_key_id.clone().unwrap();
    for (name, agreement) in [
        ("by issuer and serial number", one(by_serial(&reader))),
        ("by key identifier", one(by_key)),
        ("by key identifier and date", one(dated)),
        (
            "second of two",
            agreement(&sender, &[(by_serial(&other), &other), (by_serial(&reader), &reader)], sha256, None),
        ),
        ("keying material", agreement(&sender, &[(by_serial(&reader), &reader)], sha256, Some(b"each time another"))),
        ("SHA-1", agreement(&sender, &[(by_serial(&reader), &reader)], Derivation::X963(Digest::Sha1), None)),
        ("HKDF", agreement(&sender, &[(by_serial(&reader), &reader)], Derivation::Hkdf(Digest::Sha512), None)),
        ("curve named", with(originator_key(&curve, &point(&sender.key)))),
        ("curve NULL", with(originator_key(der::NULL, &point(&sender.key)))),
        ("static, by issuer and serial number", with(by_serial(&sender))),
        ("static, by key identifier", with(der::element(tag::context(0), &[&sender_identifier]))),
    ] {
        let (.., factory) = content();
        let factory = factory.originator(std::slice::from_ref(&sender.certificate)).recipient(agreement.der());
        let keys = holding([Takes::P256.holder("reader")]);
        assert_eq!(opened(&factory, &keys).as_deref(), Ok(CONTENT), "{name}");
    }
}

#[test]
fn flawed_recipient_infos_are_refused_by_name_or_fail_alike() {
    let (sender, reader) = (Takes::P256.holder("sender"), Takes::P256.holder("reader"));
    let name = issuer_and_serial(&reader);
    let good = || agreement(&sender, &[(name.clone(), &reader)], Derivation::X963(Digest::Sha256), None);
    let scheme = |parameters: &[u8]| der::sequence(&[&der::oid(&oid::ECDH_SHA256_KDF), parameters]);
    let with = |originator: Vec<u8>| Agreement { originator, ..good() };
    let wrapped = |key: &[u8]| Agreement { keys: vec![der::sequence(&[&name, &der::octet_string(key)])], ..good() };
    let mut beside = point(&sender.key);
    *beside.last_mut().unwrap() ^= 1;
    let montgomery = der::context(1, &[&der::sequence(&[&der::oid(&oid::X25519)]), &der::bit_string(&[0; 32])]);
    for (flaw, agreement, code) in [
        ("none", good(), ""),
        ("no parameters", Agreement { algorithm: scheme(&[]), ..good() }, "enc.refused"),
        ("NULL as parameters", Agreement { algorithm: scheme(der::NULL), ..good() }, "enc.refused"),
        (
            "unknown wrap",
            Agreement { algorithm: scheme(&der::sequence(&[&der::oid(&oid::RC2_WRAP)])), ..good() },
            "enc.unsupported",
        ),
        (
            "unknown scheme",
            Agreement { algorithm: der::sequence(&[&der::oid(&oid::ECDH)]), ..good() },
            "enc.unsupported",
        ),
        ("another curve is named", with(originator_key(&der::oid(&oid::P384), &point(&sender.key))), "enc.refused"),
        ("another kind of key", with(montgomery), "enc.refused"),
        ("static, certificate missing", with(issuer_and_serial(&Takes::P256.holder("stranger"))), "enc.refused"),
        ("wrapped key longer than any", wrapped(&[1; 4096]), "enc.refused"),
        // Behind the key, all alike: an invalid point tells nothing about the private key (CVE-2026-28389).
        ("point beside the curve", with(originator_key(&[], &beside)), "enc.failed"),
        ("point at infinity", with(originator_key(&[], &[0])), "enc.failed"),
        ("point cut", with(originator_key(&[], &point(&sender.key)[..40])), "enc.failed"),
        ("wrapped key of another", wrapped(&[1; 24]), "enc.failed"),
        ("wrapped key empty", wrapped(&[]), "enc.failed"),
        ("keying material changed", Agreement { ukm: Some(b"x".to_vec()), ..good() }, "enc.failed"),
    ] {
        let (.., factory) = content();
        let found = opened(&factory.recipient(agreement.der()), &holding([Takes::P256.holder("reader")]));
        assert_outcome(flaw, found, code);
    }
    // A secret that is all zeros is refused: RFC 8418 §2.
    let reader = Takes::X25519.holder("reader");
    let scheme = KeyAgreement::new(Derivation::Hkdf(Digest::Sha256), KeyWrap::Aes128);
    let small = Agreement {
        originator: der::context(1, &[&der::sequence(&[&der::oid(&oid::X25519)]), &der::bit_string(&[0; 32])]),
        ukm: None,
        algorithm: scheme.identifier().unwrap().to_der(),
        keys: vec![der::sequence(&[&issuer_and_serial(&reader), &der::octet_string(&[1; 24])])],
    };
    let (.., factory) = content();
    let found = opened(&factory.recipient(small.der()), &holding([Takes::X25519.holder("reader")]));
    assert_outcome("small order", found, "enc.failed");
}

/// A wrong key gives a padding that looks right once in 256 times; never the content.
fn assert_outcome(flaw: &str, found: Result<Vec<u8>, String>, code: &str) {
    match found {
        Ok(plain) => {
            assert!((code == "enc.failed" && plain != CONTENT) || (code.is_empty() && plain == CONTENT), "{flaw}")
        }
        Err(said) => assert_eq!(said, code, "{flaw}"),
    }
}

#[test]
fn passwords_are_read_within_bounds() {
    let (key, ..) = content();
    let derivation = PasswordDerivation::new(Digest::Sha1, b"salt", 2048).unwrap();
    let cipher = ContentEncryption::new(Cipher::Aes256Cbc, &[9; 16]).unwrap();
    let stretched = kakitome_pki::crypto::PasswordKey::derive(&derivation, &cipher, b"open sesame").unwrap();
    let wrapped = stretched.wrap(&key, &SystemRandom).unwrap();
    let implicit = |identifier: Vec<u8>| [&[0xa0], &identifier[1..]].concat();
    let pbkdf2 = |rounds: u32| {
        let parameters = der::sequence(&[&der::octet_string(b"salt"), &der::unsigned(&rounds.to_be_bytes())]);
        implicit(der::sequence(&[&der::oid(&oid::PBKDF2), &parameters]))
    };
    let good = || implicit(derivation.identifier().to_der());
    let kek = |algorithm: &[u8]| der::sequence(&[&der::oid(&oid::PWRI_KEK), algorithm]);
    let by = password_wrap_identifier(&cipher).to_der();
    let gcm = ContentEncryption::new(Cipher::Aes256Gcm, &[9; 12]).unwrap().identifier().to_der();
    for (flaw, derivation, wrap, wrapped, code) in [
        ("none", good(), by.clone(), wrapped.clone(), ""),
        ("rounds beyond any", pbkdf2(1_000_000_000), by.clone(), wrapped.clone(), "enc.refused"),
        ("no rounds", pbkdf2(0), by.clone(), wrapped.clone(), "enc.refused"),
        ("no derivation", Vec::new(), by.clone(), wrapped.clone(), "enc.unsupported"),
        (
            "derivation without parameters",
            implicit(der::sequence(&[&der::oid(&oid::PBKDF2)])),
            by.clone(),
            wrapped.clone(),
            "enc.refused",
        ),
        ("wrap without parameters", good(), kek(&[]), wrapped.clone(), "enc.refused"),
        ("wrap is no block cipher mode", good(), kek(&gcm), wrapped.clone(), "enc.unsupported"),
        ("wrapped key longer than any", good(), by.clone(), vec![1; 4096], "enc.refused"),
        ("wrapped key cut", good(), by.clone(), wrapped[..16].to_vec(), "enc.failed"),
        ("wrapped key empty", good(), by.clone(), Vec::new(), "enc.failed"),
    ] {
        let (.., factory) = content();
        let info = der::context(3, &[&der::unsigned(&[0]), &derivation, &wrap, &der::octet_string(&wrapped)]);
        let mut keys = holding([]);
        keys.hold_password(Zeroizing::new(b"open sesame".to_vec()));
        assert_outcome(flaw, opened(&factory.version(3).recipient(info), &keys), code);
    }
}

#[test]
fn other_kinds_are_passed_over() {
    let (sender, reader) = (Takes::P256.holder("sender"), Takes::P256.holder("reader"));
    let name = issuer_and_serial(&reader);
    let good = agreement(&sender, &[(name, &reader)], Derivation::X963(Digest::Sha256), None).der();
    let other = der::context(4, &[&der::oid(&oid::RECEIPT), &der::sequence(&[&der::unsigned(&[1])])]);
    let cut = der::context(2, &[&der::unsigned(&[4])]);
    let unknown = der::context(9, &[&der::unsigned(&[1])]);
    let (.., factory) = content();
    let factory = [other, cut, unknown, good].into_iter().fold(factory.version(3), EnvelopeFactory::recipient);
    assert_eq!(opened(&factory, &holding([Takes::P256.holder("reader")])).as_deref(), Ok(CONTENT));
}
