//! The one table of reason codes: what the judge can say, and what it means to people.
//!
//! A code is stable: the wire form, the corpus, the log and support speak of it. Each has a title (a few words), why it
//! matters, and what to do next, in both languages. A code stands here only when the judge can give it, and a row of the
//! corpus (`tests/corpus`) gives it.
//!
//! The rows stand in a file for each subject. They are one enum all the same: each file adds its rows to those of the
//! files before and hands all of them on, and the last one, `reasons!`, makes the enum.

use crate::lang::Lang;

#[macro_use]
mod content;
#[macro_use]
mod path;
#[macro_use]
mod sender;
#[macro_use]
mod signature;
#[macro_use]
mod mail;

/// What a reason says to people, in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A few words; no full stop.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do next.
    pub todo: &'static str,
}

macro_rules! reasons {
    ([] $($variant:ident $code:literal { $ja:literal, $ja_why:literal, $ja_todo:expr; $en:literal, $en_why:literal, $en_todo:expr; })*) => {
        /// Why an answer is as it is. The first of an answer decided its headline.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $en] $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The reason of a code, if there is one.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }

            /// What it means.
            pub const fn explain(self, lang: Lang) -> Explanation {
                match (self, lang) {
                    $((Self::$variant, Lang::Ja) => Explanation { title: $ja, why: $ja_why, todo: $ja_todo },
                      (Self::$variant, Lang::En) => Explanation { title: $en, why: $en_why, todo: $en_todo },)*
                }
            }
        }
    };
}

// What to do, where many reasons share it.
const NONE_JA: &str = "何もする必要はありません。";
pub(crate) const NONE_EN: &str = "Nothing to do.";
const ASK_JA: &str = "心当たりがなければ、公式サイトや電話で差出人に確かめてください。";
pub(crate) const ASK_EN: &str =
    "If you did not expect this mail, check with the sender through their website or by phone.";
const SHUT_JA: &str = "リンクや添付ファイルは開かず、別の方法で差出人に確かめてください。";
pub(crate) const SHUT_EN: &str = "Do not open links or files; check with the sender another way.";
const TELL_JA: &str = "差出人に知らせてください。送った側のメールソフトか証明書の問題です。";
const TELL_EN: &str = "Tell the sender: it is a matter of their mail program or their certificate.";
const RENEW_JA: &str = "差出人に、有効な証明書で送り直してもらってください。";
const RENEW_EN: &str = "Ask the sender to send it again with a valid certificate.";
const PPAP_JA: &str =
    "差出人に、暗号化メール（S/MIME）など別の方法を頼んでください。心当たりがなければ開かないでください。";
const PPAP_EN: &str =
    "Ask the sender for another way, such as encrypted mail (S/MIME). If you did not expect the file, do not open it.";
const LATER_JA: &str = "時間をおいて、もう一度お試しください。";
pub(crate) const LATER_EN: &str = "Please try again later.";
const EML_JA: &str = "元のメールを .eml 形式で保存し直して、もう一度お試しください。";
pub(crate) const EML_EN: &str = "Save the original mail as .eml and try again.";
const RESAVE_JA: &str = "メールソフトで元のメールを開き、.eml 形式で保存してください。";
const RESAVE_EN: &str = "Open the original in your mail program and save it as .eml.";
const OUTLOOK_JA: &str = "Outlook on the web か新しい Outlook で元のメールを開き、.eml 形式で保存してください。";
const OUTLOOK_EN: &str = "Open the original in Outlook on the web or in the new Outlook, and save it as .eml there.";

path! { [sender signature mail content reasons] }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        for code in &codes {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c)), "{code}");
        }
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn every_reason_is_explained_in_both_languages() {
        for reason in Reason::ALL {
            for lang in Lang::ALL {
                let Explanation { title, why, todo } = reason.explain(lang);
                let code = reason.code();
                for text in [title, why, todo] {
                    assert!(!text.is_empty(), "{code}");
                    // no Japanese in English; no judgement of the whole in either
                    assert!(lang == Lang::Ja || !text.chars().any(|c| c > '\u{2fff}'), "{code}: {text}");
                    for never in ["安全", "危険なし", "信頼できる", "本物"] {
                        assert!(!text.contains(never), "{code}: {text}");
                    }
                }
                let stop = if lang == Lang::Ja { '。' } else { '.' };
                assert!(!title.ends_with(stop) && why.ends_with(stop) && todo.ends_with(stop), "{code}");
                assert!(lang == Lang::En || title.chars().any(|c| c > '\u{2fff}'), "{code}: {title}");
            }
        }
    }
}
