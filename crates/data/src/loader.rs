//! The loader: batches in a fixed order, decoded ahead by worker threads.
//!
//! Clips are numbered through the whole training: number `n` belongs to batch `n / batch_size`. The workers find out which videos
//! the next numbers stand for. Then each takes the longest work of the next batch and, with it, all others of the same video that will
//! be wanted soon; it draws their clips in one pass and lays them on a shelf, from which the trainer's thread takes clips in order. What clip
//! a number stands for depends on the seed alone, so neither the number of workers nor the place where a run was resumed changes a
//! batch.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::order::EpochOrders;
use crate::{Clip, ClipDataset, ClipRequest, DataConfig, DataError, Draw, Found, HostBatch};

/// Clips that one worker draws in one pass at most, so that the others are not kept waiting.
const MAX_TOGETHER: u64 = 32;
/// Clips that are looked ahead at most, or two batches if that is more: their files have to be opened before the first batch.
const MAX_AHEAD: usize = 256;

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
    /// Number of the last batch that will be asked for, if that is known: nothing beyond it is decoded.
    pub last_batch: Option<u64>,
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
            last_batch: None,
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

/// What a worker does next.
enum Task {
    /// Find the video of a clip.
    Find(u64),
    /// Draw clips of one video.
    Draw(Vec<u64>),
}

/// What the threads have in common.
struct Shared {
    dataset: Arc<dyn ClipDataset>,
    orders: EpochOrders,
    config: LoaderConfig,
    batches_per_epoch: u64,
    /// Clips that may be on the shelf or in the making. A clip is begun when it is among the first half of them, so that there are
    /// others to be drawn together with it.
    ahead: u64,
    /// No clip from this number on is wanted.
    end: u64,
    shelf: Mutex<Shelf>,
    /// A clip was laid on the shelf.
    filled: Condvar,
    /// A clip was taken from the shelf, a video was found, or the loader ends.
    taken: Condvar,
}

struct Shelf {
    /// The next clip whose video is to be found.
    unknown: u64,
    /// The clips that no worker has begun.
    open: BTreeMap<u64, Found>,
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
        let ahead = (config.prefetch_bytes / dataset.shape().bytes().max(1)).min(MAX_AHEAD.max(2 * config.batch_size));
        let shared = Arc::new(Shared {
            orders: EpochOrders::new(config.seed, dataset.videos(), config.shuffle),
            batches_per_epoch: (clips / config.batch_size) as u64,
            ahead: ahead.max(2 * config.workers) as u64,
            dataset,
            config: config.clone(),
            end: config
                .last_batch
                .map_or(u64::MAX, |last| last.saturating_add(1).saturating_mul(config.batch_size as u64)),
            shelf: Mutex::new(Shelf {
                unknown: first,
                open: BTreeMap::new(),
                wanted: first,
                clips: BTreeMap::new(),
                end: false,
            }),
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
    ///
    /// # Panics
    /// After [`LoaderConfig::last_batch`].
    pub fn next_batch(&mut self) -> Result<HostBatch, DataError> {
        if self.failed {
            return Err(DataError::Stopped);
        }
        let last = self.shared.config.last_batch;
        assert!(last.is_none_or(|last| self.batch <= last), "batch {} was asked for, the last is {last:?}", self.batch);
        let size = self.shared.config.batch_size as u64;
        let numbers = self.batch * size..(self.batch + 1) * size;
        let clips: Result<Vec<_>, _> = if self.workers.is_empty() {
            self.shared.draw(&numbers.collect::<Vec<_>>()).into_iter().collect()
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
        while let Some(task) = self.begin() {
            match task {
                Task::Find(number) => {
                    let found = self.find(number);
                    self.lock().open.insert(number, found);
                    self.taken.notify_all();
                }
                Task::Draw(numbers) => {
                    let clips = self.draw(&numbers);
                    self.lock().clips.extend(numbers.into_iter().zip(clips));
                    self.filled.notify_all();
                }
            }
        }
    }

    /// Waits for something to do; `None` when the loader ends.
    fn begin(&self) -> Option<Task> {
        let mut shelf = self.lock();
        loop {
            if shelf.end {
                return None;
            }
            if shelf.unknown < shelf.wanted.saturating_add(self.ahead).min(self.end) {
                shelf.unknown += 1;
                return Some(Task::Find(shelf.unknown - 1));
            }
            let soon = shelf.wanted + self.ahead.div_ceil(2);
            let batch = self.config.batch_size as u64;
            let end = shelf.open.first_key_value().map_or(0, |(first, _)| (first / batch + 1) * batch).min(soon);
            let of_batch = shelf.open.range(..end).rev();
            if let Some((_, &Found { video, .. })) = of_batch.max_by_key(|(_, found)| found.work) {
                // The other workers shall find work, too.
                let share = self.ahead.div_ceil(self.config.workers.max(1) as u64).min(MAX_TOGETHER) as usize;
                let same = shelf.open.iter().filter(|(_, other)| other.video == video);
                let numbers: Vec<u64> = same.map(|(&number, _)| number).take(share).collect();
                for number in &numbers {
                    shelf.open.remove(number);
                }
                return Some(Task::Draw(numbers));
            }
            shelf = self.taken.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What is known of a clip.
    fn find(&self, number: u64) -> Found {
        let request = self.request(number);
        let found = catch_unwind(AssertUnwindSafe(|| self.dataset.find(&request)));
        // A panic will be met again, and named, when the clip is drawn.
        found.unwrap_or(Found { video: request.video, work: 0 })
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

    /// What a number stands for.
    fn request(&self, number: u64) -> ClipRequest {
        let size = self.config.batch_size as u64;
        let (batch, place) = (number / size, number % size);
        let (epoch, batch) = (batch / self.batches_per_epoch, batch % self.batches_per_epoch);
        let slot = (batch * size + place) as usize;
        let per_video = self.dataset.clips_per_video();
        let video = self.orders.video(epoch, slot / per_video);
        ClipRequest { seed: self.config.seed, epoch, slot, video, clip: slot % per_video, draw: Draw::Random }
    }

    /// The clips that some numbers stand for.
    fn draw(&self, numbers: &[u64]) -> Vec<Result<Clip, DataError>> {
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            let requests: Vec<_> = numbers.iter().map(|&number| self.request(number)).collect();
            self.dataset.clips(&requests)
        }));
        match (drawn, numbers) {
            (Ok(clips), _) => clips,
            (Err(panic), &[number]) => {
                vec![Err(DataError::Worker { clip: number, message: panic_message(panic.as_ref()) })]
            }
            // One by one, to find out which.
            (Err(_), _) => numbers.iter().flat_map(|&number| self.draw(&[number])).collect(),
        }
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
