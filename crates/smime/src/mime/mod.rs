//! MIME by byte ranges (RFC 2045-2049): one strict reading, and a finding where two readings are possible.

pub mod address;
pub mod canonical;
pub mod charset;
pub mod encoding;
pub mod header;
pub mod lines;
pub mod mbox;
pub mod parameter;
pub mod scan;
mod word;
