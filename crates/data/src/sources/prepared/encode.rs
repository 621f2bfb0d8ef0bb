//! One video from its source to its place.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prevision_core::frames::{FrameBuffer, Window};
use prevision_video::{FrameSource as _, Mp4Options, Mp4Writer, OpenOptions, Quality, Video, VideoError};

use super::format::{Encoding, Entry, Place, ShortenedFile, raw_path, shard_name};
use super::job::Job;
use super::options::PrepareOptions;
use super::seal::{FrameSeals, checksum_of};
use crate::DataError;

/// Frames that are in memory at a time.
const CHUNK: usize = 16;
/// Frames that are tried for an estimate.
const SAMPLE: usize = 24;

/// The nearest even number, at least 2: H.264's 4:2:0 needs even sides.
pub(super) fn even(side: usize) -> usize {
    (side.div_ceil(2) * 2).max(2)
}

fn open(options: &PrepareOptions, job: &Job) -> Result<Video, VideoError> {
    let open = OpenOptions { threads: 1, patience: Duration::from_secs_f64(options.read_timeout) };
    Video::open_indexed(&job.source.path, &open, Arc::clone(&job.index))
}

/// Hands over frames in order, up to the first that cannot be read; says how many there were and what was wrong with the next.
fn for_each_frame(
    video: &mut Video,
    job: &Job,
    limit: usize,
    mut take: impl FnMut(&[u8]) -> Result<(), DataError>,
) -> Result<(usize, Option<VideoError>), DataError> {
    let (width, height) = video.size();
    let window = Window::whole(width, height);
    let mut buffer = FrameBuffer::new(0, job.size.1, job.size.0);
    let frames = video.len().min(limit);
    let mut done = 0;
    while done < frames {
        let chunk: Vec<usize> = (done..frames.min(done + CHUNK)).collect();
        let together = video.read_window(&chunk, &window, false, &mut buffer);
        if together.is_ok() {
            for index in 0..chunk.len() {
                take(buffer.frame(index))?;
            }
            done += chunk.len();
            continue;
        }
        for index in chunk {
            if let Err(error) = video.read_window(&[index], &window, false, &mut buffer) {
                return Ok((done, Some(error)));
            }
            take(buffer.frame(0))?;
            done += 1;
        }
    }
    Ok((done, None))
}

fn mp4_options(options: &PrepareOptions, job: &Job) -> Mp4Options {
    let quality = match options.encoding {
        Encoding::Mjpeg => Quality::Jpeg(options.quality),
        Encoding::H264 | Encoding::Raw => Quality::Compact(options.quality),
    };
    let rate = job.index.info().frame_rate.unwrap_or(25.0).round().clamp(1.0, 1000.0);
    Mp4Options {
        width: job.size.0,
        height: job.size.1,
        frame_rate: rate as u32,
        quality,
        keyframe_interval: options.keyframe_interval,
    }
}

/// Bytes that the first frames of a video take, and their number.
pub(super) fn encoded_bytes(options: &PrepareOptions, job: &Job) -> Result<(u64, usize), DataError> {
    let path = options.out.join(format!(".estimate-{}.mp4", job.number));
    let mut writer = Mp4Writer::create(&path, &mp4_options(options, job))?;
    let mut video = open(options, job)?;
    let (frames, _) = for_each_frame(&mut video, job, SAMPLE, |frame| Ok(writer.write(frame)?))?;
    writer.finish()?;
    let bytes = fs::metadata(&path).map_err(|error| DataError::io(&path, error))?.len();
    fs::remove_file(&path).map_err(|error| DataError::io(&path, error))?;
    Ok((bytes, frames))
}

/// Prepares one video. `Ok(Err(_))`: the source cannot be used.
pub(super) fn prepare_video(options: &PrepareOptions, job: &Job) -> Result<Result<Entry, VideoError>, DataError> {
    let mut video = match open(options, job) {
        Ok(video) => video,
        Err(error) => return Ok(Err(error)),
    };
    let (frames, problem, mut entry) = match options.encoding {
        Encoding::Raw => write_raw(options, job, &mut video)?,
        Encoding::H264 | Encoding::Mjpeg => write_file(options, job, &mut video)?,
    };
    match problem {
        Some(error) if frames == 0 => return Ok(Err(error)),
        Some(error) => {
            entry.shortened = Some(ShortenedFile {
                path: job.source.path.clone(),
                kept: frames,
                of: video.len(),
                reason: error.to_string(),
            });
        }
        None => {}
    }
    if let Place::File { name, index } = &mut entry.place {
        let path = options.out.join(name);
        let made = Video::open(&path, &OpenOptions::default())?;
        if made.len() != frames {
            return Err(DataError::format(path, format!("has {} frames after writing {frames}", made.len())));
        }
        **index = made.index().with_times(&entry.times);
    }
    Ok(Ok(entry))
}

type Written = (usize, Option<VideoError>, Entry);

fn entry(job: &Job, frames: usize, place: Place, bytes: u64, checksum: u32) -> Entry {
    Entry {
        source: job.source.path.clone(),
        label: job.source.label,
        size: job.size,
        times: job.index.timestamps()[..frames].to_vec(),
        place,
        bytes,
        checksum,
        shortened: None,
    }
}

fn write_raw(options: &PrepareOptions, job: &Job, video: &mut Video) -> Result<Written, DataError> {
    let path = raw_path(&options.out, job.shard);
    let failed = |error| DataError::io(&path, error);
    let shard = File::options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    let (mut checksum, mut checksums, mut offset) = (crc32fast::Hasher::new(), vec![], job.offset);
    let (frames, problem) = for_each_frame(video, job, usize::MAX, |frame| {
        shard.write_all_at(frame, offset).map_err(failed)?;
        checksum.update(frame);
        checksums.push(crc32fast::hash(frame));
        offset += frame.len() as u64;
        Ok(())
    })?;
    shard.sync_data().map_err(failed)?;
    let place = Place::Raw { shard: job.shard, offset: job.offset, frames: FrameSeals::new(checksums) };
    Ok((frames, problem, entry(job, frames, place, offset - job.offset, checksum.finalize())))
}

fn write_file(options: &PrepareOptions, job: &Job, video: &mut Video) -> Result<Written, DataError> {
    let folder = PathBuf::from(shard_name(job.shard));
    let name = folder.join(format!("{:06}.mp4", job.number));
    let path = options.out.join(&name);
    let folder = options.out.join(folder);
    fs::create_dir_all(&folder).map_err(|error| DataError::io(&folder, error))?;
    let mut writer = Mp4Writer::create(&path, &mp4_options(options, job))?;
    let (frames, problem) = for_each_frame(video, job, usize::MAX, |frame| Ok(writer.write(frame)?))?;
    if frames > 0 {
        writer.finish()?;
    }
    let (bytes, checksum) = if frames > 0 { checksum_of(&path, 0, u64::MAX)? } else { (0, 0) };
    // Its own index takes the place of the source's in the end.
    let index = Box::new(job.index.with_times(job.index.timestamps()));
    Ok((frames, problem, entry(job, frames, Place::File { name, index }, bytes, checksum)))
}

/// Whether a prepared video is on disk as it was written.
pub(super) fn is_intact(out: &Path, entry: &Entry) -> bool {
    let found = match &entry.place {
        Place::Raw { shard, offset, .. } => checksum_of(&raw_path(out, *shard), *offset, entry.bytes),
        Place::File { name, .. } => checksum_of(&out.join(name), 0, u64::MAX),
    };
    found.is_ok_and(|found| found == (entry.bytes, entry.checksum))
}
