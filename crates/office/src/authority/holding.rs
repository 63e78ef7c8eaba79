//! What a member holds: keys with their certificates, to be put into files for his own mail program.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::issue::MailUse;
use zeroize::Zeroizing;

use super::row::{self, Recorded, State};
use super::{Authority, member, parse};
use crate::fault::Fault;
use crate::vault::KeyId;

/// Keys that are only kept to open old mail, at most; the newest of them.
pub const RETIRED_LIMIT: usize = 20;

/// A key of a member, with its certificate.
pub struct Holding {
    /// The private key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
    /// Its certificate.
    pub certificate: Certificate,
    /// The CA certificates that travel with it.
    pub chain: Vec<Certificate>,
    /// What it is for.
    pub usage: MailUse,
    /// Is it only kept to open old mail?
    pub is_retired: bool,
}

impl std::fmt::Debug for Holding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Holding({})", self.certificate.serial_hex())
    }
}

impl Authority {
    /// What an address holds: the certificate that signs, the one that others encrypt to, then those that only open old
    /// mail, the newest first. Nothing is issued for it.
    ///
    /// # Errors
    /// Store or vault fail.
    pub fn holdings(&self, address: &Address, now: Time) -> Result<Vec<Holding>, Fault> {
        let text = member(address)?.to_string();
        let (signs, all) = self.store.read(|s| Ok((row::signing(s, &text, now)?, row::of_address(s, &text)?)))?;
        let is_current = |row: &Recorded| row.state.counts() && (row.not_before..=row.not_after).contains(&now);
        let opens = |row: &Recorded| row.usage.encrypts() && !matches!(row.state, State::Begun | State::Abandoned);
        let seals = all.iter().find(|row| opens(row) && is_current(row));
        let mut chosen: Vec<(&Recorded, bool)> = Vec::new();
        let is_in =
            |chosen: &[(&Recorded, bool)], row: &Recorded| chosen.iter().any(|(one, _)| one.key_id == row.key_id);
        for row in signs.iter().chain(seals) {
            if !is_in(&chosen, row) {
                chosen.push((row, false));
            }
        }
        let mut old: Vec<&Recorded> = all.iter().filter(|row| opens(row)).collect();
        old.sort_by_key(|row| std::cmp::Reverse(row.not_after));
        for row in old {
            if !is_in(&chosen, row) && chosen.len() < RETIRED_LIMIT {
                chosen.push((row, true));
            }
        }
        chosen.into_iter().map(|(row, is_retired)| self.holding(row, is_retired)).collect()
    }

    fn holding(&self, row: &Recorded, is_retired: bool) -> Result<Holding, Fault> {
        let (der, beside) = self.octets(row)?;
        let key = self.vault.take_pkcs8(&KeyId::from_store(row.key_id.clone()))?;
        let certificate = parse(&self.store, &der)?;
        let chain = self.beside(row, &beside)?;
        Ok(Holding { key, certificate, chain, usage: row.usage, is_retired })
    }
}
