//! The OCSP responder of the own CAs (RFC 6960, in the profile of RFC 5019). Each CA delegates to a key of its own that
//! lives for two weeks; what is said comes from the store at each question, so a revocation is told at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::crl::Revoked;
use kakitome_pki::cert::name::Name;
use kakitome_pki::cert::ocsp::{CertId, CertStatus, Question};
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::crypto::{KeyKind, SigningKey};
use kakitome_pki::issue::{Declined, Profile, RESPONDER_LIFETIME, ResponseDraft, ResponsePlan, Told};

use super::ca::{self, OwnCa, Role};
use super::found::Maker;
use super::{Authority, CertificateId, House, row};
use crate::audit::{self, Act, Entry};
use crate::fault::Fault;
use crate::store::{Statements, put_key};

/// An answer is due so long after it was signed, in seconds.
pub const ANSWER_LIFETIME: i64 = 24 * 60 * 60;
/// An answer without a nonce is given out for so long, in seconds, as long as it stays true.
pub const ANSWER_KEPT: i64 = 60 * 60;
/// So many answers are kept; beyond it all go. About 1.5 KiB each.
pub const ANSWERS_KEPT: usize = 4096;
/// A responder's certificate is replaced so long before its end, in seconds: longer than an answer lasts.
const REPLACED_BEFORE: i64 = 4 * 24 * 60 * 60;

/// What a questioner gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The response.
    pub der: Vec<u8>,
    /// When it was signed and when it is due, if it may be kept by whoever stands between (RFC 5019 §6).
    pub kept: Option<(Time, Time)>,
}

impl From<Declined> for Answered {
    fn from(declined: Declined) -> Self {
        Self { der: declined.der(), kept: None }
    }
}

/// A CA's delegate.
#[derive(Debug)]
struct Delegate {
    certificate: Certificate,
    key: SigningKey,
}

/// The responder's memory.
#[derive(Debug, Default)]
pub(super) struct Responder {
    delegates: Mutex<HashMap<String, Arc<Delegate>>>,
    answers: Mutex<HashMap<Vec<u8>, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    status: CertStatus,
    made: Time,
    der: Vec<u8>,
}

impl Authority {
    /// Answers a question. A fault of ours is told to the questioner as such, and to the log.
    pub fn answer(&self, question: &[u8], now: Time) -> Answered {
        let Ok(question) = Question::parse(question) else { return Declined::Malformed.into() };
        // RFC 6960 §4.4: a critical extension that is not understood is not passed over.
        if question.unknown_critical.is_some() {
            return Declined::Malformed.into();
        }
        self.answered(&question, now).unwrap_or_else(|fault| {
            tracing::error!(%fault, "the OCSP responder cannot answer");
            if fault.is_temporary() { Declined::TryLater.into() } else { Declined::InternalError.into() }
        })
    }

    fn answered(&self, question: &Question, now: Time) -> Result<Answered, Fault> {
        let house = self.house();
        // Who is asked about no CA of ours has come to the wrong house.
        let Some(ca) = question.asked.iter().find_map(|id| owner(&house, id)) else {
            return Ok(Declined::Unauthorized.into());
        };
        let statuses = self.store.read(|s| {
            let mut statuses = Vec::with_capacity(question.asked.len());
            for id in &question.asked {
                let is_here = owner(&house, id).is_some_and(|owner| owner.id == ca.id);
                // One response is signed for one CA: of another's certificates it knows nothing.
                statuses.push(if is_here { status(s, ca, id)? } else { CertStatus::Unknown });
            }
            Ok(statuses)
        })?;
        let single = match (question.asked.as_slice(), statuses.as_slice(), &question.nonce) {
            ([id], [status], None) => Some((id.raw().to_vec(), *status)),
            _ => None,
        };
        if let Some((id, status)) = &single
            && let Some(kept) = self.responder.kept(id, *status, now)
        {
            return Ok(kept.answered());
        }
        let delegate = self.delegate(ca, now)?;
        let told: Vec<Told<'_>> = question
            .asked
            .iter()
            .zip(&statuses)
            .map(|(which, status)| Told {
                which,
                status: *status,
                this_update: now,
                next_update: now.plus(ANSWER_LIFETIME).min(delegate.certificate.not_after()),
            })
            .collect();
        let plan = ResponsePlan {
            responder: &delegate.certificate,
            produced_at: now,
            told: &told,
            nonce: question.nonce.as_deref(),
        };
        let der = ResponseDraft::new(&plan).and_then(|draft| draft.sign(&delegate.key)).map_err(Fault::bug)?;
        let Some((id, status)) = single else { return Ok(Answered { der, kept: None }) };
        let kept = Kept { status, made: now, der };
        let answered = kept.answered();
        self.responder.keep(id, kept);
        Ok(answered)
    }

    /// The delegate of a CA; made where there is none, or one that is about to end.
    fn delegate(&self, ca: &OwnCa, now: Time) -> Result<Arc<Delegate>, Fault> {
        // Held while one is made: the second who asks would only make another one.
        let mut delegates = self.responder.delegates.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = |certificate: &Certificate| {
            certificate.is_valid_at(now)
                && certificate.not_after() > now.plus(REPLACED_BEFORE).min(ca.certificate.not_after().plus(-1))
        };
        if let Some(delegate) = delegates.get(&ca.id).filter(|delegate| lasts(&delegate.certificate)) {
            return Ok(Arc::clone(delegate));
        }
        let stored = self.store.read(|s| ca::responder(s, &ca.id))?;
        let delegate = match stored.filter(|(certificate, _)| lasts(certificate)) {
            Some((certificate, key)) => Delegate { certificate, key: self.vault.take(&key)? },
            None => self.make_delegate(ca, now)?,
        };
        let delegate = Arc::new(delegate);
        delegates.insert(ca.id.clone(), Arc::clone(&delegate));
        Ok(delegate)
    }

    fn make_delegate(&self, ca: &OwnCa, now: Time) -> Result<Delegate, Fault> {
        let Some(key_id) = &ca.key else {
            return Err(Fault::AuthorityWithoutKey { name: ca.certificate.subject().to_string() });
        };
        // Small and quick; whoever reads OCSP reads it.
        let key = SigningKey::generate(KeyKind::P256).map_err(Fault::bug)?;
        let name =
            Name::build(&[(oid::COMMON_NAME, &format!("OCSP responder of {}", ca.certificate.subject().short()))]);
        let maker = Maker { store: &self.store, random: &*self.random, now };
        let signs = self.vault.take(key_id)?;
        let profile = Profile::responder(&name);
        let certificate =
            maker.make(&profile, "responder", &ca.id, Some(&ca.certificate), &signs, &key, RESPONDER_LIFETIME)?;
        let sealed = self.vault.seal("OCSP responder", &key, now)?;
        let serial = certificate.serial_hex();
        let details = [("serial", serial.as_str()), ("ca", ca.id.as_str())];
        self.store.write(|s| {
            put_key(s, &sealed)?;
            ca::finish(s, &ca.id, &certificate)?;
            let (act, actor, subject) = (Act::CertificateIssued, &self.actor, "OCSP responder");
            audit::record(s, &Entry { actor, act, subject, details: &details, at: now })
        })?;
        Ok(Delegate { certificate, key })
    }
}

/// The CA whose certificate is asked about. A root answers by its list alone.
fn owner<'a>(house: &'a House, id: &CertId) -> Option<&'a OwnCa> {
    house.cas.iter().find(|ca| ca.role == Role::Issuing && ca.key.is_some() && id.is_of(&ca.certificate))
}

fn status(s: &mut Statements<'_>, ca: &OwnCa, id: &CertId) -> Result<CertStatus, Fault> {
    let serial = hex(id.serial());
    let which = CertificateId::from_store(ca.id.clone(), serial);
    Ok(match row::status(s, &which)? {
        Some(recorded) if recorded.state.counts() => CertStatus::Good,
        Some(recorded) => match recorded.revoked {
            Some(Revoked { when, reason }) => CertStatus::Revoked(Revoked { when, reason }),
            // Recorded, and never signed: nobody can have such a certificate from us.
            None => CertStatus::Unknown,
        },
        None if ca::has_signed(s, &ca.id, which.serial())? => CertStatus::Good,
        None => CertStatus::Unknown,
    })
}

impl Kept {
    fn answered(&self) -> Answered {
        Answered { der: self.der.clone(), kept: Some((self.made, self.made.plus(ANSWER_KEPT))) }
    }
}

impl Responder {
    fn kept(&self, id: &[u8], status: CertStatus, now: Time) -> Option<Kept> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = answers.get(id)?;
        let is_fresh = kept.made <= now && now < kept.made.plus(ANSWER_KEPT);
        (kept.status == status && is_fresh).then(|| kept.clone())
    }

    fn keep(&self, id: Vec<u8>, kept: Kept) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_KEPT {
            answers.clear();
        }
        answers.insert(id, kept);
    }
}
