//! Compressed-data (RFC 3274), for reading: octets that were made shorter, and protect nothing.

use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Malformed, Oid, tag};

use super::reader::{OctetString, Reader, Stop};
use crate::Finding;

/// What a compressed-data holds; its content is located, not held.
pub struct Compressed {
    /// The version that it claims.
    pub version: u32,
    /// How it is compressed.
    pub algorithm: AlgorithmIdentifier,
    /// What is inside.
    pub content_type: Oid,
    /// What is odd.
    pub findings: Vec<Finding>,
    content: OctetString,
}

impl Compressed {
    /// How long the content is, compressed, in octets.
    pub fn compressed_len(&self) -> u64 {
        self.content.len()
    }
}

/// ```asn1
/// CompressedData ::= SEQUENCE { version, compressionAlgorithm, encapContentInfo EncapsulatedContentInfo }
/// ```
pub(super) fn read(outer: &mut Reader<'_>) -> Result<Compressed, Stop> {
    let mut reader = outer.enter(tag::SEQUENCE, "compressed-data is not a SEQUENCE")?;
    let missing = |what| Stop::from(Malformed::new(what));
    let version =
        reader.capture(16, "a version is longer than any")?.ok_or(missing("compressed-data has no version"))?;
    let version = Der::new(&version.der).small()?;
    let algorithm = reader
        .capture(4096, "a compression algorithm is longer than any")?
        .ok_or(missing("compressed-data has no algorithm"))?;
    let algorithm = AlgorithmIdentifier::parse(&Der::only(&algorithm.der)?)?;
    let mut encapsulated = reader.enter(tag::SEQUENCE, "compressed-data has no content")?;
    let kind = encapsulated
        .capture(64, "a content type is longer than any")?
        .ok_or(missing("compressed-data has no content type"))?;
    let content_type = Der::new(&kind.der).oid()?;
    let mut explicit = encapsulated.enter(tag::context_constructed(0), "compressed-data has no content")?;
    let content = explicit.locate(tag::OCTET_STRING)?;
    encapsulated.leave(explicit)?;
    reader.leave(encapsulated)?;
    outer.leave(reader)?;
    // RFC 3274 §1.1: version 0.
    let findings = if version == 0 {
        Vec::new()
    } else {
        vec![Finding::new("cms.version", format!("compressed-data has version {version}, not 0"))]
    };
    Ok(Compressed { version, algorithm, content_type, findings, content })
}
