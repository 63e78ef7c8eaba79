//! `[members]`: who they are, and what certificates they get.

use std::num::NonZeroU32;

use kakitome_office::authority::{NoName, OWN, Portal};
use kakitome_office::enrolment::{Route, Routes, Terms};
use kakitome_office::members::Joining;
use kakitome_pki::crypto::KeyKind;
use serde::{Deserialize, Serialize};

use super::value::Domain;

/// A signing certificate lives this long where nothing is set, in days.
const SIGNING_DAYS: u32 = 398;
/// An encryption certificate lives this long where nothing is set, in days: what the S/MIME Baseline Requirements allow
/// is 825 (§6.3.2).
const ENCRYPTION_DAYS: u32 = 824;

/// What the template says of `members.issuers`.
pub(super) const ISSUERS: &str = "\
Who makes whose certificates; the first rule that fits counts, and where none does it is the own CA. A CA with a portal\n\
is called by a name of yours: `kakitome member enrol` and renewals make keys and requests for it, `kakitome cert order`\n\
writes them into a file, `kakitome cert receive` takes its answers in. Until then the own CA's certificates are used.";
/// What may be given.
pub(super) const ISSUERS_ALLOWED: &str = "\
a list such as [{ unit = \"Sales\", issuer = \"bought\" }, { issuer = \"own\" }]; a rule without unit is for all";

/// `[members]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// Domains whose addresses may be members'.
    pub domains: Vec<Domain>,
    /// Who becomes a member by a mail.
    pub join: Join,
    /// Whether what stands behind a plus counts as nothing.
    pub plus_addresses: bool,
    /// The kind of key that a member's certificates get.
    pub key: MemberKey,
    /// How long a signing certificate lives, in days.
    pub signing_days: NonZeroU32,
    /// How long an encryption certificate lives, in days.
    pub encryption_days: NonZeroU32,
    /// Who issues for whom; the first that fits counts.
    pub issuers: Vec<IssuerRule>,
}

/// Who issues for members of a unit, or for all.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, try_from = "WrittenRule")]
pub struct IssuerRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    issuer: String,
}

/// The same as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    unit: Option<String>,
    issuer: String,
}

impl TryFrom<WrittenRule> for IssuerRule {
    type Error = String;

    fn try_from(WrittenRule { unit, issuer }: WrittenRule) -> Result<Self, String> {
        if issuer != OWN && !Portal::is_name(&issuer) {
            return Err(format!("{issuer:?}: {NoName}, or \"own\" for the own CA"));
        }
        Ok(Self { unit, issuer })
    }
}

/// Who becomes a member by a mail.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// Whoever sends one from the members' domains.
    #[default]
    FirstMail,
    /// Nobody: members come by tables and commands.
    Listed,
}

/// The kind of key that a member's certificates get.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum MemberKey {
    /// RSA with 2048 bits: every mail program reads it.
    #[default]
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA with 3072 bits.
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    /// RSA with 4096 bits.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
    /// P-256: smaller and made at once, not read by old programs.
    #[serde(rename = "p-256")]
    P256,
    /// P-384.
    #[serde(rename = "p-384")]
    P384,
}

impl Default for Members {
    fn default() -> Self {
        let days = |days: u32| NonZeroU32::MIN.saturating_add(days.saturating_sub(1));
        Self {
            domains: vec![Domain::example()],
            join: Join::default(),
            plus_addresses: true,
            key: MemberKey::default(),
            signing_days: days(SIGNING_DAYS),
            encryption_days: days(ENCRYPTION_DAYS),
            issuers: Vec::new(),
        }
    }
}

impl Members {
    /// Who may come in by a mail.
    pub fn joining(&self) -> Joining {
        Joining { by_first_mail: self.join == Join::FirstMail, plus_addresses: self.plus_addresses }
    }

    /// How their certificates are made.
    pub fn terms(&self) -> Terms {
        Terms {
            key: self.key.into(),
            signing_days: self.signing_days.get(),
            encryption_days: self.encryption_days.get(),
            routes: Routes(self.issuers.iter().map(route).collect()),
        }
    }

    /// Their domains.
    pub fn domain_names(&self) -> Vec<String> {
        self.domains.iter().map(|domain| domain.as_str().to_owned()).collect()
    }
}

fn route(rule: &IssuerRule) -> Route {
    Route { unit: rule.unit.clone(), issuer: rule.issuer.clone() }
}

impl From<MemberKey> for KeyKind {
    fn from(key: MemberKey) -> Self {
        match key {
            MemberKey::Rsa2048 => Self::Rsa2048,
            MemberKey::Rsa3072 => Self::Rsa3072,
            MemberKey::Rsa4096 => Self::Rsa4096,
            MemberKey::P256 => Self::P256,
            MemberKey::P384 => Self::P384,
        }
    }
}
