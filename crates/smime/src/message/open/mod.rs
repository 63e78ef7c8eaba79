//! A mail, opened layer by layer: signed, sealed and compressed in any order, as deep as the [`Budget`] of one message
//! goes.
//!
//! The reader gets everything that was found, whether it was good or not, and reading does not stop at the first fault;
//! who judges is `kakitome-verdict`. What protects the mail as a whole is the layer at its root alone (RFC 9787 §4.5):
//! layers of parts below are structure.

mod attached;
mod beginning;
mod carrier;
mod clear;
mod kind;
mod listed;
mod opaque;
mod raw;
mod sealed;

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use kakitome_pki::asn1::{Oid, oid};

use super::fake;
use super::protect::{self, Protected};
use crate::Finding;
use crate::budget::Budget;
use crate::cms::compressed::Compressed;
use crate::cms::digests::Hashed;
use crate::cms::enveloped::Enveloped;
use crate::cms::recipient::Keys;
use crate::cms::signed::SignedData;
use crate::cms::verify::{self, Outcome};
use crate::mime::header::{self, ContentType, Encoding, Header};
use crate::mime::scan::{Entity, Structure, scan};
use crate::octets::{Octets, Spools, copy_range};

pub use attached::{Attachment, attachments};
pub use carrier::SIGNATURE_LIMIT;
pub(super) use carrier::{Decoded, decoded, is_decodable, is_pkcs7_mime, is_pkcs7_signature};
pub use listed::{ListedLayer, list_id};
pub(super) use raw::alone;

/// A mail, or what was inside a layer of one, opened as far as it could be.
pub struct Opened {
    /// In which form it came.
    pub form: Form,
    /// Where its octets are, if they are not those around it: what was taken out of a CMS object.
    pub octets: Option<Arc<dyn Octets>>,
    /// Its structure as it came; of a CMS object without a mail around it, empty.
    pub structure: Structure,
    /// What protects it.
    pub layer: Layer,
    /// What is odd about it, beside what the layer itself says.
    pub findings: Vec<Finding>,
}

/// In which form a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A mail, or a MIME entity.
    Mail,
    /// A CMS object alone, in BER or DER.
    Ber,
    /// A CMS object alone, in PEM (RFC 7468 §9).
    Pem,
}

/// A cryptographic layer, the one at the root of a mail or of a content.
pub enum Layer {
    /// This is no mail.
    NotAMail(Finding),
    /// None.
    None,
    /// None, but something that looks like a signature.
    Fake(Finding),
    /// A layer whose form is wrong, so that programs could differ; with what could be read of it, which is for experts
    /// alone and never holds a proof.
    Malformed(Finding, Option<Box<Self>>),
    /// Signed.
    Signed(Box<SignedLayer>),
    /// Signed, in the frame of a mailing list.
    Listed(Box<ListedLayer>),
    /// Certificates alone, no content.
    CertificatesOnly(Box<SignedData>),
    /// Encrypted.
    Sealed(Box<SealedLayer>),
    /// Compressed, which protects nothing.
    Compressed(Box<CompressedLayer>),
    /// A CMS object of another kind.
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
    /// The content of an opaque layer. Of a clear one only where the signed part is a layer itself: else it stands in
    /// the structure around.
    pub inner: Option<Box<Opened>>,
    /// What is odd about the labels around it.
    pub findings: Vec<Finding>,
}

/// An encrypted layer.
pub struct SealedLayer {
    /// What the CMS object holds beside the content.
    pub enveloped: Enveloped,
    /// What became of it.
    pub seal: Seal,
    /// What was inside, if it was opened.
    pub inner: Option<Box<Opened>>,
    /// Header fields inside the encryption (RFC 9788), where the content is no layer itself.
    pub protected: Option<Protected>,
    /// What is odd about it.
    pub findings: Vec<Finding>,
}

/// What became of an encrypted layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// No key is here.
    Closed,
    /// Opened.
    Opened {
        /// A change would have been found. If not, the plain text may be anybody's work (EFAIL).
        authenticated: bool,
        /// Which recipient info opened it, from 0; `None` in encrypted-data.
        recipient: Option<usize>,
    },
    /// Refused by what it says openly, before a key was touched.
    Refused(Finding),
    /// It does not decrypt; why is not told.
    Failed(Finding),
}

/// A compressed layer.
pub struct CompressedLayer {
    /// What the CMS object holds beside the content.
    pub compressed: Compressed,
    /// What was inside, if it could be expanded.
    pub inner: Option<Box<Opened>>,
    /// What is odd about the labels around it.
    pub findings: Vec<Finding>,
}

impl Opened {
    /// What was inside the layer, as far as it was opened.
    pub fn inner(&self) -> Option<&Self> {
        self.layer.inner()
    }

    /// The header that a reader is shown: the mail's own, or that of the content of a CMS object that came without one.
    pub fn header(&self) -> &Header {
        match self.inner().filter(|_| self.form != Form::Mail) {
            Some(inner) => inner.header(),
            None => &self.structure.root().header,
        }
    }
}

impl Layer {
    /// What was inside it, as far as it was opened.
    pub fn inner(&self) -> Option<&Opened> {
        match self {
            Self::Signed(layer) => layer.inner.as_deref(),
            Self::Listed(layer) => Some(&layer.inner),
            Self::Sealed(layer) => layer.inner.as_deref(),
            Self::Compressed(layer) => layer.inner.as_deref(),
            Self::Malformed(_, held) => held.as_ref().and_then(|held| held.inner()),
            Self::NotAMail(_) | Self::None | Self::Fake(_) | Self::CertificatesOnly(_) | Self::Unsupported(_) => None,
        }
    }

    /// The same layer, whose form is wrong: it is shown, and proves nothing.
    fn malformed(self, finding: Finding) -> Self {
        let held = match self {
            Self::Malformed(_, held) => held,
            Self::Signed(mut layer) => {
                layer.outcome.verified = None;
                for signer in &mut layer.outcome.signers {
                    signer.verified = None;
                }
                layer.outcome.findings.insert(0, finding.clone());
                Some(Box::new(Self::Signed(layer)))
            }
            Self::NotAMail(_) | Self::None | Self::Fake(_) => None,
            other => Some(Box::new(other)),
        };
        Self::Malformed(finding, held)
    }
}

impl SignedLayer {
    /// Writes what the signature covers: a MIME entity, its line ends as CRLF. `around` and `structure` are those in which
    /// the layer stands.
    ///
    /// # Errors
    /// The environment's.
    pub fn write_content(&self, around: &dyn Octets, structure: &Structure, to: &mut dyn Write) -> io::Result<()> {
        if !self.clear
            && let Some(content) = self.inner.as_ref().and_then(|inner| inner.octets.as_ref())
        {
            return copy_range(&**content, 0..content.len(), to);
        }
        match self.part.and_then(|part| structure.entity(part)) {
            Some(part) => verify::canonical(around, part.range.clone(), to),
            None => Ok(()),
        }
    }
}

/// Opens a mail, or a CMS object that came without one; encrypted layers with `keys`.
///
/// # Errors
/// The environment's.
pub fn open(mail: &dyn Octets, spools: &dyn Spools, keys: &dyn Keys) -> io::Result<Opened> {
    open_within(mail, spools, keys, &Budget::default())
}

/// The same on a budget that what is opened later ([`open_part`]) draws on, too.
///
/// # Errors
/// As [`open`].
pub fn open_within(mail: &dyn Octets, spools: &dyn Spools, keys: &dyn Keys, budget: &Budget) -> io::Result<Opened> {
    let opening = Opening { spools, keys };
    if let Some(opened) = raw::open(&opening, mail, raw::alone(mail, spools)?, budget)? {
        return Ok(opened);
    }
    let not_a_mail = |structure, finding| Opened {
        form: Form::Mail,
        octets: None,
        structure,
        layer: Layer::NotAMail(finding),
        findings: Vec::new(),
    };
    if let Some(finding) = kind::of(mail)? {
        return Ok(not_a_mail(scan(mail, 0..0)?, finding));
    }
    let (start, before) = beginning::of(mail)?;
    let (structure, hashed) = clear::scanned(mail, start..mail.len(), budget)?;
    let header = &structure.root().header;
    if let Some(finding) = kind::of_header(header) {
        if finding.code == kind::UNKNOWN
            && let Some(opened) = raw::open(&opening, mail, raw::below_text(mail, spools)?, budget)?
        {
            return Ok(opened);
        }
        return Ok(not_a_mail(structure, finding));
    }
    let around = protect::Around { signed: false, encrypted: false };
    let place = Place {
        octets: mail,
        structure: &structure,
        hashed: hashed.as_ref(),
        outer: Some(header),
        is_signed: false,
        around,
        budget,
    };
    let (layer, mut findings) = opening.entity(&place)?;
    let layer = if matches!(layer, Layer::None) { opening.listed(&place, &mut findings)? } else { layer };
    findings.extend(header::once(header));
    findings.extend(before);
    Ok(Opened { form: Form::Mail, octets: None, structure, layer, findings })
}

/// Opens a part below the root: a layer that stands there, or an attached message; `None` where it is neither. It says
/// nothing about the mail around it (RFC 9787 §4.5) and nobody judges it: this is for who wants to see everything.
///
/// # Errors
/// The environment's.
pub fn open_part(
    octets: &dyn Octets,
    part: &Entity,
    spools: &dyn Spools,
    keys: &dyn Keys,
    budget: &Budget,
) -> io::Result<Option<Opened>> {
    let opening = Opening { spools, keys };
    let Some(budget) = budget.deeper(part.depth.saturating_add(1)) else { return Ok(None) };
    let kind = &part.content_type;
    let is_message = kind.is("message", "rfc822") || kind.is("message", "global");
    let is_layer = kind.is("multipart", "signed") || is_pkcs7_mime(part) || carrier::is_named_cms(octets, part)?;
    if is_message && part.encoding == Encoding::Base64 {
        let Decoded::Octets(message, _) = decoded(octets, part, u64::MAX, spools)? else { return Ok(None) };
        let mut spool = spools.spool()?;
        copy_range(&*message, 0..message.len(), &mut spool)?;
        let message: Arc<dyn Octets> = Arc::from(spool.finish()?);
        let opened = opening.attached(&*message, 0..message.len(), &budget)?;
        return Ok(Some(Opened { octets: Some(message), ..opened }));
    }
    let range = if is_message && is_decodable(part.encoding) {
        part.body.clone()
    } else if is_layer {
        part.range.clone()
    } else {
        return Ok(None);
    };
    opening.attached(octets, range, &budget).map(Some)
}

/// What opening needs everywhere.
struct Opening<'a> {
    spools: &'a dyn Spools,
    keys: &'a dyn Keys,
}

/// A MIME entity at whose root a layer may stand.
struct Place<'a> {
    octets: &'a dyn Octets,
    structure: &'a Structure,
    /// Digests of the first part of a multipart/signed, from the pass that found its structure.
    hashed: Option<&'a Hashed>,
    /// The header of the mail, with which protected fields are compared; none where a CMS object came without a mail.
    outer: Option<&'a Header>,
    /// Is there a signature around it, good or bad?
    is_signed: bool,
    /// What protects it from outside.
    around: protect::Around,
    budget: &'a Budget,
}

impl Opening<'_> {
    /// The layer at the root of an entity, and what is odd about the entity.
    fn entity(&self, place: &Place<'_>) -> io::Result<(Layer, Vec<Finding>)> {
        let mut findings = place.structure.findings.clone();
        let root = place.structure.root();
        let is_clear = root.content_type.is("multipart", "signed");
        let is_opaque = is_pkcs7_mime(root) || carrier::is_named_cms(place.octets, root)?;
        // A Content-Type beyond a limit, or the second of two, is the first of another program.
        let mut types = root.header.all("Content-Type").map(|field| ContentType::parse(root.header.value(field)));
        let mut claims_layer = || {
            root.header.over_limit
                || is_opaque
                || types.any(|known| known.is("multipart", "signed") || known.subtype.ends_with("pkcs7-mime"))
        };
        // Two readings of the root are possible: then no layer of it is believed.
        let ambiguous = findings.iter().find(|finding| is_ambiguous(finding.code)).filter(|_| claims_layer()).cloned();
        let layer = if is_clear || is_opaque {
            match place.budget.layer() {
                Some(inside) if is_clear => self.clear(place, &inside)?,
                Some(inside) => self.opaque(place, &inside)?,
                None => Layer::Malformed(Finding::new("limit.depth", "layers nest too deep"), None),
            }
        } else if ambiguous.is_some() || place.is_signed {
            Layer::None
        } else {
            findings.extend(protect::misplaced(place.structure));
            if let Some(finding) = carrier::mislabelled(place.octets, root)? {
                findings.push(finding);
            }
            match fake::find(place.octets, place.structure, self.spools, place.budget)? {
                fake::Found::Nothing => Layer::None,
                fake::Found::Flattened => {
                    let what = "the signature fits a part beside it, but multipart/signed around them is gone";
                    findings.push(Finding::new("fake.flattened", what));
                    Layer::None
                }
                fake::Found::Fake(finding) => Layer::Fake(finding),
            }
        };
        Ok((if let Some(finding) = ambiguous { layer.malformed(finding) } else { layer }, findings))
    }

    /// A message or a part that stands for itself.
    fn attached(&self, octets: &dyn Octets, range: Range<u64>, budget: &Budget) -> io::Result<Opened> {
        let (structure, hashed) = clear::scanned(octets, range, budget)?;
        let place = Place {
            octets,
            structure: &structure,
            hashed: hashed.as_ref(),
            outer: Some(&structure.root().header),
            // Parts that pose as signatures are looked for in the mail itself alone.
            is_signed: true,
            around: protect::Around { signed: false, encrypted: false },
            budget,
        };
        let (layer, findings) = self.entity(&place)?;
        Ok(Opened { form: Form::Mail, octets: None, structure, layer, findings })
    }

    /// What was taken out of a CMS object in `place`, `inside` being the budget there and `kind` what the object says it
    /// is. It is a MIME entity, or said not to be.
    fn content(&self, octets: Arc<dyn Octets>, kind: Oid, place: &Place<'_>, inside: &Budget) -> io::Result<Opened> {
        // In a mail data is an entity whatever it looks like (RFC 8551 §3.1); alone it may be any document.
        if kind != oid::DATA || (place.outer.is_none() && !carrier::begins_as_entity(&*octets)?) {
            let what = format!("the content is {}, and no MIME entity", oid::describe(&kind));
            let layer = Layer::NotAMail(Finding::new("in.not-mail", what));
            let structure = scan(&*octets, 0..0)?;
            return Ok(Opened { form: Form::Mail, octets: Some(octets), structure, layer, findings: Vec::new() });
        }
        let (structure, hashed) = clear::scanned(&*octets, 0..octets.len(), inside)?;
        let outer = place.outer.or(Some(&structure.root().header));
        let hashed = hashed.as_ref();
        let within = Place { octets: &*octets, structure: &structure, hashed, outer, budget: inside, ..*place };
        let (layer, findings) = self.entity(&within)?;
        Ok(Opened { form: Form::Mail, octets: Some(octets), structure, layer, findings })
    }
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
