//! MIME by byte ranges (RFC 2045-2049): one strict reading, and a finding where two readings are possible.

pub mod address;
pub mod canonical;
pub mod charset;
pub mod edit;
pub mod encoding;
pub mod header;
pub mod lines;
pub mod mbox;
pub mod parameter;
pub mod scan;
mod word;

/// The octet that two hexadecimal digits stand for.
fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}
