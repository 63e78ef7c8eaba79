//! PKCS#12 (RFC 7292), for reading: what a bought certificate comes in. The library's own caps on key-derivation rounds
//! hold (a million).

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use zeroize::Zeroizing;

use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, ber, tag, write};

/// A file longer than this is no personal certificate, in octets.
pub const PKCS12_LIMIT: usize = 16 * 1024 * 1024;

/// What a file holds; nothing in it has been checked, no key been matched with a certificate.
pub struct Contents {
    /// The private keys, PKCS#8.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// The certificates, DER, in the order of the file.
    pub certificates: Vec<Vec<u8>>,
}

/// Why a file did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// The integrity check fails: the password, or the file.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// It is none, or uses what is not supported.
    #[error("not a PKCS#12 file that can be read: {0}")]
    Malformed(String),
}

/// Opens a file, in DER or in BER: Thunderbird, Firefox and Bouncy Castle write indefinite lengths.
///
/// # Errors
/// [`NotRead`].
pub fn read(octets: &[u8], password: &str) -> Result<Contents, NotRead> {
    if octets.len() > PKCS12_LIMIT {
        return Err(NotRead::Malformed("it is longer than 16 MiB".to_owned()));
    }
    let archive = match Pkcs12Archive::from_pkcs12(octets, password) {
        Err(Error::DerError(_)) => in_ber(octets, password)?,
        read => read?,
    };
    Ok(Contents {
        keys: archive.keys.iter().map(|bag| Zeroizing::new(bag.key.as_der().to_vec())).collect(),
        certificates: archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
    })
}

/// The same for a file in BER, which the library does not read. The integrity check is over the octets as they stand
/// (RFC 7292 §5.1), the reading needs them in DER: so the library is asked twice.
fn in_ber(octets: &[u8], password: &str) -> Result<Pkcs12Archive, NotRead> {
    let der = ber::to_der(octets)?;
    let pfx = Pfx::parse(&der)?;
    let in_der = contents_in_der(pfx.safe)?;
    match Pkcs12Archive::from_pkcs12(&der, password) {
        // It looks at the integrity check first; only then does it meet what is not DER.
        Err(Error::DerError(_)) if in_der != pfx.safe => {
            Ok(Pkcs12Archive::from_pkcs12(&pfx.around(&in_der), password)?)
        }
        read => Ok(read?),
    }
}

/// ```asn1
/// PFX ::= SEQUENCE { version INTEGER, authSafe ContentInfo, macData MacData OPTIONAL }
/// ```
struct Pfx<'a> {
    version: &'a [u8],
    kind: &'a [u8],
    /// What the integrity check is over.
    safe: &'a [u8],
}

impl<'a> Pfx<'a> {
    fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut inside = Der::only(der)?.of(tag::SEQUENCE, "a PFX is not a SEQUENCE")?.inside();
        let version = inside.element()?.raw;
        let mut info = inside.expect(tag::SEQUENCE, "a PFX has no ContentInfo")?.inside();
        let kind = info.element()?.raw;
        let explicit = info.expect(tag::context_constructed(0), "a PFX has no content")?;
        let safe = Der::only(explicit.value)?.of(tag::OCTET_STRING, "a PFX is not protected by a password")?.value;
        Ok(Self { version, kind, safe })
    }

    /// The same around other octets, without the integrity check.
    fn around(&self, safe: &[u8]) -> Vec<u8> {
        let content = write::element(tag::context_constructed(0), &[&write::octet_string(safe)]);
        write::sequence(&[self.version, &write::sequence(&[self.kind, &content])])
    }
}

/// ```asn1
/// AuthenticatedSafe ::= SEQUENCE OF ContentInfo
/// EncryptedData ::= SEQUENCE { version, SEQUENCE { contentType, algorithm, content [0] IMPLICIT OCTET STRING } }
/// ```
/// What stands encrypted inside is DER in the files that occur.
fn contents_in_der(safe: &[u8]) -> Result<Vec<u8>, Malformed> {
    const NONE: Malformed = Malformed::new("a ContentInfo of a PFX has no content");
    let safe = ber::to_der(safe)?;
    let mut list = Der::only(&safe)?.of(tag::SEQUENCE, "an AuthenticatedSafe is not a SEQUENCE")?.inside();
    let mut infos = Vec::new();
    while !list.is_empty() {
        let info = list.element()?;
        let mut inside = info.of(tag::SEQUENCE, "a ContentInfo is not a SEQUENCE")?.inside();
        let kind = inside.element()?;
        let explicit = inside.expect(tag::context_constructed(0), "a ContentInfo of a PFX has no content")?;
        let content = Der::only(explicit.value)?;
        let content = match content.tag {
            tag::OCTET_STRING => write::octet_string(&ber::to_der(content.value)?),
            tag::SEQUENCE => {
                let mut encrypted = content.inside();
                let version = encrypted.element()?.raw;
                let mut inner = encrypted.expect(tag::SEQUENCE, "an EncryptedData has no content")?.inside();
                let (kind, algorithm, string) = (inner.element()?.raw, inner.element()?.raw, inner.element()?);
                let octets = joined(&string)?;
                write::sequence(&[version, &write::sequence(&[kind, algorithm, &write::element(0x80, &[&octets])])])
            }
            _ => return Err(NONE),
        };
        infos.push(write::sequence(&[kind.raw, &write::element(tag::context_constructed(0), &[&content])]));
    }
    Ok(write::sequence(&infos.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// The octets of an OCTET STRING under an implicit tag, primitive or in pieces.
fn joined(string: &Tlv<'_>) -> Result<Vec<u8>, Malformed> {
    if string.tag & tag::CONSTRUCTED == 0 {
        return Ok(string.value.to_vec());
    }
    let (mut pieces, mut octets) = (string.inside(), Vec::new());
    while !pieces.is_empty() {
        octets.extend_from_slice(pieces.expect(tag::OCTET_STRING, "a string in pieces holds something else")?.value);
    }
    Ok(octets)
}

impl From<Error> for NotRead {
    fn from(error: Error) -> Self {
        match error {
            Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => Self::Password,
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl From<Malformed> for NotRead {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.to_string())
    }
}
