//! The members' own certificates, for those who encrypt to them and publish them.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;

use crate::fault::Fault;
use crate::members::{folded, untagged};
use crate::store::{Row, Statements};

/// A member's address with what others may know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The address.
    pub address: String,
    /// Certificates to encrypt to, in DER, the newest first.
    pub encrypt: Vec<Vec<u8>>,
    /// Certificates that sign, in DER, the newest first.
    pub sign: Vec<Vec<u8>>,
}

/// What counts of an active member at the moment ?2.
const COUNTS: &str =
    "c.state IN ('issued', 'imported') AND c.not_before <= ?2 AND c.not_after >= ?2 AND a.used <> 'former'
    AND (m.left_at IS NULL OR m.left_at > ?2)";
const JOINED: &str = "certificate c JOIN member_address a ON a.address = c.address JOIN member m ON m.id = a.member_id";

/// The certificates to encrypt to for mail to an address, in DER, what was bought first, then the newest. An address with
/// a plus that has none has those of the address before it. Nobody who left has any.
///
/// # Errors
/// The store fails.
pub fn encryption_certificates(s: &mut Statements<'_>, address: &Address, now: Time) -> Result<Vec<Vec<u8>>, Fault> {
    for form in [Some(address.clone()), untagged(address)].into_iter().flatten() {
        let found = s.rows(
            &format!(
                "SELECT c.der FROM {JOINED} WHERE a.folded = ?1 AND c.purpose IN ('encrypt', 'both') AND {COUNTS}
                 ORDER BY c.is_public DESC, c.not_before DESC, c.made_at DESC, c.serial"
            ),
            &[&folded(&form), &now],
            |row: &Row<'_>| row.octets(0),
        )?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The members' addresses behind `after`, in their order, at most so many, with the certificates that count.
///
/// # Errors
/// The store fails.
pub fn published(s: &mut Statements<'_>, after: &str, limit: u32, now: Time) -> Result<Vec<Published>, Fault> {
    let addresses = s.rows(
        &format!(
            "SELECT DISTINCT c.address FROM {JOINED} WHERE c.address > ?1 AND {COUNTS} ORDER BY c.address LIMIT ?3"
        ),
        &[&after, &now, &limit],
        |row: &Row<'_>| row.text(0),
    )?;
    let mut published = Vec::new();
    for address in addresses {
        let rows = s.rows(
            &format!(
                "SELECT c.purpose, c.der FROM {JOINED} WHERE c.address = ?1 AND {COUNTS}
                 ORDER BY c.is_public DESC, c.not_before DESC, c.made_at DESC, c.serial"
            ),
            &[&address, &now],
            |row: &Row<'_>| Ok((row.text(0)?, row.octets(1)?)),
        )?;
        let of = |not: &str| rows.iter().filter(|(purpose, _)| purpose != not).map(|(_, der)| der.clone()).collect();
        published.push(Published { address, encrypt: of("sign"), sign: of("encrypt") });
    }
    Ok(published)
}
