//! A private Postfix: a folder of its own, its lines, its queue. Only root can start one.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a start, a stop or a word in the queue may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The services that every Postfix has, without chroot: lines of its master.cf.
const SERVICES: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// A running Postfix; it ends with this value.
pub struct Postfix {
    etc: PathBuf,
    master: Child,
}

impl Postfix {
    /// Why none can be started here.
    pub fn cannot_start() -> Option<&'static str> {
        let says = |command: &mut Command| command.stderr(Stdio::null()).output().ok();
        if says(program("postconf").arg("-d")).is_none_or(|out| !out.status.success()) {
            return Some("Postfix is not installed");
        }
        if says(Command::new("id").arg("-u")).is_none_or(|out| out.stdout != b"0\n") {
            return Some("Postfix starts only as root");
        }
        let user = says(Command::new("id").arg("postfix"));
        user.is_none_or(|out| !out.status.success()).then_some("there is no user called postfix")
    }

    /// Starts one in `house`, a folder of its own, and waits until it listens on all of `ports`. `main` is added to its
    /// main.cf, `services` to its master.cf.
    ///
    /// # Errors
    /// What Postfix objects to.
    pub fn start(house: &Path, main: &str, services: &str, ports: &[u16]) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("Postfix in {}: {error}", house.display());
        fs::create_dir_all(house).map_err(failed)?;
        // Its daemons run as another user and have to walk through.
        fs::set_permissions(house, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        for name in ["etc", "queue", "postfix-data", "log"] {
            fs::create_dir_all(house.join(name)).map_err(failed)?;
        }
        for name in ["postfix-data", "log"] {
            Command::new("chown").arg("postfix").arg(house.join(name)).status().map_err(failed)?;
        }
        let (etc, at) = (house.join("etc"), house.display());
        // The distribution's own `daemon_directory` and the like are Postfix's defaults.
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/postfix-data\n\
             maillog_file = {at}/log/mail.log\nmaillog_file_prefixes = {at}\nmyhostname = mail.example.test\n\
             mydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nalias_maps =\n\
             alias_database =\nsmtp_tls_security_level = none\nlmtp_host_lookup = native\n{main}"
        );
        fs::write(etc.join("main.cf"), main).map_err(failed)?;
        fs::write(etc.join("master.cf"), format!("{SERVICES}{services}")).map_err(failed)?;
        let check = program("postfix").arg("-c").arg(&etc).arg("check").output().map_err(failed)?;
        if !check.status.success() {
            return Err(format!("postfix check: {}", String::from_utf8_lossy(&check.stderr)));
        }
        let mut master = program("postfix");
        master.arg("-c").arg(&etc).arg("start-fg").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { master: master.spawn().map_err(failed)?, etc };
        for port in ports {
            wait_for_port(*port).map_err(|error| format!("{error}\n{}", server.log()))?;
        }
        Ok(server)
    }

    /// Its first process.
    pub fn process(&self) -> u32 {
        self.master.id()
    }

    /// Its log.
    pub fn log(&self) -> String {
        let log = fs::read(self.etc.join("../log/mail.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The end of its log.
    pub fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// What `postqueue -p` prints.
    pub fn queue(&self) -> String {
        let list = program("postqueue").arg("-c").arg(&self.etc).arg("-p").output();
        list.map_or_else(|error| error.to_string(), |list| String::from_utf8_lossy(&list.stdout).into_owned())
    }

    /// Is nothing left in its queue?
    pub fn is_empty(&self) -> bool {
        self.queue().contains("queue is empty")
    }

    /// Waits until this stands in the queue's list.
    ///
    /// # Panics
    /// It does not come to stand there.
    pub fn wait_for_queue(&self, word: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.queue().contains(word) {
            assert!(Instant::now() < end, "{word:?} is not in the queue:\n{}\n{}", self.queue(), self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Makes it try again now.
    pub fn flush(&self) {
        let _ = program("postqueue").arg("-c").arg(&self.etc).arg("-f").status();
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // SIGKILL to the master alone would leave its daemons behind.
        let mut abort = program("postfix");
        let abort = abort.arg("-c").arg(&self.etc).arg("abort").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let end = Instant::now() + PATIENCE;
        while abort.is_ok() && Instant::now() < end && matches!(self.master.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}

/// One of Postfix's programs, which are not on everybody's `PATH`.
fn program(name: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
    command
}

/// Waits until something listens there, on 127.0.0.1.
///
/// # Errors
/// Nothing does in the end.
pub fn wait_for_port(port: u16) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end {
            return Err(format!("nothing listens on port {port}"));
        }
        thread::sleep(Duration::from_millis(30));
    }
    Ok(())
}

/// The fenced block of a page of our documentation that is called `name`.
///
/// # Panics
/// The page has none.
pub fn block(page: &str, name: &str) -> String {
    let opening = format!("\n```{name}\n");
    let (_, rest) = page.split_once(&opening).unwrap_or_else(|| panic!("the page has no block {name:?}"));
    rest.split("```").next().unwrap_or_default().to_owned()
}
