//! One HTTP exchange with an address that was checked. No cookies, no proxy of the environment, no compression, no
//! connection that is kept; a redirect comes back as what it is.

use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use kakitome_pki::cert::pem;
use kakitome_verdict::lookup::Cause;
use ureq::http::Uri;
use ureq::http::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, NextTimeout, RustlsConnector, TcpConnector};
use ureq::{Agent, Timeout};

use super::address::{Network, is_allowed, is_public};
use super::place::Place;
use super::{Limits, Trouble};

/// What we call ourselves.
const USER_AGENT: &str = "kakitome";
/// Status line and header fields of an answer, together at most, in octets.
const HEADER_LIMIT: usize = 16 * 1024;
/// The ports that revocation is served on. Networks that the administrator allowed may have others.
const PORTS: [u16; 2] = [80, 443];
/// Where systems keep the roots of TLS.
const TLS_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    Get,
    /// An OCSP request.
    Post(&'a [u8]),
}

/// What came.
#[derive(Debug)]
pub(super) enum Reply {
    Body(Vec<u8>),
    /// The server says that there is no such thing.
    Absent(u16),
    Redirect(String),
}

/// Asks once.
pub(super) fn exchange(
    place: &Place,
    request: Request<'_>,
    limit: u64,
    time: Duration,
    limits: &Limits,
    allowed: &[Network],
) -> Result<Reply, Trouble> {
    let agent = agent(place, time, limits, allowed)?;
    let uri = place.to_string();
    let response = match request {
        Request::Get => agent.get(&uri).call(),
        Request::Post(body) => agent.post(&uri).header(CONTENT_TYPE, "application/ocsp-request").send(body),
    };
    let response = response.map_err(|error| trouble(&error))?;
    let status = response.status().as_u16();
    match (status, request) {
        (200, _) => {}
        (301 | 302 | 303 | 307 | 308, Request::Get) => return redirect(response.headers()),
        (300..=399, _) => return Err(Trouble::new(Cause::Redirect, format!("HTTP {status}"))),
        (404 | 410, _) => return Ok(Reply::Absent(status)),
        _ => return Err(Trouble::new(Cause::Status, format!("HTTP {status}"))),
    }
    let too_large = || Trouble::new(Cause::Size, format!("more than {limit} octets"));
    if response.body().content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    let mut reader = response.into_body().into_reader().take(limit.saturating_add(1));
    reader.read_to_end(&mut body).map_err(|error| broken_off(&error))?;
    if u64::try_from(body.len()).is_ok_and(|length| length <= limit) { Ok(Reply::Body(body)) } else { Err(too_large()) }
}

fn redirect(headers: &HeaderMap) -> Result<Reply, Trouble> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    location
        .map(|location| Reply::Redirect(location.to_owned()))
        .ok_or_else(|| Trouble::new(Cause::Protocol, "a redirect to nowhere".to_owned()))
}

fn agent(place: &Place, time: Duration, limits: &Limits, allowed: &[Network]) -> Result<Agent, Trouble> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(HEADER_LIMIT)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .user_agent(USER_AGENT)
        .timeout_resolve(Some(limits.connect.min(time)))
        .timeout_connect(Some(limits.connect.min(time)))
        .timeout_global(Some(time));
    if place.is_secure() {
        config = config.tls_config(tls()?);
    }
    let guard = Guard { system: DefaultResolver::default(), port: place.port(), allowed: allowed.to_vec() };
    let connector = ().chain(TcpConnector::default()).chain(RustlsConnector::default());
    Ok(Agent::with_parts(config.build(), connector, guard))
}

/// TLS with the roots that this machine trusts: what is fetched is signed itself, so TLS hides who asks for what and no
/// more, and an organisation's own proxy or CA has its root there.
fn tls() -> Result<TlsConfig, Trouble> {
    static ROOTS: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        // A first use makes the one provider that is compiled in the provider of the process, which ureq then takes.
        drop(rustls::ClientConfig::builder());
        let bundle = TLS_ROOTS.iter().find_map(|path| fs::read(path).ok()).unwrap_or_default();
        let blocks = pem::read(&bundle);
        let certificates = blocks.iter().filter(|block| block.is_certificate());
        certificates.map(|block| Certificate::from_der(block.certificate()).to_owned()).collect()
    });
    if roots.is_empty() {
        return Err(Trouble::new(Cause::Tls, "this machine has no list of roots for TLS".to_owned()));
    }
    Ok(TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(RootCerts::new_with_certs(roots)).build())
}

/// Lets through the addresses to which a connection may be made. The connection is made to what it returns, so the name
/// cannot mean another address a moment later.
#[derive(Debug)]
struct Guard {
    system: DefaultResolver,
    port: u16,
    allowed: Vec<Network>,
}

/// Why the guard let nothing through.
#[derive(Debug, thiserror::Error)]
enum Guarded {
    #[error("{0} is a private or reserved address")]
    Address(IpAddr),
    #[error("port {0}")]
    Port(u16),
    #[error("{0}")]
    Name(String),
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.system.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Timeout(_) => error,
            // The system tells what it does not find without a kind.
            other => ureq::Error::Other(Box::new(Guarded::Name(other.to_string()))),
        })?;
        let mut admitted = self.empty();
        let mut refused = None;
        for socket in found.iter() {
            let address = socket.ip();
            if is_allowed(address, &self.allowed) || (is_public(address) && PORTS.contains(&self.port)) {
                // Never full: it holds as many as `found`.
                admitted.try_push(*socket).ok();
            } else if is_public(address) {
                refused = refused.or(Some(Guarded::Port(self.port)));
            } else {
                refused = refused.or(Some(Guarded::Address(address)));
            }
        }
        match refused {
            Some(refused) if admitted.is_empty() => Err(ureq::Error::Other(Box::new(refused))),
            _ => Ok(admitted),
        }
    }
}

fn trouble(error: &ureq::Error) -> Trouble {
    let cause = match error {
        ureq::Error::Other(inner) => match inner.downcast_ref() {
            Some(Guarded::Address(_)) => Cause::Address,
            Some(Guarded::Port(_)) => Cause::Port,
            Some(Guarded::Name(_)) => Cause::Name,
            None => Cause::Connection,
        },
        ureq::Error::Timeout(_) => Cause::Timeout,
        ureq::Error::HostNotFound => Cause::Name,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Cause::Url,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => Cause::Tls,
        ureq::Error::Io(error) => return broken_off(error),
        ureq::Error::ConnectionFailed => Cause::Connection,
        ureq::Error::LargeResponseHeader(..) => Cause::Size,
        _ => Cause::Protocol,
    };
    let detail = match error {
        ureq::Error::Timeout(reason) => while_doing(*reason).to_owned(),
        other => other.to_string(),
    };
    Trouble::new(cause, detail)
}

fn broken_off(error: &io::Error) -> Trouble {
    if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        return trouble(inner);
    }
    let is_tls = error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
    let cause = match error.kind() {
        _ if is_tls => Cause::Tls,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Cause::Timeout,
        io::ErrorKind::InvalidData => Cause::Protocol,
        _ => Cause::Connection,
    };
    Trouble::new(cause, error.to_string())
}

const fn while_doing(reason: Timeout) -> &'static str {
    match reason {
        Timeout::Resolve => "while looking up the name",
        Timeout::Connect => "while connecting",
        _ => "while waiting for the answer",
    }
}
