//! The directory: to which certificate mail for an address is encrypted, and how certificates come to be known.
//!
//! They come by confirmed mail of their owners ([`Directory::harvest`]), out of files ([`import`]), and from other houses'
//! certificate stores; each use judges them anew, by the path validation that judges senders, and says of each that it
//! does not use why. A key that changes waits for a person ([`rule`]); what somebody pinned or blocked stays so.
//!
//! Nothing here looks at what mail says unless the mail was confirmed: the only door takes a
//! [`ConfirmedSender`], which nobody can make without the proofs.

mod entry;
mod found;
mod harvest;
pub mod import;
mod judge;
pub mod ldif;
pub mod letter;
mod lookup;
pub mod publish;
pub mod rule;
pub mod smimea;
mod table;

use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::path::Known;
use kakitome_pki::path::revocation::Mode;
use kakitome_verdict::lookup::End;
use kakitome_verdict::sender::Evidence;

use crate::audit::{self, Act, Actor, Part};
use crate::authority::Anchors;
use crate::enrolment::published::encryption_certificates;
use crate::evidence::outside::Outside;
use crate::evidence::{self, Choice};
use crate::fault::Fault;
use crate::store::{Statements, Store};
use crate::trust::Chosen;
use found::Candidate;

pub use entry::{Entry, Place, Source, State};
pub use found::{Fit, Found, Origin, Unused, Why};
pub use harvest::{Harvested, NotTaken};
pub use judge::{Believed, Fitness, Revocation, Unfit};
pub use lookup::{ADDRESS_MARK, Service};
pub use table::{CAPABILITIES_LIMIT, Filter, ISSUER_LIMIT, LOOK_UPS};

/// How the directory judges.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Whom it believes beside the public list, the operator's anchors and the own CA, which come out of the store.
    pub choice: Choice,
    /// Use no certificate of which nobody could say whether it was revoked. Without it such a one is used where there is no
    /// better, and `explain` says so: that a list could not be fetched must not send the mail in the clear.
    pub demand_revocation_answer: bool,
    /// Certificate stores of other houses, asked for addresses of which none is known.
    pub services: Vec<Service>,
}

/// The directory of a store. Any number of threads use one.
pub struct Directory {
    store: Arc<Store>,
    terms: Terms,
    outside: Option<Arc<Outside>>,
    actor: Actor,
}

/// How long what a store of another house answered is used before it is asked again, in seconds: a day.
pub const ASK_AGAIN: i64 = 24 * 60 * 60;

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Directory({})", self.store.name())
    }
}

/// What an administrator's act came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Changed,
    /// It was so already.
    Already,
    /// There is no such entry.
    Absent,
}

impl Directory {
    /// The directory of a store, judging by the public list, the operator's anchors and the own CA, and asking nobody
    /// outside.
    pub fn new(store: Arc<Store>) -> Self {
        Self::judging(store, Terms::default())
    }

    /// The same by other terms.
    pub fn judging(store: Arc<Store>, terms: Terms) -> Self {
        let choice = Choice { known: Known::remembering(), ..terms.choice };
        let actor = Actor::part(&audit::machine(), Part::Gateway);
        Self { store, terms: Terms { choice, ..terms }, outside: None, actor }
    }

    /// Asking outside, by the one guarded fetcher: for revocation, and the stores of other houses that the terms name.
    #[must_use]
    pub fn asking(self, outside: Arc<Outside>) -> Self {
        Self { outside: Some(outside), ..self }
    }

    /// Recording what it takes in on the way as another's act than the gateway's.
    #[must_use]
    pub fn acting_for(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// What an address is encrypted to: what is fit, best first, and why not to the rest. Blocks; where revocation is asked
    /// outside, for seconds.
    ///
    /// # Errors
    /// The store fails, or a file of anchors that the terms name cannot be read.
    pub fn recipients(&self, address: &Address, now: Time) -> Result<Found, Fault> {
        let Some(place) = Place::of(address) else { return Ok(Found::default()) };
        let (own, entries) =
            self.store.read(|s| Ok((encryption_certificates(s, address, now)?, table::at(s, &place)?)))?;
        let may_ask = self.outside.is_some() && self.terms.services.iter().any(|one| one.domain == place.domain);
        if own.is_empty() && entries.is_empty() && !may_ask {
            return Ok(Found::default());
        }
        let evidence = self.evidence(now)?;
        let mut found = self.found(&place, own, entries, &evidence)?;
        if may_ask && found.best().is_none_or(|best| best.is_due_to_be_asked(now)) {
            let lookup = self.ask(address, &place, &evidence, now)?;
            if let Some(End::Known) = lookup.as_ref().map(|lookup| lookup.end) {
                found = self.found(&place, Vec::new(), self.entries(&place)?, &evidence)?;
            }
            found.tell(lookup);
        }
        Ok(found)
    }

    /// What is fit of what is known, best first, and why not the rest.
    fn found(
        &self,
        place: &Place,
        own: Vec<Vec<u8>>,
        entries: Vec<Entry>,
        evidence: &Evidence,
    ) -> Result<Found, Fault> {
        let (mut candidates, mut unused) = (Vec::new(), Vec::new());
        let (ours, issuers) = if own.is_empty() { Default::default() } else { self.issuers_of_members()? };
        // What an own CA revoked stands in the store, and is not among these; nobody asks ourselves over the network.
        let unasked = Evidence { revocation: Some(Mode::Off), ..evidence.clone() };
        for der in own {
            let certificate = Certificate::parse(&der)
                .map_err(|malformed| self.store.damaged(format!("a certificate of {place}: {malformed}")))?;
            let (origin, place) = (Origin::Member, place.clone());
            let is_ours = ours.iter().any(|one| certificate.verify_signature(one.key()).is_ok());
            match self.judge(&certificate, &issuers, false, if is_ours { &unasked } else { evidence })? {
                Ok(fitness) => candidates.push(Candidate {
                    certificate,
                    place,
                    origin,
                    pinned: false,
                    last_seen: evidence.at,
                    capabilities: None,
                    fitness,
                }),
                Err(why) => unused.push(Unused { certificate, place, origin, why: Why::Unfit(why) }),
            }
        }
        for entry in entries {
            let origin = Origin::Correspondent(entry.source);
            let outcome = match Why::of(entry.state, &entry.note) {
                Some(why) => Err(why),
                None => self.judge(&entry.certificate, &[], entry.pinned, evidence)?.map_err(Why::Unfit),
            };
            let Entry { certificate, place, pinned, capabilities, last_seen, .. } = entry;
            match outcome {
                Ok(fitness) => {
                    let one = Candidate { certificate, place, origin, pinned, last_seen, capabilities, fitness };
                    candidates.push(one);
                }
                Err(why) => unused.push(Unused { certificate, place, origin, why }),
            }
        }
        Ok(Found::ranked(place, candidates, unused))
    }

    /// Our own CAs, and all CAs that may lie above members' certificates: those, and what came with imported ones.
    fn issuers_of_members(&self) -> Result<(Vec<Certificate>, Vec<Certificate>), Fault> {
        let ours: Vec<Certificate> = Anchors::all(&self.store)?.into_iter().map(|ca| ca.certificate).collect();
        let came = self.store.read(table::issuers_of_members)?;
        let came = came.iter().filter_map(|der| Certificate::parse(der).ok());
        let all = ours.iter().cloned().chain(came).collect();
        Ok((ours, all))
    }

    /// The entries of a list, a page at a time.
    ///
    /// # Errors
    /// The store fails.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Entry>, Fault> {
        self.store.read(|s| table::list(s, filter))
    }

    /// The entries whose certificate's SHA-256 begins so, at most so many.
    ///
    /// # Errors
    /// The store fails.
    pub fn by_fingerprint(&self, beginning: &str, limit: u32) -> Result<Vec<Entry>, Fault> {
        self.store.read(|s| table::of(s, beginning, limit))
    }

    /// How many entries there are.
    ///
    /// # Errors
    /// The store fails.
    pub fn total(&self) -> Result<i64, Fault> {
        self.store.read(table::total)
    }

    /// Is this entry fit to be encrypted to now?
    ///
    /// # Errors
    /// As [`Self::recipients`].
    pub fn fitness(&self, entry: &Entry, now: Time) -> Result<Result<judge::Fitness, Unfit>, Fault> {
        self.judge(&entry.certificate, &[], entry.pinned, &self.evidence(now)?)
    }

    /// Says that this is the certificate of the address, whatever comes: it needs no path, comes first, and nothing takes
    /// its place by itself. Or takes that back.
    ///
    /// # Errors
    /// The store fails.
    pub fn pin(&self, place: &Place, fingerprint: &str, pinned: bool, actor: &Actor, now: Time) -> Result<Done, Fault> {
        let note = if pinned { "pinned" } else { "no longer pinned" };
        self.change(place, fingerprint, actor, now, note, |entry| {
            if entry.pinned == pinned {
                return false;
            }
            entry.pinned = pinned;
            if pinned {
                entry.state = State::Active;
            }
            entry.note = note.to_owned();
            true
        })
    }

    /// Never encrypts to this certificate again, whatever brings it.
    ///
    /// # Errors
    /// The store fails.
    pub fn block(&self, place: &Place, fingerprint: &str, actor: &Actor, now: Time) -> Result<Done, Fault> {
        self.change(place, fingerprint, actor, now, "blocked", |entry| {
            let changes = entry.state != State::Blocked;
            (entry.state, entry.pinned) = (State::Blocked, false);
            if changes {
                entry.note = format!("blocked on {now}");
            }
            changes
        })
    }

    /// Does not take a certificate that waits; the one in use stays.
    ///
    /// # Errors
    /// The store fails.
    pub fn refuse(&self, place: &Place, fingerprint: &str, actor: &Actor, now: Time) -> Result<Done, Fault> {
        self.change(place, fingerprint, actor, now, "refused", |entry| {
            let changes = entry.state == State::Pending;
            if changes {
                entry.state = State::Retired;
                entry.note = format!("not accepted on {now}");
            }
            changes
        })
    }

    /// Takes a certificate that waits, was not accepted before or was blocked. What was in use at this place is retired; if
    /// that was pinned, so is this from now on.
    ///
    /// # Errors
    /// The store fails.
    pub fn accept(&self, place: &Place, fingerprint: &str, actor: &Actor, now: Time) -> Result<Done, Fault> {
        self.store.write(|s| {
            let entries = table::at(s, place)?;
            let mut here = entries.into_iter().filter(|entry| entry.place == *place).collect::<Vec<_>>();
            let Some(at) = here.iter().position(|entry| entry.fingerprint() == fingerprint) else {
                return Ok(Done::Absent);
            };
            let mut accepted = here.swap_remove(at);
            if accepted.state == State::Active {
                return Ok(Done::Already);
            }
            let in_use = here.iter_mut().filter(|entry| entry.state == State::Active);
            let mut retired = Vec::new();
            for before in in_use {
                accepted.pinned |= before.pinned;
                (before.state, before.pinned) = (State::Retired, false);
                before.note = format!("replaced on {now} by {}, which somebody accepted", short(fingerprint));
                retired.push(short(&before.fingerprint()).to_owned());
                // There is room: the entry is there already.
                let _ = table::put(s, before)?;
            }
            accepted.state = State::Active;
            accepted.note = format!("accepted on {now}");
            let _ = table::put(s, &accepted)?;
            let details: [(&str, &str); 3] =
                [("certificate", fingerprint), ("decision", "accepted"), ("retired", &retired.join(" "))];
            told(s, actor, Act::DirectoryChanged, place, &details, now)?;
            Ok(Done::Changed)
        })
    }

    /// Takes an entry out. It comes again if a mail brings it again; [`Self::block`] keeps it out.
    ///
    /// # Errors
    /// The store fails.
    pub fn remove(&self, place: &Place, fingerprint: &str, actor: &Actor, now: Time) -> Result<Done, Fault> {
        self.store.write(|s| {
            if !table::take(s, place, fingerprint)? {
                return Ok(Done::Absent);
            }
            told(s, actor, Act::DirectoryRemoved, place, &[("certificate", fingerprint)], now)?;
            Ok(Done::Changed)
        })
    }

    fn change(
        &self,
        place: &Place,
        fingerprint: &str,
        actor: &Actor,
        now: Time,
        decision: &str,
        mut change: impl FnMut(&mut Entry) -> bool,
    ) -> Result<Done, Fault> {
        self.store.write(|s| {
            let Some(mut entry) = table::one(s, place, fingerprint)? else { return Ok(Done::Absent) };
            if !change(&mut entry) {
                return Ok(Done::Already);
            }
            let _ = table::put(s, &entry)?;
            let details = [("certificate", fingerprint), ("decision", decision)];
            told(s, actor, Act::DirectoryChanged, place, &details, now)?;
            Ok(Done::Changed)
        })
    }

    /// Judges a certificate; `hints` are what may lie above it beside what the directory knows.
    fn judge(
        &self,
        certificate: &Certificate,
        hints: &[Certificate],
        pinned: bool,
        evidence: &Evidence,
    ) -> Result<Result<judge::Fitness, Unfit>, Fault> {
        let mut above = self.store.read(|s| table::issuers_above(s, certificate))?;
        above.extend_from_slice(hints);
        let demands = self.terms.demand_revocation_answer;
        Ok(judge::judge(certificate, &above, pinned, demands, evidence, self.outside.as_deref()))
    }

    /// Whom this instance believes now: what the operator adds or takes out counts at once.
    fn evidence(&self, now: Time) -> Result<Evidence, Fault> {
        let operators = Chosen::read(&self.store)?.operators();
        let own_ca = Anchors::read(&self.store)?;
        let own_lists = Anchors::lists(&self.store)?;
        let choice = Choice { operators, own_ca, own_lists, ..self.terms.choice.clone() };
        evidence::gather(&choice, now).map_err(|unusable| Fault::Anchors { why: unusable.to_string() })
    }
}

/// The beginning of a fingerprint, for notes that people read.
fn short(fingerprint: &str) -> &str {
    fingerprint.get(..16).unwrap_or(fingerprint)
}

fn told(
    s: &mut Statements<'_>,
    actor: &Actor,
    act: Act,
    place: &Place,
    details: &[(&str, &str)],
    at: Time,
) -> Result<(), Fault> {
    audit::record(s, &audit::Entry { actor, act, subject: &place.to_string(), details, at })?;
    Ok(())
}
