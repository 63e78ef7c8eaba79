//! What is asked outside of a mail while it is judged: the judge says what he lacks, the fetcher asks for it, and the
//! judge judges again with what came. The judge stays pure, and asks about no more than what decides.

use std::collections::HashSet;
use std::io;
use std::thread;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::path::revocation::{Offer, Offered, Wanted};
use kakitome_smime::message::open::Opened;
use kakitome_smime::octets::Octets;
use kakitome_verdict::lookup::Lookup;
use kakitome_verdict::passage::Passage;
use kakitome_verdict::sender::{Evidence, Wants};

use super::dns::Dns;
use super::fetch::{Answer, Fetcher, Purse};
use super::passage;

/// How often one mail is judged anew because something came, at most. Each round may bring a path, its lists, lists of
/// their signers, and responses where lists failed.
const ROUND_LIMIT: usize = 12;
/// Questions of one round that are under way side by side.
const SIDE_BY_SIDE: usize = 4;
/// Lookups that an answer tells, at most.
const LOOKUP_LIMIT: usize = 64;

/// The outside, for any number of mails and threads.
#[derive(Debug)]
pub struct Outside {
    fetcher: Fetcher,
    dns: Option<Box<dyn Dns>>,
    clock: fn() -> Time,
}

/// What is fetched in one step.
enum Errand<'a> {
    Offer(&'a Wanted, &'a Offer),
    Issuer(&'a Certificate),
}

/// What came of it.
#[derive(Default)]
struct Brought {
    answers: Vec<Answer>,
    certificates: Vec<Certificate>,
    lookups: Vec<Lookup>,
}

impl Outside {
    /// By this fetcher. `clock` is the machine's: kept answers age by it, whatever moment a mail is judged for.
    pub fn new(fetcher: Fetcher, clock: fn() -> Time) -> Self {
        Self { fetcher, dns: None, clock }
    }

    /// With names of the DNS, too.
    #[must_use]
    pub fn with_dns(self, dns: impl Dns + 'static) -> Self {
        Self { dns: Some(Box::new(dns)), ..self }
    }

    /// What the way of the mail tells, as far as the DNS says.
    ///
    /// # Errors
    /// The octets cannot be read.
    pub(super) fn passage(&self, mail: &dyn Octets, opened: &Opened, at: Time) -> io::Result<Passage> {
        match &self.dns {
            Some(dns) => passage::passage(mail, opened, &**dns, at),
            None => Ok(Passage::default()),
        }
    }

    /// Judges, fetches what is wanted, and judges again, until nothing more can be had.
    pub fn judged<T>(&self, evidence: &Evidence, judge: impl Fn(&Evidence) -> T, wants: impl Fn(&T) -> &Wants) -> T {
        let mut judged = judge(evidence);
        if wants(&judged).is_empty() {
            return judged;
        }
        let mut evidence = evidence.clone();
        let purse = self.fetcher.purse();
        let mut tried = HashSet::new();
        for _ in 0..ROUND_LIMIT {
            let errands = errands(wants(&judged), &mut tried);
            if errands.is_empty() {
                break;
            }
            for brought in self.run(&errands, &purse) {
                evidence.lookups.extend(brought.lookups);
                evidence.hints.extend(brought.certificates);
                for answer in brought.answers {
                    match answer {
                        Answer::List(list) => evidence.crls.push(list),
                        Answer::Response(response, _) => evidence.responses.push(response),
                        Answer::Certificates(certificates, _) => evidence.hints.extend(certificates),
                    }
                }
            }
            evidence.lookups.truncate(LOOKUP_LIMIT);
            judged = judge(&evidence);
        }
        judged
    }

    /// The certificates of an address from a certificate store that the administrator named, and how that ended.
    pub(crate) fn recipient(&self, url: &str, address: &str) -> (Vec<Certificate>, Lookup) {
        self.fetcher.fetch_recipient(url, address, (self.clock)())
    }

    /// A few side by side.
    fn run(&self, errands: &[Errand<'_>], purse: &Purse) -> Vec<Brought> {
        let now = (self.clock)();
        let mut all = Vec::new();
        for some in errands.chunks(SIDE_BY_SIDE) {
            if let [only] = some {
                all.push(self.one(only, purse, now));
                continue;
            }
            all.extend(thread::scope(|scope| {
                let running: Vec<_> =
                    some.iter().map(|errand| scope.spawn(move || self.one(errand, purse, now))).collect();
                // One that panicked brings nothing, and the panic has told of itself.
                running.into_iter().filter_map(|one| one.join().ok()).collect::<Vec<_>>()
            }));
        }
        all
    }

    fn one(&self, errand: &Errand<'_>, purse: &Purse, now: Time) -> Brought {
        match errand {
            Errand::Offer(wanted, offer) => {
                let (answer, lookups) = self.fetcher.fetch(wanted, offer, purse, now);
                Brought { answers: answer.into_iter().collect(), lookups, ..Brought::default() }
            }
            Errand::Issuer(which) => {
                let (certificates, lookups) = self.fetcher.fetch_issuer(which, purse, now);
                Brought { certificates, lookups, ..Brought::default() }
            }
        }
    }
}

/// The next step for each certificate: the next list with all that changes it; when no list is left, the next responder.
/// So a responder, who learns whose mail is read, is asked only where no list answered.
fn errands<'a>(wants: &'a Wants, tried: &mut HashSet<Vec<u8>>) -> Vec<Errand<'a>> {
    let mut errands = Vec::new();
    for wanted in &wants.answers {
        let offers = |what| wanted.offers().iter().filter(move |offer| offer.what() == what);
        let mut is_new = |offer: &Offer| tried.insert(name(wanted, offer));
        let list = offers(Offered::List).find(|offer| is_new(offer));
        let mut next: Vec<&Offer> = list.into_iter().collect();
        next.extend(offers(Offered::DeltaList).filter(|offer| is_new(offer)));
        if next.is_empty() {
            next.extend(offers(Offered::Response).find(|offer| is_new(offer)));
        }
        errands.extend(next.into_iter().map(|offer| Errand::Offer(wanted, offer)));
    }
    if let Some(which) = &wants.issuer
        && tried.insert(which.fingerprint().to_vec())
    {
        errands.push(Errand::Issuer(which));
    }
    errands
}

/// A list is the same for every certificate; a response is about one.
fn name(wanted: &Wanted, offer: &Offer) -> Vec<u8> {
    let mut name = format!("{:?} {}", offer.what(), offer.urls().join(" ")).into_bytes();
    if offer.what() == Offered::Response {
        name.extend_from_slice(wanted.which().fingerprint());
    }
    name
}
