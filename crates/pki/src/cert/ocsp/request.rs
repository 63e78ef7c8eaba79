//! The question to an OCSP responder (RFC 6960 §4.1).

use crate::algorithm::Digest;
use crate::asn1::{oid, tag, write};
use crate::cert::Certificate;
use crate::cert::extension::key_bits;
use crate::crypto;

/// How long a nonce is (RFC 9654 §2.1), in octets.
pub const NONCE_OCTETS: usize = 32;

/// Asks about one certificate of this issuer; unsigned. `None` if the issuer's key cannot be taken apart.
///
/// SHA-1 names the issuer, because RFC 5019 §2.1.1 demands it and many responders know nothing else. Nothing rests on it:
/// the answer is compared with certificate and issuer, and is signed.
///
/// ```asn1
/// OCSPRequest ::= SEQUENCE { tbsRequest SEQUENCE { requestList SEQUENCE OF SEQUENCE { reqCert CertID },
///     requestExtensions [2] EXPLICIT Extensions OPTIONAL } }
/// ```
pub fn request(which: &Certificate, issuer: &Certificate, nonce: Option<&[u8]>) -> Option<Vec<u8>> {
    let hash = |octets: &[u8]| write::octet_string(&crypto::sha1_identifier(octets));
    let id = write::sequence(&[
        &write::sequence(&[&write::oid(&Digest::Sha1.oid()), write::NULL]),
        &hash(which.issuer().raw()),
        &hash(key_bits(issuer.spki())?),
        &write::element(tag::INTEGER, &[which.serial()]),
    ]);
    let list = write::sequence(&[&write::sequence(&[&id])]);
    let extensions = nonce.map(|nonce| {
        let value = write::octet_string(&write::octet_string(nonce));
        let extension = write::sequence(&[&write::oid(&oid::OCSP_NONCE), &value]);
        write::context(2, &[&write::sequence(&[&extension])])
    });
    Some(write::sequence(&[&write::sequence(&[&list, &extensions.unwrap_or_default()])]))
}
