//! What is said of a signature by itself: its structure and its algorithms.

/// Adds these rows to those of the files before, and hands all of them on.
macro_rules! signature {
    ([$next:ident $($further:ident)*] $($before:tt)*) => {
        $next! { [$($further)*] $($before)*
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
                "署名の版の番号が正しくありません", "署名を作ったソフトが規格に合っていません。番号によって読み方を変えるソフトがあります。", TELL_JA;
                "The signature names the wrong version", "The program that made it departs from the standard, and others may read it in another way by its version.", TELL_EN;
            }
            CmsBase64 "cms.base64" {
                "署名のデータに余分な文字があります", "読み飛ばせる文字でしたが、送ったソフトか途中の装置に問題があります。", TELL_JA;
                "The signature's data has stray characters", "They could be passed over, but a program on the way made them.", TELL_EN;
            }
            CmsNoContent "cms.no-content" {
                "署名だけがあり、中身がありません", "署名されたはずの中身がメールに入っていません。", TELL_JA;
                "A signature without content", "What should have been signed is not in the mail.", TELL_EN;
            }
            CmsTripleWrap "cms.triplewrap" {
                "別々の人の署名が重なっています", "内側と外側で署名した人が違い、だれのメールかが見るソフトによって変わります。", ASK_JA;
                "Signed by two people, one around the other", "Whose mail it is depends on which of the two signatures a program looks at.", ASK_EN;
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
        }
    };
}
