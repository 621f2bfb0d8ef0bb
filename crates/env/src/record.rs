//! Recording episodes of any world by any policy, as video.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use prevision_core::{Array2, Observations, Spaces, seed, whole_file};
use prevision_data::{Episode, EpisodeOptions, EpisodeWriter};
use prevision_video::Quality;
use rand::RngCore;
use serde::Serialize;
use toml::{Table, Value};

use crate::{Decision, EnvError, Policy, Start, TimeStep, Worlds};

/// What to record, and how.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// Number of episodes.
    pub episodes: usize,
    /// Actions in an episode; it has one frame more. Shorter, if the world ends it.
    pub steps: usize,
    /// Episode `i` is a pure function of the seed and `i`.
    pub seed: u64,
    /// Output folder: new, or empty.
    pub out: PathBuf,
    /// Compression of the frames.
    pub quality: Quality,
    /// Frames from one keyframe to the next.
    pub keyframe_interval: usize,
    /// Frames per second at which a player shows them.
    pub frame_rate: u32,
    /// The world's keys, for the description of the recording.
    pub world: Table,
}

impl RecordOptions {
    /// 1,000 episodes of 90 actions from seed 0, lossless, with a keyframe every 16 frames.
    ///
    /// Lossless, because little is won by less: 1,000 episodes of Two Rooms take 15 MB, against 9 MB at rate factor 18, which is
    /// slower to write and to read and leaves 28 dB over the pixels of the dot (its middle shifts by 0.13 pixels on average).
    pub fn new(out: &Path) -> Self {
        Self {
            episodes: 1_000,
            steps: 90,
            seed: 0,
            out: out.to_owned(),
            quality: Quality::Lossless,
            keyframe_interval: 16,
            frame_rate: 25,
            world: Table::new(),
        }
    }

    fn validate(&self) -> Result<(), EnvError> {
        let counts = [
            ("episodes", self.episodes),
            ("steps", self.steps),
            ("keyframe_interval", self.keyframe_interval),
            ("frame_rate", self.frame_rate as usize),
        ];
        match counts.into_iter().find(|&(_, value)| value == 0) {
            Some((key, value)) => {
                Err(EnvError::InvalidOption { key, value: value.to_string(), expected: "at least 1" })
            }
            None => Ok(()),
        }
    }

    /// The options as a small TOML file, for people and for recording the same again.
    fn describe(&self, world: &str, policy: &str) -> String {
        let quality = match self.quality {
            Quality::Lossless => "lossless".to_owned(),
            Quality::Crf(factor) => format!("crf {factor}"),
            Quality::Compact(factor) => format!("compact {factor}"),
            Quality::Jpeg(scale) => format!("jpeg {scale}"),
        };
        let mut table = Table::from_iter([
            ("world".to_owned(), Value::from(world)),
            ("policy".to_owned(), Value::from(policy)),
            ("episodes".to_owned(), Value::from(self.episodes as i64)),
            ("steps".to_owned(), Value::from(self.steps as i64)),
            ("seed".to_owned(), Value::from(self.seed as i64)),
            ("quality".to_owned(), Value::from(quality)),
            ("keyframe_interval".to_owned(), Value::from(self.keyframe_interval as i64)),
            ("frame_rate".to_owned(), Value::from(i64::from(self.frame_rate))),
        ]);
        if !self.world.is_empty() {
            table.insert("env".to_owned(), Value::Table(self.world.clone()));
        }
        format!("# How the episodes in this folder were recorded.\n{table}")
    }
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordSummary {
    /// The world's name.
    pub world: String,
    /// The policy's name.
    pub policy: String,
    /// Episodes written.
    pub episodes: usize,
    /// Frames written.
    pub frames: usize,
    /// Episodes that reached the goal of their task at some step; 0 in a world without goals.
    pub successes: usize,
    /// Time taken, in seconds.
    pub seconds: f64,
}

/// The seed of a recorded episode, a function of the run's seed and the episode's number alone.
fn episode_seed(seed: u64, episode: u64) -> u64 {
    seed::rng(seed, "recorded-episode", 0, episode).next_u64()
}

/// Records episodes with [`EpisodeWriter`]: for every camera an mp4 file an episode, and for each frame the columns `action` (the
/// action tried at this frame, as a world takes it; NaN at the last frame), `state`, the vector streams, what else the world tells
/// ([`TimeStep::info`]), and `reward` where it has one. `dataset.toml` in the first camera's folder says how it was made:
/// stable-worldmodel's reader takes every entry of the folder itself for a column.
///
/// As many episodes run side by side as `worlds` has rows; their videos are encoded on all cores. The content depends on neither.
/// `progress` is told the number of episodes done and the number in all.
///
/// # Errors
/// When an option is out of range, the output folder is not empty, the world or the policy fails, or a file cannot be written.
pub fn record(
    worlds: &mut dyn Worlds,
    policy: &mut dyn Policy,
    options: &RecordOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<RecordSummary, EnvError> {
    options.validate()?;
    let out = options.out.as_path();
    refuse_files(out)?;
    let start = Instant::now();
    let data_error = |source| EnvError::Data { path: out.to_owned(), source };
    let spec = worlds.spec().clone();
    let writer_options = EpisodeOptions {
        quality: options.quality,
        frame_rate: options.frame_rate,
        keyframe_interval: options.keyframe_interval,
    };
    let mut writer = EpisodeWriter::create(out, &spec.spaces, &writer_options).map_err(data_error)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut done, mut frames, mut successes) = (0, 0, 0);
    progress(done, options.episodes);
    while done < options.episodes {
        let count = worlds.rows().min(options.episodes - done);
        let tracks = run(worlds, policy, options, done, count)?;
        let episodes: Vec<Episode> = tracks.iter().map(|track| track.episode(&spec.spaces, spec.rewards)).collect();
        writer.write_many(&episodes, threads).map_err(data_error)?;
        frames += episodes.iter().map(|episode| episode.observations.moments()).sum::<usize>();
        successes += tracks.iter().filter(|track| track.success).count();
        done += count;
        progress(done, options.episodes);
    }
    if let Some(camera) = spec.spaces.cameras.keys().next() {
        let path = out.join(camera).join("dataset.toml");
        let text = options.describe(&spec.name, &policy.name());
        whole_file::write(&path, text).map_err(|source| EnvError::Io { path, source })?;
    }
    writer.finish().map_err(data_error)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(RecordSummary { world: spec.name, policy: policy.name(), episodes: done, frames, successes, seconds })
}

/// One episode while it is recorded.
#[derive(Default)]
struct Track {
    observations: Observations,
    states: Vec<f32>,
    info: BTreeMap<String, Vec<f32>>,
    rewards: Vec<f32>,
    /// In a model's form.
    actions: Vec<Vec<f32>>,
    moments: usize,
    success: bool,
}

impl Track {
    fn push(&mut self, step: &TimeStep) {
        self.observations.append(&step.observations);
        self.states.extend(step.state.iter().flatten());
        for (name, values) in &step.info {
            self.info.entry(name.clone()).or_default().extend(values);
        }
        self.rewards.push(step.reward as f32);
        self.success |= step.success;
        self.moments += 1;
    }

    fn episode(&self, spaces: &Spaces, rewards: bool) -> Episode {
        let rows = self.moments;
        let column = |data: Vec<f32>| {
            let width = data.len() / rows.max(1);
            Array2::new(data, rows, width)
        };
        let mut columns = BTreeMap::new();
        if let Some(space) = &spaces.action {
            let mut data: Vec<f32> = self.actions.iter().flat_map(|action| space.to_stored(action)).collect();
            data.resize(rows * space.stored_width(), f32::NAN);
            columns.insert("action".to_owned(), column(data));
        }
        if !self.states.is_empty() {
            columns.insert("state".to_owned(), column(self.states.clone()));
        }
        if rewards {
            columns.insert("reward".to_owned(), column(self.rewards.clone()));
        }
        columns.extend(self.info.iter().map(|(name, values)| (name.clone(), column(values.clone()))));
        Episode { observations: self.observations.clone(), columns }
    }
}

/// Runs the episodes `first .. first + count` side by side.
fn run(
    worlds: &mut dyn Worlds,
    policy: &mut dyn Policy,
    options: &RecordOptions,
    first: usize,
    count: usize,
) -> Result<Vec<Track>, EnvError> {
    let policy_error = |error| EnvError::Policy(Box::new(error));
    let mut now = Vec::with_capacity(count);
    for row in 0..count {
        let episode = (first + row) as u64;
        let state = policy.start_state(options.seed, episode);
        now.push(worlds.reset(row, episode_seed(options.seed, episode), state.as_deref())?);
    }
    let goals: Vec<_> = (0..count).map(|row| worlds.goal(row)).collect();
    let starts: Vec<Start<'_>> = (0..count)
        .map(|row| Start {
            seed: options.seed,
            episode: (first + row) as u64,
            first: &now[row],
            goal: goals[row].as_ref(),
            watched: false,
        })
        .collect();
    policy.begin(&starts).map_err(policy_error)?;
    let mut tracks: Vec<Track> = (0..count).map(|_| Track::default()).collect();
    tracks.iter_mut().zip(&now).for_each(|(track, step)| track.push(step));
    for _ in 0..options.steps {
        let live: Vec<usize> = (0..count).filter(|row| !(now[*row].terminated || now[*row].truncated)).collect();
        if live.is_empty() {
            break;
        }
        let seen: Vec<&TimeStep> = live.iter().map(|row| &now[*row]).collect();
        let chosen: Vec<Decision> = policy.act(&live, &seen).map_err(policy_error)?;
        let actions: Vec<&[f32]> = chosen.iter().map(|decision| decision.action.as_slice()).collect();
        let steps = worlds.step(&live, &actions)?;
        for ((row, step), decision) in live.iter().zip(steps).zip(chosen) {
            tracks[*row].push(&step);
            tracks[*row].actions.push(decision.action);
            now[*row] = step;
        }
    }
    Ok(tracks)
}

fn refuse_files(path: &Path) -> Result<(), EnvError> {
    let io_error = |source| EnvError::Io { path: path.to_owned(), source };
    match std::fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(EnvError::OutputNotEmpty { path: path.to_owned() }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(error)),
    }
}
