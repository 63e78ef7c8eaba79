//! The pages as HTML. Every string from outside came through the answer's own sentences and tables
//! ([`kakitome_verdict::text`]); maud escapes what stands between the tags.

mod choice;
mod evidence;
mod help;
mod result;
mod saving;
mod start;

use kakitome_verdict::text::Lang;
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::choice::choice;
pub use self::help::{about as help_about, help};
pub use self::result::result;
pub use self::saving::Device;
pub use self::start::start;

/// The style sheet.
pub const STYLE: &str = include_str!("style.css");
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
