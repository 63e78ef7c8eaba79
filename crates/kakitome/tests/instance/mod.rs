//! `kakitome up` as its user has it: a process in a directory of its own, and the plain SMTP client in front of it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kakitome_testkit::smtp::on_the_wire;

/// How long anything may take: a start, a delivery, a stop.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The program, as a command that runs in `folder` and takes nothing from this process's environment.
pub(crate) fn kakitome(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kakitome"));
    command.current_dir(folder).env_clear().env("KAKITOME_FETCH_ENABLED", "false").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    kakitome(folder).args(arguments).output().unwrap()
}

/// Settings on free ports: lines for `[gateway]`, then whole other sections.
pub(crate) fn settings(gateway: &str, others: &str) -> String {
    let door = |protocol, direction| {
        format!("{{ protocol = \"{protocol}\", address = \"127.0.0.1:0\", direction = \"{direction}\" }}")
    };
    let doors = [door("smtp", "outbound"), door("lmtp", "outbound"), door("lmtp", "inbound")].join(", ");
    format!("[gateway]\nlisteners = [{doors}]\n{gateway}\n[web]\naddress = \"127.0.0.1:0\"\n{others}\n")
}

/// A running instance. Dropped, it is killed.
pub(crate) struct Instance {
    folder: PathBuf,
    log: PathBuf,
    process: Child,
}

impl Instance {
    /// Starts it in `folder`, with the data in the default place under it, and waits until it says that it is up.
    pub(crate) fn start(folder: &Path, settings: &str) -> Self {
        let instance = Self::spawn(folder, settings);
        instance.wait_until_up()
    }

    /// Starts it and does not wait.
    pub(crate) fn spawn(folder: &Path, settings: &str) -> Self {
        Self::spawn_with(folder, settings, &[])
    }

    /// The same with more environment.
    pub(crate) fn spawn_with(folder: &Path, settings: &str, environment: &[(&str, &str)]) -> Self {
        fs::write(folder.join("kakitome.toml"), settings).unwrap();
        let log = folder.join("up.log");
        let out = File::create(&log).unwrap();
        let process = kakitome(folder)
            .args(["up", "--config", "kakitome.toml"])
            .envs(environment.iter().copied())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Self { folder: folder.to_owned(), log, process }
    }

    pub(crate) fn wait_until_up(mut self) -> Self {
        let end = Instant::now() + PATIENCE;
        // the last words of the greeting
        while !self.log().contains("in the README.") {
            if let Some(ended) = self.process.try_wait().unwrap() {
                panic!("up ended with {ended}:\n{}", self.log());
            }
            assert!(Instant::now() < end, "up does not come up:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
        self
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("kakitome-data")
    }

    pub(crate) fn maildir(&self) -> PathBuf {
        self.data().join("Maildir")
    }

    /// What it printed since this start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The one log line about the mail that was answered with `reply`.
    pub(crate) fn log_of(&self, reply: &str) -> String {
        let text = reply.trim_start_matches("250 ").trim().to_owned();
        let end = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(&text)) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "no line about {text:?} in\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The address of the door that the greeting prints with these words, such as `SMTP` and `outbound`.
    pub(crate) fn door(&self, protocol: &str, direction: &str) -> SocketAddr {
        let log = self.log();
        let found = log.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words.len() > 2 && words[0] == protocol && words[2] == direction).then(|| words[1].parse().unwrap())
        });
        found.unwrap_or_else(|| panic!("no {direction} {protocol} in\n{log}"))
    }

    /// The address of the check page.
    pub(crate) fn page(&self) -> SocketAddr {
        let log = self.log();
        let (_, rest) = log.split_once("check page  http://").unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    /// Gives it a mail by the SMTP door; says the reply after the final dot and, where it is 250, what stands in the
    /// Maildir.
    pub(crate) fn submit(&self, sender: &str, mail: &[u8]) -> (String, Vec<u8>) {
        self.hand_in("SMTP", "outbound", sender, mail)
    }

    /// The same by any door.
    pub(crate) fn hand_in(&self, protocol: &str, direction: &str, sender: &str, mail: &[u8]) -> (String, Vec<u8>) {
        let mut client = Client::connect(self.door(protocol, direction)).unwrap();
        client.greet(protocol).unwrap();
        let reply = client.send(sender, mail).unwrap();
        client.ask("QUIT").unwrap();
        let stored = stored(&reply).unwrap_or_else(|| panic!("answered with {reply}\n{}", self.log()));
        let bytes = fs::read(self.maildir().join("new").join(stored)).unwrap();
        (reply, bytes)
    }

    /// The names of the mails in a part of the Maildir.
    pub(crate) fn mails(&self, part: &str) -> Vec<PathBuf> {
        let mut names: Vec<PathBuf> =
            fs::read_dir(self.maildir().join(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    }

    /// The anchors of its own CA in PEM, as `ca show --pem` prints them.
    pub(crate) fn anchors(&self) -> Vec<u8> {
        let show = run(&self.folder, &["ca", "show", "--pem"]);
        assert!(show.status.success(), "ca show: {}", String::from_utf8_lossy(&show.stderr));
        show.stdout
    }

    /// The most memory that the process ever held, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        peak_kib(self.process.id()).unwrap()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "up does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The peak of a process's memory in KiB; `None` when it is gone.
pub(crate) fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The name under `new` in a reply of the Maildir.
pub(crate) fn stored(reply: &str) -> Option<&str> {
    reply.strip_prefix("250 2.0.0 stored as ").map(str::trim_end)
}

/// A mail client.
pub(crate) struct Client {
    out: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let out = TcpStream::connect(address)?;
        out.set_read_timeout(Some(PATIENCE))?;
        out.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { lines: BufReader::new(out.try_clone()?), out })
    }

    pub(crate) fn greet(&mut self, protocol: &str) -> io::Result<()> {
        self.reply()?;
        self.ask(if protocol == "LMTP" { "LHLO client.test" } else { "EHLO client.test" })?;
        Ok(())
    }

    /// The last line of the next reply.
    pub(crate) fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return Ok(line);
            }
        }
    }

    pub(crate) fn ask(&mut self, command: &str) -> io::Result<String> {
        self.write(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// The envelope, to the point where the mail itself is asked for.
    pub(crate) fn begin(&mut self, sender: &str) -> io::Result<()> {
        for command in [&format!("MAIL FROM:<{sender}>"), "RCPT TO:<bob@example.net>", "DATA"] {
            let reply = self.ask(command)?;
            if !reply.starts_with(['2', '3']) {
                return Err(io::Error::other(format!("{command}: {reply}")));
            }
        }
        Ok(())
    }

    /// A whole mail; the reply after the final dot.
    pub(crate) fn send(&mut self, sender: &str, mail: &[u8]) -> io::Result<String> {
        self.begin(sender)?;
        self.write(&on_the_wire(mail))?;
        self.reply()
    }
}

/// One request to the check page; the status and the body of the reply.
pub(crate) fn http(page: SocketAddr, head: &str, body: &[&[u8]]) -> (u16, String) {
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length: usize = body.iter().map(|piece| piece.len()).sum();
    write!(stream, "{head}\r\nHost: {page}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n").unwrap();
    for piece in body {
        stream.write_all(piece).unwrap();
    }
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Sends a mail to the check page as a browser sends the form.
pub(crate) fn drop_on_page(page: SocketAddr, query: &str, mail: &[u8]) -> (u16, String) {
    let head = format!("POST /check?{query} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=form");
    let field = b"--form\r\nContent-Disposition: form-data; name=\"mail\"; filename=\"a.eml\"\r\n\
        Content-Type: message/rfc822\r\n\r\n";
    let rest = b"\r\n--form\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\n\r\n--form--\r\n";
    http(page, &head, &[field, mail, rest])
}

/// The time as a mail's Date has it, from the system: a Date far from now changes what is signed.
pub(crate) fn date() -> String {
    let date = Command::new("date").args(["-u", "+%a, %d %b %Y %H:%M:%S +0000"]).env("LC_ALL", "C").output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

/// A plain mail.
pub(crate) fn mail(from: &str, subject: &str, body: &str) -> String {
    format!(
        "From: {from}\r\nTo: bob@example.net\r\nSubject: {subject}\r\nDate: {}\r\n\
         Message-ID: <{}@client.test>\r\n\r\n{body}",
        date(),
        subject.replace(' ', "-")
    )
}
