//! The pages as HTML. Every string from outside came through the answer's own sentences and tables
//! ([`kakitome_verdict::text`]); maud escapes what stands between the tags.

mod choice;
mod evidence;
mod help;
mod installing;
mod pickup;
mod result;
mod saving;
mod start;

use kakitome_verdict::text::Lang;
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::choice::choice;
pub use self::help::{about as help_about, help};
pub use self::installing::file as installing;
pub use self::pickup::pickup;
pub use self::result::result;
pub use self::saving::Device;
pub use self::start::start;

/// The style sheet.
pub const STYLE: &str = include_str!("style.css");
/// The script; nothing needs it.
pub const SCRIPT: &str = include_str!("page.js");
/// The icon.
pub const ICON: &str = include_str!("icon.svg");

/// Every page. `here` is its path where it can be asked for again, in the other language too.
fn frame(lang: Lang, title: &str, here: Option<&str>, main: &Markup) -> Markup {
    let other = lang.other();
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href="/style.css";
                script src="/page.js" defer {}
                link rel="icon" href="/icon.svg" type="image/svg+xml";
            }
            body {
                header {
                    a.brand href={ "/?lang=" (lang.tag()) } {
                        (PreEscaped(ICON))
                        span { "Kakitome" } " "
                        span.kanji lang="ja" { "書留" }
                    }
                    @if let Some(here) = here {
                        a.switch href={ (here) "?lang=" (other.tag()) } hreflang=(other.tag()) lang=(other.tag()) {
                            (other.pick("日本語", "English"))
                        }
                    }
                }
                main { (main) }
                footer.site {
                    p { (lang.pick("受け取ったメールは、確認が終わるとすぐ消えます。", "A mail you check here is gone as soon as it is checked.")) }
                }
            }
        }
    }
}

/// The way to the help. A forwarded mail is a new mail and its signature is gone.
fn saving(lang: Lang) -> Markup {
    html! {
        p.saving {
            a href={ (help::PATH) "?lang=" (lang.tag()) } {
                (lang.pick("メールをファイルに保存するには", "How to save a mail as a file"))
            }
            " " small { (lang.pick("転送すると署名は失われます。届いたメールそのものを保存してください。", "Forwarding loses the signature: save the mail itself.")) }
        }
    }
}

/// The words of the script for a form that sends a mail, and where it shows how far it is.
struct Sending {
    max: u64,
    lang: Lang,
}

impl Sending {
    const fn checking(&self) -> &'static str {
        self.lang.pick("確かめています…", "Checking…")
    }

    const fn sending(&self) -> &'static str {
        self.lang.pick("送っています…", "Sending…")
    }

    const fn empty(&self) -> &'static str {
        self.lang.pick(
            "ファイルが空です（0 バイト）。メールを保存し直してください。",
            "The file is empty (0 bytes). Please save the mail again.",
        )
    }

    fn large(&self) -> String {
        let size = size(self.max);
        match self.lang {
            Lang::Ja => format!(
                "大きすぎます（{size} まで）。送っていません。コマンド kakitome check には大きさの制限がありません。"
            ),
            Lang::En => format!(
                "It is too large (up to {size}) and was not sent. The command kakitome check has no limit of size."
            ),
        }
    }

    const fn failed(&self) -> &'static str {
        self.lang.pick(
            "送れませんでした。通信を確かめて、もう一度お試しください。ファイルが変わったり移ったりした場合は、選び直してください。",
            "It could not be sent. Please check your connection and try again; if the file was changed or moved, choose it anew.",
        )
    }

    fn progress(&self) -> Markup {
        html! {
            progress max="1" value="0" aria-label=(self.sending()) hidden {}
            p.status role="status" {}
        }
    }
}

/// A number of bytes, for people.
fn size(octets: u64) -> String {
    match octets {
        0..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", octets.div_ceil(1_000)),
        _ => format!("{} MB", octets.checked_div(1_000_000).unwrap_or_default()),
    }
}

/// A request that got no answer.
pub fn trouble(title: &str, text: &str, lang: Lang) -> Markup {
    let main = html! {
        h1 tabindex="-1" autofocus { (title) }
        p.lead { (text) }
        (saving(lang))
        p.again { a.button href={ "/?lang=" (lang.tag()) } { (lang.pick("最初のページへ", "To the first page")) } }
    };
    frame(lang, &format!("{title} – Kakitome"), None, &main)
}
