//! The operator's policy for outbound mail: who may sign as whom, and what a mail becomes on its way to whom. Pure: no
//! store, no clock, no key. Gateway and `kakitome explain` ask the same [`Policy::plan`], so what is explained is what
//! happens.
//!
//! Read in this order: [`origin`] (who handed a mail in), [`sender`] (whom he may sign as), [`intent`] (what its author
//! asks for), [`treatment`] (in which form it leaves, by rules, built-in profiles and defaults), [`sealing`] (to whom it can
//! be encrypted), [`plan`] (all of it for one mail: which copies leave to whom).

pub mod intent;
pub mod origin;
mod passed;
pub mod plan;
pub mod sealing;
pub mod sender;
pub mod treatment;
pub mod untouched;

use std::num::NonZeroU64;

use kakitome_pki::address::Address;
use kakitome_verdict::sender::expected::Party;
use serde::{Deserialize, Serialize};

pub use intent::{Intent, Tag, Wish};
pub use origin::{ClientCertificate, Origin};
pub use plan::{Passed, Plan, Submission};
pub use sealing::{CipherFloor, Encrypting, Hiding, RsaUse};
pub use sender::{Authorised, Miss, SenderRule};
pub use treatment::{DigestName, PROFILES, Profile, Rule, Said, Signing, Source, Treatment};
pub use untouched::Untouched;

/// The policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Domains whose addresses are signed for, in lower case.
    pub members: Vec<String>,
    /// The name that the submission server gives itself in the Received fields that it writes; without it nobody is
    /// known by login or client certificate.
    pub submission_host: Option<String>,
    /// Mail programs are connected to a listener of ours themselves, which knows their certificates.
    pub takes_submissions: bool,
    /// Who may sign as whom; without any, whoever enters by an outbound listener may sign as every member.
    pub senders: Vec<SenderRule>,
    /// What a mail becomes, by author and recipient. For each thing the first rule that says it counts.
    pub rules: Vec<Rule>,
    /// How mail is signed where neither a rule nor a profile says.
    pub sign: Signing,
    /// Are the header fields signed, too (RFC 9788), where no rule says?
    pub header_protection: bool,
    /// Kinds of mail that are signed although they pass untouched otherwise.
    pub also_sign: Vec<Untouched>,
    /// How strictly mail is encrypted where no rule says; members get theirs in clear unless a rule names them.
    pub encrypt: Encrypting,
    /// How strictly it is when its author asks for it; never less than [`Encrypting::AlwaysOrHold`].
    pub confidential: Encrypting,
    /// May some recipients get a mail encrypted and others the same in clear?
    pub mixed: bool,
    /// May an author ask for less than the policy, where no rule says?
    pub sender_may_lower: bool,
    /// Words in the subject by which an author asks.
    pub tags: Vec<Tag>,
    /// What of the header is hidden in an encrypted mail, where no rule says.
    pub hide: Hiding,
    /// The weakest cipher, where no rule says.
    pub cipher_floor: CipherFloor,
    /// Is each encrypted mail also encrypted to its author's own certificate?
    pub seal_to_author: bool,
    /// In whose name senders are told what became of their mail: a member's address, and the notice is signed.
    pub notices_from: Option<Address>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            submission_host: None,
            takes_submissions: false,
            senders: Vec::new(),
            rules: Vec::new(),
            sign: Signing::Clear,
            header_protection: true,
            also_sign: Vec::new(),
            encrypt: Encrypting::default(),
            confidential: Encrypting::AlwaysOrHold,
            mixed: false,
            sender_may_lower: false,
            tags: Vec::new(),
            hide: Hiding::default(),
            cipher_floor: CipherFloor::default(),
            seal_to_author: false,
            notices_from: None,
        }
    }
}

impl Policy {
    /// Is this address one of the members'?
    pub fn is_member(&self, address: &Address) -> bool {
        self.members.iter().any(|domain| address.is_in(domain))
    }

    /// What cannot be meant as it is written, each with what to do. `classes` are the trust classes of the outbound
    /// listeners.
    pub fn problems(&self, classes: &[&str]) -> Vec<String> {
        let mut problems = Vec::new();
        for (number, rule) in (1usize..).zip(&self.senders) {
            let here = format!("policy.senders, rule {number}");
            problems.extend(rule.problems(self, classes).into_iter().map(|problem| format!("{here}: {problem}")));
        }
        for (number, rule) in (1usize..).zip(&self.rules) {
            let here = format!("policy.rules, rule {number}");
            for party in rule.from.iter().map(PartyName::party) {
                if !self.members.iter().any(|domain| same_domain(domain, party.domain())) {
                    problems.push(format!(
                        "{here}: from = {:?} is in no domain of members.domains, so it matches no mail that is signed; \
                         add the domain there, or mend the rule",
                        name(party)
                    ));
                }
            }
            if let Some(earlier) = self.rules.iter().take(number.saturating_sub(1)).position(|one| one.covers(rule)) {
                problems.push(format!(
                    "{here}: rule {} says all of this for the same mail and more, and the first rule counts; put this \
                     one before it",
                    earlier.saturating_add(1)
                ));
            }
        }
        if !self.confidential.is_mandatory() {
            problems.push(
                "policy.confidential: an author who asks for encryption would not always get it; allowed are \"always\" and \
                 \"always-or-hold\""
                    .to_owned(),
            );
        }
        if let Some(from) = self.notices_from.as_ref().filter(|from| !self.is_member(from)) {
            problems.push(format!(
                "policy.notices_from = \"{from}\" is in no domain of members.domains, so nothing can be signed in its name; \
                 give an address of a member domain, or leave it out"
            ));
        }
        problems
    }
}

fn same_domain(one: &str, other: &str) -> bool {
    Address::parse(&format!("x@{one}")).is_ok_and(|address| address.is_in(other))
}

fn name(party: &Party) -> String {
    match party {
        Party::Address(address) => address.to_string(),
        Party::Domain(domain) => domain.clone(),
    }
}

/// An address, or a domain with all of its addresses (not those of domains below it), as a rule names it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartyName(Party);

impl PartyName {
    /// Whom it names.
    pub fn party(&self) -> &Party {
        &self.0
    }

    /// Is it this address? The local part counts to the letter, case and all; the case of a domain does not.
    pub fn is(&self, address: &Address) -> bool {
        match &self.0 {
            Party::Address(own) => own.matches(address) == kakitome_pki::address::Match::Exact,
            Party::Domain(domain) => address.is_in(domain),
        }
    }

    /// Does it name all that the other one names?
    fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, Party::Address(address)) => self.is(address),
            (Party::Domain(own), Party::Domain(domain)) => same_domain(own, domain),
            (Party::Address(_), Party::Domain(_)) => false,
        }
    }
}

impl TryFrom<String> for PartyName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|refused| format!("{text:?} is neither an address nor a domain: {refused}"))
    }
}

impl From<PartyName> for String {
    fn from(written: PartyName) -> Self {
        name(&written.0)
    }
}

/// A number of octets from 1, as a rule writes it.
pub type Size = NonZeroU64;
