//! Legacy Display Elements: put in where a part can take them, and taken out only where the mail was encrypted.

use kakitome_smime::message::protect::{Cipher, Cover, Form, Policy, display};
use kakitome_smime::message::sign;
use kakitome_smime::mime::charset::Charset;
use kakitome_smime::mime::scan::scan;
use kakitome_testkit::Pki;

use crate::{Payload, decoded, signed};

const FROM: &str = "From: info@bank.example\r\nMIME-Version: 1.0\r\n";
/// 「月例報告」
const SUBJECT: &str = "Subject: =?utf-8?B?5pyI5L6L5aCx5ZGK?=\r\n";

fn added(mail: &[u8]) -> Option<Vec<u8>> {
    let mail = mail.to_vec();
    let structure = scan(&mail, 0..mail.len() as u64).unwrap();
    let mut out = Vec::new();
    display::add(&mail, &structure, Policy::Baseline, &mut out).unwrap().then_some(out)
}

#[test]
fn the_lines_stand_in_the_charset_of_the_part() {
    let text = "月例報告";
    let jis = encoding_rs_bytes("ISO-2022-JP", b"\x1b$B7nNc\x1b(B\r\n");
    for (name, part, charset, body) in [
        ("UTF-8", "Content-Type: text/plain; charset=utf-8\r\n\r\nあ\r\n".as_bytes().to_vec(), "utf-8", "あ\r\n"),
        ("no fold at the end", "Content-Type: text/plain; charset=utf-8;\r\n\r\nx\r\n".into(), "utf-8", "x\r\n"),
        ("line feeds", "Content-Type: text/plain; charset=utf-8\n\nx\ny\n".into(), "utf-8", "x\r\ny\r\n"),
        ("ASCII becomes UTF-8", "Content-Type: text/plain; format=flowed; charset=\"us-ascii\"\r\n\r\nx\r\n".into(), "utf-8", "x\r\n"),
        ("ISO-2022-JP", [b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n".as_slice(), &jis].concat(), "iso-2022-jp", "月例\r\n"),
        ("Shift_JIS", b"Content-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x8c\x8e\r\n".to_vec(), "shift_jis", "月\r\n"),
        ("base64", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n44GCDQo=\r\n".into(), "utf-8", "あ\r\n"),
        ("quoted-printable", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E3=81=82=\r\nx\r\n".into(), "utf-8", "あx\r\n"),
    ] {
        let mail = [FROM.as_bytes(), SUBJECT.as_bytes(), &part].concat();
        let with = added(&mail).unwrap_or_else(|| panic!("{name}: not added"));
        let cover = Cover::Cipher(Cipher::default());
        let payload = Payload::of(&signed(&with, cover, sign::Form::Opaque, &Pki::get().bank));
        let protected = payload.read(true).protected.unwrap();
        let carried = display::carried(&payload.structure, 0, &protected, true);
        assert_eq!(carried, [(0, display::Kind::Text)], "{name}: {}", payload.text());
        let content_type = &payload.structure.root().content_type;
        assert_eq!(content_type.parameter("charset").unwrap().to_lowercase(), charset, "{name}");
        let octets = decoded(&payload.octets, &payload.structure, 0);
        let shown = Charset::for_label(charset).unwrap().decode(&octets);
        assert!(shown.clean && shown.text.starts_with(&format!("Subject: {text}\r\n\r\n")), "{name}: {shown:?}");
        assert_eq!(display::without_lines(&shown.text), body, "{name}");
        // Not believed where nothing was encrypted, or by a payload that protects nothing.
        assert_eq!(display::carried(&payload.structure, 0, &protected, false), []);
    }
}

fn encoding_rs_bytes(label: &str, octets: &[u8]) -> Vec<u8> {
    assert!(Charset::for_label(label).unwrap().decode(octets).clean);
    octets.to_vec()
}

#[test]
fn a_part_that_cannot_take_them_is_left_as_it_is() {
    for (name, fields, part) in [
        ("nothing is hidden", "", "Content-Type: text/plain; charset=utf-8\r\n\r\nx\r\n"),
        ("no charset", SUBJECT, "\r\nx\r\n"),
        ("a charset that nobody knows", SUBJECT, "Content-Type: text/plain; charset=x-none\r\n\r\nx\r\n"),
        ("a charset that cannot say it", SUBJECT, "Content-Type: text/plain; charset=koi8-r\r\n\r\nx\r\n"),
        ("marked already", SUBJECT, "Content-Type: text/plain; charset=utf-8; hp-legacy-display=1\r\n\r\nx\r\n"),
        ("no text", SUBJECT, "Content-Type: image/png\r\n\r\nx\r\n"),
        (
            "an attachment",
            SUBJECT,
            "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment\r\n\r\nx\r\n",
        ),
        (
            "an encoding that nobody knows",
            SUBJECT,
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: x\r\n\r\nx\r\n",
        ),
        ("other text", SUBJECT, "Content-Type: text/calendar; charset=utf-8\r\n\r\nx\r\n"),
    ] {
        assert_eq!(added(format!("{FROM}{fields}{part}").as_bytes()), None, "{name}");
    }
}

#[test]
fn an_attached_text_stays_and_the_rest_of_the_mail_is_the_same() {
    let part = |kind: &str, body: &str| format!("--a\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{body}\r\n");
    let mail = format!(
        "{FROM}{SUBJECT}Content-Type: multipart/mixed; boundary=a\r\n\r\ntop\r\n{}{}--a--\r\nend\r\n",
        part("text/html", "<!DOCTYPE html>\r\n<html><head></head><body class='<'>\r\n<p>x</p></body></html>"),
        part("text/plain", "attached")
    );
    let with = String::from_utf8(added(mail.as_bytes()).unwrap()).unwrap();
    let structure = scan(&with.clone().into_bytes(), 0..with.len() as u64).unwrap();
    assert_eq!(structure.root().parts.len(), 2);
    assert!(with.starts_with(&mail[..mail.find("--a\r\n").unwrap()]));
    assert!(with.ends_with(&mail[mail.rfind("\r\n--a\r\nContent-Type: text/plain").unwrap()..]), "{with}");
    let html = String::from_utf8(decoded(with.as_bytes(), &structure, 1)).unwrap();
    assert!(
        html.contains(
            "<body class='<'><div class=\"header-protection-legacy-display\">\r\n<pre>Subject: 月例報告</pre></div>"
        ),
        "{html}"
    );
    assert_eq!(
        display::without_divisions(&html).replace("'>\r\n\r\n", "'>\r\n"),
        "<!DOCTYPE html>\r\n<html><head></head><body class='<'>\r\n<p>x</p></body></html>"
    );
}

#[test]
fn a_subject_is_no_html_and_no_empty_line() {
    // RFC 9788 §10.3.
    let subject = "Subject: =?utf-8?Q?a=0D=0A=0D=0A=22b'?=</div>&c\r\n";
    let mail = format!("{FROM}{subject}Content-Type: text/html; charset=utf-8\r\n\r\n<body>x</body>\r\n");
    let with = added(mail.as_bytes()).unwrap();
    let structure = scan(&with, 0..with.len() as u64).unwrap();
    let html = String::from_utf8(decoded(&with, &structure, 0)).unwrap();
    assert!(html.contains("<pre>Subject: a &quot;b&apos;&lt;/div&gt;&amp;c</pre></div>"), "{html}");
    assert_eq!(display::without_divisions(&html), "<body>\r\nx</body>\r\n");
    let mail = format!("{FROM}{subject}Content-Type: text/plain; charset=utf-8\r\n\r\nx\r\n");
    let with = added(mail.as_bytes()).unwrap();
    let structure = scan(&with, 0..with.len() as u64).unwrap();
    let text = String::from_utf8(decoded(&with, &structure, 0)).unwrap();
    assert_eq!(display::without_lines(&text), "x\r\n");
}

#[test]
fn the_part_of_a_draft_is_left_out_whole() {
    let mail = "From: info@bank.example\r\nSubject: ...\r\nMIME-Version: 1.0\r\n\r\n";
    let content = "Content-Type: multipart/mixed; boundary=a; protected-headers=\"v1\"\r\nSubject: x\r\n\r\n\
        --a\r\nContent-Type: text/plain; protected-headers=\"v1\"\r\n\r\nSubject: x\r\n\r\n--a\r\n\r\nhello\r\n--a--\r\n";
    let outer = scan(&mail.as_bytes().to_vec(), 0..mail.len() as u64).unwrap();
    let octets = content.as_bytes().to_vec();
    let structure = scan(&octets, 0..octets.len() as u64).unwrap();
    let payload = Payload { outer, octets, structure, root: 0 };
    let protected = payload.read(true).protected.unwrap();
    assert_eq!(protected.form, Form::Draft);
    assert_eq!(display::carried(&payload.structure, 0, &protected, true), [(1, display::Kind::Part)]);
    assert_eq!(display::carried(&payload.structure, 0, &protected, false), []);
}
