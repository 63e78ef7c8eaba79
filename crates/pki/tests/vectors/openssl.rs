//! The chains of OpenSSL's own tests, and what its makers expect of them (test/recipes/25-test_verify.t). Rows about usages
//! of TLS, code signing and time stamping, about proxy certificates, and about OpenSSL's own trust settings are left out.

use std::path::Path;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::path::revocation::{Mode, Sources, Terms, judge};
use kakitome_pki::path::{AnchorSource, PolicyInputs, Purpose, Question, find};
use kakitome_testkit::{NOW, anchor};

use crate::corpus::{self, Answer, Comparison};

/// Leaf, anchors, others, what is expected; several names stand behind one another.
const ROWS: &[(&str, &str, &str, Answer)] = {
    use Answer::{Good, Refused};
    &[
        ("ee-cert", "root-cert", "ca-cert", Good),
        // anchors
        ("ee-cert", "root-nonca", "ca-cert", Refused),
        ("ee-cert", "root-cert2", "ca-cert", Refused),
        ("ee-cert", "root-name2", "ca-cert", Refused),
        ("ee-cert", "", "ca-cert", Refused),
        ("ee-cert", "ca-cert", "", Good),
        ("ee-cert", "ca-expired", "", Refused),
        ("ee-cert", "root-expired", "ca-cert", Refused),
        ("ee-cert", "ee-cert", "", Good),
        ("ee-cert", "ee-client", "", Refused),
        ("root-cert-rsa2", "root-cert-rsa2", "", Good),
        ("ee-self-signed", "ee-self-signed", "", Good),
        ("ee-ss-with-keyCertSign", "ee-ss-with-keyCertSign", "", Good),
        ("ee-ed25519", "root-ed25519", "", Good),
        ("root-ed25519", "ee-ed25519", "", Refused),
        ("root-ed25519", "root-ed25519", "", Good),
        ("ee-ed25519", "ee-ed25519", "", Good),
        // critical extensions
        ("ee-cert-noncrit-unknown-ext", "root-cert", "ca-cert", Good),
        ("ee-cert-crit-unknown-ext", "root-cert", "ca-cert", Refused),
        ("ee-cert-ocsp-nocheck", "root-cert", "ca-cert", Good),
        // authorities
        ("ee-cert", "root-cert", "ca-nonca", Refused),
        ("ee-cert", "root-cert", "ca-nonbc", Refused),
        ("ee-cert", "root-cert ca-nonca", "", Refused),
        ("ee-cert", "root-cert ca-nonbc", "", Refused),
        ("ee-cert", "root-cert", "ca-cert2", Refused),
        ("ee-cert", "root-cert", "ca-name2", Refused),
        ("ee-cert", "root-cert", "ca-root2", Refused),
        // leaves
        ("ee-cert2", "root-cert", "ca-cert", Refused),
        ("ee-name2", "root-cert", "ca-cert", Refused),
        ("ee-expired", "root-cert", "ca-cert", Refused),
        ("ee-pathlen", "root-cert", "ca-cert", Good),
        ("pc1-cert", "root-cert", "ee-client ca-cert", Refused),
        // strength
        ("ee-cert", "root-cert-768", "ca-cert-768i", Refused),
        ("ee-cert-768i", "root-cert", "ca-cert-768", Refused),
        ("ee-cert-768", "root-cert", "ca-cert", Refused),
        ("ee-cert", "root-cert-md5", "ca-cert", Good),
        ("ee-cert", "ca-cert-md5-any", "", Good),
        ("ee-cert", "root-cert", "ca-cert-md5", Refused),
        ("ee-cert-md5", "root-cert", "ca-cert", Refused),
        ("ee-pss-sha256-cert", "root-cert", "ca-cert", Good),
        ("ee-pss-sha1-cert", "root-cert", "ca-cert", Refused),
        ("ee-pss-cert", "root-cert", "ca-pss-cert", Good),
        ("ee-pss-wrong1.5-cert", "root-cert", "ca-pss-cert", Refused),
        // curves
        ("ee-cert-ec-explicit", "root-cert", "ca-cert-ec-named", Refused),
        ("ee-cert-ec-named-explicit", "root-cert", "ca-cert-ec-explicit", Refused),
        ("ee-cert-ec-named-named", "root-cert", "ca-cert-ec-named", Good),
        ("ee-cert-ec-sha3-224", "root-cert", "ca-cert-ec-named", Good),
        ("ee-cert-ec-sha3-256", "root-cert", "ca-cert-ec-named", Good),
        ("ee-cert-ec-sha3-384", "root-cert", "ca-cert-ec-named", Good),
        ("ee-cert-ec-sha3-512", "root-cert", "ca-cert-ec-named", Good),
        ("sm2", "sm2-ca-cert", "", Good),
        // names
        ("alt1-cert", "root-cert", "ncca1-cert", Good),
        ("alt2-cert", "root-cert", "ncca2-cert", Good),
        ("alt3-cert", "root-cert", "ncca1-cert ncca3-cert", Good),
        ("goodcn1-cert", "root-cert", "ncca1-cert", Good),
        ("goodcn2-cert", "root-cert", "ncca1-cert", Good),
        ("badcn1-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt1-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt2-cert", "root-cert", "ncca2-cert", Refused),
        ("badalt3-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt4-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt5-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt6-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt7-cert", "root-cert", "ncca1-cert", Refused),
        ("badalt8-cert", "root-cert", "ncca1-cert ncca3-cert", Refused),
        ("badalt9-cert", "root-cert", "ncca1-cert ncca3-cert", Refused),
        ("badalt10-cert", "root-cert", "ncca1-cert ncca3-cert", Refused),
        ("bad-othername-cert", "root-cert", "nccaothername-cert", Refused),
        ("bad-othername-namec", "bad-othername-namec-inter", "", Refused),
        ("many-names1", "many-constraints", "many-constraints", Refused),
        ("many-names2", "many-constraints", "many-constraints", Refused),
        ("many-names3", "many-constraints", "many-constraints", Refused),
        ("some-names1", "many-constraints", "many-constraints", Good),
        ("some-names2", "many-constraints", "many-constraints", Good),
        // policies: one is demanded
        ("ee-cert-policies", "root-cert", "ca-pol-cert", Good),
        ("ee-cert-policies-bad", "root-cert", "ca-pol-cert", Refused),
        // CVE-2026-28388: a delta list without a number
        ("cve-2026-28388-leaf", "cve-2026-28388-ca", "", Refused),
    ]
};

/// Rows that their makers judge for another moment than now.
const AT: &[(&str, i64)] = &[("bad-othername-namec", 1_623_060_000), ("ee-self-signed", 1_593_565_200)];

fn answer(folder: &Path, (leaf, anchors, others, _): &(&str, &str, &str, Answer)) -> Result<(), String> {
    let read = |name: &str| {
        let text = std::fs::read(folder.join(format!("{name}.pem"))).unwrap();
        let block = pem::read(&text).into_iter().find(pem::Block::is_certificate).unwrap();
        Certificate::parse(block.certificate()).map_err(|malformed| format!("{name}: {malformed}"))
    };
    let all = |names: &str| names.split_whitespace().map(read).collect::<Result<Vec<_>, _>>();
    let moment = AT.iter().find(|(name, _)| name == leaf);
    let at = moment.map_or(NOW, |(_, seconds)| Time::from_unix(*seconds));
    let demanded = leaf.contains("policies");
    let policy = PolicyInputs {
        acceptable: vec!["1.3.6.1.4.1.16604.998855.1".parse().unwrap()],
        require_explicit: true,
        ..PolicyInputs::default()
    };
    let (leaf_certificate, untrusted) = (read(leaf)?, all(others)?);
    let anchors: Vec<_> = all(anchors)?.iter().map(|root| anchor(root, AnchorSource::User)).collect();
    let path = find(&Question {
        leaf: &leaf_certificate,
        untrusted: &untrusted,
        anchors: &anchors,
        at,
        purpose: Purpose::Any,
        policy: if demanded { &policy } else { PolicyInputs::NONE },
    })
    .map_err(|refusal| refusal.to_string())?;
    if let Some(weakness) = path.weak() {
        return Err(weakness);
    }
    let lists = std::fs::read(folder.join(leaf.replace("leaf", "crls") + ".pem")).unwrap_or_default();
    let lists: Vec<Crl> = pem::read(&lists)
        .iter()
        .filter(|block| block.label == "X509 CRL")
        .filter_map(|block| Crl::parse(&block.der).ok())
        .collect();
    let lists: Vec<&Crl> = lists.iter().collect();
    let mode = if lists.is_empty() { Mode::Off } else { Mode::Require };
    let sources = Sources { lists: &lists, ..Sources::default() };
    let judged = judge(&path, &sources, &Terms { mode: Some(mode), at, legacy: false });
    judged.proof.map(drop).ok_or_else(|| format!("{:?}", judged.status))
}

#[test]
fn openssl() {
    let Some(folder) = corpus::folder("openssl/certs") else { return };
    let mut comparison = Comparison::of("openssl");
    for row in ROWS {
        let (leaf, anchors, others, expected) = row;
        let name = format!("{leaf} < {others} < {anchors}");
        comparison.case(&name, *expected, &answer(&folder, row));
    }
    comparison.finish();
}
