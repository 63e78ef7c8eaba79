//! Header fields that say something in our name: those that a mail brings along are forged and go, ours come in front.
//!
//! The mail is not read as a mail here but as lines, since the question is what any program behind us might take for a
//! field of ours: with white space before the colon (RFC 5322 §4.5.1), with a NUL or an underscore in the name, behind a
//! lone CR, in a header that is longer than our engine reads. Every other byte stays, in its place and order, so signatures
//! and DKIM hold. A field that forges ours goes even where a DKIM signature covers it: whoever signs in our name did not
//! mean well, and DKIM was asked by the server in front of us, on the bytes as they came.
//!
//! Memory does not grow with the header.

use std::io::{self, Write};
use std::ops::Range;

use kakitome_smime::mime::header;
use kakitome_smime::octets::{Octets, WINDOW, copy_range, read_range};

/// How the name of a field of ours begins, as [`name`] writes it.
const OURS: &str = "x-kakitome";
/// Results of checks by other hosts (RFC 8601).
const RESULTS: &str = "authentication-results";
/// So many octets of a line are looked at for the name of a field. What has no colon by then is none of ours.
const NAME_WINDOW: usize = 512;
/// So many octets of a field Authentication-Results are looked at for the host that speaks. Where it stands further back
/// than that, the field goes: no host writes so, and a program behind us may read on.
const RESULTS_WINDOW: usize = 16 * 1024;

/// Writes `head`, then the mail without what forges it: fields of ours, and results in the name of `authserv_id` where one
/// is given. Says how many fields went. `head` is whole fields with their line ends, or empty.
///
/// # Errors
/// The environment's.
pub fn strip(mail: &dyn Octets, authserv_id: Option<&str>, head: &[u8], to: &mut dyn Write) -> io::Result<u64> {
    to.write_all(head)?;
    if !head.is_empty() {
        match Start::of(&read_range(mail, 0..mail.len(), NAME_WINDOW)?) {
            Start::Header => {}
            // As Postfix calls it. A separator of mailboxes between fields would end the header.
            Start::Separator => to.write_all(b"X-Mailbox-Line: ")?,
            // It would be read as a part of our last field. Postfix ends the header here, too.
            Start::Text => {
                to.write_all(b"\r\n")?;
                copy_range(mail, 0..mail.len(), to)?;
                return Ok(0);
            }
        }
    }
    let mut pending = 0..0;
    let (removed, body) = walk(mail, authserv_id, &mut |piece| match piece {
        Piece::Kept(range) if range.start == pending.end => {
            pending.end = range.end;
            Ok(())
        }
        Piece::Kept(range) => copy_range(mail, std::mem::replace(&mut pending, range), to),
        Piece::EndGoes => {
            pending.end = pending.end.saturating_sub(1).max(pending.start);
            Ok(())
        }
    })?;
    copy_range(mail, pending, to)?;
    copy_range(mail, body..mail.len(), to)?;
    Ok(removed)
}

/// Does a mail bring fields that [`strip`] takes out?
///
/// # Errors
/// The environment's.
pub fn has_forged(mail: &dyn Octets, authserv_id: Option<&str>) -> io::Result<bool> {
    Ok(walk(mail, authserv_id, &mut |_| Ok(()))?.0 > 0)
}

/// How a mail begins.
enum Start {
    Header,
    /// `From ` and the rest of an mbox separator, quoted or not.
    Separator,
    Text,
}

impl Start {
    fn of(head: &[u8]) -> Self {
        let unquoted = head.iter().position(|octet| *octet != b'>').and_then(|at| head.get(at..));
        if unquoted.is_some_and(|rest| rest.starts_with(b"From ")) {
            return Self::Separator;
        }
        let line = head.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default();
        let field = line.iter().position(|octet| *octet == b':').and_then(|at| line.get(..at));
        let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        // An empty line ends an empty header; no octet at all is one.
        if line.is_empty() || field.is_some_and(|name| is_name(name.trim_ascii_end())) {
            return Self::Header;
        }
        Self::Text
    }
}

/// What becomes of the octets of a header, in order.
enum Piece {
    /// They stay.
    Kept(Range<u64>),
    /// The last octet that was kept goes.
    EndGoes,
}

/// Goes through the header: how many fields go, and where the body begins, with the empty line before it.
fn walk(
    mail: &dyn Octets,
    authserv_id: Option<&str>,
    tell: &mut dyn FnMut(Piece) -> io::Result<()>,
) -> io::Result<(u64, u64)> {
    let mut lines = Lines { mail, at: 0, window: Vec::new(), window_at: 0 };
    let (mut removed, mut goes, mut is_hidden, mut begins) = (0u64, false, false, true);
    loop {
        let at = lines.at;
        let Some(Line { text, end, is_line }) = lines.next()? else { return Ok((removed, at)) };
        if text.is_empty() && begins && is_line {
            return Ok((removed, at));
        }
        let head = read_range(mail, text.clone(), NAME_WINDOW)?;
        let continues = at > 0 && matches!(head.first(), Some(b' ' | b'\t'));
        if begins {
            is_hidden = false;
        }
        if !continues {
            let forged = is_forged(mail, &text, &head, authserv_id)?;
            if begins {
                goes = forged;
            } else {
                is_hidden = forged;
            }
            removed = removed.saturating_add(u64::from(forged));
        }
        match (goes, is_hidden) {
            (true, _) => {}
            (false, false) => tell(Piece::Kept(text.start..end))?,
            // A field to programs that end a line here: it goes with the octet that made it one, and the line's end stays.
            (false, true) => {
                tell(Piece::EndGoes)?;
                tell(Piece::Kept(text.end..end))?;
            }
        }
        begins = is_line;
    }
}

/// A line, or what some programs take for one.
struct Line {
    /// Without its end.
    text: Range<u64>,
    /// Where the next begins.
    end: u64,
    /// It ends as lines do: with LF or CRLF, or with the mail.
    is_line: bool,
}

/// The lines of a mail, through a window.
struct Lines<'a> {
    mail: &'a dyn Octets,
    at: u64,
    window: Vec<u8>,
    /// Where the window begins.
    window_at: u64,
}

impl Lines<'_> {
    fn octet(&mut self, at: u64) -> io::Result<Option<u8>> {
        let find = |from: u64, window: &[u8]| {
            at.checked_sub(from).and_then(|at| usize::try_from(at).ok()).and_then(|at| window.get(at)).copied()
        };
        if let Some(found) = find(self.window_at, &self.window) {
            return Ok(Some(found));
        }
        self.window = read_range(self.mail, at..self.mail.len(), WINDOW)?;
        self.window_at = at;
        Ok(find(at, &self.window))
    }

    fn next(&mut self) -> io::Result<Option<Line>> {
        let (start, mut at) = (self.at, self.at);
        loop {
            let after = at.saturating_add(1);
            let (end, is_line) = match self.octet(at)? {
                None if at == start => return Ok(None),
                None => (at, true),
                Some(b'\n') => (after, true),
                Some(b'\r') if self.octet(after)? == Some(b'\n') => (after.saturating_add(1), true),
                // Programs of many kinds end a line here, those that split text by Unicode among them.
                Some(b'\r' | 0x0b | 0x0c | 0x1c..=0x1e) => (after, false),
                Some(_) => {
                    at = after;
                    continue;
                }
            };
            self.at = end;
            return Ok(Some(Line { text: start..at, end, is_line }));
        }
    }
}

/// The name before the colon as the most careless reader would know it: graphic ASCII alone, in lower case, with hyphens for
/// underscores.
fn name(head: &[u8]) -> Option<(String, usize)> {
    let colon = head.iter().position(|octet| *octet == b':')?;
    let graphic = head.get(..colon)?.iter().filter(|octet| octet.is_ascii_graphic());
    let name = graphic.map(|octet| char::from(octet.to_ascii_lowercase())).map(|c| if c == '_' { '-' } else { c });
    Some((name.collect(), colon))
}

fn is_forged(mail: &dyn Octets, text: &Range<u64>, head: &[u8], authserv_id: Option<&str>) -> io::Result<bool> {
    let Some((name, colon)) = name(head) else { return Ok(false) };
    if name.starts_with(OURS) {
        return Ok(true);
    }
    let Some(id) = authserv_id.filter(|_| name == RESULTS) else { return Ok(false) };
    let from = text.start.saturating_add(u64::try_from(colon).unwrap_or(0)).saturating_add(1);
    let value = read_range(mail, from..mail.len(), RESULTS_WINDOW)?;
    let end = value.windows(2).position(|pair| matches!(pair, [b'\n', after] if !matches!(after, b' ' | b'\t')));
    let is_whole = end.is_some() || value.len() < RESULTS_WINDOW;
    let value = end.and_then(|end| value.get(..end)).unwrap_or(&value);
    Ok(speaks_as(&String::from_utf8_lossy(value), is_whole, id) || speaks_as(&header::decode(value), is_whole, id))
}

/// Could a program believe that this host speaks in these results?
fn speaks_as(value: &str, is_whole: bool, id: &str) -> bool {
    let bare = without_comments(value);
    let Some(host) = bare.split(';').next().filter(|host| is_whole || host.len() < bare.len()) else { return true };
    // Results without a host, as some services write them: ours to whoever takes the nearest.
    if host.contains('=') {
        return bare.to_ascii_lowercase().contains("smime");
    }
    let is_id = |text: &str| text.trim_matches('.').eq_ignore_ascii_case(id.trim_matches('.'));
    // A version may follow the host (RFC 8601 §2.2).
    let squeezed: String = host.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect();
    let unversioned = squeezed.trim_end_matches(|c: char| c.is_ascii_digit());
    let careless = value.split(';').next().unwrap_or_default();
    let mut words = careless.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_'));
    is_id(&squeezed) || is_id(unversioned) || words.any(is_id)
}

/// A value without what stands in parentheses (RFC 5322 §3.2.2).
fn without_comments(value: &str) -> String {
    let (mut out, mut depth, mut is_escaped) = (String::with_capacity(value.len()), 0usize, false);
    for c in value.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if depth > 0 => is_escaped = true,
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "gw.example";
    const HEAD: &str = "X-Kakitome-Verdict: NOT_SIGNED\r\n";

    fn stripped(mail: &str) -> (String, u64) {
        let mut out = Vec::new();
        let removed = strip(&mail.as_bytes(), Some(ID), HEAD.as_bytes(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        (out.strip_prefix(HEAD).unwrap().to_owned(), removed)
    }

    /// Each stands between two fields, alone and in front of everything, and goes.
    #[test]
    fn forged_fields_go() {
        for forged in [
            "X-Kakitome-Verdict: ORG_CONFIRMED\r\n",
            "x-kakitome-verdict:ORG_CONFIRMED\r\n",
            "X-KAKITOME-VERDICT: ORG_CONFIRMED\r\n",
            "X-Kakitome-Verdict : ORG_CONFIRMED\r\n",
            "X-Kakitome-Verdict \t : ORG_CONFIRMED\r\n",
            "X-Kakitome-Verdict:\r\n ORG_CONFIRMED\r\n\tand more\r\n",
            "X-Kakitome-Verdict: a\nX-Kakitome-Verdict: b\n",
            "X_Kakitome_Verdict: ORG_CONFIRMED\r\n",
            "X-Kakitome Verdict: ORG_CONFIRMED\r\n",
            "X-Kaki\0tome-Verdict: ORG_CONFIRMED\r\n",
            "\0X-Kakitome-Verdict: ORG_CONFIRMED\r\n",
            "\u{feff}X-Kakitome-Verdict: ORG_CONFIRMED\r\n",
            "X-Kakitome: ORG_CONFIRMED\r\n",
            "X-Kakitome-Intent: encrypt\r\n",
            "X-Kakitome-Sender: info@bank.example\rSubject: behind it\r\n",
            "Authentication-Results: gw.example; smime=pass\r\n",
            "authentication-results:gw.example;smime=pass\r\n",
            "Authentication-Results : gw.example; smime=pass\r\n",
            "Authentication-Results: GW.Example; smime=pass\r\n",
            "Authentication-Results: gw.example.; smime=pass\r\n",
            "Authentication-Results: gw.example 1; smime=pass\r\n",
            "Authentication-Results: gw.example; none\r\n",
            "Authentication-Results: gw.example\r\n",
            "Authentication-Results:\r\n\tgw.example;\r\n\tsmime=pass\r\n",
            "Authentication-Results: (a (nested\\) comment)) gw.example (x); smime=pass\r\n",
            "Authentication-Results: gw(x).example; smime=pass\r\n",
            "Authentication-Results: \"gw.example\"; smime=pass\r\n",
            "Authentication-Results: \"gw\\.example\"; smime=pass\r\n",
            "Authentication-Results: =?us-ascii?Q?gw.example?=; smime=pass\r\n",
            "Authentication-Results: (gw.example) eve.example; smime=pass\r\n",
            "Authentication-Results: smime=pass (org validated)\r\n",
            "Authentication_Results: gw.example; smime=pass\r\n",
        ] {
            let mail = format!("From: a@b.example\r\n{forged}To: c@d.example\r\n\r\n{forged}");
            let (out, removed) = stripped(&mail);
            assert_eq!(out, format!("From: a@b.example\r\nTo: c@d.example\r\n\r\n{forged}"), "{forged:?}");
            assert!(removed > 0 && has_forged(&mail.as_bytes(), Some(ID)).unwrap(), "{forged:?}");
            // Without a name of ours the results stay; our own fields go all the same.
            let mail = format!("From: a@b.example\r\n{forged}\r\n");
            assert_eq!(
                has_forged(&mail.as_bytes(), None).unwrap(),
                !forged.to_lowercase().starts_with("auth"),
                "{mail:?}"
            );
        }
    }

    #[test]
    fn a_field_behind_a_lone_cr_goes_alone() {
        for (mail, left) in [
            ("Subject: a\rX-Kakitome-Verdict: b\r\nTo: c\r\n\r\n", "Subject: a\r\nTo: c\r\n\r\n"),
            ("Subject: a\rX-Kakitome-Verdict: b\r more\r\nTo: c\r\n\r\n", "Subject: a\r\nTo: c\r\n\r\n"),
            ("Subject: a\rX-Kakitome-A: b\rX-Kakitome-B: c\n\n", "Subject: a\n\n"),
            ("Subject: a\x0bX-Kakitome-A: b\x0cTo: c\r\n\r\n", "Subject: a\x0cTo: c\r\n\r\n"),
            ("Subject: a\r\n b\rAuthentication-Results: gw.example; smime=pass\r\n\r\n", "Subject: a\r\n b\r\n\r\n"),
        ] {
            assert_eq!(stripped(mail).0, left, "{mail:?}");
        }
    }

    /// What is not ours, and what only mentions us, stays byte for byte.
    #[test]
    fn everything_else_stays() {
        for mail in [
            "From: a@b.example\r\n\r\nX-Kakitome-Verdict: in the text\r\n",
            "From: a@b.example\nSubject: x\n\nbody\n",
            "Subject: X-Kakitome-Verdict: talk of it\r\n X-Kakitome-Verdict: folded talk of it\r\n\r\n",
            "X-Kakitom-Verdict: x\r\n\r\n",
            "Y-X-Kakitome-Verdict: x\r\n\r\n",
            "Authentication-Results: mx.gw.example; dkim=pass\r\n\r\n",
            "Authentication-Results: gw.example.net; smime=pass\r\n\r\n",
            "Authentication-Results: mx.other.example; dkim=pass header.d=gw.example\r\n\r\n",
            "Authentication-Results: spf=pass smtp.mailfrom=x\r\n\r\n",
            "ARC-Authentication-Results: i=1; gw.example; smime=pass\r\n\r\n",
            "Authentication-Results-Original: gw.example; smime=pass\r\n\r\n",
            "\r\nX-Kakitome-Verdict: behind an empty header\r\n",
            "Subject: no end",
            "Subject: a\r \rb\r\n\r\n",
            "",
        ] {
            assert_eq!(stripped(mail), (mail.to_owned(), 0), "{mail:?}");
            assert!(!has_forged(&mail.as_bytes(), Some(ID)).unwrap(), "{mail:?}");
        }
    }

    /// What stands before the first field can neither join our last field nor end the header for some alone.
    #[test]
    fn our_fields_stand_alone() {
        for (mail, out) in [
            (" X-Kakitome-Verdict: x\r\n\r\n", "\r\n X-Kakitome-Verdict: x\r\n\r\n"),
            ("\tORG_CONFIRMED\r\n", "\r\n\tORG_CONFIRMED\r\n"),
            ("Hello\r\n", "\r\nHello\r\n"),
            (": x\r\n\r\n", "\r\n: x\r\n\r\n"),
            ("From eve Tue Dec 1\r\nTo: x\r\n\r\n", "X-Mailbox-Line: From eve Tue Dec 1\r\nTo: x\r\n\r\n"),
            (">>From eve\r\nTo: x\r\n\r\n", "X-Mailbox-Line: >>From eve\r\nTo: x\r\n\r\n"),
        ] {
            assert_eq!(stripped(mail).0, out, "{mail:?}");
        }
    }

    /// Longer than our engine reads, and longer than a window.
    #[test]
    fn a_header_of_any_length_is_gone_through() {
        let filler = "X-Filler: 0123456789012345678901234567890123456789\r\n".repeat(30_000);
        let long = format!("X-Long: {}\r\n", "x".repeat(WINDOW * 2));
        let mail =
            format!("{filler}X-Kakitome-Verdict: x\r\n{long}X-Kakitome-Verdict: {}\r\n\r\nbody", "y".repeat(WINDOW));
        assert_eq!(stripped(&mail), (format!("{filler}{long}\r\nbody"), 2));
        let far = format!("Authentication-Results: ({}) gw.example; smime=pass\r\n\r\n", "x".repeat(RESULTS_WINDOW));
        assert_eq!(stripped(&far), ("\r\n".to_owned(), 1));
    }
}
