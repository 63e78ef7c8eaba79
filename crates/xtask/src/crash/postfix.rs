//! A private Postfix, made of the lines of docs/postfix.md: in front of Kakitome and behind it.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kakitome_testkit::POSTFIX_SERVICES;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The ports around it.
pub(crate) struct Ports {
    pub(crate) submission: u16,
    pub(crate) filter: u16,
    pub(crate) reinject: u16,
    pub(crate) world: u16,
}

pub(crate) struct Postfix {
    folder: PathBuf,
    master: Child,
}

impl Postfix {
    /// `page` is docs/postfix.md; `house` a folder of its own.
    pub(crate) fn start(page: &str, house: &Path, ports: &Ports) -> anyhow::Result<Self> {
        Self::start_with(page, house, ports, "", "")
    }

    /// The same with more lines of main.cf and more services in master.cf.
    pub(crate) fn start_with(
        page: &str,
        house: &Path,
        ports: &Ports,
        main: &str,
        services: &str,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(house)?;
        // its daemons run as another user and have to walk through
        fs::set_permissions(house, fs::Permissions::from_mode(0o755))?;
        for name in ["etc", "queue", "postfix-data", "log"] {
            fs::create_dir_all(house.join(name))?;
        }
        for name in ["postfix-data", "log"] {
            ensure!(Command::new("chown").arg("postfix").arg(house.join(name)).status()?.success(), "chown {name}");
        }
        let fitted = |name: &str| -> anyhow::Result<String> {
            Ok(block(page, name)?
                .replace("10024", &ports.filter.to_string())
                .replace("10026", &ports.reinject.to_string())
                .replace("example.com", "example.test"))
        };
        let folder = house.join("etc");
        let (at, world, page_lines) = (house.display(), ports.world, fitted("main.cf")?);
        // It tries again at once, and gives up waiting for Kakitome early: the run shall be short.
        fs::write(
            folder.join("main.cf"),
            format!(
                "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/postfix-data\n\
                 maillog_file = {at}/log/mail.log\nmaillog_file_prefixes = {at}\n\
                 myhostname = mail.example.test\nmydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
                 mynetworks = 127.0.0.0/8\nalias_maps =\nalias_database =\nrelayhost = [127.0.0.1]:{world}\n\
                 smtp_tls_security_level = none\nnotify_classes =\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n\
                 queue_run_delay = 1s\nlmtp_data_done_timeout = 3s\n{main}{page_lines}"
            ),
        )?;
        fs::write(
            folder.join("master.cf"),
            format!(
                "{POSTFIX_SERVICES}127.0.0.1:{} inet n - n - - smtpd\n{}{}{services}",
                ports.submission,
                fitted("master.cf submission")?,
                fitted("master.cf services")?
            ),
        )?;
        let check = Command::new("postfix").arg("-c").arg(&folder).arg("check").output()?;
        ensure!(check.status.success(), "postfix check: {}", String::from_utf8_lossy(&check.stderr));
        let quiet = Stdio::null;
        let master = Command::new("postfix")
            .arg("-c")
            .arg(&folder)
            .arg("start-fg")
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet())
            .spawn()?;
        let server = Self { folder, master };
        for port in [ports.submission, ports.reinject] {
            wait_for_port(port).with_context(|| server.log_end())?;
        }
        Ok(server)
    }

    /// Is nothing left in its queue?
    pub(crate) fn is_empty(&self) -> anyhow::Result<bool> {
        let list = Command::new("postqueue").arg("-c").arg(&self.folder).arg("-p").output()?;
        Ok(String::from_utf8_lossy(&list.stdout).contains("queue is empty"))
    }

    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        let flushed = Command::new("postqueue").arg("-c").arg(&self.folder).arg("-f").status()?;
        ensure!(flushed.success(), "postqueue -f");
        Ok(())
    }

    /// Its first process.
    pub(crate) fn process(&self) -> u32 {
        self.master.id()
    }

    /// The end of its log.
    pub(crate) fn log_end(&self) -> String {
        let log = fs::read(self.folder.join("../log/mail.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // SIGKILL to the master alone would leave its daemons behind
        let abort = Command::new("postfix")
            .arg("-c")
            .arg(&self.folder)
            .arg("abort")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let end = Instant::now() + PATIENCE;
        while abort.is_ok() && Instant::now() < end && matches!(self.master.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}

/// The fenced block of the page that is called `name`.
pub(crate) fn block(page: &str, name: &str) -> anyhow::Result<String> {
    let opening = format!("\n```{name}\n");
    let (_, rest) = page.split_once(&opening).with_context(|| format!("docs/postfix.md has no block {name:?}"))?;
    Ok(rest.split("```").next().unwrap_or_default().to_owned())
}

pub(crate) fn wait_for_port(port: u16) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(Instant::now() < end, "nothing listens on port {port}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
