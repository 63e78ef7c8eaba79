//! application/pkcs7-mime (RFC 8551 §3.2): everything is inside the CMS object. The object itself says what it is; the
//! smime-type beside it is a label.

use std::io;
use std::sync::Arc;

use super::carrier::{Decoded, decoded, is_decodable};
use super::{Layer, Opening, Place, SignedLayer, is_ambiguous};
use crate::Finding;
use crate::budget::Budget;
use crate::cms::content::{self, Object};
use crate::cms::signed::SignedData;
use crate::cms::verify::{self, Content, Outcome};
use crate::message::protect;
use crate::octets::Octets;

impl Opening<'_> {
    /// The layer of an application/pkcs7-mime, `inside` being the budget in it.
    pub(super) fn opaque(&self, place: &Place<'_>, inside: &Budget) -> io::Result<Layer> {
        let root = place.structure.root();
        if !is_decodable(root.encoding) {
            let what = "the CMS object has a transfer encoding that no CMS object has";
            return Ok(Layer::Malformed(Finding::new("cms.parse", what), None));
        }
        match decoded(place.octets, root, u64::MAX, self.spools)? {
            Decoded::Octets(octets, clean) => self.object(&*octets, clean, place, inside),
            Decoded::TooLong => Ok(Layer::Malformed(Finding::new("limit.cms", "the CMS object is too large"), None)),
        }
    }

    /// The layer that a CMS object is. `clean`: its transfer encoding left no doubt about its octets.
    pub(super) fn object(
        &self,
        octets: &dyn Octets,
        clean: bool,
        place: &Place<'_>,
        inside: &Budget,
    ) -> io::Result<Layer> {
        let malformed = |code, detail: &str| Ok(Layer::Malformed(Finding::new(code, detail), None));
        match content::read_within(octets, self.spools, inside)? {
            Object::Signed(signed) => self.signed_content(*signed, clean, place, inside),
            Object::NotCms(what) => malformed("cms.parse", &format!("no CMS object: {what}")),
            Object::Enveloped(enveloped) => self.sealed(octets, *enveloped, place, inside),
            Object::Compressed(compressed) => self.compressed(octets, *compressed, place, inside),
            Object::Other(kind) => Ok(Layer::Unsupported(kind)),
            Object::Broken(finding, held) => {
                let Some(Object::Signed(mut signed)) = held.map(|held| *held) else {
                    return Ok(Layer::Malformed(finding, None));
                };
                let content = signed.content.take().map(Arc::from);
                let layer = self.signed_layer(*signed, content, Outcome::default(), place, inside)?;
                Ok(Layer::Signed(Box::new(layer)).malformed(finding))
            }
        }
    }

    fn signed_content(
        &self,
        mut signed: SignedData,
        clean: bool,
        place: &Place<'_>,
        inside: &Budget,
    ) -> io::Result<Layer> {
        let mut fault = signed.fault().cloned();
        if fault.is_none()
            && signed.signer_count == 0
            && signed.content.as_ref().is_none_or(|content| content.is_empty())
            && !(signed.certificates.is_empty() && signed.crls.is_empty())
        {
            return Ok(Layer::CertificatesOnly(Box::new(signed)));
        }
        // Decoders differ in what they make of it, and here the content itself is inside.
        if !clean {
            fault = fault.or(Some(Finding::new("cms.base64", "the base64 of the mail is not clean")));
        }
        if signed.content.is_none() {
            fault = fault.or(Some(Finding::new("cms.no-content", "there is a signature, but no content")));
        }
        let content: Option<Arc<dyn Octets>> = signed.content.take().map(Arc::from);
        let outcome = match &content {
            Some(content) => verify::verify(&signed, &Content::Exact(&**content))?,
            None => Outcome::default(),
        };
        let layer = self.signed_layer(signed, content, outcome, place, inside)?;
        // As in a clear-signed mail, where the same content is refused as part of the whole.
        let mut odd = layer.inner.iter().flat_map(|inner| &inner.structure.findings);
        if layer.outcome.verified.is_some()
            && let Some(finding) = odd.find(|finding| is_ambiguous(finding.code))
        {
            fault = fault.or(Some(Finding::new("mime.inner", finding.detail.clone())));
        }
        let layer = Layer::Signed(Box::new(layer));
        Ok(if let Some(fault) = fault { layer.malformed(fault) } else { layer })
    }

    /// The layer of a signed-data with its content opened.
    fn signed_layer(
        &self,
        signed: SignedData,
        content: Option<Arc<dyn Octets>>,
        outcome: Outcome,
        place: &Place<'_>,
        inside: &Budget,
    ) -> io::Result<SignedLayer> {
        let around = protect::Around { signed: place.around.signed || outcome.verified.is_some(), ..place.around };
        let within = Place { is_signed: true, around, ..*place };
        let mut layer = SignedLayer {
            clear: false,
            part: None,
            signed,
            outcome,
            protected: None,
            inner: None,
            findings: Vec::new(),
        };
        let Some(content) = content else { return Ok(layer) };
        let inner = self.content(Arc::clone(&content), layer.signed.content_type, &within, inside)?;
        let outer = place.outer.unwrap_or(&inner.structure.root().header);
        let reading = protect::read(outer, &*content, &inner.structure, 0, around)?;
        (layer.protected, layer.findings) = (reading.protected, reading.findings);
        layer.inner = Some(Box::new(inner));
        Ok(layer)
    }
}
