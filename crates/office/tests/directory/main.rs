//! The directory: what is taken from mail and files, what is used, and why the rest is not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod both;
#[path = "../ground/mod.rs"]
mod ground;
mod harvest;
mod import;
mod lookup;
#[path = "../office/mod.rs"]
mod office;
mod ours;
mod rule;
mod use_of;

use std::sync::Arc;

use kakitome_office::audit::{Actor, Part};
use kakitome_office::directory::{Directory, Found, Service, Terms};
use kakitome_office::evidence::Choice;
use kakitome_office::store::Store;
use kakitome_office::trust;
use kakitome_office::trust::Added;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::{oid, time::Time, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::roots::Root;
use kakitome_testkit::{Authority, CertificateFactory, CrlFactory, Holder, NOW, Pki, key};
use tempfile::TempDir;

/// A directory on a store of its own, which believes RE as a public root and RP as the operator's choice.
struct Stage {
    directory: Directory,
    folder: TempDir,
    actor: Actor,
}

impl Stage {
    fn new() -> Self {
        Self::of(Terms::default())
    }

    /// With what is demanded of revocation.
    fn with(demand_revocation_answer: bool) -> Self {
        Self::of(Terms { demand_revocation_answer, ..Terms::default() })
    }

    /// With certificate stores of other houses.
    fn asking(services: Vec<Service>) -> Self {
        Self::of(Terms { services, ..Terms::default() })
    }

    fn of(terms: Terms) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("data")).unwrap());
        let world = Pki::get();
        let added = Added { root: Root::new(&world.rp.certificate), note: String::new(), at: NOW };
        trust::add(&store, &kakitome_office::audit::Actor::part("test", kakitome_office::audit::Part::Jobs), &added)
            .unwrap();
        let roots = folder.path().join("roots.pem");
        std::fs::write(&roots, world.public_list()).unwrap();
        let mut crls = Vec::new();
        for (number, list) in world.lists().iter().enumerate() {
            let path = folder.path().join(format!("{number}.crl"));
            std::fs::write(&path, list.raw()).unwrap();
            crls.push(path);
        }
        let choice = Choice { public_roots: Some(roots), crls, ..Choice::default() };
        let directory = Directory::judging(store, Terms { choice, ..terms });
        Self { directory, folder, actor: Actor::part("test", Part::Jobs) }
    }

    /// What is known for an address, in words: `+` for what is used, best first, `-` and the reason for what is not.
    fn told(&self, address: &str, at: Time) -> String {
        told(&self.directory.recipients(&Address::parse(address).unwrap(), at).unwrap())
    }

    /// Puts certificates in by hand.
    fn import(&self, certificates: &[Certificate]) {
        self.directory.import(None, false, &self.actor, NOW).unwrap().take(certificates).unwrap();
    }
}

fn told(found: &Found) -> String {
    let serial = |certificate: &Certificate| certificate.serial_hex();
    let fit = found.fit.iter().map(|fit| {
        let folded = if fit.is_folded { "~" } else { "" };
        format!("+{}{folded}:{}", serial(&fit.certificate), fit.believed.name())
    });
    let unused = found.unused.iter().map(|one| format!("-{}:{}", serial(&one.certificate), one.why.name()));
    fit.chain(unused).collect::<Vec<_>>().join(" ")
}

/// Signs and is encrypted to, under SE.
fn both(mailbox: &str, serial: u8) -> CertificateFactory {
    Pki::leaf(&[(oid::COMMON_NAME, "bob")], mailbox, 1)
        .with(oid::KEY_USAGE, true, der::named_bits(&[0, 4]))
        .serial(&[serial])
}

/// Is encrypted to alone.
fn reader(mailbox: &str, serial: u8) -> CertificateFactory {
    both(mailbox, serial).with(oid::KEY_USAGE, true, der::named_bits(&[4]))
}

fn by_se(factory: CertificateFactory) -> Certificate {
    factory.issued_by(&Pki::get().se)
}

/// Who signs with this certificate.
fn holder(certificate: &Certificate, mailbox: &str) -> Holder {
    // `leaf` gives the key the mailbox's name
    Holder { certificate: certificate.clone(), key: key(mailbox), chain: vec![Pki::get().se.certificate.clone()] }
}

/// A list of SE that revokes this serial number.
fn revoking(issuer: &Authority, serial: u8, at: Time) -> Vec<u8> {
    CrlFactory::default().entry(&[serial], at, None).signed_by(issuer).raw().to_vec()
}
