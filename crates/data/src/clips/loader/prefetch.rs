//! Clips that are decoded ahead.
//!
//! The workers find out which videos the next numbers stand for. Then each takes the longest work of the next batch and, with it, all
//! others of the same video that will be wanted soon; it reads their clips in one pass and puts them into the buffer, from which the
//! trainer's thread takes clips in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prevision_core::Clip;

use super::LoaderConfig;
use super::numbering::Numbering;
use crate::{ClipDataset, DataError, Found};

/// Clips that one worker reads in one pass at most, so that the others are not kept waiting.
const MAX_TOGETHER: u64 = 32;
/// Clips that are looked ahead at most, or two batches if that is more.
const MAX_AHEAD: usize = 256;
/// Time for which a worker looks ahead, beyond the next batch, before it reads: files that are opened for the first time can take long.
const LOOK_AHEAD: Duration = Duration::from_millis(200);

/// What a worker does next.
enum Job {
    /// Find the video of a clip.
    Find(u64),
    /// Read clips of one video.
    Read(Vec<u64>),
}

/// What the threads of a loader have in common.
pub(super) struct Prefetch {
    dataset: Arc<dyn ClipDataset>,
    numbering: Numbering,
    workers: usize,
    /// Clips that may be in the buffer or in the making. A clip is begun when it is among the first half of them, so that there are
    /// others to be read together with it.
    ahead: u64,
    /// No clip from this number on is wanted.
    end: u64,
    buffer: Mutex<Buffer>,
    /// A clip was put into the buffer.
    filled: Condvar,
    /// A clip was taken out of the buffer, a video was found, or the loader ends.
    taken: Condvar,
}

struct Buffer {
    /// The next clip whose video is to be found.
    unknown: u64,
    /// The clips that no worker has begun.
    open: BTreeMap<u64, Found>,
    /// The next clip to be taken by the trainer.
    wanted: u64,
    clips: BTreeMap<u64, Result<Clip, DataError>>,
    end: bool,
}

impl Prefetch {
    pub(super) fn new(dataset: Arc<dyn ClipDataset>, numbering: Numbering, config: &LoaderConfig, start: u64) -> Self {
        let clips = numbering.clips();
        let first = start * clips as u64;
        let ahead = (config.prefetch_bytes / dataset.spaces().clip_bytes().max(1)).min(MAX_AHEAD.max(2 * clips));
        Self {
            workers: config.workers,
            ahead: ahead.max(2 * config.workers) as u64,
            end: config.last_batch.map_or(u64::MAX, |last| last.saturating_add(1).saturating_mul(clips as u64)),
            dataset,
            numbering,
            buffer: Mutex::new(Buffer {
                unknown: first,
                open: BTreeMap::new(),
                wanted: first,
                clips: BTreeMap::new(),
                end: false,
            }),
            filled: Condvar::new(),
            taken: Condvar::new(),
        }
    }

    /// The life of a worker.
    pub(super) fn work(&self) {
        let mut looked = Duration::ZERO;
        while let Some(job) = self.begin(looked < LOOK_AHEAD) {
            match job {
                Job::Find(number) => {
                    let start = Instant::now();
                    let found = self.find(number);
                    looked += start.elapsed();
                    self.lock().open.insert(number, found);
                    self.taken.notify_all();
                }
                Job::Read(numbers) => {
                    let clips = self.read(&numbers);
                    looked = Duration::ZERO;
                    self.lock().clips.extend(numbers.into_iter().zip(clips));
                    self.filled.notify_all();
                }
            }
        }
    }

    /// Lets the workers end.
    pub(super) fn end(&self) {
        self.lock().end = true;
        self.taken.notify_all();
    }

    /// Waits for something to do; `None` when the loader ends. Beyond the batch that can be read it looks only if `look_ahead`.
    fn begin(&self, look_ahead: bool) -> Option<Job> {
        let mut buffer = self.lock();
        let batch = self.numbering.clips() as u64;
        loop {
            if buffer.end {
                return None;
            }
            let soon = buffer.wanted + self.ahead.div_ceil(2);
            let first = buffer.open.first_key_value().map(|(&first, _)| first).filter(|&first| first < soon);
            let end = first.map_or(0, |first| (first / batch + 1).saturating_mul(batch).min(soon));
            let look = look_ahead || first.is_none() || buffer.unknown < end;
            if look && buffer.unknown < buffer.wanted.saturating_add(self.ahead).min(self.end) {
                buffer.unknown += 1;
                return Some(Job::Find(buffer.unknown - 1));
            }
            let of_batch = buffer.open.range(..end).rev();
            if let Some((_, &Found { video, .. })) = of_batch.max_by_key(|(_, found)| found.work) {
                // Some work is left to the other workers.
                let share = self.ahead.div_ceil(self.workers.max(1) as u64).min(MAX_TOGETHER) as usize;
                let same = buffer.open.iter().filter(|(_, other)| other.video == video);
                let numbers: Vec<u64> = same.map(|(&number, _)| number).take(share).collect();
                for number in &numbers {
                    buffer.open.remove(number);
                }
                return Some(Job::Read(numbers));
            }
            buffer = self.taken.wait(buffer).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What is known of a clip.
    fn find(&self, number: u64) -> Found {
        let dataset = self.dataset.as_ref();
        let found = catch_unwind(AssertUnwindSafe(|| dataset.find(&self.numbering.request(dataset, number))));
        // A panic comes again, and is named, when the clip is read.
        found.unwrap_or_default()
    }

    /// Waits for a clip and takes it out of the buffer.
    pub(super) fn take(&self, number: u64) -> Result<Clip, DataError> {
        let mut buffer = self.lock();
        loop {
            if let Some(clip) = buffer.clips.remove(&number) {
                buffer.wanted = number + 1;
                drop(buffer);
                self.taken.notify_all();
                return clip;
            }
            buffer = self.filled.wait(buffer).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The clips that some numbers stand for.
    pub(super) fn read(&self, numbers: &[u64]) -> Vec<Result<Clip, DataError>> {
        let read = catch_unwind(AssertUnwindSafe(|| {
            let requests: Vec<_> =
                numbers.iter().map(|&number| self.numbering.request(self.dataset.as_ref(), number)).collect();
            self.dataset.clips(&requests)
        }));
        match (read, numbers) {
            (Ok(clips), _) => clips,
            (Err(panic), &[number]) => {
                let (clip, message) = (self.numbering.global(number), panic_message(panic.as_ref()));
                vec![Err(DataError::Worker { clip, message })]
            }
            // One by one, to find out which.
            (Err(_), _) => numbers.iter().flat_map(|&number| self.read(&[number])).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
