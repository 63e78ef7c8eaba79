//! Nothing is signed that was not looked at as it will be: under a throw-away key of this run, which nobody can verify and
//! which ends with the process (S/MIME Baseline Requirements §4.3.1.2). What is wrong stops the issuing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kakitome_pki::asn1::oid;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::examine::examine;
use kakitome_pki::crypto::{Curve, KeyKind, PublicKey, SigningKey};
use kakitome_pki::identity::{Lint, lint_as_mailbox};
use kakitome_pki::issue::{Issuance, ListDraft, lint_list};
use kakitome_pki::path;

use crate::fault::Fault;

/// A serial number has at least this many octets: 64 unpredictable bits (S/MIME Baseline Requirements §7.1).
const SERIAL_OCTETS: usize = 8;

/// What a certificate is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A member's.
    Member {
        /// Does it name where more is to be found?
        is_published: bool,
        /// The CAs above it, the lowest first: each may be limited to some names.
        above: &'a [Certificate],
    },
    /// A CA's.
    Authority,
    /// An OCSP responder's.
    Responder,
}

/// Looks at a certificate that the holder of `issuer` is going to sign: everything that is wrong with it, none if it may be
/// signed.
pub(super) fn certificate(issuance: &Issuance, issuer: &PublicKey, kind: Kind<'_>) -> Result<Vec<String>, Fault> {
    let der = issuance.rehearse(&*throw_away(issuer)?).map_err(Fault::bug)?;
    Ok(wrong(&der, kind))
}

/// Looks at a list in the same way.
pub(super) fn list(draft: &ListDraft, issuer: &PublicKey) -> Result<Vec<String>, Fault> {
    let der = draft.rehearse(&*throw_away(issuer)?).map_err(Fault::bug)?;
    Ok(match Crl::parse(&der) {
        Ok(list) => lint_list(&list).into_iter().map(str::to_owned).collect(),
        Err(malformed) => vec![malformed.to_string()],
    })
}

/// What is wrong with a certificate of ours.
fn wrong(der: &[u8], kind: Kind<'_>) -> Vec<String> {
    let examined = examine(der);
    let mut wrong: Vec<String> = examined
        .flaws
        .iter()
        .map(|found| format!("{}: {} {}", found.flaw.code(), found.flaw.explain(), found.detail))
        .collect();
    let Some(certificate) = examined.certificate else { return wrong };
    if let Kind::Member { is_published, above } = kind {
        wrong.extend(path::allows(&certificate, above).err().map(|problem| problem.to_string()));
        let lints = lint_as_mailbox(&certificate);
        let lints = lints.into_iter().filter(|lint| !is_known(*lint, is_published));
        wrong.extend(lints.map(|lint| format!("{}: {}", lint.code(), lint.explain())));
    }
    let extensions = certificate.extensions();
    let usages = extensions.extended_key_usage.as_deref().unwrap_or_default();
    let is_ca = extensions.basic_constraints.is_some_and(|constraints| constraints.ca);
    let mut note = |what: &str, holds: bool| {
        if holds {
            wrong.push(what.to_owned());
        }
    };
    note("the serial number is shorter than 64 bits", certificate.serial().len() < SERIAL_OCTETS);
    // No auditor looks at this CA: whoever claims his policies deceives.
    note("it claims a policy", extensions.policies.is_some());
    note("it says nothing of which key signed it", extensions.authority_key_id.is_none());
    note("it says nothing of which key it is for", extensions.subject_key_id.is_none());
    note("it is a CA's, or is none", is_ca != (kind == Kind::Authority));
    let is_responder = kind == Kind::Responder;
    note(
        "a responder's usages stand where they may not, or are missing",
        is_responder != usages.contains(&oid::OCSP_SIGNING),
    );
    note("only a responder may leave out where its revocation is told", is_responder != extensions.ocsp_no_check);
    wrong
}

/// What is as it is on purpose: a CA that publishes nothing names no places, and the places may be behind https, if that is
/// the address that the operator gave.
fn is_known(lint: Lint, is_published: bool) -> bool {
    match lint {
        Lint::NoCrlPoint | Lint::NoIssuerUrl => !is_published,
        Lint::CrlPointScheme | Lint::AccessScheme => true,
        _ => false,
    }
}

/// The kind of key that signs like this one.
pub(super) fn kind_like(like: &PublicKey) -> Result<KeyKind, Fault> {
    Ok(match like {
        PublicKey::Rsa { bits: 0..=2048, .. } => KeyKind::Rsa2048,
        PublicKey::Rsa { bits: 2049..=3072, .. } => KeyKind::Rsa3072,
        PublicKey::Rsa { .. } => KeyKind::Rsa4096,
        PublicKey::Ec { curve: Curve::P256, .. } => KeyKind::P256,
        PublicKey::Ec { curve: Curve::P384, .. } => KeyKind::P384,
        PublicKey::Ec { curve: Curve::P521, .. } => KeyKind::P521,
        PublicKey::Ed25519(_) => KeyKind::Ed25519,
        PublicKey::MlDsa(set, _) => KeyKind::MlDsa(*set),
        other => return Err(Fault::bug(format!("a CA cannot sign with a key of this kind: {}", other.describe()))),
    })
}

/// The throw-away key of this run that signs like the holder of this key.
fn throw_away(like: &PublicKey) -> Result<Arc<SigningKey>, Fault> {
    static KEYS: Mutex<Option<HashMap<String, Arc<SigningKey>>>> = Mutex::new(None);
    // An RSA key of any size is named by the same algorithm, and the smallest signs three times as fast: nothing that is
    // looked at depends on the size of this signature, and a large run makes one for each certificate.
    let kind = match kind_like(like)? {
        KeyKind::Rsa3072 | KeyKind::Rsa4096 => KeyKind::Rsa2048,
        other => other,
    };
    // Held while a key is made: the second who asks would only make another one.
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = keys.get_or_insert_default();
    if let Some(key) = keys.get(&format!("{kind:?}")) {
        return Ok(Arc::clone(key));
    }
    let key = Arc::new(SigningKey::generate(kind).map_err(Fault::bug)?);
    keys.insert(format!("{kind:?}"), Arc::clone(&key));
    Ok(key)
}

#[cfg(test)]
mod tests {
    use kakitome_pki::asn1::write as der;
    use kakitome_testkit::{CertificateFactory, Pki, write};

    use super::*;

    fn found(certificate: &CertificateFactory, kind: Kind<'_>) -> String {
        wrong(certificate.clone().issued_by(&Pki::get().rp).raw(), kind).join("\n")
    }

    #[test]
    fn what_would_be_odd_is_found() {
        let member = || {
            let address = "taro@example.test";
            CertificateFactory::signer(&[(oid::COMMON_NAME, address)], &[address], "taro").with(
                oid::KEY_USAGE,
                true,
                der::named_bits(&[0]),
            )
        };
        let plain = Kind::Member { is_published: false, above: &[] };
        assert_eq!(found(&member(), plain), "");
        let rows = [
            (member(), Kind::Member { is_published: true, above: &[] }, "lint.no-crl-point"),
            (member().with(oid::KEY_USAGE, true, der::named_bits(&[0, 5])), plain, "lint.ku"),
            (member().with(oid::EXTENDED_KEY_USAGE, false, write::usages(&[oid::SERVER_AUTH])), plain, "lint.eku"),
            (member().without(oid::SUBJECT_ALT_NAME), plain, "lint.no-mailbox"),
            (member().policies(&[Pki::policy(1, 2)]), plain, "it claims a policy"),
            (member(), Kind::Authority, "it is a CA's, or is none"),
            (member(), Kind::Responder, "a responder's usages"),
        ];
        for (certificate, kind, words) in rows {
            let said = found(&certificate, kind);
            assert!(said.contains(words), "{words}: {said:?}");
        }
    }
}
