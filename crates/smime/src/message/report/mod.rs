//! What stands in a message, laid out for experts and programs: the tree of parts, and the CMS layers where they hang.
//!
//! Plain data. Nothing here is a judgement: `digest_right` and `signature_right` are arithmetic, and whose certificate it
//! is, is not asked. Texts stay as they were found; they are escaped where they are shown. The names of the fields are
//! the wire form of `kakitome inspect --json`: another name is another [`VERSION`].

mod layer;
mod part;

use std::io;
use std::ops::Range;

use serde::Serialize;

use super::open::{self, Form, Opened};
use crate::Finding;
use crate::budget::Budget;
use crate::cms::recipient::Keys;
use crate::octets::{Octets, Spools};

/// The version of the wire form.
pub const VERSION: u32 = 1;
/// So many recipients of a layer are listed; how many there are is always said.
pub const RECIPIENTS_LISTED: usize = 200;
/// So many parts of a content are listed, in its order.
pub const PARTS_LISTED: usize = 1000;
/// So many layers and messages below the root are looked into.
pub const BELOW_LIMIT: usize = 50;

/// A message, laid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub inspect: u32,
    /// `mail`; or `ber` or `pem`, a CMS object without a mail around it.
    pub form: &'static str,
    /// How long it is, in octets.
    pub size: u64,
    /// It could be read.
    pub readable: bool,
    /// What it holds.
    pub content: Content,
}

/// A mail, an attached one, or what was inside a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Content {
    /// How long it is, in octets.
    pub size: u64,
    /// What its header says, if it is a mail's: the fields that programs show.
    pub header: Vec<Field>,
    /// The tree of its parts; none where it is no MIME entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Box<Part>>,
    /// The layer that it is, where no part carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<Box<Layer>>,
    /// What is odd about it.
    pub findings: Vec<Remark>,
}

/// A header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value, decoded.
    pub value: String,
}

/// A MIME entity. Ranges are those of the octets around: of the mail, or of what was taken out of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its media type.
    pub media_type: String,
    /// The charset that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// The name that a program would save it under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Its transfer encoding.
    pub encoding: &'static str,
    /// Header and body.
    pub range: Range<u64>,
    /// The body, encoded as it is.
    pub body: Range<u64>,
    /// Its parts.
    pub parts: Vec<Self>,
    /// The CMS layer that it carries, or whose detached signature it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<Box<Layer>>,
    /// The message that is attached here. Its layers are not those of the mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<Content>>,
}

/// A CMS layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// What it is: `signed-data`, `certificates`, `enveloped-data`, `compressed-data` and so on; empty where that could
    /// not be found out.
    pub kind: String,
    /// It protects a part below the root, or an attached message, and not the mail.
    pub below_root: bool,
    /// Why its form is wrong, so that programs could differ: nothing of it is believed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Remark>,
    /// Of signed-data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
    /// Of what is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// Of compressed-data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compressed: Option<Compressed>,
    /// Header fields that it protects (RFC 9788).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<Protected>,
    /// What was inside. Of a detached signature that is a part of the mail, and not repeated here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Box<Content>>,
    /// What is odd about it.
    pub findings: Vec<Remark>,
}

/// A signed-data (RFC 5652 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// The version that it claims.
    pub version: u32,
    /// What it says its content is.
    pub content_type: String,
    /// The content stands elsewhere.
    pub detached: bool,
    /// The digest algorithms that it names.
    pub digests: Vec<String>,
    /// The signers that could be read.
    pub signers: Vec<Signer>,
    /// How many there are.
    pub signer_count: usize,
    /// The certificates that travel along.
    pub certificates: Vec<Certificate>,
    /// The revocation lists that travel along.
    pub lists: Vec<List>,
}

/// A signer (RFC 5652 §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The version that it claims.
    pub version: u32,
    /// Whose key it says it is.
    pub identifier: Identifier,
    /// Which of the certificates that is, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<usize>,
    /// The digest algorithm.
    pub digest: String,
    /// The signature algorithm.
    pub algorithm: String,
    /// The signing time; the signer's claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_time: Option<String>,
    /// Has the content the digest that was signed? Absent where that was not found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_right: Option<bool>,
    /// Did the key of the certificate make the signature? Absent where that was not found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_right: Option<bool>,
    /// The signed attributes; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_attributes: Option<Vec<Attribute>>,
    /// The unsigned attributes.
    pub unsigned_attributes: Vec<Attribute>,
    /// Who signed this signature.
    pub countersignatures: Vec<Countersignature>,
    /// What is odd about it.
    pub findings: Vec<Remark>,
}

/// A signature over a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Countersignature {
    /// The subject of the certificate that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// It fits that certificate's key.
    pub signature_right: bool,
    /// The time that it claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_time: Option<String>,
    /// What is odd about it.
    pub findings: Vec<Remark>,
    /// Who signed it in turn.
    pub countersignatures: Vec<Self>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// Its object identifier.
    pub oid: String,
    /// Its name, or the object identifier.
    pub name: String,
    /// What it says, or how long it is.
    pub value: String,
}

/// Whose key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identifier {
    /// The issuer of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Or the identifier of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_identifier: Option<String>,
}

/// An encrypted object (RFC 5652 §6, §8, RFC 5083).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// The version that it claims.
    pub version: u32,
    /// What it says is inside.
    pub content_type: String,
    /// The cipher.
    pub cipher: String,
    /// How long the initialisation vector or nonce is, in octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iv: Option<usize>,
    /// How long the authentication tag is, in octets; absent where changes would not be noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<usize>,
    /// How long the encrypted content is, in octets; absent where it is not inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<u64>,
    /// Where it stands in the CMS object, the headers of its pieces included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range<u64>>,
    /// `closed` (no key is here), `opened`, `refused` (by what it says openly), `failed`.
    pub state: &'static str,
    /// Why it is refused, or that it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Remark>,
    /// Which recipient opened it, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<usize>,
    /// The first [`RECIPIENTS_LISTED`] recipients.
    pub recipients: Vec<Recipient>,
    /// How many there are.
    pub recipient_count: usize,
    /// The originator's certificates.
    pub certificates: Vec<Certificate>,
    /// Attributes that the authentication covers.
    pub authenticated_attributes: Vec<Attribute>,
    /// Attributes that nothing covers.
    pub unprotected_attributes: Vec<Attribute>,
}

/// One for whom the content key was wrapped (RFC 5652 §6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// `key transport`, `key agreement`, `key-encryption key`, `password`, `key encapsulation`; or what it says it is.
    pub kind: String,
    /// Whose key: several where one agreement is for several.
    pub keys: Vec<Identifier>,
    /// How the content key is encrypted.
    pub algorithm: String,
    /// How long the encrypted key is, in octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted_key: Option<usize>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A compressed-data (RFC 3274).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compressed {
    /// The version that it claims.
    pub version: u32,
    /// What it says is inside.
    pub content_type: String,
    /// How it is compressed.
    pub algorithm: String,
    /// How long it is, compressed, in octets.
    pub compressed: u64,
    /// Where that stands in the CMS object, the headers of its pieces included.
    pub range: Range<u64>,
}

/// A certificate; nobody asked whether it is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number.
    pub serial: String,
    /// The mailboxes that it is for.
    pub mailboxes: Vec<String>,
    /// Its key.
    pub key: String,
    /// Valid from.
    pub not_before: String,
    /// Valid until.
    pub not_after: String,
    /// It may issue certificates.
    pub is_ca: bool,
    /// Its SHA-256.
    pub sha256: String,
}

/// A revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct List {
    /// Its issuer; absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub this_update: Option<String>,
    /// When the next one is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_update: Option<String>,
    /// How many certificates it names.
    pub entries: usize,
    /// How long it is, in octets.
    pub size: usize,
}

/// Header protection (RFC 9788).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Protected {
    /// How it is said: `clear`, `cipher`, `protected-headers`, `rfc822`.
    pub form: &'static str,
    /// The fields.
    pub fields: Vec<ProtectedField>,
}

/// A protected header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectedField {
    /// Its name.
    pub name: String,
    /// As it stands inside.
    pub inside: String,
    /// As it stands outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// It stands outside as the sender put it there.
    pub agrees: bool,
    /// What protects it: `signed-only` and so on.
    pub protection: &'static str,
}

/// Something odd: a stable code, and what exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The code.
    pub code: &'static str,
    /// What exactly.
    pub detail: String,
}

impl From<&Finding> for Remark {
    fn from(finding: &Finding) -> Self {
        Self { code: finding.code, detail: finding.detail.clone() }
    }
}

fn remarks(findings: &[Finding]) -> Vec<Remark> {
    findings.iter().map(Remark::from).collect()
}

/// Opens a message, and every layer and message in it; encrypted layers with `keys`.
///
/// # Errors
/// The environment's.
pub fn report(message: &dyn Octets, spools: &dyn Spools, keys: &dyn Keys) -> io::Result<Report> {
    let budget = Budget::default();
    let opened = open::open_within(message, spools, keys, &budget)?;
    let mut reporter = Reporter { spools, keys, budget, below: 0 };
    let content = reporter.content(message, &opened, false)?;
    let form = match opened.form {
        Form::Mail => "mail",
        Form::Ber => "ber",
        Form::Pem => "pem",
    };
    let readable = !matches!(opened.layer, open::Layer::NotAMail(_));
    Ok(Report { inspect: VERSION, form, size: message.len(), readable, content })
}

/// Lays out what was opened, and opens what is below.
struct Reporter<'a> {
    spools: &'a dyn Spools,
    keys: &'a dyn Keys,
    budget: Budget,
    /// How many layers and messages below the root were looked into.
    below: usize,
}

impl Reporter<'_> {
    /// A content; `around` are the octets in which it stands if it has none of its own.
    fn content(&mut self, around: &dyn Octets, opened: &Opened, below_root: bool) -> io::Result<Content> {
        let octets = opened.octets.as_deref().unwrap_or(around);
        let root = opened.structure.root();
        let is_entity = opened.form == Form::Mail && !matches!(opened.layer, open::Layer::NotAMail(_));
        let size = if is_entity { root.range.end.saturating_sub(root.range.start) } else { octets.len() };
        let mut findings = remarks(&opened.findings);
        match &opened.layer {
            open::Layer::Fake(finding) => findings.push(finding.into()),
            // Of what was taken out of a layer, it says nothing that the absence of a part does not say.
            open::Layer::NotAMail(finding) if opened.octets.is_none() => findings.push(finding.into()),
            _ => {}
        }
        let header = part::shown(&root.header);
        let (part, layer) = if is_entity {
            (Some(Box::new(self.tree(octets, opened, below_root)?)), None)
        } else {
            (None, self.layer(octets, &opened.layer, below_root)?.map(Box::new))
        };
        Ok(Content { size, header, part, layer, findings })
    }
}
