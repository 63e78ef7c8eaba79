//! Charsets that mail names, decoded for people to read; nothing is ever verified over what comes out.
//!
//! The tables are those of `encoding_rs`. Ours are the names that mail uses for them, the ISO-2022-JP of mail with all
//! its designations (RFC 1468, RFC 1554, JIS X 0213), what JIS X 0213 added, UTF-7, and the rule for octets whose
//! charset nobody named.

mod jisx0213;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, ISO_8859_7, REPLACEMENT, SHIFT_JIS, UTF_8, WINDOWS_1252};

/// A charset that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// One that a table knows.
    Table(&'static Encoding),
    /// ISO-2022-JP and every variant of it.
    Iso2022Jp,
    /// Shift_JIS-2004.
    ShiftJis2004,
    /// EUC-JIS-2004.
    EucJis2004,
    /// RFC 2152.
    Utf7,
    /// US-ASCII, which says nothing of octets above 127.
    Ascii,
}

/// Text, and whether every octet of it meant something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text; what meant nothing is the replacement character.
    pub text: String,
    /// Nothing was replaced.
    pub clean: bool,
}

/// A label is no longer than this, in octets.
const LABEL_LIMIT: usize = 64;

/// Names that mail uses beside those that the tables know.
const NAMES: &[(&str, Charset)] = &[
    ("us-ascii", Charset::Ascii),
    ("ascii", Charset::Ascii),
    ("ansi_x3.4-1968", Charset::Ascii),
    ("iso646-us", Charset::Ascii),
    ("646", Charset::Ascii),
    ("iso-2022-jp", Charset::Iso2022Jp),
    ("csiso2022jp", Charset::Iso2022Jp),
    ("iso-2022-jp-1", Charset::Iso2022Jp),
    ("iso-2022-jp-2", Charset::Iso2022Jp),
    ("csiso2022jp2", Charset::Iso2022Jp),
    ("iso-2022-jp-3", Charset::Iso2022Jp),
    ("iso-2022-jp-2004", Charset::Iso2022Jp),
    ("iso-2022-jp-ms", Charset::Iso2022Jp),
    ("iso2022jp", Charset::Iso2022Jp),
    ("iso2022-jp", Charset::Iso2022Jp),
    ("cp50220", Charset::Iso2022Jp),
    ("cp50221", Charset::Iso2022Jp),
    ("cp50222", Charset::Iso2022Jp),
    ("jis", Charset::Iso2022Jp),
    ("utf-7", Charset::Utf7),
    ("utf7", Charset::Utf7),
    ("unicode-1-1-utf-7", Charset::Utf7),
    ("cp65000", Charset::Utf7),
    ("utf_8", Charset::Table(UTF_8)),
    ("cp65001", Charset::Table(UTF_8)),
    ("cp932", Charset::Table(SHIFT_JIS)),
    ("ms-kanji", Charset::Table(SHIFT_JIS)),
    ("shiftjis", Charset::Table(SHIFT_JIS)),
    ("x-ms-cp932", Charset::Table(SHIFT_JIS)),
    ("windows-932", Charset::Table(SHIFT_JIS)),
    ("shift_jisx0213", Charset::ShiftJis2004),
    ("shift_jis-2004", Charset::ShiftJis2004),
    ("shift_jis_2004", Charset::ShiftJis2004),
    ("eucjp", Charset::Table(EUC_JP)),
    ("euc_jp", Charset::Table(EUC_JP)),
    ("ujis", Charset::Table(EUC_JP)),
    ("eucjp-ms", Charset::Table(EUC_JP)),
    ("eucjp-win", Charset::Table(EUC_JP)),
    ("cp51932", Charset::Table(EUC_JP)),
    ("euc-jisx0213", Charset::EucJis2004),
    ("euc-jis-2004", Charset::EucJis2004),
    ("euc_jis_2004", Charset::EucJis2004),
    ("cp936", Charset::Table(GBK)),
    ("euc-cn", Charset::Table(GBK)),
    ("cp949", Charset::Table(EUC_KR)),
    ("uhc", Charset::Table(EUC_KR)),
    ("cp950", Charset::Table(BIG5)),
    ("big-5", Charset::Table(BIG5)),
];

impl Charset {
    /// A charset by the name that a mail gives it; `None` for one that nobody here knows.
    pub fn for_label(label: &str) -> Option<Self> {
        let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        if label.is_empty() || label.len() > LABEL_LIMIT {
            return None;
        }
        if let Some((_, charset)) = NAMES.iter().find(|(name, _)| *name == label) {
            return Some(*charset);
        }
        // The table's own name for charsets that it does not decode.
        Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).map(Self::Table)
    }

    /// Octets in this charset as text.
    pub fn decode(self, octets: &[u8]) -> Decoded {
        match self {
            Self::Table(encoding) => {
                let (text, replaced) = encoding.decode_without_bom_handling(octets);
                Decoded { text: text.into_owned(), clean: !replaced }
            }
            Self::Iso2022Jp => iso_2022_jp(octets),
            Self::ShiftJis2004 => jisx0213::shift_jis(octets),
            Self::EucJis2004 => jisx0213::euc(octets),
            Self::Utf7 => utf_7(octets),
            Self::Ascii => Decoded { clean: octets.is_ascii(), text: unlabelled(octets) },
        }
    }
}

/// Octets whose charset nobody named: UTF-8 where they are that (RFC 6532), ISO-2022-JP where its escapes stand and
/// all of it can be read (RFC 1468, old Japanese mail). In any other charset they are not guessed, for a guess shows
/// a name that nobody wrote: octets above 127 then stand as `\x90`.
pub fn unlabelled(octets: &[u8]) -> String {
    if octets.contains(&ESCAPE) && octets.is_ascii() {
        let decoded = iso_2022_jp(octets);
        if decoded.clean {
            return decoded.text;
        }
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            0x80.. => text.push_str(&format!("\\x{octet:02x}")),
            _ => text.push(char::from(*octet)),
        }
    }
    text
}

const ESCAPE: u8 = 0x1b;

/// What the octets of ISO-2022-JP mean until the next escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    /// JIS X 0201, left half: a yen sign for the backslash.
    Roman,
    /// JIS X 0201, right half, in 7 bits.
    Kana,
    /// JIS X 0208 with NEC's and IBM's rows.
    Jis0208,
    Jis0212,
    /// A plane of JIS X 0213.
    Jis0213(u8),
    Gb2312,
    Ksc5601,
}

/// Escape sequences, without the escape itself.
const DESIGNATIONS: &[(&[u8], Set)] = &[
    (b"(B", Set::Ascii),
    (b"(J", Set::Roman),
    (b"(H", Set::Roman),
    (b"(I", Set::Kana),
    (b"$@", Set::Jis0208),
    (b"$B", Set::Jis0208),
    (b"$(@", Set::Jis0208),
    (b"$(B", Set::Jis0208),
    (b"&@\x1b$B", Set::Jis0208),
    (b"$(O", Set::Jis0213(1)),
    (b"$(Q", Set::Jis0213(1)),
    (b"$(P", Set::Jis0213(2)),
    (b"$(D", Set::Jis0212),
    (b"$A", Set::Gb2312),
    (b"$(A", Set::Gb2312),
    (b"$(C", Set::Ksc5601),
];

/// RFC 1468, RFC 2237 (-1), RFC 1554 (-2), JIS X 0213 (-3, -2004), and what Microsoft's programs write (CP50220 to 50222).
fn iso_2022_jp(octets: &[u8]) -> Decoded {
    let mut out = Decoded { text: String::with_capacity(octets.len()), clean: true };
    let mut set = Set::Ascii;
    // RFC 1554: what ESC N takes one character from.
    let mut upper: Option<&'static Encoding> = None;
    let mut shifted_out = false;
    let mut pairs: Vec<u8> = Vec::new();
    let mut rest = octets;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let is_double = !matches!(set, Set::Ascii | Set::Roman | Set::Kana) && !shifted_out;
        if is_double && let (0x21..=0x7e, Some((second @ 0x21..=0x7e, tail))) = (first, rest.split_first()) {
            pairs.extend_from_slice(&[first | 0x80, second | 0x80]);
            rest = tail;
            continue;
        }
        double(set, &mut pairs, &mut out);
        match first {
            &ESCAPE => {
                if let Some((sequence, next)) = DESIGNATIONS.iter().find(|(sequence, _)| rest.starts_with(sequence)) {
                    set = *next;
                    rest = rest.get(sequence.len()..).unwrap_or_default();
                } else if let Some(tail) = rest.strip_prefix(b".A") {
                    (upper, rest) = (Some(WINDOWS_1252), tail);
                } else if let Some(tail) = rest.strip_prefix(b".F") {
                    (upper, rest) = (Some(ISO_8859_7), tail);
                } else if let (Some(encoding), [b'N', single @ 0x20..=0x7f, tail @ ..]) = (upper, rest) {
                    out.text.push_str(&encoding.decode_without_bom_handling(&[single | 0x80]).0);
                    rest = tail;
                } else {
                    out.replace();
                }
            }
            0x0e => shifted_out = true,
            0x0f => shifted_out = false,
            b'\r' | b'\n' => {
                // RFC 1468: a line ends in ASCII. What does not is read on as if it did, as programs do.
                out.clean &= !is_double;
                (set, upper, shifted_out) = (Set::Ascii, None, false);
                out.text.push(char::from(*first));
            }
            // 8-bit kana are no ISO-2022-JP, and occur.
            0xa1..=0xdf => {
                out.clean = false;
                out.kana(*first);
            }
            0x80.. => out.replace(),
            0x21..=0x5f if shifted_out || set == Set::Kana => out.kana(first | 0x80),
            b'\\' if set == Set::Roman => out.text.push('\u{a5}'),
            b'~' if set == Set::Roman => out.text.push('\u{203e}'),
            _ if is_double && *first > b' ' => out.replace(),
            _ => out.text.push(char::from(*first)),
        }
    }
    double(set, &mut pairs, &mut out);
    // RFC 1468: the end is in ASCII, too; what is not was cut.
    out.clean &= matches!(set, Set::Ascii | Set::Roman | Set::Kana);
    out
}

impl Decoded {
    fn replace(&mut self) {
        self.text.push(char::REPLACEMENT_CHARACTER);
        self.clean = false;
    }

    /// A half-width kana, by its octet in the right half of JIS X 0201.
    fn kana(&mut self, octet: u8) {
        let kana = 0xff61u32.saturating_add(u32::from(octet.saturating_sub(0xa1)));
        self.text.push(char::from_u32(kana).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
}

/// Characters of two octets each, by the table that holds them in the right half.
fn double(set: Set, pairs: &mut Vec<u8>, out: &mut Decoded) {
    let table = |encoding: &'static Encoding, octets: &[u8], out: &mut Decoded| {
        let (text, replaced) = encoding.decode_without_bom_handling(octets);
        out.text.push_str(&text);
        out.clean &= !replaced;
    };
    match set {
        _ if pairs.is_empty() => {}
        Set::Gb2312 => table(GBK, pairs, out),
        Set::Ksc5601 => table(EUC_KR, pairs, out),
        Set::Jis0212 => {
            let triples: Vec<u8> = pairs.chunks(2).flat_map(|pair| [&[0x8f], pair].concat()).collect();
            table(EUC_JP, &triples, out);
        }
        Set::Jis0213(plane) => {
            let cell = |octet: &u8| octet.saturating_sub(0xa0);
            pairs.chunks_exact(2).for_each(|pair| {
                if let [row, second] = pair {
                    jisx0213::push(out, plane, cell(row), cell(second));
                }
            });
        }
        Set::Jis0208 | Set::Ascii | Set::Roman | Set::Kana => table(EUC_JP, pairs, out),
    }
    pairs.clear();
}

/// RFC 2152.
fn utf_7(octets: &[u8]) -> Decoded {
    let mut out = Decoded { text: String::with_capacity(octets.len()), clean: true };
    let mut rest = octets;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => {
                let end = rest.iter().position(|octet| sextet(*octet).is_none()).unwrap_or(rest.len());
                let (shifted, tail) = rest.split_at_checked(end).unwrap_or_default();
                let is_closed = tail.first() == Some(&b'-');
                rest = if is_closed { tail.get(1..).unwrap_or_default() } else { tail };
                if shifted.is_empty() && is_closed {
                    out.text.push('+');
                } else {
                    utf_16(shifted, &mut out);
                }
            }
            0x80.. => out.replace(),
            _ => out.text.push(char::from(*first)),
        }
    }
    out
}

fn utf_16(base64: &[u8], out: &mut Decoded) {
    let (mut bits, mut count) = (0u32, 0u32);
    let mut units = Vec::new();
    for sextet in base64.iter().filter_map(|octet| sextet(*octet)) {
        bits = (bits << 6 | u32::from(sextet)) & 0x3f_ffff;
        count = count.saturating_add(6);
        if count >= 16 {
            count = count.saturating_sub(16);
            units.push(u16::try_from(bits >> count & 0xffff).unwrap_or_default());
        }
    }
    // What is left is padding: fewer than six bits, all of them zero.
    out.clean &= !units.is_empty() && count < 6 && bits & (1u32 << count).saturating_sub(1) == 0;
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(character) => out.text.push(character),
            Err(_) => out.replace(),
        }
    }
}

fn sextet(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet.saturating_sub(b'A'),
        b'a'..=b'z' => octet.saturating_sub(b'a').saturating_add(26),
        b'0'..=b'9' => octet.saturating_sub(b'0').saturating_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}
