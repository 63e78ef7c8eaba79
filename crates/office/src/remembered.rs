//! Mail that must be known again: what was opened here, so that its text does not leave in the clear as a report, a
//! forward or a reply; and what came with a file that opens with a password, so that the mail with the password is told.
//!
//! What is kept are digests with a salt of this store, for a bounded time, and nothing of any mail. It stands in the store
//! and not in the journal, since the reply can pass another node than the mail.

use std::sync::{Arc, OnceLock};

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::{Hasher, Random};
use kakitome_smime::mime::header::{Header, decode};

use crate::fault::Fault;
use crate::store::{Row, Statements, Store};

/// How long an opened mail is known, in seconds: two years. Replies come late, and a reply that quotes it later than that
/// is encrypted by policy alone.
pub const OPENED_FOR: i64 = 2 * 365 * 24 * 60 * 60;
/// How long the password of a file is waited for, in seconds: a day.
pub const LOCKED_FOR: i64 = 24 * 60 * 60;
/// How long a password waits for its file, in seconds: half an hour.
pub const PASSWORD_FOR: i64 = 30 * 60;
/// So many names of a References field are looked up, the last ones: those nearest to the reply.
const REFERENCES_LIMIT: usize = 50;
/// So many recipients of a mail are looked at for pairs.
const RECIPIENTS_LIMIT: usize = 100;
/// So many mails of a pair of sender and recipient are compared.
const PAIRS_LIMIT: i64 = 20;
/// The names of mails are cut here, in octets.
const NAME_LIMIT: usize = 998;
/// The beginnings of two subjects are compared over so many characters.
const SUBJECT_BEGINNING: usize = 8;

/// What an outbound mail has to do with one that was opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is that mail, sent on.
    Forward,
    /// It answers that mail (In-Reply-To, References), and may quote it.
    Answer,
}

/// Which half of a pair a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The mail with the file.
    Locked,
    /// The mail with the password.
    Password,
}

impl Half {
    const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Password => "password",
        }
    }

    const fn time(self) -> i64 {
        match self {
            Self::Locked => LOCKED_FOR,
            Self::Password => PASSWORD_FOR,
        }
    }
}

/// What is alike in two mails from one sender to one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Their subjects begin alike.
    pub same_subject: bool,
    /// One of them refers to the other.
    pub is_answer: bool,
}

/// The memory of a store.
pub struct Remembered {
    store: Arc<Store>,
    random: Arc<dyn Random>,
    salt: OnceLock<Vec<u8>>,
}

impl Remembered {
    /// That of this store.
    pub fn new(store: Arc<Store>, random: Arc<dyn Random>) -> Self {
        Self { store, random, salt: OnceLock::new() }
    }

    /// Remembers that a mail was opened. One without a Message-ID cannot be known again.
    ///
    /// # Errors
    /// The store's: then the mail must not be handed on in the clear.
    pub fn keep_opened(&self, header: &Header, now: Time) -> Result<(), Fault> {
        let Some(name) = header.all("Message-ID").next().and_then(|field| names(header.value(field)).pop()) else {
            return Ok(());
        };
        let digest = self.digest("opened", &[&name])?;
        self.store.write(|s| keep(s, "opened", &digest, &[], now, OPENED_FOR))
    }

    /// What a mail that leaves has to do with one that was opened here; `None` if nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn relation(&self, header: &Header, now: Time) -> Result<Option<Relation>, Fault> {
        let of = |name: &'static str| header.all(name).flat_map(|field| names(header.value(field)));
        let mut answered: Vec<Vec<u8>> = of("References").collect();
        answered.drain(..answered.len().saturating_sub(REFERENCES_LIMIT));
        answered.extend(of("In-Reply-To").take(REFERENCES_LIMIT));
        let sent_on = of("Message-ID").chain(of("Resent-Message-ID")).take(REFERENCES_LIMIT);
        let asked = sent_on
            .map(|name| (Relation::Forward, name))
            .chain(answered.into_iter().map(|name| (Relation::Answer, name)));
        // Who may only look, and finds no salt, knows that nothing was opened yet.
        if self.store.is_read_only() && self.store.read(known_salt)?.is_none() {
            return Ok(None);
        }
        let asked: Vec<_> = asked
            .map(|(relation, name)| Ok((relation, self.digest("opened", &[&name])?)))
            .collect::<Result<_, Fault>>()?;
        if asked.is_empty() {
            return Ok(None);
        }
        self.store.read(|s| {
            for (relation, digest) in &asked {
                let sql = "SELECT 1 FROM remembered WHERE kind = 'opened' AND digest = ?1 AND until >= ?2";
                if s.exists(sql, &[digest, &now])? {
                    return Ok(Some(*relation));
                }
            }
            Ok(None)
        })
    }

    /// Remembers one half of a pair, for each recipient.
    ///
    /// # Errors
    /// The store's. Nothing is lost by it but the remark at the other half.
    pub fn keep_half(
        &self,
        half: Half,
        sender: &str,
        recipients: &[String],
        header: &Header,
        now: Time,
    ) -> Result<(), Fault> {
        let about = self.about(header)?;
        let digests = self.pairs(sender, recipients)?;
        self.store
            .write(|s| digests.iter().try_for_each(|digest| keep(s, half.name(), digest, &about, now, half.time())))
    }

    /// What is alike in this mail and in each that is the other half of a pair perhaps.
    ///
    /// # Errors
    /// The store's.
    pub fn halves(
        &self,
        half: Half,
        sender: &str,
        recipients: &[String],
        header: &Header,
        now: Time,
    ) -> Result<Vec<Alike>, Fault> {
        let about = self.about(header)?;
        let answered: Vec<Vec<u8>> = header
            .all("In-Reply-To")
            .chain(header.all("References"))
            .flat_map(|field| names(header.value(field)))
            .take(REFERENCES_LIMIT)
            .map(|name| self.digest("name", &[&name]))
            .collect::<Result<_, Fault>>()?;
        let digests = self.pairs(sender, recipients)?;
        self.store.read(|s| {
            let mut found = Vec::new();
            for digest in &digests {
                let sql = "SELECT about FROM remembered WHERE kind = ?1 AND digest = ?2 AND until >= ?3 ORDER BY until DESC LIMIT ?4";
                let rows = s.rows(sql, &[&half.name(), digest, &now, &PAIRS_LIMIT], |row: &Row<'_>| row.octets(0))?;
                found.extend(rows.into_iter().map(|other| alike(&about, &other, &answered)));
            }
            Ok(found)
        })
    }

    /// A digest for each recipient.
    fn pairs(&self, sender: &str, recipients: &[String]) -> Result<Vec<Vec<u8>>, Fault> {
        let sender = sender.to_lowercase();
        let each = recipients.iter().take(RECIPIENTS_LIMIT);
        each.map(|recipient| self.digest("pair", &[sender.as_bytes(), recipient.to_lowercase().as_bytes()])).collect()
    }

    /// Digests of the subject's beginning and of the name; zeros where there is none.
    fn about(&self, header: &Header) -> Result<Vec<u8>, Fault> {
        let none = || vec![0; 32];
        let subject = header.all("Subject").next().and_then(|field| beginning(&decode(header.value(field))));
        let subject = subject.map(|text| self.digest("subject", &[text.as_bytes()])).transpose()?;
        let name = header.all("Message-ID").next().and_then(|field| names(header.value(field)).pop());
        let name = name.map(|name| self.digest("name", &[&name])).transpose()?;
        Ok([subject.unwrap_or_else(none), name.unwrap_or_else(none)].concat())
    }

    fn digest(&self, what: &str, parts: &[&[u8]]) -> Result<Vec<u8>, Fault> {
        let mut hasher = Hasher::new(Digest::Sha256);
        for part in [self.salt()?, what.as_bytes()].iter().chain(parts) {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        Ok(hasher.finish().as_ref().to_vec())
    }

    /// The same for all nodes of a store.
    fn salt(&self) -> Result<&[u8], Fault> {
        if let Some(salt) = self.salt.get() {
            return Ok(salt);
        }
        if let Some(salt) = self.store.read(known_salt)? {
            return Ok(self.salt.get_or_init(|| salt));
        }
        let mut fresh = [0; 32];
        self.random.fill(&mut fresh).map_err(|_| Fault::NoRandomness)?;
        let salt = self.store.write(|s| {
            if let Some(salt) = known_salt(s)? {
                return Ok(salt);
            }
            s.run("INSERT INTO remembered_salt (salt) VALUES (?1)", &[&fresh])?;
            Ok(fresh.to_vec())
        })?;
        Ok(self.salt.get_or_init(|| salt))
    }
}

fn known_salt(s: &mut Statements<'_>) -> Result<Option<Vec<u8>>, Fault> {
    s.row("SELECT salt FROM remembered_salt", &[], |row: &Row<'_>| row.octets(0))
}

fn keep(s: &mut Statements<'_>, kind: &str, digest: &[u8], about: &[u8], now: Time, time: i64) -> Result<(), Fault> {
    // What is over goes with what comes, so that the table stays as long as its times.
    s.run("DELETE FROM remembered WHERE until < ?1", &[&now])?;
    s.run(
        "INSERT INTO remembered (kind, digest, about, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, digest, about) DO UPDATE SET until = excluded.until",
        &[&kind, &digest, &about, &now.plus(time)],
    )?;
    Ok(())
}

fn alike(about: &[u8], other: &[u8], answered: &[Vec<u8>]) -> Alike {
    let is_known = |digest: &[u8]| digest.iter().any(|octet| *octet != 0);
    let (subject, _) = about.split_at_checked(32).unwrap_or_default();
    let (other_subject, other_name) = other.split_at_checked(32).unwrap_or_default();
    Alike {
        same_subject: is_known(subject) && subject == other_subject,
        is_answer: is_known(other_name) && answered.iter().any(|name| name == other_name),
    }
}

/// The names of mails in a value (RFC 5322 §3.6.4): what stands in angle brackets, or the whole where nothing does.
fn names(value: &[u8]) -> Vec<Vec<u8>> {
    let value: Vec<u8> = value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).take(64 * 1024).collect();
    let cut = |name: &[u8]| name.get(..NAME_LIMIT).unwrap_or(name).to_vec();
    let mut found: Vec<Vec<u8>> = value
        .split(|octet| *octet == b'<')
        .skip(1)
        .filter_map(|rest| rest.split(|octet| *octet == b'>').next())
        .filter(|name| !name.is_empty())
        .map(cut)
        .collect();
    if found.is_empty() && !value.is_empty() {
        found.push(cut(&value));
    }
    found
}

/// How a subject begins, without what answers, forwards and tags put before it; `None` where too little is left to compare.
fn beginning(subject: &str) -> Option<String> {
    let mut rest = subject.trim();
    loop {
        let lower = rest.to_lowercase();
        let bracketed =
            [('[', ']'), ('【', '】'), ('［', '］'), ('(', ')'), ('（', '）')].into_iter().find_map(|(open, close)| {
                rest.strip_prefix(open).and_then(|inside| inside.split_once(close)).map(|(_, after)| after)
            });
        let answered = ["re:", "fw:", "fwd:", "re：", "fw："].into_iter().find(|mark| lower.starts_with(mark));
        rest = match (bracketed, answered) {
            (Some(after), _) => after,
            (None, Some(mark)) => rest.get(mark.len()..)?,
            (None, None) => break,
        }
        .trim_start();
    }
    let letters: String = rest.chars().filter(|c| c.is_alphanumeric()).take(SUBJECT_BEGINNING).collect();
    (letters.chars().count() >= 4).then(|| letters.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_are_found() {
        let names = |value: &str| -> Vec<String> {
            super::names(value.as_bytes()).into_iter().map(|name| String::from_utf8(name).unwrap()).collect()
        };
        assert_eq!(names(" <a@b>\r\n\t<c@d> (x)"), ["a@b", "c@d"]);
        assert_eq!(names("a@b"), ["a@b"]);
        assert_eq!(names(" <a\r\n @b>"), ["a@b"]);
        assert!(names("").is_empty() && names("<>").len() == 1);
        for (first, second, same) in [
            ("見積書送付の件", "【パスワード】見積書送付の件", true),
            ("Quotation 2026", "Re: Quotation 2026 (password)", true),
            ("見積書送付の件", "議事録送付の件です", false),
            ("abc", "abc", false),
            ("Re:", "Re:", false),
        ] {
            let (first, second) = (beginning(first), beginning(second));
            assert_eq!(first.is_some() && first == second, same, "{first:?} {second:?}");
        }
    }
}
