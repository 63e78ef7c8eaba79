//! Signer infos, good and with one flaw each: what verifies, what is refused, what is told, and what was said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest, MlDsa, Signature};
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Oid, oid, tag, write as der};
use kakitome_pki::crypto;
use kakitome_smime::cms::attribute::Value;
use kakitome_smime::cms::content::{Object, read};
use kakitome_smime::cms::digests::{Hashing, WHOLE_LIMIT};
use kakitome_smime::cms::ess::Reference;
use kakitome_smime::cms::signed::SignedData;
use kakitome_smime::cms::verify::{Content, Outcome, verify, verify_hashed};
use kakitome_smime::octets::InMemory;
use kakitome_testkit::cms::{SignedFactory, SignerFactory};
use kakitome_testkit::{
    BANK, CertificateFactory, CrlFactory, Holder, NOW, Pki, RawRsa, ed25519_key, in_days, key, ml_dsa_key, rsa_key,
    write,
};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nThe bill is attached.\r\n";
/// The code of a row that verifies.
const GOOD: &str = "";

fn parsed(der: Vec<u8>) -> SignedData {
    match read(&der, &InMemory).unwrap() {
        Object::Signed(signed) => *signed,
        Object::Broken(finding, _) => panic!("{finding:?}"),
        _ => panic!("no signed-data"),
    }
}

fn verified(signed: &SignedData, content: &[u8]) -> Outcome {
    verify(signed, &Content::Exact(&content.to_vec())).unwrap()
}

fn codes(outcome: &Outcome) -> Vec<&'static str> {
    outcome.findings.iter().map(|finding| finding.code).collect()
}

/// Somebody of the bank with another key.
fn holder(key: &'static kakitome_pki::crypto::SigningKey) -> Holder {
    let world = Pki::get();
    let certificate = Pki::leaf(BANK, "info@bank.example", 2).spki(key.spki()).issued_by(&world.se);
    Holder { certificate, key, chain: vec![world.se.certificate.clone()] }
}

fn rsa() -> Holder {
    holder(rsa_key("signer"))
}

fn ed25519() -> Holder {
    holder(ed25519_key("signer"))
}

fn ml_dsa(set: MlDsa) -> Holder {
    holder(ml_dsa_key(set, "signer"))
}

/// The signature of a row over [`CONTENT`], by the bank unless another holder is named.
struct Row {
    name: &'static str,
    signed: SignedFactory,
    content: Vec<u8>,
    /// The first finding where it is refused, else [`GOOD`].
    refused: &'static str,
    /// All the other findings, in order.
    told: &'static [&'static str],
}

impl Row {
    fn whole(name: &'static str, signed: SignedFactory, refused: &'static str, told: &'static [&'static str]) -> Self {
        Self { name, signed, content: CONTENT.to_vec(), refused, told }
    }

    fn new(name: &'static str, signer: &SignerFactory, refused: &'static str, told: &'static [&'static str]) -> Self {
        Self::whole(name, SignedFactory::new(CONTENT).signer(signer).holder(&Pki::get().bank), refused, told)
    }

    fn by(
        holder: &Holder,
        name: &'static str,
        signer: &SignerFactory,
        refused: &'static str,
        told: &'static [&'static str],
    ) -> Self {
        Self::whole(name, SignedFactory::new(CONTENT).signer(signer).holder(holder), refused, told)
    }
}

fn sign() -> SignerFactory {
    SignerFactory::new(&Pki::get().bank)
}

fn rows() -> Vec<Row> {
    let bank = &Pki::get().bank;
    let plain = || SignedFactory::by(bank, CONTENT);
    let (rsa, ed) = (rsa(), ed25519());
    let by_ed = |signer: &SignerFactory, name, refused, told| Row::by(&ed, name, signer, refused, told);
    let by_ml_dsa = |set, name, edit: &dyn Fn(SignerFactory) -> SignerFactory, refused| {
        let holder = ml_dsa(set);
        Row::by(&holder, name, &edit(SignerFactory::new(&holder)), refused, &[])
    };
    let for_pss = pss(None);
    let by_pss = |name, parameters, refused| {
        let holder = pss(parameters);
        Row::by(&holder, name, &SignerFactory::new(&holder).pss(), refused, &[])
    };
    let eve = &Pki::get().eve;
    let note: &[&str] = &["cms.attribute"];
    vec![
        Row::new("plain", &sign(), GOOD, &[]),
        Row::new("by key identifier", &sign().by_key_id(), GOOD, &[]),
        Row::by(&rsa, "RSA", &SignerFactory::new(&rsa), GOOD, &[]),
        Row::by(&rsa, "RSASSA-PSS", &SignerFactory::new(&rsa).pss(), GOOD, &[]),
        by_ed(&SignerFactory::new(&ed), "Ed25519", GOOD, &[]),
        // versions and the set of digests
        Row::whole("of a version too new", plain().version(3), GOOD, &["cms.version"]),
        Row::whole("of a version that is not known", plain().version(6), "cms.version", &[]),
        Row::new("a signer info of another version", &sign().version(3), "cms.version", &[]),
        Row::whole("no digest named", plain().digests(&[]), GOOD, &["cms.digest-set"]),
        Row::whole("another digest named", plain().digests(&[Digest::Sha512]), GOOD, &["cms.digest-set"]),
        Row::whole("more digests named", plain().digests(&[Digest::Sha1, Digest::Sha256]), GOOD, &[]),
        // who
        Row::whole("no certificate", SignedFactory::new(CONTENT).signer(&sign()), "cms.no-signer-certificate", &[]),
        Row::whole("the certificate twice", plain().certificate(bank.certificate.raw()), GOOD, &[]),
        Row::whole("two that fit", plain().certificate(same_sid(bank).certificate.raw()), "cms.sid", &[]),
        // Ed25519 (RFC 8419)
        by_ed(&SignerFactory::new(&ed).no_attributes(), "Ed25519 over the content", GOOD, &[]),
        by_ed(&SignerFactory::new(&ed).with_digest(Digest::Sha256), "Ed25519 with SHA-256", "cms.hash-mismatch", &[]),
        by_ed(&SignerFactory::new(&ed).signature(vec![0; 64]), "Ed25519, wrong", "cms.sigvalue", &[]),
        Row {
            content: vec![b'x'; WHOLE_LIMIT + 1],
            ..Row::whole(
                "Ed25519 over a long content",
                SignedFactory::new(&vec![b'x'; WHOLE_LIMIT + 1])
                    .signer(&SignerFactory::new(&ed).no_attributes())
                    .holder(&ed),
                "cms.unsupported",
                &[],
            )
        },
        // ML-DSA (RFC 9882)
        by_ml_dsa(MlDsa::MlDsa44, "ML-DSA-44", &|signer| signer, GOOD),
        by_ml_dsa(MlDsa::MlDsa65, "ML-DSA-65", &|signer| signer, GOOD),
        by_ml_dsa(MlDsa::MlDsa87, "ML-DSA-87", &|signer| signer, GOOD),
        by_ml_dsa(MlDsa::MlDsa65, "ML-DSA over the content", &SignerFactory::no_attributes, GOOD),
        by_ml_dsa(MlDsa::MlDsa44, "ML-DSA-44 with SHA-256", &|signer| signer.with_digest(Digest::Sha256), GOOD),
        by_ml_dsa(
            MlDsa::MlDsa87,
            "ML-DSA-87 with SHA-384",
            &|signer| signer.with_digest(Digest::Sha384),
            "cms.hash-mismatch",
        ),
        by_ml_dsa(
            MlDsa::MlDsa44,
            "ML-DSA of another size",
            &|signer| signer.without(oid::CMS_ALGORITHM_PROTECTION).label_algorithm(oid::ML_DSA_65),
            "cms.key-mismatch",
        ),
        by_ml_dsa(MlDsa::MlDsa65, "ML-DSA, wrong", &|signer| signer.signature(vec![0; 3309]), "cms.sigvalue"),
        // RSA
        Row::by(&rsa, "one octet short", &SignerFactory::new(&rsa).signature(vec![1; 255]), "cms.sigvalue", &[]),
        Row::by(&rsa, "SHA-1", &SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), Digest::Sha1), GOOD, &[]),
        Row::new(
            "an algorithm of another kind of key",
            &sign().without(oid::CMS_ALGORITHM_PROTECTION).label_algorithm(oid::SHA256_WITH_RSA),
            "cms.key-mismatch",
            &[],
        ),
        // keys that are for RSASSA-PSS alone, with parameters or without (RFC 4055 §1.2)
        by_pss("PSS by a key for PSS", None, GOOD),
        by_pss("PSS as the key says", Some((Digest::Sha256, 32)), GOOD),
        by_pss("more salt than the key asks", Some((Digest::Sha256, 20)), GOOD),
        by_pss("less salt than the key asks", Some((Digest::Sha256, 33)), "cms.key-mismatch"),
        by_pss("another hash than the key's", Some((Digest::Sha512, 32)), "cms.key-mismatch"),
        Row::by(
            &for_pss,
            "PKCS#1 by a key for PSS",
            &SignerFactory::new(&for_pss).pkcs1(RawRsa::of(rsa.key), Digest::Sha256),
            "cms.key-mismatch",
            &[],
        ),
        // several flaws are all told
        Row::new(
            "four flaws",
            &sign()
                .with(oid::CONTENT_TYPE, vec![der::oid(&oid::SIGNED_DATA)])
                .with(oid::MESSAGE_DIGEST, vec![der::octet_string(&[0; 32])])
                .again(oid::SIGNING_TIME, vec![NOW.to_der()])
                .signature(vec![0x30; 70]),
            "cms.contenttype",
            &["cms.digest", "cms.sigvalue", "cms.attrs"],
        ),
        // times
        Row::new("no signing time", &sign().at(None), GOOD, &[]),
        Row::new(
            "30 February",
            &sign().with(oid::SIGNING_TIME, vec![b"\x17\x0d260230000000Z".to_vec()]),
            "cms.attrs",
            &[],
        ),
        Row::new(
            "two times in one",
            &sign().with(oid::SIGNING_TIME, vec![NOW.to_der(), NOW.to_der()]),
            "cms.attrs",
            &[],
        ),
        Row::new("a binary time", &sign().again(oid::BINARY_SIGNING_TIME, vec![binary(0)]), GOOD, &[]),
        Row::new("a binary time alone", &sign().at(None).again(oid::BINARY_SIGNING_TIME, vec![binary(0)]), GOOD, &[]),
        Row::new("two times that differ", &sign().again(oid::BINARY_SIGNING_TIME, vec![binary(1)]), "cms.attrs", &[]),
        Row::new("a negative time", &sign().again(oid::BINARY_SIGNING_TIME, vec![vec![2, 1, 0xff]]), "cms.attrs", &[]),
        // signing certificate, both versions
        Row::new(
            "signing certificate v1",
            &sign().again(oid::SIGNING_CERTIFICATE, vec![ess(bank, Digest::Sha1, bank)]),
            GOOD,
            &[],
        ),
        Row::new(
            "v1 of another",
            &sign().again(oid::SIGNING_CERTIFICATE, vec![ess(eve, Digest::Sha1, eve)]),
            "cms.esscert",
            &[],
        ),
        Row::new(
            "v1, another serial",
            &sign().again(oid::SIGNING_CERTIFICATE, vec![ess(bank, Digest::Sha1, eve)]),
            "cms.esscert",
            &[],
        ),
        Row::new(
            "v1 twice",
            &sign().again(oid::SIGNING_CERTIFICATE, vec![ess(bank, Digest::Sha1, bank); 2]),
            "cms.attrs",
            &[],
        ),
        Row::new(
            "v2 with SHA-512",
            &sign().with(oid::SIGNING_CERTIFICATE_V2, vec![ess(bank, Digest::Sha512, bank)]),
            GOOD,
            &[],
        ),
        Row::new(
            "v2 of another",
            &sign().with(oid::SIGNING_CERTIFICATE_V2, vec![ess(eve, Digest::Sha512, eve)]),
            "cms.esscert",
            &[],
        ),
        Row::new(
            "v2, another serial",
            &sign().with(oid::SIGNING_CERTIFICATE_V2, vec![ess(bank, Digest::Sha384, eve)]),
            "cms.esscert",
            &[],
        ),
        Row::new(
            "v2 by an unknown hash",
            &sign().with(oid::SIGNING_CERTIFICATE_V2, vec![unknown_hash()]),
            "cms.unsupported",
            &[],
        ),
        Row::new(
            "v2 of nobody",
            &sign().with(oid::SIGNING_CERTIFICATE_V2, vec![der::sequence(&[&der::sequence(&[])])]),
            "cms.attrs",
            &[],
        ),
        // what is told along
        Row::new("a security label", &sign().again(oid::SECURITY_LABEL, vec![label()]), GOOD, &[]),
        Row::new(
            "two labels",
            &sign().again(oid::SECURITY_LABEL, vec![label()]).again(oid::SECURITY_LABEL, vec![label()]),
            "cms.attrs",
            &[],
        ),
        Row::new("a label of two values", &sign().again(oid::SECURITY_LABEL, vec![label(), label()]), GOOD, note),
        Row::new(
            "a label without a policy",
            &sign().again(oid::SECURITY_LABEL, vec![der::element(tag::SET, &[])]),
            GOOD,
            note,
        ),
        Row::new(
            "capabilities that are none",
            &sign().again(oid::SMIME_CAPABILITIES, vec![der::NULL.to_vec()]),
            GOOD,
            note,
        ),
        Row::new("an unsigned label", &sign().unsigned(oid::SECURITY_LABEL, label()), GOOD, note),
        Row::new("an unsigned signing time", &sign().unsigned(oid::SIGNING_TIME, NOW.to_der()), "cms.attrs", &[]),
        Row::new("a signed time-stamp", &sign().again(oid::TIME_STAMP_TOKEN, vec![der::sequence(&[])]), GOOD, note),
        Row::new("a time-stamp", &sign().unsigned(oid::TIME_STAMP_TOKEN, der::sequence(&[])), GOOD, &["cms.timestamp"]),
        Row::new("an attribute of nobody", &sign().again(oid::COMMON_NAME, vec![der::NULL.to_vec(); 3]), GOOD, &[]),
        // a receipt
        Row::whole(
            "a receipt",
            SignedFactory::new(CONTENT).content_type(oid::RECEIPT).signer(&sign()).holder(bank),
            "cms.receipt",
            &[],
        ),
    ]
}

#[test]
fn every_row_has_its_findings() {
    let mut wrong = Vec::new();
    for row in rows() {
        let signed = parsed(row.signed.der());
        let outcome = verified(&signed, &row.content);
        let expected: Vec<&str> =
            [row.refused].into_iter().filter(|code| *code != GOOD).chain(row.told.iter().copied()).collect();
        if codes(&outcome) != expected || outcome.verified.is_some() != (row.refused == GOOD) {
            wrong.push(format!("{}: {:?}, not {expected:?}", row.name, outcome.findings));
        }
        // Nothing that verifies fits another content.
        let other = verified(&signed, b"another");
        if other.verified.is_some() {
            wrong.push(format!("{}: fits another content", row.name));
        }
        // Digested beforehand it is the same.
        let mut hashing = Hashing::of(&signed);
        std::io::copy(&mut row.content.as_slice(), &mut hashing).unwrap();
        let hashed = hashing.finish();
        assert!(hashed.covers(&signed), "{}", row.name);
        if codes(&verify_hashed(&signed, &hashed)) != codes(&outcome) {
            wrong.push(format!("{}: other findings where it was digested beforehand", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn revocation_information_is_taken_out_by_its_kind() {
    let bank = &Pki::get().bank;
    let list = || CrlFactory::default().signed_by(&Pki::get().se).raw().to_vec();
    let other = |kind: Oid| der::context(1, &[&der::oid(&kind), &der::sequence(&[])]);
    let ocsp = || other(oid::RI_OCSP_RESPONSE);
    for (name, factory, version, counts) in [
        ("none", vec![], 1, (0, 0)),
        ("a list", vec![list()], 1, (1, 0)),
        ("an OCSP response", vec![ocsp()], 5, (0, 1)),
        ("both", vec![list(), ocsp(), list()], 5, (2, 1)),
        ("of another kind", vec![other(oid::DATA)], 5, (0, 0)),
        ("many", vec![ocsp(); 30], 5, (0, 20)),
    ] {
        let factory = factory.iter().fold(SignedFactory::by(bank, CONTENT), |signed, one| signed.revocation(one));
        let signed = parsed(factory.clone().version(version).der());
        assert_eq!((signed.crls.len(), signed.ocsp_responses.len()), counts, "{name}");
        assert!(signed.ocsp_responses.iter().all(|response| *response == der::sequence(&[])), "{name}");
        assert_eq!(codes(&verified(&signed, CONTENT)), [""; 0], "{name}");
        let told = verified(&parsed(factory.version(4).der()), CONTENT);
        assert_eq!(codes(&told), ["cms.version"], "{name}");
    }
}

#[test]
fn weak_ones_verify_and_are_weak() {
    let rsa = rsa();
    let short = Holder {
        certificate: Pki::leaf(BANK, "info@bank.example", 2).spki(&RawRsa::short().spki()).issued_by(&Pki::get().se),
        ..rsa.clone()
    };
    for (name, holder, signer, is_weak) in [
        ("SHA-256", &rsa, SignerFactory::new(&rsa), false),
        ("SHA-1", &rsa, SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), Digest::Sha1), true),
        ("1024 bits", &short, SignerFactory::new(&short).pkcs1(RawRsa::short(), Digest::Sha256), true),
    ] {
        let signed = parsed(SignedFactory::new(CONTENT).signer(&signer).holder(holder).der());
        let proof = verified(&signed, CONTENT).verified.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(proof.is_weak(), is_weak, "{name}");
        assert!(verified(&signed, b"another").verified.is_none(), "{name}");
    }
}

#[test]
fn of_several_signers_each_has_its_outcome_and_none_is_the_mails() {
    let (bank, eve) = (&Pki::get().bank, &Pki::get().eve);
    let good = SignedFactory::by(bank, CONTENT).signer(&SignerFactory::new(eve)).holder(eve);
    let wrong = SignedFactory::by(bank, CONTENT).signer(&SignerFactory::new(eve).signature(vec![0x30; 70])).holder(eve);
    let unreadable = SignedFactory::by(bank, CONTENT).signer_der(der::sequence(&[]));
    for (name, factory, expected) in [
        ("both good", good, vec![true, true]),
        ("one wrong", wrong, vec![true, false]),
        ("one unreadable", unreadable, vec![true]),
    ] {
        let signed = parsed(factory.der());
        let outcome = verified(&signed, CONTENT);
        assert!(outcome.verified.is_none() && outcome.claimed.is_none(), "{name}");
        assert_eq!(outcome.findings[0].code, "cms.multi-signer", "{name}");
        let each: Vec<bool> = outcome.signers.iter().map(|signer| signer.verified.is_some()).collect();
        assert_eq!(each, expected, "{name}");
        assert_eq!(outcome.signers[0].claimed.as_ref(), Some(&bank.certificate), "{name}");
    }
}

#[test]
fn counter_signatures_are_verified_and_count_for_nothing() {
    let (bank, eve, taro) = (&Pki::get().bank, &Pki::get().eve, &Pki::get().taro);
    let over = vec![1; 70];
    let counter =
        |holder: &Holder, over: &[u8]| SignerFactory::new(holder).without(oid::CONTENT_TYPE).der(oid::DATA, over);
    let with_type = SignerFactory::new(eve).der(oid::DATA, &over);
    let no_attributes = SignerFactory::new(eve).no_attributes().der(oid::DATA, &over);
    let no_digest =
        SignerFactory::new(eve).without(oid::CONTENT_TYPE).without(oid::MESSAGE_DIGEST).der(oid::DATA, &over);
    for (name, value, holds) in [
        ("good", counter(eve, &over), true),
        ("without attributes", no_attributes, true),
        ("over another signature", counter(eve, b"another"), false),
        ("with a content type", with_type, false),
        ("without a digest", no_digest, false),
        ("of octets", der::sequence(&[]), false),
        ("by one whose certificate is not here", counter(taro, &over), false),
    ] {
        let signer = SignerFactory::new(bank).signature(over.clone()).unsigned(oid::COUNTERSIGNATURE, value);
        let signed = parsed(SignedFactory::new(CONTENT).signer(&signer).holder(bank).holder(eve).der());
        let outcome = verified(&signed, CONTENT);
        // The signature under it is none, and no counter-signature makes it one.
        assert!(outcome.verified.is_none(), "{name}");
        assert_eq!(codes(&outcome), ["cms.sigvalue", "cms.countersig"], "{name}");
        let [one] = outcome.signers[0].countersignatures.as_slice() else { panic!("{name}") };
        assert_eq!(one.holds, holds, "{name}: {:?}", one.findings);
        assert_eq!(one.findings.is_empty(), holds, "{name}");
    }
}

#[test]
fn counter_signatures_nest_as_deep_as_the_limit() {
    let (bank, eve) = (&Pki::get().bank, &Pki::get().eve);
    // Signatures are given, so that what lies on them is known beforehand: only the innermost holds.
    let on = |inner: Option<Vec<u8>>| {
        let signer = SignerFactory::new(eve).without(oid::CONTENT_TYPE).signature(vec![7; 8]);
        let signer = inner.into_iter().fold(signer, |signer, der| signer.unsigned(oid::COUNTERSIGNATURE, der));
        signer.der(oid::DATA, &[7; 8])
    };
    let last = SignerFactory::new(eve).without(oid::CONTENT_TYPE).der(oid::DATA, &[7; 8]);
    let nested = |value| SignerFactory::new(bank).signature(vec![7; 8]).unsigned(oid::COUNTERSIGNATURE, value);
    for (name, signer, depth, is_cut) in [
        ("two", nested(on(Some(last.clone()))), 2, false),
        ("three", nested(on(Some(on(Some(last.clone()))))), 2, true),
    ] {
        let signed = parsed(SignedFactory::new(CONTENT).signer(&signer).holder(bank).holder(eve).der());
        let outcome = verified(&signed, CONTENT);
        let (mut found, mut level, mut cut) = (0, &outcome.signers[0].countersignatures, false);
        while let Some(one) = level.first() {
            found += 1;
            cut |= one.findings.iter().any(|finding| finding.code == "limit.cms");
            level = &one.countersignatures;
        }
        assert_eq!((found, cut), (depth, is_cut), "{name}");
    }
    let many = (0..30).fold(SignerFactory::new(bank), |signer, _| signer.unsigned(oid::COUNTERSIGNATURE, last.clone()));
    let signed = parsed(SignedFactory::new(CONTENT).signer(&many).holder(bank).holder(eve).der());
    let outcome = verified(&signed, CONTENT);
    assert_eq!(outcome.signers[0].countersignatures.len(), 20);
    assert!(codes(&outcome).contains(&"limit.cms"));
}

#[test]
fn time_stamps_are_verified_and_count_for_nothing() {
    let world = Pki::get();
    let tsa = |usages: &[Oid], is_critical| {
        let leaf = CertificateFactory::signer(&[(oid::COMMON_NAME, "TSA")], &[], "tsa");
        let leaf = leaf.with(oid::EXTENDED_KEY_USAGE, is_critical, write::usages(usages));
        Holder { certificate: leaf.issued_by(&world.se), key: key("tsa"), chain: Vec::new() }
    };
    let good = tsa(&[oid::TIME_STAMPING], true);
    let (mail, both) = (tsa(&[oid::EMAIL_PROTECTION], true), tsa(&[oid::TIME_STAMPING, oid::EMAIL_PROTECTION], true));
    let soft = tsa(&[oid::TIME_STAMPING], false);
    let over = vec![1; 70];
    let info = |hash: Digest, octets: &[u8], time: &[u8], rest: &[u8]| {
        let imprint = crypto::digest(hash, octets);
        let imprint = der::sequence(&[&der::sequence(&[&der::oid(&hash.oid())]), &der::octet_string(imprint.as_ref())]);
        let (version, policy, serial) = (der::unsigned(&[1]), der::oid(&Oid::new_unwrap("1.2.3")), der::unsigned(&[7]));
        let time = der::element(tag::GENERALIZED_TIME, &[time]);
        der::sequence(&[&version, &policy, &imprint, &serial, &time, rest])
    };
    let plain = info(Digest::Sha256, &over, b"20261201000000Z", b"");
    let token = |holder: &Holder, info: &[u8], signer: SignerFactory| {
        let token = SignedFactory::new(info).content_type(oid::TST_INFO).signer(&signer).holder(holder).embedded();
        token.der()
    };
    let by = |holder: &Holder, info: &[u8]| token(holder, info, SignerFactory::new(holder));
    let rest = [der::sequence(&[&der::unsigned(&[1])]), der::boolean(true), der::unsigned(&[9])].concat();
    let none = SignerFactory::new(&good).without(oid::SIGNING_CERTIFICATE_V2);
    for (name, value, expected) in [
        ("good", by(&good, &plain), &[][..]),
        ("with a fraction", by(&good, &info(Digest::Sha512, &over, b"20261201000000.25Z", b"")), &[]),
        ("with all its fields", by(&good, &info(Digest::Sha256, &over, b"20261201000000Z", &rest)), &[]),
        ("of another signature", by(&good, &info(Digest::Sha256, b"x", b"20261201000000Z", b"")), &["cms.digest"]),
        ("by a weak hash", by(&good, &info(Digest::Sha1, &over, b"20261201000000Z", b"")), &["cms.digest"]),
        ("of an impossible time", by(&good, &info(Digest::Sha256, &over, b"20260230000000Z", b"")), &["cms.parse"]),
        (
            "with more than it has",
            by(&good, &info(Digest::Sha256, &over, b"20261201000000Z", der::NULL)),
            &["cms.parse"],
        ),
        ("by a certificate for mail", by(&mail, &plain), &["cert.eku"]),
        ("by one for more", by(&both, &plain), &["cert.eku"]),
        ("by one that does not insist", by(&soft, &plain), &["cert.eku"]),
        ("that names no certificate", token(&good, &plain, none), &["cms.esscert"]),
        ("that is wrong", token(&good, &plain, SignerFactory::new(&good).signature(vec![0x30; 70])), &["cms.sigvalue"]),
        ("of octets", der::sequence(&[]), &["cms.type"]),
        ("that is a signed mail", SignedFactory::by(&good, CONTENT).embedded().der(), &["cms.type"]),
        (
            "without a content",
            SignedFactory::new(&plain).content_type(oid::TST_INFO).holder(&good).der(),
            &["cms.parse"],
        ),
    ] {
        let signer = sign().signature(over.clone()).unsigned(oid::TIME_STAMP_TOKEN, value);
        let signed = parsed(SignedFactory::new(CONTENT).signer(&signer).holder(&world.bank).der());
        let outcome = verified(&signed, CONTENT);
        assert_eq!(codes(&outcome), ["cms.sigvalue", "cms.timestamp"], "{name}");
        let [one] = outcome.signers[0].timestamps.as_slice() else { panic!("{name}") };
        let found: Vec<&str> = one.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(found, expected, "{name}: {:?}", one.findings);
        assert_eq!(one.holds, expected.is_empty(), "{name}");
        assert!(!one.holds || one.time == Some(NOW), "{name}");
    }
    let many = (0..9).fold(sign(), |signer, _| signer.unsigned(oid::TIME_STAMP_TOKEN, by(&good, &plain)));
    let signed = parsed(SignedFactory::new(CONTENT).signer(&many).holder(&world.bank).der());
    let outcome = verified(&signed, CONTENT);
    assert_eq!(outcome.signers[0].timestamps.len(), 5);
    assert!(outcome.verified.is_some() && codes(&outcome).contains(&"limit.cms"));
}

#[test]
fn what_the_attributes_say_is_read() {
    let names = |text: &str| der::sequence(&[&write::mailbox(text)]);
    let request = der::sequence(&[
        &der::octet_string(b"id-1"),
        &der::element(0x80, &[&[0]]),
        &der::sequence(&[&names("receipts@bank.example")]),
    ]);
    let request_list = der::sequence(&[
        &der::octet_string(b"id-1"),
        &der::element(0xa1, &[&names("jiro@reader.example")]),
        &der::sequence(&[&names("receipts@bank.example")]),
    ]);
    let hints = der::sequence(&[&der::utf8("the bill"), &der::oid(&oid::DATA)]);
    let reference = der::sequence(&[&der::oid(&oid::DATA), &der::octet_string(&[0xab]), &der::octet_string(&[1])]);
    let bank = &Pki::get().bank;
    let history = der::sequence(&[&der::sequence(&[&der::octet_string(&[1]), b"\x18\x0f20261201000000Z"])]);
    let capabilities = der::sequence(&[&der::sequence(&[&der::oid(&oid::AES256_GCM)])]);
    let serial = der::element(tag::INTEGER, &[bank.certificate.serial()]);
    let preference = der::context(0, &[bank.certificate.issuer().raw(), &serial]);
    for (kind, value, says) in [
        (oid::SECURITY_LABEL, label(), "policy 1.2.3, confidential, «Vertraulich», 1 categories"),
        (oid::EQUIVALENT_LABELS, der::sequence(&[&label(), &label()]), "; policy 1.2.3"),
        (oid::RECEIPT_REQUEST, request, "from everybody to receipts@bank.example"),
        (oid::RECEIPT_REQUEST, request_list, "from jiro@reader.example to receipts@bank.example"),
        (oid::CONTENT_HINTS, hints, "«the bill», data"),
        (oid::CONTENT_IDENTIFIER, der::octet_string(&[0xab]), "ab"),
        (oid::CONTENT_REFERENCE, reference.clone(), "message ab"),
        (oid::EXPANSION_HISTORY, history, "expanded at 2026-12-01T00:00:00Z"),
        (oid::MESSAGE_SIGNATURE_DIGEST, der::octet_string(&[0xcd]), "cd"),
        (oid::SMIME_CAPABILITIES, capabilities, &oid::describe(&oid::AES256_GCM)),
        (oid::ENCRYPTION_KEY_PREFERENCE, preference, "serial"),
        (oid::BINARY_SIGNING_TIME, binary(0), "2026-12-01T00:00:00Z"),
        (oid::SIGNING_CERTIFICATE, ess(bank, Digest::Sha1, bank), "SHA-1 "),
    ] {
        let signer = sign().without(kind).again(kind, vec![value]);
        let proof = verified(&parsed(SignedFactory::new(CONTENT).signer(&signer).holder(bank).der()), CONTENT)
            .verified
            .unwrap();
        let said = proof.attribute(kind).unwrap_or_else(|| panic!("{}", oid::describe(&kind))).to_string();
        assert!(said.contains(says), "{}: {said:?}", oid::describe(&kind));
        // Cut short it says nothing, and stops nothing that does not depend on it.
        assert!(Value::read(&kind, &[0x30, 0x03, 0x02]).is_err(), "{}", oid::describe(&kind));
    }
    let receipt = der::sequence(&[
        &der::unsigned(&[1]),
        &der::oid(&oid::DATA),
        &der::octet_string(&[0xab]),
        &der::octet_string(&[1]),
    ]);
    assert_eq!(Reference::parse_receipt(&receipt).unwrap(), Reference::parse(&reference).unwrap());
    assert!(Reference::parse_receipt(&reference).is_err());
}

/// The RSA signer whose certificate says that the key is for RSASSA-PSS, with this hash and this much salt.
fn pss(parameters: Option<(Digest, u16)>) -> Holder {
    let rsa = rsa();
    let spki = Der::only(rsa.key.spki()).unwrap();
    let mut inside = spki.inside();
    inside.element().unwrap();
    let key = inside.element().unwrap().raw;
    let algorithm = match parameters {
        Some((hash, salt)) => Signature::RsaPss { hash, mask: hash, salt }.identifier().unwrap(),
        None => AlgorithmIdentifier { oid: oid::RSASSA_PSS, parameters: None },
    };
    let spki = der::sequence(&[&algorithm.to_der(), key]);
    let certificate = Pki::leaf(BANK, "info@bank.example", 2).spki(&spki).issued_by(&Pki::get().se);
    Holder { certificate, ..rsa }
}

/// The signing time of the factory, `seconds` later, as a BinaryTime.
fn binary(seconds: i64) -> Vec<u8> {
    der::unsigned(&NOW.plus(seconds).unix().to_be_bytes())
}

/// SigningCertificate that names `holder`'s certificate by `hash`, and by issuer and serial number the one of `serial`.
/// The hash of version 2 is always written, though its default need not be; version 1 has SHA-1 and writes none.
fn ess(holder: &Holder, hash: Digest, serial: &Holder) -> Vec<u8> {
    let value = crypto::digest(hash, holder.certificate.raw());
    let algorithm = if hash == Digest::Sha1 { Vec::new() } else { der::sequence(&[&der::oid(&hash.oid())]) };
    let names = der::sequence(&[&write::directory(serial.certificate.issuer())]);
    let serial = der::element(tag::INTEGER, &[serial.certificate.serial()]);
    let id = der::sequence(&[&algorithm, &der::octet_string(value.as_ref()), &der::sequence(&[&names, &serial])]);
    der::sequence(&[&der::sequence(&[&id])])
}

fn unknown_hash() -> Vec<u8> {
    let algorithm = der::sequence(&[&der::oid(&Oid::new_unwrap("1.2.3.4"))]);
    der::sequence(&[&der::sequence(&[&der::sequence(&[&algorithm, &der::octet_string(&[0; 32])])])])
}

fn label() -> Vec<u8> {
    let policy = Oid::new_unwrap("1.2.3");
    let category = der::sequence(&[&der::element(0x80, &[policy.as_bytes()]), &der::context(1, &[der::NULL])]);
    der::element(
        tag::SET,
        &[&der::unsigned(&[3]), &der::oid(&policy), &der::utf8("Vertraulich"), &der::element(tag::SET, &[&category])],
    )
}

/// Another certificate with the same issuer and serial number.
fn same_sid(holder: &Holder) -> Holder {
    let leaf = Pki::leaf(BANK, "info@bank.example", 2).serial(holder.certificate.serial());
    Holder { certificate: leaf.valid(in_days(-50), in_days(50)).issued_by(&Pki::get().se), ..holder.clone() }
}
