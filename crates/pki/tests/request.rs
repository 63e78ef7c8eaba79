//! Certification requests: made for every kind of key that signs, read again, and refused by name where they are hostile.
//! What others read of ours is asked in the matrix of the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::address::Address;
use kakitome_pki::algorithm::{MlDsa, MlKem};
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::file::{Kind, kind};
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::request::Request;
use kakitome_pki::crypto::{
    DecryptionKey, KeyForm, KeyKind, Material, NoKey, SigningKey, Unverified, as_pkcs8, outline_private_key,
};
use kakitome_pki::issue::{NotIssued, RequestDraft};
use kakitome_testkit::{ed25519_key, key, weak_spki};

fn subject() -> Name {
    Name::build(&[(oid::ORGANIZATION, "例示銀行"), (oid::COMMON_NAME, "例示 太郎")])
}

fn mailboxes() -> Vec<Address> {
    ["taro@bank.example", "例示@bank.example"].iter().map(|text| Address::parse(text).unwrap()).collect()
}

#[test]
fn requests_are_read_as_they_were_made() {
    for (kind_of_key, usage) in [
        (KeyKind::Rsa2048, &["digitalSignature", "keyEncipherment"][..]),
        (KeyKind::P256, &["digitalSignature", "keyAgreement"]),
        (KeyKind::P384, &["digitalSignature", "keyAgreement"]),
        (KeyKind::P521, &["digitalSignature", "keyAgreement"]),
        (KeyKind::Ed25519, &["digitalSignature"]),
        (KeyKind::MlDsa(MlDsa::MlDsa65), &["digitalSignature"]),
    ] {
        let key = SigningKey::generate(kind_of_key).unwrap();
        let raw = RequestDraft::new(&subject(), &mailboxes(), key.spki()).unwrap().sign(&key).unwrap();
        assert_eq!(kind(&raw), Some(Kind::Request));
        let request = Request::parse(&raw).unwrap();
        assert_eq!((request.subject(), request.spki()), (&subject(), key.spki()));
        assert_eq!(request.extensions().mailboxes().collect::<Vec<_>>(), ["taro@bank.example", "例示@bank.example"]);
        assert_eq!(request.extensions().key_usage.unwrap().names(), usage);
        assert_eq!(request.verify_signature(), Ok(key.algorithm()), "{kind_of_key:?}");
        let mut changed = raw;
        *changed.last_mut().unwrap() ^= 1;
        assert!(Request::parse(&changed).unwrap().verify_signature().is_err(), "{kind_of_key:?}");
    }
}

#[test]
fn keys_that_cannot_sign_are_told_so() {
    for kind_of_key in [KeyKind::X25519, KeyKind::MlKem(MlKem::MlKem768)] {
        let (key, _) = DecryptionKey::generate(kind_of_key).unwrap();
        let refused = RequestDraft::new(&subject(), &mailboxes(), key.spki()).unwrap_err();
        assert!(matches!(refused, NotIssued::CannotSign(_)), "{refused}");
    }
    assert!(matches!(RequestDraft::new(&subject(), &[], &weak_spki()), Err(NotIssued::Key(_))));
    let draft = RequestDraft::new(&subject(), &[], key("one").spki()).unwrap();
    assert_eq!(draft.sign(key("another")), Err(NotIssued::Signature));
}

fn request(version: u8, attributes: &[&[u8]], more: &[u8]) -> Vec<u8> {
    let key = ed25519_key("request");
    let signed = der::sequence(&[
        &der::unsigned(&[version]),
        subject().raw(),
        key.spki(),
        &der::element(tag::context_constructed(0), attributes),
        more,
    ]);
    let signature = key.sign(key.algorithm(), &signed).unwrap();
    der::sequence(&[&signed, &key.algorithm().identifier().unwrap().to_der(), &der::bit_string(&signature)])
}

fn attribute(kind: &Oid, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(kind), &der::element(tag::SET, &[value])])
}

#[test]
fn a_hostile_request_is_refused_by_name() {
    let password = attribute(&oid::CHALLENGE_PASSWORD, &der::utf8("secret"));
    let usage = der::sequence(&[&der::oid(&oid::KEY_USAGE), &der::octet_string(&der::named_bits(&[0]))]);
    let asked = attribute(&oid::EXTENSION_REQUEST, &der::sequence(&[&usage]));
    let asked_too = attribute(&oid::MICROSOFT_EXTENSION_REQUEST, &der::sequence(&[&usage]));
    let twice = attribute(&oid::EXTENSION_REQUEST, &der::sequence(&[&usage, &usage]));
    let many: Vec<Vec<u8>> =
        (0..65).map(|number| attribute(&format!("1.2.3.{number}").parse().unwrap(), der::NULL)).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let good = Request::parse(&request(0, &[&password, &asked], &[])).unwrap();
    assert_eq!(good.attributes(), [oid::CHALLENGE_PASSWORD, oid::EXTENSION_REQUEST]);
    assert!(good.verify_signature().is_ok());
    for (raw, why) in [
        (request(1, &[], &[]), "a certificate request is of an unknown version"),
        (request(0, &[&password, &password], &[]), "the same attribute stands twice"),
        (request(0, &[&asked, &asked_too], &[]), "extensions are requested twice"),
        (request(0, &[&twice], &[]), "the same extension stands twice"),
        (request(0, &many, &[]), "a certificate request has more than 64 attributes"),
        (request(0, &[], der::NULL), "something follows where nothing may"),
        (vec![0x30; 300_000], "a certificate request is larger than 256 KiB"),
    ] {
        assert_eq!(Request::parse(&raw).map(|_| ()).map_err(|malformed| malformed.what), Err(why));
    }
    // An RSA signature under an Ed25519 key.
    let mut raw = request(0, &[], &[]);
    let named = der::oid(&oid::ED25519);
    let at = raw.windows(named.len()).rposition(|window| window == named).unwrap();
    raw[at + named.len() - 1] = 0x6e;
    assert_eq!(Request::parse(&raw).unwrap().verify_signature(), Err(Unverified::Unsupported));
}

/// `SEQUENCE { 0, algorithm, key }`.
fn pkcs8(algorithm: &Oid, key: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::unsigned(&[0]), &der::sequence(&[&der::oid(algorithm)]), &der::octet_string(key)])
}

#[test]
fn private_keys_are_told_without_their_secret() {
    for (kind_of_key, name) in [(KeyKind::Rsa2048, "RSA 2048"), (KeyKind::P384, "P-384"), (KeyKind::Ed25519, "Ed25519")]
    {
        let key = SigningKey::generate(kind_of_key).unwrap();
        let told = outline_private_key(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!((told.form, told.kind.as_str(), told.public), (KeyForm::Pkcs8, name, Ok(key.spki().to_vec())));
    }
    // The forms inside PKCS#8 by themselves, and put into it again.
    for (kind_of_key, form) in [(KeyKind::Rsa2048, KeyForm::Pkcs1), (KeyKind::P256, KeyForm::Sec1)] {
        let key = SigningKey::generate(kind_of_key).unwrap();
        let whole = key.to_pkcs8().unwrap();
        let mut inside = kakitome_pki::asn1::der::Der::only(&whole).unwrap().inside();
        let (_, _, bare) = (inside.element().unwrap(), inside.element().unwrap(), inside.element().unwrap().value);
        assert_eq!(outline_private_key(bare).unwrap().form, form);
        let again = as_pkcs8(bare).unwrap();
        assert_eq!(outline_private_key(&again).unwrap().public, Ok(key.spki().to_vec()));
    }
    for kem in MlKem::ALL {
        let (key, seed) = DecryptionKey::generate(KeyKind::MlKem(kem)).unwrap();
        let told = outline_private_key(&seed).unwrap();
        assert_eq!((told.material, told.public), (Some(Material::Seed), Ok(key.spki().to_vec())));
        let both = der::sequence(&[&der::octet_string(&[1; 64]), &der::octet_string(&[2; 3168])]);
        let told = outline_private_key(&pkcs8(&kem.oid(), &both)).unwrap();
        assert_eq!((told.material, told.public), (Some(Material::Both), Err(NoKey::Disagrees)));
    }
    let both = der::sequence(&[&der::octet_string(&[1; 32]), &der::octet_string(&[2; 2560])]);
    let told = outline_private_key(&pkcs8(&oid::ML_DSA_44, &both)).unwrap();
    assert_eq!((told.material, told.public), (Some(Material::Both), Err(NoKey::Disagrees)));
    let told = outline_private_key(&pkcs8(&oid::X448, &der::octet_string(&[1; 56]))).unwrap();
    assert_eq!((told.kind.as_str(), told.public), ("X448", Err(NoKey::Unknown)));
    assert_eq!(outline_private_key(b"no key"), None);
    // A public half that is another key's.
    let [one, other] = [(); 2].map(|()| SigningKey::generate(KeyKind::P256).unwrap());
    let (one, other) = (one.to_pkcs8().unwrap(), other.spki().to_vec());
    let mut mixed = one.to_vec();
    let at = mixed.len() - 64;
    mixed[at..].copy_from_slice(&other[other.len() - 64..]);
    assert_eq!(outline_private_key(&mixed).unwrap().public, Err(NoKey::Refused));
}
