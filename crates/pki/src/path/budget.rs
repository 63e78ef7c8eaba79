//! What one search may cost: every step is paid from here, so that a hostile bag of certificates is refused in bounded
//! time, whatever it holds.

use super::PathProblem;
use crate::crypto::{PublicKey, Unverified};

/// Signatures verified in one search, at most; one by a key that takes longer counts as several
/// ([`PublicKey::verification_cost`](crate::crypto::PublicKey::verification_cost)).
pub const SIGNATURE_LIMIT: usize = 100;
/// Certificates looked at in one search, at most, the same one counted again at every step.
pub const CANDIDATE_LIMIT: usize = 100_000;
/// Names held against subtrees in one search, at most, of whatever form.
pub const COMPARISON_LIMIT: usize = 250_000;
/// Nodes and edges of the policy graph of one path, at most.
pub const POLICY_NODE_LIMIT: usize = 8_192;
/// Nodes and edges of all policy graphs of one search, at most.
pub const POLICY_NODES_IN_SEARCH_LIMIT: usize = 16 * POLICY_NODE_LIMIT;

/// What is left.
pub(super) struct Budget {
    signatures: usize,
    candidates: usize,
    comparisons: usize,
    policy_nodes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            signatures: SIGNATURE_LIMIT,
            candidates: CANDIDATE_LIMIT,
            comparisons: COMPARISON_LIMIT,
            policy_nodes: POLICY_NODES_IN_SEARCH_LIMIT,
        }
    }
}

impl Budget {
    /// One signature was verified, and this came of it. It is paid behind, when it is known whether anything was computed;
    /// so the last one of a search may overdraw.
    pub(super) fn signature<T>(&mut self, key: &PublicKey, outcome: &Result<T, Unverified>) -> Result<(), PathProblem> {
        spend(&mut self.signatures, cost(key, outcome))
    }

    /// One certificate is looked at.
    pub(super) fn candidate(&mut self) -> Result<(), PathProblem> {
        spend(&mut self.candidates, 1)
    }

    /// One name is held against one subtree.
    pub(super) fn comparison(&mut self) -> Result<(), PathProblem> {
        spend(&mut self.comparisons, 1)
    }

    /// One node or edge of a policy graph.
    pub(super) fn policy_node(&mut self) -> Result<(), PathProblem> {
        spend(&mut self.policy_nodes, 1)
    }

    /// A budget with so many comparisons.
    #[cfg(test)]
    pub(super) fn of_comparisons(comparisons: usize) -> Self {
        Self { comparisons, ..Self::default() }
    }
}

/// What a verification cost that ended like this.
pub(super) fn cost<T>(key: &PublicKey, outcome: &Result<T, Unverified>) -> usize {
    match outcome {
        Err(Unverified::KeyMismatch | Unverified::Unsupported) => 1,
        Ok(_) | Err(Unverified::Wrong) => key.verification_cost(),
    }
}

fn spend(left: &mut usize, cost: usize) -> Result<(), PathProblem> {
    *left = left.checked_sub(cost).ok_or(PathProblem::Budget)?;
    Ok(())
}
