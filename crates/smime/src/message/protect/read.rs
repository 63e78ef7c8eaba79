//! Which fields a payload protects, and how each of them is protected (RFC 9788 §4.1 to §4.3, §4.10, §4.11).

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::{Form, Protected, ProtectedField, Protection, is_composed, plain};
use crate::Finding;
use crate::mime::address;
use crate::mime::header::{ContentType, Encoding, Header, decode};
use crate::mime::scan::{Entity, Structure, scan_header};
use crate::octets::Octets;

/// The cryptographic layers around a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// A signature over it verified. A bad one protects nothing, and says so elsewhere (RFC 9788 §4.3.1).
    pub signed: bool,
    /// It came out of an encryption.
    pub encrypted: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The fields, if the payload protects any.
    pub protected: Option<Protected>,
    /// What is odd about its claims.
    pub findings: Vec<Finding>,
}

/// Reads the protection that a payload claims: the part `payload` of a structure, the root of what the innermost layer
/// covers. `outer` is the header of the mail as it came.
///
/// # Errors
/// The environment's.
pub fn read(
    outer: &Header,
    octets: &dyn Octets,
    structure: &Structure,
    payload: usize,
    around: Around,
) -> io::Result<Reading> {
    // A layer is no payload: what it protects stands deeper.
    let root = structure.entity(payload).filter(|root| !is_layer(&root.content_type));
    let Some(root) = root else { return Ok(Reading::default()) };
    let mut findings = Vec::new();
    let form = match stated(&root.content_type) {
        Ok(form) => form,
        Err(finding) => {
            findings.push(finding);
            return Ok(Reading { protected: None, findings });
        }
    };
    let inside = (payload.saturating_add(1)..structure.entities.len())
        .filter_map(|number| structure.entity(number))
        .filter(|entity| entity.depth > root.depth);
    findings.extend(inside.filter_map(claim).next());
    if outer.all("HP-Outer").next().is_some() {
        findings.push(Finding::new("hp.outer-ignored", "HP-Outer stands outside the protection"));
    }
    let (form, wrapped) = match form {
        Some(form) => (form, None),
        None => match legacy(outer, octets, root)? {
            Legacy::Draft => (Form::Draft, None),
            Legacy::Wrapped(inner) => (Form::Wrapped, Some(inner)),
            Legacy::None => return Ok(Reading { protected: None, findings }),
        },
    };
    let header = wrapped.as_deref().map_or(&root.header, |inner| &inner.header);
    let recorded = header.all("HP-Outer").next().is_some();
    // RFC 9788 §10.2: what a payload says of itself is never taken for a layer that is not there.
    match (form, around.encrypted) {
        (Form::Cipher, false) => {
            findings.push(Finding::new("hp.cipher-clear", "hp=\"cipher\" in a mail that was not encrypted"))
        }
        (Form::Clear, true) => findings.push(Finding::new("hp.clear-cipher", "hp=\"clear\" in an encrypted mail")),
        (Form::Draft | Form::Wrapped, _) => findings.push(Finding::new("hp.inferred", form.name())),
        _ => {}
    }
    let hides = form == Form::Cipher && around.encrypted;
    // RFC 9788 §2.2: HP-Outer means something in the payload of an encrypted mail alone.
    if recorded && !hides {
        findings.push(Finding::new("hp.outer-ignored", "HP-Outer in a payload that was not encrypted by its sender"));
    }
    let sent = if hides {
        Some(recorded_outside(header, &mut findings))
    } else {
        // RFC 9788 §4.10.2: nothing is recorded inside, so what stands outside is taken for what was put there.
        (!form.is_stated() && around.encrypted).then(|| composed(outer))
    };
    let is_hidden_read = around.encrypted && form != Form::Clear;
    let fields = fields(outer, header, sent.as_deref(), around, is_hidden_read);
    let mut from = header.all("From");
    let first = from.next().map(|field| header.value(field).to_vec());
    let from_count = usize::from(first.is_some()).saturating_add(from.count());
    let from = first.filter(|_| from_count == 1);
    Ok(Reading { protected: Some(Protected { form, fields, from, from_count, sent }), findings })
}

/// A claim of protection in a mail that has no layer at its root: it says nothing (RFC 9788 §4.1), and another program
/// may believe it.
pub fn misplaced(structure: &Structure) -> Option<Finding> {
    let outer = &structure.root().header;
    if outer.all("HP-Outer").next().is_some() {
        return Some(Finding::new("hp.outer-ignored", "HP-Outer stands outside any protection"));
    }
    structure.entities.iter().find_map(claim)
}

fn claim(entity: &Entity) -> Option<Finding> {
    let claims = entity.content_type.parameters.iter().any(|(name, _)| name == "hp");
    claims.then(|| {
        Finding::new(
            "hp.misplaced",
            format!("hp on a part that is not the protected root ({})", entity.content_type.essence()),
        )
    })
}

/// The hp parameter (RFC 9788 §4.1), or what is wrong with it.
fn stated(content_type: &ContentType) -> Result<Option<Form>, Finding> {
    let mut values = content_type.parameters.iter().filter(|(name, _)| name == "hp");
    let Some((_, value)) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Finding::new("hp.malformed", "the parameter hp stands twice"));
    }
    match value.to_ascii_lowercase().as_str() {
        "clear" => Ok(Some(Form::Clear)),
        "cipher" => Ok(Some(Form::Cipher)),
        _ => Err(Finding::new("hp.malformed", format!("hp has the value «{value}»"))),
    }
}

enum Legacy {
    None,
    Draft,
    Wrapped(Box<Entity>),
}

/// The forms that were written before RFC 9788.
fn legacy(outer: &Header, octets: &dyn Octets, root: &Entity) -> io::Result<Legacy> {
    let draft = root.content_type.parameter("protected-headers");
    if !root.content_type.is("message", "rfc822") {
        return Ok(if draft.is_some() { Legacy::Draft } else { Legacy::None });
    }
    if !matches!(root.encoding, Encoding::SevenBit | Encoding::EightBit | Encoding::Binary) {
        return Ok(Legacy::None);
    }
    let inner = scan_header(octets, root.body.clone())?;
    let header = &inner.header;
    // RFC 9788 §4.10.1: no layer of its own, and no word of hp.
    let types = header.all("Content-Type").count();
    let content_type = &inner.content_type;
    if is_layer(content_type)
        || types > 1
        || header.malformed
        || header.over_limit
        || content_type.parameter("hp").is_some()
    {
        return Ok(Legacy::None);
    }
    let forwarded = root.content_type.parameter("forwarded").map(str::to_ascii_lowercase);
    let is_wrapped = match (forwarded.as_deref(), draft) {
        (Some("yes"), _) => false,
        (Some("no"), _) | (_, Some(_)) => true,
        // Deviates: RFC 9788 §4.10.1 takes every message for a wrapped one, and a mail that somebody forwards and signs
        // would then be taken for a false From. One who wraps writes himself on both.
        _ => same_author(outer, header),
    };
    Ok(if is_wrapped { Legacy::Wrapped(Box::new(inner)) } else { Legacy::None })
}

fn is_layer(content_type: &ContentType) -> bool {
    content_type.is("multipart", "signed")
        || content_type.is("multipart", "encrypted")
        || content_type.subtype.ends_with("pkcs7-mime")
}

fn same_author(outer: &Header, inner: &Header) -> bool {
    let author = |header: &Header| {
        let mailbox = address::author(header).ok()?;
        kakitome_pki::address::Address::parse(&mailbox.address).ok()
    };
    author(outer)
        .zip(author(inner))
        .is_some_and(|(outer, inner)| outer.matches(&inner) != kakitome_pki::address::Match::No)
}

/// The composed fields of a header, as they stand.
fn composed(header: &Header) -> Vec<(String, Vec<u8>)> {
    let fields = header.fields.iter().filter(|field| is_composed(header.name(field)));
    fields.map(|field| (header.name(field).to_owned(), plain(header.value(field)))).collect()
}

/// What the sender put outside, by his own record (RFC 9788 §4.2.1).
fn recorded_outside(header: &Header, findings: &mut Vec<Finding>) -> Vec<(String, Vec<u8>)> {
    let mut sent = Vec::new();
    let mut odd = None;
    for field in header.all("HP-Outer") {
        let value = plain(header.value(field));
        let colon = value.iter().position(|octet| *octet == b':').unwrap_or(value.len());
        let (name, rest) = value.split_at_checked(colon).unwrap_or_default();
        let name = String::from_utf8_lossy(name.trim_ascii_end()).into_owned();
        if name.is_empty() || rest.is_empty() || !is_composed(&name) || header.all(&name).next().is_none() {
            odd = Some(name);
            continue;
        }
        sent.push((name, rest.get(1..).unwrap_or_default().trim_ascii_start().to_vec()));
    }
    if let Some(name) = odd {
        let what = format!("HP-Outer names «{name}», which the payload does not protect");
        findings.push(Finding::new("hp.outer-ignored", what));
    }
    sent
}

/// What the sender put outside for a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Placed<'a> {
    /// What stands inside.
    AsInside,
    /// Something else.
    Instead(&'a [u8]),
    /// Nothing.
    Nowhere,
}

/// The name of a field, whose case does not count.
struct Caseless<'a>(&'a str);

impl Ord for Caseless<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let own = self.0.bytes().map(|octet| octet.to_ascii_lowercase());
        own.cmp(other.0.bytes().map(|octet| octet.to_ascii_lowercase()))
    }
}

impl PartialOrd for Caseless<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Caseless<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Caseless<'_> {}

/// The fields of a header that were composed. `sent` is what the sender put outside; `None`: these very fields.
fn fields(
    outer: &Header,
    header: &Header,
    sent: Option<&[(String, Vec<u8>)]>,
    around: Around,
    reads_hidden: bool,
) -> Vec<ProtectedField> {
    let inside = composed(header);
    // Each name has a number: fields of one name are compared with each other.
    let mut names: BTreeMap<Caseless<'_>, usize> = BTreeMap::new();
    let mut of_name = Vec::with_capacity(inside.len());
    for (name, _) in &inside {
        let next = names.len();
        of_name.push(*names.entry(Caseless(name)).or_insert(next));
    }
    // Exact pairs first: such a field everybody could read. What is left of a name was put there instead.
    let mut placed: Vec<Placed<'_>> = vec![Placed::AsInside; inside.len()];
    if let Some(sent) = sent {
        let mut records: Vec<VecDeque<&Vec<u8>>> = vec![VecDeque::new(); names.len()];
        for (name, value) in sent {
            let known = names.get(&Caseless(name)).and_then(|number| records.get_mut(*number));
            known.into_iter().for_each(|values| values.push_back(value));
        }
        for (((_, value), number), place) in inside.iter().zip(&of_name).zip(placed.iter_mut()) {
            let same = records.get_mut(*number).and_then(|all| {
                let at = all.iter().position(|other| *other == value)?;
                all.remove(at)
            });
            *place = if same.is_some() { Placed::AsInside } else { Placed::Nowhere };
        }
        for (number, place) in of_name.iter().zip(placed.iter_mut()) {
            if *place == Placed::Nowhere {
                let instead = records.get_mut(*number).and_then(VecDeque::pop_front);
                *place = instead.map_or(Placed::Nowhere, |value| Placed::Instead(value));
            }
        }
    }
    // The nth field of a name is compared with the nth outside; a field that was left out there takes what remains.
    let mut outside: Vec<VecDeque<String>> = vec![VecDeque::new(); names.len()];
    for field in &outer.fields {
        let known = names.get(&Caseless(outer.name(field))).and_then(|number| outside.get_mut(*number));
        known.into_iter().for_each(|values| values.push_back(decode(outer.value(field))));
    }
    let mut shown: Vec<Option<String>> = vec![None; inside.len()];
    for was_sent in [true, false] {
        for ((number, place), shown) in of_name.iter().zip(&placed).zip(shown.iter_mut()) {
            if (*place != Placed::Nowhere) == was_sent {
                *shown = outside.get_mut(*number).and_then(VecDeque::pop_front);
            }
        }
    }
    drop(names);
    let rows = inside.into_iter().zip(placed).zip(shown);
    rows.map(|(((name, raw), place), outer)| {
        let is_hidden = reads_hidden && place != Placed::AsInside;
        let inner = decode(&raw);
        let sent = match place {
            Placed::Instead(value) if reads_hidden => Some(decode(value)),
            Placed::Nowhere if reads_hidden => None,
            _ => Some(inner.clone()),
        };
        ProtectedField {
            sent,
            inner,
            name,
            raw,
            outer,
            protection: match (is_hidden, around.signed) {
                (true, true) => Protection::SignedAndEncrypted,
                (true, false) => Protection::EncryptedOnly,
                (false, true) => Protection::SignedOnly,
                (false, false) => Protection::Unprotected,
            },
        }
    })
    .collect()
}
