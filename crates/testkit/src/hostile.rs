//! Certificates that are made to take long: for the tests, which say how they are refused, and the benchmarks, which say
//! how soon.

use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::Certificate;

use crate::factory::{Authority, CertificateFactory};
use crate::world::{BANK, Pki};
use crate::write;

/// A leaf under all that lies around it.
pub struct Hostile {
    /// What is asked about.
    pub leaf: Certificate,
    /// What came along.
    pub untrusted: Vec<Certificate>,
}

/// Policies that each CA maps to each of the next one's.
pub const WIDTH: u32 = 60;
/// CAs that do so.
pub const LEVELS: u32 = 8;
/// Names of the leaf, and limits to them.
pub const NAMES: usize = 4000;

fn leaf() -> CertificateFactory {
    Pki::leaf(BANK, "info@bank.example", 2)
}

/// So many CAs that all certify each other; the first issued the leaf.
pub fn mesh(count: usize) -> (Vec<Authority>, Hostile) {
    let name = |n: usize| format!("Mesh {n}");
    let all: Vec<Authority> =
        (0..count).map(|n| CertificateFactory::authority(&name(n)).self_signed(&name(n))).collect();
    let mut untrusted = Vec::new();
    for (n, subject) in all.iter().enumerate() {
        let others = all.iter().filter(|issuer| issuer.certificate != subject.certificate);
        untrusted.extend(others.map(|issuer| CertificateFactory::authority(&name(n)).issued_by(issuer)));
    }
    let leaf = leaf().issued_by(&all[0]);
    (all, Hostile { leaf, untrusted })
}

/// [`WIDTH`] policies, each mapped to each, at [`LEVELS`]: a tree of these would have 60^8 leaves (CVE-2023-0464).
pub fn policies() -> Hostile {
    let policy = |level: u32, number: u32| -> Oid {
        format!("1.2.3.{level}.{number}").parse().expect("these are object identifiers")
    };
    let mut above = Pki::get().re.clone();
    let mut untrusted = Vec::new();
    for level in 0..LEVELS {
        let own: Vec<Oid> = (0..WIDTH).map(|number| policy(level, number)).collect();
        let mappings: Vec<(Oid, Oid)> =
            own.iter().flat_map(|from| (0..WIDTH).map(move |number| (*from, policy(level + 1, number)))).collect();
        let name = format!("Level {level}");
        above = CertificateFactory::authority(&name)
            .policies(&own)
            .with(oid::POLICY_MAPPINGS, true, write::mappings(&mappings))
            .authority_by(&above, &name);
        untrusted.push(above.certificate.clone());
    }
    Hostile { leaf: leaf().policies(&[policy(LEVELS, 0)]).issued_by(&above), untrusted }
}

/// [`NAMES`] names under as many limits.
pub fn names() -> Hostile {
    let bases: Vec<Vec<u8>> = (0..NAMES).map(|n| write::mailbox(&format!("n{n}.example"))).collect();
    let narrow = Pki::sub_authority("Narrow")
        .with(oid::NAME_CONSTRAINTS, true, write::constraints(&[], &bases))
        .authority_by(&Pki::get().re, "Narrow");
    let names: Vec<Vec<u8>> = (0..NAMES).map(|n| write::mailbox(&format!("a{n}@bank.example"))).collect();
    Hostile { leaf: leaf().names(&names).issued_by(&narrow), untrusted: vec![narrow.certificate] }
}
