//! The table: which file tries which primitive. Each row is a function that does with one vector what the engine would do
//! with it, by the public interface alone.

use kakitome_awslc::RsaPrivateKey;
use kakitome_pki::algorithm::{
    AlgorithmIdentifier, Cipher, ContentEncryption, Derivation, Digest, KeyAgreement, KeyEncapsulation, KeyTransport,
    KeyWrap, MlDsa, MlKem, PasswordDerivation, Signature,
};
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Oid, oid, tag, write};
use kakitome_pki::crypto::{
    ContentKey, Curve, DecryptionKey, Decryptor, Encryptor, KeyEncryptionKey, PublicKey, SigningKey, digest, hkdf,
};

use super::vector::{Case, matches, number};

/// `Ok` where the vector is accepted as right; why not, otherwise.
type Answer = Result<(), String>;
type Primitive = fn(&Case<'_>) -> Answer;

pub(crate) const TABLE: &[(&str, Primitive)] = &[
    ("aes_cbc_pkcs5_test.json", cbc),
    ("aes_gcm_test.json", gcm),
    ("aes_wrap_test.json", wrap),
    ("ecdh_secp*_ecpoint_test.json", ecdh_point),
    ("ecdh_secp*r1_test.json", ecdh),
    ("ecdsa_secp*_sha256_test.json", ecdsa),
    ("ecdsa_secp*_sha384_test.json", ecdsa),
    ("ecdsa_secp*_sha512_test.json", ecdsa),
    ("ed25519_test.json", ed25519),
    ("hkdf_*", hkdf_octets),
    ("mldsa_*_sign_noseed_test.json", sign_ml_dsa),
    ("mldsa_*_sign_seed_test.json", sign_ml_dsa),
    ("mldsa_*_verify_test.json", verify_ml_dsa),
    ("mlkem_*_encaps_test.json", encapsulate),
    ("mlkem_*_keygen_seed_test.json", ml_kem_key),
    ("mlkem_*_semi_expanded_decaps_test.json", decapsulate_expanded),
    ("mlkem_*_test.json", decapsulate),
    ("pbes2_*", pbes2),
    ("pbkdf2_*", pbkdf2),
    ("rsa_oaep_*", oaep),
    ("rsa_three_primes_oaep_*", oaep),
    ("rsa_pkcs1_*_sig_gen_test.json", sign_pkcs1),
    ("rsa_pkcs1_*", pkcs1),
    ("rsa_pss_2048_sha*", pss),
    ("rsa_pss_3072_sha256*", pss),
    ("rsa_pss_4096_sha*", pss),
    ("rsa_pss_misc*", pss),
    ("rsa_signature_*", verify_pkcs1),
    ("x25519_asn_test.json", x25519_asn),
    ("x25519_test.json", x25519),
];

/// The row of a file. SHAKE stands under names that begin like those of SHA.
pub(crate) fn for_file(file: &str) -> Option<Primitive> {
    let known = TABLE.iter().find(|(pattern, _)| matches(pattern, file) && !file.contains("shake"));
    known.map(|(_, primitive)| *primitive)
}

fn refused(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn same(computed: &[u8], expected: &[u8], what: &str) -> Answer {
    if computed == expected { Ok(()) } else { Err(format!("another {what}")) }
}

fn cbc(case: &Case<'_>) -> Answer {
    let cipher = match case.number("keySize") {
        128 => Cipher::Aes128Cbc,
        192 => Cipher::Aes192Cbc,
        _ => Cipher::Aes256Cbc,
    };
    let encryption = ContentEncryption::new(cipher, &case.octets("iv")).ok_or("the IV has another length")?;
    content(case, &encryption, &[], &[])
}

fn gcm(case: &Case<'_>) -> Answer {
    let named = match case.number("keySize") {
        128 => oid::AES128_GCM,
        192 => oid::AES192_GCM,
        _ => oid::AES256_GCM,
    };
    let tag = case.octets("tag");
    let length = u8::try_from(case.number("tagSize") / 8).unwrap();
    let parameters = write::sequence(&[&write::octet_string(&case.octets("iv")), &write::unsigned(&[length])]);
    let identifier = AlgorithmIdentifier { oid: named, parameters: Some(parameters) };
    let encryption = ContentEncryption::from_identifier(&identifier).map_err(refused)?.unwrap();
    content(case, &encryption, &case.octets("aad"), &tag)
}

/// Decrypted in pieces of several sizes, and encrypted again.
fn content(case: &Case<'_>, encryption: &ContentEncryption, aad: &[u8], tag: &[u8]) -> Answer {
    let key = ContentKey::new(encryption.cipher(), &case.octets("key")).ok_or("the key has another length")?;
    let (message, encrypted) = (case.octets("msg"), case.octets("ct"));
    for piece in [1, 16, 33, 4096] {
        let mut decryptor = Decryptor::new(encryption, &key, aad).map_err(refused)?;
        let mut out = Vec::new();
        encrypted.chunks(piece).for_each(|piece| decryptor.update(piece, &mut out));
        decryptor.finish(tag, &mut out).map_err(refused)?;
        same(&out, &message, "message")?;
    }
    let mut encryptor = Encryptor::new(encryption, &key, aad).map_err(refused)?;
    let mut out = Vec::new();
    encryptor.update(&message, &mut out);
    let made = encryptor.finish(&mut out).map_err(refused)?;
    same(&out, &encrypted, "ciphertext")?;
    same(&made[..tag.len()], tag, "tag")
}

/// A cipher whose key has any length up to 128 octets: RC2, which takes part in nothing but the length here.
fn any_key(octets: usize) -> Result<Cipher, String> {
    match octets {
        1..=128 => Ok(Cipher::Rc2Cbc { bits: u16::try_from(octets * 8).unwrap() }),
        _ => Err(format!("no content key has {octets} octets")),
    }
}

fn wrap(case: &Case<'_>) -> Answer {
    let wrap = match case.number("keySize") {
        128 => KeyWrap::Aes128,
        192 => KeyWrap::Aes192,
        _ => KeyWrap::Aes256,
    };
    let key = KeyEncryptionKey::new(wrap, &case.octets("key")).ok_or("the key has another length")?;
    let (message, wrapped) = (case.octets("msg"), case.octets("ct"));
    let opened = key.unwrap(&wrapped, any_key(message.len())?).map_err(refused)?;
    same(opened.octets(), &message, "key")?;
    same(&key.wrap(&opened).map_err(refused)?, &wrapped, "wrapped key")
}

fn decryption_key(case: &Case<'_>) -> Result<DecryptionKey, String> {
    DecryptionKey::from_der(&case.shared("privateKeyPkcs8")).map_err(refused)
}

fn oaep(case: &Case<'_>) -> Answer {
    let (hash, mask) = (case.digest("sha").ok_or("unknown hash")?, case.digest("mgfSha").ok_or("unknown hash")?);
    let transport = KeyTransport::Oaep { hash, mask, label: case.octets("label") };
    let message = case.octets("msg");
    let cipher = any_key(message.len())?;
    let opened = decryption_key(case)?.transport(&transport, &case.octets("ct"), cipher).map_err(refused)?;
    same(opened.octets(), &message, "key")
}

/// Wrong padding gives a key, too: always the same, and never the octets at the end of the block, where a key would be.
fn pkcs1(case: &Case<'_>) -> Answer {
    let (message, encrypted) = (case.octets("msg"), case.octets("ct"));
    let key = decryption_key(case)?;
    let open = |length| {
        let opened = key.transport(&KeyTransport::Pkcs1, &encrypted, any_key(length)?);
        Ok::<_, String>(opened.expect("RSA always gives a key").octets().to_vec())
    };
    if case.test["result"] == "invalid" {
        let raw = raw_rsa(&case.shared("privateKeyPkcs8")).decrypt_raw(&encrypted).unwrap_or_default();
        for length in [4, 8, 16, 24, 32, 64, 128] {
            assert_eq!(open(length)?, open(length)?);
            if raw.ends_with(&open(length)?) {
                return Ok(());
            }
        }
        return Err("wrong padding".to_owned());
    }
    same(&open(message.len())?, &message, "key")
}

/// The bare operation, whose block shows what must not come out.
fn raw_rsa(pkcs8: &[u8]) -> RsaPrivateKey {
    let mut inside = Der::only(pkcs8).unwrap().inside();
    inside.small().unwrap();
    inside.element().unwrap();
    RsaPrivateKey::parse(inside.element().unwrap().value).unwrap()
}

fn verify(case: &Case<'_>, algorithm: Signature) -> Answer {
    let key = PublicKey::parse(&case.shared("publicKeyDer")).map_err(refused)?;
    key.verify(algorithm, &case.octets("msg"), &case.octets("sig")).map_err(refused)
}

fn verify_pkcs1(case: &Case<'_>) -> Answer {
    verify(case, Signature::RsaPkcs1(case.digest("sha").ok_or("unknown hash")?))
}

fn pss(case: &Case<'_>) -> Answer {
    let (hash, mask) = (case.digest("sha").ok_or("unknown hash")?, case.digest("mgfSha").ok_or("unknown hash")?);
    let salt = u16::try_from(case.number("sLen")).map_err(refused)?;
    let algorithm = Signature::RsaPss { hash, mask, salt };
    verify(case, algorithm)
}

fn ecdsa(case: &Case<'_>) -> Answer {
    verify(case, Signature::Ecdsa(case.digest("sha").ok_or("unknown hash")?))
}

fn ed25519(case: &Case<'_>) -> Answer {
    verify(case, Signature::Ed25519)
}

fn sign_pkcs1(case: &Case<'_>) -> Answer {
    let hash = case.digest("sha").ok_or("unknown hash")?;
    let key = SigningKey::from_der(&case.shared("privateKeyPkcs8")).map_err(refused)?;
    let algorithm = key.algorithm_with(hash).ok_or("the key does not sign with this hash")?;
    same(&key.sign(algorithm, &case.octets("msg")).map_err(refused)?, &case.octets("sig"), "signature")
}

/// Agreed keys are never given out: the one that is expected must open what the agreed one wraps.
fn agree(key: &DecryptionKey, peer: &PublicKey, shared: &[u8]) -> Answer {
    let agreement = KeyAgreement::new(Derivation::X963(Digest::Sha256), KeyWrap::Aes256);
    let info = agreement.wrap_identifier.to_der();
    let agreed = key.agree(peer, &agreement, &info, None).map_err(refused)?;
    // ECC-CMS-SharedInfo (RFC 5753 §7.2) and one round of the X9.63 derivation.
    let shared_info = write::sequence(&[&info, &write::context(2, &[&write::octet_string(&256u32.to_be_bytes())])]);
    let expected = digest(Digest::Sha256, &[shared, &1u32.to_be_bytes(), &shared_info].concat());
    let expected = KeyEncryptionKey::new(KeyWrap::Aes256, expected.as_ref()).unwrap();
    let sent = ContentKey::new(Cipher::Aes128Gcm, &[7; 16]).unwrap();
    let opened = expected.unwrap(&agreed.wrap(&sent).map_err(refused)?, Cipher::Aes128Gcm).map_err(refused)?;
    same(opened.octets(), sent.octets(), "key")
}

fn ec_key(case: &Case<'_>) -> Result<(DecryptionKey, Curve), String> {
    let curve = match case.group["curve"].as_str().unwrap() {
        "secp256r1" => Curve::P256,
        "secp384r1" => Curve::P384,
        _ => Curve::P521,
    };
    let scalar = case.octets("private");
    let significant: Vec<u8> = scalar.into_iter().skip_while(|octet| *octet == 0).collect();
    let padded = [vec![0; curve.field_octets() - significant.len()], significant].concat();
    let parameters = write::context(0, &[&write::oid(&curve.oid())]);
    let der = write::sequence(&[&write::unsigned(&[1]), &write::octet_string(&padded), &parameters]);
    DecryptionKey::from_der(&der).map(|key| (key, curve)).map_err(refused)
}

fn ecdh(case: &Case<'_>) -> Answer {
    let (key, _) = ec_key(case)?;
    let peer = PublicKey::parse(&case.octets("public")).map_err(refused)?;
    agree(&key, &peer, &case.octets("shared"))
}

fn ecdh_point(case: &Case<'_>) -> Answer {
    let (key, curve) = ec_key(case)?;
    let peer = PublicKey::Ec { curve, point: case.octets("public") };
    agree(&key, &peer, &case.octets("shared"))
}

fn x25519_asn(case: &Case<'_>) -> Answer {
    let key = DecryptionKey::from_der(&case.octets("private")).map_err(refused)?;
    let peer = PublicKey::parse(&case.octets("public")).map_err(refused)?;
    agree(&key, &peer, &case.octets("shared"))
}

fn x25519(case: &Case<'_>) -> Answer {
    let inner = write::octet_string(&write::octet_string(&case.octets("private")));
    let algorithm = AlgorithmIdentifier::plain(oid::X25519).to_der();
    let key = DecryptionKey::from_der(&write::sequence(&[&write::unsigned(&[0]), &algorithm, &inner]));
    let peer = PublicKey::X25519(case.octets("public"));
    agree(&key.map_err(refused)?, &peer, &case.octets("shared"))
}

/// The digest that a file's name ends in.
fn named(case: &Case<'_>) -> Digest {
    let named = [("sha1", Digest::Sha1), ("sha256", Digest::Sha256), ("sha384", Digest::Sha384)];
    named.into_iter().find(|(name, _)| case.file.contains(name)).map_or(Digest::Sha512, |(_, digest)| digest)
}

fn hkdf_octets(case: &Case<'_>) -> Answer {
    let length = number(&case.test["size"]);
    let made = hkdf(named(case), &case.octets("salt"), &case.octets("ikm"), &case.octets("info"), length);
    same(&made.map_err(refused)?, &case.octets("okm"), "key")
}

fn derivation(case: &Case<'_>) -> Result<PasswordDerivation, String> {
    let rounds = u32::try_from(number(&case.test["iterationCount"])).map_err(refused)?;
    let made = PasswordDerivation::new(named(case), &case.octets("salt"), rounds);
    made.ok_or_else(|| "too many rounds".to_owned())
}

fn pbkdf2(case: &Case<'_>) -> Answer {
    let made = derivation(case)?.key(&case.octets("password"), number(&case.test["dkLen"]));
    same(&made.map_err(refused)?, &case.octets("dk"), "key")
}

fn pbes2(case: &Case<'_>) -> Answer {
    let ciphers: [(&str, Cipher); 3] =
        [("aes_128", Cipher::Aes128Cbc), ("aes_192", Cipher::Aes192Cbc), ("aes_256", Cipher::Aes256Cbc)];
    let (_, cipher) = ciphers.into_iter().find(|(name, _)| case.file.contains(name)).unwrap();
    let octets = derivation(case)?.key(&case.octets("password"), cipher.key_len()).map_err(refused)?;
    let key = ContentKey::new(cipher, &octets).unwrap();
    let encryption = ContentEncryption::new(cipher, &case.octets("iv")).ok_or("the IV has another length")?;
    let mut decryptor = Decryptor::new(&encryption, &key, &[]).map_err(refused)?;
    let mut out = Vec::new();
    decryptor.update(&case.octets("ct"), &mut out);
    decryptor.finish(&[], &mut out).map_err(refused)?;
    same(&out, &case.octets("msg"), "message")
}

/// The parameter set that a file's name holds.
fn of_file<T: Copy>(case: &Case<'_>, sets: [(&str, T); 3]) -> T {
    sets.into_iter().find(|(name, _)| case.file.contains(name)).map(|(_, set)| set).unwrap()
}

fn ml_dsa(case: &Case<'_>) -> MlDsa {
    of_file(case, [("_44_", MlDsa::MlDsa44), ("_65_", MlDsa::MlDsa65), ("_87_", MlDsa::MlDsa87)])
}

/// What the interface does not take: another context than the empty one, or a digest in place of the message.
fn plain_message(case: &Case<'_>) -> Result<Vec<u8>, String> {
    if case.test["ctx"].as_str().is_some_and(|context| !context.is_empty()) {
        return Err("S/MIME has no context (RFC 9882 §2)".to_owned());
    }
    if case.test["msg"].is_null() { Err("there is no message".to_owned()) } else { Ok(case.octets("msg")) }
}

fn verify_ml_dsa(case: &Case<'_>) -> Answer {
    plain_message(case)?;
    let octets = case.shared("publicKey");
    let identifier = AlgorithmIdentifier::plain(ml_dsa(case).oid());
    let spki = write::sequence(&[&identifier.to_der(), &write::bit_string(&octets)]);
    let key = PublicKey::parse(&spki).map_err(refused)?;
    key.verify(Signature::MlDsa(ml_dsa(case)), &case.octets("msg"), &case.octets("sig")).map_err(refused)
}

fn pkcs8(named: Oid, key: &[u8]) -> Vec<u8> {
    let algorithm = AlgorithmIdentifier::plain(named).to_der();
    write::sequence(&[&write::unsigned(&[0]), &algorithm, &write::octet_string(key)])
}

/// The key is read from its seed or its expanded form; what it signs verifies, and the signature of the vector, too.
fn sign_ml_dsa(case: &Case<'_>) -> Answer {
    let set = ml_dsa(case);
    let inner = match &case.group["privateSeed"] {
        serde_json::Value::Null => write::octet_string(&case.shared("privateKey")),
        _ => write::element(tag::context(0), &[&case.shared("privateSeed")]),
    };
    let key = SigningKey::from_der(&pkcs8(set.oid(), &inner)).map_err(refused)?;
    let read_again = SigningKey::from_der(&key.to_pkcs8().map_err(refused)?).map_err(refused)?;
    let message = plain_message(case)?;
    let public = PublicKey::parse(key.spki()).map_err(refused)?;
    for key in [&key, &read_again] {
        let signature = key.sign(Signature::MlDsa(set), &message).map_err(refused)?;
        public.verify(Signature::MlDsa(set), &message, &signature).map_err(refused)?;
    }
    public.verify(Signature::MlDsa(set), &message, &case.octets("sig")).map_err(refused)
}

fn ml_kem(case: &Case<'_>) -> MlKem {
    of_file(case, [("_512_", MlKem::MlKem512), ("_768_", MlKem::MlKem768), ("_1024_", MlKem::MlKem1024)])
}

fn ml_kem_public(case: &Case<'_>) -> Result<PublicKey, String> {
    let identifier = AlgorithmIdentifier::plain(ml_kem(case).oid());
    let spki = write::sequence(&[&identifier.to_der(), &write::bit_string(&case.octets("ek"))]);
    PublicKey::parse(&spki).map_err(refused)
}

fn ml_kem_private(case: &Case<'_>, key: &[u8]) -> Result<DecryptionKey, String> {
    DecryptionKey::from_der(&pkcs8(ml_kem(case).oid(), key)).map_err(refused)
}

/// The randomness is the library's own, so the ciphertext is another each time; the key must be taken or refused.
fn encapsulate(case: &Case<'_>) -> Answer {
    let encapsulation = KeyEncapsulation::new(ml_kem(case), KeyWrap::Aes256);
    let info = encapsulation.wrap_identifier.to_der();
    let (ciphertext, _) = ml_kem_public(case)?.encapsulate(&encapsulation, &info, None).map_err(refused)?;
    same(&[ciphertext.len().to_be_bytes()].concat(), &ml_kem(case).ciphertext_len().to_be_bytes(), "length")
}

/// Encapsulated keys are never given out, as agreed ones are not.
fn opens(case: &Case<'_>, key: &DecryptionKey) -> Answer {
    let encapsulation = KeyEncapsulation::new(ml_kem(case), KeyWrap::Aes256);
    let info = encapsulation.wrap_identifier.to_der();
    let opened = key.decapsulate(&case.octets("c"), &encapsulation, &info, None).map_err(refused)?;
    // CMSORIforKEMOtherInfo (RFC 9629 §5).
    let other_info = write::sequence(&[&info, &write::unsigned(&[32])]);
    let expected = hkdf(Digest::Sha256, &[], &case.octets("K"), &other_info, 32).map_err(refused)?;
    let expected = KeyEncryptionKey::new(KeyWrap::Aes256, &expected).unwrap();
    let sent = ContentKey::new(Cipher::Aes128Gcm, &[7; 16]).unwrap();
    let read = expected.unwrap(&opened.wrap(&sent).map_err(refused)?, Cipher::Aes128Gcm).map_err(refused)?;
    same(read.octets(), sent.octets(), "key")
}

fn decapsulate(case: &Case<'_>) -> Answer {
    let key = ml_kem_private(case, &write::element(tag::context(0), &[&case.octets("seed")]))?;
    if !case.test["ek"].is_null() {
        assert_eq!(key.public(), &ml_kem_public(case)?, "{}", case.name());
    }
    opens(case, &key)
}

fn decapsulate_expanded(case: &Case<'_>) -> Answer {
    opens(case, &ml_kem_private(case, &write::octet_string(&case.octets("dk")))?)
}

/// Seed, expanded key and both are one key; both that disagree are none.
fn ml_kem_key(case: &Case<'_>) -> Answer {
    let (seed, mut expanded) = (case.octets("seed"), case.octets("dk"));
    let both = |expanded: &[u8]| write::sequence(&[&write::octet_string(&seed), &write::octet_string(expanded)]);
    let public = ml_kem_public(case)?;
    for form in [write::element(tag::context(0), &[&seed]), write::octet_string(&expanded), both(&expanded)] {
        if ml_kem_private(case, &form)?.public() != &public {
            return Err("another public key".to_owned());
        }
    }
    *expanded.last_mut().unwrap() ^= 1;
    assert!(ml_kem_private(case, &both(&expanded)).is_err());
    Ok(())
}
