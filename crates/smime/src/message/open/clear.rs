//! multipart/signed (RFC 1847 §2.1, RFC 8551 §3.5.3).

use std::io::{self, Write};
use std::ops::Range;

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::oid;

use super::carrier::{Decoded, SIGNATURE_LIMIT, decoded, is_decodable, is_pkcs7_mime, is_pkcs7_signature};
use super::{Form, Layer, Opened, Opening, Place, SignedLayer};
use crate::Finding;
use crate::budget::Budget;
use crate::cms::content::{self, Object};
use crate::cms::digests::{Hashed, Hashing};
use crate::cms::signed::SignedData;
use crate::cms::verify::{self, Content, Outcome};
use crate::message::protect;
use crate::mime::lines::{Ending, Lines};
use crate::mime::scan::{Entity, Structure, Tap, Wanted, scan_with};
use crate::octets::{Octets, Slice};

/// So many digests are computed while a mail is read, whatever it asks for: after that they cost a pass of their own.
const DIGESTS_AT_ONCE: usize = 2;

/// The structure of a mail; where it is a multipart/signed, with the digests of its first part from the same pass. They
/// are those that micalg names, which is a hint and no more: the signer infos say which ones count.
pub(super) fn scanned(
    octets: &dyn Octets,
    range: Range<u64>,
    budget: &Budget,
) -> io::Result<(Structure, Option<Hashed>)> {
    let mut part = SignedPart(None);
    let structure = scan_with(octets, range, budget, &mut part)?;
    Ok((structure, part.0.map(Hashing::finish)))
}

struct SignedPart(Option<Hashing>);

impl Tap for SignedPart {
    fn wanted(&mut self, message: &Entity) -> Wanted {
        if !message.content_type.is("multipart", "signed") {
            return Wanted::Nothing;
        }
        let named = message.content_type.parameter("micalg").unwrap_or_default();
        let named =
            named.split(',').filter_map(|name| Digest::ALL.into_iter().find(|digest| is_micalg(name.trim(), *digest)));
        let mut digests: Vec<Digest> = named.take(DIGESTS_AT_ONCE).collect();
        if digests.is_empty() {
            digests.push(Digest::Sha256);
        }
        self.0 = Some(Hashing::new(digests));
        Wanted::FirstPart
    }
}

impl Write for SignedPart {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if let Some(hashing) = &mut self.0 {
            hashing.write_all(octets)?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Opening<'_> {
    /// The layer of a multipart/signed, `inside` being the budget in it.
    pub(super) fn clear(&self, place: &Place<'_>, inside: &Budget) -> io::Result<Layer> {
        let root = place.structure.root();
        let malformed = |code, detail: &str| Ok(Layer::Malformed(Finding::new(code, detail), None));
        let protocol = root.content_type.parameter("protocol").map(str::to_ascii_lowercase);
        match protocol.as_deref() {
            Some("application/pkcs7-signature" | "application/x-pkcs7-signature") => {}
            Some("application/pgp-signature") => {
                return malformed("mime.protocol", "an OpenPGP signature; this program reads S/MIME");
            }
            Some(_) => return malformed("mime.protocol", "multipart/signed names another protocol"),
            None => return malformed("mime.protocol", "multipart/signed names no protocol"),
        }
        let [part, signature] = root.parts.as_slice() else {
            return malformed("mime.children", "multipart/signed does not have exactly two parts");
        };
        let (Some(content), Some(signature)) = (place.structure.entity(*part), place.structure.entity(*signature))
        else {
            return malformed("mime.children", "multipart/signed does not have exactly two parts");
        };
        if !is_pkcs7_signature(signature) {
            return malformed("mime.protocol", "the second part is not a signature");
        }
        // From here on what is wrong is kept, and reading goes on.
        let mut fault = frame_fault(root, signature);
        if !is_decodable(signature.encoding) {
            let other = Finding::new("cms.parse", "the signature has a transfer encoding that no signature has");
            return Ok(Layer::Malformed(fault.unwrap_or(other), None));
        }
        let (octets, clean) = match decoded(place.octets, signature, SIGNATURE_LIMIT, self.spools)? {
            Decoded::Octets(octets, clean) => (octets, clean),
            Decoded::TooLong => {
                let other = Finding::new("limit.cms", "the signature is larger than 32 MiB");
                return Ok(Layer::Malformed(fault.unwrap_or(other), None));
            }
        };
        let signed = match content::read_within(&*octets, self.spools, inside)? {
            Object::Signed(signed) => *signed,
            // It says that it is a signature, and is nothing of the kind.
            Object::NotCms(what) => {
                let fake = Layer::Fake(Finding::new("fake.notcms", what.to_string()));
                return Ok(if let Some(fault) = fault { fake.malformed(fault) } else { fake });
            }
            Object::Broken(finding, held) => {
                let finding = fault.unwrap_or(finding);
                let Some(Object::Signed(signed)) = held.map(|held| *held) else {
                    return Ok(Layer::Malformed(finding, None));
                };
                let layer = self.signed_part(place, inside, *part, content, *signed, Outcome::default())?;
                return Ok(Layer::Signed(Box::new(layer)).malformed(finding));
            }
            other => {
                let kind = other.content_type().map(|kind| oid::describe(&kind)).unwrap_or_default();
                let what = format!("the signature is a CMS object of another kind: {kind}");
                return Ok(Layer::Malformed(fault.unwrap_or(Finding::new("cms.type", what)), None));
            }
        };
        let object_fault = signed.fault().cloned();
        fault = fault.or(object_fault);
        if signed.content.is_some() {
            let what = "the signature of a part carries a content of its own";
            fault = fault.or(Some(Finding::new("cms.econtent-and-detached", what)));
        }
        let outcome = verified(place, content.range.clone(), &signed)?;
        let mut layer = self.signed_part(place, inside, *part, content, signed, outcome)?;
        if !clean {
            layer.findings.push(Finding::new("cms.base64", "the base64 of the signature is not clean"));
        }
        labels(root, signature, &mut layer);
        let layer = Layer::Signed(Box::new(layer));
        Ok(if let Some(fault) = fault { layer.malformed(fault) } else { layer })
    }

    fn signed_part(
        &self,
        place: &Place<'_>,
        inside: &Budget,
        part: usize,
        content: &Entity,
        mut signed: SignedData,
        outcome: Outcome,
    ) -> io::Result<SignedLayer> {
        signed.content = None;
        let around = protect::Around { signed: place.around.signed || outcome.verified.is_some(), ..place.around };
        // The part stands in the structure around; as a layer of its own it is read for itself.
        let is_layer = content.content_type.is("multipart", "signed") || is_pkcs7_mime(content);
        let inner = if is_layer {
            let (structure, hashed) = scanned(place.octets, content.range.clone(), inside)?;
            let hashed = hashed.as_ref();
            let within = Place { structure: &structure, hashed, is_signed: true, around, budget: inside, ..*place };
            let (layer, findings) = self.entity(&within)?;
            Some(Box::new(Opened { form: Form::Mail, octets: None, structure, layer, findings }))
        } else {
            None
        };
        let outer = place.outer.unwrap_or(&place.structure.root().header);
        let protect::Reading { protected, findings } =
            protect::read(outer, place.octets, place.structure, part, around)?;
        Ok(SignedLayer { clear: true, part: Some(part), signed, outcome, protected, inner, findings })
    }
}

/// What is wrong about the frame around part and signature.
fn frame_fault(root: &Entity, signature: &Entity) -> Option<Finding> {
    if !root.closed {
        return Some(Finding::new("mime.unclosed", "the boundary that ends the signed mail is missing"));
    }
    // Where a lone CR ends a line, more parts can begin than those that were read here.
    let bare = root.traits.bare_cr || signature.traits.bare_cr;
    bare.then(|| Finding::new("mime.boundary", "a lone CR stands around the signed part"))
}

/// Verifies a signature over a part.
fn verified(place: &Place<'_>, range: Range<u64>, signed: &SignedData) -> io::Result<Outcome> {
    let octets = place.octets;
    let mut outcome = match place.hashed.filter(|hashed| hashed.covers(signed)) {
        Some(hashed) => verify::verify_hashed(signed, hashed),
        None => verify::verify(signed, &Content::Part(octets, range.clone()))?,
    };
    // Line ends: the canonical form alone counts. Where only the octets as they stand fit, programs differ.
    if outcome.verified.is_none()
        && has_bare_lf(octets, range.clone())?
        && outcome.findings.first().is_some_and(|finding| finding.code == "cms.digest")
    {
        let exact = Slice { octets, range };
        if verify::verify(signed, &Content::Exact(&exact))?.verified.is_some() {
            outcome.findings.insert(0, Finding::new("mime.eol", "only the line ends as they stand fit the signature"));
        }
    }
    Ok(outcome)
}

/// Does a micalg name this digest? RFC 8551 §3.4.3.2 writes `sha-256`, older programs write `sha256`.
fn is_micalg(named: &str, digest: Digest) -> bool {
    fn bare(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().filter(|octet| *octet != b'-').map(|octet| octet.to_ascii_lowercase())
    }
    bare(named).eq(bare(digest.name()))
}

/// What the labels say beside the truth.
fn labels(root: &Entity, signature: &Entity, layer: &mut SignedLayer) {
    let protocol = root.content_type.parameter("protocol").unwrap_or_default();
    if protocol.eq_ignore_ascii_case("application/x-pkcs7-signature") {
        layer.findings.push(Finding::new("compat.xtype", "the old media type application/x-pkcs7-signature"));
    }
    if signature.content_type.is("application", "octet-stream") {
        let what = "the signature is labelled application/octet-stream";
        layer.findings.push(Finding::new("compat.label", what));
    }
    if let Some(proof) = &layer.outcome.verified {
        let micalg = root.content_type.parameter("micalg").unwrap_or_default();
        if !is_micalg(micalg, proof.digest()) {
            let micalg = micalg.to_ascii_lowercase();
            layer.findings.push(Finding::new(
                "lint.micalg",
                format!("micalg says «{micalg}», the digest is {}", proof.digest().name()),
            ));
        }
    }
    if root.has_surroundings {
        layer.findings.push(Finding::new("mime.preamble", "there is text before or after the parts"));
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
