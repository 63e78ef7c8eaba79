//! Certification requests (PKCS#10, RFC 2986), made by ask and answer like certificates.

use super::profile::{MailUse, mailbox};
use super::{NotIssued, ToSign, default_algorithm, framed};
use crate::address::Address;
use crate::asn1::{oid, write};
use crate::cert::name::Name;
use crate::crypto::{PublicKey, SigningKey};

/// A request that wants only its signature, by the key that it is for.
#[derive(Debug)]
pub struct RequestDraft {
    key: PublicKey,
    to_sign: ToSign,
}

impl RequestDraft {
    /// A request for a certificate that signs mail from these addresses and, where the key can, takes encrypted mail.
    ///
    /// # Errors
    /// [`NotIssued::CannotSign`] for a key that proves nothing by a signature (X25519, ML-KEM; RFC 9883 is not made yet);
    /// [`NotIssued::Key`] for a weak or unknown one.
    pub fn new(subject: &Name, mailboxes: &[Address], spki: &[u8]) -> Result<Self, NotIssued> {
        Self::for_use(subject, mailboxes, spki, None)
    }

    /// The same for one use alone; all that the key can where none is said.
    ///
    /// # Errors
    /// As [`Self::new`]; [`NotIssued::Usage`] where the key cannot do that.
    pub fn for_use(
        subject: &Name,
        mailboxes: &[Address],
        spki: &[u8],
        usage: Option<MailUse>,
    ) -> Result<Self, NotIssued> {
        let key = PublicKey::parse(spki).map_err(|error| NotIssued::Key(error.to_string()))?;
        if matches!(key, PublicKey::X25519(_) | PublicKey::MlKem(..)) {
            return Err(NotIssued::CannotSign(key.describe()));
        }
        let algorithm = default_algorithm(&key).filter(|_| !key.is_weak());
        let algorithm = algorithm.ok_or_else(|| NotIssued::Key(key.describe()))?;
        let both = MailUse::Both.bits(&key).or_else(|| MailUse::Sign.bits(&key));
        let usages = usage.map_or(both, |usage| usage.bits(&key)).ok_or_else(|| NotIssued::Usage(key.describe()))?;
        let extensions = extensions(subject, mailboxes, &usages);
        let attribute = write::sequence(&[&write::oid(&oid::EXTENSION_REQUEST), &write::set_of(vec![extensions])]);
        let bytes = write::sequence(&[&write::unsigned(&[0]), subject.raw(), spki, &write::context(0, &[&attribute])]);
        Ok(Self { key, to_sign: ToSign { bytes, algorithm } })
    }

    /// What the key is to sign.
    pub fn to_sign(&self) -> &ToSign {
        &self.to_sign
    }

    /// Takes the signature and yields the request in DER.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if it does not verify.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, NotIssued> {
        let ToSign { bytes, algorithm } = &self.to_sign;
        self.key.verify(*algorithm, bytes, signature).map_err(|_| NotIssued::Signature)?;
        framed(&self.to_sign, signature)
    }

    /// Signs with a key that is at hand.
    ///
    /// # Errors
    /// [`NotIssued::Signature`] if the key is another one.
    pub fn sign(self, key: &SigningKey) -> Result<Vec<u8>, NotIssued> {
        let signature = key.sign(self.to_sign.algorithm, &self.to_sign.bytes).map_err(|_| NotIssued::Signature)?;
        self.assemble(&signature)
    }
}

/// The extensions that are asked for: key usage (RFC 8550 §4.4.2), e-mail, the addresses.
fn extensions(subject: &Name, mailboxes: &[Address], usages: &[u8]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = mailboxes.iter().map(mailbox).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let all = [
        (oid::KEY_USAGE, true, write::named_bits(usages)),
        (oid::EXTENDED_KEY_USAGE, false, write::sequence(&[&write::oid(&oid::EMAIL_PROTECTION)])),
        // RFC 5280 §4.2.1.6: critical where the subject is empty.
        (oid::SUBJECT_ALT_NAME, subject.is_empty(), write::sequence(&names)),
    ];
    let written = all.iter().filter(|(id, ..)| *id != oid::SUBJECT_ALT_NAME || !mailboxes.is_empty());
    let written: Vec<Vec<u8>> = written
        .map(|(id, critical, value)| {
            let critical = if *critical { write::boolean(true) } else { Vec::new() };
            write::sequence(&[&write::oid(id), &critical, &write::octet_string(value)])
        })
        .collect();
    write::sequence(&written.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
