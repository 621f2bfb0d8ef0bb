//! The loader's promises: order, determinism, resume, ends. Videos are Moving MNIST made of a synthetic digit file.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{bytes, open_side, source};
use prevision_core::{Camera, Clip, ClipSource, FrameBuffer, Observations, Spaces};
use prevision_data::{
    ClipDataset, ClipRequest, DataConfig, DataError, Found, Loader, LoaderConfig, SkippedFile, Split, in_order,
    in_order_with,
};

/// An idx3 file of ten digits, digit `d` all of gray 100 + `d`.
fn digits(folder: &Path) -> PathBuf {
    let path = folder.join("train-images-idx3-ubyte");
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28];
    bytes.extend((0..10_u8).flat_map(|digit| vec![100 + digit; 28 * 28]));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn config(folder: &Path) -> DataConfig {
    let source = source("moving-mnist", &digits(folder)).with("videos", 23).with("length", 10).with("canvas", 32);
    DataConfig {
        source,
        frames: 3,
        clips_per_video: 2,
        validation_fraction: 0.2,
        batch_size: 5,
        flip: true,
        ..DataConfig::default()
    }
}

fn loader(config: &DataConfig, workers: usize, prefetch_bytes: usize, start: u64) -> Loader {
    let dataset = open_side(config, Split::Train, 1).unwrap();
    Loader::new(dataset, &LoaderConfig { workers, prefetch_bytes, ..LoaderConfig::new(config, 1) }, start).unwrap()
}

type Print = (u64, Vec<(ClipSource, Vec<u8>)>);

fn take(loader: &mut Loader, batches: usize) -> Vec<Print> {
    let print = |clip: Clip| (clip.source.clone(), bytes(clip));
    (0..batches)
        .map(|_| loader.next_batch().unwrap())
        .map(|batch| (batch.number, batch.clips.into_iter().map(print).collect()))
        .collect()
}

#[test]
fn batches_do_not_depend_on_workers_memory_or_resume() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let reference = take(&mut loader(&config, 0, 0, 0), 20);
    assert!(reference.iter().map(|(number, _)| *number).eq(0..20));
    for (workers, bytes) in [(1, 1 << 20), (2, 1 << 20), (7, 1 << 24), (7, 0)] {
        assert!(take(&mut loader(&config, workers, bytes, 0), 20) == reference, "{workers} workers, {bytes} bytes");
    }
    for start in [1, 6, 7, 13] {
        assert!(
            take(&mut loader(&config, 2, 1 << 20, start as u64), 20 - start) == reference[start..],
            "resumed at {start}"
        );
    }
    let other = Loader::new(
        open_side(&config, Split::Train, 1).unwrap(),
        &LoaderConfig { seed: 2, ..LoaderConfig::new(&config, 1) },
        0,
    );
    assert!(take(&mut other.unwrap(), 20) != reference, "another seed");
}

#[test]
fn an_epoch_is_every_video_once_with_its_clips_together_but_for_the_last_short_batch() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let mut loader = loader(&config, 2, 1 << 20, 0);
    let dataset = open_side(&config, Split::Train, 1).unwrap();
    let clips = dataset.videos() * 2;
    assert_eq!(dataset.clips_per_epoch(), clips);
    let mut orders = vec![];
    for _ in 0..2 {
        let videos: Vec<usize> =
            (0..clips / 5).flat_map(|_| loader.next_batch().unwrap().clips).map(|clip| clip.source.video).collect();
        assert!(videos.chunks_exact(2).all(|pair| pair[0] == pair[1]), "{videos:?}");
        let distinct: HashSet<_> = videos.iter().collect();
        assert_eq!(distinct.len(), videos.len().div_ceil(2), "no video twice");
        orders.push(videos);
    }
    assert_ne!(orders[0], orders[1]);
    assert_eq!(loader.next_batch().unwrap().number as usize, 2 * (clips / 5));
}

#[test]
fn the_split_is_by_video() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let videos = |split| -> HashSet<usize> {
        in_order(open_side(&config, split, 1).unwrap().as_ref(), 4)
            .flat_map(|batch| batch.unwrap().clips)
            .map(|clip| clip.source.video)
            .collect()
    };
    let (train, validation) = (videos(Split::Train), videos(Split::Validation));
    assert!(train.is_disjoint(&validation) && !validation.is_empty());
    assert_eq!(train.len() + validation.len(), 23);
    let none = DataConfig { validation_fraction: 0.0, ..config };
    let message = open_side(&none, Split::Validation, 1).err().unwrap().to_string();
    assert!(message.contains("no video is left for validation: 23 in all, data.validation_fraction is 0"), "{message}");
}

#[test]
fn in_order_walks_once_and_keeps_the_last_short_batch() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let dataset = open_side(&config, Split::Train, 1).unwrap();
    let batches: Vec<_> = in_order(dataset.as_ref(), 8).map(Result::unwrap).collect();
    let sizes: Vec<_> = batches.iter().map(|batch| batch.clips.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), dataset.clips_per_epoch());
    assert!(sizes[..sizes.len() - 1].iter().all(|&size| size == 8) && (1..=8).contains(&sizes[sizes.len() - 1]));
    let starts: Vec<_> = batches.iter().flat_map(|batch| &batch.clips).map(|clip| clip.source.start).collect();
    assert!(
        starts.chunks_exact(2).all(|pair| pair == [2, 6]),
        "10 - 3 + 1 = 8 windows, the middles of both halves: {starts:?}"
    );
}

#[test]
fn a_batch_larger_than_the_data_set_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = DataConfig { batch_size: 200, ..config(folder.path()) };
    let dataset = open_side(&config, Split::Train, 1).unwrap();
    let expected = format!(
        "data.batch_size is 200, but must be between 1 and {}: the data set has {} videos and data.clips_per_video is 2",
        dataset.clips_per_epoch(),
        dataset.videos()
    );
    let message = Loader::new(dataset, &LoaderConfig::new(&config, 1), 0).err().unwrap().to_string();
    assert_eq!(message, expected);
}

/// A data set whose clips count themselves, take their time, and fail where told.
struct Slow {
    drawn: AtomicUsize,
    time: Duration,
    panics_at: Option<usize>,
    spaces: Spaces,
}

impl ClipDataset for Slow {
    fn videos(&self) -> usize {
        100
    }

    fn clips_per_video(&self) -> usize {
        1
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        assert!(Some(request.slot) != self.panics_at, "the decoder fell over");
        self.drawn.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(self.time);
        let source = ClipSource { path: PathBuf::new(), video: request.video, start: request.slot };
        Ok(Clip {
            observations: Observations::of_camera("pixels", FrameBuffer::new(1, 10, 10)),
            times: vec![0.0],
            actions: None,
            state: None,
            label: None,
            source,
        })
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        vec![]
    }
}

fn slow(time: u64, panics_at: Option<usize>) -> Arc<Slow> {
    let cameras = BTreeMap::from([("pixels".to_owned(), Camera { height: 10, width: 10 })]);
    let spaces = Spaces { frames: 1, frame_step: 1, cameras, ..Spaces::default() };
    Arc::new(Slow { drawn: AtomicUsize::new(0), time: Duration::from_millis(time), panics_at, spaces })
}

fn plain(workers: usize, prefetch_bytes: usize) -> LoaderConfig {
    LoaderConfig { batch_size: 10, workers, prefetch_bytes, seed: 0, last_batch: None, part: (0, 1) }
}

#[test]
fn workers_stop_ahead_at_the_given_bytes() {
    let dataset = slow(0, None);
    let mut loader = Loader::new(dataset.clone(), &plain(3, 300 * 17), 0).unwrap();
    let settle = |expected: std::ops::RangeInclusive<usize>| {
        let end = Instant::now() + Duration::from_secs(10);
        while dataset.drawn.load(Ordering::SeqCst) < *expected.start() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(30));
        let drawn = dataset.drawn.load(Ordering::SeqCst);
        assert!(expected.contains(&drawn), "{drawn} are drawn, expected {expected:?}");
    };
    // The first half of the 17 clips that there is room for; the others wait for more of their own videos.
    settle(9..=9);
    let slots: Vec<_> = loader.next_batch().unwrap().clips.iter().map(|clip| clip.source.start).collect();
    assert_eq!(slots, (0..10).collect::<Vec<_>>());
    settle(19..=19);
}

/// Of the clips of a batch the longest work is begun first, and clips of one video together.
#[test]
fn long_work_is_begun_first() {
    struct Listed(Mutex<Vec<usize>>, Arc<Slow>);
    impl ClipDataset for Listed {
        fn videos(&self) -> usize {
            20
        }
        fn clips_per_video(&self) -> usize {
            1
        }
        fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
            self.0.lock().unwrap().push(request.slot);
            self.1.clip(request)
        }
        fn find(&self, request: &ClipRequest) -> Found {
            // Slots 3 and 13 are of one video.
            Found {
                video: request.slot % 10,
                work: if request.slot == 3 { 9 } else { 1 + u64::from(request.slot == 7) },
            }
        }
        fn spaces(&self) -> &Spaces {
            self.1.spaces()
        }
        fn skipped(&self) -> Vec<SkippedFile> {
            vec![]
        }
    }
    let dataset = Arc::new(Listed(Mutex::default(), slow(0, None)));
    let config = LoaderConfig { last_batch: Some(1), ..plain(1, 1 << 20) };
    let mut loader = Loader::new(dataset.clone(), &config, 0).unwrap();
    for first in [0, 10] {
        let slots = loader.next_batch().unwrap().clips.into_iter().map(|clip| clip.source.start);
        assert!(slots.eq(first..first + 10), "batches are those of the order");
    }
    let begun = dataset.0.lock().unwrap().clone();
    assert_eq!(begun[..6], [3, 13, 7, 17, 0, 10]);
}

#[test]
fn nothing_is_drawn_after_the_last_batch() {
    let dataset = slow(0, None);
    let config = LoaderConfig { last_batch: Some(2), ..plain(3, 1 << 20) };
    let mut loader = Loader::new(dataset.clone(), &config, 0).unwrap();
    for _ in 0..3 {
        loader.next_batch().unwrap();
    }
    drop(loader);
    assert_eq!(dataset.drawn.load(Ordering::SeqCst), 30);
}

#[test]
fn a_panic_in_a_worker_is_an_error_where_the_clip_belongs() {
    for workers in [0, 1, 4] {
        let mut loader = Loader::new(slow(0, Some(25)), &plain(workers, 1 << 20), 0).unwrap();
        assert!(loader.next_batch().is_ok() && loader.next_batch().is_ok());
        let message = loader.next_batch().err().unwrap().to_string();
        assert!(message.contains("clip 25") && message.contains("the decoder fell over"), "{message}");
        assert!(matches!(loader.next_batch(), Err(DataError::Stopped)));
    }
}

#[test]
fn dropping_joins_promptly() {
    let dataset = slow(20, None);
    let loader = Loader::new(dataset.clone(), &plain(4, 1 << 30), 0).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begin = Instant::now();
    drop(loader);
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert_eq!(Arc::strong_count(&dataset), 1, "no thread holds the data set any more");
}

/// The parts that several processes read are together the batch that one process reads.
#[test]
fn the_parts_of_all_ranks_are_the_whole_batch() {
    let folder = tempfile::tempdir().unwrap();
    let config = DataConfig { batch_size: 6, ..config(folder.path()) };
    let dataset = open_side(&config, Split::Train, 1).unwrap();
    let loader = |part, workers, start| {
        let config = LoaderConfig { part, workers, ..LoaderConfig::new(&config, 1) };
        Loader::new(dataset.clone(), &config, start).unwrap()
    };
    let whole = take(&mut loader((0, 1), 1, 0), 17);
    for (size, workers) in [(2, 0), (2, 2), (3, 1), (6, 3)] {
        let mut ranks: Vec<_> = (0..size).map(|rank| loader((rank, size), workers, 3)).collect();
        for (number, clips) in &whole[3..] {
            let mut together = vec![];
            for loader in &mut ranks {
                let batch = loader.next_batch().unwrap();
                assert_eq!((batch.number, batch.first, batch.clips.len()), (*number, together.len(), 6 / size));
                together.extend(batch.clips.into_iter().map(|clip| (clip.source.clone(), bytes(clip))));
            }
            assert!(&together == clips, "batch {number} of {size} ranks");
        }
    }
    let refused = |part| {
        let config = LoaderConfig { part, ..LoaderConfig::new(&config, 1) };
        Loader::new(dataset.clone(), &config, 0).err().unwrap().to_string()
    };
    assert_eq!(refused((0, 4)), "data.batch_size is 6, but must be a positive multiple of the number of processes (4)");
    assert_eq!(refused((2, 2)), "the rank of this process is 2, but must be below the number of processes (2)");
}

#[test]
fn an_evaluation_can_ask_for_more_clips_of_each_video() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let dataset = open_side(&config, Split::Validation, 1).unwrap();
    let starts = |clips| -> Vec<(usize, usize)> {
        let batches = in_order_with(dataset.as_ref(), clips, 4).map(Result::unwrap);
        batches.flat_map(|batch| batch.clips).map(|clip| (clip.source.video, clip.source.start)).collect()
    };
    let first = starts(1)[0].0;
    let of_first = |clips| starts(clips).into_iter().filter(|(video, _)| *video == first).map(|(_, start)| start);
    // 10 frames have 8 windows of 3.
    assert!(of_first(1).eq([4]));
    assert!(of_first(4).eq([1, 3, 5, 7]));
    assert!(of_first(16).eq(0..8), "none twice");
    assert_eq!(starts(5).len(), 5 * dataset.videos());
}
