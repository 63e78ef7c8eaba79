//! Reading.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::{BAG_DEPTH_LIMIT, BAG_LIMIT, Bag, COST_LIMIT, Held, NotRead, PKCS12_LIMIT, Protection};
use crate::algorithm::AlgorithmIdentifier;
use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, ber, oid, tag};
use crate::cert::name;
use crate::crypto::{EncryptedKey, KeyNotOpened, Password, PasswordEncryption, PasswordMac};

/// A file that opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Everything that it holds, in the order of the file.
    pub bags: Vec<Bag>,
    /// How it was protected.
    pub protections: Vec<Protection>,
}

impl Opened {
    /// The private keys, PKCS#8.
    pub fn keys(&self) -> impl Iterator<Item = &Zeroizing<Vec<u8>>> {
        self.bags.iter().filter_map(|bag| match &bag.held {
            Held::Key(key, _) => Some(key),
            _ => None,
        })
    }

    /// The certificates, DER.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.bags.iter().filter_map(|bag| match &bag.held {
            Held::Certificate(der) => Some(der.as_slice()),
            _ => None,
        })
    }
}

/// Opens a file.
///
/// # Errors
/// [`NotRead`].
pub fn open(octets: &[u8], password: &str) -> Result<Opened, NotRead> {
    let file = in_der(octets)?;
    let pfx = Pfx::parse(&file)?;
    for meant in [Password::new(password), Password::also_meant(password)] {
        match Reader::new(&pfx, Some(&meant)).read(&pfx) {
            Err(NotRead::Password) => {}
            opened => return opened,
        }
    }
    Err(NotRead::Password)
}

/// How a file is protected, as far as it tells without its password.
///
/// # Errors
/// It is none.
pub fn outline(octets: &[u8]) -> Result<Vec<Protection>, NotRead> {
    let file = in_der(octets)?;
    let pfx = Pfx::parse(&file)?;
    Reader::new(&pfx, None).read(&pfx).map(|read| read.protections)
}

/// The file in DER. The octets inside its OCTET STRINGs, over which the integrity check goes, stay as they are.
fn in_der(octets: &[u8]) -> Result<Vec<u8>, Malformed> {
    if octets.len() > PKCS12_LIMIT {
        return Err(Malformed::new("it is longer than 16 MiB"));
    }
    ber::to_der(octets)
}

/// ```asn1
/// PFX ::= SEQUENCE { version INTEGER (3), authSafe ContentInfo, macData MacData OPTIONAL }
/// MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }
/// ```
struct Pfx<'a> {
    /// What the integrity check is over.
    safe: &'a [u8],
    mac: Option<(Result<PasswordMac, KeyNotOpened>, &'a [u8])>,
}

impl<'a> Pfx<'a> {
    fn parse(der: &'a [u8]) -> Result<Self, NotRead> {
        let mut fields = Der::only(der)?.of(tag::SEQUENCE, "a PFX is not a SEQUENCE")?.inside();
        if fields.small()? != 3 {
            return Err(Malformed::new("a PFX is not of version 3").into());
        }
        let mut info = fields.expect(tag::SEQUENCE, "a PFX has no ContentInfo")?.inside();
        if info.oid()? == oid::SIGNED_DATA {
            return Err(NotRead::Unsupported("a signature in place of a password".to_owned()));
        }
        let explicit = info.expect(tag::context_constructed(0), "a PFX has no content")?;
        let safe = Der::only(explicit.value)?.of(tag::OCTET_STRING, "a PFX is not protected by a password")?.value;
        info.finish()?;
        let mac = fields.optional(tag::SEQUENCE)?.map(|mac| mac_data(&mac)).transpose()?;
        fields.finish()?;
        Ok(Self { safe, mac })
    }
}

fn mac_data<'a>(element: &Tlv<'a>) -> Result<(Result<PasswordMac, KeyNotOpened>, &'a [u8]), Malformed> {
    let mut fields = element.inside();
    let mut info = fields.expect(tag::SEQUENCE, "a MacData has no DigestInfo")?.inside();
    let algorithm = AlgorithmIdentifier::parse(&info.element()?)?;
    let value = info.expect(tag::OCTET_STRING, "a MacData has no value")?.value;
    info.finish()?;
    let salt = fields.expect(tag::OCTET_STRING, "a MacData has no salt")?.value;
    let rounds = if fields.is_empty() { 1 } else { fields.small()? };
    fields.finish()?;
    Ok((PasswordMac::read(&algorithm, salt, rounds), value))
}

/// Without a password what is encrypted is told and passed over.
struct Reader<'a> {
    password: Option<&'a Password>,
    opened: Opened,
    cost: u64,
    /// Without an integrity check the first thing that decrypts is what says that the password is right.
    mac: Option<&'a (Result<PasswordMac, KeyNotOpened>, &'a [u8])>,
}

impl<'a> Reader<'a> {
    fn new(pfx: &'a Pfx<'_>, password: Option<&'a Password>) -> Self {
        let opened = Opened { bags: Vec::new(), protections: Vec::new() };
        Self { password, opened, cost: 0, mac: pfx.mac.as_ref() }
    }

    fn read(mut self, pfx: &Pfx<'_>) -> Result<Opened, NotRead> {
        if let Some((mac, value)) = self.mac {
            match (mac, self.password) {
                (Ok(mac), password) => {
                    self.protected(Protection::Integrity(mac.clone()))?;
                    if password.is_some_and(|password| !mac.verify(password, pfx.safe, value)) {
                        return Err(NotRead::Password);
                    }
                }
                (Err(KeyNotOpened::Unsupported(name)), None) => {
                    self.opened.protections.push(Protection::Unknown(name.clone()));
                }
                (Err(error), _) => return Err(error.clone().into()),
            }
        }
        let safe = ber::to_der(pfx.safe)?;
        let mut infos = Der::only(&safe)?.of(tag::SEQUENCE, "an AuthenticatedSafe is not a SEQUENCE")?.inside();
        while !infos.is_empty() {
            let mut info = infos.expect(tag::SEQUENCE, "a ContentInfo is not a SEQUENCE")?.inside();
            let kind = info.oid()?;
            let content = info.expect(tag::context_constructed(0), "a ContentInfo of a PFX has no content")?;
            info.finish()?;
            let content = Der::only(content.value)?;
            match kind {
                oid::DATA => {
                    let octets = content.of(tag::OCTET_STRING, "the data of a PFX is no OCTET STRING")?;
                    self.bags(octets.value, BAG_DEPTH_LIMIT)?;
                }
                oid::ENCRYPTED_DATA => self.encrypted(&content)?,
                oid::ENVELOPED_DATA => self.unsupported("encryption to a key in place of a password")?,
                other => self.unsupported(&oid::describe(&other))?,
            }
        }
        Ok(self.opened)
    }

    fn unsupported(&mut self, what: &str) -> Result<(), NotRead> {
        if self.password.is_some() {
            return Err(NotRead::Unsupported(what.to_owned()));
        }
        self.opened.protections.push(Protection::Unknown(what.to_owned()));
        Ok(())
    }

    /// Takes what it costs from what one file may cost.
    fn protected(&mut self, protection: Protection) -> Result<(), NotRead> {
        self.cost = self.cost.saturating_add(protection.cost());
        if self.cost > COST_LIMIT {
            return Err(Malformed::new("its passwords are stretched for more rounds than a file may ask for").into());
        }
        self.opened.protections.push(protection);
        Ok(())
    }

    /// `EncryptedData ::= SEQUENCE { version, SEQUENCE { contentType, algorithm, content [0] IMPLICIT OCTET STRING } }`
    /// (RFC 5652 §8).
    fn encrypted(&mut self, content: &Tlv<'_>) -> Result<(), NotRead> {
        let mut fields = content.of(tag::SEQUENCE, "an EncryptedData is not a SEQUENCE")?.inside();
        fields.small()?;
        let mut inner = fields.expect(tag::SEQUENCE, "an EncryptedData has no content")?.inside();
        inner.oid()?;
        let encryption = match PasswordEncryption::from_identifier(&AlgorithmIdentifier::parse(&inner.element()?)?) {
            Err(KeyNotOpened::Unsupported(what)) => return self.unsupported(&what),
            encryption => encryption?,
        };
        let octets = joined(&inner.element()?)?;
        self.protected(Protection::Part(encryption.clone()))?;
        let Some(password) = self.password else { return Ok(()) };
        let plain = encryption.decrypt(password, &octets)?;
        self.bags(&plain, BAG_DEPTH_LIMIT)
    }

    /// `SafeContents ::= SEQUENCE OF SafeBag`, `SafeBag ::= SEQUENCE { bagId, bagValue [0] EXPLICIT, bagAttributes SET OF
    /// OPTIONAL }` (RFC 7292 §4.2).
    fn bags(&mut self, contents: &[u8], depth: usize) -> Result<(), NotRead> {
        let depth = depth.checked_sub(1).ok_or(Malformed::new("bags of a PFX nest too deep"))?;
        let contents = Zeroizing::new(ber::to_der(contents)?);
        let mut list = Der::only(&contents)?.of(tag::SEQUENCE, "a SafeContents is not a SEQUENCE")?.inside();
        while !list.is_empty() {
            if self.opened.bags.len() >= BAG_LIMIT {
                return Err(Malformed::new("a PFX holds more than 10,000 things").into());
            }
            let mut fields = list.expect(tag::SEQUENCE, "a SafeBag is not a SEQUENCE")?.inside();
            let kind = fields.oid()?;
            let value = Der::only(fields.expect(tag::context_constructed(0), "a SafeBag has no value")?.value)?;
            let (friendly_name, local_key_id) = match fields.optional(tag::SET)? {
                Some(attributes) => attributes_of(&attributes)?,
                None => (None, None),
            };
            fields.finish()?;
            let held = match kind {
                oid::KEY_BAG => Held::Key(Zeroizing::new(value.raw.to_vec()), None),
                oid::SHROUDED_KEY_BAG => match self.key(&value)? {
                    Some(held) => held,
                    None => continue,
                },
                oid::CERT_BAG => match wrapped(&value)? {
                    (oid::X509_CERTIFICATE, der) => Held::Certificate(der.to_vec()),
                    (other, _) => Held::Other(other),
                },
                oid::CRL_BAG => match wrapped(&value)? {
                    (oid::X509_CRL, der) => Held::List(der.to_vec()),
                    (other, _) => Held::Other(other),
                },
                oid::SECRET_BAG => Held::Secret,
                oid::SAFE_CONTENTS_BAG => {
                    self.bags(value.raw, depth)?;
                    continue;
                }
                other => Held::Other(other),
            };
            self.opened.bags.push(Bag { held, friendly_name, local_key_id });
        }
        Ok(())
    }

    /// A key that is encrypted by itself; `None` without a password.
    fn key(&mut self, value: &Tlv<'_>) -> Result<Option<Held>, NotRead> {
        let key = match EncryptedKey::parse(value.raw) {
            Err(KeyNotOpened::Unsupported(what)) => {
                self.unsupported(&what)?;
                return Ok(None);
            }
            key => key?,
        };
        self.protected(Protection::Key(key.encryption.clone()))?;
        let Some(password) = self.password else { return Ok(None) };
        Ok(Some(Held::Key(key.open(password)?, Some(key.encryption))))
    }
}

/// `CertBag ::= SEQUENCE { certId, certValue [0] EXPLICIT OCTET STRING }`, and the same for lists.
fn wrapped<'a>(value: &Tlv<'a>) -> Result<(crate::asn1::Oid, &'a [u8]), Malformed> {
    let mut fields = value.of(tag::SEQUENCE, "a bag is not a SEQUENCE")?.inside();
    let kind = fields.oid()?;
    let octets = Der::only(fields.expect(tag::context_constructed(0), "a bag has no value")?.value)?;
    Ok((kind, if octets.tag == tag::OCTET_STRING { octets.value } else { octets.raw }))
}

/// `PKCS12Attribute ::= SEQUENCE { attrId, attrValues SET OF }` (RFC 7292 §4.2): the friendly name and the local key
/// identifier; others are passed over.
fn attributes_of(set: &Tlv<'_>) -> Result<(Option<String>, Option<Vec<u8>>), Malformed> {
    let (mut friendly_name, mut local_key_id) = (None, None);
    let mut attributes = set.inside();
    while !attributes.is_empty() {
        let mut fields = attributes.expect(tag::SEQUENCE, "an attribute of a bag is not a SEQUENCE")?.inside();
        let kind = fields.oid()?;
        let mut values = fields.expect(tag::SET, "an attribute of a bag has no values")?.inside();
        let Some(value) = (!values.is_empty()).then(|| values.element()).transpose()? else { continue };
        match kind {
            oid::FRIENDLY_NAME => friendly_name = Some(name::text(&value)),
            oid::LOCAL_KEY_ID => local_key_id = Some(value.value.to_vec()),
            _ => {}
        }
    }
    Ok((friendly_name, local_key_id))
}

/// The octets of an OCTET STRING under an implicit tag, primitive or in pieces.
fn joined<'a>(string: &Tlv<'a>) -> Result<Cow<'a, [u8]>, Malformed> {
    if string.tag & tag::CONSTRUCTED == 0 {
        return Ok(Cow::Borrowed(string.value));
    }
    let (mut pieces, mut octets) = (string.inside(), Vec::new());
    while !pieces.is_empty() {
        octets.extend_from_slice(pieces.expect(tag::OCTET_STRING, "a string in pieces holds something else")?.value);
    }
    Ok(Cow::Owned(octets))
}

/// Does this look like a PKCS#12 file: a SEQUENCE that begins with the version 3 and a ContentInfo?
pub fn is_pfx(octets: &[u8]) -> bool {
    let begins = |der: &[u8]| {
        let mut inside = Der::new(der);
        inside.small() == Ok(3) && inside.peek() == Some(tag::SEQUENCE)
    };
    let Ok(header) = ber::Header::parse(octets) else { return false };
    let start = usize::try_from(header.header).unwrap_or(usize::MAX);
    header.tag == tag::SEQUENCE && octets.get(start..).is_some_and(begins)
}
