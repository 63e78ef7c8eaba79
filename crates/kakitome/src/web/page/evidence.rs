//! What an answer rests on, and what a signature covers.

use kakitome_verdict::answer::{Answer, Covered, Part};
use kakitome_verdict::safe::Safe;
use kakitome_verdict::state::State;
use kakitome_verdict::text::Lang;
use kakitome_verdict::text::evidence::{Evidence, evidence};
use maud::{Markup, html};

use super::size;
use crate::web::mark;

/// So many parts of a mail are drawn.
const DRAWN: usize = 40;

/// What an answer rests on, under its title.
pub(super) fn section(answer: &Answer, lang: Lang) -> Markup {
    html! {
        @if !evidence(answer, lang).is_empty() {
            section.evidence aria-labelledby="evidence" {
                h2 #evidence { (lang.pick("何を調べたか", "What the answer rests on")) }
                (kinds(answer, lang))
            }
        }
    }
}

/// Kind by kind: what was found stands open, what it proves and what not is folded behind it.
pub(super) fn kinds(answer: &Answer, lang: Lang) -> Markup {
    // the card of such a mail shows it itself
    let is_covered = answer.state != State::PartSigned && answer.expert.tree.iter().any(|part| part.signed);
    html! {
        @for one in evidence(answer, lang) { (kind(&one, lang)) }
        @if is_covered {
            details {
                summary { span { (lang.pick("署名はどこにかかっているか", "What the signature covers")) } }
                (frame_of(answer, lang))
            }
        }
    }
}

fn kind(one: &Evidence, lang: Lang) -> Markup {
    html! {
        details.{ "is-" (one.standing.name()) } {
            summary {
                (mark::standing(one.standing))
                span { strong { (one.title) } " " span.found { (one.found) } }
            }
            dl {
                div { dt { (lang.pick("示すこと", "It proves")) } dd { (one.shows) } }
                div { dt { (lang.pick("示さないこと", "It does not prove")) } dd { (one.shows_not) } }
            }
        }
    }
}

/// The mail as a row of parts: what is signed stands inside a frame, everything else outside.
pub(super) fn frame_of(answer: &Answer, lang: Lang) -> Markup {
    let leaves = leaves(&answer.expert.tree);
    let runs: Vec<&[&Part]> = leaves.chunk_by(|one, next| one.signed == next.signed).collect();
    let covers = &answer.altered.covers;
    let is_signed = |parts: &[&Part]| parts.iter().any(|part| part.signed);
    let first_signed = runs.iter().position(|parts| is_signed(parts));
    // the header stands with the parts that the signature covers, or alone before everything
    let header_in = first_signed.filter(|_| covers.contains(&Covered::Subject));
    let header = html! { li { (lang.pick("差出人欄・宛先・件名・日付", "From, addressees, subject and date")) } };
    html! {
        div.parts {
            @if header_in.is_none() { (run(false, &header, lang)) }
            @for (number, parts) in runs.iter().enumerate() {
                @let items = html! {
                    @if header_in == Some(number) { (header) }
                    @for part in *parts { li { (named(part, lang)) } }
                };
                (run(is_signed(parts), &items, lang))
            }
        }
    }
}

fn run(signed: bool, items: &Markup, lang: Lang) -> Markup {
    html! {
        div.run.signed[signed] {
            p {
                @if signed { (lang.pick("署名されている部分", "Signed")) }
                @else { (lang.pick("署名されていない部分", "Not signed")) }
            }
            ul { (items) }
        }
    }
}

/// The parts that hold no others, as a reader meets them. The signature itself is none of them.
fn leaves(tree: &[Part]) -> Vec<&Part> {
    let is_leaf = |(number, part): &(usize, &Part)| {
        let holds = tree.get(number.saturating_add(1)).is_some_and(|next| next.depth > part.depth);
        !holds && !part.content_type.ends_with("pkcs7-signature")
    };
    tree.iter().enumerate().filter(is_leaf).map(|(_, part)| part).take(DRAWN).collect()
}

fn named(part: &Part, lang: Lang) -> Markup {
    let kind = match part.content_type.as_str() {
        _ if part.filename.is_some() => lang.pick("添付", "Attachment"),
        "text/plain" => lang.pick("本文（文字）", "Text"),
        "text/html" => lang.pick("本文（HTML）", "Text (HTML)"),
        "message/rfc822" => lang.pick("メール", "A mail"),
        other if other.starts_with("image/") => lang.pick("画像", "Picture"),
        _ => lang.pick("そのほかの部分", "Another part"),
    };
    let octets = part.bytes.end.saturating_sub(part.bytes.start);
    html! {
        (kind)
        @if let Some(name) = &part.filename {
            (lang.pick("「", " “")) bdi { (Safe::name(name)) } (lang.pick("」", "”"))
        }
        " " small { (size(octets)) }
    }
}
