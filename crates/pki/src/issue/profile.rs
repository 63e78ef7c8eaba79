//! The kinds of certificate that the own CA makes.

use crate::address::Address;
use crate::asn1::{Oid, oid, tag, write};
use crate::cert::name::Name;

const DAY: i64 = 24 * 60 * 60;
/// How long a root is made for, in seconds: twenty years.
pub const ROOT_LIFETIME: i64 = 20 * 365 * DAY;
/// How long an issuing CA is made for, in seconds: ten years.
pub const ISSUING_LIFETIME: i64 = 10 * 365 * DAY;
/// How long a member's certificate is made for, in seconds: a year, since renewing costs nobody anything.
pub const MEMBER_LIFETIME: i64 = 365 * DAY;

/// ub-common-name of RFC 5280 Appendix A.1, in characters. A longer address stands in the alternative name alone.
const COMMON_NAME_LIMIT: usize = 64;

/// What a certificate is to say, without the keys, the dates and the issuer.
#[derive(Clone, Debug)]
pub struct Profile {
    subject: Name,
    kind: Kind,
    crl_url: Option<String>,
    issuer_url: Option<String>,
}

#[derive(Clone, Debug)]
enum Kind {
    Root,
    Issuing { domains: Vec<String> },
    Member { address: Address },
}

impl Profile {
    /// A root: CA without limit of depth, for certificates and revocation lists.
    pub fn root(name: &Name) -> Self {
        Self { subject: name.clone(), kind: Kind::Root, crl_url: None, issuer_url: None }
    }

    /// An issuing CA: for e-mail alone, no CA below it. With `domains` its certificates hold for these mail domains
    /// alone, not for hosts below them.
    ///
    /// The name constraints are not critical, against RFC 5280 §4.2.1.10: gpgsm refuses them as unknown if they are,
    /// and everyone else honours them either way.
    pub fn issuing(name: &Name, domains: &[String]) -> Self {
        Self {
            subject: name.clone(),
            kind: Kind::Issuing { domains: domains.to_vec() },
            crl_url: None,
            issuer_url: None,
        }
    }

    /// A member's certificate, which signs mail from exactly this address and vouches for nothing else.
    ///
    /// Key usage is digitalSignature alone. nonRepudiation would say that the member did the signing, but the gateway
    /// holds the key; and mail programs ask for either (RFC 8550 §4.4.2). No policy of the Baseline Requirements: no
    /// auditor looks at this CA. Basic constraints are left out (S/MIME Baseline Requirements §7.1.2.3 d: optional).
    pub fn member(address: &Address) -> Self {
        let text = address.to_string();
        let fits = text.chars().count() <= COMMON_NAME_LIMIT;
        Self {
            subject: if fits { Name::build(&[(oid::COMMON_NAME, &text)]) } else { Name::build(&[]) },
            kind: Kind::Member { address: address.clone() },
            crl_url: None,
            issuer_url: None,
        }
    }

    /// Names where the issuer's revocation list and certificate will be found. Only what an outside reader can fetch.
    #[must_use]
    pub fn published_at(mut self, crl_url: Option<&str>, issuer_url: Option<&str>) -> Self {
        self.crl_url = crl_url.map(str::to_owned);
        self.issuer_url = issuer_url.map(str::to_owned);
        self
    }

    /// The subject's name.
    pub(super) fn subject(&self) -> Name {
        self.subject.clone()
    }

    /// The extensions: identifier, criticality, value in DER.
    pub(super) fn extensions(&self, subject_key_id: &[u8], issuer_key_id: &[u8]) -> Vec<(Oid, bool, Vec<u8>)> {
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
            Kind::Member { address } => {
                out.push((oid::KEY_USAGE, true, write::named_bits(&[0])));
                out.push((oid::EXTENDED_KEY_USAGE, false, write::sequence(&[&write::oid(&oid::EMAIL_PROTECTION)])));
                // RFC 5280 §4.2.1.6: critical where the subject is empty.
                out.push((oid::SUBJECT_ALT_NAME, self.subject.is_empty(), write::sequence(&[&mailbox(address)])));
            }
        }
        out.push((oid::SUBJECT_KEY_IDENTIFIER, false, write::octet_string(subject_key_id)));
        let issuer_key_id = write::element(tag::context(0), &[issuer_key_id]);
        out.push((oid::AUTHORITY_KEY_IDENTIFIER, false, write::sequence(&[&issuer_key_id])));
        if let Some(url) = &self.crl_url {
            let full = write::context(0, &[&write::context(0, &[&write::element(0x86, &[url.as_bytes()])])]);
            out.push((oid::CRL_DISTRIBUTION_POINTS, false, write::sequence(&[&write::sequence(&[&full])])));
        }
        if let Some(url) = &self.issuer_url {
            let place = write::element(0x86, &[url.as_bytes()]);
            let access = write::sequence(&[&write::oid(&oid::AD_CA_ISSUERS), &place]);
            out.push((oid::AUTHORITY_INFO_ACCESS, false, write::sequence(&[&access])));
        }
        out
    }
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
