//! The valid policy set (RFC 5280 §6.1.2 to §6.1.5), with any policy acceptable to the user.
//!
//! It is kept as a set that shrinks from the anchor down, which without mappings is the same as the leaves of the
//! policy tree. Policy mappings are treated as if they were inhibited from the start (§6.1.4 b 2): a mapped policy is
//! no longer valid below. That can only take policies away. Mappings come with the full policy tree.

use std::collections::BTreeSet;

use super::PathProblem;
use crate::asn1::{Oid, oid};
use crate::cert::Certificate;

/// The policies that hold through `below`, the path without the anchor, leaf first.
///
/// # Errors
/// A policy is demanded and none holds, or anyPolicy is mapped.
pub(super) fn valid_set(below: &[Certificate]) -> Result<BTreeSet<Oid>, PathProblem> {
    // "n + 1" of §6.1.2 d and e: no demand, no inhibition until a certificate says so.
    let none = u32::try_from(below.len()).unwrap_or(u32::MAX).saturating_add(1);
    let (mut explicit, mut inhibit_any) = (none, none);
    let mut valid = BTreeSet::from([oid::ANY_POLICY]);

    for (place, certificate) in below.iter().enumerate().rev() {
        let is_leaf = place == 0;
        let extensions = certificate.extensions();
        let any_counts = inhibit_any > 0 || (!is_leaf && certificate.is_self_issued());
        valid = match &extensions.policies {
            None => BTreeSet::new(),
            Some(listed) => narrow(&valid, listed, any_counts),
        };
        if explicit == 0 && valid.is_empty() {
            return Err(PathProblem::Policy);
        }
        let demanded = extensions.policy_constraints.and_then(|constraints| constraints.require_explicit);
        if is_leaf {
            // §6.1.5 a and b.
            explicit = explicit.saturating_sub(1);
            if demanded == Some(0) {
                explicit = 0;
            }
            continue;
        }
        for (from, to) in &extensions.policy_mappings {
            if [from, to].contains(&&oid::ANY_POLICY) {
                return Err(PathProblem::Policy);
            }
            valid.remove(from);
        }
        if !certificate.is_self_issued() {
            explicit = explicit.saturating_sub(1);
            inhibit_any = inhibit_any.saturating_sub(1);
        }
        explicit = explicit.min(demanded.unwrap_or(explicit));
        inhibit_any = inhibit_any.min(extensions.inhibit_any_policy.unwrap_or(inhibit_any));
    }
    if below.is_empty() {
        return Ok(BTreeSet::new());
    }
    if explicit == 0 && valid.is_empty() { Err(PathProblem::Policy) } else { Ok(valid) }
}

/// §6.1.3 d: what is listed and was valid above; anyPolicy above lets everything in, anyPolicy here keeps everything.
fn narrow(above: &BTreeSet<Oid>, listed: &[Oid], any_counts: bool) -> BTreeSet<Oid> {
    let any_above = above.contains(&oid::ANY_POLICY);
    let mut valid: BTreeSet<Oid> = listed
        .iter()
        .filter(|policy| **policy != oid::ANY_POLICY && (any_above || above.contains(*policy)))
        .copied()
        .collect();
    if any_counts && listed.contains(&oid::ANY_POLICY) {
        valid.extend(above);
    }
    valid
}
