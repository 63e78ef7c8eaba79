//! Our side, by the command line where it offers the row, and by the engine where it does not (password and KEK
//! recipients, compressed-data).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kakitome_pki::algorithm::{Cipher, Digest, KeyTransport, KeyWrap};
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::crypto::{DecryptionKey, KeyEncryptionKey, SystemRandom};
use kakitome_smime::budget::Budget;
use kakitome_smime::cms::compressed::write_compressed;
use kakitome_smime::cms::content::{self, Object};
use kakitome_smime::cms::enveloped::{Envelope, Opening};
use kakitome_smime::cms::recipient::{HeldKeys, Holder, Naming, Recipient};
use kakitome_smime::mime::encoding::{Base64Decoder, Base64Writer};
use kakitome_smime::mime::scan::scan;
use kakitome_smime::octets::{InMemory, Octets, read_range};
use zeroize::Zeroizing;

use crate::instance::run;
use crate::program::now;
use crate::rows::{ROWS, Row, Work};
use crate::world::{KEK, KEK_ID, PASSWORD, World};

/// What we make in each row: the CMS object in DER.
pub(crate) fn make(world: &World) -> Vec<Option<PathBuf>> {
    ROWS.iter().enumerate().map(|(number, row)| make_one(world, row, number)).collect()
}

/// What we make in one row.
pub(crate) fn make_one(world: &World, row: &Row, number: usize) -> Option<PathBuf> {
    if row.reading_only {
        return None;
    }
    let der = world.folder.join(format!("ours-{number}.der"));
    let mail = der.with_extension("eml");
    let (pem, key) = (format!("{}.pem", row.key), format!("{}.key", row.key));
    let mut arguments: Vec<&str> = Vec::new();
    match row.work {
        Work::Sign => {
            let (scheme, digest) = row.algorithm.split_once('-').unwrap();
            arguments.extend(["sign", "--cert", &pem, "--key", &key, "--digest", digest]);
            arguments.extend((scheme == "pss").then_some("--pss"));
            arguments.extend((row.form == "opaque").then_some("--opaque"));
            arguments.extend(["-o", mail.to_str().unwrap(), "mail.eml"]);
        }
        Work::Encrypt => {
            fs::write(&der, encrypted(world, row)).unwrap();
            fs::copy(world.file("content.mime"), der.with_extension("content")).unwrap();
            return Some(der);
        }
        Work::Compress => {
            let (content, mut object) = (fs::read(world.file("content.mime")).unwrap(), Vec::new());
            write_compressed(oid::DATA, &content, &InMemory, &mut object).unwrap();
            fs::write(&der, object).unwrap();
            fs::write(der.with_extension("content"), content).unwrap();
            return Some(der);
        }
    }
    let out = run(&world.folder, &arguments);
    assert!(out.status.success(), "{}: {}", row.label(), String::from_utf8_lossy(&out.stderr));
    fs::write(&der, object(&fs::read(&mail).unwrap(), row.form == "detached")).unwrap();
    // What was signed: the part with the header fields that are protected in it.
    let content = der.with_extension("content");
    told(run(&world.folder, &[&VERIFY[..], &[content.to_str().unwrap(), mail.to_str().unwrap()]].concat())).unwrap();
    Some(der)
}

/// The data directory is not there: the anchor alone decides.
const VERIFY: [&str; 8] = ["verify", "--any-signer", "--data", "nowhere", "--quiet", "--trust", "root.pem", "-o"];

fn encrypted(world: &World, row: &Row) -> Vec<u8> {
    let recipient = match row.algorithm {
        "password" => Recipient::password(Zeroizing::new(PASSWORD.as_bytes().to_vec())),
        "kek" => Recipient::secret(KEK_ID, KeyEncryptionKey::new(KeyWrap::Aes128, KEK).unwrap()),
        scheme => {
            let oaep = |hash| KeyTransport::Oaep { hash, mask: hash, label: Vec::new() };
            let transport = match scheme {
                "oaep-sha1" => oaep(Digest::Sha1),
                "oaep-sha256" => oaep(Digest::Sha256),
                _ => KeyTransport::Pkcs1,
            };
            Recipient::certificate(&certificate(world, row), transport, Naming::default(), now()).unwrap()
        }
    };
    let cipher = match row.form {
        "aes128-cbc" => Cipher::Aes128Cbc,
        "aes192-cbc" => Cipher::Aes192Cbc,
        "aes256-cbc" => Cipher::Aes256Cbc,
        "aes128-gcm" => Cipher::Aes128Gcm,
        "aes192-gcm" => Cipher::Aes192Gcm,
        _ => Cipher::Aes256Gcm,
    };
    let content = fs::read(world.file("content.mime")).unwrap();
    let envelope = Envelope::new(&[recipient], cipher, &SystemRandom).unwrap();
    let mut sealing = envelope.begin(content.len() as u64, Vec::new()).unwrap();
    sealing.write_all(&content).unwrap();
    sealing.finish().unwrap()
}

fn certificate(world: &World, row: &Row) -> Certificate {
    let blocks = pem::read(&fs::read(world.file(&format!("{}.pem", row.key))).unwrap());
    Certificate::parse(&blocks[0].der).unwrap()
}

/// What a peer encrypted or compressed, opened.
fn opened(world: &World, row: &Row, der: &Path) -> Result<Vec<u8>, String> {
    let object = fs::read(der).unwrap();
    let plain: Box<dyn Octets> = match content::read(&object, &InMemory).unwrap() {
        Object::Compressed(compressed) => {
            compressed.open(&object, &InMemory, &Budget::default()).unwrap().map_err(|finding| finding.detail)?
        }
        Object::Enveloped(enveloped) => {
            let mut keys = HeldKeys::new(&SystemRandom);
            match row.algorithm {
                "password" => keys.hold_password(Zeroizing::new(PASSWORD.as_bytes().to_vec())),
                "kek" => keys.hold_secret(KEK_ID, Zeroizing::new(KEK.to_vec())),
                _ => {
                    let key = pem::read(&fs::read(world.file(&format!("{}.key", row.key))).unwrap());
                    let key = DecryptionKey::from_der(&key[0].der).unwrap();
                    keys.hold(Holder { certificate: certificate(world, row), key });
                }
            }
            match enveloped.open(&object, &keys, &InMemory).unwrap() {
                Opening::Open(plain) => plain.into_octets(),
                Opening::NoKey => return Err("no key fits".to_owned()),
                Opening::Refused(finding) | Opening::Failed(finding) => {
                    return Err(format!("{}: {}", finding.code, finding.detail));
                }
            }
        }
        _ => return Err("it is an object of another kind".to_owned()),
    };
    Ok(read_range(&*plain, 0..plain.len(), usize::MAX).unwrap())
}

/// Do we read what a peer made?
pub(crate) fn read(world: &World, row: &Row, content: &Path, der: &Path) -> Result<(), String> {
    let mail = der.with_extension("eml");
    let out = der.with_extension("out");
    match row.work {
        Work::Sign => {
            fs::write(&mail, signed_mail(row, &fs::read(content).unwrap(), &fs::read(der).unwrap())).unwrap();
            let files = [out.to_str().unwrap(), mail.to_str().unwrap()];
            told(run(&world.folder, &[&VERIFY[..], &files].concat()))?;
        }
        Work::Encrypt | Work::Compress => fs::write(&out, opened(world, row, der)?).unwrap(),
    }
    if fs::read(&out).unwrap() == fs::read(content).unwrap() { Ok(()) } else { Err("other octets came out".to_owned()) }
}

fn told(out: std::process::Output) -> Result<(), String> {
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).trim().to_owned()) }
}

const FROM: &str = "From: Alice <alice@example.test>\r\nTo: alice@example.test\r\nMIME-Version: 1.0\r\n";

/// A mail around a signature that a peer made.
fn signed_mail(row: &Row, content: &[u8], der: &[u8]) -> Vec<u8> {
    let mut base64 = Base64Writer::new(Vec::new());
    base64.write_all(der).unwrap();
    let base64 = base64.finish().unwrap();
    if row.form == "opaque" {
        let head = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\
            Content-Transfer-Encoding: base64\r\n\r\n";
        return [FROM.as_bytes(), head.as_bytes(), &base64].concat();
    }
    let micalg = row.algorithm.split_once("-sha").unwrap().1;
    let head = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-{micalg};\r\n\
         \tboundary=\"=-peer\"\r\n\r\n--=-peer\r\n"
    );
    let between = "\r\n--=-peer\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n";
    [FROM.as_bytes(), head.as_bytes(), content, between.as_bytes(), &base64, b"\r\n--=-peer--\r\n"].concat()
}

/// The CMS object of a mail that we signed.
fn object(mail: &[u8], detached: bool) -> Vec<u8> {
    let octets = mail.to_vec();
    let structure = scan(&octets, 0..u64::MAX).unwrap();
    let root = structure.root();
    let entity = if detached { structure.entity(root.parts[1]).unwrap() } else { root };
    let body = read_range(&octets, entity.body.clone(), usize::MAX).unwrap();
    let mut decoder = Base64Decoder::new(Vec::new());
    decoder.write_all(&body).unwrap();
    let (der, clean) = decoder.finish().unwrap();
    assert!(clean);
    der
}
