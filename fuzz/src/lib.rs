//! What the fuzz targets share: copies of small data sets in which one file is replaced by the bytes of an input, and readers that
//! look at all that is in a data set, as a user's program would.
//!
//! The first two bytes of an input say which file of which copy the others replace. The corpus of a target begins with the files as
//! they are, so that mutations reach deep.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use prevision_core::FrameBuffer;
use prevision_core::config::Part;
use prevision_data::{DataConfig, EpisodeSource, Formats, Split, built_in, in_order, info::DataInfo, open};
use prevision_video::{FrameSource, OpenOptions, Video, VideoError};
use tempfile::TempDir;

/// Where the tests of the crate for data have their golden copies.
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/data/tests");

/// A file of a copy.
struct Place {
    /// The data set that it belongs to.
    root: PathBuf,
    path: PathBuf,
    whole: Vec<u8>,
}

/// Copies of data sets, and their files.
pub struct Copies {
    _folder: TempDir,
    places: Vec<Place>,
}

impl Copies {
    /// Copies of these data sets. Inputs replace those files that `which` holds for.
    pub fn new(target: &str, roots: &[PathBuf], which: impl Fn(&Path) -> bool) -> Self {
        let (folder, mut places) = (temporary(), Vec::new());
        for (number, root) in roots.iter().enumerate() {
            let name = root.file_name().expect("a name").to_string_lossy().into_owned();
            let copy = folder.path().join(number.to_string()).join(name);
            for file in files(root) {
                let path =
                    if file == *root { copy.clone() } else { copy.join(file.strip_prefix(root).expect("below")) };
                fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                let whole = fs::read(&file).expect("read");
                fs::write(&path, &whole).expect("written");
                if which(&path) {
                    places.push(Place { root: copy.clone(), path, whole });
                }
            }
        }
        assert!(!places.is_empty(), "no file to replace");
        let copies = Self { _folder: folder, places };
        seed(target, copies.seeds().map(|(number, whole)| [&number[..], &whole].concat()));
        copies
    }

    /// Every file that can be replaced: what an input begins with that replaces it, and the file as it is.
    pub fn seeds(&self) -> impl Iterator<Item = ([u8; 2], Vec<u8>)> {
        self.places.iter().enumerate().map(|(number, place)| ((number as u16).to_le_bytes(), place.whole.clone()))
    }

    /// Replaces a file, looks at the data set, and puts the file back.
    pub fn replaced(&self, input: &[u8], change: impl Fn(&Path, &mut Vec<u8>), look: impl FnOnce(&Path)) {
        let Some((number, bytes)) = input.split_first_chunk::<2>() else { return };
        let place = &self.places[usize::from(u16::from_le_bytes(*number)) % self.places.len()];
        let mut bytes = bytes.to_vec();
        change(&place.path, &mut bytes);
        fs::write(&place.path, bytes).expect("written");
        look(&place.root);
        fs::write(&place.path, &place.whole).expect("written");
    }
}

/// A folder in memory, where the system has one.
pub fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

/// Puts the first inputs of a target into its corpus.
pub fn seed(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&corpus).expect("made");
    for (number, input) in inputs.into_iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number:03}")), input).expect("written");
    }
}

/// All golden copies of recorded episodes, in every format that is built in.
pub fn golden_recordings() -> Vec<PathBuf> {
    let (formats, mut found) = (Formats::built_in(), Vec::new());
    find(Path::new(TESTS), &formats, &mut found);
    for name in formats.names() {
        assert!(found.iter().any(|at| formats.detect(at).as_deref() == Some(name)), "no golden copy of format {name}");
    }
    found
}

fn find(folder: &Path, formats: &Formats, found: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if formats.detect(&path).is_some() {
            found.push(path);
        } else if path.is_dir() {
            find(&path, formats, found);
        }
    }
}

/// A video of the golden copies.
pub fn golden_video() -> PathBuf {
    let path = Path::new(TESTS).join("golden/recording/pixels/ep_0.mp4");
    assert!(path.is_file(), "{} is gone", path.display());
    path
}

/// Small videos of many kinds: those of the golden copies, and the odd ones of the tests of the crate for video.
pub fn small_videos() -> Vec<PathBuf> {
    let odd = files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/video/tests/cases")));
    let golden = files(Path::new(TESTS)).into_iter().filter(|path| is_video(path));
    golden.chain(odd).filter(|path| fs::metadata(path).is_ok_and(|found| found.len() < 64_000)).collect()
}

fn files(root: &Path) -> Vec<PathBuf> {
    if root.is_file() {
        return vec![root.to_owned()];
    }
    entries(root).iter().flat_map(|path| files(path)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("read").map(|entry| entry.expect("read").path()).collect();
    paths.sort();
    paths
}

/// Whether a file is a video by its name: those are the business of the target `video`.
pub fn is_video(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "mp4")
}

/// Opens recorded episodes and looks at all that is in them. What cannot be read is an error.
pub fn look_at_recording(at: &Path) {
    static FORMATS: OnceLock<Formats> = OnceLock::new();
    let formats = FORMATS.get_or_init(Formats::built_in);
    let Ok(source) = formats.open(at, None) else { return };
    look_at_source(source.as_ref());
    let (cameras, columns) = (source.cameras().unwrap_or_default(), source.columns().unwrap_or_default());
    let keys = Part::new("episodes")
        .with("path", at.to_str().expect("UTF-8"))
        .with("cameras", cameras.into_iter().take(1).collect::<Vec<_>>())
        .with("action", columns.iter().find(|name| name.contains("action")).cloned().unwrap_or_default());
    look_at_clips(keys);
}

fn look_at_source(source: &dyn EpisodeSource) {
    let _ = DataInfo::of(None, source);
    let rows: usize = (0..source.episodes()).map(|episode| source.length(episode)).sum();
    for name in source.columns().unwrap_or_default() {
        if let Ok(column) = source.column(&name) {
            assert_eq!((column.rows, column.data.len()), (rows, rows * column.columns), "column {name}");
        }
    }
    for camera in source.cameras().unwrap_or_default() {
        for episode in (0..source.episodes()).take(1) {
            let _ = source.frames_of(&camera, episode);
            if let Some(last) = source.length(episode).checked_sub(1) {
                if let Ok(frames) = source.frames(&camera, episode, &[last, 0]) {
                    assert_eq!((frames.frames, frames.data.len()), (2, 2 * frames.height * frames.width * 3));
                }
            }
        }
    }
}

/// Opens a data set and reads one clip of each video. What cannot be read is an error or is skipped.
pub fn look_at_clips(source: Part) {
    let config = DataConfig {
        source,
        frames: 2,
        clips_per_video: 1,
        validation_fraction: 0.0,
        max_broken_fraction: 1.0,
        read_timeout: 10.0,
        ..DataConfig::default()
    };
    let Ok(source) = config.source(&built_in(), &Formats::built_in()) else { return };
    let Ok(dataset) = open(&config, source.as_ref(), Split::Train, 0) else { return };
    for batch in in_order(dataset.as_ref(), 1).take(3) {
        let Ok(batch) = batch else { break };
        for clip in &batch.clips {
            assert!(clip.observations.cameras.values().all(|frames| frames.frames == 2));
        }
    }
}

/// Reads every frame of a video, in three orders.
pub fn look_at_video(video: Result<Video, VideoError>) {
    let Ok(mut video) = video else { return };
    let (frames, (width, height)) = (video.len(), video.size());
    // An input may be a film of the largest pictures that there are.
    let most = (1_usize << 22).checked_div(width * height).unwrap_or(0).clamp(1, 64).min(frames);
    let mut out = FrameBuffer::default();
    for index in (0..most).chain((0..most).rev()).chain([frames - 1]) {
        let _ = video.index_at(video.timestamps()[index]);
        if video.read(&[index], &mut out).is_ok() {
            assert_eq!((out.frames, out.height, out.width), (1, height, width));
        }
    }
}

/// How the targets open videos: with less patience than libFuzzer has.
pub fn options() -> OpenOptions {
    OpenOptions { threads: 1, patience: std::time::Duration::from_secs(5) }
}
