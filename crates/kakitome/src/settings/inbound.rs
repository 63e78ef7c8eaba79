//! `[inbound]`: what is done with received mail.

use kakitome_office::incoming::{Decrypt, Terms};
use kakitome_verdict::lang::Lang;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::value::{Domain, HostPort};

/// `[inbound]`: what is done with received mail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inbound {
    /// The mail server that takes received mail after us; absent: the gateway's.
    pub next_hop: Option<HostPort>,
    /// The name that our results bear; absent: the gateway's.
    pub authserv_id: Option<Domain>,
    /// The language of the sentence in the header.
    pub language: Language,
    /// What is opened of what is sealed to members.
    pub decrypt: Opened,
    /// Does the answer stand in front of the subject?
    pub subject_tag: bool,
    /// Are confirmed signatures taken off?
    pub strip_signatures: bool,
}

/// A language of the answers.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, which needs no encoding in a header.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// What is opened of what is sealed to members.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Opened {
    /// Everything.
    #[default]
    Always,
    /// What nobody can have changed unseen.
    Authenticated,
    /// Nothing.
    Never,
}

impl Settings {
    /// The terms for inbound mail.
    pub fn terms(&self) -> Terms {
        let Inbound { authserv_id, language, decrypt, subject_tag, strip_signatures, .. } = self.inbound.clone();
        Terms {
            authserv_id: authserv_id.map_or_else(|| self.gateway.own_name(), String::from),
            lang: match language {
                Language::En => Lang::En,
                Language::Ja => Lang::Ja,
            },
            decrypt: match decrypt {
                Opened::Always => Decrypt::Always,
                Opened::Authenticated => Decrypt::Authenticated,
                Opened::Never => Decrypt::Never,
            },
            subject_tag,
            strip_signatures,
        }
    }
}
