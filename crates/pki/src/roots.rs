//! Lists of roots: which certificates an organisation vouches for as roots, for what, and until when; and which of
//! them a search for a path has a use for.
//!
//! The form on disk is PEM with lines before each block that say what the root is for (RFC 7468 §5.2 lets text stand
//! there). It is read strictly, for a line that is not understood may be a restriction. A root that is not for e-mail
//! stands under a label of its own, so that no other reader of PEM takes it for one that is.
//!
//! ```text
//! # Kakitome list of roots, version 1
//! list: nss-2.92
//! date: 2026-10-28T00:00:00Z
//! roots: 1
//! for-email: 1
//!
//! name: Example Root for Mail
//! sha256: 0d2f…
//! for: email
//! distrust-after: 2031-04-15T00:00:00Z
//! only-for: *.example.jp
//! -----BEGIN CERTIFICATE-----
//! ```
//!
//! Nothing here says which list to believe: that is the caller's affair.

mod write;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::asn1::der::Der;
use crate::asn1::time::Time;
use crate::asn1::{Malformed, tag};
use crate::cert::extension::NameConstraints;
use crate::cert::file::NOT_FOR_EMAIL;
use crate::cert::name::Name;
use crate::cert::{CERTIFICATE_LIMIT, Certificate, hex};
use crate::crypto;
use crate::path::{self, Anchor, AnchorSource, Standing};

pub use write::write;

/// A list may hold this many roots.
pub const ROOT_LIMIT: usize = 10_000;
/// A root may be limited to this many domains and mailboxes.
pub const ONLY_FOR_LIMIT: usize = 1_000;
/// How the first line of a list begins.
const FIRST_LINE: &str = "# Kakitome list of roots, version ";
/// The version that is read and written here.
const VERSION: &str = "1";
/// The label of a root that is for e-mail.
const FOR_EMAIL: &str = "CERTIFICATE";

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ListProblem {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it, or with what ends there.
    pub why: String,
}

/// What a list says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Its name with its version, such as `nss-2.92`.
    pub name: String,
    /// From when it is.
    pub date: Option<Time>,
    /// What it was made from, in words; may be empty.
    pub source: String,
    /// SHA-256 over what it was made from, in hexadecimal; may be empty.
    pub source_sha256: String,
}

/// What the list's makers say that a root is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Mail.
    pub email: bool,
    /// Servers of the web.
    pub tls: bool,
}

/// One root, not yet read but for its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub uses: Uses,
    /// A certificate for mail whose notBefore is later does not count; older ones do.
    pub distrust_after: Option<Time>,
    /// Domains and mailboxes, as [`path::mailboxes`] reads them: it may vouch for these alone. None is no limit.
    pub only_for: Vec<String>,
    /// Whoever chose it says that the names in its certificates were checked.
    pub names_verified: bool,
    der: Vec<u8>,
    fingerprint: [u8; 32],
    subject: Name,
}

impl Root {
    /// A root for mail without conditions, named as its certificate names it.
    pub fn new(certificate: &Certificate) -> Self {
        Self {
            name: certificate.subject().short(),
            uses: Uses { email: true, tls: false },
            distrust_after: None,
            only_for: Vec::new(),
            names_verified: false,
            der: certificate.raw().to_vec(),
            fingerprint: *certificate.fingerprint(),
            subject: certificate.subject().clone(),
        }
    }

    /// The certificate.
    ///
    /// # Errors
    /// Malformed; not in a list that [`RootList::parse`] read.
    pub fn certificate(&self) -> Result<Certificate, Malformed> {
        Certificate::parse(&self.der)
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 over the certificate.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// As an anchor for mail; `None` if it cannot be read.
    fn anchor(&self, source: AnchorSource) -> Option<Anchor> {
        let mut limits = NameConstraints::default();
        limits.permitted.extend(self.only_for.iter().filter_map(|text| path::mailboxes(text)));
        // A limit that is not understood leaves nothing over.
        if limits.permitted.len() < self.only_for.len() {
            return None;
        }
        Some(Anchor {
            standing: if self.uses.email { Standing::Counts } else { Standing::NotForEmail },
            distrust_after: self.distrust_after,
            limits,
            names_verified: self.names_verified,
            ..Anchor::new(self.certificate().ok()?, source)
        })
    }
}

/// A list of roots; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RootList {
    body: Arc<Body>,
    distrusted: Arc<HashSet<[u8; 32]>>,
}

#[derive(Debug, Default)]
struct Body {
    header: Header,
    /// Read into `roots` at first need.
    embedded: &'static str,
    roots: OnceLock<Vec<Root>>,
}

impl RootList {
    /// Does this begin as a list does?
    pub fn is_list(bytes: &[u8]) -> bool {
        bytes.starts_with(FIRST_LINE.as_bytes())
    }

    /// Reads a list whole: every certificate can be read, is the one whose SHA-256 stands there, and stands there once.
    ///
    /// # Errors
    /// [`ListProblem`], with the line.
    pub fn parse(text: &str) -> Result<Self, ListProblem> {
        let mut reader = Reader::new(text);
        let header = reader.header()?;
        let roots = reader.roots(&header, Trusting::Nothing)?;
        Ok(Self::with(header.told, roots))
    }

    /// A list that is part of the program. Its head is read now, its roots at first need, and their hashes are not
    /// compared again: a test has read the whole. A list that cannot be read is empty.
    pub fn embedded(text: &'static str) -> Self {
        let header = Reader::new(text).header().map(|header| header.told).unwrap_or_default();
        Self { body: Arc::new(Body { header, embedded: text, roots: OnceLock::new() }), distrusted: Arc::default() }
    }

    /// A list of certificates that are all for mail.
    pub fn of(name: &str, certificates: &[Certificate]) -> Self {
        let header = Header { name: name.to_owned(), ..Header::default() };
        Self::with(header, certificates.iter().map(Root::new).collect())
    }

    fn with(header: Header, roots: Vec<Root>) -> Self {
        let body = Body { header, embedded: "", roots: OnceLock::from(roots) };
        Self { body: Arc::new(body), distrusted: Arc::default() }
    }

    /// The same list without these roots, by their fingerprints: a path to one of them is refused by that name.
    #[must_use]
    pub fn distrusting(&self, fingerprints: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self { body: Arc::clone(&self.body), distrusted: Arc::new(fingerprints.into_iter().collect()) }
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.body.header
    }

    /// The roots, those too that are not for mail, and those that are distrusted.
    pub fn roots(&self) -> &[Root] {
        self.body.roots.get_or_init(|| {
            let mut reader = Reader::new(self.body.embedded);
            reader.header().and_then(|header| reader.roots(&header, Trusting::Hashes)).unwrap_or_default()
        })
    }

    /// How many of the roots for mail were taken out?
    pub fn roots_distrusted(&self) -> usize {
        if self.distrusted.is_empty() {
            return 0;
        }
        self.roots().iter().filter(|root| root.uses.email && self.distrusts(root)).count()
    }

    /// Was this root taken out?
    pub fn distrusts(&self, root: &Root) -> bool {
        self.distrusted.contains(&root.fingerprint)
    }

    /// The roots that a search for a path from `leaf` through `untrusted` can meet, as anchors: those that one of these
    /// certificates names as its issuer, or is. No others are read. A root that is not for mail, or distrusted, is among
    /// them, so that the search can say so.
    pub fn anchors_for<'a>(&self, leaf: &Certificate, untrusted: impl Iterator<Item = &'a Certificate>) -> Vec<Anchor> {
        let mut issuers: HashSet<&Name> = untrusted.map(Certificate::issuer).collect();
        issuers.insert(leaf.issuer());
        let wanted = |root: &&Root| issuers.contains(&root.subject) || root.fingerprint == *leaf.fingerprint();
        let mut anchors = Vec::new();
        for root in self.roots().iter().filter(wanted) {
            if let Some(mut anchor) = root.anchor(AnchorSource::PublicList) {
                if self.distrusts(root) {
                    anchor.standing = Standing::Distrusted;
                }
                anchors.push(anchor);
            }
        }
        anchors
    }

    /// The roots for mail as anchors of another source: what a user believes who gives this list as his own choice.
    pub fn anchors(&self, source: AnchorSource) -> Vec<Anchor> {
        let for_mail = self.roots().iter().filter(|root| root.uses.email && !self.distrusts(root));
        for_mail.filter_map(|root| root.anchor(source)).collect()
    }
}

/// What a reader need not look at again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trusting {
    Nothing,
    Hashes,
}

/// The head of a list, with what it says about the roots.
struct Head {
    told: Header,
    roots: usize,
    for_email: usize,
}

struct Reader<'a> {
    lines: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>,
    line: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { lines: text.lines().enumerate().peekable(), line: 0 }
    }

    fn problem(&self, why: impl Into<String>) -> ListProblem {
        ListProblem { line: self.line, why: why.into() }
    }

    /// The next line that says something.
    fn next(&mut self) -> Option<&'a str> {
        for (number, line) in self.lines.by_ref() {
            self.line = number.saturating_add(1);
            let line = line.trim_end();
            if !line.is_empty() && !line.starts_with('#') {
                return Some(line);
            }
        }
        None
    }

    /// Does a root begin next? Empty lines and comments before it are passed over.
    fn root_is_next(&mut self) -> bool {
        let says_nothing = |line: &str| line.trim_end().is_empty() || line.starts_with('#');
        while self.lines.next_if(|(_, line)| says_nothing(line)).is_some() {}
        self.lines.peek().is_some_and(|(_, line)| line.starts_with("name: "))
    }

    fn attribute(&self, line: &'a str) -> Result<(&'a str, &'a str), ListProblem> {
        line.split_once(": ").ok_or_else(|| self.problem("not an attribute such as `for: email`"))
    }

    fn header(&mut self) -> Result<Head, ListProblem> {
        let first = self.lines.next().map(|(_, line)| line).unwrap_or_default();
        self.line = 1;
        match first.trim_end().strip_prefix(FIRST_LINE) {
            Some(VERSION) => {}
            Some(version) => {
                return Err(self.problem(format!("version {version} of the form is not known here; {VERSION} is")));
            }
            None => return Err(self.problem(format!("a list begins with {FIRST_LINE}{VERSION}"))),
        }
        let mut told = Header::default();
        let (mut roots, mut for_email) = (None, None);
        while !self.root_is_next() {
            let Some(line) = self.next() else { break };
            let (name, value) = self.attribute(line)?;
            match name {
                "list" => value.clone_into(&mut told.name),
                "date" => told.date = Some(self.time(value)?),
                "source" => value.clone_into(&mut told.source),
                "source-sha256" => value.clone_into(&mut told.source_sha256),
                "roots" => roots = Some(self.count(value)?),
                "for-email" => for_email = Some(self.count(value)?),
                _ => return Err(self.problem(format!("the attribute {name:?} of a list is not known here"))),
            }
        }
        match (told.name.is_empty(), roots, for_email) {
            (false, Some(roots), Some(for_email)) => Ok(Head { told, roots, for_email }),
            _ => Err(self.problem("a list has a name, and says how many roots it holds, and how many for e-mail")),
        }
    }

    fn roots(&mut self, head: &Head, trusting: Trusting) -> Result<Vec<Root>, ListProblem> {
        let mut roots: Vec<Root> = Vec::new();
        let mut seen = HashSet::new();
        while let Some(line) = self.next() {
            if roots.len() >= ROOT_LIMIT {
                return Err(self.problem("a list holds at most 10,000 roots"));
            }
            let root = self.root(line, trusting)?;
            if !seen.insert(root.fingerprint) {
                return Err(self.problem(format!("the root {:?} stands here twice", root.name)));
            }
            roots.push(root);
        }
        let for_email = roots.iter().filter(|root| root.uses.email).count();
        if roots.len() == head.roots && for_email == head.for_email {
            Ok(roots)
        } else {
            let (said, said_for_email, held) = (head.roots, head.for_email, roots.len());
            Err(self.problem(format!(
                "the list says that it holds {said} roots, {said_for_email} of them for e-mail, and holds {held} and \
                 {for_email}: it was cut short or changed"
            )))
        }
    }

    /// A root, whose first line was read.
    fn root(&mut self, first: &'a str, trusting: Trusting) -> Result<Root, ListProblem> {
        let Some(name) = first.strip_prefix("name: ") else {
            return Err(self.problem("a root begins with its name"));
        };
        let (mut sha256, mut uses, mut distrust_after) = (None, None, None);
        let (mut only_for, mut names_verified) = (Vec::new(), false);
        let label = loop {
            let line = self.next().ok_or_else(|| self.problem("the list ends before its last root does"))?;
            if let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
                break label;
            }
            let (attribute, value) = self.attribute(line)?;
            match attribute {
                "sha256" if sha256.is_none() => sha256 = Some(self.fingerprint(value)?),
                "for" if uses.is_none() => uses = Some(self.uses(value)?),
                "distrust-after" if distrust_after.is_none() => distrust_after = Some(self.time(value)?),
                "only-for" if only_for.len() < ONLY_FOR_LIMIT => {
                    if path::mailboxes(value).is_none() {
                        let why = format!("{value:?} is neither a domain, nor *. and a domain, nor an address");
                        return Err(self.problem(why));
                    }
                    only_for.push(value.to_owned());
                }
                "names" if value == "verified" => names_verified = true,
                _ => {
                    let why = format!("the attribute {attribute:?} stands twice or too often, or is not known here");
                    return Err(self.problem(why));
                }
            }
        };
        let uses = uses.ok_or_else(|| self.problem("what the root is for is not said"))?;
        let fingerprint = sha256.ok_or_else(|| self.problem("the SHA-256 of the root is missing"))?;
        if label != if uses.email { FOR_EMAIL } else { NOT_FOR_EMAIL } {
            return Err(self.problem(format!("{label:?} is not the label of a root that is for this")));
        }
        let der = self.block(label)?;
        if trusting == Trusting::Nothing {
            if crypto::sha256(&der) != fingerprint {
                return Err(self.problem(format!("the certificate of {name:?} is not the one of this SHA-256")));
            }
            Certificate::parse(&der)
                .map_err(|malformed| self.problem(format!("the certificate of {name:?}: {malformed}")))?;
        }
        let subject = subject(&der).map_err(|malformed| self.problem(malformed.to_string()))?;
        Ok(Root { name: name.to_owned(), uses, distrust_after, only_for, names_verified, der, fingerprint, subject })
    }

    fn block(&mut self, label: &str) -> Result<Vec<u8>, ListProblem> {
        let mut text = String::new();
        loop {
            let line = self.next().ok_or_else(|| self.problem("the list ends inside a certificate"))?;
            if let Some(end) = line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) {
                if end != label {
                    return Err(self.problem("the end of a certificate is not labelled as its beginning"));
                }
                return STANDARD.decode(text.as_bytes()).map_err(|_| self.problem("a certificate is not base64"));
            }
            text.push_str(line);
            if text.len() / 4 > CERTIFICATE_LIMIT / 3 {
                return Err(self.problem("a certificate is larger than 256 KiB"));
            }
        }
    }

    fn time(&self, value: &str) -> Result<Time, ListProblem> {
        value.parse().map_err(|malformed: Malformed| self.problem(malformed.to_string()))
    }

    fn count(&self, value: &str) -> Result<usize, ListProblem> {
        value.parse().map_err(|_| self.problem(format!("{value:?} is not a number")))
    }

    fn uses(&self, value: &str) -> Result<Uses, ListProblem> {
        match value {
            "email" => Ok(Uses { email: true, tls: false }),
            "tls" => Ok(Uses { email: false, tls: true }),
            "email, tls" => Ok(Uses { email: true, tls: true }),
            "nothing" => Ok(Uses::default()),
            _ => Err(self.problem(format!("{value:?} is none of `email`, `tls`, `email, tls`, `nothing`"))),
        }
    }

    fn fingerprint(&self, value: &str) -> Result<[u8; 32], ListProblem> {
        fingerprint(value).ok_or_else(|| self.problem("a SHA-256 is 64 digits in hexadecimal, in lower case"))
    }
}

/// A SHA-256 from 64 hexadecimal digits, as [`hex`] writes them.
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let mut out = [0u8; 32];
    for (octet, digits) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (hex(&out) == text).then_some(out)
}

/// The subject of a certificate, without reading the rest of it.
fn subject(der: &[u8]) -> Result<Name, Malformed> {
    let mut outer = Der::only(der)?.of(tag::SEQUENCE, "a certificate is not a SEQUENCE")?.inside();
    let mut fields = outer.expect(tag::SEQUENCE, "a certificate has no TBSCertificate")?.inside();
    fields.optional(tag::context_constructed(0))?;
    // serial number, signature algorithm, issuer, validity
    for _ in 0..4 {
        fields.element()?;
    }
    Name::parse(&fields.element()?)
}
