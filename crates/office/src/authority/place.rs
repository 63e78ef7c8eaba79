//! Where the outside finds what the own CAs publish: one scheme for the URLs in certificates and for what the web serves.

use kakitome_pki::issue::Places;

/// Below the public address: everything that the own CAs publish.
pub const PUBLISHED_PATH: &str = "/.well-known/kakitome/";
/// Where the first issuing CA's certificate is published (DER).
pub const ISSUING_PATH: &str = "/.well-known/kakitome/issuing.cer";
/// Where OCSP requests go: POST here, GET below it (RFC 6960 §A.1).
pub const RESPONDER_PATH: &str = "/.well-known/kakitome/ocsp";
/// A CA's certificates are spread over so many revocation lists, by their serial numbers: a reader fetches a small one, and
/// no list grows with the house.
pub const LISTS: u8 = 16;

/// The list on which a certificate with this serial number would stand: by an octet of it that is random throughout.
pub(super) fn list_of(serial: &[u8]) -> i64 {
    i64::from(serial.get(1).or_else(|| serial.first()).copied().unwrap_or_default() % LISTS)
}

/// `base` with a path behind it; `base` may end in a slash.
fn at(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

/// Where a list is found.
pub(super) fn list_url(base: &str, authority: &str, list: i64) -> String {
    at(base, &format!("{PUBLISHED_PATH}{authority}-{list}.crl"))
}

/// What a certificate of this CA names. The root's own responder does not exist: its list says it all.
pub(super) fn places(base: Option<&str>, authority: &str, list: i64, has_responder: bool) -> Places {
    let Some(base) = base else { return Places::default() };
    Places {
        list: Some(list_url(base, authority, list)),
        issuer: Some(at(base, &format!("{PUBLISHED_PATH}{authority}.cer"))),
        responder: has_responder.then(|| at(base, RESPONDER_PATH)),
    }
}

/// A file that is asked for below [`PUBLISHED_PATH`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A CA's certificate.
    Certificate(String),
    /// One of its revocation lists.
    List(String, i64),
}

impl Wanted {
    /// Reads a file's name; `None` where there can be no such file.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(authority) = name.strip_suffix(".cer") {
            return Some(Self::Certificate(authority.to_owned()));
        }
        let (authority, list) = name.strip_suffix(".crl")?.rsplit_once('-')?;
        let list = list.parse().ok().filter(|list| (0..i64::from(LISTS)).contains(list))?;
        Some(Self::List(authority.to_owned(), list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_certificate_names_is_what_is_served() {
        let places = places(Some("http://pki.example/"), "issuing-2", 15, true);
        let file = |url: &str| Wanted::parse(url.strip_prefix("http://pki.example/.well-known/kakitome/").unwrap());
        assert_eq!(file(places.list.as_deref().unwrap()), Some(Wanted::List("issuing-2".to_owned(), 15)));
        assert_eq!(file(places.issuer.as_deref().unwrap()), Some(Wanted::Certificate("issuing-2".to_owned())));
        assert_eq!(places.responder.as_deref(), Some("http://pki.example/.well-known/kakitome/ocsp"));
        assert_eq!(super::places(None, "issuing", 0, true), Places::default());
        for none in ["", "issuing", "issuing.crl", "issuing-16.crl", "issuing--x.crl", "issuing-x.crl", ".pem"] {
            assert_eq!(Wanted::parse(none), None, "{none}");
        }
    }

    #[test]
    fn lists_are_chosen_by_a_random_octet() {
        assert_eq!((list_of(&[0x40, 0x1f, 0]), list_of(&[0x2f]), list_of(&[])), (15, 15, 0));
    }
}
