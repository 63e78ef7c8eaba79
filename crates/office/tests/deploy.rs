//! Files for members' own mail programs: what stands in them, and how they are handed out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::thread;

use kakitome_office::audit::{self, Actor, Filter, Part};
use kakitome_office::deploy::pickup::{self, Attempt, LONGEST, Standing, TRIES, Ticket};
use kakitome_office::deploy::{self, Account, Code, File, Identity, Member, Program, Sealer};
use kakitome_office::fault::Fault;
use kakitome_office::store::{FILE_NAME, Store};
use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, bundle, pkcs12};
use kakitome_pki::crypto::{KeyKind, SigningKey, SystemRandom};
use kakitome_pki::issue::{Issuance, Issuer, MailUse, Profile, Serial};
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{self, Layer};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::{NOW, in_days};

const ADDRESS: &str = "taro&co@example.jp";

struct Holder {
    certificate: Certificate,
    key: SigningKey,
}

impl Holder {
    fn make(profile: &Profile, issuer: Option<&Self>) -> Self {
        let key = SigningKey::generate(KeyKind::P256).unwrap();
        let serial = Serial::random(&SystemRandom).unwrap();
        let by = issuer.map_or(Issuer::Itself, |issuer| Issuer::Certificate(&issuer.certificate));
        let der = Issuance::new(profile, &serial, in_days(-1), in_days(300), key.spki(), by)
            .and_then(|issuance| issuance.sign(issuer.map_or(&key, |issuer| &issuer.key)))
            .unwrap();
        Self { certificate: Certificate::parse(&der).unwrap(), key }
    }
}

/// A member with a signing key, a key that opens mail, and an old one.
struct World {
    root: Holder,
    signer: Holder,
    signer_chain: Vec<Certificate>,
    identities: Vec<Identity>,
}

impl World {
    fn new() -> Self {
        let name = |name: &str| Name::build(&[(oid::COMMON_NAME, name)]);
        let root = Holder::make(&Profile::root(&name("Root <of> tests")), None);
        let issuing = Holder::make(&Profile::issuing(&name("Issuing CA"), &[]), Some(&root));
        let address = Address::parse(ADDRESS).unwrap();
        let of = |usage| Holder::make(&Profile::member(&address, usage), Some(&issuing));
        let identity = |holder: &Holder, signs, is_retired| Identity {
            key: holder.key.to_pkcs8().unwrap(),
            certificate: holder.certificate.clone(),
            chain: vec![issuing.certificate.clone()],
            signs,
            opens: !signs,
            is_retired,
        };
        let signer = of(MailUse::Sign);
        let identities = vec![
            identity(&signer, true, false),
            identity(&of(MailUse::Encrypt), false, false),
            identity(&of(MailUse::Encrypt), false, true),
        ];
        let signer_chain = vec![signer.certificate.clone(), issuing.certificate.clone()];
        Self { root, signer, signer_chain, identities }
    }

    fn member<'a>(&'a self, account: Option<&'a Account>) -> Member<'a> {
        Member {
            address: ADDRESS,
            name: Some("例示 太郎"),
            organisation: "Example & Sons",
            identities: &self.identities,
            roots: std::slice::from_ref(&self.root.certificate),
            account,
        }
    }

    fn sealer(&self) -> Sealer<'_> {
        Sealer { certificate: &self.signer.certificate, chain: &self.signer_chain, key: &self.signer.key }
    }

    fn files(&self, program: Program, account: Option<&Account>, code: &Code) -> Vec<File> {
        deploy::files(program, &self.member(account), code, Some(&self.sealer()), NOW, &SystemRandom).unwrap()
    }
}

fn code() -> Code {
    Code::generate(&SystemRandom).unwrap()
}

#[test]
fn every_program_gets_its_files_and_no_name_leads_elsewhere() {
    let mut world = World::new();
    // stretching the password of each key takes its time
    world.identities.truncate(1);
    let rows: [(Program, &[&str]); 5] = [
        (Program::Apple, &["taro_co-at-example.jp.mobileconfig"]),
        (Program::Thunderbird, &["taro_co-at-example.jp.p12", "policies.json", "kakitome-ca.pem"]),
        (Program::Outlook, &["taro_co-at-example.jp.p12", "kakitome-ca.cer"]),
        (Program::Android, &["taro_co-at-example.jp.p12", "kakitome-ca.cer"]),
        (Program::Exchange, &["kakitome-ca.sst", "kakitome-ca.cer"]),
    ];
    for (program, expected) in rows {
        let code = code();
        let files = world.files(program, None, &code);
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, expected);
        for file in files {
            assert_eq!(!file.keys.is_empty(), file.name.starts_with("taro"), "{}", file.name);
            let holds = |text: &str| file.octets.windows(text.len()).any(|octets| octets == text.as_bytes());
            assert!(!holds(code.reveal()), "{}: the password never stands beside what it opens", file.name);
        }
    }
}

#[test]
fn a_key_file_holds_each_key_once_under_the_code_alone() {
    let world = World::new();
    for (program, form) in [(Program::Thunderbird, "AES-256"), (Program::Android, "3DES")] {
        let code = code();
        let file = &world.files(program, None, &code)[0];
        let opened = pkcs12::open(&file.octets, code.reveal()).unwrap();
        assert_eq!(opened.keys().count(), 3);
        // three of the member, the issuing CA once; the root is not believed for having come along
        assert_eq!(opened.certificates().count(), 4);
        assert!(pkcs12::open(&file.octets, &code.reveal().replace('-', "")).is_err());
        let parts = pkcs12::outline(&file.octets).unwrap();
        assert!(parts.iter().all(|part| !part.has_few_rounds()), "{parts:?}");
        assert!(parts.iter().any(|part| part.name().contains(form)), "{parts:?}");
    }
}

/// The text of a profile, once its signature was found to be good by our own engine.
fn profile(world: &World, account: Option<&Account>, code: &Code) -> String {
    let file = &world.files(Program::Apple, account, code)[0];
    let opened = open::open(&file.octets.as_slice(), &InMemory, &NoKeys).unwrap();
    let Layer::Signed(layer) = opened.layer else { panic!("the profile is not signed") };
    assert!(layer.outcome.verified.is_some());
    let from = find(&file.octets, b"<?xml").unwrap();
    let to = find(&file.octets, b"</plist>").unwrap();
    String::from_utf8(file.octets[from..to].to_vec()).unwrap()
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|window| window == wanted)
}

fn value<'a>(profile: &'a str, key: &str) -> Vec<&'a str> {
    let wanted = format!("<key>{key}</key>");
    let found = profile.split(&wanted).skip(1);
    found
        .map(|rest| rest.trim_start().split('<').nth(1).unwrap().split_once('>').map_or("", |(_, text)| text))
        .collect()
}

#[test]
fn a_profile_names_its_parts_alike_each_time() {
    let mut world = World::new();
    let imap = Account::Imap { incoming: "imap.example.jp".to_owned(), outgoing: "smtp.example.jp".to_owned() };
    let exchange = Account::Exchange { host: "mail.example.jp".to_owned() };
    let one = profile(&world, Some(&imap), &code());
    let kinds = value(&one, "PayloadType");
    let pkcs12 = "com.apple.security.pkcs12";
    let expected =
        ["com.apple.security.root", "com.apple.security.pkcs1", pkcs12, pkcs12, pkcs12, "com.apple.mail.managed"];
    // the profile itself says first what it is
    assert_eq!((kinds[0], &kinds[1..]), ("Configuration", &expected[..]));
    let uuids = value(&one, "PayloadUUID");
    assert_eq!(value(&one, "SMIMESigningCertificateUUID"), [uuids[3]]);
    assert_eq!(value(&one, "SMIMEEncryptionCertificateUUID"), [uuids[4]], "never the old one");
    assert_eq!(value(&one, "EmailAddress"), ["taro&amp;co@example.jp"]);
    assert!(one.contains("Root &lt;of&gt; tests"));
    assert!(!one.contains("<key>Password</key>"), "the device asks for it");
    world.identities.truncate(1);
    let other = profile(&world, Some(&exchange), &code());
    assert!(other.contains("com.apple.eas.account"));
    assert_eq!(value(&other, "PayloadUUID")[..4], uuids[..4]);
    assert_eq!(value(&other, "PayloadIdentifier")[..4], value(&one, "PayloadIdentifier")[..4]);
    assert!(!profile(&world, None, &code()).contains("EmailAddress"));
    let unique: HashSet<&str> = uuids.iter().copied().collect();
    assert_eq!(unique.len(), uuids.len());
    for uuid in uuids {
        assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'8' && b"89AB".contains(&uuid.as_bytes()[19]), "{uuid}");
    }
}

#[test]
fn exchange_gets_every_ca_certificate_and_no_key() {
    let world = World::new();
    let file = &world.files(Program::Exchange, None, &code())[0];
    let chain = [&world.root.certificate, &world.identities[0].chain[0]];
    assert_eq!(file.octets, bundle::write_store(chain.iter().map(|one| one.raw())));
}

#[test]
fn who_has_no_key_gets_no_file() {
    let mut world = World::new();
    world.identities.clear();
    let member = world.member(None);
    let sealer = Sealer { certificate: &world.signer.certificate, chain: &[], key: &world.signer.key };
    let refused = deploy::files(Program::Outlook, &member, &code(), Some(&sealer), NOW, &SystemRandom).unwrap_err();
    assert!(matches!(refused, Fault::NoKeyToDeploy { .. }), "{refused}");
    assert!(deploy::files(Program::Exchange, &member, &code(), Some(&sealer), NOW, &SystemRandom).is_ok());
}

fn actor() -> Actor {
    Actor::part("test", Part::Web)
}

fn offered(store: &Store, seconds: i64) -> Ticket {
    let until = NOW.plus(seconds);
    pickup::offer(store, &actor(), "taro@example.jp", Program::Apple, until, NOW, &SystemRandom).unwrap()
}

fn file() -> File {
    File { name: "f".to_owned(), octets: b"file".to_vec(), media_type: "text/plain", keys: vec!["0a".to_owned()] }
}

fn take(store: &Store, ticket: &Ticket, typed: &str, seconds: i64) -> Attempt {
    pickup::take(store, &actor(), &ticket.token, typed, NOW.plus(seconds), |_, _| Ok(file())).unwrap()
}

fn acts(store: &Store) -> Vec<String> {
    let mut acts = Vec::new();
    audit::each(store, &Filter::default(), |record| {
        assert_eq!(record.subject, "taro@example.jp");
        acts.push(record.act.clone());
        Ok::<(), Fault>(())
    })
    .unwrap();
    acts
}

#[test]
fn a_file_is_taken_once_with_the_right_code() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let ticket = offered(&store, 600);
    // looking, even by programs, uses nothing up
    for _ in 0..10 {
        assert_eq!(pickup::look(&store, &ticket.token, NOW).unwrap().unwrap().left(), TRIES);
    }
    assert!(
        matches!(take(&store, &ticket, "22222-22222-22222-22222-22222", 1), Attempt::Wrong(offer) if offer.left() == 4)
    );
    assert!(matches!(take(&store, &ticket, "", 1), Attempt::Wrong(offer) if offer.left() == 3));
    assert_eq!(take(&store, &ticket, ticket.code.reveal(), 600), Attempt::File(file()));
    for typed in [ticket.code.reveal(), "wrong"] {
        assert_eq!(take(&store, &ticket, typed, 600), Attempt::Gone);
    }
    assert_eq!(pickup::look(&store, &ticket.token, NOW).unwrap(), None);
    assert_eq!(acts(&store), ["pickup.offered", "pickup.refused", "pickup.refused", "pickup.taken", "key.exported"]);
    let listed = pickup::list(&store, NOW).unwrap();
    assert_eq!((listed.len(), listed[0].standing), (1, Standing::Taken(NOW.plus(600))));
}

#[test]
fn what_is_over_is_over_even_with_the_right_code() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let standing = |ticket: &Ticket, seconds| {
        let listed = pickup::list(&store, NOW.plus(seconds)).unwrap();
        listed.into_iter().find(|offer| offer.id == ticket.offer.id).unwrap().standing
    };
    let late = offered(&store, 600);
    assert_eq!(take(&store, &late, late.code.reveal(), 601), Attempt::Gone);
    assert_eq!(standing(&late, 601), Standing::Expired);

    let spent = offered(&store, 600);
    for _ in 0..TRIES {
        assert!(matches!(take(&store, &spent, "wrong", 1), Attempt::Wrong(_)));
    }
    assert_eq!(take(&store, &spent, spent.code.reveal(), 1), Attempt::Gone);
    assert_eq!(standing(&spent, 1), Standing::Spent);

    let withdrawn = offered(&store, 600);
    assert_eq!(pickup::withdraw(&store, &actor(), &withdrawn.offer.id, NOW).unwrap(), 1);
    assert_eq!(pickup::withdraw(&store, &actor(), &withdrawn.offer.id, NOW).unwrap(), 0);
    assert_eq!(take(&store, &withdrawn, withdrawn.code.reveal(), 1), Attempt::Gone);
    assert_eq!(standing(&withdrawn, 1), Standing::Withdrawn(NOW));

    let long = offered(&store, 10 * LONGEST);
    assert_eq!(long.offer.until, NOW.plus(LONGEST));

    let open = offered(&store, 600);
    for token in ["", "a", "../../etc", &"A".repeat(43), &open.token[1..]] {
        let taken = pickup::take(&store, &actor(), token, open.code.reveal(), NOW, |_, _| Ok(file())).unwrap();
        assert_eq!(taken, Attempt::Gone, "{token}");
        assert_eq!(pickup::look(&store, token, NOW).unwrap(), None);
    }
}

#[test]
fn a_file_that_cannot_be_made_is_still_offered() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let ticket = offered(&store, 600);
    let fails = |_: &pickup::Offer, _: &Code| Err(Fault::NoRandomness);
    assert!(pickup::take(&store, &actor(), &ticket.token, ticket.code.reveal(), NOW, fails).is_err());
    assert_eq!(take(&store, &ticket, ticket.code.reveal(), 1), Attempt::File(file()));
}

#[test]
fn of_many_at_once_one_gets_the_file_and_nobody_gets_more_tries() {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(data.path()).unwrap());
    let ticket = Arc::new(offered(&store, 600));
    let together = |ticket: &Arc<Ticket>, typed: &str| {
        let threads: Vec<_> = (0..12)
            .map(|_| {
                let (store, ticket, typed) = (Arc::clone(&store), Arc::clone(ticket), typed.to_owned());
                thread::spawn(move || take(&store, &ticket, &typed, 1))
            })
            .collect();
        let ended: Vec<Attempt> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let count = |is: fn(&Attempt) -> bool| ended.iter().filter(|attempt| is(attempt)).count();
        (count(|one| matches!(one, Attempt::File(_))), count(|one| matches!(one, Attempt::Wrong(_))))
    };
    assert_eq!(together(&ticket, ticket.code.reveal()), (1, 0));
    let ticket = Arc::new(offered(&store, 600));
    assert_eq!(together(&ticket, "wrong"), (0, usize::try_from(TRIES).unwrap()));
}

#[test]
fn neither_link_nor_code_stands_in_the_store() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let ticket = offered(&store, 600);
    take(&store, &ticket, ticket.code.reveal(), 1);
    let mut stored = fs::read(data.path().join(FILE_NAME)).unwrap();
    stored.extend(fs::read(data.path().join(format!("{FILE_NAME}-wal"))).unwrap_or_default());
    assert!(find(&stored, b"taro@example.jp").is_some());
    for secret in
        [ticket.token.as_bytes(), ticket.code.reveal().as_bytes(), ticket.code.reveal().replace('-', "").as_bytes()]
    {
        assert!(find(&stored, secret).is_none());
    }
    assert!(!format!("{ticket:?}").contains(ticket.code.reveal()));
}
