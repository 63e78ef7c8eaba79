//! One root and a certificate for each kind of key, made by OpenSSL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers;

/// The password of every PKCS#12 file, and of the password recipients.
pub(crate) const PASSWORD: &str = "kakitome";
/// The key-encryption key of the KEK recipients, 128 bits, and its name.
pub(crate) const KEK: &[u8; 16] = b"kakitome-kek-128";
pub(crate) const KEK_ID: &[u8] = b"kakitome";

/// `name`, how OpenSSL makes the key, and what it is for.
const KEYS: [(&str, &[&str], &str); 8] = [
    ("rsa-2048", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "rsa"),
    ("rsa-3072", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"], "rsa"),
    ("rsa-4096", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"], "rsa"),
    ("p-256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ec"),
    ("p-384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "ec"),
    ("p-521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "ec"),
    ("ed25519", &["-algorithm", "ED25519"], "signs"),
    ("x25519", &["-algorithm", "X25519"], "agrees"),
];

const SETTINGS: &str = "[req]\ndistinguished_name = name\nprompt = no\n[name]\n\
    [root]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n\
    [rsa]\nkeyUsage = critical, digitalSignature, keyEncipherment\nextendedKeyUsage = emailProtection\n\
    subjectAltName = email:alice@example.test\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
    [ec]\nkeyUsage = critical, digitalSignature, keyAgreement\nextendedKeyUsage = emailProtection\n\
    subjectAltName = email:alice@example.test\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
    [signs]\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = emailProtection\n\
    subjectAltName = email:alice@example.test\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
    [agrees]\nkeyUsage = critical, keyAgreement\nextendedKeyUsage = emailProtection\n\
    subjectAltName = email:alice@example.test\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n";

pub(crate) struct World {
    /// Holds `<key>.pem`, `<key>.key` (PKCS#8), `<key>.p12` (the old encryption, which all read), `root.pem`,
    /// `content.mime` and `mail.eml`.
    pub(crate) folder: PathBuf,
    openssl: PathBuf,
}

impl World {
    pub(crate) fn build(folder: &Path) -> Option<Self> {
        let [openssl] = peers::programs("interop", ["openssl"])?;
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        let world = Self { folder: folder.to_owned(), openssl };
        fs::write(folder.join("ca.cnf"), SETTINGS).unwrap();
        let content = "Content-Type: text/plain; charset=us-ascii\r\n\r\nRegistered mail is signed for.\r\n";
        fs::write(folder.join("content.mime"), content).unwrap();
        let mail = format!(
            "From: Alice <alice@example.test>\r\nTo: alice@example.test\r\nSubject: interop\r\n\
            Message-ID: <1@client.test>\r\nDate: {}\r\nMIME-Version: 1.0\r\n{content}",
            crate::instance::date()
        );
        fs::write(folder.join("mail.eml"), mail).unwrap();
        let (days, root) = (["-days", "30"], ["-CA", "root.pem", "-CAkey", "root.key"]);
        world.run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "root.key"]);
        let request = ["req", "-x509", "-config", "ca.cnf", "-sha256"];
        let name = ["-extensions", "root", "-subj", "/O=Interop/CN=root", "-key", "root.key", "-out", "root.pem"];
        world.run(&[&request[..], &days, &name].concat());
        for (key, kind, usage) in KEYS {
            let (private, certificate, p12) = (format!("{key}.key"), format!("{key}.pem"), format!("{key}.p12"));
            world.run(&[&["genpkey", "-out", &private][..], kind].concat());
            let subject = format!("/O=Interop/CN={key}");
            let name = ["-extensions", usage, "-subj", &subject, "-key", &private, "-out", &certificate];
            world.run(&[&request[..], &days, &name, &root].concat());
            let password = format!("pass:{PASSWORD}");
            let old = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
            let export = ["pkcs12", "-export", "-inkey", &private, "-in", &certificate, "-name", key, "-out", &p12];
            world.run(&[&export[..], &["-passout", &password], &old].concat());
        }
        Some(world)
    }

    fn run(&self, arguments: &[&str]) {
        let out = Command::new(&self.openssl).current_dir(&self.folder).args(arguments).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// A file of this world.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
