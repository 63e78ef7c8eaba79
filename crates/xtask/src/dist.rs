//! `cargo xtask dist`: what users without a Rust toolchain install. A tarball for any Linux with glibc, and a .deb with
//! a hardened systemd unit where `dpkg-deb` is installed.
//!
//! Man pages, completions and the settings file are printed by the very program that is packed. Files are owned by
//! root and carry one date (`SOURCE_DATE_EPOCH`, else the last commit's), so that the same program packs to the same
//! bytes.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Documents of the root that travel along; those of `docs` do so too.
const DOCUMENTS: [&str; 6] =
    ["README.md", "README.ja.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// Shell, its file in the tarball, its file in the .deb.
const COMPLETIONS: [(&str, &str, &str); 3] = [
    ("bash", "completions/kakitome.bash", "usr/share/bash-completion/completions/kakitome"),
    ("zsh", "completions/_kakitome", "usr/share/zsh/vendor-completions/_kakitome"),
    ("fish", "completions/kakitome.fish", "usr/share/fish/vendor_completions.d/kakitome.fish"),
];
/// Files of `packaging/debian` that dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];
const UNIT: &str = "packaging/kakitome.service";
const SETTINGS: &str = "/etc/kakitome.toml";
const PROGRAM: u32 = 0o755;
const DATA: u32 = 0o644;

/// Packs a release build, or the program at `binary`, into `target/dist`.
pub(crate) fn run(root: &Path, binary: Option<&str>) -> anyhow::Result<()> {
    let binary = match binary {
        Some(path) => fs::canonicalize(path).with_context(|| format!("{path}: no such program"))?,
        None => release(root)?,
    };
    let to = root.join("target/dist");
    let dist = Dist { root, work: to.join("work"), binary, date: date(root)? };
    if dist.work.exists() {
        fs::remove_dir_all(&dist.work)?;
    }
    println!("{}", dist.tarball(&to)?.display());
    if Command::new("dpkg-deb").arg("--version").stdout(Stdio::null()).status().is_ok() {
        println!("{}", dist.deb(&to)?.display());
    } else {
        println!("SKIPPED: the .deb: no dpkg-deb here (Debian calls the package dpkg)");
    }
    fs::remove_dir_all(&dist.work)?;
    Ok(())
}

fn release(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    done(build.args(["build", "--release", "--locked", "--package", "kakitome"]).current_dir(root))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/kakitome"))
}

/// The date of every file, in seconds since 1970.
fn date(root: &Path) -> anyhow::Result<String> {
    if let Ok(date) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(date);
    }
    print(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root))
        .map(|date| date.trim().to_owned())
        .context("no date for the files; set SOURCE_DATE_EPOCH")
}

struct Dist<'a> {
    root: &'a Path,
    work: PathBuf,
    binary: PathBuf,
    date: String,
}

impl Dist<'_> {
    fn tarball(&self, to: &Path) -> anyhow::Result<PathBuf> {
        let name = format!("kakitome-{VERSION}-{}", std::env::consts::ARCH);
        let top = self.work.join(&name);
        copy(&self.binary, &top.join("kakitome"), PROGRAM)?;
        self.documents(&top, &top.join("docs"))?;
        copy(&self.root.join(UNIT), &top.join("kakitome.service"), DATA)?;
        write(&top.join("kakitome.toml"), &self.say(&["config", "template"])?)?;
        self.say(&["docs", "man", text(&top.join("man"))?])?;
        for (shell, path, _) in COMPLETIONS {
            write(&top.join(path), &self.say(&["completion", shell])?)?;
        }
        let file = to.join(format!("{name}.tar.gz"));
        done(
            Command::new("tar")
                .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=go-w"])
                .args([format!("--mtime=@{}", self.date), "-C".to_owned(), text(&self.work)?.to_owned()])
                .args(["--use-compress-program=gzip -9n", "-cf", text(&file)?, &name]),
        )?;
        Ok(file)
    }

    fn deb(&self, to: &Path) -> anyhow::Result<PathBuf> {
        let architecture = debian_name(std::env::consts::ARCH)?;
        let top = self.work.join("deb");
        let documents = top.join("usr/share/doc/kakitome");
        copy(&self.binary, &top.join("usr/bin/kakitome"), PROGRAM)?;
        copy(&self.root.join(UNIT), &top.join("usr/lib/systemd/system/kakitome.service"), DATA)?;
        self.documents(&documents, &documents.join("docs"))?;
        copy(&self.root.join("packaging/debian/copyright"), &documents.join("copyright"), DATA)?;
        write(&top.join(SETTINGS.trim_start_matches('/')), &self.say(&["config", "template"])?)?;
        for (shell, _, path) in COMPLETIONS {
            write(&top.join(path), &self.say(&["completion", shell])?)?;
        }
        let man = top.join("usr/share/man/man1");
        self.say(&["docs", "man", text(&man)?])?;
        for page in files(&man)? {
            done(Command::new("gzip").args(["-9n", text(&page)?]))?;
        }

        let glibc = needed_glibc(&fs::read(&self.binary)?).context("the program does not say which glibc it needs")?;
        let control = fs::read_to_string(self.root.join("packaging/debian/control"))?
            .replace("{version}", VERSION)
            .replace("{architecture}", architecture)
            .replace("{size}", &kibibytes(&top)?.to_string())
            .replace("{glibc}", &format!("{}.{}", glibc.0, glibc.1));
        let about = top.join("DEBIAN");
        write(&about.join("control"), &control)?;
        write(&about.join("conffiles"), &format!("{SETTINGS}\n"))?;
        for script in SCRIPTS {
            copy(&self.root.join("packaging/debian").join(script), &about.join(script), PROGRAM)?;
        }
        // dpkg-deb takes the date only where a file is younger
        stamp(&top, UNIX_EPOCH + Duration::from_secs(self.date.parse().context("SOURCE_DATE_EPOCH is no number")?))?;
        let file = to.join(format!("kakitome_{VERSION}_{architecture}.deb"));
        done(
            Command::new("dpkg-deb")
                .args(["--root-owner-group", "--build", text(&top)?, text(&file)?])
                .env("SOURCE_DATE_EPOCH", &self.date)
                .stdout(Stdio::null()),
        )?;
        Ok(file)
    }

    fn documents(&self, top: &Path, docs: &Path) -> anyhow::Result<()> {
        for name in DOCUMENTS {
            copy(&self.root.join(name), &top.join(name), DATA)?;
        }
        for path in files(&self.root.join("docs"))?.iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
            copy(path, &docs.join(path.file_name().unwrap_or_default()), DATA)?;
        }
        Ok(())
    }

    /// What the packed program prints.
    fn say(&self, words: &[&str]) -> anyhow::Result<String> {
        print(Command::new(&self.binary).args(words))
    }
}

fn copy(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    let bytes = fs::read(from).with_context(|| format!("{} cannot be read", from.display()))?;
    put(to, &bytes, mode)
}

fn write(to: &Path, content: &str) -> anyhow::Result<()> {
    ensure!(!content.is_empty(), "{}: would be empty", to.display());
    put(to, content.as_bytes(), DATA)
}

fn put(to: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(mode))?)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_file());
    paths.sort();
    ensure!(!paths.is_empty(), "{}: no files", folder.display());
    Ok(paths)
}

/// What a tree takes on the disk, as Installed-Size counts it.
fn kibibytes(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() {
            1 + kibibytes(&entry.path())?
        } else {
            entry.metadata()?.len().div_ceil(1024)
        };
    }
    Ok(sum)
}

/// Gives a tree one date.
fn stamp(path: &Path, date: SystemTime) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            stamp(&entry?.path(), date)?;
        }
    }
    Ok(File::open(path)?.set_modified(date)?)
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{}: not UTF-8", path.display()))
}

fn done(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} cannot be started"))?;
    ensure!(status.success(), "{command:?} failed ({status})");
    Ok(())
}

fn print(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{command:?} cannot be started"))?;
    ensure!(output.status.success(), "{command:?} failed ({})", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} did not print UTF-8"))
}

/// What Debian calls a machine.
fn debian_name(machine: &str) -> anyhow::Result<&'static str> {
    Ok(match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "riscv64" => "riscv64",
        _ => bail!("{machine}: what does Debian call this machine? Add it to dist.rs"),
    })
}

/// The newest glibc that a program asks for: the highest `GLIBC_x.y` among its symbol versions.
fn needed_glibc(program: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_";
    let version = |rest: &[u8]| {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let text = std::str::from_utf8(rest.get(..length)?).ok()?;
        let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    let marks = program.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    marks.filter_map(|(at, _)| version(program.get(at + MARK.len()..)?)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_counts() {
        for (program, needed) in [
            (&b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.4\0"[..], Some((2, 34))),
            (b"GLIBC_PRIVATE\0GLIBC_2.17", Some((2, 17))),
            (b"GLIBC_2.", None),
            (b"musl", None),
        ] {
            assert_eq!(needed_glibc(program), needed, "{program:?}");
        }
    }

    #[test]
    fn the_unit_starts_what_the_package_holds() {
        let root = crate::root().unwrap();
        let unit = fs::read_to_string(root.join(UNIT)).unwrap();
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        assert_eq!(start, format!("/usr/bin/kakitome up --config {SETTINGS} --data /var/lib/kakitome"));
        // what docs and the threat model promise
        for line in ["User=kakitome", "StateDirectory=kakitome", "StateDirectoryMode=0700", "UMask=0077", "LimitCORE=0"]
        {
            assert!(unit.lines().any(|found| found == line), "{line}");
        }
    }

    #[test]
    fn every_place_in_the_control_file_is_filled() {
        let root = crate::root().unwrap();
        let control = fs::read_to_string(root.join("packaging/debian/control")).unwrap();
        let places: Vec<&str> =
            control.split('{').skip(1).map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name)).collect();
        assert_eq!(places, ["version", "architecture", "size", "glibc"]);
    }
}
