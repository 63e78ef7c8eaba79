//! Mails of many shapes, out and in. Each has its number in its recipients' addresses and at its end.

use std::collections::BTreeSet;

/// The domain of recipients whose certificates nobody knows.
const WORLD: &str = "example.net";
/// The domain of those who are encrypted to, with one certificate for all.
pub(super) const SEALED: &str = "sealed.example";

/// Where a mail enters.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Door {
    /// A member hands it in.
    Submission,
    /// It comes from outside, to members.
    Outside,
    /// The same, and it is to be sealed to the member first.
    OutsideSealed,
}

/// One mail to send.
pub(super) struct Mail {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) bytes: Vec<u8>,
    /// The last line of its text; whoever has the mail whole has this.
    pub(super) end: String,
    pub(super) door: Door,
    /// At whom it arrives as it is, perhaps with fields in front.
    pub(super) untouched: BTreeSet<String>,
    /// At whom it arrives encrypted.
    pub(super) sealed: BTreeSet<String>,
}

/// The kinds, and whether each passes as it is.
const KINDS: [(&str, bool); 19] = [
    ("plain text", false),
    ("8-bit text", false),
    ("ISO-2022-JP", false),
    ("no MIME header", false),
    ("dots and From at the beginning of lines", false),
    ("lines of 998 octets", false),
    ("HTML and an attachment", false),
    ("large, 300 kB", false),
    ("large, 1.5 MB", false),
    ("several recipients", false),
    ("signed before", true),
    ("not a member", true),
    ("null sender", true),
    ("calendar", false),
    ("encrypted for some, some of them blind", false),
    ("encrypted for all, large", false),
    ("received", true),
    ("received, sealed to a member", false),
    ("received, sealed to one of two members", false),
];

/// How many kinds there are.
pub(super) const KIND_COUNT: usize = KINDS.len();

/// The mail with this number, for members of `domain`.
pub(super) fn mail(number: usize, domain: &str, date: &str) -> Mail {
    let (kind, passes) = KINDS[number % KINDS.len()];
    let end = format!("the end of m{number}");
    let (content_type, body) = content(kind);
    let door = match kind {
        "received" => Door::Outside,
        "received, sealed to a member" | "received, sealed to one of two members" => Door::OutsideSealed,
        _ => Door::Submission,
    };
    let author = if kind == "not a member" || door != Door::Submission {
        "somebody@example.org".to_owned()
    } else {
        format!("m{}@{domain}", number % 7)
    };
    let sender = if kind == "null sender" { String::new() } else { author.clone() };
    // (how many recipients, how many of them are encrypted to, how many of these are not shown)
    let (count, sealed, blind) = match kind {
        "several recipients" => (2 + number % 5, 0, 0),
        "encrypted for some, some of them blind" => (3 + number % 4, 2 + number % 3, 1 + number % 2),
        "encrypted for all, large" => (2, 2, 0),
        "received, sealed to one of two members" => (2, 0, 0),
        _ => (1, 0, 0),
    };
    let domain_of = |at: usize| match door {
        Door::Submission if at < sealed => SEALED,
        Door::Submission => WORLD,
        Door::Outside | Door::OutsideSealed => domain,
    };
    let recipients: Vec<String> = (0..count).map(|at| format!("m{number}r{at}@{}", domain_of(at))).collect();
    let shown = match door {
        Door::Submission if sealed == 0 => format!("reader@{WORLD}"),
        _ => recipients[blind..].join(", "),
    };
    let mut bytes = format!(
        "From: {author}\r\nTo: {shown}\r\nSubject: {kind} {number}\r\nDate: {date}\r\n\
         Message-ID: <m{number}@{domain}>\r\n{content_type}\r\n"
    )
    .into_bytes();
    let (before, after) = body;
    bytes.extend_from_slice(&before);
    bytes.extend_from_slice(format!("{end}\r\n").as_bytes());
    bytes.extend_from_slice(after.as_bytes());
    let those = |are: &dyn Fn(usize) -> bool| {
        recipients.iter().enumerate().filter(|(at, _)| are(*at)).map(|(_, one)| one.clone()).collect()
    };
    // The second of two gets what only the first can open as it came.
    let stays_sealed = |at: usize| if door == Door::OutsideSealed { at > 0 } else { at < sealed };
    let untouched = those(&|at| passes || (door == Door::OutsideSealed && at > 0));
    Mail { sender, bytes, end, door, untouched, sealed: those(&stays_sealed), recipients }
}

/// The header fields of the content, and the content before and after the last line of its text.
fn content(kind: &str) -> (&'static str, (Vec<u8>, &'static str)) {
    const TEXT: &str = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n";
    const LINE: &str = "A line of the mail, as there are many of them in a large one.\r\n";
    let ascii = |text: String| (text.into_bytes(), "");
    match kind {
        "8-bit text" => (
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
            // little of it, so that it becomes quoted-printable and its last line can be seen
            ascii(format!("{}Gr\u{fc}\u{df}e, \u{84dd}.\r\n", LINE.repeat(10))),
        ),
        "ISO-2022-JP" => (
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n",
            ascii("\x1b$B$3$s$K$A$O\x1b(B\r\n".to_owned()),
        ),
        "no MIME header" => ("", ascii("Good morning.\r\n\r\n".to_owned())),
        "dots and From at the beginning of lines" => (TEXT, ascii(".\r\n..\r\n.a\r\nFrom here\r\n \t\r\n".to_owned())),
        "lines of 998 octets" => (TEXT, ascii(format!("{}\r\n{}\r\n", "x".repeat(998), ".".repeat(998)))),
        "HTML and an attachment" => (
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n",
            (
                b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b\r\nContent-Type: application/octet-stream\r\n\
                  Content-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcICQ==\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
                    .to_vec(),
                "--b--\r\n",
            ),
        ),
        "large, 300 kB" => (TEXT, ascii(LINE.repeat(5000))),
        "encrypted for all, large" => (TEXT, ascii(LINE.repeat(3000))),
        "large, 1.5 MB" => (TEXT, ascii(LINE.repeat(24_000))),
        "signed before" => (
            "MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; \
             micalg=sha-256; boundary=\"s\"\r\n",
            (
                b"--s\r\nContent-Type: text/plain\r\n\r\nSigned by somebody.\r\n".to_vec(),
                "--s\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\nMAA=\r\n--s--\r\n",
            ),
        ),
        "calendar" => (
            "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n",
            (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nX-END:".to_vec(), "END:VCALENDAR\r\n"),
        ),
        _ => (TEXT, ascii("Good morning.\r\n-- \r\nA member\r\n".to_owned())),
    }
}
