//! `kakitome up`, started again and again on one data directory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, anyhow, ensure};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_smime::cms::recipient::Holder;
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::wait_for_port;

use super::sink::MEMBER;

/// With little room no file may grow beyond this, in blocks of 512 bytes: mails that go to the spool's files find no
/// place, nor does the journal after a while.
const LITTLE_ROOM: u32 = 100;

/// What is odd about a start.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Oddity {
    None,
    /// The disk is full: no file may grow beyond some kB.
    Full,
    /// The clock stands so many hours beside (by `faketime`).
    Clock(i32),
}

/// How often each action stands in the log, by its name there.
pub(super) type Actions = Arc<Mutex<BTreeMap<String, usize>>>;

pub(super) struct Gateway {
    process: Child,
    reader: Option<JoinHandle<()>>,
}

/// Where and how it is started.
pub(super) struct Place {
    pub(super) program: PathBuf,
    pub(super) house: PathBuf,
    /// The doors of what leaves and of what was received.
    pub(super) doors: [u16; 2],
    pub(super) actions: Actions,
    /// The library that makes a clock jump, if it is here.
    pub(super) clock: Option<String>,
}

/// Where `faketime` has its library.
pub(super) fn clock() -> Option<String> {
    let said = Command::new("faketime").args(["-f", "+0h", "printenv", "LD_PRELOAD"]).output().ok()?;
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

impl Place {
    /// Writes the settings: those of docs/postfix.md, with the ports of this run.
    pub(super) fn prepare(&self, page: [&str; 2], next_hops: &[u16], web: u16) -> anyhow::Result<()> {
        let fitted = |page: &str| {
            let page = page.replace("10026", &next_hops[0].to_string()).replace("10027", &next_hops[1].to_string());
            page.replace("example.com", "example.test")
        };
        let ([page, received], [out, in_]) = (page.map(fitted), self.doors);
        let text = format!(
            "{page}listeners = [\
             {{ protocol = \"lmtp\", address = \"127.0.0.1:{out}\", direction = \"outbound\" }},\
             {{ protocol = \"lmtp\", address = \"127.0.0.1:{in_}\", direction = \"inbound\" }}]\n\
             \n{received}\n[web]\naddress = \"127.0.0.1:{web}\"\n\n[policy]\nmixed = true\n\n[fetch]\nenabled = false\n"
        );
        // Signing with P-256 is quick also in a program that is not optimised.
        let text = text.replacen("[members]\n", "[members]\nkey = \"p-256\"\n", 1);
        fs::write(self.house.join("kakitome.toml"), text).context("the settings")
    }

    pub(super) fn start(&self, oddity: Oddity) -> anyhow::Result<Gateway> {
        let mut command = match oddity {
            Oddity::None => Command::new(&self.program),
            Oddity::Full => {
                let mut shell = Command::new("sh");
                let script = format!("trap '' XFSZ; ulimit -f {LITTLE_ROOM}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script]).arg(&self.program);
                shell
            }
            // Not through `faketime` itself, which stays between us and the process that is to be killed.
            Oddity::Clock(hours) => {
                let mut faked = Command::new(&self.program);
                let library = self.clock.as_ref().context("there is no libfaketime")?;
                faked.env("LD_PRELOAD", library).env("FAKETIME", format!("{hours:+}h"));
                faked.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
                faked
            }
        };
        let at = |name: &str| -> PathBuf { Path::join(&self.house, name) };
        command.arg("--quiet").arg("up").arg("--data").arg(at("data")).arg("--config").arg(at("kakitome.toml"));
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("kakitome")?;
        let log = process.stderr.take().context("no log")?;
        let actions = Arc::clone(&self.actions);
        let reader = thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let mut actions = actions.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(action) = line.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                    *actions.entry(action.to_owned()).or_default() += 1;
                } else if line.contains("ERROR") {
                    *actions.entry("errors".to_owned()).or_default() += 1;
                }
                if line.contains("panic") || line.contains("bug") {
                    *actions.entry(format!("bug: {line}")).or_default() += 1;
                }
            }
        });
        Ok(Gateway { process, reader: Some(reader) })
    }

    /// Puts the certificate for everybody at this domain into the directory.
    pub(super) fn enter(&self, domain: &str, certificate: &Certificate) -> anyhow::Result<()> {
        let file = self.house.join("reader.pem");
        fs::write(&file, pem::write("CERTIFICATE", certificate.raw()))?;
        let mut command = Command::new(&self.program);
        command.arg("--quiet").args(["directory", "import", "--for", domain]).arg(&file);
        command.arg("--data").arg(self.house.join("data")).arg("--config").arg(self.house.join("kakitome.toml"));
        let said = command.output().context("kakitome directory import")?;
        ensure!(said.status.success(), "directory import: {}", String::from_utf8_lossy(&said.stderr));
        Ok(())
    }

    /// Writes the member's certificate and key as files.
    pub(super) fn member(&self, holder: &Holder) -> anyhow::Result<()> {
        let at = |name: &str| self.house.join(name);
        fs::write(at("member.pem"), pem::write("CERTIFICATE", holder.certificate.raw()))?;
        fs::write(at("member.key"), pem::write("EC PRIVATE KEY", &Takes::P256.key_der(MEMBER)))?;
        fs::write(at("password"), "secret\n")?;
        self.run(&["cert", "export", "--cert", "member.pem", "--key", "member.key", "-o", "member.p12"], true)
    }

    /// Gives the member's key to the vault.
    pub(super) fn import_member(&self) -> anyhow::Result<()> {
        self.run(&["cert", "import", "member.p12", "--data", "data", "--config", "kakitome.toml"], true)
    }

    /// A mail as somebody outside seals it to the member.
    pub(super) fn seal(&self, mail: &[u8]) -> anyhow::Result<Vec<u8>> {
        fs::write(self.house.join("clear.eml"), mail)?;
        self.run(&["encrypt", "--to", "member.pem", "-o", "sealed.eml", "clear.eml"], false)?;
        Ok(fs::read(self.house.join("sealed.eml"))?)
    }

    fn run(&self, arguments: &[&str], with_password: bool) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.house).arg("--quiet").args(arguments);
        if with_password {
            command.args(["--password-file", "password"]);
        }
        let said = command.output().context("kakitome")?;
        ensure!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
        Ok(())
    }

    /// Waits until it takes mail.
    pub(super) fn ready(&self) -> anyhow::Result<()> {
        self.doors.into_iter().try_for_each(wait_for_port).map_err(|error| anyhow!(error))
    }
}

impl Gateway {
    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end();
    }
}
