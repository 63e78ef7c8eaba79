//! Revocation lists and OCSP responses.

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::crl::{Crl, Revoked};
use kakitome_pki::cert::file::Kind;
use kakitome_pki::cert::hex;
use kakitome_pki::cert::ocsp::{CertStatus, OcspResponse, Responder};
use kakitome_pki::cert::point::PointName;

use super::certificate::{self, is_weak, name};
use super::{Field, Note, Object, Value};
use crate::sender::expert;

/// Entries of a list, or answers of a response, that are shown one by one; the rest is counted.
const ENTRIES_SHOWN: usize = 20;

pub(super) fn list(raw: &[u8]) -> Object {
    let list = match Crl::parse(raw) {
        Ok(list) => list,
        Err(malformed) => return Object::unreadable(Kind::List, malformed),
    };
    let mut object = Object::new(Kind::List);
    object.title = list.issuer().short();
    object.text(Field::Issuer, list.issuer().to_string());
    object.text(Field::Number, list.number().map(number).unwrap_or_default());
    object.text(Field::Base, list.base().map(number).unwrap_or_default());
    object.time(Field::ThisUpdate, Some(list.this_update()));
    object.time(Field::NextUpdate, list.next_update());
    object.list(Field::Scope, scope(&list));
    object.fields.push((Field::Count, Value::Number(u64::try_from(list.len()).unwrap_or(u64::MAX))));
    let entries = list.entries().take(ENTRIES_SHOWN).map(|(serial, revoked, issuer)| {
        let of = issuer.map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
        format!("{} {}{of}", hex(serial), told(&revoked))
    });
    object.list(Field::Revoked, entries);
    object.text(Field::Signature, expert::algorithm(list.signature_algorithm()));
    object.fields.push((Field::Sha256, Value::Hash(*list.fingerprint())));
    more(&mut object, list.len());
    if is_weak(list.signature_algorithm()) {
        object.note(Note::WeakSignature, expert::algorithm(list.signature_algorithm()));
    }
    if let Some(unknown) = list.unknown_critical() {
        object.note(Note::UnknownCritical, oid::describe(&unknown));
    }
    object
}

fn more(object: &mut Object, count: usize) {
    let more = count.saturating_sub(ENTRIES_SHOWN);
    if more > 0 {
        object.note(Note::More, more.to_string());
    }
}

fn told(revoked: &Revoked) -> String {
    let reason = revoked.reason.map(|reason| format!(" {}", reason.name())).unwrap_or_default();
    format!("{}{reason}", revoked.when)
}

/// A number as people write it, where it is one that they would.
fn number(magnitude: &[u8]) -> String {
    let small = magnitude.iter().try_fold(0u64, |sum, octet| sum.checked_mul(256)?.checked_add(u64::from(*octet)));
    small.map_or_else(|| format!("0x{}", hex(magnitude)), |number| number.to_string())
}

/// What the issuing distribution point limits the list to, in the standard's words.
fn scope(list: &Crl) -> Vec<String> {
    let scope = list.scope();
    let flags = [
        (scope.only_users, "onlyContainsUserCerts"),
        (scope.only_authorities, "onlyContainsCACerts"),
        (scope.only_attributes, "onlyContainsAttributeCerts"),
        (scope.reasons.is_some(), "onlySomeReasons"),
        (scope.indirect, "indirectCRL"),
    ];
    let names = match &scope.point {
        Some(PointName::Full(names)) => names.iter().map(name).collect(),
        Some(PointName::Relative(_)) => vec!["nameRelativeToCRLIssuer".to_owned()],
        None => Vec::new(),
    };
    let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    names.into_iter().chain(flags).collect()
}

pub(super) fn response(raw: &[u8]) -> Object {
    let response = match OcspResponse::parse(raw) {
        Ok(response) => response,
        Err(malformed) => return Object::unreadable(Kind::Response, malformed),
    };
    let mut object = Object::new(Kind::Response);
    let basic = match response.basic() {
        Ok(basic) => basic,
        Err(said) => {
            object.text(Field::Status, said);
            return object;
        }
    };
    object.text(Field::Status, "successful");
    object.text(
        Field::Responder,
        match basic.responder() {
            Responder::Name(name) => name.to_string(),
            Responder::Key(hash) => format!("key {}", hex(hash)),
        },
    );
    object.time(Field::ProducedAt, Some(basic.produced_at()));
    let answers = basic.all_answers();
    let told = answers.iter().take(ENTRIES_SHOWN).map(|answer| {
        let status = match answer.status {
            CertStatus::Good => "good".to_owned(),
            CertStatus::Revoked(revoked) => format!("revoked {}", told(&revoked)),
            CertStatus::Unknown => "unknown".to_owned(),
        };
        let until = answer.next_update.map(|next| format!(" to {next}")).unwrap_or_default();
        format!("{}: {status} (of {}{until})", hex(answer.serial()), answer.this_update)
    });
    object.list(Field::Answers, told);
    object.text(Field::Signature, expert::algorithm(basic.signature_algorithm()));
    more(&mut object, answers.len());
    if is_weak(basic.signature_algorithm()) {
        object.note(Note::WeakSignature, expert::algorithm(basic.signature_algorithm()));
    }
    let unknown = basic.unknown_critical().or_else(|| answers.iter().find_map(|answer| answer.unknown_critical));
    if let Some(unknown) = unknown {
        object.note(Note::UnknownCritical, oid::describe(&unknown));
    }
    object.inside = basic.certificates().iter().map(|one| certificate::certificate(one.raw())).collect();
    object
}
