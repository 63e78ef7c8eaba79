//! A message of the appendix, octet by octet: a row of the table says what is particular to it.

/// A line of a field or of a text has at most so many characters there.
const LINE: usize = 64;

const PNG: &str = "\
    iVBORw0KGgoAAAANSUhEUgAAABQAAAAUCAYAAACNiR0NAAAAcElEQVR42uVTOxbA\r\n\
    MAgS739nO3TpRw20dqpbfARQEjOywiwYnCtkDKnbcLk66sqlT+zt9cidkE+6KwkZ\r\n\
    sgrzfcqVMpL2jo0447gYDpeArk+OnJHkIhAfTPRicihAf5YJrw7vjv0ZWRWM/uli\r\n\
    vdPf1QZ2kDD9xppd8wAAAABJRU5ErkJggg==\r\n";

pub(super) type Field = (&'static str, String);

pub(super) struct Vector<'a> {
    pub(super) section: &'a str,
    pub(super) name: &'a str,
    pub(super) layers: &'a str,
    pub(super) body: &'a str,
    pub(super) protection: &'a str,
    pub(super) has_display: bool,
    /// The name of the message that it answers.
    pub(super) answers: Option<&'a str>,
    time: &'a str,
    /// From the outermost to the innermost.
    boundaries: Vec<&'a str>,
    hidden: Vec<(&'a str, String)>,
    /// The message digest in the printed signature, in hexadecimal digits; nothing in a message without one.
    pub(super) digest: &'a str,
    /// How that signature begins.
    pub(super) signature: &'a str,
}

/// The rows of the table.
pub(super) fn all(table: &str) -> Vec<Vector<'_>> {
    table.lines().filter(|line| !line.starts_with('#')).map(Vector::of).collect()
}

impl<'a> Vector<'a> {
    fn of(line: &'a str) -> Self {
        let cells: Vec<&str> = line.split('\t').map(|cell| if cell == "-" { "" } else { cell }).collect();
        let [section, name, layers, body, protection, display, answers, time, boundaries, hidden, digest, signature] =
            cells[..]
        else {
            panic!("{line}")
        };
        let hidden = hidden.split_whitespace().map(|pair| {
            let (name, outside) = pair.split_once('=').unwrap();
            (name, outside.replace('_', " "))
        });
        Self {
            section,
            name,
            layers,
            body,
            protection,
            has_display: display == "display",
            answers: (!answers.is_empty()).then_some(answers),
            time,
            boundaries: boundaries.split_whitespace().collect(),
            hidden: hidden.collect(),
            digest,
            signature,
        }
    }

    /// The fields that the sender composed.
    pub(super) fn fields(&self) -> Vec<Field> {
        let name = self.name;
        let mut fields = vec![
            ("Subject", name.to_owned()),
            ("Message-ID", format!("<{name}@example>")),
            ("From", "Alice <alice@smime.example>".to_owned()),
            ("To", "Bob <bob@smime.example>".to_owned()),
            ("Date", self.date()),
            ("User-Agent", "Sample MUA Version 1.0".to_owned()),
        ];
        if let Some(first) = self.answers {
            fields.extend(["In-Reply-To", "References"].map(|name| (name, format!("<{first}@example>"))));
        }
        fields
    }

    pub(super) fn date(&self) -> String {
        format!("Sat, 20 Feb 2021 {}:02 -0500", self.time)
    }

    /// What stands outside in the place of a field inside, if that is something else.
    pub(super) fn hidden(&self, name: &str) -> Option<&str> {
        self.hidden.iter().find(|(hidden, _)| *hidden == name).map(|(_, outside)| outside.as_str())
    }

    /// The fields that stand outside.
    pub(super) fn outside(&self) -> Vec<Field> {
        let shown = |(name, value)| (name, self.hidden(name).map_or(value, str::to_owned));
        self.fields().into_iter().map(shown).collect()
    }

    /// Those, as they are written.
    pub(super) fn header(&self) -> String {
        written(&self.outside())
    }

    /// The mail as it would be without any layer.
    pub(super) fn plain(&self) -> String {
        format!("MIME-Version: 1.0\r\n{}{}\r\n{}", self.labels(), written(&self.fields()), self.content(false))
    }

    /// What the signature covers.
    pub(super) fn payload(&self) -> String {
        match self.protection {
            "none" => format!("MIME-Version: 1.0\r\n{}\r\n{}", self.labels(), self.content(false)),
            "rfc822" => {
                let inner = self.plain();
                // Alone in CMS the inner message kept the line ends of the machine that it was made on.
                let inner = if self.layers == "multipart" { inner } else { inner.replace("\r\n", "\n") };
                format!("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n{inner}")
            }
            protection => {
                let (hp, records) = if protection == "clear" {
                    ("hp=\"clear\"", String::new())
                } else {
                    ("hp=\"cipher\"", self.outside().into_iter().map(record).collect())
                };
                let (encoding, kind) = match (self.body, self.has_display) {
                    ("simple", false) => (SEVEN_BIT, format!("Content-Type: text/plain; charset=\"utf-8\"; {hp}\r\n")),
                    ("simple", true) => (
                        SEVEN_BIT,
                        format!("Content-Type: text/plain; charset=\"utf-8\";\r\n hp-legacy-display=\"1\"; {hp}\r\n"),
                    ),
                    _ => ("", format!("Content-Type: multipart/mixed; boundary=\"{}\"; {hp}\r\n", self.boundary(0))),
                };
                let fields = written(&self.fields());
                let content = self.content(self.has_display);
                format!("MIME-Version: 1.0\r\n{encoding}{fields}{records}{kind}\r\n{content}")
            }
        }
    }

    /// Boundaries of the content: that of a multipart/signed around it is not needed.
    fn boundary(&self, number: usize) -> &str {
        self.boundaries[self.boundaries.len() - 2 + number]
    }

    fn labels(&self) -> String {
        if self.body == "simple" {
            format!("Content-Type: text/plain; charset=\"utf-8\"\r\n{SEVEN_BIT}")
        } else {
            format!("Content-Type: multipart/mixed; boundary=\"{}\"\r\n", self.boundary(0))
        }
    }

    fn content(&self, with_display: bool) -> String {
        if self.body == "simple" {
            return self.text(with_display);
        }
        let (mixed, alternative) = (self.boundary(0), self.boundary(1));
        let leaf = |kind: &str| {
            let kind = format!("Content-Type: text/{kind}; charset=\"us-ascii\"");
            if with_display {
                format!("MIME-Version: 1.0\r\n{SEVEN_BIT}{kind};\r\n hp-legacy-display=\"1\"\r\n")
            } else {
                format!("{kind}\r\nMIME-Version: 1.0\r\n{SEVEN_BIT}")
            }
        };
        format!(
            "--{mixed}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{alternative}\"\r\n\r\n\
             --{alternative}\r\n{}\r\n{}--{alternative}\r\n{}\r\n{}--{alternative}--\r\n\r\n\
             --{mixed}\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: inline\r\n\r\n{PNG}\r\n--{mixed}--\r\n",
            leaf("plain"),
            self.text(with_display),
            leaf("html"),
            self.html(with_display, with_display),
        )
    }

    /// The lines for programs that know no header protection.
    pub(super) fn lines(&self) -> String {
        let hidden = self.fields().into_iter().filter(|(name, _)| self.hidden(name).is_some());
        hidden.map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    }

    pub(super) fn text(&self, with_display: bool) -> String {
        let lines = if with_display { format!("{}\r\n", self.lines()) } else { String::new() };
        let (name, about) = (self.name, self.about());
        format!(
            "{lines}This is the\r\n{name}\r\nmessage.\r\n\r\n{about}\r\n\r\n-- \r\nAlice\r\nalice@smime.example\r\n"
        )
    }

    /// A parser had it in hand where the lines were put in, and wrote `<br>` anew.
    pub(super) fn html(&self, with_display: bool, is_rewritten: bool) -> String {
        let element = if with_display {
            let lines = self.lines().replace('<', "&lt;").replace('>', "&gt;");
            format!("<div class=\"header-protection-legacy-display\">\r\n<pre>\r\n{lines}</pre>\r\n</div>")
        } else {
            String::new()
        };
        let (name, about) = (self.name, self.about());
        let br = if is_rewritten { "<br>" } else { "<br/>" };
        format!(
            "<html><head><title></title></head><body>\r\n{element}<p>This is the\r\n<b>{name}</b>\r\nmessage.</p>\r\n\
             <p>{about}</p>\r\n<p><tt>-- {br}Alice{br}alice@smime.example</tt></p></body></html>\r\n"
        )
    }

    /// What each says of itself.
    fn about(&self) -> String {
        let content = if self.body == "simple" {
            "text/plain message"
        } else {
            "multipart/alternative message with an inline image/png attachment"
        };
        let layers = match self.layers {
            "none" => {
                return wrapped(&format!(
                    "This message uses no cryptographic protection at all.  Its Body is a {content}."
                ));
            }
            "signed-data" => "signed-only S/MIME message via PKCS#7 signedData",
            "multipart" => "signed-only S/MIME message via PKCS#7 detached signature (multipart/signed)",
            _ => "signed-and-encrypted S/MIME message using PKCS#7 envelopedData around signedData",
        };
        let scheme = match self.protection {
            "none" => "no Header Protection",
            "rfc822" => "the legacy RFC 8551 Header Protection (RFC8551HP) scheme",
            _ => "the Header Protection scheme from RFC 9788",
        };
        let policy = match (self.protection, self.layers) {
            ("baseline", _) | ("rfc822", "sealed") => " with the `hcp_baseline` Header Confidentiality Policy",
            ("shy", _) => " with the `hcp_shy` Header Confidentiality Policy",
            _ => "",
        };
        let display = if self.has_display { " with a \"Legacy Display\" element" } else { "" };
        wrapped(&format!("This is a {layers}.  The payload is a {content}. It uses {scheme}{policy}{display}."))
    }
}

const SEVEN_BIT: &str = "Content-Transfer-Encoding: 7bit\r\n";

fn written(fields: &[Field]) -> String {
    fields.iter().map(|(name, value)| folded(name, value)).collect()
}

fn folded(name: &str, value: &str) -> String {
    if name.len() + 2 + value.len() <= LINE {
        format!("{name}: {value}\r\n")
    } else {
        format!("{name}:\r\n {value}\r\n")
    }
}

/// The record of a field, folded where the first blank lets it fit.
fn record((name, value): Field) -> String {
    const LABEL: &str = "HP-Outer: ";
    let field = folded(name, &value);
    let first = field.find("\r\n").unwrap();
    if LABEL.len() + first <= LINE {
        format!("{LABEL}{field}")
    } else if first < LINE {
        format!("HP-Outer:\r\n {field}")
    } else {
        format!("{LABEL}{name}:\r\n {value}\r\n")
    }
}

/// Lines as long as they may be; blanks within a line stay as many as they are.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    let mut blanks = 0;
    for word in text.split(' ') {
        if word.is_empty() {
            blanks += 1;
            continue;
        }
        if column > 0 && column + blanks + word.len() > LINE {
            out.push_str("\r\n");
            column = 0;
        } else {
            out.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        }
        out.push_str(word);
        column += word.len();
        blanks = 1;
    }
    out
}
