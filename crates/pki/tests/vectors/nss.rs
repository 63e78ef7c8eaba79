//! NSS's chains with name constraints (tests/chains/scenarios/nameconstraints.cfg), made for TLS.

use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::path::{AnchorSource, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::anchor;

use crate::corpus::{self, Answer, Comparison};

/// Leaf, the CAs above it up to the root, what is expected.
const ROWS: &[(&str, &str, Answer)] = {
    use Answer::{Good, Refused};
    &[
        ("server1", "intermediate", Refused),
        ("server2", "intermediate", Refused),
        ("server3", "intermediate", Good),
        ("server4", "intermediate2 intermediate", Refused),
        ("server5", "intermediate2 intermediate", Refused),
        ("server6", "intermediate2 intermediate", Good),
        ("server7", "intermediate4 intermediate3", Good),
        ("server8", "intermediate4 intermediate3", Good),
        ("server9", "intermediate4 intermediate3", Refused),
        ("server10", "intermediate4 intermediate3", Refused),
        ("server11", "intermediate4 intermediate3", Good),
        ("server12", "intermediate4 intermediate3", Refused),
        ("server13", "intermediate5 intermediate3", Refused),
        ("server14", "intermediate5 intermediate3", Refused),
    ]
};

#[test]
fn nss() {
    let Some(folder) = corpus::folder("nss/libpkix/certs") else { return };
    let read = |name: &str| {
        let raw = std::fs::read(folder.join(format!("NameConstraints.{name}.cert"))).unwrap();
        let der = if pem::is_pem(&raw) { pem::read(&raw)[0].der.to_vec() } else { raw };
        Certificate::parse(&der).unwrap()
    };
    let mut comparison = Comparison::of("nss");
    for (leaf, above, expected) in ROWS {
        let untrusted: Vec<Certificate> = above.split(' ').map(read).collect();
        let (certificate, anchors) = (read(leaf), [anchor(&read("ca"), AnchorSource::User)]);
        let question = Question {
            leaf: &certificate,
            untrusted: &untrusted,
            anchors: &anchors,
            at: certificate.not_before().plus(1),
            purpose: Purpose::Any,
            policy: PolicyInputs::NONE,
        };
        // Keys of 1024 bits all along: how strong they are is not what these chains are about.
        comparison.case(leaf, *expected, &find(&question).map(drop).map_err(|refusal| refusal.to_string()));
    }
    comparison.finish();
}
