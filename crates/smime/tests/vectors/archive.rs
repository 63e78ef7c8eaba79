//! The archives in which some corpora lie: tar.gz and zip, as far as these need.

use std::io::Read as _;

use flate2::read::{DeflateDecoder, GzDecoder};

/// The files of a tar.gz in its order, with their names.
pub(crate) fn tar_gz(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut tar = Vec::new();
    GzDecoder::new(archive).read_to_end(&mut tar).unwrap();
    let mut files = Vec::new();
    let mut rest = tar.as_slice();
    while rest.first().is_some_and(|octet| *octet != 0) {
        let (header, after) = rest.split_at(512);
        let size = usize::from_str_radix(text(&header[124..136]).trim(), 8).unwrap();
        if matches!(header[156], 0 | b'0') {
            files.push((text(&header[..100]), after[..size].to_vec()));
        }
        rest = &after[size.next_multiple_of(512)..];
    }
    files
}

/// The files of a zip in the order of its directory, with their names.
pub(crate) fn zip(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let two = |at: usize| usize::from(u16::from_le_bytes(archive[at..at + 2].try_into().unwrap()));
    let four = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().unwrap()) as usize;
    let end = archive.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let (count, mut at) = (two(end + 10), four(end + 16));
    let mut files = Vec::new();
    for _ in 0..count {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let (method, packed, local) = (two(at + 10), four(at + 20), four(at + 42));
        let name = text(&archive[at + 46..][..two(at + 28)]);
        let from = local + 30 + two(local + 26) + two(local + 28);
        let data = &archive[from..from + packed];
        let mut file = Vec::new();
        match method {
            0 => file.extend_from_slice(data),
            8 => _ = DeflateDecoder::new(data).read_to_end(&mut file).unwrap(),
            other => panic!("{name}: compressed by method {other}"),
        }
        if !name.ends_with('/') {
            files.push((name, file));
        }
        at += 46 + two(at + 28) + two(at + 30) + two(at + 32);
    }
    files
}

/// A field that ends at its first NUL.
fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|octet| *octet == 0).next().unwrap()).into_owned()
}
