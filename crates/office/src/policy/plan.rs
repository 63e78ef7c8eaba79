//! What becomes of one mail, decided before anything is signed or encrypted: which copies of it leave, to whom each, in
//! which form, and for whom nothing leaves.

use std::io;

use kakitome_pki::address::{Address, Match};
use kakitome_pki::algorithm::{Cipher, Digest};
use kakitome_smime::message::encrypt::{self, is_encrypted, is_sealed};
use kakitome_smime::message::payload::Unsignable;
use kakitome_smime::message::protect::{self, Cover};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::address::{self, NoAuthor, mailboxes};
use kakitome_smime::mime::header::Header;
use kakitome_smime::mime::scan::{Entity, scan_header};
use kakitome_smime::octets::{Octets, Spools};

pub use super::passed::Passed;
use super::sealing::{Encrypting, Found, Reader, RsaUse, Unsealable, sealed_size};
use super::{Authorised, DigestName, Intent, Origin, Policy, Said, Signing, Source, Treatment, Untouched, Wish};

/// How a mail was handed in, beside its octets.
#[derive(Clone, Debug, Default)]
pub struct Submission<'a> {
    /// Is the envelope's sender the null one?
    pub has_null_sender: bool,
    /// The paths of the recipients.
    pub recipients: &'a [String],
    /// Listener and client.
    pub origin: Origin,
    /// What its author asked for ([`Policy::wish`]); the octets come without that.
    pub wish: Wish,
    /// It answers, or is, a mail that came sealed and was opened here: it is encrypted wherever that can be.
    pub quotes_opened: bool,
    /// By which the log knows the mail: the queue id of its server, else a name of ours; empty where it has none.
    pub mail_id: &'a str,
}

/// What was decided about a mail, and on what.
pub struct Plan<'a> {
    /// The author, once From names one.
    pub author: Option<Address>,
    /// Who handed it in, with what the submission server wrote.
    pub origin: Origin,
    /// Why he may sign, once that was asked.
    pub authorised: Option<Authorised>,
    /// What its author asked for.
    pub wish: Wish,
    /// Why nothing of it can be signed, if that is so.
    pub unsigned: Option<Passed>,
    /// What holds for each recipient, in order.
    pub each: Vec<Each>,
    /// What will be signed, as the copies need it; mostly one.
    pub signings: Vec<Ready<'a>>,
    /// What leaves.
    pub copies: Vec<Planned>,
    /// For whom nothing leaves, and why.
    pub withheld: Vec<Withheld>,
    /// By which the log knows the mail.
    pub mail_id: String,
}

/// What holds for one recipient.
#[derive(Clone, Debug)]
pub struct Each {
    /// His path in the envelope.
    pub to: String,
    /// By rules, rows and defaults.
    pub treatment: Treatment,
    /// How strictly his copy is encrypted, all things considered.
    pub encrypt: Said<Encrypting>,
    /// Do To and Cc show him to everybody? Whom they do not gets a copy of his own where it is encrypted, since every
    /// reader of an encrypted copy sees for whom else it is (RFC 9787 §9.4).
    pub is_disclosed: bool,
    /// Is he a member whom no rule wants encrypted to? His copy does not leave the house.
    pub is_at_home: bool,
    /// What is known of his certificates, where it was asked.
    pub found: Option<Found>,
    /// Why nothing can be encrypted to him, where it was asked.
    pub unsealable: Option<Unsealable>,
}

/// A mail that is to be signed.
pub struct Ready<'a> {
    /// In whose name.
    pub author: Address,
    /// What is signed.
    pub draft: Draft<'a>,
    /// In which form.
    pub form: Form,
    /// With which digest, if one is wished.
    pub digest: Option<DigestName>,
    /// How RSA is used.
    pub rsa: RsaUse,
    cover: Cover,
}

impl<'a> Ready<'a> {
    /// A mail of our own.
    pub fn plain(author: Address, draft: Draft<'a>, form: Form) -> Self {
        Self { author, draft, form, digest: None, rsa: RsaUse::default(), cover: Cover::Clear }
    }
}

/// A copy that will leave.
pub struct Planned {
    /// The places of its recipients.
    pub recipients: Vec<usize>,
    /// What holds for all of them.
    pub treatment: Treatment,
    /// The place of what is signed in [`Plan::signings`], or why it is not.
    pub signing: Result<usize, Passed>,
    /// To whom it is encrypted, if it is.
    pub sealing: Option<Sealing>,
}

/// The encryption of a copy.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// With this cipher.
    pub cipher: Cipher,
    /// To these; a recipient for each, and the author if the policy wants it.
    pub readers: Vec<Reader>,
}

/// Recipients for whom nothing leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Their places.
    pub recipients: Vec<usize>,
    /// Does the mail wait for better times? Else it is refused.
    pub is_held: bool,
    /// Why.
    pub why: Withholding,
}

/// Why nothing leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withholding {
    /// It must be encrypted, and cannot be to these recipients, by their places.
    Unsealable(Vec<(usize, Unsealable)>),
    /// It must be encrypted, and this mail cannot be.
    Unsignable(Unsignable),
    /// Its author asked for something that is not known.
    Intent(String),
}

impl Plan<'_> {
    /// Does somebody get in clear what another one gets encrypted?
    pub fn is_mixed(&self) -> bool {
        let is_clear = |copy: &Planned| {
            copy.sealing.is_none()
                && copy.recipients.iter().any(|place| self.each.get(*place).is_some_and(|each| !each.is_at_home))
        };
        self.copies.iter().any(|copy| copy.sealing.is_some()) && self.copies.iter().any(is_clear)
    }
}

impl Policy {
    /// Decides about a mail that came in by an outbound listener. `find` is asked for certificates, for each recipient who
    /// might be encrypted to.
    ///
    /// # Errors
    /// The environment's.
    pub fn plan<'a, E: From<io::Error>>(
        &self,
        mail: &'a dyn Octets,
        submission: &Submission<'_>,
        spools: &dyn Spools,
        find: &mut dyn FnMut(&Address) -> Result<Found, E>,
    ) -> Result<Plan<'a>, E> {
        let root = scan_header(mail, 0..mail.len())?;
        let mut plan = Plan {
            author: None,
            origin: submission.origin.clone().told_by(&root.header, self.submission_host.as_deref()),
            authorised: None,
            wish: submission.wish.clone(),
            unsigned: None,
            each: Vec::new(),
            signings: Vec::new(),
            copies: Vec::new(),
            withheld: Vec::new(),
            mail_id: submission.mail_id.to_owned(),
        };
        let author = self.author(&root, submission, &mut plan);
        // A mail to nobody is never met; `explain` may ask all the same.
        let nobody = [String::new()];
        let paths = if submission.recipients.is_empty() { &nobody } else { submission.recipients };
        let disclosed = disclosed(&root.header);
        plan.each = paths.iter().map(|to| self.recipient(plan.author.as_ref(), to, &disclosed, &plan.wish)).collect();
        if submission.quotes_opened {
            let least = Said { value: Encrypting::WhenPossible, by: Source::Opened };
            plan.each.iter_mut().filter(|each| !each.is_at_home).for_each(|each| raise(&mut each.encrypt, least));
        }
        if let Wish::Unreadable(value) = &plan.wish {
            let (recipients, why) = ((0..paths.len()).collect(), Withholding::Intent(value.clone()));
            plan.withheld.push(Withheld { recipients, is_held: false, why });
            return Ok(plan);
        }
        let author = match author {
            Ok(author) => self.first_draft(mail, &root, author, &mut plan)?,
            Err(passed) => {
                plan.unsigned = Some(passed);
                None
            }
        };
        let sealed = self.seal(mail, &root, spools, find, &mut plan)?;
        let is_whole = plan.withheld.iter().any(|withheld| withheld.recipients.len() == plan.each.len());
        if !is_whole {
            self.share_out(mail, author, &sealed, find, &mut plan)?;
        }
        if submission.recipients.is_empty() {
            plan.each.clear();
            plan.copies.iter_mut().for_each(|copy| copy.recipients.clear());
        }
        Ok(plan)
    }

    /// Who signs, by header and envelope.
    fn author(&self, root: &Entity, submission: &Submission<'_>, plan: &mut Plan<'_>) -> Result<Address, Passed> {
        let author = address::author(&root.header).map_err(Passed::NoAuthor).map(|mailbox| mailbox.address);
        let from = author.and_then(|author| {
            Address::parse(&author).map_err(|_| Passed::NoAuthor(NoAuthor::Syntax)).map(|from| (author, from))
        });
        plan.author = from.as_ref().ok().map(|(_, from)| from.clone());
        if submission.has_null_sender {
            return Err(Passed::NullSender);
        }
        let (author, from) = from?;
        if !author.is_ascii() {
            return Err(Passed::Internationalised);
        }
        if !self.is_member(&from) {
            return Err(Passed::NotMember);
        }
        plan.authorised = Some(self.authorise(&plan.origin, &from).map_err(Passed::NotAuthorised)?);
        match Untouched::by_header(root).filter(|kind| !self.also_sign.contains(kind)) {
            Some(kind) => Err(Passed::Untouched(kind)),
            None => Ok(from),
        }
    }

    /// What holds for a recipient. What his copy's author asks for counts where it is more than the policy, and where he
    /// may ask for less.
    fn recipient(&self, from: Option<&Address>, to: &str, disclosed: &[Address], wish: &Wish) -> Each {
        let mut treatment = self.treatment(from, to);
        let mut encrypt = treatment.encrypt;
        let may_lower = treatment.sender_may_lower.value;
        match wish.intent() {
            Some(Said { value: Intent::Confidential, by }) => {
                raise(&mut encrypt, Said { value: self.confidential, by });
                raise_signing(&mut treatment, by);
            }
            Some(Said { value: Intent::Verified, by }) => {
                raise_signing(&mut treatment, by);
                if may_lower {
                    encrypt = Said { value: Encrypting::Never, by };
                }
            }
            Some(Said { value: Intent::Unprotected, by }) if may_lower => {
                encrypt = Said { value: Encrypting::Never, by };
                treatment.sign = Said { value: Signing::Never, by };
            }
            Some(Said { value: Intent::Unprotected, .. }) | None => {}
        }
        let address = Address::parse(to).ok();
        let is_disclosed = address.is_some_and(|to| disclosed.iter().any(|shown| shown.matches(&to) != Match::No));
        let is_at_home = treatment.encrypt.by == Source::Home;
        if is_at_home {
            encrypt = treatment.encrypt;
        }
        Each { to: to.to_owned(), treatment, encrypt, is_disclosed, is_at_home, found: None, unsealable: None }
    }

    /// Reads the body as the first recipient's copy needs it: then it is known whether the mail can be signed at all.
    fn first_draft<'a>(
        &self,
        mail: &'a dyn Octets,
        root: &Entity,
        author: Address,
        plan: &mut Plan<'a>,
    ) -> io::Result<Option<Address>> {
        let signed = plan.each.iter().find(|each| each.treatment.sign.value != Signing::Never);
        let Some(treatment) = signed.map(|each| each.treatment) else {
            plan.unsigned = plan.each.first().map(|each| Passed::Unwanted(each.treatment.sign.by));
            return Ok(None);
        };
        let draft = self.draft(mail, author.clone(), &treatment, false)?;
        match draft {
            Ok(ready) => match Untouched::by_parts(ready.draft.structure()) {
                Some(kind) if !self.also_sign.contains(&kind) => plan.unsigned = Some(Passed::Untouched(kind)),
                _ => plan.signings.push(ready),
            },
            Err(why) => plan.unsigned = Some(Passed::Unsignable(why)),
        }
        let is_signed = plan.unsigned == Some(Passed::Unsignable(Unsignable::AlreadyProtected)) && !is_encrypted(root);
        Ok((plan.unsigned.is_none() || is_signed).then_some(author))
    }

    fn draft<'a>(
        &self,
        mail: &'a dyn Octets,
        author: Address,
        treatment: &Treatment,
        is_sealed: bool,
    ) -> io::Result<Result<Ready<'a>, Unsignable>> {
        let cover = cover(treatment, is_sealed);
        let digest = treatment.digest.value;
        let draft = Draft::expecting(mail, cover.clone(), digest.map_or(Digest::Sha256, DigestName::digest))?;
        let form = if treatment.sign.value == Signing::Opaque { Form::Opaque } else { Form::Clear };
        Ok(draft.map(|draft| Ready { author, draft, form, digest, rsa: treatment.rsa.value, cover }))
    }

    /// Who gets the mail encrypted, by place; whom it is withheld from stands in the plan.
    fn seal<E: From<io::Error>>(
        &self,
        mail: &dyn Octets,
        root: &Entity,
        spools: &dyn Spools,
        find: &mut dyn FnMut(&Address) -> Result<Found, E>,
        plan: &mut Plan<'_>,
    ) -> Result<Vec<bool>, E> {
        let none = vec![false; plan.each.len()];
        let strictest = plan.each.iter().map(|each| each.encrypt).max_by_key(|said| said.value);
        let Some(strictest) = strictest.filter(|said| said.value > Encrypting::Never) else { return Ok(none) };
        let is_mandatory = strictest.value.is_mandatory();
        // Encryption alone tells nobody who wrote a mail (RFC 9787 §5.3): where nothing must be encrypted, only what is
        // signed is.
        let is_signed = match &plan.unsigned {
            None => true,
            Some(Passed::Unsignable(Unsignable::AlreadyProtected)) => !is_encrypted(root),
            Some(_) => false,
        };
        if !is_mandatory && !is_signed {
            return Ok(none);
        }
        if is_encrypted(root) && is_sealed(mail, spools)? {
            return Ok(none);
        }
        if plan.unsigned.is_some()
            && let Err(why) = encrypt::Draft::new(mail, protect::Cipher::default())?
        {
            if is_mandatory {
                let recipients = (0..plan.each.len()).collect();
                plan.withheld.push(Withheld { recipients, is_held: false, why: Withholding::Unsignable(why) });
            }
            return Ok(none);
        }
        if is_mandatory && !self.mixed {
            // What must not be read on one recipient's way must not be read on another's.
            for each in plan.each.iter_mut().filter(|each| !each.is_at_home) {
                raise(&mut each.encrypt, Said { value: strictest.value, by: Source::Together });
            }
        }
        let shown = plan.each.iter().filter(|each| each.is_disclosed && each.encrypt.value > Encrypting::Never).count();
        for each in plan.each.iter_mut().filter(|each| each.encrypt.value > Encrypting::Never) {
            let readers = if each.is_disclosed { shown } else { 1 };
            look_up(each, mail.len(), readers.saturating_add(usize::from(self.seal_to_author)), self, find)?;
        }
        // Not to know is not to know of none: the mail does not leave in clear for want of an answer.
        let unavailable: Vec<(usize, Unsealable)> = (0..)
            .zip(&plan.each)
            .filter_map(|(place, each)| Some((place, each.unsealable.filter(|why| *why == Unsealable::Unavailable)?)))
            .collect();
        if !unavailable.is_empty() {
            let recipients = (0..plan.each.len()).collect();
            plan.withheld.push(Withheld { recipients, is_held: true, why: Withholding::Unsealable(unavailable) });
            return Ok(none);
        }
        let can_be = |each: &Each| {
            each.encrypt.value > Encrypting::Never
                && each.unsealable.is_none()
                && (each.encrypt.value.is_mandatory() || (is_signed && each.treatment.sign.value != Signing::Never))
        };
        let missing: Vec<(usize, Unsealable)> = (0..)
            .zip(&plan.each)
            .filter(|(_, each)| each.encrypt.value.is_mandatory())
            .filter_map(|(place, each)| Some((place, each.unsealable?)))
            .collect();
        if !missing.is_empty() && !self.mixed {
            let recipients = (0..plan.each.len()).collect();
            let is_held = strictest.value == Encrypting::AlwaysOrHold && missing.iter().all(|(_, why)| why.may_pass());
            plan.withheld.push(Withheld { recipients, is_held, why: Withholding::Unsealable(missing) });
            return Ok(none);
        }
        for (place, why) in missing {
            let strict = plan.each.get(place).map(|each| each.encrypt.value);
            let is_held = strict == Some(Encrypting::AlwaysOrHold) && why.may_pass();
            let why = Withholding::Unsealable(vec![(place, why)]);
            plan.withheld.push(Withheld { recipients: vec![place], is_held, why });
        }
        // Without an order to the contrary nobody gets in clear what another one gets encrypted.
        let all_can = plan.each.iter().all(|each| each.is_at_home || can_be(each));
        if !is_mandatory && !self.mixed && !all_can {
            return Ok(none);
        }
        Ok(plan.each.iter().map(can_be).collect())
    }

    /// Puts those together who get the same copy.
    fn share_out<'a, E: From<io::Error>>(
        &self,
        mail: &'a dyn Octets,
        author: Option<Address>,
        sealed: &[bool],
        find: &mut dyn FnMut(&Address) -> Result<Found, E>,
        plan: &mut Plan<'a>,
    ) -> Result<(), E> {
        let own = match &plan.author {
            Some(author) if self.seal_to_author && sealed.contains(&true) => find(author)?.reader,
            _ => None,
        };
        let mut groups: Vec<(Group, Planned)> = Vec::new();
        for (place, each) in plan.each.iter().enumerate() {
            if plan.withheld.iter().any(|withheld| withheld.recipients.contains(&place)) {
                continue;
            }
            let reader = each.found.as_ref().and_then(|found| found.reader.clone());
            let reader = reader.filter(|_| sealed.get(place) == Some(&true));
            let group = Group::of(place, each, reader.as_ref());
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, copy)) => {
                    copy.recipients.push(place);
                    if let (Some(sealing), Some(reader)) = (&mut copy.sealing, reader) {
                        sealing.readers.push(reader);
                    }
                }
                None => {
                    let cipher = group.cipher;
                    let readers = |reader| std::iter::once(reader).chain(own.clone()).collect();
                    let sealing =
                        reader.zip(cipher).map(|(reader, cipher)| Sealing { cipher, readers: readers(reader) });
                    let signing = Err(Passed::Unwanted(each.treatment.sign.by));
                    let copy = Planned { recipients: vec![place], treatment: each.treatment, signing, sealing };
                    groups.push((group, copy));
                }
            }
        }
        plan.copies = groups.into_iter().map(|(_, copy)| copy).collect();
        for at in 0..plan.copies.len() {
            self.signing(mail, author.as_ref(), at, plan)?;
        }
        plan.copies = together(std::mem::take(&mut plan.copies));
        Ok(())
    }

    /// How a copy is signed.
    fn signing<'a>(
        &self,
        mail: &'a dyn Octets,
        author: Option<&Address>,
        at: usize,
        plan: &mut Plan<'a>,
    ) -> io::Result<()> {
        let Some(copy) = plan.copies.get_mut(at) else { return Ok(()) };
        let treatment = &copy.treatment;
        let limit = Said { value: treatment.max_size.value.unwrap_or(u64::MAX), by: treatment.max_size.by };
        copy.signing = match (&plan.unsigned, author) {
            (Some(passed), _) => Err(passed.clone()),
            (None, _) if treatment.sign.value == Signing::Never => Err(Passed::Unwanted(treatment.sign.by)),
            // A signature only adds to it.
            (None, _) if copy.sealing.is_none() && mail.len() > limit.value => Err(Passed::TooLarge(limit)),
            (None, None) => Err(Passed::NotMember),
            (None, Some(author)) => {
                let is_sealed = copy.sealing.is_some();
                let cover = cover(treatment, is_sealed);
                let is_same = |ready: &Ready<'_>| {
                    let form = if treatment.sign.value == Signing::Opaque { Form::Opaque } else { Form::Clear };
                    ready.cover == cover
                        && ready.form == form
                        && ready.digest == treatment.digest.value
                        && ready.rsa == treatment.rsa.value
                };
                match plan.signings.iter().position(is_same) {
                    Some(place) => Ok(place),
                    None => match self.draft(mail, author.clone(), treatment, is_sealed)? {
                        Ok(ready) => {
                            plan.signings.push(ready);
                            Ok(plan.signings.len().saturating_sub(1))
                        }
                        Err(why) => Err(Passed::Unsignable(why)),
                    },
                }
            }
        };
        Ok(())
    }
}

/// What leaves as it came is one copy, whatever kept it so.
fn together(copies: Vec<Planned>) -> Vec<Planned> {
    let mut out: Vec<Planned> = Vec::new();
    let is_as_it_came = |copy: &Planned| copy.signing.is_err() && copy.sealing.is_none();
    for mut copy in copies {
        match out.iter_mut().find(|known| is_as_it_came(known) && is_as_it_came(&copy)) {
            Some(known) => known.recipients.append(&mut copy.recipients),
            None => out.push(copy),
        }
    }
    out
}

/// What those have in common who get the same copy.
#[derive(PartialEq)]
struct Group {
    /// He alone, where his name is not for the others.
    alone: Option<usize>,
    cipher: Option<Cipher>,
    hide: Option<super::Hiding>,
    sign: Signing,
    header_protection: bool,
    digest: Option<DigestName>,
    rsa: RsaUse,
    max_size: Option<u64>,
}

impl Group {
    fn of(place: usize, each: &Each, reader: Option<&Reader>) -> Self {
        let treatment = &each.treatment;
        Self {
            alone: (reader.is_some() && !each.is_disclosed).then_some(place),
            cipher: reader.map(|reader| reader.cipher(treatment.cipher_floor.value)),
            hide: reader.map(|_| treatment.hide.value),
            sign: treatment.sign.value,
            header_protection: treatment.header_protection.value,
            digest: treatment.digest.value,
            rsa: treatment.rsa.value,
            max_size: treatment.max_size.value.filter(|_| reader.is_none()),
        }
    }
}

/// Asks for a recipient's certificates, and whether the mail would still be of a size that he takes.
fn look_up<E>(
    each: &mut Each,
    size: u64,
    readers: usize,
    policy: &Policy,
    find: &mut dyn FnMut(&Address) -> Result<Found, E>,
) -> Result<(), E> {
    let found = match Address::parse(&each.to) {
        Ok(address) => find(&address)?,
        Err(_) => Found::default(),
    };
    let size = sealed_size(size, each.treatment.sign.value == Signing::Opaque, readers);
    each.unsealable = match (&found.reader, each.treatment.max_size.value) {
        (None, _) if found.unavailable.is_some() => Some(Unsealable::Unavailable),
        (None, _) => Some(Unsealable::NoCertificate),
        (Some(_), Some(limit)) if size > limit => Some(Unsealable::TooLarge { size, limit }),
        (Some(_), _) => None,
    };
    if found.reader.as_ref().is_some_and(|reader| reader.capabilities.is_some()) {
        each.treatment = each.treatment.learned(policy);
    }
    each.found = Some(found);
    Ok(())
}

/// What of the header a copy protects.
fn cover(treatment: &Treatment, is_sealed: bool) -> Cover {
    match (treatment.header_protection.value, is_sealed) {
        (false, _) => Cover::Bare,
        (true, false) => Cover::Clear,
        (true, true) => {
            Cover::Cipher(protect::Cipher { policy: treatment.hide.value.policy(), ..protect::Cipher::default() })
        }
    }
}

fn raise(encrypt: &mut Said<Encrypting>, to: Said<Encrypting>) {
    if to.value > encrypt.value {
        *encrypt = to;
    }
}

fn raise_signing(treatment: &mut Treatment, by: Source) {
    if treatment.sign.value == Signing::Never {
        treatment.sign = Said { value: Signing::Clear, by };
    }
}

/// The addresses that everybody sees: of To and Cc, as far as they can be read.
fn disclosed(header: &Header) -> Vec<Address> {
    let fields = ["To", "Cc", "Resent-To", "Resent-Cc"].into_iter().flat_map(|name| header.all(name));
    let read = fields.filter_map(|field| mailboxes(header.value(field)).ok());
    read.flatten().filter_map(|mailbox| Address::parse(&mailbox.address).ok()).collect()
}
