//! Libraries of others in a loop, one process each: OpenSSL's by a program in C, compiled where a compiler and the headers
//! are; crate certval's by a workspace of its own (`benches/certval`), built where it is asked for.

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

/// The built loop over crate certval.
pub struct Certval(PathBuf);

impl Certval {
    /// Builds it, which takes minutes the first time; `None` where its crates cannot be had.
    pub fn build() -> anyhow::Result<Option<Self>> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = own.join("../target/certval");
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
            .arg(own.join("certval/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .status()
            .context("cargo")?;
        Ok(built.success().then(|| Self(target.join("release/certval-loop"))))
    }

    /// The CPU seconds of a member's path, over `count` of them.
    pub fn cost(&self, member: &Member, count: u32) -> anyhow::Result<f64> {
        let output = Command::new(&self.0)
            .args([count.to_string(), member.now.unix().to_string()])
            .args(["signer.pem", "issuing.pem", "anchor.pem"].map(|name| member.file(name)))
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "the loop over certval ends with {}", output.status);
        String::from_utf8(output.stdout)?.trim().parse().context("the loop over certval")
    }
}
