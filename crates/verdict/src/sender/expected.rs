//! What a reader expects of senders: whom others like to pose as, whom he writes with, who signs every mail. It comes
//! from the settings; nothing in a mail adds to it.

use kakitome_pki::address::{Address, AddressRefused};

/// What the reader told about senders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Names that nobody else should be taken for.
    pub protected: Vec<ProtectedName>,
    /// Whom the reader writes with.
    pub correspondents: Vec<Address>,
    /// Who signs every mail.
    pub signers: Vec<Party>,
}

/// A name, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedName {
    /// As people write it: an organisation, a brand, a person.
    pub name: String,
    /// Who sends under this name.
    pub senders: Vec<Party>,
}

/// A sender: one address, or everybody of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// This address.
    Address(Address),
    /// Every address of this domain.
    Domain(String),
}

impl Party {
    /// Is it this sender? Addresses of a domain below do not count: another office sends those.
    pub fn is(&self, sender: &Address) -> bool {
        match self {
            Self::Address(address) => address.matches(sender) != kakitome_pki::address::Match::No,
            Self::Domain(domain) => sender.is_in(domain),
        }
    }

    /// The domain.
    pub fn domain(&self) -> &str {
        match self {
            Self::Address(address) => address.domain(),
            Self::Domain(domain) => domain,
        }
    }
}

impl std::str::FromStr for Party {
    type Err = AddressRefused;

    fn from_str(text: &str) -> Result<Self, AddressRefused> {
        if text.contains('@') {
            return Address::parse(text).map(Self::Address);
        }
        // A domain is whatever can stand behind an `@`.
        Address::parse(&format!("x@{text}")).map(|address| Self::Domain(address.domain().to_owned()))
    }
}
