//! What was seen of one thing in particular, in both languages. Names out of certificates stand in it as they are:
//! whoever shows it makes them [safe](crate::safe).

use kakitome_pki::path::PathProblem;
use kakitome_pki::path::revocation::{Limit, UnknownCause};

use kakitome_smime::Finding;

use crate::lang::Lang;
use crate::reason::Reason;

/// A text in both languages; names and numbers are the same in each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    ja: String,
    en: String,
}

impl Detail {
    /// A text in each language.
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// A name or a number, which is the same in each.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { ja: text.clone(), en: text }
    }

    /// The text in a language.
    pub fn text(&self, lang: Lang) -> &str {
        lang.pick(&self.ja, &self.en)
    }

    /// Is nothing said?
    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }

    /// Says one more thing behind it.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        Self { ja: self.ja + "、" + &other.ja, en: self.en + "; " + &other.en }
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::same(text)
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::same(text)
    }
}

/// What the engine saw, in its words; in Japanese what it is called by the table of reasons.
impl From<&Finding> for Detail {
    fn from(finding: &Finding) -> Self {
        let title = Reason::from_code(finding.code).map(|reason| reason.explain(Lang::Ja).title);
        Self::new(title.unwrap_or(&finding.detail), finding.detail.clone())
    }
}

impl From<&PathProblem> for Detail {
    fn from(problem: &PathProblem) -> Self {
        Self::new(problem_in_japanese(problem), problem.to_string())
    }
}

impl From<&UnknownCause> for Detail {
    fn from(cause: &UnknownCause) -> Self {
        Self::new(cause_in_japanese(cause), cause.to_string())
    }
}

fn problem_in_japanese(problem: &PathProblem) -> String {
    match problem {
        PathProblem::UnknownIssuer => "発行元が分からない".to_owned(),
        PathProblem::SelfSigned => "証明書が自分自身で署名したもので、だれも信頼すると決めていない".to_owned(),
        PathProblem::Budget => "一本の道に証明書や名前が多すぎるので、探すのをやめた".to_owned(),
        PathProblem::BadSignature => "証明書の署名が、その発行元のものではない".to_owned(),
        PathProblem::UnsupportedAlgorithm(name) => format!("証明書の署名の方式 {name} には対応していない"),
        PathProblem::NotCa => "発行する資格のない者が発行した証明書がある".to_owned(),
        PathProblem::PathLength => "途中の認証局が許すよりも道が長い".to_owned(),
        PathProblem::NotForEmail(root) => format!("ルート {root} は公開の一覧にあるが、メール用ではない"),
        PathProblem::Distrusted(root) => format!("ルート {root} は、管理者が公開の一覧から外した"),
        PathProblem::DistrustAfter => "この起点は、これほど新しく発行された証明書については信頼されていない".to_owned(),
        PathProblem::UnknownCritical(oid) => format!("証明書にある必須の拡張 {oid} が理解できない"),
        PathProblem::Profile(what) => format!("証明書が標準に反している: {}", profile_in_japanese(what)),
        PathProblem::NameConstraint(name) => format!("認証局に許された範囲の外の名前がある: {name}"),
        PathProblem::Policy => "発行方針が求められているが、道の全体で成り立つものがない".to_owned(),
        PathProblem::PolicyMapping => {
            "認証局が「任意の方針」を別の方針に対応付けている。これはしてはならない".to_owned()
        }
        PathProblem::CaExtendedKeyUsage => "道の途中の認証局がメール用ではない".to_owned(),
        PathProblem::ExtendedKeyUsage => "証明書がメール用ではない".to_owned(),
        PathProblem::KeyUsage => "証明書の鍵が署名用ではない".to_owned(),
        PathProblem::NotYetValid { which, since } => {
            format!("{} の証明書は {since} より前には有効でない", which.subject().short())
        }
        PathProblem::Expired { which, since } => {
            format!("{} の証明書は {since} に期限が切れた", which.subject().short())
        }
    }
}

/// The few that the path check gives; another stands as it is.
fn profile_in_japanese(what: &str) -> &str {
    match what {
        "an extension is critical that may not be" => "必須にしてはならない拡張が必須になっている",
        "its issuer has no name" => "発行元に名前がない",
        "it limits names, and is no certificate authority" => "認証局でないのに名前の範囲を定めている",
        other => other,
    }
}

fn cause_in_japanese(cause: &UnknownCause) -> String {
    match cause {
        UnknownCause::NoAnswer => "発行元の失効リストが手元にない".to_owned(),
        UnknownCause::Stale => "いちばん新しい失効情報も古すぎる".to_owned(),
        UnknownCause::Early => "失効情報の日付が未来になっている".to_owned(),
        UnknownCause::WrongSigner => "失効情報の署名が、その資格のある者のものではない".to_owned(),
        UnknownCause::Weak(name) => format!("失効情報の署名の方式 {name} は、偽造されうる"),
        UnknownCause::SignerUnknown => "失効情報に署名した者に、今もその資格があるか分からない".to_owned(),
        UnknownCause::Unusable(limit) => {
            format!("失効リストは、この証明書については答えられない: {}", limit_in_japanese(limit))
        }
        UnknownCause::NotKnown => "問い合わせ先（OCSP）は、この証明書を知らない".to_owned(),
        UnknownCause::Refused(what) => format!("問い合わせ先（OCSP）が、答えの代わりに {what} を返した"),
        UnknownCause::Budget => "失効リストや署名者が多すぎるので、探すのをやめた".to_owned(),
    }
}

fn limit_in_japanese(limit: &Limit) -> String {
    match limit {
        Limit::Delta => "差分のリストである".to_owned(),
        Limit::NotIndirect => "別の発行元のリストで、他の発行元の分を載せるとは言っていない".to_owned(),
        Limit::SomeReasons => "一部の理由の失効しか載せていない".to_owned(),
        Limit::OtherKind(kind) => format!("{kind} 専用である"),
        Limit::OtherPoint => "別の配布点のものである".to_owned(),
        Limit::UnknownCritical(oid) => format!("必須の拡張 {oid} が理解できない"),
        Limit::AfterEnd => "証明書の期限の後に作られた".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_joined_and_nothing_is_not() {
        let one = Detail::from(&PathProblem::PathLength);
        let both = Detail::default().and(&one).and(&Detail::from(&PathProblem::KeyUsage));
        assert_eq!(Detail::default().and(&one), one);
        assert_eq!(both.text(Lang::Ja), "途中の認証局が許すよりも道が長い、証明書の鍵が署名用ではない");
        assert!(both.text(Lang::En).contains("allows; the certificate's key"), "{both:?}");
    }
}
