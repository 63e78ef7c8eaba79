//! Sockets that listen, and the turnstile before them: how many may be inside, and how many of one machine.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::tls::Stream;
use crate::settings::Place;

/// A bound socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix { socket: UnixListener, _file: SocketFile },
}

/// TCP sockets that were bound before there was a gateway, in the order of the settings: by root, who may bind what others
/// may not.
#[derive(Debug, Default)]
pub struct Bound(Vec<(SocketAddr, std::net::TcpListener)>);

impl Bound {
    /// Binds one.
    ///
    /// # Errors
    /// The system refuses.
    pub fn bind(&mut self, address: SocketAddr) -> io::Result<()> {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        self.0.push((address, socket));
        Ok(())
    }

    /// The next that was bound for this address.
    ///
    /// # Errors
    /// The runtime does not take it.
    pub fn take_tcp(&mut self, address: SocketAddr) -> io::Result<Option<TcpListener>> {
        let Some(place) = self.0.iter().position(|(bound, _)| *bound == address) else { return Ok(None) };
        TcpListener::from_std(self.0.remove(place).1).map(Some)
    }

    pub(super) fn take(&mut self, place: &Place) -> io::Result<Option<Socket>> {
        match place {
            Place::Tcp(address) => Ok(self.take_tcp(*address)?.map(Socket::Tcp)),
            Place::Unix(..) => Ok(None),
        }
    }
}

/// Removes the socket's file when nobody listens any more.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // What is left over is seen and replaced at the next start.
        let _ = fs::remove_file(&self.0);
    }
}

impl Socket {
    pub(super) async fn bind(place: &Place) -> io::Result<Self> {
        match place {
            Place::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Place::Unix(path, mode) => {
                remove_left_over(path).await?;
                let socket = UnixListener::bind(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(*mode))?;
                Ok(Self::Unix { socket, _file: SocketFile(path.clone()) })
            }
        }
    }

    /// The next connection, and where it comes from.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(socket) => {
                let (stream, client) = socket.accept().await?;
                // Replies are small and waited for. Without it they are only slower.
                let _ = stream.set_nodelay(true);
                Ok((Box::new(stream), Some(client.ip().to_canonical())))
            }
            Self::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                Ok((Box::new(stream), None))
            }
        }
    }

    /// Where it is bound, if it has an address.
    pub(super) fn address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Tcp(socket) => socket.local_addr().map(Some),
            Self::Unix { .. } => Ok(None),
        }
    }
}

/// A server that died left its socket behind; one that lives answers there.
async fn remove_left_over(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it exists, and is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

/// Counts who is inside.
#[derive(Clone, Debug)]
pub(super) struct Turnstile {
    places: Arc<Semaphore>,
    each: usize,
    clients: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The place of one connection; dropped, it is free.
#[derive(Debug)]
pub(super) struct Admission {
    _place: OwnedSemaphorePermit,
    turnstile: Turnstile,
    client: Option<IpAddr>,
}

impl Turnstile {
    /// For so many connections at once, and so many of one machine.
    pub(super) fn new(places: usize, each: usize) -> Self {
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self { places, each, clients: Arc::default() }
    }

    /// A place for this client, or why there is none. This machine may have all.
    pub(super) fn admit(&self, client: Option<IpAddr>) -> Result<Admission, &'static str> {
        let client = client.filter(|client| !client.is_loopback());
        if let Some(client) = client {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let count = clients.entry(client).or_default();
            if *count >= self.each {
                return Err("too many connections of yours");
            }
            *count = count.saturating_add(1);
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let Ok(place) = place else {
            self.leave(client);
            return Err("too many connections");
        };
        Ok(Admission { _place: place, turnstile: self.clone(), client })
    }

    fn leave(&self, client: Option<IpAddr>) {
        let Some(client) = client else { return };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                clients.remove(&client);
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.turnstile.leave(self.client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_does_not_take_every_place() {
        let turnstile = Turnstile::new(4, 2);
        let client = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let mut inside = Vec::new();
        inside.push(turnstile.admit(client("192.0.2.1")).unwrap());
        inside.push(turnstile.admit(client("192.0.2.1")).unwrap());
        assert_eq!(turnstile.admit(client("192.0.2.1")).unwrap_err(), "too many connections of yours");
        inside.push(turnstile.admit(client("2001:db8::1")).unwrap());
        inside.push(turnstile.admit(client("127.0.0.1")).unwrap());
        assert_eq!(turnstile.admit(client("192.0.2.2")).unwrap_err(), "too many connections");
        inside.remove(0);
        inside.push(turnstile.admit(client("192.0.2.1")).unwrap());
        assert_eq!(turnstile.admit(None).unwrap_err(), "too many connections");
        inside.clear();
        assert!(turnstile.clients.lock().unwrap().is_empty());
        // this machine may have all
        inside.extend((0..4).map(|_| turnstile.admit(client("::1")).unwrap()));
        assert!(turnstile.admit(None).is_err());
    }

    #[tokio::test]
    async fn a_socket_that_was_left_over_is_replaced_and_a_living_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("smtp");
        let place = Place::Unix(path.clone(), 0o600);
        let socket = Socket::bind(&place).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Socket::bind(&place).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert!(!path.exists());
        // as after a kill -9
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(Socket::bind(&place).await.unwrap());
        fs::write(&path, "a file").unwrap();
        assert_eq!(Socket::bind(&place).await.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
