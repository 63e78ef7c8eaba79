//! What to do with the files of `kakitome deploy`, in each mail program: on the page where a file is picked up, and in a
//! file of its own beside the others.

use kakitome_office::deploy::Program;
use kakitome_verdict::text::Lang;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::STYLE;

/// A part of the work, with its steps in Japanese and English.
struct Part {
    title: [&'static str; 2],
    steps: [&'static [&'static str]; 2],
}

struct Guide {
    program: Program,
    name: [&'static str; 2],
    parts: &'static [Part],
    note: [&'static str; 2],
    /// What spares everybody some of the steps; for the file beside the others, not for members.
    administrators: [&'static str; 2],
}

const NOTHING: [&str; 2] = ["", ""];

/// Every program's guide.
const GUIDES: [Guide; 5] = [
    Guide {
        program: Program::Apple,
        name: ["iPhone・iPad・Mac のメール", "Mail on iPhone, iPad and Mac"],
        parts: &[
            Part {
                title: ["iPhone・iPad", "iPhone and iPad"],
                steps: [
                    &[
                        "ファイル（.mobileconfig）を Safari でダウンロードするか、開く",
                        "「設定」を開き、上に出る「プロファイルがダウンロードされました」を押す（なければ「一般」→「VPNとデバイス管理」）",
                        "「インストール」を押し、証明書ごとに、コードをパスワードとして入力する",
                        "「設定」→「アプリ」→「メール」→「メールアカウント」でアカウントを選び、「アカウント設定」→「詳細」を開く",
                        "「署名」を入にして、届いた証明書を選ぶ。「暗号化」は、届いた証明書を選び、入にするかどうかは好みで決める",
                    ],
                    &[
                        "Download the file (.mobileconfig) in Safari, or open it",
                        "Open Settings and press “Profile Downloaded” at the top (else General → VPN & Device Management)",
                        "Press Install, and type the code as the password of each certificate",
                        "Open Settings → Apps → Mail → Mail Accounts, choose the account, then Account Settings → Advanced",
                        "Turn on Sign and choose the new certificate; choose it under Encrypt, too, turned on or not as you like",
                    ],
                ],
            },
            Part {
                title: ["Mac", "Mac"],
                steps: [
                    &[
                        "ファイル（.mobileconfig）をダブルクリックする",
                        "「システム設定」→「一般」→「デバイス管理」で、そのプロファイルをダブルクリックして「インストール」を押す",
                        "コードをパスワードとして入力する",
                        "「メール」を一度終了して開き直す。新しいメールの件名の右に、署名と鍵の印が出る",
                    ],
                    &[
                        "Double-click the file (.mobileconfig)",
                        "In System Settings → General → Device Management, double-click the profile and press Install",
                        "Type the code as the password",
                        "Quit Mail and open it again: a new mail shows the marks for signing and encrypting beside its subject",
                    ],
                ],
            },
        ],
        note: [
            "アドレスは、証明書のアドレスと大文字小文字まで同じでなければなりません。違うと、印が出ません。",
            "The account’s address must be that of the certificate, capitals included; else no marks appear.",
        ],
        administrators: NOTHING,
    },
    Guide {
        program: Program::Thunderbird,
        name: ["Thunderbird", "Thunderbird"],
        parts: &[
            Part {
                title: ["認証局を信頼する（はじめに一度）", "Trust the authority (once, at the beginning)"],
                steps: [
                    &[
                        "「設定」→「プライバシーとセキュリティ」→「証明書を管理」→「認証局証明書」→「インポート」で kakitome-ca.pem を選ぶ",
                        "「この認証局によるメールユーザーの識別を信頼する」だけに印を付ける",
                    ],
                    &[
                        "Open Settings → Privacy & Security → Manage Certificates → Authorities → Import, and choose kakitome-ca.pem",
                        "Tick “Trust this CA to identify email users” alone",
                    ],
                ],
            },
            Part {
                title: ["自分の証明書を使う", "Use your certificate"],
                steps: [
                    &[
                        "同じ画面の「あなたの証明書」→「インポート」で .p12 ファイルを選び、コードをパスワードとして入力する",
                        "「アカウント設定」→「エンドツーエンド暗号化」→「S/MIME」で、「電子署名用の個人証明書」の「選択」を押して証明書を選ぶ",
                        "「暗号化用の個人証明書」も同じように選ぶ",
                        "「暗号化されていないメッセージにデジタル署名を付ける」に印を付ける",
                    ],
                    &[
                        "In the same window, under Your Certificates, press Import, choose the .p12 file, and type the code as its password",
                        "Open Account Settings → End-To-End Encryption → S/MIME, and select the certificate for digital signing",
                        "Select the one for encryption likewise",
                        "Tick “Sign unencrypted messages”",
                    ],
                ],
            },
        ],
        note: NOTHING,
        administrators: [
            "管理者のかたへ：policies.json を Thunderbird の distribution フォルダー（Linux では /etc/thunderbird/policies）に、kakitome-ca.pem を証明書のフォルダー（Windows では %LOCALAPPDATA%\\Mozilla\\Certificates、Mac では ~/Library/Application Support/Mozilla/Certificates、Linux では /usr/lib/mozilla/certificates）に置くと、前半は要りません。",
            "For administrators: with policies.json in Thunderbird’s folder “distribution” (Linux: /etc/thunderbird/policies) and kakitome-ca.pem in the folder of certificates (Windows: %LOCALAPPDATA%\\Mozilla\\Certificates, Mac: ~/Library/Application Support/Mozilla/Certificates, Linux: /usr/lib/mozilla/certificates), nobody has to do the first part.",
        ],
    },
    Guide {
        program: Program::Outlook,
        name: ["Outlook（Windows）", "Outlook (Windows)"],
        parts: &[
            Part {
                title: ["認証局を信頼する（はじめに一度）", "Trust the authority (once, at the beginning)"],
                steps: [
                    &[
                        "kakitome-ca.cer を開き、「証明書のインストール」→「現在のユーザー」を選ぶ",
                        "「証明書をすべて次のストアに配置する」で「信頼されたルート証明機関」を選び、終わりまで進む",
                    ],
                    &[
                        "Open kakitome-ca.cer and choose Install Certificate → Current User",
                        "Place it in the store Trusted Root Certification Authorities, and go on to the end",
                    ],
                ],
            },
            Part {
                title: ["自分の証明書を使う", "Use your certificate"],
                steps: [
                    &[
                        ".p12 ファイルを開き、「現在のユーザー」を選び、コードをパスワードとして入力して、終わりまで進む",
                        "Outlook で「ファイル」→「オプション」→「トラスト センター」→「トラスト センターの設定」→「電子メールのセキュリティ」を開く",
                        "「暗号化電子メール」の「設定」を押し、署名証明書と暗号化証明書を「選択」する",
                        "「送信メッセージにデジタル署名を追加する」に印を付ける",
                    ],
                    &[
                        "Open the .p12 file, choose Current User, type the code as the password, and go on to the end",
                        "In Outlook, open File → Options → Trust Center → Trust Center Settings → Email Security",
                        "Under Encrypted email press Settings, and choose the signing and the encryption certificate",
                        "Tick “Add digital signature to outgoing messages”",
                    ],
                ],
            },
        ],
        note: [
            "新しい Outlook では「設定」→「メール」→「S/MIME」です。職場のアカウントでは、管理者が先に認証局を登録している必要があります。",
            "In the new Outlook it is Settings → Mail → S/MIME. For a work account, an administrator must have registered the authority first.",
        ],
        administrators: NOTHING,
    },
    Guide {
        program: Program::Android,
        name: ["Android のメールソフト", "Mail programs on Android"],
        parts: &[Part {
            title: ["自分の証明書を入れる", "Install your certificate"],
            steps: [
                &[
                    "「設定」→「セキュリティとプライバシー」→「その他のセキュリティ設定」→「暗号化と認証情報」→「証明書のインストール」を開く（名前は機種により少し違う）",
                    "「VPN とアプリユーザー証明書」を押し、.p12 ファイルを選び、コードをパスワードとして入力する",
                    "メールソフトの設定で S/MIME を入にし、その証明書を選ぶ（Outlook では、アカウントの「セキュリティ」→「S/MIME」）",
                ],
                &[
                    "Open Settings → Security & privacy → More security settings → Encryption & credentials → Install a certificate (the words differ a little by maker)",
                    "Press “VPN & app user certificate”, choose the .p12 file, and type the code as its password",
                    "Turn on S/MIME in the mail program’s settings and choose the certificate (Outlook: Security → S/MIME of the account)",
                ],
            ],
        }],
        note: [
            "Android 標準の Gmail アプリは、職場のアカウントでだけ S/MIME を使えます。",
            "Android’s own Gmail app uses S/MIME for work accounts alone.",
        ],
        administrators: NOTHING,
    },
    Guide {
        program: Program::Exchange,
        name: ["Exchange・Outlook on the web（管理者）", "Exchange and Outlook on the web (administrators)"],
        parts: &[Part {
            title: ["認証局を登録する", "Register the authority"],
            steps: [
                &[
                    "PowerShell で Connect-ExchangeOnline（自社のサーバーでは Exchange 管理シェル）を開く",
                    "Set-SmimeConfig -SMIMECertificateIssuingCA ([IO.File]::ReadAllBytes('kakitome-ca.sst')) を実行する",
                    "Get-SmimeConfig で、登録されたことを確かめる（行きわたるまで一日ほどかかる）",
                    "自社の Active Directory では、kakitome-ca.cer をグループ ポリシーの「信頼されたルート証明機関」にも加える",
                ],
                &[
                    "Open Connect-ExchangeOnline in PowerShell (on a server of your own: the Exchange Management Shell)",
                    "Run Set-SmimeConfig -SMIMECertificateIssuingCA ([IO.File]::ReadAllBytes('kakitome-ca.sst'))",
                    "See by Get-SmimeConfig that it is there (it takes up to a day until it holds everywhere)",
                    "With an Active Directory, add kakitome-ca.cer to Trusted Root Certification Authorities by group policy, too",
                ],
            ],
        }],
        note: [
            "Outlook on the web を使うには、利用者の端末に自分の証明書（.p12）と S/MIME の拡張機能も要ります。",
            "For Outlook on the web, each user also needs the own certificate (.p12) and the S/MIME extension.",
        ],
        administrators: NOTHING,
    },
];

fn guide(program: Program) -> Option<&'static Guide> {
    GUIDES.iter().find(|guide| guide.program == program)
}

fn said(text: [&'static str; 2], lang: Lang) -> &'static str {
    let [ja, en] = text;
    lang.pick(ja, en)
}

/// What people call a program.
pub(super) fn name(program: Program, lang: Lang) -> &'static str {
    guide(program).map_or(program.name(), |guide| said(guide.name, lang))
}

/// The steps, as a part of a page.
pub(super) fn steps(program: Program, lang: Lang) -> Markup {
    let parts = guide(program).map(|guide| (guide.parts, said(guide.note, lang)));
    html! {
        @if let Some((parts, note)) = parts {
            @for part in parts {
                @let [ja, en] = part.steps;
                h3 { (said(part.title, lang)) }
                ol { @for step in if lang == Lang::Ja { ja } else { en } { li { (step) } } }
            }
            @if !note.is_empty() { p.note { (note) } }
        }
    }
}

/// A file that needs nothing else: the steps in both languages.
pub fn file(program: Program) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="ja" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (name(program, Lang::Ja)) " – " (name(program, Lang::En)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    div.help {
                        @for lang in [Lang::Ja, Lang::En] {
                            section.program lang=(lang.tag()) {
                                h1 { (name(program, lang)) }
                                (steps(program, lang))
                                @if let Some(guide) = guide(program).filter(|guide| guide.administrators != NOTHING) {
                                    p.note { (said(guide.administrators, lang)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_its_steps_in_both_languages() {
        for program in Program::ALL {
            let guide = guide(program).unwrap();
            for part in guide.parts {
                assert!(part.steps[0].len() == part.steps[1].len() && !part.steps[0].is_empty(), "{}", program.name());
            }
            let page = file(program);
            assert!(page.contains(guide.name[0]) && page.contains("lang=\"en\""), "{}", program.name());
            assert!(
                !page.contains("http://") && !page.contains("https://"),
                "{}: nothing is loaded from elsewhere",
                program.name()
            );
        }
    }
}
