//! OpenSSL, gpgsm and NSS: a process for each job.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::rows::{Row, Work};
use crate::world::{KEK, KEK_ID, PASSWORD, World};
use crate::{Job, Peer, peers};

/// Runs a command with `input` on its standard input; what it says of a failure, on one line.
fn ask(command: &mut Command, input: &str) -> Result<Output, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let out = process.wait_with_output().unwrap();
    if out.status.success() { Ok(out) } else { Err(first_words(&out)) }
}

/// The line that tells most: the first that speaks of an error, without paths and addresses, which change.
fn first_words(out: &Output) -> String {
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    let telling = ["error:", "Error", "rror", "can't", "failed", "problem", "not ", "caught"];
    let line = telling.iter().find_map(|word| said.lines().find(|line| line.contains(word)));
    let line = line.or_else(|| said.lines().next()).unwrap_or("says nothing").trim();
    // OpenSSL: thread:error:number:library:function:reason:file:line
    let fields: Vec<&str> = line.split(':').collect();
    match fields.as_slice() {
        [_, "error", _, library, _, reason, ..] => format!("{library}: {reason}"),
        // gpgsm names a certificate by its fingerprint, which is another one in every run.
        _ => line.split(' ').filter(|word| word.matches(':').count() < 10).collect::<Vec<_>>().join(" "),
    }
}

fn same(content: &Path, out: &Path) -> Result<(), String> {
    let found = fs::read(out).unwrap_or_default();
    if found == fs::read(content).unwrap() { Ok(()) } else { Err("other octets came out".to_owned()) }
}

fn cannot<T>(what: &str) -> Result<T, String> {
    Err(what.to_owned())
}

/// `openssl cms`.
pub(crate) struct OpenSsl(PathBuf);

impl OpenSsl {
    pub(crate) fn find() -> Option<Box<dyn Peer>> {
        let [openssl] = peers::programs("interop OpenSSL", ["openssl"])?;
        Some(Box::new(Self(openssl)))
    }

    fn job(&self, world: &World, job: &Job<'_>) -> Result<(), String> {
        let row = job.row;
        let (pem, key) = (format!("{}.pem", row.key), format!("{}.key", row.key));
        let out = job.der.with_extension("openssl.out");
        let mut command = Command::new(&self.0);
        command.current_dir(&world.folder).args(["cms", "-binary"]);
        match (row.work, job.makes) {
            (Work::Sign, true) => {
                let (scheme, digest) = row.algorithm.split_once('-').unwrap();
                command.args(["-sign", "-outform", "DER", "-signer", &pem, "-inkey", &key, "-md", digest]);
                command.args((scheme == "pss").then_some(["-keyopt", "rsa_padding_mode:pss"]).into_iter().flatten());
                command.args((row.form == "opaque").then_some("-nodetach"));
                command.arg("-in").arg(&job.content).arg("-out").arg(&job.der);
            }
            (Work::Sign, false) => {
                command.args(["-verify", "-inform", "DER", "-CAfile", "root.pem", "-in"]).arg(&job.der);
                command.args((row.form == "detached").then_some("-content"));
                command.args((row.form == "detached").then_some(&job.content)).arg("-out").arg(&out);
                ask(&mut command, "")?;
                return same(&job.content, &out);
            }
            (Work::Encrypt, true) => {
                command.args(["-encrypt", "-outform", "DER", openssl_cipher(row)]);
                command.arg("-in").arg(&job.content).arg("-out").arg(&job.der);
                match row.algorithm {
                    "password" => drop(command.args(["-pwri_password", PASSWORD])),
                    "kek" => drop(command.args(["-secretkey", &hex(KEK), "-secretkeyid", &hex(KEK_ID)])),
                    _ => drop(command.args(["-recip", &pem])),
                }
                if let Some(digest) = row.algorithm.strip_prefix("oaep-") {
                    let digest = format!("rsa_oaep_md:{digest}");
                    command.args(["-keyopt", "rsa_padding_mode:oaep", "-keyopt", &digest]);
                }
            }
            (Work::Encrypt, false) => {
                command.args(["-decrypt", "-inform", "DER", "-in"]).arg(&job.der).arg("-out").arg(&out);
                match row.algorithm {
                    "password" => drop(command.args(["-pwri_password", PASSWORD])),
                    "kek" => drop(command.args(["-secretkey", &hex(KEK), "-secretkeyid", &hex(KEK_ID)])),
                    _ => drop(command.args(["-recip", &pem, "-inkey", &key])),
                }
                ask(&mut command, "")?;
                return same(&job.content, &out);
            }
            (Work::Compress, makes) => {
                command.args(if makes { ["-compress", "-outform"] } else { ["-uncompress", "-inform"] }).arg("DER");
                let (from, to) = if makes { (&job.content, &job.der) } else { (&job.der, &out) };
                ask(command.arg("-in").arg(from).arg("-out").arg(to), "")?;
                return if makes { Ok(()) } else { same(&job.content, &out) };
            }
        }
        ask(&mut command, "").map(drop)
    }
}

impl Peer for OpenSsl {
    fn version(&self) -> String {
        let out = ask(Command::new(&self.0).arg("version"), "").unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        said.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    fn perform(&self, world: &World, jobs: &[Job<'_>]) -> Vec<Result<(), String>> {
        jobs.iter().map(|job| self.job(world, job)).collect()
    }
}

fn openssl_cipher(row: &Row) -> &'static str {
    match row.form {
        "aes128-cbc" => "-aes128",
        "aes192-cbc" => "-aes192",
        "aes256-cbc" => "-aes256",
        "aes128-gcm" => "-aes-128-gcm",
        "aes192-gcm" => "-aes-192-gcm",
        "aes256-gcm" => "-aes-256-gcm",
        "3des-cbc" => "-des3",
        _ => "-rc2-128",
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// gpgsm with a home and an agent of its own.
pub(crate) struct Gpgsm {
    gpgsm: PathBuf,
    gpgconf: PathBuf,
    // not under target: the path of the agent's socket must be short
    home: tempfile::TempDir,
    openssl: PathBuf,
    /// What its import said to each key that it could not take.
    refused: Vec<(&'static str, String)>,
}

impl Gpgsm {
    pub(crate) fn find(world: &World) -> Option<Box<dyn Peer>> {
        let [gpgsm, gpgconf, _, openssl] =
            peers::programs("interop gpgsm", ["gpgsm", "gpgconf", "gpg-agent", "openssl"])?;
        let home = tempfile::tempdir().unwrap();
        let mut gpgsm = Self { gpgsm, gpgconf, home, openssl, refused: Vec::new() };
        fs::write(gpgsm.home.path().join("gpgsm.conf"), "disable-crl-checks\n").unwrap();
        fs::write(gpgsm.home.path().join("gpg-agent.conf"), "allow-loopback-pinentry\n").unwrap();
        let trusted = format!("{} S relax\n", gpgsm.fingerprint(world, "root"));
        fs::write(gpgsm.home.path().join("trustlist.txt"), trusted).unwrap();
        ask(gpgsm.command().arg("--import").arg(world.file("root.pem")), "").unwrap();
        for key in ["rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384", "p-521", "ed25519", "x25519"] {
            // The certificate first: a key that cannot be imported does not keep it from being encrypted to.
            let _ = ask(gpgsm.command().arg("--import").arg(world.file(&format!("{key}.pem"))), "");
            // On a busy machine gpgsm gives up on its agent now and then, also with the keys that it reads.
            let tries = if key.starts_with("rsa") { 5 } else { 1 };
            let imported = (0..tries).any(|_| {
                let import = ask(gpgsm.unlocked().arg("--import").arg(world.file(&format!("{key}.p12"))), PASSWORD);
                import.is_ok_and(|out| {
                    let said = String::from_utf8_lossy(&out.stderr);
                    ["secret keys imported: 1", "secret keys unchanged: 1"].iter().any(|good| said.contains(good))
                })
            });
            if !imported {
                // It crashes, or misreads the file: its words are others in every run.
                gpgsm.refused.push((key, "the import of the key from PKCS#12 fails".to_owned()));
            }
        }
        Some(Box::new(gpgsm))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.gpgsm);
        command.env("GNUPGHOME", self.home.path()).env("LC_ALL", "C").args(["--batch", "--yes"]);
        command
    }

    /// The password comes by standard input.
    fn unlocked(&self) -> Command {
        let mut command = self.command();
        command.args(["--pinentry-mode", "loopback", "--passphrase-fd", "0"]);
        command
    }

    fn fingerprint(&self, world: &World, name: &str) -> String {
        let mut command = Command::new(&self.openssl);
        command.args(["x509", "-noout", "-fingerprint", "-sha1", "-in"]).arg(world.file(&format!("{name}.pem")));
        let out = ask(&mut command, "").unwrap();
        String::from_utf8_lossy(&out.stdout).trim().split_once('=').unwrap().1.to_owned()
    }

    fn holds(&self, key: &str) -> Result<(), String> {
        match self.refused.iter().find(|(refused, _)| *refused == key) {
            Some((_, why)) => Err(why.clone()),
            None => Ok(()),
        }
    }

    fn job(&self, world: &World, job: &Job<'_>) -> Result<(), String> {
        let row = job.row;
        if row.work == Work::Compress || (row.key == "-" && job.makes) {
            return cannot("has no option for it");
        }
        let out = job.der.with_extension("gpgsm.out");
        match (row.work, job.makes) {
            (Work::Sign, true) => {
                let (scheme, digest) = row.algorithm.split_once('-').unwrap();
                if scheme == "pss" {
                    return cannot("has no option for it");
                }
                self.holds(row.key)?;
                let mut command = self.unlocked();
                command.args(["--digest-algo", digest, "--local-user"]).arg(self.fingerprint(world, row.key));
                command.args((row.form == "detached").then_some("--detach-sign"));
                command.args((row.form == "opaque").then_some("--sign"));
                ask(command.arg("-o").arg(&job.der).arg(&job.content), PASSWORD).map(drop)
            }
            (Work::Sign, false) => {
                let mut command = self.command();
                command.args(["--status-fd", "1", "--verify"]).arg(&job.der);
                command.args((row.form == "detached").then_some(&job.content));
                let out = ask(&mut command, "")?;
                let said = String::from_utf8_lossy(&out.stdout);
                if said.contains("GOODSIG") { Ok(()) } else { Err(first_words(&out)) }
            }
            (_, true) => {
                if row.algorithm.starts_with("oaep") || row.form.ends_with("gcm") {
                    return cannot("has no option for it");
                }
                let cipher = match row.form {
                    "aes128-cbc" => "AES",
                    "aes192-cbc" => "AES192",
                    "aes256-cbc" => "AES256",
                    "3des-cbc" => "3DES",
                    _ => "RC2",
                };
                let mut command = self.command();
                command.args(["--cipher-algo", cipher, "--encrypt", "-r"]).arg(self.fingerprint(world, row.key));
                ask(command.arg("-o").arg(&job.der).arg(&job.content), "").map(drop)
            }
            (_, false) => {
                if row.key != "-" {
                    self.holds(row.key)?;
                }
                ask(self.unlocked().arg("--decrypt").arg("-o").arg(&out).arg(&job.der), PASSWORD)?;
                same(&job.content, &out)
            }
        }
    }
}

impl Drop for Gpgsm {
    fn drop(&mut self) {
        let _ = Command::new(&self.gpgconf).arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).status();
    }
}

impl Peer for Gpgsm {
    fn version(&self) -> String {
        let out = ask(Command::new(&self.gpgsm).arg("--version"), "").unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        format!("gpgsm {}", said.lines().next().unwrap().rsplit(' ').next().unwrap())
    }

    fn perform(&self, world: &World, jobs: &[Job<'_>]) -> Vec<Result<(), String>> {
        jobs.iter().map(|job| self.job(world, job)).collect()
    }
}

/// NSS, which Thunderbird reads with: `cmsutil`.
pub(crate) struct Nss {
    cmsutil: PathBuf,
    home: tempfile::TempDir,
    refused: Vec<(&'static str, String)>,
}

impl Nss {
    pub(crate) fn find(world: &World) -> Option<Box<dyn Peer>> {
        let [cmsutil, certutil, pk12util] = peers::programs("interop NSS", ["cmsutil", "certutil", "pk12util"])?;
        let mut nss = Self { cmsutil, home: tempfile::tempdir().unwrap(), refused: Vec::new() };
        let database = nss.database();
        ask(Command::new(&certutil).args(["-N", "--empty-password", "-d", &database]), "").unwrap();
        let root = ["-A", "-n", "root", "-t", "CT,CT,CT", "-d", &database, "-i"];
        ask(Command::new(&certutil).args(root).arg(world.file("root.pem")), "").unwrap();
        for key in ["rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384", "p-521", "ed25519", "x25519"] {
            let import = ["-W", PASSWORD, "-d", &database, "-i"];
            let said = ask(Command::new(&pk12util).args(import).arg(world.file(&format!("{key}.p12"))), "");
            if let Err(why) = said {
                nss.refused.push((key, format!("import of the key: {why}")));
            }
        }
        Some(Box::new(nss))
    }

    fn database(&self) -> String {
        format!("sql:{}", self.home.path().display())
    }

    fn job(&self, job: &Job<'_>) -> Result<(), String> {
        let row = job.row;
        if row.key == "-" {
            return cannot("has no option for it");
        }
        let refused = self.refused.iter().find(|(refused, _)| *refused == row.key);
        let holds = refused.map_or(Ok(()), |(_, why)| Err(why.clone()));
        let mut command = Command::new(&self.cmsutil);
        let out = job.der.with_extension("nss.out");
        match (row.work, job.makes) {
            (Work::Sign, true) => {
                let (scheme, digest) = row.algorithm.split_once('-').unwrap();
                if scheme == "pss" {
                    return cannot("has no option for it");
                }
                holds?;
                let digest = digest.to_ascii_uppercase();
                command.args(["-S", "-d", &self.database(), "-N", row.key, "-H", &digest]);
                command.args((row.form == "detached").then_some("-T"));
                ask(command.arg("-i").arg(&job.content).arg("-o").arg(&job.der), "").map(drop)
            }
            (Work::Sign, false) => {
                command.args(["-D", "-d", &self.database(), "-n", "-h", "0", "-i"]).arg(&job.der);
                command.args((row.form == "detached").then_some("-c"));
                command.args((row.form == "detached").then_some(&job.content));
                let out = ask(&mut command, "")?;
                let said = String::from_utf8_lossy(&out.stdout).into_owned();
                let status =
                    said.split("status=").nth(1).unwrap_or("no status").split([';', '\n']).next().unwrap_or_default();
                if status.starts_with("GoodSignature") { Ok(()) } else { Err(status.to_owned()) }
            }
            (_, true) => {
                // It chooses the cipher itself: AES-128-CBC for a recipient whose capabilities it does not know.
                if row.algorithm != "pkcs1" && row.algorithm != "ecdh" || row.form != "aes128-cbc" {
                    return cannot("has no option for it");
                }
                command.args(["-E", "-d", &self.database(), "-r", row.key]);
                ask(command.arg("-i").arg(&job.content).arg("-o").arg(&job.der), "").map(drop)
            }
            (_, false) => {
                holds?;
                ask(command.args(["-D", "-d", &self.database(), "-i"]).arg(&job.der).arg("-o").arg(&out), "")?;
                same(&job.content, &out)
            }
        }
    }
}

impl Peer for Nss {
    fn version(&self) -> String {
        // cmsutil says no version; the library's file does.
        let out = ask(Command::new("dpkg-query").args(["-W", "-f", "${Version}", "libnss3-tools"]), "");
        let said = out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
        format!("NSS {}", said.split([':', '-']).nth(1).unwrap_or("of an unknown version"))
    }

    fn perform(&self, _: &World, jobs: &[Job<'_>]) -> Vec<Result<(), String>> {
        jobs.iter().map(|job| self.job(job)).collect()
    }
}
