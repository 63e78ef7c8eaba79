//! The writing of signed-data in DER, by ask and answer: the exact octets to sign go out, the signature comes back.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest, Signature};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto;

use super::capability::{Capabilities, EncryptionKeyPreference};

/// The headers of two elements fit into so many octets.
const ROOM: usize = 32;
/// INTEGER 1.
const VERSION_1: &[u8] = &[tag::INTEGER, 1, 1];

/// Nothing signs with this algorithm here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWritten;

/// A signer, with everything about his signatures that is the same for every mail: made once for many.
#[derive(Clone, Debug)]
pub struct Signer {
    algorithm: Signature,
    digest: Digest,
    /// The attributes that do not depend on the content.
    attributes: Vec<Vec<u8>>,
    /// Version, signer identifier and digest algorithm of the signer info.
    begins: Vec<u8>,
    /// The signature algorithm.
    identifier: Vec<u8>,
    /// The certificates that travel along, in DER.
    certificates: Vec<Vec<u8>>,
    /// Content type and digest algorithms of the signed-data.
    data: Vec<u8>,
    digests: Vec<u8>,
}

impl Signer {
    /// The owner of `certificate`, who signs by `algorithm` over a message digest by `digest`. `chain` are the
    /// certificates that travel along, the signer's own among them.
    ///
    /// His signed attributes: content type, signing time (where given), message digest, S/MIME capabilities,
    /// signing-certificate-v2, CMS algorithm protection.
    ///
    /// # Errors
    /// [`NotWritten`]: an algorithm that is only read.
    pub fn new(
        certificate: &Certificate,
        chain: &[Certificate],
        algorithm: Signature,
        digest: Digest,
    ) -> Result<Self, NotWritten> {
        let identifier = algorithm.identifier().ok_or(NotWritten)?;
        if digest.is_weak() {
            return Err(NotWritten);
        }
        let attributes = vec![
            attribute(oid::CONTENT_TYPE, &write::oid(&oid::DATA)),
            attribute(oid::SMIME_CAPABILITIES, &Capabilities::own().to_der()),
            attribute(oid::SIGNING_CERTIFICATE_V2, &signing_certificate(certificate)),
            attribute(oid::CMS_ALGORITHM_PROTECTION, &algorithm_protection(digest, &identifier)),
        ];
        let serial = write::element(tag::INTEGER, &[certificate.serial()]);
        let sid = write::sequence(&[certificate.issuer().raw(), &serial]);
        // RFC 5652 §5.3: version 1 goes with issuer and serial number.
        let begins = [write::unsigned(&[1]), sid, digest_identifier(digest)].concat();
        let mut certificates: Vec<Vec<u8>> = chain.iter().map(|certificate| certificate.raw().to_vec()).collect();
        certificates.sort_unstable();
        Ok(Self {
            algorithm,
            digest,
            attributes,
            begins,
            identifier: identifier.to_der(),
            certificates,
            data: write::oid(&oid::DATA),
            digests: write::element(tag::SET, &[&digest_identifier(digest)]),
        })
    }

    /// Tells every reader which certificate mail to the signer is to be encrypted to: it travels along, and a signed
    /// attribute names it (RFC 8551 §2.5.3). For signers whose own certificate is for signing alone.
    #[must_use]
    pub fn encrypting_to(mut self, certificate: &Certificate) -> Self {
        let preference = EncryptionKeyPreference::of(certificate).to_der();
        self.attributes.push(attribute(oid::ENCRYPTION_KEY_PREFERENCE, &preference));
        if let Err(place) = self.certificates.binary_search_by(|one| one.as_slice().cmp(certificate.raw())) {
            self.certificates.insert(place, certificate.raw().to_vec());
        }
        self
    }

    /// With which algorithm he signs.
    pub fn algorithm(&self) -> Signature {
        self.algorithm
    }

    /// The message digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The octets to sign for a content of this digest: the signed attributes as a SET OF (RFC 5652 §5.4).
    pub fn octets(&self, value: &[u8], signing_time: Option<Time>) -> Vec<u8> {
        let digest = attribute(oid::MESSAGE_DIGEST, &write::octet_string(value));
        let time = signing_time.map(|time| attribute(oid::SIGNING_TIME, &time.to_der()));
        let own = self.attributes.iter().chain([&digest]).chain(&time);
        write::set_of(own.map(Vec::as_slice).collect())
    }

    /// The CMS object with the signature of `octets`: around a content of `content` octets, which the caller writes
    /// between the two halves (opaque signing), or around none (clear signing: the halves join).
    pub fn assemble(&self, octets: &[u8], signature: &[u8], content: Option<usize>) -> (Vec<u8>, Vec<u8>) {
        // RFC 5652 §5.3: in the message the attributes carry the tag [0], not that of the SET that was signed.
        let (own_tag, attributes) = ([tag::context_constructed(0)], octets.get(1..).unwrap_or_default());
        let signature = write::octet_string(signature);
        let info = write::sequence(&[&self.begins, &own_tag, attributes, &self.identifier, &signature]);
        let certificates: Vec<&[u8]> = self.certificates.iter().map(Vec::as_slice).collect();
        let length = certificates.iter().map(|one| one.len()).sum::<usize>().saturating_add(info.len());
        let mut tail = Vec::with_capacity(length.saturating_add(ROOM));
        write::append(&mut tail, tag::context_constructed(0), &certificates);
        write::append(&mut tail, tag::SET, &[&info]);

        // From the inside out: each header counts what stands after it, the content included.
        let (mut head, content) = match content {
            Some(length) => (write::header(tag::OCTET_STRING, length), length),
            None => (Vec::new(), 0),
        };
        if !head.is_empty() {
            write::wrap(&mut head, tag::context_constructed(0), content, &[]);
        }
        write::wrap(&mut head, tag::SEQUENCE, content, &[&self.data]);
        let outside = content.saturating_add(tail.len());
        write::wrap(&mut head, tag::SEQUENCE, outside, &[VERSION_1, &self.digests]);
        write::wrap(&mut head, tag::context_constructed(0), outside, &[]);
        write::wrap(&mut head, tag::SEQUENCE, outside, &[&write::oid(&oid::SIGNED_DATA)]);
        (head, tail)
    }
}

fn attribute(kind: Oid, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(&kind), &write::element(tag::SET, &[value])])
}

/// RFC 5754 §2: the parameters of the SHA-2 digests are absent.
fn digest_identifier(digest: Digest) -> Vec<u8> {
    write::sequence(&[&write::oid(&digest.oid())])
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
