//! Certificate stores of other houses (RFC 4387), which the administrator named for their domains.
//!
//! What comes is anybody's word, and judged like what a mail brings: it needs a path, and takes no other's place by itself.
//! That a store could not be asked is not the same as its saying that there is none.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_verdict::lookup::{End, Lookup};
use kakitome_verdict::sender::Evidence;

use super::entry::{Place, Source};
use super::harvest::Taking;
use super::import::mailboxes;
use super::judge::{self, Believed};
use super::rule::Brought;
use super::{Directory, table};
use crate::fault::Fault;

/// Certificates of one answer that are looked at.
const ANSWER_LIMIT: usize = 16;
/// What a URL may hold in the place of the address, for a store that wants it elsewhere than behind `?email=`.
pub const ADDRESS_MARK: &str = "{email}";

/// A certificate store that knows a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The domain, in A-labels and lower case.
    pub domain: String,
    /// Its URL. The address takes the place of [`ADDRESS_MARK`] in it, else `?email=` and the address stand behind it.
    pub url: String,
}

impl Service {
    /// The URL for an address.
    pub fn url_for(&self, address: &Address) -> String {
        let mut text = String::new();
        for octet in address.to_string().bytes() {
            // RFC 3986 §2.3, and the `@`, which every store reads as it is.
            if octet.is_ascii_alphanumeric() || b"-._~@".contains(&octet) {
                text.push(char::from(octet));
            } else {
                text.push_str(&format!("%{octet:02X}"));
            }
        }
        if self.url.contains(ADDRESS_MARK) {
            return self.url.replace(ADDRESS_MARK, &text);
        }
        let mark = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{mark}email={text}", self.url)
    }
}

impl Directory {
    /// Asks the store of the address's domain, where one is named, and takes what it answers. Says why it could not be
    /// asked.
    pub(super) fn ask(
        &self,
        address: &Address,
        place: &Place,
        evidence: &Evidence,
        now: Time,
    ) -> Result<Option<Lookup>, Fault> {
        let Some(outside) = &self.outside else { return Ok(None) };
        let Some(service) = self.terms.services.iter().find(|service| service.domain == place.domain) else {
            return Ok(None);
        };
        let (certificates, lookup) = outside.recipient(&service.url_for(address), &address.to_string());
        if lookup.end == End::Known {
            self.take_answer(&certificates, place, evidence, now)?;
        }
        Ok(Some(lookup))
    }

    fn take_answer(
        &self,
        certificates: &[Certificate],
        place: &Place,
        evidence: &Evidence,
        now: Time,
    ) -> Result<(), Fault> {
        for certificate in certificates.iter().take(ANSWER_LIMIT) {
            // Of what is for others nothing is kept: whoever answers could fill the directory.
            if !mailboxes(certificate).contains(place) {
                continue;
            }
            let fitness = self.judge(certificate, certificates, false, evidence)?;
            let Ok(Believed::Path(path)) = fitness.map(|fitness| fitness.believed) else { continue };
            let brought = Brought {
                place: place.clone(),
                certificate: certificate.clone(),
                anchor: path.anchor().certificate.fingerprint_hex(),
                class: judge::class(&path),
                signed_at: now,
            };
            let issuers: Vec<Certificate> = path.certificates().iter().skip(1).cloned().collect();
            let taking = Taking {
                brought: &brought,
                source: Source::Http,
                capabilities: None,
                issuers: &issuers,
                actor: &self.actor,
                now,
            };
            self.store.write(|s| taking.take(s))?;
        }
        Ok(())
    }

    /// What is known of a place now.
    pub(super) fn entries(&self, place: &Place) -> Result<Vec<super::Entry>, Fault> {
        self.store.read(|s| table::at(s, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_in_the_url_as_a_url_may_hold_it() {
        for (url, address, expected) in [
            ("https://c.example/search.cgi", "bob@x.example", "https://c.example/search.cgi?email=bob@x.example"),
            ("https://c.example/s?form=1", "bob@x.example", "https://c.example/s?form=1&email=bob@x.example"),
            ("https://c.example/{email}.cer", "bob@x.example", "https://c.example/bob@x.example.cer"),
            ("https://c.example/", "a+b&c@x.example", "https://c.example/?email=a%2Bb%26c@x.example"),
            ("https://c.example/", "\"a b\"@x.example", "https://c.example/?email=%22a%20b%22@x.example"),
            ("https://c.example/", "受付@x.example", "https://c.example/?email=%E5%8F%97%E4%BB%98@x.example"),
        ] {
            let service = Service { domain: "x.example".to_owned(), url: url.to_owned() };
            assert_eq!(service.url_for(&Address::parse(address).unwrap()), expected);
        }
    }
}
