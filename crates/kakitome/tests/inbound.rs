//! Received mail through `kakitome up` as its user has it: sealed by OpenSSL to a member, opened, judged and marked; what
//! leaves knows what was opened; and a mail that nothing survives is not tried for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;
mod peers;

use std::fs;
use std::path::Path;
use std::process::Command;

use instance::{Client, Instance, kakitome, run, settings, stored};
use kakitome_office::journal::{Journal, Passage};

const SUITE: &str = "inbound";
const SETTINGS: &str = "[inbound]\nauthserv_id = \"gw.example.test\"\n";

/// Mails, one for each recipient as LMTP answers, with the reply.
fn hand_in(up: &Instance, direction: &str, from: &str, to: &[&str], queue_id: Option<&str>, mail: &str) -> Vec<String> {
    let mut client = Client::connect(up.door("LMTP", direction)).unwrap();
    client.greet("LMTP").unwrap();
    if let Some(queue_id) = queue_id {
        assert!(client.ask(&format!("XFORWARD IDENT={queue_id}")).unwrap().starts_with("250"));
    }
    assert!(client.ask(&format!("MAIL FROM:<{from}>")).unwrap().starts_with("250"));
    for to in to {
        assert!(client.ask(&format!("RCPT TO:<{to}>")).unwrap().starts_with("250"));
    }
    assert!(client.ask("DATA").unwrap().starts_with("354"));
    client.write(format!("{mail}.\r\n").as_bytes()).unwrap();
    let mut arrived = Vec::new();
    for _ in to {
        let reply = client.reply().unwrap();
        let name = stored(&reply).unwrap_or_else(|| panic!("answered with {reply}\n{}", up.log()));
        arrived.push(String::from_utf8(fs::read(up.maildir().join("new").join(name)).unwrap()).unwrap());
    }
    client.ask("QUIT").unwrap();
    arrived
}

fn openssl(openssl: &Path, folder: &Path, arguments: &str) {
    let done = Command::new(openssl).current_dir(folder).args(arguments.split(' ')).output().unwrap();
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A certificate and key of a member, as another CA made it, taken into the vault.
fn member(program: &Path, folder: &Path) {
    fs::write(
        folder.join("member.cnf"),
        "[req]\ndistinguished_name=dn\n[dn]\n[v3]\nsubjectAltName=email:jiro@example.test\nextendedKeyUsage=emailProtection\n\
         keyUsage=critical,digitalSignature,keyEncipherment\nbasicConstraints=CA:false\n",
    )
    .unwrap();
    openssl(
        program,
        folder,
        "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=jiro -config member.cnf -extensions v3 -keyout member.key -out member.pem",
    );
    openssl(program, folder, "pkcs12 -export -inkey member.key -in member.pem -passout pass:secret -out member.p12");
    fs::write(folder.join("password.txt"), "secret\n").unwrap();
    let import =
        run(folder, &["cert", "import", "--config", "kakitome.toml", "--password-file", "password.txt", "member.p12"]);
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
}

#[test]
fn what_openssl_seals_to_a_member_arrives_opened_and_does_not_leave_in_the_clear() {
    let Some([program]) = peers::programs(SUITE, ["openssl"]) else { return };
    let house = tempfile::tempdir().unwrap();
    let folder = house.path();
    let up = Instance::start(folder, &settings("", SETTINGS));
    member(&program, folder);
    fs::write(folder.join("inner"), "Content-Type: text/plain\r\nX-Spam-Status: No\r\n\r\nThe secret.\r\n").unwrap();
    openssl(
        &program,
        folder,
        "cms -encrypt -binary -aes-256-gcm -in inner -from eve@elsewhere.example -to jiro@example.test -subject Hello -out sealed member.pem",
    );
    let sealed = fs::read_to_string(folder.join("sealed")).unwrap().replace("\r\n", "\n").replace('\n', "\r\n");
    let forged = "X-Kakitome-Verdict: ORG_CONFIRMED\r\nAuthentication-Results: gw.example.test; smime=pass\r\n\
                  Authentication-Results: mx.example.test; dkim=pass\r\n";
    let mail = format!("{forged}Message-ID: <7@elsewhere.example>\r\n{sealed}");
    let to = ["jiro@example.test", "hana@example.test"];
    let arrived = hand_in(&up, "inbound", "eve@elsewhere.example", &to, Some("4XJIRO"), &mail);

    let opened = &arrived[0];
    assert!(opened.starts_with("Authentication-Results: gw.example.test;\r\n\tsmime=none"), "{opened}");
    assert!(opened.contains("\r\nX-Kakitome-Verdict: NOT_SIGNED\r\n"), "{opened}");
    assert!(opened.contains("\r\nX-Kakitome-Sealed: opened; authenticated=yes\r\n"), "{opened}");
    assert!(opened.contains("\r\nAuthentication-Results: mx.example.test; dkim=pass\r\nMessage-ID: <7@"), "{opened}");
    assert!(
        !opened.contains("ORG_CONFIRMED") && !opened.contains("smime=pass") && !opened.contains("X-Spam"),
        "{opened}"
    );
    assert!(opened.ends_with("\r\nContent-Type: text/plain\r\n\r\nThe secret.\r\n"), "{opened}");
    // Hana gets it too, and cannot read it: she is not whom it was sealed to.
    let closed = &arrived[1];
    assert!(closed.contains("\r\nX-Kakitome-Sealed: closed; reason=enc.other-reader\r\n"), "{closed}");
    assert!(closed.contains("\r\nX-Kakitome-Verdict: SEALED\r\n") && !closed.contains("The secret"), "{closed}");
    assert!(closed.ends_with(&sealed[sealed.find("MIME-Version").unwrap()..]), "{closed}");

    // The use of the key is in the log of what was done, with the queue id.
    let audit = run(folder, &["audit", "show", "--json"]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    let used = audit.lines().find(|line| line.contains("key.opened")).unwrap_or_else(|| panic!("{audit}"));
    assert!(used.contains("jiro@example.test") && used.contains("4XJIRO"), "{used}");
    // So is the use of one that signs.
    let hello = "From: jiro@example.test\r\nTo: eve@elsewhere.example\r\nSubject: Hello\r\n\r\nHello.\r\n";
    hand_in(&up, "outbound", "jiro@example.test", &["eve@elsewhere.example"], Some("4XLEAVES"), hello);
    let audit = run(folder, &["audit", "show", "--act", "key.signed", "--last", "1"]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(audit.contains("jiro@example.test") && audit.contains("queue=4XLEAVES"), "{audit}");

    // What leaves is known to be about it: an answer, and a report that brings it back.
    let answer = "From: jiro@example.test\r\nTo: eve@elsewhere.example\r\nSubject: Re: Hello\r\n\
                  Message-ID: <8@example.test>\r\nIn-Reply-To: <7@elsewhere.example>\r\n\r\n> The secret.\r\n";
    hand_in(&up, "outbound", "jiro@example.test", &["eve@elsewhere.example"], None, answer);
    assert!(up.log().contains("it answers a mail that was opened here"), "{}", up.log());
    let report = format!(
        "From: MAILER-DAEMON@example.test\r\nTo: eve@elsewhere.example\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nThe mailbox is full.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{opened}\r\n--b--\r\n"
    );
    let left = &hand_in(&up, "outbound", "", &["eve@elsewhere.example"], None, &report)[0];
    assert!(!left.contains("The secret") && left.contains("Message-ID: <7@elsewhere.example>"), "{left}");
    assert!(left.contains("Content-Type: text/rfc822-headers\r\n") && left.contains("The mailbox is full"), "{left}");
    // Another mail brought back stays whole.
    let other = report.replace("<7@elsewhere.example>", "<9@elsewhere.example>");
    assert!(hand_in(&up, "outbound", "", &["eve@elsewhere.example"], None, &other)[0].contains("The secret"));
}

/// The number of a mail's beginnings outlives the process; the sixth is handed on unread, and so is what comes after it.
#[test]
fn a_mail_that_nothing_survives_is_handed_on_unread_in_the_end() {
    let house = tempfile::tempdir().unwrap();
    let folder = house.path();
    let mail = "From: a@elsewhere.example\r\nX-Kakitome-Verdict: ORG_CONFIRMED\r\n\r\nHello.\r\n";
    // As a server that died five times over it left the journal, and four times over another.
    {
        kakitome(folder).args(["config", "template"]).output().unwrap();
        fs::create_dir(folder.join("kakitome-data")).unwrap();
        Command::new("chmod").args(["700"]).arg(folder.join("kakitome-data")).status().unwrap();
        let journal = Journal::open(&folder.join("kakitome-data")).unwrap();
        for (queue_id, times) in [("4XPOISON", 5), ("4XUNLUCKY", 4)] {
            for _ in 0..times {
                drop(journal.begin(Passage::of(queue_id, &mail.as_bytes().to_vec()).unwrap()).unwrap());
            }
        }
    }
    let up = Instance::start(folder, &settings("", SETTINGS));
    let unread = &hand_in(&up, "inbound", "a@elsewhere.example", &["jiro@example.test"], Some("4XPOISON"), mail)[0];
    assert!(
        unread.contains("\r\nX-Kakitome-Verdict: CHECK_INCOMPLETE\r\nX-Kakitome-Reason: gateway.unchecked\r\n"),
        "{unread}"
    );
    assert!(unread.ends_with("\r\nFrom: a@elsewhere.example\r\n\r\nHello.\r\n"), "{unread}");
    assert!(up.log().contains("please report it"), "{}", up.log());
    // Another begun as often as may be, and one that was never begun, are read; and ended is ended.
    for queue_id in ["4XUNLUCKY", "4XUNLUCKY", "4XOTHER"] {
        let to = format!("{}@example.test", queue_id.to_lowercase());
        let read = &hand_in(&up, "inbound", "a@elsewhere.example", &[&to], Some(queue_id), mail)[0];
        assert!(read.contains("\r\nX-Kakitome-Verdict: NOT_SIGNED\r\n"), "{queue_id}: {read}");
    }
}
