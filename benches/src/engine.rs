//! The engine in one process, against what the arithmetic alone costs with the same library.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use kakitome_office::outgoing::Disposition;
use kakitome_office::spool::FileOctets;
use kakitome_pki::algorithm::Digest;
use kakitome_pki::crypto::Hasher;
use kakitome_smime::octets::InMemory;

use crate::measure::{Pair, each, once};
use crate::workload::{Mail, Member, spools};
use crate::{Effort, Row, megabytes, per_second};

/// How much of a file is read at once where it is only hashed or copied, in octets: the window of the engine.
const WINDOW: usize = kakitome_smime::octets::WINDOW;

/// Small mails: as many as one core signs and verifies in a second.
pub fn small(member: &Member, mail: &Mail, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let plain = std::fs::read(&mail.plain)?;
    let signed = std::fs::read(&mail.signed)?;
    let credential = &member.credential;
    let algorithm = credential.key.algorithm();
    let message = [0x31; 256];
    let raw_sign = || {
        each(effort.time, || {
            std::hint::black_box(credential.key.sign(algorithm, &message)?);
            Ok(())
        })
    };
    let rate = |work: &str, against: &str, pair: Pair| Row {
        work: format!("{work}, {}", member.key),
        ours: per_second(pair.ours),
        against: against.to_owned(),
        theirs: per_second(pair.theirs),
        pair,
    };
    let sign = Pair::take(
        effort.rounds,
        || each(effort.time, || member.sign(&plain, &mut Vec::with_capacity(plain.len() * 2))),
        raw_sign,
    )?;
    let outgoing = member.outgoing();
    let gateway = Pair::take(
        effort.rounds,
        || {
            each(effort.time, || {
                let disposition = outgoing.sign(&plain, false, &InMemory, member.now)?;
                ensure!(matches!(disposition, Disposition::Signed { .. }), "the mail was not signed");
                Ok(())
            })
        },
        raw_sign,
    )?;

    let signature = credential.key.sign(algorithm, &message)?;
    let (issuing, root) = (member.authority.issuing(), member.authority.anchor());
    let raw_verify = || {
        each(effort.time, || {
            let wrong = |_| anyhow!("a good signature is called bad");
            credential.certificate.key().verify(algorithm, &message, &signature).map_err(wrong)?;
            credential.certificate.verify_signature(issuing.key()).map_err(wrong)?;
            issuing.verify_signature(root.key()).map_err(wrong)?;
            Ok(())
        })
    };
    let verify = Pair::take(effort.rounds, || each(effort.time, || member.check(&signed, &InMemory)), raw_verify)?;
    Ok(vec![
        rate("sign 5 KB", "signing alone, same key", sign),
        rate("sign 5 KB as the gateway does, read back", "signing alone, same key", gateway),
        rate("check 5 KB, path of three", "the three signatures alone", verify),
    ])
}

/// A big mail from a file, against one pass over the same file.
pub fn big(member: &Member, mail: &Mail, effort: &Effort, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let spools = spools(folder)?;
    let other = folder.join("other.eml");
    let size = std::fs::metadata(&mail.plain)?.len();
    let sign = Pair::take(
        effort.rounds,
        || once(|| member.sign(&FileOctets::open(&mail.plain)?, &mut create(&other)?)),
        || once(|| hash(&mail.plain).and_then(|()| copy(&mail.plain, &other))),
    )?;
    let check = Pair::take(
        effort.rounds,
        || once(|| member.check(&FileOctets::open(&mail.signed)?, &spools)),
        || once(|| hash(&mail.signed)),
    )?;
    let time = |work: &str, against: &str, pair: Pair| Row {
        work: format!("{work} {}, file, {}", megabytes(size), member.key),
        ours: format!("{:.3} s", pair.ours),
        against: against.to_owned(),
        theirs: format!("{:.3} s", pair.theirs),
        pair,
    };
    Ok(vec![time("sign", "SHA-256 once, and one copy", sign), time("check", "SHA-256 once over the file", check)])
}

fn create(path: &Path) -> anyhow::Result<io::BufWriter<File>> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    Ok(io::BufWriter::with_capacity(WINDOW, file))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut to = File::create(to)?;
    pieces(from, |piece| Ok(to.write_all(piece)?))
}

fn hash(path: &Path) -> anyhow::Result<()> {
    let mut hasher = Hasher::new(Digest::Sha256);
    pieces(path, |piece| {
        hasher.update(piece);
        Ok(())
    })?;
    std::hint::black_box(hasher.finish());
    Ok(())
}

fn pieces(path: &Path, mut each: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut file = File::open(path)?;
    let mut window = vec![0; WINDOW];
    loop {
        match file.read(&mut window)? {
            0 => return Ok(()),
            read => each(&window[..read])?,
        }
    }
}
