//! NIST PKITS 1.0.1: all 249 checks, with the initial policy inputs that they name; certificates and lists are all given at
//! once.

use std::path::Path;

use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::path::revocation::{Mode, Sources, Terms, judge};
use kakitome_pki::path::{AnchorSource, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::anchor;
use serde_json::Value;

use crate::corpus::{self, Answer, Comparison};

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

fn answer(case: &Value, folder: &Path, legacy: bool) -> Result<(), String> {
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
    if let Some(weakness) = path.weak().filter(|_| !legacy) {
        return Err(weakness);
    }
    let sources = Sources { lists: &lists, responses: &[], certificates: &certificates };
    let judged = judge(&path, &sources, &Terms { mode: Some(Mode::Require), at, legacy });
    judged.proof.map(drop).ok_or_else(|| format!("{:?}", judged.status))
}

#[test]
fn pkits() {
    let Some(folder) = corpus::folder("pkits") else { return };
    let cases: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("expected-results.json")).unwrap()).unwrap();
    assert_eq!(cases.len(), 249);
    for (suite, legacy) in [("pkits", false), ("pkits, legacy", true)] {
        let mut comparison = Comparison::of(suite);
        for case in &cases {
            let expected = if case["should_validate"].as_bool().unwrap() { Answer::Good } else { Answer::Refused };
            comparison.case(case["case"].as_str().unwrap(), expected, &answer(case, &folder, legacy));
        }
        comparison.finish();
    }
}
