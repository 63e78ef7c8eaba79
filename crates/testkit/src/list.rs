//! Revocation lists of any shape.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::{Crl, Reason};

use crate::factory::Authority;
use crate::{in_days, sign, write};

/// Builds one list. Without more said it is empty, a day old, and good for six days.
#[derive(Clone)]
pub struct CrlFactory {
    this_update: Time,
    next_update: Option<Time>,
    entries: Vec<Vec<u8>>,
    extensions: Vec<(Oid, bool, Vec<u8>)>,
}

impl Default for CrlFactory {
    fn default() -> Self {
        Self {
            this_update: in_days(-1),
            next_update: Some(in_days(6)),
            entries: Vec::new(),
            extensions: vec![(oid::CRL_NUMBER, false, der::unsigned(&[7]))],
        }
    }
}

impl CrlFactory {
    /// Other dates.
    #[must_use]
    pub fn dated(mut self, this_update: Time, next_update: Option<Time>) -> Self {
        (self.this_update, self.next_update) = (this_update, next_update);
        self
    }

    /// With this certificate on it.
    #[must_use]
    pub fn revoking(self, certificate: &Certificate, when: Time, reason: Option<Reason>) -> Self {
        let extension = reason.map(|reason| {
            let value = der::element(tag::ENUMERATED, &[&[reason.number()]]);
            (oid::REASON_CODE, false, value)
        });
        self.entry(certificate.serial(), when, extension)
    }

    /// With an entry that has any extension.
    #[must_use]
    pub fn entry(mut self, serial: &[u8], when: Time, extension: Option<(Oid, bool, Vec<u8>)>) -> Self {
        let extensions = extension.map(|one| extensions(&[one])).unwrap_or_default();
        self.entries.push(der::sequence(&[&der::element(tag::INTEGER, &[serial]), &when.to_der(), &extensions]));
        self
    }

    /// With an extension, replacing one of the same name; the value in DER.
    #[must_use]
    pub fn with(mut self, id: Oid, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.retain(|(other, ..)| *other != id);
        self.extensions.push((id, critical, value));
        self
    }

    /// The octets, signed by this CA.
    pub fn der(&self, issuer: &Authority) -> Vec<u8> {
        let algorithm = issuer.key.algorithm().identifier().expect("a signing key has an identifier").to_der();
        let next = self.next_update.map(Time::to_der).unwrap_or_default();
        let entries = if self.entries.is_empty() { Vec::new() } else { write::list(&self.entries) };
        let signed = der::sequence(&[
            &der::unsigned(&[1]),
            &algorithm,
            issuer.certificate.subject().raw(),
            &self.this_update.to_der(),
            &next,
            &entries,
            &der::context(0, &[&extensions(&self.extensions)]),
        ]);
        let signature = sign(issuer.key, &signed);
        der::sequence(&[&signed, &algorithm, &der::bit_string(&signature)])
    }

    /// The list, signed by this CA.
    pub fn signed_by(&self, issuer: &Authority) -> Crl {
        Crl::parse(&self.der(issuer)).expect("the factory makes what can be read")
    }
}

fn extensions(all: &[(Oid, bool, Vec<u8>)]) -> Vec<u8> {
    let all: Vec<Vec<u8>> = all
        .iter()
        .map(|(id, critical, value)| {
            let critical = if *critical { der::boolean(true) } else { Vec::new() };
            der::sequence(&[&der::oid(id), &critical, &der::octet_string(value)])
        })
        .collect();
    write::list(&all)
}
