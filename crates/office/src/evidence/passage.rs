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
/// Records of one name that are tried as a key.
const RECORD_LIMIT: usize = 3;

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
    for record in records.iter().take(RECORD_LIMIT) {
        match signature.verify(mail, opened.structure.root(), record, at)? {
            Ok(()) => return Ok((Dkim::Pass, String::new())),
            Err(problem @ (Problem::Key | Problem::KeyRevoked)) if worst.0 == Dkim::NoKey => {
                worst = (Dkim::NoKey, problem.to_string());
            }
            Err(Problem::Key | Problem::KeyRevoked) => {}
            Err(problem) => worst = (Dkim::Fail, problem.to_string()),
        }
    }
    Ok(worst)
}

/// What the owner asks for, whether he wants domains to be the same, and the domain of his organisation where a record
/// tells it.
struct Found {
    told: DomainPolicy,
    is_strict: bool,
    organisation: Option<String>,
}

/// The first of the names that has a record asks, and the last one is the organisation's domain (DMARCbis §4.10: From's
/// domain first, then up the tree; a registry says `psd=y` and is nobody's organisation).
fn policy(domain: &str, owners: &[String], answers: impl Iterator<Item = Answer>) -> Found {
    let told = |owner: &str, demand| DomainPolicy { domain: domain.to_owned(), owner: owner.to_owned(), demand };
    let mut found: Option<Found> = None;
    for (owner, answer) in owners.iter().zip(answers) {
        match answer {
            Answer::Known(records) => {
                let mut read = records.iter().filter_map(|record| Record::read(record, owner == domain));
                // Two records are none (RFC 7489 §6.6.3).
                let (Some(record), None) = (read.next(), read.next()) else { continue };
                let found = found.get_or_insert_with(|| Found {
                    told: told(owner, record.demand),
                    is_strict: record.is_strict,
                    organisation: None,
                });
                if !record.is_registry {
                    found.organisation = Some(owner.clone());
                }
            }
            Answer::Absent => {}
            // What stands further up cannot say who the owner is, if what stands below may ask otherwise.
            Answer::Unavailable(cause) if found.is_none() => {
                let told = told(owner, Demand::Unavailable(cause));
                return Found { told, is_strict: false, organisation: None };
            }
            Answer::Unavailable(_) => break,
        }
    }
    found.unwrap_or_else(|| Found { told: told(domain, Demand::Absent), is_strict: false, organisation: None })
}

/// A record of DMARC (RFC 7489 §6.3), as far as it is of use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    demand: Demand,
    /// `adkim=s`.
    is_strict: bool,
    /// `psd=y` (DMARCbis §4.7).
    is_registry: bool,
}

impl Record {
    /// What it asks for the domain itself, or for those below it.
    fn read(record: &[u8], is_own: bool) -> Option<Self> {
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
        Some(Self { demand, is_strict: tag("adkim") == Some("s"), is_registry: tag("psd") == Some("y") })
    }
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

/// Are both of one organisation? Without a record that tells its domain, only From's own and those below it are.
fn is_aligned(signed: &str, author: &str, policy: Option<&Found>) -> bool {
    if policy.is_some_and(|found| found.is_strict) {
        return signed == author;
    }
    let organisation = policy.and_then(|found| found.organisation.as_deref()).unwrap_or(author);
    signed == organisation || signed.ends_with(&format!(".{organisation}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found_up_the_tree() {
        assert_eq!(candidates("a.b.example.co.jp"), ["a.b.example.co.jp", "b.example.co.jp", "example.co.jp", "co.jp"]);
        assert_eq!(candidates("example.jp"), ["example.jp"]);
        assert_eq!(candidates("a.b.c.d.e.f.g.h.i.j").len(), 7);
        let record = |demand, is_strict| Some(Record { demand, is_strict, is_registry: false });
        let both = |demand, is_strict| (record(demand, is_strict), record(demand, is_strict));
        type Both = (Option<Record>, Option<Record>);
        let rows: &[(&str, Both)] = &[
            ("v=DMARC1; p=reject", both(Demand::Reject, false)),
            (
                "v=DMARC1; p=none; sp=quarantine; adkim=s",
                (record(Demand::Nothing, true), record(Demand::Quarantine, true)),
            ),
            (" V = dmarc1 ;P= Reject;", both(Demand::Reject, false)),
            ("v=DMARC1", both(Demand::Nothing, false)),
            ("p=reject; v=DMARC1", (None, None)),
            ("v=spf1 -all", (None, None)),
            ("", (None, None)),
        ];
        for (text, expected) in rows {
            let read = (Record::read(text.as_bytes(), true), Record::read(text.as_bytes(), false));
            assert_eq!(read, *expected, "{text}");
        }
    }

    /// For a.b.example.jp: the records of the names from it upwards, and which of these domains are the same owner's.
    #[test]
    fn whose_a_domain_is() {
        let record = |text: &str| Answer::Known(vec![text.as_bytes().to_vec()]);
        let (asks, strict, registry) =
            (record("v=DMARC1; p=reject"), record("v=DMARC1; adkim=s"), record("v=DMARC1; psd=y"));
        let (none, lost) = (Answer::Absent, Answer::Unavailable(kakitome_verdict::lookup::Cause::Timeout));
        let two = Answer::Known(vec![b"v=DMARC1; p=reject".to_vec(), b"v=DMARC1; p=none".to_vec()]);
        let signed = [
            "a.b.example.jp",
            "x.a.b.example.jp",
            "b.example.jp",
            "c.example.jp",
            "example.jp",
            "evilexample.jp",
            "jp",
            "",
        ];
        type Row<'a> = ([&'a Answer; 3], &'a str, &'a [usize]);
        let rows: &[Row<'_>] = &[
            ([&none, &none, &asks], "reject by example.jp", &[0, 1, 2, 3, 4]),
            ([&asks, &none, &asks], "reject by a.b.example.jp", &[0, 1, 2, 3, 4]),
            ([&asks, &none, &none], "reject by a.b.example.jp", &[0, 1]),
            ([&none, &asks, &none], "reject by b.example.jp", &[0, 1, 2]),
            ([&none, &asks, &registry], "reject by b.example.jp", &[0, 1, 2]),
            ([&none, &none, &registry], "none by example.jp", &[0, 1]),
            ([&strict, &none, &asks], "none by a.b.example.jp", &[0]),
            ([&none, &two, &asks], "reject by example.jp", &[0, 1, 2, 3, 4]),
            ([&none, &none, &none], "absent by a.b.example.jp", &[0, 1]),
            ([&lost, &none, &asks], "unavailable by a.b.example.jp", &[0, 1]),
            ([&asks, &lost, &asks], "reject by a.b.example.jp", &[0, 1]),
        ];
        for (answers, told, aligned) in rows {
            let author = "a.b.example.jp";
            let found = policy(author, &candidates(author), answers.iter().copied().cloned());
            assert_eq!(format!("{} by {}", found.told.demand.name(), found.told.owner), *told);
            let same: Vec<usize> =
                (0..signed.len()).filter(|at| is_aligned(signed[*at], author, Some(&found))).collect();
            assert_eq!(same, *aligned, "{answers:?}");
        }
    }
}
