//! One mail's passage: from the spool over the desk to the next hop, with the journal before and after.
//!
//! The order is what keeps mail from being lost or doubled: what the next hop took before is answered as then; each copy
//! that we build is remembered, with those who get it, before the first of them is sent; the next hop's 250 is on the disk
//! before ours is said. So a copy whose answer was lost goes out again as it was, to the same recipients, even if the desk
//! would decide otherwise by now.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use kakitome_office::journal::{Built, Passage, Recalled, Turn};
use kakitome_office::spool::IN_MEMORY;
use kakitome_smime::octets::Octets;
use tokio::task::spawn_blocking;

use super::copies::{Leaving, Way};
use super::receive::Received;
use super::reply::Reply;
use super::session::Transaction;
use super::{Envelope, House, MailCopy, Mode, Notice, Processed, Withheld, log};
use crate::metrics::Failure;

/// The reply of SMTP, which has one for all recipients: the worst that one of them got. A client that sends again to
/// all does no harm, since those who have the mail are known.
pub(super) fn for_all(replies: &[Reply]) -> Option<&Reply> {
    let temporary = replies.iter().find(|reply| (400..500).contains(&reply.code()));
    temporary.or_else(|| replies.iter().max_by_key(|reply| reply.code()))
}

/// Hands a mail on, and writes its lines in the log. The replies are those to the recipients, in their order.
pub(super) async fn hand_on(
    house: &Arc<House>,
    transaction: Transaction,
    received: Result<Received, Reply>,
) -> Vec<Reply> {
    let envelope = transaction.envelope.clone();
    let mut account = Account::new(envelope.recipients.clone());
    let lone_line_feeds = match received {
        Err(reply) => {
            if reply.is_about_room() {
                house.metrics.failed(Failure::Disk);
            }
            transaction.delivery.abandon();
            account.rest("refused", "the mail cannot be taken", &reply);
            0
        }
        Ok(received) => {
            let lone_line_feeds = received.lone_line_feeds;
            pass(house, transaction, received.mail, &mut account).await;
            account.deferred("nothing was decided for this recipient");
            lone_line_feeds
        }
    };
    for line in &account.lines {
        let direction = envelope.listener.direction;
        house.metrics.recipients(direction, line.action, line.reply.code(), line.to.len());
        log::decision(&envelope, line, lone_line_feeds);
    }
    account.replies.into_iter().flatten().collect()
}

/// A line of the log names at most so many recipients; more of them have more lines.
const LINE_RECIPIENTS: usize = 50;

/// What became of some of the recipients, for the log.
pub(super) struct Line {
    /// Who they are.
    pub(super) to: Vec<String>,
    pub(super) action: &'static str,
    pub(super) reason: String,
    /// Of what they get, in octets.
    pub(super) size: u64,
    /// What each of them is answered with.
    pub(super) reply: Reply,
}

/// The replies to the recipients, as far as they are known, and what the log says.
pub(super) struct Account {
    recipients: Vec<String>,
    replies: Vec<Option<Reply>>,
    lines: Vec<Line>,
}

impl Account {
    fn new(recipients: Vec<String>) -> Self {
        Self { replies: vec![None; recipients.len()], recipients, lines: Vec::new() }
    }

    /// The recipients who have no reply yet.
    fn open(&self) -> Vec<usize> {
        self.replies.iter().enumerate().filter(|(_, reply)| reply.is_none()).map(|(place, _)| place).collect()
    }

    /// Tells recipients their replies, and the log about all of them. A reply once told stays.
    pub(super) fn tell(
        &mut self,
        replies: impl IntoIterator<Item = (usize, Reply)>,
        action: &'static str,
        reason: &str,
        size: u64,
    ) {
        let mut told: Vec<Line> = Vec::new();
        for (place, reply) in replies {
            let Some(open) = self.replies.get_mut(place).filter(|open| open.is_none()) else { continue };
            *open = Some(reply.clone());
            let to = self.recipients.get(place).cloned().unwrap_or_default();
            // One line for all who hear the same, a few at a time.
            match told.iter_mut().find(|line| line.reply == reply && line.to.len() < LINE_RECIPIENTS) {
                Some(line) => line.to.push(to),
                None => told.push(Line { to: vec![to], action, reason: reason.to_owned(), size, reply }),
            }
        }
        self.lines.append(&mut told);
    }

    /// The same for all who have no reply yet.
    fn rest(&mut self, action: &'static str, reason: &str, reply: &Reply) {
        let replies: Vec<_> = self.open().into_iter().map(|place| (place, reply.clone())).collect();
        self.tell(replies, action, reason, 0);
    }

    /// Something of ours fails for now.
    fn deferred(&mut self, reason: &str) {
        self.rest("deferred", reason, &Reply::new(451, format!("4.3.0 {reason}")));
    }
}

/// Looks into the journal first; then builds what leaves, or takes what was built before, and sends it.
async fn pass(house: &Arc<House>, transaction: Transaction, mail: Arc<dyn Octets>, account: &mut Account) {
    let Transaction { envelope, mail: sender, recipients, refused, xforward, delivery, .. } = transaction;
    let mut way = Way::new(house, envelope.listener.direction, sender, (recipients, refused), xforward, delivery);
    let (at, envelope) = (Arc::clone(house), Arc::new(envelope));
    let (about, size, id) = (Arc::clone(&envelope), mail.len(), envelope.id.clone());
    let is_small = usize::try_from(size).is_ok_and(|size| size <= IN_MEMORY);
    // It is never closed.
    let place = if is_small { None } else { house.large.acquire().await.ok() };
    // In one turn of a thread that may block: for a small mail each further one costs more than the work.
    let looked = match spawn_blocking(move || look(&at, &about, &mail)).await {
        Ok(looked) => looked,
        // A bug in there must not take the connection along: the client would not know what became of its mail.
        Err(panic) => {
            house.metrics.failed(Failure::Bug);
            tracing::error!(id, %panic, "the desk panicked over a mail: this is a bug; the mail stays with the sender");
            Looked::failed("an internal error; the mail stays with the sender".to_owned())
        }
    };
    drop(place);
    account.tell(looked.known, "known", "the next hop had taken it before", size);
    let (turn, prepared) = match looked.prepared {
        Ok(prepared) => (looked.turn, prepared),
        Err(NotPrepared { reply, reason }) => {
            way.end();
            return account.rest("deferred", &reason, &reply);
        }
    };
    let passage = turn.as_ref().map(Turn::passage);
    for copy in &prepared.copies {
        way.send(copy, passage, account).await;
    }
    for Withheld { recipients, reply, action, reason } in prepared.withheld {
        account.tell(recipients.into_iter().map(|place| (place, reply.clone())), action, &reason, 0);
    }
    if let (Some(notice), Some(passage)) = (prepared.notice, passage) {
        way.tell_sender(&envelope, passage, notice).await;
    }
    way.end();
}

/// What was found out of a mail before anything of it leaves.
struct Looked {
    /// The mail's turn; none has a mail that is not known again.
    turn: Option<Turn>,
    /// Those who have the mail, with the reply of then.
    known: Vec<(usize, Reply)>,
    prepared: Result<Prepared, NotPrepared>,
}

impl Looked {
    fn failed(reason: String) -> Self {
        Self { turn: None, known: Vec::new(), prepared: Err(reason.into()) }
    }
}

/// Takes the mail's turn, finds who has it already, and prepares what the others get. Blocks.
fn look(house: &House, envelope: &Envelope, mail: &Arc<dyn Octets>) -> Looked {
    let everybody = || (0..envelope.recipients.len()).collect();
    // A mail without a queue id is not known again: two that are equal can both be meant.
    let Some(queue_id) = &envelope.queue_id else {
        return Looked { turn: None, known: Vec::new(), prepared: prepare(house, envelope, everybody(), mail, None) };
    };
    let passage = match Passage::of(queue_id, &**mail) {
        Ok(passage) => passage,
        Err(error) => return Looked::failed(format!("the spool cannot be read: {error}")),
    };
    let Some(turn) = house.journal.turn(passage) else {
        return Looked::failed("the same mail is still on its way to the next hop".to_owned());
    };
    let accepted = match house.journal.accepted(passage, &envelope.recipients) {
        Ok(accepted) => accepted,
        Err(error) => return Looked::failed(error.to_string()),
    };
    let open = accepted.iter().enumerate().filter(|(_, text)| text.is_none()).map(|(place, _)| place).collect();
    let known = accepted.into_iter().enumerate().filter_map(|(place, text)| Some((place, Reply::new(250, text?))));
    let known = known.collect();
    Looked { turn: Some(turn), known, prepared: prepare(house, envelope, open, mail, Some(passage)) }
}

/// What is to be done for the recipients who are still open.
struct Prepared {
    copies: Vec<Leaving>,
    withheld: Vec<Withheld>,
    notice: Option<Notice>,
}

struct NotPrepared {
    reply: Reply,
    reason: String,
}

impl From<String> for NotPrepared {
    fn from(reason: String) -> Self {
        Self { reply: Reply::new(451, format!("4.3.0 {reason}")), reason }
    }
}

fn prepare(
    house: &House,
    envelope: &Envelope,
    mut open: Vec<usize>,
    mail: &Arc<dyn Octets>,
    passage: Option<Passage>,
) -> Result<Prepared, NotPrepared> {
    let mut prepared = Prepared { copies: Vec::new(), withheld: Vec::new(), notice: None };
    let mut number = 0;
    if open.is_empty() {
        return Ok(prepared);
    }
    if let Some(passage) = passage {
        for built in house.journal.recall(passage).map_err(|error| error.to_string())? {
            number = built.number.saturating_add(1);
            prepared.copies.extend(repeated(built, envelope, &mut open));
        }
    }
    if open.is_empty() {
        return Ok(prepared);
    }
    let path = |place: &usize| envelope.recipients.get(*place).cloned().unwrap_or_default();
    let asked = Envelope { recipients: open.iter().map(path).collect(), ..envelope.clone() };
    let processed = process(house, &asked, Arc::clone(mail))?;
    // The desk counts from the first of those it was asked about.
    let places = |those: Vec<usize>| those.into_iter().filter_map(|at| open.get(at).copied()).collect::<Vec<_>>();
    // One copy for all that was not changed is the same again by itself.
    let is_untouched = match processed.copies.as_slice() {
        [copy] => prepared.copies.is_empty() && Arc::ptr_eq(&copy.mail, mail) && !copy.headers_only,
        _ => false,
    };
    for MailCopy { mail, recipients, headers_only, action, reason } in processed.copies {
        let recipients = places(recipients);
        let paths = recipients.iter().map(path).collect();
        let copy = Leaving { number, mail, recipients, paths, headers_only, action, reason };
        if let Some(passage) = passage.filter(|_| !is_untouched) {
            remember(house, passage, &copy)?;
        }
        number = number.saturating_add(1);
        prepared.copies.push(copy);
    }
    let withheld = processed.withheld.into_iter();
    prepared.withheld = withheld.map(|one| Withheld { recipients: places(one.recipients), ..one }).collect();
    prepared.notice = processed.notice;
    Ok(prepared)
}

/// What was built before, for those of the open recipients who are to get it; they are open no more.
fn repeated(built: Recalled, envelope: &Envelope, open: &mut Vec<usize>) -> Option<Leaving> {
    let paths: HashSet<&String> = built.recipients.iter().collect();
    let is_for = |place: &usize| envelope.recipients.get(*place).is_some_and(|path| paths.contains(path));
    let (recipients, others): (Vec<_>, Vec<_>) = open.iter().copied().partition(is_for);
    *open = others;
    (!recipients.is_empty()).then(|| Leaving {
        number: built.number,
        mail: Arc::new(built.mail),
        recipients,
        paths: built.recipients,
        headers_only: built.headers_only,
        action: "repeated",
        reason: "as it was built before".to_owned(),
    })
}

fn remember(house: &House, passage: Passage, copy: &Leaving) -> Result<(), NotPrepared> {
    let built = Built { recipients: &copy.paths, headers_only: copy.headers_only, mail: &*copy.mail };
    house.journal.remember(passage, copy.number, &built).map_err(|error| {
        house.metrics.failed(Failure::Disk);
        tracing::error!(%error, "the journal cannot be written");
        NotPrepared { reply: Reply::new(452, "4.3.1 there is no place for the mail now"), reason: error.to_string() }
    })
}

fn process(house: &House, envelope: &Envelope, mail: Arc<dyn Octets>) -> Result<Processed, String> {
    if house.mode == Mode::Pass {
        return Ok(Processed::whole(envelope, mail, "passed", "gateway.mode is \"pass\"".to_owned()));
    }
    let direction = envelope.listener.direction;
    let begun = Instant::now();
    let processed = house.desk.process(direction, envelope, mail);
    house.metrics.desk_took(direction, begun.elapsed());
    processed.map_err(|fault| {
        house.metrics.failed(Failure::Desk);
        fault.text
    })
}

/// Runs what blocks off the threads of the runtime; the error is a text.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, String>
where
    T: Send + 'static,
    E: Display + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(panic.to_string()),
    }
}
