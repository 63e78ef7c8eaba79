//! The own CA as an issuer: a slice of wishes is one step for the store before the signing, one opening of the CA's key, and
//! one step after it.

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::extension::key_identifier;
use kakitome_pki::cert::{Certificate, hex};
use kakitome_pki::issue::{self, Issuance, MailUse, NotIssued, Profile, Serial};
use kakitome_pki::path::{self, PolicyInputs, Purpose, Question};

use super::issuer::{Asked, Issued, Issuer, Offers, Outcome, Refused, Revocation};
use super::look::{self, Kind};
use super::row::{self, Begun, CertificateRow};
use super::{Authority, CertificateId, House, OwnCa, member, place};
use crate::audit::{self, Act, Actor, Entry};
use crate::fault::Fault;
use crate::vault::KeyId;

/// The name of the own CA among the issuers.
pub const OWN: &str = "own";
/// The longest that a member's certificate may be valid, in seconds: the S/MIME Baseline Requirements §6.3.2 let it be 825
/// days, the first and the last second among them.
pub const LONGEST: i64 = 825 * 24 * 60 * 60 - 1;

/// A certificate that wants only its signature.
struct Planned {
    issuance: Issuance,
    row: CertificateRow,
}

/// A certificate that has it, and is to be stored.
struct Signed {
    certificate: Certificate,
    row: CertificateRow,
}

impl Issuer for Authority {
    fn name(&self) -> &str {
        OWN
    }

    fn offers(&self, now: Time) -> Result<Offers, Fault> {
        let house = self.house();
        let ca = house.issuing_at(now)?;
        Ok(Offers {
            at_once: true,
            until: Some(ca.certificate.not_after()),
            longest: LONGEST,
            revokes: self.is_published(),
        })
    }

    fn issue(&self, asked: &[Asked<'_>], actor: &Actor, now: Time) -> Result<Vec<Outcome>, Fault> {
        // Another program may have taken the CA back that issued so far.
        self.look_again()?;
        let house = self.house();
        let ca = house.issuing_at(now)?;
        let Some(key) = &ca.key else {
            return Err(Fault::AuthorityWithoutKey { name: ca.certificate.subject().to_string() });
        };
        let above = house.above(ca);
        let mut rows = Vec::with_capacity(asked.len());
        let mut planned = Vec::with_capacity(asked.len());
        for one in asked {
            let plan = self.plan(one, ca, &above, now)?;
            if let Ok(plan) = &plan {
                let label = format!("{} of {}", label(one.usage), plan.row.address);
                rows.push((self.vault.seal(&label, one.key, now)?, plan.row.clone()));
            }
            planned.push(plan);
        }
        let mut begun = self.store.write(|s| row::begin(s, &ca.id, &rows, actor, now))?.into_iter();
        // Whoever was slower than another signs nothing.
        let planned = planned.into_iter().map(|plan| {
            let plan = plan.map_err(Outcome::Refused)?;
            match begun.next() {
                Some(Begun::Ours) => Ok(plan),
                Some(Begun::There) => Err(Outcome::There),
                Some(Begun::ByAnother) | None => Err(Outcome::Elsewhere),
            }
        });
        let signed = self.sign(&house, key, planned.collect(), now)?;
        self.finish(signed, actor, now)
    }

    fn revoke(&self, which: &[CertificateId], why: &Revocation<'_>, now: Time) -> Result<usize, Fault> {
        let revoked = super::revoke::revoke(&self.store, which, why, now)?;
        // What is revoked is revoked; a list that could not be signed now is signed by the next run.
        if revoked > 0
            && let Err(fault) = self.publish(why.actor, now)
        {
            tracing::warn!(%fault, "the revocation lists could not be signed anew; it is tried again");
        }
        Ok(revoked)
    }
}

fn label(usage: MailUse) -> &'static str {
    match usage {
        MailUse::Sign => "signing key",
        MailUse::Encrypt => "decryption key",
        MailUse::Both => "key",
    }
}

impl Authority {
    /// What is to be signed, looked at.
    fn plan(
        &self,
        asked: &Asked<'_>,
        ca: &OwnCa,
        above: &[Certificate],
        now: Time,
    ) -> Result<Result<Planned, Refused>, Fault> {
        let address = member(asked.address)?;
        let serial = Serial::random(&*self.random)?;
        // Reaching back behind its issuer's beginning would make it look forged.
        let not_before = asked.from.max(ca.certificate.not_before());
        let not_after = asked.until.min(ca.certificate.not_after()).min(not_before.plus(LONGEST));
        let list = place::list_of(serial.octets());
        let places = place::places(self.settings.base.as_deref(), &ca.id, list, true);
        let profile = Profile::member(&address, asked.usage).published_at(&places);
        let by = issue::Issuer::Certificate(&ca.certificate);
        let issuance = match Issuance::new(&profile, &serial, not_before, not_after, asked.key.spki(), by) {
            Ok(issuance) => issuance,
            Err(why @ (NotIssued::Key(_) | NotIssued::Usage(_) | NotIssued::CannotSign(_) | NotIssued::Dates)) => {
                return Ok(Err(Refused::lasting(why)));
            }
            Err(why) => return Err(Fault::bug(why)),
        };
        let kind = Kind::Member { is_published: self.settings.base.is_some(), above };
        let wrong = look::certificate(&issuance, ca.certificate.key(), kind)?;
        if !wrong.is_empty() {
            return Ok(Err(Refused::lasting(format!("before signing it was found that {}", wrong.join("; ")))));
        }
        let row = CertificateRow {
            id: CertificateId { authority: ca.id.clone(), serial: hex(serial.octets()) },
            address: address.to_string(),
            issuer: OWN.to_owned(),
            usage: asked.usage,
            key_id: KeyId::of(asked.key).to_string(),
            key_identifier: key_identifier(asked.key.spki()).map(|id| hex(&id)).unwrap_or_default(),
            list,
            ordinal: asked.ordinal,
            not_before,
            not_after,
            made_at: now,
            taken: None,
        };
        Ok(Ok(Planned { issuance, row }))
    }

    /// Signs all of it by one opening of the CA's key.
    fn sign(
        &self,
        house: &House,
        key: &KeyId,
        planned: Vec<Result<Planned, Outcome>>,
        now: Time,
    ) -> Result<Vec<Result<Signed, Outcome>>, Fault> {
        if planned.iter().all(Result::is_err) {
            return Ok(planned.into_iter().filter_map(Result::err).map(Err).collect());
        }
        let key = self.vault.take(key)?;
        let mut signed = Vec::with_capacity(planned.len());
        for plan in planned {
            signed.push(match plan {
                Err(outcome) => Err(outcome),
                Ok(Planned { issuance, row }) => {
                    let der = issuance.sign(&key).map_err(Fault::bug)?;
                    let certificate = Certificate::parse(&der).map_err(Fault::bug)?;
                    judge(house, &certificate, now)?;
                    Ok(Signed { certificate, row })
                }
            });
        }
        Ok(signed)
    }

    fn finish(&self, signed: Vec<Result<Signed, Outcome>>, actor: &Actor, now: Time) -> Result<Vec<Outcome>, Fault> {
        let finished = self.store.write(|s| {
            let mut finished = Vec::with_capacity(signed.len());
            let mut acts = Vec::with_capacity(signed.len());
            for Signed { certificate, row } in signed.iter().flatten() {
                let is_finished = row::finish(s, &row.id, certificate.raw())?;
                if is_finished {
                    acts.push((row, certificate.not_after().to_string()));
                }
                finished.push(is_finished);
            }
            let details: Vec<_> = acts
                .iter()
                .map(|(row, until)| {
                    let usage = row::usage_name(row.usage);
                    [("serial", row.id.serial()), ("purpose", usage), ("until", until), ("key", &row.key_id)]
                })
                .collect();
            let entries = acts.iter().zip(&details).map(|((row, _), details)| Entry {
                actor,
                act: Act::CertificateIssued,
                subject: &row.address,
                details,
                at: now,
            });
            if !acts.is_empty() {
                audit::record_all(s, entries)?;
            }
            Ok(finished)
        })?;
        let mut finished = finished.into_iter();
        let outcomes = signed.into_iter().map(|one| match one {
            Err(outcome) => outcome,
            Ok(Signed { certificate, row }) => {
                if finished.next() == Some(true) {
                    tracing::info!(address = row.address, serial = %row.id, until = %row.not_after, "issued a certificate");
                    Outcome::Issued(Issued { id: row.id, certificate })
                } else {
                    // It took longer than anybody waits for it.
                    Outcome::Elsewhere
                }
            }
        });
        Ok(outcomes.collect())
    }
}

/// Nothing is handed out that our own path validation would refuse.
fn judge(house: &House, certificate: &Certificate, now: Time) -> Result<(), Fault> {
    let question = Question {
        leaf: certificate,
        untrusted: &house.certificates,
        anchors: &house.anchors,
        at: now,
        // A key that takes mail need not sign it (RFC 8550 §4.4.2).
        purpose: if signs(certificate) { Purpose::Email } else { Purpose::Any },
        policy: PolicyInputs::NONE,
    };
    path::find(&question)
        .map(drop)
        .map_err(|refusal| Fault::bug(format!("{certificate:?} of the own CA is refused: {}", refusal.problem)))
}

fn signs(certificate: &Certificate) -> bool {
    certificate.extensions().key_usage.is_none_or(|usage| usage.signs_mail())
}

/// A wish for an address as from now on, for so many days: the certificate of this ordinal.
pub(super) fn wanted<'a>(
    address: &'a Address,
    usage: MailUse,
    key: &'a kakitome_pki::crypto::SigningKey,
    (days, ordinal): (u32, i64),
    now: Time,
) -> Asked<'a> {
    let until = now.plus(i64::from(days).saturating_mul(24 * 60 * 60));
    Asked { address, usage, key, from: now.plus(-super::BACKDATED), until, ordinal: Some(ordinal) }
}
