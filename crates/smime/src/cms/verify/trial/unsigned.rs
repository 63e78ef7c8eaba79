//! What others put on a signature afterwards, in its unsigned attributes: time-stamps and counter-signatures, on one
//! budget for the whole message.

use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;

use super::{Signed, Trial};
use crate::Finding;
use crate::cms::attribute::Attribute;
use crate::cms::signed::SignedData;
use crate::cms::signer::SignerInfo;
use crate::cms::verify::timestamp::{Timestamped, timestamped};

/// Counter-signatures are followed this deep: one, and one on it.
pub const COUNTERSIGNATURE_DEPTH_LIMIT: usize = 2;
/// A message may have this many counter-signatures that are verified.
pub const COUNTERSIGNATURE_LIMIT: usize = 20;
/// A message may have this many time-stamps that are verified.
pub const TIMESTAMP_LIMIT: usize = 5;

/// A signature over a signature (RFC 5652 §11.4): it says nothing about the sender of a mail.
#[derive(Debug)]
pub struct Countersigned {
    /// The certificate that it names.
    pub claimed: Option<Certificate>,
    /// Does it hold? Whose key it is, and whether that is believed, is not asked.
    pub holds: bool,
    /// The time that it claims.
    pub signing_time: Option<Time>,
    /// What is to be said of it.
    pub findings: Vec<Finding>,
    /// Who signed it in turn.
    pub countersignatures: Vec<Self>,
}

/// What one message may cost.
pub(in crate::cms::verify) struct Budget {
    countersignatures: usize,
    timestamps: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { countersignatures: COUNTERSIGNATURE_LIMIT, timestamps: TIMESTAMP_LIMIT }
    }
}

impl Trial<'_> {
    /// The time-stamps on this signature.
    pub(super) fn timestamps(&mut self, budget: &mut Budget) -> Vec<Timestamped> {
        let mut found = Vec::new();
        let is_one = |attribute: &&Attribute| attribute.kind == oid::TIME_STAMP_TOKEN;
        for value in self.signer.unsigned_attributes.iter().filter(is_one).flat_map(Attribute::values) {
            if budget.timestamps == 0 {
                self.note("limit.cms", format!("not every time-stamp was looked at: more than {TIMESTAMP_LIMIT}"));
                break;
            }
            budget.timestamps = budget.timestamps.saturating_sub(1);
            let one = timestamped(value, &self.signer.signature);
            let who = one.claimed.as_ref().map_or_else(|| "nobody known".to_owned(), |by| by.subject().to_string());
            let when = one.time.map_or_else(|| "of no time".to_owned(), |time| time.to_string());
            let how = if one.holds { "holds" } else { "does not hold" };
            self.note("cms.timestamp", format!("a time-stamp of {when} by {who}: it {how}, and does not count"));
            found.push(one);
        }
        found
    }

    /// The counter-signatures on this signature, tried as far as the limits let.
    pub(super) fn countersignatures(&mut self, depth: usize, budget: &mut Budget) -> Vec<Countersigned> {
        let mut found = Vec::new();
        let is_one = |attribute: &&Attribute| attribute.kind == oid::COUNTERSIGNATURE;
        for value in self.signer.unsigned_attributes.iter().filter(is_one).flat_map(Attribute::values) {
            if depth >= COUNTERSIGNATURE_DEPTH_LIMIT || budget.countersignatures == 0 {
                let most =
                    format!("more than {COUNTERSIGNATURE_LIMIT}, or more than {COUNTERSIGNATURE_DEPTH_LIMIT} deep");
                self.note("limit.cms", format!("not every counter-signature was looked at: {most}"));
                break;
            }
            budget.countersignatures = budget.countersignatures.saturating_sub(1);
            let one = countersigned(self.signed, value, &self.signer.signature, depth, budget);
            let who = one.claimed.as_ref().map_or_else(|| "nobody known".to_owned(), |by| by.subject().to_string());
            let how = if one.holds { "holds" } else { "does not hold" };
            self.note("cms.countersig", format!("a counter-signature by {who}: it {how}, and does not count"));
            found.push(one);
        }
        found
    }
}

fn countersigned(signed: &SignedData, der: &[u8], over: &[u8], depth: usize, budget: &mut Budget) -> Countersigned {
    let info = match SignerInfo::parse(der) {
        Ok(info) => info,
        Err(malformed) => {
            let findings = vec![Finding::new("cms.parse", malformed.to_string())];
            return Countersigned {
                claimed: None,
                holds: false,
                signing_time: None,
                findings,
                countersignatures: Vec::new(),
            };
        }
    };
    let mut trial = Trial::new(signed, &info, Signed::Signature(over));
    let (claimed, _, signing_time) = trial.run();
    let countersignatures = trial.countersignatures(depth.saturating_add(1), budget);
    Countersigned {
        claimed,
        holds: trial.refusals.is_empty(),
        signing_time,
        findings: trial.findings(),
        countersignatures,
    }
}
