//! The directory as people and programs read it.

use std::fmt::Write as _;

use kakitome_office::directory::{Entry, Fit, Fitness, Found, Revocation, State, Unfit};
use kakitome_pki::address::Address;
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::capability::Capabilities;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::{self, Safe};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

/// The version of what `--json` prints.
const VERSION: u32 = 1;
/// How wide an address may be, in columns: with what follows it a line fits into eighty.
const ADDRESS_WIDTH: usize = 34;

/// One of two texts that were put together.
pub(super) fn either(lang: Lang, ja: String, en: String) -> String {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

fn day(time: kakitome_pki::asn1::time::Time) -> String {
    let time = time.to_string();
    time.get(..10).unwrap_or(&time).to_owned()
}

fn short(certificate: &Certificate) -> String {
    certificate.fingerprint_hex().get(..16).unwrap_or_default().to_owned()
}

const fn state(entry: &Entry, lang: Lang) -> &'static str {
    match (entry.state, entry.pinned) {
        (State::Active, true) => lang.pick("固定", "pinned"),
        (State::Active, false) => lang.pick("有効", "active"),
        (State::Pending, _) => lang.pick("判断待ち", "waits"),
        (State::Retired, _) => lang.pick("引退", "retired"),
        (State::Blocked, _) => lang.pick("拒否", "blocked"),
    }
}

/// An entry as a line: whose, which, until when, what is thought of it, how it came.
pub(super) fn line(entry: &Entry, lang: Lang) -> String {
    let whose = Safe::address(&entry.place.to_string()).to_string();
    let gap = " ".repeat(ADDRESS_WIDTH.saturating_sub(whose.width()));
    let until = day(entry.certificate.not_after());
    let (fingerprint, state) = (short(&entry.certificate), state(entry, lang));
    format!("{whose}{gap}  {fingerprint}  {until}  {state}  {}", entry.source.name())
}

/// Everything about an entry, and whether it is fit.
pub(super) fn one(entry: &Entry, fitness: &Result<Fitness, Unfit>, lang: Lang) -> String {
    let certificate = &entry.certificate;
    let mut out = String::new();
    let mut row = |title: &str, value: &str| {
        let gap = " ".repeat(14usize.saturating_sub(title.width()));
        // writing to a string cannot fail
        let _ = writeln!(out, "{title}{gap}{value}");
    };
    row(lang.pick("相手", "for"), &Safe::address(&entry.place.to_string()).to_string());
    row("SHA-256", &certificate.fingerprint_hex());
    row(lang.pick("主体", "subject"), &Safe::value(&certificate.subject().to_string()).to_string());
    row(lang.pick("発行元", "issuer"), &Safe::value(&certificate.issuer().to_string()).to_string());
    row(lang.pick("鍵", "key"), &certificate.key().describe());
    let (from, until) = (day(certificate.not_before()), day(certificate.not_after()));
    row(lang.pick("期間", "valid"), &format!("{from} – {until}"));
    row(lang.pick("状態", "state"), state(entry, lang));
    row(lang.pick("理由", "why"), &Safe::value(&entry.note).to_string());
    let seen = format!("{}, {} – {}", entry.source.name(), day(entry.first_seen), day(entry.last_seen));
    row(lang.pick("入手", "came"), &seen);
    if let Some(said) = &entry.capabilities {
        row(lang.pick("読める暗号", "reads"), &Safe::value(&said.to_string()).to_string());
    }
    let fit = match fitness {
        Ok(fit) => format!("{} ({})", lang.pick("使える", "yes"), believed(fit.believed.name(), &fit.revocation)),
        Err(why) => format!("{}: {why}", lang.pick("使えない", "no")),
    };
    row(lang.pick("暗号化", "encryptable"), &fit);
    out
}

fn believed(by: &str, revocation: &Revocation) -> String {
    match revocation {
        Revocation::Good => format!("{by}, not revoked"),
        Revocation::NotOffered => by.to_owned(),
        Revocation::Unknown(why) => format!("{by}, revocation not known: {why}"),
    }
}

/// One that waits, and what is in use meanwhile.
pub(super) fn pending(entry: &Entry, in_use: &[Entry], lang: Lang) -> String {
    let mut out = format!("{}\n", Safe::address(&entry.place.to_string()));
    let mut row = |title: &str, entry: &Entry| {
        let gap = " ".repeat(12usize.saturating_sub(title.width()));
        let certificate = &entry.certificate;
        let (issuer, until) = (certificate.issuer().short(), day(certificate.not_after()));
        let _ = writeln!(out, "  {title}{gap}{}  {until}  {}", short(certificate), Safe::value(&issuer));
    };
    row(lang.pick("新しい", "new"), entry);
    for one in in_use {
        row(lang.pick("使用中", "in use"), one);
    }
    let _ = writeln!(out, "  {}: {}", lang.pick("理由", "why"), Safe::value(&entry.note));
    out
}

/// To what an address is encrypted.
pub(super) fn found(address: &Address, found: &Found, lang: Lang) -> String {
    let mut out = String::new();
    let whose = Safe::address(&address.to_string()).to_string();
    let headline = match found.best() {
        Some(_) => {
            either(lang, format!("✓ {whose} あてに暗号化できます"), format!("✓ Mail to {whose} can be encrypted"))
        }
        None if found.unavailable.is_some() => either(
            lang,
            format!("△ {whose} の証明書は、いま調べられません"),
            format!("△ Whether there is a certificate for {whose} could not be found out"),
        ),
        None => either(
            lang,
            format!("△ {whose} あてに使える証明書がありません"),
            format!("△ There is no certificate to encrypt to {whose}"),
        ),
    };
    let _ = writeln!(out, "{headline}");
    if let Some(why) = &found.unavailable {
        let _ = writeln!(out, "  {}", Safe::value(why));
    }
    for (fit, number) in found.fit.iter().zip(1..) {
        let mark = if number == 1 { "→" } else { " " };
        let until = day(fit.certificate.not_after());
        let by = believed(fit.believed.name(), &fit.revocation);
        let _ =
            writeln!(out, "{mark} {}  {until}  {}  {by}{}", short(&fit.certificate), fit.origin.name(), at(fit, lang));
    }
    for one in &found.unused {
        let why = one.why.to_string();
        let _ = writeln!(out, "✗ {}  {}  {}", short(&one.certificate), one.origin.name(), Safe::value(&why));
    }
    out
}

fn at(fit: &Fit, lang: Lang) -> String {
    let place = fit.place.to_string();
    if fit.place.is_domain() {
        either(lang, format!("、{place} 全体"), format!(", for everybody in {place}"))
    } else if fit.is_folded {
        let place = Safe::address(&place).to_string();
        either(lang, format!("、大文字小文字の違う {place}"), format!(", for {place}, which differs in case"))
    } else {
        String::new()
    }
}

#[derive(Serialize)]
struct WireCertificate {
    sha256: String,
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    key: String,
}

impl WireCertificate {
    fn of(certificate: &Certificate) -> Self {
        Self {
            sha256: certificate.fingerprint_hex(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
            key: certificate.key().describe(),
        }
    }
}

#[derive(Serialize)]
struct WireEntry<'a> {
    directory: u32,
    #[serde(rename = "for")]
    place: String,
    is_domain: bool,
    state: &'a str,
    pinned: bool,
    source: &'a str,
    first_seen: String,
    last_seen: String,
    signed_at: Option<String>,
    capabilities: Option<String>,
    class: &'a str,
    anchor: &'a str,
    note: &'a str,
    certificate: WireCertificate,
}

/// An entry as a line for programs.
pub(super) fn entry_json(entry: &Entry) -> String {
    json(&WireEntry {
        directory: VERSION,
        place: entry.place.to_string(),
        is_domain: entry.place.is_domain(),
        state: entry.state.name(),
        pinned: entry.pinned,
        source: entry.source.name(),
        first_seen: entry.first_seen.to_string(),
        last_seen: entry.last_seen.to_string(),
        signed_at: entry.signed_at.map(|time| time.to_string()),
        capabilities: entry.capabilities.as_ref().map(Capabilities::to_string),
        class: &entry.class,
        anchor: &entry.anchor,
        note: &entry.note,
        certificate: WireCertificate::of(&entry.certificate),
    })
}

#[derive(Serialize)]
struct WireFit {
    #[serde(rename = "for")]
    place: String,
    origin: &'static str,
    pinned: bool,
    folded: bool,
    believed_by: &'static str,
    revocation: &'static str,
    capabilities: Option<String>,
    certificate: WireCertificate,
}

#[derive(Serialize)]
struct WireUnused {
    #[serde(rename = "for")]
    place: String,
    origin: &'static str,
    why: &'static str,
    detail: String,
    certificate: WireCertificate,
}

#[derive(Serialize)]
struct WireFound<'a> {
    directory: u32,
    address: String,
    outcome: &'static str,
    unavailable: Option<&'a str>,
    fit: Vec<WireFit>,
    unused: Vec<WireUnused>,
}

/// The same for programs.
pub(super) fn found_json(address: &Address, found: &Found) -> String {
    let fit = found.fit.iter().map(|fit| WireFit {
        place: fit.place.to_string(),
        origin: fit.origin.name(),
        pinned: fit.pinned,
        folded: fit.is_folded,
        believed_by: fit.believed.name(),
        revocation: match fit.revocation {
            Revocation::Good => "good",
            Revocation::NotOffered => "not-offered",
            Revocation::Unknown(_) => "unknown",
        },
        capabilities: fit.capabilities.as_ref().map(Capabilities::to_string),
        certificate: WireCertificate::of(&fit.certificate),
    });
    let unused = found.unused.iter().map(|one| WireUnused {
        place: one.place.to_string(),
        origin: one.origin.name(),
        why: one.why.name(),
        detail: one.why.to_string(),
        certificate: WireCertificate::of(&one.certificate),
    });
    let outcome = match (found.best(), &found.unavailable) {
        (Some(_), _) => "known",
        (None, Some(_)) => "unavailable",
        (None, None) => "absent",
    };
    let wire = WireFound {
        directory: VERSION,
        address: address.to_string(),
        outcome,
        unavailable: found.unavailable.as_deref(),
        fit: fit.collect(),
        unused: unused.collect(),
    };
    format!("{}\n", json(&wire))
}

pub(super) fn json(value: &impl Serialize) -> String {
    safe::json(&serde_json::to_string(value).unwrap_or_default())
}
