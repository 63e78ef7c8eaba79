//! What revocation lists say of one certificate (RFC 5280 §6.3.3).

use std::cmp::{Ordering, Reverse};

use super::wanted::{Offered, points as offers};
use super::{Court, Said, UnknownCause, Via, counts};
use crate::asn1::Oid;
use crate::asn1::time::Time;
use crate::cert::Certificate;
use crate::cert::crl::{Crl, Reason};
use crate::cert::name::{GeneralName, Name};
use crate::cert::point::Reasons;

/// Distribution points of one certificate that are looked at.
const POINT_LIMIT: usize = 64;

/// Why the absence of an entry does not mean "good".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// It lists only changes since another list, which is not at hand.
    #[error("it is a delta list")]
    Delta,
    /// It is of another issuer, and does not say that it lists certificates of others.
    #[error("it is another issuer's, and no indirect list")]
    NotIndirect,
    /// It lists only revocations for some reasons.
    #[error("it holds only some reasons")]
    SomeReasons,
    /// It lists only another kind of certificate.
    #[error("it is for {0} only")]
    OtherKind(&'static str),
    /// It belongs to a distribution point that the certificate does not name.
    #[error("it is for another distribution point")]
    OtherPoint,
    /// It has a critical extension that is not understood (RFC 5280 §5.2, §5.3).
    #[error("it has the critical extension {0}, which is not understood")]
    UnknownCritical(Oid),
    /// After a certificate's end its entry may be gone (RFC 5280 §3.3).
    #[error("it was made after the certificate's end")]
    AfterEnd,
}

/// A distribution point of the certificate, its names resolved.
struct Point {
    names: Vec<GeneralName>,
    reasons: Reasons,
    /// Empty: the certificate's own issuer.
    issuers: Vec<Name>,
}

impl Point {
    fn of(which: &Certificate) -> Vec<Self> {
        let own = which.issuer();
        let mut points = Vec::new();
        for point in which.extensions().crl_points.iter().take(POINT_LIMIT) {
            let names = match &point.name {
                Some(name) => name.resolve(point.issuers.first().unwrap_or(own)),
                // §6.3.3 b 2 i: without a name of its own the point is known by its issuer's.
                None => point.issuers.iter().cloned().map(GeneralName::Directory).collect(),
            };
            let reasons = point.reasons.unwrap_or(Reasons::ALL);
            points.push(Self { names, reasons, issuers: point.issuers.clone() });
        }
        // §6.3.3, last paragraph: any list of the issuer that no point names.
        let names = vec![GeneralName::Directory(own.clone())];
        points.push(Self { names, reasons: Reasons::ALL, issuers: Vec::new() });
        points
    }

    /// For which reasons does this list answer at this point (§6.3.3 b and d)?
    fn served_by(&self, list: &Crl, which: &Certificate) -> Result<Reasons, Limit> {
        let scope = list.scope();
        if self.issuers.is_empty() {
            if list.issuer() != which.issuer() {
                return Err(Limit::NotIndirect);
            }
        } else if !self.issuers.contains(list.issuer()) || !scope.indirect {
            return Err(Limit::NotIndirect);
        }
        if let Some(point) = &scope.point
            && !point.resolve(list.issuer()).iter().any(|name| self.names.contains(name))
        {
            return Err(Limit::OtherPoint);
        }
        Ok(self.reasons.and(scope.reasons.unwrap_or(Reasons::ALL)))
    }
}

impl Court<'_> {
    /// What the lists say.
    pub(super) fn lists(&mut self, which: &Certificate) -> Said {
        let points = Point::of(which);
        let own = |list: &Crl| list.issuer() == which.issuer();
        let named = |list: &Crl| points.iter().any(|point| point.issuers.contains(list.issuer()));
        let about: Vec<&Crl> = self.sources.lists.iter().copied().filter(|list| own(list) || named(list)).collect();
        if about.is_empty() {
            self.deltas = offers(Offered::DeltaList, &which.extensions().freshest_points);
            return Said::Nothing;
        }
        let mut cause = None;
        let mut authentic = Vec::new();
        for list in about {
            match self.signer(list) {
                Ok(()) => authentic.push(list),
                Err(found) => cause = cause.or(Some(found)),
            }
        }
        authentic.sort_by_key(|list| Reverse(list.this_update()));
        self.deltas = Vec::new();
        if authentic.iter().all(|list| list.base().is_none()) {
            let named = authentic.iter().flat_map(|list| list.freshest_points());
            let named = which.extensions().freshest_points.iter().chain(named).cloned().collect::<Vec<_>>();
            self.deltas = offers(Offered::DeltaList, &named);
        }

        if let Some(revoked) = self.revoked(&authentic, which) {
            return revoked;
        }
        let mut answered = Reasons::NONE;
        let mut newest = None;
        // The newest authentic list's trouble is the one to tell.
        let mut trouble = None;
        for list in authentic.iter().filter(|list| list.base().is_none()) {
            match self.silence(list, &authentic, &points, which) {
                Ok((reasons, this_update, next_update)) => {
                    answered = answered.or(reasons);
                    newest = newest.or(Some((list.issuer().short(), this_update, next_update)));
                }
                Err(found) => trouble = trouble.or(Some(found)),
            }
        }
        match newest {
            Some((by, this_update, next_update)) if answered.holds(Reasons::ALL) => {
                Said::Good { by, via: Via::List, this_update, next_update }
            }
            Some(_) => Said::Unknown(trouble.unwrap_or(UnknownCause::Unusable(Limit::SomeReasons))),
            None => {
                let only_deltas = (!authentic.is_empty()).then_some(UnknownCause::Unusable(Limit::Delta));
                Said::Unknown(trouble.or(only_deltas).or(cause).unwrap_or(UnknownCause::NoAnswer))
            }
        }
    }

    /// Does an entry revoke it? An entry speaks even on a list that is too old or too narrow to say "good".
    fn revoked(&self, authentic: &[&Crl], which: &Certificate) -> Option<Said> {
        let speaks = |list: &Crl| list.unknown_critical().is_none();
        let entry =
            |list: &Crl| list.entry(which.serial(), which.issuer()).filter(|entry| counts(entry, self.terms.at));
        // A hold may be lifted (§5.3.1); whatever else a newer list leaves out stays revoked.
        let lifted = |older: &Crl| {
            authentic.iter().any(|newer| {
                let later = newer.this_update() > older.this_update() && newer.this_update() <= self.terms.at;
                let same = newer.issuer() == older.issuer() && newer.scope() == older.scope();
                later
                    && same
                    && speaks(newer)
                    && match newer.entry(which.serial(), which.issuer()) {
                        None => newer.base().is_none(),
                        Some(entry) => entry.reason == Some(Reason::RemoveFromCrl),
                    }
            })
        };
        let entries = authentic
            .iter()
            .filter(|list| speaks(list))
            .filter_map(|list| entry(list).map(|entry| (list, entry)))
            .filter(|(list, entry)| entry.reason != Some(Reason::CertificateHold) || !lifted(list))
            .map(|(list, entry)| (entry, list.this_update()));
        Said::revoked(entries.collect())
    }

    /// What the absence of an entry on a complete list, brought up to date by a delta list, means: for which reasons the
    /// certificate is not revoked, and the dates of that.
    fn silence(
        &self,
        list: &Crl,
        authentic: &[&Crl],
        points: &[Point],
        which: &Certificate,
    ) -> Result<(Reasons, Time, Option<Time>), UnknownCause> {
        let unusable = |limit| Err(UnknownCause::Unusable(limit));
        if let Some(unknown) = list.unknown_critical() {
            return unusable(Limit::UnknownCritical(unknown));
        }
        let scope = list.scope();
        let is_ca = which.extensions().basic_constraints.is_some_and(|basic| basic.ca);
        if scope.only_attributes {
            return unusable(Limit::OtherKind("attribute certificates"));
        }
        if scope.only_users && is_ca {
            return unusable(Limit::OtherKind("end entities"));
        }
        if scope.only_authorities && !is_ca {
            return unusable(Limit::OtherKind("certificate authorities"));
        }
        let mut reasons = None;
        let mut limit = None;
        for point in points {
            match point.served_by(list, which) {
                Ok(served) => reasons = Some(reasons.unwrap_or(Reasons::NONE).or(served)),
                Err(found) => limit = limit.or(Some(found)),
            }
        }
        let Some(reasons) = reasons else {
            return unusable(limit.unwrap_or(Limit::OtherPoint));
        };
        if list.this_update() > which.not_after() {
            return unusable(Limit::AfterEnd);
        }
        let mut dates = (list.this_update(), list.next_update());
        let deltas = authentic.iter().filter(|delta| updates(delta, list));
        if let Some(delta) = deltas.max_by_key(|delta| delta.this_update())
            && self.is_current(delta.this_update(), delta.next_update()).is_ok()
        {
            dates = (delta.this_update(), delta.next_update());
        }
        self.is_current(dates.0, dates.1)?;
        Ok((reasons, dates.0, dates.1))
    }

    /// Is the list signed by one who may (§6.3.3 f and g)?
    fn signer(&mut self, list: &Crl) -> Result<(), UnknownCause> {
        if let Some(known) = self.signers.get(list.fingerprint()) {
            return known.clone();
        }
        let found = self.find_signer(list);
        // Deeper down the outcome depends on who is being asked about, so it is kept at the top alone.
        if self.asked.len() <= 1 {
            self.signers.insert(*list.fingerprint(), found.clone());
        }
        found
    }

    fn find_signer(&mut self, list: &Crl) -> Result<(), UnknownCause> {
        let may_sign = |signer: &&Certificate| {
            signer.subject() == list.issuer() && signer.extensions().key_usage.is_none_or(|usage| usage.signs_crls())
        };
        let mut tried: Vec<&[u8]> = Vec::new();
        let mut cause = UnknownCause::WrongSigner;
        for signer in self.authorities().filter(may_sign) {
            if tried.contains(&signer.spki()) {
                continue;
            }
            tried.push(signer.spki());
            let key = self.path.key_of(signer);
            match self.verify(key, |key| list.verify_signature(key)) {
                Ok(()) => return Ok(()),
                Err(UnknownCause::WrongSigner) => {}
                Err(found) => cause = found,
            }
        }
        // Key rollover and separate keys for lists: the same name, another key.
        let mut others: Vec<&Certificate> = self.sources.certificates.iter().filter(may_sign).collect();
        let is_named = |signer: &Certificate| {
            list.authority_key_id().is_some()
                && signer.extensions().subject_key_id.as_deref() == list.authority_key_id()
        };
        others.sort_by_key(|signer| (Reverse(is_named(signer)), *signer.fingerprint()));
        others.dedup();
        for signer in others {
            if tried.contains(&signer.spki()) {
                continue;
            }
            let mut outcome = self.verify(signer.key(), |key| list.verify_signature(key));
            if outcome.is_ok() {
                // An issuer may let a signer of lists answer for himself. Then his list can only speak against him.
                self.signers.insert(*list.fingerprint(), Ok(()));
                outcome = self.is_good_signer(signer);
                self.signers.remove(list.fingerprint());
            }
            match outcome {
                Ok(()) => return Ok(()),
                Err(UnknownCause::WrongSigner) => {}
                Err(found) => cause = found,
            }
        }
        Err(cause)
    }
}

/// May this delta list be put onto that complete one (§5.2.4)?
fn updates(delta: &Crl, list: &Crl) -> bool {
    let Some(base) = delta.base() else { return false };
    let same_key = match (delta.authority_key_id(), list.authority_key_id()) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    let reaches = list.compare_number(base).is_some_and(|order| order != Ordering::Less);
    let is_older = delta.number().is_some_and(|number| list.compare_number(number) == Some(Ordering::Less));
    delta.issuer() == list.issuer()
        && delta.scope() == list.scope()
        && delta.unknown_critical().is_none()
        && same_key
        && reaches
        && is_older
}
