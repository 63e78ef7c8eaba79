//! The work that the office does by itself, beside mail and page.

use std::sync::Arc;

use kakitome_office::audit::{self, Actor, Part};
use kakitome_office::authority::Authority;
use kakitome_office::enrolment::Routed;
use kakitome_office::jobs::{Jobs, Runner};
use kakitome_office::lifecycle::works;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::crypto::SystemRandom;

use crate::cli::{Failure, input};
use crate::settings::Settings;

/// Starts the thread that does it.
pub(super) fn start(
    store: &Arc<Store>,
    vault: &Arc<Vault>,
    authority: &Arc<Authority>,
    settings: &Settings,
) -> Result<Runner, Failure> {
    let machine = audit::machine();
    works::plan(store, input::now())?;
    let terms = settings.members.terms();
    let (own, routes) = (Arc::clone(authority), terms.routes.clone());
    let office = works::Office {
        store: Arc::clone(store),
        vault: Arc::clone(vault),
        issuer: Arc::new(Routed::new(store, vault, own, routes).map_err(Failure::usage)?),
        authority: Arc::clone(authority),
        terms,
        actor: Actor::part(&machine, Part::Jobs),
        random: Arc::new(SystemRandom),
        clock: Arc::new(input::now),
    };
    // Two nodes on one machine are two; a lease of a process that is gone runs out.
    let node = format!("{machine} {}", std::process::id());
    let jobs = Arc::new(Jobs::new(Arc::clone(store), &node, Arc::new(SystemRandom)));
    Ok(Runner::start(jobs, works::works(&office), Arc::new(input::now))?)
}
