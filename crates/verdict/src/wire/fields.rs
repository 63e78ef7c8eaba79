//! The answer as header fields of our own, for mail programs, filters and people who look at the source of a mail.
//!
//! Each value is ASCII; a program reads codes, a person one sentence. Strings of the mail stand in the sentence alone,
//! made visible and, where they could be read as anything else, encoded (RFC 2047). Whoever adds the fields takes out
//! first what bears our names already.

use kakitome_smime::mime::header::encode;

use super::results::{identifier, value};
use crate::answer::{Answer, Class};
use crate::state::State;
use crate::text::{self, Lang};

/// How the names of our fields begin.
pub const PREFIX: &str = "X-Kakitome-";
/// So many codes of reasons are told.
const REASON_LIMIT: usize = 24;

/// The code of a mail that was handed on unread.
pub const UNCHECKED: &str = "gateway.unchecked";

/// What became of the encrypted layer of a mail on its way through a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Opened and handed on in the clear.
    Opened {
        /// Could nobody have changed it unseen? AES-CBC does not tell (EFAIL).
        authenticated: bool,
    },
    /// Handed on as it came; why, as a code.
    Closed(&'static str),
}

/// The fields, each with its line end. `opening` is told where the mail is encrypted; `contents` are codes of what its
/// attachments and its way show beside the reasons of the answer.
pub fn fields(answer: &Answer, opening: Option<&Opening>, contents: &[&'static str], lang: Lang) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            out.push_str(&format!("{PREFIX}{name}: {value}\r\n"));
        }
    };
    add("Verdict", answer.state.name().to_owned());
    let codes: Vec<&str> = answer.reasons.iter().map(|reason| reason.code()).collect();
    add("Reason", folded(codes.get(..REASON_LIMIT).unwrap_or(&codes)));
    if answer.state.is_confirmed()
        && answer.who.class != Class::None
        && let Some(address) = answer.who.address.as_deref()
    {
        let address = identifier(address).unwrap_or_else(|| encode(address));
        add("Sender", format!("{address};\r\n class={}", answer.who.class.name()));
    }
    add(
        "Sealed",
        match opening {
            None => String::new(),
            Some(Opening::Opened { authenticated: true }) => "opened; authenticated=yes".to_owned(),
            Some(Opening::Opened { authenticated: false }) => "opened; authenticated=no".to_owned(),
            Some(Opening::Closed(code)) => format!("closed; reason={code}"),
        },
    );
    let found = codes.into_iter().filter(|code| code.starts_with("ppap."));
    let found: Vec<&str> = found.chain(contents.iter().copied()).collect();
    add("Content", folded(&found));
    add("Text", encode(&sentence(answer, lang)));
    out
}

/// The fields of a mail that was handed on unread, because reading it failed again and again; the first is
/// Authentication-Results.
pub fn unchecked(authserv_id: &str, lang: Lang) -> String {
    let id = value(authserv_id).unwrap_or_else(|| "localhost".to_owned());
    let (state, text) = (State::CheckIncomplete.name(), encode(text::unchecked(lang)));
    format!(
        "Authentication-Results: {id};\r\n\tsmime=temperror ({UNCHECKED})\r\n{PREFIX}Verdict: {state}\r\n\
         {PREFIX}Reason: {UNCHECKED}\r\n{PREFIX}Text: {text}\r\n"
    )
}

/// The headline and the line under it, as one text for a header: without the marks that isolate the direction of names,
/// which a header has no use for, and with plain quotation marks in English.
fn sentence(answer: &Answer, lang: Lang) -> String {
    let rendered = text::render(answer, lang);
    let (stop, blank) = match lang {
        Lang::En => (".", " "),
        Lang::Ja => ("。", ""),
    };
    let is_whole = |text: &str| text.is_empty() || text.ends_with(['.', '!', '?', '。', '！', '？']);
    let mut whole = rendered.headline;
    if !is_whole(&whole) {
        whole.push_str(stop);
    }
    whole.push_str(blank);
    whole.push_str(&rendered.one_line);
    let plain = |c: char| match (c, lang) {
        ('\u{2066}'..='\u{2069}', _) => None,
        ('“' | '”', Lang::En) => Some('"'),
        ('‘' | '’', Lang::En) => Some('\''),
        ('–' | '—', Lang::En) => Some('-'),
        _ => Some(c),
    };
    whole.chars().filter_map(plain).collect()
}

/// Codes with commas between, a few on each line.
fn folded(codes: &[&str]) -> String {
    codes.chunks(4).map(|line| line.join(", ")).collect::<Vec<_>>().join(",\r\n ")
}

#[cfg(test)]
mod tests {
    use kakitome_pki::asn1::time::Time;

    use super::*;
    use crate::reason::Reason;

    const NOW: Time = Time::from_unix(1_796_083_200);

    #[test]
    fn every_state_is_told_in_ascii_lines() {
        for state in State::ALL {
            for lang in Lang::ALL {
                let mut answer = Answer::new(state, Reason::MimeNone, NOW);
                answer.who.class = Class::Org;
                answer.who.address = Some("info@bank.example".into());
                answer.who.org = Some("x\r\nX-Kakitome-Verdict: ORG_CONFIRMED =?UTF-8?B?QQ==?= \u{202e}例".into());
                answer.who.from_header = answer.who.org.clone();
                let written = fields(&answer, Some(&Opening::Opened { authenticated: false }), &["ppap.pair"], lang);
                assert!(written.starts_with(&format!("X-Kakitome-Verdict: {}\r\n", state.name())), "{written}");
                for line in written.strip_suffix("\r\n").unwrap().split("\r\n") {
                    assert!(line.len() <= 100 && line.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{line}");
                    assert!(line.starts_with(' ') || line.starts_with(PREFIX), "{line}");
                }
                assert_eq!(written.matches("X-Kakitome-Verdict").count(), 1, "{written}");
                assert_eq!(
                    written.contains("\r\nX-Kakitome-Sender: info@bank.example;\r\n class=org\r\n"),
                    state.is_confirmed()
                );
                assert!(written.contains("\r\nX-Kakitome-Sealed: opened; authenticated=no\r\n"), "{written}");
                assert!(written.contains("\r\nX-Kakitome-Content: ppap.pair\r\n"), "{written}");
            }
        }
    }
}
