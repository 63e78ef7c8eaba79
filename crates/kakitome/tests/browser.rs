//! The check page in a real Chromium, steered by chromedriver, over a real connection and with the real judge. Pictures
//! of all pages are left in `target/tmp/browser` to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "browser/driver.rs"]
mod driver;
mod peers;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::Browser;
use kakitome::web::{Checker, InstanceInfo, router};
use kakitome_office::authority::{Authority, AuthoritySettings};
use kakitome_office::evidence::{self, Choice};
use kakitome_office::outgoing::{Disposition, Outgoing};
use kakitome_office::spool::SpoolDirectory;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::cert::Certificate;
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::octets::{InMemory, Octets, read_range};
use kakitome_testkit::NOW;
use kakitome_verdict::answer::Answer;
use serde_json::{Value, json};

const SUITE: &str = "the check page in a browser";
const FONT: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";

/// A phone and a desk, in CSS pixels.
const SIZES: [(u32, u32); 2] = [(390, 844), (1200, 900)];

/// A member's name can be as long as he likes; the page must not grow with it.
const MEMBER: &str = "kakitome-no-tantousha-2026.eigyou-honbu.dai-ni-ka@example.test";

const LOOK: &str = include_str!("browser/look.js");

/// Judges as the page of `kakitome up` does, at a fixed moment.
struct Judge {
    anchor: Certificate,
    spools: SpoolDirectory,
}

impl Checker for Judge {
    fn check(&self, mail: Arc<dyn Octets>) -> Result<Answer, String> {
        let choice = Choice { own_ca: vec![self.anchor.clone()], ..Choice::default() };
        let evidence = evidence::gather(&choice, NOW).map_err(|error| error.to_string())?;
        let judgement =
            evidence::examine(&*mail, &self.spools, &NoKeys, &evidence, None).map_err(|error| error.to_string())?;
        Ok(judgement.answer)
    }

    fn instance(&self) -> InstanceInfo {
        InstanceInfo {
            member_domains: vec!["example.test".into()],
            own_ca: Some(self.anchor.subject().short()),
            spools: self.spools.clone(),
            max_mail: 1_000_000,
        }
    }
}

fn authority(data: &Path) -> Arc<Authority> {
    let store = Arc::new(Store::open(data).unwrap());
    let vault = Arc::new(Vault::open(&data.join("sealing.key"), &store).unwrap());
    let settings = AuthoritySettings { member_key: KeyKind::P256, ..AuthoritySettings::default() };
    Arc::new(Authority::open(store, vault, settings, NOW, Arc::new(SystemRandom)).unwrap())
}

const MAIL: &str = "From: =?UTF-8?B?5L6L56S6IOWkqumDjg==?= <MEMBER>\r\n\
    To: hanako@example.net\r\n\
    Subject: =?UTF-8?B?5pyI5L6L5aCx5ZGK?=\r\n\
    Date: Tue, 01 Dec 2026 00:00:00 +0000\r\n\
    Message-ID: <1@example.test>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=UTF-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\
    \r\n\
    The amount is 1,000 yen.\r\n";

fn signed_by(authority: &Arc<Authority>, mail: &str) -> String {
    let outgoing = Outgoing::new(Arc::clone(authority), vec!["example.test".into()], Arc::new(SystemRandom));
    let mail = mail.as_bytes().to_vec();
    let Disposition::Signed { mail, .. } = outgoing.sign(&mail, false, &InMemory, NOW).unwrap() else {
        panic!("the mail was not signed")
    };
    String::from_utf8(read_range(&*mail, 0..mail.len(), 1 << 20).unwrap()).unwrap()
}

/// A mail that calls any file its signature.
const FAKE: &str = "From: Bank <info@bank.example>\r\n\
    To: hanako@example.net\r\n\
    Subject: Your account\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\
    \r\n\
    --b\r\n\
    Content-Type: text/plain\r\n\
    \r\n\
    Please confirm your password.\r\n\
    --b\r\n\
    Content-Type: application/octet-stream; name=\"smime.p7s\"\r\n\
    Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    9vd2Zx1kqU0mYQ7cH3Jr5n8bT4sLwEoKpA==\r\n\
    --b--\r\n";

struct House {
    address: SocketAddr,
    anchor: Certificate,
    /// State and mail.
    mails: Vec<(&'static str, String)>,
    _directory: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

fn house() -> House {
    let directory = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    };
    let (own, foreign) = (authority(&folder("own")), authority(&folder("foreign")));
    let mail = MAIL.replace("MEMBER", MEMBER);
    let signed = signed_by(&own, &mail);
    let altered = signed.replace("1,000 yen", "9,000 yen");
    assert_ne!(altered, signed);
    let mails = vec![
        ("LOCAL_CONFIRMED", signed),
        ("ALTERED", altered),
        ("FAKE_SIGNATURE", FAKE.to_owned()),
        ("NOT_SIGNED", mail.clone()),
        ("NOT_A_MAIL", "%PDF-1.7\n\u{1}\u{2}\n".to_owned()),
        ("ISSUER_UNKNOWN", signed_by(&foreign, &mail)),
    ];
    let spools = SpoolDirectory::new(folder("spool")).unwrap();
    let anchor = own.anchor().clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let site = router(Arc::new(Judge { anchor: anchor.clone(), spools }));
    runtime.spawn(async move { axum::serve(listener, site).await });
    House { address, anchor, mails, _directory: directory, _runtime: runtime }
}

impl House {
    fn url(&self, lang: &str) -> String {
        format!("http://{}/?lang={lang}", self.address)
    }

    fn help(&self, lang: &str) -> String {
        format!("http://{}/help?lang={lang}", self.address)
    }

    /// The mail of a state as a file to be chosen.
    fn file(&self, state: &str) -> PathBuf {
        let (_, mail) = self.mails.iter().find(|(name, _)| *name == state).unwrap();
        let path = self._directory.path().join(format!("{state}.eml"));
        std::fs::write(&path, mail).unwrap();
        path
    }

    fn ask(&self, browser: &Browser, lang: &str, state: &str) {
        browser.open(&self.url(lang));
        browser.type_into("#mail", self.file(state).to_str().unwrap());
        browser.submit("button[type=submit]", "/check?");
    }
}

/// The headline of a state as `testdata/verdict` has it, values taken out.
fn golden(state: &str, lang: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/verdict/answers.{lang}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().skip_while(|line| !(line.starts_with("== ") && line.ends_with(&format!(": {state}"))));
    let headline = lines.nth(1).unwrap().split_once(' ').unwrap().1;
    without_values(headline, '⟨', '⟩')
}

/// Values stand between isolates (FSI and PDI), which the golden files show as angle brackets.
fn without_values(text: &str, open: char, close: char) -> String {
    let mut out = String::new();
    let mut inside = false;
    for char in text.chars() {
        if char == open {
            inside = true;
            out.push('…');
        } else if char == close {
            inside = false;
        } else if !inside {
            out.push(char);
        }
    }
    out
}

/// What the page before us must be, whichever it is.
struct Page<'a> {
    house: &'a House,
    browser: &'a Browser,
    lang: &'a str,
    width: u32,
    name: &'a str,
}

impl Page<'_> {
    /// Looks at it, takes two pictures (light as it comes, dark and unfolded), and returns the headline.
    fn look(&self) -> String {
        let Self { house, browser, lang, width, name } = self;
        let told = format!("{name} {lang} {width}");
        let origin = format!("http://{}/", house.address);
        // a request that leads to no answer is told by the status too, and Chromium repeats that on the console
        let refused = |line: &str| *name == "empty" && line.contains("status of 400");
        let console: Vec<String> = browser.console().into_iter().filter(|line| !refused(line)).collect();
        assert_eq!(console, [""; 0], "{told}");
        let requests = browser.requests();
        assert!(requests.iter().any(|url| *url == format!("{origin}style.css")), "{told}: {requests:?}");
        assert!(requests.iter().all(|url| url.starts_with(&origin)), "{told}: {requests:?}");
        let mut headline = String::new();
        for (scheme, then) in [("light", "folded"), ("dark", "unfolded")] {
            browser.prefer(scheme);
            let seen = browser.run(LOOK, then);
            assert_eq!(seen["lang"], **lang, "{told}");
            assert_eq!(seen["scripts"], 0, "{told}");
            assert_eq!(seen["nameless"], json!([]), "{told}");
            assert_eq!(seen["window"], *width, "{told}");
            assert_eq!(seen["overflow"], json!({ "before": 0, "unfolded": 0 }), "{told}");
            assert_eq!(seen["cut"], json!([]), "{told}");
            assert!(seen["texts"].as_u64().unwrap() > 5, "{told}: {seen}");
            assert_eq!(seen["faint"], json!([]), "{told}, {scheme}");
            let h1 = seen["h1"].as_array().unwrap();
            assert_eq!(h1.len(), 1, "{told}");
            headline = h1[0].as_str().unwrap().to_owned();
            browser.picture(&pictures().join(format!("{name}.{lang}.{width}.{then}.png")));
        }
        browser.prefer("light");
        headline
    }
}

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Chromium, chromedriver and a font for Japanese, or a visible skip.
fn programs() -> Option<[PathBuf; 2]> {
    peers::files(SUITE, [FONT])?;
    peers::programs(SUITE, ["chromium", "chromedriver"])
}

#[test]
fn every_page_is_readable_on_a_phone_and_on_a_desk() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = house();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    for (lang, start, help, empty) in [
        ("en", "Who really sent this mail?", "How to save a mail as a file", "No mail was chosen"),
        ("ja", "このメールは、だれから？", "メールをファイルに保存するには", "メールが選ばれていません"),
    ] {
        for (width, height) in SIZES {
            browser.resize(width, height);
            let page = |name| Page { house: &house, browser: &browser, lang, width, name };

            browser.open(&house.url(lang));
            assert_eq!(page("start").look(), start);
            browser.open(&house.help(lang));
            assert_eq!(page("help").look(), help);
            browser.open(&house.url(lang));
            browser.submit("button[type=submit]", "/check?");
            assert_eq!(page("empty").look(), empty);

            for (state, mail) in &house.mails {
                house.ask(&browser, lang, state);
                let headline = page(state).look();
                assert_eq!(without_values(&headline, '\u{2068}', '\u{2069}'), golden(state, lang), "{headline}");
                if *state == "LOCAL_CONFIRMED" {
                    assert!(headline.contains(&house.anchor.subject().short()), "{headline}");

                    browser.open(&house.url(lang));
                    browser.click("details.paste summary");
                    browser.run("document.getElementById('source').value = arguments[0]", mail);
                    browser.submit("button[type=submit]", "/check?");
                    assert_eq!(page("pasted").look(), headline, "pasted, the signature holds as well");
                }
            }
        }
    }
}

#[test]
fn the_keyboard_reaches_everything_in_order() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = house();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    let focused = "const at = document.activeElement; return at.id || at.className || at.localName";
    let walk = |presses: usize| -> Vec<Value> {
        (0..presses)
            .map(|_| {
                browser.tab();
                browser.run(focused, "")
            })
            .collect()
    };
    browser.open(&house.url("ja"));
    assert_eq!(walk(6), ["brand", "switch", "mail", "summary", "button", "a"]);
    house.ask(&browser, "ja", "NOT_SIGNED");
    assert_eq!(walk(6), ["brand", "summary", "summary", "summary", "quiet", "button"]);
}

#[test]
fn the_page_works_where_no_script_runs() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = house();
    let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
    let browser = Browser::start(&chromium, &chromedriver, &off);
    // a page whose script would change its title: so it is really off
    let scripted = house._directory.path().join("script.html");
    std::fs::write(&scripted, "<title>off</title><script>document.title = 'on'</script>").unwrap();
    browser.open(&format!("file://{}", scripted.display()));
    assert_eq!(browser.title(), "off");
    for (lang, state) in [("ja", "LOCAL_CONFIRMED"), ("en", "ALTERED")] {
        house.ask(&browser, lang, state);
        let headline = without_values(&browser.text("h1"), '\u{2068}', '\u{2069}');
        assert_eq!(headline, golden(state, lang));
    }
    let seen: BTreeSet<String> = browser.requests().into_iter().collect();
    let own = format!("http://{}/", house.address);
    assert!(seen.iter().all(|url| url.starts_with(&own) || url.starts_with("file:")), "{seen:?}");
}
