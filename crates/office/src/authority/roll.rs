//! The certificates of a member as they are listed, for readers that hold no key: which one signs, and why not the others.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;

use super::{is_due, member, parse};
use crate::fault::Fault;
use crate::store::{Role, Store};

/// A certificate of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// Valid from.
    pub from: Time,
    /// Valid until.
    pub until: Time,
    /// What it is good for now.
    pub standing: Standing,
}

/// What a member's certificate is good for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It signs the next mail.
    Signs,
    /// Two thirds of its life are over: the next mail makes a new one, and this one signs only if that fails.
    Due,
    /// A newer one signs.
    Older,
    /// It is not valid now.
    NotValid,
    /// It was recorded, and never signed by the CA.
    Unfinished,
}

/// The certificates of an address, that which counts first. Without one that signs, the next mail makes one.
///
/// # Errors
/// The store fails or is damaged.
pub fn certificates(store: &Store, address: &Address, now: Time) -> Result<Vec<Listed>, Fault> {
    let Some(issuing) = store.authority(Role::Issuing)? else { return Ok(Vec::new()) };
    let issuing = parse(store, &issuing.certificate)?;
    let rows = store.certificates(&member(address)?.to_string())?;
    let listed = rows.into_iter().enumerate().map(|(at, row)| {
        let standing = if !row.is_issued {
            Standing::Unfinished
        } else if !(row.not_before..=row.not_after).contains(&now) {
            Standing::NotValid
        } else if at > 0 {
            // The credential is the first, whatever it is worth.
            Standing::Older
        } else if is_due(row.not_before, row.not_after, &issuing, now) {
            Standing::Due
        } else {
            Standing::Signs
        };
        Listed { serial: row.serial, from: row.not_before, until: row.not_after, standing }
    });
    Ok(listed.collect())
}
