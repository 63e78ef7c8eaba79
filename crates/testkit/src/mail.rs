//! Mails of any shape around any signature, written octet by octet.

use std::io::Write as _;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Oid, oid, write as der};
use kakitome_pki::cert::pem;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::mime::encoding::Base64Writer;
use kakitome_smime::octets::InMemory;

use crate::cms::SignedFactory;
use crate::{Holder, NOW};

/// What the signature of a mail covers, if it verifies.
pub fn covered(mail: &[u8]) -> Option<Vec<u8>> {
    let mail = mail.to_vec();
    let opened = open(&mail, &InMemory, &NoKeys).expect("octets in memory are read");
    let Layer::Signed(layer) = &opened.layer else { return None };
    layer.outcome.verified.as_ref()?;
    let mut out = Vec::new();
    layer.write_content(&mail, &opened.structure, &mut out).expect("memory is written");
    Some(out)
}

/// What the base mail says: Japanese text and a PDF, as it is signed.
const PAYLOAD: &str = "Content-Type: multipart/mixed; boundary=\"payload\"\r\n\
    \r\n\
    --payload\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 8bit\r\n\
    \r\n\
    いつもお世話になっております。\r\n\
    今月の明細をお送りします。\r\n\
    --payload\r\n\
    Content-Type: application/pdf; name=\"meisai.pdf\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"meisai.pdf\"\r\n\
    \r\n\
    JVBERi0xLjQKJSVFT0YK\r\n\
    --payload--\r\n";

/// A mail that can be signed. Without more said it is the base mail: text and a PDF, From = To's business partner,
/// dated [`NOW`].
#[derive(Clone)]
pub struct Mail {
    header: Vec<(String, Vec<u8>)>,
    payload: Vec<u8>,
}

impl Mail {
    /// The base mail with this From field.
    pub fn from(from: &str) -> Self {
        let header = [
            ("From", from.to_owned()),
            ("To", "Jiro <jiro@reader.example>".to_owned()),
            ("Subject", "=?utf-8?B?5pyI5L6L5aCx5ZGK?=".to_owned()),
            ("Date", NOW.to_mail_date()),
            ("Message-ID", "<1@sender.example>".to_owned()),
        ];
        let header = header.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        Self { header, payload: PAYLOAD.as_bytes().to_vec() }
    }

    /// The base mail from this person.
    pub fn of(holder: &Holder) -> Self {
        Self::from(holder.certificate.extensions().mailboxes().next().expect("a mailbox"))
    }

    /// A header field, in the place of those of its name.
    #[must_use]
    pub fn field(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let place = self.header.iter().position(|(other, _)| other == name).unwrap_or(self.header.len());
        let mut this = self.without(name);
        this.header.insert(place, (name.to_owned(), value.as_ref().to_vec()));
        this
    }

    /// A header field more, first.
    #[must_use]
    pub fn before(mut self, name: &str, value: &str) -> Self {
        self.header.insert(0, (name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// A header field more, last.
    #[must_use]
    pub fn after(mut self, name: &str, value: &str) -> Self {
        self.header.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// Without the fields of a name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.header.retain(|(other, _)| other != name);
        self
    }

    /// Dated.
    #[must_use]
    pub fn dated(self, date: Time) -> Self {
        self.field("Date", date.to_mail_date())
    }

    /// Another payload: a whole MIME part, its own header first.
    #[must_use]
    pub fn part(mut self, part: impl AsRef<[u8]>) -> Self {
        self.payload = part.as_ref().to_vec();
        self
    }

    /// With the header fields as they are now inside the signature (RFC 9788), `form` being `clear` or `cipher`.
    #[must_use]
    pub fn protected(mut self, form: &str) -> Self {
        let at = self.payload.windows(2).position(|pair| pair == b"\r\n").expect("the payload's first line");
        let (first, rest) = self.payload.split_at(at);
        let header = lines(&self.header);
        self.payload = [first, format!("; hp=\"{form}\"").as_bytes(), b"\r\n", &header, &rest[2..]].concat();
        self
    }

    /// What is signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The mail unsigned, its payload being the body.
    pub fn plain(&self) -> Vec<u8> {
        self.around(&self.payload)
    }

    /// The mail's header around any MIME part.
    pub fn around(&self, part: &[u8]) -> Vec<u8> {
        [&lines(&self.header)[..], b"MIME-Version: 1.0\r\n", part].concat()
    }

    /// multipart/signed with this signature.
    pub fn clear(&self, cms: &[u8]) -> Vec<u8> {
        self.around(&clear_part(&self.payload, cms))
    }

    /// application/pkcs7-mime with this CMS object.
    pub fn opaque(&self, cms: &[u8]) -> Vec<u8> {
        self.around(&opaque_part(cms))
    }

    /// multipart/signed by this person.
    pub fn clear_by(&self, holder: &Holder) -> Vec<u8> {
        self.clear(&SignedFactory::by(holder, &self.payload).der())
    }

    /// application/pkcs7-mime by this person.
    pub fn opaque_by(&self, holder: &Holder) -> Vec<u8> {
        self.opaque(&SignedFactory::by(holder, &self.payload).embedded().der())
    }
}

fn lines(header: &[(String, Vec<u8>)]) -> Vec<u8> {
    header.iter().flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\r\n"].concat()).collect()
}

/// A multipart/signed part (RFC 8551 §3.5.3).
pub fn clear_part(payload: &[u8], cms: &[u8]) -> Vec<u8> {
    let head = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\
        \tmicalg=sha-256; boundary=\"signed\"\r\n\
        \r\n\
        --signed\r\n";
    [head.as_bytes(), payload, b"\r\n--signed\r\n", &signature_part(cms), b"\r\n--signed--\r\n"].concat()
}

/// The part that holds a detached signature.
pub fn signature_part(cms: &[u8]) -> Vec<u8> {
    let head = "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
        Content-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\
        \r\n";
    [head.as_bytes(), &base64(cms)].concat()
}

/// A part that is a CMS object, under the label that its content type asks for (RFC 8551 §3.2.2); under that of
/// signed-data where it asks for none.
pub fn opaque_part(cms: &[u8]) -> Vec<u8> {
    let begin = &cms[..cms.len().min(24)];
    let is = |kind: Oid| {
        let kind = der::oid(&kind);
        begin.windows(kind.len()).any(|window| window == kind)
    };
    let kind = match () {
        () if is(oid::ENVELOPED_DATA) => "enveloped-data",
        () if is(oid::AUTH_ENVELOPED_DATA) => "authEnveloped-data",
        () if is(oid::COMPRESSED_DATA) => "compressed-data",
        () => "signed-data",
    };
    let head = format!(
        "Content-Type: application/pkcs7-mime; smime-type={kind}; name=\"smime.p7m\"\r\n\
        Content-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\
        \r\n"
    );
    [head.as_bytes(), &base64(cms)].concat()
}

/// multipart/mixed of these parts.
pub fn mixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = b"Content-Type: multipart/mixed; boundary=\"mixed\"\r\n\r\n".to_vec();
    for part in parts {
        out.extend_from_slice(&[b"--mixed\r\n", *part, b"\r\n"].concat());
    }
    [out, b"--mixed--\r\n".to_vec()].concat()
}

/// A text part.
pub fn text(text: &str) -> Vec<u8> {
    format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n").into_bytes()
}

/// In lines of 76 characters.
pub fn base64(octets: &[u8]) -> Vec<u8> {
    let mut writer = Base64Writer::new(Vec::new());
    writer.write_all(octets).expect("memory takes it");
    writer.finish().expect("memory takes it")
}

/// The octets of what was written by [`base64`].
pub fn unbase64(text: &[u8]) -> Vec<u8> {
    let block = [b"-----BEGIN CMS-----\n", text, b"\n-----END CMS-----\n"].concat();
    pem::read(&block).into_iter().next().expect("base64").der.to_vec()
}

/// A mail with every occurrence of a text replaced, which must occur.
pub fn replaced(mail: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len());
    let mut rest = mail;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    assert!(rest.len() < mail.len(), "«{from}» does not occur");
    out.extend_from_slice(rest);
    out
}
