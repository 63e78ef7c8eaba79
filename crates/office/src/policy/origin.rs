//! Who handed a mail in, as far as servers of the site tell it: the listener's trust class, the client's address, and
//! what the submission server wrote into its own Received field.
//!
//! Postfix tells a content filter no login: XFORWARD has no attribute for it. With
//! `smtpd_sasl_authenticated_header = yes` it writes the login into the Received field that it puts on top of the mail,
//! with `smtpd_tls_received_header = yes` the names in the client's certificate, too. So only the topmost Received field
//! is looked at, only if the site's own host wrote it, and only in the exact form in which Postfix writes it; whatever
//! the mail brought along stands below it.

use std::net::IpAddr;

use kakitome_smime::mime::header::{Header, unfold};

/// A Received field longer than this is not read, in octets; Postfix's have some hundred.
pub const RECEIVED_LIMIT: usize = 4096;

/// Who handed a mail in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The trust class of the listener that it came in by.
    pub class: Option<String>,
    /// The client of the submission server (XFORWARD), or whoever is connected to us.
    pub client: Option<IpAddr>,
    /// The name under which he logged in.
    pub login: Option<String>,
    /// The certificate that he showed, verified by the submission server, or by our own listener.
    pub certificate: Option<ClientCertificate>,
    /// His own program is connected to us: every field of the mail is his own word, Received too.
    pub direct: bool,
}

/// What the submission server says of a client's certificate that it verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject's common name.
    pub name: String,
    /// The issuer's common name.
    pub issuer: String,
}

impl Origin {
    /// The same with what the topmost Received field tells, if `host` wrote it.
    #[must_use]
    pub fn told_by(mut self, header: &Header, host: Option<&str>) -> Self {
        if self.direct {
            return self;
        }
        let field = header.all("Received").next().map(|field| header.value(field));
        let value = field.filter(|value| value.len() <= RECEIVED_LIMIT);
        if let Some((host, value)) = host.zip(value)
            && let Some(comments) = comments(&unfold(value), host)
        {
            self.login = self.login.or_else(|| login(&comments));
            self.certificate = self.certificate.or_else(|| certificate(&comments));
        }
        self
    }
}

/// The comments between the client's name and `by`, of a field that begins `from CLIENT … by HOST`. `None` if it is not
/// such a field, or holds what Postfix never writes: then somebody else wrote it.
fn comments(value: &str, host: &str) -> Option<Vec<String>> {
    let mut words = 0usize;
    let mut rest = value.trim_start();
    let mut comments = Vec::new();
    while let Some(first) = rest.chars().next() {
        if first == '(' {
            let end = end_of_comment(rest)?;
            if words == 2 {
                comments.push(rest.get(1..end)?.to_owned());
            }
            rest = rest.get(end..)?.strip_prefix(')')?.trim_start();
            continue;
        }
        let end = rest.find([' ', '\t', '(']).unwrap_or(rest.len());
        let word = rest.get(..end)?;
        rest = rest.get(end..)?.trim_start();
        let is_right = match words {
            0 => word == "from",
            1 => true,
            2 => word == "by",
            _ => return word.eq_ignore_ascii_case(host).then_some(comments),
        };
        if !is_right {
            return None;
        }
        words = words.saturating_add(1);
    }
    None
}

/// Where the comment that `text` begins with is closed. Postfix neutralises backslashes and parentheses that have no
/// partner in what it did not write itself.
fn end_of_comment(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth = depth.saturating_add(1),
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            '\\' => return None,
            _ => {}
        }
    }
    None
}

fn login(comments: &[String]) -> Option<String> {
    let mut found = comments.iter().filter_map(|comment| comment.strip_prefix("Authenticated sender: "));
    let login = found.next()?;
    // A question mark stands for a character that could not be written: then two logins look alike.
    (found.next().is_none() && !login.is_empty() && !login.contains('?')).then(|| login.to_owned())
}

fn certificate(comments: &[String]) -> Option<ClientCertificate> {
    let mut found = comments.iter().filter_map(|comment| comment.strip_prefix("Client CN \""));
    let names = found.next()?.strip_suffix("\" (verified OK)")?;
    let (name, issuer) = names.split_once("\", Issuer \"")?;
    // A quotation mark in a name could move the border between the two.
    let is_plain = |name: &str| !name.is_empty() && !name.contains(['"', '?']);
    (found.next().is_none() && is_plain(name) && is_plain(issuer))
        .then(|| ClientCertificate { name: name.to_owned(), issuer: issuer.to_owned() })
}
