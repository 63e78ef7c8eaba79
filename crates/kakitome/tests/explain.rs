//! `kakitome explain`: what it says is what the gateway then does, in both languages, and nothing is changed by asking.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs;
use std::path::Path;

use instance::{Client, Instance, run, settings};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::pem;
use kakitome_testkit::envelope::Takes;
use serde_json::{Value, json};

const POLICY: &str = r#"
[policy]
submission_host = "mail.example.test"
senders = [{ login = "*", from = ["own"] }, { network = "192.0.2.0/24", from = ["shop@example.test"] }]
rules = [
    { to = ["fax.example"], sign = "never" },
    { to = ["partner.example"], sign = "opaque", header_protection = false },
]
"#;

fn mail(from: &str, rest: &str) -> String {
    format!("From: {from}\r\nTo: x@y.example\r\nCc: \"Fax\" <1@fax.example>\r\nSubject: s\r\n{rest}\r\nHello.\r\n")
}

fn said(folder: &Path, arguments: &[&str]) -> String {
    let out = run(folder, &[&["explain", "--config", "kakitome.toml"], arguments].concat());
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn wire(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(folder, &[arguments, &["--json"]].concat())).unwrap()
}

#[test]
fn what_is_explained_is_what_happens() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let up = Instance::start(folder, &settings("", POLICY));
    let from_shop = mail("shop@example.test", "");
    fs::write(folder.join("shop.eml"), &from_shop).unwrap();

    // nothing was signed yet
    let asked = ["shop.eml", "--from", "shop@example.test", "--client", "192.0.2.7"];
    let before = wire(folder, &asked);
    assert_eq!(
        (&before["outcome"], &before["form"], &before["senders_rule"]),
        (&json!("split"), &Value::Null, &json!(2))
    );
    let copies = &before["copies"];
    assert_eq!(
        (&copies[0]["outcome"], &copies[0]["form"], &copies[0]["to"]),
        (&json!("signed"), &json!("clear"), &json!(["x@y.example"]))
    );
    assert_eq!((&copies[1]["outcome"], &copies[1]["to"]), (&json!("passed"), &json!(["1@fax.example"])));
    assert_eq!(before["certificates"], json!([]));
    assert_eq!(before["recipients"][1]["treatment"]["sign"], json!({ "value": "never", "by": { "rule": 1 } }));

    // the gateway does the same, told the same by the server in front
    let mut lmtp = Client::connect(up.door("LMTP", "outbound")).unwrap();
    lmtp.greet("LMTP").unwrap();
    for (client, action) in [("192.0.2.7", "action=\"signed\""), ("198.51.100.7", "policy.senders")] {
        lmtp.ask(&format!("XFORWARD ADDR={client} IDENT=4Xk{client}")).unwrap();
        let reply = lmtp.send("shop@example.test", from_shop.as_bytes()).unwrap();
        let log = up.log_of(&reply);
        assert!(log.contains(action), "{client}: {log}");
    }

    let after = wire(folder, &asked);
    assert_eq!(after["certificates"][0]["standing"], "signs", "{after}");
    let away = wire(folder, &["shop.eml", "--client", "198.51.100.7"]);
    assert_eq!(away["reason"]["code"], "not-authorised");
    assert_eq!(
        away["senders_missed"],
        json!([{ "missing": "login", "found": null }, { "missing": "network", "found": "198.51.100.7" }])
    );
}

#[test]
fn each_outcome_is_said_in_both_languages() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::write(folder.join("kakitome.toml"), POLICY).unwrap();
    let received = "Received: from pc (pc [192.0.2.9])\r\n\t(Authenticated sender: alice)\r\n\
                    \tby mail.example.test (Postfix) with ESMTPSA id 4X; Tue, 1 Dec 2026 00:00:00 +0000\r\n";
    let tnef = "Content-Type: application/ms-tnef\r\n";
    for (name, mail, arguments, english, japanese) in [
        (
            "signed",
            format!("{received}{}", mail("alice@example.test", "")),
            &[][..],
            "policy.senders 1",
            "まだありません",
        ),
        (
            "opaque",
            mail("alice@example.test", ""),
            &["--login", "alice", "--to", "a@partner.example"],
            "opaque [policy.rules 2], header not protected [policy.rules 2]",
            "本文を署名に含む形式",
        ),
        (
            "nobody wants it",
            mail("alice@example.test", ""),
            &["--login", "alice", "--to", "a@fax.example"],
            "the policy says so (policy.rules 1)",
            "ポリシーによります（policy.rules 1）",
        ),
        (
            "somebody else",
            mail("alice@example.test", ""),
            &["--login", "bob"],
            "policy.senders 2  another network (not known)",
            "policy.senders 1  この From を許していません",
        ),
        ("letters", mail("Alice@example.test", ""), &["--login", "alice"], "capitals count", "大文字と小文字"),
        ("a bounce", mail("alice@example.test", ""), &["--from", ""], "null sender", "エンベロープの差出人が空"),
        ("an outsider", mail("a@evil.example", ""), &[], "in no domain of members.domains", "members.domains の"),
        ("winmail.dat", mail("alice@example.test", tnef), &["--login", "alice"], "winmail.dat", "winmail.dat です"),
        ("two authors", mail("a@example.test, b@example.test", ""), &[], "more than one mailbox", "複数のアドレス"),
    ] {
        fs::write(folder.join("mail.eml"), mail).unwrap();
        let arguments = [&["mail.eml"], arguments].concat();
        let (en, ja) = (said(folder, &arguments), said(folder, &[&arguments[..], &["--lang", "ja"]].concat()));
        assert!(en.contains(english), "{name}: {en}");
        assert!(ja.contains(japanese), "{name}: {ja}");
    }
    // asking made no data directory
    assert!(!folder.join("kakitome-data").exists());
}

#[test]
fn the_roll_is_asked_and_nobody_comes_into_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let roll = |join: &str| {
        fs::write(folder.join("kakitome.toml"), format!("[members]\njoin = \"{join}\"\n")).unwrap();
    };
    let does = |arguments: &[&str]| {
        let out = run(folder, &[&["member"], arguments, &["--config", "kakitome.toml"]].concat());
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let becomes = |from: &str| {
        fs::write(folder.join("mail.eml"), mail(from, "")).unwrap();
        let told = wire(folder, &["mail.eml", "--to", "x@y.example"]);
        (told["outcome"].clone(), told["reason"]["code"].clone())
    };
    let (signed, passed) = ((json!("signed"), Value::Null), |code: &str| (json!("passed"), json!(code)));

    roll("listed");
    assert_eq!(becomes("alice@example.test"), passed("not-listed"));
    does(&["add", "alice@example.test"]);
    assert_eq!(becomes("alice@example.test"), signed);
    assert_eq!(becomes("alice+news@example.test"), signed);
    assert_eq!(becomes("bob@example.test"), passed("not-listed"));
    roll("first-mail");
    assert_eq!(becomes("bob@example.test"), signed);
    does(&["leave", "alice@example.test"]);
    assert_eq!(becomes("alice@example.test"), passed("left"));
    assert_eq!(becomes("alice+news@example.test"), passed("left"));
    // who only was asked about is no member
    assert!(!does(&["list"]).contains("bob@"));
}

#[test]
fn stored_mail_is_rehearsed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::write(folder.join("kakitome.toml"), "[policy]\nrules = [{ from = ['a@example.test'], sign = 'never' }]\n")
        .unwrap();
    fs::create_dir(folder.join("sent")).unwrap();
    let mails =
        [mail("a@example.test", ""), mail("b@example.test", ""), mail("c@example.test", ""), "no mail".to_owned()];
    let mut mbox = String::new();
    for (number, mail) in mails.iter().enumerate() {
        fs::write(folder.join(format!("sent/{number}.eml")), mail).unwrap();
        mbox.push_str(&format!("From a@example.test Tue Dec  1 00:00:00 2026\n{}\n\n", mail.replace("\r\n", "\n")));
    }
    fs::write(folder.join("sent.mbox"), mbox).unwrap();
    for arguments in [&["sent"][..], &["--mbox", "sent.mbox"]] {
        let told = said(folder, arguments);
        let (lines, summary) = told.split_once("\n\n").unwrap();
        assert_eq!(lines.lines().count(), 4, "{told}");
        for line in
            ["4 mails:", "       2  leaves signed, in the clear form", "       1  leaves unsigned, as it is: no From"]
        {
            assert!(summary.contains(line), "{line}: {told}");
        }
        let lines = said(folder, &[arguments, &["--json"]].concat());
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
    }
}

#[test]
fn what_would_be_encrypted_and_to_whom_is_said() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let rules = "[fetch]\nenabled = false\n[policy]\ntags = [{ tag = '[secure]', intent = 'confidential' }]\n\
                 rules = [{ to = ['court.example'], encrypt = 'always' }, { to = ['open.example'], encrypt = 'never' }]\n";
    fs::write(folder.join("kakitome.toml"), rules).unwrap();
    let holder =
        Takes::P256.holder_of("desk", |factory| factory.valid(Time::from_unix(0), Time::from_unix(4_000_000_000)));
    fs::write(folder.join("bank.pem"), pem::write("CERTIFICATE", holder.certificate.raw())).unwrap();
    let imported = run(folder, &["directory", "import", "--for", "bank.example", "bank.pem"]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let serial = holder.certificate.serial_hex();
    let secure = "X-Kakitome-Intent: confidential\r\n";
    let strange = "X-Kakitome-Intent: secret\r\n";
    for (name, fields, to, outcome, english, japanese) in [
        (
            "sealed",
            "",
            &["desk@bank.example"][..],
            "sealed",
            "leaves signed and encrypted, AES-256-CBC",
            "署名し、暗号化して送られます、AES-256-CBC",
        ),
        ("alone", "", &["x@bank.example"], "sealed", "a copy of his own", "一人だけの写し"),
        (
            "together",
            "",
            &["desk@bank.example", "x@open.example"],
            "signed",
            "not encrypted [policy.rules 2]",
            "暗号化しない [policy.rules 2]",
        ),
        (
            "refused",
            "",
            &["desk@bank.example", "c@court.example"],
            "withheld",
            "c@court.example: no certificate can be used",
            "使える証明書がありません",
        ),
        (
            "held",
            secure,
            &["n@x.example"],
            "withheld",
            "is held until it can be encrypted, and its sender is told",
            "暗号化できるまで保留",
        ),
        (
            "asked for",
            secure,
            &["desk@bank.example"],
            "sealed",
            "confidential [X-Kakitome-Intent]",
            "差出人の希望  confidential",
        ),
        (
            "not known",
            strange,
            &["desk@bank.example"],
            "withheld",
            "what its author asks for is not known",
            "差出人の希望が読み取れません",
        ),
        (
            "a member beside",
            "",
            &["desk@bank.example", "bob@example.test"],
            "split",
            "members' mail stays in the house",
            "組織内の宛先",
        ),
    ] {
        let mail = format!("From: alice@example.test\r\nTo: desk@bank.example\r\n{fields}\r\nHello.\r\n");
        fs::write(folder.join("mail.eml"), mail).unwrap();
        let mut arguments = vec!["mail.eml"];
        arguments.extend(to.iter().flat_map(|to| ["--to", to]));
        let json = wire(folder, &arguments);
        assert_eq!(json["outcome"], outcome, "{name}: {json}");
        let (en, ja) = (said(folder, &arguments), said(folder, &[&arguments[..], &["--lang", "ja"]].concat()));
        assert!(en.contains(english), "{name}: {en}");
        assert!(ja.contains(japanese), "{name}: {ja}");
        if outcome == "sealed" {
            assert_eq!(json["copies"][0]["readers"], json!([serial]), "{name}");
        }
    }
}
