//! A URL as it is fetched: http or https, a host, a port, a path. Everything else that a URL can be is refused, with the
//! cause.

use std::fmt;
use std::net::Ipv6Addr;

use kakitome_verdict::lookup::Cause;

/// A URL is at most this long, in octets.
pub const URL_LIMIT: usize = 2048;
/// A host name is at most this long (RFC 1035 §2.3.4), in octets.
const HOST_LIMIT: usize = 253;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    is_secure: bool,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
    /// Path and query, beginning with a slash.
    target: String,
}

impl Place {
    /// Reads one.
    ///
    /// # Errors
    /// [`Cause::Scheme`] or [`Cause::Url`].
    pub(super) fn parse(text: &str) -> Result<Self, Cause> {
        let (scheme, rest) = text.split_once(':').ok_or(Cause::Url)?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(Cause::Scheme),
        };
        let rest = rest.strip_prefix("//").ok_or(Cause::Url)?;
        // Non-ASCII hosts and blanks have more than one reading.
        if text.len() > URL_LIMIT || !rest.bytes().all(|octet| octet.is_ascii_graphic()) || rest.contains('\\') {
            return Err(Cause::Url);
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(Cause::Url)?;
        let (host, port) = authority_parts(authority)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { is_secure, host, port: port.unwrap_or(if is_secure { 443 } else { 80 }), target })
    }

    /// Where a redirect leads from here.
    ///
    /// # Errors
    /// [`Cause::Redirect`] for another scheme, else as [`Place::parse`].
    pub(super) fn follow(&self, location: &str) -> Result<Self, Cause> {
        let scheme = if self.is_secure { "https" } else { "http" };
        let next = if location.starts_with("//") {
            Self::parse(&format!("{scheme}:{location}"))?
        } else if location.starts_with('/') {
            Self::parse(&format!("{}{location}", self.origin()))?
        } else if location.split(['/', '?', '#']).next().unwrap_or_default().contains(':') {
            Self::parse(location)?
        } else {
            let path = self.target.split('?').next().unwrap_or_default();
            let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
            Self::parse(&format!("{}{folder}{location}", self.origin()))?
        };
        if next.is_secure == self.is_secure { Ok(next) } else { Err(Cause::Redirect) }
    }

    fn origin(&self) -> String {
        format!("{}://{}:{}", if self.is_secure { "https" } else { "http" }, self.host, self.port)
    }

    /// Over TLS?
    pub(super) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host, an IPv6 address in brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The same with more path.
    pub(super) fn below(&self, part: &str) -> Self {
        let gap = if self.target.ends_with('/') { "" } else { "/" };
        Self { target: format!("{}{gap}{part}", self.target), ..self.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target)
    }
}

/// Host and port, without a user.
fn authority_parts(authority: &str) -> Result<(String, Option<u16>), Cause> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(Cause::Url)?;
            let address: Ipv6Addr = host.parse().map_err(|_| Cause::Url)?;
            (format!("[{address}]"), port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at_checked(end).ok_or(Cause::Url)?;
            let is_named = host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
            if host.is_empty() || host.len() > HOST_LIMIT || !is_named {
                return Err(Cause::Url);
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) && !digits.is_empty() => {
            Some(digits.parse().map_err(|_| Cause::Url)?)
        }
        None if port.is_empty() => None,
        _ => return Err(Cause::Url),
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_strictly() {
        let long = format!("http://a.example/{}", "x".repeat(URL_LIMIT));
        let rows: &[(&str, Result<&str, Cause>)] = &[
            ("http://crl.example/a.crl", Ok("http://crl.example:80/a.crl")),
            ("HTTP://CRL.Example", Ok("http://crl.example:80/")),
            ("https://crl.example?x=1", Ok("https://crl.example:443/?x=1")),
            ("http://crl.example:8080/a#b", Ok("http://crl.example:8080/a")),
            ("http://[::1]/a", Ok("http://[::1]:80/a")),
            ("http://[0:0:0:0:0:0:0:1]:81/", Ok("http://[::1]:81/")),
            ("http://127.0.0.1/", Ok("http://127.0.0.1:80/")),
            ("http://a.example/%0d%0ax", Ok("http://a.example:80/%0d%0ax")),
            ("ldap://crl.example/cn=x", Err(Cause::Scheme)),
            ("file:///etc/passwd", Err(Cause::Scheme)),
            ("gopher://a.example/", Err(Cause::Scheme)),
            ("crl.example/a", Err(Cause::Url)),
            ("http:crl.example", Err(Cause::Url)),
            ("http:///a", Err(Cause::Url)),
            ("http://user@crl.example/", Err(Cause::Url)),
            ("http://a.example@127.0.0.1/", Err(Cause::Url)),
            ("http://a.example:70000/", Err(Cause::Url)),
            ("http://a.example:/", Err(Cause::Url)),
            ("http://a.example:8x/", Err(Cause::Url)),
            ("http://a.example\\@b.example/", Err(Cause::Url)),
            ("http://a.example/a b", Err(Cause::Url)),
            ("http://a.example/\r\nHost: b", Err(Cause::Url)),
            ("http://例え.example/", Err(Cause::Url)),
            ("http://[fe80::1%25eth0]/", Err(Cause::Url)),
            ("http://[::1/", Err(Cause::Url)),
            (&long, Err(Cause::Url)),
        ];
        for (text, expected) in rows {
            let found = Place::parse(text).map(|place| place.to_string());
            assert_eq!(found.as_deref().map_err(|cause| *cause), *expected, "{text}");
        }
    }

    #[test]
    fn redirects_stay_with_their_scheme() {
        let from = Place::parse("http://a.example/x/y.crl?z").unwrap();
        let rows: &[(&str, Result<&str, Cause>)] = &[
            ("http://b.example/c", Ok("http://b.example:80/c")),
            ("//b.example/c", Ok("http://b.example:80/c")),
            ("/c", Ok("http://a.example:80/c")),
            ("c:d", Err(Cause::Scheme)),
            ("c", Ok("http://a.example:80/x/c")),
            ("?q", Ok("http://a.example:80/x/?q")),
            ("https://a.example/", Err(Cause::Redirect)),
            ("ldap://a.example/", Err(Cause::Scheme)),
            ("http://a@b.example/", Err(Cause::Url)),
        ];
        for (location, expected) in rows {
            let found = from.follow(location).map(|place| place.to_string());
            assert_eq!(found.as_deref().map_err(|cause| *cause), *expected, "{location}");
        }
    }
}
