//! What is done with mail that enters by an inbound listener.

use std::sync::Arc;

use kakitome_office::incoming::{Arrival, Court, Incoming};
use kakitome_office::journal::{Attempt, Journal, Passage};
use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::octets::Octets;

use super::judge::Judge;
use crate::gateway::{DeskFault, Envelope, MailCopy, Processed};
use crate::metrics::{Door, Metrics};

/// A mail that was begun so often and never ended is handed on unread. A server tries for days; a member must not wait so
/// long for a mail that some bug of ours cannot get over.
const ATTEMPT_LIMIT: u32 = 5;

/// Opens, judges and marks.
pub(super) struct InboundDesk {
    pub(super) incoming: Incoming,
    pub(super) judge: Arc<Judge>,
    pub(super) journal: Arc<Journal>,
    pub(super) spools: SpoolDirectory,
    pub(super) metrics: Arc<Metrics>,
}

impl InboundDesk {
    pub(super) fn process(&self, envelope: &Envelope, mail: &dyn Octets) -> Result<Processed, DeskFault> {
        let fault = |what: &str, error: &dyn std::fmt::Display| DeskFault { text: format!("{what}: {error}") };
        let attempt = self.begin(envelope, mail).map_err(|error| fault("the journal", &error))?;
        if let Some(attempt) = &attempt
            && attempt.number() > ATTEMPT_LIMIT
        {
            tracing::error!(
                queue = envelope.queue_id,
                "a mail was begun {ATTEMPT_LIMIT} times and never ended: this is a \
                bug, please report it; the mail is handed on unread"
            );
            let arrival = self.incoming.unchecked(mail, &envelope.recipients, &self.spools);
            // It stays counted: it may come again for other recipients.
            return arrival
                .map(|arrival| Processed { copies: vec![copy(arrival)], ..Processed::default() })
                .map_err(|error| fault("the spool", &error));
        }
        let arrivals =
            self.judge.evidence_or_last().map_err(|error| fault("the evidence", &error)).and_then(|evidence| {
                let court = Court { spools: &self.spools, evidence: &evidence, outside: self.judge.outside.as_ref() };
                let arrivals = self.incoming.receive(mail, &envelope.recipients, &[], &court);
                arrivals.map_err(|error| fault("opening and judging", &error))
            });
        if let Some(attempt) = attempt {
            attempt.ended();
        }
        let arrivals = arrivals?;
        for answer in arrivals.iter().filter_map(|arrival| arrival.answer.as_ref()) {
            self.metrics.judged(Door::Mail, answer.state);
        }
        Ok(Processed { copies: arrivals.into_iter().map(copy).collect(), ..Processed::default() })
    }

    /// Without a queue id a mail is not known when it comes again.
    fn begin(&self, envelope: &Envelope, mail: &dyn Octets) -> std::io::Result<Option<Attempt>> {
        let Some(queue_id) = &envelope.queue_id else { return Ok(None) };
        self.journal.begin(Passage::of(queue_id, mail)?).map(Some)
    }
}

fn copy(arrival: Arrival) -> MailCopy {
    let Arrival { mail, recipients, opened, answer, forged } = arrival;
    let verdict = answer.as_ref().map_or("unchecked", |answer| answer.state.name());
    let code = answer.as_ref().and_then(|answer| answer.reasons.first()).map_or("", |reason| reason.code());
    let contents: Vec<&str> = answer
        .iter()
        .flat_map(|answer| &answer.reasons)
        .map(|reason| reason.code())
        .filter(|code| code.starts_with("ppap."))
        .collect();
    let mut reason = format!("{verdict} {code}").trim().to_owned();
    if !contents.is_empty() {
        reason.push_str(&format!(", files with a password: {}", contents.join(" ")));
    }
    if forged > 0 {
        reason.push_str(&format!(", {forged} forged fields taken out"));
    }
    let action = if opened {
        "opened"
    } else if answer.is_some() {
        "checked"
    } else {
        "unchecked"
    };
    MailCopy { mail, recipients, headers_only: opened, action, reason }
}
