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
    let rows: Vec<(&'static str, &str, Vec<u8>, Becomes)> = vec![
        ("plain-without-mime", "Subject: plain\n", b"Hello.\n".to_vec(), signed),
        ("utf-8-8bit", &text("utf-8", "8bit"), "書留のメールです。\nGrüße\n".into(), signed),
        ("iso-2022-jp", &text("iso-2022-jp", "7bit"), JIS.to_vec(), signed),
        ("shift-jis-8bit", &text("shift_jis", "8bit"), SHIFT_JIS.repeat(20), signed),
        ("8bit-without-mime", "Subject: old\n", b"Gr\xfc\xdfe\n".to_vec(), signed),
        ("alternative-8bit", ALTERNATIVE_HEAD, ALTERNATIVE.into(), signed),
        ("nested-with-attachments", NESTED_HEAD, NESTED.into(), signed),
        ("trailing-spaces", "Subject: spaces\n", b"two  \ntab\t\n-- \nAlice\n \n\n".to_vec(), signed),
        ("format-flowed", "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes\n",
            b"a flowed \nparagraph\n>> quoted \n>> text\n".to_vec(), signed),
        ("from-lines", "Subject: from\n", format!("From here\n>From there\nFrom {}\nFrom\n", "x".repeat(90)).into(), signed),
        ("dots", "Subject: dots\n", b".\n..\n.a\n...\n. \nb.\n".to_vec(), signed),
        ("dots-8bit", &text("utf-8", "8bit"), format!(".\n.é{}\n..\n", ".".repeat(200)).into(), signed),
        ("empty-body", "Subject: empty\n", Vec::new(), signed),
        ("empty-lines-only", "Subject: lines\n", b"\n\n\n".to_vec(), signed),
        ("no-newline-at-end", "Subject: end\n", b"Hello, and no end".to_vec(), signed),
        ("no-newline-at-end-8bit", &text("utf-8", "8bit"), "終".into(), signed),
        ("space-at-end-no-newline", "Subject: end\n", b"Hello ".to_vec(), signed),
        ("long-lines", "Subject: long\n", format!("{long}\nshort\n{}\n", "x".repeat(3000)).into(), signed),
        ("line-of-998", "Subject: long\n", format!("{}\n", "x".repeat(998)).into(), signed),
        ("line-of-999", "Subject: long\n", format!("{}\n", "x".repeat(999)).into(), signed),
        ("quoted-printable", &text("utf-8", "quoted-printable"), b"=E6=9B=B8=E7=95=99 =\nand more=20\n=46rom\n".to_vec(), signed),
        ("base64-text", &text("utf-8", "base64"), b"5pu455WZ44Gu44Oh44O844Or44Gn44GZ44CCCg==\n".to_vec(), signed),
        ("html-binary", "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: binary\n",
            format!("<p>{}書留</p>\n", "long ".repeat(400)).into(), signed),
        ("binary-octets", "MIME-Version: 1.0\nContent-Type: application/octet-stream; name=\"a b.bin\"\n\
            Content-Transfer-Encoding: binary\nContent-Disposition: attachment; filename=\"a b.bin\"\n",
            b"\x00\x01\xff\xfe \t\x80 end\n".to_vec(), signed),
        ("no-mime-version", "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n", "<b>é</b>\n".into(), signed),
        ("two-mime-versions", "MIME-Version: 1.0\nSubject: twice\nMime-Version: 1.0\nContent-Type: text/plain\n", b"Hello.\n".to_vec(), signed),
        ("lower-case-and-folded", "subject: a\n folded\n\tsubject\nmime-version: 1.0\ncontent-type: text/plain;\n\tcharset=\"utf-8\";\n name=x\n\
            content-transfer-encoding:\n 8bit\ncontent-language: ja\n", "é\n".into(), signed),
        ("type-with-comment-and-semicolon", "MIME-Version: 1.0 (made by hand)\nContent-Type: text/plain (a comment); charset=us-ascii;\n",
            b"Hello.\n".to_vec(), signed),
        ("encoded-words", "Subject: =?UTF-8?B?5pu455WZ44Gu44Oh44O844Or44Gn44GZ?=\n =?ISO-2022-JP?B?GyRCPXFOMRsoQg==?=\n\
            Reply-To: =?utf-8?q?B=C3=BCro?= <office@example.test>\n", b"Hello.\n".to_vec(), signed),
        ("empty-subject", "Subject: \nX-Empty:\nKeywords: a \n", b"Hello.\n".to_vec(), signed),
        ("many-to", &to, b"Hello.\n".to_vec(), signed),
        ("trace-and-bcc", "Received: from a by b; DATE\nReturn-Path: <x@y.test>\nDKIM-Signature: v=1; a=rsa-sha256;\n d=example.test; bh=x; b=y\n\
            Bcc: hidden@example.net\nSubject: trace\nReferences: <a@b> <c@d>\n", b"Hello.\n".to_vec(), signed),
        ("attached-mail", MIXED_HEAD, mixed("message/rfc822", attached), signed),
        ("attached-signed-mail", MIXED_HEAD, mixed(
            "multipart/signed; boundary=inner; micalg=sha-256;\n protocol=\"application/pkcs7-signature\"",
            "--inner\n\nsigned by another \n\n--inner\nContent-Type: application/pkcs7-signature\n\
            Content-Transfer-Encoding: base64\n\nMAA=\n\n--inner--\n"), signed),
        ("report", "Subject: report\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"=_b\"\n",
            b"--=_b\n\nIt failed.\n\n--=_b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a.test\n\n\
            Final-Recipient: rfc822; b@c.test\nAction: failed\n\n--=_b--\n".to_vec(), signed),
        ("preamble-and-epilogue", MIXED_HEAD, b"A preamble.\n\n--mixed\n\none\n--mixed\nContent-Type: text/plain\n\n\n\
            --mixed--\n\nAn epilogue.\n".to_vec(), signed),
        ("boundary-at-the-end", MIXED_HEAD, b"--mixed\n\none \n--mixed\nContent-Type: text/html\n\n<p>two</p>\n--mixed--".to_vec(), signed),
        ("boundary-with-space", MIXED_HEAD, b"--mixed  \n\none\n--mixed--\t\n".to_vec(), signed),
        ("calendar", MIXED_HEAD, mixed("text/calendar; method=REQUEST; charset=utf-8\nContent-Transfer-Encoding: 8bit",
            "BEGIN:VCALENDAR\nSUMMARY:会議\nEND:VCALENDAR\n"), signed),
        ("unknown-encoding", MIXED_HEAD, mixed("text/plain\nContent-Transfer-Encoding: x-uuencode", "begin 644 a\n#0V%T\n \nend\n"), signed),
        // what cannot be made safe without changing what is somebody else's
        ("attached-mail-8bit", MIXED_HEAD, mixed("message/rfc822", "Subject: x\nContent-Type: text/plain; charset=utf-8\n\né\n"),
            Becomes::Unsigned("must not be changed")),
        ("base64-in-one-line", &text("utf-8", "base64"), format!("{}\n", "QUJD".repeat(400)).into(), Becomes::Unsigned("must not be changed")),
        ("raw-8bit-subject", "Subject: Grüße\n", b"Hello.\n".to_vec(), Becomes::Unsigned("8-bit")),
        ("header-line-over-998", &format!("X-Long: {}\n", "x".repeat(1000)), b"Hello.\n".to_vec(), Becomes::Unsigned("overlong")),
        ("two-content-types", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Type: text/html\n", b"Hello.\n".to_vec(),
            Becomes::Unsigned("two ways")),
        ("unclosed-multipart", MIXED_HEAD, b"--mixed\n\none\n".to_vec(), Becomes::Unsigned("two ways")),
        ("encrypted-already", "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\
            Content-Transfer-Encoding: base64\n", b"MAA=\n".to_vec(), Becomes::Unsigned("already")),
        ("pgp-signed-already", "MIME-Version: 1.0\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=p\n",
            b"--p\n\nx\n--p--\n".to_vec(), Becomes::Unsigned("already")),
    ];
    let mut mails: Vec<Mail> = rows
        .into_iter()
        .map(|(name, header, body, becomes)| {
            let mail = [format!("{HEAD}{header}\n").replace("DATE", date).as_bytes(), &body].concat();
            Mail { name, bytes: crlf(&mail), becomes }
        })
        .collect();
    // the shapes that are about line ends themselves
    let head = HEAD.replace("DATE", date);
    let raw: [(&'static str, Vec<u8>); 6] = [
        ("bare-lf", format!("{head}Subject: lf\n\none\ntwo \n").into()),
        ("bare-lf-multipart", format!("{head}{ALTERNATIVE_HEAD}\n{ALTERNATIVE}").into()),
        ("mixed-line-ends", format!("{}one\r\ntwo\nthree\r\n", format!("{head}\n").replace('\n', "\r\n")).into()),
        ("bare-cr", format!("{}one\rtwo\r\n", format!("{head}\n").replace('\n', "\r\n")).into()),
        ("no-empty-line", head.replace('\n', "\r\n").into()),
        ("mbox-separator", format!("From alice Sun Nov 22 00:00:00 2026\n{head}\nHello.\n").replace('\n', "\r\n").into()),
    ];
    mails.extend(raw.map(|(name, bytes)| Mail { name, bytes, becomes: signed }));
    mails
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
