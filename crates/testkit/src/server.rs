//! A web server on loopback that serves what a test says, well or badly, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// GET or POST.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The header, lines as they came.
    pub header: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Clone)]
pub enum Serves {
    /// 200 with these octets.
    Octets(Vec<u8>),
    /// 200 with these octets, but only so many are announced and none are sent before this time has passed.
    Late(Duration, Vec<u8>),
    /// 200 with octets one by one, each after this time.
    Drop(Duration, Vec<u8>),
    /// 200 that announces so many octets, and sends none.
    Announces(u64),
    /// 200 without a length, and octets until the other side has enough.
    Endless,
    /// Another status.
    Status(u16),
    /// 302 to there.
    Redirect(String),
    /// These octets in place of HTTP.
    Raw(Vec<u8>),
}

type Handler = dyn Fn(&Asked) -> Serves + Send + Sync;

/// The server; it ends with this value.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves by this function, on a free port of 127.0.0.1.
    pub fn start(handler: impl Fn(&Asked) -> Serves + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let handler: Arc<Handler> = Arc::new(handler);
        let running = thread::spawn({
            let (asked, stop) = (Arc::clone(&asked), Arc::clone(&stop));
            move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let (asked, handler) = (Arc::clone(&asked), Arc::clone(&handler));
                    if let Ok(stream) = stream {
                        // Whoever hangs up early is a case, not a fault.
                        thread::spawn(move || serve(stream, &asked, &*handler).ok());
                    }
                }
            }
        });
        Self { address, asked, stop, running: Some(running) }
    }

    /// The URL of a path on it, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it was asked until now, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no handler panics while it notes").clone()
    }

    /// The same, as `GET /path`.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
        if let Some(running) = self.running.take() {
            running.join().ok();
        }
    }
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, handler: &Handler) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let first = loop {
        match reader.fill_buf() {
            // A wait that has an end is never taken up again by the kernel (signal(7)).
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            first => break first?.first().copied(),
        }
    };
    // The first octet of TLS: answered in plain text, as servers of HTTP do.
    if first == Some(0x16) {
        return (&stream).write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
    }
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut header = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        header.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Asked { method, path, header, body };
    asked.lock().expect("no handler panics while it notes").push(request.clone());
    answer(stream, &handler(&request))
}

fn answer(mut to: TcpStream, serves: &Serves) -> std::io::Result<()> {
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\nSet-Cookie: a=b\r\n\r\n")
    };
    match serves {
        Serves::Octets(octets) => {
            to.write_all(head("200 OK", octets.len()).as_bytes())?;
            to.write_all(octets)
        }
        Serves::Late(time, octets) => {
            thread::sleep(*time);
            to.write_all(head("200 OK", octets.len()).as_bytes())?;
            to.write_all(octets)
        }
        Serves::Drop(time, octets) => {
            to.write_all(head("200 OK", octets.len()).as_bytes())?;
            for octet in octets {
                to.write_all(&[*octet])?;
                thread::sleep(*time);
            }
            Ok(())
        }
        Serves::Announces(length) => {
            write!(to, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
            thread::sleep(Duration::from_millis(200));
            Ok(())
        }
        Serves::Endless => {
            to.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                to.write_all(&[0x30; 65_536])?;
            }
        }
        Serves::Status(status) => to.write_all(head(&format!("{status} Said"), 0).as_bytes()),
        Serves::Redirect(location) => {
            write!(to, "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Serves::Raw(octets) => to.write_all(octets),
    }
}
