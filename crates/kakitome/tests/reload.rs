//! Settings that change while mail goes on: who is signed for (on one address first, on one domain, for all), a file with
//! a mistake, many reloads under load, and what systemd hears of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use instance::{Client, Instance, PATIENCE, http, mail, settings, stored};

const TWO_DOMAINS: &str = "[members]\ndomains = ['example.test', 'branch.test']\nkey = 'p-256'\n";

/// Writes the settings, asks for them to be read, and waits until the log says that they were.
fn reload(up: &Instance, folder: &Path, text: &str) -> String {
    let before = up.log().len();
    fs::write(folder.join("kakitome.toml"), text).unwrap();
    up.signal("HUP");
    let end = Instant::now() + PATIENCE;
    loop {
        let log = up.log();
        let new = log.get(before..).unwrap_or_default();
        if new.contains("the settings were read anew") {
            return new.to_owned();
        }
        assert!(Instant::now() < end, "nothing was read:\n{log}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn is_signed(up: &Instance, from: &str) -> bool {
    let (_, left) = up.submit(from, mail(from, "rolled out", "Hello.\r\n").as_bytes());
    String::from_utf8_lossy(&left).contains("multipart/signed")
}

#[test]
fn signing_is_rolled_out_without_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let with = |policy: &str| settings("", &format!("{TWO_DOMAINS}[policy]\n{policy}\n"));
    let up = Instance::start(folder, &with("sign = 'never'"));
    // (the policy, who is signed for)
    let steps: [(&str, &[&str]); 4] = [
        ("sign = 'never'\nrules = [{ from = ['alice@example.test'], sign = 'clear' }]", &["alice@example.test"]),
        (
            "sign = 'never'\nrules = [{ from = ['example.test'], sign = 'clear' }]",
            &["alice@example.test", "bob@example.test"],
        ),
        ("rules = [{ from = ['bob@example.test'], sign = 'never' }]", &["alice@example.test", "carol@branch.test"]),
        ("", &["alice@example.test", "bob@example.test", "carol@branch.test"]),
    ];
    let everybody = ["alice@example.test", "bob@example.test", "carol@branch.test"];
    for from in everybody {
        assert!(!is_signed(&up, from), "{from} before the first step");
    }
    for (policy, signed) in steps {
        let said = reload(&up, folder, &with(policy));
        assert!(said.contains("are in use"), "{said}");
        for from in everybody {
            assert_eq!(is_signed(&up, from), signed.contains(&from), "{from} by {policy:?}");
        }
    }
    // All changing of mail is switched off at once.
    reload(&up, folder, &settings("mode = 'pass'", TWO_DOMAINS));
    assert!(!is_signed(&up, "alice@example.test"));
}

#[test]
fn a_file_with_a_mistake_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let good = settings("", TWO_DOMAINS);
    let up = Instance::start(folder, &good);
    for (mistake, says) in [
        ("[policy\n", "not TOML"),
        ("[policy]\nsign = 'sometimes'\n", "policy.sign"),
        ("[tls]\ncertificate = '/nonexistent/c.pem'\nkey = '/nonexistent/c.key'\n", "/nonexistent/c.pem"),
        ("[policy]\nsenders = [{ login = '*', from = ['own'] }]\n", "submission_host"),
    ] {
        let said = reload(&up, folder, &format!("{good}{mistake}"));
        assert!(said.contains("no good") && said.contains(says), "{mistake}: {said}");
        assert!(is_signed(&up, "alice@example.test"), "{mistake}");
    }
    let said = reload(&up, folder, &good.replace("[web]\n", "[web]\nmax_mail = 77\n"));
    assert!(said.contains("[web] changed, which needs a restart"), "{said}");
}

#[test]
fn no_mail_is_lost_by_a_reload() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let with = |sign: &str| settings("", &format!("{TWO_DOMAINS}[policy]\nsign = '{sign}'\n"));
    let up = Instance::start(folder, &with("clear"));
    let (stop, taken) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..4 {
            let (up, stop, taken) = (&up, &stop, &taken);
            scope.spawn(move || {
                let mut client = Client::connect(up.door("SMTP", "outbound")).unwrap();
                client.greet("SMTP").unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let text = mail("alice@example.test", &format!("under load {number}"), "Hello.\r\n");
                    let reply = client.send("alice@example.test", text.as_bytes()).unwrap();
                    assert!(stored(&reply).is_some(), "{reply}");
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..10 {
            // Every third one is a mistake.
            let text = if round % 3 == 2 { "[policy".to_owned() } else { with(["never", "clear"][round % 2]) };
            reload(&up, folder, &text);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(up.mails("new").len(), taken.load(Ordering::Relaxed));
    let (status, counts) = http(up.page(), "GET /metrics HTTP/1.1", &[]);
    let told: usize = counts
        .lines()
        .filter(|line| line.starts_with("kakitome_recipients_total") && line.contains("reply=\"2xx\""))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert_eq!((status, told), (200, taken.load(Ordering::Relaxed)), "{counts}");
}

#[test]
fn systemd_hears_how_far_we_are() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let place = folder.join("notify");
    let systemd = UnixDatagram::bind(&place).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut into = [0; 64];
        loop {
            match systemd.recv(&mut into) {
                Ok(count) => return String::from_utf8(into[..count].to_vec()).unwrap(),
                // A wait that has an end is never taken up again by the kernel (signal(7)).
                Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}"),
            }
        }
    };
    let mut up = Instance::spawn_with(folder, &settings("", ""), &[("NOTIFY_SOCKET", place.to_str().unwrap())]);
    assert_eq!(heard(), "READY=1");
    up.signal("HUP");
    assert_eq!([heard(), heard()], ["RELOADING=1", "READY=1"]);
    up.terminate();
    assert_eq!(heard(), "STOPPING=1");
    assert!(up.wait().success());
}

#[test]
fn the_log_is_json_where_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let up = Instance::start(folder, &settings("", "[log]\nformat = 'json'\n"));
    let (reply, _) = up.submit("alice@example.test", mail("alice@example.test", "a secret", "Hello.\r\n").as_bytes());
    let line: serde_json::Value = serde_json::from_str(&up.log_of(&reply)).unwrap();
    for (field, value) in [
        ("level", "info"),
        ("message", "mail"),
        ("from", "alice@example.test"),
        ("direction", "outbound"),
        ("action", "signed"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert!(line["reason"].as_str().unwrap().contains("certificate"), "{line}");
    assert_eq!(line["recipients"], 1);
    assert!(!up.log().contains("a secret"));
    let (status, ready) = http(up.page(), "GET /readyz HTTP/1.1", &[]);
    assert!(status == 200 && ready.starts_with("ready\n"), "{ready}");
}
