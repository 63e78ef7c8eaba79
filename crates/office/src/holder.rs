//! Who can open encrypted mail here: certificates with their private keys, out of the files that people have them in; those
//! of the members out of the store (`stored`).

mod stored;

use std::path::Path;

use kakitome_pki::cert::{Certificate, pkcs12};
use kakitome_pki::crypto::DecryptionKey;
use kakitome_smime::cms::recipient::Holder;
use zeroize::Zeroizing;

use crate::evidence::{self, Unusable};

pub use stored::{StoredKeys, Used};

/// From a file of certificates and one with their private keys, which may need a password.
///
/// # Errors
/// [`Unusable`]; [`Unusable::NeedsPassword`] where there is no key in the clear and no password was given.
pub fn from_files(certificate: &Path, key: &Path, password: Option<&str>) -> Result<Vec<Holder>, Unusable> {
    let certificates = evidence::certificates(certificate)?;
    matched(key, &certificates, &evidence::opened_keys(key, password)?)
}

/// From a PKCS#12 file, which may hold several keys.
///
/// # Errors
/// [`Unusable`].
pub fn from_pkcs12(path: &Path, password: &str) -> Result<Vec<Holder>, Unusable> {
    let refused = |why: String| Unusable::Identity { path: path.to_owned(), why };
    let opened = pkcs12::open(&evidence::read(path)?, password).map_err(|error| refused(error.to_string()))?;
    let parse = |der| Certificate::parse(der).map_err(|malformed| refused(malformed.to_string()));
    let certificates = opened.certificates().map(parse).collect::<Result<Vec<_>, _>>()?;
    matched(path, &certificates, opened.keys())
}

/// Each key that decrypts, with every certificate that is for it: a renewed certificate may keep its key.
fn matched<'a>(
    path: &Path,
    certificates: &[Certificate],
    keys: impl IntoIterator<Item = &'a Zeroizing<Vec<u8>>>,
) -> Result<Vec<Holder>, Unusable> {
    let refused = |why: &str| Unusable::Identity { path: path.to_owned(), why: why.to_owned() };
    let mut why = refused("holds no private key");
    let mut holders = Vec::new();
    for der in keys {
        let mut key = match DecryptionKey::from_der(der) {
            Ok(key) => Some(key),
            Err(error) => {
                why = refused(&error.to_string());
                continue;
            }
        };
        let public = key.as_ref().map(|key| key.public().clone());
        why = refused("none of the certificates is for this key");
        for certificate in certificates.iter().filter(|certificate| Some(certificate.key()) == public.as_ref()) {
            // Reading one takes long: its numbers are held against each other. A second certificate for it is rare.
            let key = key.take().map_or_else(|| DecryptionKey::from_der(der), Ok);
            let key = key.map_err(|error| refused(&error.to_string()))?;
            holders.push(Holder { certificate: certificate.clone(), key });
        }
    }
    if holders.is_empty() { Err(why) } else { Ok(holders) }
}
