//! Which clip a number stands for.

use super::LoaderConfig;
use crate::clips::order::EpochOrders;
use crate::{ClipDataset, ClipRequest, Draw};

/// The clips of one process, numbered through the whole training: its part of the first batch, then of the second, and so on.
pub(super) struct Numbering {
    seed: u64,
    /// Clips in a batch, over all processes.
    batch_size: u64,
    batches_per_epoch: u64,
    clips_per_video: usize,
    orders: EpochOrders,
    /// Rank of the process.
    rank: u64,
    /// Clips of this process in a batch.
    clips: u64,
}

impl Numbering {
    /// A batch must not be larger than an epoch, and its size a multiple of the number of processes.
    pub(super) fn new(dataset: &dyn ClipDataset, config: &LoaderConfig) -> Self {
        let (rank, processes) = config.part;
        Self {
            seed: config.seed,
            batch_size: config.batch_size as u64,
            batches_per_epoch: (dataset.clips_per_epoch() / config.batch_size) as u64,
            clips_per_video: dataset.clips_per_video(),
            orders: EpochOrders::default(),
            rank: rank as u64,
            clips: (config.batch_size / processes) as u64,
        }
    }

    /// Clips of this process in a batch.
    pub(super) fn clips(&self) -> usize {
        self.clips as usize
    }

    /// Place of the first of them in a batch.
    pub(super) fn first(&self) -> usize {
        (self.rank * self.clips) as usize
    }

    /// The number of a clip over all processes.
    pub(super) fn global(&self, number: u64) -> u64 {
        number / self.clips * self.batch_size + self.rank * self.clips + number % self.clips
    }

    /// What a number stands for.
    pub(super) fn request(&self, dataset: &dyn ClipDataset, number: u64) -> ClipRequest {
        let number = self.global(number);
        let (batch, place) = (number / self.batch_size, number % self.batch_size);
        let (epoch, batch) = (batch / self.batches_per_epoch, batch % self.batches_per_epoch);
        let slot = (batch * self.batch_size + place) as usize;
        let clips = self.clips_per_video;
        let video = self.orders.video(epoch, slot / clips, |epoch| dataset.order(self.seed, epoch));
        ClipRequest { seed: self.seed, epoch, slot, video, clip: slot % clips, clips, draw: Draw::Random }
    }
}
