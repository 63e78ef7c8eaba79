//! Checkpoints: entries of the log that sign it up to the entry before them.
//!
//! A chain alone can be written anew by whoever owns the store. He does not have the private key of the log, which is
//! sealed; so whoever noted its public key once, elsewhere, sees from then on that all up to the last checkpoint is what
//! was there when it was signed, and whoever noted a checkpoint, that nothing was cut off before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::algorithm::{Digest, Signature};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::pem;
use kakitome_pki::crypto::{PublicKey, SigningKey, sha256};
use serde::{Deserialize, Serialize};

use super::chain::{Head, Link, Record};
use super::{Act, Actor, Entry, read, record};
use crate::fault::Fault;
use crate::store::Store;

/// What the signed text begins with: another form would begin with another text.
const FORM: &str = "kakitome-checkpoint-1";
/// The subject of every checkpoint: the log itself.
pub(super) const SUBJECT: &str = "log";
/// How all of them are signed; the keys are P-256.
const ALGORITHM: Signature = Signature::Ecdsa(Digest::Sha256);

/// What an entry that is a checkpoint says; its signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last entry that is signed.
    pub signed: Head,
    /// When.
    pub at: Time,
    /// The hash of the checkpoint's own entry.
    pub hash: Link,
    /// SHA-256 over the SubjectPublicKeyInfo of the key.
    pub key: Link,
    spki: Vec<u8>,
}

/// A checkpoint whose signature is not that of what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsigned;

#[derive(Serialize, Deserialize)]
struct Details {
    key: String,
    signature: String,
}

impl Checkpoint {
    /// What a record says as a checkpoint; `None` where it is another act's.
    pub fn of(record: &Record) -> Option<Result<Self, Unsigned>> {
        (record.act == Act::LogSigned.name()).then(|| Self::verified(record).ok_or(Unsigned))
    }

    fn verified(record: &Record) -> Option<Self> {
        let details: Details = serde_json::from_str(&record.details).ok()?;
        let (spki, signature) = (STANDARD.decode(details.key).ok()?, STANDARD.decode(details.signature).ok()?);
        let signed = Head { number: record.number.checked_sub(1)?, hash: record.previous };
        let key = PublicKey::parse(&spki).ok()?;
        key.verify(ALGORITHM, statement(signed, record.at).as_bytes(), &signature).ok()?;
        Some(Self { signed, at: record.at, hash: record.hash, key: Link(sha256(&spki)), spki })
    }

    /// The public key in PEM, as OpenSSL reads it.
    pub fn public_key(&self) -> String {
        pem::write("PUBLIC KEY", &self.spki)
    }
}

/// The octets that are signed: four lines (docs/audit.md).
fn statement(signed: Head, at: Time) -> String {
    format!("{FORM}\n{}\n{}\n{at}\n", signed.number, signed.hash)
}

/// Signs the log up to its head with a P-256 key, in an entry of its own; `None` where nothing was recorded since the
/// last checkpoint.
///
/// # Errors
/// The store refuses.
pub fn sign(store: &Store, key: &SigningKey, actor: &Actor, at: Time) -> Result<Option<Head>, Fault> {
    store.write(|s| {
        let head = read::stored(s)?;
        let act = s.row("SELECT act FROM audit WHERE number = ?1", &[&read::signed(head.number)], |row| row.text(0))?;
        if act.is_none_or(|act| act == Act::LogSigned.name()) {
            return Ok(None);
        }
        let signature = key.sign(ALGORITHM, statement(head, at).as_bytes()).map_err(Fault::bug)?;
        let (spki, signature) = (STANDARD.encode(key.spki()), STANDARD.encode(signature));
        let details = [("key", spki.as_str()), ("signature", signature.as_str())];
        record(s, &Entry { actor, act: Act::LogSigned, subject: SUBJECT, details: &details, at }).map(Some)
    })
}
