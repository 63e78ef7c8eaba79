//! The gateway: a filter between two mail servers, or between a mail program and a Maildir.
//!
//! It is transparent. It adds no header of its own, no Received either, and changes no byte of a mail that passes: the
//! servers on both sides write their trace, and a filter that leaves none can be put in and taken out without a
//! signature of anyone breaking. (The one thing mended is a lone LF, see [`data`].) And it owns no mail: 250 is said only
//! after the next hop's 250, so there is no queue to lose. What the next hop took stands in the office's journal before
//! ours is said, so that a mail that comes again after a crash is known again (`passage`).
//!
//! Server and client are written by hand on tokio. smtp-proto 0.2, the library at hand, hangs at an empty mail, misses the
//! stuffed dot of a first line and drops the quotes of local parts; no library streams bodies and speaks LMTP.

pub mod client;
pub mod command;
mod copies;
pub mod data;
pub mod maildir;
pub mod next_hop;
mod passage;
mod receive;
pub mod reply;
mod session;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use kakitome_office::journal::{Journal, SWEEP_TIME};
use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::octets::Octets;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use self::next_hop::NextHop;
use self::reply::Reply;
use self::session::Session;
use crate::settings;
pub use crate::settings::{Direction, Listener, Mode, Protocol};

/// How long mail in flight has to be finished when we stop.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(30);
/// How long a connection that is one too many is waited for to hear so.
const TURN_AWAY_TIME: Duration = Duration::from_secs(1);
/// The pause after an accept that failed, which is for want of file descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the desk is told of a mail beside its bytes.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The path of MAIL as it was written, without the brackets; empty is the null sender.
    pub from: String,
    /// The paths of the recipients that the next hop takes.
    pub recipients: Vec<String>,
    /// SMTPUTF8 was asked for.
    pub smtputf8: bool,
    /// BODY=8BITMIME was said.
    pub body_8bit: bool,
    /// The queue id of the server in front, if it told one (XFORWARD IDENT).
    pub queue_id: Option<String>,
    /// The client of the server in front, if it told one (XFORWARD ADDR). Whoever is connected to us is this machine, and
    /// says nothing.
    pub client: Option<IpAddr>,
    /// The door that the mail came in by.
    pub listener: Listener,
}

/// What the desk made of a mail. A recipient who is in none of it gets 451.
#[derive(Default)]
pub struct Processed {
    /// What leaves. Nobody stands in two copies.
    pub copies: Vec<MailCopy>,
    /// For whom nothing leaves.
    pub withheld: Vec<Withheld>,
    /// What the sender is told in a mail of ours.
    pub notice: Option<Notice>,
}

/// One copy of a mail, and who gets it.
pub struct MailCopy {
    /// The mail to hand on.
    pub mail: Arc<dyn Octets>,
    /// The places of those who get it among the envelope's recipients.
    pub recipients: Vec<usize>,
    /// A report of failure shall bring back the header alone (RET=HDRS), because what it would bring back must not go
    /// where the report goes.
    pub headers_only: bool,
    /// What was done, for the log: `signed`, `sealed` or `passed`.
    pub action: &'static str,
    /// Why, for the log.
    pub reason: String,
}

/// Recipients for whom nothing leaves.
pub struct Withheld {
    /// Their places among the envelope's recipients.
    pub recipients: Vec<usize>,
    /// What they are answered with: 4xx, and the mail stays with the server in front, or 5xx.
    pub reply: Reply,
    /// What was done, for the log: `held` or `withheld`.
    pub action: &'static str,
    /// Why, for the log.
    pub reason: String,
}

/// A mail of ours to the envelope's sender, about his mail. It is sent once for each mail, with the null sender, and only
/// where the mail has a queue id: without one a mail that comes again is not known.
pub struct Notice {
    /// Of which kind it is; one of each kind is sent.
    pub kind: &'static str,
    /// The mail.
    pub mail: Arc<dyn Octets>,
}

impl Processed {
    /// One copy for all recipients of this envelope.
    pub fn whole(envelope: &Envelope, mail: Arc<dyn Octets>, action: &'static str, reason: String) -> Self {
        let recipients = (0..envelope.recipients.len()).collect();
        let copy = MailCopy { mail, recipients, headers_only: false, action, reason };
        Self { copies: vec![copy], ..Self::default() }
    }
}

/// The desk cannot say: something of ours fails. It is always temporary; the client keeps the mail and hears 451 4.3.0.
#[derive(Clone, Debug)]
pub struct DeskFault {
    /// What failed, for the log and, in one line, for the client.
    pub text: String,
}

impl fmt::Display for DeskFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}

impl std::error::Error for DeskFault {}

/// Decides what becomes of a mail.
pub trait Desk: Send + Sync + 'static {
    /// Blocks; the gateway calls it off its own threads. A panic is heard by the client as 451.
    ///
    /// # Errors
    /// Something of ours fails for now.
    fn process(&self, direction: Direction, envelope: &Envelope, mail: Arc<dyn Octets>)
    -> Result<Processed, DeskFault>;
}

/// What all sessions share.
struct House {
    mode: Mode,
    own_name: String,
    max_mail: u64,
    next_hop: NextHop,
    spools: SpoolDirectory,
    journal: Arc<Journal>,
    desk: Arc<dyn Desk>,
    places: Arc<Semaphore>,
}

/// The listeners, bound.
pub struct Gateway {
    house: Arc<House>,
    doors: Vec<(Listener, TcpListener)>,
}

impl Gateway {
    /// Binds every listener, or none.
    ///
    /// # Errors
    /// An address cannot be bound; the error names it.
    pub async fn bind(
        settings: &settings::Gateway,
        next_hop: NextHop,
        spools: SpoolDirectory,
        journal: Arc<Journal>,
        desk: Arc<dyn Desk>,
    ) -> io::Result<Self> {
        let mut doors = Vec::new();
        for listener in &settings.listeners {
            let address = listener.address.socket();
            let socket = TcpListener::bind(address).await.map_err(|error| {
                io::Error::new(error.kind(), format!(
                    "gateway.listeners: cannot listen on {address}: {error}; end what listens there, or choose another \
                     address"
                ))
            })?;
            doors.push((listener.clone(), socket));
        }
        let connections = usize::try_from(settings.max_connections.get()).unwrap_or(usize::MAX);
        let house = House {
            mode: settings.mode,
            own_name: settings.own_name(),
            max_mail: settings.max_mail.get(),
            next_hop,
            spools,
            journal,
            desk,
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
        };
        Ok(Self { house: Arc::new(house), doors })
    }

    /// Each door with the address that it is bound to (the port may have been 0).
    ///
    /// # Errors
    /// The system does not tell.
    pub fn addresses(&self) -> io::Result<Vec<(Listener, SocketAddr)>> {
        self.doors.iter().map(|(listener, socket)| Ok((listener.clone(), socket.local_addr()?))).collect()
    }

    /// Serves until `shutdown` comes; then takes nothing new, tells the idle to come later (421), and gives mail in
    /// flight [`SHUTDOWN_TIME`] to be finished. What is not finished then stays with the client, which heard no 250.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(false);
        let mut doors = JoinSet::new();
        for (listener, socket) in self.doors {
            doors.spawn(keep(Arc::clone(&self.house), listener, socket, stopping.clone()));
        }
        drop(stopping);
        let sweeping = tokio::spawn(sweep(Arc::clone(&self.house.journal)));
        shutdown.await;
        stop.send_replace(true);
        while doors.join_next().await.is_some() {}
        sweeping.abort();
    }
}

/// Makes the journal older as time passes.
async fn sweep(journal: Arc<Journal>) {
    loop {
        sleep(SWEEP_TIME).await;
        let journal = Arc::clone(&journal);
        match tokio::task::spawn_blocking(move || journal.sweep()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the journal cannot be swept"),
            Err(error) => tracing::error!(%error, "the sweep of the journal died of a bug"),
        }
    }
}

/// Keeps one door until the stop, then waits for those inside.
async fn keep(house: Arc<House>, listener: Listener, socket: TcpListener, stopping: watch::Receiver<bool>) {
    let mut sessions = JoinSet::new();
    let mut stop = stopping.clone();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(ended) = sessions.join_next() => report(ended),
            accepted = socket.accept() => match accepted {
                Ok((stream, client)) => match Arc::clone(&house.places).try_acquire_owned() {
                    Ok(place) => {
                        let session = Session::new(Arc::clone(&house), listener.clone(), stream, stopping.clone());
                        sessions.spawn(async move {
                            if let Err(error) = session.run().await {
                                tracing::debug!(%client, %error, "connection lost");
                            }
                            drop(place);
                        });
                    }
                    Err(_) => turn_away(&house, stream, client).await,
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(socket);
    let finish = async {
        while let Some(ended) = sessions.join_next().await {
            report(ended);
        }
    };
    if timeout(SHUTDOWN_TIME, finish).await.is_err() {
        let left = sessions.len();
        tracing::warn!(left, "sessions did not finish in time; their mail stays with the sender");
        sessions.shutdown().await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone is a stop, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn turn_away(house: &House, mut stream: TcpStream, client: SocketAddr) {
    tracing::warn!(%client, "more connections than gateway.max_connections");
    let mut out = Vec::new();
    Reply::new(421, format!("{} 4.3.2 too many connections, come later", house.own_name)).write_to(&mut out);
    let _ = timeout(TURN_AWAY_TIME, stream.write_all(&out)).await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a mail session died of a bug; its mail stays with the sender");
    }
}
