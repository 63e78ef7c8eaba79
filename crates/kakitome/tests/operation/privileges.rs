//! Root's rights are given up: every thread is the user's, there is no way back, ports below 1024 were bound before, and
//! what does not belong to the user is told. Only root can try it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::instance::{Client, Instance, http, mail, stored};
use super::reload;

/// A user that every system has.
const USER: &str = "nobody";

/// Its number, where we are root and there is such a user.
fn user() -> Option<u32> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = passwd.lines().find(|line| line.starts_with(&format!("{USER}:")));
    let found = line.and_then(|line| line.split(':').nth(2)?.parse().ok()).filter(|_| is_root);
    if found.is_none() {
        println!("SKIPPED: privileges: only root can give root's rights up, and to a user {USER}");
        assert!(std::env::var_os("KAKITOME_REQUIRE_PEERS").is_none_or(|value| value.is_empty() || !is_root));
    }
    found
}

/// A folder that the user may enter.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Addresses that no other test has, nor this one in another process: the whole of 127/8 is this machine's.
#[derive(Clone, Copy)]
struct Street(u8);

impl Street {
    fn place(self, port: u16) -> String {
        let [.., high, low] = std::process::id().to_be_bytes();
        format!("127.{}.{high}.{low}:{port}", self.0)
    }

    fn written(self, doors: &[u16], process: &str) -> String {
        let door = |port: &u16| {
            let protocol = if *port == 24 { "lmtp" } else { "smtp" };
            format!("{{ protocol = '{protocol}', address = '{}', direction = 'outbound' }}", self.place(*port))
        };
        let (doors, page) = (doors.iter().map(door).collect::<Vec<_>>().join(", "), self.place(80));
        format!("[gateway]\nlisteners = [{doors}]\n[web]\naddress = '{page}'\n[process]\n{process}\n")
    }
}

/// The status lines of each thread of a process.
fn threads(up: &Instance, field: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", up.id())).unwrap();
    tasks
        .map(|task| {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let line = status.lines().find(|line| line.starts_with(field)).unwrap();
            line.split_ascii_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn root_binds_the_ports_and_is_root_no_more() {
    let Some(uid) = user() else { return };
    let (folder, street) = (folder(), Street(77));
    let settings = street.written(&[25, 24], &format!("user = '{USER}'"));
    let up = Instance::start(folder.path(), &settings);
    for (field, wanted) in [
        ("Uid:", format!("{uid} {uid} {uid} {uid}")),
        ("CapEff:", format!("{:016x}", 0)),
        ("CapPrm:", format!("{:016x}", 0)),
    ] {
        let found = threads(&up, field);
        assert!(found.len() > 1 && found.iter().all(|line| *line == wanted), "{field} {found:?}");
    }
    assert!(threads(&up, "Groups:").iter().all(|groups| !groups.split(' ').any(|group| group == "0")));
    // It works: by the ports that only root may bind, in a directory that is the user's.
    let mut client = Client::connect(street.place(25).parse().unwrap()).unwrap();
    client.greet("SMTP").unwrap();
    let reply =
        client.send("alice@example.test", mail("alice@example.test", "hello", "Hello.\r\n").as_bytes()).unwrap();
    assert!(stored(&reply).is_some(), "{reply}\n{}", up.log());
    assert_eq!(http(street.place(80).parse().unwrap(), "GET /readyz HTTP/1.1", &[]).0, 200);
    let foreign = owners(&up.data(), uid);
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(up.log().contains("root's rights are given up"), "{}", up.log());

    // A port below 1024 cannot be had any more; where the system has none that are root's, there is nothing to tell.
    let said = reload(&up, folder.path(), &street.written(&[25, 24, 26], &format!("user = '{USER}'")));
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if first.trim().parse::<u16>().unwrap_or(1024) > 26 {
        assert!(
            said.contains("restart") && said.contains("process.user") && said.contains("stays as it was"),
            "{said}"
        );
    }
    let mut client = Client::connect(street.place(25).parse().unwrap()).unwrap();
    client.greet("SMTP").unwrap();
}

/// What in a directory belongs to another.
fn owners(path: &Path, uid: u32) -> Vec<String> {
    let mut found = Vec::new();
    if fs::symlink_metadata(path).unwrap().uid() != uid {
        found.push(path.display().to_string());
    }
    if path.is_dir() {
        found.extend(fs::read_dir(path).unwrap().flat_map(|entry| owners(&entry.unwrap().path(), uid)));
    }
    found
}

#[test]
fn what_cannot_be_is_told() {
    let Some(uid) = user() else { return };
    let (folder, street) = (folder(), Street(78));
    let data = folder.path().join("kakitome-data");
    let ended = |settings: &str| {
        let mut up = Instance::spawn(folder.path(), settings);
        let status = up.wait();
        (status.code().unwrap(), up.log())
    };
    // (the setting, the exit code, what is said)
    for (process, code, says) in [
        ("user = 'root'", 2, "what is to be given up"),
        ("user = 'no-such-user-here'", 2, "there is no such user"),
        ("user = 'nobody'\ngroup = 'no-such-group-here'", 2, "there is no such group"),
        ("user = 'nobody'\ngroup = 'root'", 2, "what is to be given up"),
        ("group = 'nogroup'", 2, "needs process.user"),
    ] {
        let (status, log) = ended(&street.written(&[25], process));
        assert!(status == code && log.contains(says), "{process}: {status}: {log}");
        assert!(!data.exists(), "{process}");
    }
    // What root left behind is named, with what to do about it.
    let settings = street.written(&[25], &format!("user = '{USER}'"));
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(data.join("left.by.root"), "").unwrap();
    for path in [data.clone(), data.join("left.by.root")] {
        let (status, log) = ended(&settings);
        let told = path.strip_prefix(folder.path()).unwrap().display();
        let wanted = format!("{told}: belongs to another than process.user");
        assert!(status == 75 && log.contains(&wanted) && log.contains("chown -R nobody:"), "{status}: {log}");
        chown(&path, Some(uid), None).unwrap();
    }
    // All is the user's now. And whoever is the user already has nothing to give up.
    drop(Instance::start(folder.path(), &settings));
}
