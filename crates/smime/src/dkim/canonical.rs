//! The two canonical forms of DKIM (RFC 6376 §3.4). Bare LF counts as CRLF: it is what a mail had on its way.

/// A canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Simple,
    Relaxed,
}

impl Form {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }
}

/// A header field, without the line end behind it.
pub(super) fn field(form: Form, whole: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(whole.len());
    match form {
        Form::Simple => {
            let mut before = 0;
            for octet in whole {
                if *octet == b'\n' && before != b'\r' {
                    out.push(b'\r');
                }
                out.push(*octet);
                before = *octet;
            }
            while out.ends_with(b"\r\n") {
                out.truncate(out.len().saturating_sub(2));
            }
        }
        Form::Relaxed => {
            let colon = whole.iter().position(|octet| *octet == b':').unwrap_or(whole.len());
            let (name, value) = whole.split_at_checked(colon).unwrap_or((whole, &[]));
            out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
            out.push(b':');
            let begin = out.len();
            let mut blank = false;
            for octet in value.iter().skip(1) {
                match octet {
                    b'\r' | b'\n' => {}
                    b' ' | b'\t' => blank = true,
                    octet => {
                        if blank && out.len() > begin {
                            out.push(b' ');
                        }
                        out.push(*octet);
                        blank = false;
                    }
                }
            }
        }
    }
    out
}

/// A body, piece by piece.
pub(super) struct Body {
    form: Form,
    /// Octets that may still be given out.
    left: Option<u64>,
    /// Line ends that are given out only if something follows.
    ends: u64,
    blank: bool,
    carriage: bool,
    is_empty: bool,
    buffer: Vec<u8>,
}

/// Octets are given out in pieces of about this size.
const PIECE: usize = 8192;

impl Body {
    pub(super) const fn new(form: Form, length: Option<u64>) -> Self {
        Self { form, left: length, ends: 0, blank: false, carriage: false, is_empty: true, buffer: Vec::new() }
    }

    pub(super) fn update(&mut self, piece: &[u8], out: &mut dyn FnMut(&[u8])) {
        for octet in piece {
            if self.carriage {
                self.carriage = false;
                if *octet == b'\n' {
                    self.end_of_line();
                    continue;
                }
                self.put(b'\r', out);
            }
            match octet {
                b'\r' => self.carriage = true,
                b'\n' => self.end_of_line(),
                b' ' | b'\t' if self.form == Form::Relaxed => self.blank = true,
                octet => self.put(*octet, out),
            }
        }
    }

    fn end_of_line(&mut self) {
        self.blank = false;
        self.ends = self.ends.saturating_add(1);
    }

    /// What is no blank and no line end.
    fn put(&mut self, octet: u8, out: &mut dyn FnMut(&[u8])) {
        while self.ends > 0 {
            self.ends = self.ends.saturating_sub(1);
            self.buffer.extend_from_slice(b"\r\n");
            self.give(PIECE, out);
        }
        if self.blank {
            self.blank = false;
            self.buffer.push(b' ');
        }
        self.buffer.push(octet);
        self.is_empty = false;
        self.give(PIECE, out);
    }

    fn give(&mut self, least: usize, out: &mut dyn FnMut(&[u8])) {
        if self.buffer.len() < least {
            return;
        }
        let length = match &mut self.left {
            None => self.buffer.len(),
            Some(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(self.buffer.len());
                *left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
                length
            }
        };
        out(self.buffer.get(..length).unwrap_or_default());
        self.buffer.clear();
    }

    /// The end: empty lines at the end do not count, and an empty body is one line end, or nothing when relaxed
    /// (RFC 6376 §3.4.3, §3.4.4). False if fewer octets came than are signed.
    pub(super) fn finish(mut self, out: &mut dyn FnMut(&[u8])) -> bool {
        if self.carriage {
            self.put(b'\r', out);
        }
        if !self.is_empty || self.form == Form::Simple {
            self.buffer.extend_from_slice(b"\r\n");
        }
        self.give(0, out);
        self.left.is_none_or(|left| left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 §3.4.5, §3.4.3, §3.4.4, and what a file may hold that never went by SMTP.
    #[test]
    fn canonical_forms() {
        let fields: &[(&str, &str, &str)] = &[
            ("A: X\r\n", "A: X", "a:X"),
            ("B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  ", "b:Y Z"),
            ("B : Y\t\n\tZ  \n", "B : Y\t\r\n\tZ  ", "b:Y Z"),
            ("a:b: c\r\n", "a:b: c", "a:b: c"),
            ("a: :\r\n", "a: :", "a::"),
            ("a:\r\n", "a:", "a:"),
        ];
        for (whole, simple, relaxed) in fields {
            assert_eq!(String::from_utf8_lossy(&field(Form::Simple, whole.as_bytes())), *simple, "{whole:?}");
            assert_eq!(String::from_utf8_lossy(&field(Form::Relaxed, whole.as_bytes())), *relaxed, "{whole:?}");
        }
        let bodies: &[(&str, &str, &str)] = &[
            (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
            (" C \nD \t E\n\n\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
            ("", "\r\n", ""),
            ("\r\n\r\n", "\r\n", ""),
            (" \r\n", " \r\n", ""),
            ("x", "x\r\n", "x\r\n"),
            ("x \t", "x \t\r\n", "x\r\n"),
            ("\r\nx\r\n", "\r\nx\r\n", "\r\nx\r\n"),
            ("x\ry\r", "x\ry\r\r\n", "x\ry\r\r\n"),
        ];
        for (body, simple, relaxed) in bodies {
            for (form, expected) in [(Form::Simple, simple), (Form::Relaxed, relaxed)] {
                // wherever the pieces are cut
                for cut in 0..=body.len() {
                    let (first, second) = body.as_bytes().split_at(cut);
                    let mut out = Vec::new();
                    let mut canonical = Body::new(form, None);
                    canonical.update(first, &mut |octets| out.extend_from_slice(octets));
                    canonical.update(second, &mut |octets| out.extend_from_slice(octets));
                    assert!(canonical.finish(&mut |octets| out.extend_from_slice(octets)));
                    assert_eq!(String::from_utf8_lossy(&out), **expected, "{body:?} {form:?} {cut}");
                }
            }
        }
        let lengths: &[(u64, &str, bool)] =
            &[(0, "", true), (3, "x\r\n", true), (5, "x\r\ny\r", true), (9, "x\r\ny\r\n", false)];
        for (length, expected, enough) in lengths {
            let mut out = Vec::new();
            let mut canonical = Body::new(Form::Simple, Some(*length));
            canonical.update(b"x\r\ny\r\n", &mut |octets| out.extend_from_slice(octets));
            assert_eq!(canonical.finish(&mut |octets| out.extend_from_slice(octets)), *enough, "{length}");
            assert_eq!(String::from_utf8_lossy(&out), *expected, "{length}");
        }
    }
}
