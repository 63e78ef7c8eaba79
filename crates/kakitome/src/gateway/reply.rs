//! Replies of SMTP (RFC 5321 §4.2): ours to the client, and the next hop's as they are read and handed on.

/// The longest line of a reply that is read, in bytes. RFC 5321 §4.5.3.1.5 has 512; servers are wordier than that.
pub const REPLY_LINE_LIMIT: usize = 2048;

/// The most lines of one reply that are read.
pub const REPLY_LINES_LIMIT: usize = 100;

/// A code and its text, one line or more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// One line.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![printable(&text.into())] }
    }

    /// Several lines; the first one stands alone where there are no more.
    pub fn lines(code: u16, first: String, more: impl IntoIterator<Item = String>) -> Self {
        Self { code, lines: std::iter::once(first).chain(more).map(|line| printable(&line)).collect() }
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The text, a piece for each line.
    pub fn text(&self) -> &[String] {
        &self.lines
    }

    /// Code and first line, for the log.
    pub fn summary(&self) -> String {
        format!("{} {}", self.code, self.lines.first().map_or("", String::as_str))
    }

    /// Our own words about a next hop that could not be spoken with: 4.4.x, and 4.7.5 where TLS with it failed.
    pub fn is_about_the_next_hop(&self) -> bool {
        self.lines.iter().any(|line| line.starts_with("4.4.") || line.starts_with("4.7.5"))
    }

    /// There is no place for a mail.
    pub fn is_about_room(&self) -> bool {
        self.code == 452
    }

    /// Appends the lines for the wire.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        for (number, line) in self.lines.iter().enumerate() {
            let dash = if number.saturating_add(1) < self.lines.len() { '-' } else { ' ' };
            out.extend_from_slice(format!("{}{dash}{line}\r\n", self.code).as_bytes());
        }
    }

    /// The next hop's reply as our client hears it: code and text as they are, with two exceptions.
    ///
    /// 421 says "I close this connection" and would do so in our name, so it becomes 451. And since we announce
    /// ENHANCEDSTATUSCODES, a text without such a code gets the general one of its class (RFC 2034 §4).
    pub fn relayed(mut self) -> Self {
        if self.code == 421 {
            self.code = 451;
        }
        let class = self.code / 100;
        if !self.lines.iter().all(|line| has_enhanced_code(line, class)) {
            for line in &mut self.lines {
                line.insert_str(0, &format!("{class}.0.0 "));
            }
        }
        self
    }
}

/// A line break inside a reply would be a reply of its own.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn has_enhanced_code(line: &str, class: u16) -> bool {
    let code = line.split(' ').next().unwrap_or_default();
    let numbers: Vec<Option<u16>> = code
        .split('.')
        .map(|part| part.parse().ok().filter(|_| part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit())))
        .collect();
    matches!(numbers.as_slice(), [Some(first), Some(_), Some(_)] if *first == class)
}

/// Puts a reply together from its lines.
#[derive(Debug, Default)]
pub struct ReplyReader {
    code: Option<u16>,
    lines: Vec<String>,
}

/// The next hop does not speak SMTP, or without measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAReply;

impl ReplyReader {
    /// Takes one line without its end; the reply when it is whole.
    ///
    /// # Errors
    /// The line is not a reply line, has another code than the line before, or is one too many.
    pub fn push(&mut self, line: &[u8]) -> Result<Option<Reply>, NotAReply> {
        let (digits, rest) = line.split_at_checked(3).ok_or(NotAReply)?;
        let code = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let code: u16 =
            code.and_then(|code| code.parse().ok()).filter(|code| (200..600).contains(code)).ok_or(NotAReply)?;
        let (last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(NotAReply),
        };
        if self.code.is_some_and(|before| before != code) || self.lines.len() >= REPLY_LINES_LIMIT {
            return Err(NotAReply);
        }
        self.code = Some(code);
        self.lines.push(printable(&String::from_utf8_lossy(text)));
        Ok(last.then(|| Reply { code, lines: std::mem::take(&mut self.lines) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Reply>, NotAReply> {
        let mut reader = ReplyReader::default();
        let mut last = Ok(None);
        for line in lines {
            last = reader.push(line.as_bytes());
            last.clone()?;
        }
        last
    }

    #[test]
    fn replies_are_read() {
        #[allow(clippy::type_complexity, reason = "a table of input and outcome")]
        let cases: &[(&[&str], Result<Option<&str>, NotAReply>)] = &[
            (&["250 ok"], Ok(Some("250 ok\r\n"))),
            (&["250"], Ok(Some("250 \r\n"))),
            (&["250-a", "250-b", "250 c"], Ok(Some("250-a\r\n250-b\r\n250 c\r\n"))),
            (&["250-a"], Ok(None)),
            (&["250-a", "251 b"], Err(NotAReply)),
            (&["25"], Err(NotAReply)),
            (&["2x0 a"], Err(NotAReply)),
            (&["+50 a"], Err(NotAReply)),
            (&["150 a"], Err(NotAReply)),
            (&["250_a"], Err(NotAReply)),
            (&["550 a\rb\u{1b}[c"], Ok(Some("550 a b [c\r\n"))),
            (&["日本"], Err(NotAReply)),
        ];
        for (lines, expected) in cases {
            let text = read(lines).map(|reply| {
                reply.map(|reply| {
                    let mut out = Vec::new();
                    reply.write_to(&mut out);
                    String::from_utf8(out).unwrap()
                })
            });
            assert_eq!(text.as_ref().map(|text| text.as_deref()), expected.as_ref().map(|text| *text), "{lines:?}");
        }
        assert_eq!(read(&vec!["250-a"; REPLY_LINES_LIMIT + 1]), Err(NotAReply));
    }

    #[test]
    fn replies_are_relayed() {
        let cases: &[(&[&str], &str)] = &[
            (&["550 5.1.1 <a@b>: no"], "550 5.1.1 <a@b>: no"),
            (&["550 no"], "550 5.0.0 no"),
            (&["450 5.1.1 odd"], "450 4.0.0 5.1.1 odd"),
            (&["421 4.3.2 closing"], "451 4.3.2 closing"),
            (&["250 2.0.0 Ok: queued as 4F"], "250 2.0.0 Ok: queued as 4F"),
            (&["250 127.0.0.1 ok"], "250 2.0.0 127.0.0.1 ok"),
        ];
        for (lines, expected) in cases {
            assert_eq!(read(lines).unwrap().unwrap().relayed().summary(), *expected);
        }
    }
}
