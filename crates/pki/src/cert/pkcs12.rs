//! PKCS#12 (RFC 7292), for reading: what a bought certificate comes in. The library's own caps on key-derivation rounds
//! hold (a million).

use p12_keystore::Pkcs12Archive;
use zeroize::Zeroizing;

/// A file longer than this is no personal certificate, in octets.
pub const PKCS12_LIMIT: usize = 16 * 1024 * 1024;

/// What a file holds; nothing in it has been checked, no key been matched with a certificate.
pub struct Contents {
    /// The private keys, PKCS#8.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// The certificates, DER, in the order of the file.
    pub certificates: Vec<Vec<u8>>,
}

/// Why a file did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// The integrity check fails: the password, or the file.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// It is none, or uses what is not supported.
    #[error("not a PKCS#12 file that can be read: {0}")]
    Malformed(String),
}

/// Opens a file.
///
/// # Errors
/// [`NotRead`].
pub fn read(octets: &[u8], password: &str) -> Result<Contents, NotRead> {
    if octets.len() > PKCS12_LIMIT {
        return Err(NotRead::Malformed("it is longer than 16 MiB".to_owned()));
    }
    let archive = Pkcs12Archive::from_pkcs12(octets, password).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_)
        | p12_keystore::error::Error::UnpadError
        | p12_keystore::error::Error::Pkcs5Error(_) => NotRead::Password,
        other => NotRead::Malformed(other.to_string()),
    })?;
    Ok(Contents {
        keys: archive.keys.iter().map(|bag| Zeroizing::new(bag.key.as_der().to_vec())).collect(),
        certificates: archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
    })
}
