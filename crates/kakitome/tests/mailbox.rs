//! docs/postfix.md, section 9, tried: a private Postfix made of that page's lines, Dovecot with the mailboxes behind it, and
//! mail that OpenSSL sealed. What was opened does not come back in a report.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod peers;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use kakitome_testkit::smtp::{Sink, free_ports, submit};
use kakitome_testkit::{Postfix, wait_for_port};

const SUITE: &str = "mailbox";
const PAGE: &str = include_str!("../../../docs/postfix.md");
/// How long anything may take: a start, a delivery, a stop.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn what_is_sealed_to_a_member_lies_opened_in_his_mailbox() {
    let names = ["postfix", "dovecot", "doveadm", "openssl"];
    let Some([_, dovecot, doveadm, openssl]) = peers::programs(SUITE, names) else { return };
    let is_there = |user: &str| Command::new("id").arg(user).output().is_ok_and(|out| out.status.success());
    if let Some(missing) = Postfix::cannot_start() {
        return peers::skip(SUITE, missing);
    }
    if !["dovecot", "dovenull", "nobody"].into_iter().all(is_there) {
        return peers::skip(SUITE, "the users of Dovecot are not there");
    }
    let home = tempfile::tempdir().unwrap();
    let house = House::start(home.path(), &dovecot, &openssl);

    // By port 25 to the member: opened in his mailbox, with our fields, and as Dovecot tells it.
    let sealed = house.sealed(&openssl, "jiro@example.test", "by port 25");
    house.send("jiro@example.test", &format!("X-Kakitome-Verdict: ORG_CONFIRMED\r\n{sealed}"));
    let text = house.fetch(&doveadm, "jiro@example.test", "by port 25");
    assert!(text.contains("For your eyes."), "not opened: {text}\n{}", house.logs());
    assert!(text.contains("X-Kakitome-Sealed: opened; authenticated="), "{text}");
    assert!(text.contains("X-Kakitome-Verdict: NOT_SIGNED") && !text.contains("ORG_CONFIRMED"), "{text}");
    assert!(text.contains("Authentication-Results: kakitome.example.test;"), "{text}");
    // What is not for him stays sealed.
    house.send("hana@example.test", &house.sealed(&openssl, "jiro@example.test", "caught"));
    let text = house.fetch(&doveadm, "hana@example.test", "caught");
    assert!(
        text.contains("X-Kakitome-Sealed: closed; reason=enc.no-key") && !text.contains("For your eyes."),
        "{text}"
    );

    // The mailbox is full: the report to the outside has the text of a mail that came in the clear, and not of one
    // that was opened.
    for (subject, is_sealed) in [("sealed and lost", true), ("plain and lost", false)] {
        let mail = if is_sealed {
            house.sealed(&openssl, "gone@example.test", subject)
        } else {
            format!(
                "From: eve@elsewhere.example\r\nTo: gone@example.test\r\nSubject: {subject}\r\n\r\nFor your eyes.\r\n"
            )
        };
        house.send("gone@example.test", &mail);
        let report = house.world.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no report came\n{}", house.logs()));
        assert!(report.contains("multipart/report") && report.contains(subject), "{report}");
        assert_eq!(report.contains("For your eyes."), !is_sealed, "{report}");
        assert_eq!(report.contains("text/rfc822-headers"), is_sealed, "{report}");
    }
}

/// Postfix, Kakitome and Dovecot.
struct House {
    folder: PathBuf,
    smtp: u16,
    postfix: Option<Postfix>,
    processes: Vec<Child>,
    world: Receiver<String>,
}

impl House {
    fn start(at: &Path, dovecot: &Path, openssl: &Path) -> Self {
        let [smtp, filter, reinject, lmtp, web] = free_ports();
        let (put, world) = channel();
        let sink = Sink::start(move |arrival| {
            let _ = put.send(String::from_utf8_lossy(&arrival.mail).into_owned());
        });
        let full = Sink::refusing("552 5.2.2 the mailbox is full");
        let mut house = Self { folder: at.to_owned(), smtp, postfix: None, processes: Vec::new(), world };
        house.postfix_with(&[smtp, filter, reinject, lmtp, sink.unwrap().port, full.unwrap().port]);
        house.kakitome(openssl, filter, reinject, web);
        house.dovecot(dovecot, lmtp);
        for port in [filter, lmtp] {
            house.wait_for(port);
        }
        house
    }

    fn kakitome(&mut self, openssl: &Path, filter: u16, reinject: u16, web: u16) {
        let at = &self.folder;
        let inbound = kakitome_testkit::block(PAGE, "toml inbound")
            .replace("10027", &reinject.to_string())
            .replace("example.com", "example.test");
        fs::write(
            at.join("kakitome.toml"),
            format!(
                "[members]\ndomains = [\"example.test\"]\n[gateway]\nnext_hop = \"127.0.0.1:1\"\nlisteners = [{{ protocol = \"lmtp\", \
                 address = \"127.0.0.1:{filter}\", direction = \"inbound\" }}]\n[web]\naddress = \"127.0.0.1:{web}\"\n\
                 [fetch]\nenabled = false\n{inbound}"
            ),
        )
        .unwrap();
        fs::write(
            at.join("member.cnf"),
            "[req]\ndistinguished_name=dn\n[dn]\n[v3]\nsubjectAltName=email:jiro@example.test,email:gone@example.test\n\
             extendedKeyUsage=emailProtection\nkeyUsage=critical,digitalSignature,keyEncipherment\nbasicConstraints=CA:false\n",
        )
        .unwrap();
        let make = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=jiro -config member.cnf -extensions v3 \
                    -keyout member.key -out member.pem";
        self.run(openssl, &make.split_whitespace().collect::<Vec<_>>());
        self.run(
            openssl,
            &[
                "pkcs12",
                "-export",
                "-inkey",
                "member.key",
                "-in",
                "member.pem",
                "-passout",
                "pass:secret",
                "-out",
                "member.p12",
            ],
        );
        fs::write(at.join("password.txt"), "secret\n").unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_kakitome"));
        let log = OpenOptions::new().create(true).append(true).open(at.join("kakitome.log")).unwrap();
        let mut up = Command::new(&program);
        up.current_dir(at)
            .args(["up", "--config", "kakitome.toml"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.processes.push(up.spawn().unwrap());
        self.wait_for(filter);
        self.run(
            &program,
            &["cert", "import", "--config", "kakitome.toml", "--password-file", "password.txt", "member.p12"],
        );
    }

    fn dovecot(&mut self, dovecot: &Path, lmtp: u16) {
        let at = self.folder.display().to_string();
        for name in ["dovecot", "dovecot-state", "mail"] {
            fs::create_dir(self.folder.join(name)).unwrap();
        }
        self.run(Path::new("chown"), &["nobody", "mail"]);
        fs::write(
            self.folder.join("dovecot.conf"),
            format!(
                "protocols = lmtp\nbase_dir = {at}/dovecot\nstate_dir = {at}/dovecot-state\nlog_path = {at}/dovecot.log\nssl = no\n\
                 listen = 127.0.0.1\nmail_uid = nobody\nmail_gid = nogroup\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
                 mail_location = maildir:{at}/mail/%u\nauth_mechanisms = plain\n\
                 passdb {{\n driver = static\n args = nopassword=y\n}}\n\
                 userdb {{\n driver = static\n args = uid=nobody gid=nogroup home={at}/mail/%u allow_all_users=yes\n}}\n\
                 service lmtp {{\n inet_listener lmtp {{\n  address = 127.0.0.1\n  port = {lmtp}\n }}\n}}\n"
            ),
        )
        .unwrap();
        let mut server = Command::new(dovecot);
        server.arg("-F").arg("-c").arg(self.folder.join("dovecot.conf")).stdin(Stdio::null());
        self.processes.push(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }

    fn postfix_with(&mut self, ports: &[u16]) {
        let [smtp, filter, reinject, lmtp, sink, full] = ports[..] else { panic!("six ports") };
        let at = self.folder.display().to_string();
        fs::write(self.folder.join("transport"), format!("gone@example.test  lmtp:inet:127.0.0.1:{full}\n")).unwrap();
        let main = format!(
            "virtual_mailbox_domains = example.test\nvirtual_transport = lmtp:inet:127.0.0.1:{lmtp}\n\
             transport_maps = texthash:{at}/transport\nrelayhost = [127.0.0.1]:{sink}\n"
        );
        let fitted = |name: &str| {
            kakitome_testkit::block(PAGE, name)
                .replace("10025", &filter.to_string())
                .replace("10027", &reinject.to_string())
                .replace("example.com", "example.test")
        };
        let (line, services) = (fitted("master.cf inbound"), fitted("master.cf inbound services"));
        let services = format!("127.0.0.1:{smtp} inet n - n - - smtpd\n{line}{services}");
        let postfix = Postfix::start(&self.folder, &main, &services, &[smtp, reinject]);
        self.postfix = Some(postfix.unwrap_or_else(|error| panic!("{error}")));
    }

    /// A mail that OpenSSL sealed with the member's certificate.
    fn sealed(&self, openssl: &Path, to: &str, subject: &str) -> String {
        fs::write(self.folder.join("inner"), "Content-Type: text/plain\r\n\r\nFor your eyes.\r\n").unwrap();
        let arguments = ["cms", "-encrypt", "-binary", "-aes256", "-in", "inner", "-from", "eve@elsewhere.example"];
        let rest = ["-to", to, "-subject", subject, "-out", "sealed", "member.pem"];
        self.run(openssl, &[&arguments[..], &rest].concat());
        fs::read_to_string(self.folder.join("sealed")).unwrap().replace("\r\n", "\n").replace('\n', "\r\n")
    }

    fn send(&self, to: &str, mail: &str) {
        let sent = submit(self.smtp, "eve@elsewhere.example", &[to], mail.as_bytes());
        sent.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
    }

    /// What Dovecot holds for a user under this subject, once it is there.
    fn fetch(&self, doveadm: &Path, user: &str, subject: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let out = Command::new(doveadm)
                .arg("-c")
                .arg(self.folder.join("dovecot.conf"))
                .args(["fetch", "-u", user, "text", "mailbox", "INBOX", "header", "Subject", subject])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            if text.contains("Subject: ") {
                return text;
            }
            assert!(
                Instant::now() < end,
                "no mail for {user}: {}\n{}",
                String::from_utf8_lossy(&out.stderr),
                self.logs()
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn run(&self, program: &Path, arguments: &[&str]) {
        let out = Command::new(program).current_dir(&self.folder).args(arguments).output().unwrap();
        assert!(out.status.success(), "{} {arguments:?}: {}", program.display(), String::from_utf8_lossy(&out.stderr));
    }

    fn logs(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        ["log/mail.log", "kakitome.log", "dovecot.log"].map(|name| format!("== {name}\n{}", read(name))).concat()
    }

    fn wait_for(&self, port: u16) {
        wait_for_port(port).unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.postfix = None;
        // SIGKILL to the master alone would leave its daemons behind.
        for process in &mut self.processes {
            let _ = Command::new("kill").arg(process.id().to_string()).status();
            let end = Instant::now() + PATIENCE;
            while Instant::now() < end && matches!(process.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(50));
            }
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
