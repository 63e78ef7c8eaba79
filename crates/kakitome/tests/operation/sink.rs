//! A next hop that does what the test says, and keeps what it was told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What it does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Does {
    /// Takes every mail.
    Takes,
    /// Says "later" at the end of a mail.
    PutsOff,
    /// Keeps a mail waiting for its answer until it does something else.
    Waits,
    /// Closes every new connection.
    Closes,
    /// Greets with 554.
    Refuses,
}

#[derive(Default)]
struct Told {
    does: Option<Does>,
    without_dsn: bool,
    commands: Vec<String>,
    heard: usize,
    mails: Vec<String>,
}

/// The next hop. It serves as long as the test runs.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    told: Arc<(Mutex<Told>, Condvar)>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self { address: listener.local_addr().unwrap(), told: Arc::default() };
        let served = sink.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = served.clone();
                // Whoever hangs up is a case.
                thread::spawn(move || sink.serve(stream).ok());
            }
        });
        sink
    }

    pub(crate) fn without_dsn(self) -> Self {
        self.told.0.lock().unwrap().without_dsn = true;
        self
    }

    pub(crate) fn now(&self, does: Does) {
        self.told.0.lock().unwrap().does = Some(does);
        self.told.1.notify_all();
    }

    /// The commands that it heard so far.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.told.0.lock().unwrap().commands.clone()
    }

    /// How many mails it heard to their end, whatever became of them.
    pub(crate) fn heard(&self) -> usize {
        self.told.0.lock().unwrap().heard
    }

    /// The mails that it took so far.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.told.0.lock().unwrap().mails.clone()
    }

    fn does(&self) -> Does {
        self.told.0.lock().unwrap().does.unwrap_or(Does::Takes)
    }

    fn serve(&self, mut out: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(out.try_clone()?);
        match self.does() {
            Does::Closes => return Ok(()),
            Does::Refuses => {
                out.write_all(b"554 5.3.2 not now\r\n")?;
                // Closed at once, the greeting might be lost.
                return lines.read_to_end(&mut Vec::new()).map(drop);
            }
            _ => out.write_all(b"220 sink.test ESMTP\r\n")?,
        }
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            self.told.0.lock().unwrap().commands.push(line.clone());
            let reply = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" if self.told.0.lock().unwrap().without_dsn => "250-sink.test\r\n250 8BITMIME",
                "EHLO" => "250-sink.test\r\n250-8BITMIME\r\n250 DSN",
                "DATA" => "354 go on",
                "RCPT" if line.contains("full@") => "452 4.2.2 full",
                "RCPT" if line.contains("gone@") => "550 5.1.1 gone",
                "QUIT" => "221 2.0.0 closes",
                _ => "250 2.0.0 ok",
            };
            out.write_all(format!("{reply}\r\n").as_bytes())?;
            if line == "DATA" {
                self.mail(&mut lines, &mut out)?;
            }
        }
    }

    fn mail(&self, lines: &mut BufReader<TcpStream>, out: &mut TcpStream) -> std::io::Result<()> {
        let mut mail = Vec::new();
        while !mail.ends_with(b"\r\n.\r\n") {
            if lines.read_until(b'\n', &mut mail)? == 0 {
                return Ok(());
            }
        }
        let mut told = self.told.0.lock().unwrap();
        told.heard += 1;
        while told.does == Some(Does::Waits) {
            told = self.told.1.wait(told).unwrap();
        }
        let is_later = told.does == Some(Does::PutsOff);
        if !is_later {
            told.mails.push(String::from_utf8_lossy(&mail).into_owned());
        }
        drop(told);
        out.write_all(if is_later { b"451 4.2.0 later\r\n" } else { b"250 2.0.0 taken\r\n" })
    }
}
