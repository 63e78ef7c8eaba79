//! What a sender calls himself: addresses, domains and organisations in a display name.

use kakitome_pki::address::{Address, Match};

use super::domain::Domain;
use super::skeleton::{hides, plain, skeleton};
use super::tables::{COMPANY_FORMS, COMPANY_WORDS, EXAMINED_SUFFIXES, NAMED_TOP_LEVELS, RESERVED_WORDS, SHARED};
use super::{Look, Sender, Shown};
use crate::answer::Class;
use crate::reason::Reason;
use crate::sender::expected::{Expectations, ProtectedName};

/// So many blanks in a row push what follows out of sight.
const PADDING: usize = 16;
/// A protected name of this many characters counts inside a longer name; a shorter one only where it is the whole.
const NAME_LENGTH: usize = 4;
/// The same for names in kanji and kana, which say more by fewer characters.
const KANJI_LENGTH: usize = 3;

/// Another address, or a domain that is not the sender's.
pub(super) fn carries(
    name: &str,
    longest_blank: usize,
    sender: &Sender<'_>,
    expectations: &Expectations,
) -> Option<Look> {
    let read = plain(name);
    let is_padded = longest_blank >= PADDING;
    for address in addresses(&read) {
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
    let is_shared = SHARED.contains(&domain.registered().as_str());
    let is_known = expectations.correspondents.iter().any(|known| known.matches(address) != Match::No);
    let registered = Domain::new(&domain.registered());
    !is_shared && !is_known && sender.domain.is_within(&registered)
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
    let others = expectations.protected.iter().filter(|one| !is_theirs(one, sender, shown.organisation));
    let named = others.into_iter().find_map(|one| Some((one, holds(name, &one.name)?)));
    if let Some((one, reason)) = named {
        return Some(Look { reason, like: Some(one.name.clone()) });
    }
    if hides(name) {
        return Some(Look { reason: Reason::LookBidi, like: None });
    }
    // Whoever is confirmed by his address alone, and calls himself what only the licensed may be called.
    let by_address_alone = matches!(shown.class, Class::Mailbox | Class::PreBr);
    let is_examined = EXAMINED_SUFFIXES.iter().any(|suffix| sender.domain.is_within(&Domain::new(suffix)));
    let read = plain(name);
    let is_known = sender.is_of(&expectations.protected.iter().flat_map(|one| one.senders.clone()).collect::<Vec<_>>());
    if by_address_alone && !is_examined && !is_known && RESERVED_WORDS.iter().any(|word| read.contains(word)) {
        return Some(Look { reason: Reason::BindDisplayOrganisation, like: None });
    }
    None
}

/// An organisation in the certificate that is written like a protected one, and is not it.
pub(super) fn certified(organisation: &str, sender: &Sender<'_>, expectations: &Expectations) -> Option<Look> {
    let others = expectations.protected.iter().filter(|one| !is_theirs(one, sender, Some(organisation)));
    let alike = |one: &&ProtectedName| essence(&skeleton(organisation)) == essence(&skeleton(&one.name));
    let one = others.into_iter().find(alike)?;
    let reason = if hides(organisation) { Reason::LookBidi } else { Reason::LookHomograph };
    Some(Look { reason, like: Some(one.name.clone()) })
}

/// Is the sender whom the name belongs to: one of its senders, or an organisation that was checked under this very name?
fn is_theirs(one: &ProtectedName, sender: &Sender<'_>, organisation: Option<&str>) -> bool {
    let written = |text: &str| essence(&text.to_lowercase());
    sender.is_of(&one.senders) || organisation.is_some_and(|organisation| written(organisation) == written(&one.name))
}

/// Does a display name hold a protected one, and how is it written?
fn holds(name: &str, protected: &str) -> Option<Reason> {
    let (look, wanted) = (essence(&skeleton(name)), essence(&skeleton(protected)));
    if !is_in(&look, &wanted) {
        return None;
    }
    Some(if !hides(name) && is_in(&essence(&name.to_lowercase()), &essence(&protected.to_lowercase())) {
        Reason::BindDisplayOrganisation
    } else if is_in(&essence(&plain(name)), &essence(&plain(protected))) {
        Reason::LookBidi
    } else {
        Reason::LookHomograph
    })
}

fn is_in(name: &str, wanted: &str) -> bool {
    if wanted.is_empty() || name == wanted {
        return !wanted.is_empty();
    }
    let length = wanted.chars().count();
    if wanted.is_ascii() {
        // whole words
        let words = format!(" {name} ");
        return length >= NAME_LENGTH && words.contains(&format!(" {wanted} "));
    }
    let joined: String = name.split(' ').collect();
    length >= KANJI_LENGTH && joined.contains(&wanted.split(' ').collect::<String>())
}

/// A name without the forms of companies, its words with one blank between.
fn essence(name: &str) -> String {
    let mut name = name.to_owned();
    for form in COMPANY_FORMS {
        name = name.replace(form, " ").replace(&skeleton(form), " ");
    }
    let words = name.split(|c: char| c.is_whitespace() || (c.is_ascii_punctuation() && c != '&'));
    let says = |word: &&str| !word.is_empty() && !COMPANY_WORDS.contains(word);
    words.filter(says).collect::<Vec<_>>().join(" ")
}
