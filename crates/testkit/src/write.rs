//! The contents of extensions, in DER.

use kakitome_pki::asn1::{Oid, oid, tag, write};
use kakitome_pki::cert::name::Name;

pub use kakitome_pki::asn1::write::{boolean, context, element, named_bits, octet_string, sequence, unsigned, utf8};

/// A SEQUENCE of parts that were built before.
pub fn list(parts: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    sequence(&parts)
}

/// Basic constraints.
pub fn basic_constraints(ca: bool, path_length: Option<u8>) -> Vec<u8> {
    let ca = if ca { boolean(true) } else { Vec::new() };
    let path_length = path_length.map(|length| unsigned(&[length])).unwrap_or_default();
    sequence(&[&ca, &path_length])
}

/// Extended key usage.
pub fn usages(oids: &[Oid]) -> Vec<u8> {
    list(&oids.iter().map(write::oid).collect::<Vec<_>>())
}

/// Certificate policies.
pub fn policies(oids: &[Oid]) -> Vec<u8> {
    list(&oids.iter().map(|policy| sequence(&[&write::oid(policy)])).collect::<Vec<_>>())
}

/// Policy mappings, issuer's to subject's.
pub fn mappings(pairs: &[(Oid, Oid)]) -> Vec<u8> {
    list(&pairs.iter().map(|(from, to)| sequence(&[&write::oid(from), &write::oid(to)])).collect::<Vec<_>>())
}

/// requireExplicitPolicy alone.
pub fn require_explicit(after: u8) -> Vec<u8> {
    sequence(&[&element(tag::context(0), &[&[after]])])
}

/// rfc822Name; any octets.
pub fn mailbox(text: &str) -> Vec<u8> {
    element(0x81, &[text.as_bytes()])
}

/// SmtpUTF8Mailbox (RFC 9598).
pub fn mailbox_utf8(text: &str) -> Vec<u8> {
    context(0, &[&write::oid(&oid::SMTP_UTF8_MAILBOX), &context(0, &[&utf8(text)])])
}

/// dNSName.
pub fn dns(text: &str) -> Vec<u8> {
    element(0x82, &[text.as_bytes()])
}

/// directoryName.
pub fn directory(name: &Name) -> Vec<u8> {
    context(4, &[name.raw()])
}

/// uniformResourceIdentifier.
pub fn uri(text: &str) -> Vec<u8> {
    element(0x86, &[text.as_bytes()])
}

/// Name constraints from GeneralNames.
pub fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let subtrees = |number, names: &[Vec<u8>]| {
        let trees: Vec<Vec<u8>> = names.iter().map(|name| sequence(&[name])).collect();
        let trees: Vec<&[u8]> = trees.iter().map(Vec::as_slice).collect();
        if trees.is_empty() { Vec::new() } else { context(number, &trees) }
    };
    sequence(&[&subtrees(0, permitted), &subtrees(1, excluded)])
}

/// CRL distribution points with one URL.
pub fn crl_points(url: &str) -> Vec<u8> {
    sequence(&[&sequence(&[&context(0, &[&context(0, &[&uri(url)])])])])
}

/// Authority information access: a responder's URLs, and those of the issuer's certificate.
pub fn access(responders: &[&str], issuers: &[&str]) -> Vec<u8> {
    let of = |method: &Oid, urls: &[&str]| {
        urls.iter().map(|url| sequence(&[&write::oid(method), &uri(url)])).collect::<Vec<_>>()
    };
    list(&[of(&oid::AD_OCSP, responders), of(&oid::AD_CA_ISSUERS, issuers)].concat())
}

/// A distribution point of these names (GeneralNames), for these reasons, of these issuers.
pub fn point(names: &[Vec<u8>], reasons: &[u8], issuers: &[&Name]) -> Vec<u8> {
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let name = if names.is_empty() { Vec::new() } else { context(0, &[&context(0, &names)]) };
    let bits = write::named_bits(reasons);
    let reasons =
        if reasons.is_empty() { Vec::new() } else { element(tag::context(1), &[bits.get(2..).unwrap_or(&[])]) };
    let issuers: Vec<Vec<u8>> = issuers.iter().map(|issuer| directory(issuer)).collect();
    let issuers: Vec<&[u8]> = issuers.iter().map(Vec::as_slice).collect();
    let issuers = if issuers.is_empty() { Vec::new() } else { context(2, &issuers) };
    sequence(&[&name, &reasons, &issuers])
}
