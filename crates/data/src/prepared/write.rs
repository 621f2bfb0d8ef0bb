//! Preparing a data set, in parallel and so that it can be gone on with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use prevision_storage::whole_file;

use super::encode::{is_intact, prepare_video};
use super::format::{Encoding, Entry, PreparedSet, PreparedSummary, SUMMARY, read_record, write_record};
use super::plan::{Job, PLAN, PreparePlan, Signature, begin, estimate, survey};
use crate::{DataError, SkipReason, SkippedFile};

const PROGRESS: &str = "progress";

/// What to prepare and how.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareOptions {
    /// A folder of videos, a manifest, or one video.
    pub source: PathBuf,
    /// The folder to write: new, empty, or begun by the same work.
    pub out: PathBuf,
    /// How the videos are stored.
    pub encoding: Encoding,
    /// The shorter side of every video, pixels; it is rounded up to an even number.
    pub short_side: usize,
    /// With H.264 the rate factor, 0 to 51; with MJPEG the quantiser, 2 to 31. Smaller is better.
    pub quality: u8,
    /// With H.264 the frames from one key frame to the next.
    pub keyframe_interval: usize,
    /// Threads.
    pub workers: usize,
    /// Longest time for opening or reading a piece of a video, seconds.
    pub read_timeout: f64,
}

/// How far preparing is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PrepareProgress<'a> {
    /// Looking into the sources: done, of all.
    Surveyed(usize, usize),
    /// What is going to be written. The answer says whether to go on.
    Planned(&'a PreparePlan),
    /// Videos written: done, of all.
    Written(usize, usize),
    /// Videos read back and compared with their checksums: done, of all.
    Verified(usize, usize),
}

/// Makes a training-ready copy of a data set: every video scaled once, upright, with square pixels, in an encoding that is quick
/// to read at any place. Videos that are done are kept when the same work is begun again, and everything is read back and
/// compared with its checksum before it counts as finished; on a finished folder that is all that happens, and what turns out
/// damaged is made anew.
///
/// `report` is called from several threads; what it answers to [`PrepareProgress::Planned`] decides whether anything is written.
///
/// # Errors
/// If the folder cannot be used, the disk is too small, or no source can be read.
pub fn prepare(
    options: &PrepareOptions,
    report: &(dyn Fn(PrepareProgress<'_>) -> bool + Sync),
) -> Result<Option<PreparedSummary>, DataError> {
    check(options)?;
    let sources = begin(options)?;
    let signature = Signature::new(options, &sources)?;
    let out = &options.out;
    let made_now = !out.exists();
    fs::create_dir_all(out).map_err(|error| DataError::io(out, error))?;
    let refused = |result| {
        if made_now {
            // Only if it is still empty.
            let _ = fs::remove_dir(out);
        }
        result
    };
    let surveyed = survey(options, sources, &|done, all| {
        report(PrepareProgress::Surveyed(done, all));
    });
    let work = match surveyed {
        Ok(work) => work,
        Err(error) => return refused(Err(error)),
    };
    let done = already_done(out, &work.jobs);
    if done.iter().any(Option::is_none) {
        let plan = estimate(options, &work)?;
        let there: u64 = done.iter().flatten().map(|entry| entry.bytes).sum();
        let missing = plan.bytes.saturating_sub(there);
        if missing > plan.free_bytes {
            return refused(Err(DataError::Empty {
                path: out.clone(),
                message: format!("{missing} more bytes are needed, {} are free on its disk", plan.free_bytes),
            }));
        }
        if !report(PrepareProgress::Planned(&plan)) {
            return refused(Ok(None));
        }
    }
    let path = out.join(PLAN);
    let text = serde_json::to_vec(&signature).map_err(|error| DataError::format(&path, error.to_string()))?;
    whole_file::write(&path, &text).map_err(|error| DataError::io(&path, error))?;
    let progress = out.join(PROGRESS);
    fs::create_dir_all(&progress).map_err(|error| DataError::io(&progress, error))?;
    let (entries, unusable) = write_all(options, &work.jobs, done, report)?;
    let mut skipped = work.skipped;
    skipped.extend(unusable);
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    if entries.is_empty() {
        let message = format!("none of its videos can be read:{}", crate::ledger::lines(&skipped));
        return Err(DataError::Empty { path: options.source.clone(), message });
    }
    let summary = PreparedSet::finish(out, options.encoding, options.short_side, &entries, skipped)?;
    fs::remove_dir_all(&progress).map_err(|error| DataError::io(&progress, error))?;
    Ok(Some(summary))
}

fn check(options: &PrepareOptions) -> Result<(), DataError> {
    let wrong = |text: String| Err(DataError::Config(text));
    if !(16..=4096).contains(&options.short_side) {
        return wrong(format!("--short-side is {}, allowed are 16 to 4096", options.short_side));
    }
    let allowed = if options.encoding == Encoding::Mjpeg { 2..=31 } else { 0..=51 };
    if !allowed.contains(&options.quality) {
        return wrong(format!(
            "--quality is {}, allowed are {} to {}",
            options.quality,
            allowed.start(),
            allowed.end()
        ));
    }
    if !(1..=1000).contains(&options.keyframe_interval) {
        return wrong(format!("--keyframe-interval is {}, allowed are 1 to 1000", options.keyframe_interval));
    }
    if !(1..=1024).contains(&options.workers) {
        return wrong(format!("--workers is {}, allowed are 1 to 1024", options.workers));
    }
    Ok(())
}

fn record_path(out: &Path, job: &Job) -> PathBuf {
    out.join(PROGRESS).join(format!("{:06}", job.number))
}

/// What an earlier run has done, by job.
fn already_done(out: &Path, jobs: &[Job]) -> Vec<Option<Entry>> {
    let mut finished = if out.join(SUMMARY).is_file() {
        PreparedSet::open_if_prepared(out).ok().flatten().map(|set| set.entries).unwrap_or_default()
    } else {
        vec![]
    };
    jobs.iter()
        .map(|job| match finished.iter().position(|entry| entry.source == job.source.path) {
            Some(place) => Some(finished.swap_remove(place)),
            None => read_record(&record_path(out, job)).ok(),
        })
        .collect()
}

/// Writes the videos that are missing, reads all of them back, and writes those that are damaged once more.
fn write_all(
    options: &PrepareOptions,
    jobs: &[Job],
    mut entries: Vec<Option<Entry>>,
    report: &(dyn Fn(PrepareProgress<'_>) -> bool + Sync),
) -> Result<(Vec<Entry>, Vec<SkippedFile>), DataError> {
    let mut unusable = vec![];
    for last_try in [false, true] {
        let missing: Vec<usize> = (0..jobs.len()).filter(|&job| entries[job].is_none()).collect();
        let there = jobs.len() - missing.len();
        let stop = AtomicBool::new(false);
        let written = in_parallel(
            options.workers,
            missing.len(),
            &|done, _| {
                report(PrepareProgress::Written(there + done, jobs.len()));
            },
            |place| {
                if stop.load(Ordering::Relaxed) {
                    return None;
                }
                let job = &jobs[missing[place]];
                let done = prepare_video(options, job).and_then(|result| {
                    if let Ok(entry) = &result {
                        write_record(&record_path(&options.out, job), entry)?;
                    }
                    Ok(result)
                });
                stop.fetch_or(done.is_err(), Ordering::Relaxed);
                Some(done)
            },
        );
        for (&job, result) in missing.iter().zip(written) {
            match result.transpose()? {
                Some(Ok(entry)) => entries[job] = Some(entry),
                Some(Err(error)) if !last_try => unusable.push(SkippedFile {
                    path: jobs[job].source.path.clone(),
                    reason: SkipReason::Broken(error.to_string()),
                }),
                _ => {}
            }
        }
        let intact = in_parallel(
            options.workers,
            jobs.len(),
            &|done, all| {
                report(PrepareProgress::Verified(done, all));
            },
            |job| entries[job].as_ref().is_none_or(|entry| is_intact(&options.out, entry)),
        );
        let Some(damaged) = intact.iter().position(|intact| !intact) else {
            break;
        };
        if last_try {
            let path = options.out.clone();
            return Err(DataError::format(
                path,
                format!(
                    "{} does not come back as it was written; is the disk sound?",
                    jobs[damaged].source.path.display()
                ),
            ));
        }
        for (entry, intact) in entries.iter_mut().zip(intact) {
            if !intact {
                *entry = None;
            }
        }
    }
    Ok((entries.into_iter().flatten().collect(), unusable))
}

/// Does numbered pieces of work on some threads; the results are in the order of the numbers.
pub(super) fn in_parallel<T: Send>(
    workers: usize,
    count: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<Option<T>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..workers.min(count) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = work(number);
                    results.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(result);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect()
}
