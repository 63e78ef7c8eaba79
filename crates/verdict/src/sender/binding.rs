//! Does the signer's certificate speak for the address in From (RFC 8550 §3, RFC 9788 §4.4)?

use kakitome_pki::address::{Address, Match};
use kakitome_pki::asn1::oid;
use kakitome_pki::cert::Certificate;
use kakitome_smime::message::open::list_id;
use kakitome_smime::message::protect::Protected;
use kakitome_smime::mime::address::{self, NoAuthor};
use kakitome_smime::mime::header::Header;

use super::Signer;
use crate::reason::Reason;

/// Proof that From names exactly one mailbox and that the certificate is for it; or that anybody's signature was asked
/// for. Made in [`bind`] alone.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    address: Option<String>,
    reason: Reason,
    munged: bool,
}

impl Bound {
    /// Did a mailing list put its own address in the place of the author's? Then the outer From is not what was signed.
    pub(super) const fn is_munged(&self) -> bool {
        self.munged
    }

    /// The mailbox, as the certificate writes it; `None` where anybody was asked for and the certificate names none.
    pub(super) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// How they are bound.
    pub(super) const fn reason(&self) -> Reason {
        self.reason
    }
}

/// Why the certificate does not speak for From.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbound {
    /// From names no single mailbox, or the certificate's is not one: programs could see different senders.
    Ambiguous(Reason),
    /// The certificate is for somebody else, or the protected From is.
    Differs(Reason),
    /// The certificate names no mailbox at all.
    NoMailbox,
}

/// Binds the author of the mail, as its From names him, to the certificate.
///
/// The protected From is the sender; the outer one, which the reader's own program shows, must be the same. That is
/// stricter than RFC 9788 §4.4.2, because most programs do not read the protected one.
pub(super) fn bind(
    header: &Header,
    from: &Result<address::Mailbox, NoAuthor>,
    protected: Option<&Protected>,
    certificate: &Certificate,
    signer: &Signer,
) -> Result<Bound, Unbound> {
    let mut munged = false;
    let mut outer = match signer {
        Signer::From => author(from.as_ref())?,
        Signer::Address(expected) => expected.clone(),
        Signer::Anybody => {
            let mailbox = certificate.extensions().mailboxes().find(|mailbox| Address::parse(mailbox).is_ok());
            let reason = if mailbox.is_some() { Reason::BindExact } else { Reason::BindNoAddress };
            return Ok(Bound { address: mailbox.map(str::to_owned), reason, munged });
        }
    };
    if *signer == Signer::From
        && let Some(protected) = protected.filter(|protected| protected.from_count > 0)
    {
        let inner = protected.from.as_deref().ok_or(Unbound::Ambiguous(Reason::BindDupFrom))?;
        let inner = author(address::author_of(inner).as_ref())?;
        if inner.matches(&outer) == Match::No {
            if !is_of_list(header, &outer) {
                return Err(Unbound::Differs(Reason::HpFromMismatch));
            }
            (outer, munged) = (inner, true);
        }
    }
    let extensions = certificate.extensions();
    if extensions.mailboxes().any(|mailbox| mailbox.contains('\0')) {
        return Err(Unbound::Ambiguous(Reason::CertSanNul));
    }
    let listed: Vec<&str> = extensions.mailboxes().collect();
    let mut folded = None;
    for mailbox in &listed {
        // A malformed mailbox in a certificate matches nobody.
        let Ok(address) = Address::parse(mailbox) else { continue };
        match address.matches(&outer) {
            Match::Exact => {
                return Ok(Bound { address: Some((*mailbox).to_owned()), reason: Reason::BindExact, munged });
            }
            Match::Folded => folded = Some((*mailbox).to_owned()),
            Match::No => {}
        }
    }
    if let Some(address) = folded {
        return Ok(Bound { address: Some(address), reason: Reason::BindCase, munged });
    }
    if !listed.is_empty() {
        return Err(Unbound::Differs(sender_only(header, &listed)));
    }
    // RFC 8550 §3: the old e-mail attribute counts only where no alternative name is a mailbox.
    let mut old = certificate.subject().all(oid::EMAIL_ADDRESS).peekable();
    if old.peek().is_none() {
        return Err(Unbound::NoMailbox);
    }
    old.find(|mailbox| Address::parse(mailbox).is_ok_and(|address| address.matches(&outer) != Match::No))
        .map(|mailbox| Bound { address: Some(mailbox.to_owned()), reason: Reason::BindDnEmail, munged })
        .ok_or(Unbound::Differs(Reason::BindNone))
}

/// Is it the address of the list by which the mail says to have come? Lists take the place of the author in From, so that
/// DMARC does not refuse what they pass on; the display name then says for whom they write.
fn is_of_list(header: &Header, outer: &Address) -> bool {
    let Some(list) = list_id(header) else { return false };
    // RFC 2919 §3: a list is called by its address, with a dot for the `@`, or by a name below the domain of its owner.
    let is_named = list == format!("{}.{}", outer.local(), outer.domain()).to_ascii_lowercase();
    let posts = header.all("List-Post").any(|field| {
        let value = String::from_utf8_lossy(header.value(field)).to_ascii_lowercase();
        value.contains(&format!("<mailto:{outer}>").to_ascii_lowercase())
    });
    is_named || (posts && list.ends_with(&format!(".{}", outer.domain().to_ascii_lowercase())))
}

fn author(found: Result<&address::Mailbox, &NoAuthor>) -> Result<Address, Unbound> {
    let mailbox = found.map_err(|why| {
        Unbound::Ambiguous(match why {
            NoAuthor::Absent => Reason::BindNoFrom,
            NoAuthor::Duplicate => Reason::BindDupFrom,
            NoAuthor::Several => Reason::BindMultiFrom,
            NoAuthor::NoAddress => Reason::BindNoAddr,
            NoAuthor::Syntax => Reason::BindParse,
        })
    })?;
    Address::parse(&mailbox.address).map_err(|_| Unbound::Ambiguous(Reason::BindParse))
}

/// The certificate is not From's; is it that of the Sender field (which never takes From's place)?
fn sender_only(header: &Header, listed: &[&str]) -> Reason {
    let sender = header.all("Sender").next().and_then(|field| address::author_of(header.value(field)).ok());
    let sender = sender.and_then(|mailbox| Address::parse(&mailbox.address).ok());
    let fits = |sender: &Address| {
        listed.iter().any(|mailbox| Address::parse(mailbox).is_ok_and(|address| address.matches(sender) != Match::No))
    };
    if sender.is_some_and(|sender| fits(&sender)) { Reason::BindSenderOnly } else { Reason::BindNone }
}
