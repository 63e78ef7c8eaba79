//! What is worked on: an own CA as `kakitome up` makes it, two members, and mails of the sizes that are measured.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, ensure};
use kakitome_office::authority::{Authority, AuthoritySettings, Credential};
use kakitome_office::evidence::{self, Choice};
use kakitome_office::outgoing::{NoCertificates, Outgoing};
use kakitome_office::policy::Policy;
use kakitome_office::spool::FileOctets;
use kakitome_office::store::Store;
use kakitome_office::vault::Vault;
use kakitome_pki::address::Address;
use kakitome_pki::algorithm::Digest;
use kakitome_pki::asn1::time::Time;
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::crypto::{KeyKind, SystemRandom};
use kakitome_pki::path::Known;
use kakitome_smime::cms::recipient::NoKeys;
use kakitome_smime::cms::write::{NotWritten, Signer};
use kakitome_smime::message::sign::{Draft, Form};
use kakitome_smime::mime::encoding::Base64Writer;
use kakitome_smime::octets::{Octets, Spools};
use kakitome_verdict::sender::{Evidence, judge};

const DOMAIN: &str = "example.test";

/// A member with a key of one kind.
pub struct Member {
    /// The kind of the key, for people.
    pub key: &'static str,
    pub authority: Arc<Authority>,
    pub credential: Arc<Credential>,
    pub evidence: Evidence,
    pub now: Time,
    signer: Signer,
    folder: PathBuf,
}

impl Member {
    /// Makes the CA and the member's certificate in `folder`, and files of both for other programs.
    pub fn new(folder: &Path, kind: KeyKind, key: &'static str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let now = Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().try_into()?);
        let store = Arc::new(Store::open(folder)?);
        let vault = Arc::new(Vault::open(&folder.join("sealing.key"), &store)?);
        let settings = AuthoritySettings { member_key: kind, ..AuthoritySettings::default() };
        let authority = Arc::new(Authority::open(store, vault, settings, now, Arc::new(SystemRandom))?);
        let address = Address::parse(&format!("alice@{DOMAIN}")).map_err(|error| anyhow!("{error:?}"))?;
        let credential = authority.credential(&address, now)?;
        let choice = Choice { own_ca: vec![authority.anchor()?], ..Choice::default() };
        let evidence = evidence::gather(&choice, now)?;
        let certificate = |one: &Certificate| pem::write("CERTIFICATE", one.raw());
        let algorithm = credential.key.algorithm();
        let digest = algorithm.digest().unwrap_or(Digest::Sha256);
        let signer = Signer::new(&credential.certificate, &credential.chain, algorithm, digest)
            .map_err(|NotWritten| anyhow!("an algorithm that is not written"))?;
        let member = Self { key, authority, credential, evidence, now, signer, folder: folder.to_owned() };
        fs::write(member.file("anchor.pem"), certificate(&member.authority.anchor()?))?;
        fs::write(member.file("issuing.pem"), certificate(&member.authority.issuing()?))?;
        fs::write(member.file("signer.pem"), certificate(&member.credential.certificate))?;
        fs::write(member.file("chain.pem"), member.credential.chain.iter().map(certificate).collect::<String>())?;
        fs::write(member.file("key.pem"), pem::write("PRIVATE KEY", &member.credential.key.to_pkcs8()?))?;
        Ok(member)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn outgoing(&self) -> Outgoing {
        let policy = Policy { members: vec![DOMAIN.to_owned()], ..Policy::default() };
        Outgoing::new(Arc::clone(&self.authority), policy, Arc::new(NoCertificates), Arc::new(SystemRandom))
    }

    /// Signs as every door does, without reading the result back.
    pub fn sign(&self, mail: &dyn Octets, to: &mut dyn Write) -> anyhow::Result<()> {
        let draft = Draft::new(mail)?.map_err(|why| anyhow!("{why}"))?;
        let asked = draft.request(&self.signer, draft.signing_time(self.now))?;
        let signature = self.credential.key.sign(asked.algorithm(), asked.octets())?;
        asked.write(Form::Clear, &signature, &SystemRandom, to)?;
        Ok(())
    }

    /// Opens and judges; the answer must be that it is confirmed.
    pub fn check(&self, mail: &dyn Octets, spools: &dyn Spools) -> anyhow::Result<()> {
        check(mail, spools, &self.evidence)
    }

    /// The same, with the paths of the mails before remembered.
    pub fn check_remembering<'a>(
        &'a self,
        mail: &'a dyn Octets,
        spools: &'a dyn Spools,
    ) -> impl Fn() -> anyhow::Result<()> + 'a {
        let evidence = Evidence { known: Known::remembering(), ..self.evidence.clone() };
        move || check(mail, spools, &evidence)
    }
}

fn check(mail: &dyn Octets, spools: &dyn Spools, evidence: &Evidence) -> anyhow::Result<()> {
    let opened = kakitome_smime::message::open::open(mail, spools, &NoKeys)?;
    let answer = judge(&opened, evidence).answer;
    ensure!(answer.state.is_confirmed(), "the answer is {}", answer.state.name());
    Ok(())
}

/// A mail in a file, and the same mail signed.
pub struct Mail {
    pub plain: PathBuf,
    pub signed: PathBuf,
}

impl Mail {
    /// A mail of `size` octets with one attachment.
    pub fn new(member: &Member, name: &str, size: u64) -> anyhow::Result<Self> {
        let mail =
            Self { plain: member.file(&format!("{name}.eml")), signed: member.file(&format!("{name}.signed.eml")) };
        write(&mail.plain, size)?;
        let mut signed = BufWriter::new(File::create(&mail.signed)?);
        member.sign(&FileOctets::open(&mail.plain)?, &mut signed)?;
        signed.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        Ok(mail)
    }
}

/// Writes a mail of `size` octets with one attachment.
fn write(path: &Path, size: u64) -> anyhow::Result<()> {
    let mut to = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    write!(
        to,
        "From: Alice <alice@{DOMAIN}>\r\nTo: Bob <bob@example.net>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThe report is attached.\r\n\
         --b\r\nContent-Type: application/octet-stream; name=report.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )?;
    let mut base64 = Base64Writer::new(&mut to);
    // 57 octets make a line of 76 characters and CRLF
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..size / 78 {
        let mut line = [0; 57];
        for octet in &mut line {
            // xorshift64: no matter what, as long as it does not repeat
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *octet = state.to_le_bytes()[3];
        }
        base64.write_all(&line)?;
    }
    base64.finish()?;
    to.write_all(b"\r\n--b--\r\n")?;
    to.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    Ok(())
}
