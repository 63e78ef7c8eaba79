//! `kakitome store rekey`, killed at any moment, on either database and with another node at work: every private key opens with
//! the files that are left, and the command can be given again. And the sealing key as a credential of systemd.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use instance::{Client, Instance, date, kakitome, settings};
use kakitome_office::audit::{Actor, Part};
use kakitome_office::fault::Fault;
use kakitome_office::store::{Place, Store};
use kakitome_office::vault::{KeyId, Vault};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{DecryptionKey, Random as _, SystemRandom};
use kakitome_testkit::PostgresqlServer;
use tempfile::TempDir;

/// Two certificates each.
const MEMBERS: usize = 40;
/// Times that it is killed.
const ROUNDS: u64 = 8;

/// A house with members, in a data directory, and perhaps in a database.
struct House {
    folder: TempDir,
    settings: String,
    place: Place,
    _server: Option<PostgresqlServer>,
}

impl House {
    fn enrolled(server: Option<PostgresqlServer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut others = "[members]\ndomains = [\"b.example\"]\nkey = \"p-256\"".to_owned();
        let mut place = Place::Data(folder.path().join("kakitome-data"));
        if let Some(server) = &server {
            let url = server.database();
            others = format!("{others}\n[store]\nurl = \"{url}\"");
            place = Place::Server(Box::new(url.parse().unwrap()));
        }
        let house = Self { folder, settings: settings("", &others), place, _server: server };
        let rows: String = (0..MEMBERS).map(|number| format!("{number},m{number:03}@b.example\n")).collect();
        fs::write(house.path().join("company.csv"), format!("number,mail\n{rows}")).unwrap();
        fs::write(house.path().join("kakitome.toml"), &house.settings).unwrap();
        told(house.command("member import company.csv --enrol"));
        house
    }

    /// On each database that is here.
    fn all() -> Vec<Self> {
        let server = PostgresqlServer::start("rekey under kill -9 over PostgreSQL");
        let mut houses = vec![Self::enrolled(None)];
        houses.extend(server.map(|server| Self::enrolled(Some(server))));
        houses
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn key_file(&self) -> PathBuf {
        self.path().join("kakitome-data/sealing.key")
    }

    fn command(&self, words: &str) -> Command {
        let mut command = kakitome(self.path());
        command.args(words.split(' ')).args(["--config", "kakitome.toml"]);
        command
    }

    /// Opens every private key of every certificate with the files of this key file; how many.
    fn open_all(&self, key_file: &Path) -> usize {
        let store = Arc::new(self.place.open().unwrap());
        let vault = Vault::open(key_file, &store).unwrap();
        let certificates = certificates(&store);
        for (key, der) in &certificates {
            let key = DecryptionKey::from_der(&vault.take_pkcs8(key).unwrap()).unwrap();
            assert_eq!(key.spki(), Certificate::parse(der).unwrap().spki());
        }
        certificates.len()
    }

    fn sealed_with(&self) -> String {
        let store = self.place.open().unwrap();
        store.read(|s| s.row("SELECT key_id FROM sealing", &[], |row| row.text(0))).unwrap().unwrap()
    }
}

fn certificates(store: &Store) -> Vec<(KeyId, Vec<u8>)> {
    let sql = "SELECT der FROM certificate WHERE der IS NOT NULL";
    let ders = store.read(|s| s.rows(sql, &[], |row| row.octets(0))).unwrap();
    ders.into_iter().map(|der| (KeyId::of_spki(Certificate::parse(&der).unwrap().spki()), der)).collect()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs it to its end, which must be a good one.
fn told(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    text(&output)
}

/// Gives the command, and kills it after so long.
fn rekey_killed_after(house: &House, wait: Duration) {
    let mut run = house.command("store rekey");
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(wait);
    run.kill().unwrap();
    run.wait().unwrap();
}

fn put(path: &Path, octets: &[u8], mode: u32) {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(octets).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn every_private_key_opens_wherever_it_was_killed() {
    for house in House::all() {
        let mut keys = vec![house.sealed_with()];
        for round in 0..ROUNDS {
            rekey_killed_after(&house, Duration::from_millis(10 + 29 * round));
            assert_eq!(house.open_all(&house.key_file()), 2 * MEMBERS, "round {round}");
            keys.push(house.sealed_with());
        }
        // It is given again, and done.
        assert!(told(house.command("store rekey")).contains("are sealed with the new key"));
        assert_ne!(keys.last(), Some(&house.sealed_with()));
        assert_eq!(house.open_all(&house.key_file()), 2 * MEMBERS);
        told(house.command("audit verify"));
        keys.dedup();
        println!("{} rekeys of {ROUNDS} were done before they were killed", keys.len() - 1);
    }
}

#[test]
fn another_node_goes_on_whatever_happens_to_the_one_that_seals_anew() {
    let Some(server) = PostgresqlServer::start("rekey with two nodes") else { return };
    let house = House::enrolled(Some(server));
    let other = tempfile::tempdir().unwrap();
    let data = other.path().join("kakitome-data");
    DirBuilder::new().mode(0o700).create(&data).unwrap();
    put(&data.join("sealing.key"), &fs::read(house.key_file()).unwrap(), 0o600);
    let node = Instance::start(other.path(), &house.settings);
    let submit = |name: &str, member: usize| {
        let mut client = Client::connect(node.door("SMTP", "outbound")).unwrap();
        client.greet("SMTP").unwrap();
        let from = format!("m{member:03}@b.example");
        let mail =
            format!("From: {from}\r\nTo: bob@example.net\r\nSubject: {name}\r\nDate: {}\r\n\r\n{name}\r\n", date());
        client.send(&from, mail.as_bytes()).unwrap()
    };
    // As a mail server does: what is put off, because all keys were sealed anew in that very moment, is sent again.
    let deliver = |name: &str, member: usize| {
        let mut reply = submit(name, member);
        for _ in 0..3 {
            if reply.starts_with("451 ") {
                reply = submit(name, member);
            }
        }
        assert!(reply.starts_with("250 "), "{reply}\n{}", node.log());
    };
    let mut sent = 0;
    for round in 0..ROUNDS {
        // The next key is put beside the old one on each node, where the last round has not left it.
        let mut next = [0; 32];
        SystemRandom.fill(&mut next).unwrap();
        let places = [house.key_file().with_extension("key.next"), data.join("sealing.key.next")];
        if places.iter().all(|place| !place.exists()) {
            places.iter().for_each(|place| put(place, &next, 0o600));
        }
        let member = usize::try_from(round).unwrap() % MEMBERS;
        thread::scope(|scope| {
            scope.spawn(|| rekey_killed_after(&house, Duration::from_millis(10 + 31 * round)));
            for turn in 0..4 {
                deliver(&format!("during {round}-{turn}"), member + turn);
                sent += 1;
            }
        });
        // A member who comes now gets keys that are sealed with what counts.
        deliver(&format!("behind {round}"), MEMBERS + member);
        sent += 1;
        let all = house.open_all(&house.key_file());
        assert_eq!(all, house.open_all(&data.join("sealing.key")), "round {round}");
    }
    assert_eq!(node.mails("new").len(), sent);
    assert!(!node.log().contains("panic"), "{}", node.log());
    told(house.command("audit verify"));
}

#[test]
fn two_nodes_that_seal_anew_at_once_with_keys_of_their_own_lose_none() {
    let Some(server) = PostgresqlServer::start("two rekeys at once") else { return };
    let house = House::enrolled(Some(server));
    let stores: Vec<Arc<Store>> = (0..2).map(|_| Arc::new(house.place.open().unwrap())).collect();
    let folders = [house.path().join("kakitome-data"), house.path().join("other")];
    DirBuilder::new().mode(0o700).create(&folders[1]).unwrap();
    put(&folders[1].join("sealing.key"), &fs::read(house.key_file()).unwrap(), 0o600);
    let vaults: Vec<Vault> = stores
        .iter()
        .zip(&folders)
        .map(|(store, folder)| Vault::open(&folder.join("sealing.key"), store).unwrap())
        .collect();
    let actor = Actor::part("test", Part::Jobs);
    let done: Vec<Result<u64, _>> = thread::scope(|scope| {
        let runs: Vec<_> = vaults
            .iter()
            .map(|vault| scope.spawn(|| vault.rekey(None, &actor, kakitome_testkit::NOW, &|_| {})))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // One was first. The other did not call the store damaged, and what the first made opens everything.
    let won = done.iter().position(Result::is_ok).unwrap_or_else(|| panic!("{done:?}"));
    let lost = done[1 - won].as_ref().unwrap_err();
    assert!(matches!(lost, Fault::SealingKeyChanged { .. } | Fault::SealingKeyWrong { .. }), "{lost}");
    assert_eq!(house.open_all(&folders[won].join("sealing.key")), 2 * MEMBERS);
}

#[test]
fn the_sealing_key_is_a_credential_of_systemd() {
    // The folder as systemd makes it: for the service's user alone, or with an access list, whose mask shows as the group's.
    for (folder_mode, file_mode) in [(0o500, 0o400), (0o550, 0o440)] {
        let home = tempfile::tempdir().unwrap();
        let credentials = home.path().join("credentials");
        DirBuilder::new().mode(0o700).create(&credentials).unwrap();
        let file = credentials.join("kakitome.sealing-key");
        put(&file, &[7; 32], file_mode);
        fs::set_permissions(&credentials, Permissions::from_mode(folder_mode)).unwrap();
        let environment = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
        let settings = settings("", "[members]\nkey = \"p-256\"");
        for _ in 0..2 {
            let node = Instance::spawn_with(home.path(), &settings, &environment).wait_until_up();
            let (reply, _) =
                node.submit("a@example.test", instance::mail("a@example.test", "hello", "Hi.\r\n").as_bytes());
            assert!(reply.starts_with("250 "), "{reply}");
        }
        // Nothing else was made there, and no key in the data directory.
        assert_eq!(fs::read_dir(&credentials).unwrap().count(), 1);
        assert!(!home.path().join("kakitome-data/sealing.key").exists());
        let opened = |words: &str| {
            let mut command = kakitome(home.path());
            command.args(words.split(' ')).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap()
        };
        let enrolled = opened("member add b@example.test --enrol");
        assert!(enrolled.status.success(), "{}", text(&enrolled));
        // Without the credential, nobody makes another key.
        let mut without = kakitome(home.path());
        let without = without.args(["member", "add", "c@example.test", "--enrol"]).output().unwrap();
        assert!(!without.status.success() && text(&without).contains("sealing.key"), "{}", text(&without));
        assert!(!home.path().join("kakitome-data/sealing.key").exists());
        fs::set_permissions(&credentials, Permissions::from_mode(0o700)).unwrap();
    }
}
