//! Where a file is picked up: the form for the code, and what to do with the file afterwards.

use kakitome_office::deploy::Program;
use kakitome_office::deploy::pickup::{Offer, PATH};
use kakitome_verdict::text::Lang;
use maud::{Markup, html};

use super::{frame, installing};

/// The form. It says nothing of whose file it is: whoever found the link learns no more than that there is one.
pub fn pickup(offer: &Offer, token: &str, is_wrong: bool, lang: Lang) -> Markup {
    let title = lang.pick("証明書を受け取る", "Pick up your certificate");
    let program = installing::name(offer.program, lang);
    let path = format!("{PATH}/{token}");
    let main = html! {
        h1 { (title) }
        p.lead {
            (lang.pick(
                "管理者から別に伝えられたコードを入力してください。ファイルは一度だけダウンロードできます。",
                "Type the code that your administrator told you another way. The file can be downloaded once.",
            ))
        }
        form.pickup method="post" action={ (path) "?lang=" (lang.tag()) } {
            @if is_wrong {
                p.wrong #wrong role="alert" {
                    (lang.pick("コードが違います。", "That is not the code. "))
                    (left(offer.left(), lang))
                }
            }
            label for="code" { (lang.pick("コード", "Code")) }
            input #code type="text" name="code" required maxlength="100" autocomplete="off" autocapitalize="none"
                spellcheck="false" aria-describedby=(if is_wrong { "wrong about" } else { "about" }) aria-invalid=[is_wrong.then_some("true")] autofocus[is_wrong];
            small #about {
                (lang.pick("5文字ずつ、5組。ハイフンはなくてもかまいません。", "Five groups of five letters; the hyphens may be left out."))
            }
            div.go { button type="submit" { (lang.pick("ダウンロード", "Download")) } }
        }
        section.help aria-labelledby="next" {
            h2 #next {
                (lang.pick("ダウンロードのあとで：", "After the download: ")) (program)
            }
            p { (lang.pick("ファイルのパスワードは、いま入力したコードと同じです。", "The password of the file is the same code.")) }
            @if let Some(file) = authority(offer.program) {
                p {
                    (lang.pick("認証局の証明書も要ります：", "You also need the authority’s certificate: "))
                    a href={ (PATH) "/ca/" (file) } download { (file) }
                }
            }
            (installing::steps(offer.program, lang))
        }
    };
    frame(lang, &format!("{title} – Kakitome"), Some(&path), &main)
}

/// What a program needs beside its file. A profile for Apple's systems holds it.
const fn authority(program: Program) -> Option<&'static str> {
    match program {
        Program::Apple | Program::Exchange => None,
        Program::Thunderbird => Some("kakitome-ca.pem"),
        Program::Outlook | Program::Android => Some("kakitome-ca.cer"),
    }
}

fn left(count: i64, lang: Lang) -> String {
    match (lang, count) {
        (Lang::Ja, _) => format!("あと {count} 回まで試せます。"),
        (Lang::En, 1) => "You can try once more.".to_owned(),
        (Lang::En, _) => format!("You can try {count} more times."),
    }
}
