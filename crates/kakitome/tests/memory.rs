//! Peak memory is a number: a mail of 100 MB passes through a process that stays small. A test program of its own, as
//! the peak is the process's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "gateway/certificates.rs"]
mod certificates;
#[path = "gateway/stage.rs"]
mod stage;

use std::sync::Arc;

use stage::{NextHop, Peer, Stage};

/// The most that this process, gateway and client and next hop together, may ever have held, in KiB.
const PEAK_KIB: u64 = 48 * 1024;

/// How many send at once, and how many thousand lines each.
const CLIENTS: u64 = 30;
const LINES: u64 = 26;

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_of_100_mb_needs_little_memory() {
    let next_hops = [NextHop::Maildir, NextHop::Peer(Peer::counting())];
    for next_hop in next_hops {
        let house = Stage { next_hop: next_hop.clone(), ..Stage::default() }.open().await;
        let mut client = house.connect().await;
        client.greet().await;
        client.begin_mail().await;
        let line = [[b'x'; 76].as_slice(), b"\r\n"].concat().repeat(1000);
        let mut sent = 0;
        while sent < 100 * 1000 * 1000 {
            client.send(&line).await;
            sent += line.len() as u64;
        }
        client.ask(".", "250").await;
        match next_hop {
            NextHop::Peer(peer) => {
                assert_eq!(peer.counted.unwrap().load(std::sync::atomic::Ordering::Relaxed), sent);
            }
            _ => {
                let mail = std::fs::read_dir(house.maildir().join("new")).unwrap().next().unwrap().unwrap();
                assert_eq!(mail.metadata().unwrap().len(), sent);
            }
        }
        house.close().await;
    }
    many_at_once().await;
    let peak = peak_kib();
    assert!(peak < PEAK_KIB, "the peak was {peak} KiB");
    println!("peak {peak} KiB");
}

/// Thirty mails of 2 MB that are sent at the same time need no more than one of 100 MB.
async fn many_at_once() {
    let peer = Peer::counting();
    let counted = peer.counted.clone().unwrap();
    let stage = Stage { next_hop: NextHop::Peer(peer), max_connections: 40, ..Stage::default() };
    let house = Arc::new(stage.open().await);
    let line = Arc::new([[b'x'; 76].as_slice(), b"\r\n"].concat().repeat(1000));
    let send = async |house: Arc<stage::House>, line: Arc<Vec<u8>>| {
        let mut client = house.connect().await;
        client.greet().await;
        client.begin_mail().await;
        for _ in 0..LINES {
            client.send(&line).await;
        }
        client.ask(".", "250").await;
    };
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(send(Arc::clone(&house), Arc::clone(&line)));
    }
    while let Some(sent) = clients.join_next().await {
        sent.unwrap();
    }
    let expected = CLIENTS * LINES * line.len() as u64;
    assert_eq!(counted.load(std::sync::atomic::Ordering::Relaxed), expected);
    Arc::into_inner(house).unwrap().close().await;
}
