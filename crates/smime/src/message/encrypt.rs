//! The encryption of a mail, by byte ranges: its body goes into the envelope, and of its header what the cover says.

use std::io::{self, Write};

use super::decrypt;
use super::open::is_pkcs7_mime;
use super::payload::{Payload, Unsignable};
use super::protect::{Cipher, Cover};
use crate::cms::enveloped::Envelope;
use crate::mime::encoding::Base64Writer;
use crate::mime::header::Header;
use crate::mime::scan::{Entity, Structure, scan, scan_header};
use crate::octets::{Octets, Spools, read_range};

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

/// Is a mail encrypted, and not only labelled so: S/MIME by its object, PGP/MIME by its parts (RFC 3156 §4)? To whom is not
/// asked.
///
/// # Errors
/// The environment's.
pub fn is_sealed(mail: &dyn Octets, spools: &dyn Spools) -> io::Result<bool> {
    let root = scan_header(mail, 0..mail.len())?;
    if !is_encrypted(&root) {
        return Ok(false);
    }
    if is_pkcs7_mime(&root) {
        return Ok(matches!(decrypt::find(mail, spools)?, decrypt::Found::Sealed(_)));
    }
    let structure = scan(mail, 0..mail.len())?;
    let parts = structure.root().parts.clone();
    let [control, content] = parts.as_slice() else { return Ok(false) };
    let (Some(control), Some(content)) = (structure.entity(*control), structure.entity(*content)) else {
        return Ok(false);
    };
    let is_pgp = structure.root().content_type.parameter("protocol") == Some("application/pgp-encrypted")
        && control.content_type.is("application", "pgp-encrypted")
        && content.content_type.is("application", "octet-stream");
    let beginning = read_range(mail, content.body.clone(), PGP_BEGINNING.len().saturating_add(4))?;
    let is_clean = !structure.root().has_surroundings && structure.findings.is_empty();
    Ok(is_pgp && is_clean && beginning.trim_ascii_start().starts_with(PGP_BEGINNING))
}

/// How the encrypted part of PGP/MIME begins (RFC 9580 §6.2).
const PGP_BEGINNING: &[u8] = b"-----BEGIN PGP MESSAGE-----";

/// Is it an encrypted layer, by its label?
pub fn is_encrypted(root: &Entity) -> bool {
    let kind = root.content_type.parameter("smime-type").unwrap_or_default().to_ascii_lowercase();
    root.content_type.is("multipart", "encrypted")
        || (is_pkcs7_mime(root) && matches!(kind.as_str(), "enveloped-data" | "authenveloped-data"))
}

/// Is it a signed layer, or does it say that its header is protected?
fn is_signed(root: &Entity) -> bool {
    root.content_type.is("multipart", "signed") || is_pkcs7_mime(root) || root.content_type.parameter("hp").is_some()
}
