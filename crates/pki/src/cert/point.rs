//! Distribution points (RFC 5280 §4.2.1.13, §5.2.5): what a certificate says about where its revocation is told, and what
//! a list says about which place it belongs to.

use super::name::{GeneralName, Name};
use crate::asn1::der::{Der, Tlv};
use crate::asn1::{Malformed, tag};

/// How many names one point may have.
pub const NAME_LIMIT: usize = 64;
/// How many points one extension may name.
pub const POINT_LIMIT: usize = 4096;

/// A set of reasons (ReasonFlags, RFC 5280 §4.2.1.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reasons(u16);

impl Reasons {
    /// No reason.
    pub const NONE: Self = Self(0);
    /// Every reason that the standard names, bits 1 to 8.
    pub const ALL: Self = Self(0b0111_1111_1000_0000);

    /// Reads the contents of a BIT STRING; bits that the standard does not name are dropped.
    ///
    /// # Errors
    /// It has no octets, or more than any set of reasons has.
    pub fn from_bits(value: &[u8]) -> Result<Self, Malformed> {
        let bits = match value {
            [0..=7, first] => u16::from_be_bytes([*first, 0]),
            [0..=7, first, second] => u16::from_be_bytes([*first, *second]),
            _ => return Err(Malformed::new("a set of revocation reasons has no bits, or too many")),
        };
        Ok(Self(bits & Self::ALL.0))
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Is every reason of `other` in this set?
    pub const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// DistributionPointName.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointName {
    /// Any of these names.
    Full(Vec<GeneralName>),
    /// One part more than the name of the list's issuer: the contents of a RelativeDistinguishedName.
    Relative(Vec<u8>),
}

impl PointName {
    /// Reads the contents of the field `[0] DistributionPointName`.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(field: &Tlv<'_>) -> Result<Self, Malformed> {
        let choice = Der::only(field.value)?;
        match choice.tag {
            0xa0 => Ok(Self::Full(names(&choice)?)),
            0xa1 => Ok(Self::Relative(choice.value.to_vec())),
            _ => Err(Malformed::new("a distribution point has a name of an unknown form")),
        }
    }

    /// The names, where a relative one stands below `issuer`.
    pub fn resolve(&self, issuer: &Name) -> Vec<GeneralName> {
        match self {
            Self::Full(names) => names.clone(),
            Self::Relative(part) => issuer.extended(part).map(GeneralName::Directory).into_iter().collect(),
        }
    }
}

/// One point of the CRL distribution points extension.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    /// Where.
    pub name: Option<PointName>,
    /// For which reasons; all if it does not say.
    pub reasons: Option<Reasons>,
    /// Whose list, where it is not the certificate issuer's own.
    pub issuers: Vec<Name>,
}

impl DistributionPoint {
    /// Reads one.
    ///
    /// # Errors
    /// It is malformed.
    pub fn parse(point: &Tlv<'_>) -> Result<Self, Malformed> {
        let mut inside = point.of(tag::SEQUENCE, "a distribution point is not a SEQUENCE")?.inside();
        let name = inside.optional(tag::context_constructed(0))?.map(|name| PointName::parse(&name)).transpose()?;
        let reasons = inside.optional(tag::context(1))?.map(|reasons| Reasons::from_bits(reasons.value)).transpose()?;
        let issuers = match inside.optional(tag::context_constructed(2))? {
            Some(issuers) => names(&issuers)?,
            None => Vec::new(),
        };
        inside.finish()?;
        let directory = |name| match name {
            GeneralName::Directory(name) => Some(name),
            _ => None,
        };
        Ok(Self { name, reasons, issuers: issuers.into_iter().filter_map(directory).collect() })
    }

    /// Reads CRLDistributionPoints, which is also what FreshestCRL is (RFC 5280 §4.2.1.13, §4.2.1.15).
    ///
    /// # Errors
    /// It is malformed, or has too many.
    pub fn list(value: &[u8]) -> Result<Vec<Self>, Malformed> {
        let list = Der::only(value)?.of(tag::SEQUENCE, "CRL distribution points are not a SEQUENCE")?;
        let mut inside = list.inside();
        let mut points = Vec::new();
        while !inside.is_empty() {
            if points.len() >= POINT_LIMIT {
                return Err(Malformed::new("there are more than 4096 distribution points"));
            }
            points.push(Self::parse(&inside.element()?)?);
        }
        Ok(points)
    }

    /// The URLs among its names.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        let names = match &self.name {
            Some(PointName::Full(names)) => names.as_slice(),
            _ => &[],
        };
        names.iter().filter_map(|name| match name {
            GeneralName::Uri(url) => Some(url.as_str()),
            _ => None,
        })
    }
}

/// GeneralNames, by whatever tag.
fn names(list: &Tlv<'_>) -> Result<Vec<GeneralName>, Malformed> {
    let mut inside = list.inside();
    let mut names = Vec::new();
    while !inside.is_empty() {
        if names.len() >= NAME_LIMIT {
            return Err(Malformed::new("a distribution point has more than 64 names"));
        }
        names.push(GeneralName::parse(&inside.element()?)?);
    }
    Ok(names)
}
