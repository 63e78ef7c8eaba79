//! What a judgement lacked, and where the certificates say that it can be had.
//!
//! Nothing is fetched here: whoever may does so, and asks again with what he got. The places are those that certificates
//! of a valid path name, or signers of answers under the same anchor: an issuer who is believed put them there, never a
//! mail alone. An [`Offer`] is made in this module, so whoever holds one knows that.

use crate::cert::Certificate;
use crate::cert::point::DistributionPoint;

/// Certificates about which answers are wanted, at most.
pub const WANTED_LIMIT: usize = 16;
/// Places that one certificate names and that are looked at, at most.
pub const OFFER_LIMIT: usize = 16;
/// URLs of one place, at most.
pub const URL_COUNT_LIMIT: usize = 8;

/// A certificate about which too little is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    which: Certificate,
    issuer: Certificate,
    offers: Vec<Offer>,
}

/// What can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offered {
    /// A revocation list.
    List,
    /// A list of what changed since another.
    DeltaList,
    /// An OCSP response.
    Response,
}

/// One answer that can be had at any of some URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    what: Offered,
    urls: Vec<String>,
}

impl Wanted {
    /// The certificate.
    pub fn which(&self) -> &Certificate {
        &self.which
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// Where answers can be had: lists first, since they tell nobody whose mail is read, then what changes them, then
    /// responders.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// All that a certificate names. `None` if that is nothing.
    pub(super) fn all(which: &Certificate, issuer: &Certificate, deltas: Vec<Offer>) -> Option<Self> {
        let extensions = which.extensions();
        let mut offers = points(Offered::List, &extensions.crl_points);
        offers.extend(deltas);
        // Each responder answers alone.
        let responder = |url: &String| Offer { what: Offered::Response, urls: vec![url.clone()] };
        offers.extend(extensions.ocsp_urls.iter().map(responder));
        Self::of(which, issuer, offers)
    }

    /// These places alone. `None` if there is none.
    pub(super) fn of(which: &Certificate, issuer: &Certificate, mut offers: Vec<Offer>) -> Option<Self> {
        offers.truncate(OFFER_LIMIT);
        (!offers.is_empty()).then(|| Self { which: which.clone(), issuer: issuer.clone(), offers })
    }
}

impl Offer {
    /// What it is.
    pub fn what(&self) -> Offered {
        self.what
    }

    /// Where: any of them has it. As they stand in the certificate.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }
}

/// The places of an extension that have a URL.
pub(super) fn points(what: Offered, points: &[DistributionPoint]) -> Vec<Offer> {
    let offer = |point: &DistributionPoint| Offer {
        what,
        urls: point.urls().take(URL_COUNT_LIMIT).map(str::to_owned).collect(),
    };
    points.iter().map(offer).filter(|offer| !offer.urls.is_empty()).take(OFFER_LIMIT).collect()
}
