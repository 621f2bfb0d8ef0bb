//! What is to be prepared, and how much disk it takes.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use prevision_core::seed::fnv1a;
use prevision_core::whole_file;
use prevision_storage::{Object, StorageError, after, is_address};
use prevision_video::OpenOptions;
use serde::{Deserialize, Serialize};

use super::encode::{encoded_bytes, even};
use super::format::{Encoding, PLAN};
use super::job::Job;
use super::options::PrepareOptions;
use crate::files::{IndexCache, Indices, VideoEntry, find_videos, leads_into};
use crate::parallel::in_parallel;
use crate::pixels::scaled;
use crate::{DataError, SkippedFile};

/// Bytes of a shard of raw frames, unless one video alone has more.
const SHARD_BYTES: u64 = 1 << 30;
/// Videos in a shard of files.
const SHARD_FILES: usize = 1000;
/// Videos that are tried to estimate how much disk compressed ones take.
const SAMPLES: usize = 6;

/// What will be written; told before anything is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreparePlan {
    /// Videos that can be used.
    pub videos: usize,
    /// Frames of all of them.
    pub frames: usize,
    /// Bytes they will take on disk.
    pub bytes: u64,
    /// Whether that is exact; otherwise it is judged by the first frames of a few videos.
    pub exact: bool,
    /// Bytes that are free on the disk.
    pub free_bytes: u64,
    /// Sources that cannot be used.
    pub skipped_files: Vec<SkippedFile>,
}

/// All that has to be done.
pub(super) struct Work {
    pub(super) jobs: Vec<Job>,
    pub(super) skipped: Vec<SkippedFile>,
}

/// What makes a begun folder the same work: the sources as they are now, and the options that change what is written.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Signature {
    encoding: Encoding,
    short_side: usize,
    quality: u8,
    keyframe_interval: usize,
    sources: Vec<SourceFile>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct SourceFile {
    /// As text: a name that is not UTF-8 has replacement characters.
    path: String,
    label: Option<i64>,
    bytes: u64,
    /// Time of the last change; of an object in storage the hash of its tag.
    modified: u64,
}

impl SourceFile {
    fn of(entry: &VideoEntry, options: &PrepareOptions) -> Result<Self, DataError> {
        let (bytes, modified) = if is_address(&entry.path) {
            match Object::open(&entry.path, &after(Duration::from_secs_f64(options.read_timeout))) {
                Ok(object) => (object.version().bytes, fnv1a(object.version().tag.as_bytes())),
                // It will be skipped and named.
                Err(StorageError::NotFound { .. }) => (0, 0),
                Err(error) => return Err(error.into()),
            }
        } else {
            let metadata = fs::metadata(&entry.path).map_err(|error| DataError::io(&entry.path, error))?;
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (metadata.len(), modified.map_or(0, |time| time.as_nanos() as u64))
        };
        Ok(Self { path: entry.path.to_string_lossy().into_owned(), label: entry.label, bytes, modified })
    }
}

impl Signature {
    pub(super) fn new(options: &PrepareOptions, sources: &[VideoEntry]) -> Result<Self, DataError> {
        let of = |number: usize| SourceFile::of(&sources[number], options);
        let sources =
            in_parallel(options.workers, sources.len(), &|_, _| (), of).into_iter().collect::<Result<_, _>>()?;
        Ok(Self {
            encoding: options.encoding,
            short_side: options.short_side,
            quality: options.quality,
            keyframe_interval: options.keyframe_interval,
            sources,
        })
    }
}

/// Lists the sources and sees that the folder is new, or was begun for the same work.
pub(super) fn begin(options: &PrepareOptions) -> Result<Vec<VideoEntry>, DataError> {
    let sources = find_videos(&options.source)?;
    let (out, path) = (&options.out, options.out.join(PLAN));
    if path.is_file() {
        let text = fs::read(&path).map_err(|error| DataError::io(&path, error))?;
        let found: Signature =
            serde_json::from_slice(&text).map_err(|error| DataError::format(&path, error.to_string()))?;
        if found != Signature::new(options, &sources)? {
            return Err(DataError::Config(format!(
                "{}: was prepared from other files or with other options; choose another folder, or remove it",
                out.display()
            )));
        }
        return Ok(sources);
    }
    if out.exists() && holds_more_than_partials(out).map_err(|error| DataError::io(out, error))? {
        return Err(DataError::Config(format!(
            "{}: is not empty and holds no prepared data set; choose a new or empty folder",
            out.display()
        )));
    }
    if leads_into(out, &options.source)? {
        return Err(DataError::Config(format!(
            "{}: lies in the source folder {}, where its files would be taken for sources",
            out.display(),
            options.source.display()
        )));
    }
    Ok(sources)
}

/// Whether anything is in a folder but what an interrupted run has left while it looked how large videos become.
fn holds_more_than_partials(folder: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !whole_file::is_partial(&entry?.path()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes files that an interrupted run was writing, in the folder and in those right below it. No other process may write there.
pub(super) fn remove_partials(out: &Path) -> std::io::Result<()> {
    let mut folders = vec![out.to_owned()];
    for entry in fs::read_dir(out)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if whole_file::is_partial(&path) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Makes the indices of all sources and lays out the shards.
pub(super) fn survey(
    options: &PrepareOptions,
    sources: Vec<VideoEntry>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Work, DataError> {
    let open = OpenOptions { threads: 1, patience: Duration::from_secs_f64(options.read_timeout) };
    let indices = Indices::new(IndexCache::of_user());
    let found = in_parallel(options.workers, sources.len(), progress, |number| {
        indices.get(number, &sources[number].path, &open).map(|(index, _)| index)
    });
    let mut work = Work { jobs: vec![], skipped: vec![] };
    let (mut shard, mut offset) = (0, 0);
    for (number, (source, index)) in sources.into_iter().zip(found).enumerate() {
        let index = match index {
            Ok(index) => index,
            Err(reason) => {
                work.skipped.push(SkippedFile { path: source.path, reason });
                continue;
            }
        };
        let info = index.info();
        let (width, height) = scaled(options.short_side, (info.display_width.max(1), info.display_height.max(1)));
        let size = (even(width), even(height));
        let bytes = (size.0 * size.1 * 3 * index.timestamps().len()) as u64;
        let full = match options.encoding {
            Encoding::Raw => offset > 0 && offset + bytes > SHARD_BYTES,
            Encoding::H264 | Encoding::Mjpeg => work.jobs.len() == (shard + 1) * SHARD_FILES,
        };
        if full {
            (shard, offset) = (shard + 1, 0);
        }
        work.jobs.push(Job { number, source, index, size, shard, offset });
        offset += bytes;
    }
    if work.jobs.is_empty() {
        let message = format!("none of its videos can be used:{}", crate::skipped::lines(&work.skipped));
        return Err(DataError::Empty { path: options.source.clone(), message });
    }
    Ok(work)
}

/// How much disk the work takes, and how much there is.
pub(super) fn estimate(options: &PrepareOptions, work: &Work) -> Result<PreparePlan, DataError> {
    let raw = |job: &Job| (job.size.0 * job.size.1 * 3 * job.index.timestamps().len()) as u64;
    let total: u64 = work.jobs.iter().map(raw).sum();
    let bytes = if options.encoding == Encoding::Raw {
        total
    } else {
        let step = work.jobs.len().div_ceil(SAMPLES);
        let samples: Vec<_> = work.jobs.iter().step_by(step).collect();
        let (mut encoded, mut plain) = (0, 0);
        for job in samples {
            // A video that cannot be read is found out later.
            if let Ok((bytes, frames)) = encoded_bytes(options, job) {
                encoded += bytes;
                plain += (job.size.0 * job.size.1 * 3 * frames) as u64;
            }
        }
        if plain == 0 { total / 20 } else { (total as f64 * encoded as f64 / plain as f64) as u64 }
    };
    let space = rustix::fs::statvfs(&options.out).map_err(|error| DataError::io(&options.out, error.into()))?;
    Ok(PreparePlan {
        videos: work.jobs.len(),
        frames: work.jobs.iter().map(|job| job.index.timestamps().len()).sum(),
        bytes,
        exact: options.encoding == Encoding::Raw,
        free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
        skipped_files: work.skipped.clone(),
    })
}
