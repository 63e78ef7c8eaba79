//! NIST PKITS 1.0.1 through the program, if the corpora are there: each of the 249 checks by `cert check` with its files,
//! and by `verify` on the signed mail that carries the same path and lists.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod peers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Valid by PKITS and refused here but with `--legacy`: signed with DSA and SHA-1.
const REFUSED: [&str; 2] = ["Section1ValidDSASignaturesTest4", "Section1ValidDSAParameterInheritanceTest5"];

struct Suite {
    folder: PathBuf,
    cases: Vec<Value>,
}

impl Suite {
    fn find(name: &str) -> Option<Self> {
        let corpora = std::env::var_os("KAKITOME_CORPORA")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
        let folder = corpora.join("pkits");
        let Ok(text) = std::fs::read(folder.join("expected-results.json")) else {
            peers::skip_anywhere(name, &format!("no folder {} (set KAKITOME_CORPORA)", folder.display()));
            return None;
        };
        let cases: Vec<Value> = serde_json::from_slice(&text).unwrap();
        assert_eq!(cases.len(), 249);
        Some(Self { folder, cases })
    }

    /// Runs every case with the arguments that name its files; what is refused though valid must be these.
    fn run(&self, known: &[&str], files: impl Fn(&Self, &Value) -> Vec<String>) {
        let (mut accepted, mut refused) = (Vec::new(), BTreeSet::new());
        for case in &self.cases {
            let output = Command::new(env!("CARGO_BIN_EXE_kakitome"))
                .args(files(self, case))
                .args(["--trust", &self.file("certs/TrustAnchorRootCertificate.crt"), "--revocation", "require"])
                .args(inputs(case))
                .env_remove("KAKITOME_DATA")
                .env("LC_ALL", "C")
                .env("KAKITOME_FETCH_ENABLED", "false")
                .output()
                .unwrap();
            let name = case["case"].as_str().unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 30 | 40)), "{name}: {output:?}");
            match (code == Some(0), case["should_validate"].as_bool().unwrap()) {
                (true, false) => accepted.push(name),
                (false, true) => _ = refused.insert(name),
                _ => {}
            }
        }
        assert!(accepted.is_empty(), "accepted, though invalid: {accepted:#?}");
        assert_eq!(refused, known.iter().copied().collect());
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

/// The initial policy inputs of a case (RFC 5280 §6.1.1).
fn inputs(case: &Value) -> Vec<String> {
    let mut arguments = Vec::new();
    for names in texts(&case["InitialPolicySet"]) {
        for name in names.split(',') {
            let number = name.strip_prefix("NIST-test-policy-");
            arguments.push("--policy".to_owned());
            arguments
                .push(number.map_or("2.5.29.32.0".to_owned(), |number| format!("2.16.840.1.101.3.2.1.48.{number}")));
        }
    }
    for (input, option) in [
        ("InitialExplicitPolicy", "--explicit-policy"),
        ("InitialPolicyMappingInhibit", "--inhibit-policy-mapping"),
        ("InitialInhibitAnyPolicy", "--inhibit-any-policy"),
    ] {
        if case.get(input).is_some() {
            arguments.push(option.to_owned());
        }
    }
    arguments
}

fn cert_check(legacy: bool, known: &[&str]) {
    let Some(suite) = Suite::find("PKITS by cert check") else { return };
    suite.run(known, |suite, case| {
        let certificates = texts(&case["certs"]);
        let (leaf, others) = certificates.split_last().unwrap();
        let mut arguments = vec!["cert".to_owned(), "check".to_owned(), suite.file(&format!("certs/{leaf}.crt"))];
        for other in others {
            arguments.extend(["--untrusted".to_owned(), suite.file(&format!("certs/{other}.crt"))]);
        }
        for list in texts(&case["crls"]) {
            arguments.extend(["--crl".to_owned(), suite.file(&format!("crls/{list}.crl"))]);
        }
        arguments.extend(["--at".to_owned(), "2011-04-15T00:00:00Z".to_owned()]);
        arguments.extend(legacy.then(|| "--legacy".to_owned()));
        arguments
    });
}

#[test]
fn certificates_by_cert_check() {
    cert_check(false, &REFUSED);
}

#[test]
fn certificates_by_cert_check_with_legacy() {
    cert_check(true, &[]);
}

#[test]
fn signed_mails_by_verify() {
    let Some(suite) = Suite::find("PKITS by verify") else { return };
    suite.run(&REFUSED, |suite, case| {
        let mail = suite.file(&format!("smime/{}", case["smime"].as_str().unwrap()));
        // A day after the last of them was signed.
        ["verify", "--any-signer", &mail, "--at", "2012-01-01T00:00:00Z"].map(str::to_owned).to_vec()
    });
}
