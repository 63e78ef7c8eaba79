//! The report on one certificate for programs. Version and rules as for answers.

use kakitome_pki::path::Purpose;
use serde::Serialize;

use super::{Headline, Lookup, Revocation, Signer, VERSION};
use crate::certificate::Report;
use crate::reason::Reason;
use crate::safe;
use crate::text::{Lang, certificate as text};

#[derive(Serialize)]
struct Wire<'a> {
    certificate: u32,
    outcome: &'static str,
    exit_code: u8,
    headline: Headline,
    reasons: Vec<&'static str>,
    detail: &'a str,
    at: String,
    purpose: &'static str,
    mailboxes: &'a [String],
    policies: &'a [String],
    path: Vec<Signer<'a>>,
    /// Whose choice the last certificate of the path is; null if the path reaches no anchor.
    anchor: Option<&'static str>,
    trust_list: &'a str,
    missing: Option<&'a str>,
    checks: Vec<Check<'a>>,
    revocation: Vec<Revocation<'a>>,
    lookups: Vec<Lookup<'a>>,
    lints: Vec<&'static str>,
    engine: &'static str,
}

#[derive(Serialize)]
struct Check<'a> {
    check: &'static str,
    outcome: &'static str,
    detail: &'a str,
}

/// The report as JSON, indented, with a line end.
pub fn report(report: &Report) -> String {
    let headline =
        Headline { ja: text::headline(report, Lang::Ja).to_owned(), en: text::headline(report, Lang::En).to_owned() };
    written(&Wire {
        certificate: VERSION,
        outcome: report.outcome.name(),
        exit_code: report.outcome.exit_code(),
        headline,
        reasons: report.reasons.iter().copied().map(Reason::code).collect(),
        detail: report.detail.text(Lang::En),
        at: report.at.to_string(),
        purpose: match report.purpose {
            Purpose::Email => "email",
            Purpose::Encryption => "encryption",
            Purpose::Any => "any",
        },
        mailboxes: &report.mailboxes,
        policies: &report.policies,
        path: report.path.iter().map(Signer::of).collect(),
        anchor: report.anchor.map(|choice| choice.name()),
        trust_list: &report.trust_list,
        missing: report.missing.as_deref(),
        checks: report
            .lines
            .iter()
            .map(|line| Check {
                check: line.examined.name(),
                outcome: line.outcome.name(),
                detail: line.detail.text(Lang::En),
            })
            .collect(),
        revocation: report.revocation.iter().map(Revocation::of).collect(),
        lookups: report.lookups.iter().map(Lookup::of).collect(),
        lints: report.lints.iter().map(|lint| lint.code()).collect(),
        engine: env!("CARGO_PKG_VERSION"),
    })
}

fn written(value: &impl Serialize) -> String {
    // a structure of strings, numbers and lists always serializes
    let mut out = safe::json(&serde_json::to_string_pretty(value).unwrap_or_default());
    out.push('\n');
    out
}
