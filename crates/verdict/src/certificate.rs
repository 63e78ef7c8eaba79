//! One certificate judged by itself: its path, its revocation, whose address it is for. What `cert check` shows.
//!
//! Pure, like the judgement of a mail, and by the same rules; there is no signature here, so nobody is confirmed.

use kakitome_pki::address::{Address, Match};
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert;
use kakitome_pki::cert::crl::Crl;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::identity::{self, Lint};
use kakitome_pki::path::revocation::{self, Judged, Sources, Status, Terms, Via};
use kakitome_pki::path::{self, AnchorSource, Check, PathProblem, Purpose, Question, Refusal, ValidPath};

use crate::answer::{Certificate, CheckOutcome, Choice, Revocation, Revoked};
use crate::detail::Detail;
use crate::lang::Lang;
use crate::lookup::Lookup;
use crate::reason::Reason;
use crate::sender::{Evidence, Wants, expert, steps};

/// What is asked about the certificate.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The certificate.
    pub leaf: &'a cert::Certificate,
    /// What it is to be good for.
    pub purpose: Purpose,
    /// Whose it is to be.
    pub address: Option<&'a Address>,
    /// Believe what could be forged today (SHA-1, DSA, short RSA keys), and say so.
    pub legacy: bool,
    /// A revocation list was given that cannot be read: then that none is offered is no answer.
    pub unreadable: Option<&'a str>,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything holds.
    Good,
    /// Something does not, or could not be found out.
    NotGood,
    /// Somebody says otherwise: it was revoked, or is for another address.
    Contradicted,
}

impl Outcome {
    /// The exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::NotGood => 30,
            Self::Contradicted => 40,
        }
    }

    /// Its name in the wire form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NotGood => "not-good",
            Self::Contradicted => "contradicted",
        }
    }
}

/// One thing that was looked at, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examined {
    /// A check of the path.
    Path(Check),
    /// The algorithms and keys are strong enough.
    Strength,
    /// Nothing in the path was revoked.
    Revocation,
    /// It is for the address asked about.
    Address,
}

impl Examined {
    /// Its name in the wire form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path(check) => match check {
                Check::Issuer => "issuer",
                Check::Signatures => "signatures",
                Check::Validity => "validity",
                Check::Authorities => "authorities",
                Check::PathLength => "path-length",
                Check::Extensions => "extensions",
                Check::Names => "names",
                Check::Policies => "policies",
                Check::Usages => "usages",
                Check::Distrust => "distrust",
            },
            Self::Strength => "strength",
            Self::Revocation => "revocation",
            Self::Address => "address",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was looked at.
    pub examined: Examined,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was seen.
    pub detail: Detail,
}

/// What is told about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ends.
    pub outcome: Outcome,
    /// The reason that matters first, and what else is to be said.
    pub reasons: Vec<Reason>,
    /// The first reason in particular; empty where everything holds.
    pub detail: Detail,
    /// The path, leaf first: the best that was found, whole or not.
    pub path: Vec<Certificate>,
    /// Whose choice the anchor is, at the end of the path; `None` if it does not reach one.
    pub anchor: Option<Choice>,
    /// Name and version of the list of issuers that was used, and how many were added here.
    pub trust_list: String,
    /// Who issued the last certificate of a path that reaches no anchor.
    pub missing: Option<String>,
    /// Every check.
    pub lines: Vec<Line>,
    /// Revocation, for each certificate below the anchor.
    pub revocation: Vec<Revocation>,
    /// What was asked outside.
    pub lookups: Vec<Lookup>,
    /// What was lacking.
    pub wants: Wants,
    /// The policies that hold through the path.
    pub policies: Vec<String>,
    /// The addresses that it is for.
    pub mailboxes: Vec<String>,
    /// What is odd about it by the S/MIME Baseline Requirements, where it claims them.
    pub lints: Vec<Lint>,
    /// The moment for which the report holds.
    pub at: Time,
    /// What it was to be good for.
    pub purpose: Purpose,
}

/// Judges a certificate. `evidence.hints` are the certificates that may lie between it and an anchor.
pub fn judge(asked: &Asked<'_>, evidence: &Evidence) -> Report {
    let anchors = evidence.anchors_for(asked.leaf, &evidence.hints);
    let question = Question {
        leaf: asked.leaf,
        untrusted: &evidence.hints,
        anchors: &anchors,
        at: evidence.at,
        purpose: asked.purpose,
        policy: &evidence.policy,
    };
    let lists: Vec<&Crl> = evidence.crls.iter().collect();
    let responses: Vec<&OcspResponse> = evidence.responses.iter().collect();
    let sources = Sources { lists: &lists, responses: &responses, certificates: &evidence.hints };
    let terms = Terms { mode: evidence.revocation, at: evidence.at, legacy: asked.legacy };
    match revocation::find_unrevoked(&question, &sources, &terms) {
        Ok((path, judged)) => found(asked, evidence, &path, &judged),
        Err(refusal) => refused(asked, evidence, &refusal),
    }
}

/// A certificate that cannot be read at all.
pub fn malformed(why: &str, evidence: &Evidence, purpose: Purpose) -> Report {
    let mut report = empty(evidence, purpose);
    report.reasons = vec![Reason::CertMalformed];
    report.detail = Detail::same(why);
    report
}

fn empty(evidence: &Evidence, purpose: Purpose) -> Report {
    Report {
        outcome: Outcome::NotGood,
        reasons: Vec::new(),
        detail: Detail::default(),
        path: Vec::new(),
        anchor: None,
        trust_list: evidence.trust_list.clone(),
        missing: None,
        lines: Vec::new(),
        revocation: Vec::new(),
        lookups: Vec::new(),
        wants: Wants::default(),
        policies: Vec::new(),
        mailboxes: Vec::new(),
        lints: Vec::new(),
        at: evidence.at,
        purpose,
    }
}

fn refused(asked: &Asked<'_>, evidence: &Evidence, refusal: &Refusal) -> Report {
    let problems = || std::iter::once(&refusal.problem).chain(&refusal.others);
    let lines = Check::ALL.iter().map(|check| {
        let failed = problems().filter(|problem| problem.check() == *check).map(Detail::from);
        let failed = failed.fold(Detail::default(), |said, one| said.and(&one));
        let outcome = match (&refusal.anchor, failed.is_empty()) {
            (_, false) => CheckOutcome::Failed,
            (Some(_), true) => CheckOutcome::Ok,
            (None, true) => CheckOutcome::NotReached,
        };
        Line { examined: Examined::Path(*check), outcome, detail: failed }
    });
    let not_reached = |examined| Line { examined, outcome: CheckOutcome::NotReached, detail: Detail::default() };
    let mut lines: Vec<Line> = lines.collect();
    lines.extend([not_reached(Examined::Strength), not_reached(Examined::Revocation)]);
    lines.extend(asked.address.map(|_| not_reached(Examined::Address)));
    let anchor = refusal.anchor.as_deref();
    let missing = refusal.partial.last().filter(|_| anchor.is_none()).map(|last| last.issuer().to_string());
    Report {
        reasons: [steps::reason(&refusal.problem)].into_iter().chain(old_list(evidence, refusal)).collect(),
        detail: Detail::from(&refusal.problem),
        path: certificates(&refusal.partial, anchor),
        anchor: anchor.map(|anchor| steps::choice(anchor.source)),
        missing: missing.filter(|_| refusal.problem != PathProblem::SelfSigned),
        lines,
        lints: lints(asked.leaf),
        lookups: evidence.lookups.clone(),
        wants: Wants::of(refusal),
        mailboxes: asked.leaf.extensions().mailboxes().map(str::to_owned).collect(),
        ..empty(evidence, asked.purpose)
    }
}

fn found(asked: &Asked<'_>, evidence: &Evidence, path: &ValidPath, judged: &Judged) -> Report {
    let source = path.anchor().source;
    let mut trial = Trial { outcome: Outcome::Good, reasons: Vec::new(), detail: Detail::default(), lines: Vec::new() };
    for check in Check::ALL {
        trial.holds(Examined::Path(check), seen(check, path, evidence));
    }
    match path.weak() {
        Some(weakness) if asked.legacy => {
            let (ja, en) = ("--legacy により信じた", "believed because of --legacy");
            trial.holds(Examined::Strength, Detail::same(weakness).and(&Detail::new(ja, en)));
            trial.note(Reason::AlgWeak);
        }
        Some(weakness) => {
            trial.fails(Examined::Strength, Outcome::NotGood, Reason::AlgWeak, Detail::same(weakness));
        }
        None => trial.holds(Examined::Strength, Detail::same(path.leaf().key().describe())),
    }
    trial.revocation(judged, asked.unreadable, &evidence.lookups);
    let vouched = identity::vouch(path);
    if let Some(wanted) = asked.address {
        trial.address(wanted, &vouched.mailboxes);
    }
    if trial.outcome == Outcome::Good {
        trial.note(match source {
            AnchorSource::PublicList => Reason::PathOk,
            AnchorSource::User | AnchorSource::Operator => Reason::PathLocal,
            AnchorSource::OwnCa => Reason::PathOwnCa,
        });
        if source == AnchorSource::PublicList && evidence.is_list_old() {
            trial.note(Reason::PathListOld);
        }
        trial.reasons.insert(0, Reason::Ok);
    }
    let rows = path.certificates().iter().zip(&judged.each);
    Report {
        outcome: trial.outcome,
        reasons: trial.reasons,
        detail: trial.detail,
        path: certificates(path.certificates(), Some(path.anchor())),
        anchor: Some(steps::choice(source)),
        lines: trial.lines,
        lints: lints(asked.leaf),
        revocation: rows.map(|(which, status)| row(which, status)).collect(),
        lookups: evidence.lookups.clone(),
        wants: Wants { answers: judged.wanted.clone(), issuer: None },
        policies: path.policies().iter().map(oid::describe).collect(),
        mailboxes: vouched.mailboxes,
        ..empty(evidence, asked.purpose)
    }
}

/// An old list may not know the issuer yet.
fn old_list(evidence: &Evidence, refusal: &Refusal) -> Option<Reason> {
    let matters = refusal.problem.check() == Check::Issuer;
    (matters && evidence.is_list_old()).then_some(Reason::PathListOld)
}

/// A certificate that claims none of the Baseline Requirements' policies is not held to them.
pub(crate) fn lints(leaf: &cert::Certificate) -> Vec<Lint> {
    let arc = oid::SMIME_BASELINE_ARC;
    let mut policies = leaf.extensions().policies.iter().flatten();
    if policies.any(|policy| policy.as_bytes().starts_with(arc.as_bytes())) { identity::lint(leaf) } else { Vec::new() }
}

/// The steps behind the path; the first that fails decides, and of those that fail a contradiction.
struct Trial {
    outcome: Outcome,
    reasons: Vec<Reason>,
    detail: Detail,
    lines: Vec<Line>,
}

impl Trial {
    fn holds(&mut self, examined: Examined, detail: Detail) {
        self.lines.push(Line { examined, outcome: CheckOutcome::Ok, detail });
    }

    fn note(&mut self, reason: Reason) {
        self.reasons.push(reason);
    }

    fn fails(&mut self, examined: Examined, outcome: Outcome, reason: Reason, detail: Detail) {
        let decides = self.outcome == Outcome::Good
            || (outcome == Outcome::Contradicted && self.outcome != Outcome::Contradicted);
        if decides {
            self.outcome = outcome;
            self.detail.clone_from(&detail);
            self.reasons.insert(0, reason);
        } else {
            self.reasons.push(reason);
        }
        self.lines.push(Line { examined, outcome: CheckOutcome::Failed, detail });
    }

    fn revocation(&mut self, judged: &Judged, unreadable: Option<&str>, lookups: &[Lookup]) {
        let examined = Examined::Revocation;
        match &judged.status {
            Status::Good { by, via, .. } => {
                self.note(match via {
                    Via::List => Reason::RevCrlGood,
                    Via::Response => Reason::RevOcspGood,
                });
                self.holds(examined, Detail::same(by));
            }
            Status::NoneOffered if unreadable.is_some() => {
                let detail = Detail::same(unreadable.unwrap_or_default());
                self.fails(examined, Outcome::NotGood, Reason::RevUnavailable, detail);
            }
            Status::NoneOffered => {
                self.note(Reason::RevNoneOffered);
                let ja = "証明書に失効情報の場所がなく、求められてもいない";
                self.holds(examined, Detail::new(ja, "no source is named, and none was demanded"));
            }
            Status::Off => {
                self.note(Reason::RevOff);
                self.lines.push(Line { examined, outcome: CheckOutcome::Skipped, detail: Detail::default() });
            }
            Status::Revoked { which, when, reason, is_ca, is_disputed } => {
                let (name, why) = (which.subject().short(), reason.map(|reason| reason.name()));
                let detail = Detail::new(
                    format!("{name} は {when} に取り消された: {}", why.unwrap_or("理由の記載なし")),
                    format!("{name} was revoked at {when}: {}", why.unwrap_or("no reason given")),
                );
                self.fails(examined, Outcome::Contradicted, steps::revoked_reason(*reason, *is_ca), detail);
                if *is_disputed {
                    self.note(Reason::RevConflict);
                }
            }
            Status::Unknown { which, cause } => {
                let (reason, detail) = steps::unknown(which, cause, lookups);
                let name = which.subject().short();
                let in_lang = |lang| format!("{name}: {}", detail.text(lang));
                let detail = Detail::new(in_lang(Lang::Ja), in_lang(Lang::En));
                self.fails(examined, Outcome::NotGood, reason, detail);
            }
        }
    }

    fn address(&mut self, wanted: &Address, mailboxes: &[String]) {
        let matches = |mailbox: &String| Address::parse(mailbox).map_or(Match::No, |address| address.matches(wanted));
        let best = |kind| mailboxes.iter().find(|mailbox| matches(mailbox) == kind);
        match (best(Match::Exact), best(Match::Folded)) {
            (Some(own), _) => self.holds(Examined::Address, Detail::same(own)),
            (None, Some(own)) => {
                self.note(Reason::BindCase);
                self.holds(Examined::Address, Detail::same(own));
            }
            (None, None) if mailboxes.is_empty() => {
                let detail = Detail::new("アドレスが一つも書かれていない", "it names no address");
                self.fails(Examined::Address, Outcome::NotGood, Reason::BindNoAddress, detail);
            }
            (None, None) => {
                let own = mailboxes.join(", ");
                let detail = Detail::new(
                    format!("{own} のもので、{wanted} のものではない"),
                    format!("it is for {own}, not for {wanted}"),
                );
                self.fails(Examined::Address, Outcome::Contradicted, Reason::BindNone, detail);
            }
        }
    }
}

/// What a check that holds looked at.
fn seen(check: Check, path: &ValidPath, evidence: &Evidence) -> Detail {
    let below = path.certificates();
    let extensions = path.leaf().extensions();
    Detail::same(match check {
        Check::Issuer => path.anchor().certificate.subject().short(),
        Check::Signatures => {
            let signed = below.iter().filter(|_| !path.is_anchor_alone());
            let mut names: Vec<String> = signed.map(|one| expert::algorithm(one.signature_algorithm())).collect();
            names.sort();
            names.dedup();
            names.join(", ")
        }
        Check::Validity => {
            let (at, ends) = (evidence.at, below.iter().map(cert::Certificate::not_after).min());
            return match ends.filter(|_| !path.is_anchor_alone()) {
                Some(end) => Detail::new(format!("{at} の時点で、{end} まで"), format!("at {at}, to {end}")),
                None => Detail::new(format!("{at} の時点で"), format!("at {at}")),
            };
        }
        Check::Authorities | Check::PathLength | Check::Extensions | Check::Distrust => String::new(),
        Check::Names => {
            let authorities = below.iter().skip(1).chain([&path.anchor().certificate]);
            let constrained = authorities.filter(|one| one.extensions().name_constraints.is_some());
            let names = constrained.map(|one| one.subject().short());
            let by = |name| Detail::new(format!("{name} が限る範囲の中"), format!("limited by {name}"));
            return names.map(by).fold(Detail::default(), |said, one| said.and(&one));
        }
        Check::Policies => path.policies().iter().map(oid::describe).collect::<Vec<_>>().join(", "),
        Check::Usages => {
            let keys = extensions.key_usage.map(|usage| usage.names()).unwrap_or_default();
            let uses = extensions.extended_key_usage.iter().flatten().map(oid::describe);
            keys.into_iter().map(str::to_owned).chain(uses).collect::<Vec<_>>().join(", ")
        }
    })
}

/// The certificates of a path, leaf first, the anchor last.
fn certificates(below: &[cert::Certificate], anchor: Option<&path::Anchor>) -> Vec<Certificate> {
    let anchor = anchor.map(|anchor| &anchor.certificate);
    let below = below.iter().filter(|certificate| anchor != Some(*certificate));
    below.chain(anchor).map(expert::certificate).collect()
}

fn row(which: &cert::Certificate, status: &Status) -> Revocation {
    let mut row = Revocation {
        subject: which.subject().to_string(),
        source: String::new(),
        result: Revoked::Unavailable,
        this_update: None,
        next_update: None,
    };
    match status {
        Status::Good { by, via, this_update, next_update } => {
            row.source = format!("{} {by}", if *via == Via::List { "CRL of" } else { "OCSP by" });
            row.result = Revoked::Good;
            (row.this_update, row.next_update) = (Some(*this_update), *next_update);
        }
        Status::NoneOffered => row.result = Revoked::NotOffered,
        Status::Off => row.result = Revoked::Off,
        Status::Revoked { when, reason, .. } => {
            let reason = reason.map_or("unspecified", |reason| reason.name());
            row.result = Revoked::Since(*when, reason.to_owned());
        }
        Status::Unknown { cause, .. } => row.source = cause.to_string(),
    }
    row
}
