//! CMS layers.

use std::io;

use kakitome_pki::algorithm::{
    AlgorithmIdentifier, ContentEncryption, Digest, KeyAgreement, KeyTransport, Signature, password_wrap,
};
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{self, hex};

use super::{
    Attribute, Certificate, Compressed, Countersignature, Identifier, Layer, List, Protected, ProtectedField,
    RECIPIENTS_LISTED, Recipient, Remark, Reporter, Sealed, Signed, Signer, remarks,
};
use crate::cms::attribute::Attribute as CmsAttribute;
use crate::cms::enveloped::Enveloped;
use crate::cms::recipient::{RecipientIdentifier, RecipientInfo};
use crate::cms::signed::SignedData;
use crate::cms::signer::{SignerIdentifier, SignerInfo};
use crate::cms::verify::{Countersigned, Outcome, SignerOutcome};
use crate::message::open::{self, CompressedLayer, Opened, Seal, SealedLayer, SignedLayer};
use crate::message::protect;
use crate::octets::Octets;

impl Reporter<'_> {
    /// A layer, with what is inside; none where there is none. `around` are the octets in which it stands.
    pub(super) fn layer(
        &mut self,
        around: &dyn Octets,
        layer: &open::Layer,
        below_root: bool,
    ) -> io::Result<Option<Layer>> {
        let mut out = match layer {
            // What a list framed is a part below the root, and told there.
            open::Layer::NotAMail(_) | open::Layer::None | open::Layer::Fake(_) | open::Layer::Listed(_) => {
                return Ok(None);
            }
            open::Layer::Malformed(finding, held) => {
                let held = held.as_ref().map(|held| self.layer(around, held, below_root)).transpose()?.flatten();
                Layer { fault: Some(finding.into()), ..held.unwrap_or_default() }
            }
            open::Layer::Signed(layer) => signed_layer(layer),
            open::Layer::CertificatesOnly(signed) => Layer {
                kind: "certificates".to_owned(),
                signed: Some(signed_data(signed, &Outcome::default(), true)),
                findings: remarks(&signed.findings),
                ..Layer::default()
            },
            open::Layer::Sealed(layer) => sealed_layer(layer),
            open::Layer::Compressed(layer) => compressed_layer(layer),
            open::Layer::Unsupported(kind) => Layer { kind: oid::describe(kind), ..Layer::default() },
        };
        out.below_root = below_root;
        // Of a detached signature the content is a part of the mail; of the rest it was taken out.
        let inner = layer.inner().filter(|inner: &&Opened| inner.octets.is_some());
        if let Some(inner) = inner.filter(|_| out.content.is_none()) {
            out.content = Some(Box::new(self.content(around, inner, below_root)?));
        }
        Ok(Some(out))
    }
}

fn signed_layer(layer: &SignedLayer) -> Layer {
    let mut findings = remarks(&layer.signed.findings);
    findings.extend(remarks(&layer.findings));
    let of_signer = |remark: &Remark| {
        let same = |finding: &crate::Finding| finding.code == remark.code && finding.detail == remark.detail;
        layer.outcome.signers.iter().any(|signer| signer.findings.iter().any(same))
    };
    findings.extend(remarks(&layer.outcome.findings).into_iter().filter(|remark| !of_signer(remark)));
    findings.dedup();
    Layer {
        kind: "signed-data".to_owned(),
        signed: Some(signed_data(&layer.signed, &layer.outcome, layer.clear || layer.inner.is_none())),
        protected: layer.protected.as_ref().map(protected),
        findings,
        ..Layer::default()
    }
}

fn sealed_layer(layer: &SealedLayer) -> Layer {
    Layer {
        kind: layer.enveloped.kind.name().to_owned(),
        sealed: Some(sealed(&layer.enveloped, &layer.seal)),
        protected: layer.protected.as_ref().map(protected),
        findings: remarks(&layer.findings),
        ..Layer::default()
    }
}

fn compressed_layer(layer: &CompressedLayer) -> Layer {
    let compressed = &layer.compressed;
    Layer {
        kind: oid::describe(&oid::COMPRESSED_DATA),
        compressed: Some(Compressed {
            version: compressed.version,
            content_type: oid::describe(&compressed.content_type),
            algorithm: oid::describe(&compressed.algorithm.oid),
            compressed: compressed.compressed_len(),
            range: compressed.compressed_range(),
        }),
        findings: remarks(&layer.findings),
        ..Layer::default()
    }
}

fn signed_data(signed: &SignedData, outcome: &Outcome, detached: bool) -> Signed {
    let outcomes = outcome.signers.iter().map(Some).chain(std::iter::repeat(None));
    Signed {
        version: signed.version,
        content_type: oid::describe(&signed.content_type),
        detached,
        digests: signed.digest_algorithms.iter().map(digest_name).collect(),
        signers: signed.signers.iter().zip(outcomes).map(|(info, outcome)| signer(signed, info, outcome)).collect(),
        signer_count: signed.signer_count,
        certificates: signed.certificates.iter().map(certificate).collect(),
        lists: signed.crls.iter().map(|crl| list(crl)).collect(),
    }
}

fn signer(signed: &SignedData, info: &SignerInfo, outcome: Option<&SignerOutcome>) -> Signer {
    let digest = Digest::from_identifier(&info.digest_algorithm).ok().flatten();
    let algorithm = Signature::from_identifier(&info.signature_algorithm, digest).ok().flatten();
    let findings = outcome.map_or(&[][..], |outcome| &outcome.findings);
    let right = |wrong: &str| {
        let is_verified = outcome.is_some_and(|outcome| outcome.verified.is_some());
        let is_wrong = findings.iter().any(|finding| finding.code == wrong);
        if is_verified { Some(true) } else { is_wrong.then_some(false) }
    };
    Signer {
        version: info.version,
        identifier: match &info.identifier {
            SignerIdentifier::IssuerAndSerial(issuer, serial) => {
                Identifier { issuer: Some(issuer.to_string()), serial: Some(hex(serial)), key_identifier: None }
            }
            SignerIdentifier::KeyIdentifier(id) => {
                Identifier { key_identifier: Some(hex(id)), ..Identifier::default() }
            }
        },
        certificate: signed.certificates.iter().position(|certificate| info.identifier.names(certificate)),
        digest: digest_name(&info.digest_algorithm),
        algorithm: algorithm.map_or_else(|| oid::describe(&info.signature_algorithm.oid), Signature::name),
        signing_time: signing_time(info),
        digest_right: right("cms.digest"),
        signature_right: right("cms.sigvalue"),
        signed_attributes: info.signed_attributes.as_ref().map(|signed| attributes(&signed.attributes)),
        unsigned_attributes: attributes(&info.unsigned_attributes),
        countersignatures: outcome
            .iter()
            .flat_map(|outcome| &outcome.countersignatures)
            .map(countersignature)
            .collect(),
        findings: remarks(findings),
    }
}

fn signing_time(info: &SignerInfo) -> Option<String> {
    let signed = info.signed_attributes.as_ref()?;
    let attribute = signed.attributes.iter().find(|attribute| attribute.kind == oid::SIGNING_TIME)?;
    attribute.value().ok().map(|time| time.to_string())
}

fn countersignature(countersigned: &Countersigned) -> Countersignature {
    Countersignature {
        subject: countersigned.claimed.as_ref().map(|certificate| certificate.subject().to_string()),
        signature_right: countersigned.holds,
        signing_time: countersigned.signing_time.map(|time| time.to_string()),
        findings: remarks(&countersigned.findings),
        countersignatures: countersigned.countersignatures.iter().map(countersignature).collect(),
    }
}

fn attributes(attributes: &[CmsAttribute]) -> Vec<Attribute> {
    let attribute = |attribute: &CmsAttribute| {
        let octets = attribute.octets();
        let value = attribute.value().map(|value| value.to_string()).ok().filter(|text| !text.is_empty());
        Attribute {
            oid: attribute.kind.to_string(),
            name: oid::describe(&attribute.kind),
            value: value.unwrap_or_else(|| format!("{octets} octets")),
        }
    };
    attributes.iter().map(attribute).collect()
}

fn digest_name(identifier: &AlgorithmIdentifier) -> String {
    let known = Digest::from_identifier(identifier).ok().flatten();
    known.map_or_else(|| oid::describe(&identifier.oid), |digest| digest.name().to_owned())
}

fn certificate(certificate: &cert::Certificate) -> Certificate {
    let extensions = certificate.extensions();
    Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.serial_hex(),
        mailboxes: extensions.mailboxes().map(str::to_owned).collect(),
        key: certificate.key().describe(),
        not_before: certificate.not_before().to_string(),
        not_after: certificate.not_after().to_string(),
        is_ca: extensions.basic_constraints.is_some_and(|constraints| constraints.ca),
        sha256: certificate.fingerprint_hex(),
    }
}

fn list(crl: &[u8]) -> List {
    let read = Crl::parse(crl).ok();
    let read = read.as_ref();
    List {
        issuer: read.map(|list| list.issuer().to_string()),
        this_update: read.map(|list| list.this_update().to_string()),
        next_update: read.and_then(Crl::next_update).map(|time| time.to_string()),
        entries: read.map_or(0, Crl::len),
        size: crl.len(),
    }
}

fn sealed(enveloped: &Enveloped, seal: &Seal) -> Sealed {
    let encryption = enveloped.encryption().ok();
    let encryption = encryption.as_ref();
    let (state, why, opened_by) = match seal {
        Seal::Closed => ("closed", None, None),
        Seal::Opened { recipient, .. } => ("opened", None, *recipient),
        Seal::Refused(finding) => ("refused", Some(finding), None),
        Seal::Failed(finding) => ("failed", Some(finding), None),
    };
    let authenticated = enveloped.authenticated.as_ref().map_or(&[][..], |attributes| &attributes.attributes);
    Sealed {
        version: enveloped.version,
        content_type: oid::describe(&enveloped.content_type),
        cipher: encryption
            .map_or_else(|| oid::describe(&enveloped.algorithm.oid), |encryption| encryption.cipher().name()),
        iv: encryption.map(|encryption| encryption.iv().len()),
        tag: encryption.filter(|encryption| encryption.cipher().is_authenticated()).map(ContentEncryption::tag_len),
        encrypted: enveloped.encrypted_len(),
        range: enveloped.encrypted_range(),
        state,
        why: why.map(Remark::from),
        opened_by,
        recipients: enveloped.recipients.iter().take(RECIPIENTS_LISTED).map(recipient).collect(),
        recipient_count: enveloped.recipients.len(),
        certificates: enveloped.certificates.iter().map(certificate).collect(),
        authenticated_attributes: attributes(authenticated),
        unprotected_attributes: attributes(&enveloped.unprotected),
    }
}

fn recipient(info: Result<RecipientInfo<'_>, kakitome_pki::asn1::Malformed>) -> Recipient {
    let info = match info {
        Ok(info) => info,
        Err(malformed) => return Recipient { fault: Some(malformed.to_string()), ..Recipient::default() },
    };
    let named =
        |name: Option<String>, algorithm: &AlgorithmIdentifier| name.unwrap_or_else(|| oid::describe(&algorithm.oid));
    let wrap = |algorithm: &AlgorithmIdentifier| oid::describe(&algorithm.oid);
    match info {
        RecipientInfo::KeyTransport(transport) => Recipient {
            kind: "key transport".to_owned(),
            keys: vec![identifier(&transport.recipient)],
            algorithm: named(
                KeyTransport::from_identifier(&transport.algorithm).ok().flatten().map(|known| known.name()),
                &transport.algorithm,
            ),
            encrypted_key: Some(transport.encrypted_key.len()),
            fault: None,
        },
        RecipientInfo::KeyAgreement(agreement) => {
            let keys = || agreement.keys().take(RECIPIENTS_LISTED).filter_map(Result::ok);
            Recipient {
                kind: "key agreement".to_owned(),
                keys: keys().map(|key| identifier(&key.recipient)).collect(),
                algorithm: named(
                    KeyAgreement::from_identifier(&agreement.algorithm).ok().flatten().map(|known| known.name()),
                    &agreement.algorithm,
                ),
                encrypted_key: keys().next().map(|key| key.encrypted_key.len()),
                fault: None,
            }
        }
        RecipientInfo::HeldKey(held) => Recipient {
            kind: "key-encryption key".to_owned(),
            keys: vec![Identifier { key_identifier: Some(hex(held.identifier)), ..Identifier::default() }],
            algorithm: wrap(&held.algorithm),
            encrypted_key: Some(held.encrypted_key.len()),
            fault: None,
        },
        RecipientInfo::Password(password) => {
            let cipher = password_wrap(&password.algorithm).ok().flatten();
            Recipient {
                kind: "password".to_owned(),
                keys: Vec::new(),
                algorithm: named(cipher.map(|cipher| cipher.cipher().name()), &password.algorithm),
                encrypted_key: Some(password.encrypted_key.len()),
                fault: None,
            }
        }
        RecipientInfo::Encapsulation(encapsulation) => Recipient {
            kind: "key encapsulation".to_owned(),
            keys: vec![identifier(&encapsulation.recipient)],
            algorithm: format!("{}, {}", oid::describe(&encapsulation.mechanism.oid), wrap(&encapsulation.algorithm)),
            encrypted_key: Some(encapsulation.encrypted_key.len()),
            fault: None,
        },
        RecipientInfo::Other(kind) => Recipient { kind: oid::describe(&kind), ..Recipient::default() },
    }
}

fn identifier(identifier: &RecipientIdentifier<'_>) -> Identifier {
    match identifier {
        RecipientIdentifier::IssuerAndSerial { issuer, serial } => Identifier {
            issuer: Some(Name::from_der(issuer).map_or_else(|_| hex(issuer), |name| name.to_string())),
            serial: Some(hex(serial)),
            key_identifier: None,
        },
        RecipientIdentifier::KeyIdentifier(id) => Identifier { key_identifier: Some(hex(id)), ..Identifier::default() },
    }
}

fn protected(protected: &protect::Protected) -> Protected {
    let field = |field: &protect::ProtectedField| ProtectedField {
        name: field.name.clone(),
        inside: field.inner.clone(),
        outside: field.outer.clone(),
        agrees: field.agrees(),
        protection: field.protection.name(),
    };
    Protected { form: protected.form.name(), fields: protected.fields.iter().map(field).collect() }
}
