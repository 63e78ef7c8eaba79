//! What will go wrong unless somebody sees to it: told before it does, in both languages, the most urgent first.

use kakitome_pki::asn1::time::Time;
use kakitome_verdict::lang::Lang;

use crate::enrolment::calendar::{Dated, What, renewal};
use crate::jobs::Job;

const DAY: i64 = 24 * 60 * 60;
/// A certificate that nobody renews is told of so long before its end, in seconds.
pub const ENDS_SOON: i64 = 30 * DAY;
/// A certificate that ends so soon is urgent, in seconds.
pub const ENDS_NOW: i64 = 7 * DAY;
/// A renewal that is so late is told of, in seconds.
pub const RENEWAL_LATE: i64 = 3 * DAY;
/// A CA of our own is told of so long before its end, in seconds: its certificates are cut to it from then on.
pub const AUTHORITY_ENDS_SOON: i64 = 2 * 365 * DAY;
/// A CA of our own that ends so soon is urgent, in seconds.
pub const AUTHORITY_ENDS_NOW: i64 = 90 * DAY;
/// A job that failed so often in a row is told of.
pub const JOB_FAILURES: i64 = 3;
/// A job that nobody has taken so long after it was due is told of, in seconds.
pub const JOB_LATE: i64 = DAY;
/// A CA outside that has not answered for so long is told of, in seconds.
pub const REQUEST_LATE: i64 = 7 * DAY;
/// So many names stand in one warning.
const NAMED: usize = 5;

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Mail is about to suffer, or does.
    Now,
    /// There is time.
    Soon,
}

/// What is the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Certificates end that are not renewed by themselves, the first of them then.
    End(Time),
    /// Certificates should have been renewed, and were not.
    Renewal,
    /// A CA of our own ends.
    Authority(Time),
    /// A job fails.
    JobFails(String),
    /// A job waits, and nobody takes it.
    JobLate(Time),
    /// A CA outside was asked long ago.
    Request(Time),
    /// Somebody left, and his signing certificate still counts.
    NotRevoked,
}

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How urgent.
    pub urgency: Urgency,
    /// What.
    pub matter: Matter,
    /// How many it is about.
    pub count: usize,
    /// The first of them: addresses, a CA, a job.
    pub whose: Vec<String>,
}

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The certificates that count, of active members and of our CAs.
    pub certificates: Vec<Dated>,
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Requests that wait for a CA outside: for whom, since when.
    pub requests: Vec<(String, Time)>,
    /// Addresses of members who left, with a signing certificate that still counts.
    pub not_revoked: Vec<String>,
}

impl Warning {
    /// A name for programs, which never changes its meaning.
    pub const fn code(&self) -> &'static str {
        match self.matter {
            Matter::End(_) => "certificate-ends",
            Matter::Renewal => "renewal-late",
            Matter::Authority(_) => "authority-ends",
            Matter::JobFails(_) => "job-fails",
            Matter::JobLate(_) => "job-late",
            Matter::Request(_) => "request-waits",
            Matter::NotRevoked => "not-revoked",
        }
    }

    /// What is the matter and what to do, for people.
    pub fn says(&self, lang: Lang) -> String {
        let more = self.count.saturating_sub(self.whose.len());
        let whose = self.whose.join(", ");
        let whose = match (more, lang) {
            (0, _) => whose,
            (_, Lang::Ja) => format!("{whose} ほか{more}件"),
            (_, Lang::En) => format!("{whose} and {more} more"),
        };
        let count = self.count;
        match (&self.matter, lang) {
            (Matter::End(at), Lang::En) => format!(
                "{count} certificates end from {at} on and are not renewed by themselves: {whose}; get new ones from their \
                 CA and run `kakitome cert import`"
            ),
            (Matter::End(at), Lang::Ja) => format!(
                "自動更新されない証明書{count}枚が{at}以降に期限切れになります: {whose}。発行元から新しい証明書を受け取り、\
                 `kakitome cert import` で取り込んでください"
            ),
            (Matter::Renewal, Lang::En) => format!(
                "{count} certificates should have been renewed and were not: {whose}; look at `kakitome job list`, then run \
                 `kakitome cert renew`"
            ),
            (Matter::Renewal, Lang::Ja) => format!(
                "更新時期を過ぎた証明書が{count}枚あります: {whose}。`kakitome job list` を確認し、`kakitome cert renew` を\
                 実行してください"
            ),
            (Matter::Authority(at), Lang::En) => format!(
                "the CA {whose} ends {at}, and what it issues ends with it; make a new one with `kakitome ca`, then replace \
                 its certificates with `kakitome cert replace`"
            ),
            (Matter::Authority(at), Lang::Ja) => format!(
                "認証局 {whose} は{at}に期限切れになり、発行した証明書もそこで切れます。`kakitome ca` で新しい認証局を作り、\
                 `kakitome cert replace` で置き換えてください"
            ),
            (Matter::JobFails(why), Lang::En) => {
                format!("the job {whose} has failed {count} times: {why}; it goes on being tried")
            }
            (Matter::JobFails(why), Lang::Ja) => {
                format!("ジョブ {whose} が{count}回続けて失敗しました: {why}。再試行は続きます")
            }
            (Matter::JobLate(at), Lang::En) => {
                format!("the job {whose} was due {at} and nobody has taken it; is `kakitome up` running?")
            }
            (Matter::JobLate(at), Lang::Ja) => {
                format!("ジョブ {whose} は{at}の予定ですが、まだ始まっていません。`kakitome up` は動いていますか")
            }
            (Matter::Request(at), Lang::En) => format!(
                "{count} requests wait for their CA, the oldest since {at}: {whose}; take them there, or look for its answer"
            ),
            (Matter::Request(at), Lang::Ja) => format!(
                "発行元の回答を待つ申請が{count}件あります（最も古いものは{at}から）: {whose}。申請を届けたか、回答が来て\
                 いないか確認してください"
            ),
            (Matter::NotRevoked, Lang::En) => format!(
                "{count} addresses of members who left have signing certificates that still count: {whose}; run `kakitome \
                 job run`"
            ),
            (Matter::NotRevoked, Lang::Ja) => {
                format!("退職者の署名用証明書{count}枚がまだ有効です: {whose}。`kakitome job run` を実行してください")
            }
        }
    }
}

/// Everything to warn of, the most urgent first.
pub fn warnings(seen: &Seen, now: Time) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut ending: Vec<&Dated> = seen
        .certificates
        .iter()
        .filter(|one| one.what != What::Authority && !one.by_itself && one.until <= now.plus(ENDS_SOON))
        .collect();
    ending.sort_by_key(|one| (one.until, one.whose.clone()));
    if let Some(first) = ending.first() {
        let urgency = if first.until <= now.plus(ENDS_NOW) { Urgency::Now } else { Urgency::Soon };
        found.push(warning(urgency, Matter::End(first.until), ending.iter().map(|one| one.whose.clone())));
    }
    let is_late = |one: &&Dated| {
        one.what != What::Authority && one.by_itself && renewal(one.from, one.until).plus(RENEWAL_LATE) <= now
    };
    let late: Vec<&Dated> = seen.certificates.iter().filter(is_late).collect();
    if !late.is_empty() {
        let urgent = late.iter().any(|one| one.until <= now.plus(ENDS_SOON));
        let urgency = if urgent { Urgency::Now } else { Urgency::Soon };
        found.push(warning(urgency, Matter::Renewal, late.iter().map(|one| one.whose.clone())));
    }
    for one in seen.certificates.iter().filter(|one| one.what == What::Authority) {
        if one.until <= now.plus(AUTHORITY_ENDS_SOON) {
            let urgency = if one.until <= now.plus(AUTHORITY_ENDS_NOW) { Urgency::Now } else { Urgency::Soon };
            found.push(warning(urgency, Matter::Authority(one.until), [one.whose.clone()]));
        }
    }
    for job in &seen.jobs {
        let name = [job.kind.as_str(), job.subject.as_str()].join(" ").trim().to_owned();
        if let Some(why) = job.last_error.as_ref().filter(|_| job.attempts >= JOB_FAILURES) {
            let mut fails = warning(Urgency::Now, Matter::JobFails(why.clone()), [name]);
            fails.count = usize::try_from(job.attempts).unwrap_or(usize::MAX);
            found.push(fails);
        } else if job.held.is_none() && job.last_error.is_none() && job.due.plus(JOB_LATE) <= now {
            found.push(warning(Urgency::Now, Matter::JobLate(job.due), [name]));
        }
    }
    let mut waiting: Vec<&(String, Time)> =
        seen.requests.iter().filter(|(_, since)| since.plus(REQUEST_LATE) <= now).collect();
    waiting.sort_by_key(|(_, since)| *since);
    if let Some((_, since)) = waiting.first() {
        found.push(warning(Urgency::Soon, Matter::Request(*since), waiting.iter().map(|(whose, _)| whose.clone())));
    }
    if !seen.not_revoked.is_empty() {
        found.push(warning(Urgency::Now, Matter::NotRevoked, seen.not_revoked.iter().cloned()));
    }
    found.sort_by_key(|warning| warning.urgency);
    found
}

fn warning(urgency: Urgency, matter: Matter, whose: impl IntoIterator<Item = String>) -> Warning {
    let mut whose: Vec<String> = whose.into_iter().collect();
    let count = whose.len();
    whose.truncate(NAMED);
    Warning { urgency, matter, count, whose }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn certificate(what: What, from: i64, days: i64, by_itself: bool) -> Seen {
        let from = NOW.plus(from * DAY);
        let (whose, issuer) = ("a@b.example".to_owned(), "own".to_owned());
        let dated = Dated { whose, what, issuer, from, until: from.plus(days * DAY), by_itself };
        Seen { certificates: vec![dated], ..Seen::default() }
    }

    fn job(attempts: i64, due: i64, last_error: Option<&str>, held: bool) -> Seen {
        let job = Job {
            kind: "certificates.renew".to_owned(),
            subject: String::new(),
            due: NOW.plus(due),
            every: None,
            attempts,
            last_error: last_error.map(str::to_owned),
            held: held.then(|| ("node".to_owned(), NOW)),
        };
        Seen { jobs: vec![job], ..Seen::default() }
    }

    #[test]
    fn what_goes_wrong_is_told_before_it_does() {
        use Urgency::{Now, Soon};
        let rows: Vec<(Seen, Option<(&str, Urgency)>)> = vec![
            (Seen::default(), None),
            // renewed by itself: in order until it is three days late
            (certificate(What::Signing, -202, 300, true), None),
            (certificate(What::Signing, -203, 300, true), Some(("renewal-late", Soon))),
            (certificate(What::Signing, -275, 300, true), Some(("renewal-late", Now))),
            // bought
            (certificate(What::Signing, -269, 300, false), None),
            (certificate(What::Signing, -270, 300, false), Some(("certificate-ends", Soon))),
            (certificate(What::Signing, -293, 300, false), Some(("certificate-ends", Now))),
            // our CA
            (certificate(What::Authority, 0, 3650, false), None),
            (certificate(What::Authority, 0, 730, false), Some(("authority-ends", Soon))),
            (certificate(What::Authority, 0, 90, false), Some(("authority-ends", Now))),
            (job(0, 0, None, false), None),
            (job(2, -9 * DAY, Some("refused"), false), None),
            (job(3, 60, Some("refused"), false), Some(("job-fails", Now))),
            (job(0, -DAY, None, false), Some(("job-late", Now))),
            (job(0, -DAY, None, true), None),
            (Seen { requests: vec![("a@b.example".to_owned(), NOW.plus(-6 * DAY))], ..Seen::default() }, None),
            (
                Seen { requests: vec![("a@b.example".to_owned(), NOW.plus(-7 * DAY))], ..Seen::default() },
                Some(("request-waits", Soon)),
            ),
            (Seen { not_revoked: vec!["a@b.example".to_owned()], ..Seen::default() }, Some(("not-revoked", Now))),
        ];
        for (seen, expected) in rows {
            let found = warnings(&seen, NOW);
            assert_eq!(found.first().map(|one| (one.code(), one.urgency)), expected, "{seen:?}");
            assert!(found.len() <= 1);
            for warning in found {
                for lang in [Lang::En, Lang::Ja] {
                    assert!(!warning.says(lang).is_empty());
                }
            }
        }
    }

    #[test]
    fn many_are_counted_and_the_urgent_stand_first() {
        let mut seen = Seen::default();
        for at in 0..8 {
            let mut one = certificate(What::Signing, -275, 300, false).certificates;
            one[0].whose = format!("a{at}@b.example");
            seen.certificates.extend(one);
        }
        seen.jobs = job(5, 0, Some("the disk is full"), false).jobs;
        let found = warnings(&seen, NOW);
        assert_eq!(found.iter().map(Warning::code).collect::<Vec<_>>(), ["job-fails", "certificate-ends"]);
        assert!(found[0].says(Lang::En).contains("has failed 5 times: the disk is full"));
        assert!(found[1].says(Lang::En).contains("a4@b.example and 3 more"), "{}", found[1].says(Lang::En));
        assert!(found[1].says(Lang::Ja).contains("ほか3件"));
    }
}
