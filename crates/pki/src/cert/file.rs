//! What a file of certificates, keys and the like holds: PEM with any number of blocks, or one object in DER or BER, told
//! by its own form and not by its name.

use super::pem::{self, Block};
use super::{bundle, pkcs12};
use crate::asn1::der::Der;
use crate::asn1::{Malformed, ber, oid, tag};
use crate::crypto::is_encrypted_key;

/// The label of a root that our list of roots holds so that it is refused by name ([`crate::roots`]).
pub const NOT_FOR_EMAIL: &str = "CERTIFICATE NOT FOR EMAIL";

/// The kinds of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// X.509.
    Certificate,
    /// PKCS#10.
    Request,
    /// A revocation list.
    List,
    /// An OCSP response.
    Response,
    /// PKCS#7: certificates and lists in signed-data without a signature.
    Bundle,
    /// The serialized store of Windows (.sst).
    Store,
    /// PKCS#12.
    Pkcs12,
    /// A private key in the clear.
    PrivateKey,
    /// A private key under a password.
    EncryptedKey,
    /// A SubjectPublicKeyInfo, or an RSAPublicKey.
    PublicKey,
}

impl Kind {
    /// Its name in what programs read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Request => "request",
            Self::List => "crl",
            Self::Response => "ocsp-response",
            Self::Bundle => "pkcs7",
            Self::Store => "serialized-store",
            Self::Pkcs12 => "pkcs12",
            Self::PrivateKey => "private-key",
            Self::EncryptedKey => "encrypted-private-key",
            Self::PublicKey => "public-key",
        }
    }
}

/// The objects of a file, and how many blocks of PEM are none of them.
#[derive(Clone, Default)]
pub struct Found {
    /// Each object, in order.
    pub objects: Vec<(Kind, Block)>,
    /// The labels of the blocks that are of no kind here (parameters, keys of OpenSSH or OpenPGP).
    pub others: Vec<String>,
}

/// Looks what a file holds.
pub fn look(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    if !pem::is_pem(bytes) {
        found.objects.extend(kind(bytes).map(|kind| (kind, Block::new("", bytes))));
        return found;
    }
    for block in pem::read(bytes) {
        match labelled(&block) {
            Some(kind) => found.objects.push((kind, block)),
            None => found.others.push(block.label),
        }
    }
    found
}

/// The kind that a label promises (RFC 7468); where it promises a private key, the octets say whether it is encrypted.
fn labelled(block: &Block) -> Option<Kind> {
    Some(match block.label.as_str() {
        _ if block.is_certificate() || block.label == NOT_FOR_EMAIL => Kind::Certificate,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Kind::Request,
        "X509 CRL" => Kind::List,
        "OCSP RESPONSE" => Kind::Response,
        "PKCS7" | "CMS" => Kind::Bundle,
        "PKCS12" => Kind::Pkcs12,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Kind::PublicKey,
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
            let is_encrypted = block.old_cipher.is_some() || is_encrypted_key(&block.der);
            if is_encrypted { Kind::EncryptedKey } else { Kind::PrivateKey }
        }
        _ => return None,
    })
}

/// The kind of an object in DER or BER; `None` where it is none of them.
pub fn kind(octets: &[u8]) -> Option<Kind> {
    if pkcs12::is_pfx(octets) {
        return Some(Kind::Pkcs12);
    }
    if bundle::is_store(octets) {
        return Some(Kind::Store);
    }
    // What follows behind the object does not change what it is.
    let (der, _) = ber::first_to_der(octets).ok()?;
    by_form(&der).ok().flatten()
}

fn by_form(object: &[u8]) -> Result<Option<Kind>, Malformed> {
    let mut fields = Der::only(object)?.of(tag::SEQUENCE, "")?.inside();
    let first = fields.element()?;
    if fields.is_empty() {
        return Ok((first.tag == tag::ENUMERATED).then_some(Kind::Response));
    }
    let second = fields.element()?;
    let third = if fields.is_empty() { None } else { Some(fields.element()?) };
    Ok(match (first.tag, second.tag, third.map(|third| third.tag)) {
        (tag::ENUMERATED, ..) => Some(Kind::Response),
        (tag::OID, ..) => (first.value == oid::SIGNED_DATA.as_bytes()).then_some(Kind::Bundle),
        (tag::INTEGER, tag::INTEGER, None) => Some(Kind::PublicKey),
        (tag::INTEGER, tag::INTEGER, Some(tag::INTEGER))
        | (tag::INTEGER, tag::SEQUENCE, Some(tag::OCTET_STRING))
        | (tag::INTEGER, tag::OCTET_STRING, _) => Some(Kind::PrivateKey),
        (tag::SEQUENCE, tag::OCTET_STRING, None) => Some(Kind::EncryptedKey),
        (tag::SEQUENCE, tag::BIT_STRING, None) => Some(Kind::PublicKey),
        (tag::SEQUENCE, tag::SEQUENCE, _) => Some(signed(first.inside())?),
        _ => None,
    })
}

/// Certificate, request and list are signed alike; the contents tell them apart.
fn signed(mut contents: Der<'_>) -> Result<Kind, Malformed> {
    if contents.peek() == Some(tag::context_constructed(0)) {
        return Ok(Kind::Certificate);
    }
    let has_number = contents.optional(tag::INTEGER)?.is_some();
    // An algorithm in a certificate of version 1 and in a list, a name in a request.
    if has_number && contents.element()?.inside().peek() != Some(tag::OID) {
        return Ok(Kind::Request);
    }
    if !has_number {
        contents.element()?;
    }
    contents.element()?;
    let is_list = matches!(contents.peek(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME));
    Ok(if is_list { Kind::List } else { Kind::Certificate })
}
