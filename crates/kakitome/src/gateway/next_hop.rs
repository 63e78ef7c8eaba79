//! Where a mail goes after us, in lock-step: connected at MAIL, asked at each RCPT, given the mail after the final dot.
//!
//! So each reply that our client hears is the next hop's own, nothing needs a queue of ours, and the mail stays with the
//! server in front until the next hop has it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kakitome_smime::octets::Octets;

use super::client::{Connection, Delivered, Peer};
use super::command::Address;
use super::idle::Idle;
use super::maildir::Maildir;
use super::offer::{Announced, Known};
use super::reply::Reply;
use super::tls::Credentials;
use crate::settings::{self, HostPort};

/// The name of the Maildir in the data directory.
pub const MAILDIR: &str = "Maildir";

/// How long a probe waits, for the connection and for the greeting.
pub const PROBE_TIME: Duration = Duration::from_secs(3);

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum NextHop {
    /// To files.
    Maildir(Arc<Maildir>),
    /// To a mail server.
    Smtp(Peer),
}

impl NextHop {
    /// By the settings; the Maildir stands in `data`.
    ///
    /// # Errors
    /// The Maildir cannot be made. A mail server is not asked before the first mail.
    pub fn open(settings: &settings::Gateway, data: &Path, credentials: &Arc<Credentials>) -> io::Result<Self> {
        let own_name = settings.own_name();
        Ok(match &settings.next_hop {
            Some(address) => Self::Smtp(Peer {
                address: address.clone(),
                own_name,
                credentials: Arc::clone(credentials),
                idle: Idle::default(),
                known: Known::default(),
            }),
            None => Self::Maildir(Arc::new(Maildir::open(data.join(MAILDIR), &own_name)?)),
        })
    }

    /// Can mail go there? Connects, and waits for the greeting of a server that may be asleep: blocks up to [`PROBE_TIME`].
    /// Without an address it is the Maildir in `data`.
    ///
    /// # Errors
    /// Why not.
    pub fn probe(address: Option<&HostPort>, data: &Path) -> io::Result<()> {
        let Some(address) = address else { return Maildir::probe(&data.join(MAILDIR)) };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (address.host(), address.port()).to_socket_addrs()? {
            match greeting(address) {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// What it announces of sizes and reports. A Maildir takes what we take, and reports to nobody.
    pub async fn announced(&self) -> Announced {
        match self {
            Self::Maildir(_) => Announced::default(),
            Self::Smtp(peer) => peer.announced().await,
        }
    }

    /// Begins a mail; the reply is the one to MAIL.
    ///
    /// # Errors
    /// The reply for the client: the next hop takes no mail, or not this one.
    pub async fn begin(&self, mail: &Address, xforward: &[(String, String)]) -> Result<(Delivery, Reply), Reply> {
        match self {
            Self::Maildir(maildir) => {
                Ok((Delivery::Maildir(Arc::clone(maildir)), Reply::new(250, "2.1.0 the sender is taken")))
            }
            Self::Smtp(peer) => {
                let (connection, reply) = Connection::begin(peer, mail, xforward).await?;
                Ok((Delivery::Smtp(Box::new(connection)), reply))
            }
        }
    }

    /// Begins another mail where the last one went: on its connection, or on a new one where that has ended.
    ///
    /// # Errors
    /// As for [`Self::begin`].
    pub async fn begin_next(
        &self,
        last: Delivery,
        mail: &Address,
        xforward: &[(String, String)],
    ) -> Result<Delivery, Reply> {
        match last {
            Delivery::Maildir(_) => Ok(last),
            Delivery::Smtp(mut connection) => {
                if connection.begin_next(mail, xforward).await.is_ok() {
                    return Ok(Delivery::Smtp(connection));
                }
                connection.quit();
                self.begin(mail, xforward).await.map(|(delivery, _)| delivery)
            }
        }
    }
}

fn greeting(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, PROBE_TIME)?;
    stream.set_read_timeout(Some(PROBE_TIME))?;
    let mut code = [0; 3];
    stream.read_exact(&mut code)?;
    if code != *b"220" {
        let code = String::from_utf8_lossy(&code).escape_debug().to_string();
        return Err(io::Error::other(format!("it greets with {code}")));
    }
    stream.write_all(b"QUIT\r\n")
}

/// One mail on its way. Dropped, it is not delivered.
#[derive(Debug)]
pub enum Delivery {
    /// To files.
    Maildir(Arc<Maildir>),
    /// To a mail server that has heard MAIL.
    Smtp(Box<Connection>),
}

impl Delivery {
    /// Can it be told to bring back a mail's header alone in a report of failure? A Maildir reports nothing.
    pub fn returns_headers(&self) -> bool {
        match self {
            Self::Maildir(_) => true,
            Self::Smtp(connection) => connection.offers_dsn(),
        }
    }

    /// Asks for a recipient; 250 or 251 means that the next hop takes him.
    pub async fn recipient(&mut self, recipient: &Address) -> Reply {
        match self {
            Self::Maildir(_) => Reply::new(250, "2.1.5 the recipient is taken"),
            Self::Smtp(connection) => connection.recipient(recipient).await,
        }
    }

    /// Delivers the mail to all recipients that were taken; 250 means that it is out of our hands and safe.
    pub async fn deliver(&mut self, mail: Arc<dyn Octets>) -> Delivered {
        match self {
            Self::Maildir(maildir) => {
                let maildir = Arc::clone(maildir);
                let stored = tokio::task::spawn_blocking(move || maildir.deliver(&mail)).await;
                Delivered::Answered(match stored.map_err(io::Error::other).and_then(|stored| stored) {
                    Ok(name) => Reply::new(250, format!("2.0.0 stored as {name}")),
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                        Reply::new(452, "4.3.1 the disk of the Maildir is full")
                    }
                    Err(error) => Reply::new(451, format!("4.3.0 the mail cannot be stored: {error}")),
                })
            }
            Self::Smtp(connection) => connection.deliver(mail).await,
        }
    }

    /// Ends it; a mail that was not delivered is given up.
    pub fn abandon(self) {
        match self {
            Self::Maildir(_) => {}
            Self::Smtp(connection) => connection.quit(),
        }
    }
}
