//! C2SP x509-limbo: made for TLS, so host names and usages are not looked at here; everything else is.

use kakitome_pki::address::{Address, Match};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::path::revocation::{Mode, Sources, Terms, judge};
use kakitome_pki::path::{AnchorSource, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::{NOW, anchor};
use serde_json::Value;

use crate::corpus::{self, Answer, Comparison};

/// A case takes no longer than this even where it is made to take long, in seconds, unoptimised and on a busy machine.
const SECONDS_LIMIT: u64 = 20;

fn blocks(value: &Value) -> Vec<Vec<u8>> {
    let texts = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
    let texts = texts.into_iter().filter_map(Value::as_str);
    texts.flat_map(|text| pem::read(text.as_bytes())).map(|block| block.der.to_vec()).collect()
}

fn answer(case: &Value) -> Result<(), String> {
    let malformed = |malformed: kakitome_pki::asn1::Malformed| malformed.to_string();
    let certificates = |name: &str| {
        // what cannot be read of others' certificates is left out, as everywhere
        blocks(&case[name]).iter().filter_map(|der| Certificate::parse(der).ok()).collect::<Vec<_>>()
    };
    let leaf = Certificate::parse(&blocks(&case["peer_certificate"])[0]).map_err(malformed)?;
    let untrusted = certificates("untrusted_intermediates");
    let anchors: Vec<_> = certificates("trusted_certs").iter().map(|root| anchor(root, AnchorSource::User)).collect();
    let lists: Vec<Crl> =
        blocks(&case["crls"]).iter().map(|der| Crl::parse(der)).collect::<Result<_, _>>().map_err(malformed)?;
    let lists: Vec<&Crl> = lists.iter().collect();
    let at: Time = case["validation_time"].as_str().map_or(NOW, |time| time.parse().unwrap());
    let question = Question {
        leaf: &leaf,
        untrusted: &untrusted,
        anchors: &anchors,
        at,
        purpose: Purpose::Any,
        policy: PolicyInputs::NONE,
    };
    let path = find(&question).map_err(|refusal| refusal.to_string())?;
    if let Some(weakness) = path.weak() {
        return Err(weakness);
    }
    let sources = Sources { lists: &lists, responses: &[], certificates: &untrusted };
    let mode = if lists.is_empty() { Mode::Off } else { Mode::Require };
    let judged = judge(&path, &sources, &Terms { mode: Some(mode), at, legacy: false });
    if judged.proof.is_none() {
        return Err(format!("{:?}", judged.status));
    }
    for name in case["expected_peer_names"].as_array().into_iter().flatten().filter(|name| name["kind"] == "RFC822") {
        let wanted = Address::parse(name["value"].as_str().unwrap()).unwrap();
        let is_for = |mailbox: &str| Address::parse(mailbox).is_ok_and(|own| own.matches(&wanted) != Match::No);
        if !leaf.extensions().mailboxes().any(is_for) {
            return Err(format!("not for {wanted}"));
        }
    }
    Ok(())
}

#[test]
fn x509_limbo() {
    let Some(folder) = corpus::folder("x509-limbo") else { return };
    let limbo: Value = serde_json::from_slice(&std::fs::read(folder.join("limbo.json")).unwrap()).unwrap();
    let mut comparison = Comparison::of("x509-limbo");
    for case in limbo["testcases"].as_array().unwrap() {
        let name = case["id"].as_str().unwrap();
        let expected = if case["expected_result"] == "SUCCESS" { Answer::Good } else { Answer::Refused };
        let begun = std::time::Instant::now();
        comparison.case(name, expected, &answer(case));
        assert!(begun.elapsed().as_secs() < SECONDS_LIMIT, "{name} took {:?}", begun.elapsed());
    }
    comparison.finish();
}
