//! The roll in the store: what is read of it, and the steps that write it. Each act is one transaction, with its entry
//! in the audit log.

use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::Random;

use super::import::{self, Change, Changed};
use super::{
    Joining, Kind, Leaving, Listed, Member, MemberId, Owned, Source, Standing, TAGGED_LIMIT, Use, canonical, folded,
    untagged,
};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{Bind, Row, Statements, Store};

/// Octets of a member's identifier.
const ID_OCTETS: usize = 8;

/// The members of a store.
#[derive(Clone, Debug)]
pub struct Members {
    store: Arc<Store>,
}

/// Why an administrator's act was not done; nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The address is another's.
    #[error("{address} belongs to {owner}; give it up there first")]
    Taken {
        /// Which.
        address: Address,
        /// Whose, for people.
        owner: String,
    },
    /// The number is another's.
    #[error("the number {0} belongs to another member")]
    NumberTaken(String),
    /// The member left.
    #[error("{0} left; `kakitome member rejoin` brings a member back")]
    Left(String),
    /// The member is there.
    #[error("{0} has not left")]
    NotLeft(String),
    /// The address is none of his.
    #[error("{address} is no address of {member}")]
    NotHis {
        /// Which.
        address: Address,
        /// Whose not.
        member: String,
    },
    /// The primary address cannot be given up.
    #[error("{0} is the primary address; make another one primary first")]
    Primary(Address),
    /// Nobody of this name.
    #[error("nobody in the roll has the address or number {0}")]
    Unknown(String),
    /// The environment's.
    #[error(transparent)]
    Fault(#[from] Fault),
}

const MEMBERS: &str = "SELECT m.id, m.number, m.name, m.kind, m.unit, m.source, m.left_at, m.left_note, m.made_at,
        a.address, a.used
    FROM member m LEFT JOIN member_address a ON a.member_id = m.id AND a.used <> 'former'";

/// Who has an address: member, address as it is kept, what it is to him, when he leaves.
struct Holder {
    member: MemberId,
    address: Address,
    used: Option<Use>,
    leaves: Option<Time>,
}

impl Members {
    /// Those of this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// All of them, by unit and name.
    ///
    /// # Errors
    /// The store fails or is damaged.
    pub fn list(&self) -> Result<Vec<Member>, Fault> {
        let mut members = self.store.read(|s| read(s, "", &[]))?;
        members.sort_by_cached_key(|member| {
            (member.unit.clone(), member.name.clone(), member.primary().map(folded), member.id.clone())
        });
        Ok(members)
    }

    /// The member with an address or number.
    ///
    /// # Errors
    /// [`NotDone::Unknown`], or the store's.
    pub fn find(&self, who: &str) -> Result<Member, NotDone> {
        let address = Address::parse(who).ok().map(|address| folded(&address));
        let found = self.store.read(|s| {
            let found = match &address {
                Some(folded) => owner(s, folded)?.filter(|holder| holder.used.is_some()).map(|holder| holder.member),
                None => {
                    s.row("SELECT id FROM member WHERE number = ?1", &[&who], |row| row.text(0))?.map(MemberId::new)
                }
            };
            found.map_or(Ok(None), |id| one(s, &id))
        })?;
        found.ok_or_else(|| NotDone::Unknown(who.to_owned()))
    }

    /// What the roll says of the author of a mail. Who may come in by it, does: the call returns when he is in the store.
    ///
    /// # Errors
    /// The store's, or the randomness fails.
    pub fn standing(&self, address: &Address, joining: Joining, actor: &Actor, now: Time) -> Result<Standing, Fault> {
        if let Some(standing) = self.store.read(|s| known(s, address, now))? {
            return Ok(standing);
        }
        self.store.write(|s| at_first_mail(s, address, joining, actor, now))
    }

    /// What the roll would say of the author of a mail: the same, and nobody comes in. `None`: he would, as somebody new.
    ///
    /// # Errors
    /// The store's.
    pub fn rehearsed(&self, address: &Address, joining: Joining, now: Time) -> Result<Option<Standing>, Fault> {
        self.store.read(|s| {
            Ok(match coming(s, address, joining, now)? {
                Coming::Stands(standing) => Some(standing),
                Coming::Tagged { address, member, .. } => Some(Standing::Member(member, address)),
                Coming::New { .. } => None,
            })
        })
    }

    /// Takes a member in.
    ///
    /// # Errors
    /// [`NotDone`].
    pub fn add(&self, member: &Member, actor: &Actor) -> Result<(), NotDone> {
        self.store.write(|s| insert(s, std::slice::from_ref(member), actor))?
    }

    /// A new member with these words, to be [added](Self::add).
    ///
    /// # Errors
    /// The randomness fails.
    pub fn new_member(
        name: &str,
        kind: Kind,
        unit: &str,
        number: Option<&str>,
        addresses: &[Address],
        now: Time,
        random: &dyn Random,
    ) -> Result<Member, Fault> {
        let listed = Listed {
            line: 0,
            number: number.map(str::to_owned),
            name: name.to_owned(),
            kind,
            unit: Some(unit.to_owned()),
            addresses: addresses.to_vec(),
            leaves: None,
        };
        Ok(Member { source: Source::Command, ..import::made(&listed, new_id(random)?, now) })
    }

    /// Takes in the members of a table: all of these, or none.
    ///
    /// # Errors
    /// [`NotDone`]: the roll changed since it was compared; compare again.
    pub fn add_listed(&self, listed: &[Listed], actor: &Actor, now: Time, random: &dyn Random) -> Result<(), NotDone> {
        let ids = listed.iter().map(|_| new_id(random)).collect::<Result<Vec<_>, _>>()?;
        let made: Vec<Member> = listed.iter().zip(ids).map(|(listed, id)| import::made(listed, id, now)).collect();
        self.store.write(|s| insert(s, &made, actor))?
    }

    /// Changes members: all of these, or none.
    ///
    /// # Errors
    /// [`NotDone`].
    pub fn change(&self, changed: &[Changed], actor: &Actor, now: Time) -> Result<(), NotDone> {
        self.store.write(|s| {
            let all = || changed.iter().flat_map(|one| one.changes.iter().map(|change| (&one.member, change)));
            for (member, change) in all() {
                if let Some(not_done) = hinders(s, member, change)? {
                    return Ok(Err(not_done));
                }
            }
            for (member, change) in all() {
                apply(s, member, change, now)?;
            }
            for Changed { member, changes, .. } in changed {
                let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
                let details = [("changes", &*told.join("; "))];
                record(s, Act::MemberChanged, member, &details, actor, now)?;
            }
            Ok(Ok(()))
        })?
    }

    /// Gives an address up: its certificates stay in the store, and it is nobody's until somebody gets it.
    ///
    /// # Errors
    /// [`NotDone`].
    pub fn give_up(&self, member: &Member, address: &Address, actor: &Actor, now: Time) -> Result<(), NotDone> {
        let folded = folded(address);
        let Some(owned) = member.addresses.iter().find(|owned| super::folded(&owned.address) == folded) else {
            return Err(NotDone::NotHis { address: address.clone(), member: member.to_string() });
        };
        if owned.used == Use::Primary {
            return Err(NotDone::Primary(owned.address.clone()));
        }
        self.store.write(|s| {
            s.run(
                "UPDATE member_address SET used = 'former' WHERE folded = ?1 AND member_id = ?2",
                &[&folded, &member.id.as_str()],
            )?;
            record(s, Act::MemberChanged, member, &[("gives up", &folded)], actor, now)
        })?;
        Ok(())
    }

    /// Ends a membership at a moment, now or ahead.
    ///
    /// # Errors
    /// [`NotDone::Left`] where he left before.
    pub fn leave(&self, member: &Member, leaving: &Leaving, actor: &Actor, now: Time) -> Result<(), NotDone> {
        if !member.is_active(now) {
            return Err(NotDone::Left(member.to_string()));
        }
        self.store.write(|s| {
            s.run(
                "UPDATE member SET left_at = ?2, left_note = ?3 WHERE id = ?1",
                &[&member.id.as_str(), &leaving.at, &leaving.note],
            )?;
            let details = [("leaves", &*leaving.at.to_string()), ("note", &leaving.note)];
            record(s, Act::MemberLeft, member, &details, actor, now)
        })?;
        Ok(())
    }

    /// Brings a member back, or takes back that he leaves.
    ///
    /// # Errors
    /// [`NotDone::NotLeft`].
    pub fn rejoin(&self, member: &Member, actor: &Actor, now: Time) -> Result<(), NotDone> {
        if member.leaving.is_none() {
            return Err(NotDone::NotLeft(member.to_string()));
        }
        self.store.write(|s| {
            s.run("UPDATE member SET left_at = NULL, left_note = '' WHERE id = ?1", &[&member.id.as_str()])?;
            record(s, Act::MemberChanged, member, &[("changes", "rejoins")], actor, now)
        })?;
        Ok(())
    }
}

fn new_id(random: &dyn Random) -> Result<MemberId, Fault> {
    let mut octets = [0; ID_OCTETS];
    random.fill(&mut octets)?;
    Ok(MemberId::new(hex(&octets)))
}

/// What the roll says of the author of a mail, before anything is written.
enum Coming {
    /// It says so already, or he does not come in.
    Stands(Standing),
    /// A plus-address of a member, which becomes one of his.
    Tagged { address: Address, base: Address, member: MemberId },
    /// Somebody new; `base` where the address is a plus-address.
    New { address: Address, base: Option<Address> },
}

fn coming(s: &mut Statements<'_>, address: &Address, joining: Joining, now: Time) -> Result<Coming, Fault> {
    if let Some(standing) = known(s, address, now)? {
        return Ok(Coming::Stands(standing));
    }
    let address = canonical(address).map_err(Fault::bug)?;
    let base = untagged(&address).filter(|_| joining.plus_addresses);
    if let Some(base) = &base {
        match owner(s, &folded(base))? {
            Some(holder) if holder.used.is_none() => return Ok(Coming::Stands(Standing::Left(now))),
            Some(Holder { leaves: Some(at), .. }) if at <= now => return Ok(Coming::Stands(Standing::Left(at))),
            Some(Holder { member, .. }) => {
                let count = s.row(
                    "SELECT count(*) FROM member_address WHERE member_id = ?1 AND used = 'tagged'",
                    &[&member.as_str()],
                    |row| row.integer(0),
                )?;
                if count.is_some_and(|count| usize::try_from(count).is_ok_and(|count| count >= TAGGED_LIMIT)) {
                    return Ok(Coming::Stands(Standing::TooManyTags));
                }
                return Ok(Coming::Tagged { address, base: base.clone(), member });
            }
            None => {}
        }
    }
    if !joining.by_first_mail {
        return Ok(Coming::Stands(Standing::NotListed));
    }
    Ok(Coming::New { address, base })
}

/// Who comes in by a mail, comes in; what the roll says of him then. Part of a larger step.
///
/// # Errors
/// The store's.
pub fn at_first_mail(
    s: &mut Statements<'_>,
    address: &Address,
    joining: Joining,
    actor: &Actor,
    now: Time,
) -> Result<Standing, Fault> {
    let (address, base) = match coming(s, address, joining, now)? {
        Coming::Stands(standing) => return Ok(standing),
        Coming::Tagged { address, base, member } => {
            put_address(s, &member, &address, Use::Tagged, now)?;
            let subject = address.to_string();
            let details = [("changes", "a further address by its first mail"), ("of", &*base.to_string())];
            audit::record(s, &Entry { actor, act: Act::MemberChanged, subject: &subject, details: &details, at: now })?;
            return Ok(Standing::Member(member, address));
        }
        Coming::New { address, base } => (address, base),
    };
    // Rows of addresses are never taken out, so this was nobody's identifier.
    let id = &MemberId::new(folded(base.as_ref().unwrap_or(&address)));
    insert_member(
        s,
        &Member {
            id: id.clone(),
            number: None,
            name: String::new(),
            kind: Kind::Person,
            unit: String::new(),
            source: Source::FirstMail,
            leaving: None,
            made_at: now,
            addresses: Vec::new(),
        },
    )?;
    if let Some(base) = &base {
        put_address(s, id, base, Use::Primary, now)?;
    }
    put_address(s, id, &address, if base.is_some() { Use::Tagged } else { Use::Primary }, now)?;
    let subject = address.to_string();
    let details = [("source", Source::FirstMail.name())];
    audit::record(s, &Entry { actor, act: Act::MemberAdded, subject: &subject, details: &details, at: now })?;
    Ok(Standing::Member(id.clone(), address))
}

/// Whoever has this address stands in the roll afterwards: for certificates that are made or taken in for it.
///
/// # Errors
/// The store's.
pub fn ensure(s: &mut Statements<'_>, address: &Address, actor: &Actor, now: Time) -> Result<(), Fault> {
    at_first_mail(s, address, Joining { by_first_mail: true, plus_addresses: false }, actor, now)?;
    Ok(())
}

/// What the roll says of an address that stands in it.
fn known(s: &mut Statements<'_>, address: &Address, now: Time) -> Result<Option<Standing>, Fault> {
    Ok(owner(s, &folded(address))?.map(|holder| match holder {
        Holder { leaves: Some(at), .. } if at <= now => Standing::Left(at),
        Holder { used: None, .. } => Standing::Left(now),
        Holder { member, address, .. } => Standing::Member(member, address),
    }))
}

/// Whose an address is, or was: then `used` is `None`.
fn owner(s: &mut Statements<'_>, folded: &str) -> Result<Option<Holder>, Fault> {
    s.row(
        "SELECT m.id, a.address, a.used, m.left_at FROM member_address a JOIN member m ON m.id = a.member_id
         WHERE a.folded = ?1",
        &[&folded],
        |row| {
            Ok(Holder {
                member: MemberId::new(row.text(0)?),
                address: address_in(row, 1)?,
                used: used(&row.text(2)?),
                leaves: row.maybe_time(3)?,
            })
        },
    )
}

fn one(s: &mut Statements<'_>, id: &MemberId) -> Result<Option<Member>, Fault> {
    Ok(read(s, "WHERE m.id = ?1", &[&id.as_str()])?.pop())
}

fn read(s: &mut Statements<'_>, which: &str, values: &[&dyn Bind]) -> Result<Vec<Member>, Fault> {
    let statement = format!("{MEMBERS} {which} ORDER BY m.id, a.address");
    let rows = s.rows(&statement, values, |row: &Row<'_>| {
        let owned = match row.maybe_text(10)? {
            Some(named) => Some((address_in(row, 9)?, used(&named))),
            None => None,
        };
        let member = Member {
            id: MemberId::new(row.text(0)?),
            number: row.maybe_text(1)?,
            name: row.text(2)?,
            kind: named(&Kind::ALL, Kind::name, &row.text(3)?).unwrap_or(Kind::Person),
            unit: row.text(4)?,
            source: named(&Source::ALL, Source::name, &row.text(5)?).unwrap_or(Source::FirstMail),
            leaving: row.maybe_time(6)?.zip(Some(row.text(7)?)).map(|(at, note)| Leaving { at, note }),
            made_at: row.time(8)?,
            addresses: Vec::new(),
        };
        Ok((member, owned))
    })?;
    let mut members: Vec<Member> = Vec::new();
    for (member, owned) in rows {
        if members.last().is_none_or(|last| last.id != member.id) {
            members.push(member);
        }
        if let (Some(last), Some((address, Some(used)))) = (members.last_mut(), owned) {
            let at = if used == Use::Primary { 0 } else { last.addresses.len() };
            last.addresses.insert(at, Owned { address, used });
        }
    }
    Ok(members)
}

fn address_in(row: &Row<'_>, column: usize) -> Result<Address, Fault> {
    let text = row.text(column)?;
    Address::parse(&text).map_err(|refused| row.damaged(format!("{text} is no address: {refused}")))
}

fn used(name: &str) -> Option<Use> {
    named(&Use::ALL, Use::name, name)
}

/// What a name in the store stands for.
fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|one| name(*one) == text)
}

/// Puts members in: all of them, or none.
fn insert(s: &mut Statements<'_>, members: &[Member], actor: &Actor) -> Result<Result<(), NotDone>, Fault> {
    for member in members {
        if let Some(number) = &member.number
            && s.exists("SELECT 1 FROM member WHERE number = ?1", &[number])?
        {
            return Ok(Err(NotDone::NumberTaken(number.clone())));
        }
        for owned in &member.addresses {
            if let Some(taken) = taken(s, &member.id, &owned.address)? {
                return Ok(Err(taken));
            }
        }
    }
    for member in members {
        insert_member(s, member)?;
        for owned in &member.addresses {
            put_address(s, &member.id, &owned.address, owned.used, member.made_at)?;
        }
        let details = [("source", member.source.name()), ("name", &member.name), ("unit", &member.unit)];
        record(s, Act::MemberAdded, member, &details, actor, member.made_at)?;
    }
    Ok(Ok(()))
}

/// Records what was done to a member, by the address that he is known by.
fn record(
    s: &mut Statements<'_>,
    act: Act,
    member: &Member,
    details: &[(&str, &str)],
    actor: &Actor,
    at: Time,
) -> Result<(), Fault> {
    let subject = member.primary().map(ToString::to_string).unwrap_or_default();
    audit::record(s, &Entry { actor, act, subject: &subject, details, at })?;
    Ok(())
}

/// Is an address another member's?
fn taken(s: &mut Statements<'_>, id: &MemberId, address: &Address) -> Result<Option<NotDone>, Fault> {
    match owner(s, &folded(address))? {
        Some(holder) if holder.used.is_some() && holder.member != *id => {
            let owner = one(s, &holder.member)?.map(|member| member.to_string()).unwrap_or_default();
            Ok(Some(NotDone::Taken { address: address.clone(), owner }))
        }
        _ => Ok(None),
    }
}

fn insert_member(s: &mut Statements<'_>, member: &Member) -> Result<(), Fault> {
    s.run(
        "INSERT INTO member (id, number, name, kind, unit, source, left_at, left_note, made_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            &member.id.as_str(),
            &member.number,
            &member.name,
            &member.kind.name(),
            &member.unit,
            &member.source.name(),
            &member.leaving.as_ref().map(|leaving| leaving.at),
            &member.leaving.as_ref().map_or("", |leaving| &leaving.note),
            &member.made_at,
        ],
    )?;
    Ok(())
}

/// Gives a member an address that is nobody's.
fn put_address(s: &mut Statements<'_>, id: &MemberId, address: &Address, used: Use, now: Time) -> Result<(), Fault> {
    let folded = folded(address);
    let moved = s.run(
        "UPDATE member_address SET member_id = ?2, used = ?3 WHERE folded = ?1",
        &[&folded, &id.as_str(), &used.name()],
    )?;
    if moved == 0 {
        s.run(
            "INSERT INTO member_address (address, made_at, member_id, used, folded) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[&address.to_string(), &now, &id.as_str(), &used.name(), &folded],
        )?;
    }
    Ok(())
}

/// Why a change cannot be made.
fn hinders(s: &mut Statements<'_>, member: &Member, change: &Change) -> Result<Option<NotDone>, Fault> {
    match change {
        Change::Number(number) => {
            let other = "SELECT 1 FROM member WHERE number = ?2 AND id <> ?1";
            let is_taken = s.exists(other, &[&member.id.as_str(), number])?;
            Ok(is_taken.then(|| NotDone::NumberTaken(number.clone())))
        }
        Change::Address(address) | Change::Primary(address) => taken(s, &member.id, address),
        Change::Name(_) | Change::Unit(_) | Change::Kind(_) | Change::Leaves(_) => Ok(None),
    }
}

fn apply(s: &mut Statements<'_>, member: &Member, change: &Change, now: Time) -> Result<(), Fault> {
    let id = member.id.as_str();
    match change {
        Change::Name(name) => s.run("UPDATE member SET name = ?2 WHERE id = ?1", &[&id, name])?,
        Change::Unit(unit) => s.run("UPDATE member SET unit = ?2 WHERE id = ?1", &[&id, unit])?,
        Change::Kind(kind) => s.run("UPDATE member SET kind = ?2 WHERE id = ?1", &[&id, &kind.name()])?,
        Change::Number(number) => s.run("UPDATE member SET number = ?2 WHERE id = ?1", &[&id, number])?,
        Change::Leaves(at) => s.run("UPDATE member SET left_at = ?2 WHERE id = ?1", &[&id, at])?,
        Change::Address(address) => return put_address(s, &member.id, address, Use::Further, now),
        Change::Primary(address) => {
            s.run("UPDATE member_address SET used = 'further' WHERE member_id = ?1 AND used = 'primary'", &[&id])?;
            return put_address(s, &member.id, address, Use::Primary, now);
        }
    };
    Ok(())
}
