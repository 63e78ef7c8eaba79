//! In which form a mail leaves, by author and recipient: the operator's rules, then what is known of destinations, then
//! the defaults. Each thing has its own source, which `kakitome explain` tells.

use kakitome_pki::address::Address;
use kakitome_pki::algorithm::Digest;
use serde::{Deserialize, Serialize};

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
    sign: Option<Signing>,
    header_protection: Option<bool>,
    digest: Option<DigestName>,
    max_size: Option<Size>,
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    from: Vec<PartyName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to: Vec<PartyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<Signing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_protection: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<DigestName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_size: Option<Size>,
}

impl Rule {
    /// Is it about a mail of this author to this recipient? An envelope's path that is no address is met by rules
    /// alone that name no recipient.
    fn is_for(&self, from: &Address, to: Option<&Address>) -> bool {
        let names = |parties: &[PartyName], address: Option<&Address>| {
            parties.is_empty() || address.is_some_and(|address| parties.iter().any(|party| party.is(address)))
        };
        names(&self.from, Some(from)) && names(&self.to, to)
    }

    /// Can the other one never count behind this one?
    pub(super) fn covers(&self, other: &Self) -> bool {
        let all = |own: &[PartyName], others: &[PartyName]| {
            own.is_empty()
                || (!others.is_empty() && others.iter().all(|other| own.iter().any(|party| party.covers(other))))
        };
        let says = |own: bool, other: bool| own || !other;
        all(&self.from, &other.from)
            && all(&self.to, &other.to)
            && says(self.sign.is_some(), other.sign.is_some())
            && says(self.header_protection.is_some(), other.header_protection.is_some())
            && says(self.digest.is_some(), other.digest.is_some())
            && says(self.max_size.is_some(), other.max_size.is_some())
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
}

/// The built-in rows. Webmail and telephones' mail show an opaque signed mail as an attachment that cannot be opened;
/// for a mailing list too the text must stay readable without S/MIME, since nobody knows who reads it.
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
    },
    Profile { name: "lists", domains: &["googlegroups.com", "groups.io"], sign: Signing::Clear },
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
}

/// A decision and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What.
    pub value: T,
    /// Where.
    pub by: Source,
}

/// What a mail becomes for one recipient, or for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// How it is signed.
    pub sign: Said<Signing>,
    /// Are the header fields signed, too?
    pub header_protection: Said<bool>,
    /// The digest; the key's own if none is said.
    pub digest: Said<Option<DigestName>>,
    /// A mail that would be larger than this once it is signed leaves unsigned; in octets.
    pub max_size: Said<Option<u64>>,
}

impl Policy {
    /// What a mail of this author becomes for this recipient, as the envelope names him.
    pub fn treatment(&self, from: &Address, to: &str) -> Treatment {
        let to = Address::parse(to).ok();
        let rules: Vec<(usize, &Rule)> =
            (1usize..).zip(&self.rules).filter(|(_, rule)| rule.is_for(from, to.as_ref())).collect();
        fn first<T>(rules: &[(usize, &Rule)], says: impl Fn(&Rule) -> Option<T>) -> Option<Said<T>> {
            rules.iter().find_map(|(number, rule)| Some(Said { value: says(rule)?, by: Source::Rule(*number) }))
        }
        let profile = || {
            let to = to.as_ref()?;
            let row = PROFILES.iter().find(|row| row.domains.iter().any(|domain| to.is_in(domain)))?;
            // A row says how much can be read, not that everybody is to be signed for.
            Some(Said { value: row.sign.min(self.sign), by: Source::Profile(row.name) })
        };
        let unsigned = || (self.sign == Signing::Never).then_some(Said { value: Signing::Never, by: Source::Default });
        Treatment {
            sign: first(&rules, |rule| rule.sign)
                .or_else(unsigned)
                .or_else(profile)
                .unwrap_or(Said { value: self.sign, by: Source::Default }),
            header_protection: first(&rules, |rule| rule.header_protection)
                .unwrap_or(Said { value: self.header_protection, by: Source::Default }),
            digest: first(&rules, |rule| rule.digest.map(Some)).unwrap_or(Said { value: None, by: Source::Default }),
            max_size: first(&rules, |rule| rule.max_size.map(|size| Some(size.get())))
                .unwrap_or(Said { value: None, by: Source::Default }),
        }
    }
}

impl Treatment {
    /// What holds for one copy to all of these recipients: signed if anybody's is, in the form that everybody can read;
    /// header fields signed where everybody's are; the weakest digest; the smallest size.
    pub fn for_all(each: impl IntoIterator<Item = Self>) -> Option<Self> {
        each.into_iter().reduce(|one, other| Self {
            sign: if other.sign.value < one.sign.value { other.sign } else { one.sign },
            header_protection: if one.header_protection.value {
                other.header_protection
            } else {
                one.header_protection
            },
            digest: if other.digest.value < one.digest.value { other.digest } else { one.digest },
            max_size: match (one.max_size.value, other.max_size.value) {
                (Some(own), Some(others)) if others < own => other.max_size,
                (None, Some(_)) => other.max_size,
                _ => one.max_size,
            },
        })
    }
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { from, to, sign, header_protection, digest, max_size } = written;
        if sign.is_none() && header_protection.is_none() && digest.is_none() && max_size.is_none() {
            return Err("a rule says nothing: give sign, header_protection, digest or max_size".to_owned());
        }
        Ok(Self { from, to, sign, header_protection, digest, max_size })
    }
}

impl From<Rule> for Written {
    fn from(rule: Rule) -> Self {
        let Rule { from, to, sign, header_protection, digest, max_size } = rule;
        Self { from, to, sign, header_protection, digest, max_size }
    }
}
