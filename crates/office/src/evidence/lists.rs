//! Lists of the reader's own: whom he writes with, and what was delivered when.

use std::path::Path;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_smime::mime::address;
use kakitome_verdict::sender::Delivery;

use super::{Unusable, read};

/// A list of correspondents may hold this many; each is compared with every sender.
const CORRESPONDENTS_LIMIT: usize = 50_000;

/// The addresses of a file: one on a line, alone or as `Name <address>`; lines that begin with `#` do not count.
pub(super) fn correspondents(path: &Path) -> Result<Vec<Address>, Unusable> {
    let found = lines(path, |line| {
        let mailboxes = address::mailboxes(line.as_bytes()).map_err(|_| "is no address".to_owned())?;
        let parse = |mailbox: address::Mailbox| Address::parse(&mailbox.address).map_err(|refused| refused.to_string());
        mailboxes.into_iter().map(parse).collect::<Result<Vec<_>, _>>()
    })?;
    let found: Vec<Address> = found.into_iter().flatten().collect();
    if found.len() > CORRESPONDENTS_LIMIT {
        let why = format!("and those before hold more than {CORRESPONDENTS_LIMIT} addresses");
        return Err(Unusable::Line { path: path.to_owned(), number: CORRESPONDENTS_LIMIT, why });
    }
    Ok(found)
}

/// The deliveries of a file: on each line a time in RFC 3339 and the SHA-256 of a signature in hexadecimal.
pub(super) fn deliveries(path: &Path) -> Result<Vec<Delivery>, Unusable> {
    lines(path, |line| {
        let mut words = line.split_whitespace();
        let (Some(at), Some(signature), None) = (words.next(), words.next(), words.next()) else {
            return Err("is not a time and a SHA-256".to_owned());
        };
        let at: Time = at.parse().map_err(|_| format!("holds no time in RFC 3339: {at}"))?;
        let signature = digest(signature).ok_or_else(|| format!("holds no SHA-256 in hexadecimal: {signature}"))?;
        Ok(Delivery { signature, at })
    })
}

fn lines<T>(path: &Path, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Unusable> {
    let bytes = read(path)?;
    let refused = |number, why| Unusable::Line { path: path.to_owned(), number, why };
    let text = std::str::from_utf8(&bytes).map_err(|_| refused(1, "or a later one is not UTF-8".to_owned()))?;
    let counts = |line: &str| !line.is_empty() && !line.starts_with('#');
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).zip(1..).filter(|(line, _)| counts(line));
    lines.map(|(line, number)| parse(line).map_err(|why| refused(number, why))).collect()
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (octet, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn correspondents_are_read_line_by_line() {
        let good = file(
            "\u{feff}# people\r\na@b.test\r\n\r\n 例示 太郎 <taro@bank.example> \nb@c.test, d@e.test\n".as_bytes(),
        );
        let found = correspondents(good.path()).unwrap();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["a@b.test", "taro@bank.example", "b@c.test", "d@e.test"]);
        for (text, what) in [(&b"a@b.test\nbank.example\n"[..], "line 2 is no address"), (b"\xff@b.test", "not UTF-8")]
        {
            let error = correspondents(file(text).path()).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn deliveries_are_read_line_by_line() {
        let digest = "0a".repeat(32);
        let good = file(format!("# log\n2026-11-30T00:00:00Z {digest}\n").as_bytes());
        let found = deliveries(good.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].signature, found[0].at.to_string().as_str()), ([10; 32], "2026-11-30T00:00:00Z"));
        for (text, what) in [
            (format!("yesterday {digest}"), "line 1 holds no time"),
            ("2026-11-30T00:00:00Z 0a".to_owned(), "line 1 holds no SHA-256"),
            (format!("2026-11-30T00:00:00Z {}", "+a".repeat(32)), "line 1 holds no SHA-256"),
            ("2026-11-30T00:00:00Z".to_owned(), "line 1 is not"),
        ] {
            let error = deliveries(file(text.as_bytes()).path()).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
