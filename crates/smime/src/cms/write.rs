//! The writing of signed-data in DER, by ask and answer: the exact octets to sign go out, the signature comes back.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest, Signature};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto;

/// A signer info that waits for its signature.
#[derive(Clone, Debug)]
pub struct SignatureRequest {
    /// The octets to sign: the signed attributes as a SET OF (RFC 5652 §5.4).
    pub octets: Vec<u8>,
    /// With which algorithm.
    pub algorithm: Signature,
    digest: Digest,
    identifier: AlgorithmIdentifier,
}

/// Nothing signs with this algorithm here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWritten;

impl SignatureRequest {
    /// Asks for a signature over a content of this digest, by the key of `certificate`.
    ///
    /// The attributes: content type, signing time (where given), message digest, S/MIME capabilities,
    /// signing-certificate-v2, CMS algorithm protection.
    ///
    /// # Errors
    /// [`NotWritten`]: an algorithm that is only read.
    pub fn new(
        certificate: &Certificate,
        algorithm: Signature,
        digest: Digest,
        value: &[u8],
        signing_time: Option<Time>,
    ) -> Result<Self, NotWritten> {
        let identifier = algorithm.identifier().ok_or(NotWritten)?;
        let mut attributes = vec![
            attribute(oid::CONTENT_TYPE, &write::oid(&oid::DATA)),
            attribute(oid::MESSAGE_DIGEST, &write::octet_string(value)),
            attribute(oid::SMIME_CAPABILITIES, &capabilities()),
            attribute(oid::SIGNING_CERTIFICATE_V2, &signing_certificate(certificate)),
            attribute(oid::CMS_ALGORITHM_PROTECTION, &algorithm_protection(digest, &identifier)),
        ];
        if let Some(time) = signing_time {
            attributes.push(attribute(oid::SIGNING_TIME, &time.to_der()));
        }
        Ok(Self { octets: write::set_of(attributes), algorithm, digest, identifier })
    }

    /// Puts the answer in: the CMS object around a content of `content` octets, which the caller writes between the
    /// two halves (opaque signing), or around none (clear signing: the halves join). `chain` are the certificates
    /// that travel along, the signer's own among them.
    pub fn assemble(
        &self,
        signature: &[u8],
        signer: &Certificate,
        chain: &[Certificate],
        content: Option<usize>,
    ) -> (Vec<u8>, Vec<u8>) {
        let mut set = self.octets.clone();
        // RFC 5652 §5.3: in the message the attributes carry the tag [0], not that of the SET that was signed.
        if let Some(first) = set.first_mut() {
            *first = tag::context_constructed(0);
        }
        let sid = write::sequence(&[signer.issuer().raw(), &write::element(tag::INTEGER, &[signer.serial()])]);
        let digest = digest_identifier(self.digest);
        let info = write::sequence(&[
            &write::unsigned(&[1]),
            &sid,
            &digest,
            &set,
            &self.identifier.to_der(),
            &write::octet_string(signature),
        ]);
        let mut certificates: Vec<&[u8]> = chain.iter().map(Certificate::raw).collect();
        certificates.sort_unstable();
        let tail =
            [write::element(tag::context_constructed(0), &certificates), write::element(tag::SET, &[&info])].concat();

        // From the inside out: each header counts what stands after it, the content included.
        let (mut head, content) = match content {
            Some(length) => (write::header(tag::OCTET_STRING, length), length),
            None => (Vec::new(), 0),
        };
        if !head.is_empty() {
            wrap(&mut head, tag::context_constructed(0), content, &[]);
        }
        wrap(&mut head, tag::SEQUENCE, content, &[&write::oid(&oid::DATA)]);
        let outside = content.saturating_add(tail.len());
        let version = write::unsigned(&[1]);
        wrap(&mut head, tag::SEQUENCE, outside, &[&version, &write::element(tag::SET, &[&digest])]);
        wrap(&mut head, tag::context_constructed(0), outside, &[]);
        wrap(&mut head, tag::SEQUENCE, outside, &[&write::oid(&oid::SIGNED_DATA)]);
        (head, tail)
    }
}

/// Puts an element around `head` and `after` more octets, with `first` as its first members.
fn wrap(head: &mut Vec<u8>, tag: u8, after: usize, first: &[&[u8]]) {
    let first = first.concat();
    let length = first.len().saturating_add(head.len()).saturating_add(after);
    *head = [write::header(tag, length), first, std::mem::take(head)].concat();
}

fn attribute(kind: Oid, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(&kind), &write::element(tag::SET, &[value])])
}

/// RFC 5754 §2: the parameters of the SHA-2 digests are absent.
fn digest_identifier(digest: Digest) -> Vec<u8> {
    write::sequence(&[&write::oid(&digest.oid())])
}

/// What we can open (RFC 8551 §2.5.2), best first.
fn capabilities() -> Vec<u8> {
    let listed: Vec<Vec<u8>> = [oid::AES256_GCM, oid::AES256_CBC, oid::AES128_CBC]
        .iter()
        .map(|algorithm| write::sequence(&[&write::oid(algorithm)]))
        .collect();
    let listed: Vec<&[u8]> = listed.iter().map(Vec::as_slice).collect();
    write::sequence(&listed)
}

/// `SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2 }` with the default hash, SHA-256 (RFC 5035 §3).
fn signing_certificate(certificate: &Certificate) -> Vec<u8> {
    let names = write::sequence(&[&write::context(4, &[certificate.issuer().raw()])]);
    let serial = write::element(tag::INTEGER, &[certificate.serial()]);
    let id = write::sequence(&[
        &write::octet_string(&crypto::sha256(certificate.raw())),
        &write::sequence(&[&names, &serial]),
    ]);
    write::sequence(&[&write::sequence(&[&id])])
}

/// RFC 6211 §2: digest algorithm, and the signature algorithm under `[1] IMPLICIT`.
fn algorithm_protection(digest: Digest, identifier: &AlgorithmIdentifier) -> Vec<u8> {
    let parameters = identifier.parameters.as_deref().unwrap_or_default();
    let signature = write::context(1, &[&write::oid(&identifier.oid), parameters]);
    write::sequence(&[&digest_identifier(digest), &signature])
}
