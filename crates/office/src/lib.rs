//! The only stateful library: store, key vault, own CA, gathering of evidence, policy.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod spool;
