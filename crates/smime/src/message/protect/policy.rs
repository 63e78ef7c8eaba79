//! Header confidentiality policies (RFC 9788 §3.2): what of a field stays outside an encrypted mail.

use kakitome_pki::asn1::time::Time;

use crate::mime::address;
use crate::mime::header::unfold;

/// What stands outside instead of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outside {
    /// The field itself.
    AsInside,
    /// The field with this value, without a line end.
    Instead(Vec<u8>),
    /// Nothing.
    Removed,
}

/// A header confidentiality policy. None of them changes the address in From (RFC 9788 §3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// `hcp_baseline`, which the RFC recommends: the subject becomes `[...]`, comments and keywords go.
    #[default]
    Baseline,
    /// `hcp_shy`: names beside addresses and the sender's time zone go, too.
    Shy,
    /// `hcp_no_confidentiality`: everything stands outside as well.
    NoConfidentiality,
}

/// What stands in the place of a hidden subject.
const SUBJECT: &[u8] = b"[...]";

impl Policy {
    /// The names by which the command line knows them.
    pub const NAMES: [(&'static str, Self); 3] =
        [("baseline", Self::Baseline), ("shy", Self::Shy), ("none", Self::NoConfidentiality)];

    /// A policy by its name on the command line.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, policy)| policy)
    }

    /// What of a field with this raw value stays outside.
    pub fn outside(self, name: &str, value: &[u8]) -> Outside {
        let name = name.to_ascii_lowercase();
        match (self, name.as_str()) {
            (Self::NoConfidentiality, _) => Outside::AsInside,
            (_, "subject") => Outside::Instead(SUBJECT.to_vec()),
            (_, "comments" | "keywords") => Outside::Removed,
            (Self::Shy, "from" | "to" | "cc") => addresses(value, name == "from"),
            (Self::Shy, "date") => in_utc(value),
            _ => Outside::AsInside,
        }
    }
}

/// The addresses without the names. A field that cannot be read stays: a mail that does not arrive hides nothing better.
fn addresses(value: &[u8], only_one: bool) -> Outside {
    let Ok(mailboxes) = address::mailboxes(value) else { return Outside::AsInside };
    if only_one && mailboxes.len() != 1 {
        return Outside::AsInside;
    }
    let addresses: Vec<String> = mailboxes.into_iter().map(|mailbox| mailbox.address).collect();
    // A fold behind each, so that thousands of addressees make no overlong line.
    instead(value, addresses.join(",\r\n ").into_bytes())
}

fn in_utc(value: &[u8]) -> Outside {
    match Time::from_mail_date(&unfold(value)) {
        Some(date) => instead(value, date.to_mail_date().into_bytes()),
        None => Outside::AsInside,
    }
}

fn instead(value: &[u8], new: Vec<u8>) -> Outside {
    if super::plain(value) == super::plain(&new) { Outside::AsInside } else { Outside::Instead(new) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_hides_what_it_names() {
        let shown = |policy: Policy, name, value: &str| match policy.outside(name, value.as_bytes()) {
            Outside::AsInside => "=".to_owned(),
            Outside::Removed => "-".to_owned(),
            Outside::Instead(value) => String::from_utf8(value).unwrap(),
        };
        for (name, value, baseline, shy) in [
            ("Subject", "The figures", "[...]", "[...]"),
            ("sUBJECT", "", "[...]", "[...]"),
            ("Keywords", "x", "-", "-"),
            ("Comments", "x", "-", "-"),
            ("From", "Alice <alice@smime.example>", "=", "alice@smime.example"),
            ("From", " alice@smime.example", "=", "="),
            ("From", "a@x.example, b@x.example", "=", "="),
            ("To", "Bob <bob@x.example>,\r\n Carol <c@x.example>", "=", "bob@x.example,\r\n c@x.example"),
            ("Cc", "friends: a@x.example;", "=", "="),
            ("Reply-To", "Alice <alice@smime.example>", "=", "="),
            ("Date", "Sat, 20 Feb 2021 10:09:02 -0500", "=", "Sat, 20 Feb 2021 15:09:02 +0000"),
            ("Date", "Sat, 20 Feb 2021 15:09:02 +0000", "=", "="),
            ("Date", "yesterday", "=", "="),
            ("Message-ID", "<x@y>", "=", "="),
        ] {
            assert_eq!(shown(Policy::Baseline, name, value), baseline, "{name}: {value}");
            assert_eq!(shown(Policy::Shy, name, value), shy, "{name}: {value}");
            assert_eq!(shown(Policy::NoConfidentiality, name, value), "=", "{name}: {value}");
        }
    }
}
