//! JIS X 0213:2004, as far as it holds more than the tables of JIS X 0208.

use encoding_rs::EUC_JP;

use super::Decoded;

/// A line for each row: plane, row, and the characters from cell 1 on, a dot where there is none or where JIS X 0208 has
/// it; then a line for each cell of two code points: plane, row, cell.
const TABLE: &str = include_str!("jisx0213.txt");

/// Rows of the second plane, by the lead octet of Shift_JIS-2004 from 0xf0 on.
const SECOND: [(u8, u8); 5] = [(1, 8), (3, 4), (5, 12), (13, 14), (15, 78)];

/// The character of a cell.
pub(super) fn push(out: &mut Decoded, plane: u8, row: u8, cell: u8) {
    if let Some(character) = find(plane, row, cell) {
        out.text.push_str(character);
        return;
    }
    let euc = [row.saturating_add(0xa0), cell.saturating_add(0xa0)];
    match EUC_JP.decode_without_bom_handling(&euc) {
        (text, false) if plane == 1 => out.text.push_str(&text),
        _ => out.replace(),
    }
}

fn find(plane: u8, row: u8, cell: u8) -> Option<&'static str> {
    let start = format!("{plane} {row:02} ");
    let mut lines = TABLE.lines().filter_map(|line| line.strip_prefix(start.as_str()));
    lines.find_map(|line| match line.split_once(' ') {
        Some((number, pair)) => (number.parse() == Ok(cell)).then_some(pair),
        None => {
            let (at, character) = line.char_indices().nth(usize::from(cell.checked_sub(1)?))?;
            let text = line.get(at..at.saturating_add(character.len_utf8()))?;
            (character != '.').then_some(text)
        }
    })
}

/// Shift_JIS-2004 (Shift_JISX0213).
pub(super) fn shift_jis(octets: &[u8]) -> Decoded {
    let mut out = Decoded { text: String::with_capacity(octets.len()), clean: true };
    let mut rest = octets;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (0x00..=0x7f, _) => out.text.push(char::from(*first)),
            (0xa1..=0xdf, _) => out.kana(*first),
            (0x81..=0x9f | 0xe0..=0xfc, [trail @ (0x40..=0x7e | 0x80..=0xfc), after @ ..]) => {
                let lower = *trail < 0x9f;
                let skipped = if *trail >= 0x80 { 0x40 } else { 0x3f };
                let cell = trail.saturating_sub(if lower { skipped } else { 0x9e });
                let pair = |lead: u8| lead.saturating_mul(2).saturating_add(if lower { 1 } else { 2 });
                let (plane, row) = match first {
                    0x81..=0x9f => (1, pair(first.saturating_sub(0x81))),
                    0xe0..=0xef => (1, pair(first.saturating_sub(0xc1))),
                    _ => (
                        2,
                        match SECOND.get(usize::from(first.saturating_sub(0xf0))) {
                            Some((low, high)) => {
                                if lower {
                                    *low
                                } else {
                                    *high
                                }
                            }
                            None => pair(first.saturating_sub(0xf5)).saturating_add(78),
                        },
                    ),
                };
                push(&mut out, plane, row, cell);
                rest = after;
            }
            _ => out.replace(),
        }
    }
    out
}

/// EUC-JIS-2004 (EUC-JISX0213).
pub(super) fn euc(octets: &[u8]) -> Decoded {
    let mut out = Decoded { text: String::with_capacity(octets.len()), clean: true };
    let mut rest = octets;
    let cell = |octet: &u8| octet.saturating_sub(0xa0);
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (0x00..=0x7f, _) => out.text.push(char::from(*first)),
            (0x8e, [kana @ 0xa1..=0xdf, after @ ..]) => {
                out.kana(*kana);
                rest = after;
            }
            (0x8f, [row @ 0xa1..=0xfe, second @ 0xa1..=0xfe, after @ ..]) => {
                push(&mut out, 2, cell(row), cell(second));
                rest = after;
            }
            (0xa1..=0xfe, [second @ 0xa1..=0xfe, after @ ..]) => {
                push(&mut out, 1, cell(first), cell(second));
                rest = after;
            }
            _ => out.replace(),
        }
    }
    out
}
