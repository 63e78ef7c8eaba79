//! The corpus: attack and edge mails, each made by code with one flaw, and the one right answer to each.
//!
//! A row's id is stable: letters for the subject (A valid, B CMS, C MIME, D binding, E path, F encryption, G fakes, P
//! header protection, H robustness, K kinds of file, R layers around one another, X more of any), a number, and a small
//! letter where a row has variants. A row says what is right; where Kakitome knowingly answers otherwise, [`EXCEPTIONS`]
//! says what it answers and why, and an exception that is no longer needed fails.
//!
//! To add a row: put it into the file of its subject, and what it is into `folder/titles.txt`. [`folder()`] gives all of
//! it to testers of other programs.

mod archive;
mod binding;
mod cms;
mod exceptions;
mod files;
mod folder;
mod layers;
mod list;
mod lookalike;
mod mime;
mod oddity;
mod path;
mod protection;
mod sealed;
mod valid;

use std::sync::OnceLock;

use kakitome_pki::asn1::Oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::crypto::{DecryptionKey, SigningKey, SystemRandom};
use kakitome_pki::path::Anchor;
use kakitome_pki::path::revocation::Mode;
use kakitome_smime::cms::recipient::{HeldKeys, Holder as Reader};

pub use exceptions::{EXCEPTIONS, Exception};
pub use folder::folder;

use crate::envelope::Takes;
use crate::{Authority, CertificateFactory, Holder, NOW, Pki, key};

/// One mail, what is known beside it, and the right answer.
#[derive(Clone)]
pub struct Row {
    /// Which row.
    pub id: &'static str,
    /// The mail.
    pub mail: Vec<u8>,
    /// The evidence.
    pub given: Given,
    /// The keys that are here.
    pub keys: Vec<Key>,
    /// The state that is right.
    pub state: &'static str,
    /// What decides: the first reason.
    pub code: &'static str,
    /// Was it changed? The answer on the wire.
    pub changed: &'static str,
    /// Was it encrypted? The answer on the wire.
    pub sealed: &'static str,
    /// What must be told too: among the reasons, or the findings of the expert part.
    pub notes: Vec<&'static str>,
}

/// What an answer rests on beside the mail.
#[derive(Clone)]
pub struct Given {
    /// Whom to believe.
    pub anchors: Vec<Anchor>,
    /// Certificates that may help to build a path.
    pub hints: Vec<Certificate>,
    /// Revocation lists.
    pub crls: Vec<Crl>,
    /// OCSP responses, in DER.
    pub responses: Vec<Vec<u8>>,
    /// The moment to judge for.
    pub at: Time,
    /// What is expected of senders: a settings file with a `[check]` section, or nothing.
    pub settings: &'static str,
    /// When the mail was delivered, by a log of the reader's own.
    pub delivered: Option<Time>,
    /// Which revocation answers are needed, where that is said.
    pub revocation: Option<Mode>,
    /// Policies, one of which the path must have; empty if none is asked for.
    pub policies: Vec<Oid>,
}

/// A key that opens mail.
#[derive(Clone)]
pub struct Key {
    /// The certificate.
    pub certificate: Certificate,
    /// The private key, in DER.
    pub der: Vec<u8>,
}

impl Row {
    /// A mail under the public root RE with fresh lists, judged at [`NOW`]; changed and sealed as goes with the state.
    pub(crate) fn new(id: &'static str, mail: Vec<u8>, state: &'static str, code: &'static str) -> Self {
        let world = Pki::get();
        let given = Given {
            anchors: world.public_anchors(),
            hints: Vec::new(),
            crls: world.lists(),
            responses: Vec::new(),
            at: NOW,
            settings: "",
            delivered: None,
            revocation: None,
            policies: Vec::new(),
        };
        let changed = changed_with(state);
        let sealed = match state {
            "SEALED" => "cannot-open",
            "NOT_A_MAIL" | "TOO_BIG" => "unknown",
            _ => "no",
        };
        Self { id, mail, given, keys: Vec::new(), state, code, changed, sealed, notes: Vec::new() }
    }

    pub(crate) fn note(mut self, code: &'static str) -> Self {
        self.notes.push(code);
        self
    }

    pub(crate) fn sealed(mut self, answer: &'static str) -> Self {
        self.sealed = answer;
        self
    }

    /// In a frame: whatever is inside, what is outside is not signed.
    pub(crate) fn framed(mut self) -> Self {
        self.changed = "part";
        self
    }

    /// It was encrypted, and is opened.
    pub(crate) fn opened(self) -> Self {
        let answer = if self.state.ends_with("_CONFIRMED") { "yes" } else { "yes-unverified" };
        self.sealed(answer)
    }

    pub(crate) fn anchors(mut self, anchors: Vec<Anchor>) -> Self {
        self.given.anchors = anchors;
        self
    }

    /// Under RP, as a user chose it.
    pub(crate) fn private(self) -> Self {
        self.anchors(Pki::get().private_anchors())
    }

    /// With these lists and no others.
    pub(crate) fn lists(mut self, lists: Vec<Crl>) -> Self {
        self.given.crls = lists;
        self
    }

    /// With one more list.
    pub(crate) fn list(mut self, list: Crl) -> Self {
        self.given.crls.push(list);
        self
    }

    pub(crate) fn hint(mut self, certificate: &Certificate) -> Self {
        self.given.hints.push(certificate.clone());
        self
    }

    pub(crate) fn at(mut self, at: Time) -> Self {
        self.given.at = at;
        self
    }

    /// With these settings.
    pub(crate) fn settings(mut self, settings: &'static str) -> Self {
        self.given.settings = settings;
        self
    }

    /// Delivered then, by a log of the reader's own.
    pub(crate) fn delivered(mut self, at: Time) -> Self {
        self.given.delivered = Some(at);
        self
    }

    /// With this reader's key.
    pub(crate) fn key(mut self, certificate: Certificate, der: Vec<u8>) -> Self {
        self.keys.push(Key { certificate, der });
        self
    }

    /// The keys, as the engine takes them.
    pub fn held(&self) -> HeldKeys<'static> {
        let mut held = HeldKeys::new(&SystemRandom);
        for key in &self.keys {
            let private = DecryptionKey::from_der(&key.der).expect("a key that decrypts");
            held.hold(Reader { certificate: key.certificate.clone(), key: private });
        }
        held
    }

    /// State and reason that Kakitome gives: the right ones, unless there is an exception.
    pub fn expected(&self) -> (&'static str, &'static str) {
        self.exception().map_or((self.state, self.code), |exception| (exception.state, exception.code))
    }

    /// Where Kakitome knowingly answers otherwise.
    pub fn exception(&self) -> Option<&'static Exception> {
        EXCEPTIONS.iter().find(|exception| exception.id == self.id)
    }
}

/// What is known about changes in this state.
fn changed_with(state: &str) -> &'static str {
    match state {
        "ALTERED" => "yes",
        "PART_SIGNED" => "part",
        "NOT_SIGNED"
        | "EXPECTED_SIGNATURE_MISSING"
        | "FAKE_SIGNATURE"
        | "AMBIGUOUS"
        | "SEALED"
        | "NOT_A_MAIL"
        | "TOO_BIG" => "unknown",
        _ => "no",
    }
}

/// Every row, made once in a process.
pub fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        [
            valid::rows(),
            cms::rows(),
            mime::rows(),
            binding::rows(),
            lookalike::rows(),
            list::rows(),
            protection::rows(),
            path::rows(),
            sealed::rows(),
            layers::rows(),
            oddity::rows(),
            archive::rows(),
            files::rows(),
        ]
        .into_iter()
        .flatten()
        // Whoever adds a row meets it in the first test that asks for rows.
        .inspect(|row| assert!(!folder::title(row.id).en.is_empty(), "{}", row.id))
        .collect()
    })
}

/// The row of this id.
pub fn row(id: &str) -> &'static Row {
    rows().iter().find(|row| row.id == id).unwrap_or_else(|| panic!("there is no row {id}"))
}

/// Whoever encrypted mail is for.
fn reader() -> Reader {
    Takes::P256.holder("reader")
}

/// Issued by SE, for this key.
fn issued_for(leaf: CertificateFactory, key: &'static SigningKey) -> Holder {
    under(&Pki::get().se, leaf.spki(key.spki()), key)
}

/// Issued by SE, for the key of this name.
fn issued(leaf: CertificateFactory, key_name: &str) -> Holder {
    issued_for(leaf, key(key_name))
}

fn under(issuer: &Authority, leaf: CertificateFactory, key: &'static SigningKey) -> Holder {
    Holder { certificate: leaf.issued_by(issuer), key, chain: vec![issuer.certificate.clone()] }
}
