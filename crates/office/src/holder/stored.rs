//! Who can open mail to members: their certificates in the store, current and retired, with keys in the vault.
//!
//! A key is looked for by what the message says of its recipients, in indexes, however many keys there are. It is used
//! only for mail that is delivered to its member: else whoever gets hold of an encrypted mail could send it on to a member
//! of his choice and have it opened for him.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::Random;
use kakitome_smime::cms::recipient::{
    Answer, HeldKeys, Holder, Keys, Question, RecipientIdentifier, RecipientInfo, Recipients,
};

use crate::fault::Fault;
use crate::members::{self, MemberId};
use crate::store::{Bind, Row, Statements, Store};
use crate::vault::{KeyId, Vault};

/// So many keys that a message names are looked at before it is given up. More than one is looked at only where the
/// message asks of the ones before for what is not done here.
const CANDIDATE_LIMIT: usize = 8;
/// So many recipients are looked up by one statement.
const LOOK_UP: usize = 100;
/// A serial number or key identifier is at most this long, in octets (RFC 5280 §4.1.2.2 asks for 20).
const IDENTIFIER_LIMIT: usize = 64;

/// The members' decryption keys.
pub struct StoredKeys {
    store: Arc<Store>,
    vault: Arc<Vault>,
    random: Arc<dyn Random>,
    whose: Vec<Address>,
    used: std::sync::Mutex<Option<Used>>,
}

/// The key that was used, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The address in whose name its certificate is.
    pub address: String,
    /// The certificate's serial number, in hexadecimal.
    pub serial: String,
}

impl std::fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredKeys({:?})", self.whose)
    }
}

/// A certificate that a message names, with the key's name in the vault.
struct Candidate {
    address: String,
    certificate: Vec<u8>,
    key: KeyId,
}

impl StoredKeys {
    /// The keys for mail that is delivered to these addresses, whoever the message says it is for.
    pub fn for_recipients(
        store: Arc<Store>,
        vault: Arc<Vault>,
        random: Arc<dyn Random>,
        recipients: &[Address],
    ) -> Self {
        Self { store, vault, random, whose: recipients.to_vec(), used: std::sync::Mutex::default() }
    }

    /// The key that gave the content key of the last message.
    pub fn used(&self) -> Option<Used> {
        self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// What the message names and is ours to open, in its order.
    fn candidates(&self, recipients: &Recipients) -> Result<Vec<Candidate>, Fault> {
        let mut serials = Vec::new();
        let mut identifiers = Vec::new();
        for info in recipients.iter().flatten() {
            for_each_identifier(&info, &mut |identifier| match identifier {
                RecipientIdentifier::IssuerAndSerial { serial, .. } if serial.len() <= IDENTIFIER_LIMIT => {
                    serials.push(hex(serial));
                }
                RecipientIdentifier::KeyIdentifier(identifier) if identifier.len() <= IDENTIFIER_LIMIT => {
                    identifiers.push(hex(identifier));
                }
                _ => {}
            });
        }
        let mut found = self.store.read(|s| {
            let members = members_of(s, &self.whose)?;
            let mut found = Vec::new();
            if members.is_empty() {
                return Ok(found);
            }
            for (column, values) in [("serial", &serials), ("key_identifier", &identifiers)] {
                for some in values.chunks(LOOK_UP) {
                    found.extend(look_up(s, column, some)?.into_iter().filter(|(owner, _)| members.contains(owner)));
                }
            }
            Ok(found)
        })?;
        found.truncate(CANDIDATE_LIMIT);
        Ok(found.into_iter().map(|(_, candidate)| candidate).collect())
    }

    fn holder(&self, candidate: &Candidate) -> Result<Holder, Fault> {
        let certificate = Certificate::parse(&candidate.certificate)
            .map_err(|error| self.store.damaged(format!("a certificate cannot be read: {error}")))?;
        Ok(Holder { certificate, key: self.vault.take_decryption(&candidate.key)? })
    }
}

impl Keys for StoredKeys {
    fn content_key(&self, question: &Question<'_>) -> io::Result<Answer> {
        let mut answer = Answer::NoKey;
        let candidates = self.candidates(question.recipients).map_err(io::Error::other)?;
        for candidate in &candidates {
            let mut held = HeldKeys::new(&*self.random);
            held.hold(self.holder(candidate).map_err(io::Error::other)?);
            match held.content_key(question)? {
                // One private-key operation was done: what came of it is the answer.
                Answer::Key(key) => {
                    let serial =
                        Certificate::parse(&candidate.certificate).map(|one| one.serial_hex()).unwrap_or_default();
                    let used = Used { address: candidate.address.clone(), serial };
                    *self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(used);
                    return Ok(Answer::Key(key));
                }
                refused @ Answer::Refused(_) if matches!(answer, Answer::NoKey) => answer = refused,
                _ => {}
            }
        }
        Ok(answer)
    }
}

fn for_each_identifier<'a>(info: &RecipientInfo<'a>, found: &mut dyn FnMut(&RecipientIdentifier<'a>)) {
    match info {
        RecipientInfo::KeyTransport(info) => found(&info.recipient),
        RecipientInfo::KeyAgreement(info) => info.keys().flatten().for_each(|key| found(&key.recipient)),
        RecipientInfo::Encapsulation(info) => found(&info.recipient),
        RecipientInfo::HeldKey(_) | RecipientInfo::Password(_) | RecipientInfo::Other(_) => {}
    }
}

/// The members behind the addresses of an envelope; those who left, too, since their mail goes to somebody.
fn members_of(s: &mut Statements<'_>, addresses: &[Address]) -> Result<HashSet<MemberId>, Fault> {
    let mut found = HashSet::new();
    for address in addresses {
        let forms = [Some(address.clone()), members::untagged(address)];
        for form in forms.into_iter().flatten() {
            let owner = s.row(
                "SELECT member_id FROM member_address WHERE folded = ?1",
                &[&members::folded(&form)],
                |row: &Row<'_>| row.text(0),
            )?;
            if let Some(owner) = owner {
                found.insert(MemberId::new(owner));
                break;
            }
        }
    }
    Ok(found)
}

fn look_up(s: &mut Statements<'_>, column: &str, values: &[String]) -> Result<Vec<(MemberId, Candidate)>, Fault> {
    let places: Vec<String> = (1..).take(values.len()).map(|number| format!("?{number}")).collect();
    let values: Vec<&dyn Bind> = values.iter().map(|value| value as &dyn Bind).collect();
    // Signing keys do not decrypt: what they would be asked for might be a signature in disguise.
    s.rows(
        &format!(
            "SELECT a.member_id, c.address, c.der, c.key_id FROM certificate c JOIN member_address a ON a.address = c.address
             WHERE c.{column} IN ({}) AND c.purpose IN ('encrypt', 'both') AND c.der IS NOT NULL",
            places.join(", ")
        ),
        &values,
        |row: &Row<'_>| {
            let candidate = Candidate {
                address: row.text(1)?,
                certificate: row.octets(2)?,
                key: KeyId::from_store(row.text(3)?),
            };
            Ok((MemberId::new(row.text(0)?), candidate))
        },
    )
}
