//! Issuers as people and programs read them.

use kakitome_office::trust::{Added, Distrusted};
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::roots::{Root, RootList};
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::{self, Safe};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

/// How wide a name may be, in columns: two more columns follow it, and all fit into eighty.
const NAME_WIDTH: usize = 46;

/// Whose choice an issuer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OwnCa,
    Added,
    Public,
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

    /// Does it count for mail?
    pub(super) fn counts(&self) -> bool {
        self.root.uses.email && !self.taken_out
    }

    fn until(&self) -> String {
        let day = |time: String| time.get(..10).unwrap_or(&time).to_owned();
        self.root.certificate().map(|certificate| day(certificate.not_after().to_string())).unwrap_or_default()
    }

    fn uses(&self, lang: Lang) -> String {
        let mut words = Vec::new();
        if self.taken_out {
            words.push(lang.pick("外されている", "taken out here"));
        }
        if !self.root.uses.email {
            words.push(lang.pick("メール用ではない", "not for e-mail"));
        }
        if self.root.distrust_after.is_some() {
            words.push(lang.pick("以後の証明書は数えない", "counts for older certificates only"));
        }
        if !self.root.only_for.is_empty() {
            words.push(lang.pick("限られた宛先だけ", "limited"));
        }
        words.join(", ")
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
    let uses = one.uses(lang);
    let line = format!("  {name}{gap}  {}  {}  {uses}", digits.get(..8).unwrap_or_default(), one.until());
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

/// All of them, by whose choice they are.
pub(super) fn list(list: &RootList, believed: &[Believed], lang: Lang) -> String {
    let mut out = String::new();
    let groups = [
        (Kind::OwnCa, lang.pick("この Kakitome の CA", "The own CA")),
        (Kind::Added, lang.pick("ここで加えた発行元", "Added here")),
        (Kind::Public, lang.pick("公開の一覧", "The public list")),
    ];
    for (kind, title) in groups {
        let of_kind: Vec<&Believed> = believed.iter().filter(|one| one.kind == kind).collect();
        let mut title = title.to_owned();
        if kind == Kind::Public {
            let header = list.header();
            let date = header.date.map(|date| date.to_string()).unwrap_or_default();
            let day = date.get(..10).unwrap_or_default();
            title = format!("{title} {} ({day}): {}", header.name, of_kind.len());
        }
        if !of_kind.is_empty() {
            out.push_str(&format!("{title}\n"));
        }
        for one in of_kind {
            out.push_str(&row(one, lang));
            out.push('\n');
        }
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
        let is_ca = certificate.extensions().basic_constraints.is_some_and(|basic| basic.ca);
        if !is_ca {
            rows.push((
                lang.pick("種類", "kind"),
                lang.pick("署名した人自身の証明書", "a signer's own certificate").to_owned(),
            ));
        }
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
pub(super) fn json(list: &RootList, believed: &[Believed]) -> String {
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
    };
    let text = serde_json::to_string_pretty(&wire).unwrap_or_default();
    safe::json(&text) + "\n"
}
