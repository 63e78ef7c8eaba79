//! What a confirmed mail says of how to encrypt to its sender: the certificate, and what his program reads.
//!
//! An [`Introduction`] has one door, [`ConfirmedSender::introduction`], so whoever holds one knows that signature, path,
//! revocation and the binding to From were found good. What came by a mailing list or was sent on is none, nor is what
//! stands in an attached mail: those answers hand out no confirmed sender.

use std::fmt;

use kakitome_pki::address::{Address, Match};
use kakitome_pki::algorithm::KeyTransport;
use kakitome_pki::asn1::oid;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::Certificate;
use kakitome_pki::path::ValidPath;
use kakitome_smime::cms::attribute::Value;
use kakitome_smime::cms::capability::{Capabilities, EncryptionKeyPreference};
use kakitome_smime::cms::recipient::{Naming, Recipient, Unaddressable};
use kakitome_smime::cms::verify::VerifiedSignature;
use kakitome_smime::mime::header::Header;

use super::binding::Bound;
use super::{Evidence, Signer};

/// Fields that lists and programs that send a mail on put into it (RFC 2369, RFC 2919, RFC 5322 §3.6.6). The signature may
/// hold all the same; but the mail was not sent to us, and its age is anybody's choice.
const SENT_ON: [&str; 5] = ["List-Id", "List-Post", "Resent-From", "Resent-Sender", "Resent-Date"];

/// How to encrypt to a confirmed sender, as he says himself.
#[derive(Clone, Debug)]
pub struct Introduction<'a> {
    address: Address,
    certificate: Certificate,
    is_named: bool,
    capabilities: Option<Capabilities>,
    signed_at: Time,
    brought: &'a [Certificate],
    path: &'a ValidPath,
}

impl Introduction<'_> {
    /// Whose certificate it is: the address in From, as the certificate writes it.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The certificate to encrypt to. It is for the address and fit by itself; where it is not the signer's own, nobody has
    /// looked for its path yet.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Was it named by the signer (RFC 8551 §2.5.3)? Else it is the one that he signed with.
    pub const fn is_named(&self) -> bool {
        self.is_named
    }

    /// The algorithms that he says he can read, signed by him.
    pub const fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// When he signed, by his own word; not later than the moment of the judgement.
    pub const fn signed_at(&self) -> Time {
        self.signed_at
    }

    /// The certificates that came along; they may help to find a path, and are believed for nothing.
    pub const fn brought(&self) -> &[Certificate] {
        self.brought
    }

    /// The path of the signer's certificate.
    pub const fn path(&self) -> &ValidPath {
        self.path
    }
}

/// Why a confirmed mail introduces nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotIntroduced {
    /// The question was another than whose mail it is by its From.
    NotFrom,
    /// It came by a mailing list, or was sent on by somebody else.
    SentOn,
    /// It does not say when it was signed, so nobody knows what is newer (RFC 8551 §2.7.1).
    NoSigningTime,
    /// The signing time lies behind the moment of the judgement.
    Future(Time),
    /// Its certificate names the address in From in no alternative name.
    OtherAddress,
    /// The signer names a certificate to encrypt to that did not come along.
    NotBrought,
    /// It signs alone, and the signer names no other; or the one that he names is not fit.
    Unfit(Unaddressable),
}

impl fmt::Display for NotIntroduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFrom => f.write_str("it was not asked whether the author in From signed it"),
            Self::SentOn => f.write_str("it came by a mailing list, or was sent on"),
            Self::NoSigningTime => f.write_str("it does not say when it was signed"),
            Self::Future(time) => write!(f, "it says that it is signed at {time}, which is still to come"),
            Self::OtherAddress => f.write_str("the certificate to encrypt to is not for the address in From"),
            Self::NotBrought => f.write_str("the certificate that the signer names to encrypt to did not come along"),
            Self::Unfit(why) => write!(f, "the certificate cannot be encrypted to: {why}"),
        }
    }
}

/// What is kept of a confirmed mail for that.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    certificates: Vec<Certificate>,
    is_by_from: bool,
    is_sent_on: bool,
    at: Time,
}

impl Brought {
    pub(super) fn new(certificates: &[Certificate], header: &Header, bound: &Bound, evidence: &Evidence) -> Self {
        let is_sent_on = bound.is_munged() || SENT_ON.iter().any(|name| header.all(name).next().is_some());
        let is_by_from = evidence.signer == Signer::From;
        Self { certificates: certificates.to_vec(), is_by_from, is_sent_on, at: evidence.at }
    }

    pub(super) fn introduction<'a>(
        &'a self,
        address: Option<&str>,
        signature: &VerifiedSignature,
        path: &'a ValidPath,
    ) -> Result<Introduction<'a>, NotIntroduced> {
        if !self.is_by_from {
            return Err(NotIntroduced::NotFrom);
        } else if self.is_sent_on {
            return Err(NotIntroduced::SentOn);
        }
        let signed_at = signature.signing_time().ok_or(NotIntroduced::NoSigningTime)?;
        // The judge lets a signer's clock be some minutes ahead; here a later time would outlive honest ones.
        if signed_at > self.at {
            return Err(NotIntroduced::Future(signed_at));
        }
        let address = address.and_then(|address| Address::parse(address).ok()).ok_or(NotIntroduced::OtherAddress)?;
        let named = match signature.attribute(oid::ENCRYPTION_KEY_PREFERENCE) {
            Some(Value::EncryptionKeyPreference(named)) => Some(named),
            _ => None,
        };
        let certificate = match &named {
            Some(named) => self.named(named, signature.signer(), &address)?,
            None => signature.signer(),
        };
        if !is_for(certificate, &address) {
            return Err(NotIntroduced::OtherAddress);
        }
        Recipient::certificate(certificate, KeyTransport::Pkcs1, Naming::IssuerAndSerial, self.at)
            .map_err(NotIntroduced::Unfit)?;
        let capabilities = match signature.attribute(oid::SMIME_CAPABILITIES) {
            Some(Value::Capabilities(said)) => Some(said),
            _ => None,
        };
        Ok(Introduction {
            address,
            certificate: certificate.clone(),
            is_named: named.is_some(),
            capabilities,
            signed_at,
            brought: &self.certificates,
            path,
        })
    }

    /// The certificate that a preference names. A key identifier can be written into any certificate, so of several the one
    /// for the address counts.
    fn named<'a>(
        &'a self,
        named: &EncryptionKeyPreference,
        signer: &'a Certificate,
        address: &Address,
    ) -> Result<&'a Certificate, NotIntroduced> {
        let all = || std::iter::once(signer).chain(&self.certificates).filter(|one| named.names(one));
        all().find(|one| is_for(one, address)).or_else(|| all().next()).ok_or(NotIntroduced::NotBrought)
    }
}

/// Is the address among its alternative names? The old attribute of the subject does not count here.
fn is_for(certificate: &Certificate, address: &Address) -> bool {
    let mut mailboxes = certificate.extensions().mailboxes();
    mailboxes.any(|mailbox| Address::parse(mailbox).is_ok_and(|one| one.matches(address) != Match::No))
}
