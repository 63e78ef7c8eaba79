//! The help: how a mail becomes a file in the reader's program, why it has to be that file, what other files are, what
//! this page does and keeps, and what its answers mean.

use kakitome_verdict::reason::{Explanation, Reason};
use kakitome_verdict::state::State;
use kakitome_verdict::text::Lang;
use kakitome_verdict::text::meaning::{self, Meaning};
use maud::{Markup, html};

use super::frame;
use super::saving::{Device, PROGRAMS, Program};
use crate::web::mark;

/// Where it is.
pub(super) const PATH: &str = "/help";

/// Files that are no mail and have an advice of their own, in the order of the page.
const FILES: [Reason; 13] = [
    Reason::InMsg,
    Reason::InOft,
    Reason::InPst,
    Reason::InTnef,
    Reason::InEmlx,
    Reason::InArchive,
    Reason::InCompressed,
    Reason::InMht,
    Reason::InHtml,
    Reason::InPdf,
    Reason::InPicture,
    Reason::InDocument,
    Reason::InText,
];

/// The place of the help that says more about a reason, as a path with its anchor; `None` where there is none.
pub fn about(reason: Reason, lang: Lang) -> Option<String> {
    let anchor = match reason {
        Reason::InMsg | Reason::InOft | Reason::InPst => "outlook-windows",
        Reason::InEmlx => "apple-mail",
        Reason::InEmpty | Reason::InNotMail => "save",
        reason if FILES.contains(&reason) => "save",
        _ => return None,
    };
    Some(format!("{PATH}?lang={}#{anchor}", lang.tag()))
}

/// The help, with the programs of a device first.
pub fn help(device: Device, lang: Lang) -> Markup {
    let title = lang.pick("メールをファイルに保存するには", "How to save a mail as a file");
    let (near, far): (Vec<&Program>, Vec<&Program>) = PROGRAMS.iter().partition(|program| program.is_on(device));
    let main = html! {
        div.help {
            h1 { (title) }
            p.lead {
                (lang.pick(
                    "届いたままのメールを .eml ファイルに保存して、最初のページに置いてください。お使いのメールソフトの手順は次のとおりです。",
                    "Save the mail as it arrived, as an .eml file, and drop it on the first page. Here is how, for your mail program.",
                ))
            }
            nav.programs aria-label=(lang.pick("メールソフト", "Mail programs")) {
                ul { @for program in near.iter().chain(&far) { li { a href={ "#" (program.id) } { (said(program.name, lang)) } } } }
            }
            section #save aria-labelledby="t-save" {
                h2 #t-save { (lang.pick("お使いの機器では", "On your device")) }
                @for program in near { (steps(program, lang)) }
            }
            section aria-labelledby="t-others" {
                h2 #t-others { (lang.pick("ほかの機器では", "On other devices")) }
                @for program in far { (steps(program, lang)) }
            }
            (why(lang))
            (files(lang))
            (does(lang))
            (states(lang))
        }
        p.again { a.button href={ "/?lang=" (lang.tag()) } { (lang.pick("メールを確かめる", "Check a mail")) } }
    };
    frame(lang, &format!("{title} – Kakitome"), Some(PATH), &main)
}

fn said(text: [&'static str; 2], lang: Lang) -> &'static str {
    let [ja, en] = text;
    lang.pick(ja, en)
}

fn steps(program: &Program, lang: Lang) -> Markup {
    let [ja, en] = program.steps;
    let steps = if lang == Lang::Ja { ja } else { en };
    let note = said(program.note, lang);
    html! {
        section.program #(program.id) aria-labelledby={ "t-" (program.id) } {
            h3 #{ "t-" (program.id) } { (said(program.name, lang)) }
            ol {
                @for (number, step) in (1..).zip(steps) {
                    li {
                        @match program.as_for.filter(|_| number == steps.len()) {
                            Some(other) => a href={ "#" (other) } { (step) },
                            None => (step),
                        }
                    }
                }
            }
            @if !note.is_empty() { p.note { (note) } }
        }
    }
}

fn why(lang: Lang) -> Markup {
    let points = [
        [
            "署名は、届いたメールのすべての文字にかかっています。ひとつでも変わると、確かめられません。",
            "A signature covers every character of the mail. If one of them changes, it can no longer be checked.",
        ],
        [
            "転送すると、あなたが差出人の新しいメールになります。元の署名は残りません。",
            "A forwarded mail is a new mail, from you. The signature of the original is gone.",
        ],
        [
            "コピー、印刷、PDF、画面の写しには、見た目だけが残ります。",
            "A copied text, a print, a PDF or a picture of the screen keep only how it looked.",
        ],
        [
            "「添付ファイルとして転送」なら元のメールが残ることがあります。受け取った添付の .eml を確かめてください。",
            "“Forward as attachment” may keep the original: check the .eml that is attached.",
        ],
    ];
    html! {
        section #why aria-labelledby="t-why" {
            h2 #t-why { (lang.pick("なぜ元のファイルが要るのか", "Why it has to be the original")) }
            ul { @for point in points { li { (said(point, lang)) } } }
        }
    }
}

fn files(lang: Lang) -> Markup {
    html! {
        section #files aria-labelledby="t-files" {
            h2 #t-files { (lang.pick("確かめられないファイル", "Files that cannot be checked")) }
            dl.kinds {
                @for reason in FILES {
                    @let Explanation { title, why, todo } = reason.explain(lang);
                    div #{ "file-" (reason.code().trim_start_matches("in.")) } {
                        dt { (title) }
                        dd { (why) " " (todo) }
                    }
                }
            }
        }
    }
}

fn does(lang: Lang) -> Markup {
    let does = [
        [
            "だれが署名したか、署名のあとで書き換えられていないか、証明書が今も有効かを調べます。",
            "It looks at who signed, whether anything was changed since, and whether the certificate still holds.",
        ],
        [
            "証明書の失効情報とドメインの公開情報を、それぞれの公開元に問い合わせることがあります。メールの中身は送りません。",
            "It may ask issuers whether a certificate was revoked, and the DNS about a domain. Nothing of what the mail says is sent.",
        ],
        [
            "書いてある内容が正しいか、添付ファイルを開いてよいかは判断しません。",
            "It does not judge whether the text is true, or whether an attachment should be opened.",
        ],
    ];
    let keeps = [
        [
            "メールは確認のあいだだけ一時的に置かれ、答えと同時に消えます。",
            "The mail is held while it is checked, and gone with the answer.",
        ],
        [
            "中身も差出人も記録しません。数えるのは、どの答えが何回出たかだけです。",
            "Neither content nor sender is logged. Only how often each answer was given is counted.",
        ],
        [
            "Cookie も会員登録もありません。このページの並び順だけが、ブラウザーの名乗る機器の種類で変わります。",
            "There are no cookies and no accounts. Only the order of this page follows the kind of device that the browser names.",
        ],
    ];
    html! {
        section #does aria-labelledby="t-does" {
            h2 #t-does { (lang.pick("このページがすること", "What this page does")) }
            ul { @for point in does { li { (said(point, lang)) } } }
        }
        section #keeps aria-labelledby="t-keeps" {
            h2 #t-keeps { (lang.pick("このページが残すもの", "What this page keeps")) }
            ul { @for point in keeps { li { (said(point, lang)) } } }
        }
    }
}

fn states(lang: Lang) -> Markup {
    html! {
        section #states aria-labelledby="t-states" {
            h2 #t-states { (lang.pick("答えの意味", "What the answers mean")) }
            dl.states {
                @for state in State::ALL {
                    @let Meaning { title, means } = meaning::of(state, lang);
                    div.{ "tone-" (state.tone().name()) } {
                        dt { (mark::svg(state.mark())) span { (title) } }
                        dd { (means) }
                    }
                }
            }
        }
    }
}
