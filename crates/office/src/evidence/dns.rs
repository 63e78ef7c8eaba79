//! Names of the DNS: TXT records, asked of the resolvers that this machine uses.

use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use kakitome_verdict::lookup::Cause;

/// A record longer than this is none that is asked for here, in octets.
const RECORD_LIMIT: usize = 16 * 1024;
/// A resolver may take so long for an answer, and is asked twice.
const ANSWER_TIME: Duration = Duration::from_millis(1500);
/// All questions of one call together.
const TIME: Duration = Duration::from_secs(3);

/// What a name has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These TXT records, the strings of each joined.
    Known(Vec<Vec<u8>>),
    /// None.
    Absent,
    /// It could not be found out.
    Unavailable(Cause),
}

/// Somebody who knows names.
pub trait Dns: Send + Sync + fmt::Debug {
    /// The TXT records of each name, in their order.
    fn txt(&self, names: &[String]) -> Vec<Answer>;
}

/// The resolvers of this machine, or one that is named.
#[derive(Clone, Debug, Default)]
pub struct Resolvers {
    server: Option<SocketAddr>,
}

impl Resolvers {
    /// This one resolver.
    pub const fn at(server: SocketAddr) -> Self {
        Self { server: Some(server) }
    }

    fn resolver(&self) -> Result<TokioResolver, String> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = match self.server {
            None => TokioResolver::builder(provider).map_err(|error| error.to_string())?,
            Some(server) => {
                let mut one = NameServerConfig::udp_and_tcp(server.ip());
                for connection in &mut one.connections {
                    connection.port = server.port();
                }
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![one]);
                TokioResolver::builder_with_config(config, provider)
            }
        };
        let options = builder.options_mut();
        options.timeout = ANSWER_TIME;
        options.attempts = 2;
        builder.build().map_err(|error| error.to_string())
    }

    async fn ask(&self, names: &[String]) -> Vec<Answer> {
        let resolver = match self.resolver() {
            Ok(resolver) => resolver,
            Err(error) => {
                tracing::debug!("the DNS cannot be asked: {error}");
                return names.iter().map(|_| Answer::Unavailable(Cause::Connection)).collect();
            }
        };
        let mut answers = Vec::with_capacity(names.len());
        let end = tokio::time::Instant::now() + TIME;
        for name in names {
            let asked = tokio::time::timeout_at(end, resolver.txt_lookup(format!("{name}.")));
            answers.push(match asked.await {
                Err(_) => Answer::Unavailable(Cause::Timeout),
                Ok(Err(error)) if error.is_no_records_found() => Answer::Absent,
                Ok(Err(_)) => Answer::Unavailable(Cause::Name),
                Ok(Ok(found)) => {
                    let joined = |data: &RData| match data {
                        RData::TXT(txt) => Some(txt.txt_data.iter().flat_map(|part| part.iter().copied()).collect()),
                        _ => None,
                    };
                    let records = found.answers().iter().filter_map(|record| joined(&record.data));
                    Answer::Known(records.filter(|record: &Vec<u8>| record.len() <= RECORD_LIMIT).collect())
                }
            });
        }
        answers
    }
}

impl Dns for Resolvers {
    fn txt(&self, names: &[String]) -> Vec<Answer> {
        let none = |cause| names.iter().map(|_| Answer::Unavailable(cause)).collect::<Vec<_>>();
        if names.is_empty() {
            return Vec::new();
        }
        // A thread of its own: whoever calls may stand in a runtime that must not be blocked by another.
        thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_or_else(|_| none(Cause::Connection), |runtime| runtime.block_on(self.ask(names)))
            });
            asking.join().unwrap_or_else(|_| none(Cause::Connection))
        })
    }
}
