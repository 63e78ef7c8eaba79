//! What can be wrong with a certificate by itself, before anybody asks who issued it: forms that are not DER, fields that
//! RFC 5280 forbids, keys that are none.

macro_rules! flaws {
    ($($(#[doc = $what:literal])+ $variant:ident $code:literal $weight:ident,)*) => {
        /// What is wrong with a certificate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Flaw {
            $($(#[doc = $what])+ $variant,)*
        }

        impl Flaw {
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

            /// Is such a certificate not read at all, so that it counts for nothing?
            pub const fn is_refused(self) -> bool {
                match self { $(Self::$variant => flaws!(@ $weight),)* }
            }
        }
    };
    (@ refused) => { true };
    (@ told) => { false };
}

flaws! {
    /// It ends before its end.
    Cut "der.cut" refused,
    /// Octets follow behind its end.
    Trailing "der.trailing" refused,
    /// An indefinite length, where DER demands a definite one.
    Indefinite "der.indefinite" refused,
    /// A length in more octets than it needs.
    Length "der.length" refused,
    /// A BOOLEAN that is neither 00 nor FF.
    Boolean "der.boolean" refused,
    /// An INTEGER in more octets than it needs.
    Integer "der.integer" told,
    /// A default that DER leaves out is written.
    DefaultWritten "der.default" told,
    /// The elements of a SET are not in the order of DER.
    SetOrder "der.set-order" told,
    /// A field is missing, or another stands in its place.
    Structure "cert.structure" refused,
    /// It is larger than 256 KiB.
    TooLarge "cert.too-large" refused,
    /// A version that does not exist, or the first one written out.
    Version "cert.version" refused,
    /// Extensions in a certificate that is not of version 3.
    ExtensionsVersion "cert.extensions-version" refused,
    /// The serial number is negative.
    SerialNegative "cert.serial-negative" told,
    /// The serial number is zero.
    SerialZero "cert.serial-zero" told,
    /// The serial number is longer than 20 octets.
    SerialLong "cert.serial-long" told,
    /// Two different signature algorithms are named.
    AlgorithmsDiffer "cert.algorithms-differ" refused,
    /// The signature algorithm has parameters where it must have none, or none where they must be NULL.
    AlgorithmParameters "cert.algorithm-parameters" told,
    /// The signature's bits do not fill their octets.
    SignatureBits "cert.signature-bits" refused,
    /// A name is malformed.
    Name "cert.name" refused,
    /// The issuer has no name.
    IssuerEmpty "cert.issuer-empty" told,
    /// The subject has no name, and the alternative names that stand in for it are missing or not critical.
    SubjectEmpty "cert.subject-empty" told,
    /// A time is malformed.
    Time "cert.time" refused,
    /// A time through 2049 that is not written as UTCTime.
    TimeForm "cert.time-form" told,
    /// The validity ends before it begins.
    ValidityReversed "cert.validity" told,
    /// Unique identifiers, which nobody may write.
    UniqueIdentifiers "cert.unique-identifiers" told,
    /// The list of extensions is empty.
    ExtensionsEmpty "cert.extensions-empty" told,
    /// The same extension stands twice.
    ExtensionTwice "cert.extension-twice" refused,
    /// An extension is malformed.
    Extension "cert.extension" refused,
    /// A critical extension that is not known here: such a certificate is on no path.
    ExtensionUnknown "cert.extension-unknown" told,
    /// The list of alternative names is empty.
    NamesEmpty "cert.names-empty" told,
    /// Key usage and basic constraints contradict each other about signing certificates.
    Authority "cert.authority" told,
    /// A path length in a certificate that is no CA's.
    PathLength "cert.path-length" told,
    /// The public key is malformed.
    Key "key.malformed" refused,
    /// An RSA key of more than 8192 bits, which is made to take long.
    KeyHuge "key.huge" refused,
    /// An RSA key of fewer than 2048 bits, which can be broken.
    KeyShort "key.short" told,
    /// The RSA modulus is even: anybody can take it apart.
    KeyEven "key.even" refused,
    /// The RSA modulus has a small factor: anybody can take it apart.
    KeyFactor "key.factor" told,
    /// The public exponent is 1, even, or longer than 64 bits.
    KeyExponent "key.exponent" refused,
    /// The curve is written out instead of named, by which a key can be forged (CVE-2020-0601).
    KeyCurve "key.curve" refused,
    /// The public key is none: its point is not on the curve, or its numbers are out of range. Nothing verifies with it.
    KeyImpossible "key.impossible" told,
    /// The key's algorithm has parameters where it must have none, or none where they must be NULL.
    KeyParameters "key.parameters" told,
    /// A kind of key that is not known here.
    KeyUnknown "key.unknown" told,
}

/// A flaw, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub flaw: Flaw,
    /// Where, or what was seen; may be empty, and may hold text out of the certificate.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_flaw_has_a_code_of_its_own() {
        let codes: BTreeSet<&str> = Flaw::ALL.iter().map(|flaw| flaw.code()).collect();
        assert_eq!(codes.len(), Flaw::ALL.len());
        assert!(Flaw::ALL.iter().all(|flaw| flaw.explain().ends_with('.')));
    }
}
