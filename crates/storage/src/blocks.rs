//! Blocks of objects on the local disk: bounded, shared by threads and processes.
//!
//! One file for each block: a header that says which block of which version of which object it is, the bytes, and a
//! checksum. A file that does not fit, in whatever way, is no block. Files are written under another name and renamed.
//! Room is made and taken under a lock on one file, which also holds the sum of all sizes, so that the bound holds for all
//! processes together. Which block goes first is decided by its time of change, which is set when it is read.

use std::fs::{self, File, FileTimes};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use prevision_core::whole_file;

use crate::{StorageError, cache_folder};

/// Bytes of a block.
pub(crate) const BLOCK: u64 = 1 << 20;
/// Changes with every change of what is stored.
const MAGIC: &[u8; 8] = b"PVBLOCK1";
/// Sets how many MiB of blocks are kept.
const LIMIT: &str = "PREVISION_OBJECT_CACHE_MB";
/// MiB that are kept unless that says otherwise.
const DEFAULT_LIMIT: u64 = 4096;

/// Blocks on disk, the least recently used leaving first when there are too many.
#[derive(Debug)]
pub struct BlockCache {
    folder: PathBuf,
    limit: u64,
}

impl BlockCache {
    /// A cache in this folder, which is made when it is needed, of at most `limit` bytes.
    pub fn new(folder: &Path, limit: u64) -> Self {
        Self { folder: folder.to_owned(), limit }
    }

    /// The user's: `blocks` in the folder for caches, of at most `PREVISION_OBJECT_CACHE_MB` MiB (default 4096). `None` if
    /// there is no such folder, or that number is 0. Asked once in a process.
    pub(crate) fn of_user() -> Result<Option<&'static Self>, StorageError> {
        static CACHE: OnceLock<Result<Option<BlockCache>, String>> = OnceLock::new();
        let make = || {
            let limit = limit(std::env::var_os(LIMIT).map(|value| value.to_string_lossy().into_owned()).as_deref())?;
            Ok(cache_folder().filter(|_| limit > 0).map(|folder| Self::new(&folder.join("blocks"), limit)))
        };
        match CACHE.get_or_init(make) {
            Ok(cache) => Ok(cache.as_ref()),
            Err(reason) => Err(StorageError::Settings { reason: reason.clone() }),
        }
    }

    /// A block, if it is there and whole. It counts as used.
    pub fn load(&self, key: &str, number: u64) -> Option<Vec<u8>> {
        let mut file = File::open(self.place(key, number)).ok()?;
        let mut bytes = Vec::with_capacity(BLOCK as usize + 1024);
        file.read_to_end(&mut bytes).ok()?;
        let body = bytes.len().checked_sub(4)?;
        let checksum = u32::from_le_bytes(bytes[body..].try_into().ok()?);
        let header = header(key, number);
        if !bytes.starts_with(&header) || body < header.len() || crc32fast::hash(&bytes[..body]) != checksum {
            return None;
        }
        // Fails in a folder of another user's: then it leaves by its age.
        let _ = touch(&file);
        bytes.truncate(body);
        Some(bytes.split_off(header.len()))
    }

    /// Whether a block seems to be there.
    pub(crate) fn has(&self, key: &str, number: u64) -> bool {
        self.place(key, number).is_file()
    }

    /// Keeps a block, making room for it. Whether it is there now: a disk that is full or read-only does no harm.
    pub fn store(&self, key: &str, number: u64, block: &[u8]) -> bool {
        self.try_store(key, number, block).unwrap_or_else(|error| {
            tracing::debug!("a block is not kept in {}: {error}", self.folder.display());
            false
        })
    }

    fn try_store(&self, key: &str, number: u64, block: &[u8]) -> io::Result<bool> {
        let mut bytes = header(key, number);
        bytes.extend_from_slice(block);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let (length, place) = (bytes.len() as u64, self.place(key, number));
        if length > self.limit {
            return Ok(false);
        }
        let _ = place.parent().map(fs::create_dir_all).transpose()?;
        let mut sum = Sum::lock(&self.folder)?;
        let there = fs::metadata(&place).map_or(0, |metadata| metadata.len());
        let mut total = match sum.read() {
            Some(total) => total.saturating_sub(there),
            None => self.evict(self.limit - length)?,
        };
        if total + length > self.limit {
            // Some more than has to go, so that not every block makes a search.
            total = self.evict((self.limit - length).min(self.limit / 16 * 15))?;
        }
        sum.write(total + length)?;
        whole_file::write_with(&place, |partial| write(partial, &bytes)).map(|()| true)
    }

    /// Removes files, those not used for longest first, until they have at most `most` bytes; says how many they have then.
    fn evict(&self, most: u64) -> io::Result<u64> {
        let mut files = vec![];
        for folder in fs::read_dir(&self.folder)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let (file, metadata) = file.and_then(|file| file.metadata().map(|metadata| (file, metadata)))?;
                files.push((metadata.modified()?, file.path(), metadata.len()));
            }
        }
        files.sort();
        let mut total = files.iter().map(|(_, _, length)| length).sum();
        for (_, path, length) in files {
            if total <= most {
                break;
            }
            fs::remove_file(path)?;
            total -= length;
        }
        Ok(total)
    }

    fn place(&self, key: &str, number: u64) -> PathBuf {
        let name = format!("{:016x}", fnv1a(key.as_bytes()));
        // Not too many files in one folder.
        self.folder.join(&name[..2]).join(format!("{}-{number}", &name[2..]))
    }
}

/// The sum of the sizes of all blocks, in a file that is locked as long as this lives.
struct Sum {
    file: File,
}

impl Sum {
    fn lock(folder: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(folder.join("sum"))?;
        file.lock()?;
        Ok(Self { file })
    }

    fn read(&mut self) -> Option<u64> {
        let mut bytes = [0; 8];
        self.file.seek(SeekFrom::Start(0)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    fn write(&mut self, sum: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&sum.to_le_bytes())
    }
}

/// Bytes that may be kept.
fn limit(setting: Option<&str>) -> Result<u64, String> {
    let Some(text) = setting else {
        return Ok(DEFAULT_LIMIT << 20);
    };
    let mebibytes = text.trim().parse::<u64>().ok().and_then(|limit| limit.checked_mul(1 << 20));
    mebibytes.ok_or_else(|| format!("{LIMIT} is {text:?}, expected a whole number of MiB, or 0 to keep none"))
}

fn header(key: &str, number: u64) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend((key.len() as u64).to_le_bytes());
    header.extend(key.as_bytes());
    header.extend(number.to_le_bytes());
    header
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    touch(&file)
}

/// Now is when it was used last.
fn touch(file: &File) -> io::Result<()> {
    file.set_times(FileTimes::new().set_modified(SystemTime::now()))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::limit;

    #[test]
    fn the_limit_is_a_number_of_mebibytes() {
        assert_eq!(limit(None), Ok(4096 << 20));
        assert_eq!(limit(Some("10")), Ok(10 << 20));
        assert_eq!(limit(Some("0")), Ok(0));
        let error = limit(Some("4 GB")).unwrap_err();
        assert!(error.contains("PREVISION_OBJECT_CACHE_MB is \"4 GB\""), "{error}");
    }
}
