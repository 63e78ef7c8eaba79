//! How a content key reaches a recipient: transport, agreement, wrapping, passwords.

use super::{AlgorithmIdentifier, Cipher, ContentEncryption, Digest};
use crate::asn1::der::Der;
use crate::asn1::{Malformed, Oid, oid, tag, write};

/// A password is not stretched more often than this: a sender could keep the reader busy for hours.
pub const PBKDF2_ROUNDS_LIMIT: u32 = 10_000_000;

/// Key transport with RSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTransport {
    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2).
    Pkcs1,
    /// RSAES-OAEP (RFC 8017 §7.1, RFC 3560).
    Oaep {
        /// The hash of the label.
        hash: Digest,
        /// The hash of the mask generation function.
        mask: Digest,
        /// The label, mostly empty.
        label: Vec<u8>,
    },
}

impl KeyTransport {
    /// OAEP with one hash for everything and no label.
    pub const fn oaep(hash: Digest) -> Self {
        Self::Oaep { hash, mask: hash, label: Vec::new() }
    }

    /// Which transport an identifier names; `None` where this engine does not know it.
    ///
    /// # Errors
    /// Its parameters are malformed.
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        match identifier.oid {
            oid::RSA_ENCRYPTION if identifier.has_no_parameters() => Ok(Some(Self::Pkcs1)),
            oid::RSA_ENCRYPTION => Err(Malformed::new("a key transport has parameters where it has none")),
            oid::RSAES_OAEP => oaep(identifier.parameters.as_deref()),
            _ => Ok(None),
        }
    }

    /// As an identifier (RFC 3370 §4.2.1, RFC 4055 §4.1); what is the default is left out.
    pub fn identifier(&self) -> AlgorithmIdentifier {
        let Self::Oaep { hash, mask, label } = self else {
            return AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION);
        };
        let mut fields = Vec::new();
        if *hash != Digest::Sha1 {
            fields.push(write::context(0, &[&hash.identifier().to_der()]));
        }
        if *mask != Digest::Sha1 {
            fields.push(write::context(1, &[&mask.mask_generation().to_der()]));
        }
        if !label.is_empty() {
            let source = AlgorithmIdentifier { oid: oid::P_SPECIFIED, parameters: Some(write::octet_string(label)) };
            fields.push(write::context(2, &[&source.to_der()]));
        }
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        AlgorithmIdentifier { oid: oid::RSAES_OAEP, parameters: Some(write::sequence(&fields)) }
    }

    /// A name for people.
    pub fn name(&self) -> String {
        match self {
            Self::Pkcs1 => "RSA PKCS#1 v1.5".to_owned(),
            Self::Oaep { hash, mask, .. } if hash == mask => format!("RSAES-OAEP with {}", hash.name()),
            Self::Oaep { hash, mask, .. } => format!("RSAES-OAEP with {} and MGF1 {}", hash.name(), mask.name()),
        }
    }
}

/// RSAES-OAEP-params (RFC 4055 §4.1), every field with its default. `None` for a hash or function that is not known.
fn oaep(parameters: Option<&[u8]>) -> Result<Option<KeyTransport>, Malformed> {
    let (mut hash, mut mask, mut label) = (Some(Digest::Sha1), Some(Digest::Sha1), Vec::new());
    let parameters = parameters.ok_or(Malformed::new("RSAES-OAEP has no parameters"))?;
    let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, "RSAES-OAEP has no parameters")?.inside();
    if let Some(field) = inside.optional(tag::context_constructed(0))? {
        hash = Digest::from_identifier(&AlgorithmIdentifier::parse(&Der::only(field.value)?)?)?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(1))? {
        mask = Digest::from_mask_generation(&AlgorithmIdentifier::parse(&Der::only(field.value)?)?)?;
    }
    if let Some(field) = inside.optional(tag::context_constructed(2))? {
        let source = AlgorithmIdentifier::parse(&Der::only(field.value)?)?;
        let (oid::P_SPECIFIED, Some(value)) = (source.oid, source.parameters.as_deref()) else {
            return Err(Malformed::new("RSAES-OAEP names an unknown source of its label"));
        };
        label = Der::only(value)?.of(tag::OCTET_STRING, "RSAES-OAEP has no label")?.value.to_vec();
    }
    inside.finish()?;
    Ok(hash.zip(mask).map(|(hash, mask)| KeyTransport::Oaep { hash, mask, label }))
}

/// Wrapping of one key under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyWrap {
    /// RFC 3394 with a key of 128 bits.
    Aes128,
    /// RFC 3394 with a key of 192 bits.
    Aes192,
    /// RFC 3394 with a key of 256 bits.
    Aes256,
    /// RFC 3217 §3; read, never written.
    TripleDes,
}

impl KeyWrap {
    const ALL: [Self; 4] = [Self::Aes128, Self::Aes192, Self::Aes256, Self::TripleDes];

    /// Its object identifier.
    pub const fn oid(self) -> Oid {
        match self {
            Self::Aes128 => oid::AES128_WRAP,
            Self::Aes192 => oid::AES192_WRAP,
            Self::Aes256 => oid::AES256_WRAP,
            Self::TripleDes => oid::TRIPLE_DES_WRAP,
        }
    }

    /// Octets of the key-encryption key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }

    /// The wrap that is as strong as a content cipher (RFC 5753 §5: no weaker than what it carries).
    pub const fn for_cipher(cipher: Cipher) -> Self {
        match cipher {
            Cipher::Aes128Cbc | Cipher::Aes128Gcm => Self::Aes128,
            Cipher::Aes192Cbc | Cipher::Aes192Gcm => Self::Aes192,
            _ => Self::Aes256,
        }
    }

    /// Which wrap an identifier names; absent and NULL parameters mean the same. `None` where it is not known.
    ///
    /// # Errors
    /// It has parameters.
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        let Some(known) = Self::ALL.into_iter().find(|wrap| wrap.oid() == identifier.oid) else { return Ok(None) };
        if identifier.has_no_parameters() {
            Ok(Some(known))
        } else {
            Err(Malformed::new("a key wrap has parameters where it has none"))
        }
    }

    /// As an identifier: AES without parameters (RFC 3565 §2.3.2), 3DES with NULL (RFC 3370 §4.3.1).
    pub fn identifier(self) -> AlgorithmIdentifier {
        match self {
            Self::TripleDes => AlgorithmIdentifier::with_null(self.oid()),
            _ => AlgorithmIdentifier::plain(self.oid()),
        }
    }
}

/// How a shared secret becomes a key-encryption key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Derivation {
    /// The key derivation function of ANSI X9.63 (RFC 5753 §7.1.4).
    X963(Digest),
    /// HKDF (RFC 8418 §2.2), without salt.
    Hkdf(Digest),
}

/// The scheme of a key agreement: derivation, and the wrap for the key that is agreed on (RFC 5753 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAgreement {
    /// How the shared secret becomes a key.
    pub derivation: Derivation,
    /// Was the cofactor form named? On the curves known here, whose cofactor is 1, it computes the same.
    pub cofactor: bool,
    /// What wraps the content key.
    pub wrap: KeyWrap,
    /// The identifier of the wrap as it stands in the message: it goes into the derivation octet for octet.
    pub wrap_identifier: AlgorithmIdentifier,
}

const SCHEMES: [(Oid, Derivation, bool); 13] = [
    (oid::ECDH_SHA1_KDF, Derivation::X963(Digest::Sha1), false),
    (oid::ECDH_SHA224_KDF, Derivation::X963(Digest::Sha224), false),
    (oid::ECDH_SHA256_KDF, Derivation::X963(Digest::Sha256), false),
    (oid::ECDH_SHA384_KDF, Derivation::X963(Digest::Sha384), false),
    (oid::ECDH_SHA512_KDF, Derivation::X963(Digest::Sha512), false),
    (oid::COFACTOR_ECDH_SHA1_KDF, Derivation::X963(Digest::Sha1), true),
    (oid::COFACTOR_ECDH_SHA224_KDF, Derivation::X963(Digest::Sha224), true),
    (oid::COFACTOR_ECDH_SHA256_KDF, Derivation::X963(Digest::Sha256), true),
    (oid::COFACTOR_ECDH_SHA384_KDF, Derivation::X963(Digest::Sha384), true),
    (oid::COFACTOR_ECDH_SHA512_KDF, Derivation::X963(Digest::Sha512), true),
    (oid::ECDH_HKDF_SHA256, Derivation::Hkdf(Digest::Sha256), false),
    (oid::ECDH_HKDF_SHA384, Derivation::Hkdf(Digest::Sha384), false),
    (oid::ECDH_HKDF_SHA512, Derivation::Hkdf(Digest::Sha512), false),
];

impl KeyAgreement {
    /// The standard form, for writing.
    pub fn new(derivation: Derivation, wrap: KeyWrap) -> Self {
        Self { derivation, cofactor: false, wrap, wrap_identifier: wrap.identifier() }
    }

    /// Which scheme an identifier names; `None` where this engine does not know it, or not the wrap inside it.
    ///
    /// # Errors
    /// The parameters are no identifier of a key wrap.
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        let Some((_, derivation, cofactor)) = SCHEMES.into_iter().find(|(oid, ..)| *oid == identifier.oid) else {
            return Ok(None);
        };
        let parameters = identifier.parameters.as_deref();
        let parameters = parameters.ok_or(Malformed::new("a key agreement names no key wrap"))?;
        let wrap_identifier = AlgorithmIdentifier::parse(&Der::only(parameters)?)?;
        let wrap = KeyWrap::from_identifier(&wrap_identifier)?;
        Ok(wrap.map(|wrap| Self { derivation, cofactor, wrap, wrap_identifier }))
    }

    /// As an identifier; `None` for a derivation that has no name.
    pub fn identifier(&self) -> Option<AlgorithmIdentifier> {
        let (oid, ..) = SCHEMES
            .into_iter()
            .find(|(_, derivation, cofactor)| (*derivation, *cofactor) == (self.derivation, self.cofactor))?;
        Some(AlgorithmIdentifier { oid, parameters: Some(self.wrap_identifier.to_der()) })
    }

    /// A name for people.
    pub fn name(&self) -> String {
        let scheme = self.identifier().map_or_else(|| "ECDH".to_owned(), |identifier| oid::describe(&identifier.oid));
        format!("{scheme}, {}", oid::describe(&self.wrap.oid()))
    }
}

/// PBKDF2 (RFC 8018 §5.2) with its parameters; rounds are within [`PBKDF2_ROUNDS_LIMIT`] by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordDerivation {
    hash: Digest,
    salt: Vec<u8>,
    rounds: u32,
    key_len: Option<usize>,
}

const HMACS: [(Oid, Digest); 4] = [
    (oid::HMAC_SHA1, Digest::Sha1),
    (oid::HMAC_SHA256, Digest::Sha256),
    (oid::HMAC_SHA384, Digest::Sha384),
    (oid::HMAC_SHA512, Digest::Sha512),
];

/// The hash inside an HMAC (RFC 8018 §B.1.2); `None` where this engine does not know it.
///
/// # Errors
/// It has parameters.
pub fn hmac_digest(identifier: &AlgorithmIdentifier) -> Result<Option<Digest>, Malformed> {
    if !identifier.has_no_parameters() {
        return Err(Malformed::new("a HMAC has parameters where it has none"));
    }
    Ok(HMACS.iter().find(|(oid, _)| *oid == identifier.oid).map(|(_, hash)| *hash))
}

impl PasswordDerivation {
    /// PBKDF2 with HMAC over this hash; `None` for no rounds, too many, or a hash that goes with no HMAC here.
    pub fn new(hash: Digest, salt: &[u8], rounds: u32) -> Option<Self> {
        let known = HMACS.iter().any(|(_, known)| *known == hash) && (1..=PBKDF2_ROUNDS_LIMIT).contains(&rounds);
        known.then(|| Self { hash, salt: salt.to_vec(), rounds, key_len: None })
    }

    /// Reads PBKDF2-params (RFC 8018 §A.2). `None` where this engine does not know the derivation or its hash.
    ///
    /// # Errors
    /// The parameters are malformed, or name more rounds than [`PBKDF2_ROUNDS_LIMIT`].
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        const ABSENT: Malformed = Malformed::new("PBKDF2 has no parameters");
        if identifier.oid != oid::PBKDF2 {
            return Ok(None);
        }
        let parameters = identifier.parameters.as_deref().ok_or(ABSENT)?;
        let mut inside = Der::only(parameters)?.of(tag::SEQUENCE, ABSENT.what)?.inside();
        let salt = inside.expect(tag::OCTET_STRING, "PBKDF2 has no salt")?.value;
        let rounds = inside.small()?;
        let key_len = if inside.peek() == Some(tag::INTEGER) { Some(inside.small()?) } else { None };
        let hash = if inside.is_empty() {
            Some(Digest::Sha1)
        } else {
            hmac_digest(&AlgorithmIdentifier::parse(&inside.element()?)?)?
        };
        inside.finish()?;
        let Some(hash) = hash else { return Ok(None) };
        let key_len = key_len.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        Self::new(hash, salt, rounds)
            .map(|derivation| Some(Self { key_len, ..derivation }))
            .ok_or(Malformed::new("PBKDF2 names no rounds, or more than ten million"))
    }

    /// As an identifier.
    pub fn identifier(&self) -> AlgorithmIdentifier {
        let length = self.key_len.map(|length| write::unsigned(&length.to_be_bytes())).unwrap_or_default();
        let hmac = HMACS.iter().find(|(_, hash)| *hash == self.hash && *hash != Digest::Sha1);
        let hmac = hmac.map(|(oid, _)| AlgorithmIdentifier::with_null(*oid).to_der()).unwrap_or_default();
        let salt = write::octet_string(&self.salt);
        let rounds = write::unsigned(&self.rounds.to_be_bytes());
        let parameters = Some(write::sequence(&[&salt, &rounds, &length, &hmac]));
        AlgorithmIdentifier { oid: oid::PBKDF2, parameters }
    }

    /// The hash inside the HMAC.
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// How often the password is stretched.
    pub const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// The length that the parameters fix for the derived key, in octets.
    pub const fn key_len(&self) -> Option<usize> {
        self.key_len
    }
}

/// The cipher inside id-alg-PWRI-KEK (RFC 3211 §2.3), which wraps a content key under a password's key. `None` where it
/// is another algorithm, or a cipher that is not known or not CBC.
///
/// # Errors
/// The parameters are malformed.
pub fn password_wrap(identifier: &AlgorithmIdentifier) -> Result<Option<ContentEncryption>, Malformed> {
    if identifier.oid != oid::PWRI_KEK {
        return Ok(None);
    }
    let parameters = identifier.parameters.as_deref().ok_or(Malformed::new("PWRI-KEK names no cipher"))?;
    let inner = ContentEncryption::from_identifier(&AlgorithmIdentifier::parse(&Der::only(parameters)?)?)?;
    Ok(inner.filter(|inner| !inner.cipher().is_authenticated()))
}

/// id-alg-PWRI-KEK around a cipher.
pub fn password_wrap_identifier(cipher: &ContentEncryption) -> AlgorithmIdentifier {
    AlgorithmIdentifier { oid: oid::PWRI_KEK, parameters: Some(cipher.identifier().to_der()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_read_as_they_were_written() {
        for transport in [
            KeyTransport::Pkcs1,
            KeyTransport::oaep(Digest::Sha1),
            KeyTransport::oaep(Digest::Sha256),
            KeyTransport::Oaep { hash: Digest::Sha512, mask: Digest::Sha1, label: b"label".to_vec() },
        ] {
            assert_eq!(KeyTransport::from_identifier(&transport.identifier()), Ok(Some(transport)));
        }
        for (_, derivation, cofactor) in SCHEMES {
            for wrap in KeyWrap::ALL {
                let agreement = KeyAgreement { cofactor, ..KeyAgreement::new(derivation, wrap) };
                let identifier = agreement.identifier().unwrap();
                assert_eq!(KeyAgreement::from_identifier(&identifier), Ok(Some(agreement)));
            }
        }
        for (_, hash) in HMACS {
            let derivation = PasswordDerivation::new(hash, b"salt", 600_000).unwrap();
            assert_eq!(PasswordDerivation::from_identifier(&derivation.identifier()), Ok(Some(derivation)));
        }
        let cipher = ContentEncryption::new(Cipher::Aes256Cbc, &[3; 16]).unwrap();
        assert_eq!(password_wrap(&password_wrap_identifier(&cipher)), Ok(Some(cipher)));
        let cipher = ContentEncryption::new(Cipher::Aes256Gcm, &[3; 12]).unwrap();
        assert_eq!(password_wrap(&password_wrap_identifier(&cipher)), Ok(None));
    }

    #[test]
    fn the_default_oaep_is_an_empty_sequence() {
        let parameters = KeyTransport::oaep(Digest::Sha1).identifier().parameters;
        assert_eq!(parameters.as_deref(), Some(&[0x30, 0][..]));
    }

    #[test]
    fn passwords_are_not_stretched_for_ever() {
        let read = |rounds: u32| {
            let salt = write::octet_string(b"salt");
            let parameters = Some(write::sequence(&[&salt, &write::unsigned(&rounds.to_be_bytes())]));
            PasswordDerivation::from_identifier(&AlgorithmIdentifier { oid: oid::PBKDF2, parameters })
        };
        assert!(read(PBKDF2_ROUNDS_LIMIT).is_ok());
        assert!(read(PBKDF2_ROUNDS_LIMIT + 1).is_err());
        assert!(read(0).is_err());
    }
}
