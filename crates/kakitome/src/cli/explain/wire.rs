//! The explanation for programs: one JSON object a line, version 1.

use kakitome_office::authority::Standing;
use kakitome_office::policy::{Authorised, Miss, Passed, Said, Source, Treatment};
use kakitome_smime::message::sign::Form;
use kakitome_verdict::safe;
use serde_json::{Value, json};

use super::Explained;

pub(super) fn line(explained: &Explained<'_>) -> String {
    let plan = explained.plan;
    let (form, passed) = match &plan.outcome {
        Ok(ready) => (Some(if ready.form == Form::Clear { "clear" } else { "opaque" }), None),
        Err(passed) => (None, Some(json!({ "code": passed.code(), "text": passed.to_string() }))),
    };
    let misses = match &plan.outcome {
        Err(Passed::NotAuthorised(misses)) => misses.iter().map(miss).collect(),
        _ => Vec::new(),
    };
    let object = json!({
        "version": 1,
        "mail": explained.name,
        "outcome": if form.is_some() { "signed" } else { "passed" },
        "form": form,
        "reason": passed,
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
        "recipients": plan.each.iter().map(|(to, one)| json!({ "to": to, "treatment": treatment(one) })).collect::<Vec<_>>(),
        "for_all": plan.outcome.as_ref().ok().map(|ready| treatment(&ready.treatment)),
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
        "header_protection": { "value": treatment.header_protection.value, "by": source(treatment.header_protection) },
        "digest": { "value": treatment.digest.value, "by": source(treatment.digest) },
        "max_size": { "value": treatment.max_size.value, "by": source(treatment.max_size) },
    })
}

fn source<T>(said: Said<T>) -> Value {
    match said.by {
        Source::Rule(number) => json!({ "rule": number }),
        Source::Profile(name) => json!({ "profile": name }),
        Source::Default => json!("default"),
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
