//! B: flaws of the CMS object.

use crate::cms::{Form, SignedFactory, SignerFactory, object};
use crate::envelope::compressed as uncompressed;
use crate::mail::{Mail, opaque_part, replaced};
use crate::{BANK, Holder, Pki, RawRsa, forged_cube, in_days, sign};
use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::{Oid, oid, write as der};
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::crypto::sha256;
use kakitome_smime::cms::compressed::write_compressed;
use kakitome_smime::octets::InMemory;

use super::Row;
use super::valid::rsa_bank;

pub(crate) fn rows() -> Vec<Row> {
    let world = Pki::get();
    let (bank, eve) = (&world.bank, &world.eve);
    let base = Mail::of(bank);
    let payload = base.payload();
    let signed = SignedFactory::by(bank, payload).embedded();
    let large = der::sequence(&[&der::octet_string(&[0; 200_000])]);
    let other = Mail::of(bank).part("Content-Type: text/plain\r\n\r\npay to eve\r\n");
    let sign = || SignerFactory::new(bank);
    let cms = |signer: SignerFactory| SignedFactory::new(payload).signer(&signer).holder(bank);
    let row = |id, signer: SignerFactory, state, code| Row::new(id, base.clear(&cms(signer).der()), state, code);
    let ambiguous = |id, signer, code| row(id, signer, "AMBIGUOUS", code);
    let odd = |id, object: &[u8], code| Row::new(id, base.clear(object), "AMBIGUOUS", code);

    // A signature without attributes over the attributes of a genuine one, which the genuine signature value fits.
    let set = forgeable(bank);
    let forged = SignedFactory::new(&set).signer(&sign().no_attributes()).holder(bank);
    let one = sign().der(oid::DATA, payload);
    let rsa = rsa_bank();
    let with_key = |spki: &[u8]| Holder {
        certificate: Pki::leaf(BANK, "info@bank.example", 2).spki(spki).issued_by(&world.se),
        ..bank.clone()
    };
    let (weak, cube) = (with_key(&RawRsa::short().spki()), with_key(&forged_cube(b"").0));
    // Another certificate for the bank's key.
    let same_key = |mailbox: &str| Holder {
        certificate: Pki::leaf(BANK, mailbox, 2)
            .spki(bank.key.spki())
            .serial(&[0x41, 1])
            .with(oid::SUBJECT_KEY_IDENTIFIER, false, der::octet_string(&key_identifier(bank.key.spki()).unwrap()))
            .issued_by(&world.se),
        ..bank.clone()
    };
    let swapped = |holder: &Holder| {
        let signer = SignerFactory::new(holder).names(&bank.certificate);
        SignedFactory::new(payload).signer(&signer).holder(holder).certificate(bank.certificate.raw()).der()
    };
    let indefinite = cms(sign()).form(Form::Indefinite(1)).der();
    let path_ca = Holder { certificate: world.se.certificate.clone(), ..bank.clone() };
    let by_eve = |payload: &[u8]| SignedFactory::by(eve, payload);
    let by_rsa = |signer: SignerFactory| base.clear(&SignedFactory::new(payload).signer(&signer).holder(&rsa).der());
    let altered_by_rsa = |digest| {
        let signer = SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), digest);
        replaced(&by_rsa(signer), "今月", "来月")
    };

    vec![
        odd("B01", &SignedFactory::by(bank, other.payload()).embedded().der(), "cms.econtent-and-detached"),
        odd("B01g", &cms(sign()).embedded().der(), "cms.econtent-and-detached"),
        odd("B02", &forged.clone().embedded().der(), "cms.forged-attrs"),
        Row::new("B02o", base.opaque(&forged.clone().embedded().der()), "AMBIGUOUS", "cms.forged-attrs"),
        Row::new(
            "B03",
            base.clear(&SignedFactory::new(payload).signer_der(one.clone()).holder(bank).der()),
            "ORG_CONFIRMED",
            "ok",
        ),
        Row::new(
            "B03o",
            base.opaque(&SignedFactory::new(payload).signer_der(one).holder(bank).embedded().der()),
            "ORG_CONFIRMED",
            "ok",
        ),
        Row::new("B04", Mail::of(bank).part(&set).clear(&forged.der()), "AMBIGUOUS", "cms.forged-attrs"),
        odd("B05", &by_eve(payload).signer(&sign().signature(vec![1; 70])).holder(bank).der(), "cms.multi-signer"),
        odd(
            "B05r",
            &cms(sign().signature(vec![1; 70])).signer(&SignerFactory::new(eve)).holder(eve).der(),
            "cms.multi-signer",
        ),
        odd(
            "B06",
            &SignedFactory::new(payload)
                .signer(&SignerFactory::new(&rsa))
                .signer(&SignerFactory::new(&rsa).pss())
                .holder(&rsa)
                .der(),
            "cms.multi-signer",
        ),
        odd("B07", &SignedFactory::new(payload).holder(bank).der(), "cms.no-signer"),
        Row::new(
            "B07o",
            base.opaque(&SignedFactory::new(payload).holder(bank).embedded().der()),
            "AMBIGUOUS",
            "cms.no-signer",
        ),
        odd("B08", &SignedFactory::new(payload).der(), "cms.no-signer"),
        Row::new(
            "B09",
            replaced(&base.opaque(&SignedFactory::new(b"").holder(bank).der()), "signed-data", "certs-only"),
            "NOT_SIGNED",
            "cms.certs-only",
        ),
        Row::new("B10", replaced(&base.clear_by(bank), "今月", "来月"), "ALTERED", "cms.digest"),
        row("B11", sign().signature(vec![0x30; 71]), "ALTERED", "cms.sigvalue"),
        Row::new("B11r", by_rsa(SignerFactory::new(&rsa).signature(vec![0x30; 256])), "ALTERED", "cms.sigvalue"),
        Row::new("B11s", by_rsa(SignerFactory::new(&rsa).signature(vec![0x30; 255])), "ALTERED", "cms.sigvalue"),
        row("B11e", sign().signature(Vec::new()), "ALTERED", "cms.sigvalue"),
        ambiguous("B12", sign().without(oid::MESSAGE_DIGEST), "cms.attrs"),
        ambiguous("B12d", sign().again(oid::MESSAGE_DIGEST, vec![der::octet_string(&[0; 32])]), "cms.attrs"),
        ambiguous("B12t", sign().with(oid::MESSAGE_DIGEST, two_digests(payload)), "cms.attrs"),
        ambiguous("B12c", sign().without(oid::CONTENT_TYPE), "cms.attrs"),
        ambiguous("B12e", sign().again(oid::CONTENT_TYPE, vec![der::oid(&oid::DATA)]), "cms.attrs"),
        ambiguous("B12s", sign().again(oid::SIGNING_TIME, vec![in_days(-1).to_der()]), "cms.attrs"),
        ambiguous("B12n", sign().with(oid::SIGNING_TIME, vec![]), "cms.attrs"),
        ambiguous("B12i", sign().with(oid::SIGNING_TIME, vec![b"\x17\x0d260230000000Z".to_vec()]), "cms.attrs"),
        ambiguous("B13", sign().with(oid::CONTENT_TYPE, vec![der::oid(&oid::SIGNED_DATA)]), "cms.contenttype"),
        odd(
            "B13e",
            &SignedFactory::new(payload).signer(&sign()).content_type(oid::SIGNED_DATA).holder(bank).der(),
            "cms.contenttype",
        ),
        row("B14", sign().reversed(), "ORG_CONFIRMED", "ok").note("cms.attrs-der"),
        ambiguous("B14b", sign().reversed_and_signed_so(), "cms.attrs-der"),
        ambiguous("B15", sign().with(oid::CMS_ALGORITHM_PROTECTION, vec![protection(Digest::Sha512)]), "cms.algprot"),
        Row::new("B16", base.clear(&swapped(&same_key("eve@eve.example"))), "SIGNER_DIFFERS", "bind.none"),
        odd("B16s", &swapped(&same_key("info@bank.example")), "cms.esscert"),
        Row::new(
            "B17",
            by_rsa(SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), Digest::Sha1)),
            "WEAK_SIGNATURE",
            "alg.sha1",
        ),
        Row::new(
            "B18",
            by_rsa(SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), Digest::Md5)),
            "WEAK_SIGNATURE",
            "alg.weak",
        ),
        // Weak or not, what was changed is told apart from what was not.
        Row::new(
            "B18h",
            by_rsa(SignerFactory::new(&rsa).pkcs1(RawRsa::of(rsa.key), Digest::Sha224)),
            "WEAK_SIGNATURE",
            "alg.weak",
        ),
        Row::new("B18m", altered_by_rsa(Digest::Md5), "ALTERED", "cms.digest"),
        Row::new(
            "B18r",
            base.clear(
                &SignedFactory::new(payload)
                    .signer(&SignerFactory::new(&weak).pkcs1(RawRsa::short(), Digest::Sha256))
                    .holder(&weak)
                    .der(),
            ),
            "WEAK_SIGNATURE",
            "alg.weak",
        ),
        ambiguous("B18d", mislabelled(Digest::Sha256, oid::DSA_WITH_SHA256), "cms.key-mismatch"),
        ambiguous("B18k", mislabelled(Digest::Sha256, oid::SHA256_WITH_RSA), "cms.key-mismatch"),
        Row::new("B18s", altered_by_rsa(Digest::Sha1), "ALTERED", "cms.digest"),
        Row::new(
            "B19",
            base.clear(
                &SignedFactory::new(payload)
                    .signer(&SignerFactory::new(&cube).forger(|octets| forged_cube(octets).1))
                    .holder(&cube)
                    .der(),
            ),
            "ALTERED",
            "cms.sigvalue",
        ),
        ambiguous("B20", sign().label_digest(Digest::Sha512), "cms.hash-mismatch"),
        Row::new(
            "B21",
            base.clear(&SignedFactory::new(payload).holder(bank).signer(&SignerFactory::new(eve)).holder(eve).der()),
            "SIGNER_DIFFERS",
            "bind.none",
        ),
        odd("B21t", &cms(sign()).certificate(same_sid(bank).certificate.raw()).der(), "cms.sid"),
        odd(
            "B21k",
            &cms(sign().by_key_id()).certificate(same_key("eve@eve.example").certificate.raw()).der(),
            "cms.sid",
        ),
        odd("B21m", &SignedFactory::new(payload).signer(&sign()).der(), "cms.no-signer-certificate"),
        Row::new(
            "B22",
            base.clear(
                &SignedFactory::new(payload)
                    .signer(&SignerFactory::new(eve).unsigned(oid::COUNTERSIGNATURE, sign().der(oid::DATA, b"x")))
                    .holder(eve)
                    .holder(bank)
                    .der(),
            ),
            "SIGNER_DIFFERS",
            "bind.none",
        )
        .note("cms.countersig"),
        odd("B23", &object(SIGNED_AND_ENVELOPED), "cms.type"),
        Row::new("B23o", base.opaque(&object(SIGNED_AND_ENVELOPED)), "AMBIGUOUS", "cms.type"),
        odd("B23r", &cms(sign()).kind(oid::SMIME_CAPABILITIES).der(), "cms.type"),
        Row::new("B24", base.opaque(&nested_octets()), "AMBIGUOUS", "limit.cms"),
        odd("B24c", &(0..100_000).fold(cms(sign()), |all, _| all.certificate(&[0x30, 0])).der(), "limit.cms"),
        odd("B24m", &(0..40).fold(cms(sign()), |all, _| all.certificate(&large)).der(), "limit.cms"),
        odd(
            "B24k",
            &SignedFactory::new(payload).signer(&sign()).certificate(&huge_key()).der(),
            "cms.no-signer-certificate",
        ),
        odd("B25", &cms(sign()).trailing(b"garbage").der(), "cms.trailing"),
        Row::new("B25o", base.opaque(&cms(sign()).embedded().trailing(&[0]).der()), "AMBIGUOUS", "cms.trailing"),
        Row::new("B26", base.opaque(&compressed(&opaque_part(&signed.der()))), "ORG_CONFIRMED", "ok"),
        Row::new("B26b", base.opaque(&compressed(&vec![b'x'; 2_000_000])), "AMBIGUOUS", "limit.compressed"),
        Row::new("B26c", base.opaque(&uncompressed(oid::DATA, &[0x5a; 64])), "AMBIGUOUS", "cms.compressed"),
        row("X10", sign().no_attributes(), "ORG_CONFIRMED", "ok").note("time.no-signing-time"),
        odd(
            "X11",
            &SignedFactory::new(payload)
                .content_type(oid::SIGNED_DATA)
                .signer(&sign().no_attributes())
                .holder(bank)
                .der(),
            "cms.attrs",
        ),
        Row::new("X12", base.opaque(&cms(sign()).der()), "AMBIGUOUS", "cms.no-content"),
        Row::new("X13", base.opaque(&cms(sign()).embedding(other.payload()).der()), "ALTERED", "cms.digest"),
        row("X14", sign().signature(tagged(bank, payload)), "ALTERED", "cms.sigvalue"),
        row("X15", sign().signature(over_content(bank, payload)), "ALTERED", "cms.sigvalue"),
        odd(
            "X17",
            &SignedFactory::new(payload).content_type(oid::SIGNED_DATA).signer(&sign()).holder(bank).der(),
            "cms.contenttype",
        ),
        ambiguous("X54", sign().with(oid::SMIME_CAPABILITIES, vec![der::NULL.to_vec(); 1000]), "cms.parse"),
        // A composite signature of an empty list of parts, and an algorithm that nobody knows.
        ambiguous("B16c", sign().label_algorithm(COMPOSITE).signature(der::sequence(&[])), "cms.unsupported"),
        // ML-DSA-65 with an ECDSA key's signature.
        ambiguous(
            "B66",
            sign().with_digest(Digest::Sha512).without(oid::CMS_ALGORITHM_PROTECTION).label_algorithm(oid::ML_DSA_65),
            "cms.key-mismatch",
        ),
        // The digest beside it is weaker than it is.
        ambiguous(
            "B66h",
            sign().without(oid::CMS_ALGORITHM_PROTECTION).label_algorithm(oid::ML_DSA_65),
            "cms.hash-mismatch",
        ),
        ambiguous("B38", sign().label_algorithm(UNKNOWN), "cms.unsupported"),
        // Values of another type than the attribute has.
        ambiguous("B36", sign().with(oid::SIGNING_TIME, vec![der::octet_string(b"261201000000Z")]), "cms.attrs"),
        ambiguous("B36d", sign().with(oid::MESSAGE_DIGEST, vec![der::oid(&oid::DATA)]), "cms.attrs"),
        ambiguous("B36c", sign().with(oid::CONTENT_TYPE, vec![der::NULL.to_vec()]), "cms.attrs"),
        // No digest algorithms at all, and a signature that says nothing else.
        odd("B37", &SignedFactory::new(payload).digests(&[]).der(), "cms.no-signer"),
        // Ends of contents: one too few, and one too many.
        odd("B34", &indefinite[..indefinite.len() - 2], "cms.parse"),
        odd("B34m", &[&indefinite[..], &[0, 0]].concat(), "cms.trailing"),
        ambiguous("X18", sign().version(7), "cms.version"),
        odd("X18w", &SignedFactory::by(bank, payload).version(9).der(), "cms.version"),
        Row::new("X18n", base.clear(&SignedFactory::by(bank, payload).version(4).der()), "ORG_CONFIRMED", "ok")
            .note("cms.version"),
        ambiguous("X19", sign().again(oid::COUNTERSIGNATURE, vec![der::sequence(&[])]), "cms.attrs"),
        // The signer says by which certificates he wants to be believed: the path's, or another.
        row("X16p", sign().with(oid::SIGNING_CERTIFICATE_V2, vec![named(&[bank, &path_ca])]), "ORG_CONFIRMED", "ok"),
        ambiguous("X16o", sign().with(oid::SIGNING_CERTIFICATE_V2, vec![named(&[bank, eve])]), "cms.esscert"),
        ambiguous("X16", sign().with(oid::SIGNING_CERTIFICATE_V2, vec![der::sequence(&[])]), "cms.attrs"),
    ]
}

/// SigningCertificateV2 of these.
fn named(holders: &[&Holder]) -> Vec<u8> {
    let id = |holder: &&Holder| der::sequence(&[&der::octet_string(&sha256(holder.certificate.raw()))]);
    let ids: Vec<Vec<u8>> = holders.iter().map(id).collect();
    let ids: Vec<&[u8]> = ids.iter().map(Vec::as_slice).collect();
    der::sequence(&[&der::sequence(&ids)])
}

/// Signed-and-enveloped-data of PKCS #7, which CMS dropped.
const SIGNED_AND_ENVELOPED: Oid = Oid::new_unwrap("1.2.840.113549.1.7.4");

/// ML-DSA-65 with ECDSA on P-256, composed (draft-ietf-lamps-pq-composite-sigs).
const COMPOSITE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.6.45");
/// Nobody's.
const UNKNOWN: Oid = Oid::new_unwrap("1.3.6.1.4.1.99999.1");

/// The signed attributes of a genuine signature, without an octet that a mail program would take for a line end.
fn forgeable(bank: &Holder) -> Vec<u8> {
    let signer = SignerFactory::new(bank).without(oid::CMS_ALGORITHM_PROTECTION).without(oid::SIGNING_CERTIFICATE_V2);
    let sets = (0..100).map(|n| signer.attributes(oid::DATA, format!("\r\n\r\ngenuine {n}\r\n").as_bytes()));
    let mut fit = sets.filter(|set| !set.contains(&b'\n'));
    fit.next().unwrap()
}

fn two_digests(payload: &[u8]) -> Vec<Vec<u8>> {
    [sha256(payload), [0; 32]].iter().map(|value| der::octet_string(value)).collect()
}

/// CMSAlgorithmProtection that names another digest.
fn protection(digest: Digest) -> Vec<u8> {
    let signature = der::context(1, &[&der::oid(&oid::ECDSA_WITH_SHA256)]);
    der::sequence(&[&der::sequence(&[&der::oid(&digest.oid())]), &signature])
}

/// Another certificate with the same issuer and serial number.
fn same_sid(holder: &Holder) -> Holder {
    let leaf = Pki::leaf(BANK, "info@bank.example", 2).serial(holder.certificate.serial());
    Holder { certificate: leaf.valid(in_days(-50), in_days(50)).issued_by(&Pki::get().se), ..holder.clone() }
}

/// A signature over the attributes as they are tagged in the message instead of as a SET OF.
fn tagged(holder: &Holder, payload: &[u8]) -> Vec<u8> {
    let mut set = SignerFactory::new(holder).attributes(oid::DATA, payload);
    set[0] = 0xa0;
    sign(holder.key, &set)
}

/// A signature over the content, where there are attributes.
fn over_content(holder: &Holder, payload: &[u8]) -> Vec<u8> {
    sign(holder.key, payload)
}

/// Signed-data whose content is a million OCTET STRINGs inside one another.
fn nested_octets() -> Vec<u8> {
    let open = [0x30, 0x80];
    let explicit = [0xa0, 0x80];
    let mut out =
        [&open[..], &der::oid(&oid::SIGNED_DATA), &explicit, &open, &der::unsigned(&[1]), &[0x31, 0]].concat();
    out.extend_from_slice(&[&open[..], &der::oid(&oid::DATA), &explicit].concat());
    out.extend_from_slice(&[0x24, 0x80].repeat(1_000_000));
    out
}

/// A signature under the name of an algorithm that it was not made with, and that no attribute protects.
fn mislabelled(digest: Digest, algorithm: Oid) -> SignerFactory {
    let signer = SignerFactory::new(&Pki::get().bank).without(oid::CMS_ALGORITHM_PROTECTION);
    signer.with_digest(digest).label_algorithm(algorithm)
}

/// The bank's certificate with an RSA key of 65536 bits.
fn huge_key() -> Vec<u8> {
    let bank = &Pki::get().bank;
    let key = der::sequence(&[&der::unsigned(&[0xff; 8192]), &der::unsigned(&[1, 0, 1])]);
    let algorithm = der::sequence(&[&der::oid(&oid::RSA_ENCRYPTION), der::NULL]);
    let spki = der::sequence(&[&algorithm, &der::bit_string(&key)]);
    let se = &Pki::get().se;
    Pki::leaf(BANK, "info@bank.example", 2).spki(&spki).serial(bank.certificate.serial()).der(
        se.certificate.subject(),
        se.certificate.spki(),
        se.key,
    )
}

/// Compressed-data around a MIME entity.
fn compressed(entity: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_compressed(oid::DATA, &entity.to_vec(), &InMemory, &mut out).unwrap();
    out
}
