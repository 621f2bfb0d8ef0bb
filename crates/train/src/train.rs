//! The training loop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use prevision_core::Spaces;
use prevision_data::{ClipDataset, Loader, LoaderConfig};
use prevision_kernels::{Precision, with_precision};
use prevision_model::{ClipBatch, weights};
use prevision_objective::Draw;

use crate::budget::Budget;
use crate::init::fresh;
use crate::metrics::{NotFinite, Reading, Window};
use crate::optimizer::{Optimizer, add};
use crate::recorder::{Rates, Recorder};
use crate::run::first_difference;
use crate::schedule::learning_rate;
use crate::stages::{Stages, Stopwatch};
use crate::team::{agree, average_gradients};
use crate::{
    Checkpoint, CheckpointState, Control, Progress, RunFolder, Settings, Task, Team, TrainError, TrainSummary,
    peak_memory_bytes,
};

/// Trains the model of a task on a data set, in a run folder. A run that has a checkpoint goes on from it; with a budget in steps on
/// the CPU device bit for bit as if it had never stopped.
///
/// Every process of a team calls this with the same arguments but for `team` and `device`; `data.batch_size` is that of all together.
///
/// # Errors
/// - the settings are wrong, do not fit the data or the device, or differ from the run's in a key that must not change;
/// - the data fail (what was written stays);
/// - a loss or the gradients are not finite; the message names step, term and the last good checkpoint;
/// - another process trains in the run folder;
/// - a file cannot be written; checkpoints from before are still whole;
/// - another process of the team is lost.
pub fn train_on<T: Task>(
    task: &T,
    dataset: Arc<dyn ClipDataset>,
    settings: &Settings,
    run: &RunFolder,
    device: Device,
    team: &dyn Team,
    control: &mut Control<'_>,
) -> Result<TrainSummary, TrainError> {
    // The first process alone writes.
    let written = (team.rank() == 0).then_some(run);
    let _lock = written.map(RunFolder::lock).transpose()?;

    // Build everything, fresh or from the last checkpoint.
    let spaces = dataset.spaces().clone();
    check(task, settings, &spaces, &device)?;
    let Settings { seed, data, train, resolved, .. } = settings;
    let device = device.autodiff();
    let mut model = fresh(task, &spaces, *seed, &device);
    let mut optimizer = Optimizer::new(&settings.optimizer);
    let mut state = CheckpointState { step: 0, frames: 0, seconds: 0.0, seed: *seed, spaces };
    let mut saved: Option<PathBuf> = None;
    if let Some(checkpoint) = run.latest_checkpoint()? {
        resumes(&checkpoint, settings, &state.spaces)?;
        weights::load(&mut model, &checkpoint.weights())?;
        optimizer.load(&model, &checkpoint.optimizer())?;
        state = checkpoint.state;
        saved = Some(checkpoint.path);
    } else {
        model = task.prepare(model).map_err(|message| TrainError::Experiment(format!("model.{message}")))?;
    }
    let loader_config = LoaderConfig { part: (team.rank(), team.size()), ..LoaderConfig::new(data, *seed) };
    let mut loader = Loader::new(Arc::clone(&dataset), &loader_config, state.step * train.accumulate as u64)?;
    if let Some(run) = written {
        run.write("config.toml", resolved.to_string().as_bytes())?;
    }
    let mut recorder = Recorder::open(written, state.step)?;
    let budget = Budget::new(train);
    let mut window = Window::default();
    let mut interrupted = control.stops();
    agree(team, &mut interrupted, &mut state.seconds)?;
    let (clock, before, first) = (Instant::now(), state.seconds, state.step);
    let mut watch = Stopwatch::start();

    while !interrupted && !budget.is_spent(state.step, state.seconds) {
        let step = state.step + 1;
        let done = budget.done(step, state.seconds);
        let rates = rates(task, settings, &budget, done);
        let shows_histograms = recorder.writes() && due(step, train.histogram_every);

        // Loss and gradients, averaged over the batches of the step and over the team.
        let mut gradients = GradientsParams::new();
        watch.lap(|stages| &mut stages.rest);
        let mut batch = loader.next_batch()?;
        let mut shown = None;
        for index in 0..train.accumulate {
            if index > 0 {
                batch = loader.next_batch()?;
            }
            watch.lap(|stages| &mut stages.waiting_for_data);
            let inputs = ClipBatch::upload(&batch, state.spaces.frame_step, &data.normalise, &device);
            shown = shows_histograms.then(|| inputs.clone());
            let draw = Draw { seed: *seed, number: batch.number, first: batch.first };
            // The backward pass is in the precision of the operations it is of.
            let terms = with_precision(train.precision, || task.terms(&model, inputs, &draw));
            let loss = terms.total.clone() / train.accumulate as f64;
            watch.lap(|stages| &mut stages.forward);
            let more = GradientsParams::from_grads(loss.backward(), &model);
            gradients = if index == 0 { more } else { add(&model, gradients, more) };
            watch.lap(|stages| &mut stages.backward);
            window.push_terms(step, terms);
            state.frames += recorder.count(batch.clips.len() * team.size()) * state.spaces.frames as u64;
        }
        gradients = average_gradients(team, &model, gradients)?;
        watch.lap(|stages| &mut stages.backward);
        if let Some(batch) = shown {
            recorder.histograms(step, task, &model, &gradients, &batch)?;
        }
        watch.lap(|stages| &mut stages.rest);

        // The step, and what follows it, as a target encoder.
        let norm;
        (model, norm) = optimizer.step(rates.learning_rate, model, gradients);
        if let Some(norm) = norm {
            window.push_norm(step, norm);
        }
        model = task.after_step(model, done);
        watch.lap(|stages| &mut stages.optimizer);
        state.step = step;
        state.seconds = before + clock.elapsed().as_secs_f64();

        // What is told and kept of it.
        interrupted = control.stops();
        agree(team, &mut interrupted, &mut state.seconds)?;
        let last = interrupted || budget.is_spent(step, state.seconds);
        let keeps = last || due(step, train.checkpoint_every);
        if due(step, train.image_every) {
            recorder.pictures(step, task, &model, &batch, (state.spaces.frame_step, &data.normalise, &device))?;
        }
        if keeps || due(step, train.log_every) {
            let reading = finite(&mut window, team, saved.as_ref())?;
            recorder.line(&state, reading, rates, &dataset.skipped())?;
        }
        if keeps {
            saved = Some(match written {
                Some(run) => run.save_checkpoint(&model, &optimizer, &state, resolved, train.keep_checkpoints)?,
                None => run.checkpoint_path(step),
            });
        }
        (control.on_progress)(&progress(&recorder, &state, &budget, step - first, state.seconds - before));
        if last {
            break;
        }
    }
    state.seconds = before + clock.elapsed().as_secs_f64();
    let summary = summarise(&state, &recorder, &*dataset, watch.stop(), !budget.is_spent(state.step, state.seconds));
    if let Some(run) = written {
        run.write_json("summary.json", &summary)?;
    }
    Ok(summary)
}

/// Checks that settings, task, clips and device fit each other.
fn check<T: Task>(task: &T, settings: &Settings, spaces: &Spaces, device: &Device) -> Result<(), TrainError> {
    settings.validate().map_err(TrainError::Experiment)?;
    let precision = settings.train.precision;
    if precision != Precision::Float32 && device.clone().inner() != Device::flex() {
        let message = format!("train.precision is \"{precision}\", which the CPU device alone has, not {device:?}");
        return Err(TrainError::Experiment(message));
    }
    if let (Some(momentum), None) = (settings.schedule.final_momentum, task.momentum(1.0)) {
        let message =
            format!("schedule.final_momentum is {momentum}, but must be unset: the model has no momentum target");
        return Err(TrainError::Experiment(message));
    }
    task.validate(spaces).map_err(TrainError::Experiment)
}

/// Checks that a training can go on from a checkpoint.
fn resumes(checkpoint: &Checkpoint, settings: &Settings, spaces: &Spaces) -> Result<(), TrainError> {
    let refused = |(key, old, new)| TrainError::Resume { path: checkpoint.path.clone(), key, old, new };
    if let Some(difference) = first_difference(&checkpoint.config, &settings.resolved) {
        return Err(refused(difference));
    }
    if &checkpoint.state.spaces != spaces {
        let show = |spaces: &Spaces| serde_json::to_string(spaces).unwrap_or_else(|_| spaces.streams());
        return Err(refused(("data".to_owned(), show(&checkpoint.state.spaces), show(spaces))));
    }
    Ok(())
}

/// What a step is made with when so much of the training is done.
fn rates<T: Task>(task: &T, Settings { optimizer, schedule, .. }: &Settings, budget: &Budget, done: f64) -> Rates {
    let learning_rate = learning_rate(&schedule.learning_rate, optimizer.lr, done, budget.steps);
    Rates { learning_rate, momentum: task.momentum(done) }
}

/// Whether something that happens every `every` steps (0 = never) happens at this one.
fn due(step: u64, every: u64) -> bool {
    every > 0 && step.is_multiple_of(every)
}

/// Reads the losses that wait on the device; an error if one of them is not finite.
fn finite(window: &mut Window, team: &dyn Team, checkpoint: Option<&PathBuf>) -> Result<Reading, TrainError> {
    window.read(team)?.map_err(|NotFinite { step, term, value }| TrainError::NotFinite {
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

/// The result of the training.
fn summarise(
    state: &CheckpointState,
    recorder: &Recorder,
    dataset: &dyn ClipDataset,
    stages: Stages,
    interrupted: bool,
) -> TrainSummary {
    TrainSummary {
        frames: state.frames,
        steps: state.step,
        seconds: state.seconds,
        frames_per_second: state.frames as f64 / state.seconds.max(1e-9),
        waiting_for_data: stages.waiting_for_data / stages.total().max(1e-9),
        stages,
        peak_memory_bytes: peak_memory_bytes(),
        final_loss: recorder.reading.loss.clone(),
        skipped_files: dataset.skipped(),
        interrupted,
    }
}
