//! Who lacks which certificate, and why: computed from what stands in the store, by nothing else.

use std::collections::{HashMap, HashSet};

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::issue::MailUse;

use super::Terms;
use super::calendar::renewal;
use crate::authority::OWN;
use crate::fault::Fault;
use crate::members::Use;
use crate::store::{Row, Statements};

/// A certificate that is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// For which address.
    pub address: Address,
    /// What for: signing, or encryption.
    pub usage: MailUse,
    /// Why.
    pub why: Why,
    /// Which of the address's certificates for this use it is to be ([`Asked::ordinal`](crate::authority::issuer::Asked)).
    pub ordinal: i64,
}

/// Why a certificate is lacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// There is none that is valid.
    Missing,
    /// Two thirds of its life are over.
    Due,
    /// It is to be replaced.
    Replaced,
}

/// An address that may have certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address.
    pub address: String,
    /// What it is to its member.
    pub used: Use,
    /// Where its member is in the organisation.
    pub unit: String,
}

/// A certificate that counts: issued or imported, not revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// For whom.
    pub address: String,
    /// What for.
    pub usage: MailUse,
    /// By which of the ways to certificates it came.
    pub issuer: String,
    /// Which CA signed it.
    pub authority: String,
    /// Valid from.
    pub from: Time,
    /// Valid until.
    pub until: Time,
    /// When it was made here.
    pub made_at: Time,
}

/// Until when certificates last.
#[derive(Clone, Debug, Default)]
pub struct Ends(HashMap<(String, bool), Time>);

impl Ends {
    /// Until when an address can sign (`signs`), or mail to it can be encrypted; `None` where it has no certificate for
    /// that.
    pub fn until(&self, address: &str, signs: bool) -> Option<Time> {
        self.0.get(&(address.to_owned(), signs)).copied()
    }
}

/// Everything that decides who lacks what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// The addresses of the active members.
    pub places: Vec<Place>,
    /// Their certificates, those that ended left out.
    pub held: Vec<Held>,
    /// Those that were revoked because their CA was: they are to be replaced, though they do not count.
    pub lost: Vec<Held>,
    /// Addresses for which a CA outside was asked, and has not answered.
    pub waiting: Vec<(String, MailUse)>,
    /// The last ordinal of each address and use, where there is one.
    pub ordinals: Vec<(String, MailUse, i64)>,
}

/// What is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// Certificates that are not there. An address with a plus gets one by its first mail alone.
    Missing,
    /// Certificates that are to be renewed, for those who have some: `until` is when one made now would end.
    Due,
    /// Every certificate that counts, whatever its age: it is made anew.
    Held,
    /// Certificates of one issuer (by name, or by the CA's identifier) that were made before a moment.
    Of {
        /// Whose.
        issuer: &'a str,
        /// Before when.
        made_before: Time,
    },
}

/// By which of the ways to certificates those came that were bought.
pub const IMPORTED: &str = "import";

impl Stock {
    /// Reads it.
    ///
    /// # Errors
    /// The store's.
    pub fn read(s: &mut Statements<'_>, now: Time) -> Result<Self, Fault> {
        let places = s.rows(
            "SELECT a.address, a.used, m.unit FROM member_address a JOIN member m ON m.id = a.member_id
             WHERE a.used <> 'former' AND (m.left_at IS NULL OR m.left_at > ?1) ORDER BY a.address",
            &[&now],
            |row: &Row<'_>| {
                let used = row.text(1)?;
                let used = Use::ALL.into_iter().find(|one| one.name() == used).unwrap_or(Use::Further);
                Ok(Place { address: row.text(0)?, used, unit: row.text(2)? })
            },
        )?;
        let held = |row: &Row<'_>| {
            Ok(Held {
                address: row.text(0)?,
                usage: usage(&row.text(1)?),
                issuer: row.text(2)?,
                authority: row.text(3)?,
                from: row.time(4)?,
                until: row.time(5)?,
                made_at: row.time(6)?,
            })
        };
        let lost = s.rows(
            "SELECT address, purpose, issuer, authority, not_before, not_after, made_at FROM certificate
             WHERE state = 'revoked' AND not_after > ?1 AND authority IN (
                 SELECT a.id FROM authority a JOIN authority_certificate c
                     ON c.authority = a.parent AND c.key_id = a.key_id AND c.role = 'issuing'
                 WHERE c.revoked_at IS NOT NULL)",
            &[&now],
            held,
        )?;
        let held = s.rows(
            "SELECT address, purpose, issuer, authority, not_before, not_after, made_at FROM certificate
             WHERE state IN ('issued', 'imported') AND not_after > ?1",
            &[&now],
            held,
        )?;
        let waiting = s.rows(
            "SELECT address, purpose FROM certificate_request WHERE state IN ('waiting', 'sent')",
            &[],
            |row: &Row<'_>| Ok((row.text(0)?, usage(&row.text(1)?))),
        )?;
        let ordinals = s.rows(
            "SELECT address, purpose, MAX(ordinal) FROM certificate WHERE ordinal IS NOT NULL AND state <> 'begun'
             GROUP BY address, purpose",
            &[],
            |row: &Row<'_>| Ok((row.text(0)?, usage(&row.text(1)?), row.integer(2)?)),
        )?;
        Ok(Self { places, held, lost, waiting, ordinals })
    }

    /// The certificate that counts for an address and a use: what was bought first, then the one that lasts longest.
    fn best(&self, now: Time) -> HashMap<(&str, bool), &Held> {
        let mut best: HashMap<(&str, bool), &Held> = HashMap::new();
        for held in &self.held {
            for signs in [true, false] {
                if if signs { held.usage.signs() } else { held.usage.encrypts() } {
                    let place = best.entry((held.address.as_str(), signs)).or_insert(held);
                    let rank = |held: &Held| (held.issuer == IMPORTED && held.until > now, held.until, held.made_at);
                    if rank(held) > rank(place) {
                        *place = held;
                    }
                }
            }
        }
        best
    }

    /// What addresses had of an issuer that was revoked.
    fn lost_by(&self, which: Which<'_>) -> HashSet<(&str, bool)> {
        let Which::Of { issuer, .. } = which else { return HashSet::new() };
        let of_it = self.lost.iter().filter(|lost| lost.issuer == issuer || lost.authority == issuer);
        of_it
            .flat_map(|lost| {
                [(true, lost.usage.signs()), (false, lost.usage.encrypts())].map(|(signs, is)| (lost, signs, is))
            })
            .filter(|(.., is)| *is)
            .map(|(lost, signs, _)| (lost.address.as_str(), signs))
            .collect()
    }

    /// Until when each address can sign, and mail to it can be encrypted.
    pub fn ends(&self) -> Ends {
        let mut ends = HashMap::new();
        for held in &self.held {
            for (signs, is) in [(true, held.usage.signs()), (false, held.usage.encrypts())] {
                if is {
                    let end = ends.entry((held.address.clone(), signs)).or_insert(held.until);
                    *end = held.until.max(*end);
                }
            }
        }
        Ends(ends)
    }

    /// What is lacking, in the order of the addresses. `end` is when the issuer's own certificate ends: a new one that
    /// would last no longer than the old one is none.
    pub fn lacking(&self, which: Which<'_>, terms: &Terms, end: Time, now: Time) -> Vec<Lack> {
        let best = self.best(now);
        let waiting: HashSet<(&str, bool)> = self
            .waiting
            .iter()
            .flat_map(|(address, usage)| {
                let uses = [(true, usage.signs()), (false, usage.encrypts())];
                uses.into_iter().filter(|(_, is)| *is).map(|(signs, _)| (address.as_str(), signs))
            })
            .collect();
        let last: HashMap<(&str, bool), i64> =
            self.ordinals.iter().map(|(address, usage, last)| ((address.as_str(), usage.signs()), *last)).collect();
        let lost = self.lost_by(which);
        let mut lacks = Vec::new();
        let mut by_address: HashMap<&str, Vec<&Held>> = HashMap::new();
        if !terms.routes.0.is_empty() {
            for held in self.held.iter().filter(|held| held.from <= now) {
                by_address.entry(held.address.as_str()).or_default().push(held);
            }
        }
        for place in &self.places {
            let route = terms.routes.of(&place.unit);
            if route != OWN {
                let waits = [true, false].iter().any(|signs| waiting.contains(&(place.address.as_str(), *signs)));
                let held = by_address.get(place.address.as_str()).map(Vec::as_slice).unwrap_or_default();
                let was_lost = [true, false].iter().any(|signs| lost.contains(&(place.address.as_str(), *signs)));
                let why = if waits { None } else { why_of_portal(place, route, held, was_lost, which, terms, now) };
                if let (Some(why), Ok(address)) = (why, Address::parse(&place.address)) {
                    // Its requests have no place of their own: one that waits for an answer is enough.
                    lacks.push(Lack { address, usage: MailUse::Both, why, ordinal: 1 });
                }
                continue;
            }
            for (signs, usage) in [(true, MailUse::Sign), (false, MailUse::Encrypt)] {
                let key = (place.address.as_str(), signs);
                let held = best.get(&key).filter(|held| held.from <= now);
                let why = match (which, held) {
                    (Which::Missing, None) if place.used != Use::Tagged => Why::Missing,
                    (Which::Due, Some(held)) if is_due(held, terms.until(usage, now).min(end), now) => Why::Due,
                    (Which::Held, Some(_)) => Why::Replaced,
                    (Which::Of { .. }, None) if lost.contains(&key) => Why::Replaced,
                    (Which::Of { issuer, made_before }, Some(held))
                        if (held.issuer == issuer || held.authority == issuer) && held.made_at < made_before =>
                    {
                        Why::Replaced
                    }
                    _ => continue,
                };
                if waiting.contains(&key) {
                    continue;
                }
                // What stands in the store was read as an address when it came in.
                if let Ok(address) = Address::parse(&place.address) {
                    let ordinal = last.get(&key).copied().unwrap_or(0).saturating_add(1);
                    lacks.push(Lack { address, usage, why, ordinal });
                }
            }
        }
        lacks
    }
}

/// Why an address is in want of a certificate of a CA with a portal: one for both uses. What the own CA made for it does
/// not count; what was bought on another way does.
fn why_of_portal(
    place: &Place,
    route: &str,
    held: &[&Held],
    was_lost: bool,
    which: Which<'_>,
    terms: &Terms,
    now: Time,
) -> Option<Why> {
    let counts: Vec<&Held> =
        held.iter().copied().filter(|held| held.issuer == route || held.issuer == IMPORTED).collect();
    let last = |is: fn(&Held) -> bool| counts.iter().filter(|held| is(held)).max_by_key(|held| held.until).copied();
    let used = [last(|held| held.usage.signs()), last(|held| held.usage.encrypts())];
    let is_any = |wanted: &dyn Fn(&Held) -> bool| used.iter().flatten().any(|held| wanted(held));
    match which {
        Which::Missing if place.used != Use::Tagged && used.iter().any(Option::is_none) => Some(Why::Missing),
        // Until when its next one lasts is not known; longer than this one.
        Which::Due if is_any(&|held| is_due(held, terms.until(held.usage, now).max(held.until.plus(1)), now)) => {
            Some(Why::Due)
        }
        Which::Held if is_any(&|_| true) => Some(Why::Replaced),
        Which::Of { issuer, made_before }
            if was_lost
                || is_any(&|held| {
                    (held.issuer == issuer || held.authority == issuer) && held.made_at < made_before
                }) =>
        {
            Some(Why::Replaced)
        }
        _ => None,
    }
}

/// Two thirds of its life are over, and a new one would last longer. What was bought is not replaced by one of another
/// issuer on its own.
fn is_due(held: &Held, new_until: Time, now: Time) -> bool {
    held.issuer != IMPORTED && now >= renewal(held.from, held.until) && held.until < new_until
}

fn usage(name: &str) -> MailUse {
    match name {
        "sign" => MailUse::Sign,
        "encrypt" => MailUse::Encrypt,
        _ => MailUse::Both,
    }
}

#[cfg(test)]
mod tests {
    use kakitome_pki::crypto::KeyKind;

    use super::super::{Route, Routes};
    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const NOW: Time = Time::from_unix(1_800_000_000);
    const TERMS: Terms = Terms { key: KeyKind::P256, signing_days: 300, encryption_days: 600, routes: Routes::OWN };

    fn held(usage: MailUse, issuer: &str, made: i64, days: i64) -> Held {
        let from = NOW.plus(made * DAY);
        let (address, issuer) = ("a@b.example".to_owned(), issuer.to_owned());
        Held {
            address,
            usage,
            authority: format!("CA of {issuer}"),
            issuer,
            from,
            until: from.plus(days * DAY),
            made_at: from,
        }
    }

    #[test]
    fn what_is_lacking_is_what_the_rows_say() {
        use MailUse::{Both, Encrypt, Sign};
        let sign = |made, days| held(Sign, "own", made, days);
        let encrypt = || held(Encrypt, "own", -1, 600);
        let of_old = Which::Of { issuer: "old", made_before: NOW };
        let far = NOW.plus(10_000 * DAY);
        // what is held, what waits, which, the issuer's end: which uses are lacking
        type Row<'a> = (Vec<Held>, Vec<MailUse>, Which<'a>, Time, Vec<MailUse>);
        let rows: Vec<Row<'_>> = vec![
            (vec![], vec![], Which::Missing, far, vec![Sign, Encrypt]),
            (vec![], vec![], Which::Due, far, vec![]),
            (vec![], vec![Sign], Which::Missing, far, vec![Encrypt]),
            (vec![], vec![Both], Which::Missing, far, vec![]),
            (vec![sign(-1, 300)], vec![], Which::Missing, far, vec![Encrypt]),
            (vec![held(Both, "own", -1, 300)], vec![], Which::Missing, far, vec![]),
            (vec![sign(-1, 300), encrypt()], vec![], Which::Due, far, vec![]),
            (vec![sign(-199, 300), encrypt()], vec![], Which::Due, far, vec![]),
            (vec![sign(-200, 300), encrypt()], vec![], Which::Due, far, vec![Sign]),
            (vec![sign(-200, 300), sign(-1, 300), encrypt()], vec![], Which::Due, far, vec![]),
            (vec![sign(-200, 300), encrypt()], vec![Sign], Which::Due, far, vec![]),
            // one that would end with the issuer, as the old one does, is no gain
            (vec![sign(-200, 300), encrypt()], vec![], Which::Due, NOW.plus(100 * DAY), vec![]),
            (vec![sign(-200, 300), encrypt()], vec![], Which::Due, NOW.plus(101 * DAY), vec![Sign]),
            // bought
            (vec![held(Both, IMPORTED, -200, 300)], vec![], Which::Due, far, vec![]),
            // not yet valid
            (vec![sign(1, 300)], vec![], Which::Missing, far, vec![Sign, Encrypt]),
            (vec![held(Sign, "old", -9, 300), encrypt()], vec![], of_old, far, vec![Sign]),
            (vec![held(Both, "old", -9, 300)], vec![], of_old, far, vec![Sign, Encrypt]),
            (vec![held(Sign, "old", -9, 300), sign(0, 398)], vec![], of_old, far, vec![]),
            (vec![sign(-9, 300)], vec![], Which::Of { issuer: "CA of own", made_before: NOW }, far, vec![Sign]),
            (vec![sign(0, 300)], vec![], Which::Of { issuer: "own", made_before: NOW }, far, vec![]),
        ];
        for (held, waiting, which, end, expected) in rows {
            let place = |used| Place { address: "a@b.example".to_owned(), used, unit: String::new() };
            let waiting = waiting.into_iter().map(|usage| ("a@b.example".to_owned(), usage)).collect();
            let mut stock = Stock { places: vec![place(Use::Primary)], held, waiting, ..Stock::default() };
            let uses = |stock: &Stock| -> Vec<MailUse> {
                stock.lacking(which, &TERMS, end, NOW).iter().map(|lack| lack.usage).collect()
            };
            assert_eq!(uses(&stock), expected, "{stock:?} {which:?}");
            stock.places = vec![place(Use::Tagged)];
            assert_eq!(
                uses(&stock),
                if which == Which::Missing { vec![] } else { expected },
                "tagged {stock:?} {which:?}"
            );
        }
    }

    #[test]
    fn a_ca_with_a_portal_is_asked_for_one_certificate_and_not_twice() {
        use MailUse::{Both, Sign};
        let routes = Routes(vec![Route { unit: Some("Sales".to_owned()), issuer: "bought".to_owned() }]);
        let terms = Terms { routes, ..TERMS };
        let end = NOW.plus(10_000 * DAY);
        let of_bought = Which::Of { issuer: "bought", made_before: NOW };
        // what is held, what waits, which: is it lacking?
        let rows: Vec<(Vec<Held>, Vec<MailUse>, Which<'_>, bool)> = vec![
            (vec![], vec![], Which::Missing, true),
            (vec![], vec![Both], Which::Missing, false),
            (vec![], vec![], Which::Due, false),
            // the own CA's bridges the time until it is there
            (vec![held(Sign, "own", -1, 300)], vec![], Which::Missing, true),
            (vec![held(Both, "bought", -1, 300)], vec![], Which::Missing, false),
            (vec![held(Both, IMPORTED, -1, 300)], vec![], Which::Missing, false),
            (vec![held(Sign, "bought", -1, 300)], vec![], Which::Missing, true),
            (vec![held(Both, "bought", -199, 300)], vec![], Which::Due, false),
            (vec![held(Both, "bought", -200, 300)], vec![], Which::Due, true),
            (vec![held(Both, "bought", -200, 300)], vec![Both], Which::Due, false),
            (vec![held(Both, "bought", -200, 3000)], vec![], Which::Due, false),
            (vec![held(Both, "bought", -200, 300), held(Both, "bought", -1, 300)], vec![], Which::Due, false),
            (vec![held(Sign, "own", -200, 300)], vec![], Which::Due, false),
            (vec![held(Both, "bought", -1, 300)], vec![], Which::Held, true),
            (vec![held(Both, "bought", -1, 300)], vec![], of_bought, true),
            (vec![held(Sign, "own", -1, 300)], vec![], of_bought, false),
        ];
        for (held, waiting, which, expected) in rows {
            let place = Place { address: "a@b.example".to_owned(), used: Use::Primary, unit: "Sales".to_owned() };
            let waiting = waiting.into_iter().map(|usage| ("a@b.example".to_owned(), usage)).collect();
            let stock = Stock { places: vec![place], held, waiting, ..Stock::default() };
            let lacks = stock.lacking(which, &terms, end, NOW);
            assert_eq!(
                lacks.iter().map(|lack| lack.usage).collect::<Vec<_>>(),
                vec![Both; usize::from(expected)],
                "{stock:?} {which:?}"
            );
        }
    }
}
