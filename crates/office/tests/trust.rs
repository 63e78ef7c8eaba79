//! The public list that is part of the program: whole, and what its head says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kakitome_office::trust;
use kakitome_pki::roots::RootList;

const LIST: &str = include_str!("../data/public-roots.pem");
/// So many roots of the list, for mail, are past their end at its date; an anchor's own end does not count.
const EXPIRED: usize = 0;

/// Reading it whole compares hashes, counts roots as its head says, and parses every certificate.
#[test]
fn the_built_in_list_is_whole() {
    let list = RootList::parse(LIST).unwrap();
    let header = list.header();
    assert!(header.name.starts_with("nss-2."), "{}", header.name);
    assert_eq!(header.source_sha256.len(), 64);
    assert_eq!(LIST.matches("\nsubject: ").count(), list.roots().len(), "else each start reads every certificate");
    assert!(LIST.contains("Mozilla Public License, v. 2.0"));
    let date = header.date.unwrap();
    let mut expired = Vec::new();
    for root in list.roots() {
        let certificate = root.certificate().unwrap();
        assert!(certificate.is_self_issued(), "{}", root.name);
        assert!(certificate.extensions().basic_constraints.is_none_or(|basic| basic.ca), "{}", root.name);
        assert!(certificate.extensions().unknown_critical.is_empty(), "{}", root.name);
        assert!(certificate.verify_signature(certificate.key()).is_ok(), "{}", root.name);
        if root.uses.email && certificate.not_after() < date {
            expired.push(format!("{} at {}", root.name, certificate.not_after()));
        }
    }
    println!("expired at {date}: {expired:?}");
    assert_eq!(expired.len(), EXPIRED, "{expired:?}");
    let for_email = list.roots().iter().filter(|root| root.uses.email).count();
    let alone = list.roots().iter().filter(|root| root.uses.email && !root.uses.tls).count();
    // Dedicated roots for e-mail are what lists for TLS lack.
    assert!(for_email > 50 && alone > 20, "{for_email} {alone}");
    assert!(list.roots().len() > for_email, "roots for TLS are known, so that they can be refused by that name");
}

#[test]
fn the_built_in_list_is_the_one_in_the_program() {
    let (embedded, whole) = (trust::built_in(), RootList::parse(LIST).unwrap());
    assert_eq!(embedded.header(), whole.header());
    assert_eq!(embedded.roots(), whole.roots());
    // Roots of one name only: a name leads to few candidates.
    for root in whole.roots().iter().filter(|root| root.uses.email) {
        let certificate = root.certificate().unwrap();
        let met = embedded.anchors_for(&certificate, [].iter());
        assert!(met.iter().any(|anchor| anchor.certificate == certificate), "{}", root.name);
        assert!(met.len() <= 2, "{}: {}", root.name, met.len());
    }
}
