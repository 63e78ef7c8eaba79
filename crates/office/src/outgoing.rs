//! What becomes of a mail that came in by an outbound listener: signed in its author's name, or passed with the reason.

use std::io;
use std::sync::Arc;

use kakitome_pki::address::Address;
use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::crypto::Random;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::write::{NotWritten, Signer};
use kakitome_smime::message::open::{self, Layer};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::address::{self, NoAuthor};
use kakitome_smime::octets::{Octets, Spools};

use crate::authority::Authority;
use crate::fault::Fault;

/// What was decided about one mail.
pub enum Disposition {
    /// It passes byte for byte; why.
    Passed(String),
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
    /// Domains whose members are signed for, in lower case.
    domains: Vec<String>,
    random: Arc<dyn Random>,
}

impl Outgoing {
    /// Signs for the members of these domains.
    pub fn new(authority: Arc<Authority>, domains: Vec<String>, random: Arc<dyn Random>) -> Self {
        Self { authority, domains, random }
    }

    /// Decides about a mail and signs it. Only call this for mail that came in by an outbound listener: whoever may
    /// call it may sign as any member.
    ///
    /// # Errors
    /// The environment's: then nothing may leave, and the sender's server tries again.
    pub fn sign(
        &self,
        mail: &dyn Octets,
        has_null_sender: bool,
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Disposition, OutgoingFault> {
        let passed = |why: &str| Ok(Disposition::Passed(why.to_owned()));
        // Bounces and receipts are the mail system's words, not the member's.
        if has_null_sender {
            return passed("null sender");
        }
        let draft = match Draft::new(mail)? {
            Ok(draft) => draft,
            Err(unsignable) => return passed(&unsignable.to_string()),
        };
        let author = match address::author(draft.header()) {
            Ok(mailbox) => mailbox.address,
            Err(NoAuthor::Absent) => return passed("no From"),
            Err(NoAuthor::Duplicate) => return passed("more than one From field"),
            Err(NoAuthor::Several) => return passed("From names more than one mailbox"),
            Err(NoAuthor::NoAddress | NoAuthor::Syntax) => return passed("From is not one address"),
        };
        let Ok(address) = Address::parse(&author) else { return passed("From is not one address") };
        if !author.is_ascii() {
            // Internationalised addresses need SmtpUTF8Mailbox certificates (RFC 9598), which are not made yet.
            return passed("From is an internationalised address");
        }
        if !self.domains.iter().any(|domain| address.is_in(domain)) {
            return passed("From is not in a member domain");
        }
        let credential = self.authority.credential(&address, now)?;
        let signing_time = draft.signing_time(now);
        let algorithm = credential.key.algorithm();
        let digest = algorithm.digest().unwrap_or(Digest::Sha256);
        let signer = Signer::new(&credential.certificate, &credential.chain, algorithm, digest)
            .map_err(|NotWritten| OutgoingFault::Bug("the member's key has an algorithm that is not written"))?;
        let asked = draft.request(&signer, signing_time)?;
        let signature = credential
            .key
            .sign(asked.algorithm(), asked.octets())
            .map_err(|_| OutgoingFault::Bug("the member's key does not sign with its own algorithm"))?;
        let mut spool = spools.spool()?;
        asked.write(Form::Clear, &signature, &*self.random, &mut spool)?;
        let signed = spool.finish()?;
        check(&*signed, spools)?;
        Ok(Disposition::Signed {
            mail: signed,
            address: address.to_string(),
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
