//! Damaged files of every format: an error that names the data set's file, or what was there before; never a panic, a hang or rows of
//! another shape. Where checksums cover the damage, never another value either.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::common::{bytes, open_side, source};
use prevision_data::{
    DataConfig, Encoding, EpisodeReader, Formats, PrepareOptions, Split, in_order, info::DataInfo, prepare,
};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What a format promises of a damaged file that can still be read.
#[derive(Clone, Copy, PartialEq)]
enum Promise {
    /// Checksums cover the columns: they have the values that were written.
    Values,
    /// There are no checksums: the columns have as many rows and numbers as before.
    Shape,
    /// Names are not covered either, and nothing else tells how many there were: each column that is there fits the episodes.
    Rows,
}

/// The golden copies of all formats.
const GOLDEN: &[(&str, Promise)] = &[
    ("golden/recording", Promise::Values),
    ("golden/stable_worldmodel", Promise::Values),
    ("lerobot/v2.1", Promise::Shape),
    ("lerobot/v3.0", Promise::Shape),
    ("hdf5/latest.h5", Promise::Rows),
    ("hdf5/earliest.h5", Promise::Rows),
    ("folder/recording", Promise::Values),
    ("zarr/v2.zarr", Promise::Rows),
    ("zarr/v3.zarr", Promise::Rows),
    ("golden/table", Promise::Rows),
    #[cfg(feature = "lance")]
    ("lance/stable_worldmodel.lance", Promise::Rows),
];

/// Bytes are cut off at so many places of each file, and changed at twice as many.
const PLACES: usize = 5;

/// All that is read of a recording: per column its width and its values, per camera the sizes of pictures.
#[derive(PartialEq)]
struct Content {
    lengths: Vec<usize>,
    columns: BTreeMap<String, (usize, Vec<u32>)>,
    pictures: Vec<(usize, usize)>,
}

/// Reads all columns, or the first and the last frame of every episode, or both.
fn read(at: &Path, columns: bool, frames: bool) -> Result<Content, String> {
    let source = Formats::built_in().open(at, None).map_err(|error| error.to_string())?;
    let lengths: Vec<usize> = (0..source.episodes()).map(|episode| source.length(episode)).collect();
    let mut content = Content { lengths, columns: BTreeMap::new(), pictures: vec![] };
    let rows: usize = content.lengths.iter().sum();
    for name in source.columns().map_err(|error| error.to_string())?.iter().filter(|_| columns) {
        // Texts and complex numbers are columns that cannot be read.
        match source.column(name) {
            Ok(column) => {
                assert_eq!((column.rows, column.data.len()), (rows, rows * column.columns), "column {name}");
                let values = column.data.iter().map(|value| value.to_bits()).collect();
                content.columns.insert(name.clone(), (column.columns, values));
            }
            Err(error) if error.to_string().contains("has dtype") => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    for camera in source.cameras().map_err(|error| error.to_string())?.iter().filter(|_| frames) {
        for (episode, &length) in content.lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let read = source.frames(camera, episode, &[0, length - 1]).map_err(|error| error.to_string())?;
            assert_eq!(read.data.len(), 2 * read.width * read.height * 3);
            content.pictures.push((read.width, read.height));
        }
    }
    Ok(content)
}

fn files(root: &Path) -> Vec<PathBuf> {
    if root.is_file() {
        return vec![root.to_owned()];
    }
    let mut paths: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| files(path)).collect()
}

/// A copy of a data set.
fn copy(root: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(root.file_name().unwrap());
    for file in files(root) {
        let to = if file == root { copy.clone() } else { copy.join(file.strip_prefix(root).unwrap()) };
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
    (folder, copy)
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// A file cut off and changed at many places, which depend on its name and length alone; and what was done to it.
fn damages(path: &Path, whole: &[u8]) -> Vec<(String, Vec<u8>)> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    // Headers lie at the ends.
    let ends = [1, 5, whole.len() / 2, whole.len().saturating_sub(9), whole.len().saturating_sub(2)];
    let spread = |count: usize| (0..count).map(move |place| (place * 2 + 1) * whole.len() / (count * 2));
    let mut damages = vec![];
    for place in spread(PLACES).chain(ends).chain([0]).filter(|&place| place < whole.len()) {
        damages.push((format!("{name} cut off at {place}"), whole[..place].to_vec()));
    }
    for (number, place) in spread(2 * PLACES).chain(ends).enumerate().filter(|(_, place)| *place < whole.len()) {
        let bits = [0x01, 0x80, 0xff, 0x10, 0x03][number % 5];
        let mut damaged = whole.to_vec();
        damaged[place] ^= bits;
        damages.push((format!("{name}, byte {place} changed by {bits:#x}"), damaged));
    }
    damages
}

/// Runs something that must not panic.
fn calmly<T>(case: &str, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| panic!("it panicked with {case}"))
}

#[test]
fn recordings_of_every_format() {
    // The tables of `lance_video` are read as those of `lance` are; without the feature neither is read.
    let read_here = |name: &&str| *name != "lance_video" && (cfg!(feature = "lance") || *name != "lance");
    for name in Formats::built_in().names().filter(read_here) {
        let covered = |(at, _): &(&str, _)| Formats::built_in().detect(&golden(at)).as_deref() == Some(name);
        assert!(GOLDEN.iter().any(covered), "no golden copy of {name} is damaged");
    }
    for &(name, promise) in GOLDEN {
        let (_folder, root) = copy(&golden(name));
        let whole = read(&root, true, true).unwrap();
        let (mut failed, mut survived) = (0, 0);
        for path in files(&root) {
            let original = fs::read(&path).unwrap();
            // Lists can change either.
            let (columns, frames) = match path.extension().and_then(|kind| kind.to_str()) {
                Some("mp4") => (false, true),
                Some("npz" | "parquet" | "csv") => (true, false),
                _ => (true, true),
            };
            for (case, damaged) in damages(&path, &original) {
                let case = format!("{name}: {case}");
                fs::write(&path, damaged).unwrap();
                match calmly(&case, || read(&root, columns, frames)) {
                    Ok(found) => {
                        survived += 1;
                        if promise == Promise::Rows {
                            continue;
                        }
                        assert_eq!(found.lengths, whole.lengths, "{case}");
                        if frames {
                            assert_eq!(found.pictures, whole.pictures, "{case}");
                        }
                        for (column, (width, values)) in &found.columns {
                            let (before, original) = &whole.columns[column];
                            assert_eq!((width, values.len()), (before, original.len()), "{case}: {column}");
                            assert!(
                                promise == Promise::Shape || values == original,
                                "{case}: other values of {column}"
                            );
                        }
                        assert!(!columns || found.columns.len() == whole.columns.len(), "{case}: a column is gone");
                    }
                    Err(message) => {
                        failed += 1;
                        assert!(message.contains(root.to_str().unwrap()), "{case}: {message}");
                    }
                }
            }
            fs::write(&path, original).unwrap();
        }
        assert!(failed > 10 && survived > 0, "{name}: {failed} failed, {survived} did not");
        assert!(read(&root, true, true).unwrap() == whole, "{name}: mended");
    }
}

/// Video and first frame of each clip, its times and pixels.
type Clips = BTreeMap<(usize, usize), (Vec<f64>, Vec<u8>)>;

/// Reads two clips of each video; what is skipped is named.
fn clips(at: &Path) -> Result<(Clips, Vec<String>), String> {
    let config = DataConfig {
        source: source("videos", at),
        frames: 3,
        size: Some(16),
        clips_per_video: 2,
        validation_fraction: 0.0,
        max_broken_fraction: 0.9,
        ..DataConfig::default()
    };
    let dataset = open_side(&config, Split::Train, 0).map_err(|error| error.to_string())?;
    let mut clips = Clips::new();
    for batch in in_order(dataset.as_ref(), 1) {
        for clip in batch.map_err(|error| error.to_string())?.clips {
            let key = (clip.source.video, clip.source.start);
            clips.insert(key, (clip.times.clone(), bytes(clip)));
        }
    }
    let skipped = dataset.skipped().iter().map(ToString::to_string).collect();
    Ok((clips, skipped))
}

#[test]
fn prepared_videos() {
    let folder = tempfile::tempdir().unwrap();
    let videos = folder.path().join("videos");
    fs::create_dir(&videos).unwrap();
    for number in 0..2 {
        let name = format!("episode_00000{number}.mp4");
        let golden = golden("lerobot/v2.1/videos/chunk-000/observation.images.top").join(&name);
        fs::copy(golden, videos.join(&name)).unwrap();
    }
    for encoding in [Encoding::Raw, Encoding::Mjpeg, Encoding::H264] {
        let root = folder.path().join(format!("{encoding:?}"));
        let options = PrepareOptions {
            source: videos.clone(),
            out: root.clone(),
            encoding,
            short_side: 16,
            quality: 4,
            keyframe_interval: 4,
            workers: 1,
            read_timeout: 60.0,
        };
        prepare(&options, &|_| true).unwrap();
        let (whole, skipped) = clips(&root).unwrap();
        assert_eq!((whole.len(), skipped.len()), (4, 0));
        for path in files(&root).into_iter().filter(|path| !path.ends_with("plan.json")) {
            let original = fs::read(&path).unwrap();
            let mut cases = damages(&path, &original);
            // A frame that would never be noticed by its picture.
            let middle = original.len() / 3;
            let mut last_bit = original.clone();
            last_bit[middle] ^= 1;
            cases.push((format!("{}, the last bit of byte {middle} changed", path.display()), last_bit));
            for (case, damaged) in cases {
                let case = format!("{encoding:?}: {case}");
                fs::write(&path, damaged).unwrap();
                match calmly(&case, || clips(&root)) {
                    Ok((found, skipped)) => {
                        for (clip, content) in &found {
                            assert!(whole.get(clip) == Some(content), "{case}: clip {clip:?} is another one");
                        }
                        let videos = |clips: &Clips| {
                            clips.keys().map(|clip| clip.0).collect::<std::collections::BTreeSet<_>>().len()
                        };
                        // One of two clips may be good, and its video is named all the same.
                        assert!(videos(&found) + skipped.len() >= 2, "{case}: {skipped:?}");
                        assert!(found.len() == whole.len() || !skipped.is_empty(), "{case}");
                    }
                    Err(message) => assert!(message.contains(folder.path().to_str().unwrap()), "{case}: {message}"),
                }
            }
            fs::write(&path, original).unwrap();
        }
    }
}

/// Writes an array of bytes that are 0, as a damaged or malicious `.npz` may hold it.
fn write_zeros(path: &Path, descr: &str, shape: &str, bytes: usize) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file("arr_0.npy", options).unwrap();
    archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
    archive.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    archive.write_all(header.as_bytes()).unwrap();
    archive.write_all(&vec![0; bytes]).unwrap();
    archive.finish().unwrap();
}

#[test]
fn absurd_sizes_of_recordings() {
    let (_folder, root) = copy(&golden("golden/recording"));
    let message = || read(&root, true, false).err().unwrap();
    let episodes = read(&root, false, false).unwrap().lengths.len();
    assert_eq!(episodes, 2);
    // More numbers than the file has bytes; more episodes than anyone has.
    let (lengths, action) = (root.join("ep_len.npz"), root.join("action.npz"));
    let original = (fs::read(&lengths).unwrap(), fs::read(&action).unwrap());
    write_zeros(&lengths, "<i8", "(1152921504606846976,)", 16);
    assert!(message().contains("ep_len.npz: arr_0.npy claims the shape"), "{}", message());
    write_zeros(&lengths, "|u1", "(67108865,)", 67_108_865);
    assert!(message().contains("ep_len.npz: has 67108865 episodes, expected at most"), "{}", message());
    // Episodes of 2^31 and of 2^50 moments.
    for length in [1_i64 << 31, 1 << 50] {
        let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n";
        let mut archive = ZipWriter::new(File::create(&lengths).unwrap());
        archive.start_file("arr_0.npy", SimpleFileOptions::default()).unwrap();
        archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
        archive.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        archive.write_all(&[header.as_bytes(), &length.to_le_bytes(), &length.to_le_bytes()].concat()).unwrap();
        archive.finish().unwrap();
        assert!(message().contains("rows; episode 0 needs rows 0.."), "{}", message());
        let source = Formats::built_in().open(&root, None).unwrap();
        assert!(source.frames("pixels", 0, &[length as usize - 1]).unwrap_err().to_string().contains("ep_0.mp4"));
        let error = EpisodeReader::open(&root).unwrap().episode(0).unwrap_err().to_string();
        assert!(error.contains(&format!("frames, ep_len.npz says {length}")), "{error}");
        assert!(DataInfo::of(None, source.as_ref()).is_err());
    }
    fs::write(&lengths, original.0).unwrap();
    // A column of many more rows than the episodes need is not kept in memory.
    write_zeros(&action, "|u1", "(16777216, 2)", 1 << 25);
    assert_eq!(
        read(&root, true, false).unwrap().columns["action"].1.len(),
        2 * read(&root, false, false).unwrap().lengths.iter().sum::<usize>()
    );
    // Episodes that overlap would take more memory than the file.
    fs::write(&action, original.1).unwrap();
    write_zeros(&root.join("ep_offset.npz"), "<i8", "(2,)", 16);
    assert!(message().contains("rows that episodes 0 and 1 share"), "{}", message());
}

#[test]
fn absurd_sizes_of_lerobot_data_sets() {
    let (_folder, root) = copy(&golden("lerobot/v2.1"));
    let list = root.join("meta/episodes.jsonl");
    let text = fs::read_to_string(&list).unwrap();
    let message = |old: &str, new: &str| {
        assert!(text.contains(old), "{text}");
        fs::write(&list, text.replace(old, new)).unwrap();
        read(&root, true, true).err().unwrap()
    };
    let large = message("\"length\": 12", "\"length\": 2147483648");
    assert!(large.contains("has 12 rows, its episodes have 2147483648"), "{large}");
    let larger = message("\"length\": 12", "\"length\": 18446744073709551615");
    assert!(larger.contains("its episodes have more than"), "{larger}");
    // Shorter than it was: its rows would be those of a part.
    let shorter = message("\"length\": 12", "\"length\": 11");
    assert!(shorter.contains("claims 24 numbers, expected at most 22"), "{shorter}");
    let lost: String = text.split_inclusive('\n').take(2).collect();
    fs::write(&list, lost).unwrap();
    let message = read(&root, true, true).err().unwrap();
    assert!(message.contains("episodes.jsonl: lists 2 episodes, meta/info.json says 3"), "{message}");
}
