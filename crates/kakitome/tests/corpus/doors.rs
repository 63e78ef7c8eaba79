//! Each row by every door: the library, the command line, and the page over a real connection. One answer, with the same
//! state, reasons and words.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kakitome::settings::Settings;
use kakitome::web::{Checker, Inside, InstanceInfo, router};
use kakitome_office::evidence::{self, Choice};
use kakitome_office::spool::SpoolDirectory;
use kakitome_pki::cert::ocsp::OcspResponse;
use kakitome_pki::path::PolicyInputs;
use kakitome_pki::roots::RootList;
use kakitome_smime::octets::Octets;
use kakitome_testkit::corpus::{Row, folder, rows};
use kakitome_verdict::answer::Answer;
use kakitome_verdict::sender::Evidence;
use kakitome_verdict::wire;
use serde_json::Value;

use crate::program::command;
use crate::{manifest, write};

/// The largest mail that the page takes, in octets: more than any row has.
const MAX_MAIL: u64 = 20_000_000;

/// How long a reply may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Rows for which a page of the browser is no answer, and why.
const OTHER_PAGES: &[(&str, &str)] = &[("H02", "whoever reads chooses one of the mails of an mbox")];

/// Rows that no upload can ask about, and why.
const NOT_BY_PAGE: &[(&str, &str)] = &[("H07", "an upload of nothing is told as a file that was forgotten")];

/// What is asked: a row, and its entry in the manifest.
type Question = (&'static Row, Value);

/// What a row's evidence is for callers of the library; what is expected of senders stands in settings.
struct Desk {
    home: PathBuf,
    spools: SpoolDirectory,
    asked: Mutex<Option<Question>>,
}

impl Desk {
    fn choice(&self, (row, entry): &Question) -> Choice {
        let file = |field: &str| entry["needs"][field].as_str().map(|path| self.home.join(path));
        let check = Settings::load(file("settings").as_deref(), std::iter::empty()).unwrap().check;
        Choice {
            policy: PolicyInputs {
                acceptable: row.given.policies.clone(),
                require_explicit: !row.given.policies.is_empty(),
                ..PolicyInputs::default()
            },
            at: Some(row.given.at),
            revocation: row.given.revocation,
            expectations: check.expectations(),
            // The program reads it from where it runs, and that is the folder.
            delivery_log: check.delivery_log.map(|log| self.home.join(log)),
            ..Choice::default()
        }
    }

    /// As the row gives it.
    fn given(&self, question: &Question) -> Evidence {
        let given = &question.0.given;
        let responses = given.responses.iter().map(|response| OcspResponse::parse(response).unwrap());
        Evidence {
            roots: RootList::default(),
            anchors: given.anchors.clone(),
            hints: given.hints.clone(),
            crls: given.crls.clone(),
            responses: responses.collect(),
            ..evidence::gather(&self.choice(question), given.at).unwrap()
        }
    }

    /// As the files say it that the manifest names; what no file says, as the row gives it.
    fn by_files(&self, question: &Question) -> Evidence {
        let (row, entry) = question;
        if entry["arguments"].is_null() {
            return self.given(question);
        }
        let file = |field: &str| entry["needs"][field].as_str().map(|path| self.home.join(path));
        let choice = Choice {
            trust: file("trust").into_iter().collect(),
            public_roots: file("public_roots"),
            crls: [file("crls"), file("ocsp")].into_iter().flatten().collect(),
            ..self.choice(question)
        };
        evidence::gather(&choice, row.given.at).unwrap()
    }

    fn answer(&self, mail: &dyn Octets, row: &Row, evidence: &Evidence) -> Answer {
        evidence::examine(mail, &self.spools, &row.held(), evidence, None).unwrap().answer
    }
}

/// The page's judge.
struct Page(Arc<Desk>);

impl Checker for Page {
    fn check(&self, mail: Arc<dyn Octets>) -> Result<Answer, String> {
        let asked = self.0.asked.lock().unwrap().clone().unwrap();
        Ok(self.0.answer(&*mail, asked.0, &self.0.by_files(&asked)))
    }

    fn instance(&self) -> InstanceInfo {
        InstanceInfo {
            member_domains: vec!["example.test".into()],
            own_ca: None,
            spools: self.0.spools.clone(),
            max_mail: MAX_MAIL,
        }
    }
}

/// Sends a mail to the page, as a program does that wants this kind of answer in this language.
fn post(address: SocketAddr, mail: &[u8], accept: &str, language: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /check HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: {accept}\r\nAccept-Language: {language}\r\n\
         Content-Type: message/rfc822\r\nContent-Length: {}\r\n\r\n",
        mail.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(mail).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

/// What a reader sees of HTML, without what only turns directions; and the same of any other words.
fn words(text: &str) -> String {
    let mut seen = String::new();
    let mut in_tag = false;
    for letter in text.chars() {
        match letter {
            '<' => in_tag = true,
            '>' => in_tag = false,
            '\u{2066}'..='\u{2069}' => {}
            _ if !in_tag => seen.push(letter),
            _ => {}
        }
    }
    [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
        .iter()
        .fold(seen, |seen, (from, to)| seen.replace(from, to))
}

/// An answer as far as it is the verdict: of which file the roots came, and how old that file is, is told beside it.
fn parsed(json: &str) -> Value {
    let mut answer = serde_json::from_str(json).unwrap_or_default();
    without_the_list(&mut answer);
    answer
}

fn without_the_list(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("trust_list");
            fields.values_mut().for_each(without_the_list);
        }
        Value::Array(items) => {
            items.retain(|item| item != "path.list-old");
            items.iter_mut().for_each(without_the_list);
        }
        _ => {}
    }
}

/// Where two answers part, as the names of their fields.
fn difference(one: &Value, other: &Value) -> String {
    let fields = one.as_object().into_iter().flatten();
    let parted: Vec<&str> =
        fields.filter(|(name, value)| other[name.as_str()] != **value).map(|(name, _)| &**name).collect();
    format!("{} against {}: {}", one["state"], other["state"], parted.join(", "))
}

#[test]
fn every_door_gives_the_same_answer() {
    let home = tempfile::tempdir().unwrap();
    let files = folder();
    write(home.path(), &files);
    let manifest = manifest(&files);
    let spool = tempfile::tempdir().unwrap();
    let spools = SpoolDirectory::new(spool.path()).unwrap();
    let desk = Arc::new(Desk { home: home.path().to_owned(), spools, asked: Mutex::new(None) });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let site = router(Arc::new(Page(Arc::clone(&desk))), Inside::default());
    runtime.spawn(async move { axum::serve(listener, site).await });

    let mut wrong = Vec::new();
    for (row, entry) in rows().iter().zip(manifest["rows"].as_array().unwrap()) {
        let question: Question = (row, entry.clone());
        *desk.asked.lock().unwrap() = Some(question.clone());
        // Beside the other doors, since its start costs most.
        let begun = entry["arguments"].as_array().map(|arguments| begin(&desk.home, arguments));
        let library = parsed(&wire::json(&desk.answer(&row.mail, row, &desk.given(&question))));
        let (state, code) = row.expected();
        let got = (&library["state"], &library["reasons"][0]);
        let mut found = Vec::new();
        if got != (&state.into(), &code.into()) {
            found.push(format!("the library: {} {}, not {state} {code}", got.0, got.1));
        }
        found.extend(page(address, row, &library));
        let expected = row.exception().map_or(&entry["exit_code"], |_| &entry["kakitome_answers"]["exit_code"]);
        found.extend(begun.into_iter().flat_map(|begun| command_line(begun, expected, &library)));
        wrong.extend(found.into_iter().map(|found| format!("{}: {found}", row.id)));
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows().len(), wrong.join("\n"));
}

fn begin(home: &Path, arguments: &[Value]) -> Child {
    let mut command = command(home, "");
    command.args(arguments.iter().map(|word| word.as_str().unwrap()));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What the command line says otherwise than the library.
fn command_line(begun: Child, ends_with: &Value, library: &Value) -> Vec<String> {
    let out = begun.wait_with_output().unwrap();
    let answer = parsed(&String::from_utf8_lossy(&out.stdout));
    let mut found = Vec::new();
    if answer != *library {
        let told = String::from_utf8_lossy(&out.stderr);
        found.push(format!("the command line: {} {told}", difference(library, &answer)));
    }
    if out.status.code().map(i64::from) != ends_with.as_i64() {
        found.push(format!("the command line ended with {}, not {ends_with}", out.status));
    }
    found
}

/// What the page says otherwise than the library: to programs, and in both languages to people. That the state is the
/// same in Japanese and English is rule (v) of those that hold for every mail.
fn page(address: SocketAddr, row: &Row, library: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if NOT_BY_PAGE.iter().any(|(id, _)| *id == row.id) {
        return found;
    }
    let answer = parsed(&post(address, &row.mail, "application/json", "en"));
    if answer != *library {
        found.push(format!("the page: {}", difference(library, &answer)));
    }
    for language in ["ja", "en"] {
        let headline = words(library["headline"][language].as_str().unwrap());
        let shown = words(&post(address, &row.mail, "text/html", language));
        let is_other = OTHER_PAGES.iter().any(|(id, _)| *id == row.id);
        if shown.contains(&headline) == is_other {
            found.push(format!("the page in {language}: {headline:?} stands there: {is_other}"));
        }
    }
    found
}
