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

use super::data::{ChunkReceiver, DataReceiver, HopCount};
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
/// How much is read at once while commands come, in bytes. Each idle connection holds so much.
const COMMAND_WINDOW: usize = 1024;

/// How much of a mail is read at first, in bytes.
const FIRST_WINDOW: usize = 8 * 1024;

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

    /// An idle connection holds no window.
    fn shrink(&mut self) {
        self.bytes.drain(..self.used.min(self.bytes.len()));
        self.used = 0;
        self.bytes.shrink_to_fit();
    }

    /// Reads so many bytes and keeps none.
    ///
    /// # Errors
    /// The client went away or fell silent.
    pub(super) async fn skip(&mut self, size: u64) -> io::Result<()> {
        let begun = Instant::now();
        let mut skipped: u64 = 0;
        loop {
            let left = usize::try_from(size.saturating_sub(skipped)).unwrap_or(usize::MAX);
            let used = left.min(self.unread().len());
            self.consume(used);
            skipped = skipped.saturating_add(u64::try_from(used).unwrap_or(u64::MAX));
            if skipped >= size {
                self.shrink();
                return Ok(());
            }
            self.fill_in_time(begun, skipped).await?;
        }
    }

    /// Reads the next window of a mail of which so much came since it began.
    async fn fill_in_time(&mut self, begun: Instant, received: u64) -> io::Result<()> {
        let left = time_left(begun.elapsed(), received);
        // A small mail needs no whole window, which the allocator would fetch from the system and give back.
        let window = usize::try_from(received).unwrap_or(WINDOW).clamp(FIRST_WINDOW, WINDOW);
        let count = timeout(left, self.fill_by(window)).await;
        if count.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
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

/// How long the next piece of a mail is waited for, when it took so long for what came so far. Whoever sends a byte now and
/// then is cut off like one who falls silent.
fn time_left(elapsed: Duration, received: u64) -> Duration {
    let allowed = SLOW_TIME.saturating_add(Duration::from_secs(received / LEAST_RATE));
    allowed.saturating_sub(elapsed).min(PIECE_TIME)
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
    let mut arriving = Arriving::new(spools, max_mail);
    loop {
        let before = arriving.sink.pending.len();
        let used = receiver.push(inlet.unread(), &mut arriving.sink.pending);
        inlet.consume(used);
        arriving.look(before, used);
        if receiver.ended() {
            break;
        }
        arriving.read_more(inlet).await?;
    }
    inlet.shrink();
    Ok(arriving.finish(receiver.lone_line_feeds()).await)
}

/// A mail that comes in chunks (RFC 3030): what came so far.
pub(super) struct Chunks {
    receiver: ChunkReceiver,
    arriving: Arriving,
}

impl Chunks {
    pub(super) fn new(spools: &SpoolDirectory, max_mail: u64) -> Self {
        Self { receiver: ChunkReceiver::default(), arriving: Arriving::new(spools, max_mail) }
    }

    /// Reads a chunk of so many bytes, also where the mail cannot be taken.
    ///
    /// # Errors
    /// The client went away or fell silent: there is no mail.
    pub(super) async fn receive(&mut self, inlet: &mut Inlet, size: u64) -> io::Result<()> {
        let mut left = size;
        loop {
            let unread = inlet.unread();
            let piece = unread.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(unread);
            let (before, used) = (self.arriving.sink.pending.len(), piece.len());
            self.receiver.push(piece, &mut self.arriving.sink.pending);
            inlet.consume(used);
            self.arriving.look(before, used);
            left = left.saturating_sub(u64::try_from(used).unwrap_or(u64::MAX));
            if left == 0 {
                inlet.shrink();
                return Ok(());
            }
            self.arriving.read_more(inlet).await?;
        }
    }

    /// Why the mail cannot be taken, as far as it came.
    pub(super) fn refusal(&self) -> Option<&Reply> {
        self.arriving.sink.refusal.as_ref()
    }

    /// The mail, after its last chunk.
    ///
    /// # Errors
    /// The reply to a mail that is not taken, as for [`receive`].
    pub(super) async fn finish(self) -> Result<Received, Reply> {
        self.arriving.finish(self.receiver.lone_line_feeds()).await
    }
}

/// A mail that arrives: what came of it so far, and whether it can be taken.
struct Arriving {
    sink: Sink,
    hops: HopCount,
    max_mail: u64,
    begun: Instant,
    /// How many bytes came, as they stood on the wire.
    received: u64,
}

impl Arriving {
    fn new(spools: &SpoolDirectory, max_mail: u64) -> Self {
        let sink = Sink { spool: Some(Box::new(spools.create())), pending: Vec::new(), size: 0, refusal: None };
        Self { sink, hops: HopCount::default(), max_mail, begun: Instant::now(), received: 0 }
    }

    /// Looks at what came: `used` bytes of the wire, which are those behind `before` in the sink.
    fn look(&mut self, before: usize, used: usize) {
        self.received = self.received.saturating_add(u64::try_from(used).unwrap_or(u64::MAX));
        let new = self.sink.pending.get(before..).unwrap_or_default();
        self.hops.push(new);
        self.sink.size = self.sink.size.saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
        let max_mail = self.max_mail;
        if self.sink.size > max_mail {
            self.sink.refuse(Reply::new(552, format!("5.3.4 the mail has more than {max_mail} bytes")));
        }
        if self.hops.hops() > MAX_HOPS {
            self.sink
                .refuse(Reply::new(554, format!("5.4.6 the mail has more than {MAX_HOPS} Received fields: a loop")));
        }
    }

    /// Writes what a window holds, and reads the next, as long as the client does not take too long over the whole.
    async fn read_more(&mut self, inlet: &mut Inlet) -> io::Result<()> {
        if self.sink.pending.len() >= WINDOW {
            self.sink.write().await;
        }
        inlet.fill_in_time(self.begun, self.received).await
    }

    async fn finish(self, lone_line_feeds: u64) -> Result<Received, Reply> {
        Ok(Received { mail: self.sink.finish().await?, lone_line_feeds })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_too_slowly_is_not_waited_for() {
        // (seconds since the mail began, bytes that came, seconds that are left)
        for (elapsed, received, left) in [
            (0, 0, 180),
            (170, 17, 10),
            (180, 18, 0),
            (1000, 499_999, 179),
            (1000, 500_000, 180),
            (1000, 10_000_000, 180),
            (1000, 1000, 0),
            (u64::MAX, u64::MAX, 0),
        ] {
            let found = time_left(Duration::from_secs(elapsed), received);
            assert_eq!(found, Duration::from_secs(left), "{received} bytes in {elapsed} seconds");
        }
    }
}
