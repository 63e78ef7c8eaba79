//! The report on one certificate, on a terminal.

use std::fmt::Write;

use kakitome_pki::path::{Check, Purpose};

use super::remark::lint as lint_sentence;
use super::terminal::{BOLD, FAINT, PLAIN, lines};
use super::{Lang, details};
use crate::answer::{CheckOutcome, Choice};
use crate::certificate::{Examined, Line, Outcome, Report};
use crate::safe::Safe;

/// The headline.
pub fn headline(report: &Report, lang: Lang) -> &'static str {
    match (report.outcome, report.purpose) {
        (Outcome::Good, Purpose::Email) => {
            lang.pick("メール用の証明書として問題ありません", "The certificate is good for e-mail")
        }
        (Outcome::Good, Purpose::Encryption) => {
            lang.pick("暗号化の宛先として問題ありません", "The certificate is good to encrypt mail to")
        }
        (Outcome::Good, Purpose::Any) => lang.pick("証明書に問題はありません", "The certificate is good"),
        _ => report.reasons.first().map_or("", |reason| reason.explain(lang).title),
    }
}

/// The report as lines of text, the last one ended.
pub fn report(report: &Report, lang: Lang, color: bool) -> String {
    let (bold, faint, plain) = if color { (BOLD, FAINT, PLAIN) } else { ("", "", "") };
    let (mark, tone) = match report.outcome {
        Outcome::Good => ("✓", "\x1b[32m"),
        Outcome::NotGood => ("△", "\x1b[33m"),
        Outcome::Contradicted => ("✗", "\x1b[31m"),
    };
    let tone = if color { tone } else { "" };
    let mut out = String::new();
    // writing to a string cannot fail
    let _ = writeln!(out, "{tone}{mark} {bold}{}{plain}", headline(report, lang));
    let mut reasons = report.reasons.iter();
    if let Some(first) = reasons.next().filter(|_| report.outcome != Outcome::Good) {
        let _ = writeln!(out, "  {}", first.explain(lang).why);
        if !report.detail.is_empty() {
            let _ = writeln!(out, "  {faint}{}{plain}", Safe::value(report.detail.text(lang)));
        }
    }
    for reason in reasons {
        let text = reason.explain(lang);
        let _ = writeln!(out, "  {faint}· {}{}{}{plain}", text.title, lang.pick("。", ". "), text.why);
    }

    if !report.path.is_empty() {
        let _ = writeln!(out, "\n{bold}{}{plain}", lang.pick("発行元までの道", "Path"));
        tree(report, lang, (faint, plain), &mut out);
    }
    if !report.lines.is_empty() {
        let _ = writeln!(out, "\n{bold}{}{plain}", lang.pick("確かめたこと", "Checks"));
        let width = report.lines.iter().map(|line| width(examined(line.examined, lang))).max().unwrap_or(0);
        for line in &report.lines {
            check(line, lang, width, color, &mut out);
        }
    }
    let asked = details::lookups(&report.lookups, lang);
    if !asked.rows.is_empty() {
        let _ = writeln!(out, "\n{bold}{}{plain}", asked.title);
        lines(&asked, &mut out);
    }
    if !report.lints.is_empty() {
        let title = lang.pick("公開の基準から外れている点", "Odd by the S/MIME Baseline Requirements");
        let _ = writeln!(out, "\n{bold}{title}{plain}");
        for lint in &report.lints {
            let _ = writeln!(out, "  · {} {faint}{}{plain}", lint_sentence(*lint, lang), lint.code());
        }
    }
    let _ = writeln!(out, "\n{faint}{} {}{plain}", lang.pick("基準の時刻", "Judged for"), report.at);
    if !report.trust_list.is_empty() {
        let list = Safe::value(&report.trust_list);
        let _ = writeln!(out, "{faint}{} {list}{plain}", lang.pick("発行元の一覧", "List of issuers"));
    }
    out
}

/// The anchor first, each certificate below its issuer.
fn tree(report: &Report, lang: Lang, (faint, plain): (&str, &str), out: &mut String) {
    let choice = match report.anchor {
        Some(Choice::PublicList) => lang.pick("公開の一覧にある起点", "anchor, on the public list"),
        Some(Choice::ChosenFile) => lang.pick("利用者が選んだ起点", "anchor, chosen by you"),
        Some(Choice::Operator) => {
            lang.pick("この Kakitome の管理者が選んだ起点", "anchor, chosen by the operator of this Kakitome")
        }
        Some(Choice::OwnCa) => lang.pick("この Kakitome の認証局", "anchor, the own CA"),
        None => "",
    };
    let mut depth = 0usize;
    if let Some(missing) = &report.missing {
        let unknown = lang.pick("（信頼する発行元に見つからない）", "(not found among the trusted issuers)");
        let _ = writeln!(out, "  ? {} {faint}{unknown}{plain}", Safe::value(missing));
        depth = 1;
    }
    for certificate in report.path.iter().rev() {
        let indent = "   ".repeat(depth.saturating_sub(1));
        let (branch, below) = if depth == 0 {
            (String::new(), String::new())
        } else {
            (format!("{indent}└─ "), format!("{indent}   "))
        };
        let note = if depth == 0 && !choice.is_empty() { format!(" {faint}· {choice}{plain}") } else { String::new() };
        let _ = writeln!(out, "  {branch}{}{note}", Safe::value(&certificate.subject));
        let day = |time: kakitome_pki::asn1::time::Time| time.to_string().chars().take(10).collect::<String>();
        let _ = writeln!(
            out,
            "  {below}{faint}{} · {} – {} · {}{plain}",
            Safe::value(&certificate.key),
            day(certificate.not_before),
            day(certificate.not_after),
            Safe::value(&certificate.serial),
        );
        depth = depth.saturating_add(1);
    }
}

fn check(line: &Line, lang: Lang, widest: usize, color: bool, out: &mut String) {
    let (mark, tone) = match line.outcome {
        CheckOutcome::Ok => ("✓", "\x1b[32m"),
        CheckOutcome::Failed => ("✗", "\x1b[31m"),
        CheckOutcome::NotReached | CheckOutcome::Skipped => ("―", "\x1b[90m"),
    };
    let (tone, faint, plain) = if color { (tone, FAINT, PLAIN) } else { ("", "", "") };
    let name = examined(line.examined, lang);
    let detail = match (line.outcome, line.detail.is_empty()) {
        (CheckOutcome::NotReached, true) => lang.pick("まだ確かめられない", "not reached").to_owned(),
        (CheckOutcome::Skipped, true) => lang.pick("指定により省略", "switched off").to_owned(),
        _ => Safe::value(line.detail.text(lang)).to_string(),
    };
    let gap = if detail.is_empty() { 0 } else { widest.saturating_sub(width(name)).saturating_add(2) };
    let _ = writeln!(out, "  {tone}{mark}{plain} {name}{}{faint}{detail}{plain}", " ".repeat(gap));
}

/// Columns of a terminal that one of our own words takes.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

const fn examined(examined: Examined, lang: Lang) -> &'static str {
    match examined {
        Examined::Path(check) => match check {
            Check::Issuer => lang.pick("発行元", "Known issuer"),
            Check::Signatures => lang.pick("証明書の署名", "Signatures"),
            Check::Validity => lang.pick("有効期間", "Validity"),
            Check::Authorities => lang.pick("発行する資格", "Issued by authorities"),
            Check::PathLength => lang.pick("つながりの長さ", "Path length"),
            Check::Extensions => lang.pick("必須の条件", "Critical extensions"),
            Check::Names => lang.pick("名前の範囲", "Names as permitted"),
            Check::Policies => lang.pick("発行方針", "Policies"),
            Check::Usages => lang.pick("用途", "Key usages"),
            Check::Distrust => lang.pick("起点への信頼の期限", "Anchor trusted then"),
        },
        Examined::Strength => lang.pick("方式の強さ", "Strength"),
        Examined::Revocation => lang.pick("取り消し", "Not revoked"),
        Examined::Address => lang.pick("アドレス", "Address"),
    }
}
