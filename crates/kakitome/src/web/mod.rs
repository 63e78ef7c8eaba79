//! The check page: drop a mail, read who sent it.
//!
//! `GET /` is the form, `GET /help` how to get at the file of a mail, `POST /check` the answer as a page or as JSON. Nothing is kept: a mail stands in an unlinked
//! spool while it is judged and is gone with the reply; what remains is a count per state. Nothing is loaded from
//! elsewhere, no script runs but the page's own, which nothing needs, and the headers below see to it that nothing else
//! could.
//!
//! There is no cookie, no session and nothing that a request changes, so a POST from a foreign page can do no more than
//! its reader could by hand, and its reader is shown the answer: no token is needed against cross-site requests.

mod certificates;
mod door;
mod lang;
mod mark;
pub mod mbox;
pub mod page;
pub mod pickup;
mod published;
mod trouble;
mod upload;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::connect_info::{ConnectInfo, IntoMakeServiceWithConnectInfo};
use axum::extract::{DefaultBodyLimit, RawQuery, Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use kakitome_office::evidence::fetch::Network;
use kakitome_office::spool::SpoolDirectory;
use kakitome_pki::asn1::time::Time;
use kakitome_smime::octets::Octets;
use kakitome_verdict::answer::Answer;
use kakitome_verdict::reason::Reason;
use kakitome_verdict::state::State;
use kakitome_verdict::text::Lang;
use kakitome_verdict::wire;
use tokio::sync::Semaphore;

pub use self::certificates::certificates;
pub use self::door::{Door, Peer};
use self::mbox::Held;
pub use self::published::published;
use self::trouble::Trouble;
use self::upload::Uploaded;
use crate::metrics::{self, Metrics};

/// So many uploads are under way at once; one more is asked to come back.
pub const UPLOADS_AT_ONCE: usize = 32;
/// So many mails are judged at once; the others wait their turn.
pub const CHECKS_AT_ONCE: usize = 4;
/// An upload takes at most this long.
pub const UPLOAD_TIME: Duration = Duration::from_secs(300);

/// Judges one mail for the page.
pub trait Checker: Send + Sync + 'static {
    /// The answer about `mail`. Called on a thread that may block.
    ///
    /// # Errors
    /// A temporary fault of ours, in words for the log; the reader is asked to try again.
    fn check(&self, mail: Arc<dyn Octets>) -> Result<Answer, String>;

    /// What the page tells about this instance. Called for every request, so it must be quick.
    fn instance(&self) -> InstanceInfo;

    /// Can mail be taken, judged and handed on now? Part by part, for `/readyz`. Called on a thread that may block.
    fn ready(&self) -> Vec<Part> {
        Vec::new()
    }
}

/// A part of what mail needs, and what is wrong with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    name: &'static str,
    fault: Option<String>,
}

impl Part {
    /// A part that was looked at.
    pub fn new<E: fmt::Display>(name: &'static str, looked: Result<(), E>) -> Self {
        Self { name, fault: looked.err().map(|error| error.to_string()) }
    }
}

/// What the page tells about an instance, and what it may use.
#[derive(Clone, Debug)]
pub struct InstanceInfo {
    /// The domains whose mail this instance signs.
    pub member_domains: Vec<String>,
    /// The name of its own authority.
    pub own_ca: Option<String>,
    /// Where uploads stand while they are judged.
    pub spools: SpoolDirectory,
    /// The largest mail, in bytes.
    pub max_mail: u64,
}

struct Site {
    checker: Arc<dyn Checker>,
    uploads: Semaphore,
    checks: Semaphore,
    inside: Inside,
}

/// What is for the operator alone.
#[derive(Clone, Debug, Default)]
pub struct Inside {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who may read it beside this machine.
    pub networks: Vec<Network>,
}

/// The page's routes.
pub fn router(checker: Arc<dyn Checker>, inside: Inside) -> Router {
    let site =
        Site { checker, uploads: Semaphore::new(UPLOADS_AT_ONCE), checks: Semaphore::new(CHECKS_AT_ONCE), inside };
    Router::new()
        .route("/", get(start))
        .route("/check", post(check).get(again))
        .route("/page.js", get(script))
        .route("/help", get(help))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(counts))
        .method_not_allowed_fallback(async |query: RawQuery, headers: HeaderMap| {
            Trouble::Method.response(&Wish::of(&query, &headers))
        })
        .fallback(async |query: RawQuery, headers: HeaderMap| Trouble::NotFound.response(&Wish::of(&query, &headers)))
        .with_state(Arc::new(site))
        // the limit is ours, counted while the mail goes to the spool
        .layer(DefaultBodyLimit::disable())
        .layer(map_response(harden))
}

/// Who asks, where the server knows it.
type Caller = Option<Extension<ConnectInfo<Peer>>>;

/// The routes as a server takes them, which tells each request who asks.
pub fn service(site: Router) -> IntoMakeServiceWithConnectInfo<Router, Peer> {
    site.into_make_service_with_connect_info()
}

/// The form of /metrics.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Headers of every response.
const HEADERS: [(HeaderName, &str); 9] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

async fn harden(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// In which language and form the reply is wanted.
#[derive(Clone, Copy, Debug)]
struct Wish {
    lang: Lang,
    json: bool,
    /// Of a file with many mails, which one.
    number: Option<u64>,
}

impl Wish {
    fn of(RawQuery(query): &RawQuery, headers: &HeaderMap) -> Self {
        let query = query.as_deref().unwrap_or_default();
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let field = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let accept = field(header::ACCEPT);
        Self {
            lang: parameter("lang")
                .and_then(Lang::from_tag)
                .unwrap_or_else(|| lang::preferred(field(header::ACCEPT_LANGUAGE))),
            number: parameter("number").and_then(|number| number.parse().ok()),
            json: parameter("format") == Some("json")
                || (accept.contains("application/json") && !accept.contains("text/html")),
        }
    }
}

fn html(status: StatusCode, page: maud::Markup) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
}

fn json(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn start(Shared(site): Shared<Arc<Site>>, query: RawQuery, headers: HeaderMap) -> Response {
    let wish = Wish::of(&query, &headers);
    html(StatusCode::OK, page::start(&site.checker.instance(), wish.lang))
}

async fn help(query: RawQuery, headers: HeaderMap) -> Response {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    html(StatusCode::OK, page::help(page::Device::of(agent), Wish::of(&query, &headers).lang))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE).into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], page::SCRIPT).into_response()
}

/// Whoever loads an answer anew, or follows its address, begins anew: nothing of it is here any more.
async fn again(query: RawQuery, headers: HeaderMap) -> Response {
    Redirect::to(&format!("/?lang={}", Wish::of(&query, &headers).lang.tag())).into_response()
}

async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], page::ICON).into_response()
}

async fn ready(Shared(site): Shared<Arc<Site>>, caller: Caller, headers: HeaderMap) -> Response {
    if !site.inside.may_look(&caller, &headers) {
        return private();
    }
    let checker = Arc::clone(&site.checker);
    let parts = tokio::task::spawn_blocking(move || checker.ready()).await;
    let parts = parts.unwrap_or_else(|bug| vec![Part::new("kakitome", Err(bug))]);
    let (status, mut text) = match parts.iter().all(|part| part.fault.is_none()) {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
    };
    for Part { name, fault } in parts {
        text.push_str(&format!("{name}: {}\n", fault.as_deref().unwrap_or("ok").replace('\n', " ")));
    }
    (status, text).into_response()
}

/// Counts for Prometheus; the only thing that outlives a check.
async fn counts(Shared(site): Shared<Arc<Site>>, caller: Caller, headers: HeaderMap) -> Response {
    if !site.inside.may_look(&caller, &headers) {
        return private();
    }
    let metrics = Arc::clone(&site.inside.metrics);
    match tokio::task::spawn_blocking(move || metrics.text()).await {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(bug) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{bug}\n")).into_response(),
    }
}

impl Inside {
    /// A proxy on this machine hands on what comes from elsewhere, and says so.
    fn may_look(&self, caller: &Caller, headers: &HeaderMap) -> bool {
        let Some(Extension(ConnectInfo(Peer(address)))) = caller else { return false };
        let address = address.ip().to_canonical();
        let is_handed_on = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
        !is_handed_on && (address.is_loopback() || self.networks.iter().any(|network| network.holds(address)))
    }
}

fn private() -> Response {
    (StatusCode::FORBIDDEN, "this is for the machine itself and for web.private_networks\n").into_response()
}

/// What an upload leads to.
enum Ended {
    Answer(Box<Answer>),
    /// It holds many mails, and nobody said which one is meant.
    Choice(mbox::Choice),
}

async fn check(Shared(site): Shared<Arc<Site>>, query: RawQuery, request: Request<Body>) -> Response {
    let wish = Wish::of(&query, request.headers());
    match examine(&site, request, &wish).await {
        Ok(Ended::Answer(answer)) => {
            site.inside.metrics.judged(metrics::Door::Page, answer.state);
            site.inside.metrics.looked_up(&answer.expert.lookups);
            let status = match answer.state {
                State::TooBig => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::OK,
            };
            if wish.json { json(status, wire::json(&answer)) } else { html(status, page::result(&answer, wish.lang)) }
        }
        Ok(Ended::Choice(choice)) => {
            html(StatusCode::OK, page::choice(&choice, site.checker.instance().max_mail, wish.lang))
        }
        Err(trouble) => {
            site.inside.metrics.failed(metrics::Failure::Page);
            trouble.response(&wish)
        }
    }
}

async fn examine(site: &Arc<Site>, request: Request<Body>, wish: &Wish) -> Result<Ended, Trouble> {
    let _place = site.uploads.try_acquire().map_err(|_| Trouble::Busy)?;
    let instance = site.checker.instance();
    let uploaded = tokio::time::timeout(UPLOAD_TIME, upload::receive(request, &instance));
    let (mail, number) = match uploaded.await.map_err(|_| Trouble::Slow)?? {
        Uploaded::Mail(mail, number) => (mail, number.or(wish.number)),
        Uploaded::TooBig => {
            return Ok(Ended::Answer(Box::new(Answer::new(State::TooBig, Reason::LimitSize, now()))));
        }
    };
    let _turn = site.checks.acquire().await.map_err(|_| Trouble::Busy)?;
    let checker = Arc::clone(&site.checker);
    // a program that names no mail is answered about the first, as `kakitome check` does
    let chooses = number.is_some() || !wish.json;
    let judge = move || {
        let held = if chooses { mbox::choose(mail, number, &instance.spools) } else { Ok(Held::One(mail)) };
        match held.map_err(|error| Trouble::Fault(format!("the spool: {error}")))? {
            Held::One(mail) => {
                checker.check(mail).map(|answer| Ended::Answer(Box::new(answer))).map_err(Trouble::Fault)
            }
            Held::Many(choice) => Ok(Ended::Choice(choice)),
            Held::Absent => Err(Trouble::Number),
        }
    };
    tokio::task::spawn_blocking(judge).await.map_err(|bug| Trouble::Bug(bug.to_string()))?
}

fn now() -> Time {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}
