//! Certificates out of files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_office::directory::import::{Contents, Outcome, read};
use kakitome_pki::cert::{Certificate, bundle, pem};
use kakitome_testkit::{NOW, Pki};

use crate::{Stage, by_se, reader};

const BOB: &str = "bob@partner.example";

fn counts(contents: &Contents) -> (usize, usize) {
    (contents.certificates.len(), contents.unreadable.len())
}

#[test]
fn a_file_is_read_whatever_its_form() {
    let one = by_se(reader(BOB, 1));
    let se = &Pki::get().se.certificate;
    let both = [one.raw(), se.raw()];
    let pem_of = |certificate: &Certificate| pem::write("CERTIFICATE", certificate.raw());
    let pkcs7 = bundle::write(both.into_iter());
    let ldif = |attribute: &str, octets: &[u8]| {
        format!("version: 1\ndn: cn=bob\nmail: {BOB}\n{attribute}:: {}\n", STANDARD.encode(octets)).into_bytes()
    };
    let card = |line: &str| format!("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Bob\r\n{line}\r\nEND:VCARD\r\n").into_bytes();
    let encoded = STANDARD.encode(one.raw());
    let (head, tail) = encoded.split_at(70);
    let rows: Vec<(&str, Vec<u8>, (usize, usize))> = vec![
        ("DER", one.raw().to_vec(), (1, 0)),
        ("PEM", pem_of(&one).into_bytes(), (1, 0)),
        ("two in PEM", format!("{}text\n{}", pem_of(&one), pem_of(se)).into_bytes(), (2, 0)),
        ("PKCS#7", pkcs7.clone(), (2, 0)),
        ("PKCS#7 in PEM", pem::write("PKCS7", &pkcs7).into_bytes(), (2, 0)),
        ("a store of Windows", bundle::write_store(both.into_iter()), (2, 0)),
        ("LDIF", ldif("userCertificate;binary", one.raw()), (1, 0)),
        ("LDIF without an option", ldif("usercertificate", one.raw()), (1, 0)),
        ("LDIF with signed-data", ldif("userSMIMECertificate;binary", &pkcs7), (2, 0)),
        ("LDIF with a key", ldif("userPKCS12;binary", &pkcs7), (0, 0)),
        ("LDIF with nonsense", ldif("userCertificate;binary", b"nonsense"), (0, 1)),
        ("a card of version 4", card(&format!("KEY:data:application/pkix-cert;base64,{encoded}")), (1, 0)),
        ("a card of version 3, folded", card(&format!("KEY;TYPE=X509;ENCODING=b:{head}\r\n {tail}")), (1, 0)),
        ("a card without a key", card("EMAIL:bob@partner.example"), (0, 0)),
        ("a key", pem::write("PRIVATE KEY", b"0").into_bytes(), (0, 1)),
        ("cut short", one.raw()[..200].to_vec(), (0, 0)),
        ("nothing", Vec::new(), (0, 0)),
        ("text", b"hello".to_vec(), (0, 0)),
    ];
    for (title, file, expected) in rows {
        assert_eq!(counts(&read(&file)), expected, "{title}: {:?}", read(&file).unreadable);
    }
}

#[test]
fn each_certificate_has_its_outcome() {
    let world = Pki::get();
    let stage = Stage::new();
    let good = by_se(reader(BOB, 1));
    let nobody = kakitome_testkit::CertificateFactory::signer(&[], &[], "nobody")
        .without(kakitome_pki::asn1::oid::KEY_USAGE)
        .issued_by(&world.se);
    let unknown = reader("carol@partner.example", 2).issued_by(&world.rx);
    let import = stage.directory.import(None, false, &stage.actor, NOW).unwrap();
    let outcomes = import.take(&[good.clone(), nobody, unknown, world.se.certificate.clone()]).unwrap();
    let told: Vec<String> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Taken { places, unused } => {
                format!("{} {}", places[0].0, unused.as_ref().map_or("used", |why| why.name()))
            }
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["bob@partner.example used", "NoAddress", "carol@partner.example path", "Issuer"]);
    // again: it is there already
    let again = import.take(&[good]).unwrap();
    assert!(
        matches!(&again[0], Outcome::Taken { places, .. } if places[0].1 == kakitome_office::directory::Done::Already)
    );
    assert_eq!(stage.directory.total().unwrap(), 2);
}
