//! What other programs take for the same work: gpgsm, NSS, Bouncy Castle, Python. None of them reads MIME, so they get
//! the signed part and the signature in files of their own, and save the work of finding them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use kakitome_office::spool::FileOctets;
use kakitome_pki::crypto::sha1_identifier;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::message::open::{Layer, open};
use kakitome_smime::mime::encoding::Base64Decoder;
use kakitome_smime::octets::{InMemory, copy_range};

use crate::Effort;
use crate::goal::Row;
use crate::process::Programs;
use crate::report::said;
use crate::workload::{Mail, Member};

const BOUNCY_CASTLE: &str = "/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar";
const SIGN_IN_PYTHON: &str = "\
import sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
mail, signer, key, to = sys.argv[1:]
builder = pkcs7.PKCS7SignatureBuilder().set_data(open(mail, 'rb').read())
certificate = x509.load_pem_x509_certificate(open(signer, 'rb').read())
secret = serialization.load_pem_private_key(open(key, 'rb').read(), None)
options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
signed = builder.add_signer(certificate, secret, hashes.SHA256()).sign(serialization.Encoding.DER, options)
open(to, 'wb').write(signed)
";

/// The signed part of a mail and its signature, in files.
struct Parts {
    content: PathBuf,
    signature: PathBuf,
}

/// Checking one large mail, by each peer that is installed.
pub fn rows(
    programs: &Programs,
    member: &Member,
    mail: &Mail,
    size: &str,
    effort: &Effort,
) -> anyhow::Result<Vec<Row>> {
    let parts = Parts::of(&programs.folder, mail)?;
    let mut rows = Vec::new();
    for (name, command) in [
        ("`gpgsm --verify`", gpgsm(&programs.folder, member, &parts)),
        ("`cmsutil -D`", nss(&programs.folder, member, &parts)),
        ("Bouncy Castle", bouncy_castle(&programs.folder, member, &parts)),
    ] {
        match command {
            Ok(theirs) => rows.push(programs.against(
                &format!("check {size}"),
                name,
                programs.check(member, mail),
                theirs,
                1,
                effort,
            )),
            Err(error) => eprintln!("skipped: {name}: {error:#}"),
        }
    }
    let mut python = Command::new("python3");
    let to = programs.folder.join("theirs.p7s");
    python
        .args(["-c", SIGN_IN_PYTHON])
        .arg(&mail.plain)
        .arg(member.file("signer.pem"))
        .arg(member.file("key.pem"))
        .arg(to);
    let name = "Python cryptography";
    rows.push(programs.against(&format!("sign {size}"), name, programs.sign(member, mail), python, 1, effort));
    // A peer that cannot do it is told, and is no failure of ours.
    let told = |row: anyhow::Result<Row>| row.inspect_err(|error| eprintln!("skipped: {error:#}")).ok();
    Ok(rows.into_iter().filter_map(told).collect())
}

/// What the peers call themselves.
pub fn versions() -> Vec<String> {
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let python = "import cryptography; print('Python cryptography', cryptography.__version__)";
    let all = [first(said("gpgsm", &["--version"])), said("python3", &["-c", python])];
    all.into_iter().filter(|version| !version.is_empty()).collect()
}

impl Parts {
    fn of(folder: &Path, mail: &Mail) -> anyhow::Result<Self> {
        let parts = Self { content: folder.join("content"), signature: folder.join("signature.p7s") };
        let octets = FileOctets::open(&mail.signed)?;
        let opened = open(&octets, &InMemory, &NoKeys)?;
        let Layer::Signed(layer) = &opened.layer else { anyhow::bail!("the mail is not signed") };
        layer.write_content(&octets, &opened.structure, &mut File::create(&parts.content)?)?;
        let signature = opened.structure.root().parts.get(1).and_then(|part| opened.structure.entity(*part));
        let mut decoder = Base64Decoder::new(File::create(&parts.signature)?);
        copy_range(&octets, signature.context("no signature")?.body.clone(), &mut decoder)?;
        decoder.finish()?;
        Ok(parts)
    }
}

fn gpgsm(folder: &Path, member: &Member, parts: &Parts) -> anyhow::Result<Command> {
    let home = folder.join("gnupg");
    fs::create_dir_all(&home)?;
    fs::write(home.join("gpgsm.conf"), "disable-crl-checks\nbatch\n")?;
    let anchor = member.authority.anchor()?;
    let print: String = sha1_identifier(anchor.raw()).iter().map(|octet| format!("{octet:02X}")).collect();
    fs::write(home.join("trustlist.txt"), format!("{print} S relax\n"))?;
    let command = || {
        let mut command = Command::new("gpgsm");
        command.arg("--homedir").arg(&home);
        command
    };
    let certificates = ["anchor.pem", "issuing.pem", "signer.pem"].map(|name| member.file(name));
    done(command().arg("--import").args(certificates))?;
    let mut verify = command();
    verify.arg("--verify").arg(&parts.signature).arg(&parts.content);
    Ok(verify)
}

fn nss(folder: &Path, member: &Member, parts: &Parts) -> anyhow::Result<Command> {
    let home = folder.join("nss");
    fs::create_dir_all(&home)?;
    let store = format!("sql:{}", home.display());
    done(Command::new("certutil").args(["-N", "--empty-password", "-d", &store]))?;
    done(
        Command::new("certutil")
            .args(["-A", "-a", "-n", "root", "-t", ",C,", "-d", &store, "-i"])
            .arg(member.file("anchor.pem")),
    )?;
    let mut verify = Command::new("cmsutil");
    verify.args(["-D", "-d", &store, "-c"]).arg(&parts.content).arg("-i").arg(&parts.signature);
    Ok(verify)
}

fn bouncy_castle(folder: &Path, member: &Member, parts: &Parts) -> anyhow::Result<Command> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/kakitome/tests/peers/VerifyMail.java");
    done(Command::new("javac").args(["-cp", BOUNCY_CASTLE, "-d"]).arg(folder).arg(source))?;
    let line = [&parts.signature, &parts.content, &member.file("anchor.pem")].map(|path| path.display().to_string());
    // It reads its work from standard input, and the shell gives it.
    let list = folder.join("list");
    writeln!(File::create(&list)?, "{}", line.join("\t"))?;
    let mut verify = Command::new("sh");
    let script = format!("java -cp {BOUNCY_CASTLE}:\"$0\" VerifyMail < \"$1\" | grep -qx good");
    verify.arg("-c").arg(script).arg(folder).arg(list);
    Ok(verify)
}

fn done(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{:?}", command.get_program()))?;
    ensure!(output.status.success(), "{:?} ends with {}", command.get_program(), output.status);
    Ok(())
}
