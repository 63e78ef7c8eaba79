//! The house rules that the compiler cannot enforce, and the documents that are made from the program.
//!
//! `cargo xtask tidy` checks, `cargo xtask docs` writes, `cargo xtask dist` packs, `cargo xtask fuzz` throws octets,
//! `cargo xtask roots` makes the public list anew, `cargo xtask corpus` writes the attack and edge mails for others,
//! `cargo xtask crash` kills the gateway and counts the mails. Nothing here is part of the product.

mod corpus;
mod crash;
mod dist;
mod docs;
mod enrol;
mod fuzz;
mod inbound;
mod load;
mod roots;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

const USAGE: &str = "\
usage: cargo xtask tidy     checks the house rules (CONTRIBUTING.md)
       cargo xtask docs     writes the generated documents anew
       cargo xtask dist [--binary FILE]
                            packs a release build, or this program, into target/dist: a tarball and a .deb
       cargo xtask crash [--short]
                            kills the gateway while mail goes through it beside a real Postfix, and counts what arrived
       cargo xtask load [--write|MAILS]
                            measures how much mail goes through beside a real Postfix (with cargo run --release -p xtask);
                            writes the table of docs/benchmarks.md, or sends few mails to see that it works
       cargo xtask enrol PROGRAM [MEMBERS] [p-256] [rsa-2048] [sqlite] [postgresql]
                            measures how long a release build needs to enrol a made-up company of 14,300, and to replace
                            everything
       cargo xtask inbound PROGRAM [MAILS]
                            measures what received mail costs a release build, beside mail that leaves
       cargo xtask fuzz [SECONDS]
                            builds the fuzz targets once and runs each for some seconds (10)
       cargo xtask corpus FOLDER
                            writes the attack and edge mails with their answers, for testers of mail programs
       cargo xtask roots FILE [NSSCKBI_H] --date YYYY-MM-DD --source TEXT
                            makes the public list anew, from certdata.txt and nssckbi.h, or from libnssckbi.so";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = root()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => tidy::run(&root),
        ["docs"] => docs::write(&root).map(|()| ExitCode::SUCCESS),
        ["dist"] => dist::run(&root, None).map(|()| ExitCode::SUCCESS),
        ["dist", "--binary", binary] => dist::run(&root, Some(binary)).map(|()| ExitCode::SUCCESS),
        ["crash"] => crash::run(&root, false),
        ["crash", "--short"] => crash::run(&root, true),
        ["load"] => load::run(&root, None, false),
        ["load", "--write"] => load::run(&root, None, true),
        ["load", mails] => load::run(&root, Some(mails.parse()?), false),
        ["enrol", program, words @ ..] => enrol::run(&root, Path::new(program), words),
        ["inbound", program] => inbound::run(&root, Path::new(program), None),
        ["inbound", program, mails] => inbound::run(&root, Path::new(program), Some(mails.parse()?)),
        ["fuzz"] => fuzz::run(&root, 10).map(|()| ExitCode::SUCCESS),
        ["fuzz", seconds] => fuzz::run(&root, seconds.parse()?).map(|()| ExitCode::SUCCESS),
        ["corpus", folder] => corpus::write(Path::new(folder)).map(|()| ExitCode::SUCCESS),
        ["roots", words @ ..] => roots::run(&root, words).map(|()| ExitCode::SUCCESS),
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

/// The folder of the workspace, wherever the command was given.
fn root() -> anyhow::Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).map(Path::to_path_buf).context("crates/xtask has no workspace above it")
}
