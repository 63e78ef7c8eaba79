//! The decision, step by step; the first step that fails decides the headline.
//!
//! Nothing about identity is said large before signature, revocation, binding and path were found good: the names of a
//! certificate that failed any of them stand in the expert part alone.

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto;
use kakitome_pki::identity;
use kakitome_pki::path::revocation::{Judged, NotRevoked, Status, Via};
use kakitome_pki::path::{AnchorSource, ValidPath};
use kakitome_smime::Finding;
use kakitome_smime::cms::verify::VerifiedSignature;
use kakitome_smime::message::open::{Opened, SignedLayer};
use kakitome_smime::message::protect::Protected;
use kakitome_smime::mime::address::{self, Mailbox, NoAuthor};
use kakitome_smime::mime::header::unfold;

mod likeness;
mod root;

use super::binding::{self, Bound, Unbound};
use super::found::{Found, FoundPath};
use super::introduced::{Brought, Introduction, NotIntroduced};
use super::lookalike::Shown;
use super::steps::{
    Outcome, admitted, choice, class, code, covers, fails, holds, is_sealed_part, issuer, lint_reasons, revoked,
    signed_at, strength, unknown, unsigned_notes, validity,
};
use super::{Evidence, Signer, Wants, expert};
use crate::answer::{Altered, Answer, Basis, Changed, Check, CheckOutcome, Class, Encrypted, OrgId, Sealed, Step, Who};
use crate::content;
use crate::detail::Detail;
use crate::passage::{self, Passage};
use crate::reason::Reason;
use crate::state::Outcome::Unreadable;
use crate::state::State;

/// How long before the Date a mail may have been signed, in seconds: a day in a drafts folder or an approval queue.
const SIGNED_BEFORE_DATE: i64 = 24 * 60 * 60;
/// How long after the Date a mail may have been signed, in seconds: an hour, which is what the strictest mail program
/// allows and what a signing gateway needs for mail that waits in a queue.
const SIGNED_AFTER_DATE: i64 = 60 * 60;
/// How old the signature of a mail without a Date may be, in seconds: thirty days.
const WITHOUT_DATE: i64 = 30 * 24 * 60 * 60;
/// How far ahead of us the signer's clock may be, in seconds.
const CLOCK_AHEAD: i64 = 10 * 60;

/// The header fields that a reader sees; a difference in others is told to experts alone.
const VISIBLE: [&str; 7] = ["From", "To", "Cc", "Subject", "Date", "Reply-To", "Sender"];

/// A sender who was confirmed. It cannot exist without the proofs that the signature verifies, that the path to a
/// chosen anchor holds, that nothing revokes it, and that the certificate is for the From address.
#[derive(Clone, Debug)]
pub struct ConfirmedSender {
    signature: VerifiedSignature,
    path: ValidPath,
    #[expect(dead_code, reason = "held because its existence is the proof")]
    revocation: NotRevoked,
    bound: Bound,
    brought: Brought,
}

impl ConfirmedSender {
    /// How to encrypt to the sender, as he says himself in this mail.
    ///
    /// # Errors
    /// The mail says nothing of it that counts.
    pub fn introduction(&self) -> Result<Introduction<'_>, NotIntroduced> {
        self.brought.introduction(self.bound.address(), &self.signature, &self.path)
    }

    /// The confirmed address, as the certificate writes it; `None` where anybody was asked for and it names none.
    pub fn address(&self) -> Option<&str> {
        self.bound.address()
    }

    /// The signer's certificate.
    pub fn certificate(&self) -> &Certificate {
        self.signature.signer()
    }

    /// The path that was found.
    pub fn path(&self) -> &ValidPath {
        &self.path
    }
}

/// An answer, with the confirmed sender if there is one.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// For people and programs.
    pub answer: Answer,
    /// There exactly when the answer's state is a confirmed one.
    pub confirmed: Option<ConfirmedSender>,
    /// What was lacking.
    pub wants: Wants,
}

/// Judges a mail.
pub fn judge(opened: &Opened, evidence: &Evidence) -> Judgement {
    let mut trial = Trial::new(opened, evidence);
    let confirmed = trial.run();
    trial.contents();
    trial.finish(confirmed)
}

struct Trial<'a> {
    opened: &'a Opened,
    evidence: &'a Evidence,
    /// The moment to judge for: that of the evidence, or of the delivery where it is known.
    at: Time,
    /// The one mailbox of From, or why it names none.
    author: Result<Mailbox, NoAuthor>,
    /// Did a mailing list put the signed mail into a frame of its own?
    is_framed: bool,
    answer: Answer,
    checks: Vec<Check>,
    /// State and reason of the first step that failed.
    decided: Option<(State, Reason)>,
    /// Further reasons, in the order in which they came up.
    reasons: Vec<Reason>,
    wants: Wants,
}

impl<'a> Trial<'a> {
    fn new(opened: &'a Opened, evidence: &'a Evidence) -> Self {
        let mut answer = Answer::new(State::Ambiguous, Reason::CmsParse, evidence.at);
        answer.time.basis = evidence.basis;
        answer.trust_list.clone_from(&evidence.trust_list);
        let header = opened.header();
        let author = address::author(header);
        answer.who = Who {
            from_header: header.display("From"),
            from_address: author.as_ref().ok().map(|mailbox| mailbox.address.clone()),
            ..Who::default()
        };
        answer.sealed = Sealed { answer: Encrypted::No, ..Sealed::default() };
        answer.expert = expert::structure(opened);
        answer.expert.lookups.clone_from(&evidence.lookups);
        answer.expert.passage = Passage { claims: passage::claims(header), ..evidence.passage.clone() };
        Self {
            opened,
            evidence,
            at: evidence.at,
            author,
            is_framed: false,
            answer,
            checks: Vec::with_capacity(Step::ALL.len()),
            decided: None,
            reasons: Vec::new(),
            wants: Wants::default(),
        }
    }

    /// Takes a step's outcome into the trace; true if the step decided.
    fn step(&mut self, step: Step, outcome: Outcome) -> bool {
        let (outcome, detail) = match outcome {
            Outcome::Holds(detail) => (CheckOutcome::Ok, detail),
            Outcome::Skipped => (CheckOutcome::Skipped, Detail::default()),
            Outcome::Fails(state, reason, detail) => {
                if self.decided.is_none() {
                    self.decided = Some((state, reason));
                }
                (CheckOutcome::Failed, detail)
            }
        };
        self.checks.push(Check { step, outcome, detail });
        outcome == CheckOutcome::Failed
    }

    fn note(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    fn note_findings(&mut self, findings: &[Finding]) {
        for finding in findings {
            if let Some(reason) = Reason::from_code(finding.code) {
                self.note(reason);
            }
            self.answer
                .expert
                .findings
                .push(crate::answer::Finding { code: finding.code.to_owned(), detail: finding.detail.clone() });
        }
    }

    fn run(&mut self) -> Option<ConfirmedSender> {
        let layer = self.root()?;
        self.note_findings(&layer.findings);
        self.note_findings(&layer.signed.findings);
        let signature = self.signature(layer)?;
        self.delivered(layer);
        let found = Found::search(&signature, layer, self.evidence, self.at);
        self.tell_path(&found);
        let header = self.opened.header();
        let bound =
            binding::bind(header, &self.author, layer.protected.as_ref(), signature.signer(), &self.evidence.signer);

        let outcome = revoked(&found);
        if self.step(Step::Revoked, outcome) {
            self.tell_revoked(&found);
            return None;
        }
        let outcome = self.binding(&bound, &found);
        if self.step(Step::Binding, outcome) {
            return None;
        }
        let outcome = admitted(&signature, &found).unwrap_or_else(|| issuer(&found));
        if self.step(Step::Path, outcome) {
            return None;
        }
        let outcome = strength(&signature, &found);
        if self.step(Step::Strength, outcome) {
            return None;
        }
        let outcome = validity(&signature, &found);
        if self.step(Step::Validity, outcome) {
            return None;
        }
        // What the binding could not say before the path was known to be good.
        let bound = match bound {
            Ok(bound) if bound.reason() == Reason::BindDnEmail && found.source() == Some(AnchorSource::PublicList) => {
                self.decided = Some((State::CertNotValidThen, Reason::BindDnEmail));
                return None;
            }
            Ok(bound) => bound,
            Err(_) => {
                self.decided = Some((State::NameOnly, Reason::BindNoAddress));
                self.name_only(&found);
                return None;
            }
        };
        let outcome = self.signing_time(&signature, layer.protected.as_ref());
        if self.step(Step::SigningTime, outcome) {
            return None;
        }
        let (path, judged) = found.into_path()?;
        if self.is_framed {
            self.step(Step::Whole, fails(State::PartSigned, Reason::MimeListFooter, ""));
            self.tell_framed(layer.protected.as_ref(), &path, &judged, &bound);
            return None;
        }
        self.step(Step::Whole, Outcome::Holds(Detail::default()));
        if path.revoked_since {
            self.note(Reason::RevAfter);
        }
        let outcome = self.revocation(&judged, path.expired);
        if self.step(Step::Revocation, outcome) {
            return None;
        }
        let outcome = self.headers(layer.protected.as_ref(), &bound);
        if self.step(Step::Headers, outcome) {
            self.named(&path, &bound);
            return None;
        }
        let outcome = self.lookalike(&path);
        if self.step(Step::Lookalike, outcome) {
            self.named(&path, &bound);
            return None;
        }
        if path.expired {
            self.step(Step::Expiry, fails(State::OldSignature, Reason::TimeExpiredSince, ""));
            return None;
        }
        self.step(Step::Expiry, Outcome::Holds(Detail::default()));
        let state = self.vouched(&path, &bound);
        self.step(Step::Class, holds(self.answer.who.class.name().to_owned()));
        let revocation = judged.proof?;
        self.decided = Some((state, Reason::Ok));
        let brought = Brought::new(&layer.signed.certificates, header, &bound, self.evidence);
        Some(ConfirmedSender { signature, path: path.path, revocation, bound, brought })
    }

    /// Steps 5 and 6: is the signature well formed, and does it verify?
    fn signature(&mut self, layer: &SignedLayer) -> Option<VerifiedSignature> {
        let outcome = &layer.outcome;
        self.answer.expert.signature = expert::signature(&layer.signed);
        self.answer.expert.signer = outcome.claimed.as_ref().map(expert::certificate);
        self.answer.expert.signers = expert::signers(outcome);
        self.answer.expert.headers = expert::headers(self.opened.header(), layer.protected.as_ref());
        let Some(proof) = &outcome.verified else {
            let finding = outcome.findings.first().cloned().unwrap_or(Finding::new("cms.parse", ""));
            let reason = code(&finding, Reason::CmsParse);
            let (step, state) = match reason {
                Reason::CmsDigest | Reason::CmsSignatureValue => (Step::Signature, State::Altered),
                Reason::AlgWeak => (Step::Strength, State::WeakSignature),
                _ => (Step::Cms, State::Ambiguous),
            };
            if state == State::Altered {
                self.step(Step::Cms, Outcome::Holds(Detail::default()));
                self.answer.altered.answer = Changed::Yes;
            }
            self.step(step, fails(state, reason, &finding));
            self.note_findings(&outcome.findings);
            return None;
        };
        self.step(Step::Cms, Outcome::Holds(Detail::default()));
        self.step(Step::Signature, holds(proof.algorithm().name()));
        self.note_findings(&outcome.findings);
        let answer = if self.is_framed { Changed::Part } else { Changed::No };
        self.answer.altered = Altered { answer, covers: covers(layer.protected.as_ref()) };
        self.answer.time.signed_claimed = proof.signing_time();
        self.note(if layer.protected.is_some() { Reason::HpClear } else { Reason::HpNone });
        Some(proof.clone())
    }

    /// Where our own log knows the delivery of this very signature, that is the moment to judge for: what has expired or
    /// was revoked since was good when it counted.
    fn delivered(&mut self, layer: &SignedLayer) {
        let [signer] = layer.signed.signers.as_slice() else { return };
        if self.evidence.deliveries.is_empty() {
            return;
        }
        let signature = crypto::sha256(&signer.signature);
        let known = self.evidence.deliveries.iter().filter(|one| one.signature == signature && one.at <= self.at);
        if let Some(first) = known.map(|one| one.at).min() {
            self.at = first;
            self.answer.time.delivered = Some(first);
            self.answer.time.verified_at = first;
            self.answer.time.basis = Basis::DeliveryLog;
        }
    }

    /// What the path says, for the expert part and the issuer's name.
    fn tell_path(&mut self, found: &Found) {
        self.answer.expert.path = found.steps();
        if self.evidence.is_list_old() && found.rests_on_list() {
            self.note(Reason::PathListOld);
        }
        match found {
            Found::Path(found, judged) => {
                self.wants.answers.clone_from(&judged.wanted);
                let anchor = found.path.anchor();
                self.answer.whose_choice = Some(choice(anchor.source));
                self.answer.who.issuer = Some(anchor.certificate.subject().short());
                self.answer.who.asserted_by = Some(found.path.issuer_of(0).subject().short());
                self.answer.expert.revocation = expert::revocation(&found.path, &judged.status);
            }
            Found::None(refusal, leaf) => {
                self.wants = Wants::of(refusal);
                self.answer.who.issuer = Some(leaf.issuer().short());
            }
        }
    }

    fn tell_revoked(&mut self, found: &Found) {
        if let Found::Path(_, judged) = found
            && let Status::Revoked { when, is_disputed, .. } = &judged.status
        {
            self.answer.revoked_on = Some(*when);
            if *is_disputed {
                self.note(Reason::RevConflict);
            }
        }
    }

    /// Step 8. A certificate that is for somebody else contradicts From only where its own issuer is believed;
    /// otherwise anybody could have made it, and the next step says so.
    fn binding(&mut self, bound: &Result<Bound, Unbound>, found: &Found) -> Outcome {
        match bound {
            // A list does not write in the name of those whom the reader knows.
            Ok(bound) if bound.is_munged() && self.is_known_sender() => {
                self.answer.who.address = bound.address().map(str::to_owned);
                fails(State::SignerDiffers, Reason::HpFromMismatch, "")
            }
            Ok(bound) => {
                self.note(bound.reason());
                holds(bound.address().unwrap_or_default().to_owned())
            }
            Err(Unbound::Ambiguous(reason)) => fails(State::Ambiguous, *reason, ""),
            Err(Unbound::NoMailbox) => Outcome::Skipped,
            Err(Unbound::Differs(reason)) => match found {
                Found::Path(found, _) => {
                    let mailboxes = identity::vouch(&found.path).mailboxes;
                    self.answer.who.address = mailboxes.into_iter().next();
                    fails(State::SignerDiffers, *reason, "")
                }
                Found::None(..) => {
                    self.note(*reason);
                    Outcome::Skipped
                }
            },
        }
    }

    /// Step 12.
    fn signing_time(&mut self, signature: &VerifiedSignature, protected: Option<&Protected>) -> Outcome {
        let Some(signed) = signature.signing_time() else {
            self.note(Reason::TimeNoSigningTime);
            return Outcome::Skipped;
        };
        if signed > self.at.plus(CLOCK_AHEAD) {
            return fails(State::TimeOdd, Reason::TimeFuture, signed.to_string());
        }
        // Every Date that a program may show: of two it shows either. Without a readable one it shows the day of the
        // delivery, and an old mail sent again looks new. Only where no author is asked for may there be no Date.
        let inner: Vec<String> = protected
            .into_iter()
            .flat_map(|protected| protected.all("Date"))
            .map(|field| field.inner.clone())
            .collect();
        let header = self.opened.header();
        let outer = header.all("Date").map(|field| unfold(header.value(field)));
        // RFC 9788 §4: the protected Date is the mail's; the outer one is compared with it in step 15.
        let dates: Vec<String> =
            if inner.len() == 1 && header.all("Date").count() < 2 { inner } else { outer.collect() };
        // RFC 5322 §3.6 demands a Date; programs that make mail for others leave it out all the same. Then the mail looks
        // as new as its delivery, so the signature must not be old at the moment of checking.
        if dates.is_empty()
            && self.evidence.signer == Signer::From
            && signed < self.at.plus(WITHOUT_DATE.saturating_neg())
        {
            return fails(State::TimeOdd, Reason::TimeReplay, signed_at(signed, "、Date なし", ", no Date"));
        }
        for date in dates {
            let Some(date) = Time::from_mail_date(&date) else {
                return fails(
                    State::TimeOdd,
                    Reason::TimeSkew,
                    signed_at(signed, "、Date は読めない形", ", a Date that cannot be read"),
                );
            };
            if signed < date.plus(SIGNED_BEFORE_DATE.saturating_neg()) || signed > date.plus(SIGNED_AFTER_DATE) {
                // More than a week apart is no queue any more: an old mail sent again.
                let is_old = signed.distance(date) > 7 * 24 * 60 * 60;
                let reason = if is_old { Reason::TimeReplay } else { Reason::TimeSkew };
                return fails(
                    State::TimeOdd,
                    reason,
                    signed_at(signed, &format!("、Date {date}"), &format!(", Date {date}")),
                );
            }
        }
        holds(signed.to_string())
    }

    /// Step 14.
    fn revocation(&mut self, judged: &Judged, expired: bool) -> Outcome {
        match &judged.status {
            Status::Good { by, via, .. } => {
                self.note(match via {
                    Via::List => Reason::RevCrlGood,
                    Via::Response => Reason::RevOcspGood,
                });
                holds(by.clone())
            }
            Status::NoneOffered => {
                self.note(Reason::RevNoneOffered);
                Outcome::Holds(Detail::default())
            }
            Status::Off => {
                self.note(Reason::RevOff);
                Outcome::Skipped
            }
            Status::Unknown { which, cause } => {
                let (reason, detail) = unknown(which, cause, &self.evidence.lookups);
                // RFC 5280 §3.3: after a certificate's end no list needs to name it, so no later look will tell more.
                // Step 17 refuses it.
                if expired {
                    self.note(reason);
                    return Outcome::Skipped;
                }
                fails(State::CheckIncomplete, reason, detail)
            }
            // Decided in step 7.
            Status::Revoked { .. } => fails(State::Revoked, Reason::RevBefore, ""),
        }
    }

    /// Step 15.
    fn headers(&mut self, protected: Option<&Protected>, bound: &Bound) -> Outcome {
        let Some(protected) = protected else { return Outcome::Skipped };
        let outer = self.opened.header();
        let was_added = |name: &&str| outer.all(name).count() > protected.all(name).count();
        // A second Subject contradicts the signed one. Other fields are added on the way by honest lists too, Reply-To
        // above all: the signed ones still stand, so that is said beside the answer and does not change it.
        let is_changed =
            |name: &&str| protected.all(name).any(|field| !field.agrees()) || (*name == "Subject" && was_added(name));
        let differs: Vec<&str> = VISIBLE.into_iter().filter(is_changed).collect();
        for name in VISIBLE.iter().filter(|name| was_added(name)) {
            self.note(Reason::HpAdded);
            let detail = format!("{name} stands outside the signature, and not inside");
            self.answer
                .expert
                .findings
                .push(crate::answer::Finding { code: Reason::HpAdded.code().to_owned(), detail });
        }
        let subject = protected.all("Subject").next();
        self.answer.protected_subject = subject.map(|field| field.inner.clone());
        if bound.is_munged() {
            return fails(State::HeadersChanged, Reason::HpFromMungedList, differs.join(", "));
        }
        if differs.is_empty() {
            return holds(Detail::new(
                format!("ヘッダー {} 件", protected.fields.len()),
                format!("{} header fields", protected.fields.len()),
            ));
        }
        let subject = differs.iter().any(|name| name.eq_ignore_ascii_case("Subject"));
        let reason = if subject { Reason::HpSubject } else { Reason::HpHeaders };
        fails(State::HeadersChanged, reason, differs.join(", "))
    }

    /// Who signed what stands in the frame. Nobody is named of whom it is not known whether his certificate still counts.
    fn tell_framed(&mut self, protected: Option<&Protected>, path: &FoundPath, judged: &Judged, bound: &Bound) {
        self.answer.protected_subject =
            protected.and_then(|protected| protected.all("Subject").next()).map(|field| field.inner.clone());
        let outcome = self.revocation(judged, path.expired);
        match outcome {
            Outcome::Fails(_, reason, _) => {
                self.note(reason);
                self.answer.who.address = bound.address().map(str::to_owned);
            }
            Outcome::Holds(_) | Outcome::Skipped => self.named(path, bound),
        }
    }

    /// Who signed, where the state is no confirmed one. Of an expired certificate the address alone is told.
    fn named(&mut self, path: &FoundPath, bound: &Bound) {
        if path.expired {
            self.note(Reason::TimeExpiredSince);
            self.answer.who.address = bound.address().map(str::to_owned);
        } else {
            self.vouched(path, bound);
        }
    }

    fn name_only(&mut self, found: &Found) {
        if let Found::Path(found, _) = found {
            let vouched = identity::vouch(&found.path);
            self.answer.who.person = vouched.person.or_else(|| Some(found.path.leaf().subject().short()));
        }
    }

    /// Step 18: who is vouched for.
    fn vouched(&mut self, found: &FoundPath, bound: &Bound) -> State {
        let vouched = identity::vouch(&found.path);
        let (state, class, reason) = class(&vouched);
        for lint in &vouched.lints {
            self.answer
                .expert
                .findings
                .push(crate::answer::Finding { code: lint.code().to_owned(), detail: String::new() });
        }
        self.note(match found.path.anchor().source {
            AnchorSource::PublicList => Reason::PathOk,
            AnchorSource::User | AnchorSource::Operator => Reason::PathLocal,
            AnchorSource::OwnCa => Reason::PathOwnCa,
        });
        self.note(reason);
        for reason in lint_reasons(&vouched, &found.path) {
            self.note(reason);
        }
        // Under an issuer that somebody chose here names are the issuer's claim, unless whoever chose it said otherwise.
        let chosen_names = class == Class::Local && found.path.anchor().names_verified;
        if chosen_names {
            self.note(Reason::ClassLocalNames);
        }
        let named = chosen_names || !matches!(class, Class::Local | Class::Mailbox | Class::PreBr);
        let who = &mut self.answer.who;
        who.class = class;
        who.address = bound.address().map(str::to_owned);
        if named {
            who.org.clone_from(&vouched.organisation);
            who.org_id =
                vouched.organisation_id.map(|id| OrgId { scheme: id.scheme, country: id.country, value: id.value });
            who.pseudonym = vouched.pseudonym.is_some();
            who.person = vouched.pseudonym.or(vouched.person);
        }
        state
    }

    /// A file with a password is no encrypted mail, and says so where nothing was encrypted. The headline stays as it is.
    fn contents(&mut self) {
        let contents = &self.evidence.contents;
        self.note_findings(contents);
        if contents.iter().any(content::is_protected) && self.answer.sealed.answer == Encrypted::No {
            self.answer.sealed.answer = Encrypted::PasswordFile;
        }
    }

    fn finish(mut self, confirmed: Option<ConfirmedSender>) -> Judgement {
        let (state, reason) = self.decided.unwrap_or((State::Ambiguous, Reason::CmsParse));
        // A confirmed state and its proof go together, whatever the steps above came to.
        let state = if state.is_confirmed() && confirmed.is_none() { State::Ambiguous } else { state };
        // Where the steps did not come so far: whoever could be taken for another is told to be so all the same.
        let is_told = self.checks.iter().any(|check| check.step == Step::Lookalike);
        if let Some(from) = self.author().filter(|_| !is_told && state.outcome() != Unreadable) {
            self.looks(&Shown { from: &from, class: Class::None, organisation: None });
        }
        self.answer.state = state;
        // RFC 8551 §6: encryption alone says nothing about who wrote it.
        if self.answer.sealed.answer == Encrypted::Yes && confirmed.is_none() {
            self.answer.sealed.answer = Encrypted::Unverified;
        }
        if matches!(state, State::Ambiguous) {
            self.answer.altered = Altered::default();
        }
        if self.answer.expert.passage.falls_short() {
            self.note(Reason::AuthDmarc);
        }
        self.answer.reasons = vec![reason];
        self.answer.reasons.extend(self.reasons.into_iter().filter(|other| *other != reason));
        for step in Step::ALL {
            if !self.checks.iter().any(|check| check.step == step) {
                let outcome = if step == Step::Expected { CheckOutcome::Skipped } else { CheckOutcome::NotReached };
                self.checks.push(Check { step, outcome, detail: Detail::default() });
            }
        }
        self.checks.sort_by_key(|check| check.step);
        self.answer.expert.checks = self.checks;
        Judgement { answer: self.answer, confirmed, wants: self.wants }
    }
}
