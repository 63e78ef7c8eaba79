//! The addr-spec of RFC 5321 §4.1.2 and RFC 6531 §3.3, without the comments and folding of RFC 5322: what a certificate
//! or an envelope may hold. Headers are unfolded before they come here.

use std::fmt;

/// The longest local part, in octets (RFC 5321 §4.5.3.1.1).
pub const LOCAL_LIMIT: usize = 64;
/// The longest domain, in octets (RFC 5321 §4.5.3.1.2).
pub const DOMAIN_LIMIT: usize = 255;

/// A mailbox. The local part is kept without its quotes, so `"info"@a.example` and `info@a.example` are one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    local: String,
    domain: String,
}

/// How two addresses compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same local part, and the same domain, whose case never counts.
    Exact,
    /// The same when the case of ASCII letters in the local part does not count (RFC 8550 §3).
    Folded,
    /// Different.
    No,
}

/// The text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address of the form local@domain: {what}")]
pub struct AddressRefused {
    /// What is wrong with it.
    pub what: &'static str,
}

const fn refused<T>(what: &'static str) -> Result<T, AddressRefused> {
    Err(AddressRefused { what })
}

impl Address {
    /// Reads an address. The last `@` divides it.
    ///
    /// # Errors
    /// Control characters, white space outside quotes, an empty or malformed part, or one that is too long.
    pub fn parse(text: &str) -> Result<Self, AddressRefused> {
        let Some((local, domain)) = text.rsplit_once('@') else { return refused("there is no @") };
        if text.chars().any(char::is_control) {
            return refused("it holds a control character");
        }
        if local.len() > LOCAL_LIMIT {
            return refused("what stands before the @ is longer than 64 octets");
        }
        if domain.len() > DOMAIN_LIMIT {
            return refused("the domain is longer than 255 octets");
        }
        check_domain(domain)?;
        Ok(Self { local: read_local(local)?, domain: domain.to_owned() })
    }

    /// What stands before the `@`, without quotes.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// What stands behind the `@`, as it was written.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The domain in A-labels (RFC 5891 §4.4), in lower case where it was written in U-labels. `None` if it has no such
    /// form.
    pub fn ascii_domain(&self) -> Option<String> {
        if self.domain.is_ascii() {
            return Some(self.domain.clone());
        }
        self.domain.split('.').map(a_label).collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
    }

    /// Is the domain this one? Case does not count, and a U-label equals its A-label.
    pub fn is_in(&self, domain: &str) -> bool {
        same_domain(&self.domain, domain)
    }

    /// Compares with another address. No guessing: tags behind a plus and dots count.
    pub fn matches(&self, other: &Self) -> Match {
        if !same_domain(&self.domain, &other.domain) {
            Match::No
        } else if self.local == other.local {
            Match::Exact
        } else if self.local.eq_ignore_ascii_case(&other.local) {
            Match::Folded
        } else {
            Match::No
        }
    }
}

impl fmt::Display for Address {
    /// As an addr-spec: the local part in quotes only where it needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_atom(&self.local) {
            f.write_str(&self.local)?;
        } else {
            f.write_str("\"")?;
            for character in self.local.chars() {
                if matches!(character, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
            f.write_str("\"")?;
        }
        write!(f, "@{}", self.domain)
    }
}

impl std::str::FromStr for Address {
    type Err = AddressRefused;

    fn from_str(text: &str) -> Result<Self, AddressRefused> {
        Self::parse(text)
    }
}

fn read_local(local: &str) -> Result<String, AddressRefused> {
    let Some(rest) = local.strip_prefix('"') else {
        return if is_dot_atom(local) {
            Ok(local.to_owned())
        } else {
            refused("what stands before the @ is malformed")
        };
    };
    let Some(quoted) = rest.strip_suffix('"') else { return refused("a quotation mark is not closed") };
    let mut out = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return refused("a quotation mark stands inside quotes"),
            '\\' => match characters.next() {
                Some(escaped @ ' '..='~') => out.push(escaped),
                _ => return refused("a backslash stands before nothing that it may quote"),
            },
            // RFC 5321 §4.1.2 qtextSMTP knows the plain space alone.
            other if other.is_whitespace() && other != ' ' => return refused("it holds odd white space"),
            other => out.push(other),
        }
    }
    if out.is_empty() { refused("nothing stands before the @") } else { Ok(out) }
}

fn is_dot_atom(text: &str) -> bool {
    // RFC 5321 §4.1.2 atext; RFC 6531 §3.3 adds every character beyond ASCII.
    let is_atext = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
    };
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn check_domain(domain: &str) -> Result<(), AddressRefused> {
    if let Some(literal) = domain.strip_prefix('[') {
        // RFC 5321 §4.1.3: an address literal; no certificate authority vouches for one, but it is an address.
        let inside = literal.strip_suffix(']').unwrap_or_default();
        let good = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':') || "IPv6:".contains(c);
        return if !inside.is_empty() && inside.chars().all(good) {
            Ok(())
        } else {
            refused("the domain is malformed")
        };
    }
    let good = |label: &str| {
        let is_letter =
            |c: char| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && !c.is_whitespace() && !c.is_control());
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if domain.split('.').all(good) { Ok(()) } else { refused("the domain is malformed") }
}

/// Label by label. Unicode is compared in lower case; no further mapping of RFC 5895 is done, so that in doubt two
/// domains differ.
fn same_domain(one: &str, other: &str) -> bool {
    let same = |(one, other): (&str, &str)| one.eq_ignore_ascii_case(other) || a_label(one) == a_label(other);
    one.split('.').count() == other.split('.').count() && one.split('.').zip(other.split('.')).all(same)
}

/// The A-label of a label (RFC 5891 §4.4), in lower case.
fn a_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_ascii_lowercase());
    }
    punycode(&label.to_lowercase()).map(|encoded| format!("xn--{encoded}"))
}

/// RFC 3492 §6.3, with the parameters of §5. `None` on overflow.
fn punycode(text: &str) -> Option<String> {
    const BASE: u32 = 36;
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let total = u32::try_from(text.chars().count()).ok()?;
    let (mut code, mut delta, mut bias, mut handled) = (128u32, 0u32, 72u32, basic);
    while handled < total {
        let next = text.chars().map(u32::from).filter(|c| *c >= code).min()?;
        delta = delta.checked_add(next.checked_sub(code)?.checked_mul(handled.checked_add(1)?)?)?;
        code = next;
        for character in text.chars().map(u32::from) {
            if character < code {
                delta = delta.checked_add(1)?;
            }
            if character == code {
                let mut rest = delta;
                let mut place = BASE;
                loop {
                    let threshold = place.saturating_sub(bias).clamp(1, 26);
                    if rest < threshold {
                        break;
                    }
                    let (over, span) = (rest.checked_sub(threshold)?, BASE.checked_sub(threshold)?);
                    out.push(digit(threshold.checked_add(over.checked_rem(span)?)?)?);
                    rest = over.checked_div(span)?;
                    place = place.checked_add(BASE)?;
                }
                out.push(digit(rest)?);
                bias = adapt(delta, handled.checked_add(1)?, handled == basic)?;
                delta = 0;
                handled = handled.checked_add(1)?;
            }
        }
        delta = delta.checked_add(1)?;
        code = code.checked_add(1)?;
    }
    Some(out)
}

/// A domain as people read it: its A-labels as U-labels, in lower case. A label that decodes to nothing stays as it is.
pub fn unicode_domain(domain: &str) -> String {
    let label = |label: &str| {
        let label = label.to_lowercase();
        label.strip_prefix("xn--").and_then(unpunycode).unwrap_or(label)
    };
    domain.split('.').map(label).collect::<Vec<_>>().join(".")
}

/// RFC 3492 §6.2. `None` where the text is no encoding, or one that nobody writes: [`punycode`] gives another.
fn unpunycode(encoded: &str) -> Option<String> {
    const BASE: u32 = 36;
    let (basic, rest) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut code, mut index, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = rest.chars();
    while !digits.as_str().is_empty() {
        let before = index;
        let (mut weight, mut place) = (1u32, BASE);
        loop {
            let value = digits.next()?.to_digit(BASE)?;
            // `a` is 0 and `0` is 26 there, and the other way round here
            let value = if value < 10 { value.checked_add(26)? } else { value.checked_sub(10)? };
            index = index.checked_add(value.checked_mul(weight)?)?;
            let threshold = place.saturating_sub(bias).clamp(1, 26);
            if value < threshold {
                break;
            }
            weight = weight.checked_mul(BASE.checked_sub(threshold)?)?;
            place = place.checked_add(BASE)?;
        }
        let points = u32::try_from(out.len()).ok()?.checked_add(1)?;
        bias = adapt(index.checked_sub(before)?, points, before == 0)?;
        code = code.checked_add(index.checked_div(points)?)?;
        index = index.checked_rem(points)?;
        out.insert(usize::try_from(index).ok()?, char::from_u32(code)?);
        index = index.checked_add(1)?;
    }
    let decoded: String = out.into_iter().collect();
    let is_text = !decoded.is_ascii() && !decoded.chars().any(char::is_control);
    (is_text && punycode(&decoded)? == encoded).then_some(decoded)
}

fn digit(value: u32) -> Option<char> {
    match value {
        0..=25 => char::from_u32(value.checked_add(u32::from(b'a'))?),
        _ => char::from_digit(value.checked_sub(26)?, 10),
    }
}

fn adapt(delta: u32, points: u32, first: bool) -> Option<u32> {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta = delta.checked_add(delta.checked_div(points)?)?;
    let mut steps = 0u32;
    while delta > 455 {
        delta /= 35;
        steps = steps.checked_add(36)?;
    }
    steps.checked_add(delta.checked_mul(36)?.checked_div(delta.checked_add(38)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let long = "a".repeat(65);
        let rows: &[(&str, Option<(&str, &str)>)] = &[
            ("info@bank.example", Some(("info", "bank.example"))),
            ("a.b+c@x", Some(("a.b+c", "x"))),
            ("受付@銀行.example", Some(("受付", "銀行.example"))),
            ("\"info@bank.example\"@eve.example", Some(("info@bank.example", "eve.example"))),
            ("\"a \\\" b\"@x.example", Some(("a \" b", "x.example"))),
            ("\"info\"@bank.example", Some(("info", "bank.example"))),
            ("a@[192.0.2.1]", Some(("a", "[192.0.2.1]"))),
            ("info", None),
            ("@bank.example", None),
            ("info@", None),
            ("info@bank.example\0.eve.example", None),
            ("in fo@bank.example", None),
            ("info @bank.example", None),
            ("info@bank.example ", None),
            ("info@bank .example", None),
            ("info@bank\u{3000}.example", None),
            ("info@eve.example@bank.example", None),
            ("info..a@bank.example", None),
            (".info@bank.example", None),
            ("info@bank..example", None),
            ("info@bank.example.", None),
            ("info@-bank.example", None),
            ("info@bank_.example", None),
            ("<info@bank.example>", None),
            ("\"a\"b\"@x.example", None),
            ("\"a@x.example", None),
            ("\"\"@x.example", None),
            ("\"a\\\"@x.example", None),
            ("a\r\nb@x.example", None),
            ("\"a\r\n\"@x.example", None),
            ("a,b@x.example", None),
            ("a(comment)@x.example", None),
            (&format!("{long}@x.example"), None),
            (&format!("a@{}", "a.".repeat(200)), None),
            (&format!("a@{long}.example"), None),
        ];
        for (text, expected) in rows {
            let parsed = Address::parse(text).ok();
            assert_eq!(parsed.as_ref().map(|address| (address.local(), address.domain())), *expected, "{text:?}");
            if let Some(address) = parsed {
                assert_eq!(Address::parse(&address.to_string()), Ok(address), "{text:?}");
            }
        }
    }

    #[test]
    fn addresses_compare() {
        for (one, other, expected) in [
            ("info@bank.example", "info@bank.example", Match::Exact),
            ("info@bank.example", "info@BANK.Example", Match::Exact),
            ("info@bank.example", "\"info\"@bank.example", Match::Exact),
            ("Info@bank.example", "info@bank.example", Match::Folded),
            ("user+x@mail.example", "user@mail.example", Match::No),
            ("u.ser@mail.example", "user@mail.example", Match::No),
            ("info@bank.example", "info@www.bank.example", Match::No),
            ("info@bank.example", "info@bank.exаmple", Match::No),
            // A-labels from RFC 3492 §7.1 and IANA
            ("a@bücher.example", "a@xn--bcher-kva.example", Match::Exact),
            ("a@BÜCHER.example", "a@XN--bcher-kva.example", Match::Exact),
            ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah", Match::Exact),
            ("a@例示銀行.example", "a@例示銀行.example", Match::Exact),
            ("a@3年b組金八先生", "a@xn--3b-ww4c5e180e575a65lsy2b", Match::Exact),
            ("ÄB@x.example", "äb@x.example", Match::No),
        ] {
            let (one, other) = (Address::parse(one).unwrap(), Address::parse(other).unwrap());
            assert_eq!(one.matches(&other), expected, "{one} {other}");
            assert_eq!(other.matches(&one), expected, "{other} {one}");
        }
    }

    #[test]
    fn domains_are_read_as_people_read_them() {
        for (domain, read) in [
            ("bank.example", "bank.example"),
            ("BANK.Example", "bank.example"),
            ("xn--bcher-kva.example", "bücher.example"),
            ("XN--R8JZ45G.xn--zckzah", "例え.テスト"),
            ("xn--3b-ww4c5e180e575a65lsy2b", "3年b組金八先生"),
            ("bücher.example", "bücher.example"),
            ("xn--bnk-6cd.example", "bаnk.example"),
            ("xn--.example", "xn--.example"),
            ("xn--a.example", "xn--a.example"),
            ("xn--a-.example", "xn--a-.example"),
            ("xn--99999999999.example", "xn--99999999999.example"),
            ("xn--zz!.example", "xn--zz!.example"),
        ] {
            assert_eq!(unicode_domain(domain), read, "{domain}");
        }
    }
}
