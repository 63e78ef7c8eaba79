//! Doors that change while mail goes through them: settings read anew, certificates renewed; and a door in the file system.

use std::fs;
use std::sync::Arc;

use kakitome::settings::{Listener, Settings};
use tokio::net::UnixStream;

use crate::certificates;
use crate::stage::{Client, Desk, House, Stage};

fn listener(text: &str) -> Listener {
    let table: toml::Table = format!("l = {{ {text}, direction = 'outbound' }}").parse().unwrap();
    table["l"].clone().try_into().unwrap()
}

async fn begin_tls(house: &House) -> Client {
    let mut client = house.connect().await;
    client.greet().await;
    client.ask("STARTTLS", "220").await;
    client
}

/// Does the handshake succeed, with the name that the client looks for?
async fn is_known(house: &House) -> bool {
    let mut client = begin_tls(house).await;
    client.secure("").await;
    client.try_ask("EHLO c").await.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_used_and_a_bad_one_is_not() {
    let house = Stage { door: "smtp outbound; tls = 'may'".to_owned(), ..Stage::default() }.open().await;
    assert!(is_known(&house).await);
    let folder = house.data().to_owned();
    let mut inside = begin_tls(&house).await;
    inside.secure("").await;
    inside.greet_again().await;

    // Half of a renewal: the new certificate does not fit the old key.
    let old_key = fs::read(folder.join("server.key")).unwrap();
    certificates::files(&folder, "other.test");
    fs::write(folder.join("server.key"), old_key).unwrap();
    let desk = || Arc::new(Desk::Passes);
    let refused = house.control.change(&house.settings, desk()).await.unwrap_err().to_string();
    assert!(refused.contains("tls.certificate with tls.key") && refused.contains("server.pem"), "{refused}");
    assert!(is_known(&house).await, "the old certificate is gone");

    for wrong in ["", "-----BEGIN CERTIFICATE-----\n"] {
        fs::write(folder.join("server.pem"), wrong).unwrap();
        assert!(house.control.change(&house.settings, desk()).await.is_err());
    }
    assert!(is_known(&house).await);

    certificates::files(&folder, "other.test");
    house.control.change(&house.settings, desk()).await.unwrap();
    assert!(!is_known(&house).await, "the new certificate is not used: it is another host's");
    inside.begin_mail().await;
    inside.ask("a\r\n.", "250").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_keeps_what_did_not_change_and_finishes_what_goes() {
    let house = Stage::default().open().await;
    let socket = house.data().join("smtp");
    let mut inside = house.connect().await;
    inside.greet().await;

    // A second door; the first keeps its connections, and a mail that began before ends as it began.
    let mut settings: Settings = house.settings.clone();
    settings.gateway.listeners.push(listener(&format!("protocol = 'lmtp', address = 'unix:{}'", socket.display())));
    inside.ask("MAIL FROM:<a@example.test>", "250").await;
    house.control.change(&settings, Arc::new(Desk::Fails)).await.unwrap();
    inside.ask("RCPT TO:<b@outside.test>", "250").await;
    inside.ask("DATA", "354").await;
    inside.ask("a\r\n.", "250").await;
    inside.begin_mail().await;
    inside.ask("a\r\n.", "451 4.3.0 the store is locked").await;
    let mut second = Client::over(UnixStream::connect(&socket).await.unwrap());
    second.ask("", "220 gate.test LMTP").await;
    second.ask("LHLO c", "250").await;

    // What cannot be bound changes nothing.
    let mut taken = settings.clone();
    taken
        .gateway
        .listeners
        .push(listener("protocol = 'smtp', address = '192.0.2.77:1', tls = 'require', networks = ['192.0.2.0/24']"));
    assert!(house.control.change(&taken, Arc::new(Desk::Passes)).await.is_err());
    inside.begin_mail().await;
    inside.ask("a\r\n.", "451 4.3.0 the store is locked").await;

    // The first door goes: the idle are sent away, mail in flight is finished.
    let mut idle = house.connect().await;
    idle.greet().await;
    inside.begin_mail().await;
    settings.gateway.listeners.remove(0);
    house.control.change(&settings, Arc::new(Desk::Passes)).await.unwrap();
    idle.ask("", "421 4.3.2").await;
    inside.ask("a\r\n.", "451 4.3.0 the store is locked").await;
    inside.ask("", "421 4.3.2").await;
    second.begin_mail().await;
    second.ask("a\r\n.", "250").await;
    assert_eq!(house.mails().len(), 2);
    house.close().await;
    assert!(!socket.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_for_later() {
    // Nobody's disk is free by the hundredth part of a hundred percent.
    let house = Stage { gateway: "min_free_disk = 100".to_owned(), ..Stage::default() }.open().await;
    let mut client = house.connect().await;
    client.greet().await;
    client.ask("MAIL FROM:<a@example.test>", "452 4.3.1").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_talks_is_sent_away() {
    let house = Stage::default().open().await;
    let mut client = house.connect().await;
    client.greet().await;
    let mut said = 0;
    while client.try_ask("NOOP").await.is_some_and(|reply| reply.starts_with("250")) {
        said += 1;
        assert!(said < 1000, "there is no end");
    }
    assert!(said >= 100, "{said} are too few");
    house.close().await;
}
