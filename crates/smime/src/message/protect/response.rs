//! What an answer to a mail with hidden fields must not give away (RFC 9788 §6).

use super::{Outside, Protected, plain};

/// A field by name and raw value.
pub type Named = (String, Vec<u8>);

/// The fields that the answer to one mail keeps hidden, because that mail hid what they are made of: a policy of its own,
/// which is asked where the sender's own policy lets a field stand (RFC 9788 §5.2.1, §6.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    hidden: Vec<(Named, Option<Vec<u8>>)>,
}

impl Response {
    /// The policy for an answer. `respond` makes the header fields of the answer out of those of a mail; it is asked
    /// twice, with the fields inside and with those that the sender put outside, and the difference is what is hidden.
    /// A mail whose sender hid nothing gives a policy that hides nothing.
    pub fn new(protected: &Protected, respond: &dyn Fn(&[Named]) -> Vec<Named>) -> Self {
        let inside: Vec<Named> = protected.fields.iter().map(|field| (field.name.clone(), field.raw.clone())).collect();
        let mut generated = normal(respond(&inside));
        let mut shown = normal(respond(protected.sent.as_ref().unwrap_or(&inside)));
        shown.retain(|field| match generated.iter().position(|other| other == field) {
            Some(at) => {
                generated.remove(at);
                false
            }
            None => true,
        });
        let hidden = generated.into_iter().map(|field| {
            let at = shown.iter().position(|(name, _)| *name == field.0);
            let instead = at.map(|at| shown.remove(at).1);
            (field, instead)
        });
        Self { hidden: hidden.collect() }
    }

    /// What of a field of the answer stays outside.
    pub fn outside(&self, name: &str, value: &[u8]) -> Outside {
        let field = (name.to_ascii_lowercase(), plain(value));
        match self.hidden.iter().find(|(hidden, _)| *hidden == field) {
            None => Outside::AsInside,
            Some((_, Some(instead))) => Outside::Instead(instead.clone()),
            Some((_, None)) => Outside::Removed,
        }
    }

    /// The names of the fields that stay hidden, in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hidden.iter().map(|((name, _), _)| name.as_str())
    }
}

fn normal(fields: Vec<Named>) -> Vec<Named> {
    fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), plain(&value))).collect()
}

/// The fields of a reply to all: subject, addressees and threading (RFC 5322 §3.6.3, §3.6.4). Made of the protected
/// fields alone, so that nobody on the way can add himself to the addressees (RFC 9788 §4.4.4, §6.2).
pub fn reply(fields: &[Named]) -> Vec<Named> {
    let find = |name: &str| {
        fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    };
    let mut out: Vec<Named> = Vec::new();
    let mut add = |name: &str, value: Vec<u8>| out.push((name.to_owned(), value));
    if let Some(subject) = find("Subject") {
        let is_reply = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"re:"));
        add("Subject", if is_reply { subject.to_vec() } else { [b"Re: ".as_slice(), subject].concat() });
    }
    if let Some(to) = find("Reply-To").or_else(|| find("From")) {
        add("To", to.to_vec());
    }
    let others: Vec<&[u8]> = ["To", "Cc"].into_iter().filter_map(find).collect();
    if !others.is_empty() {
        add("Cc", others.join(b", ".as_slice()));
    }
    if let Some(number) = find("Message-ID") {
        add("In-Reply-To", number.to_vec());
        let earlier = find("References").or_else(|| find("In-Reply-To"));
        add("References", earlier.into_iter().chain([number]).collect::<Vec<_>>().join(b" ".as_slice()));
    }
    out
}
