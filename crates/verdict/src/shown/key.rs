//! Keys, and the files that hold them. Of a private key its public half is shown, and nothing else.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Cipher};
use kakitome_pki::asn1::der::{Der, Tlv};
use kakitome_pki::asn1::{Malformed, oid, tag, write};
use kakitome_pki::cert::file::Kind;
use kakitome_pki::cert::flaw::{Flaw, Found};
use kakitome_pki::cert::pem::Block;
use kakitome_pki::cert::pkcs12::{self, Bag, Held, NotRead, Protection};
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{
    self, EncryptedKey, KeyNotOpened, Material, NoKey, Password, PasswordEncryption, PublicKey, ROUNDS_FEW,
    outline_private_key,
};

use super::{Field, INSIDE_LIMIT, Note, Object, Remark, Severity, Value, certificate, revocation};

/// A private key in the clear, or one that was opened.
pub(super) fn private(der: &[u8], by: Option<&PasswordEncryption>) -> Object {
    let Some(outline) = outline_private_key(der) else {
        return Object::unreadable(Kind::PrivateKey, Malformed::new("it has the form of no private key"));
    };
    let mut object = Object::new(Kind::PrivateKey);
    object.title.clone_from(&outline.kind);
    object.text(Field::Key, outline.kind.clone());
    object.text(Field::Form, outline.form.name());
    if let Some(material) = outline.material {
        object.text(
            Field::Material,
            match material {
                Material::Seed => "seed",
                Material::Expanded => "expandedKey",
                Material::Both => "seed, expandedKey",
            },
        );
    }
    match by {
        Some(by) => encryption(&mut object, by),
        None => object.note(Note::PlainKey, ""),
    }
    match outline.public {
        Ok(spki) => object.fields.push((Field::KeySha256, Value::Hash(crypto::sha256(&spki)))),
        // A kind that is not known is no fault of the file.
        Err(NoKey::Unknown) => {
            object.remarks.push(Remark::Flaw(Found { flaw: Flaw::KeyUnknown, detail: outline.kind }))
        }
        Err(why) => object.note(Note::KeyRefused, why.to_string()),
    }
    object
}

/// How something is encrypted, and what is to be said of that.
fn encryption(object: &mut Object, by: &PasswordEncryption) {
    object.text(Field::Encryption, told(&by.name(), by.rounds()));
    weaknesses(object, by.cipher(), by.rounds());
}

fn told(name: &str, rounds: Option<u32>) -> String {
    rounds.map_or_else(|| name.to_owned(), |rounds| format!("{name}, {rounds} rounds"))
}

fn weaknesses(object: &mut Object, cipher: Cipher, rounds: Option<u32>) {
    let note = match cipher {
        Cipher::Rc2Cbc { bits: ..=64 } => Some(Note::Rc2),
        cipher if cipher.is_weak() => Some(Note::OldCipher),
        _ => None,
    };
    if let Some(note) = note {
        once(object, note, cipher.name());
    }
    if let Some(rounds) = rounds.filter(|rounds| *rounds < ROUNDS_FEW) {
        once(object, Note::FewRounds, rounds.to_string());
    }
}

/// Most files use one form for all of their parts.
fn once(object: &mut Object, note: Note, detail: String) {
    let remark = Remark::Note(note, detail);
    if !object.remarks.contains(&remark) {
        object.remarks.push(remark);
    }
}

pub(super) fn encrypted(block: &Block, password: Option<&str>) -> Object {
    let mut object = Object::new(Kind::EncryptedKey);
    if let Some(cipher) = &block.old_cipher {
        object.text(Field::Encryption, cipher.clone());
        object.note(Note::Unsupported, "PEM encryption of RFC 1421; openssl pkey writes PKCS#8, which is read");
        return object;
    }
    let key = match EncryptedKey::parse(&block.der) {
        Ok(key) => key,
        Err(KeyNotOpened::Unsupported(what)) => {
            object.note(Note::Unsupported, what);
            return object;
        }
        Err(error) => {
            object.note(Note::Unreadable, error.to_string());
            return object;
        }
    };
    encryption(&mut object, &key.encryption);
    match password.map(|password| key.open(&Password::new(password))) {
        Some(Ok(plain)) => object.inside.push(private(&plain, Some(&key.encryption)).without_weaknesses()),
        Some(Err(_)) => object.note(Note::WrongPassword, ""),
        None => object.note(Note::Closed, ""),
    }
    object
}

impl Object {
    /// What stands around it says already how it is encrypted.
    fn without_weaknesses(mut self) -> Self {
        self.fields.retain(|(field, _)| *field != Field::Encryption);
        self.remarks.retain(|remark| remark.severity() == Severity::Error);
        self
    }
}

pub(super) fn public(der: &[u8]) -> Object {
    let mut object = Object::new(Kind::PublicKey);
    match PublicKey::parse(&as_spki(der)) {
        Ok(key) => {
            object.title = key.describe();
            object.text(Field::Key, key.describe());
            object.fields.push((Field::KeySha256, Value::Hash(crypto::sha256(&as_spki(der)))));
            let flaws = [(Flaw::KeyImpossible, !key.is_possible()), (Flaw::KeyShort, key.is_weak())];
            let flaws = flaws.into_iter().filter(|(_, holds)| *holds);
            object.remarks = flaws.map(|(flaw, _)| Remark::Flaw(Found { flaw, detail: key.describe() })).collect();
            object
        }
        Err(malformed) => Object::unreadable(Kind::PublicKey, malformed),
    }
}

/// An RSAPublicKey (RFC 8017 §A.1.1) as the SubjectPublicKeyInfo around it; anything else as it is.
fn as_spki(der: &[u8]) -> Vec<u8> {
    let begins_with = |outer: Tlv<'_>| outer.inside().peek();
    if Der::only(der).ok().and_then(begins_with) == Some(tag::INTEGER) {
        let algorithm = AlgorithmIdentifier::with_null(oid::RSA_ENCRYPTION).to_der();
        return write::sequence(&[&algorithm, &write::bit_string(der)]);
    }
    der.to_vec()
}

pub(super) fn in_pkcs12(octets: &[u8], password: Option<&str>) -> Object {
    let mut object = Object::new(Kind::Pkcs12);
    let outline = match pkcs12::outline(octets) {
        Ok(outline) => outline,
        Err(error) => {
            refused(&mut object, error);
            return object;
        }
    };
    let mut parts: Vec<String> = Vec::new();
    let mut has_integrity = false;
    for protection in &outline {
        let name = told(&protection.name(), protection.rounds());
        match protection {
            Protection::Integrity(_) => {
                has_integrity = true;
                object.text(Field::Integrity, name);
                if protection.has_few_rounds() {
                    once(&mut object, Note::FewRounds, protection.rounds().unwrap_or_default().to_string());
                }
            }
            Protection::Part(by) | Protection::Key(by) => {
                if !parts.contains(&name) {
                    parts.push(name);
                }
                weaknesses(&mut object, by.cipher(), by.rounds());
            }
            Protection::Unknown(_) => object.note(Note::Unsupported, name),
        }
    }
    object.list(Field::Encryption, parts);
    if !has_integrity {
        object.note(Note::NoIntegrity, "");
    }
    // Without any protection there is no password to be asked for.
    match password.or_else(|| outline.is_empty().then_some("")) {
        Some(password) => match pkcs12::open(octets, password) {
            Ok(opened) => held(&mut object, &opened.bags),
            Err(error) => refused(&mut object, error),
        },
        None => object.note(Note::Closed, ""),
    }
    object
}

fn refused(object: &mut Object, error: NotRead) {
    match error {
        NotRead::Password => object.note(Note::WrongPassword, ""),
        NotRead::Malformed(malformed) => object.note(Note::Unreadable, malformed.to_string()),
        // The outline has said so already.
        NotRead::Unsupported(what) => once(object, Note::Unsupported, what),
    }
}

fn held(object: &mut Object, bags: &[Bag]) {
    let certified: Vec<Vec<u8>> = bags
        .iter()
        .filter_map(|bag| match &bag.held {
            Held::Certificate(der) => Certificate::parse(der).ok().map(|certificate| certificate.spki().to_vec()),
            _ => None,
        })
        .collect();
    for bag in bags.iter().take(INSIDE_LIMIT) {
        let mut inner = match &bag.held {
            Held::Certificate(der) => certificate::certificate(der),
            Held::List(der) => revocation::list(der),
            Held::Key(der, by) => {
                let mut inner = private(der, by.as_ref());
                let public = outline_private_key(der).and_then(|outline| outline.public.ok());
                if public.is_some_and(|public| !certified.contains(&public)) {
                    inner.note(Note::KeyAlone, "");
                }
                // The file says it once for all.
                inner.remarks.retain(|remark| !object.remarks.contains(remark));
                inner
            }
            Held::Secret => {
                object.note(Note::Unsupported, "a secret that is no private key");
                continue;
            }
            Held::Other(kind) => {
                object.note(Note::Unsupported, oid::describe(kind));
                continue;
            }
        };
        if let Some(name) = bag.friendly_name.as_ref().filter(|name| !name.is_empty()) {
            inner.fields.insert(0, (Field::FriendlyName, Value::Text(name.clone())));
        } else if let Some(id) = bag.local_key_id.as_ref().filter(|_| matches!(bag.held, Held::Key(..))) {
            inner.fields.insert(0, (Field::FriendlyName, Value::Text(hex(id))));
        }
        object.inside.push(inner);
    }
    let more = bags.len().saturating_sub(INSIDE_LIMIT);
    if more > 0 {
        object.note(Note::More, more.to_string());
    }
}
