//! Property lists in XML, as Apple's configuration profiles are written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The columns of base64 in a line.
const COLUMNS: usize = 68;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plist {
    Text(String),
    Octets(Vec<u8>),
    Integer(i64),
    Flag(bool),
    List(Vec<Self>),
    /// In the order in which it is written.
    Dictionary(Vec<(&'static str, Self)>),
}

impl From<&str> for Plist {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Plist {
    /// The whole document.
    pub(super) fn document(&self) -> String {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <plist version=\"1.0\">\n",
        );
        self.write(0, &mut out);
        out.push_str("</plist>\n");
        out
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = "\t".repeat(depth);
        let line = match self {
            Self::Text(text) => format!("<string>{}</string>", escaped(text)),
            Self::Integer(number) => format!("<integer>{number}</integer>"),
            Self::Flag(true) => "<true/>".to_owned(),
            Self::Flag(false) => "<false/>".to_owned(),
            Self::Octets(octets) => {
                out.push_str(&format!("{indent}<data>\n"));
                let text = STANDARD.encode(octets);
                let mut rest = text.as_str();
                while !rest.is_empty() {
                    let (line, behind) = rest.split_at_checked(COLUMNS).unwrap_or((rest, ""));
                    out.push_str(&format!("{indent}{line}\n"));
                    rest = behind;
                }
                "</data>".to_owned()
            }
            Self::List(items) => {
                out.push_str(&format!("{indent}<array>\n"));
                for item in items {
                    item.write(depth.saturating_add(1), out);
                }
                "</array>".to_owned()
            }
            Self::Dictionary(pairs) => {
                out.push_str(&format!("{indent}<dict>\n"));
                for (key, value) in pairs {
                    out.push_str(&format!("{indent}\t<key>{}</key>\n", escaped(key)));
                    value.write(depth.saturating_add(1), out);
                }
                "</dict>".to_owned()
            }
        };
        out.push_str(&format!("{indent}{line}\n"));
    }
}

/// Text as XML 1.0 can hold it: most control characters cannot stand there, however they are written.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_text() {
        let list = Plist::Dictionary(vec![
            ("a", "</string><true/>&\u{0}\n".into()),
            ("b", Plist::List(vec![Plist::Octets(vec![0; 60]), Plist::Integer(-1), Plist::Flag(false)])),
        ]);
        let text = list.document();
        assert!(text.contains("<string>&lt;/string&gt;&lt;true/&gt;&amp;\u{fffd} </string>"), "{text}");
        assert!(
            text.contains(&format!("\t\t<data>\n\t\t{}\n\t\t{}\n\t\t</data>\n", "A".repeat(68), "A".repeat(12))),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() < 120));
    }
}
