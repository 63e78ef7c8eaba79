//! `kakitome encrypt`: what of a header stays outside, what an old program is shown, and that a mail that is signed on
//! the way in is signed inside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::fs;
use std::path::Path;

use kakitome_pki::cert::pem;
use kakitome_smime::cms::recipient::{self, HeldKeys};
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::message::protect::{Protected, Protection};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::mail::Mail;
use kakitome_testkit::{DAY, Pki};
use program::{kakitome, now};

fn reader() -> recipient::Holder {
    let now = now();
    Takes::P256.holder_of("reader", |factory| factory.valid(now.plus(-DAY), now.plus(DAY)))
}

/// Encrypted by the program with these arguments: the mail as it goes out.
fn encrypted(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = kakitome(folder, &format!("encrypt --quiet --to reader.pem {arguments} mail.eml"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Is it signed inside, what does the payload protect, and what is its text?
fn opened(mail: &[u8], reader: &dyn recipient::Keys) -> (bool, Protected, String) {
    let opened = open(&mail.to_vec(), &InMemory, reader).unwrap();
    let Layer::Sealed(sealed) = &opened.layer else { panic!("not encrypted") };
    let inner = sealed.inner.as_deref().expect("there is a key");
    let (signed, protected, content) = match &inner.layer {
        Layer::Signed(signed) => {
            assert!(signed.outcome.verified.is_some());
            (true, signed.protected.clone(), signed.inner.as_deref().unwrap())
        }
        _ => (false, sealed.protected.clone(), inner),
    };
    let octets = content.octets.clone().unwrap();
    let text = kakitome_smime::octets::read_range(&*octets, 0..octets.len(), 1 << 20).unwrap();
    (signed, protected.expect("protected fields"), String::from_utf8(text).unwrap())
}

#[test]
fn a_mail_is_signed_and_sealed_in_one_step_and_its_header_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bank = &Pki::get().bank;
    let (reader, held) = (reader(), reader());
    fs::write(folder.join("bank.pem"), pem::write("CERTIFICATE", bank.certificate.raw())).unwrap();
    fs::write(folder.join("bank.key"), pem::write("PRIVATE KEY", &bank.key.to_pkcs8().unwrap())).unwrap();
    fs::write(folder.join("reader.pem"), pem::write("CERTIFICATE", reader.certificate.raw())).unwrap();
    let mail = Mail::from("Bank <info@bank.example>")
        .field("Subject", "Statement")
        .after("Keywords", "account")
        .part("Content-Type: text/plain; charset=utf-8\r\n\r\nYour balance.\r\n");
    fs::write(folder.join("mail.eml"), mail.plain()).unwrap();
    let mut keys = HeldKeys::new(&kakitome_pki::crypto::SystemRandom);
    keys.hold(held);

    let sign = "--cert bank.pem --key bank.key";
    // (arguments, signed, hidden, whether the text says the subject)
    for (arguments, signed, hidden, displayed) in [
        (String::new(), false, "Subject Keywords", false),
        (sign.to_owned(), true, "Subject Keywords", false),
        (format!("{sign} --header-policy shy"), true, "From To Subject Keywords", false),
        (format!("{sign} --header-policy none"), true, "", false),
        (format!("{sign} --legacy-display"), true, "Subject Keywords", true),
        ("--legacy-display --header-policy none".to_owned(), false, "", false),
    ] {
        let sealed = encrypted(folder, &arguments);
        let (is_signed, protected, text) = opened(&sealed, &keys);
        assert_eq!(is_signed, signed, "{arguments}");
        let is_hidden = |protection| matches!(protection, Protection::SignedAndEncrypted | Protection::EncryptedOnly);
        let found: Vec<&str> = protected
            .fields
            .iter()
            .filter(|field| is_hidden(field.protection))
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(found.join(" "), hidden, "{arguments}");
        let is_displayed = text.contains("hp-legacy-display=\"1\"");
        assert_eq!(is_displayed, displayed, "{arguments}: {text}");
        let outer = String::from_utf8(sealed).unwrap();
        assert_eq!(outer.contains("Statement") || outer.contains("account"), hidden.is_empty(), "{arguments}: {outer}");
    }
}
