//! Who makes whose certificates: the own CA, or one that has only a portal, by the unit of a member.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kakitome_pki::asn1::time::Time;

use crate::audit::Actor;
use crate::authority::issuer::{Asked, Issuer, Offers, Outcome, Refused, Revocation};
use crate::authority::{Authority, CertificateId, NoName, OWN, Portal};
use crate::fault::Fault;
use crate::store::{Statements, Store};
use crate::vault::Vault;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// For members of this unit; for all where none is named.
    pub unit: Option<String>,
    /// Who issues: `own`, or what a CA with a portal is called here.
    pub issuer: String,
}

/// The rules, in order: the first that fits counts. Where none does, it is the own CA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(pub Vec<Route>);

impl Routes {
    /// The own CA for everybody.
    pub const OWN: Self = Self(Vec::new());

    /// Who issues for members of a unit.
    pub fn of(&self, unit: &str) -> &str {
        let fits = |route: &&Route| route.unit.as_deref().is_none_or(|named| named == unit);
        self.0.iter().find(fits).map_or(OWN, |route| &route.issuer)
    }
}

/// Every way to members' certificates as one issuer: each wish goes to whom the rules name.
pub struct Routed {
    store: Arc<Store>,
    own: Arc<Authority>,
    portals: BTreeMap<String, Portal>,
    routes: Routes,
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Routed({:?}, {:?})", self.own, self.routes)
    }
}

impl Routed {
    /// By these rules.
    ///
    /// # Errors
    /// A rule names what can be no CA.
    pub fn new(store: &Arc<Store>, vault: &Arc<Vault>, own: Arc<Authority>, routes: Routes) -> Result<Self, NoName> {
        let mut portals = BTreeMap::new();
        for route in routes.0.iter().filter(|route| route.issuer != OWN) {
            let portal = Portal::new(&route.issuer, None, Arc::clone(store), Arc::clone(vault))?;
            portals.insert(route.issuer.clone(), portal);
        }
        Ok(Self { store: Arc::clone(store), own, portals, routes })
    }

    fn issuer(&self, name: &str) -> &dyn Issuer {
        match self.portals.get(name) {
            Some(portal) => portal,
            None => &*self.own,
        }
    }
}

impl Issuer for Routed {
    fn name(&self) -> &str {
        OWN
    }

    /// What the own CA can do: those with a portal promise nothing.
    fn offers(&self, now: Time) -> Result<Offers, Fault> {
        self.own.offers(now)
    }

    fn issue(&self, asked: &[Asked<'_>], actor: &Actor, now: Time) -> Result<Vec<Outcome>, Fault> {
        if self.portals.is_empty() {
            return self.own.issue(asked, actor, now);
        }
        let units = self.store.read(|s| asked.iter().map(|one| unit(s, one)).collect::<Result<Vec<_>, _>>())?;
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, unit) in units.iter().enumerate() {
            places.entry(self.routes.of(unit)).or_default().push(place);
        }
        let is_one = places.len() == 1;
        let mut answered: BTreeMap<usize, Outcome> = BTreeMap::new();
        for (name, places) in places {
            let wishes: Vec<Asked<'_>> = places.iter().filter_map(|place| asked.get(*place).copied()).collect();
            match self.issuer(name).issue(&wishes, actor, now) {
                Ok(outcomes) => answered.extend(places.into_iter().zip(outcomes)),
                Err(fault) if is_one => return Err(fault),
                // What the others did stands, and is not to be done again.
                Err(fault) => {
                    let refused = Refused { again: fault.is_temporary(), why: fault.to_string() };
                    answered.extend(places.into_iter().map(|place| (place, Outcome::Refused(refused.clone()))));
                }
            }
        }
        Ok(answered.into_values().collect())
    }

    fn revoke(&self, which: &[CertificateId], why: &Revocation<'_>, now: Time) -> Result<usize, Fault> {
        self.own.revoke(which, why, now)
    }
}

/// The unit of whoever has the address of a wish.
fn unit(s: &mut Statements<'_>, asked: &Asked<'_>) -> Result<String, Fault> {
    let address = asked.address.to_string();
    let found = s.row(
        "SELECT m.unit FROM member_address a JOIN member m ON m.id = a.member_id WHERE a.address = ?1",
        &[&address],
        |row| row.text(0),
    )?;
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let route =
            |unit: Option<&str>, issuer: &str| Route { unit: unit.map(str::to_owned), issuer: issuer.to_owned() };
        let rules = |routes: &[Route]| Routes(routes.to_vec());
        let rows = [
            (Routes::OWN, "Sales", OWN),
            (rules(&[route(None, "bought")]), "", "bought"),
            (rules(&[route(Some("営業部"), "bought")]), "営業部", "bought"),
            (rules(&[route(Some("営業部"), "bought")]), "営業部一課", OWN),
            (rules(&[route(Some("IT"), OWN), route(None, "bought")]), "IT", OWN),
            (rules(&[route(Some("IT"), OWN), route(None, "bought")]), "Sales", "bought"),
        ];
        for (routes, unit, issuer) in rows {
            assert_eq!(routes.of(unit), issuer, "{unit} by {routes:?}");
        }
    }
}
