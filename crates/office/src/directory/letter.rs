//! A mail that brings a member's certificates to a correspondent: certs-only (RFC 8551 §3.8), beside a text that says what it
//! is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, bundle, hex};
use kakitome_pki::crypto::Random;
use kakitome_verdict::lang::Lang;

use super::publish::one_of_each_issuer;
use super::table;
use crate::authority::Anchors;
use crate::enrolment::published::published;
use crate::fault::Fault;
use crate::store::Store;

/// What the file of certificates is called (RFC 8551 §3.2.1).
const FILE: &str = "smime.p7c";
/// Characters on a line of base64.
const LINE: usize = 76;

/// The mail, whole. `None` where the sender has no certificate that may be encrypted to.
///
/// # Errors
/// The store or randomness fails.
pub fn letter(
    store: &Store,
    from: &Address,
    to: &Address,
    lang: Lang,
    now: Time,
    random: &dyn Random,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some(certificates) = certificates(store, from, now)? else { return Ok(None) };
    let mut octets = [0u8; 16];
    random.fill(&mut octets)?;
    let mark = hex(&octets);
    let (subject, text) = words(from, lang);
    let bundle = bundle::write(certificates.iter().map(Vec::as_slice));
    let date = now.to_mail_date();
    let head = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{mark}@{}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"{mark}\"\r\n\r\n",
        word(&subject),
        from.ascii_domain().unwrap_or_else(|| "invalid".to_owned()),
    );
    let parts = format!(
        "--{mark}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\
         --{mark}\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only; name={FILE}\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename={FILE}\r\n\r\n{}--{mark}--\r\n",
        encoded(text.as_bytes()),
        encoded(&bundle),
    );
    Ok(Some([head.into_bytes(), parts.into_bytes()].concat()))
}

/// The one to encrypt to and the one that signs, of each issuer, and the CAs above them; no root of the public list, which
/// nobody believes for having been sent, but our own, which a correspondent may want to believe.
fn certificates(store: &Store, from: &Address, now: Time) -> Result<Option<Vec<Vec<u8>>>, Fault> {
    let mut after = from.to_string();
    after.pop();
    // A page begins behind an address; what stands between is passed over.
    let member = loop {
        let page = store.read(|s| published(s, &after, 50, now))?;
        if let Some(one) = page.iter().find(|one| Address::parse(&one.address).is_ok_and(|one| one == *from)) {
            break one.clone();
        }
        match page.into_iter().next_back() {
            Some(last) if last.address < from.to_string() => after = last.address,
            _ => return Ok(None),
        }
    };
    let mut found = one_of_each_issuer(member.encrypt);
    if found.is_empty() {
        return Ok(None);
    }
    found.extend(one_of_each_issuer(member.sign));
    found.sort_unstable();
    found.dedup();
    let mut above: Vec<Certificate> = Anchors::all(store)?.into_iter().map(|ca| ca.certificate).collect();
    let came = store.read(table::issuers_of_members)?;
    above.extend(came.iter().filter_map(|der| Certificate::parse(der).ok()));
    let mut issuers: Vec<_> =
        found.iter().filter_map(|der| Certificate::parse(der).ok()).map(|one| one.issuer().clone()).collect();
    let mut next = 0usize;
    while let Some(issuer) = issuers.get(next).cloned() {
        next = next.saturating_add(1);
        for ca in above.iter().filter(|ca| *ca.subject() == issuer) {
            if !found.iter().any(|der| der.as_slice() == ca.raw()) {
                found.push(ca.raw().to_vec());
                issuers.push(ca.issuer().clone());
            }
        }
    }
    Ok(Some(found))
}

fn words(from: &Address, lang: Lang) -> (String, String) {
    match lang {
        Lang::Ja => (
            format!("{from} の証明書"),
            format!(
                "{from} あてのメールを暗号化するための証明書（S/MIME）をお送りします。添付の {FILE} をメールソフトに取り\
                 込んでください。\r\n信用する前に、指紋（SHA-256）を電話など別の手段で確かめてください。\r\n"
            ),
        ),
        Lang::En => (
            format!("Certificates of {from}"),
            format!(
                "This mail brings the S/MIME certificates with which mail to {from} can be encrypted. Import the attached \
                 {FILE} into your mail program.\r\nBefore you rely on them, compare the fingerprint (SHA-256) with its owner \
                 by another way, such as the telephone.\r\n"
            ),
        ),
    }
}

/// A header field's text; as encoded words where it is not ASCII (RFC 2047 §2), cut between characters.
fn word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut part = String::new();
    for character in text.chars() {
        if part.len().saturating_add(character.len_utf8()) > 42 {
            words.push(std::mem::take(&mut part));
        }
        part.push(character);
    }
    words.push(part);
    let words: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

fn encoded(octets: &[u8]) -> String {
    let text = STANDARD.encode(octets);
    let mut out = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        out.push_str(line);
        out.push_str("\r\n");
        rest = more;
    }
    out
}
