//! The sentences in English.

use kakitome_pki::asn1::time::Time;

use super::{Slots, WhoLine, calendar, chooser, clock};
use crate::answer::{Answer, Changed, Choice, Encrypted};
use crate::reason::Reason;
use crate::state::{Advice, Outcome, State};

pub(super) const UNKNOWN: &str = "unknown";
pub(super) const ATTACHED: &str = "The attached mail";
/// In the place of a domain, where From names no single one.
pub(super) const THIS_SENDER: &str = "This sender";
pub(super) const QUESTIONS: [&str; 3] = ["Who?", "Changed?", "Sealed?"];
pub(super) const UNCOVERED: &str = "Subject and addressees are not covered by the signature";
pub(super) const UNCHECKED: &str =
    "This mail could not be checked: reading it failed again and again. It is delivered as it came.";
pub(super) const FOOTER: &str =
    "We checked who signed it and that it was not changed — not whether what it says is true.";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn date(time: Time) -> String {
    day(time).map_or_else(|| time.to_string(), |day| format!("{day} (UTC)"))
}

pub(super) fn moment(time: Time) -> String {
    day(time).map_or_else(|| time.to_string(), |day| format!("{day}, {} UTC", clock(time, 0)))
}

fn day(time: Time) -> Option<String> {
    let (year, month, day) = calendar(time, 0)?;
    let month = MONTHS.get(usize::from(month).checked_sub(1)?)?;
    Some(format!("{day} {month} {year}"))
}

pub(super) fn badge(state: State) -> &'static str {
    match (state, state.outcome()) {
        (State::MailboxConfirmed, _) => "Address confirmed",
        (State::LocalConfirmed, _) => "Confirmed by a chosen issuer",
        (State::CheckIncomplete, _) => "Not finished",
        (_, Outcome::Confirmed(_)) => "Confirmed",
        (_, Outcome::NotSigned) => "Nothing to go by",
        (_, Outcome::NotConfirmed) => "Not confirmed",
        (_, Outcome::Contradicted) => "Take care",
        (_, Outcome::Sealed) => "Encrypted",
        (_, Outcome::Unreadable) => "Could not be read",
    }
}

pub(super) fn headline(answer: &Answer, slots: &Slots) -> String {
    let Slots { org, person, address, issuer, .. } = slots;
    match answer.state {
        State::OrgConfirmed => format!("From “{org}”"),
        State::PersonInOrgConfirmed if answer.who.pseudonym => format!("From “{person}” (a pseudonym) at “{org}”"),
        State::PersonInOrgConfirmed => format!("From “{person}” at “{org}”"),
        State::PersonConfirmed if answer.who.pseudonym => format!("From “{person}” (a pseudonym)"),
        State::PersonConfirmed => format!("From “{person}” (an individual)"),
        State::MailboxConfirmed => format!("Sent from {address}"),
        State::LocalConfirmed => format!("Confirmed with a certificate from “{issuer}”"),
        State::NameOnly => format!("Signed by “{}” — address not confirmed", named(answer, slots)),
        State::NotSigned => "Not signed".to_owned(),
        State::ExpectedSignatureMissing => "The usual signature is missing".to_owned(),
        State::SignerDiffers => "Signed by someone else".to_owned(),
        State::Altered => "Changed after it was signed".to_owned(),
        State::FakeSignature => "Fake signature".to_owned(),
        State::Revoked => "Signed with a cancelled certificate".to_owned(),
        State::IssuerUnknown => "We can't tell who signed this".to_owned(),
        State::CertNotValidThen => "The certificate was not valid for this".to_owned(),
        State::OldSignature => "Old signature (certificate has expired)".to_owned(),
        State::TimeOdd => "Signature date doesn't match".to_owned(),
        State::WeakSignature => "Outdated signature".to_owned(),
        State::PartSigned => "Only part of it is signed".to_owned(),
        State::HeadersChanged => "Subject or other headers changed".to_owned(),
        // whom the name means is not known, so nobody is said to look like anybody
        State::Lookalike if answer.who.looks_like.is_none() => "The organisation in its name is unchecked".to_owned(),
        State::Lookalike => "Looks similar, but is someone else".to_owned(),
        State::CheckIncomplete => "Check not finished".to_owned(),
        State::Ambiguous => "Malformed signature".to_owned(),
        State::Sealed => "Sealed — can't be opened here".to_owned(),
        State::NotAMail | State::TooBig => "Not a mail we can read".to_owned(),
    }
}

pub(super) fn one_line(answer: &Answer, slots: &Slots) -> String {
    let Slots { address, from, domain, signer, issuer, real, subject, revoked_on, signed_on, reason, .. } = slots;
    match answer.state {
        State::OrgConfirmed => format!(
            "A certificate authority checked that this organisation exists and controls {address}. \
             Unchanged since it was signed."
        ),
        State::PersonInOrgConfirmed => "The organisation was checked by a certificate authority; the name by it or by \
            the organisation. Unchanged since signed."
            .to_owned(),
        State::PersonConfirmed if answer.who.pseudonym => {
            "Identity was checked, the name shown is a pseudonym.".to_owned()
        }
        State::PersonConfirmed => {
            "A certificate authority checked this person's identity. It says nothing about an employer.".to_owned()
        }
        State::MailboxConfirmed => {
            "Only the address is confirmed. Nobody has checked any company or person name.".to_owned()
        }
        State::LocalConfirmed => {
            let who = match chooser(answer.whose_choice) {
                Choice::ChosenFile => "You",
                Choice::PublicList | Choice::Operator | Choice::OwnCa => "The operator of this Kakitome",
            };
            format!("{who} chose to trust this issuer; it is not a public one.")
        }
        State::NameOnly => format!("We know who signed, but not that {from} belongs to them."),
        State::NotSigned => "This mail alone cannot show who sent it or whether it was changed. \
            Many genuine mails are not signed."
            .to_owned(),
        State::ExpectedSignatureMissing => {
            format!("{domain} normally signs its mail. Don't open links or files; check another way.")
        }
        State::SignerDiffers => {
            format!("It says it is from {from}, but {signer} signed it. The From line may be fake.")
        }
        State::Altered => {
            "A filter, a mailing list or someone else changed it. We can't tell who wrote what you see.".to_owned()
        }
        State::FakeSignature => "It carries a file called “smime.p7s” that is not a signature of this mail. \
            Scam mails do this."
            .to_owned(),
        State::Revoked => {
            format!("The certificate was revoked on {revoked_on}. It no longer shows who sent this.")
        }
        State::IssuerUnknown => {
            format!("There is a signature, but its issuer “{issuer}” is unknown. Anyone can make such a certificate.")
        }
        State::CertNotValidThen => format!("Its dates or purpose don't fit this mail ({reason})."),
        State::OldSignature => format!("Unchanged. The signing date {signed_on} is the sender's own claim."),
        State::TimeOdd => format!("It was signed on {signed_on}. An old mail may have been re-sent."),
        State::WeakSignature => "It could be forged with today's technology, so we don't count it.".to_owned(),
        State::PartSigned => {
            format!("Inside the frame it is as signed by “{signer}”. Text outside was added on the way.")
        }
        State::HeadersChanged if answer.reasons.first() == Some(&Reason::HpFromMungedList) => {
            format!("The body is as signed. A mailing list rewrote the From line; {signer} signed it.")
        }
        State::HeadersChanged if answer.protected_subject.is_none() => "The body is as signed.".to_owned(),
        State::HeadersChanged => format!("The body is as signed. The original subject was “{subject}”."),
        State::Lookalike if answer.who.looks_like.is_none() => {
            format!("Its name claims an organisation, but nobody has checked that {address} belongs to it.")
        }
        State::Lookalike => format!("{address} is not {real}."),
        State::CheckIncomplete => {
            "We couldn't find out whether the certificate was cancelled. Please try again later.".to_owned()
        }
        State::Ambiguous => "Different programs could show different content, so we don't confirm it.".to_owned(),
        State::Sealed => "Only the addressee can open it. Who sent it can be checked after opening.".to_owned(),
        State::NotAMail => "Please save it again as .eml.".to_owned(),
        // "save it again" would send the reader round in a circle
        State::TooBig => {
            "It is larger than this page accepts. The command kakitome check has no limit of size.".to_owned()
        }
    }
}

pub(super) fn who(line: WhoLine, slots: &Slots) -> String {
    let Slots { org, person, address, .. } = slots;
    match line {
        WhoLine::Org => format!("“{org}” ({address})"),
        WhoLine::PersonInOrg => format!("“{person}” at “{org}” ({address})"),
        WhoLine::Person => format!("“{person}” ({address})"),
        WhoLine::Address => format!("Only {address} is confirmed"),
        WhoLine::NameOnly => "Only the signer is confirmed, not the address".to_owned(),
        WhoLine::Nobody => "Can't be confirmed".to_owned(),
    }
}

pub(super) fn changed(answer: Changed) -> &'static str {
    match answer {
        Changed::No => "No",
        Changed::Yes => "Yes",
        Changed::Part => "Not inside the frame",
        Changed::Unknown => "Can't tell",
    }
}

pub(super) fn sealed(answer: &Answer, slots: &Slots) -> String {
    if answer.sealed.gateway.is_some() {
        return format!("Up to “{}”'s mail gateway", slots.gateway);
    }
    match answer.sealed.answer {
        Encrypted::No => "No (transport encryption cannot be seen from this file)",
        Encrypted::Yes => "Yes — only the addressee could read it",
        Encrypted::Unverified => "Yes, but the sender is not confirmed",
        Encrypted::Weak => "Outdated — others might read it",
        Encrypted::Part => "Only a part",
        Encrypted::PasswordFile => "A password-protected file, which is not a sealed mail",
        Encrypted::CannotOpen => "Yes — only the addressee can open it",
        Encrypted::Unknown => "Can't tell",
    }
    .to_owned()
}

pub(super) fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::AskAnotherWay => {
            "If you did not expect this mail, check with the sender through their official website or by phone"
        }
        Advice::DoNotOpen => "Do not open links or attachments",
    }
}

fn named<'a>(answer: &Answer, slots: &'a Slots) -> &'a str {
    if answer.who.person.is_some() { &slots.person } else { &slots.org }
}
