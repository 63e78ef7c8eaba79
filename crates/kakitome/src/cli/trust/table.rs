//! Issuers as people and programs read them.

use kakitome_office::trust::{Added, Distrusted};
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::roots::{Root, RootList};
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::{self, Safe};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

/// How wide a name may be, in columns: with what follows it a line fits into eighty.
const NAME_WIDTH: usize = 40;

/// Whose choice an issuer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OwnCa,
    Added,
    Public,
    /// Nobody's: only shown.
    Stranger,
}

/// An issuer.
#[derive(Clone, Debug)]
pub(super) struct Believed {
    pub(super) kind: Kind,
    pub(super) root: Root,
    /// Since when it is believed, or not believed any more.
    since: Option<String>,
    note: String,
    taken_out: bool,
}

impl Believed {
    pub(super) fn own(certificate: &Certificate) -> Self {
        Self { kind: Kind::OwnCa, root: Root::new(certificate), since: None, note: String::new(), taken_out: false }
    }

    pub(super) fn added(added: Added) -> Self {
        let since = Some(added.at.to_string());
        Self { kind: Kind::Added, root: added.root, since, note: added.note, taken_out: false }
    }

    pub(super) fn public(root: &Root, out: Option<&Distrusted>) -> Self {
        Self {
            kind: Kind::Public,
            root: root.clone(),
            since: out.map(|out| out.since.to_string()),
            note: out.map(|out| out.note.clone()).unwrap_or_default(),
            taken_out: out.is_some(),
        }
    }

    /// A certificate that nobody chose.
    pub(super) fn stranger(certificate: &Certificate) -> Self {
        Self { kind: Kind::Stranger, ..Self::own(certificate) }
    }

    /// Does it count for mail?
    pub(super) fn counts(&self) -> bool {
        self.root.uses.email && !self.taken_out && self.kind != Kind::Stranger
    }

    fn until(&self) -> String {
        let day = |time: String| time.get(..10).unwrap_or(&time).to_owned();
        self.root.certificate().map(|certificate| day(certificate.not_after().to_string())).unwrap_or_default()
    }

    /// The one condition that a line has room for, at most 14 columns.
    fn condition(&self, lang: Lang) -> String {
        if self.taken_out {
            return lang.pick("外されている", "taken out here").to_owned();
        }
        if !self.root.uses.email {
            return lang.pick("メール用でない", "not for e-mail").to_owned();
        }
        if let Some(after) = self.root.distrust_after.map(|after| after.to_string()) {
            let day = after.get(..10).unwrap_or(&after);
            return if lang == Lang::Ja { format!("{day}まで") } else { format!("to {day}") };
        }
        if !self.root.only_for.is_empty() {
            return lang.pick("限定つき", "limited").to_owned();
        }
        String::new()
    }
}

/// An issuer in a line.
pub(super) fn line(one: &Believed) -> String {
    row(one, Lang::En)
}

fn row(one: &Believed, lang: Lang) -> String {
    let name = fitted(&Safe::value(&one.root.name).to_string());
    let gap = " ".repeat(NAME_WIDTH.saturating_sub(name.width()));
    let digits = hex(one.root.fingerprint());
    let condition = one.condition(lang);
    let line = format!("  {name}{gap}  {}  {}  {condition}", digits.get(..8).unwrap_or_default(), one.until());
    line.trim_end().to_owned()
}

/// Cut where it is too wide.
fn fitted(name: &str) -> String {
    if name.width() <= NAME_WIDTH {
        return name.to_owned();
    }
    let mut out = String::new();
    for c in name.chars() {
        if out.width().saturating_add(3) > NAME_WIDTH {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// A root of the public list that was taken out, in a line.
pub(super) fn taken_out(out: &Distrusted) -> String {
    let digits = hex(&out.fingerprint);
    let name = fitted(&Safe::value(&out.name).to_string());
    let gap = " ".repeat(NAME_WIDTH.saturating_sub(name.width()));
    format!("  {name}{gap}  {}", digits.get(..8).unwrap_or_default())
}

/// These of them, by whose choice they are.
pub(super) fn list(list: &RootList, believed: &[&Believed], distrusted: &[Distrusted], lang: Lang) -> String {
    let mut out = String::new();
    let groups = [
        (Kind::OwnCa, lang.pick("この Kakitome の CA", "The own CA")),
        (Kind::Added, lang.pick("ここで加えた発行元", "Added here")),
        (Kind::Public, lang.pick("公開の一覧", "The public list")),
    ];
    for (kind, title) in groups {
        let of_kind: Vec<&&Believed> = believed.iter().filter(|one| one.kind == kind).collect();
        let mut title = title.to_owned();
        if kind == Kind::Public {
            let header = list.header();
            let date = header.date.map(|date| date.to_string()).unwrap_or_default();
            let day = date.get(..10).unwrap_or_default();
            let counts = of_kind.iter().filter(|one| one.counts()).count();
            title = format!("{title} {} ({day}): {}", header.name, of_kind.len());
            title += &if lang == Lang::Ja {
                format!("、うちメールに使う {counts}")
            } else {
                format!(", {counts} of them count")
            };
        }
        if !of_kind.is_empty() {
            out.push_str(&format!("{title}\n"));
        }
        for one in of_kind {
            out.push_str(&row(one, lang));
            out.push('\n');
        }
    }
    if !distrusted.is_empty() {
        let title = lang.pick("ここで公開の一覧から外したもの", "Taken out of the public list here");
        out.push_str(&format!("{title}: {}\n", distrusted.len()));
    }
    for one in
        distrusted.iter().filter(|one| !believed.iter().any(|shown| *shown.root.fingerprint() == one.fingerprint))
    {
        out.push_str(&taken_out(one));
        out.push('\n');
    }
    out
}

/// Everything about one.
pub(super) fn one(one: &Believed, lang: Lang) -> String {
    let root = &one.root;
    let mut rows: Vec<(&str, String)> = Vec::new();
    let chosen = match one.kind {
        Kind::OwnCa => lang.pick("この Kakitome の CA", "the own CA of this instance"),
        Kind::Added => lang.pick("管理者がここで加えた", "added here by the operator"),
        Kind::Public => lang.pick("公開の一覧", "the public list"),
        Kind::Stranger => lang.pick("だれも選んでいない", "nobody's: it is not believed here"),
    };
    rows.push((lang.pick("だれの選択か", "whose choice"), chosen.to_owned()));
    if let Ok(certificate) = root.certificate() {
        rows.push((lang.pick("主体者", "subject"), Safe::value(&certificate.subject().to_string()).to_string()));
        if !certificate.is_self_issued() {
            rows.push((lang.pick("発行者", "issuer"), Safe::value(&certificate.issuer().to_string()).to_string()));
        }
        rows.push((lang.pick("鍵", "key"), certificate.key().describe()));
        let dates = format!("{} – {}", certificate.not_before(), certificate.not_after());
        rows.push((lang.pick("期間", "valid"), dates));
        let is_ca = certificate.extensions().basic_constraints.map_or(certificate.version() < 3, |basic| basic.ca);
        let kind = match (is_ca, certificate.is_self_issued()) {
            (true, true) => lang.pick("ルート", "a root"),
            (true, false) => lang.pick("中間の発行元。自己署名ではない", "a CA below another, not self-signed"),
            (false, _) => lang.pick("署名する人自身の証明書", "a signer's own certificate"),
        };
        rows.push((lang.pick("種類", "kind"), kind.to_owned()));
    }
    rows.push(("SHA-256", hex(root.fingerprint())));
    let uses = match (root.uses.email, root.uses.tls) {
        (true, true) => lang.pick("メール、ウェブ", "e-mail, TLS"),
        (true, false) => lang.pick("メール", "e-mail"),
        (false, true) => lang.pick("ウェブだけ", "TLS alone"),
        (false, false) => lang.pick("なし", "nothing"),
    };
    rows.push((lang.pick("用途", "for"), uses.to_owned()));
    if let Some(after) = root.distrust_after {
        rows.push((
            lang.pick("数えない証明書", "does not count"),
            format!("{} {after}", lang.pick("発行日", "issued after")),
        ));
    }
    if !root.only_for.is_empty() {
        rows.push((lang.pick("この宛先だけ", "only for"), root.only_for.join(", ")));
    }
    if root.names_verified {
        rows.push((lang.pick("名前", "names"), lang.pick("確かめてある", "were checked").to_owned()));
    }
    if let Some(since) = &one.since {
        let what =
            if one.taken_out { lang.pick("外した日", "taken out") } else { lang.pick("加えた日", "since") };
        rows.push((what, since.clone()));
    }
    if !one.note.is_empty() {
        rows.push((lang.pick("メモ", "note"), Safe::value(&one.note).to_string()));
    }
    let width = rows.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let mut out = format!("{}\n", Safe::value(&root.name));
    for (name, value) in rows {
        let gap = " ".repeat(width.saturating_sub(name.width()));
        out.push_str(&format!("  {name}{gap}  {value}\n"));
    }
    out
}

#[derive(Serialize)]
struct Wire<'a> {
    trust: u32,
    list: &'a str,
    date: Option<String>,
    issuers: Vec<Issuer<'a>>,
    /// Roots of public lists, also of other ones, that were taken out.
    taken_out: Vec<Out<'a>>,
}

#[derive(Serialize)]
struct Out<'a> {
    name: &'a str,
    sha256: String,
    since: String,
    note: &'a str,
}

#[derive(Serialize)]
struct Issuer<'a> {
    name: &'a str,
    sha256: String,
    chosen_by: &'static str,
    counts: bool,
    email: bool,
    tls: bool,
    not_before: Option<String>,
    not_after: Option<String>,
    distrust_after: Option<String>,
    only_for: &'a [String],
    names_verified: bool,
    since: Option<&'a str>,
    note: &'a str,
}

/// For programs. Version 1: keys are added within it, never renamed or removed.
pub(super) fn json(list: &RootList, believed: &[&Believed], distrusted: &[Distrusted]) -> String {
    let issuer = |one: &'_ Believed| {
        let certificate = one.root.certificate().ok();
        (
            certificate.as_ref().map(|one| one.not_before().to_string()),
            certificate.map(|one| one.not_after().to_string()),
        )
    };
    let wire = Wire {
        trust: 1,
        list: &list.header().name,
        date: list.header().date.map(|date| date.to_string()),
        issuers: believed
            .iter()
            .map(|one| {
                let (not_before, not_after) = issuer(one);
                Issuer {
                    name: &one.root.name,
                    sha256: hex(one.root.fingerprint()),
                    chosen_by: match one.kind {
                        Kind::OwnCa => "own-ca",
                        Kind::Added => "operator",
                        Kind::Public => "public-list",
                        Kind::Stranger => "nobody",
                    },
                    counts: one.counts(),
                    email: one.root.uses.email,
                    tls: one.root.uses.tls,
                    not_before,
                    not_after,
                    distrust_after: one.root.distrust_after.map(|after| after.to_string()),
                    only_for: &one.root.only_for,
                    names_verified: one.root.names_verified,
                    since: one.since.as_deref(),
                    note: &one.note,
                }
            })
            .collect(),
        taken_out: distrusted
            .iter()
            .map(|out| Out {
                name: &out.name,
                sha256: hex(&out.fingerprint),
                since: out.since.to_string(),
                note: &out.note,
            })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&wire).unwrap_or_default();
    safe::json(&text) + "\n"
}
