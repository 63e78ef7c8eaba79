//! The numbers that are asked for when somebody looks: how the office, the journal and the disk stand.

use std::fs;
use std::sync::Arc;

use kakitome_office::lifecycle::figures::Figures;
use kakitome_pki::cert::{Certificate, pem};

use super::House;
use crate::cli::input;
use crate::gateway::disk;
use crate::metrics::Series;
use crate::settings::Settings;

/// When the certificate ends that our listeners show, in Unix seconds.
fn tls_end(settings: &Settings) -> Option<i64> {
    let path = settings.tls.certificate.as_ref()?;
    let block = pem::read(&fs::read(path).ok()?).into_iter().find(pem::Block::is_certificate)?;
    Some(Certificate::parse(block.certificate()).ok()?.not_after().unix())
}

/// Tells the metrics whom to ask.
pub(super) fn watch(house: &House) {
    let (store, in_use) = (Arc::clone(&house.judge.store), house.in_use.clone());
    house.metrics.watch(move || {
        // A scrape that fails is seen by what is missing; why stands here.
        let figures = Figures::read(&store, input::now());
        let figures = figures.inspect_err(|fault| tracing::error!(%fault, "the office cannot be counted"));
        figures.map(|figures| office(&figures, tls_end(&in_use.get()))).unwrap_or_default()
    });
    let (spools, journal) = (house.spools.clone(), Arc::clone(&house.journal));
    let (authority, intake) = (Arc::clone(&house.authority), Arc::clone(&house.intake));
    house.metrics.watch(move || {
        let (held, (files, bytes)) = (journal.holdings(), spools.used());
        let mut series = vec![
            Series::counter("key_uses", "Uses of members' keys, each of them in the log of what was done")
                .with("use", "sign", authority.signatures())
                .with("use", "open", intake.opened()),
            Series::gauge("journal_mails", "Mails with a queue id that are under way now").number(held.under_way),
            Series::gauge("journal_copies", "Copies that were built and wait for their mail to come again")
                .number(held.copies),
            Series::gauge("journal_size", "The journal's file").bytes().number(held.bytes),
            Series::gauge("spool_files", "Mails that stand in files of the spool now").number(files),
            Series::gauge("spool_used", "How long they are together").bytes().number(bytes),
        ];
        if let Some(disk) = disk(&spools) {
            series.push(Series::gauge("disk_free", "Of the data directory's disk, for us").bytes().number(disk.free));
            series.push(Series::gauge("disk_size", "The size of that disk").bytes().number(disk.size));
            series.push(Series::gauge("disk_free_ratio", "How much of that disk is free for us").part(disk.ratio()));
        }
        series
    });
}

fn office(figures: &Figures, tls_end: Option<i64>) -> Vec<Series> {
    let mut certificates = Series::gauge("certificates", "Certificates of members, the last of each address and use");
    let mut due = Series::gauge("certificates_due", "Those of them that ended or will within 30 days");
    let mut ends =
        Series::gauge("certificate_end_timestamp", "When the first certificate of a kind ends, in Unix time").seconds();
    for one in &figures.certificates {
        certificates = certificates.with("use", &one.usage, one.count);
        due = due.with("use", &one.usage, one.due);
        ends = ends.with("use", &one.usage, one.first_end.unix());
    }
    for (role, end) in &figures.authorities {
        ends = ends.with("use", role, end.unix());
    }
    if let Some(end) = tls_end {
        ends = ends.with("use", "tls", end);
    }
    let mut signed =
        Series::gauge("revocation_list_timestamp", "When the oldest revocation list was signed, in Unix time")
            .seconds();
    let mut stale = Series::gauge(
        "revocation_list_end_timestamp",
        "When the first of the revocation lists no longer counts, in Unix time",
    )
    .seconds();
    for lists in &figures.lists {
        signed = signed.with("ca", &lists.role, lists.oldest.unix());
        stale = stale.with("ca", &lists.role, lists.first_end.unix());
    }
    let mut jobs = Series::gauge("jobs", "Jobs of the office by how they stand");
    for (state, count) in figures.jobs {
        jobs = jobs.with("state", state.name(), count);
    }
    vec![
        Series::gauge("members", "Members who have not left").number(figures.members),
        certificates,
        due,
        ends,
        signed,
        stale,
        jobs,
        Series::gauge("jobs_overdue", "How long the job has waited that is due longest")
            .seconds()
            .number(figures.overdue),
        Series::gauge("directory_undecided", "Certificates of correspondents that wait for a decision")
            .number(figures.undecided),
    ]
}
