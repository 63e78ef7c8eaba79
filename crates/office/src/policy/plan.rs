//! What becomes of one mail, decided before anything is signed.

use std::fmt;
use std::io;

use kakitome_pki::address::Address;
use kakitome_pki::algorithm::Digest;
use kakitome_smime::message::payload::Unsignable;
use kakitome_smime::message::protect::Cover;
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::address::{self, NoAuthor};
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::Octets;

use super::{Authorised, DigestName, Miss, Origin, Policy, Said, Signing, Source, Treatment, Untouched};

/// How a mail was handed in, beside its octets.
#[derive(Clone, Debug, Default)]
pub struct Submission<'a> {
    /// Is the envelope's sender the null one?
    pub has_null_sender: bool,
    /// The paths of the recipients.
    pub recipients: &'a [String],
    /// Listener and client.
    pub origin: Origin,
}

/// Why a mail passes as it is.
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
        }
    }
}

/// What was decided about a mail, and on what.
pub struct Plan<'a> {
    /// The author, once From names one.
    pub author: Option<Address>,
    /// Who handed it in, with what the submission server wrote.
    pub origin: Origin,
    /// Why he may sign, once that was asked.
    pub authorised: Option<Authorised>,
    /// What the mail becomes for each recipient, in order, once that was asked.
    pub each: Vec<(String, Treatment)>,
    /// The outcome.
    pub outcome: Result<Ready<'a>, Passed>,
}

/// A mail that is to be signed.
pub struct Ready<'a> {
    /// In whose name.
    pub author: Address,
    /// What is signed.
    pub draft: Draft<'a>,
    /// In which form.
    pub form: Form,
    /// For all recipients.
    pub treatment: Treatment,
}

impl Policy {
    /// Decides about a mail that came in by an outbound listener.
    ///
    /// # Errors
    /// The environment's.
    pub fn plan<'a>(&self, mail: &'a dyn Octets, submission: &Submission<'_>) -> io::Result<Plan<'a>> {
        let root = scan_header(mail, 0..mail.len())?;
        let mut plan = Plan {
            author: None,
            origin: submission.origin.clone().told_by(&root.header, self.submission_host.as_deref()),
            authorised: None,
            each: Vec::new(),
            outcome: Err(Passed::NullSender),
        };
        plan.outcome = match self.treat(&root, submission, &mut plan) {
            Ok((author, treatment)) => self.draft(mail, author, treatment)?,
            Err(passed) => Err(passed),
        };
        Ok(plan)
    }

    /// What the header and the envelope decide.
    fn treat(
        &self,
        root: &kakitome_smime::mime::scan::Entity,
        submission: &Submission<'_>,
        plan: &mut Plan<'_>,
    ) -> Result<(Address, Treatment), Passed> {
        if submission.has_null_sender {
            return Err(Passed::NullSender);
        }
        let author = address::author(&root.header).map_err(Passed::NoAuthor)?.address;
        let from = Address::parse(&author).map_err(|_| Passed::NoAuthor(NoAuthor::Syntax))?;
        plan.author = Some(from.clone());
        if !author.is_ascii() {
            return Err(Passed::Internationalised);
        }
        if !self.is_member(&from) {
            return Err(Passed::NotMember);
        }
        plan.authorised = Some(self.authorise(&plan.origin, &from).map_err(Passed::NotAuthorised)?);
        plan.each = submission.recipients.iter().map(|to| (to.clone(), self.treatment(&from, to))).collect();
        let all = Treatment::for_all(plan.each.iter().map(|(_, treatment)| *treatment));
        // A mail to nobody is never met; `explain` may ask all the same.
        let treatment = all.unwrap_or_else(|| self.treatment(&from, ""));
        if let Some(kind) = Untouched::by_header(root).filter(|kind| !self.also_sign.contains(kind)) {
            return Err(Passed::Untouched(kind));
        }
        if treatment.sign.value == Signing::Never {
            return Err(Passed::Unwanted(treatment.sign.by));
        }
        Ok((from, treatment))
    }

    /// What the body decides.
    fn draft<'a>(
        &self,
        mail: &'a dyn Octets,
        author: Address,
        treatment: Treatment,
    ) -> io::Result<Result<Ready<'a>, Passed>> {
        let cover = if treatment.header_protection.value { Cover::Clear } else { Cover::Bare };
        let digest = treatment.digest.value.map_or(Digest::Sha256, DigestName::digest);
        let draft = match Draft::expecting(mail, cover, digest)? {
            Ok(draft) => draft,
            Err(why) => return Ok(Err(Passed::Unsignable(why))),
        };
        if let Some(kind) = Untouched::by_parts(draft.structure()).filter(|kind| !self.also_sign.contains(kind)) {
            return Ok(Err(Passed::Untouched(kind)));
        }
        // A signature only adds to it.
        if let Some(limit) = treatment.max_size.value.filter(|limit| mail.len() > *limit) {
            return Ok(Err(Passed::TooLarge(Said { value: limit, by: treatment.max_size.by })));
        }
        let form = if treatment.sign.value == Signing::Opaque { Form::Opaque } else { Form::Clear };
        Ok(Ok(Ready { author, draft, form, treatment }))
    }
}
