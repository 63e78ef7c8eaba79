//! Why a mail leaves without a signature of ours, in words for the log.

use std::fmt;

use kakitome_pki::asn1::time::Time;
use kakitome_smime::message::payload::Unsignable;
use kakitome_smime::mime::address::NoAuthor;

use super::intent::FIELD;
use super::{Miss, Said, Source, Untouched};

/// Why a mail is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Bounces and receipts are the mail system's words, not the member's.
    NullSender,
    /// From names no single author.
    NoAuthor(NoAuthor),
    /// Internationalised addresses need SmtpUTF8Mailbox certificates (RFC 9598), which are not made yet.
    Internationalised,
    /// From is in no member domain.
    NotMember,
    /// Nobody in the roll of the members has the address of From, and nobody comes into it by a mail.
    NotListed,
    /// From is an address of a member who left, or one that was given up.
    Left(Time),
    /// From has a plus, and its member has certificates for as many such addresses as one may have.
    TooManyTags,
    /// Nobody lets whoever handed it in sign as this member: what each rule misses.
    NotAuthorised(Vec<Miss>),
    /// It is of a kind that is left alone.
    Untouched(Untouched),
    /// The policy says so for every recipient.
    Unwanted(Source),
    /// It cannot be signed.
    Unsignable(Unsignable),
    /// It would be larger than a destination takes, once signed.
    TooLarge(Said<u64>),
}

impl Passed {
    /// For programs: stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NullSender => "null-sender",
            Self::NoAuthor(_) => "no-author",
            Self::Internationalised => "internationalised",
            Self::NotMember => "not-member",
            Self::NotListed => "not-listed",
            Self::Left(_) => "left",
            Self::TooManyTags => "too-many-tags",
            Self::NotAuthorised(_) => "not-authorised",
            Self::Untouched(kind) => kind.name(),
            Self::Unwanted(_) => "unwanted",
            Self::Unsignable(_) => "unsignable",
            Self::TooLarge(_) => "too-large",
        }
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullSender => f.write_str("null sender"),
            Self::NoAuthor(NoAuthor::Absent) => f.write_str("no From"),
            Self::NoAuthor(NoAuthor::Duplicate) => f.write_str("more than one From field"),
            Self::NoAuthor(NoAuthor::Several) => f.write_str("From names more than one mailbox"),
            Self::NoAuthor(NoAuthor::NoAddress | NoAuthor::Syntax) => f.write_str("From is not one address"),
            Self::Internationalised => f.write_str("From is an internationalised address"),
            Self::NotMember => f.write_str("From is not in a member domain"),
            Self::NotListed => f.write_str("From is nobody's in the roll of the members (kakitome member)"),
            Self::Left(at) => write!(f, "From is nobody's any more, since {at} at the latest"),
            Self::TooManyTags => f.write_str("its member has certificates for too many addresses with a plus"),
            Self::NotAuthorised(_) => f.write_str("no rule of policy.senders lets the sender sign as From"),
            Self::Untouched(kind) => write!(f, "mail of the kind {:?} is not signed", kind.name()),
            Self::Unwanted(source) => write!(f, "not to be signed, by {source}"),
            Self::Unsignable(why) => why.fmt(f),
            Self::TooLarge(limit) => write!(f, "larger than {} bytes once signed, by {}", limit.value, limit.by),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(number) => write!(f, "rule {number} of policy.rules"),
            Self::Profile(name) => write!(f, "the built-in profile {name:?}"),
            Self::Default => f.write_str("the default"),
            Self::Learned => f.write_str("what the recipient's own mail told of his program"),
            Self::Field => write!(f, "the field {FIELD}"),
            Self::Tag(number) => write!(f, "tag {number} of policy.tags"),
            Self::Opened => f.write_str("it is about a mail that came sealed"),
            Self::Home => f.write_str("the default for members"),
            Self::Together => f.write_str("another recipient of the same mail"),
        }
    }
}
