//! The engine in one process, against what the arithmetic alone costs with the same library, and against OpenSSL's
//! library in a loop.

use std::sync::Arc;

use anyhow::{anyhow, ensure};
use kakitome_office::policy::Submission;
use kakitome_smime::octets::{InMemory, Octets};

use crate::Effort;
use crate::goal::{Row, cost, per_second};
use crate::library::Loop;
use crate::measure::{Pair, each, on_all_cores};
use crate::workload::{Mail, Member};

/// Mails of a batch.
const BATCH: u32 = 2_000;

/// Small mails: as many as one core signs and verifies in a second.
pub fn small(member: &Member, mail: &Mail, library: Option<&Loop>, effort: &Effort) -> anyhow::Result<Vec<Row>> {
    let plain = std::fs::read(&mail.plain)?;
    let signed = std::fs::read(&mail.signed)?;
    let credential = &member.credential;
    let algorithm = credential.key.algorithm();
    let message = [0x31; 256];
    let is_rsa = member.key.starts_with("RSA");
    let raw_sign = || {
        std::hint::black_box(credential.key.sign(algorithm, &message)?);
        Ok(())
    };
    let sign = || member.sign(&plain, &mut Vec::with_capacity(plain.len() * 2));
    let check = || member.check(&signed, &InMemory);
    let row = |work: &str, against: &str, pair: Pair| Row {
        work: format!("{work}, {}", member.key),
        ours: per_second(pair.ours),
        against: against.to_owned(),
        theirs: per_second(pair.theirs),
        pair,
        goal: None,
        peak: None,
    };
    let batch = BATCH / effort.share;
    let pair = Pair::take(effort.rounds, || on_all_cores(batch, sign), || on_all_cores(batch, raw_sign))?;
    let at_most = if is_rsa { 1.0 / 0.95 } else { 1.0 / 0.6 };
    let mut rows = vec![row("sign 2,000 mails of 5 KB on all cores", "signing alone, same key", pair).goal(6, at_most)];
    let outgoing = member.outgoing();
    let handed_in: Arc<dyn Octets> = Arc::new(plain.clone());
    let pair = Pair::take(
        effort.rounds,
        || {
            each(effort.time, || {
                let outcome =
                    outgoing.process(Arc::clone(&handed_in), "", &Submission::default(), &InMemory, member.now)?;
                ensure!(outcome.copies.iter().any(|copy| copy.done.signing.is_ok()), "the mail was not signed");
                Ok(())
            })
        },
        || each(effort.time, raw_sign),
    )?;
    rows.push(row("sign 5 KB as the gateway does, read back", "signing alone, same key", pair));

    let signature = credential.key.sign(algorithm, &message)?;
    let (issuing, root) = (member.authority.issuing()?, member.authority.anchor()?);
    let raw_verify = || {
        each(effort.time, || {
            let wrong = |_| anyhow!("a good signature is called bad");
            credential.certificate.key().verify(algorithm, &message, &signature).map_err(wrong)?;
            credential.certificate.verify_signature(issuing.key()).map_err(wrong)?;
            issuing.verify_signature(root.key()).map_err(wrong)?;
            Ok(())
        })
    };
    let pair = Pair::take(effort.rounds, || each(effort.time, check), raw_verify)?;
    rows.push(row("check 5 KB, path of three", "the three signatures alone", pair));
    let Some(library) = library else { return Ok(rows) };
    let pair =
        Pair::take(effort.rounds, || each(effort.time, sign), || library.cost("sign", member, &mail.plain, batch))?;
    let sign = row("sign 5 KB", "OpenSSL's library in a loop", pair);
    rows.push(if is_rsa { sign } else { sign.goal(6, 0.5) });
    let pair =
        Pair::take(effort.rounds, || each(effort.time, check), || library.cost("verify", member, &mail.signed, batch))?;
    rows.push(
        row("check 5 KB, path of three", "OpenSSL's library in a loop", pair).goal(7, if is_rsa { 0.25 } else { 0.5 }),
    );
    let remembering = member.check_remembering(&signed, &InMemory);
    let pair = Pair::take(
        effort.rounds,
        || each(effort.time, &remembering),
        || library.cost("verify", member, &mail.signed, batch),
    )?;
    rows.push(row("check 5 KB, path of three remembered", "OpenSSL's library in a loop", pair));
    Ok(rows)
}

/// What a unit costs at a small and at a large size: 1.00 where nothing grows worse than linearly.
pub fn slope(work: &str, unit: &str, sizes: [f64; 2], costs: [f64; 2]) -> Row {
    let [small, large] = [costs[0] / sizes[0], costs[1] / sizes[1]];
    let ratio = large / small;
    Row {
        work: format!("{work}: {} against {} {unit}", sizes[1], sizes[0]),
        ours: cost(large, None),
        against: format!("each of {}", sizes[0]),
        theirs: cost(small, None),
        pair: Pair { ours: large, theirs: small, ratio: [ratio; 3] },
        goal: None,
        peak: None,
    }
    .goal(10, 1.1)
}
