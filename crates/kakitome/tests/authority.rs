//! The own CA as its neighbours have it: a mail is signed, its certificate is checked by what `up` publishes, revoked, and
//! checked again, by our own program and by OpenSSL. And a certificate that was bought signs the next mail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use instance::{Instance, PATIENCE, kakitome, mail, run, settings};
use kakitome_office::authority::archive;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::request::Request;
use kakitome_pki::cert::{Certificate, bundle, pem, pkcs12};
use kakitome_pki::crypto::{KeyKind, SigningKey, SystemRandom};
use kakitome_pki::issue::{Issuance, Issuer, MailUse, Profile, Serial};

const ALICE: &str = "alice@example.test";
const DOMAIN: &str = "[members]\ndomains = [\"example.test\"]\nkey = \"p-256\"\n";

/// What stands before the instance for the outside: an address that is known before it has started.
struct Proxy {
    address: SocketAddr,
    target: Arc<OnceLock<SocketAddr>>,
}

impl Proxy {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let target: Arc<OnceLock<SocketAddr>> = Arc::default();
        let to = Arc::clone(&target);
        thread::spawn(move || {
            for from in listener.incoming().map_while(Result::ok) {
                let Some(to) = to.get().and_then(|to| TcpStream::connect(to).ok()) else { continue };
                for (mut one, mut other) in [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)] {
                    thread::spawn(move || {
                        io::copy(&mut one, &mut other).ok();
                        other.shutdown(std::net::Shutdown::Write).ok();
                    });
                }
            }
        });
        Self { address, target }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A GET: status and body.
fn get(address: SocketAddr, path: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    (head[9..12].parse().unwrap(), head, answer[end + 4..].to_vec())
}

/// The same until it is there.
fn wait_for(address: SocketAddr, path: &str) -> Vec<u8> {
    let end = Instant::now() + PATIENCE;
    loop {
        let (status, _, body) = get(address, path);
        if status == 200 {
            return body;
        }
        assert!(Instant::now() < end, "{path}: {status}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// `kakitome verify` as a stranger has it who believes the CA and demands an answer about revocation.
fn verify(folder: &Path, signed: &[u8]) -> (Option<i32>, String) {
    fs::write(folder.join("signed.eml"), signed).unwrap();
    let line =
        ["check", "--revocation", "require", "--trust", "anchors.pem", "--data", "nothing", "--json", "signed.eml"];
    let output = kakitome(folder)
        .args(line)
        .env("KAKITOME_FETCH_ENABLED", "true")
        .env("KAKITOME_FETCH_ALLOW_PRIVATE", "127.0.0.0/8")
        .output()
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), format!("{} {}", answer["state"].as_str().unwrap_or_default(), answer["reasons"][0]))
}

#[test]
fn what_is_published_is_believed_and_a_revocation_is_heard_of() {
    let Some([openssl]) = peers::programs("the published lists and answers", ["openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let proxy = Proxy::new();
    // without the address at first: the issuing CA's certificate names no place, and is signed anew later
    let mut plain = Instance::start(folder, &format!("{}{DOMAIN}", settings("", "")));
    let (_, before) = plain.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    fs::write(folder.join("anchors.pem"), plain.anchors()).unwrap();
    assert_eq!(get(plain.page(), "/.well-known/kakitome/issuing.cer").0, 404);
    assert_eq!(verify(folder, &before), (Some(30), "CHECK_INCOMPLETE \"rev.unavailable\"".to_owned()));
    plain.terminate();
    plain.wait();

    let public = format!("public_url = \"{}\"\n{DOMAIN}", proxy.url());
    let up = Instance::start(folder, &settings("", &public));
    proxy.target.set(up.page()).unwrap();
    wait_for(proxy.address, "/.well-known/kakitome/root-0.crl");
    // her certificate of before is still good for mail; a new one says where it would be revoked
    let revoke = |line: &str| {
        let output = run(folder, &line.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{line}: {}", text(&output));
        text(&output)
    };
    let said = revoke(&format!("cert revoke --address {ALICE} --reason superseded"));
    assert!(said.starts_with("revoked  ") && said.contains("alice@example.test  sign  superseded"), "{said}");
    let (_, signed) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    assert_eq!(verify(folder, &signed), (Some(0), "LOCAL_CONFIRMED \"ok\"".to_owned()), "{}", up.log());

    // OpenSSL reads what is published: certificates, list, answers
    fs::write(folder.join("signed.eml"), &signed).unwrap();
    let ask = |line: &str| {
        let words = line.split(' ').collect::<Vec<_>>();
        let output = Command::new(&openssl).args(&words).current_dir(folder).output().unwrap();
        (output.status.success(), text(&output))
    };
    let (done, said) = ask("cms -verify -in signed.eml -CAfile anchors.pem -signer alice.pem -out content");
    assert!(done, "{said}");
    let alice = Certificate::parse(pem::read(&fs::read(folder.join("alice.pem")).unwrap())[0].certificate()).unwrap();
    let list_url = alice.extensions().crl_urls().next().unwrap().to_owned();
    let list_path = list_url.strip_prefix(&proxy.url()).unwrap().to_owned();
    let responder = alice.extensions().ocsp_urls[0].clone();
    let issuer_path = alice.extensions().issuer_urls[0].strip_prefix(&proxy.url()).unwrap().to_owned();
    let issuing = wait_for(proxy.address, &issuer_path);
    fs::write(folder.join("issuing.pem"), pem::write("CERTIFICATE", &issuing)).unwrap();
    let issuing = Certificate::parse(&issuing).unwrap();
    assert!(alice.verify_signature(issuing.key()).is_ok());
    let fetch_list = || {
        let list = wait_for(proxy.address, &list_path);
        let root = wait_for(proxy.address, "/.well-known/kakitome/root-0.crl");
        let lists = pem::write("X509 CRL", &list) + &pem::write("X509 CRL", &root);
        fs::write(folder.join("list.pem"), pem::write("X509 CRL", &list)).unwrap();
        fs::write(folder.join("lists.pem"), lists).unwrap();
    };
    fetch_list();
    let (done, said) = ask("crl -in list.pem -noout -text -CAfile issuing.pem");
    assert!(done && said.contains(&list_url), "{said}");
    let verify_path =
        "verify -x509_strict -crl_check_all -CRLfile lists.pem -CAfile anchors.pem -untrusted issuing.pem alice.pem";
    let (done, said) = ask(verify_path);
    assert!(done, "{said}");
    let ask_responder = format!(
        "ocsp -issuer issuing.pem -cert alice.pem -url {responder} -CAfile anchors.pem -verify_other issuing.pem"
    );
    let (_, said) = ask(&ask_responder);
    assert!(
        said.contains("Response verify OK") && said.contains("alice.pem: good") && !said.contains("no nonce"),
        "{said}"
    );
    // a serial number that was never given out
    let (_, said) = ask(&format!("ocsp -issuer issuing.pem -serial 0x4242 -url {responder} -CAfile anchors.pem"));
    assert!(said.contains("0x4242: unknown"), "{said}");
    // about a CA that is not ours: the root answers by its list alone
    let (_, said) = ask(&format!("ocsp -issuer anchors.pem -cert issuing.pem -url {responder} -CAfile anchors.pem"));
    assert!(said.contains("unauthorized"), "{said}");

    // revoked: heard of at once
    let mut number = number_of(folder, &openssl);
    let rehearsed = revoke(&format!("cert revoke {} --reason keyCompromise --rehearse --json", alice.serial_hex()));
    assert!(rehearsed.contains(r#""rehearsed": true"#) && rehearsed.contains(&alice.serial_hex()), "{rehearsed}");
    assert_eq!(verify(folder, &signed).0, Some(0));
    revoke(&format!("cert revoke {} --reason keyCompromise", alice.serial_hex()));
    assert_eq!(verify(folder, &signed).0, Some(40));
    assert!(verify(folder, &signed).1.starts_with("REVOKED"), "{:?}", verify(folder, &signed));
    let (_, said) = ask(&ask_responder);
    assert!(said.contains("alice.pem: revoked") && said.contains("Reason: keyCompromise"), "{said}");
    fetch_list();
    let (done, said) = ask(verify_path);
    assert!(!done && said.contains("certificate revoked"), "{said}");
    let newer = number_of(folder, &openssl);
    assert!(newer > number, "{newer} after {number}");
    number = newer;
    // and signs no mail any more
    let (_, next) = up.submit(ALICE, mail(ALICE, "again", "Hello.\r\n").as_bytes());
    assert_eq!(verify(folder, &next), (Some(0), "LOCAL_CONFIRMED \"ok\"".to_owned()));
    // revoking twice changes nothing, and no list is signed for it
    let said = revoke(&format!("cert revoke {} --reason superseded", alice.serial_hex()));
    assert!(said.contains("unchanged") && said.contains("revoked"), "{said}");
    fetch_list();
    assert_eq!(number_of(folder, &openssl), number);

    // what may be kept by whoever stands between, and what is not there
    let question = kakitome_pki::cert::ocsp::request(&alice, &issuing, None).unwrap();
    let question = base64(&question).replace('/', "%2F");
    let (status, head, body) = get(proxy.address, &format!("/.well-known/kakitome/ocsp/{question}"));
    let head = head.to_ascii_lowercase();
    assert!(status == 200 && head.contains("max-age=") && head.contains("application/ocsp-response"), "{head}");
    let again = get(proxy.address, &format!("/.well-known/kakitome/ocsp/{question}")).2;
    assert_eq!(body, again, "an answer without a nonce is kept");
    for (path, status) in [
        ("/.well-known/kakitome/issuing-16.crl", 404),
        ("/.well-known/kakitome/nobody-1.crl", 404),
        ("/.well-known/kakitome/nobody.cer", 404),
        ("/.well-known/kakitome/store.sqlite", 404),
        ("/.well-known/kakitome/ocsp/AAAA", 200),
    ] {
        assert_eq!(get(proxy.address, path).0, status, "{path}");
    }
    // who did it stands in the log
    let log = run(folder, &["audit", "show", "--act", "certificate.revoked"]);
    assert!(text(&log).contains(ALICE) && text(&log).contains("keyCompromise"), "{}", text(&log));

    // the issuing CA falls, and with it everything that it issued: readers hear of it, and the next mail has the next CA's
    assert_eq!(verify(folder, &next).0, Some(0));
    revoke("ca revoke issuing --reason cACompromise --json");
    assert!(verify(folder, &next).1.starts_with("REVOKED"), "{:?}", verify(folder, &next));
    fetch_list();
    let (_, said) = ask("verify -x509_strict -crl_check_all -CRLfile lists.pem -CAfile anchors.pem issuing.pem");
    assert!(said.contains("certificate revoked"), "{said}");
    let (_, last) = up.submit(ALICE, mail(ALICE, "anew", "Hello.\r\n").as_bytes());
    assert_eq!(verify(folder, &last), (Some(0), "LOCAL_CONFIRMED \"ok\"".to_owned()), "{}", up.log());
    assert!(text(&run(folder, &["ca", "list"])).contains("was revoked, and counts no more"));
    assert!(run(folder, &["audit", "verify"]).status.success());
}

fn number_of(folder: &Path, openssl: &Path) -> u64 {
    let output = Command::new(openssl)
        .args(["crl", "-in", "list.pem", "-noout", "-crlnumber"])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    u64::from_str_radix(text.trim().trim_start_matches("crlNumber=0x").trim_start_matches("crlNumber="), 16).unwrap()
}

fn base64(octets: &[u8]) -> String {
    let text = pem::write("X", octets);
    text.lines().filter(|line| !line.starts_with('-')).collect()
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_unix(i64::try_from(since.as_secs()).unwrap())
}

/// A CA elsewhere, for tests alone, that exists for the time of a test.
struct Elsewhere {
    root: Certificate,
    issuing: Certificate,
    root_key: SigningKey,
    issuing_key: SigningKey,
}

impl Elsewhere {
    fn new() -> Self {
        let name = |text: &str| Name::build(&[(oid::ORGANIZATION, "Elsewhere"), (oid::COMMON_NAME, text)]);
        let (root_key, issuing_key) =
            (SigningKey::generate(KeyKind::P256).unwrap(), SigningKey::generate(KeyKind::P256).unwrap());
        let root = make(&Profile::root(&name("root")), &root_key, Issuer::Itself, &root_key, 900);
        let issuing =
            make(&Profile::issuing(&name("issuing"), &[]), &issuing_key, Issuer::Certificate(&root), &root_key, 800);
        Self { root, issuing, root_key, issuing_key }
    }

    /// The certificate for a request, whatever was asked for.
    fn answers(&self, request: &[u8], address: &str, usage: MailUse) -> Certificate {
        let request = Request::parse(request).unwrap();
        assert!(request.verify_signature().is_ok());
        let profile = Profile::member(&Address::parse(address).unwrap(), usage);
        let serial = Serial::random(&SystemRandom).unwrap();
        let (from, until) = (now().plus(-86_400), now().plus(86_400 * 300));
        let issuer = Issuer::Certificate(&self.issuing);
        let issuance = Issuance::new(&profile, &serial, from, until, request.spki(), issuer).unwrap();
        Certificate::parse(&issuance.sign(&self.issuing_key).unwrap()).unwrap()
    }

    /// A PKCS#12 file as a CA hands it out.
    fn sells(&self, address: &str, usage: MailUse, days: i64, password: &str) -> (Vec<u8>, Certificate) {
        let key = SigningKey::generate(KeyKind::Rsa2048).unwrap();
        let profile = Profile::member(&Address::parse(address).unwrap(), usage);
        let certificate = make(&profile, &key, Issuer::Certificate(&self.issuing), &self.issuing_key, days);
        let contents = pkcs12::Contents {
            key: &key.to_pkcs8().unwrap(),
            certificate: &certificate,
            chain: &[self.root.clone(), self.issuing.clone()],
            friendly_name: address,
        };
        (pkcs12::write(&contents, password, pkcs12::Form::Modern, None, &SystemRandom).unwrap(), certificate)
    }
}

fn make(profile: &Profile, key: &SigningKey, issuer: Issuer<'_>, signs: &SigningKey, days: i64) -> Certificate {
    let serial = Serial::random(&SystemRandom).unwrap();
    let (from, until) = (now().plus(-86_400 * 40), now().plus(86_400 * days));
    let issuance = Issuance::new(profile, &serial, from, until, key.spki(), issuer).unwrap();
    Certificate::parse(&issuance.sign(signs).unwrap()).unwrap()
}

/// The certificate that signed a mail.
fn signer(folder: &Path, signed: &[u8]) -> String {
    fs::write(folder.join("signed.eml"), signed).unwrap();
    let output = run(folder, &["check", "--json", "signed.eml"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    answer.to_string()
}

#[test]
fn a_certificate_that_was_bought_signs_the_next_mail() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let elsewhere = Elsewhere::new();
    let sell = |file: &str, address: &str, usage, days| {
        let (octets, certificate) = elsewhere.sells(address, usage, days, "open sesame");
        fs::write(folder.join(file), octets).unwrap();
        certificate
    };
    let alice = sell("alice.p12", ALICE, MailUse::Both, 300);
    sell("stranger.p12", "somebody@elsewhere.example", MailUse::Both, 300);
    sell("ended.p12", ALICE, MailUse::Both, -1);
    fs::create_dir(folder.join("bought")).unwrap();
    let bob = sell("bought/bob.p12", "bob@example.test", MailUse::Sign, 300);
    sell("bought/carol.pfx", "carol@example.test", MailUse::Encrypt, 300);
    fs::write(folder.join("bought/broken.p12"), b"no file").unwrap();
    fs::write(folder.join("bought/notes.txt"), b"not looked at").unwrap();
    fs::write(folder.join("password.txt"), "open sesame\n").unwrap();
    fs::write(folder.join("wrong.txt"), "open\n").unwrap();
    fs::write(
        folder.join("bought.csv"),
        "file,password,address\nbought/bob.p12,open sesame,\nbought/carol.pfx,wrong,\n",
    )
    .unwrap();
    fs::write(folder.join("theirs.pem"), pem::write("CERTIFICATE", elsewhere.root.raw())).unwrap();

    let up = Instance::start(folder, &format!("{}{DOMAIN}", settings("", "")));
    let (_, before) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    assert!(!signer(folder, &before).contains(&alice.serial_hex()));

    let import = |line: &str| {
        let words = format!("cert import --config kakitome.toml {line}");
        let output = run(folder, &words.split(' ').collect::<Vec<_>>());
        (output.status.code(), text(&output))
    };
    let rows = [
        ("--password-file wrong.txt alice.p12", 60, "the password is wrong"),
        ("--password-file password.txt stranger.p12", 60, "is for somebody@elsewhere.example, and none of that"),
        ("--password-file password.txt --address bob@example.test alice.p12", 60, "not for bob@example.test"),
        ("--password-file password.txt ended.p12", 60, "ended at"),
        ("--password-file password.txt theirs.pem", 60, "theirs.pem"),
        // nobody here believes its CA yet
        ("--password-file password.txt alice.p12", 0, "not believed here"),
        ("--password-file password.txt alice.p12", 0, "was here"),
        ("--password-file password.txt --also-ended ended.p12", 0, "imported"),
    ];
    for (line, code, words) in rows {
        let (ended, said) = import(line);
        assert!(ended == Some(code) && said.contains(words), "{line}: {ended:?} {said}");
    }
    // the running server signs with it, and its issuer travels along
    let (_, signed) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    assert!(signer(folder, &signed).contains(&alice.serial_hex()), "{}", up.log());
    let line = ["check", "--trust", "theirs.pem", "--data", "nothing", "--json", "signed.eml"];
    let output = run(folder, &line);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    // in bulk, once the CA is believed here
    assert!(run(folder, &["trust", "add", "--yes", "theirs.pem"]).status.success());
    let (code, said) = import("--password-file password.txt --json bought");
    let told: serde_json::Value = serde_json::from_str(said.split_once("\nkakitome:").unwrap().0).unwrap();
    let files = told["files"].as_array().unwrap();
    assert_eq!((code, files.len()), (Some(60), 3), "{said}");
    assert_eq!(files[0]["imported"][0]["serial"], bob.serial_hex(), "{said}");
    assert_eq!(
        (&files[0]["imported"][0]["believed"], &files[0]["imported"][0]["chain"]),
        (&"operator".into(), &1.into())
    );
    assert!(files[1]["refused"].as_str().unwrap().contains("broken.p12"), "{said}");
    assert_eq!(files[2]["imported"][0]["purpose"], "encrypt", "{said}");
    let (code, said) = import("--table bought.csv");
    assert!(code == Some(60) && said.contains("was here") && said.contains("refused"), "{said}");

    // revoked, it signs no more; who issued it must be told
    let output = run(folder, &["cert", "revoke", "--address", ALICE, "--reason", "keyCompromise"]);
    assert!(output.status.success() && text(&output).contains("tell the CA that issued it"), "{}", text(&output));
    let (_, after) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    assert!(!signer(folder, &after).contains(&alice.serial_hex()));
    let _ = &elsewhere.root_key;
}

#[test]
fn requests_go_out_as_files_and_certificates_come_in() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let elsewhere = Elsewhere::new();
    let up = Instance::start(folder, &format!("{}{DOMAIN}", settings("", "")));
    let cert = |line: &str| {
        let output = run(folder, &format!("cert {line}").split(' ').collect::<Vec<_>>());
        (output.status.code(), text(&output))
    };
    let said = |line: &str, code: i32, words: &str| {
        let (ended, said) = cert(line);
        assert!(ended == Some(code) && said.contains(words), "{line}: {ended:?} {said}");
    };
    fs::write(folder.join("people.csv"), "Name,Email\nAlice,alice@example.test\nBob,bob@example.test\n").unwrap();
    said("order --issuer own --address alice@example.test -o out.zip", 2, "lower-case letters");
    said("order --issuer bought -o out.zip", 60, "nothing waits for it");
    said("order --issuer bought --table people.csv --key p256 -o out.zip", 0, "2 requests for bought");
    // asked again, the same requests are written again
    said(
        "order --issuer bought --table people.csv --address carol@example.test -o out.csv",
        0,
        "3 requests for bought",
    );
    said("order --issuer other --address alice@example.test --purpose encrypt --key ed25519 -o x", 60, "nothing waits");
    said("order --issuer bought -o folder", 0, "3 requests");
    assert!(fs::read(folder.join("folder/carol@example.test.csr")).unwrap().starts_with(b"-----BEGIN CERTIFICATE REQ"));
    let requests = archive::read(&fs::read(folder.join("out.zip")).unwrap()).unwrap();
    let names: Vec<&str> = requests.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["alice@example.test.csr", "bob@example.test.csr"]);
    let request = |entry: &archive::Entry| pem::read(&entry.octets)[0].der.to_vec();
    let alice = elsewhere.answers(&request(&requests[0]), ALICE, MailUse::Both);
    let for_another = elsewhere.answers(&request(&requests[1]), "bob@elsewhere.example", MailUse::Both);
    let for_less = elsewhere.answers(&request(&requests[1]), "bob@example.test", MailUse::Sign);
    let bob = elsewhere.answers(&request(&requests[1]), "bob@example.test", MailUse::Both);
    let (_, stranger) = elsewhere.sells("eve@example.test", MailUse::Both, 300, "secret");

    // by whatever names, in whatever form
    let put = |name: &str, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
    let bundle = |all: &[&Certificate]| bundle::write(all.iter().map(|one| one.raw()));
    put("one.p7b", &bundle(&[&alice, &elsewhere.issuing, &elsewhere.root]));
    let pem_of = |one: &Certificate| pem::write("CERTIFICATE", one.raw());
    let entry = |name: &str, octets: Vec<u8>| archive::Entry { name: name.to_owned(), octets };
    let answers = [
        entry("1/0001.cer", for_another.raw().to_vec()),
        entry("1/0002.pem", pem_of(&for_less).into_bytes()),
        entry("1/0003.crt", stranger.raw().to_vec()),
        entry("readme.txt", b"Thank you for your order.".to_vec()),
        entry("chain.p7b", bundle(&[&elsewhere.issuing])),
    ];
    put("answers.zip", &archive::write(&answers).unwrap());
    put(
        "bob.csv",
        format!("address,certificate\r\nbob@example.test,\"{}{}\"\r\n", pem_of(&bob), pem_of(&elsewhere.issuing))
            .as_bytes(),
    );
    put("theirs.pem", pem_of(&elsewhere.root).as_bytes());
    put("nothing.zip", &archive::write(&[]).unwrap());
    said("receive nothing.zip", 60, "no certificate");
    said("receive one.p7b", 60, "leads to nobody who is believed here");
    said("orders", 0, "leads to nobody who is believed here");
    assert!(run(folder, &["trust", "add", "--yes", "theirs.pem"]).status.success());
    said("receive one.p7b", 0, "imported  alice@example.test  both");
    said("receive one.p7b", 0, "was here");
    let (code, told) = cert("receive --json answers.zip");
    assert_eq!(code, Some(60), "{told}");
    for words in ["not for bob@example.test", "another use (sign) than was asked for (both)", "no key that waits here"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    said("receive bob.csv", 0, "imported  bob@example.test  both");
    said("order --issuer bought --withdraw carol@example.test", 0, "withdrawn  carol@example.test  1");
    said("orders --all --json", 0, r#""state": "withdrawn""#);
    let (_, open) = cert("orders");
    assert_eq!(open, "");
    // the running server signs with it
    let (_, signed) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    assert!(signer(folder, &signed).contains(&alice.serial_hex()), "{}", up.log());
}

#[test]
fn a_ca_is_made_by_wishes_and_one_that_exists_is_taken_in() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::write(folder.join("kakitome.toml"), format!("{}{DOMAIN}", settings("", ""))).unwrap();
    let ca = |line: &str| {
        let words = format!("ca {line} --config kakitome.toml");
        let output = run(folder, &words.split(' ').collect::<Vec<_>>());
        (output.status.code(), text(&output))
    };
    let elsewhere = Elsewhere::new();
    let write = |name: &str, label: &str, der: &[u8]| fs::write(folder.join(name), pem::write(label, der)).unwrap();
    write("root.pem", "CERTIFICATE", elsewhere.root.raw());
    write("issuing.pem", "CERTIFICATE", elsewhere.issuing.raw());
    write("issuing.key", "PRIVATE KEY", &elsewhere.issuing_key.to_pkcs8().unwrap());
    write("root.key", "PRIVATE KEY", &elsewhere.root_key.to_pkcs8().unwrap());
    let (p12, _) = elsewhere.sells(ALICE, MailUse::Both, 300, "open sesame");
    fs::write(folder.join("alice.p12"), p12).unwrap();
    fs::write(folder.join("password.txt"), "open sesame\n").unwrap();
    let rows = [
        ("list", 60, "there is no own CA yet"),
        ("init --org Bank --key rsa2048", 2, "rsa3072"),
        ("init --org Bank --key p384 --domain Example.TEST", 0, "issuing  O=Bank, CN=Bank issuing CA "),
        ("init --org Other", 60, "there is an own CA already"),
        ("list", 0, "P-384"),
        (
            "import --cert issuing.pem --key root.key --chain root.pem",
            60,
            "none of the certificates is for a key in it",
        ),
        ("import --p12 alice.p12 --password-file password.txt", 60, "no CA's"),
        ("import --cert issuing.pem --key issuing.key --chain root.pem", 0, "issuing-2  O=Elsewhere"),
        ("import --cert issuing.pem --key issuing.key --chain root.pem", 60, "is here already"),
        ("list --json", 0, r#""id": "issuing-2""#),
        ("list", 0, "issues no more, and answers for what it issued"),
        ("list", 0, "its key is elsewhere"),
    ];
    for (line, code, words) in rows {
        let (ended, said) = ca(line);
        assert!(ended == Some(code) && said.contains(words), "{line}: {ended:?} {said}");
    }
    // it issues
    let up = Instance::start(folder, &format!("{}{DOMAIN}", settings("", "")));
    let (_, signed) = up.submit(ALICE, mail(ALICE, "hello", "Hello.\r\n").as_bytes());
    fs::write(folder.join("signed.eml"), &signed).unwrap();
    let output = run(folder, &["check", "--trust", "root.pem", "--data", "nothing", "signed.eml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn members_of_a_unit_are_enrolled_with_a_ca_that_has_a_portal() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let elsewhere = Elsewhere::new();
    let rules = "issuers = [{ unit = \"Sales\", issuer = \"bought\" }]\n";
    fs::write(folder.join("kakitome.toml"), format!("{DOMAIN}{rules}")).unwrap();
    fs::write(
        folder.join("company.csv"),
        "number,mail,unit\n1,alice@example.test,Sales\n2,bob@example.test,IT\n3,carol@example.test,Sales\n",
    )
    .unwrap();
    fs::write(folder.join("theirs.pem"), pem::write("CERTIFICATE", elsewhere.root.raw())).unwrap();
    let said = |line: &str, code: i32, words: &str| {
        let words_of_it: Vec<&str> = line.split(' ').chain(["--config", "kakitome.toml"]).collect();
        let output = run(folder, &words_of_it);
        let says = text(&output);
        assert!(output.status.code() == Some(code) && says.contains(words), "{line}: {says}");
    };
    said("member import company.csv --enrol", 0, "2 certificates made, 2 asked for");
    // nothing is asked twice, and what waits is told
    said("member enrol", 0, "0 certificates made\n");
    said("member show 1", 0, "alice@example.test: asked of bought since");
    said("member show 3 --json", 0, r#""issuer": "bought""#);
    said("cert order --issuer bought -o requests.zip", 0, "2 requests for bought");
    let requests = archive::read(&fs::read(folder.join("requests.zip")).unwrap()).unwrap();
    let mut answers = vec![archive::Entry { name: "ca.cer".to_owned(), octets: elsewhere.issuing.raw().to_vec() }];
    for (number, request) in requests.iter().enumerate() {
        let address = request.name.trim_end_matches(".csr");
        let answer = elsewhere.answers(&pem::read(&request.octets)[0].der, address, MailUse::Both);
        answers.push(archive::Entry { name: format!("{number}.cer"), octets: answer.raw().to_vec() });
    }
    fs::write(folder.join("answers.zip"), archive::write(&answers).unwrap()).unwrap();
    said("trust add --yes theirs.pem", 0, "1 added");
    said("cert receive answers.zip", 0, "alice@example.test");
    said("member enrol", 0, "0 certificates made\n");
    said("member show 1 --json", 0, r#""requests": []"#);
    said("cert list carol@example.test --issuer bought", 0, "1 certificate\n");
    said("cert list bob@example.test --issuer own", 0, "2 certificates\n");
    // a renewal asks again
    said("cert renew --force 1", 0, "0 certificates made, 1 asked for");
    said("cert orders", 0, "waiting");
}
