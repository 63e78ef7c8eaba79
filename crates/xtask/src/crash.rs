//! `cargo xtask crash`: is mail lost, or sent twice, when everything goes wrong?
//!
//! Mails of many shapes, some of them received and sealed, go through a real Postfix, `kakitome up` and another Postfix, set up
//! by the lines of docs/postfix.md. Meanwhile Kakitome is killed at random moments, its disk is full at times, its clock jumps, and its
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
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kakitome_testkit::smtp::{self, free_ports};
use kakitome_testkit::{Postfix, block};

use self::chance::Chance;
use self::gateway::{Actions, Gateway, Oddity, Place};
use self::hop::Hop;
use self::mails::{Door, KIND_COUNT, Mail, SEALED, mail};
use self::postfix::Ports;
use self::report::Count;
use self::sink::{Expected, Sink};

/// How many mails a whole run sends, and a short one.
const MAILS: [usize; 2] = [2000, 70];
/// How many clients send at once.
const CLIENTS: usize = 4;
/// A kill comes after so many milliseconds at least, and fewer than so many more.
const KILL_AFTER: (u64, u64) = (700, 2500);
/// How long the queue may take to become empty when nothing goes wrong any more.
const DRAIN: Duration = Duration::from_secs(900);
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Runs it; the short form leaves the document as it is.
pub(crate) fn run(root: &Path, short: bool) -> anyhow::Result<ExitCode> {
    if let Some(missing) = Postfix::cannot_start() {
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

/// Everything that stands when it begins.
struct Run {
    house: PathBuf,
    mails: Vec<Mail>,
    sink: Sink,
    hop: Hop,
    front: Postfix,
    back: Postfix,
    place: Place,
    /// The doors of the Postfix in front: submission, and port 25.
    entries: [u16; 2],
    chance: Arc<Chance>,
}

impl Run {
    fn prepare(root: &Path, count: usize) -> anyhow::Result<Self> {
        let built = Command::new("cargo").args(["build", "--quiet", "--locked", "--package", "kakitome"]).status()?;
        ensure!(built.success(), "kakitome does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let house = target.join(format!("crash-{}", std::process::id()));
        fs::create_dir_all(&house)?;
        // A run is long, and another build may come in between.
        fs::copy(target.join("debug/kakitome"), house.join("kakitome"))?;
        let page = fs::read_to_string(root.join("docs/postfix.md"))?;
        let [submission, smtp, out, received, back_out, back_in, web, spare, spare_in, spare_out, spare_smtp] =
            free_ports();
        let date = Command::new("date").args(["-u", "+%a, %d %b %Y %H:%M:%S +0000"]).env("LC_ALL", "C").output()?;
        let date = String::from_utf8(date.stdout)?.trim().to_owned();
        let mut mails: Vec<Mail> = (0..count).map(|number| mail(number, "example.test", &date)).collect();
        let place = Place {
            program: house.join("kakitome"),
            house: house.clone(),
            doors: [out, received],
            actions: Actions::default(),
            clock: gateway::clock(),
        };
        let sealed = mails.iter().filter(|mail| mail.door == Door::OutsideSealed);
        let members: Vec<String> = sealed.map(|mail| mail.recipients[0].clone()).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        place.member(&sink::member(&members))?;
        for mail in mails.iter_mut().filter(|mail| mail.door == Door::OutsideSealed) {
            mail.bytes = place.seal(&mail.bytes)?;
        }
        let mut expected = BTreeMap::new();
        for mail in &mails {
            let bytes = Arc::new(mail.bytes.clone());
            for recipient in &mail.recipients {
                expected.insert(recipient.clone(), (Arc::clone(&bytes), mail.end.clone()));
            }
        }
        let sink = Sink::start(Expected::new(expected), &members)?;
        let chance = Arc::new(Chance::new(SEED));
        let hop = Hop::start(&[back_out, back_in], &chance)?;
        // Each has all of the page's services; what the other one is for is unused.
        let ports = Ports { submission, filter: out, reinject: spare_out, world: sink.port };
        let services = postfix::received(&page, smtp, received, spare_in);
        let front = postfix::start(&page, &house.join("front"), &ports, "", &services)?;
        let ports = Ports { submission: spare, reinject: back_out, ..ports };
        let services = postfix::received(&page, spare_smtp, received, back_in);
        let back = postfix::start(&page, &house.join("back"), &ports, "", &services)?;
        place.prepare([&block(&page, "toml"), &block(&page, "toml inbound")], &hop.ports, web)?;
        Ok(Self { house, mails, sink, hop, front, back, place, entries: [submission, smtp], chance })
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
        self.place.import_member()?;
        self.hop.trouble.store(true, Ordering::Relaxed);
        let next = AtomicUsize::new(0);
        let gateway = thread::scope(|scope| -> anyhow::Result<Gateway> {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| self.send_all(&next))).collect();
            for round in 0.. {
                let (least, more) = KILL_AFTER;
                thread::sleep(Duration::from_millis(least + self.chance.below(more)));
                let sent = clients.iter().all(thread::ScopedJoinHandle::is_finished);
                // a few more rounds for what is still in the queue
                if sent && (self.is_empty() || round > 2000) {
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
        while !self.is_empty() {
            let logs = || format!("{}\n{}", self.front.log_end(), self.back.log_end());
            ensure!(Instant::now() < end, "the queue does not become empty:\n{}", logs());
            self.front.flush();
            self.back.flush();
            thread::sleep(Duration::from_secs(1));
        }
        gateway.kill();
        let actions = self.place.actions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let count =
            Count::new(&self.mails, &self.sink.arrived(), &self.hop.record(), &kills, actions, starts, begin.elapsed());
        drop((self.front, self.back));
        fs::remove_dir_all(&self.house).context("the folder of the run")?;
        Ok(count)
    }

    /// Is nothing on its way any more?
    fn is_empty(&self) -> bool {
        self.front.is_empty() && self.back.is_empty()
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
            submit(self.entries[usize::from(mail.door != Door::Submission)], mail).with_context(|| mail.end.clone())?;
        }
        Ok(())
    }
}

/// Hands a mail to Postfix, as a mail program does.
fn submit(port: u16, mail: &Mail) -> anyhow::Result<()> {
    let body = if mail.bytes.is_ascii() { "" } else { "> BODY=8BITMIME" };
    let recipients: Vec<&str> = mail.recipients.iter().map(String::as_str).collect();
    Ok(smtp::submit(port, &format!("{}{body}", mail.sender), &recipients, &mail.bytes)?)
}
