//! Writes what a training tells: `metrics.jsonl`, `TensorBoard` files, and the progress of the caller.

use std::time::Instant;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use prevision_data::{HostBatch, Normalise, SkippedFile};
use prevision_model::Jepa;

use crate::learner::{latents, positions};
use crate::metrics::{
    EventWriter, Histogram, Line, MetricsFile, Reading, gradient_histograms, latent_std, parameter_histograms, strip,
};
use crate::{CheckpointState, RunFolder, TrainError};

/// The open files of a run, and when the last line was written.
pub(crate) struct Recorder {
    lines: MetricsFile,
    events: EventWriter,
    last: Instant,
    clips: u64,
    skipped: usize,
    /// The last reading, for progress and summary.
    pub(crate) reading: Reading,
    /// Clips per second of the last line.
    pub(crate) clips_per_second: f64,
}

/// The rates of the last step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) learning_rate: f64,
    pub(crate) momentum: Option<f64>,
}

impl Recorder {
    /// Opens the files of a run whose training stands at `step`.
    pub(crate) fn open(run: &RunFolder, step: u64) -> Result<Self, TrainError> {
        let lines = MetricsFile::open(&run.path("metrics.jsonl"), step)?;
        let reading = Reading { loss: lines.last_loss.clone(), gradient_norm: 0.0 };
        Ok(Self {
            lines,
            events: EventWriter::create(&run.path("tensorboard"), step)?,
            last: Instant::now(),
            clips: 0,
            skipped: 0,
            reading,
            clips_per_second: 0.0,
        })
    }

    /// Counts clips for the rate of the next line.
    pub(crate) fn count(&mut self, clips: usize) {
        self.clips += clips as u64;
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
        let step = state.step;
        let Reading { loss, gradient_norm } = &self.reading;
        self.lines.append(&Line {
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
            self.events.scalar(&format!("loss/{name}"), *value, step)?;
        }
        self.events.scalar("learning_rate", rates.learning_rate, step)?;
        self.events.scalar("gradient_norm", *gradient_norm, step)?;
        if let Some(momentum) = rates.momentum {
            self.events.scalar("momentum", momentum, step)?;
        }
        self.events.scalar("clips_per_second", self.clips_per_second, step)?;
        self.events.scalar("skipped_files", skipped.len() as f64, step)?;
        self.events.flush()
    }

    /// Writes histograms of the gradients of a step, of the parameters before it, and of the latents' standard deviation.
    pub(crate) fn histograms(
        &mut self,
        step: u64,
        model: &Jepa,
        gradients: &GradientsParams,
        batch: &HostBatch,
        normalise: &Normalise,
        device: &Device,
    ) -> Result<(), TrainError> {
        let video = batch.to_device(normalise, &device.clone().without_autodiff()).video;
        let std = Histogram::new(&latent_std(latents(model, video))?).map(|std| ("latents/std".to_owned(), std));
        let all = gradient_histograms(model, gradients)?.into_iter().chain(parameter_histograms(model)?).chain(std);
        for (tag, histogram) in all {
            self.events.histogram(&tag, &histogram, step)?;
        }
        Ok(())
    }

    /// Writes a picture of the first clip of a batch, with predicted and true positions if the model has a position head.
    pub(crate) fn picture(
        &mut self,
        step: u64,
        model: &Jepa,
        batch: &HostBatch,
        normalise: &Normalise,
        device: &Device,
    ) -> Result<(), TrainError> {
        let clip = &batch.clips[0];
        let one = HostBatch { clips: vec![clip.clone()], number: batch.number };
        let video = one.to_device(normalise, &device.clone().without_autodiff()).video;
        let predicted = match positions(model, video) {
            Some(positions) => {
                let values: Vec<f32> =
                    positions.try_into_vec_as().map_err(|error| TrainError::Device(error.to_string()))?;
                Some(values.as_chunks::<2>().0.to_vec())
            }
            None => None,
        };
        self.events.picture("clip", &strip(clip, predicted.as_deref()), step)
    }
}
