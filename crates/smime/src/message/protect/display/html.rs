//! As much of HTML as it takes to find a division and where it ends.

use std::ops::Range;

/// The class of the divisions (RFC 9788 §5.2.3).
pub(super) const CLASS: &str = "header-protection-legacy-display";

/// Elements whose content is text up to their own end.
const RAW: [&str; 6] = ["script", "style", "title", "textarea", "xmp", "noscript"];

struct Tag<'a> {
    range: Range<usize>,
    name: &'a str,
    is_end: bool,
    attributes: &'a str,
}

/// The tags of a text, comments and raw text left out.
struct Tags<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let start = self.at.saturating_add(self.text.get(self.at..)?.find('<')?);
            let rest = self.text.get(start.saturating_add(1)..)?;
            if let Some(comment) = rest.strip_prefix("!--") {
                let length = comment.find("-->").map_or(comment.len(), |end| end.saturating_add(3));
                self.at = self.text.len().saturating_sub(comment.len()).saturating_add(length);
                continue;
            }
            let is_end = rest.starts_with('/');
            let name_and_more = rest.strip_prefix('/').unwrap_or(rest);
            if !name_and_more.starts_with(|c: char| c.is_ascii_alphabetic()) {
                self.at = start.saturating_add(1);
                continue;
            }
            let end_of_name = name_and_more.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/');
            let (name, attributes) = name_and_more.split_at_checked(end_of_name?)?;
            let length = close(attributes)?;
            let attributes = attributes.get(..length)?;
            let begin_of_more = self.text.len().saturating_sub(name_and_more.len());
            let end = begin_of_more.saturating_add(name.len()).saturating_add(length).saturating_add(1);
            self.at = end;
            if !is_end && RAW.iter().any(|raw| name.eq_ignore_ascii_case(raw)) {
                self.at = end.saturating_add(raw_end(self.text.get(end..)?, name));
            }
            return Some(Tag { range: start..end, name, is_end, attributes });
        }
    }
}

/// Where a tag ends: the first `>` that no quotes hold.
fn close(attributes: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in attributes.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

fn raw_end(text: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")) {
        let at = from.saturating_add(at);
        let found = text.get(at.saturating_add(2)..).and_then(|rest| rest.get(..name.len()));
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return at;
        }
        from = at.saturating_add(2);
    }
    text.len()
}

fn has_class(attributes: &str) -> bool {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return false;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
        let (name, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let Some(value) = tail.trim_ascii_start().strip_prefix('=').map(str::trim_ascii_start) else {
            // A stray character that is no name must not stop here for ever.
            rest = if name.is_empty() { tail.get(1..).unwrap_or_default() } else { tail };
            continue;
        };
        let (value, tail) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                value.get(1..).and_then(|value| value.split_once(quote)).unwrap_or((value, ""))
            }
            _ => {
                let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                value.split_at_checked(end).unwrap_or((value, ""))
            }
        };
        if name.eq_ignore_ascii_case("class") {
            return value.split_ascii_whitespace().any(|class| class == CLASS);
        }
        rest = tail;
    }
}

/// The marked divisions of a text, with what they hold.
pub(super) fn divisions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for tag in (Tags { text, at: 0 }) {
        if !tag.name.eq_ignore_ascii_case("div") {
            continue;
        }
        open = match open {
            None if !tag.is_end && has_class(tag.attributes) => Some((tag.range.start, 1)),
            None => None,
            Some((start, depth)) if !tag.is_end => Some((start, depth.saturating_add(1))),
            Some((start, 1)) => {
                found.push(start..tag.range.end);
                None
            }
            Some((start, depth)) => Some((start, depth.saturating_sub(1))),
        };
    }
    found
}

/// Where what is shown begins: behind `<body>`, or behind the head, or at the beginning.
pub(super) fn body(text: &str) -> usize {
    let mut best = 0;
    for tag in (Tags { text, at: 0 }) {
        if !tag.is_end && tag.name.eq_ignore_ascii_case("body") {
            return tag.range.end;
        }
        let is_head = tag.name.eq_ignore_ascii_case("head") && tag.is_end;
        if is_head || tag.name.eq_ignore_ascii_case("html") && !tag.is_end && best == 0 {
            best = tag.range.end;
        }
    }
    best
}
