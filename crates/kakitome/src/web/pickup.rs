//! The routes where members pick up their files: `GET /pickup/…` is the form, `POST` the file.
//!
//! A link alone gives nothing: the code came another way. Looking at a link uses nothing up, since programs do that before
//! people. Whatever cannot be taken any more looks like what never was. Every answer is `no-store`, like all of ours.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kakitome_office::deploy::File;
use kakitome_office::deploy::pickup::{Attempt, Offer, PATH};
use tokio::sync::Semaphore;

use super::trouble::Trouble;
use super::{Wish, harden, html, page};

/// The longest form that is read, in octets.
const FORM_LIMIT: usize = 4096;
/// How long a form may take.
const FORM_TIME: Duration = Duration::from_secs(30);
/// So many files are made at once: each costs hundreds of thousands of rounds of hashing.
const FILES_AT_ONCE: usize = 2;

/// What stands behind the routes. Called on threads that may block.
pub trait Counter: Send + Sync + 'static {
    /// The offer of a link, if it can be taken.
    ///
    /// # Errors
    /// A fault of ours, in words for the log.
    fn look(&self, token: &str) -> Result<Option<Offer>, String>;

    /// The CA's certificates, as programs take them that do not find them in the file.
    ///
    /// # Errors
    /// A fault of ours, in words for the log.
    fn authorities(&self) -> Result<Vec<File>, String>;

    /// Tries a code.
    ///
    /// # Errors
    /// A fault of ours, in words for the log.
    fn take(&self, token: &str, code: &str) -> Result<Attempt, String>;
}

struct Place {
    counter: Arc<dyn Counter>,
    files: Semaphore,
}

/// The routes. To be merged with the page's.
pub fn routes(counter: Arc<dyn Counter>) -> Router {
    Router::new()
        .route(&format!("{PATH}/ca/{{name}}"), get(authority))
        .route(&format!("{PATH}/{{token}}"), get(look).post(take))
        .method_not_allowed_fallback(async |query: RawQuery, headers: HeaderMap| {
            Trouble::Method.response(&Wish::of(&query, &headers))
        })
        .with_state(Arc::new(Place { counter, files: Semaphore::new(FILES_AT_ONCE) }))
        .layer(map_response(harden))
}

async fn look(
    Shared(place): Shared<Arc<Place>>,
    Path(token): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    let wish = Wish::of(&query, &headers);
    let counter = Arc::clone(&place.counter);
    let asked = token.clone();
    match blocking(move || counter.look(&asked)).await {
        Ok(Some(offer)) => html(StatusCode::OK, page::pickup(&offer, &token, false, wish.lang)),
        Ok(None) => Trouble::NoOffer.response(&wish),
        Err(trouble) => trouble.response(&wish),
    }
}

async fn take(
    Shared(place): Shared<Arc<Place>>,
    Path(token): Path<String>,
    query: RawQuery,
    request: Request<Body>,
) -> Response {
    let wish = Wish::of(&query, request.headers());
    match attempt(&place, &token, request).await {
        Ok(Attempt::File(file)) => download(file),
        Ok(Attempt::Wrong(offer)) if offer.left() > 0 => {
            html(StatusCode::FORBIDDEN, page::pickup(&offer, &token, true, wish.lang))
        }
        Ok(Attempt::Wrong(_) | Attempt::Gone) => Trouble::NoOffer.response(&wish),
        Err(trouble) => trouble.response(&wish),
    }
}

async fn authority(
    Shared(place): Shared<Arc<Place>>,
    Path(name): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    let wish = Wish::of(&query, &headers);
    let counter = Arc::clone(&place.counter);
    match blocking(move || counter.authorities()).await {
        Ok(files) => match files.into_iter().find(|file| file.name == name) {
            Some(file) => download(file),
            None => Trouble::NotFound.response(&wish),
        },
        Err(trouble) => trouble.response(&wish),
    }
}

/// Every name of ours is plain ASCII without quotes.
fn download(file: File) -> Response {
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    ([(header::CONTENT_TYPE, file.media_type), (header::CONTENT_DISPOSITION, &disposition)], file.octets)
        .into_response()
}

async fn attempt(place: &Arc<Place>, token: &str, request: Request<Body>) -> Result<Attempt, Trouble> {
    let body = tokio::time::timeout(FORM_TIME, to_bytes(request.into_body(), FORM_LIMIT));
    let body = body.await.map_err(|_| Trouble::Slow)?.map_err(|_| Trouble::Broken)?;
    let code = code(&body).ok_or(Trouble::Broken)?;
    let _turn = place.files.acquire().await.map_err(|_| Trouble::Busy)?;
    let (counter, token) = (Arc::clone(&place.counter), token.to_owned());
    blocking(move || counter.take(&token, &code)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.map_err(|bug| Trouble::Bug(bug.to_string()))?.map_err(Trouble::NoFile)
}

/// The field `code` of a form (application/x-www-form-urlencoded, WHATWG URL §5.1).
fn code(body: &[u8]) -> Option<String> {
    let field = body.split(|octet| *octet == b'&').find_map(|field| field.strip_prefix(b"code="))?;
    let mut octets = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        octets.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, behind) = behind.split_first_chunk::<2>()?;
                rest = behind;
                let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let [high, low] = digits;
                digit(high)? << 4 | digit(low)?
            }
            other => *other,
        });
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_out_of_the_form() {
        let rows: [(&[u8], Option<&str>); 8] = [
            (b"code=abcde-fghij", Some("abcde-fghij")),
            (b"x=1&code=a+b%2Dc&y=2", Some("a b-c")),
            ("code=%EF%BD%81".as_bytes(), Some("ａ")),
            (b"code=", Some("")),
            (b"", None),
            (b"xcode=a", None),
            (b"code=%f", None),
            (b"code=%ff", None),
        ];
        for (body, expected) in rows {
            assert_eq!(code(body).as_deref(), expected, "{}", String::from_utf8_lossy(body));
        }
    }
}
