//! `cargo xtask tidy`: reads every file of ours once and holds it against the rules.
//!
//! [`source`] tells code from comments, text and tests; [`code`], [`text`] and [`dependencies`] are the rules, each a
//! table at the head of its file.

mod code;
mod dependencies;
mod source;
mod text;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::docs;

/// Folders that hold nothing of ours to read: products, foreign mails, data.
const UNREAD: [&str; 6] = ["target", "testdata", "kakitome-data", "artifacts", ".git", ".cargo"];
/// What the fuzzer found.
const SEEDS: &str = "fuzz/corpus";

/// One place where a rule is broken.
#[derive(Debug)]
pub(crate) struct Violation {
    file: String,
    line: usize,
    rule: &'static str,
    advice: String,
}

impl Violation {
    pub(crate) fn new(file: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule, advice: advice.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}: {}", self.file, self.line, self.rule, self.advice)
    }
}

/// Checks everything and prints what is wrong.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort();

    let mut found = Vec::new();
    for path in &files {
        code::name(path, &mut found);
        let Some(extension @ ("rs" | "md")) = path.rsplit('.').next() else { continue };
        let content = fs::read_to_string(root.join(path)).with_context(|| format!("{path} cannot be read"))?;
        text::check(path, &content, &mut found);
        if extension == "rs" {
            if let Some(told) = text::long(path, &content, &mut found) {
                println!("{told}");
            }
            code::check(path, &content, &mut found);
        }
    }
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    text::changelog(&read("CHANGELOG.md"), &mut found);
    text::readmes(&read("README.md"), &read("README.ja.md"), &mut found);
    dependencies::check(root, &mut found)?;
    docs::check(root, &mut found);

    for violation in &found {
        println!("{violation}");
    }
    println!("tidy: {} files read, {} violations", files.len(), found.len());
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The paths of all our files below `folder`, relative to `root`, with `/` between the parts.
fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() && !UNREAD.iter().any(|unread| name == *unread) && entry.path() != root.join(SEEDS) {
            walk(root, &entry.path(), files)?;
        } else if kind.is_file() {
            let path = entry.path();
            files.push(path.strip_prefix(root)?.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
