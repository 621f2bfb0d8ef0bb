//! Recorded episodes read back.

use std::collections::BTreeMap;
use std::path::Path;

use prevision_core::{Action, Array2, Camera, FrameBuffer, Observations, Space, Spaces};
use prevision_data::{EpisodeReader, EpisodeSource as _};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in, recording_policy};
use prevision_env::two_rooms::{Layout, LayoutSplit, Options, Walker, draw};
use prevision_env::{
    EnvError, Environment, EnvironmentSpec, Goal, Policy, Random, RecordOptions, RecordSummary, TimeStep, Worlds,
    record,
};
use prevision_video::Quality;

fn two_rooms(keys: &str) -> Box<dyn World> {
    let config: EnvConfig = toml::from_str(&format!("[two-rooms]\n{keys}")).expect("a section");
    config.world(&built_in()).expect("two-rooms is built in")
}

fn options(out: &Path) -> RecordOptions {
    RecordOptions { episodes: 6, steps: 30, seed: 5, ..RecordOptions::new(out) }
}

/// Records with the policy of this name, as many episodes side by side as there are rows.
fn recorded(world: &dyn World, policy: Option<&str>, rows: usize, options: &RecordOptions) -> RecordSummary {
    let environment = || world.environment(Purpose::Recording).expect("an environment");
    let mut worlds: Vec<_> = (0..rows).map(|_| environment()).collect();
    let mut policy = recording_policy(world, environment().spec(), policy, options.steps).expect("a policy");
    record(&mut worlds, policy.as_mut(), options, &mut |_, _| ()).expect("recorded")
}

fn refused(options: &RecordOptions) -> EnvError {
    let mut worlds = vec![two_rooms("").environment(Purpose::Recording).expect("an environment")];
    let mut policy = Walker::new(Options::default(), options.steps);
    record(&mut worlds, &mut policy, options, &mut |_, _| ()).expect_err("refused")
}

#[test]
fn lossless_episodes_hold_the_drawn_frames_and_the_true_states() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(folder.path());
    let environment = || two_rooms("").environment(Purpose::Recording).expect("an environment");
    let mut worlds: Vec<_> = (0..4).map(|_| environment()).collect();
    let mut walker = Walker::new(Options::default(), options.steps);
    let mut calls = vec![];
    let summary =
        record(&mut worlds, &mut walker, &options, &mut |done, all| calls.push((done, all))).expect("recorded");
    assert_eq!((summary.episodes, summary.frames), (6, 6 * 31));
    assert_eq!((summary.world.as_str(), summary.policy.as_str()), ("two-rooms", "walk"));
    assert_eq!(calls, [(0, 6), (4, 6), (6, 6)]);
    let reader = EpisodeReader::open(folder.path()).expect("reader");
    assert_eq!((reader.episodes(), reader.spaces()), (6, Some(&Worlds::spec(&worlds).spaces)));
    // Nothing beside the columns and the camera, which stable-worldmodel's reader would take for a column.
    let entries = std::fs::read_dir(folder.path()).expect("folder").count();
    assert_eq!(entries, ["ep_len", "ep_offset", "action", "layout", "state", "pixels"].len());
    for index in 0..6 {
        let episode = reader.episode(index).expect("episode");
        let frames = &episode.observations.cameras["pixels"];
        assert_eq!((frames.frames, frames.height, frames.width), (31, 65, 65));
        let [action, state, plan] = ["action", "state", "layout"].map(|name| &episode.columns[name]);
        let layout = Layout { wall_x: plan.data[0] as u8, door_y: plan.data[1] as u8 };
        assert!(LayoutSplit::Training.contains(layout));
        assert_eq!(plan.data, [f32::from(layout.wall_x), f32::from(layout.door_y)].repeat(31));
        let (planned, walk) = walker.sample(5, index as u64);
        assert_eq!(planned, layout);
        assert_eq!(state.data, walk.positions.concat());
        assert_eq!(action.data[..60], walk.actions.concat());
        assert!(action.data[60..].iter().all(|value| value.is_nan()) && action.rows == 31);
        for (frame, &position) in walk.positions.iter().enumerate() {
            assert!(frames.frame(frame) == draw(layout, position), "episode {index}, frame {frame}");
        }
    }
    let description = std::fs::read_to_string(folder.path().join("pixels/dataset.toml")).expect("dataset.toml");
    let table: toml::Table = description.parse().expect("TOML");
    assert_eq!((table["world"].as_str(), table["policy"].as_str()), (Some("two-rooms"), Some("walk")));
    assert_eq!(["episodes", "steps", "seed"].map(|key| table[key].as_integer()), [Some(6), Some(30), Some(5)]);
}

#[test]
fn an_episode_does_not_depend_on_how_many_are_recorded_or_run_side_by_side() {
    let columns = |episodes, rows, keys: &str, policy: Option<&str>| {
        let folder = tempfile::tempdir().expect("folder");
        recorded(two_rooms(keys).as_ref(), policy, rows, &RecordOptions { episodes, ..options(folder.path()) });
        let reader = EpisodeReader::open(folder.path()).expect("reader");
        ["state", "layout"].map(|name| reader.column(name).expect("column").data)
    };
    for policy in [None, Some("random")] {
        let [few, plans] = columns(3, 1, "", policy);
        let [many, more_plans] = columns(5, 4, "", policy);
        assert_eq!((&few[..], &plans[..]), (&many[..few.len()], &more_plans[..plans.len()]), "{policy:?}");
    }
    let [_, shared] = columns(4, 4, "episodes_per_layout = 2", None);
    let layout = |episode: usize| &shared[episode * 62..episode * 62 + 2];
    assert_eq!((layout(0), layout(2)), (layout(1), layout(3)));
    assert_ne!(layout(0), layout(2));
}

#[test]
fn a_folder_with_files_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("file");
    let error = refused(&options(folder.path()));
    assert!(matches!(&error, EnvError::OutputNotEmpty { path } if path == folder.path()), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
}

#[test]
fn options_out_of_range_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let error = refused(&RecordOptions { steps: 0, ..options(folder.path()) });
    assert_eq!(error.to_string(), "steps is 0, but must be at least 1");
}

#[test]
fn lossy_episodes_are_smaller_and_close() {
    let folder = tempfile::tempdir().expect("folder");
    let size = |name: &str, quality: Quality| {
        let out = folder.path().join(name);
        recorded(two_rooms("").as_ref(), None, 6, &RecordOptions { steps: 90, quality, ..options(&out) });
        let videos = (0..6).map(|index| out.join(format!("pixels/ep_{index}.mp4")));
        let bytes: u64 = videos.map(|video| video.metadata().expect("video").len()).sum();
        (bytes, EpisodeReader::open(&out).expect("reader"))
    };
    let (small, lossy) = size("lossy", Quality::Crf(18));
    let (large, lossless) = size("lossless", Quality::Lossless);
    assert!(small < large, "{small} {large}");
    let frames: Vec<usize> = (0..91).collect();
    let mut square = 0.0;
    for index in 0..6 {
        let [a, b] = [&lossy, &lossless].map(|reader| reader.frames("pixels", index, &frames).expect("frames").data);
        square +=
            a.iter().zip(&b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>() / a.len() as f64 / 6.0;
    }
    let signal_to_noise = 10.0 * (255.0 * 255.0 / square).log10();
    assert!((35.0..45.0).contains(&signal_to_noise), "{signal_to_noise} dB");
}

/// A world of two cameras, a vector stream and three choices: choice 2 ends the episode at once, and every step has a reward.
struct Counter {
    spec: EnvironmentSpec,
    count: u8,
}

impl Counter {
    fn new() -> Self {
        let camera = |side| Camera { height: side, width: side };
        let spaces = Spaces {
            frames: 1,
            frame_step: 1,
            cameras: BTreeMap::from([("near".to_owned(), camera(16)), ("far".to_owned(), camera(8))]),
            vectors: BTreeMap::from([("count".to_owned(), 1)]),
            action: Some(Space::Discrete { count: 3 }),
            state: None,
        };
        let spec = EnvironmentSpec {
            name: "counter".to_owned(),
            spaces,
            max_steps: 9,
            rewards: true,
            ..EnvironmentSpec::default()
        };
        Self { spec, count: 0 }
    }

    fn moment(&self, reward: f64, terminated: bool) -> TimeStep {
        let frames = |side| {
            let mut frames = FrameBuffer::new(1, side, side);
            frames.data.fill(self.count * 10);
            frames
        };
        let observations = Observations {
            cameras: BTreeMap::from([("near".to_owned(), frames(16)), ("far".to_owned(), frames(8))]),
            vectors: BTreeMap::from([("count".to_owned(), Array2::new(vec![f32::from(self.count)], 1, 1))]),
        };
        TimeStep { observations, reward, terminated, ..TimeStep::default() }
    }
}

impl Environment for Counter {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, _seed: u64) -> Result<TimeStep, EnvError> {
        self.count = 0;
        Ok(self.moment(0.0, false))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Choice(choice) = action else { panic!("{action:?} is no choice") };
        self.count += 1;
        Ok(self.moment(choice as f64, choice == 2))
    }

    fn goal(&self) -> Option<Goal> {
        None
    }
}

#[test]
fn any_world_is_recorded_with_all_its_streams() {
    let folder = tempfile::tempdir().expect("folder");
    let mut worlds: Vec<Box<dyn Environment>> = vec![Box::new(Counter::new()), Box::new(Counter::new())];
    let mut policy = Random::new(Space::Discrete { count: 3 });
    let options = RecordOptions { episodes: 5, steps: 7, ..options(folder.path()) };
    let summary = record(&mut worlds, &mut policy, &options, &mut |_, _| ()).expect("recorded");
    assert_eq!((summary.policy, summary.successes), (policy.name(), 0));
    let reader = EpisodeReader::open(folder.path()).expect("reader");
    assert_eq!(reader.spaces(), Some(&Counter::new().spec.spaces));
    assert_eq!((0..5).map(|episode| reader.length(episode)).sum::<usize>(), summary.frames);
    assert!((0..5).any(|episode| reader.length(episode) < 8), "one of 35 choices ends an episode");
    assert!(folder.path().join("far/dataset.toml").is_file() && folder.path().join("far/spaces.json").is_file());
    for index in 0..5 {
        let (episode, length) = (reader.episode(index).expect("episode"), reader.length(index));
        let counts: Vec<f32> = (0..length).map(|step| step as f32).collect();
        assert_eq!(episode.observations.vectors["count"].data, counts);
        for (camera, side) in [("near", 16), ("far", 8)] {
            let frames = &episode.observations.cameras[camera];
            assert_eq!((frames.frames, frames.height), (length, side));
            assert!((0..length).all(|step| frames.frame(step).iter().all(|value| *value == step as u8 * 10)));
        }
        let [actions, rewards] = ["action", "reward"].map(|name| &episode.columns[name].data);
        assert_eq!(actions[..length - 1], rewards[1..], "the reward of a step is the number of its choice");
        assert!(actions[length - 1].is_nan() && rewards[0] == 0.0);
        let ended = actions[..length - 1].iter().position(|choice| *choice == 2.0);
        assert_eq!(ended.map_or(8, |step| step + 2), length);
    }
}
