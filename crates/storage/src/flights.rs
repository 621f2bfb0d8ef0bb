//! Blocks that are on their way: no block is fetched by two threads at a time.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static FLIGHTS: Mutex<BTreeSet<(String, u64)>> = Mutex::new(BTreeSet::new());
static LANDED: Condvar = Condvar::new();

/// The right to fetch some blocks of one object; given up when it is dropped.
pub(crate) struct Claim<'a> {
    key: &'a str,
    first: u64,
    count: u64,
}

impl<'a> Claim<'a> {
    /// Claims up to `count` blocks from `first` on, as far as `free` says of each but the first, and nobody else is fetching
    /// them. `None` if somebody is fetching the first.
    pub(crate) fn new(key: &'a str, first: u64, count: u64, free: impl Fn(u64) -> bool) -> Option<Self> {
        let mut flights = lock();
        let is_free =
            |number: &u64| (*number == first || free(*number)) && !flights.contains(&(key.to_owned(), *number));
        let count = (first..first + count).take_while(is_free).count() as u64;
        if count == 0 {
            return None;
        }
        flights.extend((first..first + count).map(|number| (key.to_owned(), number)));
        Some(Self { key, first, count })
    }

    /// Number of blocks.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut flights = lock();
        for number in self.first..self.first + self.count {
            flights.remove(&(self.key.to_owned(), number));
        }
        drop(flights);
        LANDED.notify_all();
    }
}

/// Waits until some block has landed, or a moment has passed.
pub(crate) fn wait_for_landing() {
    // Whoever waits looks again in any case.
    drop(LANDED.wait_timeout(lock(), Duration::from_millis(20)));
}

fn lock() -> MutexGuard<'static, BTreeSet<(String, u64)>> {
    FLIGHTS.lock().unwrap_or_else(PoisonError::into_inner)
}
