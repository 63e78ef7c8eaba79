//! Revocation lists (RFC 5280 §5), made by ask and answer like certificates.

use super::profile::point;
use super::{NotIssued, ToSign, default_algorithm, framed, rehearsed};
use crate::asn1::time::Time;
use crate::asn1::{Oid, oid, tag, write};
use crate::cert::Certificate;
use crate::cert::crl::{Crl, Reason, Revoked};
use crate::cert::extension::key_identifier;
use crate::crypto::{PublicKey, SigningKey};

/// What a list is to say.
#[derive(Clone, Copy, Debug)]
pub struct ListPlan<'a> {
    /// Whose list.
    pub issuer: &'a Certificate,
    /// Its number: higher than that of every list of this issuer and place before it (RFC 5280 §5.2.3).
    pub number: u64,
    /// When it was known to be so.
    pub this_update: Time,
    /// When there will be a newer one, at the latest.
    pub next_update: Time,
    /// The places that it belongs to: then only certificates that name one of them are on it (RFC 5280 §5.2.5).
    pub points: &'a [String],
    /// The contents octets of each serial number, and what is said of it.
    pub entries: &'a [(Vec<u8>, Revoked)],
}

/// A list that wants only its signature.
#[derive(Debug)]
pub struct ListDraft {
    key: PublicKey,
    to_sign: ToSign,
}

impl ListDraft {
    /// Prepares a list.
    ///
    /// # Errors
    /// [`NotIssued::Key`] for an issuer's key that does not sign here; [`NotIssued::Dates`] if it would be due before it
    /// begins.
    pub fn new(plan: &ListPlan<'_>) -> Result<Self, NotIssued> {
        if plan.next_update <= plan.this_update {
            return Err(NotIssued::Dates);
        }
        let key = PublicKey::parse(plan.issuer.spki()).map_err(|error| NotIssued::Key(error.to_string()))?;
        let algorithm = default_algorithm(&key).ok_or_else(|| NotIssued::Key(key.describe()))?;
        let identifier = algorithm.identifier().ok_or(NotIssued::Signature)?;
        let named = plan.issuer.extensions().subject_key_id.clone();
        let key_id = named.or_else(|| key_identifier(plan.issuer.spki())).unwrap_or_default();
        let mut extensions = vec![
            extension(&oid::AUTHORITY_KEY_IDENTIFIER, false, &write::sequence(&[&write::element(0x80, &[&key_id])])),
            extension(&oid::CRL_NUMBER, false, &write::unsigned(&plan.number.to_be_bytes())),
        ];
        if !plan.points.is_empty() {
            // RFC 5280 §5.2.5: critical.
            extensions.push(extension(
                &oid::ISSUING_DISTRIBUTION_POINT,
                true,
                &write::sequence(&[&point(plan.points)]),
            ));
        }
        let entries: Vec<Vec<u8>> = plan.entries.iter().map(|(serial, revoked)| entry(serial, revoked)).collect();
        // RFC 5280 §5.1.2.6: absent where nothing is revoked.
        let entries = if entries.is_empty() { Vec::new() } else { sequence_of(&entries) };
        let bytes = write::sequence(&[
            &write::unsigned(&[1]),
            &identifier.to_der(),
            plan.issuer.subject().raw(),
            &plan.this_update.to_der(),
            &plan.next_update.to_der(),
            &entries,
            &write::context(0, &[&sequence_of(&extensions)]),
        ]);
        Ok(Self { key, to_sign: ToSign { bytes, algorithm } })
    }

    /// What the issuer's key is to sign.
    pub fn to_sign(&self) -> &ToSign {
        &self.to_sign
    }

    /// The list as it will be, under a throw-away key, to be looked at before the issuer signs.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if the key is of another kind.
    pub fn rehearse(&self, throw_away: &SigningKey) -> Result<Vec<u8>, NotIssued> {
        rehearsed(&self.to_sign, throw_away)
    }

    /// Takes the signature and yields the list in DER.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if it does not verify.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, NotIssued> {
        let ToSign { bytes, algorithm } = &self.to_sign;
        self.key.verify(*algorithm, bytes, signature).map_err(|_| NotIssued::Signature)?;
        framed(&self.to_sign, signature)
    }

    /// Signs with a key that is at hand.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if the key is not the issuer's.
    pub fn sign(self, key: &SigningKey) -> Result<Vec<u8>, NotIssued> {
        let signature = key.sign(self.to_sign.algorithm, &self.to_sign.bytes).map_err(|_| NotIssued::Signature)?;
        self.assemble(&signature)
    }
}

fn entry(serial: &[u8], revoked: &Revoked) -> Vec<u8> {
    // RFC 5280 §5.3.1: unspecified is told by saying nothing.
    let reason = revoked.reason.filter(|reason| *reason != Reason::Unspecified).map(|reason| {
        let code = write::element(tag::ENUMERATED, &[&[reason.number()]]);
        write::sequence(&[&extension(&oid::REASON_CODE, false, &code)])
    });
    write::sequence(&[
        &write::element(tag::INTEGER, &[serial]),
        &revoked.when.to_der(),
        reason.as_deref().unwrap_or_default(),
    ])
}

/// Extension of RFC 5280 §4.1.
pub(super) fn extension(id: &Oid, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { write::boolean(true) } else { Vec::new() };
    write::sequence(&[&write::oid(id), &critical, &write::octet_string(value)])
}

pub(super) fn sequence_of(parts: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    write::sequence(&parts)
}

/// What is wrong with a list by RFC 5280 §5 and the S/MIME Baseline Requirements §7.2; empty where nothing is.
///
/// It is looked at under a throw-away key, so the signature is no matter of this.
pub fn lint(list: &Crl) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let mut note = |what, holds: bool| {
        if holds {
            wrong.push(what);
        }
    };
    note("the list has no number", list.number().is_none());
    note("the number has more than 20 octets", list.number().is_some_and(|number| number.len() > 20));
    note("the list does not say by which key it is signed", list.authority_key_id().is_none());
    note("a critical extension is unknown", list.unknown_critical().is_some());
    note("the list has no end", list.next_update().is_none());
    note("the list is due before it begins", list.next_update().is_some_and(|next| next <= list.this_update()));
    let mut before: Option<&[u8]> = None;
    for (serial, revoked, _) in list.entries() {
        note("a certificate stands on it twice", before == Some(serial));
        note("a certificate is to be revoked later than the list begins", revoked.when > list.this_update());
        // RFC 5280 §5.3.1: SHOULD be absent; removeFromCRL is for delta lists alone.
        let odd = matches!(revoked.reason, Some(Reason::Unspecified | Reason::RemoveFromCrl));
        note("a reason is written that no such list may have", odd);
        before = Some(serial);
    }
    wrong.dedup();
    wrong
}
