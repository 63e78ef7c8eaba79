//! Changes of a mail's header: fields taken out, values replaced. Every other octet stays as it stood.

use std::io;

use super::header::{decode, encode};
use super::scan::Entity;
use crate::octets::{Octets, read_range};

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays as it stands.
    Stays,
    /// It goes.
    Goes,
    /// It gets this raw value, which begins with a blank and has no line end at its end.
    Value(Vec<u8>),
}

/// The octets before the body of a mail after a change of its header; `None` where nothing changes. `root` is the mail's
/// root as it was scanned; `change` is asked for each field, with its name and raw value.
///
/// # Errors
/// The environment's.
pub fn head(mail: &dyn Octets, root: &Entity, change: &dyn Fn(&str, &[u8]) -> Change) -> io::Result<Option<Vec<u8>>> {
    let header = &root.header;
    let (mut out, mut at, mut is_changed) = (Vec::new(), 0, false);
    for field in &header.fields {
        let kept = |to| header.octets.get(at..to).unwrap_or_default();
        match change(header.name(field), header.value(field)) {
            Change::Stays => continue,
            Change::Goes => {
                out.extend_from_slice(kept(field.whole.start));
                at = field.whole.end;
            }
            Change::Value(value) => {
                out.extend_from_slice(kept(field.value.start));
                out.extend_from_slice(&value);
                at = field.value.end;
            }
        }
        is_changed = true;
    }
    if !is_changed {
        return Ok(None);
    }
    out.extend_from_slice(header.octets.get(at..).unwrap_or_default());
    let end = header.start.saturating_add(u64::try_from(header.octets.len()).unwrap_or(u64::MAX));
    // What stands before the first field, and the empty line. Both are short, since a scan found them.
    let mut whole = read_range(mail, root.range.start..header.start, usize::MAX)?;
    whole.append(&mut out);
    whole.extend_from_slice(&read_range(mail, end..root.body.start, usize::MAX)?);
    Ok(Some(whole))
}

/// The raw value of an unstructured field without a text, wherever it stands in it, inside encoded words too; the case of
/// ASCII letters does not count. `None` where it does not stand there.
pub fn without(value: &[u8], text: &str) -> Option<Vec<u8>> {
    let shown = decode(value);
    let wanted = removed(&shown, text)?;
    // Where the text stands as it is, only its octets go.
    let raw = String::from_utf8(value.to_vec()).ok().and_then(|raw| taken_out(&raw, text));
    if let Some(raw) = raw
        && decode(raw.as_bytes()) == wanted
    {
        return Some(raw.into_bytes());
    }
    Some([b" ", encode(&wanted).as_bytes()].concat())
}

/// A text without all places of another, blanks joined; `None` where there is no place.
fn removed(text: &str, what: &str) -> Option<String> {
    let taken = taken_out(text, what)?;
    Some(taken.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The same, with the blanks behind each place gone and all others as they are.
fn taken_out(text: &str, what: &str) -> Option<String> {
    let (mut out, mut rest, mut is_there) = (String::new(), text, false);
    while let Some(at) = place(rest, what) {
        is_there = true;
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at.saturating_add(what.len())..).unwrap_or_default();
        rest = rest.trim_start_matches([' ', '\t']);
    }
    out.push_str(rest);
    is_there.then_some(out)
}

/// Where a text stands in another, the case of ASCII letters aside.
pub fn place(text: &str, what: &str) -> Option<usize> {
    if what.is_empty() {
        return None;
    }
    let is_here =
        |at: usize| text.get(at..at.saturating_add(what.len())).is_some_and(|here| here.eq_ignore_ascii_case(what));
    text.char_indices().map(|(at, _)| at).find(|at| is_here(*at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::scan::scan_header;

    #[test]
    fn a_text_goes_out_of_a_subject_and_all_else_stays() {
        for (value, left) in [
            (" [secure] The figures", Some(" The figures")),
            (" Re: [Secure] The figures", Some(" Re: The figures")),
            (" The  figures\r\n [SECURE]", Some(" The  figures\r\n ")),
            (" [secure][secure]", Some(" ")),
            (" secure figures", None),
            ("", None),
            // inside encoded words
            (" =?UTF-8?Q?[secure]_Gr=C3=BC=C3=9Fe?=", Some(" =?UTF-8?Q?_Gr=C3=BC=C3=9Fe?=")),
            (" =?UTF-8?B?W3NlY3VyZV0g5LyB55S75pu4?=", Some(" =?UTF-8?B?5LyB55S75pu4?=")),
            (" =?ISO-2022-JP?B?W3NlY3VyZV0bJEI0azJoPXEbKEI=?=", Some(" =?UTF-8?B?5LyB55S75pu4?=")),
            // cut between two words
            (" =?UTF-8?Q?[sec?= =?UTF-8?Q?ure]_x?=", Some(" x")),
            (" [secure] =?UTF-8?B?5LyB55S75pu4?=", Some(" =?UTF-8?B?5LyB55S75pu4?=")),
        ] {
            let without = without(value.as_bytes(), "[secure]").map(|left| String::from_utf8(left).unwrap());
            assert_eq!(without.as_deref(), left, "{value}");
        }
        let japanese = without(" =?UTF-8?B?44CQ5pqX5Y+35YyW44CR5LyB55S75pu4?=".as_bytes(), "【暗号化】").unwrap();
        assert_eq!(decode(&japanese), "企画書");
    }

    #[test]
    fn a_header_is_changed_field_by_field() {
        let change = |name: &str, _: &[u8]| match name.to_ascii_lowercase().as_str() {
            "bcc" => Change::Goes,
            "subject" => Change::Value(b" new".to_vec()),
            _ => Change::Stays,
        };
        for (mail, left) in [
            ("A: 1\r\nBcc: x,\r\n y\r\nB:2\r\n\r\nbody\r\n", Some("A: 1\r\nB:2\r\n\r\n")),
            ("Subject: a\r\n b\r\nBCC: x\n\nBcc: y\n", Some("Subject: new\r\n\n")),
            ("bcc: x", Some("")),
            ("A: 1\r\n\r\nBcc: x\r\n", None),
            ("subject:\r\n\r\n", Some("subject: new\r\n\r\n")),
        ] {
            let octets = mail.as_bytes().to_vec();
            let root = scan_header(&octets, 0..octets.len() as u64).unwrap();
            let head = head(&octets, &root, &change).unwrap().map(|head| String::from_utf8(head).unwrap());
            assert_eq!(head.as_deref(), left, "{mail}");
        }
    }
}
