//! The check page in a real Chromium, steered by chromedriver, over a real connection and with the real judge. With
//! `KAKITOME_PICTURES=1` pictures of all pages are left in `target/tmp/browser`, to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod accessible;
mod driver;
mod house;
#[path = "../peers/mod.rs"]
mod peers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use driver::Browser;
use house::House;
use serde_json::json;

const SUITE: &str = "the check page in a browser";
const FONT: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";

/// A phone and a desk, in CSS pixels.
const SIZES: [(u32, u32); 2] = [(390, 844), (1200, 900)];

const LOOK: &str = concat!(include_str!("measure.js"), include_str!("look.js"));

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
            assert_eq!(seen["scripts"], 1, "{told}");
            assert_eq!(seen["nameless"], json!([]), "{told}");
            assert_eq!(seen["window"], *width, "{told}");
            assert_eq!(seen["overflow"], json!({ "before": 0, "unfolded": 0 }), "{told}");
            assert_eq!(seen["cut"], json!([]), "{told}");
            assert!(seen["texts"].as_u64().unwrap() > 5, "{told}: {seen}");
            assert_eq!(seen["faint"], json!([]), "{told}, {scheme}");
            let h1 = seen["h1"].as_array().unwrap();
            assert_eq!(h1.len(), 1, "{told}");
            headline = h1[0].as_str().unwrap().to_owned();
            picture(browser, name, lang, *width, then);
        }
        browser.prefer("light");
        headline
    }
}

/// A picture of the page before us, where pictures are wanted.
fn picture(browser: &Browser, name: &str, lang: &str, width: u32, how: &str) {
    if std::env::var_os("KAKITOME_PICTURES").is_none_or(|wanted| wanted != "1") {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    browser.picture(&folder.join(format!("{name}.{lang}.{width}.{how}.png")));
}

/// Chromium, chromedriver and a font for Japanese, or a visible skip.
fn programs() -> Option<[PathBuf; 2]> {
    peers::files(SUITE, [FONT])?;
    peers::programs(SUITE, ["chromium", "chromedriver"])
}

#[test]
fn every_page_is_readable_on_a_phone_and_on_a_desk() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = House::open();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    for (lang, start, help, pickup, empty) in [
        (
            "en",
            "Who really sent this mail?",
            "How to save a mail as a file",
            "Pick up your certificate",
            "No mail was chosen",
        ),
        (
            "ja",
            "このメールは、だれから？",
            "メールをファイルに保存するには",
            "証明書を受け取る",
            "メールが選ばれていません",
        ),
    ] {
        for (width, height) in SIZES {
            browser.resize(width, height);
            let page = |name| Page { house: &house, browser: &browser, lang, width, name };

            browser.open(&house.url(lang));
            assert_eq!(page("start").look(), start);
            browser.open(&house.help(lang));
            assert_eq!(page("help").look(), help);
            browser.open(&house.pickup(lang));
            assert_eq!(page("pickup").look(), pickup);
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
fn a_file_is_dropped_anywhere_and_of_many_mails_one_is_chosen_without_it() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = House::open();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    // a drop as the browser would give it to the page; `arguments[0]` is the mail
    let drop = "const files = new DataTransfer();
        files.items.add(new File([arguments[0]], 'a.eml'));
        for (const name of ['dragover', 'drop'])
          document.querySelector('footer').dispatchEvent(
            new DragEvent(name, { dataTransfer: files, bubbles: true, cancelable: true }));
        return document.querySelector('[role=status]').textContent";
    let (_, signed) = &house.mails[0];
    let (_, altered) = &house.mails[1];
    browser.open(&house.url("en"));
    assert_eq!(browser.run(drop, ""), "The file is empty (0 bytes). Please save the mail again.");
    let large = browser.run(drop, &"x".repeat(1_000_001));
    assert_eq!(
        large,
        "It is too large (up to 1 MB) and was not sent. The command kakitome check has no limit of size."
    );
    browser.run(drop, altered);
    browser.wait_for_text("h1", &golden("ALTERED", "en"));
    assert_eq!(browser.run("return document.activeElement.localName", ""), "h1");
    // the way back is the form again
    browser.run("history.back()", "");
    browser.wait_for_text("h1", "Who really sent this mail?");

    let mbox = format!("From a\r\n{signed}\r\nFrom b\r\n{altered}");
    browser.run(drop, &mbox);
    browser.wait_for_text("h1", "This file holds 2 mails");
    browser.click("input[value='2']");
    browser.click("button[type=submit]");
    browser.wait_for_text("h1", &golden("ALTERED", "en"));
}

#[test]
fn the_page_works_where_no_script_runs() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = House::open();
    let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
    let browser = Browser::start(&chromium, &chromedriver, &off);
    // a page whose script would change its title: so it is really off
    let scripted = house.folder().join("script.html");
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
