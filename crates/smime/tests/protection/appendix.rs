//! RFC 9788 appendix C: each message rebuilt octet by octet, signed and encrypted with the keys of RFC 9216 and opened;
//! and what our own writer makes of the same mail beside what is printed there.

mod vector;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kakitome_pki::algorithm::{self, KeyTransport};
use kakitome_pki::asn1::{oid, time::Time};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::crypto::{DecryptionKey, SigningKey, SystemRandom, sha256};
use kakitome_smime::cms::enveloped::{Envelope, Opening};
use kakitome_smime::cms::recipient::{self, HeldKeys, Naming, NoKeys, Recipient};
use kakitome_smime::message::decrypt::{Found, find};
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::message::protect::{
    Cipher, Cover, Policy, Protection, Response, display, is_composed, misplaced, reply,
};
use kakitome_smime::message::sign::Form;
use kakitome_smime::mime::encoding::QuotedPrintableDecoder;
use kakitome_smime::mime::header::{Encoding, Header, decode};
use kakitome_smime::mime::scan::{Structure, scan};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{SignedFactory, SignerFactory};
use kakitome_testkit::mail::{clear_part, opaque_part};
use kakitome_testkit::{Holder, NOW, Pki};
use vector::{Field, Vector};

use crate::{Payload, decoded, signed};

fn table(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/header-protection");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn corpora() -> PathBuf {
    std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from)
}

fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: RFC 9788 appendix C: {why} (set KAKITOME_CORPORA)");
}

/// The keys of RFC 9216: Alice signs, and both read.
struct Keys {
    alice: Holder,
    readers: [Certificate; 2],
    held: HeldKeys<'static>,
}

/// If the corpora are there.
fn keys() -> Option<Keys> {
    let folder = corpora().join("rfc9216");
    let block = |name: &str| {
        let text = std::fs::read(folder.join(name)).ok()?;
        pem::read(&text).into_iter().next().map(|block| block.der.to_vec())
    };
    let certificate = |name: &str| Some(Certificate::parse(&block(name)?).unwrap());
    let key = SigningKey::from_der(&block("4.2-alice-signing-private-key-material.pem")?).unwrap();
    let alice = Holder {
        certificate: certificate("4.1-alice-signature-verification-end-entity-certificate.pem")?,
        key: Box::leak(Box::new(key)),
        chain: Vec::new(),
    };
    let bob = certificate("5.3-bob-encryption-end-entity-certificate.pem")?;
    let key = DecryptionKey::from_der(&block("5.4-bob-decryption-private-key-material.pem")?).unwrap();
    let mut held = HeldKeys::new(&SystemRandom);
    held.hold(recipient::Holder { certificate: bob.clone(), key });
    let readers = [certificate("4.3-alice-encryption-end-entity-certificate.pem")?, bob];
    Some(Keys { alice, readers, held })
}

/// The signer of a row, with the attributes that are signed there.
fn signer(row: &Vector<'_>, alice: &Holder) -> SignerFactory {
    SignerFactory::new(alice)
        .without(oid::CMS_ALGORITHM_PROTECTION)
        .without(oid::SIGNING_CERTIFICATE_V2)
        .at(Time::from_mail_date(&row.date()))
}

/// A row as a mail, in the layers of the appendix.
fn mail(row: &Vector<'_>, keys: &Keys) -> Vec<u8> {
    let payload = row.payload().into_bytes();
    let cms = SignedFactory::new(&payload).signer(&signer(row, &keys.alice)).holder(&keys.alice);
    let part = match row.layers {
        "multipart" => [b"MIME-Version: 1.0\r\n".as_slice(), &clear_part(&payload, &cms.der())].concat(),
        "signed-data" => opaque_part(&cms.embedded().der()),
        _ => opaque_part(&sealed(&opaque_part(&cms.embedded().der()), &keys.readers)),
    };
    [row.header().as_bytes(), &part].concat()
}

fn sealed(content: &[u8], readers: &[Certificate]) -> Vec<u8> {
    let recipient = |reader| Recipient::certificate(reader, KeyTransport::Pkcs1, Naming::default(), NOW).unwrap();
    let recipients: Vec<Recipient> = readers.iter().map(recipient).collect();
    let envelope = Envelope::new(&recipients, algorithm::Cipher::Aes128Cbc, &SystemRandom).unwrap();
    let mut sealing = envelope.begin(content.len() as u64, Vec::new()).unwrap();
    sealing.write_all(content).unwrap();
    sealing.finish().unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

/// What came out wrong.
fn check(row: &Vector<'_>, mail: &[u8], keys: &Keys) -> Result<(), String> {
    let is_sealed = row.layers == "sealed";
    if is_sealed {
        assert!(open(&mail.to_vec(), &InMemory, &NoKeys).is_ok_and(|opened| matches!(opened.layer, Layer::Sealed(_))));
    }
    let (payload, reading) = Payload::opened(mail, &keys.held);
    if payload.octets != row.payload().into_bytes() {
        return Err(format!("inside is {}", payload.text()));
    }
    let form = reading.protected.as_ref().map_or("none", |protected| protected.form.name());
    let expected = if matches!(row.protection, "baseline" | "shy") { "cipher" } else { row.protection };
    if form != expected {
        return Err(format!("the form is {form}"));
    }
    let codes: Vec<&str> = reading.findings.iter().map(|finding| finding.code).collect();
    if codes != if form == "rfc822" { vec!["hp.inferred"] } else { vec![] } {
        return Err(format!("findings {codes:?}"));
    }
    if is_sealed {
        // What `decrypt` writes shows the fields that are protected as the appendix says, not what the wrapped form infers.
        let shown = composed(&decrypted(mail, keys).root().header);
        if shown != if form == "cipher" { owned(row.fields()) } else { owned(row.outside()) } {
            return Err(format!("decrypted, it shows {shown:?}"));
        }
    }
    let Some(protected) = reading.protected else { return Ok(()) };
    let fields: Vec<(&str, &str)> =
        protected.fields.iter().map(|field| (field.name.as_str(), field.inner.as_str())).collect();
    if fields != row.fields().iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>() {
        return Err(format!("fields {fields:?}"));
    }
    for field in &protected.fields {
        let outside = row.hidden(&field.name);
        let state = if outside.is_some() { Protection::SignedAndEncrypted } else { Protection::SignedOnly };
        let sent = outside.unwrap_or(&field.inner);
        if field.protection != state || !field.agrees() || field.outer.as_deref() != Some(sent) {
            return Err(format!("{field:?}"));
        }
    }
    check_display(row, &payload, &display::carried(&payload.structure, 0, &protected, is_sealed))
}

/// The mail without its encryption.
fn decrypted(mail: &[u8], keys: &Keys) -> Structure {
    let mail = mail.to_vec();
    let Found::Sealed(sealed) = find(&mail, &InMemory).unwrap() else { panic!("not encrypted") };
    let mut out = Vec::new();
    assert!(matches!(sealed.write(&keys.held, &mut out).unwrap(), Opening::Open(_)));
    scan(&out, 0..out.len() as u64).unwrap()
}

fn composed(header: &Header) -> Vec<(String, String)> {
    let fields = header.fields.iter().filter(|field| is_composed(header.name(field)));
    fields.map(|field| (header.name(field).to_owned(), decode(header.value(field)))).collect()
}

fn owned(fields: Vec<Field>) -> Vec<(String, String)> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn check_display(row: &Vector<'_>, payload: &Payload, carried: &[(usize, display::Kind)]) -> Result<(), String> {
    let kinds: Vec<display::Kind> = carried.iter().map(|(_, kind)| *kind).collect();
    let expected = match (row.has_display, row.body) {
        (false, _) => vec![],
        (true, "simple") => vec![display::Kind::Text],
        (true, _) => vec![display::Kind::Text, display::Kind::Html],
    };
    if kinds != expected {
        return Err(format!("carried {kinds:?}"));
    }
    for (part, kind) in carried {
        let text = String::from_utf8(body(&payload.octets, &payload.structure, *part)).unwrap();
        let (without, original) = match kind {
            display::Kind::Text => (display::without_lines(&text).to_owned(), row.text(false)),
            _ => (display::without_divisions(&text), row.html(false, true)),
        };
        if without.trim_end() != original.trim_end() {
            return Err(format!("{kind:?}: {without:?}"));
        }
    }
    Ok(())
}

/// The body of a part without its transfer encoding.
fn body(octets: &[u8], structure: &Structure, part: usize) -> Vec<u8> {
    let entity = structure.entity(part).unwrap();
    if entity.encoding == Encoding::Base64 {
        return decoded(octets, structure, part);
    }
    let raw = &octets[usize::try_from(entity.body.start).unwrap()..usize::try_from(entity.body.end).unwrap()];
    if entity.encoding != Encoding::QuotedPrintable {
        return raw.to_vec();
    }
    let mut decoder = QuotedPrintableDecoder::new(Vec::new());
    decoder.write_all(raw).unwrap();
    decoder.finish().unwrap().0
}

#[test]
fn every_payload_is_the_one_that_was_signed() {
    let table = table("appendix-c.tsv");
    let rows = vector::all(&table);
    assert_eq!(rows.len(), 8 + 6 + 17, "C.1 to C.3");
    let digest = |row: &Vector<'_>| hex(&sha256(row.payload().as_bytes()));
    let wrong: Vec<&str> =
        rows.iter().filter(|row| row.layers != "none" && digest(row) != row.digest).map(|row| row.section).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_message_is_read_as_the_appendix_says() {
    let Some(keys) = keys() else { return skipped("no keys of RFC 9216") };
    let table = table("appendix-c.tsv");
    let mut wrong = String::new();
    for row in vector::all(&table) {
        if row.layers == "none" {
            let mail = row.plain().into_bytes();
            let opened = open(&mail, &InMemory, &keys.held).unwrap();
            assert!(matches!(opened.layer, Layer::None) && misplaced(&opened.structure).is_none(), "{}", row.name);
            continue;
        }
        // PKCS#1 v1.5 makes the same signature of the same octets, so this is the printed one.
        let info = signer(&row, &keys.alice).der(oid::DATA, row.payload().as_bytes());
        let signature = hex(&info[info.len() - 256..]);
        assert!(signature.starts_with(row.signature), "{}: {signature}", row.section);
        if let Err(why) = check(&row, &mail(&row, &keys), &keys) {
            writeln!(wrong, "{}: {why}", row.section).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_original_messages_are_read_so_too() {
    let folder = corpora().join("rfc9788");
    let Some(keys) = keys().filter(|_| folder.is_dir()) else { return skipped("no original messages") };
    let table = table("appendix-c.tsv");
    let mut found = 0;
    for row in vector::all(&table).iter().filter(|row| row.layers != "none") {
        let Ok(mail) = std::fs::read(folder.join(format!("{}.eml", row.name))) else { continue };
        assert_eq!(check(row, &mail, &keys), Ok(()), "{}", row.section);
        found += 1;
    }
    assert!(found > 0, "{}", folder.display());
}

/// What our writer makes of a row, and the answer to what it makes of another.
fn ours(row: &Vector<'_>, rows: &[Vector<'_>]) -> Payload {
    let mut mail = row.plain().into_bytes();
    let policy = Policy::from_name(row.protection).unwrap_or_default();
    if row.has_display {
        let structure = scan(&mail, 0..mail.len() as u64).unwrap();
        let mut with = Vec::new();
        assert!(display::add(&mail, &structure, policy, &mut with).unwrap());
        mail = with;
    }
    let cover = if row.protection == "clear" {
        Cover::Clear
    } else {
        let first = row.answers.map(|name| rows.iter().find(|row| row.name == name).unwrap());
        let first = first.map(|first| ours(first, rows).read(true).protected.unwrap());
        let response = first.map(|first| Response::new(&first, &reply)).unwrap_or_default();
        Cover::Cipher(Cipher { policy, response })
    };
    Payload::of(&signed(&mail, cover, Form::Opaque, &Pki::get().bank))
}

/// How our payload and the header around it differ from the printed ones.
fn differences(row: &Vector<'_>, ours: &Payload) -> BTreeSet<&'static str> {
    let octets = row.payload().into_bytes();
    let printed = scan(&octets, 0..octets.len() as u64).unwrap();
    let records = |header: &Header| header.all("HP-Outer").map(|field| decode(header.value(field))).collect::<Vec<_>>();
    let mut found = BTreeSet::new();
    let mut unless = |is_same: bool, name| {
        if !is_same {
            found.insert(name);
        }
    };
    unless(composed(&ours.outer.root().header) == owned(row.outside()), "outside");
    let (mine, theirs) = (&ours.structure.root().header, &printed.root().header);
    unless(composed(mine) == composed(theirs), "fields");
    unless(records(mine) == records(theirs), "records");
    let versions = |header: &Header| header.all("MIME-Version").count();
    unless(versions(mine) == versions(theirs), "version");
    let place = |header: &Header| header.fields.iter().position(|field| header.name(field) == "Content-Type");
    unless(place(mine) == place(theirs), "place");
    unless(ours.structure.entities.len() == printed.entities.len(), "parts");
    for (part, (mine, theirs)) in ours.structure.entities.iter().zip(&printed.entities).enumerate() {
        let kind = |structure: &Structure| {
            let kind = &structure.entity(part).unwrap().content_type;
            let mut parameters = kind.parameters.clone();
            parameters.sort();
            (kind.essence(), parameters)
        };
        unless(kind(&ours.structure) == kind(&printed), "type");
        unless(mine.encoding == theirs.encoding, "encoding");
        if mine.parts.is_empty() {
            let is_same = body(&ours.octets, &ours.structure, part) == body(&octets, &printed, part);
            unless(is_same, if mine.content_type.is("text", "html") { "html" } else { "body" });
        }
    }
    found
}

#[test]
fn our_own_writer_differs_only_where_the_exceptions_say() {
    let (table, exceptions) = (table("appendix-c.tsv"), table("exceptions.tsv"));
    let rows = vector::all(&table);
    let mut wrong = String::new();
    for row in rows.iter().filter(|row| matches!(row.protection, "clear" | "baseline" | "shy")) {
        let is_meant = |kind: &str| match kind {
            "display" => row.has_display,
            "complex" => row.body == "complex",
            _ => kind == "every",
        };
        let expected: BTreeSet<&str> = exceptions
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(|cells| cells[1].split(' ').all(is_meant))
            .map(|cells| cells[0])
            .collect();
        let found = differences(row, &ours(row, &rows));
        if found != expected {
            writeln!(wrong, "{}: {found:?}, not {expected:?}", row.section).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
