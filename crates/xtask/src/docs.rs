//! Documents that the program prints and we commit: one source per fact.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::tidy::Violation;

/// A file, and the words after `kakitome` that print it.
const GENERATED: [(&str, [&str; 2]); 2] =
    [("docs/verdicts.md", ["docs", "verdicts"]), ("docs/settings.md", ["docs", "settings"])];

/// Writes every generated document.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    for (path, words) in GENERATED {
        let text = print(root, words)?;
        fs::write(root.join(path), text).with_context(|| format!("{path} cannot be written"))?;
        println!("{path}");
    }
    Ok(())
}

/// Compares every generated document with what the program prints now.
pub(crate) fn check(root: &Path, found: &mut Vec<Violation>) {
    for (path, words) in GENERATED {
        let committed = fs::read_to_string(root.join(path)).unwrap_or_default();
        let (line, advice) = match print(root, words) {
            Ok(printed) => match first_difference(&committed, &printed) {
                Some(line) => {
                    (line, "not what the program prints now; run `cargo xtask docs`, do not edit it by hand".to_owned())
                }
                None => continue,
            },
            Err(error) => (1, format!("cannot be made: {error:#}")),
        };
        found.push(Violation::new(path, line, "generated", advice));
    }
}

fn print(root: &Path, words: [&str; 2]) -> anyhow::Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "kakitome", "--"])
        .args(words)
        .current_dir(root)
        .output()
        .context("cargo cannot be started")?;
    ensure!(
        output.status.success(),
        "`kakitome {}` failed ({}):\n{}",
        words.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(!output.stdout.is_empty(), "`kakitome {}` printed nothing", words.join(" "));
    String::from_utf8(output.stdout).with_context(|| format!("`kakitome {}` did not print UTF-8", words.join(" ")))
}

/// The number of the first line that differs.
fn first_difference(committed: &str, printed: &str) -> Option<usize> {
    if committed == printed {
        return None;
    }
    let same = committed.split('\n').zip(printed.split('\n')).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        for (committed, printed, line) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some(2)),
            ("a\n", "a\nb\n", Some(2)),
            ("", "a\n", Some(1)),
        ] {
            assert_eq!(first_difference(committed, printed), line, "{committed:?} {printed:?}");
        }
    }
}
