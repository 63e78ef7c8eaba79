//! The sentences in Japanese.

use kakitome_pki::asn1::time::Time;

use super::{Slots, WhoLine, calendar, chooser, clock};
use crate::answer::{Answer, Changed, Choice, Encrypted};
use crate::reason::Reason;
use crate::state::{Advice, Outcome, State};

pub(super) const UNKNOWN: &str = "不明";
pub(super) const ATTACHED: &str = "添付されたメール";
/// In the place of a domain, where From names no single one.
pub(super) const THIS_SENDER: &str = "この差出人";
pub(super) const QUESTIONS: [&str; 3] = ["だれから？", "書き換え？", "暗号化？"];
pub(super) const UNCOVERED: &str = "件名・宛先は署名の対象外です";
pub(super) const UNCHECKED: &str =
    "このメールは確認できませんでした（読み取りに繰り返し失敗しました）。届いたままお渡ししています。";
pub(super) const FOOTER: &str =
    "確認したのは『だれが署名したか』と『書き換えがないか』です。書いてある内容が正しいかは確認していません。";

const JST: i64 = 9 * 3600;

pub(super) fn date(time: Time) -> String {
    match calendar(time, JST) {
        Some((year, month, day)) => format!("日本時間 {year}年{month}月{day}日"),
        None => time.to_string(),
    }
}

pub(super) fn moment(time: Time) -> String {
    match calendar(time, JST) {
        Some((year, month, day)) => format!("{year}年{month}月{day}日 {}（日本時間）", clock(time, JST)),
        None => time.to_string(),
    }
}

pub(super) fn badge(state: State) -> &'static str {
    match (state, state.outcome()) {
        (State::MailboxConfirmed, _) => "アドレスを確認しました",
        (State::LocalConfirmed, _) => "登録した発行元で確認しました",
        (State::CheckIncomplete, _) => "確認の途中です",
        (_, Outcome::Confirmed(_)) => "確認できました",
        (_, Outcome::NotSigned) => "確かめる手がかりがありません",
        (_, Outcome::NotConfirmed) => "確認できたとは言えません",
        (_, Outcome::Contradicted) => "注意してください",
        (_, Outcome::Sealed) => "暗号化されています",
        (_, Outcome::Unreadable) => "読めませんでした",
    }
}

pub(super) fn headline(answer: &Answer, slots: &Slots) -> String {
    let Slots { org, person, address, issuer, .. } = slots;
    match answer.state {
        State::OrgConfirmed => format!("「{org}」からのメールです"),
        State::PersonInOrgConfirmed if answer.who.pseudonym => {
            format!("「{org}」の、仮名「{person}」の方からのメールです")
        }
        State::PersonInOrgConfirmed => format!("「{org}」の「{person}」さんからのメールです"),
        State::PersonConfirmed if answer.who.pseudonym => format!("仮名「{person}」の方からのメールです"),
        State::PersonConfirmed => format!("「{person}」さんからのメールです"),
        State::MailboxConfirmed => format!("{address} から送られたメールです"),
        State::LocalConfirmed => format!("「{issuer}」の証明書で確認しました"),
        State::NameOnly => format!("「{}」の署名です（アドレスは未確認）", named(answer, slots)),
        State::NotSigned => "電子署名はありません".to_owned(),
        State::ExpectedSignatureMissing => "いつもの署名がありません".to_owned(),
        State::SignerDiffers => "差出人と署名した人が違います".to_owned(),
        State::Altered => "署名のあとで内容が変わっています".to_owned(),
        State::FakeSignature => "署名に見せかけたファイルです".to_owned(),
        State::Revoked => "取り消された証明書の署名です".to_owned(),
        State::IssuerUnknown => "だれの署名か確かめられません".to_owned(),
        State::CertNotValidThen => "使えない証明書の署名です".to_owned(),
        State::OldSignature => "古い署名です（証明書は期限切れ）".to_owned(),
        State::TimeOdd => "署名とメールの日付が合いません".to_owned(),
        State::WeakSignature => "古い方式の署名です".to_owned(),
        State::PartSigned => "一部だけ署名されています".to_owned(),
        State::HeadersChanged => "件名などが途中で変わっています".to_owned(),
        // whom the name means is not known, so nobody is said to look like anybody
        State::Lookalike if answer.who.looks_like.is_none() => "名乗っている組織は、確かめられていません".to_owned(),
        State::Lookalike => "よく似た別の相手です".to_owned(),
        State::CheckIncomplete => "まだ確認が終わっていません".to_owned(),
        State::Ambiguous => "署名の作りが正しくありません".to_owned(),
        State::Sealed => "暗号化されていて、ここでは開けません".to_owned(),
        State::NotAMail | State::TooBig => "メールとして読めません".to_owned(),
    }
}

pub(super) fn one_line(answer: &Answer, slots: &Slots) -> String {
    let Slots { address, from, domain, signer, issuer, real, subject, revoked_on, signed_on, reason, .. } = slots;
    match answer.state {
        State::OrgConfirmed => format!(
            "認証局がこの組織の実在を確かめ、{address} を使えることを確認しています。署名のあと書き換えられていません。"
        ),
        State::PersonInOrgConfirmed => {
            "組織は認証局が、氏名は認証局またはその組織が確認しています。署名のあと書き換えられていません。".to_owned()
        }
        State::PersonConfirmed if answer.who.pseudonym => "本人は確認ずみですが、名前は仮名です。".to_owned(),
        State::PersonConfirmed => "認証局が本人を確認した、個人の証明書です。所属は分かりません。".to_owned(),
        State::MailboxConfirmed => {
            "確認できたのはアドレスだけです。会社名や氏名は、だれも確かめていません。".to_owned()
        }
        State::LocalConfirmed => {
            let who = match chooser(answer.whose_choice) {
                Choice::ChosenFile => "あなた",
                Choice::PublicList | Choice::Operator | Choice::OwnCa => "この Kakitome の管理者",
            };
            format!("{who}が信頼すると登録した発行元です。世界共通の認証局ではありません。")
        }
        State::NameOnly => format!("署名した人は確認できましたが、{from} がその人のものかは分かりません。"),
        State::NotSigned => "このメールだけでは、だれが送ったか、書き換えがないかを確かめられません。\
            正しいメールでも署名がないことはよくあります。"
            .to_owned(),
        State::ExpectedSignatureMissing => {
            format!("{domain} はふだん署名をつけて送っています。リンクや添付を開かず、別の方法で確かめてください。")
        }
        State::SignerDiffers => {
            format!("差出人は {from} となっていますが、署名したのは {signer} です。差出人欄は偽物かもしれません。")
        }
        State::Altered => "途中の装置・メーリングリスト・第三者のどれかが書き換えました。\
            だれが書いた内容か確かめられません。"
            .to_owned(),
        State::FakeSignature => {
            "「smime.p7s」という名前のファイルがついていますが、このメールの電子署名ではありません。\
            詐欺メールの手口です。"
                .to_owned()
        }
        State::Revoked => format!("この証明書は {revoked_on} に取り消されました。差出人の確認には使えません。"),
        State::IssuerUnknown => {
            format!("署名はありますが、発行元「{issuer}」を確認できません。自分で作った証明書でも同じになります。")
        }
        State::CertNotValidThen => format!("証明書の期限や用途が、このメールに合っていません（{reason}）。"),
        State::OldSignature => format!("書き換えはありません。署名日 {signed_on} は送った人の申告です。"),
        State::TimeOdd => format!("署名は {signed_on} のものです。昔のメールの使い回しかもしれません。"),
        State::WeakSignature => "いまの技術では偽造できるおそれがあるため、確認できたとは言えません。".to_owned(),
        State::PartSigned => {
            format!("囲みの中は「{signer}」の署名どおりです。囲みの外（配信時の追記）は確認できません。")
        }
        State::HeadersChanged if answer.reasons.first() == Some(&Reason::HpFromMungedList) => format!(
            "本文は署名どおりです。メーリングリストが差出人欄を書き換えていますが、署名したのは {signer} です。"
        ),
        State::HeadersChanged if answer.protected_subject.is_none() => "本文は署名どおりです。".to_owned(),
        State::HeadersChanged => format!("本文は署名どおりです。署名時の件名は「{subject}」でした。"),
        State::Lookalike if answer.who.looks_like.is_none() => {
            format!("差出人名は組織を名乗っていますが、{address} がその組織のものかは、だれも確かめていません。")
        }
        State::Lookalike => format!("{address} は {real} とは別の相手です。"),
        State::CheckIncomplete => "証明書が取り消されていないか確認できませんでした。\
            時間をおいて、もう一度お試しください。"
            .to_owned(),
        State::Ambiguous => {
            "見るソフトによって違う内容に見えるおそれがあるため、確認できたとは表示しません。".to_owned()
        }
        State::Sealed => "宛先の人だけが開けます。差出人は、開いたあとに確かめられます。".to_owned(),
        State::NotAMail => ".eml 形式で保存し直してください。".to_owned(),
        // "save it again" would send the reader round in a circle
        State::TooBig => {
            "このページで受け取れる大きさを超えています。コマンド kakitome check には大きさの制限がありません。"
                .to_owned()
        }
    }
}

pub(super) fn who(line: WhoLine, slots: &Slots) -> String {
    let Slots { org, person, address, .. } = slots;
    match line {
        WhoLine::Org => format!("「{org}」（{address}）"),
        WhoLine::PersonInOrg => format!("「{org}」の「{person}」（{address}）"),
        WhoLine::Person => format!("「{person}」（{address}）"),
        WhoLine::Address => format!("{address} だけ確認"),
        WhoLine::NameOnly => "署名した人だけ確認（アドレスは未確認）".to_owned(),
        WhoLine::Nobody => "確認できません".to_owned(),
    }
}

pub(super) fn changed(answer: Changed) -> &'static str {
    match answer {
        Changed::No => "ありません",
        Changed::Yes => "あります",
        Changed::Part => "囲みの中だけ、ありません",
        Changed::Unknown => "わかりません",
    }
}

pub(super) fn sealed(answer: &Answer, slots: &Slots) -> String {
    if answer.sealed.gateway.is_some() {
        return format!("「{}」の入口まで", slots.gateway);
    }
    match answer.sealed.answer {
        Encrypted::No => "されていません（配送中の通信の暗号は、このファイルからは分かりません）",
        Encrypted::Yes => "されていました。宛先の人だけが読めます",
        Encrypted::Unverified => "されていましたが、差出人は確認できません",
        Encrypted::Weak => "古い方式です。読まれるおそれがあります",
        Encrypted::Part => "一部だけ",
        Encrypted::PasswordFile => "パスワード付きファイルです（暗号化メールとは言えません）",
        Encrypted::CannotOpen => "されています。宛先の人だけが開けます",
        Encrypted::Unknown => "わかりません",
    }
    .to_owned()
}

pub(super) fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::AskAnotherWay => "心当たりがなければ、公式サイトや電話で確かめてください",
        Advice::DoNotOpen => "リンクや添付ファイルは開かないでください",
    }
}

fn named<'a>(answer: &Answer, slots: &'a Slots) -> &'a str {
    if answer.who.person.is_some() { &slots.person } else { &slots.org }
}
