//! Whether files are as they were written.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use prevision_storage::is_address;
use serde::{Deserialize, Serialize};

use crate::{DataError, SkipReason};

/// Bytes that are read at a time.
const BUFFER: u64 = 1 << 18;

/// What is known of the bytes of a file, which are compared with it once, when the file is first used.
#[derive(Debug)]
pub(crate) struct Seal {
    bytes: u64,
    checksum: u32,
    problem: OnceLock<Option<String>>,
}

impl Seal {
    /// So many bytes with this CRC-32.
    pub(super) fn new(bytes: u64, checksum: u32) -> Self {
        Self { bytes, checksum, problem: OnceLock::new() }
    }

    /// Says whether a file can be used. One in storage can: what is transferred from there is checked on its way.
    pub(crate) fn check(&self, path: &Path) -> Result<(), SkipReason> {
        if is_address(path) {
            return Ok(());
        }
        let problem = self.problem.get_or_init(|| match checksum_of(path, 0, u64::MAX) {
            Ok(found) if found == (self.bytes, self.checksum) => None,
            Ok(_) => Some("its checksum is wrong: it is not the file that was prepared; prepare it again".to_owned()),
            Err(error) => Some(error.to_string()),
        });
        problem.as_ref().map_or(Ok(()), |problem| Err(SkipReason::Broken(problem.clone())))
    }
}

/// CRC-32 of each frame of a video, which is compared with it once, when the frame is first used.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FrameSeals {
    checksums: Vec<u32>,
    #[serde(skip)]
    intact: OnceLock<Vec<AtomicBool>>,
}

impl FrameSeals {
    pub(super) fn new(checksums: Vec<u32>) -> Self {
        Self { checksums, intact: OnceLock::new() }
    }

    /// Number of frames.
    pub(super) fn len(&self) -> usize {
        self.checksums.len()
    }

    /// Whether these are the bytes of a frame.
    ///
    /// # Panics
    /// If there is no such frame.
    pub(super) fn check(&self, frame: usize, bytes: &[u8]) -> bool {
        let intact = self.intact.get_or_init(|| self.checksums.iter().map(|_| AtomicBool::new(false)).collect());
        if intact[frame].load(Ordering::Relaxed) {
            return true;
        }
        let same = crc32fast::hash(bytes) == self.checksums[frame];
        intact[frame].store(same, Ordering::Relaxed);
        same
    }
}

/// Number and CRC-32 of at most `bytes` bytes of a file from `offset` on.
pub(super) fn checksum_of(path: &Path, offset: u64, bytes: u64) -> Result<(u64, u32), DataError> {
    let failed = |error| DataError::io(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let (mut part, mut checksum, mut total) = (file.take(bytes), crc32fast::Hasher::new(), 0);
    let mut buffer = vec![0; length.clamp(1, BUFFER) as usize];
    loop {
        let count = part.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok((total, checksum.finalize()));
        }
        checksum.update(&buffer[..count]);
        total += count as u64;
    }
}
