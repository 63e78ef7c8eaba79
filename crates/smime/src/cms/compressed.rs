//! Compressed-data (RFC 3274): octets that were made shorter. It protects nothing.

use std::io::{self, BufWriter, Write};
use std::ops::Range;

use flate2::{Compression, Decompress, FlushDecompress, Status};
use kakitome_pki::algorithm::AlgorithmIdentifier;
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Malformed, Oid, oid, tag, write};

use super::reader::{OctetString, Reader, Stop};
use crate::Finding;
use crate::budget::Budget;
use crate::octets::{Octets, Spool, Spools, WINDOW, copy_range};

/// Content may become this many times longer.
pub const EXPANSION_LIMIT: u64 = 100;
/// Up to this length the ratio does not count, in octets: a short mail of repeated lines is no bomb.
const EXPANSION_FREE: u64 = 1024 * 1024;

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

    /// Where the compressed content stands in the object, its headers included.
    pub fn compressed_range(&self) -> Range<u64> {
        self.content.range()
    }

    /// Gives out the content; `object` holds the octets that it was read from. Layers of compression inside one another
    /// share what they may become.
    ///
    /// # Errors
    /// The environment's; inside, why there is no content.
    pub fn open(
        &self,
        object: &dyn Octets,
        spools: &dyn Spools,
        budget: &Budget,
    ) -> io::Result<Result<Box<dyn Octets>, Finding>> {
        if self.algorithm.oid != oid::ZLIB_COMPRESSION {
            return Ok(Err(Finding::new("cms.unsupported", oid::describe(&self.algorithm.oid))));
        }
        let mut spool = spools.spool()?;
        let mut inflating = Inflating::new(&mut spool, budget.expanded());
        let copied = {
            let mut buffered = BufWriter::with_capacity(WINDOW, &mut inflating);
            self.content.copy(object, &mut buffered).and_then(|()| buffered.flush())
        };
        let ended = inflating.end();
        budget.expand(ended.written);
        match (ended.why, copied) {
            // What stopped the copying was the content, not the environment.
            (Some(finding), _) => Ok(Err(finding)),
            (None, Err(fault)) => Err(fault),
            (None, Ok(())) => Ok(Ok(spool.finish()?)),
        }
    }
}

/// Expands what is written to it into a spool.
struct Inflating<'a> {
    inflate: Decompress,
    spool: &'a mut Box<dyn Spool>,
    buffer: Vec<u8>,
    allowed: u64,
    whole: bool,
    why: Option<Finding>,
}

struct Ended {
    written: u64,
    why: Option<Finding>,
}

impl<'a> Inflating<'a> {
    fn new(spool: &'a mut Box<dyn Spool>, allowed: u64) -> Self {
        let buffer = Vec::with_capacity(WINDOW);
        Self { inflate: Decompress::new(true), spool, buffer, allowed, whole: false, why: None }
    }

    fn end(self) -> Ended {
        let cut = || Finding::new("cms.compressed", "the compressed content is cut off");
        Ended { written: self.inflate.total_out(), why: self.why.or_else(|| (!self.whole).then(cut)) }
    }

    fn stop(&mut self, code: &'static str, what: &str) -> io::Error {
        self.why.get_or_insert_with(|| Finding::new(code, what));
        io::Error::from(io::ErrorKind::InvalidData)
    }
}

impl Write for Inflating<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.whole {
            return Err(self.stop("cms.compressed", "something follows the compressed content"));
        }
        let mut rest = bytes;
        loop {
            let before = self.inflate.total_in();
            self.buffer.clear();
            let status = self.inflate.decompress_vec(rest, &mut self.buffer, FlushDecompress::None);
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            if written > self.allowed {
                return Err(self.stop("limit.compressed", "the compressed content becomes longer than 64 MiB"));
            }
            if written > EXPANSION_FREE && written > read.saturating_mul(EXPANSION_LIMIT) {
                return Err(self.stop("limit.compressed", "the compressed content becomes 100 times as long"));
            }
            self.spool.write_all(&self.buffer)?;
            let taken = usize::try_from(read.saturating_sub(before)).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) if rest.is_empty() => {
                    self.whole = true;
                    return Ok(bytes.len());
                }
                Ok(Status::StreamEnd) => {
                    return Err(self.stop("cms.compressed", "something follows the compressed content"));
                }
                // Nothing read and nothing given out: all of it was taken, or it cannot be read on.
                Ok(_) if taken == 0 && self.buffer.is_empty() && rest.is_empty() => return Ok(bytes.len()),
                Ok(_) if taken > 0 || !self.buffer.is_empty() => {}
                Ok(_) | Err(_) => return Err(self.stop("cms.compressed", "the compressed content is no zlib stream")),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes content as compressed-data, in DER; `content_type` says what it is. Compressed it goes through a spool, because
/// its length stands before it.
///
/// # Errors
/// The environment's.
pub fn write_compressed(
    content_type: Oid,
    content: &dyn Octets,
    spools: &dyn Spools,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut deflating = flate2::write::ZlibEncoder::new(spools.spool()?, Compression::default());
    copy_range(content, 0..content.len(), &mut deflating)?;
    let compressed = deflating.finish()?.finish()?;
    let length = usize::try_from(compressed.len()).map_err(io::Error::other)?;
    let mut head = write::header(tag::OCTET_STRING, length);
    write::wrap(&mut head, tag::context_constructed(0), length, &[]);
    write::wrap(&mut head, tag::SEQUENCE, length, &[&write::oid(&content_type)]);
    let algorithm = write::sequence(&[&write::oid(&oid::ZLIB_COMPRESSION)]);
    write::wrap(&mut head, tag::SEQUENCE, length, &[&write::unsigned(&[0]), &algorithm]);
    write::wrap(&mut head, tag::context_constructed(0), length, &[]);
    write::wrap(&mut head, tag::SEQUENCE, length, &[&write::oid(&oid::COMPRESSED_DATA)]);
    to.write_all(&head)?;
    copy_range(&*compressed, 0..compressed.len(), to)
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
