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
pub mod idle;
mod log;
pub mod maildir;
pub mod next_hop;
pub mod offer;
mod passage;
mod receive;
pub mod reply;
mod session;
mod socket;
pub mod tls;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kakitome_office::journal::{Journal, SWEEP_TIME};
use kakitome_office::policy::{ClientCertificate, Origin};
use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::octets::Octets;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::client::Peer;
use self::idle::Idle;
pub use self::next_hop::NextHop;
use self::offer::Known;
use self::reply::Reply;
use self::session::Session;
pub use self::socket::Bound;
use self::socket::{Socket, Turnstile};
use self::tls::{Credentials, Stream};
use crate::metrics::{Failure, Metrics};
pub use crate::settings::{Direction, Listener, Mode, Protocol};
use crate::settings::{Settings, Tls};

/// How long mail in flight has to be finished when we stop.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(30);
/// How long a connection that is one too many is waited for to hear so.
const TURN_AWAY_TIME: Duration = Duration::from_secs(1);
/// The pause after an accept that failed, which is for want of file descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// So many large mails are read, signed and opened at once. Each holds some windows meanwhile, and more of them would not be done
/// sooner; small mails wait for none.
const LARGE_AT_ONCE: usize = 8;

/// How often the files of `[tls]` are looked at.
const CREDENTIALS_TIME: Duration = Duration::from_secs(60);

/// What the desk is told of a mail beside its bytes.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// By which the log knows the mail: the queue id of the server in front, else a name of ours.
    pub id: String,
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
    /// Who handed the mail in: the client of the server in front, if it told one (XFORWARD ADDR), or the mail program that
    /// is connected to a listener for submission.
    pub client: Option<IpAddr>,
    /// The certificate of such a mail program.
    pub certificate: Option<ClientCertificate>,
    /// The door that the mail came in by.
    pub listener: Listener,
    /// A report of failure would bring back the whole mail: the next hop offers no DSN, so it cannot be told otherwise.
    pub returns_whole: bool,
}

impl Envelope {
    /// Who handed the mail in, as policy asks for it.
    pub fn origin(&self) -> Origin {
        Origin {
            class: self.listener.class.clone(),
            client: self.client,
            certificate: self.certificate.clone(),
            direct: self.listener.submission,
            ..Origin::default()
        }
    }
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

/// What the mails that begin now share. A reload makes another; mail that is under way keeps its own.
struct House {
    mode: Mode,
    own_name: String,
    max_mail: u64,
    min_free_disk: u8,
    own_domains: Vec<String>,
    credentials: Arc<Credentials>,
    next_hop: NextHop,
    /// Where received mail goes, if that is another place.
    inbound_next_hop: Option<NextHop>,
    spools: SpoolDirectory,
    journal: Arc<Journal>,
    desk: Arc<dyn Desk>,
    /// The places for large mails.
    large: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl House {
    fn new(settings: &Settings, credentials: Arc<Credentials>, rest: &Rest, desk: Arc<dyn Desk>) -> io::Result<Self> {
        let domains = settings.members.domains.iter().chain(&settings.gateway.accepted_domains);
        Ok(Self {
            mode: settings.gateway.mode,
            own_name: settings.gateway.own_name(),
            max_mail: settings.gateway.max_mail.get(),
            min_free_disk: settings.gateway.min_free_disk.get(),
            own_domains: domains.map(|domain| domain.as_str().to_owned()).collect(),
            next_hop: NextHop::open(&settings.gateway, &rest.data, &credentials)?,
            inbound_next_hop: settings.inbound.next_hop.as_ref().map(|address| {
                let (own_name, credentials) = (settings.gateway.own_name(), Arc::clone(&credentials));
                let (address, idle, known) = (address.clone(), Idle::default(), Known::default());
                NextHop::Smtp(Peer { address, own_name, credentials, idle, known })
            }),
            credentials,
            spools: rest.spools.clone(),
            journal: Arc::clone(&rest.journal),
            desk,
            large: Arc::clone(&rest.large),
            metrics: Arc::clone(&rest.metrics),
        })
    }

    /// Where mail of a direction goes.
    fn next_hop(&self, direction: Direction) -> &NextHop {
        self.inbound_next_hop.as_ref().filter(|_| direction == Direction::Inbound).unwrap_or(&self.next_hop)
    }

    /// Is this domain the site's?
    fn is_own(&self, domain: &str) -> bool {
        self.own_domains.iter().any(|own| own.eq_ignore_ascii_case(domain))
    }

    /// The reply while the disk is too full for another mail.
    fn no_room(&self) -> Option<Reply> {
        if disk(&self.spools).is_none_or(|disk| disk.percent() >= self.min_free_disk) {
            return None;
        }
        self.metrics.failed(Failure::Disk);
        tracing::error!("less of the disk is free than gateway.min_free_disk says: mail is put off");
        Some(Reply::new(452, "4.3.1 the disk is nearly full, come later"))
    }
}

/// The disk of a directory, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Disk {
    /// Free for us.
    pub free: u64,
    /// All of it.
    pub size: u64,
}

impl Disk {
    /// How much is free for us, in percent.
    pub fn percent(self) -> u8 {
        let percent = self.free.saturating_mul(100).checked_div(self.size).unwrap_or_default();
        u8::try_from(percent).unwrap_or(u8::MAX)
    }

    /// The same as a part of one, to the thousandth.
    pub fn ratio(self) -> f64 {
        let thousandths = self.free.saturating_mul(1000).checked_div(self.size).unwrap_or_default();
        f64::from(u32::try_from(thousandths).unwrap_or(u32::MAX)) / 1000.0
    }
}

/// The spool's disk; `None` where the system does not tell.
pub fn disk(spools: &SpoolDirectory) -> Option<Disk> {
    let disk = rustix::fs::statvfs(spools.path()).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    (disk.f_blocks > 0).then(|| Disk { free: bytes(disk.f_bavail), size: bytes(disk.f_blocks) })
}

/// What stays over a reload.
#[derive(Clone)]
struct Rest {
    data: PathBuf,
    spools: SpoolDirectory,
    journal: Arc<Journal>,
    large: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// The listeners, bound.
pub struct Gateway {
    control: Control,
    doors: Vec<(Listener, Socket)>,
    turnstile: Turnstile,
    changes: mpsc::Receiver<Change>,
}

/// Changes a gateway that serves.
#[derive(Clone)]
pub struct Control {
    rest: Rest,
    houses: Arc<watch::Sender<Arc<House>>>,
    listeners: Arc<Mutex<Vec<Listener>>>,
    changes: mpsc::Sender<Change>,
}

/// The listeners as they are to be, and sockets for those that are new.
struct Change {
    wanted: Vec<Listener>,
    new: Vec<(Listener, Socket)>,
}

impl Control {
    /// Takes other settings into use: the desk, policy of the doors, next hop, TLS and limits for every mail that begins after it, and
    /// the listeners. A listener that did not change keeps its connections; one that is gone finishes its mail. All of it, or nothing.
    /// `gateway.max_connections` and `gateway.max_client_connections` stay as they were.
    ///
    /// # Errors
    /// What cannot be used, with its setting. Everything is then as it was.
    pub async fn change(&self, settings: &Settings, desk: Arc<dyn Desk>) -> io::Result<()> {
        let old = Arc::clone(&self.houses.borrow());
        let credentials = if *old.credentials.files() == settings.tls {
            old.credentials.refresh().map_err(io::Error::other)?;
            Arc::clone(&old.credentials)
        } else {
            Arc::new(Credentials::open(&settings.tls).map_err(io::Error::other)?)
        };
        let house = House::new(settings, credentials, &self.rest, desk)?;
        let wanted = settings.gateway.listeners.clone();
        let present = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut new = Vec::new();
        for listener in wanted.iter().filter(|listener| !present.contains(listener)) {
            // Another listener at the place of one that goes gives it up first.
            new.push((listener.clone(), bind(listener).await?));
        }
        *self.listeners.lock().unwrap_or_else(PoisonError::into_inner) = wanted.clone();
        self.houses.send_replace(Arc::new(house));
        self.changes.send(Change { wanted, new }).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

async fn bind(listener: &Listener) -> io::Result<Socket> {
    let place = listener.place();
    Socket::bind(place).await.map_err(|error| {
        io::Error::new(error.kind(), format!("gateway.listeners: cannot listen on {place}: {}", why_not(&error)))
    })
}

/// Why nothing can listen somewhere, and what to do.
pub fn why_not(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return format!(
            "{error}; ports below 1024 are bound at the start alone, by root who then becomes process.user, or with \
             CAP_NET_BIND_SERVICE: restart it so, or choose another address"
        );
    }
    format!("{error}; end what listens there, or choose another address")
}

impl Gateway {
    /// Binds every listener, or none; opens the way to the next hop. The Maildir, where there is none, stands in `data`.
    ///
    /// # Errors
    /// An address cannot be bound, a file of `[tls]` cannot be used, the Maildir cannot be made; the error names it.
    pub async fn bind(
        settings: &Settings,
        data: &Path,
        spools: SpoolDirectory,
        journal: Arc<Journal>,
        desk: Arc<dyn Desk>,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        Self::open(settings, data, spools, journal, desk, metrics, &mut Bound::default()).await
    }

    /// The same with sockets that were bound before.
    ///
    /// # Errors
    /// As [`Gateway::bind`].
    pub async fn open(
        settings: &Settings,
        data: &Path,
        spools: SpoolDirectory,
        journal: Arc<Journal>,
        desk: Arc<dyn Desk>,
        metrics: Arc<Metrics>,
        bound: &mut Bound,
    ) -> io::Result<Self> {
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        let rest = Rest { data: data.to_owned(), spools, journal, large, metrics };
        let credentials = Arc::new(Credentials::open(&settings.tls).map_err(io::Error::other)?);
        let house = House::new(settings, credentials, &rest, desk)?;
        let mut doors = Vec::new();
        for listener in &settings.gateway.listeners {
            let socket = match bound.take(listener.place())? {
                Some(socket) => socket,
                None => bind(listener).await?,
            };
            doors.push((listener.clone(), socket));
        }
        let number = |setting: NonZeroU32| usize::try_from(setting.get()).unwrap_or(usize::MAX);
        let turnstile =
            Turnstile::new(number(settings.gateway.max_connections), number(settings.gateway.max_client_connections));
        let (send, changes) = mpsc::channel(1);
        let control = Control {
            rest,
            houses: Arc::new(watch::Sender::new(Arc::new(house))),
            listeners: Arc::new(Mutex::new(settings.gateway.listeners.clone())),
            changes: send,
        };
        Ok(Self { control, doors, turnstile, changes })
    }

    /// Each door with the address that it is bound to (the port may have been 0), if it has one.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn addresses(&self) -> io::Result<Vec<(Listener, Option<SocketAddr>)>> {
        self.doors.iter().map(|(listener, socket)| Ok((listener.clone(), socket.address()?))).collect()
    }

    /// By which the settings can change while it serves.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Serves until `shutdown` comes; then takes nothing new, tells the idle to come later (421), and gives mail in
    /// flight [`SHUTDOWN_TIME`] to be finished. What is not finished then stays with the client, which heard no 250.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()>) {
        let Control { houses, rest, .. } = self.control;
        let mut tasks = JoinSet::new();
        let mut open: Vec<(Listener, watch::Sender<bool>)> = Vec::new();
        let mut keep_each = |doors: Vec<(Listener, Socket)>, open: &mut Vec<(Listener, watch::Sender<bool>)>| {
            for (listener, socket) in doors {
                let (stop, stopping) = watch::channel(false);
                open.push((listener.clone(), stop));
                tasks.spawn(keep(houses.subscribe(), self.turnstile.clone(), listener, socket, stopping));
            }
        };
        keep_each(std::mem::take(&mut self.doors), &mut open);
        let sweeping = tokio::spawn(sweep(rest.journal));
        let renewing = tokio::spawn(renew(houses.subscribe()));
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(change) = self.changes.recv() => {
                    open.retain(|(listener, stop)| {
                        let stays = change.wanted.contains(listener);
                        if !stays {
                            stop.send_replace(true);
                        }
                        stays
                    });
                    keep_each(change.new, &mut open);
                }
            }
        }
        for (_, stop) in open {
            stop.send_replace(true);
        }
        while tasks.join_next().await.is_some() {}
        sweeping.abort();
        renewing.abort();
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

/// Looks whether somebody renewed the certificates.
async fn renew(houses: watch::Receiver<Arc<House>>) {
    loop {
        sleep(CREDENTIALS_TIME).await;
        let credentials = Arc::clone(&houses.borrow().credentials);
        match tokio::task::spawn_blocking(move || credentials.refresh()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => tracing::info!("the files of [tls] changed and are in use"),
            Ok(Err(error)) => {
                tracing::error!(%error, "a file of [tls] changed and is no good: the old one stays in use")
            }
            Err(error) => tracing::error!(%error, "reading the files of [tls] died of a bug"),
        }
    }
}

/// Keeps one door until the stop, then waits for those inside.
async fn keep(
    houses: watch::Receiver<Arc<House>>,
    turnstile: Turnstile,
    listener: Listener,
    socket: Socket,
    stopping: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    let mut stop = stopping.clone();
    let metrics = Arc::clone(&houses.borrow().metrics);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(ended) = sessions.join_next() => report(&metrics, ended),
            accepted = socket.accept() => match accepted {
                Ok((stream, client)) => match turnstile.admit(client) {
                    Ok(admission) => {
                        let connection = (stream, client);
                        let session = Session::new(houses.clone(), listener.clone(), connection, stopping.clone());
                        let connected = metrics.connected();
                        sessions.spawn(async move {
                            if let Err(error) = session.run().await {
                                tracing::debug!(?client, %error, "connection lost");
                            }
                            drop((admission, connected));
                        });
                    }
                    Err(why) => {
                        metrics.turned_away();
                        tracing::warn!(?client, "a connection is turned away: {why}");
                        let own_name = houses.borrow().own_name.clone();
                        // Not here: a client that does not read would keep the others waiting.
                        sessions.spawn(turn_away(own_name, stream, why));
                    }
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
            report(&metrics, ended);
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

async fn turn_away(own_name: String, mut stream: Stream, why: &str) {
    let mut out = Vec::new();
    Reply::new(421, format!("{own_name} 4.3.2 {why}, come later")).write_to(&mut out);
    let _ = timeout(TURN_AWAY_TIME, stream.write_all(&out)).await;
}

fn report(metrics: &Metrics, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        metrics.failed(Failure::Bug);
        tracing::error!(%error, "a mail session died of a bug; its mail stays with the sender");
    }
}
