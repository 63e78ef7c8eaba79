//! The log's lines about mail: one for each mail, or for each of its copies and each answer to some of its recipients, who
//! are all named. Nothing of a mail's content is in them.
//!
//! What others wrote is given to the log as text, which writes it in quotes with control and bidirectional characters
//! escaped (as JSON: escaped as JSON has it), so no mail can forge a line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Envelope;
use super::passage::Line;
use crate::settings::Direction;

/// The most characters of one value in the log.
const MAX_LOGGED: usize = 500;

/// What became of a mail, or of one of its copies, for some of its recipients.
pub(super) fn decision(envelope: &Envelope, line: &Line, lone_line_feeds: u64) {
    let Line { to, action, reason, size, reply } = line;
    let (recipients, to) = (to.len(), to.iter().map(|to| cut(to)).collect::<Vec<_>>().join(" "));
    let client = envelope.client.map(|client| client.to_string());
    tracing::info!(
        target: "kakitome::mail",
        id = cut(&envelope.id),
        from = cut(&envelope.from),
        to,
        recipients,
        direction = match envelope.listener.direction {
            Direction::Outbound => "outbound",
            Direction::Inbound => "inbound",
        },
        class = envelope.listener.class,
        client,
        action,
        reason = cut(reason),
        size,
        lone_line_feeds,
        reply = cut(&reply.summary()),
        "mail"
    );
}

/// The name of a mail whose server told no queue id.
pub(super) fn own_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("k{seconds:x}.{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Text of others, cut where it is long.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_LOGGED) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut() {
        for text in ["", "a@b.test", "受付@例.test"] {
            assert_eq!(cut(text), text);
        }
        assert_eq!(cut(&"受".repeat(9999)), format!("{}...", "受".repeat(MAX_LOGGED)));
    }
}
