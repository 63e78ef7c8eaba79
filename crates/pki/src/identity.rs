//! From a valid path to the class of its leaf: what somebody has checked, and what therefore may be shown large.
//!
//! A private CA may copy any policy identifier into its certificates, so the policies of the S/MIME Baseline
//! Requirements (SBR) count under the public list alone, and only through the valid policy set of the whole path. A
//! certificate that contradicts the profile which it claims is believed for its address and no more.

use crate::asn1::time::Time;
use crate::asn1::{Oid, oid};
use crate::cert::Certificate;
use crate::cert::name::Name;
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

/// What is odd about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lint {
    /// Issued since 2023-09-01 without a policy of the SBR that holds through the path.
    NoPolicy,
    /// More than one policy of the SBR.
    SeveralPolicies,
    /// The legacy generation, issued since 2025-07-15.
    LegacyAfterSunset,
    /// Mailbox-validated, but the subject carries names of an organisation or a person.
    MailboxWithNames,
    /// Organisation-validated, but the subject carries names of a person.
    OrganisationWithPerson,
    /// Individual-validated, but the subject carries an organisation.
    PersonWithOrganisation,
    /// The profile demands an organisation, and there is none, or more than one.
    OrganisationMissing,
    /// The profile demands an organizationIdentifier, and there is none, more than one, or a malformed one.
    OrganisationIdMissing,
    /// The organizationIdentifier is of another country than the subject.
    OrganisationIdCountry,
    /// The profile demands a person's name or pseudonym, and there is none.
    PersonMissing,
    /// Both a person's name and a pseudonym.
    PersonAndPseudonym,
    /// An extended key usage that a certificate for mail may not have.
    ForeignUsage,
    /// No subject alternative name is a mailbox.
    NoMailbox,
    /// The only mailbox is the subject's old e-mail attribute.
    MailboxInSubjectOnly,
    /// A mailbox of the subject is not among the subject alternative names.
    SubjectMailboxNotListed,
    /// An RSA key under 2048 bits, or a SHA-1 signature.
    Weak,
    /// Valid for longer than the SBR allow.
    ValidityTooLong,
}

impl Lint {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPolicy => "lint.no-oid",
            Self::SeveralPolicies => "lint.multi-oid",
            Self::LegacyAfterSunset => "lint.legacy-sunset",
            Self::MailboxWithNames => "lint.mv-names",
            Self::OrganisationWithPerson => "lint.ov-person",
            Self::PersonWithOrganisation => "lint.iv-organisation",
            Self::OrganisationMissing => "lint.no-organisation",
            Self::OrganisationIdMissing => "lint.no-organisation-id",
            Self::OrganisationIdCountry => "lint.organisation-id-country",
            Self::PersonMissing => "lint.no-person",
            Self::PersonAndPseudonym => "lint.person-and-pseudonym",
            Self::ForeignUsage => "lint.eku",
            Self::NoMailbox => "lint.no-mailbox",
            Self::MailboxInSubjectOnly => "lint.dn-email",
            Self::SubjectMailboxNotListed => "lint.dn-email-not-in-san",
            Self::Weak => "lint.weak",
            Self::ValidityTooLong => "lint.validity",
        }
    }

    /// Does it contradict the profile, so that no name is believed? A long validity is only told.
    pub const fn is_contradiction(self) -> bool {
        !matches!(self, Self::ValidityTooLong)
    }
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

/// The first day on which the SBR are in force: 2023-09-01T00:00:00Z.
const BASELINE_BEGINS: Time = Time::from_unix(1_693_526_400);
/// The first day without the legacy generation (ballot SMC08): 2025-07-15T00:00:00Z.
const LEGACY_ENDS: Time = Time::from_unix(1_752_537_600);
/// SBR §6.3.2, in seconds: 825 days for strict and multipurpose, 1185 for legacy.
const VALIDITY: u64 = 825 * 24 * 60 * 60;
const VALIDITY_LEGACY: u64 = 1185 * 24 * 60 * 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Mailbox,
    Organisation,
    Sponsored,
    Individual,
}

/// Judges what the leaf of a path vouches for.
pub fn vouch(path: &ValidPath) -> Vouched {
    let leaf = path.leaf();
    let subject = leaf.subject();
    let listed: Vec<String> = leaf.extensions().mailboxes().map(str::to_owned).collect();
    let in_subject: Vec<String> = subject.all(oid::EMAIL_ADDRESS).map(str::to_owned).collect();
    let mut lints = Vec::new();
    if listed.is_empty() {
        lints.push(if in_subject.is_empty() { Lint::NoMailbox } else { Lint::MailboxInSubjectOnly });
    }

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

    let profile = profile(path, leaf, &mut lints);
    if let Some((profile, legacy)) = profile {
        contradictions(path, profile, legacy, &mut lints);
    }
    let believed = profile.map(|(profile, _)| profile).filter(|_| !lints.iter().any(|lint| lint.is_contradiction()));
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

/// The one profile that holds through the path, and whether it is of the legacy generation.
fn profile(path: &ValidPath, leaf: &Certificate, lints: &mut Vec<Lint>) -> Option<(Profile, bool)> {
    let found = baseline_policies(path.unmapped_policies());
    let [(profile, generation)] = found.as_slice() else {
        if found.len() > 1 {
            lints.push(Lint::SeveralPolicies);
        } else if leaf.not_before() >= BASELINE_BEGINS {
            lints.push(Lint::NoPolicy);
        }
        return None;
    };
    let legacy = *generation == 1;
    if legacy && leaf.not_before() >= LEGACY_ENDS {
        lints.push(Lint::LegacyAfterSunset);
    }
    let profile = match profile {
        1 => Profile::Mailbox,
        2 => Profile::Organisation,
        3 => Profile::Sponsored,
        _ => Profile::Individual,
    };
    Some((profile, legacy))
}

/// SBR §7.1.4.2.2 to §7.1.4.2.6, as far as they decide what is shown.
fn contradictions(path: &ValidPath, profile: Profile, legacy: bool, lints: &mut Vec<Lint>) {
    let leaf = path.leaf();
    let subject = leaf.subject();
    let has = |kind: Oid| subject.all(kind).next().is_some();
    let names_person = has(oid::GIVEN_NAME) || has(oid::SURNAME);
    let names_pseudonym = has(oid::PSEUDONYM);
    let names_organisation = has(oid::ORGANIZATION) || has(oid::ORGANIZATION_IDENTIFIER);
    let mut note = |lint, holds: bool| {
        if holds {
            lints.push(lint);
        }
    };

    match profile {
        Profile::Mailbox => {
            let named = subject
                .find(oid::COMMON_NAME)
                .is_some_and(|name| !leaf.extensions().mailboxes().any(|own| own.eq_ignore_ascii_case(name)));
            note(Lint::MailboxWithNames, names_person || names_pseudonym || names_organisation || named);
        }
        Profile::Organisation => note(Lint::OrganisationWithPerson, names_person || names_pseudonym),
        Profile::Individual => note(Lint::PersonWithOrganisation, names_organisation),
        Profile::Sponsored => {}
    }
    if matches!(profile, Profile::Organisation | Profile::Sponsored) {
        note(Lint::OrganisationMissing, subject.all(oid::ORGANIZATION).count() != 1);
        let identifiers: Vec<&str> = subject.all(oid::ORGANIZATION_IDENTIFIER).collect();
        match identifiers.as_slice() {
            [one] => match OrganisationId::parse(one) {
                Some(id) => {
                    let country = subject.find(oid::COUNTRY);
                    // XG: LEI and INT are registers of the whole world (SBR Appendix A).
                    let differs = country.is_some_and(|country| !country.eq_ignore_ascii_case(&id.country));
                    note(Lint::OrganisationIdCountry, differs && id.country != "XG");
                }
                None => note(Lint::OrganisationIdMissing, true),
            },
            _ => note(Lint::OrganisationIdMissing, true),
        }
    }
    if matches!(profile, Profile::Individual | Profile::Sponsored) {
        note(Lint::PersonMissing, !names_person && !names_pseudonym);
        note(Lint::PersonAndPseudonym, names_person && names_pseudonym);
    }

    let foreign = [oid::SERVER_AUTH, oid::CODE_SIGNING, oid::TIME_STAMPING, oid::ANY_EXTENDED_KEY_USAGE];
    let usages = leaf.extensions().extended_key_usage.as_deref().unwrap_or_default();
    note(Lint::ForeignUsage, usages.iter().any(|usage| foreign.contains(usage)));
    let listed = |mailbox: &str| leaf.extensions().mailboxes().any(|own| own.eq_ignore_ascii_case(mailbox));
    let of_subject =
        subject.all(oid::EMAIL_ADDRESS).chain(subject.all(oid::COMMON_NAME).filter(|name| name.contains('@')));
    note(Lint::SubjectMailboxNotListed, of_subject.into_iter().any(|mailbox| !listed(mailbox)));
    note(Lint::Weak, path.weak().is_some());
    let limit = if legacy { VALIDITY_LEGACY } else { VALIDITY };
    // RFC 5280 §4.1.2.5: notAfter itself still belongs to the validity, one second more than the difference.
    note(Lint::ValidityTooLong, leaf.not_after().distance(leaf.not_before()) >= limit);
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
