//! The mailboxes of an address field (RFC 5322 §3.4, RFC 6532), read strictly: where two programs could see different
//! senders, there is no sender.

use std::borrow::Cow;

use super::header::{self, Header};
use super::word::longest_blank;

/// One mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// What the sender calls himself, decoded; nobody has checked it. Where an address has no name, that is the comment
    /// beside it, as RFC 822 had it and programs still show it (RFC 5322 §3.4).
    pub display_name: Option<String>,
    /// The longest run of white space in the name; of it the name keeps one blank.
    pub longest_blank: usize,
    /// The addr-spec as it stands.
    pub address: String,
}

/// Why a field names no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is empty.
    Empty,
    /// It names no address.
    NoAddress,
    /// It breaks the grammar, or is a group.
    Syntax,
}

/// Atoms and dots of an address are about so long, in octets.
const ATOM: usize = 8;
/// A field longer than this is not read, in octets.
pub const ADDRESS_FIELD_LIMIT: usize = 64 * 1024;

/// Reads the mailboxes of a field's raw value.
///
/// # Errors
/// [`Unreadable`]: the grammar of RFC 5322 §3.4 is not met. Obsolete routes are refused, groups too.
pub fn mailboxes(value: &[u8]) -> Result<Vec<Mailbox>, Unreadable> {
    if value.len() > ADDRESS_FIELD_LIMIT {
        return Err(Unreadable::Syntax);
    }
    let mut text = Cow::Borrowed(std::str::from_utf8(value).map_err(|_| Unreadable::Syntax)?);
    if text.contains(['\r', '\n']) {
        text = text.replace(['\r', '\n'], "").into();
    }
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return Err(Unreadable::Syntax);
    }
    if text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let tokens = tokens(&text)?;
    let mut out = Vec::new();
    for mailbox in tokens.split(|token| *token == Token::Special(',')) {
        let is_comment = |token: &&Token<'_>| matches!(token, Token::Comment(_));
        let comment = mailbox.iter().find(is_comment).cloned();
        let mailbox: Vec<Token<'_>> = mailbox.iter().filter(|token| !is_comment(token)).cloned().collect();
        if mailbox.is_empty() {
            // RFC 5322 §4.4 allows empty list elements; a sender has no use for them.
            return Err(Unreadable::Syntax);
        }
        let mut read = one(&mailbox)?;
        if let (None, Some(Token::Comment(text))) = (&read.display_name, comment) {
            read.longest_blank = longest_blank(text.as_bytes());
            read.display_name = Some(header::decode(text.as_bytes()));
        }
        out.push(read);
    }
    Ok(out)
}

/// Why a header names no single author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAuthor {
    /// There is no From, or an empty one.
    Absent,
    /// There is more than one From field.
    Duplicate,
    /// One From names several mailboxes.
    Several,
    /// The From names no address.
    NoAddress,
    /// The From breaks the grammar.
    Syntax,
}

/// The one mailbox of the one From field. Sender, Reply-To and Return-Path never take its place, though RFC 8550 §3
/// would allow the Sender: what a reader sees is From.
///
/// # Errors
/// [`NoAuthor`].
pub fn author(header: &Header) -> Result<Mailbox, NoAuthor> {
    let mut fields = header.all("From");
    let field = fields.next().ok_or(NoAuthor::Absent)?;
    if fields.next().is_some() {
        return Err(NoAuthor::Duplicate);
    }
    author_of(header.value(field))
}

/// The one mailbox of a From field's raw value.
///
/// # Errors
/// [`NoAuthor`].
pub fn author_of(value: &[u8]) -> Result<Mailbox, NoAuthor> {
    match mailboxes(value) {
        Ok(mut all) if all.len() == 1 => all.pop().ok_or(NoAuthor::Absent),
        Ok(_) => Err(NoAuthor::Several),
        Err(Unreadable::Empty) => Err(NoAuthor::Absent),
        Err(Unreadable::NoAddress) => Err(NoAuthor::NoAddress),
        Err(Unreadable::Syntax) => Err(NoAuthor::Syntax),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Atom(&'a str),
    /// With its quotes and escapes, and the text inside.
    Quoted(&'a str, String),
    Literal(&'a str),
    /// The text inside.
    Comment(&'a str),
    Special(char),
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Unreadable> {
    let mut out = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        // What was read since then, as far as the next character.
        let read = |next: Option<&(usize, char)>| {
            let end = next.map_or(text.len(), |(at, _)| *at);
            text.get(start..end).unwrap_or_default()
        };
        match character {
            ' ' | '\t' => {}
            '(' => {
                let mut depth = 1usize;
                while depth > 0 {
                    match characters.next().ok_or(Unreadable::Syntax)?.1 {
                        '\\' => {
                            characters.next();
                        }
                        '(' => depth = depth.saturating_add(1),
                        ')' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
                let whole = read(characters.peek());
                out.push(Token::Comment(whole.get(1..whole.len().saturating_sub(1)).unwrap_or_default()));
            }
            '"' => {
                let mut inner = String::new();
                loop {
                    match characters.next().ok_or(Unreadable::Syntax)?.1 {
                        '"' => break,
                        '\\' => inner.push(characters.next().ok_or(Unreadable::Syntax)?.1),
                        next => inner.push(next),
                    }
                }
                out.push(Token::Quoted(read(characters.peek()), inner));
            }
            '[' => {
                loop {
                    match characters.next().ok_or(Unreadable::Syntax)?.1 {
                        ']' => break,
                        '[' | '\\' => return Err(Unreadable::Syntax),
                        _ => {}
                    }
                }
                out.push(Token::Literal(read(characters.peek())));
            }
            '<' | '>' | '@' | ',' | '.' => out.push(Token::Special(character)),
            // A group, an obsolete route's end, or what stands nowhere.
            ':' | ';' | '\\' | ')' | ']' => return Err(Unreadable::Syntax),
            _ => {
                while characters.next_if(|(_, next)| !ends_atom(*next)).is_some() {}
                out.push(Token::Atom(read(characters.peek())));
            }
        }
    }
    Ok(out)
}

/// White space, or one of the specials of RFC 5322 §3.2.3.
const fn ends_atom(character: char) -> bool {
    matches!(character, ' ' | '\t' | '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '.' | '"')
}

fn one(tokens: &[Token<'_>]) -> Result<Mailbox, Unreadable> {
    let open = tokens.iter().position(|token| *token == Token::Special('<'));
    let Some(open) = open else {
        if !tokens.contains(&Token::Special('@')) {
            return Err(Unreadable::NoAddress);
        }
        return Ok(Mailbox { display_name: None, longest_blank: 0, address: addr_spec(tokens)? });
    };
    let (phrase, rest) = tokens.split_at_checked(open).ok_or(Unreadable::Syntax)?;
    let [Token::Special('<'), inside @ .., Token::Special('>')] = rest else { return Err(Unreadable::Syntax) };
    if inside.is_empty() {
        return Err(Unreadable::NoAddress);
    }
    let mut name: Option<String> = None;
    for token in phrase {
        let word = match token {
            Token::Atom(atom) => *atom,
            Token::Quoted(_, inner) => inner,
            // No phrase holds brackets, and many names do; they are read in one way only.
            Token::Literal(bracketed) => bracketed,
            // RFC 5322 §4.1 obs-phrase: a dot in a name, such as `Taro K. Reiji`.
            Token::Special('.') => {
                name.iter_mut().for_each(|name| name.push('.'));
                continue;
            }
            Token::Special(_) | Token::Comment(_) => return Err(Unreadable::Syntax),
        };
        match &mut name {
            Some(name) => name.extend([" ", word]),
            None => name = Some(word.to_owned()),
        }
    }
    let display_name = name.as_ref().map(|name| header::decode(name.as_bytes()));
    let name = name.unwrap_or_default();
    Ok(Mailbox { display_name, longest_blank: longest_blank(name.as_bytes()), address: addr_spec(inside)? })
}

/// `local-part "@" domain` of dot-atoms, a quoted local part or a domain literal; nothing obsolete.
fn addr_spec(tokens: &[Token<'_>]) -> Result<String, Unreadable> {
    let at = tokens.iter().position(|token| *token == Token::Special('@')).ok_or(Unreadable::NoAddress)?;
    let (local, rest) = tokens.split_at_checked(at).ok_or(Unreadable::Syntax)?;
    let local = match local {
        [Token::Quoted(raw, _)] => (*raw).to_owned(),
        _ => dot_atom(local)?,
    };
    let domain = match rest.get(1..).unwrap_or_default() {
        [Token::Literal(literal)] => (*literal).to_owned(),
        domain => dot_atom(domain)?,
    };
    // RFC 2047 §5: no encoded word stands in an addr-spec; programs that decode one show another address.
    if local.contains("=?") {
        return Err(Unreadable::Syntax);
    }
    Ok(format!("{local}@{domain}"))
}

fn dot_atom(tokens: &[Token<'_>]) -> Result<String, Unreadable> {
    let mut out = String::with_capacity(tokens.len().saturating_mul(ATOM));
    let mut want_atom = true;
    for token in tokens {
        match token {
            Token::Atom(atom) if want_atom => out.push_str(atom),
            Token::Special('.') if !want_atom => out.push('.'),
            _ => return Err(Unreadable::Syntax),
        }
        want_atom = !want_atom;
    }
    if want_atom { Err(Unreadable::Syntax) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_names_one_sender_or_says_why_not() {
        let read = |text: &str| {
            mailboxes(text.as_bytes()).map(|all| {
                all.into_iter()
                    .map(|one| format!("{}|{}", one.display_name.unwrap_or_default(), one.address))
                    .collect::<Vec<_>>()
                    .join(" & ")
            })
        };
        for (text, expected) in [
            ("taro@corp.example", Ok("|taro@corp.example")),
            ("=?UTF-8?B?5L6L56S66YqA6KGM?= <info@bank.example> (広報)", Ok("例示銀行|info@bank.example")),
            ("\"info@bank.example\" <eve@eve.example>", Ok("info@bank.example|eve@eve.example")),
            ("\"a b\"@eve.example", Ok("|\"a b\"@eve.example")),
            ("\"info@bank.example\"@eve.example", Ok("|\"info@bank.example\"@eve.example")),
            ("eve@eve.example (info@bank.example)", Ok("info@bank.example|eve@eve.example")),
            ("(=?UTF-8?B?5L6L56S66YqA6KGM?=) info@bank.example", Ok("例示銀行|info@bank.example")),
            ("[Bank] News <info@bank.example>", Ok("[Bank] News|info@bank.example")),
            ("a@b.example, c@d.example", Ok("|a@b.example & |c@d.example")),
            ("\"Taro, K.\" <t@x.example>", Ok("Taro, K.|t@x.example")),
            ("info@bank.example <eve@eve.example>", Err(Unreadable::Syntax)),
            ("a@b@c.example", Err(Unreadable::Syntax)),
            ("<@relay.example:a@b.example>", Err(Unreadable::Syntax)),
            ("friends: a@b.example;", Err(Unreadable::Syntax)),
            ("a b@c.example", Err(Unreadable::Syntax)),
            ("a@b.example,", Err(Unreadable::Syntax)),
            ("a..b@c.example", Err(Unreadable::Syntax)),
            ("a@b.example\0.eve", Err(Unreadable::Syntax)),
            ("=?utf-8?q?info=40bank.example?=@eve.example", Err(Unreadable::Syntax)),
            ("Bank", Err(Unreadable::NoAddress)),
            ("Bank <>", Err(Unreadable::NoAddress)),
            ("  ", Err(Unreadable::Empty)),
        ] {
            assert_eq!(read(text), expected.map(str::to_owned), "{text}");
        }
    }
}
