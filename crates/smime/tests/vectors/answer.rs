//! The engine's answer in the words of the tables.
//!
//! A layer is said as `signed good`, `signed weak` (the arithmetic is right, an algorithm is forgeable today) or `signed
//! refused <finding>`; `certificates` (no signer), `broken <finding>` (begins as what it is, and cannot be read on),
//! `unsupported <content type>`, `plain` (a mail without a layer). Files of other forms: `certificate`, `crl`, `keys`
//! (PKCS#12), each or `refused`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::asn1::{oid, tag};
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::{Certificate, pem, pkcs12};
use kakitome_smime::Finding;
use kakitome_smime::cms::content::{self, Object};
use kakitome_smime::cms::signed::SignedData;
use kakitome_smime::cms::verify::{self, Content, Outcome};
use kakitome_smime::message::open::{self, Layer};
use kakitome_smime::octets::{InMemory, read_range};

use crate::corpus::Corpus;
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
pub(crate) fn ask(corpus: &Corpus, _table: &Table, case: &Case, file: &str) -> Answer {
    let octets = corpus.read(file);
    match case.form {
        Form::Mail => mail(octets),
        Form::Cms => cms(corpus, case, unframed(octets)),
        Form::Base64 => {
            let text: Vec<u8> = octets.into_iter().filter(|octet| !octet.is_ascii_whitespace()).collect();
            cms(corpus, case, STANDARD.decode(text).unwrap())
        }
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

/// The blocks of a PEM file, or the file.
fn blocks(octets: &[u8], label: &str) -> Vec<Vec<u8>> {
    if !pem::is_pem(octets) {
        return vec![octets.to_vec()];
    }
    pem::read(octets).into_iter().filter(|block| block.label == label).map(|block| block.der.to_vec()).collect()
}

/// The first block of a PEM file, or the file.
fn unframed(octets: Vec<u8>) -> Vec<u8> {
    if octets.first() == Some(&tag::SEQUENCE) || !pem::is_pem(&octets) {
        return octets;
    }
    pem::read(&octets).first().map(|block| block.der.to_vec()).unwrap_or_default()
}

fn mail(octets: Vec<u8>) -> Answer {
    let opened = open::open(&octets, &InMemory).unwrap();
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
            let mut answer = verified(&layer.outcome);
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

fn cms(corpus: &Corpus, case: &Case, octets: Vec<u8>) -> Answer {
    match content::read(&octets, &InMemory).unwrap() {
        Object::Signed(mut signed) => {
            for file in &case.certificates {
                let more = blocks(&corpus.read(file), "CERTIFICATE");
                signed.certificates.extend(more.iter().map(|der| Certificate::parse(der).unwrap()));
            }
            signed_data(corpus, case, &signed)
        }
        Object::Enveloped(enveloped) => unsupported(&enveloped.kind.oid()),
        Object::Compressed(_) => unsupported(&oid::COMPRESSED_DATA),
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
    let content = signed.content.as_deref().map(|content| read_range(content, 0..content.len(), usize::MAX).unwrap());
    let mut answer = match (given.as_ref(), content.as_ref()) {
        _ if signed.signer_count == 0 => Answer::new("certificates"),
        (Some(content), _) | (None, Some(content)) => {
            verified(&verify::verify(signed, &Content::Exact(content)).unwrap())
        }
        (None, None) => Answer::new("signed, no content"),
    };
    answer.content = content.or(given);
    answer.add(&signed.findings);
    answer
}

fn verified(outcome: &Outcome) -> Answer {
    let mut answer = Answer::new(match &outcome.verified {
        Some(proof) if proof.is_weak() => "signed weak".to_owned(),
        Some(_) => "signed good".to_owned(),
        None => format!("signed refused {}", outcome.findings.first().map_or("", |finding| finding.code)),
    });
    answer.add(&outcome.findings);
    answer
}

fn unsupported(kind: &kakitome_pki::asn1::Oid) -> Answer {
    Answer::new(format!("unsupported {}", oid::describe(kind)))
}
