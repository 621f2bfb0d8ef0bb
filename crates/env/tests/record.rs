//! Recorded episodes read back.

use std::path::Path;

use prevision_data::{EpisodeReader, seed};
use prevision_env::two_rooms::{Layout, Walk, draw};
use prevision_env::{Collision, EnvError, LayoutSplit, RecordOptions, record};
use prevision_video::Quality;

fn options(out: &Path) -> RecordOptions {
    RecordOptions { episodes: 6, steps: 30, seed: 5, ..RecordOptions::new("two-rooms", out) }
}

#[test]
fn lossless_episodes_hold_the_drawn_frames_and_the_true_states() {
    let folder = tempfile::tempdir().expect("folder");
    let mut calls = vec![];
    let summary = record(&options(folder.path()), &mut |done, all| calls.push((done, all))).expect("recorded");
    assert_eq!((summary.episodes, summary.frames), (6, 6 * 31));
    assert_eq!((calls.first(), calls.last()), (Some(&(0, 6)), Some(&(6, 6))));
    let reader = EpisodeReader::open(folder.path(), "pixels").expect("reader");
    assert_eq!(reader.len(), 6);
    // Nothing beside the columns and the image column, which stable-worldmodel's reader would take for a column.
    let entries = std::fs::read_dir(folder.path()).expect("folder").count();
    assert_eq!(entries, ["ep_len", "ep_offset", "action", "layout", "state", "pixels"].len());
    for index in 0..6 {
        let episode = reader.episode(index).expect("episode");
        assert_eq!((episode.frames.frames, episode.frames.height, episode.frames.width), (31, 65, 65));
        let [action, state, plan] = ["action", "state", "layout"].map(|name| &episode.columns[name]);
        let layout = Layout { wall_x: plan.data[0] as u8, door_y: plan.data[1] as u8 };
        assert!(LayoutSplit::Training.contains(layout));
        assert_eq!(plan.data, [f32::from(layout.wall_x), f32::from(layout.door_y)].repeat(31));
        let walk = Walk::sample(layout, Collision::Stop, 30, &mut seed::rng(5, "two-rooms/walk", 0, index as u64));
        assert_eq!(state.data, walk.positions.concat());
        assert_eq!(action.data[..60], walk.actions.concat());
        assert!(action.data[60..].iter().all(|value| value.is_nan()) && action.rows == 31);
        for (frame, &position) in walk.positions.iter().enumerate() {
            assert!(episode.frames.frame(frame) == draw(layout, position), "episode {index}, frame {frame}");
        }
    }
    let description = std::fs::read_to_string(folder.path().join("pixels/dataset.toml")).expect("dataset.toml");
    assert!(description.contains("world = \"two-rooms\"\nepisodes = 6\nsteps = 30\nseed = 5\n"), "{description}");
}

#[test]
fn an_episode_does_not_depend_on_how_many_are_recorded() {
    let state = |episodes, episodes_per_layout| {
        let folder = tempfile::tempdir().expect("folder");
        let options = RecordOptions { episodes, episodes_per_layout, ..options(folder.path()) };
        record(&options, &mut |_, _| ()).expect("recorded");
        let reader = EpisodeReader::open(folder.path(), "pixels").expect("reader");
        ["state", "layout"].map(|name| reader.column(name).expect("column").data)
    };
    let [few, plans] = state(3, 1);
    let [many, more_plans] = state(5, 1);
    assert_eq!((&few[..], &plans[..]), (&many[..few.len()], &more_plans[..plans.len()]));
    let [_, shared] = state(4, 2);
    let layout = |episode: usize| &shared[episode * 62..episode * 62 + 2];
    assert_eq!((layout(0), layout(2)), (layout(1), layout(3)));
    assert_ne!(layout(0), layout(2));
}

#[test]
fn a_folder_with_files_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("file");
    let error = record(&options(folder.path()), &mut |_, _| ()).expect_err("not empty");
    assert!(matches!(&error, EnvError::OutputNotEmpty { path } if path == folder.path()), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
}

#[test]
fn options_out_of_range_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let error = record(&RecordOptions { steps: 0, ..options(folder.path()) }, &mut |_, _| ()).expect_err("no steps");
    assert_eq!(error.to_string(), "option `steps`: got 0, expected at least 1");
    let error = record(&RecordOptions { world: "one-room".to_owned(), ..options(folder.path()) }, &mut |_, _| ())
        .expect_err("unknown");
    assert_eq!(error.to_string(), "unknown world `one-room`: known worlds are two-rooms");
}

#[test]
fn lossy_episodes_are_smaller_and_close() {
    let folder = tempfile::tempdir().expect("folder");
    let size = |name: &str, quality: Quality| {
        let out = folder.path().join(name);
        record(&RecordOptions { steps: 90, quality, ..options(&out) }, &mut |_, _| ()).expect("recorded");
        let films = (0..6).map(|index| out.join(format!("pixels/ep_{index}.mp4")));
        let bytes: u64 = films.map(|film| film.metadata().expect("film").len()).sum();
        (bytes, EpisodeReader::open(&out, "pixels").expect("reader"))
    };
    let (small, lossy) = size("lossy", Quality::Crf(18));
    let (large, lossless) = size("lossless", Quality::Lossless);
    assert!(small < large, "{small} {large}");
    let frames: Vec<usize> = (0..91).collect();
    let mut square = 0.0;
    for index in 0..6 {
        let [a, b] = [&lossy, &lossless].map(|reader| reader.frames(index, &frames).expect("frames").data);
        square +=
            a.iter().zip(&b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>() / a.len() as f64 / 6.0;
    }
    let signal_to_noise = 10.0 * (255.0 * 255.0 / square).log10();
    assert!((35.0..45.0).contains(&signal_to_noise), "{signal_to_noise} dB");
}
