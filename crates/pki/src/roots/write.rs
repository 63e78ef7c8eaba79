//! A list as text: one for the repository, where a change of one root is a change of its lines alone, and one for whoever
//! exports his anchors.

use super::{FIRST_LINE, FOR_EMAIL, Header, Root, VERSION};
use crate::cert::file::NOT_FOR_EMAIL;
use crate::cert::{hex, pem};

/// Writes a list; `remarks` stand as comments below its first line. Roots stand in the order in which they are given.
pub fn write(header: &Header, remarks: &[&str], roots: &[Root]) -> String {
    let mut out = format!("{FIRST_LINE}{VERSION}\n");
    for remark in remarks {
        out.push_str(format!("# {remark}").trim_end());
        out.push('\n');
    }
    let for_email = roots.iter().filter(|root| root.uses.email).count();
    attribute(&mut out, "list", &header.name);
    if let Some(date) = header.date {
        attribute(&mut out, "date", &date.to_string());
    }
    attribute(&mut out, "source", &header.source);
    attribute(&mut out, "source-sha256", &header.source_sha256);
    attribute(&mut out, "roots", &roots.len().to_string());
    attribute(&mut out, "for-email", &for_email.to_string());
    for root in roots {
        out.push('\n');
        one(&mut out, root);
    }
    out
}

fn one(out: &mut String, root: &Root) {
    let nameless = root.name.trim().is_empty();
    attribute(out, "name", if nameless { "(no name)" } else { &root.name });
    attribute(out, "sha256", &hex(root.fingerprint()));
    attribute(out, "subject", &format!("{:016x}", root.subject));
    let uses = match (root.uses.email, root.uses.tls) {
        (true, true) => "email, tls",
        (true, false) => "email",
        (false, true) => "tls",
        (false, false) => "nothing",
    };
    attribute(out, "for", uses);
    if let Some(after) = root.distrust_after {
        attribute(out, "distrust-after", &after.to_string());
    }
    for domain in &root.only_for {
        attribute(out, "only-for", domain);
    }
    if root.names_verified {
        attribute(out, "names", "verified");
    }
    out.push_str(&pem::write(if root.uses.email { FOR_EMAIL } else { NOT_FOR_EMAIL }, root.der()));
}

/// A line; none for what is empty. Names come from certificates, and must not begin lines of their own.
fn attribute(out: &mut String, name: &str, value: &str) {
    let value: String = value.chars().map(|c| if c.is_control() || c == '\u{2028}' { ' ' } else { c }).collect();
    let value = value.trim();
    if !value.is_empty() {
        out.push_str(&format!("{name}: {value}\n"));
    }
}
