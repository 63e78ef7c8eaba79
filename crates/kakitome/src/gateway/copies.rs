//! The copies of a mail on their way to the next hop, one after another, each with its own recipients.

use std::collections::HashSet;
use std::sync::Arc;

use kakitome_office::journal::{Journal, NotWritten, Passage};
use kakitome_smime::octets::Octets;

use super::client::Delivered;
use super::command::{Address, Keyword, Parameter};
use super::next_hop::Delivery;
use super::passage::{Account, blocking};
use super::reply::Reply;
use super::{Direction, Envelope, House, Notice};

/// What stands in the journal in the place of a recipient when a notice of a kind was sent. No path has such a character.
const NOTICE: &str = "\u{0}notice ";

/// A copy that leaves.
pub(super) struct Leaving {
    /// Its number in the journal.
    pub(super) number: u32,
    pub(super) mail: Arc<dyn Octets>,
    /// The places of those who get it now.
    pub(super) recipients: Vec<usize>,
    /// The paths of all for whom it was built; some of them may have it already.
    pub(super) paths: Vec<String>,
    pub(super) headers_only: bool,
    pub(super) action: &'static str,
    pub(super) reason: String,
}

/// The way to the next hop.
pub(super) struct Way<'a> {
    house: &'a House,
    direction: Direction,
    sender: Address,
    recipients: Vec<Address>,
    /// The paths that it refused for good.
    refused: Vec<String>,
    xforward: Vec<(String, String)>,
    delivery: Option<Delivery>,
    /// The next hop has heard MAIL as the client said it, and has taken all recipients.
    is_asked: bool,
}

impl<'a> Way<'a> {
    /// The way of a mail whose recipients the next hop has taken, or refused for good.
    pub(super) fn new(
        house: &'a House,
        direction: Direction,
        sender: Address,
        (recipients, refused): (Vec<Address>, Vec<String>),
        xforward: Vec<(String, String)>,
        delivery: Delivery,
    ) -> Self {
        Self { house, direction, sender, recipients, refused, xforward, delivery: Some(delivery), is_asked: true }
    }

    /// Ends it; what was not sent is not.
    pub(super) fn end(self) {
        if let Some(delivery) = self.delivery {
            delivery.abandon();
        }
    }

    /// Sends a copy, settles it in the journal, and tells its recipients what became of it.
    pub(super) async fn send(&mut self, copy: &Leaving, passage: Option<Passage>, account: &mut Account) {
        let (taken, mut replies) = match self.begin(copy).await {
            Ok(begun) => begun,
            Err(reply) => {
                if reply.is_about_the_next_hop() {
                    self.house.metrics.next_hop_failed(self.direction);
                }
                (Vec::new(), copy.recipients.iter().map(|place| (*place, reply.clone())).collect())
            }
        };
        let mut is_known = true;
        if let (false, Some(delivery)) = (taken.is_empty(), &mut self.delivery) {
            let delivered = delivery.deliver(Arc::clone(&copy.mail)).await;
            is_known = matches!(delivered, Delivered::Answered(_));
            if !is_known {
                self.house.metrics.next_hop_failed(self.direction);
            }
            replies.extend(taken.into_iter().map(|place| (place, delivered.reply().clone())));
        }
        if let Some(passage) = passage {
            self.settle(passage, copy, &replies, is_known).await;
        }
        account.tell(replies, copy.action, &copy.reason, copy.mail.len());
    }

    /// Begins a mail for the recipients of a copy: who of them is taken, and the replies to the others.
    async fn begin(&mut self, copy: &Leaving) -> Result<(Vec<usize>, Vec<(usize, Reply)>), Reply> {
        if std::mem::take(&mut self.is_asked) && copy.recipients.len() == self.recipients.len() && !copy.headers_only {
            return Ok((copy.recipients.clone(), Vec::new()));
        }
        let sender = if copy.headers_only { self.sender.headers_only() } else { self.sender.clone() };
        self.may_go(copy)?;
        self.begin_mail(&sender).await?;
        // It may be another connection now.
        self.may_go(copy)?;
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        let Some(delivery) = &mut self.delivery else { return Ok((taken, refused)) };
        for place in &copy.recipients {
            let Some(recipient) = self.recipients.get(*place) else { continue };
            let reply = delivery.recipient(recipient).await;
            if matches!(reply.code(), 250 | 251) {
                taken.push(*place);
            } else {
                refused.push((*place, reply));
            }
        }
        Ok((taken, refused))
    }

    /// A next hop that offered DSN when the mail was opened may do so no more; a report could bring back what was inside.
    fn may_go(&self, copy: &Leaving) -> Result<(), Reply> {
        let returns_whole = self.delivery.as_ref().is_some_and(|delivery| !delivery.returns_headers());
        if returns_whole && copy.headers_only && !self.sender.path.is_empty() {
            return Err(Reply::new(451, "4.3.5 the next hop offers no DSN, without which no opened mail leaves"));
        }
        Ok(())
    }

    async fn begin_mail(&mut self, sender: &Address) -> Result<(), Reply> {
        let next_hop = self.house.next_hop(self.direction);
        self.delivery = Some(match self.delivery.take() {
            Some(last) => next_hop.begin_next(last, sender, &self.xforward).await?,
            None => next_hop.begin(sender, &self.xforward).await?.0,
        });
        Ok(())
    }

    /// What the next hop has taken goes into the journal. A copy is needed no more when the next hop has answered for good
    /// for all for whom it was built; whom it refused at RCPT this time, the server in front gives up. Where the answer was lost it stays, and goes out again when the mail comes again.
    /// Where the answer is "later" it stays, too: an earlier sending of it, whose answer was lost, may have been taken all
    /// the same.
    async fn settle(&self, passage: Passage, copy: &Leaving, replies: &[(usize, Reply)], is_known: bool) {
        let path = |place: usize| self.recipients.get(place).map(|recipient| recipient.path.clone());
        let is_final = is_known && replies.iter().all(|(_, reply)| !(400..500).contains(&reply.code()));
        let taken = replies.iter().find(|(_, reply)| reply.code() == 250);
        let text = taken.map_or_else(String::new, |(_, reply)| reply.text().first().cloned().unwrap_or_default());
        let recipients: Vec<String> =
            replies.iter().filter(|(_, reply)| reply.code() == 250).filter_map(|(place, _)| path(*place)).collect();
        let now = replies.iter().filter_map(|(place, _)| path(*place));
        let now: HashSet<String> = now.chain(self.refused.iter().cloned()).collect();
        let others: Vec<String> = copy.paths.iter().filter(|path| !now.contains(*path)).cloned().collect();
        let (journal, number) = (Arc::clone(&self.house.journal), copy.number);
        let settled = blocking(move || {
            if !recipients.is_empty() {
                journal.accept(passage, &recipients, &text)?;
            }
            if is_final && all_accepted(&journal, passage, &others) {
                journal.forget(passage, number);
            }
            Ok::<(), NotWritten>(())
        });
        // The next hop has the mail, so 250 is the truth; only a crash just now would send it twice.
        if let Err(error) = settled.await {
            tracing::error!(%error, "a mail that was taken is not in the journal");
        }
    }

    /// Sends the envelope's sender a notice, unless he had it. It is no more than a courtesy: if it cannot be sent now, the
    /// next try of the mail sends it.
    pub(super) async fn tell_sender(&mut self, envelope: &Envelope, passage: Passage, notice: Notice) {
        // Nobody is told of what a machine wrote to nobody.
        if envelope.from.is_empty() {
            return;
        }
        let (journal, key) = (Arc::clone(&self.house.journal), vec![format!("{NOTICE}{}", notice.kind)]);
        let place = key.clone();
        match blocking(move || journal.accepted(passage, &place)).await {
            Ok(known) if known.iter().all(Option::is_none) => {}
            Ok(_) => return,
            Err(error) => return tracing::warn!(%error, "whether a sender was told cannot be read"),
        }
        let reply = match self.notify(&envelope.from, notice.mail).await {
            Ok(reply) | Err(reply) => reply,
        };
        tracing::info!(kind = notice.kind, reply = reply.code(), "a notice to a sender");
        // Who cannot be told now for good is not tried again.
        if !(400..500).contains(&reply.code()) {
            let journal = Arc::clone(&self.house.journal);
            if let Err(error) = blocking(move || journal.accept(passage, &key, "told")).await {
                tracing::error!(%error, "a notice that was sent is not in the journal");
            }
        }
    }

    async fn notify(&mut self, to: &str, mail: Arc<dyn Octets>) -> Result<Reply, Reply> {
        self.is_asked = false;
        let utf8 = || Parameter { keyword: Keyword::Smtputf8, value: String::new() };
        let parameters = if to.is_ascii() { Vec::new() } else { vec![utf8()] };
        self.begin_mail(&Address { path: String::new(), parameters }).await?;
        let Some(delivery) = &mut self.delivery else { return Err(Reply::new(451, "4.3.0 no next hop")) };
        let reply = delivery.recipient(&Address { path: to.to_owned(), parameters: Vec::new() }).await;
        if !matches!(reply.code(), 250 | 251) {
            return Err(reply);
        }
        Ok(delivery.deliver(mail).await.reply().clone())
    }
}

/// Has the next hop taken the mail for all of these? If it cannot be read, what was built stays, and goes with a sweep.
fn all_accepted(journal: &Journal, passage: Passage, recipients: &[String]) -> bool {
    let accepted = journal.accepted(passage, recipients);
    accepted.is_ok_and(|accepted| accepted.iter().all(Option::is_some))
}
