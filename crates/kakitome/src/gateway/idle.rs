//! Connections to the next hop that a mail has left: the next mail goes on them. To connect costs the next hop a process
//! and a look into the DNS, which is more than a small mail does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::client::Connection;

/// How long a connection waits for another mail. Longer would hold a process of the next hop that others wait for.
pub const IDLE_TIME: Duration = Duration::from_secs(2);
/// A connection carries so many mails; some servers take no more.
pub const MAILS_EACH: u32 = 100;
/// So many wait at once.
const PLACES: usize = 64;

/// The connections that wait.
#[derive(Clone, Debug, Default)]
pub struct Idle(Arc<Mutex<Waiting>>);

/// Those that wait, and since when: the oldest first.
type Waiting = VecDeque<(Instant, Connection)>;

/// The one that has waited for too long.
fn oldest(places: &Mutex<Waiting>) -> Option<Connection> {
    let mut waiting = places.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.pop_front_if(|(left, _)| left.elapsed() >= IDLE_TIME).map(|(_, connection)| connection)
}

impl Idle {
    /// The connection that was left last.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, connection) = waiting.pop_back()?;
        (left.elapsed() < IDLE_TIME).then_some(connection)
    }

    /// Leaves a connection for the next mail; gives it back where there is no place.
    pub(super) fn leave(&self, connection: Connection) -> Option<Connection> {
        {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= PLACES {
                return Some(connection);
            }
            waiting.push_back((Instant::now(), connection));
        }
        let places = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            sleep(IDLE_TIME).await;
            let Some(places) = places.upgrade() else { return };
            while let Some(connection) = oldest(&places) {
                connection.goodbye().await;
            }
        });
        None
    }
}
