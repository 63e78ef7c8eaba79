//! The chain: what an entry's hash covers, and the walk that finds whatever was changed.

use std::fmt;

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::Hasher;

use super::checkpoint::Checkpoint;

/// What a hash begins with: another form would begin with another text.
const FORM: &str = "kakitome-audit-1";
/// So many faults of one chain are told; the walk counts the others.
pub const BROKEN_LIMIT: usize = 100;
/// So many keys of checkpoints are named; a log has one, or one more for each time that its keys were lost.
pub const KEYS_LIMIT: usize = 16;

/// SHA-256 over an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link(pub [u8; 32]);

impl Link {
    /// What the first entry follows.
    pub const NONE: Self = Self([0; 32]);

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        let octets: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
        if digits.len() == 64 { octets.try_into().ok().map(Self) } else { None }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// From 1, without gaps.
    pub number: u64,
    /// When.
    pub at: Time,
    /// On which machine.
    pub node: String,
    /// Who: `user:…` at the command line, or the part of the program.
    pub actor: String,
    /// The name of an [`Act`](super::Act); one of a newer program may be unknown here.
    pub act: String,
    /// What it was done to: an address, a serial number, a fingerprint, a setting.
    pub subject: String,
    /// A JSON object of texts; never anything that stands in a mail.
    pub details: String,
    /// The hash of the entry before.
    pub previous: Link,
    /// The hash of this one.
    pub hash: Link,
}

impl Record {
    /// SHA-256 over [`FORM`] and the fields in order, each as UTF-8 behind its length in 8 octets, the most significant
    /// first (docs/audit.md). Numbers are decimal, times RFC 3339 in UTC, hashes hexadecimal in lower case.
    pub fn computed(&self) -> Link {
        let fields = [
            FORM,
            &self.number.to_string(),
            &self.at.to_string(),
            &self.node,
            &self.actor,
            &self.act,
            &self.subject,
            &self.details,
            &self.previous.to_string(),
        ];
        let mut hasher = Hasher::new(Digest::Sha256);
        for field in fields {
            hasher.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(field.as_bytes());
        }
        Link(hasher.finish().as_ref().try_into().unwrap_or_default())
    }
}

/// The last entry of a log: who notes it elsewhere can tell later that nothing up to it was changed or cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 in an empty log.
    pub number: u64,
    /// Its hash.
    pub hash: Link,
}

impl Head {
    /// The head of an empty log.
    pub const NONE: Self = Self { number: 0, hash: Link::NONE };
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The hash is not that of what stands there.
    #[error("entry {number} was changed: its hash is not that of what stands there")]
    Changed {
        /// Which.
        number: u64,
    },
    /// Numbers are missing.
    #[error("entries {from} to {to} are missing")]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// A number comes again, or after a larger one.
    #[error("entry {number} stands behind entry {after}")]
    Disordered {
        /// Which.
        number: u64,
        /// The one before it.
        after: u64,
    },
    /// It follows another entry than the one before it.
    #[error("entry {number} does not follow the entry before it: one of the two was put there later")]
    Unlinked {
        /// Which.
        number: u64,
    },
    /// The chain does not end where its head says.
    #[error(
        "the log ends with entry {last}, and its head says {head}: the end was cut off, or written by another hand"
    )]
    End {
        /// The last entry that is there.
        last: u64,
        /// The last by the head.
        head: u64,
    },
    /// A checkpoint's signature is not that of what stands before it.
    #[error("entry {number} is a checkpoint, and its signature is not that of the entries before it")]
    Unsigned {
        /// Which.
        number: u64,
    },
    /// A checkpoint is by another key than those that were noted elsewhere.
    #[error("entry {number} is a checkpoint by the key {key}, which is none of those that were noted elsewhere")]
    OtherKey {
        /// Which.
        number: u64,
        /// SHA-256 over its SubjectPublicKeyInfo.
        key: Link,
    },
    /// There is no checkpoint by a key that was noted elsewhere.
    #[error("no checkpoint is by a key that was noted elsewhere: they were taken out, or the log written anew")]
    NotSigned,
    /// A hash that was noted elsewhere is no entry's.
    #[error("no entry has the hash {hash}, which was noted elsewhere: the end was cut off, or the log written anew")]
    Unknown {
        /// The hash.
        hash: Link,
    },
}

/// What somebody noted elsewhere, where whoever owns the store cannot write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// Hashes: each must be an entry's.
    pub hashes: Vec<Link>,
    /// The log's public keys, as SHA-256 over the SubjectPublicKeyInfo. Where there are any, every checkpoint must be by
    /// one of them, and there must be one.
    pub keys: Vec<Link>,
}

/// Walks along a chain, entry by entry; goes on behind a fault.
#[derive(Debug)]
pub struct Walk {
    last: Option<Head>,
    first: Option<u64>,
    count: u64,
    noted: Noted,
    signed: Option<Checkpoint>,
    keys: Vec<Link>,
    broken: Vec<Broken>,
    untold: u64,
}

/// What a walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// The number of the first entry that was there; 0 where there was none.
    pub first: u64,
    /// The last entry.
    pub head: Head,
    /// How many were there.
    pub count: u64,
    /// The last checkpoint whose signature holds.
    pub signed: Option<Checkpoint>,
    /// The keys of the checkpoints, in the order of their first, [`KEYS_LIMIT`] at most.
    pub keys: Vec<Link>,
    /// What is wrong, in the order of the entries, [`BROKEN_LIMIT`] at most.
    pub broken: Vec<Broken>,
    /// How many more faults there are.
    pub untold: u64,
}

impl Walk {
    /// A walk along a whole log, from entry 1.
    pub fn whole(noted: Noted) -> Self {
        Self { last: Some(Head::NONE), ..Self::part(noted) }
    }

    /// A walk along a part: its first entry is taken to follow what it says that it follows.
    pub fn part(noted: Noted) -> Self {
        Self { last: None, first: None, count: 0, noted, signed: None, keys: Vec::new(), broken: Vec::new(), untold: 0 }
    }

    /// The next entry.
    pub fn step(&mut self, record: &Record) {
        let (number, expected) = (record.number, self.last.map(|last| last.number.saturating_add(1)));
        // Of several things that are wrong with an entry, the one that says most.
        if record.computed() != record.hash {
            self.tell(Broken::Changed { number });
        } else if let (Some(expected), Some(last)) = (expected, self.last) {
            if number > expected {
                self.tell(Broken::Missing { from: expected, to: number.saturating_sub(1) });
            } else if number < expected {
                self.tell(Broken::Disordered { number, after: last.number });
            } else if record.previous != last.hash {
                self.tell(Broken::Unlinked { number });
            }
        }
        match Checkpoint::of(record) {
            Some(Ok(checkpoint)) => self.signed_by(number, checkpoint),
            Some(Err(_)) => self.tell(Broken::Unsigned { number }),
            None => {}
        }
        self.noted.hashes.retain(|noted| *noted != record.hash);
        self.first.get_or_insert(number);
        self.count = self.count.saturating_add(1);
        self.last = Some(Head { number, hash: record.hash });
    }

    fn signed_by(&mut self, number: u64, checkpoint: Checkpoint) {
        let key = checkpoint.key;
        if !self.noted.keys.is_empty() && !self.noted.keys.contains(&key) {
            return self.tell(Broken::OtherKey { number, key });
        }
        if !self.keys.contains(&key) && self.keys.len() < KEYS_LIMIT {
            self.keys.push(key);
        }
        self.signed = Some(checkpoint);
    }

    /// The end; `head` is what the store says that it should be.
    pub fn end(mut self, head: Option<Head>) -> Walked {
        let last = self.last.unwrap_or(Head::NONE);
        if let Some(head) = head.filter(|head| *head != last) {
            self.tell(Broken::End { last: last.number, head: head.number });
        }
        // What an empty log follows can be noted, too.
        for hash in std::mem::take(&mut self.noted.hashes).into_iter().filter(|hash| *hash != Link::NONE) {
            self.tell(Broken::Unknown { hash });
        }
        if !self.noted.keys.is_empty() && self.signed.is_none() {
            self.tell(Broken::NotSigned);
        }
        Walked {
            signed: self.signed,
            keys: self.keys,
            first: self.first.unwrap_or_default(),
            head: last,
            count: self.count,
            broken: self.broken,
            untold: self.untold,
        }
    }

    pub(super) fn tell(&mut self, broken: Broken) {
        if self.broken.len() < BROKEN_LIMIT {
            self.broken.push(broken);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }
}

impl Walked {
    /// Was nothing found?
    pub fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }
}
