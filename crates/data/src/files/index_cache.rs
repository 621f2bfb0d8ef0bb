//! Indices of video files on disk, so that a file is read through only once.
//!
//! One file for each video, named by the hash of its path or address: a header that says which file it was made of, the index,
//! and a checksum. All failures fall back to making the index again.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use prevision_core::seed::fnv1a;
use prevision_core::whole_file;
use prevision_storage::{Object, Version, after, cache_folder, is_address};
use prevision_video::{VideoIndex, decoder_version};
use serde::{Deserialize, Serialize};

/// Changes with every change of what is stored, or of what it is made of.
const MAGIC: &[u8; 8] = b"PVINDEX4";
/// Longest time for asking which version an object has.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where indices are kept; nowhere if the user has no folder for caches.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexCache {
    folder: Option<PathBuf>,
}

/// What an index was made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    path: Vec<u8>,
    bytes: u64,
    /// Time of the last change, nanoseconds since 1970; the tag of an object in storage.
    state: Vec<u8>,
    /// The version of the decoders: what they make of a file may change.
    decoders: u32,
}

impl Origin {
    /// Of a file as it is now.
    fn of_file(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        Some(Self::new(path, metadata.len(), &modified.to_le_bytes()))
    }

    /// Of a version of an object in storage.
    fn of_object(address: &Path, version: &Version) -> Self {
        Self::new(address, version.bytes, version.tag.as_bytes())
    }

    fn new(path: &Path, bytes: u64, state: &[u8]) -> Self {
        let path = path.as_os_str().as_bytes().to_vec();
        Self { path, bytes, state: state.to_vec(), decoders: decoder_version() }
    }
}

impl IndexCache {
    /// A cache in this folder, which is made when it is needed.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The user's, in the folder for caches.
    pub(crate) fn of_user() -> Self {
        Self::new(cache_folder().map(|folder| folder.join("indices")))
    }

    /// The index of a file, if one is there that was made of the file as it is now.
    pub(crate) fn load(&self, path: &Path) -> Option<VideoIndex> {
        let place = self.place(path)?;
        if !is_address(path) {
            return Self::load_of(&place, &Origin::of_file(&fs::canonicalize(path).ok()?)?);
        }
        if !place.is_file() {
            return None;
        }
        let version = Object::open(path, &after(PATIENCE)).ok()?.version().clone();
        let index = Self::load_of(&place, &Origin::of_object(path, &version))?;
        Some(index.of_version(version))
    }

    fn load_of(place: &Path, origin: &Origin) -> Option<VideoIndex> {
        let bytes = fs::read(place).ok()?;
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        let payload = body.strip_prefix(MAGIC)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (found, rest) = postcard::take_from_bytes::<Origin>(payload).ok()?;
        if found != *origin {
            return None;
        }
        postcard::from_bytes(rest).ok()
    }

    /// Keeps an index. Another process that does the same at the same time does no harm.
    pub(crate) fn store(&self, path: &Path, index: &VideoIndex) {
        if let Err(error) = self.try_store(path, index) {
            tracing::debug!("the index of {} is not kept: {error}", path.display());
        }
    }

    fn try_store(&self, path: &Path, index: &VideoIndex) -> std::io::Result<()> {
        let origin = match index.version() {
            Some(version) => Some(Origin::of_object(path, version)),
            None => fs::canonicalize(path).ok().and_then(|path| Origin::of_file(&path)),
        };
        let (Some(place), Some(origin)) = (self.place(path), origin) else {
            return Ok(());
        };
        let other = |error: postcard::Error| std::io::Error::other(error.to_string());
        let mut bytes = MAGIC.to_vec();
        bytes.extend(postcard::to_stdvec(&origin).map_err(other)?);
        bytes.extend(postcard::to_stdvec(index).map_err(other)?);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        whole_file::write(&place, &bytes)
    }

    /// Forgets the index of a file.
    pub(crate) fn remove(&self, path: &Path) {
        if let Some(place) = self.place(path) {
            // Nothing is left to be done if it has gone already.
            let _ = fs::remove_file(place);
        }
    }

    fn place(&self, path: &Path) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let path = if is_address(path) { path.to_owned() } else { fs::canonicalize(path).ok()? };
        let hash = format!("{:016x}", fnv1a(path.as_os_str().as_bytes()));
        // Not too many files in one folder.
        Some(folder.join(&hash[..2]).join(&hash[2..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::FrameBuffer;
    use prevision_video::{FrameSource as _, Mp4Options, Mp4Writer, OpenOptions, Quality, Video};
    use std::sync::Arc;

    fn write_video(path: &Path, frames: u8) {
        let options =
            Mp4Options { width: 24, height: 18, frame_rate: 25, quality: Quality::Crf(18), keyframe_interval: 5 };
        let mut writer = Mp4Writer::create(path, &options).expect("created");
        for index in 0..frames {
            writer.write(&[index * 4; 24 * 18 * 3]).expect("a frame");
        }
        writer.finish().expect("finished");
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut files = vec![];
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() { files.extend(self::files(&entry.path())) } else { files.push(entry.path()) }
        }
        files
    }

    #[test]
    fn an_index_comes_back_until_the_file_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, cache) = (folder.path().join("a.mp4"), IndexCache::new(Some(folder.path().join("cache"))));
        write_video(&path, 20);
        assert!(cache.load(&path).is_none());
        let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
        cache.store(&path, video.index());
        let index = cache.load(&path).expect("kept");
        assert_eq!((index.info(), index.timestamps()), (video.info(), video.timestamps()));
        let mut indexed = Video::open_indexed(&path, &OpenOptions::default(), Arc::new(index)).expect("opens");
        let (mut wanted, mut found) = (FrameBuffer::default(), FrameBuffer::default());
        for clip in [[3, 4, 11], [19, 0, 7], [12, 13, 14]] {
            video.read(&clip, &mut wanted).expect("reads");
            indexed.read(&clip, &mut found).expect("reads");
            assert!(wanted == found, "{clip:?}");
        }
        write_video(&path, 30);
        assert!(cache.load(&path).is_none(), "the file has changed");
        cache.store(&path, Video::open(&path, &OpenOptions::default()).expect("opens").index());
        assert_eq!(cache.load(&path).expect("kept").timestamps().len(), 30);
        cache.remove(&path);
        assert!(cache.load(&path).is_none());
    }

    #[test]
    fn damaged_files_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, cache) = (folder.path().join("a.mp4"), IndexCache::new(Some(folder.path().join("cache"))));
        write_video(&path, 20);
        cache.store(&path, Video::open(&path, &OpenOptions::default()).expect("opens").index());
        let [kept]: [PathBuf; 1] = files(&folder.path().join("cache")).try_into().expect("one file");
        let whole = fs::read(&kept).expect("readable");
        for place in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x55;
            fs::write(&kept, &damaged).expect("written");
            assert!(cache.load(&path).is_none(), "byte {place}");
            fs::write(&kept, &whole[..place]).expect("written");
            assert!(cache.load(&path).is_none(), "cut at {place}");
        }
        fs::write(&kept, &whole).expect("written");
        assert!(cache.load(&path).is_some());
        assert!(IndexCache::new(None).load(&path).is_none());
    }
}
