//! Videos in object storage, against a server of this process: the same frames as from files, by ranges, and never a wrong one
//! when something fails.

#[path = "../../storage/tests/server/mod.rs"]
mod server;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prevision_core::FrameBuffer;
use prevision_storage::StorageError;
use prevision_video::{FrameSource as _, Mp4Options, Mp4Writer, OpenOptions, Quality, Video, VideoError};
use server::{Bucket, Counts, Fault};

/// A film of noise that does not compress: about 340 kB for each frame, a key frame every 10.
fn film(frames: usize, seed: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("film.mp4");
    let options =
        Mp4Options { width: 320, height: 240, frame_rate: 25, quality: Quality::Lossless, keyframe_interval: 10 };
    let mut writer = Mp4Writer::create(&path, &options).expect("created");
    let mut state = seed * 2 + 1;
    for _ in 0..frames {
        let mut pixel = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        };
        let rgb: Vec<u8> = (0..320 * 240 * 3).map(|_| pixel()).collect();
        writer.write(&rgb).expect("a frame");
    }
    writer.finish().expect("finished");
    fs::read(&path).expect("readable")
}

fn frames(video: &mut Video, indices: &[usize]) -> FrameBuffer {
    let mut out = FrameBuffer::default();
    video.read(indices, &mut out).expect("reads");
    out
}

/// The same bytes as a file and as an object.
fn both(bucket: &Bucket, name: &str, bytes: &[u8], check: impl FnOnce(&Path, &Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("written");
    bucket.put(name, bytes);
    check(&path, &bucket.address(name));
}

#[test]
fn a_clip_of_a_large_object_takes_the_ranges_that_it_needs() {
    let bucket = Bucket::new("large");
    let bytes = film(100, 1);
    assert!(bytes.len() > 30 << 20, "{}", bytes.len());
    both(&bucket, "film.mp4", &bytes, |path, address| {
        let options = OpenOptions::default();
        let mut file = Video::open(path, &options).expect("opens");
        let mut object = Video::open(address, &options).expect("opens");
        assert_eq!(file.timestamps(), object.timestamps());
        assert_eq!(file.info().key_frames, object.info().key_frames);
        let opened = bucket.take_counts();
        assert!(opened.bytes <= 2 << 20, "the header and the first frame: {opened:?}");
        assert!(frames(&mut object, &[54, 58, 62]) == frames(&mut file, &[54, 58, 62]));
        let read = bucket.take_counts();
        // Frames 50 to 62 are 4.5 MB; going straight on reads ahead.
        assert!(read.bytes <= 8 << 20 && read.gets <= 5, "{read:?} of {}", bytes.len());
        // Another decoder with the same index finds everything on the disk.
        let mut again = Video::open_indexed(address, &options, Arc::clone(object.index())).expect("opens");
        assert!(frames(&mut again, &[54, 58, 62]) == frames(&mut file, &[54, 58, 62]));
        assert_eq!(bucket.take_counts(), Counts::default());
        for clip in [[99, 3, 40], [0, 1, 99], [71, 71, 30]] {
            assert!(frames(&mut again, &clip) == frames(&mut file, &clip), "{clip:?}");
        }
    });
}

#[test]
fn a_small_object_is_read_once() {
    let bucket = Bucket::new("small");
    let bytes = film(12, 2);
    both(&bucket, "film.mp4", &bytes, |path, address| {
        let mut file = Video::open(path, &OpenOptions::default()).expect("opens");
        let mut object = Video::open(address, &OpenOptions::default()).expect("opens");
        let clip: Vec<usize> = (0..12).rev().collect();
        assert!(frames(&mut object, &clip) == frames(&mut file, &clip));
        let counts = bucket.take_counts();
        assert_eq!((counts.heads, counts.bytes), (1, bytes.len()));
        assert_eq!(object.info().path, address);
    });
}

#[test]
fn plain_http_gives_the_same_frames() {
    let bucket = Bucket::new("http");
    both(&bucket, "film.mp4", &film(5, 3), |path, _| {
        let mut file = Video::open(path, &OpenOptions::default()).expect("opens");
        let mut object = Video::open(&bucket.http_address("film.mp4"), &OpenOptions::default()).expect("opens");
        assert!(frames(&mut object, &[4, 0]) == frames(&mut file, &[4, 0]));
    });
}

#[test]
fn silence_ends_at_the_deadline() {
    let bucket = Bucket::new("stall");
    bucket.put("film.mp4", film(100, 4));
    let address = bucket.address("film.mp4");
    let patience = Duration::from_secs(2);
    let options = OpenOptions { patience, ..OpenOptions::default() };
    let mut video = Video::open(&address, &OpenOptions::default()).expect("opens");
    let index = Arc::clone(video.index());
    bucket.fail(Fault::Stall, usize::MAX);
    let begin = Instant::now();
    let error = Video::open_indexed(&address, &options, index)
        .and_then(|mut video| video.read(&[75], &mut FrameBuffer::default()))
        .unwrap_err();
    assert!(matches!(&error, VideoError::Timeout { path, .. } if *path == address), "{error:?}");
    assert!(begin.elapsed() < patience * 5, "{:?}", begin.elapsed());
    bucket.fail(Fault::Stall, 0);
    // What was open all along goes on.
    assert_eq!(frames(&mut video, &[75]).frames, 1);
}

#[test]
fn a_network_failure_is_neither_damage_nor_an_end() {
    let bucket = Bucket::new("failure");
    bucket.put("film.mp4", film(100, 5));
    bucket.put("small.mp4", film(20, 6));
    let address = bucket.address("film.mp4");
    let mut video = Video::open(&address, &OpenOptions::default()).expect("opens");
    bucket.fail(Fault::Break, usize::MAX);
    let failures = [
        video.read(&[75], &mut FrameBuffer::default()).unwrap_err(),
        // What FFmpeg has made of it is not asked again.
        video.read(&[2], &mut FrameBuffer::default()).unwrap_err(),
        Video::open(&bucket.address("small.mp4"), &OpenOptions::default()).map(|_| ()).unwrap_err(),
    ];
    for error in failures {
        assert!(matches!(error, VideoError::Storage(StorageError::Network { .. })), "{error:?}");
        assert!(error.to_string().contains("s3://failure/"), "{error}");
    }
    bucket.fail(Fault::Break, 2);
    let mut again = Video::open(&address, &OpenOptions::default()).expect("opens");
    assert_eq!(frames(&mut again, &[75]).frames, 1, "a failure that passes is not seen");
}

#[test]
fn another_object_in_its_place_never_gives_wrong_frames() {
    let bucket = Bucket::new("changed");
    let (old, new) = (film(60, 8), film(60, 9));
    bucket.put("film.mp4", old);
    let address = bucket.address("film.mp4");
    let options = OpenOptions::default();
    let mut video = Video::open(&address, &options).expect("opens");
    let index = Arc::clone(video.index());
    let first = frames(&mut video, &[0]);
    bucket.put("film.mp4", new.clone());
    let changed = |result: Result<(), VideoError>| match result {
        Err(VideoError::Storage(StorageError::Changed { address: named })) => assert_eq!(named, address),
        other => panic!("{other:?}"),
    };
    changed(video.read(&[45], &mut FrameBuffer::default()));
    let mut known = Video::open_indexed(&address, &options, index).expect("the cache has its first block");
    assert!(frames(&mut known, &[0]) == first, "what is cached is still the old one");
    changed(known.read(&[45], &mut FrameBuffer::default()));
    both(&Bucket::new("changed-to"), "film.mp4", &new, |path, _| {
        let mut file = Video::open(path, &options).expect("opens");
        let mut fresh = Video::open(&address, &options).expect("opens");
        assert!(frames(&mut fresh, &[0, 45]) == frames(&mut file, &[0, 45]));
    });
}

#[test]
fn what_is_not_there_or_no_video_is_said_by_its_address() {
    let bucket = Bucket::new("wrong");
    bucket.put("notes.mp4", *b"these are notes, not a film, and long enough to be looked into");
    bucket.put("empty.mp4", Vec::new());
    let open = |key: &str| Video::open(&bucket.address(key), &OpenOptions::default()).map(|_| ()).unwrap_err();
    assert!(matches!(open("gone.mp4"), VideoError::Storage(StorageError::NotFound { .. })));
    for (key, expected) in [("gone.mp4", "there is no object"), ("notes.mp4", "cannot open"), ("empty.mp4", "is empty")]
    {
        let text = open(key).to_string();
        assert!(text.contains(expected) && text.contains(&format!("s3://wrong/{key}")), "{text}");
    }
}

#[test]
fn a_playlist_does_not_lead_to_files() {
    let bucket = Bucket::new("playlist");
    both(&bucket, "film.mp4", &film(3, 10), |path, _| {
        bucket.put("list.m3u8", format!("#EXTM3U\n#EXTINF:1,\n{}\n", path.display()));
        bucket.put("list.txt", format!("ffconcat version 1.0\nfile {}\n", path.display()));
        for key in ["list.m3u8", "list.txt"] {
            assert!(Video::open(&bucket.address(key), &OpenOptions::default()).is_err(), "{key}");
        }
    });
}

/// Everything that can be said of a video in a short time.
fn told(path: &Path) -> Option<(Vec<f64>, usize, Vec<Option<FrameBuffer>>)> {
    let mut video = Video::open(path, &OpenOptions::default()).ok()?;
    let count = video.len();
    let mut read = |index: usize| {
        let mut out = FrameBuffer::default();
        video.read(&[index], &mut out).ok().map(|()| out)
    };
    let pictures = [count - 1, 0, count / 2, count / 3].map(&mut read).to_vec();
    Some((video.timestamps().to_vec(), video.info().warnings, pictures))
}

#[test]
fn cut_off_objects_are_like_cut_off_files() {
    let bucket = Bucket::new("cut");
    let whole = film(60, 11);
    for share in [1, 5, 9] {
        let name = format!("cut{share}.mp4");
        both(&bucket, &name, &whole[..whole.len() * share / 10], |path, address| {
            let (file, object) = (told(path), told(address));
            assert!(file == object, "{name}");
        });
    }
}

#[test]
fn shared_videos_are_the_same_from_storage() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let bucket = Bucket::new("shared");
    for folder in ["derived", "real", "real/broken"] {
        let entries = fs::read_dir(data.join(folder)).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path()).filter(|path| path.is_file() && path.extension().is_some());
        for path in files.filter(|path| {
            !["json", "tsv", "csv", "md", "txt"].contains(&path.extension().and_then(|e| e.to_str()).unwrap_or(""))
        }) {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            let mut bytes = fs::read(&path).expect("readable");
            both(&bucket, &name, &bytes, |path, address| assert!(told(path) == told(address), "{name}"));
            if matches!(path.extension().and_then(|extension| extension.to_str()), Some("mp4" | "mov" | "3gp")) {
                // An empty box makes it so large that its packets are left out when it is indexed.
                bytes.extend((9u32 << 20).to_be_bytes());
                bytes.extend(b"free");
                bytes.resize(bytes.len() + (9 << 20) - 8, 0);
                both(&bucket, &name, &bytes, |path, address| assert!(told(path) == told(address), "{name}, large"));
            }
        }
    }
}
