//! Latents of frames that were computed once, kept in a folder.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::{Tensor, TensorData};
use sha2::{Digest, Sha256};

use crate::Pixels;

/// What a frame is known by.
type Key = [u8; 32];

/// Latents of frames, each under a hash of the frame's pixels, in a folder of their own for everything else that they depend on (weights,
/// preprocessing). What is found is the same to the bit as what is computed.
///
/// Every process that has something new appends to a file of its own; files of others are read when the cache is first used. A record that
/// was cut off is not read. What cannot be read is computed again, and what cannot be written is not kept: a cache never stops a training.
#[derive(Debug)]
pub struct FeatureCache {
    folder: PathBuf,
    /// Numbers in a latent.
    numbers: usize,
    opened: OnceLock<Mutex<Opened>>,
}

/// Files, and where in them what is.
#[derive(Debug, Default)]
struct Opened {
    files: Vec<File>,
    /// File and byte of the numbers of each frame.
    places: HashMap<Key, (usize, u64)>,
    /// The file that this process writes, among the others, and its length.
    own: Option<(usize, u64)>,
    /// Something could not be written: nothing more is.
    full: bool,
}

impl FeatureCache {
    /// A cache in `folder` of latents with so many numbers. `key` says what they depend on beside the pixels.
    pub fn new(folder: &Path, key: &str, numbers: usize) -> Self {
        let digest = Sha256::digest(key);
        let name = u64::from_be_bytes(std::array::from_fn(|byte| digest[byte]));
        Self { folder: folder.join(format!("{name:016x}")), numbers, opened: OnceLock::new() }
    }

    /// The latents of frames: those that are kept, and what `encode` makes of the others, which is kept from then on. A frame that is there
    /// several times is encoded once.
    ///
    /// # Shapes
    /// - frames: `[n, channels, 1, height, width]`
    /// - encode: frames as above to `[.., numbers]`
    /// - output: `[n, numbers]`
    ///
    /// # Panics
    /// If `encode` does not give as many numbers.
    pub fn latents(&self, frames: &Pixels, encode: impl FnOnce(Pixels) -> Tensor<2>) -> Tensor<2> {
        let keys = frames.digests();
        let mut opened =
            self.opened.get_or_init(|| Mutex::new(self.open())).lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: HashMap<Key, Vec<f32>> = HashMap::new();
        let mut missing = Vec::new();
        for (row, key) in keys.iter().enumerate() {
            if found.contains_key(key) {
                continue;
            }
            let values = opened.read(key, self.numbers);
            if values.is_none() {
                missing.push(row);
            }
            found.insert(*key, values.unwrap_or_default());
        }
        if !missing.is_empty() {
            let new = encode(frames.clone().select(&missing));
            assert_eq!(new.dims(), [missing.len(), self.numbers], "latents of a cache");
            let values = new.into_data().try_into_vec_as::<f32>().expect("latents are floats");
            for (row, values) in missing.into_iter().zip(values.chunks_exact(self.numbers)) {
                if !opened.full && opened.append(&self.folder, &keys[row], values).is_err() {
                    opened.full = true;
                }
                found.insert(keys[row], values.to_vec());
            }
        }
        let values: Vec<f32> = keys.iter().flat_map(|key| &found[key]).copied().collect();
        Tensor::from_data(TensorData::new(values, [keys.len(), self.numbers]), &frames.device())
    }

    /// Bytes of a record: the key, then the numbers, little-endian.
    fn record(&self) -> u64 {
        (size_of::<Key>() + 4 * self.numbers) as u64
    }

    /// All files that are there.
    fn open(&self) -> Opened {
        let mut opened = Opened::default();
        let Ok(entries) = fs::read_dir(&self.folder) else { return opened };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "latents"));
        paths.sort();
        for file in paths.iter().filter_map(|path| File::open(path).ok()) {
            let records = file.metadata().map_or(0, |file| file.len() / self.record());
            let number = opened.files.len();
            for record in 0..records {
                let (mut key, start) = (Key::default(), record * self.record());
                if read_at(&file, &mut key, start).is_ok() {
                    opened.places.insert(key, (number, start + size_of::<Key>() as u64));
                }
            }
            opened.files.push(file);
        }
        opened
    }
}

impl Opened {
    fn read(&self, key: &Key, numbers: usize) -> Option<Vec<f32>> {
        let (file, start) = self.places.get(key)?;
        let mut bytes = vec![0; 4 * numbers];
        read_at(&self.files[*file], &mut bytes, *start).ok()?;
        Some(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn append(&mut self, folder: &Path, key: &Key, values: &[f32]) -> io::Result<()> {
        let (number, end) = if let Some(own) = self.own {
            own
        } else {
            self.files.push(own_file(folder)?);
            (self.files.len() - 1, 0)
        };
        let mut record = key.to_vec();
        record.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        (&self.files[number]).write_all(&record)?;
        self.places.insert(*key, (number, end + size_of::<Key>() as u64));
        self.own = Some((number, end + record.len() as u64));
        Ok(())
    }
}

/// Fills `bytes` from byte `start` of a file on. What is appended to it goes to its end all the same.
fn read_at(mut file: &File, bytes: &mut [u8], start: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(bytes)
}

/// A file that no other process writes.
fn own_file(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let process = std::process::id();
    for number in 0.. {
        let path = folder.join(format!("{process}-{number}.latents"));
        match OpenOptions::new().read(true).append(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened,
        }
    }
    unreachable!("numbers do not end")
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// Three frames of which the first and the last are equal.
    fn frames() -> Pixels {
        let bytes = [[1; 12], [2; 12], [1; 12]].concat();
        Pixels::from_rgb(bytes, [3, 1, 2, 2], [0.0; 3], [1.0 / 255.0; 3], &Device::flex())
    }

    /// Sums of frames, twice.
    fn sums(frames: Pixels) -> Tensor<2> {
        let count = frames.dims()[0];
        let sums: Tensor<2> = frames.into_tensor().reshape([count, 12]).sum_dim(1);
        Tensor::cat(vec![sums.clone(), sums], 1)
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.round().into_data().try_into_vec_as::<f32>().unwrap()
    }

    #[test]
    fn frames_are_encoded_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::new(folder.path(), "weights", 2);
        let expected = [12.0, 12.0, 24.0, 24.0, 12.0, 12.0];
        let first = cache.latents(&frames(), |missing| {
            assert_eq!(missing.dims(), [2, 3, 1, 2, 2]);
            sums(missing)
        });
        let nothing = |_: Pixels| unreachable!("all are kept");
        assert_eq!(values(first), expected);
        assert_eq!(values(cache.latents(&frames(), nothing)), expected);
        let again = FeatureCache::new(folder.path(), "weights", 2);
        assert_eq!(values(again.latents(&frames(), nothing)), expected);
        let other = FeatureCache::new(folder.path(), "other weights", 2);
        assert_eq!(values(other.latents(&frames(), |missing| sums(missing) * 2)), expected.map(|value| 2.0 * value));
    }

    #[test]
    fn what_was_cut_off_is_computed_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::new(folder.path(), "weights", 2);
        let _ = cache.latents(&frames(), sums);
        let file = fs::read_dir(&cache.folder).unwrap().next().unwrap().unwrap().path();
        OpenOptions::new().write(true).open(&file).unwrap().set_len(40 + 39).unwrap();
        let again = FeatureCache::new(folder.path(), "weights", 2);
        let latents = again.latents(&frames(), |missing| {
            assert_eq!(missing.dims()[0], 1);
            sums(missing)
        });
        assert_eq!(values(latents), [12.0, 12.0, 24.0, 24.0, 12.0, 12.0]);
    }

    /// Without a place to write to, everything is computed.
    #[test]
    fn a_folder_that_cannot_be_made_stops_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = FeatureCache::new(file.path(), "weights", 2);
        assert_eq!(values(cache.latents(&frames(), sums))[2], 24.0);
        assert_eq!(values(cache.latents(&frames(), sums))[2], 24.0);
    }
}
