//! What is said of the mail around the signature: its structure, fakes, encryption, limits.

/// Adds these rows to those of the files before, and hands all of them on.
macro_rules! mail {
    ([$next:ident $($further:ident)*] $($before:tt)*) => {
        $next! { [$($further)*] $($before)*
            // the mail's structure
            MimeNone "mime.none" {
                "電子署名はついていません", "メール全体にかかる署名がありません。", ASK_JA;
                "No signature", "No signature covers the mail as a whole.", ASK_EN;
            }
            MimeErrantSignature "mime.errant-sig" {
                "署名つきの部分を含みますが、メール全体の署名ではありません", "一部だけの署名では、ほかの部分をだれが書いたか分かりません。", ASK_JA;
                "Contains a signed part, but is not signed as a whole", "Such a part does not tell who wrote the rest.", ASK_EN;
            }
            MimeListShape "mime.list-shape" {
                "メーリングリストのメールですが、署名の外に余分なものがあります", "署名つきのメールと短い追記だけの形ではないため、どこまでが署名した人の文か決められません。", ASK_JA;
                "From a mailing list, with more around the signature than a footer", "Where the signer's words end cannot be told in this form.", ASK_EN;
            }
            MimeForwarded "mime.forwarded" {
                "添付されたメールがあります", "添付されたメールの署名は、このメールの差出人とは関係がありません。", "添付されたメールについての結果は、このメールの結果とは別に見てください。";
                "A mail is attached", "A signature on the attached mail says nothing about the sender of this one.", "See what is said of the attached mail by itself.";
            }
            MimeTnef "mime.tnef" {
                "Outlook 独自の形（winmail.dat）で届いた部分があります", "Outlook がメールを独自の形にまとめ直したため、中に署名があっても、差出人が書いたとおりには残っていません。", "送った人に、リッチテキストではなく HTML かテキストの形式で送りなおすよう頼んでください。";
                "A part of it came in Outlook's own form (winmail.dat)", "Outlook has repacked the mail; a signature inside, if any, no longer covers what its sender wrote.", "Ask the sender to send it again as HTML or plain text, not as rich text.";
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
            AuthDmarc "auth.dmarc" {
                "差出人欄のドメインの署名（DKIM）がありません", "このドメインの持ち主は、そのようなメールを疑うか断るよう求めています。送ったサーバーが許されていたか（SPF）は、ファイルからは分かりません。", ASK_JA;
                "No signature of From's domain (DKIM) holds", "The owner of the domain asks others to suspect or refuse such mail. Whether the sending server was permitted (SPF) cannot be seen from a file.", ASK_EN;
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
                "Outlook の .msg 形式です", "この形式には、届いたままのメールが残っていないことがあります。", OUTLOOK_JA;
                "Outlook's .msg format", "This format may not keep the mail as it arrived.", OUTLOOK_EN;
            }
            InOft "in.oft" {
                "Outlook のテンプレート（.oft）です", "これから書くメールのひな形で、届いたメールではありません。", OUTLOOK_JA;
                "An Outlook template (.oft)", "It is a form for mails to be written, not a mail that arrived.", OUTLOOK_EN;
            }
            InPst "in.pst" {
                "Outlook のデータファイル（.pst、.ost）です", "メールボックス全体が独自の形で入っていて、届いたままのメールは残っていません。", OUTLOOK_JA;
                "An Outlook data file (.pst, .ost)", "It holds a whole mailbox in a form of its own, not the mails as they arrived.", OUTLOOK_EN;
            }
            InTnef "in.tnef" {
                "winmail.dat です", "Outlook が独自の形にまとめた添付ファイルで、メールの一部にすぎません。", "この添付ファイルではなく、これがついていたメール全体を .eml 形式で保存してください。";
                "A winmail.dat", "It is how Outlook packs what is attached: a part of a mail, not the mail.", "Save the whole mail that it came with as .eml.";
            }
            InMht "in.mht" {
                "Web ページとして保存されたファイル（.mht）です", "画面に出ていた内容から作り直したもので、届いたままのメールではありません。", RESAVE_JA;
                "A saved web page (.mht)", "It was made anew from what was on the screen; the mail as it arrived is not in it.", RESAVE_EN;
            }
            InHtml "in.html" {
                "HTML ファイルです", "メールの見た目だけで、署名もヘッダーも入っていません。", RESAVE_JA;
                "A web page (HTML)", "It holds how a mail looks, without its signature and header.", RESAVE_EN;
            }
            InPdf "in.pdf" {
                "PDF ファイルです", "印刷したメールに、メールの署名は残りません。PDF 自体の署名は、ここでは確かめません。", "印刷や「PDF に保存」のかわりに、元のメールを .eml 形式で保存してください。";
                "A PDF", "A printed mail keeps no signature of the mail, and signatures of PDF are not checked here.", "Instead of printing or saving as PDF, save the original mail as .eml.";
            }
            InPicture "in.picture" {
                "画像ファイルです", "画面を写した画像からは、署名を確かめられません。", "画面を写すかわりに、元のメールを .eml 形式で保存してください。";
                "A picture", "A signature cannot be checked from a picture of the screen.", "Instead of a picture of the screen, save the original mail as .eml.";
            }
            InDocument "in.document" {
                "Word や Excel などの文書です", "届いたままのメールは、文書には入っていません。", RESAVE_JA;
                "A document", "The mail as it arrived is not in a document.", RESAVE_EN;
            }
            InArchive "in.archive" {
                "ZIP などにまとめられたファイルです", "中に何が入っているかは見ていません。", "展開して、中にある .eml ファイルを選んでください。";
                "An archive, such as a ZIP", "What is in it was not looked at.", "Unpack it and choose the .eml file inside.";
            }
            InCompressed "in.compressed" {
                "圧縮されたファイル（gzip など）です", "広げていないので、中がメールかどうかは分かりません。", "gunzip などで元に戻してから、もう一度お試しください。";
                "A compressed file (gzip or the like)", "It was not expanded, so whether a mail is in it is not known.", "Expand it, for example with gunzip, and try again.";
            }
            InEmlx "in.emlx" {
                "Apple の「メール」が内部で使うファイル（.emlx）です", "添付ファイルが抜かれていることがあり、届いたままとはかぎりません。", "「メール」でそのメールを開き、「ファイル」→「別名で保存」で、形式に「メッセージのソース」を選んで保存してください。";
                "A file of Apple Mail's own (.emlx)", "Attachments may have been taken out of it, so it need not be the mail as it arrived.", "Open the mail in Mail and choose File → Save As, with the format Raw Message Source.";
            }
            InText "in.text" {
                "メールの文字だけのファイルです", "画面に出ていた文字を写したもので、署名もヘッダーの全体も残っていません。", RESAVE_JA;
                "Only the text of a mail", "It holds what was on the screen, without the signature and the whole header.", RESAVE_EN;
            }
            InMbox "in.mbox" {
                "mbox 形式のファイルで、確かめたのは最初の一通だけです", "mbox は、何通ものメールを一つのファイルにまとめる形式です。二通目からあとは確かめていません。", "ほかのメールも確かめるには、一通ずつ .eml 形式で保存してください。";
                "An mbox file: only its first mail was checked", "An mbox file holds any number of mails. Whatever follows the first was not looked at.", "To check another one of them, save it by itself as .eml.";
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
            LimitPath "limit.path" {
                "証明書のつながりが複雑すぎます", "発行元を探すための証明書や名前、方針が多すぎるため、途中でやめました。わざとそう作られたと考えられます。", ASK_JA;
                "The certificates are too many to follow", "There are so many certificates, names or policies on the way to the issuer that the search was given up; honest mail has no such thing.", ASK_EN;
            }
            LimitCompressed "limit.compressed" {
                "圧縮された中身が大きすぎます", "広げると上限を超えます。わざと大きくしたものかもしれません。", ASK_JA;
                "The compressed content is too large", "Expanded, it is beyond the limit, perhaps on purpose.", ASK_EN;
            }
        }
    };
}
