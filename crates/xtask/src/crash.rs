//! `cargo xtask crash`: is mail lost, or sent twice, when everything goes wrong?
//!
//! Mails of many shapes go through a real Postfix, `kakitome up` and Postfix again, set up by the lines of
//! docs/postfix.md. Meanwhile Kakitome is killed at random moments, its disk is full at times, its clock jumps, and its
//! next hop refuses, falls silent and cuts connections. At the end everything is counted: each mail has arrived once, or
//! its sender was told; a second copy is excused only where the first one's 250 could not come through, and then both are
//! the same byte for byte. The whole run writes its counts into docs/reliability.md; a short one is part of `./test`.

mod chance;
mod gateway;
mod hop;
mod mails;
pub(crate) mod postfix;
mod report;
mod sink;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use self::chance::Chance;
use self::gateway::{Actions, Gateway, Oddity, Place};
use self::hop::Hop;
use self::mails::{KIND_COUNT, Mail, SEALED, mail};
use self::postfix::{Ports, Postfix};
use self::report::Count;
use self::sink::{Expected, Sink, line};

/// How many mails a whole run sends, and a short one.
const MAILS: [usize; 2] = [2000, 70];
/// How many clients send at once.
const CLIENTS: usize = 4;
/// A kill comes after so many milliseconds at least, and fewer than so many more.
const KILL_AFTER: (u64, u64) = (700, 2500);
/// How long the queue may take to become empty when nothing goes wrong any more.
const DRAIN: Duration = Duration::from_secs(180);
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Runs it; the short form leaves the document as it is.
pub(crate) fn run(root: &Path, short: bool) -> anyhow::Result<ExitCode> {
    if let Some(missing) = missing() {
        println!("SKIPPED: crash: {missing}");
        let required = std::env::var_os("KAKITOME_REQUIRE_PEERS").is_some_and(|value| value == "1");
        return Ok(if required { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let count = Run::prepare(root, MAILS[usize::from(short)])?.play()?;
    print!("{}", count.table());
    let wrong = count.wrong();
    for line in &wrong {
        println!("WRONG: {line}");
    }
    if !wrong.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if !short {
        count.write(&root.join("docs/reliability.md"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is not here that a run needs.
pub(crate) fn missing() -> Option<&'static str> {
    let answers = |program: &str, argument: &str, answer: &[u8]| {
        Command::new(program)
            .arg(argument)
            .stderr(Stdio::null())
            .output()
            .is_ok_and(|said| said.status.success() && said.stdout.starts_with(answer))
    };
    if !answers("postconf", "-d", b"") {
        return Some("Postfix is not installed");
    }
    if !answers("id", "-u", b"0\n") {
        return Some("Postfix starts only as root");
    }
    (!answers("id", "postfix", b"")).then_some("there is no user called postfix")
}

/// Everything that stands when it begins.
struct Run {
    house: PathBuf,
    mails: Vec<Mail>,
    sink: Sink,
    hop: Hop,
    postfix: Postfix,
    place: Place,
    submission: u16,
    chance: Arc<Chance>,
}

impl Run {
    fn prepare(root: &Path, count: usize) -> anyhow::Result<Self> {
        let built = Command::new("cargo").args(["build", "--quiet", "--locked", "--package", "kakitome"]).status()?;
        ensure!(built.success(), "kakitome does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let house = target.join(format!("crash-{}", std::process::id()));
        fs::create_dir_all(&house)?;
        let page = fs::read_to_string(root.join("docs/postfix.md"))?;
        // all are held at once, so that no two are the same
        let held: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
        let numbers: Vec<u16> =
            held.iter().map(|held| Ok(held.local_addr()?.port())).collect::<std::io::Result<_>>()?;
        drop(held);
        let (submission, filter, reinject, web) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        let date = Command::new("date").args(["-u", "+%a, %d %b %Y %H:%M:%S +0000"]).env("LC_ALL", "C").output()?;
        let date = String::from_utf8(date.stdout)?.trim().to_owned();
        let mails: Vec<Mail> = (0..count).map(|number| mail(number, "example.test", &date)).collect();
        let mut expected = BTreeMap::new();
        for mail in &mails {
            let bytes = Arc::new(mail.bytes.clone());
            for recipient in &mail.recipients {
                expected.insert(recipient.clone(), (Arc::clone(&bytes), mail.end.clone()));
            }
        }
        let sink = Sink::start(Expected::new(expected))?;
        let chance = Arc::new(Chance::new(SEED));
        let hop = Hop::start(reinject, Arc::clone(&chance))?;
        let postfix = Postfix::start(&page, &house, &Ports { submission, filter, reinject, world: sink.port })?;
        let program = target.join("debug/kakitome");
        let place =
            Place { program, house: house.clone(), filter, actions: Actions::default(), clock: gateway::clock() };
        place.prepare(&postfix::block(&page, "toml")?, hop.port, web)?;
        Ok(Self { house, mails, sink, hop, postfix, place, submission, chance })
    }

    fn play(self) -> anyhow::Result<Count> {
        let begin = Instant::now();
        let oddities = self.oddities();
        let mut starts: BTreeMap<Oddity, usize> = BTreeMap::new();
        let mut kills = Vec::new();
        // The first start makes the CA and is left alone: what can go wrong there is another test's.
        let mut gateway = self.place.start(Oddity::None)?;
        self.place.ready()?;
        self.place.enter(SEALED, &sink::reader().certificate)?;
        self.hop.trouble.store(true, Ordering::Relaxed);
        let next = AtomicUsize::new(0);
        let gateway = thread::scope(|scope| -> anyhow::Result<Gateway> {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| self.send_all(&next))).collect();
            for round in 0.. {
                let (least, more) = KILL_AFTER;
                thread::sleep(Duration::from_millis(least + self.chance.below(more)));
                let sent = clients.iter().all(thread::ScopedJoinHandle::is_finished);
                // a few more rounds for what is still in the queue
                if sent && (self.postfix.is_empty()? || round > 2000) {
                    break;
                }
                kills.push(Instant::now());
                gateway.kill();
                let oddity = oddities[round % oddities.len()];
                *starts.entry(oddity).or_default() += 1;
                gateway = self.place.start(oddity)?;
            }
            for client in clients {
                client.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a client died")))?;
            }
            Ok(gateway)
        })?;
        self.hop.trouble.store(false, Ordering::Relaxed);
        kills.push(Instant::now());
        gateway.kill();
        let gateway = self.place.start(Oddity::None)?;
        self.place.ready()?;
        let end = Instant::now() + DRAIN;
        while !self.postfix.is_empty()? {
            ensure!(Instant::now() < end, "the queue does not become empty:\n{}", self.postfix.log_end());
            self.postfix.flush()?;
            thread::sleep(Duration::from_secs(1));
        }
        gateway.kill();
        let actions = self.place.actions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let count =
            Count::new(&self.mails, &self.sink.arrived(), &self.hop.record(), &kills, actions, starts, begin.elapsed());
        drop(self.postfix);
        fs::remove_dir_all(&self.house).context("the folder of the run")?;
        Ok(count)
    }

    /// What the starts are like, in turn.
    fn oddities(&self) -> Vec<Oddity> {
        let mut all = vec![Oddity::None, Oddity::None, Oddity::Full, Oddity::None];
        if self.place.clock.is_some() {
            all.extend([Oddity::Clock(240), Oddity::None, Oddity::Clock(-3)]);
        } else {
            println!("SKIPPED: crash: clock jumps, faketime is not installed");
        }
        all
    }

    fn send_all(&self, next: &AtomicUsize) -> anyhow::Result<()> {
        while let Some(mail) = self.mails.get(next.fetch_add(1, Ordering::Relaxed)) {
            submit(self.submission, mail).with_context(|| mail.end.clone())?;
        }
        Ok(())
    }
}

/// Hands a mail to Postfix, as a mail program does.
fn submit(port: u16, mail: &Mail) -> anyhow::Result<()> {
    let mut out = TcpStream::connect(("127.0.0.1", port))?;
    out.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut lines = BufReader::new(out.try_clone()?);
    let mut expect = |class: u8, after: &str| loop {
        let reply = line(&mut lines).with_context(|| format!("no reply after {after}"))?;
        ensure!(reply.first() == Some(&class), "after {after}: {}", String::from_utf8_lossy(&reply));
        if reply.get(3) != Some(&b'-') {
            return Ok(());
        }
    };
    expect(b'2', "connecting")?;
    let body = if mail.bytes.is_ascii() { "" } else { " BODY=8BITMIME" };
    let mut commands = vec!["EHLO client.example.test".to_owned(), format!("MAIL FROM:<{}>{body}", mail.sender)];
    commands.extend(mail.recipients.iter().map(|recipient| format!("RCPT TO:<{recipient}>")));
    for command in commands {
        out.write_all(format!("{command}\r\n").as_bytes())?;
        expect(b'2', &command)?;
    }
    out.write_all(b"DATA\r\n")?;
    expect(b'3', "DATA")?;
    let mut wire = Vec::with_capacity(mail.bytes.len());
    for line in mail.bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    out.write_all(&wire)?;
    expect(b'2', "the mail")?;
    out.write_all(b"QUIT\r\n")?;
    Ok(())
}
