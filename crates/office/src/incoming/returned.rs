//! Reports that bring back a mail which we opened: what was sealed on its way here must not leave in the clear because a
//! mailbox was full.
//!
//! We hand opened mail on with RET=HDRS (RFC 3461 §4.3), which is enough for every server that keeps to it. A report that
//! leaves by an outbound listener with the text all the same is cut to the fields that say which mail it is about.

use std::io::{self, Write};
use std::ops::Range;

use kakitome_smime::mime::encoding::{Base64Decoder, QuotedPrintableDecoder};
use kakitome_smime::mime::header::{Encoding, Header};
use kakitome_smime::mime::scan::{Entity, scan, scan_header};
use kakitome_smime::octets::{Octets, Spools, copy_range, read_range};

/// What of a returned header goes on. The subject does not: it can have been inside (RFC 9788).
const KEPT: [&str; 6] = ["Return-Path", "Received", "Date", "From", "To", "Message-ID"];
/// So much of a returned mail that stands in an encoding is looked at for its header, in encoded octets.
const HEAD_LIMIT: usize = 256 * 1024;
/// So many returned mails of a report are looked at; a report has one.
const RETURNED_LIMIT: usize = 16;

/// A mail that another brings back whole.
pub struct Returned {
    /// The part, from its header on.
    range: Range<u64>,
    header: Header,
}

impl Returned {
    /// What identifies it.
    pub fn header(&self) -> &Header {
        &self.header
    }
}

/// The mails that a report brings back with their text. `is_automatic` says that the mail has no sender, so that it is a
/// report whatever it calls itself.
///
/// # Errors
/// The environment's.
pub fn of(mail: &dyn Octets, is_automatic: bool) -> io::Result<Vec<Returned>> {
    let root = scan_header(mail, 0..mail.len())?;
    let kind = &root.content_type;
    if !kind.is("multipart", "report") && !(is_automatic && (kind.kind == "multipart" || is_message(&root))) {
        return Ok(Vec::new());
    }
    let structure = scan(mail, 0..mail.len())?;
    let messages = structure.entities.iter().filter(|entity| is_message(entity) && entity.parent.is_some());
    messages
        .take(RETURNED_LIMIT)
        .map(|entity| Ok(Returned { range: entity.range.clone(), header: header_of(mail, entity)? }))
        .collect()
}

fn is_message(entity: &Entity) -> bool {
    entity.content_type.is("message", "rfc822") || entity.content_type.is("message", "global")
}

fn header_of(mail: &dyn Octets, entity: &Entity) -> io::Result<Header> {
    let decoded = match entity.encoding {
        Encoding::Base64 => {
            let mut decoder = Base64Decoder::new(Vec::new());
            decoder.write_all(&read_range(mail, entity.body.clone(), HEAD_LIMIT)?)?;
            decoder.finish()?.0
        }
        Encoding::QuotedPrintable => {
            let mut decoder = QuotedPrintableDecoder::new(Vec::new());
            decoder.write_all(&read_range(mail, entity.body.clone(), HEAD_LIMIT)?)?;
            decoder.finish()?.0
        }
        _ => return Ok(scan_header(mail, entity.body.clone())?.header),
    };
    let len = decoded.len().try_into().unwrap_or(u64::MAX);
    Ok(scan_header(&decoded, 0..len)?.header)
}

/// The report, of each of these mails no more than which one it is. Everything else stays byte for byte.
///
/// # Errors
/// The environment's.
pub fn reduced(mail: &dyn Octets, opened: &[Returned], spools: &dyn Spools) -> io::Result<Box<dyn Octets>> {
    let mut spool = spools.spool()?;
    let mut at = 0;
    for one in opened {
        copy_range(mail, at..one.range.start, &mut spool)?;
        spool.write_all(b"Content-Type: text/rfc822-headers\r\n\r\n")?;
        let header = &one.header;
        for field in &header.fields {
            if KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(header.name(field))) {
                spool.write_all(header.whole(field).trim_ascii_end())?;
                spool.write_all(b"\r\n")?;
            }
        }
        at = one.range.end;
    }
    copy_range(mail, at..mail.len(), &mut spool)?;
    spool.finish()
}

#[cfg(test)]
mod tests {
    use kakitome_smime::octets::InMemory;

    use super::*;

    const REPORT: &str = "From: <>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nNo such user.\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; x@y.example\r\n\r\n--b\r\n";
    const MAIL: &str = "Received: by x;\r\n\tsome day\r\nFrom: a@b.example\r\nSubject: secret\r\nMessage-ID: <1@b.example>\r\n\
        \r\nThe secret.\r\n";

    fn cut(report: &str, is_automatic: bool) -> Option<String> {
        let found = of(&report.as_bytes(), is_automatic).unwrap();
        if found.is_empty() {
            return None;
        }
        assert_eq!(found[0].header().find("Message-ID").as_deref(), Some("<1@b.example>"));
        let out = reduced(&report.as_bytes(), &found, &InMemory).unwrap();
        Some(String::from_utf8(read_range(&*out, 0..out.len(), 1 << 20).unwrap()).unwrap())
    }

    #[test]
    fn what_a_report_brings_back_is_cut_to_what_it_is_about() {
        let ends = "\r\n--b--\r\n";
        let left = "Content-Type: text/rfc822-headers\r\n\r\nReceived: by x;\r\n\tsome day\r\nFrom: a@b.example\r\n\
                    Message-ID: <1@b.example>\r\n";
        let plain = format!("{REPORT}Content-Type: message/rfc822\r\n\r\n{MAIL}{ends}");
        assert_eq!(cut(&plain, false).unwrap(), format!("{REPORT}{left}{ends}"));
        // In an encoding that the standard forbids, and that programs use.
        let encoded = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                       UmVjZWl2ZWQ6IGJ5IHg7DQoJc29tZSBkYXkNCkZyb206IGFAYi5leGFtcGxlDQpTdWJqZWN0OiBzZWNyZXQNCk1lc3NhZ2Ut\r\n\
                       SUQ6IDwxQGIuZXhhbXBsZT4NCg0KVGhlIHNlY3JldC4NCg==";
        assert_eq!(cut(&format!("{REPORT}{encoded}{ends}"), false).unwrap(), format!("{REPORT}{left}{ends}"));
        // Another kind of mail with a mail attached is a report only where nobody sent it.
        let mixed = plain.replace("multipart/report", "multipart/mixed");
        assert_eq!(cut(&mixed, false), None);
        assert!(!cut(&mixed, true).unwrap().contains("secret"));
        // The header alone is no text.
        assert_eq!(cut(&format!("{REPORT}{left}{ends}"), true), None);
        assert_eq!(cut("From: a@b.example\r\n\r\nplain\r\n", true), None);
    }
}
