//! What is said of a path, and of the certificates on it.

/// Adds these rows to those of the files before, and hands all of them on.
macro_rules! path {
    ([$next:ident $($further:ident)*] $($before:tt)*) => {
        $next! { [$($further)*] $($before)*
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
            PathNoEmailPurpose "path.no-email-purpose" {
                "メール用ではない発行元です", "公開の一覧にありますが、Web サイトなどのための発行元で、メールの差出人を確かめる資格はありません。", ASK_JA;
                "The issuer is for websites, not for mail", "It is on the public list, but its certificates are not made to show who sent a mail.", ASK_EN;
            }
            PathDistrusted "path.distrusted" {
                "この Kakitome の管理者が信頼しないとした発行元です", "公開の一覧にありますが、管理者が一覧から外しています。", ASK_JA;
                "An issuer that the operator does not trust", "It is on the public list; the operator of this Kakitome has taken it out.", ASK_EN;
            }
            PathDistrustAfter "path.distrust-after" {
                "発行元への信頼が終わったあとの証明書です", "この発行元は、ある日付までに出した証明書だけが認められていて、この証明書はそのあとに作られています。", ASK_JA;
                "Issued after trust in the issuer ended", "Only certificates that it issued before a certain day count, and this one is younger.", ASK_EN;
            }
            PathListOld "path.list-old" {
                "発行元の公開の一覧が 1 年以上前のものです", "新しい発行元は載っておらず、取り消された発行元が残っているかもしれません。", "Kakitome を新しくするか、--public-roots で新しい一覧を指定してください。";
                "The public list of issuers is more than a year old", "It does not know newer issuers, and may still hold some that were taken out since.", "Bring Kakitome up to date, or give a newer list with --public-roots.";
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
                "発行元の担当外の名前です", "証明書にあるアドレスや名前の中に、発行元が証明することを許されていないものがあります。", ASK_JA;
                "Outside the issuer's names", "The issuer is not permitted to vouch for an address or name in the certificate.", ASK_EN;
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
            ClassLocalNames "class.local-names" {
                "名前は、登録された発行元が確かめたものです", "この発行元は組織名や氏名も確かめていると、発行元を登録した人が記しています。公開の認証局の確認ではありません。", NONE_JA;
                "Names as checked by an issuer chosen here", "Whoever chose this issuer says that it checks names, too; no public authority did.", NONE_EN;
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
            RevNotFetched "rev.ssrf" {
                "取り消しの情報の場所が、取りに行ける所ではありません", "証明書が名指す場所が、公開のインターネットの http・https ではないため、取りに行きませんでした。", "社内の認証局なら、設定 fetch.allow_private にその範囲を加えるか、失効リストを --crl で与えてください。";
                "Nowhere to fetch revocation from", "The places that the certificate names are not http or https on the public Internet, so nothing was fetched.", "For the CA of an organisation, add its range to the setting fetch.allow_private, or give its list by --crl.";
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
            RevAfter "rev.after" {
                "その後、証明書が取り消されています", "このメールが届いたあとで取り消されました。届いた時点では有効でした。", NONE_JA;
                "The certificate was revoked afterwards", "It was revoked after this mail had been delivered, and was good at that time.", NONE_EN;
            }
            RevKeyCompromise "rev.keycompromise" {
                "鍵が漏れたため取り消された証明書です", "ほかの人がこの鍵で署名できるため、いつの署名でも差出人の確認に使えません。", SHUT_JA;
                "Revoked because the key leaked", "Others can sign with this key, so no signature of it counts, whatever its date.", SHUT_EN;
            }
            RevHold "rev.hold" {
                "一時停止中の証明書です", "発行元が、この証明書の利用を一時的に止めています。", ASK_JA;
                "The certificate is suspended", "Its issuer has put it on hold.", ASK_EN;
            }
            RevConflict "rev.conflict" {
                "取り消しの情報が食い違っています", "失効リストとサーバー（OCSP）の一方は取り消されたと、もう一方は有効だと答えています。悪い知らせのほうを採りました。", NONE_JA;
                "Revocation answers contradict each other", "Of the issuer's list and its responder one says revoked, the other good. The bad news counts.", NONE_EN;
            }
            RevCa "rev.ca" {
                "発行元の証明書が取り消されています", "途中の認証局が取り消されたため、その先の証明書も使えません。", SHUT_JA;
                "An issuing authority was revoked", "With it, every certificate that it issued falls.", SHUT_EN;
            }
        }
    };
}
