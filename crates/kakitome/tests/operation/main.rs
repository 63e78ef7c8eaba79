//! `kakitome up` as its operator has it: what it counts, whether it is ready, whose rights it has, what it logs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../instance/mod.rs"]
mod instance;
mod lines;
mod metrics;
mod opened;
mod poison;
mod privileges;
mod ready;
mod sink;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use instance::{Instance, PATIENCE};

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "it never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Writes the settings anew and says what the reload logged.
fn reload(up: &Instance, folder: &Path, text: &str) -> String {
    let before = up.log().len();
    fs::write(folder.join("kakitome.toml"), text).unwrap();
    up.signal("HUP");
    let new = || up.log().get(before..).unwrap_or_default().to_owned();
    until("the settings are read anew", || new().contains("the settings were read anew"));
    new()
}
