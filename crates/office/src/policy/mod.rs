//! The operator's policy for outbound mail: who may sign as whom, and what a mail becomes on its way to whom. Pure: no
//! store, no clock, no key. Gateway and `kakitome explain` ask the same [`Policy::plan`], so what is explained is what
//! happens.
//!
//! Read in this order: [`origin`] (who handed a mail in), [`sender`] (whom he may sign as), [`treatment`] (in which
//! form it leaves, by rules, built-in profiles and defaults), [`plan`] (all of it for one mail).

pub mod origin;
pub mod plan;
pub mod sender;
pub mod treatment;
pub mod untouched;

use std::num::NonZeroU64;

use kakitome_pki::address::Address;
use kakitome_verdict::sender::expected::Party;
use serde::{Deserialize, Serialize};

pub use origin::{ClientCertificate, Origin};
pub use plan::{Passed, Plan, Submission};
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
