//! `kakitome config`: the settings.

use clap::Subcommand;

use super::{Ended, Everywhere, Failure, output};
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Read the settings and say whether they are good
    #[command(after_long_help = "Examples:\n  kakitome config check --config kakitome.toml")]
    Check,
    /// Print every setting with its default, commented, as the beginning of a file of one's own
    #[command(after_long_help = "Examples:\n  kakitome config template > kakitome.toml")]
    Template,
    /// Print the settings that hold: the file's, the environment's over them
    #[command(after_long_help = "Examples:\n  kakitome config show\n  kakitome config show --config kakitome.toml")]
    Show,
}

impl Config {
    pub(super) fn run(&self, everywhere: &Everywhere) -> Result<Ended, Failure> {
        match self {
            Self::Check => {
                load(everywhere)?;
                if !everywhere.quiet {
                    eprintln!("kakitome: the settings are good");
                }
            }
            Self::Template => output::print(&Settings::template())?,
            Self::Show => output::print(&load(everywhere)?.to_toml())?,
        }
        Ok(Ended::Done)
    }
}

/// The settings that hold.
pub(super) fn load(everywhere: &Everywhere) -> Result<Settings, Failure> {
    let env =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    // What clap reads itself is no setting.
    let env = env.filter(|(name, _)| name != "KAKITOME_DATA" && name != "KAKITOME_CONFIG");
    Settings::load(everywhere.config.as_deref(), env).map_err(Failure::usage)
}
