//! Mail programs of others that hand in mail by STARTTLS with a certificate of theirs (swaks, msmtp), and what reads the
//! result.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "gateway/certificates.rs"]
mod certificates;
mod instance;
mod peers;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use instance::{Instance, mail, settings};

const SUITE: &str = "mailers";
const ALICE: &str = "alice@example.test";

/// A gateway with a door for mail programs: who has Alice's certificate signs as Alice.
fn submission(folder: &Path) -> Instance {
    for (name, host) in [("gate", "gate.test"), ("alice", "alice-laptop"), ("bob", "bob-laptop")] {
        certificates::write_for(folder, name, host);
        // msmtp reads no key that others may read
        fs::set_permissions(folder.join(format!("{name}.key")), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let at = folder.display();
    let tls = format!("[tls]\ncertificate = '{at}/gate.pem'\nkey = '{at}/gate.key'\nclient_ca = '{at}/ca.pem'\n");
    let policy = "[policy]\nsenders = [{ certificate = 'alice-laptop', issuer = 'Good TLS CA', from = ['alice@example.test'] }]\n";
    let door = "{ protocol = \"smtp\", address = \"127.0.0.1:0\", direction = \"outbound\"";
    let text = settings("", &format!("{tls}{policy}[members]\ndomains = ['example.test']\nkey = 'p-256'\n"));
    let text = text.replacen(door, &format!("{door}, tls = \"require\", certificates = [\"*\"], submission = true"), 1);
    Instance::start(folder, &text)
}

/// The one mail that came, and whether it is signed as OpenSSL sees it.
fn left(up: &Instance, openssl: &Path, folder: &Path) -> bool {
    let [mail]: [_; 1] = up.mails("new").try_into().unwrap_or_else(|mails| panic!("{mails:?}\n{}", up.log()));
    fs::write(folder.join("anchors.pem"), up.anchors()).unwrap();
    let verify = Command::new(openssl)
        .args(["cms", "-verify", "-CAfile", "anchors.pem", "-in"])
        .arg(&mail)
        .current_dir(folder)
        .output()
        .unwrap();
    fs::remove_file(mail).unwrap();
    verify.status.success() && String::from_utf8_lossy(&verify.stdout).contains("Hello.")
}

fn says(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn swaks_is_known_by_its_certificate() {
    let Some([swaks, openssl]) = peers::programs(SUITE, ["swaks", "openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let up = submission(folder);
    let door = up.door("SMTP", "outbound");
    let text = mail(ALICE, "by swaks", "Hello.\r\n").replace("\r\n", "\n");
    fs::write(folder.join("mail.eml"), text).unwrap();
    let send = |more: &[&str]| {
        Command::new(&swaks)
            .args(["--server", &door.ip().to_string(), "--port", &door.port().to_string()])
            .args(["--from", ALICE, "--to", "bob@example.net", "--data", "@mail.eml"])
            .args(more)
            .current_dir(folder)
            .output()
            .unwrap()
    };
    let clear = send(&[]);
    assert!(!clear.status.success() && says(&clear).contains("530 5.7.0"), "{}", says(&clear));
    let unknown = send(&["--tls"]);
    assert!(!unknown.status.success() && says(&unknown).contains("450 4.7.1"), "{}", says(&unknown));
    for (name, signed) in [("alice", true), ("bob", false)] {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let sent = send(&["--tls", "--tls-cert", &certificate, "--tls-key", &key]);
        assert!(sent.status.success(), "{}", says(&sent));
        assert_eq!(left(&up, &openssl, folder), signed, "{name}: {}", up.log());
    }
}

#[test]
fn msmtp_is_known_by_its_certificate() {
    let Some([msmtp, openssl]) = peers::programs(SUITE, ["msmtp", "openssl"]) else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let up = submission(folder);
    let door = up.door("SMTP", "outbound");
    let text = mail(ALICE, "by msmtp", "Hello.\r\n").replace("\r\n", "\n");
    for (trust, works) in [("ca.pem", true), ("alice.pem", false)] {
        let at = folder.display();
        let account = format!(
            "account default\nhost {}\nport {}\nfrom {ALICE}\ntls on\ntls_starttls on\ntls_trust_file {at}/{trust}\n\
             tls_cert_file {at}/alice.pem\ntls_key_file {at}/alice.key\n",
            door.ip(),
            door.port()
        );
        let file = folder.join("msmtprc");
        fs::write(&file, account).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let mut sending = Command::new(&msmtp)
            .arg("-C")
            .arg(&file)
            .arg("bob@example.net")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that ends early does not read it.
        let _ = sending.stdin.take().unwrap().write_all(text.as_bytes());
        let sent = sending.wait_with_output().unwrap();
        assert_eq!(sent.status.success(), works, "{}\n{}", says(&sent), up.log());
        if works {
            assert!(left(&up, &openssl, folder), "{}", up.log());
        }
    }
}
