//! The one table of reason codes: what the judge can say, and what it means to people.
//!
//! A code is stable: the wire form, the corpus, the log and support speak of it. Each has a title (a few words), why it
//! matters, and what to do next, in both languages. A code stands here only when the judge can give it.

use crate::lang::Lang;

/// What a reason says to people, in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A few words; no full stop.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do next.
    pub todo: &'static str,
}

macro_rules! reasons {
    ($($variant:ident $code:literal { $ja:literal, $ja_why:literal, $ja_todo:expr; $en:literal, $en_why:literal, $en_todo:expr; })*) => {
        /// Why an answer is as it is. The first of an answer decided its headline.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $en] $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The reason of a code, if there is one.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }

            /// What it means.
            pub const fn explain(self, lang: Lang) -> Explanation {
                match (self, lang) {
                    $((Self::$variant, Lang::Ja) => Explanation { title: $ja, why: $ja_why, todo: $ja_todo },
                      (Self::$variant, Lang::En) => Explanation { title: $en, why: $en_why, todo: $en_todo },)*
                }
            }
        }
    };
}

// What to do, where many reasons share it.
const NONE_JA: &str = "何もする必要はありません。";
const NONE_EN: &str = "Nothing to do.";
const ASK_JA: &str = "心当たりがなければ、公式サイトや電話で差出人に確かめてください。";
const ASK_EN: &str = "If you did not expect this mail, check with the sender through their website or by phone.";
const SHUT_JA: &str = "リンクや添付ファイルは開かず、別の方法で差出人に確かめてください。";
const SHUT_EN: &str = "Do not open links or files; check with the sender another way.";
const TELL_JA: &str = "差出人に知らせてください。送った側のメールソフトか証明書の問題です。";
const TELL_EN: &str = "Tell the sender: it is a matter of their mail program or their certificate.";
const RENEW_JA: &str = "差出人に、有効な証明書で送り直してもらってください。";
const RENEW_EN: &str = "Ask the sender to send it again with a valid certificate.";
const LATER_JA: &str = "時間をおいて、もう一度お試しください。";
const LATER_EN: &str = "Please try again later.";
const EML_JA: &str = "元のメールを .eml 形式で保存し直して、もう一度お試しください。";
const EML_EN: &str = "Save the original mail as .eml and try again.";

reasons! {
    Ok "ok" {
        "すべての確認がとれました", "署名、証明書、差出人の確認に問題はありませんでした。", NONE_JA;
        "Every check passed", "Signature, certificate and sender all hold.", NONE_EN;
    }

    // the path from the signer's certificate to an issuer
    PathOk "path.ok" {
        "発行元までたどれました", "証明書は、メール用として公開されている認証局の一覧までつながっています。", NONE_JA;
        "Path to a public issuer", "The certificate leads to a certificate authority on the public list for mail.", NONE_EN;
    }
    PathLocal "path.local" {
        "利用者が登録した発行元です", "証明書は、利用者または管理者が自分で選んだ発行元につながっています。公開の認証局ではありません。", NONE_JA;
        "Issuer chosen here", "The certificate leads to an issuer that the user or administrator chose; it is not a public one.", NONE_EN;
    }
    PathOwnCa "path.own-ca" {
        "この Kakitome が自分で発行した証明書です", "外部の認証局が確かめたものではなく、この Kakitome の中だけで確認できます。", NONE_JA;
        "Issued by this Kakitome itself", "No outside certificate authority checked it; it can be confirmed only here.", NONE_EN;
    }
    PathSelfSigned "path.selfsigned" {
        "自分で作った証明書です", "証明書に署名したのは証明書の持ち主自身です。名前は何とでも書けます。", ASK_JA;
        "The certificate vouches for itself", "Its owner signed it; any name can be written into such a certificate.", ASK_EN;
    }
    PathUnknown "path.unknown" {
        "発行元が分かりません", "証明書から、知られている発行元までたどれません。途中の証明書が欠けている場合もあります。", ASK_JA;
        "Unknown issuer", "No path leads from the certificate to a known issuer; a certificate in between may be missing.", ASK_EN;
    }
    PathNoAnchors "path.no-anchors" {
        "比べる発行元の一覧がありません", "確認に使う発行元が一つも登録されていません。", "発行元の証明書を --trust か --public-roots で指定してください。";
        "No issuers to compare with", "Not one trusted issuer was given to this check.", "Give issuers with --trust or --public-roots.";
    }
    PathInvalid "path.invalid" {
        "証明書のつながりが正しくありません", "発行元までの証明書のどれかで、署名または期限が合いません。", ASK_JA;
        "The chain of certificates does not hold", "A signature or a date in a certificate on the way to the issuer is wrong.", ASK_EN;
    }
    PathPolicy "path.policy" {
        "求められた発行方針が成り立ちません", "証明書のつながりの全体に通じる発行方針（ポリシー）がありません。", TELL_JA;
        "A demanded policy does not hold", "No certificate policy that is acceptable holds through the whole chain.", TELL_EN;
    }
    PathLength "path.pathlen" {
        "証明書のつながりが長すぎます", "発行元が許した段数を超えて証明書が発行されています。", ASK_JA;
        "The chain of certificates is too long", "More authorities stand in the chain than the issuer permits.", ASK_EN;
    }
    PathNotCa "path.notca" {
        "発行する資格のない証明書で発行されています", "ふつうの利用者の証明書を使って、別の証明書が作られています。", SHUT_JA;
        "Issued by one who may not issue", "An ordinary user's certificate was used to make another certificate.", SHUT_EN;
    }
    PathPurpose "path.eku" {
        "発行元がメール用ではありません", "途中の認証局の証明書に、メールの保護という用途がありません。", TELL_JA;
        "The issuer is not for mail", "A certificate authority in the chain lacks the purpose of protecting mail.", TELL_EN;
    }
    PathNameConstraint "path.nameconstraint" {
        "発行元の担当外のアドレスです", "発行元は、このアドレスの証明書を出すことを許されていません。", ASK_JA;
        "Outside the issuer's names", "The issuer is not permitted to vouch for this address.", ASK_EN;
    }

    // the signer's certificate
    CertPurpose "cert.eku" {
        "メール用の証明書ではありません", "証明書の用途に、メールの保護が含まれていません。", TELL_JA;
        "The certificate is not for mail", "Its purposes do not include the protection of mail.", TELL_EN;
    }
    CertKeyUsage "cert.ku" {
        "署名用の鍵ではありません", "証明書は、この鍵で署名することを認めていません（RFC 8550 §4.4.2）。", TELL_JA;
        "The key is not for signing", "The certificate does not allow this key to sign (RFC 8550 §4.4.2).", TELL_EN;
    }
    CertCritical "cert.critical" {
        "証明書に理解できない条件があります", "必ず守るべきと書かれた条件を、このソフトは知りません。", TELL_JA;
        "The certificate has a condition we do not know", "It is marked as one that must be understood.", TELL_EN;
    }
    CertMalformed "cert.malformed" {
        "証明書の形が正しくありません", "規格どおりに読み取れないため、何も確かめられません。", TELL_JA;
        "The certificate is malformed", "It cannot be read by the standard, so nothing in it can be checked.", TELL_EN;
    }
    CertSanNul "cert.san-nul" {
        "証明書のアドレスに不正な文字があります", "見るソフトによって違うアドレスに見えるように作られています。", SHUT_JA;
        "A forbidden character in the certificate's address", "Programs would read different addresses from it.", SHUT_EN;
    }

    // what the certificate says about its owner
    ClassOrg "class.org" {
        "組織が確かめられた証明書です", "認証局が組織の実在を確かめています。", NONE_JA;
        "Organisation validated", "A certificate authority checked that the organisation exists.", NONE_EN;
    }
    ClassPersonInOrg "class.person-in-org" {
        "組織に所属する人の証明書です", "組織は認証局が、氏名は認証局またはその組織が確かめています。", NONE_JA;
        "Person in an organisation", "The organisation was checked by a certificate authority, the name by it or by the organisation.", NONE_EN;
    }
    ClassPerson "class.person" {
        "個人が確かめられた証明書です", "認証局が本人を確かめています。所属は分かりません。", NONE_JA;
        "Individual validated", "A certificate authority checked the person; nothing is said of an employer.", NONE_EN;
    }
    ClassPseudonym "class.pseudonym" {
        "名前は仮名です", "認証局は本人を確かめましたが、証明書の名前は仮名です。", NONE_JA;
        "The name is a pseudonym", "A certificate authority checked the person; the name shown is a pseudonym.", NONE_EN;
    }
    ClassMailbox "class.mailbox" {
        "アドレスだけの証明書です", "会社名や氏名は、だれも確かめていません。", NONE_JA;
        "Address only", "Nobody has checked any company or person name.", NONE_EN;
    }
    ClassPreBr "class.prebr" {
        "今の発行基準より前の証明書です", "2023年9月より前に発行されたため、アドレスだけを確認したものとして扱います。", NONE_JA;
        "Older than today's rules of issuance", "It was issued before September 2023 and counts for its address only.", NONE_EN;
    }
    ClassNoPolicy "class.no-policy" {
        "確認の種類が書かれていません", "何を確かめた証明書かが書かれていないため、アドレスだけの確認として扱います。", NONE_JA;
        "No validation level stated", "The certificate does not say what was checked; it counts for its address only.", NONE_EN;
    }
    ClassMultiOid "class.multi-oid" {
        "確認の種類が二つ以上書かれています", "どれが正しいか分からないため、アドレスだけの確認として扱います。", NONE_JA;
        "More than one validation level", "Which one holds is unclear; it counts for its address only.", NONE_EN;
    }
    ClassContradiction "class.contradiction" {
        "証明書の中身が食い違っています", "確認の種類と書かれている名前が合わないため、アドレスだけの確認として扱います。", NONE_JA;
        "The certificate contradicts itself", "Its names do not fit the stated validation level; it counts for its address only.", NONE_EN;
    }
    ClassOidPrivate "class.oid-private" {
        "組織名や氏名は発行元の申告です", "公開の基準の印がありますが、この発行元は公開の監査を受けていません。", NONE_JA;
        "Names are the issuer's own claim", "It carries the mark of the public rules, but this issuer is not publicly audited.", NONE_EN;
    }

    // revocation
    RevCrlGood "rev.crl.good" {
        "取り消されていません", "発行元の失効リストに、この証明書は載っていません。", NONE_JA;
        "Not revoked", "The issuer's revocation list does not name this certificate.", NONE_EN;
    }
    RevOcspGood "rev.ocsp.good" {
        "取り消されていません", "発行元に代わって答えるサーバー（OCSP）が、この証明書は取り消されていないと答えています。", NONE_JA;
        "Not revoked", "The issuer's responder (OCSP) says that this certificate is good.", NONE_EN;
    }
    RevNoneOffered "rev.none-offered" {
        "取り消しの情報は提供されていません", "この発行元は、取り消しを調べる場所を証明書に書いていません。", NONE_JA;
        "The issuer offers no revocation list", "The certificate names no place where revocation could be looked up.", NONE_EN;
    }
    RevUnavailable "rev.unavailable" {
        "取り消しの情報を得られませんでした", "証明書が取り消されていないか、確かめられませんでした。", LATER_JA;
        "Revocation list not available", "Whether the certificate was revoked could not be found out.", LATER_EN;
    }
    RevStale "rev.stale" {
        "取り消しの情報が古すぎます", "発行元の失効リストの期限が過ぎています。", LATER_JA;
        "Revocation list out of date", "The issuer's revocation list is past its next update.", LATER_EN;
    }
    RevOff "rev.off" {
        "取り消しは調べていません", "取り消しの確認は、指定により省かれました。", "調べるには --revocation off を外してください。";
        "Revocation was not checked", "The check was switched off.", "Leave out --revocation off to check it.";
    }
    RevBefore "rev.before" {
        "取り消された証明書です", "この証明書は、基準の時刻より前に取り消されています。", SHUT_JA;
        "The certificate was revoked", "It was revoked before the time that counts here.", SHUT_EN;
    }
    RevKeyCompromise "rev.keycompromise" {
        "鍵が漏れたため取り消された証明書です", "ほかの人がこの鍵で署名できるため、いつの署名でも差出人の確認に使えません。", SHUT_JA;
        "Revoked because the key leaked", "Others can sign with this key, so no signature of it counts, whatever its date.", SHUT_EN;
    }
    RevHold "rev.hold" {
        "一時停止中の証明書です", "発行元が、この証明書の利用を一時的に止めています。", ASK_JA;
        "The certificate is suspended", "Its issuer has put it on hold.", ASK_EN;
    }
    RevCa "rev.ca" {
        "発行元の証明書が取り消されています", "途中の認証局が取り消されたため、その先の証明書も使えません。", SHUT_JA;
        "An issuing authority was revoked", "With it, every certificate that it issued falls.", SHUT_EN;
    }

    // From and the certificate's addresses
    BindExact "bind.from-san.exact" {
        "差出人と証明書のアドレスが一致します", "差出人欄のアドレスは、署名した人の証明書に書かれています。", NONE_JA;
        "From matches the certificate", "The address in From stands in the signer's certificate.", NONE_EN;
    }
    BindCase "bind.case" {
        "差出人と証明書のアドレスが、大文字小文字を除いて一致します", "メールではふつう同じアドレスとして扱われます。", NONE_JA;
        "From matches but for upper and lower case", "Mail systems treat both as the same address.", NONE_EN;
    }
    BindNone "bind.none" {
        "差出人と証明書のアドレスが違います", "差出人欄のアドレスは、署名した人の証明書にありません。", SHUT_JA;
        "From is not in the certificate", "The signer's certificate does not vouch for the address in From.", SHUT_EN;
    }
    BindSenderOnly "bind.sender-only" {
        "署名した人が代理で送信しています", "署名は Sender 欄の人のもので、差出人欄の人のものではありません。", ASK_JA;
        "Signed by the Sender, not by From", "The signature is that of the Sender field, not of the person in From.", ASK_EN;
    }
    BindDnEmail "bind.dn-email" {
        "証明書の古い場所にアドレスがあります", "アドレスは証明書の主体者名にだけ書かれています（RFC 8550 §3 では避けるべき形）。", NONE_JA;
        "The address stands in an old place", "The certificate has it in the subject only, which RFC 8550 §3 advises against.", NONE_EN;
    }
    BindNoAddress "bind.noaddress" {
        "証明書にアドレスがありません", "署名した人は分かりますが、このアドレスの持ち主かは分かりません。", ASK_JA;
        "The certificate has no address", "Who signed is known, but not that the address is theirs.", ASK_EN;
    }
    BindNoFrom "bind.no-from" {
        "差出人欄がありません", "比べる差出人がないため、確認できません。", ASK_JA;
        "No From", "There is no sender to compare the signature with.", ASK_EN;
    }
    BindNoAddr "bind.no-addr" {
        "差出人欄にアドレスがありません", "名前だけでは、署名と比べられません。", ASK_JA;
        "No address in From", "A name alone cannot be compared with the signature.", ASK_EN;
    }
    BindDupFrom "bind.dup-from" {
        "差出人欄が二つ以上あります", "見るソフトによって違う差出人が表示されます。", SHUT_JA;
        "More than one From", "Programs would show different senders.", SHUT_EN;
    }
    BindMultiFrom "bind.multi-from" {
        "差出人が二人以上です", "一つの署名で、だれが書いたかを決められません。", ASK_JA;
        "More than one sender in From", "One signature cannot tell who of them wrote it.", ASK_EN;
    }
    BindParse "bind.parse" {
        "差出人欄の書き方が正しくありません", "見るソフトによって違うアドレスに見えるおそれがあります。", SHUT_JA;
        "From is malformed", "Programs could read different addresses from it.", SHUT_EN;
    }

    // the signature's structure (RFC 5652)
    CmsDigest "cms.digest" {
        "内容が署名と一致しません", "本文または添付ファイルが、署名のあとで変わっています。", SHUT_JA;
        "The content does not match the signature", "Text or attachments changed after it was signed.", SHUT_EN;
    }
    CmsSignatureValue "cms.sigvalue" {
        "署名の値が正しくありません", "署名が、証明書の鍵で作られたものではありません。", SHUT_JA;
        "The signature value is wrong", "It was not made with the certificate's key.", SHUT_EN;
    }
    CmsParse "cms.parse" {
        "署名のデータを読めません", "署名のデータが途中で切れているか、壊れています。", EML_JA;
        "The signature cannot be read", "Its data is cut off or damaged.", EML_EN;
    }
    CmsTrailing "cms.trailing" {
        "署名のあとに余分なデータがあります", "署名のデータの後ろに、何かが付け足されています。", ASK_JA;
        "Data after the signature", "Something was appended to the signature's data.", ASK_EN;
    }
    CmsTwoContents "cms.econtent-and-detached" {
        "署名の中に別の本文が入っています", "表示される本文と署名された本文が違うように見せる手口です。", SHUT_JA;
        "Another text inside the signature", "It is a way to show one text while another one is verified.", SHUT_EN;
    }
    CmsForgedAttributes "cms.forged-attrs" {
        "署名の一部が本文に見せかけられています", "別の署名から取り出したデータを、本文として使う手口です。", SHUT_JA;
        "Part of a signature posing as the text", "Data taken from another signature is used as the text.", SHUT_EN;
    }
    CmsManySigners "cms.multi-signer" {
        "署名した人が二人以上います", "どの署名を見せるかがソフトによって違うため、確認できたとは言えません。", ASK_JA;
        "More than one signer", "Programs differ in which of them they show.", ASK_EN;
    }
    CmsNoSigner "cms.no-signer" {
        "署名の入れ物に署名がありません", "形だけの署名です。だれも署名していません。", ASK_JA;
        "A signature without a signer", "The form is there, but nobody signed.", ASK_EN;
    }
    CmsCertsOnly "cms.certs-only" {
        "証明書を配るためのメールです", "証明書だけが入っています。署名ではありません。", NONE_JA;
        "A mail that hands out certificates", "It holds certificates only and is not signed.", NONE_EN;
    }
    CmsAttributes "cms.attrs" {
        "署名に必要な項目が足りないか、重なっています", "署名された項目が RFC 5652 §11 の決まりどおりではありません。", TELL_JA;
        "Signed attributes missing or repeated", "They do not follow RFC 5652 §11.", TELL_EN;
    }
    CmsAttributesNotDer "cms.attrs-der" {
        "署名された項目の書き方が決まりと違います", "署名された項目が DER で書かれていません（RFC 5652 §5.3）。", TELL_JA;
        "Signed attributes not in DER", "RFC 5652 §5.3 asks for DER.", TELL_EN;
    }
    CmsContentType "cms.contenttype" {
        "署名された中身の種類が合いません", "署名に書かれた種類と、実際の中身の種類が違います。", TELL_JA;
        "The signed type of content differs", "The type named in the signature is not that of the content.", TELL_EN;
    }
    CmsAlgorithmProtection "cms.algprot" {
        "署名の方式がすり替えられています", "署名された方式の記録と、実際の方式が違います（RFC 6211）。", SHUT_JA;
        "Algorithms were exchanged", "The signed record of the algorithms differs from those used (RFC 6211).", SHUT_EN;
    }
    CmsSigningCertificate "cms.esscert" {
        "署名が別の証明書を指しています", "署名に記録された証明書と、ついている証明書が違います（RFC 5035）。", SHUT_JA;
        "The signature names another certificate", "The certificate recorded in the signature is not the one attached (RFC 5035).", SHUT_EN;
    }
    CmsHashMismatch "cms.hash-mismatch" {
        "署名の方式どうしが食い違っています", "内容のハッシュ値と署名とで、違うハッシュ方式が使われています。", TELL_JA;
        "Digest and signature disagree", "They name different hash algorithms.", TELL_EN;
    }
    CmsKeyMismatch "cms.key-mismatch" {
        "署名の方式と証明書の鍵が合いません", "証明書の鍵では、この方式の署名は作れません。", TELL_JA;
        "The certificate's key is not for this kind of signature", "The key cannot, or may not, make a signature by the algorithm that is named.", TELL_EN;
    }
    CmsSid "cms.sid" {
        "署名した人の証明書が一つに決まりません", "同じ名前で指される証明書が二つ以上あり、見るソフトによって違う人に見えるおそれがあります。", TELL_JA;
        "The signer's certificate is not certain", "More than one certificate bears the name that the signature gives; programs could show different signers.", TELL_EN;
    }
    CmsNoSignerCertificate "cms.no-signer-certificate" {
        "署名した人の証明書がついていません", "だれの署名かを調べる手がかりがありません。", TELL_JA;
        "The signer's certificate is missing", "There is nothing to tell whose signature it is.", TELL_EN;
    }
    CmsType "cms.type" {
        "署名ではない暗号データです", "署名のはずの場所に、別の種類のデータがあります。", ASK_JA;
        "Not signed data", "Another type of data stands where a signature should be.", ASK_EN;
    }
    CmsVersion "cms.version" {
        "署名の版の番号が正しくありません", "中身の読み方は変わりませんが、作ったソフトが規格に合っていません。", NONE_JA;
        "The signature names the wrong version", "It is read the same way, but the program that made it departs from the standard.", NONE_EN;
    }
    CmsBase64 "cms.base64" {
        "署名のデータに余分な文字があります", "読み飛ばせる文字でしたが、送ったソフトか途中の装置に問題があります。", TELL_JA;
        "The signature's data has stray characters", "They could be passed over, but a program on the way made them.", TELL_EN;
    }
    CmsNoContent "cms.no-content" {
        "署名だけがあり、中身がありません", "署名されたはずの中身がメールに入っていません。", TELL_JA;
        "A signature without content", "What should have been signed is not in the mail.", TELL_EN;
    }
    CmsCertificate "cms.certificate" {
        "読めない証明書がついています", "署名に添えられた証明書の一つが、決まりどおりの形ではありません。", NONE_JA;
        "A certificate in the mail cannot be read", "One of the certificates that came along is malformed.", NONE_EN;
    }
    CmsCountersignature "cms.countersig" {
        "別の人の署名が重ねてあります", "重ねられた署名は、差出人の確認には数えません。", NONE_JA;
        "Somebody else signed the signature", "A counter-signature does not count for the sender.", NONE_EN;
    }
    CmsAttribute "cms.attribute" {
        "署名に添えられた項目に、決まりどおりでないものがあります", "その項目は数えません。確認の結果には影響しません。", NONE_JA;
        "Something that came with the signature is malformed", "It does not count, and the result does not depend on it.", NONE_EN;
    }
    CmsDigestSet "cms.digest-set" {
        "署名のハッシュ方式が一覧にありません", "署名の入れ物の先頭にあるはずの方式の一覧に、使われた方式が書かれていません。", NONE_JA;
        "The list of hashes lacks the one used", "The signature's own list should name it; the result does not depend on it.", NONE_EN;
    }
    CmsTimestamp "cms.timestamp" {
        "タイムスタンプがついています", "タイムスタンプが署名に合うかは調べますが、だれが押したかは問わず、確認の結果には数えません。", NONE_JA;
        "A time-stamp is attached", "Whether it fits the signature is looked at, but not who made it; it does not count for the result.", NONE_EN;
    }
    CmsReceipt "cms.receipt" {
        "開封の受領書です", "署名つきの受領書で、ふつうのメールではありません。", ASK_JA;
        "A signed receipt", "It says that a mail was received, and is no mail itself.", ASK_EN;
    }
    CmsCompressed "cms.compressed" {
        "圧縮された中身が壊れています", "途中で切れているか、余分なものが付いています。", ASK_JA;
        "The compressed content is damaged", "It is cut off, or something follows it.", ASK_EN;
    }
    CmsUnsupported "cms.unsupported" {
        "知らない方式の署名です", "この署名の方式を、このソフトはまだ扱えません。", ASK_JA;
        "An algorithm that we do not know", "This program cannot check this kind of signature yet.", ASK_EN;
    }

    // strength of the algorithms
    AlgSha1 "alg.sha1" {
        "SHA-1 による署名です", "SHA-1 では、違う内容に同じ署名を作れるおそれがあります。", RENEW_JA;
        "Signed with SHA-1", "With SHA-1 one signature can be made to fit two contents.", RENEW_EN;
    }
    AlgWeak "alg.weak" {
        "弱い鍵または古い方式です", "いまの技術では偽造できるおそれがあります。", RENEW_JA;
        "Weak key or outdated algorithm", "It could be forged with today's technology.", RENEW_EN;
    }
    LintMicalg "lint.micalg" {
        "方式の目印が実際と違います", "micalg の値が実際の方式と違いますが、確認の結果には影響しません。", NONE_JA;
        "The micalg label is wrong", "It differs from the algorithm used; the result does not depend on it.", NONE_EN;
    }
    CompatXType "compat.xtype" {
        "古い名前の署名形式です", "x-pkcs7 という古い種類名が使われています。意味は同じです。", NONE_JA;
        "Old name of the signature type", "It uses the older x-pkcs7 name, which means the same.", NONE_EN;
    }
    CompatLabel "compat.label" {
        "署名や暗号化の部分に正しい種類名がありません", "中身は S/MIME ですが、別の種類のファイルとして付けられています。", TELL_JA;
        "An S/MIME part has another label", "By its content it is S/MIME, by its label some other file.", TELL_EN;
    }

    // the mail's structure
    MimeNone "mime.none" {
        "電子署名はついていません", "メール全体にかかる署名がありません。", ASK_JA;
        "No signature", "No signature covers the mail as a whole.", ASK_EN;
    }
    MimeErrantSignature "mime.errant-sig" {
        "署名つきの部分を含みますが、メール全体の署名ではありません", "一部だけの署名では、ほかの部分をだれが書いたか分かりません。", ASK_JA;
        "Contains a signed part, but is not signed as a whole", "Such a part does not tell who wrote the rest.", ASK_EN;
    }
    MimeForwarded "mime.forwarded" {
        "添付されたメールがあります", "添付されたメールの署名は、このメールの差出人とは関係がありません。", "添付されたメールを .eml で保存すれば、別に確かめられます。";
        "A mail is attached", "A signature on the attached mail says nothing about the sender of this one.", "Save the attached mail as .eml to check it by itself.";
    }
    MimeChildren "mime.children" {
        "署名つきメールの部品の数が違います", "本文と署名の二つだけのはずが、そうなっていません（RFC 1847）。", ASK_JA;
        "Wrong number of parts", "A signed mail has exactly two parts, text and signature (RFC 1847).", ASK_EN;
    }
    MimeProtocol "mime.protocol" {
        "署名の種類の表示が食い違っています", "外側に書かれた署名の種類と、実際の部品の種類が違います。", ASK_JA;
        "The kind of signature is contradictory", "The kind named outside is not that of the part inside.", ASK_EN;
    }
    MimeBoundary "mime.boundary" {
        "区切りの書き方があいまいです", "見るソフトによって、部品の切れ目が変わるおそれがあります。", ASK_JA;
        "Ambiguous boundary", "Programs could cut the parts in different places.", ASK_EN;
    }
    MimeDuplicateHeader "mime.dup-header" {
        "一つであるべきヘッダーが二つ以上あります", "見るソフトによって違う内容に見えるおそれがあります。", ASK_JA;
        "A header field stands twice", "Programs could show different content.", ASK_EN;
    }
    MimeLineEnds "mime.eol" {
        "改行の形がメールの決まりと違います", "署名が、メールでは使わない改行の形にしか合いません。見るソフトによって結果が変わります。", TELL_JA;
        "The line ends are not those of mail", "The signature fits only line ends that mail does not use; programs would disagree about it.", TELL_EN;
    }
    MimeHeader "mime.header" {
        "ヘッダーに読めない行があります", "ヘッダーの行の形が正しくないため、見るソフトによって違う内容に見えるおそれがあります。", ASK_JA;
        "A line of the header cannot be read", "Programs could show different content.", ASK_EN;
    }
    MimeHeaderForm "mime.header-form" {
        "ソフトによって読み方が変わるヘッダーがあります", "同じ欄が二つあるなどの形です。署名の確認には影響しません。", NONE_JA;
        "A header has a form that programs read differently", "A field that stands twice, or the like; the check of the signature does not depend on it.", NONE_EN;
    }
    MimeContentType "mime.content-type" {
        "部品の種類の表示が読めません", "Content-Type の書き方が正しくないため、見るソフトによって違う内容に見えるおそれがあります。", ASK_JA;
        "A part's type cannot be read", "A malformed Content-Type can make programs show different content.", ASK_EN;
    }
    MimeUnclosed "mime.unclosed" {
        "メールの終わりの区切りがありません", "途中で切れたか、作ったソフトが区切りを書き忘れています。", ASK_JA;
        "The closing boundary is missing", "The mail was cut off, or the program that made it left the boundary out.", ASK_EN;
    }
    MimeInner "mime.inner" {
        "署名の中身の作りがあいまいです", "署名された中身が、見るソフトによって違って見えるおそれがあります。", ASK_JA;
        "The signed content can be read in two ways", "Programs could show different content.", ASK_EN;
    }
    MimePreamble "mime.preamble" {
        "署名の外側に文字があります", "区切りの外に書かれた文字です。ふつうは表示されず、署名の対象でもありません。", NONE_JA;
        "Text outside the parts", "It stands outside the boundaries, is not displayed and not signed.", NONE_EN;
    }
    MimeListFooter "mime.list-footer" {
        "メーリングリストが文を付け足しています", "付け足された文は、署名の対象ではありません。", "囲みの中だけを、署名した人の文として読んでください。";
        "A mailing list added text", "The added text is not covered by the signature.", "Read only what stands inside the frame as the signer's words.";
    }

    // fakes
    FakeNotCms "fake.notcms" {
        "署名の名前をつけた別のファイルです", "ファイルの中身は電子署名ではありません。", SHUT_JA;
        "A file with the name of a signature", "What is in it is not a signature.", SHUT_EN;
    }
    FakeOtherMail "fake.othermail" {
        "別のメールの署名がつけられています", "署名は、このメールの内容のものではありません。", SHUT_JA;
        "The signature of another mail", "It does not belong to the content of this mail.", SHUT_EN;
    }
    FakeFlattened "fake.flattened" {
        "署名の外枠が、配送中に外されています", "署名はこのメールの一部に合っていますが、メール全体を包む形ではなくなったため、差出人の確認には使えません。", "差出人に、別の経路で送り直してもらうか、直接確かめてください。";
        "The frame of the signature was taken off on the way", "The signature fits a part of this mail, but no longer encloses the whole, so it cannot show who sent it.", "Ask the sender to send it another way, or check with them directly.";
    }
    FakeWrapped "fake.wrapped" {
        "署名つきメールを署名ファイルに見せかけています", "別のメールを署名ファイルの名前で添付し、このメールの署名のように見せています。", SHUT_JA;
        "A signed mail posing as the signature", "Another mail was attached under the name of a signature.", SHUT_EN;
    }

    // encryption
    EncCannotOpen "enc.cannot-open" {
        "開くための鍵がここにありません", "暗号化されていて、宛先の人の鍵でだけ開けます。", "宛先の人のメールソフトで開いてください。";
        "No key here to open it", "It is encrypted, and only a key of the addressee opens it.", "Open it in the addressee's mail program.";
    }
    EncFailed "enc.failed" {
        "ここの鍵では開けませんでした", "壊れているか、別の鍵のために暗号化されています。どちらかは分かりません。", ASK_JA;
        "It does not open with the key here", "It is damaged, or was encrypted for another key; which of them cannot be told.", ASK_EN;
    }
    EncRefused "enc.refused" {
        "暗号化の作りが正しくありません", "改ざんの手口にも使われる形なので、開いていません。", ASK_JA;
        "The encryption is not well formed", "Attacks take such forms, so it was not opened.", ASK_EN;
    }
    EncUnsupported "enc.unsupported" {
        "知らない暗号方式です", "このプログラムでは開けない方式で暗号化されています。", TELL_JA;
        "Unknown means of encryption", "It is encrypted by means that this program does not open.", TELL_EN;
    }
    EncUnauthenticated "enc.unauthenticated" {
        "途中の書き換えに気づけない暗号方式です", "中の署名で確認できないかぎり、届いた内容は送られた内容と違うかもしれません。", NONE_JA;
        "This encryption does not notice changes", "Unless a signature inside says otherwise, what arrived may not be what was sent.", NONE_EN;
    }
    EncWeak "enc.weak" {
        "古い暗号方式です", "今のコンピューターでは、宛先以外の人にも読まれるおそれがあります。", TELL_JA;
        "Outdated encryption", "With today's computers, others than the addressee may read it.", TELL_EN;
    }
    EncWeakKey "enc.weak-key" {
        "宛先の鍵が弱すぎます", "今のコンピューターでは、宛先以外の人にも読まれるおそれがあります。", "新しい証明書を使ってください。";
        "The addressee's key is too weak", "With today's computers, others than the addressee may read it.", "Use a new certificate.";
    }
    EncRecipient "enc.recipient" {
        "読めない宛先の欄があります", "暗号の宛先のうち、読めないものは飛ばしました。", NONE_JA;
        "A recipient could not be read", "Recipients of the encryption that cannot be read were passed over.", NONE_EN;
    }
    EncOuterSignature "enc.outer-sig" {
        "暗号の外側にだけ署名があります", "署名した人が中身を書いたとはかぎりません。中身を見ずに署名できます。", ASK_JA;
        "The signature is outside the encryption", "Whoever signed need not have written what is inside, nor even seen it.", ASK_EN;
    }

    // time
    TimeExpiredSince "time.expired-since" {
        "証明書は、署名のあとで期限切れになりました", "署名日は送った人の申告なので、期限内の署名だったとは言い切れません。", ASK_JA;
        "The certificate has expired since", "The signing date is the sender's own claim, so it cannot be proven to lie before.", ASK_EN;
    }
    TimeExpiredAtSigning "time.expired-at-signing" {
        "署名した時点で期限の切れていた証明書です", "証明書の期限が過ぎたあとに署名されています。", RENEW_JA;
        "Expired when it was signed", "It was signed after the certificate had expired.", RENEW_EN;
    }
    TimeNotYet "time.notyet" {
        "まだ有効になっていない証明書です", "証明書の有効期間が始まる前に使われています。", RENEW_JA;
        "Not valid yet", "It was used before its validity begins.", RENEW_EN;
    }
    TimeFuture "time.future" {
        "署名日が未来です", "署名の日時が、今より先になっています。", ASK_JA;
        "Signed in the future", "The signing time lies ahead of now.", ASK_EN;
    }
    TimeReplay "time.replay" {
        "署名日がメールの日付よりずっと前です", "昔の署名つきメールが、もう一度送られたのかもしれません。", ASK_JA;
        "Signed long before the mail's date", "An old signed mail may have been sent again.", ASK_EN;
    }
    TimeSkew "time.skew" {
        "署名日とメールの日付が離れています", "配送の遅れか、時計のずれのこともあります。", ASK_JA;
        "Signing time and date lie apart", "It may be slow delivery or a wrong clock.", ASK_EN;
    }
    TimeNoSigningTime "time.no-signing-time" {
        "署名日が書かれていません", "いつ署名されたかは分かりません。", NONE_JA;
        "No signing time", "It does not say when it was signed.", NONE_EN;
    }

    // header protection (RFC 9788)
    HpClear "hp.clear" {
        "件名や宛先も署名の対象です", "署名された控えが入っているので、ヘッダーの書き換えも分かります。", NONE_JA;
        "Subject and addressees are signed too", "A signed copy of the header is inside, so a change of it would show.", NONE_EN;
    }
    HpNone "hp.none" {
        "件名や宛先は署名の対象外です", "署名は本文と添付ファイルだけにかかっています。", NONE_JA;
        "Subject and addressees are not signed", "The signature covers text and attachments only.", NONE_EN;
    }
    HpSubject "hp.subject" {
        "件名が署名したときと違います", "配送の途中で件名が書き換えられました。", ASK_JA;
        "The subject differs from the signed one", "It was rewritten on the way.", ASK_EN;
    }
    HpHeaders "hp.headers" {
        "ヘッダーの一部が署名したときと違います", "配送の途中で書き換えられました。", ASK_JA;
        "Header fields differ from the signed ones", "They were rewritten on the way.", ASK_EN;
    }
    HpAdded "hp.added" {
        "署名のあとに、ヘッダーが付け足されています", "返信先などが、署名した人の書いたものではありません。メーリングリストが付け足すこともあります。", "返信するときは、宛先を確かめてください。";
        "A header field was added after it was signed", "A reply address or the like is not the signer's own; mailing lists add such fields too.", "When you reply, look at the address first.";
    }
    HpInferred "hp.inferred" {
        "古い形式のヘッダー保護です", "署名された控えの形式が RFC 9788 より前のものです。何を隠すつもりだったかは、外側のヘッダーから推し量ったものです。", NONE_JA;
        "Header protection in an older form", "The signed copy is in a form from before RFC 9788; what was meant to be hidden is inferred from the outside.", NONE_EN;
    }
    HpCipherClear "hp.cipher-clear" {
        "暗号化の目印がありますが、暗号化されていません", "ヘッダーを隠したという目印は、このメールでは意味がありません。途中のだれもが読めました。", NONE_JA;
        "Marked as encrypted, but it was not", "The mark that fields are hidden means nothing here; everybody on the way could read them.", NONE_EN;
    }
    HpClearCipher "hp.clear-cipher" {
        "暗号化は、署名した人がしたものではないようです", "署名した人は、ヘッダーを隠すつもりのない目印をつけています。途中のサーバーが暗号化したのかもしれません。", NONE_JA;
        "The encryption seems not to be the signer's", "The signer's mark says that no field was to be hidden; a server on the way may have encrypted the mail.", NONE_EN;
    }
    HpOuterIgnored "hp.outer-ignored" {
        "信じられないヘッダーの控えがあります", "HP-Outer というヘッダーが、意味を持たない所にあります。読み飛ばしました。", NONE_JA;
        "A record of the header that is not believed", "An HP-Outer field stands where it means nothing; it was left out.", NONE_EN;
    }
    HpMisplaced "hp.misplaced" {
        "ヘッダー保護の目印が、意味のない所にあります", "署名や暗号化の根でない部品についた目印は、何も保証しません。読み飛ばしました。", NONE_JA;
        "A mark of header protection where it means nothing", "On a part that is not the root of what was signed or encrypted it warrants nothing; it was left out.", NONE_EN;
    }
    HpMalformed "hp.malformed" {
        "ヘッダー保護の目印が読めません", "目印の値が決まりに合わないため、件名や宛先は署名の対象外として扱いました。", NONE_JA;
        "The mark of header protection cannot be read", "Its value is none that is defined, so subject and addressees count as not signed.", NONE_EN;
    }
    HpFromMismatch "hp.from-mismatch" {
        "差出人欄が署名された差出人と違います", "表示される差出人は、署名した人が書いたものではありません。", SHUT_JA;
        "From differs from the signed From", "The sender that is displayed is not the one the signer wrote.", SHUT_EN;
    }

    // input
    InEmpty "in.empty" {
        "ファイルが空です", "読むものがありません。", EML_JA;
        "The file is empty", "There is nothing to read.", EML_EN;
    }
    InNotMail "in.not-mail" {
        "メールのファイルではありません", "メールのヘッダーが見つかりません。", EML_JA;
        "Not a mail", "No header of a mail was found.", EML_EN;
    }
    InMsg "in.msg" {
        "Outlook の .msg 形式です", "この形式には、届いたままのメールが残っていないことがあります。", "Outlook on the web などを使い、.eml 形式で保存し直してください。";
        "Outlook's .msg format", "This format may not keep the mail as it arrived.", "Save it as .eml, for example with Outlook on the web.";
    }
    InMbox "in.mbox" {
        "mbox 形式のファイルで、確かめたのは最初の一通だけです", "mbox は、何通ものメールを一つのファイルにまとめる形式です。二通目からあとは確かめていません。", "ほかのメールも確かめるには、一通ずつ .eml 形式で保存してください。";
        "An mbox file: only its first mail was checked", "An mbox file holds any number of mails. Whatever follows the first was not looked at.", "To check another one of them, save it by itself as .eml.";
    }
    InCut "in.cut" {
        "メールが途中で終わっています", "終わりの区切りがありません。保存や配送の途中で切れたおそれがあります。", EML_JA;
        "The mail ends too early", "Its last boundary is missing; it may have been cut off.", EML_EN;
    }

    // limits
    LimitSize "limit.size" {
        "大きすぎます", "このページで受け取れる大きさを超えています。", "コマンド kakitome check には大きさの制限がありません。";
        "Too big", "It is larger than this page accepts.", "The command kakitome check has no limit of size.";
    }
    LimitDepth "limit.depth" {
        "入れ子が深すぎます", "部品の入れ子が、決められた段数を超えています。", ASK_JA;
        "Nested too deeply", "Parts are nested beyond the limit.", ASK_EN;
    }
    LimitHeaders "limit.headers" {
        "ヘッダーが多すぎるか、長すぎます", "ヘッダーが、決められた数か長さを超えています。", ASK_JA;
        "Too many or too long header fields", "The header is beyond the limit.", ASK_EN;
    }
    LimitParts "limit.parts" {
        "部品が多すぎます", "部品の数が、決められた数を超えています。", ASK_JA;
        "Too many parts", "The number of parts is beyond the limit.", ASK_EN;
    }
    LimitCms "limit.cms" {
        "署名のデータが大きすぎます", "署名の大きさ、証明書の数または鍵の長さが上限を超えています。", ASK_JA;
        "The signature's data is too large", "Its size, its certificates or a key are beyond the limit.", ASK_EN;
    }
    LimitCompressed "limit.compressed" {
        "圧縮された中身が大きすぎます", "広げると上限を超えます。わざと大きくしたものかもしれません。", ASK_JA;
        "The compressed content is too large", "Expanded, it is beyond the limit, perhaps on purpose.", ASK_EN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        for code in &codes {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c)), "{code}");
        }
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn every_reason_is_explained_in_both_languages() {
        for reason in Reason::ALL {
            for lang in Lang::ALL {
                let Explanation { title, why, todo } = reason.explain(lang);
                let code = reason.code();
                for text in [title, why, todo] {
                    assert!(!text.is_empty(), "{code}");
                    // no Japanese in English; no judgement of the whole in either
                    assert!(lang == Lang::Ja || !text.chars().any(|c| c > '\u{2fff}'), "{code}: {text}");
                    for never in ["安全", "危険なし", "信頼できる", "本物"] {
                        assert!(!text.contains(never), "{code}: {text}");
                    }
                }
                let stop = if lang == Lang::Ja { '。' } else { '.' };
                assert!(!title.ends_with(stop) && why.ends_with(stop) && todo.ends_with(stop), "{code}");
                assert!(lang == Lang::En || title.chars().any(|c| c > '\u{2fff}'), "{code}: {title}");
            }
        }
    }
}
