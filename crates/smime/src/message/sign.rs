//! The signing of a mail, by byte ranges and by ask and answer: a [`Draft`] says what to sign, the caller signs it
//! wherever the key lives, and the draft writes the mail.

use std::io::{self, Write};

use kakitome_pki::algorithm::{Digest, Signature};
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::hex;
use kakitome_pki::crypto::{DigestValue, Hasher, NoRandomness, Random};

use super::payload::{self, Payload, Unsignable, Way};
use super::protect::Cover;
use crate::budget::Budget;
use crate::cms::write::Signer;
use crate::mime::encoding::Base64Writer;
use crate::mime::header::Header;
use crate::mime::scan::{Entity, Structure, Tap, Wanted, scan_with};
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
    /// The digest of the payload, where it came out of the pass that found the structure.
    digested: Option<Digested>,
}

#[derive(Clone)]
struct Digested {
    digest: Digest,
    value: DigestValue,
    length: usize,
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
        Self::expecting(mail, cover, Digest::Sha256)
    }

    /// The same, for a signer with another digest than SHA-256. The expected one is computed in the pass that reads the
    /// mail; another takes a pass of its own.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn expecting(mail: &'a dyn Octets, cover: Cover, digest: Digest) -> io::Result<Result<Self, Unsignable>> {
        let mut ahead = Ahead { cover: &cover, digest, header: Vec::new(), digesting: None };
        let structure = scan_with(mail, 0..mail.len(), &Budget::default(), &mut ahead)?;
        let Ahead { header, digesting, .. } = ahead;
        Ok(Payload::plan(&structure, &cover, &header).map(|payload| {
            let is_as_expected = payload.is(&header, &structure.root().body);
            let digested = digesting.filter(|_| is_as_expected).map(Digesting::finish);
            Self { mail, structure, cover, payload, digested }
        }))
    }

    /// The header of the mail.
    pub fn header(&self) -> &Header {
        &self.structure.root().header
    }

    /// Its parts.
    pub fn structure(&self) -> &Structure {
        &self.structure
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
        let digested = match self.digested.clone().filter(|digested| digested.digest == signer.digest()) {
            Some(digested) => digested,
            None => {
                let mut digesting = Digesting::new(signer.digest());
                self.payload.write(self.mail, &mut digesting)?;
                digesting.finish()
            }
        };
        let octets = signer.octets(digested.value.as_ref(), signing_time);
        Ok(Asked { draft: self, signer, octets, length: digested.length })
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

/// Digests a payload before it is planned, as long as it looks like the header and the body as they stand: so it is with
/// what programs send that mean it to be signed. Where the plan is another, this was for nothing.
struct Ahead<'c> {
    cover: &'c Cover,
    digest: Digest,
    header: Vec<u8>,
    digesting: Option<Digesting>,
}

impl Tap for Ahead<'_> {
    fn wanted(&mut self, message: &Entity) -> Wanted {
        let Ok(header) = payload::root_header(message, self.cover, Way::Relayed) else { return Wanted::Nothing };
        let mut digesting = Digesting::new(self.digest);
        digesting.update(&header);
        self.header = header;
        self.digesting = Some(digesting);
        Wanted::Body
    }

    fn goes_on(&mut self, part: &Entity) -> bool {
        if payload::changes(part) {
            self.digesting = None;
        }
        self.digesting.is_some()
    }
}

impl Write for Ahead<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if let Some(digesting) = &mut self.digesting {
            digesting.update(octets);
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Digesting {
    digest: Digest,
    hasher: Hasher,
    length: usize,
}

impl Digesting {
    fn new(digest: Digest) -> Self {
        Self { digest, hasher: Hasher::new(digest), length: 0 }
    }

    fn update(&mut self, octets: &[u8]) {
        self.hasher.update(octets);
        self.length = self.length.saturating_add(octets.len());
    }

    fn finish(self) -> Digested {
        Digested { digest: self.digest, value: self.hasher.finish(), length: self.length }
    }
}

impl Write for Digesting {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
