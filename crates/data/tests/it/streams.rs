//! Several cameras and vector streams, from a recording to a clip, in the built-in format and in one of a user's own.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::source;
use prevision_core::{Array2, Camera, FrameBuffer, Observations, Space, Spaces};
use prevision_data::{
    ClipDataset, ClipRequest, DataConfig, DataError, Draw, Episode, EpisodeFormat, EpisodeFrames, EpisodeOptions,
    EpisodeReader, EpisodeSource, EpisodeWriter, Formats, Loader, LoaderConfig, Split, built_in, in_order, open,
};

const LENGTHS: [usize; 4] = [9, 12, 10, 11];

/// Frames of one colour: (number, t, camera).
fn solid(number: usize, moments: &[usize], camera: u8, height: usize, width: usize) -> FrameBuffer {
    let mut frames = FrameBuffer::new(moments.len(), height, width);
    for (frame, t) in moments.iter().enumerate() {
        frames
            .frame_mut(frame)
            .chunks_exact_mut(3)
            .for_each(|pixel| pixel.copy_from_slice(&[number as u8, *t as u8, camera]));
    }
    frames
}

/// Two cameras, forces (number, t, -t), one of four choices (number + t) % 4, and a reward.
fn episode(number: usize, length: usize) -> Episode {
    let moments: Vec<usize> = (0..length).collect();
    let column = |width: usize, value: &dyn Fn(usize) -> Vec<f32>| {
        Array2::new(moments.iter().flat_map(|&t| value(t)).collect(), length, width)
    };
    let choice = |t| vec![if t + 1 < length { ((number + t) % 4) as f32 } else { f32::NAN }];
    Episode {
        observations: Observations {
            cameras: BTreeMap::from([
                ("front".into(), solid(number, &moments, 1, 16, 24)),
                ("wrist".into(), solid(number, &moments, 2, 8, 12)),
            ]),
            vectors: BTreeMap::from([("force".into(), column(3, &|t| vec![number as f32, t as f32, -(t as f32)]))]),
        },
        columns: BTreeMap::from([
            ("action".into(), column(1, &choice)),
            ("reward".into(), column(1, &|t| vec![t as f32 / 2.0])),
        ]),
    }
}

fn spaces() -> Spaces {
    Spaces {
        frames: 1,
        frame_step: 1,
        cameras: BTreeMap::from([
            ("front".into(), Camera { height: 16, width: 24 }),
            ("wrist".into(), Camera { height: 8, width: 12 }),
        ]),
        vectors: BTreeMap::from([("force".into(), 3)]),
        action: Some(Space::Discrete { count: 4 }),
        state: None,
    }
}

fn record(folder: &Path) {
    let mut writer = EpisodeWriter::create(folder, &spaces(), &EpisodeOptions::default()).unwrap();
    let episodes: Vec<_> = LENGTHS.iter().enumerate().map(|(number, length)| episode(number, *length)).collect();
    writer.write_many(&episodes, 3).unwrap();
    writer.finish().unwrap();
}

fn config(folder: &Path) -> DataConfig {
    let source = source("episodes", folder)
        .with("cameras", vec!["wrist", "front"])
        .with("vectors", vec!["force"])
        .with("state", "");
    DataConfig { source, frames: 3, frame_step: 2, validation_fraction: 0.0, batch_size: 4, ..DataConfig::default() }
}

/// Checks a clip of the recording above, with its frames scaled or not.
fn check(dataset: &dyn ClipDataset, request: &ClipRequest) {
    let clip = dataset.clip(request).unwrap();
    let (number, start) = (clip.source.video, clip.source.start);
    assert_eq!(clip.observations.cameras.keys().collect::<Vec<_>>(), ["front", "wrist"]);
    for (camera, code) in [("front", 1), ("wrist", 2)] {
        let frames = &clip.observations.cameras[camera];
        let Camera { height, width } = dataset.spaces().cameras[camera];
        assert_eq!(frames, &solid(number, &[start, start + 2, start + 4], code, height, width), "{camera}");
    }
    let force = &clip.observations.vectors["force"];
    let expected = [start, start + 2, start + 4].map(|t| [number as f32, t as f32, -(t as f32)]);
    assert_eq!((force.columns, &force.data[..]), (3, &expected.concat()[..]));
    let actions = clip.actions.unwrap();
    assert_eq!((actions.rows, actions.columns), (2, 8), "two choices of four between two moments");
    for row in 0..2 {
        let mut one_hot = [0.0; 8];
        for raw in 0..2 {
            one_hot[raw * 4 + (number + start + row * 2 + raw) % 4] = 1.0;
        }
        assert_eq!(actions.row(row), one_hot);
    }
    assert!(clip.state.is_none());
}

fn requests(clips: usize) -> impl Iterator<Item = ClipRequest> {
    let draw = Draw::Random;
    (0..clips).map(move |slot| ClipRequest { seed: 4, epoch: 0, slot, video: slot % 4, clip: 0, clips: 1, draw })
}

#[test]
fn every_stream_goes_from_the_files_to_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let reader = EpisodeReader::open(folder.path()).unwrap();
    let (read, written) = (reader.episode(1).unwrap(), episode(1, LENGTHS[1]));
    assert_eq!(read.observations, written.observations, "force is a stream, not a column");
    assert_eq!(read.columns["reward"], written.columns["reward"]);
    assert!(folder.path().join("front/spaces.json").is_file());

    let config = config(folder.path());
    let source = config.source(&built_in(), &Formats::built_in()).unwrap();
    let dataset = open(&config, source.as_ref(), Split::Train, 0).unwrap();
    assert_eq!(dataset.spaces(), &Spaces { frames: 3, frame_step: 2, ..spaces() });
    for request in requests(40) {
        check(dataset.as_ref(), &request);
    }
    // Together as alone, and all cameras of one size if that is asked for.
    let batch = Loader::new(dataset.clone(), &LoaderConfig::new(&config, 0), 0).unwrap().next_batch().unwrap();
    assert_eq!(batch.clips.len(), 4);
    let sized = DataConfig { size: Some(8), ..config };
    let dataset = open(&sized, source.as_ref(), Split::Train, 0).unwrap();
    assert_eq!(dataset.spaces().cameras["front"], Camera { height: 8, width: 8 });
    for request in requests(8) {
        check(dataset.as_ref(), &request);
    }
    assert!(dataset.decoded_frames() > 0);
}

#[test]
fn clips_of_vectors_alone() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let mut config = config(folder.path());
    config.source = config.source.with("cameras", Vec::<String>::new());
    let source = config.source(&built_in(), &Formats::built_in()).unwrap();
    let dataset = open(&config, source.as_ref(), Split::Train, 0).unwrap();
    let clips: Vec<_> = in_order(dataset.as_ref(), 4).flat_map(|batch| batch.unwrap().clips).collect();
    assert_eq!(clips.len(), 4);
    assert!(clips.iter().all(|clip| clip.observations.cameras.is_empty() && clip.observations.moments() == 3));
    assert_eq!(clips[1].times, [3.0, 5.0, 7.0], "12 - 6 + 1 windows, from the middle on, counted in steps");
    assert_eq!(clips[1].source.path, folder.path());
}

#[test]
fn a_discrete_action_that_does_not_fit_its_column_is_named() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path());
    let path = folder.path().join("front/spaces.json");
    let wrong = Spaces { action: Some(Space::Unbounded { dim: 2 }), ..spaces() };
    std::fs::write(&path, serde_json::to_vec(&wrong).unwrap()).unwrap();
    let config = config(folder.path());
    let source = config.source(&built_in(), &Formats::built_in()).unwrap();
    let message = open(&config, source.as_ref(), Split::Train, 0).err().unwrap().to_string();
    assert!(message.contains("`action` has 1 numbers in a row, the recording's spaces say 2 (2 numbers)"), "{message}");
    std::fs::write(&path, "{\"frame\": 3}").unwrap();
    let message = open(&config, source.as_ref(), Split::Train, 0).err().unwrap().to_string();
    assert!(message.contains("spaces.json: unknown field `frame`"), "{message}");
}

/// A format of a user's own: a file `episodes.txt` with the lengths. All frames of `wrist` are in one video file; those of `front`
/// are made up.
struct Listed;

struct ListedEpisodes {
    folder: PathBuf,
    lengths: Vec<usize>,
}

impl EpisodeFormat for Listed {
    fn name(&self) -> &'static str {
        "listed"
    }

    fn detect(&self, at: &Path) -> bool {
        at.join("episodes.txt").is_file()
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        let path = at.join("episodes.txt");
        let text = std::fs::read_to_string(&path).map_err(|source| DataError::Io { path, source })?;
        let lengths = text.lines().map(|line| line.parse().unwrap()).collect();
        Ok(Box::new(ListedEpisodes { folder: at.to_owned(), lengths }))
    }
}

impl EpisodeSource for ListedEpisodes {
    fn episodes(&self) -> usize {
        self.lengths.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.lengths[episode]
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(vec!["front".into(), "wrist".into()])
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(vec!["action".into(), "force".into()])
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        let mut all = Array2::default();
        for (number, length) in self.lengths.iter().enumerate() {
            let Episode { observations, columns } = episode(number, *length);
            let rows = columns.get(name).or_else(|| observations.vectors.get(name)).unwrap();
            (0..*length).for_each(|row| all.push(rows.row(row)));
        }
        Ok(all)
    }

    fn spaces(&self) -> Option<&Spaces> {
        static SPACES: std::sync::LazyLock<Spaces> = std::sync::LazyLock::new(spaces);
        Some(&SPACES)
    }

    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames {
        if camera == "front" {
            return EpisodeFrames::Own;
        }
        let first = self.lengths[..episode].iter().sum();
        EpisodeFrames::Part { path: self.folder.join("wrist.mp4"), first }
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        assert_eq!(camera, "front", "the others are in a file");
        Ok(solid(episode, indices, 1, 16, 24))
    }
}

#[test]
fn a_format_of_ones_own_may_share_a_file_or_give_frames_itself() {
    let folder = tempfile::tempdir().unwrap();
    // All episodes of one recording, one behind the other in a single file.
    let all: usize = LENGTHS.iter().sum();
    let mut joined = episode(0, all);
    let numbers = LENGTHS.iter().enumerate().flat_map(|(number, &length)| (0..length).map(move |t| (number, t)));
    let wrist = joined.observations.cameras.get_mut("wrist").unwrap();
    for (frame, (number, t)) in numbers.enumerate() {
        wrist.frame_mut(frame).copy_from_slice(&solid(number, &[t], 2, 8, 12).data);
    }
    let recording = folder.path().join("joined");
    let mut writer = EpisodeWriter::create(&recording, &spaces(), &EpisodeOptions::default()).unwrap();
    writer.write(&joined).unwrap();
    writer.finish().unwrap();
    let listed = folder.path().join("listed");
    std::fs::create_dir(&listed).unwrap();
    std::fs::rename(recording.join("wrist/ep_0.mp4"), listed.join("wrist.mp4")).unwrap();
    std::fs::write(listed.join("episodes.txt"), LENGTHS.map(|length| length.to_string()).join("\n")).unwrap();

    let formats = Formats::built_in().with(Listed);
    let own = Formats::built_in();
    assert!(formats.names().eq(own.names().chain(["listed"])));
    let config = config(&listed);
    let source = config.source(&built_in(), &formats).unwrap();
    let dataset = open(&config, source.as_ref(), Split::Train, 0).unwrap();
    assert_eq!(dataset.spaces(), &Spaces { frames: 3, frame_step: 2, ..spaces() });
    for request in requests(40) {
        check(dataset.as_ref(), &request);
        let alone = dataset.clip(&request).unwrap();
        // `wrist` is named first: its clock, from the start of the episode.
        assert!((alone.times[0] - alone.source.start as f64 / 25.0).abs() < 1e-6, "{:?}", alone.times);
    }
    let together = dataset.clips(&requests(12).collect::<Vec<_>>());
    for (clip, request) in together.into_iter().zip(requests(12)) {
        assert_eq!(clip.unwrap().observations, dataset.clip(&request).unwrap().observations);
    }
    let named = DataConfig { source: config.source.clone().with("format", "listed"), ..config.clone() };
    assert!(named.source(&built_in(), &formats).is_ok());
    let message = named.source(&built_in(), &Formats::built_in()).err().unwrap();
    let known = Formats::built_in().names().collect::<Vec<_>>().join(", ");
    assert_eq!(message, format!("data.source.format is \"listed\", but must be one of {known}"));
    std::fs::write(listed.join("episodes.txt"), "9\n12\n10\n99").unwrap();
    let short = open(&config, source.as_ref(), Split::Train, 0).unwrap();
    let uniform = ClipRequest { video: 3, draw: Draw::Uniform, ..requests(1).next().unwrap() };
    let message = short.clip(&uniform).err().unwrap().to_string();
    assert!(message.ends_with("wrist.mp4: broken: has 42 frames, episode 3 needs 31..130"), "{message}");
}
