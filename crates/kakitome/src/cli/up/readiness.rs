//! Can mail be taken and handed on now? Asked part by part, so that whoever is woken up knows where to look.

use std::sync::Arc;

use kakitome_office::journal::Journal;
use kakitome_office::spool::SpoolDirectory;
use kakitome_office::store::Store;
use kakitome_office::trust::Chosen;
use kakitome_office::vault::Vault;

use super::in_use::InUse;
use crate::gateway::{Direction, NextHop, disk};
use crate::settings::Settings;
use crate::web::Part;

/// What is looked at.
#[derive(Debug)]
pub(super) struct Readiness {
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) journal: Arc<Journal>,
    pub(super) spools: SpoolDirectory,
    pub(super) in_use: InUse,
}

impl Readiness {
    /// Every part, and what is wrong with it. Blocks: a next hop that sleeps is waited for.
    pub(super) fn parts(&self) -> Vec<Part> {
        let settings = self.in_use.get();
        let mut parts = vec![
            Part::new("store", Chosen::read(&self.store).map(drop)),
            Part::new("vault", self.vault.probe()),
            Part::new("journal", self.journal.probe()),
            Part::new("spool", self.spools.probe()),
            Part::new("disk", self.room(&settings)),
        ];
        let data = self.spools.path().parent().unwrap_or(self.spools.path());
        for direction in [Direction::Outbound, Direction::Inbound] {
            if settings.gateway.listeners.iter().any(|listener| listener.direction == direction) {
                let place = settings.next_hop(direction);
                let name = match direction {
                    Direction::Outbound => "next hop outbound",
                    Direction::Inbound => "next hop inbound",
                };
                let probed = NextHop::probe(place, data).map_err(|error| match place {
                    Some(place) => format!("{place}: {error}"),
                    None => format!("the Maildir: {error}"),
                });
                parts.push(Part::new(name, probed));
            }
        }
        parts
    }

    fn room(&self, settings: &Settings) -> Result<(), String> {
        let (least, found) = (settings.gateway.min_free_disk.get(), disk(&self.spools));
        match found.map(|disk| disk.percent()).filter(|free| *free < least) {
            Some(free) => Err(format!("{free} percent are free, gateway.min_free_disk is {least}")),
            None => Ok(()),
        }
    }
}
