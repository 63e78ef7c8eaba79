//! The answer in front of the subject, for houses that want it there.
//!
//! It changes the mail: a DKIM signature over the subject no longer holds behind us, and the field Changed says so. A
//! subject that the sender's signature covers is never changed.

use std::io;

use kakitome_smime::mime::header::{decode, encode};
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::{Octets, Spools, copy_range};
use kakitome_verdict::answer::{Answer, Covered};
use kakitome_verdict::state::State;
use kakitome_verdict::text::{Lang, badge};

/// Brackets in which a tag could be imitated.
const BRACKETS: [(char, char); 3] = [('[', ']'), ('［', '］'), ('【', '】')];

/// The mail with the tag, and without tags that its sender put there himself; `None` where the subject is not to be
/// changed.
///
/// # Errors
/// The environment's.
pub(super) fn tagged(
    mail: &dyn Octets,
    answer: &Answer,
    lang: Lang,
    spools: &dyn Spools,
) -> io::Result<Option<Box<dyn Octets>>> {
    let header = scan_header(mail, 0..mail.len())?.header;
    if answer.altered.covers.contains(&Covered::Subject) || header.over_limit || header.malformed {
        return Ok(None);
    }
    let field = header.all("Subject").next();
    let said = field.map(|field| decode(header.value(field))).unwrap_or_default();
    let value = encode(format!("[{}] {}", badge(answer.state, lang), without_tags(&said)).trim());
    let place = |at: usize| header.start.saturating_add(u64::try_from(at).unwrap_or(0));
    let (from, to) = field.map_or((0, 0), |field| (place(field.whole.start), place(field.whole.end)));
    let mut spool = spools.spool()?;
    copy_range(mail, 0..from, &mut spool)?;
    spool.write_all(format!("Subject: {value}\r\n").as_bytes())?;
    copy_range(mail, to..mail.len(), &mut spool)?;
    spool.finish().map(Some)
}

/// A subject without anything in brackets that is one of our tags, in either language.
fn without_tags(subject: &str) -> String {
    let mut out = String::with_capacity(subject.len());
    let mut rest = subject;
    while let Some(first) = rest.chars().next() {
        let closing = BRACKETS.iter().find(|(open, _)| *open == first).map(|(_, close)| *close);
        let inside = closing.and_then(|close| rest.get(first.len_utf8()..)?.split_once(close));
        match inside.filter(|(inside, _)| is_tag(inside)) {
            Some((_, after)) => rest = after.trim_start(),
            None => {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}

fn is_tag(text: &str) -> bool {
    let squeezed = |text: &str| -> String { text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase() };
    let text = squeezed(text);
    State::ALL.into_iter().any(|state| Lang::ALL.into_iter().any(|lang| squeezed(badge(state, lang)) == text))
}

#[cfg(test)]
mod tests {
    use kakitome_smime::octets::{InMemory, read_range};
    use kakitome_verdict::reason::Reason;

    use super::*;

    #[test]
    fn the_answer_stands_in_front_and_imitations_go() {
        let imitated = encode("【下書き】[confirmed]  Re: [Confirmed] 見積り [draft]");
        for (subject, lang, expected) in [
            ("Subject: Hello\r\n", Lang::En, "[Nothing to go by] Hello"),
            ("Subject: [Confirmed] Hello\r\n", Lang::En, "[Nothing to go by] Hello"),
            ("Subject: [ confirmed ] [CONFIRMED] Hello\r\n", Lang::Ja, "[確認材料なし] Hello"),
            (&format!("Subject: {imitated}\r\n"), Lang::En, "[Nothing to go by] 【下書き】Re: 見積り [draft]"),
            ("", Lang::En, "[Nothing to go by]"),
        ] {
            let mail = format!("From: a@b.example\r\n{subject}To: c@d.example\r\n\r\ntext");
            let mut answer = Answer::new(State::NotSigned, Reason::MimeNone, kakitome_testkit::NOW);
            let written = tagged(&mail.as_bytes(), &answer, lang, &InMemory).unwrap().unwrap();
            let header = scan_header(&*written, 0..written.len()).unwrap().header;
            let badge = header.display("Subject").unwrap();
            let expected = expected.replace("確認材料なし", super::badge(State::NotSigned, Lang::Ja));
            assert_eq!(badge, expected);
            assert_eq!(header.all("Subject").count(), 1);
            assert!(read_range(&*written, 0..written.len(), 4096).unwrap().ends_with(b"To: c@d.example\r\n\r\ntext"));
            answer.altered.covers.push(Covered::Subject);
            assert!(tagged(&mail.as_bytes(), &answer, lang, &InMemory).unwrap().is_none());
        }
    }
}
