//! The signing of a mail, by byte ranges and by ask and answer: a [`Draft`] says what to sign, the caller signs it
//! wherever the key lives, and the draft writes the mail.

use std::io::{self, Write};

use kakitome_pki::algorithm::Signature;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::{Hasher, NoRandomness, Random};

use super::payload::{Payload, Unsignable};
use super::protect::Cover;
use crate::cms::write::Signer;
use crate::mime::encoding::Base64Writer;
use crate::mime::header::Header;
use crate::mime::scan::{Structure, scan};
use crate::octets::Octets;

/// A Date within this distance of now lets the signature carry the time, in seconds: one mail program calls a
/// signature bad whose time is more than an hour from the Date.
pub const DATE_DISTANCE: u64 = 50 * 60;

/// How a mail is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// multipart/signed: every mail program can read the mail.
    Clear,
    /// application/pkcs7-mime: survives relays that change parts, but only S/MIME programs can read it.
    Opaque,
}

/// A mail that is ready to be signed.
pub struct Draft<'a> {
    mail: &'a dyn Octets,
    structure: Structure,
    cover: Cover,
    payload: Payload,
}

impl<'a> Draft<'a> {
    /// Reads a mail and plans what will be signed.
    ///
    /// # Errors
    /// The environment's; inside, why this mail is passed as it is.
    pub fn new(mail: &'a dyn Octets) -> io::Result<Result<Self, Unsignable>> {
        Self::covered(mail, Cover::Clear)
    }

    /// The same, for a mail that will be encrypted once it is signed: then the cover says what its header hides.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn covered(mail: &'a dyn Octets, cover: Cover) -> io::Result<Result<Self, Unsignable>> {
        let structure = scan(mail, 0..mail.len())?;
        Ok(Payload::plan(&structure, &cover).map(|payload| Self { mail, structure, cover, payload }))
    }

    /// The header of the mail.
    pub fn header(&self) -> &Header {
        &self.structure.root().header
    }

    /// The signing time that the signature may carry: now, if the mail's Date is near.
    pub fn signing_time(&self, now: Time) -> Option<Time> {
        let date = self.header().find("Date").and_then(|date| Time::from_mail_date(&date))?;
        (date.distance(now) <= DATE_DISTANCE).then_some(now)
    }

    /// Hashes the payload and asks for a signature.
    ///
    /// # Errors
    /// The environment's.
    pub fn request<'s>(&'s self, signer: &'s Signer, signing_time: Option<Time>) -> io::Result<Asked<'s>> {
        let hasher = Hasher::new(signer.digest());
        let mut counting = Counting { hasher, length: 0 };
        self.payload.write(self.mail, &mut counting)?;
        let octets = signer.octets(counting.hasher.finish().as_ref(), signing_time);
        Ok(Asked { draft: self, signer, octets, length: counting.length })
    }
}

/// A draft whose signature was asked for.
pub struct Asked<'s> {
    draft: &'s Draft<'s>,
    signer: &'s Signer,
    octets: Vec<u8>,
    length: usize,
}

impl Asked<'_> {
    /// The octets to sign.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// With which algorithm.
    pub fn algorithm(&self) -> Signature {
        self.signer.algorithm()
    }

    /// Writes the signed mail.
    ///
    /// # Errors
    /// The environment's.
    pub fn write(&self, form: Form, signature: &[u8], random: &dyn Random, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&self.draft.cover.around(self.draft.header()))?;
        match form {
            Form::Clear => self.clear(signature, random, to),
            Form::Opaque => self.opaque(signature, to),
        }
    }

    /// RFC 8551 §3.5.3.3.
    fn clear(&self, signature: &[u8], random: &dyn Random, to: &mut dyn Write) -> io::Result<()> {
        let mut octets = [0; 16];
        random.fill(&mut octets).map_err(|NoRandomness| io::Error::other(NoRandomness))?;
        let boundary = format!("kakitome-{}", hex(&octets));
        let micalg = self.signer.digest().name().to_ascii_lowercase();
        write!(
            to,
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\
             \tmicalg={micalg}; boundary=\"{boundary}\"\r\n\
             \r\n\
             --{boundary}\r\n"
        )?;
        self.draft.payload.write(self.draft.mail, to)?;
        write!(
            to,
            "\r\n--{boundary}\r\n\
             Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
             Content-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\
             Content-Description: S/MIME Cryptographic Signature\r\n\
             \r\n"
        )?;
        let (head, tail) = self.signer.assemble(&self.octets, signature, None);
        let mut writer = Base64Writer::new(&mut *to);
        writer.write_all(&head)?;
        writer.write_all(&tail)?;
        writer.finish()?;
        write!(to, "\r\n--{boundary}--\r\n")
    }

    /// RFC 8551 §3.5.2.
    fn opaque(&self, signature: &[u8], to: &mut dyn Write) -> io::Result<()> {
        to.write_all(
            b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n\
              Content-Transfer-Encoding: base64\r\n\
              Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\
              Content-Description: S/MIME Signed Message\r\n\
              \r\n",
        )?;
        let (head, tail) = self.signer.assemble(&self.octets, signature, Some(self.length));
        let mut writer = Base64Writer::new(&mut *to);
        writer.write_all(&head)?;
        self.draft.payload.write(self.draft.mail, &mut writer)?;
        writer.write_all(&tail)?;
        writer.finish().map(drop)
    }
}

struct Counting {
    hasher: Hasher,
    length: usize,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.length = self.length.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
