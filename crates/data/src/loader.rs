//! The loader: batches in a fixed order, decoded ahead by worker threads.
//!
//! Clips are numbered through the whole training: number `n` belongs to batch `n / batch_size`. Workers take the next number,
//! draw its clip, and lay it on a shelf, from which the trainer's thread takes clips in order. What clip a number stands for
//! depends on the seed alone, so neither the number of workers nor the place where a run was resumed changes a batch.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::order::EpochOrders;
use crate::{Clip, ClipDataset, ClipRequest, DataConfig, DataError, Draw, HostBatch};

/// How batches are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Clips in a batch.
    pub batch_size: usize,
    /// Threads that decode; 0 decodes in the thread that asks for a batch.
    pub workers: usize,
    /// Bytes of frames that may wait or be in the making, beside the batch that is being filled. Each worker has at least one
    /// clip in hand, whatever its size.
    pub prefetch_bytes: usize,
    /// Seed of the order and of all clips.
    pub seed: u64,
    /// A new order of the videos in every epoch; otherwise always the data set's own.
    pub shuffle: bool,
}

impl LoaderConfig {
    /// The loader that a `data` section describes, shuffled.
    pub fn new(config: &DataConfig, seed: u64) -> Self {
        Self {
            batch_size: config.batch_size,
            workers: config.workers,
            prefetch_bytes: config.prefetch_mb << 20,
            seed,
            shuffle: true,
        }
    }
}

/// Endless batches of random clips. Dropping it stops its threads.
pub struct Loader {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    batch: u64,
    failed: bool,
}

/// What the threads have in common.
struct Shared {
    dataset: Arc<dyn ClipDataset>,
    orders: EpochOrders,
    config: LoaderConfig,
    batches_per_epoch: u64,
    /// Clips that may be on the shelf or in the making.
    ahead: u64,
    shelf: Mutex<Shelf>,
    /// A clip was laid on the shelf.
    filled: Condvar,
    /// A clip was taken from the shelf, or the loader ends.
    taken: Condvar,
}

struct Shelf {
    /// The next clip that no worker has begun.
    next: u64,
    /// The next clip to be taken by the trainer.
    wanted: u64,
    clips: BTreeMap<u64, Result<Clip, DataError>>,
    end: bool,
}

impl Loader {
    /// Starts at global batch number `start`, as if all batches before it had been taken.
    ///
    /// # Errors
    /// If a batch is larger than the data set, or a thread cannot be started.
    pub fn new(dataset: Arc<dyn ClipDataset>, config: &LoaderConfig, start: u64) -> Result<Self, DataError> {
        let clips = dataset.clips_per_epoch();
        if config.batch_size == 0 || config.batch_size > clips {
            return Err(DataError::Config(format!(
                "data.batch_size is {}, allowed are 1 to {clips}: the data set has {} videos and data.clips_per_video is {}",
                config.batch_size,
                dataset.videos(),
                dataset.clips_per_video()
            )));
        }
        let first = start * config.batch_size as u64;
        let shared = Arc::new(Shared {
            orders: EpochOrders::new(config.seed, dataset.videos(), config.shuffle),
            batches_per_epoch: (clips / config.batch_size) as u64,
            ahead: (config.prefetch_bytes / dataset.shape().bytes().max(1)).max(config.workers) as u64,
            dataset,
            config: config.clone(),
            shelf: Mutex::new(Shelf { next: first, wanted: first, clips: BTreeMap::new(), end: false }),
            filled: Condvar::new(),
            taken: Condvar::new(),
        });
        let mut loader = Self { shared, workers: vec![], batch: start, failed: false };
        for worker in 0..config.workers {
            let shared = Arc::clone(&loader.shared);
            let thread = std::thread::Builder::new().name(format!("loader-{worker}")).spawn(move || shared.work());
            loader.workers.push(thread.map_err(|error| DataError::io("a loader thread", error))?);
        }
        Ok(loader)
    }

    /// Batches in an epoch: the clips that do not fill one are left out, others in each epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        self.shared.batches_per_epoch
    }

    /// The global number of the batch that comes next.
    pub fn position(&self) -> u64 {
        self.batch
    }

    /// The next batch; after the last of an epoch comes the first of the next one.
    ///
    /// # Errors
    /// If too many videos are broken, or a worker panicked. The loader has stopped then.
    pub fn next_batch(&mut self) -> Result<HostBatch, DataError> {
        if self.failed {
            return Err(DataError::Stopped);
        }
        let size = self.shared.config.batch_size as u64;
        let numbers = self.batch * size..(self.batch + 1) * size;
        let clips: Result<Vec<_>, _> = if self.workers.is_empty() {
            numbers.map(|number| self.shared.draw(number)).collect()
        } else {
            numbers.map(|number| self.shared.take(number)).collect()
        };
        match clips {
            Ok(clips) => {
                let number = self.batch;
                self.batch += 1;
                Ok(HostBatch { clips, number })
            }
            Err(error) => {
                self.failed = true;
                self.stop();
                Err(error)
            }
        }
    }

    fn stop(&mut self) {
        self.shared.lock().end = true;
        self.shared.taken.notify_all();
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

impl Shared {
    fn work(&self) {
        loop {
            let mut shelf = self.lock();
            while !shelf.end && shelf.next - shelf.wanted >= self.ahead {
                shelf = self.taken.wait(shelf).unwrap_or_else(PoisonError::into_inner);
            }
            if shelf.end {
                return;
            }
            let number = shelf.next;
            shelf.next += 1;
            drop(shelf);
            let clip = self.draw(number);
            self.lock().clips.insert(number, clip);
            self.filled.notify_all();
        }
    }

    /// Waits for a clip and takes it from the shelf.
    fn take(&self, number: u64) -> Result<Clip, DataError> {
        let mut shelf = self.lock();
        loop {
            if let Some(clip) = shelf.clips.remove(&number) {
                shelf.wanted = number + 1;
                drop(shelf);
                self.taken.notify_all();
                return clip;
            }
            shelf = self.filled.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The clip that a number stands for.
    fn draw(&self, number: u64) -> Result<Clip, DataError> {
        let size = self.config.batch_size as u64;
        let (batch, place) = (number / size, number % size);
        let (epoch, batch) = (batch / self.batches_per_epoch, batch % self.batches_per_epoch);
        let slot = (batch * size + place) as usize;
        let per_video = self.dataset.clips_per_video();
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            let video = self.orders.video(epoch, slot / per_video);
            let request =
                ClipRequest { seed: self.config.seed, epoch, slot, video, clip: slot % per_video, draw: Draw::Random };
            self.dataset.clip(&request)
        }));
        drawn.unwrap_or_else(|panic| Err(DataError::Worker { clip: number, message: panic_message(panic.as_ref()) }))
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// Walks a data set once, in its own order, without chance: the uniformly spaced clips of every video, the last batch short if
/// they do not fill it. Videos that cannot be used are left out; [`ClipDataset::skipped`] names them.
///
/// # Errors
/// Each batch, if too many videos are broken.
///
/// # Panics
/// If `batch_size` is 0.
pub fn in_order(dataset: &dyn ClipDataset, batch_size: usize) -> impl Iterator<Item = Result<HostBatch, DataError>> {
    assert!(batch_size > 0, "a batch of 0 clips");
    let per_video = dataset.clips_per_video();
    let mut slots = 0..dataset.clips_per_epoch();
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut clips = vec![];
        for slot in slots.by_ref() {
            let request = ClipRequest {
                seed: 0,
                epoch: 0,
                slot,
                video: slot / per_video,
                clip: slot % per_video,
                draw: Draw::Uniform,
            };
            match dataset.clip(&request) {
                Ok(clip) => clips.push(clip),
                Err(DataError::Skipped(_)) => {}
                Err(error) => {
                    slots = 0..0;
                    return Some(Err(error));
                }
            }
            if clips.len() == batch_size {
                break;
            }
        }
        number += 1;
        (!clips.is_empty()).then(|| Ok(HostBatch { clips, number: number - 1 }))
    })
}
