//! What was sealed does not come back in a report: it leaves opened only to a next hop that can be told so, and explain
//! knows what it is about.

use std::fs;
use std::path::Path;

use super::instance::{Client, Instance, run, settings};
use super::metrics::sealed_to;
use super::reload;
use super::sink::{Does, Sink};

fn hand_in(up: &Instance, from: &str, id: &str, mail: &str) -> String {
    let mut client = Client::connect(up.door("LMTP", "inbound")).unwrap();
    client.greet("LMTP").unwrap();
    for command in [
        format!("XFORWARD IDENT={id}"),
        format!("MAIL FROM:<{from}>"),
        "RCPT TO:<bob@example.test>".to_owned(),
        "DATA".to_owned(),
    ] {
        client.ask(&command).unwrap();
    }
    client.write(format!("Message-ID: <{id}@elsewhere.example>\r\n{mail}\r\n.\r\n").as_bytes()).unwrap();
    client.reply().unwrap()
}

fn written(sink: &Sink) -> String {
    settings(&format!("next_hop = '{}'", sink.address), "")
}

#[test]
fn without_dsn_it_stays_sealed_unless_nobody_would_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let deaf = Sink::start().without_dsn();
    let up = Instance::start(folder.path(), &written(&sink));
    let mail = sealed_to(folder.path());
    // (the next hop, the sender, whether it is opened)
    for (number, (hop, from, is_opened)) in
        [(&sink, "eve@elsewhere.example", true), (&deaf, "eve@elsewhere.example", false), (&deaf, "", true)]
            .iter()
            .enumerate()
    {
        reload(&up, folder.path(), &written(hop));
        hop.now(Does::Takes);
        let id = format!("OPEN{number}");
        let reply = hand_in(&up, from, &id, &mail);
        assert!(reply.starts_with("250"), "{reply}\n{}", up.log());
        let taken = hop.mails().pop().unwrap();
        assert_eq!(taken.contains("The secret."), *is_opened, "{id}: {taken}");
        let says =
            if *is_opened { "X-Kakitome-Sealed: opened" } else { "X-Kakitome-Sealed: closed; reason=enc.no-dsn" };
        assert!(taken.contains(says), "{id}: {taken}");
        let asked: Vec<String> = hop.commands().into_iter().filter(|line| line.starts_with("MAIL")).collect();
        let has_ret = asked.last().is_some_and(|line| line.contains("RET=HDRS"));
        assert_eq!(has_ret, number == 0, "{id}: {asked:?}");
        let log = up.log();
        let line = log.lines().find(|line| line.contains(&format!("id=\"{id}\""))).unwrap_or_else(|| panic!("{log}"));
        assert_eq!(line.contains("still sealed: enc.no-dsn"), !is_opened, "{line}");
    }
    explain_knows(folder.path());
}

/// An answer to what was opened is explained as it would be treated: encrypted wherever it can be.
fn explain_knows(folder: &Path) {
    let answer = |to: &str| {
        format!(
            "From: bob@example.test\r\nTo: eve@elsewhere.example\r\nSubject: Re\r\nMessage-ID: <a@example.test>\r\n\
             In-Reply-To: <{to}@elsewhere.example>\r\n\r\n> The secret.\r\n"
        )
    };
    fs::write(folder.join("explain.toml"), "[policy]\nencrypt = 'never'\n").unwrap();
    let mut said = Vec::new();
    for to in ["OPEN0", "NEVER"] {
        fs::write(folder.join("answer.eml"), answer(to)).unwrap();
        let explained =
            run(folder, &["explain", "--config", "explain.toml", "--from", "bob@example.test", "answer.eml"]);
        assert!(explained.status.success(), "{}", String::from_utf8_lossy(&explained.stderr));
        said.push(String::from_utf8(explained.stdout).unwrap());
    }
    let about = "it is about a mail that came sealed";
    assert!(said[0].contains(about) && !said[1].contains(about), "{said:?}");
}
