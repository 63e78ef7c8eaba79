//! What the way of a mail tells, on the wire.

use serde::Serialize;

use crate::passage;

#[derive(Serialize)]
pub(super) struct Passage<'a> {
    dkim: Vec<Signature<'a>>,
    dmarc: Option<Policy<'a>>,
    claims: Vec<Claim<'a>>,
}

#[derive(Serialize)]
struct Signature<'a> {
    domain: &'a str,
    selector: &'a str,
    result: &'static str,
    aligned: bool,
    partial: bool,
    detail: &'a str,
}

#[derive(Serialize)]
struct Policy<'a> {
    domain: &'a str,
    owner: &'a str,
    policy: &'static str,
}

#[derive(Serialize)]
struct Claim<'a> {
    by: &'a str,
    method: &'a str,
    result: &'a str,
    about: &'a str,
}

impl<'a> Passage<'a> {
    pub(super) fn of(passage: &'a passage::Passage) -> Self {
        let signature = |one: &'a passage::DomainSignature| Signature {
            domain: &one.domain,
            selector: &one.selector,
            result: one.outcome.name(),
            aligned: one.is_aligned,
            partial: one.is_partial,
            detail: &one.detail,
        };
        let claim = |one: &'a passage::Claim| Claim {
            by: &one.by,
            method: &one.method,
            result: &one.result,
            about: &one.about,
        };
        Self {
            dkim: passage.signatures.iter().map(signature).collect(),
            dmarc: passage.policy.as_ref().map(|policy| Policy {
                domain: &policy.domain,
                owner: &policy.owner,
                policy: policy.demand.name(),
            }),
            claims: passage.claims.iter().map(claim).collect(),
        }
    }
}
