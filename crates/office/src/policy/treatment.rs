//! In which form a mail leaves, by author and recipient: the operator's rules, then what is known of destinations, then
//! the defaults. Each thing has its own source, which `kakitome explain` tells.

use kakitome_pki::address::Address;
use kakitome_pki::algorithm::Digest;
use serde::{Deserialize, Serialize};

use super::sealing::{CipherFloor, Encrypting, Hiding, RsaUse};
use super::{PartyName, Policy, Size};

/// How a mail is signed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signing {
    /// multipart/signed: every mail program can read the mail.
    #[default]
    Clear,
    /// application/pkcs7-mime: survives servers that change parts, but only S/MIME programs can read it.
    Opaque,
    /// Not at all.
    Never,
}

/// A message digest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestName {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestName {
    /// The algorithm.
    pub const fn digest(self) -> Digest {
        match self {
            Self::Sha256 => Digest::Sha256,
            Self::Sha384 => Digest::Sha384,
            Self::Sha512 => Digest::Sha512,
        }
    }
}

/// One rule: for mail of these to those, this.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, try_from = "Written", into = "Written")]
pub struct Rule {
    /// Authors; empty is all.
    pub(super) from: Vec<PartyName>,
    /// Recipients; empty is all.
    pub(super) to: Vec<PartyName>,
    says: Says,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Says {
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<Signing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypt: Option<Encrypting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_protection: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hide: Option<Hiding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<DigestName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher_floor: Option<CipherFloor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rsa: Option<RsaUse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_size: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_may_lower: Option<bool>,
}

impl Says {
    /// Which of its things it says, in order.
    const fn each(&self) -> [bool; 9] {
        [
            self.sign.is_some(),
            self.encrypt.is_some(),
            self.header_protection.is_some(),
            self.hide.is_some(),
            self.digest.is_some(),
            self.cipher_floor.is_some(),
            self.rsa.is_some(),
            self.max_size.is_some(),
            self.sender_may_lower.is_some(),
        ]
    }
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    from: Vec<PartyName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to: Vec<PartyName>,
    #[serde(flatten)]
    says: Says,
}

impl Rule {
    /// Is it about a mail of this author to this recipient? An envelope's path that is no address is met by rules
    /// alone that name no recipient, and a mail without one author by rules that name no author.
    fn is_for(&self, from: Option<&Address>, to: Option<&Address>) -> bool {
        let names = |parties: &[PartyName], address: Option<&Address>| {
            parties.is_empty() || address.is_some_and(|address| parties.iter().any(|party| party.is(address)))
        };
        names(&self.from, from) && names(&self.to, to)
    }

    /// Can the other one never count behind this one?
    pub(super) fn covers(&self, other: &Self) -> bool {
        let all = |own: &[PartyName], others: &[PartyName]| {
            own.is_empty()
                || (!others.is_empty() && others.iter().all(|other| own.iter().any(|party| party.covers(other))))
        };
        let says_all = || self.says.each().iter().zip(other.says.each()).all(|(own, other)| *own || !other);
        all(&self.from, &other.from) && all(&self.to, &other.to) && says_all()
    }
}

/// What is known of destinations whose mail programs or servers cope with less than the default: the built-in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// Their domains.
    pub domains: &'static [&'static str],
    /// How they can read signed mail.
    pub sign: Signing,
    /// The largest mail that they take, in octets, if one is known.
    pub max_size: Option<u64>,
}

/// The built-in rows. Webmail and telephones' mail show an opaque signed mail as an attachment that cannot be opened;
/// for a mailing list too the text must stay readable without S/MIME, since nobody knows who reads it. A row is a guess: it
/// gives way to a rule, and its form to what a recipient's own signed mail told of his program.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "webmail",
        domains: &[
            "gmail.com",
            "googlemail.com",
            "outlook.com",
            "outlook.jp",
            "hotmail.com",
            "hotmail.co.jp",
            "live.com",
            "live.jp",
            "msn.com",
            "yahoo.com",
            "yahoo.co.jp",
            "ymail.ne.jp",
            "icloud.com",
            "me.com",
            "mac.com",
            "aol.com",
            "gmx.net",
            "gmx.de",
            "web.de",
            "proton.me",
            "protonmail.com",
        ],
        sign: Signing::Clear,
        max_size: Some(25 * 1024 * 1024),
    },
    Profile {
        name: "telephones",
        domains: &[
            "docomo.ne.jp",
            "ezweb.ne.jp",
            "au.com",
            "softbank.ne.jp",
            "i.softbank.jp",
            "ymobile.ne.jp",
            "ymobile1.ne.jp",
            "rakumail.jp",
        ],
        sign: Signing::Clear,
        max_size: Some(10 * 1024 * 1024),
    },
    Profile { name: "lists", domains: &["googlegroups.com", "groups.io"], sign: Signing::Clear, max_size: None },
];

/// Where a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The rule of this number in policy.rules, from 1.
    Rule(usize),
    /// A built-in row.
    Profile(&'static str),
    /// The setting or its default.
    Default,
    /// What the recipient's own mail told of his program.
    Learned,
    /// The field X-Kakitome-Intent of the mail.
    Field,
    /// The tag of this number in policy.tags, from 1.
    Tag(usize),
    /// What it answers, or what it is, came sealed and was opened here.
    Opened,
    /// The recipient is a member: his mail stays in the house.
    Home,
    /// Another recipient of the same mail, whose copy must not be read in this one.
    Together,
}

/// A decision and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What.
    pub value: T,
    /// Where.
    pub by: Source,
}

/// What a mail becomes for one recipient, or for all who share a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// How it is signed.
    pub sign: Said<Signing>,
    /// How strictly it is encrypted, by the operator.
    pub encrypt: Said<Encrypting>,
    /// Are the header fields signed, too?
    pub header_protection: Said<bool>,
    /// What of them is hidden where it is encrypted.
    pub hide: Said<Hiding>,
    /// The digest; the key's own if none is said.
    pub digest: Said<Option<DigestName>>,
    /// The weakest cipher.
    pub cipher_floor: Said<CipherFloor>,
    /// How RSA is used.
    pub rsa: Said<RsaUse>,
    /// A mail that would be larger than this once it is signed leaves unsigned, and one that would be so once it is
    /// encrypted cannot be; in octets.
    pub max_size: Said<Option<u64>>,
    /// May the author ask for less?
    pub sender_may_lower: Said<bool>,
}

impl Policy {
    /// What a mail of this author becomes for this recipient, as the envelope names him. A mail without one author is
    /// met by rules that name none.
    pub fn treatment(&self, from: Option<&Address>, to: &str) -> Treatment {
        let to = Address::parse(to).ok();
        let rules: Vec<(usize, &Says)> = (1usize..)
            .zip(&self.rules)
            .filter(|(_, rule)| rule.is_for(from, to.as_ref()))
            .map(|(number, rule)| (number, &rule.says))
            .collect();
        fn first<T>(rules: &[(usize, &Says)], default: T, says: impl Fn(&Says) -> Option<T>) -> Said<T> {
            let said = rules.iter().find_map(|(number, rule)| Some((says(rule)?, *number)));
            said.map_or(Said { value: default, by: Source::Default }, |(value, number)| Said {
                value,
                by: Source::Rule(number),
            })
        }
        let profile =
            to.as_ref().and_then(|to| PROFILES.iter().find(|row| row.domains.iter().any(|domain| to.is_in(domain))));
        let mut treatment = Treatment {
            sign: first(&rules, self.sign, |says| says.sign),
            encrypt: first(&rules, self.encrypt, |says| says.encrypt),
            header_protection: first(&rules, self.header_protection, |says| says.header_protection),
            hide: first(&rules, self.hide, |says| says.hide),
            digest: first(&rules, None, |says| says.digest.map(Some)),
            cipher_floor: first(&rules, self.cipher_floor, |says| says.cipher_floor),
            rsa: first(&rules, RsaUse::default(), |says| says.rsa),
            max_size: first(&rules, None, |says| says.max_size.map(|size| Some(size.get()))),
            sender_may_lower: first(&rules, self.sender_may_lower, |says| says.sender_may_lower),
        };
        if let Some(row) = profile {
            // A row says how much can be read, not that everybody is to be signed for.
            if treatment.sign.by == Source::Default && self.sign != Signing::Never {
                treatment.sign = Said { value: row.sign.min(self.sign), by: Source::Profile(row.name) };
            }
            if treatment.max_size.by == Source::Default && row.max_size.is_some() {
                treatment.max_size = Said { value: row.max_size, by: Source::Profile(row.name) };
            }
        }
        if treatment.encrypt.by == Source::Default && to.is_some_and(|to| self.is_member(&to)) {
            treatment.encrypt = Said { value: Encrypting::Never, by: Source::Home };
        }
        treatment
    }
}

impl Treatment {
    /// The same for a recipient of whose program his own mail has told: he reads S/MIME, whatever a built-in row guesses.
    #[must_use]
    pub fn learned(mut self, policy: &Policy) -> Self {
        if matches!(self.sign.by, Source::Profile(_)) {
            self.sign = Said { value: policy.sign, by: Source::Learned };
        }
        self
    }
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { from, to, says } = written;
        if !says.each().contains(&true) {
            return Err(
                "a rule says nothing: give sign, encrypt, header_protection, hide, digest, cipher_floor, rsa, \
                        max_size or sender_may_lower"
                    .to_owned(),
            );
        }
        Ok(Self { from, to, says })
    }
}

impl From<Rule> for Written {
    fn from(rule: Rule) -> Self {
        let Rule { from, to, says } = rule;
        Self { from, to, says }
    }
}
