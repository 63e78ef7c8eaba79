//! Paths and revocation: how many a second, and what hostile ones cost.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, anyhow, ensure};
use kakitome_pki::algorithm::Signature;
use kakitome_pki::asn1::{oid, write as der};
use kakitome_pki::cert::{Certificate, pem};
use kakitome_pki::path::{Anchor, AnchorSource, PathProblem, PolicyInputs, Purpose, Question, ValidPath, find};
use kakitome_testkit::hostile::{self, LEVELS, WIDTH};
use kakitome_testkit::{CrlFactory, NOW, Pki, anchor, in_days};

use crate::Effort;
use crate::goal::{Row, cost, per_second};
use crate::library::{Certval, Loop};
use crate::measure::{Pair, each, footprint, program};
use crate::process;
use crate::workload::Member;

/// CAs that certify each other, in a hostile mail.
const MESH: usize = 16;
/// What one search may verify, in signatures of P-256.
const SIGNATURES: u32 = 100;
/// Entries of the long list.
const ENTRIES: u32 = 100_000;

/// The path of a member, over and over, against OpenSSL's library in a loop.
pub fn three(member: &Member, library: Option<&Loop>, effort: &Effort) -> anyhow::Result<Option<Row>> {
    let Some(library) = library else { return Ok(None) };
    let count = 20_000 / effort.share;
    let theirs = || library.cost("path", member, &member.file("signer.pem"), count);
    let pair = Pair::take(effort.rounds, || ours(member, effort), theirs)?;
    Ok(Some(row(&format!("a path of three, {}", member.key), per_second, "OpenSSL's library in a loop", pair)))
}

/// The CPU seconds of one path.
fn ours(member: &Member, effort: &Effort) -> anyhow::Result<f64> {
    let leaf = &member.credential.certificate;
    let untrusted = [member.authority.issuing()?];
    let anchors = [anchor(&member.authority.anchor()?, AnchorSource::User)];
    let question = Question { at: member.now, ..question(leaf, &untrusted, &anchors) };
    each(effort.time, || {
        let path: ValidPath = find(&question).map_err(|refusal| anyhow!("{refusal}"))?;
        ensure!(path.certificates().len() == 2, "the path is another");
        Ok(())
    })
}

/// The path of a member, over and over, against certval's.
pub fn certval(member: &Member, certval: Option<&Certval>, effort: &Effort) -> anyhow::Result<Option<Row>> {
    let Some(certval) = certval else { return Ok(None) };
    let pair = Pair::take(effort.rounds, || ours(member, effort), || certval.cost(member, 4_000 / effort.share))?;
    Ok(Some(row(&format!("a path of three, {}", member.key), per_second, "crate certval in a loop", pair)))
}

/// What is made to take long, against as many signatures as one search may verify; and a long list, against OpenSSL.
pub fn refused(folder: &Path, kakitome: &Path, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let world = Pki::get();
    let (bank, se) = (&world.bank.certificate, &world.se.certificate);
    let allowed = || {
        for _ in 0..SIGNATURES {
            let algorithm: Signature =
                bank.verify_signature(se.key()).map_err(|_| anyhow!("a good signature is bad"))?;
            std::hint::black_box(algorithm);
        }
        Ok(())
    };
    let mut rows = Vec::new();
    for (work, case) in [
        (format!("refuse {MESH} CAs that all certify each other"), hostile::mesh(MESH).1),
        (format!("refuse {WIDTH} policies, each mapped to each, at {LEVELS} levels"), hostile::policies()),
        ("refuse 4,000 names under 4,000 limits".to_owned(), hostile::names()),
    ] {
        let anchors = world.public_anchors();
        let refused = || {
            let refusal = find(&question(&case.leaf, &case.untrusted, &anchors)).err().context("the path holds")?;
            ensure!(refusal.problem == PathProblem::Budget, "refused for {refusal}");
            Ok(())
        };
        let pair = Pair::take(effort.rounds, || each(effort.time, refused), || each(effort.time, allowed))?;
        rows.push(row(&work, |seconds| cost(seconds, None), "100 signatures of P-256 alone", pair));
    }
    rows.extend(long_list(folder, kakitome, effort)?);
    Ok(rows)
}

fn question<'a>(leaf: &'a Certificate, untrusted: &'a [Certificate], anchors: &'a [Anchor]) -> Question<'a> {
    Question { leaf, untrusted, anchors, at: NOW, purpose: Purpose::Email, policy: PolicyInputs::NONE }
}

fn row(work: &str, shown: impl Fn(f64) -> String, against: &str, pair: Pair) -> Row {
    Row {
        work: work.to_owned(),
        ours: shown(pair.ours),
        against: against.to_owned(),
        theirs: shown(pair.theirs),
        pair,
        goal: None,
        peak: None,
    }
}

/// A certificate that is on no list, by a list of 100,000 others, as a whole process.
fn long_list(folder: &Path, kakitome: &Path, effort: &Effort) -> anyhow::Result<Option<Row>> {
    if process::openssl().is_none() {
        return Ok(None);
    }
    let world = Pki::get();
    let mut factory = CrlFactory::default();
    let reason = (oid::REASON_CODE, false, der::element(0x0a, &[&[4]]));
    let entries = ENTRIES / effort.share;
    for number in 0..entries {
        let serial = [&[0x50], number.to_be_bytes().as_slice()].concat();
        factory = factory.entry(&serial, in_days(-9), Some(reason.clone()));
    }
    let file = |name: &str| folder.join(name);
    let certificate = |name: &str, one: &Certificate| std::fs::write(file(name), pem::write("CERTIFICATE", one.raw()));
    certificate("bank.pem", &world.bank.certificate)?;
    certificate("se.pem", &world.se.certificate)?;
    certificate("re.pem", &world.re.certificate)?;
    let lists = [factory.signed_by(&world.se), CrlFactory::default().signed_by(&world.re)];
    let text: String = lists.iter().map(|list| pem::write("X509 CRL", list.raw())).collect();
    std::fs::write(file("lists.pem"), text)?;
    let mut ours = Command::new(kakitome);
    ours.current_dir(folder).args(["--data", "none", "cert", "check", "bank.pem", "--untrusted", "se.pem"]);
    ours.args(["--trust", "re.pem", "--crl", "lists.pem", "--offline", "--at", &NOW.to_string()]);
    let mut theirs = Command::new("openssl");
    theirs.current_dir(folder).args(["verify", "-purpose", "smimesign", "-CAfile", "re.pem", "-untrusted", "se.pem"]);
    theirs.args(["-crl_check_all", "-CRLfile", "lists.pem", "-attime", &NOW.unix().to_string(), "bank.pem"]);
    let runs = effort.runs.div_ceil(10);
    let pair = Pair::take(effort.rounds, || program(runs, &mut ours), || program(runs, &mut theirs))?;
    let scratch = file("time");
    let (own, other) = (footprint(&ours, &scratch)?, footprint(&theirs, &scratch)?);
    Ok(Some(Row {
        ours: cost(pair.ours, own),
        theirs: cost(pair.theirs, other),
        ..row(&format!("`kakitome` cert check, {entries} revoked"), |_| String::new(), "`openssl verify`", pair)
    }))
}
