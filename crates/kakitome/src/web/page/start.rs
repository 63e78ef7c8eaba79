//! The first page: the form, and what the check tells.

use kakitome_verdict::safe;
use kakitome_verdict::text::Lang;
use maud::{Markup, html};

use super::{Sending, frame, saving, size};
use crate::web::InstanceInfo;

/// The form.
pub fn start(instance: &InstanceInfo, lang: Lang) -> Markup {
    let title = lang.pick("このメールは、だれから？", "Who really sent this mail?");
    let sending = Sending { max: instance.max_mail, lang };
    let main = html! {
        h1 { (title) }
        p.lead {
            (lang.pick(
                "届いたメールのファイルを置いてください。だれが署名したか、そのあと書き換えられていないかを調べます。",
                "Drop the file of a mail you received. We look at who signed it, and whether it was changed since.",
            ))
        }
        form method="post" action={ "/check?lang=" (lang.tag()) } enctype="multipart/form-data"
            data-max=(sending.max) data-sending=(sending.sending()) data-checking=(sending.checking())
            data-empty=(sending.empty()) data-large=(sending.large()) data-failed=(sending.failed()) {
            div.drop {
                label for="mail" {
                    strong { (lang.pick("メールのファイル（.eml）をここに置く", "Drop the mail’s file (.eml) here")) }
                    span { (lang.pick("または、押して選ぶ", "or press to choose it")) }
                }
                // no accept: phones know .eml by no type and would refuse to offer it
                input #mail type="file" name="mail" aria-describedby="limit";
            }
            details.paste {
                summary { (lang.pick("ファイルのかわりに、ソースを貼り付ける", "Paste the source instead of a file")) }
                label for="source" {
                    (lang.pick(
                        "ヘッダーを含む全文を、そのまま貼り付けてください。文字が変わると確認できないことがあるので、ファイルのほうが確実です。",
                        "Paste all of it, header included, as it is. A file is surer: a changed character can spoil the check.",
                    ))
                }
                textarea #source name="source" rows="8" spellcheck="false" autocomplete="off" {}
            }
            div.go {
                button type="submit" { (lang.pick("確かめる", "Check this mail")) }
                small #limit { (limit(instance.max_mail, lang)) }
            }
            (sending.progress())
        }
        (proves(lang))
        (saving(lang))
        (about(instance, lang))
    };
    frame(lang, &format!("{title} – Kakitome"), Some("/"), &main)
}

fn limit(bytes: u64, lang: Lang) -> String {
    match lang {
        Lang::Ja => format!("{} まで。ファイルは保存しません。", size(bytes)),
        Lang::En => format!("Up to {}. The file is not kept.", size(bytes)),
    }
}

fn proves(lang: Lang) -> Markup {
    let can = lang.pick(
        "署名した人（組織・個人・アドレスのどこまで確かめられたか）と、署名のあとに本文や添付が書き換えられていないこと。",
        "Who signed it (how much of organisation, person and address was checked), and that text and files were not changed since.",
    );
    let cannot = lang.pick(
        "書いてある内容が正しいかどうか。署名のないメールが、だれから届いたか。",
        "Whether what it says is true; nor who sent a mail that carries no signature.",
    );
    html! {
        section.proves aria-labelledby="proves" {
            h2 #proves { (lang.pick("この確認で分かること", "What this check tells")) }
            dl {
                div { dt { (lang.pick("分かります", "It shows")) } dd { (can) } }
                div { dt { (lang.pick("分かりません", "It does not show")) } dd { (cannot) } }
                div {
                    dt { (lang.pick("残しません", "We keep nothing")) }
                    dd {
                        (lang.pick(
                            "メールは確認のあいだだけ置かれ、すぐ消えます。中身も差出人も記録しません。",
                            "The mail stays only while it is checked. Neither its content nor its sender is logged.",
                        ))
                    }
                }
            }
        }
    }
}

fn about(instance: &InstanceInfo, lang: Lang) -> Markup {
    let domains = instance.member_domains.join(", ");
    html! {
        @if let Some(own) = &instance.own_ca {
            p.about {
                (lang.pick("この Kakitome は、自身の認証局「", "This Kakitome knows the certificates of its own authority, “"))
                bdi { (safe::Safe::name(own)) }
                (lang.pick("」の証明書を確かめられます", "”"))
                @if !domains.is_empty() {
                    (lang.pick("（対象：", " (for "))
                    bdi { (safe::Safe::value(&domains)) }
                    (lang.pick("）", ")"))
                }
                (lang.pick("。", "."))
            }
        }
    }
}
