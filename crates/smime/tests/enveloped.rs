//! Encrypted objects: every algorithm for every kind of recipient, there and back; and what is refused, and how.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;

use kakitome_pki::algorithm::{Cipher, Digest, KeyTransport, KeyWrap};
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{KeyEncryptionKey, SystemRandom};
use kakitome_smime::cms::content::{Object, read};
use kakitome_smime::cms::enveloped::{Envelope, Enveloped, Opening};
use kakitome_smime::cms::recipient::{HeldKeys, Holder, Keys, Naming, NoKeys, Recipient, Unaddressable};
use kakitome_smime::octets::{InMemory, read_range};
use kakitome_testkit::cms::Form;
use kakitome_testkit::envelope::{EnvelopeFactory, Takes, key_transport};
use kakitome_testkit::{CertificateFactory, NOW, in_days, weak_spki, write};
use zeroize::Zeroizing;

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nThe bill is attached.\r\n";

fn sealed(recipients: &[Recipient], cipher: Cipher, content: &[u8]) -> Vec<u8> {
    let envelope = Envelope::new(recipients, cipher, &SystemRandom).unwrap();
    let mut sealing = envelope.begin(content.len() as u64, Vec::new()).unwrap();
    sealing.write_all(content).unwrap();
    sealing.finish().unwrap()
}

fn to(certificate: &Certificate) -> Recipient {
    Recipient::certificate(certificate, KeyTransport::Pkcs1, Naming::default(), NOW).unwrap()
}

fn holding(holders: impl IntoIterator<Item = Holder>) -> HeldKeys<'static> {
    let mut keys = HeldKeys::new(&SystemRandom);
    holders.into_iter().for_each(|holder| keys.hold(holder));
    keys
}

fn parsed(object: &[u8]) -> Box<Enveloped> {
    match read(&object.to_vec(), &InMemory).unwrap() {
        Object::Enveloped(enveloped) => enveloped,
        Object::Broken(finding, _) => panic!("{finding:?}"),
        _ => panic!("nothing encrypted"),
    }
}

/// What comes of opening: the content, or the code of the finding.
fn opened(object: &[u8], keys: &dyn Keys) -> Result<Vec<u8>, String> {
    match parsed(object).open(&object.to_vec(), keys, &InMemory).unwrap() {
        Opening::Open(plain) => Ok(read_range(plain.octets(), 0..plain.octets().len(), usize::MAX).unwrap()),
        Opening::NoKey => Err("no key".to_owned()),
        Opening::Refused(finding) => Err(format!("{}: {}", finding.code, finding.detail)),
        Opening::Failed(finding) => Err(finding.code.to_owned()),
    }
}

/// Recipients of every kind, each with the keys that open it.
fn kinds() -> Vec<(String, Recipient, HeldKeys<'static>)> {
    let mut rows = Vec::new();
    for takes in Takes::ALL {
        for naming in [Naming::IssuerAndSerial, Naming::KeyIdentifier] {
            let holder = takes.holder("holder");
            let recipient = Recipient::certificate(&holder.certificate, KeyTransport::Pkcs1, naming, NOW).unwrap();
            rows.push((format!("{takes:?} {naming:?}"), recipient, holding([holder])));
        }
    }
    for transport in [
        KeyTransport::oaep(Digest::Sha1),
        KeyTransport::oaep(Digest::Sha256),
        KeyTransport::oaep(Digest::Sha384),
        KeyTransport::oaep(Digest::Sha512),
        KeyTransport::Oaep { hash: Digest::Sha256, mask: Digest::Sha1, label: b"label".to_vec() },
    ] {
        let holder = Takes::Rsa.holder("holder");
        let name = transport.name();
        let recipient = Recipient::certificate(&holder.certificate, transport, Naming::default(), NOW).unwrap();
        rows.push((name, recipient, holding([holder])));
    }
    for wrap in [KeyWrap::Aes128, KeyWrap::Aes192, KeyWrap::Aes256] {
        let secret = vec![7; wrap.key_len()];
        let mut keys = holding([]);
        keys.hold_secret(b"ours", Zeroizing::new(secret.clone()));
        let recipient = Recipient::secret(b"ours", KeyEncryptionKey::new(wrap, &secret).unwrap());
        rows.push((format!("{wrap:?}"), recipient, keys));
    }
    let mut keys = holding([]);
    keys.hold_password(Zeroizing::new(b"wrong".to_vec()));
    keys.hold_password(Zeroizing::new(b"open sesame".to_vec()));
    rows.push(("password".to_owned(), Recipient::password(Zeroizing::new(b"open sesame".to_vec())), keys));
    rows
}

#[test]
fn every_cipher_reaches_every_kind_of_recipient() {
    for (name, recipient, keys) in kinds() {
        let recipients = [recipient];
        for cipher in Cipher::WRITTEN {
            // Password recipients cost a quarter of a second each.
            if name == "password" && !matches!(cipher, Cipher::Aes128Cbc | Cipher::Aes256Gcm) {
                continue;
            }
            for content in [CONTENT, &[0x61; 16], &[0x62; 200_000], b""] {
                if name == "password" && content != CONTENT {
                    continue;
                }
                let object = sealed(&recipients, cipher, content);
                let enveloped = parsed(&object);
                assert_eq!(enveloped.findings, [], "{name} {cipher:?}");
                assert_eq!(opened(&object, &keys).as_deref(), Ok(content), "{name} {cipher:?} {}", content.len());
                assert_eq!(opened(&object, &NoKeys), Err("no key".to_owned()));
            }
        }
    }
}

#[test]
fn what_is_written_is_der() {
    for (cipher, content) in [(Cipher::Aes256Cbc, CONTENT), (Cipher::Aes256Gcm, CONTENT), (Cipher::Aes128Gcm, b"")] {
        let all: Vec<Recipient> = Takes::ALL.iter().map(|takes| to(&takes.holder("many").certificate)).collect();
        let object = sealed(&all, cipher, content);
        let captured = kakitome_smime::cms::reader::Reader::new(&object).capture(usize::MAX, "").unwrap().unwrap();
        assert!(captured.was_der && captured.der == object);
        assert_eq!(opened(&object, &holding([Takes::X25519.holder("many")])).as_deref(), Ok(content));
        assert_eq!(opened(&object, &holding([Takes::P256.holder("stranger")])), Err("no key".to_owned()));
    }
}

/// Asks another holder, and counts how often.
struct Asked<'a>(HeldKeys<'a>, std::cell::Cell<usize>);

impl Keys for Asked<'_> {
    fn content_key(
        &self,
        question: &kakitome_smime::cms::recipient::Question<'_>,
    ) -> std::io::Result<kakitome_smime::cms::recipient::Answer> {
        self.1.set(self.1.get() + 1);
        self.0.content_key(question)
    }
}

#[test]
fn one_of_many_recipients_is_found_and_the_first_of_ours_decides() {
    let crowd: Vec<Vec<u8>> = (0..5000u32)
        .map(|number| {
            let holder = Takes::X25519.holder_of("crowd", |factory| factory.serial(&number.to_be_bytes()));
            key_transport(&holder.certificate, None, &[1; 256])
        })
        .collect();
    let (first, second) = (Takes::Rsa.holder("first"), Takes::P256.holder("second"));
    let real = sealed(&[to(&second.certificate)], Cipher::Aes256Gcm, CONTENT);
    let wrapped = |keys: HeldKeys<'static>, broken_first: bool| {
        // The recipient info of a real message, behind everybody else's, and behind one of ours that opens nothing.
        let original = parsed(&real);
        let mut factory = EnvelopeFactory::new(oid::AUTH_ENVELOPED_DATA)
            .algorithm(original.algorithm.to_der())
            .content(Some(&encrypted(&real)))
            .mac(&original.mac);
        factory = crowd.iter().fold(factory, |factory, info| factory.recipient(info.clone()));
        if broken_first {
            factory = factory.recipient(key_transport(&first.certificate, None, &[1; 256]));
        }
        let object = factory.recipient(recipient_info(&real)).der();
        let asked = Asked(keys, std::cell::Cell::new(0));
        let opened = opened(&object, &asked);
        assert_eq!(asked.1.get(), 1);
        opened
    };
    assert_eq!(wrapped(holding([Takes::P256.holder("second")]), true).as_deref(), Ok(CONTENT));
    assert_eq!(
        wrapped(holding([Takes::P256.holder("second"), Takes::Rsa.holder("first")]), false).as_deref(),
        Ok(CONTENT)
    );
    // Ours, and first: its wrong key is tried on the content, and nothing else.
    assert_eq!(
        wrapped(holding([Takes::P256.holder("second"), Takes::Rsa.holder("first")]), true),
        Err("enc.failed".to_owned())
    );
}

/// The encrypted content of an object that was written here: its last octets, before those of the tag.
fn encrypted(object: &[u8]) -> Vec<u8> {
    let length = usize::try_from(parsed(object).encrypted_len().unwrap()).unwrap();
    object[object.len() - length - 18..object.len() - 18].to_vec()
}

fn recipient_info(object: &[u8]) -> Vec<u8> {
    let octets = object.to_vec();
    let mut reader = kakitome_smime::cms::reader::Reader::new(&octets);
    let mut info = reader.enter(0x30, "").unwrap();
    info.skip().unwrap();
    let mut explicit = info.enter(0xa0, "").unwrap();
    let mut object = explicit.enter(0x30, "").unwrap();
    object.skip().unwrap();
    let mut set = object.enter(0x31, "").unwrap();
    set.capture(100_000, "").unwrap().unwrap().der.into_owned()
}

#[test]
fn every_form_of_ber_is_opened() {
    let holder = Takes::P256.holder("holder");
    for cipher in [Cipher::Aes256Cbc, Cipher::Aes128Gcm] {
        let content = b"0123456789".repeat(500);
        let object = sealed(&[to(&holder.certificate)], cipher, &content);
        let original = parsed(&object);
        let length = usize::try_from(original.encrypted_len().unwrap()).unwrap();
        let behind = if cipher.is_authenticated() { 18 } else { 0 };
        let encrypted = &object[object.len() - length - behind..object.len() - behind];
        for form in [Form::Der, Form::Indefinite(1), Form::Indefinite(1000), Form::Pieces(1), Form::Pieces(64)] {
            let kind = if cipher.is_authenticated() { oid::AUTH_ENVELOPED_DATA } else { oid::ENVELOPED_DATA };
            let factory = EnvelopeFactory::new(kind).version(if cipher.is_authenticated() { 0 } else { 2 });
            let again = factory
                .algorithm(original.algorithm.to_der())
                .recipient(recipient_info(&object))
                .content(Some(encrypted))
                .mac(&original.mac)
                .form(form)
                .der();
            assert_eq!(parsed(&again).findings, []);
            assert_eq!(
                opened(&again, &holding([Takes::P256.holder("holder")])).as_deref(),
                Ok(&content[..]),
                "{form:?}"
            );
        }
    }
}

#[test]
fn whatever_fails_behind_the_key_fails_alike() {
    let rsa = Takes::Rsa.holder("holder");
    let transports = [KeyTransport::Pkcs1, KeyTransport::oaep(Digest::Sha256)];
    let mut recipients: Vec<Recipient> = transports
        .into_iter()
        .map(|transport| Recipient::certificate(&rsa.certificate, transport, Naming::default(), NOW).unwrap())
        .collect();
    recipients.extend([Takes::P256, Takes::X25519].map(|takes| to(&takes.holder("holder").certificate)));
    let keys = holding(Takes::ALL.map(|takes| takes.holder("holder")));
    for recipient in recipients {
        let recipients = [recipient];
        let object = sealed(&recipients, Cipher::Aes256Gcm, CONTENT);
        assert_eq!(opened(&object, &keys).as_deref(), Ok(CONTENT));
        // The last octets are the tag, before it the content, before the content the wrapped key.
        for from_end in [1, 20, 120] {
            let mut changed = object.clone();
            let at = if from_end == 120 { end_of_wrapped_key(&object) } else { object.len() - from_end };
            changed[at] ^= 1;
            assert_eq!(opened(&changed, &keys), Err("enc.failed".to_owned()), "{from_end}");
        }
    }
}

/// Where the last octet of the wrapped key stands: before `encryptedContentInfo`.
fn end_of_wrapped_key(object: &[u8]) -> usize {
    let info = recipient_info(object);
    let start = object.windows(info.len()).position(|window| window == info).unwrap();
    start + info.len() - 1
}

#[test]
fn what_the_message_says_openly_is_refused_by_name() {
    let holder = Takes::Rsa.holder("holder");
    let info = || key_transport(&holder.certificate, None, &[1; 256]);
    let enveloped = || EnvelopeFactory::new(oid::ENVELOPED_DATA).recipient(info());
    let sealed = || EnvelopeFactory::new(oid::AUTH_ENVELOPED_DATA).recipient(info());
    let gcm = |nonce: usize, tag: u8| {
        let parameters = der::sequence(&[&der::octet_string(&vec![7; nonce]), &der::unsigned(&[tag])]);
        der::sequence(&[&der::oid(&oid::AES256_GCM), &parameters])
    };
    let cbc = |iv: usize| der::sequence(&[&der::oid(&oid::AES256_CBC), &der::octet_string(&vec![7; iv])]);
    let named = |kind| der::sequence(&[&der::oid(&kind), der::NULL]);
    let transport = |algorithm: &[u8], key: &[u8]| {
        EnvelopeFactory::new(oid::ENVELOPED_DATA).recipient(key_transport(&holder.certificate, Some(algorithm), key))
    };
    let content_type = |kind| der::sequence(&[&der::oid(&oid::CONTENT_TYPE), &der::element(0x31, &[&der::oid(&kind)])]);
    for (name, factory, code) in [
        ("aead in enveloped-data", enveloped().algorithm(gcm(12, 16)), "enc.refused"),
        ("cbc in auth-enveloped-data", sealed().algorithm(cbc(16)), "enc.refused"),
        ("tag of one octet", sealed().algorithm(gcm(12, 1)).mac(&[1]), "enc.refused"),
        ("tag of four octets", sealed().algorithm(gcm(12, 4)).mac(&[1; 4]), "enc.refused"),
        ("tag of eleven octets", sealed().algorithm(gcm(12, 11)).mac(&[1; 11]), "enc.refused"),
        ("tag cut", sealed().mac(&[1; 12]), "enc.refused"),
        ("no tag", sealed().mac(&[]), "enc.refused"),
        ("long nonce", sealed().algorithm(gcm(4000, 16)), "enc.refused"),
        ("no nonce", sealed().algorithm(gcm(0, 16)), "enc.refused"),
        ("iv of eight octets", enveloped().algorithm(cbc(8)), "enc.refused"),
        ("iv too long", enveloped().algorithm(cbc(32)), "enc.refused"),
        ("cipher without parameters", enveloped().algorithm(named(oid::AES256_CBC)), "enc.refused"),
        ("unknown cipher", enveloped().algorithm(named(oid::CHACHA20_POLY1305)), "enc.unsupported"),
        ("content missing", enveloped().content(None), "enc.refused"),
        ("content missing, authenticated", sealed().content(None), "enc.refused"),
        ("content empty", enveloped().content(Some(&[])), "enc.refused"),
        ("content cut", enveloped().content(Some(&[1; 63])), "enc.refused"),
        ("key longer than any", transport(&named(oid::RSA_ENCRYPTION), &[1; 4096]), "enc.refused"),
        ("unknown key transport", transport(&named(oid::CHACHA20_POLY1305), &[1; 256]), "enc.unsupported"),
        ("malformed oaep", transport(&named(oid::RSAES_OAEP), &[1; 256]), "enc.refused"),
        ("authenticated type differs", sealed().authenticated(content_type(oid::SIGNED_DATA)), "cms.contenttype"),
        ("authenticated type missing", sealed().content_type(oid::SIGNED_DATA), "cms.contenttype"),
        (
            "authenticated type twice",
            sealed().authenticated(content_type(oid::DATA)).authenticated(content_type(oid::DATA)),
            "cms.contenttype",
        ),
        // Nothing odd about it but its key: what is refused above is refused for the flaw alone.
        ("no flaw, enveloped-data", enveloped(), "enc.failed"),
        ("no flaw, auth-enveloped-data", sealed(), "enc.failed"),
    ] {
        let keys = holding([Takes::Rsa.holder("holder")]);
        let refused = opened(&factory.der(), &keys);
        // A random key gives a padding that looks right once in 256 times.
        let lucky = name == "no flaw, enveloped-data" && refused.is_ok();
        assert!(lucky || refused.as_ref().is_err_and(|said| said.starts_with(code)), "{name}: {refused:?}");
    }
}

#[test]
fn passwords_are_not_stretched_for_ever() {
    let info = |rounds: &[u8]| {
        let parameters = der::sequence(&[&der::octet_string(b"saltsalt"), &der::unsigned(rounds)]);
        let derivation = der::context(0, &[&der::oid(&oid::PBKDF2), &parameters]);
        let cipher = der::sequence(&[&der::oid(&oid::AES256_CBC), &der::octet_string(&[7; 16])]);
        let wrap = der::sequence(&[&der::oid(&oid::PWRI_KEK), &cipher]);
        der::context(3, &[&der::unsigned(&[0]), &derivation, &wrap, &der::octet_string(&[1; 48])])
    };
    let ten_million: &[u8] = &[0x98, 0x96, 0x80];
    for (infos, expected) in [
        (vec![info(&[1])], "enc.failed"),
        (vec![info(&[1]), info(&[2])], "enc.failed"),
        (vec![info(&[0x98, 0x96, 0x81])], "enc.refused"),
        // Each may be asked for by itself, and both together not.
        (vec![info(&[1]), info(ten_million)], "enc.refused"),
    ] {
        // Authenticated, so that a random key opens nothing even by chance.
        let factory = EnvelopeFactory::new(oid::AUTH_ENVELOPED_DATA);
        let object = infos.into_iter().fold(factory, EnvelopeFactory::recipient).der();
        let mut keys = holding([]);
        keys.hold_password(Zeroizing::new(b"open sesame".to_vec()));
        let said = opened(&object, &keys).unwrap_err();
        assert!(said.starts_with(expected), "{said}, not {expected}");
    }
}

#[test]
fn oddities_are_told_and_do_not_hinder() {
    let holder = Takes::Rsa.holder("holder");
    let info = key_transport(&holder.certificate, None, &[1; 256]);
    let codes = |factory: EnvelopeFactory| {
        parsed(&factory.der()).findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let base = || EnvelopeFactory::new(oid::ENVELOPED_DATA).recipient(info.clone());
    let attribute = |kind| der::sequence(&[&der::oid(&kind), &der::element(0x31, &[&der::octet_string(b"x")])]);
    assert_eq!(codes(base()), [""; 0]);
    assert_eq!(codes(base().version(2)), ["cms.version"]);
    assert_eq!(codes(base().recipient(der::sequence(&[&der::unsigned(&[0])]))), ["enc.recipient"]);
    assert_eq!(codes(base().unprotected(attribute(oid::CONTENT_IDENTIFIER)).version(2)), [""; 0]);
    assert_eq!(codes(base().originator(std::slice::from_ref(&holder.certificate)).version(2)), [""; 0]);
    let unordered = EnvelopeFactory::new(oid::AUTH_ENVELOPED_DATA)
        .recipient(info.clone())
        .authenticated(attribute(oid::CONTENT_IDENTIFIER))
        .authenticated(attribute(oid::SIGNING_TIME));
    assert_eq!(codes(unordered), ["cms.attrs-der"]);
    let original = sealed(&[to(&holder.certificate)], Cipher::Aes256Cbc, CONTENT);
    let with_trailing = [original.clone(), vec![0]].concat();
    assert_eq!(parsed(&with_trailing).findings[0].code, "cms.trailing");
    let keys = holding([holder]);
    assert_eq!(opened(&with_trailing, &keys).as_deref(), Ok(CONTENT));
}

#[test]
fn plain_text_that_may_be_anybodys_says_so_for_ever() {
    for (cipher, expected) in [(Cipher::Aes256Cbc, vec!["enc.unauthenticated"]), (Cipher::Aes256Gcm, vec![])] {
        let holder = Takes::P384.holder("holder");
        let object = sealed(&[to(&holder.certificate)], cipher, CONTENT);
        let Opening::Open(plain) = parsed(&object).open(&object, &holding([holder]), &InMemory).unwrap() else {
            panic!("{cipher:?}")
        };
        assert_eq!(plain.is_authenticated(), cipher.is_authenticated());
        assert_eq!(plain.findings().iter().map(|finding| finding.code).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn nobody_encrypts_to_what_is_not_for_encryption() {
    let rsa =
        |edit: &dyn Fn(CertificateFactory) -> CertificateFactory| Takes::Rsa.holder_of("holder", edit).certificate;
    let curve =
        |edit: &dyn Fn(CertificateFactory) -> CertificateFactory| Takes::P256.holder_of("holder", edit).certificate;
    let usage = |bits: &'static [u8]| {
        move |factory: CertificateFactory| factory.with(oid::KEY_USAGE, true, der::named_bits(bits))
    };
    let purpose =
        |kind| move |factory: CertificateFactory| factory.with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[kind]));
    let address = |certificate: Certificate| {
        Recipient::certificate(&certificate, KeyTransport::Pkcs1, Naming::default(), NOW).map(drop)
    };
    let ed25519 = kakitome_testkit::ed25519_key("signs");
    for (certificate, expected) in [
        (rsa(&|factory| factory), Ok(())),
        (curve(&|factory| factory), Ok(())),
        (rsa(&|factory| factory.without(oid::KEY_USAGE)), Ok(())),
        (rsa(&|factory| factory.without(oid::EXTENDED_KEY_USAGE)), Ok(())),
        (rsa(&usage(&[0, 2])), Ok(())),
        (rsa(&usage(&[0])), Err(Unaddressable::Usage("keyEncipherment"))),
        (rsa(&usage(&[4])), Err(Unaddressable::Usage("keyEncipherment"))),
        (curve(&usage(&[0, 2])), Err(Unaddressable::Usage("keyAgreement"))),
        (rsa(&purpose(oid::SERVER_AUTH)), Err(Unaddressable::Purpose)),
        (rsa(&purpose(oid::ANY_EXTENDED_KEY_USAGE)), Ok(())),
        (rsa(&|factory| factory.valid(in_days(-9), in_days(-1))), Err(Unaddressable::Ended(in_days(-1)))),
        (rsa(&|factory| factory.valid(in_days(1), in_days(9))), Err(Unaddressable::NotYet(in_days(1)))),
        (rsa(&|factory| factory.spki(&weak_spki())), Err(Unaddressable::Weak("RSA 1024".to_owned()))),
        (rsa(&|factory| factory.spki(ed25519.spki())), Err(Unaddressable::Kind("Ed25519".to_owned()))),
    ] {
        assert_eq!(address(certificate), expected);
    }
}
