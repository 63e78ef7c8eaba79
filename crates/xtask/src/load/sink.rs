//! The world: takes every mail, counts it and forgets it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub(crate) struct Sink {
    pub(crate) port: u16,
    count: Arc<AtomicUsize>,
}

impl Sink {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let count: Arc<AtomicUsize> = Arc::default();
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                thread::spawn(move || session(connection, &counted));
            }
        });
        Ok(Self { port, count })
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// The text of a mail as it stands on the wire, with its end. What follows stays: Postfix sends QUIT along.
pub(super) fn text(lines: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let start = mail.len();
        if lines.read_until(b'\n', &mut mail)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if mail[start..] == *b".\r\n" {
            return Ok(mail);
        }
    }
}

/// Reads a text and keeps none of it.
fn swallow(lines: &mut BufReader<TcpStream>) -> io::Result<()> {
    let mut line = Vec::new();
    while line != b".\r\n" {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn session(mut out: TcpStream, counted: &AtomicUsize) -> io::Result<()> {
    out.set_nodelay(true)?;
    let mut lines = BufReader::with_capacity(32 * 1024, out.try_clone()?);
    out.write_all(b"220 world ESMTP\r\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default() {
            b"EHLO" => out.write_all(b"250-world\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n")?,
            b"DATA" => {
                out.write_all(b"354 go on\r\n")?;
                swallow(&mut lines)?;
                counted.fetch_add(1, Ordering::Relaxed);
                out.write_all(b"250 kept\r\n")?;
            }
            b"QUIT" => return out.write_all(b"221 bye\r\n"),
            _ => out.write_all(b"250 ok\r\n")?,
        }
    }
}
