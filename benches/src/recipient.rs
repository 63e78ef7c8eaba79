//! Recipients of encrypted mail: as many certificates as are asked for, all of one key, which costs the same.

use std::fs;
use std::path::{Path, PathBuf};

use kakitome_pki::asn1::{oid, write};
use kakitome_pki::cert::pem;
use kakitome_testkit::{CertificateFactory, key, rsa_key};

/// Certificates in files, and the key of all of them.
pub struct Recipients {
    /// The kind of the key, for people.
    pub key_name: &'static str,
    pub certificates: Vec<PathBuf>,
    pub key: PathBuf,
}

impl Recipients {
    /// Makes `count` of them.
    pub fn new(folder: &Path, key_name: &'static str, count: usize) -> anyhow::Result<Self> {
        let folder = folder.join(format!("recipients {key_name}"));
        fs::create_dir_all(&folder)?;
        let is_rsa = key_name.starts_with("RSA");
        let key = if is_rsa { rsa_key("recipient") } else { key("recipient") };
        // keyEncipherment for RSA, keyAgreement for a curve
        let usage = write::named_bits(&[0, if is_rsa { 2 } else { 4 }]);
        let authority = CertificateFactory::authority("bench").self_signed("bench");
        let mut certificates = Vec::new();
        for number in 1..=count {
            let serial = u32::try_from(number)?.to_be_bytes();
            let certificate = CertificateFactory::signer(&[(oid::COMMON_NAME, "bob")], &["bob@example.net"], "bob")
                .spki(key.spki())
                .with(oid::KEY_USAGE, true, usage.clone())
                .serial(&[&[1], serial.as_slice()].concat())
                .issued_by(&authority);
            let file = folder.join(format!("{number}.pem"));
            fs::write(&file, pem::write("CERTIFICATE", certificate.raw()))?;
            certificates.push(file);
        }
        let file = folder.join("key.pem");
        fs::write(&file, pem::write("PRIVATE KEY", &key.to_pkcs8()?))?;
        Ok(Self { key_name, certificates, key: file })
    }
}
