//! Certificate revocation lists (RFC 5280 §5): the whole list in memory, an index of a few octets for each entry.
//!
//! What a list says of a certificate and whether its silence means anything is judged in `path::revocation`.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::extension::each_extension;
use super::name::Name;
use super::point::{DistributionPoint, PointName, Reasons};
use crate::algorithm::{AlgorithmIdentifier, Signature};
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::time::Time;
use crate::asn1::{Malformed, Oid, oid, tag};
use crate::crypto::{self, PublicKey, Unverified};

/// A list larger than this is refused unread, in octets.
pub const CRL_LIMIT: usize = 64 * 1024 * 1024;

/// Why a certificate was taken back (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Reason {
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    RemoveFromCrl,
    PrivilegeWithdrawn,
    AaCompromise,
}

impl Reason {
    const ALL: [(u8, Self, &'static str); 10] = [
        (0, Self::Unspecified, "unspecified"),
        (1, Self::KeyCompromise, "keyCompromise"),
        (2, Self::CaCompromise, "cACompromise"),
        (3, Self::AffiliationChanged, "affiliationChanged"),
        (4, Self::Superseded, "superseded"),
        (5, Self::CessationOfOperation, "cessationOfOperation"),
        (6, Self::CertificateHold, "certificateHold"),
        (8, Self::RemoveFromCrl, "removeFromCRL"),
        (9, Self::PrivilegeWithdrawn, "privilegeWithdrawn"),
        (10, Self::AaCompromise, "aACompromise"),
    ];

    /// The standard's number.
    pub fn number(self) -> u8 {
        Self::ALL.into_iter().find(|(_, reason, _)| *reason == self).map_or(0, |(number, ..)| number)
    }

    /// The standard's name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, reason, _)| *reason == self).map_or("unspecified", |(.., name)| name)
    }

    /// The reason of this name, in any case of letters.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(.., known)| known.eq_ignore_ascii_case(name)).map(|(_, reason, _)| reason)
    }

    /// The reason of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, ..)| *known == number).map(|(_, reason, _)| reason)
    }
}

/// The entry of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The revocation date.
    pub when: Time,
    /// The reason, if the list tells; an unknown number is [`Reason::Unspecified`].
    pub reason: Option<Reason>,
}

/// A revocation list as it was read; cheap to clone. Its signature has not been checked.
#[derive(Clone)]
pub struct Crl {
    raw: Arc<Vec<u8>>,
    signed: Range<usize>,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
    issuer: Name,
    this_update: Time,
    next_update: Option<Time>,
    number: Option<Vec<u8>>,
    base: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    unknown_critical: Option<Oid>,
    scope: Scope,
    freshest: Vec<DistributionPoint>,
    /// The names in `certificateIssuer`, where they stand in `raw`.
    issuers: Vec<Range<usize>>,
    /// Sorted by serial number.
    entries: Arc<Vec<Entry>>,
    fingerprint: [u8; 32],
}

/// The issuing distribution point (RFC 5280 §5.2.5): what a list is about.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scope {
    /// The place that the list belongs to.
    pub point: Option<PointName>,
    /// Certificates of users alone.
    pub only_users: bool,
    /// Certificates of CAs alone.
    pub only_authorities: bool,
    /// Attribute certificates alone.
    pub only_attributes: bool,
    /// These reasons alone.
    pub reasons: Option<Reasons>,
    /// Certificates of other issuers, too.
    pub indirect: bool,
}

/// Where the serial number stands in `raw`, and what the list says of it.
#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    length: u16,
    reason: Option<Reason>,
    /// In `issuers`, from 1; 0 is the list's own issuer.
    issuer: u32,
    when: Time,
}

impl Entry {
    fn serial<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        raw.get(start..start.saturating_add(usize::from(self.length))).unwrap_or_default()
    }
}

impl Crl {
    /// Reads a list.
    ///
    /// ```asn1
    /// TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name,
    ///     thisUpdate Time, nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF SEQUENCE {
    ///         userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL } OPTIONAL,
    ///     crlExtensions [0] EXPLICIT Extensions OPTIONAL }
    /// ```
    ///
    /// # Errors
    /// It is larger than [`CRL_LIMIT`] or malformed.
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        let mut list = Self::read(raw)?;
        list.raw = Arc::new(raw.to_vec());
        Ok(list)
    }

    /// As [`Crl::parse`], of octets that are given away: a long list is then held once.
    ///
    /// # Errors
    /// As [`Crl::parse`].
    pub fn of(raw: Vec<u8>) -> Result<Self, Malformed> {
        let mut list = Self::read(&raw)?;
        list.raw = Arc::new(raw);
        Ok(list)
    }

    /// Everything but the octets themselves, which the caller puts in.
    fn read(raw: &[u8]) -> Result<Self, Malformed> {
        if raw.len() > CRL_LIMIT {
            return Err(Malformed::new("a revocation list is larger than 64 MiB"));
        }
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "a revocation list is not a SEQUENCE")?.inside();
        let signed = outer.expect(tag::SEQUENCE, "a revocation list has no TBSCertList")?;
        let outer_algorithm = AlgorithmIdentifier::parse(&outer.element()?)?;
        // Bits that do not fill their octets are no signature: such a list is read, and verifies by no key.
        let signature = outer.expect(tag::BIT_STRING, "a revocation list has no signature")?.value;
        let signature = der::whole_bits(signature).unwrap_or_default();
        outer.finish()?;

        let mut fields = signed.inside();
        let version = if fields.peek() == Some(tag::INTEGER) { fields.small()? } else { 0 };
        if version > 1 {
            return Err(Malformed::new("a revocation list is of an unknown version"));
        }
        let algorithm = AlgorithmIdentifier::parse(&fields.element()?)?;
        // RFC 5280 §5.1.1.2: both fields MUST contain the same algorithm identifier.
        if algorithm != outer_algorithm {
            return Err(Malformed::new("a revocation list names two different signature algorithms"));
        }
        let issuer = Name::parse(&fields.element()?)?;
        let this_update = Time::from_der(&fields.element()?)?;
        let next_update = match fields.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(Time::from_der(&fields.element()?)?),
            _ => None,
        };
        let mut out = Self {
            raw: Arc::default(),
            signed: range_in(raw, signed.raw),
            algorithm,
            signature: signature.to_vec(),
            issuer,
            this_update,
            next_update,
            number: None,
            base: None,
            authority_key_id: None,
            unknown_critical: None,
            scope: Scope::default(),
            freshest: Vec::new(),
            issuers: Vec::new(),
            entries: Arc::default(),
            fingerprint: crypto::sha256(raw),
        };
        if let Some(list) = fields.optional(tag::SEQUENCE)? {
            out.read_entries(raw, list.inside())?;
        }
        if let Some(wrapped) = fields.optional(tag::context_constructed(0))? {
            // RFC 5280 §5.1.2.1: a list with extensions MUST be of version 2.
            if version == 0 {
                return Err(Malformed::new("a revocation list has extensions but is not version 2"));
            }
            out.read_extensions(&Der::only(wrapped.value)?)?;
        }
        fields.finish()?;
        // RFC 5280 §5.3.3: entries for other issuers stand on indirect lists alone.
        if !out.issuers.is_empty() && !out.scope.indirect {
            out.unknown_critical = Some(oid::CERTIFICATE_ISSUER);
        }
        Ok(out)
    }

    /// Whose list it says it is.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// When it was made.
    pub fn this_update(&self) -> Time {
        self.this_update
    }

    /// When the next one is due.
    pub fn next_update(&self) -> Option<Time> {
        self.next_update
    }

    /// The magnitude of its CRL number, if it has one.
    pub fn number(&self) -> Option<&[u8]> {
        self.number.as_deref()
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Has it no entry?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The whole list as it came.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// A delta list: the number of the list to which it adds (RFC 5280 §5.2.4), its magnitude.
    pub fn base(&self) -> Option<&[u8]> {
        self.base.as_deref()
    }

    /// Key identifier of the authority key identifier.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key_id.as_deref()
    }

    /// What it is about.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where delta lists to it stand (RFC 5280 §5.2.6).
    pub fn freshest_points(&self) -> &[DistributionPoint] {
        &self.freshest
    }

    /// A critical extension, of the list or of an entry, that is not understood: then its silence means nothing (RFC
    /// 5280 §5.2, §5.3).
    pub fn unknown_critical(&self) -> Option<Oid> {
        self.unknown_critical
    }

    /// SHA-256 over the whole list.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Compares the CRL numbers of two lists; `None` if one of them has none.
    pub fn compare_number(&self, other: &[u8]) -> Option<Ordering> {
        let own = self.number()?;
        Some(own.len().cmp(&other.len()).then_with(|| own.cmp(other)))
    }

    /// The entry of a certificate: of this serial number (the contents octets of its INTEGER), by this issuer. Of
    /// several the one that weighs most: a compromised key, then the earliest, `removeFromCRL` last. Bounded by the
    /// logarithm of the list's length, and by how often a serial number recurs.
    pub fn entry(&self, serial: &[u8], issuer: &Name) -> Option<Revoked> {
        let serial = der::minimal(serial);
        let start = self.entries.partition_point(|entry| entry.serial(&self.raw) < serial);
        let same =
            self.entries.get(start..).unwrap_or_default().iter().take_while(|entry| entry.serial(&self.raw) == serial);
        let own = self.issuer == *issuer;
        let about = |entry: &&Entry| match entry.issuer {
            0 => own,
            number => self.issuer_of_entry(number).is_some_and(|name| name == *issuer),
        };
        same.filter(about).map(|entry| Revoked { when: entry.when, reason: entry.reason }).min_by_key(|entry| {
            (entry.reason == Some(Reason::RemoveFromCrl), entry.reason != Some(Reason::KeyCompromise), entry.when)
        })
    }

    /// The entries in the order of their serial numbers: the contents octets of the number, what is said of it, and whose
    /// certificate it is where it is not the list's own issuer's.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], Revoked, Option<Name>)> {
        self.entries.iter().map(|entry| {
            let revoked = Revoked { when: entry.when, reason: entry.reason };
            (entry.serial(&self.raw), revoked, self.issuer_of_entry(entry.issuer))
        })
    }

    /// How it is signed.
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        &self.algorithm
    }

    fn issuer_of_entry(&self, number: u32) -> Option<Name> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        Name::from_der(self.raw.get(self.issuers.get(place)?.clone())?).ok()
    }

    /// Verifies the signature on this list with the issuer's key.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_signature(&self, issuer: &PublicKey) -> Result<Signature, Unverified> {
        let algorithm =
            Signature::from_identifier(&self.algorithm, None).ok().flatten().ok_or(Unverified::Unsupported)?;
        let signed = self.raw.get(self.signed.clone()).ok_or(Unverified::Wrong)?;
        issuer.verify(algorithm, signed, &self.signature)?;
        Ok(algorithm)
    }

    fn read_entries(&mut self, raw: &[u8], mut list: Der<'_>) -> Result<(), Malformed> {
        let mut issuer = 0u32;
        let mut entries = Vec::new();
        while !list.is_empty() {
            let mut entry = list.expect(tag::SEQUENCE, "an entry of a revocation list is not a SEQUENCE")?.inside();
            let serial = entry.expect(tag::INTEGER, "an entry of a revocation list has no serial number")?;
            let when = Time::from_der(&entry.element()?)?;
            let mut reason = None;
            if let Some(extensions) = entry.optional(tag::SEQUENCE)? {
                let named;
                (reason, named) = self.read_entry_extensions(raw, &extensions)?;
                if let Some(named) = named {
                    // RFC 5280 §5.3.3: it holds for the entries behind it, too.
                    if self.issuers.last().and_then(|last| raw.get(last.clone())) != raw.get(named.clone()) {
                        self.issuers.push(named);
                    }
                    issuer = u32::try_from(self.issuers.len()).unwrap_or(u32::MAX);
                }
            }
            entry.finish()?;
            // Told in more octets than it needs, it is the same number: an entry must not be missed for that.
            let place = range_in(raw, der::minimal(serial.value));
            let (Ok(start), Ok(length)) = (u32::try_from(place.start), u16::try_from(place.len())) else {
                return Err(Malformed::new("a serial number in a revocation list is longer than any may be"));
            };
            entries.push(Entry { start, length, reason, issuer, when });
        }
        entries.sort_by(|one, other| one.serial(raw).cmp(other.serial(raw)));
        self.entries = Arc::new(entries);
        Ok(())
    }

    /// The reason, and where the name of the certificate's issuer stands.
    fn read_entry_extensions(
        &mut self,
        raw: &[u8],
        list: &Tlv<'_>,
    ) -> Result<(Option<Reason>, Option<Range<usize>>), Malformed> {
        let (mut reason, mut issuer) = (None, None);
        each_extension(list, |id, critical, value| {
            match id {
                oid::REASON_CODE => {
                    let code = Der::only(value)?.of(tag::ENUMERATED, "a revocation reason is not ENUMERATED")?;
                    let code = match code.value {
                        [code] => Reason::from_number(*code),
                        _ => None,
                    };
                    reason = Some(code.unwrap_or(Reason::Unspecified));
                }
                oid::CERTIFICATE_ISSUER => {
                    let mut names =
                        Der::only(value)?.of(tag::SEQUENCE, "a certificate issuer is not a SEQUENCE")?.inside();
                    while !names.is_empty() {
                        let name = names.element()?;
                        if name.tag == tag::context_constructed(4) {
                            issuer = Some(range_in(raw, name.value));
                        }
                    }
                    if issuer.is_none() {
                        self.unknown_critical = Some(id);
                    }
                }
                _ if critical => self.unknown_critical = Some(id),
                _ => {}
            }
            Ok(())
        })?;
        Ok((reason, issuer))
    }

    fn read_extensions(&mut self, list: &Tlv<'_>) -> Result<(), Malformed> {
        each_extension(list, |id, critical, value| {
            match id {
                // RFC 5280 §5.2.3: it MUST NOT be critical.
                oid::CRL_NUMBER if !critical => self.number = Some(Der::new(value).unsigned()?.to_vec()),
                oid::DELTA_CRL_INDICATOR => self.base = Some(Der::new(value).unsigned()?.to_vec()),
                oid::ISSUING_DISTRIBUTION_POINT => self.scope = Scope::parse(&Der::only(value)?)?,
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    let mut inside =
                        Der::only(value)?.of(tag::SEQUENCE, "an authority key identifier is not a SEQUENCE")?.inside();
                    self.authority_key_id = inside.optional(tag::context(0))?.map(|id| id.value.to_vec());
                }
                // It only says where more can be fetched: one that cannot be read says nothing.
                oid::FRESHEST_CRL if !critical => self.freshest = DistributionPoint::list(value).unwrap_or_default(),
                _ if critical => self.unknown_critical = Some(id),
                _ => {}
            }
            Ok(())
        })
    }
}

impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({}, {}, {} entries)", self.issuer, self.this_update, self.entries.len())
    }
}

impl Scope {
    fn parse(element: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut inside = element.of(tag::SEQUENCE, "an issuing distribution point is not a SEQUENCE")?.inside();
        let point = inside.optional(tag::context_constructed(0))?.map(|name| PointName::parse(&name)).transpose()?;
        let only_users = flag(&mut inside, 1)?;
        let only_authorities = flag(&mut inside, 2)?;
        let reasons = inside.optional(tag::context(3))?.map(|reasons| Reasons::from_bits(reasons.value)).transpose()?;
        let indirect = flag(&mut inside, 4)?;
        let only_attributes = flag(&mut inside, 5)?;
        inside.finish()?;
        Ok(Self { point, only_users, only_authorities, only_attributes, reasons, indirect })
    }
}

fn flag(inside: &mut Der<'_>, number: u8) -> Result<bool, Malformed> {
    match inside.optional(tag::context(number))?.map(|flag| flag.value) {
        // A default that is written is not DER, but says the same.
        None | Some([0]) => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(der::BOOLEAN),
    }
}

/// Where `part`, a slice of `whole`, stands in it.
fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}
