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
//! subject: 5be1…
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

use crate::asn1::Malformed;
use crate::asn1::time::Time;
use crate::cert::extension::NameConstraints;
use crate::cert::file::NOT_FOR_EMAIL;
use crate::cert::name::Name;
use crate::cert::{CERTIFICATE_LIMIT, Certificate};
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

/// One root, not yet read but for what the list says of it.
#[derive(Clone, Debug)]
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
    fingerprint: [u8; 32],
    /// That of its name ([`Name::key`](crate::cert::name::Name::key)).
    subject: u64,
    /// Its base64, where that is decoded at first need.
    block: &'static str,
    der: OnceLock<Vec<u8>>,
    certificate: OnceLock<Result<Certificate, Malformed>>,
}

impl PartialEq for Root {
    fn eq(&self, other: &Self) -> bool {
        let told = |root: &Self| (root.uses, root.distrust_after, root.names_verified, root.fingerprint, root.subject);
        told(self) == told(other)
            && (&self.name, &self.only_for, self.der()) == (&other.name, &other.only_for, other.der())
    }
}

impl Eq for Root {}

impl Root {
    /// A root for mail without conditions, named as its certificate names it.
    pub fn new(certificate: &Certificate) -> Self {
        Self {
            name: certificate.subject().short(),
            uses: Uses { email: true, tls: false },
            distrust_after: None,
            only_for: Vec::new(),
            names_verified: false,
            fingerprint: *certificate.fingerprint(),
            subject: certificate.subject().key(),
            block: "",
            der: OnceLock::from(certificate.raw().to_vec()),
            certificate: OnceLock::from(Ok(certificate.clone())),
        }
    }

    /// The certificate.
    ///
    /// # Errors
    /// Malformed; not in a list that [`RootList::parse`] read.
    pub fn certificate(&self) -> Result<Certificate, Malformed> {
        self.certificate.get_or_init(|| Certificate::parse(self.der())).clone()
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        self.der.get_or_init(|| decoded(self.block).unwrap_or_default())
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

/// A root that was read, if a search met it and it could be.
type Met = OnceLock<Option<Box<Root>>>;

#[derive(Debug, Default)]
struct Body {
    header: Header,
    /// Read into `roots` at first need.
    embedded: &'static str,
    /// Where a root begins in `embedded`, by the key of its name, in order.
    places: &'static [(u64, u32)],
    /// Those of them that a search met; as long as `places`.
    met: OnceLock<Box<[Met]>>,
    roots: OnceLock<Vec<Root>>,
}

impl Body {
    /// The roots of an embedded list whose name has this key, read at first need; no others are.
    fn named(&self, key: u64) -> impl Iterator<Item = &Root> {
        let met = self.met.get_or_init(|| self.places.iter().map(|_| OnceLock::new()).collect());
        let first = self.places.partition_point(|(other, _)| *other < key);
        let places = self.places.iter().zip(met).skip(first).take_while(move |((other, _), _)| *other == key);
        places.filter_map(|((_, at), root)| root.get_or_init(|| self.read(*at).map(Box::new)).as_deref())
    }

    /// The root that begins there.
    fn read(&self, at: u32) -> Option<Root> {
        let mut reader = Reader::new(self.embedded.get(usize::try_from(at).ok()?..)?);
        let first = reader.next()?;
        reader.root(first).ok()?.believed().ok()
    }
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
        let roots = reader.roots(&header, Told::read)?;
        Ok(Self::new(header.told, roots))
    }

    /// A list that is part of the program. Its head is read now, its roots at first need, and their hashes are not
    /// compared again: a test has read the whole. A list that cannot be read is empty. `places` says where each root
    /// begins, by the [key](crate::cert::name::Name::key) of its name, in order.
    pub fn embedded(text: &'static str, places: &'static [(u64, u32)]) -> Self {
        let header = Reader::new(text).header().map(|header| header.told).unwrap_or_default();
        let body = Body { header, embedded: text, places, ..Body::default() };
        Self { body: Arc::new(body), distrusted: Arc::default() }
    }

    /// A list of certificates that are all for mail.
    pub fn of(name: &str, certificates: &[Certificate]) -> Self {
        let header = Header { name: name.to_owned(), ..Header::default() };
        Self::new(header, certificates.iter().map(Root::new).collect())
    }

    /// A list of these roots.
    pub fn new(header: Header, roots: Vec<Root>) -> Self {
        let body = Body { header, roots: OnceLock::from(roots), ..Body::default() };
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
            let roots = reader.header().and_then(|header| reader.roots(&header, Told::believed));
            roots.unwrap_or_default()
        })
    }

    /// How many of the roots are for mail, taken out or not?
    pub fn roots_for_email(&self) -> usize {
        self.roots().iter().filter(|root| root.uses.email).count()
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
        let of_leaf = leaf.issuer();
        let others = untrusted.map(Certificate::issuer).filter(|issuer| issuer.raw() != of_leaf.raw());
        let mut issuers: Vec<u64> = others.map(Name::key).collect();
        issuers.push(of_leaf.key());
        issuers.sort_unstable();
        issuers.dedup();
        let wanted =
            |root: &&Root| issuers.binary_search(&root.subject).is_ok() || root.fingerprint == *leaf.fingerprint();
        let anchor = |root: &Root| {
            let mut anchor = root.anchor(AnchorSource::PublicList)?;
            if self.distrusts(root) {
                anchor.standing = Standing::Distrusted;
            }
            Some(anchor)
        };
        if self.body.places.is_empty() {
            return self.roots().iter().filter(wanted).filter_map(anchor).collect();
        }
        // A root is found by its own name where the leaf is it.
        let own = Some(leaf.subject().key()).filter(|own| issuers.binary_search(own).is_err());
        let keys = issuers.iter().copied().chain(own);
        keys.flat_map(|key| self.body.named(key)).filter(wanted).filter_map(anchor).collect()
    }

    /// The roots for mail as anchors of another source: what a user believes who gives this list as his own choice.
    pub fn anchors(&self, source: AnchorSource) -> Vec<Anchor> {
        let for_mail = self.roots().iter().filter(|root| root.uses.email && !self.distrusts(root));
        for_mail.filter_map(|root| root.anchor(source)).collect()
    }
}

/// What a list says of one root.
struct Told<'a> {
    name: &'a str,
    uses: Uses,
    distrust_after: Option<Time>,
    only_for: Vec<String>,
    names_verified: bool,
    fingerprint: [u8; 32],
    subject: Option<u64>,
    block: &'a str,
}

impl Told<'_> {
    /// The root, its certificate read: it must be the one that the list speaks of.
    fn read(self) -> Result<Root, String> {
        let name = self.name;
        if self.block.len() / 4 > CERTIFICATE_LIMIT / 3 {
            return Err("a certificate is larger than 256 KiB".to_owned());
        }
        let der = decoded(self.block).ok_or("a certificate is not base64")?;
        if crypto::sha256(&der) != self.fingerprint {
            return Err(format!("the certificate of {name:?} is not the one of this SHA-256"));
        }
        let certificate =
            Certificate::parse(&der).map_err(|malformed| format!("the certificate of {name:?}: {malformed}"))?;
        let subject = certificate.subject().key();
        if self.subject.is_some_and(|told| told != subject) {
            return Err(format!("the name of {name:?} has another key"));
        }
        let (der, certificate) = (OnceLock::from(der), OnceLock::from(Ok(certificate)));
        Ok(Root { der, certificate, ..self.root(subject) })
    }

    fn root(self, subject: u64) -> Root {
        let Self { name, uses, distrust_after, only_for, names_verified, fingerprint, .. } = self;
        Root {
            name: name.to_owned(),
            uses,
            distrust_after,
            only_for,
            names_verified,
            fingerprint,
            subject,
            block: "",
            der: OnceLock::new(),
            certificate: OnceLock::new(),
        }
    }
}

impl Told<'static> {
    /// The root, its certificate not looked at before somebody asks for it.
    fn believed(self) -> Result<Root, String> {
        let block = self.block;
        match self.subject {
            Some(subject) => Ok(Root { block, ..self.root(subject) }),
            None => self.read(),
        }
    }
}

/// The octets of a block of PEM.
fn decoded(block: &str) -> Option<Vec<u8>> {
    let lines = block.lines().map(str::trim_end).filter(|line| !says_nothing(line));
    STANDARD.decode(lines.collect::<String>()).ok()
}

/// Is a line empty, or a comment?
fn says_nothing(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// The head of a list, with what it says about the roots.
struct Head {
    told: Header,
    roots: usize,
    for_email: usize,
}

struct Reader<'a> {
    rest: &'a str,
    /// The line that was read last, from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, line: 0 }
    }

    fn problem(&self, why: impl Into<String>) -> ListProblem {
        ListProblem { line: self.line, why: why.into() }
    }

    /// The next line.
    fn line(&mut self) -> Option<&'a str> {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        let is_there = !self.rest.is_empty();
        self.rest = rest;
        self.line = self.line.saturating_add(usize::from(is_there));
        is_there.then(|| line.trim_end())
    }

    /// The next line that says something.
    fn next(&mut self) -> Option<&'a str> {
        std::iter::from_fn(|| self.line()).find(|line| !says_nothing(line))
    }

    /// Does a root begin next? Empty lines and comments before it are passed over.
    fn root_is_next(&mut self) -> bool {
        while self.rest.split('\n').next().is_some_and(|line| says_nothing(line.trim_end())) && self.line().is_some() {}
        self.rest.starts_with("name: ")
    }

    fn attribute(&self, line: &'a str) -> Result<(&'a str, &'a str), ListProblem> {
        line.split_once(": ").ok_or_else(|| self.problem("not an attribute such as `for: email`"))
    }

    fn header(&mut self) -> Result<Head, ListProblem> {
        let first = self.line().unwrap_or_default();
        self.line = 1;
        match first.strip_prefix(FIRST_LINE) {
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

    fn roots(
        &mut self,
        head: &Head,
        take: impl Fn(Told<'a>) -> Result<Root, String>,
    ) -> Result<Vec<Root>, ListProblem> {
        let most = head.roots.min(ROOT_LIMIT);
        let (mut roots, mut seen) = (Vec::<Root>::with_capacity(most), HashSet::with_capacity(most));
        while let Some(line) = self.next() {
            if roots.len() >= ROOT_LIMIT {
                return Err(self.problem("a list holds at most 10,000 roots"));
            }
            let told = self.root(line)?;
            let root = take(told).map_err(|why| self.problem(why))?;
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
    fn root(&mut self, first: &'a str) -> Result<Told<'a>, ListProblem> {
        let Some(name) = first.strip_prefix("name: ") else {
            return Err(self.problem("a root begins with its name"));
        };
        let (mut sha256, mut subject, mut uses, mut distrust_after) = (None, None, None, None);
        let (mut only_for, mut names_verified) = (Vec::new(), false);
        let label = loop {
            let line = self.next().ok_or_else(|| self.problem("the list ends before its last root does"))?;
            if let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
                break label;
            }
            let (attribute, value) = self.attribute(line)?;
            match attribute {
                "sha256" if sha256.is_none() => sha256 = Some(self.fingerprint(value)?),
                "subject" if subject.is_none() => subject = Some(self.key(value)?),
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
        let block = self.block(label)?;
        Ok(Told { name, uses, distrust_after, only_for, names_verified, fingerprint, subject, block })
    }

    /// What stands between the beginning of a block, which was read, and its end.
    fn block(&mut self, label: &str) -> Result<&'a str, ListProblem> {
        const END: &str = "-----END ";
        // Base64 has no hyphen, and one octet is found faster than many.
        let is_end = |at: &usize| {
            self.rest
                .split_at_checked(*at)
                .is_some_and(|(before, rest)| (before.is_empty() || before.ends_with('\n')) && rest.starts_with(END))
        };
        let ends = self.rest.match_indices('-').map(|(at, _)| at).find(is_end);
        let block = ends.and_then(|at| self.rest.split_at_checked(at));
        let Some((block, rest)) = block else { return Err(self.problem("the list ends inside a certificate")) };
        self.rest = rest;
        self.line = self.line.saturating_add(block.bytes().filter(|octet| *octet == b'\n').count());
        let end = self.line().and_then(|line| line.strip_prefix(END)?.strip_suffix("-----"));
        if end != Some(label) {
            return Err(self.problem("the end of a certificate is not labelled as its beginning"));
        }
        Ok(block)
    }

    fn key(&self, value: &str) -> Result<u64, ListProblem> {
        let is_written = value.len() == 16 && value.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let key = u64::from_str_radix(value, 16).ok().filter(|_| is_written);
        key.ok_or_else(|| self.problem("the key of a name is 16 digits in hexadecimal, in lower case"))
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

/// A SHA-256 from 64 hexadecimal digits, as `cert::hex` writes them.
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let mut out = [0u8; 32];
    let digit = |octet: &u8| match octet {
        b'0'..=b'9' => Some(octet.saturating_sub(b'0')),
        b'a'..=b'f' => Some(octet.saturating_sub(b'a').saturating_add(10)),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    for (octet, [high, low]) in out.iter_mut().zip(pairs) {
        *octet = digit(high)? << 4 | digit(low)?;
    }
    (rest.is_empty() && pairs.len() == out.len()).then_some(out)
}
