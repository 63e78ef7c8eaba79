//! Mails of two thousand structures, signed and encrypted as the gateway does it, and opened again by their reader: what is
//! not touched is there byte for byte, what had to be encoded for the way says the same, and no field is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::fault::Fault;
use kakitome_office::outgoing::{Certificates, Outgoing};
use kakitome_office::policy::sealing::{Found, Reader};
use kakitome_office::policy::{Encrypting, Policy, Submission};
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_smime::cms::recipient::{HeldKeys, Holder};
use kakitome_smime::message::open::{Layer, Opened, open};
use kakitome_smime::mime::encoding::{Base64Decoder, QuotedPrintableDecoder};
use kakitome_smime::mime::header::Encoding;
use kakitome_smime::mime::scan::{Entity, Structure, scan};
use kakitome_smime::octets::{InMemory, Octets, read_range};
use kakitome_testkit::NOW;
use kakitome_testkit::envelope::Takes;

/// How many structures.
const COUNT: u64 = 2_000;
/// How many at once.
const WORKERS: u64 = 4;
const SEED: u64 = 0x5851_f42d_4c95_7f2d;

/// xorshift64: the same structures in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Lines of text, each of which a relay or a signature must get right.
const LINES: &[&[u8]] = &[
    b"Hello.",
    b"",
    b".",
    b"..",
    b"From here on",
    b"trailing blanks  ",
    b"a\ttab\t",
    b"-- ",
    b"--b",
    b"=3D=20 that looks encoded",
    b"\x1b$B$3$s$K$A$O\x1b(B",
    "Gr\u{fc}\u{df}e, \u{84dd}".as_bytes(),
    b"\x82\xb1\x82\xf1",
];

/// A leaf: its header fields and its body, which ends without a line end.
fn leaf(chance: &mut Chance) -> Vec<u8> {
    let kind = chance.of(&[
        "",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        "Content-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: 7bit\r\n",
        "Content-Type: text/html;\r\n charset=\"us-ascii\"\r\nContent-Language: ja\r\nX-Own: kept\r\n",
        "Content-Type: text/calendar; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        "base64",
        "quoted",
        "binary",
        "rfc822",
        "signed",
        "pgp",
        "status",
        "Content-Type: text/calendar; method=REQUEST\r\n",
        "Content-Type: application/ms-tnef; name=winmail.dat\r\n",
    ]);
    let mut lines = Vec::new();
    for _ in 0..chance.below(6) {
        lines.extend_from_slice(chance.of(LINES));
        lines.extend_from_slice(b"\r\n");
    }
    if chance.below(8) == 0 {
        lines.extend(std::iter::repeat_n(b'x', [998, 999, 3000][chance.below(3) as usize]));
    }
    let safe = "Hello.\r\nFine.\r\n";
    match kind {
        "base64" => "Content-Type: application/octet-stream; name=\"=?UTF-8?B?5LyB55S7?=\"\r\nContent-Transfer-Encoding: BASE64\r\n\
             Content-Disposition: attachment;\r\n\tfilename*=utf-8''a.bin\r\n\r\nAAECAwQFBgcICQ==\r\n".to_owned()
        .into_bytes(),
        "quoted" => b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                      Gr=C3=BC=C3=9Fe=\r\n, =20\r\n"
            .to_vec(),
        "binary" => [b"Content-Type: application/x-own\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".as_slice(), &lines].concat(),
        "rfc822" => format!("Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\nSubject: inside\r\n\r\n{safe}").into_bytes(),
        "signed" => format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s{0}\r\n\r\n--s{0}\r\n\
             Content-Type: text/plain\r\n\r\n{safe}\r\n--s{0}\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--s{0}--\r\n",
            chance.below(1 << 40)
        )
        .into_bytes(),
        "pgp" => format!("Content-Type: text/plain\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n- {safe}").into_bytes(),
        "status" => format!("Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a.example\r\n\r\n{safe}").into_bytes(),
        fields => [fields.as_bytes(), b"\r\n", &lines].concat(),
    }
}

/// A part: a leaf, or a multipart with parts.
fn part(chance: &mut Chance, depth: u64) -> Vec<u8> {
    if depth == 0 || chance.below(2) == 0 {
        return leaf(chance);
    }
    let boundary = format!("b{}", chance.below(1 << 40));
    let kind = chance.of(&["mixed", "alternative", "related", "digest-not"]);
    let mut out = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    if chance.below(4) == 0 {
        out.extend_from_slice(b"for old programs\r\n");
    }
    for _ in 0..=chance.below(3) {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend(part(chance, depth - 1));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    if chance.below(4) == 0 {
        out.extend_from_slice(b"behind all\r\n");
    }
    out
}

/// A whole mail: fields of many forms before and behind those of its content.
fn mail(number: u64, chance: &mut Chance) -> Vec<u8> {
    let fields: [&[u8]; 10] = [
        b"List-Post: <mailto:list@a.example>\r\n",
        b"Auto-Submitted: auto-replied\r\n",
        b"Received: from x by y; Tue, 1 Dec 2026 00:00:00 +0000\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256;\r\n\tb=abc;\r\n d=x\r\n",
        b"Subject: =?ISO-2022-JP?B?GyRCNGsyaD1xGyhC?=\r\n",
        b"subject:no blank, small\r\n",
        b"X-Empty:\r\nX-Folded: a\r\n\tb\r\n   c\r\n",
        b"List-Unsubscribe: <https://x.example/?a=b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        b"References: <a@b>\r\n <c@d>\r\n",
        b"Keywords: one, two\r\nComments: none\r\n",
    ];
    let mut head = Vec::new();
    for field in fields {
        // one subject at most: with two a mail can be read in two ways
        let is_subject = field.to_ascii_lowercase().starts_with(b"subject");
        let has_subject = head.to_ascii_lowercase().windows(8).any(|window| window == b"subject:");
        let often = if field.starts_with(b"List-Post") || field.starts_with(b"Auto-") { 12 } else { 2 };
        if chance.below(often) == 0 && !(is_subject && has_subject) {
            head.extend_from_slice(field);
        }
    }
    head.extend_from_slice(
        format!("From: Alice <alice@a.example>\r\nTo: bob@mail.example\r\nMessage-ID: <{number}@a.example>\r\n")
            .as_bytes(),
    );
    if chance.below(4) > 0 {
        head.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    let mut mail = [head, part(chance, 3)].concat();
    if chance.below(4) == 0 {
        // as programs on Unix hand it in
        mail = String::from_utf8_lossy(&mail)
            .is_ascii()
            .then(|| mail.clone())
            .map_or(mail.clone(), |mail| String::from_utf8(mail).unwrap().replace("\r\n", "\n").into_bytes());
    }
    mail
}

fn canonical(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, octet) in octets.iter().enumerate() {
        if *octet == b'\n' && (at == 0 || octets[at - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

fn octets(mail: &dyn Octets, range: std::ops::Range<u64>) -> Vec<u8> {
    read_range(mail, range, usize::MAX).unwrap()
}

/// What a leaf says, with every line end as CRLF.
fn decoded(mail: &dyn Octets, entity: &Entity) -> Vec<u8> {
    use std::io::Write as _;
    let raw = octets(mail, entity.body.clone());
    let said = match entity.encoding {
        Encoding::Base64 => {
            let mut decoder = Base64Decoder::new(Vec::new());
            decoder.write_all(&raw).unwrap();
            decoder.finish().unwrap().0
        }
        Encoding::QuotedPrintable => {
            let mut decoder = QuotedPrintableDecoder::new(Vec::new());
            decoder.write_all(&raw).unwrap();
            decoder.finish().unwrap().0
        }
        _ => raw,
    };
    canonical(&said)
}

/// The fields of an entity in order, without those by which a leaf says how it is encoded and what the protection adds.
fn fields(entity: &Entity) -> Vec<(String, Vec<u8>)> {
    let header = &entity.header;
    let own = |field: &&kakitome_smime::mime::header::Field| {
        let name = header.name(field).to_ascii_lowercase();
        !matches!(name.as_str(), "content-transfer-encoding" | "content-type" | "mime-version")
    };
    header
        .fields
        .iter()
        .filter(own)
        .map(|field| (header.name(field).to_ascii_lowercase(), canonical(header.value(field)).trim_ascii().to_vec()))
        .collect()
}

/// What a leaf is, beside its octets.
fn is_safe(entity: &Entity) -> bool {
    let traits = &entity.traits;
    traits.eight_bit == 0 && !traits.long_line && !traits.trailing_space && !traits.from_line
}

fn same(mail: &dyn Octets, before: &Structure, left: &dyn Octets, after: &Structure, name: &str) {
    assert_eq!(before.entities.len(), after.entities.len(), "{name}: the number of parts");
    for (number, (one, other)) in before.entities.iter().zip(&after.entities).enumerate() {
        let name = format!("{name}, part {number}");
        assert_eq!(one.content_type.essence(), other.content_type.essence(), "{name}");
        assert_eq!(one.parts, other.parts, "{name}");
        if number > 0 {
            assert_eq!(fields(one), fields(other), "{name}");
        }
        if !one.parts.is_empty() {
            continue;
        }
        assert_eq!(decoded(mail, one), decoded(left, other), "{name}: what it says");
        if is_safe(one) {
            let raw = canonical(&octets(mail, one.body.clone()));
            assert_eq!(raw, octets(left, other.body.clone()), "{name}: untouched octets");
            // What says 8bit and is 7-bit is called so, for every relay.
            let is_identity = |encoding| !matches!(encoding, Encoding::Base64 | Encoding::QuotedPrintable);
            let is_same = one.encoding == other.encoding || (is_identity(one.encoding) && is_identity(other.encoding));
            assert!(is_same, "{name}: {:?} became {:?}", one.encoding, other.encoding);
        }
    }
}

struct Bob(Holder);

impl Certificates for Bob {
    fn find(&self, _: &Address, _: Time) -> Result<Found, Fault> {
        let reader = Reader { certificate: self.0.certificate.clone(), capabilities: None };
        Ok(Found { reader: Some(reader), ..Found::default() })
    }
}

/// The signed payload inside, and its structure.
fn payload(opened: &Opened) -> Option<(&dyn Octets, &Structure)> {
    let Layer::Sealed(sealed) = &opened.layer else { return None };
    let inner = sealed.inner.as_ref()?;
    Some((inner.octets.as_deref()?, &inner.structure))
}

#[test]
fn what_is_not_touched_is_there_byte_for_byte() {
    let data = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(data.path()).unwrap());
    let vault = Arc::new(Vault::open(&data.path().join("sealing.key"), &store).unwrap());
    let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
    let authority = Arc::new(Authority::open(store, vault, settings, NOW, Arc::new(SystemRandom)).unwrap());
    let policy = Policy { members: vec!["a.example".into()], ..Policy::default() };
    let by = |policy: Policy| {
        let bob = Arc::new(Bob(Takes::P256.holder("bob")));
        Outgoing::new(Arc::clone(&authority), policy, bob, Arc::new(SystemRandom))
    };
    let when_possible = by(policy.clone());
    let always = by(Policy { encrypt: Encrypting::Always, ..policy });
    let count = |worker: u64| {
        let mut counted = [0u64; 3];
        for number in (worker..COUNT).step_by(WORKERS as usize) {
            let octets = mail(number, &mut Chance(SEED ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let outgoing = if number % 3 == 0 { &always } else { &when_possible };
            counted[passage(outgoing, number, octets)] += 1;
        }
        counted
    };
    let counted = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || count(worker))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .reduce(|one, other| [one[0] + other[0], one[1] + other[1], one[2] + other[2]])
    });
    let [left_alone, encrypted, signed] = counted.unwrap();
    println!("{signed} were signed and encrypted, {encrypted} encrypted as they were, {left_alone} left alone");
    assert!(signed > COUNT / 2 && encrypted > COUNT / 20 && left_alone > COUNT / 20);
}

/// Sends one mail and looks at what comes out: 0 if it was left alone, 1 if it was encrypted as it was, 2 if it was signed
/// by us, too.
fn passage(outgoing: &Outgoing, number: u64, octets: Vec<u8>) -> usize {
    let name = format!("mail {number}:\n{}", String::from_utf8_lossy(&octets));
    let recipients = ["bob@mail.example".to_owned()];
    let submission = Submission { recipients: &recipients, ..Submission::default() };
    let mail: Arc<dyn Octets> = Arc::new(octets);
    let outcome = outgoing.process(Arc::clone(&mail), "alice@a.example", &submission, &InMemory, NOW).unwrap();
    let [copy] = outcome.copies.as_slice() else { panic!("{} copies: {name}", outcome.copies.len()) };
    if copy.done.sealing.is_none() {
        // left alone, for a reason, and then it is the mail itself
        assert!(Arc::ptr_eq(&copy.mail, &mail) && copy.done.signing.is_err() && !number.is_multiple_of(3), "{name}");
        return 0;
    }
    let random = SystemRandom;
    let mut keys = HeldKeys::new(&random);
    keys.hold(Takes::P256.holder("bob"));
    let opened = open(&*copy.mail, &InMemory, &keys).unwrap();
    let (left, inner) = payload(&opened).unwrap_or_else(|| panic!("not opened: {name}"));
    let before = scan(&*mail, 0..mail.len()).unwrap();
    // Signed by us, inside the encryption: the first part of what is inside is the mail's content.
    let is_ours = copy.done.signing.is_ok();
    let content = if is_ours { inner.entity(inner.root().parts[0]).unwrap() } else { inner.root() };
    let after = scan(left, content.range.clone()).unwrap();
    same(&*mail, &before, left, &after, &name);
    // Each field of the sender's stands inside as it was; outside, too, but for what is hidden. Of what somebody signed
    // before, the header stands outside alone.
    let was_signed = before.root().content_type.is("multipart", "signed");
    let outer = scan(&*copy.mail, 0..copy.mail.len()).unwrap();
    let (inside, outside) = (fields(after.root()), fields(outer.root()));
    for (field, value) in fields(before.root()) {
        let is_hidden = !was_signed && matches!(field.as_str(), "subject" | "keywords" | "comments");
        let is_way = matches!(field.as_str(), "received" | "dkim-signature") || field.starts_with("list-");
        let is_there = |all: &[(String, Vec<u8>)]| all.iter().any(|one| *one == (field.clone(), value.clone()));
        assert_eq!(is_there(&outside), !is_hidden && !field.starts_with("content-"), "{field} outside: {name}");
        assert!(was_signed || is_way || field.starts_with("x-") || is_there(&inside), "{field} inside: {name}");
    }
    if is_ours { 2 } else { 1 }
}
