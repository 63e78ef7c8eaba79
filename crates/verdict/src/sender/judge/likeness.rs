//! Step 16: could the sender be taken for somebody else? Where the steps do not come so far, it is told beside the answer.

use kakitome_pki::address::{Address, Match};
use kakitome_pki::identity;
use kakitome_smime::mime::address::Mailbox;

use super::super::Signer;
use super::super::found::FoundPath;
use super::super::lookalike::{self, Look, Shown};
use super::super::steps::{Outcome, class, fails};
use super::Trial;
use crate::detail::Detail;
use crate::state::State;

impl Trial<'_> {
    /// Step 16.
    pub(super) fn lookalike(&mut self, found: &FoundPath) -> Outcome {
        let Some(from) = self.author() else { return Outcome::Skipped };
        let vouched = identity::vouch(&found.path);
        let (_, class, _) = class(&vouched);
        let shown = Shown { from: &from, class, organisation: vouched.organisation.as_deref() };
        match self.looks(&shown) {
            Some(look) => {
                let detail = look.like.as_deref().unwrap_or_default();
                fails(State::Lookalike, look.reason, detail)
            }
            None => Outcome::Holds(Detail::default()),
        }
    }

    /// Tells for whom the sender could be taken, and gives what decides that he could.
    pub(super) fn looks(&mut self, shown: &Shown<'_>) -> Option<Look> {
        let looks = lookalike::look(shown, &self.evidence.expectations);
        for look in &looks {
            self.note(look.reason);
        }
        let decisive = looks.into_iter().find(Look::decides)?;
        self.answer.who.looks_like.clone_from(&decisive.like);
        Some(decisive)
    }

    /// Is From an address that the reader knows, or that is protected?
    pub(super) fn is_known_sender(&self) -> bool {
        let Some(from) = self.author().and_then(|from| Address::parse(&from.address).ok()) else { return false };
        let expectations = &self.evidence.expectations;
        let mut parties = expectations.protected.iter().flat_map(|one| &one.senders).chain(&expectations.signers);
        parties.any(|party| party.is(&from))
            || expectations.correspondents.iter().any(|known| known.matches(&from) != Match::No)
    }

    /// The one mailbox of From, where the author is asked for.
    pub(super) fn author(&self) -> Option<Mailbox> {
        self.author.as_ref().ok().filter(|_| self.evidence.signer == Signer::From).cloned()
    }
}
