//! The rows of the directory, and the steps that write them. Every look-up is by an index, whatever the number of rows.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::capability::Capabilities;

use super::entry::{Entry, Place, Source, State, issuer_hash, name_key};
use super::rule::{DOMAIN_LIMIT, Full, TOTAL_LIMIT};
use crate::fault::Fault;
use crate::store::{Bind, Row, Statements};

/// Issuers that are kept, at most. They come from paths that held, and from files of an administrator.
pub const ISSUER_LIMIT: i64 = 20_000;
/// Issuers of one name that a search is given, at most.
const ISSUERS_OF_A_NAME: usize = 8;
/// Issuers of members' imported certificates that a search is given, at most.
const ISSUERS_OF_MEMBERS: usize = 64;
/// How far up issuers are looked for.
const ISSUER_DEPTH: usize = 6;
/// Capabilities longer than this are not kept, in octets; those of programs have some hundred.
pub const CAPABILITIES_LIMIT: usize = 4096;
/// Under which name all entries are counted, and all issuers: no domain is so called.
const ALL: &str = "";
const ISSUERS: &str = "*";

const COLUMNS: &str = "domain, local, certificate, source, state, pinned, first_seen, last_seen, signed_at, \
                       capabilities, anchor, class, note";

/// Which entries are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// At this address or domain; of a domain all that are in it.
    pub place: Option<Place>,
    /// In this state.
    pub state: Option<State>,
    /// Whatever stands behind this one.
    pub after: Option<(Place, String)>,
    /// At most so many.
    pub limit: u32,
}

fn entry(row: &Row<'_>) -> Result<Entry, Fault> {
    let place = Place { domain: row.text(0)?, local: row.text(1)? };
    let odd = |what: &str| row.damaged(format_args!("the directory's entry for {place}: {what}"));
    let certificate = Certificate::parse(&row.octets(2)?).map_err(|malformed| odd(&malformed.to_string()))?;
    let source = Source::from_name(&row.text(3)?).ok_or_else(|| odd("its source is unknown"))?;
    let state = State::from_name(&row.text(4)?).ok_or_else(|| odd("its state is unknown"))?;
    Ok(Entry {
        certificate,
        source,
        state,
        pinned: row.flag(5)?,
        first_seen: row.time(6)?,
        last_seen: row.time(7)?,
        signed_at: row.maybe_time(8)?,
        capabilities: row.maybe_octets(9)?.and_then(|der| Capabilities::parse(&der).ok()),
        anchor: row.text(10)?,
        class: row.text(11)?,
        note: row.text(12)?,
        place,
    })
}

/// All entries that can fit a place: its own, those that differ in case, and those of its whole domain.
pub(super) fn at(s: &mut Statements<'_>, place: &Place) -> Result<Vec<Entry>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM correspondent WHERE domain = ?1 AND folded IN (?2, '')
         ORDER BY folded, local, first_seen, fingerprint"
    );
    s.rows(&sql, &[&place.domain, &place.folded()], entry)
}

/// One entry.
pub(super) fn one(s: &mut Statements<'_>, place: &Place, fingerprint: &str) -> Result<Option<Entry>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM correspondent WHERE domain = ?1 AND folded = ?2 AND local = ?3 AND fingerprint = ?4"
    );
    s.row(&sql, &[&place.domain, &place.folded(), &place.local, &fingerprint], entry)
}

/// The entries of a certificate, at all its places. `fingerprint` may be the beginning of one.
pub(super) fn of(s: &mut Statements<'_>, fingerprint: &str, limit: u32) -> Result<Vec<Entry>, Fault> {
    // All that begin so stand side by side in the index; hexadecimal ends below `g`.
    let sql = format!("SELECT {COLUMNS} FROM correspondent WHERE fingerprint >= ?1 AND fingerprint < ?2 LIMIT ?3");
    let fingerprint = fingerprint.to_ascii_lowercase();
    s.rows(&sql, &[&fingerprint, &format!("{fingerprint}g"), &limit], entry)
}

/// A page of a list, in the order of places.
pub(super) fn list(s: &mut Statements<'_>, filter: &Filter) -> Result<Vec<Entry>, Fault> {
    let mut sql = format!("SELECT {COLUMNS} FROM correspondent WHERE 1 = 1");
    let (mut texts, mut count): (Vec<String>, usize) = (Vec::new(), 0);
    let mut and = |condition: &str, values: &[String]| {
        let mut condition = condition.to_owned();
        for (number, value) in values.iter().enumerate() {
            count = count.saturating_add(1);
            condition = condition.replace(&format!("@{number}"), &format!("?{count}"));
            texts.push(value.clone());
        }
        sql.push_str(&condition);
    };
    if let Some(place) = &filter.place {
        and(" AND domain = @0", std::slice::from_ref(&place.domain));
        if !place.is_domain() {
            and(" AND folded = @0", &[place.folded()]);
        }
    }
    if let Some(state) = filter.state {
        and(" AND state = @0", &[state.name().to_owned()]);
        if state != State::Active {
            // So that the index of the few is taken.
            and(" AND state <> 'active'", &[]);
        }
    }
    if let Some((place, fingerprint)) = &filter.after {
        and(
            " AND (domain, folded, local, fingerprint) > (@0, @1, @2, @3)",
            &[place.domain.clone(), place.folded(), place.local.clone(), fingerprint.clone()],
        );
    }
    let limit = count.saturating_add(1);
    sql.push_str(&format!(" ORDER BY domain, folded, local, fingerprint LIMIT ?{limit}"));
    let mut values: Vec<&dyn Bind> = texts.iter().map(|text| text as &dyn Bind).collect();
    values.push(&filter.limit);
    s.rows(&sql, &values, entry)
}

/// Puts an entry in, or changes the one that is there; keeps the count.
///
/// What is found to be full is told, and nothing is written.
pub(super) fn put(s: &mut Statements<'_>, entry: &Entry) -> Result<Result<(), Full>, Fault> {
    let place = &entry.place;
    let fingerprint = entry.fingerprint();
    let is_new = one(s, place, &fingerprint)?.is_none();
    if is_new {
        if count(s, ALL)? >= TOTAL_LIMIT {
            return Ok(Err(Full::Total));
        }
        if is_counted(entry) && count(s, &place.domain)? >= DOMAIN_LIMIT {
            return Ok(Err(Full::Domain));
        }
    } else {
        take_count(s, place, &fingerprint)?;
    }
    let capabilities = entry.capabilities.as_ref().map(Capabilities::to_der);
    s.run(
        "INSERT INTO correspondent (domain, folded, local, fingerprint, issuer_hash, serial, certificate, source, state,
             pinned, first_seen, last_seen, signed_at, capabilities, anchor, class, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT (domain, folded, local, fingerprint) DO UPDATE SET
             source = ?8, state = ?9, pinned = ?10, last_seen = ?12, signed_at = ?13, capabilities = ?14, anchor = ?15,
             class = ?16, note = ?17",
        &[
            &place.domain,
            &place.folded(),
            &place.local,
            &fingerprint,
            &issuer_hash(&entry.certificate),
            &entry.certificate.serial_hex(),
            &entry.certificate.raw(),
            &entry.source.name(),
            &entry.state.name(),
            &entry.pinned,
            &entry.first_seen,
            &entry.last_seen,
            &entry.signed_at,
            &capabilities.filter(|der| der.len() <= CAPABILITIES_LIMIT),
            &entry.anchor,
            &entry.class,
            &entry.note,
        ],
    )?;
    add_count(s, entry, 1)?;
    Ok(Ok(()))
}

/// Takes an entry out. False if there is none.
pub(super) fn take(s: &mut Statements<'_>, place: &Place, fingerprint: &str) -> Result<bool, Fault> {
    take_count(s, place, fingerprint)?;
    let changed = s.run(
        "DELETE FROM correspondent WHERE domain = ?1 AND folded = ?2 AND local = ?3 AND fingerprint = ?4",
        &[&place.domain, &place.folded(), &place.local, &fingerprint],
    )?;
    Ok(changed > 0)
}

/// What nobody chose counts against its domain.
fn is_counted(entry: &Entry) -> bool {
    entry.source != Source::Imported
}

fn take_count(s: &mut Statements<'_>, place: &Place, fingerprint: &str) -> Result<(), Fault> {
    match one(s, place, fingerprint)? {
        Some(entry) => add_count(s, &entry, -1),
        None => Ok(()),
    }
}

fn add_count(s: &mut Statements<'_>, entry: &Entry, by: i64) -> Result<(), Fault> {
    let counted = Some(entry.place.domain.as_str()).filter(|_| is_counted(entry));
    for domain in [Some(ALL), counted].into_iter().flatten() {
        change_count(s, domain, by)?;
    }
    Ok(())
}

fn change_count(s: &mut Statements<'_>, name: &str, by: i64) -> Result<(), Fault> {
    s.run(
        "INSERT INTO correspondent_count (domain, entries) VALUES (?1, ?2)
         ON CONFLICT (domain) DO UPDATE SET entries = correspondent_count.entries + ?2",
        &[&name, &by],
    )?;
    Ok(())
}

fn count(s: &mut Statements<'_>, name: &str) -> Result<i64, Fault> {
    let found = s.row("SELECT entries FROM correspondent_count WHERE domain = ?1", &[&name], |row| row.integer(0))?;
    Ok(found.unwrap_or_default())
}

/// How many entries there are.
pub(super) fn total(s: &mut Statements<'_>) -> Result<i64, Fault> {
    count(s, ALL)
}

/// The certificates of CAs that may lie above one, upwards by their names.
pub(super) fn issuers_above(s: &mut Statements<'_>, leaf: &Certificate) -> Result<Vec<Certificate>, Fault> {
    let mut found: Vec<Certificate> = Vec::new();
    let mut names = vec![name_key(leaf.issuer())];
    for _ in 0..ISSUER_DEPTH {
        let mut next = Vec::new();
        for name in names {
            let sql = "SELECT certificate FROM correspondent_issuer WHERE name = ?1 ORDER BY first_seen DESC LIMIT ?2";
            let limit = i64::try_from(ISSUERS_OF_A_NAME).unwrap_or(i64::MAX);
            for der in s.rows(sql, &[&name, &limit], |row| row.octets(0))? {
                let certificate = Certificate::parse(&der)
                    .map_err(|malformed| s.damaged(format_args!("an issuer in the directory: {malformed}")))?;
                if !certificate.is_self_issued() && !found.contains(&certificate) {
                    next.push(name_key(certificate.issuer()));
                    found.push(certificate);
                }
            }
        }
        next.sort();
        next.dedup();
        if next.is_empty() || found.len() >= ISSUERS_OF_A_NAME.saturating_mul(2) {
            break;
        }
        names = next;
    }
    Ok(found)
}

/// A certificate of a member's address, if it still counts.
pub(super) fn of_member(s: &mut Statements<'_>, address: &str, serial: &str, now: Time) -> Result<Vec<Vec<u8>>, Fault> {
    s.rows(
        "SELECT der FROM certificate
         WHERE serial = ?2 AND address = ?1 AND state IN ('issued', 'imported') AND not_after >= ?3",
        &[&address, &serial, &now],
        |row| row.octets(0),
    )
}

/// The certificates of CAs outside that travel with members' imported ones.
pub(super) fn issuers_of_members(s: &mut Statements<'_>) -> Result<Vec<Vec<u8>>, Fault> {
    let limit = i64::try_from(ISSUERS_OF_MEMBERS).unwrap_or(i64::MAX);
    let sql = "SELECT der FROM issuer_certificate ORDER BY added_at DESC LIMIT ?1";
    s.rows(sql, &[&limit], |row| row.octets(0))
}

/// Keeps a CA's certificate; past [`ISSUER_LIMIT`] none.
pub(super) fn keep_issuer(s: &mut Statements<'_>, certificate: &Certificate, now: Time) -> Result<(), Fault> {
    if count(s, ISSUERS)? >= ISSUER_LIMIT {
        return Ok(());
    }
    let added = s.run(
        "INSERT INTO correspondent_issuer (fingerprint, name, certificate, first_seen) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (fingerprint) DO NOTHING",
        &[&certificate.fingerprint_hex(), &name_key(certificate.subject()), &certificate.raw(), &now],
    )?;
    if added > 0 {
        change_count(s, ISSUERS, 1)?;
    }
    Ok(())
}

/// How a node of several reads the same plan: the statements whose cost must not grow with the number of rows, for the
/// test that asks each database how it would run them.
pub const LOOK_UPS: [&str; 3] = [
    "SELECT fingerprint FROM correspondent WHERE domain = ?1 AND folded IN (?2, '')",
    "SELECT domain FROM correspondent WHERE fingerprint >= ?1 AND fingerprint < ?2",
    "SELECT domain FROM correspondent WHERE issuer_hash = ?1 AND serial = ?2",
];
