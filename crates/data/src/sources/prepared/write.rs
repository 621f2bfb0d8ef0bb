//! Preparing a data set: in parallel, and so that an interrupted run goes on where it stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use prevision_core::{folder_lock, whole_file};

use super::encode::{is_intact, prepare_video};
use super::format::{Entry, PLAN, PreparedSet, PreparedSummary, SUMMARY, read_record, write_record};
use super::job::Job;
use super::options::PrepareOptions;
use super::plan::{PreparePlan, Signature, begin, estimate, remove_partials, survey};
use crate::parallel::in_parallel;
use crate::{DataError, SkipReason, SkippedFile};

const PROGRESS: &str = "progress";

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
    options.validate()?;
    let sources = begin(options)?;
    let signature = Signature::new(options, &sources)?;
    let out = &options.out;
    let made_now = !out.exists();
    fs::create_dir_all(out).map_err(|error| DataError::io(out, error))?;
    let lock = folder_lock::try_lock(out).map_err(|error| DataError::io(out, error))?;
    let _lock = lock.ok_or_else(|| DataError::Config(format!("{}: another process prepares it", out.display())))?;
    remove_partials(out).map_err(|error| DataError::io(out, error))?;
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
        let message = format!("none of its videos can be read:{}", crate::skipped::lines(&skipped));
        return Err(DataError::Empty { path: options.source.clone(), message });
    }
    let summary = PreparedSet::finish(out, options.encoding, options.short_side, &entries, skipped)?;
    fs::remove_dir_all(&progress).map_err(|error| DataError::io(&progress, error))?;
    Ok(Some(summary))
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
