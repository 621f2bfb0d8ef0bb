//! The training loop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use prevision_data::{ClipDataset, Loader, LoaderConfig, Split, open};
use prevision_kernels::{Precision, with_precision};
use prevision_model::{InputShape, weights};

use crate::budget::Budget;
use crate::config::ExperimentConfig;
use crate::learner::{Learner, input_shape};
use crate::metrics::{NotFinite, Reading, Window};
use crate::optimizer::{Optimizer, add};
use crate::recorder::{Rates, Recorder};
use crate::run::{RunFolder, first_difference};
use crate::schedule::{learning_rate, momentum};
use crate::{CheckpointState, Control, Progress, TrainError, TrainSummary, peak_memory_bytes};

/// Trains the model of an experiment in a run folder. A run that has a checkpoint goes on from it; with a budget in steps on the
/// CPU device bit for bit as if it had never stopped.
///
/// # Errors
/// - the experiment is wrong, does not fit its data or the device, or differs from the run's in a key that must not change;
/// - the data fail (what was written stays);
/// - a loss or the gradients are not finite; the message names step, term and the last good checkpoint;
/// - a file cannot be written; checkpoints from before are still whole.
pub fn train(
    config: &ExperimentConfig,
    run: &RunFolder,
    device: Device,
    control: &mut Control<'_>,
) -> Result<TrainSummary, TrainError> {
    config.validate().map_err(TrainError::Experiment)?;
    let dataset = open(&config.data, Split::Train, config.seed)?;
    train_on(dataset, config, run, device, control)
}

/// As [`train`], on clips from elsewhere than `config.data.source`; the rest of `config.data` says how they are batched.
///
/// # Errors
/// As [`train`].
pub fn train_on(
    dataset: Arc<dyn ClipDataset>,
    config: &ExperimentConfig,
    run: &RunFolder,
    device: Device,
    control: &mut Control<'_>,
) -> Result<TrainSummary, TrainError> {
    // Build everything, fresh or from the last checkpoint.
    let precision = config.train.precision;
    if precision != Precision::Float32 && device.clone().inner() != Device::flex() {
        let message = format!("train.precision is \"{precision}\", which the CPU device alone has, not {device:?}");
        return Err(TrainError::Experiment(message));
    }
    let device = device.autodiff();
    let input = input_shape(&dataset.shape());
    let learner = Learner::new(config, &input)?;
    let mut model = learner.init(&input, &device);
    let mut optimizer = Optimizer::new(&config.optimizer);
    let mut state = start(config, &input);
    let mut saved: Option<PathBuf> = None;
    if let Some(checkpoint) = run.latest_checkpoint()? {
        if let Some((key, old, new)) = first_difference(&checkpoint.config, config) {
            return Err(TrainError::Resume { path: checkpoint.path, key, old, new });
        }
        weights::load(&mut model, &checkpoint.weights())?;
        optimizer.load(&model, &checkpoint.optimizer())?;
        state = checkpoint.state;
        saved = Some(checkpoint.path);
    }
    let accumulate = config.train.accumulate;
    let loader_config = LoaderConfig::new(&config.data, config.seed);
    let mut loader = Loader::new(Arc::clone(&dataset), &loader_config, state.step * accumulate as u64)?;
    run.write("config.toml", config.to_toml().as_bytes())?;
    let mut recorder = Recorder::open(run, state.step)?;
    let budget = Budget::new(&config.train);
    let normalise = config.data.normalise;
    let start_momentum = config.model.target_momentum();
    let mut window = Window::default();
    let mut interrupted = control.stops();
    let (clock, before, first) = (Instant::now(), state.seconds, state.step);

    while !interrupted && !budget.is_spent(state.step, state.seconds) {
        let step = state.step + 1;
        let done = budget.done(step, state.seconds);
        let rates = Rates {
            learning_rate: learning_rate(&config.schedule.learning_rate, config.optimizer.lr, done, budget.steps),
            momentum: start_momentum.map(|start| momentum(start, config.schedule.final_momentum, done)),
        };

        // Loss and gradients, averaged over the batches of the step.
        let mut gradients = GradientsParams::new();
        let mut batch = loader.next_batch()?;
        for index in 0..accumulate {
            if index > 0 {
                batch = loader.next_batch()?;
            }
            let inputs = batch.to_device(&normalise, &device);
            // The backward pass is in the precision of the operations it is of.
            let terms = with_precision(precision, || learner.terms(&model, inputs, batch.number));
            let loss = if accumulate > 1 { terms.total.clone() / accumulate as f64 } else { terms.total.clone() };
            let more = GradientsParams::from_grads(loss.backward(), &model);
            gradients = if index == 0 { more } else { add(&model, gradients, more) };
            window.push_terms(step, terms);
            state.frames += (batch.clips.len() * input.frames) as u64;
            recorder.count(batch.clips.len());
        }
        if due(step, config.train.histogram_every) {
            recorder.histograms(step, &model, &gradients, &batch, &normalise, &device)?;
        }

        // The step, and the target encoder after it.
        let norm;
        (model, norm) = optimizer.step(rates.learning_rate, model, gradients);
        if let Some(norm) = norm {
            window.push_norm(step, norm);
        }
        if let Some(momentum) = rates.momentum {
            model = model.update_target(momentum);
        }
        state.step = step;
        state.seconds = before + clock.elapsed().as_secs_f64();

        // What is told and kept of it.
        interrupted = control.stops();
        let last = interrupted || budget.is_spent(step, state.seconds);
        let keeps = last || due(step, config.train.checkpoint_every);
        if due(step, config.train.image_every) {
            recorder.picture(step, &model, &batch, &normalise, &device)?;
        }
        if keeps || due(step, config.train.log_every) {
            let reading = finite(&mut window, saved.as_ref())?;
            recorder.line(&state, reading, rates, &dataset.skipped())?;
        }
        if keeps {
            saved = Some(run.save_checkpoint(&model, &optimizer, &state, config, config.train.keep_checkpoints)?);
        }
        (control.on_progress)(&progress(&recorder, &state, &budget, step - first, state.seconds - before));
        if last {
            break;
        }
    }
    state.seconds = before + clock.elapsed().as_secs_f64();
    summarise(run, &state, &recorder, &*dataset, !budget.is_spent(state.step, state.seconds))
}

/// Whether something that happens every `every` steps (0 = never) happens at this one.
fn due(step: u64, every: u64) -> bool {
    every > 0 && step.is_multiple_of(every)
}

/// The state before the first step.
fn start(config: &ExperimentConfig, input: &InputShape) -> CheckpointState {
    CheckpointState {
        step: 0,
        frames: 0,
        seconds: 0.0,
        seed: config.seed,
        clip: [input.channels, input.frames, input.height, input.width],
        action_dim: input.action_dim,
        state_dim: input.state_dim,
    }
}

/// Reads the losses that wait on the device; an error if one of them is not finite.
fn finite(window: &mut Window, checkpoint: Option<&PathBuf>) -> Result<Reading, TrainError> {
    window.read()?.map_err(|NotFinite { step, term, value }| TrainError::NotFinite {
        step,
        term,
        value,
        checkpoint: checkpoint.cloned(),
    })
}

/// How far the training is; `steps_here` and `seconds_here` count from where this part of the run began.
fn progress(
    recorder: &Recorder,
    state: &CheckpointState,
    budget: &Budget,
    steps_here: u64,
    seconds_here: f64,
) -> Progress {
    let per_step = seconds_here / steps_here.max(1) as f64;
    Progress {
        step: state.step,
        steps: budget.steps,
        done: budget.done(state.step, state.seconds),
        loss: recorder.reading.loss.iter().map(|(name, value)| (name.clone(), *value)).collect(),
        clips_per_second: recorder.clips_per_second,
        seconds_left: budget.seconds_left(state.step, state.seconds, per_step),
    }
}

/// Writes and returns what the training came to.
fn summarise(
    run: &RunFolder,
    state: &CheckpointState,
    recorder: &Recorder,
    dataset: &dyn ClipDataset,
    interrupted: bool,
) -> Result<TrainSummary, TrainError> {
    let summary = TrainSummary {
        frames: state.frames,
        steps: state.step,
        seconds: state.seconds,
        frames_per_second: state.frames as f64 / state.seconds.max(1e-9),
        peak_memory_bytes: peak_memory_bytes(),
        final_loss: recorder.reading.loss.clone(),
        skipped_files: dataset.skipped(),
        interrupted,
    };
    run.write_json("summary.json", &summary)?;
    Ok(summary)
}
