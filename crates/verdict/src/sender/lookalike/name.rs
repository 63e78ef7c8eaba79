//! What a sender calls himself: addresses, domains and organisations in a display name.

use kakitome_pki::address::{Address, Match};

use super::domain::Domain;
use super::skeleton::{hides, plain, skeleton};
use super::tables::{COMPANY_FORMS, COMPANY_WORDS, NAMED_TOP_LEVELS, RESERVED_WORDS};
use super::{Look, Sender, Shown};
use crate::answer::Class;
use crate::reason::Reason;
use crate::sender::expected::{Expectations, ProtectedName};

/// So many blanks in a row push what follows out of sight.
const PADDING: usize = 16;
/// A protected name of so many characters counts as words of a longer name; a shorter one only where it is the whole.
const NAME_LENGTH: usize = 4;
/// In kanji and kana, which need no blanks between words: from this many characters on it counts anywhere.
const KANJI_LENGTH: usize = 4;
/// From this many on, as words of a longer name.
const KANJI_WORD_LENGTH: usize = 2;

/// Another address, or a domain that is not the sender's.
pub(super) fn carries(
    name: &str,
    longest_blank: usize,
    sender: &Sender<'_>,
    expectations: &Expectations,
) -> Option<Look> {
    // Programs take the full stop of Japanese for the dot of a domain (UTS #46 §4).
    let read = plain(name).replace('\u{3002}', ".");
    // Behind RIGHT-TO-LEFT OVERRIDE a reader sees the last letter first.
    let turned = name.contains('\u{202e}').then(|| read.chars().rev().collect::<String>());
    let is_padded = longest_blank >= PADDING;
    let written = turned.iter().chain([&read]).flat_map(|read| addresses(read));
    for address in written {
        if is_his(&address, sender, expectations) {
            continue;
        }
        let reason = if is_padded { Reason::BindDisplayPad } else { Reason::BindDisplayAddress };
        return Some(Look { reason, like: Some(address.to_string()) });
    }
    let domain = domains(&read).into_iter().find(|domain| {
        let registered = Domain::new(&domain.registered());
        !sender.domain.is_within(&registered)
    })?;
    Some(Look { reason: Reason::BindDisplayDomain, like: Some(domain.text()) })
}

/// Is the address in a name the sender's own, or that of an office beside his?
fn is_his(address: &Address, sender: &Sender<'_>, expectations: &Expectations) -> bool {
    if address.matches(sender.address) != Match::No {
        return true;
    }
    let domain = Domain::new(address.domain());
    let is_known = expectations.correspondents.iter().any(|known| known.matches(address) != Match::No);
    let registered = Domain::new(&domain.registered());
    !domain.is_shared() && !is_known && sender.domain.is_within(&registered)
}

/// What has the form of an address.
pub(in crate::sender) fn addresses(name: &str) -> Vec<Address> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    let mut found = Vec::new();
    for (place, at) in name.match_indices('@') {
        let (before, behind) = (name.get(..place).unwrap_or_default(), name.get(place.saturating_add(at.len())..));
        let behind = behind.unwrap_or_default();
        let local = before.rsplit(|c| !is_part(c)).next().unwrap_or_default();
        let domain = behind.split(|c| !is_part(c)).next().unwrap_or_default();
        let domain = domain.trim_end_matches(['.', '-', '_']);
        let is_named =
            domain.rsplit_once('.').is_some_and(|(_, top)| top.chars().filter(|c| c.is_alphabetic()).count() > 1);
        if let (true, Ok(address)) = (is_named, Address::parse(&format!("{}@{domain}", local.trim_matches('.')))) {
            found.push(address);
        }
    }
    found
}

/// Words that have the form of a domain.
fn domains(name: &str) -> Vec<Domain> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '@'));
    let is_domain = |word: &&str| {
        let Some((rest, top)) = word.rsplit_once('.') else { return false };
        let label = rest.rsplit('.').next().unwrap_or_default();
        NAMED_TOP_LEVELS.contains(&top) && label.len() > 1 && Address::parse(&format!("x@{word}")).is_ok()
    };
    words.map(|word| word.trim_matches(['.', '-'])).filter(is_domain).map(Domain::new).collect()
}

/// An organisation or a person that the sender is not, as far as anybody vouches for it.
pub(super) fn claims(name: &str, sender: &Sender<'_>, shown: &Shown<'_>, expectations: &Expectations) -> Option<Look> {
    let read = Name::new(name);
    for one in &expectations.protected {
        if let Some(reason) = read.holds(&Name::new(&one.name)).filter(|_| !is_theirs(one, sender, shown.organisation))
        {
            return Some(Look { reason, like: Some(one.name.clone()) });
        }
    }
    if hides(name) {
        return Some(Look { reason: Reason::LookBidi, like: None });
    }
    // Whoever is confirmed by his address alone, and calls himself what only the licensed may be called.
    let by_address_alone = matches!(shown.class, Class::Mailbox | Class::PreBr);
    let is_known = || expectations.protected.iter().any(|one| sender.is_of(&one.senders));
    let is_reserved = RESERVED_WORDS.iter().any(|word| read.plain.contains(word));
    if by_address_alone && is_reserved && !sender.domain.is_examined() && !is_known() {
        return Some(Look { reason: Reason::BindDisplayOrganisation, like: None });
    }
    None
}

/// An organisation in the certificate that is written like a protected one, and is not it.
pub(super) fn certified(organisation: &str, sender: &Sender<'_>, expectations: &Expectations) -> Option<Look> {
    let read = Name::new(organisation);
    let alike = |one: &&ProtectedName| Name::new(&one.name).look == read.look;
    let one = expectations.protected.iter().filter(alike).find(|one| !is_theirs(one, sender, Some(organisation)))?;
    let reason = if hides(organisation) { Reason::LookBidi } else { Reason::LookHomograph };
    Some(Look { reason, like: Some(one.name.clone()) })
}

/// Is the sender whom the name belongs to: one of its senders, or an organisation that was checked under this very name?
fn is_theirs(one: &ProtectedName, sender: &Sender<'_>, organisation: Option<&str>) -> bool {
    let written = |text: &str| essence(&text.to_lowercase());
    sender.is_of(&one.senders) || organisation.is_some_and(|organisation| written(organisation) == written(&one.name))
}

/// A name as it is written, as it is read aloud, and as it looks; each without the forms of companies, its words with one
/// blank between.
struct Name {
    written: String,
    plain: String,
    look: String,
    hides: bool,
}

impl Name {
    fn new(name: &str) -> Self {
        let plain = essence(&plain(name));
        Self { written: essence(&name.to_lowercase()), look: skeleton(&plain), plain, hides: hides(name) }
    }

    /// Does it hold a protected name, and how is that written?
    fn holds(&self, protected: &Self) -> Option<Reason> {
        let length = protected.plain.chars().filter(|c| c.is_alphanumeric()).count();
        if !is_in(&self.look, &protected.look, length) {
            return None;
        }
        Some(if !self.hides && is_in(&self.written, &protected.written, length) {
            Reason::BindDisplayOrganisation
        } else if is_in(&self.plain, &protected.plain, length) {
            Reason::LookBidi
        } else {
            Reason::LookHomograph
        })
    }
}

/// Does a name of this essence hold one of that, which has `length` letters?
fn is_in(name: &str, wanted: &str, length: usize) -> bool {
    if wanted.is_empty() || name == wanted {
        return !wanted.is_empty();
    }
    if wanted.is_ascii() {
        // a single word is the family name of many people, and stands last then
        let is_one = !wanted.contains(' ');
        let (name, wanted) = (format!(" {name} "), format!(" {wanted} "));
        return length >= NAME_LENGTH && if is_one { name.starts_with(&wanted) } else { name.contains(&wanted) };
    }
    let joined = |text: &str| text.split(' ').collect::<String>();
    (length >= KANJI_WORD_LENGTH && format!(" {name} ").contains(&format!(" {wanted} ")))
        || (length >= KANJI_LENGTH && joined(name).contains(&joined(wanted)))
}

fn essence(name: &str) -> String {
    let mut name = name.to_owned();
    for form in COMPANY_FORMS {
        if name.contains(form) {
            name = name.replace(form, " ");
        }
    }
    let words = name.split(|c: char| c.is_whitespace() || (c.is_ascii_punctuation() && c != '&'));
    let says = |word: &&str| !word.is_empty() && !COMPANY_WORDS.contains(word);
    words.filter(says).collect::<Vec<_>>().join(" ")
}
