//! The report as a tree for people. Every text of the message passes through [`Safe`].

use std::ops::Range;

use kakitome_smime::message::report::{
    Attribute, Certificate, Compressed, Content, Countersignature, Field, Identifier, Layer, List, Part, Protected,
    Recipient, Remark, Report, Sealed, Signed, Signer,
};
use kakitome_verdict::safe::Safe;

use super::tree::{Node, Text, Tone};

/// The whole report; `name` is what the user called it.
pub(super) fn tree(report: &Report, name: &str) -> Node {
    let form = match report.form {
        "ber" => "a CMS object",
        "pem" => "a CMS object in PEM",
        _ if !report.readable => "no mail",
        _ => "a mail",
    };
    let mut node = Node::new(safe(name)).also(Tone::Plain, format!("{form}, {}", octets(report.size)));
    content(&report.content, &mut node);
    node
}

fn safe(text: &str) -> String {
    Safe::value(text).to_string()
}

/// `12,345 octets`
fn octets(count: u64) -> String {
    if count == 1 { "1 octet".to_owned() } else { format!("{} octets", grouped(count)) }
}

/// `12,345`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn range(range: &Range<u64>) -> String {
    format!("{}–{}", grouped(range.start), grouped(range.end))
}

/// What a content holds, below `node`.
fn content(content: &Content, node: &mut Node) {
    for Field { name, value } in &content.header {
        node.fact(&Safe::name(name).to_string(), safe(value));
    }
    findings(&content.findings, node);
    node.children.extend(content.part.iter().map(|whole| part(whole)));
    node.children.extend(content.layer.iter().map(|found| layer(found)));
}

fn findings(remarks: &[Remark], node: &mut Node) {
    for remark in remarks {
        node.toned("", vec![(Tone::Odd, format!("! {}:", remark.code)), (Tone::Plain, safe(&remark.detail))]);
    }
}

fn part(part: &Part) -> Node {
    let charset = part.charset.as_deref().map(safe).unwrap_or_default();
    let encoding = if part.parts.is_empty() { part.encoding } else { "" };
    let beside: Vec<&str> = [charset.as_str(), encoding].into_iter().filter(|text| !text.is_empty()).collect();
    let mut node = Node::new(safe(&part.media_type))
        .also(Tone::Plain, part.file_name.as_deref().map(|name| format!("«{}»", Safe::name(name))).unwrap_or_default())
        .also(Tone::Faint, beside.join(", "));
    node.range = range(&part.range);
    node.children.extend(part.parts.iter().map(self::part));
    node.children.extend(part.layer.iter().map(|found| layer(found)));
    if let Some(message) = &part.message {
        let mut attached = Node::new("attached message").also(Tone::Faint, "not what this mail's sender says");
        content(message, &mut attached);
        node.children.push(attached);
    }
    node
}

fn layer(layer: &Layer) -> Node {
    let kind = if layer.kind.is_empty() { "CMS layer".to_owned() } else { safe(&layer.kind) };
    let mut node = Node::new(kind);
    if layer.below_root {
        node = node.also(Tone::Odd, "of this part alone");
    }
    if let Some(fault) = &layer.fault {
        node.toned("", vec![(Tone::Bad, format!("✗ {}:", fault.code)), (Tone::Plain, safe(&fault.detail))]);
    }
    // What was a fault needs not be told twice.
    let rest: Vec<Remark> =
        layer.findings.iter().filter(|remark| Some(*remark) != layer.fault.as_ref()).cloned().collect();
    if let Some(parts) = &layer.signed {
        signed(parts, &mut node);
    }
    if let Some(parts) = &layer.sealed {
        sealed(parts, &mut node);
    }
    if let Some(parts) = &layer.compressed {
        compressed(parts, &mut node);
    }
    findings(&rest, &mut node);
    if let Some(parts) = &layer.protected {
        node.children.push(protected(parts));
    }
    if let Some(inside) = &layer.content {
        let form = if inside.part.is_none() && inside.layer.is_none() { " · no MIME entity" } else { "" };
        let mut inner = Node::new("content").also(Tone::Faint, format!("{}{form}", octets(inside.size)));
        content(inside, &mut inner);
        node.children.push(inner);
    }
    node
}

fn signed(signed: &Signed, node: &mut Node) {
    node.fact("version", signed.version.to_string());
    let place = if signed.detached { "· not inside" } else { "· inside" };
    node.toned("content", vec![(Tone::Plain, safe(&signed.content_type)), (Tone::Faint, place.to_owned())]);
    node.fact("digests", signed.digests.iter().map(|name| safe(name)).collect::<Vec<_>>().join(", "));
    for (number, one) in signed.signers.iter().enumerate() {
        let certificate = one.certificate.and_then(|place| signed.certificates.get(place));
        node.children.push(signer(one, number + 1, certificate));
    }
    if signed.signer_count != signed.signers.len() {
        let unread = format!("{} more, unreadable", signed.signer_count.saturating_sub(signed.signers.len()));
        node.toned("signers", vec![(Tone::Odd, unread)]);
    }
    // The signer's own was laid out with him.
    let shown: Vec<usize> = signed.signers.iter().filter_map(|one| one.certificate).collect();
    certificates(signed.certificates.iter().enumerate().filter(|(place, _)| !shown.contains(place)), node);
    node.children.extend(signed.lists.iter().map(list));
}

fn certificates<'a>(all: impl Iterator<Item = (usize, &'a Certificate)>, node: &mut Node) {
    for (_, one) in all {
        let kind = if one.is_ca { "CA certificate" } else { "certificate" };
        let mut below = Node::new(kind).also(Tone::Plain, safe(&one.subject));
        certificate(one, &mut below);
        node.children.push(below);
    }
}

fn certificate(certificate: &Certificate, node: &mut Node) {
    let boxes: Vec<String> = certificate.mailboxes.iter().map(|mailbox| Safe::address(mailbox).to_string()).collect();
    node.fact("for", boxes.join(", "));
    node.fact("issuer", safe(&certificate.issuer));
    node.fact("serial", certificate.serial.clone());
    node.fact("valid", format!("{} to {}", certificate.not_before, certificate.not_after));
    node.fact("key", safe(&certificate.key));
    node.fact("SHA-256", certificate.sha256.clone());
}

fn signer(signer: &Signer, number: usize, own: Option<&Certificate>) -> Node {
    let who = own.map_or_else(|| identifier(&signer.identifier), |certificate| safe(&certificate.subject));
    let mut node = Node::new(format!("signer {number}")).also(Tone::Plain, who);
    if let Some(own) = own {
        certificate(own, &mut node);
    } else {
        node.toned("certificate", vec![(Tone::Bad, "✗ not in the message".to_owned())]);
    }
    node.toned("digest", judged(&signer.digest, signer.digest_right));
    node.toned("signature", judged(&signer.algorithm, signer.signature_right));
    if let Some(time) = &signer.signing_time {
        node.toned("signed at", vec![(Tone::Plain, safe(time)), (Tone::Faint, "· as the signer says".to_owned())]);
    }
    findings(&signer.findings, &mut node);
    match &signer.signed_attributes {
        Some(list) => node.children.push(attributes("signed attributes", list)),
        None => node.toned("attributes", vec![(Tone::Odd, "none are signed".to_owned())]),
    }
    if !signer.unsigned_attributes.is_empty() {
        node.children.push(attributes("unsigned attributes", &signer.unsigned_attributes));
    }
    node.children.extend(signer.countersignatures.iter().map(countersignature));
    node
}

/// An algorithm, and whether the arithmetic is right.
fn judged(name: &str, right: Option<bool>) -> Text {
    let verdict = match right {
        Some(true) => (Tone::Good, "✓ right"),
        Some(false) => (Tone::Bad, "✗ wrong"),
        None => (Tone::Odd, "? not found out"),
    };
    vec![(Tone::Plain, safe(name)), (verdict.0, verdict.1.to_owned())]
}

fn attributes(name: &str, list: &[Attribute]) -> Node {
    let mut node = Node::new(name);
    for attribute in list {
        node.fact(&safe(&attribute.name), safe(&attribute.value));
    }
    node
}

fn countersignature(countersignature: &Countersignature) -> Node {
    let who = countersignature.subject.as_deref().map_or_else(|| "unknown".to_owned(), safe);
    let mut node = Node::new("counter-signature").also(Tone::Plain, who);
    node.toned("signature", judged("", Some(countersignature.signature_right)));
    node.fact("signed at", countersignature.signing_time.as_deref().map(safe).unwrap_or_default());
    findings(&countersignature.findings, &mut node);
    node.children.extend(countersignature.countersignatures.iter().map(self::countersignature));
    node
}

fn list(list: &List) -> Node {
    let issuer = list.issuer.as_deref().map_or_else(|| "unreadable".to_owned(), safe);
    let mut node = Node::new("revocation list").also(Tone::Plain, issuer);
    let (this, next) = (list.this_update.as_deref().unwrap_or_default(), list.next_update.as_deref());
    node.fact("made", this.to_owned());
    node.fact("next", next.unwrap_or_default().to_owned());
    node.fact("entries", list.entries.to_string());
    node.fact("size", octets(u64::try_from(list.size).unwrap_or(u64::MAX)));
    node
}

fn identifier(identifier: &Identifier) -> String {
    match (&identifier.issuer, &identifier.serial, &identifier.key_identifier) {
        (Some(issuer), Some(serial), _) => format!("{}, serial {serial}", safe(issuer)),
        (.., Some(id)) => format!("key {id}"),
        _ => String::new(),
    }
}

fn sealed(sealed: &Sealed, node: &mut Node) {
    node.fact("version", sealed.version.to_string());
    node.fact("content", safe(&sealed.content_type));
    let mut cipher: Text = vec![(Tone::Plain, safe(&sealed.cipher))];
    let beside = match (sealed.iv, sealed.tag) {
        (Some(iv), Some(tag)) => format!("· nonce of {iv}, tag of {tag} octets"),
        (Some(iv), None) => format!("· vector of {iv} octets · changes are not noticed"),
        _ => String::new(),
    };
    cipher.push((Tone::Faint, beside));
    node.toned("cipher", cipher);
    let place = sealed.range.as_ref().map(|place| format!("· at {} of the object", range(place)));
    node.toned(
        "encrypted",
        match sealed.encrypted {
            Some(count) => vec![(Tone::Plain, octets(count)), (Tone::Faint, place.unwrap_or_default())],
            None => vec![(Tone::Bad, "✗ not inside".to_owned())],
        },
    );
    let state = match sealed.state {
        "opened" => (Tone::Good, "✓ opened".to_owned()),
        "closed" => (Tone::Odd, "closed: no key for it was given".to_owned()),
        _ => {
            let why = sealed.why.as_ref();
            (Tone::Bad, why.map_or_else(String::new, |why| format!("✗ {}: {}", why.code, safe(&why.detail))))
        }
    };
    node.toned("seal", vec![state]);
    let listed = sealed.recipients.len();
    if sealed.recipient_count > listed {
        node.fact("recipients", format!("{} in all, {listed} are listed", sealed.recipient_count));
    }
    for (number, one) in sealed.recipients.iter().enumerate() {
        node.children.push(recipient(one, number + 1, sealed.opened_by == Some(number)));
    }
    certificates(sealed.certificates.iter().enumerate(), node);
    for (name, list) in [
        ("authenticated attributes", &sealed.authenticated_attributes),
        ("unprotected attributes", &sealed.unprotected_attributes),
    ] {
        if !list.is_empty() {
            node.children.push(attributes(name, list));
        }
    }
}

fn recipient(recipient: &Recipient, number: usize, opened: bool) -> Node {
    let mut node = Node::new(format!("recipient {number}")).also(Tone::Plain, safe(&recipient.kind));
    if opened {
        node = node.also(Tone::Good, "✓ opened it");
    }
    for key in &recipient.keys {
        node.fact("for", identifier(key));
    }
    let size = recipient.encrypted_key.map(|size| format!("· {size} octets")).unwrap_or_default();
    if !recipient.algorithm.is_empty() {
        node.toned("wrapped with", vec![(Tone::Plain, safe(&recipient.algorithm)), (Tone::Faint, size)]);
    }
    if let Some(fault) = &recipient.fault {
        node.toned("", vec![(Tone::Odd, format!("! {}", safe(fault)))]);
    }
    node
}

fn compressed(compressed: &Compressed, node: &mut Node) {
    node.fact("version", compressed.version.to_string());
    node.fact("content", safe(&compressed.content_type));
    node.fact("algorithm", safe(&compressed.algorithm));
    let place = format!("· at {} of the object", range(&compressed.range));
    node.toned("compressed", vec![(Tone::Plain, octets(compressed.compressed)), (Tone::Faint, place)]);
}

fn protected(protected: &Protected) -> Node {
    let mut node = Node::new("protected header").also(Tone::Faint, protected.form);
    for field in &protected.fields {
        let mut value: Text = vec![(Tone::Plain, safe(&field.inside))];
        value.push((Tone::Faint, format!("· {}", field.protection)));
        if !field.agrees {
            let outside = field.outside.as_deref().map_or_else(|| "missing".to_owned(), safe);
            value.push((Tone::Bad, format!("✗ outside it says: {outside}")));
        }
        node.toned(&Safe::name(&field.name).to_string(), value);
    }
    node
}
