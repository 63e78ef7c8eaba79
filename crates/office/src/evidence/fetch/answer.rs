//! What can come: a revocation list, an OCSP response, certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::{CRL_LIMIT, Crl};
use kakitome_pki::cert::ocsp::{OcspResponse, RESPONSE_LIMIT};
use kakitome_pki::cert::{Certificate, bundle, pem};
use kakitome_pki::path::revocation::Offered;
use kakitome_verdict::lookup::Asked;

/// Certificates of an address in one answer, at most.
const PART_LIMIT: usize = 64;
/// Certificates of an issuer, or of an address, come in at most so many octets.
const BUNDLE_LIMIT: u64 = 256 * 1024;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    List,
    DeltaList,
    Response,
    Issuer,
    Recipient,
}

/// What came, with its octets.
#[derive(Clone, Debug)]
pub(in crate::evidence) enum Answer {
    List(Crl),
    Response(OcspResponse, Vec<u8>),
    /// Of an issuer, or of an address.
    Certificates(Vec<Certificate>, Vec<u8>),
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
            Self::Recipient => Asked::Recipient,
        }
    }

    /// How long it may be, in octets.
    pub(super) fn limit(self) -> u64 {
        match self {
            Self::List | Self::DeltaList => u64::try_from(CRL_LIMIT).unwrap_or(u64::MAX),
            Self::Response => u64::try_from(RESPONSE_LIMIT).unwrap_or(u64::MAX),
            Self::Issuer | Self::Recipient => BUNDLE_LIMIT,
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
            Kind::Issuer | Kind::Recipient => {
                let mut certificates = Vec::new();
                let blocks = if kind == Kind::Recipient && octets.starts_with(b"--") {
                    parts(&octets)
                } else if pem::is_pem(&octets) {
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
                    Ok(Self::Certificates(certificates, octets))
                }
            }
        }
    }

    pub(super) fn octets(&self) -> &[u8] {
        match self {
            Self::List(list) => list.raw(),
            Self::Response(_, octets) | Self::Certificates(_, octets) => octets,
        }
    }

    /// When a newer one is due; of several answers in one response the earliest.
    pub(super) fn next_update(&self) -> Option<Time> {
        match self {
            Self::List(list) => list.next_update(),
            Self::Response(response, _) => response.basic().ok().and_then(|basic| basic.next_update()),
            Self::Certificates(..) => None,
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
            Self::Certificates(certificates, _) => format!("{} certificates", certificates.len()),
        }
    }
}

/// The bodies of a multipart/mixed (RFC 4387 §2.4), whose boundary its first line shows. Certificates stand in them as they
/// are (binary), or in base64.
fn parts(octets: &[u8]) -> Vec<Vec<u8>> {
    let end = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let boundary = [b"\r\n", octets.get(..end).unwrap_or_default().trim_ascii_end()].concat();
    let mut found = Vec::new();
    let mut rest = [b"\r\n", octets].concat();
    while let Some(at) = find(&rest, &boundary) {
        let behind = rest.get(at.saturating_add(boundary.len())..).unwrap_or_default();
        if behind.starts_with(b"--") || found.len() >= PART_LIMIT {
            break;
        }
        let part = behind.get(..find(behind, &boundary).unwrap_or(behind.len())).unwrap_or_default();
        if let Some(body) = find(part, b"\r\n\r\n").and_then(|at| part.get(at.saturating_add(4)..)) {
            let is_base64 = !body.is_empty() && body.first() != Some(&0x30);
            let text: Vec<u8> = body.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
            let decoded = is_base64.then(|| STANDARD.decode(text).ok()).flatten();
            found.push(decoded.unwrap_or_else(|| body.to_vec()));
        }
        rest = behind.to_vec();
    }
    found
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len().max(1)).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_taken_out_of_a_multipart() {
        let head = "Content-Type: application/pkix-cert\r\n";
        let binary = [b"0\x82\r\n-".as_slice(), b"x"].concat();
        let whole = [
            format!("--b\r\n{head}\r\n").as_bytes(),
            &binary,
            format!("\r\n--b\r\n{head}Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\nAA==\r\n--b--\r\n").as_bytes(),
        ]
        .concat();
        assert_eq!(parts(&whole), [binary.clone(), vec![0x30, 0x82, 0x01, 0x00]]);
        assert_eq!(parts(b"--b--\r\n"), Vec::<Vec<u8>>::new());
        assert_eq!(parts(b"--b\r\nno body"), Vec::<Vec<u8>>::new());
        assert_eq!(parts(b"--"), Vec::<Vec<u8>>::new());
    }
}
