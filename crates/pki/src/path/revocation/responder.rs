//! What OCSP responses say of one certificate (RFC 6960 §3.2, §4.2.2).

use super::{Court, Reason, Said, Status, UnknownCause, Via, counts};
use crate::asn1::oid;
use crate::cert::Certificate;
use crate::cert::ocsp::{Answer, Basic, CertStatus};

impl Court<'_> {
    /// What the responses say.
    pub(super) fn responses(&mut self, which: &Certificate, issuer: &Certificate) -> Said {
        let mut good = None;
        let mut revoked = Vec::new();
        let mut cause = None;
        for response in self.sources.responses {
            let basic = match response.basic() {
                Ok(basic) => basic,
                Err(said) => {
                    cause = cause.or(Some(UnknownCause::Refused(said)));
                    continue;
                }
            };
            let answers = basic.answers(which, issuer);
            if answers.is_empty() {
                continue;
            }
            let signer = match self.responder(basic, issuer) {
                Ok(signer) => signer,
                Err(found) => {
                    cause = Some(found);
                    continue;
                }
            };
            for answer in answers {
                match (answer.status, self.usable(basic, answer, which)) {
                    // A revocation speaks however old it is.
                    (CertStatus::Revoked(entry), _) if counts(&entry, self.terms.at) => {
                        if answer.unknown_critical.is_none() {
                            revoked.push((entry, answer.this_update));
                        }
                    }
                    (CertStatus::Unknown, _) => cause = Some(UnknownCause::NotKnown),
                    (_, Err(found)) => cause = Some(found),
                    // Until the date of its revocation the certificate was good, as on a list.
                    (CertStatus::Good | CertStatus::Revoked(_), Ok(())) => {
                        let newer = |(_, this_update, _): &(String, _, _)| *this_update < answer.this_update;
                        if good.as_ref().is_none_or(newer) {
                            good = Some((signer.subject().short(), answer.this_update, answer.next_update));
                        }
                    }
                }
            }
        }
        // A hold that a newer answer no longer names was lifted.
        if let Some((_, newest, _)) = &good {
            revoked.retain(|(entry, said)| entry.reason != Some(Reason::CertificateHold) || said >= newest);
        }
        match (Said::revoked(revoked), good, cause) {
            (Some(revoked), ..) => revoked,
            (None, Some((by, this_update, next_update)), _) => {
                Said::Good { by, via: Via::Response, this_update, next_update }
            }
            (None, None, Some(cause)) => Said::Unknown(cause),
            (None, None, None) => Said::Nothing,
        }
    }

    /// Is "good" good at the moment asked about (RFC 6960 §3.2 5 and 6)?
    fn usable(&self, basic: &Basic, answer: &Answer, which: &Certificate) -> Result<(), UnknownCause> {
        if let Some(unknown) = answer.unknown_critical.or(basic.unknown_critical()) {
            return Err(UnknownCause::Unusable(super::Limit::UnknownCritical(unknown)));
        }
        self.is_current(answer.this_update, answer.next_update)?;
        // RFC 6960 §4.4.4: what has ended may have been forgotten, unless the responder says how far back it remembers.
        let remembers = answer.archive_cutoff.is_some_and(|cutoff| cutoff <= which.not_after());
        if answer.this_update > which.not_after() && !remembers {
            return Err(UnknownCause::Unusable(super::Limit::AfterEnd));
        }
        Ok(())
    }

    /// Who signed the response, if he may answer for this issuer (RFC 6960 §4.2.2.2): the issuer himself, or one whom
    /// he delegated, directly and for this.
    fn responder(&mut self, basic: &Basic, issuer: &Certificate) -> Result<Certificate, UnknownCause> {
        let mut cause = UnknownCause::WrongSigner;
        if basic.is_by(issuer) {
            let key = self.path.key_of(issuer).clone();
            match self.verify(&key, |key| basic.verify_signature(key)) {
                Ok(()) => return Ok(issuer.clone()),
                Err(found) => cause = found,
            }
        }
        let delegates = basic.certificates().iter().chain(self.sources.certificates);
        let delegates: Vec<&Certificate> = delegates.filter(|delegate| basic.is_by(delegate)).collect();
        for delegate in delegates {
            let outcome = self
                .verify(delegate.key(), |key| basic.verify_signature(key))
                .and_then(|()| self.is_delegate(delegate, issuer));
            match outcome {
                Ok(()) => return Ok(delegate.clone()),
                Err(UnknownCause::WrongSigner) => {}
                Err(found) => cause = found,
            }
        }
        Err(cause)
    }

    fn is_delegate(&mut self, delegate: &Certificate, issuer: &Certificate) -> Result<(), UnknownCause> {
        let extensions = delegate.extensions();
        let usages = extensions.extended_key_usage.as_deref().unwrap_or_default();
        let may = usages.contains(&oid::OCSP_SIGNING)
            && extensions.key_usage.is_none_or(|usage| usage.signs_mail())
            && extensions.unknown_critical.is_empty()
            && delegate.is_valid_at(self.terms.at)
            && delegate.issuer() == issuer.subject();
        if !may {
            return Err(UnknownCause::WrongSigner);
        }
        if delegate.key().is_weak() && !self.terms.legacy {
            return Err(UnknownCause::Weak(delegate.key().describe()));
        }
        let key = self.path.key_of(issuer).clone();
        self.verify(&key, |key| delegate.verify_signature(key))?;
        if extensions.ocsp_no_check {
            return Ok(());
        }
        // RFC 6960 §4.2.2.2.1: who neither says nocheck nor names a source leaves it to us; a short life is usual then.
        let names_none = extensions.crl_points.is_empty() && extensions.ocsp_urls.is_empty();
        match self.status(delegate, issuer, false) {
            Status::Good { .. } | Status::NoneOffered | Status::Off => Ok(()),
            Status::Unknown { cause: UnknownCause::NoAnswer, .. } if names_none => Ok(()),
            Status::Revoked { .. } | Status::Unknown { .. } => Err(UnknownCause::SignerUnknown),
        }
    }
}
