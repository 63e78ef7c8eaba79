//! docs/postfix.md, section 8, tried: a private Postfix made of that page's lines, Dovecot with the mailboxes behind it, and
//! mail that OpenSSL sealed. What was opened does not come back in a report.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod peers;

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use kakitome_testkit::POSTFIX_SERVICES;

const SUITE: &str = "mailbox";
const PAGE: &str = include_str!("../../../docs/postfix.md");
/// How long anything may take: a start, a delivery, a stop.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn what_is_sealed_to_a_member_lies_opened_in_his_mailbox() {
    let Some([postfix, dovecot, doveadm, openssl]) =
        peers::programs(SUITE, ["postfix", "dovecot", "doveadm", "openssl"])
    else {
        return;
    };
    let is_there = |user: &str| Command::new("id").arg(user).output().is_ok_and(|out| out.status.success());
    if !fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        return peers::skip(SUITE, "Postfix and Dovecot start only as root");
    }
    if !["postfix", "dovecot", "dovenull", "nobody"].into_iter().all(is_there) {
        return peers::skip(SUITE, "the users of Postfix and Dovecot are not there");
    }
    let home = tempfile::tempdir().unwrap();
    let house = House::start(home.path(), &postfix, &dovecot, &openssl);

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
    postfix: PathBuf,
    smtp: u16,
    processes: Vec<Child>,
    world: Receiver<String>,
}

impl House {
    fn start(at: &Path, postfix: &Path, dovecot: &Path, openssl: &Path) -> Self {
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        let held: Vec<TcpListener> = (0..5).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|held| held.local_addr().unwrap().port()).collect();
        drop(held);
        let [smtp, filter, reinject, lmtp, web] = ports[..] else { panic!("five ports") };
        let ((world, sink), (_, full)) = (sink(true), sink(false));
        let mut house = Self { folder: at.to_owned(), postfix: postfix.to_owned(), smtp, processes: Vec::new(), world };
        house.kakitome(openssl, filter, reinject, web);
        house.dovecot(dovecot, lmtp);
        house.postfix_with(&[smtp, filter, reinject, lmtp, sink, full]);
        for port in [filter, lmtp, reinject, smtp] {
            house.wait_for(port);
        }
        house
    }

    fn kakitome(&mut self, openssl: &Path, filter: u16, reinject: u16, web: u16) {
        let at = &self.folder;
        let inbound =
            block("toml inbound").replace("10027", &reinject.to_string()).replace("example.com", "example.test");
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
        for name in ["etc", "queue", "postfix-data", "log"] {
            fs::create_dir(self.folder.join(name)).unwrap();
        }
        self.run(Path::new("chown"), &["postfix", "postfix-data", "log"]);
        fs::write(self.folder.join("transport"), format!("gone@example.test  lmtp:inet:127.0.0.1:{full}\n")).unwrap();
        fs::write(
            self.folder.join("etc/main.cf"),
            format!(
                "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/postfix-data\n\
                 maillog_file = {at}/log/mail.log\nmaillog_file_prefixes = {at}\nmyhostname = mail.example.test\nmydestination =\n\
                 inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nalias_maps =\nalias_database =\n\
                 virtual_mailbox_domains = example.test\nvirtual_transport = lmtp:inet:127.0.0.1:{lmtp}\n\
                 transport_maps = texthash:{at}/transport\nrelayhost = [127.0.0.1]:{sink}\nsmtp_tls_security_level = none\n"
            ),
        )
        .unwrap();
        let fitted = |name: &str| {
            block(name)
                .replace("10025", &filter.to_string())
                .replace("10027", &reinject.to_string())
                .replace("example.com", "example.test")
        };
        let line = fitted("master.cf inbound");
        let services = fitted("master.cf inbound services");
        let own = "lmtp unix - - n - - lmtp\n";
        fs::write(
            self.folder.join("etc/master.cf"),
            format!("{POSTFIX_SERVICES}{own}127.0.0.1:{smtp} inet n - n - - smtpd\n{line}{services}"),
        )
        .unwrap();
        let etc = self.folder.join("etc");
        let mut master = Command::new(&self.postfix);
        master.arg("-c").arg(etc).arg("start-fg").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.processes.push(master.spawn().unwrap());
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
        let mut out = TcpStream::connect(("127.0.0.1", self.smtp)).unwrap();
        out.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = BufReader::new(out.try_clone().unwrap());
        let mut reply = || loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "{}", self.logs());
            if line.as_bytes().get(3) == Some(&b' ') {
                break line;
            }
        };
        reply();
        let envelope =
            ["EHLO elsewhere.example", "MAIL FROM:<eve@elsewhere.example>", &format!("RCPT TO:<{to}>"), "DATA"]
                .map(str::to_owned);
        for command in envelope {
            out.write_all(format!("{command}\r\n").as_bytes()).unwrap();
            let reply = reply();
            assert!(reply.starts_with(['2', '3']), "{command}: {reply}\n{}", self.logs());
        }
        out.write_all(format!("{mail}.\r\n").as_bytes()).unwrap();
        let reply = reply();
        assert!(reply.starts_with("250"), "{reply}\n{}", self.logs());
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
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "nothing listens on {port}\n{}", self.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // SIGKILL to the masters alone would leave their daemons behind.
        let _ = Command::new(&self.postfix).arg("-c").arg(self.folder.join("etc")).arg("abort").output();
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

/// The fenced block of the page that is called `name`.
fn block(name: &str) -> String {
    let opening = format!("\n```{name}\n");
    let (_, rest) = PAGE.split_once(&opening).unwrap_or_else(|| panic!("docs/postfix.md has no block {name:?}"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// The world, which takes every mail; or a mailbox that takes none.
fn sink(takes: bool) -> (Receiver<String>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (put, mails) = channel();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let put = put.clone();
            thread::spawn(move || session(connection, takes, &|mail| put.send(mail).is_ok()));
        }
    });
    (mails, port)
}

fn session(mut out: TcpStream, takes: bool, keep: &dyn Fn(String) -> bool) -> Option<()> {
    let mut lines = BufReader::new(out.try_clone().ok()?);
    let mut line = || {
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|count| *count > 0).map(|_| line)
    };
    out.write_all(b"220 sink ESMTP\r\n").ok()?;
    loop {
        let command = line()?.to_ascii_uppercase();
        if command.starts_with("RCPT") && !takes {
            out.write_all(b"552 5.2.2 the mailbox is full\r\n").ok()?;
            continue;
        }
        if command.starts_with("DATA") {
            out.write_all(b"354 go on\r\n").ok()?;
            let mut mail = String::new();
            loop {
                let next = line()?;
                if next == ".\r\n" {
                    break;
                }
                mail.push_str(next.strip_prefix('.').unwrap_or(&next));
            }
            keep(mail);
        } else if command.starts_with("QUIT") {
            return out.write_all(b"221 bye\r\n").ok();
        }
        out.write_all(b"250 ok\r\n").ok()?;
    }
}
