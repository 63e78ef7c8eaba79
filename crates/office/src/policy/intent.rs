//! What the author of a mail asks for it: one of the three kinds of protection of RFC 9787 §3, by a header field of ours
//! or by a tag in the subject. Both are taken out before the mail leaves, and Bcc with them.

use std::fmt;
use std::io;

use kakitome_smime::mime::edit::{self, Change};
use kakitome_smime::mime::header::{decode, unfold};
use kakitome_smime::mime::scan::Entity;
use kakitome_smime::octets::Octets;
use serde::{Deserialize, Serialize};

use super::{Policy, Said, Source};

/// The header field by which an author, or his mail program, asks.
pub const FIELD: &str = "X-Kakitome-Intent";
/// How the fields in our name begin.
const OURS: &str = "X-Kakitome-";

/// A kind of protection; the later the stronger.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Neither signed nor encrypted.
    Unprotected,
    /// Signed.
    Verified,
    /// Signed and encrypted.
    Confidential,
}

impl Intent {
    /// As the field names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Verified => "verified",
            Self::Confidential => "confidential",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Unprotected, Self::Verified, Self::Confidential]
            .into_iter()
            .find(|intent| intent.name().eq_ignore_ascii_case(name))
    }
}

/// A word in the subject that asks, such as `[secure]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, try_from = "WrittenTag", into = "WrittenTag")]
pub struct Tag {
    tag: String,
    intent: Intent,
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WrittenTag {
    tag: String,
    intent: Intent,
}

impl TryFrom<WrittenTag> for Tag {
    type Error = String;

    fn try_from(written: WrittenTag) -> Result<Self, String> {
        let WrittenTag { tag, intent } = written;
        let tag = tag.split_whitespace().collect::<Vec<_>>().join(" ");
        if tag.chars().count() < 3 || tag.chars().any(char::is_control) {
            return Err(format!("the tag {tag:?} would be found by chance; give three characters or more"));
        }
        Ok(Self { tag, intent })
    }
}

impl From<Tag> for WrittenTag {
    fn from(tag: Tag) -> Self {
        Self { tag: tag.tag, intent: tag.intent }
    }
}

/// What is asked for a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    None,
    /// This; the strongest where it is asked for more than once.
    Intent(Said<Intent>),
    /// The field has a value that names no intent: what was meant cannot be guessed.
    Unreadable(String),
}

impl Wish {
    /// The intent, if there is one.
    pub fn intent(&self) -> Option<Said<Intent>> {
        match self {
            Self::Intent(said) => Some(*said),
            Self::None | Self::Unreadable(_) => None,
        }
    }
}

impl Policy {
    /// What the header of a mail asks for.
    pub fn wish(&self, root: &Entity) -> Wish {
        let header = &root.header;
        let mut said: Option<Said<Intent>> = None;
        let mut hear = |value: Intent, by: Source| {
            if said.is_none_or(|said| said.value < value) {
                said = Some(Said { value, by });
            }
        };
        for field in header.all(FIELD) {
            let value = unfold(header.value(field));
            match Intent::from_name(&value) {
                Some(intent) => hear(intent, Source::Field),
                None => return Wish::Unreadable(value),
            }
        }
        for field in header.all("Subject") {
            let subject = decode(header.value(field));
            for (number, tag) in (1usize..).zip(&self.tags) {
                if edit::place(&subject, &tag.tag).is_some() {
                    hear(tag.intent, Source::Tag(number));
                }
            }
        }
        said.map_or(Wish::None, Wish::Intent)
    }

    /// The octets before the body of a mail without what is for us or for nobody: the tags, Bcc, and each field in our
    /// name, which nobody but us may write. `None` where there is nothing of it.
    ///
    /// # Errors
    /// The environment's.
    pub fn stripped(&self, mail: &dyn Octets, root: &Entity) -> io::Result<Option<Vec<u8>>> {
        edit::head(mail, root, &|name, value| {
            let is_ours = name.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS));
            if is_ours || name.eq_ignore_ascii_case("Bcc") || name.eq_ignore_ascii_case("Resent-Bcc") {
                return Change::Goes;
            }
            if !name.eq_ignore_ascii_case("Subject") {
                return Change::Stays;
            }
            let without = self.tags.iter().fold(None, |left: Option<Vec<u8>>, tag| {
                edit::without(left.as_deref().unwrap_or(value), &tag.tag).or(left)
            });
            without.map_or(Change::Stays, Change::Value)
        })
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
