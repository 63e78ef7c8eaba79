//! Files of many certificates and lists. PKCS#7 bundles (.p7b, .p7c): signed-data without signers (RFC 5652 §5.1), in DER;
//! what comes with a mail, in any BER, is read by `smime::cms`. And the serialized store of Windows and Exchange (.sst,
//! [MS-OSHARED] §2.3.9.1).

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

/// Opens a bundle of either form.
///
/// # Errors
/// It is none, or holds more than [`BUNDLE_LIMIT`].
pub fn open(raw: &[u8]) -> Result<Bundle<'_>, Malformed> {
    if is_store(raw) {
        return open_store(raw);
    }
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
        &der::element(tag::SET, &[]),
        &der::sequence(&[&der::oid(&oid::DATA)]),
        &der::context(0, &certificates),
        &der::element(tag::SET, &[]),
    ]);
    der::sequence(&[&der::oid(&oid::SIGNED_DATA), &der::context(0, &[&signed])])
}

/// The version, and "CERT".
const STORE_MARK: [u8; 8] = *b"\0\0\0\0CERT";
/// What an element of a store is; any other is a property of the certificate or list behind it.
const STORE_CERTIFICATE: u32 = 0x20;
const STORE_LIST: u32 = 0x21;
const STORE_END: u32 = 0;
/// How an element is encoded: X.509 in ASN.1.
const STORE_ENCODING: u32 = 1;

/// Does a file begin as a serialized store does?
pub fn is_store(raw: &[u8]) -> bool {
    raw.starts_with(&STORE_MARK)
}

fn open_store(raw: &[u8]) -> Result<Bundle<'_>, Malformed> {
    const CUT: Malformed = Malformed::new("a serialized store is cut short");
    let mut rest = raw.get(STORE_MARK.len()..).ok_or(CUT)?;
    let number = |rest: &mut &[u8]| {
        let (octets, behind) = rest.split_first_chunk().ok_or(CUT)?;
        *rest = behind;
        Ok(u32::from_le_bytes(*octets))
    };
    let mut bundle = Bundle::default();
    loop {
        let (id, _encoding, length) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let (value, behind) = rest.split_at_checked(usize::try_from(length).map_err(|_| CUT)?).ok_or(CUT)?;
        rest = behind;
        match id {
            STORE_CERTIFICATE => bundle.certificates.push(value),
            STORE_LIST => bundle.lists.push(value),
            STORE_END if rest.is_empty() && value.is_empty() => return Ok(bundle),
            STORE_END => return Err(Malformed::new("something follows where a serialized store ends")),
            _ => {}
        }
        if bundle.certificates.len().max(bundle.lists.len()) > BUNDLE_LIMIT {
            return Err(Malformed::new("a bundle holds more than 10,000 certificates or lists"));
        }
    }
}

/// Writes a serialized store of certificates, without properties.
pub fn write_store<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = STORE_MARK.to_vec();
    let mut element = |id: u32, encoding: u32, value: &[u8]| {
        // A certificate is far shorter than 4 GiB.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        for number in [id, encoding, length] {
            out.extend(number.to_le_bytes());
        }
        out.extend(value);
    };
    for certificate in certificates {
        element(STORE_CERTIFICATE, STORE_ENCODING, certificate);
    }
    element(STORE_END, 0, &[]);
    out
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

    #[test]
    fn a_store_is_read_past_its_properties_and_refused_where_it_is_cut() {
        let store = write_store([b"one".as_slice(), b"other"].into_iter());
        let head = b"\0\0\0\0CERT \0\0\0\x01\0\0\0\x03\0\0\0one \0\0\0\x01\0\0\0\x05\0\0\0other";
        assert_eq!(store, [head.as_slice(), &[0; 12]].concat());
        assert_eq!(open(&store).unwrap().certificates, [b"one".as_slice(), b"other"]);
        assert_eq!(open(&write_store(std::iter::empty())).unwrap(), Bundle::default());
        // a friendly name before the first certificate, a list behind the last
        let name = b"\x0b\0\0\0\x01\0\0\0\x02\0\0\0a\0";
        let list = b"!\0\0\0\x01\0\0\0\x01\0\0\0L";
        let with = [&head[..8], name.as_slice(), &head[8..], list, &[0; 12]].concat();
        let bundle = open(&with).unwrap();
        assert_eq!((bundle.certificates.len(), bundle.lists), (2, vec![b"L".as_slice()]));
        for cut in 8..with.len() {
            assert!(open(&with[..cut]).is_err(), "{cut}");
        }
        assert!(open(&[with.as_slice(), b"x"].concat()).is_err());
    }
}
