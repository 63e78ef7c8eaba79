//! Members as people and programs read them.

use kakitome_office::authority::Order;
use kakitome_office::enrolment::calendar::day;
use kakitome_office::enrolment::lack::Ends;
use kakitome_office::members::{Kind, Member, Use};
use kakitome_pki::asn1::time::Time;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::{self, Safe};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

/// Widths of the columns of addresses, names and units.
const WIDTHS: [usize; 3] = [32, 20, 14];

/// A line for each member, and how many there are.
pub(super) fn lines(members: &[Member], ends: &Ends, now: Time, lang: Lang) -> String {
    let mut out = String::new();
    let heads = match lang {
        Lang::Ja => ["アドレス", "氏名", "部署", "署名の期限", "暗号の期限"],
        Lang::En => ["address", "name", "unit", "signs until", "opens until"],
    };
    out.push_str(&row(&heads.map(str::to_owned)));
    for member in members {
        let address = member.primary().map(ToString::to_string).unwrap_or_default();
        let until = |signs| ends.until(&address, signs).map_or_else(|| "-".to_owned(), day);
        let (signs, opens) = if member.is_active(now) {
            (until(true), until(false))
        } else {
            let left = lang.pick("退職", "left");
            (left.to_owned(), member.leaving.as_ref().map(|leaving| day(leaving.at)).unwrap_or_default())
        };
        let shown = |text: &str| Safe::value(text).to_string();
        out.push_str(&row(&[shown(&address), shown(&member.name), shown(&member.unit), signs, opens]));
    }
    let count = members.len();
    out.push_str(&match lang {
        Lang::Ja => format!("{count}人\n"),
        Lang::En => format!("{count} {}\n", if count == 1 { "member" } else { "members" }),
    });
    out
}

fn row(cells: &[String; 5]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        let width = WIDTHS.get(at).copied().unwrap_or(10);
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
        line.push_str("  ");
    }
    format!("{}\n", line.trim_end())
}

/// Everything about one.
pub(super) fn one(member: &Member, ends: &Ends, waiting: &[Order], now: Time, lang: Lang) -> String {
    let mut out = format!("{}\n", Safe::value(&member.to_string()));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let gap = " ".repeat(10usize.saturating_sub(name.width()));
            out.push_str(&format!("  {name}{gap}{}\n", Safe::value(value)));
        }
    };
    line(lang.pick("番号", "number"), member.number.as_deref().unwrap_or_default());
    line(lang.pick("部署", "unit"), &member.unit);
    if member.kind == Kind::Role {
        line(lang.pick("種別", "kind"), lang.pick("役割・共有", "role"));
    }
    line(lang.pick("登録", "since"), &format!("{} ({})", day(member.made_at), member.source.name()));
    if let Some(leaving) = &member.leaving {
        let name =
            if member.is_active(now) { lang.pick("退職予定", "leaves") } else { lang.pick("退職", "left") };
        line(name, format!("{} {}", leaving.at, leaving.note).trim());
    }
    for owned in &member.addresses {
        let address = owned.address.to_string();
        let used = match (owned.used, lang) {
            (Use::Primary, Lang::Ja) => "主",
            (Use::Further, Lang::Ja) => "別",
            (Use::Tagged, Lang::Ja) => "＋付き",
            (used, Lang::En) => used.name(),
        };
        let until = |signs| ends.until(&address, signs).map_or_else(|| "-".to_owned(), day);
        let (signs, opens) = (lang.pick("署名", "signs until"), lang.pick("暗号", "opens until"));
        line(
            lang.pick("アドレス", "address"),
            &format!("{address} ({used}), {signs} {}, {opens} {}", until(true), until(false)),
        );
        for order in waiting.iter().filter(|order| order.address == address) {
            let (issuer, state, since) = (&order.issuer, order.state.name(), day(order.made_at));
            let trouble = if order.trouble.is_empty() { String::new() } else { format!(": {}", order.trouble) };
            let words = match lang {
                Lang::Ja => format!("{address}: {issuer} に申請中（{since}から、{state}）{trouble}"),
                Lang::En => format!("{address}: asked of {issuer} since {since}, {state}{trouble}"),
            };
            line(lang.pick("申請", "request"), &words);
        }
    }
    out
}

/// All of them for programs.
pub(super) fn json(members: &[Member], ends: &Ends, now: Time) -> String {
    let all: Vec<Value> = members.iter().map(|member| value(member, ends, now)).collect();
    text(&json!({ "members": all }))
}

/// One for programs.
pub(super) fn one_json(member: &Member, ends: &Ends, waiting: &[Order], now: Time) -> String {
    let mut shown = value(member, ends, now);
    let is_his = |order: &&Order| member.addresses.iter().any(|owned| owned.address.to_string() == order.address);
    let requests: Vec<Value> = waiting
        .iter()
        .filter(is_his)
        .map(|order| {
            json!({
                "address": order.address, "issuer": order.issuer, "state": order.state.name(),
                "since": order.made_at.to_string(), "trouble": order.trouble,
            })
        })
        .collect();
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("requests".to_owned(), Value::from(requests));
    }
    text(&shown)
}

fn text(value: &Value) -> String {
    format!("{}\n", safe::json(&serde_json::to_string_pretty(value).unwrap_or_default()))
}

fn value(member: &Member, ends: &Ends, now: Time) -> Value {
    let addresses: Vec<Value> = member
        .addresses
        .iter()
        .map(|owned| {
            let address = owned.address.to_string();
            let until = |signs| ends.until(&address, signs).map(|time| time.to_string());
            json!({ "address": address, "use": owned.used.name(), "signs_until": until(true), "opens_until": until(false) })
        })
        .collect();
    json!({
        "address": member.primary().map(ToString::to_string),
        "name": member.name,
        "number": member.number,
        "kind": member.kind.name(),
        "unit": member.unit,
        "source": member.source.name(),
        "since": member.made_at.to_string(),
        "active": member.is_active(now),
        "leaves": member.leaving.as_ref().map(|leaving| leaving.at.to_string()),
        "note": member.leaving.as_ref().map(|leaving| leaving.note.clone()),
        "addresses": addresses,
    })
}
