//! The count at the end of a run, and its table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::KIND_COUNT;
use super::gateway::Oddity;
use super::hop::{Record, Taken, Trouble};
use super::mails::{Door, Mail};
use super::sink::{Arrived, contains};

/// A kill so soon after the next hop's word may have come before the journal had it.
const WINDOW: Duration = Duration::from_millis(500);
/// Where the table stands in docs/reliability.md.
const MARKS: [&str; 2] = ["<!-- the table of cargo xtask crash -->\n", "<!-- its end -->"];

/// What came of a run.
#[derive(Default)]
pub(super) struct Count {
    mails: usize,
    recipients: usize,
    once: usize,
    told: usize,
    lost: Vec<String>,
    told_wrongly: Vec<String>,
    twice_by_cut: usize,
    twice_by_kill: usize,
    twice: Vec<String>,
    differing: Vec<String>,
    broken: Vec<String>,
    sealed: usize,
    opened: usize,
    unread: usize,
    leaked: Vec<String>,
    kills: usize,
    troubles: BTreeMap<Trouble, usize>,
    actions: BTreeMap<String, usize>,
    starts: BTreeMap<Oddity, usize>,
    time: Duration,
}

impl Count {
    pub(super) fn new(
        mails: &[Mail],
        arrived: &Arrived,
        record: &Record,
        kills: &[Instant],
        actions: BTreeMap<String, usize>,
        starts: BTreeMap<Oddity, usize>,
        time: Duration,
    ) -> Self {
        let troubles = record.troubles.clone();
        let mut count =
            Self { mails: mails.len(), kills: kills.len(), troubles, actions, starts, time, ..Self::default() };
        for mail in mails {
            for recipient in &mail.recipients {
                count.add(mail, recipient, arrived, record, kills);
            }
        }
        count
    }

    fn add(&mut self, mail: &Mail, recipient: &String, arrived: &Arrived, record: &Record, kills: &[Instant]) {
        self.recipients += 1;
        let copies = arrived.mails.get(recipient).map_or(&[][..], Vec::as_slice);
        let reports = arrived.bounced.get(recipient).copied().unwrap_or_default();
        let refused = record.refused.contains_key(recipient);
        match (copies.len(), reports) {
            (0, 1) if refused => self.told += 1,
            // The report of a report goes to nobody (RFC 5321 §4.5.5).
            (0, 0) if refused && mail.sender.is_empty() => self.told += 1,
            (0, _) => self.lost.push(recipient.clone()),
            (_, 0) => self.once += usize::from(copies.len() == 1),
            (_, _) => self.told_wrongly.push(recipient.clone()),
        }
        if copies.iter().any(|copy| !copy.whole || (mail.untouched.contains(recipient) && !copy.untouched)) {
            self.broken.push(recipient.clone());
        }
        // Whose certificate is known gets it encrypted; who is not shown to the others, alone.
        let is_sealed = mail.sealed.contains(recipient);
        let is_shown = contains(&mail.bytes, recipient.as_bytes());
        self.sealed += usize::from(is_sealed && !copies.is_empty());
        let is_opened = mail.door == Door::OutsideSealed && !is_sealed;
        self.opened += usize::from(is_opened && copies.iter().any(|copy| copy.readers == 0));
        self.unread += copies.iter().filter(|copy| copy.unread).count();
        if copies
            .iter()
            .filter(|copy| !copy.unread)
            .any(|copy| (copy.readers > 0) != is_sealed || (!is_shown && copy.readers > 1))
        {
            self.leaked.push(recipient.clone());
        }
        let digests: BTreeSet<&[u8]> = copies.iter().map(|copy| copy.digest.as_slice()).collect();
        if digests.len() > 1 {
            self.differing.push(recipient.clone());
        }
        let more = copies.len().saturating_sub(1);
        if more > 0 {
            let taken = record.taken.get(recipient).map_or(&[][..], Vec::as_slice);
            let cut = taken.iter().filter(|taken| taken.cut).count().min(more);
            let killed = taken.iter().filter(|taken| !taken.cut && is_killed(taken, kills)).count().min(more - cut);
            self.twice_by_cut += cut;
            self.twice_by_kill += killed;
            if cut + killed < more {
                self.twice.push(recipient.clone());
            }
        }
    }

    /// What must not be.
    pub(super) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut none = |what: &str, which: &[String]| {
            if !which.is_empty() {
                wrong.push(format!("{what}: {}", which.join(", ")));
            }
        };
        none("lost", &self.lost);
        none("delivered, and the sender was told that it was not", &self.told_wrongly);
        none("twice without excuse", &self.twice);
        none("copies that differ", &self.differing);
        none("not whole, or touched", &self.broken);
        none("in clear, or sealed, or with others' names", &self.leaked);
        let bugs: Vec<String> = self.actions.keys().filter(|action| action.starts_with("bug")).cloned().collect();
        none("said", &bugs);
        wrong
    }

    /// The table, as it stands in the document.
    pub(super) fn table(&self) -> String {
        let action = |name: &str| self.actions.get(name).copied().unwrap_or_default();
        let start = |wanted: fn(&Oddity) -> bool| -> usize {
            self.starts.iter().filter(|(oddity, _)| wanted(oddity)).map(|(_, count)| count).sum()
        };
        let mut rows = vec![
            (format!("mails sent, of {KIND_COUNT} shapes"), self.mails),
            ("deliveries expected: a recipient of a mail each".to_owned(), self.recipients),
            ("**arrived exactly once**".to_owned(), self.once),
            ("refused for good by the next hop, and the sender told once".to_owned(), self.told),
            ("**lost**".to_owned(), self.lost.len()),
            ("second copies after a 250 said into a cut connection".to_owned(), self.twice_by_cut),
            ("second copies after a kill before the journal had the 250".to_owned(), self.twice_by_kill),
            ("**second copies without such an excuse**".to_owned(), self.twice.len()),
            ("**copies of one mail that differ in a byte**".to_owned(), self.differing.len()),
            ("**mails cut short, or touched though they pass**".to_owned(), self.broken.len()),
            ("arrived encrypted".to_owned(), self.sealed),
            ("received sealed, and opened for the member".to_owned(), self.opened),
            ("received, and handed on unread after Kakitome had been killed over it again and again".to_owned(), self.unread),
            (
                "**in clear though a certificate is known, or sealed though its key is here, or a blind copy with others' names**"
                    .to_owned(),
                self.leaked.len(),
            ),
            ("SIGKILL while mail went through".to_owned(), self.kills),
            ("of the starts: with a full disk".to_owned(), start(|oddity| *oddity == Oddity::Full)),
            (
                "of the starts: with a clock that had jumped".to_owned(),
                start(|oddity| matches!(oddity, Oddity::Clock(_))),
            ),
        ];
        for (trouble, name) in Trouble::ALL {
            let count = self.troubles.get(&trouble).copied().unwrap_or_default();
            rows.push((format!("next hop: {name}"), count));
        }
        rows.push((
            "mails put off by Kakitome for want of room or of an answer".to_owned(),
            action("deferred") + action("refused"),
        ));
        rows.push(("mails known again by the journal".to_owned(), action("known")));
        rows.push(("mails sent again as they were built".to_owned(), action("repeated")));
        let mut table = "| what | count |\n|---|---:|\n".to_owned();
        for (name, count) in rows {
            table.push_str(&format!("| {name} | {count} |\n"));
        }
        table.push_str(&format!("\nThe run took {} seconds.\n", self.time.as_secs()));
        table
    }

    pub(super) fn write(&self, document: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(document)?;
        let [begin, end] = MARKS;
        let (before, rest) = text.split_once(begin).context("docs/reliability.md has no place for the table")?;
        let (_, after) = rest.split_once(end).context("docs/reliability.md has no end of the table")?;
        fs::write(document, format!("{before}{begin}{}{end}{after}", self.table())).context("docs/reliability.md")
    }
}

/// Was Kakitome killed while it waited for this word, or just after?
fn is_killed(taken: &Taken, kills: &[Instant]) -> bool {
    kills.iter().any(|kill| *kill >= taken.begin && *kill <= taken.at + WINDOW)
}
