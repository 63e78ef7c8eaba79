//! The opening of an encrypted object: who holds a key is asked once, then the content is decrypted in one pass.
//!
//! What can be refused by what the message says openly is refused by name, before any key is touched. Everything after
//! that fails alike, in one finding and after the same work: a content key that did not unwrap, a wrong padding, a wrong
//! tag (CVE-2019-1563 and its children). Authenticated plain text does not leave the spool before its tag was right.

use std::io::{self, BufWriter, Write};
use std::ops::Deref;

use kakitome_pki::algorithm::ContentEncryption;
use kakitome_pki::asn1::oid;
use kakitome_pki::crypto::Decryptor;

use super::{Enveloped, Kind};
use crate::Finding;
use crate::cms::attribute::{self, Value};
use crate::cms::reader::OctetString;
use crate::cms::recipient::{Answer, Keys, Question, known};
use crate::octets::{Octets, Spools, WINDOW};

/// What came of opening.
pub enum Opening<T = Plaintext> {
    /// It is open.
    Open(T),
    /// No key here.
    NoKey,
    /// Refused by what the message says openly.
    Refused(Finding),
    /// It did not decrypt; why is not told, because it would tell an attacker.
    Failed(Finding),
}

/// How content was decrypted. Only [`Enveloped::decrypt`] makes one, and only after all of the content was.
#[derive(Debug)]
pub struct Decrypted {
    encryption: ContentEncryption,
    recipient: Option<usize>,
    findings: Vec<Finding>,
}

impl Decrypted {
    /// Would a change have been found? If not, the plain text may be anybody's work (EFAIL, CVE-2017-17689).
    pub fn is_authenticated(&self) -> bool {
        self.encryption.cipher().is_authenticated()
    }

    /// How it was encrypted.
    pub fn encryption(&self) -> &ContentEncryption {
        &self.encryption
    }

    /// Which recipient info opened it, from 0; `None` in encrypted-data.
    pub fn recipient(&self) -> Option<usize> {
        self.recipient
    }

    /// What is to be said of it, always: not authenticated, weak cipher, weak key.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// What was encrypted, and how.
pub struct Plaintext {
    octets: Box<dyn Octets>,
    decrypted: Decrypted,
}

impl Plaintext {
    /// The octets.
    pub fn octets(&self) -> &dyn Octets {
        &*self.octets
    }

    /// The octets, to keep.
    pub fn into_octets(self) -> Box<dyn Octets> {
        self.octets
    }
}

impl Deref for Plaintext {
    type Target = Decrypted;

    fn deref(&self) -> &Decrypted {
        &self.decrypted
    }
}

impl Enveloped {
    /// How the content is encrypted.
    ///
    /// # Errors
    /// The algorithm is not known or its parameters are refused: by the finding.
    pub fn encryption(&self) -> Result<ContentEncryption, Finding> {
        known(ContentEncryption::from_identifier(&self.algorithm), &self.algorithm)
    }

    /// Opens it into a spool; `object` holds the octets that it was read from.
    ///
    /// # Errors
    /// The environment's.
    pub fn open(&self, object: &dyn Octets, keys: &dyn Keys, spools: &dyn Spools) -> io::Result<Opening<Plaintext>> {
        let mut spool = spools.spool()?;
        Ok(match self.decrypt(object, keys, &mut spool)? {
            Opening::Open(decrypted) => Opening::Open(Plaintext { octets: spool.finish()?, decrypted }),
            Opening::NoKey => Opening::NoKey,
            Opening::Refused(finding) => Opening::Refused(finding),
            Opening::Failed(finding) => Opening::Failed(finding),
        })
    }

    /// Decrypts it to `to`. What was written there is void unless [`Opening::Open`] comes back: until then it may be
    /// anybody's, and nobody may see it.
    ///
    /// # Errors
    /// The environment's.
    pub fn decrypt(&self, object: &dyn Octets, keys: &dyn Keys, to: &mut dyn Write) -> io::Result<Opening<Decrypted>> {
        let (encryption, content) = match self.examine() {
            Ok(examined) => examined,
            Err(finding) => return Ok(Opening::Refused(finding)),
        };
        let cipher = encryption.cipher();
        let question = Question { recipients: &self.recipients, certificates: &self.certificates, cipher };
        let unwrapped = match keys.content_key(&question)? {
            Answer::NoKey => return Ok(Opening::NoKey),
            Answer::Refused(finding) => return Ok(Opening::Refused(finding)),
            Answer::Key(unwrapped) => unwrapped,
        };
        let attributes = self.authenticated.as_ref().map_or(&[][..], |attributes| &attributes.octets);
        let failed = || Ok(Opening::Failed(Finding::new("enc.failed", "it does not decrypt with this key")));
        let Ok(decryptor) = Decryptor::new(&encryption, &unwrapped.key, attributes) else { return failed() };
        // Pieces may be of one octet each.
        let decrypting = Decrypting { decryptor, to, buffer: Vec::new() };
        let mut buffered = BufWriter::with_capacity(WINDOW, decrypting);
        content.copy(object, &mut buffered)?;
        let decrypting = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        if !decrypting.finish(&self.mac)? {
            return failed();
        }
        let mut findings = unwrapped.findings;
        if !cipher.is_authenticated() {
            let what = format!("{} does not notice changes: what is inside may not be what was sent", cipher.name());
            findings.push(Finding::new("enc.unauthenticated", what));
        }
        if cipher.is_weak() {
            findings.push(Finding::new("enc.weak", cipher.name()));
        }
        Ok(Opening::Open(Decrypted { encryption, recipient: unwrapped.recipient, findings }))
    }

    /// What can be said without a key.
    fn examine(&self) -> Result<(ContentEncryption, OctetString), Finding> {
        let refused = |what: &str| Finding::new("enc.refused", what);
        let encryption = self.encryption()?;
        let cipher = encryption.cipher();
        // RFC 5083 §2.1; CVE-2026-34182: only what notices changes goes into the one, only the rest into the other.
        match (self.kind, cipher.is_authenticated()) {
            (Kind::AuthEnveloped, false) => {
                return Err(refused("auth-enveloped-data names a cipher that does not notice changes"));
            }
            (Kind::Enveloped | Kind::Encrypted, true) => {
                return Err(refused("an authenticated cipher stands where no authentication tag does"));
            }
            _ => {}
        }
        let content = self.content.ok_or_else(|| refused("the encrypted content is not inside"))?;
        if cipher.is_authenticated() {
            if self.mac.len() != encryption.tag_len() {
                return Err(refused("the authentication tag has another length than the parameters say"));
            }
        } else {
            let block = u64::try_from(cipher.block_len()).unwrap_or(u64::MAX);
            if content.is_empty() || !content.len().is_multiple_of(block) {
                return Err(refused("the encrypted content is no whole number of blocks"));
            }
        }
        self.examine_attributes()?;
        Ok((encryption, content))
    }

    /// RFC 5083 §2.1: a content type among the authenticated attributes is that of the content, and must stand there
    /// unless that is data.
    fn examine_attributes(&self) -> Result<(), Finding> {
        let attributes = self.authenticated.as_ref().map_or(&[][..], |attributes| &attributes.attributes);
        let odd = |what: String| Finding::new("cms.contenttype", what);
        match attribute::only(attributes, oid::CONTENT_TYPE).map_err(|malformed| odd(malformed.to_string()))? {
            Some(Value::ContentType(kind)) if kind == self.content_type => Ok(()),
            None if self.kind != Kind::AuthEnveloped || self.content_type == oid::DATA => Ok(()),
            None => Err(odd("the content type is not among the authenticated attributes".to_owned())),
            Some(_) => Err(odd("the authenticated content type is another".to_owned())),
        }
    }
}

/// Decrypts what is written to it.
struct Decrypting<'a> {
    decryptor: Decryptor,
    to: &'a mut dyn Write,
    buffer: Vec<u8>,
}

impl Decrypting<'_> {
    /// Writes the last octets, and says whether all of it decrypted.
    fn finish(mut self, mac: &[u8]) -> io::Result<bool> {
        if self.decryptor.finish(mac, &mut self.buffer).is_err() {
            return Ok(false);
        }
        self.to.write_all(&self.buffer)?;
        Ok(true)
    }
}

impl Write for Decrypting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.decryptor.update(bytes, &mut self.buffer);
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
