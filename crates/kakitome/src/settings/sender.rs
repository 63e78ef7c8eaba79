//! Senders, as the `[check]` section names them.

use kakitome_pki::address::Address;
use kakitome_verdict::sender::expected::{Expectations, Party, ProtectedName};
use serde::{Deserialize, Serialize};

use super::Check;

/// An address, or a domain with all of its addresses.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sender(Party);

/// An address.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Correspondent(Address);

/// A name that nobody else should be taken for, and who sends under it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct Protected {
    name: String,
    senders: Vec<Sender>,
}

/// The same as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    senders: Vec<Sender>,
}

impl TryFrom<String> for Sender {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|refused| format!("{text:?} is neither an address nor a domain: {refused}"))
    }
}

impl From<Sender> for String {
    fn from(sender: Sender) -> Self {
        match sender.0 {
            Party::Address(address) => address.to_string(),
            Party::Domain(domain) => domain,
        }
    }
}

impl TryFrom<String> for Correspondent {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Address::parse(&text).map(Self).map_err(|refused| format!("{text:?}: {refused}"))
    }
}

impl From<Correspondent> for Address {
    fn from(correspondent: Correspondent) -> Self {
        correspondent.0
    }
}

impl From<Correspondent> for String {
    fn from(correspondent: Correspondent) -> Self {
        correspondent.0.to_string()
    }
}

impl TryFrom<Written> for Protected {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, senders } = written;
        if name.trim().is_empty() {
            return Err("a protected name is empty".to_owned());
        }
        // Without its own senders, the name's owner would be the first to be refused.
        if senders.is_empty() {
            return Err(format!("{name:?} has no senders: its own mail would be told to look like it"));
        }
        Ok(Self { name, senders })
    }
}

impl Check {
    /// What is expected of senders, but for what stands in files.
    pub fn expectations(&self) -> Expectations {
        let party = |sender: &Sender| sender.0.clone();
        Expectations {
            protected: self
                .protected
                .iter()
                .map(|one| ProtectedName { name: one.name.clone(), senders: one.senders.iter().map(party).collect() })
                .collect(),
            correspondents: self.correspondents.iter().map(|one| one.0.clone()).collect(),
            signers: self.expected_signers.iter().map(party).collect(),
        }
    }
}
