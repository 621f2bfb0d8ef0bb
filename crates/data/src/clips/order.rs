//! In which order videos are taken.

use std::sync::{Arc, Mutex, PoisonError};

use prevision_core::seed;
use rand::seq::SliceRandom;

/// All videos in the random order of this (seed, purpose, epoch, index).
pub(crate) fn permutation(seed: u64, purpose: &str, epoch: u64, index: u64, videos: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..videos).collect();
    order.shuffle(&mut seed::rng(seed, purpose, epoch, index));
    order
}

/// The order of the current epochs, shared by the loader's threads. Two are kept: around the end of an epoch some threads
/// are already in the next one.
#[derive(Default)]
pub(crate) struct EpochOrders {
    recent: Mutex<Vec<(u64, Arc<Vec<usize>>)>>,
}

impl EpochOrders {
    /// The video at a place of an epoch, of which `order` gives the order.
    pub(crate) fn video(&self, epoch: u64, place: usize, order: impl Fn(u64) -> Vec<usize>) -> usize {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, order)) = recent.iter().find(|(kept, _)| *kept == epoch) {
            return order[place];
        }
        let order = Arc::new(order(epoch));
        recent.truncate(1);
        recent.insert(0, (epoch, Arc::clone(&order)));
        order[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_epoch_visits_every_video_once_in_its_own_order() {
        let orders = EpochOrders::default();
        let order = |epoch| permutation(5, "order", epoch, 0, 40);
        let epoch = |epoch| (0..40).map(|place| orders.video(epoch, place, order)).collect::<Vec<_>>();
        let (first, second) = (epoch(0), epoch(1));
        assert_ne!(first, second);
        assert_eq!(first, epoch(0), "asked again after another epoch");
        for mut order in [first, second, epoch(17)] {
            order.sort_unstable();
            assert_eq!(order, (0..40).collect::<Vec<_>>());
        }
    }
}
