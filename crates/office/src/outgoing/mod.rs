//! What becomes of a mail that came in by an outbound listener: signed in its author's name, encrypted to its recipients,
//! in as many copies as that needs; or passed, or withheld, with the reason. The policy decides ([`Policy::plan`]); here it
//! is done.

mod known;
mod notice;
mod roll;
mod sealed;
mod signed;

use std::fmt;
use std::io;
use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::Random;
use kakitome_smime::mime::scan::scan_header;
use kakitome_smime::octets::{Octets, Spools, copy_range};

pub use self::roll::{Roll, rehearse};
use self::signed::Signed;
use crate::audit::NotRecorded;
use crate::authority::Authority;
use crate::fault::Fault;
use crate::fields;
use crate::policy::plan::{Plan, Planned, Withheld, Withholding};
use crate::policy::sealing::{Found, Unsealable};
use crate::policy::{Passed, Policy, Said, Submission};

/// Where recipients' certificates are found.
pub trait Certificates: Send + Sync {
    /// What is known of an address, and may be encrypted to at this time.
    ///
    /// # Errors
    /// The environment's.
    fn find(&self, address: &Address, now: Time) -> Result<Found, Fault>;
}

/// Nobody's certificate is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCertificates;

impl Certificates for NoCertificates {
    fn find(&self, _: &Address, _: Time) -> Result<Found, Fault> {
        Ok(Found::default())
    }
}

/// What became of a mail.
#[derive(Default)]
pub struct Outcome {
    /// What leaves. Nobody stands in two copies.
    pub copies: Vec<Leaving>,
    /// For whom nothing leaves.
    pub withheld: Vec<NotLeaving>,
    /// What its sender is to be told, in a mail of ours.
    pub notice: Option<Notice>,
}

/// A copy that leaves.
pub struct Leaving {
    /// The places of its recipients.
    pub recipients: Vec<usize>,
    /// What they get; the very octets that came in where nothing was changed.
    pub mail: Arc<dyn Octets>,
    /// What was done.
    pub done: Done,
}

/// What was done to a copy.
pub struct Done {
    /// Signed, in whose name and how; or why not.
    pub signing: Result<SignedAs, Passed>,
    /// Encrypted, how.
    pub sealing: Option<SealedTo>,
    /// What stands out in the mail, by code: attachments that open with a password.
    pub remarks: Vec<&'static str>,
}

/// A signature of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAs {
    /// In whose name.
    pub address: String,
    /// The serial number of the certificate.
    pub serial: String,
    /// Does it carry the time? It is left out where the mail's Date is far from now.
    pub is_timed: bool,
}

/// An encryption of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTo {
    /// With which cipher.
    pub cipher: String,
    /// The serial numbers of the certificates that can open it.
    pub serials: Vec<String>,
}

/// Recipients for whom nothing leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLeaving {
    /// Their places.
    pub recipients: Vec<usize>,
    /// Does the mail wait for better times? Else it is refused.
    pub is_held: bool,
    /// The text of the reply, with its status code in front (RFC 3463).
    pub reply: String,
}

/// A mail of ours to the sender.
pub struct Notice {
    /// Of which kind: one of each is sent for a mail.
    pub kind: &'static str,
    /// The mail.
    pub mail: Arc<dyn Octets>,
}

/// Signs and encrypts outgoing mail.
pub struct Outgoing {
    authority: Arc<Authority>,
    policy: Policy,
    certificates: Arc<dyn Certificates>,
    random: Arc<dyn Random>,
    roll: Option<Roll>,
}

impl Outgoing {
    /// Works for members, by this policy, and encrypts to these certificates.
    pub fn new(
        authority: Arc<Authority>,
        policy: Policy,
        certificates: Arc<dyn Certificates>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { authority, policy, certificates, random, roll: None }
    }

    /// Signs for those alone who are in this roll, or may come into it by a mail.
    #[must_use]
    pub fn for_members(self, roll: Roll) -> Self {
        Self { roll: Some(roll), ..self }
    }

    /// Decides about a mail and does it. Only call this for mail that came in by an outbound listener: whoever may call it
    /// may sign as any member, unless the policy names senders. `sender` is the path of the envelope's sender.
    ///
    /// # Errors
    /// The environment's: then nothing may leave, and the sender's server tries again.
    pub fn process(
        &self,
        mail: Arc<dyn Octets>,
        sender: &str,
        submission: &Submission<'_>,
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Outcome, OutgoingFault> {
        let root = scan_header(&*mail, 0..mail.len())?;
        let submission = Submission { wish: self.policy.wish(&root), ..submission.clone() };
        let mut mail = mail;
        if let Some(head) = self.policy.stripped(&*mail, &root)? {
            let mut spool = spools.spool()?;
            spool.write_all(&head)?;
            copy_range(&*mail, root.body.start..mail.len(), &mut spool)?;
            mail = Arc::from(spool.finish()?);
        }
        // What only some programs would take for a field of ours goes, too.
        if fields::has_forged(&*mail, None)? {
            let mut spool = spools.spool()?;
            fields::strip(&*mail, None, b"", &mut spool)?;
            mail = Arc::from(spool.finish()?);
        }
        let mut find = |address: &Address| self.certificates.find(address, now).map_err(OutgoingFault::from);
        let mut plan = self.policy.plan(&*mail, &submission, spools, &mut find)?;
        if let Some(roll) = &self.roll {
            roll.admit(&mut plan, now)?;
        }
        let mut signed: Vec<Option<Signed>> = plan.signings.iter().map(|_| None).collect();
        let mut outcome = Outcome::default();
        for copy in &plan.copies {
            outcome.copies.push(self.copy(&mail, &plan, copy, &mut signed, spools, now)?);
        }
        outcome.withheld = plan.withheld.iter().map(|withheld| not_leaving(&plan, withheld)).collect();
        outcome.notice = self.notice(&root.header, sender, &plan, spools, now)?;
        Ok(outcome)
    }

    /// Makes a copy.
    fn copy(
        &self,
        mail: &Arc<dyn Octets>,
        plan: &Plan<'_>,
        copy: &Planned,
        signed: &mut [Option<Signed>],
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Leaving, OutgoingFault> {
        let place = copy.signing.as_ref().ok().copied();
        let ready = place.and_then(|place| plan.signings.get(place).zip(signed.get_mut(place)));
        let mine = match ready {
            Some((_, Some(known))) => Some(known.clone()),
            Some((ready, place)) => Some(place.insert(self.sign(ready, &plan.mail_id, spools, now)?).clone()),
            None => None,
        };
        let passed = copy.signing.as_ref().err().cloned();
        let (octets, mut done) = match (&mine, passed) {
            (Some(signed), _) => {
                let (signing, remarks) = (Ok(signed.as_whom.clone()), signed.remarks.clone());
                (Arc::clone(&signed.mail), Done { signing, sealing: None, remarks })
            }
            (None, passed) => {
                let passed = passed.ok_or(OutgoingFault::Bug("a copy without its signing"))?;
                (Arc::clone(mail), Done { signing: Err(passed), sealing: None, remarks: Vec::new() })
            }
        };
        let recipients = copy.recipients.clone();
        let Some(sealing) = &copy.sealing else {
            let limit = copy.treatment.max_size;
            if let Some(limit) = limit.value.filter(|limit| mine.is_some() && octets.len() > *limit) {
                let limit = Said { value: limit, by: copy.treatment.max_size.by };
                done.signing = Err(Passed::TooLarge(limit));
                return Ok(Leaving { recipients, mail: Arc::clone(mail), done });
            }
            return Ok(Leaving { recipients, mail: octets, done });
        };
        let sealed = self.seal(&*octets, sealing, &copy.treatment, mine.is_some(), spools, now)?;
        done.sealing = Some(SealedTo {
            cipher: sealing.cipher.name(),
            serials: sealing.readers.iter().map(|reader| reader.certificate.serial_hex()).collect(),
        });
        Ok(Leaving { recipients, mail: sealed, done })
    }
}

/// So many recipients are named in a reply.
const NAMED_LIMIT: usize = 3;

fn not_leaving(plan: &Plan<'_>, withheld: &Withheld) -> NotLeaving {
    let class = if withheld.is_held { 4 } else { 5 };
    let name = |place: usize| plan.each.get(place).map_or("", |each| each.to.as_str());
    let what = match &withheld.why {
        Withholding::Intent(value) => {
            format!(
                "7.0 not sent to anybody: X-Kakitome-Intent: {value:?} is neither unprotected, verified nor confidential"
            )
        }
        Withholding::Unsignable(why) => {
            format!("7.5 not sent to anybody: it must be encrypted, and cannot be: {why}")
        }
        Withholding::Unsealable(missing) => {
            let is_unavailable = |(_, why): &&(usize, Unsealable)| *why == Unsealable::Unavailable;
            let is_large = |(_, why): &&(usize, Unsealable)| matches!(why, Unsealable::TooLarge { .. });
            let first = missing.iter().find(is_unavailable).or_else(|| missing.iter().find(is_large));
            match first {
                Some((place, Unsealable::Unavailable)) => {
                    format!("4.3 not sent: who may know a certificate for <{}> cannot be asked now", name(*place))
                }
                Some((place, Unsealable::TooLarge { size, limit })) => format!(
                    "3.4 not sent: it must be encrypted, which makes about {size} bytes of it, and <{}> takes {limit}",
                    name(*place)
                ),
                _ => {
                    let names: Vec<_> = missing.iter().take(NAMED_LIMIT).map(|(place, _)| name(*place)).collect();
                    let more = missing.len().saturating_sub(names.len());
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    format!(
                        "7.5 not sent: it must be encrypted, and no certificate can be used for <{}>{more}",
                        names.join(">, <")
                    )
                }
            }
        }
    };
    NotLeaving { recipients: withheld.recipients.clone(), is_held: withheld.is_held, reply: format!("{class}.{what}") }
}

impl Done {
    /// In a word, for the log.
    pub const fn action(&self) -> &'static str {
        match (&self.signing, &self.sealing) {
            (_, Some(_)) => "sealed",
            (Ok(_), None) => "signed",
            (Err(_), None) => "passed",
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signing {
            Ok(SignedAs { address, serial, is_timed }) => {
                write!(f, "as {address}, certificate {serial}")?;
                if !is_timed {
                    f.write_str(", without a signing time: the Date is missing or far from now")?;
                }
            }
            Err(passed) => write!(f, "{}{passed}", if self.sealing.is_some() { "not signed: " } else { "" })?,
        }
        if let Some(SealedTo { cipher, serials }) = &self.sealing {
            write!(f, "; {cipher} for certificate {}", serials.join(", "))?;
        }
        if !self.remarks.is_empty() {
            write!(f, "; holds what opens with a password ({})", self.remarks.join(", "))?;
        }
        Ok(())
    }
}

/// Why an outgoing mail could be neither made nor passed.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingFault {
    /// The office's.
    #[error(transparent)]
    Office(#[from] Fault),
    /// The spool's.
    #[error("the spool: {0}")]
    Spool(#[from] io::Error),
    /// The use of a key could not be recorded, so what it signed does not leave.
    #[error(transparent)]
    NotRecorded(#[from] NotRecorded),
    /// A certificate that was fit a moment ago is not any more.
    #[error("a recipient's certificate cannot be used: {0}")]
    Certificate(String),
    /// Ours.
    #[error("a bug in kakitome, please report it: {0}")]
    Bug(&'static str),
}
