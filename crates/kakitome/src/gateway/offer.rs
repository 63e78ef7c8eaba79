//! What the next hop announces, and what of it we announce in turn.
//!
//! Of two extensions the server in front must know what stands behind us. SIZE (RFC 1870): what the next hop does not take is
//! best refused before it is sent. It is the smaller of its limit and ours, not less: what passes unchanged grows by nothing,
//! and what grew beyond it by our work is refused at its end. (Deviates: from the advice to announce half of it, which would
//! turn away mail that can be delivered.) DSN (RFC 3461): to announce it is to promise that somebody reports. Where the next
//! hop does not, the server in front says to the sender that the mail was relayed (RFC 3461 §5.2.2), so it must know.
//!
//! 8BITMIME is announced always: see [`Offer`]. SMTPUTF8 and REQUIRETLS too: a mail that needs them is refused at MAIL by name.

use std::sync::{Arc, Mutex, PoisonError};

use super::command::{Address, Extension};
use super::reply::Reply;

/// What a client in front of us is to know of the next hop.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Announced {
    /// The largest mail that it takes, in bytes, if it told one.
    pub size: Option<u64>,
    /// Does it report as it is asked to?
    pub dsn: bool,
}

/// What the next hop announced last.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<Option<Announced>>>);

impl Known {
    pub(super) fn get(&self) -> Option<Announced> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, announced: Announced) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(announced);
    }
}

/// What the next hop announced.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) size: Option<u64>,
    pub(super) pipelining: bool,
    eight_bit: bool,
    pub(super) smtputf8: bool,
    dsn: bool,
    pub(super) starttls: bool,
    pub(super) requiretls: bool,
    pub(super) xforward: Vec<String>,
}

impl Offer {
    pub(super) fn read(reply: &Reply) -> Self {
        let mut offer = Self::default();
        for line in reply.text().iter().skip(1) {
            let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                // 0 and nothing both mean that no limit is told (RFC 1870 §3)
                Some("SIZE") => offer.size = words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0),
                Some("PIPELINING") => offer.pipelining = true,
                Some("8BITMIME") => offer.eight_bit = true,
                Some("SMTPUTF8") => offer.smtputf8 = true,
                Some("DSN") => offer.dsn = true,
                Some("STARTTLS") => offer.starttls = true,
                Some("REQUIRETLS") => offer.requiretls = true,
                Some("XFORWARD") => offer.xforward = words.collect(),
                _ => {}
            }
        }
        offer
    }

    fn has(&self, extension: Extension) -> bool {
        match extension {
            // The declared size is that of another mail: signing makes it larger, and by how much is not known at MAIL.
            Extension::Size => false,
            // Without 8BITMIME the mail goes all the same: turning it into 7 bits would break signatures that others
            // made, and what we sign is 7-bit clean.
            Extension::EightBitMime => self.eight_bit,
            Extension::Smtputf8 => self.smtputf8,
            Extension::Requiretls => self.requiretls,
            // Without DSN the next hop tells nobody; RFC 3461 §5.2.2 allows it for NOTIFY as for the others.
            Extension::Dsn => self.dsn,
        }
    }

    /// What a client in front of us is to know of it.
    pub(super) fn announced(&self) -> Announced {
        Announced { size: self.size, dsn: self.dsn }
    }

    /// MAIL or RCPT with the parameters that it knows.
    pub(super) fn command(&self, verb: &str, address: &Address) -> String {
        let mut line = format!("{verb}:<{}>", address.path);
        for parameter in address.parameters.iter().filter(|parameter| self.has(parameter.keyword.extension())) {
            line.push(' ');
            line.push_str(parameter.keyword.name());
            if !parameter.value.is_empty() {
                line.push('=');
                line.push_str(&parameter.value);
            }
        }
        line
    }
}
