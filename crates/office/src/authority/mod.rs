//! The own CA: a root and an issuing CA, made at the first start, and the members' certificates, each issued when its
//! address first sends a mail.
//!
//! A certificate is recorded (serial number, key) before it is signed, stored before it is handed out, and judged by
//! the same path validation as everybody else's before it is believed.

mod found;
mod held;
mod roll;

use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{KeyKind, Random, SigningKey};
use kakitome_pki::issue::{Issuance, Issuer, MEMBER_LIFETIME, MailUse, Places, Profile, Serial};
use kakitome_pki::path::{self, Anchor, AnchorSource, PolicyInputs, Purpose, Question};

use crate::fault::Fault;
use crate::store::{CertificateRow, IssuedRow, Role, Store};
use crate::vault::{KeyId, Vault};
use held::Held;

pub use held::CREDENTIALS_HELD;
pub use roll::{Listed, Standing, certificates};

/// How far a certificate's beginning is moved back, in seconds: clocks of readers differ.
pub const BACKDATED: i64 = 60 * 60;
/// ub-organization-name of RFC 5280 Appendix A.1, in characters.
pub const ORGANISATION_LIMIT: usize = 64;
/// Where, below the public address of the web, the issuing CA's certificate is published (DER).
pub const ISSUING_PATH: &str = "/.well-known/kakitome/issuing.cer";

/// How the own CA is made and issues.
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    /// Whose CA it is: O in the names of root and issuing CA. Counts at the first start alone.
    pub organisation: String,
    /// The kind of the members' keys; a change counts from each member's next certificate on.
    pub member_key: KeyKind,
    /// The address under which the outside reaches our web; without one the certificates name no URL.
    pub public_url: Option<String>,
}

impl Default for AuthoritySettings {
    fn default() -> Self {
        Self { organisation: "Kakitome".to_owned(), member_key: KeyKind::Rsa2048, public_url: None }
    }
}

/// What a member signs with.
#[derive(Debug)]
pub struct Credential {
    /// The member's certificate.
    pub certificate: Certificate,
    /// The certificates to send along: the member's, then the issuing CA's; never the root, which nobody believes for
    /// having been sent.
    pub chain: Vec<Certificate>,
    /// The member's private key.
    pub key: SigningKey,
}

/// The own CA.
pub struct Authority {
    store: Arc<Store>,
    vault: Arc<Vault>,
    settings: AuthoritySettings,
    random: Arc<dyn Random>,
    anchor: Certificate,
    issuing: Certificate,
    issuing_key: KeyId,
    held: Held,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.anchor.subject())
    }
}

impl Authority {
    /// Opens the own CA of a store; makes it at the first start, which takes seconds.
    ///
    /// # Errors
    /// Store, vault or randomness fail; the organisation's name does not fit.
    pub fn open(
        store: Arc<Store>,
        vault: Arc<Vault>,
        settings: AuthoritySettings,
        now: Time,
        random: Arc<dyn Random>,
    ) -> Result<Self, Fault> {
        let read = |role| -> Result<Option<(Certificate, KeyId)>, Fault> {
            let Some(row) = store.authority(role)? else { return Ok(None) };
            Ok(Some((parse(&store, &row.certificate)?, KeyId::from_store(row.key_id))))
        };
        let (root, issuing) = match (read(Role::Root)?, read(Role::Issuing)?) {
            (None, None) => {
                found::found(&store, &vault, &settings.organisation, now, &*random)?;
                (read(Role::Root)?, read(Role::Issuing)?)
            }
            both => both,
        };
        let (Some((anchor, _)), Some((issuing, issuing_key))) = (root, issuing) else {
            return Err(store.damaged("the own CA is not complete"));
        };
        Ok(Self { store, vault, settings, random, anchor, issuing, issuing_key, held: Held::default() })
    }

    /// The root: what a reader must trust.
    pub fn anchor(&self) -> &Certificate {
        &self.anchor
    }

    /// The CA that signs the members' certificates.
    pub fn issuing(&self) -> &Certificate {
        &self.issuing
    }

    /// What an address signs with now; issued at first need, and anew when two thirds of its life are over (no reader
    /// ever meets one about to end). However many ask at once, an address gets one certificate; different addresses do
    /// not wait for each other. Blocks: up to a second for an RSA key.
    ///
    /// # Errors
    /// Store, vault or randomness fail, or this machine's clock stands outside the CA's validity.
    pub fn credential(&self, address: &Address, now: Time) -> Result<Arc<Credential>, Fault> {
        let address = member(address)?;
        let slot = self.held.slot(&address.to_string());
        let mut credential = slot.lock();
        if credential.is_none() {
            *credential = self.stored(&address)?;
        }
        let usable = credential.as_ref().filter(|held| held.certificate.is_valid_at(now));
        if let Some(usable) = usable
            && !self.is_due(&usable.certificate, now)
        {
            return Ok(Arc::clone(usable));
        }
        match (self.issue(&address, now), usable) {
            (Ok(issued), _) => {
                let issued = Arc::new(issued);
                *credential = Some(Arc::clone(&issued));
                Ok(issued)
            }
            // A third of its life is left to mend what keeps us from renewing.
            (Err(fault), Some(usable)) => {
                tracing::warn!(%address, %fault, until = %usable.certificate.not_after(), "a certificate could not be renewed");
                Ok(Arc::clone(usable))
            }
            (Err(fault), None) => Err(fault),
        }
    }

    /// Are two thirds of its life over, and would a new one last longer?
    fn is_due(&self, certificate: &Certificate, now: Time) -> bool {
        is_due(certificate.not_before(), certificate.not_after(), &self.issuing, now)
    }

    fn stored(&self, address: &Address) -> Result<Option<Arc<Credential>>, Fault> {
        let Some(IssuedRow { der, key_id }) = self.store.issued(&address.to_string())? else { return Ok(None) };
        let certificate = parse(&self.store, &der)?;
        let key = self.vault.take(&KeyId::from_store(key_id))?;
        if certificate.spki() != key.spki() {
            return Err(self.store.damaged(format!("the certificate of {address} is about another key than its own")));
        }
        Ok(Some(Arc::new(self.assemble(certificate, key))))
    }

    fn issue(&self, address: &Address, now: Time) -> Result<Credential, Fault> {
        for ca in [&self.anchor, &self.issuing] {
            if !ca.is_valid_at(now) {
                let (from, until) = (ca.not_before(), ca.not_after());
                return Err(Fault::AuthorityNotValid { name: ca.subject().to_string(), from, until, now });
            }
        }
        let key = SigningKey::generate(self.settings.member_key).map_err(Fault::bug)?;
        let serial = Serial::random(&*self.random)?;
        let serial_hex = hex(serial.octets());
        // Reaching back behind its issuer's beginning would make it look forged.
        let not_before = now.plus(-BACKDATED).max(self.issuing.not_before());
        let not_after = now.plus(MEMBER_LIFETIME).min(self.issuing.not_after());
        let issuer = Issuer::Certificate(&self.issuing);
        let issuance = Issuance::new(&self.profile(address), &serial, not_before, not_after, key.spki(), issuer)
            .map_err(Fault::bug)?;
        let text = address.to_string();
        let sealed = self.vault.seal(&format!("signing key of {text}"), &key, now)?;
        let row = CertificateRow { serial: serial_hex.clone(), address: text, not_before, not_after, made_at: now };
        self.store.begin_certificate(&sealed, &row)?;
        let der = issuance.sign(&self.vault.take(&self.issuing_key)?).map_err(Fault::bug)?;
        let certificate = Certificate::parse(&der).map_err(Fault::bug)?;
        self.judge(&certificate, now)?;
        self.store.finish_certificate(&serial_hex, &der)?;
        tracing::info!(%address, serial = serial_hex, until = %certificate.not_after(), "issued a certificate");
        Ok(self.assemble(certificate, key))
    }

    fn profile(&self, address: &Address) -> Profile {
        let issuer_url =
            self.settings.public_url.as_ref().map(|url| format!("{}{ISSUING_PATH}", url.trim_end_matches('/')));
        // No CRL yet: a certificate that names a list nobody publishes is refused by careful readers.
        Profile::member(address, MailUse::Sign).published_at(&Places { issuer: issuer_url, ..Places::default() })
    }

    /// Nothing is handed out that our own path validation would refuse.
    fn judge(&self, certificate: &Certificate, now: Time) -> Result<(), Fault> {
        let anchor = Anchor::new(self.anchor.clone(), AnchorSource::OwnCa);
        let question = Question {
            leaf: certificate,
            untrusted: std::slice::from_ref(&self.issuing),
            anchors: std::slice::from_ref(&anchor),
            at: now,
            purpose: Purpose::Email,
            policy: PolicyInputs::NONE,
        };
        path::find(&question)
            .map(drop)
            .map_err(|refusal| Fault::bug(format!("{certificate:?} of the own CA is refused: {}", refusal.problem)))
    }

    fn assemble(&self, certificate: Certificate, key: SigningKey) -> Credential {
        Credential { chain: vec![certificate.clone(), self.issuing.clone()], certificate, key }
    }
}

/// The own CA's anchors, for readers that hold no key.
#[derive(Clone, Copy, Debug)]
pub struct Anchors;

impl Anchors {
    /// The root of a store; empty where none was made yet.
    ///
    /// # Errors
    /// The store fails or is damaged.
    pub fn read(store: &Store) -> Result<Vec<Certificate>, Fault> {
        let root = store.authority(Role::Root)?;
        root.map(|row| parse(store, &row.certificate)).into_iter().collect()
    }
}

fn is_due(from: Time, until: Time, issuing: &Certificate, now: Time) -> bool {
    let third = i64::try_from(until.distance(from) / 3).unwrap_or(i64::MAX);
    now >= until.plus(third.saturating_neg()) && until < issuing.not_after()
}

fn parse(store: &Store, der: &[u8]) -> Result<Certificate, Fault> {
    Certificate::parse(der).map_err(|error| store.damaged(format!("a certificate cannot be read: {error}")))
}

/// The address as a member is known by: the domain in lower case, the local part exactly (RFC 5321 §2.4).
fn member(address: &Address) -> Result<Address, Fault> {
    let text = address.to_string();
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    Address::parse(&format!("{local}@{}", domain.to_ascii_lowercase())).map_err(Fault::bug)
}
