//! The binary's rooms: faces and wiring. It decides nothing; what it shows was judged by the crates to its left.
//!
//! Read in this order: [`settings`], [`metrics`], [`cli`] (a file for each verb), [`gateway`], [`web`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod cli;
pub mod gateway;
pub mod metrics;
pub mod settings;
pub mod web;
