//! Whoever holds keys in a table.

use kakitome_pki::cert::{Certificate, pkcs12};
use kakitome_pki::crypto::{DecryptionKey, SystemRandom};
use kakitome_smime::cms::recipient::{HeldKeys, Holder};
use zeroize::Zeroizing;

use crate::corpus::{Corpus, from_hex};
use crate::table::{Case, Table};

/// The keys that are at hand in a case.
pub(crate) fn keys(corpus: &Corpus, table: &Table, case: &Case) -> HeldKeys<'static> {
    let mut keys = HeldKeys::new(&SystemRandom);
    for name in &case.holders {
        let holder = table.holder.iter().find(|holder| holder.name == *name);
        let holder = holder.unwrap_or_else(|| panic!("there is no holder {name:?}"));
        let (certificates, private) = match (&holder.p12, &holder.certificate, &holder.key) {
            (Some(file), None, None) => {
                let opened = pkcs12::open(&corpus.der(file, "PKCS12").concat(), &holder.password).unwrap();
                (opened.certificates().map(<[u8]>::to_vec).collect(), opened.keys().cloned().collect())
            }
            (None, Some(certificate), Some(key)) => {
                let key: Vec<_> = corpus.der(key, "PRIVATE KEY").into_iter().map(Zeroizing::new).collect();
                (corpus.der(certificate, "CERTIFICATE"), key)
            }
            _ => panic!("{name:?} holds a certificate with a key, or a PKCS#12 file"),
        };
        let read = private.iter().filter_map(|der| DecryptionKey::from_der(der).ok());
        let held = read.filter_map(|key| {
            let certificates = certificates.iter().filter_map(|der| Certificate::parse(der).ok());
            let certificate = certificates.into_iter().find(|certificate| certificate.key() == key.public())?;
            Some(Holder { certificate, key })
        });
        held.for_each(|holder| keys.hold(holder));
    }
    if let Some(password) = &case.password {
        keys.hold_password(Zeroizing::new(password.as_bytes().to_vec()));
    }
    if let Some(secret) = &case.secret {
        keys.hold_secret(b"", Zeroizing::new(from_hex(secret)));
    }
    keys
}
