//! The search for a path, at the moment that counts and, where the certificate has expired since, at the moment that the
//! signer claims; and what is known about revocation.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::path::revocation::{Judged, Sources, Status, Terms, find_unrevoked, judge};
use kakitome_pki::path::{AnchorSource, Check, PathProblem, Purpose, Question, Refusal, ValidPath};
use kakitome_smime::cms::verify::VerifiedSignature;
use kakitome_smime::message::open::SignedLayer;

use super::{Evidence, expert};
use crate::answer::PathStep;

/// A path, and whether it held only at the claimed signing time.
pub(super) struct FoundPath {
    pub(super) path: ValidPath,
    pub(super) expired: bool,
    /// Was a certificate of it revoked between the moment to judge for and now?
    pub(super) revoked_since: bool,
}

/// What the search for a path came to.
pub(super) enum Found {
    Path(Box<FoundPath>, Judged),
    None(Refusal, Certificate),
}

impl Found {
    pub(super) fn search(signature: &VerifiedSignature, layer: &SignedLayer, evidence: &Evidence, at: Time) -> Self {
        let leaf = &evidence.known.recall(signature.signer());
        // What the mail brought along may build a path or revoke one; it is believed for nothing by itself.
        let brought = layer.signed.certificates.iter().chain(&evidence.hints);
        let untrusted: Vec<Certificate> = brought.map(|certificate| evidence.known.recall(certificate)).collect();
        let brought: Vec<Crl> = layer.signed.crls.iter().filter_map(|crl| Crl::parse(crl).ok()).collect();
        let crls: Vec<&Crl> = brought.iter().chain(&evidence.crls).collect();
        let stapled: Vec<OcspResponse> =
            layer.signed.ocsp_responses.iter().filter_map(|response| OcspResponse::parse(response).ok()).collect();
        let responses: Vec<&OcspResponse> = stapled.iter().chain(&evidence.responses).collect();
        let sources = Sources { lists: &crls, responses: &responses, certificates: &untrusted };
        let terms = Terms { mode: evidence.revocation, at, legacy: false };
        let anchors = evidence.anchors_for(leaf, &untrusted);
        let ask = |at| {
            let question = Question {
                leaf,
                untrusted: &untrusted,
                anchors: &anchors,
                at,
                purpose: Purpose::Email,
                policy: &evidence.policy,
            };
            find_unrevoked(&question, &sources, &terms)
        };
        let (path, judged, expired) = match ask(at) {
            Ok((path, judged)) => (path, judged, false),
            Err(refusal) => {
                // Expired since: then everything must have held at the time that the signer claims.
                let then = signature.signing_time().filter(|_| matches!(refusal.problem, PathProblem::Expired { .. }));
                match then.filter(|then| *then <= at).map(ask) {
                    Some(Ok((path, judged))) => (path, judged, true),
                    _ => return Self::None(refusal, leaf.clone()),
                }
            }
        };
        evidence.known.keep(&path);
        // Judged for an earlier moment: then what happened since is told, and decides nothing.
        let now = Terms { at: evidence.at, ..terms };
        let revoked_since = at < evidence.at && matches!(judge(&path, &sources, &now).status, Status::Revoked { .. });
        Self::Path(Box::new(FoundPath { path, expired, revoked_since }), judged)
    }

    pub(super) fn source(&self) -> Option<AnchorSource> {
        match self {
            Self::Path(found, _) => Some(found.path.anchor().source),
            Self::None(..) => None,
        }
    }

    /// Would another public list perhaps have led to another answer?
    pub(super) fn rests_on_list(&self) -> bool {
        match self {
            Self::Path(found, _) => found.path.anchor().source == AnchorSource::PublicList,
            Self::None(refusal, _) => refusal.problem.check() == Check::Issuer,
        }
    }

    pub(super) fn into_path(self) -> Option<(FoundPath, Judged)> {
        match self {
            Self::Path(found, judged) => Some((*found, judged)),
            Self::None(..) => None,
        }
    }

    pub(super) fn steps(&self) -> Vec<PathStep> {
        match self {
            Self::Path(found, _) => expert::path(found.path.certificates(), Some(found.path.anchor())),
            Self::None(refusal, _) => expert::path(&refusal.partial, refusal.anchor.as_deref()),
        }
    }
}
