//! Certificates that were bought, or made elsewhere, are taken in with their keys. Before one is believed: key and
//! certificate belong together, it is for an address of ours, for mail, and valid now; the path to its issuer is looked for,
//! and what lies on it travels along with every mail.

use kakitome_pki::address::{Address, Match};
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::cert::{Certificate, hex, pkcs12};
use kakitome_pki::crypto::{KeyRefused, PublicKey, as_pkcs8, outline_private_key};
use kakitome_pki::identity::lint;
use kakitome_pki::issue::MailUse;
use kakitome_pki::path::{self, AnchorSource, PathProblem, PolicyInputs, Purpose, Question};
use kakitome_verdict::sender::Evidence;
use zeroize::Zeroizing;

use super::row::{self, CertificateRow, Taken};
use super::{CertificateId, member};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{Statements, Store, put_key};
use crate::vault::{KeyId, Vault};

/// The name of this way among the issuers.
pub const IMPORT: &str = "import";
/// Certificates in one file, at most.
pub(super) const CERTIFICATE_LIMIT: usize = 100;
/// How long a chain may be that is put together by names alone.
const CHAIN_LIMIT: usize = 8;

/// What came in a file.
pub struct Incoming {
    /// Private keys: PKCS#8, PKCS#1 or SEC 1.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
    /// Certificates, in any order.
    pub certificates: Vec<Certificate>,
}

/// Who takes it in, and what is believed here.
#[derive(Clone, Copy)]
pub struct Importer<'a> {
    /// Where it goes.
    pub store: &'a Store,
    /// Where its key goes.
    pub vault: &'a Vault,
    /// Whom readers of this house believe.
    pub believed: &'a Evidence,
    /// Without a word about addresses: those in these domains. Empty: all.
    pub domains: &'a [String],
    /// Take also what has ended: it signs nothing, and opens old mail.
    pub also_ended: bool,
    /// Who does it.
    pub actor: &'a Actor,
    /// Now.
    pub now: Time,
}

/// A certificate that was taken in.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Which.
    pub id: CertificateId,
    /// For whom it is used here.
    pub addresses: Vec<Address>,
    /// What for.
    pub usage: MailUse,
    /// Who issued it.
    pub issuer: String,
    /// Valid until.
    pub until: Time,
    /// Who believes it: the source of the anchor at the end of its path, or why there is no path.
    pub path: Result<AnchorSource, PathProblem>,
    /// How many certificates travel along with it.
    pub chain: usize,
    /// What is odd about it.
    pub odd: Vec<&'static str>,
    /// Was it here already?
    pub was_here: bool,
}

/// Why it is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// The file does not open.
    #[error("{0}")]
    NotOpened(#[from] pkcs12::NotRead),
    /// A certificate in it cannot be read.
    #[error("a certificate in it cannot be read: {0}")]
    Malformed(#[from] kakitome_pki::asn1::Malformed),
    /// More certificates than anybody puts into such a file.
    #[error("it holds more than {CERTIFICATE_LIMIT} certificates")]
    TooMany,
    /// There is no key in it.
    #[error("it holds no private key; export certificate and key together")]
    NoKey,
    /// Certificate and key do not belong together.
    #[error("none of its certificates is for its key")]
    NotItsKey,
    /// The key is of no use here.
    #[error("{0}")]
    Key(#[from] KeyRefused),
    /// It is about another address.
    #[error("the certificate is for {found}, not for {wanted}")]
    Address {
        /// Whom it is for.
        found: String,
        /// Whom it should be for.
        wanted: String,
    },
    /// None of its addresses is ours.
    #[error(
        "the certificate is for {found}, and none of that is in a member domain; say --address to take it all the same"
    )]
    NotOurs {
        /// Whom it is for.
        found: String,
    },
    /// It is for no mail.
    #[error("the certificate is not for mail: {0}")]
    Purpose(&'static str),
    /// It has ended.
    #[error("the certificate ended at {0}; --also-ended takes it for old mail")]
    Ended(Time),
    /// Its key can be broken.
    #[error("its key ({0}) is too weak to be used")]
    Weak(String),
    /// No anchor that is believed here stands above it.
    #[error("its path leads to nobody who is believed here: {0}; `kakitome trust add` adds the CA's root")]
    NotBelieved(PathProblem),
    /// It is for another use than was asked for.
    #[error("it is for another use ({found}) than was asked for ({wanted})")]
    OtherUse {
        /// What it is for.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Nobody here waits for it.
    #[error("no key that waits here fits it: it was asked for elsewhere, or withdrawn")]
    Stranger,
    /// The environment.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Incoming {
    /// Out of a PKCS#12 file.
    ///
    /// # Errors
    /// It does not open by this password, or holds what cannot be read.
    pub fn from_pkcs12(octets: &[u8], password: &str) -> Result<Self, NotImported> {
        let opened = pkcs12::open(octets, password)?;
        if opened.certificates().count() > CERTIFICATE_LIMIT {
            return Err(NotImported::TooMany);
        }
        let certificates = opened.certificates().map(Certificate::parse).collect::<Result<_, _>>()?;
        Ok(Self { keys: opened.keys().cloned().collect(), certificates })
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming({} keys, {} certificates)", self.keys.len(), self.certificates.len())
    }
}

/// What a certificate is good for in mail.
fn usage(certificate: &Certificate) -> Result<MailUse, NotImported> {
    let extensions = certificate.extensions();
    let usages = extensions.extended_key_usage.as_deref();
    let is_for_mail = usages.is_none_or(|usages| {
        usages.iter().any(|one| [oid::EMAIL_PROTECTION, oid::ANY_EXTENDED_KEY_USAGE].contains(one))
    });
    if !is_for_mail {
        return Err(NotImported::Purpose("its extended key usage is for something else"));
    }
    if extensions.basic_constraints.is_some_and(|constraints| constraints.ca) {
        return Err(NotImported::Purpose("it is a CA's; `kakitome ca import` takes those"));
    }
    if !extensions.unknown_critical.is_empty() {
        return Err(NotImported::Purpose("it has a critical extension that is not known here"));
    }
    let signs = extensions.key_usage.is_none_or(|usage| usage.signs_mail());
    let encrypts = extensions.key_usage.is_none_or(|usage| match certificate.key() {
        PublicKey::Ec { .. } | PublicKey::X25519(_) => usage.agrees_on_keys(),
        _ => usage.encrypts_keys(),
    });
    let (can_sign, can_encrypt) = match certificate.key() {
        PublicKey::Rsa { .. } | PublicKey::Ec { .. } => (true, true),
        PublicKey::Ed25519(_) | PublicKey::MlDsa(..) => (true, false),
        PublicKey::X25519(_) | PublicKey::MlKem(..) => (false, true),
        PublicKey::Dsa { .. } | PublicKey::Other(_) => (false, false),
    };
    match (signs && can_sign, encrypts && can_encrypt) {
        (true, true) => Ok(MailUse::Both),
        (true, false) => Ok(MailUse::Sign),
        (false, true) => Ok(MailUse::Encrypt),
        (false, false) => Err(NotImported::Purpose("its key may neither sign mail nor take it (key usage)")),
    }
}

impl std::fmt::Debug for Importer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Importer({}, {:?})", self.actor, self.domains)
    }
}

impl Importer<'_> {
    /// Takes in every certificate of a file that has its key there; for these addresses, or all of ours that it names.
    ///
    /// # Errors
    /// [`NotImported`]; then nothing was taken.
    pub fn import(&self, incoming: &Incoming, addresses: &[Address]) -> Result<Vec<Imported>, NotImported> {
        if incoming.keys.is_empty() {
            return Err(NotImported::NoKey);
        }
        let mut found = Vec::new();
        for key in &incoming.keys {
            let Some(Ok(spki)) = outline_private_key(key).map(|outline| outline.public) else { continue };
            found.extend(incoming.certificates.iter().filter(|one| one.spki() == spki).map(|one| (one, key)));
        }
        if found.is_empty() {
            return Err(NotImported::NotItsKey);
        }
        let mut judged = Vec::new();
        for (certificate, key) in found {
            judged.push((certificate, key, self.judge(certificate, &incoming.certificates, addresses)?));
        }
        let mut imported = Vec::new();
        for (certificate, key, one) in judged {
            let label =
                format!("imported key of {}", one.addresses.first().map(ToString::to_string).unwrap_or_default());
            let sealed = self.vault.seal_pkcs8(&label, &as_pkcs8(key)?, self.now)?;
            imported.push(self.take(certificate, IMPORT, one, |s| put_key(s, &sealed))?);
        }
        Ok(imported)
    }

    /// What a certificate is good for, for whom, and who believes it; others lie beside it.
    pub(super) fn judge(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
        wanted: &[Address],
    ) -> Result<Judged, NotImported> {
        let usage = usage(leaf)?;
        if leaf.key().is_weak() {
            return Err(NotImported::Weak(leaf.key().describe()));
        }
        if leaf.not_after() < self.now && !self.also_ended {
            return Err(NotImported::Ended(leaf.not_after()));
        }
        let addresses = self.addresses(leaf, wanted)?;
        let beside: Vec<Certificate> =
            others.iter().chain(&self.believed.hints).filter(|one| *one != leaf).cloned().collect();
        let question = Question {
            leaf,
            untrusted: &beside,
            anchors: &self.believed.anchors_for(leaf, &beside),
            // Of one that has ended, or not begun, it is asked when it was valid.
            at: self.now.max(leaf.not_before()).min(leaf.not_after()),
            purpose: if usage.signs() { Purpose::Email } else { Purpose::Any },
            policy: PolicyInputs::NONE,
        };
        let (path, chain) = match path::find(&question) {
            Ok(path) => {
                let above = path.certificates().iter().skip(1).cloned().collect();
                (Ok(path.anchor().source), above)
            }
            Err(refusal) => (Err(refusal.problem), by_names(leaf, others)),
        };
        Ok(Judged { usage, addresses, path, chain })
    }

    /// Of the addresses in a certificate, those that are meant.
    fn addresses(&self, leaf: &Certificate, wanted: &[Address]) -> Result<Vec<Address>, NotImported> {
        let mut named: Vec<&str> = leaf.extensions().mailboxes().collect();
        if named.is_empty() {
            // What certificates of before 2008 have (RFC 8550 §3).
            named = leaf.subject().all(oid::EMAIL_ADDRESS).collect();
        }
        let found = named.join(", ");
        let found = if found.is_empty() { "no address".to_owned() } else { found };
        let named: Vec<Address> = named.into_iter().filter_map(|name| Address::parse(name).ok()).collect();
        if wanted.is_empty() {
            let is_ours =
                |address: &&Address| self.domains.is_empty() || self.domains.iter().any(|domain| address.is_in(domain));
            let ours: Vec<Address> = named.iter().filter(is_ours).cloned().collect();
            return if ours.is_empty() { Err(NotImported::NotOurs { found }) } else { Ok(ours) };
        }
        for wanted in wanted {
            if !named.iter().any(|named| named.matches(wanted) != Match::No) {
                return Err(NotImported::Address { found, wanted: wanted.to_string() });
            }
        }
        Ok(wanted.to_vec())
    }

    /// Puts it in, in one step with `before`.
    pub(super) fn take(
        &self,
        leaf: &Certificate,
        issuer: &str,
        judged: Judged,
        mut before: impl FnMut(&mut Statements<'_>) -> Result<(), Fault>,
    ) -> Result<Imported, NotImported> {
        let Judged { usage, addresses, path, chain } = judged;
        let id = CertificateId::outside(leaf);
        let named = addresses.iter().map(|one| member(one).map(|one| one.to_string()));
        let named: Vec<String> = named.collect::<Result<_, _>>()?;
        let fingerprints: Vec<String> = chain.iter().map(Certificate::fingerprint_hex).collect();
        let row = CertificateRow {
            id: id.clone(),
            address: String::new(),
            issuer: issuer.to_owned(),
            usage,
            key_id: KeyId::of_spki(leaf.spki()).to_string(),
            key_identifier: leaf
                .extensions()
                .subject_key_id
                .clone()
                .or_else(|| key_identifier(leaf.spki()))
                .map(|id| hex(&id))
                .unwrap_or_default(),
            list: 0,
            ordinal: None,
            not_before: leaf.not_before(),
            not_after: leaf.not_after(),
            made_at: self.now,
            taken: Some(Taken {
                der: leaf.raw().to_vec(),
                chain: fingerprints.join("\n"),
                is_public: path == Ok(AnchorSource::PublicList),
            }),
        };
        let until = leaf.not_after().to_string();
        let is_new = self.store.write(|s| {
            before(s)?;
            row::put_issuers(s, &chain, self.now)?;
            let mut is_new = false;
            for address in &named {
                row::put_member(s, address, self.actor, self.now)?;
                if row::insert(s, &CertificateRow { address: address.clone(), ..row.clone() })? {
                    is_new = true;
                    let details = [
                        ("serial", id.serial()),
                        ("purpose", row::usage_name(usage)),
                        ("until", until.as_str()),
                        ("key", row.key_id.as_str()),
                    ];
                    let (actor, act) = (self.actor, Act::CertificateImported);
                    audit::record(s, &Entry { actor, act, subject: address, details: &details, at: self.now })?;
                }
            }
            Ok(is_new)
        })?;
        // The Baseline Requirements bind public CAs alone.
        let lints = if path == Ok(AnchorSource::PublicList) { lint(leaf) } else { Vec::new() };
        let odd = lints.into_iter().filter(|lint| lint.is_contradiction());
        Ok(Imported {
            id,
            addresses,
            usage,
            issuer: leaf.issuer().short(),
            until: leaf.not_after(),
            path,
            chain: chain.len(),
            odd: odd.map(|lint| lint.explain()).collect(),
            was_here: !is_new,
        })
    }
}

/// What was found out about a certificate.
pub(super) struct Judged {
    pub(super) usage: MailUse,
    pub(super) addresses: Vec<Address>,
    pub(super) path: Result<AnchorSource, PathProblem>,
    chain: Vec<Certificate>,
}

/// The issuers that came along, one above the other, without a root: what travels where no path is known here.
fn by_names(leaf: &Certificate, certificates: &[Certificate]) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    let mut below = leaf.clone();
    while chain.len() < CHAIN_LIMIT {
        let signed = |one: &&Certificate| {
            one.subject() == below.issuer() && !one.is_self_issued() && below.verify_signature(one.key()).is_ok()
        };
        let Some(above) = certificates.iter().find(signed).filter(|one| !chain.contains(one)) else { break };
        chain.push(above.clone());
        below = above.clone();
    }
    chain
}
