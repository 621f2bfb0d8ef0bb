//! Decoders kept open between two clips of one video.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many decoders stay open while nobody uses them. An open decoder of a large video holds tens of megabytes.
const KEPT: usize = 8;

/// Idle decoders by key, the least recently used first. Whoever needs one takes it out, so no two threads share one; a decoder
/// that failed is not given back.
pub(crate) struct Decoders<K, V> {
    idle: Mutex<VecDeque<(K, V)>>,
}

impl<K: PartialEq, V> Decoders<K, V> {
    pub(crate) fn new() -> Self {
        Self { idle: Mutex::default() }
    }

    pub(crate) fn take(&self, key: &K) -> Option<V> {
        let mut idle = self.lock();
        let place = idle.iter().position(|(kept, _)| kept == key)?;
        idle.remove(place).map(|(_, decoder)| decoder)
    }

    pub(crate) fn give_back(&self, key: K, decoder: V) {
        let mut idle = self.lock();
        idle.push_back((key, decoder));
        let oldest = if idle.len() > KEPT { idle.pop_front() } else { None };
        // Closing a decoder takes a while: not under the lock.
        drop(idle);
        drop(oldest);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(K, V)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_and_least_recently_used_goes_first() {
        let decoders = Decoders::new();
        for key in 0..KEPT {
            decoders.give_back(key, key * 10);
        }
        assert_eq!(decoders.take(&0), Some(0));
        assert_eq!(decoders.take(&0), None, "it is out");
        decoders.give_back(0, 0);
        decoders.give_back(100, 1000);
        assert_eq!(decoders.take(&1), None, "the oldest was closed");
        assert_eq!((decoders.take(&0), decoders.take(&100)), (Some(0), Some(1000)));
    }
}
