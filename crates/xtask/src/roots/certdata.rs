//! `certdata.txt` of NSS: objects of attributes, one attribute on a line, octets in octal.
//!
//! ```text
//! CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE
//! CKA_LABEL UTF8 "Example Root"
//! CKA_VALUE MULTILINE_OCTAL
//! \060\202\003\165…
//! END
//! ```
//!
//! A certificate is one object, what it is trusted for another; issuer and serial number join them, and the second holds
//! a SHA-1 of the first. Whatever is not as it should be ends the reading: a root that is left out, or let in, by mistake
//! would be worse than no new list.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto;
use kakitome_pki::roots::{Root, Uses};

/// Where the version of the list stands, in nssckbi.h.
const VERSION: &str = "NSS_BUILTINS_LIBRARY_VERSION";

/// One object: its attributes, and the line on which it begins.
#[derive(Debug, Default)]
struct Object {
    line: usize,
    attributes: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Eq)]
enum Value {
    /// A word, or a text without its quotation marks.
    Text(String),
    Octets(Vec<u8>),
}

/// The version, from nssckbi.h or from wherever that line was copied to; `None` where it does not stand.
pub(super) fn version(text: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("#define ")?.trim().strip_prefix(VERSION))
        // NSS_BUILTINS_LIBRARY_VERSION_MAJOR begins alike
        .filter(|rest| rest.starts_with(char::is_whitespace))
        .find_map(|rest| Some(rest.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned()))
        .filter(|version| !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// The roots, by name.
///
/// # Errors
/// The file is not what it should be, with the line.
pub(super) fn roots(text: &str) -> anyhow::Result<Vec<Root>> {
    let objects = objects(text)?;
    let of = |class: &str| -> Vec<&Object> {
        objects
            .iter()
            .filter(|object| object.attributes.get("CKA_CLASS").is_some_and(|is| *is == word(class)))
            .collect()
    };
    let (certificates, trusts) = (of("CKO_CERTIFICATE"), of("CKO_NSS_TRUST"));
    ensure!(!certificates.is_empty(), "no certificate stands in it: is it a certdata.txt?");
    let mut joined = BTreeSet::new();
    let mut roots = Vec::new();
    for object in certificates {
        let at = || format!("the certificate on line {}", object.line);
        let key = object.key().with_context(at)?;
        let mut fitting = trusts.iter().filter(|trust| trust.key().is_ok_and(|other| other == key));
        let trust =
            fitting.next().with_context(|| format!("{} has no trust object: what it is for is not said", at()))?;
        ensure!(fitting.next().is_none(), "{} has two trust objects", at());
        joined.insert(trust.line);
        roots.push(root(object, trust).with_context(at)?);
    }
    // A distrust of what is no root would be lost here without a word.
    for trust in trusts {
        key_of_distrust(trust, joined.contains(&trust.line))?;
    }
    roots.sort_by(|a, b| (&a.name, a.fingerprint()).cmp(&(&b.name, b.fingerprint())));
    Ok(roots)
}

fn key_of_distrust(trust: &Object, joined: bool) -> anyhow::Result<()> {
    ensure!(
        joined,
        "the trust object on line {} ({}) is of no certificate in the file; a list of ours cannot say that yet",
        trust.line,
        trust.text("CKA_LABEL").unwrap_or("no label")
    );
    Ok(())
}

fn root(object: &Object, trust: &Object) -> anyhow::Result<Root> {
    let der = object.octets("CKA_VALUE")?;
    let certificate = Certificate::parse(der).context("CKA_VALUE")?;
    ensure!(certificate.subject().raw() == object.octets("CKA_SUBJECT")?, "CKA_SUBJECT is not its subject");
    ensure!(certificate.issuer().raw() == object.octets("CKA_ISSUER")?, "CKA_ISSUER is not its issuer");
    ensure!(
        trust.octets("CKA_CERT_SHA1_HASH")? == crypto::sha1_identifier(der),
        "the trust object on line {} is of another certificate: the SHA-1 differs",
        trust.line
    );
    let trusted = |attribute: &str| match trust.text(attribute)? {
        "CKT_NSS_TRUSTED_DELEGATOR" => Ok(true),
        "CKT_NSS_MUST_VERIFY_TRUST" | "CKT_NSS_TRUST_UNKNOWN" | "CKT_NSS_NOT_TRUSTED" => Ok(false),
        other => bail!("{attribute} on line {} is {other}, which is not known here", trust.line),
    };
    let mut root = Root::new(&certificate);
    object.text("CKA_LABEL")?.clone_into(&mut root.name);
    root.uses = Uses { email: trusted("CKA_TRUST_EMAIL_PROTECTION")?, tls: trusted("CKA_TRUST_SERVER_AUTH")? };
    root.distrust_after = object.date("CKA_NSS_EMAIL_DISTRUST_AFTER")?;
    Ok(root)
}

impl Object {
    fn value(&self, name: &str) -> anyhow::Result<&Value> {
        self.attributes.get(name).with_context(|| format!("the object on line {} has no {name}", self.line))
    }

    fn text(&self, name: &str) -> anyhow::Result<&str> {
        match self.value(name)? {
            Value::Text(text) => Ok(text),
            Value::Octets(_) => bail!("{name} of the object on line {} is no word", self.line),
        }
    }

    fn octets(&self, name: &str) -> anyhow::Result<&[u8]> {
        match self.value(name)? {
            Value::Octets(octets) => Ok(octets),
            Value::Text(_) => bail!("{name} of the object on line {} is not in octal", self.line),
        }
    }

    /// A UTCTime without its tag, `CK_FALSE` for none; older lists do not have the attribute.
    fn date(&self, name: &str) -> anyhow::Result<Option<Time>> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) if text == "CK_FALSE" => Ok(None),
            Some(Value::Octets(octets)) => {
                let text = std::str::from_utf8(octets).unwrap_or_default();
                utc_time(text)
                    .with_context(|| format!("{name} of the object on line {} is no date", self.line))
                    .map(Some)
            }
            Some(Value::Text(text)) => bail!("{name} of the object on line {} is {text}", self.line),
        }
    }

    /// What joins a certificate and its trust object.
    fn key(&self) -> anyhow::Result<(&[u8], &[u8])> {
        Ok((self.octets("CKA_ISSUER")?, self.octets("CKA_SERIAL_NUMBER")?))
    }
}

/// `241130235959Z`, a year of this century (RFC 5280 §4.1.2.5.1 for the years until 2049).
fn utc_time(text: &str) -> Option<Time> {
    let digits =
        text.strip_suffix('Z').filter(|digits| digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let two = |place: usize| digits.get(place..place + 2);
    let (year, month, day) = (two(0)?, two(2)?, two(4)?);
    let (hour, minute, second) = (two(6)?, two(8)?, two(10)?);
    format!("20{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

fn word(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn objects(text: &str) -> anyhow::Result<Vec<Object>> {
    let mut objects: Vec<Object> = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((line, content)) = lines.next() {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') || content == "BEGINDATA" || content.starts_with("CVS_ID") {
            continue;
        }
        let mut words = content.splitn(3, char::is_whitespace);
        let (Some(name), Some(form)) = (words.next(), words.next()) else {
            bail!("line {line}: {content:?} is no attribute");
        };
        let value = match form {
            "MULTILINE_OCTAL" => Value::Octets(octal(&mut lines)?),
            "UTF8" => Value::Text(
                quoted(words.next().unwrap_or_default())
                    .with_context(|| format!("line {line}: {name} is not a text in quotation marks"))?,
            ),
            _ => word(words.next().map(str::trim).with_context(|| format!("line {line}: {name} has no value"))?),
        };
        if name == "CKA_CLASS" {
            objects.push(Object { line, ..Object::default() });
        }
        let object =
            objects.last_mut().with_context(|| format!("line {line}: {name} stands before every CKA_CLASS"))?;
        ensure!(object.attributes.insert(name.to_owned(), value).is_none(), "line {line}: {name} stands twice");
    }
    Ok(objects)
}

/// Lines of `\ooo` up to END.
fn octal<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    for (line, content) in lines {
        let content = content.trim();
        if content == "END" {
            return Ok(octets);
        }
        let mut escapes = content.split('\\');
        ensure!(escapes.next() == Some(""), "line {line}: octal begins with a backslash, or ends with END");
        for escape in escapes {
            let is_octal = escape.len() == 3 && escape.bytes().all(|b| (b'0'..=b'7').contains(&b));
            let octet = u8::from_str_radix(escape, 8).ok().filter(|_| is_octal);
            octets.push(octet.with_context(|| format!("line {line}: \\{escape} is no octet in octal"))?);
        }
    }
    bail!("the file ends inside octal; END is missing")
}

/// A text in quotation marks, with `\xhh` for octets that are none of ASCII's, as older files have it.
fn quoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut octets = Vec::new();
    let mut rest = inner.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first == b'\\' {
            let digits = rest.strip_prefix(b"x")?.get(..2)?;
            octets.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = rest.get(3..)?;
        } else {
            octets.push(*first);
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests;
