//! Certificates of members, and who makes them: the own CA (a root and an issuing CA, made at the first start or brought),
//! CAs that have only a portal, and certificates that were bought and taken in.
//!
//! A certificate of the own CA is looked at before it is signed, recorded (serial number, key) before it is signed, stored
//! before it is handed out, and judged by the same path validation as everybody else's before it is believed. What was
//! revoked is told by lists and by a responder.

pub mod archive;
mod ca;
mod found;
mod held;
mod holding;
mod import;
pub mod issuer;
mod lists;
mod look;
mod own;
mod place;
mod portal;
mod responder;
mod revoke;
mod roll;
mod row;

use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{KeyKind, Random, SigningKey};
use kakitome_pki::issue::{MailUse, Profile};
use kakitome_pki::path::{Anchor, AnchorSource};

use crate::audit::{self, Act, Actor, Clerk, NotRecorded, Part};
use crate::fault::Fault;
use crate::store::Store;
use crate::vault::{KeyId, Vault};
use held::Held;

pub use ca::{OwnCa, Role};
pub use found::{AUTHORITY_KEY, Brought, Founding, NotTaken};
pub use held::CREDENTIALS_HELD;
pub use holding::{Holding, RETIRED_LIMIT};
pub use import::{IMPORT, Imported, Importer, Incoming, NotImported};
pub use issuer::{Asked, Issued, Issuer, Offers, Outcome, Refused, Revocation};
pub use lists::{LIST_EVERY, LIST_LIFETIME, PublishedList, ROOT_LIST_EVERY, ROOT_LIST_LIFETIME};
pub use own::{LONGEST, OWN};
pub use place::{ISSUING_PATH, LISTS, PUBLISHED_PATH, RESPONDER_PATH, Wanted};
pub use portal::{NoName, Order, OrderState, Portal, Received, orders, receive, sent, withdraw};
pub use responder::{ANSWER_KEPT, ANSWER_LIFETIME, ANSWERS_KEPT, Answered};
pub use revoke::{AUTHORITY_REASONS, Fallen, NotFallen, REASONS};
pub use roll::{Listed, Standing, certificates, issued_by, of_address, of_serial};
pub use row::{BEGUN_FOR, CertificateId, Recorded, State, usage_name, usage_of};

/// How far a certificate's beginning is moved back, in seconds: clocks of readers differ.
pub const BACKDATED: i64 = 60 * 60;
/// ub-organization-name of RFC 5280 Appendix A.1, in characters.
pub const ORGANISATION_LIMIT: usize = 64;
/// An issuing CA is followed by the next so long before members' certificates would be cut short, in seconds.
const ROLLED_OVER_BEFORE: i64 = 30 * 24 * 60 * 60;
/// How often it is looked whether what another node makes is there.
const LOOK_FOR_ANOTHERS: Duration = Duration::from_millis(50);
/// Rows of an older program that are completed in one step.
const COMPLETED_AT_ONCE: i64 = 500;

/// How the own CA is made and issues.
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    /// Whose CA it is: O in the names of root and issuing CA. Counts at the first start alone.
    pub organisation: String,
    /// The kind of the members' keys; a change counts from each member's next certificate on.
    pub member_key: KeyKind,
    /// How long a member's signing certificate lives, in days.
    pub signing_days: u32,
    /// Makes an encryption certificate beside an address's first signing one, if it has none: it lives so many days.
    pub encryption_days: Option<u32>,
    /// The address under which the outside reaches what the CA publishes; without one the certificates name no URL.
    pub base: Option<String>,
}

impl Default for AuthoritySettings {
    fn default() -> Self {
        Self {
            organisation: "Kakitome".to_owned(),
            member_key: KeyKind::Rsa2048,
            signing_days: 365,
            encryption_days: None,
            base: None,
        }
    }
}

impl AuthoritySettings {
    /// What is made at the first start.
    fn founding(&self) -> Founding {
        Founding {
            organisation: self.organisation.clone(),
            name: "Kakitome private".to_owned(),
            key: AUTHORITY_KEY,
            // Members' domains are a setting that changes; the CA's certificate does not.
            domains: Vec::new(),
            base: self.base.clone(),
        }
    }
}

/// What a member signs with.
#[derive(Debug)]
pub struct Credential {
    /// Which certificate.
    pub id: CertificateId,
    /// The member's certificate.
    pub certificate: Certificate,
    /// The certificates to send along: the member's, then its issuers'; never the root, which nobody believes for having
    /// been sent.
    pub chain: Vec<Certificate>,
    /// The member's private key.
    pub key: SigningKey,
    /// Did the own CA issue it? Then it is renewed in time.
    is_own: bool,
}

/// The own CA, and what its members sign with.
pub struct Authority {
    store: Arc<Store>,
    vault: Arc<Vault>,
    settings: AuthoritySettings,
    random: Arc<dyn Random>,
    actor: Actor,
    clerk: Clerk,
    house: RwLock<Arc<House>>,
    held: Held,
    responder: responder::Responder,
}

/// The own CAs as they stand.
#[derive(Debug)]
struct House {
    cas: Vec<OwnCa>,
    anchors: Vec<Anchor>,
    certificates: Vec<Certificate>,
    /// Where lists are and were published.
    bases: Vec<String>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let house = self.house();
        let names: Vec<String> = house.cas.iter().map(|ca| ca.certificate.subject().to_string()).collect();
        write!(f, "Authority({})", names.join(", "))
    }
}

impl Authority {
    /// Opens the own CA of a store; makes it at the first start, which takes seconds.
    ///
    /// # Errors
    /// Store, vault or randomness fail; the organisation's name does not fit.
    pub fn open(
        store: Arc<Store>,
        vault: Arc<Vault>,
        settings: AuthoritySettings,
        now: Time,
        random: Arc<dyn Random>,
    ) -> Result<Self, Fault> {
        let actor = Actor::part(&audit::machine(), Part::Start);
        if store.read(ca::all)?.is_empty() {
            found::found(&store, &vault, &settings.founding(), &actor, now, &*random)?;
        }
        let authority = Self::open_as_it_is(store, vault, settings, now, random)?;
        authority.house().current().ok_or_else(|| authority.store.damaged("the own CA is not complete"))?;
        Ok(authority)
    }

    /// Opens it without making one where there is none: for what needs no CA of our own.
    ///
    /// # Errors
    /// Store, vault or randomness fail.
    pub fn open_as_it_is(
        store: Arc<Store>,
        vault: Arc<Vault>,
        settings: AuthoritySettings,
        now: Time,
        random: Arc<dyn Random>,
    ) -> Result<Self, Fault> {
        if let Some(base) = &settings.base {
            let sql = "INSERT INTO publication (base, since) VALUES (?1, ?2) ON CONFLICT (base) DO NOTHING";
            if !store.read(|s| s.exists("SELECT 1 FROM publication WHERE base = ?1", &[base]))? {
                store.write(|s| s.run(sql, &[base, &now]))?;
            }
        }
        let house = RwLock::new(Arc::new(House::read(&store)?));
        let actor = Actor::part(&audit::machine(), Part::Gateway);
        let clerk = Clerk::new(Arc::clone(&store), actor.clone());
        let authority = Self {
            store,
            vault,
            settings,
            random,
            actor,
            clerk,
            house,
            held: Held::default(),
            responder: responder::Responder::default(),
        };
        authority.complete_rows()?;
        authority.name_places(now)?;
        Ok(authority)
    }

    /// Makes a root and an issuing CA by these wishes, where there is no CA yet. False if there is one.
    ///
    /// # Errors
    /// Store, vault or randomness fail; a name does not fit.
    pub fn found(
        store: &Store,
        vault: &Vault,
        founding: &Founding,
        actor: &Actor,
        now: Time,
        random: &dyn Random,
    ) -> Result<bool, Fault> {
        if !store.read(ca::all)?.is_empty() {
            return Ok(false);
        }
        found::found(store, vault, founding, actor, now, random)
    }

    /// Takes in a CA with its key, which issues from now on. Those that issued before go on answering for what they issued.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn bring(store: &Store, vault: &Vault, brought: &Brought, actor: &Actor, now: Time) -> Result<OwnCa, NotTaken> {
        found::take(store, vault, brought, actor, now)
    }

    fn house(&self) -> Arc<House> {
        Arc::clone(&self.house.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks again which own CAs there are: another program may have brought one.
    ///
    /// # Errors
    /// The store fails.
    pub fn look_again(&self) -> Result<(), Fault> {
        let house = Arc::new(House::read(&self.store)?);
        *self.house.write().unwrap_or_else(PoisonError::into_inner) = house;
        Ok(())
    }

    /// Records that the key of a credential signed a mail, which the log of the mail knows by `mail_id`. What it signed may
    /// leave only after that: when this returns, the entry is on the disk. Blocks.
    ///
    /// # Errors
    /// The store's.
    pub fn record_signature(
        &self,
        address: &Address,
        by: &Credential,
        mail_id: &str,
        now: Time,
    ) -> Result<(), NotRecorded> {
        let serial = by.certificate.serial_hex();
        let details = [("serial", serial.as_str()), ("queue", mail_id)];
        self.clerk.record(Act::KeySigned, &address.to_string(), &details, now)
    }

    /// How many signatures of members were recorded since it was opened.
    pub fn signatures(&self) -> u64 {
        self.clerk.recorded()
    }

    /// Makes the next issuing CA where a member's certificate of full length would no longer fit into the life of this one;
    /// warns where that is not ours to do. To be called now and then; true if there is another now.
    ///
    /// # Errors
    /// Store, vault or randomness fail.
    pub fn roll_over(&self, actor: &Actor, now: Time) -> Result<bool, Fault> {
        let house = self.house();
        let Some(current) = house.current() else { return Ok(false) };
        let last = current.certificate.not_after().plus(LONGEST.saturating_neg()).plus(-ROLLED_OVER_BEFORE);
        if now < last {
            return Ok(false);
        }
        let parent = current.parent.as_ref().and_then(|id| house.find(id));
        let lasts =
            |parent: &&OwnCa| parent.key.is_some() && parent.certificate.not_after() > current.certificate.not_after();
        let Some(parent) = parent.filter(lasts) else {
            let (ca, until) = (&current.id, current.certificate.not_after());
            tracing::warn!(%ca, %until, "the CA is about to end, and so do its members' certificates; bring another: kakitome ca import");
            return Ok(false);
        };
        let tools = (&*self.store, &*self.vault, &*self.random);
        found::succeed(tools, (current, parent), self.settings.base.as_deref(), actor, now)?;
        self.look_again()?;
        Ok(true)
    }

    /// What a reader must trust to believe what is issued now.
    ///
    /// # Errors
    /// There is no own CA.
    pub fn anchor(&self) -> Result<Certificate, Fault> {
        let house = self.house();
        let current = house.current().ok_or(Fault::NoAuthority)?;
        Ok(house.root_of(current).certificate.clone())
    }

    /// The CA that signs the members' certificates now.
    ///
    /// # Errors
    /// There is no own CA.
    pub fn issuing(&self) -> Result<Certificate, Fault> {
        Ok(self.house().current().ok_or(Fault::NoAuthority)?.certificate.clone())
    }

    /// All own CAs, the newest last.
    pub fn all(&self) -> Vec<OwnCa> {
        self.house().cas.clone()
    }

    /// The certificate of an own CA, by its name in the store.
    pub fn certificate(&self, authority: &str) -> Option<Certificate> {
        self.house().cas.iter().find(|ca| ca.id == authority).map(|ca| ca.certificate.clone())
    }

    /// What an address signs with now. Whatever the public believes comes first, then what was taken in, then the own CA's,
    /// which is issued at first need, and anew when two thirds of its life are over (no reader ever meets one about to end).
    /// However many ask at once, an address gets one certificate; different addresses do not wait for each other. Blocks:
    /// up to a second for an RSA key.
    ///
    /// # Errors
    /// Store, vault or randomness fail, or this machine's clock stands outside the CA's validity.
    pub fn credential(&self, address: &Address, now: Time) -> Result<Arc<Credential>, Fault> {
        let address = member(address)?;
        let slot = self.held.slot(&address.to_string());
        let mut held = slot.lock();
        // The store is asked each time: what was revoked, taken in or issued elsewhere counts with the next mail.
        let best = self.store.read(|s| row::signing(s, &address.to_string(), now))?;
        match &best {
            Some(best) if held.as_ref().is_some_and(|held| held.id == best.id) => {}
            Some(best) => *held = Some(Arc::new(self.stored(best)?)),
            None => *held = None,
        }
        if let Some(usable) = held.as_ref()
            && !(usable.is_own && self.is_due(&usable.certificate, now))
        {
            return Ok(Arc::clone(usable));
        }
        let issued = match (self.first_or_next(&address, best.as_ref(), now), held.as_ref()) {
            (Ok(Some(issued)), _) => issued,
            // Another node renews it; with the next mail the new one is there.
            (Ok(None), Some(usable)) => return Ok(Arc::clone(usable)),
            (Ok(None), None) => self.of_another(&address, now)?,
            // A third of its life is left to mend what keeps us from renewing.
            (Err(fault), Some(usable)) => {
                tracing::warn!(%address, %fault, until = %usable.certificate.not_after(), "a certificate could not be renewed");
                return Ok(Arc::clone(usable));
            }
            (Err(fault), None) => return Err(fault),
        };
        let issued = Arc::new(issued);
        *held = Some(Arc::clone(&issued));
        Ok(issued)
    }

    /// Waits for the first certificate that another node makes for an address at this moment; if that node died at it, makes
    /// it in its place.
    fn of_another(&self, address: &Address, now: Time) -> Result<Credential, Fault> {
        let (text, begun) = (address.to_string(), Instant::now());
        let later = || now.plus(i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX));
        for turn in 1..=2 {
            while later() <= now.plus(turn * (BEGUN_FOR + 1)) {
                if let Some(best) = self.store.read(|s| row::signing(s, &text, later()))? {
                    return self.stored(&best);
                }
                thread::sleep(LOOK_FOR_ANOTHERS);
            }
            if let Some(issued) = self.first_or_next(address, None, later())? {
                return Ok(issued);
            }
        }
        let why = "another node is making it, and does not come to an end".to_owned();
        Err(Fault::NotIssued { address: text, why, again: true })
    }

    /// Are two thirds of its life over, and would a new one last longer?
    fn is_due(&self, certificate: &Certificate, now: Time) -> bool {
        let house = self.house();
        let issuing = house.current().map(|ca| ca.certificate.not_after());
        issuing.is_some_and(|end| is_due(certificate.not_before(), certificate.not_after(), end, now))
    }

    fn stored(&self, best: &Recorded) -> Result<Credential, Fault> {
        let (der, beside) = self.octets(best)?;
        let certificate = parse(&self.store, &der)?;
        let key = self.vault.take(&KeyId::from_store(best.key_id.clone()))?;
        if certificate.spki() != key.spki() {
            let address = &best.address;
            return Err(self.store.damaged(format!("the certificate of {address} is about another key than its own")));
        }
        let mut chain = vec![certificate.clone()];
        chain.extend(self.beside(best, &beside)?);
        Ok(Credential { id: best.id.clone(), certificate, chain, key, is_own: best.issuer == OWN })
    }

    /// The octets of a certificate, and of those that were taken in with it.
    fn octets(&self, row: &Recorded) -> Result<(Vec<u8>, Vec<Vec<u8>>), Fault> {
        let stored = self.store.read(|s| {
            let Some((der, chain)) = row::octets(s, &row.id)? else { return Ok(None) };
            Ok(Some((der, row::issuers(s, &chain)?)))
        })?;
        stored.ok_or_else(|| self.store.damaged(format!("certificate {} has no octets", row.id)))
    }

    /// The CA certificates that travel with a certificate.
    fn beside(&self, row: &Recorded, taken: &[Vec<u8>]) -> Result<Vec<Certificate>, Fault> {
        let house = self.house();
        match house.cas.iter().find(|ca| ca.id == row.id.authority) {
            Some(ca) => Ok(house.chain(ca)),
            None => taken.iter().map(|der| parse(&self.store, der)).collect(),
        }
    }

    /// The next one behind `last`; `None` if another is faster.
    fn first_or_next(
        &self,
        address: &Address,
        last: Option<&Recorded>,
        now: Time,
    ) -> Result<Option<Credential>, Fault> {
        // Before a key is made, which takes long: can it be used?
        self.offers(now)?;
        let text = address.to_string();
        let (best, signs, seals) = self.store.read(|s| {
            let seals = if row::encrypts(s, &text, now)? { None } else { Some(row::next(s, &text, MailUse::Encrypt)?) };
            Ok((row::signing(s, &text, now)?, row::next(s, &text, MailUse::Sign)?, seals))
        })?;
        if best.map(|best| best.id).as_ref() != last.map(|last| &last.id) {
            return Ok(None);
        }
        let make = || SigningKey::generate(self.settings.member_key).map_err(Fault::bug);
        let key = make()?;
        // Whoever gets the first signed mail is to be able to answer it encrypted.
        let beside = match self.settings.encryption_days.zip(seals) {
            Some(which) => Some((make()?, which)),
            None => None,
        };
        let which = (self.settings.signing_days, signs);
        let mut wanted = vec![own::wanted(address, MailUse::Sign, &key, which, now)];
        wanted.extend(beside.iter().map(|(key, which)| own::wanted(address, MailUse::Encrypt, key, *which, now)));
        let mut outcomes = self.issue(&wanted, &self.actor, now)?.into_iter();
        let signing = outcomes.next();
        if let Some(Outcome::Refused(refused)) = outcomes.next() {
            tracing::warn!(%address, why = refused.why, "an encryption certificate could not be made");
        }
        match signing {
            Some(Outcome::Issued(Issued { id, certificate })) => {
                let house = self.house();
                let ca = house.cas.iter().find(|ca| ca.id == id.authority);
                let mut chain = vec![certificate.clone()];
                chain.extend(ca.map(|ca| house.chain(ca)).unwrap_or_default());
                Ok(Some(Credential { id, certificate, chain, key, is_own: true }))
            }
            Some(Outcome::There | Outcome::Elsewhere) => Ok(None),
            Some(Outcome::Refused(refused)) => {
                Err(Fault::NotIssued { address: address.to_string(), why: refused.why, again: refused.again })
            }
            Some(Outcome::Pending(_)) | None => Err(Fault::bug("the own CA does not answer")),
        }
    }

    /// Rows of an older program lack what can be read out of their certificates.
    fn complete_rows(&self) -> Result<(), Fault> {
        loop {
            let rows = self.store.read(|s| {
                s.rows(
                    "SELECT authority, serial, der FROM certificate WHERE key_identifier = '' AND der IS NOT NULL LIMIT ?1",
                    &[&COMPLETED_AT_ONCE],
                    |row| Ok((row.text(0)?, row.text(1)?, row.octets(2)?)),
                )
            })?;
            if rows.is_empty() {
                return Ok(());
            }
            self.store.write(|s| {
                for (authority, serial, der) in &rows {
                    // One that cannot be read is found where it is used.
                    let read = Certificate::parse(der).ok().and_then(|one| key_identifier(one.spki()));
                    let identifier = read.map_or_else(|| "unknown".to_owned(), |identifier| hex(&identifier));
                    s.run(
                        "UPDATE certificate SET key_identifier = ?3 WHERE authority = ?1 AND serial = ?2",
                        &[authority, serial, &identifier],
                    )?;
                }
                Ok(())
            })?;
        }
    }

    /// Where the CAs' own certificates do not name the place where their revocation is told, the root signs them anew, for
    /// the same name, key and time: readers who demand an answer ask about them, too.
    fn name_places(&self, now: Time) -> Result<(), Fault> {
        let Some(base) = &self.settings.base else { return Ok(()) };
        let house = self.house();
        let mut changed = false;
        for ca in house.cas.iter().filter(|ca| ca.is_current && ca.role == Role::Issuing) {
            let (Some(parent), Some(key)) = (ca.parent.as_ref().and_then(|id| house.find(id)), &ca.key) else {
                continue;
            };
            let Some(parent_key) = &parent.key else { continue };
            let places = place::places(Some(base), &parent.id, 0, false);
            let named = ca.certificate.extensions().crl_urls().any(|url| Some(url) == places.list.as_deref());
            if named || !parent.certificate.is_valid_at(now) || !ca.certificate.is_valid_at(now) {
                continue;
            }
            let domains = permitted(&ca.certificate);
            let profile = Profile::issuing(ca.certificate.subject(), &domains).published_at(&places);
            let (signs, own) = (self.vault.take(parent_key)?, self.vault.take(key)?);
            let maker = found::Maker { store: &self.store, random: &*self.random, now };
            let lifetime = ca.certificate.not_after().unix().saturating_sub(now.unix());
            let certificate =
                maker.make(&profile, "issuing", &parent.id, Some(&parent.certificate), &signs, &own, lifetime)?;
            let serial = certificate.serial_hex();
            let details = [("serial", serial.as_str()), ("ca", ca.id.as_str())];
            self.store.write(|s| {
                ca::finish(s, &parent.id, &certificate)?;
                ca::renew(s, &ca.id, &certificate)?;
                let (act, subject) = (audit::Act::CertificateIssued, ca.id.as_str());
                audit::record(s, &audit::Entry { actor: &self.actor, act, subject, details: &details, at: now })
            })?;
            tracing::info!(ca = ca.id, "signed the issuing CA's certificate anew: it names the public address now");
            changed = true;
        }
        if changed { self.look_again() } else { Ok(()) }
    }
}

/// The mail domains that a CA may speak for.
fn permitted(certificate: &Certificate) -> Vec<String> {
    let Some(constraints) = &certificate.extensions().name_constraints else { return Vec::new() };
    let domain = |name: &kakitome_pki::cert::name::GeneralName| match name {
        kakitome_pki::cert::name::GeneralName::Mailbox(domain) => Some(domain.clone()),
        _ => None,
    };
    constraints.permitted.iter().filter_map(domain).collect()
}

impl House {
    fn read(store: &Store) -> Result<Self, Fault> {
        let (cas, bases) = store.read(|s| {
            let bases = s.rows("SELECT base FROM publication ORDER BY since DESC, base", &[], |row| row.text(0))?;
            Ok((ca::all(s)?, bases))
        })?;
        let anchors = cas.iter().filter(|ca| ca.is_anchor);
        let anchors = anchors.map(|ca| Anchor::new(ca.certificate.clone(), AnchorSource::OwnCa)).collect();
        let certificates = cas.iter().map(|ca| ca.certificate.clone()).collect();
        Ok(Self { cas, anchors, certificates, bases })
    }

    fn find(&self, id: &str) -> Option<&OwnCa> {
        self.cas.iter().find(|ca| ca.id == id)
    }

    /// The CA that issues now.
    fn current(&self) -> Option<&OwnCa> {
        let issuing = self.cas.iter().rev().find(|ca| ca.role == Role::Issuing && ca.is_current)?;
        // One whose parent is gone leads nowhere.
        let is_whole = issuing.parent.as_ref().is_none_or(|parent| self.find(parent).is_some());
        is_whole.then_some(issuing)
    }

    /// The CA that issues now, if it and those above it are valid.
    fn issuing_at(&self, now: Time) -> Result<&OwnCa, Fault> {
        let current = self.current().ok_or(Fault::NoAuthority)?;
        for ca in [self.root_of(current), current] {
            let certificate = &ca.certificate;
            if !certificate.is_valid_at(now) {
                let (from, until) = (certificate.not_before(), certificate.not_after());
                return Err(Fault::AuthorityNotValid { name: certificate.subject().to_string(), from, until, now });
            }
        }
        Ok(current)
    }

    fn root_of<'a>(&'a self, ca: &'a OwnCa) -> &'a OwnCa {
        ca.parent.as_ref().and_then(|id| self.find(id)).unwrap_or(ca)
    }

    /// The CAs above what this one issues, itself first.
    fn above(&self, ca: &OwnCa) -> Vec<Certificate> {
        let root = self.root_of(ca);
        let mut above = vec![ca.certificate.clone()];
        if root.id != ca.id {
            above.push(root.certificate.clone());
        }
        above
    }

    /// What travels with a certificate of this CA: its own, unless it is what readers trust.
    fn chain(&self, ca: &OwnCa) -> Vec<Certificate> {
        if ca.is_anchor { Vec::new() } else { vec![ca.certificate.clone()] }
    }
}

/// The own CA's anchors, for readers that hold no key.
#[derive(Clone, Copy, Debug)]
pub struct Anchors;

impl Anchors {
    /// What is to be trusted by this store, the newest last; empty where no CA was made yet.
    ///
    /// # Errors
    /// The store fails or is damaged.
    pub fn read(store: &Store) -> Result<Vec<Certificate>, Fault> {
        let all = store.read(ca::all)?;
        Ok(all.into_iter().filter(|ca| ca.is_anchor).map(|ca| ca.certificate).collect())
    }

    /// What is to be known of own CAs that were revoked: the lists of those above them. None where none was, as a rule; then
    /// what the certificates name counts.
    ///
    /// # Errors
    /// The store fails or is damaged.
    pub fn lists(store: &Store) -> Result<Vec<Crl>, Fault> {
        store.read(lists::about_authorities)
    }

    /// All own CAs of this store, the newest last.
    ///
    /// # Errors
    /// The store fails or is damaged.
    pub fn all(store: &Store) -> Result<Vec<OwnCa>, Fault> {
        store.read(ca::all)
    }
}

fn is_due(from: Time, until: Time, issuing_ends: Time, now: Time) -> bool {
    let third = i64::try_from(until.distance(from) / 3).unwrap_or(i64::MAX);
    now >= until.plus(third.saturating_neg()) && until < issuing_ends
}

fn parse(store: &Store, der: &[u8]) -> Result<Certificate, Fault> {
    Certificate::parse(der).map_err(|error| store.damaged(format!("a certificate cannot be read: {error}")))
}

/// The address as a member is known by: the domain in lower case, the local part exactly (RFC 5321 §2.4).
fn member(address: &Address) -> Result<Address, Fault> {
    let text = address.to_string();
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    Address::parse(&format!("{local}@{}", domain.to_ascii_lowercase())).map_err(Fault::bug)
}
