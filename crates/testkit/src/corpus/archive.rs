//! G12 to G20: files with a password, which are no encrypted mail; each beside one without.

use crate::archive::{ZipEntry, compound, pdf, rar_new, rar_old, seven, zip, zip_crypto};
use crate::mail::{Mail, base64};
use crate::{Holder, Pki};

use super::Row;

/// A mail with this attachment.
fn mail(from: &Holder, name: &str, file: &[u8]) -> Mail {
    let head = format!(
        "Content-Type: application/octet-stream; name=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\
         \r\n"
    );
    let text = "Content-Type: multipart/mixed; boundary=\"payload\"\r\n\r\n--payload\r\n\
        Content-Type: text/plain\r\n\r\nThe password follows.\r\n--payload\r\n";
    let part = [text.as_bytes(), head.as_bytes(), &base64(file), b"--payload--\r\n"].concat();
    Mail::of(from).part(part)
}

pub(crate) fn rows() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let unsigned =
        |id, name: &str, file: &[u8]| Row::new(id, mail(bank, name, file).plain(), "NOT_SIGNED", "mime.none");
    let closed = |id, name: &str, file: &[u8], code| unsigned(id, name, file).sealed("password-zip").note(code);
    let entry = || ZipEntry::new("a.txt", b"0123456789abcdefgh");
    let inside = |file: &[u8]| zip(b"", &[ZipEntry::new("b.zip", file).deflated()]);
    let program = [b"MZ".to_vec(), vec![0; 3_000]].concat();
    let office = compound(&[("EncryptionInfo", b"\x04", false), ("EncryptedPackage", b"", true)]);
    let word = |flags: &[u8]| compound(&[("WordDocument", &[&[0; 10], flags].concat(), true)]);
    // The owner's password alone: it opens without one.
    let owner = pdf("/Encrypt 2 0 R /P -1", false);
    vec![
        closed("G12", "a.zip", &zip_crypto(), "ppap.zip"),
        // What is signed is signed all the same.
        Row::new("G12s", mail(bank, "a.zip", &zip_crypto()).clear_by(bank), "ORG_CONFIRMED", "ok")
            .sealed("password-zip")
            .note("ppap.zip"),
        closed("G13", "a.zip", &zip(b"", &[entry().aes()]), "ppap.zip-aes"),
        closed("G14", "a.zip", &zip(b"", &[entry().flags(0x2041, 0x2041)]), "ppap.zip-strong"),
        closed("G14b", "a.zip", &zip(b"", &[entry().flags(0x41, 0x41)]), "ppap.zip-strong"),
        closed("G15", "a.7z", &seven(true, true), "ppap.archive"),
        closed("G15r", "a.rar", &rar_new(true, false), "ppap.archive"),
        closed("G15f", "a.rar", &rar_old(0, 4), "ppap.archive"),
        unsigned("G15n", "a.7z", &seven(false, false)),
        unsigned("G15m", "a.rar", &rar_new(false, false)),
        closed("G16", "a.xlsx", &office, "ppap.office"),
        closed("G16w", "a.doc", &word(&[0, 1]), "ppap.office"),
        unsigned("G16n", "a.doc", &word(&[0, 0])),
        closed("G17", "a.pdf", &pdf("/Encrypt 2 0 R", true), "ppap.pdf"),
        unsigned("G17o", "a.pdf", &owner),
        unsigned("G17c", "a.pdf", &pdf("/Encrypt << /Filter /Adobe.PubSec >>", false)),
        unsigned("G17n", "a.pdf", &pdf("", true)),
        unsigned("G18", "a.zip", &zip(b"", &[entry()])),
        unsigned("G18d", "a.zip", &zip(b"", &[ZipEntry::new("a/", b"")])),
        closed("G18z", "a.zip", &inside(&zip_crypto()), "ppap.nested"),
        unsigned("G18n", "a.zip", &inside(&zip(b"", &[entry()]))),
        closed("G19", "a.zi_", &zip_crypto(), "ppap.disguise"),
        closed("G19t", "a.txt", &zip_crypto(), "ppap.disguise"),
        closed("G19x", "a.exe", &zip(&program, &[entry().flags(1, 1)]), "ppap.disguise"),
        closed("G19a", "a.atc", b"\x00\x02\x00\x00_AttacheCaseData\x00", "ppap.archive"),
        unsigned("G19n", "a.zip", b"The name alone.\r\n"),
    ]
}
