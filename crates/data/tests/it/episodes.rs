//! Recorded episodes: written, read, cut into clips.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{frames, open_side, source};
use prevision_core::{Array2, Camera, FrameBuffer, Observations, Space, Spaces};
use prevision_data::{
    ClipRequest, DataConfig, Draw, Episode, EpisodeOptions, EpisodeReader, EpisodeSource as _, EpisodeWriter, Loader,
    LoaderConfig, Split, in_order,
};

/// Frame `t` is all (number, t, 0); action `t` is (number, t), NaN in the last row; state `t` is (t).
fn episode(number: usize, length: usize) -> Episode {
    let mut frames = FrameBuffer::new(length, 15, 17);
    let (mut action, mut state) = (Array2::default(), Array2::default());
    for t in 0..length {
        frames.frame_mut(t).chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&[number as u8, t as u8, 0]));
        action.push(&if t + 1 < length { [number as f32, t as f32] } else { [f32::NAN; 2] });
        state.push(&[t as f32]);
    }
    let columns = BTreeMap::from([("action".into(), action), ("state".into(), state)]);
    Episode { observations: Observations::of_camera("pixels", frames), columns }
}

fn spaces() -> Spaces {
    Spaces {
        frames: 1,
        frame_step: 1,
        cameras: BTreeMap::from([("pixels".into(), Camera { height: 15, width: 17 })]),
        action: Some(Space::Ball { dim: 2, radius: 30.0 }),
        state: Some(1),
        ..Spaces::default()
    }
}

fn writer(folder: &Path) -> EpisodeWriter {
    EpisodeWriter::create(folder, &spaces(), &EpisodeOptions::default()).unwrap()
}

/// Ten episodes of 12 to 21 frames.
fn record(folder: &Path, threads: usize) {
    let mut writer = writer(folder);
    writer.write(&episode(0, 12)).unwrap();
    writer.write_many(&(1..10).map(|number| episode(number, 12 + number)).collect::<Vec<_>>(), threads).unwrap();
    assert!(EpisodeReader::open(folder).is_err(), "unfinished");
    writer.finish().unwrap();
}

fn config(folder: &Path) -> DataConfig {
    let source = source("episodes", folder);
    DataConfig { source, frames: 3, batch_size: 2, validation_fraction: 0.0, ..DataConfig::default() }
}

fn request(slot: usize, video: usize) -> ClipRequest {
    ClipRequest { seed: 0, epoch: 0, slot, video, clip: 0, clips: 1, draw: Draw::Random }
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("walks");
    record(&dir, 1);
    let reader = EpisodeReader::open(&dir).unwrap();
    assert_eq!((reader.episodes(), reader.length(3), reader.offset(3)), (10, 15, 12 + 13 + 14));
    assert_eq!(
        (reader.columns().unwrap(), reader.cameras().unwrap()),
        (vec!["action".into(), "state".into()], vec!["pixels".into()])
    );
    assert_eq!(reader.spaces(), Some(&spaces()));
    // Nothing beside the columns and the camera, which stable-worldmodel's reader would take for a column.
    let entries = std::fs::read_dir(&dir).unwrap().count();
    assert_eq!(entries, ["ep_len", "ep_offset", "action", "state", "pixels"].len());
    for number in [0, 9] {
        let (read, written) = (reader.episode(number).unwrap(), episode(number, 12 + number));
        assert_eq!(read.observations, written.observations, "lossless");
        assert_eq!(read.columns["state"], written.columns["state"]);
        let (read, written) = (&read.columns["action"], &written.columns["action"]);
        assert_eq!(read.slice(0, 11 + number), written.slice(0, 11 + number));
        assert!(read.row(11 + number).iter().all(|value| value.is_nan()));
    }
    assert_eq!(reader.frames("pixels", 4, &[7, 2]).unwrap().frame(1)[..3], [4, 2, 0]);
    let again = EpisodeWriter::create(&dir, &spaces(), &EpisodeOptions::default()).err().unwrap().to_string();
    assert!(again.contains("already holds recorded episodes"), "{again}");
}

#[test]
fn the_files_do_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let files = |name: &str, threads| -> Vec<Vec<u8>> {
        let dir = folder.path().join(name);
        record(&dir, threads);
        (0..10)
            .map(|number| std::fs::read(dir.join(format!("pixels/ep_{number}.mp4"))).unwrap())
            .chain([std::fs::read(dir.join("action.npz")).unwrap()])
            .collect()
    };
    assert!(files("one", 1) == files("four", 4));
}

#[test]
fn episodes_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path());
    writer.write(&episode(0, 5)).unwrap();
    let refused = |writer: &mut EpisodeWriter, change: &dyn Fn(&mut Episode)| {
        let mut episode = episode(1, 5);
        change(&mut episode);
        writer.write(&episode).unwrap_err().to_string()
    };
    let camera = |episode: &mut Episode, frames: FrameBuffer| {
        episode.observations.cameras.insert("pixels".into(), frames);
    };
    let more = |episode: &mut Episode, name: &str, width| {
        episode.columns.insert(name.into(), Array2::zeros(5, width));
    };
    for (change, expected) in [
        (
            &|episode: &mut Episode| episode.columns.get_mut("state").unwrap().push(&[0.0]) as _,
            "episode 1: column `state` has 6 rows for 5 moments",
        ),
        (
            &|episode| drop(episode.columns.remove("state")),
            "has no column `state`, the recording's spaces say 1 numbers in a row",
        ),
        (&|episode| more(episode, "action", 3), "column `action` has 3 numbers in a row, the recording's spaces say 2"),
        (
            &|episode| more(episode, "reward", 1),
            "has the columns action[2], reward[1], state[1], the episodes before it have action[2], state[1]",
        ),
        (
            &|episode| camera(episode, FrameBuffer::new(5, 16, 17)),
            "has camera pixels 17x16, the recording is of camera pixels 17x15",
        ),
        (&|episode| camera(episode, FrameBuffer::new(0, 15, 17)), "has no moments"),
        (&|episode| more(episode, "../x", 1), "a column cannot be called `../x`"),
        (&|episode| more(episode, "pixels", 1), "a column cannot be called `pixels`"),
    ] as [(&dyn Fn(&mut Episode), &str); 8]
    {
        let message = refused(&mut writer, change);
        assert!(message.contains(expected), "{message}");
    }
    writer.finish().unwrap();
    assert_eq!(EpisodeReader::open(folder.path()).unwrap().episodes(), 1, "nothing of the refused ones stays");

    let other = tempfile::tempdir().unwrap();
    assert!(self::writer(other.path()).finish().err().unwrap().to_string().contains("no episode was recorded"));
    let create = |change: &dyn Fn(&mut Spaces)| {
        let mut spaces = spaces();
        change(&mut spaces);
        EpisodeWriter::create(other.path(), &spaces, &EpisodeOptions::default()).err().unwrap().to_string()
    };
    let message = create(&|spaces| spaces.vectors.extend([("../x".into(), 1)]));
    assert!(message.contains("a stream cannot be called `../x`"), "{message}");
    let message = create(&|spaces| spaces.vectors.extend([("pixels".into(), 1)]));
    assert!(message.contains("a camera and a vector stream are both called `pixels`"), "{message}");
    let message = create(&|spaces| spaces.cameras.clear());
    assert!(message.contains("no camera and no vector stream"), "{message}");
}

#[test]
fn actions_lie_between_the_frames() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2);
    let dataset = open_side(&config(folder.path()), Split::Train, 0).unwrap();
    assert_eq!(dataset.spaces(), &Spaces { frames: 3, ..spaces() }, "as recorded, in clips of three");
    for slot in 0..40 {
        let clip = dataset.clip(&request(slot, slot % 10)).unwrap();
        let (start, video) = (clip.source.start, clip.source.video as f32);
        assert_eq!(frames(&clip).frame(2)[..2], [video as u8, start as u8 + 2]);
        assert_eq!(clip.actions.unwrap(), Array2::new(vec![video, start as f32, video, start as f32 + 1.0], 2, 2));
        assert_eq!(clip.state.unwrap().data, [start as f32, start as f32 + 1.0, start as f32 + 2.0]);
        assert!((clip.times[1] - clip.times[0] - 0.04).abs() < 1e-6);
    }
}

#[test]
fn a_frame_step_concatenates_the_actions_of_a_block() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2);
    let config = DataConfig { frame_step: 4, ..config(folder.path()) };
    let dataset = open_side(&config, Split::Train, 0).unwrap();
    assert_eq!(dataset.spaces().action_width(), 8);
    let clip = dataset.clip(&request(0, 0)).unwrap();
    assert_eq!(clip.source.start, 0, "12 frames are one clip of 3 x 4");
    assert_eq!(clip.state.unwrap().data, [0.0, 4.0, 8.0]);
    let actions = clip.actions.unwrap();
    assert_eq!(actions.row(0), [0.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0]);
    assert_eq!(actions.row(1), [0.0, 4.0, 0.0, 5.0, 0.0, 6.0, 0.0, 7.0]);
}

#[test]
fn short_episodes_are_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2);
    let long = DataConfig { frames: 20, ..config(folder.path()) };
    let dataset = open_side(&long, Split::Train, 0).unwrap();
    assert_eq!((dataset.videos(), dataset.skipped().len()), (2, 8));
    assert!(dataset.skipped()[7].to_string().ends_with("ep_7.mp4: too short: has 19 frames, a clip needs 20"));
    let clip = dataset.clip(&request(0, 0)).unwrap();
    assert_eq!((clip.source.video, clip.source.start), (8, 0));
    let longer = DataConfig { frames: 22, ..long };
    assert!(
        open_side(&longer, Split::Train, 0)
            .err()
            .unwrap()
            .to_string()
            .contains("none of the 10 episodes has the 22 frames")
    );
}

#[test]
fn numbers_that_are_not_finite_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path());
    writer.write(&episode(0, 6)).unwrap();
    let mut damaged = episode(1, 6);
    damaged.columns.get_mut("action").unwrap().data[2] = f32::NAN;
    damaged.columns.get_mut("state").unwrap().data[5] = f32::INFINITY;
    writer.write(&damaged).unwrap();
    writer.finish().unwrap();
    let config = DataConfig { frames: 6, ..config(folder.path()) };
    let message = |key: &str, value: &str| {
        let source = config.source.clone().with(key, value);
        open_side(&DataConfig { source, ..config.clone() }, Split::Train, 0).err().unwrap().to_string()
    };
    let undefined = message("state", "");
    let expected = "column `action` is NaN at moment 1 of episode 1 (row 7), expected finite numbers";
    assert!(undefined.contains(expected), "{undefined}");
    let infinite = message("action", "");
    assert!(infinite.contains("column `state` is inf at moment 5 of episode 1 (row 11)"), "{infinite}");
}

#[test]
fn columns_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path());
    writer.write(&episode(0, 6)).unwrap();
    writer.finish().unwrap();
    let config = DataConfig { frames: 6, ..config(folder.path()) };
    let with = |key: &str, value: &str| DataConfig { source: config.source.clone().with(key, value), ..config.clone() };
    let dataset = open_side(&with("state", ""), Split::Train, 0).unwrap();
    let clips: Vec<_> = in_order(dataset.as_ref(), 1).flat_map(|batch| batch.unwrap().clips).collect();
    assert_eq!(clips[0].actions.as_ref().unwrap().data, [0.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0]);
    assert!(clips[0].state.is_none() && dataset.spaces().state.is_none());
    let spaces = |config: &DataConfig| open_side(config, Split::Train, 0).unwrap().spaces().clone();
    assert_eq!(spaces(&with("action", "")).action, None);
    assert_eq!(spaces(&with("action", "state")).action, Some(Space::Unbounded { dim: 1 }), "nothing is known of it");
    assert_eq!(spaces(&DataConfig { frames: 1, ..config.clone() }).action, None, "no action between frames");
    std::fs::remove_file(folder.path().join("pixels/spaces.json")).unwrap();
    assert_eq!(spaces(&config).action, Some(Space::Unbounded { dim: 2 }), "as in recordings of others");
    let message = |config: &DataConfig| open_side(config, Split::Train, 0).err().unwrap().to_string();
    let missing = message(&with("action", "control"));
    assert!(missing.contains("has no column `control`; columns here: action, state"), "{missing}");
    let mut other = config.clone();
    other.source = other.source.with("cameras", vec!["front"]);
    assert!(message(&other).contains("has no camera `front`; cameras here: pixels"), "{}", message(&other));
}

#[test]
fn a_video_that_contradicts_its_length_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2);
    let video = |number: usize| folder.path().join(format!("pixels/ep_{number}.mp4"));
    std::fs::copy(video(2), video(6)).unwrap();
    let config = config(folder.path());
    let dataset = open_side(&config, Split::Train, 0).unwrap();
    let mut loader =
        Loader::new(dataset.clone(), &LoaderConfig { workers: 2, ..LoaderConfig::new(&config, 0) }, 0).unwrap();
    let videos: Vec<_> =
        (0..5).flat_map(|_| loader.next_batch().unwrap().clips).map(|clip| clip.source.video).collect();
    assert!(!videos.contains(&6), "{videos:?}");
    assert!(dataset.skipped()[0].to_string().ends_with("ep_6.mp4: broken: has 14 frames, the recording says 18"));
}
