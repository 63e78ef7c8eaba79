//! docs/exim.md, tried: a private Exim made of that page's lines, in front of `kakitome up` and behind it.
//!
//! Exim is only unpacked (see `./test`), since Debian has one mail server at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use instance::{Instance, date, mail, run, settings};
use kakitome_testkit::smtp::{Client, free_ports};
use kakitome_testkit::{block, wait_for_port};

const SUITE: &str = "exim";
const PAGE: &str = include_str!("../../../docs/exim.md");
const ALICE: &str = "alice@example.test";
/// As whom Debian's Exim runs; it ends where there is no such user.
const USER: &str = "Debian-exim";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// What `AUTH PLAIN` says for a login, with any password.
const LOGINS: [(&str, &str); 2] = [("alice", "AGFsaWNlAHg="), ("bob", "AGJvYgB4")];

#[test]
fn exim_gives_mail_to_us_and_takes_it_back() {
    let Some(house) = House::start() else { return };

    // By submission: signed, and confirmed by OpenSSL and by us.
    house.submit("alice", &["reader@example.net"], &mail(ALICE, "by submission", "Good morning.\r\n.\r\n")).unwrap();
    let signed = house.arrived("by submission", "reader@example.net");
    house.assert_confirmed(&signed);
    assert!(house.openssl(&signed.replace("morning", "evening")).is_err(), "a changed text was confirmed");
    assert_eq!(signed.matches("\nReceived: ").count() + 1, 3, "{signed}");

    // Who logged in writes his own address.
    let forged = house.submit("bob", &["reader@example.net"], &mail(ALICE, "by Bob", "Good morning.\r\n"));
    assert!(forged.unwrap_err().contains("who logged in"));
    // By port 25 to a member: checked, never signed, whoever it says it is from.
    let forged = mail(ALICE, "from outside", "Good morning.\r\n");
    let forged = format!("Authentication-Results: kakitome.example.test; smime=pass\r\n{forged}");
    house.send(house.ports[1], "alice@example.test", &["hana@example.test"], &forged).unwrap();
    let received = house.arrived("from outside", "hana@example.test");
    assert!(received.contains("\nX-Kakitome-Verdict: NOT_SIGNED\n") && !received.contains("smime=pass"), "{received}");
    assert!(!received.contains("multipart/signed"), "{received}");
    // There is no way past the doors of this machine.
    let relayed = house.send(house.ports[1], "eve@elsewhere.example", &["reader@example.net"], &forged);
    assert!(relayed.unwrap_err().contains("relay not permitted"));

    // A recipient who is put off waits; the others have the mail, once. It leaves when Exim would have it.
    let to = ["one@example.net", "later@example.net", "two@example.net"];
    house.submit("alice", &to, &mail(ALICE, "to three", "Good morning.\r\n")).unwrap();
    for to in ["one@example.net", "two@example.net"] {
        house.assert_confirmed(&house.arrived("to three", to));
    }
    house.wait_for_log("temporarily rejected RCPT <later@example.net>");
    assert_eq!(house.mails("to three", "later@example.net").len(), 0);
    fs::write(house.folder.path().join("open"), "").unwrap();
    house.assert_confirmed(&house.arrived("to three", "later@example.net"));
    for to in to {
        assert_eq!(house.mails("to three", to).len(), 1, "{to}");
    }

    // One that Exim refuses for good: its sender is told.
    house.submit("alice", &["nobody@example.net"], &mail(ALICE, "to nobody", "Good morning.\r\n")).unwrap();
    let report = house.arrived("to nobody", ALICE);
    assert!(report.contains("no such person") && report.contains("nobody@example.net"), "{report}");
}

#[test]
fn exim_is_the_next_hop_of_a_mail_program() {
    let Some(house) = House::start() else { return };
    let bank = house.bank();

    // What Exim says to a recipient is what the client hears, word for word.
    let mut client = Client::greet(house.up.door("SMTP", "outbound").port()).unwrap();
    client.expect('2', &format!("MAIL FROM:<{ALICE}>")).unwrap();
    for (local, reply) in [("a%b", "550"), ("nobody", "550"), ("later", "451"), ("reader", "250")] {
        let said = client.ask(&format!("RCPT TO:<{local}@example.net>")).unwrap();
        assert!(said.starts_with(reply), "{local}: {said}");
        let word = match local {
            "a%b" => "restricted characters",
            "nobody" => "no such person",
            "later" => "greylisted",
            _ => "",
        };
        assert!(said.contains(word), "{local}: {said}");
    }
    client.ask("QUIT").unwrap();
    // And to a whole mail.
    let refused = format!("X-Refuse: yes\r\n{}", mail("x@elsewhere.example", "refused", "Good morning.\r\n"));
    let said = house.by_us("x@elsewhere.example", &["reader@example.net"], &refused).unwrap_err();
    assert!(said.starts_with("550") && said.contains("refused by its text"), "{said}");

    // DSN goes with the mail: the report that was asked for comes, under its id.
    let asked = ["reader@example.net> NOTIFY=SUCCESS ORCPT=rfc822;first@example.net"];
    house
        .by_us(&format!("{ALICE}> RET=HDRS ENVID=QQ314"), &asked, &mail(ALICE, "report it", "Good morning.\r\n"))
        .unwrap();
    house.assert_confirmed(&house.arrived("report it", "reader@example.net"));
    let report = house.arrived("report it", ALICE);
    assert!(report.contains("Original-Envelope-ID: QQ314") && report.contains("Action: delivered"), "{report}");

    // 8-bit mail that is none of ours arrives byte for byte, by 8BITMIME; with 8-bit addresses by SMTPUTF8.
    let body = "Content-Transfer-Encoding: 8bit\r\n\r\nGr\u{fc}\u{df}e, \u{84dd}.\r\n.\r\n..x\r\n";
    let passes = format!(
        "From: x@elsewhere.example\r\nSubject: 8-bit\r\nDate: {}\r\nMessage-ID: <8@elsewhere.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n{body}",
        date()
    );
    house.by_us("x@elsewhere.example> BODY=8BITMIME", &["reader@example.net"], &passes).unwrap();
    let arrived = house.arrived("8-bit", "reader@example.net");
    assert!(arrived.replace('\n', "\r\n").ends_with(&passes), "{arrived}");
    let wide = passes.replace("Subject: 8-bit", "Subject: wide");
    house.by_us("x@elsewhere.example> BODY=8BITMIME SMTPUTF8", &["\u{82b1}@example.net"], &wide).unwrap();
    assert!(house.arrived("wide", "\u{82b1}@example.net").replace('\n', "\r\n").ends_with(&wide));

    // Encrypted for who has a certificate, in two copies where one is blind.
    let to = ["desk@bank.example.net", "blind@bank.example.net"];
    let text = mail(ALICE, "secret", "Good morning.\r\n").replace("bob@example.net", to[0]);
    house.by_us(ALICE, &to, &text).unwrap();
    for to in to {
        let sealed = house.arrived("[...]", to);
        assert!(!sealed.contains("Good morning") && !sealed.contains("Subject: secret"), "{sealed}");
        let opened = house.openssl_opens(&sealed, &bank);
        house.openssl(&opened).unwrap_or_else(|says| panic!("{says}\n{opened}"));
        house.assert_checked(&sealed, &["--cert", "bank.pem", "--key", "bank.key"]);
    }
    assert_eq!(house.mails("[...]", to[0]).len() + house.mails("[...]", to[1]).len(), 2);

    // A large one, whole.
    let large = format!("{}the end\r\n", "A line of the mail, as there are many of them.\r\n".repeat(60_000));
    house.by_us(ALICE, &["reader@example.net"], &mail(ALICE, "large", &large)).unwrap();
    let arrived = house.arrived("large", "reader@example.net");
    assert!(arrived.contains("\nthe end\n"));
    house.assert_confirmed(&arrived);
}

/// Exim and Kakitome, with one mailbox for everybody.
struct House {
    /// submission, port 25, and the two ways back
    ports: [u16; 4],
    openssl: PathBuf,
    exim: Exim,
    up: Instance,
    folder: tempfile::TempDir,
}

struct Exim(Child);

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl House {
    fn start() -> Option<Self> {
        let [program, openssl] = peers::programs(SUITE, ["exim4", "openssl"])?;
        let says = |arguments: &[&str]| Command::new("id").args(arguments).output().unwrap();
        if says(&["-u"]).stdout != b"0\n" {
            peers::skip(SUITE, "Exim takes a configuration of ours only from root");
            return None;
        }
        if !says(&[USER]).status.success() {
            peers::skip(SUITE, "there is no user called Debian-exim; ./test --install makes it");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        let ports @ [_, _, back, received] = free_ports();
        let page = block(PAGE, "toml");
        let settings = settings(
            &format!("next_hop = 'smtp://127.0.0.1:{back}'\n"),
            &format!(
                "[members]\ndomains = ['example.test']\nkey = 'p-256'\n{}",
                page.split_once("[inbound]").map(|(_, inbound)| format!("[inbound]{inbound}")).unwrap()
            )
            .replace("10027", &received.to_string())
            .replace("example.com", "example.test"),
        );
        let up = Instance::start(at, &settings);
        let doors = [up.door("LMTP", "outbound").port(), up.door("LMTP", "inbound").port()];
        for name in ["spool", "box"] {
            fs::create_dir(at.join(name)).unwrap();
            assert!(Command::new("chown").arg(USER).arg(at.join(name)).status().unwrap().success());
        }
        let configuration = at.join("exim.conf");
        fs::write(&configuration, Self::configuration(&program, at, ports, doors)).unwrap();
        // Every second it looks at what waits.
        let mut exim = peers::command(&program);
        exim.arg("-C").arg(&configuration).args(["-bdf", "-q1s"]);
        let log = fs::File::create(at.join("exim.out")).unwrap();
        exim.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let exim = Exim(exim.spawn().unwrap());
        let house = Self { ports, openssl, exim, up, folder };
        for port in ports {
            wait_for_port(port).unwrap_or_else(|error| panic!("{error}\n{}", house.log()));
        }
        Some(house)
    }

    /// The page's lines and, around them, a small site.
    fn configuration(program: &Path, at: &Path, ports: [u16; 4], doors: [u16; 2]) -> String {
        let [submission, smtp, back, received] = ports;
        let fitted = |name: &str| {
            block(PAGE, &format!("exim {name}"))
                .replace("0.0.0.0 ; ::0", "127.0.0.1")
                .replace("25 : 587", &format!("{smtp} : {submission}"))
                .replace("{587 : 465}", &format!("{{{submission} : 465}}"))
                .replace("{25}", &format!("{{{smtp}}}"))
                .replace("10024", &doors[0].to_string())
                .replace("10025", &doors[1].to_string())
                .replace("10026", &back.to_string())
                .replace("10027", &received.to_string())
                .replace("example.com", "example.test")
        };
        let (program, at) = (program.display(), at.display());
        let [main, rcpt, data, routers, transports] = ["main", "rcpt", "data", "routers", "transports"].map(fitted);
        // The recipients that this Exim has an opinion on are asked about where a next hop would be: at the way back.
        format!(
            "exim_path = {program}\nprimary_hostname = mx.example.test\nspool_directory = {at}/spool\n\
             log_file_path = {at}/spool/%slog\npid_file_path = {at}/spool/exim.pid\nkeep_environment =\nhost_lookup =\n\
             tls_advertise_hosts =\nacl_smtp_rcpt = rcpt\nacl_smtp_data = data\nsmtp_accept_max = 100\n{main}\
             begin acl\nrcpt:\n\
             \x20 deny local_parts = ^.*[@%!/|]\n       message = restricted characters\n\
             \x20 deny local_parts = nobody\n       condition = ${{if eq{{$received_port}}{{{back}}}}}\n       message = no such person\n\
             \x20 defer local_parts = later\n        condition = ${{if eq{{$received_port}}{{{back}}}}}\n\
             \x20       condition = ${{if !exists{{{at}/open}}}}\n        message = greylisted\n\
             {rcpt}\
             \x20 accept authenticated = *\n\
             \x20 accept domains = example.test\n\
             \x20 deny message = relay not permitted\n\
             data:\n\
             \x20 deny condition = ${{if eq{{$h_X-Refuse:}}{{yes}}}}\n       message = refused by its text\n\
             {data}\x20 accept\n\
             begin routers\n{routers}mailbox:\n  driver = accept\n  transport = mailbox\n\
             begin transports\n{transports}mailbox:\n  driver = appendfile\n  directory = {at}/box\n  maildir_format\n\
             \x20 user = {USER}\n  envelope_to_add\n\
             begin retry\n* * F,1h,1s\n\
             begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n\
             \x20 server_condition = yes\n  server_set_id = $auth2\n"
        )
    }

    /// Hands in a mail by submission.
    fn submit(&self, login: &str, to: &[&str], mail: &str) -> Result<(), String> {
        let (_, word) = LOGINS.into_iter().find(|(name, _)| *name == login).unwrap();
        let mut client = Client::greet(self.ports[0]).unwrap();
        client.expect('2', &format!("AUTH PLAIN {word}")).unwrap();
        answered(client, ALICE, to, mail)
    }

    /// Hands in a mail without a login.
    fn send(&self, port: u16, from: &str, to: &[&str], mail: &str) -> Result<(), String> {
        answered(Client::greet(port).unwrap(), from, to, mail)
    }

    /// The same by our own door.
    fn by_us(&self, from: &str, to: &[&str], mail: &str) -> Result<(), String> {
        self.send(self.up.door("SMTP", "outbound").port(), from, to, mail)
    }

    /// The mails in the mailbox with this in their text, for this recipient.
    fn mails(&self, words: &str, to: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("box/new")) else { return Vec::new() };
        let mails =
            entries.map(|entry| String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned());
        mails
            .filter(|mail| mail.contains(words) && mail.lines().any(|line| line == format!("Envelope-to: {to}")))
            .collect()
    }

    /// The first of them, once it is there.
    fn arrived(&self, words: &str, to: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(mail) = self.mails(words, to).pop() {
                return mail;
            }
            assert!(Instant::now() < end, "no mail for {to}\n{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn wait_for_log(&self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "nothing about {words:?}\n{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let running = self.exim.0.id();
        format!(
            "== Exim, process {running}\n{}{}== Kakitome\n{}",
            read("exim.out"),
            read("spool/mainlog"),
            self.up.log()
        )
    }

    /// A certificate of the bank, known to us.
    fn bank(&self) -> [PathBuf; 2] {
        let at = self.folder.path();
        let make = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=Bank -keyout bank.key -out bank.pem \
                    -addext subjectAltName=email:desk@bank.example.net -addext keyUsage=critical,keyEncipherment \
                    -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=emailProtection";
        let made = Command::new(&self.openssl).current_dir(at).args(make.split_whitespace()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let import = ["directory", "import", "--config", "kakitome.toml", "--for", "bank.example.net", "bank.pem"];
        let imported = run(at, &import);
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        ["bank.pem", "bank.key"].map(|name| at.join(name))
    }

    /// OpenSSL and Kakitome say that it is from Alice and was not changed.
    fn assert_confirmed(&self, mail: &str) {
        self.openssl(mail).unwrap_or_else(|says| panic!("{says}\n{mail}"));
        self.assert_checked(mail, &[]);
    }

    fn assert_checked(&self, mail: &str, keys: &[&str]) {
        fs::write(self.folder.path().join("mail.eml"), mail).unwrap();
        let said = run(self.folder.path(), &[&["check", "--require", "mailbox", "mail.eml"], keys].concat());
        assert!(said.status.success(), "{}\n{mail}", String::from_utf8_lossy(&said.stdout));
    }

    fn openssl(&self, mail: &str) -> Result<String, String> {
        let at = self.folder.path();
        fs::write(at.join("anchors.pem"), self.up.anchors()).unwrap();
        fs::write(at.join("verify.eml"), mail).unwrap();
        let verify = ["cms", "-verify", "-in", "verify.eml", "-CAfile", "anchors.pem"];
        let out = Command::new(&self.openssl).current_dir(at).args(verify).output().unwrap();
        if out.status.success() {
            Ok(String::from_utf8_lossy(&out.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&out.stderr).into_owned())
        }
    }

    fn openssl_opens(&self, mail: &str, [certificate, key]: &[PathBuf; 2]) -> String {
        let at = self.folder.path();
        fs::write(at.join("sealed.eml"), mail).unwrap();
        let mut open = Command::new(&self.openssl);
        open.current_dir(at)
            .args(["cms", "-decrypt", "-in", "sealed.eml", "-recip"])
            .arg(certificate)
            .arg("-inkey")
            .arg(key);
        let out = open.output().unwrap();
        assert!(out.status.success(), "{}\n{mail}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}

/// Hands in a mail; what was said where it was not taken.
fn answered(mut client: Client, from: &str, to: &[&str], mail: &str) -> Result<(), String> {
    let said = client.send(from, to, mail.as_bytes()).map_err(|error| error.to_string())?;
    client.ask("QUIT").unwrap();
    if said.starts_with('2') { Ok(()) } else { Err(said) }
}
