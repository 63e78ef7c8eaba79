//! One mail's passage: from the spool over the desk to the next hop, with the journal before and after.
//!
//! The order is what keeps mail from being lost or doubled: what the next hop took before is answered as then; what we
//! build is remembered before it is sent; the next hop's 250 is on the disk before ours is said.

use std::fmt::Display;
use std::sync::Arc;

use kakitome_office::journal::{Journal, NotWritten, Passage};
use kakitome_smime::octets::Octets;
use tokio::task::spawn_blocking;

use super::client::Delivered;
use super::receive::Received;
use super::reply::Reply;
use super::session::{Transaction, log};
use super::{Envelope, House, Mode, Processed};

/// The reply of SMTP, which has one for all recipients: the worst that one of them got. A client that sends again to
/// all does no harm, since those who have the mail are known.
pub(super) fn for_all(replies: &[Reply]) -> Option<&Reply> {
    let temporary = replies.iter().find(|reply| (400..500).contains(&reply.code()));
    temporary.or_else(|| replies.iter().max_by_key(|reply| reply.code()))
}

/// Hands a mail on, and writes its line in the log. The replies are those to the recipients, in their order.
pub(super) async fn hand_on(house: &House, transaction: Transaction, received: Result<Received, Reply>) -> Vec<Reply> {
    let count = transaction.envelope.recipients.len();
    let received = match received {
        Ok(received) => received,
        Err(reply) => {
            transaction.delivery.abandon();
            log(&transaction.envelope, "refused", "the mail cannot be taken", 0, 0, &reply);
            return vec![reply; count];
        }
    };
    let (envelope, lone_line_feeds) = (transaction.envelope.clone(), received.lone_line_feeds);
    let mut replies = vec![None; count];
    let ended = pass(house, transaction, received.mail, &mut replies).await;
    let replies: Vec<Reply> = replies.into_iter().map(|reply| reply.unwrap_or_else(|| ended.reply.clone())).collect();
    let worst = for_all(&replies).unwrap_or(&ended.reply);
    log(&envelope, ended.action, &ended.reason, ended.size, lone_line_feeds, worst);
    replies
}

/// How it ended: the reply to those recipients who have none of their own, and what the log says.
struct Ended {
    reply: Reply,
    action: &'static str,
    reason: String,
    size: u64,
}

impl Ended {
    /// Something of ours fails for now.
    fn deferred(reason: &str) -> Self {
        Self::waiting(Reply::new(451, format!("4.3.0 {reason}")), reason)
    }

    fn waiting(reply: Reply, reason: &str) -> Self {
        Self { reply, action: "deferred", reason: reason.to_owned(), size: 0 }
    }
}

/// Looks into the journal first. A recipient who has the mail gets the reply of then in `replies`.
async fn pass(house: &House, transaction: Transaction, mail: Arc<dyn Octets>, replies: &mut [Option<Reply>]) -> Ended {
    let Some(queue_id) = transaction.envelope.queue_id.clone() else {
        // A mail without a queue id is not known again: two that are equal can both be meant.
        return send(house, transaction, mail, None).await;
    };
    let source = Arc::clone(&mail);
    let passage = match blocking(move || Passage::of(&queue_id, &*source)).await {
        Ok(passage) => passage,
        Err(error) => return put_off(transaction, &format!("the spool cannot be read: {error}")),
    };
    let Some(_turn) = house.journal.turn(passage) else {
        return put_off(transaction, "the same mail is still on its way to the next hop");
    };
    let (journal, recipients) = (Arc::clone(&house.journal), transaction.envelope.recipients.clone());
    let known = match blocking(move || journal.accepted(passage, &recipients)).await {
        Ok(known) => known,
        Err(error) => return put_off(transaction, &error),
    };
    for (reply, known) in replies.iter_mut().zip(known) {
        *reply = known.map(|text| Reply::new(250, text));
    }
    if replies.iter().all(Option::is_none) {
        return send(house, transaction, mail, Some(passage)).await;
    }
    let known = |reply| Ended {
        reply,
        action: "known",
        reason: "the next hop had taken it before".to_owned(),
        size: mail.len(),
    };
    let rest = match ask_again(house, transaction, replies).await {
        Ok(Some(rest)) => rest,
        Ok(None) => return known(Reply::new(250, "2.0.0 taken before")),
        Err(reply) => return Ended::waiting(reply, "the next hop took it for some before, and cannot be asked now"),
    };
    send(house, rest, mail, Some(passage)).await
}

/// Begins the mail anew for those who have no reply yet, as the next hop has heard of all. Whom it refuses now gets that
/// reply. `None`: nobody is left.
async fn ask_again(
    house: &House,
    transaction: Transaction,
    replies: &mut [Option<Reply>],
) -> Result<Option<Transaction>, Reply> {
    transaction.delivery.abandon();
    let mut envelope = Envelope { recipients: Vec::new(), ..transaction.envelope };
    let mut recipients = Vec::new();
    if replies.iter().all(Option::is_some) {
        return Ok(None);
    }
    let (mut delivery, _) = house.next_hop.begin(&transaction.mail, &transaction.xforward).await?;
    for (recipient, place) in transaction.recipients.into_iter().zip(replies) {
        if place.is_some() {
            continue;
        }
        let reply = delivery.recipient(&recipient).await;
        if matches!(reply.code(), 250 | 251) {
            envelope.recipients.push(recipient.path.clone());
            recipients.push(recipient);
        } else {
            *place = Some(reply);
        }
    }
    if recipients.is_empty() {
        delivery.abandon();
        return Ok(None);
    }
    Ok(Some(Transaction { envelope, recipients, delivery, ..transaction }))
}

fn put_off(transaction: Transaction, reason: &str) -> Ended {
    transaction.delivery.abandon();
    Ended::deferred(reason)
}

/// Builds what leaves, or takes what was built before, and sends it.
async fn send(house: &House, transaction: Transaction, mail: Arc<dyn Octets>, passage: Option<Passage>) -> Ended {
    let Transaction { envelope, delivery, .. } = transaction;
    let recipients = envelope.recipients.clone();
    let built = match build(house, envelope, mail, passage).await {
        Ok(built) => built,
        Err(ended) => {
            delivery.abandon();
            return ended;
        }
    };
    let Processed { mail, action, reason } = built;
    let size = mail.len();
    let delivered = delivery.deliver(mail).await;
    if let (Some(passage), Delivered::Answered(reply)) = (passage, &delivered) {
        settle(&house.journal, passage, recipients, reply).await;
    }
    Ended { reply: delivered.reply().clone(), action, reason, size }
}

/// The next hop has answered for good: its 250 goes into the journal, and what we built is needed no more. Where the
/// answer was lost it stays, and goes out again when the mail comes again. Where the answer is "later" it stays, too: an
/// earlier sending of it, whose answer was lost, may have been taken all the same.
async fn settle(journal: &Arc<Journal>, passage: Passage, recipients: Vec<String>, reply: &Reply) {
    if (400..500).contains(&reply.code()) {
        return;
    }
    let (journal, reply) = (Arc::clone(journal), reply.clone());
    let settled = blocking(move || {
        if reply.code() == 250 {
            let text = reply.text().first().map_or("", String::as_str);
            journal.accept(passage, &recipients, text)?;
        }
        journal.forget(passage);
        Ok::<(), NotWritten>(())
    });
    // The next hop has the mail, so 250 is the truth; only a crash just now would send it twice.
    if let Err(error) = settled.await {
        tracing::error!(%error, "a mail that was taken is not in the journal");
    }
}

async fn build(
    house: &House,
    envelope: Envelope,
    mail: Arc<dyn Octets>,
    passage: Option<Passage>,
) -> Result<Processed, Ended> {
    let journal = Arc::clone(&house.journal);
    if let Some(passage) = passage {
        let source = Arc::clone(&journal);
        match blocking(move || source.recall(passage)).await {
            Ok(Some(copy)) => {
                let reason = "as it was built before".to_owned();
                return Ok(Processed { mail: Arc::new(copy), action: "repeated", reason });
            }
            Ok(None) => {}
            Err(error) => return Err(Ended::deferred(&error)),
        }
    }
    let built = process(house, envelope, Arc::clone(&mail)).await.map_err(|reason| Ended::deferred(&reason))?;
    // What was not changed is the same again by itself.
    if let Some(passage) = passage.filter(|_| !Arc::ptr_eq(&mail, &built.mail)) {
        let copy = Arc::clone(&built.mail);
        blocking(move || journal.remember(passage, &*copy)).await.map_err(|error| {
            tracing::error!(%error, "the journal cannot be written");
            Ended::waiting(Reply::new(452, "4.3.1 there is no place for the mail now"), &error)
        })?;
    }
    Ok(built)
}

async fn process(house: &House, envelope: Envelope, mail: Arc<dyn Octets>) -> Result<Processed, String> {
    if house.mode == Mode::Pass {
        return Ok(Processed { mail, action: "passed", reason: "gateway.mode is \"pass\"".to_owned() });
    }
    let (desk, direction) = (Arc::clone(&house.desk), envelope.listener.direction);
    match spawn_blocking(move || desk.process(direction, &envelope, mail)).await {
        Ok(Ok(processed)) => Ok(processed),
        Ok(Err(fault)) => Err(fault.text),
        // A bug in there must not take the connection along: the client would not know what became of its mail.
        Err(panic) => {
            tracing::error!(%panic, "the desk panicked over a mail: this is a bug; the mail stays with the sender");
            Err("an internal error; the mail stays with the sender".to_owned())
        }
    }
}

/// Runs what blocks off the threads of the runtime; the error is a text.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, String>
where
    T: Send + 'static,
    E: Display + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(panic.to_string()),
    }
}
