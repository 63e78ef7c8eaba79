//! Compressed objects: there and back, in every form, and what is refused.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use kakitome_pki::asn1::oid;
use kakitome_smime::budget::Budget;
use kakitome_smime::cms::compressed::write_compressed;
use kakitome_smime::cms::content::{Object, read};
use kakitome_smime::octets::{InMemory, Octets as _, read_range};
use kakitome_testkit::envelope::compressed;

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The content, or the code of the finding.
fn expanded(object: &[u8], budget: &Budget) -> Result<Vec<u8>, &'static str> {
    let object = object.to_vec();
    let Object::Compressed(compressed) = read(&object, &InMemory).unwrap() else { panic!("nothing compressed") };
    let content = compressed.open(&object, &InMemory, budget).unwrap().map_err(|finding| finding.code)?;
    Ok(read_range(&*content, 0..content.len(), usize::MAX).unwrap())
}

#[test]
fn what_was_compressed_comes_out() {
    let noise: Vec<u8> = (0..300_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for content in [b"".as_slice(), b"a mail", &b"line\r\n".repeat(20_000), &noise] {
        let mut object = Vec::new();
        write_compressed(oid::DATA, &content.to_vec(), &InMemory, &mut object).unwrap();
        assert_eq!(expanded(&object, &Budget::default()).as_deref(), Ok(content));
    }
}

#[test]
fn what_is_no_zlib_or_a_bomb_is_refused() {
    let text = b"line\r\n".repeat(1000);
    let good = zlib(&text);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&text).unwrap();
    let mut sum = good.clone();
    *sum.last_mut().unwrap() ^= 1;
    for (flaw, content, expected) in [
        ("none", good.clone(), Ok(text.clone())),
        ("empty", Vec::new(), Err("cms.compressed")),
        ("cut", good[..good.len() - 1].to_vec(), Err("cms.compressed")),
        ("cut early", good[..10].to_vec(), Err("cms.compressed")),
        ("longer", [good.clone(), vec![0]].concat(), Err("cms.compressed")),
        ("checksum", sum, Err("cms.compressed")),
        ("gzip", gzip.finish().unwrap(), Err("cms.compressed")),
        ("noise", vec![0x5a; 100], Err("cms.compressed")),
        ("a hundred times as long", zlib(&vec![0; 8 * 1024 * 1024]), Err("limit.compressed")),
    ] {
        assert_eq!(expanded(&compressed(oid::DATA, &content), &Budget::default()), expected, "{flaw}");
    }
}

#[test]
fn all_compressed_content_of_a_message_is_counted_together() {
    // About a third of what a message may become, too various for the ratio to count.
    let content: Vec<u8> = (0..6_000_000u32).flat_map(|n| (n / 3).to_be_bytes()).collect();
    let object = compressed(oid::DATA, &zlib(&content));
    let budget = Budget::default();
    let mut outcomes = (0..3).map(|_| expanded(&object, &budget).map(|content| content.len()));
    assert_eq!(outcomes.next(), Some(Ok(content.len())));
    assert_eq!(outcomes.next(), Some(Ok(content.len())));
    assert_eq!(outcomes.next(), Some(Err("limit.compressed")));
}
