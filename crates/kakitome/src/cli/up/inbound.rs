//! What is done with mail that enters by an inbound listener; and what of it is remembered when mail leaves.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use kakitome_office::audit::{Actor, Clerk, Part, machine};
use kakitome_office::directory::Directory;
use kakitome_office::directory::rule::Decision;
use kakitome_office::incoming::{Arrival, Arriving, Court, Incoming, MemberKeys, returned};
use kakitome_office::journal::{Attempt, Journal, Passage};
use kakitome_office::remembered::{Relation, Remembered};
use kakitome_office::spool::SpoolDirectory;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::SystemRandom;
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::Octets;
use kakitome_verdict::sender::Judgement;

use super::judge::Judge;
use crate::cli::input;
use crate::gateway::{DeskFault, Envelope, MailCopy, Processed};
use crate::metrics::{Door, Metrics};
use crate::settings::Settings;

/// A mail that was begun so often and never ended is handed on unread. A server tries for days; a member must not wait so
/// long for a mail that some bug of ours cannot get over.
const ATTEMPT_LIMIT: u32 = 5;

/// What desks of all settings share.
pub(super) struct Intake {
    judge: Arc<Judge>,
    journal: Arc<Journal>,
    spools: SpoolDirectory,
    metrics: Arc<Metrics>,
    keys: MemberKeys,
    directory: Arc<Directory>,
    remembered: Arc<Remembered>,
    actor: Actor,
}

/// Opens, judges and marks.
pub(super) struct InboundDesk {
    incoming: Incoming,
    intake: Arc<Intake>,
}

/// A mail that leaves, as far as what came in has to do with it.
pub(super) struct Checked {
    pub(super) mail: Arc<dyn Octets>,
    /// Is it about a mail that was opened here?
    pub(super) relation: Option<Relation>,
    /// Was a returned mail cut to its header?
    pub(super) is_reduced: bool,
}

impl Intake {
    pub(super) fn new(
        judge: Arc<Judge>,
        journal: Arc<Journal>,
        spools: SpoolDirectory,
        metrics: Arc<Metrics>,
        vault: Arc<Vault>,
        directory: Arc<Directory>,
    ) -> Self {
        let store: Arc<Store> = Arc::clone(&judge.store);
        let actor = Actor::part(&machine(), Part::Gateway);
        let clerk = Arc::new(Clerk::new(Arc::clone(&store), actor.clone()));
        let keys = MemberKeys::new(Arc::clone(&store), vault, Arc::new(SystemRandom), clerk);
        let remembered = Arc::new(Remembered::new(store, Arc::new(SystemRandom)));
        Self { judge, journal, spools, metrics, keys, directory, remembered, actor }
    }

    /// What of a mail that leaves must not: what a report brings back of a mail that was sealed on its way here.
    pub(super) fn leaving(&self, envelope: &Envelope, mail: Arc<dyn Octets>) -> Result<Checked, DeskFault> {
        let relation = {
            let header = scan_header(&*mail, 0..mail.len()).map_err(fault("the spool"))?.header;
            self.remembered.relation(&header, input::now()).map_err(fault("the memory of opened mail"))?
        };
        let mut opened = Vec::new();
        for one in returned::of(&*mail, envelope.from.is_empty()).map_err(fault("the spool"))? {
            let known = self.remembered.relation(one.header(), input::now());
            if known.map_err(fault("the memory of opened mail"))? == Some(Relation::Forward) {
                opened.push(one);
            }
        }
        let is_reduced = !opened.is_empty();
        let mail = if is_reduced {
            Arc::from(returned::reduced(&*mail, &opened, &self.spools).map_err(fault("the spool"))?)
        } else {
            mail
        };
        Ok(Checked { mail, relation, is_reduced })
    }

    /// How often a member's key opened a mail.
    pub(super) fn opened(&self) -> u64 {
        self.keys.opened()
    }

    /// Takes what a confirmed mail says of its sender. It holds no mail up.
    fn harvest(&self, judgement: &Judgement, now: Time) {
        let Some(confirmed) = &judgement.confirmed else { return };
        match self.directory.harvest(confirmed, &self.actor, now) {
            Ok(Ok(harvested)) if matches!(harvested.decision, Decision::Pending(_)) => {
                let place = harvested.place.to_string();
                tracing::warn!(place, "another certificate came than the one in use: it waits for a decision");
            }
            Ok(Ok(harvested)) => tracing::debug!(decision = ?harvested.decision, "the sender's certificate"),
            Ok(Err(why)) => tracing::debug!(%why, "no certificate is taken"),
            Err(error) => tracing::warn!(%error, "the sender's certificate cannot be taken now"),
        }
    }
}

fn fault<E: Display>(what: &str) -> impl Fn(E) -> DeskFault {
    move |error| DeskFault { text: format!("{what}: {error}") }
}

impl InboundDesk {
    pub(super) fn new(settings: &Settings, intake: Arc<Intake>) -> Self {
        let incoming = Incoming::new(settings.terms(), Some(Arc::clone(&intake.remembered)));
        Self { incoming, intake }
    }

    pub(super) fn process(&self, envelope: &Envelope, mail: &dyn Octets) -> Result<Processed, DeskFault> {
        let attempt = self.begin(envelope, mail).map_err(fault("the journal"))?;
        if attempt.number() > ATTEMPT_LIMIT {
            tracing::error!(
                id = envelope.id,
                "a mail was begun {ATTEMPT_LIMIT} times and never ended: this is a bug, please report it; the mail is \
                 handed on unread"
            );
            // It stays counted: it may come again for other recipients.
            let arrival = self.incoming.unchecked(mail, &envelope.recipients, &self.intake.spools);
            return arrival.map(|arrival| processed(vec![arrival])).map_err(fault("the spool"));
        }
        let arrivals = self.arrivals(envelope, mail);
        attempt.ended();
        arrivals.map(processed)
    }

    fn arrivals(&self, envelope: &Envelope, mail: &dyn Octets) -> Result<Vec<Arrival>, DeskFault> {
        let (now, intake) = (input::now(), &*self.intake);
        let evidence = intake.judge.evidence_or_last().map_err(fault("the evidence"))?;
        let court = Court {
            holders: &intake.keys.for_mail(&envelope.id, now),
            spools: &intake.spools,
            evidence: &evidence,
            outside: intake.judge.outside.as_ref(),
        };
        let arriving = Arriving {
            sender: &envelope.from,
            recipients: &envelope.recipients,
            now,
            returns_whole: envelope.returns_whole,
        };
        let arrivals = self.incoming.receive(mail, &arriving, &court).map_err(fault("opening and judging"))?;
        for judgement in arrivals.iter().filter_map(|arrival| arrival.judgement.as_ref()) {
            intake.metrics.judged(Door::Mail, judgement.answer.state);
            intake.metrics.looked_up(&judgement.answer.expert.lookups);
        }
        if let Some(arrival) = arrivals.first() {
            intake.metrics.password_files(password_codes(arrival));
        }
        if let Some(judgement) = arrivals.first().and_then(|arrival| arrival.judgement.as_ref()) {
            intake.harvest(judgement, now);
        }
        Ok(arrivals)
    }

    /// Without a queue id a mail is known by its sender and its bytes: two that are equal harm us alike.
    fn begin(&self, envelope: &Envelope, mail: &dyn Octets) -> io::Result<Attempt> {
        let passage = match &envelope.queue_id {
            Some(queue_id) => Passage::of(queue_id, mail)?,
            None => Passage::unnamed(&envelope.from, mail)?,
        };
        self.intake.journal.begin(passage)
    }
}

/// What was found of files that open with a password.
fn password_codes(arrival: &Arrival) -> impl Iterator<Item = &'static str> {
    let reasons = arrival.judgement.iter().flat_map(|judgement| &judgement.answer.reasons);
    let found = reasons.map(|reason| reason.code()).filter(|code| code.starts_with("ppap."));
    found.chain(arrival.codes.iter().copied())
}

fn processed(arrivals: Vec<Arrival>) -> Processed {
    Processed { copies: arrivals.into_iter().map(copy).collect(), ..Processed::default() }
}

fn copy(arrival: Arrival) -> MailCopy {
    let contents: Vec<&str> = password_codes(&arrival).collect();
    let Arrival { mail, recipients, opened, closed, judgement, codes: _, forged } = arrival;
    let answer = judgement.as_ref().map(|judgement| &judgement.answer);
    let mut reasons = answer.iter().flat_map(|answer| &answer.reasons).map(|reason| reason.code());
    let verdict = answer.map_or("unchecked", |answer| answer.state.name());
    let mut reason = format!("{verdict} {}", reasons.next().unwrap_or_default()).trim().to_owned();
    if let Some(closed) = closed {
        reason.push_str(&format!(", still sealed: {closed}"));
    }
    if !contents.is_empty() {
        reason.push_str(&format!(", files with a password: {}", contents.join(" ")));
    }
    if forged > 0 {
        reason.push_str(&format!(", {forged} forged fields taken out"));
    }
    let action = match answer {
        Some(_) if opened => "opened",
        Some(_) => "checked",
        None => "unchecked",
    };
    MailCopy { mail, recipients, headers_only: opened, action, reason }
}
