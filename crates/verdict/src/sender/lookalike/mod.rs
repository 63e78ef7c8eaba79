//! Is the sender made to be taken for somebody else?
//!
//! Three questions: does the domain look like one that the reader knows, does the name that the sender gives himself
//! carry somebody else's address or domain, and does it claim an organisation that nobody vouches for. What a reader
//! knows comes from [`Expectations`]; a few tricks give themselves away without it.
//!
//! A false alarm calls an honest mail a deceit, and many of them teach people to look away. So a rule stands here only
//! while its rate of false alarms is known to be low: docs/lookalikes.md tells the figures, and a test holds them.

mod domain;
pub(super) mod name;
mod skeleton;
mod tables;

use std::cell::LazyCell;
use std::collections::BTreeSet;

use kakitome_pki::address::{Address, Match};
use kakitome_smime::mime::address::Mailbox;

use self::domain::{Domain, alike, poses};
use self::skeleton::skeleton;
use super::expected::{Expectations, Party};
use crate::answer::Class;
use crate::reason::Reason;

/// How a sender can be taken for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What was seen.
    pub reason: Reason,
    /// Whom he can be taken for; `None` where that is not known.
    pub like: Option<String>,
}

impl Look {
    /// Does it make the sender another than he seems? What cannot be seen in a name does so only where the name is known;
    /// else it is told, and that is all.
    pub const fn decides(&self) -> bool {
        self.like.is_some() || !matches!(self.reason, Reason::LookBidi)
    }
}

/// The sender, as the reader sees him, and what is vouched for.
pub struct Shown<'a> {
    /// The one mailbox of From.
    pub from: &'a Mailbox,
    /// What the certificate vouches for; nothing, where the sender is not confirmed.
    pub class: Class,
    /// The organisation that it vouches for.
    pub organisation: Option<&'a str>,
}

/// For whom the sender can be taken; the most telling first. Empty where he is who he seems to be, as far as can be told.
pub fn look(shown: &Shown<'_>, expectations: &Expectations) -> Vec<Look> {
    let Ok(address) = Address::parse(&shown.from.address) else { return Vec::new() };
    let sender = Sender { address: &address, domain: Domain::new(address.domain()) };
    let mut found = Vec::new();
    if address.local().contains('@') {
        found.push(Look { reason: Reason::LookQuotedLocal, like: Some(address.local().to_owned()) });
    }
    found.extend(by_address(&sender, expectations));
    if let Some(name) = shown.from.display_name.as_deref() {
        found.extend(name::carries(name, shown.from.longest_blank, &sender, expectations));
        found.extend(name::claims(name, &sender, shown, expectations));
    }
    if let Some(organisation) = shown.organisation {
        found.extend(name::certified(organisation, &sender, expectations));
    }
    found
}

/// A sender's address, taken apart.
struct Sender<'a> {
    address: &'a Address,
    domain: Domain,
}

impl Sender<'_> {
    /// Is he one of these, or of a domain below theirs, whose owner decides who sends from it?
    fn is_of(&self, parties: &[Party]) -> bool {
        parties.iter().any(|party| match party {
            Party::Address(_) => party.is(self.address),
            Party::Domain(domain) => self.domain.is_within(&Domain::new(domain)),
        })
    }
}

fn by_address(sender: &Sender<'_>, expectations: &Expectations) -> Option<Look> {
    let protected: BTreeSet<&str> =
        expectations.protected.iter().flat_map(|one| &one.senders).map(Party::domain).collect();
    let others: BTreeSet<&str> = expectations.correspondents.iter().map(Address::domain).collect();
    let others = others.difference(&protected).map(|domain| (Domain::new(domain), false));
    let known: Vec<(Domain, bool)> = protected.iter().map(|domain| (Domain::new(domain), true)).chain(others).collect();
    if known.iter().any(|(known, _)| sender.domain.is_within(known)) {
        return by_local_part(sender.address, expectations);
    }
    for (known, closely) in &known {
        if let Some(reason) = alike(&sender.domain, known, *closely) {
            return Some(Look { reason, like: Some(known.text()) });
        }
    }
    // `bank.example@eve.example`
    let local = LazyCell::new(|| skeleton(sender.address.local()));
    let in_local = known.iter().find(|(known, closely)| *closely && local.contains(&skeleton(&known.text())));
    if let Some((known, _)) = in_local {
        return Some(Look { reason: Reason::LookSimilar, like: Some(known.text()) });
    }
    poses(&sender.domain).map(|like| Look { reason: Reason::LookHomograph, like: Some(like) })
}

/// In a domain that is known: does the address look like that of somebody whom the reader knows?
fn by_local_part(address: &Address, expectations: &Expectations) -> Option<Look> {
    let known = expectations.protected.iter().flat_map(|one| &one.senders).filter_map(|party| match party {
        Party::Address(address) => Some(address),
        Party::Domain(_) => None,
    });
    let known: Vec<&Address> = known.chain(&expectations.correspondents).collect();
    if known.iter().any(|known| known.matches(address) != Match::No) {
        return None;
    }
    let look = skeleton(address.local());
    let alike = |known: &&&Address| address.is_in(known.domain()) && skeleton(known.local()) == look;
    let known = known.iter().find(alike)?;
    let reason = if address.local().is_ascii() { Reason::LookSimilar } else { Reason::LookHomograph };
    Some(Look { reason, like: Some(known.to_string()) })
}

#[cfg(test)]
mod tests;
