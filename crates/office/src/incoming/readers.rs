//! Who of those that get a mail can open it, each with keys of his own.

use std::cell::RefCell;
use std::io;

use kakitome_smime::cms::recipient::{Answer, Keys, Question};

use super::Holders;

/// The keys of all recipients of a mail, each asked alone. Nobody is looked up before a mail asks for keys.
pub(super) struct Readers<'a> {
    holders: &'a dyn Holders,
    recipients: &'a [String],
    /// The places of those who could open every layer so far that anybody could.
    able: RefCell<Vec<usize>>,
}

impl<'a> Readers<'a> {
    pub(super) fn new(holders: &'a dyn Holders, recipients: &'a [String]) -> Self {
        Self { holders, recipients, able: RefCell::new((0..recipients.len()).collect()) }
    }

    /// Who could open what was opened.
    pub(super) fn able(&self) -> Vec<usize> {
        self.able.borrow().clone()
    }
}

impl Keys for Readers<'_> {
    /// A layer that none of them can open stays closed for all.
    fn content_key(&self, question: &Question<'_>) -> io::Result<Answer> {
        let (mut found, mut refused, mut able) = (None, None, Vec::new());
        for place in self.able() {
            let Some(recipient) = self.recipients.get(place) else { continue };
            match self.holders.keys_of(recipient)?.content_key(question)? {
                Answer::Key(key) => {
                    able.push(place);
                    found.get_or_insert(key);
                }
                Answer::Refused(finding) => {
                    refused.get_or_insert(finding);
                }
                Answer::NoKey => {}
            }
        }
        let Some(key) = found else { return Ok(refused.map_or(Answer::NoKey, Answer::Refused)) };
        self.able.replace(able);
        Ok(Answer::Key(key))
    }
}
