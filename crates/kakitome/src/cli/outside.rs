//! What a check may ask outside, by the settings.

use std::time::Duration;

use kakitome_office::evidence::dns::Resolvers;
use kakitome_office::evidence::fetch::{Fetcher, Limits, Settings as FetchSettings};
use kakitome_office::evidence::outside::Outside;
use kakitome_pki::crypto::SystemRandom;

use super::{Everywhere, Failure, config, input};
use crate::settings::Settings;

/// Where answers are kept, in the data directory.
const FOLDER: &str = "fetched";

/// The outside by the settings file and the environment; `None` where nothing is to be asked.
pub(super) fn outside(everywhere: &Everywhere, offline: bool) -> Result<Option<Outside>, Failure> {
    if offline {
        return Ok(None);
    }
    Ok(by(&config::load(everywhere)?, everywhere))
}

/// The outside by these settings.
pub(super) fn by(settings: &Settings, everywhere: &Everywhere) -> Option<Outside> {
    let fetch = &settings.fetch;
    if !fetch.enabled {
        return None;
    }
    let time = Duration::from_secs(u64::from(fetch.time.get()));
    let limits = Limits { mail: time, list: fetch.max_list.get(), ..Limits::default() };
    let settings = FetchSettings {
        allow_private: fetch.allow_private.clone(),
        issuer_hosts: fetch.issuer_hosts.iter().map(|host| host.as_str().to_owned()).collect(),
        limits,
    };
    let fetcher = Fetcher::new(settings, Some(everywhere.data.join(FOLDER)), Box::new(SystemRandom));
    Some(Outside::new(fetcher, input::now).with_dns(Resolvers::default()))
}
