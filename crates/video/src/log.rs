//! What decoders complain of in FFmpeg's log: the only sign of some damage.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The counts of all decoders that are listened to, by their addresses.
static COUNTS: Mutex<BTreeMap<usize, Arc<AtomicUsize>>> = Mutex::new(BTreeMap::new());

/// How many errors one decoder has logged.
pub(crate) struct Complaints(Arc<AtomicUsize>);

impl Default for Complaints {
    fn default() -> Self {
        let count = Arc::default();
        let complaints = Self(Arc::clone(&count));
        COUNTS.lock().unwrap_or_else(PoisonError::into_inner).insert(complaints.address(), count);
        complaints
    }
}

impl Complaints {
    /// What the decoder is to have as its own, to be known by.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Complaints {
    fn drop(&mut self) {
        COUNTS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.address());
    }
}

/// The decoder that is known by this address has logged an error.
pub(crate) fn complain(address: usize) {
    if let Some(count) = COUNTS.lock().unwrap_or_else(PoisonError::into_inner).get(&address) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}
