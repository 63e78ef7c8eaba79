//! A mail that kills the gateway while it is read is handed on unread in the end, whether it has a queue id or not. The
//! kill is a real one: the judge asks a server that never answers, and the process gets SIGKILL.

use std::fs;
use std::sync::{Arc, Condvar, Mutex};

use kakitome_pki::cert::pem;
use kakitome_testkit::{Pki, Server, Serves};

use super::instance::{Client, Instance, run, settings};
use super::metrics::signed_naming;
use super::sink::{Does, Sink};
use super::until;

/// So often a mail may be begun (`ATTEMPT_LIMIT` of the desk).
const BEGUN: usize = 5;

/// A server that answers when it is told to.
fn mute() -> (Server, Arc<(Mutex<bool>, Condvar)>) {
    let speaks: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let waits = Arc::clone(&speaks);
    let server = Server::start(move |_| {
        let mut may = waits.0.lock().unwrap();
        while !*may {
            may = waits.1.wait(may).unwrap();
        }
        Serves::Status(404)
    });
    (server, speaks)
}

fn begin(up: &Instance, id: Option<&str>, mail: &str) -> Client {
    let mut client = Client::connect(up.door("LMTP", "inbound")).unwrap();
    client.greet("LMTP").unwrap();
    if let Some(id) = id {
        client.ask(&format!("XFORWARD IDENT={id}")).unwrap();
    }
    for command in ["MAIL FROM:<eve@elsewhere.example>", "RCPT TO:<bob@example.test>", "DATA"] {
        client.ask(command).unwrap();
    }
    client.write(format!("{mail}\r\n.\r\n").as_bytes()).unwrap();
    client
}

#[test]
fn a_mail_that_kills_us_is_handed_on_unread() {
    let folder = tempfile::tempdir().unwrap();
    let (server, speaks) = mute();
    let sink = Sink::start();
    fs::write(folder.path().join("rp.pem"), pem::write("CERTIFICATE", Pki::get().rp.certificate.raw())).unwrap();
    assert!(run(folder.path(), &["trust", "add", "rp.pem", "--yes"]).status.success());
    let text = settings(&format!("next_hop = '{}'", sink.address), "[fetch]\ntime = 600");
    let start = || {
        let fetch = [("KAKITOME_FETCH_ENABLED", "true"), ("KAKITOME_FETCH_ALLOW_PRIVATE", "127.0.0.0/8")];
        Instance::spawn_with(folder.path(), &text, &fetch).wait_until_up()
    };
    let mail = String::from_utf8(signed_naming(&server.url("/mute.crl"))).unwrap();
    // The same bytes with a name and without one are two mails to us: each is counted by itself.
    let ids = [Some("4XPOISON"), None];
    for round in 1..=BEGUN {
        let mut up = start();
        let asked = server.asked().len();
        let held = ids.map(|id| begin(&up, id, &mail));
        let wanted = vec![round.to_string(); ids.len()];
        until("both are being read", || server.asked().len() > asked && begun(&up) == wanted);
        up.kill();
        drop(held);
    }
    assert!(sink.mails().is_empty());
    let up = start();
    for id in ids {
        let reply = begin(&up, id, &mail).reply().unwrap();
        assert!(reply.starts_with("250"), "{id:?}: {reply}\n{}", up.log());
    }
    let taken = sink.mails();
    assert_eq!(taken.len(), ids.len());
    for mail in taken {
        assert!(mail.contains("X-Kakitome-Reason: gateway.unchecked"), "{mail}");
        assert!(mail.contains("multipart/signed"), "{mail}");
    }
    assert!(up.log().contains("please report it"), "{}", up.log());

    // Another is read, however often it is sent at the same time.
    let other = mail.replace("Subject:", "X-Other: yes\r\nSubject:");
    let held: Vec<Client> = (0..=BEGUN + 1).map(|_| begin(&up, None, &other)).collect();
    until("one of them is being read", || begun(&up).len() > ids.len());
    *speaks.0.lock().unwrap() = true;
    speaks.1.notify_all();
    for mut client in held {
        let reply = client.reply().unwrap();
        assert!(reply.starts_with("250"), "{reply}\n{}", up.log());
    }
    let unread = |mails: &[String]| mails.iter().filter(|mail| mail.contains("gateway.unchecked")).count();
    assert_eq!((sink.mails().len(), unread(&sink.mails())), (ids.len() + BEGUN + 2, ids.len()));
}

/// How often the journal says that each of the mails was begun that did not end.
fn begun(up: &Instance) -> Vec<String> {
    let entries = fs::read_dir(up.data().join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let counts = entries.filter(|path| path.extension().is_some_and(|name| name == "begun"));
    // One that ends meanwhile is none.
    counts.filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// What dies while the next hop has the mail is not counted: it was read, and goes out again as it was built.
#[test]
fn a_next_hop_that_waits_makes_no_poison() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let text = settings(&format!("next_hop = '{}'", sink.address), "");
    let mail = "From: eve@elsewhere.example\r\nSubject: hello\r\n\r\nHello.";
    sink.now(Does::Waits);
    for round in 1..=BEGUN + 1 {
        let mut up = Instance::start(folder.path(), &text);
        let _client = begin(&up, Some("4XHELD"), mail);
        until("the next hop has it", || sink.heard() == round);
        up.kill();
    }
    let up = Instance::start(folder.path(), &text);
    let mut client = begin(&up, Some("4XHELD"), mail);
    sink.now(Does::Takes);
    assert!(client.reply().unwrap().starts_with("250"));
    // The ones that were cut off were given to the next hop too: it has the same bytes each time.
    until("all of them came", || sink.mails().len() == BEGUN + 2);
    let mails = sink.mails();
    assert!(mails.iter().all(|mail| *mail == mails[0] && mail.contains("X-Kakitome-Verdict: NOT_SIGNED")), "{mails:?}");
}
