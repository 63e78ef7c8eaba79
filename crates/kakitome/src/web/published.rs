//! What the own CAs publish for the outside: their certificates, their revocation lists, and the OCSP responder. Below
//! `/.well-known/kakitome/`, apart from the page: nobody here has a browser, and what is served may be kept by whoever
//! stands between.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State as Shared};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_office::authority::{Answered, Authority, PUBLISHED_PATH, RESPONDER_PATH, Wanted};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::ocsp::QUESTION_LIMIT;
use kakitome_pki::issue::Declined;
use tokio::sync::Semaphore;

use super::now;

/// So many requests are answered at once; the others wait their turn.
const AT_ONCE: usize = 8;
/// A request that had no turn after so long is asked to come back.
const TURN_TIME: Duration = Duration::from_secs(10);
/// A CA's certificate may be kept for so long, in seconds.
const CERTIFICATE_KEPT: i64 = 24 * 60 * 60;
/// A revocation list may be kept for so long, in seconds: a revocation is to be heard of, though the list lasts for days.
const LIST_KEPT: i64 = 60 * 60;

/// What the handlers share.
struct House {
    authority: Arc<Authority>,
    turns: Semaphore,
}

/// The routes. To be merged with the page's.
pub fn published(authority: Arc<Authority>) -> Router {
    let house = Arc::new(House { authority, turns: Semaphore::new(AT_ONCE) });
    Router::new()
        .route(RESPONDER_PATH, post(asked))
        .route(&format!("{RESPONDER_PATH}/{{*question}}"), get(asked_by_address))
        .route(&format!("{PUBLISHED_PATH}{{file}}"), get(file))
        .with_state(house)
        .layer(DefaultBodyLimit::max(QUESTION_LIMIT))
}

impl House {
    /// Does work that may block, when it is its turn.
    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Authority) -> T + Send + 'static,
    ) -> Option<T> {
        let turn = tokio::time::timeout(TURN_TIME, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return None };
        let authority = Arc::clone(&self.authority);
        tokio::task::spawn_blocking(move || work(&authority)).await.ok()
    }
}

async fn file(Shared(house): Shared<Arc<House>>, Path(name): Path<String>) -> Response {
    let Some(wanted) = Wanted::parse(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let found = house.work(move |authority| match wanted {
        Wanted::Certificate(id) => Ok(authority.certificate(&id).map(|certificate| {
            let now = now();
            served("application/pkix-cert", certificate.raw().to_vec(), Some((now, now.plus(CERTIFICATE_KEPT))))
        })),
        Wanted::List(id, list) => {
            let list = authority.list(&id, list)?;
            Ok(list.map(|list| {
                let until = list.next_update.min(now().plus(LIST_KEPT));
                served("application/pkix-crl", list.der, Some((list.this_update, until)))
            }))
        }
    });
    match found.await {
        Some(Ok(Some(response))) => response,
        Some(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Some(Err(fault)) => {
            let fault: kakitome_office::fault::Fault = fault;
            tracing::error!(%fault, "what the own CA publishes cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// RFC 6960 §A.1: POST, the question in the body.
async fn asked(Shared(house): Shared<Arc<House>>, question: Bytes) -> Response {
    answer(&house, question.to_vec(), false).await
}

/// RFC 6960 §A.1: GET, the question in base64 behind the path.
async fn asked_by_address(Shared(house): Shared<Arc<House>>, Path(question): Path<String>) -> Response {
    let question = STANDARD.decode(question.trim_start_matches('/')).unwrap_or_default();
    answer(&house, question, true).await
}

async fn answer(house: &Arc<House>, question: Vec<u8>, may_be_kept: bool) -> Response {
    let answered = house.work(move |authority| authority.answer(&question, now())).await;
    let Answered { der, kept } = answered.unwrap_or_else(|| Declined::TryLater.into());
    served("application/ocsp-response", der, kept.filter(|_| may_be_kept))
}

/// Octets that may be kept from the one moment to the other; by nobody without (RFC 5019 §6).
fn served(kind: &'static str, octets: Vec<u8>, kept: Option<(Time, Time)>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], octets).into_response();
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    match kept {
        Some((since, until)) => {
            let seconds = until.unix().saturating_sub(now().unix()).max(0);
            put(header::CACHE_CONTROL, format!("max-age={seconds}, public, no-transform, must-revalidate"));
            put(header::LAST_MODIFIED, http_date(since));
            put(header::EXPIRES, http_date(until));
        }
        None => put(header::CACHE_CONTROL, "no-store".to_owned()),
    }
    response
}

/// IMF-fixdate (RFC 9110 §5.6.7): as in mail, but for the name of the zone.
fn http_date(time: Time) -> String {
    let date = time.to_mail_date();
    date.rsplit_once(' ').map(|(date, _)| format!("{date} GMT")).unwrap_or_default()
}
