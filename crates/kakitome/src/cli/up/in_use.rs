//! The settings that are in use, for those who are asked about them at any time.

use std::sync::{Arc, Mutex, PoisonError};

use crate::settings::Settings;

/// Shared by its clones; a reload changes it.
#[derive(Clone, Debug)]
pub(super) struct InUse(Arc<Mutex<Arc<Settings>>>);

impl InUse {
    pub(super) fn new(settings: &Settings) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(settings.clone()))))
    }

    pub(super) fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change(&self, settings: &Settings) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings.clone());
    }
}
