//! Encoded words (RFC 2047, RFC 2231 §5) as mail really holds them: in quotes, beside other text, split inside a
//! character. For people to read; never an address.

use super::charset::{Charset, unlabelled};
use super::hex;

/// The text of a word is looked for this far, in octets; RFC 2047 §2 allows 75, and programs write whole subjects.
const WORD_LIMIT: usize = 4096;
/// Charset and language of a word are looked for this far, in octets.
const LABEL_LIMIT: usize = 100;

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
