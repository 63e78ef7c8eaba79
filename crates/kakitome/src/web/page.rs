//! The pages as HTML. Every string from outside came through the answer's own sentences and tables
//! ([`kakitome_verdict::text`]); maud escapes what stands between the tags.

mod help;
mod saving;

use kakitome_verdict::answer::{Answer, Choice};
use kakitome_verdict::text::details::{self, Table};
use kakitome_verdict::text::{self, Lang, Line, Rendered};
use kakitome_verdict::{safe, wire};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::help::{about as help_about, help};
pub use self::saving::Device;
use super::{InstanceInfo, mark};

/// The style sheet.
pub const STYLE: &str = include_str!("style.css");
/// The icon.
pub const ICON: &str = include_str!("icon.svg");

/// So much of the JSON is shown on the page, in bytes; `format=json` gives all of it.
const JSON: usize = 64 * 1024;

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

/// The form.
pub fn start(instance: &InstanceInfo, lang: Lang) -> Markup {
    let title = lang.pick("このメールは、だれから？", "Who really sent this mail?");
    let main = html! {
        h1 { (title) }
        p.lead {
            (lang.pick(
                "届いたメールのファイルを置いてください。だれが署名したか、そのあと書き換えられていないかを調べます。",
                "Drop the file of a mail you received. We look at who signed it, and whether it was changed since.",
            ))
        }
        form method="post" action={ "/check?lang=" (lang.tag()) } enctype="multipart/form-data" {
            div.drop {
                label for="mail" {
                    strong { (lang.pick("メールのファイル（.eml）をここに置く", "Drop the mail’s file (.eml) here")) }
                    span { (lang.pick("または、押して選ぶ", "or press to choose it")) }
                }
                // no accept: phones know .eml by no type and would refuse to offer it
                input #mail type="file" name="mail" aria-describedby="limit";
            }
            details.paste {
                summary { (lang.pick("ファイルのかわりに、ソースを貼り付ける", "Paste the source instead of a file")) }
                label for="source" {
                    (lang.pick(
                        "ヘッダーを含む全文を、そのまま貼り付けてください。文字が変わると確認できないことがあるので、ファイルのほうが確実です。",
                        "Paste all of it, header included, as it is. A file is surer: a changed character can spoil the check.",
                    ))
                }
                textarea #source name="source" rows="8" spellcheck="false" autocomplete="off" {}
            }
            div.go {
                button type="submit" { (lang.pick("確かめる", "Check this mail")) }
                small #limit { (limit(instance.max_mail, lang)) }
            }
        }
        (proves(lang))
        (saving(lang))
        (about(instance, lang))
    };
    frame(lang, &format!("{title} – Kakitome"), Some("/"), &main)
}

fn limit(bytes: u64, lang: Lang) -> String {
    let megabytes = bytes.checked_div(1_000_000).unwrap_or_default();
    let size = if megabytes == 0 { format!("{bytes} B") } else { format!("{megabytes} MB") };
    match lang {
        Lang::Ja => format!("{size} まで。ファイルは保存しません。"),
        Lang::En => format!("Up to {size}. The file is not kept."),
    }
}

fn proves(lang: Lang) -> Markup {
    let can = lang.pick(
        "署名した人（組織・個人・アドレスのどこまで確かめられたか）と、署名のあとに本文や添付が書き換えられていないこと。",
        "Who signed it (how much of organisation, person and address was checked), and that text and files were not changed since.",
    );
    let cannot = lang.pick(
        "書いてある内容が正しいかどうか。署名のないメールが、だれから届いたか。",
        "Whether what it says is true; nor who sent a mail that carries no signature.",
    );
    html! {
        section.proves aria-labelledby="proves" {
            h2 #proves { (lang.pick("この確認で分かること", "What this check tells")) }
            dl {
                div { dt { (lang.pick("分かります", "It shows")) } dd { (can) } }
                div { dt { (lang.pick("分かりません", "It does not show")) } dd { (cannot) } }
                div {
                    dt { (lang.pick("残しません", "We keep nothing")) }
                    dd {
                        (lang.pick(
                            "メールは確認のあいだだけ置かれ、すぐ消えます。中身も差出人も記録しません。",
                            "The mail stays only while it is checked. Neither its content nor its sender is logged.",
                        ))
                    }
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

fn about(instance: &InstanceInfo, lang: Lang) -> Markup {
    let domains = instance.member_domains.join(", ");
    html! {
        @if let Some(own) = &instance.own_ca {
            p.about {
                (lang.pick("この Kakitome は、自身の認証局「", "This Kakitome knows the certificates of its own authority, “"))
                bdi { (safe::Safe::name(own)) }
                (lang.pick("」の証明書を確かめられます", "”"))
                @if !domains.is_empty() {
                    (lang.pick("（対象：", " (for "))
                    bdi { (safe::Safe::value(&domains)) }
                    (lang.pick("）", ")"))
                }
                (lang.pick("。", "."))
            }
        }
    }
}

/// An answer.
pub fn result(answer: &Answer, lang: Lang) -> Markup {
    let rendered = text::render(answer, lang);
    let other = text::render(answer, lang.other());
    let main = html! {
        article.answer.{ "tone-" (answer.state.tone().name()) } aria-labelledby="headline" {
            div.head {
                (mark::svg(answer.state.mark()))
                div {
                    p.badge { (rendered.badge) }
                    h1 #headline { (rendered.headline) }
                }
            }
            p.one-line { (rendered.one_line) }
            (lines(&rendered))
            @if let Some(advice) = rendered.advice {
                p.advice role="note" { (advice) (lang.pick("。", ".")) }
            }
            @if let Some(footer) = rendered.footer { p.scope { (footer) } }
        }
        (basis(answer, lang))
        details.other lang=(lang.other().tag()) {
            summary {
                span.tag { (lang.other().pick("日本語", "English")) } " " (other.headline)
            }
            p.one-line { (other.one_line) }
            (lines(&other))
            @if let Some(advice) = other.advice { p { strong { (advice) (lang.other().pick("。", ".")) } } }
            @if let Some(footer) = other.footer { p.scope { (footer) } }
        }
        details.expert {
            summary { (lang.pick("くわしい結果（専門家向け）", "Details for experts")) }
            @for table in details::tables(answer, lang) { (table_of(&table)) }
            (json(answer))
        }
        p.again { a.button href={ "/?lang=" (lang.tag()) } { (lang.pick("別のメールを確かめる", "Check another mail")) } }
    };
    frame(lang, &format!("{} – Kakitome", rendered.headline), None, &main)
}

/// When, by what and on whose word it was judged: a printed answer says it too.
fn basis(answer: &Answer, lang: Lang) -> Markup {
    let chooser = answer.whose_choice.map(|choice| match choice {
        Choice::PublicList => lang.pick("公開の一覧", "the public list"),
        Choice::ChosenFile => lang.pick("利用者の選んだファイル", "a file that the user chose"),
        Choice::Operator => lang.pick("この Kakitome の管理者", "who runs this Kakitome"),
        Choice::OwnCa => lang.pick("この Kakitome の認証局", "this Kakitome’s own authority"),
    });
    let colon = lang.pick("：", ": ");
    html! {
        p.basis {
            span { (lang.pick("判定の時点", "Judged at")) (colon) (answer.time.verified_at) } " "
            span { (lang.pick("エンジン", "Engine")) (colon) "kakitome " (env!("CARGO_PKG_VERSION")) } " "
            @if !answer.trust_list.is_empty() {
                span { (lang.pick("発行元の一覧", "List of issuers")) (colon) bdi { (safe::Safe::value(&answer.trust_list)) } } " "
            }
            @if let Some(chooser) = chooser {
                span { (lang.pick("発行元を選んだのは", "Issuer chosen by")) (colon) (chooser) }
            }
        }
    }
}

fn lines(rendered: &Rendered) -> Markup {
    html! {
        dl.lines {
            @for Line { question, answer, note } in &rendered.lines {
                div {
                    dt { (question) }
                    dd { (answer) @if let Some(note) = note { small { (note) } } }
                }
            }
        }
        @if !rendered.notes.is_empty() {
            ul.notes { @for note in &rendered.notes { li { (note) } } }
        }
    }
}

fn table_of(table: &Table) -> Markup {
    html! {
        section aria-labelledby={ "t-" (table.id) } {
            h2 #{ "t-" (table.id) } { (table.title) }
            // wide tables scroll by themselves; a scrolled region must be reachable by the keyboard
            div.scroll tabindex="0" role="region" aria-labelledby={ "t-" (table.id) } {
                table.pairs[table.head.is_empty()] {
                    @if !table.head.is_empty() {
                        thead { tr { @for head in &table.head { th scope="col" { (head) } } } }
                    }
                    tbody {
                        @for row in &table.rows {
                            tr {
                                @for (number, cell) in row.iter().enumerate() {
                                    @if number == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn json(answer: &Answer) -> Markup {
    let json = wire::json(answer);
    let end = (0..=JSON.min(json.len())).rev().find(|at| json.is_char_boundary(*at)).unwrap_or_default();
    html! {
        section.json aria-labelledby="t-json" {
            h2 #t-json { "JSON" }
            pre tabindex="0" role="region" aria-labelledby="t-json" {
                (json.get(..end).unwrap_or_default())
                @if end < json.len() { "…" }
            }
        }
    }
}

/// A request that got no answer.
pub fn trouble(title: &str, text: &str, lang: Lang) -> Markup {
    let main = html! {
        h1 { (title) }
        p.lead { (text) }
        (saving(lang))
        p.again { a.button href={ "/?lang=" (lang.tag()) } { (lang.pick("最初のページへ", "To the first page")) } }
    };
    frame(lang, &format!("{title} – Kakitome"), None, &main)
}
