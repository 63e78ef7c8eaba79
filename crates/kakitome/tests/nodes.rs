//! Two `kakitome up` on one PostgreSQL, killed at any moment: the other goes on, nobody has a certificate twice, and the log
//! of both is one chain. A database that goes away is a 4xx, and is found again.
//!
//! `KAKITOME_NODES_MEMBERS` makes it a larger house.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use instance::{Client, Instance, date, kakitome, run, settings, stored};
use kakitome_office::spool::{FileOctets, SpoolDirectory};
use kakitome_office::store::Store;
use kakitome_office::vault::{KeyId, Vault};
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_testkit::PostgresqlServer;
use tempfile::TempDir;

const SUITE: &str = "two nodes on one PostgreSQL";
/// How long a job may take to be taken over and done: nodes look for one every ten seconds.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// Somebody is between the recording of certificates and their signing.
const BEGUN: &str = "EXISTS (SELECT 1 FROM certificate WHERE state = 'begun')";
/// Mail clients.
const CLIENTS: usize = 3;

/// A database, and nodes that share it.
struct House {
    server: PostgresqlServer,
    url: String,
    nodes: [TempDir; 2],
}

impl House {
    fn new() -> Option<Self> {
        let server = PostgresqlServer::start(SUITE)?;
        let url = server.database();
        Some(Self { server, url, nodes: [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()] })
    }

    fn folder(&self, node: usize) -> &Path {
        self.nodes[node].path()
    }

    fn settings(&self) -> String {
        let others = "public_url = \"http://pki.b.example\"\n[members]\ndomains = [\"b.example\"]\nkey = \"p-256\"";
        settings("", &format!("{others}\n[store]\nurl = \"{}\"", self.url))
    }

    fn start(&self, node: usize) -> Instance {
        Instance::start(self.folder(node), &self.settings())
    }

    /// Both, the second with the sealing key of the first.
    fn start_both(&self) -> [Instance; 2] {
        let first = self.start(0);
        let data = self.folder(1).join("kakitome-data");
        fs::DirBuilder::new().mode(0o700).create(&data).unwrap();
        let key = fs::read(self.folder(0).join("kakitome-data/sealing.key")).unwrap();
        let mut file = fs::OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(0o600).open(data.join("sealing.key")).unwrap();
        io::Write::write_all(&mut file, &key).unwrap();
        [first, self.start(1)]
    }

    /// The command, begun on a node.
    fn spawn(&self, node: usize, words: &str) -> Child {
        let mut command = kakitome(self.folder(node));
        command.args(words.split(' ')).args(["--config", "kakitome.toml"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The command, to its end; what it printed.
    fn run(&self, node: usize, words: &str) -> String {
        let words: Vec<&str> = words.split(' ').chain(["--config", "kakitome.toml"]).collect();
        let output = run(self.folder(node), &words);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{words:?}: {text}");
        text
    }

    fn ask(&self, sql: &str) -> String {
        self.server.ask(&self.url, sql)
    }

    fn number(&self, sql: &str) -> usize {
        self.ask(sql).parse().unwrap()
    }

    /// Waits until a question is answered so.
    fn until(&self, sql: &str, answer: &str, nodes: &[Instance]) {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.ask(sql);
            if found == answer {
                return;
            }
            let logs = || nodes.iter().map(Instance::log).collect::<Vec<_>>().join("\n");
            let jobs = || self.ask("SELECT kind, due, attempts, node, deadline, last_error FROM job");
            assert!(Instant::now() < end, "{sql}: {found}, not {answer}\n{}\n{}", jobs(), logs());
            thread::sleep(PAUSE);
        }
    }

    /// Waits until a node has this job, and stands between the recording of certificates and their signing; which one. `None`
    /// where it was done before anybody saw it.
    fn holder(&self, kind: &str, done: &str, nodes: &[Instance]) -> Option<usize> {
        let end = Instant::now() + PATIENCE;
        loop {
            let node =
                self.ask(&format!("SELECT node FROM job WHERE kind = '{kind}' AND node IS NOT NULL AND {BEGUN}"));
            if let Some(process) = node.rsplit(' ').next().filter(|process| !process.is_empty()) {
                return nodes.iter().position(|node| node.process().to_string() == process);
            }
            if self.ask(done) == "t" {
                return None;
            }
            assert!(Instant::now() < end, "nobody takes {kind}: {}", self.ask("SELECT * FROM job"));
        }
    }

    /// Lets the time pass after which a node that fell silent loses its jobs.
    fn pass_leases(&self) {
        self.ask("UPDATE job SET deadline = 0 WHERE node IS NOT NULL");
    }
}

/// Mail clients that send from every member to both nodes, all the time, whatever happens to the nodes.
struct Clients<'a> {
    doors: &'a Mutex<[SocketAddr; 2]>,
    members: usize,
    stop: &'a AtomicBool,
    /// Node and file of what was answered with 250, by the mail's name.
    taken: &'a Mutex<BTreeMap<String, (usize, String)>>,
    refused: &'a AtomicUsize,
}

impl Clients<'_> {
    fn send(&self, client: usize) {
        let date = date();
        for number in 0.. {
            let node = (client + number) % 2;
            let door = self.doors.lock().unwrap()[node];
            if self.session(door, node, &format!("mail {client}-{number}"), number, &date).is_err() {
                thread::sleep(PAUSE);
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Some mails by one connection, until it breaks.
    fn session(&self, door: SocketAddr, node: usize, name: &str, number: usize, date: &str) -> io::Result<()> {
        let mut connection = Client::connect(door)?;
        connection.greet("SMTP")?;
        for turn in 0..4 {
            let from = format!("m{:04}@b.example", (number * 7 + turn * 13) % self.members);
            let (name, to) = (format!("{name}-{turn}"), "bob@example.net");
            let mail =
                format!("From: {from}\r\nTo: {to}\r\nSubject: {name}\r\nDate: {date}\r\n\r\nThis is {name}.\r\n");
            let reply = connection.send(&from, mail.as_bytes())?;
            match stored(&reply) {
                Some(file) => drop(self.taken.lock().unwrap().insert(name, (node, file.to_owned()))),
                None => {
                    assert!(reply.starts_with('4'), "answered with {reply}");
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        connection.ask("QUIT").map(drop)
    }
}

/// xorshift64.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Kills a node and starts it again.
fn kill(house: &House, nodes: &mut [Instance; 2], node: usize, doors: &Mutex<[SocketAddr; 2]>) {
    nodes[node].kill();
    assert!(!nodes[node].log().contains("panic"), "{}", nodes[node].log());
    nodes[node] = house.start(node);
    doors.lock().unwrap()[node] = nodes[node].door("SMTP", "outbound");
}

#[test]
fn nodes_that_are_killed_leave_their_work_to_the_other_and_nothing_is_done_twice() {
    let Some(house) = House::new() else { return };
    let members = std::env::var("KAKITOME_NODES_MEMBERS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let mut nodes = house.start_both();
    let rows: String = (0..members).map(|number| format!("{number},m{number:04}@b.example\n")).collect();
    fs::write(house.folder(0).join("company.csv"), format!("number,mail\n{rows}")).unwrap();
    house.run(0, "member import company.csv");

    let doors = Mutex::new([nodes[0].door("SMTP", "outbound"), nodes[1].door("SMTP", "outbound")]);
    let (stop, taken, refused) = (AtomicBool::new(false), Mutex::default(), AtomicUsize::default());
    let clients = Clients { doors: &doors, members, stop: &stop, taken: &taken, refused: &refused };
    let mut killed_at_work = 0;
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let clients = &clients;
            scope.spawn(move || clients.send(client));
        }
        // Whatever fails below, the clients end.
        let _stop = Stop(&stop);
        let mut moments = Moments(0x2545_f491_4f6c_dd1d);
        enrol(&house, &mut nodes, &doors, &mut moments);
        assert_each_has(&house, members, &[("encrypt", 1), ("sign", 1)]);
        // A backup while both nodes write, and another while one of them is killed at it.
        let mut cut = house.spawn(0, "store backup -o cut.backup");
        thread::sleep(Duration::from_millis(100 + moments.below(300)));
        cut.kill().unwrap();
        cut.wait().unwrap();
        house.run(1, "store backup -o house.backup");
        killed_at_work += renew(&house, &mut nodes, &doors);
        assert_each_has(&house, members, &[("encrypt", 1), ("sign", 2)]);
        killed_at_work += replace(&house, &mut nodes, &doors);
        assert_each_has(&house, members, &[("encrypt", 2), ("sign", 3)]);
        revoke(&house, &mut nodes, &doors, &mut moments);
        // Mail still goes on.
        let before = taken.lock().unwrap().len();
        let end = Instant::now() + PATIENCE;
        while taken.lock().unwrap().len() < before + 2 * CLIENTS {
            assert!(Instant::now() < end, "no mail goes through any more");
            thread::sleep(PAUSE);
        }
    });

    // Nothing hangs in the middle, and no serial number was given twice.
    house.pass_leases();
    house.until("SELECT count(*) FROM job WHERE node IS NOT NULL", "0", &nodes);
    let serials = house.ask("SELECT count(*), count(DISTINCT serial), count(DISTINCT key_id) FROM certificate");
    let counts: Vec<&str> = serials.split('|').collect();
    assert!(counts.iter().all(|count| *count == counts[0]), "{serials}");
    // What was issued has its entry in the log, and the log of both nodes is one chain.
    let entries = house.number("SELECT count(*) FROM audit WHERE act = 'certificate.issued' AND subject LIKE '%@%'");
    assert_eq!(entries, house.number("SELECT count(*) FROM certificate WHERE der IS NOT NULL"));
    for node in 0..2 {
        house.run(node, "audit verify");
    }
    assert_restored(&house, members);
    let taken = taken.into_inner().unwrap();
    assert_signed(&house, &nodes, &taken);
    let abandoned = house.ask("SELECT count(*) FROM certificate WHERE der IS NULL");
    println!("{} mails answered with 250, {} with 4xx", taken.len(), refused.into_inner());
    println!("{killed_at_work} nodes killed in the middle of a job, {abandoned} certificates begun and given up");
}

/// Ends the clients.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Everybody is enrolled from both nodes at once, beside the mail; commands and nodes are killed.
fn enrol(house: &House, nodes: &mut [Instance; 2], doors: &Mutex<[SocketAddr; 2]>, moments: &mut Moments) {
    const LACKING: &str =
        "SELECT 2 * (SELECT count(*) FROM member_address) - count(*) FROM certificate WHERE der IS NOT NULL";
    for turn in 0..4 {
        let mut runs = [house.spawn(0, "member enrol"), house.spawn(1, "member enrol")];
        if turn % 2 == 0 {
            let is_going = |run: &mut Child| run.try_wait().unwrap().is_none();
            while house.ask(&format!("SELECT {BEGUN}")) != "t" && runs.iter_mut().all(is_going) {}
        } else {
            thread::sleep(Duration::from_millis(200 + moments.below(600)));
        }
        let victim = turn / 2;
        runs[victim].kill().unwrap();
        if turn % 2 == 1 {
            kill(house, nodes, victim, doors);
        }
        runs[1 - victim].kill().unwrap();
        for run in &mut runs {
            run.wait().unwrap();
        }
    }
    let mut runs = [house.spawn(0, "member enrol"), house.spawn(1, "member enrol")];
    let ended = runs.iter_mut().map(|run| run.wait().unwrap().success());
    assert_eq!(ended.collect::<Vec<_>>(), [true, true]);
    assert_eq!(house.ask(LACKING), "0");
}

/// Renewal, by the job; whoever is at it is killed. How many were.
fn renew(house: &House, nodes: &mut [Instance; 2], doors: &Mutex<[SocketAddr; 2]>) -> usize {
    const DONE: &str = "SELECT count(*) = (SELECT count(*) FROM member_address) FROM certificate
        WHERE purpose = 'sign' AND ordinal = 2 AND der IS NOT NULL";
    // As if most of their life were over.
    house.ask("UPDATE certificate SET not_before = not_before - 100000000 WHERE purpose = 'sign' AND der IS NOT NULL");
    house.ask("UPDATE job SET due = 0 WHERE kind = 'certificates.renew' AND node IS NULL");
    let holder = house.holder("certificates.renew", DONE, nodes);
    if let Some(holder) = holder {
        kill(house, nodes, holder, doors);
        house.pass_leases();
    }
    // What it had begun is somebody's else a little later.
    let end = Instant::now() + PATIENCE;
    while house.ask(DONE) != "t" {
        assert!(Instant::now() < end, "not renewed: {}", house.ask("SELECT * FROM job"));
        house.ask("UPDATE job SET due = 0 WHERE kind = 'certificates.renew' AND node IS NULL");
        thread::sleep(Duration::from_millis(200));
    }
    usize::from(holder.is_some())
}

/// Everything of the own CA is replaced, by the job; whoever is at it is killed, both of them. How many were.
fn replace(house: &House, nodes: &mut [Instance; 2], doors: &Mutex<[SocketAddr; 2]>) -> usize {
    const DONE: &str = "SELECT count(*) = 0 FROM replacement WHERE ended_at IS NULL";
    // Beyond the second in which the last was made.
    thread::sleep(Duration::from_millis(1100));
    house.run(1, "cert replace --issuer own --before 2090-01-01 --background");
    let mut killed = 0;
    for _ in 0..2 {
        if let Some(holder) = house.holder("certificates.replace", DONE, nodes) {
            kill(house, nodes, holder, doors);
            house.pass_leases();
            killed += 1;
        }
    }
    let end = Instant::now() + PATIENCE;
    while house.ask(DONE) != "t" {
        assert!(Instant::now() < end, "not replaced: {}", house.ask("SELECT * FROM job"));
        house.ask("UPDATE job SET due = 0 WHERE kind = 'certificates.replace' AND node IS NULL");
        thread::sleep(Duration::from_millis(200));
    }
    killed
}

/// Certificates are revoked on both nodes, and the commands that sign the lists are killed: a list that comes later has the
/// higher number, and says of every one.
fn revoke(house: &House, nodes: &mut [Instance; 2], doors: &Mutex<[SocketAddr; 2]>, moments: &mut Moments) {
    let numbers = || {
        house.number("SELECT COALESCE(SUM(last), 0) FROM (SELECT MAX(number) AS last FROM revocation_list GROUP BY authority, list) AS each_list")
    };
    let before = numbers();
    for member in 0..4 {
        let mut run = house.spawn(
            member % 2,
            &format!("cert revoke --address m{member:04}@b.example --purpose encrypt --reason superseded"),
        );
        thread::sleep(Duration::from_millis(50 + moments.below(400)));
        run.kill().unwrap();
        run.wait().unwrap();
        let words = format!("cert revoke --address m{member:04}@b.example --purpose encrypt --reason superseded");
        let output = run_any(house, 1 - member % 2, &words);
        assert!(output.is_empty() || !output.contains("panic"), "{output}");
    }
    kill(house, nodes, 0, doors);
    assert!(numbers() > before);
    const BACKWARDS: &str = "SELECT count(*) FROM revocation_list a JOIN revocation_list b
        ON b.authority = a.authority AND b.list = a.list WHERE a.number < b.number AND a.this_update > b.this_update";
    assert_eq!(house.ask(BACKWARDS), "0");
    assert_eq!(
        house.ask("SELECT count(DISTINCT address) FROM certificate WHERE state = 'revoked' AND purpose = 'encrypt'"),
        "4"
    );
}

fn run_any(house: &House, node: usize, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').chain(["--config", "kakitome.toml"]).collect();
    let output = run(house.folder(node), &words);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The backup that was made while both nodes wrote is one moment: its log is one chain, and all its keys open.
fn assert_restored(house: &House, members: usize) {
    let folder = house.folder(1);
    let restored = folder.join("restored");
    // Without the settings, which name the database: a store in a directory of its own.
    for words in
        [&["store", "restore", "--data", "restored", "house.backup"][..], &["audit", "verify", "--data", "restored"]]
    {
        let output = run(folder, words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let store = Arc::new(Store::open(&restored).unwrap());
    let vault = Vault::open(&folder.join("kakitome-data/sealing.key"), &store).unwrap();
    let sql = "SELECT der FROM certificate WHERE der IS NOT NULL";
    let certificates = store.read(|s| s.rows(sql, &[], |row| row.octets(0))).unwrap();
    assert_eq!(certificates.len(), 2 * members);
    for der in certificates {
        let certificate = Certificate::parse(&der).unwrap();
        let key = vault.take_decryption(&KeyId::of_spki(certificate.spki())).unwrap();
        assert_eq!(key.spki(), certificate.spki());
    }
    // What was cut short is there whole, or not at all.
    let cut = run(house.folder(0), &["store", "restore", "--data", "restored", "cut.backup"]);
    assert!(cut.status.success() || !house.folder(0).join("cut.backup").exists());
}

/// Each address has so many of each use, one after the other, and none twice in one place.
fn assert_each_has(house: &House, members: usize, expected: &[(&str, usize)]) {
    let found = house.ask(
        "SELECT purpose, made, last, count(*) FROM (SELECT purpose, count(*) AS made, MAX(ordinal) AS last
             FROM certificate WHERE der IS NOT NULL GROUP BY address, purpose) AS places
         GROUP BY purpose, made, last ORDER BY purpose, made",
    );
    let rows = expected.iter().map(|(purpose, count)| format!("{purpose}|{count}|{count}|{members}"));
    assert_eq!(found.lines().map(str::to_owned).collect::<Vec<_>>(), rows.collect::<Vec<_>>());
}

/// What was answered with 250 is there, and signed by a certificate that the store has for its author.
fn assert_signed(house: &House, nodes: &[Instance; 2], taken: &BTreeMap<String, (usize, String)>) {
    let known = house.ask("SELECT serial, address FROM certificate WHERE purpose = 'sign' AND der IS NOT NULL");
    let known: BTreeMap<&str, &str> = known.lines().filter_map(|line| line.split_once('|')).collect();
    let spools = SpoolDirectory::new(house.folder(0).join("spool")).unwrap();
    for (name, (node, file)) in taken {
        let path: PathBuf = nodes[*node].maildir().join("new").join(file);
        let octets = FileOctets::open(&path).unwrap_or_else(|error| panic!("{name} is lost: {error}"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("This is {name}.")), "{name} is not whole");
        let Layer::Signed(layer) = open(&octets, &spools, &NoKeys).unwrap().layer else { panic!("{name}") };
        let verified = layer.outcome.verified.unwrap_or_else(|| panic!("{name} does not verify"));
        let author = known.get(verified.signer().serial_hex().as_str());
        let author = author.unwrap_or_else(|| panic!("{name} is signed by a certificate that nobody knows"));
        assert!(text.contains(&format!("From: {author}\r\n")), "{name} is signed by {author}");
    }
}

#[test]
fn a_database_that_goes_away_is_a_4xx_and_is_found_again() {
    let Some(house) = House::new() else { return };
    let node = house.start(0);
    let submit = |name: &str| {
        let mut client = Client::connect(node.door("SMTP", "outbound")).unwrap();
        client.greet("SMTP").unwrap();
        let from = "m0000@b.example";
        let mail =
            format!("From: {from}\r\nTo: bob@example.net\r\nSubject: {name}\r\nDate: {}\r\n\r\n{name}\r\n", date());
        client.send(from, mail.as_bytes()).unwrap()
    };
    let first = submit("first");
    assert!(first.starts_with("250 "), "{first}");
    // The connections are cut: the next mail goes through, by new ones.
    house.server.ask(
        "postgres",
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kakitome'",
    );
    let cut = submit("cut");
    assert!(cut.starts_with("250 "), "{cut}");
    // It is gone: each mail stays with the server in front, and nothing is made of it here.
    house.server.stop();
    for _ in 0..2 {
        let gone = submit("gone");
        assert!(gone.starts_with("451 "), "{gone}");
    }
    assert_eq!(node.mails("new").len(), 2);
    // It is back, and so are we.
    house.server.start_again();
    let back = submit("back");
    assert!(back.starts_with("250 "), "{back}");
    assert_eq!(node.mails("new").len(), 3);
    house.run(0, "audit verify");
    assert!(!node.log().contains("panic"), "{}", node.log());
}
