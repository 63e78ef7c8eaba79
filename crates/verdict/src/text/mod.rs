//! The answer for people: the only human sentences of the product's answers, in Japanese and English.
//!
//! Every string from the mail passes through [`Safe`] and stands between bidirectional isolates (U+2068, U+2069), so
//! that it cannot reorder our words; a name stands in quotation marks, always. Cut after 64 characters; the expert part
//! shows more, and the code points.

pub mod certificate;
pub mod details;
mod en;
pub mod evidence;
mod ja;
pub mod meaning;
pub mod remark;
pub mod shown;
pub mod terminal;

use kakitome_pki::asn1::time::Time;

pub use crate::lang::Lang;

use crate::answer::{Answer, Attached, Changed, Choice, Class, Covered, Encrypted};
use crate::reason::{self, Explanation, Reason};
use crate::safe::Safe;
use crate::state::{Advice, State};

/// An answer in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The state in a word or two, for beside the mark.
    pub badge: &'static str,
    /// The headline.
    pub headline: String,
    /// One line under it.
    pub one_line: String,
    /// Who? Changed? Sealed? Always three, in this order.
    pub lines: [Line; 3],
    /// The reason that decided.
    pub why: Because,
    /// Reasons that a reader should see though they did not decide: small remarks.
    pub notes: Vec<Because>,
    /// All other reasons.
    pub rest: Vec<Because>,
    /// One imperative, where there is one.
    pub advice: Option<&'static str>,
    /// What was checked and what was not; under every confirmed state.
    pub footer: Option<&'static str>,
}

/// A reason in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Because {
    /// Its code.
    pub reason: Reason,
    /// What it is.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do next, where the answer's advice does not say it already.
    pub todo: Option<&'static str>,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub answer: String,
    /// A small addition.
    pub note: Option<&'static str>,
    /// What a sign beside it would tell.
    pub sign: Sign,
}

/// An answer as a sign: never green or red by itself, since the state alone decides how the whole looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// As one would wish.
    Good,
    /// Not so.
    Bad,
    /// Neither.
    Open,
}

/// Reasons that a reader should see though they do not decide the headline.
const REMARKS: [Reason; 33] = [
    Reason::BindDisplayAddress,
    Reason::BindDisplayPad,
    Reason::BindDisplayDomain,
    Reason::BindDisplayOrganisation,
    Reason::LookHomograph,
    Reason::LookSimilar,
    Reason::LookBidi,
    Reason::LookQuotedLocal,
    Reason::MimeListFooter,
    Reason::MimeListShape,
    Reason::HpFromMungedList,
    Reason::MimeErrantSignature,
    Reason::FakeFlattened,
    Reason::MimeForwarded,
    Reason::MimeTnef,
    Reason::CmsCertsOnly,
    Reason::BindSenderOnly,
    Reason::HpAdded,
    Reason::ClassLocalNames,
    Reason::PathListOld,
    Reason::RevNoneOffered,
    Reason::RevAfter,
    Reason::RevConflict,
    Reason::RevOff,
    Reason::InMbox,
    Reason::PpapZip,
    Reason::PpapZipAes,
    Reason::PpapZipStrong,
    Reason::PpapArchive,
    Reason::PpapOffice,
    Reason::PpapPdf,
    Reason::PpapNested,
    Reason::PpapDisguise,
];

/// The answer in one language.
pub fn render(answer: &Answer, lang: Lang) -> Rendered {
    let slots = Slots::of(answer, lang);
    let who = WhoLine::of(answer);
    let signs = signs(answer, who);
    let uncovered = matches!(answer.altered.answer, Changed::No | Changed::Part)
        && !answer.altered.covers.contains(&Covered::Subject);
    let (badge, headline, one_line) = match lang {
        Lang::Ja => (ja::badge(answer.state), ja::headline(answer, &slots), ja::one_line(answer, &slots)),
        Lang::En => (en::badge(answer.state), en::headline(answer, &slots), en::one_line(answer, &slots)),
    };
    // "Save it again" is not enough where it is known what the file is: each kind has its own way to the mail.
    let kind = answer.reasons.first().filter(|_| answer.state == State::NotAMail);
    let kind = kind.filter(|reason| !matches!(reason, Reason::InEmpty | Reason::InNotMail));
    let one_line = kind.map_or(one_line, |kind| kind.explain(lang).todo.to_owned());
    let (who, changed, sealed) = match lang {
        Lang::Ja => (ja::who(who, &slots), ja::changed(answer.altered.answer), ja::sealed(answer, &slots)),
        Lang::En => (en::who(who, &slots), en::changed(answer.altered.answer), en::sealed(answer, &slots)),
    };
    let [ask_who, ask_changed, ask_sealed] = match lang {
        Lang::Ja => ja::QUESTIONS,
        Lang::En => en::QUESTIONS,
    };
    let because = |reason: Reason| {
        let Explanation { title, why, todo } = reason.explain(lang);
        let todo = (!is_said(answer.state, &one_line, reason)).then_some(todo);
        Because { reason, title, why, todo }
    };
    let decided = answer.reasons.first().copied().unwrap_or(Reason::Ok);
    let is_remark = |reason: Reason| {
        // what else was not looked up matters only where the rest held
        Some(&reason) == kind
            || REMARKS.contains(&reason) && (answer.state.is_confirmed() || !reason.code().starts_with("rev."))
    };
    let (notes, rest): (Vec<Reason>, Vec<Reason>) =
        answer.reasons.iter().copied().partition(|reason| is_remark(*reason));
    let why = because(decided);
    let notes = notes.into_iter().map(because).collect();
    let rest = rest.into_iter().filter(|reason| *reason != decided).map(because).collect();
    Rendered {
        badge,
        headline,
        one_line,
        lines: [
            Line { question: ask_who, answer: who, note: None, sign: signs[0] },
            Line {
                question: ask_changed,
                answer: changed.to_owned(),
                note: uncovered.then_some(lang.pick(ja::UNCOVERED, en::UNCOVERED)),
                sign: signs[1],
            },
            Line { question: ask_sealed, answer: sealed, note: None, sign: signs[2] },
        ],
        why,
        notes,
        rest,
        advice: answer.state.advice().map(|advice| match lang {
            Lang::Ja => ja::advice(advice),
            Lang::En => en::advice(advice),
        }),
        footer: answer.state.is_confirmed().then_some(lang.pick(ja::FOOTER, en::FOOTER)),
    }
}

/// The signs of the three answers.
const fn signs(answer: &Answer, who: WhoLine) -> [Sign; 3] {
    let who = match (answer.state, who) {
        (State::Lookalike, _) | (_, WhoLine::NameOnly | WhoLine::Nobody) => Sign::Open,
        (_, WhoLine::Org | WhoLine::PersonInOrg | WhoLine::Person | WhoLine::Address) => Sign::Good,
    };
    let changed = match answer.altered.answer {
        Changed::No => Sign::Good,
        Changed::Yes => Sign::Bad,
        Changed::Part | Changed::Unknown => Sign::Open,
    };
    let sealed = match answer.sealed.answer {
        Encrypted::Yes => Sign::Good,
        Encrypted::Weak => Sign::Bad,
        _ => Sign::Open,
    };
    [who, changed, sealed]
}

/// Does the answer say already what a reason asks to be done: its advice, or its one line, where that is an imperative? To
/// ask the sender is part of opening nothing.
fn is_said(state: State, one_line: &str, reason: Reason) -> bool {
    let said: &[&str] = match (state, state.advice()) {
        (State::CheckIncomplete, _) => &[reason::NONE_EN, reason::LATER_EN],
        (State::NotAMail, _) => &[reason::NONE_EN, reason::EML_EN],
        (_, None) => &[reason::NONE_EN],
        (_, Some(Advice::AskAnotherWay)) => &[reason::NONE_EN, reason::ASK_EN],
        (_, Some(Advice::DoNotOpen)) => &[reason::NONE_EN, reason::ASK_EN, reason::SHUT_EN],
    };
    said.contains(&reason.explain(Lang::En).todo)
        || Lang::ALL.into_iter().any(|lang| one_line.contains(reason.explain(lang).todo))
}

/// The headline alone.
pub fn headline(answer: &Answer, lang: Lang) -> String {
    let slots = Slots::of(answer, lang);
    match lang {
        Lang::Ja => ja::headline(answer, &slots),
        Lang::En => en::headline(answer, &slots),
    }
}

/// The state in a word or two.
pub fn badge(state: State, lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => ja::badge(state),
        Lang::En => en::badge(state),
    }
}

/// What is said of a mail that a gateway handed on without reading it.
pub const fn unchecked(lang: Lang) -> &'static str {
    lang.pick(ja::UNCHECKED, en::UNCHECKED)
}

/// What the sentences leave room for: made visible, cut and isolated. What is missing is said to be unknown, so that
/// no sentence has a hole.
struct Slots {
    org: String,
    person: String,
    /// The mailbox that is confirmed.
    address: String,
    /// The mailbox in From, or From as it stands.
    from: String,
    domain: String,
    /// Who signed: mailbox, else person, else organisation, else the certificate's subject.
    signer: String,
    issuer: String,
    real: String,
    subject: String,
    gateway: String,
    revoked_on: String,
    signed_on: String,
    reason: &'static str,
}

impl Slots {
    fn of(answer: &Answer, lang: Lang) -> Self {
        let unknown = || lang.pick(ja::UNKNOWN, en::UNKNOWN).to_owned();
        let shown = |safe: Safe<'_>| inner_quotes(&isolated(safe), lang);
        let name = |text: Option<&str>| text.map_or_else(unknown, |text| shown(Safe::name(text)));
        let address = |text: Option<&str>| text.map_or_else(unknown, |text| shown(Safe::address(text)));
        let date = |time: Option<Time>| {
            time.map_or_else(unknown, |time| match lang {
                Lang::Ja => ja::date(time),
                Lang::En => en::date(time),
            })
        };
        let who = &answer.who;
        let from = match (&who.from_address, &who.from_header) {
            (Some(from), _) => address(Some(from)),
            (None, from) => name(from.as_deref()),
        };
        let signer = match (&who.address, who.person.as_deref().or(who.org.as_deref())) {
            (Some(signer), _) => address(Some(signer)),
            (None, named) => name(named.or(answer.expert.signer.as_ref().map(|signer| signer.subject.as_str()))),
        };
        Self {
            org: name(who.org.as_deref()),
            person: name(who.person.as_deref()),
            address: address(who.address.as_deref()),
            domain: match who.from_address.as_deref().and_then(|from| from.rsplit_once('@')) {
                Some((_, domain)) => address(Some(domain)),
                None => lang.pick(ja::THIS_SENDER, en::THIS_SENDER).to_owned(),
            },
            from,
            signer,
            issuer: name(who.issuer.as_deref()),
            real: address(who.looks_like.as_deref()),
            subject: name(answer.protected_subject.as_deref()),
            gateway: name(answer.sealed.gateway.as_deref()),
            revoked_on: date(answer.revoked_on),
            signed_on: date(answer.time.signed_claimed),
            reason: answer.reasons.first().map_or("", |reason| reason.explain(lang).title),
        }
    }
}

/// What stands above the answer about an attached mail.
pub fn attached_title(attached: &Attached, lang: Lang) -> String {
    let title = lang.pick(ja::ATTACHED, en::ATTACHED);
    match attached.subject.as_deref().or(attached.name.as_deref()) {
        Some(named) => {
            let named = inner_quotes(&isolated(Safe::name(named)), lang);
            match lang {
                Lang::Ja => format!("{title}「{named}」"),
                Lang::En => format!("{title} “{named}”"),
            }
        }
        None => title.to_owned(),
    }
}

/// Between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE; [`Safe`] lets neither of them in.
fn isolated(safe: Safe<'_>) -> String {
    format!("\u{2068}{safe}\u{2069}")
}

/// A name cannot close our quotation marks: its own become those of a quotation within one.
fn inner_quotes(name: &str, lang: Lang) -> String {
    let inner = |c| match (lang, c) {
        (Lang::Ja, '「' | '｢') => '『',
        (Lang::Ja, '」' | '｣') => '』',
        (Lang::En, '“' | '‟' | '„') => '‘',
        (Lang::En, '”' | '"' | '″') => '’',
        (_, c) => c,
    };
    name.chars().map(inner).collect()
}

/// The forms of the first answer.
#[derive(Clone, Copy)]
enum WhoLine {
    Org,
    PersonInOrg,
    Person,
    Address,
    NameOnly,
    Nobody,
}

impl WhoLine {
    // A name appears only where its issuer may vouch for it and everything before it held.
    fn of(answer: &Answer) -> Self {
        match answer.state {
            State::NameOnly => Self::NameOnly,
            State::Lookalike | State::MailboxConfirmed => Self::Address,
            // names stand here only where whoever chose the issuer said that they were checked
            State::LocalConfirmed => match (&answer.who.person, &answer.who.org) {
                (Some(_), Some(_)) => Self::PersonInOrg,
                (Some(_), None) => Self::Person,
                (None, Some(_)) => Self::Org,
                (None, None) => Self::Address,
            },
            state if state.is_confirmed() || matches!(state, State::HeadersChanged | State::PartSigned) => {
                match answer.who.class {
                    Class::Org => Self::Org,
                    Class::PersonInOrg => Self::PersonInOrg,
                    Class::Person => Self::Person,
                    // Somebody signed, and his certificate has expired, or may have been revoked.
                    Class::None => Self::Nobody,
                    Class::Local | Class::Mailbox | Class::PreBr => Self::Address,
                }
            }
            _ => Self::Nobody,
        }
    }
}

/// A moment to the minute, in the time of the reader's language: Japan's, or UTC.
pub fn moment(time: Time, lang: Lang) -> String {
    match lang {
        Lang::Ja => ja::moment(time),
        Lang::En => en::moment(time),
    }
}

/// Hour and minute of a moment moved by `offset` seconds.
fn clock(time: Time, offset: i64) -> String {
    let text = Time::from_unix(time.unix().saturating_add(offset)).to_string();
    text.split_once('T').and_then(|(_, clock)| clock.get(..5)).unwrap_or_default().to_owned()
}

/// Year, month and day of a moment moved by `offset` seconds.
fn calendar(time: Time, offset: i64) -> Option<(String, u8, u8)> {
    let text = Time::from_unix(time.unix().saturating_add(offset)).to_string();
    let (date, _) = text.split_once('T')?;
    let (rest, day) = date.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    Some((year.to_owned(), month.parse().ok()?, day.parse().ok()?))
}

/// Who chose the issuer, where the answer does not say: the administrator.
const fn chooser(choice: Option<Choice>) -> Choice {
    match choice {
        Some(Choice::ChosenFile) => Choice::ChosenFile,
        _ => Choice::OwnCa,
    }
}

#[cfg(test)]
mod tests;
