//! What the way of a mail tells beside its signature: which domains signed it in passing (DKIM), what the owner of the
//! From domain asks of receivers (DMARC), and what hosts on the way claim to have found (SPF and the rest).
//!
//! None of it says who wrote a mail, and none makes an answer milder. Each comes with one sentence of what it shows, and
//! one of what it does not.

use std::collections::BTreeSet;

use kakitome_smime::mime::header::{self, Header};

use crate::lang::Lang;
use crate::lookup::Cause;

/// So many claims of hosts are told.
pub const CLAIM_LIMIT: usize = 24;
/// A value of a claim is told up to this many characters.
const CLAIM_LENGTH: usize = 200;

/// What the way tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// The DKIM signatures, from the last hop's to the first's.
    pub signatures: Vec<DomainSignature>,
    /// What the owner of From's domain asks for. `None`: nobody asked him.
    pub policy: Option<DomainPolicy>,
    /// What hosts on the way say that they found.
    pub claims: Vec<Claim>,
}

/// A DKIM signature that was verified again (RFC 6376).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSignature {
    /// The domain that signed; empty if it cannot be read.
    pub domain: String,
    /// Which of its keys.
    pub selector: String,
    /// Does it hold?
    pub outcome: Dkim,
    /// Is it the domain of From, or one of the same owner (RFC 7489 §3.1.1)?
    pub is_aligned: bool,
    /// Does it leave out the end of the body (`l=`)?
    pub is_partial: bool,
    /// Why it does not hold.
    pub detail: String,
}

/// How the verification of a DKIM signature ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dkim {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// The domain publishes no such key, or no longer.
    NoKey,
    /// It could not be found out.
    Unavailable(Cause),
}

/// What the owner of a domain asks of those who get mail in its name (RFC 7489).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPolicy {
    /// The domain of From.
    pub domain: String,
    /// The domain whose record it is: that one, or one above it.
    pub owner: String,
    /// What he asks for.
    pub demand: Demand,
}

/// What is to become of mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing.
    Nothing,
    /// It is to be treated with suspicion.
    Quarantine,
    /// It is to be refused.
    Reject,
    /// There is no record.
    Absent,
    /// It could not be found out.
    Unavailable(Cause),
}

/// What a host on the way wrote into the mail (RFC 8601, RFC 8617). Whoever wrote the mail could have written it, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The host, as it calls itself.
    pub by: String,
    /// What it looked at, such as `spf`.
    pub method: String,
    /// What it found, such as `pass`.
    pub result: String,
    /// About whom, such as `smtp.mailfrom=example.jp`.
    pub about: String,
}

impl Passage {
    /// Does the owner of From's domain ask for more than this mail shows: that mail be suspect without a signature of his
    /// domain, and none holds? Where a key could not be looked up, nothing is said.
    pub fn falls_short(&self) -> bool {
        let asks =
            self.policy.as_ref().is_some_and(|policy| matches!(policy.demand, Demand::Quarantine | Demand::Reject));
        let is_open = |one: &DomainSignature| matches!(one.outcome, Dkim::Unavailable(_));
        let holds = |one: &DomainSignature| one.is_aligned && one.outcome == Dkim::Pass;
        asks && !self.signatures.iter().any(|one| is_open(one) || holds(one))
    }
}

impl Dkim {
    /// Its name on the wire; that of RFC 8601 §2.7.1 where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NoKey => "permerror",
            Self::Unavailable(_) => "temperror",
        }
    }

    /// Its name for people.
    pub const fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Pass => lang.pick("合っています", "holds"),
            Self::Fail => lang.pick("合いません", "does not hold"),
            Self::NoKey => lang.pick("鍵が公開されていません", "the key is not published"),
            Self::Unavailable(_) => lang.pick("調べられませんでした", "could not be found out"),
        }
    }
}

impl Demand {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
            Self::Absent => "absent",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Its name for people.
    pub const fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Nothing => lang.pick("とくに何も求めていません", "asks for nothing"),
            Self::Quarantine => {
                lang.pick("失敗したメールを疑うよう求めています", "asks that mail that fails be suspect")
            }
            Self::Reject => lang.pick("失敗したメールを断るよう求めています", "asks that mail that fails be refused"),
            Self::Absent => lang.pick("公開されていません", "none is published"),
            Self::Unavailable(_) => lang.pick("調べられませんでした", "could not be found out"),
        }
    }
}

/// A piece of what the way tells, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is.
    pub what: &'static str,
    /// Whose word it is.
    pub whose: String,
    /// How it ended.
    pub result: String,
    /// What it shows.
    pub shows: &'static str,
    /// What it does not show.
    pub shows_not: &'static str,
}

impl Passage {
    /// Everything in words, the text of mails and records as it stands there.
    pub fn told(&self, lang: Lang) -> Vec<Told> {
        let signatures = self.signatures.iter().map(|one| {
            let mut result = one.outcome.title(lang).to_owned();
            if one.is_partial {
                result.push_str(lang.pick("（本文の途中まで）", " (a part of the text only)"));
            }
            if !one.detail.is_empty() {
                result = format!("{result}: {}", one.detail);
            }
            Told {
                what: lang.pick("ドメインの署名（DKIM）", "Signature of a domain (DKIM)"),
                whose: one.domain.clone(),
                result,
                shows: match (one.outcome, one.is_aligned) {
                    (Dkim::Pass, true) => lang.pick(
                        "差出人欄のドメインの持ち主のサーバーを通り、そのあと変わっていません。",
                        "It went through a server of the owner of From's domain, and was not changed since.",
                    ),
                    (Dkim::Pass, false) => lang.pick(
                        "このドメインのサーバーを通り、そのあと変わっていません。差出人欄のドメインではありません。",
                        "It went through a server of this domain, which is not From's, and was not changed since.",
                    ),
                    _ => lang.pick("何も示しません。", "Nothing."),
                },
                shows_not: lang.pick(
                    "だれが書いたか、そのアドレスの持ち主かどうかは示しません。",
                    "Not who wrote it, nor that he owns the address.",
                ),
            }
        });
        let policy = self.policy.iter().map(|policy| Told {
            what: lang.pick("ドメインの方針（DMARC）", "Policy of the domain (DMARC)"),
            whose: policy.owner.clone(),
            result: policy.demand.title(lang).to_owned(),
            shows: lang.pick(
                "ドメインの持ち主が、受け取る側に何を求めているかを示します。",
                "What the owner of the domain asks of those who receive mail in its name.",
            ),
            shows_not: lang.pick(
                "よく似たドメインや、表示名だけのなりすましは防げません。",
                "It stops neither domains that look alike nor names that are only displayed.",
            ),
        });
        let claims = self.claims.iter().map(|claim| Told {
            what: lang.pick("途中のサーバーの言い分", "What a host on the way says"),
            whose: claim.by.clone(),
            result: format!("{}={} {}", claim.method, claim.result, claim.about).trim_end().to_owned(),
            shows: lang.pick(
                "メールの中に、そのサーバーがそう書いたとあります。ここでは確かめられません。",
                "It stands in the mail that this host found so. It cannot be checked here.",
            ),
            shows_not: lang.pick(
                "メールを書いた人が自分で書き込むこともできます。",
                "Whoever wrote the mail could have written it there.",
            ),
        });
        signatures.chain(policy).chain(claims).collect()
    }
}

/// What hosts wrote into the header, at most [`CLAIM_LIMIT`], each once.
pub fn claims(header: &Header) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut seen = BTreeSet::new();
    for field in &header.fields {
        let name = header.name(field);
        let is_chain = name.eq_ignore_ascii_case("ARC-Authentication-Results");
        if !is_chain && !name.eq_ignore_ascii_case("Authentication-Results") {
            continue;
        }
        for claim in read(&header::unfold(header.value(field)), is_chain) {
            if seen.insert((claim.by.clone(), claim.method.clone(), claim.result.clone(), claim.about.clone())) {
                claims.push(claim);
            }
            if claims.len() >= CLAIM_LIMIT {
                return claims;
            }
        }
    }
    claims
}

/// One field (RFC 8601 §2.2): the host, then what it found, divided by semicolons.
fn read(value: &str, is_chain: bool) -> Vec<Claim> {
    let plain = without_comments(value);
    let mut parts = plain.split(';').map(str::trim);
    // ARC puts a number before the host (RFC 8617 §4.1.1).
    if is_chain && parts.next().is_none() {
        return Vec::new();
    }
    let Some(by) = parts.next().and_then(|host| host.split_whitespace().next()) else { return Vec::new() };
    let by: String = by.chars().take(CLAIM_LENGTH).collect();
    let claim = |part: &str| {
        let mut words = part.split_whitespace();
        let (method, result) = words.next()?.split_once('=')?;
        let method = method.split('/').next().unwrap_or(method).to_ascii_lowercase();
        let about = words.filter(|word| word.contains('.')).collect::<Vec<_>>().join(" ");
        Some(Claim {
            by: by.clone(),
            method: method.chars().take(CLAIM_LENGTH).collect(),
            result: result.to_ascii_lowercase().chars().take(CLAIM_LENGTH).collect(),
            about: about.chars().take(CLAIM_LENGTH).collect(),
        })
    };
    parts.filter_map(claim).collect()
}

/// Without what stands in parentheses (RFC 5322 §3.2.2); what is in quotes stays.
fn without_comments(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let (mut depth, mut quoted, mut escaped) = (0u32, false, false);
    for c in value.chars() {
        let is_literal = std::mem::take(&mut escaped);
        match c {
            '\\' if !is_literal => escaped = true,
            '"' if !is_literal && depth == 0 => quoted = !quoted,
            '(' if !is_literal && !quoted => depth = depth.saturating_add(1),
            ')' if !is_literal && !quoted && depth > 0 => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_as_they_stand() {
        let rows: &[(&str, bool, &[&str])] = &[
            (
                "mx.example.jp; spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a@example.com; dkim=fail reason=\"bad\" header.d=example.com",
                false,
                &["mx.example.jp spf=pass smtp.mailfrom=a@example.com", "mx.example.jp dkim=fail header.d=example.com"],
            ),
            (
                "i=1; mx.example; arc=none; dmarc=pass header.from=bank.example",
                true,
                &["mx.example arc=none ", "mx.example dmarc=pass header.from=bank.example"],
            ),
            ("mx.example 1; none", false, &[]),
            ("mx.example (a; spf=pass (b)); DKIM/1=PASS", false, &["mx.example dkim=pass "]),
            ("mx.example (spf=pass", false, &[]),
            ("", false, &[]),
            (";;;", false, &[]),
            ("i=1", true, &[]),
        ];
        for (value, is_chain, expected) in rows {
            let told: Vec<String> = read(value, *is_chain)
                .iter()
                .map(|claim| format!("{} {}={} {}", claim.by, claim.method, claim.result, claim.about))
                .collect();
            assert_eq!(told, *expected, "{value}");
        }
    }

    #[test]
    fn what_the_owner_asks_for_and_what_the_mail_shows() {
        let one = |outcome, is_aligned| DomainSignature {
            domain: "bank.example".to_owned(),
            selector: "s".to_owned(),
            outcome,
            is_aligned,
            is_partial: false,
            detail: String::new(),
        };
        let passage = |demand, signatures: &[DomainSignature]| Passage {
            signatures: signatures.to_vec(),
            policy: Some(DomainPolicy { domain: "bank.example".into(), owner: "bank.example".into(), demand }),
            claims: Vec::new(),
        };
        let rows: &[(Demand, &[DomainSignature], bool)] = &[
            (Demand::Reject, &[], true),
            (Demand::Quarantine, &[one(Dkim::Fail, true)], true),
            (Demand::Reject, &[one(Dkim::Pass, false)], true),
            (Demand::Reject, &[one(Dkim::NoKey, true)], true),
            (Demand::Reject, &[one(Dkim::Pass, false), one(Dkim::Pass, true)], false),
            (Demand::Reject, &[one(Dkim::Unavailable(Cause::Timeout), true)], false),
            (Demand::Nothing, &[], false),
            (Demand::Absent, &[], false),
            (Demand::Unavailable(Cause::Timeout), &[], false),
        ];
        for (demand, signatures, expected) in rows {
            assert_eq!(passage(*demand, signatures).falls_short(), *expected, "{demand:?} {signatures:?}");
        }
        assert!(!Passage::default().falls_short());
    }
}
