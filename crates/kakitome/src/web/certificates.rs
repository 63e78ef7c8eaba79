//! The certificate store for the outside (RFC 4387): who wants to encrypt to a member asks here. Bounded for each client, so
//! that nobody tries the names of a staff one after the other.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use kakitome_office::directory::publish::{Answer, Publisher, Question, SEARCH_PATH};
use kakitome_pki::crypto::{Random, SystemRandom};
use tokio::sync::Semaphore;

use super::{Caller, Peer, now};

/// Questions of one client at once.
const BURST: u32 = 30;
/// After those, one in so long: six hundred in an hour, and a staff of 14,300 names in a day at the earliest.
const ONE_IN: Duration = Duration::from_secs(6);
/// Clients that are told apart; who comes beyond them is counted with all others who do.
const CLIENT_LIMIT: usize = 65_536;
/// So many questions are answered at once; the others wait their turn.
const AT_ONCE: usize = 4;
/// A question that had no turn after so long is asked to come back.
const TURN_TIME: Duration = Duration::from_secs(10);
/// An answer may be kept for so long, in seconds.
const KEPT: &str = "public, max-age=3600, no-transform";

struct Desk {
    publisher: Arc<Publisher>,
    turns: Semaphore,
    clients: Clients,
}

/// The route. To be merged with the page's.
pub fn certificates(publisher: Arc<Publisher>) -> Router {
    let desk = Desk { publisher, turns: Semaphore::new(AT_ONCE), clients: Clients::default() };
    Router::new().route(SEARCH_PATH, get(search)).with_state(Arc::new(desk))
}

async fn search(
    Shared(desk): Shared<Arc<Desk>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let client = caller.map(|Extension(ConnectInfo(Peer(address)))| client(address.ip(), &headers));
    if let Err(wait) = desk.clients.take(client, Instant::now()) {
        let seconds = wait.as_secs().saturating_add(1).to_string();
        let mut response = said(StatusCode::TOO_MANY_REQUESTS, "too many questions; come back later");
        if let Ok(seconds) = HeaderValue::from_str(&seconds) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        return response;
    }
    let question = match Question::parse(query.as_deref().unwrap_or_default()) {
        Ok(question) => question,
        Err(why) => return said(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    let Ok(Ok(_turn)) = tokio::time::timeout(TURN_TIME, desk.turns.acquire()).await else {
        return said(StatusCode::SERVICE_UNAVAILABLE, "too many questions at once; come back later");
    };
    let publisher = Arc::clone(&desk.publisher);
    match tokio::task::spawn_blocking(move || publisher.answer(&question, now())).await {
        Ok(Ok(Answer::Certificates(certificates))) => served(&certificates),
        Ok(Ok(Answer::Absent)) => said(StatusCode::NOT_FOUND, "there is no such certificate here"),
        Ok(Ok(Answer::TooMany)) => {
            said(StatusCode::FORBIDDEN, "many certificates have this; ask by the address or by what belongs to one")
        }
        Ok(Err(fault)) => {
            tracing::error!(%fault, "the certificates of members cannot be read");
            said(StatusCode::SERVICE_UNAVAILABLE, "come back later")
        }
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "come back later"),
    }
}

/// One as it is, several in parts (RFC 4387 §2.4).
fn served(certificates: &[Vec<u8>]) -> Response {
    const KIND: &str = "application/pkix-cert";
    let (kind, body) = match certificates {
        [one] => (KIND.to_owned(), one.clone()),
        several => {
            let boundary = boundary(several);
            let mut body = Vec::new();
            for one in several {
                body.extend(format!("--{boundary}\r\nContent-Type: {KIND}\r\n\r\n").as_bytes());
                body.extend(one);
                body.extend(b"\r\n");
            }
            body.extend(format!("--{boundary}--\r\n").as_bytes());
            (format!("multipart/mixed; boundary={boundary}"), body)
        }
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(KEPT));
    harden(response)
}

/// A line that stands in none of them.
fn boundary(parts: &[Vec<u8>]) -> String {
    loop {
        let mut random = [0u8; 12];
        // Without randomness any line does that is in none of them.
        SystemRandom.fill(&mut random).ok();
        let line = format!("kakitome-{}", kakitome_pki::cert::hex(&random));
        let is_inside = |part: &Vec<u8>| part.windows(line.len()).any(|window| window == line.as_bytes());
        if !parts.iter().any(is_inside) {
            return line;
        }
    }
}

fn said(status: StatusCode, text: &str) -> Response {
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    let mut response = (status, [kind], format!("{text}\n")).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    harden(response)
}

fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}

/// Who asks. Behind a proxy on this machine whom that names last, which it writes itself; what stands before is whatever the
/// client wrote. Of IPv6 the network of 64 bits, which is one household's.
fn client(address: IpAddr, headers: &HeaderMap) -> IpAddr {
    let handed_on = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let named = handed_on.and_then(|list| list.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    let address = address.to_canonical();
    match named.filter(|_| address.is_loopback()).unwrap_or(address).to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

/// How much each client has left.
#[derive(Default)]
struct Clients(Mutex<HashMap<Option<IpAddr>, Left>>);

#[derive(Clone, Copy)]
struct Left {
    questions: u32,
    /// Since when the next one grows back.
    since: Instant,
}

impl Left {
    /// What grew back since.
    fn refilled(self, now: Instant) -> Self {
        let grown = now.saturating_duration_since(self.since).as_secs().checked_div(ONE_IN.as_secs()).unwrap_or(0);
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        let questions = self.questions.saturating_add(grown);
        if questions >= BURST {
            return Self { questions: BURST, since: now };
        }
        let since = ONE_IN.checked_mul(grown).and_then(|time| self.since.checked_add(time)).unwrap_or(now);
        Self { questions, since }
    }
}

impl Clients {
    /// Takes one question of a client's, or says how long to wait.
    fn take(&self, client: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENT_LIMIT && !clients.contains_key(&client) {
            // Who has all left again need not be remembered.
            clients.retain(|_, left| left.refilled(now).questions < BURST);
        }
        let client = if clients.len() >= CLIENT_LIMIT && !clients.contains_key(&client) { None } else { client };
        let left = clients.entry(client).or_insert(Left { questions: BURST, since: now });
        *left = left.refilled(now);
        match left.questions.checked_sub(1) {
            Some(questions) => {
                left.questions = questions;
                Ok(())
            }
            None => Err(ONE_IN.saturating_sub(now.saturating_duration_since(left.since))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_so_many_questions_and_then_one_in_a_while() {
        let clients = Clients::default();
        let start = Instant::now();
        let (one, other) = (Some("192.0.2.1".parse().unwrap()), Some("192.0.2.2".parse().unwrap()));
        let asked = (0..BURST + 5).filter(|_| clients.take(one, start).is_ok()).count();
        assert_eq!(asked, BURST as usize);
        assert_eq!(clients.take(one, start), Err(ONE_IN));
        assert_eq!(clients.take(other, start), Ok(()));
        assert_eq!(clients.take(one, start + ONE_IN), Ok(()));
        assert!(clients.take(one, start + ONE_IN).is_err());
        let later = start + ONE_IN * (BURST + 10);
        assert_eq!((0..BURST + 5).filter(|_| clients.take(one, later).is_ok()).count(), BURST as usize);
    }

    #[test]
    fn who_asks_is_told_by_whom_the_proxy_names_last() {
        let with =
            |value: &str| HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-for"), value.parse().unwrap())]);
        for (address, headers, expected) in [
            ("192.0.2.1", HeaderMap::new(), "192.0.2.1"),
            ("192.0.2.1", with("198.51.100.1"), "192.0.2.1"),
            ("127.0.0.1", with("203.0.113.9, 198.51.100.1"), "198.51.100.1"),
            ("127.0.0.1", with("unknown"), "127.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", HeaderMap::new(), "2001:db8:1:2::"),
            ("::ffff:192.0.2.1", HeaderMap::new(), "192.0.2.1"),
        ] {
            assert_eq!(client(address.parse().unwrap(), &headers).to_string(), expected, "{address}");
        }
    }

    #[test]
    fn a_boundary_stands_in_no_part() {
        assert!(boundary(&[b"x".to_vec()]).starts_with("kakitome-"));
        let response = served(&[b"one".to_vec(), b"two".to_vec()]);
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert!(kind.starts_with("multipart/mixed; boundary=kakitome-"), "{kind}");
        assert_eq!(served(&[b"one".to_vec()]).headers()[header::CONTENT_TYPE], "application/pkix-cert");
    }
}
