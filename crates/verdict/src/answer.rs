//! The answer: plain data that the judge fills and every face shows.
//!
//! Strings from the mail and from certificates stand here as they were found. They reach people only through
//! [`text`](crate::text), and programs through [`wire`](crate::wire).

use std::ops::Range;

use kakitome_pki::asn1::time::Time;

use crate::detail::Detail;
use crate::lookup::Lookup;
use crate::passage::Passage;
use crate::reason::Reason;
use crate::state::State;

/// One answer about one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The headline.
    pub state: State,
    /// Who sent it.
    pub who: Who,
    /// Was it changed?
    pub altered: Altered,
    /// Was it encrypted?
    pub sealed: Sealed,
    /// The times that count.
    pub time: Times,
    /// Why; the first one decided the headline.
    pub reasons: Vec<Reason>,
    /// Name and version of the list of issuers that was used; empty if none was.
    pub trust_list: String,
    /// Whose choice the issuer was, where a path was found.
    pub whose_choice: Option<Choice>,
    /// When the certificate was revoked.
    pub revoked_on: Option<Time>,
    /// The subject as it was signed (RFC 9788), where it is.
    pub protected_subject: Option<String>,
    /// The answers about attached mails, in the order of the parts. None of them says anything about this mail (RFC 9787
    /// §6.3).
    pub attached: Vec<Attached>,
    /// Everything for readers who want to see for themselves.
    pub expert: Expert,
}

/// An attached mail, judged by itself; what is attached to it in turn stands in its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The name that it would be saved under.
    pub name: Option<String>,
    /// What its header says it is about, decoded.
    pub subject: Option<String>,
    /// The answer.
    pub answer: Answer,
}

impl Answer {
    /// An answer that knows nothing yet: nobody confirmed, nothing told.
    pub fn new(state: State, reason: Reason, verified_at: Time) -> Self {
        Self {
            state,
            who: Who::default(),
            altered: Altered::default(),
            sealed: Sealed::default(),
            time: Times { signed_claimed: None, delivered: None, verified_at, basis: Basis::Now },
            reasons: vec![reason],
            trust_list: String::new(),
            whose_choice: None,
            revoked_on: None,
            protected_subject: None,
            attached: Vec::new(),
            expert: Expert::default(),
        }
    }
}

/// Who sent it, as far as somebody vouches for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// What the certificate vouches for.
    pub class: Class,
    /// The organisation, only if its issuer may vouch for it.
    pub org: Option<String>,
    /// Its registration.
    pub org_id: Option<OrgId>,
    /// The person, only if the issuer may vouch for it; a pseudonym if [`Who::pseudonym`].
    pub person: Option<String>,
    /// Is [`Who::person`] a pseudonym?
    pub pseudonym: bool,
    /// The mailbox that the signer's certificate vouches for; From's, where they are bound.
    pub address: Option<String>,
    /// Who says so: the common name of the authority that issued the certificate.
    pub asserted_by: Option<String>,
    /// The issuer to be named in a headline: the anchor's name, or what an unknown issuer calls itself.
    pub issuer: Option<String>,
    /// From as it is displayed, encoded words decoded.
    pub from_header: Option<String>,
    /// The address in From, where there is exactly one.
    pub from_address: Option<String>,
    /// Whom the sender could be taken for.
    pub looks_like: Option<String>,
}

/// What a certificate vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing that counts here.
    #[default]
    None,
    /// A mailbox under an issuer that somebody chose.
    Local,
    /// A mailbox.
    Mailbox,
    /// A mailbox, by the rules of before September 2023.
    PreBr,
    /// A person.
    Person,
    /// A person in an organisation.
    PersonInOrg,
    /// An organisation.
    Org,
}

/// An organizationIdentifier (ETSI EN 319 412-1 §5.1.4), taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgId {
    /// The register, such as `NTR`.
    pub scheme: String,
    /// The country, two letters.
    pub country: String,
    /// The number in that register.
    pub value: String,
}

/// Was it changed?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Altered {
    /// The answer.
    pub answer: Changed,
    /// What the signature covers.
    pub covers: Vec<Covered>,
}

/// Was it changed after it was signed?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Changed {
    /// No.
    No,
    /// Yes.
    Yes,
    /// Not inside the frame.
    Part,
    /// Cannot be told.
    #[default]
    Unknown,
}

/// What a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Covered {
    Body,
    Attachments,
    Subject,
    From,
    To,
    Cc,
    ReplyTo,
    Date,
}

/// Was it encrypted?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// The answer.
    pub answer: Encrypted,
    /// The cipher.
    pub alg: Option<String>,
    /// The recipients that the mail names.
    pub to: Vec<String>,
    /// The organisation at whose gateway it was opened.
    pub gateway: Option<String>,
}

/// Was it encrypted?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encrypted {
    /// No; what protected it in transport cannot be seen.
    No,
    /// Yes.
    Yes,
    /// Yes, but the sender is not confirmed.
    Unverified,
    /// By outdated means.
    Weak,
    /// In part.
    Part,
    /// A file with a password, which is no sealed mail.
    PasswordFile,
    /// Yes, and it cannot be opened here.
    CannotOpen,
    /// Cannot be told.
    #[default]
    Unknown,
}

/// The times that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// Signing time; the sender's own claim (RFC 8551 §2.5.1).
    pub signed_claimed: Option<Time>,
    /// Delivery, by our own log.
    pub delivered: Option<Time>,
    /// The moment for which this answer holds.
    pub verified_at: Time,
    /// What that moment is.
    pub basis: Basis,
}

/// What the reference time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The moment of checking.
    Now,
    /// A moment that the caller named.
    Given,
    /// Our own record of the delivery.
    DeliveryLog,
    /// A time stamp (RFC 3161).
    TimestampToken,
}

/// Whose choice an issuer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The public list for mail.
    PublicList,
    /// A file that the user chose.
    ChosenFile,
    /// The operator of this instance, who added it to the data directory.
    Operator,
    /// This instance's own authority.
    OwnCa,
}

/// The expert part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expert {
    /// The MIME tree in the order of the bytes.
    pub tree: Vec<Part>,
    /// The signature.
    pub signature: Option<Signature>,
    /// The signer's certificate.
    pub signer: Option<Certificate>,
    /// Where there is more than one: everybody who signed, each followed by those who signed his signature.
    pub signers: Vec<SignedBy>,
    /// The path from the signer's certificate to the anchor.
    pub path: Vec<PathStep>,
    /// What was found about revocation.
    pub revocation: Vec<Revocation>,
    /// What was asked outside of the mail.
    pub lookups: Vec<Lookup>,
    /// What the way of the mail tells.
    pub passage: Passage,
    /// The header, outer and protected.
    pub headers: Vec<Header>,
    /// The decision trace.
    pub checks: Vec<Check>,
    /// Everything noticed, whether it mattered or not.
    pub findings: Vec<Finding>,
}

/// A part of the MIME tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How deep it stands; the root is 0.
    pub depth: u16,
    /// Its type, without parameters.
    pub content_type: String,
    /// Where its bytes are, header included.
    pub bytes: Range<u64>,
    /// Does the signature cover it?
    pub signed: bool,
    /// Its name, where it has one.
    pub filename: Option<String>,
}

/// One of several signers, or somebody who signed a signature (RFC 5652 §11.4). Whose certificate it is, and whether
/// anybody believes it, was not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// The subject of the certificate that it names; `None` where that is not in the mail.
    pub subject: Option<String>,
    /// 0 signed the mail, 1 signed that signature, and so on.
    pub depth: u16,
    /// Do digest and signature fit?
    pub holds: bool,
    /// The time that it claims.
    pub signed_claimed: Option<Time>,
    /// The codes of what was found.
    pub findings: Vec<String>,
}

/// A SignerInfo (RFC 5652 §5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its version.
    pub version: u64,
    /// The digest algorithm.
    pub digest: String,
    /// The signature algorithm.
    pub algorithm: String,
    /// Signed attributes, name and value.
    pub attributes: Vec<(String, String)>,
    /// SHA-256 of the signature value in hexadecimal: by it a log of deliveries knows the mail again.
    pub sha256: String,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject (RFC 4514).
    pub subject: String,
    /// Its issuer (RFC 4514).
    pub issuer: String,
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// Subject alternative names.
    pub alternative_names: Vec<String>,
    /// Key usages.
    pub key_usage: Vec<String>,
    /// Extended key usages.
    pub extended_key_usage: Vec<String>,
    /// Certificate policies.
    pub policies: Vec<String>,
    /// The key: algorithm and size.
    pub key: String,
    /// The beginning of its validity.
    pub not_before: Time,
    /// The end of its validity.
    pub not_after: Time,
    /// SHA-256 of the certificate in hexadecimal.
    pub sha256: String,
}

/// A certificate of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// Its subject (RFC 4514).
    pub subject: String,
    /// Is it the anchor?
    pub anchor: bool,
    /// Where it came from: the mail, the list, a file.
    pub source: String,
}

/// What was found about the revocation of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The certificate's subject (RFC 4514).
    pub subject: String,
    /// Where the information came from.
    pub source: String,
    /// What it says.
    pub result: Revoked,
    /// When it was issued.
    pub this_update: Option<Time>,
    /// When the next one is due.
    pub next_update: Option<Time>,
}

/// What is known about the revocation of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Not revoked.
    Good,
    /// Revoked then, with the reason of RFC 5280 §5.3.1.
    Since(Time, String),
    /// Could not be found out.
    Unavailable,
    /// The issuer offers nothing to look up.
    NotOffered,
    /// Not looked up.
    Off,
}

/// One header field, as the mail shows it and as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value outside.
    pub outer: Option<String>,
    /// Its signed value.
    pub protected: Option<String>,
    /// How the two compare.
    pub state: HeaderState,
}

/// How a header field is protected (RFC 9788 §4.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderState {
    /// Not signed.
    Unprotected,
    /// Signed, and the same outside.
    Signed,
    /// Encrypted, and hidden outside; not signed.
    Encrypted,
    /// Signed and encrypted, and hidden outside.
    SignedAndEncrypted,
    /// Signed, and different outside.
    Differs,
}

/// One step of the decision trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which one.
    pub step: Step,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was seen; may be empty.
    pub detail: Detail,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckOutcome {
    /// It held.
    Ok,
    /// It did not hold, and decided the headline or would have.
    Failed,
    /// An earlier step had decided already.
    NotReached,
    /// It does not apply to this mail, or was switched off.
    Skipped,
}

/// The steps of the decision, in their order; the first that fails decides the headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Is it a mail, within the limits?
    Input,
    /// Is the signature or encryption at the root?
    Structure,
    /// Is there a file that only looks like a signature?
    Fake,
    /// Should there be a signature?
    Expected,
    /// Can it be opened?
    Open,
    /// Is the signature well formed, and only one?
    Cms,
    /// Do digest and signature value hold?
    Signature,
    /// Is a certificate of the path known to be revoked?
    Revoked,
    /// Does the certificate vouch for the address in From?
    Binding,
    /// Is there a path to a trusted issuer?
    Path,
    /// Are the algorithms strong enough?
    Strength,
    /// Was the certificate valid and meant for mail?
    Validity,
    /// Is the signing time plausible?
    SigningTime,
    /// Is it signed as a whole?
    Whole,
    /// Was revocation looked up?
    Revocation,
    /// Are the protected headers the same outside?
    Headers,
    /// Could the sender be taken for somebody else?
    Lookalike,
    /// Has the certificate expired since?
    Expiry,
    /// What does the certificate vouch for?
    Class,
}

/// Something noticed on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its code.
    pub code: String,
    /// What was seen; may be empty.
    pub detail: String,
}

/// Names on the wire, stable.
macro_rules! wire_names {
    ($($of:ident { $($variant:ident $name:literal),* $(,)? })*) => {$(
        impl $of {
            /// The name on the wire; stable.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    )*};
}

wire_names! {
    Class {
        None "none", Local "local", Mailbox "mailbox", PreBr "pre-br", Person "person", PersonInOrg "person-in-org",
        Org "org",
    }
    Changed { No "no", Yes "yes", Part "part", Unknown "unknown" }
    Covered {
        Body "body", Attachments "attachments", Subject "subject", From "from", To "to", Cc "cc", ReplyTo "reply-to",
        Date "date",
    }
    Encrypted {
        No "no", Yes "yes", Unverified "yes-unverified", Weak "weak", Part "part", PasswordFile "password-zip",
        CannotOpen "cannot-open", Unknown "unknown",
    }
    Basis { Now "now", Given "given", DeliveryLog "delivery-log", TimestampToken "timestamp-token" }
    Choice { PublicList "public-list", ChosenFile "chosen-file", Operator "operator", OwnCa "own-ca" }
    HeaderState {
        Unprotected "unprotected", Signed "signed", Encrypted "encrypted", SignedAndEncrypted "signed-and-encrypted",
        Differs "differs",
    }
    CheckOutcome { Ok "ok", Failed "failed", NotReached "not-reached", Skipped "skipped" }
    Step {
        Input "input", Structure "structure", Fake "fake", Expected "expected", Open "open", Cms "cms",
        Signature "signature", Revoked "revoked", Binding "binding", Path "path", Strength "strength",
        Validity "validity", SigningTime "signing-time", Whole "whole", Revocation "revocation", Headers "headers",
        Lookalike "lookalike", Expiry "expiry", Class "class",
    }
}

impl Revoked {
    /// The name on the wire; stable.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Since(..) => "revoked",
            Self::Unavailable => "unavailable",
            Self::NotOffered => "not-offered",
            Self::Off => "off",
        }
    }
}

impl Step {
    /// Every step, in their order.
    pub const ALL: [Self; 19] = [
        Self::Input,
        Self::Structure,
        Self::Fake,
        Self::Expected,
        Self::Open,
        Self::Cms,
        Self::Signature,
        Self::Revoked,
        Self::Binding,
        Self::Path,
        Self::Strength,
        Self::Validity,
        Self::SigningTime,
        Self::Whole,
        Self::Revocation,
        Self::Headers,
        Self::Lookalike,
        Self::Expiry,
        Self::Class,
    ];
}
