//! The answer for other programs on the way of a mail: the field Authentication-Results (RFC 8601), method `smime`
//! (RFC 7281 §3.1).
//!
//! Whoever adds the field takes out first what bears his own name already (RFC 8601 §5). Strings of the mail and of its
//! certificates are quoted, and what cannot be said in ASCII is left out.

use kakitome_pki::address::Address;

use crate::answer::{Answer, Choice, Class};
use crate::reason::Reason;
use crate::state::{SmimeResult, State};

/// A string of a certificate that is longer than this, in octets, is left out: a line of a mail ends at 998
/// (RFC 5322 §2.1.1).
const VALUE_LIMIT: usize = 700;

/// The value of the field, each property on a line of its own; without the name and the last line end.
///
/// `authserv_id` is the name by which the host that checked is known (RFC 8601 §2.5).
pub fn authentication_results(answer: &Answer, authserv_id: &str) -> String {
    let result = answer.state.smime_result();
    let mut lines = vec![format!("{};", value(authserv_id).unwrap_or_else(|| "localhost".to_owned()))];
    lines.push(match comment(answer) {
        Some(comment) => format!("smime={} ({comment})", result.name()),
        None => format!("smime={}", result.name()),
    });
    if answer.expert.signature.is_some() {
        if let Some(address) = answer.who.address.as_deref().and_then(identifier) {
            lines.push(format!("body.smime-identifier={address}"));
        }
        if let Some(part) = part(answer) {
            lines.push(format!("body.smime-part={part}"));
        }
        // RFC 7281 §3.1: both or neither. Of a certificate that was not believed, neither.
        if let Some(signer) = answer.expert.signer.as_ref().filter(|_| result == SmimeResult::Pass)
            && let (Some(serial), Some(issuer)) = (value(&signer.serial), quoted(&signer.issuer))
        {
            lines.push(format!("body.smime-serial={serial}"));
            lines.push(format!("body.smime-issuer={issuer}"));
        }
    }
    if result != SmimeResult::None || answer.state == State::ExpectedSignatureMissing {
        lines.push(format!("policy.kakitome={}", kind(answer)));
    }
    lines.join("\r\n\t")
}

/// What was validated, or why it does not count; our own words alone.
fn comment(answer: &Answer) -> Option<String> {
    let first = answer.reasons.first()?;
    match answer.state.smime_result() {
        SmimeResult::None if answer.state == State::ExpectedSignatureMissing => Some(first.code().to_owned()),
        SmimeResult::None => None,
        SmimeResult::Pass => {
            let issuer = match answer.whose_choice {
                Some(Choice::PublicList) | None => "",
                Some(Choice::ChosenFile | Choice::Operator | Choice::OwnCa) => " by a chosen issuer",
            };
            let revocation = answer.reasons.iter().find_map(|reason| match reason {
                Reason::RevCrlGood => Some(", crl fresh"),
                Reason::RevOcspGood => Some(", ocsp fresh"),
                Reason::RevNoneOffered => Some(", no revocation offered"),
                Reason::RevOff => Some(", revocation not asked"),
                _ => None,
            });
            let changed = if answer.state == State::HeadersChanged { ", header fields changed" } else { "" };
            Some(format!("{} validated{issuer}{}{changed}", answer.who.class.name(), revocation.unwrap_or_default()))
        }
        _ => Some(first.code().to_owned()),
    }
}

/// What a confirmed sender is confirmed as; else the state.
fn kind(answer: &Answer) -> String {
    match answer.who.class {
        Class::None => answer.state.name().to_ascii_lowercase().replace('_', "-"),
        class if answer.state.is_confirmed() => class.name().to_owned(),
        _ => answer.state.name().to_ascii_lowercase().replace('_', "-"),
    }
}

/// The section (RFC 3501 §6.4.5) with the signature.
fn part(answer: &Answer) -> Option<&'static str> {
    let mut types = answer.expert.tree.iter().map(|part| part.content_type.as_str());
    let is_opaque = |kind: &str| kind.ends_with("pkcs7-mime");
    match (answer.state, types.next()?, types.next()) {
        (_, "multipart/signed", _) => Some("2"),
        (_, kind, _) if is_opaque(kind) => Some("1"),
        (State::PartSigned, _, Some("multipart/signed")) => Some("1.2"),
        (State::PartSigned, _, Some(kind)) if is_opaque(kind) => Some("1"),
        _ => None,
    }
}

/// An address as it may stand there; none that needs more than ASCII.
pub(super) fn identifier(address: &str) -> Option<String> {
    let address = Address::parse(address).ok()?;
    let domain = address.ascii_domain()?;
    let written = address.to_string();
    let local = written.strip_suffix(address.domain())?;
    (local.bytes().all(|octet| matches!(octet, b' '..=b'~')) && domain.is_ascii()).then(|| format!("{local}{domain}"))
}

/// A token (RFC 2045 §5.1), or the text in quotes.
pub(super) fn value(text: &str) -> Option<String> {
    let is_token = |octet: u8| octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&octet);
    if !text.is_empty() && text.len() <= VALUE_LIMIT && text.bytes().all(is_token) {
        return Some(text.to_owned());
    }
    quoted(text)
}

/// A quoted string. What is not ASCII is written as RFC 4514 §2.4 writes octets.
fn quoted(text: &str) -> Option<String> {
    let mut out = String::from('"');
    for octet in text.bytes() {
        match octet {
            b'"' | b'\\' => out.extend(['\\', char::from(octet)]),
            b' '..=b'~' => out.push(char::from(octet)),
            _ => out.push_str(&format!("\\\\{octet:02X}")),
        }
    }
    out.push('"');
    (!text.is_empty() && out.len() <= VALUE_LIMIT).then_some(out)
}

#[cfg(test)]
mod tests {
    use kakitome_pki::asn1::time::Time;

    use super::*;
    use crate::answer::{Certificate, Part, Signature};

    const NOW: Time = Time::from_unix(1_796_083_200);

    fn signed(state: State, reasons: &[Reason], class: Class) -> Answer {
        let mut answer = Answer::new(state, Reason::Ok, NOW);
        answer.reasons = reasons.to_vec();
        answer.who.class = class;
        answer.who.address = Some("info@bank.example".into());
        answer.expert.signature = Some(Signature {
            version: 1,
            digest: "SHA-256".into(),
            algorithm: "RSA".into(),
            attributes: Vec::new(),
            sha256: String::new(),
        });
        answer.expert.signer = Some(Certificate {
            subject: "CN=x".into(),
            issuer: "CN=Example \"Mail\" CA,O=例,C=JP".into(),
            serial: "0a1b".into(),
            alternative_names: Vec::new(),
            key_usage: Vec::new(),
            extended_key_usage: Vec::new(),
            policies: Vec::new(),
            key: "RSA 2048".into(),
            not_before: NOW,
            not_after: NOW,
            sha256: String::new(),
        });
        let part =
            |depth, kind: &str| Part { depth, content_type: kind.into(), bytes: 0..1, signed: false, filename: None };
        answer.expert.tree = vec![part(0, "multipart/signed"), part(1, "text/plain")];
        answer
    }

    #[test]
    fn each_result_is_written_as_the_registry_has_it() {
        let pass = signed(State::OrgConfirmed, &[Reason::Ok, Reason::RevCrlGood], Class::Org);
        let local = {
            let mut answer = signed(State::LocalConfirmed, &[Reason::Ok, Reason::RevNoneOffered], Class::Local);
            answer.whose_choice = Some(Choice::OwnCa);
            answer.expert.signer = None;
            answer
        };
        let framed = {
            let mut answer = signed(State::PartSigned, &[Reason::MimeListFooter], Class::Mailbox);
            answer
                .expert
                .tree
                .insert(0, Part { content_type: "multipart/mixed".into(), ..answer.expert.tree[0].clone() });
            answer
        };
        let altered = {
            let mut answer = signed(State::Altered, &[Reason::CmsDigest], Class::None);
            answer.who.address = None;
            answer
        };
        let plain = |state, reason| Answer::new(state, reason, NOW);
        let rows = [
            (
                pass,
                "gw.example;|smime=pass (org validated, crl fresh)|body.smime-identifier=info@bank.example\
                 |body.smime-part=2|body.smime-serial=0a1b\
                 |body.smime-issuer=\"CN=Example \\\"Mail\\\" CA,O=\\\\E4\\\\BE\\\\8B,C=JP\"|policy.kakitome=org",
            ),
            (
                local,
                "gw.example;|smime=pass (local validated by a chosen issuer, no revocation offered)\
                 |body.smime-identifier=info@bank.example|body.smime-part=2|policy.kakitome=local",
            ),
            (
                framed,
                "gw.example;|smime=policy (mime.list-footer)|body.smime-identifier=info@bank.example\
                 |body.smime-part=1.2|policy.kakitome=part-signed",
            ),
            (altered, "gw.example;|smime=fail (cms.digest)|body.smime-part=2|policy.kakitome=altered"),
            (plain(State::NotSigned, Reason::MimeNone), "gw.example;|smime=none"),
            (
                plain(State::ExpectedSignatureMissing, Reason::ExpectMissing),
                "gw.example;|smime=none (expect.missing)|policy.kakitome=expected-signature-missing",
            ),
            (
                plain(State::FakeSignature, Reason::FakeNotCms),
                "gw.example;|smime=neutral (fake.notcms)|policy.kakitome=fake-signature",
            ),
            (
                plain(State::CheckIncomplete, Reason::RevUnavailable),
                "gw.example;|smime=temperror (rev.unavailable)|policy.kakitome=check-incomplete",
            ),
        ];
        for (answer, expected) in rows {
            let written = authentication_results(&answer, "gw.example").replace("\r\n\t", "|");
            assert_eq!(written, expected, "{}", answer.state.name());
        }
    }

    /// The mapping of every state, as it is agreed.
    #[test]
    fn each_state_has_its_result() {
        use SmimeResult::{Fail, Neutral, None, Pass, Permerror, Policy, Temperror};
        for state in State::ALL {
            let expected = match state {
                state if state.is_confirmed() => Pass,
                State::HeadersChanged => Pass,
                State::Altered | State::Revoked | State::CertNotValidThen => Fail,
                State::FakeSignature => Neutral,
                State::Ambiguous | State::NotAMail | State::TooBig => Permerror,
                State::CheckIncomplete => Temperror,
                State::NotSigned | State::ExpectedSignatureMissing | State::Sealed => None,
                _ => Policy,
            };
            assert_eq!(state.smime_result(), expected, "{}", state.name());
        }
    }

    #[test]
    fn hostile_strings_stay_in_their_place() {
        let hostile = "x\"; smime=pass\r\nFrom: info@bank.example (\\";
        let mut answer = signed(State::MailboxConfirmed, &[Reason::Ok], Class::Mailbox);
        let signer = answer.expert.signer.as_mut().unwrap();
        signer.issuer = hostile.into();
        signer.serial = hostile.into();
        let written = authentication_results(&answer, hostile);
        for line in written.split("\r\n\t") {
            assert!(line.len() < 998 && line.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{line}");
        }
        assert_eq!(written.split("\r\n\t").count(), 7);
        for (address, expected) in [
            ("太郎@例え.example", None),
            ("taro@例え.example", Some("taro@xn--r8jz45g.example")),
            ("\"info@bank.example\"@eve.example", Some("\"info@bank.example\"@eve.example")),
            ("a b@eve.example", None),
        ] {
            assert_eq!(identifier(address).as_deref(), expected, "{address}");
        }
        let long = "x".repeat(VALUE_LIMIT);
        answer.expert.signer.as_mut().unwrap().issuer = format!("CN={long}");
        assert!(!authentication_results(&answer, "gw.example").contains("smime-serial"));
    }
}
