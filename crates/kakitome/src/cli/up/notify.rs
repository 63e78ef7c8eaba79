//! Tells systemd how far we are (sd_notify(3)): one datagram to the socket that it names, and nothing where it names none.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Where systemd listens.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Every listener is open.
pub(super) fn ready() {
    say("READY=1");
}

/// The settings are read anew; [`ready`] ends it.
pub(super) fn reloading() {
    say("RELOADING=1");
}

/// Nothing new is taken.
pub(super) fn stopping() {
    say("STOPPING=1");
}

/// What systemd does not hear it finds out by waiting, so a failure is told and no more.
fn say(state: &str) {
    let Some(place) = env::var_os(SOCKET).filter(|place| !place.is_empty()) else { return };
    let address = match place.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&place),
    };
    let sent = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, "systemd cannot be told {state}");
    }
}
