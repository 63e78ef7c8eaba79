//! The world: an SMTP server that takes every mail and remembers who got what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{SystemRandom, digest};
use kakitome_smime::cms::recipient::{HeldKeys, Holder};
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::octets::{InMemory, read_range};
use kakitome_testkit::envelope::Takes;
use kakitome_testkit::{smtp, write};

/// A mail as it arrived.
#[derive(Clone)]
pub(super) struct Arrival {
    /// SHA-256 of all but the topmost field, which is the trace of the last server and differs with each copy.
    pub(super) digest: Vec<u8>,
    /// Does it hold the last line that was written?
    pub(super) whole: bool,
    /// Does it end with the very bytes that were sent?
    pub(super) untouched: bool,
    /// For how many it is encrypted; 0: it is not.
    pub(super) readers: usize,
    /// It was handed on unread, since Kakitome had died over it too often.
    pub(super) unread: bool,
}

/// What arrived, by recipient; and for whom a report of failure came, and how many.
#[derive(Default)]
pub(super) struct Arrived {
    pub(super) mails: BTreeMap<String, Vec<Arrival>>,
    pub(super) bounced: BTreeMap<String, usize>,
}

/// What was sent to a recipient: the mail, and the last line of its text.
pub(super) type Expected = Arc<BTreeMap<String, (Arc<Vec<u8>>, String)>>;

pub(super) struct Sink {
    pub(super) port: u16,
    arrived: Arc<Mutex<Arrived>>,
}

impl Sink {
    /// `members` are the addresses of [`member`].
    pub(super) fn start(expected: Expected, members: &[&str]) -> anyhow::Result<Self> {
        let mut keys = HeldKeys::new(&SystemRandom);
        keys.hold(reader());
        keys.hold(member(members));
        let arrived: Arc<Mutex<Arrived>> = Arc::default();
        let keep = Arc::clone(&arrived);
        let sink = smtp::Sink::start(move |came| {
            let (text, readers) = opened(&came.mail, &keys);
            let mut arrived = keep.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.take(&came, (&text, readers), &expected);
        })?;
        Ok(Self { port: sink.port, arrived })
    }

    pub(super) fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrived {
    fn take(&mut self, came: &smtp::Arrival, (text, readers): (&[u8], usize), expected: &Expected) {
        let mail = &came.mail;
        for recipient in &came.recipients {
            let Some((sent, end)) = expected.get(recipient) else {
                // A report to a sender of ours tells whom the mail did not reach.
                if came.sender.is_empty() {
                    for failed in String::from_utf8_lossy(mail).lines().filter_map(|line| {
                        line.strip_prefix("Final-Recipient: rfc822;").map(|address| address.trim().to_owned())
                    }) {
                        *self.bounced.entry(failed).or_default() += 1;
                    }
                }
                continue;
            };
            self.mails.entry(recipient.clone()).or_default().push(Arrival {
                digest: digest(Digest::Sha256, without_top_field(mail)).as_ref().to_vec(),
                whole: contains(text, end.as_bytes()),
                untouched: mail.ends_with(sent),
                readers,
                unread: contains(mail, b"gateway.unchecked"),
            });
        }
    }
}

/// Whose key everybody at the domain of encrypted mail has.
pub(super) fn reader() -> Holder {
    // Whatever the clock says, and the same each time.
    Takes::P256.holder_of("reader", |factory| factory.valid(Time::from_unix(0), Time::from_unix(4_000_000_000)))
}

/// A member's key, which is in the vault: for these addresses.
pub(super) fn member(addresses: &[&str]) -> Holder {
    let names: Vec<Vec<u8>> = addresses.iter().map(|address| write::mailbox(address)).collect();
    Takes::P256
        .holder_of(MEMBER, |factory| factory.valid(Time::from_unix(0), Time::from_unix(4_000_000_000)).names(&names))
}

/// The name of that key.
pub(super) const MEMBER: &str = "member";

/// What a mail says, and for how many it is encrypted; one that cannot be opened says nothing.
fn opened(mail: &[u8], keys: &HeldKeys<'_>) -> (Vec<u8>, usize) {
    if !contains(mail, b"nveloped-data") {
        return (mail.to_vec(), 0);
    }
    let mail = mail.to_vec();
    let Ok(opened) = open(&mail, &InMemory, keys) else { return (Vec::new(), 0) };
    let Layer::Sealed(layer) = &opened.layer else { return (mail, 0) };
    let inside = layer.inner.as_ref().and_then(|inner| inner.octets.as_deref());
    let inside = inside.and_then(|inside| read_range(inside, 0..inside.len(), usize::MAX).ok());
    (inside.unwrap_or_default(), layer.enveloped.recipients.len())
}

pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn without_top_field(mail: &[u8]) -> &[u8] {
    let mut at = 0;
    for (number, line) in mail.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            break;
        }
        at += line.len();
    }
    &mail[at..]
}
