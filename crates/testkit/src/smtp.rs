//! What stands around a mail server in a test: ports, a client that hands in mail, and a world that takes it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

/// How long a client waits for a reply.
const PATIENCE: Duration = Duration::from_secs(120);
/// The ports that [`free_ports`] gives out: below those that the kernel takes for connections and for port 0, so that
/// nothing else of a test can come in between.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// Ports of 127.0.0.1 where nothing listens, for programs that must be told theirs beforehand. No two calls in one process
/// give the same one, and two processes begin at different places.
pub fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = u32::from(PORTS.end - PORTS.start);
    let first = process::id().wrapping_mul(97) % span;
    let one = || {
        loop {
            let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = PORTS.start + u16::try_from((first + step) % span).expect("within the range");
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        }
    };
    [(); N].map(|()| one())
}

/// A mail as a server gave it to the world.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The mail, dots unstuffed.
    pub mail: Vec<u8>,
}

/// An SMTP server that gives each mail to a function and says 250; its threads end with the process.
pub struct Sink {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl Sink {
    /// Takes every mail.
    ///
    /// # Errors
    /// There is no socket for it.
    pub fn start(take: impl Fn(Arrival) + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve("250 ok", take)
    }

    /// Takes no recipient, and gives this reason.
    ///
    /// # Errors
    /// There is no socket for it.
    pub fn refusing(reply: &'static str) -> io::Result<Self> {
        Self::serve(reply, |_| {})
    }

    fn serve(to_rcpt: &'static str, take: impl Fn(Arrival) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let take = Arc::new(take);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let take = Arc::clone(&take);
                thread::spawn(move || session(connection, to_rcpt, &*take));
            }
        });
        Ok(Self { port })
    }
}

fn session(mut out: TcpStream, to_rcpt: &str, take: &dyn Fn(Arrival)) -> Option<()> {
    let mut lines = BufReader::new(out.try_clone().ok()?);
    let (mut sender, mut recipients) = (String::new(), Vec::new());
    out.write_all(b"220 world ESMTP\r\n").ok()?;
    loop {
        let command = String::from_utf8_lossy(&line(&mut lines)?).trim_end().to_owned();
        let path = || command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let mut reply = "250 ok";
        match command.split([' ', ':']).next()?.to_ascii_uppercase().as_str() {
            "EHLO" | "LHLO" => reply = "250-world\r\n250 8BITMIME",
            "MAIL" => {
                sender = path();
                recipients.clear();
            }
            "RCPT" => {
                recipients.push(path());
                reply = to_rcpt;
            }
            "DATA" => {
                out.write_all(b"354 go on\r\n").ok()?;
                take(Arrival { sender: sender.clone(), recipients: recipients.clone(), mail: text(&mut lines)? });
                reply = "250 kept";
            }
            "QUIT" => reply = "221 bye",
            _ => {}
        }
        out.write_all(format!("{reply}\r\n").as_bytes()).ok()?;
        if reply.starts_with("221") {
            return None;
        }
    }
}

/// A mail on the wire to its final dot, dots unstuffed.
fn text(lines: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let next = line(lines)?;
        if next == b".\r\n" {
            return Some(mail);
        }
        mail.extend_from_slice(next.strip_prefix(b".").unwrap_or(&next));
    }
}

/// A line with its end, as it came; `None` where the connection ended.
pub fn line(lines: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    (lines.read_until(b'\n', &mut line).ok()? > 0).then_some(line)
}

/// A mail with CR LF lines as DATA carries it: dots stuffed, and the end.
pub fn on_the_wire(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 1000);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !mail.is_empty() && !mail.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// A plain SMTP client.
pub struct Client {
    out: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    /// Connects, and reads the greeting and the reply to EHLO.
    ///
    /// # Errors
    /// Nobody is there, or the answer is no greeting.
    pub fn greet(port: u16) -> io::Result<Self> {
        let out = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        out.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { lines: BufReader::new(out.try_clone()?), out };
        client.reply()?;
        client.ask("EHLO client.example.test")?;
        Ok(client)
    }

    /// The next reply, all its lines, with LF between them.
    ///
    /// # Errors
    /// None came.
    pub fn reply(&mut self) -> io::Result<String> {
        let mut whole = String::new();
        loop {
            let line = line(&mut self.lines).ok_or(io::ErrorKind::UnexpectedEof)?;
            whole.push_str(String::from_utf8_lossy(&line).trim_end());
            if line.get(3) != Some(&b'-') {
                return Ok(whole);
            }
            whole.push('\n');
        }
    }

    /// Sends a command and waits for the reply.
    ///
    /// # Errors
    /// The connection ended.
    pub fn ask(&mut self, command: &str) -> io::Result<String> {
        self.out.write_all(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    /// The same where only a reply of this class will do, such as `2`.
    ///
    /// # Errors
    /// It was another, or none.
    pub fn expect(&mut self, class: char, command: &str) -> io::Result<String> {
        let reply = self.ask(command)?;
        if reply.starts_with(class) { Ok(reply) } else { Err(io::Error::other(format!("{command}: {reply}"))) }
    }

    /// A whole mail; everything in front of its end must go well, and the reply to that is given back. Sender and recipients
    /// may have parameters behind them: `a@example.test> BODY=8BITMIME`, without a last `>`.
    ///
    /// # Errors
    /// A command was refused, or the connection ended.
    pub fn send(&mut self, sender: &str, recipients: &[&str], mail: &[u8]) -> io::Result<String> {
        let path = |path: &str| if path.contains('>') { format!("<{path}") } else { format!("<{path}>") };
        self.expect('2', &format!("MAIL FROM:{}", path(sender)))?;
        for recipient in recipients {
            self.expect('2', &format!("RCPT TO:{}", path(recipient)))?;
        }
        self.expect('3', "DATA")?;
        self.out.write_all(&on_the_wire(mail))?;
        self.reply()
    }
}

/// Hands in one mail, which is to be taken.
///
/// # Errors
/// It was not taken: what was said.
pub fn submit(port: u16, sender: &str, recipients: &[&str], mail: &[u8]) -> io::Result<()> {
    let mut client = Client::greet(port)?;
    let reply = client.send(sender, recipients, mail)?;
    if !reply.starts_with('2') {
        return Err(io::Error::other(format!("the mail: {reply}")));
    }
    client.ask("QUIT").map(drop)
}
