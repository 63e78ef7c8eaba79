//! Transfer encodings as streams (RFC 2045 §6.7, §6.8): what flows through is never held.

mod base64;
mod quoted;
mod unquoted;
mod view;

pub use base64::{Base64Decoder, Base64Writer, base64_len};
pub use quoted::QuotedPrintableWriter;
pub use unquoted::QuotedPrintableDecoder;
pub use view::{Base64View, VIEW_FROM};
