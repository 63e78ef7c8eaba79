//! The writing of encrypted objects, in DER: every length stands before what it counts, so that every program reads them,
//! and nothing is held, because encryption's length follows from the content's.

use std::io::{self, BufWriter, Write};

use kakitome_pki::algorithm::{Cipher, ContentEncryption, GCM_TAG_OCTETS};
use kakitome_pki::asn1::{oid, tag, write};
use kakitome_pki::crypto::{ContentKey, Encryptor, NoRandomness, NotEncrypted, Random};

use crate::cms::recipient::{Answer, Keys, Question, RECIPIENT_LIMIT, RECIPIENTS_LIMIT, Recipient, Unwrapped};
use crate::octets::WINDOW;

/// Why an object is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    /// Nobody could open it.
    #[error("there is no recipient")]
    Nobody,
    /// There are more than this engine would read.
    #[error("there are more than {RECIPIENT_LIMIT} recipients, or their infos are longer than 12 MiB")]
    TooMany,
    /// The content key cannot be encrypted to one of them.
    #[error("the content key cannot be encrypted to recipient number {0}")]
    Recipient(usize),
    /// A cipher that is only read.
    #[error("the cipher is only read, not written")]
    Cipher,
    /// No randomness: the machine's fault.
    #[error("{0}")]
    Randomness(#[from] NoRandomness),
}

/// An object whose content key has reached its recipients, waiting for its content. It is used once: a key and a nonce
/// never meet twice.
pub struct Envelope {
    encryption: ContentEncryption,
    key: ContentKey,
    recipients: Vec<u8>,
    version: u8,
}

impl Envelope {
    /// Draws key and initialisation vector, and wraps the key for every recipient; what one costs does not depend on how
    /// many there are. Who is told of whom: each recipient can see all others of the same envelope, so a blind copy needs
    /// an envelope of its own (RFC 9787 §9.4).
    ///
    /// # Errors
    /// [`Unsealed`].
    pub fn new(recipients: &[Recipient], cipher: Cipher, random: &dyn Random) -> Result<Self, Unsealed> {
        if cipher.is_weak() {
            return Err(Unsealed::Cipher);
        }
        if recipients.is_empty() {
            return Err(Unsealed::Nobody);
        }
        if recipients.len() > RECIPIENT_LIMIT {
            return Err(Unsealed::TooMany);
        }
        let key = ContentKey::generate(cipher, random)?;
        let encryption = ContentEncryption::generate(cipher, random)?;
        let info = |(number, recipient): (usize, &Recipient)| {
            recipient.info(&key, random).map_err(|NotEncrypted| Unsealed::Recipient(number))
        };
        let infos = (1..).zip(recipients).map(info).collect::<Result<Vec<_>, _>>()?;
        // RFC 5652 §6.1, RFC 5083 §2.1.
        let needed = recipients.iter().map(Recipient::version).max().unwrap_or_default();
        let version = if cipher.is_authenticated() { 0 } else { needed };
        let recipients = write::set_of(infos);
        if recipients.len() > RECIPIENTS_LIMIT {
            return Err(Unsealed::TooMany);
        }
        Ok(Self { encryption, key, recipients, version })
    }

    /// What it is encrypted with.
    pub fn cipher(&self) -> Cipher {
        self.encryption.cipher()
    }

    /// Opens this one object again, without anybody's private key: for whoever reads back what he wrote before it leaves.
    pub fn opener(&self) -> Opener {
        Opener(self.key.clone())
    }

    /// Begins the writing of the object around a content of `length` octets, which is then written to what this gives
    /// out, and ended with [`Sealing::finish`].
    ///
    /// # Errors
    /// The environment's.
    pub fn begin<W: Write>(self, length: u64, mut to: W) -> io::Result<Sealing<W>> {
        let cipher = self.encryption.cipher();
        let block = u64::try_from(cipher.block_len()).unwrap_or(u64::MAX);
        // RFC 5652 §6.3: 1 to a whole block of padding.
        let encrypted = if cipher.is_authenticated() {
            Some(length)
        } else {
            length.checked_div(block).and_then(|blocks| blocks.checked_add(1)?.checked_mul(block))
        };
        let encrypted = encrypted.and_then(|length| usize::try_from(length).ok());
        let encrypted = encrypted.ok_or_else(|| io::Error::other("the content is longer than anything"))?;

        let mac = if cipher.is_authenticated() { write::header(tag::OCTET_STRING, GCM_TAG_OCTETS) } else { Vec::new() };
        let mut head = write::header(tag::context(0), encrypted);
        write::wrap(
            &mut head,
            tag::SEQUENCE,
            encrypted,
            &[&write::oid(&oid::DATA), &self.encryption.identifier().to_der()],
        );
        let after = if cipher.is_authenticated() { mac.len().saturating_add(GCM_TAG_OCTETS) } else { 0 };
        let after = encrypted.saturating_add(after);
        write::wrap(&mut head, tag::SEQUENCE, after, &[&write::unsigned(&[self.version]), &self.recipients]);
        let kind = if cipher.is_authenticated() { oid::AUTH_ENVELOPED_DATA } else { oid::ENVELOPED_DATA };
        write::wrap(&mut head, tag::context_constructed(0), after, &[]);
        write::wrap(&mut head, tag::SEQUENCE, after, &[&write::oid(&kind)]);
        to.write_all(&head)?;

        let encryptor = Encryptor::new(&self.encryption, &self.key, &[]).map_err(io::Error::other)?;
        let encrypting = Encrypting { encryptor, to, buffer: Vec::new(), left: length };
        Ok(Sealing { encrypting: BufWriter::with_capacity(WINDOW, encrypting), mac })
    }
}

/// The content key of one object.
pub struct Opener(ContentKey);

impl Keys for Opener {
    fn content_key(&self, _: &Question<'_>) -> io::Result<Answer> {
        Ok(Answer::Key(Unwrapped { key: self.0.clone(), recipient: None, findings: Vec::new() }))
    }
}

/// Takes the content and writes it encrypted.
pub struct Sealing<W: Write> {
    encrypting: BufWriter<Encrypting<W>>,
    mac: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Writes what is left and gives back where it was written to.
    ///
    /// # Errors
    /// The environment's; a content of another length than was said, or longer than the cipher takes.
    pub fn finish(self) -> io::Result<W> {
        let mut encrypting = self.encrypting.into_inner().map_err(io::IntoInnerError::into_error)?;
        if encrypting.left != 0 {
            return Err(io::Error::other("the content is shorter than its length"));
        }
        let tag = encrypting.encryptor.finish(&mut encrypting.buffer).map_err(io::Error::other)?;
        encrypting.to.write_all(&encrypting.buffer)?;
        encrypting.to.write_all(&self.mac)?;
        encrypting.to.write_all(&tag)?;
        Ok(encrypting.to)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encrypting.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Encrypting<W> {
    encryptor: Encryptor,
    to: W,
    buffer: Vec<u8>,
    left: u64,
}

impl<W: Write> Write for Encrypting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let left = self.left.checked_sub(length);
        self.left = left.ok_or_else(|| io::Error::other("the content is longer than its length"))?;
        self.buffer.clear();
        self.encryptor.update(bytes, &mut self.buffer);
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
