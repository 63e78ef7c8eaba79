//! Bouncy Castle and Python's cryptography: one process of each answers all jobs, a line for a line.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::rows::Work;
use crate::world::World;
use crate::{Job, Peer, peers};

struct Batch {
    program: PathBuf,
    arguments: Vec<String>,
    /// What the program calls the algorithm of a signature.
    named: fn(&str) -> String,
    version: String,
    #[allow(dead_code, reason = "the compiled program lives as long as this")]
    classes: Option<tempfile::TempDir>,
}

pub(crate) fn bouncy_castle(_: &World) -> Option<Box<dyn Peer>> {
    let [java, javac] = peers::programs("interop Bouncy Castle", ["java", "javac"])?;
    let jars = ["bcpkix", "bcprov", "bcutil"].map(|name| format!("/usr/share/java/{name}.jar"));
    peers::files("interop Bouncy Castle", jars.each_ref().map(String::as_str))?;
    let classes = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/Matrix.java");
    let jars = jars.join(":");
    let compile = Command::new(javac).args(["-cp", &jars, "-d"]).arg(classes.path()).arg(source).output().unwrap();
    assert!(compile.status.success(), "{}", String::from_utf8_lossy(&compile.stderr));
    let arguments = ["-XX:TieredStopAtLevel=1", "-cp", &format!("{jars}:{}", classes.path().display()), "Matrix"];
    let arguments = arguments.map(str::to_owned).to_vec();
    let version = version(&java, &arguments)?;
    let named = |algorithm: &str| match algorithm.split_once('-') {
        Some(("pkcs1", digest)) => format!("{digest}withRSA"),
        Some(("pss", digest)) => format!("{digest}withRSAandMGF1").to_uppercase(),
        Some(("ecdsa", digest)) => format!("{digest}withECDSA"),
        Some(("ed25519", _)) => "Ed25519".to_owned(),
        _ => algorithm.to_owned(),
    };
    Some(Box::new(Batch { program: java, arguments, named, version, classes: Some(classes) }))
}

pub(crate) fn python() -> Option<Box<dyn Peer>> {
    let [python] = peers::programs("interop Python", ["python3"])?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/matrix.py");
    let arguments = vec![source.display().to_string()];
    let Some(version) = version(&python, &arguments) else {
        peers::skip("interop Python", "python3 has no module cryptography; ./test --install brings it");
        return None;
    };
    Some(Box::new(Batch { program: python, arguments, named: str::to_owned, version, classes: None }))
}

fn command(program: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    // Where ./test put what the distribution does not have in a new enough version.
    command.env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/python"));
    command
}

fn version(program: &Path, arguments: &[String]) -> Option<String> {
    let out = command(program, arguments).arg("--version").output().unwrap();
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

impl Peer for Batch {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn perform(&self, world: &World, jobs: &[Job<'_>]) -> Vec<Result<(), String>> {
        let questions: String = jobs
            .iter()
            .map(|job| {
                let task = match (job.row.work, job.makes) {
                    (Work::Sign, true) => "sign",
                    (Work::Sign, false) => "verify",
                    (_, true) => "encrypt",
                    (_, false) => "decrypt",
                };
                let algorithm = (self.named)(job.row.algorithm);
                let (content, der) = (job.content.display(), job.der.display());
                format!("{task}\t{algorithm}\t{}\t{}\t{content}\t{der}\n", job.row.key, job.row.form)
            })
            .collect();
        let mut command = command(&self.program, &self.arguments);
        command.current_dir(&world.folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
        let out = process.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let answers: Vec<String> = String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect();
        assert_eq!(answers.len(), jobs.len(), "{}", String::from_utf8_lossy(&out.stderr));
        answers.into_iter().map(|said| if said == "done" { Ok(()) } else { Err(said) }).collect()
    }
}
