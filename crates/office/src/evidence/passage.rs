//! What the way of a mail tells, looked up: the keys of its DKIM signatures, and the policy of From's domain.

use std::io;

use kakitome_pki::asn1::time::Time;
use kakitome_smime::dkim::{self, Problem, Signature};
use kakitome_smime::message::open::Opened;
use kakitome_smime::mime::address;
use kakitome_smime::octets::Octets;
use kakitome_verdict::passage::{Demand, Dkim, DomainPolicy, DomainSignature, Passage};

use super::dns::{Answer, Dns};

/// Labels of a domain that are looked at for a policy, from the right (DMARCbis §4.10 stops at eight queries).
const LABEL_LIMIT: usize = 7;

/// Looks it up, for a mail that went by mail servers: one that no server has received has no way behind it, and nobody
/// is asked about a draft.
///
/// # Errors
/// The octets cannot be read.
pub(super) fn passage(mail: &dyn Octets, opened: &Opened, dns: &dyn Dns, at: Time) -> io::Result<Passage> {
    let root = opened.structure.root();
    let header = &root.header;
    let signatures = dkim::signatures(header);
    if signatures.is_empty() && header.all("Received").next().is_none() {
        return Ok(Passage::default());
    }
    let author = address::author(header).ok().and_then(|mailbox| domain(&mailbox.address));
    let owners = author.as_deref().map(candidates).unwrap_or_default();
    let keys = signatures.iter().filter_map(|one| one.as_ref().ok()).map(Signature::key_name);
    let names: Vec<String> = keys.chain(owners.iter().map(|owner| format!("_dmarc.{owner}"))).collect();
    let mut answers = dns.txt(&names).into_iter();

    let mut told = Vec::new();
    for signature in signatures {
        let signature = match signature {
            Ok(signature) => signature,
            Err(problem) => {
                told.push((String::new(), String::new(), Dkim::Fail, problem.to_string(), false));
                continue;
            }
        };
        let (outcome, detail) = match answers.next() {
            Some(Answer::Known(records)) => one_of(&records, &signature, mail, opened, at)?,
            Some(Answer::Absent) => (Dkim::NoKey, String::new()),
            Some(Answer::Unavailable(cause)) => (Dkim::Unavailable(cause), cause.name().to_owned()),
            None => (Dkim::NoKey, String::new()),
        };
        told.push((signature.domain, signature.selector, outcome, detail, signature.length.is_some()));
    }
    let policy = author.as_deref().map(|domain| policy(domain, &owners, answers));
    let signatures = told
        .into_iter()
        .map(|(domain, selector, outcome, detail, is_partial)| DomainSignature {
            is_aligned: author.as_deref().is_some_and(|author| is_aligned(&domain, author, policy.as_ref())),
            domain,
            selector,
            outcome,
            is_partial,
            detail,
        })
        .collect();
    Ok(Passage { signatures, policy: policy.map(|found| found.told), claims: Vec::new() })
}

/// Several records are no key (RFC 6376 §3.6.2.2): tried in turn, as most do, and the first that holds counts.
fn one_of(
    records: &[Vec<u8>],
    signature: &Signature,
    mail: &dyn Octets,
    opened: &Opened,
    at: Time,
) -> io::Result<(Dkim, String)> {
    let mut worst = (Dkim::NoKey, String::new());
    for record in records.iter().take(3) {
        match signature.verify(mail, opened.structure.root(), record, at)? {
            Ok(()) => return Ok((Dkim::Pass, String::new())),
            Err(problem @ (Problem::Key | Problem::KeyRevoked)) => worst = (Dkim::NoKey, problem.to_string()),
            Err(problem) => return Ok((Dkim::Fail, problem.to_string())),
        }
    }
    Ok(worst)
}

/// What the owner asks for, and whether he wants domains to be the same or only his.
struct Found {
    told: DomainPolicy,
    is_strict: bool,
}

/// The first of the names that has a record (DMARCbis §4.10: From's domain first, then up the tree).
fn policy(domain: &str, owners: &[String], answers: impl Iterator<Item = Answer>) -> Found {
    let found = |owner: &str, demand, is_strict| Found {
        told: DomainPolicy { domain: domain.to_owned(), owner: owner.to_owned(), demand },
        is_strict,
    };
    for (owner, answer) in owners.iter().zip(answers) {
        match answer {
            Answer::Known(records) => {
                let mut read = records.iter().filter_map(|record| demand(record, owner == domain));
                // Two records are none (RFC 7489 §6.6.3).
                if let (Some((demand, is_strict)), None) = (read.next(), read.next()) {
                    return found(owner, demand, is_strict);
                }
            }
            Answer::Absent => {}
            Answer::Unavailable(cause) => return found(owner, Demand::Unavailable(cause), false),
        }
    }
    found(domain, Demand::Absent, false)
}

/// A record (RFC 7489 §6.3): what is asked for, for the domain itself or for those below it, and `adkim=s`.
fn demand(record: &[u8], is_own: bool) -> Option<(Demand, bool)> {
    let text = std::str::from_utf8(record).ok()?;
    let mut tags = text.split(';').map(|tag| {
        let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
        (name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase())
    });
    if tags.next() != Some(("v".to_owned(), "dmarc1".to_owned())) {
        return None;
    }
    let tags: Vec<(String, String)> = tags.collect();
    let tag = |name: &str| tags.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let asked = if is_own { tag("p") } else { tag("sp").or_else(|| tag("p")) };
    let demand = match asked {
        Some("quarantine") => Demand::Quarantine,
        Some("reject") => Demand::Reject,
        _ => Demand::Nothing,
    };
    Some((demand, tag("adkim") == Some("s")))
}

/// The domain and those above it that have at least two labels, at most eight names (DMARCbis §4.10).
fn candidates(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let mut names = vec![domain.to_owned()];
    let above = (2..labels.len()).rev().filter(|count| *count <= LABEL_LIMIT);
    names.extend(above.filter_map(|count| labels.get(labels.len().saturating_sub(count)..)).map(|part| part.join(".")));
    names
}

/// The domain of an address, in ASCII and lower case; `None` where it cannot be asked for.
fn domain(address: &str) -> Option<String> {
    let domain = address.rsplit_once('@')?.1.to_ascii_lowercase();
    let is_name = domain.is_ascii() && domain.contains('.') && !domain.starts_with('[') && !domain.ends_with('.');
    is_name.then_some(domain)
}

/// Do both belong to the owner of the policy? Without one, only a domain and those below it do.
fn is_aligned(signed: &str, author: &str, policy: Option<&Found>) -> bool {
    let below = |domain: &str, above: &str| domain == above || domain.ends_with(&format!(".{above}"));
    if signed.is_empty() || signed == author {
        return !signed.is_empty();
    }
    match policy {
        Some(found) if found.is_strict => false,
        Some(Found { told: DomainPolicy { owner, demand: Demand::Absent | Demand::Unavailable(_), .. }, .. }) => {
            signed.contains('.') && (below(signed, owner) || below(author, signed))
        }
        Some(Found { told, .. }) => {
            // A record below the organisation's domain stands for it: what is above may be the same owner's.
            below(signed, &told.owner) || (signed.contains('.') && below(author, signed))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found_up_the_tree() {
        assert_eq!(candidates("a.b.example.co.jp"), ["a.b.example.co.jp", "b.example.co.jp", "example.co.jp", "co.jp"]);
        assert_eq!(candidates("example.jp"), ["example.jp"]);
        assert_eq!(candidates("a.b.c.d.e.f.g.h.i.j").len(), 7);
        type Read = Option<(Demand, bool)>;
        let rows: &[(&str, Read, Read)] = &[
            ("v=DMARC1; p=reject", Some((Demand::Reject, false)), Some((Demand::Reject, false))),
            (
                "v=DMARC1; p=none; sp=quarantine; adkim=s",
                Some((Demand::Nothing, true)),
                Some((Demand::Quarantine, true)),
            ),
            (" V = dmarc1 ;P= Reject;", Some((Demand::Reject, false)), Some((Demand::Reject, false))),
            ("v=DMARC1", Some((Demand::Nothing, false)), Some((Demand::Nothing, false))),
            ("p=reject; v=DMARC1", None, None),
            ("v=spf1 -all", None, None),
            ("", None, None),
        ];
        for (record, own, below) in rows {
            assert_eq!((demand(record.as_bytes(), true), demand(record.as_bytes(), false)), (*own, *below), "{record}");
        }
    }

    #[test]
    fn whose_a_domain_is() {
        let found = |owner: &str, demand, is_strict| Found {
            told: DomainPolicy { domain: "a.example.jp".into(), owner: owner.into(), demand },
            is_strict,
        };
        let known = found("example.jp", Demand::Reject, false);
        let strict = found("example.jp", Demand::Reject, true);
        let absent = found("a.example.jp", Demand::Absent, false);
        let rows: &[(&str, &Found, bool)] = &[
            ("a.example.jp", &known, true),
            ("b.example.jp", &known, true),
            ("example.jp", &known, true),
            ("evilexample.jp", &known, false),
            ("jp", &known, false),
            ("a.example.jp", &strict, true),
            ("example.jp", &strict, false),
            ("example.jp", &absent, true),
            ("b.a.example.jp", &absent, true),
            ("b.example.jp", &absent, false),
            ("", &known, false),
        ];
        for (signed, policy, expected) in rows {
            assert_eq!(is_aligned(signed, "a.example.jp", Some(policy)), *expected, "{signed}");
        }
    }
}
