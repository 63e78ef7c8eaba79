//! `[deploy]`: files for members' own mail programs.

use kakitome_office::deploy::Account;
use kakitome_pki::address::Address;
use serde::{Deserialize, Serialize};

use super::Domain;

/// `[deploy]`: what stands in the files for members' own mail programs, and how they are handed out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deploy {
    /// The host of the members' mail, by IMAP.
    pub imap_host: Option<Domain>,
    /// The host that takes their mail, by submission.
    pub smtp_host: Option<Domain>,
    /// The host of the members' mail, by Exchange ActiveSync.
    pub exchange_host: Option<Domain>,
    /// Who signs Apple's profiles.
    pub sign_as: Option<Mailbox>,
    /// How long a link stands.
    pub link_minutes: Minutes,
}

/// An address.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox(Address);

/// Minutes that a link may stand.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Minutes(u16);

impl Deploy {
    /// The account that a profile sets up, where its servers are known.
    pub fn account(&self) -> Option<Account> {
        let text = |host: &Domain| host.as_str().to_owned();
        match (&self.exchange_host, &self.imap_host, &self.smtp_host) {
            (Some(host), ..) => Some(Account::Exchange { host: text(host) }),
            (None, Some(incoming), Some(outgoing)) => {
                Some(Account::Imap { incoming: text(incoming), outgoing: text(outgoing) })
            }
            _ => None,
        }
    }

    /// What cannot be meant as it is written, with what to do.
    pub(super) fn problems(&self) -> Vec<String> {
        let halves = self.imap_host.is_some() != self.smtp_host.is_some();
        let both = self.exchange_host.is_some() && self.imap_host.is_some();
        let rows = [
            (halves, "deploy.imap_host and deploy.smtp_host stand together: where mail is read, and where it is sent"),
            (both, "deploy.exchange_host and deploy.imap_host are two ways to the same mail; keep one of them"),
        ];
        rows.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, text)| text.to_owned()).collect()
    }
}

impl Mailbox {
    /// The address.
    pub fn address(&self) -> &Address {
        &self.0
    }
}

impl TryFrom<String> for Mailbox {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Address::parse(&text).map(Self).map_err(|_| format!("{text:?} is not an address"))
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.0.to_string()
    }
}

impl Minutes {
    /// The longest: seven days.
    pub const MOST: u16 = 7 * 24 * 60;

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Minutes {
    fn default() -> Self {
        Self(10)
    }
}

impl TryFrom<u16> for Minutes {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        let most = Self::MOST;
        if (1..=most).contains(&number) { Ok(Self(number)) } else { Err(format!("{number} is not from 1 to {most}")) }
    }
}

impl From<Minutes> for u16 {
    fn from(minutes: Minutes) -> Self {
        minutes.0
    }
}
