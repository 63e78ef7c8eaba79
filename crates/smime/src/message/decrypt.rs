//! The decryption of a mail whose root is encrypted: into a mail that any program shows, in one pass over the content.
//!
//! [`super::open`] tells what a mail is and what protects it. This is for whoever wants the decrypted mail itself.

use std::io::{self, Write};

use kakitome_pki::asn1::{oid, tag, write};

use super::open::{Decoded, alone, decoded, is_decodable, is_pkcs7_mime};
use super::payload::{crlf, is_content};
use super::protect::is_composed;
use crate::Finding;
use crate::cms::content::{self, Object};
use crate::cms::enveloped::{Decrypted, Enveloped, Opening};
use crate::cms::reader::{Reader, Stop};
use crate::cms::recipient::Keys;
use crate::mime::encoding::Base64Decoder;
use crate::mime::header::{ContentType, Encoding, Header};
use crate::mime::scan::{Entity, Structure, scan, scan_header};
use crate::octets::{Octets, Spools, copy_range};

/// So much of the decrypted content is looked at for header fields, in octets; what is longer keeps the outer header.
pub const HEAD_LIMIT: usize = 256 * 1024;
/// The identifier of a content type is not longer, in octets.
const OID_LIMIT: usize = 64;

/// An encrypted object: the root of a mail, or one that came alone.
pub struct Sealed<'a> {
    /// What it holds beside the content.
    pub enveloped: Box<Enveloped>,
    object: Box<dyn Octets + 'a>,
    /// The header of the mail around it.
    header: Option<Header>,
}

/// Which fields of a decrypted content may stand in the header of the mail, beside its `Content-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// All that its sender composed: for whoever holds the key and wants to see what was inside.
    Composed,
    /// What mail programs show ([`SHOWN`]), and only where the content protects it (RFC 9788): for a server that hands the
    /// mail on to others, who would take any further field for that server's word (CVE-2026-27443).
    Shown {
        /// The author, too. Without a signature that confirms him he is anybody's claim, and the From outside is what
        /// SPF, DKIM and DMARC were asked about (RFC 9788 §4.4.1).
        author: bool,
    },
}

/// Fields that mail programs show, or answer by.
pub const SHOWN: [&str; 9] = ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "In-Reply-To", "References"];

impl Taken {
    /// May a field stand in the header? `protected` says that the content protects it.
    fn takes(self, name: &str, protected: bool) -> bool {
        match self {
            Self::Composed => is_composed(name),
            Self::Shown { author } => {
                let is_author = ["From", "Sender"].iter().any(|field| field.eq_ignore_ascii_case(name));
                protected && (author || !is_author) && SHOWN.iter().any(|field| field.eq_ignore_ascii_case(name))
            }
        }
    }
}

/// What stands at the root.
pub enum Found<'a> {
    /// An encrypted object.
    Sealed(Sealed<'a>),
    /// Something else.
    Other,
    /// An encrypted object that is not read.
    Refused(Finding),
}

/// Looks for an encrypted object at the root of a mail, or alone in BER, DER or PEM. The body is not read.
///
/// # Errors
/// The environment's.
pub fn find<'a>(mail: &'a dyn Octets, spools: &dyn Spools) -> io::Result<Found<'a>> {
    let (header, object, clean) = match alone(mail, spools)? {
        Some((_, object, clean)) => (None, object, clean),
        None => {
            let root = scan_header(mail, 0..mail.len())?;
            if root.header.over_limit {
                return Ok(Found::Refused(Finding::new("limit.headers", "the header is longer than is read")));
            }
            // Another program might see another Content-Type, and something else.
            if can_be_read_in_two_ways(&root) {
                return Ok(Found::Refused(Finding::new("mime.dup-header", "Content-Type can be read in two ways")));
            }
            if !is_pkcs7_mime(&root) || !is_decodable(root.encoding) {
                return Ok(Found::Other);
            }
            match decoded(mail, &root, u64::MAX, spools)? {
                Decoded::Octets(object, clean) => (Some(root.header), object, clean),
                Decoded::TooLong => return Ok(Found::Refused(Finding::new("limit.cms", "the object is too large"))),
            }
        }
    };
    let enveloped = match content::read(&*object, spools)? {
        Object::Enveloped(enveloped) => enveloped,
        Object::Broken(finding, _) => return Ok(Found::Refused(finding)),
        Object::NotCms(what) => return Ok(Found::Refused(Finding::new("cms.parse", what.to_string()))),
        _ => return Ok(Found::Other),
    };
    if !clean {
        return Ok(Found::Refused(Finding::new("cms.base64", "the base64 of the object is not clean")));
    }
    Ok(Found::Sealed(Sealed { enveloped, object, header }))
}

fn can_be_read_in_two_ways(root: &Entity) -> bool {
    let header = &root.header;
    let types: Vec<_> = header.all("Content-Type").map(|field| ContentType::parse(header.value(field))).collect();
    let claims = types.iter().any(|known| known.subtype.ends_with("pkcs7-mime"));
    claims && (types.len() > 1 || root.content_type.malformed)
}

impl Sealed<'_> {
    /// Decrypts it to `to`, behind the header of the mail that it came in; an object that came alone gives its content as
    /// it is. What was written is void unless [`Opening::Open`] comes back, and must not be shown to anybody until then.
    ///
    /// # Errors
    /// The environment's.
    pub fn write(&self, keys: &dyn Keys, to: &mut dyn Write) -> io::Result<Opening<Decrypted>> {
        let Some(header) = &self.header else { return self.enveloped.decrypt(&*self.object, keys, to) };
        let mut merging = Merging { outer: header, taken: Taken::Composed, payload: None, head: Some(Vec::new()), to };
        let opening = self.enveloped.decrypt(&*self.object, keys, &mut merging)?;
        if matches!(opening, Opening::Open(_)) {
            merging.flush_head()?;
        }
        Ok(opening)
    }
}

/// Writes decrypted content behind the header of the mail that it came in, for whoever opened it otherwise. `payload` is
/// what stands inside the layers of the content, where those do not show it: an opaque signature hides the fields that it
/// protects.
///
/// # Errors
/// The environment's.
pub fn write_behind(
    header: &Header,
    taken: Taken,
    payload: Option<&Structure>,
    content: &dyn Octets,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut merging = Merging { outer: header, taken, payload, head: Some(Vec::new()), to };
    copy_range(content, 0..content.len(), &mut merging)?;
    merging.flush_head()
}

/// Writes a decrypted entity behind the header of the mail that it came in.
struct Merging<'a> {
    outer: &'a Header,
    taken: Taken,
    payload: Option<&'a Structure>,
    /// The first octets of the content, until they are enough to tell its header.
    head: Option<Vec<u8>>,
    to: &'a mut dyn Write,
}

impl Merging<'_> {
    fn flush_head(&mut self) -> io::Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        let structure = scan(&head, 0..head.len().try_into().unwrap_or(u64::MAX))?;
        let root = structure.root();
        let body = usize::try_from(root.body.start).ok().and_then(|start| head.get(start..));
        match body.filter(|_| !root.header.malformed && !root.header.over_limit) {
            Some(body) => {
                let covered = if self.payload.is_none() { covered(root, body) } else { None };
                let payload = self.payload.or(covered.as_ref());
                self.to.write_all(&merged(self.outer, self.taken, &structure, payload))?;
                self.to.write_all(body)
            }
            // It has no header: text that was encrypted as it is.
            None => {
                self.to.write_all(&merged(self.outer, self.taken, &scan(&head, 0..0)?, None))?;
                self.to.write_all(&head)
            }
        }
    }
}

impl Write for Merging<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(head) = &mut self.head else {
            self.to.write_all(bytes)?;
            return Ok(bytes.len());
        };
        let room = HEAD_LIMIT.saturating_sub(head.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        head.extend_from_slice(taken);
        if head.len() >= HEAD_LIMIT {
            self.flush_head()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The header of the decrypted mail: the outer fields but for `Content-*`, the content's own `Content-*`, and what the
/// content protects in place of what stands outside (RFC 9788 §4.1), as far as that may be taken. Fields in a content that
/// protects nothing are anybody's: only those that are missing outside are taken, if any.
fn merged(outer: &Header, taken: Taken, structure: &Structure, payload: Option<&Structure>) -> Vec<u8> {
    let inner = &structure.root().header;
    let payload = payload.unwrap_or(structure);
    let protected = protecting(payload);
    let header = protected.unwrap_or(inner);
    let takes = |name: &str| taken.takes(name, protected.is_some());
    let replaced = |name: &str| protected.is_some() && takes(name) && header.all(name).next().is_some();
    // RFC 9788 §4.4.4, §6.2: somebody on the way adds himself to Cc, and whoever answers all tells him everything. A mail
    // without author or date is none, so these two stay.
    let is_whole = protecting_part(payload).content_type.parameter("hp").is_some();
    let added = |name: &str| {
        is_whole
            && takes(name)
            && header.all(name).next().is_none()
            && !["From", "Date"].iter().any(|kept| kept.eq_ignore_ascii_case(name))
    };
    let mut out = Vec::new();
    for field in &outer.fields {
        let name = outer.name(field);
        let is_first = outer.all(name).next().is_some_and(|first| first.whole == field.whole);
        if is_content(name) || added(name) || (!is_first && name.eq_ignore_ascii_case("MIME-Version")) {
        } else if !replaced(name) {
            out.extend_from_slice(&crlf(outer.whole(field)));
        } else if is_first {
            header.all(name).for_each(|field| out.extend_from_slice(&crlf(header.whole(field))));
        }
    }
    // What does not stand outside at all.
    for field in &header.fields {
        let name = header.name(field);
        if takes(name) && outer.all(name).next().is_none() {
            out.extend_from_slice(&crlf(header.whole(field)));
        }
    }
    if outer.all("MIME-Version").next().is_none() {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    for field in inner.fields.iter().filter(|field| is_content(inner.name(field))) {
        out.extend_from_slice(&crlf(inner.whole(field)));
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// What an opaque signature covers, as far as the first octets of its body show it.
fn covered(root: &Entity, body: &[u8]) -> Option<Structure> {
    if !is_pkcs7_mime(root) || root.encoding != Encoding::Base64 {
        return None;
    }
    let mut decoder = Base64Decoder::new(Vec::new());
    decoder.write_all(body).ok()?;
    let (object, _) = decoder.finish().ok()?;
    let mut content = Vec::new();
    // Where the octets end, so does the content, and its header stood at its beginning.
    let _ = write_covered(&Beginning(object), &mut content);
    let length = content.len().try_into().unwrap_or(u64::MAX);
    scan(&content, 0..length).ok().filter(|structure| structure.root().body.start < length)
}

/// The content of a signed-data (RFC 5652 §5.1), without a look at what stands behind it.
fn write_covered(object: &dyn Octets, to: &mut Vec<u8>) -> Result<(), Stop> {
    let mut object = Reader::new(object);
    let mut info = object.enter(tag::SEQUENCE, "not a CMS object")?;
    let kind = info.capture(OID_LIMIT, "a long identifier")?;
    if kind.is_none_or(|kind| kind.der != write::oid(&oid::SIGNED_DATA)) {
        return Ok(());
    }
    let mut explicit = info.enter(tag::context_constructed(0), "no content")?;
    let mut signed = explicit.enter(tag::SEQUENCE, "no signed-data")?;
    // Version and digest algorithms.
    signed.skip()?;
    signed.skip()?;
    let mut encapsulated = signed.enter(tag::SEQUENCE, "no encapContentInfo")?;
    encapsulated.skip()?;
    encapsulated.enter(tag::context_constructed(0), "no eContent")?.octet_string(to)
}

/// Octets of which more may follow that are not here.
struct Beginning(Vec<u8>);

impl Octets for Beginning {
    fn len(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, into)
    }
}

/// The header that protects the fields in it: that of the content, or of the signed part at its root.
fn protecting(structure: &Structure) -> Option<&Header> {
    let entity = protecting_part(structure);
    let says = |name| entity.content_type.parameter(name).is_some();
    (says("hp") || says("protected-headers")).then_some(&entity.header)
}

fn protecting_part(structure: &Structure) -> &Entity {
    let root = structure.root();
    let part = root.parts.first().filter(|_| root.content_type.is("multipart", "signed"));
    part.and_then(|part| structure.entity(*part)).unwrap_or(root)
}
