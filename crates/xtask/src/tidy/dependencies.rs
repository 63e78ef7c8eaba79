//! The rules about crates: what a pure crate may use, and who stands to the left of whom.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::Violation;
use super::code::PURE;

/// Our crates in their line, each with those of ours that it may use.
const LINE: [(&str, &[&str]); 6] = [
    ("kakitome-awslc", &[]),
    ("kakitome-pki", &["kakitome-awslc"]),
    ("kakitome-smime", &["kakitome-pki"]),
    ("kakitome-verdict", &["kakitome-pki", "kakitome-smime"]),
    ("kakitome-office", &["kakitome-pki", "kakitome-smime", "kakitome-verdict"]),
    ("kakitome", &["kakitome-pki", "kakitome-smime", "kakitome-verdict", "kakitome-office"]),
];

/// What of others' a pure crate may use itself.
const ALLOWED: [(&str, &[&str]); 3] = [
    (
        "kakitome-pki",
        &[
            "aws-lc-rs",
            "base64",
            "cbc",
            "der",
            "jiff",
            "argon2",
            "pkcs12",
            "rc2",
            "sha1",
            "sha2",
            "signature",
            "thiserror",
            "unicode-normalization",
            "x509-cert",
            "zeroize",
        ],
    ),
    ("kakitome-smime", &["base64", "encoding_rs", "flate2", "memchr", "serde", "thiserror", "zeroize"]),
    ("kakitome-verdict", &["flate2", "serde", "serde_json", "thiserror", "unicode-normalization", "unicode-security"]),
];

/// What may not even stand behind one of those: whatever opens a file, a socket or a database, or waits.
const NEVER: [&str; 14] = [
    "async-std",
    "axum",
    "hickory-resolver",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "openssl-sys",
    "reqwest",
    "rusqlite",
    "rustls",
    "socket2",
    "sqlx",
    "tokio",
    "tokio-postgres",
];

pub(super) fn check(root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    for (name, _) in LINE {
        direct(name, &tree(root, name, &["--depth", "1"])?, found);
    }
    for name in PURE.map(|folder| format!("kakitome-{folder}")) {
        transitive(&name, &tree(root, &name, &[])?, found);
    }
    fuzz(root, found)
}

/// The workspace of the fuzz targets has a lock file of its own, which knows what ours depend on.
fn fuzz(root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    const UPDATE: [&str; 4] = ["update", "--workspace", "--manifest-path", "fuzz/Cargo.toml"];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(UPDATE)
        .args(["--locked", "--offline"])
        .current_dir(root)
        .output()
        .context("cargo cannot be started")?;
    // Offline more can fail than the lock file.
    if String::from_utf8_lossy(&output.stderr).contains("--locked was passed") {
        let advice = format!("it does not fit the dependencies; cargo {}", UPDATE.join(" "));
        found.push(Violation::new("fuzz/Cargo.lock", 1, "dependencies", advice));
    }
    Ok(())
}

/// The names of the normal dependencies of `name`, itself not among them.
fn tree(root: &Path, name: &str, more: &[&str]) -> anyhow::Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--package", name, "--prefix", "none", "--edges", "normal", "--format", "{p}"])
        .args(more)
        .current_dir(root)
        .output()
        .context("cargo cannot be started")?;
    ensure!(output.status.success(), "cargo tree -p {name}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(names(&String::from_utf8_lossy(&output.stdout)))
}

/// `serde v1.0.1 (…)` in each line but the first, which is the crate that was asked about.
fn names(tree: &str) -> Vec<String> {
    tree.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn direct(name: &str, uses: &[String], found: &mut Vec<Violation>) {
    let ours = LINE.iter().find(|(ours, _)| *ours == name).map_or(&[][..], |(_, left)| left);
    let others = ALLOWED.iter().find(|(pure, _)| *pure == name).map(|(_, allowed)| *allowed);
    for used in uses {
        if used == "kakitome" || used.starts_with("kakitome-") {
            if !ours.contains(&used.as_str()) {
                found.push(violation(name, "line", format!("{name} uses {used}, which does not stand to its left")));
            }
        } else if others.is_some_and(|others| !others.contains(&used.as_str())) {
            let advice = format!(
                "{name} is pure and {used} is not on its list; do without, or add it to crates/xtask/src/tidy/dependencies.rs \
                 with a reason in the commit"
            );
            found.push(violation(name, "dependencies", advice));
        }
    }
}

fn transitive(name: &str, uses: &[String], found: &mut Vec<Violation>) {
    for never in NEVER {
        if uses.iter().any(|used| used == never) {
            let advice =
                format!("{never} stands behind {name}, which is pure; `cargo tree -p {name} -i {never}` shows why");
            found.push(violation(name, "dependencies", advice));
        }
    }
}

fn violation(name: &str, rule: &'static str, advice: String) -> Violation {
    let folder = name.strip_prefix("kakitome-").unwrap_or(name);
    Violation::new(&format!("crates/{folder}/Cargo.toml"), 1, rule, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read() {
        let tree = "kakitome-pki v0.1.0 (/x/crates/pki)\nder v0.8.3\nkakitome-awslc v0.1.0 (/x/crates/awslc)\n";
        assert_eq!(names(tree), ["der", "kakitome-awslc"]);
    }

    #[test]
    fn the_line_and_the_lists_hold() {
        for (name, used, rule) in [
            ("kakitome-pki", "der", None),
            ("kakitome-pki", "kakitome-awslc", None),
            ("kakitome-pki", "kakitome-smime", Some("line")),
            ("kakitome-pki", "serde", Some("dependencies")),
            ("kakitome-smime", "kakitome-awslc", Some("line")),
            ("kakitome-office", "kakitome-testkit", Some("line")),
            ("kakitome-office", "rusqlite", None),
            ("kakitome-verdict", "kakitome", Some("line")),
        ] {
            let mut found = Vec::new();
            direct(name, &[used.to_owned()], &mut found);
            assert_eq!(found.first().map(|violation| violation.rule), rule, "{name} uses {used}");
        }
    }

    #[test]
    fn nothing_that_waits_stands_behind_a_pure_crate() {
        let mut found = Vec::new();
        transitive("kakitome-smime", &["memchr".to_owned()], &mut found);
        assert!(found.is_empty(), "{found:?}");
        transitive("kakitome-smime", &["memchr".to_owned(), "tokio".to_owned()], &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
