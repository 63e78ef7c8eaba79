//! An own CA is made, or taken in from outside.

use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{KeyKind, Random, SigningKey};
use kakitome_pki::issue::{ISSUING_LIFETIME, Issuance, Issuer, Profile, ROOT_LIFETIME, Serial};
use kakitome_pki::path::{self, Anchor, AnchorSource, PolicyInputs, Purpose, Question};

use super::ca::{self, About, OwnCa, Role};
use super::look::{self, Kind};
use super::{BACKDATED, ORGANISATION_LIMIT, place, row};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::store::{KeyRow, Statements, Store, put_key};
use crate::vault::{KeyId, Vault};

/// Every mail program reads RSA; 3072 bits last beyond 2030 (NIST SP 800-57 part 1, table 2).
pub const AUTHORITY_KEY: KeyKind = KeyKind::Rsa3072;
/// Random octets in the names, so that two instances of one organisation differ.
const NAME_OCTETS: usize = 4;

/// What an own CA is to be.
#[derive(Clone, Debug)]
pub struct Founding {
    /// O in the names.
    pub organisation: String,
    /// What root and issuing CA are called before "root" and "issuing CA".
    pub name: String,
    /// The kind of both keys.
    pub key: KeyKind,
    /// The issuing CA may speak for these mail domains alone; none is any.
    pub domains: Vec<String>,
    /// The address under which its lists are published, if they are.
    pub base: Option<String>,
}

/// Makes root and issuing CA, and stores all of it in one step; where there is a CA by then, nothing. What is to be signed
/// is recorded before. A crash in between leaves a record without a certificate: the keys are gone, and with them whatever
/// they signed.
pub(super) fn found(
    store: &Store,
    vault: &Vault,
    founding: &Founding,
    actor: &Actor,
    now: Time,
    random: &dyn Random,
) -> Result<bool, Fault> {
    for text in [&founding.organisation, &founding.name] {
        let count = text.chars().count();
        if count == 0 || count > ORGANISATION_LIMIT || text.chars().any(char::is_control) {
            return Err(Fault::OrganisationName { limit: ORGANISATION_LIMIT });
        }
    }
    let mut tag = [0; NAME_OCTETS];
    random.fill(&mut tag)?;
    let tag = hex(&tag);
    let name = |what: &str| {
        let common_name = format!("{} {what} {tag}", founding.name);
        Name::build(&[(oid::ORGANIZATION, &founding.organisation), (oid::COMMON_NAME, &common_name)])
    };
    let maker = Maker { store, random, now };
    let generate = || SigningKey::generate(founding.key).map_err(Fault::bug);
    let (root_key, issuing_key) = (generate()?, generate()?);
    let (root_id, issuing_id) = store.read(|s| Ok((ca::free_id(s, Role::Root)?, ca::free_id(s, Role::Issuing)?)))?;
    let root =
        maker.make(&Profile::root(&name("root")), "root", &root_id, None, &root_key, &root_key, ROOT_LIFETIME)?;
    let places = place::places(founding.base.as_deref(), &root_id, 0, false);
    let profile = Profile::issuing(&name("issuing CA"), &founding.domains).published_at(&places);
    let issuing = maker.make(&profile, "issuing", &root_id, Some(&root), &root_key, &issuing_key, ISSUING_LIFETIME)?;
    let keys =
        [vault.seal("root of the own CA", &root_key, now)?, vault.seal("issuing CA of the own CA", &issuing_key, now)?];
    let own = |id: &str, role, parent: Option<&str>, certificate: &Certificate, key: &SigningKey| OwnCa {
        id: id.to_owned(),
        role,
        parent: parent.map(str::to_owned),
        certificate: certificate.clone(),
        key: Some(KeyId::of(key)),
        is_anchor: role == Role::Root,
        is_current: true,
        revoked: None,
    };
    let made = [
        own(&root_id, Role::Root, None, &root, &root_key),
        own(&issuing_id, Role::Issuing, Some(&root_id), &issuing, &issuing_key),
    ];
    let stored = store.write(|s| {
        // Another program may have been faster.
        if !ca::all(s)?.is_empty() {
            return Ok(false);
        }
        keep(s, &keys, &made, now)?;
        for one in &made {
            ca::finish(s, &root_id, &one.certificate)?;
            record(s, Act::AuthorityFounded, one, actor, now)?;
        }
        Ok(true)
    })?;
    if stored {
        tracing::info!(root = %root.subject(), "made the own CA");
    }
    Ok(stored)
}

/// Makes an issuing CA that takes the place of one that is about to end: under the same root, by the same names, with a key
/// of the same kind. The old one issues no more, and goes on answering for what it issued.
pub(super) fn succeed(
    (store, vault, random): (&Store, &Vault, &dyn Random),
    (old, parent): (&OwnCa, &OwnCa),
    base: Option<&str>,
    actor: &Actor,
    now: Time,
) -> Result<(), Fault> {
    let Some(parent_key) = &parent.key else {
        return Err(Fault::AuthorityWithoutKey { name: parent.certificate.subject().to_string() });
    };
    let mut tag = [0; NAME_OCTETS];
    random.fill(&mut tag)?;
    let subject = old.certificate.subject();
    let before = subject.find(oid::COMMON_NAME).unwrap_or("issuing CA");
    // The digits behind a name of ours tell one CA from the next.
    let name = before.rsplit_once(' ').map_or(before, |(name, _)| name);
    let common_name = format!("{name} {}", hex(&tag));
    let mut parts = Vec::new();
    parts.extend(subject.find(oid::ORGANIZATION).map(|organisation| (oid::ORGANIZATION, organisation)));
    parts.push((oid::COMMON_NAME, common_name.as_str()));
    let key = SigningKey::generate(look::kind_like(old.certificate.key())?).map_err(Fault::bug)?;
    let places = place::places(base, &parent.id, 0, false);
    let profile = Profile::issuing(&Name::build(&parts), &super::permitted(&old.certificate)).published_at(&places);
    let signs = vault.take(parent_key)?;
    let maker = Maker { store, random, now };
    let by = Some(&parent.certificate);
    let certificate = maker.make(&profile, "issuing", &parent.id, by, &signs, &key, ISSUING_LIFETIME)?;
    let sealed = vault.seal("issuing CA of the own CA", &key, now)?;
    store.write(|s| {
        // Another node may have been faster.
        if ca::all(s)?.iter().any(|ca| ca.id == old.id && !ca.is_current) {
            return Ok(());
        }
        let next = OwnCa {
            id: ca::free_id(s, Role::Issuing)?,
            role: Role::Issuing,
            parent: Some(parent.id.clone()),
            certificate: certificate.clone(),
            key: Some(KeyId::of(&key)),
            is_anchor: false,
            is_current: true,
            revoked: None,
        };
        ca::retire(s, Role::Issuing)?;
        put_key(s, &sealed)?;
        ca::put(s, &next, now)?;
        ca::finish(s, &parent.id, &certificate)?;
        record(s, Act::AuthorityFounded, &next, actor, now)
    })
}

fn keep(s: &mut Statements<'_>, keys: &[KeyRow], made: &[OwnCa], now: Time) -> Result<(), Fault> {
    for key in keys {
        put_key(s, key)?;
    }
    for one in made {
        ca::put(s, one, now)?;
    }
    Ok(())
}

fn record(s: &mut Statements<'_>, act: Act, ca: &OwnCa, actor: &Actor, now: Time) -> Result<(), Fault> {
    let (serial, until) = (ca.certificate.serial_hex(), ca.certificate.not_after().to_string());
    let details = [("ca", ca.id.as_str()), ("serial", serial.as_str()), ("until", until.as_str())];
    let subject = ca.certificate.subject().to_string();
    audit::record(s, &Entry { actor, act, subject: &subject, details: &details, at: now })?;
    Ok(())
}

/// Signs what own CAs say of themselves.
pub(super) struct Maker<'a> {
    pub(super) store: &'a Store,
    pub(super) random: &'a dyn Random,
    pub(super) now: Time,
}

impl Maker<'_> {
    /// Makes a certificate of a CA or a responder: recorded, looked at, signed, in this order. `by` is `None` for a root.
    #[allow(clippy::too_many_arguments, reason = "each is one of the fields of the record")]
    pub(super) fn make(
        &self,
        profile: &Profile,
        role: &str,
        authority: &str,
        by: Option<&Certificate>,
        signs: &SigningKey,
        key: &SigningKey,
        lifetime: i64,
    ) -> Result<Certificate, Fault> {
        let serial = Serial::random(self.random)?;
        let (mut not_before, mut not_after) = (self.now.plus(-BACKDATED), self.now.plus(lifetime));
        if let Some(ca) = by {
            // Reaching back behind its issuer's beginning would make it look forged.
            (not_before, not_after) = (not_before.max(ca.not_before()), not_after.min(ca.not_after()));
        }
        let issuer = by.map_or(Issuer::Itself, Issuer::Certificate);
        let issuance =
            Issuance::new(profile, &serial, not_before, not_after, key.spki(), issuer).map_err(Fault::bug)?;
        let public = by.map_or_else(|| kakitome_pki::crypto::PublicKey::parse(key.spki()), |ca| Ok(ca.key().clone()));
        let kind = if role == "responder" { Kind::Responder } else { Kind::Authority };
        let wrong = look::certificate(&issuance, &public.map_err(Fault::bug)?, kind)?;
        if !wrong.is_empty() {
            return Err(Fault::bug(format!("a certificate of the own CA would be wrong: {}", wrong.join("; "))));
        }
        let key_id = KeyId::of(key);
        let about = About { authority, serial: &serial, role, key: &key_id, not_before, not_after };
        self.store.write(|s| ca::begin(s, &about, self.now))?;
        let der = issuance.sign(signs).map_err(Fault::bug)?;
        Certificate::parse(&der).map_err(Fault::bug)
    }
}

/// A CA that exists, with its key, as it came in files.
#[derive(Debug)]
pub struct Brought {
    /// Its certificate.
    pub certificate: Certificate,
    /// The certificates above it, in any order; the last of them is what readers trust, if it signed itself.
    pub chain: Vec<Certificate>,
    /// Its key.
    pub key: SigningKey,
}

/// Why a CA cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It may not issue, or not for mail.
    #[error("{0}")]
    Unfit(String),
    /// A CA of this name is here already.
    #[error("a CA of this name is here already: {0}")]
    Known(String),
    /// The environment.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Takes in a CA with its key, which issues from now on. Those that issued before go on answering for what they issued.
///
/// # Errors
/// [`NotTaken`].
pub(super) fn take(
    store: &Store,
    vault: &Vault,
    brought: &Brought,
    actor: &Actor,
    now: Time,
) -> Result<OwnCa, NotTaken> {
    let anchor = fit(brought, now).map_err(NotTaken::Unfit)?;
    let key = vault.seal("issuing CA that was brought", &brought.key, now)?;
    let taken = store.write(|s| {
        let known = ca::all(s)?;
        if known.iter().any(|ca| ca.certificate.subject() == brought.certificate.subject()) {
            return Ok(None);
        }
        ca::retire(s, Role::Issuing)?;
        let parent = match &anchor {
            Some(anchor) => {
                let same = known.iter().find(|ca| ca.certificate == *anchor);
                let id = same.map_or_else(|| ca::free_id(s, Role::Root), |ca| Ok(ca.id.clone()))?;
                if same.is_none() {
                    let root = OwnCa {
                        id: id.clone(),
                        role: Role::Root,
                        parent: None,
                        certificate: anchor.clone(),
                        key: None,
                        is_anchor: true,
                        is_current: true,
                        revoked: None,
                    };
                    ca::put(s, &root, now)?;
                }
                Some(id)
            }
            None => None,
        };
        put_key(s, &key)?;
        let taken = OwnCa {
            id: ca::free_id(s, Role::Issuing)?,
            role: Role::Issuing,
            is_anchor: parent.is_none(),
            parent,
            certificate: brought.certificate.clone(),
            key: Some(KeyId::of(&brought.key)),
            is_current: true,
            revoked: None,
        };
        ca::put(s, &taken, now)?;
        row::put_issuers(s, &brought.chain, now)?;
        record(s, Act::AuthorityImported, &taken, actor, now)?;
        Ok(Some(taken))
    })?;
    taken.ok_or_else(|| NotTaken::Known(brought.certificate.subject().to_string()))
}

/// May this CA issue for members? Says what readers are to trust, where that is another certificate.
fn fit(brought: &Brought, now: Time) -> Result<Option<Certificate>, String> {
    let Brought { certificate, chain, key } = brought;
    let name = certificate.subject().to_string();
    let unfit = |holds: bool, what: &str| if holds { Err(format!("{name}: {what}")) } else { Ok(()) };
    let extensions = certificate.extensions();
    unfit(certificate.spki() != key.spki(), "the key is another one's")?;
    unfit(!certificate.is_valid_at(now), "the certificate is not valid now")?;
    unfit(certificate.key().is_weak(), "the key is weak")?;
    let is_ca = extensions.basic_constraints.is_some_and(|constraints| constraints.ca);
    unfit(!is_ca, "the certificate is no CA's (basic constraints)")?;
    let usage = extensions.key_usage;
    unfit(usage.is_some_and(|usage| !usage.signs_certificates()), "its key may not sign certificates (key usage)")?;
    unfit(usage.is_some_and(|usage| !usage.signs_crls()), "its key may not sign revocation lists (key usage)")?;
    let usages = extensions.extended_key_usage.as_deref();
    let is_for_mail =
        |usages: &[_]| usages.contains(&oid::EMAIL_PROTECTION) || usages.contains(&oid::ANY_EXTENDED_KEY_USAGE);
    unfit(usages.is_some_and(|usages| !is_for_mail(usages)), "it may not issue for mail (extended key usage)")?;
    unfit(extensions.subject_key_id.is_none(), "it has no subject key identifier")?;
    unfit(!extensions.unknown_critical.is_empty(), "it has a critical extension that is not known here")?;
    if certificate.is_self_issued() {
        let signed = certificate.verify_signature(certificate.key()).is_ok();
        return unfit(!signed, "its own signature on it is wrong").map(|()| None);
    }
    let roots = chain.iter().filter(|above| above.is_self_issued());
    let anchors: Vec<Anchor> = roots.map(|root| Anchor::new(root.clone(), AnchorSource::OwnCa)).collect();
    if anchors.is_empty() {
        // Nothing above it was given: then it is what readers trust.
        return Ok(None);
    }
    let question = Question {
        leaf: certificate,
        untrusted: chain,
        anchors: &anchors,
        at: now,
        purpose: Purpose::Any,
        policy: PolicyInputs::NONE,
    };
    let path =
        path::find(&question).map_err(|refusal| format!("{name}: no path to the root that was given: {refusal}"))?;
    Ok(Some(path.anchor().certificate.clone()))
}
