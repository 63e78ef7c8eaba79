//! What happens when: the days on which certificates are renewed and end, as a list, by month, and as a file for calendar
//! programs (RFC 5545).
//!
//! What happens by itself is counted by day, however many members there are; what a person must see to stands alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kakitome_pki::asn1::time::Time;

/// A third of a certificate's life is left when it is renewed.
const LEFT_AT_RENEWAL: u64 = 3;

/// A certificate with its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Whose, for people: an address, or the CA's name.
    pub whose: String,
    /// What it is for.
    pub what: What,
    /// Who issued it.
    pub issuer: String,
    /// Valid from.
    pub from: Time,
    /// Valid until.
    pub until: Time,
    /// Is it renewed without anybody's doing?
    pub by_itself: bool,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A CA of our own.
    Authority,
    /// A member's mail is signed with it.
    Signing,
    /// Mail to a member is encrypted to it.
    Encryption,
}

impl What {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority => "CA",
            Self::Signing => "signing",
            Self::Encryption => "encryption",
        }
    }
}

/// What happens on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happens {
    /// Two thirds of the life are over, and a new one is made.
    Renewal,
    /// It ends, and a person must have seen to it before.
    End,
}

/// One entry of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The day, as `2027-03-31`, in UTC.
    pub day: String,
    /// What happens.
    pub happens: Happens,
    /// To which kind.
    pub what: What,
    /// Of which issuer.
    pub issuer: String,
    /// To how many.
    pub count: usize,
    /// To whose, where it is one, or a person must see to it.
    pub whose: Vec<String>,
}

/// The moment from which a certificate is renewed: two thirds of its life are over.
pub fn renewal(from: Time, until: Time) -> Time {
    let third = until.distance(from).checked_div(LEFT_AT_RENEWAL).unwrap_or_default();
    until.plus(i64::try_from(third).unwrap_or(i64::MAX).saturating_neg())
}

/// The entries from one moment to another, in order. What should have happened before `from` happens then.
pub fn calendar(certificates: &[Dated], from: Time, to: Time) -> Vec<Entry> {
    let mut days: BTreeMap<(String, Happens, What, String), Vec<String>> = BTreeMap::new();
    for one in certificates {
        let (happens, at) =
            if one.by_itself { (Happens::Renewal, renewal(one.from, one.until)) } else { (Happens::End, one.until) };
        let at = at.max(from);
        if at <= to {
            days.entry((day(at), happens, one.what, one.issuer.clone())).or_default().push(one.whose.clone());
        }
    }
    let entry = |((day, happens, what, issuer), mut whose): (_, Vec<String>)| {
        whose.sort();
        let count = whose.len();
        if happens == Happens::Renewal && count > 1 {
            whose.clear();
        }
        Entry { day, happens, what, issuer, count, whose }
    };
    days.into_iter().map(entry).collect()
}

/// The day of a moment, in UTC.
pub fn day(at: Time) -> String {
    at.to_string().chars().take_while(|one| *one != 'T').collect()
}

impl Entry {
    /// What happens, for people.
    pub fn says(&self) -> String {
        let (what, issuer) = (self.what.name(), &self.issuer);
        let (certificates, end, need) =
            if self.count == 1 { ("certificate", "ends", "needs") } else { ("certificates", "end", "need") };
        match self.happens {
            Happens::Renewal if self.count == 1 => {
                format!("{what} {certificates} of {} renewed by itself ({issuer})", self.whose.join(", "))
            }
            Happens::Renewal => format!("{} {what} {certificates} renewed by themselves ({issuer})", self.count),
            Happens::End => {
                format!(
                    "{} {what} {certificates} {end} and {need} somebody ({issuer}): {}",
                    self.count,
                    self.whose.join(", ")
                )
            }
        }
    }
}

/// The entries for calendar programs. `now` is when it was written.
pub fn icalendar(entries: &[Entry], now: Time) -> String {
    let mut out = String::new();
    let stamp: String = now.to_string().chars().filter(|one| !"-:".contains(*one)).collect();
    let mut line = |text: &str| fold(&mut out, text);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Kakitome//certificates//EN");
    for entry in entries {
        let day: String = entry.day.chars().filter(|one| *one != '-').collect();
        line("BEGIN:VEVENT");
        // The same entry of a later file takes the place of this one.
        let happens = if entry.happens == Happens::Renewal { "renewal" } else { "end" };
        line(&format!("UID:{day}-{happens}-{}-{}@kakitome", entry.what.name(), name(&entry.issuer)));
        line(&format!("DTSTAMP:{stamp}"));
        line(&format!("DTSTART;VALUE=DATE:{day}"));
        line(&format!("SUMMARY:{}", text(&entry.says())));
        line("TRANSP:TRANSPARENT");
        if entry.happens == Happens::End {
            for before in ["-P30D", "-P7D"] {
                line("BEGIN:VALARM");
                line("ACTION:DISPLAY");
                line(&format!("TRIGGER:{before}"));
                line(&format!("DESCRIPTION:{}", text(&entry.says())));
                line("END:VALARM");
            }
        }
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    out
}

/// RFC 5545 §3.3.11.
fn text(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for character in words.chars() {
        match character {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// What of a name may stand in an identifier.
fn name(words: &str) -> String {
    words.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect()
}

/// RFC 5545 §3.1: a line is at most 75 octets, and goes on behind a line end and a blank.
fn fold(out: &mut String, line: &str) {
    let mut length = 0usize;
    for character in line.chars() {
        if length.saturating_add(character.len_utf8()) > 75 {
            out.push_str("\r\n ");
            length = 1;
        }
        // Writing into a string cannot fail.
        write!(out, "{character}").ok();
        length = length.saturating_add(character.len_utf8());
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const NOW: Time = Time::from_unix(1_800_000_000);

    fn dated(whose: &str, what: What, from: i64, days: i64, by_itself: bool) -> Dated {
        let from = NOW.plus(from * DAY);
        let (whose, issuer) = (whose.to_owned(), "own CA".to_owned());
        Dated { whose, what, issuer, from, until: from.plus(days * DAY), by_itself }
    }

    #[test]
    fn renewals_are_counted_by_day_and_ends_stand_alone() {
        assert_eq!(renewal(NOW, NOW.plus(300 * DAY)), NOW.plus(200 * DAY));
        let certificates = [
            dated("a@b.example", What::Signing, 0, 300, true),
            dated("b@b.example", What::Signing, 0, 300, true),
            dated("a@b.example", What::Encryption, 0, 3000, true),
            dated("late@b.example", What::Signing, -290, 300, true),
            dated("bought@b.example", What::Signing, 0, 90, false),
            dated("the root, \"of us\"", What::Authority, 0, 100, false),
        ];
        let entries = calendar(&certificates, NOW, NOW.plus(365 * DAY));
        let told: Vec<(String, String)> = entries.iter().map(|entry| (entry.day.clone(), entry.says())).collect();
        let at = |days: i64| day(NOW.plus(days * DAY));
        assert_eq!(
            told,
            [
                (at(0), "signing certificate of late@b.example renewed by itself (own CA)".to_owned()),
                (at(90), "1 signing certificate ends and needs somebody (own CA): bought@b.example".to_owned()),
                (at(100), "1 CA certificate ends and needs somebody (own CA): the root, \"of us\"".to_owned()),
                (at(200), "2 signing certificates renewed by themselves (own CA)".to_owned()),
            ]
        );
        let file = icalendar(&entries, NOW);
        assert!(file.split("\r\n").all(|line| line.len() <= 75), "{file}");
        assert!(!file.replace("\r\n", "").contains(['\r', '\n']), "{file}");
        assert_eq!(file.matches("BEGIN:VEVENT").count(), 4);
        assert_eq!(file.matches("TRIGGER:-P30D").count(), 2);
        assert!(file.replace("\r\n ", "").contains("needs somebody (own CA): the root\\, \"of us\"\r\n"), "{file}");
    }

    #[test]
    fn a_long_name_in_kanji_is_folded_between_its_characters() {
        let mut out = String::new();
        fold(&mut out, &"銀".repeat(80));
        assert!(out.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(out.replace("\r\n ", "").trim_end(), "銀".repeat(80));
    }
}
