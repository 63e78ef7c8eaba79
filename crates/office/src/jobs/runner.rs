//! The thread that does what is due.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kakitome_pki::asn1::time::Time;

use super::{Jobs, Work};

/// How often it looks whether something is due.
pub const LOOK: Duration = Duration::from_secs(10);

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// A thread that does what is due, until it is stopped.
#[derive(Debug)]
pub struct Runner {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    asked: Mutex<bool>,
    told: Condvar,
}

impl Runner {
    /// Starts it.
    ///
    /// # Errors
    /// The machine starts no more threads.
    pub fn start(jobs: Arc<Jobs>, works: Vec<Box<dyn Work>>, clock: Clock) -> std::io::Result<Self> {
        let stop = Arc::<Stop>::default();
        let stopping = Arc::clone(&stop);
        let thread = thread::Builder::new().name("jobs".to_owned()).spawn(move || {
            loop {
                // The store may be away for a while; the jobs are there when it is back.
                if let Err(fault) = jobs.run_due(&works, &*clock) {
                    tracing::error!(%fault, "jobs could not be done");
                }
                if stopping.waited(LOOK) {
                    break;
                }
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Asks it to stop after the job that it is at, and does not wait for that: whatever it leaves is taken up at the next
    /// start, or by another node.
    pub fn stop(&self) {
        *self.stop.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.told.notify_all();
    }

    /// Waits for its end.
    pub fn join(mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Stop {
    /// Waits; true if it was asked to stop.
    fn waited(&self, time: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, _) =
            self.told.wait_timeout_while(asked, time, |asked| !*asked).unwrap_or_else(PoisonError::into_inner);
        *asked
    }
}
