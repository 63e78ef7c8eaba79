//! Recipient infos (RFC 5652 §6.2): for whom the content key was wrapped, and how.
//!
//! A message may have thousands. They are kept as the octets that they are, one behind the other, and each is read when
//! it is looked at: what a recipient costs is its own length.

mod keys;
mod write;

use std::borrow::Cow;

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::{self, Der, Tlv};
use kakitome_pki::asn1::{Malformed, Oid, oid, tag};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::cert::name::Name;

use super::signed::octets_of;

pub(in crate::cms) use keys::known;
pub use keys::{Answer, ENCRYPTED_KEY_LIMIT, HeldKeys, Holder, Keys, NoKeys, PASSWORD_LIMIT, Question, Unwrapped};
pub use write::{Naming, PASSWORD_ROUNDS, Recipient, Unaddressable};

/// A message may have this many recipients.
pub const RECIPIENT_LIMIT: usize = 20_000;
/// The recipient infos of a message may be this long together, in octets.
pub const RECIPIENTS_LIMIT: usize = 12 * 1024 * 1024;

/// The recipient infos of a message, in its order.
#[derive(Clone, Debug, Default)]
pub struct Recipients {
    octets: Vec<u8>,
    count: usize,
}

impl Recipients {
    /// Adds a recipient info in DER; false where that is over a limit.
    pub(super) fn push(&mut self, info: &[u8]) -> bool {
        let fits = self.count < RECIPIENT_LIMIT && self.octets.len().saturating_add(info.len()) <= RECIPIENTS_LIMIT;
        if fits {
            self.octets.extend_from_slice(info);
            self.count = self.count.saturating_add(1);
        }
        fits
    }

    /// How many recipient infos there are; one of key agreement can be for several recipients.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Are there none (as in encrypted-data)?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each of them, in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = Result<RecipientInfo<'_>, Malformed>> {
        let mut rest = Der::new(&self.octets);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            Some(rest.element().and_then(|element| RecipientInfo::parse(&element)))
        })
    }
}

/// One recipient info; nothing in it has been checked.
#[derive(Clone, Debug)]
pub enum RecipientInfo<'a> {
    /// The content key is encrypted with the recipient's public key (§6.2.1).
    KeyTransport(KeyTransport<'a>),
    /// It is wrapped with a key that sender and recipients agree upon (§6.2.2).
    KeyAgreement(KeyAgreement<'a>),
    /// It is wrapped with a key that both hold already (§6.2.3).
    HeldKey(HeldKey<'a>),
    /// It is wrapped with a key made from a password (§6.2.4).
    Password(Password<'a>),
    /// It is wrapped with a key that was encapsulated with the recipient's public key (RFC 9629).
    Encapsulation(Encapsulation<'a>),
    /// Another kind (§6.2.5).
    Other(Oid),
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientIdentifier<'a> {
    /// By issuer (a Name in DER) and serial number (contents octets).
    IssuerAndSerial {
        /// DER.
        issuer: &'a [u8],
        /// Contents octets.
        serial: &'a [u8],
    },
    /// By subject key identifier.
    KeyIdentifier(Cow<'a, [u8]>),
}

/// Key transport.
#[derive(Clone, Debug)]
pub struct KeyTransport<'a> {
    /// The version that it claims.
    pub version: u32,
    /// Whose key.
    pub recipient: RecipientIdentifier<'a>,
    /// How the content key is encrypted.
    pub algorithm: AlgorithmIdentifier,
    /// The content key, encrypted.
    pub encrypted_key: &'a [u8],
}

/// Key agreement: one key of the sender, one or more recipients.
#[derive(Clone, Debug)]
pub struct KeyAgreement<'a> {
    /// The version that it claims.
    pub version: u32,
    /// The sender's key.
    pub originator: Originator<'a>,
    /// User keying material: what makes each agreement different.
    pub material: Option<&'a [u8]>,
    /// Agreement, key derivation and key wrap.
    pub algorithm: AlgorithmIdentifier,
    keys: Der<'a>,
}

/// The sender's key of a key agreement.
#[derive(Clone, Debug)]
pub enum Originator<'a> {
    /// One that lasts, in a certificate of his.
    Certificate(RecipientIdentifier<'a>),
    /// One made for this message.
    Key {
        /// The kind of key; parameters may be absent.
        algorithm: AlgorithmIdentifier,
        /// The public key.
        key: &'a [u8],
    },
}

/// One recipient of a key agreement.
#[derive(Clone, Debug)]
pub struct AgreedKey<'a> {
    /// Whose key.
    pub recipient: RecipientIdentifier<'a>,
    /// The content key, wrapped.
    pub encrypted_key: &'a [u8],
}

/// A key that both hold already.
#[derive(Clone, Debug)]
pub struct HeldKey<'a> {
    /// The version that it claims.
    pub version: u32,
    /// Which key.
    pub identifier: &'a [u8],
    /// How the content key is wrapped.
    pub algorithm: AlgorithmIdentifier,
    /// The content key, wrapped.
    pub encrypted_key: &'a [u8],
}

/// A password.
#[derive(Clone, Debug)]
pub struct Password<'a> {
    /// The version that it claims.
    pub version: u32,
    /// How a key is made of the password.
    pub derivation: Option<AlgorithmIdentifier>,
    /// How the content key is wrapped.
    pub algorithm: AlgorithmIdentifier,
    /// The content key, wrapped.
    pub encrypted_key: &'a [u8],
}

/// A key encapsulation (RFC 9629 §3).
#[derive(Clone, Debug)]
pub struct Encapsulation<'a> {
    /// The version that it claims.
    pub version: u32,
    /// Whose key.
    pub recipient: RecipientIdentifier<'a>,
    /// The encapsulation mechanism.
    pub mechanism: AlgorithmIdentifier,
    /// The encapsulated secret.
    pub ciphertext: &'a [u8],
    /// How a key is made of the secret.
    pub derivation: AlgorithmIdentifier,
    /// How long that key is, in octets.
    pub key_length: u32,
    /// User keying material.
    pub material: Option<&'a [u8]>,
    /// How the content key is wrapped.
    pub algorithm: AlgorithmIdentifier,
    /// The content key, wrapped.
    pub encrypted_key: &'a [u8],
}

impl<'a> RecipientIdentifier<'a> {
    fn parse(element: &Tlv<'a>) -> Result<Self, Malformed> {
        match element.tag {
            tag::SEQUENCE => {
                let mut pair = element.inside();
                let issuer = pair.expect(tag::SEQUENCE, "a recipient identifier has no issuer")?.raw;
                let serial = pair.expect(tag::INTEGER, "a recipient identifier has no serial number")?.value;
                pair.finish()?;
                Ok(Self::IssuerAndSerial { issuer, serial })
            }
            0x80 | 0xa0 => Ok(Self::KeyIdentifier(implicit_string(element)?)),
            _ => Err(Malformed::new("a recipient identifier has an unknown form")),
        }
    }

    /// Does it name this certificate?
    ///
    /// A certificate without the extension is named by the usual hash of its key (RFC 5280 §4.2.1.2 (1)).
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                certificate.serial() == *serial
                    && (certificate.issuer().raw() == *issuer
                        || Name::from_der(issuer).is_ok_and(|issuer| certificate.issuer() == &issuer))
            }
            Self::KeyIdentifier(identifier) => match &certificate.extensions().subject_key_id {
                Some(own) => own.as_slice() == &**identifier,
                None => key_identifier(certificate.spki()).is_some_and(|own| own == **identifier),
            },
        }
    }
}

impl<'a> RecipientInfo<'a> {
    /// ```asn1
    /// RecipientInfo ::= CHOICE { ktri KeyTransRecipientInfo, kari [1] KeyAgreeRecipientInfo,
    ///   kekri [2] KEKRecipientInfo, pwri [3] PasswordRecipientInfo, ori [4] OtherRecipientInfo }
    /// ```
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(element: &Tlv<'a>) -> Result<Self, Malformed> {
        let mut inside = element.inside();
        let info = match element.tag {
            tag::SEQUENCE => Self::KeyTransport(KeyTransport {
                version: inside.small()?,
                recipient: RecipientIdentifier::parse(&inside.element()?)?,
                algorithm: AlgorithmIdentifier::parse(&inside.element()?)?,
                encrypted_key: encrypted_key(&mut inside)?,
            }),
            0xa1 => Self::KeyAgreement(KeyAgreement::parse(&mut inside)?),
            0xa2 => Self::HeldKey(HeldKey {
                version: inside.small()?,
                identifier: held_key_identifier(&mut inside)?,
                algorithm: AlgorithmIdentifier::parse(&inside.element()?)?,
                encrypted_key: encrypted_key(&mut inside)?,
            }),
            0xa3 => Self::Password(Password {
                version: inside.small()?,
                derivation: match inside.optional(tag::context_constructed(0))? {
                    Some(implicit) => Some(AlgorithmIdentifier::parse(&Tlv { tag: tag::SEQUENCE, ..implicit })?),
                    None => None,
                },
                algorithm: AlgorithmIdentifier::parse(&inside.element()?)?,
                encrypted_key: encrypted_key(&mut inside)?,
            }),
            0xa4 => {
                let kind = inside.oid()?;
                let value = inside.element()?;
                if kind == oid::KEM_RECIPIENT_INFO {
                    Self::Encapsulation(Encapsulation::parse(&value)?)
                } else {
                    Self::Other(kind)
                }
            }
            _ => return Err(Malformed::new("a recipient info is of an unknown kind")),
        };
        inside.finish()?;
        Ok(info)
    }

    /// The version that it claims, and the one that it must have (§6.2.1 to §6.2.4).
    pub fn versions(&self) -> (u32, u32) {
        match self {
            Self::KeyTransport(KeyTransport { version, recipient, .. }) => {
                (*version, if matches!(recipient, RecipientIdentifier::KeyIdentifier(_)) { 2 } else { 0 })
            }
            Self::KeyAgreement(agreement) => (agreement.version, 3),
            Self::HeldKey(held) => (held.version, 4),
            Self::Password(password) => (password.version, 0),
            Self::Encapsulation(encapsulation) => (encapsulation.version, 0),
            Self::Other(_) => (0, 0),
        }
    }
}

impl<'a> KeyAgreement<'a> {
    /// ```asn1
    /// KeyAgreeRecipientInfo ::= SEQUENCE { version, originator [0] EXPLICIT OriginatorIdentifierOrKey,
    ///   ukm [1] EXPLICIT OCTET STRING OPTIONAL, keyEncryptionAlgorithm, recipientEncryptedKeys SEQUENCE OF … }
    /// ```
    fn parse(inside: &mut Der<'a>) -> Result<Self, Malformed> {
        let version = inside.small()?;
        let originator = inside.expect(tag::context_constructed(0), "a key agreement has no originator")?;
        let originator = Originator::parse(&Der::only(originator.value)?)?;
        let material = match inside.optional(tag::context_constructed(1))? {
            Some(explicit) => Some(octets_of(explicit.value)?),
            None => None,
        };
        let algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let keys = inside.expect(tag::SEQUENCE, "a key agreement has no recipients")?.inside();
        Ok(Self { version, originator, material, algorithm, keys })
    }

    /// Its recipients, in order.
    pub fn keys(&self) -> impl Iterator<Item = Result<AgreedKey<'a>, Malformed>> + use<'a> {
        let mut rest = self.keys.clone();
        std::iter::from_fn(move || if rest.is_empty() { None } else { Some(rest.element().and_then(AgreedKey::parse)) })
    }
}

impl<'a> AgreedKey<'a> {
    fn parse(element: Tlv<'a>) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "a recipient of a key agreement is not a SEQUENCE")?.inside();
        let identifier = inside.element()?;
        let recipient = if identifier.tag == tag::context_constructed(0) {
            // RecipientKeyIdentifier: the identifier; a date and more say nothing that is needed to find the key.
            let mut fields = identifier.inside();
            let identifier = fields.expect(tag::OCTET_STRING, "a recipient key identifier is missing")?;
            RecipientIdentifier::KeyIdentifier(Cow::Borrowed(identifier.value))
        } else {
            RecipientIdentifier::parse(&identifier)?
        };
        let encrypted_key = encrypted_key(&mut inside)?;
        inside.finish()?;
        Ok(Self { recipient, encrypted_key })
    }
}

impl<'a> Originator<'a> {
    fn parse(element: &Tlv<'a>) -> Result<Self, Malformed> {
        if element.tag != tag::context_constructed(1) {
            return RecipientIdentifier::parse(element).map(Self::Certificate);
        }
        let mut inside = element.inside();
        let algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let key = der::whole_bits(inside.expect(tag::BIT_STRING, "an originator's key is missing")?.value)?;
        inside.finish()?;
        Ok(Self::Key { algorithm, key })
    }
}

impl<'a> Encapsulation<'a> {
    /// ```asn1
    /// KEMRecipientInfo ::= SEQUENCE { version, rid, kem, kemct OCTET STRING, kdf, kekLength INTEGER (1..65535),
    ///   ukm [0] EXPLICIT OCTET STRING OPTIONAL, wrap, encryptedKey }
    /// ```
    fn parse(element: &Tlv<'a>) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "a key encapsulation is not a SEQUENCE")?.inside();
        let version = inside.small()?;
        let recipient = RecipientIdentifier::parse(&inside.element()?)?;
        let mechanism = AlgorithmIdentifier::parse(&inside.element()?)?;
        let ciphertext = encrypted_key(&mut inside)?;
        let derivation = AlgorithmIdentifier::parse(&inside.element()?)?;
        let key_length = inside.small()?;
        let material = inside.optional(tag::context_constructed(0))?;
        let algorithm = AlgorithmIdentifier::parse(&inside.element()?)?;
        let encrypted_key = encrypted_key(&mut inside)?;
        inside.finish()?;
        Ok(Self {
            version,
            recipient,
            mechanism,
            ciphertext,
            derivation,
            key_length,
            material: material.map(|explicit| octets_of(explicit.value)).transpose()?,
            algorithm,
            encrypted_key,
        })
    }
}

/// `KEKIdentifier ::= SEQUENCE { keyIdentifier OCTET STRING, date OPTIONAL, other OPTIONAL }`.
fn held_key_identifier<'a>(inside: &mut Der<'a>) -> Result<&'a [u8], Malformed> {
    let mut fields = inside.expect(tag::SEQUENCE, "a key-encryption key is not named")?.inside();
    Ok(fields.expect(tag::OCTET_STRING, "a key-encryption key is not named")?.value)
}

fn encrypted_key<'a>(inside: &mut Der<'a>) -> Result<&'a [u8], Malformed> {
    Ok(inside.expect(tag::OCTET_STRING, "a recipient info has no encrypted key")?.value)
}

/// An OCTET STRING under an implicit tag, primitive or, as in BER, in pieces.
fn implicit_string<'a>(element: &Tlv<'a>) -> Result<Cow<'a, [u8]>, Malformed> {
    if element.tag & 0x20 == 0 {
        return Ok(Cow::Borrowed(element.value));
    }
    let mut pieces = element.inside();
    let mut joined = Vec::new();
    while !pieces.is_empty() {
        let piece = pieces.expect(tag::OCTET_STRING, "a constructed OCTET STRING holds something else")?;
        joined.extend_from_slice(piece.value);
    }
    Ok(Cow::Owned(joined))
}
