//! What is said of certificates, keys and files beside their contents: lints, flaws and notes, in Japanese. In English each
//! stands in its own table, beside the code that finds it.

use kakitome_pki::cert::flaw::Flaw;
use kakitome_pki::identity::Lint;

use super::Lang;
use crate::shown::{Note, Remark};

/// The sentence of a remark.
pub fn sentence(remark: &Remark, lang: Lang) -> &'static str {
    match remark {
        Remark::Flaw(found) => flaw(found.flaw, lang),
        Remark::Lint(which) => lint(*which, lang),
        Remark::Note(which, _) => note(*which, lang),
    }
}

/// What is odd by the S/MIME Baseline Requirements.
pub fn lint(lint: Lint, lang: Lang) -> &'static str {
    let ja = match lint {
        Lint::NoPolicy => "2023年9月1日以後の発行なのに、経路全体で有効な公開基準のポリシーがありません。",
        Lint::SeveralPolicies => "公開基準のポリシーが二つ以上あります。",
        Lint::LegacyAfterSunset => "2025年7月15日で終わった旧世代（legacy）のポリシーで、その後に発行されています。",
        Lint::MailboxWithNames => "アドレスだけを確かめた証明書なのに、組織や個人の名前が書かれています。",
        Lint::OrganisationWithPerson => "組織を確かめた証明書なのに、個人の名前が書かれています。",
        Lint::PersonWithOrganisation => "個人を確かめた証明書なのに、組織の名前が書かれています。",
        Lint::OrganisationMissing => "この種類に必要な組織名がないか、二つ以上あります。",
        Lint::OrganisationIdMissing => {
            "この種類に必要な組織の登録番号（organizationIdentifier）がないか、複数あるか、形が正しくありません。"
        }
        Lint::OrganisationIdCountry => "組織の登録番号の国が、所有者の国と違います。",
        Lint::PersonMissing => "この種類に必要な個人の氏名も仮名もありません。",
        Lint::PersonAndPseudonym => "個人の氏名と仮名の両方が書かれています。",
        Lint::ForeignUsage => "メール用の証明書に許されない拡張用途があります。",
        Lint::NoMailbox => "別名（subjectAltName）にメールアドレスがありません。",
        Lint::MailboxInSubjectOnly => "メールアドレスが、所有者名の古い属性（emailAddress）にしかありません。",
        Lint::SubjectMailboxNotListed => "所有者名にあるアドレスが、別名に載っていません。",
        Lint::Weak => "RSA鍵が2048ビット未満か、署名がSHA-1です。",
        Lint::ValidityTooLong => "有効期間が、公開基準の上限より長くなっています。",
        Lint::MailboxMalformed => "別名のメールアドレスの形が正しくありません。",
        Lint::SubjectMailboxes => "所有者名にアドレスが二つ以上あるか、アドレスの形でないものがあります。",
        Lint::CommonName => "共通名（CN）が、アドレスでも、この種類で許された名前でもありません。",
        Lint::MailboxAttribute => "アドレスだけを確かめた証明書に、アドレス以外を述べる属性があります。",
        Lint::StrictAttribute => "厳格な世代（strict）の証明書に、番地や郵便番号があります。",
        Lint::Country => "国がISO 3166-1の国コードではありません。",
        Lint::StateWithoutCountry => {
            "住所の一部だけがあります（番地があるのに市区町村や都道府県がない、または国がない）。"
        }
        Lint::OrganisationIdUnknownCountry => "組織の登録番号の国が、実在する国ではありません。",
        Lint::OrganisationIdState => "州の区分がない登録簿（LEI、VAT、INT）なのに、登録番号に州があります。",
        Lint::OrganisationIdReference => "番号のない登録簿（INT）なのに、登録番号に番号があります。",
        Lint::LeiChecksum => "LEIの検査数字が合いません（ISO 17442）。",
        Lint::StrictUsage => "厳格な世代（strict）の証明書に、メール以外の拡張用途があります。",
        Lint::NoEmailUsage => "拡張用途にメール（emailProtection）がありません。",
        Lint::NoKeyUsage => "鍵の用途（keyUsage）がありません。",
        Lint::KeyUsageNotCritical => "鍵の用途（keyUsage）が必須の条件（critical）になっていません。",
        Lint::KeyUsageForeign => "鍵の用途が、鍵の種類かメール用の証明書に合いません。",
        Lint::KeyAlgorithm => "公開基準に挙げられていない種類の鍵です。",
        Lint::AuthorityKeyIdentifier => "発行者の鍵を示す識別子（authorityKeyIdentifier）がありません。",
        Lint::NoCrlPoint => "失効リストの場所（cRLDistributionPoints）が書かれていません。",
        Lint::CrlPointScheme => "失効リストの場所が、HTTPで届くURLではありません。",
        Lint::NoIssuerUrl => "発行者の証明書のURL（caIssuers）がありません。",
        Lint::AccessScheme => "発行者についての情報の場所が、HTTPで届くURLではありません。",
        Lint::SanCritical => "所有者名があるのに、別名が必須の条件（critical）になっています。",
        Lint::OtherName => "厳格な世代（strict）の証明書に、独自の形の別名があります。",
        Lint::DirectoryAttributes => "旧世代以外の証明書に、subjectDirectoryAttributesがあります。",
        Lint::QcCritical => "QCStatementsが必須の条件（critical）になっています。",
        Lint::LeiExtension => "LEIの拡張が、置けない種類の証明書にあるか、必須の条件（critical）になっています。",
        Lint::AdobeExtension => "Adobeの拡張が、厳格な世代の証明書にあるか、必須の条件（critical）になっています。",
    };
    lang.pick(ja, lint.explain())
}

/// What is wrong with a certificate by itself.
pub fn flaw(flaw: Flaw, lang: Lang) -> &'static str {
    let ja = match flaw {
        Flaw::Cut => "途中で切れています。",
        Flaw::Trailing => "終わりの後ろに、余分なデータが続いています。",
        Flaw::Indefinite => "長さが不定の形（indefinite）です。DERでは許されません。",
        Flaw::Length => "長さが、必要より多いバイトで書かれています。",
        Flaw::Boolean => "真偽値（BOOLEAN）が00でもFFでもありません。",
        Flaw::Integer => "整数が、必要より多いバイトで書かれています。",
        Flaw::DefaultWritten => "DERでは省く既定値が書かれています。",
        Flaw::SetOrder => "SETの要素が、DERの順序に並んでいません。",
        Flaw::Structure => "項目が欠けているか、別のものがその場所にあります。",
        Flaw::TooLarge => "256 KiBを超えています。",
        Flaw::Version => "存在しないバージョンです。",
        Flaw::ExtensionsVersion => "バージョン3でないのに、拡張があります。",
        Flaw::SerialNegative => "シリアル番号が負の数です。",
        Flaw::SerialZero => "シリアル番号がゼロです。",
        Flaw::SerialLong => "シリアル番号が20バイトを超えています。",
        Flaw::AlgorithmsDiffer => "署名方式が二か所で食い違っています。",
        Flaw::AlgorithmParameters => "署名方式に、あってはならない引数があるか、あるべきNULLがありません。",
        Flaw::SignatureBits => "署名のビット列が、バイトの境目で終わっていません。",
        Flaw::Name => "名前の形が正しくありません。",
        Flaw::IssuerEmpty => "発行者の名前が空です。",
        Flaw::SubjectEmpty => "所有者の名前が空で、代わりになる別名がないか、必須の条件（critical）になっていません。",
        Flaw::Time => "日時の形が正しくありません。",
        Flaw::TimeForm => "2049年までの日時が、UTCTimeで書かれていません。",
        Flaw::ValidityReversed => "有効期間の終わりが、始まりより前です。",
        Flaw::UniqueIdentifiers => "書いてはならない識別子（issuerUniqueID、subjectUniqueID）があります。",
        Flaw::ExtensionsEmpty => "拡張の一覧が空です。",
        Flaw::ExtensionTwice => "同じ拡張が二つあります。",
        Flaw::Extension => "拡張の形が正しくありません。",
        Flaw::ExtensionUnknown => {
            "必須の条件（critical）とされた拡張を、このプログラムは知りません。この証明書はどの経路にも使われません。"
        }
        Flaw::NamesEmpty => "別名（subjectAltName）の一覧が空です。",
        Flaw::Authority => "証明書を発行する資格について、鍵の用途と基本制約が食い違っています。",
        Flaw::PathLength => "認証局でないのに、経路の長さが決められています。",
        Flaw::Key => "公開鍵の形が正しくありません。",
        Flaw::KeyHuge => "8192ビットを超えるRSA鍵です。計算に時間をかけさせるためのものです。",
        Flaw::KeyShort => "2048ビットに満たないRSA鍵です。破られるおそれがあります。",
        Flaw::KeyEven => "RSAの法が偶数です。だれでも素因数に分けられます。",
        Flaw::KeyFactor => "RSAの法に小さな約数があります。だれでも素因数に分けられます。",
        Flaw::KeyExponent => "公開指数が1か、偶数か、64ビットを超えています。",
        Flaw::KeyCurve => "曲線が名前でなく式で書かれています。鍵を偽造する手口に使われます（CVE-2020-0601）。",
        Flaw::KeyImpossible => {
            "公開鍵として成り立ちません。点が曲線の上にないか、数が範囲の外です。どの署名も確かめられません。"
        }
        Flaw::KeyParameters => "鍵の方式に、あってはならない引数があるか、あるべきNULLがありません。",
        Flaw::KeyUnknown => "このプログラムが知らない種類の鍵です。",
    };
    lang.pick(ja, flaw.explain())
}

fn note(note: Note, lang: Lang) -> &'static str {
    let ja = match note {
        Note::Unreadable => "読み取れません。",
        Note::Unsupported => "このプログラムが読まない方式が使われています。",
        Note::WrongPassword => "パスワードが違うか、ファイルが壊れています。",
        Note::Closed => "中身は、パスワードを入れると表示されます。",
        Note::More => "表示したもののほかにもあります。",
        Note::PlainKey => "秘密鍵が暗号化されていません。ファイルを手にした人は、鍵も手にします。",
        Note::KeyRefused => "この秘密鍵は使えません。",
        Note::NotForEmail => "発行元の一覧で、メール用には信頼しないとされた証明書です。",
        Note::Rc2 => "40ビットのRC2で暗号化されています。だれでも数時間で開けられます。",
        Note::OldCipher => "古い暗号です。これしか読めないプログラムのためのものです。",
        Note::FewRounds => "パスワードを引き延ばす回数が少なく、総当たりを速く試せます。",
        Note::NoIntegrity => "改ざんに気づく手立てがありません。",
        Note::KeyAlone => "この秘密鍵の証明書が入っていません。",
        Note::Unproven => "申請の署名が、申請された鍵のものではありません。鍵を持っていることが示されていません。",
        Note::WeakSignature => "今日では偽造できる方式で署名されています。",
        Note::UnknownCritical => {
            "必須の条件（critical）とされた拡張を、このプログラムは知りません。載っていないことは何も意味しません。"
        }
        Note::WeakKey => "申請された鍵が短すぎて、信用できません。",
    };
    lang.pick(ja, note.explain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_stands_in_both_languages() {
        let each = |say: &dyn Fn(Lang) -> &'static str, code: &str| {
            let (ja, en) = (say(Lang::Ja), say(Lang::En));
            assert!(ja.ends_with('。') && en.ends_with('.'), "{code}: {ja} {en}");
            assert!(ja.chars().any(|c| ('\u{3041}'..='\u{3096}').contains(&c)), "{code}: {ja}");
            assert!(en.chars().next().is_some_and(char::is_uppercase) || en.starts_with("keyUsage"), "{code}: {en}");
        };
        Lint::ALL.iter().for_each(|one| each(&|lang| lint(*one, lang), one.code()));
        Flaw::ALL.iter().for_each(|one| each(&|lang| flaw(*one, lang), one.code()));
        Note::ALL.iter().for_each(|one| each(&|lang| note(*one, lang), one.code()));
        let mut codes: Vec<&str> = Lint::ALL.iter().map(|one| one.code()).collect();
        codes.extend(Flaw::ALL.iter().map(|one| one.code()).chain(Note::ALL.iter().map(|one| one.code())));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count, "a code is given twice");
    }
}
