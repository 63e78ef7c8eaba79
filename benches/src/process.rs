//! Whole processes, start to end, against the OpenSSL command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Pair, peak, program};
use crate::workload::{Mail, Member};
use crate::{Effort, Row};

/// Both programs, and where they may write.
pub struct Programs {
    pub kakitome: PathBuf,
    pub folder: PathBuf,
}

impl Programs {
    /// Signs and checks one mail with both.
    pub fn rows(
        &self,
        member: &Member,
        mail: &Mail,
        runs: u32,
        size: &str,
        effort: &Effort,
    ) -> anyhow::Result<Vec<Row>> {
        let sign = self.row(
            &format!("`kakitome sign` {size}, {}", member.key),
            "`openssl cms -sign`",
            self.kakitome("sign")
                .arg("--cert")
                .arg(member.file("chain.pem"))
                .arg("--key")
                .arg(member.file("key.pem"))
                .arg("-o")
                .arg(self.folder.join("ours.eml"))
                .arg(&mail.plain),
            self.openssl("-sign")
                .args(["-md", "sha256", "-crlfeol", "-signer"])
                .arg(member.file("signer.pem"))
                .arg("-inkey")
                .arg(member.file("key.pem"))
                .arg("-certfile")
                .arg(member.file("issuing.pem"))
                .arg("-in")
                .arg(&mail.plain)
                .arg("-out")
                .arg(self.folder.join("theirs.eml")),
            runs,
            effort,
        )?;
        let check = self.row(
            &format!("`kakitome check` {size}, {}", member.key),
            "`openssl cms -verify`",
            self.kakitome("check").arg("--trust").arg(member.file("anchor.pem")).arg(&mail.signed),
            self.openssl("-verify")
                .arg("-CAfile")
                .arg(member.file("anchor.pem"))
                .args(["-out", "/dev/null", "-in"])
                .arg(&mail.signed),
            runs,
            effort,
        )?;
        Ok(vec![sign, check])
    }

    fn kakitome(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.kakitome);
        // no data directory: the mail and the given files are all there is
        command.current_dir(&self.folder).args(["--quiet", "--data", "none", verb]);
        command
    }

    fn openssl(&self, verb: &str) -> Command {
        let mut command = Command::new("openssl");
        command.current_dir(&self.folder).args(["cms", verb]);
        command
    }

    fn row(
        &self,
        work: &str,
        against: &str,
        ours: &mut Command,
        theirs: &mut Command,
        runs: u32,
        effort: &Effort,
    ) -> anyhow::Result<Row> {
        let scratch = self.folder.join("peak");
        let peaks = [peak(ours, &scratch)?, peak(theirs, &scratch)?];
        let pair = Pair::take(effort.rounds, || program(runs, ours), || program(runs, theirs))?;
        let [ours, theirs] = [(pair.ours, peaks[0]), (pair.theirs, peaks[1])].map(|(cost, peak)| {
            let memory = peak.map_or_else(|| "?".to_owned(), |kib| format!("{:.1}", kib as f64 / 1024.0));
            if cost < 1.0 {
                format!("{:.1} ms, {memory} MiB", cost * 1e3)
            } else {
                format!("{cost:.2} s, {memory} MiB")
            }
        });
        Ok(Row { work: work.to_owned(), ours, against: against.to_owned(), theirs, pair })
    }
}

/// The first line of `openssl version`, if it is installed.
pub fn openssl() -> Option<String> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split(" (").next().map(|version| version.trim().to_owned())
}

/// What a program calls itself.
pub fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
