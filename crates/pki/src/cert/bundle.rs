//! PKCS#7 bundles (.p7b, .p7c): signed-data without signers, a bag of certificates and lists (RFC 5652 §5.1). In DER; what
//! comes with a mail, in any BER, is read by `smime::cms`.

use crate::asn1::der::Der;
use crate::asn1::{Malformed, oid, tag, write as der};

/// Certificates or lists in one bundle, at most.
pub const BUNDLE_LIMIT: usize = 10_000;

/// What lies in a bundle, each as it came; nothing has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle<'a> {
    /// Certificates, DER.
    pub certificates: Vec<&'a [u8]>,
    /// Revocation lists, DER.
    pub lists: Vec<&'a [u8]>,
}

/// Opens a bundle.
///
/// # Errors
/// It is none, or holds more than [`BUNDLE_LIMIT`].
pub fn open(raw: &[u8]) -> Result<Bundle<'_>, Malformed> {
    let mut outer = Der::only(raw)?.of(tag::SEQUENCE, "a bundle is not a SEQUENCE")?.inside();
    if outer.oid()? != oid::SIGNED_DATA {
        return Err(Malformed::new("a bundle is not signed-data"));
    }
    let content = outer.expect(tag::context_constructed(0), "a bundle has no content")?;
    let mut fields = Der::only(content.value)?.of(tag::SEQUENCE, "signed-data is not a SEQUENCE")?.inside();
    fields.small()?;
    fields.expect(tag::SET, "signed-data has no digest algorithms")?;
    fields.expect(tag::SEQUENCE, "signed-data has no content info")?;
    let mut each = |number| -> Result<Vec<_>, Malformed> {
        let mut found = Vec::new();
        let Some(set) = fields.optional(tag::context_constructed(number))? else { return Ok(found) };
        let mut set = set.inside();
        while !set.is_empty() {
            if found.len() >= BUNDLE_LIMIT {
                return Err(Malformed::new("a bundle holds more than 10,000 certificates or lists"));
            }
            let element = set.element()?;
            // Attribute certificates and other forms have tags of their own.
            if element.tag == tag::SEQUENCE {
                found.push(element.raw);
            }
        }
        Ok(found)
    };
    Ok(Bundle { certificates: each(0)?, lists: each(1)? })
}

/// Writes a bundle of certificates, DER.
pub fn write<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    // In DER a SET stands in the order of its octets (X.690 §11.6).
    let mut certificates: Vec<&[u8]> = certificates.collect();
    certificates.sort_unstable();
    let signed = der::sequence(&[
        &der::unsigned(&[1]),
        &der::set_of(Vec::new()),
        &der::sequence(&[&der::oid(&oid::DATA)]),
        &der::context(0, &certificates),
        &der::set_of(Vec::new()),
    ]);
    der::sequence(&[&der::oid(&oid::SIGNED_DATA), &der::context(0, &[&signed])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let (one, other) = (der::sequence(&[&der::unsigned(&[2])]), der::sequence(&[&der::unsigned(&[1])]));
        let bundle = write([one.as_slice(), other.as_slice()].into_iter());
        assert_eq!(open(&bundle).unwrap().certificates, [other.as_slice(), one.as_slice()]);
        assert_eq!(open(&write(std::iter::empty())).unwrap(), Bundle::default());
    }
}
