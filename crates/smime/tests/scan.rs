//! The structure of odd messages: every row has one oddity, and says which tree and which findings come of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_smime::budget::DEPTH_LIMIT;
use kakitome_smime::mime::scan::{Structure, scan};

fn scanned(mail: &[u8]) -> Structure {
    let structure = scan(&mail.to_vec(), 0..mail.len() as u64).unwrap();
    for entity in &structure.entities {
        let parent = entity.parent.and_then(|parent| structure.entity(parent));
        let around = parent.map_or(0..mail.len() as u64, |parent| parent.range.clone());
        assert!(around.start <= entity.range.start && entity.range.end <= around.end, "{}", text(mail));
        assert!(entity.range.start <= entity.body.start && entity.body.start <= entity.body.end, "{}", text(mail));
    }
    structure
}

fn text(mail: &[u8]) -> String {
    String::from_utf8_lossy(mail).into_owned()
}

/// `multipart/mixed(text/plain:5,text/html:0)`, the number being the octets of a leaf's body.
fn tree(structure: &Structure, number: usize) -> String {
    let entity = structure.entity(number).unwrap();
    let name = entity.content_type.essence();
    if entity.parts.is_empty() {
        return format!("{name}:{}", entity.body.end - entity.body.start);
    }
    let parts: Vec<String> = entity.parts.iter().map(|part| tree(structure, *part)).collect();
    format!("{name}({})", parts.join(","))
}

fn codes(structure: &Structure) -> String {
    structure.findings.iter().map(|finding| finding.code).collect::<Vec<_>>().join(" ")
}

fn multipart(boundary: &str, rest: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n{rest}")
}

#[test]
fn every_oddity_has_its_tree_and_its_finding() {
    let inner = "--a\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\nx\r\n";
    let rows: Vec<(&str, String, &str, &str)> = vec![
        ("nothing", String::new(), "text/plain:0", ""),
        ("a header alone", "From: x\r\n".into(), "text/plain:0", ""),
        ("a header and its end", "From: x\r\n\r\n".into(), "text/plain:0", ""),
        ("no header", "\r\nbody".into(), "text/plain:4", ""),
        ("no field", "words\r\n\r\nbody".into(), "text/plain:4", "mime.header"),
        ("a continuation of nothing", " x\r\nFrom: x\r\n\r\n".into(), "text/plain:0", "mime.header"),
        ("a field without a name", ": x\r\n\r\n".into(), "text/plain:0", "mime.header"),
        (
            "two parts",
            multipart("a", "--a\r\n\r\n12345\r\n--a\r\n\r\n1\r\n--a--\r\n"),
            "multipart/mixed(text/plain:5,text/plain:1)",
            "",
        ),
        (
            "LF alone",
            multipart("a", "--a\r\n\r\n12345\r\n--a--\r\n").replace('\r', ""),
            "multipart/mixed(text/plain:5)",
            "",
        ),
        (
            "CR alone",
            multipart("a", "--a\r\n\r\n12345\r\n--a--\r\n").replace('\n', ""),
            "multipart/mixed:0",
            "mime.header mime.content-type mime.unclosed",
        ),
        (
            "a part whose only line ending is that of the boundary behind it",
            multipart("a", "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--a--\r\n"),
            "multipart/mixed(multipart/mixed(text/plain:0))",
            "mime.boundary mime.unclosed",
        ),
        ("no end", multipart("a", "--a\r\n\r\n12345\r\n"), "multipart/mixed(text/plain:7)", "mime.unclosed"),
        ("no parts", multipart("a", "text\r\n"), "multipart/mixed:6", "mime.unclosed"),
        ("only the end", multipart("a", "--a--\r\n"), "multipart/mixed:7", ""),
        ("no end of line at the end", multipart("a", "--a\r\n\r\n1\r\n--a--"), "multipart/mixed(text/plain:1)", ""),
        (
            "blanks behind a boundary",
            multipart("a", "--a \t\r\n\r\n1\r\n--a--  \r\n"),
            "multipart/mixed(text/plain:1)",
            "",
        ),
        (
            "a longer boundary is none",
            multipart("a", "--a\r\n\r\n1\r\n--ab\r\n--a--\r\n"),
            "multipart/mixed(text/plain:7)",
            "mime.boundary",
        ),
        (
            "a shorter boundary is none",
            multipart("ab", "--ab\r\n\r\n1\r\n--a\r\n--ab--\r\n"),
            "multipart/mixed(text/plain:6)",
            "",
        ),
        (
            "a boundary inside a line is none",
            multipart("a", "--a\r\n\r\nx--a\r\n --a\r\n--a--\r\n"),
            "multipart/mixed(text/plain:10)",
            "",
        ),
        (
            "after the end nothing is a part",
            multipart("a", "--a\r\n\r\n1\r\n--a--\r\n--a\r\n\r\n2\r\n"),
            "multipart/mixed(text/plain:1)",
            "mime.boundary",
        ),
        (
            "a part that ends in its header",
            multipart("a", "--a\r\nX: y\r\n--a--\r\n"),
            "multipart/mixed(text/plain:0)",
            "mime.boundary",
        ),
        (
            "an empty part",
            multipart("a", "--a\r\n--a\r\n--a--\r\n"),
            "multipart/mixed(text/plain:0,text/plain:0)",
            "mime.boundary",
        ),
        (
            "an inner part without end",
            multipart("a", &format!("{inner}--a--\r\n")),
            "multipart/mixed(multipart/mixed(text/plain:1))",
            "mime.unclosed",
        ),
        (
            "an inner part with its end",
            multipart("a", &format!("{inner}--b--\r\n--a--\r\n")),
            "multipart/mixed(multipart/mixed(text/plain:1))",
            "",
        ),
        (
            "the same boundary twice",
            multipart("a", "--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n"),
            "multipart/mixed(multipart/mixed(text/plain:1))",
            "mime.boundary mime.unclosed",
        ),
        (
            "a boundary that begins like the outer",
            multipart(
                "a",
                "--a\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n\r\n1\r\n--ab--\r\n--a--\r\n",
            ),
            "multipart/mixed(multipart/mixed(text/plain:1))",
            "mime.boundary",
        ),
        ("no boundary", "Content-Type: multipart/mixed\r\n\r\n--\r\nx".into(), "multipart/mixed:5", "mime.boundary"),
        ("an empty boundary", multipart("", "--\r\n\r\n1\r\n----\r\n"), "multipart/mixed:15", "mime.boundary"),
        (
            "an overlong boundary",
            multipart(&"a".repeat(71), &format!("--{0}\r\n\r\n1\r\n--{0}--\r\n", "a".repeat(71))),
            "multipart/mixed(text/plain:1)",
            "mime.boundary",
        ),
        (
            "two boundaries",
            "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--a--\r\n".into(),
            "multipart/mixed:17",
            "mime.boundary",
        ),
        (
            "an encoded multipart",
            multipart("a", "--a\r\n\r\n1\r\n--a--\r\n").replacen(
                "Content",
                "Content-Transfer-Encoding: base64\r\nContent",
                1,
            ),
            "multipart/mixed(text/plain:1)",
            "mime.boundary",
        ),
        (
            "two types",
            "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx".into(),
            "text/plain:1",
            "mime.dup-header",
        ),
        ("a type that is none", "Content-Type: text\r\n\r\nx".into(), "text/plain:1", "mime.content-type"),
        (
            "a type with an open quote",
            "Content-Type: text/html; x=\"y\r\n\r\nx".into(),
            "text/html:1",
            "mime.content-type",
        ),
        (
            "a digest",
            multipart("a", "--a\r\n\r\nFrom: x\r\n\r\ny\r\n--a--\r\n").replace("mixed", "digest"),
            "multipart/digest(message/rfc822:12)",
            "",
        ),
        (
            "a message is not looked into",
            "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n".into(),
            "message/rfc822:50",
            "",
        ),
        (
            "NULs",
            multipart("a", "--a\r\n\r\n1\0\r\n--a\0--\r\n--a--\r\n"),
            "multipart/mixed(text/plain:10)",
            "mime.boundary",
        ),
        ("a blank before the colon", "Subject : x\r\n\r\n".into(), "text/plain:0", "mime.header-form"),
        ("a line of blanks that ends the header", "From: x\r\n \t\r\n\r\ny".into(), "text/plain:1", "mime.header-form"),
        (
            "a line of blanks with fields behind it",
            "From: x\r\n \r\nContent-Type: text/html\r\n\r\ny".into(),
            "text/html:1",
            "mime.header mime.header-form",
        ),
        ("two ends of lines", "From: x\nSubject: y\r\n\r\n".into(), "text/plain:0", "mime.header-form"),
        ("a NUL in a field", "Subject: x\0y\r\n\r\n".into(), "text/plain:0", "mime.header-form"),
        (
            "an encoded message",
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\neA==".into(),
            "message/rfc822:4",
            "mime.header-form",
        ),
        (
            "two transfer encodings in one field",
            "Content-Transfer-Encoding: quoted-printable, base64\r\n\r\nx".into(),
            "text/plain:1",
            "mime.header-form",
        ),
        (
            "a comment that says another boundary",
            "Content-Type: multipart/mixed; (boundary=b;) boundary=a\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n".into(),
            "multipart/mixed(text/plain:1)",
            "",
        ),
        (
            "a comment",
            "Content-Type: multipart/mixed (parts); boundary=a\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n".into(),
            "multipart/mixed(text/plain:1)",
            "",
        ),
        (
            "a boundary in the form of RFC 2231",
            "Content-Type: multipart/mixed; boundary*=us-ascii''a; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n".into(),
            "multipart/mixed(text/plain:1)",
            "mime.boundary",
        ),
        (
            "an mbox separator",
            "From x@y Tue Dec  1 00:00:00 2026\r\nFrom: x\r\n\r\nbody".into(),
            "text/plain:4",
            "in.mbox",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, mail, expected, findings) in rows {
        let structure = scanned(mail.as_bytes());
        let got = (tree(&structure, 0), codes(&structure));
        if got != (expected.to_owned(), findings.to_owned()) {
            wrong.push(format!("{name}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_size_breaks_a_limit() {
    let nested: String = (0..500)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=\"b{level}e\"\r\n\r\n--b{level}e\r\n"))
        .chain([String::from("\r\nx\r\n")])
        .chain((0..500).rev().map(|level| format!("--b{level}e--\r\n")))
        .collect();
    let many: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let parts = format!("{}--a--\r\n", "--a\r\n\r\n\r\n".repeat(10_500));
    for (name, mail, count, findings) in [
        ("500 multiparts in one another", nested, DEPTH_LIMIT + 1, "limit.depth"),
        ("10 000 fields", format!("{many}\r\nx"), 1, "limit.headers"),
        ("a field of 2 MB", format!("X: {}\r\n\r\nx", "y".repeat(2_000_000)), 1, "limit.headers"),
        ("a folded field of 2 MB", format!("X: y\r\n{}\r\nx", " y\r\n".repeat(500_000)), 1, "limit.headers"),
        ("10 500 parts", multipart("a", &parts), 10_000, "limit.parts"),
        (
            "200 parts of 5000 fields",
            multipart("a", &format!("{}--a--\r\n", format!("--a\r\n{}\r\n", "a:\n".repeat(4999)).repeat(200))),
            201,
            "limit.headers",
        ),
        (
            "a type of 200 parameters",
            format!("Content-Type: text/plain{}\r\n\r\nx", ";a=b".repeat(200)),
            1,
            "mime.content-type",
        ),
        ("a line of 2 MB", format!("From: x\r\n\r\n{}", "y".repeat(2_000_000)), 1, ""),
        ("a million CRs", format!("From: x\r\n\r\n{}", "\r".repeat(1_000_000)), 1, ""),
        ("a million LFs", format!("From: x\r\n\r\n{}", "\n".repeat(1_000_000)), 1, ""),
    ] {
        let structure = scanned(mail.as_bytes());
        assert_eq!((structure.entities.len(), codes(&structure).as_str()), (count, findings), "{name}");
        assert_eq!(structure.root().range.end, mail.len() as u64, "{name}");
    }
}

#[test]
fn what_stands_once_is_missed_or_said_twice() {
    for (header, expected) in [
        ("From: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n", ""),
        ("From: x\r\n", ""),
        ("From: x\r\nContent-Type: text/plain\r\n", "MIME-Version is missing"),
        ("From: x\r\nSubject: a\r\nsubject: b\r\n", "two Subject fields"),
        ("From: x\r\nfrom : y\r\n", "two From fields"),
        ("From: x\r\nReceived: a\r\nReceived: b\r\nComments: c\r\nComments: d\r\n", ""),
    ] {
        let structure = scanned(header.as_bytes());
        let found = kakitome_smime::mime::header::once(&structure.root().header);
        let said: Vec<&str> = found.iter().map(|finding| finding.detail.as_str()).collect();
        assert!(
            said.len() == usize::from(!expected.is_empty()) && said.concat().contains(expected),
            "{header}: {said:?}"
        );
    }
}
