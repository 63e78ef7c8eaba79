//! Certificates and proofs: ASN.1, the algorithm table, keys, X.509, path building and validation, revocation
//! judgement, who a certificate vouches for, and the making of certificates.
//!
//! Knows nothing of mail but addresses. Opens no file, socket or clock; time is an argument. Randomness comes from the
//! caller, but for what the crypto library draws inside one operation ([`crypto`]).
//!
//! Read in this order: [`asn1`], [`algorithm`], [`crypto`], [`address`], [`cert`], [`path`], [`identity`],
//! [`roots`], [`issue`].

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

pub mod address;
pub mod algorithm;
pub mod asn1;
pub mod cert;
pub mod crypto;
pub mod identity;
pub mod issue;
pub mod path;
pub mod roots;
