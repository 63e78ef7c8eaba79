//! docs/store.md, done as it stands there: its commands are run, its settings are used, at a real PostgreSQL over TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use instance::{Instance, mail, settings};
use kakitome_office::spool::{FileOctets, SpoolDirectory};
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::pem;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_testkit::{CertificateFactory, PostgresqlServer, key, write};

const DOCUMENT: &str = include_str!("../../../docs/store.md");
const HOST: &str = "db.example.com";
const PASSWORD: &str = "0pen-sesame";
const MEMBER: &str = "alice@example.test";
const DAY: i64 = 24 * 60 * 60;

/// The blocks of the document in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = DOCUMENT.split(&fence).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A server whose certificate is by a CA of the house, which lies in `home`.
fn server(home: &Path) -> Option<PostgresqlServer> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = Time::from_unix(i64::try_from(now).unwrap());
    let dates = (now.plus(-DAY), now.plus(30 * DAY));
    let ca = CertificateFactory::authority("database CA").valid(dates.0, dates.1).self_signed("database CA");
    let server = CertificateFactory::new(&[(oid::COMMON_NAME, HOST)], "database server");
    let server = server.names(&[write::dns(HOST)]).valid(dates.0, dates.1).issued_by(&ca);
    fs::write(home.join("db-ca.pem"), pem::write("CERTIFICATE", ca.certificate.raw())).unwrap();
    let key = pem::write("PRIVATE KEY", &key("database server").to_pkcs8().unwrap());
    PostgresqlServer::start_over_tls("docs/store.md", &pem::write("CERTIFICATE", server.raw()), &key, "another")
}

/// A machine on which the document is followed.
struct Machine<'a> {
    home: &'a Path,
    server: &'a PostgresqlServer,
    up: Option<Instance>,
    settings: String,
}

impl Machine<'_> {
    /// What stands in the document, with the places of this machine. The user that Kakitome comes in as is called `office`,
    /// since the server's first one is called `kakitome` here.
    fn here(&self, text: &str) -> String {
        let home = self.home.display();
        text.replace("?sslrootcert=/etc/kakitome/db-ca.pem", "")
            .replace("/etc/kakitome", &home.to_string())
            .replace("--pwprompt kakitome", "--pwprompt office")
            .replace("--owner=kakitome", "--owner=office")
            .replace("postgresql://kakitome@", "postgresql://office@")
            .replace(
                &format!("{HOST}/kakitome"),
                &format!(
                    "{HOST}/kakitome?hostaddr={}&sslmode=verify-full&sslrootcert={home}/db-ca.pem",
                    self.server.address()
                ),
            )
    }

    /// Runs a block of commands, line by line.
    fn follow(&mut self, block: &str) {
        for line in block.lines() {
            match line {
                "systemctl stop kakitome" => {
                    let mut up = self.up.take().unwrap();
                    up.terminate();
                    assert!(up.wait().success());
                }
                "systemctl start kakitome" => self.up = Some(Instance::start(self.home, &self.settings)),
                "# now set store.url and store.password_file" => {
                    let section = blocks("toml").into_iter().find(|block| block.contains("password_file")).unwrap();
                    self.settings.push_str(&self.here(section));
                    fs::write(self.home.join("kakitome.toml"), &self.settings).unwrap();
                }
                line => drop(self.run(&self.here(line))),
            }
        }
    }

    /// Runs one command, as a shell does.
    fn run(&self, line: &str) -> String {
        // In quotes, as every shell but this document's reader needs it: `?` and `&` mean something to it.
        let line: Vec<String> = line
            .split(' ')
            .map(|word| if word.contains('&') { format!("'{word}'") } else { word.to_owned() })
            .collect();
        let mut path = self.home.join("bin").into_os_string();
        path.push(":");
        path.push(self.server.programs());
        path.push(":/usr/bin:/bin");
        let mut shell = Command::new("/bin/sh")
            .args(["-ec", &line.join(" ")])
            .current_dir(self.home)
            .env_clear()
            .env("PATH", path)
            .env("PGHOST", self.server.socket())
            .env("PGUSER", "kakitome")
            .env("KAKITOME_CONFIG", self.home.join("kakitome.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // `createuser` asks twice; whoever asks nothing may be gone already.
        shell.stdin.take().unwrap().write_all(format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).ok();
        let output = shell.wait_with_output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{line:?}: {said}");
        said
    }

    /// Sends a mail; the serial number of the certificate that signed it.
    fn signed_by(&self, subject: &str) -> String {
        let up = self.up.as_ref().unwrap();
        let (_, signed) = up.submit(MEMBER, mail(MEMBER, subject, "Hello.\r\n").as_bytes());
        let file = self.home.join("signed.eml");
        fs::write(&file, signed).unwrap();
        let spools = SpoolDirectory::new(self.home.join("spool")).unwrap();
        let opened = open(&FileOctets::open(&file).unwrap(), &spools, &NoKeys).unwrap();
        let Layer::Signed(layer) = opened.layer else { panic!("not signed") };
        layer.outcome.verified.unwrap().signer().serial_hex()
    }
}

#[test]
fn what_the_document_says_can_be_done_as_it_stands() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let Some(server) = server(home) else { return };
    fs::create_dir(home.join("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_kakitome"), home.join("bin/kakitome")).unwrap();
    // Away from the terminal of whoever runs this, which it would ask.
    let createuser = server.programs().join("createuser");
    fs::write(home.join("bin/createuser"), format!("#!/bin/sh\nexec setsid -w {} \"$@\"\n", createuser.display()))
        .unwrap();
    fs::set_permissions(home.join("bin/createuser"), Permissions::from_mode(0o700)).unwrap();
    fs::write(home.join("database.password"), format!("{PASSWORD}\n")).unwrap();
    let mut machine =
        Machine { home, server: &server, up: None, settings: settings("", "[members]\nkey = \"p-256\"\n") };
    machine.follow("systemctl start kakitome");
    let before = machine.signed_by("in SQLite");

    let commands = blocks("sh");
    assert_eq!(commands.len(), 3, "the document has another block of commands: it is to be tried here, too");
    machine.follow(commands[0]);
    machine.run("kakitome audit verify --data ./restored");
    machine.follow(commands[1]);
    machine.follow(commands[2]);
    // The same certificate signs, out of PostgreSQL now, and the log goes on.
    assert_eq!(machine.signed_by("in PostgreSQL"), before);
    let shown = machine.run("kakitome store show");
    assert!(shown.contains("PostgreSQL") && shown.contains(HOST) && !shown.contains(PASSWORD), "{shown}");
    machine.run("kakitome audit verify");
    // And the way back.
    machine.follow("systemctl stop kakitome");
    machine.run("kakitome store copy --to ./back-again");
    machine.run("kakitome audit verify --data ./back-again");
    machine.settings = settings("", "[members]\nkey = \"p-256\"\n");
    fs::copy(home.join("kakitome-data/sealing.key"), home.join("back-again/sealing.key")).unwrap();
    fs::rename(home.join("kakitome-data"), home.join("gone")).unwrap();
    fs::rename(home.join("back-again"), home.join("kakitome-data")).unwrap();
    machine.follow("systemctl start kakitome");
    assert_eq!(machine.signed_by("in SQLite again"), before);
}
