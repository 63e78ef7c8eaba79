//! Each code of the table of reasons is given to some mail of the corpus.

use std::collections::BTreeSet;

use kakitome_testkit::corpus::rows;
use kakitome_verdict::reason::Reason;

use crate::judged;

/// Codes that no mail of the corpus gives, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("limit.size", "the page gives it to an upload that is too long; tests/web.rs of kakitome tries that"),
    ("limit.path", "a mail of the corpus would carry a hundred certificates; tests/cert.rs of kakitome"),
    (
        "path.list-old",
        "what a list says of its age stands in the list, and the rows have anchors; tests/trust.rs of kakitome",
    ),
    ("auth.dmarc", "who judges does not ask the DNS; tests/passage.rs of kakitome-office"),
    ("rev.ssrf", "who judges does not fetch; tests/fetch.rs of kakitome-office tries every place that is refused"),
];

#[test]
fn every_reason_has_its_row() {
    let mut given = BTreeSet::new();
    for row in rows() {
        given.extend(judged(row).answer.reasons);
    }
    let mut wrong = Vec::new();
    for reason in Reason::ALL {
        match (given.contains(reason), ELSEWHERE.iter().find(|(code, _)| *code == reason.code())) {
            (false, None) => wrong.push(format!("no row gives {}", reason.code())),
            (true, Some((code, _))) => wrong.push(format!("a row gives {code}, which is told to be given elsewhere")),
            _ => {}
        }
    }
    for (code, _) in ELSEWHERE.iter().filter(|(code, _)| Reason::from_code(code).is_none()) {
        wrong.push(format!("{code} is no code"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
