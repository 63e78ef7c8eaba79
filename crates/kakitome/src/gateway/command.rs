//! The commands of SMTP and LMTP (RFC 5321 §4.1, RFC 2033, RFC 3030, RFC 3207, RFC 3461, RFC 6152, RFC 6531, RFC 8689,
//! Postfix XFORWARD). No socket here: lines out of bytes, commands out of lines.
//!
//! Written by hand because the library at hand (smtp-proto 0.2) takes a lone LF for a line's end and drops the quotes of
//! `"a b"@example.test`, which could then not be handed on. Paths and parameters stay here as the client wrote them: a
//! filter judges who may be signed for, the next hop judges addresses.

use super::reply::Reply;

/// The longest command line, in bytes with its end. RFC 5321 §4.5.3.1.4 has 512, to which the extensions that we announce
/// add some 1300 (RFC 3461 §5, RFC 1870, RFC 6531).
pub const LINE_LIMIT: usize = 2048;

/// What we understand of XFORWARD, as it is announced.
pub const XFORWARD_ATTRIBUTES: &[&str] = &["NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"];

/// One command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// EHLO, HELO or LHLO, and the name that the client gives itself.
    Hello(Hello, String),
    /// MAIL FROM.
    Mail(Address),
    /// RCPT TO.
    Rcpt(Address),
    /// DATA.
    Data,
    /// BDAT (RFC 3030): so many octets of the mail follow, and perhaps they are the last.
    Bdat {
        /// How many.
        size: u64,
        /// Are they the last?
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY.
    Vrfy,
    /// STARTTLS.
    StartTls,
    /// XFORWARD: what the mail server in front of us knows of its client, as (name, value still encoded).
    Xforward(Vec<(String, String)>),
}

/// The word of a greeting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hello {
    /// SMTP with extensions.
    Ehlo,
    /// SMTP without.
    Helo,
    /// LMTP.
    Lhlo,
}

/// The path and the parameters of MAIL or RCPT.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// What stood between `<` and `>`, untouched; empty is the null sender.
    pub path: String,
    /// The ESMTP parameters, in order.
    pub parameters: Vec<Parameter>,
}

/// One ESMTP parameter that we know and that is well formed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Which one.
    pub keyword: Keyword,
    /// What stood after `=`, untouched; empty where nothing may stand.
    pub value: String,
}

/// The parameters that we announce.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keyword {
    /// RFC 1870.
    Size,
    /// RFC 6152.
    Body,
    /// RFC 6531.
    Smtputf8,
    /// RFC 8689.
    Requiretls,
    /// RFC 3461.
    Ret,
    /// RFC 3461.
    Envid,
    /// RFC 3461.
    Notify,
    /// RFC 3461.
    Orcpt,
}

/// The extension of EHLO that allows a parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extension {
    /// SIZE.
    Size,
    /// 8BITMIME.
    EightBitMime,
    /// SMTPUTF8.
    Smtputf8,
    /// REQUIRETLS.
    Requiretls,
    /// DSN.
    Dsn,
}

impl Keyword {
    const MAIL: &[Self] = &[Self::Size, Self::Body, Self::Smtputf8, Self::Requiretls, Self::Ret, Self::Envid];
    const RCPT: &[Self] = &[Self::Notify, Self::Orcpt];

    /// As it stands in the command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "SIZE",
            Self::Body => "BODY",
            Self::Smtputf8 => "SMTPUTF8",
            Self::Requiretls => "REQUIRETLS",
            Self::Ret => "RET",
            Self::Envid => "ENVID",
            Self::Notify => "NOTIFY",
            Self::Orcpt => "ORCPT",
        }
    }

    /// Which extension a next hop must announce to be given it.
    pub fn extension(self) -> Extension {
        match self {
            Self::Size => Extension::Size,
            Self::Body => Extension::EightBitMime,
            Self::Smtputf8 => Extension::Smtputf8,
            Self::Requiretls => Extension::Requiretls,
            Self::Ret | Self::Envid | Self::Notify | Self::Orcpt => Extension::Dsn,
        }
    }

    fn allows(self, value: &str) -> bool {
        let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        match self {
            Self::Size => (1..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Body => is(&["7BIT", "8BITMIME"]),
            Self::Smtputf8 | Self::Requiretls => value.is_empty(),
            Self::Ret => is(&["FULL", "HDRS"]),
            Self::Envid => (1..=100).contains(&value.len()),
            Self::Notify => {
                let word =
                    |word: &str| ["SUCCESS", "FAILURE", "DELAY"].iter().any(|known| word.eq_ignore_ascii_case(known));
                is(&["NEVER"]) || value.split(',').all(word)
            }
            Self::Orcpt => value.contains(';'),
        }
    }
}

impl Address {
    fn value(&self, keyword: Keyword) -> Option<&str> {
        self.parameters.iter().find(|parameter| parameter.keyword == keyword).map(|parameter| parameter.value.as_str())
    }

    /// The size that the client declared, in bytes; a number beyond all measure is the greatest.
    pub fn declared_size(&self) -> Option<u64> {
        self.value(Keyword::Size).map(|digits| digits.parse().unwrap_or(u64::MAX))
    }

    /// Was SMTPUTF8 asked for?
    pub fn smtputf8(&self) -> bool {
        self.value(Keyword::Smtputf8).is_some()
    }

    /// Was REQUIRETLS asked for?
    pub fn requiretls(&self) -> bool {
        self.value(Keyword::Requiretls).is_some()
    }

    /// The domain behind the last `@`; `None` where there is none, as in `<postmaster>`.
    pub fn domain(&self) -> Option<&str> {
        self.path.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// Was BODY=8BITMIME said?
    pub fn body_8bit(&self) -> bool {
        self.value(Keyword::Body).is_some_and(|body| body.eq_ignore_ascii_case("8BITMIME"))
    }

    /// The same with RET=HDRS: a report of failure brings back the header alone (RFC 3461 §4.3).
    #[must_use]
    pub fn headers_only(&self) -> Self {
        let mut parameters = self.parameters.clone();
        parameters.retain(|parameter| parameter.keyword != Keyword::Ret);
        parameters.push(Parameter { keyword: Keyword::Ret, value: "HDRS".to_owned() });
        Self { path: self.path.clone(), parameters }
    }

    /// Does it need SMTPUTF8?
    pub fn is_ascii(&self) -> bool {
        self.path.is_ascii() && self.parameters.iter().all(|parameter| parameter.value.is_ascii())
    }
}

/// Finds the lines in what a client sent. Only CR LF ends a line.
#[derive(Debug, Default)]
pub struct Lines {
    overlong: bool,
}

impl Lines {
    /// How many bytes of `buffer` are done with, and the line without its end where one is whole.
    ///
    /// `Some(Err(_))` is the reply to a line that is none. A line over [`LINE_LIMIT`] is skipped, not kept.
    pub fn next<'a>(&mut self, buffer: &'a [u8]) -> (usize, Option<Result<&'a [u8], Reply>>) {
        let Some(feed) = buffer.iter().position(|byte| *byte == b'\n') else {
            self.overlong |= buffer.len() >= LINE_LIMIT;
            return (if self.overlong { buffer.len() } else { 0 }, None);
        };
        let used = feed.saturating_add(1);
        if std::mem::take(&mut self.overlong) || used > LINE_LIMIT {
            return (used, Some(Err(Reply::new(500, format!("5.5.2 a line has at most {LINE_LIMIT} bytes")))));
        }
        let line = buffer.get(..feed).unwrap_or_default();
        let line = line.strip_suffix(b"\r").ok_or_else(|| Reply::new(500, "5.5.2 a line ends with CR LF, not with LF"));
        (used, Some(line))
    }
}

/// Reads one line.
///
/// # Errors
/// The reply to a line that is no command. 421: the client speaks another protocol, or what follows cannot be told from
/// commands; the caller closes.
pub fn parse(line: &[u8]) -> Result<Command, Reply> {
    let is_chunk = line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"BDAT"));
    // How many octets of a mail follow is not known, and a mail may hold lines that look like commands.
    read(line).map_err(|reply| if is_chunk { Reply::new(421, "5.5.4 BDAT size [LAST]") } else { reply })
}

fn read(line: &[u8]) -> Result<Command, Reply> {
    let line = std::str::from_utf8(line).map_err(|_| Reply::new(500, "5.5.2 the line is not UTF-8"))?;
    if line.chars().any(char::is_control) {
        return Err(Reply::new(500, "5.5.2 control characters have no place in a command"));
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_matches(' ');
    let hello = |hello| {
        let name = rest.split(' ').next().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Reply::new(501, "5.5.4 tell your name: EHLO name"))?;
        Ok(Command::Hello(hello, name.to_owned()))
    };
    let alone = |command| match rest {
        "" => Ok(command),
        _ => Err(Reply::new(501, "5.5.4 this command has no argument")),
    };
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => hello(Hello::Ehlo),
        "HELO" => hello(Hello::Helo),
        "LHLO" => hello(Hello::Lhlo),
        "MAIL" => Ok(Command::Mail(address(rest, "FROM:", Keyword::MAIL)?)),
        "RCPT" => match address(rest, "TO:", Keyword::RCPT)? {
            Address { path, .. } if path.is_empty() => Err(Reply::new(501, "5.1.3 a recipient has an address")),
            address => Ok(Command::Rcpt(address)),
        },
        "DATA" => alone(Command::Data),
        "BDAT" => chunk(rest).ok_or_else(|| Reply::new(501, "5.5.4 BDAT size [LAST]")),
        "RSET" => alone(Command::Rset),
        "QUIT" => alone(Command::Quit),
        "STARTTLS" => alone(Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => Ok(Command::Vrfy),
        "XFORWARD" => xforward(rest).map(Command::Xforward),
        "HELP" | "EXPN" | "AUTH" | "ETRN" | "TURN" => Err(Reply::new(502, format!("5.5.1 {verb} is not offered here"))),
        verb if is_foreign(verb) => Err(Reply::new(421, "4.7.0 this is a mail server")),
        _ => Err(Reply::new(500, "5.5.2 unknown command")),
    }
}

/// The size of a chunk, and whether it is the last.
fn chunk(text: &str) -> Option<Command> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let size = words.next().filter(|size| size.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Command::Bdat { size, last })
}

/// Is this a line of HTTP? A web page can make the reader's browser post to a port of his own machine, and the text that
/// it posts could hold commands; so the first such line ends the connection, before any of them is read.
fn is_foreign(verb: &str) -> bool {
    matches!(verb, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "CONNECT" | "TRACE" | "PRI")
        || verb.ends_with(':')
}

fn address(text: &str, prefix: &str, known: &[Keyword]) -> Result<Address, Reply> {
    let syntax = |what: &str| Reply::new(501, format!("5.5.4 {what}: {prefix}<local-part@domain> [parameters]"));
    let start = text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
    let rest = start.and_then(|start| text.get(start.len()..)).ok_or_else(|| syntax("the address is missing"))?;
    // RFC 5321 has no space here; many clients have.
    let rest = rest.trim_start_matches(' ').strip_prefix('<').ok_or_else(|| syntax("the address has no brackets"))?;
    let end = end_of_path(rest).ok_or_else(|| syntax("the address is not well formed"))?;
    let (path, rest) = rest.split_at_checked(end).ok_or_else(|| syntax("the address is not well formed"))?;
    let rest = rest.get(1..).unwrap_or_default();
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return Err(syntax("after the address comes a space"));
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    for word in rest.split(' ').filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let unknown = || Reply::new(555, format!("5.5.4 unknown parameter {name}"));
        let keyword = *known.iter().find(|known| known.name().eq_ignore_ascii_case(name)).ok_or_else(unknown)?;
        let twice = parameters.iter().any(|parameter| parameter.keyword == keyword);
        if twice || value.contains('=') || (word.contains('=') && value.is_empty()) || !keyword.allows(value) {
            return Err(Reply::new(501, format!("5.5.4 the parameter {} is not well formed", keyword.name())));
        }
        parameters.push(Parameter { keyword, value: value.to_owned() });
    }
    Ok(Address { path: path.to_owned(), parameters })
}

/// Where the `>` stands that ends the path: outside quotes, and with no space, `<` or open quote before it.
fn end_of_path(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '>' => return Some(at),
            ' ' | '<' => return None,
            _ => {}
        }
    }
    None
}

fn xforward(text: &str) -> Result<Vec<(String, String)>, Reply> {
    let malformed = || Reply::new(501, "5.5.4 XFORWARD name=value ...");
    let pairs: Vec<(String, String)> = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let (name, value) = word.split_once('=').ok_or_else(malformed)?;
            let name = name.to_ascii_uppercase();
            let known = XFORWARD_ATTRIBUTES.contains(&name.as_str()) && value.is_ascii();
            known.then(|| (name, value.to_owned())).ok_or_else(malformed)
        })
        .collect::<Result<_, Reply>>()?;
    if pairs.is_empty() { Err(malformed()) } else { Ok(pairs) }
}

#[cfg(test)]
mod tests;
