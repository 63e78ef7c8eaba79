//! What stands in a file of certificates, keys and the like, laid out. Nothing is judged but what each says of itself: the
//! flaws of its form, the lints of its profile, how well it is protected.
//!
//! Strings stay as they were found, like everywhere before [`text`](crate::text). No secret of a private key is here.

mod certificate;
mod key;
mod revocation;

use kakitome_pki::asn1::Malformed;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::file::{Kind, NOT_FOR_EMAIL};
use kakitome_pki::cert::flaw::{Flaw, Found};
use kakitome_pki::cert::pem::Block;
use kakitome_pki::cert::{bundle, pkcs12};
use kakitome_pki::identity::Lint;
use kakitome_pki::roots::RootList;

/// Objects inside a bundle or a PKCS#12 file that are shown; more are counted.
pub const INSIDE_LIMIT: usize = 1000;

/// What a file holds.
#[derive(Clone, Debug)]
pub struct File {
    /// What it is called.
    pub name: String,
    /// The list of roots that it is, where it is one in our form; its roots stand among the objects.
    pub list: Option<RootList>,
    /// Each object, in order.
    pub objects: Vec<Object>,
}

/// One object of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// What it is called in short; may be empty.
    pub title: String,
    /// What stands in it, in the order in which it is told.
    pub fields: Vec<(Field, Value)>,
    /// What is to be said of it.
    pub remarks: Vec<Remark>,
    /// What it holds.
    pub inside: Vec<Self>,
}

macro_rules! fields {
    ($($(#[doc = $what:literal])+ $variant:ident $name:literal,)*) => {
        /// What a value is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Field {
            $($(#[doc = $what])+ $variant,)*
        }

        impl Field {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the wire form.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

fields! {
    /// What its owner calls it in a PKCS#12 file.
    FriendlyName "friendly_name",
    /// Who it is about.
    Subject "subject",
    /// Who issued it.
    Issuer "issuer",
    /// The serial number in hexadecimal.
    Serial "serial",
    /// The version of a certificate.
    Version "version",
    /// The beginning of the validity.
    NotBefore "not_before",
    /// The end of the validity.
    NotAfter "not_after",
    /// Subject alternative names.
    AlternativeNames "alternative_names",
    /// The key: algorithm and size.
    Key "key",
    /// The structure around a private key.
    Form "form",
    /// Of what an ML-DSA or ML-KEM key consists.
    Material "material",
    /// What the key may do.
    KeyUsage "key_usage",
    /// What the certificate is for.
    ExtendedKeyUsage "extended_key_usage",
    /// Whether it may issue, and how deep.
    Authority "authority",
    /// The names that a CA is limited to.
    Permitted "permitted",
    /// The names that a CA is kept from.
    Excluded "excluded",
    /// Certificate policies.
    Policies "policies",
    /// Where its revocation lists are.
    CrlUrls "crl_urls",
    /// Who answers for it by OCSP.
    OcspUrls "ocsp_urls",
    /// Where its issuer's certificate is.
    IssuerUrls "issuer_urls",
    /// Extensions that are not shown by a line of their own.
    OtherExtensions "other_extensions",
    /// Attributes of a request.
    Attributes "attributes",
    /// Whether whoever asks proved to hold the key.
    Proof "proof_of_possession",
    /// How it is signed.
    Signature "signature",
    /// The number of a revocation list.
    Number "number",
    /// The list to which a delta list adds.
    Base "base",
    /// What a revocation list is about.
    Scope "scope",
    /// When it was known to be so.
    ThisUpdate "this_update",
    /// When the next one is due.
    NextUpdate "next_update",
    /// How many certificates are revoked.
    Count "count",
    /// Some of them.
    Revoked "revoked",
    /// What a responder said instead of an answer.
    Status "status",
    /// Who answers.
    Responder "responder",
    /// When the answer was signed.
    ProducedAt "produced_at",
    /// The answers.
    Answers "answers",
    /// How the whole is protected against changes.
    Integrity "integrity",
    /// How it is encrypted.
    Encryption "encryption",
    /// SHA-256 over the object.
    Sha256 "sha256",
    /// SHA-256 over the public key.
    KeySha256 "key_sha256",
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, also out of the file.
    Text(String),
    /// Several.
    List(Vec<String>),
    /// A number.
    Number(u64),
    /// A moment.
    Time(Time),
    /// Yes or no.
    Flag(bool),
    /// A hash.
    Hash([u8; 32]),
}

/// How much a remark weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Such an object counts for nothing here.
    Error,
    /// Something that should not be.
    Warning,
    /// Something that is only told.
    Notice,
}

impl Severity {
    /// Its name in the wire form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Something to be said of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A flaw of a certificate.
    Flaw(Found),
    /// What is odd by the S/MIME Baseline Requirements.
    Lint(Lint),
    /// Anything else, and where.
    Note(Note, String),
}

impl Remark {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Flaw(found) => found.flaw.code(),
            Self::Lint(lint) => lint.code(),
            Self::Note(note, _) => note.code(),
        }
    }

    /// How much it weighs.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Flaw(found) if found.flaw.is_refused() => Severity::Error,
            Self::Flaw(found) => match found.flaw {
                Flaw::Integer | Flaw::DefaultWritten | Flaw::SetOrder | Flaw::TimeForm | Flaw::KeyParameters => {
                    Severity::Notice
                }
                _ => Severity::Warning,
            },
            Self::Lint(lint) if lint.is_contradiction() => Severity::Warning,
            Self::Lint(_) => Severity::Notice,
            Self::Note(note, _) => note.severity(),
        }
    }

    /// Where, or what was seen; may hold text out of the file.
    pub fn detail(&self) -> &str {
        match self {
            Self::Flaw(found) => &found.detail,
            Self::Lint(_) => "",
            Self::Note(_, detail) => detail,
        }
    }
}

macro_rules! notes {
    ($($(#[doc = $what:literal])+ $variant:ident $code:literal $severity:ident,)*) => {
        /// What else is to be said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Note {
            $($(#[doc = $what])+ $variant,)*
        }

        impl Note {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it is about, in a sentence.
            pub fn explain(self) -> &'static str {
                let text = match self { $(Self::$variant => concat!($($what),+),)* };
                text.trim_start()
            }
        }
    };
}

notes! {
    /// It cannot be read.
    Unreadable "file.unreadable" Error,
    /// It uses something that is not read here.
    Unsupported "file.unsupported" Error,
    /// The password is wrong, or the file is damaged.
    WrongPassword "file.password" Error,
    /// What is inside is shown with its password only.
    Closed "file.closed" Notice,
    /// It holds more than is shown.
    More "file.more" Notice,
    /// A private key that stands in the clear: whoever has the file has the key.
    PlainKey "key.plain" Warning,
    /// A private key that cannot be used here.
    KeyRefused "key.refused" Error,
    /// A root that the list of roots does not trust for e-mail.
    NotForEmail "list.not-for-email" Notice,
    /// Encrypted by RC2 with 40 bits, which anybody opens within hours.
    Rc2 "enc.rc2-40" Warning,
    /// An old cipher, for programs that read nothing better.
    OldCipher "enc.old" Notice,
    /// The password is stretched so little that it can be tried fast.
    FewRounds "enc.few-rounds" Warning,
    /// Nothing protects the file against changes.
    NoIntegrity "p12.no-integrity" Warning,
    /// A private key without its certificate.
    KeyAlone "p12.key-alone" Notice,
    /// The signature is not by the key that the request is for: nobody proved to hold it.
    Unproven "request.unproven" Warning,
    /// Signed by a method that can be forged today.
    WeakSignature "sig.weak" Warning,
    /// A critical extension that is not known here: it says nothing about what it leaves out.
    UnknownCritical "rev.critical" Warning,
    /// The key in the request is too short to be believed.
    WeakKey "request.weak-key" Warning,
}

impl Object {
    fn new(kind: Kind) -> Self {
        Self { kind, title: String::new(), fields: Vec::new(), remarks: Vec::new(), inside: Vec::new() }
    }

    fn unreadable(kind: Kind, malformed: Malformed) -> Self {
        let mut object = Self::new(kind);
        object.note(Note::Unreadable, malformed.to_string());
        object
    }

    fn note(&mut self, note: Note, detail: impl Into<String>) {
        self.remarks.push(Remark::Note(note, detail.into()));
    }

    fn text(&mut self, field: Field, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.fields.push((field, Value::Text(text)));
        }
    }

    fn list(&mut self, field: Field, list: impl IntoIterator<Item = String>) {
        let list: Vec<String> = list.into_iter().collect();
        if !list.is_empty() {
            self.fields.push((field, Value::List(list)));
        }
    }

    fn time(&mut self, field: Field, time: Option<Time>) {
        self.fields.extend(time.map(|time| (field, Value::Time(time))));
    }

    /// Is there anything in it, or in what it holds, that cannot be read?
    pub fn is_unreadable(&self) -> bool {
        let own = self.remarks.iter().any(|remark| remark.severity() == Severity::Error);
        own || self.inside.iter().any(Self::is_unreadable)
    }
}

/// Lays an object out. `password` is that of an encrypted key or a PKCS#12 file, where there is one.
pub fn lay_out(kind: Kind, block: &Block, password: Option<&str>) -> Object {
    match kind {
        Kind::Certificate => {
            let mut object = certificate::certificate(block.certificate());
            if block.label == NOT_FOR_EMAIL {
                object.note(Note::NotForEmail, "");
            }
            object
        }
        Kind::Request => certificate::request(&block.der),
        Kind::List => revocation::list(&block.der),
        Kind::Response => revocation::response(&block.der),
        // A bundle in BER is brought into DER; what is signed in it stands in OCTET STRINGs or is DER by itself.
        Kind::Bundle => match kakitome_pki::asn1::ber::to_der(&block.der) {
            Ok(der) => in_bundle(kind, &der),
            Err(malformed) => Object::unreadable(kind, malformed),
        },
        Kind::Store => in_bundle(kind, &block.der),
        Kind::Pkcs12 => key::in_pkcs12(&block.der, password),
        Kind::PrivateKey => key::private(&block.der, None),
        Kind::EncryptedKey => key::encrypted(block, password),
        Kind::PublicKey => key::public(&block.der),
    }
}

/// Does it open with a password?
pub fn needs_password(kind: Kind, block: &Block) -> bool {
    match kind {
        Kind::Pkcs12 => pkcs12::outline(&block.der).is_ok_and(|protections| !protections.is_empty()),
        Kind::EncryptedKey => block.old_cipher.is_none(),
        _ => false,
    }
}

fn in_bundle(kind: Kind, octets: &[u8]) -> Object {
    let mut object = Object::new(kind);
    match bundle::open(octets) {
        Ok(bundle) => {
            let certificates = bundle.certificates.iter().map(|der| (Kind::Certificate, *der));
            let lists = bundle.lists.iter().map(|der| (Kind::List, *der));
            let mut all = certificates.chain(lists);
            object.inside =
                all.by_ref().take(INSIDE_LIMIT).map(|(kind, der)| lay_out(kind, &Block::new("", der), None)).collect();
            let more = all.count();
            if more > 0 {
                object.note(Note::More, more.to_string());
            }
            object
        }
        Err(malformed) => Object::unreadable(kind, malformed),
    }
}
