//! The encryption of a mail, by byte ranges: its body goes into the envelope, and of its header what the cover says.

use std::io::{self, Write};

use super::open::is_pkcs7_mime;
use super::payload::{Payload, Unsignable};
use super::protect::{Cipher, Cover};
use crate::cms::enveloped::Envelope;
use crate::mime::encoding::Base64Writer;
use crate::mime::header::Header;
use crate::mime::scan::{Entity, Structure, scan};
use crate::octets::Octets;

/// A mail that is ready to be encrypted.
pub struct Draft<'a> {
    mail: &'a dyn Octets,
    structure: Structure,
    cover: Cover,
    payload: Payload,
    length: u64,
}

impl<'a> Draft<'a> {
    /// Reads a mail and plans what will be encrypted, and what of its header stays outside.
    ///
    /// A mail that is signed already goes in as it is, under its whole header: what is to be hidden must have been so when
    /// it was signed (`sign::Draft::covered`).
    ///
    /// # Errors
    /// The environment's; inside, why this mail is not encrypted.
    pub fn new(mail: &'a dyn Octets, cipher: Cipher) -> io::Result<Result<Self, Unsignable>> {
        let structure = scan(mail, 0..mail.len())?;
        let root = structure.root();
        if is_encrypted(root) {
            return Ok(Err(Unsignable::AlreadyProtected));
        }
        let cover = if is_signed(root) { Cover::Layer } else { Cover::Cipher(cipher) };
        let payload = match Payload::plan_hidden(&structure, &cover) {
            Ok(payload) => payload,
            Err(unsignable) => return Ok(Err(unsignable)),
        };
        let length = payload.length(mail, &structure)?;
        Ok(Ok(Self { mail, structure, cover, payload, length }))
    }

    /// The header of the mail.
    pub fn header(&self) -> &Header {
        &self.structure.root().header
    }

    /// Writes the encrypted mail (RFC 8551 §3.3, §3.4). Whoever may not see the others' names in it needs a mail and an
    /// envelope of his own: blind copies (RFC 9787 §9.4).
    ///
    /// # Errors
    /// The environment's.
    pub fn write(&self, envelope: Envelope, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&self.cover.around(self.header()))?;
        let kind = if envelope.cipher().is_authenticated() { "authEnveloped-data" } else { "enveloped-data" };
        write!(
            to,
            "Content-Type: application/pkcs7-mime; smime-type={kind};\r\n\tname=\"smime.p7m\"\r\n\
             Content-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\
             Content-Description: S/MIME Encrypted Message\r\n\
             \r\n"
        )?;
        let mut sealing = envelope.begin(self.length, Base64Writer::new(to))?;
        self.payload.write(self.mail, &mut sealing)?;
        sealing.finish()?.finish().map(drop)
    }
}

/// Is it an encrypted layer, by its label?
fn is_encrypted(root: &Entity) -> bool {
    let kind = root.content_type.parameter("smime-type").unwrap_or_default().to_ascii_lowercase();
    root.content_type.is("multipart", "encrypted")
        || (is_pkcs7_mime(root) && matches!(kind.as_str(), "enveloped-data" | "authenveloped-data"))
}

/// Is it a signed layer, or does it say that its header is protected?
fn is_signed(root: &Entity) -> bool {
    root.content_type.is("multipart", "signed") || is_pkcs7_mime(root) || root.content_type.parameter("hp").is_some()
}
