//! A PostgreSQL server of a test's own: in a directory of its own, reached by a socket there and, only where a test is about
//! that, by TLS at an address of its own.
//!
//! It ends with the test program, however that ends: a shell between both waits for the end of its input.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};

/// Where distributions keep the server's programs.
const BEYOND_PATH: &str = "/usr/lib/postgresql";
/// How long a server may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts, stops and removes the server: one word a line on its input; at the end of the input it ends.
const KEEPER: &str = r#"
umask 077
run() { "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses="$3" -c fsync=off -c max_connections=60 -c log_min_messages=fatal >>"$2/log" 2>&1 & pid=$!; }
run "$1" "$2" "$3"
while read -r word; do
    case $word in
        stop) kill -INT $pid; wait $pid; echo stopped ;;
        start) run "$1" "$2" "$3"; echo started ;;
    esac
done
kill -QUIT $pid; wait $pid
rm -rf "$2"
"#;

/// A server with databases of its own.
#[derive(Debug)]
pub struct PostgresqlServer {
    programs: PathBuf,
    directory: PathBuf,
    address: String,
    keeper: Mutex<Keeper>,
    databases: AtomicU32,
}

#[derive(Debug)]
struct Keeper {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl PostgresqlServer {
    /// The one of this test program, started when it is first asked for. `None` after a visible skip of `suite` where
    /// PostgreSQL is not installed.
    ///
    /// # Panics
    /// It is installed and does not start; it is not installed and `KAKITOME_REQUIRE_PEERS=1`.
    pub fn shared(suite: &str) -> Option<&'static Self> {
        static SERVER: OnceLock<Option<PostgresqlServer>> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(suite)).as_ref()
    }

    /// One for a test that stops it.
    ///
    /// # Panics
    /// As [`PostgresqlServer::shared`].
    pub fn start(suite: &str) -> Option<Self> {
        Self::start_with(suite, None)
    }

    /// One that can be reached at an [`address`](Self::address) too, by TLS with this certificate and key (PEM), and by whoever knows the
    /// password of the user `kakitome` (SCRAM).
    ///
    /// # Panics
    /// As [`PostgresqlServer::shared`].
    pub fn start_over_tls(suite: &str, certificate: &str, key: &str, password: &str) -> Option<Self> {
        let server = Self::start_with(suite, Some((certificate, key)))?;
        server.ask("postgres", &format!("ALTER ROLE kakitome PASSWORD '{password}'"));
        Some(server)
    }

    fn start_with(suite: &str, tls: Option<(&str, &str)>) -> Option<Self> {
        let Some(programs) = programs() else {
            let line = format!("SKIPPED: {suite}: not installed: postgresql; ./test --install brings it");
            let required = std::env::var_os("KAKITOME_REQUIRE_PEERS").is_some_and(|value| value == "1");
            assert!(!required, "{line}");
            // not eprintln!: the test harness would swallow that of a test that passes
            let _ = writeln!(std::io::stderr(), "{line}");
            return None;
        };
        let directory = directory();
        let made = as_owner(&programs.join("initdb"), &directory)
            .args(["--auth=trust", "--username=kakitome", "--encoding=UTF8", "--no-sync", "--no-instructions"])
            // A collation that is not that of octets.
            .args(["--locale=C", "--locale-provider=icu", "--icu-locale=en", "-D"])
            .arg(directory.join("data"))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let address = tls.map(|_| address()).unwrap_or_default();
        if let Some((certificate, key)) = tls {
            let data = directory.join("data");
            put(&directory, &data.join("server.crt"), certificate);
            put(&directory, &data.join("server.key"), key);
            put(&directory, &data.join("postgresql.auto.conf"), "ssl = on\n");
            put(
                &directory,
                &data.join("pg_hba.conf"),
                "local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n",
            );
        }
        let mut child = as_owner(Path::new("/bin/sh"), &directory)
            .args(["-c", KEEPER, "keeper"])
            .arg(&programs)
            .arg(&directory)
            .arg(&address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let keeper = Mutex::new(Keeper { child, input, output });
        let server = Self { programs, directory, address, keeper, databases: AtomicU32::new(0) };
        server.wait();
        Some(server)
    }

    /// Where it can be reached over TLS; empty where it cannot.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where its programs are.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The directory with its socket, by which its user `kakitome` comes in without a password.
    pub fn socket(&self) -> &Path {
        &self.directory
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// What a database answers, as `psql` writes it: a line for each row, columns with `|` between.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let answer = self.try_ask(database, sql);
        answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, or what it says against it.
    ///
    /// # Errors
    /// The text of the refusal.
    pub fn try_ask(&self, database: &str, sql: &str) -> Result<String, String> {
        let database = database.rsplit('/').next().unwrap_or_default();
        let done = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "kakitome", "-d", database, "-c", sql, "-h"])
            .arg(&self.directory)
            .output()
            .expect("psql runs");
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }

    /// Where the server works: the directory of its files.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Ends the server; its databases stay.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Starts it again.
    pub fn start_again(&self) {
        self.tell("start");
        self.wait();
    }

    fn url(&self, database: &str) -> String {
        let socket = self.directory.display().to_string().replace('/', "%2F");
        format!("postgresql://kakitome@{socket}/{database}")
    }

    fn tell(&self, word: &str) {
        let mut keeper = self.keeper.lock().expect("no test panicked here");
        writeln!(keeper.input.as_ref().expect("open"), "{word}").expect("the keeper listens");
        let mut answer = String::new();
        keeper.output.read_line(&mut answer).expect("the keeper answers");
    }

    fn wait(&self) {
        let begun = SystemTime::now();
        while self.try_ask("postgres", "SELECT 1").is_err() {
            assert!(
                begun.elapsed().unwrap_or_default() < PATIENCE,
                "PostgreSQL does not start: {}",
                fs::read_to_string(self.directory.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for PostgresqlServer {
    fn drop(&mut self) {
        if let Ok(keeper) = self.keeper.get_mut() {
            keeper.input = None;
            keeper.child.wait().ok();
        }
    }
}

/// An address of this machine that no other server has: no port has to be found that is free.
fn address() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) & 0x3f;
    let process = std::process::id();
    format!("127.{}.{}.{}", 64 + number, (process >> 8) & 0xff, process & 0xff)
}

/// A file of the server's, which nobody else may read.
fn put(directory: &Path, path: &Path, text: &str) {
    fs::write(path, text).expect("a disk");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("ours");
    if let Some((user, group)) = owner(directory) {
        chown(path, Some(user), Some(group)).expect("root gives it away");
    }
}

/// The newest installed, or the one on the `PATH`.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> =
        fs::read_dir(BEYOND_PATH).into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort_by_key(|path| path.to_string_lossy().split('/').find_map(|part| part.parse::<u32>().ok()));
    versions
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|programs| ["initdb", "postgres", "psql"].iter().all(|program| programs.join(program).is_file()))
}

/// A new directory with a short name: that of a socket has 107 octets at most.
fn directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("kpg-{}-{number}", std::process::id()));
        match fs::create_dir(&directory) {
            Ok(()) => {
                if let Some((user, group)) = owner(&directory) {
                    chown(&directory, Some(user), Some(group)).expect("root gives it away");
                }
                return directory;
            }
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "{}: {error}", directory.display())
            }
        }
    }
}

/// PostgreSQL does not run as root: then it runs as the user that the distribution made for it.
fn owner(directory: &Path) -> Option<(u32, u32)> {
    let is_root = fs::metadata(directory).is_ok_and(|metadata| metadata.uid() == 0) || is_root();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut numbers = line.split(':').skip(2).filter_map(|field| field.parse().ok());
    Some((numbers.next()?, numbers.next()?)).filter(|_| is_root)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn as_owner(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory);
    if is_root()
        && let Some((user, group)) = owner(directory)
    {
        command.gid(group).uid(user);
    }
    command
}
