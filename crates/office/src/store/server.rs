//! Where a PostgreSQL server is, and how one gets there: a URL, and TLS as `sslmode` says.
//!
//! Deviates from libpq, whose default believes every server: to another machine, without `sslmode`, the server's
//! certificate is verified (`verify-full`). Whoever wants less says so by name.

use std::fmt;
use std::fs;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use postgres::config::{Host, SslMode};
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use postgres::{Config, Socket};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long a connection may take to come about.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After how long a server that says nothing more is taken for gone.
const SILENCE: Duration = Duration::from_secs(15);
/// Where distributions keep the certificates of public CAs.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A PostgreSQL server and a database on it.
#[derive(Clone)]
pub struct Server {
    url: String,
    name: String,
    config: Config,
    encryption: Encryption,
    roots: Option<PathBuf>,
}

/// What `sslmode` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}, {:?})", self.name, self.encryption)
    }
}

/// The name: where the server is and which database, never how one gets in.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url && self.config.get_password() == other.config.get_password()
    }
}

impl FromStr for Server {
    type Err = String;

    /// Reads `postgresql://user:password@host:port/database?sslmode=…`, as libpq has it.
    fn from_str(url: &str) -> Result<Self, String> {
        // What is wrong is never told with the URL: a password may stand in it.
        let problem = |what: &str| format!("this is no URL of a PostgreSQL database: {what}");
        let rest = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"));
        let rest = rest.ok_or_else(|| problem("it begins with postgresql://"))?;
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => {
                    mode = Some(
                        Encryption::from_name(value)
                            .ok_or_else(|| problem("sslmode is disable, prefer, require, verify-ca or verify-full"))?,
                    )
                }
                Some(("sslrootcert", "system")) => roots = None,
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(value.replace("%2F", "/"))),
                _ => others.push(parameter),
            }
        }
        let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
        let mut config: Config =
            format!("postgresql://{base}{query}").parse().map_err(|error| problem(&reason(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(problem("it names no host (a socket's directory is a host, too: %2Fvar%2Frun%2Fpostgresql)"));
        }
        let encryption = mode.unwrap_or(if is_remote(&config) { Encryption::VerifyFull } else { Encryption::Prefer });
        config
            .ssl_mode(match encryption {
                Encryption::Disable => SslMode::Disable,
                Encryption::Prefer => SslMode::Prefer,
                Encryption::Require | Encryption::VerifyCa | Encryption::VerifyFull => SslMode::Require,
            })
            .keepalives_idle(SILENCE)
            .keepalives_interval(SILENCE / 3)
            .keepalives_retries(3);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("kakitome");
        }
        Ok(Self { name: name(&config), url: without_password(url), config, encryption, roots })
    }
}

impl Server {
    /// The URL, a password in it made unreadable.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// With the password that stands in a file, in its first line.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn with_password_file(mut self, file: &Path) -> io::Result<Self> {
        let text = zeroize::Zeroizing::new(fs::read_to_string(file)?);
        self.config.password(text.lines().next().unwrap_or_default());
        Ok(self)
    }

    /// A new connection.
    pub(super) fn connect(&self) -> Result<postgres::Client, postgres::Error> {
        self.config.connect(Connector { encryption: self.encryption, roots: self.roots.clone() })
    }
}

impl Encryption {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

/// What an error and its causes say.
pub(super) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| match host {
        Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", port(at)),
        Host::Tcp(host) => format!("{host}:{}", port(at)),
        Host::Unix(path) => path.display().to_string(),
    });
    let addresses = config.get_hostaddrs().iter().enumerate().map(|(at, address)| format!("{address}:{}", port(at)));
    let mut places: Vec<String> = hosts.collect();
    if places.is_empty() {
        places = addresses.collect();
    }
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or_default();
    format!("postgresql://{}/{database}", places.join(","))
}

fn is_remote(config: &Config) -> bool {
    let is_loopback = |host: &Host| match host {
        Host::Tcp(host) => host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        Host::Unix(_) => true,
    };
    let addresses = config.get_hostaddrs();
    if addresses.is_empty() {
        !config.get_hosts().iter().all(is_loopback)
    } else {
        !addresses.iter().all(IpAddr::is_loopback)
    }
}

/// `user:password@` becomes `user:***@`, and so does the parameter `password`.
fn without_password(url: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut shown = base.to_owned();
    if let Some((scheme, rest)) = base.split_once("://")
        && let Some((login, place)) = rest.rsplit_once('@')
        && let Some((user, _)) = login.split_once(':')
    {
        shown = format!("{scheme}://{user}:***@{place}");
    }
    let hide = |parameter: &str| match parameter.split_once('=') {
        Some((key, _)) if key.eq_ignore_ascii_case("password") => format!("{key}=***"),
        _ => parameter.to_owned(),
    };
    if query.is_empty() {
        shown
    } else {
        format!("{shown}?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&"))
    }
}

#[derive(Clone)]
struct Connector {
    encryption: Encryption,
    roots: Option<PathBuf>,
}

/// TLS with one server.
struct Handshake {
    tls: tokio_rustls::TlsConnector,
    host: ServerName<'static>,
    believed: String,
}

struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        // A socket has no name, and never speaks TLS; but the library asks before it knows.
        let host = ServerName::try_from(host.to_owned()).or_else(|_| ServerName::try_from("localhost"));
        let host = host.map_err(io::Error::other)?;
        let believed = match &self.roots {
            Some(file) => format!("of {}", file.display()),
            None => "that this machine believes".to_owned(),
        };
        Ok(Handshake { tls: Arc::new(self.client()?).into(), host, believed })
    }
}

impl Connector {
    fn client(&self) -> io::Result<ClientConfig> {
        let builder = ClientConfig::builder();
        let provider = Arc::clone(builder.crypto_provider());
        // As with libpq, a root that was named is used even where only encryption is demanded.
        let trust = match self.encryption {
            Encryption::VerifyFull => Trust::Name(self.chains(&provider)?),
            Encryption::VerifyCa => Trust::Chain(self.chains(&provider)?),
            Encryption::Require if self.roots.is_some() => Trust::Chain(self.chains(&provider)?),
            _ => Trust::Anybody,
        };
        let verifier = Arc::new(Verifier { trust, provider });
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }

    fn chains(&self, provider: &Arc<CryptoProvider>) -> io::Result<Chains> {
        let system = || SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.exists());
        let file = self.roots.clone().or_else(system).ok_or_else(|| {
            io::Error::other("this machine has no list of CAs; name the server's with sslrootcert=FILE in store.url")
        })?;
        let unreadable = |error: &dyn fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
        let mut roots = RootCertStore::empty();
        let mut named = Vec::new();
        for certificate in CertificateDer::pem_file_iter(&file).map_err(|error| unreadable(&error))? {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            if self.roots.is_some() {
                named.push(certificate.clone());
            }
            // Lists of systems hold some that the library does not take.
            roots.add(certificate).ok();
        }
        let by = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| unreadable(&error))?;
        Ok(Chains { by, named })
    }
}

/// What is wrong with a server's certificate, and what to do.
fn explained(error: io::Error, host: &ServerName<'_>, believed: &str) -> io::Error {
    use CertificateError as Wrong;
    let Some(rustls::Error::InvalidCertificate(wrong)) =
        error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>())
    else {
        return error;
    };
    let host = host.to_str();
    io::Error::other(match wrong {
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => format!(
            "the server's certificate does not name {host} among its subjectAltName; give it one that does, or say \
             sslmode=verify-ca in store.url, if its CA certifies nobody else's servers"
        ),
        Wrong::UnknownIssuer => format!(
            "the server's certificate is by no CA {believed}; name the file with its CA's certificate by \
             sslrootcert=FILE in store.url"
        ),
        Wrong::Expired | Wrong::ExpiredContext { .. } => {
            "the server's certificate has ended; give the server a new one".to_owned()
        }
        Wrong::Other(_) => format!(
            "the server's certificate is that of a CA, or made by itself; if it is the right one, name its file by \
             sslrootcert=FILE in store.url ({wrong})"
        ),
        _ => return error,
    })
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let Self { tls, host, believed } = self;
            let connected = tls.connect(host.clone(), stream).await;
            connected.map(Stream).map_err(|error| explained(error, &host, &believed))
        })
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, octets)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// How far a server's certificate is looked at.
#[derive(Debug)]
enum Trust {
    /// Its chain and the host's name.
    Name(Chains),
    /// Its chain.
    Chain(Chains),
    /// Not at all: that keeps from listening, and no more.
    Anybody,
}

/// Who is believed.
#[derive(Debug)]
struct Chains {
    by: Arc<WebPkiServerVerifier>,
    /// The certificates of `sslrootcert`. A server that made its certificate itself has it there.
    named: Vec<CertificateDer<'static>>,
}

impl Chains {
    /// Deviates from the library, which takes no certificate of a CA for a server's: what `openssl req -x509` makes is one,
    /// and libpq believes it where it was named.
    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let answer = self.by.verify_server_cert(certificate, others, host, ocsp, now);
        if answer.is_ok() || !self.named.iter().any(|named| named.as_ref() == certificate.as_ref()) {
            return answer;
        }
        let unreadable = || rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let own = Certificate::parse(certificate).map_err(|_| unreadable())?;
        if !own.is_valid_at(Time::from_unix(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))) {
            return Err(rustls::Error::InvalidCertificate(CertificateError::Expired));
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, host)?;
        Ok(ServerCertVerified::assertion())
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.trust {
            Trust::Name(chains) => chains.verify(certificate, others, host, ocsp, now),
            Trust::Chain(chains) => match chains.verify(certificate, others, host, ocsp, now) {
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                answer => answer,
            },
            Trust::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how_and_its_password_is_never_shown() {
        use Encryption::{Disable, Prefer, Require, VerifyCa, VerifyFull};
        let rows = [
            ("postgresql://k:pa%20ss@db.example:6432/kaki", "postgresql://db.example:6432/kaki", VerifyFull),
            ("postgres://k:pass@192.0.2.1/kaki?sslmode=disable", "postgresql://192.0.2.1:5432/kaki", Disable),
            ("postgresql://k@localhost/kaki?password=pass", "postgresql://localhost:5432/kaki", Prefer),
            ("postgresql://k:pass@[::1]:77/kaki", "postgresql://[::1]:77/kaki", Prefer),
            ("postgresql://k:pass@a,b/kaki?sslmode=require", "postgresql://a:5432,b:5432/kaki", Require),
            ("postgresql://k:pass@a/kaki?sslmode=verify-ca&sslrootcert=/x.pem", "postgresql://a:5432/kaki", VerifyCa),
            ("postgresql://k:pass@%2Frun%2Fpg/kaki", "postgresql:///run/pg/kaki", Prefer),
            ("postgresql:///kaki?host=/run/pg&user=k", "postgresql:///run/pg/kaki", Prefer),
        ];
        for (url, name, encryption) in rows {
            let server: Server = url.parse().unwrap();
            assert_eq!((server.to_string().as_str(), server.encryption), (name, encryption), "{url}");
            for shown in [server.to_string(), format!("{server:?}"), server.url().to_owned()] {
                assert!(!shown.contains("pass") || shown.contains("password=***"), "{shown}");
            }
        }
        assert_eq!(
            "postgresql://k:p@h/d?sslmode=disable".parse::<Server>().unwrap().url(),
            "postgresql://k:***@h/d?sslmode=disable"
        );
        for url in [
            "mysql://k:secret@host/kaki",
            "postgresql://k:secret@host/kaki?sslmode=allow",
            "postgresql://k:secret@host:port/kaki",
            "postgresql://k:secret@host/kaki?colour=red",
            "postgresql:///kaki",
        ] {
            let problem = url.parse::<Server>().unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
