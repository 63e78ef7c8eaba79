//! PKCS#12 files that others made: each opens with its password alone, and holds what is told of it.

use std::path::Path;

use kakitome_pki::cert::pkcs12::{NotRead, open};
use kakitome_pki::cert::{Certificate, pem};

use crate::corpus;

/// File, password, how many keys and certificates it holds.
const FILES: &[(&str, &str, (usize, usize))] = &[
    ("autocrypt-protected-headers/bob.p12", "bob", (1, 2)),
    ("bouncycastle/bc-test-data/asn1/test_key_pbmac1_bcjsse.pfx", "xxxxxx", (1, 1)),
    ("bouncycastle/bc-test-data/asn1/test_key_pbmac1_openssl.pfx", "xxxxxx", (1, 1)),
    ("bouncycastle/johndoe.p12", "", (1, 1)),
    ("gnupg/gnupg-cms/samplekeys/credential_private_encrypted_3DES.p12", "qeFGds84/Sf0eKkJwcp6", (1, 2)),
    ("gnupg/gnupg-cms/samplekeys/credential_private_encrypted_AES256.p12", "qeFGds84/Sf0eKkJwcp6", (1, 2)),
    ("gnupg/gnupg-cms/samplekeys/nistp256-openssl-self-signed.p12", "abc", (1, 1)),
    ("gnupg/gnupg-cms/samplekeys/opensc-test.p12", "password", (1, 2)),
    ("gnupg/gnupg-cms/samplekeys/ov-server.p12", "start", (1, 1)),
    ("gnupg/gnupg-cms/samplekeys/ov-user.p12", "start", (1, 1)),
    ("gnupg/gnupg-cms/samplekeys/t5793-openssl.pfx", "test", (1, 1)),
    ("gnupg/gnupg-cms/samplekeys/t6752-ov-user-ff.p12", "start", (1, 1)),
    ("mimekit/smime/certificate-authority.pfx", "no.secret", (1, 1)),
    ("mimekit/smime/ec/smime.pfx", "no.secret", (1, 4)),
    ("nss/smime/interop-openssl/Fran-ec.p12", "nss", (1, 1)),
    ("nss/smime/interop-openssl/Fran.p12", "nss", (1, 1)),
    ("openssl/certs/v3-certs-RC2.p12", "v3-certs", (0, 2)),
    ("openssl/certs/v3-certs-TDES.p12", "v3-certs", (0, 2)),
    ("rfc9216/4.5-pkcs-12-object-for-alice.p12", "alice", (2, 3)),
    ("rfc9216/5.5-pkcs-12-object-for-bob.p12", "bob", (2, 3)),
    ("rfc9216/7.5-pkcs-12-object-for-carlos.p12", "carlos", (2, 3)),
    ("rfc9216/8.5-pkcs-12-object-for-dana.p12", "dana", (2, 3)),
];

fn octets(path: &Path) -> Vec<u8> {
    let octets = std::fs::read(path).unwrap();
    let block = pem::read(&octets).into_iter().find(|block| block.label == "PKCS12");
    block.map_or(octets, |block| block.der.to_vec())
}

fn answer(octets: &[u8], password: &str) -> Result<(usize, usize), String> {
    match open(octets, password) {
        Ok(opened) => {
            // Some certificates of PKITS are wrong on purpose; here it is the files that are asked about.
            let unreadable = opened.certificates().find_map(|der| Certificate::parse(der).err());
            if let Some(malformed) = unreadable {
                println!("{malformed}");
            }
            Ok((opened.keys().count(), opened.certificates().count()))
        }
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn files_of_many_makers() {
    let Some(_) = corpus::folder("gnupg") else { return };
    let mut wrong = Vec::new();
    for (file, password, expected) in FILES {
        let (folder, name) = file.split_once('/').unwrap();
        let octets = octets(&corpus::folder(folder).unwrap().join(name));
        let told = answer(&octets, password);
        if told.as_ref() != Ok(expected) {
            wrong.push(format!("{file}: {told:?}, not {expected:?}"));
        }
        if !matches!(open(&octets, "not this one"), Err(NotRead::Password)) {
            wrong.push(format!("{file}: opens with any password"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_405_of_pkits() {
    let Some(folder) = corpus::folder("pkits/pkcs12") else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let told = answer(&octets(&path), "password");
        assert!(matches!(told, Ok((1, 1..))), "{}: {told:?}", path.display());
        count += 1;
    }
    assert_eq!(count, 405);
}
