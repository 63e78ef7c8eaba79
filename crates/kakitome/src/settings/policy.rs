//! `[policy]`: who may sign as whom, and what mail becomes.

use kakitome_office::policy::{self, CipherFloor, Encrypting, Hiding, Rule, SenderRule, Signing, Tag, Untouched};

use super::sender::Correspondent;
use super::value::Domain;

/// `[policy]`: who may sign as whom, and what mail becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How mail is signed where no rule says.
    pub sign: Signing,
    /// Are the header fields signed, too, where no rule says?
    pub header_protection: bool,
    /// Kinds of mail that are signed although they are left alone otherwise.
    pub also_sign: Vec<Untouched>,
    /// How strictly mail is encrypted where no rule says.
    pub encrypt: Encrypting,
    /// How strictly it is when its author asks for it.
    pub confidential: Encrypting,
    /// May some recipients get a mail encrypted and others in clear?
    pub mixed: bool,
    /// May an author ask for less than the policy, where no rule says?
    pub sender_may_lower: bool,
    /// Words in the subject by which an author asks.
    pub tags: Vec<Tag>,
    /// What of the header is hidden in an encrypted mail, where no rule says.
    pub hide: Hiding,
    /// The weakest cipher, where no rule says.
    pub cipher_floor: CipherFloor,
    /// Is each encrypted mail also encrypted to its author's own certificate?
    pub seal_to_author: bool,
    /// In whose name senders are told what became of their mail; absent: the postmaster's, not signed.
    pub notices_from: Option<Correspondent>,
    /// What the submission server calls itself; absent: no login is known.
    pub submission_host: Option<Domain>,
    /// Who may sign as whom.
    pub senders: Vec<SenderRule>,
    /// What mail becomes, by author and recipient.
    pub rules: Vec<Rule>,
}

impl Default for Policy {
    fn default() -> Self {
        let policy::Policy { sign, header_protection, encrypt, confidential, mixed, sender_may_lower, .. } =
            policy::Policy::default();
        Self {
            sign,
            header_protection,
            also_sign: Vec::new(),
            encrypt,
            confidential,
            mixed,
            sender_may_lower,
            tags: Vec::new(),
            hide: Hiding::default(),
            cipher_floor: CipherFloor::default(),
            seal_to_author: false,
            notices_from: None,
            submission_host: None,
            senders: Vec::new(),
            rules: Vec::new(),
        }
    }
}

impl Policy {
    /// The same for the office, which must know the members' domains and whether mail programs hand mail in here.
    pub(super) fn policy(self, members: Vec<String>, takes_submissions: bool) -> policy::Policy {
        policy::Policy {
            members,
            submission_host: self.submission_host.map(String::from),
            takes_submissions,
            senders: self.senders,
            rules: self.rules,
            sign: self.sign,
            header_protection: self.header_protection,
            also_sign: self.also_sign,
            encrypt: self.encrypt,
            confidential: self.confidential,
            mixed: self.mixed,
            sender_may_lower: self.sender_may_lower,
            tags: self.tags,
            hide: self.hide,
            cipher_floor: self.cipher_floor,
            seal_to_author: self.seal_to_author,
            notices_from: self.notices_from.map(Into::into),
        }
    }
}
