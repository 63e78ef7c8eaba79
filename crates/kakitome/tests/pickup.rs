//! Where members pick up their files, over a real connection and a real store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use kakitome::web::pickup::{Counter, routes};
use kakitome_office::audit::{Actor, Part};
use kakitome_office::deploy::pickup::{self, Attempt, Offer, Ticket};
use kakitome_office::deploy::{File, Program};
use kakitome_office::store::Store;
use kakitome_pki::crypto::SystemRandom;
use kakitome_testkit::NOW;

struct Shelf(Store);

fn actor() -> Actor {
    Actor::part("test", Part::Web)
}

fn file(name: &str) -> File {
    File { name: name.into(), octets: b"octets".to_vec(), media_type: "application/x-pkcs12", keys: Vec::new() }
}

impl Counter for Shelf {
    fn look(&self, token: &str) -> Result<Option<Offer>, String> {
        pickup::look(&self.0, token, NOW).map_err(|fault| fault.to_string())
    }

    fn authorities(&self) -> Result<Vec<File>, String> {
        Ok(vec![file("kakitome-ca.pem")])
    }

    fn take(&self, token: &str, code: &str) -> Result<Attempt, String> {
        pickup::take(&self.0, &actor(), token, code, NOW, |_, _| Ok(file("taro.p12")))
            .map_err(|fault| fault.to_string())
    }
}

fn ask(address: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer[9..12].parse().unwrap(), answer)
}

#[test]
fn a_link_gives_its_file_once_and_only_for_the_code() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let offer = |address: &str| -> Ticket {
        pickup::offer(&store, &actor(), address, Program::Outlook, NOW.plus(600), NOW, &SystemRandom).unwrap()
    };
    let (taken, spent) = (offer("taro@example.jp"), offer("hanako@example.jp"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let site = routes(Arc::new(Shelf(store)));
    runtime.spawn(async move { axum::serve(listener, site).await });

    let link = |ticket: &Ticket| format!("/pickup/{}?lang=en", ticket.token.as_str());
    let get = |path: &str| ask(address, &format!("GET {path} HTTP/1.1"), "");
    let post = |path: &str, body: &str| ask(address, &format!("POST {path} HTTP/1.1"), body);
    let (code, page) = get(&link(&taken));
    assert_eq!(code, 200);
    for told in [
        "cache-control: no-store",
        "content-security-policy: default-src 'none'",
        "referrer-policy: no-referrer",
        "Pick up your certificate",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("taro@"), "whoever found the link learns no name");
    let (code, page) = post(&link(&taken), "code=22222-22222-22222-22222-22222");
    assert!(code == 403 && page.contains("You can try 4 more times."), "{page}");
    assert_eq!(post(&link(&taken), "kode=x").0, 400);
    assert_eq!(post(&link(&taken), &format!("code={}", "x".repeat(5000))).0, 400);
    let right = format!("code={}", taken.code.reveal().to_uppercase().replace('-', "+"));
    let (code, got) = post(&link(&taken), &right);
    assert!(code == 200 && got.ends_with("octets"), "{got}");
    for told in [
        "content-disposition: attachment; filename=\"taro.p12\"",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
    ] {
        assert!(got.contains(told), "{told}: {got}");
    }
    // used, never there, no token at all: they look the same
    let (_, used) = get(&link(&taken));
    for path in [link(&taken), format!("/pickup/{}?lang=en", "A".repeat(43)), "/pickup/x?lang=en".to_owned()] {
        for (code, page) in [get(&path), post(&path, &right)] {
            assert_eq!(code, 404, "{path}");
            assert_eq!(page.lines().last(), used.lines().last(), "{path}");
        }
    }
    let tries = (0..5).map(|_| post(&link(&spent), "code=wrong").0).collect::<Vec<_>>();
    assert_eq!(tries, [403, 403, 403, 403, 404]);
    assert_eq!(post(&link(&spent), &format!("code={}", spent.code.reveal())).0, 404);

    assert_eq!(ask(address, &format!("PUT {} HTTP/1.1", link(&spent)), "").0, 405);
    assert!(get("/pickup/ca/kakitome-ca.pem").1.ends_with("octets"));
    for path in ["/pickup/ca/other.pem", "/pickup/ca/..%2f..%2fstore.sqlite", "/pickup/ca/"] {
        assert_eq!(get(path).0, 404, "{path}");
    }
}
