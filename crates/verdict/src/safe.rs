//! The only way by which a string from a mail reaches a terminal or a page.
//!
//! Attackers choose the text of headers and certificates. Control characters drive terminals, bidirectional controls
//! reorder what is read, invisible characters make two names look the same. Here they all become visible, as
//! `\u{202e}`; what a reader could see anyway is left as it is. Escaping for HTML is the page's own and comes after.

use std::fmt::{self, Write};

/// A name is cut after this many characters, with a visible ellipsis.
pub const NAME: usize = 64;
/// A value of the expert part is cut after this many characters.
pub const VALUE: usize = 1024;
/// So many combining marks may stand on one character; what follows is made visible.
const MARKS: usize = 4;

const ELLIPSIS: char = '…';

/// Text from outside, shown with nothing hidden in it.
#[derive(Clone, Copy, Debug)]
pub struct Safe<'a> {
    text: &'a str,
    cut: Cut,
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    Head(usize),
    Tail(usize),
}

impl<'a> Safe<'a> {
    /// A value, at most [`VALUE`] characters of it.
    pub const fn value(text: &'a str) -> Self {
        Self { text, cut: Cut::Head(VALUE) }
    }

    /// A name, at most [`NAME`] characters of it.
    pub const fn name(text: &'a str) -> Self {
        Self { text, cut: Cut::Head(NAME) }
    }

    /// An address, at most the last [`NAME`] characters of it: whoever sends `info@bank.example.<very long>.eve.example`
    /// counts on the end being cut off, and the end is what says whose domain it is.
    pub const fn address(text: &'a str) -> Self {
        Self { text, cut: Cut::Tail(NAME) }
    }
}

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cut {
            Cut::Head(most) => match self.text.char_indices().nth(most) {
                None => show(self.text, f),
                Some((end, _)) => {
                    show(self.text.get(..end).unwrap_or_default(), f)?;
                    f.write_char(ELLIPSIS)
                }
            },
            Cut::Tail(most) => match self.text.char_indices().rev().nth(most) {
                None => show(self.text, f),
                Some((before, c)) => {
                    f.write_char(ELLIPSIS)?;
                    show(self.text.get(before.saturating_add(c.len_utf8())..).unwrap_or_default(), f)
                }
            },
        }
    }
}

fn show(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut marks = 0usize;
    let mut before = None;
    for c in text.chars() {
        marks = if is_mark(c) { marks.saturating_add(1) } else { 0 };
        // a mark with nothing to stand on would stand on our own text
        let stray = marks > MARKS || (marks > 0 && before.is_none());
        if stray || !is_visible(c, before) {
            write!(f, "{}", c.escape_unicode())?;
        } else {
            f.write_char(c)?;
        }
        before = Some(c);
    }
    Ok(())
}

/// Does `c` show itself to a reader, where it stands after `before`?
fn is_visible(c: char, before: Option<char>) -> bool {
    match c {
        ' '..='~' | '\u{3000}' => true,
        // letters, marks and signs by their category, but drawn as nothing
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => false,
        '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' => false,
        // variants of a kanji stand in many Japanese names; anywhere else they hide something
        '\u{e0100}'..='\u{e01ef}' => before.is_some_and(is_kanji),
        _ => is_printable(c),
    }
}

const fn is_kanji(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Neither control, format, separator, surrogate, private use nor unassigned. The standard library knows this, but
/// tells it only through its escaping, which inside a string leaves exactly the printable characters alone.
fn is_printable(c: char) -> bool {
    matches!(c, '\'' | '"' | '\\') || escapes_to_itself("a", c)
}

/// A combining mark: escaped at the head of a string, left alone after another character.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && !escapes_to_itself("", c) && escapes_to_itself("a", c)
}

fn escapes_to_itself(after: &str, c: char) -> bool {
    let mut buffer = [0; 8];
    let mut text = String::with_capacity(8);
    text.push_str(after);
    text.push_str(c.encode_utf8(&mut buffer));
    text.escape_debug().eq(text.chars())
}

/// The code points of a text, for the expert part; at most [`NAME`] of them.
pub fn code_points(text: &str) -> String {
    let mut out = String::new();
    for (number, c) in text.chars().enumerate() {
        if number == NAME {
            out.push(ELLIPSIS);
            break;
        }
        if number > 0 {
            out.push(' ');
        }
        out.push_str(&format!("U+{:04X}", u32::from(c)));
    }
    out
}

/// The same JSON text with every character outside the visible ones as `\uXXXX`, so that it may be printed on a
/// terminal. A parser reads the same strings from both.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        // outside its strings JSON is ASCII, and inside them the serializer has escaped the ASCII controls
        if c == '\n' || is_visible(c, before) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
        before = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_becomes_visible() {
        for (text, shown) in [
            ("例示　太郎 <taro@corp.example>", "例示　太郎 <taro@corp.example>"),
            ("O'Brien \"x\" \\ é e\u{301}", "O'Brien \"x\" \\ é e\u{301}"),
            ("葛\u{e0100}城", "葛\u{e0100}城"),
            ("a\u{e0100}", "a\\u{e0100}"),
            ("👍", "👍"),
            ("\u{202e}elpmaxe.knab", "\\u{202e}elpmaxe.knab"),
            ("\u{2068}x\u{2069}", "\\u{2068}x\\u{2069}"),
            ("ba\u{200b}nk\u{feff}", "ba\\u{200b}nk\\u{feff}"),
            ("a\u{200c}\u{200d}\u{ad}", "a\\u{200c}\\u{200d}\\u{ad}"),
            ("\x1b[2J\r\n\t\0\x7f\u{9b}", "\\u{1b}[2J\\u{d}\\u{a}\\u{9}\\u{0}\\u{7f}\\u{9b}"),
            ("\u{e000}\u{10ffff}\u{378}", "\\u{e000}\\u{10ffff}\\u{378}"),
            ("\u{2028}\u{a0}\u{3164}\u{2800}", "\\u{2028}\\u{a0}\\u{3164}\\u{2800}"),
            ("\u{301}x", "\\u{301}x"),
            ("x\u{301}\u{301}\u{301}\u{301}\u{301}", "x\u{301}\u{301}\u{301}\u{301}\\u{301}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(Safe::value(text).to_string(), shown, "{text:?}");
        }
    }

    #[test]
    fn names_are_cut_at_the_end_and_addresses_at_the_beginning() {
        let long = "あ".repeat(NAME);
        assert_eq!(Safe::name(&long).to_string(), long);
        assert_eq!(Safe::name(&format!("{long}い")).to_string(), format!("{long}…"));
        let address = format!("info@bank.example.{}.eve.example", "x".repeat(60));
        let shown = Safe::address(&address).to_string();
        assert!(shown.starts_with('…') && shown.ends_with("x.eve.example"));
        assert_eq!(shown.chars().count(), NAME + 1);
    }

    #[test]
    fn code_points_are_listed() {
        assert_eq!(code_points("аa\u{202e}"), "U+0430 U+0061 U+202E");
        assert!(code_points(&"x".repeat(NAME + 1)).ends_with('…'));
    }

    #[test]
    fn json_for_a_terminal_reads_the_same() {
        let text = "例示 \u{202e}\u{e0041}\u{7f}\x1b \"\\ \n é";
        let plain = serde_json::to_string_pretty(&[text]).unwrap();
        let safe = json(&plain);
        assert!(!safe.chars().any(|c| c != '\n' && !is_visible(c, None)), "{safe}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
    }
}
