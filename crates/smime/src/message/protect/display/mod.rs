//! Legacy Display Elements (RFC 9788 §2.1.2): lines in which a mail repeats its hidden fields in its own text, for
//! programs that decrypt and know nothing of header protection. One that knows it leaves them out.
//!
//! Only in an encrypted mail, only in a main body part, and only where the part says so: otherwise anybody could hide
//! the first lines of a mail from its reader.

mod add;
mod html;

pub use add::add;

use super::{Form, Protected};
use crate::mime::scan::{Entity, Structure};

/// The parameter that says that a part holds the lines.
pub(super) const PARAMETER: &str = "hp-legacy-display";

/// How the lines stand in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Before the first empty line of a text: [`without_lines`].
    Text,
    /// In a marked `<div>`: [`without_divisions`].
    Html,
    /// The part is nothing else (the drafts before RFC 9788).
    Part,
}

/// The parts of an encrypted payload that hold such lines, by their numbers (RFC 9788 §4.5.3.1). None in a mail that
/// was not encrypted, or whose payload protects nothing.
pub fn carried(structure: &Structure, payload: usize, protected: &Protected, encrypted: bool) -> Vec<(usize, Kind)> {
    if !encrypted {
        return Vec::new();
    }
    if protected.form == Form::Draft {
        return draft(structure, payload).into_iter().map(|part| (part, Kind::Part)).collect();
    }
    let kind = |part: usize| {
        let content_type = &structure.entity(part)?.content_type;
        let is_marked = content_type.parameter(PARAMETER) == Some("1");
        match (is_marked, &*content_type.kind, &*content_type.subtype) {
            (true, "text", "plain") => Some((part, Kind::Text)),
            (true, "text", "html") => Some((part, Kind::Html)),
            _ => None,
        }
    };
    (payload..structure.entities.len())
        .take_while(|part| *part == payload || is_inside(structure, *part, payload))
        .filter_map(kind)
        .collect()
}

/// The first part of a draft's multipart/mixed, if it repeats the header and is nothing else.
fn draft(structure: &Structure, payload: usize) -> Option<usize> {
    let root = structure.entity(payload)?;
    let first = *root.parts.first()?;
    let content_type = &structure.entity(first)?.content_type;
    let is_text = content_type.is("text", "plain") || content_type.is("text", "rfc822-headers");
    let is_marked = content_type.parameter("protected-headers").is_some();
    (root.content_type.is("multipart", "mixed") && is_text && is_marked && root.parts.len() > 1).then_some(first)
}

fn is_inside(structure: &Structure, part: usize, payload: usize) -> bool {
    let depth = structure.entity(payload).map_or(0, |payload| payload.depth);
    structure.entity(part).is_some_and(|part| part.depth > depth)
}

/// The parts that a reader sees as the message: of a multipart the first, of alternatives each (RFC 9787 §7.1).
pub fn main_parts(structure: &Structure, payload: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = vec![payload];
    while let Some(number) = open.pop() {
        let Some(entity) = structure.entity(number) else { continue };
        if entity.content_type.is("multipart", "alternative") {
            open.extend(entity.parts.iter().rev());
        } else if let Some(first) = entity.parts.first() {
            open.push(*first);
        } else if entity.content_type.kind == "text" && !is_attachment(entity) {
            found.push(number);
        }
    }
    found
}

fn is_attachment(entity: &Entity) -> bool {
    let disposition = entity.header.find("Content-Disposition").unwrap_or_default();
    disposition.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("attachment"))
}

/// A decoded text without the lines up to its first empty one (RFC 9788 §4.5.3.2); as it is where none is empty.
pub fn without_lines(text: &str) -> &str {
    let mut rest = text;
    while let Some((line, tail)) = rest.split_once('\n') {
        if line.trim_end_matches('\r').is_empty() {
            return tail;
        }
        rest = tail;
    }
    text
}

/// A decoded HTML text without the marked divisions (RFC 9788 §4.5.3.3); one that does not end stays.
pub fn without_divisions(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in html::divisions(text) {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_before_the_first_empty_one_are_left_out() {
        for (text, expected) in [
            ("Subject: Dinner plans\r\n\r\nLet's meet.\r\n\r\nAt eight.\r\n", "Let's meet.\r\n\r\nAt eight.\r\n"),
            ("Subject: a\nFrom: b\n\nc", "c"),
            ("\r\nc", "c"),
            ("Subject: a\r\n \r\nc", "Subject: a\r\n \r\nc"),
            ("no empty line", "no empty line"),
            ("", ""),
        ] {
            assert_eq!(without_lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_marked_divisions_are_left_out() {
        let mark = "<div class=\"header-protection-legacy-display\">";
        for (text, expected) in [
            (format!("<body>\n{mark}\n<pre>Subject: x</pre></div>\n<p>y</p>"), "<body>\n\n<p>y</p>".to_owned()),
            (format!("a{mark}b<div>c</div>d</DIV >e"), "ae".to_owned()),
            (format!("a{mark}b</div>c{mark}d</div>e"), "ace".to_owned()),
            (format!("a{mark}b<!-- </div> --></div>c"), "ac".to_owned()),
            (format!("a{mark}<script>'</div>'</script></div>c"), "ac".to_owned()),
            ("a<DIV id=x CLASS='one header-protection-legacy-display two'>b</div>c".to_owned(), "ac".to_owned()),
            ("a<div class=header-protection-legacy-display>b</div>c".to_owned(), "ac".to_owned()),
            ("a<div title='>' class=\"header-protection-legacy-display\">b</div>c".to_owned(), "ac".to_owned()),
            // Not the mark, or none that ends.
            (format!("a{mark}b<div>c</div>d"), format!("a{mark}b<div>c</div>d")),
            (
                "a<div class='header-protection-legacy-displays'>b</div>c".to_owned(),
                "a<div class='header-protection-legacy-displays'>b</div>c".to_owned(),
            ),
            (
                "a<p class='header-protection-legacy-display'>b</p>c".to_owned(),
                "a<p class='header-protection-legacy-display'>b</p>c".to_owned(),
            ),
            (
                "<div data-class='header-protection-legacy-display'>b</div>".to_owned(),
                "<div data-class='header-protection-legacy-display'>b</div>".to_owned(),
            ),
            (format!("<!-- {mark} -->b</div>c"), format!("<!-- {mark} -->b</div>c")),
            (format!("<script>{mark}</script>b</div>c"), format!("<script>{mark}</script>b</div>c")),
            ("a < b > c".to_owned(), "a < b > c".to_owned()),
            (String::new(), String::new()),
        ] {
            assert_eq!(without_divisions(&text), expected, "{text}");
        }
    }
}
