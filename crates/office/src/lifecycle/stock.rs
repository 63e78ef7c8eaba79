//! The members' certificates as they are listed.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;

use crate::enrolment::calendar::renewal;
use crate::enrolment::lack::IMPORTED;
use crate::fault::Fault;
use crate::members::folded;
use crate::store::{Bind, Row, Store};

/// A certificate as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// For whom.
    pub address: String,
    /// What for: sign, encrypt or both.
    pub usage: String,
    /// begun, issued, imported, revoked or abandoned.
    pub state: String,
    /// By which of the ways to certificates it came.
    pub issuer: String,
    /// Which CA signed it.
    pub authority: String,
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// Which key.
    pub key: String,
    /// Valid from.
    pub from: Time,
    /// Valid until.
    pub until: Time,
    /// Since when it does not count.
    pub revoked_at: Option<Time>,
    /// Is the address nobody's any more?
    is_former: bool,
    /// When its member leaves, or left.
    leaves: Option<Time>,
}

impl Kept {
    /// Does it count at this moment?
    pub fn counts(&self, now: Time) -> bool {
        matches!(self.state.as_str(), "issued" | "imported") && (self.from..=self.until).contains(&now)
    }

    /// When it is renewed by itself; `None` where nobody renews it: it was brought from outside, does not count any more,
    /// or its member is gone by then.
    pub fn renewal(&self) -> Option<Time> {
        let at = renewal(self.from, self.until);
        let is_renewed = self.state == "issued" && self.issuer != IMPORTED && !self.is_former;
        (is_renewed && self.leaves.is_none_or(|leaves| leaves > at)).then_some(at)
    }
}

/// The certificates of an address, or of all: by address, those that last longest first.
///
/// # Errors
/// The store fails or is damaged.
pub fn kept(store: &Store, address: Option<&Address>) -> Result<Vec<Kept>, Fault> {
    let folded = address.map(folded);
    let (which, values): (&str, Vec<&dyn Bind>) = match &folded {
        Some(folded) => ("WHERE a.folded = ?1", vec![folded]),
        None => ("", Vec::new()),
    };
    let statement = format!(
        "SELECT c.address, c.purpose, c.state, c.issuer, c.authority, c.serial, c.key_id, c.not_before, c.not_after,
             c.revoked_at, a.used, m.left_at
         FROM certificate c JOIN member_address a ON a.address = c.address JOIN member m ON m.id = a.member_id {which}
         ORDER BY c.address, c.purpose DESC, c.not_after DESC, c.serial"
    );
    store.read(|s| {
        s.rows(&statement, &values, |row: &Row<'_>| {
            Ok(Kept {
                address: row.text(0)?,
                usage: row.text(1)?,
                state: row.text(2)?,
                issuer: row.text(3)?,
                authority: row.text(4)?,
                serial: row.text(5)?,
                key: row.text(6)?,
                from: row.time(7)?,
                until: row.time(8)?,
                revoked_at: row.maybe_time(9)?,
                is_former: row.text(10)? == "former",
                leaves: row.maybe_time(11)?,
            })
        })
    })
}
