//! One connection of a client, from the greeting to the end: a method for each verb.
//!
//! Replies gather and go out when no whole command is left unread, so pipelined commands (RFC 2920) are answered together.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use kakitome_office::policy::ClientCertificate;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::command::{Address, Command, Hello, Lines, XFORWARD_ATTRIBUTES, parse};
use super::log::{cut, own_id};
use super::next_hop::Delivery;
use super::passage;
use super::receive::{Chunks, Inlet, Received, receive};
use super::reply::Reply;
use super::tls::{Secured, Stream};
use super::{Direction, Envelope, House, Listener, Protocol, Tls, stopped};
use crate::metrics::Failure;

/// The most recipients of one mail; RFC 5321 §4.5.3.1.8 asks for at least 100.
const MAX_RECIPIENTS: usize = 1000;
/// After so many commands that were none, the client is sent away.
const MAX_ERRORS: usize = 20;
/// After so many commands that moved no mail on, each further one counts as none.
const MAX_IDLE_COMMANDS: usize = 100;
/// How long the next command is waited for, to its end (RFC 5321 §4.5.3.2.7).
const COMMAND_TIME: Duration = Duration::from_secs(5 * 60);
/// Replies that wait to be sent, in bytes; a client that asks without reading cannot make them more.
const MAX_WAITING_REPLIES: usize = 16 * 1024;

/// A mail between MAIL and its end.
pub(super) struct Transaction {
    pub(super) envelope: Envelope,
    /// MAIL as it was said.
    pub(super) mail: Address,
    /// The RCPTs that the next hop took, in the order of the envelope's recipients.
    pub(super) recipients: Vec<Address>,
    /// The paths that the next hop refused for good; nothing will come for them again.
    pub(super) refused: Vec<String>,
    pub(super) xforward: Vec<(String, String)>,
    pub(super) delivery: Delivery,
    /// What came of it by BDAT.
    pub(super) chunks: Option<Chunks>,
}

/// What came instead of a command, or a command's line.
enum Heard {
    Line(Result<Vec<u8>, Reply>),
    Silence,
    Stop,
    Gone,
}

pub(super) struct Session {
    house: Arc<House>,
    /// The house as it is now: each mail has the one that stood at its MAIL.
    houses: watch::Receiver<Arc<House>>,
    listener: Listener,
    /// Where the client is; a Unix socket does not say.
    client: Option<IpAddr>,
    secured: Option<Secured>,
    inlet: Inlet,
    lines: Lines,
    replies: Vec<u8>,
    stop: watch::Receiver<bool>,
    greeted: bool,
    xforward: Vec<(String, String)>,
    transaction: Option<Transaction>,
    errors: usize,
    idle_commands: usize,
    closing: bool,
}

impl Session {
    pub(super) fn new(
        houses: watch::Receiver<Arc<House>>,
        listener: Listener,
        (stream, client): (Stream, Option<IpAddr>),
        stop: watch::Receiver<bool>,
    ) -> Self {
        let house = Arc::clone(&houses.borrow());
        Self {
            house,
            houses,
            listener,
            client,
            secured: None,
            inlet: Inlet::new(stream),
            lines: Lines::default(),
            replies: Vec::new(),
            stop,
            greeted: false,
            xforward: Vec::new(),
            transaction: None,
            errors: 0,
            idle_commands: 0,
            closing: false,
        }
    }

    /// Serves the client until one of us has enough.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let protocol = match self.listener.protocol {
            Protocol::Smtp => "ESMTP",
            Protocol::Lmtp => "LMTP",
        };
        if self.listener.serves(self.client) {
            self.say(&Reply::new(220, format!("{} {protocol} Kakitome", self.house.own_name)));
        } else {
            tracing::warn!(client = ?self.client, "a client from none of the listener's networks is turned away");
            self.say(&Reply::new(554, format!("{} 5.7.1 this server does not serve you", self.house.own_name)));
            self.closing = true;
        }
        while !self.closing {
            match self.hear().await? {
                Heard::Line(line) => match line.and_then(|line| parse(&line)) {
                    // Apart, for its size: between commands a connection is small.
                    Ok(command) => Box::pin(self.perform(command)).await?,
                    Err(reply) => self.object(&reply),
                },
                Heard::Silence => self.close("4.4.2 nothing was said for too long"),
                Heard::Stop => self.close("4.3.2 this server is stopping, come later"),
                Heard::Gone => break,
            }
            if self.errors >= MAX_ERRORS && !self.closing {
                self.close("4.7.0 too many errors");
            }
            if self.replies.len() >= MAX_WAITING_REPLIES {
                self.send_replies().await?;
            }
        }
        self.abandon();
        self.send_replies().await?;
        self.inlet.close().await;
        Ok(())
    }

    /// The next command's line. A stop is heard between commands only: a mail in flight is finished first.
    async fn hear(&mut self) -> io::Result<Heard> {
        let now = Instant::now();
        let end = now.checked_add(COMMAND_TIME).unwrap_or(now);
        loop {
            if *self.stop.borrow() {
                return Ok(Heard::Stop);
            }
            let (used, line) = self.lines.next(self.inlet.unread());
            let line = line.map(|line| line.map(<[u8]>::to_vec));
            self.inlet.consume(used);
            if let Some(line) = line {
                return Ok(Heard::Line(line));
            }
            self.send_replies().await?;
            tokio::select! {
                () = stopped(&mut self.stop) => return Ok(Heard::Stop),
                () = sleep_until(end) => return Ok(Heard::Silence),
                count = self.inlet.fill() => if count? == 0 { return Ok(Heard::Gone) },
            }
        }
    }

    fn say(&mut self, reply: &Reply) {
        reply.write_to(&mut self.replies);
    }

    /// Answers what was no command, or not in its place.
    fn object(&mut self, reply: &Reply) {
        self.errors = self.errors.saturating_add(1);
        self.closing |= reply.code() == 421;
        self.say(reply);
    }

    fn close(&mut self, why: &str) {
        let (status, why) = why.split_once(' ').unwrap_or((why, ""));
        self.say(&Reply::new(421, format!("{status} {}: {why}", self.house.own_name)));
        self.closing = true;
    }

    async fn send_replies(&mut self) -> io::Result<()> {
        self.inlet.write(&self.replies).await?;
        self.replies.clear();
        Ok(())
    }

    async fn perform(&mut self, command: Command) -> io::Result<()> {
        if matches!(command, Command::Hello(..) | Command::Rset | Command::Noop | Command::Vrfy) {
            self.idle_commands = self.idle_commands.saturating_add(1);
            self.errors = self.errors.saturating_add(usize::from(self.idle_commands > MAX_IDLE_COMMANDS));
        }
        let needs_guest = matches!(
            command,
            Command::Mail(_) | Command::Rcpt(_) | Command::Data | Command::Xforward(_) | Command::Vrfy
        );
        if let Some(reply) = needs_guest.then(|| self.barred()).flatten() {
            self.object(&reply);
            return Ok(());
        }
        match command {
            Command::StartTls => self.start_tls().await?,
            Command::Hello(hello, _) => self.hello(hello).await,
            Command::Mail(mail) => self.mail(&mail).await,
            Command::Rcpt(recipient) => self.recipient(recipient).await,
            Command::Data => self.data().await?,
            Command::Bdat { size, last } => self.chunk(size, last).await?,
            Command::Xforward(attributes) => self.xforward(attributes),
            Command::Rset => {
                self.abandon();
                self.say(&Reply::new(250, "2.0.0 forgotten"));
            }
            Command::Noop => self.say(&Reply::new(250, "2.0.0 here")),
            // RFC 5321 §3.5.3: who exists is the next hop's to know, and RCPT asks it.
            Command::Vrfy => self.say(&Reply::new(252, "2.1.5 send a mail and see")),
            Command::Quit => {
                self.say(&Reply::new(221, format!("2.0.0 {} closes", self.house.own_name)));
                self.closing = true;
            }
        }
        Ok(())
    }

    /// Why this client may hand in no mail.
    fn barred(&self) -> Option<Reply> {
        let Some(secured) = &self.secured else {
            // RFC 3207 §4
            return (self.listener.tls() == Tls::Require).then(|| Reply::new(530, "5.7.0 say STARTTLS first"));
        };
        // Temporary: it is a server of the site whose certificate nobody has entered yet, or a stranger.
        (!self.listener.trusts(&secured.names))
            .then(|| Reply::new(450, "4.7.1 this listener wants a client certificate that it knows"))
    }

    /// RFC 3207 §4.2: what was said before the handshake counts for nothing after it.
    async fn start_tls(&mut self) -> io::Result<()> {
        if self.secured.is_some() {
            self.object(&Reply::new(503, "5.5.1 TLS is on already"));
            return Ok(());
        }
        if !self.offers_tls() {
            self.object(&Reply::new(502, "5.5.1 STARTTLS is not offered here"));
            return Ok(());
        }
        if !self.greeted {
            self.object(&Reply::new(503, "5.5.1 greet first"));
            return Ok(());
        }
        self.say(&Reply::new(220, "2.0.0 begin the handshake"));
        self.send_replies().await?;
        self.abandon();
        self.greeted = false;
        self.lines = Lines::default();
        match self.inlet.start_tls(&self.house.credentials).await {
            Ok(secured) => self.secured = Some(secured),
            Err(error) => {
                self.house.metrics.failed(Failure::Handshake);
                tracing::warn!(client = ?self.client, %error, "a handshake failed");
                return Err(error);
            }
        }
        Ok(())
    }

    fn offers_tls(&self) -> bool {
        self.listener.tls() != Tls::Off && self.secured.is_none() && self.house.credentials.can_serve()
    }

    /// RFC 2033 §4.1: LHLO is LMTP's, HELO and EHLO are SMTP's.
    async fn hello(&mut self, hello: Hello) {
        match (self.listener.protocol, hello) {
            (Protocol::Lmtp, Hello::Lhlo) | (Protocol::Smtp, Hello::Ehlo) => {
                let next_hop = self.house.next_hop(self.listener.direction).announced().await;
                let max_mail = next_hop.size.map_or(self.house.max_mail, |size| size.min(self.house.max_mail));
                let mut offer = vec![
                    "PIPELINING".to_owned(),
                    format!("SIZE {max_mail}"),
                    "8BITMIME".to_owned(),
                    "SMTPUTF8".to_owned(),
                    "ENHANCEDSTATUSCODES".to_owned(),
                    "CHUNKING".to_owned(),
                ];
                if next_hop.dsn {
                    offer.push("DSN".to_owned());
                }
                if self.offers_tls() {
                    offer.push("STARTTLS".to_owned());
                }
                if self.secured.is_some() {
                    // RFC 8689 §2: never in clear.
                    offer.push("REQUIRETLS".to_owned());
                }
                if !self.listener.submission {
                    offer.push(format!("XFORWARD {}", XFORWARD_ATTRIBUTES.join(" ")));
                }
                self.say(&Reply::lines(250, self.house.own_name.clone(), offer));
            }
            (Protocol::Smtp, Hello::Helo) => self.say(&Reply::new(250, self.house.own_name.clone())),
            (Protocol::Lmtp, _) => return self.object(&Reply::new(500, "5.5.1 this is LMTP: say LHLO")),
            (Protocol::Smtp, _) => return self.object(&Reply::new(500, "5.5.1 this is SMTP: say EHLO")),
        }
        self.greeted = true;
        self.abandon();
    }

    async fn mail(&mut self, mail: &Address) {
        if !self.greeted {
            return self.object(&Reply::new(503, "5.5.1 greet first"));
        }
        if self.transaction.is_some() {
            return self.object(&Reply::new(503, "5.5.1 there is a mail already"));
        }
        self.house = Arc::clone(&self.houses.borrow());
        if mail.requiretls() && self.secured.is_none() {
            return self.say(&Reply::new(530, "5.7.10 REQUIRETLS needs TLS: say STARTTLS first"));
        }
        if let Some(reply) = self.house.no_room() {
            return self.say(&reply);
        }
        if !mail.is_ascii() && !mail.smtputf8() {
            return self.say(&Reply::new(553, "5.6.7 this sender needs the parameter SMTPUTF8"));
        }
        if mail.declared_size().is_some_and(|size| size > self.house.max_mail) {
            let text = format!("5.3.4 a mail has at most {} bytes here", self.house.max_mail);
            return self.say(&Reply::new(552, text));
        }
        match self.house.next_hop(self.listener.direction).begin(mail, &self.xforward).await {
            Ok((delivery, reply)) => {
                let queue_id = self.queue_id();
                let envelope = Envelope {
                    id: queue_id.clone().unwrap_or_else(own_id),
                    from: mail.path.clone(),
                    recipients: Vec::new(),
                    smtputf8: mail.smtputf8(),
                    body_8bit: mail.body_8bit(),
                    queue_id,
                    client: self.told_client(),
                    certificate: self.told_certificate(),
                    listener: self.listener.clone(),
                    returns_whole: !delivery.returns_headers(),
                };
                self.transaction = Some(Transaction {
                    envelope,
                    mail: mail.clone(),
                    recipients: Vec::new(),
                    refused: Vec::new(),
                    xforward: self.xforward.clone(),
                    delivery,
                    chunks: None,
                });
                self.say(&reply);
            }
            Err(reply) => {
                if reply.is_about_the_next_hop() {
                    self.house.metrics.next_hop_failed(self.listener.direction);
                }
                let id = self.queue_id();
                tracing::warn!(id, from = cut(&mail.path), reply = cut(&reply.summary()), "a sender was not taken");
                self.say(&reply);
            }
        }
    }

    /// What the server in front calls the next mail, where it says so.
    fn queue_id(&self) -> Option<String> {
        let told = self.xforward.iter().rfind(|(name, value)| name == "IDENT" && value != "[UNAVAILABLE]");
        told.map(|(_, value)| value.clone())
    }

    /// Whoever handed the mail in: a mail program is connected itself; of a server's client the server tells.
    fn told_client(&self) -> Option<IpAddr> {
        if self.listener.submission {
            return self.client;
        }
        self.xforward.iter().rfind(|(name, _)| name == "ADDR").and_then(|(_, value)| client(value))
    }

    /// A mail program's certificate is its user's, a server's is nobody's.
    fn told_certificate(&self) -> Option<ClientCertificate> {
        let secured = self.secured.as_ref().filter(|_| self.listener.submission)?;
        secured.certificate.clone()
    }

    /// An inbound listener that other machines reach takes mail for the site only, whoever brings it.
    fn relays_to(&self, recipient: &Address) -> bool {
        self.listener.direction == Direction::Outbound
            || !self.listener.is_open()
            || recipient.domain().is_none_or(|domain| self.house.is_own(domain))
    }

    async fn recipient(&mut self, recipient: Address) {
        let relays = self.relays_to(&recipient);
        let reply = match &mut self.transaction {
            None => return self.object(&Reply::new(503, "5.5.1 say MAIL first")),
            Some(_) if !relays => {
                tracing::warn!(client = ?self.client, to = cut(&recipient.path), "a relay was refused");
                return self.object(&Reply::new(550, "5.7.1 this server does not relay there"));
            }
            Some(Transaction { chunks: Some(_), .. }) => {
                return self.object(&Reply::new(503, "5.5.1 the mail is on its way: no more recipients"));
            }
            Some(Transaction { envelope, .. }) if envelope.recipients.len() >= MAX_RECIPIENTS => {
                Reply::new(452, format!("4.5.3 a mail has at most {MAX_RECIPIENTS} recipients"))
            }
            Some(Transaction { envelope, .. }) if !recipient.is_ascii() && !envelope.smtputf8 => {
                Reply::new(553, "5.6.7 this recipient needs the parameter SMTPUTF8 at MAIL")
            }
            Some(Transaction { envelope, delivery, recipients, refused, .. }) => {
                let reply = delivery.recipient(&recipient).await;
                if matches!(reply.code(), 250 | 251) {
                    envelope.recipients.push(recipient.path.clone());
                    recipients.push(recipient);
                } else {
                    let (id, to, said) = (&envelope.id, cut(&recipient.path), cut(&reply.summary()));
                    tracing::info!(target: "kakitome::mail", id, to, reply = said, "a recipient was not taken");
                    if reply.code() >= 500 && refused.len() < MAX_RECIPIENTS {
                        refused.push(recipient.path);
                    }
                }
                reply
            }
        };
        self.say(&reply);
    }

    async fn data(&mut self) -> io::Result<()> {
        if let Some(reply) = self.no_text(false) {
            self.object(&reply);
            return Ok(());
        }
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        self.say(&Reply::new(354, "the mail, and a dot alone on the last line"));
        self.send_replies().await?;
        match receive(&mut self.inlet, &self.house.spools, self.house.max_mail).await {
            Ok(received) => self.hand_on(transaction, received).await,
            Err(error) => return self.give_up(transaction, error),
        }
        Ok(())
    }

    /// RFC 3030 §2: a chunk is read whatever is to be said about it, for behind it stands the next command.
    async fn chunk(&mut self, size: u64, last: bool) -> io::Result<()> {
        self.send_replies().await?;
        if let Some(reply) = self.barred().or_else(|| self.no_text(true)) {
            self.object(&reply);
            return self.inlet.skip(size).await;
        }
        let Some(mut transaction) = self.transaction.take() else { return Ok(()) };
        let new = || Chunks::new(&self.house.spools, self.house.max_mail);
        let mut chunks = transaction.chunks.take().unwrap_or_else(new);
        if let Err(error) = chunks.receive(&mut self.inlet, size).await {
            return self.give_up(transaction, error);
        }
        if last {
            let received = chunks.finish().await;
            self.hand_on(transaction, received).await;
        } else if let Some(reply) = chunks.refusal() {
            self.say(reply);
            self.xforward.clear();
            transaction.delivery.abandon();
        } else {
            if size == 0 {
                self.idle_commands = self.idle_commands.saturating_add(1);
                self.errors = self.errors.saturating_add(usize::from(self.idle_commands > MAX_IDLE_COMMANDS));
            }
            self.say(&Reply::new(250, format!("2.0.0 {size} bytes")));
            transaction.chunks = Some(chunks);
            self.transaction = Some(transaction);
        }
        Ok(())
    }

    /// Why no text of a mail may come now.
    fn no_text(&self, is_chunk: bool) -> Option<Reply> {
        match &self.transaction {
            // RFC 3030 §2
            Some(Transaction { chunks: Some(_), .. }) if !is_chunk => {
                Some(Reply::new(503, "5.5.1 the mail comes by BDAT already"))
            }
            // RFC 2033 §4.2 and RFC 5321 §3.3: without a recipient there is nothing to send.
            Some(Transaction { envelope, .. }) if !envelope.recipients.is_empty() => None,
            _ => Some(Reply::new(503, "5.5.1 there is no recipient")),
        }
    }

    /// The client fell silent within the mail, or is gone.
    fn give_up(&mut self, transaction: Transaction, error: io::Error) -> io::Result<()> {
        if error.kind() != io::ErrorKind::TimedOut {
            return Err(error);
        }
        transaction.delivery.abandon();
        self.close("4.4.2 the mail did not come in time");
        Ok(())
    }

    async fn hand_on(&mut self, transaction: Transaction, received: Result<Received, Reply>) {
        self.xforward.clear();
        self.idle_commands = 0;
        let begun = Instant::now();
        let replies = passage::hand_on(&self.house, transaction, received).await;
        self.house.metrics.mail_took(self.listener.direction, begun.elapsed());
        // RFC 2033 §4.2: LMTP answers for each recipient that was taken, SMTP for all together.
        if self.listener.protocol == Protocol::Lmtp {
            for reply in &replies {
                self.say(reply);
            }
        } else if let Some(reply) = passage::for_all(&replies) {
            self.say(reply);
        }
    }

    /// XFORWARD tells of the next mail only, so it comes before MAIL (Postfix XFORWARD_README).
    fn xforward(&mut self, attributes: Vec<(String, String)>) {
        if self.listener.submission {
            return self.object(&Reply::new(502, "5.5.1 XFORWARD is not offered here"));
        }
        if !self.greeted || self.transaction.is_some() {
            return self.object(&Reply::new(503, "5.5.1 XFORWARD comes between the greeting and MAIL"));
        }
        for (name, value) in attributes {
            self.xforward.retain(|(known, _)| *known != name);
            self.xforward.push((name, value));
        }
        self.say(&Reply::new(250, "2.0.0 noted"));
    }

    fn abandon(&mut self) {
        self.xforward.clear();
        if let Some(Transaction { delivery, .. }) = self.transaction.take() {
            delivery.abandon();
        }
    }
}

/// The address of XFORWARD ADDR: IPv4 as it is, IPv6 behind its tag (RFC 5321 §4.1.3). It is unknown where the mail was
/// made on the machine itself.
fn client(value: &str) -> Option<IpAddr> {
    match value.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPV6:") => value.get(5..)?.parse().map(IpAddr::V6).ok(),
        _ => value.parse().map(IpAddr::V4).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a call comes to before it is done, in bytes.
    fn size_of_future<F>(_: impl Fn(Session) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_session_is_small_between_commands() {
        // Thousands may be idle at once.
        let size = size_of_future(Session::run);
        assert!(size < 4096, "{size} bytes");
        println!("{size} bytes");
    }

    #[test]
    fn the_client_is_told_by_the_server_in_front() {
        for (value, read) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("IPV6:2001:db8::7", Some("2001:db8::7")),
            ("ipv6:::1", Some("::1")),
            ("2001:db8::7", None),
            ("[UNAVAILABLE]", None),
            ("IPV6:192.0.2.7", None),
            ("192.0.2.7+20x", None),
            ("", None),
        ] {
            assert_eq!(client(value), read.map(|read| read.parse().unwrap()), "{value}");
        }
    }
}
