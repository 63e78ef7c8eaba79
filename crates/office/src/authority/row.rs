//! The rows about certificates, and the steps that write them.

use std::fmt;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{Reason, Revoked};
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::sha256;
use kakitome_pki::issue::MailUse;

use crate::audit::Actor;
use crate::fault::Fault;
use crate::members;
use crate::store::{KeyRow, Row, Statements, put_key};

/// Who begins a row has so long to sign it, in seconds; then another may take its place. A node that was killed between both
/// holds up nobody for longer, and one that was only slow learns that it was too slow.
pub const BEGUN_FOR: i64 = 10;

/// Which certificate: the CA and the serial number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateId {
    pub(super) authority: String,
    pub(super) serial: String,
}

impl CertificateId {
    /// Of a certificate of a CA outside.
    pub fn outside(certificate: &Certificate) -> Self {
        Self { authority: outside(certificate.issuer()), serial: certificate.serial_hex() }
    }

    pub(crate) fn from_store(authority: String, serial: String) -> Self {
        Self { authority, serial }
    }

    /// As the store names it: of an own CA its name there, of any other SHA-256 over the issuer's name.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The serial number in hexadecimal.
    pub fn serial(&self) -> &str {
        &self.serial
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.serial)
    }
}

/// How the store names a CA that is not ours.
pub(super) fn outside(issuer: &Name) -> String {
    hex(&sha256(issuer.raw()))
}

/// What a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Recorded, not signed.
    Begun,
    /// Signed by the own CA.
    Issued,
    /// Taken in from outside.
    Imported,
    /// Taken back.
    Revoked,
    /// Recorded, and never signed.
    Abandoned,
}

impl State {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Begun, "begun"),
        (Self::Issued, "issued"),
        (Self::Imported, "imported"),
        (Self::Revoked, "revoked"),
        (Self::Abandoned, "abandoned"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(state, _)| state)
    }

    /// Does it count, as far as the store knows?
    pub const fn counts(self) -> bool {
        matches!(self, Self::Issued | Self::Imported)
    }
}

/// The name of a use in the store.
pub fn usage_name(usage: MailUse) -> &'static str {
    match usage {
        MailUse::Sign => "sign",
        MailUse::Encrypt => "encrypt",
        MailUse::Both => "both",
    }
}

/// The use of this name.
pub fn usage_of(name: &str) -> Option<MailUse> {
    [MailUse::Sign, MailUse::Encrypt, MailUse::Both].into_iter().find(|usage| usage_name(*usage) == name)
}

/// A certificate as it is recorded, without its octets.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Which.
    pub id: CertificateId,
    /// For whom.
    pub address: String,
    /// By which way it came: `own`, `import`, or the name of a CA with request files.
    pub issuer: String,
    /// What its key is for.
    pub usage: MailUse,
    /// What it is.
    pub state: State,
    /// Which key.
    pub key_id: String,
    /// Does its path end at a root of the public list?
    pub is_public: bool,
    /// Valid from.
    pub not_before: Time,
    /// Valid until.
    pub not_after: Time,
    /// Since when it does not count, and why.
    pub revoked: Option<Revoked>,
}

const RECORDED: &str = "authority, serial, address, issuer, purpose, state, key_id, is_public, not_before, not_after, \
                        revoked_at, revocation_reason";

fn recorded(row: &Row<'_>) -> Result<Recorded, Fault> {
    let (usage, state) = (row.text(4)?, row.text(5)?);
    let odd = |what: &str| row.damaged(format!("a certificate has the {what}"));
    let reason = row.maybe_integer(11)?.and_then(reason_of);
    Ok(Recorded {
        id: CertificateId { authority: row.text(0)?, serial: row.text(1)? },
        address: row.text(2)?,
        issuer: row.text(3)?,
        usage: usage_of(&usage).ok_or_else(|| odd("purpose {usage}"))?,
        state: State::read(&state).ok_or_else(|| odd("state {state}"))?,
        key_id: row.text(6)?,
        is_public: row.flag(7)?,
        not_before: row.time(8)?,
        not_after: row.time(9)?,
        revoked: row.maybe_time(10)?.map(|when| Revoked { when, reason }),
    })
}

pub(super) fn reason_of(number: i64) -> Option<Reason> {
    u8::try_from(number).ok().and_then(Reason::from_number)
}

/// A certificate that is going to be signed, or was taken in.
#[derive(Clone, Debug)]
pub(super) struct CertificateRow {
    pub(super) id: CertificateId,
    pub(super) address: String,
    pub(super) issuer: String,
    pub(super) usage: MailUse,
    pub(super) key_id: String,
    pub(super) key_identifier: String,
    pub(super) list: i64,
    pub(super) ordinal: Option<i64>,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
    pub(super) made_at: Time,
    /// Of one that was taken in.
    pub(super) taken: Option<Taken>,
}

/// What is known of a certificate that was taken in.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) der: Vec<u8>,
    /// Fingerprints, a line each.
    pub(super) chain: String,
    pub(super) is_public: bool,
}

/// What became of a row that was to be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It is there, to be signed by whoever began it.
    Ours,
    /// Another has begun one in its place a moment ago.
    ByAnother,
    /// Another has made one in its place.
    There,
}

/// Records certificates before they are signed, with their keys and members, and says of each whether it may be signed.
/// What another began in the same place too long ago, and never brought to an end, is given up. A CA that was taken back in
/// this moment begins nothing.
pub(super) fn begin(
    s: &mut Statements<'_>,
    ca: &str,
    rows: &[(KeyRow, CertificateRow)],
    actor: &Actor,
    now: Time,
) -> Result<Vec<Begun>, Fault> {
    if !s.exists("SELECT 1 FROM authority WHERE id = ?1 AND state = 'current'", &[&ca])? {
        return Ok(vec![Begun::ByAnother; rows.len()]);
    }
    let mut begun = Vec::with_capacity(rows.len());
    for (key, row) in rows {
        let place = in_place_of(s, row, now)?;
        begun.push(place);
        if place != Begun::Ours {
            continue;
        }
        put_key(s, key)?;
        put_member(s, &row.address, actor, now)?;
        // The index over the ordinals holds, whatever was read before.
        insert(s, row)?;
    }
    Ok(begun)
}

/// Is the place of a row free?
fn in_place_of(s: &mut Statements<'_>, row: &CertificateRow, now: Time) -> Result<Begun, Fault> {
    let found = s.row(
        "SELECT state, made_at FROM certificate WHERE address = ?1 AND purpose = ?2 AND ordinal = ?3",
        &[&row.address, &usage_name(row.usage), &row.ordinal],
        |row| Ok((row.text(0)?, row.time(1)?)),
    )?;
    Ok(match found {
        None => Begun::Ours,
        Some((state, _)) if state != State::Begun.name() => Begun::There,
        // Nodes whose clocks differ by more give up each other's rows too soon, which costs a second try and no more.
        Some((_, made_at)) if made_at.distance(now) <= BEGUN_FOR.unsigned_abs() => Begun::ByAnother,
        Some(_) => {
            s.run(
                "UPDATE certificate SET state = 'abandoned', ordinal = NULL
                 WHERE address = ?1 AND purpose = ?2 AND ordinal = ?3 AND state = 'begun'",
                &[&row.address, &usage_name(row.usage), &row.ordinal],
            )?;
            tracing::warn!(address = row.address, "a certificate was recorded but never signed");
            Begun::Ours
        }
    })
}

/// The ordinal of the next certificate of an address for a use. One that is only begun does not count: whoever asks for
/// another beside it meets it in its place.
pub(super) fn next(s: &mut Statements<'_>, address: &str, usage: MailUse) -> Result<i64, Fault> {
    let last = s.row(
        "SELECT MAX(ordinal) FROM certificate WHERE address = ?1 AND purpose = ?2 AND state <> 'begun'",
        &[&address, &usage_name(usage)],
        |row| row.maybe_integer(0),
    )?;
    Ok(last.flatten().unwrap_or(0).saturating_add(1))
}

/// Whoever has this address is a member afterwards, and this spelling of it is one of his.
pub(super) fn put_member(s: &mut Statements<'_>, address: &str, actor: &Actor, now: Time) -> Result<(), Fault> {
    const HERE: &str = "SELECT 1 FROM member_address WHERE address = ?1";
    if s.exists(HERE, &[&address])? {
        return Ok(());
    }
    let parsed = Address::parse(address).map_err(Fault::bug)?;
    members::ensure(s, &parsed, actor, now)?;
    if !s.exists(HERE, &[&address])? {
        // He writes himself in another case of letters than before; readers compare exactly, so the certificate does, too.
        s.run(
            "INSERT INTO member_address (address, made_at, member_id, used)
             SELECT ?1, ?2, member_id, 'further' FROM member_address WHERE folded = ?3",
            &[&address, &now, &members::folded(&parsed)],
        )?;
    }
    Ok(())
}

/// Puts a row in; false if it is there.
pub(super) fn insert(s: &mut Statements<'_>, row: &CertificateRow) -> Result<bool, Fault> {
    let taken = row.taken.as_ref();
    let state = if taken.is_some() { State::Imported } else { State::Begun };
    let inserted = s.run(
        "INSERT INTO certificate
             (authority, serial, address, issuer, purpose, state, key_id, key_identifier, der, chain, is_public, list,
              not_before, not_after, made_at, ordinal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (authority, serial, address) DO NOTHING",
        &[
            &row.id.authority,
            &row.id.serial,
            &row.address,
            &row.issuer,
            &usage_name(row.usage),
            &state.name(),
            &row.key_id,
            &row.key_identifier,
            &taken.map(|taken| taken.der.as_slice()),
            &taken.map_or("", |taken| taken.chain.as_str()),
            &taken.is_some_and(|taken| taken.is_public),
            &row.list,
            &row.not_before,
            &row.not_after,
            &row.made_at,
            &row.ordinal,
        ],
    )?;
    Ok(inserted > 0)
}

/// Records that a certificate was signed; false if it was given up meanwhile.
pub(super) fn finish(s: &mut Statements<'_>, id: &CertificateId, der: &[u8]) -> Result<bool, Fault> {
    let changed = s.run(
        "UPDATE certificate SET der = ?3, state = 'issued' WHERE authority = ?1 AND serial = ?2 AND state = 'begun'",
        &[&id.authority, &id.serial, &der],
    )?;
    Ok(changed == 1)
}

/// What an address signs with now. A certificate that the public believes comes before one that was taken in, that before
/// one of the own CA; of equals the one that lasts longest.
pub(super) fn signing(s: &mut Statements<'_>, address: &str, now: Time) -> Result<Option<Recorded>, Fault> {
    s.row(
        &format!(
            "SELECT {RECORDED} FROM certificate
             WHERE address = ?1 AND purpose IN ('sign', 'both') AND state IN ('issued', 'imported')
               AND not_before <= ?2 AND not_after >= ?2
             ORDER BY is_public DESC, CASE WHEN state = 'imported' THEN 0 ELSE 1 END, not_after DESC, made_at DESC, serial"
        ),
        &[&address, &now],
        recorded,
    )
}

/// Has an address a certificate that mail to it can be encrypted to?
pub(super) fn encrypts(s: &mut Statements<'_>, address: &str, now: Time) -> Result<bool, Fault> {
    s.exists(
        "SELECT 1 FROM certificate WHERE address = ?1 AND purpose IN ('encrypt', 'both')
             AND state IN ('issued', 'imported') AND not_before <= ?2 AND not_after >= ?2",
        &[&address, &now],
    )
}

/// The octets of a certificate, and the fingerprints of those that travel with it.
pub(super) fn octets(s: &mut Statements<'_>, id: &CertificateId) -> Result<Option<(Vec<u8>, String)>, Fault> {
    s.row(
        "SELECT der, chain FROM certificate WHERE authority = ?1 AND serial = ?2 AND der IS NOT NULL LIMIT 1",
        &[&id.authority, &id.serial],
        |row| Ok((row.octets(0)?, row.text(1)?)),
    )
}

/// Every certificate of an address, of whatever state, those that count and last longest first.
pub(super) fn of_address(s: &mut Statements<'_>, address: &str) -> Result<Vec<Recorded>, Fault> {
    s.rows(
        &format!(
            "SELECT {RECORDED} FROM certificate WHERE address = ?1
             ORDER BY CASE WHEN state IN ('issued', 'imported') THEN 0 ELSE 1 END, is_public DESC,
                      CASE WHEN state = 'imported' THEN 0 ELSE 1 END, not_after DESC, made_at DESC, serial"
        ),
        &[&address],
        recorded,
    )
}

/// Every certificate of this serial number, in hexadecimal; of several CAs there may be several.
pub(super) fn of_serial(s: &mut Statements<'_>, serial: &str) -> Result<Vec<Recorded>, Fault> {
    s.rows(
        &format!("SELECT {RECORDED} FROM certificate WHERE serial = ?1 ORDER BY authority, address"),
        &[&serial],
        recorded,
    )
}

/// What the responder of a CA says of a serial number: is it known, and was it revoked?
pub(super) fn status(s: &mut Statements<'_>, id: &CertificateId) -> Result<Option<Recorded>, Fault> {
    s.row(
        &format!("SELECT {RECORDED} FROM certificate WHERE authority = ?1 AND serial = ?2 LIMIT 1"),
        &[&id.authority, &id.serial],
        recorded,
    )
}

/// Takes a certificate back. One that was revoked before stays as it was, but for a key that turns out to be compromised
/// (the S/MIME Baseline Requirements §4.9.1.1 let the reason grow worse). False where nothing changed.
pub(super) fn revoke(s: &mut Statements<'_>, id: &CertificateId, revoked: Revoked, now: Time) -> Result<bool, Fault> {
    let reason = revoked.reason.map_or(0, Reason::number);
    let changed = s.run(
        "UPDATE certificate SET state = 'revoked', revoked_at = ?3, revocation_reason = ?4, noted_at = ?5
         WHERE authority = ?1 AND serial = ?2
           AND (state IN ('issued', 'imported') OR (state = 'revoked' AND ?4 = 1 AND revocation_reason <> 1))",
        &[&id.authority, &id.serial, &revoked.when, &i64::from(reason), &now],
    )?;
    Ok(changed > 0)
}

/// Keeps certificates that travel with others.
pub(super) fn put_issuers(s: &mut Statements<'_>, chain: &[Certificate], now: Time) -> Result<(), Fault> {
    for certificate in chain {
        s.run(
            "INSERT INTO issuer_certificate (fingerprint, der, added_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (fingerprint) DO NOTHING",
            &[&certificate.fingerprint_hex(), &certificate.raw(), &now],
        )?;
    }
    Ok(())
}

/// The certificates of these fingerprints, a line each, in that order.
pub(super) fn issuers(s: &mut Statements<'_>, chain: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let mut found = Vec::new();
    for fingerprint in chain.lines() {
        found.extend(
            s.row("SELECT der FROM issuer_certificate WHERE fingerprint = ?1", &[&fingerprint], |row| row.octets(0))?,
        );
    }
    Ok(found)
}
