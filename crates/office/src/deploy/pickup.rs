//! Files that are offered for one download: a link, and a code on another channel.
//!
//! The store keeps the hashes of both, and no file: the file is made when the right code was given. Every try is counted
//! before its code is compared, so that no two at once get more tries than one after the other.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::{Random, sha256};
use zeroize::Zeroizing;

use super::{Code, File, Program};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{Row, Statements, Store};

/// How often a code may be tried, the right one included.
pub const TRIES: i64 = 5;
/// The longest time that an offer stands, in seconds: seven days.
pub const LONGEST: i64 = 7 * 24 * 60 * 60;
/// Octets of a token, drawn at random.
const TOKEN_OCTETS: usize = 32;
/// Characters of a token in a link.
const TOKEN_LENGTH: usize = 43;
/// Hexadecimal digits by which an offer is named among people.
const ID_LENGTH: usize = 12;
/// Where offers stand, below the public address of the web.
pub const PATH: &str = "/pickup";

/// What an offer has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be taken.
    Open,
    /// It was taken.
    Taken(Time),
    /// It was withdrawn.
    Withdrawn(Time),
    /// The code was tried too often.
    Spent,
    /// Its time is over.
    Expired,
}

impl Standing {
    /// For programs and lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken(_) => "taken",
            Self::Withdrawn(_) => "withdrawn",
            Self::Spent => "spent",
            Self::Expired => "expired",
        }
    }
}

/// An offer, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What people call it: the first digits of the token's hash.
    pub id: String,
    /// Whose file.
    pub address: String,
    /// For which program.
    pub program: Program,
    /// Who offered it.
    pub by: String,
    /// Since when.
    pub made_at: Time,
    /// Until when.
    pub until: Time,
    /// How often a code was tried.
    pub tries: i64,
    /// What it has come to.
    pub standing: Standing,
}

impl Offer {
    /// How often a code may still be tried.
    pub fn left(&self) -> i64 {
        TRIES.saturating_sub(self.tries).max(0)
    }
}

/// What is told once, to the one who offers: the token for the link, the code for the other channel.
pub struct Ticket {
    /// In the link.
    pub token: Zeroizing<String>,
    /// The code, which is the password of the file, too.
    pub code: Code,
    /// The offer.
    pub offer: Offer,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.offer.id)
    }
}

/// How an attempt to take a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The file; the offer is used up.
    File(File),
    /// The code was wrong.
    Wrong(Offer),
    /// There is no such offer, or none any more.
    Gone,
}

/// Offers the file of a member for one download.
///
/// # Errors
/// The store or the machine's randomness fails.
pub fn offer(
    store: &Store,
    actor: &Actor,
    address: &str,
    program: Program,
    until: Time,
    now: Time,
    random: &dyn Random,
) -> Result<Ticket, Fault> {
    let mut octets = Zeroizing::new([0; TOKEN_OCTETS]);
    random.fill(octets.as_mut_slice())?;
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(*octets));
    let code = Code::generate(random)?;
    let key = sha256(token.as_bytes());
    let offer = Offer {
        id: id(&key),
        address: address.to_owned(),
        program,
        by: actor.name().to_owned(),
        made_at: now,
        until: until.min(now.plus(LONGEST)),
        tries: 0,
        standing: Standing::Open,
    };
    store.write(|s| {
        s.run(
            "INSERT INTO pickup (token, code, address, program, made_by, made_at, until, tries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
            &[&key, &code.hash(), &address, &program.name(), &actor.name(), &now, &offer.until],
        )?;
        let until = offer.until.to_string();
        let details = [("offer", offer.id.as_str()), ("program", program.name()), ("until", until.as_str())];
        audit::record(s, &Entry { actor, act: Act::PickupOffered, subject: address, details: &details, at: now })
    })?;
    Ok(Ticket { token, code, offer })
}

/// The offer of a link, if it can still be taken. Looking changes nothing: programs that look at links before people do
/// use nothing up.
///
/// # Errors
/// The store's.
pub fn look(store: &Store, token: &str, now: Time) -> Result<Option<Offer>, Fault> {
    let Some(key) = key(token) else { return Ok(None) };
    let found = store.read(|s| find(s, &key, now))?;
    Ok(found.map(|stored| stored.offer).filter(|offer| offer.standing == Standing::Open))
}

/// Takes the file of an offer: `make` makes it, once the code was found to be right, under that code as its password.
///
/// # Errors
/// The store's, or those of `make`; the try counts all the same.
pub fn take(
    store: &Store,
    actor: &Actor,
    token: &str,
    typed: &str,
    now: Time,
    make: impl FnOnce(&Offer, &Code) -> Result<File, Fault>,
) -> Result<Attempt, Fault> {
    let Some(key) = key(token) else { return Ok(Attempt::Gone) };
    let code = Code::parse(typed);
    let tried = store.write(|s| attempt(s, actor, &key, code.as_ref(), now))?;
    let Some(Tried { offer, is_right }) = tried else { return Ok(Attempt::Gone) };
    let Some(code) = code.filter(|_| is_right) else { return Ok(Attempt::Wrong(offer)) };
    let file = make(&offer, &code)?;
    let is_ours = store.write(|s| {
        let taken = s.run(
            "UPDATE pickup SET taken_at = ?2 WHERE token = ?1 AND taken_at IS NULL AND withdrawn_at IS NULL AND until >= ?2",
            &[&key, &now],
        )?;
        if taken == 1 {
            record(s, actor, Act::PickupTaken, &offer, now)?;
            exported(s, actor, &offer.address, offer.program, &file, now)?;
        }
        Ok(taken == 1)
    })?;
    Ok(if is_ours { Attempt::File(file) } else { Attempt::Gone })
}

struct Tried {
    offer: Offer,
    is_right: bool,
}

/// Counts a try, then compares. `None` where there is nothing to take.
fn attempt(
    s: &mut Statements<'_>,
    actor: &Actor,
    key: &[u8; 32],
    code: Option<&Code>,
    now: Time,
) -> Result<Option<Tried>, Fault> {
    let counted = s.run(
        "UPDATE pickup SET tries = tries + 1
         WHERE token = ?1 AND tries < ?2 AND taken_at IS NULL AND withdrawn_at IS NULL AND until >= ?3",
        &[&key, &TRIES, &now],
    )?;
    if counted != 1 {
        return Ok(None);
    }
    let Some(Stored { offer, code: stored, .. }) = find(s, key, now)? else { return Ok(None) };
    let is_right = code.is_some_and(|code| is_same(&code.hash(), &stored));
    if !is_right {
        record(s, actor, Act::PickupRefused, &offer, now)?;
    }
    Ok(Some(Tried { offer, is_right }))
}

const COLUMNS: &str = "token, code, address, program, made_by, made_at, until, tries, taken_at, withdrawn_at";

/// Every offer, the newest first.
///
/// # Errors
/// The store's.
pub fn list(store: &Store, now: Time) -> Result<Vec<Offer>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM pickup ORDER BY made_at DESC, token");
    let listed = store.read(|s| s.rows(&sql, &[], |row| read(row, now)))?;
    Ok(listed.into_iter().map(|stored| stored.offer).collect())
}

/// Withdraws an open offer by its name, or all open offers of an address. How many there were.
///
/// # Errors
/// The store's.
pub fn withdraw(store: &Store, actor: &Actor, which: &str, now: Time) -> Result<u64, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM pickup WHERE taken_at IS NULL AND withdrawn_at IS NULL");
    store.write(|s| {
        let open = s.rows(&sql, &[], |row| read(row, now))?;
        let mut count = 0u64;
        for Stored { offer, key, .. } in open {
            if offer.standing == Standing::Open && (offer.id == which || offer.address == which) {
                s.run("UPDATE pickup SET withdrawn_at = ?2 WHERE token = ?1", &[&key, &now])?;
                record(s, actor, Act::PickupWithdrawn, &offer, now)?;
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    })
}

/// An offer with what the store alone knows.
struct Stored {
    offer: Offer,
    key: Vec<u8>,
    code: Vec<u8>,
}

fn find(s: &mut Statements<'_>, key: &[u8; 32], now: Time) -> Result<Option<Stored>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM pickup WHERE token = ?1");
    s.row(&sql, &[key], |row| read(row, now))
}

fn read(row: &Row<'_>, now: Time) -> Result<Stored, Fault> {
    let (key, program) = (row.octets(0)?, row.text(3)?);
    let program =
        Program::named(&program).ok_or_else(|| Fault::bug(format!("an offer for the unknown program {program:?}")))?;
    let (until, tries) = (row.time(6)?, row.integer(7)?);
    let standing = match (row.maybe_time(8)?, row.maybe_time(9)?) {
        (Some(taken), _) => Standing::Taken(taken),
        (None, Some(withdrawn)) => Standing::Withdrawn(withdrawn),
        _ if tries >= TRIES => Standing::Spent,
        _ if now > until => Standing::Expired,
        _ => Standing::Open,
    };
    let offer = Offer {
        id: id(&key),
        address: row.text(2)?,
        program,
        by: row.text(4)?,
        made_at: row.time(5)?,
        until,
        tries,
        standing,
    };
    Ok(Stored { offer, key, code: row.octets(1)? })
}

fn record(s: &mut Statements<'_>, actor: &Actor, act: Act, offer: &Offer, now: Time) -> Result<(), Fault> {
    let tries = offer.tries.to_string();
    let details = [("offer", offer.id.as_str()), ("program", offer.program.name()), ("tries", tries.as_str())];
    audit::record(s, &Entry { actor, act, subject: &offer.address, details: &details, at: now }).map(drop)
}

/// Records that keys of a member leave the house in a file; one without keys is recorded as made.
///
/// # Errors
/// The store's.
pub fn exported(
    s: &mut Statements<'_>,
    actor: &Actor,
    address: &str,
    program: Program,
    file: &File,
    now: Time,
) -> Result<(), Fault> {
    let made = [("program", program.name()), ("file", file.name.as_str())];
    if file.keys.is_empty() {
        audit::record(s, &Entry { actor, act: Act::FileMade, subject: address, details: &made, at: now })?;
    }
    for serial in &file.keys {
        let details = [("serial", serial.as_str()), ("program", program.name()), ("file", file.name.as_str())];
        audit::record(s, &Entry { actor, act: Act::KeyExported, subject: address, details: &details, at: now })?;
    }
    Ok(())
}

/// The hash of a token, under which the store has its offer.
fn key(token: &str) -> Option<[u8; 32]> {
    let is_token = token.len() == TOKEN_LENGTH && URL_SAFE_NO_PAD.decode(token).is_ok();
    is_token.then(|| sha256(token.as_bytes()))
}

fn id(key: &[u8]) -> String {
    hex(key).chars().take(ID_LENGTH).collect()
}

/// Compares the whole of both, whatever the first difference is.
fn is_same(one: &[u8; 32], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other));
    std::hint::black_box(differs) == 0 && other.len() == one.len()
}
