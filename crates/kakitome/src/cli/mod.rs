//! The command line: a file per verb. Results go to standard output, messages to standard error.

mod audit;
mod authority;
mod ca;
mod cert;
mod check;
mod config;
mod decrypt;
mod deploy;
mod desk;
mod directory;
mod docs;
mod encrypt;
mod explain;
mod fault;
mod input;
mod inspect;
mod job;
mod keys;
mod member;
mod office;
mod output;
mod outside;
mod password;
mod sign;
mod status;
mod store;
mod trust;
mod up;
mod vault;
mod verify;

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::mem::ManuallyDrop;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use kakitome_office::store::{Place, Store};
use kakitome_verdict::lang::Lang;
use rustix::process::{Resource, Rlimit, setrlimit};

pub use fault::{Ended, Failure};

/// Registered mail for the Internet: who sent this mail, and was it changed?
#[derive(Debug, Parser)]
#[command(name = "kakitome", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Kakitome {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    everywhere: Everywhere,
}

/// Options that every verb has.
#[derive(Clone, Debug, Args)]
struct Everywhere {
    /// The data directory: store, keys, Maildir
    #[arg(long, global = true, value_name = "DIR", env = "KAKITOME_DATA", default_value = "./kakitome-data")]
    data: PathBuf,
    /// The settings file
    #[arg(long, global = true, value_name = "FILE", env = "KAKITOME_CONFIG")]
    config: Option<PathBuf>,
    /// The language of answers
    #[arg(long, global = true, value_name = "ja|en", value_parser = lang)]
    lang: Option<Lang>,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

// What a verb does stands above its own arguments: a line here would take the place of all of it.
// Deferred: a run builds the options of its own verb alone.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Verb {
    Up(up::Up),
    Check(check::Check),
    Verify(verify::Verify),
    Sign(sign::Sign),
    Inspect(inspect::Inspect),
    Encrypt(encrypt::Encrypt),
    Decrypt(decrypt::Decrypt),
    Explain(explain::Explain),
    /// Certificates, judged or shown
    #[command(subcommand)]
    Cert(cert::Cert),
    /// The own certificate authority
    #[command(subcommand)]
    Ca(ca::Ca),
    /// The members: who they are, and their certificates
    #[command(subcommand)]
    Member(member::Member),
    /// The work that is done without anybody asking
    #[command(subcommand)]
    Job(job::Job),
    Status(status::Status),
    /// The issuers that are believed
    #[command(subcommand)]
    Trust(trust::Anchors),
    /// The certificates of correspondents, to which mail is encrypted
    #[command(subcommand)]
    Directory(directory::Directory),
    /// Files for members' own mail programs
    #[command(subcommand)]
    Deploy(deploy::Deploy),
    /// The log of what was done
    #[command(subcommand)]
    Audit(audit::Audit),
    /// The store as a whole: backup, restore, copy
    #[command(subcommand)]
    Store(store::Storage),
    /// The settings
    #[command(subcommand)]
    Config(config::Config),
    Completion(docs::Completion),
    /// Generated documents (for the project's own use)
    #[command(subcommand, hide = true)]
    Docs(docs::Docs),
}

const EXIT_CODES: &str = "\
Exit codes: 0 confirmed or done · 2 usage · 10 confirmed, but not as strongly as --require asks · 20 not signed · \
30 not confirmed · 40 contradicted (changed, fake, somebody else's) · 50 sealed, no key here · 60 the input cannot be \
read · 70 a bug of ours · 75 could not finish, try again";

impl Everywhere {
    /// The language that was asked for, else that of the environment.
    fn lang(&self) -> Lang {
        let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        self.lang.or_else(|| named.and_then(|tag| Lang::from_tag(&tag))).unwrap_or(Lang::En)
    }
}

impl Everywhere {
    /// Where the store is, as the settings say.
    fn store_place(&self) -> Result<Place, Failure> {
        let settings = config::load(self)?.store;
        settings.place(&self.data).map_err(|error| {
            let file = settings.password_file.unwrap_or_default();
            Failure::unreadable(format!("{}: the password of the database cannot be read: {error}", file.display()))
        })
    }

    /// The store, made where it is missing; and the data directory, where keys and locks stand also if the store does not.
    fn store(&self) -> Result<Store, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.data);
        made.map_err(|error| Failure::try_again(format!("{}: cannot be made: {error}", self.data.display())))?;
        Ok(self.store_place()?.open()?)
    }

    /// The store for reading; `None` where there is none yet.
    fn store_read_only(&self) -> Result<Option<Store>, Failure> {
        Ok(self.store_place()?.open_read_only()?)
    }
}

fn lang(tag: &str) -> Result<Lang, String> {
    Lang::from_tag(tag).ok_or_else(|| "ja or en".to_owned())
}

/// Runs the program.
pub fn main() -> ExitCode {
    // A panic is a bug of ours, whatever the mail was: it says so, and ends with a code of its own.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("kakitome: a bug in kakitome, not in your mail: {panic}");
        eprintln!("kakitome: please report it with these lines; nothing was written");
    }));
    without_core_dump();
    let ended = std::panic::catch_unwind(|| run(std::env::args_os()));
    ended.unwrap_or(Ended::Bug).into()
}

/// Almost every verb holds private keys or passwords at some time, and a core dump would hold them for good.
fn without_core_dump() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Lowering a limit is never refused.
    let _ = setrlimit(Resource::Core, none);
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Ended {
    let kakitome = match parse(&arguments.into_iter().collect::<Vec<_>>()) {
        Ok(kakitome) => kakitome,
        Err(usage) => {
            let code = if usage.use_stderr() { Ended::Usage } else { Ended::Done };
            // A closed pipe behind --help is nobody's fault.
            usage.print().ok();
            return code;
        }
    };
    let everywhere = &kakitome.everywhere;
    let ended = match &kakitome.verb {
        Verb::Up(up) => up.run(everywhere),
        Verb::Check(check) => check.run(everywhere),
        Verb::Verify(verify) => verify.run(everywhere),
        Verb::Sign(sign) => sign.run(everywhere),
        Verb::Inspect(inspect) => inspect.run(everywhere),
        Verb::Encrypt(encrypt) => encrypt.run(everywhere),
        Verb::Decrypt(decrypt) => decrypt.run(everywhere),
        Verb::Explain(explain) => explain.run(everywhere),
        Verb::Cert(cert) => cert.run(everywhere),
        Verb::Ca(ca) => ca.run(everywhere),
        Verb::Member(member) => member.run(everywhere),
        Verb::Job(job) => job.run(everywhere),
        Verb::Status(status) => status.run(everywhere),
        Verb::Trust(trust) => trust.run(everywhere),
        Verb::Directory(directory) => directory.run(everywhere),
        Verb::Deploy(deploy) => deploy.run(everywhere),
        Verb::Audit(audit) => audit.run(everywhere),
        Verb::Store(store) => store.run(everywhere),
        Verb::Config(config) => config.run(everywhere),
        Verb::Completion(completion) => completion.run(),
        Verb::Docs(docs) => docs.run(),
    };
    ended.unwrap_or_else(|failure| failure.tell())
}

fn parse(arguments: &[OsString]) -> Result<Kakitome, clap::Error> {
    // Most of what a short command costs before it begins: so it is neither built whole, nor taken apart at the end.
    let mut command = ManuallyDrop::new(Kakitome::command());
    let matches = match command.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        // Help, and what is said about a slip, may speak of every verb.
        Err(_) => self::command().try_get_matches_from(arguments)?,
    };
    Kakitome::from_arg_matches(&matches)
}

/// The whole command line, as clap knows it.
fn command() -> clap::Command {
    let mut command = Kakitome::command();
    command.build();
    command
}
