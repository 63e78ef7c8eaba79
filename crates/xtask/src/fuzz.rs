//! `cargo xtask fuzz`: every fuzz target is built once and run for some seconds, from the seeds that are at hand. For
//! hours, with the address sanitizer, see fuzz/README.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// What libFuzzer needs to see where an input leads: counters at the edges, and the operands of comparisons.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";
/// A workspace of its own.
const MANIFEST: &str = "fuzz/Cargo.toml";
/// Of the project, for every target.
const TESTDATA: &str = "testdata";
/// Folders of the corpora, for every target.
const FOLDERS: [&str; 9] = [
    "autocrypt-protected-headers",
    "bouncycastle",
    "gnupg",
    "mimekit",
    "nss/smime",
    "openssl/80-test_cms_data",
    "openssl/smime-eml",
    "rfc4134",
    "rustcrypto-cms",
];
/// An archive of seeds in the corpora, and its folders for the targets that read such things.
const ARCHIVE: &str = "openssl-fuzz-corpora/openssl-fuzz-corpora.tgz";
const ARCHIVED: [(&str, &[&str]); 4] =
    [("cms", &["cms", "asn1"]), ("certificate", &["x509"]), ("formats", &["x509", "crl"]), ("revocation", &["crl"])];
/// Longer inputs find nothing more in so short a time, in octets.
const LENGTH: &str = "-max_len=65536";
/// One input may take this long, in seconds, and the program hold this much, in MiB.
const BOUNDS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

/// Runs each target for `seconds`.
pub(crate) fn run(root: &Path, seconds: u32) -> anyhow::Result<()> {
    if Command::new("c++").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("SKIPPED: fuzz: libFuzzer needs a C++ compiler (Debian calls the package g++)");
        return Ok(());
    }
    let place = root.join("target/fuzz");
    let host = host()?;
    let fetched = cargo(root).args(["fetch", "--locked", "--manifest-path", MANIFEST, "--target", &host]).output()?;
    let said = String::from_utf8_lossy(&fetched.stderr);
    ensure!(!said.contains("--locked was passed"), "fuzz/Cargo.lock does not fit the dependencies:\n{said}");
    if !fetched.status.success() {
        println!("SKIPPED: fuzz: what the targets need cannot be fetched: {}", said.lines().last().unwrap_or_default());
        return Ok(());
    }
    let programs = build(root, &place, &host)?;
    let seeds = Seeds::gather(root, &place)?;
    let mut crashed = Vec::new();
    for target in targets(root)? {
        let corpus = place.join("corpus").join(&target);
        let artifacts = place.join("artifacts").join(&target);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&artifacts)?;
        let output = Command::new(programs.join(&target))
            .args([LENGTH, "-verbosity=0", "-print_final_stats=1", &format!("-max_total_time={seconds}")])
            .args(BOUNDS)
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(&corpus)
            .args(seeds.of(&target))
            .output()
            .with_context(|| format!("{target} does not start"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            let number = |name| said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim();
            let runs = number("stat::number_of_executed_units:");
            println!("fuzz {target}: {runs} inputs in {seconds} s, {} MiB", number("stat::peak_rss_mb:"));
        } else {
            println!("fuzz {target}: FAILED, the input is in {}\n{said}", artifacts.display());
            crashed.push(target);
        }
    }
    ensure!(crashed.is_empty(), "crashed: {}", crashed.join(", "));
    Ok(())
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

fn host() -> anyhow::Result<String> {
    let rustc = Command::new("rustc").arg("-vV").output().context("rustc does not start")?;
    let told = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not tell its host")?;
    Ok(host.to_owned())
}

/// Builds all targets in one go and says where they stand.
fn build(root: &Path, place: &Path, host: &str) -> anyhow::Result<PathBuf> {
    // With a target named, the flags are not those of build scripts.
    let status = cargo(root)
        .args(["build", "--locked", "--bins", "--profile", "smoke", "--manifest-path", MANIFEST])
        .args(["--target", host, "--target-dir"])
        .arg(place)
        .env("RUSTFLAGS", COVERAGE)
        .status()?;
    ensure!(status.success(), "the fuzz targets do not build");
    Ok(place.join(host).join("smoke"))
}

fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let name = entry?.file_name();
        targets.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

/// Folders to begin from; they are read only.
struct Seeds {
    common: Vec<PathBuf>,
    archive: Option<PathBuf>,
}

impl Seeds {
    fn gather(root: &Path, place: &Path) -> anyhow::Result<Self> {
        let corpora =
            std::env::var_os("KAKITOME_CORPORA").map_or_else(|| root.join("../shared/corpora"), PathBuf::from);
        let mut common = vec![root.join(TESTDATA)];
        if !corpora.is_dir() {
            println!("SKIPPED: fuzz: the seeds of others: no folder {} (set KAKITOME_CORPORA)", corpora.display());
            return Ok(Self { common, archive: None });
        }
        common.extend(FOLDERS.iter().map(|folder| corpora.join(folder)).filter(|folder| folder.is_dir()));
        let unpacked = place.join("seeds");
        fs::create_dir_all(&unpacked)?;
        let archive = corpora.join(ARCHIVE);
        let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&unpacked).status();
        let there = tar.is_ok_and(|status| status.success());
        if !there {
            println!("SKIPPED: fuzz: the seeds of OpenSSL: tar does not unpack {}", archive.display());
        }
        Ok(Self { common, archive: there.then(|| unpacked.join("openssl-fuzz-corpora")) })
    }

    fn of(&self, target: &str) -> Vec<PathBuf> {
        let own = ARCHIVED.iter().filter(|(name, _)| *name == target).flat_map(|(_, folders)| folders.iter());
        let archived = self.archive.iter().flat_map(|archive| own.clone().map(|folder| archive.join(folder)));
        self.common.iter().cloned().chain(archived).collect()
    }
}
