//! Numbers that are asked for when somebody looks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// What a number means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up while the process lives.
    Counter,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i64),
    Part(f64),
}

/// The numbers of one name, told apart by their labels.
#[derive(Clone, Debug)]
pub struct Series {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: Kind,
    samples: Vec<(Vec<(&'static str, String)>, Number)>,
}

impl Series {
    fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self { name, help, unit: None, kind, samples: Vec::new() }
    }

    /// Of something that goes up and down. `help` has no full stop.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Gauge, name, help)
    }

    /// Of something that only goes up; `_total` is put behind the name.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Counter, name, help)
    }

    /// In bytes; `_bytes` is put behind the name.
    #[must_use]
    pub fn bytes(self) -> Self {
        Self { unit: Some(Unit::Bytes), ..self }
    }

    /// In seconds, or as a moment in Unix seconds; `_seconds` is put behind the name.
    #[must_use]
    pub fn seconds(self) -> Self {
        Self { unit: Some(Unit::Seconds), ..self }
    }

    /// As a part of one; `_ratio` stands in the name already.
    #[must_use]
    pub fn part(mut self, part: f64) -> Self {
        self.samples.push((Vec::new(), Number::Part(part)));
        self
    }

    /// The only number.
    #[must_use]
    pub fn number<N: TryInto<i64>>(self, number: N) -> Self {
        self.maybe(Some(number))
    }

    /// The only number, left out where it is not known.
    #[must_use]
    pub fn maybe<N: TryInto<i64>>(mut self, number: Option<N>) -> Self {
        self.samples.extend(number.map(|number| (Vec::new(), whole(number))));
        self
    }

    /// The number of one value of a label.
    #[must_use]
    pub fn with<N: TryInto<i64>>(mut self, label: &'static str, value: &str, number: N) -> Self {
        self.samples.push((vec![(label, value.to_owned())], whole(number)));
        self
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if self.samples.is_empty() {
            return Ok(());
        }
        let kind = match self.kind {
            Kind::Gauge => MetricType::Gauge,
            Kind::Counter => MetricType::Counter,
        };
        let mut metric = encoder.encode_descriptor(self.name, self.help, self.unit.as_ref(), kind)?;
        for (labels, number) in &self.samples {
            if labels.is_empty() {
                self.write(&mut metric, *number)?;
            } else {
                self.write(&mut metric.encode_family(labels)?, *number)?;
            }
        }
        Ok(())
    }

    fn write(&self, to: &mut MetricEncoder<'_>, number: Number) -> fmt::Result {
        match (self.kind, number) {
            (Kind::Gauge, Number::Whole(number)) => to.encode_gauge(&number),
            (Kind::Gauge, Number::Part(number)) => to.encode_gauge(&number),
            (Kind::Counter, Number::Whole(number)) => {
                to.encode_counter::<NoLabelSet, _, u64>(&u64::try_from(number).unwrap_or_default(), None)
            }
            (Kind::Counter, Number::Part(number)) => to.encode_counter::<NoLabelSet, _, u64>(&number, None),
        }
    }
}

fn whole<N: TryInto<i64>>(number: N) -> Number {
    Number::Whole(number.try_into().unwrap_or(i64::MAX))
}

type Look = Box<dyn Fn() -> Vec<Series> + Send + Sync>;

/// What is asked for together.
pub(super) struct Watched(pub(super) Look);

impl fmt::Debug for Watched {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Watched")
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        (self.0)().iter().try_for_each(|series| series.encode(&mut encoder))
    }
}
