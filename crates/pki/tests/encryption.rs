//! Content keys on their way to a recipient and back: transport, agreement, wrapping, passwords.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::algorithm::{
    Cipher, ContentEncryption, Derivation, Digest, KeyAgreement, KeyEncapsulation, KeyTransport, KeyWrap, MlKem,
    PasswordDerivation,
};
use kakitome_pki::crypto::{
    ContentKey, DecryptionKey, EphemeralKey, KeyEncryptionKey, KeyKind, PasswordKey, PublicKey, SystemRandom,
};

fn decryption_key(kind: KeyKind) -> (DecryptionKey, PublicKey) {
    let (made, pkcs8) = DecryptionKey::generate(kind).unwrap();
    let key = DecryptionKey::from_der(&pkcs8).unwrap();
    assert_eq!(key.spki(), made.spki());
    let public = PublicKey::parse(key.spki()).unwrap();
    assert_eq!(key.public(), &public);
    (key, public)
}

fn content_key(cipher: Cipher) -> ContentKey {
    ContentKey::generate(cipher, &SystemRandom).unwrap()
}

#[test]
fn what_was_encrypted_to_an_rsa_key_comes_back() {
    let (key, public) = decryption_key(KeyKind::Rsa2048);
    for transport in [
        KeyTransport::Pkcs1,
        KeyTransport::oaep(Digest::Sha1),
        KeyTransport::oaep(Digest::Sha256),
        KeyTransport::Oaep { hash: Digest::Sha512, mask: Digest::Sha1, label: b"label".to_vec() },
    ] {
        for cipher in Cipher::WRITTEN {
            let sent = content_key(cipher);
            let encrypted = public.transport(&transport, &sent).unwrap();
            let read = key.transport(&transport, &encrypted, cipher).unwrap();
            assert_eq!(read.octets(), sent.octets());
        }
        let encrypted = public.transport(&transport, &content_key(Cipher::Aes128Cbc)).unwrap();
        let (other, _) = decryption_key(KeyKind::Rsa2048);
        let lost = [
            other.transport(&transport, &encrypted, Cipher::Aes128Cbc),
            key.transport(&transport, &encrypted, Cipher::Aes256Cbc),
        ];
        // PKCS#1 v1.5 never says that it did not work, OAEP does.
        assert!(lost.iter().all(|lost| lost.is_ok() == (transport == KeyTransport::Pkcs1)));
    }
}

#[test]
fn a_wrong_pkcs1_ciphertext_gives_the_same_unknown_key_each_time() {
    let (key, public) = decryption_key(KeyKind::Rsa2048);
    let open = |encrypted: &[u8]| {
        let opened = key.transport(&KeyTransport::Pkcs1, encrypted, Cipher::Aes256Gcm);
        opened.unwrap().octets().to_vec()
    };
    let mut seen = Vec::new();
    let right = public.transport(&KeyTransport::Pkcs1, &content_key(Cipher::Aes256Gcm)).unwrap();
    let mut wrong = right.clone();
    wrong[200] ^= 1;
    let short = right.get(1..).unwrap_or_default();
    for encrypted in [&right, &wrong, short, &[0xff; 256], &[0; 256], &[][..]] {
        let opened = open(encrypted);
        assert_eq!(opened, open(encrypted));
        assert!(!seen.contains(&opened));
        seen.push(opened);
    }
}

#[test]
fn two_sides_agree_on_one_key() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::X25519] {
        let (key, public) = decryption_key(kind);
        for derivation in [
            Derivation::X963(Digest::Sha1),
            Derivation::X963(Digest::Sha256),
            Derivation::X963(Digest::Sha512),
            Derivation::Hkdf(Digest::Sha384),
        ] {
            let agreement = KeyAgreement::new(derivation, KeyWrap::Aes256);
            let info = agreement.wrap_identifier.to_der();
            let ephemeral = EphemeralKey::generate(&public).unwrap();
            let sender = ephemeral.agree(&public, &agreement, &info, Some(b"ukm")).unwrap();
            let sent = content_key(Cipher::Aes256Gcm);
            let wrapped = sender.wrap(&sent).unwrap();
            let unwrap = |ukm: Option<&[u8]>| {
                let read = key.agree(ephemeral.public(), &agreement, &info, ukm).unwrap();
                read.unwrap(&wrapped, Cipher::Aes256Gcm).map(|key| key.octets().to_vec())
            };
            assert_eq!(unwrap(Some(b"ukm")).as_deref(), Ok(sent.octets()));
            assert!(unwrap(None).is_err());
            for other in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::X25519] {
                let (other_key, other_public) = decryption_key(other);
                let agrees = other_key.agree(ephemeral.public(), &agreement, &info, None).is_ok();
                assert_eq!(agrees, other == kind);
                assert_eq!(ephemeral.agree(&other_public, &agreement, &info, None).is_ok(), other == kind);
            }
        }
    }
}

#[test]
fn wrapped_keys_come_back() {
    for wrap in [KeyWrap::Aes128, KeyWrap::Aes192, KeyWrap::Aes256] {
        let kek = KeyEncryptionKey::new(wrap, &vec![7; wrap.key_len()]).unwrap();
        for cipher in Cipher::WRITTEN {
            let sent = content_key(cipher);
            let mut wrapped = kek.wrap(&sent).unwrap();
            assert_eq!(kek.unwrap(&wrapped, cipher).unwrap().octets(), sent.octets());
            wrapped[9] ^= 1;
            assert!(kek.unwrap(&wrapped, cipher).is_err());
        }
    }
}

#[test]
fn a_password_opens_what_it_closed() {
    let derivation = PasswordDerivation::new(Digest::Sha256, b"salt", 1000).unwrap();
    for kek_cipher in [Cipher::Aes128Cbc, Cipher::Aes192Cbc, Cipher::Aes256Cbc] {
        let wrap = ContentEncryption::generate(kek_cipher, &SystemRandom).unwrap();
        let key = PasswordKey::derive(&derivation, &wrap, b"correct horse").unwrap();
        let other = PasswordKey::derive(&derivation, &wrap, b"battery staple").unwrap();
        for cipher in Cipher::WRITTEN {
            let sent = content_key(cipher);
            let wrapped = key.wrap(&sent, &SystemRandom).unwrap();
            assert_eq!(key.unwrap(&wrapped, cipher).unwrap().octets(), sent.octets());
            assert!(other.unwrap(&wrapped, cipher).is_err());
        }
    }
}

#[test]
fn a_key_is_encapsulated_to_one_holder() {
    for kem in MlKem::ALL {
        let (key, public) = decryption_key(KeyKind::MlKem(kem));
        let (other, _) = decryption_key(KeyKind::MlKem(kem));
        for hash in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
            let encapsulation = KeyEncapsulation { hash, ..KeyEncapsulation::new(kem, KeyWrap::Aes256) };
            let info = encapsulation.wrap_identifier.to_der();
            let (mut ciphertext, sender) = public.encapsulate(&encapsulation, &info, Some(b"ukm")).unwrap();
            assert_eq!(ciphertext.len(), kem.ciphertext_len());
            let sent = content_key(Cipher::Aes256Gcm);
            let wrapped = sender.wrap(&sent).unwrap();
            let open = |key: &DecryptionKey, ciphertext: &[u8], ukm: Option<&[u8]>| {
                let opened = key.decapsulate(ciphertext, &encapsulation, &info, ukm).unwrap();
                opened.unwrap(&wrapped, Cipher::Aes256Gcm).map(|key| key.octets().to_vec())
            };
            assert_eq!(open(&key, &ciphertext, Some(b"ukm")).as_deref(), Ok(sent.octets()));
            assert!(open(&key, &ciphertext, None).is_err());
            assert!(open(&other, &ciphertext, Some(b"ukm")).is_err());
            ciphertext[40] ^= 1;
            assert!(open(&key, &ciphertext, Some(b"ukm")).is_err());
            assert!(key.decapsulate(&ciphertext[1..], &encapsulation, &info, None).is_err());
        }
    }
}
