//! Recipient infos that are the same in every run: the library draws the padding of RSA and the ephemeral key of an
//! agreement for each mail, and the corpus is not to change with them.

use std::io::Write as _;

use kakitome_pki::algorithm::{Cipher, Derivation, Digest, KeyAgreement, KeyTransport, KeyWrap};
use kakitome_pki::asn1::{oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{ContentKey, Curve, DecryptionKey, PublicKey};
use kakitome_smime::cms::content::{Object, read};
use kakitome_smime::cms::enveloped::{Envelope, Enveloped};
use kakitome_smime::cms::reader::Reader;
use kakitome_smime::cms::recipient::{Naming, Recipient};
use kakitome_smime::octets::InMemory;

use crate::envelope::{EnvelopeFactory, Takes, key_transport};
use crate::{FixedRandom, NOW, RawRsa};

/// Encrypted to these readers as the engine does it, and the same in every run but for ML-KEM, whose encapsulation the
/// library draws.
pub fn sealed(readers: &[Certificate], cipher: Cipher, content: &[u8]) -> Vec<u8> {
    let recipient = |reader| Recipient::certificate(reader, KeyTransport::Pkcs1, Naming::default(), NOW);
    let recipients: Vec<Recipient> = readers.iter().map(|reader| recipient(reader).expect("a reader")).collect();
    let envelope = Envelope::new(&recipients, cipher, &FixedRandom).expect("recipients");
    let mut sealing = envelope.begin(content.len() as u64, Vec::new()).expect("memory takes it");
    sealing.write_all(content).expect("memory takes it");
    Pieces::of(&sealing.finish().expect("memory takes it"), readers).whole().der()
}

/// An encrypted object in pieces, to be put together with one flaw, or with none.
pub struct Pieces {
    factory: EnvelopeFactory,
    /// The recipient infos.
    pub infos: Vec<Vec<u8>>,
    /// The encrypted content.
    pub encrypted: Vec<u8>,
    /// The message authentication code.
    pub mac: Vec<u8>,
    /// The content-encryption algorithm.
    pub algorithm: Vec<u8>,
}

impl Pieces {
    /// Takes an object apart that the engine wrote to these readers with [`FixedRandom`], and gives it recipient infos
    /// that are the same in every run.
    pub fn of(object: &[u8], readers: &[Certificate]) -> Self {
        let parsed = parsed(object);
        let cipher = parsed.encryption().expect("a cipher of ours").cipher();
        let length = usize::try_from(parsed.encrypted_len().expect("an end")).expect("it is in memory");
        let behind = if cipher.is_authenticated() { 18 } else { 0 };
        let kind = if cipher.is_authenticated() { oid::AUTH_ENVELOPED_DATA } else { oid::ENVELOPED_DATA };
        let key = ContentKey::generate(cipher, &FixedRandom).expect("octets");
        let infos = readers.iter().zip(infos(object)).map(|(reader, drawn)| info(reader, &key).unwrap_or(drawn));
        let is_plain = readers.iter().all(|reader| matches!(reader.key(), PublicKey::Rsa { .. }));
        let has_other = readers.iter().any(|reader| matches!(reader.key(), PublicKey::MlKem(..)));
        let version = match () {
            () if cipher.is_authenticated() || is_plain => 0,
            () if has_other => 3,
            () => 2,
        };
        Self {
            factory: EnvelopeFactory::new(kind).version(version),
            infos: infos.collect(),
            encrypted: object[object.len() - length - behind..object.len() - behind].to_vec(),
            mac: parsed.mac.clone(),
            algorithm: parsed.algorithm.to_der(),
        }
    }

    /// All of it.
    pub fn whole(&self) -> EnvelopeFactory {
        self.infos.iter().fold(self.bare(), |factory, info| factory.recipient(info.clone()))
    }

    /// The same content with another recipient info.
    pub fn around(&self, info: &[u8]) -> EnvelopeFactory {
        self.bare().recipient(info.to_vec())
    }

    fn bare(&self) -> EnvelopeFactory {
        let factory = self.factory.clone().algorithm(self.algorithm.clone());
        factory.content(Some(&self.encrypted)).mac(&self.mac)
    }

    /// With one octet changed: at this place of the content, from its end.
    pub fn flipped(&self, from_end: usize) -> EnvelopeFactory {
        let mut encrypted = self.encrypted.clone();
        let at = encrypted.len() - from_end;
        encrypted[at] ^= 1;
        self.whole().content(Some(&encrypted))
    }
}

fn parsed(object: &[u8]) -> Box<Enveloped> {
    match read(&object.to_vec(), &InMemory).expect("memory is read") {
        Object::Enveloped(enveloped) => enveloped,
        _ => panic!("nothing encrypted"),
    }
}

fn infos(object: &[u8]) -> Vec<Vec<u8>> {
    let octets = object.to_vec();
    let step = "an object of ours";
    let mut info = Reader::new(&octets).enter(tag::SEQUENCE, step).expect(step);
    info.skip().expect(step);
    let mut object = info.enter(0xa0, step).expect(step).enter(tag::SEQUENCE, step).expect(step);
    object.skip().expect(step);
    let mut set = object.enter(tag::SET, step).expect(step);
    std::iter::from_fn(|| set.capture(100_000, step).ok().flatten().map(|one| one.der.into_owned())).collect()
}

/// For one reader; `None` for ML-KEM.
fn info(reader: &Certificate, key: &ContentKey) -> Option<Vec<u8>> {
    let (takes, derivation) = match reader.key() {
        PublicKey::Rsa { .. } => {
            let encrypted = RawRsa::encrypting(reader.spki()).encrypt(key.octets());
            return Some(key_transport(reader, None, &encrypted));
        }
        PublicKey::Ec { curve: Curve::P256, .. } => (Takes::P256, Derivation::X963(Digest::Sha256)),
        PublicKey::Ec { curve: Curve::P384, .. } => (Takes::P384, Derivation::X963(Digest::Sha384)),
        PublicKey::Ec { curve: Curve::P521, .. } => (Takes::P521, Derivation::X963(Digest::Sha512)),
        PublicKey::X25519(_) => (Takes::X25519, Derivation::Hkdf(Digest::Sha256)),
        _ => return None,
    };
    let scheme = KeyAgreement::new(derivation, KeyWrap::for_cipher(key.cipher()));
    let ephemeral = DecryptionKey::from_der(&takes.key_der("ephemeral")).expect("a key");
    let agreed = ephemeral.agree(reader.key(), &scheme, &scheme.wrap_identifier.to_der(), None).expect("one curve");
    let (kind, point) = match ephemeral.public() {
        PublicKey::Ec { point, .. } => (oid::EC_PUBLIC_KEY, point),
        PublicKey::X25519(octets) => (oid::X25519, octets),
        _ => return None,
    };
    let public = der::context(1, &[&der::sequence(&[&der::oid(&kind)]), &der::bit_string(point)]);
    let serial = der::element(tag::INTEGER, &[reader.serial()]);
    let named = der::sequence(&[reader.issuer().raw(), &serial]);
    let wrapped = der::sequence(&[&named, &der::octet_string(&agreed.wrap(key).expect("a key is wrapped"))]);
    let algorithm = scheme.identifier().expect("a scheme has an identifier").to_der();
    let originator = der::context(0, &[&public]);
    Some(der::context(1, &[&der::unsigned(&[3]), &originator, &algorithm, &der::sequence(&[&wrapped])]))
}
