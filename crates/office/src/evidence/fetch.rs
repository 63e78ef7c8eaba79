//! The one fetcher: whatever a certificate names is fetched here or nowhere.
//!
//! Only http and https; only addresses of the public Internet, and networks that the administrator allowed, checked after
//! the name was resolved and held on to for the connection; only ports of web servers; redirects counted, each checked
//! like a first address, none to another scheme; size, time and number bounded. Only for certificates that lead to an
//! anchor already: an [`Offer`] cannot be made otherwise. What a mail alone names is a back channel to whoever wrote it,
//! so the issuer of a certificate that leads nowhere is fetched from hosts alone that the administrator named.

mod address;
mod answer;
mod exchange;
mod kept;
mod place;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::ocsp::{self, NonceMatch};
use kakitome_pki::crypto::Random;
use kakitome_pki::path::revocation::{Offer, Offered, URL_COUNT_LIMIT, Wanted};
use kakitome_verdict::lookup::{Cause, End, Lookup};

pub use address::Network;
pub use kept::{AGE_LIMIT, AGE_WITHOUT_NEXT_UPDATE, LONGEST_WAIT, WAIT_AFTER_FAILURE};
pub use place::URL_LIMIT;

pub(super) use answer::Answer;
use answer::Kind;
use exchange::{Reply, Request, exchange};
use kept::{Came, Entry, Failure, Kept};
use place::Place;

/// Redirects that are followed for one question.
pub const REDIRECT_LIMIT: usize = 3;
/// Questions under way at once, over all mails.
pub const AT_ONCE: usize = 8;
/// A GET of an OCSP request is at most this long in base64 (RFC 5019 §5), in octets.
const GET_LIMIT: usize = 255;

/// What may be fetched, and from where.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Networks that are not the public Internet and from which is fetched all the same, at any port.
    pub allow_private: Vec<Network>,
    /// Hosts from which the certificate of an unknown issuer is fetched, in lower case.
    pub issuer_hosts: Vec<String>,
    /// What one mail may cost.
    pub limits: Limits,
}

/// What one mail may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time to resolve a name, and again to connect.
    pub connect: Duration,
    /// Time for one question, redirects included.
    pub answer: Duration,
    /// Time for all questions of a mail.
    pub mail: Duration,
    /// Questions for one mail.
    pub questions: usize,
    /// Octets of one revocation list; never more than what is read at all.
    pub list: u64,
    /// Octets of all answers for one mail.
    pub octets: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(8),
            mail: Duration::from_secs(12),
            questions: 32,
            list: 64 * 1024 * 1024,
            octets: 128 * 1024 * 1024,
        }
    }
}

/// A question that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    /// `None`: there is no such thing.
    cause: Option<Cause>,
    detail: String,
}

impl Trouble {
    const fn new(cause: Cause, detail: String) -> Self {
        Self { cause: Some(cause), detail }
    }

    /// Too long for what the mail had left, which says nothing of the place.
    fn for_one_mail(self) -> Self {
        match self.cause {
            Some(Cause::Size) => Self { cause: Some(Cause::Budget), ..self },
            _ => self,
        }
    }
}

impl From<Cause> for Trouble {
    fn from(cause: Cause) -> Self {
        Self::new(cause, String::new())
    }
}

/// About what is asked.
enum About<'a> {
    /// A certificate and its issuer's.
    Certificate(&'a Certificate, &'a Certificate),
    /// An address.
    Address(&'a str),
}

impl About<'_> {
    fn name(&self) -> String {
        match self {
            Self::Certificate(which, _) => which.subject().to_string(),
            Self::Address(address) => (*address).to_owned(),
        }
    }
}

/// The fetcher, for any number of mails and threads.
pub struct Fetcher {
    settings: Settings,
    kept: Kept,
    random: Box<dyn Random>,
    places: Mutex<usize>,
    place_free: Condvar,
}

/// What one mail has left of its limits.
#[derive(Debug)]
pub(super) struct Purse {
    deadline: Instant,
    questions: AtomicUsize,
    octets: AtomicU64,
}

impl Fetcher {
    /// With answers kept in this folder, if one is named and the folder above it stands.
    pub fn new(settings: Settings, folder: Option<PathBuf>, random: Box<dyn Random>) -> Self {
        let kept = Kept::new(folder);
        Self { settings, kept, random, places: Mutex::new(AT_ONCE), place_free: Condvar::new() }
    }

    /// For one mail.
    pub(super) fn purse(&self) -> Purse {
        let now = Instant::now();
        let limits = &self.settings.limits;
        Purse {
            deadline: now.checked_add(limits.mail).unwrap_or(now),
            questions: AtomicUsize::new(limits.questions),
            octets: AtomicU64::new(limits.octets),
        }
    }

    /// Fetches what is offered, from the first of its places that has it.
    pub(super) fn fetch(
        &self,
        wanted: &Wanted,
        offer: &Offer,
        purse: &Purse,
        now: Time,
    ) -> (Option<Answer>, Vec<Lookup>) {
        let mut lookups = Vec::new();
        for url in offer.urls() {
            let kind = Kind::from(offer.what());
            let (which, issuer) = (wanted.which(), wanted.issuer());
            let about = About::Certificate(which, issuer);
            let asked = match offer.what() {
                Offered::Response => {
                    kept::key(&[b"ocsp", url.as_bytes(), which.issuer().raw(), issuer.spki(), which.serial()])
                }
                Offered::List | Offered::DeltaList => kept::key(&[kind.asked().name().as_bytes(), url.as_bytes()]),
            };
            let (answer, lookup) = self.ask(kind, url, asked, &about, purse, now);
            lookups.push(lookup);
            if answer.is_some() {
                return (answer, lookups);
            }
        }
        (None, lookups)
    }

    /// Fetches the issuer of a certificate that leads to no anchor, if the host is one of those that the administrator
    /// named. Says nothing of places on other hosts where none is named at all, since then nobody expects it.
    pub(super) fn fetch_issuer(
        &self,
        which: &Certificate,
        purse: &Purse,
        now: Time,
    ) -> (Vec<Certificate>, Vec<Lookup>) {
        let mut lookups = Vec::new();
        if self.settings.issuer_hosts.is_empty() {
            return (Vec::new(), lookups);
        }
        for url in which.extensions().issuer_urls.iter().take(URL_COUNT_LIMIT) {
            let asked = kept::key(&[b"issuer", url.as_bytes()]);
            let (answer, lookup) = self.ask(Kind::Issuer, url, asked, &About::Certificate(which, which), purse, now);
            lookups.push(lookup);
            if let Some(Answer::Certificates(certificates, _)) = answer {
                return (certificates, lookups);
            }
        }
        (Vec::new(), lookups)
    }

    /// Fetches the certificates of an address from a certificate store (RFC 4387) that the administrator named. The answer
    /// is anybody's word.
    pub(super) fn fetch_recipient(&self, url: &str, address: &str, now: Time) -> (Vec<Certificate>, Lookup) {
        let asked = kept::key(&[b"recipient", url.as_bytes()]);
        let (answer, lookup) = self.ask(Kind::Recipient, url, asked, &About::Address(address), &self.purse(), now);
        match answer {
            Some(Answer::Certificates(certificates, _)) => (certificates, lookup),
            _ => (Vec::new(), lookup),
        }
    }

    /// One question: from what is kept, or from its place.
    fn ask(
        &self,
        kind: Kind,
        url: &str,
        key: kept::Key,
        about: &About<'_>,
        purse: &Purse,
        now: Time,
    ) -> (Option<Answer>, Lookup) {
        let told = |end, detail: String, came: Option<Time>, kept| Lookup {
            what: kind.asked(),
            about: about.name(),
            place: url.to_owned(),
            end,
            detail,
            came,
            kept,
        };
        let refused = |trouble: Trouble| {
            let end = trouble.cause.map_or(End::Absent, End::Unavailable);
            (None, told(end, trouble.detail, None, false))
        };
        let place = match Place::parse(url) {
            Ok(place) => place,
            Err(cause) => return refused(cause.into()),
        };
        if kind == Kind::Issuer && !self.is_issuer_host(&place) {
            return refused(Cause::Host.into());
        }
        let Some(_turn) = self.kept.turn(key, purse.deadline) else { return refused(Cause::Budget.into()) };
        let before = self.kept.get(&key, kind, now);
        let known = |came: &Came, kept| {
            (Some(came.answer.clone()), told(End::Known, came.answer.described(), Some(came.at), kept))
        };
        if let Some(came) = before.fresh(now) {
            return known(came, true);
        }
        if let Some(failure) = before.waits(now) {
            return match (before.older(now), failure.cause) {
                (Some(came), _) => known(came, true),
                (None, Some(cause)) => {
                    let detail = format!("{}: {}", cause.name(), failure.detail);
                    refused(Trouble::new(Cause::Recent, detail))
                }
                (None, None) => refused(Trouble { cause: None, detail: failure.detail.clone() }),
            };
        }
        match self.fetch_anew(kind, &place, about, purse) {
            Ok(answer) => {
                let came = Came::new(answer, now);
                self.kept.put(key, url, &Entry { answer: Some(came.clone()), failure: None });
                known(&came, false)
            }
            Err(trouble) => {
                // What we refused costs nothing to refuse again, and the limit of one mail says nothing of the place.
                if !trouble.cause.is_some_and(|cause| cause.is_refusal() || cause == Cause::Budget) {
                    let count = before.failure.as_ref().map_or(0, |failure| failure.count).saturating_add(1);
                    let failure = Failure { cause: trouble.cause, detail: trouble.detail.clone(), at: now, count };
                    self.kept.put(key, url, &Entry { answer: before.answer.clone(), failure: Some(failure) });
                }
                match before.older(now) {
                    Some(came) => known(came, true),
                    None => refused(trouble),
                }
            }
        }
    }

    fn is_issuer_host(&self, place: &Place) -> bool {
        self.settings.issuer_hosts.iter().any(|host| host.eq_ignore_ascii_case(place.host()))
    }

    fn fetch_anew(&self, kind: Kind, place: &Place, about: &About<'_>, purse: &Purse) -> Result<Answer, Trouble> {
        let (Kind::Response, About::Certificate(which, issuer)) = (kind, about) else {
            let octets = self.send(kind, place, Request::Get, purse)?;
            return Answer::parse(kind, octets).map_err(|why| Trouble::new(Cause::Content, why));
        };
        // With a nonce, so that nobody on the way can answer with what was true before; responders that make their answers
        // beforehand leave it out (RFC 9654 §2.1), which is then told by the dates alone.
        let mut nonce = [0; ocsp::NONCE_OCTETS];
        let fresh = self.random.fill(&mut nonce).is_ok();
        let asked = ocsp::request(which, issuer, fresh.then_some(&nonce)).ok_or(Cause::Content)?;
        let posted = self.send(kind, place, Request::Post(&asked), purse);
        let outcome = posted.and_then(|octets| response(octets, which, issuer, Some(&nonce)));
        let Err(trouble) = outcome else { return outcome };
        // Some know GET alone (RFC 5019 §5), some choke on a nonce: asked once more in the plainest form.
        let is_theirs = matches!(
            trouble.cause,
            None | Some(Cause::Status | Cause::Content | Cause::Protocol | Cause::Redirect | Cause::Connection)
        );
        let plain = ocsp::request(which, issuer, None).ok_or(Cause::Content)?;
        let part = in_a_path(&plain);
        if !is_theirs || part.len() > GET_LIMIT {
            return Err(trouble);
        }
        let octets = self.send(kind, &place.below(&part), Request::Get, purse).map_err(|_| trouble)?;
        response(octets, which, issuer, None)
    }

    /// One question, its redirects followed.
    fn send(&self, kind: Kind, place: &Place, request: Request<'_>, purse: &Purse) -> Result<Vec<u8>, Trouble> {
        let limits = &self.settings.limits;
        let now = Instant::now();
        let deadline = now.checked_add(limits.answer).unwrap_or(now).min(purse.deadline);
        let _place = self.enter(deadline)?;
        let mut place = place.clone();
        for _ in 0..=REDIRECT_LIMIT {
            let taken = purse.questions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            taken.map_err(|_| Trouble::new(Cause::Budget, "too many questions".to_owned()))?;
            let limit = match kind {
                Kind::List | Kind::DeltaList => kind.limit().min(limits.list),
                Kind::Response | Kind::Issuer | Kind::Recipient => kind.limit(),
            };
            let left = purse.octets.load(Ordering::Relaxed);
            let time = deadline.checked_duration_since(Instant::now()).filter(|time| *time > Duration::ZERO);
            let time = time.ok_or_else(|| Trouble::new(Cause::Timeout, "while following redirects".to_owned()))?;
            let reply = exchange(&place, request, limit.min(left), time, limits, &self.settings.allow_private);
            match reply.map_err(|trouble| if left < limit { trouble.for_one_mail() } else { trouble })? {
                Reply::Body(octets) => {
                    let length = u64::try_from(octets.len()).unwrap_or(u64::MAX);
                    let took = |left: u64| Some(left.saturating_sub(length));
                    purse.octets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, took).ok();
                    return Ok(octets);
                }
                Reply::Absent(status) => return Err(Trouble { cause: None, detail: format!("HTTP {status}") }),
                Reply::Redirect(location) => {
                    let next = place.follow(&location);
                    place = next.map_err(|cause| Trouble::new(cause, format!("to {location}")))?;
                    if kind == Kind::Issuer && !self.is_issuer_host(&place) {
                        return Err(Trouble::new(Cause::Host, format!("to {location}")));
                    }
                }
            }
        }
        Err(Trouble::new(Cause::Redirect, format!("more than {REDIRECT_LIMIT}")))
    }

    /// Waits until fewer than [`AT_ONCE`] questions are under way.
    fn enter(&self, deadline: Instant) -> Result<Entered<'_>, Trouble> {
        let mut free = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(left) = free.checked_sub(1) {
                *free = left;
                return Ok(Entered(self));
            }
            let time = deadline.checked_duration_since(Instant::now()).filter(|time| *time > Duration::ZERO);
            let time = time.ok_or_else(|| Trouble::new(Cause::Budget, "too many questions at once".to_owned()))?;
            free = self.place_free.wait_timeout(free, time).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fetcher({:?})", self.settings)
    }
}

/// One of the questions under way.
struct Entered<'a>(&'a Fetcher);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut free = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_add(1);
        self.0.place_free.notify_one();
    }
}

/// A response that answers this question.
fn response(
    octets: Vec<u8>,
    which: &Certificate,
    issuer: &Certificate,
    nonce: Option<&[u8]>,
) -> Result<Answer, Trouble> {
    let answer = Answer::parse(Kind::Response, octets).map_err(|why| Trouble::new(Cause::Content, why))?;
    let Answer::Response(response, _) = &answer else { return Err(Cause::Content.into()) };
    let basic = response.basic().map_err(|said| Trouble::new(Cause::Content, said.to_owned()))?;
    if nonce.is_some_and(|nonce| basic.nonce(nonce) == NonceMatch::Differs) {
        return Err(Cause::Nonce.into());
    }
    if basic.answers(which, issuer).is_empty() {
        return Err(Trouble::new(Cause::Content, "an answer about another certificate".to_owned()));
    }
    Ok(answer)
}

/// Base64 of a request as part of a path (RFC 6960 Appendix A.1).
fn in_a_path(request: &[u8]) -> String {
    let mut text = String::new();
    for letter in STANDARD.encode(request).chars() {
        match letter {
            '+' => text.push_str("%2B"),
            '/' => text.push_str("%2F"),
            '=' => text.push_str("%3D"),
            letter => text.push(letter),
        }
    }
    text
}
