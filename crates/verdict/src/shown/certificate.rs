//! Certificates and requests for them.

use kakitome_pki::algorithm::{AlgorithmIdentifier, Signature};
use kakitome_pki::asn1::{Oid, oid};
use kakitome_pki::cert::examine::{Examined, examine};
use kakitome_pki::cert::extension::Extensions;
use kakitome_pki::cert::file::Kind;
use kakitome_pki::cert::hex;
use kakitome_pki::cert::name::{GeneralName, Name};
use kakitome_pki::cert::request::Request;
use kakitome_pki::crypto;

use super::{Field, Note, Object, Remark, Value};
use crate::certificate::lints;
use crate::sender::expert;

/// Extensions that have a line of their own, or say nothing to a reader.
const SHOWN: [Oid; 11] = [
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::CERTIFICATE_POLICIES,
    oid::NAME_CONSTRAINTS,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::AUTHORITY_INFO_ACCESS,
    oid::OCSP_NO_CHECK,
];

pub(super) fn certificate(raw: &[u8]) -> Object {
    let examined = examine(raw);
    let mut object = Object::new(Kind::Certificate);
    object.title = examined.subject.as_ref().map(Name::short).unwrap_or_default();
    object.text(Field::Subject, examined.subject.as_ref().map(ToString::to_string).unwrap_or_default());
    object.text(Field::Issuer, examined.issuer.as_ref().map(ToString::to_string).unwrap_or_default());
    object.text(Field::Serial, examined.serial.as_deref().map(hex).unwrap_or_default());
    if let Some(version) = examined.version.filter(|version| *version != 3) {
        object.fields.push((Field::Version, Value::Number(version.into())));
    }
    object.time(Field::NotBefore, examined.not_before);
    object.time(Field::NotAfter, examined.not_after);
    extensions(&mut object, &examined.extensions, |object| key(object, &examined));
    if let Some(algorithm) = &examined.algorithm {
        object.text(Field::Signature, expert::algorithm(algorithm));
    }
    object.fields.push((Field::Sha256, Value::Hash(examined.fingerprint)));
    if let Some(spki) = &examined.spki {
        object.fields.push((Field::KeySha256, Value::Hash(crypto::sha256(spki))));
    }
    object.remarks.extend(examined.flaws.into_iter().map(Remark::Flaw));
    // An anchor's own signature is never looked at.
    let is_self_issued = examined.certificate.as_ref().is_some_and(|certificate| certificate.is_self_issued());
    if let Some(algorithm) = examined.algorithm.as_ref().filter(|algorithm| !is_self_issued && is_weak(algorithm)) {
        object.note(Note::WeakSignature, expert::algorithm(algorithm));
    }
    object.remarks.extend(examined.certificate.iter().flat_map(lints).map(Remark::Lint));
    object
}

fn key(object: &mut Object, examined: &Examined) {
    object.text(Field::Key, examined.key.as_ref().map(|key| key.describe()).unwrap_or_default());
}

/// Can a signature by this algorithm be forged today?
pub(super) fn is_weak(algorithm: &AlgorithmIdentifier) -> bool {
    Signature::from_identifier(algorithm, None).ok().flatten().is_some_and(Signature::is_weak)
}

pub(super) fn request(raw: &[u8]) -> Object {
    let request = match Request::parse(raw) {
        Ok(request) => request,
        Err(malformed) => return Object::unreadable(Kind::Request, malformed),
    };
    let mut object = Object::new(Kind::Request);
    object.title = request.subject().short();
    object.text(Field::Subject, request.subject().to_string());
    let describe = request.key().describe();
    extensions(&mut object, request.extensions(), |object| object.text(Field::Key, describe));
    object.list(Field::Attributes, request.attributes().iter().map(oid::describe));
    object.text(Field::Signature, expert::algorithm(request.signature_algorithm()));
    let proven = request.verify_signature();
    object.fields.push((Field::Proof, Value::Flag(proven.is_ok())));
    object.fields.push((Field::Sha256, Value::Hash(*request.fingerprint())));
    object.fields.push((Field::KeySha256, Value::Hash(crypto::sha256(request.spki()))));
    if let Err(why) = proven {
        object.note(Note::Unproven, why.to_string());
    }
    if is_weak(request.signature_algorithm()) {
        object.note(Note::WeakSignature, expert::algorithm(request.signature_algorithm()));
    }
    if request.key().is_weak() {
        object.note(Note::WeakKey, request.key().describe());
    }
    object
}

/// What extensions say, the key where a reader looks for it: behind the names.
fn extensions(object: &mut Object, extensions: &Extensions, key: impl FnOnce(&mut Object)) {
    object.list(Field::AlternativeNames, extensions.subject_alt_names.iter().map(name));
    key(object);
    let usage = extensions.key_usage.map(|usage| usage.names()).unwrap_or_default();
    object.list(Field::KeyUsage, usage.into_iter().map(str::to_owned));
    object.list(Field::ExtendedKeyUsage, extensions.extended_key_usage.iter().flatten().map(oid::describe));
    if let Some(constraints) = extensions.basic_constraints.filter(|constraints| constraints.ca) {
        let depth = constraints.path_length.map(|length| format!(", pathLenConstraint {length}"));
        object.text(Field::Authority, format!("CA{}", depth.unwrap_or_default()));
    }
    if let Some(constraints) = &extensions.name_constraints {
        object.list(Field::Permitted, constraints.permitted.iter().map(name));
        object.list(Field::Excluded, constraints.excluded.iter().map(name));
    }
    object.list(Field::Policies, extensions.policies.iter().flatten().map(policy));
    object.list(Field::CrlUrls, extensions.crl_urls().map(str::to_owned));
    object.list(Field::OcspUrls, extensions.ocsp_urls.iter().cloned());
    object.list(Field::IssuerUrls, extensions.issuer_urls.iter().cloned());
    let others = extensions.listed.iter().filter(|(id, _)| !SHOWN.contains(id));
    object.list(
        Field::OtherExtensions,
        others.map(|(id, critical)| format!("{}{}", oid::describe(id), if *critical { " (critical)" } else { "" })),
    );
}

fn policy(policy: &Oid) -> String {
    oid::policy_name(policy).map_or_else(|| policy.to_string(), |name| format!("{policy} ({name})"))
}

/// A name with its form, but for mailboxes, which are what this is about.
pub(super) fn name(name: &GeneralName) -> String {
    match name {
        GeneralName::Mailbox(text) | GeneralName::MailboxUtf8(text) => text.clone(),
        GeneralName::Dns(text) => format!("DNS:{text}"),
        GeneralName::Directory(name) => format!("DN:{name}"),
        GeneralName::Uri(text) => format!("URI:{text}"),
        GeneralName::Ip(octets) => format!("IP:{}", address(octets)),
        GeneralName::Other(text) => text.clone(),
    }
}

/// An address, and behind a stroke the mask of a constraint.
fn address(octets: &[u8]) -> String {
    // The types that know no socket.
    use core::net::{Ipv4Addr, Ipv6Addr};
    let one = |octets: &[u8]| {
        let four = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).to_string());
        four.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).to_string())).ok()
    };
    let half = octets.len() / 2;
    one(octets)
        .or_else(|| {
            let (address, mask) = octets.split_at_checked(half)?;
            Some(format!("{}/{}", one(address)?, one(mask)?))
        })
        .unwrap_or_else(|| hex(octets))
}
