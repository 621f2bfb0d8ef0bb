//! Recorded episodes: written, read, cut into clips.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::path::Path;

use prevision_data::{
    Array2, ClipRequest, DataConfig, Draw, Episode, EpisodeOptions, EpisodeReader, EpisodeWriter, Loader, LoaderConfig,
    SourceConfig, Split, in_order, open,
};
use prevision_video::FrameBuffer;

/// Frame `t` is all (number, t, 0); action `t` is (number, t), NaN in the last row; state `t` is (t).
fn episode(number: usize, length: usize) -> Episode {
    let mut frames = FrameBuffer::new(length, 15, 17);
    let (mut action, mut state) = (Array2::default(), Array2::default());
    for t in 0..length {
        frames.frame_mut(t).chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&[number as u8, t as u8, 0]));
        action.push(&if t + 1 < length { [number as f32, t as f32] } else { [f32::NAN; 2] });
        state.push(&[t as f32]);
    }
    Episode { frames, columns: BTreeMap::from([("action".into(), action), ("state".into(), state)]) }
}

/// Ten episodes of 12 to 21 frames.
fn record(folder: &Path, threads: usize) {
    let mut writer = EpisodeWriter::create(folder, &EpisodeOptions::default()).unwrap();
    writer.write(&episode(0, 12)).unwrap();
    writer.write_many(&(1..10).map(|number| episode(number, 12 + number)).collect::<Vec<_>>(), threads).unwrap();
    assert!(EpisodeReader::open(folder, "pixels").is_err(), "unfinished");
    writer.finish().unwrap();
}

fn config(folder: &Path) -> DataConfig {
    let source = SourceConfig::Episodes {
        path: folder.into(),
        image: "pixels".into(),
        action: "action".into(),
        state: "state".into(),
    };
    DataConfig { source, frames: 3, batch_size: 2, validation_fraction: 0.0, ..DataConfig::default() }
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("walks");
    record(&dir, 1);
    let reader = EpisodeReader::open(&dir, "pixels").unwrap();
    assert_eq!((reader.len(), reader.length(3), reader.offset(3)), (10, 15, 12 + 13 + 14));
    assert_eq!(
        (reader.columns().unwrap(), reader.image_columns().unwrap()),
        (vec!["action".into(), "state".into()], vec!["pixels".into()])
    );
    for number in [0, 9] {
        let (read, written) = (reader.episode(number).unwrap(), episode(number, 12 + number));
        assert_eq!(read.frames, written.frames, "lossless");
        assert_eq!(read.columns["state"], written.columns["state"]);
        let (read, written) = (&read.columns["action"], &written.columns["action"]);
        assert_eq!(read.slice(0, 11 + number), written.slice(0, 11 + number));
        assert!(read.row(11 + number).iter().all(|value| value.is_nan()));
    }
    assert_eq!(reader.frames(4, &[7, 2]).unwrap().frame(1)[..3], [4, 2, 0]);
    let again = EpisodeWriter::create(&dir, &EpisodeOptions::default()).err().unwrap().to_string();
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
    let mut writer = EpisodeWriter::create(folder.path(), &EpisodeOptions::default()).unwrap();
    writer.write(&episode(0, 5)).unwrap();
    let refused = |writer: &mut EpisodeWriter, change: &dyn Fn(&mut Episode)| {
        let mut episode = episode(1, 5);
        change(&mut episode);
        writer.write(&episode).unwrap_err().to_string()
    };
    assert!(
        refused(&mut writer, &|episode| episode.columns.get_mut("state").unwrap().push(&[0.0]))
            .contains("episode 1: column `state` has 6 rows for 5 frames")
    );
    assert!(
        refused(&mut writer, &|episode| drop(episode.columns.remove("state")))
            .contains("has the columns action[2], the episodes before it have action[2], state[1]")
    );
    assert!(
        refused(&mut writer, &|episode| episode.frames = FrameBuffer::new(5, 16, 17))
            .contains("is 17x16, the episodes before it are 17x15")
    );
    assert!(refused(&mut writer, &|episode| episode.frames = FrameBuffer::new(0, 15, 17)).contains("has no frame"));
    writer.finish().unwrap();
    assert_eq!(EpisodeReader::open(folder.path(), "pixels").unwrap().len(), 1, "nothing of the refused ones stays");

    let other = tempfile::tempdir().unwrap();
    let mut writer = EpisodeWriter::create(other.path(), &EpisodeOptions::default()).unwrap();
    assert!(
        refused(&mut writer, &|episode| drop(episode.columns.insert("../x".into(), Array2::zeros(5, 1))))
            .contains("cannot be called `../x`")
    );
    assert!(writer.finish().err().unwrap().to_string().contains("no episode was recorded"));
}

#[test]
fn actions_lie_between_the_frames() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2);
    let dataset = open(&config(folder.path()), Split::Train, 0).unwrap();
    let shape = dataset.shape();
    assert_eq!((shape.height, shape.width, shape.action_dim, shape.state_dim), (15, 17, Some(2), Some(1)));
    for slot in 0..40 {
        let clip = dataset
            .clip(&ClipRequest { seed: 0, epoch: 0, slot, video: slot % 10, clip: 0, draw: Draw::Random })
            .unwrap();
        let (start, video) = (clip.source.start, clip.source.video as f32);
        assert_eq!(clip.frames.frame(2)[..2], [video as u8, start as u8 + 2]);
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
    let dataset = open(&config, Split::Train, 0).unwrap();
    assert_eq!(dataset.shape().action_dim, Some(8));
    let clip =
        dataset.clip(&ClipRequest { seed: 0, epoch: 0, slot: 0, video: 0, clip: 0, draw: Draw::Random }).unwrap();
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
    let dataset = open(&long, Split::Train, 0).unwrap();
    assert_eq!((dataset.videos(), dataset.skipped().len()), (2, 8));
    assert!(dataset.skipped()[7].to_string().ends_with("ep_7.mp4: too short: has 19 frames, a clip needs 20"));
    let clip =
        dataset.clip(&ClipRequest { seed: 0, epoch: 0, slot: 0, video: 0, clip: 0, draw: Draw::Random }).unwrap();
    assert_eq!((clip.source.video, clip.source.start), (8, 0));
    let longer = DataConfig { frames: 22, ..long };
    assert!(
        open(&longer, Split::Train, 0)
            .err()
            .unwrap()
            .to_string()
            .contains("none of the 10 episodes of this part has the 22 frames")
    );
}

#[test]
fn undefined_actions_become_zero_and_columns_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut undefined = episode(0, 6);
    undefined.columns.get_mut("action").unwrap().data[2..4].fill(f32::NAN);
    let mut writer =
        EpisodeWriter::create(folder.path(), &EpisodeOptions { image: "camera".into(), ..EpisodeOptions::default() })
            .unwrap();
    writer.write(&undefined).unwrap();
    writer.finish().unwrap();
    let source = SourceConfig::Episodes {
        path: folder.path().into(),
        image: "camera".into(),
        action: "action".into(),
        state: String::new(),
    };
    let config = DataConfig { frames: 6, source, ..config(folder.path()) };
    let dataset = open(&config, Split::Train, 0).unwrap();
    let clips: Vec<_> = in_order(dataset.as_ref(), 1).flat_map(|batch| batch.unwrap().clips).collect();
    assert_eq!(clips[0].actions.as_ref().unwrap().data, [0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0]);
    assert!(clips[0].state.is_none() && dataset.shape().state_dim.is_none());
    let missing = SourceConfig::Episodes {
        path: folder.path().into(),
        image: "camera".into(),
        action: "control".into(),
        state: String::new(),
    };
    let message = open(&DataConfig { source: missing, ..config }, Split::Train, 0).err().unwrap().to_string();
    assert!(message.contains("has no column `control`; columns here: action, state"), "{message}");
}

#[test]
fn a_film_that_contradicts_its_length_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2);
    let film = |number: usize| folder.path().join(format!("pixels/ep_{number}.mp4"));
    std::fs::copy(film(2), film(6)).unwrap();
    let config = config(folder.path());
    let dataset = open(&config, Split::Train, 0).unwrap();
    let mut loader =
        Loader::new(dataset.clone(), &LoaderConfig { workers: 2, ..LoaderConfig::new(&config, 0) }, 0).unwrap();
    let videos: Vec<_> =
        (0..5).flat_map(|_| loader.next_batch().unwrap().clips).map(|clip| clip.source.video).collect();
    assert!(!videos.contains(&6), "{videos:?}");
    assert!(dataset.skipped()[0].to_string().ends_with("ep_6.mp4: broken: has 14 frames, ep_len.npz says 18"));
}
