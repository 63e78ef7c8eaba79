//! The stage for the gateway's tests: a gateway on a free port, a client before it, and behind it a next hop that does
//! as it is told, or a Maildir.

#![allow(dead_code, reason = "each test program uses a part of the stage")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use kakitome::gateway::reply::Reply;
use kakitome::gateway::tls::Stream;
use kakitome::gateway::{self, DeskFault, Direction, Envelope, Gateway, MailCopy, Notice, Processed, Withheld};
use kakitome::settings::Settings;
use kakitome_office::journal::Journal;
use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::octets::{Octets, read_range};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::certificates;

/// What stands around a test.
pub(crate) struct Stage {
    /// Protocol and direction; behind a semicolon more of the listener's table.
    pub(crate) door: String,
    /// The listener's host.
    pub(crate) address: String,
    /// More lines of `[gateway]` and of `[tls]`.
    pub(crate) gateway: String,
    pub(crate) tls: String,
    pub(crate) mode: String,
    pub(crate) max_mail: u64,
    pub(crate) max_connections: u32,
    pub(crate) desk: Desk,
    pub(crate) next_hop: NextHop,
}

#[derive(Clone)]
pub(crate) enum NextHop {
    Maildir,
    Peer(Peer),
    /// A port where nobody listens.
    Nobody,
}

#[derive(Clone)]
pub(crate) enum Desk {
    Passes,
    Signs,
    Fails,
    Panics,
    /// Builds something else each time.
    Numbers,
    /// Makes a copy for each of `plain…`, `sealed…` and `blind…`, with a line that tells which one it is (and how
    /// many were made before); holds the mail for `held…` and refuses it for `never…`, each with a notice.
    Splits {
        numbered: bool,
    },
    /// Passes what comes as soon as the gate is open.
    Behind(Arc<Gate>),
    /// Passes with a reason that tries to look like another log line.
    Forges,
}

/// Holds a mail in the desk for as long as a test wants it there.
#[derive(Default)]
pub(crate) struct Gate {
    /// How many came to it, and whether it is open.
    state: Mutex<(usize, bool)>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        drop(self.opened.wait_while(state, |(_, is_open)| !*is_open).unwrap());
    }

    /// Until a mail stands before it.
    pub(crate) async fn reached(&self) {
        while self.state.lock().unwrap().0 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.opened.notify_all();
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            door: "smtp outbound".to_owned(),
            address: "127.0.0.1".to_owned(),
            gateway: String::new(),
            tls: String::new(),
            mode: "sign".to_owned(),
            max_mail: 200 * 1024 * 1024,
            max_connections: 20,
            desk: Desk::Passes,
            next_hop: NextHop::Maildir,
        }
    }
}

/// The next hop: it answers what the test says, and else what a mail server says.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    offer: Vec<String>,
    /// By the beginning of a line; `1: RCPT` is a RCPT when one mail has ended.
    pub(crate) answers: Vec<(String, String)>,
    heard: Arc<Mutex<Vec<String>>>,
    /// What it shows in TLS, see [`certificates::next_hop`]; empty: it cannot. `injects`: it says more than 220 in clear.
    pub(crate) tls: String,
    /// Where to put the bytes of mails as they come on the wire, without their end; else they are heard line by line.
    pub(crate) mails: Option<Arc<Mutex<Vec<u8>>>>,
    /// Where to count them instead.
    pub(crate) counted: Option<Arc<AtomicU64>>,
    /// How many mails have ended: the second dot is answered as "DOT 2".
    dots: Arc<AtomicU64>,
}

impl Peer {
    pub(crate) fn announcing<'a>(offer: impl IntoIterator<Item = &'a str>) -> Self {
        Self { offer: offer.into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect(), ..Self::default() }
    }

    /// Counts the bytes of mails and keeps none.
    pub(crate) fn counting() -> Self {
        Self { counted: Some(Arc::default()), ..Self::default() }
    }

    /// Keeps the bytes of mails in `mails`.
    pub(crate) fn keeping(mails: &Arc<Mutex<Vec<u8>>>) -> Self {
        Self { mails: Some(Arc::clone(mails)), ..Self::default() }
    }

    fn answer(&self, line: &str) -> String {
        let after = format!("{}: {line}", self.dots.load(Ordering::Relaxed));
        let fits = |command: &str| line.starts_with(command) || after.starts_with(command);
        if let Some((_, reply)) = self.answers.iter().find(|(command, _)| fits(command)) {
            return reply.clone();
        }
        match line.split([' ', ':']).next().unwrap() {
            "GREETING" => "220 peer.test ESMTP".to_owned(),
            "EHLO" => {
                let mut lines = vec!["peer.test"];
                lines.extend(self.offer.iter().map(String::as_str));
                let last = lines.pop().unwrap();
                lines.iter().map(|line| format!("250-{line}\r\n")).collect::<String>() + "250 " + last
            }
            "STARTTLS" if self.tls == "injects" => "220 go\r\n250 injected".to_owned(),
            "STARTTLS" if !self.tls.is_empty() => "220 go".to_owned(),
            "MAIL" => "250 2.1.0 sender ok".to_owned(),
            "RCPT" => "250 2.1.5 recipient ok".to_owned(),
            "DATA" => "354 go on".to_owned(),
            "DOT" => "250 2.0.0 queued as PEER1".to_owned(),
            "QUIT" => "221 2.0.0 bye".to_owned(),
            _ => "250 2.0.0 ok".to_owned(),
        }
    }

    /// Answers, or says that it closes.
    async fn say(&self, stream: &mut BufReader<Stream>, line: &str) -> Option<bool> {
        let reply = self.answer(line);
        if reply == "drop" {
            return None;
        }
        stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        stream.get_mut().flush().await.ok()?;
        Some(reply.starts_with("354"))
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut stream: BufReader<Stream> = BufReader::with_capacity(65536, Box::new(stream));
        self.say(&mut stream, "GREETING").await?;
        let (mut line, mut data) = (Vec::new(), false);
        loop {
            line.clear();
            if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&line).trim_end_matches("\r\n").to_owned();
            let content = data && line != b".\r\n";
            match (&self.mails, &self.counted) {
                (Some(mails), _) if content => mails.lock().unwrap().extend_from_slice(&line),
                (_, Some(count)) if content => {
                    count.fetch_add(line.len() as u64, Ordering::Relaxed);
                }
                _ if text == "QUIT" => {}
                _ => self.heard.lock().unwrap().push(text.clone()),
            }
            if !data {
                data = self.say(&mut stream, &text).await?;
                if text == "STARTTLS" && !self.tls.is_empty() {
                    let acceptor = TlsAcceptor::from(certificates::next_hop(&self.tls));
                    let secured = acceptor.accept(stream.into_inner()).await.ok()?;
                    stream = BufReader::with_capacity(65536, Box::new(secured));
                }
            } else if line == b".\r\n" {
                data = false;
                let dots = self.dots.fetch_add(1, Ordering::Relaxed) + 1;
                self.say(&mut stream, &format!("DOT {dots}")).await?;
            }
        }
    }
}

impl gateway::Desk for Desk {
    fn process(
        &self,
        direction: Direction,
        envelope: &Envelope,
        mail: Arc<dyn Octets>,
    ) -> Result<Processed, DeskFault> {
        let whole = |mail, action, reason: &str| Ok(Processed::whole(envelope, mail, action, reason.to_owned()));
        let with_line = |line: String| -> Arc<dyn Octets> {
            let mut built = line.into_bytes();
            built.extend(read_range(&mail, 0..mail.len(), usize::MAX).unwrap());
            Arc::new(built)
        };
        static COUNT: AtomicU64 = AtomicU64::new(0);
        match self {
            Self::Passes => whole(mail, "passed", "no member"),
            Self::Forges => whole(mail, "passed", "no\r\nINFO mail action=signed \u{1b}[31m"),
            Self::Behind(gate) => {
                gate.pass();
                whole(mail, "passed", "no member")
            }
            Self::Signs => {
                let Envelope { from, recipients, smtputf8, body_8bit, queue_id, .. } = envelope;
                let line =
                    format!("X-Desk: {direction:?} {from:?} {recipients:?} {smtputf8} {body_8bit} {queue_id:?}\r\n");
                whole(with_line(line), "signed", "member")
            }
            Self::Numbers => {
                whole(with_line(format!("X-Built: {}\r\n", COUNT.fetch_add(1, Ordering::Relaxed))), "signed", "member")
            }
            Self::Splits { numbered } => {
                let of = |word: &str| -> Vec<usize> {
                    let paths = envelope.recipients.iter().enumerate();
                    paths.filter(|(_, path)| path.starts_with(word)).map(|(place, _)| place).collect()
                };
                let mut processed = Processed::default();
                for (word, headers_only) in [("plain", false), ("sealed", true), ("blind", true)] {
                    let recipients = of(word);
                    if !recipients.is_empty() {
                        let number = COUNT.fetch_add(1, Ordering::Relaxed);
                        let number = if *numbered { format!(" {number}") } else { String::new() };
                        let mail = with_line(format!("X-Copy: {word}{number}\r\n"));
                        let (action, reason) = ("sealed", word.to_owned());
                        processed.copies.push(MailCopy { mail, recipients, headers_only, action, reason });
                    }
                }
                for (word, code) in [("held", 451), ("never", 550)] {
                    let (recipients, reason) = (of(word), word.to_owned());
                    if !recipients.is_empty() {
                        let reply = Reply::new(code, format!("{}.7.0 {word}", code / 100));
                        processed.withheld.push(Withheld { recipients, reply, action: "held", reason });
                        let mail = Arc::new(format!("Subject: {word}\r\n").into_bytes());
                        processed.notice = processed.notice.or(Some(Notice { kind: word, mail }));
                    }
                }
                Ok(processed)
            }
            Self::Fails => Err(DeskFault { text: "the store is locked".to_owned() }),
            Self::Panics => panic!("the test's desk panics"),
        }
    }
}

/// A gateway that runs.
pub(crate) struct House {
    address: std::net::SocketAddr,
    data: tempfile::TempDir,
    peer: Option<Peer>,
    pub(crate) control: gateway::Control,
    pub(crate) settings: Settings,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Stage {
    pub(crate) async fn open(&self) -> House {
        let data = tempfile::tempdir().unwrap();
        let (door, more) = self.door.split_once(';').unwrap_or((&self.door, ""));
        let (protocol, direction) = door.split_once(' ').unwrap();
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        let next_hop = match &self.next_hop {
            NextHop::Maildir => String::new(),
            NextHop::Nobody => {
                let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
                format!("next_hop = '{}'", socket.local_addr().unwrap())
            }
            NextHop::Peer(peer) => {
                let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = socket.local_addr().unwrap();
                let peer = peer.clone();
                tokio::spawn(async move {
                    while let Ok((stream, _)) = socket.accept().await {
                        tokio::spawn(peer.clone().serve(stream));
                    }
                });
                format!("next_hop = '{address}'")
            }
        };
        let file = data.path().join("kakitome.toml");
        let text = format!(
            "[gateway]\nmode = '{}'\nmax_mail = {}\nmax_connections = {}\nhostname = 'gate.test'\n{next_hop}\n{}{}\n\
             listeners = [{{ protocol = '{protocol}', address = '{}:0', direction = '{direction}'{more} }}]\n{}{}\n",
            self.mode,
            self.max_mail,
            self.max_connections,
            // How full this machine's disk is is no test of ours.
            if self.gateway.contains("min_free_disk") { "" } else { "min_free_disk = 0\n" },
            self.gateway,
            self.address,
            certificates::section(data.path()),
            self.tls,
        );
        fs::write(&file, text).unwrap();
        let settings = Settings::load(Some(&file), std::iter::empty()).unwrap();
        let spools = SpoolDirectory::new(data.path().join("spool")).unwrap();
        let journal = Arc::new(Journal::open(data.path()).unwrap());
        let gateway =
            Gateway::bind(&settings, data.path(), spools, journal, Arc::new(self.desk.clone()), Arc::default())
                .await
                .unwrap();
        let port = gateway.addresses().unwrap()[0].1.unwrap().port();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let control = gateway.control();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(gateway.serve(async move {
            let _ = stopped.await;
        }));
        let peer = match &self.next_hop {
            NextHop::Peer(peer) => Some(peer.clone()),
            _ => None,
        };
        House { address, data, peer, control, settings, stop: Some(stop), served }
    }
}

impl House {
    pub(crate) async fn connect(&self) -> Client {
        Client { stream: BufReader::new(Box::new(TcpStream::connect(self.address).await.unwrap())) }
    }

    pub(crate) fn maildir(&self) -> PathBuf {
        self.data.path().join("Maildir")
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.data.path().join("spool")
    }

    /// The mails that were delivered to the Maildir; nothing may be left of those that were not.
    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        let files = |part: &Path| fs::read_dir(part).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        assert_eq!(files(&self.maildir().join("tmp")), Vec::<PathBuf>::new());
        files(&self.maildir().join("new")).iter().map(|file| fs::read(file).unwrap()).collect()
    }

    /// What the peer heard, when it is so many lines, or when it is clear that it will not be.
    pub(crate) async fn peer_heard(&self, count: usize) -> Vec<String> {
        let heard = &self.peer.as_ref().unwrap().heard;
        let begin = Instant::now();
        while heard.lock().unwrap().len() < count && begin.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        heard.lock().unwrap().clone()
    }

    /// What it has heard so far.
    pub(crate) fn peer_now(&self) -> Vec<String> {
        self.peer.as_ref().unwrap().heard.lock().unwrap().clone()
    }

    /// What lies in the journal, but for what SQLite has beside its file.
    pub(crate) fn journal_files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data.path().join("journal")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.contains("sqlite-")).collect()
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end after [`Self::stop`].
    pub(crate) async fn ended(self) {
        self.served.await.unwrap();
    }

    pub(crate) async fn close(mut self) {
        self.stop();
        self.served.await.unwrap();
    }
}

pub(crate) struct Client {
    stream: BufReader<Stream>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
        self.stream.get_mut().flush().await.unwrap();
    }

    /// The handshake, with the certificate of this name. One that fails is the end.
    pub(crate) async fn secure(&mut self, certificate: &str) {
        let nothing: Stream = Box::new(tokio::io::empty());
        let stream = std::mem::replace(&mut self.stream, BufReader::new(nothing));
        assert!(stream.buffer().is_empty(), "more was said in clear than 220");
        let connector = TlsConnector::from(certificates::client(certificate));
        if let Ok(stream) = connector.connect("gate.test".try_into().unwrap(), stream.into_inner()).await {
            self.stream = BufReader::new(Box::new(stream));
        }
    }

    /// The next line, or None at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let count = self.stream.read_until(b'\n', &mut line).await.unwrap_or(0);
        (count > 0).then(|| String::from_utf8(line).unwrap().trim_end_matches("\r\n").to_owned())
    }

    /// Sends a line and waits for the last line of the reply, which begins with `code`.
    pub(crate) async fn ask(&mut self, line: &str, code: &str) -> String {
        if !line.is_empty() {
            self.send(format!("{line}\r\n").as_bytes()).await;
        }
        loop {
            let heard = self.line().await.unwrap_or_else(|| panic!("closed after {line:?}"));
            if heard.as_bytes().get(3) != Some(&b'-') {
                assert!(heard.starts_with(code), "after {line:?}: hoped for {code}, heard {heard:?}");
                return heard;
            }
        }
    }

    pub(crate) fn over(stream: impl kakitome::gateway::tls::Wire + 'static) -> Self {
        Self { stream: BufReader::new(Box::new(stream)) }
    }

    /// Sends a line; the last line of the reply, or None where there is none.
    pub(crate) async fn try_ask(&mut self, line: &str) -> Option<String> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        self.stream.get_mut().flush().await.ok()?;
        loop {
            let heard = self.line().await?;
            if heard.as_bytes().get(3) != Some(&b'-') {
                return Some(heard);
            }
        }
    }

    pub(crate) async fn greet_again(&mut self) {
        self.ask("EHLO client.test", "250").await;
    }

    pub(crate) async fn greet(&mut self) {
        self.ask("", "220").await;
        self.ask("EHLO client.test", "250").await;
    }

    /// Up to the 354.
    pub(crate) async fn begin_mail(&mut self) {
        self.ask("MAIL FROM:<a@example.test>", "250").await;
        self.ask("RCPT TO:<b@outside.test>", "250").await;
        self.ask("DATA", "354").await;
    }

    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
        rest
    }
}
