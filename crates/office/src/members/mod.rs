//! Who the members are: persons and roles with their addresses, in the store.
//!
//! A member comes in by a table ([`Table`], [`import`]), by a command, or by the first mail. He is never taken out: who
//! leaves stays in the roll with the day, since mail that was sealed to him must stay readable.
//!
//! Membership is decided without regard to case, and what stands behind a plus may count as nothing
//! ([`Joining::plus_addresses`]): then `alice+x@` is alice's. A certificate, though, is always made for the address
//! exactly as it stands in From, since that is what readers compare.

pub mod columns;
pub mod csv;
pub mod import;
mod roll;

use std::fmt;

use kakitome_pki::address::{Address, AddressRefused};
use kakitome_pki::asn1::time::Time;

pub use columns::{Listed, NoTable, Refused, Table};
pub use roll::{Members, NotDone, at_first_mail, ensure};

/// A member gets certificates for at most this many addresses with a plus.
pub const TAGGED_LIMIT: usize = 20;

/// Which member: made once, never used again, and nothing that people see.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(String);

impl MemberId {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// As it stands in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One human being.
    Person,
    /// Whoever is on duty: info@, a shared mailbox.
    Role,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Person, Self::Role];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Role => "role",
        }
    }
}

/// How a member came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// By a mail of his.
    FirstMail,
    /// By a table.
    Table,
    /// By a command.
    Command,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FirstMail, Self::Table, Self::Command];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstMail => "first mail",
            Self::Table => "table",
            Self::Command => "command",
        }
    }
}

/// What an address is among those of its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The one that he is known by.
    Primary,
    /// Another of his.
    Further,
    /// One of his with a plus, seen in a mail.
    Tagged,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Further, Self::Tagged];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Further => "further",
            Self::Tagged => "tagged",
        }
    }
}

/// An address of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The address, its domain in lower case.
    pub address: Address,
    /// What it is for him.
    pub used: Use,
}

/// The end of a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// When it ends; may lie ahead.
    pub at: Time,
    /// The administrator's words.
    pub note: String,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub id: MemberId,
    /// The organisation's own number.
    pub number: Option<String>,
    /// The name; may be empty.
    pub name: String,
    /// A person, or a role.
    pub kind: Kind,
    /// Where in the organisation; may be empty.
    pub unit: String,
    /// How he came in.
    pub source: Source,
    /// The end of his membership.
    pub leaving: Option<Leaving>,
    /// When he came in.
    pub made_at: Time,
    /// His addresses, the primary one first.
    pub addresses: Vec<Owned>,
}

impl Member {
    /// Is he one at this moment?
    pub fn is_active(&self, now: Time) -> bool {
        self.leaving.as_ref().is_none_or(|leaving| now < leaving.at)
    }

    /// The address that he is known by.
    pub fn primary(&self) -> Option<&Address> {
        self.addresses.iter().find(|owned| owned.used == Use::Primary).map(|owned| &owned.address)
    }
}

impl fmt::Display for Member {
    /// Name and address, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name.as_str(), self.primary()) {
            ("", Some(address)) => address.fmt(f),
            (name, Some(address)) => write!(f, "{name} <{address}>"),
            (name, None) => f.write_str(name),
        }
    }
}

/// Who may become a member by his first mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Everybody of the members' domains; else those alone who are in the roll already.
    pub by_first_mail: bool,
    /// `alice+x@` counts as alice's, unless it stands in the roll by itself.
    pub plus_addresses: bool,
}

impl Default for Joining {
    fn default() -> Self {
        Self { by_first_mail: true, plus_addresses: true }
    }
}

/// What the roll says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A member's; the address as it stands in the roll, for which certificates are made.
    Member(MemberId, Address),
    /// Nobody's, and the roll takes nobody in by a mail.
    NotListed,
    /// One's who left, and when.
    Left(Time),
    /// With a plus, and its member has [`TAGGED_LIMIT`] of them.
    TooManyTags,
}

/// The address as it is kept: the domain in lower case, the local part as it was written (RFC 5321 §2.4).
///
/// # Errors
/// None for an address that was read.
pub fn canonical(address: &Address) -> Result<Address, AddressRefused> {
    let text = address.to_string();
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    Address::parse(&format!("{local}@{}", domain.to_lowercase()))
}

/// The form by which two addresses are compared here: all of it in lower case, the domain in A-labels. Two members of one
/// organisation whose addresses differ in case alone would be one mailbox to every server that mail goes through.
pub fn folded(address: &Address) -> String {
    let text = address.to_string();
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    let domain = address.ascii_domain().unwrap_or_else(|| domain.to_owned());
    format!("{}@{}", local.to_lowercase(), domain.to_lowercase())
}

/// The address without what stands behind a plus; `None` where there is no plus, or nothing before it.
pub fn untagged(address: &Address) -> Option<Address> {
    let (local, _) = address.local().split_once('+').filter(|(local, _)| !local.is_empty())?;
    Address::parse(&format!("{local}@{}", address.domain())).ok()
}

/// A day as offices write it: `2027-03-31`, `2027/3/31`, `20270331`, `2027年3月31日`; its beginning in UTC.
pub fn day(text: &str) -> Option<Time> {
    let text = text.trim().trim_end_matches('日');
    let parts: Vec<&str> = text.split(['-', '/', '年', '月']).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] => (*year, *month, *day),
        [all] if all.len() == 8 && all.is_ascii() => (all.get(..4)?, all.get(4..6)?, all.get(6..)?),
        _ => return None,
    };
    let is_number = |part: &str, longest: usize| {
        !part.is_empty() && part.len() <= longest && part.bytes().all(|octet| octet.is_ascii_digit())
    };
    if year.len() != 4 || !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) {
        return None;
    }
    format!("{year}-{month:0>2}-{day:0>2}T00:00:00Z").parse().ok()
}

/// A word for people: trimmed, one line, and not too long.
pub(crate) fn plain(what: &str, text: &str, limit: usize) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(format!("{what} holds a control character"));
    }
    if text.chars().count() > limit {
        return Err(format!("{what} is longer than {limit} characters"));
    }
    Ok(text.to_owned())
}
