//! OCSP responses of any shape.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Reason;
use kakitome_pki::cert::extension::{key_bits, key_identifier};
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::crypto;

use crate::factory::Authority;
use crate::{in_days, sign, write};

/// What one answer says.
#[derive(Clone, Copy)]
pub enum Says {
    /// Good.
    Good,
    /// Revoked then, for this reason.
    Revoked(Time, Option<Reason>),
    /// Not known.
    Unknown,
}

/// Builds one response. Without more said it is signed an hour ago and good for six days.
#[derive(Clone)]
pub struct OcspFactory {
    digest: Digest,
    by_key: bool,
    this_update: Time,
    next_update: Option<Time>,
    answers: Vec<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
    answer_extension: Option<(Oid, bool, Vec<u8>)>,
    certificates: Vec<Certificate>,
}

impl Default for OcspFactory {
    fn default() -> Self {
        Self {
            digest: Digest::Sha1,
            by_key: false,
            this_update: in_days(-1),
            next_update: Some(in_days(6)),
            answers: Vec::new(),
            extensions: Vec::new(),
            answer_extension: None,
            certificates: Vec::new(),
        }
    }
}

impl OcspFactory {
    /// Naming certificates by another hash; for the answers added from here on.
    #[must_use]
    pub fn hashing(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// The responder is named by his key.
    #[must_use]
    pub fn by_key(mut self) -> Self {
        self.by_key = true;
        self
    }

    /// Other dates; for the answers added from here on.
    #[must_use]
    pub fn dated(mut self, this_update: Time, next_update: Option<Time>) -> Self {
        (self.this_update, self.next_update) = (this_update, next_update);
        self
    }

    /// With this extension in each answer added from here on.
    #[must_use]
    pub fn each_with(mut self, id: Oid, critical: bool, value: Vec<u8>) -> Self {
        self.answer_extension = Some((id, critical, value));
        self
    }

    /// With an answer about a certificate of this issuer.
    #[must_use]
    pub fn about(mut self, which: &Certificate, issuer: &Certificate, says: Says) -> Self {
        let hash = |bytes: &[u8]| der::octet_string(crypto::digest(self.digest, bytes).as_ref());
        let id = der::sequence(&[
            &der::sequence(&[&der::oid(&self.digest.oid()), der::NULL]),
            &hash(which.issuer().raw()),
            &hash(key_bits(issuer.spki()).expect("a key has bits")),
            &der::element(tag::INTEGER, &[which.serial()]),
        ]);
        let says = match says {
            Says::Good => der::element(0x80, &[]),
            Says::Unknown => der::element(0x82, &[]),
            Says::Revoked(when, reason) => {
                let reason =
                    reason.map(|reason| der::context(0, &[&der::element(tag::ENUMERATED, &[&[reason.number()]])]));
                der::context(1, &[&generalized(when), &reason.unwrap_or_default()])
            }
        };
        let next = self.next_update.map(|next| der::context(0, &[&generalized(next)])).unwrap_or_default();
        let extension = self
            .answer_extension
            .as_ref()
            .map(|(id, critical, value)| der::context(1, &[&write::list(&[extension(id, *critical, value)])]))
            .unwrap_or_default();
        self.answers.push(der::sequence(&[&id, &says, &generalized(self.this_update), &next, &extension]));
        self
    }

    /// With a nonce.
    #[must_use]
    pub fn nonce(mut self, nonce: &[u8]) -> Self {
        self.extensions.push(extension(&oid::OCSP_NONCE, false, &der::octet_string(nonce)));
        self
    }

    /// With this certificate travelling along.
    #[must_use]
    pub fn carrying(mut self, certificate: &Certificate) -> Self {
        self.certificates.push(certificate.clone());
        self
    }

    /// The octets, signed by this responder.
    pub fn der(&self, responder: &Authority) -> Vec<u8> {
        let key = responder.key;
        let algorithm = key.algorithm().identifier().expect("a signing key has an identifier");
        self.der_by(&responder.certificate, &algorithm, |signed| sign(key, signed))
    }

    /// The octets, signed by the owner of this certificate in whatever way.
    pub fn der_by(
        &self,
        responder: &Certificate,
        algorithm: &AlgorithmIdentifier,
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let named = if self.by_key {
            let key = key_identifier(responder.spki()).expect("a key has an identifier");
            der::context(2, &[&der::octet_string(&key)])
        } else {
            der::context(1, &[responder.subject().raw()])
        };
        let extensions = match self.extensions.as_slice() {
            [] => Vec::new(),
            extensions => der::context(1, &[&write::list(extensions)]),
        };
        let signed = der::sequence(&[&named, &generalized(self.this_update), &write::list(&self.answers), &extensions]);
        let signature = sign(&signed);
        let certificates: Vec<Vec<u8>> = self.certificates.iter().map(|one| one.raw().to_vec()).collect();
        let certificates = match certificates.as_slice() {
            [] => Vec::new(),
            certificates => der::context(0, &[&write::list(certificates)]),
        };
        let basic = der::sequence(&[&signed, &algorithm.to_der(), &der::bit_string(&signature), &certificates]);
        let bytes = der::sequence(&[&der::oid(&oid::OCSP_BASIC), &der::octet_string(&basic)]);
        der::sequence(&[&der::element(tag::ENUMERATED, &[&[0]]), &der::context(0, &[&bytes])])
    }

    /// The response, signed by this responder.
    pub fn signed_by(&self, responder: &Authority) -> OcspResponse {
        OcspResponse::parse(&self.der(responder)).expect("the factory makes what can be read")
    }
}

/// RFC 6960 knows GeneralizedTime alone.
fn generalized(time: Time) -> Vec<u8> {
    let digits: String = time.to_string().chars().filter(|c| c.is_ascii_digit()).collect();
    der::element(tag::GENERALIZED_TIME, &[digits.as_bytes(), b"Z"])
}

fn extension(id: &Oid, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { der::boolean(true) } else { Vec::new() };
    der::sequence(&[&der::oid(id), &critical, &der::octet_string(value)])
}
