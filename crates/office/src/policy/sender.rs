//! Who may sign as whom: conditions on where a mail comes from, and the From that they allow.

use std::net::IpAddr;

use kakitome_pki::address::{Address, Match};
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::{Party, PartyName, Policy, name, same_domain};
use crate::evidence::fetch::Network;

/// One rule: whoever meets every condition may sign as these. Rules add up.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, try_from = "Written", into = "Written")]
pub struct SenderRule {
    class: Option<String>,
    network: Option<Network>,
    login: Option<String>,
    certificate: Option<String>,
    issuer: Option<String>,
    from: Vec<Allowed>,
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    from: Vec<Allowed>,
}

/// What a rule allows in From.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
enum Allowed {
    /// `*`: every member.
    Everybody,
    /// `own`: the address that the login is, or the login at a member domain.
    Own,
    /// This address, or the addresses of this domain.
    Party(PartyName),
}

/// Why somebody may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorised {
    /// No rules are set: whoever enters by an outbound listener may.
    Everybody,
    /// By the rule of this number, from 1.
    Rule(usize),
}

/// The first condition of a rule that a mail does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// It came in by a listener of another class, or of none.
    Class(Option<String>),
    /// The client is outside of the network, or not known.
    Network(Option<IpAddr>),
    /// Another login, or none.
    Login(Option<String>),
    /// Another client certificate, or none.
    Certificate(Option<String>),
    /// The rule does not allow this From.
    From,
    /// It would, but for the case of letters before the `@`.
    FromCase,
}

impl Policy {
    /// May whoever handed a mail in sign as this member?
    ///
    /// # Errors
    /// What each rule misses, in order.
    pub fn authorise(&self, origin: &Origin, from: &Address) -> Result<Authorised, Vec<Miss>> {
        if self.senders.is_empty() {
            return Ok(Authorised::Everybody);
        }
        let mut misses = Vec::new();
        for (number, rule) in (1usize..).zip(&self.senders) {
            match self.miss(rule, origin, from) {
                None => return Ok(Authorised::Rule(number)),
                Some(miss) => misses.push(miss),
            }
        }
        Err(misses)
    }

    fn miss(&self, rule: &SenderRule, origin: &Origin, from: &Address) -> Option<Miss> {
        if rule.class.is_some() && rule.class != origin.class {
            return Some(Miss::Class(origin.class.clone()));
        }
        if rule.network.is_some_and(|network| !origin.client.is_some_and(|client| holds(&network, client))) {
            return Some(Miss::Network(origin.client));
        }
        if let Some(login) = &rule.login
            && !origin.login.as_ref().is_some_and(|found| login == "*" || login == found)
        {
            return Some(Miss::Login(origin.login.clone()));
        }
        if let (Some(name), Some(issuer)) = (&rule.certificate, &rule.issuer)
            && !origin.certificate.as_ref().is_some_and(|found| found.name == *name && found.issuer == *issuer)
        {
            return Some(Miss::Certificate(origin.certificate.as_ref().map(|found| found.name.clone())));
        }
        let mut miss = Miss::From;
        for allowed in &rule.from {
            match self.allows(allowed, origin, from) {
                Match::Exact => return None,
                Match::Folded => miss = Miss::FromCase,
                Match::No => {}
            }
        }
        Some(miss)
    }

    fn allows(&self, allowed: &Allowed, origin: &Origin, from: &Address) -> Match {
        match allowed {
            Allowed::Everybody => Match::Exact,
            Allowed::Party(party) => match party.party() {
                Party::Address(address) => address.matches(from),
                Party::Domain(_) if party.is(from) => Match::Exact,
                Party::Domain(_) => Match::No,
            },
            Allowed::Own => {
                let Some(login) = &origin.login else { return Match::No };
                let own = if login.contains('@') { login.clone() } else { format!("{login}@{}", from.domain()) };
                Address::parse(&own).map_or(Match::No, |own| own.matches(from))
            }
        }
    }
}

/// A mapped IPv4 address is the IPv4 address.
fn holds(network: &Network, client: IpAddr) -> bool {
    network.holds(client.to_canonical())
}

impl SenderRule {
    pub(super) fn problems(&self, policy: &Policy, classes: &[&str]) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(class) = &self.class
            && !classes.contains(&class.as_str())
        {
            problems.push(format!(
                "class = {class:?} is the class of no outbound listener; give one of gateway.listeners this class, or \
                 take the rule out"
            ));
        }
        let knows_certificates = policy.submission_host.is_some() || policy.takes_submissions;
        if (self.login.is_some() && policy.submission_host.is_none())
            || (self.certificate.is_some() && !knows_certificates)
        {
            problems.push(
                "it asks who logged in, but policy.submission_host is not set, so nobody is ever known by login or \
                 certificate; set it to the name of your submission server (its myhostname)"
                    .to_owned(),
            );
        }
        for allowed in &self.from {
            if let Allowed::Party(party) = allowed
                && !policy.members.iter().any(|domain| same_domain(domain, party.party().domain()))
            {
                problems.push(format!(
                    "from = {:?} is in no domain of members.domains, so nobody is signed for under it; add the domain \
                     there, or mend the rule",
                    name(party.party())
                ));
            }
        }
        problems
    }
}

impl TryFrom<Written> for SenderRule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { class, network, login, certificate, issuer, from } = written;
        let conditions = [class.as_ref(), login.as_ref(), certificate.as_ref(), issuer.as_ref()];
        if conditions.iter().flatten().any(|condition| condition.trim().is_empty()) {
            return Err("a condition is empty".to_owned());
        }
        if network.is_none() && conditions.iter().all(Option::is_none) {
            return Err("a rule has no condition: give class, network, login, or certificate and issuer".to_owned());
        }
        if certificate.is_some() != issuer.is_some() {
            return Err(
                "certificate and issuer stand together: any CA can write any name into a certificate".to_owned()
            );
        }
        if from.is_empty() {
            return Err("a rule allows no From: give addresses, domains, \"own\" or \"*\"".to_owned());
        }
        if login.is_none() && from.contains(&Allowed::Own) {
            return Err("from = \"own\" needs a login; login = \"*\" is any".to_owned());
        }
        Ok(Self { class, network, login, certificate, issuer, from })
    }
}

impl From<SenderRule> for Written {
    fn from(rule: SenderRule) -> Self {
        let SenderRule { class, network, login, certificate, issuer, from } = rule;
        Self { class, network, login, certificate, issuer, from }
    }
}

impl TryFrom<String> for Allowed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "*" => Ok(Self::Everybody),
            "own" => Ok(Self::Own),
            _ => PartyName::try_from(text).map(Self::Party),
        }
    }
}

impl From<Allowed> for String {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Everybody => "*".to_owned(),
            Allowed::Own => "own".to_owned(),
            Allowed::Party(party) => party.into(),
        }
    }
}
