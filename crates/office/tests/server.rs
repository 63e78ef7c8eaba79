//! The way to PostgreSQL over the network, at a real server: whom `sslmode` believes, and what is said against the others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use kakitome_office::store::{Place, Server};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_testkit::{Authority, CertificateFactory, PostgresqlServer, key, write};

const SUITE: &str = "PostgreSQL over TLS";
const HOST: &str = "db.kakitome.test";
const PASSWORD: &str = "0pen sesame";
const DAY: i64 = 24 * 60 * 60;

/// Around the real moment: the library asks the clock.
fn valid(factory: CertificateFactory, from: i64, days: i64) -> CertificateFactory {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let from = Time::from_unix(i64::try_from(now).unwrap() + from * DAY);
    factory.valid(from, from.plus(days * DAY))
}

fn ca(name: &str) -> Authority {
    valid(CertificateFactory::authority(name), -1, 30).self_signed(name)
}

fn server(days: i64) -> CertificateFactory {
    let factory = CertificateFactory::new(&[(oid::COMMON_NAME, HOST)], "database server").names(&[write::dns(HOST)]);
    valid(factory, -10, days)
}

/// A server with this certificate, a database on it, and where the certificates lie that are named in URLs.
fn start(home: &Path, certificate: &Certificate) -> Option<(PostgresqlServer, String)> {
    let private = pem::write("PRIVATE KEY", &key("database server").to_pkcs8().unwrap());
    let public = pem::write("CERTIFICATE", certificate.raw());
    fs::write(home.join("server.pem"), &public).unwrap();
    let server = PostgresqlServer::start_over_tls(SUITE, &public, &private, PASSWORD)?;
    let database = server.database().rsplit('/').next().unwrap().to_owned();
    Some((server, database))
}

/// Whom to connect to, and how; `Ok`, or a part of what is said.
type Row<'a> = (&'a str, &'a str, &'a str, Result<(), &'a str>);

fn try_all(home: &Path, certificate: &Certificate, rows: &[Row<'_>]) {
    let Some((postgresql, database)) = start(home, certificate) else { return };
    for (host, parameters, password, expected) in rows {
        let parameters = parameters.replace("DIR", home.to_str().unwrap());
        let url = format!("postgresql://kakitome@{host}/{database}?hostaddr={}&{parameters}", postgresql.address());
        let file = home.join("password");
        fs::write(&file, format!("{password}\n")).unwrap();
        let server: Server = url.parse().unwrap();
        let opened = Place::Server(Box::new(server.with_password_file(&file).unwrap())).open();
        match (opened, expected) {
            (Ok(store), Ok(())) => assert!(!store.read(|s| s.exists("SELECT 1 FROM job", &[])).unwrap()),
            (Err(fault), Err(part)) => {
                let text = fault.to_string();
                assert!(text.contains(part) && text.contains(host), "{parameters}: {text}");
                assert!(!text.contains(PASSWORD) && !text.contains("\"wrong\""), "{text}");
            }
            (opened, expected) => panic!("{url}: {opened:?}, not {expected:?}"),
        }
    }
}

#[test]
fn a_server_is_believed_as_far_as_sslmode_says() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (own, other) = (ca("the CA of this house"), ca("another CA"));
    for (name, one) in [("ca.pem", &own), ("other.pem", &other)] {
        fs::write(home.join(name), pem::write("CERTIFICATE", one.certificate.raw())).unwrap();
    }
    let rows: [Row<'_>; 13] = [
        (HOST, "sslmode=verify-full&sslrootcert=DIR/ca.pem", PASSWORD, Ok(())),
        (HOST, "sslmode=verify-full&sslrootcert=DIR/other.pem", PASSWORD, Err("by no CA of ")),
        (HOST, "sslmode=verify-full&sslrootcert=DIR/missing.pem", PASSWORD, Err("missing.pem")),
        (HOST, "sslmode=verify-full", PASSWORD, Err("sslrootcert=FILE in store.url")),
        ("another.test", "sslmode=verify-full&sslrootcert=DIR/ca.pem", PASSWORD, Err("does not name another.test")),
        ("another.test", "sslmode=verify-ca&sslrootcert=DIR/ca.pem", PASSWORD, Ok(())),
        ("another.test", "sslmode=verify-ca&sslrootcert=DIR/other.pem", PASSWORD, Err("by no CA of ")),
        (HOST, "sslmode=require", PASSWORD, Ok(())),
        (HOST, "sslmode=require&sslrootcert=DIR/other.pem", PASSWORD, Err("by no CA of ")),
        (HOST, "sslmode=prefer", PASSWORD, Ok(())),
        (HOST, "sslmode=disable", PASSWORD, Err("no encryption")),
        (HOST, "sslmode=verify-full&sslrootcert=DIR/ca.pem", "wrong", Err("password authentication failed")),
        (HOST, "sslmode=verify-full&sslrootcert=DIR/ca.pem", "", Err("password")),
    ];
    try_all(home, &server(20).issued_by(&own), &rows);
}

#[test]
fn a_certificate_that_a_server_made_itself_is_believed_where_it_is_named() {
    let rows: [Row<'_>; 5] = [
        (HOST, "sslmode=verify-full&sslrootcert=DIR/server.pem", PASSWORD, Ok(())),
        ("another.test", "sslmode=verify-full&sslrootcert=DIR/server.pem", PASSWORD, Err("does not name another.test")),
        ("another.test", "sslmode=verify-ca&sslrootcert=DIR/server.pem", PASSWORD, Ok(())),
        (HOST, "sslmode=verify-full", PASSWORD, Err("sslrootcert=FILE in store.url")),
        (HOST, "sslmode=require", PASSWORD, Ok(())),
    ];
    let home = tempfile::tempdir().unwrap();
    try_all(home.path(), &server(20).self_signed("database server").certificate, &rows);
    // As `openssl req -x509` makes it: it says that it is a CA.
    let ca = server(20).with(oid::BASIC_CONSTRAINTS, true, write::basic_constraints(true, None));
    try_all(home.path(), &ca.self_signed("database server").certificate, &rows);
}

#[test]
fn a_certificate_that_ended_is_refused_named_or_not() {
    let home = tempfile::tempdir().unwrap();
    let usages = server(5).with(oid::KEY_USAGE, true, der::named_bits(&[0]));
    let rows: [Row<'_>; 2] = [
        (HOST, "sslmode=verify-full&sslrootcert=DIR/server.pem", PASSWORD, Err("has ended")),
        (HOST, "sslmode=require", PASSWORD, Ok(())),
    ];
    try_all(home.path(), &usages.self_signed("database server").certificate, &rows);
}
