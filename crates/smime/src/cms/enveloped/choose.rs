//! The choice of a cipher, from what all recipients say that they can read (RFC 8551 §2.7.1), above a floor that is ours.

use kakitome_pki::algorithm::Cipher;

use crate::cms::capability::Capabilities;

/// What is never gone below, whatever recipients say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Floor {
    /// AES with keys of 256 bits alone, else 128 may do.
    pub long_keys: bool,
    /// A cipher that notices changes, even where a recipient may not be able to read it.
    pub authenticated: bool,
}

/// Chooses for recipients of whom each may be known by his capabilities (`None`: nothing is known).
///
/// AES-GCM only where every recipient says that he reads it: many programs do not. Else AES-CBC, with 256 bits unless
/// somebody says that he reads 128 alone. Nothing below AES-128 is ever chosen: whoever names only RC2 or 3DES gets what
/// every program of this century reads.
pub fn choose(recipients: &[Option<&Capabilities>], floor: Floor) -> Cipher {
    let all = |cipher: Cipher| {
        let names = |known: &Capabilities| known.0.iter().any(|algorithm| algorithm.oid == cipher.oid());
        !recipients.is_empty() && recipients.iter().all(|recipient| recipient.is_some_and(names))
    };
    // An empty list says nothing.
    let hinders = |known: &&Capabilities| {
        !known.0.is_empty() && !known.0.iter().any(|algorithm| algorithm.oid == Cipher::Aes256Cbc.oid())
    };
    if all(Cipher::Aes256Gcm) {
        Cipher::Aes256Gcm
    } else if all(Cipher::Aes128Gcm) && !floor.long_keys {
        Cipher::Aes128Gcm
    } else if floor.authenticated {
        Cipher::Aes256Gcm
    } else if recipients.iter().flatten().any(hinders) && !floor.long_keys {
        Cipher::Aes128Cbc
    } else {
        Cipher::Aes256Cbc
    }
}

#[cfg(test)]
mod tests {
    use kakitome_pki::algorithm::AlgorithmIdentifier;
    use kakitome_pki::asn1::oid;

    use super::*;

    #[test]
    fn every_group_of_recipients_gets_what_all_of_it_reads() {
        let says = |oids: &[_]| Some(Capabilities(oids.iter().map(|oid| AlgorithmIdentifier::plain(*oid)).collect()));
        let own = || Some(Capabilities::own());
        let small = || says(&[oid::AES128_GCM, oid::AES128_CBC]);
        let blocks = || says(&[oid::AES256_CBC, oid::AES128_CBC]);
        let short = || says(&[oid::AES128_CBC]);
        let old = || says(&[oid::DES_EDE3_CBC, oid::RC2_CBC]);
        let nothing = || says(&[]);
        let floor = |long_keys, authenticated| Floor { long_keys, authenticated };
        let (low, long, sealed, both) =
            (floor(false, false), floor(true, false), floor(false, true), floor(true, true));
        for (recipients, floor, expected) in [
            (vec![own()], low, Cipher::Aes256Gcm),
            (vec![own(), own()], long, Cipher::Aes256Gcm),
            (vec![own(), small()], low, Cipher::Aes128Gcm),
            (vec![small(), small()], low, Cipher::Aes128Gcm),
            (vec![small()], long, Cipher::Aes256Cbc),
            (vec![small()], both, Cipher::Aes256Gcm),
            (vec![own(), blocks()], low, Cipher::Aes256Cbc),
            (vec![own(), None], low, Cipher::Aes256Cbc),
            (vec![None], low, Cipher::Aes256Cbc),
            (vec![None], sealed, Cipher::Aes256Gcm),
            (vec![blocks(), short()], low, Cipher::Aes128Cbc),
            (vec![blocks(), short()], long, Cipher::Aes256Cbc),
            (vec![old()], low, Cipher::Aes128Cbc),
            (vec![old()], long, Cipher::Aes256Cbc),
            (vec![old(), own()], sealed, Cipher::Aes256Gcm),
            (vec![nothing()], low, Cipher::Aes256Cbc),
            (vec![], low, Cipher::Aes256Cbc),
        ] {
            let known: Vec<Option<&Capabilities>> = recipients.iter().map(Option::as_ref).collect();
            assert_eq!(choose(&known, floor), expected, "{recipients:?} {floor:?}");
        }
    }
}
