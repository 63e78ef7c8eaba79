//! The engine's answer in the words of the tables.
//!
//! A layer is `signed good`, `signed weak` (the arithmetic is right, an algorithm is forgeable today) or `signed refused
//! <finding>`, for several signers one after the other; `enveloped opened`, `enveloped weak` (a weak cipher), `enveloped
//! closed` (no key) or `enveloped refused <finding>`; `compressed`; `certificates` (no signer); `unsupported <content
//! type>`; `broken <finding>` (it begins as what it is, and cannot be read on); `plain` (a mail without a layer). What is
//! inside follows after ` > `. Files of other forms are a `certificate`, a `crl`, `keys` (PKCS#12), or `refused`.

use kakitome_pki::algorithm::Cipher;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::{Certificate, pkcs12};
use kakitome_smime::Finding;
use kakitome_smime::budget::Budget;
use kakitome_smime::cms::content::{self, Object};
use kakitome_smime::cms::enveloped::Opening;
use kakitome_smime::cms::signed::SignedData;
use kakitome_smime::cms::verify::{self, Content, Outcome, VerifiedSignature};
use kakitome_smime::message::open::{Layer, Opened, Seal, open};
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
        Form::Mail => layers(&open(&octets, &InMemory, &holder::keys(corpus, table, case)).unwrap(), &octets),
        Form::Cms => object(corpus, table, case, octets),
        Form::Certificate => certificates(&blocks(&octets, "CERTIFICATE")),
        Form::Crl => {
            let lists = blocks(&octets, "CRL");
            let is_read = !lists.is_empty() && lists.iter().all(|der| Crl::parse(der).is_ok());
            Answer::new(if is_read { "crl" } else { "refused" })
        }
        Form::Pkcs12 => match pkcs12::open(&octets, case.password.as_deref().unwrap_or_default()) {
            Ok(opened) if opened.keys().next().is_some() => Answer::new("keys"),
            Ok(_) => Answer::new("no keys"),
            Err(error) => Answer { findings: vec![error.to_string()], ..Answer::new("refused") },
        },
    }
}

fn certificates(blocks: &[Vec<u8>]) -> Answer {
    match blocks.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => {
            let own = certificates.iter().filter(|certificate| certificate.verify_signature(certificate.key()).is_ok());
            Answer { findings: own.map(|_| "self-signed".to_owned()).collect(), ..Answer::new("certificate") }
        }
        Ok(_) => Answer::new("refused"),
        Err(malformed) => Answer { findings: vec![malformed.to_string()], ..Answer::new("refused") },
    }
}

/// A CMS object, asked about by itself. Where nothing is added, the file can be opened as it is and must say the same.
fn object(corpus: &Corpus, table: &Table, case: &Case, octets: Vec<u8>) -> Answer {
    let object = blocks(&octets, "").swap_remove(0);
    // Text may stand before PEM.
    let file = if octets.starts_with(b"-----BEGIN ") { octets } else { object.clone() };
    let mut answer = cms(corpus, table, case, object);
    if case.certificates.is_empty() && case.detached.is_none() && case.detached_text.is_none() {
        let opened = open(&file, &InMemory, &holder::keys(corpus, table, case)).unwrap();
        let said = layers(&opened, &file).said;
        if said != answer.said && !(answer.said == "no cms" && said.starts_with("no mail")) {
            answer.said = format!("{}, as a file {said}", answer.said);
        }
    }
    answer
}

/// What `around` holds is where the layer stands, unless what was opened brings its own octets.
fn layers(opened: &Opened, around: &[u8]) -> Answer {
    let own = opened.octets.as_ref().map(|octets| whole(&**octets));
    let around = own.as_deref().unwrap_or(around);
    let mut answer = match &opened.layer {
        Layer::NotAMail(finding) => Answer::new(format!("no mail {}", finding.code)),
        Layer::None | Layer::Listed(_) => Answer::new("plain"),
        Layer::Fake(finding) | Layer::Malformed(finding, _) => {
            let mut answer = Answer::new(format!("broken {}", finding.code));
            answer.add(std::slice::from_ref(finding));
            answer
        }
        Layer::CertificatesOnly(_) => Answer::new("certificates"),
        Layer::Unsupported(kind) => unsupported(kind),
        Layer::Signed(layer) => {
            let mut answer = verified(&layer.signed, &layer.outcome);
            let mut content = Vec::new();
            layer.write_content(&around, &opened.structure, &mut content).unwrap();
            answer.content = Some(content);
            answer.add(&layer.findings);
            answer
        }
        Layer::Sealed(layer) => {
            let mut answer = match &layer.seal {
                Seal::Closed => Answer::new("enveloped closed"),
                Seal::Opened { .. } => Answer::new(open_word(layer.enveloped.encryption().unwrap().cipher())),
                Seal::Refused(finding) | Seal::Failed(finding) => {
                    Answer::new(format!("enveloped refused {}", finding.code))
                }
            };
            answer.add(&layer.findings);
            answer
        }
        Layer::Compressed(layer) => {
            let mut answer = Answer::new("compressed");
            answer.add(&layer.findings);
            answer
        }
    };
    answer.add(&opened.findings);
    if let Some(inner) = opened.inner() {
        let within = layers(inner, around);
        // What is inside a layer of no kind is its content.
        if matches!(inner.layer, Layer::None | Layer::NotAMail(_)) {
            answer.content = inner.octets.as_ref().map(|octets| whole(&**octets)).or(answer.content);
        } else {
            answer.said = format!("{} > {}", answer.said, within.said);
            answer.content = within.content;
        }
        answer.findings.extend(within.findings);
    }
    answer
}

fn open_word(cipher: Cipher) -> &'static str {
    if cipher.is_weak() { "enveloped weak" } else { "enveloped opened" }
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
        _ if signed.signer_count == 0 && !(signed.certificates.is_empty() && signed.crls.is_empty()) => {
            Answer::new("certificates")
        }
        (Some(content), _) | (None, Some(content)) => {
            verified(signed, &verify::verify(signed, &Content::Exact(content)).unwrap())
        }
        (None, None) => Answer::new("broken cms.no-content"),
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
            let mut answer = Answer::new(open_word(plaintext.encryption().cipher()));
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
