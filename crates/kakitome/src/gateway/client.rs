//! Our side as a client of the next hop: one connection, one mail after another (each copy of a mail is one), in lock-step
//! with the client in front of us.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kakitome_smime::octets::{Octets, WINDOW};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::command::{Address, XFORWARD_ATTRIBUTES};
use super::data::DataSender;
use super::idle::{Idle, MAILS_EACH};
use super::offer::{Announced, Known, Offer};
use super::reply::{REPLY_LINE_LIMIT, Reply, ReplyReader};
use super::tls::{Credentials, Stream};
use crate::settings::{HostPort, Tls};

/// Until the connection stands.
pub const CONNECT_TIME: Duration = Duration::from_secs(30);
/// Until the reply to the greeting, a command, or DATA. RFC 5321 §4.5.3.2 has five minutes; the client in front of us
/// waits just so long, and should hear from us before it gives up.
pub const REPLY_TIME: Duration = Duration::from_secs(4 * 60);
/// Until a piece of the mail is taken (RFC 5321 §4.5.3.2.5).
pub const PIECE_TIME: Duration = Duration::from_secs(3 * 60);
/// Until the reply to the final dot (RFC 5321 §4.5.3.2.6).
pub const FINAL_DOT_TIME: Duration = Duration::from_secs(10 * 60);
/// Until the next hop has said what it announces, where a client's greeting waits for it.
const ANNOUNCE_TIME: Duration = Duration::from_secs(5);
/// Until a reply that may wait for us after a write failed, or the reply to QUIT.
const LAST_WORDS_TIME: Duration = Duration::from_secs(5);

/// A mail server that takes mail after us.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it listens.
    pub address: HostPort,
    /// The name that we give ourselves.
    pub own_name: String,
    /// What TLS is demanded of it.
    pub credentials: Arc<Credentials>,
    /// Connections to it that wait for another mail.
    pub idle: Idle,
    /// What it announced last.
    pub known: Known,
}

impl Peer {
    /// What it announces of sizes and reports: as it did last, or asked now, on a connection that the next mail takes.
    /// Nothing of it is known while it cannot be reached; then no mail goes on either.
    pub async fn announced(&self) -> Announced {
        if let Some(announced) = self.known.get() {
            return announced;
        }
        match timeout(ANNOUNCE_TIME, Connection::open(self)).await {
            Ok(Ok(connection)) => {
                connection.quit();
                self.known.get().unwrap_or_default()
            }
            Ok(Err(_)) | Err(_) => Announced::default(),
        }
    }
}

/// Why there was no reply. To the client in front of us it is always temporary: it keeps the mail and tries again.
#[derive(Debug)]
pub struct Fault {
    status: &'static str,
    text: String,
}

impl Fault {
    fn unreachable(peer: &Peer, why: impl fmt::Display) -> Self {
        Self { status: "4.4.1", text: format!("the next hop {} cannot be reached: {why}", peer.address) }
    }

    fn lost(peer: &Peer, why: impl fmt::Display) -> Self {
        Self { status: "4.4.2", text: format!("the connection to the next hop {} was lost: {why}", peer.address) }
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        Self::new(451, format!("{} {}", fault.status, fault.text))
    }
}

/// How the sending of a mail ended; the reply is for the client in front of us.
#[derive(Debug)]
pub enum Delivered {
    /// The next hop has answered, or the mail was not sent: what became of it is known.
    Answered(Reply),
    /// The connection was lost before the answer: the next hop may have the mail.
    Unknown(Reply),
}

impl Delivered {
    /// The reply.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Answered(reply) | Self::Unknown(reply) => reply,
        }
    }
}

/// A connection to the next hop in the middle of a mail.
pub struct Connection {
    peer: Peer,
    /// Absent after a handshake that failed.
    stream: Option<Stream>,
    /// The connection is encrypted, and the next hop's certificate was verified.
    verified: bool,
    offer: Offer,
    unread: Vec<u8>,
    /// MAIL was taken, and the mail has not ended.
    in_mail: bool,
    /// How many mails were begun on it.
    mails: u32,
    /// A reply is missing or cannot be read: whatever comes now may belong to another command.
    broken: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Connection").field("peer", &self.peer).field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects, greets, tells whom the mail is from. The reply to MAIL comes with the connection if it is 250, else as
    /// the error.
    ///
    /// # Errors
    /// The reply for the client in front of us: the next hop's own, or 451 where it cannot be had, or 550 where
    /// the mail needs SMTPUTF8 or REQUIRETLS and the next hop has it not.
    pub async fn begin(peer: &Peer, mail: &Address, xforward: &[(String, String)]) -> Result<(Self, Reply), Reply> {
        // All of it within the time of one reply: the client in front waits for one.
        let dialogue = async {
            while let Some(mut connection) = peer.idle.take() {
                match connection.mail(mail, xforward).await {
                    Ok(reply) => return Ok((connection, reply)),
                    // It had ended while it waited; nothing of the mail was sent.
                    Err(_) if connection.broken => {}
                    Err(reply) => {
                        connection.quit();
                        return Err(reply);
                    }
                }
            }
            let mut connection = Self::open(peer).await?;
            match connection.mail(mail, xforward).await {
                Ok(reply) => Ok((connection, reply)),
                Err(reply) => {
                    connection.quit();
                    Err(reply)
                }
            }
        };
        let late = |_| Err(Fault::unreachable(peer, "it took too long").into());
        timeout(REPLY_TIME, dialogue).await.unwrap_or_else(late)
    }

    /// Did it announce DSN (RFC 3461)?
    pub fn offers_dsn(&self) -> bool {
        self.offer.announced().dsn
    }

    /// Begins another mail, whatever became of the last one.
    ///
    /// # Errors
    /// As for [`Self::begin`]; a new connection may still do.
    pub async fn begin_next(&mut self, mail: &Address, xforward: &[(String, String)]) -> Result<Reply, Reply> {
        if self.in_mail {
            self.command("RSET", REPLY_TIME).await?;
            self.in_mail = false;
        }
        self.mail(mail, xforward).await
    }

    async fn mail(&mut self, mail: &Address, xforward: &[(String, String)]) -> Result<Reply, Reply> {
        if self.broken {
            return Err(Fault::lost(&self.peer, "before this mail").into());
        }
        if mail.smtputf8() && !self.offer.smtputf8 {
            return Err(Reply::new(550, "5.6.7 the next hop does not offer SMTPUTF8"));
        }
        // RFC 8689 §4.2.1: verified, encrypted, and only to whom keeps it up.
        if mail.requiretls() && !(self.verified && self.offer.requiretls) {
            return Err(Reply::new(550, "5.7.30 the next hop does not offer REQUIRETLS over verified TLS"));
        }
        if let Some((size, limit)) = mail.declared_size().zip(self.offer.size).filter(|(size, limit)| size > limit) {
            return Err(Reply::new(552, format!("5.3.4 a mail of {size} bytes: the next hop takes {limit}")));
        }
        let line = self.offer.command("MAIL FROM", mail);
        let reply = match self.xforward(xforward) {
            // XFORWARD tells of one mail only (Postfix XFORWARD_README). It is for logs and policy there; a refusal stops
            // no mail, so nobody need wait for it.
            Some(first) if self.offer.pipelining => {
                self.write(format!("{first}\r\n{line}\r\n").as_bytes()).await?;
                self.reply(REPLY_TIME).await?;
                self.reply(REPLY_TIME).await?
            }
            Some(first) => {
                self.command(&first, REPLY_TIME).await?;
                self.command(&line, REPLY_TIME).await?
            }
            None => self.command(&line, REPLY_TIME).await?,
        };
        // RFC 5321 §3.8: with 421 it closes.
        self.broken |= reply.code() == 421;
        self.in_mail = reply.code() == 250;
        self.mails = self.mails.saturating_add(1);
        if self.in_mail { Ok(reply.relayed()) } else { Err(refusal(reply)) }
    }

    async fn open(peer: &Peer) -> Result<Self, Fault> {
        let mut connection = Self::greet(peer).await?;
        let wanted = peer.credentials.next_hop();
        if wanted == Tls::Off || (wanted == Tls::May && !connection.offer.starttls) {
            return Ok(connection);
        }
        match connection.start_tls(wanted == Tls::Require).await {
            Ok(()) => Ok(connection),
            // RFC 3207 §4.1: whoever does not insist may go on in clear, but not on this connection.
            Err(fault) if wanted == Tls::May => {
                tracing::warn!(reason = %fault.text, "no TLS with the next hop; the mail goes in clear");
                Self::greet(peer).await
            }
            Err(fault) => Err(fault),
        }
    }

    async fn start_tls(&mut self, verified: bool) -> Result<(), Fault> {
        let insecure = |peer: &Peer, why: &str| Fault {
            status: "4.7.5",
            text: format!("no TLS with the next hop {}: {why}", peer.address),
        };
        if !self.offer.starttls {
            return Err(insecure(&self.peer, "it does not offer STARTTLS"));
        }
        let reply = self.command("STARTTLS", REPLY_TIME).await?;
        if reply.code() != 220 {
            return Err(insecure(&self.peer, &reply.summary()));
        }
        // What came after that reply came in clear, from anybody: it is no answer to what we ask from here on.
        if !self.unread.is_empty() {
            self.broken = true;
            return Err(insecure(&self.peer, "it says more in clear than it should"));
        }
        let lost = || insecure(&self.peer, "the connection was lost");
        let stream = self.stream.take().ok_or_else(lost)?;
        let stream = self.peer.credentials.connect(&self.peer.address, stream).await;
        self.stream = Some(stream.map_err(|error| insecure(&self.peer, &error.to_string()))?);
        self.offer = Offer::default();
        self.hello().await?;
        self.verified = verified;
        Ok(())
    }

    async fn greet(peer: &Peer) -> Result<Self, Fault> {
        let target = (peer.address.host(), peer.address.port());
        let stream = timeout(CONNECT_TIME, TcpStream::connect(target)).await;
        let stream = stream
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| Fault::unreachable(peer, error))?;
        let offer = Offer::default();
        let stream: Option<Stream> = Some(Box::new(stream));
        let peer = peer.clone();
        let mut connection =
            Self { peer, stream, verified: false, offer, unread: Vec::new(), in_mail: false, mails: 0, broken: false };
        let greeting = connection.reply(REPLY_TIME).await?;
        if greeting.code() != 220 {
            return Err(Fault::unreachable(&connection.peer, format!("it greets with {}", greeting.summary())));
        }
        connection.hello().await?;
        Ok(connection)
    }

    async fn hello(&mut self) -> Result<(), Fault> {
        let own_name = self.peer.own_name.clone();
        let mut hello = self.command(&format!("EHLO {own_name}"), REPLY_TIME).await?;
        if hello.code() == 250 {
            self.offer = Offer::read(&hello);
        } else {
            hello = self.command(&format!("HELO {own_name}"), REPLY_TIME).await?;
        }
        match hello.code() {
            250 => {
                self.peer.known.set(self.offer.announced());
                Ok(())
            }
            _ => Err(Fault::unreachable(&self.peer, format!("it answers the greeting with {}", hello.summary()))),
        }
    }

    /// What the server in front knows of its client, as far as the next hop wants to hear it.
    fn xforward(&self, attributes: &[(String, String)]) -> Option<String> {
        let offered =
            |name: &str| XFORWARD_ATTRIBUTES.contains(&name) && self.offer.xforward.iter().any(|it| it == name);
        let words: Vec<String> = attributes
            .iter()
            .filter(|(name, _)| offered(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!words.is_empty()).then(|| format!("XFORWARD {}", words.join(" ")))
    }

    /// Hands on a recipient. The reply is the next hop's; 250 or 251 means that it takes him.
    pub async fn recipient(&mut self, recipient: &Address) -> Reply {
        let line = self.offer.command("RCPT TO", recipient);
        match self.command(&line, REPLY_TIME).await {
            Ok(reply) if matches!(reply.code(), 250 | 251) => reply.relayed(),
            Ok(reply) => refusal(reply),
            Err(fault) => fault.into(),
        }
    }

    /// Sends the mail. The reply is for the client in front of us; it is 250 only where the next hop said 250.
    pub async fn deliver(&mut self, mail: Arc<dyn Octets>) -> Delivered {
        if let Some(size) = self.offer.size.filter(|size| *size < mail.len()) {
            let text = format!("5.3.4 the mail has {} bytes, the next hop takes {size}", mail.len());
            return Delivered::Answered(Reply::new(552, text));
        }
        let reply = match self.command("DATA", REPLY_TIME).await {
            Ok(reply) if reply.code() == 354 => reply,
            Ok(reply) => return Delivered::Answered(refusal(reply)),
            Err(fault) => return Delivered::Answered(fault.into()),
        };
        drop(reply);
        if let Err(fault) = self.send(mail).await {
            // It may have told why before it closed ("552 too big"): that is the better answer, if it is a refusal.
            let last = self.reply(LAST_WORDS_TIME).await;
            self.broken = true;
            return match last {
                Ok(reply) if reply.code() >= 400 => Delivered::Answered(reply.relayed()),
                _ => Delivered::Unknown(fault.into()),
            };
        }
        match self.reply(FINAL_DOT_TIME).await {
            Ok(reply) => {
                self.in_mail = false;
                Delivered::Answered(if reply.code() == 250 { reply.relayed() } else { refusal(reply) })
            }
            // It may have taken the mail. To say so would risk its loss; a second delivery does less harm.
            Err(fault) => Delivered::Unknown(fault.into()),
        }
    }

    async fn send(&mut self, mail: Arc<dyn Octets>) -> Result<(), Fault> {
        let mut sender = DataSender::default();
        let mut wire = Vec::new();
        let mut at: u64 = 0;
        while at < mail.len() {
            let window = read_window(Arc::clone(&mail), at).await.map_err(|error| Fault {
                status: "4.3.0",
                text: format!("the mail cannot be read from the spool: {error}"),
            })?;
            at = at.saturating_add(u64::try_from(window.len()).unwrap_or(u64::MAX));
            sender.push(&window, &mut wire);
            // The last piece goes out with the end: one packet for a small mail.
            if at < mail.len() {
                self.write(&wire).await?;
                wire.clear();
            }
        }
        sender.finish(&mut wire);
        self.write(&wire).await
    }

    /// The mail has left it: it waits for another one, or ends in good manners while the caller goes on.
    pub fn quit(self) {
        let is_fit = !self.broken && !self.in_mail && self.unread.is_empty() && self.mails < MAILS_EACH;
        let rest = if is_fit { self.peer.idle.clone().leave(self) } else { Some(self) };
        if let Some(connection) = rest {
            tokio::spawn(connection.goodbye());
        }
    }

    /// Ends it.
    pub(super) async fn goodbye(mut self) {
        if !self.broken {
            let _ = timeout(LAST_WORDS_TIME, self.command("QUIT", LAST_WORDS_TIME)).await;
        }
    }

    async fn command(&mut self, line: &str, within: Duration) -> Result<Reply, Fault> {
        if self.broken {
            return Err(Fault::lost(&self.peer, "before this command"));
        }
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply(within).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let write = async {
            let stream = self.stream.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        let written = timeout(PIECE_TIME, write).await;
        written.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map_err(|error| {
            self.broken = true;
            Fault::lost(&self.peer, error)
        })
    }

    async fn reply(&mut self, within: Duration) -> Result<Reply, Fault> {
        let reply = timeout(within, self.read_reply()).await;
        reply.unwrap_or_else(|_| Err("no reply in time".to_owned())).map_err(|why| {
            self.broken = true;
            Fault::lost(&self.peer, why)
        })
    }

    async fn read_reply(&mut self) -> Result<Reply, String> {
        let mut reader = ReplyReader::default();
        loop {
            while let Some(feed) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=feed).collect();
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                match reader.push(line) {
                    Ok(Some(reply)) => return Ok(reply),
                    Ok(None) => {}
                    Err(_) => return Err("its reply cannot be understood".to_owned()),
                }
            }
            if self.unread.len() > REPLY_LINE_LIMIT {
                return Err("its reply has no end".to_owned());
            }
            self.unread.reserve(REPLY_LINE_LIMIT);
            let stream = self.stream.as_mut().ok_or_else(|| "it is closed".to_owned())?;
            match stream.read_buf(&mut self.unread).await {
                Ok(0) => return Err("it closed the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// The next piece of a mail. A small mail is in memory, or was a moment ago, and no thread need wait for it.
async fn read_window(mail: Arc<dyn Octets>, at: u64) -> std::io::Result<Vec<u8>> {
    let is_small = mail.len() <= u64::try_from(WINDOW).unwrap_or_default();
    let read = move || {
        let left = usize::try_from(mail.len().saturating_sub(at)).unwrap_or(usize::MAX);
        let mut window = vec![0; WINDOW.min(left)];
        let count = mail.read_at(at, &mut window)?;
        window.truncate(count);
        if window.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(window) }
    };
    if is_small { read() } else { tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)? }
}

/// A reply that is not the hoped-for one: refusals are handed on; anything else (a 2xx or 3xx out of place) is no word to
/// build on.
fn refusal(reply: Reply) -> Reply {
    if reply.code() >= 400 {
        reply.relayed()
    } else {
        Reply::new(451, format!("4.5.0 the next hop answered out of order: {}", reply.summary()))
    }
}
