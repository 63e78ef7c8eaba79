//! A CA that has only a portal: requests go out as files, certificates come back as files. The key is made and sealed here
//! and never leaves; what comes back is matched to the keys that wait by the key itself, whatever its file is called, and
//! judged like everybody else's before it is used.

use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::name::Name;
use kakitome_pki::issue::{MailUse, RequestDraft};

use super::import::{Imported, Importer, NotImported};
use super::issuer::{Asked, Issuer, Offers, Outcome, Refused, Revocation};
use super::own::LONGEST;
use super::row::{self, usage_name, usage_of};
use super::{CertificateId, IMPORT, OWN, member, revoke};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{KeyRow, Row, Statements, Store, put_key};
use crate::vault::{KeyId, Vault};

/// The longest name of such a CA, in characters.
pub(super) const NAME_LIMIT: usize = 64;

/// A CA with request files.
pub struct Portal {
    name: String,
    organisation: Option<String>,
    store: Arc<Store>,
    vault: Arc<Vault>,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Portal({})", self.name)
    }
}

/// A request that waits, or did.
#[derive(Clone, Debug)]
pub struct Order {
    /// Which key.
    pub key_id: String,
    /// Of which CA.
    pub issuer: String,
    /// For whom.
    pub address: String,
    /// What for.
    pub usage: MailUse,
    /// Where it stands.
    pub state: OrderState,
    /// The request, PKCS#10 in DER.
    pub request: Vec<u8>,
    /// When it was made.
    pub made_at: Time,
    /// When it was last written into a file.
    pub sent_at: Option<Time>,
    /// Why the last answer was refused; empty if none was.
    pub trouble: String,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Made, in no file yet.
    Waiting,
    /// Written into a file for the CA.
    Sent,
    /// The certificate is here.
    Answered,
    /// The CA said no.
    Refused,
    /// Not wanted any more.
    Withdrawn,
}

impl OrderState {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Waiting, "waiting"),
        (Self::Sent, "sent"),
        (Self::Answered, "answered"),
        (Self::Refused, "refused"),
        (Self::Withdrawn, "withdrawn"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Is an answer awaited?
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Sent)
    }
}

/// Why a name is no CA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a CA is called by 1 to {NAME_LIMIT} lower-case letters, digits and hyphens, and not \"own\" or \"import\"")]
pub struct NoName;

impl Portal {
    /// The CA of this name; with an organisation, requests name it.
    ///
    /// # Errors
    /// [`NoName`].
    pub fn new(name: &str, organisation: Option<&str>, store: Arc<Store>, vault: Arc<Vault>) -> Result<Self, NoName> {
        if !Self::is_name(name) {
            return Err(NoName);
        }
        Ok(Self { name: name.to_owned(), organisation: organisation.map(str::to_owned), store, vault })
    }

    /// Can a CA be called so?
    pub fn is_name(name: &str) -> bool {
        let is_plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
        (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(is_plain) && ![OWN, IMPORT].contains(&name)
    }

    /// The request for one wish, made and signed by its key.
    fn request(&self, asked: &Asked<'_>, address: &Address) -> Result<Vec<u8>, Refused> {
        let text = address.to_string();
        let mut subject = Vec::new();
        subject.extend(self.organisation.as_deref().map(|name| (oid::ORGANIZATION, name)));
        subject.push((oid::COMMON_NAME, text.as_str()));
        let mailboxes = std::slice::from_ref(address);
        RequestDraft::for_use(&Name::build(&subject), mailboxes, asked.key.spki(), Some(asked.usage))
            .and_then(|draft| draft.sign(asked.key))
            .map_err(Refused::lasting)
    }
}

impl Issuer for Portal {
    fn name(&self) -> &str {
        &self.name
    }

    fn offers(&self, _now: Time) -> Result<Offers, Fault> {
        Ok(Offers { at_once: false, until: None, longest: LONGEST, revokes: false })
    }

    fn issue(&self, asked: &[Asked<'_>], actor: &Actor, now: Time) -> Result<Vec<Outcome>, Fault> {
        let mut wishes = Vec::with_capacity(asked.len());
        for one in asked {
            let address = member(one.address)?;
            wishes.push(match self.request(one, &address) {
                Ok(request) => {
                    let key = self.vault.seal(&format!("key of {address}, asked of {}", self.name), one.key, now)?;
                    Ok((key, address.to_string(), one.usage, request))
                }
                Err(refused) => Err(refused),
            });
        }
        self.store.write(|s| {
            let mut outcomes = Vec::with_capacity(wishes.len());
            for wish in &wishes {
                outcomes.push(match wish {
                    Ok((key, address, usage, request)) => {
                        Outcome::Pending(self.put(s, key, address, *usage, request, actor, now)?)
                    }
                    Err(refused) => Outcome::Refused(refused.clone()),
                });
            }
            Ok(outcomes)
        })
    }

    /// Marks them here; the CA must be told by people.
    fn revoke(&self, which: &[CertificateId], why: &Revocation<'_>, now: Time) -> Result<usize, Fault> {
        revoke::revoke(&self.store, which, why, now)
    }
}

impl Portal {
    /// Stores a request, unless one waits for the same already. Says what is awaited.
    #[allow(clippy::too_many_arguments, reason = "each is a column")]
    fn put(
        &self,
        s: &mut Statements<'_>,
        key: &KeyRow,
        address: &str,
        usage: MailUse,
        request: &[u8],
        actor: &Actor,
        now: Time,
    ) -> Result<String, Fault> {
        let since = s.row(
            "SELECT made_at FROM certificate_request
             WHERE address = ?1 AND purpose = ?2 AND issuer = ?3 AND state IN ('waiting', 'sent')",
            &[&address, &usage_name(usage), &self.name],
            |row| row.time(0),
        )?;
        if let Some(since) = since {
            return Ok(format!("a request to {} waits since {since}", self.name));
        }
        put_key(s, key)?;
        row::put_member(s, address, actor, now)?;
        s.run(
            "INSERT INTO certificate_request
                 (key_id, issuer, address, purpose, state, request, made_at, sent_at, trouble, trouble_at)
             VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, NULL, '', NULL)",
            &[&key.id, &self.name, &address, &usage_name(usage), &request, &now],
        )?;
        let details = [("issuer", self.name.as_str()), ("purpose", usage_name(usage)), ("key", key.id.as_str())];
        let act = Act::CertificateRequested;
        audit::record(s, &Entry { actor, act, subject: address, details: &details, at: now })?;
        Ok(format!("a request to {} waits for its answer", self.name))
    }
}

const ORDER: &str = "key_id, issuer, address, purpose, state, request, made_at, sent_at, trouble";

fn order(row: &Row<'_>) -> Result<Order, Fault> {
    let (usage, state) = (row.text(3)?, row.text(4)?);
    let known = OrderState::ALL.into_iter().find(|(_, name)| *name == state).map(|(state, _)| state);
    Ok(Order {
        key_id: row.text(0)?,
        issuer: row.text(1)?,
        address: row.text(2)?,
        usage: usage_of(&usage).ok_or_else(|| row.damaged(format!("a request has the purpose {usage}")))?,
        state: known.ok_or_else(|| row.damaged(format!("a request has the state {state}")))?,
        request: row.octets(5)?,
        made_at: row.time(6)?,
        sent_at: row.maybe_time(7)?,
        trouble: row.text(8)?,
    })
}

/// The requests of a CA, or of all, the oldest first; those alone that wait, or all that ever were.
///
/// # Errors
/// The store fails.
pub fn orders(store: &Store, issuer: Option<&str>, all: bool) -> Result<Vec<Order>, Fault> {
    let open = if all { "" } else { " AND state IN ('waiting', 'sent')" };
    store.read(|s| {
        s.rows(
            &format!(
                "SELECT {ORDER} FROM certificate_request
                 WHERE issuer = COALESCE(?1, issuer){open} ORDER BY made_at, address, purpose"
            ),
            &[&issuer],
            order,
        )
    })
}

/// Records that requests were written into a file.
///
/// # Errors
/// The store fails.
pub fn sent(store: &Store, orders: &[Order], now: Time) -> Result<(), Fault> {
    store.write(|s| {
        for order in orders {
            s.run(
                "UPDATE certificate_request SET state = 'sent', sent_at = ?2
                 WHERE key_id = ?1 AND state IN ('waiting', 'sent')",
                &[&order.key_id, &now],
            )?;
        }
        Ok(())
    })
}

/// Records that requests are not wanted any more. Their keys stay: an answer that comes all the same may be asked for.
///
/// # Errors
/// The store fails.
pub fn withdraw(store: &Store, address: &str) -> Result<u64, Fault> {
    store.write(|s| {
        s.run(
            "UPDATE certificate_request SET state = 'withdrawn' WHERE address = ?1 AND state IN ('waiting', 'sent')",
            &[&address],
        )
    })
}

/// What became of one certificate that came back.
#[derive(Debug)]
pub struct Received {
    /// What it says of itself: the addresses, else the subject.
    pub about: String,
    /// Its serial number.
    pub serial: String,
    /// What became of it.
    pub outcome: Result<Imported, NotImported>,
}

/// Takes in what a CA sent: every certificate for a key that waits. Certificates of CAs among them may lie on the paths.
///
/// # Errors
/// The store fails.
pub fn receive(importer: &Importer<'_>, certificates: &[Certificate]) -> Result<Vec<Received>, Fault> {
    let is_ca = |one: &&Certificate| one.extensions().basic_constraints.is_some_and(|constraints| constraints.ca);
    let (cas, leaves): (Vec<&Certificate>, Vec<&Certificate>) = certificates.iter().partition(is_ca);
    let cas: Vec<Certificate> = cas.into_iter().cloned().collect();
    let mut received = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let named: Vec<&str> = leaf.extensions().mailboxes().collect();
        let about = if named.is_empty() { leaf.subject().short() } else { named.join(", ") };
        let outcome = match one(importer, leaf, &cas) {
            Err(NotImported::Fault(fault)) => return Err(fault),
            outcome => outcome,
        };
        received.push(Received { about, serial: leaf.serial_hex(), outcome });
    }
    Ok(received)
}

fn one(importer: &Importer<'_>, leaf: &Certificate, cas: &[Certificate]) -> Result<Imported, NotImported> {
    let key_id = KeyId::of_spki(leaf.spki()).to_string();
    let found = importer
        .store
        .read(|s| s.row(&format!("SELECT {ORDER} FROM certificate_request WHERE key_id = ?1"), &[&key_id], order))?;
    // One that was answered may come again: the same certificate is here then, and another for the same key is taken, too.
    let order = found.filter(|order| order.state != OrderState::Withdrawn).ok_or(NotImported::Stranger)?;
    let taken = accept(importer, leaf, cas, &order);
    if let Err(why) = &taken
        && order.state.is_open()
        && !matches!(why, NotImported::Fault(_))
    {
        let why = why.to_string();
        importer.store.write(|s| {
            s.run(
                "UPDATE certificate_request SET trouble = ?2, trouble_at = ?3 WHERE key_id = ?1",
                &[&key_id, &why, &importer.now],
            )
        })?;
    }
    taken
}

fn accept(
    importer: &Importer<'_>,
    leaf: &Certificate,
    cas: &[Certificate],
    order: &Order,
) -> Result<Imported, NotImported> {
    let address = Address::parse(&order.address).map_err(Fault::bug)?;
    let judged = importer.judge(leaf, cas, &[address])?;
    if let Err(problem) = &judged.path {
        return Err(NotImported::NotBelieved(problem.clone()));
    }
    let lacks_signing = order.usage.signs() && !judged.usage.signs();
    let lacks_encryption = order.usage.encrypts() && !judged.usage.encrypts();
    if lacks_signing || lacks_encryption {
        let (found, wanted) = (usage_name(judged.usage), usage_name(order.usage));
        return Err(NotImported::OtherUse { found, wanted });
    }
    importer.take(leaf, &order.issuer, judged, |s| {
        s.run(
            "UPDATE certificate_request SET state = 'answered', trouble = '', trouble_at = NULL WHERE key_id = ?1",
            &[&order.key_id],
        )?;
        Ok(())
    })
}
