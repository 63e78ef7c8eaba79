//! The programs of others that read what we sign. Each says for each mail that it is good, or why not.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::peers;

/// A signed mail, in the pieces that readers ask for.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// For people: how it was signed, and the row.
    pub(crate) label: String,
    pub(crate) mail: PathBuf,
    /// The CMS in DER.
    pub(crate) signature: PathBuf,
    /// What was signed, where it is beside the signature.
    pub(crate) content: Option<PathBuf>,
    /// The root in PEM.
    pub(crate) root: PathBuf,
}

/// Good, or what the reader said.
pub(crate) type Said = Result<(), String>;

/// Each mail with what the reader said; `None` where the reader is not installed.
pub(crate) type Reading = Option<Vec<Said>>;

fn judged(out: &Output, is_good: bool) -> Said {
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if is_good { Ok(()) } else { Err(format!("{}: {said}", out.status)) }
}

/// `openssl cms -verify`; what it hands out as signed has to be what was signed.
pub(crate) fn openssl(mails: &[Signed]) -> Reading {
    let [openssl] = peers::programs("openssl", ["openssl"])?;
    let read = |signed: &Signed| {
        let out = Command::new(&openssl)
            .args(["cms", "-verify", "-in"])
            .arg(&signed.mail)
            .arg("-CAfile")
            .arg(&signed.root)
            .output()
            .unwrap();
        judged(&out, out.status.success())?;
        match &signed.content {
            Some(content) if fs::read(content).unwrap() != out.stdout => Err("it hands out other bytes".to_owned()),
            _ => Ok(()),
        }
    };
    Some(mails.iter().map(read).collect())
}

/// `gpgsm --verify` on the signature and the bytes beside it, with a home and an agent of its own.
pub(crate) fn gpgsm(mails: &[Signed]) -> Reading {
    let [gpgsm, gpgconf, _, openssl] = peers::programs("gpgsm", ["gpgsm", "gpgconf", "gpg-agent", "openssl"])?;
    // not under target: the path of the agent's socket must be short
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&Path]| {
        let mut command = Command::new(&gpgsm);
        command.env("GNUPGHOME", home.path()).args(["--batch", "--status-fd", "1"]).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    };
    fs::write(home.path().join("gpgsm.conf"), "disable-crl-checks\n").unwrap();
    let mut trusted = String::new();
    for root in roots(mails) {
        let print = ["x509", "-noout", "-fingerprint", "-sha1", "-in"];
        let out = Command::new(&openssl).args(print).arg(&root).output().unwrap();
        let out = String::from_utf8(out.stdout).unwrap();
        let (_, fingerprint) = out.trim().split_once('=').unwrap();
        trusted.push_str(&format!("{fingerprint} S relax\n"));
        let import = run(&["--import".as_ref(), &root]);
        assert!(import.status.success(), "{import:?}");
    }
    fs::write(home.path().join("trustlist.txt"), trusted).unwrap();
    let read = |signed: &Signed| {
        let mut arguments: Vec<&Path> = vec!["--verify".as_ref(), &signed.signature];
        arguments.extend(signed.content.as_deref());
        let out = run(&arguments);
        let said = String::from_utf8_lossy(&out.stdout);
        judged(&out, out.status.success() && said.contains("GOODSIG") && said.contains("TRUST_FULLY"))
    };
    let reading = mails.iter().map(read).collect();
    // the agent that gpgsm started
    let _ = Command::new(&gpgconf).arg("--homedir").arg(home.path()).args(["--kill", "all"]).status();
    Some(reading)
}

/// NSS, which Thunderbird reads with: `cmsutil -D`.
pub(crate) fn nss(mails: &[Signed]) -> Reading {
    let [cmsutil, certutil] = peers::programs("nss", ["cmsutil", "certutil"])?;
    let home = tempfile::tempdir().unwrap();
    let database = format!("sql:{}", home.path().display());
    let make = |arguments: &[&str]| {
        let out = Command::new(&certutil).args(arguments).args(["-d", &database]).output().unwrap();
        assert!(out.status.success(), "{out:?}");
    };
    make(&["-N", "--empty-password"]);
    for (number, root) in roots(mails).iter().enumerate() {
        make(&["-A", "-n", &format!("root {number}"), "-t", "CT,CT,CT", "-i", root.to_str().unwrap()]);
    }
    let read = |signed: &Signed| {
        let mut command = Command::new(&cmsutil);
        command.args(["-D", "-d", &database, "-n", "-h", "0", "-i"]).arg(&signed.signature);
        if let Some(content) = &signed.content {
            command.arg("-c").arg(content);
        }
        let out = command.output().unwrap();
        judged(&out, out.status.success() && String::from_utf8_lossy(&out.stdout).contains("status=GoodSignature"))
    };
    Some(mails.iter().map(read).collect())
}

/// Bouncy Castle, by a small program in `peers/VerifyMail.java`.
pub(crate) fn bouncy_castle(mails: &[Signed]) -> Reading {
    let [java, javac] = peers::programs("bouncy-castle", ["java", "javac"])?;
    let jars = ["bcpkix", "bcprov", "bcutil"].map(|name| format!("/usr/share/java/{name}.jar"));
    peers::files("bouncy-castle", jars.each_ref().map(String::as_str))?;
    let classes = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/VerifyMail.java");
    let jars = jars.join(":");
    let compile = Command::new(javac).args(["-cp", &jars, "-d"]).arg(classes.path()).arg(source).output().unwrap();
    assert!(compile.status.success(), "{}", String::from_utf8_lossy(&compile.stderr));
    let mut command = Command::new(java);
    command.args(["-XX:TieredStopAtLevel=1", "-cp", &format!("{jars}:{}", classes.path().display()), "VerifyMail"]);
    let questions: String = mails
        .iter()
        .map(|signed| {
            let content = signed.content.as_deref().map_or("-".into(), |content| content.display().to_string());
            format!("{}\t{content}\t{}\n", signed.signature.display(), signed.root.display())
        })
        .collect();
    let answers = answers(command, &questions);
    Some(answers.iter().map(|said| if said == "good" { Ok(()) } else { Err(said.clone()) }).collect())
}

/// Python's email module: does what was signed say what the mail said? Each pair is the mail and what was signed of it.
pub(crate) fn python(pairs: &[(PathBuf, PathBuf)]) -> Reading {
    let [python] = peers::programs("python", ["python3"])?;
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/leaves.py"));
    let questions: String =
        pairs.iter().map(|(mail, content)| format!("{}\t{}\n", mail.display(), content.display())).collect();
    let answers = answers(command, &questions);
    Some(answers.iter().map(|said| if said == "same" { Ok(()) } else { Err(said.clone()) }).collect())
}

/// One line of answer for each line of `questions`.
fn answers(mut command: Command, questions: &str) -> Vec<String> {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let all = questions.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(all.as_bytes()));
    let out = process.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers: Vec<String> = String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.lines().count(), "{}", String::from_utf8_lossy(&out.stderr));
    answers
}

/// The roots of these mails, each once.
fn roots(mails: &[Signed]) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = mails.iter().map(|signed| signed.root.clone()).collect();
    roots.sort();
    roots.dedup();
    roots
}
