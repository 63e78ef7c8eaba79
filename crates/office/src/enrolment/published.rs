//! The members' own certificates, for those who encrypt to them, publish them, and hand them out with their keys.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::members::{folded, untagged};
use crate::store::{Row, Statements, Store};
use crate::vault::{KeyId, Vault};

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

/// A certificate of a member with its private key, for its owner.
pub struct Identity {
    /// The key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
    /// The certificate.
    pub certificate: Certificate,
    /// Does it sign?
    pub signs: bool,
    /// Does it open mail?
    pub opens: bool,
    /// It is not used for new mail any more.
    pub is_retired: bool,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({:?})", self.certificate)
    }
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

/// The certificates of an address with their keys: the one that signs, the one that opens, then retired ones that open,
/// the newest first. The caller records what he does with them.
///
/// # Errors
/// Store or vault fail.
pub fn identities(store: &Store, vault: &Vault, address: &Address, now: Time) -> Result<Vec<Identity>, Fault> {
    let rows = store.read(|s| {
        s.rows(
            "SELECT c.purpose, c.der, c.key_id, c.state, c.not_before, c.not_after FROM certificate c
                 JOIN member_address a ON a.address = c.address
             WHERE a.folded = ?1 AND c.der IS NOT NULL
             ORDER BY c.is_public DESC, c.not_after DESC, c.made_at DESC, c.serial",
            &[&folded(address)],
            |row: &Row<'_>| {
                let counts = row.text(3)? != "revoked" && (row.time(4)?..=row.time(5)?).contains(&now);
                Ok((row.text(0)?, row.octets(1)?, row.text(2)?, counts))
            },
        )
    })?;
    let (mut current, mut retired) = (Vec::new(), Vec::new());
    let (mut can_sign, mut can_open) = (false, false);
    for (purpose, der, key, counts) in rows {
        let (signs, opens) = (purpose != "encrypt", purpose != "sign");
        let is_wanted = counts && ((signs && !can_sign) || (opens && !can_open));
        if !is_wanted && !opens {
            continue;
        }
        let certificate = Certificate::parse(&der)
            .map_err(|error| store.damaged(format!("a certificate cannot be read: {error}")))?;
        let key = vault.take_pkcs8(&KeyId::from_store(key))?;
        if is_wanted {
            can_sign |= signs;
            can_open |= opens;
        }
        let list = if is_wanted { &mut current } else { &mut retired };
        list.push(Identity { key, certificate, signs, opens, is_retired: !is_wanted });
    }
    current.sort_by_key(|identity: &Identity| !identity.signs);
    current.append(&mut retired);
    Ok(current)
}
