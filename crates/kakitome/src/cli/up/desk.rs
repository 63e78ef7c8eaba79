//! What is done with each mail between the doors.

use std::sync::Arc;

use kakitome_office::outgoing::{Disposition, Outgoing};
use kakitome_office::policy::Submission;
use kakitome_office::spool::SpoolDirectory;
use kakitome_smime::octets::Octets;

use super::inbound::InboundDesk;
use crate::cli::input;
use crate::gateway::{Desk, DeskFault, Direction, Envelope, Processed};

/// Signs what may be signed, and takes in what comes from outside.
pub(super) struct SigningDesk {
    pub(super) outgoing: Outgoing,
    pub(super) inbound: InboundDesk,
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
        let submission = Submission {
            has_null_sender: envelope.from.is_empty(),
            recipients: &envelope.recipients,
            origin: envelope.origin(),
        };
        let disposition = self
            .outgoing
            .sign(&*mail, &submission, &self.spools, input::now())
            .map_err(|fault| DeskFault { text: fault.to_string() })?;
        Ok(match disposition {
            Disposition::Passed(why) => Processed::whole(envelope, mail, "passed", why.to_string()),
            Disposition::Signed { mail, address, serial, timed } => {
                let time = if timed { "" } else { ", without a signing time: the Date is missing or far from now" };
                let reason = format!("as {address}, certificate {serial}{time}");
                Processed::whole(envelope, Arc::from(mail), "signed", reason)
            }
        })
    }
}
