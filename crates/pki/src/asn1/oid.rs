//! The object identifiers, each written once.

#![allow(missing_docs, reason = "each is named after what it identifies, and has that name in the table of names")]

use super::Oid;

const fn oid(text: &str) -> Oid {
    Oid::new_unwrap(text)
}

// Signatures, hashes and keys: RFC 3279, 4055, 5480, 5754, 5758, 8410, 8419
pub const RSA_ENCRYPTION: Oid = oid("1.2.840.113549.1.1.1");
pub const MD5_WITH_RSA: Oid = oid("1.2.840.113549.1.1.4");
pub const SHA1_WITH_RSA: Oid = oid("1.2.840.113549.1.1.5");
pub const RSASSA_PSS: Oid = oid("1.2.840.113549.1.1.10");
pub const MGF1: Oid = oid("1.2.840.113549.1.1.8");
pub const SHA224_WITH_RSA: Oid = oid("1.2.840.113549.1.1.14");
pub const SHA256_WITH_RSA: Oid = oid("1.2.840.113549.1.1.11");
pub const SHA384_WITH_RSA: Oid = oid("1.2.840.113549.1.1.12");
pub const SHA512_WITH_RSA: Oid = oid("1.2.840.113549.1.1.13");
pub const SHA512_224_WITH_RSA: Oid = oid("1.2.840.113549.1.1.15");
pub const SHA512_256_WITH_RSA: Oid = oid("1.2.840.113549.1.1.16");
pub const EC_PUBLIC_KEY: Oid = oid("1.2.840.10045.2.1");
pub const P256: Oid = oid("1.2.840.10045.3.1.7");
pub const P384: Oid = oid("1.3.132.0.34");
pub const P521: Oid = oid("1.3.132.0.35");
pub const ECDSA_WITH_SHA1: Oid = oid("1.2.840.10045.4.1");
pub const ECDSA_WITH_SHA224: Oid = oid("1.2.840.10045.4.3.1");
pub const ECDSA_WITH_SHA256: Oid = oid("1.2.840.10045.4.3.2");
pub const ECDSA_WITH_SHA384: Oid = oid("1.2.840.10045.4.3.3");
pub const ECDSA_WITH_SHA512: Oid = oid("1.2.840.10045.4.3.4");
pub const ED25519: Oid = oid("1.3.101.112");
pub const DSA: Oid = oid("1.2.840.10040.4.1");
pub const DSA_WITH_SHA1: Oid = oid("1.2.840.10040.4.3");
pub const DSA_WITH_SHA224: Oid = oid("2.16.840.1.101.3.4.3.1");
pub const DSA_WITH_SHA256: Oid = oid("2.16.840.1.101.3.4.3.2");
pub const MD5: Oid = oid("1.2.840.113549.2.5");
pub const SHA1: Oid = oid("1.3.14.3.2.26");
pub const SHA224: Oid = oid("2.16.840.1.101.3.4.2.4");
pub const SHA256: Oid = oid("2.16.840.1.101.3.4.2.1");
pub const SHA384: Oid = oid("2.16.840.1.101.3.4.2.2");
pub const SHA512: Oid = oid("2.16.840.1.101.3.4.2.3");
pub const SHA512_224: Oid = oid("2.16.840.1.101.3.4.2.5");
pub const SHA512_256: Oid = oid("2.16.840.1.101.3.4.2.6");

// Known by name alone: keys that nothing is computed with (RFC 3279, 5639, 8410, 9909; SEC 2; GM/T 0006)
pub const ED448: Oid = oid("1.3.101.113");
pub const DH_KEY_AGREEMENT: Oid = oid("1.2.840.113549.1.3.1");
pub const DH_PUBLIC_NUMBER: Oid = oid("1.2.840.10046.2.1");
pub const SECP224R1: Oid = oid("1.3.132.0.33");
pub const P192: Oid = oid("1.2.840.10045.3.1.1");
pub const SECP256K1: Oid = oid("1.3.132.0.10");
pub const SM2: Oid = oid("1.2.156.10197.1.301");
pub const BRAINPOOL_P256R1: Oid = oid("1.3.36.3.3.2.8.1.1.7");
pub const BRAINPOOL_P320R1: Oid = oid("1.3.36.3.3.2.8.1.1.9");
pub const BRAINPOOL_P384R1: Oid = oid("1.3.36.3.3.2.8.1.1.11");
pub const BRAINPOOL_P512R1: Oid = oid("1.3.36.3.3.2.8.1.1.13");
pub const SLH_DSA_SHA2_128S: Oid = oid("2.16.840.1.101.3.4.3.20");
pub const SLH_DSA_SHA2_128F: Oid = oid("2.16.840.1.101.3.4.3.21");
pub const SLH_DSA_SHA2_192S: Oid = oid("2.16.840.1.101.3.4.3.22");
pub const SLH_DSA_SHA2_192F: Oid = oid("2.16.840.1.101.3.4.3.23");
pub const SLH_DSA_SHA2_256S: Oid = oid("2.16.840.1.101.3.4.3.24");
pub const SLH_DSA_SHA2_256F: Oid = oid("2.16.840.1.101.3.4.3.25");
pub const SLH_DSA_SHAKE_128S: Oid = oid("2.16.840.1.101.3.4.3.26");
pub const SLH_DSA_SHAKE_128F: Oid = oid("2.16.840.1.101.3.4.3.27");
pub const SLH_DSA_SHAKE_192S: Oid = oid("2.16.840.1.101.3.4.3.28");
pub const SLH_DSA_SHAKE_192F: Oid = oid("2.16.840.1.101.3.4.3.29");
pub const SLH_DSA_SHAKE_256S: Oid = oid("2.16.840.1.101.3.4.3.30");
pub const SLH_DSA_SHAKE_256F: Oid = oid("2.16.840.1.101.3.4.3.31");

// Content encryption: RFC 3370, 3565, 5084
pub const DES_CBC: Oid = oid("1.3.14.3.2.7");
pub const DES_EDE3_CBC: Oid = oid("1.2.840.113549.3.7");
pub const RC2_CBC: Oid = oid("1.2.840.113549.3.2");
pub const AES128_CBC: Oid = oid("2.16.840.1.101.3.4.1.2");
pub const AES192_CBC: Oid = oid("2.16.840.1.101.3.4.1.22");
pub const AES256_CBC: Oid = oid("2.16.840.1.101.3.4.1.42");
pub const AES128_GCM: Oid = oid("2.16.840.1.101.3.4.1.6");
pub const AES192_GCM: Oid = oid("2.16.840.1.101.3.4.1.26");
pub const AES256_GCM: Oid = oid("2.16.840.1.101.3.4.1.46");
pub const AES128_CCM: Oid = oid("2.16.840.1.101.3.4.1.7");
pub const AES192_CCM: Oid = oid("2.16.840.1.101.3.4.1.27");
pub const AES256_CCM: Oid = oid("2.16.840.1.101.3.4.1.47");
pub const CHACHA20_POLY1305: Oid = oid("1.2.840.113549.1.9.16.3.18");

// Key transport, key wrap: RFC 3370, 3394, 3565, 4055
pub const RSAES_OAEP: Oid = oid("1.2.840.113549.1.1.7");
pub const P_SPECIFIED: Oid = oid("1.2.840.113549.1.1.9");
pub const AES128_WRAP: Oid = oid("2.16.840.1.101.3.4.1.5");
pub const AES192_WRAP: Oid = oid("2.16.840.1.101.3.4.1.25");
pub const AES256_WRAP: Oid = oid("2.16.840.1.101.3.4.1.45");
pub const TRIPLE_DES_WRAP: Oid = oid("1.2.840.113549.1.9.16.3.6");
pub const RC2_WRAP: Oid = oid("1.2.840.113549.1.9.16.3.7");

// Key agreement: RFC 5753 §7.1.4, RFC 8418 §3
pub const X25519: Oid = oid("1.3.101.110");
pub const X448: Oid = oid("1.3.101.111");
pub const ECDH: Oid = oid("1.3.132.1.12");
pub const ECDH_SHA1_KDF: Oid = oid("1.3.133.16.840.63.0.2");
pub const ECDH_SHA224_KDF: Oid = oid("1.3.132.1.11.0");
pub const ECDH_SHA256_KDF: Oid = oid("1.3.132.1.11.1");
pub const ECDH_SHA384_KDF: Oid = oid("1.3.132.1.11.2");
pub const ECDH_SHA512_KDF: Oid = oid("1.3.132.1.11.3");
pub const COFACTOR_ECDH_SHA1_KDF: Oid = oid("1.3.133.16.840.63.0.3");
pub const COFACTOR_ECDH_SHA224_KDF: Oid = oid("1.3.132.1.14.0");
pub const COFACTOR_ECDH_SHA256_KDF: Oid = oid("1.3.132.1.14.1");
pub const COFACTOR_ECDH_SHA384_KDF: Oid = oid("1.3.132.1.14.2");
pub const COFACTOR_ECDH_SHA512_KDF: Oid = oid("1.3.132.1.14.3");
pub const ECDH_HKDF_SHA256: Oid = oid("1.2.840.113549.1.9.16.3.19");
pub const ECDH_HKDF_SHA384: Oid = oid("1.2.840.113549.1.9.16.3.20");
pub const ECDH_HKDF_SHA512: Oid = oid("1.2.840.113549.1.9.16.3.21");

// Post-quantum: RFC 9881, 9882, 9935, 9629; HKDF: RFC 8619
pub const ML_DSA_44: Oid = oid("2.16.840.1.101.3.4.3.17");
pub const ML_DSA_65: Oid = oid("2.16.840.1.101.3.4.3.18");
pub const ML_DSA_87: Oid = oid("2.16.840.1.101.3.4.3.19");
pub const ML_KEM_512: Oid = oid("2.16.840.1.101.3.4.4.1");
pub const ML_KEM_768: Oid = oid("2.16.840.1.101.3.4.4.2");
pub const ML_KEM_1024: Oid = oid("2.16.840.1.101.3.4.4.3");
pub const HKDF_SHA256: Oid = oid("1.2.840.113549.1.9.16.3.28");
pub const HKDF_SHA384: Oid = oid("1.2.840.113549.1.9.16.3.29");
pub const HKDF_SHA512: Oid = oid("1.2.840.113549.1.9.16.3.30");

// Passwords: RFC 3211, 7292, 8018
pub const PWRI_KEK: Oid = oid("1.2.840.113549.1.9.16.3.9");
pub const PBKDF2: Oid = oid("1.2.840.113549.1.5.12");
pub const PBES2: Oid = oid("1.2.840.113549.1.5.13");
pub const PBMAC1: Oid = oid("1.2.840.113549.1.5.14");
pub const SCRYPT: Oid = oid("1.3.6.1.4.1.11591.4.11");
pub const PBE_MD5_DES: Oid = oid("1.2.840.113549.1.5.3");
pub const PBE_SHA1_DES: Oid = oid("1.2.840.113549.1.5.10");
pub const PBE_SHA1_RC4_128: Oid = oid("1.2.840.113549.1.12.1.1");
pub const PBE_SHA1_RC4_40: Oid = oid("1.2.840.113549.1.12.1.2");
pub const PBE_SHA1_TRIPLE_DES: Oid = oid("1.2.840.113549.1.12.1.3");
pub const PBE_SHA1_TWO_KEY_DES: Oid = oid("1.2.840.113549.1.12.1.4");
pub const PBE_SHA1_RC2_128: Oid = oid("1.2.840.113549.1.12.1.5");
pub const PBE_SHA1_RC2_40: Oid = oid("1.2.840.113549.1.12.1.6");
pub const HMAC_SHA1: Oid = oid("1.2.840.113549.2.7");
pub const HMAC_SHA224: Oid = oid("1.2.840.113549.2.8");
pub const HMAC_SHA256: Oid = oid("1.2.840.113549.2.9");
pub const HMAC_SHA384: Oid = oid("1.2.840.113549.2.10");
pub const HMAC_SHA512: Oid = oid("1.2.840.113549.2.11");

// PKCS#12 bags and their attributes: RFC 7292 §4.2, RFC 2985 §5.5
pub const KEY_BAG: Oid = oid("1.2.840.113549.1.12.10.1.1");
pub const SHROUDED_KEY_BAG: Oid = oid("1.2.840.113549.1.12.10.1.2");
pub const CERT_BAG: Oid = oid("1.2.840.113549.1.12.10.1.3");
pub const CRL_BAG: Oid = oid("1.2.840.113549.1.12.10.1.4");
pub const SECRET_BAG: Oid = oid("1.2.840.113549.1.12.10.1.5");
pub const SAFE_CONTENTS_BAG: Oid = oid("1.2.840.113549.1.12.10.1.6");
pub const X509_CERTIFICATE: Oid = oid("1.2.840.113549.1.9.22.1");
pub const X509_CRL: Oid = oid("1.2.840.113549.1.9.23.1");
pub const FRIENDLY_NAME: Oid = oid("1.2.840.113549.1.9.20");
pub const LOCAL_KEY_ID: Oid = oid("1.2.840.113549.1.9.21");

// Certification requests: RFC 2985 §5.4
pub const CHALLENGE_PASSWORD: Oid = oid("1.2.840.113549.1.9.7");
pub const UNSTRUCTURED_NAME: Oid = oid("1.2.840.113549.1.9.2");
pub const MICROSOFT_EXTENSION_REQUEST: Oid = oid("1.3.6.1.4.1.311.2.1.14");
pub const EXTENSION_REQUEST: Oid = oid("1.2.840.113549.1.9.14");

// Content types and attributes: RFC 5652, 5083, 3274, 8551, 5035, 6211
pub const DATA: Oid = oid("1.2.840.113549.1.7.1");
pub const SIGNED_DATA: Oid = oid("1.2.840.113549.1.7.2");
pub const ENVELOPED_DATA: Oid = oid("1.2.840.113549.1.7.3");
pub const SIGNED_AND_ENVELOPED_DATA: Oid = oid("1.2.840.113549.1.7.4");
pub const DIGESTED_DATA: Oid = oid("1.2.840.113549.1.7.5");
pub const ENCRYPTED_DATA: Oid = oid("1.2.840.113549.1.7.6");
pub const AUTHENTICATED_DATA: Oid = oid("1.2.840.113549.1.9.16.1.2");
pub const TST_INFO: Oid = oid("1.2.840.113549.1.9.16.1.4");
pub const AUTH_ENVELOPED_DATA: Oid = oid("1.2.840.113549.1.9.16.1.23");
pub const COMPRESSED_DATA: Oid = oid("1.2.840.113549.1.9.16.1.9");
pub const ZLIB_COMPRESSION: Oid = oid("1.2.840.113549.1.9.16.3.8");
pub const KEM_RECIPIENT_INFO: Oid = oid("1.2.840.113549.1.9.16.13.3");
pub const CONTENT_TYPE: Oid = oid("1.2.840.113549.1.9.3");
pub const MESSAGE_DIGEST: Oid = oid("1.2.840.113549.1.9.4");
pub const SIGNING_TIME: Oid = oid("1.2.840.113549.1.9.5");
pub const COUNTERSIGNATURE: Oid = oid("1.2.840.113549.1.9.6");
pub const SMIME_CAPABILITIES: Oid = oid("1.2.840.113549.1.9.15");
pub const SIGNING_CERTIFICATE: Oid = oid("1.2.840.113549.1.9.16.2.12");
pub const SIGNING_CERTIFICATE_V2: Oid = oid("1.2.840.113549.1.9.16.2.47");
pub const CMS_ALGORITHM_PROTECTION: Oid = oid("1.2.840.113549.1.9.52");
pub const ENCRYPTION_KEY_PREFERENCE: Oid = oid("1.2.840.113549.1.9.16.2.11");
pub const BINARY_SIGNING_TIME: Oid = oid("1.2.840.113549.1.9.16.2.46");

// Enhanced security services: RFC 2634, 3161
pub const RECEIPT: Oid = oid("1.2.840.113549.1.9.16.1.1");
pub const RECEIPT_REQUEST: Oid = oid("1.2.840.113549.1.9.16.2.1");
pub const SECURITY_LABEL: Oid = oid("1.2.840.113549.1.9.16.2.2");
pub const EXPANSION_HISTORY: Oid = oid("1.2.840.113549.1.9.16.2.3");
pub const CONTENT_HINTS: Oid = oid("1.2.840.113549.1.9.16.2.4");
pub const MESSAGE_SIGNATURE_DIGEST: Oid = oid("1.2.840.113549.1.9.16.2.5");
pub const CONTENT_IDENTIFIER: Oid = oid("1.2.840.113549.1.9.16.2.7");
pub const EQUIVALENT_LABELS: Oid = oid("1.2.840.113549.1.9.16.2.9");
pub const CONTENT_REFERENCE: Oid = oid("1.2.840.113549.1.9.16.2.10");
pub const TIME_STAMP_TOKEN: Oid = oid("1.2.840.113549.1.9.16.2.14");

// Names: RFC 4519, 2985, ITU-T X.520
pub const COMMON_NAME: Oid = oid("2.5.4.3");
pub const SURNAME: Oid = oid("2.5.4.4");
pub const SERIAL_NUMBER: Oid = oid("2.5.4.5");
pub const COUNTRY: Oid = oid("2.5.4.6");
pub const LOCALITY: Oid = oid("2.5.4.7");
pub const STATE: Oid = oid("2.5.4.8");
pub const STREET: Oid = oid("2.5.4.9");
pub const POSTAL_CODE: Oid = oid("2.5.4.17");
pub const ORGANIZATION: Oid = oid("2.5.4.10");
pub const ORGANIZATIONAL_UNIT: Oid = oid("2.5.4.11");
pub const TITLE: Oid = oid("2.5.4.12");
pub const GIVEN_NAME: Oid = oid("2.5.4.42");
pub const PSEUDONYM: Oid = oid("2.5.4.65");
pub const ORGANIZATION_IDENTIFIER: Oid = oid("2.5.4.97");
pub const EMAIL_ADDRESS: Oid = oid("1.2.840.113549.1.9.1");
pub const DOMAIN_COMPONENT: Oid = oid("0.9.2342.19200300.100.1.25");

// Extensions: RFC 5280 §4.2, RFC 9598
pub const SUBJECT_DIRECTORY_ATTRIBUTES: Oid = oid("2.5.29.9");
pub const SUBJECT_KEY_IDENTIFIER: Oid = oid("2.5.29.14");
pub const KEY_USAGE: Oid = oid("2.5.29.15");
pub const SUBJECT_ALT_NAME: Oid = oid("2.5.29.17");
pub const ISSUER_ALT_NAME: Oid = oid("2.5.29.18");
pub const BASIC_CONSTRAINTS: Oid = oid("2.5.29.19");
pub const CRL_NUMBER: Oid = oid("2.5.29.20");
pub const REASON_CODE: Oid = oid("2.5.29.21");
pub const DELTA_CRL_INDICATOR: Oid = oid("2.5.29.27");
pub const ISSUING_DISTRIBUTION_POINT: Oid = oid("2.5.29.28");
pub const CERTIFICATE_ISSUER: Oid = oid("2.5.29.29");
pub const NAME_CONSTRAINTS: Oid = oid("2.5.29.30");
pub const CRL_DISTRIBUTION_POINTS: Oid = oid("2.5.29.31");
pub const CERTIFICATE_POLICIES: Oid = oid("2.5.29.32");
pub const ANY_POLICY: Oid = oid("2.5.29.32.0");
pub const POLICY_MAPPINGS: Oid = oid("2.5.29.33");
pub const AUTHORITY_KEY_IDENTIFIER: Oid = oid("2.5.29.35");
pub const POLICY_CONSTRAINTS: Oid = oid("2.5.29.36");
pub const EXTENDED_KEY_USAGE: Oid = oid("2.5.29.37");
pub const ANY_EXTENDED_KEY_USAGE: Oid = oid("2.5.29.37.0");
pub const INHIBIT_ANY_POLICY: Oid = oid("2.5.29.54");
pub const FRESHEST_CRL: Oid = oid("2.5.29.46");
pub const AUTHORITY_INFO_ACCESS: Oid = oid("1.3.6.1.5.5.7.1.1");
pub const AD_CA_ISSUERS: Oid = oid("1.3.6.1.5.5.7.48.2");
pub const AD_OCSP: Oid = oid("1.3.6.1.5.5.7.48.1");
pub const RI_OCSP_RESPONSE: Oid = oid("1.3.6.1.5.5.7.16.2");
pub const OCSP_BASIC: Oid = oid("1.3.6.1.5.5.7.48.1.1");
pub const OCSP_NONCE: Oid = oid("1.3.6.1.5.5.7.48.1.2");
pub const OCSP_NO_CHECK: Oid = oid("1.3.6.1.5.5.7.48.1.5");
pub const OCSP_ARCHIVE_CUTOFF: Oid = oid("1.3.6.1.5.5.7.48.1.6");
pub const LEI: Oid = oid("1.3.6.1.4.1.52266.1");
pub const LEI_ROLE: Oid = oid("1.3.6.1.4.1.52266.2");
pub const ADOBE_TIME_STAMP: Oid = oid("1.2.840.113583.1.1.9.1");
pub const ADOBE_ARCHIVE: Oid = oid("1.2.840.113583.1.1.9.2");
pub const QC_STATEMENTS: Oid = oid("1.3.6.1.5.5.7.1.3");
pub const EMAIL_PROTECTION: Oid = oid("1.3.6.1.5.5.7.3.4");
pub const SERVER_AUTH: Oid = oid("1.3.6.1.5.5.7.3.1");
pub const CLIENT_AUTH: Oid = oid("1.3.6.1.5.5.7.3.2");
pub const CODE_SIGNING: Oid = oid("1.3.6.1.5.5.7.3.3");
pub const TIME_STAMPING: Oid = oid("1.3.6.1.5.5.7.3.8");
pub const OCSP_SIGNING: Oid = oid("1.3.6.1.5.5.7.3.9");
pub const SMTP_UTF8_MAILBOX: Oid = oid("1.3.6.1.5.5.7.8.9");

/// The arc of the S/MIME Baseline Requirements' policies (§7.1.6.1): `.{1..4}.{1..3}` below it.
pub const SMIME_BASELINE_ARC: Oid = oid("2.23.140.1.5");

/// A name for people, where one is known.
pub fn name(oid: &Oid) -> Option<&'static str> {
    // Many have the same length and beginning; few end alike, and only those are compared whole.
    let end = oid.end();
    let [_, last] = end.to_be_bytes();
    let mut at = FIRST.get(usize::from(last)).copied().unwrap_or(NONE);
    loop {
        let place = usize::from(at);
        let (known, name) = TABLE.get(place)?;
        if ENDS.get(place) == Some(&end) && known == oid {
            return Some(name);
        }
        at = NEXT.get(place).copied().unwrap_or(NONE);
    }
}

/// No place in [`TABLE`].
const NONE: u16 = u16::MAX;

/// Where in [`TABLE`] the first one stands with this last octet, and behind each the next with the same.
static FIRST: [u16; 256] = CHAINS.0;
static NEXT: [u16; TABLE.len()] = CHAINS.1;

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "evaluated by the compiler alone; an iterator does not run there"
)]
const CHAINS: ([u16; 256], [u16; TABLE.len()]) = {
    let (mut first, mut next) = ([NONE; 256], [NONE; TABLE.len()]);
    let mut at = TABLE.len();
    while at > 0 {
        at -= 1;
        let [_, last] = ENDS[at].to_be_bytes();
        next[at] = first[last as usize];
        first[last as usize] = at as u16;
    }
    (first, next)
};

/// How each of [`TABLE`] ends.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler alone; an iterator does not run there"
)]
const ENDS: [u16; TABLE.len()] = {
    let mut ends = [0; TABLE.len()];
    let mut at = 0;
    while at < ends.len() {
        ends[at] = TABLE[at].0.end();
        at += 1;
    }
    ends
};

/// The name for people, or the dotted form.
pub fn describe(oid: &Oid) -> String {
    name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

/// What a certificate policy stands for, where that is known: the profiles of the S/MIME Baseline Requirements (§7.1.6.1).
/// Their numbers are what programs read, so that [`describe`] leaves them as they are.
pub fn policy_name(policy: &Oid) -> Option<String> {
    const PROFILES: [(u32, &str); 4] = [
        (1, "mailbox-validated"),
        (2, "organisation-validated"),
        (3, "sponsor-validated"),
        (4, "individual-validated"),
    ];
    const GENERATIONS: [(u32, &str); 3] = [(1, "legacy"), (2, "multipurpose"), (3, "strict")];
    let each = PROFILES.iter().flat_map(|profile| GENERATIONS.iter().map(move |generation| (profile, generation)));
    let mut known = each.filter_map(|((profile, name), (generation, kind))| {
        let oid = SMIME_BASELINE_ARC.child(*profile)?.child(*generation)?;
        Some((oid, format!("S/MIME Baseline Requirements, {name}, {kind}")))
    });
    known.find(|(oid, _)| oid == policy).map(|(_, name)| name).or_else(|| name(policy).map(str::to_owned))
}

const TABLE: &[(Oid, &str)] = &[
    (RSA_ENCRYPTION, "RSA"),
    (MD5_WITH_RSA, "RSA PKCS#1 v1.5 with MD5"),
    (SHA1_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-1"),
    (RSASSA_PSS, "RSASSA-PSS"),
    (MGF1, "MGF1"),
    (SHA224_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-224"),
    (SHA256_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-256"),
    (SHA384_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-384"),
    (SHA512_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-512"),
    (SHA512_224_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-512/224"),
    (SHA512_256_WITH_RSA, "RSA PKCS#1 v1.5 with SHA-512/256"),
    (EC_PUBLIC_KEY, "EC"),
    (P256, "P-256"),
    (P384, "P-384"),
    (P521, "P-521"),
    (ECDSA_WITH_SHA1, "ECDSA with SHA-1"),
    (ECDSA_WITH_SHA224, "ECDSA with SHA-224"),
    (ECDSA_WITH_SHA256, "ECDSA with SHA-256"),
    (ECDSA_WITH_SHA384, "ECDSA with SHA-384"),
    (ECDSA_WITH_SHA512, "ECDSA with SHA-512"),
    (ED25519, "Ed25519"),
    (ED448, "Ed448"),
    (DH_KEY_AGREEMENT, "DH"),
    (DH_PUBLIC_NUMBER, "X9.42 DH"),
    (SECP224R1, "P-224"),
    (P192, "P-192"),
    (SECP256K1, "secp256k1"),
    (SM2, "SM2"),
    (BRAINPOOL_P256R1, "brainpoolP256r1"),
    (BRAINPOOL_P320R1, "brainpoolP320r1"),
    (BRAINPOOL_P384R1, "brainpoolP384r1"),
    (BRAINPOOL_P512R1, "brainpoolP512r1"),
    (SLH_DSA_SHA2_128S, "SLH-DSA-SHA2-128s"),
    (SLH_DSA_SHA2_128F, "SLH-DSA-SHA2-128f"),
    (SLH_DSA_SHA2_192S, "SLH-DSA-SHA2-192s"),
    (SLH_DSA_SHA2_192F, "SLH-DSA-SHA2-192f"),
    (SLH_DSA_SHA2_256S, "SLH-DSA-SHA2-256s"),
    (SLH_DSA_SHA2_256F, "SLH-DSA-SHA2-256f"),
    (SLH_DSA_SHAKE_128S, "SLH-DSA-SHAKE-128s"),
    (SLH_DSA_SHAKE_128F, "SLH-DSA-SHAKE-128f"),
    (SLH_DSA_SHAKE_192S, "SLH-DSA-SHAKE-192s"),
    (SLH_DSA_SHAKE_192F, "SLH-DSA-SHAKE-192f"),
    (SLH_DSA_SHAKE_256S, "SLH-DSA-SHAKE-256s"),
    (SLH_DSA_SHAKE_256F, "SLH-DSA-SHAKE-256f"),
    (DSA, "DSA"),
    (DSA_WITH_SHA1, "DSA with SHA-1"),
    (DSA_WITH_SHA224, "DSA with SHA-224"),
    (DSA_WITH_SHA256, "DSA with SHA-256"),
    (MD5, "MD5"),
    (SHA1, "SHA-1"),
    (SHA224, "SHA-224"),
    (SHA256, "SHA-256"),
    (SHA384, "SHA-384"),
    (SHA512, "SHA-512"),
    (SHA512_224, "SHA-512/224"),
    (SHA512_256, "SHA-512/256"),
    (DES_CBC, "DES-CBC"),
    (DES_EDE3_CBC, "3DES-CBC"),
    (RC2_CBC, "RC2-CBC"),
    (AES128_CBC, "AES-128-CBC"),
    (AES192_CBC, "AES-192-CBC"),
    (AES256_CBC, "AES-256-CBC"),
    (AES128_GCM, "AES-128-GCM"),
    (AES192_GCM, "AES-192-GCM"),
    (AES256_GCM, "AES-256-GCM"),
    (AES128_CCM, "AES-128-CCM"),
    (AES192_CCM, "AES-192-CCM"),
    (AES256_CCM, "AES-256-CCM"),
    (CHACHA20_POLY1305, "ChaCha20-Poly1305"),
    (RSAES_OAEP, "RSAES-OAEP"),
    (AES128_WRAP, "AES-128 key wrap"),
    (AES192_WRAP, "AES-192 key wrap"),
    (AES256_WRAP, "AES-256 key wrap"),
    (TRIPLE_DES_WRAP, "3DES key wrap"),
    (RC2_WRAP, "RC2 key wrap"),
    (X25519, "X25519"),
    (X448, "X448"),
    (ECDH, "ECDH"),
    (ECDH_SHA1_KDF, "ECDH with X9.63 KDF and SHA-1"),
    (ECDH_SHA224_KDF, "ECDH with X9.63 KDF and SHA-224"),
    (ECDH_SHA256_KDF, "ECDH with X9.63 KDF and SHA-256"),
    (ECDH_SHA384_KDF, "ECDH with X9.63 KDF and SHA-384"),
    (ECDH_SHA512_KDF, "ECDH with X9.63 KDF and SHA-512"),
    (COFACTOR_ECDH_SHA1_KDF, "cofactor ECDH with X9.63 KDF and SHA-1"),
    (COFACTOR_ECDH_SHA224_KDF, "cofactor ECDH with X9.63 KDF and SHA-224"),
    (COFACTOR_ECDH_SHA256_KDF, "cofactor ECDH with X9.63 KDF and SHA-256"),
    (COFACTOR_ECDH_SHA384_KDF, "cofactor ECDH with X9.63 KDF and SHA-384"),
    (COFACTOR_ECDH_SHA512_KDF, "cofactor ECDH with X9.63 KDF and SHA-512"),
    (ECDH_HKDF_SHA256, "ECDH with HKDF and SHA-256"),
    (ECDH_HKDF_SHA384, "ECDH with HKDF and SHA-384"),
    (ECDH_HKDF_SHA512, "ECDH with HKDF and SHA-512"),
    (ML_DSA_44, "ML-DSA-44"),
    (ML_DSA_65, "ML-DSA-65"),
    (ML_DSA_87, "ML-DSA-87"),
    (ML_KEM_512, "ML-KEM-512"),
    (ML_KEM_768, "ML-KEM-768"),
    (ML_KEM_1024, "ML-KEM-1024"),
    (HKDF_SHA256, "HKDF with SHA-256"),
    (HKDF_SHA512, "HKDF with SHA-512"),
    (PWRI_KEK, "PWRI-KEK"),
    (PBKDF2, "PBKDF2"),
    (PBES2, "PBES2"),
    (PBMAC1, "PBMAC1"),
    (SCRYPT, "scrypt"),
    (PBE_MD5_DES, "PKCS#5 MD5 and DES"),
    (PBE_SHA1_DES, "PKCS#5 SHA-1 and DES"),
    (PBE_SHA1_RC4_128, "PKCS#12 SHA-1 and RC4-128"),
    (PBE_SHA1_RC4_40, "PKCS#12 SHA-1 and RC4-40"),
    (PBE_SHA1_TRIPLE_DES, "PKCS#12 SHA-1 and 3DES"),
    (PBE_SHA1_TWO_KEY_DES, "PKCS#12 SHA-1 and two-key 3DES"),
    (PBE_SHA1_RC2_128, "PKCS#12 SHA-1 and RC2-128"),
    (PBE_SHA1_RC2_40, "PKCS#12 SHA-1 and RC2-40"),
    (HMAC_SHA1, "HMAC-SHA-1"),
    (HMAC_SHA224, "HMAC-SHA-224"),
    (HMAC_SHA256, "HMAC-SHA-256"),
    (HMAC_SHA384, "HMAC-SHA-384"),
    (HMAC_SHA512, "HMAC-SHA-512"),
    (KEY_BAG, "key bag"),
    (SHROUDED_KEY_BAG, "shrouded key bag"),
    (CERT_BAG, "certificate bag"),
    (CRL_BAG, "CRL bag"),
    (SECRET_BAG, "secret bag"),
    (SAFE_CONTENTS_BAG, "safe contents bag"),
    (FRIENDLY_NAME, "friendly name"),
    (LOCAL_KEY_ID, "local key identifier"),
    (CHALLENGE_PASSWORD, "challenge password"),
    (UNSTRUCTURED_NAME, "unstructured name"),
    (MICROSOFT_EXTENSION_REQUEST, "extension request (Microsoft)"),
    (EXTENSION_REQUEST, "extension request"),
    (DATA, "data"),
    (SIGNED_DATA, "signed-data"),
    (ENVELOPED_DATA, "enveloped-data"),
    (SIGNED_AND_ENVELOPED_DATA, "signed-and-enveloped-data"),
    (DIGESTED_DATA, "digested-data"),
    (ENCRYPTED_DATA, "encrypted-data"),
    (AUTHENTICATED_DATA, "authenticated-data"),
    (TST_INFO, "time-stamp token"),
    (AUTH_ENVELOPED_DATA, "auth-enveloped-data"),
    (COMPRESSED_DATA, "compressed-data"),
    (ZLIB_COMPRESSION, "zlib"),
    (KEM_RECIPIENT_INFO, "key encapsulation"),
    (CONTENT_TYPE, "content type"),
    (MESSAGE_DIGEST, "message digest"),
    (SIGNING_TIME, "signing time"),
    (COUNTERSIGNATURE, "counter-signature"),
    (SMIME_CAPABILITIES, "S/MIME capabilities"),
    (SIGNING_CERTIFICATE, "signing certificate"),
    (SIGNING_CERTIFICATE_V2, "signing certificate v2"),
    (CMS_ALGORITHM_PROTECTION, "CMS algorithm protection"),
    (ENCRYPTION_KEY_PREFERENCE, "encryption key preference"),
    (BINARY_SIGNING_TIME, "binary signing time"),
    (RECEIPT, "signed receipt"),
    (RECEIPT_REQUEST, "receipt request"),
    (SECURITY_LABEL, "security label"),
    (EXPANSION_HISTORY, "mailing list expansion history"),
    (CONTENT_HINTS, "content hints"),
    (MESSAGE_SIGNATURE_DIGEST, "message signature digest"),
    (CONTENT_IDENTIFIER, "content identifier"),
    (EQUIVALENT_LABELS, "equivalent labels"),
    (CONTENT_REFERENCE, "content reference"),
    (TIME_STAMP_TOKEN, "time-stamp token"),
    (COMMON_NAME, "CN"),
    (SURNAME, "SN"),
    (SERIAL_NUMBER, "serialNumber"),
    (COUNTRY, "C"),
    (LOCALITY, "L"),
    (STATE, "ST"),
    (ORGANIZATION, "O"),
    (ORGANIZATIONAL_UNIT, "OU"),
    (TITLE, "title"),
    (GIVEN_NAME, "GN"),
    (PSEUDONYM, "pseudonym"),
    (ORGANIZATION_IDENTIFIER, "organizationIdentifier"),
    (EMAIL_ADDRESS, "emailAddress"),
    (DOMAIN_COMPONENT, "DC"),
    (SUBJECT_DIRECTORY_ATTRIBUTES, "subjectDirectoryAttributes"),
    (SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"),
    (KEY_USAGE, "keyUsage"),
    (SUBJECT_ALT_NAME, "subjectAltName"),
    (ISSUER_ALT_NAME, "issuerAltName"),
    (BASIC_CONSTRAINTS, "basicConstraints"),
    (CRL_NUMBER, "cRLNumber"),
    (REASON_CODE, "reasonCode"),
    (DELTA_CRL_INDICATOR, "deltaCRLIndicator"),
    (ISSUING_DISTRIBUTION_POINT, "issuingDistributionPoint"),
    (CERTIFICATE_ISSUER, "certificateIssuer"),
    (NAME_CONSTRAINTS, "nameConstraints"),
    (CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
    (CERTIFICATE_POLICIES, "certificatePolicies"),
    (POLICY_MAPPINGS, "policyMappings"),
    (AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
    (POLICY_CONSTRAINTS, "policyConstraints"),
    (EXTENDED_KEY_USAGE, "extKeyUsage"),
    (INHIBIT_ANY_POLICY, "inhibitAnyPolicy"),
    (FRESHEST_CRL, "freshestCRL"),
    (AUTHORITY_INFO_ACCESS, "authorityInfoAccess"),
    (QC_STATEMENTS, "qcStatements"),
    (OCSP_NO_CHECK, "ocspNoCheck"),
    (EMAIL_PROTECTION, "emailProtection"),
    (SERVER_AUTH, "serverAuth"),
    (CLIENT_AUTH, "clientAuth"),
    (CODE_SIGNING, "codeSigning"),
    (TIME_STAMPING, "timeStamping"),
    (OCSP_SIGNING, "OCSPSigning"),
    (ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
    (ANY_POLICY, "anyPolicy"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_has_one_name() {
        assert_eq!(super::name(&Oid::new_unwrap("1.2.3.4")), None);
        for (at, (oid, name)) in TABLE.iter().enumerate() {
            assert!(TABLE[at + 1..].iter().all(|(other, _)| other != oid), "{name} ({oid}) stands twice");
            assert_eq!(super::name(oid), Some(*name));
        }
    }
}
