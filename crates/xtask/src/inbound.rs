//! `cargo xtask inbound`: what received mail costs, beside mail that leaves: CPU time of the program for each mail, and the
//! most memory that it held.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use kakitome_pki::algorithm::Cipher;
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::{pem, pkcs12};
use kakitome_pki::crypto::SystemRandom;
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::mail::{Mail, base64};
use kakitome_testkit::recipient::sealed;
use kakitome_testkit::{CertificateFactory, Pki, rsa_key, write};

use crate::load::sink::Sink;

/// So many small mails.
const MAILS: usize = 1_000;
/// So many large ones, and how long what is in them is, in bytes.
const LARGE: (usize, usize) = (4, 25_000_000);
/// The kernel's clock ticks, by which it tells CPU time (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures `program`, a release build, and prints the table.
pub(crate) fn run(root: &Path, program: &Path, mails: Option<usize>) -> anyhow::Result<ExitCode> {
    let mails = mails.unwrap_or(MAILS);
    let folder = root.join("target/tmp/inbound");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder)?;
    let program = program.canonicalize().context("where is the program? Build it with --release")?;
    let stand = Stand::open(&program, &folder)?;
    let pki = Pki::get();
    let text = "a line of the mail, as there are many in one\r\n";
    let small = |from: &str| format!("From: {from}\r\nSubject: hello\r\n\r\n{}", text.repeat(20)).into_bytes();
    let large = text.repeat(LARGE.1 / text.len());
    let rows: [(&str, &str, usize, Vec<u8>); 5] = [
        ("received, not signed", "inbound", mails, small("eve@elsewhere.example")),
        ("received, signed", "inbound", mails, Mail::of(&pki.bank).clear_by(&pki.bank)),
        ("received, sealed, 25 MB inside", "inbound", LARGE.0, stand.sealed(large.as_bytes())?),
        ("leaves, signed", "outbound", mails, small("alice@example.test")),
        ("leaves, signed, 25 MB", "outbound", LARGE.0, [small("alice@example.test"), large.into_bytes()].concat()),
    ];
    println!("| mail | mails | bytes each | CPU each | mails in a second | most memory |\n|---|---|---|---|---|---|");
    for (name, direction, count, mail) in rows {
        let cost = stand.send(direction, count, &mail)?;
        println!(
            "| {name} | {count} | {} | {:.2} ms | {:.0} | {:.0} MiB |",
            mail.len(),
            cost.cpu * 1000.0 / count as f64,
            count as f64 / cost.time,
            cost.peak
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A running program. Dropped, it ends.
struct Stand {
    program: std::path::PathBuf,
    folder: std::path::PathBuf,
    process: Child,
    _sink: Sink,
}

struct Cost {
    cpu: f64,
    time: f64,
    peak: f64,
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Stand {
    fn open(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let sink = Sink::start()?;
        let door = |direction| format!("{{ protocol = 'lmtp', address = '127.0.0.1:0', direction = '{direction}' }}");
        let (outbound, inbound, next_hop) = (door("outbound"), door("inbound"), sink.port);
        fs::write(
            folder.join("kakitome.toml"),
            format!(
                "[gateway]\nlisteners = [{outbound}, {inbound}]\nnext_hop = '127.0.0.1:{next_hop}'\n\
                 [web]\naddress = '127.0.0.1:0'\n[fetch]\nenabled = false\n[log]\nlevel = 'warn'\n"
            ),
        )?;
        fs::write(folder.join("root.pem"), pem::write("CERTIFICATE", Pki::get().rp.certificate.raw()))?;
        let said = fs::File::create(folder.join("up.log"))?;
        let up = |words: &[&str]| {
            let mut command = Command::new(program);
            command.current_dir(folder).args(words).stdin(Stdio::null());
            command
        };
        ensure!(up(&["trust", "add", "--yes", "root.pem"]).output()?.status.success(), "trust add");
        let process = up(&["up", "--config", "kakitome.toml"]).stdout(said.try_clone()?).stderr(said).spawn()?;
        let stand = Self { program: program.to_owned(), folder: folder.to_owned(), process, _sink: sink };
        let end = Instant::now() + PATIENCE;
        while !stand.log().contains("in the README.") {
            ensure!(Instant::now() < end, "it does not come up:\n{}", stand.log());
            thread::sleep(Duration::from_millis(50));
        }
        Ok(stand)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("up.log")).unwrap_or_default()
    }

    /// Sealed to Bob, whose key comes into the vault.
    fn sealed(&self, content: &[u8]) -> anyhow::Result<Vec<u8>> {
        let bob = Takes::Rsa.holder_of("bob", |_| {
            CertificateFactory::signer(&[(oid::COMMON_NAME, "bob")], &["bob@example.test"], "bob")
                .spki(rsa_key("bob").spki())
                .with(oid::KEY_USAGE, true, write::named_bits(&[2]))
        });
        let (key, certificate) = (Takes::Rsa.key_der("bob"), &bob.certificate);
        let contents = pkcs12::Contents { key: &key, certificate, chain: &[], friendly_name: "bob" };
        let file = pkcs12::write(&contents, "secret", pkcs12::Form::Modern, None, &SystemRandom)?;
        fs::write(self.folder.join("bob.p12"), file)?;
        fs::write(self.folder.join("password.txt"), "secret\n")?;
        let words = ["--config", "kakitome.toml", "--also-ended", "--password-file", "password.txt", "bob.p12"];
        let imported =
            Command::new(&self.program).current_dir(&self.folder).args(["cert", "import"]).args(words).output()?;
        ensure!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        let inner = [b"Content-Type: text/plain\r\n\r\n", content].concat();
        let object = sealed(std::slice::from_ref(&bob.certificate), Cipher::Aes256Gcm, &inner);
        let head = "From: eve@elsewhere.example\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; \
                    smime-type=authEnveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        Ok([head.as_bytes(), &base64(&object)].concat())
    }

    /// One after another by one connection, each with a queue id of its own.
    fn send(&self, direction: &str, count: usize, mail: &[u8]) -> anyhow::Result<Cost> {
        let log = self.log();
        let found = log.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_it = words.first() == Some(&"LMTP") && words.get(2) == Some(&direction);
            words.get(1).filter(|_| is_it)?.parse::<SocketAddr>().ok()
        });
        let door = found.context("no such door")?;
        let mut out = TcpStream::connect(door)?;
        out.set_nodelay(true)?;
        let mut lines = BufReader::new(out.try_clone()?);
        let mut said = |out: &mut TcpStream, command: &[u8], code: &str| -> anyhow::Result<()> {
            out.write_all(command)?;
            loop {
                let mut line = String::new();
                ensure!(lines.read_line(&mut line)? > 0, "the connection is lost");
                if line.as_bytes().get(3) == Some(&b' ') {
                    return if line.starts_with(code) { Ok(()) } else { bail!("{line}{}", self.log()) };
                }
            }
        };
        said(&mut out, b"", "220")?;
        said(&mut out, b"LHLO measure\r\n", "250")?;
        let (from, to) = match direction {
            "inbound" => ("eve@elsewhere.example", "bob@example.test"),
            _ => ("alice@example.test", "bob@example.net"),
        };
        let envelope = |number: usize| {
            [format!("XFORWARD IDENT=M{number}\r\n"), format!("MAIL FROM:<{from}>\r\n"), format!("RCPT TO:<{to}>\r\n")]
        };
        // The first makes certificates, opens files and connections.
        let mut one = |out: &mut TcpStream, number: usize| -> anyhow::Result<()> {
            for command in envelope(number) {
                said(out, command.as_bytes(), "250")?;
            }
            said(out, b"DATA\r\n", "354")?;
            out.write_all(mail)?;
            said(out, b"\r\n.\r\n", "250")
        };
        one(&mut out, 0)?;
        let process = self.process.id();
        // From here on the peak is counted anew (proc(5), clear_refs).
        fs::write(format!("/proc/{process}/clear_refs"), "5").ok();
        let (before, begun) = (cpu(process), Instant::now());
        for number in 1..=count {
            one(&mut out, number)?;
        }
        let time = begun.elapsed().as_secs_f64();
        Ok(Cost { cpu: cpu(process) - before, time, peak: peak(process) })
    }
}

fn cpu(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let ticks = |at: usize| fields.as_ref()?.get(at)?.parse::<f64>().ok();
    (ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / TICKS
}

fn peak(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}
