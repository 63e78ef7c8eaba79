//! The examples of the verbs about the own CA that came later: rows of `help.rs`.

use super::Mail::{self, Mine};

/// Example, mail, exit code, what it says; run behind those of `help.rs`, whose CA is there by then.
pub(super) fn examples() -> Vec<(&'static str, Mail, i32, &'static str)> {
    vec![
        ("kakitome ca show --json", Mine, 0, r#""subject": "O=Example Bank, CN=Example Bank root"#),
        ("kakitome ca revoke issuing --reason superseded --rehearse", Mine, 0, "would be revoked  issuing, and "),
        (
            "kakitome ca revoke issuing --reason cACompromise --since 2026-11-01T00:00:00Z --json",
            Mine,
            0,
            r#""successor": "issuing-2""#,
        ),
    ]
}
