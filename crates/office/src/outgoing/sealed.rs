//! The encryption of a copy, and the look at what came out.

use std::sync::Arc;

use kakitome_pki::asn1::time::Time;
use kakitome_smime::cms::enveloped::{Envelope, Unsealed};
use kakitome_smime::cms::recipient::{Keys, Naming, Recipient};
use kakitome_smime::message::encrypt::Draft;
use kakitome_smime::message::open::{self, Layer, Seal};
use kakitome_smime::message::protect::Cipher;
use kakitome_smime::octets::{Octets, Spools};

use super::{Outgoing, OutgoingFault};
use crate::policy::Treatment;
use crate::policy::plan::Sealing;

impl Outgoing {
    /// Encrypts a mail, which was signed by us or not.
    pub(super) fn seal(
        &self,
        mail: &dyn Octets,
        sealing: &Sealing,
        treatment: &Treatment,
        is_signed: bool,
        spools: &dyn Spools,
        now: Time,
    ) -> Result<Arc<dyn Octets>, OutgoingFault> {
        let recipients = sealing.readers.iter().map(|reader| {
            let transport = reader.transport(treatment.rsa.value);
            Recipient::certificate(&reader.certificate, transport, Naming::IssuerAndSerial, now)
        });
        let recipients = recipients.collect::<Result<Vec<_>, _>>();
        let recipients = recipients.map_err(|why| OutgoingFault::Certificate(why.to_string()))?;
        let cover = Cipher { policy: treatment.hide.value.policy(), ..Cipher::default() };
        let draft =
            Draft::new(mail, cover)?.map_err(|_| OutgoingFault::Bug("what was planned to be encrypted cannot be"))?;
        let envelope =
            Envelope::new(&recipients, sealing.cipher, &*self.random).map_err(|unsealed| match unsealed {
                Unsealed::Randomness(_) => OutgoingFault::Spool(std::io::Error::other(unsealed)),
                other => OutgoingFault::Certificate(other.to_string()),
            })?;
        let opener = envelope.opener();
        let mut spool = spools.spool()?;
        draft.write(envelope, &mut spool)?;
        let sealed = spool.finish()?;
        check(&*sealed, &opener, sealing.readers.len(), is_signed, spools)?;
        Ok(Arc::from(sealed))
    }
}

/// Every encrypted copy is opened again by our own engine before it leaves, with its content key: it is for as many as it
/// should be, and holds the good signature that went in.
fn check(
    sealed: &dyn Octets,
    opener: &dyn Keys,
    readers: usize,
    is_signed: bool,
    spools: &dyn Spools,
) -> Result<(), OutgoingFault> {
    let bug = Err(OutgoingFault::Bug("our own engine does not open what it encrypted"));
    let opened = open::open(sealed, spools, opener)?;
    let Layer::Sealed(layer) = &opened.layer else { return bug };
    let is_for_all = layer.enveloped.recipients.len() == readers;
    let (Seal::Opened { .. }, Some(inner), true) = (&layer.seal, &layer.inner, is_for_all) else { return bug };
    match &inner.layer {
        Layer::Signed(layer) if layer.outcome.verified.is_some() => Ok(()),
        _ if !is_signed => Ok(()),
        _ => Err(OutgoingFault::Bug("what was encrypted does not hold the signature that went in")),
    }
}
