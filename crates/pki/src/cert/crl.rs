//! Certificate revocation lists (RFC 5280 §5): the whole list in memory, an index of a few octets for each entry.
//!
//! What a list cannot say is part of what it says: [`Crl::covers`] tells whether the absence of an entry means "good".

use std::ops::Range;

use super::Certificate;
use super::extension::EXTENSION_LIMIT;
use super::name::{GeneralName, Name};
use crate::algorithm::{AlgorithmIdentifier, Signature};
use crate::asn1::der::{self, Der, Tlv};
use crate::asn1::time::Time;
use crate::asn1::{Malformed, Oid, oid, tag};
use crate::crypto::{PublicKey, Unverified};

/// A list larger than this is refused unread, in octets.
pub const CRL_LIMIT: usize = 64 * 1024 * 1024;

/// Why a certificate was taken back (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
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

    fn from_number(number: u8) -> Option<Self> {
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

/// Why the absence of an entry does not mean "good".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// It lists only changes since another list.
    #[error("it is a delta list")]
    Delta,
    /// It lists certificates of other issuers too.
    #[error("it is an indirect list")]
    Indirect,
    /// It lists only revocations for some reasons.
    #[error("it holds only some reasons")]
    SomeReasons,
    /// It lists only another kind of certificate.
    #[error("it is for {0} only")]
    OtherKind(&'static str),
    /// It belongs to a distribution point that the certificate does not name.
    #[error("it is for another distribution point")]
    OtherPoint,
    /// It has a critical extension that is not understood (RFC 5280 §5.2, §5.3).
    #[error("it has the critical extension {0}, which is not understood")]
    UnknownCritical(Oid),
}

/// A revocation list as it was read. Its signature has not been checked.
#[derive(Clone)]
pub struct Crl {
    raw: Vec<u8>,
    signed: Range<usize>,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
    issuer: Name,
    this_update: Time,
    next_update: Option<Time>,
    number: Option<Vec<u8>>,
    delta: bool,
    unknown_critical: Option<Oid>,
    scope: Scope,
    /// Sorted by serial number.
    entries: Vec<Entry>,
}

/// The issuing distribution point (RFC 5280 §5.2.5).
#[derive(Clone, Default)]
struct Scope {
    has_point: bool,
    urls: Vec<String>,
    only_users: bool,
    only_authorities: bool,
    only_attributes: bool,
    some_reasons: bool,
    indirect: bool,
}

/// Where the serial number stands in `raw`, and what the list says of it.
#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    length: u16,
    reason: Option<Reason>,
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
        if raw.len() > CRL_LIMIT {
            return Err(Malformed::new("a revocation list is larger than 64 MiB"));
        }
        let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "a revocation list is not a SEQUENCE")?.inside();
        let signed = outer.expect(tag::SEQUENCE, "a revocation list has no TBSCertList")?;
        let outer_algorithm = AlgorithmIdentifier::parse(&outer.element()?)?;
        let signature = der::whole_bits(outer.expect(tag::BIT_STRING, "a revocation list has no signature")?.value)?;
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
            raw: raw.to_vec(),
            signed: range_in(raw, signed.raw),
            algorithm,
            signature: signature.to_vec(),
            issuer,
            this_update,
            next_update,
            number: None,
            delta: false,
            unknown_critical: None,
            scope: Scope::default(),
            entries: Vec::new(),
        };
        if let Some(list) = fields.optional(tag::SEQUENCE)? {
            out.read_entries(raw, list.inside())?;
        }
        if let Some(wrapped) = fields.optional(tag::context_constructed(0))? {
            out.read_extensions(&Der::only(wrapped.value)?)?;
        }
        fields.finish()?;
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

    /// The entry of a serial number (the contents octets of its INTEGER). Of several the one that weighs most: a
    /// compromised key, then the earliest, `removeFromCRL` last.
    pub fn revoked(&self, serial: &[u8]) -> Option<Revoked> {
        let start = self.entries.partition_point(|entry| entry.serial(&self.raw) < serial);
        let same =
            self.entries.get(start..).unwrap_or_default().iter().take_while(|entry| entry.serial(&self.raw) == serial);
        same.map(|entry| Revoked { when: entry.when, reason: entry.reason }).min_by_key(|entry| {
            (entry.reason == Some(Reason::RemoveFromCrl), entry.reason != Some(Reason::KeyCompromise), entry.when)
        })
    }

    /// Do its entries speak of certificates of this issuer, beyond doubt?
    pub fn entries_count(&self) -> bool {
        !self.scope.indirect && self.unknown_critical.is_none()
    }

    /// Does the absence of an entry mean that this certificate of the same issuer is good?
    ///
    /// # Errors
    /// Why it does not.
    pub fn covers(&self, certificate: &Certificate) -> Result<(), Limit> {
        let scope = &self.scope;
        if let Some(unknown) = self.unknown_critical {
            return Err(Limit::UnknownCritical(unknown));
        }
        if self.delta {
            return Err(Limit::Delta);
        }
        if scope.indirect {
            return Err(Limit::Indirect);
        }
        if scope.some_reasons {
            return Err(Limit::SomeReasons);
        }
        let is_ca = certificate.extensions().basic_constraints.is_some_and(|basic| basic.ca);
        if scope.only_attributes {
            return Err(Limit::OtherKind("attribute certificates"));
        }
        if scope.only_users && is_ca {
            return Err(Limit::OtherKind("end entities"));
        }
        if scope.only_authorities && !is_ca {
            return Err(Limit::OtherKind("certificate authorities"));
        }
        // RFC 5280 §6.3.3 b 2 i: one of the names in both.
        let named = scope.urls.iter().any(|url| certificate.extensions().crl_urls.contains(url));
        if scope.has_point && !named { Err(Limit::OtherPoint) } else { Ok(()) }
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
        while !list.is_empty() {
            let mut entry = list.expect(tag::SEQUENCE, "an entry of a revocation list is not a SEQUENCE")?.inside();
            let serial = entry.expect(tag::INTEGER, "an entry of a revocation list has no serial number")?;
            let when = Time::from_der(&entry.element()?)?;
            let reason = match entry.optional(tag::SEQUENCE)? {
                Some(extensions) => self.read_entry_extensions(&extensions)?,
                None => None,
            };
            entry.finish()?;
            let place = range_in(raw, serial.value);
            let (Ok(start), Ok(length)) = (u32::try_from(place.start), u16::try_from(place.len())) else {
                return Err(Malformed::new("a serial number in a revocation list is longer than any may be"));
            };
            self.entries.push(Entry { start, length, reason, when });
        }
        self.entries.sort_by(|one, other| one.serial(raw).cmp(other.serial(raw)));
        Ok(())
    }

    fn read_entry_extensions(&mut self, list: &Tlv<'_>) -> Result<Option<Reason>, Malformed> {
        let mut reason = None;
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
                // RFC 5280 §5.3.3: the entries from here on are another issuer's.
                oid::CERTIFICATE_ISSUER => self.scope.indirect = true,
                _ if critical => self.unknown_critical = Some(id),
                _ => {}
            }
            Ok(())
        })?;
        Ok(reason)
    }

    fn read_extensions(&mut self, list: &Tlv<'_>) -> Result<(), Malformed> {
        each_extension(list, |id, critical, value| {
            match id {
                oid::CRL_NUMBER => self.number = Some(Der::new(value).unsigned()?.to_vec()),
                oid::DELTA_CRL_INDICATOR => self.delta = true,
                oid::ISSUING_DISTRIBUTION_POINT => {
                    let indirect = self.scope.indirect;
                    self.scope = Scope::parse(&Der::only(value)?)?;
                    self.scope.indirect |= indirect;
                }
                oid::AUTHORITY_KEY_IDENTIFIER => {}
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
        let mut out = Self::default();
        if let Some(point) = inside.optional(tag::context_constructed(0))? {
            out.has_point = true;
            if let Some(full) = point.inside().optional(tag::context_constructed(0))? {
                let mut names = full.inside();
                while !names.is_empty() {
                    if let GeneralName::Uri(url) = GeneralName::parse(&names.element()?)? {
                        out.urls.push(url);
                    }
                }
            }
        }
        out.only_users = flag(&mut inside, 1)?;
        out.only_authorities = flag(&mut inside, 2)?;
        out.some_reasons = inside.optional(tag::context(3))?.is_some();
        out.indirect = flag(&mut inside, 4)?;
        out.only_attributes = flag(&mut inside, 5)?;
        inside.finish()?;
        Ok(out)
    }
}

fn flag(inside: &mut Der<'_>, number: u8) -> Result<bool, Malformed> {
    // A default that is written is not DER, but says the same.
    Ok(inside.optional(tag::context(number))?.is_some_and(|flag| flag.value != [0]))
}

fn each_extension(
    list: &Tlv<'_>,
    mut read: impl FnMut(Oid, bool, &[u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut list = list.of(tag::SEQUENCE, "the extensions of a revocation list are not a SEQUENCE")?.inside();
    let mut seen: Vec<Oid> = Vec::new();
    while !list.is_empty() {
        let mut extension = list.expect(tag::SEQUENCE, "an extension is not a SEQUENCE")?.inside();
        let id = extension.oid()?;
        let critical = if extension.peek() == Some(tag::BOOLEAN) { extension.boolean()? } else { false };
        let value = extension.expect(tag::OCTET_STRING, "an extension has no value")?.value;
        extension.finish()?;
        if seen.contains(&id) || seen.len() >= EXTENSION_LIMIT {
            return Err(Malformed::new("a revocation list has the same extension twice, or more than 100"));
        }
        seen.push(id);
        read(id, critical, value)?;
    }
    Ok(())
}

/// Where `part`, a slice of `whole`, stands in it.
fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}
