//! Every number that docs/operation.md names moves by an act of somebody. A case is a row: the act, and the lines of
//! `/metrics` that go up by it.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use kakitome_pki::algorithm::Cipher;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::{pem, pkcs12};
use kakitome_pki::crypto::SystemRandom;
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::mail::{Mail, base64};
use kakitome_testkit::recipient::sealed;
use kakitome_testkit::{CertificateFactory, Holder, Pki, Server, Serves, archive, key, rsa_key, write};

use super::instance::{Client, Instance, PATIENCE, drop_on_page, http, mail, run};
use super::sink::{Does, Sink};
use super::until;

const DOCUMENT: &str = include_str!("../../../../docs/operation.md");

struct House {
    up: Instance,
    folder: tempfile::TempDir,
    sink: Sink,
    lists: Server,
}

struct Row {
    /// What is done; what it returns is dropped when the numbers were looked at.
    act: fn(&House) -> Box<dyn Any>,
    goes_up: &'static [&'static str],
}

const ROWS: [Row; 13] = [
    Row {
        act: |house| nothing(outbound(house, "hello", &mail("alice@example.test", "hello", "Hello.\r\n"))),
        goes_up: &[
            "kakitome_recipients_total{direction=\"outbound\",action=\"signed\",reply=\"2xx\"}",
            "kakitome_mail_seconds_count{direction=\"outbound\"}",
            "kakitome_desk_seconds_count{direction=\"outbound\"}",
            "kakitome_key_uses_total{use=\"sign\"}",
            "kakitome_members",
            "kakitome_certificates{use=\"sign\"}",
            "kakitome_certificate_end_timestamp_seconds{use=\"sign\"}",
        ],
    },
    Row {
        act: |house| nothing(inbound(house, &mail("eve@elsewhere.example", "plain", "Hello.\r\n"))),
        goes_up: &[
            "kakitome_recipients_total{direction=\"inbound\",action=\"checked\",reply=\"2xx\"}",
            "kakitome_verdicts_total{door=\"mail\",state=\"NOT_SIGNED\"}",
            "kakitome_mail_seconds_count{direction=\"inbound\"}",
        ],
    },
    Row {
        act: |house| nothing(inbound(house, &with_zip())),
        goes_up: &["kakitome_password_files_total{code=\"ppap.zip\"}"],
    },
    Row {
        act: |house| nothing(inbound(house, &sealed_to_bob(house))),
        goes_up: &[
            "kakitome_key_uses_total{use=\"open\"}",
            "kakitome_recipients_total{direction=\"inbound\",action=\"opened\",reply=\"2xx\"}",
        ],
    },
    Row {
        act: |house| nothing(inbound(house, &String::from_utf8(signed_with_list(house)).unwrap())),
        goes_up: &["kakitome_lookups_total{end=\"absent\"}"],
    },
    Row {
        act: |house| {
            let plain = mail("alice@example.test", "page", "Hello.\r\n");
            assert_eq!(drop_on_page(house.up.page(), "", plain.as_bytes()).0, 200);
            nothing(())
        },
        goes_up: &["kakitome_verdicts_total{door=\"page\",state=\"NOT_SIGNED\"}"],
    },
    Row {
        act: |house| nothing(http(house.up.page(), "POST /check HTTP/1.1\r\nContent-Type: image/png", &[b"x"])),
        goes_up: &["kakitome_failures_total{what=\"page\"}"],
    },
    Row { act: |house| nothing(broken_handshake(house)), goes_up: &["kakitome_failures_total{what=\"handshake\"}"] },
    Row {
        // It stands in memory, and what is signed no longer does.
        act: |house| nothing(without_spool(house, 255 * 1024)),
        goes_up: &["kakitome_failures_total{what=\"desk\"}"],
    },
    Row {
        act: |house| nothing(without_spool(house, 400 * 1024)),
        goes_up: &["kakitome_failures_total{what=\"disk\"}"],
    },
    Row {
        act: |house| {
            house.sink.now(Does::Closes);
            let mut client = connected(house, "outbound");
            assert!(client.ask("MAIL FROM:<alice@example.test>").unwrap().starts_with("451 4.4."));
            house.sink.now(Does::Takes);
            nothing(())
        },
        goes_up: &["kakitome_next_hop_failures_total{direction=\"outbound\"}"],
    },
    Row {
        act: |house| {
            house.sink.now(Does::PutsOff);
            let reply = outbound(house, "later", &mail("alice@example.test", "later", "Hello.\r\n"));
            assert!(reply.starts_with("451"), "{reply}");
            house.sink.now(Does::Takes);
            nothing(())
        },
        goes_up: &[
            "kakitome_journal_copies",
            "kakitome_recipients_total{direction=\"outbound\",action=\"signed\",reply=\"4xx\"}",
        ],
    },
    Row { act: |house| Box::new(Held::new(house)), goes_up: &HELD },
];

/// While a mail waits for the next hop's answer, and strangers come until no place is left.
const HELD: [&str; 5] = [
    "kakitome_connections",
    "kakitome_connections_refused_total",
    "kakitome_journal_mails",
    "kakitome_spool_files",
    "kakitome_spool_used_bytes",
];

/// What is told from the start, and is more than nothing.
const THERE: [&str; 20] = [
    "kakitome_build_info{version=\"0.1.0\"}",
    "kakitome_certificate_end_timestamp_seconds{use=\"root\"}",
    "kakitome_certificate_end_timestamp_seconds{use=\"issuing\"}",
    "kakitome_certificate_end_timestamp_seconds{use=\"tls\"}",
    "kakitome_revocation_list_timestamp_seconds{ca=\"root\"}",
    "kakitome_revocation_list_timestamp_seconds{ca=\"issuing\"}",
    "kakitome_revocation_list_end_timestamp_seconds{ca=\"root\"}",
    "kakitome_revocation_list_end_timestamp_seconds{ca=\"issuing\"}",
    "kakitome_jobs{state=\"waiting\"}",
    "kakitome_journal_size_bytes",
    "kakitome_disk_free_bytes",
    "kakitome_disk_size_bytes",
    "kakitome_disk_free_ratio",
    "kakitome_mail_seconds_bucket{le=\"+Inf\",direction=\"outbound\"}",
    "kakitome_desk_seconds_sum{direction=\"outbound\"}",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "process_max_fds",
    "kakitome_key_uses_total{use=\"sign\"}",
];

/// What nothing here makes move, and why; it is there, and nought.
const AT_REST: [(&str, &str); 8] = [
    (
        "kakitome_failures_total{what=\"bug\"}",
        "a bug that is known is mended; the gateway's own tests make the desk panic",
    ),
    (
        "kakitome_certificates_due{use=\"sign\"}",
        "certificates are renewed long before; office counts them in its tests",
    ),
    ("kakitome_jobs{state=\"due\"}", "they are taken at once"),
    ("kakitome_jobs{state=\"running\"}", "they are done in no time"),
    ("kakitome_jobs{state=\"failing\"}", "none fails"),
    ("kakitome_jobs_overdue_seconds", "none waits"),
    ("kakitome_directory_undecided", "no second certificate came; the directory's tests bring one"),
    ("process_cpu_seconds_total", "it counts whole seconds"),
];

fn nothing<T>(_: T) -> Box<dyn Any> {
    Box::new(())
}

fn connected(house: &House, direction: &str) -> Client {
    let mut client = Client::connect(house.up.door("LMTP", direction)).unwrap();
    client.greet("LMTP").unwrap();
    client
}

fn handed_in(house: &House, direction: &str, id: &str, from: &str, to: &str, mail: &str) -> String {
    let mut client = connected(house, direction);
    client.ask(&format!("XFORWARD IDENT={id}")).unwrap();
    client.ask(&format!("MAIL FROM:<{from}>")).unwrap();
    client.ask(&format!("RCPT TO:<{to}>")).unwrap();
    client.ask("DATA").unwrap();
    client.write(format!("{mail}\r\n.\r\n").as_bytes()).unwrap();
    client.reply().unwrap()
}

fn outbound(house: &House, id: &str, mail: &str) -> String {
    handed_in(house, "outbound", id, "alice@example.test", "bob@example.net", mail)
}

fn inbound(house: &House, mail: &str) -> String {
    let reply = handed_in(house, "inbound", "INBOUND", "eve@elsewhere.example", "bob@example.test", mail);
    assert!(reply.starts_with("250"), "{reply}\n{}", house.up.log());
    reply
}

fn with_zip() -> String {
    let zip = String::from_utf8(base64(&archive::zip_crypto())).unwrap();
    format!(
        "From: eve@elsewhere.example\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=a.zip\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{zip}"
    )
}

/// Bob's key comes into the vault as a file, and somebody writes to him.
fn sealed_to_bob(house: &House) -> String {
    sealed_to(house.folder.path())
}

/// The same for any instance in a folder.
pub(crate) fn sealed_to(folder: &Path) -> String {
    let bob = Takes::Rsa.holder_of("bob", |_| {
        CertificateFactory::signer(&[(oid::COMMON_NAME, "bob")], &["bob@example.test"], "bob")
            .spki(rsa_key("bob").spki())
            .with(oid::KEY_USAGE, true, write::named_bits(&[2]))
    });
    let contents = pkcs12::Contents {
        key: &Takes::Rsa.key_der("bob"),
        certificate: &bob.certificate,
        chain: &[],
        friendly_name: "bob",
    };
    let file = pkcs12::write(&contents, "secret", pkcs12::Form::Modern, None, &SystemRandom).unwrap();
    fs::write(folder.join("bob.p12"), file).unwrap();
    fs::write(folder.join("password.txt"), "secret\n").unwrap();
    let import =
        ["cert", "import", "--config", "kakitome.toml", "--also-ended", "--password-file", "password.txt", "bob.p12"];
    let import = run(folder, &import);
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
    let inner = b"Content-Type: text/plain\r\n\r\nThe secret.\r\n";
    let object = sealed(std::slice::from_ref(&bob.certificate), Cipher::Aes256Gcm, inner);
    format!(
        "From: eve@elsewhere.example\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        String::from_utf8(base64(&object)).unwrap()
    )
}

/// Signed by somebody whose CA the settings believe, and whose list is nowhere.
fn signed_with_list(house: &House) -> Vec<u8> {
    signed_naming(&house.lists.url("/none.crl"))
}

/// The same with a list at any place.
pub(crate) fn signed_naming(list: &str) -> Vec<u8> {
    let address = "somebody@local.example";
    let certificate = CertificateFactory::signer(&[(oid::COMMON_NAME, address)], &[address], "staff")
        .with(oid::CRL_DISTRIBUTION_POINTS, false, write::crl_points(list))
        .issued_by(&Pki::get().rp);
    let holder = Holder { certificate, key: key("staff"), chain: Vec::new() };
    Mail::of(&holder).clear_by(&holder)
}

fn broken_handshake(house: &House) -> Vec<u8> {
    let mut stream = TcpStream::connect(tls_door(house)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"EHLO client.test\r\nSTARTTLS\r\n").unwrap();
    let mut heard = Vec::new();
    let mut octet = [0];
    // What follows must not be taken for commands in clear.
    while !heard.windows(5).any(|window| window == b"\n220 ") || !heard.ends_with(b"\n") {
        stream.read_exact(&mut octet).unwrap();
        heard.extend_from_slice(&octet);
    }
    stream.write_all(b"this is no handshake, whatever else it is\r\n").unwrap();
    let _ = stream.read_to_end(&mut heard);
    heard
}

fn tls_door(house: &House) -> SocketAddr {
    house.up.door("SMTP", "outbound")
}

/// A mail of this size while the spool's directory is gone.
fn without_spool(house: &House, size: usize) -> String {
    let (spool, gone) = (house.up.data().join("spool"), house.up.data().join("gone"));
    fs::rename(&spool, &gone).unwrap();
    let text = "a line of the mail, as there are many\r\n".repeat(size / 39);
    let reply = outbound(house, &format!("SIZE{size}"), &mail("alice@example.test", "long", &text));
    fs::rename(&gone, &spool).unwrap();
    assert!(reply.starts_with("45"), "{reply}");
    reply
}

struct Held {
    sink: Sink,
    _clients: Vec<Client>,
}

impl Held {
    fn new(house: &House) -> Self {
        house.sink.now(Does::Waits);
        let mut client = connected(house, "outbound");
        let text = "a line of the mail, as there are many\r\n".repeat(20_000);
        for command in ["XFORWARD IDENT=HELD", "MAIL FROM:<alice@example.test>", "RCPT TO:<bob@example.net>", "DATA"] {
            client.ask(command).unwrap();
        }
        client.write(format!("{}.\r\n", mail("alice@example.test", "held", &text)).as_bytes()).unwrap();
        let mut clients = vec![client];
        loop {
            let mut client = Client::connect(house.up.door("LMTP", "inbound")).unwrap();
            let greeting = client.reply().unwrap();
            clients.push(client);
            if greeting.starts_with("421") {
                return Self { sink: house.sink.clone(), _clients: clients };
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sink.now(Does::Takes);
    }
}

fn scraped(up: &Instance) -> String {
    let (status, text) = http(up.page(), "GET /metrics HTTP/1.1", &[]);
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

/// The number behind this name and these labels.
fn number(text: &str, line: &str) -> Option<f64> {
    text.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

/// The names in the table of the document, and those that begin the lines of a text.
fn documented() -> BTreeSet<String> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split('`').next());
    names.filter(|name| name.starts_with("kakitome_") || name.starts_with("process_")).map(str::to_owned).collect()
}

fn open() -> House {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| fs::write(folder.path().join(name), octets).unwrap();
    let pki = Pki::get();
    write("rp.pem", pem::write("CERTIFICATE", pki.rp.certificate.raw()).as_bytes());
    write("tls.pem", pem::write("CERTIFICATE", pki.bank.certificate.raw()).as_bytes());
    write("tls.key", pem::write("PRIVATE KEY", &pki.bank.key.to_pkcs8().unwrap()).as_bytes());
    let (sink, lists) = (Sink::start(), Server::start(|_| Serves::Status(404)));
    let door = |protocol, direction, more| {
        format!("{{ protocol = '{protocol}', address = '127.0.0.1:0', direction = '{direction}'{more} }}")
    };
    let doors = [door("smtp", "outbound", ", tls = 'may'"), door("lmtp", "outbound", ""), door("lmtp", "inbound", "")]
        .join(", ");
    let (next_hop, tls) = (sink.address, folder.path().join("tls").display().to_string());
    let settings = format!(
        "[gateway]\nlisteners = [{doors}]\nnext_hop = '{next_hop}'\nmax_connections = 6\n\
         [tls]\ncertificate = '{tls}.pem'\nkey = '{tls}.key'\n\
         [web]\naddress = '127.0.0.1:0'\npublic_url = 'http://check.example.test'\n"
    );
    let store = run(folder.path(), &["trust", "add", "rp.pem", "--yes"]);
    assert!(store.status.success(), "{}", String::from_utf8_lossy(&store.stderr));
    let fetch = [("KAKITOME_FETCH_ENABLED", "true"), ("KAKITOME_FETCH_ALLOW_PRIVATE", "127.0.0.0/8")];
    let up = Instance::spawn_with(folder.path(), &settings, &fetch).wait_until_up();
    House { up, folder, sink, lists }
}

#[test]
fn every_number_moves() {
    let house = open();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for Row { act, goes_up } in &ROWS {
        let before = scraped(&house.up);
        let held = act(&house);
        for line in *goes_up {
            let least = number(&before, line).unwrap_or_default();
            until(&format!("{line} goes up from {least}\n{}", house.up.log()), || {
                number(&scraped(&house.up), line).is_some_and(|now| now > least)
            });
            seen.insert(name(line));
        }
        drop(held);
    }
    for line in THERE {
        until(&format!("{line} is told"), || number(&scraped(&house.up), line).is_some_and(|number| number > 0.0));
        seen.insert(name(line));
    }
    let text = scraped(&house.up);
    for (line, why) in AT_REST {
        assert!(number(&text, line).is_some(), "{line} ({why}) is not told:\n{text}");
        seen.insert(name(line));
    }
    // The document names what there is, and what there is has its words and its kind.
    let of = |mark: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(mark));
        lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let (told, kinds) = (of("# HELP "), of("# TYPE "));
    let documented = documented();
    assert_eq!(documented.iter().map(|name| name.trim_end_matches("_total").to_owned()).collect::<BTreeSet<_>>(), told);
    assert_eq!(told, kinds);
    assert_eq!(documented.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new(), "nothing makes these move");
    // Nothing of a mail is in it.
    for secret in ["alice", "example.test", "elsewhere.example", "hello"] {
        assert!(!text.contains(secret), "{secret}");
    }
    counts_only_go_up(&text);
}

/// The name in a line, without labels; a histogram's is that of its parts.
fn name(line: &str) -> String {
    let name = line.split('{').next().unwrap();
    for part in ["_count", "_sum", "_bucket"] {
        if let Some(name) = name.strip_suffix(part) {
            return name.to_owned();
        }
    }
    name.to_owned()
}

/// By the conventions a counter ends in `_total`, and nothing else does; a unit that is told ends the name.
fn counts_only_go_up(text: &str) {
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let is_total = text.lines().any(|line| line.starts_with(&format!("{name}_total")));
        assert_eq!(is_total, kind == "counter", "{name} is a {kind}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("# UNIT ")) {
        let (name, unit) = line.split_once(' ').unwrap();
        assert!(name.ends_with(unit), "{line}");
    }
}
