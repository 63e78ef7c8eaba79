//! What becomes of a mail that came in by an outbound listener: signed in its author's name, or passed with the reason.
//! The policy decides ([`Policy::plan`]); here it is done.

use std::io;
use std::sync::Arc;

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::Random;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::write::{NotWritten, Signer};
use kakitome_smime::message::open::{self, Layer};
use kakitome_smime::octets::{Octets, Spools};

use crate::authority::Authority;
use crate::fault::Fault;
use crate::policy::plan::Ready;
use crate::policy::{DigestName, Passed, Policy, Said, Submission};

/// What was decided about one mail.
pub enum Disposition {
    /// It passes byte for byte; why.
    Passed(Passed),
    /// It was signed.
    Signed {
        /// The signed mail.
        mail: Box<dyn Octets>,
        /// In whose name.
        address: String,
        /// The serial number of the certificate.
        serial: String,
        /// Does the signature carry the time? It is left out where the mail's Date is far from now.
        timed: bool,
    },
}

/// Signs outgoing mail.
pub struct Outgoing {
    authority: Arc<Authority>,
    policy: Policy,
    random: Arc<dyn Random>,
}

impl Outgoing {
    /// Signs for members, by this policy.
    pub fn new(authority: Arc<Authority>, policy: Policy, random: Arc<dyn Random>) -> Self {
        Self { authority, policy, random }
    }

    /// Decides about a mail and signs it. Only call this for mail that came in by an outbound listener: whoever may
    /// call it may sign as any member, unless the policy names senders.
    ///
    /// # Errors
    /// The environment's: then nothing may leave, and the sender's server tries again.
    pub fn sign(
        &self,
        mail: &dyn Octets,
        submission: &Submission<'_>,
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Disposition, OutgoingFault> {
        let Ready { author, draft, form, treatment } = match self.policy.plan(mail, submission)?.outcome {
            Ok(ready) => ready,
            Err(passed) => return Ok(Disposition::Passed(passed)),
        };
        let credential = self.authority.credential(&author, now)?;
        let signing_time = draft.signing_time(now);
        let own = credential.key.algorithm();
        // A digest that the key does not go with is a wish that cannot be met; the mail is signed all the same.
        let wished = treatment.digest.value.map(DigestName::digest);
        let wished = wished.and_then(|digest| Some((credential.key.algorithm_with(digest)?, digest)));
        let (algorithm, digest) = wished.unwrap_or((own, own.digest().unwrap_or(Digest::Sha256)));
        let signer = Signer::new(&credential.certificate, &credential.chain, algorithm, digest)
            .map_err(|NotWritten| OutgoingFault::Bug("the member's key has an algorithm that is not written"))?;
        let asked = draft.request(&signer, signing_time)?;
        let signature = credential
            .key
            .sign(asked.algorithm(), asked.octets())
            .map_err(|_| OutgoingFault::Bug("the member's key does not sign with its own algorithm"))?;
        let mut spool = spools.spool()?;
        asked.write(form, &signature, &*self.random, &mut spool)?;
        let signed = spool.finish()?;
        if let Some(limit) = treatment.max_size.value.filter(|limit| signed.len() > *limit) {
            let limit = Said { value: limit, by: treatment.max_size.by };
            return Ok(Disposition::Passed(Passed::TooLarge(limit)));
        }
        check(&*signed, spools)?;
        Ok(Disposition::Signed {
            mail: signed,
            address: author.to_string(),
            serial: credential.certificate.serial_hex(),
            timed: signing_time.is_some(),
        })
    }
}

/// Every signature is read back by our own engine before it leaves.
fn check(signed: &dyn Octets, spools: &dyn Spools) -> Result<(), OutgoingFault> {
    match open::open(signed, spools, &NoKeys)?.layer {
        Layer::Signed(layer) if layer.outcome.verified.is_some() => Ok(()),
        _ => Err(OutgoingFault::Bug("our own engine does not verify what it signed")),
    }
}

/// Why an outgoing mail could be neither signed nor passed.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingFault {
    /// The office's.
    #[error(transparent)]
    Office(#[from] Fault),
    /// The spool's.
    #[error("the spool: {0}")]
    Spool(#[from] io::Error),
    /// Ours.
    #[error("a bug in kakitome, please report it: {0}")]
    Bug(&'static str),
}
