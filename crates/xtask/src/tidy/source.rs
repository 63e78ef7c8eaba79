//! Rust source as far as the rules need it: what is code, what is comment, what is text, what is only for tests; and
//! the paths that code names.
//!
//! No parser: a scan that knows comments, literals and brackets. It may be wrong on code that no formatter would leave
//! so; it never reads a comment or a string as code.

/// A file with everything that is not of one kind blanked; lines and columns stay where they were.
pub(crate) struct Views {
    /// All code: no comments, no text.
    pub(crate) code: String,
    /// The code that is shipped: without `#[cfg(test)]` items.
    pub(crate) shipped: String,
    /// The comments.
    pub(crate) comments: String,
}

/// A path such as `std::fs::read`, or a single word, and the line where it stands.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// Divides a file into its kinds.
pub(crate) fn views(text: &str) -> Views {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut comments = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let (end, kind) = next(text, at);
        let piece = &text[at..end];
        match kind {
            Kind::Code => {
                code.push_str(piece);
                blank(piece, &mut comments);
            }
            Kind::Comment => {
                blank(piece, &mut code);
                comments.push_str(piece);
            }
            Kind::Text => {
                blank(piece, &mut code);
                blank(piece, &mut comments);
            }
        }
        at = end;
    }
    let shipped = without_tests(&code);
    Views { code, shipped, comments }
}

enum Kind {
    Code,
    Comment,
    Text,
}

/// Where the piece that begins at `at` ends, and what it is.
fn next(text: &str, at: usize) -> (usize, Kind) {
    let rest = &text[at..];
    let to = |length: usize| at + length;
    if rest.starts_with("//") {
        return (to(rest.find('\n').unwrap_or(rest.len())), Kind::Comment);
    }
    if rest.starts_with("/*") {
        return (to(block_comment(rest)), Kind::Comment);
    }
    if rest.starts_with('"') {
        return (to(quoted(rest, '"')), Kind::Text);
    }
    // a lifetime is no literal: 'a' and '\n' are, 'a is not
    if let Some(after) = rest.strip_prefix('\'') {
        let mut characters = after.chars();
        if characters.next() == Some('\\') || characters.next() == Some('\'') {
            return (to(quoted(rest, '\'')), Kind::Text);
        }
        return (to(1), Kind::Code);
    }
    let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    if word > 0 {
        if matches!(&rest[..word], "r" | "br" | "cr")
            && let Some(length) = raw(&rest[word..])
        {
            return (to(word + length), Kind::Text);
        }
        return (to(word), Kind::Code);
    }
    (to(rest.chars().next().map_or(1, char::len_utf8)), Kind::Code)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = rest.as_bytes().get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `##"…"##`, if that stands here.
fn raw(rest: &str) -> Option<usize> {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    let body = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&end).map_or(rest.len(), |at| hashes + 1 + at + end.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn blank(piece: &str, into: &mut String) {
    into.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

/// The code with every item under `#[cfg(test)]` blanked.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let (before, item) = rest.split_at(at);
        out.push_str(before);
        let length = MARK.len() + item_length(&item[MARK.len()..]);
        blank(&item[..length], &mut out);
        rest = &item[length..];
    }
    out.push_str(rest);
    out
}

/// How long the next item is: to its semicolon, or to the end of its braces.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Every path and word that code names; the braces of a `use` are multiplied out.
pub(crate) fn paths(code: &str) -> Vec<Named> {
    let mut out = Vec::new();
    // what stands before each open brace: a prefix inside a tree, nothing elsewhere
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut line = 1;
    let mut start = 1;
    let mut characters = code.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if is_word(c) {
            let end = code[at..].find(|c: char| !is_word(c)).map_or(code.len(), |length| at + length);
            if path.is_empty() || !path.ends_with("::") {
                flush(&mut out, &prefixes, &mut path, start);
                start = line;
            }
            path.push_str(&code[at..end]);
            while characters.next_if(|(next, _)| *next < end).is_some() {}
        } else if c == ':' && characters.next_if(|(_, c)| *c == ':').is_some() {
            if path.is_empty() {
                start = line;
            }
            path.push_str("::");
        } else if c == '{' {
            if path.ends_with("::") {
                let outer = prefixes.last().cloned().unwrap_or_default();
                prefixes.push(outer + &path);
                path.clear();
            } else {
                flush(&mut out, &prefixes, &mut path, start);
                prefixes.push(String::new());
            }
        } else if !c.is_whitespace() {
            flush(&mut out, &prefixes, &mut path, start);
            if c == '}' {
                prefixes.pop();
            }
        }
        if c == '\n' {
            line += 1;
        }
    }
    flush(&mut out, &prefixes, &mut path, start);
    out
}

fn flush(out: &mut Vec<Named>, prefixes: &[String], path: &mut String, line: usize) {
    let bare = path.trim_start_matches("::").trim_end_matches("::");
    if !bare.is_empty() {
        let prefix = prefixes.last().map_or("", String::as_str);
        out.push(Named { line, path: format!("{prefix}{bare}") });
    }
    path.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_text_are_not_code() {
        let text = "let a = \"x // y\"; // std::fs\n/* a /* b */ c */ b'\\'' 'x' &'a str r#\"\"q\"\"#; é";
        let views = views(text);
        assert_eq!(views.code.lines().next().unwrap().trim_end(), "let a =         ;");
        assert_eq!(
            views.code.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>(),
            ["b", "&'a", "str", ";", "é"]
        );
        assert!(views.comments.contains("std::fs") && views.comments.contains("/* a /* b */ c */"));
        assert!(!views.comments.contains("// y"));
    }

    #[test]
    fn test_items_are_not_shipped() {
        let text = "use a;\n#[cfg(test)]\nmod tests {\n  fn f() { b(); }\n}\n#[cfg(test)]\nmod more;\n#[cfg(test)]\n#[path = \"x\"]\nuse c::{d, e};\nuse f;\n";
        let words: Vec<String> = paths(&views(text).shipped).into_iter().map(|named| named.path).collect();
        assert_eq!(words, ["use", "a", "use", "f"]);
    }

    #[test]
    fn the_braces_of_a_use_are_multiplied_out() {
        let code = "use std::{fs, io::{self, Read},\n net::*};\nfn f() { crate::a::b(c, ::d::e) } x::\n  y";
        let named: Vec<(usize, String)> = paths(code).into_iter().map(|named| (named.line, named.path)).collect();
        let expected: Vec<(usize, String)> = [
            (1, "use"),
            (1, "std::fs"),
            (1, "std::io::self"),
            (1, "std::io::Read"),
            (2, "std::net"),
            (3, "fn"),
            (3, "f"),
            (3, "crate::a::b"),
            (3, "c"),
            (3, "d::e"),
            (3, "x::y"),
        ]
        .map(|(line, path)| (line, path.to_owned()))
        .into();
        assert_eq!(named, expected);
    }
}
