//! What each state means, whatever the mail: for the page's help and docs/verdicts.md.

use super::Lang;
use crate::state::State;

/// A state in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// A few words; no full stop.
    pub title: &'static str,
    /// What it says, and where that matters what it does not.
    pub means: &'static str,
}

/// What a state means.
pub const fn of(state: State, lang: Lang) -> Meaning {
    let [ja, en] = row(state);
    let (title, means) = match lang {
        Lang::Ja => ja,
        Lang::En => en,
    };
    Meaning { title, means }
}

#[rustfmt::skip]
const fn row(state: State) -> [(&'static str, &'static str); 2] {
    match state {
        State::OrgConfirmed => [
            ("組織からのメール", "認証局が実在を確かめた組織の署名です。書き換えはありません。"),
            ("From an organisation", "Signed by an organisation that a certificate authority checked, and unchanged."),
        ],
        State::PersonInOrgConfirmed => [
            ("組織の人からのメール", "認証局が確かめた組織に属する人の署名です。書き換えはありません。"),
            ("From a person in an organisation", "Signed by a member of an organisation that a certificate authority checked, and unchanged."),
        ],
        State::PersonConfirmed => [
            ("個人からのメール", "認証局が本人を確かめた個人の署名です。所属は分かりません。書き換えはありません。"),
            ("From a person", "Signed by a person whom a certificate authority checked, and unchanged. It says nothing about an employer."),
        ],
        State::MailboxConfirmed => [
            ("アドレスだけ確認", "そのアドレスを使える人の署名です。会社名や氏名は、だれも確かめていません。"),
            ("Only the address", "Signed by whoever uses the address. Nobody has checked a company or a person."),
        ],
        State::LocalConfirmed => [
            ("登録した発行元で確認", "利用者や管理者が自分で信頼した発行元の証明書です。公開の認証局ではありません。"),
            ("By an issuer chosen here", "The certificate comes from an issuer that the user or operator chose, not from a public one."),
        ],
        State::NameOnly => [
            ("署名した人だけ確認", "署名した人は確かめられましたが、差出人のアドレスがその人のものかは分かりません。"),
            ("Only the signer", "Who signed is known, but not whether the address in From is theirs."),
        ],
        State::NotSigned => [
            ("署名なし", "このメールだけでは、だれが送ったかを確かめられません。正しいメールでもよくあります。"),
            ("Not signed", "The mail alone cannot show who sent it. Many genuine mails are like that."),
        ],
        State::ExpectedSignatureMissing => [
            ("いつもの署名がない", "ふだん署名をつけて送る相手なのに、署名がありません。"),
            ("The usual signature is missing", "This sender normally signs, and this mail is not signed."),
        ],
        State::SignerDiffers => [
            ("署名した人が違う", "差出人欄の人とは別の人が署名しています。"),
            ("Signed by someone else", "Somebody signed it, and not the one whom From names."),
        ],
        State::Altered => [
            ("書き換えあり", "署名のあとで内容が変わっています。だれが変えたかは分かりません。"),
            ("Changed", "The content was changed after it was signed; by whom cannot be told."),
        ],
        State::FakeSignature => [
            ("偽の署名", "署名のような名前のファイルがついていますが、このメールの署名ではありません。"),
            ("Fake signature", "A file with the name of a signature is attached that is none of this mail."),
        ],
        State::Revoked => [
            ("取り消された証明書", "署名に使われた証明書は、取り消されています。"),
            ("Cancelled certificate", "The certificate behind the signature was revoked."),
        ],
        State::IssuerUnknown => [
            ("発行元が不明", "署名はありますが、証明書をだれが出したか確かめられません。"),
            ("Unknown issuer", "It is signed, but nobody known issued the certificate."),
        ],
        State::CertNotValidThen => [
            ("使えない証明書", "証明書の期限や用途が、このメールに合っていません。"),
            ("Not valid for this mail", "The dates or the purpose of the certificate do not fit the mail."),
        ],
        State::OldSignature => [
            ("期限の切れた署名", "書き換えはありませんが、証明書の期限が切れたため、いつ署名されたかは申告のとおりとしか言えません。"),
            ("Old signature", "Unchanged, but the certificate has expired since; when it was signed is the sender’s own claim."),
        ],
        State::TimeOdd => [
            ("日付が合わない", "署名の日時とメールの日時が離れています。昔のメールの使い回しかもしれません。"),
            ("The dates do not match", "It was signed at another time than the mail says. An old mail may have been sent again."),
        ],
        State::WeakSignature => [
            ("古い方式の署名", "今の技術では偽造されるおそれのある署名です。"),
            ("Outdated signature", "With today’s technology it could be forged."),
        ],
        State::PartSigned => [
            ("一部だけ署名", "署名の外に、あとから足された部分があります。"),
            ("Signed in part", "Something outside the signature was added later."),
        ],
        State::HeadersChanged => [
            ("件名などが変化", "本文は署名どおりですが、件名などのヘッダーが途中で変わっています。"),
            ("Subject or the like changed", "The body is as signed, but header fields were changed on the way."),
        ],
        State::Lookalike => [
            ("よく似た別の相手", "署名は正しくても、知っている相手に似せた別の差出人です。"),
            ("Someone else who looks alike", "However good the signature, the sender is made to be taken for another."),
        ],
        State::CheckIncomplete => [
            ("確認の途中", "証明書が取り消されていないかを調べられませんでした。"),
            ("Not finished", "Whether the certificate was revoked could not be found out."),
        ],
        State::Ambiguous => [
            ("作りの正しくない署名", "見るソフトによって違う内容に見えるおそれがあるため、確認できたとは言えません。"),
            ("Malformed signature", "Programs could show different content, so it counts as not confirmed."),
        ],
        State::Sealed => [
            ("暗号化", "宛先の人だけが開けます。差出人は、開いたあとに確かめられます。"),
            ("Encrypted", "Only the addressee can open it; who sent it can be checked after that."),
        ],
        State::NotAMail => [
            ("メールではないファイル", "メールとして読めません。元のメールを .eml 形式で保存してください。"),
            ("Not a mail", "It cannot be read as a mail; save the original as .eml."),
        ],
        State::TooBig => [
            ("大きすぎるメール", "受け取れる大きさを超えています。"),
            ("Too big", "It is larger than is accepted here."),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_meaning_of_its_own_in_both_languages() {
        for lang in Lang::ALL {
            let stop = lang.pick("。", ".");
            for state in State::ALL {
                let Meaning { title, means } = of(state, lang);
                assert!(!title.ends_with(stop) && means.ends_with(stop), "{}", state.name());
                assert!(lang == Lang::Ja || title.is_ascii(), "{title}");
                assert_eq!(State::ALL.iter().filter(|other| of(**other, lang).title == title).count(), 1, "{title}");
                for never in ["安全", "危険なし", "信頼できる", "本物", "safe", "trustworthy"] {
                    assert!(!means.contains(never), "{means}");
                }
            }
        }
    }
}
