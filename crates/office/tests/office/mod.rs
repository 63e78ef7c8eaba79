//! An office for tests: store, vault and own CA in a directory, members of its own.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;
use std::time::Duration;

use kakitome_office::audit::{Actor, Part};
use kakitome_office::authority::issuer::Issuer;
use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::enrolment::lack::{Lack, Stock, Which};
use kakitome_office::enrolment::{Enrolment, Routes, Tally, Terms};
use kakitome_office::members::{Members, Table};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_testkit::NOW;

use crate::ground::Ground;

pub(crate) const TERMS: Terms =
    Terms { key: KeyKind::P256, signing_days: 300, encryption_days: 600, routes: Routes::OWN };

pub(crate) struct Office {
    pub(crate) ground: Ground,
    pub(crate) store: Arc<Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) members: Members,
}

pub(crate) fn actor() -> Actor {
    Actor::part("test", Part::Jobs)
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

impl Office {
    /// With these members, by their addresses.
    pub(crate) fn of(ground: Ground, addresses: &[String]) -> Self {
        let (store, vault, authority) = open(&ground);
        let members = Members::new(Arc::clone(&store));
        let table = format!("mail\n{}\n", addresses.join("\n"));
        let table = Table::read(table.as_bytes(), &["b.example".to_owned()]).unwrap();
        members.add_listed(&table.listed, &actor(), NOW, &SystemRandom).unwrap();
        Self { ground, store, vault, authority, members }
    }

    pub(crate) fn numbered(ground: Ground, count: usize) -> Self {
        Self::of(ground, &(0..count).map(|number| format!("m{number:02}@b.example")).collect::<Vec<_>>())
    }

    pub(crate) fn lacking(&self, which: Which<'_>, now: Time) -> Vec<Lack> {
        let end = self.authority.offers(now).unwrap().until.unwrap();
        self.store.read(|s| Stock::read(s, now)).unwrap().lacking(which, &TERMS, end, now)
    }

    /// Makes what is lacking.
    pub(crate) fn enrol(&self, issuer: &dyn Issuer, now: Time) -> Tally {
        self.run(issuer, self.lacking(Which::Missing, now), now, &|_| true)
    }

    pub(crate) fn run(
        &self,
        issuer: &dyn Issuer,
        lacks: Vec<Lack>,
        now: Time,
        rest: &(dyn Fn(Duration) -> bool + Sync),
    ) -> Tally {
        let actor = actor();
        let run = Enrolment {
            issuer,
            terms: TERMS,
            threads: 2,
            rate: None,
            actor: &actor,
            clock: &|| now,
            rest,
            random: &SystemRandom,
            told: &|_| {},
        };
        run.run(lacks).unwrap()
    }

    /// Address, purpose and state of every certificate that was ever begun.
    pub(crate) fn rows(&self) -> Vec<(String, String, String)> {
        let rows = self.ground.ask("SELECT address, purpose, state FROM certificate ORDER BY address, purpose, state");
        let row = |line: &str| {
            let mut words = line.split('|').map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap())
        };
        rows.lines().map(row).collect()
    }
}

pub(crate) fn open(ground: &Ground) -> (Arc<Store>, Arc<Vault>, Arc<Authority>) {
    let store = ground.open();
    let vault = Arc::new(Vault::open(&ground.key_file(), &store).unwrap());
    let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
    let (own, keys) = (Arc::clone(&store), Arc::clone(&vault));
    let authority = Authority::open(own, keys, settings, NOW, Arc::new(SystemRandom)).unwrap();
    (store, vault, Arc::new(authority))
}
