//! X7: what is told beside the answer, so that each code of the table has its mail; and options that change an answer.

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::path::AnchorSource;
use kakitome_pki::path::revocation::Mode;

use super::{Row, issued};
use crate::cms::{SignedFactory, SignerFactory};
use crate::envelope::{EnvelopeFactory, Takes, key_transport};
use crate::mail::{Mail, replaced};
use crate::world::{BANK, anchor};
use crate::{Pki, write};

/// One more than a mail may have.
const PARTS: usize = 10_001;

pub(super) fn rows() -> Vec<Row> {
    let world = Pki::get();
    let bank = &world.bank;
    let base = Mail::of(bank);
    let clear = base.clear_by(bank);
    let ok = |id, mail: Vec<u8>, note| Row::new(id, mail, "ORG_CONFIRMED", "ok").note(note);
    let by = |factory: SignedFactory| base.clear(&factory.der());
    let stamped = SignerFactory::new(bank).unsigned(oid::TIME_STAMP_TOKEN, der::sequence(&[]));
    let receipt = SignedFactory::new(b"x").content_type(oid::RECEIPT).signer(&SignerFactory::new(bank)).holder(bank);
    let limited = Pki::leaf(BANK, "info@bank.example", 2).with(
        oid::NAME_CONSTRAINTS,
        true,
        write::constraints(&[write::mailbox("bank.example")], &[]),
    );
    let labelled = replaced(&clear, "application/pkcs7-signature; name", "application/octet-stream; name");
    let many = "--p\r\nContent-Type: text/plain\r\n\r\nx\r\n".repeat(PARTS);
    let many = format!("Content-Type: multipart/mixed; boundary=\"p\"\r\n\r\n{many}--p--\r\n");
    let reader = Takes::Rsa.holder("jiro").certificate;
    let unknown = der::sequence(&[&der::oid(&oid::CHACHA20_POLY1305)]);
    let transport = key_transport(&reader, Some(&unknown), &[1; 256]);
    let unsupported = EnvelopeFactory::new(oid::ENVELOPED_DATA).recipient(transport).der();
    let mut off = Row::new("X78", clear.clone(), "ORG_CONFIRMED", "ok").lists(Vec::new()).note("rev.off");
    off.given.revocation = Some(Mode::Off);
    let mut policy = Row::new("X79", clear.clone(), "ISSUER_UNKNOWN", "path.policy");
    policy.given.policies = vec![Pki::policy(4, 3)];
    let mut fits = Row::new("X79f", clear.clone(), "ORG_CONFIRMED", "ok");
    fits.given.policies = vec![Pki::policy(2, 3)];
    vec![
        ok(
            "X70",
            by(SignedFactory::by(bank, base.payload()).certificate(&der::sequence(&[&der::unsigned(&[1])]))),
            "cms.certificate",
        ),
        ok("X71", by(SignedFactory::by(bank, base.payload()).digests(&[Digest::Sha512])), "cms.digest-set"),
        ok("X72", by(SignedFactory::new(base.payload()).signer(&stamped).holder(bank)), "cms.timestamp"),
        Row::new("X73", base.opaque(&receipt.embedding(b"x").der()), "AMBIGUOUS", "cms.receipt"),
        ok("X74", labelled, "compat.label"),
        Row::new("X75", Mail::of(bank).clear_by(&issued(limited, "limited")), "CERT_NOT_VALID_THEN", "cert.malformed"),
        Row::new("X76", base.around(many.as_bytes()), "NOT_SIGNED", "mime.none").note("limit.parts"),
        Row::new("X77", Mail::of(&world.local).clear_by(&world.local), "LOCAL_CONFIRMED", "ok")
            .private()
            .lists(Vec::new())
            .note("rev.none-offered"),
        Row::new("X77o", Mail::of(&world.local).clear_by(&world.local), "LOCAL_CONFIRMED", "ok")
            .anchors(vec![anchor(&world.rp.certificate, AnchorSource::OwnCa)])
            .note("path.own-ca"),
        off,
        policy,
        fits,
        Row::new("F06u", base.opaque(&unsupported), "SEALED", "enc.unsupported")
            .key(reader, Takes::Rsa.key_der("jiro")),
    ]
}
