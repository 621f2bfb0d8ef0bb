//! A data set in memory: a bright square that its actions move about, and the experiments on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::Device;
use prevision_core::config::{Part, WeightedParts, deserialise, overlay};
use prevision_core::{Array2, Camera, Clip, ClipSource, FrameBuffer, Observations, Space, Spaces, seed};
use prevision_data::{ClipDataset, ClipRequest, DataError, SkippedFile};
use prevision_objective::{Objective, built_in};
use prevision_train::{
    Alone, AnyTask, Control, ModelContext, RunFolder, Settings, Team, TrainError, TrainSummary, built_in_models,
};
use rand::Rng;
use toml::{Table, Value};

pub(crate) const SIDE: usize = 16;
const VIDEOS: usize = 40;

/// What a clip of the data set does wrong, from a number of clips on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Its actions are not numbers.
    Nan,
    /// It cannot be read.
    Error,
}

pub(crate) struct Square {
    pub(crate) spaces: Spaces,
    pub(crate) fault: Fault,
    pub(crate) from: u64,
    pub(crate) drawn: AtomicU64,
}

impl Square {
    pub(crate) fn new(frames: usize) -> Arc<Self> {
        Self::faulty(frames, Fault::None, 0)
    }

    pub(crate) fn faulty(frames: usize, fault: Fault, from: u64) -> Arc<Self> {
        let spaces = Spaces {
            frames,
            frame_step: 1,
            cameras: [("pixels".to_owned(), Camera { height: SIDE, width: SIDE })].into(),
            action: Some(Space::Unbounded { dim: 2 }),
            state: Some(2),
            ..Spaces::default()
        };
        Arc::new(Self { spaces, fault, from, drawn: AtomicU64::new(0) })
    }
}

impl ClipDataset for Square {
    fn videos(&self) -> usize {
        VIDEOS
    }

    fn clips_per_video(&self) -> usize {
        1
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let broken = self.drawn.fetch_add(1, Ordering::Relaxed) >= self.from && self.fault != Fault::None;
        if broken && self.fault == Fault::Error {
            return Err(DataError::Config("the square is gone".to_owned()));
        }
        let count = self.spaces.frames;
        let mut rng = seed::rng(request.seed, "square", request.epoch, request.slot as u64);
        let mut position = [rng.random_range(3.0..12.0_f32), rng.random_range(3.0..12.0_f32)];
        let mut frames = FrameBuffer::new(count, SIDE, SIDE);
        let (mut actions, mut state) = (Vec::new(), Vec::new());
        for frame in 0..count {
            let pixels = frames.frame_mut(frame);
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let distance = (x as f32 - position[0]).abs().max((y as f32 - position[1]).abs());
                    pixels[(y * SIDE + x) * 3..][..3].fill(((3.0 - distance).clamp(0.0, 1.0) * 255.0) as u8);
                }
            }
            state.extend(position);
            if frame + 1 < count {
                for axis in &mut position {
                    let before = *axis;
                    *axis = (before + rng.random_range(-2.0..2.0)).clamp(2.0, 13.0);
                    actions.push(if broken { f32::NAN } else { *axis - before });
                }
            }
        }
        Ok(Clip {
            observations: Observations::of_camera("pixels", frames),
            times: (0..count).map(|frame| frame as f64).collect(),
            actions: Some(Array2::new(actions, count - 1, 2)),
            state: Some(Array2::new(state, count, 2)),
            label: None,
            source: ClipSource { path: "square".into(), video: request.video, start: 0 },
        })
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        Vec::new()
    }
}

/// A small action-conditioned experiment on clips of 4 frames.
pub(crate) const ACTION: &str = r#"
seed = 3
[data]
frames = 4
batch_size = 8
[model]
kind = "action-conditioned"
[model.encoder]
kind = "strided-conv"
patch = 4
widths = [16]
dim = 24
[model.target]
kind = "momentum"
momentum = 0.9
[objective]
variance = 4.0
covariance = 1.0
inverse_dynamics = 1.0
sigreg = { weight = 0.1, directions = 16 }
position = 1.0
distance = 0.1
[objective.prediction]
rollout_steps = 3
[schedule]
final_momentum = 1.0
[train]
steps = 12
log_every = 3
checkpoint_every = 4
keep_checkpoints = 9
histogram_every = 6
image_every = 6
"#;

/// A small masked experiment on the same clips.
pub(crate) const MASKED: &str = r#"
seed = 5
[data]
frames = 4
batch_size = 8
[model]
kind = "masked"
momentum = 0.98
[model.encoder]
dim = 48
depth = 2
heads = 2
patch = 4
[model.predictor]
width = 48
depth = 1
heads = 2
[objective.prediction]
loss = "l1"
normalise_targets = true
[optimizer]
weight_decay = 0.04
[train]
steps = 12
accumulate = 2
checkpoint_every = 4
keep_checkpoints = 9
"#;

/// A task, and what it is trained with.
pub(crate) struct Experiment {
    pub(crate) task: Box<dyn AnyTask>,
    pub(crate) settings: Settings,
}

/// An experiment from its text and `key=value` assignments.
pub(crate) fn experiment(text: &str, overrides: &[&str]) -> Experiment {
    let mut given: Table = text.parse().unwrap();
    overlay::assign(&mut given, overrides.iter().map(|text| overlay::assignment(text).unwrap()).collect());
    let section = |name: &str| given.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
    let seed = u64::try_from(given["seed"].as_integer().unwrap()).unwrap();
    let mut settings = Settings {
        seed,
        data: deserialise("data", &section("data")).unwrap(),
        optimizer: deserialise("optimizer", &section("optimizer")).unwrap(),
        schedule: deserialise("schedule", &section("schedule")).unwrap(),
        train: deserialise("train", &section("train")).unwrap(),
        resolved: given.clone(),
    };
    settings.resolved.insert("data".into(), Value::try_from(&settings.data).unwrap());
    settings.resolved.insert("train".into(), Value::try_from(&settings.train).unwrap());
    let objective = Objective::new(&WeightedParts(section("objective")), &built_in()).unwrap();
    let context = ModelContext { objective: Arc::new(objective), final_momentum: settings.schedule.final_momentum };
    let model: Part = deserialise("model", &section("model")).unwrap();
    let task = built_in_models().make("model", &model.kind, &model.keys, &context).unwrap();
    Experiment { task, settings }
}

impl Experiment {
    /// Trains alone on the CPU.
    pub(crate) fn train(
        &self,
        dataset: Arc<Square>,
        run: &RunFolder,
        control: &mut Control<'_>,
    ) -> Result<TrainSummary, TrainError> {
        self.train_in(&Alone, dataset, run, control)
    }

    /// Trains as one of a team on the CPU.
    pub(crate) fn train_in(
        &self,
        team: &dyn Team,
        dataset: Arc<Square>,
        run: &RunFolder,
        control: &mut Control<'_>,
    ) -> Result<TrainSummary, TrainError> {
        self.task.train(dataset, &self.settings, run, Device::flex(), team, control)
    }
}

/// Trains from whatever is in `run`, and stops after step `until` as Ctrl-C would.
pub(crate) fn train_until(experiment: &Experiment, run: &RunFolder, until: u64) -> Result<TrainSummary, TrainError> {
    let mut control = Control::default();
    let stop = Arc::clone(&control.stop);
    control.on_progress = Box::new(move |progress| {
        // The flag is looked at when a step ends: set after step n, it stops step n + 1.
        if progress.step + 1 == until {
            stop.store(true, Ordering::Relaxed);
        }
    });
    experiment.train(Square::new(4), run, &mut control)
}

pub(crate) fn weights(run: &RunFolder, step: u64) -> [Vec<u8>; 2] {
    let file = |name: &str| std::fs::read(run.path(&format!("checkpoints/step-{step}/{name}.safetensors"))).unwrap();
    [file("model"), file("optimizer")]
}
