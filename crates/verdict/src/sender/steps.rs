//! The steps of the decision that look at proofs and findings alone.

use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Reason as CrlReason;
use kakitome_pki::identity::{self, Lint, Vouched};
use kakitome_pki::path::revocation::{Status, UnknownCause};
use kakitome_pki::path::{AnchorSource, PathProblem, Refusal, ValidPath};
use kakitome_smime::Finding;
use kakitome_smime::cms::verify::VerifiedSignature;
use kakitome_smime::message::open::Opened;
use kakitome_smime::message::protect::Protected;
use kakitome_smime::mime::header::ContentType;

use super::found::Found;
use crate::answer::{Choice, Class, Covered};
use crate::detail::Detail;
use crate::lang::Lang;
use crate::lookup::{Cause, End, Lookup};
use crate::reason::Reason;
use crate::state::State;

/// How one step ends.
pub(super) enum Outcome {
    Holds(Detail),
    Fails(State, Reason, Detail),
    Skipped,
}

pub(super) fn fails(state: State, reason: Reason, detail: impl Into<Detail>) -> Outcome {
    Outcome::Fails(state, reason, detail.into())
}

/// A step that held, and what was seen.
pub(super) fn holds(detail: impl Into<Detail>) -> Outcome {
    Outcome::Holds(detail.into())
}

/// Why there is no path.
fn why(refusal: &Refusal) -> Detail {
    Detail::new(Detail::from(&refusal.problem).text(Lang::Ja), refusal.to_string())
}

/// When it was signed, and what is odd about that.
pub(super) fn signed_at(signed: Time, ja: &str, en: &str) -> Detail {
    Detail::new(format!("署名 {signed}{ja}"), format!("signed {signed}{en}"))
}

pub(super) fn code(finding: &Finding, otherwise: Reason) -> Reason {
    Reason::from_code(finding.code).unwrap_or(otherwise)
}

pub(crate) fn choice(source: AnchorSource) -> Choice {
    match source {
        AnchorSource::PublicList => Choice::PublicList,
        AnchorSource::User => Choice::ChosenFile,
        AnchorSource::Operator => Choice::Operator,
        AnchorSource::OwnCa => Choice::OwnCa,
    }
}

/// Step 7.
pub(super) fn revoked(found: &Found) -> Outcome {
    let Found::Path(_, judged) = found else { return Outcome::Skipped };
    let Status::Revoked { which, when, reason, is_ca, .. } = &judged.status else {
        return Outcome::Holds(Detail::default());
    };
    let code = revoked_reason(*reason, *is_ca);
    fails(State::Revoked, code, format!("{}, {when}", which.subject().short()))
}

/// Why a revoked certificate does not count.
pub(crate) const fn revoked_reason(reason: Option<CrlReason>, is_ca: bool) -> Reason {
    match reason {
        _ if is_ca => Reason::RevCa,
        Some(CrlReason::KeyCompromise) => Reason::RevKeyCompromise,
        Some(CrlReason::CertificateHold) => Reason::RevHold,
        _ => Reason::RevBefore,
    }
}

/// Why it is not known whether a certificate was revoked, and what was tried.
pub(crate) fn unknown(which: &Certificate, cause: &UnknownCause, lookups: &[Lookup]) -> (Reason, Detail) {
    let about = which.subject().to_string();
    let tried: Vec<&Lookup> =
        lookups.iter().filter(|lookup| lookup.what.is_revocation() && lookup.about == about).collect();
    let mut detail = Detail::from(cause);
    for lookup in tried.iter().filter(|lookup| lookup.end != End::Known) {
        let place = |lang| format!("{}: {}", lookup.place, lookup.end.title(lang));
        detail = detail.and(&Detail::new(place(Lang::Ja), place(Lang::En)));
    }
    let is_refused = !tried.is_empty() && tried.iter().all(|lookup| lookup.end.cause().is_some_and(Cause::is_refusal));
    let reason = match cause {
        UnknownCause::Stale => Reason::RevStale,
        UnknownCause::NoAnswer if is_refused => Reason::RevNotFetched,
        _ => Reason::RevUnavailable,
    };
    (reason, detail)
}

/// What a problem of a path is called.
pub(crate) fn reason(problem: &PathProblem) -> Reason {
    match problem {
        PathProblem::UnknownIssuer => Reason::PathUnknown,
        PathProblem::SelfSigned => Reason::PathSelfSigned,
        PathProblem::NotCa => Reason::PathNotCa,
        PathProblem::PathLength => Reason::PathLength,
        PathProblem::PolicyMapping | PathProblem::Policy => Reason::PathPolicy,
        PathProblem::BadSignature | PathProblem::UnsupportedAlgorithm(_) => Reason::PathInvalid,
        PathProblem::Budget => Reason::LimitPath,
        PathProblem::NotForEmail(_) => Reason::PathNoEmailPurpose,
        PathProblem::Distrusted(_) => Reason::PathDistrusted,
        PathProblem::DistrustAfter => Reason::PathDistrustAfter,
        PathProblem::Profile(_) => Reason::CertMalformed,
        PathProblem::UnknownCritical(_) => Reason::CertCritical,
        PathProblem::NameConstraint(_) => Reason::PathNameConstraint,
        PathProblem::CaExtendedKeyUsage => Reason::PathPurpose,
        PathProblem::ExtendedKeyUsage => Reason::CertPurpose,
        PathProblem::KeyUsage => Reason::CertKeyUsage,
        PathProblem::NotYetValid { .. } => Reason::TimeNotYet,
        PathProblem::Expired { .. } => Reason::TimeExpiredAtSigning,
    }
}

/// Step 9.
pub(super) fn issuer(found: &Found) -> Outcome {
    let refusal = match found {
        Found::Path(found, _) => return holds(found.path.anchor().certificate.subject().short()),
        Found::None(refusal, _) => refusal,
    };
    match &refusal.problem {
        // The issuer is known; what is wrong is the certificate, and step 11 says so.
        PathProblem::UnknownCritical(_)
        | PathProblem::Profile(_)
        | PathProblem::NameConstraint(_)
        | PathProblem::CaExtendedKeyUsage
        | PathProblem::ExtendedKeyUsage
        | PathProblem::KeyUsage
        | PathProblem::NotYetValid { .. }
        | PathProblem::Expired { .. } => Outcome::Holds(Detail::default()),
        problem => fails(State::IssuerUnknown, reason(problem), why(refusal)),
    }
}

/// Step 9, where the signer says by which certificates alone he wants to be believed. The anchor is the reader's choice.
pub(super) fn admitted(signature: &VerifiedSignature, found: &Found) -> Option<Outcome> {
    let Found::Path(found, _) = found else { return None };
    let anchor = &found.path.anchor().certificate;
    let between = found.path.certificates().iter().skip(1).filter(|certificate| *certificate != anchor);
    let other = between.into_iter().find(|certificate| !signature.admits(certificate))?;
    let name = other.subject().short();
    let what = Detail::new(format!("署名者が挙げていない証明書: {name}"), format!("the signer does not name {name}"));
    Some(fails(State::Ambiguous, Reason::CmsSigningCertificate, what))
}

/// Step 10.
pub(super) fn strength(signature: &VerifiedSignature, found: &Found) -> Outcome {
    // SHA-224 and what is as short are not among what mail is signed with (RFC 8551 §2.1).
    if signature.is_weak() || signature.digest().size() < 32 {
        let weak_digest = signature.digest() == kakitome_pki::algorithm::Digest::Sha1;
        let reason = if weak_digest { Reason::AlgSha1 } else { Reason::AlgWeak };
        let detail = format!("{}, {}", signature.algorithm().name(), signature.signer().key().describe());
        return fails(State::WeakSignature, reason, detail);
    }
    match found {
        Found::Path(found, _) => match found.path.weak() {
            Some(what) => fails(State::WeakSignature, Reason::AlgWeak, what),
            None => holds(signature.signer().key().describe()),
        },
        Found::None(..) => Outcome::Skipped,
    }
}

/// Step 11.
pub(super) fn validity(signature: &VerifiedSignature, found: &Found) -> Outcome {
    let refusal = match found {
        Found::Path(found, _) => {
            let leaf = found.path.leaf();
            // The claimed time lies outside the certificate's own life: it was not valid then, whoever claims it.
            return match signature.signing_time() {
                Some(signed) if signed < leaf.not_before() && !found.path.is_anchor_alone() => {
                    fails(State::CertNotValidThen, Reason::TimeNotYet, signed_at(signed, "", ""))
                }
                Some(signed) if signed > leaf.not_after() && !found.path.is_anchor_alone() => {
                    fails(State::CertNotValidThen, Reason::TimeExpiredAtSigning, signed_at(signed, "", ""))
                }
                _ => holds(format!("{} – {}", leaf.not_before(), leaf.not_after())),
            };
        }
        Found::None(refusal, _) => refusal,
    };
    fails(State::CertNotValidThen, reason(&refusal.problem), why(refusal))
}

pub(super) fn covers(protected: Option<&Protected>) -> Vec<Covered> {
    let mut covers = vec![Covered::Body, Covered::Attachments];
    if let Some(protected) = protected {
        let fields = [
            ("Subject", Covered::Subject),
            ("From", Covered::From),
            ("To", Covered::To),
            ("Cc", Covered::Cc),
            ("Reply-To", Covered::ReplyTo),
            ("Date", Covered::Date),
        ];
        covers.extend(fields.into_iter().filter(|(name, _)| protected.covers(name)).map(|(_, covered)| covered));
    }
    covers
}

/// Does a part say that it is encrypted?
pub(super) fn is_sealed_part(content_type: &ContentType) -> bool {
    let kind = content_type.parameter("smime-type").unwrap_or_default();
    content_type.subtype.ends_with("pkcs7-mime")
        && ["enveloped-data", "authenveloped-data"].iter().any(|sealed| kind.eq_ignore_ascii_case(sealed))
}

/// What an unsigned mail holds that a reader should know of.
pub(super) fn unsigned_notes(opened: &Opened) -> Vec<Reason> {
    let mut notes = Vec::new();
    for entity in opened.structure.entities.iter().skip(1) {
        let content_type = &entity.content_type;
        if content_type.is("multipart", "signed")
            || (content_type.subtype.ends_with("pkcs7-mime") && !is_sealed_part(content_type))
        {
            notes.push(Reason::MimeErrantSignature);
        } else if content_type.is("message", "rfc822") {
            notes.push(Reason::MimeForwarded);
        } else if content_type.is("application", "ms-tnef") {
            notes.push(Reason::MimeTnef);
        }
    }
    notes
}

pub(super) fn class(vouched: &Vouched) -> (State, Class, Reason) {
    match vouched.class {
        identity::Class::Local => (State::LocalConfirmed, Class::Local, Reason::ClassMailbox),
        identity::Class::Mailbox => (State::MailboxConfirmed, Class::Mailbox, Reason::ClassMailbox),
        identity::Class::PreBaseline => (State::MailboxConfirmed, Class::PreBr, Reason::ClassPreBr),
        identity::Class::Organisation => (State::OrgConfirmed, Class::Org, Reason::ClassOrg),
        identity::Class::PersonInOrganisation => {
            (State::PersonInOrgConfirmed, Class::PersonInOrg, Reason::ClassPersonInOrg)
        }
        identity::Class::Person if vouched.pseudonym.is_some() => {
            (State::PersonConfirmed, Class::Person, Reason::ClassPseudonym)
        }
        identity::Class::Person => (State::PersonConfirmed, Class::Person, Reason::ClassPerson),
    }
}

pub(super) fn lint_reasons(vouched: &Vouched, path: &ValidPath) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = vouched
        .lints
        .iter()
        .filter_map(|lint| match lint {
            Lint::NoPolicy => Some(Reason::ClassNoPolicy),
            Lint::SeveralPolicies => Some(Reason::ClassMultiOid),
            lint if lint.is_contradiction() => Some(Reason::ClassContradiction),
            _ => None,
        })
        .collect();
    let claims = path.leaf().extensions().policies.iter().flatten();
    let claims_baseline =
        claims.into_iter().any(|policy| policy.as_bytes().starts_with(oid::SMIME_BASELINE_ARC.as_bytes()));
    if vouched.class == identity::Class::Local && claims_baseline {
        reasons.push(Reason::ClassOidPrivate);
    }
    reasons
}
