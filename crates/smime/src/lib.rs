//! Exact bytes in, layers and findings out.
//!
//! Opens no file, socket or clock: a message comes as [`octets::Octets`], time as an argument, randomness from the
//! caller.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod octets;
