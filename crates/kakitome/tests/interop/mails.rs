//! The shapes of mail that are signed: a row for each.

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    Signed,
    /// It passes unsigned, with this in the reason.
    Unsigned(&'static str),
}

pub(crate) struct Mail {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) becomes: Becomes,
}

/// The header that every mail here has; `DATE` is put in at the run.
const HEAD: &str = "From: Alice <alice@example.test>\nTo: bob@example.net\nMessage-ID: <1@client.test>\nDate: DATE\n";

/// ISO-2022-JP: 書留 between its escapes.
const JIS: &[u8] = b"\x1b$B=qN1\x1b(B is registered mail.\n";
/// 書留のメールです。 in Shift_JIS.
const SHIFT_JIS: &[u8] = b"\x8f\x91\x97\xaf\x82\xcc\x83\x81\x81[\x83\x8b\x82\xc5\x82\xb7\x81B\n";

/// The rows. `date` is the Date of all of them.
pub(crate) fn mails(date: &str) -> Vec<Mail> {
    let signed = Becomes::Signed;
    let long = "word ".repeat(500);
    let to: String = (0..60).map(|n| format!("Reader {n} <reader{n}@example.net>,\n\t")).collect();
    let to = format!("Cc: {to}last@example.net\nSubject: many\n");
    let attached = "From: c@example.org\nSubject: inner\n\nThe inner mail.\n";
    let rows = [
        row("plain-without-mime", "Subject: plain\n", b"Hello.\n", signed),
        row("utf-8-8bit", text("utf-8", "8bit"), "書留のメールです。\nGrüße\n", signed),
        row("iso-2022-jp", text("iso-2022-jp", "7bit"), JIS, signed),
        row("shift-jis-8bit", text("shift_jis", "8bit"), SHIFT_JIS.repeat(20), signed),
        row("8bit-without-mime", "Subject: old\n", b"Gr\xfc\xdfe\n", signed),
        row("alternative-8bit", ALTERNATIVE_HEAD, ALTERNATIVE, signed),
        row("nested-with-attachments", NESTED_HEAD, NESTED, signed),
        row("trailing-spaces", "Subject: spaces\n", b"two  \ntab\t\n-- \nAlice\n \n\n", signed),
        row(
            "format-flowed",
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes\n",
            b"a flowed \nparagraph\n>> quoted \n>> text\n",
            signed,
        ),
        row(
            "from-lines",
            "Subject: from\n",
            format!("From here\n>From there\nFrom {}\nFrom\n", "x".repeat(90)),
            signed,
        ),
        row("dots", "Subject: dots\n", b".\n..\n.a\n...\n. \nb.\n", signed),
        row("dots-8bit", text("utf-8", "8bit"), format!(".\n.é{}\n..\n", ".".repeat(200)), signed),
        row("empty-body", "Subject: empty\n", Vec::new(), signed),
        row("empty-lines-only", "Subject: lines\n", b"\n\n\n", signed),
        row("no-newline-at-end", "Subject: end\n", b"Hello, and no end", signed),
        row("no-newline-at-end-8bit", text("utf-8", "8bit"), "終", signed),
        row("space-at-end-no-newline", "Subject: end\n", b"Hello ", signed),
        row("long-lines", "Subject: long\n", format!("{long}\nshort\n{}\n", "x".repeat(3000)), signed),
        row("line-of-998", "Subject: long\n", format!("{}\n", "x".repeat(998)), signed),
        row("line-of-999", "Subject: long\n", format!("{}\n", "x".repeat(999)), signed),
        row(
            "quoted-printable",
            text("utf-8", "quoted-printable"),
            b"=E6=9B=B8=E7=95=99 =\nand more=20\n=46rom\n",
            signed,
        ),
        row("base64-text", text("utf-8", "base64"), b"5pu455WZ44Gu44Oh44O844Or44Gn44GZ44CCCg==\n", signed),
        row(
            "html-binary",
            "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: binary\n",
            format!("<p>{}書留</p>\n", "long ".repeat(400)),
            signed,
        ),
        row(
            "binary-octets",
            "MIME-Version: 1.0\nContent-Type: application/octet-stream; name=\"a b.bin\"\n\
            Content-Transfer-Encoding: binary\nContent-Disposition: attachment; filename=\"a b.bin\"\n",
            b"\x00\x01\xff\xfe \t\x80 end\n",
            signed,
        ),
        row(
            "no-mime-version",
            "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n",
            "<b>é</b>\n",
            signed,
        ),
        row(
            "two-mime-versions",
            "MIME-Version: 1.0\nSubject: twice\nMime-Version: 1.0\nContent-Type: text/plain\n",
            b"Hello.\n",
            signed,
        ),
        row(
            "lower-case-and-folded",
            "subject: a\n folded\n\tsubject\nmime-version: 1.0\ncontent-type: text/plain;\n\tcharset=\"utf-8\";\n name=x\n\
            content-transfer-encoding:\n 8bit\ncontent-language: ja\n",
            "é\n",
            signed,
        ),
        row(
            "type-with-comment-and-semicolon",
            "MIME-Version: 1.0 (made by hand)\nContent-Type: text/plain (a comment); charset=us-ascii;\n",
            b"Hello.\n",
            signed,
        ),
        row(
            "encoded-words",
            "Subject: =?UTF-8?B?5pu455WZ44Gu44Oh44O844Or44Gn44GZ?=\n =?ISO-2022-JP?B?GyRCPXFOMRsoQg==?=\n\
            Reply-To: =?utf-8?q?B=C3=BCro?= <office@example.test>\n",
            b"Hello.\n",
            signed,
        ),
        row("empty-subject", "Subject: \nX-Empty:\nKeywords: a \n", b"Hello.\n", signed),
        row("many-to", to, b"Hello.\n", signed),
        row(
            "trace-and-bcc",
            "Received: from a by b; DATE\nReturn-Path: <x@y.test>\nDKIM-Signature: v=1; a=rsa-sha256;\n d=example.test; bh=x; b=y\n\
            Bcc: hidden@example.net\nSubject: trace\nReferences: <a@b> <c@d>\n",
            b"Hello.\n",
            signed,
        ),
        row("attached-mail", MIXED_HEAD, mixed("message/rfc822", attached), signed),
        row(
            "attached-signed-mail",
            MIXED_HEAD,
            mixed(
                "multipart/signed; boundary=inner; micalg=sha-256;\n protocol=\"application/pkcs7-signature\"",
                "--inner\n\nsigned by another \n\n--inner\nContent-Type: application/pkcs7-signature\n\
            Content-Transfer-Encoding: base64\n\nMAA=\n\n--inner--\n",
            ),
            signed,
        ),
        row(
            "report",
            "Subject: report\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"=_b\"\n",
            b"--=_b\n\nIt failed.\n\n--=_b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a.test\n\n\
            Final-Recipient: rfc822; b@c.test\nAction: failed\n\n--=_b--\n",
            signed,
        ),
        row(
            "preamble-and-epilogue",
            MIXED_HEAD,
            b"A preamble.\n\n--mixed\n\none\n--mixed\nContent-Type: text/plain\n\n\n\
            --mixed--\n\nAn epilogue.\n",
            signed,
        ),
        row(
            "boundary-at-the-end",
            MIXED_HEAD,
            b"--mixed\n\none \n--mixed\nContent-Type: text/html\n\n<p>two</p>\n--mixed--",
            signed,
        ),
        row("boundary-with-space", MIXED_HEAD, b"--mixed  \n\none\n--mixed--\t\n", signed),
        row(
            "calendar",
            MIXED_HEAD,
            mixed(
                "text/calendar; method=REQUEST; charset=utf-8\nContent-Transfer-Encoding: 8bit",
                "BEGIN:VCALENDAR\nSUMMARY:会議\nEND:VCALENDAR\n",
            ),
            signed,
        ),
        row(
            "unknown-encoding",
            MIXED_HEAD,
            mixed("text/plain\nContent-Transfer-Encoding: x-uuencode", "begin 644 a\n#0V%T\n \nend\n"),
            signed,
        ),
        // a part that ends inside its header: some programs read the boundary as a line of it
        row(
            "part-without-body",
            MIXED_HEAD,
            "--mixed\nContent-Type: text/plain\n--mixed\n\ntwo \n--mixed--\n",
            Becomes::Unsigned("mime.boundary"),
        ),
        row(
            "mislabelled-part",
            MIXED_HEAD,
            mixed("text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit", "書留\n"),
            signed,
        ),
        row(
            "attached-patch-8bit",
            MIXED_HEAD,
            mixed(
                "text/x-patch; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\
            Content-Disposition: attachment; filename=a.patch",
                "-é \n+è\n \nFrom x\n",
            ),
            signed,
        ),
        row(
            "digest",
            "Subject: digest\nMIME-Version: 1.0\nContent-Type: multipart/digest; boundary=mixed\n",
            "--mixed\n\nFrom: a@b.test\nSubject: one\n\nFirst.\n--mixed\n\nSubject: two\n\nSecond.\n--mixed--\n",
            signed,
        ),
        // a line of blanks: some programs end the header there
        row(
            "type-that-ends-in-a-fold",
            "MIME-Version: 1.0\nContent-Type: text/plain;\n\tcharset=us-ascii;\n \nX-A: b\n",
            "Hello.\n",
            Becomes::Unsigned("mime.header"),
        ),
        row("unknown-encoding-of-the-root", text("us-ascii", "x-none"), "Hello.\n", signed),
        // what cannot be made safe without changing what is somebody else's
        row(
            "attached-mail-8bit",
            MIXED_HEAD,
            mixed("message/rfc822", "Subject: x\nContent-Type: text/plain; charset=utf-8\n\né\n"),
            Becomes::Unsigned("must not be changed"),
        ),
        row(
            "base64-in-one-line",
            text("utf-8", "base64"),
            format!("{}\n", "QUJD".repeat(400)),
            Becomes::Unsigned("must not be changed"),
        ),
        row("raw-8bit-subject", "Subject: Grüße\n", b"Hello.\n", Becomes::Unsigned("8-bit")),
        row(
            "header-line-over-998",
            format!("X-Long: {}\n", "x".repeat(1000)),
            b"Hello.\n",
            Becomes::Unsigned("overlong"),
        ),
        row(
            "two-content-types",
            "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Type: text/html\n",
            b"Hello.\n",
            Becomes::Unsigned("two ways"),
        ),
        row("unclosed-multipart", MIXED_HEAD, b"--mixed\n\none\n", Becomes::Unsigned("two ways")),
        row("epilogue-8bit", MIXED_HEAD, "--mixed\n\none\n--mixed--\né\n", Becomes::Unsigned("around the parts")),
        row("unknown-encoding-8bit", text("utf-8", "x-none"), "é\n", Becomes::Unsigned("must not be changed")),
        row("cr-in-header", "Subject: a\rb\n", "Hello.\n", Becomes::Unsigned("")),
        row("nul-in-header", "Subject: a\0b\n", "Hello.\n", Becomes::Unsigned("")),
        row("empty-type", "MIME-Version: 1.0\nContent-Type:\n", "Hello.\n", Becomes::Unsigned("two ways")),
        row(
            "type-without-subtype",
            "MIME-Version: 1.0\nContent-Type: text\n",
            "Hello.\n",
            Becomes::Unsigned("two ways"),
        ),
        row(
            "part-header-with-cr",
            MIXED_HEAD,
            mixed("text/plain\nContent-Description: a\rb", "x\n"),
            Becomes::Unsigned(""),
        ),
        row(
            "encrypted-already",
            "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\
            Content-Transfer-Encoding: base64\n",
            b"MAA=\n",
            Becomes::Unsigned("already"),
        ),
        row(
            "pgp-signed-already",
            "MIME-Version: 1.0\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=p\n",
            b"--p\n\nx\n--p--\n",
            Becomes::Unsigned("already"),
        ),
    ];
    let mut mails: Vec<Mail> = rows
        .into_iter()
        .map(|Row { name, header, body, becomes }| {
            let mail = [format!("{HEAD}{header}\n").replace("DATE", date).as_bytes(), &body].concat();
            Mail { name, bytes: crlf(&mail), becomes }
        })
        .collect();
    // the shapes that are about line ends themselves
    let head = HEAD.replace("DATE", date);
    let head_crlf = head.replace('\n', "\r\n");
    let binary = |kind| {
        format!("{head_crlf}MIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n\r\n")
    };
    let raw: [(&'static str, Vec<u8>); 8] = [
        ("bare-lf", format!("{head}Subject: lf\n\none\ntwo \n").into()),
        ("bare-lf-multipart", format!("{head}{ALTERNATIVE_HEAD}\n{ALTERNATIVE}").into()),
        ("mixed-line-ends", format!("{head_crlf}\r\none\r\ntwo\nthree\r\n").into()),
        ("bare-cr", format!("{head_crlf}\r\none\rtwo\r\n").into()),
        ("no-empty-line", head_crlf.clone().into()),
        ("mbox-separator", format!("From alice Sun Nov 22 00:00:00 2026\r\n{head_crlf}\r\nHello.\r\n").into()),
        // octets that are no lines: their LF are their own
        ("utf-16-binary", [binary("text/plain; charset=utf-16le").as_bytes(), b"a\0\r\0\n\0b\0\r\0\n\0"].concat()),
        ("script-binary", [binary("application/x-sh").as_bytes(), b"#!/bin/sh\ndate\n"].concat()),
    ];
    mails.extend(raw.map(|(name, bytes)| Mail { name, bytes, becomes: signed }));
    mails
}

struct Row {
    name: &'static str,
    header: String,
    body: Vec<u8>,
    becomes: Becomes,
}

fn row(name: &'static str, header: impl Into<String>, body: impl AsRef<[u8]>, becomes: Becomes) -> Row {
    Row { name, header: header.into(), body: body.as_ref().to_vec(), becomes }
}

fn crlf(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in mail {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

fn text(charset: &str, encoding: &str) -> String {
    format!(
        "Subject: text\nMIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\n\
         Content-Transfer-Encoding: {encoding}\n"
    )
}

const MIXED_HEAD: &str = "Subject: mixed\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=mixed\n";

fn mixed(content_type: &str, body: &str) -> Vec<u8> {
    format!("--mixed\n\nSee below.\n\n--mixed\nContent-Type: {content_type}\n\n{body}\n--mixed--\n").into()
}

const ALTERNATIVE_HEAD: &str = "Subject: alternative\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\
    Content-Type: multipart/alternative; boundary=\"a/b c:d\"\n";
const ALTERNATIVE: &str = "--a/b c:d\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
    書留 \nFrom me\n--a/b c:d\nContent-Transfer-Encoding: 8bit\nContent-Type: text/html; charset=utf-8\n\n<p>書留</p>\n\
    --a/b c:d--\n";

const NESTED_HEAD: &str = "Subject: nested\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=outer\n";
const NESTED: &str = "This is MIME.\n--outer\nContent-Type: multipart/related; boundary=related\n\n\
    --related\nContent-Type: multipart/alternative; boundary=choice\n\n\
    --choice\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=E6=9B=B8\n\
    --choice\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<img src=\"cid:i\"> 書\n\
    --choice--\n\
    --related\nContent-Type: image/png\nContent-ID: <i>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\
    --related--\n\n\
    --outer\nContent-Type: application/pdf; name=\"=?UTF-8?B?5pu4LnBkZg==?=\"\nContent-Transfer-Encoding: base64\n\
    Content-Disposition: attachment;\n filename*=UTF-8''%E6%9B%B8.pdf\n\nJVBERi0xLjQKJcOkw7zDtsOfCg==\n\
    --outer--\n";
