//! What stands between Kakitome and its next hop: it hands on, and now and then it does what next hops and networks do.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kakitome_testkit::smtp::line;

use super::chance::Chance;

/// How long a stalled answer takes: longer than the Postfix in front waits for us.
pub(super) const STALL: Duration = Duration::from_secs(6);
/// Of so many connections one has a fault of each kind.
const ONE_IN: u64 = 40;

/// What goes wrong in one connection.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Trouble {
    /// Closed at once.
    Closed,
    /// 421 to MAIL, and closed.
    Closing,
    /// 450 to RCPT.
    RecipientLater,
    /// 550 to RCPT.
    RecipientRefused,
    /// 451 to DATA.
    DataLater,
    /// Closed in the middle of the mail.
    ClosedWithin,
    /// Closed before the answer to the mail, which was not taken.
    ClosedAtDot,
    /// 451 to the mail.
    Later,
    /// 554 to the mail.
    Refused,
    /// 250 after a long time.
    Stalled,
    /// The mail is taken, and the connection cut before its 250 comes through.
    Cut,
}

impl Trouble {
    pub(super) const ALL: [(Self, &str); 11] = [
        (Self::Closed, "connection closed at once"),
        (Self::Closing, "421 to MAIL"),
        (Self::RecipientLater, "450 to RCPT"),
        (Self::RecipientRefused, "550 to RCPT"),
        (Self::DataLater, "451 to DATA"),
        (Self::ClosedWithin, "connection closed within the mail"),
        (Self::ClosedAtDot, "connection closed at the end of the mail, not taken"),
        (Self::Later, "451 to the mail"),
        (Self::Refused, "554 to the mail"),
        (Self::Stalled, "250 only after the server in front gave up waiting"),
        (Self::Cut, "250 said into a cut connection"),
    ];

    fn by(chance: &Chance) -> Option<Self> {
        let number = usize::try_from(chance.below(ONE_IN)).unwrap_or(usize::MAX);
        Self::ALL.get(number).map(|(trouble, _)| *trouble)
    }
}

/// The next hop has said 250 for a recipient.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    /// When the connection began.
    pub(super) begin: Instant,
    /// When the word was handed on.
    pub(super) at: Instant,
    /// Its word was not handed on.
    pub(super) cut: bool,
}

#[derive(Default)]
pub(super) struct Record {
    /// By recipient.
    pub(super) taken: BTreeMap<String, Vec<Taken>>,
    /// Recipients whose mail the next hop has heard to its end: it may have taken it.
    heard: BTreeSet<String>,
    /// Recipients who were refused for good.
    pub(super) refused: BTreeMap<String, usize>,
    /// How often each trouble was made.
    pub(super) troubles: BTreeMap<Trouble, usize>,
}

pub(super) struct Hop {
    /// For each of the next hops.
    pub(super) ports: Vec<u16>,
    pub(super) trouble: Arc<AtomicBool>,
    record: Arc<Mutex<Record>>,
}

impl Hop {
    /// In front of each of `nexts`.
    pub(super) fn start(nexts: &[u16], chance: &Arc<Chance>) -> anyhow::Result<Self> {
        let (trouble, record) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Record>>::default());
        let mut ports = Vec::new();
        for next in nexts.iter().copied() {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            ports.push(listener.local_addr()?.port());
            let (making, notes, chance) = (Arc::clone(&trouble), Arc::clone(&record), Arc::clone(chance));
            thread::spawn(move || {
                for connection in listener.incoming().flatten() {
                    let trouble = making.load(Ordering::Relaxed).then(|| Trouble::by(&chance)).flatten();
                    let notes = Arc::clone(&notes);
                    thread::spawn(move || {
                        let mut passage = Passage { begin: Instant::now(), trouble, notes, recipients: Vec::new() };
                        passage.serve(connection, next)
                    });
                }
            });
        }
        Ok(Self { ports, trouble, record })
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
struct Passage {
    begin: Instant,
    trouble: Option<Trouble>,
    notes: Arc<Mutex<Record>>,
    recipients: Vec<String>,
}

impl Passage {
    fn serve(&mut self, mut client: TcpStream, next: u16) -> Option<()> {
        if self.makes(Trouble::Closed) {
            return None;
        }
        let mut server = TcpStream::connect(("127.0.0.1", next)).ok()?;
        let mut from_client = BufReader::new(client.try_clone().ok()?);
        let mut from_server = BufReader::new(server.try_clone().ok()?);
        client.write_all(&reply(&mut from_server)?).ok()?;
        loop {
            let command = line(&mut from_client)?;
            let text = String::from_utf8_lossy(&command).trim_end().to_owned();
            let verb = text.split([' ', ':']).next()?.to_ascii_uppercase();
            let recipient = || text.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match verb.as_str() {
                "MAIL" if self.makes(Trouble::Closing) => {
                    client.write_all(b"421 4.3.2 closing\r\n").ok()?;
                    return None;
                }
                "RCPT" if self.makes(Trouble::RecipientLater) => {
                    client.write_all(b"450 4.2.1 later\r\n").ok()?;
                    continue;
                }
                // Kakitome was killed before it could tell; a server that refused stays with that.
                "RCPT" if self.has_refused(&recipient()) => {
                    client.write_all(b"550 5.1.1 nobody\r\n").ok()?;
                    continue;
                }
                "RCPT" if self.refuses(&[recipient()], Trouble::RecipientRefused) => {
                    client.write_all(b"550 5.1.1 nobody\r\n").ok()?;
                    continue;
                }
                "DATA" if self.makes(Trouble::DataLater) => {
                    client.write_all(b"451 4.3.0 later\r\n").ok()?;
                    continue;
                }
                _ => {}
            }
            server.write_all(&command).ok()?;
            let answer = reply(&mut from_server)?;
            client.write_all(&answer).ok()?;
            if verb == "RCPT" && answer.starts_with(b"2") {
                self.recipients.push(recipient());
            }
            if verb == "DATA" && answer.starts_with(b"3") {
                self.mail(&mut client, &mut server, &mut from_client, &mut from_server)?;
            }
            if verb == "QUIT" {
                return Some(());
            }
        }
    }

    fn mail(
        &mut self,
        client: &mut TcpStream,
        server: &mut TcpStream,
        from_client: &mut BufReader<TcpStream>,
        from_server: &mut BufReader<TcpStream>,
    ) -> Option<()> {
        let within = self.makes(Trouble::ClosedWithin);
        let mut count = 0;
        loop {
            let line = line(from_client)?;
            if line == b".\r\n" {
                break;
            }
            server.write_all(&line).ok()?;
            count += 1;
            if within && count > 8 {
                return None;
            }
        }
        // The server has not seen the end of the mail yet: it will not take what is closed now.
        if self.makes(Trouble::ClosedAtDot) {
            return None;
        }
        if self.makes(Trouble::Later) {
            client.write_all(b"451 4.3.0 later\r\n").ok()?;
            return None;
        }
        let recipients = self.recipients.clone();
        if self.refuses(&recipients, Trouble::Refused) {
            client.write_all(b"554 5.6.0 never\r\n").ok()?;
            return None;
        }
        self.lets_hear(&recipients)?;
        server.write_all(b".\r\n").ok()?;
        let answer = reply(from_server)?;
        let taken = answer.starts_with(b"250");
        let cut = taken && self.makes(Trouble::Cut);
        let wait = if taken && !cut && self.makes(Trouble::Stalled) { STALL } else { Duration::ZERO };
        if taken {
            // Noted now for the moment when it will be told: the run may be counted before.
            let at = Instant::now() + wait;
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            for recipient in self.recipients.drain(..) {
                notes.taken.entry(recipient).or_default().push(Taken { begin: self.begin, at, cut });
            }
        }
        thread::sleep(wait);
        if cut {
            return None;
        }
        client.write_all(&answer).ok()
    }

    /// Is this the trouble of this connection? Then it is counted.
    fn makes(&mut self, trouble: Trouble) -> bool {
        let made = self.trouble == Some(trouble);
        if made {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            *notes.troubles.entry(trouble).or_default() += 1;
        }
        made
    }

    /// The same for a refusal for good. A server that may have taken a mail does not refuse it later.
    fn refuses(&mut self, recipients: &[String], trouble: Trouble) -> bool {
        if self.trouble != Some(trouble) {
            return false;
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if recipients.iter().any(|recipient| notes.heard.contains(recipient)) {
            return false;
        }
        *notes.troubles.entry(trouble).or_default() += 1;
        for recipient in recipients {
            *notes.refused.entry(recipient.clone()).or_default() += 1;
        }
        true
    }

    fn has_refused(&self, recipient: &str) -> bool {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).refused.contains_key(recipient)
    }

    /// The next hop is to hear the end of the mail; `None` if it has refused it in the meantime, in another connection
    /// (this one is then left from a Kakitome that was killed).
    fn lets_hear(&self, recipients: &[String]) -> Option<()> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if recipients.iter().any(|recipient| notes.refused.contains_key(recipient)) {
            return None;
        }
        notes.heard.extend(recipients.iter().cloned());
        Some(())
    }
}

/// A whole reply.
fn reply(lines: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = line(lines)?;
        whole.extend_from_slice(&line);
        if line.get(3) != Some(&b'-') {
            return Some(whole);
        }
    }
}
