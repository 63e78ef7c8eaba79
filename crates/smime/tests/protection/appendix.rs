//! RFC 9788 appendix C: each message built anew from its description, signed and encrypted with the keys of RFC 9216,
//! and opened.

use std::path::{Path, PathBuf};

use kakitome_pki::algorithm::KeyTransport;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::crypto::{DecryptionKey, SigningKey, SystemRandom};
use kakitome_smime::cms::enveloped::Envelope;
use kakitome_smime::cms::recipient::{self, HeldKeys, Naming, NoKeys, Recipient};
use kakitome_smime::message::encrypt;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::message::protect::{Cipher, Cover, Policy, Protection, display};
use kakitome_smime::message::sign::Form;
use kakitome_smime::mime::header::decode;
use kakitome_smime::mime::scan::scan;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::SignedFactory;
use kakitome_testkit::mail::{clear_part, opaque_part};
use kakitome_testkit::{Holder, NOW};

use crate::{Payload, decoded, signed};

const PLAIN: &str = "Made for a test of header protection.\r\n\r\nAlice\r\n";
const HTML: &str = "<html><head><title></title></head><body>\r\n<p>Made for a test.</p></body></html>\r\n";

/// The keys of RFC 9216: Alice signs, and Bob reads.
struct Keys {
    alice: Holder,
    bob: Certificate,
    held: HeldKeys<'static>,
}

/// If the corpora are there.
fn keys() -> Option<Keys> {
    let corpora = std::env::var_os("KAKITOME_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    let folder = corpora.join("rfc9216");
    let block = |name: &str| {
        let text = std::fs::read(folder.join(name)).ok()?;
        pem::read(&text).into_iter().next().map(|block| block.der.to_vec())
    };
    let certificate = block("4.1-alice-signature-verification-end-entity-certificate.pem")?;
    let key = SigningKey::from_der(&block("4.2-alice-signing-private-key-material.pem")?).unwrap();
    let certificate = Certificate::parse(&certificate).unwrap();
    let alice = Holder { certificate, key: Box::leak(Box::new(key)), chain: Vec::new() };
    let bob = Certificate::parse(&block("5.3-bob-encryption-end-entity-certificate.pem")?).unwrap();
    let key = DecryptionKey::from_der(&block("5.4-bob-decryption-private-key-material.pem")?).unwrap();
    let mut held = HeldKeys::new(&SystemRandom);
    held.hold(recipient::Holder { certificate: bob.clone(), key });
    Some(Keys { alice, bob, held })
}

/// Encrypted for Bob.
fn sealed(mail: &[u8], bob: &Certificate) -> Vec<u8> {
    let mail = mail.to_vec();
    let recipient = Recipient::certificate(bob, KeyTransport::Pkcs1, Naming::default(), NOW).unwrap();
    let envelope = Envelope::new(&[recipient], kakitome_pki::algorithm::Cipher::Aes256Gcm, &SystemRandom).unwrap();
    let mut out = Vec::new();
    encrypt::Draft::new(&mail, Cipher::default()).unwrap().unwrap().write(envelope, &mut out).unwrap();
    out
}

struct Row<'a> {
    name: &'a str,
    layers: &'a str,
    body: &'a str,
    protection: &'a str,
    display: bool,
    reply: bool,
    hidden: Vec<(&'a str, String)>,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [name, layers, body, protection, display, reply, hidden] = cells[..] else { panic!("{line}") };
            let hidden = hidden.split_whitespace().map(|pair| {
                let (name, outside) = pair.split_once('=').unwrap();
                (name, outside.replace('_', " "))
            });
            let (display, reply) = (display == "display", reply == "reply");
            Row { name, layers, body, protection, display, reply, hidden: hidden.collect() }
        })
        .collect()
}

impl Row<'_> {
    fn fields(&self) -> String {
        let name = self.name;
        let threading = if self.reply {
            let first = name.trim_end_matches("-reply");
            format!("In-Reply-To: <{first}@example>\r\nReferences: <{first}@example>\r\n")
        } else {
            String::new()
        };
        format!(
            "Subject: {name}\r\nMessage-ID: <{name}@example>\r\nFrom: Alice <alice@smime.example>\r\n\
             To: Bob <bob@smime.example>\r\nDate: Sat, 20 Feb 2021 10:09:02 -0500\r\n\
             User-Agent: Sample MUA Version 1.0\r\n{threading}"
        )
    }

    fn content(&self) -> String {
        if self.body == "simple" {
            return format!(
                "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{PLAIN}"
            );
        }
        format!(
            "Content-Type: multipart/mixed; boundary=\"cf8\"\r\n\r\n\
             --cf8\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"e8a\"\r\n\r\n\
             --e8a\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\nMIME-Version: 1.0\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n{PLAIN}\r\n\
             --e8a\r\nContent-Type: text/html; charset=\"us-ascii\"\r\nMIME-Version: 1.0\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n{HTML}\r\n--e8a--\r\n\r\n\
             --cf8\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: inline\r\n\r\n\
             iVBORw0KGgo=\r\n\r\n--cf8--\r\n"
        )
    }

    fn mail(&self) -> Vec<u8> {
        format!("MIME-Version: 1.0\r\n{}{}", self.fields(), self.content()).into_bytes()
    }

    fn policy(&self) -> Policy {
        Policy::from_name(self.protection).unwrap_or_default()
    }

    /// The mail signed.
    fn made(&self, alice: &Holder) -> Vec<u8> {
        let form = if self.layers == "multipart" { Form::Clear } else { Form::Opaque };
        let around = |payload: &[u8], fields: &str| {
            let factory = SignedFactory::by(alice, payload);
            let part = match form {
                Form::Clear => clear_part(payload, &factory.der()),
                Form::Opaque => opaque_part(&factory.embedded().der()),
            };
            [fields.as_bytes(), b"MIME-Version: 1.0\r\n", &part].concat()
        };
        match self.protection {
            "none" => around(self.content().as_bytes(), &self.fields()),
            "rfc822" => {
                let payload =
                    [b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n".as_slice(), &self.mail()].concat();
                let shown = if self.hidden.is_empty() { self.name } else { "[...]" };
                around(
                    &payload,
                    &self.fields().replacen(&format!("Subject: {}", self.name), &format!("Subject: {shown}"), 1),
                )
            }
            "clear" => signed(&self.mail(), Cover::Clear, form, alice),
            _ => {
                let mut mail = self.mail();
                if self.display {
                    let structure = scan(&mail, 0..mail.len() as u64).unwrap();
                    let mut with = Vec::new();
                    assert!(display::add(&mail, &structure, self.policy(), &mut with).unwrap());
                    mail = with;
                }
                let cipher = Cipher { policy: self.policy(), ..Cipher::default() };
                signed(&mail, Cover::Cipher(cipher), form, alice)
            }
        }
    }

    /// What came out wrong.
    fn check(&self, keys: &Keys) -> Result<(), String> {
        let mut mail = self.made(&keys.alice);
        let is_sealed = self.layers == "sealed";
        if is_sealed {
            mail = sealed(&mail, &keys.bob);
            assert!(open(&mail, &InMemory, &NoKeys).is_ok_and(|opened| matches!(opened.layer, Layer::Sealed(_))));
        }
        let (payload, reading) = Payload::opened(&mail, &keys.held);
        let form = reading.protected.as_ref().map_or("none", |protected| protected.form.name());
        let expected = if matches!(self.protection, "baseline" | "shy") { "cipher" } else { self.protection };
        if form != expected {
            return Err(format!("the form is {form}"));
        }
        let codes: Vec<&str> = reading.findings.iter().map(|finding| finding.code).collect();
        if codes != if form == "rfc822" { vec!["hp.inferred"] } else { vec![] } {
            return Err(format!("findings {codes:?}"));
        }
        let Some(protected) = reading.protected else { return Ok(()) };
        if protected.fields.len() != self.fields().lines().count() {
            return Err(format!("{} fields", protected.fields.len()));
        }
        for field in &protected.fields {
            let outside = self.hidden.iter().find(|(name, _)| field.name == *name).map(|(_, outside)| outside);
            let state = if outside.is_some() { Protection::SignedAndEncrypted } else { Protection::SignedOnly };
            let sent = outside.unwrap_or(&field.inner);
            if field.protection != state || !field.agrees() || field.outer.as_ref() != Some(sent) {
                return Err(format!("{field:?}"));
            }
        }
        // RFC 9788 §5.2.1: one record for each field outside, in the order in which they stand there.
        let outer = &payload.outer.root().header;
        let outside = outer.fields.iter().filter(|field| protected.covers(outer.name(field)));
        let outside: Vec<String> =
            outside.map(|field| format!("{}: {}", outer.name(field), decode(outer.value(field)))).collect();
        let header = &payload.structure.root().header;
        let records: Vec<String> = header.all("HP-Outer").map(|field| decode(header.value(field))).collect();
        if records != if form == "cipher" { outside } else { Vec::new() } {
            return Err(format!("records {records:?}"));
        }
        self.check_display(&payload, &display::carried(&payload.structure, 0, &protected, is_sealed))
    }

    fn check_display(&self, payload: &Payload, carried: &[(usize, display::Kind)]) -> Result<(), String> {
        let kinds: Vec<display::Kind> = carried.iter().map(|(_, kind)| *kind).collect();
        let expected = match (self.display, self.body) {
            (false, _) => vec![],
            (true, "simple") => vec![display::Kind::Text],
            (true, _) => vec![display::Kind::Text, display::Kind::Html],
        };
        if kinds != expected {
            return Err(format!("carried {kinds:?}"));
        }
        for (part, kind) in carried {
            let text = String::from_utf8(decoded(&payload.octets, &payload.structure, *part)).unwrap();
            let lines = self.hidden.iter().all(|(name, _)| text.contains(&format!("{name}: ")));
            let (without, original) = match kind {
                display::Kind::Text => (display::without_lines(&text).to_owned(), PLAIN),
                _ => (display::without_divisions(&text).replacen("<body>\r\n\r\n", "<body>\r\n", 1), HTML),
            };
            if !lines || without.trim_end() != original.trim_end() {
                return Err(format!("{kind:?}: {text:?}"));
            }
        }
        Ok(())
    }
}

#[test]
fn every_message_of_the_appendix_is_read_as_it_says() {
    use std::io::Write as _;
    let Some(keys) = keys() else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: RFC 9788 appendix C: no keys of RFC 9216 (set KAKITOME_CORPORA)");
        return;
    };
    let table = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/header-protection/appendix-c.tsv"),
    )
    .unwrap();
    let rows = rows(&table);
    assert_eq!(rows.len(), 31);
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| row.layers != "none")
        .filter_map(|row| row.check(&keys).err().map(|why| format!("{}: {why}", row.name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
