//! The certificates of a member as they are listed, for readers that hold no key: which one signs, and why not the others.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;

use super::row::{self, Recorded, State};
use super::{OWN, Role, ca, is_due, member};
use crate::fault::Fault;
use crate::store::Store;

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
    /// A newer or better one signs.
    Older,
    /// It is not valid now.
    NotValid,
    /// It was revoked.
    Revoked,
    /// It was recorded, and never signed by the CA.
    Unfinished,
}

/// The certificates of an address that sign, that which counts first. Without one that signs, the next mail makes one.
///
/// # Errors
/// The store fails or is damaged.
pub fn certificates(store: &Store, address: &Address, now: Time) -> Result<Vec<Listed>, Fault> {
    let (cas, rows) = store.read(|s| Ok((ca::all(s)?, row::of_address(s, &member(address)?.to_string())?)))?;
    let issuing = cas.iter().rev().find(|ca| ca.role == Role::Issuing && ca.is_current);
    let ends = issuing.map(|ca| ca.certificate.not_after());
    let mut signs = true;
    let listed = rows.into_iter().filter(|row| row.usage.signs()).map(|row| {
        let standing = match row.state {
            State::Begun | State::Abandoned => Standing::Unfinished,
            State::Revoked => Standing::Revoked,
            State::Issued | State::Imported if !(row.not_before..=row.not_after).contains(&now) => Standing::NotValid,
            // The rows come in the order in which they are preferred: the first that is valid is the credential.
            State::Issued | State::Imported if !std::mem::take(&mut signs) => Standing::Older,
            State::Issued | State::Imported => {
                let due = ends.is_some_and(|ends| is_due(row.not_before, row.not_after, ends, now));
                if due && row.issuer == OWN { Standing::Due } else { Standing::Signs }
            }
        };
        Listed { serial: row.id.serial, from: row.not_before, until: row.not_after, standing }
    });
    Ok(listed.collect())
}

/// Every certificate of an address, of whatever use and state, that which counts first.
///
/// # Errors
/// The store fails or is damaged.
pub fn of_address(store: &Store, address: &Address) -> Result<Vec<Recorded>, Fault> {
    let address = member(address)?.to_string();
    store.read(|s| row::of_address(s, &address))
}

/// Every certificate of this serial number, in hexadecimal; of several CAs there may be several.
///
/// # Errors
/// The store fails or is damaged.
pub fn of_serial(store: &Store, serial: &str) -> Result<Vec<Recorded>, Fault> {
    let serial = serial.trim().to_ascii_lowercase();
    store.read(|s| row::of_serial(s, &serial))
}

/// How many certificates of members a CA of our own has issued that were not taken back.
///
/// # Errors
/// The store fails.
pub fn issued_by(store: &Store, authority: &str) -> Result<usize, Fault> {
    let sql = "SELECT count(*) FROM certificate WHERE authority = ?1 AND state = 'issued'";
    let count = store.read(|s| s.row(sql, &[&authority], |row| row.integer(0)))?;
    Ok(usize::try_from(count.unwrap_or_default()).unwrap_or_default())
}
