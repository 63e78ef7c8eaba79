//! What stands in a file, on a terminal.

use std::fmt::Write;

use kakitome_pki::cert::file::Kind;
use kakitome_pki::roots::RootList;

use super::Lang;
use super::remark::sentence;
use super::terminal::{BOLD, FAINT, PLAIN};
use crate::safe::Safe;
use crate::shown::{Field, Object, Severity, Value};

/// A line is never made narrower than this for its values, in columns.
const NARROWEST: usize = 24;

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The language.
    pub lang: Lang,
    /// Colours, by ANSI sequences.
    pub color: bool,
    /// How wide a line may be, in columns.
    pub columns: usize,
}

/// What a list of roots says of itself, as lines of text.
pub fn list(list: &RootList, options: Options) -> String {
    let (bold, faint, plain) = if options.color { (BOLD, FAINT, PLAIN) } else { ("", "", "") };
    let (lang, header) = (options.lang, list.header());
    let date = header.date.map(|date| date.to_string().chars().take(10).collect::<String>());
    let title = lang.pick("ルートの一覧", "List of roots");
    let mut out = format!("{bold}{title}  {}{plain}", Safe::name(&header.name));
    if let Some(date) = date {
        out.push_str(&format!(" {faint}({date}){plain}"));
    }
    let (all, mail) = (list.roots().len(), list.roots_for_email());
    out.push_str(&match lang {
        Lang::Ja => format!("\n  {all} 件、うちメール用 {mail} 件\n"),
        Lang::En => format!("\n  {all} roots, {mail} of them for e-mail\n"),
    });
    if !header.source.is_empty() {
        out.push_str(&format!("  {faint}{}{plain}\n", Safe::value(&header.source)));
    }
    out
}

/// Objects as lines of text, the last one ended; a blank line between two.
pub fn objects(objects: &[Object], options: Options) -> String {
    let mut out = String::new();
    for object in objects {
        if !out.is_empty() {
            out.push('\n');
        }
        one(object, 0, options, &mut out);
    }
    out
}

fn one(object: &Object, depth: usize, options: Options, out: &mut String) {
    let (bold, faint, plain) = if options.color { (BOLD, FAINT, PLAIN) } else { ("", "", "") };
    let lang = options.lang;
    let margin = "  ".repeat(depth);
    let title = Safe::name(&object.title).to_string();
    let gap = if title.is_empty() { "" } else { "  " };
    // writing to a string cannot fail
    let _ = writeln!(out, "{margin}{faint}{}{plain}{gap}{bold}{title}{plain}", kind(object.kind, lang));
    let labels = object.fields.iter().map(|(field, _)| width(label(*field, lang)));
    let widest = labels.max().unwrap_or(0);
    // Margin, two columns, the label, two columns.
    let indent = margin.len().saturating_add(widest).saturating_add(4);
    let room = options.columns.saturating_sub(indent).max(NARROWEST);
    for (field, value) in &object.fields {
        let name = label(*field, lang);
        let pad = " ".repeat(widest.saturating_sub(width(name)));
        let mut head = format!("{margin}  {faint}{name}{plain}{pad}  ");
        for text in texts(*field, value, lang) {
            for line in wrapped(&text, room) {
                let _ = writeln!(out, "{head}{line}");
                head = " ".repeat(indent);
            }
        }
    }
    remarks(object, &margin, options, out);
    for inner in &object.inside {
        out.push('\n');
        one(inner, depth.saturating_add(1), options, out);
    }
}

/// The heaviest first.
fn remarks(object: &Object, margin: &str, options: Options, out: &mut String) {
    let mut remarks: Vec<_> = object.remarks.iter().collect();
    remarks.sort_by_key(|remark| remark.severity());
    for remark in remarks {
        let (mark, tone) = match remark.severity() {
            Severity::Error => ("✗", "\x1b[31m"),
            Severity::Warning => ("△", "\x1b[33m"),
            Severity::Notice => ("·", "\x1b[90m"),
        };
        let (tone, faint, plain) = if options.color { (tone, FAINT, PLAIN) } else { ("", "", "") };
        let detail = Safe::value(remark.detail()).to_string();
        let detail = match (detail.is_empty(), options.lang) {
            (true, _) => String::new(),
            (false, Lang::Ja) => format!("（{detail}）"),
            (false, Lang::En) => format!(" ({detail})"),
        };
        // The sentence ends with its full stop; what was seen stands before it.
        let text = sentence(remark, options.lang);
        let stop = options.lang.pick("。", ".");
        let text = format!("{}{detail}{stop} {}", text.strip_suffix(stop).unwrap_or(text), remark.code());
        let room = options.columns.saturating_sub(margin.len()).saturating_sub(5).max(NARROWEST);
        let mut lines = wrapped(&text, room).into_iter();
        let first = lines.next().unwrap_or_default();
        // The code is faint where it ends a line whole.
        let shown = |line: String| match line.strip_suffix(remark.code()) {
            Some(before) => format!("{before}{faint}{}{plain}", remark.code()),
            None => line,
        };
        let _ = writeln!(out, "{margin}  {tone}{mark}{plain} {}", shown(first));
        for line in lines {
            let _ = writeln!(out, "{margin}    {}", shown(line));
        }
    }
}

fn texts(field: Field, value: &Value, lang: Lang) -> Vec<String> {
    match value {
        Value::Text(text) => vec![Safe::value(text).to_string()],
        // Words of the standard stand on one line, names and places each on its own.
        Value::List(texts)
            if matches!(
                field,
                Field::KeyUsage | Field::ExtendedKeyUsage | Field::OtherExtensions | Field::Attributes | Field::Scope
            ) =>
        {
            vec![texts.iter().map(|text| Safe::value(text).to_string()).collect::<Vec<_>>().join(", ")]
        }
        Value::List(texts) => texts.iter().map(|text| Safe::value(text).to_string()).collect(),
        Value::Number(number) => vec![number.to_string()],
        Value::Time(time) => vec![time.to_string()],
        Value::Flag(true) => vec![lang.pick("はい", "yes").to_owned()],
        Value::Flag(false) => vec![lang.pick("いいえ", "no").to_owned()],
        // In groups, so that two people can compare it by voice.
        Value::Hash(octets) => {
            let half = |octets: &[u8]| {
                let (pairs, _) = octets.as_chunks::<2>();
                pairs.iter().map(|[one, two]| format!("{one:02x}{two:02x}")).collect::<Vec<_>>().join(" ")
            };
            let (first, second) = octets.split_at(16);
            vec![half(first), half(second)]
        }
    }
}

/// Lines of at most `room` columns, broken between words where there are any.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0usize;
    for word in text.split_inclusive(' ') {
        let columns = width(word.trim_end());
        if used > 0 && used.saturating_add(columns) > room {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        for c in word.chars() {
            let columns = width_of(c);
            if used.saturating_add(columns) > room && c != ' ' {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used = used.saturating_add(columns);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Columns of a terminal, at most: what is not ASCII may take two.
fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

const fn width_of(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

/// What a kind of object is called.
pub const fn kind(kind: Kind, lang: Lang) -> &'static str {
    match kind {
        Kind::Certificate => lang.pick("証明書", "Certificate"),
        Kind::Request => lang.pick("証明書の申請", "Certificate request"),
        Kind::List => lang.pick("失効リスト", "Revocation list"),
        Kind::Response => lang.pick("OCSPの回答", "OCSP response"),
        Kind::Bundle => lang.pick("証明書の束（PKCS#7）", "Bundle of certificates (PKCS#7)"),
        Kind::Store => lang.pick("証明書ストア（Windows、.sst）", "Certificate store (Windows, .sst)"),
        Kind::Pkcs12 => lang.pick("鍵と証明書（PKCS#12）", "Keys and certificates (PKCS#12)"),
        Kind::PrivateKey => lang.pick("秘密鍵", "Private key"),
        Kind::EncryptedKey => lang.pick("暗号化された秘密鍵", "Encrypted private key"),
        Kind::PublicKey => lang.pick("公開鍵", "Public key"),
    }
}

const fn label(field: Field, lang: Lang) -> &'static str {
    match field {
        Field::FriendlyName => lang.pick("呼び名", "Friendly name"),
        Field::Subject => lang.pick("所有者", "Subject"),
        Field::Issuer => lang.pick("発行者", "Issuer"),
        Field::Serial => lang.pick("シリアル番号", "Serial number"),
        Field::Version => lang.pick("バージョン", "Version"),
        Field::NotBefore => lang.pick("有効期間の開始", "Not before"),
        Field::NotAfter => lang.pick("有効期間の終了", "Not after"),
        Field::AlternativeNames => lang.pick("別名", "Alternative names"),
        Field::Key => lang.pick("鍵", "Key"),
        Field::Form => lang.pick("形式", "Form"),
        Field::Material => lang.pick("鍵の中身", "Made of"),
        Field::KeyUsage => lang.pick("鍵の用途", "Key usage"),
        Field::ExtendedKeyUsage => lang.pick("拡張用途", "Extended key usage"),
        Field::Authority => lang.pick("発行する資格", "Authority"),
        Field::Permitted => lang.pick("許される名前", "Names permitted"),
        Field::Excluded => lang.pick("許されない名前", "Names excluded"),
        Field::Policies => lang.pick("ポリシー", "Policies"),
        Field::CrlUrls => lang.pick("失効リストの場所", "Revocation lists"),
        Field::OcspUrls => lang.pick("OCSPの場所", "OCSP responder"),
        Field::IssuerUrls => lang.pick("発行者の証明書", "Issuer's certificate"),
        Field::OtherExtensions => lang.pick("その他の拡張", "Other extensions"),
        Field::Attributes => lang.pick("属性", "Attributes"),
        Field::Proof => lang.pick("鍵の所持の証明", "Proof of possession"),
        Field::Signature => lang.pick("署名の方式", "Signed with"),
        Field::Number => lang.pick("リストの番号", "Number"),
        Field::Base => lang.pick("差分のもと", "Adds to"),
        Field::Scope => lang.pick("対象", "Scope"),
        Field::ThisUpdate => lang.pick("発行", "This update"),
        Field::NextUpdate => lang.pick("次回", "Next update"),
        Field::Count => lang.pick("件数", "Entries"),
        Field::Revoked => lang.pick("失効した証明書", "Revoked"),
        Field::Status => lang.pick("状態", "Status"),
        Field::Responder => lang.pick("回答者", "Responder"),
        Field::ProducedAt => lang.pick("回答の日時", "Produced at"),
        Field::Answers => lang.pick("回答", "Answers"),
        Field::Integrity => lang.pick("改ざんの検出", "Integrity"),
        Field::Encryption => lang.pick("暗号化", "Encryption"),
        Field::Sha256 => "SHA-256",
        Field::KeySha256 => lang.pick("公開鍵のSHA-256", "SHA-256 of the key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_never_too_wide() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("C=JP, O=例示銀行", 12), ["C=JP,", "O=例示銀行"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("あいうえお", 4), ["あい", "うえ", "お"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
