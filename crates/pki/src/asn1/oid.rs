//! The object identifiers, each written once.

#![allow(missing_docs)]

use super::Oid;

const fn oid(text: &str) -> Oid {
    Oid::new_unwrap(text)
}

// Algorithms: RFC 3279, 4055, 5754, 5758, 8410, 8419
pub const RSA_ENCRYPTION: Oid = oid("1.2.840.113549.1.1.1");
pub const MD5_WITH_RSA: Oid = oid("1.2.840.113549.1.1.4");
pub const SHA1_WITH_RSA: Oid = oid("1.2.840.113549.1.1.5");
pub const RSASSA_PSS: Oid = oid("1.2.840.113549.1.1.10");
pub const MGF1: Oid = oid("1.2.840.113549.1.1.8");
pub const SHA256_WITH_RSA: Oid = oid("1.2.840.113549.1.1.11");
pub const SHA384_WITH_RSA: Oid = oid("1.2.840.113549.1.1.12");
pub const SHA512_WITH_RSA: Oid = oid("1.2.840.113549.1.1.13");
pub const EC_PUBLIC_KEY: Oid = oid("1.2.840.10045.2.1");
pub const P256: Oid = oid("1.2.840.10045.3.1.7");
pub const P384: Oid = oid("1.3.132.0.34");
pub const P521: Oid = oid("1.3.132.0.35");
pub const ECDSA_WITH_SHA1: Oid = oid("1.2.840.10045.4.1");
pub const ECDSA_WITH_SHA256: Oid = oid("1.2.840.10045.4.3.2");
pub const ECDSA_WITH_SHA384: Oid = oid("1.2.840.10045.4.3.3");
pub const ECDSA_WITH_SHA512: Oid = oid("1.2.840.10045.4.3.4");
pub const ED25519: Oid = oid("1.3.101.112");
pub const DSA: Oid = oid("1.2.840.10040.4.1");
pub const DSA_WITH_SHA1: Oid = oid("1.2.840.10040.4.3");
pub const MD5: Oid = oid("1.2.840.113549.2.5");
pub const SHA1: Oid = oid("1.3.14.3.2.26");
pub const SHA256: Oid = oid("2.16.840.1.101.3.4.2.1");
pub const SHA384: Oid = oid("2.16.840.1.101.3.4.2.2");
pub const SHA512: Oid = oid("2.16.840.1.101.3.4.2.3");
pub const AES128_CBC: Oid = oid("2.16.840.1.101.3.4.1.2");
pub const AES256_CBC: Oid = oid("2.16.840.1.101.3.4.1.42");
pub const AES256_GCM: Oid = oid("2.16.840.1.101.3.4.1.46");

// Content types and attributes: RFC 5652, 5083, 3274, 8551, 5035, 6211
pub const DATA: Oid = oid("1.2.840.113549.1.7.1");
pub const SIGNED_DATA: Oid = oid("1.2.840.113549.1.7.2");
pub const ENVELOPED_DATA: Oid = oid("1.2.840.113549.1.7.3");
pub const AUTH_ENVELOPED_DATA: Oid = oid("1.2.840.113549.1.9.16.1.23");
pub const COMPRESSED_DATA: Oid = oid("1.2.840.113549.1.9.16.1.9");
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
pub const AUTHORITY_INFO_ACCESS: Oid = oid("1.3.6.1.5.5.7.1.1");
pub const AD_CA_ISSUERS: Oid = oid("1.3.6.1.5.5.7.48.2");
pub const AD_OCSP: Oid = oid("1.3.6.1.5.5.7.48.1");
pub const QC_STATEMENTS: Oid = oid("1.3.6.1.5.5.7.1.3");
pub const EMAIL_PROTECTION: Oid = oid("1.3.6.1.5.5.7.3.4");
pub const SERVER_AUTH: Oid = oid("1.3.6.1.5.5.7.3.1");
pub const CLIENT_AUTH: Oid = oid("1.3.6.1.5.5.7.3.2");
pub const CODE_SIGNING: Oid = oid("1.3.6.1.5.5.7.3.3");
pub const TIME_STAMPING: Oid = oid("1.3.6.1.5.5.7.3.8");
pub const SMTP_UTF8_MAILBOX: Oid = oid("1.3.6.1.5.5.7.8.9");

/// The arc of the S/MIME Baseline Requirements' policies (§7.1.6.1): `.{1..4}.{1..3}` below it.
pub const SMIME_BASELINE_ARC: Oid = oid("2.23.140.1.5");

/// A name for people, where one is known.
pub fn name(oid: &Oid) -> Option<&'static str> {
    TABLE.iter().find(|(known, _)| known == oid).map(|(_, name)| *name)
}

/// The name for people, or the dotted form.
pub fn describe(oid: &Oid) -> String {
    name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

const TABLE: &[(Oid, &str)] = &[
    (DATA, "data"),
    (SIGNED_DATA, "signed-data"),
    (ENVELOPED_DATA, "enveloped-data"),
    (AUTH_ENVELOPED_DATA, "auth-enveloped-data"),
    (COMPRESSED_DATA, "compressed-data"),
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
    (EMAIL_PROTECTION, "emailProtection"),
    (SERVER_AUTH, "serverAuth"),
    (CLIENT_AUTH, "clientAuth"),
    (CODE_SIGNING, "codeSigning"),
    (TIME_STAMPING, "timeStamping"),
    (ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
    (ANY_POLICY, "anyPolicy"),
];
