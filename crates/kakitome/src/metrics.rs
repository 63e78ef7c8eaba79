//! What is counted, for Prometheus: mail by direction and outcome, verdicts, failures, durations, connections; and what is
//! asked for when somebody looks ([`Series`]). Nothing of a mail is in it, no address and no domain either.
//!
//! Names are stable: who alarms on one would not see that it is gone. docs/operation.md lists them.

mod process;
mod watched;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kakitome_verdict::lookup::{End, Lookup};
use kakitome_verdict::reason::Reason;
use kakitome_verdict::state::State;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub use self::watched::Series;
use self::watched::Watched;
use crate::settings::Direction;

/// What stands before our names.
const PREFIX: &str = "kakitome";
/// How codes of files that open with a password begin.
const PASSWORD_CODES: &str = "ppap.";

/// The bounds of the histograms, in seconds: from a mail that passes on one machine to a next hop that thinks for minutes.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    direction: &'static str,
    action: &'static str,
    reply: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Way {
    direction: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Failed {
    what: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Verdict {
    door: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Code {
    code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Ended {
    end: &'static str,
}

/// Where a mail was judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// On the check page.
    Page,
    /// On its way through the gateway.
    Mail,
}

/// What failed, and was not the mail's fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The desk could not say what becomes of a mail: no signature, no certificate, no store.
    Desk,
    /// A handshake of TLS with a client.
    Handshake,
    /// The spool or the journal could not be written, or the disk is nearly full.
    Disk,
    /// A bug of ours.
    Bug,
    /// The page could not answer.
    Page,
}

/// The counts of one process.
pub struct Metrics {
    registry: Mutex<Registry>,
    recipients: Family<Outcome, Counter>,
    mail_seconds: Family<Way, Histogram>,
    desk_seconds: Family<Way, Histogram>,
    failures: Family<Failed, Counter>,
    next_hop_failures: Family<Way, Counter>,
    verdicts: Family<Verdict, Counter>,
    password_files: Family<Code, Counter>,
    lookups: Family<Ended, Counter>,
    connections: Gauge,
    turned_away: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram = || Histogram::new(SECONDS);
        let mut whole = Registry::default();
        whole.register_collector(Box::new(Watched(Box::new(process::series))));
        let version = [("version", env!("CARGO_PKG_VERSION").into())];
        let build = Gauge::<i64>::default();
        build.set(1);
        let registry = whole.sub_registry_with_prefix(PREFIX);
        registry.sub_registry_with_labels(version.map(|(name, value)| (name.into(), value)).into_iter()).register(
            "build_info",
            "Always 1; the program's version is the label",
            build,
        );
        let metrics = Self {
            registry: Mutex::default(),
            recipients: Family::default(),
            mail_seconds: Family::new_with_constructor(histogram),
            desk_seconds: Family::new_with_constructor(histogram),
            failures: Family::default(),
            next_hop_failures: Family::default(),
            verdicts: Family::default(),
            password_files: Family::default(),
            lookups: Family::default(),
            connections: Gauge::default(),
            turned_away: Counter::default(),
        };
        registry.register(
            "recipients",
            "Recipients of mail by what was done for them and the class of the reply",
            metrics.recipients.clone(),
        );
        registry.register_with_unit(
            "mail",
            "From the end of a mail to its reply, the next hop's time included",
            Unit::Seconds,
            metrics.mail_seconds.clone(),
        );
        registry.register_with_unit(
            "desk",
            "Deciding, signing, encrypting, opening, judging",
            Unit::Seconds,
            metrics.desk_seconds.clone(),
        );
        registry.register("failures", "What failed and was not the fault of a mail", metrics.failures.clone());
        registry.register(
            "next_hop_failures",
            "How often the next hop could not be spoken with, or was lost before its answer",
            metrics.next_hop_failures.clone(),
        );
        registry.register("verdicts", "Mails that were judged, by state", metrics.verdicts.clone());
        registry.register(
            "password_files",
            "Received mails with files that open with a password, by what was found",
            metrics.password_files.clone(),
        );
        registry.register(
            "lookups",
            "Questions to the outside about mails that were judged, by how they ended",
            metrics.lookups.clone(),
        );
        registry.register("connections", "Mail connections now", metrics.connections.clone());
        registry.register("connections_refused", "Mail connections that found no place", metrics.turned_away.clone());
        // An alarm on what never happened yet needs its zero.
        for failure in Failure::ALL {
            drop(metrics.failures.get_or_create(&Failed { what: failure.name() }));
        }
        for direction in [Direction::Outbound, Direction::Inbound] {
            drop(metrics.next_hop_failures.get_or_create(&Way { direction: word(direction) }));
        }
        for code in Reason::ALL.iter().map(|reason| reason.code()).filter(|code| code.starts_with(PASSWORD_CODES)) {
            drop(metrics.password_files.get_or_create(&Code { code }));
        }
        for end in ["known", "absent", "unavailable"] {
            drop(metrics.lookups.get_or_create(&Ended { end }));
        }
        for door in [Door::Page, Door::Mail] {
            for state in State::ALL {
                drop(metrics.verdicts.get_or_create(&Verdict { door: door.name(), state: state.name() }));
            }
        }
        Self { registry: Mutex::new(whole), ..metrics }
    }
}

impl Metrics {
    /// What became of so many recipients of a mail.
    pub fn recipients(&self, direction: Direction, action: &'static str, reply: u16, count: usize) {
        let reply = match reply {
            200..=299 => "2xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        let outcome = Outcome { direction: word(direction), action, reply };
        self.recipients.get_or_create(&outcome).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// How long a mail took from its end to our reply.
    pub fn mail_took(&self, direction: Direction, time: Duration) {
        self.mail_seconds.get_or_create(&Way { direction: word(direction) }).observe(time.as_secs_f64());
    }

    /// How long the desk took for it.
    pub fn desk_took(&self, direction: Direction, time: Duration) {
        self.desk_seconds.get_or_create(&Way { direction: word(direction) }).observe(time.as_secs_f64());
    }

    /// Something failed.
    pub fn failed(&self, failure: Failure) {
        self.failures.get_or_create(&Failed { what: failure.name() }).inc();
    }

    /// The next hop of a direction could not be spoken with.
    pub fn next_hop_failed(&self, direction: Direction) {
        self.next_hop_failures.get_or_create(&Way { direction: word(direction) }).inc();
    }

    /// A received mail brought files that open with a password; each code counts once.
    pub fn password_files(&self, codes: impl IntoIterator<Item = &'static str>) {
        for code in codes {
            self.password_files.get_or_create(&Code { code }).inc();
        }
    }

    /// What was asked outside for an answer. What was kept from before was not asked.
    pub fn looked_up(&self, lookups: &[Lookup]) {
        for lookup in lookups.iter().filter(|lookup| !lookup.kept) {
            let end = match lookup.end {
                End::Known => "known",
                End::Absent => "absent",
                End::Unavailable(_) => "unavailable",
            };
            self.lookups.get_or_create(&Ended { end }).inc();
        }
    }

    /// A mail was judged.
    pub fn judged(&self, door: Door, state: State) {
        self.verdicts.get_or_create(&Verdict { door: door.name(), state: state.name() }).inc();
    }

    /// A connection found no place.
    pub fn turned_away(&self) {
        self.turned_away.inc();
    }

    /// A connection is open as long as what is returned lives.
    #[must_use]
    pub fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// Numbers that are asked for when somebody looks. It may block.
    pub fn watch(&self, look: impl Fn() -> Vec<Series> + Send + Sync + 'static) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.sub_registry_with_prefix(PREFIX).register_collector(Box::new(Watched(Box::new(look))));
    }

    /// Everything in the OpenMetrics text format. May block.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        text
    }
}

/// One open connection.
#[derive(Debug)]
pub struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Failure {
    const ALL: [Self; 5] = [Self::Desk, Self::Handshake, Self::Disk, Self::Bug, Self::Page];

    fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Handshake => "handshake",
            Self::Disk => "disk",
            Self::Bug => "bug",
            Self::Page => "page",
        }
    }
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Mail => "mail",
        }
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Outbound => "outbound",
        Direction::Inbound => "inbound",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::default();
        metrics.recipients(Direction::Outbound, "signed", 250, 3);
        metrics.recipients(Direction::Outbound, "deferred", 451, 1);
        metrics.mail_took(Direction::Inbound, Duration::from_millis(30));
        metrics.failed(Failure::Desk);
        metrics.judged(Door::Page, State::NotSigned);
        metrics.next_hop_failed(Direction::Inbound);
        metrics.password_files(["ppap.zip", "ppap.pair"]);
        metrics.watch(|| {
            vec![
                Series::gauge("certificates_due", "Certificates that end soon").with("use", "sign", 7),
                Series::gauge("absent", "What nobody knows").maybe(None::<i64>),
                Series::counter("key_uses", "Uses").with("use", "sign", 3_u64).with("use", "open", u64::MAX),
                Series::gauge("spool", "Room").bytes().number(12),
                Series::gauge("disk_free_ratio", "Free").part(0.25),
            ]
        });
        let inside = metrics.connected();
        let text = metrics.text();
        drop(inside);
        for line in [
            "kakitome_recipients_total{direction=\"outbound\",action=\"signed\",reply=\"2xx\"} 3",
            "kakitome_recipients_total{direction=\"outbound\",action=\"deferred\",reply=\"4xx\"} 1",
            "kakitome_mail_seconds_bucket{le=\"0.05\",direction=\"inbound\"} 1",
            "kakitome_mail_seconds_bucket{le=\"0.025\",direction=\"inbound\"} 0",
            "kakitome_mail_seconds_count{direction=\"inbound\"} 1",
            "kakitome_failures_total{what=\"desk\"} 1",
            "kakitome_failures_total{what=\"bug\"} 0",
            "kakitome_connections 1",
            "kakitome_next_hop_failures_total{direction=\"inbound\"} 1",
            "kakitome_next_hop_failures_total{direction=\"outbound\"} 0",
            "kakitome_password_files_total{code=\"ppap.zip\"} 1",
            "kakitome_password_files_total{code=\"ppap.pair\"} 1",
            "kakitome_password_files_total{code=\"ppap.pdf\"} 0",
            "kakitome_certificates_due{use=\"sign\"} 7",
            "# TYPE kakitome_key_uses counter",
            "kakitome_key_uses_total{use=\"sign\"} 3",
            "kakitome_key_uses_total{use=\"open\"} 9223372036854775807",
            "# UNIT kakitome_spool_bytes bytes",
            "kakitome_spool_bytes 12",
            "kakitome_disk_free_ratio 0.25",
            "# UNIT kakitome_mail_seconds seconds",
            "# EOF",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is missing in\n{text}");
        }
        let state = State::NotSigned.name();
        assert!(text.contains(&format!("kakitome_verdicts_total{{door=\"page\",state=\"{state}\"}} 1")), "{text}");
        assert!(!text.contains("kakitome_absent"), "{text}");
        assert!(metrics.text().contains("kakitome_connections 0"));
    }
}
