//! What is said of attachments that open with a password.

/// Adds these rows to those of the files before, and hands all of them on.
macro_rules! content {
    ([$next:ident $($further:ident)*] $($before:tt)*) => {
        $next! { [$($further)*] $($before)*
            PpapZip "ppap.zip" {
                "パスワード付き ZIP が添付されています（古い暗号）", "古い方式（ZipCrypto）で、パスワードを知らなくても破れることがあります。パスワードを同じ道筋で送れば、守りになりません。", PPAP_JA;
                "A ZIP file with a password (old cipher) is attached", "Its cipher, ZipCrypto, can be broken without the password; and a password that travels the same way protects nothing.", PPAP_EN;
            }
            PpapZipAes "ppap.zip-aes" {
                "パスワード付き ZIP が添付されています（AES）", "暗号は強くても、パスワードを同じ道筋で送れば、守りになりません。ウイルスの検査もできません。", PPAP_JA;
                "A ZIP file with a password (AES) is attached", "The cipher is strong, but a password that travels the same way protects nothing; and no scanner can look inside.", PPAP_EN;
            }
            PpapZipStrong "ppap.zip-strong" {
                "パスワード付き ZIP が添付されています（目次も暗号化）", "ファイルの一覧まで暗号化されているか、強い暗号と書かれています。開けるソフトは限られ、ウイルスの検査もできません。", PPAP_JA;
                "A ZIP file with strong encryption is attached", "Even the list of its files may be encrypted; few programs open it, and no scanner can look inside.", PPAP_EN;
            }
            PpapArchive "ppap.archive" {
                "パスワード付きの圧縮ファイルが添付されています", "7z、RAR などのファイルです。パスワードを同じ道筋で送れば守りにならず、ウイルスの検査もできません。", PPAP_JA;
                "An archive with a password is attached", "A 7z, RAR or similar file. A password that travels the same way protects nothing, and no scanner can look inside.", PPAP_EN;
            }
            PpapOffice "ppap.office" {
                "パスワード付きの Office 文書が添付されています", "読み取り専用のための決まったパスワードかどうかは、調べていません。ウイルスの検査はできません。", PPAP_JA;
                "An encrypted Office document is attached", "Whether it opens with the well-known password of read-only files is not tried. No scanner can look inside.", PPAP_EN;
            }
            PpapPdf "ppap.pdf" {
                "パスワード付きの PDF が添付されています", "開くためのパスワードか、印刷などを制限するだけのパスワードかは、調べていません。", PPAP_JA;
                "A PDF with a password is attached", "Whether the password is for opening it, or only restricts printing and the like, is not tried.", PPAP_EN;
            }
            PpapNested "ppap.nested" {
                "圧縮ファイルの中に、パスワード付きファイルがあります", "外側は開けますが、その中のファイルはパスワードがないと開けません。", PPAP_JA;
                "A file with a password is inside an attached archive", "The archive opens; a file in it does not open without its password.", PPAP_EN;
            }
            PpapDisguise "ppap.disguise" {
                "パスワード付きファイルの種類が、名前と合っていません", "検査を避けるため、名前の末尾を変えたものかもしれません。中身を見て判断しています。", SHUT_JA;
                "A file with a password has a name of another kind", "Its name may have been changed to pass filters; what it is was told by its content.", SHUT_EN;
            }
        }
    };
}
