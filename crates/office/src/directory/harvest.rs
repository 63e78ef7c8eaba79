//! What a confirmed mail brings: its sender's certificate, and what his programs read.

use std::fmt;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::path::AnchorSource;
use kakitome_smime::cms::capability::Capabilities;
use kakitome_verdict::sender::{ConfirmedSender, NotIntroduced};

use super::entry::{Entry, Place, Source, State};
use super::judge::{self, Believed, Unfit};
use super::rule::{Brought, Decision, SEEN_STEP, decide};
use super::{Directory, short, table, told};
use crate::audit::{Act, Actor};
use crate::fault::Fault;
use crate::store::Statements;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harvested {
    /// Whose certificate it is.
    pub place: Place,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: String,
    /// What was decided.
    pub decision: Decision,
}

/// Why nothing was taken from the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The mail says nothing that counts.
    NotIntroduced(NotIntroduced),
    /// The sender is under the own CA: a member, whose certificates are known already.
    Member,
    /// The sender is believed by one reader's choice, not by this instance's.
    OnesChoice,
    /// The certificate to encrypt to is not believed itself.
    Unfit(Unfit),
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIntroduced(why) => why.fmt(f),
            Self::Member => f.write_str("the sender is under the own CA"),
            Self::OnesChoice => f.write_str("the sender's issuer is one reader's choice"),
            Self::Unfit(why) => write!(f, "the certificate to encrypt to: {why}"),
        }
    }
}

impl Directory {
    /// Takes from a confirmed mail to which certificate its sender is encrypted. Call it for mail that was delivered to us;
    /// what else must have been found good is in the type of `sender`.
    ///
    /// Most mail changes nothing, and costs one look-up by the index.
    ///
    /// # Errors
    /// The store fails. Nothing was changed then, and the mail may pass all the same.
    pub fn harvest(
        &self,
        sender: &ConfirmedSender,
        actor: &Actor,
        now: Time,
    ) -> Result<Result<Harvested, NotTaken>, Fault> {
        let introduction = match sender.introduction() {
            Ok(introduction) => introduction,
            Err(why) => return Ok(Err(NotTaken::NotIntroduced(why))),
        };
        match introduction.path().anchor().source {
            AnchorSource::PublicList | AnchorSource::Operator => {}
            AnchorSource::OwnCa => return Ok(Err(NotTaken::Member)),
            AnchorSource::User => return Ok(Err(NotTaken::OnesChoice)),
        }
        let Some(place) = Place::of(introduction.address()) else {
            return Ok(Err(NotTaken::NotIntroduced(NotIntroduced::OtherAddress)));
        };
        let certificate = introduction.certificate();
        let harvested =
            |decision| Harvested { place: place.clone(), fingerprint: certificate.fingerprint_hex(), decision };
        let signed_at = introduction.signed_at();
        let known = self.store.read(|s| table::at(s, &place))?;
        match known.iter().find(|entry| entry.place == place && entry.certificate == *certificate) {
            Some(Entry { state: state @ (State::Retired | State::Blocked), .. }) => {
                return Ok(Ok(harvested(Decision::Declined(*state))));
            }
            Some(entry) if !is_news(entry, signed_at, introduction.capabilities(), now) => {
                return Ok(Ok(harvested(Decision::Known)));
            }
            _ => {}
        }
        let evidence = self.evidence(now)?;
        let fitness = self.judge(certificate, introduction.brought(), false, &evidence)?;
        let path = match fitness.map(|fitness| fitness.believed) {
            Ok(Believed::Path(path)) => path,
            Ok(Believed::Pin) => return Ok(Err(NotTaken::OnesChoice)),
            Err(why) => return Ok(Err(NotTaken::Unfit(why))),
        };
        let brought = Brought {
            place: place.clone(),
            certificate: certificate.clone(),
            anchor: hex(path.anchor().certificate.fingerprint()),
            class: judge::class(&path),
            signed_at,
        };
        let issuers: Vec<Certificate> = path.certificates().iter().skip(1).cloned().collect();
        let taking = Taking {
            brought: &brought,
            source: Source::Harvested,
            capabilities: introduction.capabilities(),
            issuers: &issuers,
            actor,
            now,
        };
        let decision = self.store.write(|s| taking.take(s))?;
        Ok(Ok(harvested(decision)))
    }
}

/// Would writing it change anything that matters?
fn is_news(entry: &Entry, signed_at: Time, capabilities: Option<&Capabilities>, now: Time) -> bool {
    let is_newer = entry.signed_at.is_none_or(|before| signed_at > before);
    let says_other = is_newer && capabilities.is_some() && capabilities != entry.capabilities.as_ref();
    // Its time moves on by the day: what a captured mail could bring back in between is what was said that day.
    let is_old = entry.signed_at.is_none_or(|before| signed_at >= before.plus(SEEN_STEP));
    says_other || is_old || now >= entry.last_seen.plus(SEEN_STEP)
}

/// What is taken in, once it was found good.
pub(super) struct Taking<'a> {
    pub(super) brought: &'a Brought,
    pub(super) source: Source,
    pub(super) capabilities: Option<&'a Capabilities>,
    pub(super) issuers: &'a [Certificate],
    pub(super) actor: &'a Actor,
    pub(super) now: Time,
}

impl Taking<'_> {
    /// Decides under the lock of the store, and does it.
    pub(super) fn take(&self, s: &mut Statements<'_>) -> Result<Decision, Fault> {
        let (brought, now) = (self.brought, self.now);
        let mut known = table::at(s, &brought.place)?;
        known.retain(|entry| !entry.place.is_domain() && entry.place.folded() == brought.place.folded());
        let decision = decide(brought, &known, now);
        let fingerprint = brought.certificate.fingerprint_hex();
        let mut entry = Entry::new(brought.place.clone(), brought.certificate.clone(), self.source, now);
        (entry.anchor, entry.class) = (brought.anchor.clone(), brought.class.to_owned());
        match &decision {
            Decision::Known | Decision::Newer => {
                let is_same =
                    |entry: &&mut Entry| entry.certificate == brought.certificate && entry.place == brought.place;
                // The same certificate under an address in other letters is that address's.
                let Some(old) = known.iter_mut().find(is_same) else { return Ok(decision) };
                old.last_seen = now;
                if decision == Decision::Newer {
                    self.say(old);
                }
                let _ = table::put(s, old)?;
                return Ok(decision);
            }
            Decision::Older | Decision::Declined(_) | Decision::Full(_) => return Ok(decision),
            Decision::First => entry.note = "the first of its address".to_owned(),
            Decision::Renews(_, why) => entry.note = why.to_string(),
            Decision::Pending(change) => {
                entry.state = State::Pending;
                entry.note = change.to_string();
            }
        }
        self.say(&mut entry);
        if let Err(full) = table::put(s, &entry)? {
            return Ok(Decision::Full(full));
        }
        if let Decision::Renews(follows, _) = &decision {
            for old in known.iter_mut().filter(|old| follows.contains(&old.fingerprint())) {
                old.state = State::Retired;
                old.note = format!("followed on {now} by {}", short(&fingerprint));
                let _ = table::put(s, old)?;
            }
        }
        for issuer in self.issuers {
            table::keep_issuer(s, issuer, now)?;
        }
        let details = [
            ("certificate", fingerprint.as_str()),
            ("source", self.source.name()),
            ("state", entry.state.name()),
            ("why", &entry.note),
        ];
        told(s, self.actor, Act::DirectoryAdded, &brought.place, &details, now)?;
        Ok(decision)
    }

    /// Only what is signed later counts (RFC 8551 §2.7.1); who signs without capabilities takes none back.
    fn say(&self, entry: &mut Entry) {
        // A store that was asked does not sign what it says.
        if self.source != Source::Harvested {
            return;
        }
        entry.signed_at = Some(self.brought.signed_at);
        if let Some(said) = self.capabilities {
            entry.capabilities = Some(said.clone());
        }
    }
}
