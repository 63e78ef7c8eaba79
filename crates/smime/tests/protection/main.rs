//! Header protection written and read: the messages of RFC 9788 appendix C, what a mail shows of its hidden fields to old
//! programs, and what an answer must not give away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod appendix;
mod display;
mod response;
mod whatever;

use std::sync::Arc;

use kakitome_smime::Finding;
use kakitome_smime::cms::recipient::{Keys, NoKeys};
use kakitome_smime::cms::write::Signer;
use kakitome_smime::message::open::{Layer, SignedLayer, open};
use kakitome_smime::message::protect::{Around, Cover, Reading, read};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::scan::{Structure, scan};
use kakitome_smime::octets::{InMemory, Octets};
use kakitome_testkit::{FixedRandom, Holder, NOW};

fn signed(mail: &[u8], cover: Cover, form: Form, holder: &Holder) -> Vec<u8> {
    let mail = mail.to_vec();
    let draft = Draft::covered(&mail, cover).unwrap().unwrap();
    let algorithm = holder.key.algorithm();
    let chain = std::slice::from_ref(&holder.certificate);
    let signer = Signer::new(&holder.certificate, chain, algorithm, algorithm.digest().unwrap()).unwrap();
    let asked = draft.request(&signer, Some(NOW)).unwrap();
    let signature = holder.key.sign(algorithm, asked.octets()).unwrap();
    let mut out = Vec::new();
    asked.write(form, &signature, &FixedRandom, &mut out).unwrap();
    out
}

/// A mail whose signature verifies, with its payload: octets, structure, and which part of it.
struct Payload {
    outer: Structure,
    octets: Vec<u8>,
    structure: Structure,
    root: usize,
}

impl Payload {
    fn of(mail: &[u8]) -> Self {
        Self::opened(mail, &NoKeys).0
    }

    /// With what the opening said of its header; an encryption around the signature is opened with the keys.
    fn opened(mail: &[u8], keys: &dyn Keys) -> (Self, Reading) {
        let mail: Arc<dyn Octets> = Arc::new(mail.to_vec());
        let opened = open(&*mail, &InMemory, keys).unwrap();
        let inner = match &opened.layer {
            Layer::Sealed(sealed) => sealed.inner.as_deref().expect("there is a key"),
            _ => &opened,
        };
        let Layer::Signed(layer) = &inner.layer else { panic!("not signed") };
        let layer: &SignedLayer = layer;
        assert!(layer.outcome.verified.is_some(), "{:?}", layer.outcome.findings);
        let mut octets = Vec::new();
        layer.write_content(&**inner.octets.as_ref().unwrap_or(&mail), &inner.structure, &mut octets).unwrap();
        let structure = scan(&octets, 0..octets.len() as u64).unwrap();
        let hp = |finding: &&Finding| finding.code.starts_with("hp.");
        let findings = layer.findings.iter().filter(hp).cloned().collect();
        let reading = Reading { protected: layer.protected.clone(), findings };
        (Self { outer: opened.structure, octets, structure, root: 0 }, reading)
    }

    /// As it is read when the mail came out of an encryption, or did not.
    fn read(&self, encrypted: bool) -> Reading {
        let around = Around { signed: true, encrypted };
        read(&self.outer.root().header, &self.octets, &self.structure, self.root, around).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }
}

/// The decoded body of a base64 part.
fn decoded(octets: &[u8], structure: &Structure, part: usize) -> Vec<u8> {
    use std::io::Write as _;
    let body = structure.entity(part).unwrap().body.clone();
    let mut decoder = kakitome_smime::mime::encoding::Base64Decoder::new(Vec::new());
    decoder.write_all(&octets[usize::try_from(body.start).unwrap()..usize::try_from(body.end).unwrap()]).unwrap();
    let (decoded, clean) = decoder.finish().unwrap();
    assert!(clean);
    decoded
}
