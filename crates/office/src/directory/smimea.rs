//! SMIMEA (RFC 8162): the certificates of members as records of the DNS, for a zone that is signed with DNSSEC. Without
//! that nobody may believe them (§6), and `kakitome directory smimea` says so.

use kakitome_pki::address::Address;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::sha256;
use unicode_normalization::UnicodeNormalization as _;

use super::publish::one_of_each_issuer;

/// The label below which the records of a domain stand.
const LABEL: &str = "_smimecert";
/// Octets of the hash of the local part that make the name (RFC 8162 §3).
const HASH_OCTETS: usize = 28;
/// The certificate itself (usage 3), whole (selector 0), as it is (matching 0): what is encrypted to must be there whole.
const HEAD: [u8; 3] = [3, 0, 0];
/// Hexadecimal digits on a line.
const LINE: usize = 64;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By the type's name, which servers know since about 2015.
    Named,
    /// By the type's number and octets, which every server reads (RFC 3597 §5).
    Generic,
}

/// The name of an address's records, absolute. `None` where the domain has no form in A-labels.
///
/// The local part counts as it is written, in NFC; nothing is folded or taken off (RFC 8162 §3, §4).
pub fn name(address: &Address) -> Option<String> {
    let local: String = address.local().nfc().collect();
    let hash = sha256(local.as_bytes());
    let hash = hex(hash.get(..HASH_OCTETS)?);
    Some(format!("{hash}.{LABEL}.{}.", address.ascii_domain()?.to_ascii_lowercase()))
}

/// Of the certificates of a member those that are published: the newest of each issuer.
pub fn chosen(all: &[Vec<u8>]) -> Vec<Vec<u8>> {
    one_of_each_issuer(all.to_vec())
}

/// One record, ended by a line's end.
pub fn record(name: &str, seconds: u32, certificate: &[u8], form: Form) -> String {
    let digits = hex(certificate);
    let (head, digits) = match form {
        Form::Named => (format!("{name} {seconds} IN SMIMEA 3 0 0"), digits),
        Form::Generic => {
            let length = certificate.len().saturating_add(HEAD.len());
            (format!("{name} {seconds} IN TYPE53 \\# {length}"), format!("{}{digits}", hex(&HEAD)))
        }
    };
    let mut out = format!("{head} (");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        out.push_str("\n    ");
        out.push_str(line);
        rest = more;
    }
    out.push_str(" )\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard() {
        for (address, expected) in [
            // RFC 7929 §3, whose names are made alike
            ("hugh@example.com", "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert.example.com."),
            // dnscontrol's documentation of SMIMEA
            ("bosun@BOSUN.org", "f10e7de079689f55c0cdd6782e4dd1448c84006962a4bd832e8eff73._smimecert.bosun.org."),
        ] {
            let address = Address::parse(address).unwrap();
            assert_eq!(name(&address).as_deref(), Some(expected), "{address}");
        }
        let of = |text: &str| name(&Address::parse(text).unwrap()).unwrap();
        assert_ne!(of("Bosun@bosun.org"), of("bosun@bosun.org"), "the case of a local part counts");
        assert_eq!(of("é@bosun.org"), of("e\u{301}@bosun.org"), "however it is composed");
        assert!(of("a@bücher.example").ends_with("._smimecert.xn--bcher-kva.example."));
    }

    #[test]
    fn a_record_holds_the_certificate_whole() {
        let certificate = [0xabu8; 40];
        let named = record("x.", 3600, &certificate, Form::Named);
        let expected = format!("x. 3600 IN SMIMEA 3 0 0 (\n    {}\n    {} )\n", "ab".repeat(32), "ab".repeat(8));
        assert_eq!(named, expected);
        let generic = record("x.", 60, &certificate, Form::Generic);
        assert!(generic.starts_with("x. 60 IN TYPE53 \\# 43 (\n    030000ab"), "{generic}");
    }
}
