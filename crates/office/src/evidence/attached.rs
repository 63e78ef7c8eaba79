//! Attached mails: each is examined like a mail that came by itself, and its answer stands beside that of the mail around
//! it, which it never touches (RFC 9787 §6.3).

use std::io;

use kakitome_smime::budget::Budget;
use kakitome_smime::cms::recipient::Keys;
use kakitome_smime::message::open::{self, Opened};
use kakitome_smime::mime::header;
use kakitome_smime::octets::{Octets, Spools};
use kakitome_verdict::answer::{Answer, Attached, Finding};
use kakitome_verdict::content;
use kakitome_verdict::passage::Passage;
use kakitome_verdict::reason::Reason;
use kakitome_verdict::sender::Evidence;

use super::outside::Outside;

/// So many attached mails get an answer, those at all depths together; where there are more, that is a finding.
pub const ATTACHED_LIMIT: usize = 20;

/// What examining needs at every depth.
pub(super) struct Examiner<'a> {
    pub(super) spools: &'a dyn Spools,
    pub(super) keys: &'a dyn Keys,
    pub(super) evidence: &'a Evidence,
    pub(super) outside: Option<&'a Outside>,
    left: usize,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(
        spools: &'a dyn Spools,
        keys: &'a dyn Keys,
        evidence: &'a Evidence,
        outside: Option<&'a Outside>,
    ) -> Self {
        Self { spools, keys, evidence, outside, left: ATTACHED_LIMIT }
    }

    /// Puts the answers about what is attached to a mail into its own.
    pub(super) fn below(
        &mut self,
        mail: &dyn Octets,
        opened: &Opened,
        budget: &Budget,
        answer: &mut Answer,
    ) -> io::Result<()> {
        for attachment in open::attachments(mail, opened) {
            let inside = attachment.budget(budget).filter(|_| self.left > 0);
            let (Some(inside), Some(octets)) = (inside, attachment.octets(self.spools)?) else {
                let detail =
                    format!("only {ATTACHED_LIMIT} attached mails were judged, none beyond the limit of depth");
                answer.expert.findings.push(Finding { code: Reason::LimitParts.code().to_owned(), detail });
                if !answer.reasons.contains(&Reason::LimitParts) {
                    answer.reasons.push(Reason::LimitParts);
                }
                break;
            };
            self.left = self.left.saturating_sub(1);
            let (subject, inner) = self.one(&*octets, &inside)?;
            answer.attached.push(Attached { name: attachment.file_name(), subject, answer: inner });
        }
        Ok(())
    }

    fn one(&mut self, mail: &dyn Octets, budget: &Budget) -> io::Result<(Option<String>, Answer)> {
        let opened = open::open_within(mail, self.spools, self.keys, budget)?;
        let fields = opened.header();
        let subject = fields.all("Subject").next().map(|field| header::decode(fields.value(field)));
        // What the way of the mail around it tells is not said of this one.
        let contents = content::examine(mail, &opened)?;
        let evidence = Evidence { contents, passage: Passage::default(), ..self.evidence.clone() };
        let mut answer = super::judged(&opened, &evidence, self.outside).answer;
        self.below(mail, &opened, budget, &mut answer)?;
        Ok((subject, answer))
    }
}
