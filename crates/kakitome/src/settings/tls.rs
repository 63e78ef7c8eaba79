//! `[tls]`: certificate and key of our mail listeners, and whom they and we believe.

use std::path::PathBuf;

use super::listener::Tls;
use super::{Gateway, Listener};

/// `[tls]`: encrypted connections of mail servers, to us and from us. The files are read again when they change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsFiles {
    /// Our certificate and what leads to its issuer, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM.
    pub key: Option<PathBuf>,
    /// The CA of the clients' certificates, in PEM.
    pub client_ca: Option<PathBuf>,
    /// Whether we speak TLS to the next hop.
    pub next_hop: Tls,
    /// The CA of the next hop's certificate, in PEM.
    pub next_hop_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// What cannot be meant as it is written, with what to do.
    pub(super) fn problems(&self, gateway: &Gateway) -> Vec<String> {
        let mut problems = Vec::new();
        let mut say = |wrong: bool, text: &str| {
            if wrong {
                problems.push(text.to_owned());
            }
        };
        say(
            self.certificate.is_some() != self.key.is_some(),
            "tls.certificate and tls.key stand together: a certificate and its private key, each in PEM",
        );
        let listeners = || gateway.listeners.iter();
        say(
            self.certificate.is_none() && listeners().any(|listener| listener.tls() != Tls::Off),
            "a listener has tls, but tls.certificate and tls.key are not set; set them, or take the tls out",
        );
        say(
            self.client_ca.is_none() && listeners().any(Listener::wants_certificate),
            "a listener asks for certificates, but tls.client_ca is not set; name the file with the CA that made them",
        );
        say(
            self.next_hop_ca.is_none() && self.next_hop == Tls::Require,
            "tls.next_hop = \"require\" verifies the next hop's certificate; name the file with its CA in tls.next_hop_ca",
        );
        say(
            gateway.next_hop.is_none() && self.next_hop != Tls::Off,
            "tls.next_hop is set, but gateway.next_hop is not: there is nobody to speak TLS with",
        );
        problems
    }
}
