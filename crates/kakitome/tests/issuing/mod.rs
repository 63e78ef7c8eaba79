//! The examples that came later, about issuing and what programs read: rows of `help.rs`. And whoever adds a verb is asked for
//! its `--json`.

use super::Mail::{self, Mine};
use super::{help, is_group, verbs};

/// Example, mail, exit code, what it says; run behind those of `help.rs`, whose CA is there by then.
pub(super) fn examples() -> Vec<(&'static str, Mail, i32, &'static str)> {
    vec![
        ("kakitome ca show --json", Mine, 0, r#""subject": "O=Example Bank, CN=Example Bank root"#),
        ("kakitome job run --json", Mine, 0, r#""failing": 0"#),
        ("kakitome store migrate --json", Mine, 0, r#""now": "#),
        ("kakitome ca revoke issuing --reason superseded --rehearse", Mine, 0, "would be revoked  issuing, and "),
        (
            "kakitome ca revoke issuing --reason cACompromise --since 2026-11-01T00:00:00Z --json",
            Mine,
            0,
            r#""successor": "issuing-2""#,
        ),
    ]
}

/// Verbs without `--json`, and why they need none.
const WITHOUT: [(&str, &str); 20] = [
    ("up", "it serves"),
    ("verify", "its output is the content of the mail"),
    ("encrypt", "its output is a mail"),
    ("decrypt", "its output is a mail"),
    ("cert request", "its output is a request"),
    ("cert export", "its output is a file with a key"),
    ("trust add", "`trust list --json` tells what stands there"),
    ("trust remove", "`trust list --json` tells what stands there"),
    ("trust restore", "`trust list --json` tells what stands there"),
    ("trust export", "its output is a list of certificates"),
    ("directory export", "its output is a list of certificates"),
    ("directory smimea", "its output is a zone file"),
    ("directory send-certs", "its output is a mail"),
    ("deploy withdraw", "`deploy list --json` tells what stands there"),
    ("audit export", "its output is JSON already"),
    ("audit checkpoint", "its output is a signed statement"),
    ("config check", "its exit code is the answer"),
    ("config template", "its output is a settings file"),
    ("config show", "its output is a settings file"),
    ("completion", "its output is a script"),
];

#[test]
fn what_a_verb_tells_people_it_tells_programs_too() {
    for verb in verbs() {
        let (name, text) = (verb.join(" "), help(&verb, "-h"));
        if is_group(&text) {
            continue;
        }
        let has = text.lines().any(|line| line.trim_start().starts_with("--json"));
        let without = WITHOUT.iter().find(|(known, _)| *known == name);
        match without {
            Some(_) if has => panic!("{name} has --json: take it out of the list"),
            Some(_) => {}
            None => assert!(has, "{name} has no --json, and nobody says why"),
        }
    }
}
