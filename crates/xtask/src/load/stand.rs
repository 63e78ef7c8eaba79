//! Everything that stands while it is measured: one Postfix with a door for each way, the filters, the world.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use kakitome_testkit::smtp::free_ports;
use kakitome_testkit::{Postfix, wait_for_port};

use super::cost::{Cost, Meter, peak};
use super::sink::Sink;
use super::{CLIENTS, pass};
use crate::crash::postfix::{self, Ports};

/// How long one way may take for its mails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Postfix brakes clients whose mail comes faster than it leaves, by a second for each; then all that is measured is that
/// second.
const MAIN: &str = "in_flow_delay = 0\nlmtp_data_done_timeout = 600s\n";
/// How often the sink is asked.
const LOOK: Duration = Duration::from_millis(2);
/// The size of the mails, in bytes.
const SIZE: usize = 5000;

/// One way through.
pub(super) struct Way {
    pub(super) name: &'static str,
    /// Postfix's door for it.
    door: u16,
    /// The filter, if it is a process of its own.
    filter: Option<Filter>,
}

/// A Kakitome.
pub(super) struct Filter {
    process: Child,
    port: u16,
}

impl Drop for Filter {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) struct Stand {
    pub(super) ways: Vec<Way>,
    house: PathBuf,
    program: PathBuf,
    sink: Sink,
    mail: PathBuf,
    postfix: Postfix,
}

impl Stand {
    pub(super) fn build(root: &Path) -> anyhow::Result<Self> {
        let build = ["build", "--release", "--quiet", "--locked", "--package", "kakitome"];
        ensure!(Command::new("cargo").args(build).status()?.success(), "kakitome does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let program = target.join("release/kakitome");
        let house = target.join(format!("load-{}", std::process::id()));
        fs::create_dir_all(&house)?;
        let page = fs::read_to_string(root.join("docs/postfix.md"))?;
        let sink = Sink::start()?;
        let [submission, reinject, bare, passing, untouched, rsa] = free_ports();
        let filter = |name: &str, settings: &str| Filter::start(&program, &house.join(name), reinject, settings);
        let [signs, signs_rsa, passes] = [
            filter("p256", "[members]\nkey = 'p-256'\n")?,
            filter("rsa", "[members]\nkey = 'rsa-2048'\n")?,
            filter("pass", "[gateway]\nmode = 'pass'\n")?,
        ];
        let scan = pass::start(reinject)?;
        let door = |port: u16, filter: String| {
            let filter = if filter.is_empty() { filter } else { format!("  -o content_filter={filter}\n") };
            format!("127.0.0.1:{port} inet n - n - - smtpd\n{filter}")
        };
        let services = format!(
            "{}{}{}{}scan unix - - n - 20 smtp\n  -o smtp_send_xforward_command=yes\n",
            door(bare, String::new()),
            door(passing, format!("scan:[127.0.0.1]:{scan}")),
            door(untouched, format!("kakitome:inet:127.0.0.1:{}", passes.port)),
            door(rsa, format!("kakitome:inet:127.0.0.1:{}", signs_rsa.port)),
        );
        // The page's own submission service leads to the one that signs with P-256.
        let all = Ports { submission, filter: signs.port, reinject, world: sink.port };
        let postfix = postfix::start(&page, &house.join("postfix"), &all, MAIN, &services)?;
        let way = |name, door, filter| Way { name, door, filter };
        let ways = vec![
            way("Postfix alone", bare, None),
            way("a filter that only passes", passing, None),
            way("Kakitome, passing", untouched, Some(passes)),
            way("Kakitome, signing with P-256", submission, Some(signs)),
            way("Kakitome, signing with RSA-2048", rsa, Some(signs_rsa)),
        ];
        let mail = house.join("mail.eml");
        fs::write(&mail, letter(SIZE)?)?;
        Ok(Self { ways, house, program, sink, mail, postfix })
    }

    /// Sends mails one way and waits until the world has them.
    pub(super) fn send(&self, way: &Way, mails: usize) -> anyhow::Result<Cost> {
        let wanted = self.sink.count() + mails;
        let meter = Meter::start(self.postfix.process(), way.filter.as_ref().map(|filter| filter.process.id()));
        let mut source = Command::new("smtp-source")
            .args(["-s", &CLIENTS.to_string(), "-m", &mails.to_string()])
            .args(["-f", "alice@example.test", "-t", "reader@example.net", "-F"])
            .arg(&self.mail)
            .arg(format!("inet:127.0.0.1:{}", way.door))
            .stdin(Stdio::null())
            .spawn()
            .context("smtp-source")?;
        let end = Instant::now() + PATIENCE;
        while self.sink.count() < wanted {
            ensure!(Instant::now() < end, "{}: mail is missing\n{}", way.name, self.postfix.log_end());
            thread::sleep(LOOK);
        }
        let cost = meter.stop(mails);
        ensure!(source.wait()?.success(), "smtp-source");
        Ok(cost)
    }

    /// So many mails of so many megabytes at the same time through one Kakitome that signs: its peak of memory in MiB.
    pub(super) fn large(&self, (count, megabytes): (usize, usize)) -> anyhow::Result<(usize, usize, f64)> {
        let settings = "[members]\nkey = 'p-256'\n";
        let filter = Filter::start(&self.program, &self.house.join("large"), self.sink.port, settings)?;
        let mail = letter(megabytes * 1_000_000)?;
        let before = self.sink.count();
        thread::scope(|scope| {
            let senders: Vec<_> = (0..count).map(|_| scope.spawn(|| hand_in(filter.port, &mail))).collect();
            senders.into_iter().try_for_each(|sender| sender.join().unwrap_or_else(|_| anyhow::bail!("a sender died")))
        })?;
        ensure!(self.sink.count() == before + count, "mail is missing");
        Ok((count, megabytes, peak(filter.process.id())))
    }

    /// So many connections that say nothing, each with its greeting: the peak of memory in MiB, while another's mail
    /// still passes.
    pub(super) fn idle(&self, count: usize) -> anyhow::Result<(usize, f64)> {
        let settings = format!("[gateway]\nmax_connections = {}\n", count + 1);
        let filter = Filter::start(&self.program, &self.house.join("idle"), self.sink.port, &settings)?;
        let mut held = Vec::new();
        for _ in 0..count {
            let mut client = TcpStream::connect(("127.0.0.1", filter.port))?;
            client.read_exact(&mut [0; 3])?;
            held.push(client);
        }
        hand_in(filter.port, &letter(SIZE)?)?;
        Ok((count, peak(filter.process.id())))
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.ways.clear();
        let _ = fs::remove_dir_all(&self.house);
    }
}

impl Filter {
    fn start(program: &Path, folder: &Path, next_hop: u16, settings: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let [port, web] = free_ports();
        let gateway = format!(
            "[gateway]\nnext_hop = 'smtp://127.0.0.1:{next_hop}'\nlisteners = [{{ protocol = 'lmtp', address = \
             '127.0.0.1:{port}', direction = 'outbound' }}]\n"
        );
        let settings = match settings.strip_prefix("[gateway]\n") {
            Some(more) => format!("{gateway}{more}"),
            None => format!("{gateway}{settings}"),
        };
        let others = if settings.contains("[members]") { "" } else { "[members]\nkey = 'p-256'\n" };
        let text = format!("{settings}{others}domains = ['example.test']\n[web]\naddress = '127.0.0.1:{web}'\n");
        fs::write(folder.join("kakitome.toml"), text)?;
        let log = fs::File::create(folder.join("log"))?;
        let process = Command::new(program)
            .args(["--quiet", "up", "--data"])
            .arg(folder.join("data"))
            .arg("--config")
            .arg(folder.join("kakitome.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("kakitome")?;
        let filter = Self { process, port };
        wait_for_port(port).map_err(|error| anyhow!(error))?;
        Ok(filter)
    }
}

/// A mail of about so many bytes, in lines of 76.
fn letter(size: usize) -> anyhow::Result<Vec<u8>> {
    let date = Command::new("date").args(["-u", "+%a, %d %b %Y %H:%M:%S +0000"]).env("LC_ALL", "C").output()?;
    let date = String::from_utf8(date.stdout)?;
    let mut mail = format!(
        "From: Alice <alice@example.test>\r\nTo: reader@example.net\r\nSubject: Load\r\nDate: {}\r\n\
         Message-ID: <load@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
        date.trim()
    )
    .into_bytes();
    let line = [[b'x'; 74].as_slice(), b"\r\n"].concat();
    while mail.len() < size {
        mail.extend_from_slice(&line);
    }
    Ok(mail)
}

/// Gives a mail to a filter.
fn hand_in(port: u16, mail: &[u8]) -> anyhow::Result<()> {
    let mut out = TcpStream::connect(("127.0.0.1", port))?;
    let mut lines = BufReader::new(out.try_clone()?);
    let mut reply = |class: char| -> anyhow::Result<()> {
        loop {
            let mut line = String::new();
            ensure!(lines.read_line(&mut line)? > 0, "the connection was closed");
            ensure!(line.starts_with(class), "it answers {line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    };
    reply('2')?;
    for (command, class) in [
        ("LHLO load.test", '2'),
        ("MAIL FROM:<alice@example.test>", '2'),
        ("RCPT TO:<reader@example.net>", '2'),
        ("DATA", '3'),
    ] {
        out.write_all(format!("{command}\r\n").as_bytes())?;
        reply(class)?;
    }
    out.write_all(mail)?;
    out.write_all(b".\r\n")?;
    reply('2')
}
