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
use kakitome_testkit::wait_for_port;

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
    pub(super) filter: u16,
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
    pub(super) fn prepare(&self, page: &str, next_hop: u16, web: u16) -> anyhow::Result<()> {
        let page = page.replace("10026", &next_hop.to_string()).replace("example.com", "example.test");
        let filter = self.filter;
        let text = format!(
            "{page}listeners = [{{ protocol = \"lmtp\", address = \"127.0.0.1:{filter}\", direction = \"outbound\" }}]\n\
             \n[web]\naddress = \"127.0.0.1:{web}\"\n\n[policy]\nmixed = true\n\n[fetch]\nenabled = false\n"
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

    /// Waits until it takes mail.
    pub(super) fn ready(&self) -> anyhow::Result<()> {
        wait_for_port(self.filter).map_err(|error| anyhow!(error))
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
