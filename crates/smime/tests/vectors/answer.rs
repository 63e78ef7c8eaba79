//! The engine's answer in the words of the tables.
//!
//! A layer is `signed good`, `signed weak` (the arithmetic is right, an algorithm is forgeable today) or `signed refused
//! <finding>`, for several signers one after the other; `enveloped opened`, `enveloped weak` (a weak cipher), `enveloped
//! closed` (no key) or `enveloped refused <finding>`; `compressed`; `certificates` (no signer); `unsupported <content
//! type>`; `broken <finding>` (it begins as what it is, and cannot be read on); `plain` (a mail without a layer). What is
//! inside follows after ` > `. Files of other forms are a `certificate`, a `crl`, `keys` (PKCS#12), or `refused`.

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::{Certificate, pkcs12};
use kakitome_smime::Finding;
use kakitome_smime::budget::Budget;
use kakitome_smime::cms::content::{self, Object};
use kakitome_smime::cms::enveloped::Opening;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::signed::SignedData;
use kakitome_smime::cms::verify::{self, Content, Outcome, VerifiedSignature};
use kakitome_smime::message::open::{self, Layer};
use kakitome_smime::octets::{InMemory, Octets, read_range};

use crate::corpus::{Corpus, blocks};
use crate::holder;
use crate::table::{Case, Form, Table};

/// What the engine says of one file.
pub(crate) struct Answer {
    /// The answer.
    pub(crate) said: String,
    /// The innermost content, where there is one that may be shown.
    pub(crate) content: Option<Vec<u8>>,
    /// Every finding on the way, code and detail.
    pub(crate) findings: Vec<String>,
}

impl Answer {
    fn new(said: impl Into<String>) -> Self {
        Self { said: said.into(), content: None, findings: Vec::new() }
    }

    fn add(&mut self, findings: &[Finding]) {
        self.findings.extend(findings.iter().map(|finding| format!("{}: {}", finding.code, finding.detail)));
    }
}

/// Asks the engine about one file.
pub(crate) fn ask(corpus: &Corpus, table: &Table, case: &Case, file: &str) -> Answer {
    let octets = corpus.read(file);
    match case.form {
        Form::Mail => mail(octets),
        Form::Cms => cms(corpus, table, case, blocks(&octets, "").swap_remove(0)),
        Form::Certificate => {
            let read: Result<Vec<_>, _> =
                blocks(&octets, "CERTIFICATE").iter().map(|der| Certificate::parse(der)).collect();
            match read {
                Ok(certificates) if !certificates.is_empty() => Answer::new("certificate"),
                Ok(_) => Answer::new("refused"),
                Err(malformed) => Answer { findings: vec![malformed.to_string()], ..Answer::new("refused") },
            }
        }
        Form::Crl => match blocks(&octets, "X509 CRL").iter().all(|der| Crl::parse(der).is_ok()) {
            true => Answer::new("crl"),
            false => Answer::new("refused"),
        },
        Form::Pkcs12 => match pkcs12::read(&octets, case.password.as_deref().unwrap_or_default()) {
            Ok(contents) if !contents.keys.is_empty() => Answer::new("keys"),
            Ok(_) => Answer::new("no keys"),
            Err(error) => Answer { findings: vec![error.to_string()], ..Answer::new("refused") },
        },
    }
}

fn mail(octets: Vec<u8>) -> Answer {
    let opened = open::open(&octets, &InMemory, &NoKeys).unwrap();
    let mut answer = match &opened.layer {
        Layer::NotAMail(finding) => Answer::new(format!("no mail {}", finding.code)),
        Layer::None => Answer::new("plain"),
        Layer::Fake(finding) | Layer::Malformed(finding, _) => {
            let mut answer = Answer::new(format!("broken {}", finding.code));
            answer.add(std::slice::from_ref(finding));
            answer
        }
        Layer::CertificatesOnly(_) => Answer::new("certificates"),
        Layer::Sealed(layer) => unsupported(&layer.enveloped.kind.oid()),
        Layer::Compressed(_) => unsupported(&oid::COMPRESSED_DATA),
        Layer::Unsupported(kind) => unsupported(kind),
        Layer::Signed(layer) => {
            let mut answer = verified(&layer.signed, &layer.outcome);
            let mut content = Vec::new();
            layer.write_content(&octets, &opened.structure, &mut content).unwrap();
            answer.content = Some(content);
            answer.add(&layer.findings);
            answer
        }
    };
    answer.add(&opened.findings);
    answer
}

fn cms(corpus: &Corpus, table: &Table, case: &Case, octets: Vec<u8>) -> Answer {
    match content::read(&octets, &InMemory).unwrap() {
        Object::Signed(mut signed) => {
            for der in case.certificates.iter().flat_map(|file| corpus.der(file, "CERTIFICATE")) {
                let certificate = Certificate::parse(&der).unwrap();
                if !signed.certificates.contains(&certificate) {
                    signed.certificates.push(certificate);
                }
            }
            signed_data(corpus, case, &signed)
        }
        Object::Enveloped(enveloped) => {
            let keys = holder::keys(corpus, table, case);
            let mut answer = opened(&enveloped.open(&octets, &keys, &InMemory).unwrap());
            answer.add(&enveloped.findings);
            answer
        }
        Object::Compressed(compressed) => match compressed.open(&octets, &InMemory, &Budget::default()).unwrap() {
            Ok(content) => Answer { content: Some(whole(&*content)), ..Answer::new("compressed") },
            Err(finding) => Answer::new(format!("compressed refused {}", finding.code)),
        },
        Object::Other(kind) => unsupported(&kind),
        Object::NotCms(malformed) => Answer { findings: vec![malformed.to_string()], ..Answer::new("no cms") },
        Object::Broken(finding, _) => {
            let mut answer = Answer::new(format!("broken {}", finding.code));
            answer.add(&[finding]);
            answer
        }
    }
}

fn signed_data(corpus: &Corpus, case: &Case, signed: &SignedData) -> Answer {
    let text = || case.detached_text.as_ref().map(|text| text.as_bytes().to_vec());
    let given = case.detached.as_ref().map(|file| corpus.read(file)).or_else(text);
    let content = signed.content.as_deref().map(whole);
    let mut answer = match (given.as_ref(), content.as_ref()) {
        _ if signed.signer_count == 0 => Answer::new("certificates"),
        (Some(content), _) | (None, Some(content)) => {
            verified(signed, &verify::verify(signed, &Content::Exact(content)).unwrap())
        }
        (None, None) => Answer::new("signed, no content"),
    };
    answer.content = content.or(given);
    answer.add(&signed.findings);
    answer
}

fn whole(octets: &dyn Octets) -> Vec<u8> {
    read_range(octets, 0..octets.len(), usize::MAX).unwrap()
}

/// What every signer's signature is worth, although a mail of several is refused as a whole.
fn verified(signed: &SignedData, outcome: &Outcome) -> Answer {
    let said = |verified: &Option<VerifiedSignature>, findings: &[Finding]| match verified {
        Some(proof) if proof.is_weak() => "weak".to_owned(),
        Some(_) => "good".to_owned(),
        None => format!("refused {}", findings.first().map_or("", |finding| finding.code)),
    };
    let several = outcome.findings.iter().any(|finding| finding.code == "cms.multi-signer");
    let mut answer = Answer::new(match outcome.signers.as_slice() {
        signers if several => {
            assert!(outcome.verified.is_none());
            let said: Vec<String> = signers.iter().map(|signer| said(&signer.verified, &signer.findings)).collect();
            let unreadable = ", unreadable".repeat(signed.signer_count - signers.len());
            format!("signed {}{unreadable}", said.join(", "))
        }
        _ => format!("signed {}", said(&outcome.verified, &outcome.findings)),
    });
    answer.add(&outcome.findings);
    for signer in &outcome.signers {
        answer.add(&signer.findings);
    }
    answer
}

fn opened(opening: &Opening) -> Answer {
    match opening {
        Opening::Open(plaintext) => {
            let is_weak = plaintext.encryption().cipher().is_weak();
            let mut answer = Answer::new(if is_weak { "enveloped weak" } else { "enveloped opened" });
            answer.content = Some(whole(plaintext.octets()));
            answer.add(plaintext.findings());
            answer
        }
        Opening::NoKey => Answer::new("enveloped closed"),
        Opening::Refused(finding) | Opening::Failed(finding) => {
            let mut answer = Answer::new(format!("enveloped refused {}", finding.code));
            answer.add(std::slice::from_ref(finding));
            answer
        }
    }
}

fn unsupported(kind: &kakitome_pki::asn1::Oid) -> Answer {
    Answer::new(format!("unsupported {}", oid::describe(kind)))
}
