//! Mail that passes as it is although its author is a member: a signature would break what it is for, or say that the
//! member wrote what a machine wrote.

use kakitome_smime::mime::header::Header;
use kakitome_smime::mime::scan::{Entity, Structure};
use serde::{Deserialize, Serialize};

/// A kind of mail that is not signed unless `policy.also_sign` names it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Untouched {
    /// An automatic answer (RFC 3834 §5: `Auto-Submitted: auto-replied`).
    Reply,
    /// A report: delivery status, read receipt, feedback (RFC 6522).
    Report,
    /// What a discussion list hands out (RFC 2369 §3.4: List-Post names an address).
    List,
    /// An invitation or its answer (RFC 6047 §2.4: text/calendar with a method), which servers rewrite.
    Calendar,
    /// Outlook's own container (winmail.dat), which servers take apart.
    Tnef,
}

impl Untouched {
    /// Which kind it is by the header of the mail.
    pub fn by_header(root: &Entity) -> Option<Self> {
        let header = &root.header;
        if field_begins(header, "Auto-Submitted", "auto-replied") {
            Some(Self::Reply)
        } else if root.content_type.is("multipart", "report") {
            Some(Self::Report)
        } else if header.find("List-Post").is_some_and(|value| value.contains('<')) {
            Some(Self::List)
        } else {
            None
        }
    }

    /// Which kind it is by its parts.
    pub fn by_parts(structure: &Structure) -> Option<Self> {
        structure.entities.iter().find_map(|entity| {
            let content_type = &entity.content_type;
            if content_type.is("text", "calendar") && content_type.parameter("method").is_some() {
                Some(Self::Calendar)
            } else if content_type.is("application", "ms-tnef") || content_type.is("application", "vnd.ms-tnef") {
                Some(Self::Tnef)
            } else {
                None
            }
        })
    }

    /// As the setting and the log name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Report => "report",
            Self::List => "list",
            Self::Calendar => "calendar",
            Self::Tnef => "tnef",
        }
    }
}

fn field_begins(header: &Header, name: &str, word: &str) -> bool {
    header.find(name).is_some_and(|value| {
        let value = value.trim_start();
        value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}
