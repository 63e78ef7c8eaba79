//! Rows about header protection: the forms of it, and claims of it that nothing stands behind.

use crate::envelope::Takes;
use crate::mail::{Mail, base64, mixed, replaced, text, unbase64};
use crate::recipient::Pieces;
use crate::{FixedRandom, Holder, NOW, Pki, sign as signed};
use kakitome_pki::algorithm::{Cipher, KeyTransport};
use kakitome_smime::cms::enveloped::Envelope;
use kakitome_smime::cms::recipient::{Naming, Recipient};
use kakitome_smime::cms::write::Signer;
use kakitome_smime::message::protect::{self, Cover};
use kakitome_smime::message::{encrypt, sign};

use super::{Row, reader};

const BANK: &str = "info@bank.example";

/// The base mail under this Content-Type, its fields inside as they are now, and more of them.
fn inside(mail: &Mail, content_type: &str, more: &str) -> Mail {
    let body = format!("Content-Type: {content_type}\r\n\r\nhello\r\n");
    let fields = String::from_utf8(mail.around(b"")).unwrap().replace("MIME-Version: 1.0\r\n", "");
    mail.clone().part(body.replacen("\r\n", &format!("\r\n{fields}{more}"), 1))
}

/// The base mail as a whole message inside.
fn wrapped(mail: &Mail, parameters: &str) -> Mail {
    let inner = mail.clone().part("Content-Type: text/plain\r\n\r\nhello\r\n").plain();
    let head = format!("Content-Type: message/rfc822{parameters}\r\n\r\n");
    mail.clone().part([head.as_bytes(), &inner].concat())
}

/// Signed, and encrypted by the signer, who hides what the baseline policy hides.
fn hidden(mail: &Mail, by: &Holder) -> Vec<u8> {
    let mail = mail.clone().part("Content-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n").plain();
    let cover = Cover::Cipher(protect::Cipher::default());
    let draft = sign::Draft::covered(&mail, cover).unwrap().unwrap();
    let algorithm = by.key.algorithm();
    let chain = [&[by.certificate.clone()][..], &by.chain].concat();
    let signer = Signer::new(&by.certificate, &chain, algorithm, algorithm.digest().unwrap()).unwrap();
    let asked = draft.request(&signer, Some(NOW)).unwrap();
    let signature = signed(by.key, asked.octets());
    let mut signed = Vec::new();
    asked.write(sign::Form::Opaque, &signature, &FixedRandom, &mut signed).unwrap();
    sealed(signed)
}

/// Encrypted as it is: a signed mail under its whole header, another with its header hidden.
fn sealed(mail: Vec<u8>) -> Vec<u8> {
    let readers = [reader().certificate];
    let recipient = Recipient::certificate(&readers[0], KeyTransport::Pkcs1, Naming::default(), NOW).unwrap();
    let envelope = Envelope::new(&[recipient], Cipher::Aes256Gcm, &FixedRandom).unwrap();
    let mut out = Vec::new();
    let draft = encrypt::Draft::new(&mail, protect::Cipher::default()).unwrap().unwrap();
    draft.write(envelope, &mut out).unwrap();
    // The same object with a recipient info that is the same in every run.
    let body = out.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let object: Vec<u8> = out.split_off(body).into_iter().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let object = Pieces::of(&unbase64(&object), &readers).whole().der();
    [out, base64(&object)].concat()
}

pub(crate) fn rows() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let (of_bank, of_eve) = (Mail::of(bank), Mail::of(eve));
    let org = |id, mail: Mail| Row::new(id, mail.clear_by(bank), "ORG_CONFIRMED", "ok");
    let mailbox = |id, mail: Mail| Row::new(id, mail.clear_by(eve), "MAILBOX_CONFIRMED", "ok");
    let changed = |id, mail: Mail| Row::new(id, mail.clear_by(bank), "HEADERS_CHANGED", "hp.subject");
    let record = "HP-Outer: Subject: [...]\r\n";
    let v1 = "text/plain; protected-headers=\"v1\"";
    let nested = [
        "Content-Type: text/plain; hp=\"clear\"\r\nFrom: info@bank.example\r\nSubject: y\r\n\r\nx\r\n".as_bytes(),
        &text("y"),
    ];
    let secret = hidden(&of_bank, bank);
    vec![
        // HP-Outer excuses a changed subject in an encrypted mail alone.
        changed("P01", inside(&of_bank, "text/plain; hp=\"clear\"", record).field("Subject", "[...]"))
            .note("hp.outer-ignored"),
        changed("P02", inside(&of_bank, "text/plain; hp=\"cipher\"", record).field("Subject", "[...]"))
            .note("hp.cipher-clear")
            .note("hp.outer-ignored"),
        org("P03", inside(&of_bank, "text/plain; hp=\"cipher\"", "")).note("hp.cipher-clear"),
        org("P04", of_bank.clone().protected("clear").after("HP-Outer", "Subject: [...]")).note("hp.outer-ignored"),
        // Claims where they mean nothing.
        mailbox("P05", of_eve.clone().part(mixed(&[nested[0], nested[1]]))).note("hp.misplaced").note("hp.none"),
        Row::new("P06", of_bank.clone().protected("clear").plain(), "NOT_SIGNED", "mime.none").note("hp.misplaced"),
        org("P07", of_bank.clone().protected("sealed")).note("hp.malformed").note("hp.none"),
        org("P08", of_bank.clone().protected("clear").protected("cipher")).note("hp.malformed").note("hp.none"),
        // The drafts.
        org("P10", inside(&of_bank, v1, "")).note("hp.inferred"),
        changed("P11", inside(&of_bank, v1, "").field("Subject", "[ml] change of account")),
        Row::new(
            "P12",
            inside(&of_bank, v1, "").field("From", "eve@eve.example").clear_by(eve),
            "SIGNER_DIFFERS",
            "hp.from-mismatch",
        ),
        // A whole message inside, and what only looks like it.
        org("P20", wrapped(&of_bank, "")).note("hp.inferred"),
        org("P21", wrapped(&of_bank, "; forwarded=no")).note("hp.inferred"),
        changed("P22", wrapped(&of_bank, "").field("Subject", "[ml] change of account")),
        Row::new(
            "P23",
            wrapped(&of_bank, "; forwarded=no").field("From", "eve@eve.example").clear_by(eve),
            "SIGNER_DIFFERS",
            "hp.from-mismatch",
        ),
        mailbox("P24", wrapped(&of_bank, "").field("From", "eve@eve.example").field("Subject", "Fwd: x"))
            .note("hp.none"),
        mailbox("P25", wrapped(&of_eve, "; forwarded=yes").field("Subject", "Fwd: x")).note("hp.none"),
        mailbox("P26", {
            let inner = Mail::from(BANK).protected("clear").plain();
            of_eve.clone().part([b"Content-Type: message/rfc822\r\n\r\n".as_slice(), &inner].concat())
        })
        .note("hp.none"),
        // Encrypted by the signer: what he put outside must still stand there, and nothing else is asked of it.
        Row::new("A13", secret.clone(), "ORG_CONFIRMED", "ok")
            .key(reader().certificate, Takes::P256.key_der("reader"))
            .opened()
            .note("hp.clear"),
        Row::new("P30n", secret.clone(), "SEALED", "enc.cannot-open"),
        Row::new("P31", replaced(&secret, "Subject: [...]", "Subject: x"), "HEADERS_CHANGED", "hp.subject")
            .key(reader().certificate, Takes::P256.key_der("reader"))
            .opened(),
        Row::new("P32", replaced(&secret, "From: info@bank", "From: info@dank"), "SIGNER_DIFFERS", "hp.from-mismatch")
            .key(reader().certificate, Takes::P256.key_der("reader"))
            .opened(),
        Row::new("P33", [b"Cc: eve@eve.example\r\n".as_slice(), &secret].concat(), "ORG_CONFIRMED", "ok")
            .key(reader().certificate, Takes::P256.key_der("reader"))
            .opened()
            .note("hp.added"),
        Row::new("P34", sealed(of_bank.clone().protected("clear").clear_by(bank)), "ORG_CONFIRMED", "ok")
            .key(reader().certificate, Takes::P256.key_der("reader"))
            .opened()
            .note("hp.clear-cipher"),
        Row::new("P35", sealed(of_bank.clone().plain()), "NOT_SIGNED", "mime.none")
            .key(reader().certificate, Takes::P256.key_der("reader"))
            .opened(),
    ]
}
