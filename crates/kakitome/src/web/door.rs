//! The page's door: bounded in number and patience, so that whoever holds connections open there cannot take the file
//! descriptors that mail needs.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

/// So many connections are served at once; further ones wait in the system's queue.
const CONNECTIONS_AT_ONCE: usize = 128;
/// A connection on which nothing moves for so long is closed.
const IDLE_TIME: Duration = Duration::from_secs(60);
/// A connection is closed after so long even if something moves: a reader who sends a byte now and then. Twice the time
/// of an upload.
const LIFE_TIME: Duration = Duration::from_secs(600);

/// The page's listening socket.
#[derive(Debug)]
pub struct Door {
    socket: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
    life: Duration,
}

impl Door {
    /// With the limits of this module.
    pub fn new(socket: TcpListener) -> Self {
        Self::with(socket, CONNECTIONS_AT_ONCE, IDLE_TIME, LIFE_TIME)
    }

    fn with(socket: TcpListener, places: usize, idle: Duration, life: Duration) -> Self {
        Self { socket, places: Arc::new(Semaphore::new(places)), idle, life }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        // The semaphore is never closed; if it were, a guest without a place is better than none.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.socket).await;
        let now = Instant::now();
        let end = now.checked_add(self.life).unwrap_or(now);
        let mut guest = Guest { stream, idle: self.idle, end, alarm: Box::pin(sleep_until(end)), _place: place };
        guest.moved();
        (guest, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection to the page.
#[derive(Debug)]
pub struct Guest {
    stream: TcpStream,
    idle: Duration,
    end: Instant,
    alarm: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Guest {
    fn moved(&mut self) {
        let until = Instant::now().checked_add(self.idle).unwrap_or(self.end);
        self.alarm.as_mut().reset(until.min(self.end));
    }

    /// What the stream says, or that the time is over. Something moved where it is ready.
    fn within<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if Instant::now() < self.end && done.is_ready() {
            self.moved();
            return done;
        }
        match self.alarm.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => done,
        }
    }
}

impl AsyncRead for Guest {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_read(context, into);
        self.within(context, done)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within(context, done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{sleep, timeout};

    const LONG: Duration = Duration::from_secs(20);

    async fn answer(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn site(places: usize, idle: Duration, life: Duration) -> SocketAddr {
        let door = Door::with(TcpListener::bind("127.0.0.1:0").await.unwrap(), places, idle, life);
        let address = door.local_addr().unwrap();
        let site = axum::Router::new().route("/", axum::routing::get(async || "here"));
        tokio::spawn(async move { axum::serve(door, site).await });
        address
    }

    #[tokio::test]
    async fn the_silent_hold_their_places_for_a_while_only() {
        let address = site(2, Duration::from_millis(300), LONG).await;
        let mut silent = Vec::new();
        for _ in 0..6 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nX-Half: ").await.unwrap();
            silent.push(stream);
        }
        // none of the places is free
        assert!(timeout(Duration::from_millis(100), answer(address)).await.is_err());
        let said = timeout(LONG, answer(address)).await.unwrap();
        assert!(said.ends_with("here"), "{said}");
    }

    #[tokio::test]
    async fn a_trickle_ends() {
        let address = site(1, Duration::from_millis(300), Duration::from_millis(900)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let trickle = async {
            stream.write_all(b"GET / HTTP/1.1\r\nX-Half: ").await?;
            loop {
                stream.write_all(b"a").await?;
                sleep(Duration::from_millis(50)).await;
            }
            #[allow(unreachable_code, reason = "it gives the block its type")]
            io::Result::Ok(())
        };
        assert!(timeout(LONG, trickle).await.unwrap().is_err());
        assert!(timeout(LONG, answer(address)).await.unwrap().ends_with("here"));
    }
}
