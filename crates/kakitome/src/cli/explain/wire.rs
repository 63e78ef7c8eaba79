//! The explanation for programs: one JSON object a line, version 1.

use kakitome_office::authority::Standing;
use kakitome_office::policy::plan::{Each, Planned, Withholding};
use kakitome_office::policy::sealing::Unsealable;
use kakitome_office::policy::{Authorised, Miss, Passed, Plan, Said, Source, Treatment, Wish};
use kakitome_smime::message::sign::Form;
use kakitome_verdict::safe;
use serde_json::{Value, json};

use super::Explained;

pub(super) fn line(explained: &Explained<'_>) -> String {
    let plan = explained.plan;
    let misses = match &plan.unsigned {
        Some(Passed::NotAuthorised(misses)) => misses.iter().map(miss).collect(),
        _ => Vec::new(),
    };
    let only = match plan.copies.as_slice() {
        [copy] if plan.withheld.is_empty() => Some(copy),
        _ => None,
    };
    let object = json!({
        "version": 1,
        "mail": explained.name,
        "outcome": match (only, plan.copies.is_empty()) {
            (Some(copy), _) => outcome(copy),
            (None, true) => "withheld",
            (None, false) => "split",
        },
        "form": only.and_then(|copy| form(plan, copy)),
        "reason": only.and_then(|copy| copy.signing.as_ref().err()).map(passed),
        "author": plan.author.as_ref().map(ToString::to_string),
        "origin": {
            "class": plan.origin.class,
            "client": plan.origin.client,
            "login": plan.origin.login,
            "certificate": plan.origin.certificate.as_ref().map(|shown| &shown.name),
            "issuer": plan.origin.certificate.as_ref().map(|shown| &shown.issuer),
        },
        "senders_rule": match plan.authorised {
            Some(Authorised::Rule(number)) => Some(number),
            Some(Authorised::Everybody) | None => None,
        },
        "senders_missed": misses,
        "asked_for": match &plan.wish {
            Wish::None => Value::Null,
            Wish::Intent(said) => json!({ "intent": said.value, "by": source(*said) }),
            Wish::Unreadable(value) => json!({ "unreadable": value }),
        },
        "stripped": explained.is_stripped,
        "remarks": explained.remarks,
        "recipients": plan.each.iter().map(each).collect::<Vec<_>>(),
        "copies": plan.copies.iter().map(|copy| json!({
            "to": names(plan, &copy.recipients),
            "outcome": outcome(copy),
            "form": form(plan, copy),
            "reason": copy.signing.as_ref().err().map(passed),
            "treatment": treatment(&copy.treatment),
            "cipher": copy.sealing.as_ref().map(|sealing| sealing.cipher.name()),
            "readers": copy.sealing.as_ref().map(|sealing| {
                sealing.readers.iter().map(|reader| reader.certificate.serial_hex()).collect::<Vec<_>>()
            }),
        })).collect::<Vec<_>>(),
        "withheld": plan.withheld.iter().map(|withheld| json!({
            "from": names(plan, &withheld.recipients),
            "held": withheld.is_held,
            "why": match &withheld.why {
                Withholding::Intent(_) => json!("intent"),
                Withholding::Unsignable(_) => json!("mail"),
                Withholding::Unsealable(missing) => {
                    missing.iter().flat_map(|(place, _)| names(plan, &[*place])).collect()
                }
            },
        })).collect::<Vec<_>>(),
        "certificates": explained.certificates.map(|listed| {
            let one = |one: &kakitome_office::authority::Listed| json!({
                "serial": one.serial,
                "from": one.from.to_string(),
                "until": one.until.to_string(),
                "standing": standing(one.standing),
            });
            listed.iter().map(one).collect::<Vec<_>>()
        }),
    });
    format!("{}\n", safe::json(&object.to_string()))
}

const fn outcome(copy: &Planned) -> &'static str {
    match (&copy.signing, &copy.sealing) {
        (_, Some(_)) => "sealed",
        (Ok(_), None) => "signed",
        (Err(_), None) => "passed",
    }
}

fn form(plan: &Plan<'_>, copy: &Planned) -> Option<&'static str> {
    let ready = plan.signings.get(*copy.signing.as_ref().ok()?)?;
    Some(if ready.form == Form::Clear { "clear" } else { "opaque" })
}

fn passed(passed: &Passed) -> Value {
    json!({ "code": passed.code(), "text": passed.to_string() })
}

fn names<'a>(plan: &'a Plan<'_>, places: &[usize]) -> Vec<&'a str> {
    places.iter().filter_map(|place| plan.each.get(*place)).map(|each| each.to.as_str()).collect()
}

fn each(each: &Each) -> Value {
    let found = each.found.as_ref();
    json!({
        "to": each.to,
        "treatment": treatment(&each.treatment),
        "encrypt": { "value": each.encrypt.value, "by": source(each.encrypt) },
        "disclosed": each.is_disclosed,
        "certificate": found.and_then(|found| found.reader.as_ref()).map(|reader| json!({
            "serial": reader.certificate.serial_hex(),
            "until": reader.certificate.not_after().to_string(),
            "capabilities": reader.capabilities.as_ref().map(ToString::to_string),
        })),
        "not_used": found.map(|found| {
            found.unused.iter().map(|unused| json!({ "certificate": unused.name, "why": unused.why })).collect::<Vec<_>>()
        }),
        "unsealable": each.unsealable.map(|why| match why {
            Unsealable::NoCertificate => json!("no-certificate"),
            Unsealable::Unavailable => json!("unavailable"),
            Unsealable::TooLarge { size, limit } => json!({ "size": size, "limit": limit }),
        }),
    })
}

fn miss(miss: &Miss) -> Value {
    let (what, found) = match miss {
        Miss::Class(found) => ("class", found.clone()),
        Miss::Network(found) => ("network", found.map(|found| found.to_string())),
        Miss::Login(found) => ("login", found.clone()),
        Miss::Certificate(found) => ("certificate", found.clone()),
        Miss::From => ("from", None),
        Miss::FromCase => ("from-case", None),
    };
    json!({ "missing": what, "found": found })
}

fn treatment(treatment: &Treatment) -> Value {
    json!({
        "sign": { "value": treatment.sign.value, "by": source(treatment.sign) },
        "encrypt": { "value": treatment.encrypt.value, "by": source(treatment.encrypt) },
        "hide": { "value": treatment.hide.value, "by": source(treatment.hide) },
        "cipher_floor": { "value": treatment.cipher_floor.value, "by": source(treatment.cipher_floor) },
        "rsa": { "value": treatment.rsa.value, "by": source(treatment.rsa) },
        "sender_may_lower": { "value": treatment.sender_may_lower.value, "by": source(treatment.sender_may_lower) },
        "header_protection": { "value": treatment.header_protection.value, "by": source(treatment.header_protection) },
        "digest": { "value": treatment.digest.value, "by": source(treatment.digest) },
        "max_size": { "value": treatment.max_size.value, "by": source(treatment.max_size) },
    })
}

fn source<T>(said: Said<T>) -> Value {
    match said.by {
        Source::Rule(number) => json!({ "rule": number }),
        Source::Profile(name) => json!({ "profile": name }),
        Source::Tag(number) => json!({ "tag": number }),
        Source::Default => json!("default"),
        Source::Learned => json!("learned"),
        Source::Field => json!("field"),
        Source::Opened => json!("opened"),
        Source::Home => json!("home"),
        Source::Together => json!("together"),
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Signs => "signs",
        Standing::Due => "due",
        Standing::Older => "older",
        Standing::NotValid => "not-valid",
        Standing::Revoked => "revoked",
        Standing::Unfinished => "unfinished",
    }
}
