//! What is counted, for Prometheus: mail by direction and outcome, verdicts, failures, durations, connections. Nothing of
//! a mail is in it, no address and no domain either.
//!
//! Names are stable: who alarms on one would not see that it is gone. docs/operation.md lists them.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kakitome_verdict::state::State;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::settings::Direction;

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
    /// The next hop could not be spoken with.
    NextHop,
    /// The spool or the journal could not be written, or the disk is nearly full.
    Disk,
    /// A bug of ours.
    Bug,
    /// The page could not answer.
    Page,
}

type Asked = Box<dyn Fn() -> Option<i64> + Send + Sync>;

/// The counts of one process.
pub struct Metrics {
    registry: Mutex<Registry>,
    recipients: Family<Outcome, Counter>,
    mail_seconds: Family<Way, Histogram>,
    desk_seconds: Family<Way, Histogram>,
    failures: Family<Failed, Counter>,
    verdicts: Family<Verdict, Counter>,
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
        let (recipients, failures, verdicts) = (Family::default(), Family::default(), Family::default());
        let mail_seconds: Family<Way, Histogram> = Family::new_with_constructor(histogram);
        let desk_seconds: Family<Way, Histogram> = Family::new_with_constructor(histogram);
        let (connections, turned_away) = (Gauge::default(), Counter::default());
        let mut registry = Registry::with_prefix("kakitome");
        registry.register(
            "recipients",
            "Recipients of mail by what was done for them and the class of the reply",
            recipients.clone(),
        );
        registry.register(
            "mail_seconds",
            "From the end of a mail to its reply, the next hop's time included",
            mail_seconds.clone(),
        );
        registry.register("desk_seconds", "Deciding, signing, encrypting, opening, judging", desk_seconds.clone());
        registry.register("failures", "What failed and was not the fault of a mail", failures.clone());
        registry.register("verdicts", "Mails that were judged, by state", verdicts.clone());
        registry.register("connections", "Mail connections now", connections.clone());
        registry.register("connections_refused", "Mail connections that found no place", turned_away.clone());
        let registry = Mutex::new(registry);
        let metrics =
            Self { registry, recipients, mail_seconds, desk_seconds, failures, verdicts, connections, turned_away };
        // An alarm on what never happened yet needs its zero.
        for failure in Failure::ALL {
            drop(metrics.failures.get_or_create(&Failed { what: failure.name() }));
        }
        for door in [Door::Page, Door::Mail] {
            for state in State::ALL {
                drop(metrics.verdicts.get_or_create(&Verdict { door: door.name(), state: state.name() }));
            }
        }
        metrics
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

    /// A number that is asked for when somebody looks; `None` leaves it out. It may block.
    pub fn watch(
        &self,
        name: &'static str,
        help: &'static str,
        number: impl Fn() -> Option<i64> + Send + Sync + 'static,
    ) {
        let watched = Watched { name, help, number: Box::new(number) };
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register_collector(Box::new(watched));
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

struct Watched {
    name: &'static str,
    help: &'static str,
    number: Asked,
}

impl fmt::Debug for Watched {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name)
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(number) = (self.number)() else { return Ok(()) };
        let gauge = ConstGauge::new(number);
        gauge.encode(encoder.encode_descriptor(self.name, self.help, None, gauge.metric_type())?)
    }
}

impl Failure {
    const ALL: [Self; 6] = [Self::Desk, Self::Handshake, Self::NextHop, Self::Disk, Self::Bug, Self::Page];

    fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Handshake => "handshake",
            Self::NextHop => "next_hop",
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
        metrics.watch("certificates_due", "Certificates that end within 30 days", || Some(7));
        metrics.watch("absent", "What nobody knows", || None);
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
            "kakitome_certificates_due 7",
            "# EOF",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is missing in\n{text}");
        }
        let state = State::NotSigned.name();
        assert!(text.contains(&format!("kakitome_verdicts_total{{door=\"page\",state=\"{state}\"}} 1")), "{text}");
        assert!(!text.contains("absent"), "{text}");
        assert!(metrics.text().contains("kakitome_connections 0"));
    }
}
