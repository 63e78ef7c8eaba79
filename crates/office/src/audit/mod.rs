//! The log of what was done: append-only, hash-chained, in the store.
//!
//! Every use of a private key, every issuance and revocation, every change of policy and settings, every act of an
//! administrator. An entry is written in the transaction of the act itself ([`record`]): there is no act without its
//! entry, and no entry of what did not happen. What stands in a mail is never recorded, its header included.
//!
//! Each entry holds the hash of the one before, so whatever is changed, taken out, put in or moved is found ([`verify`]).
//! Who can write to the tables of the store can still write the whole chain anew, or cut its end off: that is found by
//! whoever noted the head elsewhere ([`head()`]), or the key that signs the log now and then ([`Checkpoint`]). Triggers refuse every change that is not an appending, so that it takes
//! intent.
//!
//! The numbers have no gaps. All nodes of one store append to one chain; the store's writers stand in a line.

mod act;
pub mod chain;
mod checkpoint;
mod clerk;
pub mod line;
mod read;
mod settings;

use std::fmt;
use std::fs;
use std::sync::Arc;

use kakitome_pki::asn1::time::Time;

use crate::fault::Fault;
use crate::store::Statements;

pub use act::Act;
pub use chain::{Broken, Head, Link, Noted, Record, Walked};
pub use checkpoint::{Checkpoint, Unsigned, sign};
pub use clerk::{Clerk, NotRecorded};
pub use read::{Filter, each, head, newest_checkpoint, stretch, verify};
pub use settings::{Setting, settings, started};

/// The longest name of a node, in octets; a longer one is cut.
pub const NODE_LIMIT: usize = 255;
/// The longest actor, in octets; a longer one is cut.
pub const ACTOR_LIMIT: usize = 255;
/// The longest subject, in octets; a longer one is cut.
pub const SUBJECT_LIMIT: usize = 1024;
/// The longest value among the details, in octets; a longer one is cut.
pub const VALUE_LIMIT: usize = 1024;
/// The most details; what comes behind them is left out.
pub const DETAILS_LIMIT: usize = 8;

/// Who acts, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    node: Arc<str>,
    name: Arc<str>,
}

/// A part of the program that acts without anybody asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A mail on its way.
    Gateway,
    /// A request to the page.
    Web,
    /// Work that falls due.
    Jobs,
    /// The start of a node.
    Start,
}

impl Actor {
    /// Whoever sits at the command line: the operating system's user, and behind `sudo` the one who logged in.
    pub fn user(node: &str) -> Self {
        Self { node: bounded(node, NODE_LIMIT).into(), name: bounded(&user(), ACTOR_LIMIT).into() }
    }

    /// A part of this program.
    pub fn part(node: &str, part: Part) -> Self {
        let name = match part {
            Part::Gateway => "gateway",
            Part::Web => "web",
            Part::Jobs => "jobs",
            Part::Start => "start",
        };
        Self { node: bounded(node, NODE_LIMIT).into(), name: name.into() }
    }

    /// The machine.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The name in the log.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.name, self.node)
    }
}

/// What this machine calls itself.
pub fn machine() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let named = named.unwrap_or_default();
    if named.trim().is_empty() { "localhost".to_owned() } else { named.trim().to_owned() }
}

/// `user:root`, `user:root login:alice`; a number where the machine knows no name for it. The system tells both, not the
/// environment, which the user could write.
fn user() -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = |id: &str| {
        let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let is_meant = |fields: &Vec<&str>| fields.get(2) == Some(&id);
        fields.into_iter().find(is_meant).and_then(|fields| fields.first().map(|name| (*name).to_owned()))
    };
    let known = |id: &str| name(id).unwrap_or_else(|| id.to_owned());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let id = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    let user = format!("user:{}", id.map_or_else(|| "unknown".to_owned(), known));
    // Who logged in stays the same through sudo and su (audit_set_loginuid(3)); 2^32 - 1 is nobody.
    let login = fs::read_to_string("/proc/self/loginuid").unwrap_or_default();
    let login = login.trim();
    if login.is_empty() || login == "4294967295" || Some(login) == id {
        return user;
    }
    format!("{user} login:{}", known(login))
}

/// What is to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub act: Act,
    /// To what: an address, a serial number, a fingerprint, a setting.
    pub subject: &'a str,
    /// What else is to be known, by name. Never what stands in a mail.
    pub details: &'a [(&'a str, &'a str)],
    /// When.
    pub at: Time,
}

/// Appends an entry, in the transaction of the act that it records.
///
/// # Errors
/// The store refuses, and with it the whole transaction.
pub fn record(s: &mut Statements<'_>, entry: &Entry<'_>) -> Result<Head, Fault> {
    append(s, std::iter::once(Written::of(entry)))
}

/// Appends several: the head is looked at once for all of them.
///
/// # Errors
/// The store refuses, and with it the whole transaction.
pub fn record_all<'a>(s: &mut Statements<'_>, entries: impl IntoIterator<Item = Entry<'a>>) -> Result<Head, Fault> {
    append(s, entries.into_iter().map(|entry| Written::of(&entry)))
}

/// An entry as it will stand in the log, but for its place in the chain.
#[derive(Clone, Debug)]
struct Written {
    actor: Actor,
    act: Act,
    subject: String,
    details: String,
    at: Time,
}

impl Written {
    fn of(entry: &Entry<'_>) -> Self {
        Self {
            actor: entry.actor.clone(),
            act: entry.act,
            subject: bounded(entry.subject, SUBJECT_LIMIT),
            details: details(entry.details),
            at: entry.at,
        }
    }
}

fn append(s: &mut Statements<'_>, entries: impl Iterator<Item = Written>) -> Result<Head, Fault> {
    let mut head = read::stored(s)?;
    for Written { actor, act, subject, details, at } in entries {
        let mut record = Record {
            number: head.number.saturating_add(1),
            at,
            node: actor.node.to_string(),
            actor: actor.name.to_string(),
            act: act.name().to_owned(),
            subject,
            details,
            previous: head.hash,
            hash: Link::NONE,
        };
        record.hash = record.computed();
        read::append(s, &record)?;
        head = Head { number: record.number, hash: record.hash };
    }
    read::advance(s, head)?;
    Ok(head)
}

/// The details as a JSON object, in the order given.
fn details(details: &[(&str, &str)]) -> String {
    let quoted = |text: &str| serde_json::Value::from(bounded(text, VALUE_LIMIT)).to_string();
    let pairs = details.iter().take(DETAILS_LIMIT);
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// The text, at most so long; where it is cut, an ellipsis says so. PostgreSQL keeps no NUL in a text.
fn bounded(text: &str, limit: usize) -> String {
    const CUT: char = '…';
    let text = text.replace('\0', "\u{fffd}");
    if text.len() <= limit {
        return text;
    }
    let end = text.floor_char_boundary(limit.saturating_sub(CUT.len_utf8()));
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push(CUT);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_at_a_character_and_says_so() {
        let rows = [
            ("", 8, ""),
            ("abcdefgh", 8, "abcdefgh"),
            ("abcdefghi", 8, "abcde…"),
            ("ああああ", 8, "あ…"),
            ("a\0b", 8, "a\u{fffd}b"),
        ];
        for (text, limit, expected) in rows {
            assert_eq!(bounded(text, limit), expected, "{text:?}");
            assert!(bounded(text, limit).len() <= limit.max(4));
        }
    }

    #[test]
    fn details_are_an_object_of_texts_in_their_order() {
        assert_eq!(details(&[]), "{}");
        assert_eq!(details(&[("b", "1\"\n"), ("a", "例")]), r#"{"b":"1\"\n","a":"例"}"#);
        let many = [("n", "v"); DETAILS_LIMIT + 1];
        assert_eq!(details(&many).matches("\"v\"").count(), DETAILS_LIMIT);
    }

    #[test]
    fn the_user_is_told_by_the_system() {
        let actor = Actor::user("n");
        assert!(actor.name().starts_with("user:"), "{actor}");
        assert_eq!(actor.node(), "n");
    }
}
