//! The expert part: what stands in the mail and its certificates, laid out. Texts stay as they were found; they are
//! escaped where they are shown.

use std::fmt::Write;

use kakitome_pki::algorithm::{AlgorithmIdentifier, Digest, Signature as Algorithm};
use kakitome_pki::asn1::oid;
use kakitome_pki::cert;
use kakitome_pki::cert::name::Name;
use kakitome_pki::crypto;
use kakitome_pki::path::revocation::Status;
use kakitome_pki::path::{Anchor, ValidPath};
use kakitome_smime::Finding;
use kakitome_smime::cms::attribute::Attribute;
use kakitome_smime::cms::signed::SignedData;
use kakitome_smime::cms::verify::{Countersigned, Outcome, VerifiedSignature};
use kakitome_smime::message::open::{Layer, ListedLayer, Opened};
use kakitome_smime::message::protect::{Protected, Protection};
use kakitome_smime::mime::header::Header as MimeHeader;
use kakitome_smime::mime::scan::Structure;

use crate::answer::{
    Certificate, Expert, Header, HeaderState, Part, PathStep, Revocation, Revoked, Signature, SignedBy,
};

/// The expert part shows at most this many parts of a mail.
const PARTS_SHOWN: usize = 200;
/// Header fields that are shown even where no signature covers them.
const SHOWN: [&str; 9] =
    ["From", "Sender", "Reply-To", "To", "Cc", "Date", "Subject", "Message-ID", "Authentication-Results"];

/// The MIME tree, with what is inside CMS objects below it.
pub(super) fn structure(opened: &Opened) -> Expert {
    let mut tree = Vec::new();
    let (mut this, mut depth, mut all_signed) = (Some(opened), 0u16, false);
    while let Some(opened) = this {
        let signed = match &opened.layer {
            Layer::Signed(layer) => Some(&**layer),
            _ => None,
        };
        // A part that is a layer itself stands in the structure around it already.
        if depth == 0 || opened.octets.is_some() {
            let part = match &opened.layer {
                Layer::Listed(layer) => framed(&opened.structure, layer),
                _ => signed.and_then(|layer| layer.part),
            };
            parts(&opened.structure, depth, part, all_signed, &mut tree);
        }
        all_signed |= signed.is_some_and(|layer| !layer.clear);
        depth = depth.saturating_add(1);
        this = opened.inner();
    }
    Expert { tree, ..Expert::default() }
}

/// The part that is signed in the frame of a list: the first of the multipart/signed, if its signature verified.
fn framed(structure: &Structure, layer: &ListedLayer) -> Option<usize> {
    let Layer::Signed(signed) = &layer.inner.layer else { return None };
    signed.outcome.verified.as_ref().filter(|_| signed.clear)?;
    structure.entity(layer.part)?.parts.first().copied()
}

fn parts(structure: &Structure, depth: u16, signed_part: Option<usize>, all_signed: bool, tree: &mut Vec<Part>) {
    for (number, entity) in structure.entities.iter().enumerate().take(PARTS_SHOWN) {
        let mut signed = all_signed;
        let mut this = Some(number);
        while let Some(number) = this.filter(|_| !signed) {
            signed = Some(number) == signed_part;
            this = structure.entity(number).and_then(|entity| entity.parent);
        }
        tree.push(Part {
            depth: u16::try_from(entity.depth).unwrap_or(u16::MAX).saturating_add(depth),
            content_type: entity.content_type.essence(),
            bytes: entity.range.clone(),
            signed,
            filename: entity.file_name(),
        });
    }
}

/// The signer info, where there is exactly one.
pub(super) fn signature(signed: &SignedData) -> Option<Signature> {
    let [signer] = signed.signers.as_slice() else { return None };
    let digest = Digest::from_oid(&signer.digest_algorithm.oid);
    let algorithm = Algorithm::from_identifier(&signer.signature_algorithm, digest).ok().flatten();
    let mut attributes = Vec::new();
    for attribute in signer.signed_attributes.iter().flat_map(|signed| &*signed.attributes) {
        attributes.push((oid::describe(&attribute.kind), attribute_value(attribute)));
    }
    Some(Signature {
        version: u64::from(signer.version),
        digest: digest.map_or_else(|| signer.digest_algorithm.oid.to_string(), |digest| digest.name().to_owned()),
        algorithm: algorithm.map_or_else(|| oid::describe(&signer.signature_algorithm.oid), Algorithm::name),
        attributes,
        sha256: cert::hex(&crypto::sha256(&signer.signature)),
    })
}

/// Everybody who signed, where there is more than one.
pub(super) fn signers(outcome: &Outcome) -> Vec<SignedBy> {
    let codes = |findings: &[Finding]| findings.iter().map(|finding| finding.code.to_owned()).collect();
    let subject = |claimed: &Option<cert::Certificate>| claimed.as_ref().map(|one| one.subject().to_string());
    let mut found = Vec::new();
    for signer in &outcome.signers {
        found.push(SignedBy {
            subject: subject(&signer.claimed),
            depth: 0,
            holds: signer.verified.is_some(),
            signed_claimed: signer.verified.as_ref().and_then(VerifiedSignature::signing_time),
            findings: codes(&signer.findings),
        });
        let mut open: Vec<(u16, &Countersigned)> = signer.countersignatures.iter().rev().map(|one| (1, one)).collect();
        while let Some((depth, one)) = open.pop() {
            found.push(SignedBy {
                subject: subject(&one.claimed),
                depth,
                holds: one.holds,
                signed_claimed: one.signing_time,
                findings: codes(&one.findings),
            });
            open.extend(one.countersignatures.iter().rev().map(|inner| (depth.saturating_add(1), inner)));
        }
    }
    if found.len() > 1 { found } else { Vec::new() }
}

/// What an attribute says; of one that says nothing here, how long it is.
fn attribute_value(attribute: &Attribute) -> String {
    let octets = attribute.octets();
    match attribute.value().map(|value| value.to_string()) {
        Ok(text) if !text.is_empty() => text,
        _ => format!("{octets} octets"),
    }
}

/// The name of the algorithm of a certificate's signature.
pub(crate) fn algorithm(identifier: &AlgorithmIdentifier) -> String {
    let known = Algorithm::from_identifier(identifier, None).ok().flatten();
    known.map_or_else(|| oid::describe(&identifier.oid), Algorithm::name)
}

/// A certificate.
pub(crate) fn certificate(certificate: &cert::Certificate) -> Certificate {
    let extensions = certificate.extensions();
    let usages = extensions.extended_key_usage.iter().flatten().map(oid::describe).collect();
    Certificate {
        subject: written(certificate.subject()),
        issuer: written(certificate.issuer()),
        serial: certificate.serial_hex(),
        alternative_names: extensions.subject_alt_names.iter().map(ToString::to_string).collect(),
        key_usage: extensions
            .key_usage
            .map(|usage| usage.names())
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        extended_key_usage: usages,
        policies: extensions.policies.iter().flatten().map(oid::describe).collect(),
        key: certificate.key().describe(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        sha256: certificate.fingerprint_hex(),
    }
}

/// A name as RFC 4514 writes it.
fn written(name: &Name) -> String {
    let mut out = String::with_capacity(name.raw().len());
    // A string takes everything.
    let _ = write!(out, "{name}");
    out
}

/// A path, leaf first.
pub(super) fn path(certificates: &[cert::Certificate], anchor: Option<&Anchor>) -> Vec<PathStep> {
    let mut steps: Vec<PathStep> = certificates
        .iter()
        .filter(|certificate| anchor.is_none_or(|anchor| anchor.certificate != **certificate))
        .map(|certificate| PathStep {
            subject: written(certificate.subject()),
            anchor: false,
            source: "mail".to_owned(),
        })
        .collect();
    if let Some(anchor) = anchor {
        let source = super::steps::choice(anchor.source).name();
        let subject = written(anchor.certificate.subject());
        steps.push(PathStep { subject, anchor: true, source: source.to_owned() });
    }
    steps
}

/// What was found about revocation.
pub(super) fn revocation(path: &ValidPath, status: &Status) -> Vec<Revocation> {
    let row = |which: &cert::Certificate, source: &str, result| Revocation {
        subject: written(which.subject()),
        source: source.to_owned(),
        result,
        this_update: None,
        next_update: None,
    };
    let leaf = path.leaf();
    vec![match status {
        Status::Good { by, this_update, next_update, .. } => {
            Revocation { this_update: Some(*this_update), next_update: *next_update, ..row(leaf, by, Revoked::Good) }
        }
        Status::NoneOffered => row(leaf, "", Revoked::NotOffered),
        Status::Off => row(leaf, "", Revoked::Off),
        Status::Revoked { which, when, reason, .. } => {
            let reason = reason.map_or("unspecified", |reason| reason.name());
            row(which, "CRL", Revoked::Since(*when, reason.to_owned()))
        }
        Status::Unknown { which, .. } => row(which, "", Revoked::Unavailable),
    }]
}

/// The header fields that matter, outer and protected.
pub(super) fn headers(outer: &MimeHeader, protected: Option<&Protected>) -> Vec<Header> {
    let mut rows: Vec<Header> = Vec::new();
    for field in protected.iter().flat_map(|protected| &protected.fields) {
        rows.push(Header {
            name: field.name.clone(),
            outer: field.outer.clone(),
            protected: Some(field.inner.clone()),
            state: match field.protection {
                _ if !field.agrees() => HeaderState::Differs,
                Protection::Unprotected => HeaderState::Unprotected,
                Protection::SignedOnly => HeaderState::Signed,
                Protection::EncryptedOnly => HeaderState::Encrypted,
                Protection::SignedAndEncrypted => HeaderState::SignedAndEncrypted,
            },
        });
    }
    for name in SHOWN {
        if rows.iter().any(|row| row.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        for field in outer.all(name).take(10) {
            rows.push(Header {
                name: name.to_owned(),
                outer: Some(kakitome_smime::mime::header::decode(outer.value(field))),
                protected: None,
                state: HeaderState::Unprotected,
            });
        }
    }
    rows
}
