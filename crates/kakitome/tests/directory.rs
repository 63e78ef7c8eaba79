//! Our certificates for others, from a running instance: the store of RFC 4387 over HTTP, and records that a name server
//! takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use instance::{Instance, PATIENCE, mail, run, settings};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::crypto::sha1_identifier;

const SETTINGS: &str =
    "public_url = \"https://kakitome.example.test\"\n[members]\ndomains = [\"example.test\"]\nkey = \"p-256\"\n";

fn get(page: SocketAddr, path: &str, forwarded: Option<&str>) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let field = forwarded.map(|from| format!("X-Forwarded-For: {from}\r\n")).unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{field}\r\n").unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(reply[..end].to_vec()).unwrap().to_ascii_lowercase();
    (head[9..12].parse().unwrap(), head, reply[end + 4..].to_vec())
}

#[test]
fn others_ask_for_certificates_and_name_servers_take_their_records() {
    let home = tempfile::tempdir().unwrap();
    let instance = Instance::start(home.path(), &settings("", SETTINGS));
    instance.submit("alice@example.test", mail("alice@example.test", "Hello", "Hello.").as_bytes());
    let root = run(home.path(), &["ca", "show", "--pem"]).stdout;
    let root = Certificate::parse(&pem::read(&root)[0].der).unwrap();
    let page = instance.page();
    let key = |octets: &[u8]| STANDARD_NO_PAD.encode(sha1_identifier(octets)).replace('+', "%2B");

    let path = format!("/search.cgi?certHash={}", key(root.raw()));
    let (status, head, body) = get(page, &path, None);
    assert_eq!((status, body.as_slice()), (200, root.raw()), "{head}");
    assert!(head.contains("content-type: application/pkix-cert") && head.contains("nosniff"), "{head}");
    for (path, expected) in [
        ("/search.cgi?email=nobody@example.test".to_owned(), 404),
        ("/search.cgi?email=*".to_owned(), 400),
        ("/search.cgi?email=a@b.example&name=x".to_owned(), 400),
        ("/search.cgi".to_owned(), 400),
        (format!("/search.cgi?certHash={}", key(b"another")), 404),
    ] {
        assert_eq!(get(page, &path, None).0, expected, "{path}");
    }
    // so many questions of one client, however it is told apart, and no more
    let spoken = ["192.0.2.7", "203.0.113.1, 192.0.2.7"].into_iter().cycle().take(400);
    let refused = spoken.map(|from| get(page, &path, Some(from))).find(|(status, ..)| *status == 429);
    let (_, head, _) = refused.expect("one question too many");
    assert!(head.contains("retry-after: "), "{head}");
    assert_eq!(get(page, &path, Some("192.0.2.8")).0, 200);

    let Some([checker]) = peers::programs("SMIMEA records in a zone", ["named-checkzone"]) else { return };
    for form in [&[][..], &["--generic"]] {
        let arguments = [&["directory", "smimea", "--signing", "--domain", "example.test"], form].concat();
        let records = run(home.path(), &arguments);
        assert!(records.status.success(), "{}", String::from_utf8_lossy(&records.stderr));
        let text = String::from_utf8(records.stdout).unwrap();
        // the name is the hash of "alice"
        assert!(
            text.contains("2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db._smimecert.example.test. 3600 IN"),
            "{text}"
        );
        let zone = home.path().join("zone");
        let head = "$ORIGIN example.test.\n$TTL 60\n@ SOA ns host 1 60 60 60 60\n@ NS ns\nns A 192.0.2.1\n";
        fs::write(&zone, format!("{head}{text}")).unwrap();
        let checked = Command::new(&checker).arg("-D").arg("example.test").arg(&zone).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{said}");
        // however it is written, the server reads an SMIMEA record of usage 3, selector 0, matching 0
        assert!(said.contains("SMIMEA 3 0 0 "), "{said}");
    }
}

/// A correspondent gets the certificates of a member by mail: through the next hop, as what leaves the gateway.
#[test]
fn certificates_are_sent_through_the_next_hop() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = home.path();
    // Another instance stands for the mail server: what it gets is in its Maildir.
    let server = Instance::start(elsewhere.path(), &settings("", "[members]\ndomains = [\"other.test\"]\n"));
    let config = |port: u16| {
        let text = format!(
            "[gateway]\nnext_hop = \"127.0.0.1:{port}\"\n[members]\ndomains = [\"example.test\"]\nkey = \"p-256\"\n"
        );
        fs::write(folder.join("kakitome.toml"), text).unwrap();
    };
    let send = |from: &str, to: &str| {
        let line = format!("directory send-certs --config kakitome.toml --from {from} --to {to} --send");
        let output = run(folder, &line.split(' ').collect::<Vec<_>>());
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
        (output.status.code(), said)
    };
    config(server.door("SMTP", "outbound").port());
    let enrolled = run(folder, &["member", "add", "alice@example.test", "--enrol", "--config", "kakitome.toml"]);
    assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));

    let (code, said) = send("alice@example.test", "bob@partner.example");
    assert!(code == Some(0) && said.contains("sent to bob@partner.example: 250"), "{said}");
    let arrived = fs::read_to_string(&server.mails("new")[0]).unwrap();
    assert!(arrived.contains("From: alice@example.test\r\n") && arrived.contains("smime-type=certs-only"), "{arrived}");
    let log = String::from_utf8(run(folder, &["audit", "show", "--act", "certificates.sent"]).stdout).unwrap();
    assert!(log.contains("alice@example.test  to=bob@partner.example"), "{log}");

    assert_eq!(send("carol@example.test", "bob@partner.example").0, Some(60), "no member");
    // Nothing listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    config(closed);
    let (code, said) = send("alice@example.test", "bob@partner.example");
    assert!(code == Some(75) && said.contains("the next hop does not take it"), "{said}");
    let log = String::from_utf8(run(folder, &["audit", "show", "--act", "certificates.sent"]).stdout).unwrap();
    assert_eq!(log.lines().count(), 1, "what was not sent is not recorded: {log}");
}

#[test]
fn what_is_named_is_meant_and_nothing_beside_it() {
    let home = tempfile::tempdir().unwrap();
    let world = kakitome_testkit::Pki::get();
    let now = program_now();
    let bob = kakitome_testkit::CertificateFactory::signer(&[], &["bob@x.example", "Bob@x.example"], "bob")
        .without(kakitome_pki::asn1::oid::KEY_USAGE)
        .valid(now.plus(-60), now.plus(86_400))
        .issued_by(&world.rx);
    fs::write(home.path().join("bob.pem"), pem::write("CERTIFICATE", bob.raw())).unwrap();
    let directory = |arguments: &str| {
        let arguments: Vec<&str> = std::iter::once("directory").chain(arguments.split(' ')).collect();
        let output = run(home.path(), &arguments);
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
        (output.status.code(), said)
    };
    // what cannot be read does not keep the rest out
    let (code, said) = directory("import missing.pem bob.pem");
    assert!(code == Some(60) && said.contains("2 entries added"), "{said}");
    directory("import --for x.example bob.pem");
    let states = || -> String {
        let (_, said) = directory("list --json --quiet");
        let state = |line: &str| line.split("\"state\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        said.lines().map(state).collect::<Vec<_>>().join(" ")
    };
    // the domain, Bob, bob
    assert_eq!(states(), "active active active");
    assert_eq!(directory("block x.example").0, Some(0));
    assert_eq!(states(), "blocked active active");
    assert_eq!(directory("block bob@x.example").0, Some(0));
    assert_eq!(states(), "blocked active blocked");
    assert_eq!(directory(&format!("block {}", &bob.fingerprint_hex()[..12])).0, Some(0));
    assert_eq!(states(), "blocked blocked blocked");
    assert_eq!(directory("accept --yes --at x.example x.example").0, Some(0));
    assert_eq!(states(), "active blocked blocked");
    assert_eq!(directory("lookup --offline bob@x.example").0, Some(30), "accepted, but neither believed nor pinned");
    assert_eq!(directory("pin --yes x.example").0, Some(0));
    assert_eq!(directory("lookup --offline bob@x.example").0, Some(0));
    assert_eq!(directory("lookup --offline x.example").0, Some(2));
}

fn program_now() -> kakitome_pki::asn1::time::Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    kakitome_pki::asn1::time::Time::from_unix(i64::try_from(since.as_secs()).unwrap())
}
