//! The office as a verb works with it: the store, the settings, and who the members are.

use std::sync::Arc;

use kakitome_office::audit::{self, Actor};
use kakitome_office::authority::Authority;
use kakitome_office::enrolment::Routed;
use kakitome_office::enrolment::lack::Stock;
use kakitome_office::lifecycle::works;
use kakitome_office::members::{Member, Members, NotDone};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::SystemRandom;

use super::{Everywhere, Failure, authority, config, input, vault};
use crate::settings::Settings;

/// What a verb works with.
pub(super) struct Office {
    pub(super) settings: Settings,
    pub(super) store: Arc<Store>,
    pub(super) members: Members,
    pub(super) actor: Actor,
    pub(super) now: Time,
}

impl Office {
    /// Opens it for looking, also while a server is at work.
    pub(super) fn look(everywhere: &Everywhere) -> Result<Self, Failure> {
        let missing = || {
            Failure::unreadable(format!(
                "{}: there is no store yet; `kakitome up` and `kakitome member import` make one",
                everywhere.data.display()
            ))
        };
        let settings = config::load(everywhere)?;
        let store = everywhere.store_read_only()?.ok_or_else(missing)?;
        Ok(Self::over(settings, store))
    }

    /// Who the members are, where nothing is to be changed: nobody where there is no store yet.
    pub(super) fn roll(everywhere: &Everywhere) -> Result<Vec<Member>, Failure> {
        match everywhere.store_read_only()? {
            Some(store) => Ok(Members::new(Arc::new(store)).list()?),
            None => Ok(Vec::new()),
        }
    }

    /// Opens it for changes; makes the store where there is none.
    pub(super) fn open(everywhere: &Everywhere) -> Result<Self, Failure> {
        let settings = config::load(everywhere)?;
        let store = everywhere.store()?;
        Ok(Self::over(settings, store))
    }

    fn over(settings: Settings, store: Store) -> Self {
        let store = Arc::new(store);
        let members = Members::new(Arc::clone(&store));
        Self { settings, store, members, actor: Actor::user(&audit::machine()), now: input::now() }
    }

    /// The own CA, made where there is none.
    pub(super) fn issuer_over(&self, vault: Arc<Vault>) -> Result<Arc<Authority>, Failure> {
        let own = authority::wishes(&self.settings);
        let authority = Authority::open(Arc::clone(&self.store), vault, own, self.now, Arc::new(SystemRandom))?;
        Ok(Arc::new(authority))
    }

    /// The sealed keys.
    pub(super) fn vault(&self, everywhere: &Everywhere) -> Result<Arc<Vault>, Failure> {
        Ok(Arc::new(vault::open(everywhere, &self.settings, &self.store)?))
    }

    /// What the jobs of the life cycle work with.
    pub(super) fn works(&self, everywhere: &Everywhere) -> Result<works::Office, Failure> {
        let vault = self.vault(everywhere)?;
        let authority = self.issuer_over(Arc::clone(&vault))?;
        Ok(works::Office {
            store: Arc::clone(&self.store),
            issuer: self.routed(&vault, &authority)?,
            vault,
            authority,
            terms: self.settings.members.terms(),
            actor: self.actor.clone(),
            random: Arc::new(SystemRandom),
            clock: Arc::new(input::now),
        })
    }

    /// Everybody who issues, by the rules of the settings.
    pub(super) fn routed(&self, vault: &Arc<Vault>, own: &Arc<Authority>) -> Result<Arc<Routed>, Failure> {
        let routes = self.settings.members.terms().routes;
        Ok(Arc::new(Routed::new(&self.store, vault, Arc::clone(own), routes).map_err(Failure::usage)?))
    }

    /// The members' certificates that count.
    pub(super) fn stock(&self) -> Result<Stock, Failure> {
        Ok(self.store.read(|s| Stock::read(s, self.now))?)
    }
}

impl From<NotDone> for Failure {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Fault(fault) => fault.into(),
            other => Self::unreadable(other),
        }
    }
}
