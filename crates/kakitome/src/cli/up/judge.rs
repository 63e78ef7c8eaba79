//! What page and gateway judge with, so that both give the same answer.

use std::sync::{Arc, Mutex, PoisonError};

use kakitome_office::authority::Anchors;
use kakitome_office::evidence::outside::Outside;
use kakitome_office::evidence::{self, Choice};
use kakitome_office::store::Store;
use kakitome_office::trust::Chosen;
use kakitome_pki::path::Known;
use kakitome_verdict::sender::Evidence;

use crate::cli::{input, trust};
use crate::settings;

/// Whom this instance believes, and what it asks outside.
pub(super) struct Judge {
    pub(super) store: Arc<Store>,
    pub(super) outside: Option<Outside>,
    /// What is known of senders.
    pub(super) expected: settings::Check,
    /// What the mails before left.
    pub(super) known: Known,
    /// What was gathered last.
    pub(super) last: Mutex<Option<Evidence>>,
}

impl Judge {
    /// Read anew for each mail: what the operator adds or takes out counts at once.
    pub(super) fn evidence(&self) -> Result<Evidence, String> {
        let operators = Chosen::read(&self.store).map_err(|fault| fault.to_string())?.operators();
        let own_ca = Anchors::read(&self.store).map_err(|fault| fault.to_string())?;
        let own_lists = Anchors::lists(&self.store).map_err(|fault| fault.to_string())?;
        let known = self.known.clone();
        let choice = Choice { own_ca, own_lists, operators, known, ..trust::expected(&self.expected) };
        evidence::gather(&choice, input::now()).map_err(|error| error.to_string())
    }

    /// The same for a mail that must not wait for a file or a store that cannot be read now: then what was read last
    /// counts.
    pub(super) fn evidence_or_last(&self) -> Result<Evidence, String> {
        let gathered = self.evidence();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (gathered, &*last) {
            (Ok(evidence), _) => {
                *last = Some(evidence.clone());
                Ok(evidence)
            }
            (Err(error), Some(before)) => {
                tracing::error!(error, "mail is judged by what was known before");
                Ok(Evidence { at: input::now(), ..before.clone() })
            }
            (Err(error), None) => Err(error),
        }
    }
}
