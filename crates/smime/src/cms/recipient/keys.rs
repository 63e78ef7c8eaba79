//! Keys by ask and answer (ARCHITECTURE.md): the engine shows who could open a message, and whoever holds keys gives back
//! the content key that one of them yields.

use std::io;

use kakitome_pki::algorithm::{
    self, AlgorithmIdentifier, Cipher, KeyAgreement as Scheme, KeyEncapsulation, KeyTransport as Transport, KeyWrap,
    PBKDF2_ROUNDS_LIMIT, PasswordDerivation,
};
use kakitome_pki::asn1::der::Der;
use kakitome_pki::asn1::{Malformed, oid, write};
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{ContentKey, DecryptionKey, KeyEncryptionKey, NoRandomness, PasswordKey, PublicKey, Random};
use zeroize::Zeroizing;

use super::{
    Encapsulation, HeldKey, KeyAgreement, KeyTransport, Originator, Password, RecipientIdentifier, RecipientInfo,
    Recipients,
};
use crate::Finding;

/// An encrypted content key longer than this is none, in octets: that of the longest RSA key.
pub const ENCRYPTED_KEY_LIMIT: usize = 1024;
/// So many passwords are tried on a message, each on as many recipient infos.
pub const PASSWORD_LIMIT: usize = 8;
/// All passwords on all recipient infos of a message are stretched by so many rounds together: what one recipient info may
/// ask for by itself.
const PASSWORD_ROUNDS_LIMIT: u32 = PBKDF2_ROUNDS_LIMIT;

/// What a holder of keys is asked.
pub struct Question<'a> {
    /// Who can open the message, in its order.
    pub recipients: &'a Recipients,
    /// The originator's certificates out of the message.
    pub certificates: &'a [Certificate],
    /// What the content key is for.
    pub cipher: Cipher,
}

/// What a holder of keys answers.
#[derive(Debug)]
pub enum Answer {
    /// He holds no key of any of the recipients.
    NoKey,
    /// He does, but what the message says of it is refused by name: nothing of this depends on a secret.
    Refused(Finding),
    /// A content key.
    Key(Unwrapped),
}

/// A content key as a recipient info yields it: the right one, or one that opens nothing. Nobody is told which.
#[derive(Debug)]
pub struct Unwrapped {
    /// The key.
    pub key: ContentKey,
    /// The number of the recipient info, from 0; `None` where the message has none (encrypted-data).
    pub recipient: Option<usize>,
    /// What is to be said about the key that opened it.
    pub findings: Vec<Finding>,
}

/// Whoever holds private keys. He answers with one recipient's key, after one operation with one private key, however
/// many recipients there are; where unwrapping fails, with a random key instead, so that it shows in nothing.
pub trait Keys {
    /// Unwraps the content key of a message.
    ///
    /// # Errors
    /// The environment's: the place where the keys live, or the source of randomness.
    fn content_key(&self, question: &Question<'_>) -> io::Result<Answer>;
}

/// Nobody holds anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn content_key(&self, _: &Question<'_>) -> io::Result<Answer> {
        Ok(Answer::NoKey)
    }
}

/// A certificate with its private key.
#[derive(Debug)]
pub struct Holder {
    /// Whom the recipient infos name.
    pub certificate: Certificate,
    /// His key.
    pub key: DecryptionKey,
}

/// Keys in memory.
pub struct HeldKeys<'r> {
    holders: Vec<Holder>,
    secrets: Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    passwords: Vec<Zeroizing<Vec<u8>>>,
    random: &'r dyn Random,
}

/// What came of one recipient info.
enum Tried {
    /// No key here is meant.
    NotOurs,
    /// One is, but the message asks for what is not done.
    Refused(Finding),
    /// The unwrapping, successful or not.
    Done { key: Option<ContentKey>, is_weak: bool },
}

impl<'r> HeldKeys<'r> {
    /// No keys yet. From `random` come the keys that stand for those that did not unwrap.
    pub fn new(random: &'r dyn Random) -> Self {
        Self { holders: Vec::new(), secrets: Vec::new(), passwords: Vec::new(), random }
    }

    /// Adds a certificate with its key.
    pub fn hold(&mut self, holder: Holder) {
        self.holders.push(holder);
    }

    /// Adds a key-encryption key by its identifier; encrypted-data is opened with it as the content key itself.
    pub fn hold_secret(&mut self, identifier: &[u8], octets: Zeroizing<Vec<u8>>) {
        self.secrets.push((identifier.to_vec(), octets));
    }

    /// Adds a password, of which the first [`PASSWORD_LIMIT`] are tried.
    pub fn hold_password(&mut self, password: Zeroizing<Vec<u8>>) {
        self.passwords.push(password);
    }

    /// Is there nothing to open a message with?
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.secrets.is_empty() && self.passwords.is_empty()
    }

    fn holder(&self, recipient: &RecipientIdentifier<'_>) -> Option<&Holder> {
        self.holders.iter().find(|holder| recipient.names(&holder.certificate))
    }

    fn try_one(&self, info: &RecipientInfo<'_>, question: &Question<'_>) -> Tried {
        match info {
            RecipientInfo::KeyTransport(info) => self.transport(info, question.cipher),
            RecipientInfo::KeyAgreement(info) => self.agreement(info, question),
            RecipientInfo::HeldKey(info) => self.secret(info, question.cipher),
            RecipientInfo::Encapsulation(info) => self.encapsulation(info, question.cipher),
            // Passwords are tried last, and no other kind is known.
            RecipientInfo::Password(_) | RecipientInfo::Other(_) => Tried::NotOurs,
        }
    }

    /// RFC 5652 §6.2.1.
    fn transport(&self, info: &KeyTransport<'_>, cipher: Cipher) -> Tried {
        let Some(Holder { key, .. }) = self.holder(&info.recipient) else { return Tried::NotOurs };
        let transport = match known(Transport::from_identifier(&info.algorithm), &info.algorithm) {
            Ok(transport) => transport,
            Err(finding) => return Tried::Refused(finding),
        };
        if !matches!(key.public(), PublicKey::Rsa { .. }) {
            return refused("key transport is addressed to a key that is not RSA");
        }
        if info.encrypted_key.len() > ENCRYPTED_KEY_LIMIT {
            return refused("an encrypted content key is longer than any RSA key");
        }
        Tried::Done { key: key.transport(&transport, info.encrypted_key, cipher).ok(), is_weak: key.public().is_weak() }
    }

    /// RFC 5652 §6.2.2, RFC 5753 §3.
    fn agreement(&self, info: &KeyAgreement<'_>, question: &Question<'_>) -> Tried {
        let mut agreed = info.keys().flatten();
        let found = agreed.find_map(|agreed| self.holder(&agreed.recipient).map(|holder| (holder, agreed)));
        let Some((holder, agreed)) = found else { return Tried::NotOurs };
        let scheme = match known(Scheme::from_identifier(&info.algorithm), &info.algorithm) {
            Ok(scheme) => scheme,
            Err(finding) => return Tried::Refused(finding),
        };
        let peer = match &info.originator {
            Originator::Key { algorithm, key } if is_of_kind(algorithm, holder.key.public()) => holder.key.peer(key),
            Originator::Key { .. } => None,
            Originator::Certificate(identifier) => {
                let own = self.holders.iter().map(|holder| &holder.certificate);
                let sender = question.certificates.iter().chain(own).find(|sender| identifier.names(sender));
                match sender {
                    Some(sender) => Some(sender.key().clone()),
                    None => return refused("the certificate of a static key agreement's originator is not there"),
                }
            }
        };
        let Some(peer) = peer else { return refused("the originator's key is of another kind than the recipient's") };
        if agreed.encrypted_key.len() > ENCRYPTED_KEY_LIMIT {
            return refused("a wrapped content key is longer than any");
        }
        let key = holder.key.agree(&peer, &scheme, &scheme.wrap_identifier.to_der(), info.material);
        let key = key.and_then(|key| key.unwrap(agreed.encrypted_key, question.cipher)).ok();
        Tried::Done { key, is_weak: false }
    }

    /// RFC 5652 §6.2.3.
    fn secret(&self, info: &HeldKey<'_>, cipher: Cipher) -> Tried {
        let Some((_, secret)) = self.secrets.iter().find(|(identifier, _)| identifier == info.identifier) else {
            return Tried::NotOurs;
        };
        let wrap = match known(KeyWrap::from_identifier(&info.algorithm), &info.algorithm) {
            Ok(wrap) => wrap,
            Err(finding) => return Tried::Refused(finding),
        };
        let Some(secret) = KeyEncryptionKey::new(wrap, secret) else {
            return refused("the key wrap is for keys of another length than the one held");
        };
        Tried::Done { key: secret.unwrap(info.encrypted_key, cipher).ok(), is_weak: wrap == KeyWrap::TripleDes }
    }

    /// RFC 9629 §3, RFC 9936.
    fn encapsulation(&self, info: &Encapsulation<'_>, cipher: Cipher) -> Tried {
        let Some(Holder { key, .. }) = self.holder(&info.recipient) else { return Tried::NotOurs };
        let (kdf, wrap) = (&info.derivation, &info.algorithm);
        let read = KeyEncapsulation::from_identifiers(&info.mechanism, kdf, info.key_length, wrap);
        let encapsulation = match known(read, &info.mechanism) {
            Ok(encapsulation) => encapsulation,
            Err(finding) => return Tried::Refused(finding),
        };
        if !matches!(key.public(), PublicKey::MlKem(kem, _) if *kem == encapsulation.kem) {
            return refused("a key encapsulation is addressed to a key of another kind");
        }
        if info.encrypted_key.len() > ENCRYPTED_KEY_LIMIT {
            return refused("a wrapped content key is longer than any");
        }
        let opened = key.decapsulate(info.ciphertext, &encapsulation, &wrap.to_der(), info.material);
        let key = opened.and_then(|key| key.unwrap(info.encrypted_key, cipher)).ok();
        Tried::Done { key, is_weak: false }
    }

    /// RFC 5652 §6.2.4: every password that is held on every recipient info of the kind. A wrong one is found out by a
    /// check of three octets, which is no more than what whoever made the password up gave away himself.
    fn passwords(&self, question: &Question<'_>) -> Option<(usize, Tried)> {
        if self.passwords.is_empty() {
            return None;
        }
        let mut last = None;
        let mut rounds = PASSWORD_ROUNDS_LIMIT;
        let infos = question.recipients.iter().enumerate().filter_map(|(number, info)| match info {
            Ok(RecipientInfo::Password(info)) => Some((number, info)),
            _ => None,
        });
        for (number, info) in infos.take(PASSWORD_LIMIT) {
            let (derivation, wrap) = match password_algorithms(&info) {
                Ok(algorithms) => algorithms,
                Err(finding) => {
                    last.get_or_insert((number, Tried::Refused(finding)));
                    continue;
                }
            };
            for password in self.passwords.iter().take(PASSWORD_LIMIT) {
                let Some(left) = rounds.checked_sub(derivation.rounds()) else {
                    let what = "the passwords would have to be stretched by more than ten million rounds in all";
                    return Some((number, refused(what)));
                };
                rounds = left;
                let key = PasswordKey::derive(&derivation, &wrap, password);
                let key = key.and_then(|key| key.unwrap(info.encrypted_key, question.cipher)).ok();
                let is_weak = wrap.cipher().is_weak();
                if key.is_some() {
                    return Some((number, Tried::Done { key, is_weak }));
                }
                last = Some((number, Tried::Done { key: None, is_weak }));
            }
        }
        last
    }

    /// Encrypted-data names no recipient: the first key of the right length.
    fn unnamed(&self, cipher: Cipher) -> Answer {
        let key = self.secrets.iter().find_map(|(_, secret)| ContentKey::new(cipher, secret));
        key.map_or(Answer::NoKey, |key| Answer::Key(Unwrapped { key, recipient: None, findings: Vec::new() }))
    }
}

impl Keys for HeldKeys<'_> {
    fn content_key(&self, question: &Question<'_>) -> io::Result<Answer> {
        if question.recipients.is_empty() {
            return Ok(self.unnamed(question.cipher));
        }
        let mut answer = Answer::NoKey;
        let certified = !self.holders.is_empty() || !self.secrets.is_empty();
        let infos = question.recipients.iter().enumerate().filter(|_| certified);
        let tried = infos.filter_map(|(number, info)| Some((number, self.try_one(&info.ok()?, question))));
        // The first that is ours and can be used decides, whatever comes of it.
        for (number, tried) in tried.chain(std::iter::once_with(|| self.passwords(question)).flatten()) {
            match tried {
                Tried::NotOurs => {}
                Tried::Refused(finding) if matches!(answer, Answer::NoKey) => answer = Answer::Refused(finding),
                Tried::Refused(_) => {}
                Tried::Done { key, is_weak } => {
                    let spare = ContentKey::generate(question.cipher, self.random);
                    let spare = spare.map_err(|NoRandomness| io::Error::other(NoRandomness))?;
                    let findings = is_weak.then(|| Finding::new("enc.weak-key", "the key that opens it is weak"));
                    return Ok(Answer::Key(Unwrapped {
                        key: key.unwrap_or(spare),
                        recipient: Some(number),
                        findings: findings.into_iter().collect(),
                    }));
                }
            }
        }
        Ok(answer)
    }
}

fn refused(what: &str) -> Tried {
    Tried::Refused(Finding::new("enc.refused", what))
}

fn unsupported(algorithm: &AlgorithmIdentifier) -> Finding {
    Finding::new("enc.unsupported", oid::describe(&algorithm.oid))
}

/// An algorithm that was read, or the finding that stands for it.
pub(in crate::cms) fn known<T>(
    read: Result<Option<T>, Malformed>,
    identifier: &AlgorithmIdentifier,
) -> Result<T, Finding> {
    match read {
        Ok(Some(algorithm)) => Ok(algorithm),
        Ok(None) => Err(unsupported(identifier)),
        Err(malformed) => Err(Finding::new("enc.refused", malformed.to_string())),
    }
}

fn password_algorithms(
    info: &Password<'_>,
) -> Result<(PasswordDerivation, kakitome_pki::algorithm::ContentEncryption), Finding> {
    let missing = || Finding::new("enc.unsupported", "a password recipient without key derivation");
    let derivation = info.derivation.as_ref().ok_or_else(missing)?;
    let derivation = known(PasswordDerivation::from_identifier(derivation), derivation)?;
    let wrap = known(algorithm::password_wrap(&info.algorithm), &info.algorithm)?;
    if info.encrypted_key.len() > ENCRYPTED_KEY_LIMIT {
        return Err(Finding::new("enc.refused", "a wrapped content key is longer than any"));
    }
    Ok((derivation, wrap))
}

/// Is the originator's key of the recipient's kind, as far as it is named? Its parameters may be absent or NULL, else
/// they name the curve (RFC 5753 §3.1.1).
fn is_of_kind(originator: &AlgorithmIdentifier, recipient: &PublicKey) -> bool {
    match recipient {
        PublicKey::Ec { curve, .. } => {
            let named = originator.parameters.as_deref().filter(|parameters| *parameters != write::NULL);
            originator.oid == oid::EC_PUBLIC_KEY
                && named.is_none_or(|named| Der::new(named).oid().is_ok_and(|named| named == curve.oid()))
        }
        PublicKey::X25519(_) => originator.oid == oid::X25519,
        _ => false,
    }
}
