//! What an answer rests on, kind by kind: one sentence says what was found, one what that proves, and one what it does not.
//!
//! No technique is made to say more than it says: a domain is not a person, a host's word is not a proof, and what could
//! not be found out proves nothing. A kind of which nothing was found or asked is left out.

use std::collections::BTreeMap;

use super::{Lang, isolated, moment};
use crate::answer::{
    Answer, Basis, Changed, Check, CheckOutcome, Choice, Class, Covered, Encrypted, Revocation, Revoked, Step,
};
use crate::passage::{Demand, Dkim, Passage};
use crate::safe::Safe;
use crate::state::{Outcome, State};

/// So many signatures of domains, and hosts per method, are named in a sentence; the tables hold all of them.
pub const NAMED: usize = 3;

/// A kind of evidence in words, fit to be shown as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// A name that does not depend on the language.
    pub id: &'static str,
    /// What kind it is.
    pub title: &'static str,
    /// How far it goes.
    pub standing: Standing,
    /// What was found.
    pub found: String,
    /// What that proves.
    pub shows: &'static str,
    /// What it does not prove.
    pub shows_not: &'static str,
}

/// How far a piece of evidence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It was checked here, and holds.
    Holds,
    /// It was checked here, and does not hold.
    Fails,
    /// It is missing, or could not be found out: it proves nothing, neither way.
    Open,
    /// Somebody else says so; it cannot be checked here.
    Claimed,
}

impl Standing {
    /// A name for style sheets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Open => "open",
            Self::Claimed => "claimed",
        }
    }

    /// In a word or two.
    pub const fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Holds => lang.pick("確認できました", "holds"),
            Self::Fails => lang.pick("合いません", "does not hold"),
            Self::Open => lang.pick("何とも言えません", "says nothing"),
            Self::Claimed => lang.pick("他者の言い分", "a claim"),
        }
    }
}

/// Everything that was looked at, in the order in which it counts.
pub fn evidence(answer: &Answer, lang: Lang) -> Vec<Evidence> {
    // of what is no mail, nothing was looked at
    if answer.state.outcome() == Outcome::Unreadable {
        return Vec::new();
    }
    let passage = &answer.expert.passage;
    let mut found = vec![signature(answer, lang)];
    found.extend(path(answer, lang));
    found.extend(revocation(&answer.expert.revocation, lang));
    found.extend(stamp(answer, lang));
    found.extend(encryption(answer, lang));
    found.extend(domain_signatures(passage, lang));
    found.extend(policy(passage, lang));
    found.extend(claims(passage, lang));
    found
}

fn signature(answer: &Answer, lang: Lang) -> Evidence {
    let row = |standing, found: &str, shows, shows_not| Evidence {
        id: "signature",
        title: lang.pick("電子署名（S/MIME）", "Signature (S/MIME)"),
        standing,
        found: found.to_owned(),
        shows,
        shows_not,
    };
    let nothing = lang.pick("何も示しません。", "Nothing.");
    let sender = lang.pick(
        "だれが送ったか。署名がないこと自体は、偽物だという意味ではありません。",
        "Who sent it. Nor does a missing signature mean that the mail is forged.",
    );
    match (answer.altered.answer, answer.state) {
        (Changed::No, _) => {
            let found = lang.pick("内容は、署名したときのままです。", "The content is as it was signed.");
            let shows = lang.pick(
                "署名の鍵を持つ人が署名し、そのあと本文と添付が変わっていないこと。",
                "Whoever holds the signing key signed it, and text and attachments were not changed since.",
            );
            let shows_not = if answer.altered.covers.contains(&Covered::Subject) {
                lang.pick("書いてある内容が正しいかどうか。", "Whether what it says is true.")
            } else {
                lang.pick(
                    "書いてある内容が正しいかどうか。件名と宛先は署名の対象外です。",
                    "Whether what it says is true. Subject and addressees are not covered.",
                )
            };
            row(Standing::Holds, found, shows, shows_not)
        }
        (Changed::Part, _) => row(
            Standing::Holds,
            lang.pick(
                "署名はメールの一部だけにかかり、その部分は署名したときのままです。",
                "The signature covers a part of the mail, and that part is as it was signed.",
            ),
            lang.pick(
                "囲みの中が、署名のあと変わっていないこと。",
                "What stands inside the frame was not changed since it was signed.",
            ),
            lang.pick(
                "囲みの外に何が書いてあっても、それについては何も。",
                "Anything about what stands outside the frame.",
            ),
        ),
        (Changed::Yes, _) => row(
            Standing::Fails,
            lang.pick(
                "署名はありますが、内容と一致しません。",
                "There is a signature, and the content does not match it.",
            ),
            lang.pick("署名のあとで何かが変わったこと。", "Something was changed after it was signed."),
            lang.pick("だれが、何のために変えたか。", "Who changed it, and what for."),
        ),
        (_, State::FakeSignature) => row(
            Standing::Fails,
            lang.pick(
                "署名に見せかけたファイルがあり、このメールの署名ではありません。",
                "There is a file that passes for a signature and is none of this mail.",
            ),
            nothing,
            lang.pick("だれが送ったか。", "Who sent it."),
        ),
        (_, State::Sealed) => row(
            Standing::Open,
            lang.pick(
                "暗号の中にあるかもしれませんが、ここからは見えません。",
                "There may be one inside the encryption; it cannot be seen from here.",
            ),
            nothing,
            lang.pick("だれが送ったか。", "Who sent it."),
        ),
        _ if answer.expert.signature.is_some() || !answer.expert.signers.is_empty() => row(
            Standing::Open,
            lang.pick(
                "署名はありますが、確かめられる形ではありません。",
                "There is a signature, but not in a form that can be confirmed.",
            ),
            nothing,
            lang.pick("だれが署名したか、変わっていないか。", "Who signed it, and whether it was changed."),
        ),
        _ => row(
            Standing::Open,
            lang.pick("メール全体にかかる署名はありません。", "No signature covers this mail."),
            nothing,
            sender,
        ),
    }
}

fn path(answer: &Answer, lang: Lang) -> Option<Evidence> {
    let expert = &answer.expert;
    // Where content and signature do not match, nobody looked for the issuer.
    let is_searched = |check: &Check| check.step == Step::Path && check.outcome != CheckOutcome::NotReached;
    if expert.path.is_empty() && (expert.signer.is_none() || !expert.checks.iter().any(is_searched)) {
        return None;
    }
    let row = |standing, found, shows, shows_not| {
        let title = lang.pick("証明書と発行元", "Certificate and its issuer");
        Some(Evidence { id: "path", title, standing, found, shows, shows_not })
    };
    let Some(anchor) = expert.path.iter().find(|step| step.anchor) else {
        return row(
            Standing::Open,
            lang.pick(
                "証明書はありますが、知られている発行元までたどれません。",
                "There is a certificate, but no path leads to a known issuer.",
            )
            .to_owned(),
            lang.pick(
                "何も示しません。証明書の名前は、だれでも自由に書けます。",
                "Nothing. Anybody can write any name into such a certificate.",
            ),
            lang.pick("だれの証明書か。", "Whose certificate it is."),
        );
    };
    let name = isolated(Safe::name(answer.who.issuer.as_deref().unwrap_or(&anchor.subject)));
    let whose = match answer.whose_choice {
        Some(Choice::OwnCa) => lang.pick("この Kakitome 自身の認証局", "this Kakitome’s own authority"),
        Some(Choice::Operator) => {
            lang.pick("この Kakitome の管理者が選んだ発行元", "an issuer that the operator chose")
        }
        Some(Choice::ChosenFile) => lang.pick("利用者が選んだ発行元", "an issuer that the user chose"),
        Some(Choice::PublicList) | None => {
            lang.pick("メール用に公開された一覧の発行元", "an issuer on the public list for mail")
        }
    };
    let found = match lang {
        Lang::Ja => format!("証明書は「{name}」までつながります（{whose}）。"),
        Lang::En => format!("The certificate leads to “{name}” ({whose})."),
    };
    let (shows, shows_not) = match answer.who.class {
        Class::Org => (
            lang.pick(
                "認証局が、組織が実在し、このアドレスを使えることを確かめたこと。",
                "An authority checked that the organisation exists and controls this address.",
            ),
            lang.pick("その組織を信用してよいかどうか。", "Whether the organisation deserves trust."),
        ),
        Class::PersonInOrg => (
            lang.pick(
                "認証局が組織を確かめ、氏名を認証局かその組織が確かめたこと。",
                "An authority checked the organisation; it or the organisation checked the name.",
            ),
            lang.pick("その人の役職や権限。", "What position or authority the person has."),
        ),
        Class::Person => (
            lang.pick("認証局が本人を確かめたこと。", "An authority checked who the person is."),
            lang.pick("どこに勤めているか。", "Whom the person works for."),
        ),
        Class::Mailbox | Class::PreBr => (
            lang.pick(
                "証明書の持ち主が、発行のときにこのアドレスのメールを読めたこと。",
                "Whoever got the certificate could read mail at this address when it was issued.",
            ),
            lang.pick("会社名や氏名。だれも確かめていません。", "Any name of a company or person: nobody checked one."),
        ),
        Class::Local => (
            lang.pick(
                "その発行元が、このアドレスに証明書を出したこと。",
                "That issuer gave out a certificate for this address.",
            ),
            lang.pick(
                "世界共通の認証局による確認。発行元を選んだ人を信じる人にだけ役立ちます。",
                "A check by a public authority. It tells something to those who trust who chose the issuer.",
            ),
        ),
        Class::None => (
            lang.pick("証明書をどの発行元が出したか。", "Which issuer gave out the certificate."),
            lang.pick("差出人がその証明書の持ち主かどうか。", "Whether the sender is the holder of the certificate."),
        ),
    };
    let standing = if answer.who.class == Class::None { Standing::Open } else { Standing::Holds };
    row(standing, found, shows, shows_not)
}

fn revocation(lines: &[Revocation], lang: Lang) -> Option<Evidence> {
    if lines.is_empty() {
        return None;
    }
    let row = |standing, found, shows, shows_not| {
        let title = lang.pick("証明書の取り消し", "Revocation of certificates");
        Some(Evidence { id: "revocation", title, standing, found, shows, shows_not })
    };
    let nothing = lang.pick("何も示しません。", "Nothing.");
    let neither = lang.pick("取り消されたとも、取り消されていないとも。", "That it was revoked, or that it was not.");
    let revoked = lines.iter().find_map(|line| match &line.result {
        Revoked::Since(time, _) => Some(*time),
        _ => None,
    });
    if let Some(time) = revoked {
        let when = moment(time, lang);
        let found = match lang {
            Lang::Ja => format!("{when}に取り消されています。"),
            Lang::En => format!("Revoked on {when}."),
        };
        return row(
            Standing::Fails,
            found,
            lang.pick(
                "発行元が、この証明書をもう使えないものとしたこと。",
                "The issuer declared that the certificate no longer counts.",
            ),
            lang.pick("取り消しの前に署名されたかどうか。", "Whether it was signed before that."),
        );
    }
    let any = |result: &Revoked| lines.iter().any(|line| line.result == *result);
    let open = |found: &str| row(Standing::Open, found.to_owned(), nothing, neither);
    if any(&Revoked::Unavailable) {
        open(lang.pick("取り消しの情報を得られませんでした。", "The issuer’s information could not be had."))
    } else if any(&Revoked::Off) {
        open(lang.pick("取り消しは調べていません。", "Revocation was not looked up."))
    } else if any(&Revoked::NotOffered) {
        open(lang.pick("発行元が、取り消しの情報を公開していません。", "The issuer publishes no such information."))
    } else {
        let oldest = lines.iter().filter_map(|line| line.this_update).min_by_key(|time| time.unix());
        let found = match (oldest.map(|time| moment(time, lang)), lang) {
            (Some(when), Lang::Ja) => format!("取り消されていません（発行元の情報：{when}）。"),
            (Some(when), Lang::En) => format!("Not revoked (issuer’s information of {when})."),
            (None, lang) => lang.pick("取り消されていません。", "Not revoked.").to_owned(),
        };
        row(
            Standing::Holds,
            found,
            lang.pick(
                "その時点で、発行元が証明書を取り消していなかったこと。",
                "At that time the issuer had not revoked the certificate.",
            ),
            lang.pick(
                "鍵が盗まれていないこと。持ち主が届け出るまで、取り消されません。",
                "That the key was not stolen: it is revoked only after its holder reports it.",
            ),
        )
    }
}

fn stamp(answer: &Answer, lang: Lang) -> Option<Evidence> {
    (answer.time.basis == Basis::TimestampToken).then(|| Evidence {
        id: "timestamp",
        title: lang.pick("タイムスタンプ", "Time stamp"),
        standing: Standing::Holds,
        found: lang
            .pick("署名の時刻を、第三者が証明しています。", "Somebody else attests when the signature existed.")
            .to_owned(),
        shows: lang.pick("その時刻には署名がすでにあったこと。", "The signature existed by that time."),
        shows_not: lang.pick("だれが署名したか。", "Who signed."),
    })
}

fn encryption(answer: &Answer, lang: Lang) -> Option<Evidence> {
    let (standing, found) = match answer.sealed.answer {
        Encrypted::Yes => (Standing::Holds, lang.pick("暗号化されていました。", "It was encrypted.")),
        Encrypted::Unverified => (Standing::Open, lang.pick("暗号化されていました。", "It was encrypted.")),
        Encrypted::CannotOpen => (
            Standing::Open,
            lang.pick("暗号化されていて、ここには鍵がありません。", "It is encrypted; no key is here."),
        ),
        Encrypted::Weak => {
            (Standing::Fails, lang.pick("古い方式で暗号化されています。", "It is encrypted by outdated means."))
        }
        Encrypted::Part => (Standing::Open, lang.pick("一部だけ暗号化されています。", "Only a part is encrypted.")),
        Encrypted::No | Encrypted::PasswordFile | Encrypted::Unknown => return None,
    };
    let shows = match answer.sealed.answer {
        Encrypted::Weak => lang.pick("何も示しません。", "Nothing."),
        _ => lang.pick("宛先の鍵を持つ人だけが読めること。", "Only those who hold a key of an addressee can read it."),
    };
    let shows_not = lang.pick(
        "だれが送ったか。宛先の鍵は公開されていて、だれでも暗号化できます。",
        "Who sent it: the addressee’s key is public, and anybody can encrypt to it.",
    );
    let title = lang.pick("暗号化", "Encryption");
    Some(Evidence { id: "encryption", title, standing, found: found.to_owned(), shows, shows_not })
}

fn domain_signatures(passage: &Passage, lang: Lang) -> Option<Evidence> {
    let signatures = &passage.signatures;
    let holds = |aligned| signatures.iter().any(|one| one.outcome == Dkim::Pass && one.is_aligned == aligned);
    let named = signatures.iter().take(NAMED).map(|one| {
        let partial =
            if one.is_partial { lang.pick("、本文の途中まで", ", a part of the text only") } else { "" };
        let domain = if one.domain.is_empty() {
            lang.pick("不明", "unknown").to_owned()
        } else {
            isolated(Safe::address(&one.domain))
        };
        match lang {
            Lang::Ja => format!("{domain}：{}{partial}", one.outcome.title(lang)),
            Lang::En => format!("{domain} {}{partial}", one.outcome.title(lang)),
        }
    });
    let named = listed(named.collect(), signatures.len(), lang)?;
    let (standing, shows) = if holds(true) {
        (
            Standing::Holds,
            lang.pick(
                "差出人欄のドメインの持ち主のサーバーを通り、そのあと変わっていないこと。",
                "It went through a server of the owner of From’s domain, and was not changed since.",
            ),
        )
    } else if holds(false) {
        (
            Standing::Open,
            lang.pick(
                "そのドメインのサーバーを通ったこと。差出人欄のドメインではありません。",
                "It went through a server of that domain, which is not From’s.",
            ),
        )
    } else if signatures.iter().any(|one| one.outcome == Dkim::Fail) {
        (
            Standing::Fails,
            lang.pick(
                "何も示しません。転送やメーリングリストでも、よくこうなります。",
                "Nothing. Forwarding and mailing lists often do that, too.",
            ),
        )
    } else {
        (Standing::Open, lang.pick("何も示しません。", "Nothing."))
    };
    Some(Evidence {
        id: "dkim",
        title: lang.pick("ドメインの署名（DKIM）", "Signature of a domain (DKIM)"),
        standing,
        found: named,
        shows,
        shows_not: lang.pick(
            "だれが書いたか。ドメインを示すだけで、人やアドレスは示しません。",
            "Who wrote it: it tells a domain, neither a person nor an address.",
        ),
    })
}

fn policy(passage: &Passage, lang: Lang) -> Option<Evidence> {
    let policy = passage.policy.as_ref()?;
    let owner = isolated(Safe::address(&policy.owner));
    let asks = policy.demand.title(lang);
    let holds = passage.signatures.iter().any(|one| one.is_aligned && one.outcome == Dkim::Pass);
    let standing = match policy.demand {
        Demand::Quarantine | Demand::Reject if passage.falls_short() => Standing::Fails,
        Demand::Quarantine | Demand::Reject if holds => Standing::Holds,
        _ => Standing::Open,
    };
    let found = match (lang, standing) {
        (Lang::Ja, Standing::Fails) => {
            format!("{owner}：{asks}。このメールには、それを満たす署名がありません。")
        }
        (Lang::Ja, _) => format!("{owner}：{asks}。"),
        (Lang::En, Standing::Fails) => format!("{owner}: {asks}. No signature in this mail meets that."),
        (Lang::En, _) => format!("{owner}: {asks}."),
    };
    Some(Evidence {
        id: "dmarc",
        title: lang.pick("ドメインの方針（DMARC）", "Policy of the domain (DMARC)"),
        standing,
        found,
        shows: lang.pick(
            "ドメインの持ち主が、自分を名乗るメールの扱いを受け取る側に頼んでいること。",
            "What the owner of the domain asks receivers to do with mail in its name.",
        ),
        shows_not: lang.pick(
            "差出人がだれか。よく似たドメインや、表示名だけのなりすましは通ります。",
            "Who sent it: domains that look alike and names that are only displayed get through.",
        ),
    })
}

/// What hosts claim, a row for each method: what a method would prove differs.
fn claims(passage: &Passage, lang: Lang) -> Vec<Evidence> {
    let mut methods: BTreeMap<Method, Vec<String>> = BTreeMap::new();
    for claim in &passage.claims {
        let by = isolated(Safe::address(&claim.by));
        let result = isolated(Safe::name(&claim.result));
        let said = match lang {
            Lang::Ja => format!("{by} は {result} と書いています"),
            Lang::En => format!("{by} says {result}"),
        };
        let list = methods.entry(Method::of(&claim.method)).or_default();
        if !list.contains(&said) {
            list.push(said);
        }
    }
    let row = |(method, mut said): (Method, Vec<String>)| {
        let all = said.len();
        said.truncate(NAMED);
        let (id, title, shows, shows_not) = method.words(lang);
        Some(Evidence { id, title, standing: Standing::Claimed, found: listed(said, all, lang)?, shows, shows_not })
    };
    methods.into_iter().filter_map(row).collect()
}

/// A sentence of what was named, and how many more there are; `None` of nothing.
fn listed(named: Vec<String>, all: usize, lang: Lang) -> Option<String> {
    let more = all.saturating_sub(named.len());
    if named.is_empty() {
        return None;
    }
    let named = named.join(lang.pick("、", "; "));
    Some(match (more, lang) {
        (0, Lang::Ja) => format!("{named}。"),
        (0, Lang::En) => format!("{named}."),
        (more, Lang::Ja) => format!("{named}、ほか {more} 件。"),
        (more, Lang::En) => format!("{named}; and {more} more."),
    })
}

/// What a host on the way looked at (RFC 8601 §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Method {
    Spf,
    Dkim,
    Dmarc,
    Arc,
    Other,
}

impl Method {
    fn of(name: &str) -> Self {
        match name {
            "spf" => Self::Spf,
            "dkim" => Self::Dkim,
            "dmarc" => Self::Dmarc,
            "arc" => Self::Arc,
            _ => Self::Other,
        }
    }

    const fn words(self, lang: Lang) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Spf => (
                "claimed-spf",
                lang.pick("途中のサーバーの言い分（SPF）", "What hosts on the way say (SPF)"),
                lang.pick(
                    "本当なら、封筒にあたる欄のドメインが許した所から届いたこと。ここでは確かめられません。",
                    "If true: it came from where the domain on its envelope allows. It cannot be checked here.",
                ),
                lang.pick(
                    "差出人欄について、何も。メールを書いた人が自分で書き込むこともできます。",
                    "Anything about From. And whoever wrote the mail could have written this line.",
                ),
            ),
            Self::Dkim => (
                "claimed-dkim",
                lang.pick("途中のサーバーの言い分（DKIM）", "What hosts on the way say (DKIM)"),
                lang.pick(
                    "本当なら、そのサーバーに届いたときドメインの署名がどうだったか。",
                    "If true: how the signature of a domain stood when it reached that host.",
                ),
                lang.pick(
                    "だれが書いたか。メールを書いた人が自分で書き込むこともできます。",
                    "Who wrote it. And whoever wrote the mail could have written this line.",
                ),
            ),
            Self::Dmarc => (
                "claimed-dmarc",
                lang.pick("途中のサーバーの言い分（DMARC）", "What hosts on the way say (DMARC)"),
                lang.pick(
                    "本当なら、差出人欄のドメインが許した経路で届いたか。ここでは確かめられません。",
                    "If true: whether it came a way that From’s domain allows. It cannot be checked here.",
                ),
                lang.pick(
                    "差出人がだれか。よく似たドメインでも pass になります。",
                    "Who sent it: a domain that looks alike passes as well.",
                ),
            ),
            Self::Arc => (
                "claimed-arc",
                lang.pick("途中のサーバーの言い分（ARC）", "What hosts on the way say (ARC)"),
                lang.pick(
                    "本当なら、前のサーバーの判定がそのまま引き継がれたか。",
                    "If true: whether what hosts before it had found was handed on as it was.",
                ),
                lang.pick(
                    "差出人がだれか。途中のサーバーを信じる人にだけ役立ちます。",
                    "Who sent it. It tells something to those who trust the hosts.",
                ),
            ),
            Self::Other => (
                "claimed-other",
                lang.pick("途中のサーバーの言い分（そのほか）", "What hosts on the way say (other)"),
                lang.pick(
                    "そのサーバーがそう書いた、とメールの中にあること。",
                    "It stands in the mail that this host found so.",
                ),
                lang.pick(
                    "本当かどうか。メールを書いた人が自分で書き込むこともできます。",
                    "Whether it is true: whoever wrote the mail could have written this line.",
                ),
            ),
        }
    }
}
