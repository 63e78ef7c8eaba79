//! The digests of one content, all in one pass by whoever reads it: while it is scanned, or afterwards.

use std::io::{self, Write};

use kakitome_pki::algorithm::{Digest, Signature};
use kakitome_pki::asn1::tag;
use kakitome_pki::crypto::{DigestValue, Hasher};

use super::signed::SignedData;
use super::signer::SignerInfo;

/// How much of the beginning is kept, in octets: enough to see what it is.
pub const HEAD: usize = 4096;
/// A content that is signed as a whole (Ed25519 or ML-DSA without signed attributes) is kept up to this length, in
/// octets. Longer ones are not verified: programs that sign them without attributes would have to hold them too.
pub const WHOLE_LIMIT: usize = 1024 * 1024;

/// A content that is being digested: write it here, in the form that is signed.
pub struct Hashing {
    hashers: Vec<(Digest, Hasher)>,
    kept: Vec<u8>,
    keep: usize,
    length: u64,
}

/// The digests of a content.
pub struct Hashed {
    values: Vec<(Digest, DigestValue)>,
    kept: Vec<u8>,
    keep: usize,
    length: u64,
}

impl Hashing {
    /// These digests.
    pub fn new(digests: impl IntoIterator<Item = Digest>) -> Self {
        let mut hashers: Vec<(Digest, Hasher)> = Vec::new();
        for digest in digests {
            if hashers.iter().all(|(known, _)| *known != digest) {
                hashers.push((digest, Hasher::new(digest)));
            }
        }
        Self { hashers, kept: Vec::new(), keep: HEAD, length: 0 }
    }

    /// What the signer infos of `signed` need.
    pub fn of(signed: &SignedData) -> Self {
        let keep = if signed.signers.iter().any(signs_whole) { WHOLE_LIMIT } else { HEAD };
        Self { keep, ..Self::new(signed.signers.iter().filter_map(digest)) }
    }

    /// Ends the content.
    pub fn finish(self) -> Hashed {
        let values = self.hashers.into_iter().map(|(digest, hasher)| (digest, hasher.finish())).collect();
        Hashed { values, kept: self.kept, keep: self.keep, length: self.length }
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (_, hasher) in &mut self.hashers {
            hasher.update(bytes);
        }
        // The beginning is looked at only where it begins like attributes; the whole is kept where it is signed itself.
        let keeps =
            self.keep > HEAD || self.kept.first().or(bytes.first().filter(|_| self.length == 0)) == Some(&tag::SET);
        let room = if keeps { self.keep.saturating_sub(self.kept.len()).min(bytes.len()) } else { 0 };
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Hashed {
    /// The value of one digest, if it was computed.
    pub fn value(&self, digest: Digest) -> Option<&DigestValue> {
        self.values.iter().find(|(known, _)| *known == digest).map(|(_, value)| value)
    }

    /// Does it suffice to verify the signer infos of `signed`?
    pub fn covers(&self, signed: &SignedData) -> bool {
        let whole = self.keep >= WHOLE_LIMIT || self.whole().is_some();
        signed.signers.iter().all(|signer| {
            let known = digest(signer).is_none_or(|digest| self.value(digest).is_some());
            known && (whole || !signs_whole(signer))
        })
    }

    /// The first octets, [`HEAD`] of them if there are so many, of a content that begins like a SET; of another none.
    pub fn head(&self) -> &[u8] {
        self.kept.get(..HEAD).unwrap_or(&self.kept)
    }

    /// The whole content, if it was kept.
    pub fn whole(&self) -> Option<&[u8]> {
        (u64::try_from(self.kept.len()) == Ok(self.length)).then_some(&self.kept)
    }
}

fn digest(signer: &SignerInfo) -> Option<Digest> {
    Digest::from_oid(&signer.digest_algorithm.oid)
}

/// Is the signature over the content itself, and not over a digest of it?
fn signs_whole(signer: &SignerInfo) -> bool {
    let algorithm = || Signature::from_identifier(&signer.signature_algorithm, digest(signer)).ok().flatten();
    signer.signed_attributes.is_none() && algorithm().is_some_and(Signature::is_pure)
}
