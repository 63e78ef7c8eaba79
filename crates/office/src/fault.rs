//! What can fail around us: disk, store, keys. Never what a mail says; that is a finding.

use std::io;
use std::path::PathBuf;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::NoRandomness;

/// A failure of the environment, or (as [`Fault::Bug`]) of this program. Its text says what, where, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file or directory could not be read or written.
    #[error("cannot {doing} {}: {source}; look at the disk and at who owns the path, then try again", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another program holds the store for longer than we wait.
    #[error("the store {store} is in use by another program; end that one, or try again")]
    StoreBusy {
        /// The store.
        store: String,
    },
    /// The server of the store does not answer.
    #[error(
        "the store {store} cannot be reached: {why}; look whether the server runs and lets this machine in (store.url), \
         then try again"
    )]
    StoreUnreachable {
        /// The store.
        store: String,
        /// What the network or the server said.
        why: String,
    },
    /// The database is not one to keep a store in, or lets us not in.
    #[error("the store {store} cannot be used: {why}; docs/store.md says how a database is made for it")]
    StoreUnfit {
        /// The store.
        store: String,
        /// What is wrong with it.
        why: String,
    },
    /// A store that should be empty is not.
    #[error(
        "the store {store} is not empty (its table {table} has rows), and nothing is put in place of what is there; name \
         an empty one"
    )]
    StoreNotEmpty {
        /// The store.
        store: String,
        /// The first table with rows.
        table: String,
    },
    /// A file is not a backup.
    #[error("the file {} is no backup of a store: {why}", file.display())]
    NoBackup {
        /// The file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// No room to write.
    #[error("the disk with the store {store} is full; make room there, then try again")]
    StoreFull {
        /// The store.
        store: String,
    },
    /// A newer program has changed the store.
    #[error(
        "the store {store} has version {found}, and this program knows versions up to {known}; start the newer \
         program again, or restore the data directory from a backup that was made before the upgrade"
    )]
    StoreNewer {
        /// The store.
        store: String,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The store is older than what a reader that may not write can read.
    #[error(
        "the store {store} has version {found}, and this program needs {known}; run `kakitome store migrate`, which \
         brings it up to date (make a backup first)"
    )]
    StoreOlder {
        /// The store.
        store: String,
        /// Its version.
        found: i64,
        /// The version that is needed.
        known: i64,
    },
    /// A file of anchors or lists that the settings name is not what it should be.
    #[error("{why}; mend the file, or the setting that names it")]
    Anchors {
        /// Which, and why.
        why: String,
    },
    /// What stands in the store cannot be true.
    #[error("the store {store} is damaged: {what}; stop the program and restore the data directory from the backup")]
    StoreDamaged {
        /// The store.
        store: String,
        /// What is wrong.
        what: String,
    },
    /// The store refused for another reason.
    #[error("the store {store} failed: {source}; look at the disk and at who owns the file, then try again")]
    Store {
        /// The store.
        store: String,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether it would say the same again.
        is_lasting: bool,
    },
    /// Sealed keys without the key that opens them.
    #[error(
        "the file {} is missing, and without it the private keys in the store {store} cannot be opened; restore it \
         (sealing.key) from the backup, or copy it from another node",
        path.display()
    )]
    SealingKeyMissing {
        /// Where the key should be.
        path: PathBuf,
        /// The store with what it sealed.
        store: String,
    },
    /// The key is another than the one that sealed.
    #[error(
        "the file {} is not the key that sealed the private keys in the store {store}; restore the one (sealing.key) \
         that belongs to it from the backup",
        path.display()
    )]
    SealingKeyWrong {
        /// The key.
        path: PathBuf,
        /// The store with what another key sealed.
        store: String,
    },
    /// The file is no sealing key.
    #[error("the file {} is not a sealing key of 32 octets; restore it (sealing.key) from the backup", path.display())]
    SealingKeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// The key is under a passphrase, and none was given.
    #[error(
        "the sealing key in {} is under a passphrase; give it in the file of vault.passphrase_file, in the environment \
         (KAKITOME_SEALING_PASSPHRASE) or on the terminal",
        path.display()
    )]
    SealingKeyLocked {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is another.
    #[error("the passphrase does not open the sealing key in {}; give the right one", path.display())]
    SealingKeyPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// All keys were sealed anew while this one was being sealed.
    #[error("the private keys in the store {store} have just been sealed anew; try again")]
    SealingKeyChanged {
        /// The store.
        store: String,
    },
    /// Others can read the key.
    #[error(
        "the file {} may be read by others (mode {mode:04o}), but it opens every private key; run: chmod 600 {}",
        path.display(),
        path.display()
    )]
    SealingKeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The organisation's name does not fit into a certificate.
    #[error(
        "the name of the organisation for the own CA must have 1 to {limit} characters, none of them control characters; change the setting"
    )]
    OrganisationName {
        /// The most characters.
        limit: usize,
    },
    /// The own CA is not valid at this moment.
    #[error(
        "the own CA ({name}) is valid from {from} to {until}, and it is {now} here; set this machine's clock right"
    )]
    AuthorityNotValid {
        /// Whose certificate.
        name: String,
        /// Its beginning.
        from: Time,
        /// Its end.
        until: Time,
        /// The moment that was asked for.
        now: Time,
    },
    /// There is no own CA.
    #[error("there is no own CA yet; `kakitome up` makes one at its first start, `kakitome ca init` by your wishes")]
    NoAuthority,
    /// The own CA cannot sign here.
    #[error(
        "the key of the own CA ({name}) is not in the store, so it can sign nothing here; bring it: kakitome ca import"
    )]
    AuthorityWithoutKey {
        /// Whose.
        name: String,
    },
    /// A certificate was refused.
    #[error("no certificate was issued for {address}: {why}")]
    NotIssued {
        /// For whom.
        address: String,
        /// Why.
        why: String,
        /// May the same succeed later?
        again: bool,
    },
    /// There is nothing to make a file of.
    #[error("{address} has no certificate with a key here that could be put into a file; make one first")]
    NoKeyToDeploy {
        /// Whose.
        address: String,
    },
    /// The keys are those of somebody who left, or of an address that was given up.
    #[error(
        "{address} is no member's any more, so nobody is given its keys; to read the old mail: deploy files --also-left"
    )]
    NoMembersKey {
        /// Whose they were.
        address: String,
    },
    /// The machine has no randomness.
    #[error("the machine's source of randomness failed; restart the machine, then try again")]
    NoRandomness,
    /// An error in this program, or in a library it uses.
    #[error("a bug, please report it: {what}")]
    Bug {
        /// What happened.
        what: String,
    },
}

impl Fault {
    /// May the same work succeed later without anybody doing anything but wait or make room?
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::File { source, .. } => !matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::ReadOnlyFilesystem
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::IsADirectory
            ),
            Self::Store { is_lasting, .. } => !is_lasting,
            Self::NotIssued { again, .. } => *again,
            Self::StoreBusy { .. }
            | Self::StoreUnreachable { .. }
            | Self::SealingKeyChanged { .. }
            | Self::StoreFull { .. }
            | Self::NoRandomness => true,
            Self::StoreUnfit { .. }
            | Self::StoreNotEmpty { .. }
            | Self::NoBackup { .. }
            | Self::StoreNewer { .. }
            | Self::StoreOlder { .. }
            | Self::StoreDamaged { .. }
            | Self::SealingKeyMissing { .. }
            | Self::SealingKeyWrong { .. }
            | Self::SealingKeyMalformed { .. }
            | Self::SealingKeyExposed { .. }
            | Self::SealingKeyLocked { .. }
            | Self::SealingKeyPassphrase { .. }
            | Self::OrganisationName { .. }
            | Self::AuthorityNotValid { .. }
            | Self::Anchors { .. }
            | Self::NoAuthority
            | Self::AuthorityWithoutKey { .. }
            | Self::NoKeyToDeploy { .. }
            | Self::NoMembersKey { .. }
            | Self::Bug { .. } => false,
        }
    }

    /// Is it ours to mend, not the administrator's?
    pub fn is_bug(&self) -> bool {
        matches!(self, Self::Bug { .. })
    }

    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    pub(crate) fn bug(what: impl std::fmt::Display) -> Self {
        Self::Bug { what: what.to_string() }
    }
}

impl From<NoRandomness> for Fault {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}
