//! Whether a text gives the password of a file: a second mail with it, or the same mail, travels the way that the file
//! travels. Told by words and by the form of what could be one; nothing is tried on any file.

use std::io::{self, Write};

use kakitome_smime::message::open::Opened;
use kakitome_smime::mime::charset::{Charset, unlabelled};
use kakitome_smime::mime::encoding::{Base64Decoder, QuotedPrintableDecoder};
use kakitome_smime::mime::header::Encoding;
use kakitome_smime::mime::scan::Entity;
use kakitome_smime::octets::{Octets, read_range};

/// So much of a text is read, in encoded octets: a mail with a password is short.
const TEXT_LIMIT: usize = 64 * 1024;
/// So many texts of a mail are read.
const TEXTS_LIMIT: usize = 4;
/// A password is at least and at most so long, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 6..=32;
/// From this score on, a mail is told to give the password of another.
const THRESHOLD: u32 = 4;

/// Words for what opens a file, in lower case.
const SECRET_WORDS: [&str; 11] =
    ["パスワード", "ﾊﾟｽﾜｰﾄﾞ", "password", "passwd", "passcode", "pass:", "pw:", "ＰＷ", "解凍", "復号", "開封キー"];
/// Words for the mail before.
const BEFORE_WORDS: [&str; 9] =
    ["別送", "先ほど", "先程", "さきほど", "添付ファイル", "別メール", "attached", "previous mail", "earlier"];

/// What a text shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// It speaks of a password.
    pub has_secret_word: bool,
    /// It speaks of a mail or a file before it.
    pub has_before_word: bool,
    /// Something in it could be one: alone on its line, or behind a colon.
    pub has_token: bool,
}

impl Hints {
    /// Does the mail that a file came with give its password, too?
    pub fn opens_itself(self) -> bool {
        self.has_secret_word && self.has_token
    }

    /// Could it be the mail with the password of another mail from the same sender to the same person?
    pub fn may_open_another(self) -> bool {
        self.has_token
    }

    /// Is it that? `same_subject`: both subjects begin alike; `is_answer`: it refers to that mail.
    pub fn opens(self, same_subject: bool, is_answer: bool) -> bool {
        let points = [
            (self.has_token, 2),
            (self.has_secret_word, 2),
            (self.has_before_word, 1),
            (same_subject, 2),
            (is_answer, 2),
        ];
        let score: u32 = points.into_iter().filter(|(holds, _)| *holds).map(|(_, points)| points).sum();
        self.has_token && score >= THRESHOLD
    }
}

/// What the texts of a mail show, in its innermost layer.
///
/// # Errors
/// The octets cannot be read.
pub fn hints(mail: &dyn Octets, opened: &Opened) -> io::Result<Hints> {
    let (mut octets, mut at) = (mail, opened);
    loop {
        octets = at.octets.as_deref().unwrap_or(octets);
        let Some(inner) = at.inner() else { break };
        at = inner;
    }
    let texts = at.structure.entities.iter().filter(|entity| {
        let kind = &entity.content_type;
        entity.parts.is_empty() && kind.kind == "text" && entity.file_name().is_none()
    });
    let mut all = Hints::default();
    for entity in texts.take(TEXTS_LIMIT) {
        let found = of_text(&text(octets, entity)?);
        all.has_secret_word |= found.has_secret_word;
        all.has_before_word |= found.has_before_word;
        all.has_token |= found.has_token;
    }
    Ok(all)
}

fn text(octets: &dyn Octets, entity: &Entity) -> io::Result<String> {
    let raw = read_range(octets, entity.body.clone(), TEXT_LIMIT)?;
    let decoded = match entity.encoding {
        Encoding::Base64 => {
            let mut decoder = Base64Decoder::new(Vec::new());
            decoder.write_all(&raw)?;
            decoder.finish()?.0
        }
        Encoding::QuotedPrintable => {
            let mut decoder = QuotedPrintableDecoder::new(Vec::new());
            decoder.write_all(&raw)?;
            decoder.finish()?.0
        }
        _ => raw,
    };
    let charset = entity.content_type.parameter("charset").and_then(Charset::for_label);
    let text = charset.map_or_else(|| unlabelled(&decoded), |charset| charset.decode(&decoded).text);
    Ok(if entity.content_type.subtype == "html" { without_tags(&text) } else { text })
}

/// The text of a page, a line for each element; enough to find a word.
fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for (number, piece) in html.split('<').enumerate() {
        match piece.split_once('>').filter(|_| number > 0) {
            Some((_, text)) => {
                out.push('\n');
                out.push_str(text);
            }
            None => out.push_str(piece),
        }
    }
    out.replace("&nbsp;", " ").replace("&amp;", "&")
}

fn of_text(text: &str) -> Hints {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(&word.to_lowercase()));
    let mut is_next = false;
    let mut has_token = false;
    for line in text.lines() {
        let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '　' | '>' | '*' | '|'));
        if line.is_empty() {
            continue;
        }
        let named = line.rsplit_once([':', '：', '=', '＝', '→']).map(|(before, after)| (is_secret(before), after));
        has_token |= match named {
            Some((true, after)) if !after.trim().is_empty() => is_token(after, false),
            _ => is_token(line, !is_next),
        };
        // "The password is:" and the next line.
        is_next = named.is_some_and(|(names_it, after)| names_it && after.trim().is_empty())
            || (named.is_none() && is_secret(line));
    }
    Hints { has_secret_word: has(&SECRET_WORDS), has_before_word: has(&BEFORE_WORDS), has_token }
}

fn is_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    SECRET_WORDS.iter().any(|word| lower.contains(word.trim_end_matches(':')))
}

/// Could it be a password? One that nothing announces has letters and digits, or a sign that words do not have.
fn is_token(text: &str, is_unannounced: bool) -> bool {
    let quotes =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '「' | '」' | '“' | '”' | '[' | ']' | '【' | '】');
    let text = text.trim_matches(quotes);
    let has = |is: fn(char) -> bool| text.contains(is);
    let is_mixed = has(|c| c.is_ascii_alphabetic())
        && (has(|c| c.is_ascii_digit()) || has(|c| matches!(c, '!' | '#' | '$' | '%' | '^' | '&' | '*' | '+' | '?')));
    let is_address = text.contains('@') && text.contains('.') || text.contains("://") || text.starts_with("www.");
    LENGTH.contains(&text.chars().count())
        && text.chars().all(|c| c.is_ascii_graphic())
        && !is_address
        && (!is_unannounced || is_mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_forms_are_told() {
        for (text, secret, before, token) in [
            ("先ほどの添付ファイルのパスワードをお送りします。\n\nパスワード：aB3kd9Xq\n", true, true, true),
            ("解凍パスワードは以下のとおりです。\n\n  Kj82!msd\n\nよろしくお願いいたします。", true, false, true),
            ("パスワードは\n20261201\nです。", true, false, true),
            ("The password of the attached file is: hunter22", true, true, true),
            ("PW:x9-12345", true, false, true),
            ("Tx7pLq92\n", false, false, true),
            ("パスワードの定期変更をお願いします。", true, false, false),
            ("Regards,\nYamada\nhttps://www.example/a1b2\ninfo1@bank.example\n2026/12/01\n", false, false, false),
            ("電話：03-1234-5678\n", false, false, false),
            ("", false, false, false),
        ] {
            let expected = Hints { has_secret_word: secret, has_before_word: before, has_token: token };
            assert_eq!(of_text(text), expected, "{text}");
        }
        assert!(of_text(&without_tags("<p>パスワード：</p><b>aB3kd9Xq</b>")).opens_itself());
    }

    #[test]
    fn a_pair_needs_what_could_be_a_password_and_more() {
        let token = Hints { has_token: true, ..Hints::default() };
        let words = Hints { has_secret_word: true, has_before_word: true, has_token: false };
        assert!(!token.opens(false, false) && token.opens(true, false) && token.opens(false, true));
        assert!(!words.opens(true, true));
        assert!(Hints { has_token: true, ..words }.opens(false, false));
        assert!(!Hints { has_token: true, has_before_word: true, ..Hints::default() }.opens(false, false));
    }
}
