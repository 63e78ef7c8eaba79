//! Domains that look like one that the reader knows.

use std::cell::OnceCell;

use kakitome_pki::address::unicode_domain;

use super::skeleton::{as_latin, is_one_slip, latin_twin, mixes, skeleton};
use super::tables::{ADDED_WORDS, EXAMINED_SUFFIXES, REGISTRY_LABELS, SHARED};
use crate::reason::Reason;

/// A slip counts in labels of this many characters or more; in shorter ones it is often another word.
const SLIP_LENGTH: usize = 8;
/// Under another suffix, or with words added, a label counts from this many characters on.
const LABEL_LENGTH: usize = 5;

/// A domain, as people read it.
pub(super) struct Domain {
    labels: Vec<String>,
    /// Of each label. Most domains are held against others by their labels alone, and skeletons cost.
    skeletons: OnceCell<Vec<String>>,
}

impl Domain {
    pub(super) fn new(domain: &str) -> Self {
        let labels = unicode_domain(domain).split('.').map(str::to_owned).collect();
        Self { labels, skeletons: OnceCell::new() }
    }

    fn skeletons(&self) -> &[String] {
        self.skeletons.get_or_init(|| self.labels.iter().map(|label| skeleton(label)).collect())
    }

    /// Is it this domain, or one below it?
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.labels.ends_with(&other.labels)
    }

    /// The domain, as people read it.
    pub(super) fn text(&self) -> String {
        self.labels.join(".")
    }

    /// Does the registry look at whom it gives such a domain to?
    pub(super) fn is_examined(&self) -> bool {
        EXAMINED_SUFFIXES
            .iter()
            .any(|suffix| self.labels.ends_with(&suffix.split('.').map(str::to_owned).collect::<Vec<_>>()))
    }

    /// Can anybody have an address there? Then it is a provider's, and known.
    pub(super) fn is_shared(&self) -> bool {
        SHARED.contains(&self.registered().as_str())
    }

    /// How many labels the registry keeps to itself.
    fn suffix(&self) -> usize {
        match self.labels.as_slice() {
            [.., second, top]
                if top.len() == 2 && REGISTRY_LABELS.contains(&second.as_str()) && self.labels.len() > 2 =>
            {
                2
            }
            _ => 1,
        }
    }

    /// Where the label is that somebody chose: the one before the suffix.
    fn chosen(&self) -> Option<usize> {
        self.labels.len().checked_sub(self.suffix())?.checked_sub(1)
    }

    /// What somebody registered: the label that he chose, and the suffix.
    pub(super) fn registered(&self) -> String {
        self.chosen().and_then(|place| self.labels.get(place..)).unwrap_or_default().join(".")
    }
}

/// Can a reader take the domain for this one, which it is not? `closely` asks for what its owner's name alone suggests:
/// words added to it, and other suffixes.
pub(super) fn alike(domain: &Domain, known: &Domain, closely: bool) -> Option<Reason> {
    let (Some(own), Some(theirs)) = (domain.chosen(), known.chosen()) else { return None };
    let (Some(label), Some(known_label)) = (domain.labels.get(own), known.labels.get(theirs)) else { return None };
    let (Some(look), Some(known_look)) = (domain.skeletons().get(own), known.skeletons().get(theirs)) else {
        return None;
    };
    // Whoever registered it decides about all that is below.
    let same_suffix = domain.labels.get(own.saturating_add(1)..) == known.labels.get(theirs.saturating_add(1)..);
    if same_suffix && label == known_label {
        return None;
    }
    if label != known_label && look == known_look {
        return Some(if label.is_ascii() { Reason::LookSimilar } else { Reason::LookHomograph });
    }
    if poses_below(domain, known) {
        return Some(Reason::LookSimilar);
    }
    let length = known_label.chars().count();
    if same_suffix && length >= SLIP_LENGTH && is_one_slip(look, known_look) {
        return Some(Reason::LookSimilar);
    }
    // Companies have namesakes and daughters. Where a registry looks at who registers, the namesake is one; and whose name
    // the label of a domain is of which a reader knows a part alone, cannot be told.
    let counts = closely && theirs == 0 && length >= LABEL_LENGTH && !domain.is_examined() && !domain.is_shared();
    (counts && (label == known_label || adds_words(look, known_look))).then_some(Reason::LookSimilar)
}

/// `bank.example.evil.example`, `bank-example.evil.example`: the known name stands in front, where a narrow screen ends.
fn poses_below(domain: &Domain, known: &Domain) -> bool {
    let (skeletons, known) = (domain.skeletons(), known.skeletons());
    // At the latest the label that somebody chose ends it: `nec.com.au` is a country's, and no `nec.com` below another.
    let last = domain.chosen().unwrap_or_default();
    let ends = |place: usize| place.saturating_add(known.len()).saturating_sub(1);
    let mut in_front = skeletons.windows(known.len()).enumerate();
    in_front.any(|(place, labels)| labels == known && ends(place) <= last) || skeletons.contains(&known.join("-"))
}

/// Is it the known label with words around it: `mizuho-bank`, `login-mizuho`, `mizuhobank`?
fn adds_words(label: &str, known: &str) -> bool {
    if label.split('-').count() > 1
        && (label.starts_with(&format!("{known}-")) || label.ends_with(&format!("-{known}")))
    {
        return true;
    }
    let rest = label.strip_prefix(known).or_else(|| label.strip_suffix(known));
    rest.is_some_and(|rest| ADDED_WORDS.iter().any(|word| skeleton(word) == rest.trim_matches('-')))
}

/// Does a label pose as another by its letters alone, whoever that may be? With what it poses as, where that can be
/// told.
pub(super) fn poses(domain: &Domain) -> Option<String> {
    let top_is_latin = domain.labels.last().is_some_and(|top| top.is_ascii());
    let twins: Vec<Option<String>> = domain
        .labels
        .iter()
        .map(|label| {
            let twin = latin_twin(label).filter(|_| top_is_latin);
            twin.or_else(|| mixes(label).then(|| as_latin(label)))
        })
        .collect();
    if twins.iter().all(Option::is_none) {
        return None;
    }
    let read = |(label, twin): (&String, Option<String>)| twin.unwrap_or_else(|| label.clone());
    Some(domain.labels.iter().zip(twins).map(read).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_look_alike_or_do_not() {
        use Reason::{LookHomograph, LookSimilar};
        // (known, other, whoever knows it, where the name is protected)
        let rows = [
            ("mizuho.example", "rnizuho.example", Some(LookSimilar), Some(LookSimilar)),
            ("mizuho.example", "mail.rnizuho.example", Some(LookSimilar), Some(LookSimilar)),
            ("mizuho.example", "mizuh0.test", Some(LookSimilar), Some(LookSimilar)),
            ("bank.example", "xn--bnk-6cd.example", Some(LookHomograph), Some(LookHomograph)),
            ("bank.example", "bánk.example", Some(LookHomograph), Some(LookHomograph)),
            ("bank.example", "bank.example.evil.example", Some(LookSimilar), Some(LookSimilar)),
            ("bank.example", "mail.bank.example.evil.example", Some(LookSimilar), Some(LookSimilar)),
            ("amazon.co.jp", "amazon.co.jp.test", Some(LookSimilar), Some(LookSimilar)),
            ("nec.com", "mail.nec.com.au", None, None),
            ("bank.example", "bank-example.evil.example", Some(LookSimilar), Some(LookSimilar)),
            ("mizuho-bank.example", "mizuho-bank.example.attacker.example", Some(LookSimilar), Some(LookSimilar)),
            ("rakuten.co.jp", "rakutem.co.jp", None, None),
            ("yamatofinancial.jp", "yamatofinancal.jp", Some(LookSimilar), Some(LookSimilar)),
            ("yamatofinancial.jp", "yamatofinancal.com", None, None),
            ("mizuho.example", "mizuho.test", None, Some(LookSimilar)),
            ("mizuho.example", "mizuho-bank.example", None, Some(LookSimilar)),
            ("mizuho.example", "login-mizuho.test", None, Some(LookSimilar)),
            ("mizuho.example", "mizuhocard.test", None, Some(LookSimilar)),
            ("mizuho.example", "mizuhonomori.test", None, None),
            ("mizuho.example", "mizuho-bank.co.jp", None, None),
            ("mizuho.example", "mizuho.co.jp", None, None),
            ("mizuho.example", "rnizuho.co.jp", Some(LookSimilar), Some(LookSimilar)),
            ("mail.mizuho.example", "mizuho.test", None, None),
            ("mail.mizuho.example", "news.mizuho.example", None, None),
            ("bank.example", "bank.test", None, None),
            ("bank.example", "tank.example", None, None),
            ("example-bank.co.jp", "example-bank.com", None, Some(LookSimilar)),
            ("例示銀行.example", "例示銀行.test", None, None),
        ];
        for (known, other, alone, closely) in rows {
            let (known, other) = (Domain::new(known), Domain::new(other));
            let found = (alike(&other, &known, false), alike(&other, &known, true));
            assert_eq!(found, (alone, closely), "{} {}", known.text(), other.text());
        }
    }

    #[test]
    fn some_letters_pose_by_themselves() {
        for (domain, as_what) in [
            ("xn--bnk-6cd.example", Some("bank.example")),
            ("раура.example", Some("paypa.example")),
            ("раура.рф", None),
            ("сбербанк.example", None),
            ("xn--bcher-kva.example", None),
            ("例示銀行.example", None),
            ("bank.example", None),
        ] {
            assert_eq!(poses(&Domain::new(domain)).as_deref(), as_what, "{domain}");
        }
    }

    #[test]
    fn the_registered_part_is_found() {
        for (domain, registered) in [
            ("mail.bank.example", "bank.example"),
            ("mail.bank.co.jp", "bank.co.jp"),
            ("bank.tokyo", "bank.tokyo"),
            ("co.jp", "co.jp"),
            ("example", ""),
        ] {
            assert_eq!(Domain::new(domain).registered(), registered, "{domain}");
        }
    }
}
