//! Policy processing (RFC 5280 §6.1, with the graph of RFC 9618 in place of the tree, which could grow exponentially).
//!
//! A node is a policy at one depth, so a graph has no more nodes than the path lists policies; nodes and edges are paid
//! all the same, up to [`POLICY_NODE_LIMIT`](super::POLICY_NODE_LIMIT) for a path. Qualifiers are not kept: nobody here
//! shows them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::budget::{Budget, POLICY_NODE_LIMIT};
use super::{PathProblem, PolicyInputs};
use crate::asn1::{Oid, oid};
use crate::cert::Certificate;

/// The policies under which a path is valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ValidPolicies {
    /// The user-constrained policy set (RFC 9618 §5.6), in the words of the CA next to the anchor.
    pub(super) constrained: BTreeSet<Oid>,
    /// Those of them that the leaf calls by the same name: no CA between mapped another one to them.
    pub(super) unmapped: BTreeSet<Oid>,
}

/// The policies that hold through `below`, the path without the anchor, leaf first.
///
/// # Errors
/// A policy is demanded and none holds, anyPolicy is mapped, or the graph is too large.
pub(super) fn valid_policies(
    below: &[Certificate],
    inputs: &PolicyInputs,
    budget: &mut Budget,
) -> Result<ValidPolicies, PathProblem> {
    if below.is_empty() {
        return Ok(ValidPolicies::default());
    }
    // "n + 1" of §6.1.2 d to f: no demand, no inhibition until a certificate says so.
    let none = u32::try_from(below.len()).unwrap_or(u32::MAX).saturating_add(1);
    let from = |set: bool| if set { 0 } else { none };
    let mut explicit = from(inputs.require_explicit);
    let mut inhibit_any = from(inputs.inhibit_any);
    let mut inhibit_mapping = from(inputs.inhibit_mapping);
    let mut graph = Some(Graph::new());

    for (place, certificate) in below.iter().enumerate().rev() {
        let is_leaf = place == 0;
        let extensions = certificate.extensions();
        let self_issued = certificate.is_self_issued();
        // §6.1.3 d and e.
        let any_counts = inhibit_any > 0 || (!is_leaf && self_issued);
        graph = match (graph, &extensions.policies) {
            (Some(graph), Some(listed)) => graph.grow(listed, any_counts, budget)?,
            _ => None,
        };
        if explicit == 0 && graph.is_none() {
            return Err(PathProblem::Policy);
        }
        let constraints = extensions.policy_constraints.unwrap_or_default();
        if is_leaf {
            // §6.1.5 a and b.
            explicit = explicit.saturating_sub(1);
            if constraints.require_explicit == Some(0) {
                explicit = 0;
            }
            break;
        }
        // §6.1.4 a and b.
        if extensions.policy_mappings.iter().any(|(from, to)| [from, to].contains(&&oid::ANY_POLICY)) {
            return Err(PathProblem::PolicyMapping);
        }
        if let Some(grown) = graph {
            graph = grown.map(&extensions.policy_mappings, inhibit_mapping > 0, budget)?;
        }
        // §6.1.4 h to j.
        if !self_issued {
            explicit = explicit.saturating_sub(1);
            inhibit_mapping = inhibit_mapping.saturating_sub(1);
            inhibit_any = inhibit_any.saturating_sub(1);
        }
        explicit = explicit.min(constraints.require_explicit.unwrap_or(explicit));
        inhibit_mapping = inhibit_mapping.min(constraints.inhibit_mapping.unwrap_or(inhibit_mapping));
        inhibit_any = inhibit_any.min(extensions.inhibit_any_policy.unwrap_or(inhibit_any));
    }

    let valid = graph.map(|graph| graph.conclude(inputs)).unwrap_or_default();
    // §6.1.5: either nothing is demanded, or something acceptable to the user holds.
    if explicit == 0 && valid.constrained.is_empty() { Err(PathProblem::Policy) } else { Ok(valid) }
}

/// One policy at one depth.
struct Node {
    /// Which policies of the next certificate mean this one.
    expected: BTreeSet<Oid>,
    /// The nodes one depth above from which it comes.
    parents: Vec<Oid>,
}

/// Every node leads to one at the last depth, and the last depth is never empty: a graph that would be is no graph.
struct Graph {
    levels: Vec<BTreeMap<Oid, Node>>,
    /// Nodes and edges that this path may still have.
    left: usize,
}

impl Graph {
    /// The graph of the anchor (RFC 9618 §5.2): anyPolicy.
    fn new() -> Self {
        let root = Node { expected: BTreeSet::from([oid::ANY_POLICY]), parents: Vec::new() };
        Self { levels: vec![BTreeMap::from([(oid::ANY_POLICY, root)])], left: POLICY_NODE_LIMIT }
    }

    /// One depth more (RFC 9618 §5.3 d).
    fn grow(mut self, listed: &[Oid], any_counts: bool, budget: &mut Budget) -> Result<Option<Self>, PathProblem> {
        let Some(above) = self.levels.last() else { return Ok(None) };
        let any_above = above.contains_key(&oid::ANY_POLICY);
        let mut wanted: BTreeMap<Oid, Vec<Oid>> = BTreeMap::new();
        for (policy, node) in above {
            for expected in &node.expected {
                wanted.entry(*expected).or_default().push(*policy);
            }
        }
        let mut level = BTreeMap::new();
        for policy in listed.iter().filter(|policy| **policy != oid::ANY_POLICY) {
            let parents = match wanted.get(policy) {
                Some(parents) => parents.clone(),
                None if any_above => vec![oid::ANY_POLICY],
                None => continue,
            };
            self.pay(parents.len(), budget)?;
            level.insert(*policy, Node { expected: BTreeSet::from([*policy]), parents });
        }
        if any_counts && listed.contains(&oid::ANY_POLICY) {
            for (policy, parents) in wanted {
                if let Entry::Vacant(place) = level.entry(policy) {
                    self.pay(parents.len(), budget)?;
                    place.insert(Node { expected: BTreeSet::from([policy]), parents });
                }
            }
        }
        self.levels.push(level);
        Ok(self.pruned())
    }

    /// Policy mappings (RFC 9618 §5.4 b): where they are inhibited, a mapped policy ends here.
    fn map(mut self, mappings: &[(Oid, Oid)], allowed: bool, budget: &mut Budget) -> Result<Option<Self>, PathProblem> {
        let mut mapped: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
        for (from, to) in mappings {
            mapped.entry(*from).or_default().insert(*to);
        }
        for (from, to) in mapped {
            // The edges that these expected policies will make are paid when they are made.
            self.pay(to.len(), budget)?;
            let Some(level) = self.levels.last_mut() else { break };
            if !allowed {
                level.remove(&from);
            } else if let Some(node) = level.get_mut(&from) {
                node.expected = to;
            } else if level.contains_key(&oid::ANY_POLICY) {
                level.insert(from, Node { expected: to, parents: vec![oid::ANY_POLICY] });
            }
        }
        Ok(self.pruned())
    }

    fn pay(&mut self, edges: usize, budget: &mut Budget) -> Result<(), PathProblem> {
        for _ in 0..=edges {
            self.left = self.left.checked_sub(1).ok_or(PathProblem::Budget)?;
            budget.policy_node()?;
        }
        Ok(())
    }

    /// Takes out what leads nowhere (RFC 9618 §5.3 d 3).
    fn pruned(mut self) -> Option<Self> {
        let mut below: Option<BTreeSet<Oid>> = None;
        for level in self.levels.iter_mut().rev() {
            if let Some(named) = &below {
                level.retain(|policy, _| named.contains(policy));
            }
            below = Some(level.values().flat_map(|node| &node.parents).copied().collect());
        }
        self.levels.last().is_some_and(|last| !last.is_empty()).then_some(self)
    }

    /// The user-constrained policy set (RFC 9618 §5.6).
    fn conclude(self, inputs: &PolicyInputs) -> ValidPolicies {
        let Some(last) = self.levels.last() else { return ValidPolicies::default() };
        let any_holds = last.contains_key(&oid::ANY_POLICY);
        // The authority-constrained set: what each CA next to an anyPolicy calls it.
        let mut constrained: BTreeSet<Oid> = self
            .levels
            .iter()
            .flatten()
            .filter(|(policy, node)| **policy != oid::ANY_POLICY && node.parents.contains(&oid::ANY_POLICY))
            .map(|(policy, _)| *policy)
            .collect();
        if any_holds {
            constrained.insert(oid::ANY_POLICY);
        }
        let wanted = &inputs.acceptable;
        if !wanted.is_empty() && !wanted.contains(&oid::ANY_POLICY) {
            constrained.retain(|policy| wanted.contains(policy));
            if any_holds {
                constrained.extend(wanted);
            }
        }
        let unmapped =
            constrained.iter().filter(|policy| last.contains_key(*policy) && self.is_chain(policy)).copied().collect();
        ValidPolicies { constrained, unmapped }
    }

    /// Does a policy keep its name from where it first stands to the leaf?
    fn is_chain(&self, policy: &Oid) -> bool {
        let mut name = *policy;
        for level in self.levels.iter().rev() {
            let Some(node) = level.get(&name) else { return false };
            if name == oid::ANY_POLICY {
                return true;
            }
            name = if node.parents.contains(&name) { name } else { oid::ANY_POLICY };
            if name == oid::ANY_POLICY && !node.parents.contains(&name) {
                return false;
            }
        }
        true
    }
}
