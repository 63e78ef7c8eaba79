//! Content encryption: the ciphers and the parameters that go with them.

use super::AlgorithmIdentifier;
use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag, write};

/// Octets of a whole GCM tag, which is what is written.
pub const GCM_TAG_OCTETS: usize = 16;
/// A GCM tag may be this short (RFC 5084 §3.2), in octets.
pub const GCM_TAG_OCTETS_LEAST: usize = 12;
/// The nonce that RFC 5084 §3.2 recommends, and the only one that is read, in octets.
const GCM_NONCE_OCTETS: usize = 12;
/// RC2 knows no longer effective key (RFC 2268 §2), in bits.
const RC2_BITS_LIMIT: u16 = 1024;

/// A content-encryption algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Cipher {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
    /// Three keys; read, never written.
    TripleDesCbc,
    /// Read, never written.
    Rc2Cbc {
        /// The effective key length, 1 to 1024.
        bits: u16,
    },
}

impl Cipher {
    /// What is written, weakest first.
    pub const WRITTEN: [Self; 6] =
        [Self::Aes128Cbc, Self::Aes192Cbc, Self::Aes256Cbc, Self::Aes128Gcm, Self::Aes192Gcm, Self::Aes256Gcm];

    /// Its object identifier.
    pub const fn oid(self) -> Oid {
        match self {
            Self::Aes128Cbc => oid::AES128_CBC,
            Self::Aes192Cbc => oid::AES192_CBC,
            Self::Aes256Cbc => oid::AES256_CBC,
            Self::Aes128Gcm => oid::AES128_GCM,
            Self::Aes192Gcm => oid::AES192_GCM,
            Self::Aes256Gcm => oid::AES256_GCM,
            Self::TripleDesCbc => oid::DES_EDE3_CBC,
            Self::Rc2Cbc { .. } => oid::RC2_CBC,
        }
    }

    /// A name for people.
    pub fn name(self) -> String {
        match self {
            Self::Rc2Cbc { bits } => format!("RC2-CBC with {bits} bits"),
            other => oid::describe(&other.oid()),
        }
    }

    /// Octets of its key.
    pub fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes192Cbc | Self::Aes192Gcm | Self::TripleDesCbc => 24,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
            Self::Rc2Cbc { bits } => usize::from(bits.div_ceil(8)),
        }
    }

    /// Octets of its initialisation vector or nonce.
    pub const fn iv_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => GCM_NONCE_OCTETS,
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
            Self::TripleDesCbc | Self::Rc2Cbc { .. } => 8,
        }
    }

    /// Octets of a block of the underlying block cipher.
    pub const fn block_len(self) -> usize {
        match self {
            Self::TripleDesCbc | Self::Rc2Cbc { .. } => 8,
            _ => 16,
        }
    }

    /// Does it notice changes? Then it goes into AuthEnvelopedData (RFC 5083), else into EnvelopedData.
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm)
    }

    /// Read so that old mail can be opened, never written: blocks of 64 bits, or keys that can be searched.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::TripleDesCbc | Self::Rc2Cbc { .. })
    }
}

/// A cipher with its parameters. The initialisation vector has the cipher's length by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentEncryption {
    cipher: Cipher,
    iv: Vec<u8>,
    tag_len: usize,
}

impl ContentEncryption {
    /// A cipher with its initialisation vector and, where it is authenticated, a whole tag; `None` unless the vector
    /// has [`Cipher::iv_len`] octets.
    pub fn new(cipher: Cipher, iv: &[u8]) -> Option<Self> {
        let tag_len = if cipher.is_authenticated() { GCM_TAG_OCTETS } else { 0 };
        (iv.len() == cipher.iv_len()).then(|| Self { cipher, iv: iv.to_vec(), tag_len })
    }

    /// Reads the identifier: an IV as OCTET STRING (RFC 3565 §4.1, RFC 3370 §5.1), RC2-CBC's parameters (RFC 2268 §6),
    /// or GCMParameters (RFC 5084 §3.2). `None` where this engine does not know the algorithm.
    ///
    /// # Errors
    /// The parameters are malformed, or name a nonce or tag of a length that is refused.
    pub fn from_identifier(identifier: &AlgorithmIdentifier) -> Result<Option<Self>, Malformed> {
        let cipher = match identifier.oid {
            oid::AES128_CBC => Cipher::Aes128Cbc,
            oid::AES192_CBC => Cipher::Aes192Cbc,
            oid::AES256_CBC => Cipher::Aes256Cbc,
            oid::AES128_GCM => Cipher::Aes128Gcm,
            oid::AES192_GCM => Cipher::Aes192Gcm,
            oid::AES256_GCM => Cipher::Aes256Gcm,
            oid::DES_EDE3_CBC => Cipher::TripleDesCbc,
            oid::RC2_CBC => return rc2(&parameters(identifier)?).map(Some),
            _ => return Ok(None),
        };
        let element = parameters(identifier)?;
        if cipher.is_authenticated() {
            return gcm(cipher, &element).map(Some);
        }
        let iv = element.of(tag::OCTET_STRING, "a cipher has no initialisation vector")?;
        Self::new(cipher, iv.value)
            .map(Some)
            .ok_or(Malformed::new("an initialisation vector has another length than the cipher's block"))
    }

    /// As an identifier.
    pub fn identifier(&self) -> AlgorithmIdentifier {
        let iv = write::octet_string(&self.iv);
        let parameters = match self.cipher {
            Cipher::Rc2Cbc { bits } => write::sequence(&[&write::unsigned(&rc2_version(bits).to_be_bytes()), &iv]),
            cipher if cipher.is_authenticated() => {
                let length = u8::try_from(self.tag_len).unwrap_or_default();
                // RFC 5084 §3.2: aes-ICVlen is DEFAULT 12, and DER leaves a default out.
                let length = if self.tag_len == 12 { Vec::new() } else { write::unsigned(&[length]) };
                write::sequence(&[&iv, &length])
            }
            _ => iv,
        };
        AlgorithmIdentifier { oid: self.cipher.oid(), parameters: Some(parameters) }
    }

    /// The cipher.
    pub const fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The initialisation vector or nonce, [`Cipher::iv_len`] octets.
    pub fn iv(&self) -> &[u8] {
        &self.iv
    }

    /// Octets of the authentication tag, 12 to 16; 0 where the cipher is not authenticated.
    pub const fn tag_len(&self) -> usize {
        self.tag_len
    }
}

fn parameters(identifier: &AlgorithmIdentifier) -> Result<Tlv<'_>, Malformed> {
    Der::only(identifier.parameters.as_deref().ok_or(Malformed::new("a cipher has no parameters"))?)
}

/// `GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING, aes-ICVlen INTEGER (12 | … | 16) DEFAULT 12 }`.
fn gcm(cipher: Cipher, element: &Tlv<'_>) -> Result<ContentEncryption, Malformed> {
    let mut inside = element.of(tag::SEQUENCE, "AES-GCM has no parameters")?.inside();
    let nonce = inside.expect(tag::OCTET_STRING, "AES-GCM has no nonce")?.value;
    let tag_len = if inside.is_empty() { 12 } else { usize::try_from(inside.small()?).unwrap_or(usize::MAX) };
    inside.finish()?;
    if !(GCM_TAG_OCTETS_LEAST..=GCM_TAG_OCTETS).contains(&tag_len) {
        return Err(Malformed::new("AES-GCM names a tag of other than 12 to 16 octets"));
    }
    ContentEncryption::new(cipher, nonce)
        .map(|encryption| ContentEncryption { tag_len, ..encryption })
        .ok_or(Malformed::new("AES-GCM has a nonce of other than 12 octets"))
}

/// `SEQUENCE { rc2ParameterVersion INTEGER OPTIONAL, iv OCTET STRING }`, or the IV alone, which means 32 bits.
fn rc2(element: &Tlv<'_>) -> Result<ContentEncryption, Malformed> {
    let (bits, iv) = if element.tag == tag::OCTET_STRING {
        (32, element.value)
    } else {
        let mut inside = element.of(tag::SEQUENCE, "RC2 has no parameters")?.inside();
        let version = if inside.peek() == Some(tag::INTEGER) { Some(inside.small()?) } else { None };
        let iv = inside.expect(tag::OCTET_STRING, "RC2 has no initialisation vector")?.value;
        inside.finish()?;
        (version.map_or(Some(32), rc2_bits).ok_or(Malformed::new("RC2 names an impossible key length"))?, iv)
    };
    ContentEncryption::new(Cipher::Rc2Cbc { bits }, iv)
        .ok_or(Malformed::new("an initialisation vector has another length than the cipher's block"))
}

/// The effective key length that a parameter version stands for (RFC 2268 §6).
fn rc2_bits(version: u32) -> Option<u16> {
    let bits = match usize::try_from(version) {
        Ok(version) if version < RC2_VERSIONS.len() => {
            u16::try_from(RC2_VERSIONS.iter().position(|known| usize::from(*known) == version)?).ok()?
        }
        _ => u16::try_from(version).ok()?,
    };
    (1..=RC2_BITS_LIMIT).contains(&bits).then_some(bits)
}

fn rc2_version(bits: u16) -> u16 {
    RC2_VERSIONS.get(usize::from(bits)).map_or(bits, |version| u16::from(*version))
}

/// The table of RFC 2268 §6: the parameter version for an effective key length below 256 bits.
#[rustfmt::skip]
const RC2_VERSIONS: [u8; 256] = [
    0xbd, 0x56, 0xea, 0xf2, 0xa2, 0xf1, 0xac, 0x2a, 0xb0, 0x93, 0xd1, 0x9c, 0x1b, 0x33, 0xfd, 0xd0,
    0x30, 0x04, 0xb6, 0xdc, 0x7d, 0xdf, 0x32, 0x4b, 0xf7, 0xcb, 0x45, 0x9b, 0x31, 0xbb, 0x21, 0x5a,
    0x41, 0x9f, 0xe1, 0xd9, 0x4a, 0x4d, 0x9e, 0xda, 0xa0, 0x68, 0x2c, 0xc3, 0x27, 0x5f, 0x80, 0x36,
    0x3e, 0xee, 0xfb, 0x95, 0x1a, 0xfe, 0xce, 0xa8, 0x34, 0xa9, 0x13, 0xf0, 0xa6, 0x3f, 0xd8, 0x0c,
    0x78, 0x24, 0xaf, 0x23, 0x52, 0xc1, 0x67, 0x17, 0xf5, 0x66, 0x90, 0xe7, 0xe8, 0x07, 0xb8, 0x60,
    0x48, 0xe6, 0x1e, 0x53, 0xf3, 0x92, 0xa4, 0x72, 0x8c, 0x08, 0x15, 0x6e, 0x86, 0x00, 0x84, 0xfa,
    0xf4, 0x7f, 0x8a, 0x42, 0x19, 0xf6, 0xdb, 0xcd, 0x14, 0x8d, 0x50, 0x12, 0xba, 0x3c, 0x06, 0x4e,
    0xec, 0xb3, 0x35, 0x11, 0xa1, 0x88, 0x8e, 0x2b, 0x94, 0x99, 0xb7, 0x71, 0x74, 0xd3, 0xe4, 0xbf,
    0x3a, 0xde, 0x96, 0x0e, 0xbc, 0x0a, 0xed, 0x77, 0xfc, 0x37, 0x6b, 0x03, 0x79, 0x89, 0x62, 0xc6,
    0xd7, 0xc0, 0xd2, 0x7c, 0x6a, 0x8b, 0x22, 0xa3, 0x5b, 0x05, 0x5d, 0x02, 0x75, 0xd5, 0x61, 0xe3,
    0x18, 0x8f, 0x55, 0x51, 0xad, 0x1f, 0x0b, 0x5e, 0x85, 0xe5, 0xc2, 0x57, 0x63, 0xca, 0x3d, 0x6c,
    0xb4, 0xc5, 0xcc, 0x70, 0xb2, 0x91, 0x59, 0x0d, 0x47, 0x20, 0xc8, 0x4f, 0x58, 0xe0, 0x01, 0xe2,
    0x16, 0x38, 0xc4, 0x6f, 0x3b, 0x0f, 0x65, 0x46, 0xbe, 0x7e, 0x2d, 0x7b, 0x82, 0xf9, 0x40, 0xb5,
    0x1d, 0x73, 0xf8, 0xeb, 0x26, 0xc7, 0x87, 0x97, 0x25, 0x54, 0xb1, 0x28, 0xaa, 0x98, 0x9d, 0xa5,
    0x64, 0x6d, 0x7a, 0xd4, 0x10, 0x81, 0x44, 0xef, 0x49, 0xd6, 0xae, 0x2e, 0xdd, 0x76, 0x5c, 0x2f,
    0xa7, 0x1c, 0xc9, 0x09, 0x69, 0x9a, 0x83, 0xcf, 0x29, 0x39, 0xb9, 0xe9, 0x4c, 0xff, 0x43, 0xab,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_read_as_they_were_written() {
        let rc2 = [40, 64, 128, 255, 256, 1024].map(|bits| Cipher::Rc2Cbc { bits });
        for cipher in Cipher::WRITTEN.into_iter().chain([Cipher::TripleDesCbc]).chain(rc2) {
            let made = ContentEncryption::new(cipher, &vec![7; cipher.iv_len()]).unwrap();
            assert_eq!(ContentEncryption::from_identifier(&made.identifier()), Ok(Some(made)));
            assert_eq!(ContentEncryption::new(cipher, &vec![7; cipher.iv_len() + 1]), None);
        }
    }

    #[test]
    fn the_table_of_rc2_is_a_permutation_with_the_versions_of_rfc_3370() {
        let mut sorted = RC2_VERSIONS;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..=255));
        // RFC 3370 §5.2: 160 stands for 40 bits, 120 for 64, 58 for 128.
        assert_eq!([160, 120, 58].map(rc2_bits), [Some(40), Some(64), Some(128)]);
        assert_eq!([0xbd, 1025, 70_000].map(rc2_bits), [None; 3]);
    }

    #[test]
    fn odd_nonces_and_tags_are_refused() {
        let read = |parameters: Vec<u8>| {
            let identifier = AlgorithmIdentifier { oid: oid::AES256_GCM, parameters: Some(parameters) };
            ContentEncryption::from_identifier(&identifier).map(|read| read.map(|read| read.tag_len))
        };
        let nonce = |length| write::octet_string(&vec![1; length]);
        assert_eq!(read(write::sequence(&[&nonce(12)])), Ok(Some(12)));
        assert_eq!(read(write::sequence(&[&nonce(12), &write::unsigned(&[16])])), Ok(Some(16)));
        for tag in [0, 4, 8, 11, 17] {
            assert!(read(write::sequence(&[&nonce(12), &write::unsigned(&[tag])])).is_err(), "{tag}");
        }
        for length in [0, 8, 11, 13, 16] {
            assert!(read(write::sequence(&[&nonce(length), &write::unsigned(&[16])])).is_err(), "{length}");
        }
        assert!(read(write::NULL.to_vec()).is_err());
    }
}
