//! PKCS#12 as it is written: it opens again, says how it is protected, and costs no more than its limits. What others
//! made is asked about in `vectors`, what others read of ours in the matrix of the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest, PasswordDerivation};
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::pkcs12::{Contents, Form, Held, NotRead, NotWritten, Protection, open, outline, write};
use kakitome_pki::crypto::{KeyKind, PasswordEncryption, SigningKey, SystemRandom};
use kakitome_testkit::{Authority, BANK, CertificateFactory, Pki};

const PASSWORD: &str = "とても長いパスワード🔑";

/// A certificate for a new key of this kind, and the key.
fn made(kind: KeyKind) -> (Certificate, SigningKey, Authority) {
    let issuer = Pki::get().se.clone();
    let key = SigningKey::generate(kind).unwrap();
    let certificate =
        CertificateFactory::signer(BANK, &["info@bank.example"], "any").spki(key.spki()).issued_by(&issuer);
    (certificate, key, issuer)
}

#[test]
fn what_was_written_opens_with_its_password_alone() {
    for (form, kind) in [
        (Form::Modern, KeyKind::Rsa2048),
        (Form::Modern, KeyKind::Ed25519),
        (Form::Compatible, KeyKind::P256),
        (Form::Compatible, KeyKind::P521),
    ] {
        let (certificate, key, issuer) = made(kind);
        let pkcs8 = key.to_pkcs8().unwrap();
        let chain = [issuer.certificate.clone(), certificate.clone()];
        let contents =
            Contents { key: &pkcs8, certificate: &certificate, chain: &chain, friendly_name: "例示銀行 info" };
        let file = write(&contents, PASSWORD, form, None, &SystemRandom).unwrap();

        let opened = open(&file, PASSWORD).unwrap();
        assert_eq!(opened.keys().map(|key| key.to_vec()).collect::<Vec<_>>(), [pkcs8.to_vec()]);
        let certificates: Vec<&[u8]> = opened.certificates().collect();
        assert_eq!(certificates, [certificate.raw(), issuer.certificate.raw()], "its own first, nothing twice");
        let of = |wanted: fn(&Held) -> bool| opened.bags.iter().find(|bag| wanted(&bag.held)).unwrap();
        let (own, its) = (of(|held| matches!(held, Held::Certificate(_))), of(|held| matches!(held, Held::Key(..))));
        assert_eq!(own.friendly_name.as_deref(), Some("例示銀行 info"));
        assert_eq!((&own.friendly_name, &own.local_key_id), (&its.friendly_name, &its.local_key_id));
        assert_eq!(open(&file, "password").unwrap_err(), NotRead::Password);

        let told: Vec<(String, Option<u32>)> =
            outline(&file).unwrap().iter().map(|one| (one.name(), one.rounds())).collect();
        let (encryption, integrity, rounds) = match form {
            Form::Modern => ("AES-256-CBC, PBKDF2 with HMAC-SHA-256", "HMAC-SHA-256, PKCS#12 derivation", 600_000),
            Form::Compatible => ("3DES-CBC, PKCS#12 derivation with SHA-1", "HMAC-SHA-1, PKCS#12 derivation", 100_000),
        };
        let row = |name: &str| (name.to_owned(), Some(rounds));
        assert_eq!(told, [row(integrity), row(encryption), row(encryption)]);

        // Every octet is under the integrity check, or part of it.
        for at in (file.len() / 8..file.len()).step_by(file.len() / 2) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(open(&changed, PASSWORD).is_err(), "{form:?}, octet {at}");
        }
    }
}

#[test]
fn what_makes_no_good_file_is_not_written() {
    let (certificate, key, _) = made(KeyKind::P256);
    let pkcs8 = key.to_pkcs8().unwrap();
    let other = SigningKey::generate(KeyKind::P256).unwrap().to_pkcs8().unwrap();
    let contents = Contents { key: &pkcs8, certificate: &certificate, chain: &[], friendly_name: "" };
    let refused = |contents: &Contents<'_>, password, form, rounds| {
        write(contents, password, form, rounds, &SystemRandom).unwrap_err()
    };
    assert_eq!(refused(&contents, "", Form::Modern, None), NotWritten::NoPassword);
    assert_eq!(refused(&contents, "x", Form::Modern, Some(599_999)), NotWritten::Rounds);
    assert_eq!(refused(&contents, "x", Form::Compatible, Some(99_999)), NotWritten::Rounds);
    assert_eq!(refused(&contents, "x", Form::Modern, Some(10_000_001)), NotWritten::Rounds);
    let mismatched = Contents { key: &other, ..contents };
    assert_eq!(refused(&mismatched, "x", Form::Modern, None), NotWritten::OtherKey);
    let none = Contents { key: b"no key", ..contents };
    assert!(matches!(refused(&none, "x", Form::Modern, None), NotWritten::Key(_)));
}

/// A PFX around these ContentInfos, without an integrity check.
fn pfx(infos: &[Vec<u8>]) -> Vec<u8> {
    let infos: Vec<&[u8]> = infos.iter().map(Vec::as_slice).collect();
    der::sequence(&[&der::unsigned(&[3]), &data(&der::sequence(&infos))])
}

fn data(octets: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(&oid::DATA), &der::context(0, &[&der::octet_string(octets)])])
}

fn encrypted(by: &AlgorithmIdentifier, octets: &[u8]) -> Vec<u8> {
    let content = der::sequence(&[&der::oid(&oid::DATA), &by.to_der(), &der::element(0x80, &[octets])]);
    let content = der::sequence(&[&der::unsigned(&[0]), &content]);
    der::sequence(&[&der::oid(&oid::ENCRYPTED_DATA), &der::context(0, &[&content])])
}

fn bag(kind: kakitome_pki::asn1::Oid, value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(&kind), &der::context(0, &[value])])
}

fn pbes2(rounds: u32) -> AlgorithmIdentifier {
    let derivation = PasswordDerivation::new(Digest::Sha256, b"salt", rounds).unwrap();
    let cipher = der::sequence(&[&der::oid(&oid::AES256_CBC), &der::octet_string(&[7; 16])]);
    let parameters = Some(der::sequence(&[&derivation.identifier().to_der(), &cipher]));
    AlgorithmIdentifier { oid: oid::PBES2, parameters }
}

#[test]
fn a_hostile_file_is_refused_by_name_before_it_costs_anything() {
    let nested = (0..6).fold(der::sequence(&[]), |inside, _| der::sequence(&[&bag(oid::SAFE_CONTENTS_BAG, &inside)]));
    let many = vec![bag(oid::SECRET_BAG, &der::sequence(&[])); 10_001];
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let rc4 = AlgorithmIdentifier { oid: oid::PBE_SHA1_RC4_128, parameters: Some(der::sequence(&[])) };
    let signed = der::sequence(&[&der::oid(&oid::SIGNED_DATA), &der::context(0, &[&der::sequence(&[])])]);
    let enveloped = der::sequence(&[&der::oid(&oid::ENVELOPED_DATA), &der::context(0, &[&der::sequence(&[])])]);
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "an element is cut short"),
        (der::sequence(&[&der::unsigned(&[2])]), "not of version 3"),
        (der::sequence(&[&der::unsigned(&[3]), &signed]), "a signature in place of a password"),
        (pfx(&[enveloped]), "encryption to a key in place of a password"),
        (pfx(&[data(&nested)]), "bags of a PFX nest too deep"),
        (pfx(&[data(&der::sequence(&many))]), "more than 10,000 things"),
        (pfx(&[encrypted(&rc4, &[0; 16])]), "RC4"),
        (pfx(&vec![encrypted(&pbes2(10_000_000), &[0; 15]); 5]), "the password is wrong"),
        ([pfx(&[]), vec![0]].concat(), "something follows"),
        (vec![0x30; 17 * 1024 * 1024], "longer than 16 MiB"),
    ];
    for (file, why) in rows {
        let told = open(&file, "x").unwrap_err().to_string();
        assert!(told.contains(why), "{told:?}, not {why:?}");
    }
    // Five parts of ten million rounds each: the outline says no before any of them is stretched.
    let told = outline(&pfx(&vec![encrypted(&pbes2(10_000_000), &[0; 16]); 5])).unwrap_err().to_string();
    assert!(told.contains("more rounds than a file may ask for"), "{told}");
    let told = outline(&pfx(&[encrypted(&rc4, &[0; 16])])).unwrap();
    assert!(matches!(&told[..], [Protection::Unknown(name)] if name.contains("RC4")), "{told:?}");
    // Without an integrity check and without encryption there is nothing to be wrong about.
    assert!(open(&pfx(&[]), "anything").unwrap().bags.is_empty());
}

#[test]
fn the_empty_password_opens_in_both_of_its_forms() {
    // What OpenSSL writes with -passout pass: has the two zero octets; Windows leaves them out. Ours reads both, and the
    // only way to make the other here is the scheme itself.
    let by = PasswordEncryption::compatible(1000, &SystemRandom).unwrap();
    let list = bag(oid::SECRET_BAG, &der::sequence(&[]));
    let contents = by.encrypt(&kakitome_pki::crypto::Password::new(""), &der::sequence(&[&list])).unwrap();
    let file = pfx(&[encrypted(&by.identifier(), &contents)]);
    assert_eq!(open(&file, "").unwrap().bags.len(), 1);
    assert!(open(&file, "x").is_err());
}
