//! Codes that people read to each other and type: passwords of key files, codes of offered files.

use std::fmt;

use kakitome_pki::crypto::{NoRandomness, Random, sha256};
use zeroize::Zeroizing;

/// What a code is made of: no two that look alike, and as many as five bits tell apart.
const LETTERS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
/// Letters of a code: 125 bits, so that a hash of it needs no stretching.
const GENERATED: usize = 25;
/// Letters of a group.
const GROUP: usize = 5;

/// A code. It leaves memory when it is dropped, and shows itself only where it is asked to.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// Draws a new one: five groups of five letters.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, NoRandomness> {
        let mut octets = Zeroizing::new([0u8; GENERATED]);
        random.fill(octets.as_mut_slice())?;
        let mut text = Zeroizing::new(String::with_capacity(GENERATED.saturating_add(GROUP)));
        for (at, octet) in octets.iter().enumerate() {
            if at > 0 && at.is_multiple_of(GROUP) {
                text.push('-');
            }
            text.push(LETTERS.get(usize::from(octet & 31)).copied().map_or('2', char::from));
        }
        Ok(Self(text))
    }

    /// Reads one as somebody typed it: hyphens and blanks may be missing, letters may be large or full-width. `None`
    /// where it cannot be one.
    pub fn parse(typed: &str) -> Option<Self> {
        // Twice the letters leaves room for every way to set them apart.
        if typed.chars().count() > 4 * GENERATED {
            return None;
        }
        let mut text = Zeroizing::new(String::with_capacity(GENERATED.saturating_add(GROUP)));
        let mut count = 0usize;
        for letter in typed.chars().filter(|letter| !letter.is_whitespace() && !is_hyphen(*letter)) {
            let letter = narrow(letter).to_ascii_lowercase();
            if !u8::try_from(letter).is_ok_and(|letter| LETTERS.contains(&letter)) || count == GENERATED {
                return None;
            }
            if count > 0 && count.is_multiple_of(GROUP) {
                text.push('-');
            }
            text.push(letter);
            count = count.saturating_add(1);
        }
        (count == GENERATED).then_some(Self(text))
    }

    /// The code itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

/// What Japanese and other keyboards give for a hyphen.
fn is_hyphen(letter: char) -> bool {
    matches!(letter, '-' | '‐' | '‑' | '–' | '—' | '−' | 'ー' | '－')
}

/// Full-width letters and digits as the plain ones.
fn narrow(letter: char) -> char {
    match letter {
        '！'..='～' => char::from_u32(u32::from(letter).saturating_sub(0xfee0)).unwrap_or(letter),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use kakitome_pki::crypto::SystemRandom;

    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = Code::generate(&SystemRandom).unwrap();
        assert_eq!(code.reveal().len(), GENERATED + 4);
        let wide: String = code
            .reveal()
            .chars()
            .map(|c| if c == '-' { 'ー' } else { char::from_u32(u32::from(c) + 0xfee0).unwrap() })
            .collect();
        let rows = [
            code.reveal().to_owned(),
            code.reveal().replace('-', ""),
            code.reveal().replace('-', " ").to_uppercase(),
            format!("  {}\n", code.reveal()),
            wide,
        ];
        for typed in rows {
            assert!(Code::parse(&typed).is_some_and(|read| read == code && read.hash() == code.hash()), "{typed}");
        }
        let short = &code.reveal()[1..];
        for typed in [
            "",
            "-----",
            short,
            &format!("{}2", code.reveal()),
            &code.reveal().replace(&code.reveal()[..1], "o"),
            &"2".repeat(101),
        ] {
            assert_eq!(Code::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_code_does_not_show_itself() {
        let code = Code::generate(&SystemRandom).unwrap();
        assert!(!format!("{code:?}").contains(&code.reveal()[..5]));
    }
}
