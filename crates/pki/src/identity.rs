//! From a valid path to the class of its leaf: what somebody has checked, and what therefore may be shown large.
//!
//! A private CA may copy any policy identifier into its certificates, so the policies of the S/MIME Baseline
//! Requirements (SBR) count under the public list alone, and only through the valid policy set of the whole path. A
//! certificate that contradicts the profile which it claims is believed for its address and no more.

mod lint;

use crate::asn1::oid;
use crate::cert::name::Name;

use lint::{BASELINE_BEGINS, Profile, claim};
pub use lint::{Lint, lint, lint_as_mailbox};

use crate::path::{AnchorSource, ValidPath, baseline_policies};

/// What was checked about the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Whatever the user's or the own CA says: names are the issuer's claim.
    Local,
    /// The address alone.
    Mailbox,
    /// From before the Baseline Requirements: the address alone.
    PreBaseline,
    /// An organisation and the address.
    Organisation,
    /// A person, the organisation, and the address.
    PersonInOrganisation,
    /// A person and the address.
    Person,
}

/// The organizationIdentifier (SBR §7.1.4.2.2 d, Appendix A), taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationId {
    /// The register's scheme: three letters such as NTR, VAT, LEI, GOV, INT.
    pub scheme: String,
    /// ISO 3166-1, or XG.
    pub country: String,
    /// The subdivision of ISO 3166-2, without the country.
    pub state: Option<String>,
    /// The number in that register; may be empty for GOV and INT.
    pub value: String,
}

/// What a certificate vouches for. Texts are raw: they go to people through an escaping type alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// What was checked.
    pub class: Class,
    /// The mailboxes, as they stand in the certificate. Under the public list only those of the subject alternative
    /// names; elsewhere the subject's old e-mail attribute if there are none.
    pub mailboxes: Vec<String>,
    /// The organisation. Under [`Class::Local`] the issuer's claim; never there for a mailbox class.
    pub organisation: Option<String>,
    /// Its number in a register, under the same rule.
    pub organisation_id: Option<OrganisationId>,
    /// The person, under the same rule; under [`Class::Local`] the common name, unless it is an address.
    pub person: Option<String>,
    /// The pseudonym, under the same rule.
    pub pseudonym: Option<String>,
    /// What is odd.
    pub lints: Vec<Lint>,
}

/// Judges what the leaf of a path vouches for.
pub fn vouch(path: &ValidPath) -> Vouched {
    let leaf = path.leaf();
    let subject = leaf.subject();
    let listed: Vec<String> = leaf.extensions().mailboxes().map(str::to_owned).collect();
    let in_subject: Vec<String> = subject.all(oid::EMAIL_ADDRESS).map(str::to_owned).collect();
    let mut lints = Vec::new();
    lint::mailboxes(leaf, &mut lints);

    if path.anchor().source != AnchorSource::PublicList {
        let person = subject.find(oid::COMMON_NAME).filter(|name| !name.contains('@')).map(str::to_owned);
        return Vouched {
            class: Class::Local,
            mailboxes: if listed.is_empty() { in_subject } else { listed },
            organisation: subject.find(oid::ORGANIZATION).map(str::to_owned),
            organisation_id: subject.find(oid::ORGANIZATION_IDENTIFIER).and_then(OrganisationId::parse),
            person,
            pseudonym: subject.find(oid::PSEUDONYM).map(str::to_owned),
            lints,
        };
    }

    let claim = claim(&baseline_policies(path.unmapped_policies()), leaf, &mut lints);
    if let Some(claim) = claim {
        lint::contradictions(leaf, claim, path.weak().is_some(), &mut lints);
    }
    let profile = claim.map(|claim| claim.profile);
    let believed = profile.filter(|_| !lints.iter().any(|lint| lint.is_contradiction()));
    let class = match believed {
        Some(Profile::Mailbox) => Class::Mailbox,
        Some(Profile::Organisation) => Class::Organisation,
        Some(Profile::Sponsored) => Class::PersonInOrganisation,
        Some(Profile::Individual) => Class::Person,
        None if profile.is_none() && leaf.not_before() < BASELINE_BEGINS => Class::PreBaseline,
        None => Class::Mailbox,
    };
    let with_organisation = matches!(class, Class::Organisation | Class::PersonInOrganisation);
    let with_person = matches!(class, Class::Person | Class::PersonInOrganisation);
    let pseudonym = subject.find(oid::PSEUDONYM).filter(|_| with_person);
    Vouched {
        class,
        mailboxes: listed,
        organisation: subject.find(oid::ORGANIZATION).filter(|_| with_organisation).map(str::to_owned),
        organisation_id: subject
            .find(oid::ORGANIZATION_IDENTIFIER)
            .filter(|_| with_organisation)
            .and_then(OrganisationId::parse),
        person: if with_person && pseudonym.is_none() { personal_name(subject) } else { None },
        pseudonym: pseudonym.map(str::to_owned),
        lints,
    }
}

/// The name that the certificate shows: the common name, else given name and surname.
fn personal_name(subject: &Name) -> Option<String> {
    if let Some(name) = subject.find(oid::COMMON_NAME).filter(|name| !name.contains('@')) {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = [oid::GIVEN_NAME, oid::SURNAME].into_iter().filter_map(|kind| subject.find(kind)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

impl OrganisationId {
    /// Reads `NTRJP-7010001088960`, `NTRUS+CA-123`, `LEIXG-…`, `GOVJP+13`: the first hyphen divides.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, value) = text.split_once('-').unwrap_or((text, ""));
        let (scheme, rest) = head.split_at_checked(3)?;
        let (country, state) = match rest.split_once('+') {
            Some((country, state)) => (country, Some(state)),
            None => (rest, None),
        };
        let capitals = |text: &str| text.bytes().all(|octet| octet.is_ascii_uppercase());
        let state_good = state.is_none_or(|state| {
            (1..=3).contains(&state.len()) && state.bytes().all(|octet| octet.is_ascii_alphanumeric())
        });
        let may_be_empty = matches!(scheme, "GOV" | "INT");
        let good = capitals(scheme) && country.len() == 2 && capitals(country) && state_good;
        (good && (may_be_empty || !value.is_empty())).then(|| Self {
            scheme: scheme.to_owned(),
            country: country.to_owned(),
            state: state.map(str::to_owned),
            value: value.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisation_identifiers_are_taken_apart() {
        for (text, expected) in [
            ("NTRJP-7010001088960", Some(("NTR", "JP", None, "7010001088960"))),
            ("NTRUS+CA-12-34", Some(("NTR", "US", Some("CA"), "12-34"))),
            ("GOVJP+13", Some(("GOV", "JP", Some("13"), ""))),
            ("INTXG-1", Some(("INT", "XG", None, "1"))),
            ("NTRJP", None),
            ("NTRJP-", None),
            ("ntrjp-1", None),
            ("NTR-1", None),
            ("NTRJPN-1", None),
            ("例示JP-1", None),
            ("", None),
        ] {
            let id = OrganisationId::parse(text);
            let parts = id.as_ref().map(|id| (&*id.scheme, &*id.country, id.state.as_deref(), &*id.value));
            assert_eq!(parts, expected, "{text}");
        }
    }
}
