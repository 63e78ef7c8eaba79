//! The expert part as tables, the same for page and terminal.

use kakitome_pki::asn1::time::Time;

use super::Lang;
use crate::answer::{Answer, Certificate, CheckOutcome, HeaderState, Revoked, SignedBy, Step};
use crate::lookup::Lookup;
use crate::passage::Told;
use crate::safe::{Safe, code_points};

/// A table of the expert part. Its cells are fit to be shown as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// A name that does not depend on the language.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The heads of its columns; empty where the first column says what a line is.
    pub head: Vec<&'static str>,
    /// Its lines; each has as many cells as the head, or two.
    pub rows: Vec<Vec<String>>,
}

/// The tables of an answer, those with nothing in them left out.
pub fn tables(answer: &Answer, lang: Lang) -> Vec<Table> {
    let expert = &answer.expert;
    let tables = [
        reasons(answer, lang),
        evidence(answer, lang),
        checks(answer, lang),
        names(answer, lang),
        headers(answer, lang),
        tree(answer, lang),
        signature(answer, lang),
        expert.signer.as_ref().map_or_else(|| pairs("signer", "", Vec::new()), |signer| certificate(signer, lang)),
        signers(answer, lang),
        path(answer, lang),
        revocation(answer, lang),
        lookups(&expert.lookups, lang),
        passage(answer, lang),
        basis(answer, lang),
        findings(answer, lang),
    ];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

fn pairs(id: &'static str, title: &'static str, rows: Vec<(&'static str, String)>) -> Table {
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    Table { id, title, head: Vec::new(), rows: rows.map(|(name, value)| vec![name.to_owned(), value]).collect() }
}

fn value(text: &str) -> String {
    Safe::value(text).to_string()
}

fn optional(text: Option<&str>) -> String {
    text.map(value).unwrap_or_default()
}

fn time(time: Option<Time>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| value(text)).collect::<Vec<_>>().join(", ")
}

fn reasons(answer: &Answer, lang: Lang) -> Table {
    let row = |reason: &crate::reason::Reason| {
        let text = reason.explain(lang);
        let gap = lang.pick("", " ");
        vec![reason.code().to_owned(), text.title.to_owned(), format!("{}{gap}{}", text.why, text.todo)]
    };
    Table {
        id: "reasons",
        title: lang.pick("理由", "Reasons"),
        head: vec![
            lang.pick("コード", "Code"),
            lang.pick("内容", "Meaning"),
            lang.pick("説明とすること", "Why, and what to do"),
        ],
        rows: answer.reasons.iter().map(row).collect(),
    }
}

/// What it rests on, kind by kind.
fn evidence(answer: &Answer, lang: Lang) -> Table {
    let row = |one: super::evidence::Evidence| {
        let [shows, shows_not] = [one.shows, one.shows_not].map(str::to_owned);
        vec![one.title.to_owned(), one.standing.title(lang).to_owned(), one.found, shows, shows_not]
    };
    Table {
        id: "evidence",
        title: lang.pick("調べたもの", "What was looked at"),
        head: vec![
            lang.pick("何を", "What"),
            lang.pick("結果", "Result"),
            lang.pick("見つかったもの", "Found"),
            lang.pick("示すこと", "What it proves"),
            lang.pick("示さないこと", "What it does not"),
        ],
        rows: super::evidence::evidence(answer, lang).into_iter().map(row).collect(),
    }
}

fn checks(answer: &Answer, lang: Lang) -> Table {
    let row = |check: &crate::answer::Check| {
        let outcome = match check.outcome {
            CheckOutcome::Ok => lang.pick("✓ よい", "✓ holds"),
            CheckOutcome::Failed => lang.pick("✗ 合わない", "✗ fails"),
            CheckOutcome::NotReached => lang.pick("― その前に決まった", "― decided before"),
            CheckOutcome::Skipped => lang.pick("― 対象外", "― does not apply"),
        };
        vec![step(check.step, lang).to_owned(), outcome.to_owned(), value(check.detail.text(lang))]
    };
    Table {
        id: "checks",
        title: lang.pick("判定の順序", "How it was decided"),
        head: vec![lang.pick("確認", "Check"), lang.pick("結果", "Result"), lang.pick("見たもの", "Seen")],
        rows: answer.expert.checks.iter().map(row).collect(),
    }
}

const fn step(step: Step, lang: Lang) -> &'static str {
    match step {
        Step::Input => lang.pick("メールとして読めるか", "It is a mail"),
        Step::Structure => lang.pick("署名がメール全体にかかる形か", "The signature is at the root"),
        Step::Fake => lang.pick("署名に見せかけたものがないか", "Nothing poses as a signature"),
        Step::Expected => lang.pick("あるはずの署名があるか", "No signature is missing"),
        Step::Open => lang.pick("暗号を開けるか", "It can be opened"),
        Step::Cms => lang.pick("署名の作りが正しいか", "The signature is well formed"),
        Step::Signature => lang.pick("内容と署名が一致するか", "Content and signature match"),
        Step::Revoked => lang.pick("取り消された証明書ではないか", "No certificate was revoked"),
        Step::Binding => lang.pick("差出人と証明書が一致するか", "From and certificate match"),
        Step::Path => lang.pick("知られた発行元につながるか", "A path leads to a known issuer"),
        Step::Strength => lang.pick("方式が十分に強いか", "The algorithms are strong enough"),
        Step::Validity => lang.pick("証明書の期限と用途が合うか", "Dates and purpose fit"),
        Step::SigningTime => lang.pick("署名日に無理がないか", "The signing time is plausible"),
        Step::Whole => lang.pick("全体が署名されているか", "It is signed as a whole"),
        Step::Revocation => lang.pick("取り消しを調べられたか", "Revocation was looked up"),
        Step::Headers => lang.pick("件名などが署名どおりか", "Header fields are as signed"),
        Step::Lookalike => lang.pick("まぎらわしい相手ではないか", "Not made to look like another"),
        Step::Expiry => lang.pick("その後期限が切れていないか", "Not expired since"),
        Step::Class => lang.pick("証明書は何を確かめたものか", "What the certificate vouches for"),
    }
}

fn names(answer: &Answer, lang: Lang) -> Table {
    let who = &answer.who;
    let rows = [
        (lang.pick("差出人欄", "From"), who.from_header.as_deref()),
        (lang.pick("似ている相手", "Can be taken for"), who.looks_like.as_deref()),
        (lang.pick("証明書のアドレス", "Certified address"), who.address.as_deref()),
        (lang.pick("組織", "Organisation"), who.org.as_deref()),
        (lang.pick("氏名", "Person"), who.person.as_deref()),
        (lang.pick("証明書の発行者", "Issued by"), who.asserted_by.as_deref()),
        (lang.pick("署名時の件名", "Signed subject"), answer.protected_subject.as_deref()),
    ];
    Table {
        id: "names",
        title: lang.pick("名前と文字コード", "Names and code points"),
        head: vec![lang.pick("項目", "Field"), lang.pick("値", "Value"), lang.pick("文字コード", "Code points")],
        rows: rows
            .into_iter()
            .filter_map(|(name, text)| {
                let text = text?;
                let points = if text.is_ascii() { String::new() } else { code_points(text) };
                Some(vec![name.to_owned(), value(text), points])
            })
            .collect(),
    }
}

fn headers(answer: &Answer, lang: Lang) -> Table {
    let row = |header: &crate::answer::Header| {
        let state = match header.state {
            HeaderState::Unprotected => lang.pick("署名の対象外", "not signed"),
            HeaderState::Signed => lang.pick("署名どおり", "as signed"),
            HeaderState::Encrypted => lang.pick("暗号化だけ", "encrypted, not signed"),
            HeaderState::SignedAndEncrypted => lang.pick("署名どおり・暗号化", "as signed, and encrypted"),
            HeaderState::Differs => lang.pick("署名と違う", "differs"),
        };
        vec![
            value(&header.name),
            optional(header.outer.as_deref()),
            optional(header.protected.as_deref()),
            state.to_owned(),
        ]
    };
    Table {
        id: "headers",
        title: lang.pick("ヘッダー", "Header fields"),
        head: vec![
            lang.pick("名前", "Name"),
            lang.pick("表示される値", "As displayed"),
            lang.pick("署名された値", "As signed"),
            lang.pick("状態", "State"),
        ],
        rows: answer.expert.headers.iter().map(row).collect(),
    }
}

/// Deeper parts are drawn at this depth.
const DEEPEST: u16 = 12;

fn tree(answer: &Answer, lang: Lang) -> Table {
    let row = |part: &crate::answer::Part| {
        let bytes = &part.bytes;
        let indent = "· ".repeat(usize::from(part.depth.min(DEEPEST)));
        vec![
            format!("{indent}{}", Safe::value(&part.content_type)),
            optional(part.filename.as_deref()),
            bytes.end.saturating_sub(bytes.start).to_string(),
            format!("{}–{}", bytes.start, bytes.end),
            if part.signed { lang.pick("✓ 対象", "✓ signed") } else { "―" }.to_owned(),
        ]
    };
    Table {
        id: "tree",
        title: lang.pick("メールの構造", "MIME tree"),
        head: vec![
            lang.pick("種類", "Type"),
            lang.pick("ファイル名", "File name"),
            lang.pick("大きさ", "Size"),
            lang.pick("位置", "Bytes"),
            lang.pick("署名", "Signed"),
        ],
        rows: answer.expert.tree.iter().map(row).collect(),
    }
}

fn signature(answer: &Answer, lang: Lang) -> Table {
    let Some(signature) = &answer.expert.signature else { return pairs("signature", "", Vec::new()) };
    let mut table = pairs(
        "signature",
        lang.pick("署名（CMS）", "Signature (CMS)"),
        vec![
            (lang.pick("版", "Version"), signature.version.to_string()),
            (lang.pick("ハッシュ方式", "Digest"), value(&signature.digest)),
            (lang.pick("署名方式", "Signature algorithm"), value(&signature.algorithm)),
            (lang.pick("署名値の SHA-256", "SHA-256 of the signature"), value(&signature.sha256)),
        ],
    );
    table.rows.extend(signature.attributes.iter().map(|(name, text)| vec![value(name), value(text)]));
    table
}

fn signers(answer: &Answer, lang: Lang) -> Table {
    let row = |one: &SignedBy| {
        let who = one.subject.as_deref().map_or_else(|| lang.pick("証明書なし", "no certificate").to_owned(), value);
        let role = match one.depth {
            0 => lang.pick("メールに署名", "signed the mail").to_owned(),
            1 => lang.pick("その署名に署名", "signed that signature").to_owned(),
            depth => format!("{} ({depth})", lang.pick("その署名に署名", "signed that signature")),
        };
        let holds = if one.holds { lang.pick("合う", "fits") } else { lang.pick("合わない", "does not fit") };
        vec![who, role, holds.to_owned(), time(one.signed_claimed), list(&one.findings)]
    };
    Table {
        id: "signers",
        title: lang.pick("署名した全員", "Everybody who signed"),
        head: vec![
            lang.pick("証明書の主体者", "Subject of the certificate"),
            lang.pick("何に", "What"),
            lang.pick("署名", "Signature"),
            lang.pick("署名日（申告）", "Signed (claimed)"),
            lang.pick("気づいたこと", "Noticed"),
        ],
        rows: answer.expert.signers.iter().map(row).collect(),
    }
}

pub(super) fn certificate(certificate: &Certificate, lang: Lang) -> Table {
    pairs(
        "signer",
        lang.pick("署名した人の証明書", "Signer's certificate"),
        vec![
            (lang.pick("主体者", "Subject"), value(&certificate.subject)),
            (lang.pick("発行者", "Issuer"), value(&certificate.issuer)),
            (lang.pick("シリアル番号", "Serial number"), value(&certificate.serial)),
            (lang.pick("別名", "Alternative names"), list(&certificate.alternative_names)),
            (lang.pick("鍵", "Key"), value(&certificate.key)),
            (lang.pick("鍵の用途", "Key usage"), list(&certificate.key_usage)),
            (lang.pick("拡張用途", "Extended key usage"), list(&certificate.extended_key_usage)),
            (lang.pick("ポリシー", "Policies"), list(&certificate.policies)),
            (lang.pick("有効期間の開始", "Not before"), certificate.not_before.to_string()),
            (lang.pick("有効期間の終了", "Not after"), certificate.not_after.to_string()),
            ("SHA-256", value(&certificate.sha256)),
        ],
    )
}

fn path(answer: &Answer, lang: Lang) -> Table {
    let row = |step: &crate::answer::PathStep| {
        let role = if step.anchor { lang.pick("起点", "anchor") } else { "" };
        vec![value(&step.subject), role.to_owned(), value(&step.source)]
    };
    Table {
        id: "path",
        title: lang.pick("発行元までの道", "Path to the issuer"),
        head: vec![lang.pick("証明書", "Certificate"), lang.pick("役", "Role"), lang.pick("出所", "Source")],
        rows: answer.expert.path.iter().map(row).collect(),
    }
}

fn revocation(answer: &Answer, lang: Lang) -> Table {
    let row = |line: &crate::answer::Revocation| {
        let result = match &line.result {
            Revoked::Good => lang.pick("取り消されていない", "not revoked").to_owned(),
            Revoked::Since(when, reason) => {
                format!("{} {when} ({})", lang.pick("取り消し", "revoked"), Safe::value(reason))
            }
            Revoked::Unavailable => lang.pick("得られない", "not available").to_owned(),
            Revoked::NotOffered => lang.pick("提供されていない", "not offered").to_owned(),
            Revoked::Off => lang.pick("調べていない", "not checked").to_owned(),
        };
        vec![value(&line.subject), result, value(&line.source), time(line.this_update), time(line.next_update)]
    };
    Table {
        id: "revocation",
        title: lang.pick("取り消し", "Revocation"),
        head: vec![
            lang.pick("証明書", "Certificate"),
            lang.pick("結果", "Result"),
            lang.pick("出所", "Source"),
            lang.pick("発行", "This update"),
            lang.pick("次回", "Next update"),
        ],
        rows: answer.expert.revocation.iter().map(row).collect(),
    }
}

/// What was asked outside, and how it ended.
pub(super) fn lookups(lookups: &[Lookup], lang: Lang) -> Table {
    let row = |lookup: &Lookup| {
        let kept = if lookup.kept { lang.pick("（保存ずみ）", " (kept)") } else { "" };
        vec![
            lookup.what.title(lang).to_owned(),
            value(&lookup.place),
            lookup.end.title(lang).to_owned(),
            value(&lookup.detail),
            format!("{}{kept}", time(lookup.came)),
            value(&lookup.about),
        ]
    };
    Table {
        id: "lookups",
        title: lang.pick("外に問い合わせたこと", "What was asked outside"),
        head: vec![
            lang.pick("何を", "What"),
            lang.pick("どこに", "Where"),
            lang.pick("結果", "Result"),
            lang.pick("内容", "Detail"),
            lang.pick("得た時刻", "Received"),
            lang.pick("だれについて", "About"),
        ],
        rows: lookups.iter().map(row).collect(),
    }
}

/// What the way of the mail tells, and what it does not.
fn passage(answer: &Answer, lang: Lang) -> Table {
    let row = |told: Told| {
        vec![
            told.what.to_owned(),
            value(&told.whose),
            value(&told.result),
            told.shows.to_owned(),
            told.shows_not.to_owned(),
        ]
    };
    Table {
        id: "passage",
        title: lang.pick("配送の経路から分かること", "What the way of the mail tells"),
        head: vec![
            lang.pick("何が", "What"),
            lang.pick("だれの", "Whose"),
            lang.pick("結果", "Result"),
            lang.pick("示すこと", "What it shows"),
            lang.pick("示さないこと", "What it does not"),
        ],
        rows: answer.expert.passage.told(lang).into_iter().map(row).collect(),
    }
}

fn basis(answer: &Answer, lang: Lang) -> Table {
    let covers: Vec<_> = answer.altered.covers.iter().map(|covered| covered.name()).collect();
    let id = answer.who.org_id.as_ref().map(|id| format!("{} {} {}", id.scheme, id.country, id.value));
    let to: Vec<String> = answer.sealed.to.clone();
    pairs(
        "basis",
        lang.pick("判定のもと", "What it rests on"),
        vec![
            (lang.pick("状態", "State"), answer.state.name().to_owned()),
            (lang.pick("署名日（申告）", "Signed (claimed)"), time(answer.time.signed_claimed)),
            (lang.pick("配送日", "Delivered"), time(answer.time.delivered)),
            (
                lang.pick("判定の時点", "Judged at"),
                format!("{} ({})", answer.time.verified_at, answer.time.basis.name()),
            ),
            (lang.pick("署名の対象", "Covered"), covers.join(", ")),
            (lang.pick("組織の登録番号", "Registration"), optional(id.as_deref())),
            (lang.pick("暗号の方式", "Cipher"), optional(answer.sealed.alg.as_deref())),
            (lang.pick("暗号の宛先", "Sealed for"), list(&to)),
            (lang.pick("発行元の一覧", "List of issuers"), value(&answer.trust_list)),
            (
                lang.pick("発行元を選んだのは", "Issuer chosen by"),
                answer.whose_choice.map(|choice| choice.name().to_owned()).unwrap_or_default(),
            ),
            (lang.pick("エンジン", "Engine"), format!("kakitome {}", env!("CARGO_PKG_VERSION"))),
        ],
    )
}

fn findings(answer: &Answer, lang: Lang) -> Table {
    Table {
        id: "findings",
        title: lang.pick("気づいたこと", "Findings"),
        head: vec![lang.pick("コード", "Code"), lang.pick("内容", "Seen")],
        rows: answer.expert.findings.iter().map(|finding| vec![value(&finding.code), value(&finding.detail)]).collect(),
    }
}
