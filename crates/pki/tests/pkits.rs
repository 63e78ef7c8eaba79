//! NIST PKITS 1.0.1, if the corpora are there: `KAKITOME_CORPORA`, else `shared/corpora` beside the project.
//!
//! All 249 checks, with the initial policy inputs that they name; certificates and lists are all given at once. What
//! PKITS calls invalid is never accepted; what it calls valid and is refused stands in [`REFUSED`], which must name
//! exactly these.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::path::revocation::{Mode, Sources, Terms, judge};
use kakitome_pki::path::{AnchorSource, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::anchor;
use serde_json::Value;

/// Valid by PKITS and refused here: signed with DSA and SHA-1, which are believed on demand alone.
const REFUSED: [&str; 2] = ["Section1ValidDSASignaturesTest4", "Section1ValidDSAParameterInheritanceTest5"];

fn corpora() -> PathBuf {
    std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from)
}

/// The policies that a case begins with, by their names in the corpus.
fn acceptable(case: &Value) -> Vec<Oid> {
    let names = case["InitialPolicySet"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
    names
        .flat_map(|names| names.split(','))
        .map(|name| match name.strip_prefix("NIST-test-policy-") {
            Some(number) => format!("2.16.840.1.101.3.2.1.48.{number}").parse().unwrap(),
            None => oid::ANY_POLICY,
        })
        .collect()
}

/// Why the case is refused.
fn refusal(case: &Value, folder: &Path) -> Result<(), String> {
    let read = |kind: &str, suffix: &str| -> Vec<Vec<u8>> {
        let names = case[kind].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
        names.map(|name| std::fs::read(folder.join(format!("{kind}/{name}.{suffix}"))).unwrap()).collect()
    };
    let certificates: Result<Vec<_>, _> = read("certs", "crt").iter().map(|raw| Certificate::parse(raw)).collect();
    let certificates = certificates.map_err(|malformed| malformed.to_string())?;
    let lists: Vec<Crl> = read("crls", "crl").iter().filter_map(|raw| Crl::parse(raw).ok()).collect();
    let lists: Vec<&Crl> = lists.iter().collect();
    let at = "2011-04-15T00:00:00Z".parse().unwrap();
    let set = |name: &str| case.get(name).is_some();
    let question = Question {
        leaf: certificates.last().unwrap(),
        untrusted: &certificates,
        anchors: &[anchor(&certificates[0], AnchorSource::User)],
        at,
        purpose: Purpose::Email,
        policy: &PolicyInputs {
            acceptable: acceptable(case),
            require_explicit: set("InitialExplicitPolicy"),
            inhibit_mapping: set("InitialPolicyMappingInhibit"),
            inhibit_any: set("InitialInhibitAnyPolicy"),
        },
    };
    let path = find(&question).map_err(|refusal| refusal.to_string())?;
    let sources = Sources { lists: &lists, responses: &[], certificates: &certificates };
    let judged = judge(&path, &sources, &Terms { mode: Mode::Require, at, legacy: false });
    judged.proof.map(drop).ok_or_else(|| format!("{:?}", judged.status))
}

#[test]
fn pkits() {
    let folder = corpora().join("pkits");
    let Ok(text) = std::fs::read(folder.join("expected-results.json")) else {
        eprintln!("SKIPPED: no PKITS in {} (set KAKITOME_CORPORA)", folder.display());
        return;
    };
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert_eq!(cases.len(), 249);
    let (mut accepted, mut refused) = (Vec::new(), BTreeSet::new());
    for case in &cases {
        let name = case["case"].as_str().unwrap();
        match (refusal(case, &folder), case["should_validate"].as_bool().unwrap()) {
            (Ok(()), false) => accepted.push(name),
            (Err(why), true) => {
                println!("{name}: {why}");
                refused.insert(name);
            }
            _ => {}
        }
    }
    assert!(accepted.is_empty(), "accepted, though invalid: {accepted:#?}");
    assert_eq!(refused, BTreeSet::from(REFUSED));
}
