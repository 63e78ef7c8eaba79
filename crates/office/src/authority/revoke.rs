//! Certificates are taken back: members', and those of an issuing CA with everything below it.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{Reason, Revoked};

use super::ca::{self, Role};
use super::issuer::Revocation;
use super::{Authority, CertificateId, found, row};
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

/// The reasons that may be given for a CA.
pub const AUTHORITY_REASONS: [Reason; 5] = [
    Reason::Unspecified,
    Reason::CaCompromise,
    Reason::AffiliationChanged,
    Reason::Superseded,
    Reason::CessationOfOperation,
];

/// An issuing CA that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// How many certificates of members do not count any more.
    pub certificates: usize,
    /// Who issues now; `None` where nobody does.
    pub successor: Option<String>,
    /// Do the readers hear of it, by the list of the CA above?
    pub is_told: bool,
}

/// Why a CA cannot be taken back.
#[derive(Debug, thiserror::Error)]
pub enum NotFallen {
    /// There is none of this name.
    #[error("{0}: no own CA has this name; `kakitome ca list` shows them")]
    Unknown(String),
    /// Nobody stands above it.
    #[error(
        "{0}: readers believe it for its own sake, and nobody above it could take it back: bring or make another, and have \
         every reader take this one out"
    )]
    Anchor(String),
    /// The environment.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Authority {
    /// Takes an issuing CA back, and with it every certificate that it issued. If it was the one that issues, the next one is
    /// made first, under the same root. Done twice, it does no harm, and completes what was broken off.
    ///
    /// # Errors
    /// [`NotFallen`].
    pub fn revoke_authority(&self, id: &str, why: &Revocation<'_>, now: Time) -> Result<Fallen, NotFallen> {
        let house = self.house();
        let ca = house.find(id).ok_or_else(|| NotFallen::Unknown(id.to_owned()))?;
        let anchor = || NotFallen::Anchor(id.to_owned());
        let parent = ca.parent.as_ref().and_then(|parent| house.find(parent)).ok_or_else(anchor)?;
        let key = ca.key.as_ref().filter(|_| ca.role == Role::Issuing && !ca.is_anchor).ok_or_else(anchor)?;
        if ca.is_current && parent.key.is_some() && parent.certificate.is_valid_at(now) {
            let tools = (&*self.store, &*self.vault, &*self.random);
            // Where readers ask is known to the store, also where the settings of this program do not name it.
            let base = self.settings.base.as_ref().or(house.bases.first()).map(String::as_str);
            found::succeed(tools, (ca, parent), base, why.actor, now)?;
        }
        // A date to come would be a promise that no list can hold.
        let revoked = Revoked { when: why.when.min(now), reason: Some(why.reason) };
        let below = match why.reason {
            Reason::CessationOfOperation => Reason::CessationOfOperation,
            _ => Reason::Superseded,
        };
        let (when, name) = (revoked.when.to_string(), ca.certificate.subject().to_string());
        let serial = ca.certificate.serial_hex();
        let certificates = self.store.write(|s| {
            let gone = ca::revoke(s, (ca, &parent.id, key), revoked, below, now)?;
            let (reason, count) = (why.reason.name(), gone.len().to_string());
            let own = [("ca", id), ("serial", &serial), ("reason", reason), ("when", &when), ("certificates", &count)];
            let act = Act::AuthorityRevoked;
            audit::record(s, &Entry { actor: why.actor, act, subject: &name, details: &own, at: now })?;
            let details: Vec<_> = gone
                .iter()
                .map(|(serial, _)| {
                    [("serial", serial.as_str()), ("ca", id), ("reason", below.name()), ("when", when.as_str())]
                })
                .collect();
            let entries = gone.iter().zip(&details).map(|((_, address), details)| Entry {
                actor: why.actor,
                act: Act::CertificateRevoked,
                subject: address,
                details,
                at: now,
            });
            if !gone.is_empty() {
                audit::record_all(s, entries)?;
            }
            Ok(gone.len())
        })?;
        tracing::warn!(ca = id, certificates, "an issuing CA was revoked");
        self.look_again()?;
        // What is revoked is revoked; a list that could not be signed now is signed by the next run.
        if let Err(fault) = self.publish(why.actor, now) {
            tracing::warn!(%fault, "the revocation lists could not be signed anew; it is tried again");
        }
        let successor = self.house().current().map(|ca| ca.id.clone());
        Ok(Fallen { certificates, successor, is_told: parent.key.is_some() && self.is_published() })
    }
}

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
