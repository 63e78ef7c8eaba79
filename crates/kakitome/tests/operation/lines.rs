//! The log as its reader has it: by the queue id and the address, one line says what became of a mail for a recipient.

use super::instance::{Client, Instance, mail, settings};
use super::sink::Sink;

/// (the recipient, what stands in his line)
const ROWS: [(&str, &[&str]); 4] = [
    ("bob@example.net", &["signed", "certificate", "250 2.0.0 taken"]),
    ("carol@example.net", &["signed", "250 2.0.0 taken"]),
    ("full@example.net", &["452 4.2.2 full"]),
    ("gone@example.net", &["550 5.1.1 gone"]),
];

#[test]
fn one_line_tells_each_recipients_fate() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::start();
        let text = settings(&format!("next_hop = '{}'", sink.address), &format!("[log]\nformat = '{format}'"));
        let up = Instance::start(folder.path(), &text);
        let mut client = Client::connect(up.door("LMTP", "outbound")).unwrap();
        client.greet("LMTP").unwrap();
        client.ask("XFORWARD IDENT=4XLINE").unwrap();
        client.ask("MAIL FROM:<alice@example.test>").unwrap();
        for (to, _) in ROWS {
            client.ask(&format!("RCPT TO:<{to}>")).unwrap();
        }
        client.ask("DATA").unwrap();
        client.write(format!("{}.\r\n", mail("alice@example.test", "a secret", "Hush.\r\n")).as_bytes()).unwrap();
        for _ in 0..2 {
            assert!(client.reply().unwrap().starts_with("250"));
        }
        let log = up.log();
        for (to, says) in ROWS {
            let lines: Vec<&str> = log.lines().filter(|line| line.contains("4XLINE") && line.contains(to)).collect();
            let [line] = lines.as_slice() else { panic!("{format}, {to}: {lines:?}\n{log}") };
            for part in says {
                assert!(line.contains(part), "{format}, {to}: {part} is missing in {line}");
            }
            if format == "json" {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["id"], "4XLINE");
                assert!(line["to"].as_str().unwrap().split(' ').any(|one| one == to), "{line}");
            }
        }
        assert!(!log.contains("a secret") && !log.contains("Hush"), "{log}");
    }
}
