//! Certificates into the directory and out of it.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use kakitome_office::directory::import::{Contents, Outcome, read};
use kakitome_office::directory::{Done, Filter, Place, State};
use kakitome_office::evidence;
use kakitome_pki::cert::{Certificate, bundle, pem};
use kakitome_verdict::safe::Safe;
use kakitome_verdict::sender::expected::Party;
use serde::Serialize;

use super::table::json;
use super::{actor, each, party, write};
use crate::cli::output::Output;
use crate::cli::{Ended, Everywhere, Failure, input, output};

/// Folders in folders are gone into this deep.
const DEPTH_LIMIT: usize = 16;
/// Certificates that are read before they go in.
const BATCH: usize = 4096;

/// Put certificates of correspondents in.
///
/// PEM, DER, PKCS#7, the serialized store of Windows (.sst), LDIF with userCertificate or userSMIMECertificate, vCard; a
/// folder stands for the files in it. Each is for the addresses that it names. It is used where its issuer is believed
/// (`kakitome trust`) or it is pinned, and kept where not. Certificates of CAs are kept to find paths.
///
/// With --for it is for that address, or for everybody in that domain (as the gateway of a partner has one for all), whatever
/// it says itself, and pinned: compare its fingerprint with its owner by another way than the one by which it came. Exit
/// code 60: some could not be read or used; the others are in.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory import bob.pem
  kakitome directory import --pin reader.pem
  kakitome directory import --for partner.example bob.pem
  kakitome directory import --json partners export.ldif")]
pub(in crate::cli) struct Import {
    /// Files and folders of certificates
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Whose they are, whatever they say
    #[arg(long = "for", value_name = "ADDRESS|DOMAIN", value_parser = party)]
    whose: Option<Party>,
    /// Pin them: they need no issuer that is believed, and no mail brings another in their place
    #[arg(long)]
    pin: bool,
    /// For programs: what became of each certificate as a line of JSON
    #[arg(long)]
    json: bool,
}

/// Write the certificates that are in use, for other programs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kakitome directory export -o partners.pem
  kakitome directory export --form ldif partner.example -o partners.ldif
  kakitome directory export --form p7b -o partners.p7b")]
pub(in crate::cli) struct Export {
    /// Those of this address, or of everybody in this domain
    #[arg(value_name = "ADDRESS|DOMAIN", value_parser = party)]
    whose: Option<Party>,
    /// PEM for any program; PKCS#7 for Windows; LDIF for directories, which says whose each is
    #[arg(long, value_name = "FORM", default_value = "pem")]
    form: Form,
    /// The file; standard output if it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Pem,
    P7b,
    Ldif,
}

#[derive(Serialize)]
struct Line {
    file: String,
    sha256: Option<String>,
    outcome: &'static str,
    #[serde(rename = "for")]
    places: Vec<String>,
    used: bool,
    detail: String,
}

#[derive(Default)]
struct Counts {
    added: u64,
    known: u64,
    unused: u64,
    issuers: u64,
    failed: u64,
}

/// A certificate, and the file in which it stood.
struct Read {
    file: PathBuf,
    certificate: Certificate,
}

impl Import {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        let mut files = Vec::new();
        for path in &self.files {
            listed(path, 0, &mut files)?;
        }
        let held = write(everywhere)?;
        let (actor, mut counts) = (actor(), Counts::default());
        let bar = bar(files.len(), everywhere.quiet);
        let import = held.import(self.whose.as_ref(), self.pin, &actor, input::now())?;
        let mut batch: Vec<Read> = Vec::new();
        let mut waiting: Vec<Read> = Vec::new();
        let put = |some: &mut Vec<Read>, counts: &mut Counts| -> Result<(), Failure> {
            let certificates: Vec<Certificate> = some.iter().map(|one| one.certificate.clone()).collect();
            for (one, outcome) in some.drain(..).zip(import.take(&certificates)?) {
                self.told(&one, &outcome, counts, &bar)?;
            }
            Ok(())
        };
        for file in files {
            let Contents { certificates, unreadable } = match evidence::read(&file) {
                Ok(bytes) => read(&bytes),
                Err(unusable) => {
                    let why = unusable.to_string();
                    self.failed(&file, None, "unreadable", &why, &mut counts, &bar)?;
                    bar.inc(1);
                    continue;
                }
            };
            if certificates.is_empty() && unreadable.is_empty() {
                self.failed(&file, None, "unreadable", "it holds no certificate", &mut counts, &bar)?;
            }
            for why in unreadable {
                self.failed(&file, None, "unreadable", &why, &mut counts, &bar)?;
            }
            for certificate in certificates {
                let is_authority = certificate.extensions().basic_constraints.is_some_and(|basic| basic.ca);
                let one = Read { file: file.clone(), certificate };
                // Paths hold as soon as the CAs are there, in whatever order the files come.
                if is_authority { batch.push(one) } else { waiting.push(one) }
            }
            bar.inc(1);
            if batch.len() >= BATCH {
                put(&mut batch, &mut counts)?;
            }
        }
        put(&mut batch, &mut counts)?;
        bar.set_length(u64::try_from(waiting.len()).unwrap_or(u64::MAX));
        bar.set_position(0);
        let mut waiting = waiting.into_iter();
        loop {
            let mut some: Vec<Read> = waiting.by_ref().take(BATCH / 8).collect();
            if some.is_empty() {
                break;
            }
            bar.inc(u64::try_from(some.len()).unwrap_or_default());
            put(&mut some, &mut counts)?;
        }
        bar.finish_and_clear();
        if !everywhere.quiet {
            let Counts { added, known, unused, issuers, failed } = counts;
            eprintln!(
                "kakitome: {added} entries added, {known} were there; {unused} of the certificates are not used as they \
                 stand; {issuers} certificates of CAs; {failed} left out"
            );
        }
        Ok(if counts.failed > 0 { Ended::Unreadable } else { Ended::Done })
    }

    fn told(&self, one: &Read, outcome: &Outcome, counts: &mut Counts, bar: &ProgressBar) -> Result<(), Failure> {
        let (file, certificate) = (&one.file, &one.certificate);
        let fail = |this: &Self, outcome, why: &str, counts: &mut Counts| {
            this.failed(file, Some(certificate), outcome, why, counts, bar)
        };
        match outcome {
            Outcome::Taken { places, unused } => {
                for (_, done) in places {
                    let counted = if *done == Done::Changed { &mut counts.added } else { &mut counts.known };
                    *counted = counted.saturating_add(1);
                }
                if let Some(why) = unused {
                    counts.unused = counts.unused.saturating_add(1);
                    let whose: Vec<String> = places.iter().map(|(place, _)| place.to_string()).collect();
                    let whose = Safe::address(&whose.join(", ")).to_string();
                    self.say(bar, &format!("{}: {whose}: kept, but not used: {why}", file.display()));
                }
                self.line(
                    bar,
                    &Line {
                        file: file.display().to_string(),
                        sha256: Some(certificate.fingerprint_hex()),
                        outcome: "taken",
                        places: places.iter().map(|(place, _)| place.to_string()).collect(),
                        used: unused.is_none(),
                        detail: unused.as_ref().map(ToString::to_string).unwrap_or_default(),
                    },
                )
            }
            Outcome::Issuer => {
                counts.issuers = counts.issuers.saturating_add(1);
                self.line(
                    bar,
                    &Line {
                        file: file.display().to_string(),
                        sha256: Some(certificate.fingerprint_hex()),
                        outcome: "issuer",
                        places: Vec::new(),
                        used: false,
                        detail: String::new(),
                    },
                )
            }
            Outcome::NoAddress => fail(self, "no-address", "it names no address; say whose it is with --for", counts),
            Outcome::Unfit(why) => fail(self, "unfit", &why.to_string(), counts),
            Outcome::Blocked(place) => fail(self, "blocked", &format!("it is blocked for {place}"), counts),
            Outcome::Full(full) => fail(self, "full", &full.to_string(), counts),
        }
    }

    fn failed(
        &self,
        file: &Path,
        certificate: Option<&Certificate>,
        outcome: &'static str,
        why: &str,
        counts: &mut Counts,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        counts.failed = counts.failed.saturating_add(1);
        let subject = certificate.map(|one| format!("{}: ", Safe::value(&one.subject().short()))).unwrap_or_default();
        self.say(bar, &format!("{}: {subject}{}", file.display(), Safe::value(why)));
        self.line(
            bar,
            &Line {
                file: file.display().to_string(),
                sha256: certificate.map(Certificate::fingerprint_hex),
                outcome,
                places: Vec::new(),
                used: false,
                detail: why.to_owned(),
            },
        )
    }

    fn say(&self, bar: &ProgressBar, line: &str) {
        if !self.json {
            bar.suspend(|| eprintln!("kakitome: {line}"));
        }
    }

    fn line(&self, bar: &ProgressBar, line: &Line) -> Result<(), Failure> {
        if self.json { bar.suspend(|| output::print(&format!("{}\n", json(line)))) } else { Ok(()) }
    }
}

/// The files that a path stands for, folders gone into, in the order of their names.
fn listed(path: &Path, depth: usize, into: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        into.push(path.to_owned());
        return Ok(());
    }
    if depth >= DEPTH_LIMIT {
        return Err(Failure::usage(format!(
            "{}: folders stand deeper than {DEPTH_LIMIT} in each other",
            path.display()
        )));
    }
    let unreadable = |error: std::io::Error| Failure::unreadable(format!("{}: {error}", path.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            names.push(entry.path());
        }
    }
    names.sort_unstable();
    names.iter().try_for_each(|name| listed(name, depth.saturating_add(1), into))
}

fn bar(count: usize, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}

impl Export {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        if self.form == Form::P7b && self.output.is_none() && std::io::stdout().is_terminal() {
            return Err(Failure::usage("a file of this form is no text for a terminal; use -o FILE"));
        }
        let held = super::read(everywhere)?;
        let filter = Filter {
            place: self.whose.as_ref().and_then(Place::of_party),
            state: Some(State::Active),
            ..Filter::default()
        };
        let mut out = Output::open(self.output.as_deref())?;
        let mut all: Vec<Vec<u8>> = Vec::new();
        if self.form == Form::Ldif {
            writeln!(out, "version: 1")?;
        }
        let mut last = None;
        let count = each(&held, &filter, |entry| {
            let der = entry.certificate.raw();
            match self.form {
                Form::Pem => write!(out, "{}", pem::write("CERTIFICATE", der))?,
                Form::Ldif => {
                    // Those of one place are values of one entry.
                    if last.replace(entry.place.clone()) != Some(entry.place.clone()) {
                        let place = entry.place.to_string();
                        write!(out, "\n{}", value("dn", format!("mail={}", escaped(&place)).as_bytes()))?;
                        writeln!(out, "objectClass: inetOrgPerson")?;
                        for name in ["cn", "sn", "mail"] {
                            write!(out, "{}", value(name, place.as_bytes()))?;
                        }
                    }
                    write!(out, "{}", encoded("userCertificate;binary", der))?;
                }
                Form::P7b => all.push(der.to_vec()),
            }
            Ok(())
        })?;
        if self.form == Form::P7b {
            out.write_all(&bundle::write(all.iter().map(Vec::as_slice)))?;
        }
        out.finish()?;
        if !everywhere.quiet {
            eprintln!("kakitome: {count} certificates");
        }
        Ok(Ended::Done)
    }
}

/// A value of a distinguished name (RFC 4514 §2.4).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' | '#' | ' ') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A line of LDIF; in base64 what cannot stand as it is (RFC 2849, SAFE-STRING).
fn value(name: &str, octets: &[u8]) -> String {
    let is_safe = octets.iter().all(|octet| (0x20..0x7f).contains(octet))
        && !octets.first().is_some_and(|octet| b" :<".contains(octet))
        && octets.last() != Some(&b' ');
    match std::str::from_utf8(octets) {
        Ok(text) if is_safe => folded(&format!("{name}: {text}")),
        _ => encoded(name, octets),
    }
}

fn encoded(name: &str, octets: &[u8]) -> String {
    let base64: String = pem::write("X", octets).lines().filter(|line| !line.starts_with('-')).collect();
    folded(&format!("{name}:: {base64}"))
}

/// In lines of 76, as others do.
fn folded(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    let mut width = 76;
    loop {
        let (head, tail) = rest.split_at_checked(width).unwrap_or((rest, ""));
        out.push_str(head);
        out.push('\n');
        if tail.is_empty() {
            return out;
        }
        out.push(' ');
        (rest, width) = (tail, 75);
    }
}
