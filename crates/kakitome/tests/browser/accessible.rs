//! WCAG 2.2 AA, and with it JIS X 8341-3, as far as a program can tell, on every page there is, in both languages, on a
//! phone and on a desk: axe-core in light and dark; and what axe leaves out: reflow, larger and wider text, the keyboard,
//! where the focus is, what title and language say.
//!
//! axe-core is not part of the project: `./test --install` brings it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kakitome_testkit::corpus::row;
use kakitome_verdict::state::State;
use serde_json::{Value, json};

use crate::driver::Browser;
use crate::house::House;
use crate::{SIZES, golden, peers, picture, programs, without_values};

const SUITE: &str = "axe-core over the check page";
const AXE: &str = include_str!("axe.js");
const FIT: &str = concat!(include_str!("measure.js"), include_str!("fit.js"));
const STOP: &str = concat!(include_str!("measure.js"), include_str!("stop.js"));
const SPOKEN: &str = include_str!("spoken.js");
/// Until the page has been drawn: what it focuses by itself is focused just before that (HTML, "update the rendering").
const DRAWN: &str = "const done = arguments[1]; requestAnimationFrame(() => requestAnimationFrame(() => done()));";
/// Rules of axe that are about what the first page has: that they ran shows that axe saw it.
const RULES: [&str; 5] = ["color-contrast", "html-has-lang", "label", "target-size", "document-title"];
/// What axe leaves to others to decide, and who does.
const UNDECIDED: [(&str, &str); 1] =
    [("color-contrast: ", "#mail: Element's background color could not be determined")];
/// A phone of 320 CSS pixels, which is also a window of 1280 at 400 % (WCAG 1.4.10).
const NARROW: (u32, u32) = (320, 640);

/// The library, or a visible skip.
fn library() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/node/node_modules/axe-core/axe.min.js");
    peers::files(SUITE, [path.to_str()?])?;
    std::fs::read_to_string(path).ok()
}

/// Every page there is, by name.
fn pages() -> impl Iterator<Item = &'static str> {
    ["start", "help", "pickup", "wrong-code", "empty", "nowhere", "many", "attached"]
        .into_iter()
        .chain(State::ALL.map(State::name))
}

fn open(house: &House, browser: &Browser, lang: &str, page: &str) {
    match page {
        "start" => browser.open(&house.url(lang)),
        "help" => browser.open(&house.help(lang)),
        "nowhere" => browser.open(&format!("http://{}/nowhere?lang={lang}", house.address)),
        "pickup" => browser.open(&house.pickup(lang)),
        "wrong-code" => {
            browser.open(&house.pickup(lang));
            browser.type_into("#code", "22222-22222-22222-22222-22222");
            browser.click("button[type=submit]");
            // the address stays the same: the answer is known by its words
            let said = match lang {
                "ja" => "コードが違います。あと 1 回まで試せます。",
                _ => "That is not the code. You can try once more.",
            };
            browser.wait_for_text(".wrong", said);
        }
        "empty" => {
            browser.open(&house.url(lang));
            browser.submit("button[type=submit]", "/check?");
        }
        "many" => house.drop(browser, lang, "many", &house.many()),
        "attached" => house.drop(browser, lang, "attached", &house.row(row("C18"))),
        state => house.ask(browser, lang, state),
    }
    browser.wait_for(DRAWN, "");
}

/// What was found, and where each thing was first: most stand on every page.
#[derive(Default)]
struct Findings(BTreeMap<String, String>);

impl Findings {
    fn add(&mut self, place: &str, what: impl Into<String>) {
        self.0.entry(what.into()).or_insert_with(|| place.to_owned());
    }

    fn assert_none(&self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }

    fn add_each(&mut self, place: &str, kind: &str, told: &Value) {
        for one in told.as_array().unwrap() {
            self.add(place, format!("{kind}: {}", one.as_str().unwrap()));
        }
    }
}

fn axe(browser: &Browser, library: &str, page: &str, place: &str, found: &mut Findings) {
    browser.run(library, "");
    let mut ran = BTreeSet::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        let told = browser.wait_for(AXE, scheme);
        let place = format!("{place} {scheme}");
        found.add_each(&place, "violation", &told["violations"]);
        for one in told["undecided"].as_array().unwrap() {
            let one = one.as_str().unwrap();
            if !UNDECIDED.iter().any(|(rule, what)| one.starts_with(rule) && one.contains(what)) {
                found.add(&place, format!("undecided: {one}"));
            }
        }
        ran.extend(told["passes"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
    }
    browser.prefer("light");
    for rule in RULES.iter().filter(|rule| page == "start" && !ran.contains(**rule)) {
        found.add(place, format!("axe did not look at {rule}"));
    }
}

fn fits(browser: &Browser, how: &str, place: &str, found: &mut Findings) {
    let seen = browser.run(FIT, how);
    let place = format!("{place} {how}");
    if seen["overflow"] != 0 || seen["upon"] != false {
        found.add(&place, format!("{how}: wider than its window by {}, covered: {}", seen["overflow"], seen["upon"]));
    }
    found.add_each(&place, how, &seen["cut"]);
    found.add_each(&place, how, &seen["hidden"]);
}

/// What a screen reader says first: title, headline, language.
fn spoken(browser: &Browser, lang: &str, page: &str, place: &str, found: &mut Findings) {
    let told = browser.run(SPOKEN, "");
    let headline = told["headline"].as_str().unwrap();
    if told["title"] != format!("{headline} – Kakitome") {
        found.add(place, format!("the title {} is not that of {headline}", told["title"]));
    }
    if State::ALL.iter().any(|state| state.name() == page) {
        let (said, meant) = (without_values(headline, '\u{2068}', '\u{2069}'), golden(page, lang));
        if said != meant {
            found.add(place, format!("{said} is not the answer {meant}"));
        }
    }
    if told["lang"] != lang {
        found.add(place, format!("the page says that it is in {}", told["lang"]));
    }
    found.add_each(place, "in a language that is not told", &told["foreign"]);
    // an answer is read out; a page that somebody opens begins at its beginning, one that asks again where it asks
    let focus = match page {
        "start" | "help" | "pickup" => "body",
        "wrong-code" => "input",
        _ => "h1",
    };
    if told["focus"] != focus {
        found.add(place, format!("the focus is on {}", told["focus"]));
    }
}

/// One language, so that two browsers share the work.
fn every_page(lang: &str) {
    let Some([chromium, chromedriver]) = programs() else { return };
    let library = library();
    let house = House::open();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    let mut found = Findings::default();
    for (width, height) in SIZES {
        for page in pages() {
            let place = format!("{page} {lang} {width}");
            browser.resize(width, height);
            open(&house, &browser, lang, page);
            spoken(&browser, lang, page, &place, &mut found);
            for scheme in ["light", "dark"] {
                browser.prefer(scheme);
                picture(&browser, page, lang, width, scheme);
            }
            browser.prefer("light");
            if let Some(library) = &library {
                axe(&browser, library, page, &place, &mut found);
            }
            if width > 600 {
                fits(&browser, "large", &place, &mut found);
            } else {
                fits(&browser, "spaced", &place, &mut found);
                browser.resize(NARROW.0, NARROW.1);
                fits(&browser, "narrow", &place, &mut found);
            }
        }
    }
    found.assert_none();
}

#[test]
fn every_page_is_for_everybody_in_english() {
    every_page("en");
}

#[test]
fn every_page_is_for_everybody_in_japanese() {
    every_page("ja");
}

/// Presses Tab through the page from where the focus is, `from` stops behind its beginning, to its last stop.
fn walk(browser: &Browser, from: u64, place: &str, found: &mut Findings) {
    let stops = browser.run(STOP, "")["stops"].as_u64().unwrap();
    for number in from..stops {
        browser.tab();
        let at = browser.run(STOP, "");
        let told = at["told"].as_str().unwrap();
        if at["stop"] != number {
            found.add(place, format!("stop {number} of {stops} is {told}, which is number {}", at["stop"]));
            return;
        }
        if at["line"] != true || at["shown"] != true {
            found.add(place, format!("the focus cannot be seen on {told}: {at}"));
        }
    }
}

#[test]
fn the_keyboard_alone_does_it_all() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let house = House::open();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    let mut found = Findings::default();
    let focused = "const at = document.activeElement; return at.id || at.className || at.localName";
    for (lang, scheme, (width, height)) in [("ja", "light", SIZES[0]), ("en", "dark", SIZES[1])] {
        browser.resize(width, height);
        browser.prefer(scheme);
        for page in ["start", "help", "pickup", "nowhere"] {
            open(&house, &browser, lang, page);
            // what is focused to be read out stands behind the name of the page
            walk(&browser, u64::from(page == "nowhere"), &format!("{page} {lang}"), &mut found);
        }
        // from the first page to an answer: choose, go on to the button, press it
        browser.open(&house.url(lang));
        browser.type_into("#mail", house.file("mail", &house.mail("ALTERED")).to_str().unwrap());
        let presses = (0..9).find(|_| {
            browser.tab();
            browser.run(focused, "") == "button"
        });
        assert!(presses.is_some(), "no button is reached");
        browser.enter("/check?");
        browser.wait_for(DRAWN, "");
        assert_eq!(browser.run(focused, ""), "headline", "the answer is read out");
        walk(&browser, 1, &format!("answer {lang}"), &mut found);
        // what is folded opens by Enter
        browser.run("document.querySelector('details.expert > summary').focus()", "");
        browser.enter("/check?");
        assert_eq!(browser.run("return document.querySelector('details.expert').open", ""), true);
        let at = browser.run(STOP, "")["stop"].as_u64().unwrap();
        walk(&browser, at + 1, &format!("answer unfolded {lang}"), &mut found);
    }
    found.assert_none();
}

/// Each check sees what it is for: what is done to the first page, and what must be found then.
#[test]
fn what_is_broken_is_found() {
    let Some([chromium, chromedriver]) = programs() else { return };
    let library = library();
    let house = House::open();
    let browser = Browser::start(&chromium, &chromedriver, &json!({}));
    let style = |rule: &str| {
        format!(
            "const sheet = new CSSStyleSheet(); sheet.replaceSync({rule:?}); document.adoptedStyleSheets = [sheet];"
        )
    };
    let by_axe = [
        ("document.querySelector('[for=mail]').remove();".to_owned(), "violation: label"),
        ("document.documentElement.removeAttribute('lang');".to_owned(), "violation: html-has-lang"),
        (style("h1 { color: #999; }"), "violation: color-contrast"),
        (
            style(".switch, .brand { position: fixed; top: 0; left: 0; font-size: 8px; padding: 0; }"),
            "violation: target",
        ),
    ];
    let by_us = [
        ("document.title = 'Kakitome';".to_owned(), "is not that of"),
        ("document.documentElement.lang = 'ja';".to_owned(), "the page says that it is in"),
        ("document.querySelector('h1').textContent = 'だれから';".to_owned(), "in a language that is not told"),
        ("document.querySelector('#mail').focus();".to_owned(), "the focus is on"),
        (style("h1 { width: 2000px; }"), "narrow: wider than its window"),
        (style(".lead { height: 1rem; overflow: hidden; }"), "large: <p class=\"lead\""),
        (style(".drop input { padding-top: 2rem !important; }"), "spaced: wider than its window"),
        (style(":focus-visible { outline: none !important; }"), "the focus cannot be seen"),
        ("document.querySelector('#mail').tabIndex = 5;".to_owned(), "stop 0 of"),
    ];
    browser.resize(SIZES[0].0, SIZES[0].1);
    for (number, (script, wanted)) in by_axe.iter().chain(&by_us).enumerate() {
        let mut found = Findings::default();
        browser.open(&house.url("en"));
        browser.run(script, "");
        match &library {
            Some(library) if number < by_axe.len() => axe(&browser, library, "start", "", &mut found),
            None if number < by_axe.len() => continue,
            _ => {
                spoken(&browser, "en", "start", "", &mut found);
                ["narrow", "large", "spaced"].iter().for_each(|how| fits(&browser, how, "", &mut found));
                walk(&browser, 0, "", &mut found);
            }
        }
        assert!(found.0.keys().any(|told| told.contains(wanted)), "{script}: {wanted} is not among {:#?}", found.0);
    }
}
