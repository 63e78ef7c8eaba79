//! What nobody else may see stays where it belongs: files with keys are their owner's alone, whatever the umask says;
//! passwords and codes stand in no file, log, answer or error; a dead process leaves no memory behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod instance;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use instance::{Instance, http, settings};

const MEMBERS: &str = "[members]\ndomains = [\"example.test\"]\nkey = \"p-256\"\n";
const PASSWORD: &str = "wakaba-no-yama-4711";

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a line with a umask that forbids nothing.
fn open_handed(folder: &Path, line: &str, environment: &[(&str, &str)]) -> Output {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_kakitome")]).args(line.split(' '));
    shell.current_dir(folder).env_clear().env("KAKITOME_FETCH_ENABLED", "false").stdin(Stdio::null());
    shell.envs(environment.iter().copied()).output().unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[test]
fn what_holds_a_key_is_its_owner_s_alone_whatever_the_umask_says() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::write(folder.join("k.toml"), MEMBERS).unwrap();
    fs::write(folder.join("password.txt"), format!("{PASSWORD}\n")).unwrap();
    for line in [
        "member add taro@example.test --enrol --config k.toml",
        "deploy files taro@example.test --for thunderbird --password-to code.txt -o taro --config k.toml",
        "store backup -o all.backup --config k.toml",
        "cert request --new-key p256 --key new.key --email taro@example.test --password-file password.txt -o new.csr",
        "audit export -o log.jsonl --config k.toml",
        "store rekey --config k.toml",
    ] {
        let output = open_handed(folder, line, &[]);
        assert!(output.status.success(), "{line}: {}", text(&output));
    }
    // What is for others, or was there before.
    let open = ["k.toml", "password.txt", "new.csr"];
    for path in files(folder) {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert!(mode & 0o077 == 0 || open.contains(&name.as_str()), "{name}: {mode:o}");
    }
}

#[test]
fn passwords_and_codes_stand_in_no_file_log_answer_or_error() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let config = settings("", &format!("public_url = \"https://mail.example.test\"\n{MEMBERS}"));
    fs::write(folder.join("k.toml"), &config).unwrap();
    let mut up = Instance::start(folder, &config);
    let run = |line: &str, environment: &[(&str, &str)]| open_handed(folder, line, environment);
    assert!(run("member add taro@example.test --enrol --config k.toml", &[]).status.success());
    let made = run("deploy files taro@example.test --for outlook --json -o taro --config k.toml", &[]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let offered = run("deploy link taro@example.test --for outlook --json --config k.toml", &[]);
    let offered: serde_json::Value = serde_json::from_slice(&offered.stdout).unwrap();
    let link = offered["link"].as_str().unwrap().strip_prefix("https://mail.example.test").unwrap();
    let (password, code) = (made["password"].as_str().unwrap(), offered["code"].as_str().unwrap());
    // The offer is looked at, a wrong code is tried, and the file is taken.
    assert_eq!(http(up.page(), &format!("GET {link} HTTP/1.1"), &[]).0, 200);
    let wrong = "code=22222-22222-22222-22222-22222";
    assert_eq!(http(up.page(), &format!("POST {link} HTTP/1.1"), &[wrong.as_bytes()]).0, 403);
    let limits = fs::read_to_string(format!("/proc/{}/limits", up.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert!(core.split_whitespace().filter(|word| *word == "0").count() == 2, "{core}");

    let lines = [
        "audit show --json --config k.toml",
        "member list --json --config k.toml",
        "member show taro@example.test --json --config k.toml",
        "cert list --all --json --config k.toml",
        "deploy list --json --config k.toml",
        "store show --config k.toml",
        "job list --json --config k.toml",
        "status --json --config k.toml",
        "ca list --json --config k.toml",
        "config show --config k.toml",
    ];
    let mut said: Vec<(String, Vec<u8>)> =
        lines.iter().map(|line| ((*line).to_owned(), text(&run(line, &[])).into_bytes())).collect();
    // A password that does not open, an address of a database with one in it, a file of settings that is cut off.
    let p12 = format!("cert show taro/{}", made["files"][0].as_str().unwrap());
    said.push((p12.clone(), text(&run(&p12, &[("KAKITOME_P12_PASSWORD", PASSWORD)])).into_bytes()));
    let url = format!("postgresql://kakitome:{PASSWORD}@127.0.0.1:1/kakitome");
    fs::write(folder.join("cut.toml"), format!("[store]\nurl = \"{url}\n")).unwrap();
    fs::write(folder.join("url.toml"), format!("[store]\nurl = \"{url}\"\n")).unwrap();
    fs::write(folder.join("kind.toml"), format!("[store]\nurl = [\"{url}\"]\n")).unwrap();
    for line in [
        "config check --config cut.toml",
        "config show --config url.toml",
        "member list --config url.toml",
        "config check --config kind.toml",
    ] {
        said.push((line.to_owned(), text(&run(line, &[])).into_bytes()));
    }
    said.push(("the log of up".to_owned(), up.log().into_bytes()));
    up.terminate();
    up.wait();
    for path in files(&folder.join("kakitome-data")).into_iter().filter(|path| path.is_file()) {
        said.push((path.display().to_string(), fs::read(&path).unwrap()));
    }
    let token = link.strip_prefix("/pickup/").unwrap();
    let secrets = [("the password", password), ("the code", code), ("the token", token), ("a password", PASSWORD)];
    for (place, octets) in &said {
        for (what, secret) in secrets {
            let bare = secret.replace('-', "");
            let holds = |secret: &str| octets.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!holds(secret) && !holds(&bare), "{what} stands in {place}");
        }
        let key = b"PRIVATE KEY";
        assert!(!octets.windows(key.len()).any(|window| window == key), "a private key stands in {place}");
    }
}
