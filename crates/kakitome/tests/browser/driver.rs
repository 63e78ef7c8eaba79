//! A browser under our hand: the few commands of WebDriver (W3C Recommendation of 5 June 2018) and of Chromium's
//! DevTools that the tests need, spoken to chromedriver over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use kakitome_smime::mime::encoding::Base64Decoder;
use serde_json::{Value, json};

/// No single command takes this long, on a busy machine either.
const PATIENCE: Duration = Duration::from_secs(120);
/// The Tab key (WebDriver §17.4.2).
const TAB: &str = "\u{e004}";
/// The Enter key.
const ENTER: &str = "\u{e007}";
/// The name under which WebDriver hands over an element (§12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Chromium with a fresh profile, and the chromedriver that steers it; both end with this value.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
    /// Kept open: a program whose output nobody takes may end.
    _said: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts both. `preferences` are Chromium's, for instance that pages run no JavaScript.
    pub(crate) fn start(chromium: &Path, chromedriver: &Path, preferences: &Value) -> Self {
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let port = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
            .expect("chromedriver names its port");
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, port, session: String::new(), _profile: profile, _said: said };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            &format!("--user-data-dir={}", browser._profile.path().display()),
        ];
        let started = browser.command(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
                "goog:chromeOptions": { "binary": chromium, "args": arguments, "prefs": preferences },
                "timeouts": { "script": PATIENCE.as_millis() },
                "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            }}}),
        );
        browser.session = format!("/session/{}", started["sessionId"].as_str().unwrap());
        // Chromium's own first page loads a hundred files; none of them is ours
        browser.open("about:blank");
        browser.requests();
        browser.console();
        browser
    }

    pub(crate) fn open(&self, url: &str) {
        self.say("/url", &json!({ "url": url }));
    }

    /// Runs a script of ours in the page and returns what it returns.
    pub(crate) fn run(&self, script: &str, argument: &str) -> Value {
        self.say("/execute/sync", &json!({ "script": script, "args": [argument] }))
    }

    /// Runs a script of ours that calls its last argument when it is done, and returns what it hands over.
    pub(crate) fn wait_for(&self, script: &str, argument: &str) -> Value {
        self.say("/execute/async", &json!({ "script": script, "args": [argument] }))
    }

    /// Types into the element, or gives a file input the path of its file.
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        self.say(&format!("/element/{}/value", self.element(css)), &json!({ "text": text }));
    }

    pub(crate) fn click(&self, css: &str) {
        self.say(&format!("/element/{}/click", self.element(css)), &json!({}));
    }

    /// Clicks a button and waits for the page that it leads to, whose address holds `to`: a click may return before.
    pub(crate) fn submit(&self, css: &str, to: &str) {
        self.click(css);
        self.arrive(to);
    }

    /// Waits for an address that holds `to`.
    pub(crate) fn arrive(&self, to: &str) {
        wait(to, || self.ask("/url").as_str().unwrap().contains(to));
    }

    /// Waits until the element says so.
    pub(crate) fn wait_for_text(&self, css: &str, text: &str) {
        // in one step: between finding the element and asking it, the page may exchange it
        wait(text, || self.run("return document.querySelector(arguments[0])?.textContent", css) == text);
    }

    pub(crate) fn text(&self, css: &str) -> String {
        self.ask(&format!("/element/{}/property/textContent", self.element(css))).as_str().unwrap().to_owned()
    }

    pub(crate) fn title(&self) -> String {
        self.ask("/title").as_str().unwrap().to_owned()
    }

    pub(crate) fn tab(&self) {
        self.press(TAB);
    }

    /// Presses Enter where the focus is, and waits for the page that it leads to, whose address holds `to`.
    pub(crate) fn enter(&self, to: &str) {
        self.press(ENTER);
        self.arrive(to);
    }

    fn press(&self, key: &str) {
        let press = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.say("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": press }] }));
    }

    /// The size of the page's window, in CSS pixels. Windows themselves cannot be as narrow as a phone's.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let phone = width < 600;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// `light` or `dark`.
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// The page from its top to its end, as PNG.
    pub(crate) fn picture(&self, to: &Path) {
        let taken = self.devtools("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": true }));
        let mut decoder = Base64Decoder::new(Vec::new());
        decoder.write_all(taken["data"].as_str().unwrap().as_bytes()).unwrap();
        let (png, clean) = decoder.finish().unwrap();
        assert!(clean);
        std::fs::write(to, png).unwrap();
    }

    /// What the console said since the last call: errors, warnings, violations of the page's policy.
    pub(crate) fn console(&self) -> Vec<String> {
        self.log("browser").iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The addresses of all requests since the last call, those that the page's policy stopped too.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log("performance")
            .iter()
            .map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| event["message"]["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.say("/se/log", &json!({ "type": kind })).as_array().unwrap().clone()
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.say("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn element(&self, css: &str) -> String {
        let found = self.say("/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn say(&self, path: &str, body: &Value) -> Value {
        self.command("POST", &format!("{}{path}", self.session), body)
    }

    fn ask(&self, path: &str) -> Value {
        self.command("GET", &format!("{}{path}", self.session), &Value::Null)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, reply) = self.exchange(method, path, body).expect("chromedriver replies");
        assert!(status == 200, "{method} {path} {body}: {}", reply["message"].as_str().unwrap_or("no reason"));
        reply
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> std::io::Result<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut reply = BufReader::new(stream);
        let mut line = String::new();
        reply.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        let mut length = 0;
        loop {
            line.clear();
            reply.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let mut body = vec![0; length];
        reply.read_exact(&mut body)?;
        let mut reply: Value = serde_json::from_slice(&body).map_err(std::io::Error::other)?;
        Ok((status, reply["value"].take()))
    }
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "it did not come to {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Browser {
    /// Also after a failed test: the session first, since Chromium ends with it and not with chromedriver.
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.exchange("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
