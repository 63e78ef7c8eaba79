//! A private Postfix, made of the lines of docs/postfix.md: in front of Kakitome and behind it.

use std::path::Path;

use anyhow::anyhow;
pub(crate) use kakitome_testkit::Postfix;
use kakitome_testkit::block;

/// The ports around it.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) submission: u16,
    pub(crate) filter: u16,
    pub(crate) reinject: u16,
    pub(crate) world: u16,
}

/// `page` is docs/postfix.md, `house` a folder of its own; with more lines of main.cf and more services in master.cf.
pub(crate) fn start(page: &str, house: &Path, ports: &Ports, main: &str, services: &str) -> anyhow::Result<Postfix> {
    let fitted = |name: &str| {
        block(page, name)
            .replace("10024", &ports.filter.to_string())
            .replace("10026", &ports.reinject.to_string())
            .replace("example.com", "example.test")
    };
    // It tries again at once, and gives up waiting for Kakitome early: the run shall be short.
    let main = format!(
        "relayhost = [127.0.0.1]:{}\nnotify_classes =\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n\
         queue_run_delay = 1s\nlmtp_data_done_timeout = 3s\n{}{main}",
        ports.world,
        fitted("main.cf")
    );
    let services = format!(
        "127.0.0.1:{} inet n - n - - smtpd\n{}{}{services}",
        ports.submission,
        fitted("master.cf submission"),
        fitted("master.cf services")
    );
    Postfix::start(house, &main, &services, &[ports.submission, ports.reinject]).map_err(|error| anyhow!(error))
}

/// The two services of received mail: port 25 and the way back, as lines of master.cf.
pub(crate) fn received(page: &str, smtp: u16, filter: u16, back: u16) -> String {
    let fitted = |name: &str| {
        block(page, name)
            .replace("10025", &filter.to_string())
            .replace("10027", &back.to_string())
            .replace("example.com", "example.test")
    };
    let (line, services) = (fitted("master.cf inbound"), fitted("master.cf inbound services"));
    format!("127.0.0.1:{smtp} inet n - n - - smtpd\n{line}{services}")
}
