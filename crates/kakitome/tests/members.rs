//! Members on the command line: an administrator's day as docs/members.md tells it, and an enrolment that is killed again and
//! again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod program;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Members of the enrolment that is killed.
const MEMBERS: usize = 120;

fn kakitome(directory: &Path, arguments: &str) -> Command {
    let mut command = program::command(directory, arguments);
    command.env("KAKITOME_MEMBERS_DOMAINS", "b.example").env("KAKITOME_MEMBERS_KEY", "p-256");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json(directory: &Path, arguments: &str) -> Value {
    let output = kakitome(directory, arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments}: {error}: {}", text(&output)))
}

#[test]
fn an_enrolment_that_is_killed_goes_on_and_nobody_is_enrolled_twice() {
    let house = tempfile::tempdir().unwrap();
    let house = house.path();
    let rows: String = (0..MEMBERS).map(|number| format!("{number},m{number:03}@b.example\n")).collect();
    fs::write(house.join("company.csv"), format!("number,mail\n{rows}")).unwrap();
    // The CA first: the kills are to hit the enrolment, not its making.
    assert!(kakitome(house, "member enrol").output().unwrap().status.success());
    let mut kills = 0u32;
    let mut delay = Duration::from_millis(20);
    let last = loop {
        let mut run = kakitome(house, "member import company.csv --enrol --json");
        let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(delay);
        delay += Duration::from_millis(23);
        if run.try_wait().unwrap().is_some() {
            break run.wait_with_output().unwrap();
        }
        // SIGKILL: nothing is tidied up.
        run.kill().unwrap();
        run.wait().unwrap();
        kills += 1;
    };
    assert!(last.status.success(), "{}", text(&last));
    assert!(kills > 0);

    let members = json(house, "member list --all --json");
    let members = members["members"].as_array().unwrap();
    assert_eq!(members.len(), MEMBERS, "after {kills} kills");
    let certificates = json(house, "cert list --all --json");
    let mut issued: HashMap<(String, String), usize> = HashMap::new();
    let mut serials = HashMap::new();
    for one in certificates["certificates"].as_array().unwrap() {
        let word = |name: &str| one[name].as_str().unwrap().to_owned();
        *serials.entry(word("serial")).or_insert(0) += 1;
        match word("state").as_str() {
            "issued" => *issued.entry((word("address"), word("use"))).or_default() += 1,
            // recorded before a kill, and never signed
            "begun" | "abandoned" => {}
            other => panic!("{other}"),
        }
    }
    assert!(serials.values().all(|count| *count == 1));
    assert_eq!(issued.len(), 2 * MEMBERS, "after {kills} kills");
    assert!(issued.values().all(|count| *count == 1), "after {kills} kills: {issued:?}");
    // The log tells of each of them once, and a second run does nothing.
    let verified = kakitome(house, "audit verify").output().unwrap();
    assert!(verified.status.success(), "{}", text(&verified));
    let again = kakitome(house, "member import company.csv --enrol").output().unwrap();
    assert!(text(&again).contains("0 added, 0 changed, 120 as they were"), "{}", text(&again));
    assert!(text(&again).contains("0 certificates made"), "{}", text(&again));
}

/// A command of the page, how it ends, and what must stand in what it says.
struct Step {
    line: String,
    code: i32,
    says: Vec<String>,
}

/// Each command begins with `$ `; `# exits with N` may stand behind it, and the lines below are parts of what it says.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            let (command, code) = command.split_once("# exits with ").unwrap_or((command, "0"));
            steps.push(Step { line: command.trim().to_owned(), code: code.parse().unwrap(), says: Vec::new() });
        } else if inside && !line.trim().is_empty() && line.trim() != "…" {
            steps.last_mut().unwrap().says.push(line.trim().to_owned());
        }
    }
    steps
}

#[test]
fn an_administrator_s_day_is_as_the_page_tells_it() {
    let page = format!("{}/../../docs/members.md", env!("CARGO_MANIFEST_DIR"));
    let steps = steps(&fs::read_to_string(page).unwrap());
    assert!(steps.len() > 15, "{}", steps.len());
    let house = tempfile::tempdir().unwrap();
    fs::write(
        house.path().join("company.csv"),
        "社員番号,氏名,メールアドレス,部署,別名\n1001,佐藤 花子,sato@example.com,営業部,h.sato@example.com\n\
         1002,鈴木 一郎,suzuki@example.com,総務部,\n1003,高橋 次郎,takahashi@example.com,営業部,\n",
    )
    .unwrap();
    for Step { line, code, says } in steps {
        let arguments = line.strip_prefix("kakitome ").unwrap_or_else(|| panic!("{line}"));
        let mut command = program::command(house.path(), arguments);
        let output = command
            .env("KAKITOME_MEMBERS_DOMAINS", "example.com")
            .env("KAKITOME_MEMBERS_KEY", "p-256")
            .output()
            .unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        for part in says {
            assert!(said.contains(&part), "{line}: {part:?} is not in {said}");
        }
    }
}
