//! Certificates are taken back.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{Reason, Revoked};

use super::CertificateId;
use super::issuer::Revocation;
use super::row;
use crate::audit::{self, Act, Entry};
use crate::fault::Fault;
use crate::store::Store;

/// The reasons that may be given (S/MIME Baseline Requirements §7.2.2: no hold, nothing that is another's to say).
pub const REASONS: [Reason; 6] = [
    Reason::Unspecified,
    Reason::KeyCompromise,
    Reason::AffiliationChanged,
    Reason::Superseded,
    Reason::CessationOfOperation,
    Reason::PrivilegeWithdrawn,
];

/// Marks certificates as revoked; readers hear of it by the next list and by the responder at once. Returns how many
/// changed.
pub(super) fn revoke(store: &Store, which: &[CertificateId], why: &Revocation<'_>, now: Time) -> Result<usize, Fault> {
    // A date to come would be a promise that no list can hold.
    let revoked = Revoked { when: why.when.min(now), reason: Some(why.reason) };
    let when = revoked.when.to_string();
    store.write(|s| {
        let mut changed = 0usize;
        for id in which {
            if !row::revoke(s, id, revoked, now)? {
                continue;
            }
            changed = changed.saturating_add(1);
            let address = row::status(s, id)?.map(|row| row.address).unwrap_or_default();
            let details = [
                ("serial", id.serial()),
                ("ca", id.authority()),
                ("reason", why.reason.name()),
                ("when", when.as_str()),
            ];
            let act = Act::CertificateRevoked;
            audit::record(s, &Entry { actor: why.actor, act, subject: &address, details: &details, at: now })?;
        }
        Ok(changed)
    })
}
