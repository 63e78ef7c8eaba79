//! The extensions of a certificate (RFC 5280 §4.2): known ones read strictly, all others kept by name.

use std::collections::BTreeSet;

use super::name::GeneralName;
use super::point::DistributionPoint;
use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, Oid, oid, tag};

/// A certificate with more extensions than this is refused.
pub const EXTENSION_LIMIT: usize = 100;
/// Certificates have about so many.
const USUAL: usize = 12;
/// A list inside an extension (names, policies, subtrees) may hold this many entries.
pub const LIST_LIMIT: usize = 4096;

/// Bits of the key usage (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    const NAMES: [&'static str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    fn has(self, bit: u32) -> bool {
        self.0 & 0x8000u16.checked_shr(bit).unwrap_or_default() != 0
    }

    /// digitalSignature or nonRepudiation: either makes a signature on mail count (RFC 8550 §4.4.2).
    pub fn signs_mail(self) -> bool {
        self.has(0) || self.has(1)
    }

    /// keyEncipherment: what encryption to an RSA key needs (RFC 8550 §4.4.2).
    pub fn encrypts_keys(self) -> bool {
        self.has(2)
    }

    /// keyAgreement: what encryption to a key on a curve needs (RFC 5753 §4).
    pub fn agrees_on_keys(self) -> bool {
        self.has(4)
    }

    /// keyCertSign.
    pub fn signs_certificates(self) -> bool {
        self.has(5)
    }

    /// cRLSign.
    pub fn signs_crls(self) -> bool {
        self.has(6)
    }

    /// The names of the bits that are set.
    pub fn names(self) -> Vec<&'static str> {
        (0..).zip(Self::NAMES).filter(|(bit, _)| self.has(*bit)).map(|(_, name)| name).collect()
    }
}

/// Basic constraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// May it issue?
    pub ca: bool,
    /// How many intermediates may follow.
    pub path_length: Option<u32>,
}

/// Name constraints (RFC 5280 §4.2.1.10).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NameConstraints {
    /// Names must lie in one of these, form by form.
    pub permitted: Vec<GeneralName>,
    /// Names must lie in none of these.
    pub excluded: Vec<GeneralName>,
}

/// Policy constraints (RFC 5280 §4.2.1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PolicyConstraints {
    /// requireExplicitPolicy.
    pub require_explicit: Option<u32>,
    /// inhibitPolicyMapping.
    pub inhibit_mapping: Option<u32>,
}

/// The extensions of one certificate.
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    /// Object identifier and criticality of each, in order.
    pub listed: Vec<(Oid, bool)>,
    /// Critical ones that this engine does not process: such a certificate counts for nothing (RFC 5280 §4.2).
    pub unknown_critical: Vec<Oid>,
    /// Basic constraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// Key usage.
    pub key_usage: Option<KeyUsage>,
    /// Extended key usage.
    pub extended_key_usage: Option<Vec<Oid>>,
    /// Subject alternative names.
    pub subject_alt_names: Vec<GeneralName>,
    /// Subject key identifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// Key identifier of the authority key identifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// Certificate policies.
    pub policies: Option<Vec<Oid>>,
    /// Policy mappings, issuer's to subject's.
    pub policy_mappings: Vec<(Oid, Oid)>,
    /// Policy constraints.
    pub policy_constraints: Option<PolicyConstraints>,
    /// inhibitAnyPolicy.
    pub inhibit_any_policy: Option<u32>,
    /// Name constraints.
    pub name_constraints: Option<NameConstraints>,
    /// CRL distribution points.
    pub crl_points: Vec<DistributionPoint>,
    /// Where delta lists stand (RFC 5280 §4.2.1.15).
    pub freshest_points: Vec<DistributionPoint>,
    /// May this responder's certificate be believed unasked (id-pkix-ocsp-nocheck, RFC 6960 §4.2.2.2.1)?
    pub ocsp_no_check: bool,
    /// URLs of OCSP responders.
    pub ocsp_urls: Vec<String>,
    /// URLs of the issuer's certificate.
    pub issuer_urls: Vec<String>,
    /// The policy OIDs' arc of QCStatements was present.
    pub qc_statements: bool,
    /// What the holder's program can read (RFC 4262), unread.
    pub smime_capabilities: Option<Vec<u8>>,
}

impl Extensions {
    /// Reads `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`.
    ///
    /// # Errors
    /// Malformed, an extension twice, or over a limit.
    pub fn parse(list: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut out = Self { listed: Vec::with_capacity(USUAL), ..Self::default() };
        each_extension(list, |id, critical, value| {
            out.listed.push((id, critical));
            let known = out.read(id, value)?;
            if critical && !known {
                out.unknown_critical.push(id);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// Reads what can be read: each extension that cannot, with the reason, and each that stands more than once. For
    /// showing a certificate, never for believing it.
    pub fn parse_readable(list: &Tlv<'_>) -> (Self, Vec<(Option<Oid>, Malformed)>) {
        let (mut out, mut wrong) = (Self::default(), Vec::new());
        let mut inside = list.inside();
        while !inside.is_empty() && out.listed.len() < EXTENSION_LIMIT {
            let element = match inside.element() {
                Ok(element) => element,
                Err(malformed) => {
                    wrong.push((None, malformed));
                    break;
                }
            };
            let (id, critical, value) = match extension(&element) {
                Ok(extension) => extension,
                Err(malformed) => {
                    wrong.push((None, malformed));
                    continue;
                }
            };
            if out.listed.iter().any(|(other, _)| *other == id) {
                wrong.push((Some(id), TWICE));
                continue;
            }
            out.listed.push((id, critical));
            match out.read(id, value) {
                Ok(false) if critical => out.unknown_critical.push(id),
                Ok(_) => {}
                Err(malformed) => wrong.push((Some(id), malformed)),
            }
        }
        (out, wrong)
    }

    /// The URLs of the distribution points.
    pub fn crl_urls(&self) -> impl Iterator<Item = &str> {
        self.crl_points.iter().flat_map(DistributionPoint::urls)
    }

    /// The mailboxes among the subject alternative names.
    pub fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.subject_alt_names.iter().filter_map(|name| match name {
            GeneralName::Mailbox(text) | GeneralName::MailboxUtf8(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The host names among the subject alternative names.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.subject_alt_names.iter().filter_map(|name| match name {
            GeneralName::Dns(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Reads one; says whether it is one that this engine processes.
    fn read(&mut self, id: Oid, value: &[u8]) -> Result<bool, Malformed> {
        let only = |tag, what| Der::only(value)?.of(tag, what);
        match id {
            oid::BASIC_CONSTRAINTS => {
                let mut inside = only(tag::SEQUENCE, "basic constraints are not a SEQUENCE")?.inside();
                let ca = if inside.peek() == Some(tag::BOOLEAN) { inside.boolean()? } else { false };
                let path_length = if inside.is_empty() { None } else { Some(inside.small()?) };
                inside.finish()?;
                self.basic_constraints = Some(BasicConstraints { ca, path_length });
            }
            oid::KEY_USAGE => {
                let bits = only(tag::BIT_STRING, "key usage is not a BIT STRING")?.value;
                self.key_usage = Some(match bits {
                    [0..=7, first] => KeyUsage(u16::from_be_bytes([*first, 0])),
                    [0..=7, first, second] => KeyUsage(u16::from_be_bytes([*first, *second])),
                    _ => return Err(Malformed::new("key usage has no bits, or too many")),
                });
            }
            oid::EXTENDED_KEY_USAGE => {
                let list = only(tag::SEQUENCE, "extended key usage is not a SEQUENCE")?;
                self.extended_key_usage = Some(each(list.inside(), |list| list.oid())?);
            }
            oid::SUBJECT_ALT_NAME => {
                let list = only(tag::SEQUENCE, "subject alternative names are not a SEQUENCE")?.inside();
                // RFC 5280 §4.2.1.6 forbids a list of none, which occurs; it names nobody, so that nothing is believed of it.
                if !list.is_empty() {
                    self.subject_alt_names = each(list, |list| GeneralName::parse(&list.element()?))?;
                }
            }
            oid::SUBJECT_KEY_IDENTIFIER => {
                let id = only(tag::OCTET_STRING, "a subject key identifier is not an OCTET STRING")?;
                self.subject_key_id = Some(id.value.to_vec());
            }
            oid::AUTHORITY_KEY_IDENTIFIER => {
                let mut inside = only(tag::SEQUENCE, "an authority key identifier is not a SEQUENCE")?.inside();
                self.authority_key_id = inside.optional(tag::context(0))?.map(|id| id.value.to_vec());
            }
            oid::CERTIFICATE_POLICIES => {
                let list = only(tag::SEQUENCE, "certificate policies are not a SEQUENCE")?;
                let policies = each(list.inside(), |list| {
                    list.expect(tag::SEQUENCE, "a policy is not a SEQUENCE")?.inside().oid()
                })?;
                // RFC 5280 §4.2.1.4: a policy OID MUST NOT appear more than once.
                if policies.iter().collect::<BTreeSet<_>>().len() != policies.len() {
                    return Err(Malformed::new("a policy stands twice"));
                }
                self.policies = Some(policies);
            }
            oid::POLICY_MAPPINGS => {
                let list = only(tag::SEQUENCE, "policy mappings are not a SEQUENCE")?;
                self.policy_mappings = each(list.inside(), |list| {
                    let mut pair = list.expect(tag::SEQUENCE, "a policy mapping is not a SEQUENCE")?.inside();
                    Ok((pair.oid()?, pair.oid()?))
                })?;
            }
            oid::POLICY_CONSTRAINTS => {
                let mut inside = only(tag::SEQUENCE, "policy constraints are not a SEQUENCE")?.inside();
                let require_explicit = implicit_small(inside.optional(tag::context(0))?)?;
                let inhibit_mapping = implicit_small(inside.optional(tag::context(1))?)?;
                inside.finish()?;
                self.policy_constraints = Some(PolicyConstraints { require_explicit, inhibit_mapping });
            }
            oid::INHIBIT_ANY_POLICY => self.inhibit_any_policy = Some(Der::new(value).small()?),
            oid::NAME_CONSTRAINTS => {
                let mut inside = only(tag::SEQUENCE, "name constraints are not a SEQUENCE")?.inside();
                let permitted = subtrees(inside.optional(tag::context_constructed(0))?)?;
                let excluded = subtrees(inside.optional(tag::context_constructed(1))?)?;
                inside.finish()?;
                // RFC 5280 §4.2.1.10: the empty sequence MUST NOT be issued.
                if permitted.is_empty() && excluded.is_empty() {
                    return Err(Malformed::new("name constraints constrain nothing"));
                }
                self.name_constraints = Some(NameConstraints { permitted, excluded });
            }
            oid::CRL_DISTRIBUTION_POINTS => {
                let list = only(tag::SEQUENCE, "CRL distribution points are not a SEQUENCE")?;
                self.crl_points = each(list.inside(), |list| DistributionPoint::parse(&list.element()?))?;
            }
            oid::AUTHORITY_INFO_ACCESS => {
                let mut list = only(tag::SEQUENCE, "authority information access is not a SEQUENCE")?.inside();
                while !list.is_empty() {
                    let mut access = list.expect(tag::SEQUENCE, "an access description is not a SEQUENCE")?.inside();
                    let method = access.oid()?;
                    if let GeneralName::Uri(url) = GeneralName::parse(&access.element()?)? {
                        match method {
                            oid::AD_OCSP => self.ocsp_urls.push(url),
                            oid::AD_CA_ISSUERS => self.issuer_urls.push(url),
                            _ => {}
                        }
                    }
                }
            }
            oid::QC_STATEMENTS => self.qc_statements = true,
            oid::SMIME_CAPABILITIES => self.smime_capabilities = Some(value.to_vec()),
            oid::OCSP_NO_CHECK => self.ocsp_no_check = true,
            // It only says where more can be fetched: one that cannot be read says nothing.
            oid::FRESHEST_CRL => self.freshest_points = DistributionPoint::list(value).unwrap_or_default(),
            // Read by nobody here, and harmless: they restrict nothing that this engine decides.
            oid::ISSUER_ALT_NAME | oid::SUBJECT_DIRECTORY_ATTRIBUTES => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Reads the extensions of a certificate, a list or an entry of one.
pub(super) fn each_extension(
    list: &Tlv<'_>,
    mut read: impl FnMut(Oid, bool, &[u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut list = list.of(tag::SEQUENCE, "extensions are not a SEQUENCE")?.inside();
    let mut seen: Vec<Oid> = Vec::with_capacity(USUAL);
    while !list.is_empty() {
        let (id, critical, value) = extension(&list.element()?)?;
        if seen.contains(&id) {
            return Err(TWICE);
        }
        if seen.len() >= EXTENSION_LIMIT {
            return Err(Malformed::new("there are more than 100 extensions"));
        }
        seen.push(id);
        read(id, critical, value)?;
    }
    Ok(())
}

/// RFC 5280 §4.2: not more than one instance of a particular extension.
pub const TWICE: Malformed = Malformed::new("the same extension stands twice");

/// `Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }`.
fn extension<'a>(element: &Tlv<'a>) -> Result<(Oid, bool, &'a [u8]), Malformed> {
    let mut fields = element.of(tag::SEQUENCE, "an extension is not a SEQUENCE")?.inside();
    let id = fields.oid()?;
    let critical = if fields.peek() == Some(tag::BOOLEAN) { fields.boolean()? } else { false };
    let value = fields.expect(tag::OCTET_STRING, "an extension has no value")?.value;
    fields.finish()?;
    Ok((id, critical, value))
}

/// Reads the entries of a list, at most [`LIST_LIMIT`] of them.
fn each<'a, T>(
    mut list: Der<'a>,
    mut read: impl FnMut(&mut Der<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut out = Vec::new();
    while !list.is_empty() {
        if out.len() >= LIST_LIMIT {
            return Err(Malformed::new("a list in an extension has more than 4096 entries"));
        }
        let entry = read(&mut list)?;
        out.push(entry);
    }
    if out.is_empty() { Err(Malformed::new("a list in an extension is empty")) } else { Ok(out) }
}

fn implicit_small(element: Option<Tlv<'_>>) -> Result<Option<u32>, Malformed> {
    let Some(element) = element else { return Ok(None) };
    let magnitude = crate::asn1::der::magnitude(element.value)?;
    if magnitude.len() > 4 {
        // More certificates than any path holds: the same as the largest number.
        return Ok(Some(u32::MAX));
    }
    Ok(Some(magnitude.iter().fold(0, |sum, octet| (sum << 8) | u32::from(*octet))))
}

fn subtrees(list: Option<Tlv<'_>>) -> Result<Vec<GeneralName>, Malformed> {
    let Some(list) = list else { return Ok(Vec::new()) };
    each(list.inside(), |list| {
        let mut subtree = list.expect(tag::SEQUENCE, "a subtree is not a SEQUENCE")?.inside();
        let base = subtree.element()?;
        // RFC 5280 §4.2.1.10: minimum MUST be zero and maximum absent; DER leaves a default out.
        subtree.finish()?;
        GeneralName::parse(&base)
    })
}

/// The bits of the key in a SubjectPublicKeyInfo: what key identifiers are hashes of.
pub fn key_bits(spki: &[u8]) -> Option<&[u8]> {
    let mut inside = Der::only(spki).ok()?.inside();
    inside.element().ok()?;
    let bits = inside.expect(tag::BIT_STRING, "").ok()?;
    crate::asn1::der::whole_bits(bits.value).ok()
}

/// The key identifier of RFC 5280 §4.2.1.2 (1): SHA-1 over the key's bits.
pub fn key_identifier(spki: &[u8]) -> Option<Vec<u8>> {
    key_bits(spki).map(|bits| crate::crypto::sha1_identifier(bits).to_vec())
}
