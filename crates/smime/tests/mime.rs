//! Header text: every row of testdata/mime is decoded as it says, whatever the charset and whoever wrote it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use kakitome_smime::mime::header::{ContentType, decode};

/// The rows of a table, their octets unescaped.
fn table(name: &str) -> Vec<Vec<Vec<u8>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mime").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| line.split('\t').map(unescaped).collect()).collect()
}

fn unescaped(cell: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = cell;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            out.push(b'\\');
            rest = after;
        } else {
            let digits = escape.strip_prefix('x').expect("an escape is \\xNN or \\\\");
            out.push(u8::from_str_radix(&digits[..2], 16).unwrap());
            rest = &digits[2..];
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

#[test]
fn header_text_is_decoded_by_the_table() {
    let rows = table("header-text.tsv");
    let mut wrong = Vec::new();
    for row in &rows {
        let [what, raw, decoded] = row.as_slice() else { panic!("three columns: {row:?}") };
        let (got, expected) = (decode(raw), String::from_utf8(decoded.clone()).unwrap());
        if got != expected {
            wrong.push(format!("{}: {got:?}, not {expected:?}", String::from_utf8_lossy(what)));
        }
    }
    assert!(wrong.is_empty() && rows.len() > 70, "{}", wrong.join("\n"));
}

#[test]
fn parameters_are_decoded_by_the_table() {
    let rows = table("parameters.tsv");
    let mut wrong = Vec::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().map(|cell| String::from_utf8(cell.clone()).unwrap()).collect();
        let [what, field, name, value, ambiguous] = cells.as_slice() else { panic!("five columns: {row:?}") };
        let field =
            if field.contains('/') && !field.starts_with("attachment") { field.clone() } else { format!("x/{field}") };
        let got = ContentType::parse(field.as_bytes()).text(name);
        let (got, is_ambiguous) = got.map_or_else(Default::default, |text| (text.value, text.ambiguous));
        if got != *value || is_ambiguous != (ambiguous == "ambiguous") {
            wrong.push(format!("{what}: {got:?} {is_ambiguous}"));
        }
    }
    assert!(wrong.is_empty() && rows.len() > 20, "{}", wrong.join("\n"));
}
