//! Where the log goes: standard error, as text for people or a JSON object on each line for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::settings::{Level, Log, LogFormat};

/// Opens the log. Once in a process.
pub(super) fn open(settings: &Log) {
    let level = match settings.level {
        Level::Error => tracing::Level::ERROR,
        Level::Warn => tracing::Level::WARN,
        Level::Info => tracing::Level::INFO,
        Level::Debug => tracing::Level::DEBUG,
        Level::Trace => tracing::Level::TRACE,
    };
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(io::stderr);
    match settings.format {
        LogFormat::Text => builder.with_ansi(colours).init(),
        LogFormat::Json => builder.with_ansi(false).event_format(Json).init(),
    }
}

/// One object on each line: `time`, `level`, `message`, and the event's own fields.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        fields.0.insert("time", Value::String(time));
        fields.0.insert("level", Value::String(level));
        let text = serde_json::to_string(&fields.0).map_err(|_| fmt::Error)?;
        for character in text.chars() {
            // JSON leaves bidirectional and other invisible characters as they are; a terminal obeys them.
            let is_plain = character.is_ascii() || character.escape_debug().len() == 1;
            if is_plain {
                writer.write_char(character)?;
            } else {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        writer.write_char('\n')
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, Value>);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_an_object_whatever_others_wrote() {
        let written = Written::default();
        let log = written.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).event_format(Json).with_writer(move || log.clone());
        let from = "\u{202e}a\"@例.test\r\nforged \u{1b}[31m \u{e0041}";
        tracing::subscriber::with_default(subscriber.finish(), || {
            tracing::info!(from, recipients = 2usize, error = %"x", none = None::<String>, "mail");
            tracing::warn!("two");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let first: Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(first["from"], from);
        assert_eq!((&first["recipients"], &first["error"]), (&2.into(), &"x".into()));
        assert_eq!((&first["level"], &first["message"]), (&"info".into(), &"mail".into()));
        assert!(first["time"].as_str().unwrap().ends_with('Z') && first.get("none").is_none());
        assert!(!lines[0].contains(['\u{202e}', '\u{1b}', '\u{e0041}']) && lines[0].contains('例'), "{text}");
    }
}
