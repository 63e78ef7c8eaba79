//! What a table would change in the roll: planned first, as plain data, so that a rehearsal and the act cannot differ.
//!
//! A table adds and changes, and takes nothing away: an address that it does not name stays with its member, and who is
//! missing from it is only reported, unless the caller lets the missing leave. So a second run changes nothing.

use std::collections::HashMap;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;

use super::columns::{Listed, Refused, Table};
use super::{Kind, Leaving, Member, MemberId, Source, Use, folded};

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// New members.
    pub added: Vec<Listed>,
    /// Members that change.
    pub changed: Vec<Changed>,
    /// How many stay as they are.
    pub same: usize,
    /// Active members who came in by a table and are missing from this one. Where records were refused, one of them may
    /// be theirs.
    pub missing: Vec<Member>,
    /// Records that do not count.
    pub refused: Vec<Refused>,
}

/// A member that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Who.
    pub member: Member,
    /// The line of the table.
    pub line: u64,
    /// How.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another name.
    Name(String),
    /// Another unit.
    Unit(String),
    /// Another number.
    Number(String),
    /// A person that is a role, or the other way round.
    Kind(Kind),
    /// An address more.
    Address(Address),
    /// Another primary address, which is his already or among those added.
    Primary(Address),
    /// The end of the membership.
    Leaves(Time),
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "name {name}"),
            Self::Unit(unit) => write!(f, "unit {unit}"),
            Self::Number(number) => write!(f, "number {number}"),
            Self::Kind(kind) => write!(f, "kind {}", kind.name()),
            Self::Address(address) => write!(f, "a further address {address}"),
            Self::Primary(address) => write!(f, "the primary address {address}"),
            Self::Leaves(at) => write!(f, "leaves {at}"),
        }
    }
}

/// The roll, to be looked up in.
struct Roll<'a> {
    numbers: HashMap<&'a str, usize>,
    addresses: HashMap<String, usize>,
    members: &'a [Member],
}

impl<'a> Roll<'a> {
    fn new(members: &'a [Member]) -> Self {
        let (mut numbers, mut addresses) = (HashMap::new(), HashMap::new());
        for (at, member) in members.iter().enumerate() {
            numbers.extend(member.number.as_deref().map(|number| (number, at)));
            addresses.extend(member.addresses.iter().map(|owned| (folded(&owned.address), at)));
        }
        Self { numbers, addresses, members }
    }

    /// Whom a record is about. Number and addresses must lead to one.
    fn find(&self, listed: &Listed) -> Result<Option<usize>, String> {
        let mut found = listed.number.as_deref().and_then(|number| self.numbers.get(number)).copied();
        for address in &listed.addresses {
            match (found, self.addresses.get(&folded(address))) {
                (Some(one), Some(other)) if one != *other => {
                    let other = self.members.get(*other).map(ToString::to_string).unwrap_or_default();
                    return Err(format!("{address} belongs to {other}; first give it up there, or correct the table"));
                }
                (None, Some(at)) => found = Some(*at),
                _ => {}
            }
        }
        let clash =
            |member: &&Member| member.number.is_some() && listed.number.is_some() && member.number != listed.number;
        match found.and_then(|at| self.members.get(at)).filter(clash) {
            Some(member) => Err(format!(
                "{member} has the number {} in the roll; if it is the same person, change it with `kakitome member change`",
                member.number.as_deref().unwrap_or_default()
            )),
            None => Ok(found),
        }
    }
}

/// Compares a table with the roll.
pub fn plan(table: Table, roll: &[Member], now: Time) -> Plan {
    let index = Roll::new(roll);
    let mut plan = Plan { refused: table.refused, ..Plan::default() };
    let mut met = vec![false; roll.len()];
    for listed in table.listed {
        let found = match index.find(&listed) {
            Ok(found) => found,
            Err(why) => {
                plan.refused.push(Refused { line: listed.line, why });
                continue;
            }
        };
        let Some((at, member)) = found.and_then(|at| Some((at, roll.get(at)?))) else {
            plan.added.push(listed);
            continue;
        };
        if met.get(at).copied().unwrap_or_default() {
            let why = format!("{member} stands in the table already");
            plan.refused.push(Refused { line: listed.line, why });
            continue;
        }
        if let Some(met) = met.get_mut(at) {
            *met = true;
        }
        if !member.is_active(now) {
            // Who left, and stands in a table with the day, is as he should be.
            if listed.leaves.is_some_and(|leaves| leaves <= now) {
                plan.same = plan.same.saturating_add(1);
            } else {
                let why = format!("{member} left; if he is back, run `kakitome member rejoin`");
                plan.refused.push(Refused { line: listed.line, why });
            }
            continue;
        }
        let line = listed.line;
        match changes(member, listed) {
            changes if changes.is_empty() => plan.same = plan.same.saturating_add(1),
            changes => plan.changed.push(Changed { member: member.clone(), line, changes }),
        }
    }
    let is_missing = |(member, met): &(&Member, &bool)| {
        !**met && member.source == Source::Table && member.is_active(now) && member.leaving.is_none()
    };
    plan.missing = roll.iter().zip(&met).filter(is_missing).map(|(member, _)| member.clone()).collect();
    plan.refused.sort_by_key(|refused| refused.line);
    plan
}

fn changes(member: &Member, listed: Listed) -> Vec<Change> {
    let mut changes = Vec::new();
    let has = |address: &Address| member.addresses.iter().any(|owned| folded(&owned.address) == folded(address));
    if !listed.name.is_empty() && listed.name != member.name {
        changes.push(Change::Name(listed.name));
    }
    changes.extend(listed.unit.filter(|unit| *unit != member.unit).map(Change::Unit));
    changes.extend(listed.number.filter(|_| member.number.is_none()).map(Change::Number));
    if listed.kind != member.kind && listed.kind == Kind::Role {
        changes.push(Change::Kind(listed.kind));
    }
    changes.extend(listed.addresses.iter().filter(|address| !has(address)).cloned().map(Change::Address));
    if let Some(primary) = listed.addresses.first()
        && member.primary().map(folded) != Some(folded(primary))
    {
        changes.push(Change::Primary(primary.clone()));
    }
    let planned = member.leaving.as_ref().map(|leaving| leaving.at);
    changes.extend(listed.leaves.filter(|leaves| planned != Some(*leaves)).map(Change::Leaves));
    changes
}

/// The member that a record makes.
pub(super) fn made(listed: &Listed, id: MemberId, now: Time) -> Member {
    let owned = |(at, address): (usize, &Address)| super::Owned {
        address: address.clone(),
        used: if at == 0 { Use::Primary } else { Use::Further },
    };
    Member {
        id,
        number: listed.number.clone(),
        name: listed.name.clone(),
        kind: listed.kind,
        unit: listed.unit.clone().unwrap_or_default(),
        source: Source::Table,
        leaving: listed.leaves.map(|at| Leaving { at, note: String::new() }),
        made_at: now,
        addresses: listed.addresses.iter().enumerate().map(owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn table(text: &str) -> Table {
        Table::read(text.as_bytes(), &["b.example".to_owned()]).unwrap()
    }

    fn roll(text: &str) -> Vec<Member> {
        let listed = table(text).listed;
        listed.iter().enumerate().map(|(at, listed)| made(listed, MemberId::new(format!("m{at}")), NOW)).collect()
    }

    #[test]
    fn a_table_adds_and_changes_and_takes_nothing_away() {
        const ROLL: &str = "number,name,mail,mail2,unit\n1,Alice,alice@b.example,al@b.example,Sales\n2,Bob,bob@b.example,,IT\n\
                            3,Carol,carol@b.example,,IT\n";
        // table; added, changes, same, missing, refused
        type Row<'a> = (&'a str, usize, &'a [&'a str], usize, usize, &'a [&'a str]);
        let rows: &[Row<'_>] = &[
            (ROLL, 0, &[], 3, 0, &[]),
            ("mail\nalice@b.example\nBOB@b.example\ncarol@b.example\n", 0, &[], 3, 0, &[]),
            ("mail\nal@b.example\n", 0, &["the primary address al@b.example"], 0, 2, &[]),
            ("mail,name\ndan@b.example,Dan\n", 1, &[], 0, 3, &[]),
            (
                "number,name,mail\n1,Alice Smith,alice.smith@b.example\n",
                0,
                &[
                    "name Alice Smith",
                    "a further address alice.smith@b.example",
                    "the primary address alice.smith@b.example",
                ],
                0,
                2,
                &[],
            ),
            ("mail,unit\nbob@b.example,Sales\n", 0, &["unit Sales"], 0, 2, &[]),
            ("mail,left\nbob@b.example,2028-01-31\n", 0, &["leaves 2028-02-01T00:00:00Z"], 0, 2, &[]),
            ("mail,kind\nbob@b.example,共有\n", 0, &["kind role"], 0, 2, &[]),
            ("number,mail\n1,bob@b.example\n", 0, &[], 0, 3, &["belongs to Bob"]),
            ("number,mail\n9,bob@b.example\n", 0, &[], 0, 3, &["has the number 2"]),
            ("mail\nalice@b.example\nal@b.example\n", 0, &[], 1, 2, &["stands in the table already"]),
            ("mail,mail2\nalice@b.example,bob@b.example\n", 0, &[], 0, 3, &["belongs to Bob"]),
        ];
        for (text, added, changes, same, missing, refused) in rows {
            let plan = plan(table(text), &roll(ROLL), NOW);
            let told: Vec<String> =
                plan.changed.iter().flat_map(|changed| changed.changes.iter().map(ToString::to_string)).collect();
            assert_eq!((plan.added.len(), told), (*added, changes.iter().map(ToString::to_string).collect()), "{text}");
            assert_eq!((plan.same, plan.missing.len()), (*same, *missing), "{text}");
            assert_eq!(plan.refused.len(), refused.len(), "{text}: {:?}", plan.refused);
            for (found, why) in plan.refused.iter().zip(*refused) {
                assert!(found.why.contains(why), "{text}: {found:?}");
            }
        }
    }

    #[test]
    fn who_left_is_not_brought_back_by_a_table() {
        let mut members = roll("mail\na@b.example\n");
        members[0].leaving = Some(Leaving { at: NOW.plus(-1), note: String::new() });
        let refused = |text: &str, members: &[Member]| plan(table(text), members, NOW).refused.len();
        assert_eq!(refused("mail\na@b.example\n", &members), 1);
        assert_eq!(refused("mail,left\na@b.example,2020-01-01\n", &members), 0);
        // And one who came by a mail is not missed by a table that never had him.
        members[0].leaving = None;
        assert_eq!(plan(table("mail\nx@b.example\n"), &members, NOW).missing.len(), 1);
        members[0].source = Source::FirstMail;
        assert_eq!(plan(table("mail\nx@b.example\n"), &members, NOW).missing.len(), 0);
    }
}
