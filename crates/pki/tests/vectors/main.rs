//! Paths that others made, and what others say of them.
//!
//! `exceptions.toml` holds every answer of ours that differs, with the reason. The corpora stay where they are: in the
//! folder that `KAKITOME_CORPORA` names, else in `shared/corpora` beside the project.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod corpus;
mod limbo;
mod lint;
mod nss;
mod openssl;
mod pkcs12;
mod pkits;
