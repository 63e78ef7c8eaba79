//! The gateway over real connections. The dialogues are files; here is what a dialogue cannot tell: large mails, many of
//! something, connections at once, the stop, the log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod certificates;
mod dialogues;
mod doors;
mod stage;

use stage::{Desk, Gate, NextHop, Peer, Stage};

/// Bytes of every kind in lines of every length, with CR LF, lone CR and dots at the begin of lines.
fn odd_mail(size: usize) -> Vec<u8> {
    let mut mail = b"Subject: odd\r\n\r\n".to_vec();
    let mut state: u32 = 1;
    while mail.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match (state >> 24) as u8 {
            b'\n' => {}
            byte if byte < 12 => mail.extend_from_slice(b"\r\n."),
            byte => mail.push(byte),
        }
    }
    mail.extend_from_slice(b"\r\n");
    mail
}

fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_passes_keeps_every_byte() {
    let mail = odd_mail(3_000_000);
    let wire = stuffed(&mail);

    let house = Stage::default().open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.begin_mail().await;
    for piece in wire.chunks(70_001) {
        client.send(piece).await;
    }
    client.ask(".", "250").await;
    assert!(house.mails() == [mail.clone()], "the Maildir holds another mail");
    assert_eq!(fs::read_dir(house.spool()).unwrap().count(), 0);
    house.close().await;

    let mails = Arc::new(Mutex::new(Vec::new()));
    let peer = Peer::keeping(&mails);
    let house = Stage { next_hop: NextHop::Peer(peer), ..Stage::default() }.open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.begin_mail().await;
    client.send(&wire).await;
    client.ask(".", "250 2.0.0 queued as PEER1").await;
    assert!(*mails.lock().unwrap() == wire, "the next hop got another mail");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_next_hop_is_for_later() {
    let house = Stage { next_hop: NextHop::Nobody, ..Stage::default() }.open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.ask("MAIL FROM:<a@example.test>", "451 4.4.1 the next hop smtp://127.0.0.1:").await;
    client.ask("NOOP", "250").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_leaves_nothing() {
    let house = Stage::default().open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.begin_mail().await;
    client.send(&vec![b'x'; 1_000_000]).await;
    client.send(b"\r\n.\r").await;
    drop(client);
    let mut client = house.connect().await;
    client.greet().await;
    assert_eq!(house.mails(), Vec::<Vec<u8>>::new());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_recipients_and_long_lines_have_an_end() {
    let house = Stage::default().open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.ask(&format!("NOOP {}", "x".repeat(100_000)), "500 5.5.2").await;
    client.ask("MAIL FROM:<a@example.test>", "250").await;
    for number in 0..1000 {
        client.ask(&format!("RCPT TO:<{number}@outside.test>"), "250").await;
    }
    client.ask("RCPT TO:<1000@outside.test>", "452 4.5.3").await;
    client.ask("DATA", "354").await;
    client.ask(".", "250").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_in_circles_is_refused() {
    let house = Stage::default().open().await;
    let mut client = house.connect().await;
    client.greet().await;
    for (hops, code) in [(100, "250"), (101, "554 5.4.6")] {
        client.begin_mail().await;
        client.send("Received: by a\r\n".repeat(hops).as_bytes()).await;
        client.ask("\r\nReceived: in the body\r\n.", code).await;
    }
    assert_eq!(house.mails().len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_too_many_is_turned_away() {
    let house = Stage { max_connections: 2, ..Stage::default() }.open().await;
    let mut first = house.connect().await;
    let mut second = house.connect().await;
    first.greet().await;
    second.greet().await;
    let mut third = house.connect().await;
    third.ask("", "421 gate.test 4.3.2").await;
    assert_eq!(third.line().await, None);
    first.ask("QUIT", "221").await;
    assert_eq!(first.line().await, None);
    // The place is free as soon as the session is over, which is shortly after its connection is.
    for attempt in 0.. {
        let mut next = house.connect().await;
        match next.line().await.unwrap() {
            greeting if greeting.starts_with("220") => break,
            other => assert!(attempt < 100, "no place is free: {other}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_sends_the_idle_away_and_finishes_mail_in_flight() {
    let gate = Arc::new(Gate::default());
    let mut house = Stage { desk: Desk::Behind(gate.clone()), ..Stage::default() }.open().await;
    let mut idle = house.connect().await;
    idle.greet().await;
    let mut between = house.connect().await;
    between.greet().await;
    between.ask("MAIL FROM:<a@example.test>", "250").await;
    let mut sending = house.connect().await;
    sending.greet().await;
    sending.begin_mail().await;
    sending.send(b"half of ").await;

    house.stop();
    idle.ask("", "421 4.3.2").await;
    assert_eq!(idle.line().await, None);
    between.ask("", "421 4.3.2").await;
    sending.send(b"a mail\r\n.\r\nNOOP\r\n").await;
    gate.reached().await;
    gate.open();
    sending.ask("", "250 2.0.0 stored").await;
    sending.ask("", "421 4.3.2").await;
    assert!(sending.rest().await.is_empty());
    assert_eq!(house.mails(), [b"half of a mail\r\n".to_vec()]);
    house.ended().await;
}

/// Sends a mail with a queue id, and says what the last line of the answer was.
async fn send_as(house: &stage::House, queue_id: Option<&str>, end: &str) -> String {
    let mut client = house.connect().await;
    client.greet().await;
    if let Some(queue_id) = queue_id {
        client.ask(&format!("XFORWARD IDENT={queue_id}"), "250").await;
    }
    client.begin_mail().await;
    client.ask("the mail\r\n.", end).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_out_again_after_a_lost_answer_is_the_same() {
    // After "later", too: an earlier sending, whose answer was lost, may have been taken.
    for (answer, heard) in [("drop", "451 4.4.2"), ("451 4.3.0 busy", "451 4.3.0 busy")] {
        what_goes_out_again_is_the_same(answer, heard).await;
    }
}

async fn what_goes_out_again_is_the_same(answer: &str, end: &str) {
    let mut peer = Peer::announcing([]);
    peer.answers.push(("DOT".to_owned(), answer.to_owned()));
    let house = Stage { next_hop: NextHop::Peer(peer), desk: Desk::Numbers, ..Stage::default() }.open().await;
    // (the queue id, or none; is it the same as what was built for the first?)
    let rows = [(Some("4F1"), true), (Some("4F1"), true), (Some("4F2"), false), (None, false)];
    for (queue_id, _) in rows {
        send_as(&house, queue_id, end).await;
    }
    let heard = house.peer_now();
    let built: Vec<&String> = heard.iter().filter(|line| line.starts_with("X-Built")).collect();
    assert_eq!(built.len(), rows.len(), "{heard:?}");
    for (line, (queue_id, same)) in built.iter().zip(rows) {
        assert_eq!(*line == built[0], same, "{queue_id:?}: {built:?}");
    }
    house.close().await;
}

/// Three copies; the answer to the second is lost, or "later". When the mail comes again, for fewer recipients or with one
/// more, each copy goes to those who are still to get it, and is the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_copy_goes_out_again_as_it_was_and_to_whom() {
    for answer in ["drop", "451 4.3.0 busy"] {
        let mut peer = Peer::announcing(["DSN"]);
        peer.answers.push(("DOT 2".to_owned(), answer.to_owned()));
        let desk = Desk::Splits { numbered: true };
        let door = "lmtp outbound".to_owned();
        let house = Stage { door, next_hop: NextHop::Peer(peer), desk, ..Stage::default() }.open().await;
        let mut heard = 0;
        let mut built = Vec::new();
        for (recipients, replies) in [
            (&["sealed1", "plain", "sealed2", "blind"][..], &["451", "250", "451", "250"][..]),
            (&["sealed1", "sealed3", "sealed2"], &["250", "250", "250"]),
            (&["sealed1", "plain"], &["250", "250"]),
        ] {
            let mut client = house.connect().await;
            client.ask("", "220").await;
            client.ask("LHLO c", "250").await;
            client.ask("XFORWARD IDENT=4F1", "250").await;
            client.ask("MAIL FROM:<a@example.test>", "250").await;
            for recipient in recipients {
                client.ask(&format!("RCPT TO:<{recipient}@x.test>"), "250").await;
            }
            client.ask("DATA", "354").await;
            client.send(b"the mail\r\n.\r\n").await;
            for reply in replies {
                client.ask("", reply).await;
            }
            let lines = house.peer_now();
            let copies = lines[heard..].iter().filter(|line| line.starts_with("X-Copy"));
            built.push(copies.cloned().collect::<Vec<String>>());
            heard = lines.len();
        }
        let [first, second, third] = built.as_slice() else { panic!() };
        assert_eq!(first.len(), 3, "{built:?}");
        // the lost one as it was, and a new one for him who was not there before
        assert_eq!(second.len(), 2, "{built:?}");
        assert_eq!(second[0], first[1], "{built:?}");
        assert!(second[1].starts_with("X-Copy: sealed") && second[1] != first[1], "{built:?}");
        assert!(third.is_empty(), "{built:?}");
        // nothing is left of what was built
        assert_eq!(house.journal_files(), ["journal.sqlite"]);
        house.close().await;
    }
}

/// A copy for two is put off. When the mail comes again one of them is refused, so the server in front gives him up: what was
/// built goes with the other's 250, and stays where he has to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_built_goes_with_the_last_who_can_get_it() {
    for (answer, left) in [("550 5.1.1 gone", 0), ("450 4.2.0 full", 1)] {
        let mut peer = Peer::announcing([]);
        peer.answers.push(("DOT 1".to_owned(), "451 4.3.0 busy".to_owned()));
        peer.answers.push(("1: RCPT TO:<second@".to_owned(), answer.to_owned()));
        let door = "lmtp outbound".to_owned();
        let house = Stage { door, next_hop: NextHop::Peer(peer), desk: Desk::Numbers, ..Stage::default() }.open().await;
        for (second, replies) in [("250", &["451", "451"][..]), (answer, &["250"])] {
            let mut client = house.connect().await;
            client.ask("", "220").await;
            client.ask("LHLO c", "250").await;
            client.ask("XFORWARD IDENT=4F1", "250").await;
            client.ask("MAIL FROM:<a@example.test>", "250").await;
            client.ask("RCPT TO:<first@x.test>", "250").await;
            client.ask("RCPT TO:<second@x.test>", second).await;
            client.ask("DATA", "354").await;
            client.send(b"the mail\r\n.\r\n").await;
            for reply in replies {
                client.ask("", reply).await;
            }
        }
        assert_eq!(house.journal_files().len(), 1 + left, "{answer}: {:?}", house.journal_files());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_has_to_wait_while_it_is_on_its_way() {
    let gate = Arc::new(Gate::default());
    let house = Stage { desk: Desk::Behind(gate.clone()), ..Stage::default() }.open().await;
    let first = send_as(&house, Some("4F1"), "250");
    let second = async {
        gate.reached().await;
        send_as(&house, Some("4F1"), "451 4.3.0 the same mail is still on its way").await;
        gate.open();
    };
    tokio::join!(first, second);
    send_as(&house, Some("4F1"), "250").await;
    assert_eq!(house.mails().len(), 1);
    house.close().await;
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_one_line_in_the_log() {
    let written = Written::default();
    let log = written.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).init();
    let house = Stage { desk: Desk::Forges, ..Stage::default() }.open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.ask("XFORWARD IDENT=LOG\"1", "250").await;
    client.ask("MAIL FROM:<\u{202e}a@example.test> SMTPUTF8", "250").await;
    client.ask("RCPT TO:<b@outside.test>", "250").await;
    client.ask("DATA", "354").await;
    client.ask("Secret: content\r\n.", "250").await;
    house.close().await;

    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("LOG")).collect();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    for part in [
        "id=\"LOG\\\"1\"",
        "from=\"\\u{202e}a@example.test\"",
        "to=\"b@outside.test\"",
        "recipients=1",
        "direction=\"outbound\"",
        "action=\"passed\"",
        "reason=\"no\\r\\nINFO mail action=signed \\u{1b}[31m\"",
        "size=17",
        "reply=\"250 2.0.0 stored as",
    ] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    assert!(!log.contains("Secret"), "{log}");
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "{log}");
}
