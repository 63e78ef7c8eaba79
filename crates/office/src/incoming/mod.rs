//! What becomes of a mail that came in by an inbound listener: opened for the members whom it is sealed to and who get it,
//! judged, and handed on with the answer in its header.
//!
//! A mail is never refused, held or lost by what it is: what cannot be opened, read or confirmed goes on as it came, with a
//! field that says so. Only what is sealed as a whole is opened, and what was inside takes the place of all that was around
//! it: plain text never stands beside parts of somebody else (EFAIL). Of the content's own header the fields about its body
//! are taken, and what it protects of the fields that readers see ([`Taken::Shown`]); signatures inside stay as they are.
//!
//! A member's key opens what is delivered to that member alone. Else whoever caught a mail to one could send it again to
//! another, or to himself, and have us open it. So a mail to several can leave as two copies.

mod keys;
mod readers;
pub mod returned;
mod subject;

use std::io;
use std::sync::Arc;

use kakitome_pki::asn1::time::Time;
use kakitome_smime::cms::recipient::{Keys, NoKeys};
use kakitome_smime::message::decrypt::{Taken, write_behind};
use kakitome_smime::message::open::{Form, Layer, Opened, Seal};
use kakitome_smime::mime::scan::Structure;
use kakitome_smime::octets::{Octets, Spools};
use kakitome_verdict::answer::Answer;
use kakitome_verdict::content::password;
use kakitome_verdict::sender::{Evidence, Judgement};
use kakitome_verdict::text::Lang;
use kakitome_verdict::wire::authentication_results;
use kakitome_verdict::wire::fields::{self as wire, Opening};

pub use self::keys::{MailKeys, MemberKeys};
use self::readers::Readers;
use crate::evidence;
use crate::evidence::outside::Outside;
use crate::fault::Fault;
use crate::fields;
use crate::remembered::{Half, Remembered};

/// The mail gives the password of a file that came in another mail from the same sender.
pub const PASSWORD_BESIDE: &str = "ppap.pair";
/// The mail gives the password of its own file.
pub const PASSWORD_INSIDE: &str = "ppap.same";

/// What is done with inbound mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The name that our results bear (RFC 8601 §2.5). Whatever a mail brings along under it is forged.
    pub authserv_id: String,
    /// The language of the one sentence for people.
    pub lang: Lang,
    /// What is opened.
    pub decrypt: Decrypt,
    /// Does the answer stand in front of the subject, too? A subject that is signed stays as it is.
    pub subject_tag: bool,
    /// Are signatures taken off that were confirmed?
    pub strip_signatures: bool,
}

/// What is opened of what is sealed to members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decrypt {
    /// Everything.
    #[default]
    Always,
    /// What nobody can have changed unseen: by its cipher, or because a signature inside was confirmed.
    Authenticated,
    /// Nothing.
    Never,
}

/// Who holds the private keys of members.
pub trait Holders {
    /// The keys of the member behind a recipient of the envelope, and nobody else's.
    ///
    /// # Errors
    /// The place where the keys are cannot be asked now.
    fn keys_of<'a>(&'a self, recipient: &str) -> io::Result<Box<dyn Keys + 'a>>;
}

/// Nobody holds anything.
#[derive(Clone, Copy, Debug)]
pub struct NoHolders;

impl Holders for NoHolders {
    fn keys_of<'a>(&'a self, _: &str) -> io::Result<Box<dyn Keys + 'a>> {
        Ok(Box::new(NoKeys))
    }
}

/// Takes mail in.
pub struct Incoming {
    terms: Terms,
    remembered: Option<Arc<Remembered>>,
}

/// A mail's envelope.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// The envelope's sender; empty is none.
    pub sender: &'a str,
    /// Its recipients.
    pub recipients: &'a [String],
    /// The moment.
    pub now: Time,
    /// Would a report of failure bring the sender the whole mail, because the next hop cannot be told to bring back the
    /// header alone (RET=HDRS, RFC 3461)? Then it stays closed.
    pub returns_whole: bool,
}

/// One copy of a mail that came in, as it goes on.
pub struct Arrival {
    /// The mail.
    pub mail: Arc<dyn Octets>,
    /// The places of those who get it among the recipients.
    pub recipients: Vec<usize>,
    /// Was it opened? Then a report about it must not bring back what was inside.
    pub opened: bool,
    /// Why it is still sealed, if it is, as a code.
    pub closed: Option<&'static str>,
    /// What was judged; `None` where nobody was asked ([`Incoming::unchecked`]).
    pub judgement: Option<Judgement>,
    /// Codes of what is told beside the reasons of the answer.
    pub codes: Vec<&'static str>,
    /// How many fields it brought along that forge ours.
    pub forged: u64,
}

/// What a mail is judged with.
pub struct Court<'a> {
    /// Who can open what is sealed.
    pub holders: &'a dyn Holders,
    /// Where what was inside is put.
    pub spools: &'a dyn Spools,
    /// Whom to believe.
    pub evidence: &'a Evidence,
    /// What is asked for outside, where that may be.
    pub outside: Option<&'a Outside>,
}

impl Incoming {
    /// By these terms; without a memory, a mail knows of no other.
    pub fn new(terms: Terms, remembered: Option<Arc<Remembered>>) -> Self {
        Self { terms, remembered }
    }

    /// Opens, judges and marks a mail to these recipients of the envelope. Everybody gets one copy.
    ///
    /// # Errors
    /// The environment's: the mail has to wait.
    pub fn receive(&self, mail: &dyn Octets, arriving: &Arriving<'_>, court: &Court<'_>) -> io::Result<Vec<Arrival>> {
        let everybody: Vec<usize> = (0..arriving.recipients.len()).collect();
        let readers = Readers::new(court.holders, arriving.recipients);
        let keys: &dyn Keys = if self.terms.decrypt == Decrypt::Never { &NoKeys } else { &readers };
        let (opened, judgement) = judged(mail, keys, court)?;
        let codes = self.codes(mail, &opened, &judgement.answer, arriving)?;
        let Some(plain) = innermost(&opened) else {
            let opening = closed_because(&opened);
            let told = Told { opened: &opened, judgement, opening, codes };
            return Ok(vec![self.marked(mail, everybody, told, court.spools)?]);
        };
        let stays_closed = match self.terms.decrypt {
            Decrypt::Authenticated if !plain.authenticated && judgement.confirmed.is_none() => {
                Some("enc.unauthenticated")
            }
            // Nothing is opened by it, so nothing was.
            Decrypt::Never => Some("enc.no-key"),
            // Nobody is told of a mail without a sender.
            _ if arriving.returns_whole && !arriving.sender.is_empty() => Some("enc.no-dsn"),
            Decrypt::Always | Decrypt::Authenticated => None,
        };
        let able = if stays_closed.is_none() { readers.able() } else { Vec::new() };
        let others: Vec<usize> = everybody.into_iter().filter(|place| !able.contains(place)).collect();
        let mut arrivals = Vec::new();
        if !able.is_empty() {
            let header = &opened.structure.root().header;
            if let Some(remembered) = &self.remembered {
                remembered.keep_opened(header, arriving.now).map_err(io::Error::other)?;
            }
            let mut spool = court.spools.spool()?;
            let taken = Taken::Shown { author: judgement.confirmed.is_some() };
            write_behind(header, taken, Some(payload(&opened)), &*plain.content, &mut spool)?;
            let whole = spool.finish()?;
            let opening = Some(Opening::Opened { authenticated: plain.authenticated });
            let told = Told { opened: &opened, judgement, opening, codes };
            arrivals.push(self.marked(&*whole, able, told, court.spools)?);
        }
        if !others.is_empty() {
            let opening = Some(Opening::Closed(stays_closed.unwrap_or("enc.other-reader")));
            let (opened, judgement) = judged(mail, &NoKeys, court)?;
            let told = Told { opened: &opened, judgement, opening, codes: Vec::new() };
            arrivals.push(self.marked(mail, others, told, court.spools)?);
        }
        Ok(arrivals)
    }

    /// Marks a mail that is handed on unread, because reading it fails again and again.
    ///
    /// # Errors
    /// The environment's.
    pub fn unchecked(&self, mail: &dyn Octets, recipients: &[String], spools: &dyn Spools) -> io::Result<Arrival> {
        let head = wire::unchecked(&self.terms.authserv_id, self.terms.lang);
        let (mail, forged) = self.stripped(mail, head.as_bytes(), spools)?;
        Ok(Arrival {
            mail,
            recipients: (0..recipients.len()).collect(),
            opened: false,
            closed: None,
            judgement: None,
            codes: Vec::new(),
            forged,
        })
    }

    /// What other mails tell of this one: whether it gives the password of a file that came before, or its own (a mail
    /// with a password travels the way of the file). No file is opened for it. A memory that fails holds no mail up.
    fn codes(
        &self,
        mail: &dyn Octets,
        opened: &Opened,
        answer: &Answer,
        arriving: &Arriving<'_>,
    ) -> io::Result<Vec<&'static str>> {
        let is_locked = answer.reasons.iter().any(|reason| reason.code().starts_with("ppap."));
        let hints = password::hints(mail, opened)?;
        let mut codes = Vec::new();
        if is_locked && hints.opens_itself() {
            codes.push(PASSWORD_INSIDE);
        }
        let Some(remembered) = self.remembered.as_ref().filter(|_| !arriving.sender.is_empty()) else {
            return Ok(codes);
        };
        let (header, Arriving { sender, recipients, now, .. }) = (&opened.structure.root().header, *arriving);
        let pairs = || {
            if is_locked {
                remembered.keep_half(Half::Locked, sender, recipients, header, now)?;
                return Ok(!remembered.halves(Half::Password, sender, recipients, header, now)?.is_empty());
            }
            if !hints.may_open_another() {
                return Ok(false);
            }
            let before = remembered.halves(Half::Locked, sender, recipients, header, now)?;
            let is_pair = before.iter().any(|alike| hints.opens(alike.same_subject, alike.is_answer));
            if !is_pair && hints.opens_itself() {
                remembered.keep_half(Half::Password, sender, recipients, header, now)?;
            }
            Ok(is_pair)
        };
        match pairs() {
            Ok(true) => codes.push(PASSWORD_BESIDE),
            Ok(false) => {}
            Err(fault) => {
                let fault: Fault = fault;
                tracing::warn!(%fault, "mails with a file and with its password cannot be compared now");
            }
        }
        Ok(codes)
    }

    /// What leaves: the mail without what forges us, behind our fields.
    fn marked(
        &self,
        mail: &dyn Octets,
        recipients: Vec<usize>,
        told: Told<'_>,
        spools: &dyn Spools,
    ) -> io::Result<Arrival> {
        let Told { opened, judgement, opening, codes } = told;
        let (answer, terms) = (&judgement.answer, &self.terms);
        let is_opened = matches!(opening, Some(Opening::Opened { .. }));
        let closed = match opening {
            Some(Opening::Closed(why)) => Some(why),
            _ => None,
        };
        let mut head = format!("Authentication-Results: {}\r\n", authentication_results(answer, &terms.authserv_id));
        head.push_str(&wire::fields(answer, opening.as_ref(), &codes, terms.lang));
        let mut changed: Vec<&str> = Vec::new();
        let mut now: Option<Box<dyn Octets>> = None;
        if terms.strip_signatures
            && judgement.confirmed.is_some()
            && let Some(bare) = unsigned(mail, opened, spools)?
        {
            changed.push("signature");
            now = Some(bare);
        }
        if terms.subject_tag
            && let Some(tagged) = subject::tagged(now.as_deref().unwrap_or(mail), answer, terms.lang, spools)?
        {
            changed.push("subject");
            now = Some(tagged);
        }
        if !changed.is_empty() {
            head.push_str(&format!("{}Changed: {}\r\n", wire::PREFIX, changed.join(", ")));
        }
        let (mail, forged) = self.stripped(now.as_deref().unwrap_or(mail), head.as_bytes(), spools)?;
        Ok(Arrival { mail, recipients, opened: is_opened, closed, judgement: Some(judgement), codes, forged })
    }

    fn stripped(&self, mail: &dyn Octets, head: &[u8], spools: &dyn Spools) -> io::Result<(Arc<dyn Octets>, u64)> {
        let mut spool = spools.spool()?;
        let forged = fields::strip(mail, Some(&self.terms.authserv_id), head, &mut spool)?;
        Ok((Arc::from(spool.finish()?), forged))
    }
}

/// What there is to tell of a copy.
struct Told<'a> {
    opened: &'a Opened,
    judgement: Judgement,
    opening: Option<Opening>,
    codes: Vec<&'static str>,
}

fn judged(mail: &dyn Octets, keys: &dyn Keys, court: &Court<'_>) -> io::Result<(Opened, Judgement)> {
    evidence::examined(mail, court.spools, keys, &NoKeys, court.evidence, court.outside)
}

/// Why a mail that is sealed as a whole stays closed, as a code.
fn closed_because(opened: &Opened) -> Option<Opening> {
    let mut next = Some(opened);
    while let Some(at) = next {
        if let Layer::Sealed(layer) = &at.layer {
            return Some(Opening::Closed(match &layer.seal {
                Seal::Closed => "enc.no-key",
                Seal::Refused(finding) | Seal::Failed(finding) => finding.code,
                // A CMS object that came without a mail, or a content that is none.
                Seal::Opened { .. } => "enc.no-mail",
            }));
        }
        next = at.inner();
    }
    None
}

/// What was inside all encrypted layers that could be opened.
struct Plain {
    content: Arc<dyn Octets>,
    /// Would a change of any of them have been seen?
    authenticated: bool,
}

/// What stands in the innermost encrypted layer that was opened. Signatures and compression around it go with it: none of
/// them says anything about what is inside (RFC 9787 §5.2). Compression right inside of it goes, too, which most programs
/// cannot read.
fn innermost(opened: &Opened) -> Option<Plain> {
    if opened.form != Form::Mail {
        return None;
    }
    let (mut found, mut authenticated, mut is_next) = (None, true, false);
    let mut at = opened;
    loop {
        let inner = match &at.layer {
            Layer::Sealed(layer) => {
                let Seal::Opened { authenticated: held, .. } = layer.seal else { break };
                authenticated &= held;
                is_next = true;
                layer.inner.as_deref()
            }
            Layer::Compressed(layer) => layer.inner.as_deref(),
            Layer::Signed(layer) => {
                is_next = false;
                layer.inner.as_deref()
            }
            _ => break,
        };
        let Some(inner) = inner else { break };
        // A content that is no mail has no place in one.
        if matches!(inner.layer, Layer::NotAMail(_)) {
            break;
        }
        if is_next {
            found.clone_from(&inner.octets);
        }
        at = inner;
    }
    found.map(|content| Plain { content, authenticated })
}

/// What stands inside all layers, as far as they were opened: it protects the header fields that it holds.
fn payload(opened: &Opened) -> &Structure {
    let mut at = opened;
    while let Some(inner) = at.inner() {
        at = inner;
    }
    &at.structure
}

/// A mail whose confirmed signature is taken off, if that can be: what was signed, behind the header of the mail.
fn unsigned(mail: &dyn Octets, opened: &Opened, spools: &dyn Spools) -> io::Result<Option<Box<dyn Octets>>> {
    let mut at = opened;
    let mut around: &dyn Octets = mail;
    loop {
        if let Some(octets) = at.octets.as_deref() {
            around = octets;
        }
        match &at.layer {
            Layer::Signed(layer) => {
                let mut content = spools.spool()?;
                layer.write_content(around, &at.structure, &mut content)?;
                let content = content.finish()?;
                let mut spool = spools.spool()?;
                let header = &opened.structure.root().header;
                write_behind(header, Taken::Shown { author: true }, Some(payload(opened)), &*content, &mut spool)?;
                return spool.finish().map(Some);
            }
            Layer::Sealed(layer) if layer.inner.is_some() => {}
            Layer::Compressed(layer) if layer.inner.is_some() => {}
            _ => return Ok(None),
        }
        let Some(inner) = at.inner() else { return Ok(None) };
        at = inner;
    }
}
