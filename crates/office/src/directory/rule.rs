//! What becomes of a certificate that a confirmed mail brings, by what is known of its owner: pure.
//!
//! One mail alone must not move the encryption to another key. Whoever gets one certificate wrongly issued could else
//! send one mail, and read what is written to somebody else from then on. So a certificate takes the place of another by
//! itself only where it is the same owner's, of the same issuer, when a new one is due; everything else waits for a
//! person, and meanwhile the one before stays in use.

use std::fmt;

use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::name::Name;

use super::entry::{Entry, Place, State};

/// Certificates that one address may have here, whatever their state.
pub const ADDRESS_LIMIT: usize = 32;
/// Certificates of one address that may wait for a decision.
pub const PENDING_LIMIT: usize = 4;
/// Certificates that confirmed mail and look-ups may bring from one domain.
pub const DOMAIN_LIMIT: i64 = 100_000;
/// Certificates in the directory.
pub const TOTAL_LIMIT: i64 = 2_000_000;
/// How long after its end a certificate is still followed by another of the same issuer as by its renewal, in seconds:
/// ninety days, a long leave.
pub const RENEWAL_GRACE: i64 = 90 * 24 * 60 * 60;
/// How old "last met" may be before it is written anew, in seconds: a day, so that a correspondence costs no writing.
pub const SEEN_STEP: i64 = 24 * 60 * 60;

/// A certificate that a confirmed mail brought, with what was found about it.
#[derive(Clone, Debug)]
pub struct Brought {
    /// Whose.
    pub place: Place,
    /// The certificate.
    pub certificate: Certificate,
    /// SHA-256 of its anchor, in hexadecimal.
    pub anchor: String,
    /// What was checked about the owner.
    pub class: &'static str,
    /// When its owner signed that it is his.
    pub signed_at: Time,
}

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody pinned another.
    Pinned,
    /// Its issuer is another.
    Issuer,
    /// Less, or something else, was checked about the owner.
    Class,
    /// Its names are others.
    Names,
    /// It comes long before the end of the one before.
    Early,
    /// It comes long after the end of the one before.
    Late,
    /// None is in use, since another was not accepted or waits.
    Undecided,
}

impl Change {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Issuer => "issuer",
            Self::Class => "class",
            Self::Names => "names",
            Self::Early => "early",
            Self::Late => "late",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pinned => "another certificate is pinned for this address",
            Self::Issuer => "it was issued by another CA than the one in use",
            Self::Class => "something else was checked about its owner than about that of the one in use",
            Self::Names => "it names somebody else than the one in use",
            Self::Early => "it comes while the one in use is far from its end",
            Self::Late => "it comes long after the end of the one before",
            Self::Undecided => "another one of this address waits for a decision, or was not accepted",
        })
    }
}

/// Which number is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// [`ADDRESS_LIMIT`].
    Address,
    /// [`PENDING_LIMIT`].
    Pending,
    /// [`DOMAIN_LIMIT`].
    Domain,
    /// [`TOTAL_LIMIT`].
    Total,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => write!(f, "the address has {ADDRESS_LIMIT} certificates here"),
            Self::Pending => write!(f, "{PENDING_LIMIT} certificates of the address wait for a decision"),
            Self::Domain => write!(f, "the domain has {DOMAIN_LIMIT} certificates here that nobody chose"),
            Self::Total => write!(f, "the directory holds {TOTAL_LIMIT} certificates"),
        }
    }
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is the first of its address: it is used from now on.
    First,
    /// It is in use, or was decided about, and nothing changes.
    Known,
    /// It is known, and this mail says something newer about it.
    Newer,
    /// It follows these, in hexadecimal fingerprints, by itself.
    Renews(Vec<String>, Renewal),
    /// A person has to decide.
    Pending(Change),
    /// It is older than what is known.
    Older,
    /// Somebody blocked it, or it was not accepted before.
    Declined(State),
    /// There is no room.
    Full(Full),
}

/// Why one follows another by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The key is the same, so nobody else can read than before.
    SameKey,
    /// The same issuer gave the same owner a new one when it was due.
    Due,
}

impl fmt::Display for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameKey => "the same key, certified anew",
            Self::Due => "a renewal: the same issuer, the same names, and the one before near its end",
        })
    }
}

/// Decides. `known` are all entries at the same address (a whole domain's are not among them).
pub fn decide(brought: &Brought, known: &[Entry], now: Time) -> Decision {
    let same = known.iter().find(|entry| entry.certificate == brought.certificate);
    if let Some(entry) = same {
        let is_newer = entry.signed_at.is_none_or(|before| brought.signed_at > before);
        return match entry.state {
            State::Blocked => Decision::Declined(State::Blocked),
            // What was replaced or not accepted stays so, whichever of his programs still names it.
            State::Retired => Decision::Declined(State::Retired),
            State::Active | State::Pending if is_newer => Decision::Newer,
            State::Active | State::Pending => Decision::Known,
        };
    }
    if known.iter().filter_map(|entry| entry.signed_at).any(|before| before >= brought.signed_at) {
        return Decision::Older;
    }
    if known.len() >= ADDRESS_LIMIT {
        return Decision::Full(Full::Address);
    }
    let active: Vec<&Entry> = known.iter().filter(|entry| entry.state == State::Active).collect();
    // One whose key was blocked does not come back under another certificate.
    if known.iter().any(|entry| entry.state == State::Blocked && entry.certificate.spki() == brought.certificate.spki())
    {
        return Decision::Declined(State::Blocked);
    }
    if active.is_empty() && known.iter().all(|entry| entry.state == State::Blocked) {
        return Decision::First;
    }
    let waiting = known.iter().filter(|entry| entry.state == State::Pending).count();
    let mut change = Change::Undecided;
    let mut follows = Vec::new();
    let mut renewal = Renewal::Due;
    for entry in &active {
        match follow(brought, entry, now) {
            Ok(why) => {
                follows.push(entry.fingerprint());
                if why == Renewal::SameKey {
                    renewal = why;
                }
            }
            Err(why) => change = why,
        }
    }
    if active.iter().any(|entry| entry.pinned) {
        change = Change::Pinned;
        follows.clear();
    }
    if !follows.is_empty() {
        Decision::Renews(follows, renewal)
    } else if waiting >= PENDING_LIMIT {
        Decision::Full(Full::Pending)
    } else {
        Decision::Pending(change)
    }
}

/// Does it follow this entry by itself?
fn follow(brought: &Brought, entry: &Entry, now: Time) -> Result<Renewal, Change> {
    let (new, old) = (&brought.certificate, &entry.certificate);
    if new.spki() == old.spki() {
        return Ok(Renewal::SameKey);
    }
    // CAs change their issuing certificates more often than their roots; the organisation stays.
    let same_house = entry.anchor == brought.anchor
        && !entry.anchor.is_empty()
        && organisation(new.issuer()).is_some_and(|of| organisation(old.issuer()) == Some(of));
    if new.issuer() != old.issuer() && !same_house {
        return Err(Change::Issuer);
    }
    // An imported one has no class where it had no path.
    if !entry.class.is_empty() && entry.class != brought.class {
        return Err(Change::Class);
    }
    if new.subject() != old.subject() {
        return Err(Change::Names);
    }
    let life = old.not_after().unix().saturating_sub(old.not_before().unix());
    if now < old.not_after().plus((life / 3).saturating_neg()) {
        return Err(Change::Early);
    }
    if now > old.not_after().plus(RENEWAL_GRACE) {
        return Err(Change::Late);
    }
    Ok(Renewal::Due)
}

fn organisation(name: &Name) -> Option<&str> {
    name.find(oid::ORGANIZATION)
}
