//! The client's bytes as they come in, and a mail out of them into the spool. Memory stays flat: one window on the way in,
//! one on the way to the disk.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use kakitome_office::spool::{FileSpool, IN_MEMORY, SpoolDirectory};
use kakitome_smime::octets::{Octets, Spool, WINDOW};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::data::{DataReceiver, HopCount};
use super::reply::Reply;
use super::tls::{Credentials, Secured, Stream};

/// How long the next piece of a mail is waited for (RFC 5321 §4.5.3.2.5, seen from the other side).
const PIECE_TIME: Duration = Duration::from_secs(3 * 60);
/// How long a client may take to read what we say.
const WRITE_TIME: Duration = Duration::from_secs(5 * 60);
/// How long the end of a connection may take.
const CLOSE_TIME: Duration = Duration::from_secs(5);
/// A client that sends a mail has this long, and a second more for each [`LEAST_RATE`] bytes that came.
const SLOW_TIME: Duration = Duration::from_secs(3 * 60);
/// A mail that comes more slowly is not waited for, in bytes a second: whoever sends a byte now and then holds a place.
const LEAST_RATE: u64 = 500;
/// A mail with more Received fields is going in circles (RFC 5321 §6.3 asks for at least 100).
const MAX_HOPS: usize = 100;
/// How much is read at once while commands come, in bytes.
const COMMAND_WINDOW: usize = 4096;

/// The connection to a client: what was read and not yet used.
pub(super) struct Inlet {
    /// Absent after a handshake that failed.
    stream: Option<Stream>,
    bytes: Vec<u8>,
    used: usize,
}

impl Inlet {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream: Some(stream), bytes: Vec::new(), used: 0 }
    }

    /// Encrypts the connection from here on. What the client said in clear after STARTTLS is thrown away: somebody on the
    /// way may have said it (CVE-2011-0411).
    pub(super) async fn start_tls(&mut self, credentials: &Credentials) -> io::Result<Secured> {
        self.bytes = Vec::new();
        self.used = 0;
        let stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        let (stream, secured) = credentials.accept(stream).await?;
        self.stream = Some(stream);
        Ok(secured)
    }

    /// Says the end, in TLS too: a client could not tell it from one that was made by somebody on the way.
    pub(super) async fn close(&mut self) {
        if let Some(stream) = &mut self.stream {
            let _ = timeout(CLOSE_TIME, stream.shutdown()).await;
        }
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        self.stream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.bytes.len());
    }

    /// Reads more; 0 is the end. Safe to be given up half-way: what was read is kept.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        self.fill_by(COMMAND_WINDOW).await
    }

    async fn fill_by(&mut self, window: usize) -> io::Result<usize> {
        self.bytes.drain(..self.used.min(self.bytes.len()));
        self.used = 0;
        self.bytes.reserve(window);
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.read_buf(&mut self.bytes).await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream()?;
        let written = async {
            stream.write_all(bytes).await?;
            // TLS keeps the end of it back else.
            stream.flush().await
        };
        timeout(WRITE_TIME, written).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// A mail as it was received.
pub(super) struct Received {
    pub(super) mail: Arc<dyn Octets>,
    /// How many lone LF became CR LF.
    pub(super) lone_line_feeds: u64,
}

/// Reads a mail after 354, to its end also where it cannot be taken: only then may the client be answered. What follows
/// the end stays unread in `inlet`.
///
/// The inner error is the reply to a mail that is not taken: 552 over `max_mail` bytes, 554 in circles, 452 disk full.
///
/// # Errors
/// The client went away or fell silent: there is no mail.
pub(super) async fn receive(
    inlet: &mut Inlet,
    spools: &SpoolDirectory,
    max_mail: u64,
) -> io::Result<Result<Received, Reply>> {
    let mut receiver = DataReceiver::default();
    let mut hops = HopCount::default();
    let mut sink = Sink { spool: Some(Box::new(spools.create())), pending: Vec::new(), size: 0, refusal: None };
    let (begun, mut received) = (Instant::now(), 0u64);
    loop {
        let before = sink.pending.len();
        let used = receiver.push(inlet.unread(), &mut sink.pending);
        received = received.saturating_add(u64::try_from(used).unwrap_or(u64::MAX));
        inlet.consume(used);
        let new = sink.pending.get(before..).unwrap_or_default();
        hops.push(new);
        sink.size = sink.size.saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
        if sink.size > max_mail {
            sink.refuse(Reply::new(552, format!("5.3.4 the mail has more than {max_mail} bytes")));
        }
        if hops.hops() > MAX_HOPS {
            sink.refuse(Reply::new(554, format!("5.4.6 the mail has more than {MAX_HOPS} Received fields: a loop")));
        }
        if receiver.ended() {
            break;
        }
        if sink.pending.len() >= WINDOW {
            sink.write().await;
        }
        let allowed = SLOW_TIME.saturating_add(Duration::from_secs(received / LEAST_RATE));
        let left = allowed.saturating_sub(begun.elapsed()).min(PIECE_TIME);
        let count = timeout(left, inlet.fill_by(WINDOW)).await;
        if count.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    // An idle connection holds no window.
    inlet.bytes.drain(..inlet.used.min(inlet.bytes.len()));
    inlet.used = 0;
    inlet.bytes.shrink_to_fit();
    let lone_line_feeds = receiver.lone_line_feeds();
    Ok(sink.finish().await.map(|mail| Received { mail, lone_line_feeds }))
}

/// Writes to the spool, off the threads of the runtime. After a refusal it swallows what comes.
struct Sink {
    spool: Option<Box<FileSpool>>,
    pending: Vec<u8>,
    size: u64,
    refusal: Option<Reply>,
}

impl Sink {
    fn refuse(&mut self, reply: Reply) {
        self.refusal.get_or_insert(reply);
        self.spool = None;
        self.pending.clear();
    }

    async fn write(&mut self) {
        let Some(mut spool) = self.spool.take() else { return self.pending.clear() };
        let mut pending = std::mem::take(&mut self.pending);
        // Up to there it goes into memory.
        if usize::try_from(spool.written()).is_ok_and(|written| written.saturating_add(pending.len()) <= IN_MEMORY) {
            match spool.write_all(&pending) {
                Ok(()) => {
                    pending.clear();
                    (self.spool, self.pending) = (Some(spool), pending);
                }
                Err(error) => self.refuse(not_spooled(&error)),
            }
            return;
        }
        let written = spawn_blocking(move || {
            let written = spool.write_all(&pending);
            pending.clear();
            written.map(|()| (spool, pending))
        });
        match written.await.map_err(io::Error::other).and_then(|written| written) {
            Ok((spool, pending)) => (self.spool, self.pending) = (Some(spool), pending),
            Err(error) => self.refuse(not_spooled(&error)),
        }
    }

    async fn finish(mut self) -> Result<Arc<dyn Octets>, Reply> {
        self.write().await;
        let Some(spool) = self.spool else {
            return Err(self.refusal.unwrap_or_else(|| Reply::new(451, "4.3.0 the mail was not kept")));
        };
        // It only changes its type.
        spool.finish().map(Arc::from).map_err(|error| not_spooled(&error))
    }
}

fn not_spooled(error: &io::Error) -> Reply {
    tracing::error!(%error, "the spool cannot be written");
    Reply::new(452, "4.3.1 there is no place for the mail now")
}
