//! An answer as a page: first the card, which is the answer, then what it rests on, then everything for experts.

use std::io::Write;

use kakitome_smime::mime::encoding::Base64Writer;
use kakitome_verdict::answer::{Answer, Attached, Choice, Header};
use kakitome_verdict::safe::Safe;
use kakitome_verdict::state::State;
use kakitome_verdict::text::details::{self, Table};
use kakitome_verdict::text::{self, Because, Lang, Line, Rendered};
use kakitome_verdict::wire;
use maud::{Markup, html};

use super::{evidence, frame, help_about};
use crate::web::mark;

/// So much of the JSON is shown on the page, in bytes; the file has all of it.
const JSON: usize = 64 * 1024;
/// A result of at most so many bytes of JSON can be taken along as a file. It travels inside the page, since nothing of it
/// is kept here; browsers take links of two megabytes.
const FILE: usize = 1024 * 1024;
/// The fields by which a reader knows the mail again.
const KNOWN_BY: [&str; 3] = ["From", "Subject", "Date"];

/// An answer.
pub fn result(answer: &Answer, lang: Lang) -> Markup {
    let rendered = text::render(answer, lang);
    let other = text::render(answer, lang.other());
    let json = wire::json(answer);
    let main = html! {
        (card(answer, &rendered, None, lang))
        (mail(answer, lang))
        (evidence::section(answer, lang))
        (attached(answer, lang))
        details.other lang=(lang.other().tag()) {
            summary {
                span.tag { (lang.other().pick("日本語", "English")) } " " (other.headline)
            }
            p.one-line { (other.one_line) }
            (lines(&other))
            @if let Some(advice) = other.advice { p { strong { (advice) (lang.other().pick("。", ".")) } } }
            (why(&other, lang.other()))
            @if let Some(footer) = other.footer { p.scope { (footer) } }
        }
        details.expert {
            summary { (lang.pick("くわしい結果（専門家向け）", "Details for experts")) }
            // reasons and evidence stand above already
            @for table in details::tables(answer, lang).iter().filter(|table| table.id != "evidence") { (table_of(table)) }
            (shown_json(&json))
        }
        p.take {
            (file(answer, &json, lang))
            // shown where a script runs; elsewhere the browser's own menu prints as well
            " " button.quiet type="button" data-print hidden { (lang.pick("印刷する", "Print")) }
        }
        p.again { a.button href={ "/?lang=" (lang.tag()) } { (lang.pick("別のメールを確かめる", "Check another mail")) } }
        (basis(answer, lang))
    };
    frame(lang, &format!("{} – Kakitome", rendered.headline), None, &main)
}

/// The answers about attached mails, each a card of its own, apart from that of the mail around them: none of them says
/// anything about the other (RFC 9787 §6.3).
fn attached(answer: &Answer, lang: Lang) -> Markup {
    let mut found = Vec::new();
    let mut open: Vec<(usize, &Attached)> = answer.attached.iter().rev().map(|one| (1, one)).collect();
    while let Some((depth, one)) = open.pop() {
        found.push((depth, one));
        open.extend(one.answer.attached.iter().rev().map(|inner| (depth.saturating_add(1), inner)));
    }
    html! {
        @for (number, (depth, one)) in found.iter().enumerate() {
            @let id = format!("attached-{number}");
            // folded: a seal on a mail inside must not be taken for one on the mail around it
            details.attached {
                summary {
                    strong { (text::attached_title(one, lang)) @if *depth > 1 { " (" (depth) ")" } }
                    " " span { (text::headline(&one.answer, lang)) }
                }
                p {
                    (lang.pick(
                        "中に入っていた別のメールについての答えです。上のメールの差出人については、何も示しません。",
                        "This is about another mail, which was inside. It says nothing about who sent the mail above.",
                    ))
                }
                (card(&one.answer, &text::render(&one.answer, lang), Some(&format!("{id}-headline")), lang))
                (described(&one.answer, lang))
                details.evidence {
                    summary { span { (lang.pick("何を調べたか", "What the answer rests on")) } }
                    (evidence::kinds(&one.answer, lang))
                }
            }
        }
    }
}

/// The answer itself. `inner` is the name of its headline where it is about an attached mail.
fn card(answer: &Answer, rendered: &Rendered, inner: Option<&str>, lang: Lang) -> Markup {
    let help = answer.reasons.first().filter(|_| answer.state == State::NotAMail);
    let help = help.and_then(|reason| help_about(*reason, lang));
    html! {
        article.answer.{ "tone-" (answer.state.tone().name()) } aria-labelledby=(inner.unwrap_or("headline")) {
            div.head {
                (mark::svg(answer.state.mark()))
                div {
                    p.badge { (rendered.badge) }
                    @match inner {
                        // a reader who cannot see the page hears the answer first
                        None => h1 #headline tabindex="-1" autofocus { (breakable(&rendered.headline)) },
                        Some(id) => h2 #(id) { (breakable(&rendered.headline)) },
                    }
                }
            }
            p.one-line {
                (rendered.one_line)
                @if let Some(help) = help { " " a href=(help) { (lang.pick("くわしい手順", "Step by step")) } }
            }
            // what to do comes before what else there is to know
            @if let Some(advice) = rendered.advice {
                p.advice role="note" { (mark::hand()) span { (advice) (lang.pick("。", ".")) } }
            }
            (lines(rendered))
            @if answer.state == State::PartSigned { (evidence::frame_of(answer, lang)) }
            (why(rendered, lang))
            @if let Some(footer) = rendered.footer { p.scope { (footer) } }
        }
    }
}

/// Where a line is too short for an address, it breaks behind a sign of it and not in the middle of a name.
fn breakable(text: &str) -> Markup {
    html! { @for piece in text.split_inclusive(['@', '.']) { (piece) @if piece.ends_with(['@', '.']) { wbr; } } }
}

fn lines(rendered: &Rendered) -> Markup {
    html! {
        dl.lines {
            @for Line { question, answer, note, sign } in &rendered.lines {
                div {
                    dt { (mark::sign(*sign)) (question) }
                    dd { (answer) @if let Some(note) = note { small { (note) } } }
                }
            }
        }
    }
}

/// The reason that decided; then those that a reader should see, and the rest, folded.
fn why(rendered: &Rendered, lang: Lang) -> Markup {
    let gap = lang.pick("", " ");
    let told = |because: &Because| {
        html! { (because.why) @if let Some(todo) = because.todo { (gap) strong { (todo) } } }
    };
    let decided = &rendered.why;
    html! {
        div.why {
            p { strong { (decided.title) (lang.pick("。", ".")) } (gap) (told(decided)) }
            @for because in rendered.notes.iter().filter(|because| because.reason != decided.reason) {
                details { summary { (because.title) } p { (told(because)) } }
            }
            @if !rendered.rest.is_empty() {
                details {
                    summary {
                        @match lang {
                            Lang::Ja => { "ほかに分かったこと（" (rendered.rest.len()) "）" }
                            Lang::En => { "Also noticed (" (rendered.rest.len()) ")" }
                        }
                    }
                    ul {
                        @for because in &rendered.rest {
                            li { strong { (because.title) (lang.pick("。", ".")) } (gap) (told(because)) }
                        }
                    }
                }
            }
        }
    }
}

/// Which mail it was, in its own words: a printed answer has to be told from others.
fn mail(answer: &Answer, lang: Lang) -> Markup {
    html! {
        @if known(answer).next().is_some() {
            section.mail aria-labelledby="mail" {
                h2 #mail { (lang.pick("調べたメール（メールにそう書いてあるもの）", "The mail, as it describes itself")) }
                (described(answer, lang))
            }
        }
    }
}

fn known(answer: &Answer) -> impl Iterator<Item = &Header> {
    KNOWN_BY.into_iter().filter_map(|name| {
        answer.expert.headers.iter().find(|header| header.outer.is_some() && header.name.eq_ignore_ascii_case(name))
    })
}

fn described(answer: &Answer, lang: Lang) -> Markup {
    html! {
        dl.described {
            @for header in known(answer) {
                div {
                    dt { (field(&header.name, lang)) }
                    dd { bdi { (Safe::value(header.outer.as_deref().unwrap_or_default())) } }
                }
            }
        }
    }
}

fn field(name: &str, lang: Lang) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "from" => lang.pick("差出人欄", "From"),
        "subject" => lang.pick("件名", "Subject"),
        _ => lang.pick("日付", "Date"),
    }
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
    let at = answer.time.verified_at;
    html! {
        p.basis {
            span {
                (lang.pick("判定の時点", "Judged at")) (colon)
                time datetime=(at) { (text::moment(at, lang)) }
            } " "
            span { (lang.pick("エンジン", "Engine")) (colon) "kakitome " (env!("CARGO_PKG_VERSION")) } " "
            @if !answer.trust_list.is_empty() {
                span { (lang.pick("発行元の一覧", "List of issuers")) (colon) bdi { (Safe::value(&answer.trust_list)) } } " "
            }
            @if let Some(chooser) = chooser {
                span { (lang.pick("発行元を選んだのは", "Issuer chosen by")) (colon) (chooser) }
            }
        }
    }
}

fn table_of(table: &Table) -> Markup {
    html! {
        // the scrolled region below is the landmark, and one is enough
        section {
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

fn shown_json(json: &str) -> Markup {
    let end = (0..=JSON.min(json.len())).rev().find(|at| json.is_char_boundary(*at)).unwrap_or_default();
    html! {
        section.json {
            h2 #t-json { "JSON" }
            pre tabindex="0" role="region" aria-labelledby="t-json" {
                (json.get(..end).unwrap_or_default())
                @if end < json.len() { "…" }
            }
        }
    }
}

/// The result as a file, the same as `kakitome check --json` writes.
fn file(answer: &Answer, json: &str, lang: Lang) -> Markup {
    if json.len() > FILE {
        return html! {
            small {
                (lang.pick(
                    "結果が大きすぎるため、ここでは保存できません。コマンド kakitome check --json なら全部を書き出せます。",
                    "The result is too long to be saved from here; the command kakitome check --json writes all of it.",
                ))
            }
        };
    }
    let name = format!("kakitome-{}.json", answer.state.name().to_ascii_lowercase().replace('_', "-"));
    html! {
        a.quiet href={ "data:application/json;base64," (base64(json)) } download=(name) {
            (lang.pick("結果を保存する（JSON）", "Save the result (JSON)"))
        }
    }
}

fn base64(text: &str) -> String {
    let mut writer = Base64Writer::new(Vec::new());
    // into memory nothing can fail
    let _ = writer.write_all(text.as_bytes());
    let lines = writer.finish().unwrap_or_default();
    lines.into_iter().filter(u8::is_ascii_graphic).map(char::from).collect()
}
