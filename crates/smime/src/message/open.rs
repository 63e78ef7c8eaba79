//! What protects a mail: only a cryptographic layer at the root counts (RFC 9787 §4.5).
//!
//! The reader gets everything that was found, whether it was good or not; who judges is `kakitome-verdict`.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use kakitome_pki::asn1::{Oid, oid};

use super::fake;
use super::protect::{self, Protected};
use crate::Finding;
use crate::cms::content::{self, Object};
use crate::cms::signed::SignedData;
use crate::cms::verify::{self, Content, Outcome};
use crate::mime::header::{self, ContentType, Encoding};
use crate::mime::lines::{Ending, Lines};
use crate::mime::scan::{Entity, Structure, scan};
use crate::octets::{Octets, RangeReader, Slice, Spool, Spools};

/// A detached signature may be this long, decoded, in octets.
pub const SIGNATURE_LIMIT: u64 = 32 * 1024 * 1024;

/// A mail, opened as far as it could be.
pub struct Opened {
    /// The structure of the mail as it came.
    pub structure: Structure,
    /// What protects it.
    pub layer: Layer,
    /// What is odd about it, beside what the layer itself says.
    pub findings: Vec<Finding>,
}

/// The cryptographic layer at the root.
pub enum Layer {
    /// This is no mail.
    NotAMail(Finding),
    /// None.
    None,
    /// None, but something that looks like a signature.
    Fake(Finding),
    /// A layer whose form is wrong, so that programs could differ.
    Malformed(Finding),
    /// Signed.
    Signed(Box<SignedLayer>),
    /// Certificates alone, no content.
    CertificatesOnly,
    /// Encrypted; opening it is not this engine's yet.
    Sealed(Oid),
    /// A CMS object of another kind (compressed-data and such).
    Unsupported(Oid),
}

/// A signed layer, verified or not.
pub struct SignedLayer {
    /// multipart/signed, or everything inside the CMS object.
    pub clear: bool,
    /// The signed part of a clear-signed mail.
    pub part: Option<usize>,
    /// What the CMS object holds, its content left out.
    pub signed: SignedData,
    /// The proof, or why there is none.
    pub outcome: Outcome,
    /// Header fields inside the signature (RFC 9788).
    pub protected: Option<Protected>,
    /// The content of an opaque mail, and its structure.
    pub content: Option<(Arc<dyn Octets>, Structure)>,
    /// What is odd about the labels around it.
    pub findings: Vec<Finding>,
}

impl SignedLayer {
    /// Writes what the signature covers: a MIME entity, its line ends as CRLF.
    ///
    /// # Errors
    /// The environment's.
    pub fn write_content(&self, mail: &dyn Octets, structure: &Structure, to: &mut dyn Write) -> io::Result<()> {
        if let Some((content, _)) = &self.content {
            return crate::octets::copy_range(&**content, 0..content.len(), to);
        }
        match self.part.and_then(|part| structure.entity(part)) {
            Some(part) => verify::canonical(mail, part.range.clone(), to),
            None => Ok(()),
        }
    }
}

/// Opens a mail.
///
/// # Errors
/// The environment's.
pub fn open(mail: &dyn Octets, spools: &dyn Spools) -> io::Result<Opened> {
    if let Some(finding) = not_a_mail(mail)? {
        let structure = scan(mail, 0..0)?;
        return Ok(Opened { structure, layer: Layer::NotAMail(finding), findings: Vec::new() });
    }
    let structure = scan(mail, 0..mail.len())?;
    let header = &structure.root().header;
    if header.fields.is_empty()
        || !["From", "Date", "To", "Subject", "Received", "Message-ID", "MIME-Version", "Content-Type"]
            .iter()
            .any(|name| header.all(name).next().is_some())
    {
        let finding = Finding::new("in.not-mail", "there is no header of a mail at the beginning");
        return Ok(Opened { structure, layer: Layer::NotAMail(finding), findings: Vec::new() });
    }
    let mut findings = structure.findings.clone();
    findings.extend(header::once(header));
    let layer = layer(mail, &structure, spools, &mut findings)?;
    Ok(Opened { structure, layer, findings })
}

/// What people drop instead of a mail, told by its first octets.
fn not_a_mail(mail: &dyn Octets) -> io::Result<Option<Finding>> {
    let head = crate::octets::read_range(mail, 0..mail.len(), 1024)?;
    let text = head.trim_ascii_start();
    Ok(if text.is_empty() {
        Some(Finding::new("in.empty", "there is nothing in it"))
    } else if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        Some(Finding::new("in.msg", "an Outlook .msg file"))
    } else if text.starts_with(b"<") {
        Some(Finding::new("in.not-mail", "an HTML or XML page"))
    } else if head.starts_with(b"%PDF") || head.starts_with(b"PK\x03\x04") || head.starts_with(b"\x89PNG") {
        Some(Finding::new("in.not-mail", "a document, an archive or a picture"))
    } else {
        None
    })
}

fn layer(
    mail: &dyn Octets,
    structure: &Structure,
    spools: &dyn Spools,
    findings: &mut Vec<Finding>,
) -> io::Result<Layer> {
    let root = structure.root();
    let content_type = &root.content_type;
    // A Content-Type beyond a limit, or the second of two, is the first of another program.
    let mut types = root.header.all("Content-Type").map(|field| ContentType::parse(root.header.value(field)));
    let claims_layer = root.header.over_limit
        || is_pkcs7_mime(root)
        || types.any(|known| known.is("multipart", "signed") || known.subtype.ends_with("pkcs7-mime"));
    // Two readings of the root are possible: then no layer of it is believed.
    if claims_layer && let Some(finding) = structure.findings.iter().find(|finding| is_ambiguous(finding.code)) {
        return Ok(Layer::Malformed(finding.clone()));
    }
    if content_type.is("multipart", "signed") {
        return clear(mail, structure, spools);
    }
    if is_pkcs7_mime(root) {
        return opaque(mail, structure, spools);
    }
    findings.extend(protect::misplaced(structure));
    Ok(match fake::find(mail, structure, spools)? {
        fake::Found::Nothing => Layer::None,
        fake::Found::Flattened => {
            let what = "the signature fits a part beside it, but multipart/signed around them is gone";
            findings.push(Finding::new("fake.flattened", what));
            Layer::None
        }
        fake::Found::Fake(finding) => Layer::Fake(finding),
    })
}

/// Findings about the structure under which two programs could show different content.
fn is_ambiguous(code: &str) -> bool {
    matches!(
        code,
        "mime.dup-header"
            | "mime.boundary"
            | "mime.content-type"
            | "mime.header"
            | "limit.headers"
            | "limit.depth"
            | "limit.parts"
    )
}

/// application/pkcs7-mime, its x- alias, or octets under a name that ends in .p7m (RFC 8551 §3.2.1, §3.9).
pub(super) fn is_pkcs7_mime(entity: &Entity) -> bool {
    let content_type = &entity.content_type;
    content_type.is("application", "pkcs7-mime")
        || content_type.is("application", "x-pkcs7-mime")
        || (content_type.is("application", "octet-stream")
            && entity.file_name().is_some_and(|name| name.ends_with(".p7m")))
}

/// application/pkcs7-signature or its x- alias.
pub(super) fn is_pkcs7_signature(entity: &Entity) -> bool {
    entity.content_type.is("application", "pkcs7-signature")
        || entity.content_type.is("application", "x-pkcs7-signature")
}

/// multipart/signed (RFC 1847 §2.1, RFC 8551 §3.5.3).
fn clear(mail: &dyn Octets, structure: &Structure, spools: &dyn Spools) -> io::Result<Layer> {
    let root = structure.root();
    let malformed = |code, detail: &str| Ok(Layer::Malformed(Finding::new(code, detail)));
    let protocol = root.content_type.parameter("protocol").map(str::to_ascii_lowercase);
    let x_type = match protocol.as_deref() {
        Some("application/pkcs7-signature") => false,
        Some("application/x-pkcs7-signature") => true,
        Some("application/pgp-signature") => {
            return malformed("mime.protocol", "an OpenPGP signature; this program reads S/MIME");
        }
        Some(_) => return malformed("mime.protocol", "multipart/signed names another protocol"),
        None => return malformed("mime.protocol", "multipart/signed names no protocol"),
    };
    let [part, signature] = root.parts.as_slice() else {
        return malformed("mime.children", "multipart/signed does not have exactly two parts");
    };
    let (Some(content), Some(signature)) = (structure.entity(*part), structure.entity(*signature)) else {
        return malformed("mime.children", "multipart/signed does not have exactly two parts");
    };
    if !is_pkcs7_signature(signature) {
        return malformed("mime.protocol", "the second part is not a signature");
    }
    if !root.closed {
        return malformed("mime.unclosed", "the boundary that ends the signed mail is missing");
    }
    // Where a lone CR ends a line, more parts can begin than those that were read here.
    if root.traits.bare_cr || signature.traits.bare_cr {
        return malformed("mime.boundary", "a lone CR stands around the signed part");
    }
    if !is_decodable(signature.encoding) {
        return malformed("cms.parse", "the signature has a transfer encoding that no signature has");
    }
    let mut findings = Vec::new();
    let (octets, clean) = match decoded(mail, signature, SIGNATURE_LIMIT, spools)? {
        Decoded::Octets(octets, clean) => (octets, clean),
        Decoded::TooLong => return malformed("limit.cms", "the signature is larger than 32 MiB"),
    };
    let signed = match content::read(&*octets, spools)? {
        Object::Signed(signed) => *signed,
        // It says that it is a signature, and is nothing of the kind.
        Object::NotCms(what) => return Ok(Layer::Fake(Finding::new("fake.notcms", what.to_string()))),
        Object::Broken(finding) => return Ok(Layer::Malformed(finding)),
        other => {
            let kind = other.content_type().map(|kind| oid::describe(&kind)).unwrap_or_default();
            return malformed("cms.type", &format!("the signature is a CMS object of another kind: {kind}"));
        }
    };
    if !clean {
        findings.push(Finding::new("cms.base64", "the base64 of the signature is not clean"));
    }
    if let Some(finding) =
        signed.findings.iter().find(|finding| matches!(finding.code, "cms.trailing" | "cms.parse" | "limit.cms"))
    {
        return Ok(Layer::Malformed(finding.clone()));
    }
    if signed.content.is_some() {
        return malformed("cms.econtent-and-detached", "the signature of a part carries a content of its own");
    }
    let range = content.range.clone();
    let mut outcome = verify::verify(&signed, &Content::Part(mail, range.clone()))?;
    // Line ends: the canonical form alone counts. Where only the octets as they stand fit, programs differ.
    if outcome.verified.is_none()
        && has_bare_lf(mail, range.clone())?
        && outcome.findings.first().is_some_and(|finding| finding.code == "cms.digest")
    {
        let exact = Slice { octets: mail, range };
        if verify::verify(&signed, &Content::Exact(&exact))?.verified.is_some() {
            outcome.findings.insert(0, Finding::new("mime.eol", "only the line ends as they stand fit the signature"));
        }
    }
    if x_type {
        findings.push(Finding::new("compat.xtype", "the old media type application/x-pkcs7-signature"));
    }
    if let Some(proof) = &outcome.verified {
        let micalg = root.content_type.parameter("micalg").unwrap_or_default().to_ascii_lowercase();
        if micalg.replace('-', "") != proof.digest().name().to_ascii_lowercase().replace('-', "") {
            findings.push(Finding::new(
                "lint.micalg",
                format!("micalg says «{micalg}», the digest is {}", proof.digest().name()),
            ));
        }
    }
    if root.has_surroundings {
        findings.push(Finding::new("mime.preamble", "there is text before or after the parts"));
    }
    let around = protect::Around { signed: outcome.verified.is_some(), encrypted: false };
    let reading = protect::read(&root.header, mail, structure, *part, around)?;
    findings.extend(reading.findings);
    Ok(Layer::Signed(Box::new(SignedLayer {
        clear: true,
        part: Some(*part),
        signed,
        outcome,
        protected: reading.protected,
        content: None,
        findings,
    })))
}

/// application/pkcs7-mime (RFC 8551 §3.2).
fn opaque(mail: &dyn Octets, structure: &Structure, spools: &dyn Spools) -> io::Result<Layer> {
    let root = structure.root();
    if !is_decodable(root.encoding) {
        let what = "the CMS object has a transfer encoding that no CMS object has";
        return Ok(Layer::Malformed(Finding::new("cms.parse", what)));
    }
    let (octets, clean) = match decoded(mail, root, u64::MAX, spools)? {
        Decoded::Octets(octets, clean) => (octets, clean),
        Decoded::TooLong => return Ok(Layer::Malformed(Finding::new("limit.cms", "the CMS object is too large"))),
    };
    let mut signed = match content::read(&*octets, spools)? {
        Object::Signed(signed) => *signed,
        Object::NotCms(what) => {
            return Ok(Layer::Malformed(Finding::new("cms.parse", format!("no CMS object: {what}"))));
        }
        Object::Enveloped(enveloped) => return Ok(Layer::Sealed(enveloped.kind.oid())),
        Object::Compressed(_) => return Ok(Layer::Unsupported(oid::COMPRESSED_DATA)),
        Object::Other(kind) => return Ok(Layer::Unsupported(kind)),
        Object::Broken(finding) => return Ok(Layer::Malformed(finding)),
    };
    if let Some(finding) =
        signed.findings.iter().find(|finding| matches!(finding.code, "cms.trailing" | "cms.parse" | "limit.cms"))
    {
        return Ok(Layer::Malformed(finding.clone()));
    }
    if signed.signer_count == 0 && signed.content.is_none() && !signed.certificates.is_empty() {
        return Ok(Layer::CertificatesOnly);
    }
    // Decoders differ in what they make of it, and here the content itself is inside.
    if !clean {
        return Ok(Layer::Malformed(Finding::new("cms.base64", "the base64 of the mail is not clean")));
    }
    let Some(content) = signed.content.take() else {
        return Ok(Layer::Malformed(Finding::new("cms.no-content", "there is a signature, but no content")));
    };
    let content: Arc<dyn Octets> = Arc::from(content);
    let outcome = verify::verify(&signed, &Content::Exact(&*content))?;
    let inner = scan(&*content, 0..content.len())?;
    // As in a clear-signed mail, where the same content is refused as part of the whole.
    let ambiguous = inner.findings.iter().find(|finding| is_ambiguous(finding.code));
    if let Some(finding) = ambiguous.filter(|_| outcome.verified.is_some()) {
        return Ok(Layer::Malformed(Finding::new("mime.inner", finding.detail.clone())));
    }
    let around = protect::Around { signed: outcome.verified.is_some(), encrypted: false };
    let reading = protect::read(&root.header, &*content, &inner, 0, around)?;
    Ok(Layer::Signed(Box::new(SignedLayer {
        clear: false,
        part: None,
        signed,
        outcome,
        protected: reading.protected,
        content: Some((content, inner)),
        findings: reading.findings,
    })))
}

pub(super) enum Decoded {
    Octets(Box<dyn Octets>, bool),
    TooLong,
}

/// Is it an encoding in which CMS objects come? Others are not undone here, and are by other programs.
pub(super) fn is_decodable(encoding: Encoding) -> bool {
    !matches!(encoding, Encoding::QuotedPrintable | Encoding::Unknown)
}

/// The body of a part without its transfer encoding, if [`is_decodable`].
pub(super) fn decoded(mail: &dyn Octets, part: &Entity, limit: u64, spools: &dyn Spools) -> io::Result<Decoded> {
    let mut spool = spools.spool()?;
    let clean = match part.encoding {
        Encoding::Base64 => {
            let mut decoder =
                crate::mime::encoding::Base64Decoder::new(Bounded { spool: &mut spool, left: limit, over: false });
            let mut reader = RangeReader::new(mail, part.body.clone());
            loop {
                let piece = reader.piece()?;
                if piece.is_empty() {
                    break;
                }
                decoder.write_all(piece)?;
            }
            let (bounded, clean) = decoder.finish()?;
            if bounded.over {
                return Ok(Decoded::TooLong);
            }
            clean
        }
        _ if part.body.end.saturating_sub(part.body.start) > limit => return Ok(Decoded::TooLong),
        _ => {
            crate::octets::copy_range(mail, part.body.clone(), &mut spool)?;
            true
        }
    };
    Ok(Decoded::Octets(spool.finish()?, clean))
}

struct Bounded<'a> {
    spool: &'a mut Box<dyn Spool>,
    left: u64,
    over: bool,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                self.spool.write_all(bytes)?;
            }
            None => self.over = true,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn has_bare_lf(mail: &dyn Octets, range: Range<u64>) -> io::Result<bool> {
    let mut lines = Lines::new(mail, range);
    while let Some(line) = lines.next_line()? {
        if line.ending == Ending::Lf {
            return Ok(true);
        }
    }
    Ok(false)
}
