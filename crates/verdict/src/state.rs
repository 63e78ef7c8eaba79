//! The states of the answer: one table with everything that faces derive from a state without thinking.
//!
//! A state is the headline and nothing else; who, what and why stand in the [`Answer`](crate::answer::Answer).

/// The headline of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// An organisation checked by a public certificate authority.
    OrgConfirmed,
    /// A person in an organisation checked by a public certificate authority.
    PersonInOrgConfirmed,
    /// A person checked by a public certificate authority, by name or by pseudonym.
    PersonConfirmed,
    /// The address alone, checked by a public certificate authority.
    MailboxConfirmed,
    /// Confirmed under an issuer that somebody chose to trust; not a public one.
    LocalConfirmed,
    /// Signature and path hold, but the certificate carries no mailbox.
    NameOnly,
    /// No signature, and nothing that looks like one.
    NotSigned,
    /// Not signed, though this sender always signs.
    ExpectedSignatureMissing,
    /// A good signature of somebody else than From says.
    SignerDiffers,
    /// Digest or signature value does not verify.
    Altered,
    /// A file dressed up as a signature.
    FakeSignature,
    /// The certificate was revoked.
    Revoked,
    /// No path to an issuer that is trusted for mail.
    IssuerUnknown,
    /// Dates or purpose of the certificate do not fit this mail.
    CertNotValidThen,
    /// Everything held at the claimed signing time; the certificate has expired since.
    OldSignature,
    /// Signing time and date of the mail lie far apart.
    TimeOdd,
    /// Algorithms or keys that can be forged today.
    WeakSignature,
    /// A mailing list put a signed mail into a frame of its own.
    PartSigned,
    /// The body is as signed; protected header fields differ from the visible ones.
    HeadersChanged,
    /// Confirmed, but made to be taken for somebody else.
    Lookalike,
    /// Everything but the question of revocation.
    CheckIncomplete,
    /// Programs could read this signature in different ways.
    Ambiguous,
    /// Encrypted, and no key is here.
    Sealed,
    /// Not a mail at all.
    NotAMail,
    /// Beyond a limit of size or number.
    TooBig,
}

/// The colour of a state. Colour is never the only sign: see [`Mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// A checked organisation or person; never a mere address.
    Green,
    /// A checked address.
    Blue,
    /// Not confirmed, for a reason that the reader should know.
    Amber,
    /// Nothing is known, and that is common.
    Grey,
    /// Not finished, or not to be opened here.
    GreyBlue,
    /// Contradicted.
    Red,
}

/// The shape that tells a state without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A wax seal with a tick: organisation or person.
    Seal,
    /// An envelope with a tick: address.
    Envelope,
    /// A house with a tick: an issuer of one's own choice.
    House,
    /// A triangle with an exclamation mark.
    Caution,
    /// An octagon with a cross.
    Stop,
    /// A circle with a dash.
    Nothing,
    /// An hourglass.
    Waiting,
    /// A closed lock.
    Lock,
    /// A sheet with a question mark.
    Unreadable,
}

/// How much a confirmed state says; `check --require` asks for at least this much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// The address.
    Mailbox,
    /// A person.
    Person,
    /// An organisation.
    Org,
}

/// What kind of outcome a state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Confirmed, this strongly.
    Confirmed(Strength),
    /// There is no signature.
    NotSigned,
    /// There is one, and it could not be confirmed.
    NotConfirmed,
    /// Something speaks against the sender as shown.
    Contradicted,
    /// Encrypted, no key here.
    Sealed,
    /// Not to be read as a mail.
    Unreadable,
}

/// Results of the method `smime` in Authentication-Results (RFC 7281 §3.1, RFC 8601 §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmimeResult {
    /// Signed, and confirmed.
    Pass,
    /// Signed, and wrong.
    Fail,
    /// Signed and intact, but not acceptable by local policy.
    Policy,
    /// Something that cannot be processed as a signature.
    Neutral,
    /// Cannot be told now; later it may.
    Temperror,
    /// Cannot be told, now or later.
    Permerror,
    /// Not signed.
    None,
}

/// The one imperative under an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Check with the sender by another way.
    AskAnotherWay,
    /// Do not open links or files.
    DoNotOpen,
}

/// One line of the table.
struct Row {
    name: &'static str,
    tone: Tone,
    mark: Mark,
    outcome: Outcome,
    smime: SmimeResult,
    advice: Option<Advice>,
}

impl State {
    /// Every state, in the order of the table.
    pub const ALL: [Self; 25] = [
        Self::OrgConfirmed,
        Self::PersonInOrgConfirmed,
        Self::PersonConfirmed,
        Self::MailboxConfirmed,
        Self::LocalConfirmed,
        Self::NameOnly,
        Self::NotSigned,
        Self::ExpectedSignatureMissing,
        Self::SignerDiffers,
        Self::Altered,
        Self::FakeSignature,
        Self::Revoked,
        Self::IssuerUnknown,
        Self::CertNotValidThen,
        Self::OldSignature,
        Self::TimeOdd,
        Self::WeakSignature,
        Self::PartSigned,
        Self::HeadersChanged,
        Self::Lookalike,
        Self::CheckIncomplete,
        Self::Ambiguous,
        Self::Sealed,
        Self::NotAMail,
        Self::TooBig,
    ];

    // The table. An amber state gets the advice of an unsigned mail, because a signature that could not be confirmed
    // is worth as much as none and no less (RFC 9787 §6.4); where the one line is itself an imperative, none is added.
    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Advice::{AskAnotherWay, DoNotOpen};
        use Mark::{Caution, Envelope, House, Lock, Nothing, Seal, Stop, Unreadable, Waiting};
        use Outcome::{Confirmed, Contradicted, NotConfirmed};
        use SmimeResult::{Fail, Neutral, Pass, Permerror, Policy, Temperror};
        use Tone::{Amber, Blue, Green, Grey, GreyBlue, Red};
        const fn row(name: &'static str, tone: Tone, mark: Mark, outcome: Outcome, smime: SmimeResult, advice: Option<Advice>) -> Row {
            Row { name, tone, mark, outcome, smime, advice }
        }
        match self {
            Self::OrgConfirmed             => row("ORG_CONFIRMED", Green, Seal, Confirmed(Strength::Org), Pass, None),
            Self::PersonInOrgConfirmed     => row("PERSON_IN_ORG_CONFIRMED", Green, Seal, Confirmed(Strength::Org), Pass, None),
            Self::PersonConfirmed          => row("PERSON_CONFIRMED", Green, Seal, Confirmed(Strength::Person), Pass, None),
            Self::MailboxConfirmed         => row("MAILBOX_CONFIRMED", Blue, Envelope, Confirmed(Strength::Mailbox), Pass, None),
            Self::LocalConfirmed           => row("LOCAL_CONFIRMED", Blue, House, Confirmed(Strength::Mailbox), Pass, None),
            Self::NameOnly                 => row("NAME_ONLY", Amber, Caution, NotConfirmed, Policy, Some(AskAnotherWay)),
            Self::NotSigned                => row("NOT_SIGNED", Grey, Nothing, Outcome::NotSigned, SmimeResult::None, Some(AskAnotherWay)),
            Self::ExpectedSignatureMissing => row("EXPECTED_SIGNATURE_MISSING", Red, Stop, Contradicted, SmimeResult::None, Some(DoNotOpen)),
            Self::SignerDiffers            => row("SIGNER_DIFFERS", Red, Stop, Contradicted, Policy, Some(DoNotOpen)),
            Self::Altered                  => row("ALTERED", Red, Stop, Contradicted, Fail, Some(DoNotOpen)),
            Self::FakeSignature            => row("FAKE_SIGNATURE", Red, Stop, Contradicted, Neutral, Some(DoNotOpen)),
            Self::Revoked                  => row("REVOKED", Red, Stop, Contradicted, Fail, Some(DoNotOpen)),
            Self::IssuerUnknown            => row("ISSUER_UNKNOWN", Amber, Caution, NotConfirmed, Policy, Some(AskAnotherWay)),
            Self::CertNotValidThen         => row("CERT_NOT_VALID_THEN", Amber, Caution, NotConfirmed, Fail, Some(AskAnotherWay)),
            Self::OldSignature             => row("OLD_SIGNATURE", Amber, Caution, NotConfirmed, Policy, Some(AskAnotherWay)),
            Self::TimeOdd                  => row("TIME_ODD", Amber, Caution, NotConfirmed, Policy, Some(AskAnotherWay)),
            Self::WeakSignature            => row("WEAK_SIGNATURE", Amber, Caution, NotConfirmed, Policy, Some(AskAnotherWay)),
            Self::PartSigned               => row("PART_SIGNED", Amber, Caution, NotConfirmed, Policy, Some(AskAnotherWay)),
            Self::HeadersChanged           => row("HEADERS_CHANGED", Amber, Caution, NotConfirmed, Pass, Some(AskAnotherWay)),
            Self::Lookalike                => row("LOOKALIKE", Red, Stop, Contradicted, Policy, Some(DoNotOpen)),
            Self::CheckIncomplete          => row("CHECK_INCOMPLETE", GreyBlue, Waiting, NotConfirmed, Temperror, None),
            Self::Ambiguous                => row("AMBIGUOUS", Amber, Caution, NotConfirmed, Permerror, Some(AskAnotherWay)),
            Self::Sealed                   => row("SEALED", GreyBlue, Lock, Outcome::Sealed, SmimeResult::None, None),
            Self::NotAMail                 => row("NOT_A_MAIL", Grey, Unreadable, Outcome::Unreadable, Permerror, None),
            Self::TooBig                   => row("TOO_BIG", Grey, Unreadable, Outcome::Unreadable, Permerror, None),
        }
    }

    /// The name on the wire; stable.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The colour.
    pub const fn tone(self) -> Tone {
        self.row().tone
    }

    /// The shape.
    pub const fn mark(self) -> Mark {
        self.row().mark
    }

    /// The kind of outcome.
    pub const fn outcome(self) -> Outcome {
        self.row().outcome
    }

    /// The result of the method `smime` (RFC 7281 §3.1).
    pub const fn smime_result(self) -> SmimeResult {
        self.row().smime
    }

    /// The one imperative, where there is one.
    pub const fn advice(self) -> Option<Advice> {
        self.row().advice
    }

    /// Is the sender confirmed?
    pub const fn is_confirmed(self) -> bool {
        matches!(self.outcome(), Outcome::Confirmed(_))
    }

    /// The exit code of `check`; `require` is the least that the caller wants confirmed.
    pub fn exit_code(self, require: Option<Strength>) -> u8 {
        match self.outcome() {
            Outcome::Confirmed(strength) if require.is_some_and(|least| strength < least) => 10,
            Outcome::Confirmed(_) => 0,
            Outcome::NotSigned => 20,
            Outcome::NotConfirmed => 30,
            Outcome::Contradicted => 40,
            Outcome::Sealed => 50,
            Outcome::Unreadable => 60,
        }
    }
}

impl SmimeResult {
    /// As it stands in the header field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
            Self::None => "none",
        }
    }
}

impl Tone {
    /// A name for style sheets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Amber => "amber",
            Self::Grey => "grey",
            Self::GreyBlue => "grey-blue",
            Self::Red => "red",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_upper_case() {
        let mut names: Vec<_> = State::ALL.iter().map(|state| state.name()).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), State::ALL.len());
    }

    #[test]
    fn exit_codes_follow_the_contract() {
        use Strength::{Mailbox, Org, Person};
        for (state, plain, mailbox, person, org) in [
            (State::OrgConfirmed, 0, 0, 0, 0),
            (State::PersonInOrgConfirmed, 0, 0, 0, 0),
            (State::PersonConfirmed, 0, 0, 0, 10),
            (State::MailboxConfirmed, 0, 0, 10, 10),
            (State::LocalConfirmed, 0, 0, 10, 10),
            (State::NotSigned, 20, 20, 20, 20),
            (State::CheckIncomplete, 30, 30, 30, 30),
            (State::HeadersChanged, 30, 30, 30, 30),
            (State::Ambiguous, 30, 30, 30, 30),
            (State::Altered, 40, 40, 40, 40),
            (State::Lookalike, 40, 40, 40, 40),
            (State::ExpectedSignatureMissing, 40, 40, 40, 40),
            (State::Sealed, 50, 50, 50, 50),
            (State::NotAMail, 60, 60, 60, 60),
            (State::TooBig, 60, 60, 60, 60),
        ] {
            let found = [None, Some(Mailbox), Some(Person), Some(Org)].map(|require| state.exit_code(require));
            assert_eq!(found, [plain, mailbox, person, org], "{}", state.name());
        }
    }

    #[test]
    fn an_address_is_never_green_and_red_always_warns() {
        for state in State::ALL {
            let strong = matches!(state.outcome(), Outcome::Confirmed(Strength::Org | Strength::Person));
            assert_eq!(state.tone() == Tone::Green, strong, "{}", state.name());
            assert_eq!(state.tone() == Tone::Red, state.advice() == Some(Advice::DoNotOpen), "{}", state.name());
            assert!(!state.is_confirmed() || state.smime_result() == SmimeResult::Pass, "{}", state.name());
        }
    }
}
