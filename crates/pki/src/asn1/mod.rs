//! ASN.1: a strict DER reader over slices, BER headers for the pull reader of `smime::cms`, a DER writer, the object
//! identifiers, and time.

pub mod ber;
pub mod der;
mod object_identifier;
pub mod oid;
pub mod time;
pub mod write;

pub use object_identifier::{OID_LIMIT, Oid};

/// Why some bytes are not the ASN.1 that they should be. Bad bytes are a finding about the input, never a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Malformed {
    /// What was wrong, in the words of the standard.
    pub what: &'static str,
}

impl Malformed {
    /// Names what is wrong.
    pub const fn new(what: &'static str) -> Self {
        Self { what }
    }
}

/// Identifier octets used here (X.690 §8.1.2), class and form included.
pub mod tag {
    #![allow(missing_docs, reason = "the names are those of X.680")]
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const ENUMERATED: u8 = 0x0a;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    pub const CONSTRUCTED_OCTET_STRING: u8 = 0x24;
    /// The bit that says that elements stand inside.
    pub const CONSTRUCTED: u8 = 0x20;

    /// `[n]`, primitive.
    pub const fn context(number: u8) -> u8 {
        0x80 | (number & 0x1f)
    }

    /// `[n]`, constructed.
    pub const fn context_constructed(number: u8) -> u8 {
        0xa0 | (number & 0x1f)
    }
}
