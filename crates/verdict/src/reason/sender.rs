//! What is said of the sender: whether the certificate speaks for From, and what of the header is signed.

/// Adds these rows to those of the files before, and hands all of them on.
macro_rules! sender {
    ([$next:ident $($further:ident)*] $($before:tt)*) => {
        $next! { [$($further)*] $($before)*
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

            // whom the sender could be taken for
            BindDisplayAddress "bind.display-addr" {
                "差出人名に、別のアドレスが書かれています", "名前だけを表示するメールソフトでは、別の人からのメールに見えます。", SHUT_JA;
                "Another address stands in the sender's name", "Mail programs that show the name alone make it look like somebody else's mail.", SHUT_EN;
            }
            BindDisplayPad "bind.display-pad" {
                "差出人名の空白で、本当のアドレスが隠れます", "長い空白のせいで、本当のアドレスが画面の外に押し出されます。", SHUT_JA;
                "Blanks in the sender's name hide the real address", "So many blanks push it out of sight.", SHUT_EN;
            }
            BindDisplayDomain "bind.display-domain" {
                "差出人名に、別のドメインが書かれています", "名前にあるドメイン（アドレスの @ の後ろの部分）は、実際のアドレスのものではありません。", SHUT_JA;
                "Another domain stands in the sender's name", "The domain in the name is not that of the address.", SHUT_EN;
            }
            BindDisplayOrganisation "bind.display-org" {
                "差出人名の組織は、確かめられていません", "名前は自由に書けます。その組織からのメールだと確かめた人はいません。", SHUT_JA;
                "Nobody checked the organisation in the sender's name", "Anyone can choose a name; nobody vouches that the mail is from that organisation.", SHUT_EN;
            }
            LookHomograph "look.homograph" {
                "見た目が同じ、別の文字が使われています", "別の言語の文字やよく似た文字で、知られた名前やアドレスに似せています。", SHUT_JA;
                "Other letters that look the same", "Letters of another script, or similar ones, imitate a known name or address.", SHUT_EN;
            }
            LookSimilar "look.similar" {
                "知られたアドレスによく似ています", "文字の入れ替えや付け足しで、知られた相手のアドレスに似せたものかもしれません。", SHUT_JA;
                "Very similar to a known address", "Letters changed or added may imitate the address of somebody you know.", SHUT_EN;
            }
            LookBidi "look.bidi" {
                "差出人名に、見えない文字や特殊な形の文字があります", "文字の並びを変える文字や全角の数字などで、別の名前に見せることができます。", SHUT_JA;
                "Invisible or unusual characters in the sender's name", "Such characters reorder or disguise what is read.", SHUT_EN;
            }
            LookQuotedLocal "look.quoted-local" {
                "アドレスの中に、別のアドレスが入っています", "本当のアドレスは、最後の @ より後ろで決まります。", SHUT_JA;
                "An address inside the address", "What stands behind the last @ says whose address it is.", SHUT_EN;
            }
            ExpectMissing "expect.missing" {
                "いつもある署名がありません", "この差出人は、すべてのメールに署名すると登録されています。", SHUT_JA;
                "The usual signature is missing", "This sender is on the list of those who sign every mail.", SHUT_EN;
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
            HpFromMungedList "hp.from-munged-list" {
                "メーリングリストが差出人欄を書き換えています", "署名した人の差出人欄は、リストのアドレスに置き換えられています。", "返信するときは、宛先を確かめてください。";
                "A mailing list rewrote From", "The list put its own address in the place of the signer's.", "When you reply, look at the address first.";
            }
            HpFromMismatch "hp.from-mismatch" {
                "差出人欄が署名された差出人と違います", "表示される差出人は、署名した人が書いたものではありません。", SHUT_JA;
                "From differs from the signed From", "The sender that is displayed is not the one the signer wrote.", SHUT_EN;
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
        }
    };
}
