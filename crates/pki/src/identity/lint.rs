//! What is odd about a certificate by the S/MIME Baseline Requirements (SBR): contradictions, which take its names away,
//! and faults of form, which are only told.

use crate::address::Address;
use crate::algorithm::Signature;
use crate::asn1::time::Time;
use crate::asn1::{Oid, oid};
use crate::cert::Certificate;
use crate::cert::name::{GeneralName, Name};
use crate::crypto::PublicKey;
use crate::identity::OrganisationId;
use crate::path::baseline_policies;

/// The first day on which the SBR are in force: 2023-09-01T00:00:00Z.
pub(super) const BASELINE_BEGINS: Time = Time::from_unix(1_693_526_400);
/// The first day without the legacy generation (ballot SMC08): 2025-07-15T00:00:00Z.
const LEGACY_ENDS: Time = Time::from_unix(1_752_537_600);
/// SBR §6.3.2, in seconds: 825 days for strict and multipurpose, 1185 for legacy.
const VALIDITY: u64 = 825 * 24 * 60 * 60;
const VALIDITY_LEGACY: u64 = 1185 * 24 * 60 * 60;

/// ISO 3166-1, and XX for a country without a code (SBR §7.1.4.2.2 n).
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
    MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XX YE YT ZA ZM ZW";

macro_rules! lints {
    ($($(#[doc = $what:literal])+ $variant:ident $code:literal $weight:ident,)*) => {
        /// What is odd about a certificate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Lint {
            $($(#[doc = $what])+ $variant,)*
        }

        impl Lint {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it is about, in a sentence.
            pub fn explain(self) -> &'static str {
                let text = match self { $(Self::$variant => concat!($($what),+),)* };
                text.trim_start()
            }

            /// Does it contradict the profile, so that no name is believed?
            pub const fn is_contradiction(self) -> bool {
                match self { $(Self::$variant => lints!(@ $weight),)* }
            }
        }
    };
    (@ contradicts) => { true };
    (@ told) => { false };
}

lints! {
    /// Issued since 2023-09-01 without a policy of the SBR that holds through the path.
    NoPolicy "lint.no-oid" contradicts,
    /// More than one policy of the SBR.
    SeveralPolicies "lint.multi-oid" contradicts,
    /// The legacy generation, issued since 2025-07-15.
    LegacyAfterSunset "lint.legacy-sunset" contradicts,
    /// Mailbox-validated, but the subject carries names of an organisation or a person.
    MailboxWithNames "lint.mv-names" contradicts,
    /// Organisation-validated, but the subject carries names of a person.
    OrganisationWithPerson "lint.ov-person" contradicts,
    /// Individual-validated, but the subject carries an organisation.
    PersonWithOrganisation "lint.iv-organisation" contradicts,
    /// The profile demands an organisation, and there is none, or more than one.
    OrganisationMissing "lint.no-organisation" contradicts,
    /// The profile demands an organizationIdentifier, and there is none, more than one, or a malformed one.
    OrganisationIdMissing "lint.no-organisation-id" contradicts,
    /// The organizationIdentifier is of another country than the subject.
    OrganisationIdCountry "lint.organisation-id-country" contradicts,
    /// The profile demands a person's name or pseudonym, and there is none.
    PersonMissing "lint.no-person" contradicts,
    /// Both a person's name and a pseudonym.
    PersonAndPseudonym "lint.person-and-pseudonym" contradicts,
    /// An extended key usage that a certificate for mail may not have.
    ForeignUsage "lint.eku" contradicts,
    /// No subject alternative name is a mailbox.
    NoMailbox "lint.no-mailbox" contradicts,
    /// The only mailbox is the subject's old e-mail attribute.
    MailboxInSubjectOnly "lint.dn-email" contradicts,
    /// A mailbox of the subject is not among the subject alternative names.
    SubjectMailboxNotListed "lint.dn-email-not-in-san" contradicts,
    /// An RSA key under 2048 bits, or a SHA-1 signature.
    Weak "lint.weak" contradicts,
    /// Valid for longer than the SBR allow.
    ValidityTooLong "lint.validity" told,
    /// A mailbox among the subject alternative names is none.
    MailboxMalformed "lint.mailbox" told,
    /// More than one e-mail attribute in the subject, or one that is no address.
    SubjectMailboxes "lint.dn-email-multiple" told,
    /// The common name is neither an address nor what the profile lets stand there.
    CommonName "lint.cn" told,
    /// Mailbox-validated, with an attribute that says something else than the address.
    MailboxAttribute "lint.mv-attribute" told,
    /// The strict generation, with a street or a postal code.
    StrictAttribute "lint.strict-attribute" told,
    /// The country is no code of ISO 3166-1.
    Country "lint.country" told,
    /// A part of an address without the part around it: a street without a locality or state, anything without a country.
    StateWithoutCountry "lint.state-without-country" told,
    /// The organizationIdentifier is of a country that does not exist.
    OrganisationIdUnknownCountry "lint.organisation-id-unknown-country" told,
    /// The organizationIdentifier has a state where its register has none (LEI, VAT, INT).
    OrganisationIdState "lint.organisation-id-state" told,
    /// The organizationIdentifier has a number where its register has none (INT).
    OrganisationIdReference "lint.organisation-id-reference" told,
    /// The check digits of an LEI are wrong (ISO 17442).
    LeiChecksum "lint.lei-checksum" told,
    /// The strict generation, with another extended key usage than e-mail.
    StrictUsage "lint.eku-strict" told,
    /// Without the extended key usage for e-mail.
    NoEmailUsage "lint.no-email-usage" told,
    /// Without key usage.
    NoKeyUsage "lint.no-ku" told,
    /// Key usage is not critical.
    KeyUsageNotCritical "lint.ku-not-critical" told,
    /// A key usage that does not go with the key, or with a certificate for mail.
    KeyUsageForeign "lint.ku" told,
    /// A kind of key that the SBR do not list.
    KeyAlgorithm "lint.key" told,
    /// Without an authority key identifier that names a key.
    AuthorityKeyIdentifier "lint.aki" told,
    /// Without CRL distribution points.
    NoCrlPoint "lint.no-crl-point" told,
    /// CRL distribution points that are not reached by HTTP.
    CrlPointScheme "lint.crl-point-scheme" told,
    /// Without a URL of the issuer's certificate.
    NoIssuerUrl "lint.no-ca-issuers" told,
    /// Authority information that is not reached by HTTP.
    AccessScheme "lint.aia-scheme" told,
    /// Subject alternative names are critical though there is a subject.
    SanCritical "lint.san-critical" told,
    /// The strict generation, with another name of a form of its own.
    OtherName "lint.other-name" told,
    /// Subject directory attributes outside the legacy generation.
    DirectoryAttributes "lint.subject-directory-attributes" told,
    /// QCStatements are critical.
    QcCritical "lint.qc-critical" told,
    /// The extension of a Legal Entity Identifier where it may not stand, or critical.
    LeiExtension "lint.lei-extension" told,
    /// An extension of Adobe's in the strict generation, or critical.
    AdobeExtension "lint.adobe" told,
}

/// What was checked about the owner (SBR §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Mailbox,
    Organisation,
    Sponsored,
    Individual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    Legacy,
    Multipurpose,
    Strict,
}

/// Which profile and generation a certificate claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) profile: Profile,
    generation: Generation,
}

/// The one claim that is made, if it is exactly one.
pub(super) fn claim(policies: &[(u32, u32)], leaf: &Certificate, lints: &mut Vec<Lint>) -> Option<Claim> {
    let [(profile, generation)] = policies else {
        if policies.len() > 1 {
            lints.push(Lint::SeveralPolicies);
        } else if leaf.not_before() >= BASELINE_BEGINS {
            lints.push(Lint::NoPolicy);
        }
        return None;
    };
    let generation = match generation {
        1 => Generation::Legacy,
        2 => Generation::Multipurpose,
        _ => Generation::Strict,
    };
    if generation == Generation::Legacy && leaf.not_before() >= LEGACY_ENDS {
        lints.push(Lint::LegacyAfterSunset);
    }
    let profile = match profile {
        1 => Profile::Mailbox,
        2 => Profile::Organisation,
        3 => Profile::Sponsored,
        _ => Profile::Individual,
    };
    Some(Claim { profile, generation })
}

/// All that is odd about a certificate by itself, its claim taken from its own policies. Under a path, [`super::vouch`]
/// takes it from the policies that hold through the path, and leaves faults of form out.
pub fn lint(leaf: &Certificate) -> Vec<Lint> {
    let mut lints = Vec::new();
    let own = leaf.extensions().policies.iter().flatten().copied().collect();
    mailboxes(leaf, &mut lints);
    if let Some(claim) = claim(&baseline_policies(&own), leaf, &mut lints) {
        let algorithm = Signature::from_identifier(leaf.signature_algorithm(), None).ok().flatten();
        let weak = leaf.key().is_weak() || algorithm.is_some_and(Signature::is_weak);
        contradictions(leaf, claim, weak, &mut lints);
        form(leaf, claim, &mut lints);
    }
    lints
}

/// All that would be odd about a certificate if it claimed to be mailbox-validated, of the multipurpose generation: how
/// certificates are looked at that are made in this shape and may not claim it.
pub fn lint_as_mailbox(leaf: &Certificate) -> Vec<Lint> {
    let mut lints = Vec::new();
    mailboxes(leaf, &mut lints);
    let claim = Claim { profile: Profile::Mailbox, generation: Generation::Multipurpose };
    let algorithm = Signature::from_identifier(leaf.signature_algorithm(), None).ok().flatten();
    let weak = leaf.key().is_weak() || algorithm.is_some_and(Signature::is_weak);
    contradictions(leaf, claim, weak, &mut lints);
    form(leaf, claim, &mut lints);
    lints
}

/// Are there mailboxes where they belong?
pub(super) fn mailboxes(leaf: &Certificate, lints: &mut Vec<Lint>) {
    if leaf.extensions().mailboxes().next().is_none() {
        let in_subject = leaf.subject().all(oid::EMAIL_ADDRESS).next().is_some();
        lints.push(if in_subject { Lint::MailboxInSubjectOnly } else { Lint::NoMailbox });
    }
}

/// SBR §7.1.4.2.2 to §7.1.4.2.6, as far as they decide what is shown.
pub(super) fn contradictions(leaf: &Certificate, claim: Claim, weak: bool, lints: &mut Vec<Lint>) {
    let subject = leaf.subject();
    let has = |kind: Oid| subject.all(kind).next().is_some();
    let names_person = has(oid::GIVEN_NAME) || has(oid::SURNAME);
    let names_pseudonym = has(oid::PSEUDONYM);
    let names_organisation = has(oid::ORGANIZATION) || has(oid::ORGANIZATION_IDENTIFIER);
    let listed = |mailbox: &str| leaf.extensions().mailboxes().any(|own| own.eq_ignore_ascii_case(mailbox));
    let mut note = |lint, holds: bool| {
        if holds {
            lints.push(lint);
        }
    };

    match claim.profile {
        Profile::Mailbox => {
            let named = subject.find(oid::COMMON_NAME).is_some_and(|name| !listed(name));
            note(Lint::MailboxWithNames, names_person || names_pseudonym || names_organisation || named);
        }
        Profile::Organisation => note(Lint::OrganisationWithPerson, names_person || names_pseudonym),
        Profile::Individual => note(Lint::PersonWithOrganisation, names_organisation),
        Profile::Sponsored => {}
    }
    if matches!(claim.profile, Profile::Organisation | Profile::Sponsored) {
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
    if matches!(claim.profile, Profile::Individual | Profile::Sponsored) {
        // The legacy generation may have the common name alone.
        let named = claim.generation == Generation::Legacy && has(oid::COMMON_NAME);
        note(Lint::PersonMissing, !names_person && !names_pseudonym && !named);
        note(Lint::PersonAndPseudonym, names_person && names_pseudonym);
    }

    let foreign = [oid::SERVER_AUTH, oid::CODE_SIGNING, oid::TIME_STAMPING, oid::ANY_EXTENDED_KEY_USAGE];
    let usages = leaf.extensions().extended_key_usage.as_deref().unwrap_or_default();
    note(Lint::ForeignUsage, usages.iter().any(|usage| foreign.contains(usage)));
    let of_subject =
        subject.all(oid::EMAIL_ADDRESS).chain(subject.all(oid::COMMON_NAME).filter(|name| name.contains('@')));
    note(Lint::SubjectMailboxNotListed, of_subject.into_iter().any(|mailbox| !listed(mailbox)));
    note(Lint::Weak, weak);
    let limit = if claim.generation == Generation::Legacy { VALIDITY_LEGACY } else { VALIDITY };
    // RFC 5280 §4.1.2.5: notAfter itself still belongs to the validity, one second more than the difference.
    note(Lint::ValidityTooLong, leaf.not_after().distance(leaf.not_before()) >= limit);
}

/// Faults of form (SBR §6.1.5, §7.1.2.3, §7.1.4): they take nothing away.
fn form(leaf: &Certificate, claim: Claim, lints: &mut Vec<Lint>) {
    subject(leaf, claim, lints);
    keys(leaf, claim, lints);
    extensions(leaf, claim, lints);
}

fn subject(leaf: &Certificate, claim: Claim, lints: &mut Vec<Lint>) {
    let subject = leaf.subject();
    let has = |kind: Oid| subject.all(kind).next().is_some();
    let listed = |mailbox: &str| leaf.extensions().mailboxes().any(|own| own.eq_ignore_ascii_case(mailbox));
    let strict = claim.generation == Generation::Strict;
    let known = |country: &str| COUNTRIES.split_whitespace().any(|code| code == country);
    let mut note = |lint, holds: bool| {
        if holds {
            lints.push(lint);
        }
    };
    note(Lint::MailboxMalformed, leaf.extensions().mailboxes().any(|mailbox| Address::parse(mailbox).is_err()));
    let no_address = |text: &str| Address::parse(text).is_err();
    let several = subject.all(oid::EMAIL_ADDRESS).count() > 1;
    note(Lint::SubjectMailboxes, several || subject.all(oid::EMAIL_ADDRESS).any(no_address));
    let names: Vec<&str> = subject.all(oid::COMMON_NAME).filter(|name| !listed(name)).collect();
    note(Lint::CommonName, names.into_iter().any(|name| !may_be_common_name(name, subject, claim)));
    let of_mailbox = [oid::COMMON_NAME, oid::EMAIL_ADDRESS, oid::SERIAL_NUMBER];
    let says_more = subject.attributes().any(|attribute| !of_mailbox.contains(&attribute.kind));
    note(Lint::MailboxAttribute, claim.profile == Profile::Mailbox && says_more);
    note(Lint::StrictAttribute, strict && (has(oid::STREET) || has(oid::POSTAL_CODE)));
    note(Lint::Country, subject.all(oid::COUNTRY).any(|country| !known(country)));
    // S/MIME Baseline Requirements §7.1.4.2.2.
    let (place, street, code) = (has(oid::STATE) || has(oid::LOCALITY), has(oid::STREET), has(oid::POSTAL_CODE));
    note(Lint::StateWithoutCountry, (street && !place) || ((place || code) && !has(oid::COUNTRY)));
    for id in subject.all(oid::ORGANIZATION_IDENTIFIER).filter_map(OrganisationId::parse) {
        let world = matches!(id.scheme.as_str(), "LEI" | "INT");
        let fits =
            if world { id.country == "XG" } else { known(&id.country) || (id.scheme == "VAT" && id.country == "EL") };
        note(Lint::OrganisationIdUnknownCountry, !fits);
        note(Lint::OrganisationIdState, id.state.is_some() && (world || id.scheme == "VAT"));
        note(Lint::OrganisationIdReference, id.scheme == "INT" && !id.value.is_empty());
        note(Lint::LeiChecksum, id.scheme == "LEI" && !is_lei(&id.value));
    }
}

/// Does a common name that is no address say what the profile lets it (SBR §7.1.4.2.2 a)?
fn may_be_common_name(name: &str, subject: &Name, claim: Claim) -> bool {
    let is = |kind: Oid| subject.all(kind).any(|value| value == name);
    let names_person = [oid::GIVEN_NAME, oid::SURNAME].into_iter().any(|kind| subject.all(kind).next().is_some());
    let names_pseudonym = subject.all(oid::PSEUDONYM).next().is_some();
    match claim.profile {
        Profile::Mailbox => false,
        Profile::Organisation => is(oid::ORGANIZATION),
        // How a person's name is put together of its parts is the person's and the country's.
        Profile::Sponsored | Profile::Individual => {
            let alone = claim.generation == Generation::Legacy && !names_pseudonym;
            is(oid::PSEUDONYM) || names_person || alone
        }
    }
}

/// ISO 17442: 18 letters and digits and two check digits; as a number, letters standing for 10 to 35, it is 1 modulo 97.
fn is_lei(text: &str) -> bool {
    let digits = text.chars().map(|c| c.to_digit(36));
    let rest = digits.into_iter().try_fold(0u32, |rest, digit| {
        let digit = digit?;
        let shift = if digit < 10 { 10 } else { 100 };
        rest.checked_mul(shift)?.checked_add(digit)?.checked_rem(97)
    });
    text.len() == 20 && rest == Some(1)
}

fn keys(leaf: &Certificate, claim: Claim, lints: &mut Vec<Lint>) {
    let extensions = leaf.extensions();
    let critical = |id: Oid| extensions.listed.iter().any(|(other, critical)| *other == id && *critical);
    let strict = claim.generation == Generation::Strict;
    let (sign, encrypt): (&[&str], &[&str]) = match leaf.key() {
        PublicKey::Rsa { .. } if strict => (&["digitalSignature", "nonRepudiation"], &["keyEncipherment"]),
        PublicKey::Rsa { .. } => (&["digitalSignature", "nonRepudiation"], &["keyEncipherment", "dataEncipherment"]),
        PublicKey::Ec { .. } => {
            (&["digitalSignature", "nonRepudiation"], &["keyAgreement", "encipherOnly", "decipherOnly"])
        }
        PublicKey::Ed25519(_) => (&["digitalSignature", "nonRepudiation"], &[]),
        PublicKey::Dsa { .. } | PublicKey::X25519(_) | PublicKey::Other(_) => {
            lints.push(Lint::KeyAlgorithm);
            (&[], &[])
        }
        // ML-DSA and ML-KEM (SBR 1.0.11): what their keys are for stands in their own RFCs.
        _ => (&[], &[]),
    };
    let mut note = |lint, holds: bool| {
        if holds {
            lints.push(lint);
        }
    };
    match extensions.key_usage.map(|usage| usage.names()) {
        None => note(Lint::NoKeyUsage, true),
        Some(names) => {
            note(Lint::KeyUsageNotCritical, !critical(oid::KEY_USAGE));
            let all = || sign.iter().chain(encrypt);
            let foreign = names.iter().any(|name| !all().any(|allowed| allowed == name));
            // The first of each list is what it is about; the others only add to it.
            let lacks = |list: &[&str]| {
                let rest = list.get(1..).unwrap_or_default();
                !list.is_empty()
                    && names.iter().any(|name| rest.contains(name))
                    && !list.first().is_some_and(|first| names.contains(first))
            };
            let odd = foreign || lacks(encrypt);
            note(Lint::KeyUsageForeign, odd && all().next().is_some());
        }
    }
    let usages = extensions.extended_key_usage.as_deref().unwrap_or_default();
    note(Lint::NoEmailUsage, !usages.contains(&oid::EMAIL_PROTECTION));
    note(Lint::StrictUsage, strict && usages.iter().any(|usage| *usage != oid::EMAIL_PROTECTION));
    note(Lint::AuthorityKeyIdentifier, extensions.authority_key_id.is_none());
}

fn extensions(leaf: &Certificate, claim: Claim, lints: &mut Vec<Lint>) {
    let extensions = leaf.extensions();
    let find = |id: Oid| extensions.listed.iter().find(|(other, _)| *other == id).map(|(_, critical)| *critical);
    let (legacy, strict) = (claim.generation == Generation::Legacy, claim.generation == Generation::Strict);
    // The legacy generation needs one by HTTP, the others have no other.
    let by_http = |urls: &[&str]| {
        let is_http = |url: &&str| url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
        if legacy { urls.iter().any(is_http) } else { urls.iter().all(is_http) }
    };
    let mut note = |lint, holds: bool| {
        if holds {
            lints.push(lint);
        }
    };
    let points: Vec<&str> = extensions.crl_urls().collect();
    note(Lint::NoCrlPoint, extensions.crl_points.is_empty());
    note(Lint::CrlPointScheme, !extensions.crl_points.is_empty() && (points.is_empty() || !by_http(&points)));
    note(Lint::NoIssuerUrl, extensions.issuer_urls.is_empty());
    let of = |urls: &[String]| !urls.is_empty() && !by_http(&urls.iter().map(String::as_str).collect::<Vec<_>>());
    note(Lint::AccessScheme, of(&extensions.ocsp_urls) || of(&extensions.issuer_urls));
    note(Lint::SanCritical, find(oid::SUBJECT_ALT_NAME) == Some(true) && !leaf.subject().is_empty());
    let other = |name: &GeneralName| matches!(name, GeneralName::Other(_));
    note(Lint::OtherName, strict && extensions.subject_alt_names.iter().any(other));
    note(Lint::DirectoryAttributes, !legacy && find(oid::SUBJECT_DIRECTORY_ATTRIBUTES).is_some());
    note(Lint::QcCritical, find(oid::QC_STATEMENTS) == Some(true));
    let (lei, role) = (find(oid::LEI), find(oid::LEI_ROLE));
    let may_have_lei = matches!(claim.profile, Profile::Organisation | Profile::Sponsored);
    let misplaced = (lei.is_some() && !may_have_lei) || (role.is_some() && claim.profile != Profile::Sponsored);
    note(Lint::LeiExtension, misplaced || lei == Some(true) || role == Some(true));
    let adobe = [find(oid::ADOBE_TIME_STAMP), find(oid::ADOBE_ARCHIVE)];
    note(Lint::AdobeExtension, adobe.iter().flatten().any(|critical| strict || *critical));
}
