//! Whole processes, start to end, against the OpenSSL command line, and large mails against the floor.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::Effort;
use crate::engine::slope;
use crate::goal::{Row, cost};
use crate::measure::{Pair, footprint, program};
use crate::recipient::Recipients;
use crate::workload::{Mail, Member};

/// The programs, and where they may write.
pub struct Programs {
    pub kakitome: PathBuf,
    pub folder: PathBuf,
    /// Does the build have these verbs?
    pub encrypts: bool,
}

impl Programs {
    pub fn new(kakitome: &Path, folder: &Path) -> anyhow::Result<Self> {
        let help = Command::new(kakitome).arg("--help").output()?;
        let encrypts = String::from_utf8_lossy(&help.stdout).lines().any(|line| line.trim().starts_with("decrypt"));
        // A copy, as an installed program is one: a file that the linker wrote piece by piece stands in single pages in the
        // kernel's cache, and each start would map them one by one.
        let copy = folder.join("kakitome");
        std::fs::copy(kakitome, &copy)?;
        Ok(Self { kakitome: copy, folder: folder.to_owned(), encrypts })
    }

    /// One small mail, every verb.
    pub fn small(&self, member: &Member, to: &Recipients, mail: &Mail, effort: &Effort) -> anyhow::Result<Vec<Row>> {
        let size = format!("5 KB, {}", member.key);
        let mut rows = vec![
            self.row(
                &format!("sign {size}"),
                self.sign(member, mail),
                self.openssl_sign(member, mail),
                effort.runs,
                effort,
            )?,
            self.row(
                &format!("check {size}"),
                self.check(member, mail),
                self.openssl_verify(member, mail),
                effort.runs,
                effort,
            )?,
        ];
        if self.encrypts {
            let sealed = self.folder.join("small.sealed.eml");
            let open = self.sealed(to, mail, "aes256-cbc", &sealed)?;
            let [encrypt, decrypt] = self.seal_rows(to, mail, "aes256-cbc", &sealed);
            rows.push(self.row(&format!("encrypt {size}"), encrypt.0, encrypt.1, effort.runs, effort)?);
            if open {
                rows.push(self.row(&format!("decrypt {size}"), decrypt.0, decrypt.1, effort.runs, effort)?);
            }
        }
        Ok(rows.into_iter().map(|row| row.goal(5, 0.5)).collect())
    }

    /// One large mail: every verb against OpenSSL, and signing and checking against the floor.
    pub fn large(
        &self,
        member: &Member,
        to: &Recipients,
        mail: &Mail,
        size: &str,
        effort: &Effort,
    ) -> anyhow::Result<Vec<Row>> {
        let own = std::env::current_exe()?;
        let copy = self.folder.join("copy.eml");
        let floor = |work: &str, files: &[&Path]| {
            let mut command = Command::new(&own);
            command.args(["--floor", work]).args(files);
            command
        };
        let hash = "SHA-256 once over the file";
        let often = Effort { large_rounds: effort.rounds, ..*effort };
        let mut rows = vec![
            self.against(
                &format!("check {size}"),
                hash,
                self.check(member, mail),
                floor("hash", &[&mail.signed]),
                1,
                &often,
            )?
            .goal(1, 1.25),
            self.row(&format!("check {size}"), self.check(member, mail), self.openssl_verify(member, mail), 1, effort)?
                .goal(1, 1.0 / 40.0),
            self.against(
                &format!("sign {size}"),
                "SHA-256 once, and one copy",
                self.sign(member, mail),
                floor("copy", &[&mail.plain, &copy]),
                1,
                &often,
            )?
            .goal(2, 1.3),
            self.row(&format!("sign {size}"), self.sign(member, mail), self.openssl_sign(member, mail), 1, effort)?
                .goal(2, 1.0 / 1.7),
        ];
        for (cipher, name, at_most) in [("aes256-cbc", "CBC", 0.65), ("aes256-gcm", "GCM", 0.45)] {
            if !self.encrypts {
                break;
            }
            let sealed = self.folder.join("large.sealed.eml");
            let opens = self.sealed(to, mail, cipher, &sealed)?;
            let [encrypt, decrypt] = self.seal_rows(to, mail, cipher, &sealed);
            rows.push(self.row(&format!("encrypt {size}, {name}"), encrypt.0, encrypt.1, 1, effort)?.goal(3, at_most));
            if opens {
                rows.push(self.row(&format!("decrypt {size}, {name}"), decrypt.0, decrypt.1, 1, effort)?.goal(4, 0.1));
            }
            std::fs::remove_file(&sealed)?;
        }
        Ok(rows)
    }

    /// Encrypts to more and more recipients: against OpenSSL, and the cost of each against one another.
    pub fn many_recipients(&self, folder: &Path, mail: &Mail, effort: &Effort) -> anyhow::Result<Vec<Row>> {
        let [_, many, most] = effort.recipients;
        let all = Recipients::new(folder, "RSA-2048", most)?;
        let mut rows = Vec::new();
        for count in effort.recipients {
            let Some(some) = all.certificates.get(..count) else { continue };
            let mut ours = self.verb("encrypt");
            let mut together = String::new();
            for recipient in some {
                together += &std::fs::read_to_string(recipient)?;
            }
            let list = self.folder.join("recipients.pem");
            std::fs::write(&list, together)?;
            ours.arg("--to")
                .arg(&list)
                .args(["--cipher", "aes256-cbc", "-o"])
                .arg(self.folder.join("ours.eml"))
                .arg(&mail.plain);
            let mut theirs = self.openssl("-encrypt");
            theirs.args(["-aes-256-cbc", "-stream", "-in"]).arg(&mail.plain);
            theirs.arg("-out").arg(self.folder.join("theirs.eml")).args(some);
            // About as much work in a round, however many there are, and enough for a clock of 10 ms.
            let runs = (10_000 / u32::try_from(count)?).clamp(2, effort.runs.max(2));
            let row = self.row(&format!("encrypt 5 KB to {count}, RSA-2048"), ours, theirs, runs, effort)?;
            rows.push(if count == many { row.goal(8, 0.15) } else { row });
        }
        let cost = |at: usize| rows.get(at).map_or(f64::NAN, |row: &Row| row.pair.ours);
        rows.push(slope("encrypt", "recipients", [many as f64, most as f64], [cost(1), cost(2)]));
        Ok(rows)
    }

    /// The cost of a megabyte of a mail, and of one ten times as long.
    pub fn growth(&self, member: &Member, mails: [&Mail; 2], effort: &Effort) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (work, command) in [("check", Self::check as fn(&Self, &Member, &Mail) -> Command), ("sign", Self::sign)] {
            let pair = Pair::take(
                effort.large_rounds,
                || program(1, &mut command(self, member, mails[1])),
                || program(10, &mut command(self, member, mails[0])),
            )?;
            let size = |mail: &Mail| Ok::<_, std::io::Error>(std::fs::metadata(&mail.plain)?.len() / 1_000_000);
            let sizes = [size(mails[0])? as f64, size(mails[1])? as f64];
            rows.push(slope(work, "MB", sizes, [pair.theirs, pair.ours]));
        }
        Ok(rows)
    }

    pub fn sign(&self, member: &Member, mail: &Mail) -> Command {
        let mut command = self.verb("sign");
        command.arg("--cert").arg(member.file("chain.pem")).arg("--key").arg(member.file("key.pem"));
        command.arg("-o").arg(self.folder.join("ours.eml")).arg(&mail.plain);
        command
    }

    fn openssl_sign(&self, member: &Member, mail: &Mail) -> Command {
        let mut command = self.openssl("-sign");
        command.args(["-md", "sha256", "-crlfeol", "-signer"]).arg(member.file("signer.pem"));
        command.arg("-inkey").arg(member.file("key.pem")).arg("-certfile").arg(member.file("issuing.pem"));
        command.arg("-in").arg(&mail.plain).arg("-out").arg(self.folder.join("theirs.eml"));
        command
    }

    pub fn check(&self, member: &Member, mail: &Mail) -> Command {
        let mut command = self.verb("check");
        command.arg("--json").arg("--trust").arg(member.file("anchor.pem")).arg(&mail.signed);
        command
    }

    fn openssl_verify(&self, member: &Member, mail: &Mail) -> Command {
        let mut command = self.openssl("-verify");
        command.arg("-CAfile").arg(member.file("anchor.pem"));
        command.args(["-out", "/dev/null", "-in"]).arg(&mail.signed);
        command
    }

    /// Encryption and decryption, ours and theirs each.
    fn seal_rows(&self, to: &Recipients, mail: &Mail, cipher: &str, sealed: &Path) -> [(Command, Command); 2] {
        let mut encrypt = self.verb("encrypt");
        encrypt.arg("--to").arg(&to.certificates[0]).args(["--cipher", cipher]);
        encrypt.arg("-o").arg(self.folder.join("ours.eml")).arg(&mail.plain);
        let mut their_encrypt = self.openssl("-encrypt");
        their_encrypt.arg(format!("-{}", cipher.replace("aes", "aes-"))).args(["-stream", "-in"]).arg(&mail.plain);
        their_encrypt.arg("-out").arg(self.folder.join("theirs.eml")).arg(&to.certificates[0]);
        let mut decrypt = self.verb("decrypt");
        decrypt.arg("--cert").arg(&to.certificates[0]).arg("--key").arg(&to.key);
        decrypt.arg("-o").arg(self.folder.join("ours.eml")).arg(sealed);
        let mut their_decrypt = self.openssl("-decrypt");
        their_decrypt.arg("-recip").arg(&to.certificates[0]).arg("-inkey").arg(&to.key);
        their_decrypt.arg("-in").arg(sealed).arg("-out").arg(self.folder.join("theirs.eml"));
        [(encrypt, their_encrypt), (decrypt, their_decrypt)]
    }

    /// Makes an encrypted mail with our own program; false where OpenSSL cannot open it, so that nothing is compared.
    fn sealed(&self, to: &Recipients, mail: &Mail, cipher: &str, sealed: &Path) -> anyhow::Result<bool> {
        let [(mut encrypt, _), (_, mut decrypt)] = self.seal_rows(to, mail, cipher, sealed);
        program(1, &mut encrypt)?;
        std::fs::rename(self.folder.join("ours.eml"), sealed)?;
        let opens = program(1, &mut decrypt).is_ok();
        if !opens {
            eprintln!("skipped: decrypt with {cipher}, {}: OpenSSL does not open it", to.key_name);
        }
        Ok(opens)
    }

    fn verb(&self, verb: &str) -> Command {
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

    fn row(&self, work: &str, ours: Command, theirs: Command, runs: u32, effort: &Effort) -> anyhow::Result<Row> {
        let against: Vec<_> =
            theirs.get_args().take(2).map(|argument| argument.to_string_lossy().into_owned()).collect();
        self.against(work, &format!("`openssl {}`", against.join(" ")), ours, theirs, runs, effort)
    }

    pub fn against(
        &self,
        work: &str,
        against: &str,
        mut ours: Command,
        mut theirs: Command,
        runs: u32,
        effort: &Effort,
    ) -> anyhow::Result<Row> {
        let scratch = self.folder.join("peak");
        let footprints = [footprint(&ours, &scratch)?, footprint(&theirs, &scratch)?];
        let rounds = if runs == 1 { effort.large_rounds } else { effort.rounds };
        let pair = Pair::take(rounds, || program(runs, &mut ours), || program(runs, &mut theirs))
            .with_context(|| work.to_owned())?;
        Ok(Row {
            work: format!("`kakitome` {work}"),
            ours: cost(pair.ours, footprints[0]),
            against: against.to_owned(),
            theirs: cost(pair.theirs, footprints[1]),
            pair,
            goal: None,
            peak: footprints[0].map(|one| one.peak),
        })
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
