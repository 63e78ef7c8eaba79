//! Steps 1 to 4: down to the signature that says who wrote the mail. It stands at the root, or inside what seals or
//! compresses the whole (RFC 9787 §4.5).

use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_smime::cms::enveloped::Enveloped;
use kakitome_smime::message::open::{Layer, Opened, Seal, SealedLayer, SignedLayer};
use kakitome_smime::mime::address;
use kakitome_smime::mime::header::{self, Header};

use super::super::lookalike::name;
use super::{Outcome, Trial, code, fails, holds, is_sealed_part, unsigned_notes};
use crate::answer::{Encrypted, Sealed, Step};
use crate::detail::Detail;
use crate::reason::Reason;
use crate::state::State;

impl<'a> Trial<'a> {
    /// The signature, if the mail has one that can say who wrote it.
    pub(super) fn root(&mut self) -> Option<&'a SignedLayer> {
        let opened = self.opened;
        if let Layer::NotAMail(finding) = &opened.layer {
            self.note_findings(&opened.findings);
            self.step(Step::Input, fails(State::NotAMail, code(finding, Reason::InNotMail), finding));
            self.answer.sealed.answer = Encrypted::Unknown;
            return None;
        }
        self.step(Step::Input, Outcome::Holds(Detail::default()));
        self.layer(opened)
    }

    fn layer(&mut self, opened: &'a Opened) -> Option<&'a SignedLayer> {
        self.note_findings(&opened.findings);
        match &opened.layer {
            Layer::Signed(layer) => self.signed(layer),
            // Step 13 says so, where nothing worse came before.
            Layer::Listed(layer) => {
                self.is_framed = true;
                self.layer(&layer.inner)
            }
            Layer::None | Layer::NotAMail(_) => {
                for reason in unsigned_notes(opened) {
                    self.note(reason);
                }
                self.sealed_part(opened);
                self.unsigned(Reason::MimeNone)
            }
            Layer::CertificatesOnly(_) => self.unsigned(Reason::CmsCertsOnly),
            Layer::Fake(finding) => {
                self.step(Step::Structure, Outcome::Holds(Detail::default()));
                self.step(Step::Fake, fails(State::FakeSignature, code(finding, Reason::FakeNotCms), finding));
                None
            }
            Layer::Sealed(layer) => {
                self.sealed(layer);
                let kind = layer.enveloped.kind.name();
                match (&layer.seal, layer.inner.as_deref()) {
                    (Seal::Opened { .. }, Some(inner)) => {
                        self.step(Step::Open, holds(kind.to_owned()));
                        self.layer(inner)
                    }
                    (Seal::Refused(finding) | Seal::Failed(finding), _) => {
                        self.step(Step::Structure, holds(kind.to_owned()));
                        let reason = code(finding, Reason::EncFailed);
                        self.step(Step::Open, fails(State::Sealed, reason, finding));
                        None
                    }
                    (Seal::Closed | Seal::Opened { .. }, _) => {
                        self.step(Step::Structure, holds(kind.to_owned()));
                        self.step(Step::Open, fails(State::Sealed, Reason::EncCannotOpen, ""));
                        None
                    }
                }
            }
            // It protects nothing, and takes nothing away from what is inside.
            Layer::Compressed(layer) => {
                self.note_findings(&layer.findings);
                if let Some(inner) = layer.inner.as_deref() {
                    return self.layer(inner);
                }
                let finding = layer.findings.first();
                let reason = finding.map_or(Reason::CmsType, |finding| code(finding, Reason::CmsType));
                self.step(Step::Cms, fails(State::Ambiguous, reason, oid::describe(&oid::COMPRESSED_DATA)));
                None
            }
            Layer::Malformed(finding, _) => {
                self.step(Step::Cms, fails(State::Ambiguous, code(finding, Reason::CmsParse), finding));
                None
            }
            Layer::Unsupported(kind) => {
                self.step(Step::Cms, fails(State::Ambiguous, Reason::CmsType, oid::describe(kind)));
                None
            }
        }
    }

    /// Step 3b: there is no signature. Should there be one?
    fn unsigned(&mut self, reason: Reason) -> Option<&'a SignedLayer> {
        self.step(Step::Structure, fails(State::NotSigned, reason, ""));
        let signers = &self.evidence.expectations.signers;
        let named = claimed_senders(self.opened.header());
        let Some(missing) = named.iter().find(|sender| signers.iter().any(|signer| signer.is(sender))) else {
            self.step(
                Step::Expected,
                if signers.is_empty() { Outcome::Skipped } else { Outcome::Holds(Detail::default()) },
            );
            return None;
        };
        self.note(reason);
        self.decided = None;
        self.step(Step::Expected, fails(State::ExpectedSignatureMissing, Reason::ExpectMissing, missing.to_string()));
        None
    }

    /// A signature around an encryption may be anybody's who passed the mail on: it is the signature inside that says who
    /// wrote it, and both must be one person's where both fit. Where there is none inside, the outer one stands for who sent
    /// it, and the answer says that nobody signed what is inside (RFC 9787 §5.2).
    fn signed(&mut self, layer: &'a SignedLayer) -> Option<&'a SignedLayer> {
        match layer.inner.as_ref().map(|inner| &inner.layer) {
            Some(Layer::Sealed(seal)) => {
                self.sealed(seal);
                if let Some(inner) = seal.inner.as_deref().filter(|inner| is_signed(inner)) {
                    self.step(Step::Open, holds(seal.enveloped.kind.name().to_owned()));
                    let found = self.layer(inner)?;
                    return self.one_signer(layer, found).then_some(found);
                }
                self.note(Reason::EncOuterSignature);
                if self.answer.sealed.answer == Encrypted::Yes {
                    self.answer.sealed.answer = Encrypted::Unverified;
                }
                // What cannot be opened may be signed by somebody else.
                let closed = match &seal.seal {
                    Seal::Opened { .. } => None,
                    Seal::Refused(finding) | Seal::Failed(finding) => {
                        Some((code(finding, Reason::EncFailed), Detail::from(finding)))
                    }
                    Seal::Closed => Some((Reason::EncCannotOpen, Detail::default())),
                };
                if let Some((reason, detail)) = closed {
                    self.step(Step::Structure, holds(seal.enveloped.kind.name().to_owned()));
                    self.step(Step::Open, fails(State::Sealed, reason, detail));
                    return None;
                }
            }
            Some(Layer::Signed(inner)) if !self.one_signer(layer, inner) => {
                if let Some(Layer::Sealed(seal)) = inner.inner.as_ref().map(|inner| &inner.layer) {
                    self.sealed(seal);
                }
                return None;
            }
            _ => {}
        }
        self.sealed_part(layer.inner.as_deref().unwrap_or(self.opened));
        let detail = if layer.clear { "multipart/signed" } else { "signed-data" };
        self.step(Step::Structure, holds(detail.to_owned()));
        self.step(Step::Fake, Outcome::Skipped);
        if !self.checks.iter().any(|check| check.step == Step::Open) {
            self.step(Step::Open, Outcome::Skipped);
        }
        Some(layer)
    }

    /// Are two signatures, one around the other, one person's? Programs differ in which of the two they look at. One that
    /// does not fit says nothing about anybody.
    fn one_signer(&mut self, outer: &SignedLayer, inner: &SignedLayer) -> bool {
        let (Some(outer), Some(inner)) = (&outer.outcome.verified, &inner.outcome.verified) else { return true };
        let (outer, inner) = (outer.signer(), inner.signer());
        let is_same = |mailbox: &str| inner.extensions().mailboxes().any(|other| other.eq_ignore_ascii_case(mailbox));
        if outer == inner || outer.extensions().mailboxes().any(is_same) {
            return true;
        }
        let (inner, outer) = (inner.subject().short(), outer.subject().short());
        let detail = Detail::new(format!("内側 {inner}、外側 {outer}"), format!("{inner} inside, {outer} outside"));
        self.step(Step::Cms, fails(State::Ambiguous, Reason::CmsTripleWrap, detail));
        false
    }

    /// A part below the root that says it is encrypted: it stays closed, and the mail around it was not
    /// (RFC 9787 §6.2.2).
    fn sealed_part(&mut self, opened: &Opened) {
        let is_sealed = opened.structure.entities.iter().skip(1).any(|entity| is_sealed_part(&entity.content_type));
        if is_sealed && self.answer.sealed.answer == Encrypted::No {
            self.answer.sealed.answer = Encrypted::Part;
        }
    }

    /// What is to be said of an encrypted layer, opened or not.
    fn sealed(&mut self, layer: &SealedLayer) {
        self.note_findings(&layer.findings);
        let is_weak = layer.findings.iter().any(|finding| matches!(finding.code, "enc.weak" | "enc.weak-key"));
        let answer = match layer.seal {
            Seal::Opened { .. } if is_weak => Encrypted::Weak,
            Seal::Opened { .. } => Encrypted::Yes,
            Seal::Closed | Seal::Refused(_) | Seal::Failed(_) => Encrypted::CannotOpen,
        };
        self.answer.sealed = Sealed { answer, alg: cipher(&layer.enveloped), ..Sealed::default() };
    }
}

/// Everybody whom some program could show as the sender: whoever poses as one who always signs, poses by any of them.
fn claimed_senders(header: &Header) -> Vec<Address> {
    let read = |value: &[u8]| match address::mailboxes(value) {
        Ok(mailboxes) => mailboxes.iter().filter_map(|mailbox| Address::parse(&mailbox.address).ok()).collect(),
        Err(_) => name::addresses(&header::decode(value).to_lowercase()),
    };
    header.all("From").flat_map(|field| read(header.value(field))).collect()
}

fn cipher(enveloped: &Enveloped) -> Option<String> {
    Some(match enveloped.encryption() {
        Ok(encryption) => encryption.cipher().name().to_string(),
        Err(_) => oid::describe(&enveloped.algorithm.oid),
    })
}

/// Is there a signature inside, through whatever seals or compresses it?
fn is_signed(opened: &Opened) -> bool {
    match &opened.layer {
        Layer::Signed(_) => true,
        Layer::Sealed(_) | Layer::Compressed(_) => opened.inner().is_some_and(is_signed),
        _ => false,
    }
}
