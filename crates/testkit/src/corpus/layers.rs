//! A12, A13, A20, F11, F12: layers around one another, and which of them says who wrote the mail.
//!
//! The shapes of another client's suite (signed, encrypted, signed again, by one person and by two) are here too: R rows.

use kakitome_pki::algorithm::{Cipher, Digest};
use kakitome_pki::cert::Certificate;

use super::Row;
use crate::cms::{SignedFactory, SignerFactory};
use crate::envelope::Takes;
use crate::mail::{Mail, clear_part, mixed, opaque_part, replaced, text};
use crate::recipient::sealed;
use crate::{Holder, Pki, RawRsa, in_days};

/// How a layer is put around a MIME part.
#[derive(Clone, Copy)]
enum Wrap<'a> {
    /// multipart/signed by somebody.
    Clear(&'a Holder),
    /// signed-data by somebody.
    Opaque(&'a Holder),
    /// Encrypted to the reader.
    Sealed,
}

impl Wrap<'_> {
    /// A multipart has a boundary of its own at each depth.
    fn around(self, part: &[u8], depth: usize) -> Vec<u8> {
        match self {
            Self::Clear(holder) => {
                let part = clear_part(part, &SignedFactory::by(holder, part).der());
                let own = format!("layer-{depth}");
                replaced(&replaced(&part, "\"signed\"", &format!("\"{own}\"")), "\r\n--signed", &format!("\r\n--{own}"))
            }
            Self::Opaque(holder) => opaque_part(&SignedFactory::by(holder, part).embedded().der()),
            Self::Sealed => opaque_part(&sealed(&[reader()], Cipher::Aes256Gcm, part)),
        }
    }
}

fn reader() -> Certificate {
    Takes::Rsa.holder("jiro").certificate
}

/// A mail in layers, the innermost first.
fn layers(mail: &Mail, wraps: &[Wrap<'_>]) -> Vec<u8> {
    let body = mail.payload().to_vec();
    mail.around(&wraps.iter().zip(1..).fold(body, |part, (wrap, depth)| wrap.around(&part, depth)))
}

/// Read with the reader's key.
fn read(id: &'static str, mail: Vec<u8>, state: &'static str, code: &'static str) -> Row {
    Row::new(id, mail, state, code).key(reader(), Takes::Rsa.key_der("jiro")).opened()
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = several_signers();
    rows.extend(one_signer());
    rows.extend(around_encryption());
    rows
}

/// One person, in every order of layers.
fn one_signer() -> Vec<Row> {
    use Wrap::{Clear, Opaque, Sealed};
    let bank = &Pki::get().bank;
    let of_bank = Mail::of(bank);
    let org = |id, wraps: &[Wrap<'_>]| read(id, layers(&of_bank, wraps), "ORG_CONFIRMED", "ok");
    let plain = of_bank.clone().part("Content-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n");
    let wrapped = {
        let inner = plain.plain();
        plain.clone().part([b"Content-Type: message/rfc822\r\n\r\n".as_slice(), &inner].concat())
    };
    vec![
        Row::new("A12", wrapped.clear_by(bank), "ORG_CONFIRMED", "ok").note("hp.inferred"),
        org("A20", &[Clear(bank), Sealed, Opaque(bank), Sealed]),
        org("A20o", &[Opaque(bank), Sealed, Opaque(bank)]),
        org("A20c", &[Opaque(bank), Sealed, Clear(bank)]),
        // Signed twice by the same person: the outer signature covers the inner one and all that is in it.
        org("R01", &[Clear(bank), Opaque(bank)]).sealed("no"),
        org("R02", &[Opaque(bank), Clear(bank)]).sealed("no"),
        org("R03", &[Clear(bank), Clear(bank)]).sealed("no"),
        org("R04", &[Clear(bank), Sealed]),
        org("R05", &[Opaque(bank), Sealed]),
    ]
}

/// Two people: whose mail it is depends on which layer a program looks at.
fn several_signers() -> Vec<Row> {
    use Wrap::{Clear, Opaque, Sealed};
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let two =
        |id, from: &Holder, wraps: &[Wrap<'_>]| read(id, layers(&Mail::of(from), wraps), "AMBIGUOUS", "cms.triplewrap");
    vec![
        two("A20d", bank, &[Clear(bank), Sealed, Opaque(eve), Sealed]),
        two("A20e", eve, &[Clear(bank), Sealed, Opaque(eve)]),
        two("A20f", bank, &[Clear(bank), Sealed, Clear(eve)]),
        two("R10", bank, &[Opaque(bank), Opaque(eve)]).sealed("no"),
        two("R11", bank, &[Opaque(bank), Clear(eve)]).sealed("no"),
        two("R12", bank, &[Clear(bank), Opaque(eve)]).sealed("no"),
        two("R13", bank, &[Clear(bank), Clear(eve)]).sealed("no"),
        two("R14", eve, &[Opaque(bank), Opaque(eve)]).sealed("no"),
        two("R15", eve, &[Opaque(bank), Clear(eve)]).sealed("no"),
        two("R16", eve, &[Clear(bank), Opaque(eve)]).sealed("no"),
        two("R17", eve, &[Clear(bank), Clear(eve)]).sealed("no"),
        // Signed around what was encrypted, and signed again by another: the outermost is somebody else's.
        read("R18", layers(&Mail::of(bank), &[Sealed, Opaque(bank), Opaque(eve)]), "AMBIGUOUS", "cms.triplewrap"),
        read("R19", layers(&Mail::of(bank), &[Sealed, Clear(bank), Opaque(eve)]), "AMBIGUOUS", "cms.triplewrap"),
    ]
}

/// A signature around what is encrypted may be anybody's who passed the mail on.
fn around_encryption() -> Vec<Row> {
    use Wrap::{Clear, Opaque, Sealed};
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let of_bank = Mail::of(bank);
    let outer = |id, from: &Mail, wraps: &[Wrap<'_>], state| {
        read(id, layers(from, wraps), state, "ok").sealed("yes-unverified").note("enc.outer-sig")
    };
    let closed = |id, wraps: &[Wrap<'_>]| {
        Row::new(id, layers(&of_bank, wraps), "SEALED", "enc.cannot-open").note("enc.outer-sig")
    };
    // The outer signature is of another mail.
    let broken =
        |mail: &[u8]| replaced(mail, "smime-type=authEnveloped-data; name", "smime-type=authEnveloped-data;  name");
    let in_mixed = {
        let part = Sealed.around(of_bank.payload(), 1);
        of_bank.clone().part(mixed(&[&text("x"), &part])).clear_by(bank)
    };
    let signed_with = |digest: Digest| {
        let rsa = super::valid::rsa_bank();
        let signer = SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), digest);
        SignedFactory::new(of_bank.payload()).signer(&signer).holder(&rsa)
    };
    let weak = sealed(&[reader()], Cipher::Aes256Gcm, &clear_part(of_bank.payload(), &signed_with(Digest::Sha1).der()));
    let future = {
        let signer = SignerFactory::new(bank).at(in_days(2));
        let cms = SignedFactory::new(of_bank.payload()).signer(&signer).holder(bank).der();
        sealed(&[reader()], Cipher::Aes256Gcm, &clear_part(of_bank.payload(), &cms))
    };
    let changed = {
        let part = replaced(&Clear(bank).around(of_bank.payload(), 1), "今月", "来月");
        sealed(&[reader()], Cipher::Aes256Gcm, &part)
    };
    vec![
        outer("F11", &Mail::of(eve), &[Sealed, Clear(eve)], "MAILBOX_CONFIRMED"),
        outer("F11o", &Mail::of(eve), &[Sealed, Opaque(eve)], "MAILBOX_CONFIRMED"),
        outer("F11b", &of_bank, &[Sealed, Clear(bank)], "ORG_CONFIRMED"),
        // The bank's outer signature is taken off, and the attacker's put on.
        outer("F12", &Mail::of(eve).field("To", "jiro@mail.example"), &[Sealed, Clear(eve)], "MAILBOX_CONFIRMED"),
        closed("F11c", &[Sealed, Clear(bank)]).sealed("cannot-open"),
        closed("F11d", &[Clear(bank), Sealed, Opaque(bank)]).sealed("cannot-open"),
        // An outer signature that does not fit takes nothing away from the one inside.
        read("R20", broken(&layers(&of_bank, &[Clear(bank), Sealed, Clear(bank)])), "ORG_CONFIRMED", "ok"),
        read("R21", broken(&layers(&of_bank, &[Sealed, Clear(bank)])), "ALTERED", "cms.digest")
            .sealed("yes-unverified"),
        // Encrypted below a multipart, and signed around that: it stays closed, and is not what was signed for.
        Row::new("R22", in_mixed.clone(), "ORG_CONFIRMED", "ok").sealed("part"),
        Row::new("R22b", replaced(&in_mixed, "\r\n\r\nx\r\n", "\r\n\r\ny\r\n"), "ALTERED", "cms.digest").sealed("part"),
        read("R23", of_bank.opaque(&weak), "WEAK_SIGNATURE", "alg.sha1"),
        read("R24", of_bank.opaque(&future), "TIME_ODD", "time.future"),
        read("R25", of_bank.opaque(&changed), "ALTERED", "cms.digest"),
    ]
}
