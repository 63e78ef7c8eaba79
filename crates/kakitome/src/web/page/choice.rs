//! Which of the mails of a file?

use kakitome_verdict::safe::Safe;
use kakitome_verdict::text::Lang;
use maud::{Markup, html};

use super::{Sending, frame};
use crate::web::mbox::{Choice, Offer};

/// The mails of a file, to choose one; `max` octets are the most that is taken. The file has to come once more, since it is gone already.
pub fn choice(choice: &Choice, max: u64, lang: Lang) -> Markup {
    let title = match lang {
        Lang::Ja => format!("{} 通のメールが入ったファイルです", choice.all),
        Lang::En => format!("This file holds {} mails", choice.all),
    };
    let sending = Sending { max, lang };
    let beyond = u64::try_from(choice.mails.len()).is_ok_and(|offered| offered < choice.all);
    let main = html! {
        h1 tabindex="-1" autofocus { (title) }
        p.lead { (lang.pick("どのメールを確かめますか。", "Which one do you want to check?")) }
        form method="post" action={ "/check?lang=" (lang.tag()) } enctype="multipart/form-data"
            data-max=(sending.max) data-sending=(sending.sending()) data-checking=(sending.checking())
            data-empty=(sending.empty()) data-large=(sending.large()) data-failed=(sending.failed()) {
            fieldset.offers {
                legend { (lang.pick("メール（そう書いてあるもの）", "The mails, as they describe themselves")) }
                @for (number, mail) in (1u64..).zip(&choice.mails) { (offer(number, mail, lang)) }
            }
            @if beyond {
                p.beyond {
                    label for="number" {
                        @match lang {
                            Lang::Ja => { "ここに並ぶのは最初の " (choice.mails.len()) " 通です。そのあとのメールは番号で" }
                            Lang::En => { "These are the first " (choice.mails.len()) "; any mail behind them by its number" }
                        }
                    }
                    " " input #number type="number" name="number" min="1" max=(choice.all) inputmode="numeric";
                }
            }
            div.again-file {
                label for="mail" {
                    strong { (lang.pick("同じファイルをもう一度選んでください", "Choose the same file once more")) }
                    span {
                        (lang.pick(
                            "ファイルはこちらに残していないので、もう一度必要です。",
                            "It was not kept here, so it is needed again.",
                        ))
                    }
                }
                input #mail type="file" name="mail";
            }
            div.go { button type="submit" { (lang.pick("このメールを確かめる", "Check this mail")) } }
            (sending.progress())
        }
    };
    frame(lang, &format!("{title} – Kakitome"), None, &main)
}

fn offer(number: u64, mail: &Offer, lang: Lang) -> Markup {
    let shown = |text: &Option<String>, none| match text.as_deref().filter(|text| !text.is_empty()) {
        // an address that is cut would hide its domain
        Some(text) => html! { bdi { (Safe::value(text)) } },
        None => html! { (none) },
    };
    html! {
        label {
            input type="radio" name="number" value=(number) checked[number == 1];
            span.what {
                strong { (shown(&mail.subject, lang.pick("（件名なし）", "(no subject)"))) }
                span { (shown(&mail.from, lang.pick("（差出人欄なし）", "(no From)"))) }
                small { (number) ". " (shown(&mail.date, lang.pick("（日付なし）", "(no date)"))) }
            }
        }
    }
}
