//! Exact bytes in, layers and findings out.
//!
//! Opens no file, socket or clock: a message comes as [`octets::Octets`], time as an argument, randomness from the
//! caller. Bad mail is not an error: what is wrong with a message is a [`Finding`]; only the environment can fail, and
//! then the error is the [`std::io::Error`] of the octets.
//!
//! Read in this order: [`octets`], [`budget`] (what one message may cost), [`mime`] (structure by byte ranges), [`cms`]
//! (signed, encrypted and compressed objects), [`message`] (a whole mail: opened, shown, signed, encrypted, decrypted).

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

pub mod budget;
pub mod cms;
pub mod dkim;
pub mod message;
pub mod mime;
pub mod octets;

/// Something that is to be said about a message: a stable code, and what it was about.
///
/// The codes are those of the table in `kakitome-verdict`, where each has its sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code, such as `cms.digest`.
    pub code: &'static str,
    /// What exactly, for experts; may hold text of the message and is escaped where it is shown.
    pub detail: String,
}

impl Finding {
    /// A finding with its detail.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}
