//! Settings read anew while mail goes on (SIGHUP, `systemctl reload`).
//!
//! All of the new settings come into use, or none of them: a file with a mistake changes nothing, and the log says what is wrong with it.

use std::sync::Arc;

use super::{House, notify};
use crate::cli::{Everywhere, config};
use crate::gateway::Control;
use crate::settings::Settings;

/// Reads the settings, and takes into use what can change. Returns what is in force now.
pub(super) async fn reload(house: &House, control: &Control, everywhere: &Everywhere, old: Settings) -> Settings {
    notify::reloading();
    let now = match take(house, control, everywhere, &old).await {
        Ok(new) => {
            tracing::info!("the settings were read anew and are in use");
            new
        }
        Err(why) => {
            tracing::error!(why, "the settings were read anew and are no good: everything stays as it was");
            old
        }
    };
    notify::ready();
    now
}

async fn take(house: &House, control: &Control, everywhere: &Everywhere, old: &Settings) -> Result<Settings, String> {
    let new = config::load(everywhere).map_err(|failure| failure.to_string())?;
    for setting in later(old, &new) {
        tracing::warn!("{setting} changed, which needs a restart: the old value stays in use");
    }
    house.record(&new).map_err(|failure| failure.to_string())?;
    let desk = house.desk(&new).map_err(|failure| failure.to_string())?;
    control.change(&new, Arc::new(desk)).await.map_err(|error| error.to_string())?;
    house.in_use.change(&new);
    Ok(new)
}

/// The settings that changed and are in use only after a restart.
fn later(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let rows = [
        ("members.key", old.members.key == new.members.key),
        ("gateway.max_connections", old.gateway.max_connections == new.gateway.max_connections),
        ("gateway.max_client_connections", old.gateway.max_client_connections == new.gateway.max_client_connections),
        ("[web]", old.web == new.web),
        ("[check]", old.check == new.check),
        ("[fetch]", old.fetch == new.fetch),
        ("[process]", old.process == new.process),
        ("[vault]", old.vault == new.vault),
        ("[log]", old.log == new.log),
    ];
    rows.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}
