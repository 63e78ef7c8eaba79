//! Certificates for TLS in the gateway's tests: two CAs, of which one is believed, and files of what they made.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::pem;
use kakitome_testkit::{Authority, CertificateFactory, in_days, key, write};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The CA that everybody believes.
const GOOD: &str = "Good TLS CA";
/// One that nobody believes.
const STRANGER: &str = "Strange TLS CA";

fn authority(name: &str) -> Authority {
    // Far from any clock: TLS asks the real one.
    CertificateFactory::authority(name).valid(in_days(-9000), in_days(7000)).self_signed(name)
}

/// A certificate for this name and for 127.0.0.1, and its key.
fn pair(issuer: &str, name: &str) -> (Vec<u8>, Vec<u8>) {
    let address = write::element(0x87, &[&[127, 0, 0, 1]]);
    let names = if name == "other.test" { vec![write::dns(name)] } else { vec![write::dns(name), address] };
    let certificate = CertificateFactory::new(&[(oid::COMMON_NAME, name)], name)
        .valid(in_days(-9000), in_days(7000))
        .with(oid::KEY_USAGE, true, write::named_bits(&[0]))
        .with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::SERVER_AUTH, oid::CLIENT_AUTH]))
        .names(&names)
        .issued_by(&authority(issuer));
    (certificate.raw().to_vec(), key(name).to_pkcs8().unwrap().to_vec())
}

fn tls_pair(issuer: &str, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let (certificate, key) = pair(issuer, name);
    (vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into())
}

/// Writes certificate and key, and says where.
pub(crate) fn files(folder: &Path, name: &str) -> [PathBuf; 2] {
    let (certificate, key) = pair(GOOD, name);
    let paths = ["server.pem", "server.key"].map(|file| folder.join(file));
    fs::write(&paths[0], pem::write("CERTIFICATE", &certificate)).unwrap();
    fs::write(&paths[1], pem::write("PRIVATE KEY", &key)).unwrap();
    paths
}

/// Writes `NAME.pem`, `NAME.key` and the believed CA as `ca.pem`, for programs of others.
pub(crate) fn write_for(folder: &Path, name: &str, host: &str) {
    let (certificate, key) = pair(GOOD, host);
    fs::write(folder.join(format!("{name}.pem")), pem::write("CERTIFICATE", &certificate)).unwrap();
    fs::write(folder.join(format!("{name}.key")), pem::write("PRIVATE KEY", &key)).unwrap();
    fs::write(folder.join("ca.pem"), pem::write("CERTIFICATE", authority(GOOD).certificate.raw())).unwrap();
}

/// The `[tls]` of the settings, but for what a test adds.
pub(crate) fn section(folder: &Path) -> String {
    let [certificate, key] = files(folder, "gate.test");
    let authorities = folder.join("ca.pem");
    fs::write(&authorities, pem::write("CERTIFICATE", authority(GOOD).certificate.raw())).unwrap();
    let ca = authorities.display();
    format!(
        "[tls]\ncertificate = '{}'\nkey = '{}'\nclient_ca = '{ca}'\nnext_hop_ca = '{ca}'\n",
        certificate.display(),
        key.display()
    )
}

/// A client that believes the good CA, and shows a certificate of this name (`stranger`: by the other CA), or none.
pub(crate) fn client(name: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority(GOOD).certificate.raw().to_vec().into()).unwrap();
    let builder = ClientConfig::builder().with_root_certificates(roots);
    Arc::new(match name {
        "" => builder.with_no_client_auth(),
        _ => {
            let (chain, key) = tls_pair(if name == "stranger" { STRANGER } else { GOOD }, name);
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    })
}

/// A next hop: `good`, or with the certificate of another name (`other.test`), or by a CA that nobody knows (`stranger`).
pub(crate) fn next_hop(kind: &str) -> Arc<ServerConfig> {
    let (chain, key) = tls_pair(if kind == "stranger" { STRANGER } else { GOOD }, kind);
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap())
}
