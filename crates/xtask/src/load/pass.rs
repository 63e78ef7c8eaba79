//! The filter that we are held against: it takes a mail into memory, passes it on, and does nothing else. One thread for
//! each connection, which keeps its connection to the next hop.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::sink::text;

/// What Kakitome offers, too: Postfix tells both who its client was, as its own page on filters has it, and does the same work.
const OFFER: &[u8] = b"250-filter.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n\
    250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n";

pub(super) fn start(next_hop: u16) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || session(connection, next_hop));
        }
    });
    Ok(port)
}

struct NextHop {
    out: TcpStream,
    lines: BufReader<TcpStream>,
}

impl NextHop {
    fn connect(port: u16) -> io::Result<Self> {
        let out = TcpStream::connect(("127.0.0.1", port))?;
        out.set_nodelay(true)?;
        let mut hop = Self { lines: BufReader::new(out.try_clone()?), out };
        hop.reply()?;
        hop.ask(b"EHLO filter.test\r\n")?;
        Ok(hop)
    }

    fn reply(&mut self) -> io::Result<Vec<u8>> {
        let mut reply = Vec::new();
        loop {
            let start = reply.len();
            if self.lines.read_until(b'\n', &mut reply)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if reply.get(start + 3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }

    fn ask(&mut self, line: &[u8]) -> io::Result<Vec<u8>> {
        self.out.write_all(line)?;
        self.reply()
    }
}

fn session(mut out: TcpStream, port: u16) -> io::Result<()> {
    out.set_nodelay(true)?;
    let mut lines = BufReader::new(out.try_clone()?);
    let mut hop = NextHop::connect(port)?;
    out.write_all(b"220 filter.test ESMTP\r\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default() {
            b"EHLO" => out.write_all(OFFER)?,
            b"DATA" => {
                hop.ask(&line)?;
                out.write_all(b"354 go on\r\n")?;
                let mail = text(&mut lines)?;
                let reply = hop.ask(&mail)?;
                out.write_all(&reply)?;
            }
            b"QUIT" => {
                hop.ask(&line)?;
                return out.write_all(b"221 bye\r\n");
            }
            _ => {
                let reply = hop.ask(&line)?;
                out.write_all(&reply)?;
            }
        }
    }
}
