//! What tests are made of: a fixed clock, keys, a certificate factory that also makes what no CA would, one small
//! world of CAs and people, and the mails and signatures that they send and forge. Dev-only, pure data: no file or clock.
//! What stands around a process under test is apart: the [`Server`] that serves lists on loopback, [`smtp`], and the servers
//! of others, [`Postfix`] and [`PostgresqlServer`]. It may panic.
//!
//! Start at [`Pki::get`]; for one odd certificate at [`CertificateFactory`], for one odd signature at
//! [`cms::SignerFactory`], for a mail at [`mail::Mail`].

pub mod archive;
pub mod cms;
pub mod corpus;
pub mod dkim;
mod ecdsa;
pub mod envelope;
mod factory;
pub mod hostile;
mod keys;
mod list;
pub mod mail;
mod number;
mod ocsp;
mod postfix;
mod postgresql;
mod prime;
pub mod recipient;
mod rsa;
mod server;
pub mod smtp;
mod world;
pub mod write;

pub use factory::{Authority, CertificateFactory, Flaw};
pub use keys::{FixedRandom, ed25519_key, key, ml_dsa_key, rsa_key, sign, weak_spki};
pub use list::CrlFactory;
pub use ocsp::{OcspFactory, Says};
pub use postfix::{Postfix, block, wait_for_port};
pub use postgresql::PostgresqlServer;
pub use rsa::{RawRsa, forged_cube};
pub use server::{Asked, Server, Serves};
pub use world::{BANK, Holder, Pki, anchor};

use kakitome_pki::asn1::time::Time;

/// The moment at which every test takes place: 2026-12-01T00:00:00Z.
pub const NOW: Time = Time::from_unix(1_796_083_200);

/// A day, in seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// So many days after [`NOW`], or before it.
pub const fn in_days(days: i64) -> Time {
    NOW.plus(days * DAY)
}
