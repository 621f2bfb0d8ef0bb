//! The loader: batches in a fixed order, decoded ahead by worker threads.
//!
//! Clips are numbered through the whole training: number `n` belongs to batch `n / batch_size`. What clip a number stands for depends
//! on the seed alone, so a batch is the same whatever the number of workers, and wherever a run was resumed. Of several processes
//! that train together each has a part of every batch; the parts of all of them are the batch that one process alone would have.

mod numbering;
mod prefetch;

use std::sync::Arc;
use std::thread::JoinHandle;

use prevision_core::HostBatch;
use prevision_core::config::check::{message, multiple_of};

use crate::{ClipDataset, DataConfig, DataError};
use numbering::Numbering;
use prefetch::Prefetch;

/// How batches are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Clips in a batch, over all processes.
    pub batch_size: usize,
    /// Threads that decode; 0 decodes in the thread that asks for a batch.
    pub workers: usize,
    /// Bytes of frames that may wait or be in the making, beside the batch that is being filled. Each worker has at least one
    /// clip in hand, whatever its size.
    pub prefetch_bytes: usize,
    /// Seed of the order and of all clips.
    pub seed: u64,
    /// Number of the last batch that will be asked for, if that is known: nothing beyond it is decoded.
    pub last_batch: Option<u64>,
    /// Rank of this process, and number of processes: it reads the `rank`-th of as many equal parts of every batch. One process
    /// alone is (0, 1).
    pub part: (usize, usize),
}

impl LoaderConfig {
    /// The loader that a `data` section describes, for one process alone.
    pub fn new(config: &DataConfig, seed: u64) -> Self {
        Self {
            batch_size: config.batch_size,
            workers: config.workers,
            prefetch_bytes: config.prefetch_mb << 20,
            seed,
            last_batch: None,
            part: (0, 1),
        }
    }

    fn validate(&self, dataset: &dyn ClipDataset) -> Result<(), String> {
        let clips = dataset.clips_per_epoch();
        if self.batch_size == 0 || self.batch_size > clips {
            let allowed = format!(
                "between 1 and {clips}: the data set has {} videos and data.clips_per_video is {}",
                dataset.videos(),
                dataset.clips_per_video()
            );
            return Err(message("data.batch_size", self.batch_size, allowed));
        }
        let (rank, size) = self.part;
        if rank >= size {
            return Err(message(
                "the rank of this process",
                rank,
                format_args!("below the number of processes ({size})"),
            ));
        }
        multiple_of("data.batch_size", self.batch_size, "the number of processes", size)
    }
}

/// Endless batches of random clips. Dropping it stops its threads.
pub struct Loader {
    prefetch: Arc<Prefetch>,
    workers: Vec<JoinHandle<()>>,
    batch: u64,
    last_batch: Option<u64>,
    /// Place of the first clip of this process in each batch, and number of its clips.
    part: (usize, usize),
    failed: bool,
}

impl Loader {
    /// Starts at global batch number `start`, as if all batches before it had been taken.
    ///
    /// # Errors
    /// If a batch is larger than the data set or cannot be divided among the processes, or a thread cannot be started.
    pub fn new(dataset: Arc<dyn ClipDataset>, config: &LoaderConfig, start: u64) -> Result<Self, DataError> {
        config.validate(dataset.as_ref()).map_err(DataError::Config)?;
        let numbering = Numbering::new(dataset.as_ref(), config);
        let part = (numbering.first(), numbering.clips());
        let prefetch = Arc::new(Prefetch::new(dataset, numbering, config, start));
        let mut loader =
            Self { prefetch, workers: vec![], batch: start, last_batch: config.last_batch, part, failed: false };
        for worker in 0..config.workers {
            let prefetch = Arc::clone(&loader.prefetch);
            let thread = std::thread::Builder::new().name(format!("loader-{worker}")).spawn(move || prefetch.work());
            loader.workers.push(thread.map_err(|error| DataError::io("a loader thread", error))?);
        }
        Ok(loader)
    }

    /// The next batch, or this process's part of it; after the last batch of an epoch comes the first of the next one. The clips
    /// that do not fill a batch at the end of an epoch are left out, others in each epoch.
    ///
    /// # Errors
    /// If too many videos are broken, or a worker panicked. The loader has stopped then.
    ///
    /// # Panics
    /// After [`LoaderConfig::last_batch`].
    pub fn next_batch(&mut self) -> Result<HostBatch, DataError> {
        if self.failed {
            return Err(DataError::Stopped);
        }
        let last = self.last_batch;
        assert!(last.is_none_or(|last| self.batch <= last), "batch {} was asked for, the last is {last:?}", self.batch);
        let (first, clips) = self.part;
        let numbers = self.batch * clips as u64..(self.batch + 1) * clips as u64;
        let clips: Result<Vec<_>, _> = if self.workers.is_empty() {
            self.prefetch.read(&numbers.collect::<Vec<_>>()).into_iter().collect()
        } else {
            numbers.map(|number| self.prefetch.take(number)).collect()
        };
        match clips {
            Ok(clips) => {
                let number = self.batch;
                self.batch += 1;
                Ok(HostBatch { clips, number, first })
            }
            Err(error) => {
                self.failed = true;
                self.stop();
                Err(error)
            }
        }
    }

    fn stop(&mut self) {
        self.prefetch.end();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its clips; there is nothing else in it that could fail.
            let _ = worker.join();
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.stop();
    }
}
