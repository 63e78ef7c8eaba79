//! K: files that people hand over instead of a mail, each with the code that tells what it is; and mails that look a
//! little like one of them and are none.

use super::Row;
use crate::Pki;
use crate::mail::{self, Mail};

/// Old documents and Outlook's items are compound files (MS-CFB): a header, then the directory in sector 0.
fn compound(class: [u8; 16], stream: &str) -> Vec<u8> {
    let mut file = vec![0; 512 + 512];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    file[24..34].copy_from_slice(b"\x3e\0\x03\0\xfe\xff\x09\0\x06\0");
    for (at, name) in [(512, "Root Entry"), (640, stream)] {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        file[at..at + name.len()].copy_from_slice(&name);
    }
    file[592..608].copy_from_slice(&class);
    file
}

const MESSAGE: [u8; 16] = *b"\x0b\x0d\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
const TEMPLATE: [u8; 16] = *b"\x46\xf0\x06\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
const WORD: [u8; 16] = *b"\x06\x09\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

/// A file that begins so, with some octets of anything behind it.
fn file(begin: &[u8]) -> Vec<u8> {
    [begin, &[7; 600]].concat()
}

/// A ZIP whose first entry has this name and content, as far as it is looked at.
fn zip(name: &str, content: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    let begin = [&b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], &[length, 0, 0, 0]].concat();
    file(&[&begin, name.as_bytes(), content.as_bytes()].concat())
}

pub(super) fn rows() -> Vec<Row> {
    let base = Mail::of(&Pki::get().bank);
    let clear = base.clear_by(&Pki::get().bank);
    let not = |id, file: Vec<u8>, code| Row::new(id, file, "NOT_A_MAIL", code);
    let text = |id, text: &str, code| not(id, text.as_bytes().to_vec(), code);
    let utf_16: Vec<u8> =
        [0xfeff].into_iter().chain("From: a@b.example".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let emlx = [format!("{:<10}\n", clear.len()).as_bytes(), &clear, b"<?xml version=\"1.0\"?>\n<plist/>\n"].concat();
    vec![
        not("K01", compound(MESSAGE, "__nameid_version1.0"), "in.msg"),
        not("K01c", compound([0; 16], "__properties_version1.0"), "in.msg"),
        not("K02", compound(TEMPLATE, "__nameid_version1.0"), "in.oft"),
        not("K03", file(b"!BDN\x11\x22\x33\x44SM\x17\0"), "in.pst"),
        not("K03o", file(b"!BDN\x11\x22\x33\x44SO\x17\0"), "in.pst"),
        not("K04", file(b"\x78\x9f\x3e\x22\x01\0"), "in.tnef"),
        text(
            "K05",
            "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://mail.example/\r\nSubject: x\r\n\
             Date: Tue, 1 Dec 2026 00:00:00 -0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\t\
             type=\"text/html\";\r\n\tboundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n",
            "in.mht",
        ),
        text(
            "K05w",
            "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"b\"\r\n\r\nThis document is a Single \
             File Web Page.\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n",
            "in.mht",
        ),
        text("K06", "\u{feff}\r\n<HTML><head><title>From: a@b.example</title>", "in.html"),
        text("K06d", "<!doctype html>\n<p>Subject: x", "in.html"),
        text("K07", "%PDF-1.7\n%\u{e2}\u{e3}\n", "in.pdf"),
        not("K08", file(b"\x89PNG\r\n\x1a\n"), "in.picture"),
        not("K08j", file(b"\xff\xd8\xff\xe0\0\x10JFIF"), "in.picture"),
        not("K08g", file(b"GIF89a"), "in.picture"),
        not("K08w", file(b"RIFF\x10\0\0\0WEBPVP8 "), "in.picture"),
        not("K08h", file(b"\0\0\0\x18ftypheic"), "in.picture"),
        not("K08b", file(b"BM\x36\x10\0\0\0\0\0\0\x36"), "in.picture"),
        not("K09", compound(WORD, "WordDocument"), "in.document"),
        not("K09x", compound([0; 16], "EncryptedPackage"), "in.document"),
        not("K09z", zip("[Content_Types].xml", "<?xml"), "in.document"),
        not("K09o", zip("mimetype", "application/vnd.oasis.opendocument.text"), "in.document"),
        text("K09r", "{\\rtf1\\ansi From: a@b.example}", "in.document"),
        not("K10", zip("mail.eml", "From: a@b.example"), "in.archive"),
        not("K10e", file(b"PK\x05\x06"), "in.archive"),
        not("K10s", file(b"7z\xbc\xaf\x27\x1c\0\x04"), "in.archive"),
        not("K10r", file(b"Rar!\x1a\x07\x01\0"), "in.archive"),
        not("K11", file(b"\x1f\x8b\x08\0"), "in.compressed"),
        not("K11b", file(b"BZh91AY&SY"), "in.compressed"),
        not("K11x", file(b"\xfd7zXZ\0"), "in.compressed"),
        not("K11z", file(b"\x28\xb5\x2f\xfd"), "in.compressed"),
        not("K12", emlx, "in.emlx"),
        not("K13", utf_16, "in.text"),
        text("K13j", "差出人: 例示銀行 <info@bank.example>\r\n送信日時: 2026年12月1日\r\n\r\n本文\r\n", "in.text"),
        not("K13s", b"\x8d\xb7\x8fo\x90l:\tinfo@bank.example\r\n\r\nx\r\n".to_vec(), "in.text"),
        text("K13e", "From:\tBank <info@bank.example>\r\nSent:\tTuesday\r\nTo:\tx\r\n\r\nHello\r\n", "in.text"),
        text("K14", "<?xml version=\"1.0\"?>\n<a/>", "in.not-mail"),
        // mails, though something in them is as in the files above
        Row::new("K50", base.clone().after("Sent", "Tuesday").clear_by(&Pki::get().bank), "ORG_CONFIRMED", "ok"),
        Row::new("K51", base.clone().part(mail::text("差出人: x")).plain(), "NOT_SIGNED", "mime.none"),
        Row::new(
            "K52",
            b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
              --b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n"
                .to_vec(),
            "NOT_SIGNED",
            "mime.none",
        ),
        Row::new("K53", b"BM: x\r\nFrom: a@b.example\r\n\r\nx\r\n".to_vec(), "NOT_SIGNED", "mime.none"),
        Row::new("K54", b"2026: x\r\nFrom: a@b.example\r\n\r\nx\r\n".to_vec(), "NOT_SIGNED", "mime.none"),
        Row::new(
            "K55",
            b"Subject: PK\x03\x04\r\nFrom: a@b.example\r\n\r\n%PDF-\r\n".to_vec(),
            "NOT_SIGNED",
            "mime.none",
        ),
    ]
}
