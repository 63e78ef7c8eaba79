//! The explanation for people, in both languages. It speaks of the operator's own settings, not of a sender.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kakitome_office::authority::{Listed, Standing};
use kakitome_office::policy::intent::FIELD;
use kakitome_office::policy::{
    Authorised, DigestName, Miss, Origin, Passed, Plan, Said, Signing, Source, Treatment, Untouched, Wish,
};
use kakitome_smime::mime::address::NoAuthor;
use kakitome_verdict::lang::Lang;
use kakitome_verdict::safe::Safe;

use super::{Explained, copies};

/// What becomes of it, without what differs from mail to mail.
pub(super) fn outcome(plan: &Plan<'_>, lang: Lang) -> String {
    let mut kinds: Vec<String> = plan.withheld.iter().map(|withheld| copies::withheld(withheld, lang)).collect();
    kinds.extend(plan.copies.iter().map(|copy| copies::outcome(plan, copy, lang)));
    kinds.dedup();
    match (kinds.as_slice(), plan.copies.len().saturating_add(plan.withheld.len()), lang) {
        ([one], 1, _) => one.clone(),
        (_, _, Lang::En) => format!("differs by recipient: {}", kinds.join("; ")),
        (_, _, Lang::Ja) => format!("宛先ごとに異なります：{}", kinds.join("、")),
    }
}

/// One of many.
pub(super) fn line(explained: &Explained<'_>, lang: Lang) -> String {
    let colon = lang.pick("：", ": ");
    format!("{}{colon}{}\n", Safe::value(explained.name), outcome(explained.plan, lang))
}

/// How often each outcome came.
pub(super) fn summary(tally: &BTreeMap<String, u64>, lang: Lang) -> String {
    let all = tally.values().fold(0u64, |all, count| all.saturating_add(*count));
    let mut out = match lang {
        Lang::En => format!("\n{all} mails:\n"),
        Lang::Ja => format!("\n合計 {all} 通：\n"),
    };
    for (outcome, count) in tally {
        let _ = writeln!(out, "{count:>8}  {outcome}");
    }
    out
}

/// All of one mail.
pub(super) fn whole(explained: &Explained<'_>, lang: Lang) -> String {
    let plan = explained.plan;
    let mut out = line(explained, lang);
    let mut row = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label}  {text}");
    };
    if let Some(author) = &plan.author {
        row(lang.pick("差出人（From）", "author (From)"), &Safe::value(&author.to_string()).to_string());
    }
    row(lang.pick("送信元", "handed in by"), &origin(&plan.origin, lang));
    match (&plan.authorised, &plan.unsigned) {
        (Some(Authorised::Everybody), _) => row(
            lang.pick("署名の権限", "may sign"),
            lang.pick(
                "policy.senders が空のため、送信用の入口から入るすべてのメール",
                "policy.senders is empty: whoever enters by an outbound listener",
            ),
        ),
        (Some(Authorised::Rule(number)), _) => {
            row(lang.pick("署名の権限", "may sign"), &format!("policy.senders {number}"));
        }
        (None, Some(Passed::NotAuthorised(misses))) => {
            for (number, one) in (1usize..).zip(misses) {
                row(&format!("policy.senders {number}"), &miss(one, lang));
            }
        }
        (None, _) => {}
    }
    match &plan.wish {
        Wish::None => {}
        Wish::Intent(said) => {
            row(lang.pick("差出人の希望", "asked for"), &format!("{} [{}]", said.value, source(said.by, lang)));
        }
        Wish::Unreadable(value) => row(lang.pick("差出人の希望", "asked for"), &Safe::value(value).to_string()),
    }
    if explained.is_stripped {
        row(
            lang.pick("取り除くもの", "taken out"),
            lang.pick("X-Kakitome-Intent、件名の語、Bcc のいずれか", "X-Kakitome-Intent, a tag in the subject, or Bcc"),
        );
    }
    if !explained.remarks.is_empty() {
        row(lang.pick("パスワード付きファイル", "opens with a password"), &explained.remarks.join(", "));
    }
    for each in &plan.each {
        row(lang.pick("宛先", "to"), &format!("{}  {}", Safe::value(&each.to), treated(&each.treatment, lang)));
        for line in copies::each(each, lang) {
            row("  ", &line);
        }
    }
    if let Some(listed) = explained.certificates {
        let label = lang.pick("証明書", "certificate");
        if !listed.iter().any(|one| matches!(one.standing, Standing::Signs | Standing::Due)) {
            row(label, lang.pick("まだありません。送信時に作られます", "none yet: the mail would make one"));
        }
        for one in listed {
            row(label, &certificate(one, lang));
        }
    }
    for (number, copy) in (1usize..).zip(&plan.copies) {
        let label = match lang {
            Lang::En => format!("copy {number}"),
            Lang::Ja => format!("写し {number}"),
        };
        row(&label, &copies::copy(plan, copy, explained.size, lang));
    }
    for withheld in &plan.withheld {
        row(lang.pick("送られない宛先", "not sent to"), &copies::not_sent(plan, withheld, lang));
    }
    out
}

/// What is known of him.
fn origin(origin: &Origin, lang: Lang) -> String {
    let labels = match lang {
        Lang::En => ["class", "client", "login", "certificate"],
        Lang::Ja => ["クラス", "クライアント", "ログイン", "証明書"],
    };
    let name = |name: &String| Safe::value(name).to_string();
    let shown = origin.certificate.as_ref();
    let values = [
        origin.class.as_ref().map(name),
        origin.client.map(|client| client.to_string()),
        origin.login.as_ref().map(name),
        shown.map(|shown| format!("{} / {}", Safe::value(&shown.name), Safe::value(&shown.issuer))),
    ];
    let known = labels.iter().zip(values).filter_map(|(label, value)| Some(format!("{label} {}", value?)));
    let known = known.collect::<Vec<_>>().join(", ");
    if known.is_empty() { lang.pick("不明", "not known").to_owned() } else { known }
}

fn miss(miss: &Miss, lang: Lang) -> String {
    let found = |what: Option<String>| {
        what.map_or_else(|| lang.pick("不明", "not known").to_owned(), |what| Safe::value(&what).to_string())
    };
    let (what, found) = match miss {
        Miss::Class(class) => (lang.pick("クラスが違います", "another class"), found(class.clone())),
        Miss::Network(client) => {
            (lang.pick("ネットワークが違います", "another network"), found(client.map(|client| client.to_string())))
        }
        Miss::Login(login) => (lang.pick("ログインが違います", "another login"), found(login.clone())),
        Miss::Certificate(name) => (lang.pick("証明書が違います", "another certificate"), found(name.clone())),
        Miss::From => return lang.pick("この From を許していません", "does not allow this From").to_owned(),
        Miss::FromCase => {
            return lang
                .pick(
                    "大文字と小文字が違う From を許しています（@ の前では区別されます）",
                    "allows this From in other letters: capitals count before the @",
                )
                .to_owned();
        }
    };
    format!("{what} ({found})")
}

pub(super) fn source(by: Source, lang: Lang) -> String {
    match (by, lang) {
        (Source::Rule(number), _) => format!("policy.rules {number}"),
        (Source::Profile(name), Lang::En) => format!("built-in profile \"{name}\""),
        (Source::Profile(name), Lang::Ja) => format!("組み込みの宛先表「{name}」"),
        (Source::Default, Lang::En) => "default".to_owned(),
        (Source::Default, Lang::Ja) => "既定".to_owned(),
        (Source::Learned, Lang::En) => "learned from the recipient's own mail".to_owned(),
        (Source::Learned, Lang::Ja) => "宛先からのメールで分かったこと".to_owned(),
        (Source::Field, _) => FIELD.to_owned(),
        (Source::Tag(number), _) => format!("policy.tags {number}"),
        (Source::Opened, Lang::En) => "it is about a mail that came sealed".to_owned(),
        (Source::Opened, Lang::Ja) => "暗号化されて届いたメールに関するもの".to_owned(),
        (Source::Home, Lang::En) => "members' mail stays in the house".to_owned(),
        (Source::Home, Lang::Ja) => "組織内の宛先".to_owned(),
        (Source::Together, Lang::En) => "another recipient of the same mail".to_owned(),
        (Source::Together, Lang::Ja) => "同じメールの他の宛先".to_owned(),
    }
}

fn treated(treatment: &Treatment, lang: Lang) -> String {
    let sign = match treatment.sign.value {
        Signing::Clear => lang.pick("クリア署名", "clear"),
        Signing::Opaque => lang.pick("本文を含む署名", "opaque"),
        Signing::Never => lang.pick("署名なし", "not signed"),
    };
    let header = if treatment.header_protection.value {
        lang.pick("ヘッダー保護あり", "header protected")
    } else {
        lang.pick("ヘッダー保護なし", "header not protected")
    };
    let digest = match treatment.digest.value {
        Some(DigestName::Sha256) => "SHA-256",
        Some(DigestName::Sha384) => "SHA-384",
        Some(DigestName::Sha512) => "SHA-512",
        None => lang.pick("鍵に応じたハッシュ", "the key's own digest"),
    };
    let mut said = vec![
        (sign.to_owned(), treatment.sign.by),
        (header.to_owned(), treatment.header_protection.by),
        (digest.to_owned(), treatment.digest.by),
    ];
    if let Said { value: Some(size), by } = treatment.max_size {
        let text = match lang {
            Lang::En => format!("unsigned if larger than {size} bytes once signed"),
            Lang::Ja => format!("署名後に {size} バイトを超えるなら署名なし"),
        };
        said.push((text, by));
    }
    said.into_iter().map(|(what, by)| format!("{what} [{}]", source(by, lang))).collect::<Vec<_>>().join(", ")
}

fn certificate(one: &Listed, lang: Lang) -> String {
    let why = match one.standing {
        Standing::Signs => lang.pick("署名に使われます（最も望ましいもの）", "signs: the best of those that are valid"),
        Standing::Due => lang.pick(
            "有効期間の三分の二を過ぎたので、送信時に新しいものが作られます（作れなければこれで署名します）",
            "two thirds of its life are over: the mail would make a new one, and this one signs if that fails",
        ),
        Standing::Older => lang.pick("使われません（よりよいものがあります）", "not this one: a better one signs"),
        Standing::NotValid => lang.pick("使われません（いま有効ではありません）", "not this one: it is not valid now"),
        Standing::Revoked => lang.pick("使われません（失効しています）", "not this one: it was revoked"),
        Standing::Unfinished => {
            lang.pick("使われません（発行が完了していません）", "not this one: it was begun and never signed by the CA")
        }
    };
    let (from, until) = (one.from, one.until);
    match lang {
        Lang::En => format!("{}, valid {from} to {until}: {why}", one.serial),
        Lang::Ja => format!("{}、有効期間 {from} から {until}：{why}", one.serial),
    }
}

pub(super) fn reason(passed: &Passed, lang: Lang) -> String {
    match (passed, lang) {
        (Passed::NullSender, Lang::En) => "the envelope has the null sender, as bounces have".to_owned(),
        (Passed::NullSender, Lang::Ja) => "エンベロープの差出人が空です（不達通知など）".to_owned(),
        (Passed::NoAuthor(NoAuthor::Absent), Lang::Ja) => "From がありません".to_owned(),
        (Passed::NoAuthor(NoAuthor::Duplicate), Lang::Ja) => "From が二つ以上あります".to_owned(),
        (Passed::NoAuthor(NoAuthor::Several), Lang::Ja) => "From に複数のアドレスがあります".to_owned(),
        (Passed::NoAuthor(NoAuthor::NoAddress | NoAuthor::Syntax), Lang::Ja) => {
            "From が一つのアドレスとして読めません".to_owned()
        }
        (Passed::Internationalised, Lang::Ja) => "From が国際化メールアドレスです".to_owned(),
        (Passed::NotMember, Lang::En) => "From is in no domain of members.domains".to_owned(),
        (Passed::NotMember, Lang::Ja) => "From が members.domains のどのドメインにもありません".to_owned(),
        (Passed::NotListed | Passed::Left(_) | Passed::TooManyTags, Lang::En) => passed.to_string(),
        (Passed::NotListed, Lang::Ja) => "From が名簿にありません（kakitome member）".to_owned(),
        (Passed::Left(at), Lang::Ja) => format!("From は退職者などのアドレスです（{at}まで）"),
        (Passed::TooManyTags, Lang::Ja) => "＋付きアドレスの証明書が上限に達しています".to_owned(),
        (Passed::NotAuthorised(_), Lang::Ja) => {
            "policy.senders のどの規則も、この送信元にこの From での署名を許していません".to_owned()
        }
        (Passed::Untouched(kind), lang) => untouched(*kind, lang).to_owned(),
        (Passed::Unwanted(by), Lang::En) => format!("the policy says so ({})", source(*by, lang)),
        (Passed::Unwanted(by), Lang::Ja) => format!("ポリシーによります（{}）", source(*by, lang)),
        (Passed::Unsignable(why), Lang::Ja) => format!("署名できないメールです（{why}）"),
        (Passed::TooLarge(limit), Lang::En) => {
            format!("it is larger than {} bytes ({})", limit.value, source(limit.by, lang))
        }
        (Passed::TooLarge(limit), Lang::Ja) => {
            format!("{} バイトを超えます（{}）", limit.value, source(limit.by, lang))
        }
        (passed, Lang::En) => passed.to_string(),
    }
}

const fn untouched(kind: Untouched, lang: Lang) -> &'static str {
    match kind {
        Untouched::Reply => lang.pick("自動返信です", "an automatic reply"),
        Untouched::Report => lang.pick("通知（不達、開封など）です", "a report (bounce, receipt)"),
        Untouched::List => lang.pick("メーリングリストの配信です", "what a discussion list hands out"),
        Untouched::Calendar => lang.pick("会議の招待またはその返事です", "an invitation or its answer"),
        Untouched::Tnef => lang.pick("Outlook の winmail.dat です", "Outlook's winmail.dat"),
    }
}
