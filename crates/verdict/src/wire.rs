//! The answer for programs: JSON, versioned.
//!
//! Version 1. Within a version keys and codes are added, never renamed or removed; a program ignores keys that it does
//! not know. The order of the keys is stable. Times are RFC 3339 in UTC. Strings from the mail are as they were found;
//! a program that shows them must take care of control characters itself. The text as a whole is fit for a terminal:
//! what cannot be seen is written as `\uXXXX`, which reads the same.

pub mod certificate;
pub mod fields;
mod passage;
mod results;
pub mod shown;

use serde::Serialize;

pub use results::authentication_results;

use crate::answer::{Answer, Certificate, Expert, Revoked};
use crate::reason::Reason;
use crate::safe;
use crate::text::{self, Lang};

/// The version of the form.
pub const VERSION: u32 = 1;

/// The answer as JSON, indented, with a line end.
pub fn json(answer: &Answer) -> String {
    // a structure of strings, numbers and lists always serializes
    let json = serde_json::to_string_pretty(&Wire::of(answer)).unwrap_or_default();
    let mut out = safe::json(&json);
    out.push('\n');
    out
}

#[derive(Serialize)]
struct Wire<'a> {
    verdict: u32,
    state: &'static str,
    headline: Headline,
    who: Who<'a>,
    altered: Altered,
    sealed: Sealed<'a>,
    time: Times,
    reasons: Vec<&'static str>,
    trust_list: &'a str,
    engine: &'static str,
    whose_choice: Option<&'static str>,
    revoked_on: Option<String>,
    protected_subject: Option<&'a str>,
    attached: Vec<Attached<'a>>,
    expert: ExpertPart<'a>,
}

/// An attached mail; its answer has the form of the whole.
#[derive(Serialize)]
struct Attached<'a> {
    name: Option<&'a str>,
    subject: Option<&'a str>,
    answer: Wire<'a>,
}

#[derive(Serialize)]
struct Headline {
    ja: String,
    en: String,
}

#[derive(Serialize)]
struct Who<'a> {
    class: &'static str,
    org: Option<&'a str>,
    org_id: Option<OrgId<'a>>,
    person: Option<&'a str>,
    pseudonym: bool,
    address: Option<&'a str>,
    asserted_by: Option<&'a str>,
    issuer: Option<&'a str>,
    from_header: Option<&'a str>,
    from_address: Option<&'a str>,
    looks_like: Option<&'a str>,
}

#[derive(Serialize)]
struct OrgId<'a> {
    scheme: &'a str,
    cc: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Altered {
    answer: &'static str,
    covers: Vec<&'static str>,
}

#[derive(Serialize)]
struct Sealed<'a> {
    answer: &'static str,
    alg: Option<&'a str>,
    to: &'a [String],
    gateway: Option<&'a str>,
}

#[derive(Serialize)]
struct Times {
    signed_claimed: Option<String>,
    delivered: Option<String>,
    verified_at: String,
    basis: &'static str,
}

#[derive(Serialize)]
struct ExpertPart<'a> {
    tree: Vec<Part<'a>>,
    signature: Option<Signature<'a>>,
    signer: Option<Signer<'a>>,
    signers: Vec<SignedBy<'a>>,
    path: Vec<PathStep<'a>>,
    revocation: Vec<Revocation<'a>>,
    lookups: Vec<Lookup<'a>>,
    passage: passage::Passage<'a>,
    headers: Vec<Header<'a>>,
    checks: Vec<Check<'a>>,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    depth: u16,
    content_type: &'a str,
    start: u64,
    end: u64,
    signed: bool,
    filename: Option<&'a str>,
}

#[derive(Serialize)]
struct Signature<'a> {
    version: u64,
    digest: &'a str,
    algorithm: &'a str,
    attributes: Vec<Attribute<'a>>,
    sha256: &'a str,
}

#[derive(Serialize)]
struct SignedBy<'a> {
    subject: Option<&'a str>,
    depth: u16,
    holds: bool,
    signed_claimed: Option<String>,
    findings: &'a [String],
}

#[derive(Serialize)]
struct Attribute<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Signer<'a> {
    subject: &'a str,
    issuer: &'a str,
    serial: &'a str,
    alternative_names: &'a [String],
    key_usage: &'a [String],
    extended_key_usage: &'a [String],
    policies: &'a [String],
    key: &'a str,
    not_before: String,
    not_after: String,
    sha256: &'a str,
}

#[derive(Serialize)]
struct PathStep<'a> {
    subject: &'a str,
    anchor: bool,
    source: &'a str,
}

#[derive(Serialize)]
struct Revocation<'a> {
    subject: &'a str,
    source: &'a str,
    result: &'static str,
    revoked_on: Option<String>,
    reason: Option<&'a str>,
    this_update: Option<String>,
    next_update: Option<String>,
}

#[derive(Serialize)]
struct Lookup<'a> {
    what: &'static str,
    about: &'a str,
    place: &'a str,
    end: &'static str,
    cause: Option<&'static str>,
    detail: &'a str,
    came: Option<String>,
    kept: bool,
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    outer: Option<&'a str>,
    protected: Option<&'a str>,
    state: &'static str,
}

#[derive(Serialize)]
struct Check<'a> {
    step: &'static str,
    outcome: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    detail: &'a str,
}

impl<'a> Wire<'a> {
    fn of(answer: &'a Answer) -> Self {
        let Answer { who, altered, sealed, time, .. } = answer;
        Self {
            verdict: VERSION,
            state: answer.state.name(),
            headline: Headline { ja: text::headline(answer, Lang::Ja), en: text::headline(answer, Lang::En) },
            who: Who {
                class: who.class.name(),
                org: who.org.as_deref(),
                org_id: who.org_id.as_ref().map(|id| OrgId { scheme: &id.scheme, cc: &id.country, value: &id.value }),
                person: who.person.as_deref(),
                pseudonym: who.pseudonym,
                address: who.address.as_deref(),
                asserted_by: who.asserted_by.as_deref(),
                issuer: who.issuer.as_deref(),
                from_header: who.from_header.as_deref(),
                from_address: who.from_address.as_deref(),
                looks_like: who.looks_like.as_deref(),
            },
            altered: Altered {
                answer: altered.answer.name(),
                covers: altered.covers.iter().map(|covered| covered.name()).collect(),
            },
            sealed: Sealed {
                answer: sealed.answer.name(),
                alg: sealed.alg.as_deref(),
                to: &sealed.to,
                gateway: sealed.gateway.as_deref(),
            },
            time: Times {
                signed_claimed: time.signed_claimed.map(|time| time.to_string()),
                delivered: time.delivered.map(|time| time.to_string()),
                verified_at: time.verified_at.to_string(),
                basis: time.basis.name(),
            },
            reasons: answer.reasons.iter().copied().map(Reason::code).collect(),
            trust_list: &answer.trust_list,
            engine: env!("CARGO_PKG_VERSION"),
            whose_choice: answer.whose_choice.map(|choice| choice.name()),
            revoked_on: answer.revoked_on.map(|time| time.to_string()),
            protected_subject: answer.protected_subject.as_deref(),
            attached: answer.attached.iter().map(Attached::of).collect(),
            expert: ExpertPart::of(&answer.expert),
        }
    }
}

impl<'a> Attached<'a> {
    fn of(attached: &'a crate::answer::Attached) -> Self {
        Self {
            name: attached.name.as_deref(),
            subject: attached.subject.as_deref(),
            answer: Wire::of(&attached.answer),
        }
    }
}

impl<'a> ExpertPart<'a> {
    fn of(expert: &'a Expert) -> Self {
        Self {
            tree: expert.tree.iter().map(Part::of).collect(),
            signature: expert.signature.as_ref().map(|signature| Signature {
                version: signature.version,
                digest: &signature.digest,
                algorithm: &signature.algorithm,
                attributes: signature.attributes.iter().map(|(name, value)| Attribute { name, value }).collect(),
                sha256: &signature.sha256,
            }),
            signer: expert.signer.as_ref().map(Signer::of),
            signers: expert
                .signers
                .iter()
                .map(|one| SignedBy {
                    subject: one.subject.as_deref(),
                    depth: one.depth,
                    holds: one.holds,
                    signed_claimed: one.signed_claimed.map(|time| time.to_string()),
                    findings: &one.findings,
                })
                .collect(),
            path: expert
                .path
                .iter()
                .map(|step| PathStep { subject: &step.subject, anchor: step.anchor, source: &step.source })
                .collect(),
            revocation: expert.revocation.iter().map(Revocation::of).collect(),
            lookups: expert.lookups.iter().map(Lookup::of).collect(),
            passage: passage::Passage::of(&expert.passage),
            headers: expert
                .headers
                .iter()
                .map(|header| Header {
                    name: &header.name,
                    outer: header.outer.as_deref(),
                    protected: header.protected.as_deref(),
                    state: header.state.name(),
                })
                .collect(),
            checks: expert
                .checks
                .iter()
                .map(|check| Check {
                    step: check.step.name(),
                    outcome: check.outcome.name(),
                    detail: check.detail.text(Lang::En),
                })
                .collect(),
            findings: expert
                .findings
                .iter()
                .map(|finding| Finding { code: &finding.code, detail: &finding.detail })
                .collect(),
        }
    }
}

impl<'a> Part<'a> {
    fn of(part: &'a crate::answer::Part) -> Self {
        Self {
            depth: part.depth,
            content_type: &part.content_type,
            start: part.bytes.start,
            end: part.bytes.end,
            signed: part.signed,
            filename: part.filename.as_deref(),
        }
    }
}

impl<'a> Signer<'a> {
    fn of(certificate: &'a Certificate) -> Self {
        Self {
            subject: &certificate.subject,
            issuer: &certificate.issuer,
            serial: &certificate.serial,
            alternative_names: &certificate.alternative_names,
            key_usage: &certificate.key_usage,
            extended_key_usage: &certificate.extended_key_usage,
            policies: &certificate.policies,
            key: &certificate.key,
            not_before: certificate.not_before.to_string(),
            not_after: certificate.not_after.to_string(),
            sha256: &certificate.sha256,
        }
    }
}

impl<'a> Lookup<'a> {
    fn of(lookup: &'a crate::lookup::Lookup) -> Self {
        Self {
            what: lookup.what.name(),
            about: &lookup.about,
            place: &lookup.place,
            end: lookup.end.name(),
            cause: lookup.end.cause().map(crate::lookup::Cause::name),
            detail: &lookup.detail,
            came: lookup.came.map(|time| time.to_string()),
            kept: lookup.kept,
        }
    }
}

impl<'a> Revocation<'a> {
    fn of(line: &'a crate::answer::Revocation) -> Self {
        let (revoked_on, reason) = match &line.result {
            Revoked::Since(time, reason) => (Some(time.to_string()), Some(reason.as_str())),
            _ => (None, None),
        };
        Self {
            subject: &line.subject,
            source: &line.source,
            result: line.result.name(),
            revoked_on,
            reason,
            this_update: line.this_update.map(|time| time.to_string()),
            next_update: line.next_update.map(|time| time.to_string()),
        }
    }
}
