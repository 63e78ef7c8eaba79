//! The kinds of certificate that the own CA makes.

use super::NotIssued;
use crate::address::Address;
use crate::asn1::{Oid, oid, tag, write};
use crate::cert::name::Name;
use crate::crypto::PublicKey;

const DAY: i64 = 24 * 60 * 60;
/// How long a root is made for, in seconds: twenty years.
pub const ROOT_LIFETIME: i64 = 20 * 365 * DAY;
/// How long an issuing CA is made for, in seconds: ten years.
pub const ISSUING_LIFETIME: i64 = 10 * 365 * DAY;
/// How long a member's certificate is made for, in seconds: a year, since renewing costs nobody anything.
pub const MEMBER_LIFETIME: i64 = 365 * DAY;
/// How long the certificate of an OCSP responder is made for, in seconds: nobody asks whether it was revoked
/// (RFC 6960 §4.2.2.2.1), so it is short.
pub const RESPONDER_LIFETIME: i64 = 14 * DAY;

/// ub-common-name of RFC 5280 Appendix A.1, in characters. A longer address stands in the alternative name alone.
const COMMON_NAME_LIMIT: usize = 64;

/// What a certificate is to say, without the keys, the dates and the issuer.
#[derive(Clone, Debug)]
pub struct Profile {
    subject: Name,
    kind: Kind,
    places: Places,
}

/// Where a certificate says that more is to be found. Only what an outside reader can fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The revocation list that this certificate would stand on.
    pub list: Option<String>,
    /// The issuer's certificate (RFC 5280 §4.2.2.1).
    pub issuer: Option<String>,
    /// The issuer's OCSP responder.
    pub responder: Option<String>,
}

/// What a member's key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailUse {
    /// Signing mail.
    Sign,
    /// Opening mail that was encrypted to it.
    Encrypt,
    /// Both, with one key.
    Both,
}

impl MailUse {
    /// Does it sign?
    pub const fn signs(self) -> bool {
        matches!(self, Self::Sign | Self::Both)
    }

    /// Does it take encrypted mail?
    pub const fn encrypts(self) -> bool {
        matches!(self, Self::Encrypt | Self::Both)
    }

    /// The bits of the key usage by the kind of key (RFC 5280 §4.2.1.3, RFC 8550 §4.4.2); `None` where the key cannot.
    ///
    /// nonRepudiation is never among them: it would say that the member did the signing, but the gateway holds the key;
    /// and mail programs ask for either (RFC 8550 §4.4.2).
    pub(super) fn bits(self, key: &PublicKey) -> Option<Vec<u8>> {
        let (signs, takes) = match key {
            PublicKey::Rsa { .. } => (Some(0), Some(2)),
            PublicKey::Ec { .. } => (Some(0), Some(4)),
            PublicKey::Ed25519(_) | PublicKey::MlDsa(..) => (Some(0), None),
            _ => return None,
        };
        let mut bits = Vec::new();
        if self.signs() {
            bits.push(signs?);
        }
        if self.encrypts() {
            bits.push(takes?);
        }
        Some(bits)
    }
}

#[derive(Clone, Debug)]
enum Kind {
    Root,
    Issuing { domains: Vec<String> },
    Member { address: Address, usage: MailUse },
    Responder,
}

impl Profile {
    /// A root: CA without limit of depth, for certificates and revocation lists.
    pub fn root(name: &Name) -> Self {
        Self { subject: name.clone(), kind: Kind::Root, places: Places::default() }
    }

    /// An issuing CA: for e-mail alone, no CA below it. With `domains` its certificates hold for these mail domains
    /// alone, not for hosts below them.
    ///
    /// The name constraints are not critical, against RFC 5280 §4.2.1.10: gpgsm refuses them as unknown if they are,
    /// and everyone else honours them either way.
    pub fn issuing(name: &Name, domains: &[String]) -> Self {
        Self { subject: name.clone(), kind: Kind::Issuing { domains: domains.to_vec() }, places: Places::default() }
    }

    /// A member's certificate, for mail of exactly this address, which vouches for nothing else.
    ///
    /// No policy of the Baseline Requirements: no auditor looks at this CA. Basic constraints are left out (S/MIME
    /// Baseline Requirements §7.1.2.3 d: optional).
    pub fn member(address: &Address, usage: MailUse) -> Self {
        let text = address.to_string();
        let fits = text.chars().count() <= COMMON_NAME_LIMIT;
        Self {
            subject: if fits { Name::build(&[(oid::COMMON_NAME, &text)]) } else { Name::build(&[]) },
            kind: Kind::Member { address: address.clone(), usage },
            places: Places::default(),
        }
    }

    /// The certificate of an OCSP responder, which answers for its issuer (RFC 6960 §4.2.2.2). Nobody asks whether it
    /// was revoked (`id-pkix-ocsp-nocheck`).
    pub fn responder(name: &Name) -> Self {
        Self { subject: name.clone(), kind: Kind::Responder, places: Places::default() }
    }

    /// Names where more is to be found.
    #[must_use]
    pub fn published_at(mut self, places: &Places) -> Self {
        self.places = places.clone();
        self
    }

    /// The subject's name.
    pub(super) fn subject(&self) -> Name {
        self.subject.clone()
    }

    /// The extensions: identifier, criticality, value in DER.
    ///
    /// # Errors
    /// The key cannot do what it is to be for.
    pub(super) fn extensions(
        &self,
        key: &PublicKey,
        subject_key_id: &[u8],
        issuer_key_id: &[u8],
    ) -> Result<Vec<(Oid, bool, Vec<u8>)>, NotIssued> {
        let mut out = Vec::new();
        match &self.kind {
            Kind::Root => {
                out.push((oid::BASIC_CONSTRAINTS, true, write::sequence(&[&write::boolean(true)])));
                // keyCertSign, cRLSign
                out.push((oid::KEY_USAGE, true, write::named_bits(&[5, 6])));
            }
            Kind::Issuing { domains } => {
                let depth = write::unsigned(&[0]);
                out.push((oid::BASIC_CONSTRAINTS, true, write::sequence(&[&write::boolean(true), &depth])));
                out.push((oid::KEY_USAGE, true, write::named_bits(&[5, 6])));
                out.push((oid::EXTENDED_KEY_USAGE, false, write::sequence(&[&write::oid(&oid::EMAIL_PROTECTION)])));
                if !domains.is_empty() {
                    out.push((oid::NAME_CONSTRAINTS, false, permitted(domains)));
                }
            }
            Kind::Member { address, usage } => {
                let bits = usage.bits(key).ok_or_else(|| NotIssued::Usage(key.describe()))?;
                out.push((oid::KEY_USAGE, true, write::named_bits(&bits)));
                out.push((oid::EXTENDED_KEY_USAGE, false, write::sequence(&[&write::oid(&oid::EMAIL_PROTECTION)])));
                // RFC 5280 §4.2.1.6: critical where the subject is empty.
                out.push((oid::SUBJECT_ALT_NAME, self.subject.is_empty(), write::sequence(&[&mailbox(address)])));
            }
            Kind::Responder => {
                out.push((oid::KEY_USAGE, true, write::named_bits(&[0])));
                out.push((oid::EXTENDED_KEY_USAGE, false, write::sequence(&[&write::oid(&oid::OCSP_SIGNING)])));
                out.push((oid::OCSP_NO_CHECK, false, write::NULL.to_vec()));
            }
        }
        out.push((oid::SUBJECT_KEY_IDENTIFIER, false, write::octet_string(subject_key_id)));
        let issuer_key_id = write::element(tag::context(0), &[issuer_key_id]);
        out.push((oid::AUTHORITY_KEY_IDENTIFIER, false, write::sequence(&[&issuer_key_id])));
        if let Some(url) = &self.places.list {
            let point = point(std::slice::from_ref(url));
            out.push((oid::CRL_DISTRIBUTION_POINTS, false, write::sequence(&[&write::sequence(&[&point])])));
        }
        let access = [(oid::AD_OCSP, &self.places.responder), (oid::AD_CA_ISSUERS, &self.places.issuer)];
        let access: Vec<Vec<u8>> = access
            .iter()
            .filter_map(|(kind, url)| Some(write::sequence(&[&write::oid(kind), &uri(url.as_deref()?)])))
            .collect();
        if !access.is_empty() {
            let access: Vec<&[u8]> = access.iter().map(Vec::as_slice).collect();
            out.push((oid::AUTHORITY_INFO_ACCESS, false, write::sequence(&access)));
        }
        Ok(out)
    }
}

/// The field `[0] DistributionPointName` with URLs of one and the same list (RFC 5280 §4.2.1.13, §5.2.5).
pub(super) fn point(urls: &[String]) -> Vec<u8> {
    let urls: Vec<Vec<u8>> = urls.iter().map(|url| uri(url)).collect();
    let urls: Vec<&[u8]> = urls.iter().map(Vec::as_slice).collect();
    write::context(0, &[&write::context(0, &urls)])
}

fn uri(url: &str) -> Vec<u8> {
    write::element(0x86, &[url.as_bytes()])
}

/// rfc822Name, or SmtpUTF8Mailbox for what that cannot hold (RFC 9598 §3).
pub(super) fn mailbox(address: &Address) -> Vec<u8> {
    let text = address.to_string();
    if text.is_ascii() {
        return write::element(0x81, &[text.as_bytes()]);
    }
    write::context(0, &[&write::oid(&oid::SMTP_UTF8_MAILBOX), &write::context(0, &[&write::utf8(&text)])])
}

fn permitted(domains: &[String]) -> Vec<u8> {
    let subtrees: Vec<Vec<u8>> =
        domains.iter().map(|domain| write::sequence(&[&write::element(0x81, &[domain.as_bytes()])])).collect();
    let subtrees: Vec<&[u8]> = subtrees.iter().map(Vec::as_slice).collect();
    write::sequence(&[&write::context(0, &subtrees)])
}
