//! The members' keys for one mail, each use of one in the log of what was done.

use std::io;
use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::Random;
use kakitome_smime::cms::recipient::{Answer, Keys, NoKeys, Question};

use super::Holders;
use crate::audit::{Act, Clerk};
use crate::holder::StoredKeys;
use crate::store::Store;
use crate::vault::Vault;

/// Where the members' keys are.
pub struct MemberKeys {
    store: Arc<Store>,
    vault: Arc<Vault>,
    random: Arc<dyn Random>,
    clerk: Arc<Clerk>,
}

/// The same for one mail.
pub struct MailKeys<'a> {
    members: &'a MemberKeys,
    mail_id: &'a str,
    now: Time,
}

/// The keys of one recipient.
struct RecipientKeys<'a> {
    stored: StoredKeys,
    mail: &'a MailKeys<'a>,
}

impl MemberKeys {
    /// Those of this store; `clerk` records what they are used for.
    pub fn new(store: Arc<Store>, vault: Arc<Vault>, random: Arc<dyn Random>, clerk: Arc<Clerk>) -> Self {
        Self { store, vault, random, clerk }
    }

    /// How often one of them opened something.
    pub fn opened(&self) -> u64 {
        self.clerk.recorded()
    }

    /// For a mail, which the log knows by its queue id, or by a name of ours where its server told none.
    pub fn for_mail<'a>(&'a self, mail_id: &'a str, now: Time) -> MailKeys<'a> {
        MailKeys { members: self, mail_id, now }
    }
}

impl Holders for MailKeys<'_> {
    fn keys_of<'a>(&'a self, recipient: &str) -> io::Result<Box<dyn Keys + 'a>> {
        let Ok(address) = Address::parse(recipient) else { return Ok(Box::new(NoKeys)) };
        let MemberKeys { store, vault, random, .. } = self.members;
        let (store, vault, random) = (Arc::clone(store), Arc::clone(vault), Arc::clone(random));
        let stored = StoredKeys::for_recipients(store, vault, random, &[address]);
        Ok(Box::new(RecipientKeys { stored, mail: self }))
    }
}

impl Keys for RecipientKeys<'_> {
    fn content_key(&self, question: &Question<'_>) -> io::Result<Answer> {
        let answer = self.stored.content_key(question)?;
        if let (Answer::Key(_), Some(used)) = (&answer, self.stored.used()) {
            let details = [("serial", used.serial.as_str()), ("queue", self.mail.mail_id)];
            let recorded = self.mail.members.clerk.record(Act::KeyOpened, &used.address, &details, self.mail.now);
            recorded.map_err(io::Error::other)?;
        }
        Ok(answer)
    }
}
