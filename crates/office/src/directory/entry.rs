//! What the directory holds: a certificate, whose it is, and what is thought of it.

use std::fmt;

use kakitome_pki::address::{Address, Match};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto;
use kakitome_smime::cms::capability::Capabilities;
use kakitome_verdict::sender::expected::Party;

/// Where an entry stands: an address, or a whole domain, in the one form in which it is compared.
///
/// The domain is written in A-labels and lower case, so a U-label finds its A-label. The local part is kept as it was
/// written beside its form in ASCII lower case; nothing else is folded, and no tag behind a plus is taken off: whose
/// `+` means what is known of one's own members alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub(super) domain: String,
    /// Empty for a whole domain, which no address can be.
    pub(super) local: String,
}

impl Place {
    /// Where an address stands. `None` for a domain that has no form in A-labels.
    pub fn of(address: &Address) -> Option<Self> {
        let domain = address.ascii_domain()?.to_ascii_lowercase();
        Some(Self { domain, local: address.local().to_owned() })
    }

    /// Where an address or a domain stands.
    pub fn of_party(party: &Party) -> Option<Self> {
        match party {
            Party::Address(address) => Self::of(address),
            Party::Domain(domain) => {
                let address = Address::parse(&format!("x@{domain}")).ok()?;
                Some(Self { local: String::new(), ..Self::of(&address)? })
            }
        }
    }

    /// The local part in ASCII lower case.
    pub(super) fn folded(&self) -> String {
        self.local.to_ascii_lowercase()
    }

    /// Is it for everybody in the domain?
    pub fn is_domain(&self) -> bool {
        self.local.is_empty()
    }

    /// How it fits another: a domain fits all that is in it.
    pub(super) fn fits(&self, other: &Self) -> Match {
        if self.domain != other.domain {
            Match::No
        } else if self.is_domain() || self.local == other.local {
            Match::Exact
        } else if self.local.eq_ignore_ascii_case(&other.local) {
            Match::Folded
        } else {
            Match::No
        }
    }
}

impl fmt::Display for Place {
    /// An addr-spec, or the bare domain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_domain() {
            return f.write_str(&self.domain);
        }
        // Reading it gives the quotes back that it needs.
        let quoted = format!("\"{}\"@{}", self.local.replace('\\', "\\\\").replace('"', "\\\""), self.domain);
        match Address::parse(&quoted) {
            Ok(address) => address.fmt(f),
            Err(_) => write!(f, "{}@{}", self.local, self.domain),
        }
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in the store and for programs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// By its name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// How a certificate came here.
    Source {
        /// By a confirmed mail of its owner.
        Harvested "harvested",
        /// By an administrator's hand, out of a file.
        Imported "imported",
        /// From another's certificate store over HTTP (RFC 4387).
        Http "http",
    }
}

named! {
    /// What is thought of a certificate.
    State {
        /// It may be encrypted to.
        Active "active",
        /// Another one than before: somebody has to decide. The one before stays in use.
        Pending "pending",
        /// Another took its place, or it was not accepted; kept, so that it does not come as a new one again.
        Retired "retired",
        /// Never, whatever brings it.
        Blocked "blocked",
    }
}

/// One certificate at one place.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose it is.
    pub place: Place,
    /// The certificate.
    pub certificate: Certificate,
    /// How it came.
    pub source: Source,
    /// What is thought of it.
    pub state: State,
    /// Did somebody say that it is the one? Then it needs no path, no other takes its place by itself, and it comes first.
    pub pinned: bool,
    /// Since when it is known.
    pub first_seen: Time,
    /// When it was last met; by the day.
    pub last_seen: Time,
    /// The newest signing time under which its owner told of it.
    pub signed_at: Option<Time>,
    /// The algorithms that its owner says he reads, as of that time.
    pub capabilities: Option<Capabilities>,
    /// SHA-256 of the anchor under which it was taken, in hexadecimal; empty where there was none.
    pub anchor: String,
    /// What was checked about the owner then, by its name; empty where there was no path.
    pub class: String,
    /// Why it stands where it stands.
    pub note: String,
}

impl Entry {
    /// Of a certificate that was just met: active, not pinned, nothing told.
    pub(super) fn new(place: Place, certificate: Certificate, source: Source, now: Time) -> Self {
        Self {
            place,
            certificate,
            source,
            state: State::Active,
            pinned: false,
            first_seen: now,
            last_seen: now,
            signed_at: None,
            capabilities: None,
            anchor: String::new(),
            class: String::new(),
            note: String::new(),
        }
    }

    /// SHA-256 over the certificate, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.certificate.fingerprint_hex()
    }
}

/// What an issuer's name is found by: SHA-256 over its DER, in hexadecimal.
pub(super) fn issuer_hash(certificate: &Certificate) -> String {
    hex(&crypto::sha256(certificate.issuer().raw()))
}

/// What a name is found by however it is encoded.
pub(super) fn name_key(name: &kakitome_pki::cert::name::Name) -> String {
    format!("{:016x}", name.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_however_it_is_written() {
        let place = |text: &str| Place::of_party(&text.parse().unwrap()).unwrap();
        for (one, other, expected) in [
            ("a@bank.example", "a@BANK.example", Match::Exact),
            ("A@bank.example", "a@bank.example", Match::Folded),
            ("a@bücher.example", "a@XN--bcher-kva.example", Match::Exact),
            ("a@bank.example", "b@bank.example", Match::No),
            ("a+x@bank.example", "a@bank.example", Match::No),
            ("a@bank.example", "a@www.bank.example", Match::No),
            ("bank.example", "a@bank.example", Match::Exact),
            ("bank.example", "a@www.bank.example", Match::No),
            ("Ä@bank.example", "ä@bank.example", Match::No),
        ] {
            assert_eq!(place(one).fits(&place(other)), expected, "{one} {other}");
        }
        for (text, shown) in [
            ("a@Bank.example", "a@bank.example"),
            ("\"a b\"@bank.example", "\"a b\"@bank.example"),
            ("\"a\\\"b\"@bank.example", "\"a\\\"b\"@bank.example"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(place(text).to_string(), shown);
        }
    }
}
