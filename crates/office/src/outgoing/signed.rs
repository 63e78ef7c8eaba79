//! The signing of a mail, and the look at what came out.

use std::sync::Arc;

use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::write::{NotWritten, Signer};
use kakitome_smime::message::open::{self, Layer};
use kakitome_smime::octets::{Octets, Spools};
use kakitome_verdict::content;

use super::{Outgoing, OutgoingFault, SignedAs};
use crate::policy::DigestName;
use crate::policy::plan::Ready;
use crate::policy::sealing::RsaUse;

/// A signed mail.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) mail: Arc<dyn Octets>,
    pub(super) as_whom: SignedAs,
    /// What stands out in it.
    pub(super) remarks: Vec<&'static str>,
}

impl Outgoing {
    pub(super) fn sign(
        &self,
        ready: &Ready<'_>,
        mail_id: &str,
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Signed, OutgoingFault> {
        let Ready { author, draft, form, digest, rsa, .. } = ready;
        let credential = self.authority.credential(author, now)?;
        let signing_time = draft.signing_time(now);
        let own = credential.key.algorithm();
        // A digest that the key does not go with is a wish that cannot be met; the mail is signed all the same.
        let wished = digest.map(DigestName::digest);
        let wished = wished.and_then(|digest| Some((credential.key.algorithm_with(digest)?, digest)));
        let (mut algorithm, digest) = wished.unwrap_or((own, own.digest().unwrap_or(Digest::Sha256)));
        if *rsa == RsaUse::PssOaep {
            algorithm = credential.key.pss(digest).unwrap_or(algorithm);
        }
        let signer = Signer::new(&credential.certificate, &credential.chain, algorithm, digest)
            .map_err(|NotWritten| OutgoingFault::Bug("the member's key has an algorithm that is not written"))?;
        let signer = match &self.roll {
            Some(roll) => roll.telling(signer, &credential, now)?,
            None => signer,
        };
        let asked = draft.request(&signer, signing_time)?;
        let signature = credential
            .key
            .sign(asked.algorithm(), asked.octets())
            .map_err(|_| OutgoingFault::Bug("the member's key does not sign with its own algorithm"))?;
        self.authority.record_signature(author, &credential, mail_id, now)?;
        let mut spool = spools.spool()?;
        asked.write(*form, &signature, &*self.random, &mut spool)?;
        let mail: Arc<dyn Octets> = Arc::from(spool.finish()?);
        let remarks = check(&*mail, spools)?;
        let as_whom = SignedAs {
            address: author.to_string(),
            serial: credential.certificate.serial_hex(),
            is_timed: signing_time.is_some(),
        };
        Ok(Signed { mail, as_whom, remarks })
    }
}

/// Every signature is read back by our own engine before it leaves. What stands out in the mail is told.
fn check(signed: &dyn Octets, spools: &dyn Spools) -> Result<Vec<&'static str>, OutgoingFault> {
    let opened = open::open(signed, spools, &NoKeys)?;
    match &opened.layer {
        Layer::Signed(layer) if layer.outcome.verified.is_some() => {}
        _ => return Err(OutgoingFault::Bug("our own engine does not verify what it signed")),
    }
    let mut remarks: Vec<&'static str> = Vec::new();
    for finding in content::examine(signed, &opened)? {
        if finding.code.starts_with("ppap.") && !remarks.contains(&finding.code) {
            remarks.push(finding.code);
        }
    }
    Ok(remarks)
}
