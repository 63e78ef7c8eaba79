//! The archive in which the seeds lie: tar.gz, as far as it needs.

use std::io::Read as _;

use flate2::read::GzDecoder;

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

/// A field that ends at its first NUL.
fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|octet| *octet == 0).next().unwrap()).into_owned()
}
