//! Name constraints (RFC 5280 §4.2.1.10, §6.1.4 g; RFC 9598 §6), the leaf included, critical or not.
//!
//! Names come from the attacker, constraints too: what cannot be compared is refused, and every comparison is paid.

use super::PathProblem;
use super::budget::Budget;
use crate::address::Address;
use crate::asn1::oid;
use crate::cert::Certificate;
use crate::cert::extension::NameConstraints;
use crate::cert::name::GeneralName;

/// The longest name of a host as text, in octets: 255 on the wire (RFC 1035 §2.3.4), which count two more.
const HOST_LIMIT: usize = 253;
/// The longest label of one, in octets (RFC 1035 §2.3.4).
const LABEL_LIMIT: usize = 63;
/// What stands in a URI beside letters and digits (RFC 3986 §2).
const URI_MARKS: &[u8] = b"-._~:/?#[]@!$&'()*+,;=%";

/// Checks the names of every certificate against the constraints of every CA above it, the anchor included.
///
/// # Errors
/// [`PathProblem::NameConstraint`] with the name, or [`PathProblem::Budget`].
pub(super) fn check(below: &[Certificate], anchor: &Certificate, budget: &mut Budget) -> Result<(), PathProblem> {
    for (place, certificate) in below.iter().enumerate() {
        // RFC 5280 §6.1.3 b: a self-issued certificate is excused, unless it is the last one.
        if place > 0 && certificate.is_self_issued() {
            continue;
        }
        let above = below.iter().skip(place.saturating_add(1)).chain([anchor]);
        let constraints: Vec<_> = above.filter_map(|issuer| issuer.extensions().name_constraints.as_ref()).collect();
        if constraints.is_empty() {
            continue;
        }
        for name in names(certificate) {
            budget.comparison()?;
            for constraint in &constraints {
                check_name(&name, constraint, budget)?;
            }
        }
    }
    Ok(())
}

/// May a certificate of these names stand below these CAs, the lowest first? For whoever is going to sign it.
///
/// # Errors
/// [`PathProblem::NameConstraint`] with the name, or [`PathProblem::Budget`].
pub fn allows(leaf: &Certificate, above: &[Certificate]) -> Result<(), PathProblem> {
    let Some((highest, between)) = above.split_last() else { return Ok(()) };
    let below = [std::slice::from_ref(leaf), between].concat();
    check(&below, highest, &mut Budget::default())
}

/// Checks the names of every certificate of a chain, leaf first, against what the anchor was limited to when it was
/// chosen (RFC 5937 §3.2); of an anchor that is the leaf, too.
///
/// # Errors
/// As [`check`].
pub(super) fn limit(chain: &[Certificate], limits: &NameConstraints, budget: &mut Budget) -> Result<(), PathProblem> {
    if *limits == NameConstraints::default() {
        return Ok(());
    }
    for (place, certificate) in chain.iter().enumerate() {
        if place > 0 && certificate.is_self_issued() {
            continue;
        }
        for name in names(certificate) {
            budget.comparison()?;
            check_name(&name, limits, budget)?;
        }
    }
    Ok(())
}

/// A subtree of mailboxes as people write it: `example.jp` is every address of that domain, `*.example.jp` (or
/// `.example.jp`) every address of the domains below it, `info@example.jp` that one. The domain may be in U-labels.
/// `None`: it is none of them.
pub fn mailboxes(text: &str) -> Option<GeneralName> {
    let text = text.trim();
    let host = |host: &str| Address::parse(&format!("a@{host}")).ok()?.ascii_domain().filter(|host| is_host(host));
    let base = if let Some(domain) = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
        format!(".{}", host(domain)?)
    } else if text.contains('@') {
        let address = Address::parse(text).ok()?;
        let (local, _) = text.rsplit_once('@')?;
        format!("{local}@{}", address.ascii_domain()?)
    } else {
        host(text)?
    };
    // An rfc822Name is ASCII (RFC 5280 §4.2.1.6); a local part beyond it has no subtree (RFC 9598 §6).
    base.is_ascii().then_some(GeneralName::Mailbox(base))
}

/// All names of a certificate. The old e-mail attribute counts even beside a subject alternative name, because mail
/// programs show it.
fn names(certificate: &Certificate) -> Vec<GeneralName> {
    let subject = certificate.subject();
    let mut names = certificate.extensions().subject_alt_names.clone();
    names.extend(subject.all(oid::EMAIL_ADDRESS).map(|mailbox| match mailbox.is_ascii() {
        true => GeneralName::Mailbox(mailbox.to_owned()),
        false => GeneralName::MailboxUtf8(mailbox.to_owned()),
    }));
    if !subject.is_empty() {
        names.push(GeneralName::Directory(subject.clone()));
    }
    names
}

fn check_name(name: &GeneralName, constraints: &NameConstraints, budget: &mut Budget) -> Result<(), PathProblem> {
    let refused = || PathProblem::NameConstraint(name.to_string());
    let name = &Held::of(name);
    for base in &constraints.excluded {
        budget.comparison()?;
        if governs(base, name.name) && within(name, base, List::Excluded) != Some(false) {
            return Err(refused());
        }
    }
    let mut demanded = false;
    for base in &constraints.permitted {
        budget.comparison()?;
        if !governs(base, name.name) {
            continue;
        }
        match within(name, base, List::Permitted) {
            Some(true) => return Ok(()),
            Some(false) => demanded = true,
            None => return Err(refused()),
        }
    }
    if demanded { Err(refused()) } else { Ok(()) }
}

/// A name that is held against many subtrees; an address is read once.
struct Held<'a> {
    name: &'a GeneralName,
    address: Option<Address>,
}

impl<'a> Held<'a> {
    fn of(name: &'a GeneralName) -> Self {
        let address = match name {
            GeneralName::Mailbox(text) | GeneralName::MailboxUtf8(text) => Address::parse(text).ok(),
            _ => None,
        };
        Self { name, address }
    }
}

/// Does a subtree speak about names of this form?
fn governs(base: &GeneralName, name: &GeneralName) -> bool {
    use GeneralName::{Directory, Dns, Ip, Mailbox, MailboxUtf8, Other, Uri};
    match (base, name) {
        // RFC 9598 §6: rfc822Name subtrees hold for SmtpUTF8Mailbox too; subtrees of that form are not defined and
        // can only be refused.
        (Mailbox(_) | MailboxUtf8(_), Mailbox(_) | MailboxUtf8(_))
        | (Dns(_), Dns(_))
        | (Directory(_), Directory(_))
        | (Uri(_), Uri(_))
        | (Ip(_), Ip(_)) => true,
        (Other(base), Other(name)) => form(base) == form(name),
        _ => false,
    }
}

/// The form of an [`GeneralName::Other`]: an otherName's is its type, a registered identifier's is not its value.
fn form(text: &str) -> &str {
    if text.starts_with("registeredID") { "registeredID" } else { text }
}

/// In doubt, a permitted subtree holds less and an excluded one more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Permitted,
    Excluded,
}

/// Does the name lie in the subtree? `None`: it cannot be told.
fn within(held: &Held<'_>, base: &GeneralName, list: List) -> Option<bool> {
    use GeneralName::{Directory, Dns, Ip, Mailbox, MailboxUtf8, Uri};
    match (held.name, base) {
        (Mailbox(_) | MailboxUtf8(_), Mailbox(base)) => mailbox_within(held.address.as_ref()?, base, list),
        (Dns(name), Dns(base)) => dns_within(name, base, list),
        (Uri(name), Uri(base)) => uri_within(name, base),
        (Ip(name), Ip(base)) => ip_within(name, base),
        (Directory(name), Directory(base)) => Some(name.is_within(base)),
        _ => None,
    }
}

/// RFC 5280 §4.2.1.10: a base is one mailbox, all mailboxes of a host, or of everything below a domain.
fn mailbox_within(name: &Address, base: &str, list: List) -> Option<bool> {
    // RFC 9598 §5: the domain stands in A-labels. Before it (RFC 8398) U-labels did, in any normalisation: one that
    // lies inside a permitted subtree is inside; that one lies outside an excluded subtree cannot be told.
    let host = match list {
        List::Excluded if !name.domain().is_ascii() => return None,
        _ => name.ascii_domain()?,
    };
    if base.contains('@') {
        let base = Address::parse(base).ok()?;
        let local = match list {
            List::Permitted => name.local() == base.local(),
            List::Excluded => name.local().to_lowercase() == base.local().to_lowercase(),
        };
        return Some(local && host.eq_ignore_ascii_case(&base.ascii_domain()?));
    }
    match base.strip_prefix('.') {
        // The empty base is not defined for mail.
        None if base.is_empty() => Some(list == List::Excluded),
        None => is_host(base).then(|| host.eq_ignore_ascii_case(base)),
        Some(domain) => is_host(domain).then(|| is_below(&host, domain)),
    }
}

/// RFC 5280 §4.2.1.10: the base and everything below it; an empty base is everything.
fn dns_within(name: &str, base: &str, list: List) -> Option<bool> {
    if base.is_empty() {
        return Some(true);
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let base = base.strip_suffix('.').unwrap_or(base);
    let covers = |name: &str| name.eq_ignore_ascii_case(base) || is_below(name, base);
    if !is_host(base) {
        return None;
    }
    match name.strip_prefix("*.") {
        // A wildcard speaks for every name of one label more, so it meets each excluded base there.
        Some(parent) if is_host(parent) => {
            let meets = list == List::Excluded
                && base.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent));
            Some(meets || covers(name))
        }
        Some(_) => None,
        None => is_host(name).then(|| covers(name)),
    }
}

/// RFC 5280 §4.2.1.10: the host of the authority; a URI without one, or with an address for one, cannot be compared.
fn uri_within(name: &str, base: &str) -> Option<bool> {
    // Where one reader sees the host end at a character that no URI has, another reads on.
    let is_uri = |octet: u8| octet.is_ascii_alphanumeric() || URI_MARKS.contains(&octet);
    if !name.bytes().all(is_uri) {
        return None;
    }
    let (_, rest) = name.split_once(':')?;
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        _ => host,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_address = host.split('.').all(|label| label.bytes().all(|octet| octet.is_ascii_digit()));
    if !is_host(host) || is_address {
        return None;
    }
    match base.strip_prefix('.') {
        Some(domain) => is_host(domain).then(|| is_below(host, domain)),
        None => is_host(base).then(|| host.eq_ignore_ascii_case(base)),
    }
}

/// RFC 5280 §4.2.1.10: address and mask (RFC 4632). Of another family it lies outside.
fn ip_within(name: &[u8], base: &[u8]) -> Option<bool> {
    let (address, mask) = match base.len() {
        8 | 32 => base.split_at_checked(base.len() / 2)?,
        _ => return None,
    };
    if !matches!(name.len(), 4 | 16) {
        return None;
    }
    let ones = mask.iter().map(|octet| octet.leading_ones()).take_while(|ones| *ones == 8).count();
    let (partial, rest) = mask.get(ones..)?.split_first().unwrap_or((&0, &[]));
    if partial.leading_ones().saturating_add(partial.trailing_zeros().min(8)) != 8
        || rest.iter().any(|octet| *octet != 0)
    {
        return None;
    }
    let same = |((name, address), mask): ((&u8, &u8), &u8)| name & mask == address & mask;
    Some(name.len() == address.len() && name.iter().zip(address).zip(mask).all(same))
}

/// Letters, digits, hyphens and underscores, in labels.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_LIMIT).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= HOST_LIMIT && text.split('.').all(label)
}

/// Is `host` a proper subdomain of `domain`?
fn is_below(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host.strip_suffix(domain.as_str())
        .and_then(|rest| rest.strip_suffix('.'))
        .is_some_and(|rest| !rest.is_empty() && !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Constraints (`+` permits, `-` excludes), a name, whether it may stand.
    type Row<'a> = (&'a [(char, GeneralName)], GeneralName, bool);

    #[test]
    fn names_lie_inside_or_outside() {
        let mail = |text: &str| GeneralName::Mailbox(text.to_owned());
        let utf8 = |text: &str| GeneralName::MailboxUtf8(text.to_owned());
        let dns = |text: &str| GeneralName::Dns(text.to_owned());
        let uri = |text: &str| GeneralName::Uri(text.to_owned());
        let ip = |octets: &[u8]| GeneralName::Ip(octets.to_vec());
        let rows: &[Row<'_>] = &[
            (&[('+', mail("bank.example"))], mail("info@bank.example"), true),
            (&[('+', mail("bank.example"))], mail("info@BANK.example"), true),
            (&[('+', mail("bank.example"))], mail("info@www.bank.example"), false),
            (&[('+', mail("bank.example"))], mail("info@evilbank.example"), false),
            (&[('+', mail(".bank.example"))], mail("info@www.bank.example"), true),
            (&[('+', mail(".bank.example"))], mail("info@bank.example"), false),
            (&[('+', mail(".bank.example"))], mail("info@evilbank.example"), false),
            (&[('+', mail("info@bank.example"))], mail("info@bank.example"), true),
            (&[('+', mail("info@bank.example"))], mail("\"info\"@bank.example"), true),
            (&[('+', mail("info@bank.example"))], mail("Info@bank.example"), false),
            (&[('+', mail("info@bank.example"))], mail("eve@bank.example"), false),
            (&[('+', mail("bank.example")), ('+', mail(".bank.example"))], mail("a@b.bank.example"), true),
            // the last @ decides
            (&[('+', mail("bank.example"))], mail("\"x@bank.example\"@eve.example"), false),
            (&[('+', mail("bank.example"))], mail("info@eve.example@bank.example"), false),
            (&[('+', mail("bank.example"))], mail("no address"), false),
            (&[('+', mail("bank.example"))], mail("a\0@bank.example"), false),
            (&[('-', mail("bank.example"))], mail("info@bank.example"), false),
            (&[('-', mail("bank.example"))], mail("info@eve.example"), true),
            (&[('-', mail("INFO@bank.example"))], mail("info@bank.example"), false),
            (&[('-', mail("bank.example"))], mail("no address"), false),
            (&[('-', mail(""))], mail("a@b.example"), false),
            (&[('+', mail(""))], mail("a@b.example"), false),
            (&[('+', mail(".example")), ('-', mail("bank.example"))], mail("info@bank.example"), false),
            // RFC 9598
            (&[('+', mail("bank.example"))], utf8("受付@bank.example"), true),
            (&[('+', mail("bank.example"))], utf8("受付@eve.example"), false),
            (&[('-', mail("bank.example"))], utf8("受付@bank.example"), false),
            (&[('+', mail("xn--fsq.example"))], utf8("受付@xn--fsq.example"), true),
            (&[('+', mail("xn--fsq.example"))], utf8("受付@例.example"), true),
            (&[('+', mail("xn--fsr.example"))], utf8("受付@例.example"), false),
            (&[('-', mail("xn--fsr.example"))], utf8("受付@例.example"), false),
            (&[('-', mail("xn--fsr.example"))], utf8("受付@xn--fsq.example"), true),
            (&[('+', mail("例.example"))], utf8("受付@xn--fsq.example"), false),
            (&[('+', mail("bank.example."))], mail("info@bank.example"), false),
            (&[('-', mail("bank.example."))], mail("info@eve.example"), false),
            (&[('-', mail("bank.example"))], mail("info@bank.example."), false),
            (&[('+', mail("*@bank.example"))], mail("*@bank.example"), true),
            (&[('+', mail("*@bank.example"))], mail("info@bank.example"), false),
            (&[('+', utf8("bank.example"))], mail("info@bank.example"), false),
            // forms
            (&[('+', dns("bank.example"))], mail("info@eve.example"), true),
            (&[('+', dns("bank.example"))], dns("www.bank.example"), true),
            (&[('+', dns("bank.example"))], dns("bank.example."), true),
            (&[('+', dns("bank.example"))], dns("evilbank.example"), false),
            (&[('-', dns(""))], dns("bank.example"), false),
            (&[('+', dns("*.bank.example"))], dns("www.bank.example"), false),
            (&[('+', dns(".bank.example"))], dns("www.bank.example"), false),
            (&[('+', dns("bank.example"))], dns("*.bank.example"), true),
            (&[('-', dns("www.bank.example"))], dns("*.bank.example"), false),
            (&[('-', dns("www.bank.example"))], dns("*.eve.example"), true),
            (&[('+', dns("bank.example"))], dns("www.*.bank.example"), false),
            (&[('+', uri(".bank.example"))], uri("http://www.bank.example:8080/a?b"), true),
            (&[('+', uri(".bank.example"))], uri("http://bank.example/"), false),
            (&[('+', uri("bank.example"))], uri("https://user@BANK.example"), true),
            (&[('+', uri("bank.example"))], uri("http://bank.example@eve.example/"), false),
            (&[('+', uri("bank.example"))], uri("http://eve.example\\@bank.example/"), false),
            (&[('-', uri("bank.example"))], uri("http://bank.example\\@eve.example/"), false),
            (&[('+', uri("bank.example"))], uri("http://eve.example\t@bank.example/"), false),
            (&[('+', uri("bank.example"))], uri("http://bank.example/a b"), false),
            (&[('+', uri("bank.example"))], uri("http://bank.example/a%20b"), true),
            (&[('+', uri("bank.example"))], uri("urn:bank.example"), false),
            (&[('-', uri("bank.example"))], uri("http://192.0.2.1/"), false),
            (&[('-', uri("bank.example"))], uri("http://eve.example/"), true),
            (&[('-', uri("bank.example"))], uri("http://[::1]/"), false),
            (&[('+', ip(&[192, 0, 2, 0, 255, 255, 255, 0]))], ip(&[192, 0, 2, 9]), true),
            (&[('+', ip(&[192, 0, 2, 0, 255, 255, 255, 0]))], ip(&[192, 0, 3, 9]), false),
            (&[('+', ip(&[192, 0, 2, 0, 255, 255, 255, 0]))], ip(&[0; 16]), false),
            (&[('-', ip(&[192, 0, 2, 0, 255, 255, 255, 0]))], ip(&[0; 16]), true),
            (&[('-', ip(&[192, 0, 2, 0, 255, 0, 255, 0]))], ip(&[10, 0, 0, 1]), false),
            (&[('-', ip(&[192, 0, 2, 0, 255]))], ip(&[10, 0, 0, 1]), false),
            (&[('-', GeneralName::Ip(vec![0; 8]))], mail("info@bank.example"), true),
            (&[('-', GeneralName::Ip(vec![0; 8]))], GeneralName::Ip(vec![10, 0, 0, 1]), false),
            (&[('-', GeneralName::Other("x400Address".into()))], GeneralName::Other("x400Address".into()), false),
            (
                &[('-', GeneralName::Other("otherName 1.2.3".into()))],
                GeneralName::Other("otherName 1.2.4".into()),
                true,
            ),
        ];
        for (subtrees, name, allowed) in rows {
            let of = |sign| subtrees.iter().filter(|(is, _)| *is == sign).map(|(_, base)| base.clone()).collect();
            let constraints = NameConstraints { permitted: of('+'), excluded: of('-') };
            let outcome = check_name(name, &constraints, &mut Budget::default());
            assert_eq!(outcome.is_ok(), *allowed, "{subtrees:?} {name:?}");
        }
        let one = NameConstraints { permitted: vec![mail("a.example")], excluded: Vec::new() };
        assert_eq!(check_name(&mail("a@a.example"), &one, &mut Budget::of_comparisons(0)), Err(PathProblem::Budget));
    }
}
