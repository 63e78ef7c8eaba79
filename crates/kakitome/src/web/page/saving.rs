//! How a mail becomes a file: what to do in each mail program of the survey, and in Apple's on a Mac.

/// What a reader sits at, as far as a browser tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A computer with Windows.
    Windows,
    /// A Mac.
    Mac,
    /// An iPhone or iPad. An iPad calls itself a Mac, which is as good.
    Iphone,
    /// A phone or tablet with Android.
    Android,
    /// Anything else.
    Other,
}

impl Device {
    /// By the field User-Agent (RFC 9110 §10.1.5). What is not known is not guessed at.
    pub fn of(user_agent: &str) -> Self {
        let names = |name: &str| user_agent.contains(name);
        if ["iPhone", "iPad", "iPod"].into_iter().any(names) {
            Self::Iphone
        } else if names("Android") {
            Self::Android
        } else if names("Windows") {
            Self::Windows
        } else if names("Macintosh") {
            Self::Mac
        } else {
            Self::Other
        }
    }
}

/// A mail program.
pub(super) struct Program {
    /// Its anchor on the page; stable, since answers link to it.
    pub(super) id: &'static str,
    /// Its name, in Japanese and English.
    pub(super) name: [&'static str; 2],
    /// Where it runs.
    devices: &'static [Device],
    /// What to do, step by step.
    pub(super) steps: [&'static [&'static str]; 2],
    /// The program whose steps the last one leads to.
    pub(super) as_for: Option<&'static str>,
    /// What else to know.
    pub(super) note: [&'static str; 2],
}

impl Program {
    /// Does it run there?
    pub(super) fn is_on(&self, device: Device) -> bool {
        self.devices.contains(&device)
    }
}

use Device::{Android, Iphone, Mac, Other, Windows};

const COMPUTERS: &[Device] = &[Windows, Mac, Other];
const NO_NOTE: [&str; 2] = ["", ""];

/// Every program, in the order of the page.
pub(super) const PROGRAMS: [Program; 13] = [
    Program {
        id: "outlook-windows",
        name: ["Outlook（Windows）", "Outlook (Windows)"],
        devices: &[Windows],
        steps: [
            &["メールを開き、右上の「…」を押す", "「名前を付けて保存」（または「ダウンロード」）から EML を選ぶ"],
            &["Open the mail and press “…” at its top right", "Choose Save as (or Download), then EML"],
        ],
        as_for: None,
        note: [
            "従来の Outlook が保存する .msg には、届いたままのメールが残りません。同じメールを新しい Outlook か Outlook on the web で開いてください。",
            "Classic Outlook saves .msg, which does not keep the mail as it arrived. Open the same mail in the new Outlook or in Outlook on the web.",
        ],
    },
    Program {
        id: "outlook-web",
        name: ["Outlook on the web", "Outlook on the web"],
        devices: COMPUTERS,
        steps: [
            &["メールを開き、右上の「…」を押す", "「ダウンロード」から「EML としてダウンロード」を選ぶ"],
            &["Open the mail and press “…” at its top right", "Choose Download, then Download as EML"],
        ],
        as_for: None,
        note: NO_NOTE,
    },
    Program {
        id: "thunderbird",
        name: ["Thunderbird", "Thunderbird"],
        devices: COMPUTERS,
        steps: [
            &["一覧でメールを選ぶ", "Ctrl+S（Mac は ⌘S）を押し、.eml で保存する"],
            &["Select the mail in the list", "Press Ctrl+S (⌘S on a Mac) and save it as .eml"],
        ],
        as_for: None,
        note: NO_NOTE,
    },
    Program {
        id: "gmail-web",
        name: ["Gmail（Web 版）", "Gmail (web)"],
        devices: COMPUTERS,
        steps: [
            &["メールを開き、返信の矢印の隣の「⋮」を押す", "「メッセージをダウンロード」を選ぶ"],
            &["Open the mail and press “⋮” beside the reply arrow", "Choose Download message"],
        ],
        as_for: None,
        note: NO_NOTE,
    },
    Program {
        id: "yahoo-web",
        name: ["Yahoo!メール（Web 版）", "Yahoo! Mail Japan (web)"],
        devices: COMPUTERS,
        steps: [
            &[
                "メールを開き、「…」に「保存」か「ダウンロード」があれば、それで .eml を保存する",
                "なければ、設定の「IMAP/POP/SMTPアクセス」でほかのソフトからの利用を有効にする",
                "同じアドレスを Thunderbird に登録し、そこでメールを保存する",
            ],
            &[
                "Open the mail; where “…” offers to save or download it, save it as .eml",
                "Otherwise allow other programs in the settings, under IMAP/POP/SMTP",
                "Add the same address to Thunderbird, and save the mail there",
            ],
        ],
        as_for: None,
        note: [
            "「詳細ヘッダー」で見られるのはヘッダーだけです。本文がないので、署名は確かめられません。",
            "“Detailed header” shows the header alone. Without the body, no signature can be checked.",
        ],
    },
    Program {
        id: "apple-mail",
        name: ["メール（Mac）", "Mail (Mac)"],
        devices: &[Mac],
        steps: [
            &["メールを選び、「ファイル」→「別名で保存」を開く", "形式に「メッセージのソース」を選んで保存する"],
            &["Select the mail and open File → Save As", "Choose the format Raw Message Source"],
        ],
        as_for: None,
        note: NO_NOTE,
    },
    Program {
        id: "iphone-mail",
        name: ["メール（iPhone、iPad）", "Mail (iPhone, iPad)"],
        devices: &[Iphone],
        steps: [
            &[
                "受信一覧でメールを長く押し、指を離さずに少し動かす",
                "別の指で「ファイル」アプリを開き、保存したいフォルダーの上で離す",
                "できた .eml ファイルを、このページで選ぶ",
            ],
            &[
                "Press the mail in the list for a while, and move it a little without letting go",
                "With another finger open the app Files, and let go over a folder",
                "Choose the .eml file on this page",
            ],
        ],
        as_for: None,
        note: [
            "うまくいかないときは、Mac やパソコンで同じメールを開いて保存してください。",
            "Where that does not work, open the same mail on a computer and save it there.",
        ],
    },
    Program {
        id: "outlook-ios",
        name: ["Outlook（iPhone）", "Outlook (iPhone)"],
        devices: &[Iphone],
        steps: OUTLOOK_APP,
        as_for: Some("outlook-web"),
        note: APP,
    },
    Program {
        id: "outlook-android",
        name: ["Outlook（Android）", "Outlook (Android)"],
        devices: &[Android],
        steps: OUTLOOK_APP,
        as_for: Some("outlook-web"),
        note: APP,
    },
    Program {
        id: "gmail-ios",
        name: ["Gmail（iPhone）", "Gmail (iPhone)"],
        devices: &[Iphone],
        steps: GMAIL_APP,
        as_for: Some("gmail-web"),
        note: APP,
    },
    Program {
        id: "gmail-android",
        name: ["Gmail（Android）", "Gmail (Android)"],
        devices: &[Android],
        steps: GMAIL_APP,
        as_for: Some("gmail-web"),
        note: APP,
    },
    Program {
        id: "yahoo-ios",
        name: ["Yahoo!メール（iPhone）", "Yahoo! Mail Japan (iPhone)"],
        devices: &[Iphone],
        steps: [
            &[
                "iPhone の「設定」で、標準の「メール」に同じ Yahoo! のアドレスを追加する",
                "「メール（iPhone、iPad）」の手順で保存する",
            ],
            &[
                "In the iPhone’s settings, add the same Yahoo! address to Apple’s Mail",
                "Go on as for Mail (iPhone, iPad)",
            ],
        ],
        as_for: Some("iphone-mail"),
        note: APP,
    },
    Program {
        id: "yahoo-android",
        name: ["Yahoo!メール（Android）", "Yahoo! Mail Japan (Android)"],
        devices: &[Android],
        steps: [
            &["パソコンで同じメールを開く", "「Yahoo!メール（Web 版）」の手順で保存する"],
            &["Open the same mail on a computer", "Go on as for Yahoo! Mail Japan (web)"],
        ],
        as_for: Some("yahoo-web"),
        note: APP,
    },
];

const APP: [&str; 2] = [
    "アプリには、届いたままのメールを保存する機能がありません。転送やコピーでは署名が失われます。",
    "The app cannot save a mail as it arrived. Forwarding or copying it loses the signature.",
];
const OUTLOOK_APP: [&[&str]; 2] = [
    &[
        "パソコンのブラウザーで Outlook on the web（outlook.office.com、個人用は outlook.live.com）を開く",
        "「Outlook on the web」の手順で保存する",
    ],
    &[
        "On a computer, open Outlook on the web (outlook.office.com, or outlook.live.com)",
        "Go on as for Outlook on the web",
    ],
];
const GMAIL_APP: [&[&str]; 2] = [
    &["パソコンのブラウザーで Gmail（mail.google.com）を開く", "「Gmail（Web 版）」の手順で保存する"],
    &["On a computer, open Gmail (mail.google.com) in a browser", "Go on as for Gmail (web)"],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_by_what_its_browser_says() {
        for (says, device) in [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0.0.0", Windows),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15", Mac),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", Iphone),
            ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/156.0.0.0 Mobile", Android),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", Other),
            ("", Other),
        ] {
            assert_eq!(Device::of(says), device, "{says}");
        }
    }

    #[test]
    fn every_device_has_a_program_and_every_program_its_steps() {
        for device in [Windows, Mac, Iphone, Android, Other] {
            assert!(PROGRAMS.iter().any(|program| program.is_on(device)), "{device:?}");
        }
        for Program { id, name, devices, steps, as_for, .. } in &PROGRAMS {
            assert!(as_for.is_none_or(|other| PROGRAMS.iter().any(|program| program.id == other)), "{id}");
            assert_eq!(PROGRAMS.iter().filter(|other| other.id == *id).count(), 1, "{id}");
            assert!(!devices.is_empty() && name.iter().all(|name| !name.is_empty()), "{id}");
            assert!(steps[0].len() == steps[1].len() && steps[0].len() >= 2, "{id}");
        }
    }
}
