//! `[directory]`: the certificates of correspondents, and ours for others.

use kakitome_office::directory::{ADDRESS_MARK, Service};
use serde::{Deserialize, Serialize};

use super::Domain;

/// `[directory]`: the certificates of correspondents, and ours for others.
#[derive(Clone, Debug, PartialEq)]
pub struct Directory {
    /// Certificate stores of other houses.
    pub http: Vec<CertificateStore>,
    /// Is a certificate used only if somebody says that it was not revoked?
    pub demand_revocation_answer: bool,
    /// Do we answer others who ask for our members' certificates?
    pub publish: bool,
}

impl Default for Directory {
    fn default() -> Self {
        Self { http: Vec::new(), demand_revocation_answer: false, publish: true }
    }
}

impl Directory {
    /// The stores, as the office asks them.
    pub fn services(&self) -> Vec<Service> {
        let service = |one: &CertificateStore| Service { domain: one.domain.as_str().to_owned(), url: one.url.clone() };
        self.http.iter().map(service).collect()
    }
}

/// A certificate store that knows a domain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct CertificateStore {
    domain: Domain,
    url: String,
}

/// The same as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    domain: Domain,
    url: String,
}

impl TryFrom<Written> for CertificateStore {
    type Error = String;

    fn try_from(Written { domain, url }: Written) -> Result<Self, String> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let plain = url.replace(ADDRESS_MARK, "");
        if host.is_empty() || host.contains(['{', '@']) || !plain.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(format!("{url:?} is not an http or https URL of a certificate store"));
        }
        Ok(Self { domain, url })
    }
}
