//! The only stateful library: store, key vault, own CA, gathering of evidence and of keys in files, what becomes of
//! outbound and of inbound mail, what the next hop has taken, the log of what was done.
//!
//! Read in this order: [`fault`], [`spool`], [`store`], [`audit`], [`transfer`], [`vault`], [`authority`], [`trust`],
//! [`evidence`],
//! [`holder`], [`policy`], [`directory`], [`outgoing`], [`fields`],
//! [`remembered`], [`incoming`], [`journal`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod audit;
pub mod authority;
mod batch;
pub mod deploy;
pub mod directory;
pub mod enrolment;
pub mod evidence;
pub mod fault;
pub mod fields;
pub mod holder;
pub mod incoming;
pub mod jobs;
pub mod journal;
pub mod lifecycle;
pub mod members;
pub mod outgoing;
pub mod policy;
pub mod remembered;
pub mod spool;
pub mod store;
pub mod transfer;
pub mod trust;
pub mod vault;
