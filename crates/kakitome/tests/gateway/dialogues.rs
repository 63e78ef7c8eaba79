//! The gateway over real connections: each file of `testdata/gateway/*.dialogue` is one dialogue, played by one runner.
//!
//! A dialogue begins with what stands around it, then comes what is said:
//!
//! ```text
//! door: lmtp outbound                   protocol and direction of the listener (smtp outbound); behind a semicolon more of
//!                                       its table; also address: 0.0.0.0, gateway: and tls: for lines of these sections
//! next-hop: smtp SIZE 9; DSN            a peer that announces this, or maildir (the default)
//! next-hop-tls: good                    what the peer shows in TLS: other.test, stranger; or it injects a reply
//! answer: RCPT TO:<no@ => 550 no        what the peer answers to lines with this beginning; also GREETING, DOT, DOT 2
//!                                       (at the second mail's end); `drop` closes the connection; \n makes several lines
//! desk: passes                          or signs (puts a line before the mail that tells the envelope), fails, panics,
//!                                       splits (see `stage::Desk::Splits`)
//! mode: pass                            gateway.mode; also max_mail: 100
//! C: MAIL FROM:<a@b.test>               we send this line with CR LF
//! R: a\nb\r\n                           we send these bytes and no others
//! T: mx.example.test                    we do the handshake of TLS, with a certificate of this name (`stranger`: by a CA
//!                                       that the gateway does not know), or with none
//! S: 250 2.1.0                          the gateway's next line begins so; `S: <end>`: it closes
//! N: MAIL FROM:<a@b.test>               at the end: every line that the peer received, but QUIT
//! F: Subject: a                         at the end: every line of the one mail in the Maildir; `F: <none>`: there is none
//! ```

use std::fs;
use std::path::Path;

use crate::stage::{Client, Desk, NextHop, Peer, Stage};

#[derive(Default)]
struct Dialogue {
    stage: Stage,
    lines: Vec<(usize, char, String)>,
}

fn read(text: &str) -> Dialogue {
    let mut dialogue = Dialogue::default();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("line {}: {line}", number + 1));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match key {
            "door" => dialogue.stage.door = value,
            "address" => dialogue.stage.address = value,
            "gateway" => dialogue.stage.gateway = value,
            "tls" => dialogue.stage.tls = value,
            "mode" => dialogue.stage.mode = value,
            "max_mail" => dialogue.stage.max_mail = value.parse().unwrap(),
            "desk" => {
                dialogue.stage.desk = match value.as_str() {
                    "passes" => Desk::Passes,
                    "signs" => Desk::Signs,
                    "fails" => Desk::Fails,
                    "panics" => Desk::Panics,
                    "splits" => Desk::Splits { numbered: false },
                    _ => panic!("line {}: no such desk", number + 1),
                }
            }
            "next-hop" => {
                dialogue.stage.next_hop = match value.strip_prefix("smtp") {
                    Some(offer) => NextHop::Peer(Peer::announcing(offer.split(';').map(str::trim))),
                    None => NextHop::Maildir,
                }
            }
            "next-hop-tls" => {
                let NextHop::Peer(peer) = &mut dialogue.stage.next_hop else { panic!("TLS without a peer") };
                peer.tls = value;
            }
            "answer" => {
                let (command, reply) = value.split_once(" => ").unwrap();
                let NextHop::Peer(peer) = &mut dialogue.stage.next_hop else { panic!("answer without a peer") };
                peer.answers.push((command.to_owned(), reply.replace("\\n", "\r\n")));
            }
            "C" | "R" | "S" | "N" | "F" | "T" => dialogue.lines.push((number + 1, key.chars().next().unwrap(), value)),
            _ => panic!("line {}: {key} is unknown", number + 1),
        }
    }
    dialogue
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.push(match bytes.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b'0') => 0,
                other => other.unwrap(),
            }),
            _ => out.push(byte),
        }
    }
    out
}

async fn play(name: &str, text: &str) {
    let dialogue = read(text);
    let house = dialogue.stage.open().await;
    let mut client: Client = house.connect().await;
    let (mut to_peer, mut stored) = (Vec::new(), Vec::new());
    for (number, kind, line) in &dialogue.lines {
        match kind {
            'C' => client.send(format!("{line}\r\n").as_bytes()).await,
            'T' => client.secure(line).await,
            'R' => client.send(&unescape(line)).await,
            'N' => to_peer.push(line.as_str()),
            'F' => stored.push(line.as_str()),
            _ => {
                let heard = client.line().await.unwrap_or_else(|| "<end>".to_owned());
                assert!(heard.starts_with(line), "{name}:{number}: hoped for {line:?}, heard {heard:?}");
            }
        }
    }
    drop(client);
    if !to_peer.is_empty() {
        let heard = house.peer_heard(to_peer.len()).await;
        assert_eq!(heard, to_peer, "{name}: what the next hop heard");
    }
    if !stored.is_empty() {
        let mails = house.mails();
        let lines: Vec<String> = match mails.as_slice() {
            [] => vec!["<none>".to_owned()],
            [mail] => String::from_utf8(mail.clone()).unwrap().split_terminator("\r\n").map(str::to_owned).collect(),
            more => panic!("{name}: {} mails in the Maildir", more.len()),
        };
        assert_eq!(lines, stored, "{name}: what the Maildir holds");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialogues() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/gateway");
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dialogue"));
    files.sort();
    assert!(files.len() >= 10, "the dialogues are missing in {}", directory.display());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        // A dialogue that hangs is a failure, not a wait for a time-out of minutes.
        let played = tokio::time::timeout(std::time::Duration::from_secs(20), play(&name, &text)).await;
        assert!(played.is_ok(), "{name} hangs");
    }
}
