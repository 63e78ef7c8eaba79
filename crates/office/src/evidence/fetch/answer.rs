//! What can come: a revocation list, an OCSP response, certificates.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{CRL_LIMIT, Crl};
use kakitome_pki::cert::ocsp::{OcspResponse, RESPONSE_LIMIT};
use kakitome_pki::cert::{Certificate, bundle, pem};
use kakitome_pki::path::revocation::Offered;
use kakitome_verdict::lookup::Asked;

/// Certificates of an issuer come in at most so many octets.
const BUNDLE_LIMIT: u64 = 256 * 1024;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    List,
    DeltaList,
    Response,
    Issuer,
}

/// What came, with its octets.
#[derive(Clone, Debug)]
pub(in crate::evidence) enum Answer {
    List(Crl),
    Response(OcspResponse, Vec<u8>),
    Issuer(Vec<Certificate>, Vec<u8>),
}

impl From<Offered> for Kind {
    fn from(offered: Offered) -> Self {
        match offered {
            Offered::List => Self::List,
            Offered::DeltaList => Self::DeltaList,
            Offered::Response => Self::Response,
        }
    }
}

impl Kind {
    pub(super) const fn asked(self) -> Asked {
        match self {
            Self::List => Asked::List,
            Self::DeltaList => Asked::DeltaList,
            Self::Response => Asked::Response,
            Self::Issuer => Asked::Issuer,
        }
    }

    /// How long it may be, in octets.
    pub(super) fn limit(self) -> u64 {
        match self {
            Self::List | Self::DeltaList => u64::try_from(CRL_LIMIT).unwrap_or(u64::MAX),
            Self::Response => u64::try_from(RESPONSE_LIMIT).unwrap_or(u64::MAX),
            Self::Issuer => BUNDLE_LIMIT,
        }
    }
}

impl Answer {
    /// Reads what came: DER, and for lists and certificates also PEM, which some serve although RFC 5280 §4.2.1.13 says
    /// DER.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn parse(kind: Kind, octets: Vec<u8>) -> Result<Self, String> {
        let said = |malformed: kakitome_pki::asn1::Malformed| malformed.to_string();
        match kind {
            Kind::List | Kind::DeltaList => {
                let der = if pem::is_pem(&octets) {
                    let list = pem::read(&octets).into_iter().find(|block| block.label == "X509 CRL");
                    list.map(|block| block.der.to_vec()).ok_or("no revocation list in PEM")?
                } else {
                    octets
                };
                let list = Crl::of(der).map_err(said)?;
                match (kind, list.base().is_some()) {
                    (Kind::List, true) => Err("a delta list where a complete one should be".to_owned()),
                    _ => Ok(Self::List(list)),
                }
            }
            Kind::Response => {
                let response = OcspResponse::parse(&octets).map_err(said)?;
                response.basic().map_err(|said| format!("the responder said {said}"))?;
                Ok(Self::Response(response, octets))
            }
            Kind::Issuer => {
                let mut certificates = Vec::new();
                let blocks = if pem::is_pem(&octets) {
                    pem::read(&octets).into_iter().map(|block| block.der.to_vec()).collect()
                } else {
                    vec![octets.clone()]
                };
                for der in &blocks {
                    match bundle::open(der) {
                        Ok(bundle) => {
                            let read = bundle.certificates.into_iter().map(Certificate::parse);
                            certificates.extend(read.filter_map(Result::ok));
                        }
                        Err(_) => certificates.push(Certificate::parse(der).map_err(said)?),
                    }
                }
                if certificates.is_empty() {
                    Err("no certificate".to_owned())
                } else {
                    Ok(Self::Issuer(certificates, octets))
                }
            }
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        match self {
            Self::List(list) => list.raw(),
            Self::Response(_, octets) | Self::Issuer(_, octets) => octets,
        }
    }

    /// When a newer one is due; of several answers in one response the earliest.
    pub(super) fn next_update(&self) -> Option<Time> {
        match self {
            Self::List(list) => list.next_update(),
            Self::Response(response, _) => response.basic().ok().and_then(|basic| basic.next_update()),
            Self::Issuer(..) => None,
        }
    }

    /// What it is, in a few words for experts.
    pub(super) fn described(&self) -> String {
        let until = self.next_update().map(|next| format!(", next update {next}")).unwrap_or_default();
        match self {
            Self::List(list) => format!("{} entries, made {}{until}", list.len(), list.this_update()),
            Self::Response(response, _) => {
                let made = response.basic().map(|basic| format!("made {}", basic.produced_at()));
                format!("{}{until}", made.unwrap_or_default())
            }
            Self::Issuer(certificates, _) => format!("{} certificates", certificates.len()),
        }
    }
}
