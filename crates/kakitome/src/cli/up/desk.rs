//! What is done with each mail between the doors.

use std::sync::Arc;

use kakitome_office::outgoing::{Leaving, NotLeaving, Outcome, Outgoing};
use kakitome_office::policy::{Submission, Wish};
use kakitome_office::remembered::Relation;
use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::octets::Octets;

use super::inbound::{Checked, InboundDesk, Intake};
use crate::cli::input;
use crate::gateway::reply::Reply;
use crate::gateway::{Desk, DeskFault, Direction, Envelope, MailCopy, Notice, Processed, Withheld};

/// Signs what may be signed, encrypts it to those who can read it, and takes in what comes from outside.
pub(super) struct SigningDesk {
    pub(super) outgoing: Outgoing,
    pub(super) inbound: InboundDesk,
    pub(super) intake: Arc<Intake>,
    pub(super) spools: SpoolDirectory,
}

impl Desk for SigningDesk {
    fn process(
        &self,
        direction: Direction,
        envelope: &Envelope,
        mail: Arc<dyn Octets>,
    ) -> Result<Processed, DeskFault> {
        // The listener alone decides: whatever a mail says of itself, only an outbound door leads to the signing.
        if direction == Direction::Inbound {
            return self.inbound.process(envelope, &*mail);
        }
        let Checked { mail, relation, is_reduced } = self.intake.leaving(envelope, mail)?;
        let about = match relation {
            _ if is_reduced => Some("; what it brings back was opened here, and is cut to its header"),
            Some(Relation::Answer) => Some("; it answers a mail that was opened here"),
            Some(Relation::Forward) => Some("; it is a mail that was opened here"),
            None => None,
        };
        let submission = Submission {
            has_null_sender: envelope.from.is_empty(),
            recipients: &envelope.recipients,
            origin: envelope.origin(),
            wish: Wish::None,
            quotes_opened: relation.is_some(),
            mail_id: &envelope.id,
        };
        let outcome = self
            .outgoing
            .process(mail, &envelope.from, &submission, &self.spools, input::now())
            .map_err(|fault| DeskFault { text: fault.to_string() })?;
        let mut processed = processed(outcome);
        for copy in &mut processed.copies {
            if let Some(about) = about {
                copy.reason.push_str(about);
            }
        }
        Ok(processed)
    }
}

/// The same for the gateway.
fn processed(outcome: Outcome) -> Processed {
    let copy = |Leaving { recipients, mail, done }| {
        let (action, reason) = (done.action(), done.to_string());
        // What was encrypted must not come back in clear, but encrypted it may.
        MailCopy { mail, recipients, headers_only: false, action, reason }
    };
    let withheld = |NotLeaving { recipients, is_held, reply }| Withheld {
        recipients,
        action: if is_held { "held" } else { "withheld" },
        reason: reply.clone(),
        reply: Reply::new(if is_held { 451 } else { 550 }, reply),
    };
    Processed {
        copies: outcome.copies.into_iter().map(copy).collect(),
        withheld: outcome.withheld.into_iter().map(withheld).collect(),
        notice: outcome.notice.map(|notice| Notice { kind: notice.kind, mail: notice.mail }),
    }
}
