//! The sections of the settings file as they are used: their defaults, and the words that a setting can be.

use std::fs;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use kakitome_office::evidence::fetch::Network;
use kakitome_office::policy;
use serde::{Deserialize, Serialize};

use super::deploy::Deploy;
use super::directory::Directory;
use super::inbound::Inbound;
use super::listener::{Direction, Listener, Protocol};
use super::members::Members;
use super::policy::Policy;
use super::process::Process;
use super::sender::{Correspondent, Protected, Sender};
use super::store::Store;
use super::tls::TlsFiles;
use super::value::{Domain, HostPort, Percent, PublicUrl};

/// Everything that needs a restart to change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// `[members]`: who they are, and what certificates they get.
    pub members: Members,
    /// `[gateway]`: the mail flow.
    pub gateway: Gateway,
    /// `[tls]`: encrypted connections of mail servers.
    pub tls: TlsFiles,
    /// `[policy]`: who may sign as whom, and what mail becomes.
    pub policy: Policy,
    /// `[inbound]`: what is done with received mail.
    pub inbound: Inbound,
    /// `[directory]`: the certificates of correspondents, and ours for others.
    pub directory: Directory,
    /// `[web]`: the check page.
    pub web: Web,
    /// `[check]`: what is known of senders.
    pub check: Check,
    /// `[fetch]`: what is asked outside of a mail while it is checked.
    pub fetch: Fetch,
    /// `[store]`: where everything is kept.
    pub store: Store,
    /// `[deploy]`: files for members' own mail programs.
    pub deploy: Deploy,
    /// `[vault]`: the sealing of keys.
    pub vault: Vault,
    /// `[process]`: whose rights the server has.
    pub process: Process,
    /// `[log]`: what is told.
    pub log: Log,
}

/// `[gateway]`: the mail flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Whether mail may be changed at all.
    pub mode: Mode,
    /// The mail server that takes what we made; absent: a Maildir in the data directory.
    pub next_hop: Option<HostPort>,
    /// How many connections are served at once, over all listeners.
    pub max_connections: NonZeroU32,
    /// How many of them one other machine may have.
    pub max_client_connections: NonZeroU32,
    /// The largest mail that is taken, in bytes.
    pub max_mail: NonZeroU64,
    /// No mail is taken while less of the disk is free, in percent.
    pub min_free_disk: Percent,
    /// Domains beside the members' to which a listener that other machines reach takes mail from outside.
    pub accepted_domains: Vec<Domain>,
    /// The name we give ourselves in SMTP; absent: the machine's.
    pub hostname: Option<Domain>,
    /// The doors for mail.
    pub listeners: Vec<Listener>,
}

/// `[web]`: the check page.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Where the page is served.
    pub address: SocketAddr,
    /// Who may read /metrics and /readyz beside this machine.
    pub private_networks: Vec<Network>,
    /// What the outside calls this page; absent: certificates of the own CA carry no URL.
    pub public_url: Option<PublicUrl>,
    /// The largest mail that the page takes, in bytes.
    pub max_mail: NonZeroU64,
}

/// `[check]`: what is known of senders before a mail is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    /// Names that nobody else should be taken for.
    pub protected: Vec<Protected>,
    /// Whom the reader writes with.
    pub correspondents: Vec<Correspondent>,
    /// A file with more of them.
    pub correspondents_file: Option<PathBuf>,
    /// Who signs every mail.
    pub expected_signers: Vec<Sender>,
    /// A file that says when which signed mail was delivered.
    pub delivery_log: Option<PathBuf>,
}

/// `[fetch]`: what is asked outside of a mail while it is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// Whether anything is.
    pub enabled: bool,
    /// Networks that are not the public Internet and from which is fetched all the same.
    pub allow_private: Vec<Network>,
    /// Hosts from which a missing issuer's certificate is fetched.
    pub issuer_hosts: Vec<Domain>,
    /// How long all questions for one mail may take, in seconds.
    pub time: NonZeroU32,
    /// The largest revocation list, in bytes.
    pub max_list: NonZeroU64,
}

/// `[vault]`: the sealing of keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vault {
    /// The file with the key that seals all others; absent: `sealing.key` in the data directory.
    pub key_file: Option<PathBuf>,
    /// A file with the passphrase that its key is under.
    pub passphrase_file: Option<PathBuf>,
}

/// `[log]`: what is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The least important kind of message that is written.
    pub level: Level,
    /// How it is written.
    pub format: LogFormat,
}

/// Whether mail may be changed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Members' mail from outbound listeners is signed.
    #[default]
    Sign,
    /// Every mail passes as it came.
    Pass,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object on each line, for programs.
    Json,
}

/// The least important kind of log message that is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What failed.
    Error,
    /// What is odd.
    Warn,
    /// One line for each mail.
    #[default]
    Info,
    /// Decisions on the way.
    Debug,
    /// Everything.
    Trace,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            next_hop: None,
            max_connections: NonZeroU32::MIN.saturating_add(199),
            max_client_connections: NonZeroU32::MIN.saturating_add(99),
            max_mail: mebibytes(200),
            min_free_disk: Percent::default(),
            accepted_domains: Vec::new(),
            hostname: None,
            listeners: vec![
                Listener::local(Protocol::Smtp, 2525, Direction::Outbound),
                Listener::local(Protocol::Lmtp, 10024, Direction::Outbound),
                Listener::local(Protocol::Lmtp, 10025, Direction::Inbound),
            ],
        }
    }
}

impl Settings {
    /// The policy for outbound mail.
    pub fn policy(&self) -> policy::Policy {
        let members = self.members.domain_names();
        let takes_submissions = self.gateway.listeners.iter().any(|listener| listener.submission);
        self.policy.clone().policy(members, takes_submissions)
    }

    /// Where mail of a direction goes; `None` is the Maildir.
    pub fn next_hop(&self, direction: Direction) -> Option<&HostPort> {
        let inbound = self.inbound.next_hop.as_ref().filter(|_| direction == Direction::Inbound);
        inbound.or(self.gateway.next_hop.as_ref())
    }

    /// What cannot be meant as it is written although each setting is well formed by itself, each with what to do.
    pub fn problems(&self) -> Vec<String> {
        let outbound = self.gateway.listeners.iter().filter(|listener| listener.direction == Direction::Outbound);
        let classes: Vec<&str> = outbound.filter_map(|listener| listener.class.as_deref()).collect();
        let mut problems = self.policy().problems(&classes);
        problems.extend(self.tls.problems(&self.gateway));
        problems.extend(self.store.problems());
        problems.extend(self.deploy.problems());
        problems.extend(self.process.problems());
        problems
    }
}

impl Default for Web {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8025)),
            private_networks: Vec::new(),
            public_url: None,
            max_mail: mebibytes(50),
        }
    }
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            enabled: true,
            allow_private: Vec::new(),
            issuer_hosts: Vec::new(),
            time: NonZeroU32::MIN.saturating_add(11),
            max_list: mebibytes(64),
        }
    }
}

fn mebibytes(count: u64) -> NonZeroU64 {
    NonZeroU64::new(count.saturating_mul(1024 * 1024)).unwrap_or(NonZeroU64::MIN)
}

impl Gateway {
    /// The name we give ourselves in SMTP: the setting, else the machine's name, else `localhost`.
    pub fn own_name(&self) -> String {
        let machines = || {
            ["/proc/sys/kernel/hostname", "/etc/hostname"]
                .iter()
                .find_map(|file| Domain::try_from(fs::read_to_string(file).ok()?.trim().to_owned()).ok())
        };
        self.hostname.clone().or_else(machines).map_or_else(|| "localhost".to_owned(), String::from)
    }
}
