//! What the roll of the members says of a mail's author, and the certificate that others are to encrypt to him with.

use std::sync::Arc;

use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_smime::cms::write::Signer;

use crate::audit::Actor;
use crate::authority::Credential;
use crate::enrolment::published::encryption_certificates;
use crate::fault::Fault;
use crate::members::{Joining, Members, Standing};
use crate::policy::Passed;
use crate::policy::plan::Plan;
use crate::store::Store;

/// The roll of the members, and who comes into it by a mail.
#[derive(Clone, Debug)]
pub struct Roll {
    store: Arc<Store>,
    members: Members,
    joining: Joining,
    actor: Actor,
}

impl Roll {
    /// That of a store; whoever comes in is recorded as taken in by `actor`.
    pub fn new(store: Arc<Store>, joining: Joining, actor: Actor) -> Self {
        Self { members: Members::new(Arc::clone(&store)), store, joining, actor }
    }

    /// Lets the plan sign for members alone, and in the spelling of the roll. What must be encrypted still is.
    pub(super) fn admit(&self, plan: &mut Plan<'_>, now: Time) -> Result<(), Fault> {
        let Some(author) = plan.author.clone().filter(|_| !plan.signings.is_empty()) else { return Ok(()) };
        apply(plan, self.members.standing(&author, self.joining, &self.actor, now)?);
        Ok(())
    }

    /// The signer, who tells the certificate to encrypt to. Only one of the same CA: whoever believes the signature is to
    /// believe it, too.
    pub(super) fn telling(&self, signer: Signer, credential: &Credential, now: Time) -> Result<Signer, Fault> {
        let signing = &credential.certificate;
        let Some(address) = signing.extensions().mailboxes().next().and_then(|mailbox| mailbox.parse().ok()) else {
            return Ok(signer);
        };
        let told = self.store.read(|s| encryption_certificates(s, &address, now))?;
        let mut told = told.iter().filter_map(|der| Certificate::parse(der).ok());
        Ok(match told.find(|one| one.issuer() == signing.issuer()) {
            Some(told) => signer.encrypting_to(&told),
            None => signer,
        })
    }
}

/// What the roll of a store would make of a plan, for `kakitome explain`: nobody comes into it. Without a store it is empty.
///
/// # Errors
/// The store's.
pub fn rehearse(store: Option<&Arc<Store>>, joining: Joining, plan: &mut Plan<'_>, now: Time) -> Result<(), Fault> {
    let Some(author) = plan.author.clone().filter(|_| !plan.signings.is_empty()) else { return Ok(()) };
    let standing = match store {
        Some(store) => Members::new(Arc::clone(store)).rehearsed(&author, joining, now)?,
        None => (!joining.by_first_mail).then_some(Standing::NotListed),
    };
    if let Some(standing) = standing {
        apply(plan, standing);
    }
    Ok(())
}

/// Members sign in the spelling of the roll, others not at all.
fn apply(plan: &mut Plan<'_>, standing: Standing) {
    let refused = match standing {
        Standing::Member(_, kept) => {
            for ready in &mut plan.signings {
                ready.author = kept.clone();
            }
            return;
        }
        Standing::NotListed => Passed::NotListed,
        Standing::Left(at) => Passed::Left(at),
        Standing::TooManyTags => Passed::TooManyTags,
    };
    for copy in &mut plan.copies {
        if copy.signing.is_ok() {
            copy.signing = Err(refused.clone());
        }
    }
}
