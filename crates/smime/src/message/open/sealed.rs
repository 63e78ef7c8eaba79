//! The layers that hide their content: enveloped-data and its kin (RFC 8551 §3.3, §3.4), and compressed-data (§3.6).

use std::io;
use std::sync::Arc;

use super::{CompressedLayer, Layer, Opening, Place, Seal, SealedLayer};
use crate::budget::Budget;
use crate::cms::compressed::Compressed;
use crate::cms::enveloped::{self, Enveloped};
use crate::message::protect::{self, Around};
use crate::octets::Octets;

impl Opening<'_> {
    /// An encrypted object, opened if there is a key; `object` holds its octets.
    pub(super) fn sealed(
        &self,
        object: &dyn Octets,
        enveloped: Enveloped,
        place: &Place<'_>,
        inside: &Budget,
    ) -> io::Result<Layer> {
        let mut layer = SealedLayer {
            findings: enveloped.findings.clone(),
            enveloped,
            seal: Seal::Closed,
            inner: None,
            protected: None,
        };
        match layer.enveloped.open(object, self.keys, self.spools)? {
            enveloped::Opening::NoKey => {}
            enveloped::Opening::Refused(finding) => layer.seal = Seal::Refused(finding),
            enveloped::Opening::Failed(finding) => layer.seal = Seal::Failed(finding),
            enveloped::Opening::Open(plain) => {
                layer.seal = Seal::Opened { authenticated: plain.is_authenticated(), recipient: plain.recipient() };
                layer.findings.extend_from_slice(plain.findings());
                let content: Arc<dyn Octets> = Arc::from(plain.into_octets());
                // A signature around the encryption says nothing of who wrote what is inside: anybody could have taken
                // another off and put this one there (RFC 9787 §5.2).
                let around = Around { signed: false, encrypted: true };
                let within = Place { around, ..*place };
                let inner = self.content(Arc::clone(&content), layer.enveloped.content_type, &within, inside)?;
                // Where the content is a layer itself, the payload stands inside that (RFC 9787 §1.1.1).
                if matches!(inner.layer, Layer::None | Layer::Fake(_)) {
                    let outer = place.outer.unwrap_or(&inner.structure.root().header);
                    let reading = protect::read(outer, &*content, &inner.structure, 0, around)?;
                    layer.protected = reading.protected;
                    layer.findings.extend(reading.findings);
                }
                layer.inner = Some(Box::new(inner));
            }
        }
        Ok(Layer::Sealed(Box::new(layer)))
    }

    /// A compressed object, expanded if it can be; `object` holds its octets.
    pub(super) fn compressed(
        &self,
        object: &dyn Octets,
        compressed: Compressed,
        place: &Place<'_>,
        inside: &Budget,
    ) -> io::Result<Layer> {
        let mut findings = compressed.findings.clone();
        let inner = match compressed.open(object, self.spools, inside)? {
            Ok(content) => Some(self.content(Arc::from(content), compressed.content_type, place, inside)?),
            Err(finding) => {
                findings.push(finding);
                None
            }
        };
        Ok(Layer::Compressed(Box::new(CompressedLayer { compressed, inner: inner.map(Box::new), findings })))
    }
}
