//! STARTTLS (RFC 3207) on both sides: what our listeners show and whose clients' certificates they believe, and what we
//! demand of the next hop.
//!
//! The files are read again when they change or when the operator asks for it. A file that is no good changes nothing: what was read before
//! stays in use, and the log says so. TLS 1.2 and 1.3, by the one cryptography library; there is no renegotiation and no
//! compression.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use kakitome_office::policy::ClientCertificate;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::name::Name;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, CommonState, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::settings::{HostPort, Tls, TlsFiles};

/// How long a handshake may take.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// A file of certificates or a key is smaller than this, in bytes.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// A connection, whatever carries it.
pub trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Wire for T {}

/// The same as one type.
pub type Stream = Box<dyn Wire>;

/// What is known of an encrypted connection.
#[derive(Clone, Debug, Default)]
pub struct Secured {
    /// Version and cipher suite, for the log.
    pub by: String,
    /// The client's verified certificate, as policy.senders knows it.
    pub certificate: Option<ClientCertificate>,
    /// Every name in that certificate: common name, host names, mailboxes.
    pub names: Vec<String>,
}

/// The files cannot be used. The text names the file, and says what to do.
#[derive(Clone, Debug)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// TLS as the settings say, with what the files held when they were last good.
pub struct Credentials {
    files: TlsFiles,
    read: Mutex<Read>,
}

/// What was made of the files.
#[derive(Clone)]
struct Read {
    server: Option<Arc<ServerConfig>>,
    client: Option<Arc<ClientConfig>>,
    stamps: Vec<Option<(SystemTime, u64)>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Credentials").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be read, is not what it should be, or the key is of another certificate.
    pub fn open(files: &TlsFiles) -> Result<Self, Unusable> {
        Ok(Self { files: files.clone(), read: Mutex::new(read(files)?) })
    }

    /// Which files they come from.
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// Reads the files again, if one of them is another than before. True if something else is in use now.
    ///
    /// # Errors
    /// As [`Self::open`]; then nothing changes.
    pub fn refresh(&self) -> Result<bool, Unusable> {
        let stamps = stamps(&self.files);
        if self.current().stamps == stamps {
            return Ok(false);
        }
        let read = read(&self.files);
        let mut current = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(read) => *current = read,
            Err(error) => {
                // Said once, not every time that somebody looks.
                current.stamps = stamps;
                return Err(error);
            }
        }
        Ok(true)
    }

    fn current(&self) -> Read {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Can a listener offer STARTTLS?
    pub fn can_serve(&self) -> bool {
        self.current().server.is_some()
    }

    /// What is demanded of the next hop.
    pub fn next_hop(&self) -> Tls {
        self.files.next_hop
    }

    /// The handshake with a client. Whatever it sent in clear before must have been thrown away.
    ///
    /// # Errors
    /// It failed, or took longer than [`HANDSHAKE_TIME`]: a client certificate that is not by tls.client_ca is such a failure.
    pub async fn accept(&self, stream: Stream) -> io::Result<(Stream, Secured)> {
        let config = self.current().server.ok_or(io::ErrorKind::Unsupported)?;
        let accepted = timeout(HANDSHAKE_TIME, TlsAcceptor::from(config).accept(stream)).await;
        let stream = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let secured = Secured::of(stream.get_ref().1);
        Ok((Box::new(stream), secured))
    }

    /// The handshake with the next hop.
    ///
    /// # Errors
    /// It failed: with `require` also where its certificate is not by tls.next_hop_ca, or not for this host.
    pub async fn connect(&self, host: &HostPort, stream: Stream) -> io::Result<Stream> {
        let config = self.current().client.ok_or(io::ErrorKind::Unsupported)?;
        let name = ServerName::try_from(host.host().to_owned()).map_err(io::Error::other)?;
        let connected = timeout(HANDSHAKE_TIME, TlsConnector::from(config).connect(name, stream)).await;
        let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(Box::new(stream))
    }
}

impl Secured {
    fn of(state: &CommonState) -> Self {
        let version = state.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
        let suite = state.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or_default();
        let by = format!("{version} {suite}").replace("TLSv1_", "TLSv1.");
        let leaf = state.peer_certificates().and_then(<[_]>::first).and_then(|leaf| Certificate::parse(leaf).ok());
        let Some(leaf) = leaf else { return Self { by, ..Self::default() } };
        let common_name = |name: &Name| name.find(oid::COMMON_NAME).map(str::to_owned);
        let certificate = common_name(leaf.subject())
            .zip(common_name(leaf.issuer()))
            .map(|(name, issuer)| ClientCertificate { name, issuer });
        let mut names: Vec<String> = common_name(leaf.subject()).into_iter().collect();
        names.extend(leaf.extensions().mailboxes().map(str::to_owned));
        names.extend(leaf.extensions().hosts().map(str::to_owned));
        Self { by, certificate, names }
    }
}

fn paths(files: &TlsFiles) -> [Option<&PathBuf>; 4] {
    [&files.certificate, &files.key, &files.client_ca, &files.next_hop_ca].map(Option::as_ref)
}

/// By which a changed file is known.
fn stamps(files: &TlsFiles) -> Vec<Option<(SystemTime, u64)>> {
    let stamp = |path: &PathBuf| fs::metadata(path).and_then(|data| Ok((data.modified()?, data.len()))).ok();
    paths(files).into_iter().map(|path| path.and_then(stamp)).collect()
}

fn read(files: &TlsFiles) -> Result<Read, Unusable> {
    // Before the files, so that what changes meanwhile is read next time.
    let stamps = stamps(files);
    let own = files.certificate.as_deref().zip(files.key.as_deref());
    let server = own.map(|(certificate, key)| server(certificate, key, files.client_ca.as_deref())).transpose()?;
    let client = match files.next_hop {
        Tls::Off => None,
        Tls::May => Some(client(None, own)?),
        Tls::Require => Some(client(files.next_hop_ca.as_deref(), own)?),
    };
    Ok(Read { server: server.map(Arc::new), client: client.map(Arc::new), stamps })
}

fn server(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<ServerConfig, Unusable> {
    let builder = ServerConfig::builder();
    let builder = match client_ca {
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(authorities("tls.client_ca", path)?));
            // Who shows none is told so in a reply, where the listener wants one.
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable("tls.client_ca", path, error))?)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain(certificate)?, private_key(key)?);
    config.map_err(|error| unusable("tls.certificate with tls.key", certificate, error))
}

fn client(authority: Option<&Path>, own: Option<(&Path, &Path)>) -> Result<ClientConfig, Unusable> {
    let builder = ClientConfig::builder();
    let builder = match authority {
        Some(path) => builder.with_root_certificates(authorities("tls.next_hop_ca", path)?),
        None => {
            let algorithms = builder.crypto_provider().signature_verification_algorithms;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(algorithms)))
        }
    };
    match own {
        Some((certificate, key)) => builder
            .with_client_auth_cert(chain(certificate)?, private_key(key)?)
            .map_err(|error| unusable("tls.certificate with tls.key", certificate, error)),
        None => Ok(builder.with_no_client_auth()),
    }
}

fn unusable(setting: &str, path: &Path, why: impl fmt::Display) -> Unusable {
    Unusable(format!("{setting}: {}: {why}", path.display()))
}

fn octets(setting: &str, path: &Path) -> Result<Vec<u8>, Unusable> {
    let length = fs::metadata(path).map_err(|error| unusable(setting, path, error))?.len();
    if length > FILE_LIMIT {
        return Err(unusable(setting, path, format!("{length} bytes are too many")));
    }
    fs::read(path).map_err(|error| unusable(setting, path, error))
}

fn certificates(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&octets(setting, path)?).collect();
    let read = read.map_err(|error| unusable(setting, path, error))?;
    if read.is_empty() { Err(unusable(setting, path, "there is no certificate in it")) } else { Ok(read) }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    certificates("tls.certificate", path)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Unusable> {
    let octets = zeroize::Zeroizing::new(octets("tls.key", path)?);
    PrivateKeyDer::from_pem_slice(&octets).map_err(|error| unusable("tls.key", path, error))
}

fn authorities(setting: &str, path: &Path) -> Result<RootCertStore, Unusable> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(setting, path)? {
        store.add(certificate).map_err(|error| unusable(setting, path, error))?;
    }
    Ok(store)
}

/// Believes every certificate: what nobody verifies hides the mail from those who listen, and no more.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
