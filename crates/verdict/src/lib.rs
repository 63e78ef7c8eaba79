//! Pure judgement: evidence in, one answer out, with reason codes and the sentences for people.
//!
//! Read in this order: [`state`], [`lookup`], [`passage`], [`content`], [`answer`], [`reason`], [`sender`] (the judge of a mail),
//! [`certificate`] (of one certificate by itself), [`shown`] (what a file holds), [`safe`], [`detail`], [`text`], [`wire`].

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod answer;
pub mod certificate;
pub mod content;
pub mod detail;
pub mod lang;
pub mod lookup;
pub mod passage;
pub mod reason;
pub mod safe;
pub mod sender;
pub mod shown;
pub mod state;
pub mod text;
pub mod wire;
