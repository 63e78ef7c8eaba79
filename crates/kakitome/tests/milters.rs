//! A whole site of docs/postfix.md, both directions, with the milters of others where the page says: OpenDKIM signs behind
//! us what leaves; OpenDKIM and OpenDMARC judge what comes in before we do. What leaves comes back in, as another site would
//! get it, and both signatures are valid at the end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use instance::{Instance, mail};
use kakitome_testkit::smtp::{Client, Sink, free_ports, submit};
use kakitome_testkit::{Postfix, block, wait_for_port};

const SUITE: &str = "milters";
const PAGE: &str = include_str!("../../../docs/postfix.md");
const ALICE: &str = "alice@example.test";
/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn what_leaves_is_signed_twice_and_what_comes_in_is_judged_in_order() {
    let Some(site) = Site::start() else { return };

    // Out: S/MIME by us, then DKIM by OpenDKIM.
    submit(site.submission, ALICE, &["hana@example.test"], mail(ALICE, "there", "Good morning.\r\n").as_bytes())
        .unwrap();
    let left = site.next(&site.world);
    assert!(left.contains("DKIM-Signature: ") && left.contains("multipart/signed"), "{left}");

    // And in again, with what a forger would put in front.
    let forged = "Authentication-Results: kakitome.example.test; smime=pass\r\n\
                  Authentication-Results: (x)\r\n\tMAIL.example.test; dmarc=pass header.from=bank.example\r\n\
                  Authentication-Results: mail.example.test; dkim=pass header.d=bank.example\r\n\
                  Authentication-Results: mx.elsewhere.example; spf=pass smtp.mailfrom=bank.example\r\n\
                  X-Kakitome-Verdict: ORG_CONFIRMED\r\n";
    site.receive(&format!("{forged}{left}")).unwrap();
    let box_mail = site.next(&site.boxes);
    let results = fields(&box_mail, "Authentication-Results");
    let ours = &results[0];
    assert!(ours.starts_with("kakitome.example.test; smime=pass"), "{results:#?}\n{}", site.log());
    assert_eq!(fields(&box_mail, "X-Kakitome-Verdict"), ["LOCAL_CONFIRMED"], "{box_mail}");
    let theirs: Vec<&String> =
        results.iter().filter(|one| one.to_lowercase().starts_with("mail.example.test;")).collect();
    assert!(
        theirs.iter().any(|one| one.contains("dkim=pass") && one.contains("header.d=example.test")),
        "{results:#?}"
    );
    assert!(theirs.iter().any(|one| one.contains("dmarc=pass") && one.contains("from=example.test")), "{results:#?}");
    assert!(
        !results.iter().any(|one| one.contains("=bank.example") && !one.starts_with("mx.")),
        "a forged result stays: {results:#?}"
    );
    assert!(results.iter().any(|one| one.starts_with("mx.elsewhere.example;")), "{results:#?}");
    assert_eq!(results.iter().filter(|one| one.starts_with("kakitome.")).count(), 1, "{results:#?}");
    // No byte of what DKIM and S/MIME cover was touched on the way.
    let body = |mail: &str| mail.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&box_mail), body(&left));

    // Changed on the way: both say so. That it is refused is the DMARC policy of our own domain.
    let changed = left.replace("Good morning", "Good evening");
    assert_ne!(changed, left);
    let refused = site.receive(&changed).unwrap_err();
    assert!(refused.starts_with("550") && refused.contains("DMARC"), "{refused}");
    // Without DKIM it is not ours either.
    assert!(site.receive(&mail(ALICE, "forged", "Good morning.\r\n")).unwrap_err().starts_with("550"));
    // On trial, the mail of one address goes by Kakitome and that of the others does not.
    for (to, is_checked) in [(ALICE, true), ("mona@example.test", false)] {
        let from_eve = mail("eve@elsewhere.example", "trial", "Good morning.\r\n");
        submit(site.trial, "eve@elsewhere.example", &[to], from_eve.as_bytes()).unwrap();
        let arrived = site.next(&site.boxes);
        assert_eq!(arrived.contains("X-Kakitome-Verdict"), is_checked, "{to}: {arrived}");
    }
    // Somebody's else domain, which says nothing: it passes, and neither milter nor we sign or confirm anything.
    site.receive(&mail("eve@elsewhere.example", "plain", "Good morning.\r\n")).unwrap();
    let plain = site.next(&site.boxes);
    assert!(!plain.contains("DKIM-Signature") && !plain.contains("multipart/signed"), "{plain}");
    assert_eq!(fields(&plain, "X-Kakitome-Verdict"), ["NOT_SIGNED"]);
    let results = fields(&plain, "Authentication-Results");
    assert!(results[0].starts_with("kakitome.example.test; smime=none"), "{results:#?}");
    assert!(results.iter().any(|one| one.contains("dmarc=none")), "{results:#?}");
}

/// The values of all fields of this name in a header, each on one line.
fn fields(mail: &str, name: &str) -> Vec<String> {
    let header = mail.split("\r\n\r\n").next().unwrap().replace("\r\n\t", " ").replace("\r\n ", " ");
    let values = header.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

struct Site {
    submission: u16,
    smtp: u16,
    trial: u16,
    world: Receiver<String>,
    boxes: Receiver<String>,
    postfix: Postfix,
    up: Instance,
    _milters: Vec<Milter>,
    _folder: tempfile::TempDir,
}

struct Milter(Child);

impl Drop for Milter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    fn start() -> Option<Self> {
        let [_, opendkim, genkey, opendmarc] =
            peers::programs(SUITE, ["postfix", "opendkim", "opendkim-genkey", "opendmarc"])?;
        if let Some(missing) = Postfix::cannot_start() {
            peers::skip(SUITE, missing);
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        let [submission, smtp, filter, back, filter_in, back_in, web, signer, verifier, dmarc, trial] = free_ports();
        let page = block(PAGE, "toml") + &block(PAGE, "toml inbound");
        let doors = format!(
            "next_hop = \"smtp://127.0.0.1:10026\"\nlisteners = [\
             {{ protocol = \"lmtp\", address = \"127.0.0.1:{filter}\", direction = \"outbound\" }},\
             {{ protocol = \"lmtp\", address = \"127.0.0.1:{filter_in}\", direction = \"inbound\" }}]\n"
        );
        let settings = page
            .replace("next_hop = \"smtp://127.0.0.1:10026\"\n", &doors)
            .replace("10026", &back.to_string())
            .replace("10027", &back_in.to_string())
            .replace("example.com", "example.test");
        let up = Instance::start(at, &format!("{settings}[web]\naddress = \"127.0.0.1:{web}\"\n"));
        let milters = milters(at, [&opendkim, &genkey, &opendmarc], [signer, verifier, dmarc]);
        let [(world, world_port), (boxes, box_port)] = [sink(), sink()];
        let fitted = |name: &str| {
            block(PAGE, name)
                .replace("10024", &filter.to_string())
                .replace("10025", &filter_in.to_string())
                .replace("10026", &back.to_string())
                .replace("10027", &back_in.to_string())
                .replace("example.com", "example.test")
        };
        let here = at.to_str().unwrap();
        let [services, submission_lines, inbound_services, inbound, inbound_trial] =
            ["services", "submission", "inbound services", "inbound", "inbound trial"]
                .map(|name| fitted(&format!("master.cf {name}")).replace("/etc/postfix", here));
        fs::write(at.join("kakitome_in"), fitted("kakitome_in")).unwrap();
        // The page's service on 10026 runs the milters of main.cf; here they are named, since port 25 has others.
        let services = format!(
            "127.0.0.1:{submission} inet n - n - - smtpd\n{submission_lines}  -o transport_maps=\n\
             127.0.0.1:{trial} inet n - n - - smtpd\n{inbound_trial}  -o smtpd_milters=\n\
             127.0.0.1:{smtp} inet n - n - - smtpd\n{inbound}\
             \x20 -o smtpd_milters=inet:127.0.0.1:{verifier},inet:127.0.0.1:{dmarc}\n\
             \x20 -o smtpd_authorized_xclient_hosts=127.0.0.0/8\n{inbound_services}{services}"
        );
        let main = format!(
            "{}{}smtpd_milters = inet:127.0.0.1:{signer}\nmilter_default_action = tempfail\n\
             transport_maps = inline:{{ {{ hana@example.test = smtp:[127.0.0.1]:{world_port} }} }}\n\
             virtual_mailbox_domains = example.test\nvirtual_transport = smtp:[127.0.0.1]:{box_port}\n",
            fitted("main.cf"),
            fitted("main.cf inbound").replace("/etc/postfix", here)
        );
        let headers = fitted("kakitome_headers").replace("example\\.com", "example\\.test");
        fs::write(at.join("kakitome_headers"), headers).unwrap();
        let postfix = Postfix::start(at, &main, &services, &[submission, smtp, trial, back, back_in]);
        let postfix = postfix.unwrap_or_else(|error| panic!("{error}"));
        Some(Self { submission, smtp, trial, world, boxes, postfix, up, _milters: milters, _folder: folder })
    }

    /// Hands in a mail by port 25, as a server elsewhere does.
    fn receive(&self, mail: &str) -> Result<(), String> {
        let mut client = Client::greet(self.smtp).unwrap();
        client.expect('2', "XCLIENT ADDR=192.0.2.77 NAME=mx.elsewhere.example").unwrap();
        client.expect('2', "EHLO mx.elsewhere.example").unwrap();
        let said = client.send("bounce@elsewhere.example", &["jiro@example.test"], mail.as_bytes()).unwrap();
        client.ask("QUIT").unwrap();
        if said.starts_with('2') { Ok(()) } else { Err(said) }
    }

    fn next(&self, mails: &Receiver<String>) -> String {
        mails.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no mail came\n{}", self.log()))
    }

    fn log(&self) -> String {
        format!("{}\n{}\n{}", self.postfix.queue(), self.postfix.log(), self.up.log())
    }
}

fn sink() -> (Receiver<String>, u16) {
    let (put, mails) = channel();
    let sink = Sink::start(move |arrival| {
        let _ = put.send(String::from_utf8_lossy(&arrival.mail).into_owned());
    });
    (mails, sink.unwrap().port)
}

/// OpenDKIM that signs, OpenDKIM that verifies, and OpenDMARC; what they would ask the DNS stands in files.
fn milters(at: &Path, programs: [&PathBuf; 3], ports: [u16; 3]) -> Vec<Milter> {
    let ([opendkim, genkey, opendmarc], [signer, verifier, dmarc]) = (programs, ports);
    let key = ["-b", "2048", "-d", "example.test", "-s", "sel", "-D"];
    let made = Command::new(genkey).args(key).arg(at).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let zone = fs::read_to_string(at.join("sel.txt")).unwrap();
    let record: String = zone.split('"').skip(1).step_by(2).collect();
    fs::write(at.join("keys"), format!("sel._domainkey.example.test {record}\n")).unwrap();
    fs::write(at.join("policies"), "_dmarc.example.test v=DMARC1; p=reject\n").unwrap();
    let here = at.display();
    let dkim = "Background no\nRequireSafeKeys no\nSyslog no\nAuthservID mail.example.test\n";
    let files = [
        (
            "signer.conf",
            format!(
                "{dkim}Mode s\nDomain example.test\nSelector sel\nKeyFile {here}/sel.private\n\
                 Canonicalization relaxed/simple\nSocket inet:{signer}@127.0.0.1\nPidFile {here}/signer.pid\n"
            ),
        ),
        (
            "verifier.conf",
            format!(
                "{dkim}Mode v\nTestPublicKeys {here}/keys\nSocket inet:{verifier}@127.0.0.1\nPidFile {here}/verifier.pid\n\
                 AlwaysAddARHeader yes\n"
            ),
        ),
        (
            "dmarc.conf",
            format!(
                "Background no\nSyslog no\nAuthservID mail.example.test\nTrustedAuthservIDs mail.example.test\n\
                 RejectFailures true\nTestDNSData {here}/policies\nSocket inet:{dmarc}@127.0.0.1\nPidFile {here}/dmarc.pid\n"
            ),
        ),
    ];
    let started = files.into_iter().zip([opendkim, opendkim, opendmarc]).map(|((name, text), program)| {
        fs::write(at.join(name), text).unwrap();
        let mut command = peers::command(program);
        command.arg("-f").arg(if name == "dmarc.conf" { "-c" } else { "-x" }).arg(at.join(name)).stdin(Stdio::null());
        Milter(command.spawn().unwrap())
    });
    let started = started.collect();
    for port in ports {
        wait_for_port(port).unwrap();
    }
    started
}
