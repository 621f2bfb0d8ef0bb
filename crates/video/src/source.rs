//! Where the bytes of a video come from: a file, or an object in storage.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prevision_storage::{Object, ObjectReader, StorageError, Version, is_address};

use crate::VideoError;
use crate::stream::Clock;

/// A video that can be opened: a file that is there, or an object whose version is known.
pub(crate) struct Source {
    path: PathBuf,
    object: Option<Object>,
    /// Why the storage failed. What FFmpeg made of it is not to be trusted any more, so it stays.
    failure: Arc<OnceLock<StorageError>>,
    /// What the stream that was opened last leaves out.
    left_out: Arc<OnceLock<Vec<Range<u64>>>>,
    limit: Duration,
}

impl Source {
    /// Finds out what is wrong with a video before FFmpeg sees it. An object of which a version is known is not looked for.
    pub(crate) fn open(path: &Path, version: Option<&Version>, clock: &Clock) -> Result<Self, VideoError> {
        crate::initialise();
        let object = if is_address(path) {
            let opened = match version {
                Some(version) => Object::at_version(path, version),
                None => Object::open(path, &clock.alarm()),
            };
            Some(opened.map_err(|error| failed(path, error, clock.limit()))?)
        } else {
            None
        };
        let bytes = match &object {
            Some(object) => object.version().bytes,
            None => bytes_of_file(path)?,
        };
        if bytes == 0 {
            return Err(VideoError::open(path, "the file is empty"));
        }
        let (failure, left_out) = (Arc::default(), Arc::default());
        Ok(Self { path: path.to_owned(), object, failure, left_out, limit: clock.limit() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the object; `None` for a file.
    pub(crate) fn version(&self) -> Option<&Version> {
        self.object.as_ref().map(Object::version)
    }

    /// The first bytes, if there are as many.
    pub(crate) fn start<const N: usize>(&mut self, clock: &Clock) -> Option<[u8; N]> {
        let mut start = [0; N];
        match self.stream(clock) {
            Some(mut stream) => stream.read_exact(&mut start).ok()?,
            None => File::open(&self.path).ok()?.read_exact(&mut start).ok()?,
        }
        Some(start)
    }

    /// The bytes of an object, for FFmpeg to read; `None` for a file, which FFmpeg opens itself.
    pub(crate) fn stream(&mut self, clock: &Clock) -> Option<ObjectStream> {
        let object = self.object.as_ref()?;
        self.left_out = Arc::default();
        Some(ObjectStream {
            reader: object.reader(),
            bytes: object.version().bytes,
            late: Box::new(clock.alarm()),
            failure: Arc::clone(&self.failure),
            left_out: Arc::clone(&self.left_out),
        })
    }

    /// From here on the stream that was opened last gives zeros for these bytes, without fetching them.
    pub(crate) fn leave_out(&self, ranges: Vec<Range<u64>>) {
        // Said once for each stream.
        let _ = self.left_out.set(ranges);
    }

    /// Why the storage failed, if it did.
    pub(crate) fn failure(&self) -> Option<VideoError> {
        Some(failed(&self.path, self.failure.get()?.clone(), self.limit))
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.get().is_some()
    }
}

fn failed(path: &Path, error: StorageError, limit: Duration) -> VideoError {
    match error {
        StorageError::TimedOut { .. } => VideoError::Timeout { path: path.to_owned(), seconds: limit.as_secs_f64() },
        error => VideoError::Storage(error),
    }
}

fn bytes_of_file(path: &Path) -> Result<u64, VideoError> {
    let metadata = fs::metadata(path).map_err(|error| VideoError::open(path, error))?;
    if !metadata.is_file() {
        return Err(VideoError::open(path, "it is not a regular file"));
    }
    Ok(metadata.len())
}

/// An object as FFmpeg reads it.
pub(crate) struct ObjectStream {
    reader: ObjectReader,
    bytes: u64,
    late: Box<dyn Fn() -> bool + Send>,
    failure: Arc<OnceLock<StorageError>>,
    /// Ascending, without overlaps.
    left_out: Arc<OnceLock<Vec<Range<u64>>>>,
}

impl Read for ObjectStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.failure.get().is_some() {
            return Err(io::Error::other("the storage has failed"));
        }
        let (position, mut count) = (self.reader.position(), out.len());
        let ranges = self.left_out.get().map_or(&[][..], Vec::as_slice);
        if let Some(range) = ranges.get(ranges.partition_point(|range| range.end <= position)) {
            if range.start <= position {
                let left = range.end.min(self.bytes).saturating_sub(position);
                count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
                out[..count].fill(0);
                self.reader.go_to(position + count as u64);
                return Ok(count);
            }
            count = count.min(usize::try_from(range.start - position).unwrap_or(usize::MAX));
        }
        self.reader.read(&mut out[..count], &*self.late).map_err(|error| {
            let text = error.to_string();
            // The first failure is the one to tell.
            let _ = self.failure.set(error);
            io::Error::other(text)
        })
    }
}

impl Seek for ObjectStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(distance) => self.reader.position().checked_add_signed(distance),
            SeekFrom::End(distance) => self.bytes.checked_add_signed(distance),
        };
        let place = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.reader.go_to(place);
        Ok(place)
    }
}
