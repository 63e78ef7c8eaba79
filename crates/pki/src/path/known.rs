//! What one search leaves for the next: the certificates of paths that held, so that the same issuers are not verified
//! anew with every mail.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::ValidPath;
use crate::cert::Certificate;

/// So many certificates are remembered, at most; what comes beyond begins the memory anew.
pub const KNOWN_LIMIT: usize = 4_096;
/// They are so long together, at most, in octets.
pub const KNOWN_OCTETS_LIMIT: usize = 16 * 1024 * 1024;

/// Certificates whose signature by their issuer's key verified, in a path that held. It is shared by its clones.
///
/// Only that is remembered, which no time and no choice changes: dates, revocation, anchors, names and policies are asked
/// again in every search, and a search pays from its budget for a remembered signature as for another.
#[derive(Clone, Default)]
pub struct Known(Option<Arc<Mutex<Held>>>);

#[derive(Default)]
struct Held {
    certificates: HashMap<[u8; 32], Certificate>,
    octets: usize,
}

impl Known {
    /// One that remembers; the default does not.
    pub fn remembering() -> Self {
        Self(Some(Arc::default()))
    }

    /// The same certificate, as it is remembered if it is.
    #[must_use]
    pub fn recall(&self, certificate: &Certificate) -> Certificate {
        let held = self.held(|held| held.certificates.get(certificate.fingerprint()).cloned()).flatten();
        held.filter(|known| known == certificate).unwrap_or_else(|| certificate.clone())
    }

    /// Remembers the certificates of a path, each with the key by which it was verified. Nobody fills the memory who has
    /// no certificate under an anchor that was chosen.
    pub fn keep(&self, path: &ValidPath) {
        // Its own signature is not looked at.
        if path.is_anchor_alone() {
            return;
        }
        self.held(|held| {
            for (number, certificate) in path.certificates().iter().enumerate() {
                if held.certificates.contains_key(certificate.fingerprint()) {
                    continue;
                }
                let octets = held.octets.saturating_add(certificate.raw().len());
                if held.certificates.len() >= KNOWN_LIMIT || octets > KNOWN_OCTETS_LIMIT {
                    *held = Held::default();
                }
                held.octets = held.octets.saturating_add(certificate.raw().len());
                let key = path.key_of(path.issuer_of(number)).clone();
                held.certificates.insert(*certificate.fingerprint(), certificate.known_by(key));
            }
        });
    }

    fn held<T>(&self, with: impl FnOnce(&mut Held) -> T) -> Option<T> {
        // Whoever panicked left whole entries.
        self.0.as_ref().map(|held| with(&mut held.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.held(|held| held.certificates.len());
        f.debug_tuple("Known").field(&count).finish()
    }
}
