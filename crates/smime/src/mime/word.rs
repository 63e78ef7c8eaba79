//! Encoded words (RFC 2047, RFC 2231 §5) as mail really holds them: in quotes, beside other text, split inside a
//! character. For people to read; never an address.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::charset::{Charset, unlabelled};
use super::hex;

/// So many octets of text go into one encoded word that is written: with its frame it has 72 characters, where RFC 2047
/// §2 allows 75.
const WRITTEN_LIMIT: usize = 45;

/// The text of a word is looked for this far, in octets; RFC 2047 §2 allows 75, and programs write whole subjects.
const WORD_LIMIT: usize = 4096;
/// Charset and language of a word are looked for this far, in octets.
const LABEL_LIMIT: usize = 100;

/// Written lines are folded here, where there is a blank, in octets; the name of the field takes some of the first.
const LINE: usize = 60;
/// A longer word than this is encoded, so that no line grows beyond RFC 5322 §2.1.1, in octets.
const WORD_AS_IT_IS: usize = 400;

/// A piece of a value.
enum Piece<'a> {
    Text(&'a [u8]),
    Word {
        /// As it stands.
        raw: &'a [u8],
        charset: Option<Charset>,
        octets: Vec<u8>,
    },
}

impl Piece<'_> {
    /// A word that means something here; another stands as it is.
    fn is_read(&self) -> bool {
        matches!(self, Self::Word { charset: Some(_), .. })
    }
}

/// A value as a person reads it: words decoded, folds and runs of white space as one blank.
pub fn decode(value: &[u8]) -> String {
    let trimmed = value.trim_ascii();
    if is_plain(trimmed) && !trimmed.windows(2).any(|pair| pair == b"  ") {
        return String::from_utf8_lossy(trimmed).into_owned();
    }
    spaced(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as the value of an unstructured field: printable ASCII as it is, on lines that are folded at blanks; anything
/// else in encoded words of UTF-8, a line each, no character cut in two. A control character becomes a blank.
pub fn encode(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    if is_plain(text.as_bytes()) && words.iter().all(|word| word.len() <= WORD_AS_IT_IS) {
        let (mut out, mut column) = (String::with_capacity(text.len()), 0usize);
        for word in words {
            let folds = !out.is_empty() && column.saturating_add(word.len()) > LINE;
            if folds {
                out.push_str("\r\n");
                column = 0;
            }
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
            column = column.saturating_add(word.len()).saturating_add(1);
        }
        return out;
    }
    let mut pieces = vec![String::new()];
    for character in text.trim().chars() {
        match pieces.last_mut().filter(|last| last.len().saturating_add(character.len_utf8()) <= WRITTEN_LIMIT) {
            Some(last) => last.push(character),
            None => pieces.push(character.to_string()),
        }
    }
    let words = pieces.iter().map(|piece| format!("=?UTF-8?B?{}?=", STANDARD.encode(piece)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// The longest run of white space in a value, decoded: enough of it pushes what follows out of sight.
pub(super) fn longest_blank(value: &[u8]) -> usize {
    if is_plain(value) {
        return value.split(|octet| *octet != b' ').map(<[u8]>::len).max().unwrap_or_default();
    }
    let text = spaced(value);
    text.split(|c: char| !c.is_whitespace()).map(|blanks| blanks.chars().count()).max().unwrap_or_default()
}

/// Is it printable ASCII without an encoded word? Then it says what it says.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|octet| matches!(octet, b' '..=b'~')) && memchr::memmem::find(value, b"=?").is_none()
}

fn spaced(value: &[u8]) -> String {
    let value: Vec<u8> = value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect();
    if memchr::memmem::find(&value, b"=?").is_some() { words(&value) } else { unlabelled(&value) }
}

fn words(value: &[u8]) -> String {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut rest = value;
    // From here on the beginning of the next word is looked for.
    let mut from = 0;
    while let Some(at) = find(rest, b"=?", from) {
        let Some((raw, word)) = rest.get(at..).and_then(word) else {
            from = at.saturating_add(2);
            continue;
        };
        let before = rest.get(..at).unwrap_or_default();
        // RFC 2047 §6.2: white space between two words is not displayed.
        let joins = before.trim_ascii().is_empty() && word.is_read() && pieces.last().is_some_and(Piece::is_read);
        if !before.is_empty() && !joins {
            pieces.push(Piece::Text(before));
        }
        rest = rest.get(at.saturating_add(raw.len())..).unwrap_or_default();
        pieces.push(word);
        from = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    let mut out = String::new();
    let mut pieces = pieces.as_slice();
    while let Some((first, tail)) = pieces.split_first() {
        pieces = tail;
        match first {
            Piece::Text(text) => out.push_str(&unlabelled(text)),
            Piece::Word { raw, charset: None, .. } => out.push_str(&unlabelled(raw)),
            Piece::Word { charset: Some(charset), octets, .. } => {
                let alike =
                    |piece: &&Piece<'_>| matches!(piece, Piece::Word { charset: Some(other), .. } if other == charset);
                let run: Vec<&[u8]> = std::iter::once(octets.as_slice())
                    .chain(tail.iter().take_while(alike).filter_map(|piece| match piece {
                        Piece::Word { octets, .. } => Some(octets.as_slice()),
                        Piece::Text(_) => None,
                    }))
                    .collect();
                out.push_str(&joined(*charset, &run));
                pieces = tail.get(run.len().saturating_sub(1)..).unwrap_or_default();
            }
        }
    }
    out
}

/// Words of one charset in a row. Each stands for itself (RFC 2047 §3); where one does not, its maker cut the text inside
/// a character, and only the whole has a meaning.
fn joined(charset: Charset, run: &[&[u8]]) -> String {
    let each: Vec<_> = run.iter().map(|octets| charset.decode(octets)).collect();
    if run.len() > 1 && each.iter().any(|decoded| !decoded.clean) {
        let whole = charset.decode(&run.concat());
        if whole.clean {
            return whole.text;
        }
    }
    each.into_iter().map(|decoded| decoded.text).collect()
}

fn find(value: &[u8], what: &[u8; 2], from: usize) -> Option<usize> {
    memchr::memmem::find(value.get(from..)?, what).map(|at| from.saturating_add(at))
}

/// The word at the beginning of a value, and its octets as they stand.
fn word(value: &[u8]) -> Option<(&[u8], Piece<'_>)> {
    let inside = value.strip_prefix(b"=?")?;
    let question = inside.iter().take(LABEL_LIMIT).position(|octet| *octet == b'?')?;
    let (label, tail) = inside.split_at_checked(question)?;
    let [b'?', encoding @ (b'B' | b'b' | b'Q' | b'q'), b'?', text @ ..] = tail else { return None };
    if label.is_empty() || !label.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let end = find(text.get(..WORD_LIMIT).unwrap_or(text), b"?=", 0)?;
    let raw = value.get(..value.len().saturating_sub(text.len()).saturating_add(end).saturating_add(2))?;
    let text = text.get(..end)?;
    let octets = if encoding.eq_ignore_ascii_case(&b'B') { base64(text) } else { Some(quoted(text)) };
    // RFC 2231 §5: a language may stand behind the charset.
    let label = label.split(|octet| *octet == b'*').next().and_then(|label| std::str::from_utf8(label).ok());
    let charset = label.and_then(Charset::for_label).filter(|_| octets.is_some());
    Some((raw, Piece::Word { raw, charset, octets: octets.unwrap_or_default() }))
}

/// As mail holds it: without padding, with it in the middle, with blanks. Anything else is no word.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0u32, 0u32);
    for octet in text {
        let sextet = match octet {
            b'A'..=b'Z' => octet.saturating_sub(b'A'),
            b'a'..=b'z' => octet.saturating_sub(b'a').saturating_add(26),
            b'0'..=b'9' => octet.saturating_sub(b'0').saturating_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            b' ' | b'\t' => continue,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(sextet)) & 0xffff;
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            out.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    Some(out)
}

/// RFC 2047 §4.2; an equals sign that escapes nothing stands for itself.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, after @ ..]) if let Some(octet) = hex(*high, *low) => {
                out.push(octet);
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let long = "送信者は確認されました。".repeat(9);
        let word = "x".repeat(500);
        for text in
            ["plain text", "", "例示銀行", &long, "a =?utf-8?B?QQ==?= b", &word, "😀 two  blanks", &"ab ".repeat(80)]
        {
            let written = encode(text);
            assert!(written.split("\r\n").all(|line| line.len() <= 78 || line == word), "{written}");
            assert!(written.split("\r\n").skip(1).all(|line| line.starts_with(' ') && line.len() > 1), "{written:?}");
            assert!(written.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\r' | b'\n')), "{written}");
            assert_eq!(decode(written.as_bytes()), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        assert_eq!(encode("a\r\nX-Evil: b\0"), "a  X-Evil: b ".split_whitespace().collect::<Vec<_>>().join(" "));
    }
}
