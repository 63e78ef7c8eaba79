//! OpenSSL's library, mail after mail in one process: a loop in C, compiled where a compiler and the headers are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::workload::Member;

/// The compiled loop.
pub struct Loop(PathBuf);

impl Loop {
    /// Compiles it; `None` where that cannot be done.
    pub fn compile(folder: &Path) -> anyhow::Result<Option<Self>> {
        let (source, program) = (folder.join("loop.c"), folder.join("loop"));
        std::fs::write(&source, include_str!("loop.c"))?;
        let compiled = Command::new("cc")
            .args(["-O2", "-o"])
            .arg(&program)
            .arg(&source)
            .arg("-lcrypto")
            .stderr(Stdio::null())
            .status();
        Ok(compiled.is_ok_and(|status| status.success()).then_some(Self(program)))
    }

    /// The CPU seconds of `work` on one mail, over `count` of them.
    pub fn cost(&self, work: &str, member: &Member, mail: &Path, count: u32) -> anyhow::Result<f64> {
        let output = Command::new(&self.0)
            .arg(work)
            .arg(count.to_string())
            .arg(mail)
            .args(["signer.pem", "key.pem", "issuing.pem", "anchor.pem"].map(|name| member.file(name)))
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "the loop in C ends with {}", output.status);
        String::from_utf8(output.stdout)?.trim().parse().context("the loop in C")
    }
}
