//! The answer on a terminal.

use std::fmt::Write;

use super::details::{self, Table};
use super::{Lang, render};
use crate::answer::{Answer, Attached};
use crate::state::{Mark, Tone};

/// How to show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Colours, by ANSI sequences; the caller knows the terminal and `NO_COLOR`.
    pub color: bool,
    /// The expert part too.
    pub details: bool,
}

pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const FAINT: &str = "\x1b[2m";
pub(super) const PLAIN: &str = "\x1b[0m";

/// The answer as lines of text, the last one ended; those about attached mails stand below it, each under a line of its
/// own.
pub fn text(answer: &Answer, lang: Lang, options: Options) -> String {
    let mut out = String::new();
    one(answer, lang, options, &mut out);
    let mut open: Vec<(usize, &Attached)> = answer.attached.iter().rev().map(|attached| (1, attached)).collect();
    while let Some((depth, attached)) = open.pop() {
        let mut below = String::new();
        one(&attached.answer, lang, options, &mut below);
        let (bold, plain) = if options.color { (BOLD, PLAIN) } else { ("", "") };
        // writing to a string cannot fail
        let _ = writeln!(out, "\n{}{bold}{}{plain}", MARGIN.repeat(depth), super::attached_title(attached, lang));
        for line in below.lines() {
            let margin = if line.is_empty() { String::new() } else { MARGIN.repeat(depth) };
            let _ = writeln!(out, "{margin}{line}");
        }
        open.extend(attached.answer.attached.iter().rev().map(|inner| (depth.saturating_add(1), inner)));
    }
    out
}

/// What stands before the lines about an attached mail, once for each mail around it.
const MARGIN: &str = "  | ";

fn one(answer: &Answer, lang: Lang, options: Options, out: &mut String) {
    let rendered = render(answer, lang);
    let (bold, faint, plain) = if options.color { (BOLD, FAINT, PLAIN) } else { ("", "", "") };
    let tone = if options.color { color(answer.state.tone()) } else { "" };
    let mark = mark(answer.state.mark());
    // writing to a string cannot fail
    let _ = writeln!(out, "{tone}{mark} {bold}{}{plain}", rendered.headline);
    let _ = writeln!(out, "  {}\n", rendered.one_line);
    for line in &rendered.lines {
        let _ = write!(out, "  {bold}{}{plain} {}", line.question, line.answer);
        if let Some(note) = line.note {
            let _ = write!(out, " {faint}{}{plain}", lang.pick_note(note));
        }
        out.push('\n');
    }
    for note in &rendered.notes {
        let _ = writeln!(out, "  {faint}· {}{plain}", note.title);
    }
    if let Some(advice) = rendered.advice {
        let _ = writeln!(out, "\n  {tone}→{plain} {bold}{advice}{plain}");
    }
    if let Some(footer) = rendered.footer {
        let _ = writeln!(out, "\n  {faint}{footer}{plain}");
    }
    if options.details {
        for table in details::tables(answer, lang) {
            let _ = writeln!(out, "\n{bold}{}{plain}", table.title);
            lines(&table, out);
        }
    }
}

impl Lang {
    fn pick_note(self, note: &str) -> String {
        match self {
            Self::Ja => format!("（{note}）"),
            Self::En => format!("({note})"),
        }
    }
}

// A line of a table with the empty cells left out; a column would be as wide as the longest name an attacker chose.
pub(super) fn lines(table: &Table, out: &mut String) {
    for row in &table.rows {
        let mut cells = row.iter().filter(|cell| !cell.is_empty());
        let _ = write!(out, "  {}", cells.next().map_or("", String::as_str));
        for (number, cell) in cells.enumerate() {
            let _ = write!(out, "{}{cell}", if number == 0 { ": " } else { " | " });
        }
        out.push('\n');
    }
}

const fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Green => "\x1b[32m",
        Tone::Blue => "\x1b[34m",
        Tone::Amber => "\x1b[33m",
        Tone::Red => "\x1b[31m",
        Tone::GreyBlue => "\x1b[36m",
        Tone::Grey => "\x1b[90m",
    }
}

const fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Seal => "◉",
        Mark::Envelope => "✉",
        Mark::House => "⌂",
        Mark::Caution => "△",
        Mark::Stop => "✗",
        Mark::Nothing => "○",
        Mark::Waiting => "…",
        Mark::Lock => "■",
        Mark::Unreadable => "?",
    }
}
