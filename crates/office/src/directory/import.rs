//! Certificates out of files: PEM, DER, PKCS#7, the serialized store of Windows, LDIF, vCard. What comes from a directory
//! over HTTP is read and judged alike.
//!
//! An import is an administrator's act, and a decision: what it brings is used, also where another certificate was before.
//! It is believed no more than anything else: without a path to an anchor it is kept and not used, unless it is pinned.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kakitome_pki::address::Address;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::asn1::{Malformed, ber, oid};
use kakitome_pki::cert::file::{self, Kind};
use kakitome_pki::cert::{Certificate, bundle, hex};
use kakitome_verdict::sender::Evidence;
use kakitome_verdict::sender::expected::Party;

use super::entry::{Entry, Place, Source, State};
use super::judge::{self, Believed, Unfit};
use super::rule::{ADDRESS_LIMIT, Full};
use super::{Directory, Done, ldif, short, table};
use crate::audit::{self, Act, Actor};
use crate::fault::Fault;
use crate::store::Statements;

/// Certificates that go in together, in one transaction.
pub const SLICE: usize = 256;
/// Addresses of one certificate that get an entry.
pub const MAILBOX_LIMIT: usize = 16;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The certificates that could be read.
    pub certificates: Vec<Certificate>,
    /// What could not: which, and why.
    pub unreadable: Vec<String>,
}

impl Contents {
    fn take(&mut self, what: impl std::fmt::Display, certificate: Result<Certificate, Malformed>) {
        match certificate {
            Ok(certificate) => self.certificates.push(certificate),
            Err(why) => self.unreadable.push(format!("{what}: {why}")),
        }
    }

    /// An object that holds certificates: PKCS#7, in DER or BER, or one certificate.
    fn object(&mut self, what: impl std::fmt::Display, octets: &[u8]) {
        if let Ok(bundle) = bundle::open(octets) {
            for (der, number) in bundle.certificates.into_iter().zip(1..) {
                self.take(format_args!("{what}, certificate {number}"), Certificate::parse(der));
            }
        } else if file::kind(octets) == Some(Kind::Bundle) {
            match ber::to_der(octets) {
                // Once: what is DER and still none is not tried again.
                Ok(der) if der != octets => self.object(what, &der),
                _ => self.unreadable.push(format!("{what}: the bundle cannot be read")),
            }
        } else {
            self.take(what, Certificate::parse(octets));
        }
    }
}

/// Reads a file, whatever of the forms it has.
pub fn read(bytes: &[u8]) -> Contents {
    let mut contents = Contents::default();
    if ldif::is_ldif(bytes) {
        for value in ldif::values(bytes) {
            // RFC 4523 §2.1, RFC 2798 §2.8. A userPKCS12 holds private keys and is none of our business.
            if matches!(&*value.name, "usercertificate" | "usersmimecertificate" | "cacertificate") {
                match value.octets {
                    Some(octets) => contents.object(format_args!("line {}", value.line), &octets),
                    None => contents.unreadable.push(format!("line {}: the value cannot be read", value.line)),
                }
            }
        }
        return contents;
    }
    if let Some(keys) = vcard_keys(bytes) {
        for (key, number) in keys.iter().zip(1..) {
            contents.object(format_args!("key {number}"), key);
        }
        return contents;
    }
    let found = file::look(bytes);
    for ((kind, block), number) in found.objects.iter().zip(1..) {
        match kind {
            Kind::Certificate => {
                contents.take(format_args!("object {number}"), Certificate::parse(block.certificate()))
            }
            Kind::Bundle | Kind::Store => contents.object(format_args!("object {number}"), &block.der),
            other => contents.unreadable.push(format!("object {number}: a {}, not a certificate", other.name())),
        }
    }
    contents
}

/// The values of KEY in a vCard (RFC 6350 §6.8.1, RFC 2426 §3.7.2); `None` where the file is none.
fn vcard_keys(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.get(..11).is_some_and(|begin| begin.eq_ignore_ascii_case("BEGIN:VCARD")) {
        return None;
    }
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let keys = unfolded.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.split(';').next()?.rsplit('.').next()?;
        if !name.eq_ignore_ascii_case("KEY") {
            return None;
        }
        let encoded = value.split_once(";base64,").map_or(value, |(_, encoded)| encoded);
        STANDARD.decode(encoded.trim()).ok()
    });
    Some(keys.collect())
}

/// What became of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was put in, or is there, at these places; whether it is used, or why not.
    Taken {
        /// Where, and whether it is new there.
        places: Vec<(Place, Done)>,
        /// Why it is not used as it stands.
        unused: Option<Unfit>,
    },
    /// It is a CA's; kept to find paths.
    Issuer,
    /// It names no address.
    NoAddress,
    /// It cannot be encrypted to, so that nobody keeps it.
    Unfit(Unfit),
    /// Somebody blocked it at this place.
    Blocked(Place),
    /// There is no room.
    Full(Full),
}

/// An import under way.
pub struct Import<'a> {
    directory: &'a Directory,
    evidence: Evidence,
    source: Source,
    whose: Option<Place>,
    pinned: bool,
    actor: &'a Actor,
    now: Time,
}

impl Directory {
    /// Begins an import. `whose` says whose the certificates are, whatever they say themselves; that, and a whole domain in
    /// particular, is a pin.
    ///
    /// # Errors
    /// The store fails, or a file of anchors cannot be read.
    pub fn import<'a>(
        &'a self,
        whose: Option<&Party>,
        pinned: bool,
        actor: &'a Actor,
        now: Time,
    ) -> Result<Import<'a>, Fault> {
        Ok(Import {
            directory: self,
            evidence: self.evidence(now)?,
            source: Source::Imported,
            whose: whose.and_then(Place::of_party),
            pinned: pinned || whose.is_some(),
            actor,
            now,
        })
    }
}

impl Import<'_> {
    /// Puts certificates in, in slices of [`SLICE`]; each has its outcome. CAs go in first, so that those below find their
    /// paths.
    ///
    /// # Errors
    /// The store fails: the slices before are in.
    pub fn take(&self, certificates: &[Certificate]) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes = Vec::with_capacity(certificates.len());
        for slice in certificates.chunks(SLICE) {
            let authorities: Vec<&Certificate> = slice.iter().filter(|one| is_authority(one)).collect();
            if !authorities.is_empty() {
                self.directory
                    .store
                    .write(|s| authorities.iter().try_for_each(|one| table::keep_issuer(s, one, self.now)))?;
            }
            let judged = slice.iter().map(|one| self.judged(one)).collect::<Result<Vec<_>, _>>()?;
            outcomes.extend(self.directory.store.write(|s| self.put(s, slice, &judged))?);
        }
        Ok(outcomes)
    }

    /// What is told of one before anything is written.
    fn judged(&self, certificate: &Certificate) -> Result<Judged, Fault> {
        if is_authority(certificate) {
            return Ok(Err(Outcome::Issuer));
        }
        if let Err(why) = judge::itself(certificate, self.now) {
            return Ok(Err(Outcome::Unfit(why)));
        }
        let places = match &self.whose {
            Some(place) => vec![place.clone()],
            None => mailboxes(certificate),
        };
        if places.is_empty() {
            return Ok(Err(Outcome::NoAddress));
        }
        let fitness = self.directory.judge(certificate, &[], self.pinned, &self.evidence)?;
        Ok(Ok(match fitness {
            Ok(fitness) => match fitness.believed {
                Believed::Path(path) => Belief {
                    places,
                    anchor: hex(path.anchor().certificate.fingerprint()),
                    class: judge::class(&path),
                    unused: None,
                },
                Believed::Pin => Belief { places, anchor: String::new(), class: "", unused: None },
            },
            Err(why) => Belief { places, anchor: String::new(), class: "", unused: Some(why) },
        }))
    }

    fn put(&self, s: &mut Statements<'_>, slice: &[Certificate], judged: &[Judged]) -> Result<Vec<Outcome>, Fault> {
        let mut outcomes = Vec::with_capacity(slice.len());
        let mut added = Vec::new();
        for (certificate, judged) in slice.iter().zip(judged) {
            let belief = match judged {
                Ok(belief) => belief,
                Err(outcome) => {
                    outcomes.push(outcome.clone());
                    continue;
                }
            };
            let mut outcome = Outcome::Taken { places: Vec::new(), unused: belief.unused.clone() };
            for place in &belief.places {
                match self.put_at(s, certificate, belief, place)? {
                    Ok(done) => {
                        if done == Done::Changed {
                            added.push((place.to_string(), certificate.fingerprint_hex()));
                        }
                        if let Outcome::Taken { places, .. } = &mut outcome {
                            places.push((place.clone(), done));
                        }
                    }
                    Err(other) => outcome = other,
                }
            }
            outcomes.push(outcome);
        }
        let state = if self.pinned { "pinned" } else { "active" };
        let details: Vec<[(&str, &str); 3]> = added
            .iter()
            .map(|(_, fingerprint)| {
                [("certificate", fingerprint.as_str()), ("source", self.source.name()), ("state", state)]
            })
            .collect();
        let entries = added.iter().zip(&details).map(|((subject, _), details)| audit::Entry {
            actor: self.actor,
            act: Act::DirectoryAdded,
            subject,
            details,
            at: self.now,
        });
        if !added.is_empty() {
            audit::record_all(s, entries)?;
        }
        Ok(outcomes)
    }

    fn put_at(
        &self,
        s: &mut Statements<'_>,
        certificate: &Certificate,
        belief: &Belief,
        place: &Place,
    ) -> Result<Result<Done, Outcome>, Fault> {
        let fingerprint = certificate.fingerprint_hex();
        let mut known = table::at(s, place)?;
        known.retain(|entry| entry.place == *place);
        let before = known.iter().find(|entry| entry.fingerprint() == fingerprint);
        let mut entry = match before {
            Some(before) if before.state == State::Blocked => return Ok(Err(Outcome::Blocked(place.clone()))),
            Some(before) if before.state == State::Active && (before.pinned || !self.pinned) => {
                return Ok(Ok(Done::Already));
            }
            Some(before) => before.clone(),
            None if known.len() >= ADDRESS_LIMIT => return Ok(Err(Outcome::Full(Full::Address))),
            None => Entry::new(place.clone(), certificate.clone(), self.source, self.now),
        };
        (entry.state, entry.last_seen) = (State::Active, self.now);
        entry.pinned |= self.pinned;
        (entry.anchor, entry.class) = (belief.anchor.clone(), belief.class.to_owned());
        entry.note = format!("{} on {}", if self.pinned { "imported and pinned" } else { "imported" }, self.now);
        if let Err(full) = table::put(s, &entry)? {
            return Ok(Err(Outcome::Full(full)));
        }
        // Somebody who pins says that this is the one: none beside it is pinned.
        for mut other in
            known.into_iter().filter(|other| self.pinned && other.pinned && other.fingerprint() != fingerprint)
        {
            (other.state, other.pinned) = (State::Retired, false);
            other.note = format!("{} was pinned in its place on {}", short(&fingerprint), self.now);
            let _ = table::put(s, &other)?;
        }
        Ok(Ok(Done::Changed))
    }
}

type Judged = Result<Belief, Outcome>;

/// What was found about a certificate that may go in.
struct Belief {
    places: Vec<Place>,
    anchor: String,
    class: &'static str,
    unused: Option<Unfit>,
}

fn is_authority(certificate: &Certificate) -> bool {
    certificate.extensions().basic_constraints.is_some_and(|basic| basic.ca)
}

/// Whose a certificate says it is: by its alternative names; the old attribute of the subject counts only where there is
/// none (RFC 8550 §3).
pub(super) fn mailboxes(certificate: &Certificate) -> Vec<Place> {
    let listed: Vec<&str> = certificate.extensions().mailboxes().collect();
    let named: Vec<&str> =
        if listed.is_empty() { certificate.subject().all(oid::EMAIL_ADDRESS).collect() } else { listed };
    let mut places: Vec<Place> = Vec::new();
    for mailbox in named {
        let place = Address::parse(mailbox).ok().as_ref().and_then(Place::of);
        if let Some(place) = place.filter(|place| !places.contains(place))
            && places.len() < MAILBOX_LIMIT
        {
            places.push(place);
        }
    }
    places
}
