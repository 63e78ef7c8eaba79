//! Certificates and those who make them, as a verb works with them: store, vault, and the wishes of the settings.

use std::sync::Arc;

use clap::ValueEnum;
use kakitome_office::audit::{self, Actor};
use kakitome_office::authority::{Anchors, Authority, AuthoritySettings};
use kakitome_office::evidence::{self, Choice};
use kakitome_office::store::Store;
use kakitome_office::trust::Chosen;
use kakitome_office::vault::Vault;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_verdict::sender::Evidence;

use super::{Everywhere, Failure, config, input, vault};
use crate::settings::Settings;

/// The office as a verb changes it.
pub(super) struct Opened {
    pub(super) settings: Settings,
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) actor: Actor,
    pub(super) now: Time,
}

/// Kinds of key that a person can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Kind {
    pub(super) const fn made(self) -> KeyKind {
        match self {
            Self::Rsa2048 => KeyKind::Rsa2048,
            Self::Rsa3072 => KeyKind::Rsa3072,
            Self::Rsa4096 => KeyKind::Rsa4096,
            Self::P256 => KeyKind::P256,
            Self::P384 => KeyKind::P384,
            Self::P521 => KeyKind::P521,
            Self::Ed25519 => KeyKind::Ed25519,
        }
    }
}

/// What the settings say of the own CA.
pub(super) fn wishes(settings: &Settings) -> AuthoritySettings {
    AuthoritySettings {
        member_key: settings.members.key.into(),
        signing_days: settings.members.signing_days.get(),
        encryption_days: Some(settings.members.encryption_days.get()),
        base: settings.web.public_url.as_ref().map(|url| url.as_str().to_owned()),
        ..AuthoritySettings::default()
    }
}

impl Opened {
    /// Opens store and vault, and makes them where they are missing.
    pub(super) fn new(everywhere: &Everywhere) -> Result<Self, Failure> {
        let settings = config::load(everywhere)?;
        let store = Arc::new(everywhere.store()?);
        let vault = Arc::new(vault::open(everywhere, &settings, &store)?);
        Ok(Self { settings, store, vault, actor: Actor::user(&audit::machine()), now: input::now() })
    }

    /// The own CA; none is made.
    pub(super) fn authority(&self) -> Result<Authority, Failure> {
        let (store, vault) = (Arc::clone(&self.store), Arc::clone(&self.vault));
        Ok(Authority::open_as_it_is(store, vault, wishes(&self.settings), self.now, Arc::new(SystemRandom))?)
    }

    /// Whom readers of this house believe.
    pub(super) fn believed(&self) -> Result<Evidence, Failure> {
        let operators = Chosen::read(&self.store)?.operators();
        let (own_ca, own_lists) = (Anchors::read(&self.store)?, Anchors::lists(&self.store)?);
        let choice = Choice { own_ca, own_lists, operators, ..Choice::default() };
        Ok(evidence::gather(&choice, self.now)?)
    }
}
