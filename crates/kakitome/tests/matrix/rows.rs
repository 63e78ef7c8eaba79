//! The rows of the table: every algorithm once.

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Sign,
    Encrypt,
    /// Compressed-data (RFC 3274).
    Compress,
}

pub(crate) struct Row {
    pub(crate) work: Work,
    /// `pkcs1-sha256` and such for signatures, the kind of recipient for encryption.
    pub(crate) algorithm: &'static str,
    /// The name of the key in the world.
    pub(crate) key: &'static str,
    /// `detached` or `opaque`; for encryption the cipher.
    pub(crate) form: &'static str,
    /// We read it and do not write it.
    pub(crate) reading_only: bool,
}

impl Row {
    pub(crate) fn label(&self) -> String {
        match (self.work, self.key) {
            (Work::Compress, _) => "zlib".to_owned(),
            (_, "-" | "x25519") => format!("{} · {}", self.algorithm, self.form),
            (_, key) => format!("{key} · {} · {}", self.algorithm, self.form),
        }
    }

    /// The file with the content: a MIME part.
    pub(crate) fn content(&self) -> &'static str {
        "content.mime"
    }
}

const fn sign(algorithm: &'static str, key: &'static str, form: &'static str) -> Row {
    Row { work: Work::Sign, algorithm, key, form, reading_only: false }
}

const fn encrypt(algorithm: &'static str, key: &'static str, form: &'static str) -> Row {
    Row { work: Work::Encrypt, algorithm, key, form, reading_only: false }
}

const fn old(algorithm: &'static str, key: &'static str, form: &'static str) -> Row {
    Row { work: Work::Encrypt, algorithm, key, form, reading_only: true }
}

pub(crate) const ROWS: &[Row] = &[
    sign("pkcs1-sha256", "rsa-2048", "detached"),
    sign("pkcs1-sha256", "rsa-2048", "opaque"),
    sign("pkcs1-sha384", "rsa-2048", "detached"),
    sign("pkcs1-sha512", "rsa-2048", "detached"),
    sign("pkcs1-sha256", "rsa-3072", "detached"),
    sign("pkcs1-sha256", "rsa-4096", "detached"),
    sign("pss-sha256", "rsa-2048", "detached"),
    sign("pss-sha256", "rsa-2048", "opaque"),
    sign("pss-sha384", "rsa-2048", "detached"),
    sign("pss-sha512", "rsa-2048", "detached"),
    sign("ecdsa-sha256", "p-256", "detached"),
    sign("ecdsa-sha256", "p-256", "opaque"),
    sign("ecdsa-sha384", "p-384", "detached"),
    sign("ecdsa-sha512", "p-521", "detached"),
    sign("ed25519-sha512", "ed25519", "detached"),
    sign("ed25519-sha512", "ed25519", "opaque"),
    encrypt("pkcs1", "rsa-2048", "aes128-cbc"),
    encrypt("pkcs1", "rsa-2048", "aes192-cbc"),
    encrypt("pkcs1", "rsa-2048", "aes256-cbc"),
    encrypt("pkcs1", "rsa-2048", "aes128-gcm"),
    encrypt("pkcs1", "rsa-2048", "aes192-gcm"),
    encrypt("pkcs1", "rsa-2048", "aes256-gcm"),
    encrypt("pkcs1", "rsa-4096", "aes256-cbc"),
    encrypt("oaep-sha1", "rsa-2048", "aes256-cbc"),
    encrypt("oaep-sha256", "rsa-2048", "aes256-cbc"),
    encrypt("oaep-sha256", "rsa-2048", "aes256-gcm"),
    encrypt("ecdh", "p-256", "aes128-cbc"),
    encrypt("ecdh", "p-256", "aes256-cbc"),
    encrypt("ecdh", "p-256", "aes256-gcm"),
    encrypt("ecdh", "p-384", "aes256-cbc"),
    encrypt("ecdh", "p-384", "aes256-gcm"),
    encrypt("ecdh", "p-521", "aes256-cbc"),
    encrypt("ecdh", "p-521", "aes256-gcm"),
    encrypt("x25519", "x25519", "aes128-cbc"),
    encrypt("x25519", "x25519", "aes256-cbc"),
    encrypt("x25519", "x25519", "aes256-gcm"),
    encrypt("password", "-", "aes256-cbc"),
    encrypt("password", "-", "aes256-gcm"),
    encrypt("kek", "-", "aes128-cbc"),
    encrypt("kek", "-", "aes256-gcm"),
    old("pkcs1", "rsa-2048", "3des-cbc"),
    old("pkcs1", "rsa-2048", "rc2-cbc"),
    Row { work: Work::Compress, algorithm: "compress", key: "-", form: "zlib", reading_only: false },
];
