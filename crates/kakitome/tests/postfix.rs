//! docs/postfix.md, tried: a private Postfix made of that page's own lines, with `kakitome up` beside it.
//!
//! The world is a sink of ours. What enters by the submission service must reach it signed, what enters by port 25
//! must reach it as it was, whoever it says it is from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "gateway/certificates.rs"]
mod certificates;
mod peers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kakitome_pki::asn1::time::Time;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::dkim;
use kakitome_smime::message::open::open;
use kakitome_smime::octets::InMemory;
use kakitome_testkit::smtp::{self, Client, free_ports, submit};
use kakitome_testkit::{Postfix, wait_for_port};

const SUITE: &str = "postfix";
const PAGE: &str = include_str!("../../../docs/postfix.md");
/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long to look for mail that must not come.
const SILENCE: Duration = Duration::from_millis(1500);

#[test]
fn submitted_mail_leaves_signed_and_forged_mail_does_not() {
    let Some(openssl) = openssl() else { return };
    let house = tempfile::tempdir().unwrap();
    // Postfix's daemons run as another user and have to walk through
    fs::set_permissions(house.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let ports = Ports::free();
    let world = World::start();
    let mail_server = postfix(Hosts::One, house.path(), &ports, world.port, "");
    let gateway = Gateway::start(house.path(), &ports, "");

    // a member's mail by submission
    let from_alice = mail("alice@example.test", "by submission");
    send(ports.submission, "alice@example.test", &from_alice);
    let signed = world.next(&mail_server);
    assert!(signed.contains("\r\nSubject: by submission\r\n"), "{signed}");
    assert!(signed.contains("Content-Type: multipart/signed"), "not signed: {signed}");
    assert_confirmed(&openssl, &gateway, &signed, house.path());
    // one byte of the text changed on the way: the same command must be able to say no
    let altered = signed.replacen("Good morning", "Good evening", 1);
    assert_ne!(altered, signed);
    assert!(openssl_verify(&openssl, &gateway, &altered, house.path()).is_err(), "a changed text was confirmed");

    // the same, forged from outside
    let forged = mail("alice@example.test", "by port 25");
    send(ports.smtp, "alice@example.test", &forged);
    let arrived = world.next(&mail_server);
    assert!(arrived.ends_with(&forged), "changed on the way: {arrived}");
    assert!(!arrived.contains("multipart/signed"), "a forged mail was signed: {arrived}");

    // the trial on one address: Alice's mail goes through Kakitome, Bob's does not
    send(ports.trial, "alice@example.test", &mail("alice@example.test", "trial of one"));
    let signed = world.next(&mail_server);
    assert_confirmed(&openssl, &gateway, &signed, house.path());
    let from_bob = mail("bob@example.test", "not on trial");
    send(ports.trial, "bob@example.test", &from_bob);
    assert!(world.next(&mail_server).ends_with(&from_bob));

    // Kakitome is down: Postfix takes the mail and keeps it; it goes out, signed, when Kakitome is back
    drop(gateway);
    send(ports.submission, "alice@example.test", &mail("alice@example.test", "kept"));
    world.nothing();
    mail_server.wait_for_queue("refused");
    let gateway = Gateway::start(house.path(), &ports, "");
    mail_server.flush();
    let signed = world.next(&mail_server);
    assert!(signed.contains("\r\nSubject: kept\r\n"), "{signed}");
    assert_confirmed(&openssl, &gateway, &signed, house.path());

    // with the page's senders: Alice as herself, nobody as Alice, whatever a mail brings along
    drop(gateway);
    let senders = block("toml senders").replace("example.com", "example.test");
    let gateway = Gateway::start(house.path(), &ports, &senders);
    let brought = "Received: from x (x [192.0.2.7])\r\n\t(Authenticated sender: alice)\r\n\tby mail.example.test (Postfix) \
                   with ESMTPSA id 4X; Tue, 1 Dec 2026 00:00:00 +0000\r\n";
    for (login, brought, is_signed) in
        [(Some("alice"), "", true), (Some("bob"), "", false), (None, "", false), (Some("bob"), brought, false)]
    {
        let from_alice = format!("{brought}{}", mail("alice@example.test", "who logged in"));
        send_as(login, ports.submission, "alice@example.test", &from_alice);
        let left = world.next(&mail_server);
        if is_signed {
            assert_confirmed(&openssl, &gateway, &left, house.path());
        } else {
            assert!(left.ends_with(&from_alice), "{login:?}: {left}");
        }
    }
}

/// The page's encryption: what must be encrypted waits for its certificate, its sender is told once, and it leaves sealed
/// when the certificate is there; what must not wait is returned, without its text.
#[test]
fn mail_that_must_be_encrypted_waits_for_its_certificate() {
    let Some(openssl) = openssl() else { return };
    let house = tempfile::tempdir().unwrap();
    fs::set_permissions(house.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let ports = Ports::free();
    let world = World::start();
    let mail_server = postfix(Hosts::One, house.path(), &ports, world.port, "");
    let policy = block("toml encryption").replace("example.com", "example.test");
    let gateway = Gateway::start(house.path(), &ports, &policy);
    let [key, certificate] = ["bank.key", "bank.pem"].map(|name| house.path().join(name));
    let made = Command::new(&openssl)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Bank"])
        .args(["-addext", "subjectAltName=email:desk@bank.example", "-addext", "keyUsage=critical,keyEncipherment"])
        .args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "extendedKeyUsage=emailProtection",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    // no certificate: it waits, and the notice comes once
    let secret = mail("alice@example.test", "waiting").replace("reader@example.net", "desk@bank.example");
    send_to(ports.submission, "alice@example.test", &["desk@bank.example"], &secret);
    let notice = world.next(&mail_server);
    assert!(notice.contains("To: <alice@example.test>") && notice.contains("multipart/signed"), "{notice}");
    mail_server.wait_for_queue("must be encrypted");
    mail_server.flush();
    world.nothing();

    // nor does a mail to the court wait: it is returned, without its text
    let refused = mail("alice@example.test", "refused").replace("reader@example.net", "desk@court.example");
    send_to(ports.submission, "alice@example.test", &["desk@court.example"], &refused);
    let report = world.next(&mail_server);
    assert!(report.contains("must be encrypted") && report.contains("multipart/report"), "{report}");
    assert!(!report.contains("Good morning"), "{report}");

    // the certificate is there: it leaves, and a blind copy by itself
    let imported = Command::new(binary())
        .args(["directory", "import", "--for", "bank.example"])
        .arg(&certificate)
        .arg("--data")
        .arg(&gateway.data)
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    mail_server.flush();
    assert_sealed(&openssl, &gateway, &world.next(&mail_server), house.path());
    let both = mail("alice@example.test", "one is blind").replace("reader@example.net", "desk@bank.example");
    send_to(ports.submission, "alice@example.test", &["desk@bank.example", "chief@bank.example"], &both);
    for _ in 0..2 {
        let sealed = world.next(&mail_server);
        assert!(!sealed.contains("chief@") || sealed.contains("for <chief@"), "{sealed}");
        assert_sealed(&openssl, &gateway, &sealed, house.path());
    }
    world.nothing();
}

/// OpenSSL opens it with the bank's key, for one reader alone, and confirms the signature inside.
fn assert_sealed(openssl: &Path, gateway: &Gateway, mail: &str, house: &Path) {
    assert!(!mail.contains("Good morning") && mail.contains("Subject: [...]"), "{mail}");
    let [sealed, key, certificate] = ["sealed.eml", "bank.key", "bank.pem"].map(|name| house.join(name));
    fs::write(&sealed, mail).unwrap();
    let opened = Command::new(openssl)
        .args(["cms", "-decrypt", "-in"])
        .arg(&sealed)
        .arg("-recip")
        .arg(&certificate)
        .arg("-inkey")
        .arg(&key)
        .output()
        .unwrap();
    assert!(opened.status.success(), "{}\n{mail}", String::from_utf8_lossy(&opened.stderr));
    assert_confirmed(openssl, gateway, &String::from_utf8(opened.stdout).unwrap(), house);
}

/// Postfix and Kakitome on two hosts: TLS with certificates of both on both ways, and nothing without.
#[test]
fn two_hosts_know_each_other() {
    let Some(openssl) = openssl() else { return };
    let house = tempfile::tempdir().unwrap();
    fs::set_permissions(house.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let tls = house.path().join("tls");
    fs::create_dir(&tls).unwrap();
    certificates::write_for(&tls, "mail", "mail.example.test");
    certificates::write_for(&tls, "kakitome", "localhost");
    let ports = Ports::free();
    let world = World::start();
    let mail_server = postfix(Hosts::Two, house.path(), &ports, world.port, "");
    let page = block("toml two hosts");
    let gateway = Gateway::start_by(house.path(), &ports, &page, "");
    send(ports.submission, "alice@example.test", &mail("alice@example.test", "over two hosts"));
    let signed = world.next(&mail_server);
    assert_confirmed(&openssl, &gateway, &signed, house.path());
    // nobody without a certificate hands in mail at either door
    for (port, hello, refusal) in [(ports.filter, "LHLO a", "530 5.7.0"), (ports.reinject, "EHLO a", "530 5.7.0")] {
        let said = refused(port, hello);
        assert!(said.starts_with(refusal), "port {port}: {said}");
    }

    // a Postfix with another name is not known: its mail waits
    drop(gateway);
    let gateway = Gateway::start_by(house.path(), &ports, &page.replace("[\"mail.", "[\"other."), "");
    send(ports.submission, "alice@example.test", &mail("alice@example.test", "from a stranger"));
    mail_server.wait_for_queue("4.7.1");
    world.nothing();
    drop(gateway);
    let _gateway = Gateway::start_by(house.path(), &ports, &page, "");
    mail_server.flush();
    assert!(world.next(&mail_server).contains("Subject: from a stranger"));
}

/// DKIM comes after us, by OpenDKIM where the page says: at the end both signatures are valid.
#[test]
fn dkim_is_put_on_the_signed_mail() {
    let Some(openssl) = openssl() else { return };
    let Some([opendkim, genkey]) = peers::programs(SUITE, ["opendkim", "opendkim-genkey"]) else { return };
    let house = tempfile::tempdir().unwrap();
    fs::set_permissions(house.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (ports, at) = (Ports::free(), house.path().display());
    let key = ["-b", "2048", "-d", "example.test", "-s", "sel", "-D"];
    let made = Command::new(genkey).args(key).arg(house.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let milter = ports.trial;
    fs::write(
        house.path().join("opendkim.conf"),
        format!(
            "Domain example.test\nSelector sel\nKeyFile {at}/sel.private\nSocket inet:{milter}@127.0.0.1\nMode s\n\
             Canonicalization relaxed/simple\nBackground no\nRequireSafeKeys no\nPidFile {at}/opendkim.pid\n"
        ),
    )
    .unwrap();
    let mut signer =
        Command::new(opendkim).arg("-f").arg("-x").arg(house.path().join("opendkim.conf")).spawn().unwrap();
    let world = World::start();
    let way_back = format!("  -o smtpd_milters=inet:127.0.0.1:{milter}\n");
    wait_for_port(milter).unwrap();
    let free = Ports { trial: Ports::free().trial, ..ports };
    let mail_server = postfix(Hosts::One, house.path(), &free, world.port, &way_back);
    let gateway = Gateway::start(house.path(), &free, "");
    send(free.submission, "alice@example.test", &mail("alice@example.test", "signed twice"));
    let left = world.next(&mail_server);
    let _ = signer.kill();
    let _ = signer.wait();
    assert_confirmed(&openssl, &gateway, &left, house.path());
    let record = fs::read_to_string(house.path().join("sel.txt")).unwrap();
    let record: String = record.split('"').skip(1).step_by(2).collect();
    let verified = |mail: &str| {
        let mail = mail.as_bytes().to_vec();
        let opened = open(&mail, &InMemory, &NoKeys).unwrap();
        let root = opened.structure.root();
        let found: Vec<_> = dkim::signatures(&root.header).into_iter().map(|one| one.unwrap()).collect();
        assert_eq!(found.len(), 1, "one signature of DKIM");
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = Time::from_unix(i64::try_from(seconds).unwrap() + 5);
        found[0].verify(&mail, root, record.as_bytes(), now).unwrap()
    };
    assert_eq!(verified(&left), Ok(()), "{left}");
    assert!(verified(&left.replace("Good morning", "Good evening")).is_err());
}

/// The answer to MAIL in clear.
fn refused(port: u16, hello: &str) -> String {
    let mut client = Client::greet(port).unwrap();
    client.ask(hello).unwrap();
    client.ask("MAIL FROM:<a@example.test>").unwrap()
}

/// Every block of the page is read by a test: here, by `mailbox.rs` or by `milters.rs`.
#[test]
fn no_line_of_the_page_is_untried() {
    let tests = [include_str!("postfix.rs"), include_str!("mailbox.rs"), include_str!("milters.rs")].concat();
    let opened = PAGE.split("\n```").skip(1).step_by(2).map(|block| block.lines().next().unwrap());
    let untried: Vec<&str> = opened
        .filter(|name| {
            let called = [*name, name.strip_prefix("master.cf ").unwrap_or(name)].map(|name| format!("\"{name}\""));
            !called.iter().any(|name| tests.contains(name))
        })
        .collect();
    assert_eq!(untried, [""; 0]);
}

#[test]
fn the_page_warns_of_no_filter_for_everybody() {
    let main_cf = block("main.cf");
    assert!(!main_cf.contains("content_filter"), "in main.cf it would hold for port 25 too: {main_cf}");
}

/// OpenSSL, if it and Postfix are here and can be started.
fn openssl() -> Option<PathBuf> {
    let [_, openssl] = peers::programs(SUITE, ["postfix", "openssl"])?;
    if let Some(missing) = Postfix::cannot_start() {
        peers::skip(SUITE, missing);
        return None;
    }
    Some(openssl)
}

fn assert_confirmed(openssl: &Path, gateway: &Gateway, mail: &str, house: &Path) {
    match openssl_verify(openssl, gateway, mail, house) {
        Ok(content) => assert!(content.contains("Good morning"), "{content}"),
        Err(says) => panic!("openssl says {says}\nof\n{mail}\nkakitome said\n{}", gateway.log()),
    }
}

/// The signed content, if OpenSSL confirms signature and path for the anchors that `kakitome ca show --pem` prints.
fn openssl_verify(openssl: &Path, gateway: &Gateway, mail: &str, house: &Path) -> Result<String, String> {
    let anchors = gateway.anchors();
    let [anchor_file, mail_file] = ["anchors.pem", "mail.eml"].map(|name| house.join(name));
    fs::write(&anchor_file, anchors).unwrap();
    fs::write(&mail_file, mail).unwrap();
    let answer = Command::new(openssl)
        .args(["cms", "-verify", "-in"])
        .arg(&mail_file)
        .arg("-CAfile")
        .arg(&anchor_file)
        .output()
        .unwrap();
    if answer.status.success() {
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&answer.stderr).into_owned())
    }
}

/// A mail with all that Postfix would otherwise add, so that it can be compared byte by byte.
fn mail(from: &str, subject: &str) -> String {
    format!(
        "From: {from}\r\nTo: reader@example.net\r\nSubject: {subject}\r\nDate: {}\r\nMessage-ID: <{}@example.test>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nGood morning.\r\n\r\n-- \r\nA member\r\n",
        now(),
        subject.replace(' ', "-"),
    )
}

/// The time as a mail header wants it, from the system: a Date far from now changes what is signed.
fn now() -> String {
    let date = Command::new("date").args(["-u", "+%a, %d %b %Y %H:%M:%S +0000"]).env("LC_ALL", "C").output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

struct Ports {
    submission: u16,
    trial: u16,
    smtp: u16,
    filter: u16,
    reinject: u16,
    web: u16,
}

impl Ports {
    fn free() -> Self {
        let [submission, trial, smtp, filter, reinject, web] = free_ports();
        Self { submission, trial, smtp, filter, reinject, web }
    }
}

fn block(name: &str) -> String {
    kakitome_testkit::block(PAGE, name)
}

/// Do Postfix and Kakitome share a machine?
#[derive(Clone, Copy, PartialEq)]
enum Hosts {
    One,
    Two,
}

/// A Postfix of the page's lines, with more for the last service, which is the way back.
fn postfix(hosts: Hosts, house: &Path, ports: &Ports, world: u16, way_back: &str) -> Postfix {
    let first = house.join("kakitome_first");
    let fitted = |name: &str| {
        block(name)
            .replace("kakitome.example.com", "localhost")
            .replace("0.0.0.0:", "127.0.0.1:")
            .replace("192.0.2.20/32", "127.0.0.0/8")
            .replace("/etc/postfix/tls", house.join("tls").to_str().unwrap())
            .replace("10024", &ports.filter.to_string())
            .replace("10026", &ports.reinject.to_string())
            .replace("example.com", "example.test")
            .replace("/etc/postfix/kakitome_first", first.to_str().unwrap())
    };
    fs::write(&first, fitted("kakitome_first")).unwrap();
    let page = fitted("main.cf") + &fitted("main.cf encryption");
    let main = format!("relay_domains = example.net\nrelayhost = [127.0.0.1]:{world}\n{page}");
    let [services, submission, size, login, trial] = match hosts {
        Hosts::One => ["services", "submission", "submission size", "submission login", "submission trial"]
            .map(|name| fitted(&format!("master.cf {name}"))),
        Hosts::Two => [
            fitted("master.cf two hosts"),
            fitted("master.cf two hosts submission"),
            String::new(),
            String::new(),
            String::new(),
        ],
    };
    let services = format!(
        "127.0.0.1:{} inet n - n - - smtpd\n127.0.0.1:{} inet n - n - - smtpd\n{submission}{size}{login}\
         \x20 -o smtpd_authorized_xclient_hosts=127.0.0.0/8\n127.0.0.1:{} inet n - n - - smtpd\n{trial}{services}{way_back}",
        ports.smtp, ports.submission, ports.trial
    );
    let doors = [ports.smtp, ports.submission, ports.trial, ports.reinject];
    Postfix::start(house, &main, &services, &doors).unwrap_or_else(|error| panic!("{error}"))
}

/// `kakitome up` on its own data directory.
struct Gateway {
    data: PathBuf,
    log: PathBuf,
    process: Child,
}

impl Gateway {
    fn start(house: &Path, ports: &Ports, sections: &str) -> Self {
        let filter = ports.filter;
        let listener = format!(
            "listeners = [{{ protocol = \"lmtp\", address = \"127.0.0.1:{filter}\", direction = \"outbound\" }}]\n"
        );
        Self::start_by(house, ports, &format!("{}{listener}", block("toml")), sections)
    }

    /// With the settings of the page, on this test's ports.
    fn start_by(house: &Path, ports: &Ports, page: &str, sections: &str) -> Self {
        let [data, log, config] = ["data", "kakitome.log", "kakitome.toml"].map(|name| house.join(name));
        let page = page
            .replace("mail.example.com:10026", "127.0.0.1:10026")
            .replace("0.0.0.0:10024", "127.0.0.1:10024")
            .replace("192.0.2.10/32", "127.0.0.0/8")
            .replace("/etc/kakitome/tls", house.join("tls").to_str().unwrap())
            .replace("10024", &ports.filter.to_string())
            .replace("10026", &ports.reinject.to_string())
            .replace("example.com", "example.test");
        let filter = ports.filter;
        fs::write(&config, format!("{page}\n[web]\naddress = \"127.0.0.1:{}\"\n{sections}", ports.web)).unwrap();
        let write = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let process = Command::new(binary())
            .arg("up")
            .arg("--data")
            .arg(&data)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(write.try_clone().unwrap())
            .stderr(write)
            .spawn()
            .unwrap();
        let gateway = Self { data, log, process };
        wait_for_port(filter).unwrap_or_else(|error| panic!("{error}\n{}", gateway.log()));
        gateway
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn anchors(&self) -> Vec<u8> {
        let show = Command::new(binary()).args(["ca", "show", "--pem", "--data"]).arg(&self.data).output().unwrap();
        assert!(show.status.success(), "ca show: {}", String::from_utf8_lossy(&show.stderr));
        show.stdout
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_kakitome"))
}

/// The world: takes every mail, keeps its bytes.
struct World {
    port: u16,
    mails: Receiver<String>,
}

impl World {
    fn start() -> Self {
        let (put, mails) = channel();
        let keep = move |arrival: smtp::Arrival| {
            let _ = put.send(String::from_utf8_lossy(&arrival.mail).into_owned());
        };
        Self { port: smtp::Sink::start(keep).unwrap().port, mails }
    }

    fn next(&self, server: &Postfix) -> String {
        self.mails
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("no mail came\nqueue:\n{}\nlog:\n{}", server.queue(), server.log()))
    }

    fn nothing(&self) {
        match self.mails.recv_timeout(SILENCE) {
            Err(RecvTimeoutError::Timeout) => {}
            other => panic!("expected no mail: {other:?}"),
        }
    }
}

/// Hands one mail to an SMTP service, as a mail program does.
fn send(port: u16, sender: &str, mail: &str) {
    send_to(port, sender, &["reader@example.net"], mail);
}

/// The same by somebody who logged in. That he did is told by XCLIENT, which a Postfix believes that is told to: the
/// password is not what is tried here.
fn send_as(login: Option<&str>, port: u16, sender: &str, mail: &str) {
    let Some(login) = login else { return send(port, sender, mail) };
    let mut client = Client::greet(port).unwrap();
    client.expect('2', &format!("XCLIENT LOGIN={login}")).unwrap();
    client.expect('2', "EHLO client.example.test").unwrap();
    assert!(client.send(sender, &["reader@example.net"], mail.as_bytes()).unwrap().starts_with('2'));
    client.ask("QUIT").unwrap();
}

/// The same to others than the usual reader.
fn send_to(port: u16, sender: &str, recipients: &[&str], mail: &str) {
    submit(port, sender, recipients, mail.as_bytes()).unwrap();
}
