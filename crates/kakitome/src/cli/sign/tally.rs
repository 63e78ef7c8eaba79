//! What becomes of each of many mails: counted, told on standard error, on a bar, and as JSON for programs.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use kakitome_verdict::safe;
use serde_json::json;

use crate::cli::{Ended, Failure, output};

pub(super) struct Tally {
    counts: Mutex<Counts>,
    bar: ProgressBar,
    json: bool,
}

#[derive(Default)]
struct Counts {
    signed: u64,
    refused: u64,
    /// Something failed that may not fail again.
    may_try_again: bool,
}

impl Tally {
    pub(super) fn new(count: Option<u64>, json: bool, quiet: bool) -> Self {
        let bar = match count {
            _ if quiet || !std::io::stderr().is_terminal() => ProgressBar::hidden(),
            Some(count) => ProgressBar::new(count),
            None => ProgressBar::new_spinner(),
        };
        let form = if count.is_some() {
            "{wide_bar} {pos}/{len} mails, {per_sec}"
        } else {
            "{spinner} {pos} mails, {per_sec}"
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        Self { counts: Mutex::default(), bar, json }
    }

    /// One was signed; `number` is its place in an mbox.
    pub(super) fn signed(&self, mail: &Path, number: Option<u64>, to: Option<&Path>) {
        self.count(|counts| counts.signed = counts.signed.saturating_add(1));
        if self.json {
            let to = to.map(|path| path.to_string_lossy());
            self.line(&json!({ "mail": mail.to_string_lossy(), "number": number, "signed": true, "output": to }));
        }
    }

    /// One was not.
    pub(super) fn refused(&self, mail: &Path, number: Option<u64>, why: &Failure) {
        self.count(|counts| {
            counts.refused = counts.refused.saturating_add(1);
            counts.may_try_again |= why.ended() != Ended::Unreadable;
        });
        let place = number.map(|number| format!(", mail {number}")).unwrap_or_default();
        self.say(&format!("{}{place}: not signed: {why}", mail.display()));
        if self.json {
            let why = why.to_string();
            self.line(&json!({ "mail": mail.to_string_lossy(), "number": number, "signed": false, "why": why }));
        }
    }

    /// A line on standard error.
    pub(super) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("kakitome: {line}"));
    }

    /// How it ended.
    pub(super) fn end(self) -> Result<Ended, Failure> {
        self.bar.finish_and_clear();
        let counts = self.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let all = counts.signed.saturating_add(counts.refused);
        let message = format!("{} of {all} mails were not signed", counts.refused);
        match counts {
            Counts { refused: 0, .. } => Ok(Ended::Done),
            Counts { may_try_again: true, .. } => Err(Failure::try_again(message)),
            Counts { .. } => Err(Failure::unreadable(message)),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        self.bar.inc(1);
    }

    fn line(&self, value: &serde_json::Value) {
        // Whoever reads them and goes away has had enough of lines; the mails come out all the same.
        self.bar.suspend(|| output::print(&format!("{}\n", safe::json(&value.to_string()))).ok());
    }
}
