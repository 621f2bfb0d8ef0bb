//! Writes what a training tells: `metrics.jsonl`, `TensorBoard` files, and the progress of the caller.

use std::time::Instant;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use prevision_core::{HostBatch, Normalise};
use prevision_data::SkippedFile;
use prevision_model::ClipBatch;

use crate::metrics::{
    EventWriter, Histogram, Line, MetricsFile, Reading, gradient_histograms, latent_std, parameter_histograms, strip,
};
use crate::{CheckpointState, RunFolder, Task, TrainError};

/// What the last line told, and when it was written.
pub(crate) struct Recorder {
    /// `None` in a process that writes nothing.
    files: Option<Files>,
    last: Instant,
    clips: u64,
    skipped: usize,
    /// The last reading, for progress and summary.
    pub(crate) reading: Reading,
    /// Clips per second of the last line.
    pub(crate) clips_per_second: f64,
}

/// The open files of a run.
struct Files {
    lines: MetricsFile,
    events: EventWriter,
}

/// The rates of the last step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) learning_rate: f64,
    pub(crate) momentum: Option<f64>,
}

impl Recorder {
    /// Opens the files of a run whose training stands at `step`; without a run nothing is written.
    pub(crate) fn open(run: Option<&RunFolder>, step: u64) -> Result<Self, TrainError> {
        let open = |run: &RunFolder| -> Result<Files, TrainError> {
            let lines = MetricsFile::open(&run.path("metrics.jsonl"), step)?;
            Ok(Files { lines, events: EventWriter::create(&run.path("tensorboard"), step)? })
        };
        let files = run.map(open).transpose()?;
        let loss = files.as_ref().map(|files| files.lines.last_loss.clone()).unwrap_or_default();
        let reading = Reading { loss, gradient_norm: 0.0 };
        Ok(Self { files, last: Instant::now(), clips: 0, skipped: 0, reading, clips_per_second: 0.0 })
    }

    /// Whether histograms and pictures are written here.
    pub(crate) fn writes(&self) -> bool {
        self.files.is_some()
    }

    /// Counts clips for the rate of the next line, and gives their number.
    pub(crate) fn count(&mut self, clips: usize) -> u64 {
        self.clips += clips as u64;
        clips as u64
    }

    /// Writes a line. The first reports all files skipped so far, the others only new ones.
    pub(crate) fn line(
        &mut self,
        state: &CheckpointState,
        reading: Reading,
        rates: Rates,
        skipped: &[SkippedFile],
    ) -> Result<(), TrainError> {
        let seconds = self.last.elapsed().as_secs_f64();
        self.clips_per_second = self.clips as f64 / seconds.max(1e-9);
        (self.last, self.clips, self.reading) = (Instant::now(), 0, reading);
        let Some(Files { lines, events }) = &mut self.files else { return Ok(()) };
        let step = state.step;
        let Reading { loss, gradient_norm } = &self.reading;
        lines.append(&Line {
            step,
            frames: state.frames,
            seconds: state.seconds,
            loss,
            learning_rate: rates.learning_rate,
            gradient_norm: *gradient_norm,
            momentum: rates.momentum,
            clips_per_second: self.clips_per_second,
            skipped: &skipped[self.skipped.min(skipped.len())..],
        })?;
        self.skipped = skipped.len();
        for (name, value) in loss {
            events.scalar(&format!("loss/{name}"), *value, step)?;
        }
        events.scalar("learning_rate", rates.learning_rate, step)?;
        events.scalar("gradient_norm", *gradient_norm, step)?;
        if let Some(momentum) = rates.momentum {
            events.scalar("momentum", momentum, step)?;
        }
        events.scalar("clips_per_second", self.clips_per_second, step)?;
        events.scalar("skipped_files", skipped.len() as f64, step)?;
        events.flush()
    }

    /// Writes histograms of the gradients of a step, of the parameters before it, and of the latents' standard deviation.
    pub(crate) fn histograms<T: Task>(
        &mut self,
        step: u64,
        task: &T,
        model: &T::Model,
        gradients: &GradientsParams,
        batch: &ClipBatch,
    ) -> Result<(), TrainError> {
        let Some(Files { events, .. }) = &mut self.files else { return Ok(()) };
        let std = task.latents(model, batch).map(latent_std).transpose()?;
        let std = std.and_then(|std| Histogram::new(&std)).map(|std| ("latents/std".to_owned(), std));
        let all = gradient_histograms(model, gradients)?.into_iter().chain(parameter_histograms(model)?).chain(std);
        for (tag, histogram) in all {
            events.histogram(&tag, &histogram, step)?;
        }
        Ok(())
    }

    /// Writes a picture of each camera in the first clip of a batch, with predicted and true positions if the model tells them.
    pub(crate) fn pictures<T: Task>(
        &mut self,
        step: u64,
        task: &T,
        model: &T::Model,
        batch: &HostBatch,
        on: (usize, &Normalise, &Device),
    ) -> Result<(), TrainError> {
        let Some(Files { events, .. }) = &mut self.files else { return Ok(()) };
        let (frame_step, normalise, device) = on;
        let clip = &batch.clips[0];
        let one = HostBatch { clips: vec![clip.clone()], number: batch.number, first: batch.first };
        let one = ClipBatch::upload(&one, frame_step, normalise, &device.clone().without_autodiff());
        let positions = task.positions(model, &one).map(read_positions).transpose()?;
        let cameras = &clip.observations.cameras;
        for (name, frames) in cameras {
            let tag = if cameras.len() == 1 { "clip".to_owned() } else { format!("clip/{name}") };
            events.picture(&tag, &strip(frames, clip.state.as_ref(), positions.as_deref()), step)?;
        }
        Ok(())
    }
}

fn read_positions(positions: Tensor<2>) -> Result<Vec<[f32; 2]>, TrainError> {
    let values: Vec<f32> = positions.try_into_vec_as().map_err(|error| TrainError::Device(error.to_string()))?;
    Ok(values.as_chunks::<2>().0.to_vec())
}
