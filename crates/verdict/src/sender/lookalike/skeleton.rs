//! How a text looks: what two texts share that a reader takes for each other.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection};

use super::tables::{LETTERS, PAIRS};

include!(concat!(env!("OUT_DIR"), "/confusables.rs"));

/// The skeleton of a text by UTS #39 §4, a few steps further: without case, accents of Latin letters, full-width forms
/// and characters that cannot be seen, and with the confusions of our own [`tables`](super::tables).
pub(super) fn skeleton(text: &str) -> String {
    let plain = plain(text);
    let mut out = String::with_capacity(plain.len());
    for c in confusable(&plain).flat_map(char::to_lowercase).nfd() {
        // The voicing marks of kana make other letters; accents of Latin ones are overlooked.
        if is_combining_mark(c) && !matches!(c, '\u{3099}' | '\u{309a}') {
            continue;
        }
        out.push(LETTERS.iter().find(|(written, _)| *written == c).map_or(c, |(_, taken)| *taken));
    }
    // Of `m` the skeleton is `rn`, so the pairs can only be told after it.
    for (pair, taken) in PAIRS {
        out = out.replace(pair, taken);
    }
    out
}

/// The skeleton by UTS #39 §4.
fn confusable(text: &str) -> impl Iterator<Item = char> {
    text.nfd().flat_map(prototype).nfd()
}

/// What a character is taken for; most are taken for themselves.
fn prototype(character: char) -> impl Iterator<Item = char> {
    let taken = WRITTEN.binary_search(&character).ok().and_then(|place| {
        let begin = place.checked_sub(1).and_then(|before| ENDS.get(before)).copied().unwrap_or_default();
        TAKEN.get(usize::from(begin)..usize::from(*ENDS.get(place)?))
    });
    let itself = taken.is_none().then_some(character);
    taken.unwrap_or_default().iter().copied().chain(itself)
}

/// The text as it is read aloud: compatibility forms (NFKC) and case do not count, and what cannot be seen is gone.
pub(super) fn plain(text: &str) -> String {
    text.nfkc().filter(|c| !is_unseen(*c)).flat_map(char::to_lowercase).collect()
}

/// Holds the text a character that changes how it is read, and cannot itself be seen? Joiners and variation selectors
/// stand in many names and in emoji, so they do not count.
pub(super) fn hides(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c,
            // directions embedded, overridden or isolated
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // no width at all
            | '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            | '\u{e0001}')
    })
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Mixes a label of a domain scripts that no language mixes (UTS #39 §5.2, Highly Restrictive), or holds what no label
/// may hold?
pub(super) fn mixes(label: &str) -> bool {
    !label.is_ascii() && (hides(label) || !label.check_restriction_level(RestrictionLevel::HighlyRestrictive))
}

/// The Latin label that a label in another script cannot be told from, letter by letter.
pub(super) fn latin_twin(label: &str) -> Option<String> {
    let foreign = label.chars().all(|c| !c.is_ascii_alphabetic()) && !label.is_ascii();
    let twin = foreign.then(|| as_latin(label))?;
    let is_label = twin.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_label && twin.bytes().any(|b| b.is_ascii_alphabetic())).then_some(twin)
}

/// The label with each character beyond ASCII as the letters that it looks like.
pub(super) fn as_latin(label: &str) -> String {
    let read = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => confusable(c.encode_utf8(&mut [0; 4])).flat_map(char::to_lowercase).collect(),
    };
    label.chars().map(read).collect()
}

/// Are two texts one slip of the hand apart: a letter more, less, other, or two in the wrong order?
pub(super) fn is_one_slip(one: &str, other: &str) -> bool {
    let (mut one, mut other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one == other {
        return false;
    }
    while one.first().is_some_and(|c| other.first() == Some(c)) {
        one.remove(0);
        other.remove(0);
    }
    while one.last().is_some_and(|c| other.last() == Some(c)) {
        one.pop();
        other.pop();
    }
    match (one.as_slice(), other.as_slice()) {
        ([_], [_] | []) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_has_one_skeleton() {
        for (one, other) in [
            ("mizuho", "rnizuho"),
            ("mizuho", "mizuh0"),
            ("paypal", "paypa1"),
            ("paypal", "PayPaI"),
            ("paypal", "раураӏ"),
            ("wise", "vvise"),
            ("docomo", "clocomo"),
            ("bank", "bаnk"),
            ("bank", "ｂａｎｋ"),
            ("bank", "ba\u{200b}nk"),
            ("bank", "\u{202e}bank\u{202c}"),
            ("bank", "bánk"),
            ("visa", "vi5a"),
            ("カード", "力一ド"),
            ("カード", "カ－ド"),
            ("カード", "ｶｰﾄﾞ"),
            ("ロボット", "口ボット"),
            ("エニタハ", "工二夕八"),
            ("ヘルプ", "へルプ"),
            ("キヤノン", "キャノン"),
            ("１２３", "123"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
        for (one, other) in
            [("bank", "tank"), ("例示", "例事"), ("カード", "ガード"), ("ハナ", "バナ"), ("mail", "rail")]
        {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }

    #[test]
    fn the_tables_say_what_unicode_says() {
        for character in '\0'..=char::MAX {
            let mut octets = [0; 4];
            let text = character.encode_utf8(&mut octets);
            assert!(confusable(text).eq(unicode_security::skeleton(text)), "{character:?}");
        }
        let text = "ﬁ rnﾊ\u{3099}가\u{301}a\u{323}\u{307}m";
        assert!(confusable(text).eq(unicode_security::skeleton(text)));
    }

    #[test]
    fn scripts_are_told_apart() {
        for (label, mixed, twin) in [
            ("bank", false, None),
            ("bаnk", true, None),
            ("раура", false, Some("paypa")),
            ("сбербанк", false, None),
            ("bücher", false, None),
            ("例示bank", false, None),
            ("カード", false, None),
            ("例え", false, None),
            ("ρaypal", true, None),
            ("ba\u{200b}nk", true, None),
            ("한국", false, None),
        ] {
            assert_eq!((mixes(label), latin_twin(label).as_deref()), (mixed, twin), "{label}");
        }
    }

    #[test]
    fn one_slip_is_one() {
        for (one, other, expected) in [
            ("rakuten", "rakutne", true),
            ("rakuten", "rakutenn", true),
            ("rakuten", "rakuen", true),
            ("rakuten", "rakuden", true),
            ("rakuten", "rakuten", false),
            ("rakuten", "rakutan1", false),
            ("rakuten", "tenraku", false),
            ("", "a", true),
        ] {
            assert_eq!(is_one_slip(one, other), expected, "{one} {other}");
            assert_eq!(is_one_slip(other, one), expected, "{other} {one}");
        }
    }
}
